//! What can be changed: each is a demand that the engine records with who and why before it is answered.

use super::body::Body;
use super::{Caller, Problem, ProblemBody};
use crate::app::App;
use crate::codes;
use crate::token::Role;
use crate::wishes::{BreakerAction, LimitOf, StopMode, Wisher, change_limits};
use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tse_node::{Answer, Demand, Line};
use utoipa::ToSchema;

type Shared = State<Arc<App>>;

/// What came of it.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Done {
    /// How far everything is cut back now.
    level: String,
    /// Whether the engine may trade.
    armed: bool,
    /// How many orders are open.
    orders_open: usize,
    /// What the engine said to it.
    said: Vec<Line>,
}

impl From<Answer> for Done {
    fn from(answer: Answer) -> Self {
        let picture = answer.picture;
        Self {
            level: picture.as_ref().map(|it| it.level.clone()).unwrap_or_default(),
            armed: picture.as_ref().is_some_and(|it| it.armed),
            orders_open: picture.as_ref().map_or(0, |it| it.orders_open),
            said: answer.said,
        }
    }
}

fn wisher<'a>(
    caller: &'a Caller,
    (by, second): (Option<&'a str>, Option<&'a str>),
    why: &'a str,
) -> Wisher<'a> {
    Wisher { caller, by, second, why }
}

async fn ask(app: &App, demand: Demand) -> Result<Json<Done>, Problem> {
    Ok(Json(app.engine.ask(demand).await?.into()))
}

/// A strategy that is to stop.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Stop {
    /// Its name.
    id: String,
    /// How far.
    #[serde(default)]
    mode: StopMode,
    /// Who says so, where no token does.
    by: Option<String>,
    /// Why, for the record.
    reason: String,
}

/// Stops a strategy. It stays so until somebody starts it.
#[utoipa::path(
    post, path = "/api/v1/strategies/stop", tag = "trading", request_body = Stop, security(("token" = [])),
    responses((status = 200, body = Done), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn stop(
    State(app): Shared,
    Extension(caller): Extension<Caller>,
    Body(stop): Body<Stop>,
) -> Result<Json<Done>, Problem> {
    let wisher = wisher(&caller, (stop.by.as_deref(), None), &stop.reason);
    ask(&app, wisher.stop(&stop.id, stop.mode)?).await
}

/// A strategy that is to go on.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    /// Its name.
    id: String,
    /// Who says so, where no token does.
    by: Option<String>,
    /// Who else, where it takes two and no tokens are needed; else the second comes with `X-Second-Token`.
    second: Option<String>,
    /// Why, for the record.
    reason: String,
}

/// Lets a strategy of this run go on. How far whoever says so may decide that, is the engine's rule.
#[utoipa::path(
    post, path = "/api/v1/strategies/start", tag = "trading", request_body = Start, security(("token" = [])),
    responses((status = 200, body = Done), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn start(
    State(app): Shared,
    Extension(caller): Extension<Caller>,
    Body(start): Body<Start>,
) -> Result<Json<Done>, Problem> {
    let said = (start.by.as_deref(), start.second.as_deref());
    ask(&app, wisher(&caller, said, &start.reason).start(&start.id)?).await
}

/// A limit that is to be another.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    /// Which, as in a config.
    limit: String,
    /// What it is to be, as in a config.
    value: String,
    /// Whose; everybody's without.
    strategy: Option<String>,
    /// In which instrument; in all together without.
    symbol: Option<String>,
    /// Of which group of everything, by its number from 0.
    group: Option<u16>,
    /// Who says so, where no token does.
    by: Option<String>,
    /// Who else, where it takes two and no tokens are needed.
    second: Option<String>,
    /// Why, for the record.
    reason: String,
}

/// Changes a limit. A looser one takes two people where money is at stake.
#[utoipa::path(
    put, path = "/api/v1/risk/limits", tag = "risk", request_body = Limit, security(("token" = [])),
    responses((status = 200, body = Done), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn limits(
    State(app): Shared,
    Extension(caller): Extension<Caller>,
    Body(it): Body<Limit>,
) -> Result<Json<Done>, Problem> {
    let wisher = wisher(&caller, (it.by.as_deref(), it.second.as_deref()), &it.reason);
    let (strategy, symbol) = (it.strategy.as_deref(), it.symbol.as_deref());
    let demand =
        wisher.limit(LimitOf { strategy, symbol, group: it.group }, &it.limit, &it.value)?;
    Ok(Json(change_limits(&app, vec![demand], None).await?.into()))
}

/// A breaker, and what is done with it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Breaker {
    /// `portfolio`, or a strategy's name.
    scope: String,
    /// What.
    action: BreakerAction,
    /// Who says so, where no token does.
    by: Option<String>,
    /// Who else, where it takes two and no tokens are needed.
    second: Option<String>,
    /// Why, for the record.
    reason: String,
}

/// Trips a breaker, or resets it, which takes the scope `rearm` as well.
#[utoipa::path(
    post, path = "/api/v1/risk/circuit-breaker", tag = "risk", request_body = Breaker, security(("token" = [])),
    responses((status = 200, body = Done), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn circuit_breaker(
    State(app): Shared,
    Extension(caller): Extension<Caller>,
    Body(it): Body<Breaker>,
) -> Result<Json<Done>, Problem> {
    let wisher = wisher(&caller, (it.by.as_deref(), it.second.as_deref()), &it.reason);
    ask(&app, wisher.breaker(&it.scope, it.action)?).await
}

fn firm() -> String {
    "firm".to_owned()
}

fn halt() -> String {
    "halt".to_owned()
}

fn free() -> String {
    "free".to_owned()
}

/// Trading that is to be cut back.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Kill {
    /// What: `firm`, `account:VENUE`, `instrument:SYMBOL` or `strategy:NAME`.
    #[serde(default = "firm")]
    scope: String,
    /// How far: `pause`, `reduce`, `cancel`, `halt`, `flatten` or `sever`.
    #[serde(default = "halt")]
    level: String,
    /// Who says so, where no token does.
    by: Option<String>,
    /// Why, for the record.
    reason: String,
}

/// Cuts trading back, at once. Answered is what is recorded.
#[utoipa::path(
    post, path = "/api/v1/kill", tag = "risk", request_body = Kill, security(("token" = [])),
    responses((status = 200, body = Done), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn kill(
    State(app): Shared,
    Extension(caller): Extension<Caller>,
    Body(kill): Body<Kill>,
) -> Result<Json<Done>, Problem> {
    let wisher = wisher(&caller, (kill.by.as_deref(), None), &kill.reason);
    ask(&app, wisher.kill(kill.scope, &kill.level)?).await
}

/// Trading that is to go on.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Resume {
    /// What, as for `kill`.
    #[serde(default = "firm")]
    scope: String,
    /// How far it stays cut back; `free` for not at all.
    #[serde(default = "free")]
    to: String,
    /// Whether the engine is armed as well, if it has not been since it began.
    #[serde(default)]
    arm: bool,
    /// As what whoever says so decides, where no token says it: `trader`, `risk` or `owner`.
    #[schema(value_type = Option<String>)]
    role: Option<Role>,
    /// Who says so, where no token does.
    by: Option<String>,
    /// Who else, where it takes two and no tokens are needed.
    second: Option<String>,
    /// Why, for the record.
    reason: String,
}

/// Lets trading go on, as far as whoever says so may decide that.
#[utoipa::path(
    post, path = "/api/v1/resume", tag = "risk", request_body = Resume, security(("token" = [])),
    responses((status = 200, body = Done), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn resume(
    State(app): Shared,
    Extension(caller): Extension<Caller>,
    Body(it): Body<Resume>,
) -> Result<Json<Done>, Problem> {
    let by = caller.name(it.by.as_deref())?;
    let demand = Demand::Resume {
        role: caller.role(it.role)?.name().to_owned(),
        by: by.clone(),
        second: caller.second(it.second.as_deref()),
        to: it.to,
        why: it.reason,
        scope: it.scope,
    };
    let picture = app.engine.picture()?;
    let is_cut = |scope: &str| picture.latches.iter().any(|latch| latch.scope == scope);
    let Demand::Resume { scope, .. } = &demand else {
        return Err(Problem::new(codes::PANIC, "a demand is what it was made"));
    };
    // Whoever only arms need not lower what is not raised.
    if it.arm && !is_cut(scope) {
        return ask(&app, Demand::Arm { by }).await;
    }
    let done = ask(&app, demand).await?;
    match it.arm {
        true => ask(&app, Demand::Arm { by }).await,
        false => Ok(done),
    }
}

/// An account that somebody has looked at.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Looked {
    /// Why it may go on, for the record here.
    reason: String,
}

/// An account whose difference nothing explains was looked at: it trades again once it has been compared anew.
#[utoipa::path(
    post, path = "/api/v1/venues/{venue}/acknowledge", tag = "risk", request_body = Looked,
    params(("venue" = String, Path, description = "Its name")), security(("token" = [])),
    responses((status = 200, body = Done), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn acknowledge(
    State(app): Shared,
    Path(venue): Path<String>,
    Body(looked): Body<Looked>,
) -> Result<Json<Done>, Problem> {
    if looked.reason.trim().is_empty() {
        return Err(Problem::new(codes::BAD_REQUEST, "reason: it is empty"));
    }
    ask(&app, Demand::Acknowledge { venue }).await
}
