//! Internals, for whoever audits: never for a risk monitor, which sees what a desk would see.

use super::{Problem, ProblemBody};
use crate::app::App;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tse_node::{Balance, Held, LimitPicture, OpenOrder};
use utoipa::ToSchema;

type Shared = State<Arc<App>>;

/// What is on its way.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct OrderQueue {
    /// Open orders, wherever they are in their lives.
    orders: Vec<OpenOrder>,
    /// The last record of the journal that is safe.
    safe: u64,
    /// How long the slowest record took lately, in microseconds.
    record_us: u64,
    /// The last change that streams have told.
    feed: u64,
}

/// What is on its way to venues, and how the journal keeps up.
#[utoipa::path(
    get, path = "/debug/order-queue", tag = "audit", security(("token" = [])),
    responses((status = 200, body = OrderQueue), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn order_queue(State(app): Shared) -> Result<Json<OrderQueue>, Problem> {
    let picture = app.engine.picture()?;
    Ok(Json(OrderQueue {
        orders: picture.orders.clone(),
        safe: picture.safe,
        record_us: picture.record_us,
        feed: picture.feed,
    }))
}

/// What positions are made of.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Calculator {
    /// By strategy.
    positions: Vec<Held>,
    /// Money by venue.
    balances: Vec<Balance>,
    /// The state of everything, as one number.
    state_hash: String,
}

/// What positions and balances are.
#[utoipa::path(
    get, path = "/debug/position-calculator", tag = "audit", security(("token" = [])),
    responses((status = 200, body = Calculator), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn position_calculator(State(app): Shared) -> Result<Json<Calculator>, Problem> {
    let picture = app.engine.picture()?;
    let positions = picture.strategies.iter().flat_map(|it| it.positions.iter().cloned());
    Ok(Json(Calculator {
        positions: positions.collect(),
        balances: picture.balances.clone(),
        state_hash: picture.state_hash.clone(),
    }))
}

/// Limits.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct Limits {
    /// Each, and how much of it is used.
    limits: Vec<LimitPicture>,
}

/// Limits as the engine counts them.
#[utoipa::path(
    get, path = "/debug/risk-engine/limits", tag = "audit", security(("token" = [])),
    responses((status = 200, body = Limits), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn limits(State(app): Shared) -> Result<Json<Limits>, Problem> {
    Ok(Json(Limits { limits: app.engine.picture()?.limits.clone() }))
}
