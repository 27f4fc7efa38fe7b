//! Why a journal cannot be read or written: each says what is safe.

use crate::disk::DiskError;
use crate::frame::PAYLOAD_MAX;
use crate::segment::FORMAT;
use std::fmt;

/// Why a journal cannot be read or written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum JournalError {
    /// The disk failed. What was committed before is safe; what was on its way may be there or not, and is
    /// looked for when the journal is opened again.
    Disk(DiskError),
    /// Bytes of a record that was safe are not what was written. Everything before it is sound.
    Corrupt {
        /// In which file.
        segment: String,
        /// At which byte.
        at: u64,
        /// Which record should be there.
        sequence: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// Another version of this program wrote it: a later one, or one from before the first release.
    Newer {
        /// In which file.
        segment: String,
        /// In which version of the format.
        format: u32,
    },
    /// A snapshot is of another journal, or of records that this one does not have (any more).
    Foreign {
        /// The record it says it was made after.
        snapshot: u64,
    },
    /// There is no journal.
    Empty,
    /// There is a journal already.
    Exists,
    /// A record is longer than a journal takes.
    TooLong {
        /// How long.
        bytes: usize,
    },
    /// An earlier attempt failed: nothing more is written until the journal has been opened anew.
    Stopped,
}

impl From<DiskError> for JournalError {
    fn from(error: DiskError) -> Self {
        Self::Disk(error)
    }
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(error) => error.fmt(f),
            Self::Corrupt { segment, at, sequence, what } => {
                write!(f, "record {sequence} in {segment} at byte {at}: {what}")
            }
            Self::Newer { segment, format } => {
                write!(f, "{segment} has format {format}, and this program reads {FORMAT}")
            }
            Self::Foreign { snapshot } => {
                write!(f, "the snapshot after record {snapshot} is not of this journal")
            }
            Self::Empty => f.write_str("there is no journal"),
            Self::Exists => f.write_str("there is a journal already"),
            Self::TooLong { bytes } => {
                write!(f, "a record of {bytes} bytes is longer than the {PAYLOAD_MAX} allowed")
            }
            Self::Stopped => f.write_str("the journal has stopped after an error"),
        }
    }
}

impl std::error::Error for JournalError {}
