//! Rate, errors and duration of every call, its span, and its line in the log. A stream is counted when it ends.

use super::{panicked, status};
use crate::access::{self, Access};
use crate::app::App;
use crate::http::{Ids, current};
use crate::metrics::names;
use crate::trace;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::Response;
use http_body::{Frame, SizeHint};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Status as SpanStatus};
use opentelemetry_sdk::trace::Span;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;
use tonic::{Code, Status};

/// What stands for the name of a call that nobody serves.
const UNMATCHED: &str = "unmatched";

/// Counts and tells what passes.
pub(super) async fn layer(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let call = access::of_call(request.uri().path());
    let method = call.map_or(UNMATCHED, |(name, _)| name);
    let mut ids = current().unwrap_or_default();
    let mut span = app.traces.request(method.to_owned(), request.headers(), &ids);
    span.set_attribute(KeyValue::new("rpc.system", "grpc"));
    span.set_attribute(KeyValue::new("rpc.method", method));
    let context = span.span_context().clone();
    ids.span = Some(context.clone());
    let counted = Counted {
        app,
        method,
        is_probe: call.is_some_and(|(_, access)| access == Access::Open),
        ids: ids.clone(),
        span,
        begun: Instant::now(),
        is_told: false,
    };
    let mut response = watched(ids.scope(next.run(request)).await, counted);
    trace::respond(&context, response.headers_mut());
    response
}

/// A response whose end is counted: at once, where it is nothing but an end.
fn watched(response: Response, mut counted: Counted) -> Response {
    match Status::from_header_map(response.headers()) {
        Some(status) => {
            counted.tell(status.code());
            response
        }
        None => response.map(|inner| Body::new(Watched { inner, counted, is_over: false })),
    }
}

/// A call that will be counted, once: when it is forgotten at the latest.
struct Counted {
    app: Arc<App>,
    method: &'static str,
    is_probe: bool,
    ids: Ids,
    span: Span,
    begun: Instant,
    is_told: bool,
}

impl Counted {
    fn tell(&mut self, code: Code) {
        if std::mem::replace(&mut self.is_told, true) {
            return;
        }
        let (metrics, method, name) = (&*self.app.metrics, self.method, status::name(code));
        let seconds = self.begun.elapsed().as_secs_f64();
        let labels = [("method", method), ("code", name)];
        metrics.inc_counter(names::GRPC_REQUESTS, &labels);
        if code != Code::Ok {
            metrics.inc_counter(names::GRPC_ERRORS, &labels);
        }
        metrics.observe_histogram(names::GRPC_SECONDS, seconds, &labels);
        self.span.set_attribute(KeyValue::new("rpc.grpc.status_code", code as i64));
        if matches!(code, Code::Internal | Code::Unknown | Code::DataLoss) {
            self.span.set_status(SpanStatus::error(name));
        }
        self.span.end();
        let is_probe = self.is_probe;
        self.named(|| match is_probe {
            true => tracing::debug!(method, code = name, seconds, "call"),
            false => tracing::info!(method, code = name, seconds, "call"),
        });
    }

    /// Does something under the names of the call.
    fn named<T>(&self, act: impl FnOnce() -> T) -> T {
        self.ids.clone().sync_scope(act)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // Whoever called has gone.
        self.tell(Code::Cancelled);
    }
}

/// What is being answered.
struct Watched {
    inner: Body,
    counted: Counted,
    is_over: bool,
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if this.is_over {
            return Poll::Ready(None);
        }
        let Watched { inner, counted, is_over } = this;
        let polled = catch_unwind(AssertUnwindSafe(|| Pin::new(inner).poll_frame(context)));
        let frame = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(frame)) => frame,
            Err(panic) => {
                *is_over = true;
                counted.tell(Code::Internal);
                let mut trailers = counted.named(|| panicked(panic)).into_parts().0.headers;
                trailers.remove(header::CONTENT_TYPE);
                return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
            }
        };
        match &frame {
            None | Some(Err(_)) => counted.tell(Code::Unknown),
            Some(Ok(frame)) => {
                if let Some(trailers) = frame.trailers_ref() {
                    let status = Status::from_header_map(trailers);
                    counted.tell(status.map_or(Code::Unknown, |status| status.code()));
                }
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.is_over || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
