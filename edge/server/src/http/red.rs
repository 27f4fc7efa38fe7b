//! Rate, errors and duration of every request, and its line in the log.

use super::RouteOf;
use crate::app::App;
use crate::metrics::{Metrics, names};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::time::Instant;

/// Counts and tells what passes.
pub(super) async fn layer(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = RouteOf::of(&request);
    let method = word(request.method());
    let response = next.run(request).await;
    let (code, seconds) = (response.status(), begun.elapsed().as_secs_f64());
    let labels = [("method", method), ("route", route.pattern()), ("code", code.as_str())];
    count(&*app.metrics, &labels, code.as_u16() >= 400, seconds);
    let (route, code) = (route.pattern(), code.as_u16());
    if is_probe(route) {
        tracing::debug!(method, route, code, seconds, "request");
    } else {
        tracing::info!(method, route, code, seconds, "request");
    }
    response
}

fn count(metrics: &dyn Metrics, labels: &[(&str, &str)], is_error: bool, seconds: f64) {
    metrics.inc_counter(names::HTTP_REQUESTS, labels);
    if is_error {
        metrics.inc_counter(names::HTTP_ERRORS, labels);
    }
    metrics.observe_histogram(names::HTTP_SECONDS, seconds, labels);
}

/// Methods are the caller's to invent: those that nobody serves are one label.
pub(super) fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}

fn is_probe(route: &str) -> bool {
    matches!(
        route,
        "/health" | "/api/v1/health" | "/ready" | "/api/v1/ready" | "/metrics" | "/api/v1/metrics"
    )
}
