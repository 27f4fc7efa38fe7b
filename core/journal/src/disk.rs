//! What a journal needs of a disk: one flat folder of files whose room is reserved when they are made.
//!
//! The real one is at the edge; [`Memory`](crate::Memory) is one for tests and simulations, and can be
//! made to fail. A write is no promise: only what was written before a [`sync`](Disk::sync) is there
//! after power was lost.

use std::fmt;

/// A folder of files.
pub trait Disk {
    /// The names of all files, in ascending order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    fn list(&self) -> Result<Vec<String>, DiskError>;

    /// How long a file is.
    ///
    /// # Errors
    /// When there is none of this name, or the disk fails.
    fn size(&self, name: &str) -> Result<u64, DiskError>;

    /// Reads exactly as many bytes as fit.
    ///
    /// # Errors
    /// When the file is missing or shorter, or the disk fails.
    fn read(&self, name: &str, at: u64, into: &mut [u8]) -> Result<(), DiskError>;

    /// Makes a file of so many zeros, with room reserved for all of them. When this returns, the file is
    /// there also after power was lost.
    ///
    /// # Errors
    /// When there is one of this name, there is no room, or the disk fails.
    fn create(&mut self, name: &str, size: u64) -> Result<(), DiskError>;

    /// Writes into a file, within its size.
    ///
    /// # Errors
    /// When the disk fails.
    fn write(&mut self, name: &str, at: u64, bytes: &[u8]) -> Result<(), DiskError>;

    /// Takes a file away. When this returns, it stays away also after power was lost.
    ///
    /// # Errors
    /// When there is none of this name, or the disk fails.
    fn remove(&mut self, name: &str) -> Result<(), DiskError>;

    /// Makes everything written into a file so far survive a loss of power.
    ///
    /// # Errors
    /// When the disk fails. What was written then may or may not be there: it must not be tried again.
    fn sync(&mut self, name: &str) -> Result<(), DiskError>;
}

/// In what way a disk failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// There is no room left.
    Full,
    /// Nothing may be written there.
    ReadOnly,
    /// There is no such file, or it is shorter than it should be.
    Missing,
    /// A file of this name is there already.
    Exists,
    /// Anything else.
    Broken,
}

/// Why a disk did not do as it was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiskError {
    /// In what way.
    pub trouble: Trouble,
    /// What was attempted, and what the system said.
    pub what: String,
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for DiskError {}
