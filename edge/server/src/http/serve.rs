//! Listens for HTTP, plain or with TLS, and ends in order.

use super::router;
use crate::app::App;
use crate::settings::Tls;
use axum_server::Handle;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long a client may take to say what it wants.
pub(crate) const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Certificate or key cannot be used.
    #[error("cannot use {} and {}: {source}", certificate.display(), key.display())]
    Tls {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
}

/// Somebody who listens.
pub struct Serving {
    pub(crate) what: &'static str,
    pub(crate) handle: Handle<SocketAddr>,
    pub(crate) task: tokio::task::JoinHandle<io::Result<()>>,
}

impl Serving {
    /// Takes no new connections; those there are may finish what is in work, within so long.
    pub async fn end(self, within: Duration) {
        self.handle.graceful_shutdown(Some(within));
        match self.task.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(what = self.what, %error, "a listener ended badly"),
            Err(error) => tracing::warn!(what = self.what, %error, "a listener ended badly"),
        }
    }
}

/// A listener on an address: found out before anything else begins.
///
/// # Errors
/// What the system says.
pub fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let failed = |source| ServeError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    Ok(listener)
}

/// Serves on a listener.
///
/// # Errors
/// Certificate or key that cannot be used.
pub async fn serve(app: Arc<App>, listener: TcpListener) -> Result<Serving, ServeError> {
    let handle = Handle::new();
    let tls = app.settings.tls.clone();
    let address = SocketAddr::new(app.settings.host, app.settings.http_port);
    let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
    let failed = |source| ServeError::Listen { address, source };
    let task = match tls {
        None => {
            let mut server =
                axum_server::from_tcp(listener).map_err(failed)?.handle(handle.clone());
            patient(server.http_builder());
            tokio::spawn(server.serve(service))
        }
        Some(Tls { certificate, key }) => {
            let config = axum_server::tls_rustls::RustlsConfig::from_pem_file(&certificate, &key);
            let config =
                config.await.map_err(|source| ServeError::Tls { certificate, key, source })?;
            let server = axum_server::from_tcp_rustls(listener, config).map_err(failed)?;
            let mut server = server.handle(handle.clone());
            patient(server.http_builder());
            tokio::spawn(server.serve(service))
        }
    };
    Ok(Serving { what: "http", handle, task })
}

/// Whoever says nothing, or says it slowly, does not hold a connection for ever.
pub(crate) fn patient(
    builder: &mut hyper_util::server::conn::auto::Builder<hyper_util::rt::TokioExecutor>,
) {
    builder
        .http1()
        .timer(hyper_util::rt::TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(64 << 10);
    builder.http2().timer(hyper_util::rt::TokioTimer::new()).max_header_list_size(16 << 10);
}
