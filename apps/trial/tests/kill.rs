//! A real process on a real disk, killed at every named point, recovered twice in a row, and judged by a
//! venue that outlived it (F01, F02, F03, F04).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tse_kernel::{Command as Ask, Input, record};
use tse_model::bytes::Writer;
use tse_model::{
    CancelReason, Catalog, ClientOrderId, ExecId, ExecutionRow, Fill, InstrumentId, Line,
    Liquidity, MarketData, MarketEvent, Money, OrderEvent, OrderEventKind, OrderRow, Price, Qty,
    Quote, RejectReason, Request, Settlement, Span, Standing, Statement, StrategyId, Timestamp,
    VenueId, VenueOrderId,
};
use tse_portfolio::Portfolio;
use tse_risk::Who;
use tse_sim::trial::{START, catalog, deposits};

/// Where the process may die.
const POINTS: [&str; 18] = [
    "before-record",
    "before-write",
    "half-write",
    "after-write",
    "after-sync",
    "before-send",
    "after-send",
    "before-create",
    "after-create",
    "snapshot-before-create",
    "snapshot-after-create",
    "snapshot-before-write",
    "snapshot-half-write",
    "snapshot-after-write",
    "snapshot-after-sync",
    "snapshot-before-remove",
    "snapshot-after-remove",
    "before-remove",
];

/// An engine in a process of its own.
struct Process {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl Process {
    fn start(folder: &Path, now: Timestamp, die: Option<(&str, u64)>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tse-trial-engine"));
        command.arg(folder).arg("7").arg(now.nanos().to_string());
        if let Some((point, left)) = die {
            command.arg(point).arg(left.to_string());
        }
        // That it aborts is what is asked of it.
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("it was built");
        let to = child.stdin.take().expect("it is piped");
        let from = BufReader::new(child.stdout.take().expect("it is piped"));
        Self { child, to, from }
    }

    /// What it says up to the end of an answer; `None` if it died.
    fn hear(&mut self, each: &mut impl FnMut(&str)) -> Option<()> {
        loop {
            let mut line = String::new();
            // Half a line is the last of a process that died.
            if self.from.read_line(&mut line).ok()? == 0 || !line.ends_with('\n') {
                return None;
            }
            match line.trim_end() {
                "." => return Some(()),
                error if error.starts_with('E') => panic!("{error}"),
                line => each(line),
            }
        }
    }

    fn tell(&mut self, line: &str) -> Option<()> {
        writeln!(self.to, "{line}").ok()?;
        self.to.flush().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("two digits");
    (0..text.len()).step_by(2).map(digits).collect()
}

/// Both venues, and the world's clock: it outlives every engine.
struct World {
    catalog: Catalog,
    now: Timestamp,
    books: Portfolio,
    orders: BTreeMap<ClientOrderId, OrderRow>,
    executions: Vec<ExecutionRow>,
    placed: BTreeSet<ClientOrderId>,
    /// Words that the engine has not been told.
    words: Vec<(VenueId, OrderEvent)>,
    inquiries: Vec<(VenueId, u32)>,
    wake: Option<Timestamp>,
    reconciled: BTreeSet<u16>,
    armed: bool,
    alerts: Vec<String>,
    ticks: i64,
    /// How many engines began from a snapshot.
    from_snapshot: u32,
}

impl World {
    fn new() -> Self {
        let catalog = catalog();
        let mut books = Portfolio::for_catalog(&catalog);
        for at in 0..catalog.venues().len() {
            for (currency, amount) in deposits(&catalog) {
                books.deposit(VenueId(at as u16), currency, amount).expect("it fits");
            }
        }
        Self {
            catalog,
            now: START,
            books,
            orders: BTreeMap::new(),
            executions: Vec::new(),
            placed: BTreeSet::new(),
            words: Vec::new(),
            inquiries: Vec::new(),
            wake: None,
            reconciled: BTreeSet::new(),
            armed: false,
            alerts: Vec::new(),
            ticks: 0,
            from_snapshot: 0,
        }
    }

    /// Gives the engine an input and takes what it asks for; `None` if it dies of it.
    fn give(&mut self, process: &mut Process, input: &Input) -> Option<()> {
        let mut bytes = Writer::default();
        record::write_input(input, &mut bytes);
        let mut line = format!("{} ", self.now.nanos());
        for byte in bytes.as_bytes() {
            let _ = write!(line, "{byte:02x}");
        }
        process.tell(&line)?;
        process.hear(&mut |line| self.on_line(line))
    }

    fn on_line(&mut self, line: &str) {
        let (kind, rest) = line.split_at(2);
        match kind {
            "S " => {
                let (venue, request) =
                    record::read_request(&unhex(rest), Timestamp::EPOCH).expect("a request");
                self.on_request(venue, &request);
            }
            "Q " => {
                let mut parts = rest.split(' ').map(|part| part.parse::<i64>().expect("a number"));
                let venue = VenueId(parts.next().expect("a venue") as u16);
                self.inquiries.push((venue, parts.next().expect("a number") as u32));
            }
            "W " => {
                let wake: i64 = rest.parse().expect("a moment");
                self.wake = (wake != 0).then(|| Timestamp::from_nanos(wake));
            }
            "R " => drop(self.reconciled.insert(rest.parse().expect("a venue"))),
            "B " => {
                let snapshot = rest.rsplit(' ').next();
                self.from_snapshot += u32::from(snapshot.is_some_and(|record| record != "0"));
            }
            "A " if rest == "Armed" => self.armed = true,
            "A " => self.alerts.push(rest.to_owned()),
            _ => {}
        }
    }

    fn say(&mut self, venue: VenueId, id: ClientOrderId, it: InstrumentId, kind: OrderEventKind) {
        let event = OrderEvent { id, instrument: it, ts_event: self.now, kind };
        self.words.push((venue, event));
    }

    fn on_request(&mut self, venue: VenueId, request: &Request) {
        let (id, instrument) = (request.id(), request.instrument());
        self.now = self.now + Span::from_nanos(1);
        match request {
            Request::Place(place) => {
                assert!(self.placed.insert(id), "I4: {id} is placed a second time");
                let venue_id = VenueOrderId(self.placed.len() as u64);
                let row = OrderRow {
                    id,
                    venue_id,
                    instrument,
                    side: place.side,
                    order_type: place.order_type,
                    time_in_force: place.time_in_force,
                    qty: place.qty,
                    filled: Qty::ZERO,
                    standing: Standing::Open,
                    updated: self.now,
                };
                self.orders.insert(id, row);
                self.say(venue, id, instrument, OrderEventKind::Accepted(venue_id));
                // Every second order trades a lot at once.
                if self.placed.len().is_multiple_of(2) {
                    self.fill(venue, id);
                }
            }
            Request::Cancel(_) => {
                let open = self.orders.get_mut(&id).filter(|row| row.standing == Standing::Open);
                let kind = match open {
                    Some(row) => {
                        let reason = CancelReason::Requested;
                        (row.standing, row.updated) = (Standing::Cancelled(reason), self.now);
                        OrderEventKind::Cancelled { reason, filled: Some(row.filled) }
                    }
                    None => OrderEventKind::CancelRejected(RejectReason::UnknownOrder),
                };
                self.say(venue, id, instrument, kind);
            }
            Request::Modify(_) => {
                let kind = OrderEventKind::ModifyRejected(RejectReason::UnsupportedType);
                self.say(venue, id, instrument, kind);
            }
        }
    }

    fn fill(&mut self, venue: VenueId, id: ClientOrderId) {
        let row = self.orders.get_mut(&id).expect("it was placed");
        let (instrument, side) = (row.instrument, row.side);
        let it = self.catalog.instrument(instrument);
        row.filled += Qty::new(1);
        row.updated = self.now;
        if row.filled == row.qty {
            row.standing = Standing::Filled;
        }
        let fill = Fill {
            exec: ExecId(self.executions.len() as u64 + 1),
            price: row.order_type.limit().unwrap_or(Price::new(500_000)),
            qty: Qty::new(1),
            liquidity: Liquidity::Maker,
            fee: Money::ZERO,
            fee_currency: it.settle,
        };
        self.books.apply_fill(StrategyId(0), it, side, &fill, self.now).expect("it fits");
        let at = self.now;
        self.executions.push(ExecutionRow { id, instrument, side, at, fill, forced: false });
        self.say(venue, id, instrument, OrderEventKind::Filled(fill));
    }

    fn answer(&self, venue: VenueId) -> Vec<Line> {
        let here = |instrument: InstrumentId| self.catalog.instrument(instrument).venue == venue;
        let mut lines = vec![Line::Begin { as_of: self.now }];
        let orders = self.orders.values().filter(|row| here(row.instrument));
        lines.extend(orders.copied().map(Line::Order));
        let executions = self.executions.iter().filter(|row| here(row.instrument));
        lines.extend(executions.copied().map(Line::Execution));
        for it in self.catalog.instruments() {
            if let Some(held) = self.books.position(StrategyId(0), it.id)
                && it.venue == venue
                && it.settlement == Settlement::Difference
            {
                let (qty, cost) = (held.qty(), held.cost());
                lines.push(Line::Position { instrument: it.id, qty, cost });
            }
        }
        for (at, currency, amount) in self.books.balances() {
            if at == venue {
                lines.push(Line::Balance { currency, amount });
            }
        }
        lines.push(Line::End);
        lines
    }

    /// A link comes up, and all links.
    fn connect(&mut self, process: &mut Process) -> Option<()> {
        self.words.clear(); // spoken on links that are gone
        self.inquiries.clear();
        self.reconciled.clear();
        self.armed = false;
        for at in 0..self.catalog.venues().len() {
            self.give(process, &Input::Link { venue: VenueId(at as u16), up: true })?;
        }
        Some(())
    }

    /// A little time passes: quotes move, words and answers arrive, timers come due.
    fn tick(&mut self, process: &mut Process) -> Option<()> {
        self.ticks += 1;
        self.now = self.now + Span::from_millis(100);
        for at in 0..self.catalog.instruments().len() as u32 {
            let mid = 500_000 + (self.ticks * 7 + i64::from(at)) % 11;
            let (bid, ask) = (Price::new(mid - 2), Price::new(mid + 2));
            let quote = Quote { bid, bid_qty: Qty::new(9), ask, ask_qty: Qty::new(9) };
            let event = MarketEvent {
                ts_event: self.now,
                ts_recv: self.now,
                instrument: InstrumentId(at),
                data: MarketData::Quote(quote),
            };
            self.give(process, &Input::Market(event))?;
        }
        for (_, event) in std::mem::take(&mut self.words) {
            self.give(process, &Input::Order(event))?;
        }
        for (venue, number) in std::mem::take(&mut self.inquiries) {
            for line in self.answer(venue) {
                self.give(process, &Input::Statement(venue, Statement { number, line }))?;
            }
        }
        if self.wake.is_some_and(|wake| wake <= self.now) {
            self.give(process, &Input::Wake)?;
        }
        if !self.armed && self.reconciled.len() == self.catalog.venues().len() {
            self.give(process, &Input::Command(Ask::Arm(Who::cut("the world"))))?;
        }
        Some(())
    }

    /// What the engine knows is what is true.
    fn judge(&mut self, process: &mut Process, story: &str) {
        let mut net = BTreeMap::new();
        let mut open = BTreeMap::new();
        process.tell("?").expect("it lives");
        let heard = process.hear(&mut |line| {
            let parts: Vec<&str> = line.split(' ').collect();
            match parts[..] {
                ["N", it, lots] => drop(net.insert(
                    InstrumentId(it.parse().expect("an instrument")),
                    lots.parse::<i64>().expect("lots"),
                )),
                ["O", id, life, filled] => {
                    let id: ClientOrderId = id.parse().expect("an order");
                    open.insert(id, (life.to_owned(), filled.parse::<i64>().expect("lots")));
                }
                _ => {}
            }
        });
        heard.expect("it lives");
        for it in self.catalog.instruments() {
            let truth = self.books.net(it.id).get();
            assert_eq!(net[&it.id], truth, "{story}: the position in {}", it.symbol);
        }
        let truth = self.orders.values().filter(|row| row.standing == Standing::Open);
        let truth: BTreeMap<_, _> =
            truth.map(|row| (row.id, ("Working".to_owned(), row.filled.get()))).collect();
        assert_eq!(open, truth, "{story}: what is open");
        for alert in &self.alerts {
            let bad = ["Adopted", "Unexplained", "Overfilled", "LedgerLatched", "Anomaly"];
            let bad = bad.iter().any(|kind| alert.starts_with(kind));
            assert!(!bad, "{story}: {alert}");
        }
    }
}

/// Trades until the process dies at a point; then two more begin, and the second must know everything.
/// Says whether it died, how much was traded before, and how many began from a snapshot.
fn story(point: &str, left: u64) -> (bool, usize, u32) {
    let story = format!("killed at {point} after {left}");
    let folder = tempfile::tempdir().expect("a folder");
    let mut world = World::new();
    let mut process = Process::start(folder.path(), world.now, Some((point, left)));
    let mut trade = || {
        process.hear(&mut |line| world.on_line(line))?;
        world.give(&mut process, &Input::Command(Ask::Start))?;
        world.connect(&mut process)?;
        for _ in 0..160 {
            world.tick(&mut process)?;
        }
        Some(())
    };
    let died = trade().is_none();
    drop(process);
    let before = world.executions.len();
    world.now = world.now + Span::from_secs(3);
    // The first recovery is killed as soon as it speaks.
    let mut once = Process::start(folder.path(), world.now, None);
    once.hear(&mut |line| world.on_line(line)).expect("it recovers");
    drop(once);
    world.now = world.now + Span::from_secs(1);
    let mut again = Process::start(folder.path(), world.now, None);
    again.hear(&mut |line| world.on_line(line)).expect("it recovers again");
    world.connect(&mut again).expect("it lives");
    let mut ticks = 0;
    while world.reconciled.len() < 2 {
        world.tick(&mut again).expect("it lives");
        ticks += 1;
        assert!(ticks < 200, "{story}: it is not reconciled: {:?}", world.alerts);
    }
    for _ in 0..30 {
        world.tick(&mut again).expect("it lives");
    }
    // Nobody trades any more; what is on its way arrives.
    world.give(&mut again, &Input::Command(Ask::Stop)).expect("it lives");
    for _ in 0..150 {
        world.tick(&mut again).expect("it lives");
    }
    world.judge(&mut again, &story);
    (died, before, world.from_snapshot)
}

#[test]
fn f01_a_process_that_is_killed_at_any_point_loses_nothing() {
    let (mut deaths, mut traded, mut snapshots) = (0, 0, 0);
    for point in POINTS {
        let mut here = 0;
        for left in [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89] {
            let (died, before, from_snapshot) = story(point, left);
            snapshots += from_snapshot;
            here += u32::from(died);
            traded += before;
        }
        assert!(here > 0, "it never dies at {point}");
        deaths += here;
    }
    eprintln!(
        "killed {deaths} times at {} points, {traded} executions before; {snapshots} engines began \
         from a snapshot",
        POINTS.len()
    );
    assert!(traded > 500, "{traded}");
    assert!(snapshots > 100, "{snapshots}");
}

#[test]
fn f37_two_engines_on_one_folder_the_second_does_not_begin() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = Process::start(folder.path(), START, None);
    first.hear(&mut |_| ()).expect("it begins");
    let mut second = Process::start(folder.path(), START, None);
    assert!(second.hear(&mut |_| ()).is_none(), "it ends at once");
    assert!(first.tell("?").is_some() && first.hear(&mut |_| ()).is_some(), "the first goes on");
}
