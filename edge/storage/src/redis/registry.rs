//! Who of a whole deployment is there: the hashes that all of its services share (spec 4.2).
//!
//! An instance is at `registry:services:{service}:{instance}`, with the instance's name in small letters. Who comes
//! first under a name has it until it leaves or is not heard any more; who it is, is told by an identity that
//! outlives its process, so that one that comes back after a crash is not taken for a second one. Others look a
//! service up at `registry:services:{service}`, where the first of its instances is.
//!
//! A registration has a time to live: Redis forgets who is silent, by its own clock. A hash that has none, because who
//! wrote it died between two commands, is given one by the next who asks.
//!
//! The clock is the caller's. The repository of services under a namespace of one's own is `discovery`.

use super::{Again, Redis};
use crate::{Result, StorageError};
use ::redis::{Cmd, Pipeline};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// Before every key.
const PREFIX: &str = "registry:services:";

/// What an instance says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registration {
    /// The service that it is an instance of.
    pub service: String,
    /// Its name in small letters.
    pub instance: String,
    /// What tells it from any other of its name, for as long as its data lives.
    pub owner: String,
    /// Its version.
    pub version: String,
    /// The host under which others reach it.
    pub host: String,
    /// Where it answers HTTP.
    pub http_port: u16,
    /// Where it answers gRPC.
    pub grpc_port: u16,
    /// Where its keys are in the Redis of the deployment, if it has any there.
    pub namespace: Option<String>,
    /// More of it, as JSON.
    pub metadata: String,
    /// Since when it is there, in seconds since 1970.
    pub registered_at: u64,
}

impl Registration {
    fn key(&self) -> String {
        format!("{PREFIX}{}:{}", self.service, self.instance)
    }

    fn shared_key(&self) -> String {
        format!("{PREFIX}{}", self.service)
    }
}

/// Another instance, as far as it says who it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Other {
    /// Its key without the prefix: a service and an instance.
    pub name: String,
    /// Where it is, as host and port of HTTP.
    pub at: String,
    /// How many seconds ago it was heard.
    pub heard: u64,
}

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` at {}, heard {} s ago", self.name, self.at, self.heard)
    }
}

/// Whether a name could be had.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Claim {
    /// It is written down.
    Ours,
    /// Another instance of the same name is alive.
    Taken(Other),
}

/// The registry of a deployment, in its Redis.
pub struct ServiceRegistry {
    redis: Redis,
    ttl: Duration,
}

impl fmt::Debug for ServiceRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceRegistry").field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

type Fields = HashMap<String, String>;

impl ServiceRegistry {
    /// One in which whoever is not heard for `ttl` is forgotten.
    pub fn new(redis: Redis, ttl: Duration) -> Self {
        Self { redis, ttl }
    }

    /// Takes a name, or says again that one is there. `now` is in seconds since 1970. Says whose it is.
    ///
    /// # Errors
    /// What Redis says.
    pub async fn claim(&self, who: &Registration, status: &str, now: u64) -> Result<Claim> {
        let claim = self.keep(who, status, now).await?;
        let shared = who.shared_key();
        if claim == Claim::Ours && self.taken(&shared, who, now).await?.is_none() {
            self.write(&shared, who, status, now).await?;
        }
        Ok(claim)
    }

    /// Takes a name like [`Self::claim`], and is not found by who looks the service up.
    ///
    /// # Errors
    /// What Redis says.
    pub async fn keep(&self, who: &Registration, status: &str, now: u64) -> Result<Claim> {
        let key = who.key();
        if let Some(other) = self.taken(&key, who, now).await? {
            return Ok(Claim::Taken(other));
        }
        self.write(&key, who, status, now).await?;
        Ok(Claim::Ours)
    }

    /// Is not found any more by who looks the service up; the name stays its own.
    ///
    /// # Errors
    /// What Redis says.
    pub async fn hide(&self, who: &Registration) -> Result<()> {
        self.remove(who.shared_key(), who).await
    }

    /// Gives its name back.
    ///
    /// # Errors
    /// What Redis says.
    pub async fn leave(&self, who: &Registration) -> Result<()> {
        self.remove(who.key(), who).await?;
        self.remove(who.shared_key(), who).await
    }

    async fn remove(&self, key: String, who: &Registration) -> Result<()> {
        if self.fields(&key).await?.get("owner") == Some(&who.owner) {
            self.redis.remove(vec![key]).await?;
        }
        Ok(())
    }

    /// Whether a key is another's. Where it was nobody's, it is ours from then on: of two that come at once, one.
    async fn taken(&self, key: &str, who: &Registration, now: u64) -> Result<Option<Other>> {
        let found = self.ask_for(key, who, now).await?;
        let is_ours = found.get("owner") == Some(&who.owner);
        Ok((!is_ours).then(|| other(key, &found, heard(&found, now))))
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.ttl.as_millis()).unwrap_or(u64::MAX)
    }

    /// Takes a key that nobody has, and says what is there then.
    async fn ask_for(&self, key: &str, who: &Registration, now: u64) -> Result<Fields> {
        let mut first = Pipeline::new();
        first.cmd("HSETNX").arg(key).arg("owner").arg(&who.owner);
        // So that a hash that has an owner has a time, whoever dies now.
        first.cmd("HSETNX").arg(key).arg("last_heartbeat").arg(now);
        // And never stays for ever, also where this arrives when nobody waits for it any more.
        first.cmd("PEXPIRE").arg(key).arg(self.millis()).arg("NX");
        // Asked again after a line broke, it finds the owner that it set itself.
        self.redis.ask_all::<u64>(&first, Again::May).await?;
        self.fields(key).await
    }

    async fn write(&self, key: &str, who: &Registration, status: &str, now: u64) -> Result<()> {
        let mut pipeline = Pipeline::new();
        let (http, grpc) = (who.http_port.to_string(), who.grpc_port.to_string());
        let (since, now) = (who.registered_at.to_string(), now.to_string());
        let set = pipeline.cmd("HSET").arg(key);
        for (field, value) in [
            ("name", &*who.service),
            ("instance", &who.instance),
            ("owner", &who.owner),
            ("version", &who.version),
            ("host", &who.host),
            ("http_port", &http),
            ("grpc_port", &grpc),
            ("namespace", who.namespace.as_deref().unwrap_or_default()),
            ("status", status),
            ("metadata", &who.metadata),
            ("registered_at", &since),
            ("last_heartbeat", &now),
        ] {
            set.arg(field).arg(value);
        }
        pipeline.cmd("PEXPIRE").arg(key).arg(self.millis());
        self.redis.ask_all::<u64>(&pipeline, Again::May).await.map(drop)
    }

    /// Another live instance that keeps its keys in the same namespace.
    ///
    /// # Errors
    /// What Redis says.
    pub async fn same_namespace(&self, who: &Registration, now: u64) -> Result<Option<Other>> {
        let Some(namespace) = &who.namespace else { return Ok(None) };
        for key in self.redis.scan(&format!("{PREFIX}*")).await? {
            let found = match self.fields(&key).await {
                Ok(found) => found,
                // What we may not read is no instance of ours.
                Err(StorageError::Refused { .. } | StorageError::Unreadable { .. }) => continue,
                Err(error) => return Err(error),
            };
            let is = |field: &str, value: &String| found.get(field) == Some(value);
            let is_other = !is("name", &who.service) || !is("instance", &who.instance);
            if found.get("namespace") == Some(namespace)
                && is_other
                && found.get("owner") != Some(&who.owner)
            {
                return Ok(Some(other(&key, &found, heard(&found, now))));
            }
        }
        Ok(None)
    }

    async fn fields(&self, key: &str) -> Result<Fields> {
        let mut get = Cmd::new();
        get.arg("HGETALL").arg(key);
        self.redis.ask(&get, Again::May).await
    }
}

/// How many seconds ago one was heard; 0 if its clock is before ours.
fn heard(fields: &Fields, now: u64) -> u64 {
    // The reference writes fractions of a second.
    let at = fields.get("last_heartbeat").and_then(|text| text.split('.').next()?.parse().ok());
    now.saturating_sub(at.unwrap_or(0))
}

fn other(key: &str, fields: &Fields, heard: u64) -> Other {
    let field = |name: &str| fields.get(name).map_or("?", String::as_str);
    let service = key.strip_prefix(PREFIX).unwrap_or(key);
    let instance = fields.get("instance").filter(|it| !service.ends_with(&format!(":{it}")));
    Other {
        name: instance.map_or_else(|| service.to_owned(), |it| format!("{service}:{it}")),
        at: format!("{}:{}", field("host"), field("http_port")),
        heard,
    }
}
