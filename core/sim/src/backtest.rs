//! A backtest: the production kernel and simulated venues on one virtual clock, without faults.
//!
//! **The order of things.** Events happen by time. At one moment, in this order: recorded data (by
//! source), answers reaching us, market data reaching us, requests reaching venues (each by venue),
//! venue timers, engine timers. What a market event did to our orders is told before the event itself
//! is shown: nobody quotes on a price that has just filled him without knowing. What takes no time at
//! all does not wait for its turn: a request sent over an instant line meets the venue as the event that
//! caused it left it, and its answer returns before anything else happens.

use crate::latency::Line;
use crate::merge::Merge;
use crate::scenario::Scenario;
use crate::venue::{self, Venue};
use crate::watch::Watch;
use std::collections::VecDeque;
use tse_kernel::{Command, Input, Kernel, Output, Setup};
use tse_model::{
    AccountEvent, AccountEventKind, InstrumentId, Machine, MarketEvent, OrderEvent, Request,
    SourceFault, Span, Timestamp, VenueId,
};
use tse_portfolio::Prices;

pub use crate::watch::{Observer, Outcome, Progress};

/// How many rounds of zero-time messages one event may cause before the run is stopped as endless.
const ROUNDS_MAX: usize = 1_000_000;
/// How many steps pass between two looks at the progress; skipped events are steps too.
const PROGRESS_EVERY: u64 = 16_384;

fn in_circles(now: Timestamp) -> SourceFault {
    SourceFault {
        code: "TSE-S009",
        what: format!("{ROUNDS_MAX} messages went to and fro without any time passing"),
        place: format!("simulated time {now}"),
        why: Some("a strategy answers each of its own events with another order".to_owned()),
        fix: "give the venue a latency, or make the strategy wait for the market".to_owned(),
    }
}

/// Lines to and from one venue.
struct Link {
    venue: Venue,
    feed: Line<MarketEvent>,
    orders: Line<Request>,
    answers: Line<Answer>,
}

/// What a venue says about us.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Order(OrderEvent),
    Account(AccountEvent),
}

impl Answer {
    /// What it is about; nothing in particular where it is about the whole account.
    fn instrument(&self) -> Option<InstrumentId> {
        match self {
            Self::Order(event) => Some(event.instrument),
            Self::Account(event) => match event.kind {
                AccountEventKind::Funding { instrument, .. }
                | AccountEventKind::Liquidated { instrument, .. } => Some(instrument),
                AccountEventKind::Transfer { .. } => None,
            },
        }
    }

    fn input(self, venue: VenueId) -> Input {
        match self {
            Self::Order(event) => Input::Order(event),
            Self::Account(event) => Input::Account(venue, event),
        }
    }
}

/// A message that takes no time.
#[derive(Clone, Copy, Debug)]
enum Work {
    Kernel(Input),
    Venue(usize, venue::Input),
}

/// What happens next besides data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Due {
    Answer(usize),
    Feed(usize),
    Request(usize),
    VenueWake(usize),
    KernelWake,
}

/// A run.
pub struct Backtest {
    kernel: Kernel,
    links: Vec<Link>,
    merge: Merge,
    watch: Watch,
    start: Timestamp,
    end: Timestamp,
    events: u64,
    now: Timestamp,
    first: Option<Timestamp>,
    started: bool,
    finished: bool,
    /// When the next thing besides data happens; `None` if it must be looked for.
    next_due: Option<Option<(Timestamp, Due)>>,
    /// The link of each venue of the catalogue.
    link_of: Vec<Option<usize>>,
    /// The lane of what concerns no instrument.
    account_lane: usize,
    // Buffers, empty between events.
    work: VecDeque<Work>,
    feed: Vec<MarketEvent>,
    outputs: Vec<Output>,
    words: Vec<venue::Output>,
    audit: bool,
    broken: Option<String>,
}

impl Backtest {
    /// Sets a scenario up.
    ///
    /// # Errors
    /// The first source that cannot be read at all.
    pub fn new(scenario: Scenario) -> Result<Self, SourceFault> {
        let watch = Watch::new(&scenario);
        let mut portfolio = tse_portfolio::Portfolio::for_catalog(&scenario.catalog);
        if scenario.audit {
            portfolio.start_audit();
        }
        let mut links = Vec::with_capacity(scenario.venues.len());
        // A lane for each instrument, and one for what concerns the whole account.
        let symbols = scenario.catalog.instruments().iter().map(|it| it.symbol.to_string());
        let symbols: Vec<_> = symbols.chain(["".to_owned()]).collect();
        for setup in &scenario.venues {
            for (currency, amount) in &setup.deposits {
                portfolio
                    .deposit(setup.venue, *currency, *amount)
                    .expect("an opening balance fits");
            }
            let name = &scenario.catalog.venue(setup.venue).name;
            let (seed, lanes) = (scenario.seed, || symbols.iter().map(String::as_str));
            let purpose = |line: &str| format!("latency:{line}:{name}");
            links.push(Link {
                venue: Venue::new(&scenario.catalog, setup),
                feed: Line::new(setup.feed.clone(), seed, &purpose("feed"), lanes()),
                orders: Line::new(setup.order.clone(), seed, &purpose("order"), lanes()),
                answers: Line::new(setup.response.clone(), seed, &purpose("response"), lanes()),
            });
        }
        let mut link_of = vec![None; scenario.catalog.venues().len()];
        for (number, link) in links.iter().enumerate() {
            link_of[link.venue.id().index()] = Some(number);
        }
        let kernel = Kernel::new(Setup {
            catalog: scenario.catalog,
            portfolio,
            limits: scenario.limits,
            repeat_window: scenario.repeat_window,
            answer_timeout: scenario.answer_timeout,
            strategies: scenario.strategies,
        });
        Ok(Self {
            kernel,
            links,
            merge: Merge::new(scenario.sources)?,
            watch,
            start: scenario.start.unwrap_or(Timestamp::MIN),
            end: scenario.end.unwrap_or(Timestamp::MAX),
            events: 0,
            now: Timestamp::MIN,
            first: None,
            started: false,
            finished: false,
            next_due: None,
            link_of,
            account_lane: symbols.len() - 1,
            work: VecDeque::new(),
            feed: Vec::new(),
            outputs: Vec::new(),
            words: Vec::new(),
            audit: scenario.audit,
            broken: None,
        })
    }

    /// The prices that everything is valued at, as of the last sample of equity.
    pub fn prices(&self) -> &Prices {
        self.watch.prices()
    }

    /// The engine.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// A venue.
    pub fn venue(&self, venue: VenueId) -> Option<&Venue> {
        self.links.iter().map(|link| &link.venue).find(|it| it.id() == venue)
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
                if !go_on(&self.progress()) {
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
        self.first.map(|_| self.now)
    }

    /// When the next thing happens.
    pub fn next_time(&mut self) -> Option<Timestamp> {
        let data = self.merge.peek().map(|event| event.ts_event);
        let due = self.due().map(|(at, _)| at);
        match (data, due) {
            (Some(data), Some(due)) => Some(data.min(due)),
            (data, due) => data.or(due),
        }
    }

    /// How far the run is.
    pub fn progress(&self) -> Progress {
        Progress {
            now: self.now,
            events: self.events,
            millionths: self.merge.progress(),
            equity: self.watch.last_equity(),
            net: self.watch.profit(self.now, &self.kernel).and_then(|profit| profit.net()),
        }
    }

    /// Takes the next thing that happens to completion, if it is not after `until`. `false` when the
    /// data has ended.
    #[inline]
    fn advance(
        &mut self,
        until: Timestamp,
        observer: &mut impl Observer,
    ) -> Result<bool, SourceFault> {
        let Some(event) = self.merge.peek().copied() else { return Ok(false) };
        if event.ts_event < self.start {
            self.merge.advance()?;
            return Ok(true);
        }
        if event.ts_event >= self.end {
            return Ok(false);
        }
        if let Some((at, due)) = self.due()
            && at < event.ts_event
        {
            if at <= until {
                self.happen(at, due, observer)?;
            }
            return Ok(true);
        }
        if event.ts_event > until {
            return Ok(true);
        }
        self.merge.advance()?;
        self.events += 1;
        // A source that steps back is read as if its clock had stood still.
        let now = event.ts_event.max(self.now);
        self.clock(now, observer);
        if !self.started {
            self.started = true;
            self.first = Some(now);
            self.step_kernel(now, Input::Command(Command::Start), observer);
            self.settle(now, observer)?;
        }
        self.show(now, &event, observer)?;
        if self.audit {
            self.check();
        }
        Ok(true)
    }

    /// Moves the clock: samples that fall before `now` are taken first.
    #[inline]
    fn clock(&mut self, now: Timestamp, observer: &mut impl Observer) {
        if now >= self.watch.next_sample() {
            self.watch.sample(now, &self.kernel, observer);
        }
        self.now = now;
    }

    fn due(&mut self) -> Option<(Timestamp, Due)> {
        if let Some(due) = self.next_due {
            return due;
        }
        let mut best: Option<(Timestamp, Due)> = None;
        let mut offer = |at: Option<Timestamp>, due: Due| {
            if let Some(at) = at
                && best.is_none_or(|best| (at, due) < best)
            {
                best = Some((at, due));
            }
        };
        for (number, link) in self.links.iter().enumerate() {
            offer(link.feed.next(), Due::Feed(number));
            offer(link.orders.next(), Due::Request(number));
            offer(link.answers.next(), Due::Answer(number));
            offer(link.venue.wake_at(), Due::VenueWake(number));
        }
        offer(self.kernel.wake_at(), Due::KernelWake);
        self.next_due = Some(best);
        best
    }

    /// Something besides data happens.
    fn happen(
        &mut self,
        at: Timestamp,
        due: Due,
        observer: &mut impl Observer,
    ) -> Result<(), SourceFault> {
        // A timer may have been due in the past: it fires now, and the clock does not go back.
        let now = at.max(self.now);
        self.clock(now, observer);
        self.next_due = None;
        match due {
            Due::Feed(number) => {
                if let Some((_, event)) = self.links[number].feed.receive() {
                    observer.market(now, &event, &self.kernel);
                    self.step_kernel(now, Input::Market(event), observer);
                }
            }
            Due::Request(number) => {
                if let Some((_, request)) = self.links[number].orders.receive() {
                    self.step_venue(now, number, venue::Input::Request(request));
                }
            }
            Due::Answer(number) => {
                let venue = self.links[number].venue.id();
                if let Some((_, answer)) = self.links[number].answers.receive() {
                    self.step_kernel(now, answer.input(venue), observer);
                }
            }
            Due::VenueWake(number) => self.step_venue(now, number, venue::Input::Wake),
            Due::KernelWake => self.step_kernel(now, Input::Wake, observer),
        }
        self.settle(now, observer)?;
        if self.audit {
            self.check();
        }
        Ok(())
    }

    /// Shows a venue what its market did, and the engine what the venue makes of it.
    #[inline]
    fn show(
        &mut self,
        now: Timestamp,
        event: &MarketEvent,
        observer: &mut impl Observer,
    ) -> Result<(), SourceFault> {
        let Some(instrument) = self.kernel.catalog().get_instrument(event.instrument) else {
            return Ok(());
        };
        let Some(number) = self.link_of[instrument.venue.index()] else { return Ok(()) };
        self.feed.clear();
        let link = &mut self.links[number];
        let before = link.venue.wake_at();
        link.venue.show(now, event, &mut self.feed, &mut self.words);
        if link.venue.wake_at() != before {
            self.next_due = None;
        }
        if !self.words.is_empty() {
            self.answer(now, number);
            self.settle(now, observer)?;
        }
        for at in 0..self.feed.len() {
            let event = self.feed[at];
            let line = &mut self.links[number].feed;
            if line.is_instant() {
                observer.market(now, &event, &self.kernel);
                self.step_kernel(now, Input::Market(event), observer);
            } else {
                let recorded = event.ts_recv - event.ts_event;
                let lane = event.instrument.index();
                if let Some(arrival) = line.send(now, lane, recorded, event) {
                    self.offer(arrival, Due::Feed(number));
                }
            }
        }
        if self.work.is_empty() { Ok(()) } else { self.settle(now, observer) }
    }

    /// Something new may happen before what was known to be next.
    #[inline]
    fn offer(&mut self, at: Timestamp, due: Due) {
        if let Some(next) = &mut self.next_due
            && next.is_none_or(|next| (at, due) < next)
        {
            *next = Some((at, due));
        }
    }

    /// Brings a request or a timer to a venue.
    fn step_venue(&mut self, now: Timestamp, number: usize, input: venue::Input) {
        let link = &mut self.links[number];
        let before = link.venue.wake_at();
        link.venue.step(now, input, &mut self.words);
        if link.venue.wake_at() != before {
            self.next_due = None;
        }
        self.answer(now, number);
    }

    /// What a venue said about us goes on its way.
    fn answer(&mut self, now: Timestamp, number: usize) {
        let mut words = std::mem::take(&mut self.words);
        for word in words.drain(..) {
            let link = &mut self.links[number];
            let answer = match word {
                venue::Output::Order(event) => Answer::Order(event),
                venue::Output::Account(event) => Answer::Account(event),
                venue::Output::Feed(_) => continue,
            };
            if link.answers.is_instant() {
                self.work.push_back(Work::Kernel(answer.input(link.venue.id())));
            } else {
                let lane = answer.instrument().map_or(self.account_lane, InstrumentId::index);
                if let Some(arrival) = link.answers.send(now, lane, Span::ZERO, answer) {
                    self.offer(arrival, Due::Answer(number));
                }
            }
        }
        self.words = words;
    }

    /// Steps the engine and sends what it asks for on its way.
    #[inline]
    fn step_kernel(&mut self, now: Timestamp, input: Input, observer: &mut impl Observer) {
        let before = self.kernel.wake_at();
        let mut outputs = std::mem::take(&mut self.outputs);
        self.kernel.step(now, input, &mut outputs);
        if self.kernel.wake_at() != before {
            self.next_due = None;
        }
        for output in &outputs {
            observer.output(now, output, &self.kernel);
            let Output::Send(venue, request) = *output else { continue };
            let Some(number) = self.link_of[venue.index()] else { continue };
            let link = &mut self.links[number];
            if link.orders.is_instant() {
                self.work.push_back(Work::Venue(number, venue::Input::Request(request)));
            } else {
                let lane = request.instrument().index();
                if let Some(arrival) = link.orders.send(now, lane, Span::ZERO, request) {
                    self.offer(arrival, Due::Request(number));
                }
            }
        }
        outputs.clear();
        self.outputs = outputs;
    }

    /// Lets everything happen that takes no time, in the order it was caused.
    #[inline]
    fn settle(&mut self, now: Timestamp, observer: &mut impl Observer) -> Result<(), SourceFault> {
        let mut rounds = 0;
        while let Some(work) = self.work.pop_front() {
            rounds += 1;
            if rounds > ROUNDS_MAX {
                self.work.clear();
                return Err(in_circles(now));
            }
            match work {
                Work::Kernel(input) => self.step_kernel(now, input, observer),
                Work::Venue(number, input) => self.step_venue(now, number, input),
            }
        }
        Ok(())
    }

    /// Ends the run: strategies are told, what is on its way arrives, a last sample is taken.
    ///
    /// # Errors
    /// A strategy that trades in circles without any time passing.
    pub fn finish(&mut self, observer: &mut impl Observer) -> Result<(), SourceFault> {
        if self.finished || !self.started {
            return Ok(());
        }
        self.finished = true;
        self.step_kernel(self.now, Input::Command(Command::Stop), observer);
        self.settle(self.now, observer)?;
        // Timers could go on for ever; messages end.
        loop {
            let lines = self.links.iter().enumerate().flat_map(|(number, link)| {
                [
                    (link.feed.next(), Due::Feed(number)),
                    (link.orders.next(), Due::Request(number)),
                    (link.answers.next(), Due::Answer(number)),
                ]
            });
            let next = lines.filter_map(|(at, due)| at.map(|at| (at, due))).min();
            let Some((at, due)) = next else { break };
            self.happen(at, due, observer)?;
        }
        self.watch.finish(self.now, &self.kernel, observer);
        if self.audit {
            self.check();
        }
        Ok(())
    }

    /// What the run came to so far.
    pub fn outcome(&self, interrupted: bool) -> Outcome {
        let (equity_start, equity_end) = self.watch.equity();
        Outcome {
            events: self.events,
            counts: self.kernel.counts(),
            state_hash: self.kernel.state_hash(),
            first: self.first,
            last: self.first.map(|_| self.now),
            equity_start,
            equity_end,
            profit: self.watch.profit(self.now, &self.kernel),
            curve: self.watch.curve().clone(),
            interrupted,
            broken: self.broken.clone(),
        }
    }

    /// Checks every law of conservation.
    fn check(&mut self) {
        if self.broken.is_some() {
            return;
        }
        let quiet = self.links.iter().all(|link| {
            link.feed.next().is_none()
                && link.orders.next().is_none()
                && link.answers.next().is_none()
        });
        let venues = self.links.iter().map(|link| &link.venue);
        if let Err(broken) = crate::laws::check(&self.kernel, venues, quiet) {
            self.broken = Some(format!("{}: {broken}", self.now));
        }
    }
}
