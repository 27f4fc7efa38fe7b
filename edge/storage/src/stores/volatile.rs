//! Cache and discovery from Redis, or from memory while it is away.
//!
//! What memory was told meanwhile is forgotten when Redis is back: a cache may be empty, and a service
//! whose heartbeat is `NotFound` registers again.

use super::link::Link;
use crate::redis::{Redis, RedisCache, RedisDiscovery};
use crate::{
    CacheRepository, Clock, MemoryCache, MemoryDiscovery, Namespace, Result,
    ServiceDiscoveryRepository, ServiceInfo, ServiceStatus, StorageError,
};
use async_trait::async_trait;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What is kept in a Redis, and how the line to it is.
struct Shared {
    redis: Arc<Redis>,
    cache: RedisCache,
    discovery: RedisDiscovery,
    link: Link,
}

/// Cache and discovery, wherever they are now.
pub struct Volatile {
    cache: MemoryCache,
    discovery: MemoryDiscovery,
    shared: Option<Shared>,
}

impl fmt::Debug for Volatile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Volatile").finish_non_exhaustive()
    }
}

impl Volatile {
    pub(super) fn new(
        redis: Option<Arc<Redis>>,
        namespace: &Namespace,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let shared = redis.map(|redis| Shared {
            cache: RedisCache::new(redis.clone(), namespace),
            discovery: RedisDiscovery::new(redis.clone(), namespace, clock.clone()),
            redis,
            link: Link::default(),
        });
        Self {
            cache: MemoryCache::new(clock.clone()),
            discovery: MemoryDiscovery::new(clock),
            shared,
        }
    }

    pub(super) fn link(&self) -> Option<&Link> {
        self.shared.as_ref().map(|shared| &shared.link)
    }

    /// Looks whether Redis is there.
    pub(super) async fn check(&self, timeout: Duration) {
        let Some(shared) = &self.shared else { return };
        let found =
            tokio::time::timeout(timeout, shared.redis.check()).await.unwrap_or_else(|_| {
                let why = format!("no answer within {} s", timeout.as_secs_f64());
                Err(StorageError::Unavailable { store: "Redis", why })
            });
        if found.is_ok() && !shared.link.is_up() {
            self.cache.clear();
            self.discovery.clear();
        }
        shared.link.looked(found);
    }

    /// Redis, if it answered when it was last asked.
    fn up(&self) -> Option<&Shared> {
        self.shared.as_ref().filter(|shared| shared.link.is_up())
    }
}

/// Writes each method twice: to Redis if it is there, to memory if it is not, or turns out not to be.
macro_rules! switched {
    ($trait:ident by $store:ident { $(fn $name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)+ }) => {
        #[async_trait]
        impl $trait for Volatile {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$answer> {
                if let Some(shared) = self.up() {
                    match shared.$store.$name($($arg),*).await {
                        // A key that is refused is no reason to give up the others.
                        Err(error @ StorageError::Unavailable { .. }) => shared.link.lose(error),
                        Err(error) if error.is_outage() => {}
                        answer => return answer,
                    }
                }
                self.$store.$name($($arg),*).await
            })+
        }
    };
}

switched! {
    CacheRepository by cache {
        fn get(key: &str) -> Option<String>;
        fn set(key: &str, value: &str, ttl: Option<Duration>) -> ();
        fn delete(key: &str) -> ();
        fn exists(key: &str) -> bool;
        fn get_json(key: &str) -> Option<Value>;
        fn set_json(key: &str, value: &Value, ttl: Option<Duration>) -> ();
        fn get_many(keys: &[&str]) -> Vec<Option<String>>;
        fn set_many(items: &[(&str, &str)], ttl: Option<Duration>) -> ();
        fn delete_pattern(glob: &str) -> u64;
        fn keys(glob: &str) -> Vec<String>;
        fn ttl(key: &str) -> i64;
        fn expire(key: &str, ttl: Duration) -> bool;
        fn increment(key: &str, by: i64) -> i64;
        fn decrement(key: &str, by: i64) -> i64;
        fn set_if_absent(key: &str, value: &str, ttl: Option<Duration>) -> bool;
        fn ping() -> Duration;
    }
}

switched! {
    ServiceDiscoveryRepository by discovery {
        fn register(service: &ServiceInfo) -> ();
        fn deregister(id: &str) -> ();
        fn update_heartbeat(id: &str) -> ();
        fn get_service(name: &str) -> Option<ServiceInfo>;
        fn get_service_by_id(id: &str) -> Option<ServiceInfo>;
        fn list_services() -> Vec<ServiceInfo>;
        fn list_healthy_services() -> Vec<ServiceInfo>;
        fn cleanup_stale_services(threshold: Duration) -> u64;
        fn update_status(id: &str, status: ServiceStatus) -> ();
        fn get_instances(name: &str) -> Vec<ServiceInfo>;
    }
}
