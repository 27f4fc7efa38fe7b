//! A cache and who is there, in a Redis that many share.
//!
//! The user of the engine may do little there (spec 3.6): read, write and PING, under its own prefix. So
//! keys are found with SCAN, nothing is a transaction or a script, no database is selected and no name is
//! set. Any key may be evicted at any time: nothing that matters is here alone.

mod cache;
mod discovery;
mod registry;

pub use cache::RedisCache;
pub use discovery::RedisDiscovery;
pub use registry::{Claim, Other, Registration, ServiceRegistry};

use crate::secret::StoreUrl;
use crate::{Result, StorageError};
use ::redis::aio::MultiplexedConnection;
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, FromRedisValue, Pipeline,
    RedisError, ServerErrorKind, Value,
};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

const STORE: &str = "Redis";
/// How many keys the server looks at for one answer to SCAN.
const SCAN_COUNT: usize = 512;
/// How many keys one command names.
const CHUNK: usize = 512;

/// How a Redis is reached and used.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    /// Where it is, with user and password.
    pub url: StoreUrl,
    /// How many connections at most. Each carries many questions at a time.
    pub connections: usize,
    /// How long an answer may take.
    pub answer: Duration,
    /// How long connecting may take.
    pub connect: Duration,
}

impl RedisOptions {
    /// The usual ones.
    pub fn new(url: StoreUrl) -> Self {
        let five = Duration::from_secs(5);
        Self { url, connections: 10, answer: five, connect: five }
    }
}

/// Lines to a Redis, opened when they are first needed and again when they broke.
pub struct Redis {
    client: Client,
    config: AsyncConnectionConfig,
    lines: Vec<Mutex<Option<MultiplexedConnection>>>,
    next: AtomicUsize,
    patience: Duration,
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").finish_non_exhaustive()
    }
}

/// One command, or several that are sent together.
#[derive(Clone, Copy)]
enum Question<'a> {
    One(&'a Cmd),
    Many(&'a Pipeline),
}

/// Whether a question may be asked twice.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    /// The second time changes nothing.
    May,
    /// It would be done twice.
    MayNot,
}

impl Redis {
    /// A Redis that is connected to when it is first asked something.
    ///
    /// # Errors
    /// The URL cannot be used, or names another database than 0, which the user may not select.
    pub fn new(options: &RedisOptions) -> Result<Self> {
        let wrong = |why: &str| StorageError::invalid("the URL of Redis", why);
        if !matches!(options.url.scheme(), "redis" | "rediss") {
            return Err(wrong("is not `redis://` or `rediss://`"));
        }
        let info =
            ConnectionInfo::from_str(options.url.expose()).map_err(|_| wrong("cannot be used"))?;
        if info.redis_settings().db() != 0 {
            return Err(wrong("names a database other than 0"));
        }
        let settings = info.redis_settings().clone().set_skip_set_lib_name();
        let client = Client::open(info.set_redis_settings(settings));
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(options.connect))
            .set_response_timeout(Some(options.answer));
        Ok(Self {
            client: client.map_err(|_| wrong("cannot be used"))?,
            config,
            lines: (0..options.connections.max(1)).map(|_| Mutex::new(None)).collect(),
            next: AtomicUsize::new(0),
            patience: options.connect.saturating_add(options.answer),
        })
    }

    /// Asks for nothing but an answer.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn check(&self) -> Result<()> {
        let pong: String = self.ask(Cmd::new().arg("PING"), Again::May).await?;
        if pong == "PONG" { Ok(()) } else { Err(unreadable("an answer to PING")) }
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd, again: Again) -> Result<T> {
        let value = self.send(Question::One(command), again).await?.pop();
        read(value.ok_or_else(|| unreadable("no answer"))?)
    }

    async fn ask_all<T: FromRedisValue>(
        &self,
        commands: &Pipeline,
        again: Again,
    ) -> Result<Vec<T>> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        self.send(Question::Many(commands), again).await?.into_iter().map(read).collect()
    }

    /// Sends something on the next line. A line that broke is thrown away; what may be asked again is,
    /// once, on a new one.
    async fn send(&self, question: Question<'_>, again: Again) -> Result<Vec<Value>> {
        let at = self.next.fetch_add(1, Ordering::Relaxed) % self.lines.len();
        let mut may_again = again == Again::May && self.lines[at].lock().await.is_some();
        loop {
            let done = tokio::time::timeout(self.patience, self.send_once(at, question)).await;
            let error = match done {
                Ok(Ok(values)) => return Ok(values),
                Ok(Err(error)) => failed(&error),
                Err(_) => {
                    let why = format!("no answer within {} s", self.patience.as_secs());
                    StorageError::Unavailable { store: STORE, why }
                }
            };
            if error.is_outage() {
                *self.lines[at].lock().await = None;
            }
            let broke = matches!(error, StorageError::Unavailable { .. });
            if !std::mem::take(&mut may_again) || !broke {
                return Err(error);
            }
        }
    }

    async fn send_once(
        &self,
        at: usize,
        question: Question<'_>,
    ) -> std::result::Result<Vec<Value>, RedisError> {
        let mut line = self.line(at).await?;
        match question {
            Question::One(command) => Ok(vec![line.send_packed_command(command).await?]),
            Question::Many(commands) => {
                line.send_packed_commands(commands, 0, commands.len()).await
            }
        }
    }

    async fn line(&self, at: usize) -> std::result::Result<MultiplexedConnection, RedisError> {
        let mut line = self.lines[at].lock().await;
        if let Some(line) = &*line {
            return Ok(line.clone());
        }
        let config = self.config.clone();
        let opened = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(line.insert(opened).clone())
    }

    /// The keys that fit a pattern.
    async fn scan(&self, pattern: &str) -> Result<BTreeSet<String>> {
        let mut keys = BTreeSet::new();
        let mut cursor = 0_u64;
        loop {
            let mut scan = Cmd::new();
            scan.arg("SCAN").arg(cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(SCAN_COUNT);
            let (next, found): (u64, Vec<String>) = self.ask(&scan, Again::May).await?;
            keys.extend(found);
            cursor = next;
            if cursor == 0 {
                return Ok(keys);
            }
        }
    }

    /// Takes keys away, and says how many of them were there.
    async fn remove(&self, keys: Vec<String>) -> Result<u64> {
        let mut gone = 0;
        for keys in keys.chunks(CHUNK) {
            let mut remove = Cmd::new();
            remove.arg("DEL").arg(keys);
            gone += self.ask::<u64>(&remove, Again::May).await?;
        }
        Ok(gone)
    }
}

/// Reads an answer, which may be that of a server that complains.
fn read<T: FromRedisValue>(value: Value) -> Result<T> {
    let value = value.extract_error().map_err(|error| failed(&error))?;
    T::from_redis_value(value).map_err(|_| unreadable("an answer"))
}

fn unreadable(what: &str) -> StorageError {
    StorageError::Unreadable { store: STORE, why: format!("{what} that nobody expects") }
}

fn failed(error: &RedisError) -> StorageError {
    let why = error.detail().map_or_else(|| error.to_string(), str::to_owned);
    let code = error.code().unwrap_or_default();
    match error.kind() {
        ErrorKind::AuthenticationFailed
        | ErrorKind::Server(ServerErrorKind::NoPerm | ServerErrorKind::ReadOnly) => {
            StorageError::Refused { store: STORE, why }
        }
        ErrorKind::Io
        | ErrorKind::Server(
            ServerErrorKind::BusyLoading
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::TryAgain,
        ) => StorageError::Unavailable { store: STORE, why },
        // Of those that the library has no name for: no password, no room, no disk.
        _ if matches!(code, "NOAUTH" | "WRONGPASS") => StorageError::Refused { store: STORE, why },
        _ if matches!(code, "OOM" | "MISCONF") => StorageError::Unavailable { store: STORE, why },
        _ => StorageError::Unreadable { store: STORE, why },
    }
}
