//! A backtest: the production kernel and simulated venues on one virtual clock, without faults.
//!
//! **The order of things.** Events happen by time. At one moment, in this order: recorded data (by
//! source), answers reaching us, market data reaching us, requests reaching venues (each by venue),
//! venue timers, engine timers. What a market event did to our orders is told before the event itself
//! is shown: nobody quotes on a price that has just filled him without knowing. What takes no time at
//! all does not wait for its turn: a request sent over an instant line meets the venue as the event that
//! caused it left it, and its answer returns before anything else happens.

use crate::course::Course;
use crate::merge::Merge;
use crate::scenario::Scenario;
use crate::venue::Venue;
use crate::world::World;
use tse_kernel::Kernel;
use tse_model::{SourceFault, Timestamp, VenueId};
use tse_portfolio::Prices;

pub use crate::watch::{Observer, Outcome, Progress, Sample, Told};

/// How many steps pass between two looks at the progress; skipped events are steps too.
const PROGRESS_EVERY: u64 = 16_384;

/// A run.
pub struct Backtest {
    course: Course<Kernel, Venue>,
}

impl Backtest {
    /// Sets a scenario up.
    ///
    /// # Errors
    /// The first source that cannot be read at all.
    pub fn new(mut scenario: Scenario) -> Result<Self, SourceFault> {
        let course = Course {
            merge: Merge::new(std::mem::take(&mut scenario.sources))?,
            start: scenario.start.unwrap_or(Timestamp::MIN),
            end: scenario.end.unwrap_or(Timestamp::MAX),
            events: 0,
            first: None,
            finished: false,
            world: World::new(scenario),
        };
        Ok(Self { course })
    }

    /// The prices that everything is valued at, as of the last sample of equity.
    pub fn prices(&self) -> &Prices {
        self.course.world.watch().prices()
    }

    /// The engine.
    pub fn kernel(&self) -> &Kernel {
        self.course.world.kernel()
    }

    /// A venue.
    pub fn venue(&self, venue: VenueId) -> Option<&Venue> {
        self.course.world.venue(venue)
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
        while self.course.advance(Timestamp::MAX, observer)? {
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
        self.course.run_until(until, observer)
    }

    /// The virtual clock; `None` before the first event.
    pub fn now(&self) -> Option<Timestamp> {
        self.course.now()
    }

    /// When the next thing happens.
    pub fn next_time(&mut self) -> Option<Timestamp> {
        self.course.next_time()
    }

    /// How far the run is.
    pub fn progress(&self) -> Progress {
        self.course.progress()
    }

    /// Ends the run: strategies are told, what is on its way arrives, a last sample is taken.
    ///
    /// # Errors
    /// A strategy that trades in circles without any time passing.
    pub fn finish(&mut self, observer: &mut impl Observer) -> Result<(), SourceFault> {
        self.course.finish(observer)
    }

    /// What the run came to so far.
    pub fn outcome(&self, interrupted: bool) -> Outcome {
        let (watch, kernel) = (self.course.world.watch(), self.course.world.kernel());
        let (equity_start, equity_end) = watch.equity();
        Outcome {
            events: self.course.events,
            counts: kernel.counts(),
            state_hash: kernel.state_hash(),
            first: self.course.first,
            last: self.now(),
            equity_start,
            equity_end,
            profit: self.course.world.profit(),
            curve: watch.curve().clone(),
            strategies: watch.strategies().to_vec(),
            interrupted,
            broken: self.course.world.broken().map(str::to_owned),
        }
    }
}
