//! A disk that remembers how long it took to make things safe.

use crate::Folder;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tse_journal::{Disk, DiskError};

/// How long the slowest call took since somebody last asked, in nanoseconds.
#[derive(Clone, Debug, Default)]
pub struct Slowest(Arc<AtomicU64>);

impl Slowest {
    /// Nanoseconds; and from here on it is counted anew.
    pub fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }

    fn note(&self, since: Instant) {
        let nanos = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_max(nanos, Ordering::Relaxed);
    }
}

/// A folder whose writes and syncs are timed.
#[derive(Debug)]
pub struct Timed {
    folder: Folder,
    slowest: Slowest,
}

impl Timed {
    /// Times what is done to a folder.
    pub fn new(folder: Folder, slowest: Slowest) -> Self {
        Self { folder, slowest }
    }
}

impl Disk for Timed {
    fn list(&self) -> Result<Vec<String>, DiskError> {
        self.folder.list()
    }

    fn size(&self, name: &str) -> Result<u64, DiskError> {
        self.folder.size(name)
    }

    fn read(&self, name: &str, at: u64, into: &mut [u8]) -> Result<(), DiskError> {
        self.folder.read(name, at, into)
    }

    fn create(&mut self, name: &str, size: u64) -> Result<(), DiskError> {
        let since = Instant::now();
        let made = self.folder.create(name, size);
        self.slowest.note(since);
        made
    }

    fn write(&mut self, name: &str, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        let since = Instant::now();
        let written = self.folder.write(name, at, bytes);
        self.slowest.note(since);
        written
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        self.folder.remove(name)
    }

    fn sync(&mut self, name: &str) -> Result<(), DiskError> {
        let since = Instant::now();
        let synced = self.folder.sync(name);
        self.slowest.note(since);
        synced
    }
}
