//! Paper trading: the production engine on its journal, against simulated venues that remember.
//!
//! It is a backtest that can be stopped at any moment and go on: whoever drives it says up to when, and what people
//! want. The engine goes on from its own journal, in a new epoch, and asks the venues how things stand; the venues
//! are made again from the same data and what they had been asked. While nothing runs, their markets stand still.
//!
//! What was on its way in either direction when the process died is lost, as on any line that breaks.
//!
//! Begin at [`Market::open`] and [`Paper::begin`].

use crate::course::Course;
use crate::exchange::Exchange;
use crate::merge::Merge;
use crate::roles::{Floor, Recorded};
use crate::scenario::Scenario;
use crate::venue::Venue;
use crate::venue_log::{Asked, Reached, VenueLog};
use crate::watch::{Observer, Progress, Sample, Told};
use crate::world::World;
use std::fmt;
use tse_engine::{Engine, Lease};
use tse_journal::{Disk, JournalError};
use tse_kernel::{Input, Kernel, Output};
use tse_model::{MarketEvent, SourceFault, Span, Timestamp, VenueId};
use tse_portfolio::Profit;
use tse_portfolio::statistics::EquityCurve;

/// How long venues remember what has ended: longer than any engine asks back.
const REMEMBERED: Span = Span::from_secs(86_400);
/// How often they forget.
const FORGET_EVERY: Span = Span::from_secs(3_600);

/// Why paper trading does not begin or does not go on.
#[derive(Clone, PartialEq, Debug)]
pub enum PaperError {
    /// The engine's journal cannot be written.
    Journal(JournalError),
    /// The record of what venues were asked cannot be read or written.
    Venues(JournalError),
    /// A record of what venues were asked is something else.
    NotAsked {
        /// Which.
        record: u64,
    },
    /// A source cannot be read, or a strategy trades in circles.
    Source(Box<SourceFault>),
    /// The data ends before the moment of something that a venue had been asked: it is not what the venue saw.
    OtherData(Box<Reached>),
}

impl From<JournalError> for PaperError {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}

impl From<SourceFault> for PaperError {
    fn from(fault: SourceFault) -> Self {
        Self::Source(Box::new(fault))
    }
}

impl fmt::Display for PaperError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Journal(error) | Self::Venues(error) => error.fmt(f),
            Self::NotAsked { record } => {
                write!(f, "record {record} is nothing that a venue was asked")
            }
            Self::Source(fault) => write!(f, "{}: {}", fault.place, fault.what),
            Self::OtherData(reached) => write!(
                f,
                "the data is not what the venue saw when {} reached it at {}",
                reached.request.id(),
                reached.at
            ),
        }
    }
}

impl std::error::Error for PaperError {}

/// The venues and their data, before anybody trades there.
pub struct Market {
    exchanges: Vec<Exchange>,
    /// Which of them each instrument trades at.
    venue_of: Vec<Option<usize>>,
    merge: Merge,
    start: Timestamp,
    end: Timestamp,
    events: u64,
    /// What the venues have seen, as a world counts it, and their clock.
    happened: u64,
    now: Timestamp,
}

impl Market {
    /// Opens the venues of a scenario; its sources are taken out of it.
    ///
    /// # Errors
    /// The first source that cannot be read.
    pub fn open(scenario: &mut Scenario) -> Result<Self, PaperError> {
        let merge = Merge::new(std::mem::take(&mut scenario.sources))?;
        let open = |setup| <Exchange as Floor>::open(&scenario.catalog, setup);
        let place = |venue| scenario.venues.iter().position(|setup| setup.venue == venue);
        let mut market = Self {
            exchanges: scenario.venues.iter().map(open).collect(),
            venue_of: scenario.catalog.instruments().iter().map(|it| place(it.venue)).collect(),
            merge,
            start: scenario.start.unwrap_or(Timestamp::MIN),
            end: scenario.end.unwrap_or(Timestamp::MAX),
            events: 0,
            happened: 0,
            now: Timestamp::MIN,
        };
        while market.merge.peek().is_some_and(|event| event.ts_event < market.start) {
            market.merge.advance()?;
        }
        Ok(market)
    }

    /// The moment of the first event; `None` if there is none.
    pub fn first(&self) -> Option<Timestamp> {
        self.merge.peek().map(|event| event.ts_event).filter(|at| *at < self.end)
    }

    /// Lets everything happen again that venues had been asked, and the rest up to a moment.
    fn remember(&mut self, all: &[Reached], until: Timestamp) -> Result<(), PaperError> {
        let mut words = Vec::new();
        for reached in all {
            while self.happened < reached.happened {
                if !self.happen(Timestamp::MAX)? {
                    return Err(PaperError::OtherData(Box::new(*reached)));
                }
            }
            self.now = self.now.max(reached.at);
            let number = self.number_of(reached.venue);
            let exchange = number.and_then(|number| self.exchanges.get_mut(number));
            let exchange = exchange.ok_or_else(|| PaperError::OtherData(Box::new(*reached)))?;
            exchange.ask(self.now, &reached.request, &mut words);
            words.clear();
        }
        while self.happen(until)? {}
        self.now = self.now.max(until);
        Ok(())
    }

    fn number_of(&self, venue: VenueId) -> Option<usize> {
        self.exchanges.iter().position(|it| it.venue.id() == venue)
    }

    /// The next event of the data or timer of a venue, if it is not after `until`: in the order of a world.
    fn happen(&mut self, until: Timestamp) -> Result<bool, PaperError> {
        let timers = self.exchanges.iter().enumerate();
        // One may be due in the past: it comes before others all the same, as in a world.
        let timer = timers
            .filter_map(|(number, it)| {
                tse_model::Machine::wake_at(&it.venue).map(|at| (at, number))
            })
            .min();
        let data = self.first();
        let mut words = Vec::new();
        match (data, timer) {
            (Some(at), timer) if timer.is_none_or(|(due, _)| at <= due) => {
                if at > until {
                    return Ok(false);
                }
                let event = *self.merge.peek().expect("it was looked at");
                self.merge.advance()?;
                self.events += 1;
                self.now = self.now.max(at);
                if let Some(number) = self.venue_of.get(event.instrument.index()).copied().flatten()
                {
                    self.happened += 1;
                    self.exchanges[number].show(self.now, &event, |_| (), &mut words);
                }
            }
            (_, Some((at, number))) if at <= until => {
                self.now = self.now.max(at);
                self.happened += 1;
                self.exchanges[number].wake(self.now, &mut words);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Paper trading.
pub struct Paper<D, L> {
    course: Course<Recorded<D, L>, Exchange>,
    log: VenueLog<D>,
    forget_at: Timestamp,
}

impl<D: Disk, L: Lease> Paper<D, L> {
    /// Begins to trade in a market with an engine that has just begun, or goes on with one that was recovered:
    /// `begun` is what it asked for then, `asked` what venues had been asked before. Brings the lines up.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn begin(
        scenario: Scenario,
        mut market: Market,
        (engine, begun): (Engine<D, L>, Vec<Output>),
        (log, asked): (VenueLog<D>, Asked),
        observer: &mut impl Observer,
    ) -> Result<Self, PaperError> {
        let now = engine.kernel().now();
        // One that has just begun has seen nothing, and its market begins with it.
        if engine.epoch() > 1 || !asked.all.is_empty() {
            market.remember(&asked.all, now)?;
        }
        let now = market.now.max(now);
        let idle = engine.kernel().is_idle();
        let Market { exchanges, merge, start, end, events, happened, .. } = market;
        let trader = Recorded { engine, failed: None };
        let mut world = World::with(scenario, exchanges, |_| trader);
        world.has_happened(happened);
        let course = Course {
            world,
            merge,
            start,
            end,
            events,
            // An engine that goes on has been started before.
            first: (!idle).then_some(now),
            finished: false,
        };
        let mut paper = Self { course, log, forget_at: now + FORGET_EVERY };
        paper.drive(observer, |course, observer| course.world.connect(now, begun, observer))?;
        Ok(paper)
    }

    /// Does something with everything written down.
    fn drive<O: Observer, R>(
        &mut self,
        observer: &mut O,
        act: impl FnOnce(
            &mut Course<Recorded<D, L>, Exchange>,
            &mut Writing<'_, O, D>,
        ) -> Result<R, SourceFault>,
    ) -> Result<R, PaperError> {
        let mut writing = Writing { watcher: observer, log: &mut self.log };
        let done = act(&mut self.course, &mut writing)?;
        if let Some(error) = &self.course.world.trader().failed {
            return Err(error.clone().into());
        }
        match self.log.failed() {
            Some(error) => Err(PaperError::Venues(error.clone())),
            None => Ok(done),
        }
    }

    /// Runs until the virtual clock would pass `until`. Says whether there is more to come.
    ///
    /// # Errors
    /// What a source or a journal says. Then this must not be used any more.
    pub fn run_until(
        &mut self,
        until: Timestamp,
        observer: &mut impl Observer,
    ) -> Result<bool, PaperError> {
        let more = self.drive(observer, |course, observer| course.run_until(until, observer))?;
        if until >= self.forget_at {
            self.forget_at = until + FORGET_EVERY;
            self.course.world.floors_mut().for_each(|exchange| exchange.forget(until - REMEMBERED));
        }
        Ok(more)
    }

    /// Tells the engine something that no venue says: what people want, and what only the driver can know.
    ///
    /// # Errors
    /// As for [`run_until`](Self::run_until).
    pub fn tell(&mut self, input: Input, observer: &mut impl Observer) -> Result<(), PaperError> {
        self.drive(observer, |course, observer| {
            let now = course.world.now();
            course.world.input(now, input, observer)
        })
    }

    /// Looks whether somebody has raised the flag beside the journal.
    ///
    /// # Errors
    /// As for [`run_until`](Self::run_until).
    pub fn look_for_flag(&mut self, observer: &mut impl Observer) -> Result<(), PaperError> {
        let now = self.course.world.now();
        let mut out = Vec::new();
        self.course.world.trader().engine.look_for_flag(now, &mut out)?;
        match out.is_empty() {
            true => Ok(()),
            false => {
                self.drive(observer, |course, observer| course.world.asked(now, out, observer))
            }
        }
    }

    /// Makes everything that was recorded safe: for idle moments.
    ///
    /// # Errors
    /// What the journal says.
    pub fn commit(&mut self) -> Result<(), PaperError> {
        self.course.world.trader().engine.commit()?;
        self.log.commit().map_err(PaperError::Venues)?;
        Ok(())
    }

    /// Lets what is on its way arrive, after strategies were stopped if they were not.
    ///
    /// # Errors
    /// As for [`run_until`](Self::run_until).
    pub fn finish(&mut self, observer: &mut impl Observer) -> Result<(), PaperError> {
        self.drive(observer, |course, observer| course.finish(observer))
    }

    /// Ends in order: [`finish`](Self::finish)es, and closes the journals. Gives both disks back, the engine's first.
    ///
    /// # Errors
    /// As for [`run_until`](Self::run_until).
    pub fn end(mut self, observer: &mut impl Observer) -> Result<(D, D), PaperError> {
        self.finish(observer)?;
        self.log.commit().map_err(PaperError::Venues)?;
        let engine = self.course.world.into_trader().engine;
        Ok((engine.end()?, self.log.into_disk()))
    }

    /// Gives both disks back as they are, the engine's first: for who stops without an end.
    pub fn into_disks(self) -> (D, D) {
        (self.course.world.into_trader().engine.into_disk(), self.log.into_disk())
    }

    /// A venue.
    pub fn venue(&self, venue: VenueId) -> Option<&Venue> {
        self.course.world.venue(venue)
    }

    /// What decides.
    pub fn kernel(&self) -> &Kernel {
        self.course.world.kernel()
    }

    /// The engine.
    pub fn engine(&mut self) -> &mut Engine<D, L> {
        &mut self.course.world.trader().engine
    }

    /// The virtual clock.
    pub fn now(&self) -> Timestamp {
        self.course.world.now()
    }

    /// When the next thing happens.
    pub fn next_time(&mut self) -> Option<Timestamp> {
        self.course.next_time()
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        self.course.progress()
    }

    /// The curve of equity since this began.
    pub fn curve(&self) -> &EquityCurve {
        self.course.world.watch().curve()
    }

    /// Of each strategy: what the account began with and what the strategy has earned since.
    pub fn curves(&self) -> &[EquityCurve] {
        self.course.world.watch().strategies()
    }

    /// What everything earned so far; `None` if something has no usable price.
    pub fn profit(&self) -> Option<Profit> {
        self.course.world.profit()
    }
}

/// Passes everything on, and writes down what reaches venues.
struct Writing<'a, O, D> {
    watcher: &'a mut O,
    log: &'a mut VenueLog<D>,
}

impl<O: Observer, D: Disk> Observer for Writing<'_, O, D> {
    fn told(&mut self, now: Timestamp, what: Told<'_>, kernel: &Kernel) {
        self.watcher.told(now, what, kernel);
    }

    fn stepped(&mut self) {
        self.watcher.stepped();
    }

    fn output(&mut self, now: Timestamp, output: &Output, kernel: &Kernel) {
        self.watcher.output(now, output, kernel);
    }

    fn release(&mut self, now: Timestamp, outputs: &[Output]) -> bool {
        self.watcher.release(now, outputs)
    }

    fn reached(&mut self, reached: &Reached) -> bool {
        self.log.note(reached) && self.watcher.reached(reached)
    }

    fn gives_up(&self) -> bool {
        self.watcher.gives_up()
    }

    fn sample(&mut self, now: Timestamp, sample: &Sample<'_>, kernel: &Kernel) {
        self.watcher.sample(now, sample, kernel);
    }

    fn market(&mut self, now: Timestamp, event: &MarketEvent, kernel: &Kernel) {
        self.watcher.market(now, event, kernel);
    }
}

#[cfg(test)]
mod tests;
