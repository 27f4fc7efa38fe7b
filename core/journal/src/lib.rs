//! The append-only record of everything an engine was told, over any disk.
//!
//! In go records, in order; a [`Journal`] gathers them into batches and makes each batch safe as a whole.
//! Out they come again, from the first on, exactly as they went in: or the place is named where that is
//! not so. A record carries its place, a checksum and a running hash over all before it. The crate knows
//! neither files nor what the records mean; the disk is a [`Disk`], and [`Memory`] is one that can be
//! made to fail.
//!
//! Beside the records may stand snapshots, so that not all of them need be read again, and the oldest can
//! be taken away.
//!
//! Begin at [`Journal::append`] and [`read`]; every byte is explained in `docs/journal-format.md`.

mod crc;
mod cut;
mod disk;
mod error;
mod frame;
mod journal;
mod memory;
mod read;
mod segment;
mod snapshot;
mod tail;

pub use cut::{Cut, cut};
pub use disk::{Disk, DiskError, Trouble};
pub use error::JournalError;
pub use frame::{Head, PAYLOAD_MAX};
pub use journal::{Durability, Journal, Options};
pub use memory::{Breaker, Memory, SECTOR};
pub use read::{Contents, Record, Torn, look_up, read, read_after};
pub use segment::FORMAT;
pub use snapshot::{
    Mark, Snapshot, Spare, name as snapshot_name, read_snapshot, snapshots, spare, trim,
};
pub use tail::Tail;
