//! Backtests: asked for, and looked at.

use super::body::Body;
use super::problem::{Problem, ProblemBody};
use crate::app::App;
use crate::backtests::{Backtest, WantedBacktest};
use crate::codes;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use std::sync::Arc;

type Shared = State<Arc<App>>;

/// Puts a backtest of a config in line, which lies beside that of this engine. It runs behind the engine, one at a time.
#[utoipa::path(
    post, path = "/api/v1/backtest/start", tag = "backtests", request_body = WantedBacktest, security(("token" = [])),
    responses((status = 202, body = Backtest), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn start(
    State(app): Shared,
    Body(wanted): Body<WantedBacktest>,
) -> Result<(StatusCode, Json<Backtest>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(app.backtests()?.start(wanted)?)))
}

/// A backtest that was asked for, and its figures once there are any. The newest twenty are remembered, as long as the
/// process lives.
#[utoipa::path(
    get, path = "/api/v1/backtest/results/{id}", tag = "backtests", security(("token" = [])),
    params(("id" = String, Path, description = "As it was answered when it was asked for")),
    responses((status = 200, body = Backtest), (status = "default", body = ProblemBody, content_type = "application/problem+json"))
)]
pub(super) async fn result(
    State(app): Shared,
    Path(id): Path<String>,
) -> Result<Json<Backtest>, Problem> {
    let found = app.backtests()?.find(&id);
    let nothing = || Problem::new(codes::NO_SUCH_THING, format!("no backtest is called `{id}`"));
    found.map(Json).ok_or_else(nothing)
}
