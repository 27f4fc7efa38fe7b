//! How often a snapshot is made, and what is taken away then.
//!
//! A snapshot holds what the engine was set up with and everything that its inputs have made of it. It is
//! redundant: what it says follows from the records before it, as long as they are there. So a snapshot that
//! cannot be read, or that another version of the program made, is passed over for an older one, and in the
//! end for the whole journal; and a disk that has no room for one does not stop the engine.

use crate::restore::Past;
use tse_journal::{JournalError, Snapshot};
use tse_kernel::{Kernel, keep};
use tse_model::bytes::{Reader, Recorded, Writer};
use tse_model::{Span, StateHash, Timestamp};

/// What is done beside the work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Upkeep {
    /// After so many inputs a snapshot is made; `None` for never.
    pub snapshot_every: Option<u64>,
    /// How many of the newest snapshots are kept: more than one, in case the disk damages one. At least two,
    /// where the records before them are taken away.
    pub snapshots_kept: usize,
    /// How old records must be before they are taken away, as far as no snapshot that is kept needs them;
    /// `None` keeps everything, and only then the whole life of the engine can be replayed. Must be longer
    /// than a venue may be late with an execution, since that is looked up in what is left.
    pub retain: Option<Span>,
}

impl Default for Upkeep {
    fn default() -> Self {
        Self { snapshot_every: Some(100_000), snapshots_kept: 2, retain: None }
    }
}

/// Why the last snapshot was not made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NoSnapshot {
    /// One of the strategies cannot be saved: none is ever made.
    Unsaveable,
    /// The disk would not have it; it is tried again.
    Journal(JournalError),
}

impl std::fmt::Display for NoSnapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unsaveable => f.write_str("one of the strategies cannot be saved"),
            Self::Journal(error) => write!(f, "it could not be written: {error}"),
        }
    }
}

/// A snapshot as bytes. `None` if a strategy cannot be saved.
pub(crate) fn write(past: &Past, kernel: &Kernel, out: &mut Writer) -> Option<()> {
    out.clear();
    keep::VERSION.write(out);
    past.write(out);
    kernel.state_hash().write(out);
    kernel.save(out).then_some(())
}

/// What stands before the kernel's own bytes; `None` if another version of the program wrote them.
/// A snapshot's moments are told from the beginning of time.
const fn reader(bytes: &[u8]) -> Reader<'_> {
    Reader::new(bytes, Timestamp::EPOCH)
}

fn front(bytes: &mut Reader<'_>) -> Option<(Past, StateHash)> {
    if u16::read(bytes)? != keep::VERSION {
        return None;
    }
    Some((Past::read(bytes)?, StateHash::read(bytes)?))
}

/// Whether this version of the program wrote a snapshot.
pub(crate) fn is_current(snapshot: &Snapshot) -> bool {
    front(&mut reader(&snapshot.payload)).is_some()
}

/// Whether this program can make an engine of a snapshot.
pub fn is_usable(
    snapshot: &Snapshot,
    build: &mut impl FnMut(&str) -> Result<Kernel, String>,
) -> bool {
    read(&snapshot.payload, build).is_some()
}

/// An engine from a snapshot; `None` if this program cannot make it what it was.
pub(crate) fn read(
    bytes: &[u8],
    build: &mut impl FnMut(&str) -> Result<Kernel, String>,
) -> Option<(Past, Kernel)> {
    let mut bytes = reader(bytes);
    let (past, state) = front(&mut bytes)?;
    let mut kernel = build(std::str::from_utf8(&past.setup).ok()?).ok()?;
    kernel.load(bytes.rest())?;
    (kernel.state_hash() == state).then_some((past, kernel))
}

/// Whether a snapshot is of this kernel, to the last byte; `None` if this program cannot say.
pub(crate) fn is_of(bytes: &[u8], kernel: &Kernel) -> Option<bool> {
    let mut bytes = reader(bytes);
    let (_, state) = front(&mut bytes)?;
    let mut own = Writer::default();
    let saved = kernel.save(&mut own);
    saved.then(|| state == kernel.state_hash() && own.as_bytes() == bytes.rest())
}
