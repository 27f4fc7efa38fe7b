//! Writing: records are gathered into a batch, and a batch becomes safe as a whole.

use crate::disk::{Disk, Trouble};
use crate::error::JournalError;
use crate::frame::{Filling, GATHERED, PAYLOAD_MAX};
use crate::read::{Contents, Record, read, read_after};
use crate::segment::{FORMAT, HEADER, Header, name};
use crate::snapshot::{self, Mark, Snapshot, Spare};
use tse_model::Timestamp;
use tse_model::bytes::Writer;

/// What a record must survive before it counts as safe.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Durability {
    /// A loss of power: each batch is synced. For everything that trades.
    #[default]
    Power,
    /// The death of the process: each batch is written. A loss of power may take the last moments.
    Process,
    /// Nothing in particular: a batch is written when it has 64 KiB. For backtests.
    None,
}

/// How a journal is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// What is safe.
    pub durability: Durability,
    /// How long each file is.
    pub segment_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { durability: Durability::Power, segment_bytes: 16 << 20 }
    }
}

/// A journal that is being written.
pub struct Journal<D> {
    disk: D,
    options: Options,
    segment: String,
    segment_size: u64,
    /// Where the batch will be written.
    offset: u64,
    batch: Filling,
    /// The first record of the batch.
    batch_first: u64,
    /// The running hash before it.
    chain: u64,
    stopped: bool,
    reserve: Reserve,
}

/// A file that is as long as a segment and holds nothing: room for one more when the disk is full.
const RESERVE: &str = "reserve";

/// Whether there is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Reserve {
    /// Nobody asked for it.
    Unasked,
    Held,
    /// It was used up, or there never was room for it.
    Missing,
}

impl<D: Disk> Journal<D> {
    /// Begins a journal in a folder without one, or in which one was begun and holds no record.
    ///
    /// # Errors
    /// `Exists` if there is one, or what the disk says.
    pub fn create(disk: D, options: Options) -> Result<Self, JournalError> {
        match read(&disk, |_| ()) {
            // Snapshots of a journal whose files somebody took away: it must not begin anew among them.
            Err(JournalError::Empty) if !snapshot::snapshots(&disk)?.is_empty() => {
                return Err(JournalError::Exists);
            }
            Err(JournalError::Empty) => {}
            Err(error) => return Err(error),
            Ok(contents) if contents.last < contents.first => {
                return Ok(Self::open(disk, options, |_| ())?.0);
            }
            Ok(_) => return Err(JournalError::Exists),
        }
        let mut journal = Self {
            disk,
            options,
            segment: name(1),
            segment_size: 0,
            offset: 0,
            batch: Filling::default(),
            batch_first: 1,
            chain: 0,
            stopped: false,
            reserve: Reserve::Unasked,
        };
        journal.begin_segment()?;
        Ok(journal)
    }

    /// Opens a journal to go on with it. Every record is read and shown to `each`; a torn end is cut off.
    ///
    /// # Errors
    /// `Empty` if there is none; `Corrupt` or `Newer`, and nothing was changed; what the disk says.
    pub fn open(
        disk: D,
        options: Options,
        each: impl FnMut(&Record<'_>),
    ) -> Result<(Self, Contents), JournalError> {
        Self::open_after(disk, options, None, each)
    }

    /// The same, where only the records behind a mark are read and shown.
    ///
    /// # Errors
    /// As for [`open`](Self::open), and `Foreign` if the journal does not have that mark.
    pub fn open_after(
        disk: D,
        options: Options,
        after: Option<Mark>,
        each: impl FnMut(&Record<'_>),
    ) -> Result<(Self, Contents), JournalError> {
        let contents = read_after(&disk, after, each)?;
        let (segment, offset) = contents.end.clone();
        let segment_size = disk.size(&segment)?;
        let held = disk.list()?.iter().any(|name| name == RESERVE);
        let reserve = if held { Reserve::Held } else { Reserve::Unasked };
        let mut journal = Self {
            disk,
            options,
            segment,
            segment_size,
            offset,
            batch: Filling::default(),
            batch_first: contents.last + 1,
            chain: contents.chain,
            stopped: false,
            reserve,
        };
        if let Some(torn) = &contents.torn {
            let zeros = vec![0; torn.bytes as usize];
            journal.disk.write(&torn.segment, torn.at, &zeros)?;
            journal.disk.sync(&torn.segment)?;
        }
        // What was read is what the engine goes on from: it must not be lost any more, and least of all
        // behind a later file.
        journal.disk.sync(&journal.segment)?;
        if contents.unbegun.is_some() {
            journal.begin_segment()?;
        }
        Ok((journal, contents))
    }

    /// The last record that is safe.
    pub fn safe(&self) -> u64 {
        self.batch_first - 1
    }

    /// The place of the next record.
    pub fn next(&self) -> u64 {
        self.batch_first + u64::from(self.batch.count())
    }

    /// The running hash after the last record that is safe.
    pub fn chain(&self) -> u64 {
        self.chain
    }

    /// Whether an earlier attempt failed, so that nothing more is written.
    pub fn has_stopped(&self) -> bool {
        self.stopped
    }

    /// Whether what leaves an engine must wait until its record is safe.
    pub fn is_strict(&self) -> bool {
        self.options.durability != Durability::None
    }

    /// The disk, to look at.
    pub fn disk(&self) -> &D {
        &self.disk
    }

    /// Gives the disk back. What was not committed is lost.
    pub fn into_disk(self) -> D {
        self.disk
    }

    /// Adds a record to the batch. It is not safe before the next [`commit`](Self::commit), but for batches
    /// of 64 KiB, which are made safe at once.
    ///
    /// # Errors
    /// `TooLong`, and nothing was changed; or what the disk says where a batch was written.
    pub fn append(
        &mut self,
        time: Timestamp,
        kind: u16,
        version: u16,
        payload: &[u8],
    ) -> Result<u64, JournalError> {
        self.append_with(time, kind, version, |out| out.bytes(payload))
    }

    /// The same, where `write` appends the payload. Moments are written as the distance from `time`.
    ///
    /// # Errors
    /// As for [`append`](Self::append).
    #[inline]
    pub fn append_with(
        &mut self,
        time: Timestamp,
        kind: u16,
        version: u16,
        write: impl FnOnce(&mut Writer),
    ) -> Result<u64, JournalError> {
        if self.stopped {
            return Err(JournalError::Stopped);
        }
        if !self.batch.takes(version) {
            self.commit()?;
        }
        let sequence = self.next();
        let undo = self.batch.add(time, kind, version, write);
        let size = self.batch.size();
        if undo.payload > PAYLOAD_MAX || self.offset + size as u64 > self.segment_size {
            let payload = self.batch.undo(&undo);
            self.append_elsewhere(time, kind, version, &payload)?;
        } else if size >= GATHERED {
            self.commit()?;
        }
        Ok(sequence)
    }

    /// Adds a record for which there is no room in this file to the next.
    #[cold]
    fn append_elsewhere(
        &mut self,
        time: Timestamp,
        kind: u16,
        version: u16,
        payload: &[u8],
    ) -> Result<(), JournalError> {
        let mut alone = Filling::default();
        alone.add(time, kind, version, |out| out.bytes(payload));
        let room = self.options.segment_bytes - HEADER as u64;
        if payload.len() > PAYLOAD_MAX || alone.size() as u64 > room {
            return Err(JournalError::TooLong { bytes: payload.len() });
        }
        self.roll_over()?;
        if self.offset + alone.size() as u64 > self.segment_size {
            // The next file was made before, shorter, and not begun.
            return Err(JournalError::TooLong { bytes: payload.len() });
        }
        self.batch = alone;
        Ok(())
    }

    /// Makes all records so far safe, as the durability means it. Returns the last one.
    ///
    /// # Errors
    /// What the disk says. Then nobody knows what is there: the journal takes nothing more, and says so
    /// again and again. Opening it anew finds out.
    pub fn commit(&mut self) -> Result<u64, JournalError> {
        if self.stopped {
            return Err(JournalError::Stopped);
        }
        if self.batch.count() > 0 {
            let chain = self.batch.seal(self.batch_first, self.chain);
            let frame = self.batch.as_bytes();
            let written = self.disk.write(&self.segment, self.offset, frame);
            let safe = written.and_then(|()| match self.options.durability {
                Durability::Power => self.disk.sync(&self.segment),
                Durability::Process | Durability::None => Ok(()),
            });
            if let Err(error) = safe {
                self.stopped = true;
                return Err(error.into());
            }
            self.offset += frame.len() as u64;
            self.chain = chain;
            self.batch_first = self.next();
            self.batch.clear();
        }
        Ok(self.safe())
    }

    /// Makes all records so far survive a loss of power, whatever the durability.
    ///
    /// # Errors
    /// As for [`commit`](Self::commit).
    pub fn sync(&mut self) -> Result<u64, JournalError> {
        self.commit()?;
        if let Err(error) = self.disk.sync(&self.segment) {
            self.stopped = true;
            return Err(error.into());
        }
        Ok(self.safe())
    }

    /// Sees to it that there is room for one more file when the disk is full, and says whether there is. Who
    /// asks for that is told by [`is_nearly_full`](Self::is_nearly_full) when that room is all there is.
    ///
    /// # Errors
    /// What the disk says, but for that it is full.
    pub fn keep_reserve(&mut self) -> Result<bool, JournalError> {
        if self.reserve != Reserve::Held {
            self.reserve = match self.disk.create(RESERVE, self.options.segment_bytes) {
                Ok(()) => Reserve::Held,
                Err(error) if error.trouble == Trouble::Exists => Reserve::Held,
                Err(error) if error.trouble == Trouble::Full => Reserve::Missing,
                Err(error) => return Err(error.into()),
            };
        }
        Ok(self.reserve == Reserve::Held)
    }

    /// Whether the file that is being written is the last there is room for.
    pub fn is_nearly_full(&self) -> bool {
        self.reserve == Reserve::Missing
    }

    /// Gives the room back that was kept.
    ///
    /// # Errors
    /// What the disk says.
    pub fn drop_reserve(&mut self) -> Result<(), JournalError> {
        if std::mem::replace(&mut self.reserve, Reserve::Unasked) == Reserve::Held {
            self.disk.remove(RESERVE)?;
        }
        Ok(())
    }

    /// Writes a snapshot of what the engine is after the last record; all up to there survives a loss of
    /// power first (under [`Durability::None`] as far as it is in the last file). Returns that record.
    ///
    /// # Errors
    /// What the disk says. If it was the snapshot that could not be written, the journal goes on.
    pub fn snapshot(&mut self, payload: &[u8]) -> Result<u64, JournalError> {
        let sequence = self.sync()?;
        let after = Mark { sequence, chain: self.chain };
        snapshot::write(&mut self.disk, after, payload)?;
        Ok(sequence)
    }

    /// Takes away what recovering does not need: see [`trim`](snapshot::trim).
    ///
    /// # Errors
    /// What the disk says; the journal goes on.
    pub fn trim(
        &mut self,
        kept: usize,
        until: Option<Timestamp>,
        usable: &dyn Fn(&Snapshot) -> bool,
    ) -> Result<Spare, JournalError> {
        snapshot::trim(&mut self.disk, kept, until, usable)
    }

    /// Ends a file and begins the next. All before it survives a loss of power from then on.
    fn roll_over(&mut self) -> Result<(), JournalError> {
        self.commit()?;
        if self.options.durability == Durability::Process
            && let Err(error) = self.disk.sync(&self.segment)
        {
            self.stopped = true;
            return Err(error.into());
        }
        self.begin_segment()
    }

    fn begin_segment(&mut self) -> Result<(), JournalError> {
        let segment = name(self.next());
        let made = match self.disk.create(&segment, self.options.segment_bytes) {
            // For this it was kept.
            Err(error) if error.trouble == Trouble::Full && self.reserve == Reserve::Held => {
                self.reserve = Reserve::Missing;
                let made = self.disk.remove(RESERVE);
                let made =
                    made.and_then(|()| self.disk.create(&segment, self.options.segment_bytes));
                made.map(|()| self.options.segment_bytes)
            }
            // Made, but not begun, when something stopped: it is empty.
            Err(error) if error.trouble == Trouble::Exists => self.disk.size(&segment),
            made => made.map(|()| self.options.segment_bytes),
        };
        let begun = made.and_then(|size| {
            let header = Header { format: FORMAT, first: self.next(), chain: self.chain, size };
            self.disk.write(&segment, 0, &header.encode())?;
            self.disk.sync(&segment)?;
            Ok(size)
        });
        match begun {
            Ok(size) => {
                (self.segment, self.segment_size, self.offset) = (segment, size, HEADER as u64);
                Ok(())
            }
            Err(error) => {
                self.stopped = true;
                Err(error.into())
            }
        }
    }
}
