//! What an operator may say about the stores: variables that begin with `TRADING_ADAPTER_` (spec 3.3).
//!
//! Pairs of names and values go in, from the environment or from a file; nothing here looks at the process.
//! Names may be in any case, and those of others are passed over.

use crate::names::{Namespace, Schema};
use crate::retention::Retention;
use crate::secret::StoreUrl;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use thiserror::Error;

/// What every variable begins with.
pub const PREFIX: &str = "TRADING_ADAPTER_";

/// A variable that says what cannot be.
///
/// The value is shown, except where it may have a password in it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("TSE-P011: {variable}=`{value}` {why}; {fix}")]
pub struct SettingsError {
    /// The variable.
    pub variable: String,
    /// What it says.
    pub value: String,
    /// What is wrong with that.
    pub why: String,
    /// What would be right.
    pub fix: &'static str,
}

/// How long values stay in the cache, by what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheTtl {
    /// Anything else.
    pub default: Duration,
    /// Strategies.
    pub strategies: Duration,
    /// Positions.
    pub positions: Duration,
    /// Orders.
    pub orders: Duration,
}

/// What an operator said, or what is usual.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// `POSTGRES_URL`: a server for rows. Without one they are in SQLite, or in memory.
    pub postgres_url: Option<StoreUrl>,
    /// `REDIS_URL`: a server for cache and discovery. Without one they are in memory.
    pub redis_url: Option<StoreUrl>,
    /// `SQLITE_PATH`: a file for rows, where there is no server.
    pub sqlite_path: Option<PathBuf>,
    /// `POSTGRES_POOL_SIZE`: connections that are usual.
    pub pool_size: u32,
    /// `POSTGRES_MAX_OVERFLOW`: connections beyond them.
    pub max_overflow: u32,
    /// `POSTGRES_POOL_TIMEOUT`: how long to wait for one.
    pub pool_timeout: Duration,
    /// `POSTGRES_POOL_RECYCLE`: how long one is used.
    pub pool_recycle: Duration,
    /// `POSTGRES_QUERY_TIMEOUT`: how long a question may take.
    pub query_timeout: Duration,
    /// `BATCH_SIZE`: how many rows the projector writes at a time when it does not catch up.
    pub batch_size: u32,
    /// `REDIS_POOL_SIZE`: connections.
    pub redis_pool_size: u32,
    /// `REDIS_SOCKET_TIMEOUT`: how long an answer may take.
    pub redis_socket_timeout: Duration,
    /// `REDIS_CONNECT_TIMEOUT`: how long connecting may take.
    pub redis_connect_timeout: Duration,
    /// `CACHE_TTL`, `CACHE_TTL_STRATEGIES`, `CACHE_TTL_POSITIONS`, `CACHE_TTL_ORDERS`.
    pub cache_ttl: CacheTtl,
    /// `HEARTBEAT_INTERVAL`: how often a service says that it is there.
    pub heartbeat: Duration,
    /// `STALE_THRESHOLD`: after how long one that says nothing is gone.
    pub stale_after: Duration,
    /// `RETENTION_ORDERS_DAYS`, `RETENTION_TRADES_DAYS`, `RETENTION_POSITIONS_DAYS`, `RETENTION_STRATEGIES_DAYS`.
    pub retention: Retention,
    /// `LOG_LEVEL`: in capitals.
    pub log_level: String,
    /// `LOG_SQL_QUERIES`: whether every statement is logged, without its values.
    pub log_sql_queries: bool,
    /// `HEALTH_TIMEOUT`: how long to wait when asking whether a store is there.
    pub health_timeout: Duration,
    /// `POSTGRES_SCHEMA`: in place of the one that follows from the instance's name.
    pub postgres_schema: Option<Schema>,
    /// `REDIS_NAMESPACE`: likewise.
    pub redis_namespace: Option<Namespace>,
}

impl Default for Settings {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            postgres_url: None,
            redis_url: None,
            sqlite_path: None,
            pool_size: 10,
            max_overflow: 20,
            pool_timeout: seconds(30),
            pool_recycle: seconds(3_600),
            query_timeout: seconds(30),
            batch_size: 100,
            redis_pool_size: 10,
            redis_socket_timeout: seconds(5),
            redis_connect_timeout: seconds(5),
            cache_ttl: CacheTtl {
                default: seconds(300),
                strategies: seconds(600),
                positions: seconds(60),
                orders: seconds(120),
            },
            heartbeat: seconds(30),
            stale_after: seconds(300),
            retention: Retention::default(),
            log_level: "INFO".to_owned(),
            log_sql_queries: false,
            health_timeout: seconds(5),
            postgres_schema: None,
            redis_namespace: None,
        }
    }
}

/// A variable as it was found.
struct Found<'a> {
    variable: &'a str,
    value: &'a str,
}

type Read<T> = Result<T, SettingsError>;

impl Found<'_> {
    fn wrong(&self, why: impl Into<String>, fix: &'static str) -> SettingsError {
        SettingsError {
            variable: self.variable.to_owned(),
            value: self.value.to_owned(),
            why: why.into(),
            fix,
        }
    }

    fn number(&self, least: u32, most: u32, fix: &'static str) -> Read<u32> {
        let number = self.value.parse::<u32>();
        let number = number.map_err(|_| self.wrong("is no whole number", fix))?;
        if (least..=most).contains(&number) {
            return Ok(number);
        }
        Err(self.wrong(format!("is not from {least} to {most}"), fix))
    }

    fn seconds(&self) -> Read<Duration> {
        const FIX: &str = "give seconds, such as 30 or 0.5";
        let seconds = f64::from_str(self.value).map_err(|_| self.wrong("is no number", FIX))?;
        if !(0.001..=31_536_000.0).contains(&seconds) {
            return Err(self.wrong("is not from a millisecond to a year", FIX));
        }
        Ok(Duration::from_secs_f64(seconds))
    }

    fn days(&self) -> Read<u32> {
        self.number(1, 36_500, "give days, such as 90")
    }

    fn flag(&self) -> Read<bool> {
        match self.value.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err(self.wrong("is neither true nor false", "give true or false")),
        }
    }

    fn level(&self) -> Read<String> {
        let level = self.value.to_ascii_uppercase();
        match level.as_str() {
            "DEBUG" | "INFO" | "WARNING" | "ERROR" | "CRITICAL" => Ok(level),
            _ => Err(self.wrong("is no level", "give DEBUG, INFO, WARNING, ERROR or CRITICAL")),
        }
    }

    /// A URL of one of these kinds. It is not repeated: a password may be in it.
    fn url(&self, schemes: &[&str], fix: &'static str) -> Read<StoreUrl> {
        let url = StoreUrl::parse(self.value).ok();
        let url = url.filter(|url| schemes.contains(&url.scheme()));
        url.ok_or_else(|| SettingsError {
            variable: self.variable.to_owned(),
            value: "***".to_owned(),
            why: "is no URL of such a store".to_owned(),
            fix,
        })
    }
}

impl Settings {
    /// Reads what is said; what is not said is as usual, and what is empty is not said.
    ///
    /// # Errors
    /// The first variable that says what cannot be.
    pub fn read<N: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Read<Self> {
        let mut settings = Self::default();
        for (name, value) in pairs {
            let variable = name.as_ref().to_ascii_uppercase();
            let value = value.as_ref().trim();
            if let Some(what) = variable.strip_prefix(PREFIX).filter(|_| !value.is_empty()) {
                settings.set(what, &Found { variable: &variable, value })?;
            }
        }
        if settings.heartbeat >= settings.stale_after {
            return Err(SettingsError {
                variable: format!("{PREFIX}STALE_THRESHOLD"),
                value: settings.stale_after.as_secs_f64().to_string(),
                why: "is no longer than the interval of heartbeats".to_owned(),
                fix: "give at least twice TRADING_ADAPTER_HEARTBEAT_INTERVAL",
            });
        }
        Ok(settings)
    }

    fn set(&mut self, what: &str, found: &Found<'_>) -> Read<()> {
        const COUNT: &str = "give a number of connections, such as 10";
        match what {
            "POSTGRES_URL" => {
                const FIX: &str =
                    "give postgresql://trading_adapter:PASSWORD@HOST:5432/trading_ecosystem";
                self.postgres_url = Some(found.url(&["postgresql"], FIX)?);
            }
            "REDIS_URL" => {
                const FIX: &str = "give redis://trading-adapter:PASSWORD@HOST:6379";
                self.redis_url = Some(found.url(&["redis", "rediss"], FIX)?);
            }
            "SQLITE_PATH" => self.sqlite_path = Some(PathBuf::from(found.value)),
            "POSTGRES_POOL_SIZE" => self.pool_size = found.number(1, 1_000, COUNT)?,
            "POSTGRES_MAX_OVERFLOW" => self.max_overflow = found.number(0, 1_000, COUNT)?,
            "POSTGRES_POOL_TIMEOUT" => self.pool_timeout = found.seconds()?,
            "POSTGRES_POOL_RECYCLE" => self.pool_recycle = found.seconds()?,
            "POSTGRES_QUERY_TIMEOUT" => self.query_timeout = found.seconds()?,
            "BATCH_SIZE" => {
                self.batch_size = found.number(1, 100_000, "give a number of rows, such as 100")?;
            }
            "REDIS_POOL_SIZE" => self.redis_pool_size = found.number(1, 1_000, COUNT)?,
            "REDIS_SOCKET_TIMEOUT" => self.redis_socket_timeout = found.seconds()?,
            "REDIS_CONNECT_TIMEOUT" => self.redis_connect_timeout = found.seconds()?,
            "CACHE_TTL" => self.cache_ttl.default = found.seconds()?,
            "CACHE_TTL_STRATEGIES" => self.cache_ttl.strategies = found.seconds()?,
            "CACHE_TTL_POSITIONS" => self.cache_ttl.positions = found.seconds()?,
            "CACHE_TTL_ORDERS" => self.cache_ttl.orders = found.seconds()?,
            "HEARTBEAT_INTERVAL" => self.heartbeat = found.seconds()?,
            "STALE_THRESHOLD" => self.stale_after = found.seconds()?,
            "RETENTION_ORDERS_DAYS" => self.retention.orders = found.days()?,
            "RETENTION_TRADES_DAYS" => self.retention.trades = found.days()?,
            "RETENTION_POSITIONS_DAYS" => self.retention.positions = found.days()?,
            "RETENTION_STRATEGIES_DAYS" => self.retention.strategies = found.days()?,
            "LOG_LEVEL" => self.log_level = found.level()?,
            "LOG_SQL_QUERIES" => self.log_sql_queries = found.flag()?,
            "HEALTH_TIMEOUT" => self.health_timeout = found.seconds()?,
            "POSTGRES_SCHEMA" => {
                const FIX: &str =
                    "give lower-case letters, digits and underscores, such as trading_lh";
                let schema = Schema::new(found.value);
                self.postgres_schema =
                    Some(schema.map_err(|_| found.wrong("is no name of a schema", FIX))?);
            }
            "REDIS_NAMESPACE" => {
                const FIX: &str =
                    "give letters, digits, underscores and colons, such as trading:lh";
                let namespace = Namespace::new(found.value);
                self.redis_namespace =
                    Some(namespace.map_err(|_| found.wrong("is no namespace", FIX))?);
            }
            // Others may have settings with the same prefix.
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Read<Settings> {
        Settings::read(pairs.iter().copied())
    }

    #[test]
    fn nothing_said_is_what_the_specification_says() {
        let settings = read(&[("PATH", "/bin"), ("TRADING_ADAPTER_OTHER", "x")]).expect("usual");
        assert_eq!(settings, Settings::default());
        assert_eq!((settings.pool_size, settings.max_overflow, settings.batch_size), (10, 20, 100));
        assert_eq!(settings.cache_ttl.positions.as_secs(), 60);
        assert_eq!((settings.retention.orders, settings.retention.trades), (90, 365));
        assert!(settings.postgres_url.is_none() && settings.redis_url.is_none());
    }

    #[test]
    fn every_variable_is_read() {
        let said = [
            ("POSTGRES_URL", "postgresql+asyncpg://u:p@h/d"),
            ("REDIS_URL", "redis://u:p@h"),
            ("SQLITE_PATH", "/var/lib/tse/store.db"),
            ("POSTGRES_POOL_SIZE", "3"),
            ("POSTGRES_MAX_OVERFLOW", "0"),
            ("POSTGRES_POOL_TIMEOUT", "1"),
            ("POSTGRES_POOL_RECYCLE", "2"),
            ("POSTGRES_QUERY_TIMEOUT", "0.5"),
            ("BATCH_SIZE", "7"),
            ("REDIS_POOL_SIZE", "4"),
            ("REDIS_SOCKET_TIMEOUT", "3"),
            ("REDIS_CONNECT_TIMEOUT", "4"),
            ("CACHE_TTL", "11"),
            ("CACHE_TTL_STRATEGIES", "12"),
            ("CACHE_TTL_POSITIONS", "13"),
            ("CACHE_TTL_ORDERS", "14"),
            ("HEARTBEAT_INTERVAL", "15"),
            ("STALE_THRESHOLD", "160"),
            ("RETENTION_ORDERS_DAYS", "1"),
            ("RETENTION_TRADES_DAYS", "2"),
            ("RETENTION_POSITIONS_DAYS", "3"),
            ("RETENTION_STRATEGIES_DAYS", "4"),
            ("LOG_LEVEL", "debug"),
            ("LOG_SQL_QUERIES", "True"),
            ("HEALTH_TIMEOUT", "6"),
            ("POSTGRES_SCHEMA", "other"),
            ("REDIS_NAMESPACE", "trading:lh"),
        ];
        let usual = format!("{:?}", Settings::default());
        for (name, value) in said {
            let name = format!("trading_adapter_{}", name.to_lowercase());
            let alone = read(&[(&name, value)]).expect(&name);
            assert_ne!(format!("{alone:?}"), usual, "{name} changes something");
            assert_eq!(read(&[(&name, " ")]), Ok(Settings::default()), "{name}: nothing is said");
        }
    }

    #[test]
    fn what_is_wrong_names_the_variable_the_value_and_what_would_be_right() {
        for (name, value) in [
            ("POSTGRES_POOL_SIZE", "0"),
            ("POSTGRES_POOL_SIZE", "ten"),
            ("POSTGRES_MAX_OVERFLOW", "-1"),
            ("POSTGRES_QUERY_TIMEOUT", "0"),
            ("REDIS_SOCKET_TIMEOUT", "NaN"),
            ("CACHE_TTL", "inf"),
            ("BATCH_SIZE", "0"),
            ("RETENTION_TRADES_DAYS", "0"),
            ("LOG_LEVEL", "loud"),
            ("LOG_SQL_QUERIES", "perhaps"),
            ("POSTGRES_SCHEMA", "Trading; DROP"),
            ("REDIS_NAMESPACE", "trading*"),
            ("STALE_THRESHOLD", "30"),
        ] {
            let name = format!("{PREFIX}{name}");
            let said = read(&[(&name, value)]).expect_err(&name).to_string();
            for part in [name.as_str(), value, "give ", "TSE-P011"] {
                assert!(said.contains(part), "{said}");
            }
        }
    }

    #[test]
    fn a_password_in_a_wrong_url_is_not_repeated() {
        for (name, value) in [
            ("POSTGRES_URL", "redis://u:canary@h"),
            ("POSTGRES_URL", "canary"),
            ("REDIS_URL", "postgresql://u:canary@h/d"),
        ] {
            let name = format!("{PREFIX}{name}");
            let said = read(&[(&name, value)]).expect_err("wrong");
            assert!(!format!("{said} {said:?}").contains("canary"), "{said}");
            assert!(said.to_string().contains("PASSWORD@HOST"), "{said}");
        }
        let right = read(&[("TRADING_ADAPTER_POSTGRES_URL", "postgres://u:canary@h/d")]);
        assert!(!format!("{right:?}").contains("canary"));
    }
}
