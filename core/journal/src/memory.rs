//! A disk in memory that can lose power, tear writes, be full and break.

use crate::disk::{Disk, DiskError, Trouble};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What a disk writes whole or not at all.
pub const SECTOR: usize = 512;

#[derive(Clone, Debug, Default)]
struct File {
    /// As it is read.
    now: Vec<u8>,
    /// As it is after a loss of power.
    safe: Vec<u8>,
    /// What was written since the last sync, in order.
    unsafe_yet: Vec<(usize, Vec<u8>)>,
}

/// A folder in memory.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    files: BTreeMap<String, File>,
    /// How many bytes all files together may have; `None` for no limit.
    pub room: Option<u64>,
    /// After so many more changes every change fails in this way.
    pub fails_after: Option<(u64, Trouble)>,
    /// The same, for who has given the disk away.
    pub breaker: Breaker,
}

/// Makes a [`Memory`] fail that somebody else holds: after so many more changes, in this way.
#[derive(Clone, Debug, Default)]
pub struct Breaker(
    Rc<Cell<Option<(u64, Trouble)>>>,
    /// How much room is left, if it is full.
    Rc<Cell<Option<u64>>>,
);

impl Breaker {
    /// From when on it fails; `None` for never.
    pub fn set(&self, after: Option<(u64, Trouble)>) {
        self.0.set(after);
    }

    /// The disk is full from now on, but for what is removed; or there is room again.
    pub fn set_full(&self, full: bool) {
        self.1.set(full.then_some(0));
    }

    /// What it is set to now.
    pub fn get(&self) -> Option<(u64, Trouble)> {
        self.0.get()
    }
}

fn error(trouble: Trouble, what: String) -> DiskError {
    DiskError { trouble, what }
}

impl Memory {
    /// An empty folder.
    pub fn new() -> Self {
        Self::default()
    }

    /// The power goes: of what was not synced, only those sectors are there of which `keep` says so.
    pub fn lose_power(&mut self, mut keep: impl FnMut() -> bool) {
        for file in self.files.values_mut() {
            for (at, bytes) in file.unsafe_yet.drain(..) {
                let (mut from, end) = (at, at + bytes.len());
                while from < end {
                    let to = end.min((from / SECTOR + 1) * SECTOR);
                    if keep() {
                        file.safe[from..to].copy_from_slice(&bytes[from - at..to - at]);
                    }
                    from = to;
                }
            }
            file.now.clone_from(&file.safe);
        }
    }

    /// The last write into a file was torn: only its first bytes are there, and nothing is unsafe.
    pub fn tear(&mut self, name: &str, bytes: usize) {
        if let Some(file) = self.files.get_mut(name)
            && let Some((at, written)) = file.unsafe_yet.pop()
        {
            let unsafe_yet = std::mem::take(&mut file.unsafe_yet);
            for (at, bytes) in unsafe_yet {
                file.safe[at..at + bytes.len()].copy_from_slice(&bytes);
            }
            let bytes = bytes.min(written.len());
            file.safe[at..at + bytes].copy_from_slice(&written[..bytes]);
            file.now.clone_from(&file.safe);
        }
    }

    /// How many bytes the last write had that is not safe yet.
    pub fn last_write(&self, name: &str) -> Option<usize> {
        Some(self.files.get(name)?.unsafe_yet.last()?.1.len())
    }

    /// A byte of a file, to damage.
    pub fn byte(&mut self, name: &str, at: usize) -> Option<&mut u8> {
        self.files.get_mut(name)?.now.get_mut(at)
    }

    fn change(&mut self, what: &str) -> Result<(), DiskError> {
        let mut broken = self.breaker.0.get();
        let told = [&mut broken, &mut self.fails_after];
        for (left, trouble) in told.into_iter().flatten() {
            match left {
                0 => return Err(error(*trouble, format!("{what}: the disk was told to fail"))),
                _ => *left -= 1,
            }
        }
        self.breaker.0.set(broken);
        Ok(())
    }

    fn file(&self, name: &str) -> Result<&File, DiskError> {
        let missing = || error(Trouble::Missing, format!("there is no file {name}"));
        self.files.get(name).ok_or_else(missing)
    }
}

impl Disk for Memory {
    fn list(&self) -> Result<Vec<String>, DiskError> {
        Ok(self.files.keys().cloned().collect())
    }

    fn size(&self, name: &str) -> Result<u64, DiskError> {
        Ok(self.file(name)?.now.len() as u64)
    }

    fn read(&self, name: &str, at: u64, into: &mut [u8]) -> Result<(), DiskError> {
        let file = self.file(name)?;
        let at = at as usize;
        match file.now.get(at..at + into.len()) {
            Some(bytes) => {
                into.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(error(Trouble::Missing, format!("{name} is shorter than asked for"))),
        }
    }

    fn create(&mut self, name: &str, size: u64) -> Result<(), DiskError> {
        self.change(&format!("cannot make {name}"))?;
        if self.files.contains_key(name) {
            return Err(error(Trouble::Exists, format!("{name} is there already")));
        }
        let used: u64 = self.files.values().map(|file| file.now.len() as u64).sum();
        let free = self.breaker.1.get();
        let full = free.is_some_and(|free| size > free);
        if full || self.room.is_some_and(|room| used + size > room) {
            return Err(error(Trouble::Full, format!("cannot make {name}: no room is left")));
        }
        self.breaker.1.set(free.map(|free| free - size));
        let zeros = vec![0; size as usize];
        let file = File { safe: zeros.clone(), now: zeros, unsafe_yet: Vec::new() };
        self.files.insert(name.to_owned(), file);
        Ok(())
    }

    fn write(&mut self, name: &str, at: u64, bytes: &[u8]) -> Result<(), DiskError> {
        self.change(&format!("cannot write {name}"))?;
        self.file(name)?;
        let file = self.files.get_mut(name).expect("it was found");
        let at = at as usize;
        let Some(place) = file.now.get_mut(at..at + bytes.len()) else {
            return Err(error(Trouble::Missing, format!("{name} is shorter than written to")));
        };
        place.copy_from_slice(bytes);
        file.unsafe_yet.push((at, bytes.to_vec()));
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), DiskError> {
        self.change(&format!("cannot remove {name}"))?;
        let size = self.file(name)?.now.len() as u64;
        self.files.remove(name);
        self.breaker.1.set(self.breaker.1.get().map(|free| free + size));
        Ok(())
    }

    fn sync(&mut self, name: &str) -> Result<(), DiskError> {
        self.change(&format!("cannot sync {name}"))?;
        let Some(file) = self.files.get_mut(name) else { return self.file(name).map(|_| ()) };
        for (at, bytes) in file.unsafe_yet.drain(..) {
            file.safe[at..at + bytes.len()].copy_from_slice(&bytes);
        }
        Ok(())
    }
}
