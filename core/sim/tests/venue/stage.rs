//! What happens at a venue, written down as people would tell it.
//!
//! ```text
//! quote 99x10 101x10
//! a buys 4 @ 101       takes 4 @ 101
//! sold 3 @ 99          b makes 3 @ 99
//! ```
//!
//! A line is something that reaches the venue, then everything the venue has to say. Each line comes a
//! millisecond after the one before; `10s:` in front of it names its time, and what the venue does of
//! itself until then belongs to that line. After every line the venue is audited: its books, its
//! markets, what orders set aside, and that what we hold is what we were told we traded.
//!
//! What the data shows (tick 1, lot 1):
//!
//! ```text
//! quote 99x10 101x10 | quote - 101x10        best bid and ask
//! bid 99 10 | ask 101 0                      a level of the aggregated book
//! snapshot 99x10 98x5 / 101x10               all of it anew
//! gap | clear                                messages lost | nothing known
//! sold 3 @ 99 | bought 3 @ 101 | traded 3 @ 100      a print, by its aggressor if known
//! add 7 bid 99 10 | cut 7 3 | change 7 bid 98 10     single orders
//! hit 3 @ 99 | lift 3 @ 101 | wipe                   their trades; all of them gone
//! bar 100 105 95 102 x 30                    open, high, low, close, volume of the last minute
//! mark 100 | funding 0.0001 | halted | open | closed
//! ```
//!
//! `..` at the end of data says that its message goes on. What we ask for:
//!
//! ```text
//! a buys|sells 4 [@ 99] [stop 90] [trail 5] [ioc] [fok] [day] [gtd 60s] [post] [show 2] [reduce]
//! a modifies 4 [@ 99]     a cancels
//! until                                      nothing, for its time's sake
//! have                                       position, cash by currency, what is set aside
//! ```
//!
//! What the venue says is about the order of the line unless it is named. `accepted` is left out where
//! something follows it; a maker `makes`, a taker `takes`. What it publishes is compared only by lines
//! that expect it: `shows bid 99 6`, `shows 99x6 101x10`.

use crate::common::{Listing, World, dec};
use std::collections::BTreeMap;
use tse_model::{
    AccountEventKind, Bar, BookAction, BookOrder, CancelOrder, CancelReason, Catalog,
    ClientOrderId, CurrencyId, Depth, DepthChange, FeeBasis, FeeSchedule, FeeTier, GroupId,
    InstrumentId, Liquidity, Machine, MarketData, MarketEvent, ModifyOrder, OrderEventKind,
    OrderType, PlaceOrder, Price, Qty, Quote, Rate, Request, Rounding, Side, Span, StrategyId,
    TimeInForce, Timestamp, Trade, TradingStatus, VenueId,
};
use tse_sim::venue::{Input, Output};
use tse_sim::{FundingSchedule, Latency, MarketSetup, QueueModel, Venue, VenueSetup};

/// A venue with one market, before its first event.
pub struct Stage {
    pub listing: Listing,
    pub deposits: Vec<(&'static str, &'static str)>,
    pub queue: QueueModel,
    pub half_spread: i64,
    pub funding: Option<FundingSchedule>,
}

/// Plays the lines at a spot market with plenty of money, where our orders stand at the back.
#[track_caller]
pub fn scenario(text: &str) {
    Stage::spot().play(text);
}

/// A schedule of fees from tiers: the value from which each holds, in units of 1e-8.
pub fn schedule(tiers: &[(i128, FeeBasis)]) -> FeeSchedule {
    let tier = |(from, basis): &(i128, FeeBasis)| FeeTier {
        from: tse_model::Money::from_units(*from),
        basis: *basis,
    };
    FeeSchedule::tiered(tiers.iter().map(tier).collect(), Rounding::HalfEven).expect("they rise")
}

impl Stage {
    /// One BTC a lot, one USD a tick, no fees.
    pub fn spot() -> Self {
        Self {
            listing: Listing { tick: "1", lot: "1", ..Listing::spot("BTC-USD.X") },
            deposits: vec![("USD", "1000000"), ("BTC", "1000")],
            queue: QueueModel::Back,
            half_spread: 1,
            funding: None,
        }
    }

    /// A linear perpetual of one BTC a lot on margin: a tenth to open, a twentieth to keep.
    pub fn linear() -> Self {
        let listing = Listing::perpetual("BTC-USDT-PERP.X", false);
        Self {
            listing: Listing { tick: "1", lot: "1", ..listing },
            deposits: vec![("USDT", "1000000")],
            ..Self::spot()
        }
    }

    /// An inverse perpetual of 100 USD a contract, settled in BTC.
    pub fn inverse() -> Self {
        let listing = Listing::perpetual("BTC-USD-PERP:BTC.X", true);
        Self {
            listing: Listing { tick: "1", lot: "1", ..listing },
            deposits: vec![("BTC", "1000")],
            ..Self::spot()
        }
    }

    pub fn queue(mut self, queue: QueueModel) -> Self {
        self.queue = queue;
        self
    }

    pub fn deposits(mut self, deposits: &[(&'static str, &'static str)]) -> Self {
        self.deposits = deposits.to_vec();
        self
    }

    pub fn fees(mut self, maker: &'static str, taker: &'static str) -> Self {
        self.listing.fees = (maker, taker);
        self
    }

    pub fn schedule(mut self, fees: FeeSchedule) -> Self {
        self.listing.schedule = Some(fees);
        self
    }

    /// Plays the lines, and compares after each what is expected with what the venue says.
    #[track_caller]
    pub fn play(self, text: &str) -> Played {
        let mut played = Played::new(self);
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut words = Words { words: line.split_whitespace().collect(), at: 0 };
            let happened = played.line(&mut words);
            let expected = words.rest();
            let happened = if expected.contains("shows") {
                happened
            } else {
                let words = happened.split("; ").filter(|what| !what.starts_with("shows "));
                words.collect::<Vec<_>>().join("; ")
            };
            assert_eq!(happened, expected, "\n in the line `{line}` of the scenario{text}");
            if let Err(what) = played.audit() {
                panic!("{what}\n after the line `{line}` of the scenario{text}");
            }
        }
        played
    }
}

struct Words<'a> {
    words: Vec<&'a str>,
    at: usize,
}

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).copied()
    }

    fn next(&mut self) -> &'a str {
        let word = self.peek().unwrap_or_else(|| panic!("the line ends too early"));
        self.at += 1;
        word
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.peek() == Some(word);
        self.at += usize::from(there);
        there
    }

    fn number(&mut self) -> i64 {
        let word = self.next();
        word.parse().unwrap_or_else(|_| panic!("`{word}` is not a number"))
    }

    fn qty(&mut self) -> Qty {
        Qty::new(self.number())
    }

    fn price(&mut self) -> Price {
        self.take("@");
        Price::new(self.number())
    }

    fn side(&mut self) -> Side {
        match self.next() {
            "bid" | "buys" => Side::Buy,
            "ask" | "sells" => Side::Sell,
            word => panic!("`{word}` is no side"),
        }
    }

    fn rest(&self) -> String {
        self.words[self.at..].join(" ")
    }
}

fn span(word: &str) -> Option<Span> {
    let units = [("ms", 1_000_000), ("s", 1_000_000_000), ("h", 3_600_000_000_000)];
    let (digits, nanos) =
        units.iter().find_map(|(unit, nanos)| Some((word.strip_suffix(unit)?, *nanos)))?;
    Some(Span::from_nanos(digits.parse::<i64>().ok()? * nanos))
}

fn level(word: &str) -> (Price, Qty) {
    let (price, qty) = word.split_once('x').unwrap_or(("0", "0"));
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("`{word}` is no level"));
    (Price::new(number(price)), Qty::new(number(qty)))
}

/// A scenario on its way.
pub struct Played {
    pub catalog: Catalog,
    pub venue: Venue,
    pub now: Timestamp,
    names: BTreeMap<String, ClientOrderId>,
    ids: BTreeMap<ClientOrderId, String>,
    sides: BTreeMap<ClientOrderId, Side>,
    next_id: u64,
    /// What we were told we traded.
    position: i64,
}

pub const IT: InstrumentId = InstrumentId(0);

impl Played {
    /// A scenario before its first line.
    pub fn new(stage: Stage) -> Self {
        let World { catalog, .. } = World::new(&[stage.listing]);
        let deposits = stage.deposits.iter().map(|(code, amount)| {
            let currency = catalog.currency_id(code).expect("a currency of the instrument");
            (currency, catalog.money(dec(amount), currency).expect("enough decimals"))
        });
        let setup = VenueSetup {
            venue: VenueId(0),
            deposits: deposits.collect(),
            feed: Latency::NONE,
            order: Latency::NONE,
            response: Latency::NONE,
            markets: vec![MarketSetup {
                instrument: IT,
                queue: stage.queue,
                half_spread: stage.half_spread,
                funding: stage.funding,
            }],
        };
        Self {
            venue: Venue::new(&catalog, &setup),
            catalog,
            now: Timestamp::EPOCH,
            names: BTreeMap::new(),
            ids: BTreeMap::from([(ClientOrderId(0), "nobody".to_owned())]),
            sides: BTreeMap::new(),
            next_id: 1,
            position: 0,
        }
    }

    fn audit(&self) -> Result<(), String> {
        self.venue.audit()?;
        let held = self.venue.account().position(IT).get();
        if held != self.position {
            return Err(format!("we hold {held}, and were told of {}", self.position));
        }
        Ok(())
    }

    /// Takes one line; returns what the venue said.
    pub fn outputs(&mut self, line: &str) -> Vec<Output> {
        let mut words = Words { words: line.split_whitespace().collect(), at: 0 };
        let mut out = Vec::new();
        self.now = self.now + Span::from_millis(1);
        self.act(&mut words, &mut out);
        out
    }

    /// Lets time go on, and the venue do what it does of itself.
    pub fn pass(&mut self, span: Span, out: &mut Vec<Output>) {
        let until = self.now + span;
        while let Some(at) = self.venue.wake_at().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.venue.step(self.now, Input::Wake, out);
        }
        self.now = until;
    }

    /// Takes one line; says what the venue said.
    fn line(&mut self, words: &mut Words<'_>) -> String {
        let mut out = Vec::new();
        let until = match words.peek().and_then(|word| span(word.strip_suffix(':')?)) {
            Some(at) => {
                words.next();
                Timestamp::EPOCH + at
            }
            None => self.now + Span::from_millis(1),
        };
        assert!(until >= self.now, "time goes on");
        self.pass(until - self.now, &mut out);
        let having = words.peek() == Some("have");
        let about = self.act(words, &mut out);
        let mut said: Vec<(Option<ClientOrderId>, String)> = Vec::new();
        for output in &out {
            said.extend(self.describe(output));
        }
        let mut lines = Vec::new();
        for (at, (id, what)) in said.iter().enumerate() {
            if what == "accepted" && said[at + 1..].iter().any(|(other, _)| other == id) {
                continue;
            }
            match id {
                Some(id) if Some(*id) != about => lines.push(format!("{} {what}", self.ids[id])),
                _ => lines.push(what.clone()),
            }
        }
        lines.extend(having.then(|| self.have()));
        lines.join("; ")
    }

    fn act(&mut self, words: &mut Words<'_>, out: &mut Vec<Output>) -> Option<ClientOrderId> {
        let word = words.next();
        if word == "until" || word == "have" {
            return None;
        }
        if word == "snapshot" {
            self.snapshot(words, out);
            return None;
        }
        if let Some(data) = self.data(word, words) {
            self.show(data, out);
            return None;
        }
        let request = self.request(word, words);
        self.venue.step(self.now, Input::Request(request), out);
        Some(request.id())
    }

    /// Shows the venue something.
    pub fn show(&mut self, data: MarketData, out: &mut Vec<Output>) {
        let event = MarketEvent { ts_event: self.now, ts_recv: self.now, instrument: IT, data };
        self.venue.step(self.now, Input::Market(event), out);
    }

    fn snapshot(&mut self, words: &mut Words<'_>, out: &mut Vec<Output>) {
        let mut changes = vec![DepthChange::Clear];
        let mut side = Side::Buy;
        while let Some(word) = words.peek().filter(|word| *word == "/" || word.contains('x')) {
            words.next();
            if word == "/" {
                side = Side::Sell;
            } else {
                let (price, qty) = level(word);
                changes.push(DepthChange::Set { side, price, qty });
            }
        }
        let end = changes.len() - 1;
        for (at, change) in changes.into_iter().enumerate() {
            self.show(MarketData::Depth(Depth { change, last: at == end }), out);
        }
    }

    fn data(&self, word: &str, words: &mut Words<'_>) -> Option<MarketData> {
        let depth = |change, words: &mut Words<'_>| Depth { change, last: !words.take("..") };
        let order = |action, side, order, price, qty, words: &mut Words<'_>| {
            let last = !words.take("..");
            MarketData::Order(BookOrder { action, side, order, price, qty, last })
        };
        Some(match word {
            "quote" => {
                let ((bid, bid_qty), (ask, ask_qty)) = (level(words.next()), level(words.next()));
                MarketData::Quote(Quote { bid, bid_qty, ask, ask_qty })
            }
            "bid" | "ask" => {
                let side = if word == "bid" { Side::Buy } else { Side::Sell };
                let (price, qty) = (words.price(), words.qty());
                MarketData::Depth(depth(DepthChange::Set { side, price, qty }, words))
            }
            "gap" => MarketData::Depth(depth(DepthChange::Gap, words)),
            "clear" => MarketData::Depth(depth(DepthChange::Clear, words)),
            "sold" | "bought" | "traded" => {
                let aggressor = match word {
                    "sold" => Some(Side::Sell),
                    "bought" => Some(Side::Buy),
                    _ => None,
                };
                let (qty, price) = (words.qty(), words.price());
                MarketData::Trade(Trade { price, qty, aggressor, id: 0 })
            }
            "add" | "change" => {
                let action = if word == "add" { BookAction::Add } else { BookAction::Modify };
                let (id, side) = (words.number() as u64, words.side());
                let (price, qty) = (words.price(), words.qty());
                order(action, Some(side), id, price, qty, words)
            }
            "cut" => {
                let (id, qty) = (words.number() as u64, words.qty());
                order(BookAction::Cancel, None, id, Price::ZERO, qty, words)
            }
            "hit" | "lift" => {
                let side = if word == "hit" { Side::Sell } else { Side::Buy };
                let (qty, price) = (words.qty(), words.price());
                order(BookAction::Trade, Some(side), 0, price, qty, words)
            }
            "wipe" => order(BookAction::Clear, None, 0, Price::ZERO, Qty::ZERO, words),
            "bar" => {
                let [open, high, low, close] = [(); 4].map(|()| words.price());
                let volume = if words.take("x") { words.qty() } else { Qty::ZERO };
                let span = Span::from_secs(60);
                MarketData::Bar(Bar { open, high, low, close, volume, span })
            }
            "mark" => MarketData::Mark(words.price()),
            "funding" => {
                let billionths = dec(words.next()).at_scale(9).expect("nine decimals");
                MarketData::Funding(Rate::from_billionths(billionths as i64))
            }
            "halted" => MarketData::Status(TradingStatus::Halted),
            "open" => MarketData::Status(TradingStatus::Open),
            "closed" => MarketData::Status(TradingStatus::Closed),
            _ => return None,
        })
    }

    fn request(&mut self, name: &str, words: &mut Words<'_>) -> Request {
        let verb = words.next();
        let known = self.names.get(name).copied().unwrap_or(ClientOrderId(0));
        match verb {
            "cancels" => Request::Cancel(CancelOrder { id: known, instrument: IT }),
            "modifies" => {
                let qty = words.qty();
                let price = (words.peek() == Some("@")).then(|| words.price());
                Request::Modify(ModifyOrder { id: known, instrument: IT, qty, price })
            }
            "buys" | "sells" => {
                let id = ClientOrderId(self.next_id);
                self.next_id += 1;
                self.names.insert(name.to_owned(), id);
                self.ids.insert(id, name.to_owned());
                let side = if verb == "buys" { Side::Buy } else { Side::Sell };
                self.sides.insert(id, side);
                Request::Place(self.place(id, side, words))
            }
            // The same name twice, for a venue to notice.
            "repeats" => {
                let side = words.side();
                Request::Place(self.place(known, side, words))
            }
            _ => panic!("`{name} {verb}` is not understood"),
        }
    }

    fn place(&self, id: ClientOrderId, side: Side, words: &mut Words<'_>) -> PlaceOrder {
        let mut place = PlaceOrder {
            id,
            instrument: IT,
            strategy: StrategyId(0),
            group: GroupId(0),
            side,
            order_type: OrderType::Market,
            time_in_force: TimeInForce::Gtc,
            qty: words.qty(),
            display: None,
            post_only: false,
            reduce_only: false,
        };
        loop {
            match words.peek() {
                Some("@") => {
                    let price = words.price();
                    place.order_type = match place.order_type {
                        OrderType::Stop(trigger) => OrderType::StopLimit { trigger, limit: price },
                        _ => OrderType::Limit(price),
                    };
                }
                Some("stop") => {
                    words.next();
                    place.order_type = OrderType::Stop(words.price());
                }
                Some("trail") => {
                    words.next();
                    place.order_type = OrderType::TrailingStop(words.price());
                }
                Some("gtd") => {
                    words.next();
                    let at = span(words.next()).expect("a time");
                    place.time_in_force = TimeInForce::Gtd(Timestamp::EPOCH + at);
                }
                Some("show") => {
                    words.next();
                    place.display = Some(words.qty());
                }
                Some("ioc") if words.take("ioc") => place.time_in_force = TimeInForce::Ioc,
                Some("fok") if words.take("fok") => place.time_in_force = TimeInForce::Fok,
                Some("day") if words.take("day") => place.time_in_force = TimeInForce::Day,
                Some("post") if words.take("post") => place.post_only = true,
                Some("reduce") if words.take("reduce") => place.reduce_only = true,
                _ => return place,
            }
        }
    }

    fn describe(&mut self, output: &Output) -> Option<(Option<ClientOrderId>, String)> {
        let fee = |fill: &tse_model::Fill, catalog: &Catalog| {
            if fill.fee.is_zero() {
                return String::new();
            }
            format!(" fee {}", plain(catalog, fill.fee, fill.fee_currency))
        };
        let text = match output {
            Output::Feed(event) => return self.published(event).map(|what| (None, what)),
            Output::Account(event) => match event.kind {
                AccountEventKind::Funding { amount, .. } => {
                    let settle = self.catalog.instrument(IT).settle;
                    format!("funding {}", plain(&self.catalog, amount, settle))
                }
                AccountEventKind::Liquidated { side, fill, .. } => {
                    self.position += fill.qty.signed(side).get();
                    let (qty, price) = (fill.qty.get(), fill.price.get());
                    format!("liquidated {side} {qty} @ {price}{}", fee(&fill, &self.catalog))
                }
                AccountEventKind::Transfer { .. } => "transfer".to_owned(),
            },
            Output::Statement(_) => return None,
            Output::Order(event) => {
                let text = match event.kind {
                    OrderEventKind::Accepted(_) => "accepted".to_owned(),
                    OrderEventKind::Rejected(reason) => format!("rejected {}", reason.name()),
                    OrderEventKind::Triggered => "wakes".to_owned(),
                    OrderEventKind::Filled(fill) => {
                        self.position += fill.qty.signed(self.sides[&event.id]).get();
                        let verb = match fill.liquidity {
                            Liquidity::Maker => "makes",
                            Liquidity::Taker => "takes",
                        };
                        let (qty, price) = (fill.qty.get(), fill.price.get());
                        format!("{verb} {qty} @ {price}{}", fee(&fill, &self.catalog))
                    }
                    OrderEventKind::Modified { .. } => "modified".to_owned(),
                    OrderEventKind::ModifyRejected(reason) => {
                        format!("not modified {}", reason.name())
                    }
                    OrderEventKind::Cancelled { reason: CancelReason::Requested, .. } => {
                        "cancelled".to_owned()
                    }
                    OrderEventKind::Cancelled { reason, .. } => {
                        format!("cancelled {reason:?}").to_lowercase()
                    }
                    OrderEventKind::CancelRejected(reason) => {
                        format!("not cancelled {}", reason.name())
                    }
                    OrderEventKind::Expired { .. } => "expires".to_owned(),
                };
                return Some((Some(event.id), text));
            }
        };
        Some((None, text))
    }

    fn published(&self, event: &MarketEvent) -> Option<String> {
        match event.data {
            MarketData::Quote(quote) => {
                let side = |side| match quote.side(side) {
                    Some((price, qty)) => format!("{}x{}", price.get(), qty.get()),
                    None => "-".to_owned(),
                };
                Some(format!("shows {} {}", side(Side::Buy), side(Side::Sell)))
            }
            MarketData::Depth(Depth { change: DepthChange::Set { side, price, qty }, last }) => {
                let side = if side == Side::Buy { "bid" } else { "ask" };
                let more = if last { "" } else { " .." };
                Some(format!("shows {side} {} {}{more}", price.get(), qty.get()))
            }
            _ => None,
        }
    }

    /// Position, cash and what is set aside.
    pub fn have(&self) -> String {
        let account = self.venue.account();
        let mut parts = vec![format!("position {}", account.position(IT).get())];
        for at in 0..self.catalog.currencies().len() {
            let currency = CurrencyId(at as u16);
            let cash = account.portfolio().balance(VenueId(0), currency);
            let aside = account.reserved(currency);
            let code = &self.catalog.currency(currency).code;
            if !cash.is_zero() {
                parts.push(format!("{} {code}", plain(&self.catalog, cash, currency)));
            }
            if !aside.is_zero() {
                parts.push(format!("{} {code} aside", plain(&self.catalog, aside, currency)));
            }
        }
        parts.join(", ")
    }
}

/// An amount without the zeros at its end.
fn plain(catalog: &Catalog, money: tse_model::Money, currency: CurrencyId) -> String {
    dec(&catalog.show(money, currency)).normalized().to_string()
}
