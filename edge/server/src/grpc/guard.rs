//! Who may call: the same rules as for HTTP, read from the same table. A call that is not in it serves nobody.

use super::refused;
use crate::access::{self, Access};
use crate::app::App;
use crate::audit::{self, Holders, Wish};
use crate::codes;
use crate::http::{Problem, admit};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::SocketAddr;
use std::sync::Arc;

/// Lets pass who may.
pub(super) async fn layer(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    if !is_grpc(&request) {
        let what = "the port speaks gRPC, and Content-Type is not application/grpc";
        return Problem::new(codes::BAD_REQUEST, what).into_response();
    }
    let Some((call, access)) = access::of_call(request.uri().path()) else {
        return refused(Problem::new(codes::NO_SUCH_CALL, "no service here has that method"));
    };
    name_host(&mut request);
    let peer = peer(&request);
    match admit(&app, Some(access), request.headers(), peer.map(|peer| peer.ip())) {
        Err(problem) => {
            let code = problem.code();
            // Whoever wanted to change something and may not is remembered.
            if access.changes() {
                let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
                let wish =
                    Wish { holders: Holders::default(), peer, what: call.to_owned(), body: None };
                audit::record(app, wish, code.status, Some(code.code.to_owned())).await;
            }
            refused(problem)
        }
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(Call { name: call, access });
            next.run(request).await
        }
    }
}

/// The call that a request is, once it may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) access: Access,
}

/// From where it comes; nowhere if it comes by no network.
pub(super) fn peer(request: &Request) -> Option<SocketAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0)
}

fn is_grpc(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let rest = kind.and_then(|kind| kind.strip_prefix("application/grpc"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', ';']))
}

/// HTTP/2 says the host elsewhere; whoever looks for it finds it in the headers.
fn name_host(request: &mut Request) {
    if request.headers().contains_key(header::HOST) {
        return;
    }
    let host = request.uri().authority().map(|it| HeaderValue::from_str(it.as_str()));
    if let Some(Ok(host)) = host {
        request.headers_mut().insert(header::HOST, host);
    }
}
