//! The stores of one engine: what is configured where it answers, and memory where it does not.
//!
//! To begin never fails because a store is away, and to go on never waits for one longer than it may. A
//! store that is lost is asked again every 1 to 30 seconds; what was asked meanwhile is answered from
//! memory. That memory is a projection as well: who writes to the stores writes to it, too.
//!
//! A store that comes back has what it had. It may be behind until the projector has caught up, which goes
//! on from what [`applied`](crate::Projection::applied) says.

mod link;
mod rows;
mod volatile;

pub use link::{ConnectionStatus, Health, StoreHealth};
pub use rows::{Durable, Rows};
pub use volatile::Volatile;

use crate::postgres::{Postgres, PostgresOptions};
use crate::redis::{Redis, RedisOptions};
use crate::settings::Settings;
use crate::{
    CacheRepository, Clock, Memory, Place, Result, Retention, ServiceDiscoveryRepository, Swept,
    sweep,
};
use link::Link;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long one waits before asking a lost store again, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));
/// How often a store that answers is asked whether it still does.
const WATCH: Duration = Duration::from_secs(5);

/// The stores of one engine.
#[derive(Debug)]
pub struct Stores {
    rows: Arc<Rows>,
    volatile: Arc<Volatile>,
    watchers: Vec<JoinHandle<()>>,
    timeout: Duration,
    retention: Retention,
}

impl Stores {
    /// Connects to what is configured, and goes on without what does not answer in time.
    ///
    /// Rows go to PostgreSQL if there is a URL, else to SQLite if there is a path, else to memory alone.
    ///
    /// # Errors
    /// A URL that cannot be used: that is a mistake and not an outage.
    pub async fn connect(
        settings: &Settings,
        place: &Place,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let schema = settings.postgres_schema.clone().unwrap_or_else(|| place.schema.clone());
        let namespace = settings.redis_namespace.clone().unwrap_or_else(|| place.namespace.clone());
        let memory = Memory::new(clock.clone());
        let rows = Arc::new(match (&settings.postgres_url, &settings.sqlite_path) {
            (Some(url), _) => {
                let options = PostgresOptions {
                    url: url.clone(),
                    schema,
                    connections: settings.pool_size.saturating_add(settings.max_overflow),
                    acquire: settings.pool_timeout.min(settings.health_timeout),
                    recycle: settings.pool_recycle,
                    query: settings.query_timeout,
                    log_sql: settings.log_sql_queries,
                };
                Rows::postgres(memory, Postgres::new(&options, clock.clone())?)
            }
            (None, Some(path)) => Rows::sqlite(memory, path.clone(), clock.clone()),
            (None, None) => Rows::memory(memory),
        });
        let redis = match &settings.redis_url {
            Some(url) => Some(Redis::new(&RedisOptions {
                url: url.clone(),
                connections: settings.redis_pool_size as usize,
                answer: settings.redis_socket_timeout,
                connect: settings.redis_connect_timeout,
            })?),
            None => None,
        };
        let volatile = Arc::new(Volatile::new(redis.map(Arc::new), &namespace, clock));
        let timeout = settings.health_timeout;
        tokio::join!(rows.check(timeout), volatile.check(timeout));
        let mut watchers = Vec::new();
        if rows.link().is_some() {
            watchers.push(tokio::spawn(watch_rows(rows.clone(), timeout)));
        }
        if volatile.link().is_some() {
            watchers.push(tokio::spawn(watch_volatile(volatile.clone(), timeout)));
        }
        Ok(Self { rows, volatile, watchers, timeout, retention: settings.retention })
    }

    /// Rows: ask it through [`Repositories`](crate::Repositories).
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The cache.
    pub fn cache(&self) -> &dyn CacheRepository {
        &*self.volatile
    }

    /// Who is there.
    pub fn discovery(&self) -> &dyn ServiceDiscoveryRepository {
        &*self.volatile
    }

    /// The same, to hold on to.
    pub fn shared_rows(&self) -> Arc<Rows> {
        Arc::clone(&self.rows)
    }

    /// Memory, as the projector writes it.
    pub fn memory(&self) -> Arc<Memory> {
        Arc::clone(self.rows.in_memory())
    }

    /// The store that keeps rows, as the projector writes it, if there is one. It answers for itself: what
    /// is away is `Unavailable`, and the projector tries again.
    pub fn durable(&self) -> Option<Arc<Durable>> {
        self.rows.durable().cloned()
    }

    /// What is connected, as of the last look.
    pub fn status(&self) -> ConnectionStatus {
        ConnectionStatus::of(self.rows.link(), self.rows.is_postgres(), self.volatile.link())
    }

    /// Looks at every store now, no longer than it may take, and says how all stand.
    pub async fn health_check(&self) -> Health {
        tokio::join!(self.rows.check(self.timeout), self.volatile.check(self.timeout));
        Health::of(self.rows.link(), self.rows.is_postgres(), self.volatile.link())
    }

    /// Takes away rows that are older than they may be, from memory and from the store that keeps them.
    /// Says what went from the latter, or from memory where there is no other.
    ///
    /// # Errors
    /// What the store says. Memory has been swept by then.
    pub async fn sweep(&self, now: crate::Moment) -> Result<Swept> {
        let swept = sweep(&**self.rows.in_memory(), self.retention, now).await?;
        Ok(self.rows.sweep_durable(self.retention, now).await?.unwrap_or(swept))
    }

    /// Stops watching and closes what is open.
    pub async fn disconnect(&self) {
        for watcher in &self.watchers {
            watcher.abort();
        }
        // A server that hangs is not waited for.
        let _ = tokio::time::timeout(self.timeout, self.rows.close()).await;
    }
}

impl Drop for Stores {
    fn drop(&mut self) {
        for watcher in &self.watchers {
            watcher.abort();
        }
    }
}

async fn watch_rows(rows: Arc<Rows>, timeout: Duration) {
    let mut backoff = BACKOFF.0;
    while let Some(link) = rows.link() {
        until_time_to_look(link, &mut backoff).await;
        rows.check(timeout).await;
    }
}

async fn watch_volatile(volatile: Arc<Volatile>, timeout: Duration) {
    let mut backoff = BACKOFF.0;
    while let Some(link) = volatile.link() {
        until_time_to_look(link, &mut backoff).await;
        volatile.check(timeout).await;
    }
}

/// Waits until a store is to be looked at again: soon when it was just lost, less often while it stays
/// away.
async fn until_time_to_look(link: &Link, backoff: &mut Duration) {
    if link.is_up() {
        *backoff = BACKOFF.0;
        // Woken early by a question that found nobody: then it is time to wait, not to look.
        if tokio::time::timeout(WATCH, link.lost()).await.is_err() {
            return;
        }
    }
    tokio::time::sleep(*backoff).await;
    *backoff = (*backoff * 2).min(BACKOFF.1);
}
