//! What can be seen.
//!
//! Everything here is read from the newest picture, which is 50 ms old at most while the engine runs; nothing waits
//! for the engine.

#![allow(unused_qualifications, reason = "the macro of routes writes names in full")]

use super::body::Asked;
use super::{Problem, ProblemBody};
use crate::app::App;
use crate::codes;
use crate::engine::StrategyKind;
use crate::ready::{self, Readiness, Ready};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tse_node::{
    Balance, Earned, Figures, Held, Latched, LimitPicture, Line, MarketPicture, OpenOrder, Picture,
    StrategyPicture,
};
use utoipa::{IntoParams, ToSchema};

type Shared = State<Arc<App>>;

/// That the process answers.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Health {
    /// `healthy`.
    status: String,
    /// What the service is called.
    service: String,
    /// Which instance this is.
    instance: String,
    /// Its version.
    version: String,
    /// Where it runs.
    environment: String,
    /// When, as ISO 8601 in UTC.
    timestamp: String,
}

/// Whether the process answers. Nothing that it depends on is looked at.
#[utoipa::path(get, path = "/api/v1/health", tag = "probes", responses((status = 200, body = Health)))]
pub(super) async fn health(State(app): Shared) -> Json<Health> {
    let settings = &app.settings;
    Json(Health {
        status: "healthy".to_owned(),
        service: settings.service.clone(),
        instance: settings.instance.display_name().to_owned(),
        version: settings.version.clone(),
        environment: settings.environment.name().to_owned(),
        timestamp: jiff::Timestamp::now().to_string(),
    })
}

/// The same, at the root.
#[utoipa::path(get, path = "/health", tag = "probes", responses((status = 200, body = Health)))]
pub(super) async fn health_alias(app: Shared) -> Json<Health> {
    health(app).await
}

/// Whether the service can do its work: what it depends on, each looked at for real.
#[utoipa::path(
    get, path = "/api/v1/ready", tag = "probes",
    responses((status = 200, body = Ready), (status = 503, body = Ready))
)]
pub(super) async fn ready(State(app): Shared) -> (StatusCode, Json<Ready>) {
    let ready = ready::look(&app);
    let status = match ready.status {
        Readiness::NotReady => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    };
    (status, Json(ready))
}

/// The same, at the root.
#[utoipa::path(
    get, path = "/ready", tag = "probes",
    responses((status = 200, body = Ready), (status = 503, body = Ready))
)]
pub(super) async fn ready_alias(app: Shared) -> (StatusCode, Json<Ready>) {
    ready(app).await
}

/// All figures, as Prometheus scrapes them.
#[utoipa::path(
    get, path = "/api/v1/metrics", tag = "probes",
    responses((status = 200, content_type = "text/plain", body = String))
)]
pub(super) async fn metrics(State(app): Shared) -> Response {
    let (content_type, text) = app.metrics.http_handler();
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

/// The same, at the root.
#[utoipa::path(
    get, path = "/metrics", tag = "probes",
    responses((status = 200, content_type = "text/plain", body = String))
)]
pub(super) async fn metrics_alias(app: Shared) -> Response {
    metrics(app).await
}

/// Everything at once.
#[utoipa::path(
    get, path = "/api/v1/status", tag = "trading", security(("token" = [])),
    responses((status = 200, body = Picture), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn status(State(app): Shared) -> Result<Json<Picture>, Problem> {
    Ok(Json((*app.engine.picture()?).clone()))
}

/// Strategies of this run.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Strategies {
    /// Each.
    strategies: Vec<StrategyState>,
}

/// How a strategy stands.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct StrategyState {
    /// `active`, `paused` (it sends nothing new), or `stopped` (nothing of it rests).
    pub(crate) status: String,
    /// The rest.
    #[serde(flatten)]
    pub(crate) strategy: StrategyPicture,
    /// What was last said of it, if anything: why the gate or a control stopped it.
    pub(crate) last_error: Option<String>,
}

impl StrategyState {
    pub(crate) fn of(picture: &Picture, strategy: &StrategyPicture) -> Self {
        let status = match (picture.armed, strategy.level.as_str()) {
            (false, _) => "stopped",
            (true, "free") => "active",
            (true, "pause" | "reduce") => "paused",
            (true, _) => "stopped",
        };
        let scope = format!("strategy:{}", strategy.name);
        let latch = picture.latches.iter().find(|it| it.scope == scope || it.scope == "firm");
        let last_error = latch.map(|it| {
            let by = if it.by.is_empty() { &it.control } else { &it.by };
            format!("{} by {by} since {}: {}", it.level, it.since, it.why)
        });
        Self { status: status.to_owned(), strategy: strategy.clone(), last_error }
    }
}

/// The strategies that trade, or are cut back.
#[utoipa::path(
    get, path = "/api/v1/strategies/active", tag = "trading", security(("token" = [])),
    responses((status = 200, body = Strategies), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn strategies_active(State(app): Shared) -> Result<Json<Strategies>, Problem> {
    let picture = app.engine.picture()?;
    let each = picture.strategies.iter().map(|it| StrategyState::of(&picture, it));
    Ok(Json(Strategies { strategies: each.collect() }))
}

/// Kinds of strategies.
#[derive(Serialize, ToSchema)]
pub(crate) struct Kinds {
    /// Each.
    strategies: Vec<StrategyKind>,
}

/// The kinds that a config may name.
#[utoipa::path(
    get, path = "/api/v1/strategies/available", tag = "trading", security(("token" = [])),
    responses((status = 200, body = Kinds), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn strategies_available(State(app): Shared) -> Json<Kinds> {
    Json(Kinds { strategies: app.engine.kinds().to_vec() })
}

pub(crate) fn strategy(app: &App, id: &str) -> Result<(Arc<Picture>, StrategyPicture), Problem> {
    let picture = app.engine.picture()?;
    let found = picture.strategies.iter().find(|it| it.name == id).cloned();
    let names = || picture.strategies.iter().map(|it| it.name.as_str()).collect::<Vec<_>>();
    let found = found.ok_or_else(|| {
        let what = format!("no strategy is called `{id}`; there are {}", names().join(", "));
        Problem::new(codes::NO_SUCH_THING, what)
    })?;
    Ok((picture, found))
}

/// How one stands.
#[utoipa::path(
    get, path = "/api/v1/strategies/{id}/status", tag = "trading", security(("token" = [])),
    params(("id" = String, Path, description = "Its name")),
    responses((status = 200, body = StrategyState), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn strategy_status(
    State(app): Shared,
    Path(id): Path<String>,
) -> Result<Json<StrategyState>, Problem> {
    let (picture, strategy) = strategy(&app, &id)?;
    Ok(Json(StrategyState::of(&picture, &strategy)))
}

/// What one has come to.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Performance {
    /// Its name.
    strategy: String,
    /// What amounts are in.
    currency: String,
    /// What it has earned since the engine was first begun; null where that has no usable price.
    net: Option<String>,
    /// Executions since this process began.
    trades: u64,
    /// What its curve says so far.
    #[serde(flatten)]
    figures: Figures,
}

/// What one has come to.
#[utoipa::path(
    get, path = "/api/v1/strategies/{id}/performance", tag = "trading", security(("token" = [])),
    params(("id" = String, Path, description = "Its name")),
    responses((status = 200, body = Performance), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn strategy_performance(
    State(app): Shared,
    Path(id): Path<String>,
) -> Result<Json<Performance>, Problem> {
    let (picture, it) = strategy(&app, &id)?;
    Ok(Json(Performance {
        strategy: it.name,
        currency: picture.base.clone(),
        net: it.net,
        trades: it.bought + it.sold,
        figures: it.figures,
    }))
}

/// Which of them.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Of this strategy alone.
    strategy_id: Option<String>,
    /// In this instrument alone.
    instrument_id: Option<String>,
}

impl Which {
    fn is(&self, strategy: &str, symbol: &str) -> bool {
        self.strategy_id.as_deref().is_none_or(|it| it == strategy)
            && self.instrument_id.as_deref().is_none_or(|it| it == symbol)
    }
}

/// Open orders.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Orders {
    /// The oldest thousand.
    orders: Vec<OpenOrder>,
    /// How many are open.
    open: usize,
}

/// What is open at venues, or on its way there.
#[utoipa::path(
    get, path = "/api/v1/orders", tag = "trading", params(Which), security(("token" = [])),
    responses((status = 200, body = Orders), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn orders(
    State(app): Shared,
    Asked(which): Asked<Which>,
) -> Result<Json<Orders>, Problem> {
    let picture = app.engine.picture()?;
    let orders = picture.orders.iter().filter(|it| which.is(&it.strategy, &it.symbol));
    Ok(Json(Orders { orders: orders.cloned().collect(), open: picture.orders_open }))
}

/// Positions.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Positions {
    /// Each that is not flat.
    positions: Vec<Position>,
}

/// A position, and whose.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Position {
    /// Whose.
    strategy: String,
    /// It.
    #[serde(flatten)]
    held: Held,
}

/// What is held.
#[utoipa::path(
    get, path = "/api/v1/positions/current", tag = "trading", params(Which), security(("token" = [])),
    responses((status = 200, body = Positions), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn positions(
    State(app): Shared,
    Asked(which): Asked<Which>,
) -> Result<Json<Positions>, Problem> {
    let picture = app.engine.picture()?;
    let each = picture.strategies.iter().flat_map(|it| {
        let held = it.positions.iter().filter(|held| which.is(&it.name, &held.symbol));
        held.map(|held| Position { strategy: it.name.clone(), held: held.clone() })
    });
    Ok(Json(Positions { positions: each.collect() }))
}

/// What everything is worth and has earned.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Pnl {
    /// What amounts are in.
    currency: String,
    /// What everything is worth; null where something has no usable price.
    equity: Option<String>,
    /// What was earned since the engine was first begun.
    #[serde(flatten)]
    earned: Earned,
    /// What was lost since the day began; a gain below zero. Null where no such loss is limited.
    daily_loss: Option<String>,
    /// What each strategy has earned, net.
    by_strategy: Vec<Part>,
    /// Money by venue.
    by_venue: Vec<Balance>,
    /// What the curve of equity says.
    figures: Figures,
}

/// A part of it.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Part {
    /// Whose.
    strategy: String,
    /// How much.
    net: Option<String>,
}

/// What everything is worth and has earned.
#[utoipa::path(
    get, path = "/api/v1/portfolio/pnl", tag = "trading", security(("token" = [])),
    responses((status = 200, body = Pnl), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn pnl(State(app): Shared) -> Result<Json<Pnl>, Problem> {
    let picture = app.engine.picture()?;
    let parts = picture.strategies.iter();
    let day = picture.limits.iter().find(|it| it.scope == "firm" && it.limit == "day_loss");
    Ok(Json(Pnl {
        currency: picture.base.clone(),
        equity: picture.equity.clone(),
        earned: picture.earned.clone(),
        daily_loss: day.and_then(|it| it.used.clone()),
        by_strategy: parts
            .map(|it| Part { strategy: it.name.clone(), net: it.net.clone() })
            .collect(),
        by_venue: picture.balances.clone(),
        figures: picture.figures,
    }))
}

/// The book of an instrument.
#[utoipa::path(
    get, path = "/api/v1/books/{symbol}", tag = "trading", security(("token" = [])),
    params(("symbol" = String, Path, description = "Such as BTC-USD.NORTH")),
    responses((status = 200, body = MarketPicture), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn book(
    State(app): Shared,
    Path(symbol): Path<String>,
) -> Result<Json<MarketPicture>, Problem> {
    let picture = app.engine.picture()?;
    let found = picture.markets.iter().find(|it| it.symbol == symbol).cloned();
    let names = || picture.markets.iter().map(|it| it.symbol.as_str()).collect::<Vec<_>>();
    found.map(Json).ok_or_else(|| {
        let what = format!("no instrument is called `{symbol}`; there are {}", names().join(", "));
        Problem::new(codes::NO_SUCH_THING, what)
    })
}

/// What should be seen.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Alerts {
    /// The last hundred, oldest first.
    alerts: Vec<Line>,
}

/// What should be seen.
#[utoipa::path(
    get, path = "/api/v1/alerts", tag = "trading", security(("token" = [])),
    responses((status = 200, body = Alerts), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn alerts(State(app): Shared) -> Result<Json<Alerts>, Problem> {
    Ok(Json(Alerts { alerts: app.engine.picture()?.alerts.clone() }))
}

/// How much of what may be lost and held is used.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct RiskStatus {
    /// Whether the engine may trade.
    armed: bool,
    /// How far everything is cut back.
    level: String,
    /// Every scope that is cut back: breakers that have tripped.
    breakers: Vec<Latched>,
    /// Limits, and how much of each is used.
    limits: Vec<LimitPicture>,
    /// Orders and changes that the gate refused since the engine was first begun.
    denied: u64,
    /// The last breaches and warnings, oldest first.
    breaches: Vec<Line>,
}

/// How much of what may be lost and held is used.
#[utoipa::path(
    get, path = "/api/v1/risk/status", tag = "risk", security(("token" = [])),
    responses((status = 200, body = RiskStatus), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn risk_status(State(app): Shared) -> Result<Json<RiskStatus>, Problem> {
    let picture = app.engine.picture()?;
    let breaches = picture.alerts.iter().filter(|it| matches!(&*it.kind, "killed" | "near_limit"));
    Ok(Json(RiskStatus {
        armed: picture.armed,
        level: picture.level.clone(),
        breakers: picture.latches.clone(),
        limits: picture.limits.clone(),
        denied: picture.denied,
        breaches: breaches.cloned().collect(),
    }))
}
