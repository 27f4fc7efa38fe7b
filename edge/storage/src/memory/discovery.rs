//! Who is there, in memory: as far as one process can know.

use crate::keys::{best_first, check_service};
use crate::{Clock, Result, ServiceDiscoveryRepository, ServiceInfo, ServiceStatus, StorageError};
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Who is there, in memory.
pub struct MemoryDiscovery {
    clock: Arc<dyn Clock>,
    services: Mutex<BTreeMap<String, ServiceInfo>>,
}

impl fmt::Debug for MemoryDiscovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryDiscovery").finish_non_exhaustive()
    }
}

impl MemoryDiscovery {
    /// Nobody.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, services: Mutex::default() }
    }

    /// Forgets everybody.
    pub(crate) fn clear(&self) {
        self.services().clear();
    }

    fn services(&self) -> MutexGuard<'_, BTreeMap<String, ServiceInfo>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with(&self, id: &str, edit: impl FnOnce(&mut ServiceInfo)) -> Result<()> {
        let mut services = self.services();
        let service = services.get_mut(id);
        edit(service.ok_or_else(|| StorageError::not_found("services", id))?);
        Ok(())
    }
}

#[async_trait]
impl ServiceDiscoveryRepository for MemoryDiscovery {
    async fn register(&self, service: &ServiceInfo) -> Result<()> {
        check_service(service)?;
        self.services().insert(service.service_id.clone(), service.clone());
        Ok(())
    }

    async fn deregister(&self, id: &str) -> Result<()> {
        let removed = self.services().remove(id);
        removed.map(drop).ok_or_else(|| StorageError::not_found("services", id))
    }

    async fn update_heartbeat(&self, id: &str) -> Result<()> {
        let now = self.clock.now();
        self.with(id, |service| service.last_seen = now)
    }

    async fn get_service(&self, name: &str) -> Result<Option<ServiceInfo>> {
        let mut best = self.get_instances(name).await?.into_iter();
        Ok(best.find(|service| service.status == ServiceStatus::Healthy))
    }

    async fn get_service_by_id(&self, id: &str) -> Result<Option<ServiceInfo>> {
        Ok(self.services().get(id).cloned())
    }

    async fn list_services(&self) -> Result<Vec<ServiceInfo>> {
        Ok(self.services().values().cloned().collect())
    }

    async fn list_healthy_services(&self) -> Result<Vec<ServiceInfo>> {
        let mut services = self.list_services().await?;
        services.retain(|service| service.status == ServiceStatus::Healthy);
        Ok(services)
    }

    async fn cleanup_stale_services(&self, threshold: Duration) -> Result<u64> {
        let oldest = self.clock.now().before(threshold);
        let mut services = self.services();
        let before = services.len();
        services.retain(|_, service| service.last_seen >= oldest);
        Ok((before - services.len()) as u64)
    }

    async fn update_status(&self, id: &str, status: ServiceStatus) -> Result<()> {
        self.with(id, |service| service.status = status)
    }

    async fn get_instances(&self, name: &str) -> Result<Vec<ServiceInfo>> {
        let mut services = self.list_services().await?;
        services.retain(|service| service.service_name == name);
        Ok(best_first(services))
    }
}
