//! The whole of it: threads of its own, listeners, and an end in order.

use crate::app::App;
use crate::audit::Audit;
use crate::discovery::{self, Discovery, DiscoveryProbe, Member, Taken};
use crate::engine::Engine;
use crate::figures;
use crate::grpc;
use crate::http::{self, ServeError, Serving};
use crate::metrics::{Constant, names};
use crate::prometheus::Prometheus;
use crate::settings::Settings;
use crate::streams::Hub;
use crate::token::{TokenError, TokenFile};
use crate::trace::{Orders, TraceError, Traces};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tse_node::Feed;
use tse_storage::StorageError;

/// The longest that requests in work are waited for, and calls.
const DRAIN: Duration = Duration::from_secs(30);
const DRAIN_CALLS: Duration = Duration::from_secs(5);
/// How long the rest may take to stop.
const STOP: Duration = Duration::from_secs(2);

/// Why the service does not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nobody can be served.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Nobody knows who may do what.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// What is changed could not be recorded.
    #[error("cannot write {}: {source}", path.display())]
    Audit {
        /// Where.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// No threads.
    #[error("cannot start threads: {0}")]
    Threads(io::Error),
    /// No spans could leave.
    #[error(transparent)]
    Traces(#[from] TraceError),
    /// Another instance has its name.
    #[error(transparent)]
    Taken(#[from] Taken),
    /// The registry cannot even be looked for.
    #[error("the registry of services: {0}")]
    Registry(#[from] StorageError),
    /// No figures.
    #[error("the names of the service make no labels: {0}")]
    Labels(prometheus::Error),
}

/// Ports that are held: found out before anything else begins.
#[derive(Debug)]
pub struct Ports {
    http: TcpListener,
    grpc: TcpListener,
}

impl Ports {
    /// Takes them.
    ///
    /// # Errors
    /// What the system says, of the first that cannot be had.
    pub fn take(settings: &Settings) -> Result<Self, ServeError> {
        let http = http::listen(SocketAddr::new(settings.host, settings.http_port))?;
        let grpc = http::listen(SocketAddr::new(settings.host, settings.grpc_port))?;
        Ok(Self { http, grpc })
    }
}

/// A service that runs.
pub struct Service {
    runtime: Runtime,
    app: Arc<App>,
    serving: Serving,
    calls: Serving,
    made_token: bool,
    registered: Option<(JoinHandle<()>, oneshot::Sender<()>)>,
}

impl Service {
    /// Serves an engine, which need not have begun: it is not ready then. `folder` is the engine's, and `member`
    /// what the registry of services is told of it.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn start(
        settings: Settings,
        ports: Ports,
        engine: Engine,
        folder: &Path,
        member: Member,
    ) -> Result<Self, StartError> {
        let tokens = settings.tokens.clone().unwrap_or_else(|| folder.join("tokens.toml"));
        let (tokens, made_token) = TokenFile::open(&tokens)?;
        let path = folder.join("audit.ndjson");
        let audit = Audit::open(&path).map_err(|source| StartError::Audit { path, source })?;
        let prometheus = Prometheus::new(&Constant::from(&settings), names::HELP.iter().copied());
        let prometheus = prometheus.map_err(StartError::Labels)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(settings.workers.min(threads()))
            .thread_name("server")
            .enable_all()
            .build()
            .map_err(StartError::Threads)?;
        let discovery = Discovery::open(&settings, member)?;
        if let Some(discovery) = &discovery
            && let Err(taken) = runtime.block_on(discovery.join())
        {
            runtime.block_on(discovery.leave());
            return Err(taken.into());
        }
        let hub = Hub::new(engine.clone());
        let entered = runtime.enter();
        let traces = Traces::open(&settings)?;
        drop(entered);
        let mut app = App::new(settings, engine, Arc::new(prometheus), hub, (tokens, audit));
        app.traces = traces;
        let app = Arc::new(app);
        let serving = runtime.block_on(http::serve(Arc::clone(&app), ports.http))?;
        let calls = runtime.block_on(grpc::serve(Arc::clone(&app), ports.grpc))?;
        runtime.spawn(figures::publish(Arc::clone(&app), app.settings.publish_every));
        tracing::info!(
            host = %app.settings.host,
            http_port = app.settings.http_port,
            grpc_port = app.settings.grpc_port,
            version = app.settings.version,
            "the service listens"
        );
        for variable in &app.settings.without_effect {
            tracing::warn!(variable, "it is set, and has no effect here");
        }
        if app.settings.instance.has_capitals() {
            let canonical = app.settings.instance.canonical();
            tracing::info!(canonical, "the instance is known by another name to hosts and schemas");
        }
        let entered = runtime.enter();
        discovery::tell(&app.settings);
        drop(entered);
        let registered = discovery.map(|it| {
            app.depends_on(Box::new(DiscoveryProbe(Arc::clone(&it))));
            let (ended, until) = oneshot::channel();
            (runtime.spawn(it.stay(Arc::clone(&app), until)), ended)
        });
        Ok(Self { runtime, app, serving, calls, made_token, registered })
    }

    /// Where other work of the network may run.
    pub fn runtime(&self) -> tokio::runtime::Handle {
        self.runtime.handle().clone()
    }

    /// Passes on what changes in the engine.
    pub fn follow(&self, feed: Feed) {
        let orders = Orders::of(&self.app.traces, self.app.engine.causes().clone());
        self.runtime.spawn(self.app.streams.clone().pass_on(feed, orders));
    }

    /// Whether this run made the first token.
    pub fn made_token(&self) -> bool {
        self.made_token
    }

    /// Hands out what says that it is ending, from whatever thread.
    pub fn app(&self) -> Arc<App> {
        Arc::clone(&self.app)
    }

    /// Ends in order, after the engine: what is in work is finished, who follows is told.
    pub fn end(self) {
        self.app.end();
        self.app.streams.end();
        self.runtime
            .block_on(async { tokio::join!(self.serving.end(DRAIN), self.calls.end(DRAIN_CALLS)) });
        if let Some((registered, ended)) = self.registered {
            // Last of all: until here rows were written and calls were answered under its name.
            drop(ended);
            let _ = self.runtime.block_on(registered);
        }
        self.app.traces.end(STOP);
        self.runtime.shutdown_timeout(STOP);
        tracing::info!("the service has ended in order");
    }
}

/// How many threads this machine runs at once.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
