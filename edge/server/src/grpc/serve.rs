//! Listens for gRPC on a port of its own, plain or with the same certificate as HTTP.

use super::router;
use crate::app::App;
use crate::http::{HEADERS_WITHIN, ServeError, Serving, patient};
use crate::settings::Tls;
use axum_server::Handle;
use axum_server::accept::{Accept, DefaultAcceptor};
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use futures_util::future::BoxFuture;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

/// How many connections may be open.
const CONNECTIONS_MAX: usize = 100;
/// How many calls may be open on one.
const STREAMS_MAX: u32 = 100;
/// How often the other end is asked whether it is there, and how long it may take to say so.
const ALIVE: Duration = Duration::from_secs(20);

/// Serves on a listener.
///
/// # Errors
/// Certificate or key that cannot be used.
pub async fn serve(app: Arc<App>, listener: TcpListener) -> Result<Serving, ServeError> {
    let handle = Handle::new();
    let address = SocketAddr::new(app.settings.host, app.settings.grpc_port);
    let failed = |source| ServeError::Listen { address, source };
    let tls = app.settings.tls.clone();
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let server = axum_server::from_tcp(listener).map_err(failed)?;
    let server = server.first_request_timeout(HEADERS_WITHIN).http2_only().handle(handle.clone());
    let task = match tls {
        None => {
            let mut server = server.acceptor(Door { inner: DefaultAcceptor::new(), places });
            steady(server.http_builder());
            tokio::spawn(server.serve(service))
        }
        Some(Tls { certificate, key }) => {
            let config = RustlsConfig::from_pem_file(&certificate, &key).await;
            let config = config.map_err(|source| ServeError::Tls { certificate, key, source })?;
            let mut server = server.acceptor(Door { inner: RustlsAcceptor::new(config), places });
            steady(server.http_builder());
            tokio::spawn(server.serve(service))
        }
    };
    Ok(Serving { what: "grpc", handle, task })
}

/// Whoever is not there any more does not hold a connection for ever, and whoever is has few calls open on one.
fn steady(builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>) {
    patient(builder);
    builder
        .http2()
        .keep_alive_interval(Some(ALIVE))
        .keep_alive_timeout(ALIVE)
        .max_concurrent_streams(STREAMS_MAX);
}

/// Lets in as many connections as there are places.
#[derive(Clone)]
struct Door<A> {
    inner: A,
    places: Arc<Semaphore>,
}

impl<A, I, S> Accept<I, S> for Door<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
    A::Stream: Send,
    A::Service: Send,
{
    type Stream = A::Stream;
    type Service = Inside<A::Service>;
    type Future = BoxFuture<'static, io::Result<(Self::Stream, Self::Service)>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let inner = self.inner.accept(stream, service);
        Box::pin(async move {
            let full = |_| io::Error::other("as many connections are open as may be");
            let place = Arc::new(place.map_err(full)?);
            let (stream, service) = inner.await?;
            Ok((stream, Inside { service, _place: place }))
        })
    }
}

/// A connection's service, which holds its place.
#[derive(Clone)]
struct Inside<S> {
    service: S,
    _place: Arc<OwnedSemaphorePermit>,
}

impl<R, S: Service<R>> Service<R> for Inside<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.service.call(request)
    }
}
