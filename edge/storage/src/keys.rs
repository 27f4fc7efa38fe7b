//! What every cache and every discovery agrees on: which keys there may be, and how long they live.

use crate::model::NAME_MAX;
use crate::{Result, ServiceInfo, ServiceStatus, StorageError};
use std::cmp::Reverse;
use std::time::Duration;

/// Keys under this word are where discovery keeps who is there; the cache leaves them alone.
pub(crate) const SERVICES: &str = "services:";
/// The longest key, in bytes.
const KEY_MAX: usize = 512;
/// The longest time to live: a hundred years, which every store can count.
const TTL_MAX: Duration = Duration::from_secs(100 * 365 * 86_400);

pub(crate) fn check_key(key: &str) -> Result<()> {
    let why = if key.is_empty() {
        "is empty".to_owned()
    } else if key.len() > KEY_MAX {
        format!("has more than {KEY_MAX} bytes")
    } else if key.starts_with(SERVICES) {
        format!("begins with `{SERVICES}`, which belongs to discovery")
    } else {
        return Ok(());
    };
    Err(StorageError::invalid("a key", why))
}

/// A time to live in milliseconds.
pub(crate) fn check_ttl(ttl: Duration) -> Result<u64> {
    let millis = u64::try_from(ttl.min(TTL_MAX).as_millis()).unwrap_or(u64::MAX);
    if millis == 0 {
        return Err(StorageError::invalid("a time to live", "is less than a millisecond"));
    }
    Ok(millis)
}

/// Seconds as Redis says them: rounded to the nearest.
pub(crate) fn seconds(millis: i64) -> i64 {
    (millis + 500).div_euclid(1_000)
}

pub(crate) fn check_service(service: &ServiceInfo) -> Result<()> {
    for (what, name) in [
        ("service_id", &service.service_id),
        ("service_name", &service.service_name),
        ("host", &service.host),
    ] {
        if name.is_empty() || name.len() > NAME_MAX || name.chars().any(char::is_control) {
            return Err(StorageError::invalid(what, "is no usable name"));
        }
    }
    Ok(())
}

/// Puts the instances of a name in the order in which a caller should try them.
pub(crate) fn best_first(mut services: Vec<ServiceInfo>) -> Vec<ServiceInfo> {
    services.sort_by(|a, b| {
        let rank = |it: &ServiceInfo| (it.status != ServiceStatus::Healthy, Reverse(it.last_seen));
        rank(a).cmp(&rank(b)).then_with(|| a.service_id.cmp(&b.service_id))
    });
    services
}

pub(crate) fn not_a_number(key: &str) -> StorageError {
    StorageError::invalid(format!("the value of `{key}`"), "is no whole number of 64 bits")
}
