//! Whether the service can do its work: what it depends on, each looked at for real.

use crate::app::App;
use crate::metrics::names;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use tse_node::Picture;
use utoipa::ToSchema;

/// A picture older than this says that the engine makes no progress.
const PICTURE_AGE_MAX: Duration = Duration::from_secs(5);

/// How a dependency is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works in part, or is replaced by something that knows less.
    Degraded,
    /// It does not work.
    Down,
}

/// How the service is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Readiness {
    /// Everything is as it should be.
    Ready,
    /// Something that it can do without is not.
    Degraded,
    /// Something that it needs is not.
    NotReady,
}

/// What readiness says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Ready {
    /// All in all.
    pub status: Readiness,
    /// Each dependency.
    pub checks: BTreeMap<String, State>,
    /// What is wrong with those that are not ok.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub reasons: BTreeMap<String, String>,
    /// The schema of the tables that this instance keeps, where it keeps any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub schema: Option<String>,
    /// The namespace of its cache.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub namespace: Option<String>,
}

/// Something that the service depends on, and that says how it is without waiting.
pub trait Probe: Send + Sync {
    /// What it is called.
    fn name(&self) -> &'static str;
    /// How it is, and why if it is not ok.
    fn state(&self) -> (State, String);
}

/// Looks at everything.
pub fn look(app: &App) -> Ready {
    let mut all: Vec<(&str, bool, State, String)> = Vec::new();
    let age = app.engine.age();
    let picture = app.engine.picture().ok();
    let engine = match age {
        _ if app.is_ending() => (State::Down, "it is ending".to_owned()),
        None => (State::Down, "it is still recovering".to_owned()),
        Some(age) if age > PICTURE_AGE_MAX => {
            (State::Down, format!("it has made no progress for {} s", age.as_secs()))
        }
        Some(_) => (State::Ok, String::new()),
    };
    all.push(("engine", true, engine.0, engine.1));
    if let Some(picture) = picture {
        // Without a strategy that trades, venues are needed by nobody.
        let needed = !picture.strategies.is_empty() && !picture.stopping;
        let (state, why) = venues(&picture);
        all.push(("exchange_api", needed, state, why));
        let (state, why) = markets(&picture);
        all.push(("market_data_api", needed, state, why));
    }
    let (state, why) = match app.tokens.wrong() {
        None => (State::Ok, String::new()),
        Some(why) => (State::Down, format!("nobody may do anything: {why}")),
    };
    all.push(("tokens", false, state, why));
    app.each_probe(|probe| {
        let (state, why) = probe.state();
        all.push((probe.name(), false, state, why));
    });
    let bad = |needed: bool| all.iter().any(|it| it.1 == needed && it.2 == State::Down);
    let status = if bad(true) {
        Readiness::NotReady
    } else if all.iter().any(|it| it.2 != State::Ok) {
        Readiness::Degraded
    } else {
        Readiness::Ready
    };
    for (name, _, state, _) in &all {
        let value = match state {
            State::Ok => 1.0,
            State::Degraded => 0.5,
            State::Down => 0.0,
        };
        app.metrics.set_gauge(names::DEPENDENCY, value, &[("dependency", name)]);
    }
    let reasons = all.iter().filter(|it| it.2 != State::Ok);
    let (schema, namespace) = app.place();
    Ready {
        status,
        checks: all.iter().map(|it| (it.0.to_owned(), it.2)).collect(),
        reasons: reasons.map(|it| (it.0.to_owned(), it.3.clone())).collect(),
        schema,
        namespace,
    }
}

/// Whether orders can be sent and answers be believed.
fn venues(picture: &Picture) -> (State, String) {
    let away: Vec<_> = picture.venues.iter().filter(|it| !it.linked).collect();
    let unsure: Vec<_> = picture.venues.iter().filter(|it| it.linked && !it.reconciled).collect();
    let names = |all: &[&tse_node::VenuePicture]| {
        all.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    match (away.len(), unsure.len()) {
        (0, 0) => (State::Ok, String::new()),
        (0, _) => (State::Degraded, format!("not compared with the account: {}", names(&unsure))),
        (all, _) if all == picture.venues.len() => {
            (State::Down, format!("the line is down: {}", names(&away)))
        }
        _ => (State::Degraded, format!("the line is down: {}", names(&away))),
    }
}

/// Whether markets can be seen.
fn markets(picture: &Picture) -> (State, String) {
    let bad = |it: &&tse_node::MarketPicture| !it.valid || it.bids.is_empty() || it.asks.is_empty();
    let bad: Vec<_> = picture.markets.iter().filter(bad).collect();
    let names = || bad.iter().map(|it| it.symbol.as_str()).collect::<Vec<_>>().join(", ");
    match bad.len() {
        0 => (State::Ok, String::new()),
        all if all == picture.markets.len() => {
            (State::Down, format!("no quote that can be believed: {}", names()))
        }
        _ => (State::Degraded, format!("no quote that can be believed: {}", names())),
    }
}
