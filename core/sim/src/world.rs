//! Engine, venues and the lines between them on one virtual clock.
//!
//! A world is shown what happens in its markets and asked what happens next besides; it knows no data
//! files and no end. What takes no time happens before anything else does, in the order it was caused.
//!
//! Begin at [`World::show`] and [`World::happen`]; the order of things at one moment is told in
//! [`backtest`](crate::backtest).

mod live;

use crate::agenda::{Agenda, Due};
use crate::latency::Line;
use crate::roles::{Floor, Trader};
use crate::scenario::Scenario;
use crate::venue::{self, Venue};
use crate::venue_log::Reached;
use crate::watch::{Observer, Told, Watch};
use tse_kernel::{Input, Kernel, Output};
use tse_model::{
    AccountEventKind, Inquiry, InstrumentId, Machine, MarketData, MarketEvent, Request,
    SourceFault, Span, Timestamp, VenueId,
};
use tse_portfolio::Profit;

/// How many answers without delay one event may cause before the run is stopped as endless.
const ANSWERS_MAX: usize = 1_000_000;

fn in_circles(now: Timestamp) -> SourceFault {
    SourceFault {
        code: "TSE-S009",
        what: format!("{ANSWERS_MAX} answers went to and fro without any time passing"),
        place: format!("simulated time {now}"),
        why: Some("a strategy answers each of its own events with another order".to_owned()),
        fix: "give the venue a latency, or make the strategy wait for the market".to_owned(),
    }
}

/// Lines to and from one venue.
struct Link<F> {
    venue: F,
    feed: Line<MarketEvent>,
    orders: Line<Request>,
    /// Where somebody remembers what to answer.
    inquiries: Line<Inquiry>,
    answers: Line<venue::Output>,
}

/// Answers that take no time, until they are heard.
#[derive(Default)]
struct Words {
    words: Vec<venue::Output>,
    /// Up to where which venue spoke.
    speakers: Vec<(usize, VenueId)>,
}

impl Words {
    fn clear(&mut self) {
        self.words.clear();
        self.speakers.clear();
    }
}

/// What a venue's word is about; nothing in particular where it is about the whole account.
fn about(word: &venue::Output) -> Option<InstrumentId> {
    match word {
        venue::Output::Order(event) => Some(event.instrument),
        venue::Output::Feed(event) => Some(event.instrument),
        venue::Output::Account(event) => match event.kind {
            AccountEventKind::Funding { instrument, .. }
            | AccountEventKind::Liquidated { instrument, .. } => Some(instrument),
            AccountEventKind::Transfer { .. } => None,
        },
        venue::Output::Statement(_) => None,
    }
}

/// Engine, venues and lines.
pub(crate) struct World<T = Kernel, F = Venue> {
    trader: T,
    links: Vec<Link<F>>,
    watch: Watch,
    now: Timestamp,
    agenda: Agenda,
    /// The link of each venue of the catalogue.
    link_of: Vec<Option<usize>>,
    /// The link of each instrument.
    link_to: Vec<Option<usize>>,
    /// The lane of what concerns no instrument.
    account_lane: usize,
    // Buffers, empty between events.
    heard: Words,
    hearing: Words,
    /// What a venue publishes; `None` for the event it was shown.
    feed: Vec<Option<MarketData>>,
    outputs: Vec<Output>,
    words: Vec<venue::Output>,
    audit: bool,
    broken: Option<String>,
    /// How often something happened at a venue that nobody asked for: events and timers.
    happened: u64,
}

impl World {
    /// A world before anything happened in it.
    pub(crate) fn new(scenario: Scenario) -> Self {
        let open = |setup| Venue::open(&scenario.catalog, setup);
        let venues = scenario.venues.iter().map(open).collect();
        Self::with(scenario, venues, Scenario::kernel)
    }
}

impl<T: Trader, F: Floor> World<T, F> {
    /// A world with these venues, in the scenario's order, and whoever trades.
    pub(crate) fn with(
        scenario: Scenario,
        venues: Vec<F>,
        trader: impl FnOnce(Scenario) -> T,
    ) -> Self {
        let watch = Watch::new(&scenario);
        let mut links = Vec::with_capacity(scenario.venues.len());
        // A lane for each instrument, and one for what concerns the whole account.
        let symbols = scenario.catalog.instruments().iter().map(|it| it.symbol.to_string());
        let symbols: Vec<_> = symbols.chain(["".to_owned()]).collect();
        for (setup, venue) in scenario.venues.iter().zip(venues) {
            let name = &scenario.catalog.venue(setup.venue).name;
            let (seed, lanes) = (scenario.seed, || symbols.iter().map(String::as_str));
            let purpose = |line: &str| format!("latency:{line}:{name}");
            links.push(Link {
                venue,
                feed: Line::new(setup.feed.clone(), seed, &purpose("feed"), lanes()),
                orders: Line::new(setup.order.clone(), seed, &purpose("order"), lanes()),
                inquiries: Line::new(setup.order.clone(), seed, &purpose("inquiry"), lanes()),
                answers: Line::new(setup.response.clone(), seed, &purpose("response"), lanes()),
            });
        }
        let mut link_of = vec![None; scenario.catalog.venues().len()];
        for (number, link) in links.iter().enumerate() {
            link_of[link.venue.venue().id().index()] = Some(number);
        }
        let instruments = scenario.catalog.instruments().iter();
        let link_to = instruments.map(|it| link_of[it.venue.index()]).collect();
        let audit = scenario.audit;
        Self {
            trader: trader(scenario),
            links,
            watch,
            now: Timestamp::MIN,
            agenda: Agenda::default(),
            link_of,
            link_to,
            account_lane: symbols.len() - 1,
            heard: Words::default(),
            hearing: Words::default(),
            feed: Vec::new(),
            outputs: Vec::new(),
            words: Vec::new(),
            audit,
            broken: None,
            happened: 0,
        }
    }

    /// The engine.
    pub(crate) fn kernel(&self) -> &Kernel {
        self.trader.kernel()
    }

    /// A venue.
    pub(crate) fn venue(&self, venue: VenueId) -> Option<&Venue> {
        self.links.iter().map(|link| link.venue.venue()).find(|it| it.id() == venue)
    }

    /// What is valued, and at which prices.
    pub(crate) fn watch(&self) -> &Watch {
        &self.watch
    }

    /// The virtual clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The first law of conservation that was broken, if they are checked.
    pub(crate) fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// What everything earned so far; `None` if something has no usable price.
    pub(crate) fn profit(&self) -> Option<Profit> {
        self.watch.profit(self.now, self.trader.kernel())
    }

    /// Moves the clock: samples that fall before `now` are taken first.
    #[inline]
    fn clock(&mut self, now: Timestamp, observer: &mut impl Observer) {
        if now >= self.watch.next_sample() {
            self.watch.sample(now, self.trader.kernel(), observer);
        }
        self.now = now;
    }

    /// What happens next besides data.
    #[inline]
    pub(crate) fn due(&mut self) -> Option<(Timestamp, Due)> {
        if !self.agenda.known {
            self.look_ahead();
        }
        self.agenda.first
    }

    fn look_ahead(&mut self) {
        let mut agenda = Agenda::anew();
        let mut offer = |at: Option<Timestamp>, due: Due| {
            if let Some(at) = at {
                agenda.offer(at, due);
            }
        };
        for (number, link) in self.links.iter().enumerate() {
            offer(link.feed.next(), Due::Feed(number));
            offer(link.orders.next(), Due::Request(number));
            offer(link.inquiries.next(), Due::Inquiry(number));
            offer(link.answers.next(), Due::Answer(number));
            offer(link.venue.venue().wake_at(), Due::VenueWake(number));
        }
        offer(self.trader.kernel().wake_at(), Due::KernelWake);
        self.agenda = agenda;
    }

    /// Something besides data happens.
    ///
    /// # Errors
    /// A strategy that trades in circles without any time passing.
    pub(crate) fn happen(
        &mut self,
        at: Timestamp,
        due: Due,
        observer: &mut impl Observer,
    ) -> Result<(), SourceFault> {
        // A timer may have been due in the past: it fires now, and the clock does not go back.
        let now = at.max(self.now);
        self.clock(now, observer);
        match due {
            Due::Feed(number) => {
                let wake = self.trader.kernel().wake_at();
                let line = &mut self.links[number].feed;
                if let Some(event) = line.front() {
                    observer.market(now, event, self.trader.kernel());
                    observer.told(now, Told::Market(event), self.trader.kernel());
                    self.trader.show(now, event, &mut self.outputs);
                }
                line.pop();
                self.agenda.moved(due, line.next());
                self.carry_out(now, wake, observer);
            }
            Due::Request(number) => {
                let line = &mut self.links[number].orders;
                let request = line.pop();
                self.agenda.moved(due, line.next());
                if let Some(request) = request {
                    self.reach(now, number, &request, observer);
                }
            }
            Due::Inquiry(number) => {
                let line = &mut self.links[number].inquiries;
                let inquiry = line.pop();
                self.agenda.moved(due, line.next());
                if let Some(inquiry) = inquiry {
                    self.links[number].venue.inquire(now, &inquiry, &mut self.words);
                    self.answer(now, number);
                }
            }
            Due::Answer(number) => {
                let Link { answers, venue, .. } = &mut self.links[number];
                let (venue, word) = (venue.venue().id(), answers.pop());
                self.agenda.moved(due, answers.next());
                if let Some(word) = word {
                    self.hear(now, venue, &word, observer);
                }
            }
            Due::VenueWake(number) => {
                self.happened += 1;
                self.step_venue(now, number, |venue, words| venue.wake(now, words));
            }
            Due::KernelWake => self.step_trader(now, Input::Wake, observer),
        }
        self.settle(now, observer)?;
        self.check();
        Ok(())
    }

    /// Shows a venue what its market did, and the engine what the venue makes of it.
    ///
    /// # Errors
    /// A strategy that trades in circles without any time passing.
    #[inline]
    pub(crate) fn show(
        &mut self,
        now: Timestamp,
        event: &MarketEvent,
        observer: &mut impl Observer,
    ) -> Result<(), SourceFault> {
        self.clock(now, observer);
        let Some(Some(number)) = self.link_to.get(event.instrument.index()).copied() else {
            return Ok(());
        };
        self.happened += 1;
        let Link { venue, feed: line, .. } = &mut self.links[number];
        let wake = venue.venue().wake_at();
        let instant = line.is_instant();
        if instant {
            let feed = &mut self.feed;
            venue.show(now, event, |data| feed.push(data), &mut self.words);
        } else {
            let (lane, agenda) = (event.instrument.index(), &mut self.agenda);
            let recorded = event.ts_recv - event.ts_event;
            let send = |data: Option<MarketData>| {
                let event = MarketEvent { data: data.unwrap_or(event.data), ..*event };
                if let Some(arrival) = line.send(now, lane, recorded, event) {
                    agenda.offer(arrival, Due::Feed(number));
                }
            };
            venue.show(now, event, send, &mut self.words);
        }
        let wake_now = venue.venue().wake_at();
        if wake_now != wake {
            self.agenda.moved(Due::VenueWake(number), wake_now);
        }
        if !self.words.is_empty() {
            self.answer(now, number);
            self.settle(now, observer)?;
        }
        if instant {
            let mut feed = std::mem::take(&mut self.feed);
            for data in &feed {
                match data {
                    None => self.tell(now, event, observer),
                    Some(data) => self.tell(now, &MarketEvent { data: *data, ..*event }, observer),
                }
            }
            feed.clear();
            self.feed = feed;
            self.settle(now, observer)?;
        }
        self.check();
        Ok(())
    }

    /// Shows the engine what reaches it of a market.
    #[inline]
    fn tell(&mut self, now: Timestamp, event: &MarketEvent, observer: &mut impl Observer) {
        observer.market(now, event, self.trader.kernel());
        observer.told(now, Told::Market(event), self.trader.kernel());
        let wake = self.trader.kernel().wake_at();
        self.trader.show(now, event, &mut self.outputs);
        self.carry_out(now, wake, observer);
    }

    /// Lets arrive what is on its way, and takes a last sample. Timers could go on for ever; messages
    /// end.
    ///
    /// # Errors
    /// A strategy that trades in circles without any time passing.
    pub(crate) fn close(&mut self, observer: &mut impl Observer) -> Result<(), SourceFault> {
        loop {
            let lines = self.links.iter().enumerate().flat_map(|(number, link)| {
                [
                    (link.feed.next(), Due::Feed(number)),
                    (link.orders.next(), Due::Request(number)),
                    (link.inquiries.next(), Due::Inquiry(number)),
                    (link.answers.next(), Due::Answer(number)),
                ]
            });
            let next = lines.filter_map(|(at, due)| at.map(|at| (at, due))).min();
            let Some((at, due)) = next else { break };
            self.happen(at, due, observer)?;
        }
        self.watch.finish(self.now, self.trader.kernel(), observer);
        self.check();
        Ok(())
    }

    /// A request has reached its venue.
    #[inline]
    fn reach(
        &mut self,
        now: Timestamp,
        number: usize,
        request: &Request,
        observer: &mut impl Observer,
    ) {
        let (venue, happened) = (self.links[number].venue.venue().id(), self.happened);
        if observer.reached(&Reached { at: now, happened, venue, request: *request }) {
            self.step_venue(now, number, |venue, words| venue.ask(now, request, words));
        }
    }

    /// Brings a request or a timer to a venue.
    #[inline]
    fn step_venue(
        &mut self,
        now: Timestamp,
        number: usize,
        step: impl FnOnce(&mut F, &mut Vec<venue::Output>),
    ) {
        let venue = &mut self.links[number].venue;
        let wake = venue.venue().wake_at();
        step(venue, &mut self.words);
        let wake_now = venue.venue().wake_at();
        if wake_now != wake {
            self.agenda.moved(Due::VenueWake(number), wake_now);
        }
        self.answer(now, number);
    }

    /// What a venue said about us goes on its way.
    fn answer(&mut self, now: Timestamp, number: usize) {
        if self.words.is_empty() {
            return;
        }
        let Link { venue, answers, .. } = &mut self.links[number];
        if answers.is_instant() {
            self.heard.words.append(&mut self.words);
            self.heard.speakers.push((self.heard.words.len(), venue.venue().id()));
            return;
        }
        for word in self.words.drain(..) {
            let lane = about(&word).map_or(self.account_lane, InstrumentId::index);
            if let Some(arrival) = answers.send(now, lane, Span::ZERO, word) {
                self.agenda.offer(arrival, Due::Answer(number));
            }
        }
    }

    /// Brings a venue's word to the engine.
    #[inline]
    fn hear(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        word: &venue::Output,
        observer: &mut impl Observer,
    ) {
        let wake = self.trader.kernel().wake_at();
        match word {
            venue::Output::Order(event) => {
                observer.told(now, Told::Order(event), self.trader.kernel());
                self.trader.hear(now, event, &mut self.outputs);
            }
            venue::Output::Account(event) => {
                let input = Input::Account(venue, *event);
                observer.told(now, Told::Other(&input), self.trader.kernel());
                self.trader.take(now, input, &mut self.outputs);
            }
            venue::Output::Statement(statement) => {
                let input = Input::Statement(venue, *statement);
                observer.told(now, Told::Other(&input), self.trader.kernel());
                self.trader.take(now, input, &mut self.outputs);
            }
            venue::Output::Feed(_) => {} // its market data takes a line of its own
        }
        self.carry_out(now, wake, observer);
    }

    /// Steps the engine.
    #[inline]
    fn step_trader(&mut self, now: Timestamp, input: Input, observer: &mut impl Observer) {
        let wake = self.trader.kernel().wake_at();
        observer.told(now, Told::Other(&input), self.trader.kernel());
        self.trader.take(now, input, &mut self.outputs);
        self.carry_out(now, wake, observer);
    }

    /// Sends on its way what the engine asks for; it wanted to be woken at `wake` before.
    #[inline]
    fn carry_out(&mut self, now: Timestamp, wake: Option<Timestamp>, observer: &mut impl Observer) {
        observer.stepped();
        let wake_now = self.trader.kernel().wake_at();
        if wake_now != wake {
            self.agenda.moved(Due::KernelWake, wake_now);
        }
        if !self.outputs.is_empty() {
            self.send(now, observer);
        }
    }

    fn send(&mut self, now: Timestamp, observer: &mut impl Observer) {
        let mut outputs = std::mem::take(&mut self.outputs);
        let leaving = outputs.iter().any(|output| matches!(output, Output::Send(..)));
        let released = !leaving || observer.release(now, &outputs);
        for output in &outputs {
            observer.output(now, output, self.trader.kernel());
            let (venue, request) = match output {
                Output::Send(venue, request) => (venue, request),
                Output::Inquire(venue, inquiry) => {
                    self.inquire(now, *venue, inquiry);
                    continue;
                }
                _ => continue,
            };
            if !released || !self.trader.lets_pass(request) {
                continue;
            }
            let Some(number) = self.link_of[venue.index()] else { continue };
            let link = &mut self.links[number];
            if link.orders.is_instant() {
                self.reach(now, number, request, observer);
            } else {
                let lane = request.instrument().index();
                if let Some(arrival) = link.orders.send(now, lane, Span::ZERO, *request) {
                    self.agenda.offer(arrival, Due::Request(number));
                }
            }
        }
        outputs.clear();
        self.outputs = outputs;
    }

    /// A question to a venue goes on its way.
    fn inquire(&mut self, now: Timestamp, venue: VenueId, inquiry: &Inquiry) {
        let Some(number) = self.link_of[venue.index()] else { return };
        let link = &mut self.links[number];
        if link.inquiries.is_instant() {
            link.venue.inquire(now, inquiry, &mut self.words);
            self.answer(now, number);
        } else if let Some(at) = link.inquiries.send(now, self.account_lane, Span::ZERO, *inquiry) {
            self.agenda.offer(at, Due::Inquiry(number));
        }
    }

    /// Tells the engine something that no venue said.
    ///
    /// # Errors
    /// A strategy that trades in circles without any time passing.
    pub(crate) fn input(
        &mut self,
        now: Timestamp,
        input: Input,
        observer: &mut impl Observer,
    ) -> Result<(), SourceFault> {
        self.clock(now, observer);
        self.step_trader(now, input, observer);
        self.settle(now, observer)
    }

    /// Lets everything happen that takes no time, in the order it was caused: a request has met its venue
    /// as soon as it was sent, and its answer is heard after all that were given before.
    ///
    /// # Errors
    /// Messages that go to and fro for ever.
    #[inline]
    fn settle(&mut self, now: Timestamp, observer: &mut impl Observer) -> Result<(), SourceFault> {
        let mut answers = 0;
        while !self.heard.words.is_empty() {
            answers += self.heard.words.len();
            if answers > ANSWERS_MAX {
                self.heard.clear();
                return Err(in_circles(now));
            }
            self.hear_all(now, observer);
        }
        Ok(())
    }

    /// Brings to the engine the answers that take no time. What it asks for then is answered into the
    /// other of two buffers.
    fn hear_all(&mut self, now: Timestamp, observer: &mut impl Observer) {
        let mut hearing = std::mem::replace(&mut self.heard, std::mem::take(&mut self.hearing));
        let mut from = 0;
        for (to, venue) in &hearing.speakers {
            for word in &hearing.words[from..*to] {
                self.hear(now, *venue, word, observer);
            }
            from = *to;
        }
        hearing.clear();
        self.hearing = hearing;
    }

    /// Checks every law of conservation, in a run that is audited.
    #[inline]
    fn check(&mut self) {
        if self.audit && self.broken.is_none() {
            self.check_laws();
        }
    }

    fn check_laws(&mut self) {
        let quiet = self.links.iter().all(|link| {
            link.feed.next().is_none()
                && link.orders.next().is_none()
                && link.inquiries.next().is_none()
                && link.answers.next().is_none()
        });
        let venues = self.links.iter().map(|link| link.venue.venue());
        if let Err(broken) = crate::laws::check(self.trader.kernel(), venues, quiet) {
            self.broken = Some(format!("{}: {broken}", self.now));
        }
    }
}
