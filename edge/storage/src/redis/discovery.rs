//! Who is there, in Redis: a hash for each instance.
//!
//! Each field is written by itself, so a heartbeat and a change of status cannot undo one another. What
//! others keep under the same prefix, with fewer fields, is passed over and left alone.

use super::{Again, CHUNK, Redis};
use crate::keys::{SERVICES, best_first, check_service};
use crate::{
    Clock, Moment, Namespace, Result, ServiceDiscoveryRepository, ServiceInfo, ServiceStatus,
    StorageError,
};
use ::redis::{Cmd, Pipeline};
use async_trait::async_trait;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Who is there, in Redis.
pub struct RedisDiscovery {
    redis: Arc<Redis>,
    prefix: String,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for RedisDiscovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisDiscovery").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

type Fields = HashMap<String, String>;

impl RedisDiscovery {
    /// Who is there under a namespace.
    pub fn new(redis: Arc<Redis>, namespace: &Namespace, clock: Arc<dyn Clock>) -> Self {
        Self { redis, prefix: format!("{namespace}:{SERVICES}"), clock }
    }

    fn key(&self, id: &str) -> String {
        format!("{}{id}", self.prefix)
    }

    async fn fields(&self, key: &str) -> Result<Fields> {
        let mut get = Cmd::new();
        get.arg("HGETALL").arg(key);
        self.redis.ask(&get, Again::May).await
    }

    /// Writes one field of an instance that is there. One that leaves at this very moment may leave a
    /// hash behind that has nothing else: it is nobody, and taken away with what is stale.
    async fn write(&self, id: &str, field: &str, value: &str) -> Result<()> {
        let key = self.key(id);
        let mut there = Cmd::new();
        there.arg("HEXISTS").arg(&key).arg("service_id");
        if !self.redis.ask::<bool>(&there, Again::May).await? {
            return Err(StorageError::not_found("services", id));
        }
        let mut write = Cmd::new();
        write.arg("HSET").arg(&key).arg(field).arg(value);
        self.redis.ask::<u64>(&write, Again::May).await.map(drop)
    }

    /// Every hash under the prefix, with its key.
    async fn all(&self) -> Result<Vec<(String, Fields)>> {
        let keys: Vec<_> =
            self.redis.scan(&format!("{}*", self.prefix)).await?.into_iter().collect();
        let mut all = Vec::with_capacity(keys.len());
        for keys in keys.chunks(CHUNK) {
            let mut pipeline = Pipeline::new();
            for key in keys {
                pipeline.cmd("HGETALL").arg(key);
            }
            let found: Vec<Fields> = self.redis.ask_all(&pipeline, Again::May).await?;
            all.extend(keys.iter().cloned().zip(found));
        }
        Ok(all)
    }
}

fn print(service: &ServiceInfo) -> [(&'static str, String); 10] {
    let metadata = serde_json::to_string(&service.metadata);
    [
        ("service_id", service.service_id.clone()),
        ("service_name", service.service_name.clone()),
        ("version", service.version.clone()),
        ("host", service.host.clone()),
        ("grpc_port", service.grpc_port.to_string()),
        ("http_port", service.http_port.to_string()),
        ("status", service.status.to_string()),
        ("metadata", metadata.expect("a map of texts is JSON")),
        ("last_seen", service.last_seen.micros().to_string()),
        ("registered_at", service.registered_at.micros().to_string()),
    ]
}

/// An instance, if everything is there that makes one.
fn parse(fields: &Fields) -> Option<ServiceInfo> {
    let text = |name: &str| fields.get(name).cloned();
    let moment = |name: &str| Some(Moment::from_micros(fields.get(name)?.parse().ok()?));
    Some(ServiceInfo {
        service_id: text("service_id")?,
        service_name: text("service_name")?,
        version: text("version")?,
        host: text("host")?,
        grpc_port: text("grpc_port")?.parse().ok()?,
        http_port: text("http_port")?.parse().ok()?,
        status: text("status")?.parse().ok()?,
        metadata: serde_json::from_str(&text("metadata")?).ok()?,
        last_seen: moment("last_seen")?,
        registered_at: moment("registered_at")?,
    })
}

#[async_trait]
impl ServiceDiscoveryRepository for RedisDiscovery {
    async fn register(&self, service: &ServiceInfo) -> Result<()> {
        check_service(service)?;
        let mut write = Cmd::new();
        write.arg("HSET").arg(self.key(&service.service_id));
        for (field, value) in print(service) {
            write.arg(field).arg(value);
        }
        self.redis.ask::<u64>(&write, Again::May).await.map(drop)
    }

    async fn deregister(&self, id: &str) -> Result<()> {
        match self.redis.remove(vec![self.key(id)]).await? {
            0 => Err(StorageError::not_found("services", id)),
            _ => Ok(()),
        }
    }

    async fn update_heartbeat(&self, id: &str) -> Result<()> {
        self.write(id, "last_seen", &self.clock.now().micros().to_string()).await
    }

    async fn get_service(&self, name: &str) -> Result<Option<ServiceInfo>> {
        let mut best = self.get_instances(name).await?.into_iter();
        Ok(best.find(|service| service.status == ServiceStatus::Healthy))
    }

    async fn get_service_by_id(&self, id: &str) -> Result<Option<ServiceInfo>> {
        Ok(parse(&self.fields(&self.key(id)).await?))
    }

    async fn list_services(&self) -> Result<Vec<ServiceInfo>> {
        let all = self.all().await?;
        let mut services: Vec<_> = all.iter().filter_map(|(_, fields)| parse(fields)).collect();
        services.sort_by(|a, b| a.service_id.cmp(&b.service_id));
        Ok(services)
    }

    async fn list_healthy_services(&self) -> Result<Vec<ServiceInfo>> {
        let mut services = self.list_services().await?;
        services.retain(|service| service.status == ServiceStatus::Healthy);
        Ok(services)
    }

    async fn cleanup_stale_services(&self, threshold: Duration) -> Result<u64> {
        let oldest = self.clock.now().before(threshold);
        let (mut stale, mut nobody) = (Vec::new(), Vec::new());
        for (key, fields) in self.all().await? {
            match parse(&fields) {
                Some(service) if service.last_seen < oldest => stale.push(key),
                Some(_) => {}
                None if fields.keys().all(|name| name == "last_seen" || name == "status") => {
                    nobody.push(key);
                }
                None => {}
            }
        }
        self.redis.remove(nobody).await?;
        self.redis.remove(stale).await
    }

    async fn update_status(&self, id: &str, status: ServiceStatus) -> Result<()> {
        self.write(id, "status", status.as_str()).await
    }

    async fn get_instances(&self, name: &str) -> Result<Vec<ServiceInfo>> {
        let mut services = self.list_services().await?;
        services.retain(|service| service.service_name == name);
        Ok(best_first(services))
    }
}
