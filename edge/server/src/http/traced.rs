//! A span for every request, as a part of whatever trace it comes with.

use super::RouteOf;
use super::ids::current;
use crate::app::App;
use crate::trace;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, Status};
use std::sync::Arc;

/// Gives a request its span, under which whatever is said meanwhile is logged.
pub(super) async fn layer(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = RouteOf::of(&request);
    let method = super::red::word(request.method());
    let mut ids = current().unwrap_or_default();
    let name = format!("{method} {}", route.pattern());
    let mut span = app.traces.request(name, request.headers(), &ids);
    span.set_attribute(KeyValue::new("http.request.method", method));
    span.set_attribute(KeyValue::new("http.route", route.pattern().to_owned()));
    let context = span.span_context().clone();
    ids.span = Some(context.clone());
    let mut response = ids.scope(next.run(request)).await;
    let status = response.status();
    let code = i64::from(status.as_u16());
    span.set_attribute(KeyValue::new("http.response.status_code", code));
    if status.is_server_error() {
        span.set_status(Status::error(status.canonical_reason().unwrap_or("failed")));
    }
    span.end();
    trace::respond(&context, response.headers_mut());
    response
}
