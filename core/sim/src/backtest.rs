//! A backtest: the production kernel and simulated venues on one virtual clock, without faults.
//!
//! **The order of things.** Events happen by time. At one moment, in this order: recorded data (by
//! source), answers reaching us, market data reaching us, requests reaching venues (each by venue),
//! venue timers, engine timers. What a market event did to our orders is told before the event itself
//! is shown: nobody quotes on a price that has just filled him without knowing. What takes no time at
//! all does not wait for its turn: a request sent over an instant line meets the venue as the event that
//! caused it left it, and its answer returns before anything else happens.

use crate::merge::Merge;
use crate::scenario::Scenario;
use crate::venue::Venue;
use crate::world::World;
use tse_kernel::{Command, Kernel};
use tse_model::{SourceFault, Timestamp, VenueId};
use tse_portfolio::Prices;

pub use crate::watch::{Observer, Outcome, Progress, Sample, Told};

/// How many things may happen in one step before the next event of the data.
const AT_ONCE: usize = 16;
/// How many steps pass between two looks at the progress; skipped events are steps too.
const PROGRESS_EVERY: u64 = 16_384;

/// A run.
pub struct Backtest {
    world: World,
    merge: Merge,
    start: Timestamp,
    end: Timestamp,
    events: u64,
    first: Option<Timestamp>,
    finished: bool,
}

impl Backtest {
    /// Sets a scenario up.
    ///
    /// # Errors
    /// The first source that cannot be read at all.
    pub fn new(mut scenario: Scenario) -> Result<Self, SourceFault> {
        Ok(Self {
            merge: Merge::new(std::mem::take(&mut scenario.sources))?,
            start: scenario.start.unwrap_or(Timestamp::MIN),
            end: scenario.end.unwrap_or(Timestamp::MAX),
            events: 0,
            first: None,
            finished: false,
            world: World::new(scenario),
        })
    }

    /// The prices that everything is valued at, as of the last sample of equity.
    pub fn prices(&self) -> &Prices {
        self.world.watch().prices()
    }

    /// The engine.
    pub fn kernel(&self) -> &Kernel {
        self.world.kernel()
    }

    /// A venue.
    pub fn venue(&self, venue: VenueId) -> Option<&Venue> {
        self.world.venue(venue)
    }

    /// Runs to the end of the data, or until `go_on` says no: what was done is kept then.
    ///
    /// # Errors
    /// What a source says when the rest of it cannot be read.
    pub fn run(
        &mut self,
        observer: &mut impl Observer,
        mut go_on: impl FnMut(&Progress) -> bool,
    ) -> Result<Outcome, SourceFault> {
        let mut interrupted = false;
        let mut steps = 0;
        while self.advance(Timestamp::MAX, observer)? {
            steps += 1;
            if steps == PROGRESS_EVERY {
                steps = 0;
                if !go_on(&self.progress()) || observer.gives_up() {
                    interrupted = true;
                    break;
                }
            }
        }
        self.finish(observer)?;
        Ok(self.outcome(interrupted))
    }

    /// Runs until the virtual clock would pass `until`. Says whether there is more to come.
    ///
    /// # Errors
    /// What a source says when the rest of it cannot be read.
    pub fn run_until(
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
    pub fn now(&self) -> Option<Timestamp> {
        self.first.map(|_| self.world.now())
    }

    /// When the next thing happens.
    pub fn next_time(&mut self) -> Option<Timestamp> {
        let data = self.merge.peek().map(|event| event.ts_event);
        let due = self.world.due().map(|(at, _)| at);
        match (data, due) {
            (Some(data), Some(due)) => Some(data.min(due)),
            (data, due) => data.or(due),
        }
    }

    /// How far the run is.
    pub fn progress(&self) -> Progress {
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
    fn advance(
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
            self.world.command(now, Command::Start, observer)?;
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
    pub fn finish(&mut self, observer: &mut impl Observer) -> Result<(), SourceFault> {
        if self.finished || self.first.is_none() {
            return Ok(());
        }
        self.finished = true;
        self.world.command(self.world.now(), Command::Stop, observer)?;
        self.world.close(observer)
    }

    /// What the run came to so far.
    pub fn outcome(&self, interrupted: bool) -> Outcome {
        let (watch, kernel) = (self.world.watch(), self.world.kernel());
        let (equity_start, equity_end) = watch.equity();
        Outcome {
            events: self.events,
            counts: kernel.counts(),
            state_hash: kernel.state_hash(),
            first: self.first,
            last: self.now(),
            equity_start,
            equity_end,
            profit: self.world.profit(),
            curve: watch.curve().clone(),
            strategies: watch.strategies().to_vec(),
            interrupted,
            broken: self.world.broken().map(str::to_owned),
        }
    }
}
