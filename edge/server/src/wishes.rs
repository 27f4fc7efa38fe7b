//! What people may wish for, as demands that the engine records with who and why: the same however they come.
//!
//! A request over HTTP or gRPC goes in, with whoever asks; a demand comes out, or why there is none. Names are not
//! looked at here: the engine knows which there are.

use crate::app::App;
use crate::codes;
use crate::http::{Caller, Problem, current};
use crate::token::{Scope, hex};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tse_node::{Answer, Demand, Picture};
use utoipa::ToSchema;

/// How far a strategy is stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StopMode {
    /// What rests is taken back, what is held stays.
    #[default]
    Graceful,
    /// The same, and what is held is closed.
    Flatten,
    /// The same as graceful, at once and before anything else.
    Kill,
}

/// What is done with a breaker.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum BreakerAction {
    /// Nothing new, and what rests is taken back.
    Trip,
    /// It goes on.
    Reset,
}

/// Who wishes, and why.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wisher<'a> {
    /// Who asks.
    pub(crate) caller: &'a Caller,
    /// Who they say they are.
    pub(crate) by: Option<&'a str>,
    /// Who else, as they say.
    pub(crate) second: Option<&'a str>,
    /// Why.
    pub(crate) why: &'a str,
}

impl Wisher<'_> {
    /// Trading in a scope is cut back to a level.
    pub(crate) fn kill(&self, scope: String, level: &str) -> Result<Demand, Problem> {
        let by = self.caller.name(self.by)?;
        Ok(Demand::Kill { scope, level: level.to_owned(), by, why: self.why.to_owned() })
    }

    /// It goes on, freely.
    fn resume(&self, scope: String) -> Result<Demand, Problem> {
        Ok(Demand::Resume {
            scope,
            to: "free".to_owned(),
            role: self.caller.role(None)?.name().to_owned(),
            by: self.caller.name(self.by)?,
            second: self.caller.second(self.second),
            why: self.why.to_owned(),
        })
    }

    /// A strategy stops.
    pub(crate) fn stop(&self, strategy: &str, mode: StopMode) -> Result<Demand, Problem> {
        let level = match mode {
            StopMode::Graceful => "cancel",
            StopMode::Flatten => "flatten",
            StopMode::Kill => "halt",
        };
        self.kill(format!("strategy:{strategy}"), level)
    }

    /// A strategy goes on.
    pub(crate) fn start(&self, strategy: &str) -> Result<Demand, Problem> {
        self.resume(format!("strategy:{strategy}"))
    }

    /// A breaker trips, or is reset, which takes the scope `rearm` as well. Its scope is `portfolio` or a strategy.
    pub(crate) fn breaker(&self, scope: &str, action: BreakerAction) -> Result<Demand, Problem> {
        let scope = match scope {
            "portfolio" => "firm".to_owned(),
            name => format!("strategy:{name}"),
        };
        match action {
            BreakerAction::Trip => self.kill(scope, "cancel"),
            BreakerAction::Reset => {
                self.caller.require(Scope::Rearm)?;
                self.resume(scope)
            }
        }
    }

    /// A limit is to be another.
    pub(crate) fn limit(
        &self,
        of: LimitOf<'_>,
        limit: &str,
        value: &str,
    ) -> Result<Demand, Problem> {
        Ok(Demand::Limit {
            limit: limit.to_owned(),
            value: value.to_owned(),
            strategy: of.strategy.map(str::to_owned),
            symbol: of.symbol.map(str::to_owned),
            group: of.group,
            by: self.caller.name(self.by)?,
            second: self.caller.second(self.second),
            why: self.why.to_owned(),
        })
    }
}

/// Whose a limit is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LimitOf<'a> {
    /// Whose; everybody's without.
    pub(crate) strategy: Option<&'a str>,
    /// In which instrument; in all together without.
    pub(crate) symbol: Option<&'a str>,
    /// Of which group of everything.
    pub(crate) group: Option<u16>,
}

/// Changes limits one after another, where they are still the ones that somebody has looked at. The answer is the
/// last one's, with everything that was said.
pub(crate) async fn change_limits(
    app: &App,
    demands: Vec<Demand>,
    expected: Option<&str>,
) -> Result<Answer, Problem> {
    let _alone = app.limits.lock().await;
    if let Some(expected) = expected {
        let now = app.engine.ask(Demand::Status).await?.picture;
        let now = now.as_ref().map(version);
        if now.as_deref() != Some(expected) {
            let now = now.unwrap_or_default();
            let what = format!("the version is `{now}`, not the one that was expected");
            return Err(Problem::new(codes::LIMITS_CHANGED, what));
        }
    }
    let count = demands.len();
    let mut last = Answer::default();
    for (at, demand) in demands.into_iter().enumerate() {
        let said = std::mem::take(&mut last.said);
        last = app.engine.ask(demand).await.map_err(|problem| match at {
            0 => problem,
            _ => {
                let what = format!("{} ({at} of {count} were changed before)", problem.detail());
                Problem::new(problem.code(), what)
            }
        })?;
        last.said.splice(0..0, said);
    }
    Ok(last)
}

/// Carries something out to its end, also if whoever asked does not wait so long: what is done is recorded, and its key
/// gets the answer.
pub(crate) async fn to_its_end<T: Send + 'static>(
    act: impl Future<Output = T> + Send + 'static,
) -> T {
    let task = match current() {
        Some(ids) => tokio::spawn(ids.scope(act)),
        None => tokio::spawn(act),
    };
    match task.await.map_err(tokio::task::JoinError::try_into_panic) {
        Ok(done) => done,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        // Threads end: nobody waits any more.
        Err(Err(_)) => std::future::pending().await,
    }
}

/// What the limits of a picture are called: another name as soon as one of them is another.
pub(crate) fn version(picture: &Picture) -> String {
    let mut hash = Sha256::new();
    for it in &picture.limits {
        let symbol = it.symbol.as_deref().unwrap_or_default();
        for part in [it.scope.as_str(), symbol, &it.limit, &it.value] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
    }
    hex(&hash.finalize()[..8])
}
