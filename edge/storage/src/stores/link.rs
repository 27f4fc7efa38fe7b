//! Whether a store is there, since when one looked, and why not.

use crate::{Clock, Moment, StorageError, SystemClock};
use serde::Serialize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What is known of a store.
#[derive(Clone, Debug, Default)]
struct Known {
    is_up: bool,
    looked: Option<Moment>,
    error: Option<StorageError>,
}

/// The line to one store.
#[derive(Debug, Default)]
pub struct Link {
    known: Mutex<Known>,
    lost: Notify,
}

impl Link {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn is_up(&self) -> bool {
        self.known().is_up
    }

    /// Writes down what a look has shown.
    pub fn looked(&self, found: Result<(), StorageError>) {
        let mut known = self.known();
        known.looked = Some(SystemClock.now());
        known.is_up = found.is_ok();
        known.error = found.err();
    }

    /// Writes down that a question found nobody.
    pub fn lose(&self, error: StorageError) {
        let mut known = self.known();
        known.is_up = false;
        known.error = Some(error);
        drop(known);
        self.lost.notify_one();
    }

    /// Waits until a question finds nobody.
    pub async fn lost(&self) {
        self.lost.notified().await;
    }
}

/// What is connected. A store that is not configured is not connected, and has no error.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConnectionStatus {
    /// Whether PostgreSQL answers.
    pub postgres_connected: bool,
    /// Whether Redis answers.
    pub redis_connected: bool,
    /// Whether the file of SQLite can be used.
    pub sqlite_connected: bool,
    /// When one last looked.
    pub last_postgres_check: Option<Moment>,
    /// Likewise.
    pub last_redis_check: Option<Moment>,
    /// Likewise.
    pub last_sqlite_check: Option<Moment>,
    /// Why it does not answer.
    pub postgres_error: Option<String>,
    /// Likewise.
    pub redis_error: Option<String>,
    /// Likewise.
    pub sqlite_error: Option<String>,
}

impl ConnectionStatus {
    pub(super) fn of(rows: Option<&Link>, is_postgres: bool, volatile: Option<&Link>) -> Self {
        let known = |link: Option<&Link>| link.map(|link| link.known().clone()).unwrap_or_default();
        let (rows, redis) = (known(rows), known(volatile));
        let (postgres, sqlite) =
            if is_postgres { (rows, Known::default()) } else { (Known::default(), rows) };
        let said = |known: &Known| known.error.as_ref().map(StorageError::to_string);
        Self {
            postgres_error: said(&postgres),
            redis_error: said(&redis),
            sqlite_error: said(&sqlite),
            postgres_connected: postgres.is_up,
            redis_connected: redis.is_up,
            sqlite_connected: sqlite.is_up,
            last_postgres_check: postgres.looked,
            last_redis_check: redis.looked,
            last_sqlite_check: sqlite.looked,
        }
    }
}

/// How one store stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoreHealth {
    /// Whether it answers.
    pub connected: bool,
    /// Why not, in a word: `unavailable`, `schema_missing`, `refused`.
    pub reason: Option<&'static str>,
    /// Why not, in a sentence.
    pub error: Option<String>,
}

/// How all stores stand: those that are configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// `healthy`, or `degraded` if one of them does not answer.
    pub status: &'static str,
    /// PostgreSQL.
    pub postgres: Option<StoreHealth>,
    /// Redis.
    pub redis: Option<StoreHealth>,
    /// SQLite.
    pub sqlite: Option<StoreHealth>,
}

impl Health {
    pub(super) fn of(rows: Option<&Link>, is_postgres: bool, volatile: Option<&Link>) -> Self {
        let health = |link: Option<&Link>| {
            link.map(|link| {
                let known = link.known();
                StoreHealth {
                    connected: known.is_up,
                    reason: known.error.as_ref().map(reason),
                    error: known.error.as_ref().map(StorageError::to_string),
                }
            })
        };
        let (rows, redis) = (health(rows), health(volatile));
        let all_up = [&rows, &redis].into_iter().flatten().all(|store| store.connected);
        let status = if all_up { "healthy" } else { "degraded" };
        let (postgres, sqlite) = if is_postgres { (rows, None) } else { (None, rows) };
        Self { status, postgres, redis, sqlite }
    }
}

const fn reason(error: &StorageError) -> &'static str {
    match error {
        StorageError::SchemaMissing { .. } => "schema_missing",
        StorageError::Refused { .. } => "refused",
        _ => "unavailable",
    }
}
