//! Rows: what orders and executions came to, also those that ended long ago.
//!
//! They are asked of the store, or of memory while that is away, which then knows only what this process has seen; an
//! answer says which.

#![allow(unused_qualifications, reason = "the macro of routes writes names in full")]

use super::body::Asked;
use super::{Problem, ProblemBody};
use crate::app::App;
use crate::codes;
use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use tse_storage::{OrderQuery, OrdersRepository, StorageError, TradeQuery, TradesRepository};
use utoipa::{IntoParams, ToSchema};

type Shared = State<Arc<App>>;

/// What a store says as a problem.
fn problem(error: &StorageError) -> Problem {
    match error {
        StorageError::NotFound { .. } => Problem::new(codes::NO_SUCH_THING, error.to_string()),
        StorageError::Invalid { .. } => Problem::new(codes::BAD_REQUEST, error.to_string()),
        _ => Problem::new(codes::NO_ROWS, error.to_string()).again_in(1),
    }
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
    /// How many at most, from 1 to 1,000; 100 without.
    limit: Option<u32>,
    /// How many to pass over.
    offset: Option<u32>,
}

/// Executions.
#[derive(Serialize, ToSchema)]
pub(crate) struct Trades {
    /// Who answers: `postgres`, `sqlite` or `memory`.
    from: String,
    /// The newest first.
    #[schema(value_type = Vec<Object>)]
    trades: Vec<Value>,
}

/// Orders that were ever made.
#[derive(Serialize, ToSchema)]
pub(crate) struct History {
    /// Who answers: `postgres`, `sqlite` or `memory`.
    from: String,
    /// The newest first.
    #[schema(value_type = Vec<Object>)]
    orders: Vec<Value>,
}

fn plain(rows: Vec<impl Serialize>) -> Vec<Value> {
    rows.iter().map(|row| serde_json::to_value(row).expect("rows are plain data")).collect()
}

/// Executions, the newest first.
#[utoipa::path(
    get, path = "/api/v1/trades", tag = "trading", params(Which), security(("token" = [])),
    responses((status = 200, body = Trades), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn trades(
    State(app): Shared,
    Asked(which): Asked<Which>,
) -> Result<Json<Trades>, Problem> {
    let usual = TradeQuery::default();
    let query = TradeQuery {
        strategy_id: which.strategy_id,
        instrument_id: which.instrument_id,
        limit: which.limit.unwrap_or(usual.limit),
        offset: which.offset.unwrap_or(usual.offset),
        ..usual
    };
    let rows = app.rows()?;
    let found = TradesRepository::query(rows, &query).await.map_err(|error| problem(&error))?;
    Ok(Json(Trades { from: rows.answers().to_owned(), trades: plain(found) }))
}

/// Orders that were ever made, the newest first.
#[utoipa::path(
    get, path = "/api/v1/orders/history", tag = "trading", params(Which), security(("token" = [])),
    responses((status = 200, body = History), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn history(
    State(app): Shared,
    Asked(which): Asked<Which>,
) -> Result<Json<History>, Problem> {
    let usual = OrderQuery::default();
    let query = OrderQuery {
        strategy_id: which.strategy_id,
        instrument_id: which.instrument_id,
        limit: which.limit.unwrap_or(usual.limit),
        offset: which.offset.unwrap_or(usual.offset),
        ..usual
    };
    let rows = app.rows()?;
    let found = OrdersRepository::query(rows, &query).await.map_err(|error| problem(&error))?;
    Ok(Json(History { from: rows.answers().to_owned(), orders: plain(found) }))
}

/// An order, and its executions.
#[derive(Serialize, ToSchema)]
pub(crate) struct OneOrder {
    /// Who answers: `postgres`, `sqlite` or `memory`.
    from: String,
    /// It.
    #[schema(value_type = Object)]
    order: Value,
    /// Its executions, the oldest first.
    #[schema(value_type = Vec<Object>)]
    trades: Vec<Value>,
}

/// One order, and its executions.
#[utoipa::path(
    get, path = "/api/v1/orders/{id}", tag = "trading", security(("token" = [])),
    params(("id" = String, Path, description = "Our name for it, such as P1-0-5")),
    responses((status = 200, body = OneOrder), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn order(
    State(app): Shared,
    Path(id): Path<String>,
) -> Result<Json<OneOrder>, Problem> {
    let rows = app.rows()?;
    let found = OrdersRepository::get_by_id(rows, &id).await.map_err(|error| problem(&error))?;
    let order = found
        .ok_or_else(|| Problem::new(codes::NO_SUCH_THING, format!("no order is called `{id}`")))?;
    let trades = TradesRepository::get_by_order(rows, &id).await;
    let trades = trades.map_err(|error| problem(&error))?;
    let order = serde_json::to_value(&order).expect("rows are plain data");
    Ok(Json(OneOrder { from: rows.answers().to_owned(), order, trades: plain(trades) }))
}
