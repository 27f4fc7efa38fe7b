//! A cache in Redis, under a namespace.

use super::{Again, CHUNK, Redis};
use crate::keys::{SERVICES, check_key, check_ttl, not_a_number};
use crate::memory::parse_json;
use crate::{CacheRepository, Namespace, Result, StorageError};
use ::redis::{Cmd, Pipeline};
use async_trait::async_trait;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A cache in Redis.
#[derive(Debug)]
pub struct RedisCache {
    redis: Arc<Redis>,
    prefix: String,
}

fn command(parts: &[&str]) -> Cmd {
    let mut command = Cmd::new();
    for part in parts {
        command.arg(part);
    }
    command
}

impl RedisCache {
    /// A cache under a namespace.
    pub fn new(redis: Arc<Redis>, namespace: &Namespace) -> Self {
        Self { redis, prefix: format!("{namespace}:") }
    }

    fn full(&self, key: &str) -> Result<String> {
        check_key(key)?;
        Ok(format!("{}{key}", self.prefix))
    }

    fn set_command(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<Cmd> {
        let mut set = command(&["SET", &self.full(key)?, value]);
        if let Some(ttl) = ttl {
            set.arg("PX").arg(check_ttl(ttl)?);
        }
        Ok(set)
    }

    /// The keys that fit, without the namespace; those of discovery are not ours.
    async fn found(&self, glob: &str) -> Result<BTreeSet<String>> {
        let found = self.redis.scan(&format!("{}{glob}", self.prefix)).await?;
        let ours = found.into_iter().filter_map(|key| {
            let key = key.strip_prefix(&self.prefix)?;
            (!key.starts_with(SERVICES)).then(|| key.to_owned())
        });
        Ok(ours.collect())
    }

    async fn add(&self, word: &str, key: &str, by: i64) -> Result<i64> {
        let add = command(&[word, &self.full(key)?, &by.to_string()]);
        let sum = self.redis.ask(&add, Again::MayNot).await;
        // The only complaint of the server about such a question is that it cannot count.
        sum.map_err(|error| match error {
            StorageError::Unreadable { .. } => not_a_number(key),
            other => other,
        })
    }
}

#[async_trait]
impl CacheRepository for RedisCache {
    async fn get(&self, key: &str) -> Result<Option<String>> {
        self.redis.ask(&command(&["GET", &self.full(key)?]), Again::May).await
    }

    async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<()> {
        self.redis.ask(&self.set_command(key, value, ttl)?, Again::May).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.redis.remove(vec![self.full(key)?]).await.map(drop)
    }

    async fn exists(&self, key: &str) -> Result<bool> {
        self.redis.ask(&command(&["EXISTS", &self.full(key)?]), Again::May).await
    }

    async fn get_json(&self, key: &str) -> Result<Option<Value>> {
        parse_json(key, self.get(key).await?)
    }

    async fn set_json(&self, key: &str, value: &Value, ttl: Option<Duration>) -> Result<()> {
        self.set(key, &value.to_string(), ttl).await
    }

    async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<String>>> {
        let keys: Vec<_> = keys.iter().map(|key| self.full(key)).collect::<Result<_>>()?;
        let mut values = Vec::with_capacity(keys.len());
        for keys in keys.chunks(CHUNK) {
            let mut get = Cmd::new();
            get.arg("MGET").arg(keys);
            values.extend(self.redis.ask::<Vec<Option<String>>>(&get, Again::May).await?);
        }
        Ok(values)
    }

    async fn set_many(&self, items: &[(&str, &str)], ttl: Option<Duration>) -> Result<()> {
        // All are looked at before the first is sent.
        let sets = items.iter().map(|(key, value)| self.set_command(key, value, ttl));
        let sets: Vec<_> = sets.collect::<Result<_>>()?;
        for sets in sets.chunks(CHUNK) {
            let mut pipeline = Pipeline::new();
            for set in sets {
                pipeline.add_command(set.clone());
            }
            self.redis.ask_all::<()>(&pipeline, Again::May).await?;
        }
        Ok(())
    }

    async fn delete_pattern(&self, glob: &str) -> Result<u64> {
        let found = self.found(glob).await?;
        let keys = found.into_iter().map(|key| format!("{}{key}", self.prefix)).collect();
        self.redis.remove(keys).await
    }

    async fn keys(&self, glob: &str) -> Result<Vec<String>> {
        Ok(self.found(glob).await?.into_iter().collect())
    }

    async fn ttl(&self, key: &str) -> Result<i64> {
        self.redis.ask(&command(&["TTL", &self.full(key)?]), Again::May).await
    }

    async fn expire(&self, key: &str, ttl: Duration) -> Result<bool> {
        let ttl = check_ttl(ttl)?.to_string();
        self.redis.ask(&command(&["PEXPIRE", &self.full(key)?, &ttl]), Again::May).await
    }

    async fn increment(&self, key: &str, by: i64) -> Result<i64> {
        self.add("INCRBY", key, by).await
    }

    async fn decrement(&self, key: &str, by: i64) -> Result<i64> {
        self.add("DECRBY", key, by).await
    }

    async fn set_if_absent(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool> {
        let mut set = self.set_command(key, value, ttl)?;
        set.arg("NX");
        // Asked twice it would find its own value and say that somebody else was first.
        let done: Option<String> = self.redis.ask(&set, Again::MayNot).await?;
        Ok(done.is_some())
    }

    async fn ping(&self) -> Result<Duration> {
        let before = Instant::now();
        self.redis.check().await?;
        Ok(before.elapsed())
    }
}
