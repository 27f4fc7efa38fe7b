//! The world of a trial: what happens, in what order, and what becomes of messages.

use super::faults::{Fault, Faults};
use super::laws::{self, Booked, Placed};
use super::marks::{Mark, Marks};
use super::stage::{self, START};
use crate::exchange::Exchange;
use crate::merge::Merge;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use tse_engine::{Engine, MemoryLease, Upkeep};
use tse_journal::{Breaker, Memory};
use tse_kernel::{Command, Input, Plant};
use tse_model::{
    Catalog, Chance, ClientOrderId, Depth, DepthChange, Environment, ExecId, Inquiry, Instrument,
    InstrumentId, Line, Machine, MarketData, MarketEvent, Request, Rules, Span, Standing,
    StateHash, Statement, Timestamp, TradingStatus, VenueId,
};
use tse_risk::{Level, Reach};

/// How long faults happen.
pub const FAULTS_LAST: Span = Span::from_secs(120);
/// Afterwards trading goes on for so long.
const CALM: Span = Span::from_secs(25);
/// Then strategies are stopped, and by the end of this all must be in order.
const QUIET: Span = Span::from_secs(25);
/// One state of the books in so many events is compared in full with the venues' own.
const AUDIT_EVERY: u32 = 64;

mod disk;
mod driver;
mod messages;
mod operator;
mod paces;
mod strikes;

use disk::Slow;
use paces::Counted;

type Live = Engine<Memory, MemoryLease>;

/// Something on its way, or due.
#[derive(Clone, Debug)]
enum Event {
    Request { venue: usize, line: u32, request: Request },
    Word { venue: usize, line: u32, seq: u64, input: Input },
    Feed { venue: usize, line: u32, event: MarketEvent },
    Inquiry { venue: usize, line: u32, inquiry: Inquiry },
    Answer { venue: usize, line: u32, lines: Vec<Statement> },
    Connect(usize),
    Restart,
    Happen(Fault),
    Over(Fault, usize),
    Snapshot(InstrumentId),
    Rules { venue: usize, line: u32, instrument: InstrumentId, rules: Rules },
    Safe,
    Look,
    GoOn(Reach),
    Calm,
    Stop,
    End,
}

/// What is due when, and in the order it was sent at one moment.
#[derive(Debug)]
struct Due(Timestamp, u64, Event);

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        (self.0, self.1) == (other.0, other.1)
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0, self.1).cmp(&(other.0, other.1))
    }
}

/// The link to one exchange.
#[derive(Clone, Debug, Default)]
struct Link {
    up: bool,
    /// Counts connections: what was sent on an earlier one is dead.
    line: u32,
    /// The next number in the private stream, there and here.
    sent: u64,
    expected: u64,
    /// Requests and words keep their order unless a fault says otherwise.
    last_request: Timestamp,
    last_word: Timestamp,
    banned: bool,
}

/// Where an engine is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Crash {
    BeforeRecord,
    BeforeSend,
    WhileSending,
    InCommit,
}

/// What became of a trial.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The first law that was broken, in words, and when.
    pub broken: Option<(Timestamp, String)>,
    /// What rare things happened.
    pub marks: Marks,
    /// Everything that was done and heard, as one number.
    pub hash: StateHash,
    /// How many things happened.
    pub events: u64,
    /// How many orders were sent.
    pub orders: u64,
    /// How many executions there were.
    pub fills: u64,
    /// How much time passed in the world.
    pub length: Span,
    /// What was seen of the order that was followed.
    pub followed: Vec<String>,
}

/// An engine in an unkind world.
pub struct Trial {
    seed: u64,
    faults: Faults,
    catalog: Catalog,
    exchanges: Vec<Exchange>,
    links: Vec<Link>,
    merge: Merge,
    queue: BinaryHeap<Reverse<Due>>,
    next: u64,
    now: Timestamp,
    chance: Chance,
    /// What the engine's clock is ahead of the world's.
    skew: Span,
    engine: Option<Live>,
    /// While there is no engine.
    disk: Option<Memory>,
    lease: MemoryLease,
    /// An engine whose place was taken, and that does not know.
    zombie: Option<(Live, Timestamp)>,
    crash: Option<Crash>,
    /// The last record that was acknowledged, and the state then.
    acknowledged: Option<(u64, StateHash)>,
    /// Whether what was acknowledged may have been lost by now, as a weak journal allows.
    may_be_lost: bool,
    booked: Booked,
    /// What was booked when a snapshot was made, by the record it was made after.
    pictures: BTreeMap<u64, Booked>,
    /// What venues take, and what the engine was told of it.
    rules: Vec<Rules>,
    told_rules: Vec<Rules>,
    slow: Slow,
    /// Whether venues say how much had traded of what they close.
    says_filled: [bool; 2],
    upkeep: Upkeep,
    breaker: Breaker,
    placed: Placed,
    cancelled: BTreeSet<ClientOrderId>,
    broken_feed: BTreeMap<InstrumentId, Timestamp>,
    foreign: u64,
    /// Whether others than the engine have changed what the account holds: then no limit of ours holds.
    meddled: bool,
    latched: [bool; 2],
    /// Whether the engine is being told the lines of an answer.
    asking: bool,
    marks: Marks,
    hash: StateHash,
    events: u64,
    stopped: bool,
    ended: bool,
    broken: Option<(Timestamp, String)>,
    /// Whether the engine has said that it compared the account, since the link came up.
    compared: [bool; 2],
    /// Executions whose word was lost: until the engine asks, it cannot know.
    unheard: BTreeSet<(VenueId, ExecId)>,
    /// Markets in which such an execution may have led past a limit.
    excused: BTreeSet<InstrumentId>,
    /// Orders that the engine has proven never to have arrived.
    absent: BTreeSet<ClientOrderId>,
    /// The last moment that the engine knows of.
    told: Timestamp,
    /// How far trading is cut back, as far as the engine has said so, and whether it has been armed.
    cut: BTreeMap<Reach, Level>,
    /// Where somebody wants it to go on, and has not heard.
    asked: BTreeSet<Reach>,
    /// What left.
    counted: Counted,
    armed: bool,
    /// Mistakes that are made on purpose.
    planted: Vec<Plant>,
    /// The order that is followed, and what was seen of it.
    followed: Option<(ClientOrderId, Vec<String>)>,
}

impl Trial {
    /// The trial of a seed, with the faults that are its own.
    pub fn new(seed: u64) -> Self {
        Self::with(seed, Faults::of(seed))
    }

    /// The trial of a seed with these faults.
    pub fn with(seed: u64, faults: Faults) -> Self {
        let catalog = stage::catalog();
        let setups = stage::exchanges(&catalog);
        let end = START + FAULTS_LAST + CALM + QUIET;
        let length = end - START;
        let merge = Merge::new(stage::sources(seed, &catalog, length)).expect("dice never fail");
        let mut trial = Self {
            seed,
            exchanges: setups.iter().map(|setup| Exchange::new(&catalog, setup)).collect(),
            links: vec![Link::default(); setups.len()],
            merge,
            queue: BinaryHeap::new(),
            next: 0,
            now: START,
            chance: Chance::stream(seed, "world"),
            skew: Span::ZERO,
            engine: None,
            disk: None,
            lease: MemoryLease::default(),
            zombie: None,
            crash: None,
            acknowledged: None,
            may_be_lost: false,
            booked: Booked::default(),
            pictures: BTreeMap::new(),
            rules: catalog.instruments().iter().map(Instrument::rules).collect(),
            told_rules: catalog.instruments().iter().map(Instrument::rules).collect(),
            slow: Slow::default(),
            says_filled: stage::says_filled(seed),
            upkeep: stage::upkeep(seed),
            breaker: Breaker::default(),
            placed: Placed::default(),
            cancelled: BTreeSet::new(),
            broken_feed: BTreeMap::new(),
            foreign: 0,
            meddled: false,
            latched: [false; 2],
            asking: false,
            marks: Marks::default(),
            hash: StateHash::new(),
            events: 0,
            stopped: false,
            ended: false,
            broken: None,
            compared: [false; 2],
            unheard: BTreeSet::new(),
            excused: BTreeSet::new(),
            absent: BTreeSet::new(),
            told: Timestamp::MIN,
            cut: BTreeMap::new(),
            asked: BTreeSet::new(),
            counted: Counted::new(stage::paces(seed, &catalog)),
            armed: false,
            planted: Vec::new(),
            followed: None,
            catalog,
            faults,
        };
        trial.push(START + FAULTS_LAST, Event::Calm);
        trial.push(START + FAULTS_LAST + CALM, Event::Stop);
        trial.push(end, Event::End);
        trial.push(START, Event::Look);
        for fault in Fault::ALL.into_iter().filter(|fault| fault.is_event()) {
            trial.plan(fault);
        }
        trial
    }

    /// Makes a mistake, beside others, which the laws should notice.
    #[cfg(feature = "plant")]
    #[must_use]
    pub fn plant(mut self, plant: Plant) -> Self {
        self.planted.push(plant);
        self
    }

    /// Writes down everything that happens to one order.
    #[must_use]
    pub fn follow(mut self, id: ClientOrderId) -> Self {
        self.followed = Some((id, Vec::new()));
        self
    }

    fn saw(&mut self, id: ClientOrderId, what: impl FnOnce() -> String) {
        let now = self.now;
        if let Some((followed, lines)) = &mut self.followed
            && *followed == id
        {
            lines.push(format!("{now}  {}", what()));
        }
    }

    /// Runs it to its end or to the first law that is broken.
    pub fn run(self) -> Verdict {
        self.run_and(|_| Ok(()))
    }

    /// The same, and shows its journal at the end to a law of somebody else's.
    pub fn run_and(mut self, law: impl FnOnce(&Memory) -> Result<(), String>) -> Verdict {
        self.begin();
        while !self.ended && self.broken.is_none() {
            self.advance();
        }
        if self.broken.is_none() {
            self.judge();
        }
        if self.broken.is_none()
            && let Some(engine) = &self.engine
        {
            let held = law(engine.journal().disk());
            self.hold(held);
        }
        let engine = self.engine.as_ref();
        let counts = engine.map(|engine| engine.kernel().counts()).unwrap_or_default();
        if let Some(engine) = engine {
            self.hash.word(engine.kernel().state_hash().finish());
            self.hash.word(engine.journal().chain());
        }
        Verdict {
            followed: self.followed.map(|(_, lines)| lines).unwrap_or_default(),
            broken: self.broken,
            marks: self.marks,
            hash: self.hash,
            events: self.events,
            orders: counts.orders,
            fills: counts.fills,
            length: self.now - START,
        }
    }

    fn fail(&mut self, what: String) {
        if self.broken.is_none() {
            self.broken = Some((self.now, what));
        }
    }

    fn hold(&mut self, law: Result<(), String>) {
        if let Err(what) = law {
            self.fail(what);
        }
    }

    fn push(&mut self, at: Timestamp, event: Event) {
        self.next += 1;
        self.queue.push(Reverse(Due(at, self.next, event)));
    }

    fn plan(&mut self, fault: Fault) {
        if let Some(after) = self.faults.next(fault, &mut self.chance) {
            self.push(self.now + after, Event::Happen(fault));
        }
    }

    fn hits(&mut self, fault: Fault) -> bool {
        self.now < START + FAULTS_LAST && self.faults.hits(fault, &mut self.chance)
    }

    fn ms(&mut self, low: i64, high: i64) -> Span {
        Span::from_millis(self.chance.between(low, high))
    }

    // ---- time ----

    fn advance(&mut self) {
        let data = self.merge.peek().map(|event| event.ts_event);
        let due = self.queue.peek().map(|due| due.0.0);
        let wake = self.engine.as_ref().and_then(|engine| engine.kernel().wake_at());
        // Who waits for the disk is not called.
        let wake = wake.map(|at| (at - self.skew).max(self.now).max(self.slow.busy_until));
        let venue = self.exchanges.iter().filter_map(|it| it.venue.wake_at()).min();
        let venue = venue.map(|at| at.max(self.now));
        let Some(at) = [venue, data, due, wake].into_iter().flatten().min() else {
            self.ended = true;
            return;
        };
        self.now = self.now.max(at);
        self.events += 1;
        if venue == Some(at) {
            for number in 0..self.exchanges.len() {
                let mut out = Vec::new();
                self.exchanges[number].wake(self.now, &mut out);
                self.words(number, &out);
            }
        } else if data == Some(at) {
            let event = *self.merge.peek().expect("it was peeked");
            self.merge.advance().expect("dice never fail");
            self.market(&event);
        } else if due == Some(at) {
            let Reverse(Due(_, _, event)) = self.queue.pop().expect("it was peeked");
            self.happen(event);
        } else {
            self.tell(Input::Wake);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Request { venue, line, request } => self.on_request(venue, line, &request),
            Event::Word { venue, line, seq, input } => self.on_word(venue, line, seq, input),
            Event::Feed { venue, line, event } => {
                if self.links[venue].line == line {
                    self.tell(Input::Market(event));
                    if self.slow.backlog.is_empty() {
                        self.check_book(&event);
                    }
                }
            }
            Event::Inquiry { venue, line, inquiry } => self.on_inquiry(venue, line, &inquiry),
            Event::Answer { venue, line, lines } => {
                if self.links[venue].line == line {
                    for statement in lines {
                        if let Line::Order(row) = statement.line {
                            self.saw(row.id, || format!("listed    {row:?}"));
                        }
                        if let Line::Execution(row) = statement.line {
                            self.saw(row.id, || format!("listed    {row:?}"));
                        }
                        self.tell(Input::Statement(VenueId(venue as u16), statement));
                    }
                    self.check_all();
                }
            }
            Event::Connect(venue) => self.connect(venue),
            Event::Restart => self.restart(),
            Event::Happen(fault) => {
                if self.now < START + FAULTS_LAST {
                    self.strike(fault);
                    self.plan(fault);
                }
            }
            Event::Over(fault, at) => self.relieve(fault, at),
            Event::Snapshot(instrument) => self.send_snapshot(instrument),
            Event::Rules { venue, line, instrument, rules } => {
                if self.links[venue].line == line && self.engine.is_some() {
                    self.tell(Input::Rules(instrument, rules));
                }
            }
            Event::Safe => self.is_safe(),
            Event::Look => self.look(),
            Event::GoOn(reach) => self.go_on(reach),
            Event::Calm => self.calm(),
            Event::Stop => {
                self.stopped = true;
                self.tell(Input::Command(Command::Stop));
            }
            Event::End => self.ended = true,
        }
    }

    // ---- markets ----

    fn venue_of(&self, instrument: InstrumentId) -> usize {
        self.catalog.instrument(instrument).venue.index()
    }

    fn market(&mut self, event: &MarketEvent) {
        let venue = self.venue_of(event.instrument);
        let (mut feed, mut out) = (Vec::new(), Vec::new());
        let now = self.now;
        let publish = |data: Option<MarketData>| {
            feed.push(MarketEvent { data: data.unwrap_or(event.data), ts_recv: now, ..*event });
        };
        self.exchanges[venue].show(now, event, publish, &mut out);
        self.publish(venue, &feed);
        self.words(venue, &out);
    }

    fn publish(&mut self, venue: usize, feed: &[MarketEvent]) {
        for event in feed {
            if !self.links[venue].up {
                continue;
            }
            let instrument = event.instrument;
            let broken = self.broken_feed.contains_key(&instrument);
            if !broken && matches!(event.data, MarketData::Depth(_)) && self.hits(Fault::FeedGap) {
                self.marks.hit(Mark::BookGap);
                let until = self.now + self.ms(100, 2_000);
                self.broken_feed.insert(instrument, until);
                self.push(until, Event::Snapshot(instrument));
                let change = Depth { change: DepthChange::Gap, last: true };
                self.feed(venue, MarketEvent { data: MarketData::Depth(change), ..*event });
            } else if !broken {
                self.feed(venue, *event);
            }
        }
    }

    fn feed(&mut self, venue: usize, event: MarketEvent) {
        let line = self.links[venue].line;
        let at = self.now + Span::from_millis(3);
        self.push(at, Event::Feed { venue, line, event });
    }

    fn send_snapshot(&mut self, instrument: InstrumentId) {
        self.broken_feed.remove(&instrument);
        let venue = self.venue_of(instrument);
        if self.links[venue].up {
            let mut feed = Vec::new();
            self.exchanges[venue].snapshot(self.now, instrument, &mut feed);
            for event in feed {
                self.feed(venue, event);
            }
        }
    }

    /// I12: a book is uncrossed, or said to be invalid.
    fn check_book(&mut self, event: &MarketEvent) {
        let instrument = event.instrument;
        let gap = matches!(event.data, MarketData::Depth(Depth { change: DepthChange::Gap, .. }));
        let Some(engine) = &self.engine else { return };
        let market = engine.kernel().market(instrument);
        let quote = market.quote;
        let crossed =
            quote.bid_qty.is_positive() && quote.ask_qty.is_positive() && quote.bid >= quote.ask;
        if market.valid && gap {
            self.fail(format!("I12: {instrument:?} has a gap and is believed"));
        } else if market.valid && crossed {
            self.fail(format!("I12: {instrument:?} is crossed and believed: {quote:?}"));
        } else if market.valid
            && self.exchanges[self.venue_of(instrument)].best_shown(instrument).is_none()
        {
            self.fail(format!("I12: {instrument:?} has no book at its venue and is believed"));
        }
    }

    // ---- the end ----

    fn calm(&mut self) {
        self.crash = None;
        self.breaker.set(None);
        self.breaker.set_full(false);
        self.skew = Span::ZERO;
        self.slow.commit_takes = Span::ZERO;
        for instrument in 0..self.rules.len() {
            let instrument = InstrumentId(instrument as u32);
            let rules = self.catalog.instrument(instrument).rules();
            self.set_rules(instrument, rules);
        }
        for venue in 0..self.links.len() {
            self.links[venue].banned = false;
            self.set_status(venue, TradingStatus::Open);
            self.connect(venue);
            // Whoever traded by hand goes home.
            let open: Vec<ClientOrderId> = self.exchanges[venue]
                .orders()
                .filter(|row| row.standing == Standing::Open)
                .filter(|row| row.id.environment() == Environment::Foreign)
                .map(|row| row.id)
                .collect();
            for id in open {
                let mut out = Vec::new();
                self.exchanges[venue].cancel(self.now, id, &mut out);
                self.words(venue, &out);
            }
        }
    }

    fn check_all(&mut self) {
        let Some(engine) = &self.engine else { return };
        let law = laws::of_bookings(engine.kernel(), &self.booked, &self.exchanges);
        self.hold(law);
        if self.events.is_multiple_of(u64::from(AUDIT_EVERY)) {
            let audits: Result<Vec<()>, String> =
                self.exchanges.iter().map(|exchange| exchange.venue.audit()).collect();
            self.hold(audits.map(|_| ()));
        }
    }

    fn judge(&mut self) {
        let Some(engine) = &self.engine else {
            return self.fail("I11: there is no engine at the end".to_owned());
        };
        let kernel = engine.kernel();
        let mut laws =
            vec![laws::of_engine(kernel), laws::of_bookings(kernel, &self.booked, &self.exchanges)];
        laws.push(laws::of_desk(&self.booked, &self.exchanges, self.now));
        for (at, exchange) in self.exchanges.iter().enumerate() {
            laws.push(exchange.venue.audit());
            let latched = self.latched[at] || kernel.is_latched(exchange.venue.id());
            laws.push(laws::of_agreement(kernel, &self.booked, exchange, latched));
        }
        for law in laws {
            self.hold(law);
        }
    }
}
