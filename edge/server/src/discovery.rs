//! Who of a deployment finds this instance: its place in the registry that all services share (spec 4.2).
//!
//! A name that another live instance has is a reason not to begin. Whether the registry is there is not: without it
//! everything goes on, and it is tried again. Once an engine trades, nothing that is found here stops it; readiness
//! and logs say what is wrong.

use crate::app::App;
use crate::ready::{self, Probe, Readiness, State};
use crate::settings::Settings;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tse_storage::{
    Claim, Redis, RedisOptions, Registration, ServiceRegistry, StorageError, StoreUrl,
};

/// The longest that beginning waits for the registry.
const JOIN: Duration = Duration::from_secs(3);
/// The longest that leaving takes.
const LEAVE: Duration = Duration::from_secs(2);
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
        let ttl = settings.heartbeat.saturating_mul(3);
        Ok(Some(Arc::new(Self {
            registry: ServiceRegistry::new(redis, ttl),
            who: registration(settings, member),
            every: settings.heartbeat,
            retry: settings.registration_retry,
            standing: Mutex::new((State::Degraded, "not registered yet".to_owned())),
        })))
    }

    /// Takes the name, if it can be asked for soon.
    ///
    /// # Errors
    /// It is another's.
    pub(crate) async fn join(&self) -> Result<(), Taken> {
        let asked = self.registry.join(&self.who, "starting", now());
        match tokio::time::timeout(JOIN, asked).await {
            Ok(Ok(claim)) => self.see(&claim),
            Ok(Err(error)) => {
                self.is_away(&why(&error));
                Ok(())
            }
            Err(_) => {
                self.is_away(&format!("no answer within {} s", JOIN.as_secs()));
                Ok(())
            }
        }
    }

    /// Says again and again that this instance is there, until it ends.
    pub(crate) async fn stay(self: Arc<Self>, app: Arc<App>) {
        let mut ending = app.ending();
        let status = || match ready::look(&app).status {
            Readiness::Ready => "healthy",
            Readiness::Degraded => "degraded",
            Readiness::NotReady => "unhealthy",
        };
        loop {
            let wait = match self.registry.claim(&self.who, status(), now()).await {
                Ok(claim) => {
                    if let Err(taken) = self.see(&claim) {
                        tracing::error!(%taken, "another instance has the name of this one");
                    }
                    self.every
                }
                Err(error) => {
                    self.is_away(&why(&error));
                    self.retry
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                // Whoever cannot say that it ends has ended.
                _ = ending.wait_for(|is| *is) => break,
            }
        }
        match tokio::time::timeout(LEAVE, self.registry.leave(&self.who)).await {
            Ok(Ok(())) => tracing::info!(instance = self.who.instance, "no longer registered"),
            Ok(Err(error)) => tracing::warn!(%error, "still registered until it is forgotten"),
            Err(_) => tracing::warn!("still registered until it is forgotten"),
        }
    }

    fn see(&self, claim: &Claim) -> Result<(), Taken> {
        let taken = match claim {
            Claim::Ours => {
                if self.stands(State::Ok, "") {
                    let (service, instance) = (&self.who.service, &self.who.instance);
                    tracing::info!(service, instance, host = self.who.host, "registered");
                }
                return Ok(());
            }
            Claim::NameTaken(other) => {
                format!("the name `{}` is that of another instance, {other}", self.who.instance)
            }
            Claim::NamespaceTaken(other) => format!(
                "the namespace `{}` is that of another instance, {other}",
                self.who.namespace.as_deref().unwrap_or_default()
            ),
        };
        self.stands(State::Down, &taken);
        Err(Taken(taken))
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
