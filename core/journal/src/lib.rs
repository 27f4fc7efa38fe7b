//! The append-only record of everything an engine was told, over any disk.
//!
//! In go records, in order; a [`Journal`] gathers them into batches and makes each batch safe as a whole.
//! Out they come again, from the first on, exactly as they went in: or the place is named where that is
//! not so. A record carries its place, a checksum and a running hash over all before it. The crate knows
//! neither files nor what the records mean; the disk is a [`Disk`], and [`Memory`] is one that can be
//! made to fail.
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

pub use cut::{Cut, cut};
pub use disk::{Disk, DiskError, Trouble};
pub use error::JournalError;
pub use frame::{Head, PAYLOAD_MAX};
pub use journal::{Durability, Journal, Options};
pub use memory::{Breaker, Memory, SECTOR};
pub use read::{Contents, Record, Torn, look_up, read};
pub use segment::FORMAT;
