//! A cache in memory.

use super::glob;
use crate::keys::{check_key, check_ttl, not_a_number, seconds};
use crate::{CacheRepository, Clock, Moment, Result, StorageError};
use async_trait::async_trait;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How many keys it keeps. Beyond them it forgets what has run out, then what would run out first.
const ENTRIES_MAX: usize = 65_536;

struct Entry {
    value: String,
    ends: Option<Moment>,
}

/// A cache in memory. It takes the time from the clock it is given.
pub struct MemoryCache {
    clock: Arc<dyn Clock>,
    entries: Mutex<BTreeMap<String, Entry>>,
}

impl fmt::Debug for MemoryCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryCache").finish_non_exhaustive()
    }
}

/// The entries as they are at one moment: what has run out is not there.
struct Live<'a> {
    now: Moment,
    entries: MutexGuard<'a, BTreeMap<String, Entry>>,
}

impl Live<'_> {
    fn get(&mut self, key: &str) -> Option<&mut Entry> {
        let over = |entry: &Entry, now| entry.ends.is_some_and(|ends| ends <= now);
        if self.entries.get(key).is_some_and(|entry| over(entry, self.now)) {
            self.entries.remove(key);
        }
        self.entries.get_mut(key)
    }

    fn put(&mut self, key: &str, value: String, ends: Option<Moment>) {
        self.entries.insert(key.to_owned(), Entry { value, ends });
        if self.entries.len() > ENTRIES_MAX {
            self.make_room();
        }
    }

    /// Forgets what has run out, and if that is too little a sixteenth of the rest.
    fn make_room(&mut self) {
        let now = self.now;
        self.entries.retain(|_, entry| entry.ends.is_none_or(|ends| ends > now));
        if self.entries.len() <= ENTRIES_MAX {
            return;
        }
        let mut by_end: Vec<_> = self
            .entries
            .iter()
            .map(|(key, entry)| (entry.ends.map_or(i64::MAX, Moment::micros), key.clone()))
            .collect();
        by_end.sort_unstable();
        for (_, key) in by_end.into_iter().take(ENTRIES_MAX / 16) {
            self.entries.remove(&key);
        }
    }

    fn keys(&self, pattern: &str) -> Vec<String> {
        let live = self.entries.iter().filter(|(key, entry)| {
            entry.ends.is_none_or(|ends| ends > self.now) && glob::fits(pattern, key)
        });
        live.map(|(key, _)| key.clone()).collect()
    }
}

impl MemoryCache {
    /// An empty one.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, entries: Mutex::default() }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.live().entries.clear();
    }

    fn live(&self) -> Live<'_> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        Live { now: self.clock.now(), entries }
    }

    fn ends(&self, ttl: Option<Duration>) -> Result<Option<Moment>> {
        let Some(ttl) = ttl else { return Ok(None) };
        Ok(Some(self.clock.now().after(Duration::from_millis(check_ttl(ttl)?))))
    }

    fn add(&self, key: &str, by: Option<i64>) -> Result<i64> {
        check_key(key)?;
        let mut live = self.live();
        let entry = live.get(key);
        let ends = entry.as_ref().and_then(|entry| entry.ends);
        let number = entry.map_or(Ok(0), |entry| entry.value.parse::<i64>());
        let sum = number.ok().zip(by).and_then(|(number, by)| number.checked_add(by));
        let sum = sum.ok_or_else(|| not_a_number(key))?;
        live.put(key, sum.to_string(), ends);
        Ok(sum)
    }
}

#[async_trait]
impl CacheRepository for MemoryCache {
    async fn get(&self, key: &str) -> Result<Option<String>> {
        check_key(key)?;
        Ok(self.live().get(key).map(|entry| entry.value.clone()))
    }

    async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<()> {
        check_key(key)?;
        let ends = self.ends(ttl)?;
        self.live().put(key, value.to_owned(), ends);
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<()> {
        check_key(key)?;
        self.live().entries.remove(key);
        Ok(())
    }

    async fn exists(&self, key: &str) -> Result<bool> {
        check_key(key)?;
        Ok(self.live().get(key).is_some())
    }

    async fn get_json(&self, key: &str) -> Result<Option<Value>> {
        parse_json(key, self.get(key).await?)
    }

    async fn set_json(&self, key: &str, value: &Value, ttl: Option<Duration>) -> Result<()> {
        self.set(key, &value.to_string(), ttl).await
    }

    async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<String>>> {
        keys.iter().try_for_each(|key| check_key(key))?;
        let mut live = self.live();
        Ok(keys.iter().map(|key| live.get(key).map(|entry| entry.value.clone())).collect())
    }

    async fn set_many(&self, items: &[(&str, &str)], ttl: Option<Duration>) -> Result<()> {
        items.iter().try_for_each(|(key, _)| check_key(key))?;
        let ends = self.ends(ttl)?;
        let mut live = self.live();
        for (key, value) in items {
            live.put(key, (*value).to_owned(), ends);
        }
        Ok(())
    }

    async fn delete_pattern(&self, glob: &str) -> Result<u64> {
        let mut live = self.live();
        let keys = live.keys(glob);
        for key in &keys {
            live.entries.remove(key);
        }
        Ok(keys.len() as u64)
    }

    async fn keys(&self, glob: &str) -> Result<Vec<String>> {
        Ok(self.live().keys(glob))
    }

    async fn ttl(&self, key: &str) -> Result<i64> {
        check_key(key)?;
        let mut live = self.live();
        let now = live.now;
        Ok(match live.get(key) {
            None => -2,
            Some(Entry { ends: None, .. }) => -1,
            Some(Entry { ends: Some(ends), .. }) => seconds((ends.micros() - now.micros()) / 1_000),
        })
    }

    async fn expire(&self, key: &str, ttl: Duration) -> Result<bool> {
        check_key(key)?;
        let ends = self.ends(Some(ttl))?;
        let mut live = self.live();
        let entry = live.get(key);
        let there = entry.is_some();
        if let Some(entry) = entry {
            entry.ends = ends;
        }
        Ok(there)
    }

    async fn increment(&self, key: &str, by: i64) -> Result<i64> {
        self.add(key, Some(by))
    }

    async fn decrement(&self, key: &str, by: i64) -> Result<i64> {
        self.add(key, by.checked_neg())
    }

    async fn set_if_absent(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool> {
        check_key(key)?;
        let ends = self.ends(ttl)?;
        let mut live = self.live();
        if live.get(key).is_some() {
            return Ok(false);
        }
        live.put(key, value.to_owned(), ends);
        Ok(true)
    }

    async fn ping(&self) -> Result<Duration> {
        let before = Instant::now();
        drop(self.live());
        Ok(before.elapsed())
    }
}

/// What is there as JSON.
pub(crate) fn parse_json(key: &str, text: Option<String>) -> Result<Option<Value>> {
    let Some(text) = text else { return Ok(None) };
    let value = serde_json::from_str(&text);
    value
        .map(Some)
        .map_err(|_| StorageError::invalid(format!("the value of `{key}`"), "is no JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HandClock;

    #[tokio::test]
    async fn what_does_not_fit_takes_the_place_of_what_ends_first() {
        let cache = MemoryCache::new(Arc::new(HandClock::default()));
        cache.set("for ever", "x", None).await.expect("memory");
        for n in 0..ENTRIES_MAX as u64 + 10 {
            let ttl = Duration::from_secs(n + 1);
            cache.set(&format!("k{n}"), "x", Some(ttl)).await.expect("memory");
        }
        assert!(cache.keys("*").await.expect("memory").len() <= ENTRIES_MAX);
        assert!(cache.exists("for ever").await.expect("memory"));
        assert!(!cache.exists("k0").await.expect("memory"));
        assert!(cache.exists("k60000").await.expect("memory"));
    }
}
