//! What every request passes that may change something: its body is bounded, it is done once for each key, and it is
//! recorded with what came of it.

use super::body::{DEPTH_MAX, depth};
use super::{BODY_MAX, CONTENT_TYPE, Caller, Problem, ProblemBody, RouteOf};
use crate::access;
use crate::app::App;
use crate::audit::{self, Holders, Wish};
use crate::codes;
use crate::once::{Found, Kept, hash};
use crate::wishes::to_its_end;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// The key of a request that is to be done once.
pub(crate) const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer is one from before.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The longest key.
pub(crate) const KEY_MAX: usize = 128;
/// The largest answer that is kept or looked at.
pub(crate) const ANSWER_MAX: usize = 4 << 20;

/// Does what changes something once, and records it.
pub(super) async fn layer(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let route = RouteOf::of(&request);
    let access = access::of_route(request.method().as_str(), route.pattern());
    if !access.is_some_and(access::Access::changes) {
        return next.run(request).await;
    }
    let caller = request.extensions().get::<Caller>().cloned().unwrap_or(Caller::Local);
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|peer| peer.0.to_string()).unwrap_or_default();
    let what = format!("{} {}", request.method(), request.uri().path());
    let (parts, body) = request.into_parts();
    let holders = caller.holders();
    let large = match to_bytes(body, BODY_MAX).await {
        Err(_) => Problem::new(codes::TOO_LARGE, "the body is larger than 64 KiB"),
        Ok(body) if depth(&body) > DEPTH_MAX => {
            let what = format!("the body is nested deeper than {DEPTH_MAX} levels");
            Problem::new(codes::TOO_LARGE, what)
        }
        Ok(body) => {
            let key = parts.headers.get(KEY).cloned();
            let request = Request::from_parts(parts, Body::from(body.clone()));
            return to_its_end(async move {
                let response = match key {
                    None => next.run(request).await,
                    Some(key) => once(&app, &caller, &key, request, &body, next).await,
                };
                record(app, (holders, peer, what), body, response).await
            })
            .await;
        }
    };
    record(app, (holders, peer, what), Bytes::new(), large.into_response()).await
}

async fn once(
    app: &App,
    caller: &Caller,
    key: &HeaderValue,
    request: Request,
    body: &Bytes,
    next: Next,
) -> Response {
    let key = key.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > KEY_MAX {
        let what = format!("Idempotency-Key is not 1 to {KEY_MAX} plain characters");
        return Problem::new(codes::BAD_REQUEST, what).into_response();
    }
    let hash = hash(request.method().as_str(), request.uri().path(), body);
    match app.once.find(caller.holder(), key, hash, Instant::now()) {
        Found::Other => {
            Problem::new(codes::KEY_REUSED, "it came with another request").into_response()
        }
        Found::InWork => {
            Problem::new(codes::KEY_IN_WORK, "it is in work").again_in(1).into_response()
        }
        Found::Done(kept) => {
            let mut response = (kept.status, kept.body).into_response();
            let headers = response.headers_mut();
            if let Some(content_type) = kept.content_type {
                headers.insert(header::CONTENT_TYPE, content_type);
            }
            headers.insert(REPLAYED, HeaderValue::from_static("true"));
            response
        }
        Found::New(work) => {
            let response = next.run(request).await;
            // What failed on our side may be tried again.
            if response.status().is_server_error() || response.status() == 429 {
                return response;
            }
            let (parts, body) = response.into_parts();
            let Ok(body) = to_bytes(body, ANSWER_MAX).await else {
                return Problem::new(codes::PANIC, "the answer is too large").into_response();
            };
            work.done(Kept {
                status: parts.status,
                content_type: parts.headers.get(header::CONTENT_TYPE).cloned(),
                body: body.clone(),
                trailers: HeaderMap::new(),
            });
            Response::from_parts(parts, Body::from(body))
        }
    }
}

/// Writes it down before it is answered. An answer that cannot be recorded is still given: what was done is done.
pub(super) async fn record(
    app: Arc<App>,
    (holders, peer, what): (Holders, String, String),
    body: Bytes,
    response: Response,
) -> Response {
    let (parts, answer) = response.into_parts();
    let Ok(answer) = to_bytes(answer, ANSWER_MAX).await else {
        return Problem::new(codes::PANIC, "the answer is too large").into_response();
    };
    let is_problem = parts.headers.get(header::CONTENT_TYPE).is_some_and(|it| it == CONTENT_TYPE);
    let problem = is_problem.then(|| serde_json::from_slice::<ProblemBody>(&answer).ok()).flatten();
    let code = problem.map(|problem| problem.code);
    let status = parts.status.as_u16();
    let wish = Wish { holders, peer, what, body: serde_json::from_slice(&body).ok() };
    audit::record(app, wish, status, code).await;
    Response::from_parts(parts, Body::from(answer))
}
