//! Record, step, release; and how an engine goes on after it was stopped.

use crate::egress::{Egress, Lease, LeaseError, Stopped};
use crate::kind;
use crate::replay::Difference;
use crate::restore::{Begun, Past, Restored, restore};
use crate::upkeep::{self, NoSnapshot, Upkeep};
use std::fmt;
use tse_journal::{Disk, Journal, JournalError, Options};
use tse_kernel::{
    Command, Input, Kernel, Kill, Latch, Level, Output, Plant, Reach, Who, Why, record,
};
use tse_model::bytes::Writer;
use tse_model::{ClientOrderId, Machine, Request, Timestamp};

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

/// A kernel on its journal.
pub struct Engine<D, L> {
    kernel: Kernel,
    journal: Journal<D>,
    egress: Egress<L>,
    past: Past,
    since_check: u64,
    upkeep: Upkeep,
    since_snapshot: u64,
    /// Whether the flag was raised by this engine, or would have been.
    flagged: bool,
    flag_trouble: Option<LeaseError>,
    /// Room for one.
    snapshot: Writer,
    no_snapshot: Option<NoSnapshot>,
    last_snapshot: Option<u64>,
    /// Whether the kernel was told that room runs out, and for how many inputs nobody has looked.
    low_told: bool,
    since_room: u64,
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
        let past = Past::new(setup.as_bytes());
        let state = kernel.state_hash();
        let begun = Begun::new(state);
        Self::boot(kernel, past, begun, journal, lease, now, out)
    }

    /// Goes on where a journal ends: replays it from the newest snapshot on that can be used, with what it
    /// asked of venues compared, and boots in a new epoch. A torn end is cut off; nothing in it had left.
    ///
    /// What the kernel puts out in the replay is shown to `watch`: it was told before.
    ///
    /// # Errors
    /// What stands in the way; the journal is as it was, but for a torn end. `Empty` if there is none, or
    /// none that holds a record: [`begin`](Self::begin).
    pub fn recover(
        build: impl FnMut(&str) -> Result<Kernel, String>,
        disk: D,
        options: Options,
        lease: L,
        now: Timestamp,
        out: &mut Vec<Output>,
        watch: impl FnMut(Timestamp, &Output),
    ) -> Result<(Self, Begun), EngineError> {
        let Restored { kernel, past, begun, journal } = restore(build, disk, options, watch)?;
        Self::boot(kernel, past, begun, journal, lease, now, out)
    }

    fn boot(
        kernel: Kernel,
        mut past: Past,
        begun: Begun,
        journal: Journal<D>,
        mut lease: L,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) -> Result<(Self, Begun), EngineError> {
        let newest = lease.newest()?.max(past.epoch);
        let epoch = newest.checked_add(1).filter(|epoch| *epoch <= ClientOrderId::EPOCH_MAX);
        let epoch = epoch.ok_or(EngineError::NoEpochLeft)?;
        lease.raise(epoch)?;
        past.epoch = epoch;
        let mut engine = Self {
            kernel,
            journal,
            egress: Egress::new(lease, epoch),
            past,
            since_check: 0,
            upkeep: Upkeep::default(),
            since_snapshot: begun.inputs,
            flagged: false,
            flag_trouble: None,
            snapshot: Writer::default(),
            no_snapshot: None,
            last_snapshot: None,
            low_told: false,
            since_room: 0,
        };
        // No snapshot before it: what the records before it ask for has not been sent.
        engine.step(now, Input::Boot { epoch }, out)?;
        engine.look_for_flag(now, out)?;
        engine.check()?;
        // From here on this prefix is safe from everything, however the rest is written.
        engine.journal.sync()?;
        engine.journal.keep_reserve()?;
        Ok((engine, Begun { epoch, ..begun }))
    }

    /// How often snapshots are made and what is kept, from now on.
    pub fn set_upkeep(&mut self, upkeep: Upkeep) {
        self.upkeep = upkeep;
    }

    /// Why the last snapshot was not made, if it was not. Nothing is lost by that: recovering takes longer.
    pub fn no_snapshot(&self) -> Option<&NoSnapshot> {
        self.no_snapshot.as_ref()
    }

    /// The record that the last snapshot of this epoch was made after, or should have been.
    pub fn last_snapshot(&self) -> Option<u64> {
        self.last_snapshot
    }

    /// Makes a snapshot now, and takes away what is not kept. Returns the record it was made after.
    ///
    /// # Errors
    /// Why there is none. If the journal could not be written either, the next input says so.
    pub fn snapshot(&mut self) -> Result<u64, NoSnapshot> {
        self.since_snapshot = 0;
        let made = self.make_snapshot();
        self.no_snapshot = made.as_ref().err().cloned();
        made
    }

    fn make_snapshot(&mut self) -> Result<u64, NoSnapshot> {
        if self.no_snapshot == Some(NoSnapshot::Unsaveable) {
            return Err(NoSnapshot::Unsaveable);
        }
        let mut bytes = std::mem::take(&mut self.snapshot);
        let made = match upkeep::write(&self.past, &self.kernel, &mut bytes) {
            None => Err(NoSnapshot::Unsaveable),
            Some(()) => self.write_snapshot(bytes.as_bytes()).map_err(NoSnapshot::Journal),
        };
        self.snapshot = bytes;
        made
    }

    fn write_snapshot(&mut self, bytes: &[u8]) -> Result<u64, JournalError> {
        // A replay that comes by here compares the state.
        self.check()?;
        self.last_snapshot = Some(self.journal.next() - 1);
        let sequence = self.journal.snapshot(bytes)?;
        let until = self.upkeep.retain.map(|retain| self.past.last - retain);
        self.journal.trim(self.upkeep.snapshots_kept, until, &upkeep::is_current)?;
        Ok(sequence)
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
        // Between inputs: everything that the one before asked for has been released.
        if self.upkeep.snapshot_every.is_some_and(|every| self.since_snapshot >= every) {
            // That there is none is no reason to stop, unless the journal cannot go on either.
            if let Err(NoSnapshot::Journal(error)) = self.snapshot()
                && self.journal.has_stopped()
            {
                return Err(error);
            }
        }
        let from = out.len();
        self.look_for_room(now, out)?;
        if let Err(error) = self.step(now, input, out) {
            out.truncate(from);
            return Err(error);
        }
        // What the kernel has forgotten it is told again, as an input like any other.
        let mut at = from;
        while at < out.len() {
            if let Output::Recall(id) = out[at] {
                let place = self.past.index.find(self.journal.disk(), id);
                if let Err(error) = self.step(now, Input::Recalled { id, place }, out) {
                    out.truncate(from);
                    return Err(error);
                }
            }
            at += 1;
        }
        Ok(())
    }

    /// While there is no room behind the file that is being written, the kernel knows, and whoever made room
    /// is noticed after a while (F06).
    fn look_for_room(&mut self, now: Timestamp, out: &mut Vec<Output>) -> Result<(), JournalError> {
        if self.journal.is_nearly_full() {
            self.since_room += 1;
            if self.since_room >= CHECK_EVERY {
                self.since_room = 0;
                self.journal.keep_reserve()?;
            }
        }
        let low = self.journal.is_nearly_full();
        if low != self.low_told {
            self.low_told = low;
            self.step(now, Input::Room { low }, out)?;
        }
        Ok(())
    }

    /// Record, step, and what must be safe before anything is released.
    fn step(
        &mut self,
        now: Timestamp,
        input: Input,
        out: &mut Vec<Output>,
    ) -> Result<(), JournalError> {
        let now = if self.kernel.has(Plant::TimeRunsBack) { now } else { now.max(self.past.last) };
        self.past.last = now;
        let write = |out: &mut Writer| record::write_input(&input, out);
        if let Err(error) = self.journal.append_with(now, kind::INPUT, record::VERSION, write) {
            // Whoever wants it halted gets what can be had without a journal.
            if let Input::Command(Command::Kill(Kill { reach: Reach::Firm, level, .. })) = input
                && level >= Level::Halt
            {
                self.flag_trouble = self.egress.lease().set_halted(Some("no journal")).err();
            }
            return Err(error);
        }
        let from = out.len();
        self.kernel.step(now, input, out);
        self.since_snapshot += 1;
        self.raise_flag();
        if let Err(error) = self.release(now, &out[from..]) {
            out.truncate(from);
            return Err(error);
        }
        self.take_flag_down()
    }

    /// The firm's latch, if it is halted.
    fn halted(&self) -> Option<&Latch> {
        let latch = self.kernel.state().switch().latch(Reach::Firm);
        latch.filter(|latch| latch.level >= Level::Halt)
    }

    /// The flag goes up with the kill switch of the whole firm. It is no reason to keep cancels back that it cannot
    /// be raised, since the journal knows as well; then it is tried again with every input.
    fn raise_flag(&mut self) {
        let Some(latch) = self.halted().filter(|_| !self.flagged) else { return };
        let reason = format!("{} by {}: {}", latch.level.name(), latch.by, latch.why);
        self.flag_trouble = self.egress.lease().set_halted(Some(&reason)).err();
        self.flagged = self.flag_trouble.is_none();
    }

    /// It goes down when a person has lowered that, and only when the journal is safe.
    fn take_flag_down(&mut self) -> Result<(), JournalError> {
        if self.flagged && self.halted().is_none() {
            self.journal.commit()?;
            self.flag_trouble = self.egress.lease().set_halted(None).err();
            self.flagged = self.flag_trouble.is_some();
        }
        Ok(())
    }

    /// Looks whether somebody has raised the flag that stops everything but cancels, and tells the kernel. A
    /// driver calls it when it is idle and every so often; until then messages are stopped one by one. A flag
    /// that cannot be read counts as up.
    ///
    /// # Errors
    /// What the journal says, as for [`take`](Self::take).
    pub fn look_for_flag(
        &mut self,
        now: Timestamp,
        out: &mut Vec<Output>,
    ) -> Result<(), JournalError> {
        let known = self.halted().is_some();
        if known || !self.egress.lease().is_halted().unwrap_or(true) {
            return Ok(());
        }
        let (by, why) = (Who::cut("flag"), Why::cut("the flag beside the journal is up"));
        let kill = Kill { reach: Reach::Firm, level: Level::Halt, by, why };
        self.step(now, Input::Command(Command::Kill(kill)), out)
    }

    /// Why the flag is not as it should be, if it is not.
    pub fn flag_trouble(&self) -> Option<&LeaseError> {
        self.flag_trouble.as_ref()
    }

    fn release(&mut self, now: Timestamp, outputs: &[Output]) -> Result<(), JournalError> {
        for output in outputs {
            let Output::Send(venue, request) = output else { continue };
            let write = |out: &mut Writer| record::write_request(*venue, request, out);
            let sequence = self.journal.append_with(now, kind::SENT, record::VERSION, write)?;
            if let Request::Place(place) = request {
                self.past.index.note(sequence, place.id);
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
        self.journal.append(self.past.last, kind::CHECK, record::VERSION, hash.as_bytes())?;
        Ok(())
    }

    /// Ends in order. Gives the disk back, with everything safe on it.
    ///
    /// # Errors
    /// What the journal says.
    pub fn end(mut self) -> Result<D, JournalError> {
        let hash = self.kernel.state_hash().to_string();
        self.journal.append(self.past.last, kind::END, record::VERSION, hash.as_bytes())?;
        self.journal.commit()?;
        self.journal.drop_reserve()?;
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
    pub fn pass(&self, request: &Request) -> Result<(), Stopped> {
        if !self.kernel.has(Plant::LeaseIgnored) {
            let ignored = self.kernel.has(Plant::FlagIgnored) || self.kernel.lacks("K4");
            let knows = self.halted().is_some() || ignored;
            self.egress.pass(request, knows)?;
        }
        self.kernel.may_leave(request).map_err(Stopped::Killed)
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
        self.past.epoch
    }

    /// Gives the disk back as it is: for who stops without an end. What is not safe is lost.
    pub fn into_disk(self) -> D {
        self.journal.into_disk()
    }
}
