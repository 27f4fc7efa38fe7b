//! The rows of an engine: which store they are in, and how that follows the journal.
//!
//! With `POSTGRES_URL` it is a schema there, else a file beside the journal. Whether it is away matters to nobody who
//! trades.

use crate::config::{self, Config};
use crate::diagnose::{At, Diagnostic, Diagnostics, codes};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::runtime::Handle;
use tse_node::Home;
use tse_projector::{About, Build, Followed, How, Projector, Store, StrategyAbout, Watched};
use tse_server::ready::{Probe, State};
use tse_server::settings::Settings;
use tse_storage::{
    Place, Postgres, PostgresOptions, Sqlite, StorageError, StoreUrl, StrategyType, SystemClock,
};
use tse_strategy::Registry;

/// What rows say of a config's engine.
pub(crate) fn about(config: &Config) -> About {
    let catalog = &config.catalog;
    let strategy = |plan: &config::StrategyPlan| StrategyAbout {
        name: plan.name.clone(),
        kind: kind(plan.kind.name),
        parameters: parameters(plan),
        instruments: plan
            .instruments
            .iter()
            .map(|id| catalog.instrument(*id).symbol.to_string())
            .collect(),
    };
    About {
        catalog: Arc::new(catalog.clone()),
        base: config.base,
        strategies: config.strategies.iter().map(strategy).collect(),
        prices: config.prices(),
    }
}

/// The word that rows have for a kind of strategy.
fn kind(name: &str) -> StrategyType {
    match name {
        "market_making" => StrategyType::MarketMaking,
        "arbitrage" => StrategyType::Arbitrage,
        "ema_cross" => StrategyType::TrendFollowing,
        "mean_reversion" => StrategyType::MeanReversion,
        _ => StrategyType::Custom,
    }
}

fn parameters(plan: &config::StrategyPlan) -> Map<String, Value> {
    let mut all = Map::new();
    all.insert("kind".to_owned(), plan.kind.name.into());
    for (name, value) in plan.parameters() {
        // Plain values of TOML are values of JSON.
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        all.insert(name.to_owned(), value);
    }
    all
}

/// Makes engines of what journals say they were set up with.
pub(crate) fn builder(registry: &Registry) -> Build {
    let registry = registry.clone();
    Arc::new(move |text: &str| {
        config::load_engine("the journal's config", text, &registry).map_err(|found| {
            found.sorted().iter().map(|it| it.title.clone()).collect::<Vec<_>>().join("; ")
        })
    })
}

/// What is followed of an engine.
pub(crate) fn followed(
    home: &Home,
    about: About,
    registry: &Registry,
) -> Result<Followed, Diagnostics> {
    let id = home.identity().map_err(|error| failed(home, &error.to_string()))?;
    Ok(Followed {
        journal: home.journal(),
        stream: format!("{}/{id}", home.name()),
        about,
        build: builder(registry),
    })
}

/// The store of an engine, and in which words it is named. PostgreSQL need not be there.
pub(crate) fn open(
    settings: &Settings,
    home: &Home,
    runtime: &Handle,
) -> Result<(Arc<dyn Store>, Where), Diagnostics> {
    let clock = Arc::new(SystemClock);
    let wrong = |error: StorageError| failed(home, &error.to_string());
    let Some(url) = &settings.postgres else {
        let store = runtime.block_on(Sqlite::open(&home.store(), clock)).map_err(wrong)?;
        return Ok((Arc::new(store), Where { name: "sqlite", schema: None }));
    };
    let place = Place::of(&settings.service, settings.instance.display_name(), None, None);
    let place = place.map_err(wrong)?;
    let url = StoreUrl::parse(url.reveal()).map_err(wrong)?;
    // Connections begin when they are needed, in the runtime that serves them.
    let _inside = runtime.enter();
    let options = PostgresOptions::new(url, place.schema.clone());
    let store = Postgres::new(&options, clock).map_err(wrong)?;
    let schema = Some(place.schema.as_str().to_owned());
    Ok((Arc::new(store), Where { name: "postgres", schema }))
}

/// What a store is.
pub(crate) struct Where {
    /// `sqlite` or `postgres`.
    pub(crate) name: &'static str,
    /// The schema, where there are such.
    pub(crate) schema: Option<String>,
}

fn failed(home: &Home, what: &str) -> Diagnostics {
    Diagnostic::error(codes::NOT_SERVED, what.to_owned())
        .at(At::Place(home.folder().display().to_string()), "")
        .fix("mend it, or take POSTGRES_URL away for a file beside the journal")
        .into()
}

/// Begins to follow.
pub(super) fn follow(
    followed: Followed,
    store: Arc<dyn Store>,
    runtime: Handle,
    safe: Arc<AtomicU64>,
) -> Result<Projector, Diagnostics> {
    Projector::start(followed, store, runtime, safe).map_err(|error| {
        Diagnostic::error(codes::NOT_SERVED, format!("cannot start a thread: {error}"))
            .fix("free some of the machine's threads")
            .into()
    })
}

/// How the store stands, for readiness.
pub(super) struct StoreProbe {
    pub(super) name: &'static str,
    pub(super) watched: Watched,
}

impl Probe for StoreProbe {
    fn name(&self) -> &'static str {
        self.name
    }

    fn state(&self) -> (State, String) {
        let standing = self.watched.standing();
        let why = standing.why.unwrap_or_default();
        match standing.how {
            How::Follows => (State::Ok, String::new()),
            How::Begins => (State::Degraded, "it is being asked how far it is".to_owned()),
            How::Away | How::Stuck => (State::Down, why),
        }
    }
}
