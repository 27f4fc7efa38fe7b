//! A lease as a file: the epoch that may send, for every engine that can see the folder.
//!
//! The file holds one number. It is replaced as a whole, so nobody reads half of it, and what was raised
//! survives a loss of power. It stands beside the journal; engines on two machines need one that both see.
//!
//! A file `kill` beside it is the flag that stops everything but cancels. Whoever can make a file can raise
//! it; what it says is for people.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use tse_engine::{Lease, LeaseError};

/// Its name.
const NAME: &str = "lease";
/// Held while it is raised.
const LOCK: &str = "lease.lock";
/// The flag.
const FLAG: &str = "kill";

/// A lease in a folder.
#[derive(Clone, Debug)]
pub struct LeaseFile {
    folder: PathBuf,
}

impl LeaseFile {
    /// The lease of a folder, which need not have one yet.
    pub fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    fn path(&self) -> PathBuf {
        self.folder.join(NAME)
    }

    fn failed(&self, doing: &str, error: &std::io::Error) -> LeaseError {
        LeaseError(format!("cannot {doing} {}: {error}", self.path().display()))
    }

    /// Replaces a file as a whole.
    fn replace(&self, name: &str, text: &str) -> std::io::Result<()> {
        let unfinished = self.folder.join(format!("{name}.new"));
        let mut file =
            OpenOptions::new().create(true).truncate(true).write(true).open(&unfinished)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&unfinished, self.folder.join(name))?;
        File::open(&self.folder)?.sync_all()
    }
}

impl Lease for LeaseFile {
    fn newest(&self) -> Result<u16, LeaseError> {
        let text = match std::fs::read_to_string(self.path()) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(self.failed("read", &error)),
        };
        text.trim().parse().map_err(|_| {
            LeaseError(format!("{} holds `{}`, not an epoch", self.path().display(), text.trim()))
        })
    }

    fn raise(&mut self, epoch: u16) -> Result<(), LeaseError> {
        // Looked at and replaced by one at a time, so that no two engines begin one epoch. The lock goes
        // with the file, and the file with this call.
        let lock = self.folder.join(LOCK);
        let held = OpenOptions::new().create(true).truncate(false).write(true).open(lock);
        let held = held.map_err(|error| self.failed("lock", &error))?;
        held.lock().map_err(|error| self.failed("lock", &error))?;
        let newest = self.newest()?;
        if epoch <= newest {
            return Err(LeaseError(format!("epoch {epoch} is not after {newest}")));
        }
        let written = self.replace(NAME, &format!("{epoch}\n"));
        written.map_err(|error| self.failed("write", &error))
    }

    fn is_halted(&self) -> Result<bool, LeaseError> {
        let flag = self.folder.join(FLAG);
        let there = flag.try_exists();
        there.map_err(|error| LeaseError(format!("cannot look for {}: {error}", flag.display())))
    }

    fn set_halted(&mut self, reason: Option<&str>) -> Result<(), LeaseError> {
        let flag = self.folder.join(FLAG);
        let changed = match reason {
            Some(reason) => self.replace(FLAG, &format!("{reason}\n")),
            None => match std::fs::remove_file(&flag) {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
                removed => removed.and_then(|()| File::open(&self.folder)?.sync_all()),
            },
        };
        changed.map_err(|error| LeaseError(format!("cannot change {}: {error}", flag.display())))
    }
}
