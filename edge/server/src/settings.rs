//! What the service is told by its environment: the variables of its contract, and a file `.env` read before them.
//!
//! Names are taken in any case, unknown ones are left alone. Everything wrong is told at once, a line for each
//! variable. What a run trades, and within which limits, is in its config and not here.
//!
//! Begin at [`Settings::read`]; `variables` reads single values.

mod elsewhere;
mod variables;

use crate::instance::Instance;
use crate::masked::masked;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tse_storage::Secret;
pub use variables::{BadVariable, Variables};

/// Where the service runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Environment {
    /// A developer's machine.
    #[default]
    Development,
    /// Tests.
    Testing,
    /// For real.
    Production,
    /// A container of the whole ecosystem.
    Docker,
}

/// How grave a line must be to be written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum LogLevel {
    /// Everything, also health probes.
    Debug,
    /// What happens.
    #[default]
    Info,
    /// What should be looked at.
    Warning,
    /// What failed.
    Error,
    /// What stops the service.
    Critical,
}

/// How lines look on the standard error output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LogFormat {
    /// A JSON object a line.
    Json,
    /// For people.
    Console,
}

macro_rules! words {
    ($($type:ty { $($word:literal => $value:expr),+ $(,)? })+) => {$(
        impl $type {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, $value)),+];

            /// As it is spelled.
            pub fn name(self) -> &'static str {
                let found = Self::WORDS.iter().find(|(_, value)| *value == self);
                found.map(|(word, _)| *word).expect("every value has its word")
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }
    )+};
}

words! {
    Environment {
        "development" => Self::Development,
        "testing" => Self::Testing,
        "production" => Self::Production,
        "docker" => Self::Docker,
    }
    LogLevel {
        "DEBUG" => Self::Debug,
        "INFO" => Self::Info,
        "WARNING" => Self::Warning,
        "ERROR" => Self::Error,
        "CRITICAL" => Self::Critical,
    }
    LogFormat {
        "json" => Self::Json,
        "console" => Self::Console,
    }
}

/// Where certificate and key are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tls {
    /// The chain, as PEM.
    pub certificate: PathBuf,
    /// The key, as PEM.
    pub key: PathBuf,
}

/// What the service is told.
#[derive(Clone, PartialEq, Debug)]
pub struct Settings {
    /// `SERVICE_NAME`.
    pub service: String,
    /// `SERVICE_INSTANCE_NAME`; the service's name without.
    pub instance: Instance,
    /// `SERVICE_VERSION` or `VERSION`.
    pub version: String,
    /// `ENVIRONMENT`.
    pub environment: Environment,
    /// `DEBUG`: shows what only an audit needs, in production too.
    pub debug: bool,
    /// `HOST`.
    pub host: IpAddr,
    /// `HTTP_PORT`.
    pub http_port: u16,
    /// `GRPC_PORT`.
    pub grpc_port: u16,
    /// `LOG_LEVEL`.
    pub log_level: LogLevel,
    /// `LOG_FORMAT`, where it was said.
    pub log_format: Option<LogFormat>,
    /// `WORKER_POOL_SIZE`: the most threads that serve the network.
    pub workers: usize,
    /// `MAX_CONCURRENT_REQUESTS`: one more is refused.
    pub requests_max: usize,
    /// `REQUEST_TIMEOUT`, in seconds.
    pub request_timeout: Duration,
    /// `FLATTEN_ON_SHUTDOWN`: positions are closed when the engine ends.
    pub flatten: bool,
    /// `METRICS_PUBLISH_INTERVAL_MS`: how often figures of the engine are taken.
    pub publish_every: Duration,
    /// `MAX_CONCURRENT_STRATEGIES`: a config with more of them is refused.
    pub strategies_max: usize,
    /// Variables that are set and change nothing here.
    pub without_effect: Vec<&'static str>,
    /// `TLS_CERT_FILE` and `TLS_KEY_FILE`.
    pub tls: Option<Tls>,
    /// `ALLOW_PLAINTEXT`: serves other machines without TLS.
    pub plaintext: bool,
    /// `TOKENS_FILE`: who may do what; a file in the engine's folder without.
    pub tokens: Option<PathBuf>,
    /// `ALLOWED_HOSTS`: names under which it is reached, beside its own address.
    pub hosts: Vec<String>,
    /// `ALLOWED_ORIGINS`: pages of others that may speak to it from a browser.
    pub origins: Vec<String>,
    /// `READ_ONLY`: nothing can be changed over the network.
    pub read_only: bool,
    /// `POSTGRES_URL`, where it was said.
    pub postgres: Option<Secret>,
    /// `REDIS_URL`, where it was said.
    pub redis: Option<Secret>,
    /// `DISCOVERY_REDIS_URL`, where it was said: the registry is in the Redis of the cache without.
    pub discovery_redis: Option<Secret>,
    /// `ADVERTISE_HOST`: under which host others are told that they reach it.
    pub advertise: Option<String>,
    /// `SERVICE_REGISTRY_URL`: a registry that is told over HTTP.
    pub registry: Option<String>,
    /// `HEALTH_CHECK_INTERVAL`, in seconds: how often the registry hears of it. It is forgotten after three of them.
    pub heartbeat: Duration,
    /// `REGISTRATION_RETRY_INTERVAL`, in seconds: how long after a failure.
    pub registration_retry: Duration,
    /// `OTEL_SERVICE_NAME`.
    pub otel_service: String,
    /// `OTEL_EXPORTER_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT`, where it was said: without, no trace leaves.
    pub otel_endpoint: Option<String>,
    /// `OTEL_INSECURE`: traces may leave without TLS.
    pub otel_insecure: bool,
}

impl Settings {
    /// Whether only this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        self.host.is_loopback()
    }

    /// Whether a change needs a token: on a loopback address of a developer's machine it does not.
    pub fn needs_token(&self) -> bool {
        !self.is_loopback() || self.environment != Environment::Development
    }

    /// Reads them from a file `.env` in `folder`, if there is one, and `environment` over it.
    ///
    /// # Errors
    /// Everything that is wrong, a variable each.
    pub fn read(
        folder: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Vec<BadVariable>> {
        Self::of(Variables::read(folder, environment)?)
    }

    /// Of variables.
    ///
    /// # Errors
    /// Everything that is wrong, a variable each.
    pub fn of(mut given: Variables) -> Result<Self, Vec<BadVariable>> {
        let service = given.text(&["SERVICE_NAME"], "trading-system-engine");
        let strict = given.flag("INSTANCE_NAME_STRICT_DNS", false);
        let instance = given.instance(&service, strict);
        let settings = Self {
            instance,
            version: given.text(&["SERVICE_VERSION", "VERSION"], env!("CARGO_PKG_VERSION")),
            environment: given.word("ENVIRONMENT", Environment::WORDS, Environment::default()),
            debug: given.flag("DEBUG", false),
            host: given.host("HOST", IpAddr::V4(Ipv4Addr::LOCALHOST)),
            http_port: given.port(&["HTTP_PORT", "TRADING_ENGINE_PORT"], 8083),
            grpc_port: given.port(&["GRPC_PORT", "TRADING_ENGINE_GRPC_PORT"], 50053),
            log_level: given.level(&["LOG_LEVEL", "TRADING_ENGINE_LOG_LEVEL"]),
            log_format: given.maybe_word("LOG_FORMAT", LogFormat::WORDS),
            workers: given.count("WORKER_POOL_SIZE", 10),
            requests_max: given.count("MAX_CONCURRENT_REQUESTS", 100),
            request_timeout: given.seconds("REQUEST_TIMEOUT", 30.0),
            publish_every: Duration::from_millis(
                given.count("METRICS_PUBLISH_INTERVAL_MS", 1_000) as u64
            ),
            flatten: given.flag("FLATTEN_ON_SHUTDOWN", false),
            strategies_max: given.count("MAX_CONCURRENT_STRATEGIES", 10),
            without_effect: elsewhere::look(&mut given),
            tls: given.tls(),
            plaintext: given.flag("ALLOW_PLAINTEXT", false),
            tokens: given.maybe("TOKENS_FILE").map(PathBuf::from),
            hosts: given.list("ALLOWED_HOSTS"),
            origins: given.list("ALLOWED_ORIGINS"),
            read_only: given.flag("READ_ONLY", false),
            postgres: given.secret("POSTGRES_URL"),
            redis: given.secret("REDIS_URL"),
            discovery_redis: given.secret("DISCOVERY_REDIS_URL"),
            advertise: given.maybe("ADVERTISE_HOST"),
            registry: given.maybe("SERVICE_REGISTRY_URL"),
            heartbeat: given.seconds("HEALTH_CHECK_INTERVAL", 30.0),
            registration_retry: given.seconds("REGISTRATION_RETRY_INTERVAL", 5.0),
            otel_service: given.text(&["OTEL_SERVICE_NAME"], "trading-system-engine"),
            otel_endpoint: given.first(&["OTEL_EXPORTER_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]),
            otel_insecure: given.flag("OTEL_INSECURE", true),
            service,
        };
        if settings.http_port == settings.grpc_port {
            given.wrong(
                "GRPC_PORT",
                &settings.grpc_port.to_string(),
                "HTTP and gRPC need a port each",
                "GRPC_PORT=50053",
            );
        }
        if let Some(endpoint) = &settings.otel_endpoint {
            let is_secret = endpoint.starts_with("https://");
            let fix = "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317";
            if !is_secret && !endpoint.starts_with("http://") {
                let why = "no address of a collector: it begins with http:// or https://";
                given.wrong("OTEL_EXPORTER_ENDPOINT", &masked(endpoint), why, fix);
            } else if !is_secret && !settings.otel_insecure {
                let why = "traces would leave without TLS, and OTEL_INSECURE is false";
                given.wrong("OTEL_EXPORTER_ENDPOINT", &masked(endpoint), why, "https://");
            }
        }
        if let Some(url) = &settings.registry
            && !["http://", "https://"].iter().any(|it| url.starts_with(it))
        {
            let why = "no address of a registry: it begins with http:// or https://";
            given.wrong("SERVICE_REGISTRY_URL", &masked(url), why, "http://registry:8080");
        }
        if let Some(host) = &settings.advertise
            && !host.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c))
        {
            let why = "no name or address of a host; a port is not part of it";
            given.wrong("ADVERTISE_HOST", host, why, "ADVERTISE_HOST=engine.example");
        }
        if !settings.is_loopback() && settings.tls.is_none() && !settings.plaintext {
            given.wrong(
                "HOST",
                &settings.host.to_string(),
                "other machines can reach that, and nothing is encrypted",
                "TLS_CERT_FILE and TLS_KEY_FILE, or ALLOW_PLAINTEXT=true behind something that encrypts",
            );
        }
        given.done(settings)
    }
}

#[cfg(test)]
mod tests;
