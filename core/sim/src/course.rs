//! A world and its data: what happens next, event by event, until the data ends.
//!
//! Shared by backtests, which run as fast as they can, and by paper trading, which keeps pace with a clock. What
//! comes first at one moment is told in [`backtest`](crate::backtest).

use crate::merge::Merge;
use crate::roles::{Floor, Trader};
use crate::watch::{Observer, Progress};
use crate::world::World;
use tse_kernel::{Command, Input};
use tse_model::{SourceFault, Timestamp};

/// How many things may happen in one step before the next event of the data.
const AT_ONCE: usize = 16;

/// A world and its data.
pub(crate) struct Course<T, F> {
    pub(crate) world: World<T, F>,
    pub(crate) merge: Merge,
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) events: u64,
    pub(crate) first: Option<Timestamp>,
    pub(crate) finished: bool,
}

impl<T: Trader, F: Floor> Course<T, F> {
    /// Runs until the virtual clock would pass `until`. Says whether there is more to come.
    ///
    /// # Errors
    /// What a source says when the rest of it cannot be read.
    pub(crate) fn run_until(
        &mut self,
        until: Timestamp,
        observer: &mut impl Observer,
    ) -> Result<bool, SourceFault> {
        while self.next_time().is_some_and(|at| at <= until) {
            if !self.advance(until, observer)? {
                return Ok(false);
            }
        }
        Ok(self.merge.peek().is_some())
    }

    /// The virtual clock; `None` before the first event.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        self.first.map(|_| self.world.now())
    }

    /// When the next thing happens.
    pub(crate) fn next_time(&mut self) -> Option<Timestamp> {
        let data = self.merge.peek().map(|event| event.ts_event);
        let due = self.world.due().map(|(at, _)| at);
        match (data, due) {
            (Some(data), Some(due)) => Some(data.min(due)),
            (data, due) => data.or(due),
        }
    }

    /// How far the run is.
    pub(crate) fn progress(&self) -> Progress {
        Progress {
            now: self.world.now(),
            events: self.events,
            millionths: self.merge.progress(),
            equity: self.world.watch().last_equity(),
            net: self.world.profit().and_then(|profit| profit.net()),
        }
    }

    /// Takes the next event of the data to completion, and what happens before it, as far as that is not
    /// after `until`; of many things some. `false` when the data has ended.
    #[inline]
    pub(crate) fn advance(
        &mut self,
        until: Timestamp,
        observer: &mut impl Observer,
    ) -> Result<bool, SourceFault> {
        let Some(event) = self.merge.peek() else { return Ok(false) };
        let at = event.ts_event;
        if at < self.start {
            self.merge.advance()?;
            return Ok(true);
        }
        if at >= self.end {
            return Ok(false);
        }
        // What comes before it; not for ever, or nobody could stop a market that sleeps.
        for _ in 0..AT_ONCE {
            match self.world.due() {
                Some((due_at, due)) if due_at < at => {
                    if due_at > until {
                        return Ok(true);
                    }
                    self.world.happen(due_at, due, observer)?;
                }
                _ if at > until => return Ok(true),
                _ => {
                    self.show(observer)?;
                    return Ok(true);
                }
            }
        }
        Ok(true)
    }

    /// Shows the next event of the data.
    #[inline]
    fn show(&mut self, observer: &mut impl Observer) -> Result<(), SourceFault> {
        let Some(event) = self.merge.peek() else { return Ok(()) };
        self.events += 1;
        // A source that steps back is read as if its clock had stood still.
        let now = event.ts_event.max(self.world.now());
        if self.first.is_none() {
            self.first = Some(now);
            self.world.input(now, Input::Command(Command::Start), observer)?;
        }
        // What was shown is behind us, whatever came of it.
        let shown = self.world.show(now, event, observer);
        let advanced = self.merge.advance();
        shown.and(advanced)
    }

    /// Ends the run: strategies are told, what is on its way arrives, a last sample is taken.
    ///
    /// # Errors
    /// A strategy that trades in circles without any time passing.
    pub(crate) fn finish(&mut self, observer: &mut impl Observer) -> Result<(), SourceFault> {
        if self.finished || self.first.is_none() {
            return Ok(());
        }
        self.finished = true;
        if !self.world.kernel().is_idle() {
            self.world.input(self.world.now(), Input::Command(Command::Stop), observer)?;
        }
        self.world.close(observer)
    }
}
