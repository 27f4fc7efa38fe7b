//! Record, step, release; and how an engine goes on after it was stopped.

use crate::egress::{Egress, Lease, LeaseError, Stopped};
use crate::index::Index;
use crate::kind;
use crate::replay::{Difference, Replay};
use std::fmt;
use tse_journal::{Contents, Disk, Journal, JournalError, Options};
use tse_kernel::{Input, Kernel, Output, Plant, record};
use tse_model::{ClientOrderId, Machine, Request, StateHash, Timestamp};

/// How many inputs stand between two records of the state hash.
pub const CHECK_EVERY: u64 = 4_096;

/// Why an engine does not begin or does not go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EngineError {
    /// The journal cannot be read or written.
    Journal(JournalError),
    /// The lease cannot be used.
    Lease(LeaseError),
    /// This program does something else with the journal's inputs than the one that wrote it: it must
    /// not go on from a state that never was.
    Differs(Box<Difference>),
    /// The journal does not say what the engine was set up with, or that cannot be built.
    Setup(String),
    /// There were as many epochs as names of orders can tell apart.
    NoEpochLeft,
}

impl From<JournalError> for EngineError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl From<LeaseError> for EngineError {
    fn from(error: LeaseError) -> Self {
        Self::Lease(error)
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(error) => error.fmt(f),
            Self::Lease(error) => error.fmt(f),
            Self::Differs(difference) => {
                write!(
                    f,
                    "the journal was written by a program that behaves otherwise: {difference}"
                )
            }
            Self::Setup(what) => f.write_str(what),
            Self::NoEpochLeft => write!(f, "the journal has seen as many epochs as there can be"),
        }
    }
}

impl std::error::Error for EngineError {}

/// What was found when an engine began.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Begun {
    /// Its epoch.
    pub epoch: u16,
    /// How many inputs were replayed.
    pub inputs: u64,
    /// The state that they led to.
    pub state: StateHash,
    /// What the journal holds, and whether its end was torn.
    pub contents: Option<Contents>,
}

/// A kernel on its journal.
pub struct Engine<D, L> {
    kernel: Kernel,
    journal: Journal<D>,
    egress: Egress<L>,
    epoch: u16,
    last: Timestamp,
    since_check: u64,
    index: Index,
    bytes: Vec<u8>,
}

impl<D: Disk, L: Lease> Engine<D, L> {
    /// Begins on a folder without a journal: `setup` is what the kernel can be built from again. The
    /// first input is recorded: it boots.
    ///
    /// # Errors
    /// What the journal or the lease says.
    pub fn begin(
        kernel: Kernel,
        setup: &str,
        disk: D,
        options: Options,
        lease: L,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) -> Result<(Self, Begun), EngineError> {
        let mut journal = Journal::create(disk, options)?;
        journal.append(Timestamp::EPOCH, kind::BEGIN, record::VERSION, setup.as_bytes())?;
        journal.commit()?;
        let (index, last) = (Index::default(), Timestamp::MIN);
        Self::boot(kernel, journal, index, lease, 0, last, now, out, 0, None)
    }

    /// Goes on where a journal ends: replays it, with what it asked of venues compared, and boots in a
    /// new epoch. A torn end is cut off; nothing in it had left.
    ///
    /// What the kernel puts out in the replay is shown to `watch`: it was told before.
    ///
    /// # Errors
    /// What stands in the way; the journal is as it was, but for a torn end. `Empty` if there is none, or
    /// none that holds a record: [`begin`](Self::begin).
    #[allow(clippy::too_many_arguments, reason = "everything an engine stands on, once")]
    pub fn recover(
        build: impl FnOnce(&str) -> Result<Kernel, String>,
        disk: D,
        options: Options,
        lease: L,
        now: Timestamp,
        out: &mut Vec<Output>,
        mut watch: impl FnMut(Timestamp, &Output),
    ) -> Result<(Self, Begun), EngineError> {
        let mut build = Some(build);
        let mut replay: Option<Replay> = None;
        let mut trouble = None;
        let mut last = Timestamp::MIN;
        let mut index = Index::default();
        let (journal, contents) = Journal::open(disk, options, |record| {
            if trouble.is_some() {
                return;
            }
            if record.head.kind == kind::BEGIN {
                match build.take().map(|build| build(&String::from_utf8_lossy(record.payload))) {
                    Some(Ok(kernel)) => replay = Some(Replay::new(kernel)),
                    Some(Err(what)) => trouble = Some(EngineError::Setup(what)),
                    None => trouble = Some(EngineError::Setup("it begins twice".to_owned())),
                }
            } else if let Some(replay) = &mut replay {
                last = last.max(record.head.time);
                index.read(record);
                if let Err(difference) = replay.take_watched(record, &mut watch) {
                    trouble = Some(EngineError::Differs(Box::new(difference)));
                }
            }
        })?;
        if let Some(trouble) = trouble {
            return Err(trouble);
        }
        if contents.last < contents.first {
            // It was begun, and stopped before it held anything.
            return Err(EngineError::Journal(JournalError::Empty));
        }
        let Some(replay) = replay else {
            let what = "the journal does not say what the engine was set up with";
            return Err(EngineError::Setup(what.to_owned()));
        };
        let (inputs, epoch) = (replay.inputs(), replay.epoch());
        let kernel = replay.into_kernel();
        Self::boot(kernel, journal, index, lease, epoch, last, now, out, inputs, Some(contents))
    }

    #[allow(clippy::too_many_arguments, reason = "everything an engine stands on, once")]
    fn boot(
        kernel: Kernel,
        journal: Journal<D>,
        index: Index,
        mut lease: L,
        before: u16,
        last: Timestamp,
        now: Timestamp,
        out: &mut Vec<Output>,
        inputs: u64,
        contents: Option<Contents>,
    ) -> Result<(Self, Begun), EngineError> {
        let newest = lease.newest()?.max(before);
        let epoch = newest.checked_add(1).filter(|epoch| *epoch <= ClientOrderId::EPOCH_MAX);
        let epoch = epoch.ok_or(EngineError::NoEpochLeft)?;
        lease.raise(epoch)?;
        let state = kernel.state_hash();
        let mut engine = Self {
            kernel,
            journal,
            egress: Egress::new(lease, epoch),
            epoch,
            last,
            since_check: 0,
            index,
            bytes: Vec::new(),
        };
        engine.take(now, Input::Boot { epoch }, out)?;
        engine.check()?;
        // From here on this prefix is safe from everything, however the rest is written.
        engine.journal.sync()?;
        Ok((engine, Begun { epoch, inputs, state, contents }))
    }

    /// Takes an input: it is recorded, the kernel steps, and what the kernel puts out is appended to `out`
    /// once all of that is safe. Time never runs back: an earlier moment counts as the last one.
    ///
    /// # Errors
    /// What the journal says. Then nothing was put out, and this engine must not be used any more:
    /// recovering finds out what is on the disk.
    pub fn take(
        &mut self,
        now: Timestamp,
        input: Input,
        out: &mut Vec<Output>,
    ) -> Result<(), JournalError> {
        let now = if self.kernel.has(Plant::TimeRunsBack) { now } else { now.max(self.last) };
        self.last = now;
        self.bytes.clear();
        record::write_input(&input, &mut self.bytes);
        self.journal.append(now, kind::INPUT, record::VERSION, &self.bytes)?;
        let from = out.len();
        self.kernel.step(now, input, out);
        if let Err(error) = self.release(now, &out[from..]) {
            out.truncate(from);
            return Err(error);
        }
        // What the kernel has forgotten it is told again, as an input like any other.
        let end = out.len();
        for at in from..end {
            if let Output::Recall(id) = out[at] {
                let place = self.index.find(self.journal.disk(), id);
                let told = self.take(now, Input::Recalled { id, place }, out);
                if let Err(error) = told {
                    out.truncate(from);
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn release(&mut self, now: Timestamp, outputs: &[Output]) -> Result<(), JournalError> {
        for output in outputs {
            let Output::Send(venue, request) = output else { continue };
            self.bytes.clear();
            record::write_request(*venue, request, &mut self.bytes);
            let sequence = self.journal.append(now, kind::SENT, record::VERSION, &self.bytes)?;
            if let Request::Place(place) = request {
                self.index.note(sequence, place.id);
            }
        }
        self.since_check += 1;
        if self.since_check >= CHECK_EVERY {
            self.check()?;
        }
        let waits = self.journal.is_strict() && !self.kernel.has(Plant::SentBeforeSafe);
        if !outputs.is_empty() && waits {
            self.journal.commit()?;
        }
        Ok(())
    }

    /// Records the state hash.
    fn check(&mut self) -> Result<(), JournalError> {
        self.since_check = 0;
        let hash = self.kernel.state_hash().to_string();
        self.journal.append(self.last, kind::CHECK, record::VERSION, hash.as_bytes())?;
        Ok(())
    }

    /// Ends in order. Gives the disk back, with everything safe on it.
    ///
    /// # Errors
    /// What the journal says.
    pub fn end(mut self) -> Result<D, JournalError> {
        let hash = self.kernel.state_hash().to_string();
        self.journal.append(self.last, kind::END, record::VERSION, hash.as_bytes())?;
        self.journal.commit()?;
        Ok(self.journal.into_disk())
    }

    /// Makes what was recorded so far safe, also where nothing left: a driver calls it when it is idle.
    ///
    /// # Errors
    /// What the journal says.
    pub fn commit(&mut self) -> Result<u64, JournalError> {
        self.journal.commit()
    }

    /// Whether a message may leave now. Must be asked for every one, when it leaves.
    ///
    /// # Errors
    /// Why not.
    pub fn pass(&self) -> Result<(), Stopped> {
        if self.kernel.has(Plant::LeaseIgnored) { Ok(()) } else { self.egress.pass() }
    }

    /// Makes a mistake from now on.
    #[cfg(feature = "plant")]
    pub fn plant(&mut self, plant: Plant) {
        self.kernel.plant(plant);
    }

    /// The kernel.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// The journal.
    pub fn journal(&self) -> &Journal<D> {
        &self.journal
    }

    /// The epoch.
    pub fn epoch(&self) -> u16 {
        self.epoch
    }

    /// Gives the disk back as it is: for who stops without an end. What is not safe is lost.
    pub fn into_disk(self) -> D {
        self.journal.into_disk()
    }
}
