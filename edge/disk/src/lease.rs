//! A lease as a file: the epoch that may send, for every engine that can see the folder.
//!
//! The file holds one number. It is replaced as a whole, so nobody reads half of it, and what was raised
//! survives a loss of power. It stands beside the journal; engines on two machines need one that both see.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use tse_engine::{Lease, LeaseError};

/// Its name.
const NAME: &str = "lease";
/// Held while it is raised.
const LOCK: &str = "lease.lock";

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
        let unfinished = self.folder.join(format!("{NAME}.new"));
        let written = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .open(&unfinished)
            .and_then(|mut file| {
                file.write_all(format!("{epoch}\n").as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| std::fs::rename(&unfinished, self.path()))
            .and_then(|()| File::open(&self.folder)?.sync_all());
        written.map_err(|error| self.failed("write", &error))
    }
}
