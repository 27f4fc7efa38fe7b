//! Follows a journal with an engine of its own, and gathers rows into batches.

use crate::row::TooLong;
use crate::scribe::{About, Scribe};
use std::sync::Arc;
use tse_disk::Folder;
use tse_engine::{Difference, Pick, Replay, kind};
use tse_journal::{Disk, Head, JournalError, Record, Tail};
use tse_kernel::{Kernel, Output, record};
use tse_model::Timestamp;
use tse_storage::Batch;

/// Makes an engine of what it was set up with.
pub type Build = Arc<dyn Fn(&str) -> Result<Kernel, String> + Send + Sync>;

/// So many records are read before it is looked whether there is enough for a batch.
const STRIDE: usize = 512;

/// Why a journal is not followed further.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// It cannot be read.
    #[error("the journal cannot be read: {0}")]
    Journal(#[from] JournalError),
    /// It cannot be opened.
    #[error("{0}")]
    Disk(tse_journal::DiskError),
    /// What it says was sent is not what the same inputs lead to.
    #[error("the journal and the engine part at {0}")]
    Differs(Box<Difference>),
    /// No engine can be made of it.
    #[error("no engine can be made of the journal: {0}")]
    Setup(String),
    /// A store has rows of records that it does not have.
    #[error(
        "the store is at record {applied}, and the journal ends at {last}: it is of another journal"
    )]
    Ahead {
        /// How far the store is.
        applied: u64,
        /// How far the journal is.
        last: u64,
    },
    /// A store has rows of another journal.
    #[error(
        "the store has rows of another journal, `{other}`: `tse store rebuild` replaces what is there, or take another schema"
    )]
    Occupied {
        /// Which.
        other: String,
    },
    /// A row cannot hold what it says.
    #[error("record {sequence}: {source}")]
    Row {
        /// Which record.
        sequence: u64,
        /// Why.
        source: TooLong,
    },
}

/// A place in a journal, and everything that is known there.
pub struct Follower<D = Folder> {
    disk: D,
    build: Build,
    tail: Tail,
    replay: Option<Replay>,
    scribe: Scribe,
    /// Rows of records up to here are in the store.
    applied: u64,
    /// Records up to here have been read.
    read: u64,
    /// Whether the store begins with what an engine knew in the middle of its journal.
    from_middle: bool,
    last: Timestamp,
}

impl<D: Disk> Follower<D> {
    /// Goes on where a store is, which has rows up to `applied`; for one that has none from the beginning, or from what
    /// the `newest` snapshot knows.
    ///
    /// It begins at the newest snapshot that is not behind that place. Where records before it are gone, it begins at
    /// the oldest snapshot with everything that is known there.
    ///
    /// # Errors
    /// A folder that cannot be opened, or a journal that cannot be read.
    pub fn begin(
        disk: D,
        about: About,
        (applied, newest): (Option<u64>, bool),
        build: Build,
    ) -> Result<Self, FollowError> {
        let pick = match applied {
            Some(applied) => Some(Pick::NewestBefore(applied.saturating_add(1))),
            None => newest.then_some(Pick::NewestBefore(u64::MAX)),
        };
        let found = match pick {
            Some(pick) => Replay::from_snapshot(&disk, pick, |setup| build(setup))?,
            None => None,
        };
        let mut follower = Self {
            disk,
            build,
            tail: Tail::new(),
            replay: None,
            scribe: Scribe::new(about),
            applied: applied.unwrap_or(0),
            read: 0,
            from_middle: false,
            last: Timestamp::MIN,
        };
        if let Some((mark, replay)) = found {
            follower.from_middle = applied.is_none();
            follower.resume(mark, replay);
        } else if follower.is_cut()? {
            let build = Arc::clone(&follower.build);
            let oldest = Replay::from_snapshot(&follower.disk, Pick::Oldest, |it| build(it))?;
            let (mark, replay) = oldest.ok_or_else(|| {
                FollowError::Setup("its first records are gone, and no snapshot can be used".into())
            })?;
            follower.from_middle = true;
            follower.resume(mark, replay);
        }
        Ok(follower)
    }

    fn resume(&mut self, mark: tse_journal::Mark, replay: Replay) {
        self.last = replay.kernel().now();
        self.read = mark.sequence;
        self.tail = Tail::after(mark);
        self.replay = Some(replay);
    }

    /// Whether the first records were taken away.
    fn is_cut(&self) -> Result<bool, FollowError> {
        let mut first = None;
        let mut tail = Tail::new();
        tail.read(&self.disk, u64::MAX, 1, |record| {
            first.get_or_insert(record.head.sequence);
        })?;
        Ok(first.is_some_and(|first| first > 1))
    }

    /// Who makes the rows, to remember what a store knows already.
    pub fn scribe(&mut self) -> &mut Scribe {
        &mut self.scribe
    }

    /// The engine, once there is one.
    pub fn kernel(&self) -> Option<&Kernel> {
        self.replay.as_ref().map(Replay::kernel)
    }

    /// Rows of records up to here are in the store.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// The store has a batch now.
    pub fn has(&mut self, batch: &Batch) {
        self.applied = batch.to;
        self.from_middle = false;
    }

    /// Reads on, up to `safe` at most, until there are `most` rows or records come no more. `None` if nothing is new.
    ///
    /// # Errors
    /// Why it cannot go on.
    pub fn batch(&mut self, safe: u64, most: usize) -> Result<Option<Batch>, FollowError> {
        if self.from_middle
            && let Some(replay) = &self.replay
        {
            let sequence = self.read;
            let made = self.scribe.everything(self.last, replay.kernel());
            made.map_err(|source| FollowError::Row { sequence, source })?;
        }
        while self.read < safe && self.scribe.pending() < most {
            let before = self.read;
            self.stride(safe)?;
            if self.read == before {
                break;
            }
        }
        let from = if self.from_middle { 0 } else { self.applied + 1 };
        if self.read < from.max(1) {
            return Ok(None);
        }
        Ok(Some(Batch { from, to: self.read, changes: self.scribe.rows() }))
    }

    /// Reads some records.
    fn stride(&mut self, safe: u64) -> Result<(), FollowError> {
        let Self { disk, build, tail, replay, scribe, applied, read, last, .. } = self;
        let mut outputs: Vec<Output> = Vec::new();
        let mut trouble = None;
        tail.read(disk, safe, STRIDE, |record| {
            if trouble.is_some() {
                return;
            }
            outputs.clear();
            match step(record, build, replay, &mut outputs) {
                Err(error) => trouble = Some(error),
                Ok(None) => *read = record.head.sequence,
                Ok(Some(kernel)) => {
                    let Head { sequence, time, .. } = record.head;
                    *last = (*last).max(time);
                    let input = record::read_input(record.payload, time);
                    let taken = scribe.take(time, input.as_ref(), &outputs, kernel);
                    if let Err(source) = taken {
                        trouble = Some(FollowError::Row { sequence, source });
                        return;
                    }
                    *read = sequence;
                    if sequence <= *applied {
                        // The store has these rows: they were made again only to know what they come to.
                        drop(scribe.rows());
                    }
                }
            }
        })?;
        trouble.map_or(Ok(()), Err)
    }
}

/// Takes a record in; the engine, if it was an input.
fn step<'a>(
    record: &Record<'_>,
    build: &Build,
    replay: &'a mut Option<Replay>,
    outputs: &mut Vec<Output>,
) -> Result<Option<&'a Kernel>, FollowError> {
    if record.head.kind == kind::BEGIN {
        let setup = String::from_utf8_lossy(record.payload);
        let kernel = build(&setup).map_err(FollowError::Setup)?;
        *replay = Some(Replay::new(kernel));
        return Ok(None);
    }
    let replay = replay
        .as_mut()
        .ok_or_else(|| FollowError::Setup("it does not begin with how it was set up".into()))?;
    replay
        .take_watched(record, &mut |_, output| outputs.push(*output))
        .map_err(|difference| FollowError::Differs(Box::new(difference)))?;
    Ok((record.head.kind == kind::INPUT).then(|| replay.kernel()))
}
