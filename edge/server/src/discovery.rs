//! Who of a deployment finds this instance: its place in the registry that all services share (spec 4.2).
//!
//! A name that another live instance has is a reason not to begin. Whether the registry is there is not: without it
//! everything goes on, and it is tried again. Once an engine trades, nothing that is found here stops it; readiness
//! and logs say what is wrong.

use crate::app::App;
use crate::ready::{self, Probe, Readiness, State};
use crate::settings::Settings;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::oneshot;
use tse_storage::{
    Claim, Redis, RedisOptions, Registration, ServiceRegistry, StorageError, StoreUrl,
};

/// The longest that beginning waits for the registry.
const JOIN: Duration = Duration::from_secs(3);
/// The longest that leaving takes.
const LEAVE: Duration = Duration::from_secs(2);
/// How an instance is that ends: it keeps its name, and is not to be found.
const STOPPING: &str = "stopping";
/// The shortest that a registration lives, however often it is renewed.
const TTL_MIN: Duration = Duration::from_secs(5);
/// How long a registry over HTTP may take.
const POST: Duration = Duration::from_secs(5);

/// What the registry is told beside settings.
#[derive(Clone, Debug, Default)]
pub struct Member {
    /// What tells this engine from any other that has its name, for as long as its data lives.
    pub owner: String,
    /// The schema of its rows.
    pub schema: Option<String>,
    /// The namespace of its keys.
    pub namespace: Option<String>,
}

/// Another live instance has what this one would have.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Taken(String);

/// This instance in the registry.
#[derive(Debug)]
pub(crate) struct Discovery {
    registry: ServiceRegistry,
    who: Registration,
    every: Duration,
    retry: Duration,
    standing: Mutex<(State, String)>,
    /// Whether it was seen that nobody else's keys are where this one's are.
    is_alone: AtomicBool,
    /// Whether the name was ever its own.
    was_there: AtomicBool,
}

impl Discovery {
    /// None, unless a Redis is set.
    ///
    /// # Errors
    /// Its URL cannot be used.
    pub(crate) fn open(
        settings: &Settings,
        member: Member,
    ) -> Result<Option<Arc<Self>>, StorageError> {
        let Some(url) = settings.discovery_redis.as_ref().or(settings.redis.as_ref()) else {
            return Ok(None);
        };
        let url = StoreUrl::parse(url.expose())?;
        let redis = Redis::new(&RedisOptions { connections: 1, ..RedisOptions::new(url) })?;
        // A beat that is late by a lost connection must not cost the name.
        let ttl = settings.heartbeat.saturating_mul(3).max(TTL_MIN);
        Ok(Some(Arc::new(Self {
            registry: ServiceRegistry::new(redis, ttl),
            who: registration(settings, member),
            every: settings.heartbeat,
            retry: settings.registration_retry,
            standing: Mutex::new((State::Degraded, "not registered yet".to_owned())),
            is_alone: AtomicBool::new(false),
            was_there: AtomicBool::new(false),
        })))
    }

    /// Takes the name, if it can be asked for soon.
    ///
    /// # Errors
    /// It is another's, or its keys would be where another's are.
    pub(crate) async fn join(&self) -> Result<(), Taken> {
        match tokio::time::timeout(JOIN, self.once("starting")).await {
            Ok(found) => found,
            Err(_) => {
                self.is_away(&format!("no answer within {} s", JOIN.as_secs()));
                Ok(())
            }
        }
    }

    /// Takes the name, and as long as that has not been seen, looks whether keys are nobody else's.
    async fn once(&self, status: &str) -> Result<(), Taken> {
        let claim = match status {
            STOPPING => self.registry.keep(&self.who, status, now()).await,
            _ => self.registry.claim(&self.who, status, now()).await,
        };
        match claim {
            Ok(Claim::Ours) => self.was_there.store(true, Ordering::Relaxed),
            Ok(Claim::Taken(other)) => {
                let name = &self.who.instance;
                return self
                    .taken(format!("the name `{name}` is that of another instance, {other}"));
            }
            Err(error) => {
                self.is_away(&why(&error));
                return Ok(());
            }
        }
        if !self.is_alone.load(Ordering::Relaxed) {
            // After the name was written: of two that come at once, at least one sees the other.
            match self.registry.same_namespace(&self.who, now()).await {
                Ok(None) => self.is_alone.store(true, Ordering::Relaxed),
                Ok(Some(other)) => {
                    let namespace = self.who.namespace.as_deref().unwrap_or_default();
                    return self.taken(format!(
                        "the namespace `{namespace}` is that of another instance, {other}"
                    ));
                }
                Err(error) => {
                    self.is_away(&why(&error));
                    return Ok(());
                }
            }
        }
        if self.stands(State::Ok, "") {
            let (service, instance) = (&self.who.service, &self.who.instance);
            tracing::info!(service, instance, host = self.who.host, "registered");
        }
        Ok(())
    }

    fn taken(&self, what: String) -> Result<(), Taken> {
        if self.stands(State::Down, &what) {
            tracing::error!(what, "another instance is taken for this one");
        }
        Err(Taken(what))
    }

    /// Gives back what was taken before it was known that something is another's.
    pub(crate) async fn leave(&self) {
        let was_there = self.was_there.load(Ordering::Relaxed);
        match tokio::time::timeout(LEAVE, self.registry.leave(&self.who)).await {
            _ if !was_there => {}
            Ok(Ok(())) => tracing::info!(instance = self.who.instance, "no longer registered"),
            Ok(Err(error)) => tracing::warn!(%error, "still registered until it is forgotten"),
            Err(_) => tracing::warn!("still registered until it is forgotten"),
        }
    }

    /// Says again and again that this instance is there, until it is told that it has ended. Once it is ending it is
    /// not found any more by who looks the service up, and keeps its name: it still writes rows, and may still trade.
    pub(crate) async fn stay(self: Arc<Self>, app: Arc<App>, mut ended: oneshot::Receiver<()>) {
        let mut ending = app.ending();
        loop {
            let is_ending = *ending.borrow_and_update();
            let status = match ready::look(&app).status {
                _ if is_ending => STOPPING,
                Readiness::Ready => "healthy",
                Readiness::Degraded => "degraded",
                Readiness::NotReady => "unhealthy",
            };
            let beat = async {
                // What is wrong is told where it is found, and stops nothing here.
                let _ = self.once(status).await;
                if is_ending && let Err(error) = self.registry.hide(&self.who).await {
                    self.is_away(&why(&error));
                }
            };
            tokio::select! {
                () = beat => {}
                _ = &mut ended => break,
            }
            let is_well =
                self.standing.lock().unwrap_or_else(PoisonError::into_inner).0 == State::Ok;
            let wait = if is_well { self.every } else { self.retry.min(self.every) };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                // Whoever cannot say so has ended.
                it = ending.changed() => if it.is_err() { break },
                _ = &mut ended => break,
            }
        }
        self.leave().await;
    }

    fn is_away(&self, why: &str) {
        if self.stands(State::Down, why) {
            tracing::warn!(why, "the registry cannot be used, and is tried again");
        }
    }

    /// Writes down how it is, and says whether that is news.
    fn stands(&self, state: State, why: &str) -> bool {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *standing, (state, why.to_owned())).0 != state
    }
}

/// What is wrong, and what helps where that is known.
fn why(error: &StorageError) -> String {
    match error {
        StorageError::Refused { .. } => {
            format!("{error}; DISCOVERY_REDIS_URL names a user that may register")
        }
        _ => error.to_string(),
    }
}

/// How the registry is, for readiness.
pub(crate) struct DiscoveryProbe(pub(crate) Arc<Discovery>);

impl Probe for DiscoveryProbe {
    fn name(&self) -> &'static str {
        "discovery"
    }

    fn state(&self) -> (State, String) {
        self.0.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Tells a registry that speaks HTTP, once and without waiting for it. That it does not listen is nothing bad.
pub(crate) fn tell(settings: &Settings) {
    let Some(url) = &settings.registry else { return };
    let (url, host) = (format!("{}/api/v1/services", url.trim_end_matches('/')), host(settings));
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let http = format!("{scheme}://{host}:{}", settings.http_port);
    let body = serde_json::json!({
        "name": settings.service,
        "version": settings.version,
        "endpoints": {
            "http": http,
            "grpc": format!("{host}:{}", settings.grpc_port),
            "health": format!("{http}/api/v1/health"),
            "metrics": format!("{http}/api/v1/metrics"),
        },
        "metadata": { "instance": settings.instance.canonical(), "environment": settings.environment.name() },
    });
    tokio::task::spawn_blocking(move || {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().timeout_global(Some(POST)).build().into();
        let sent = agent.post(&url).content_type("application/json").send(body.to_string());
        let url = crate::masked(&url);
        match sent {
            Ok(_) => tracing::info!(url, "the service registry knows of it"),
            Err(error) => tracing::warn!(url, %error, "the service registry does not know of it"),
        }
    });
}

fn registration(settings: &Settings, member: Member) -> Registration {
    let metadata = serde_json::json!({
        "environment": settings.environment.name(),
        "capabilities": ["http", "grpc", "metrics", "health"],
        "protocols": ["http", "grpc"],
        "metrics_path": "/api/v1/metrics",
        "tls": settings.tls.is_some(),
        "schema": member.schema,
    });
    Registration {
        service: settings.service.clone(),
        instance: settings.instance.canonical(),
        owner: member.owner,
        version: settings.version.clone(),
        host: host(settings),
        http_port: settings.http_port,
        grpc_port: settings.grpc_port,
        namespace: member.namespace,
        metadata: metadata.to_string(),
        registered_at: now(),
    }
}

/// Where others reach it: as it was said, else at its address, or at the name of the machine if it listens on all.
fn host(settings: &Settings) -> String {
    match (&settings.advertise, settings.host) {
        (Some(host), _) => host.clone(),
        (None, host) if !host.is_unspecified() => match host {
            IpAddr::V6(host) => format!("[{host}]"),
            IpAddr::V4(host) => host.to_string(),
        },
        _ => rustix::system::uname().nodename().to_string_lossy().into_owned(),
    }
}

/// Seconds since 1970: what others compare with clocks of their own.
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |it| it.as_secs())
}
