//! What every call passes that is asked in one message: it is read whole, and what may change something is done once
//! for each key, and recorded with what came of it.

use super::guard::{Call, peer};
use super::status::CODE;
use super::{MESSAGE_MAX, message, refused};
use crate::app::App;
use crate::audit::{self, Wish};
use crate::codes;
use crate::http::write::{ANSWER_MAX, KEY, KEY_MAX, REPLAYED};
use crate::http::{BODY_MAX, Caller, Problem};
use crate::once::{Found, Kept, hash};
use crate::wishes;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::{BodyExt, Full, Limited};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;
use tonic::{Code, Status};

/// Reads what is asked, does it once, and records it where it may change something.
pub(super) async fn layer(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let call = request.extensions().get::<Call>().copied();
    let call = call.and_then(|call| Some((call, message::method(call.name)?)));
    let Some((call, method)) = call else {
        return refused(Problem::new(codes::NO_SUCH_CALL, "no contract here has that method"));
    };
    if method.is_client_streaming() {
        return next.run(request).await;
    }
    let changes = call.access.changes();
    let most = if changes { BODY_MAX } else { MESSAGE_MAX };
    let caller = request.extensions().get::<Caller>().cloned().unwrap_or(Caller::Local);
    let peer = peer(&request).map(|peer| peer.to_string()).unwrap_or_default();
    let (parts, body) = request.into_parts();
    let read = match to_bytes(body, most).await {
        Ok(body) => message::read(&method, &body).map(|message| (body, message)),
        Err(_) => {
            let what = format!("the message is larger than {} KiB", most >> 10);
            Err(Problem::new(codes::TOO_LARGE, what))
        }
    };
    let (body, message) = match read {
        Ok(read) => read,
        Err(problem) if changes => {
            let wish =
                Wish { holders: caller.holders(), peer, what: call.name.to_owned(), body: None };
            let code = problem.code();
            audit::record(app, wish, code.status, Some(code.code.to_owned())).await;
            return refused(problem);
        }
        Err(problem) => return refused(problem),
    };
    let key = parts.headers.get(KEY).cloned();
    let request = Request::from_parts(parts, Body::from(body.clone()));
    if !changes {
        return next.run(request).await;
    }
    let body_json = serde_json::to_value(&message).ok();
    wishes::to_its_end(async move {
        let response = match key {
            None => next.run(request).await,
            Some(key) => once(&app, (call.name, &caller), &key, request, &body, next).await,
        };
        let answer = Answer::of(response).await.unwrap_or_else(Answer::refused);
        let code = answer.code().map(str::to_owned);
        let status = match (&code, answer.status()) {
            (Some(code), _) => codes::find(code).map_or(500, |it| it.status),
            (None, Code::Ok) => 200,
            (None, _) => 500,
        };
        let holders = caller.holders();
        let wish = Wish { holders, peer, what: call.name.to_owned(), body: body_json };
        audit::record(app, wish, status, code).await;
        answer.into_response()
    })
    .await
}

async fn once(
    app: &App,
    (call, caller): (&str, &Caller),
    key: &HeaderValue,
    request: Request,
    body: &Bytes,
    next: Next,
) -> Response {
    let key = key.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > KEY_MAX {
        let what = format!("idempotency-key is not 1 to {KEY_MAX} plain characters");
        return refused(Problem::new(codes::BAD_REQUEST, what));
    }
    match app.once.find(caller.holder(), key, hash("GRPC", call, body), Instant::now()) {
        Found::Other => refused(Problem::new(codes::KEY_REUSED, "it came with another call")),
        Found::InWork => refused(Problem::new(codes::KEY_IN_WORK, "it is in work").again_in(1)),
        Found::Done(kept) => {
            let headers = HeaderMap::from_iter([
                (header::CONTENT_TYPE, HeaderValue::from_static("application/grpc")),
                (REPLAYED, HeaderValue::from_static("true")),
            ]);
            Answer { headers, body: kept.body, trailers: kept.trailers }.into_response()
        }
        Found::New(work) => {
            let answer = match Answer::of(next.run(request).await).await {
                Ok(answer) => answer,
                Err(problem) => return refused(problem),
            };
            // What failed on our side may be tried again.
            if !may_be_tried_again(answer.status()) {
                work.done(Kept {
                    status: axum::http::StatusCode::OK,
                    content_type: None,
                    body: answer.body.clone(),
                    trailers: answer.trailers.clone(),
                });
            }
            answer.into_response()
        }
    }
}

fn may_be_tried_again(status: Code) -> bool {
    matches!(
        status,
        Code::Internal
            | Code::Unknown
            | Code::Unavailable
            | Code::DeadlineExceeded
            | Code::ResourceExhausted
            | Code::Cancelled
    )
}

/// An answer, whole. What it came to is in the trailers, also where nothing was before them.
struct Answer {
    headers: HeaderMap,
    body: Bytes,
    trailers: HeaderMap,
}

impl Answer {
    async fn of(response: Response) -> Result<Self, Problem> {
        let (parts, body) = response.into_parts();
        let headers = parts.headers;
        if Status::from_header_map(&headers).is_some() {
            let trailers = headers.clone();
            return Ok(Self { headers, body: Bytes::new(), trailers });
        }
        let whole = Limited::new(body, ANSWER_MAX).collect().await;
        let whole = whole.map_err(|error| Problem::new(codes::PANIC, error.to_string()))?;
        let trailers = whole.trailers().cloned().unwrap_or_default();
        Ok(Self { headers, body: whole.to_bytes(), trailers })
    }

    fn refused(problem: Problem) -> Self {
        let headers = refused(problem).into_parts().0.headers;
        Self { trailers: headers.clone(), headers, body: Bytes::new() }
    }

    fn status(&self) -> Code {
        Status::from_header_map(&self.trailers).map_or(Code::Unknown, |status| status.code())
    }

    fn code(&self) -> Option<&str> {
        self.trailers.get(CODE).and_then(|code| code.to_str().ok())
    }

    fn into_response(self) -> Response {
        let Self { mut headers, body, trailers } = self;
        let body = if body.is_empty() {
            headers.extend(trailers);
            Body::empty()
        } else {
            let trailers = async move { Some(Ok::<_, Infallible>(trailers)) };
            Body::new(Full::new(body).with_trailers(trailers))
        };
        let mut response = Response::new(body);
        *response.headers_mut() = headers;
        response
    }
}
