//! The markets that are measured: documented, seeded, streamed.
//!
//! A count of events goes in, a [`Source`] of market events comes out, a few thousand at a time, so
//! that a run ten times longer needs no more memory. Each process draws from a stream of
//! [`Chance`] of its own, named beside [`SEED`]; `bench/README.md` says in words what stands here in
//! code. The parameters were tuned until the bare loops of [`crate::bare`] counted the orders that
//! the published figures of other engines were measured with; nothing here knows of any engine.
//!
//! Begin at [`Quotes`], [`Levels`] and [`Mix`].

use crate::bare::{ArrayBook, Print};
use tse_model::{
    Chance, Depth, DepthChange, InstrumentId, MarketData, MarketEvent, Price, Qty, Quote, Side,
    Source, SourceFault, Span, Timestamp, Trade,
};

/// The seed of every stream.
pub const SEED: u64 = 20_250_317;

/// The one instrument that is traded.
pub const INSTRUMENT: InstrumentId = InstrumentId(0);

/// Where every market begins: 2025-03-17T00:00:00Z.
pub const START: Timestamp = Timestamp::from_nanos(1_742_169_600_000_000_000);

/// The first bid in ticks: 50,000.0 with the tick of 0.1 that every engine here uses.
pub const FIRST_BID: i64 = 500_000;

/// Events in one batch of a source.
const BATCH: usize = 4_096;

/// Best bid and ask, one or two ticks apart, and trades (workloads a and b).
///
/// The process walks on `bid + ask` in ticks, twice the mid. A quote moves it by one, either way with
/// equal chance, `MOVES` times in 1,000: odd is a spread of one tick, even of two, so that one side
/// moves by a tick and the other stays. `JUMPS` times in 1,000 it moves by six, both sides by three
/// ticks. Otherwise the quantity of one side changes. Quantities are uniform in 10 ..= 50 lots and new
/// on every side that moves. A trade takes from bid or ask with equal chance and prints at the touch or
/// behind it, one tick further `SWEEPS` times in 100, and so on; its quantity is uniform in 1 ..= 20.
/// Events are 1 ..= 19,999 µs apart, uniformly: 10 ms on average.
pub struct Quotes {
    chance: Chance,
    now: Timestamp,
    twice_mid: i64,
    shown: Quote,
    quotes: u64,
    trades: u64,
}

/// Quotes in 1,000 that move one side by a tick.
const MOVES: u64 = 680;
/// Quotes in 1,000 that move both sides by three.
const JUMPS: u64 = 15;
/// Prints in 100 that go one tick further.
const SWEEPS: u64 = 22;

impl Quotes {
    /// `quotes` changes of the best prices with `trades` prints strewn evenly among them.
    pub fn new(quotes: u64, trades: u64) -> Self {
        let twice_mid = 2 * FIRST_BID + 1;
        let chance = Chance::stream(SEED, "bench:quotes");
        Self { chance, now: START, twice_mid, shown: Quote::default(), quotes, trades }
    }

    fn quote(&mut self) -> MarketData {
        let chance = &mut self.chance;
        let draw = chance.below(1_000);
        let sign = if chance.one_in(1, 2) { 1 } else { -1 };
        if draw < MOVES {
            self.twice_mid += sign;
        } else if draw < MOVES + JUMPS {
            self.twice_mid += 6 * sign;
        }
        let bid = Price::new((self.twice_mid - 1).div_euclid(2));
        let ask = Price::new(self.twice_mid.div_euclid(2) + 1);
        let before = self.shown;
        // What does not move changes its quantity on one side, so every quote says something new.
        let still = (bid, ask) == (before.bid, before.ask);
        if bid != before.bid || (still && sign > 0) {
            self.shown.bid_qty = another(chance, before.bid_qty);
        }
        if ask != before.ask || (still && sign < 0) {
            self.shown.ask_qty = another(chance, before.ask_qty);
        }
        (self.shown.bid, self.shown.ask) = (bid, ask);
        MarketData::Quote(self.shown)
    }

    fn trade(&mut self) -> MarketData {
        let chance = &mut self.chance;
        let mut ticks = 0;
        while chance.one_in(SWEEPS, 100) {
            ticks += 1;
        }
        let (aggressor, price) = if chance.one_in(1, 2) {
            (Side::Buy, self.shown.ask.get() + ticks)
        } else {
            (Side::Sell, self.shown.bid.get() - ticks)
        };
        MarketData::Trade(Trade {
            price: Price::new(price),
            qty: Qty::new(chance.between(1, 20)),
            aggressor: Some(aggressor),
            id: 0,
        })
    }
}

/// A quantity in 10 ..= 50 other than this one.
fn another(chance: &mut Chance, qty: Qty) -> Qty {
    let drawn = chance.between(10, 49);
    Qty::new(if drawn >= qty.get() { drawn + 1 } else { drawn })
}

impl Source for Quotes {
    fn read(&mut self, batch: &mut Vec<MarketEvent>) -> Result<(), SourceFault> {
        let mut first = self.now == START;
        for _ in 0..BATCH.min((self.quotes + self.trades) as usize) {
            self.now = self.now + Span::from_micros(self.chance.between(1, 19_999));
            // The first event is a quote, so that no trade meets an empty market.
            let trades = if first { 0 } else { self.trades };
            let data = if trades > 0 && self.chance.one_in(trades, self.trades + self.quotes) {
                self.trades -= 1;
                self.trade()
            } else {
                self.quotes -= 1;
                self.quote()
            };
            first = false;
            batch.push(event(self.now, data));
        }
        Ok(())
    }
}

/// An aggregated book of 20 levels a side, and trades (workload c).
///
/// It opens with one message of a `Clear` and 40 levels. Then, for as long as there are updates left:
/// a trade, evenly strewn, takes 1 ..= 12 lots at the touch, at most what stands there, and its
/// decrement follows 10 µs later; else, where the touches are apart, `joins` times in 100 a side
/// moves up by a tick; else one level, near ones more often (the smaller of two uniform draws), gets
/// a new quantity, or, once in `pulls` where it is the touch, none. Each side keeps 20 levels: what
/// moves away is followed by a new far level and what moves up by the end of the last one, in the same
/// message. Quantities are uniform in 1 ..= 60 lots. Messages are 1 ..= 3,599 µs apart, uniformly.
pub struct Levels {
    chance: Chance,
    now: Timestamp,
    /// Best price of bids and asks.
    best: [i64; 2],
    /// Quantities by price, modulo the length.
    sizes: [[i64; RING]; 2],
    updates: u64,
    trades: u64,
    /// A trade of this quantity on this side has yet to show in the book.
    owed: Option<(Side, i64)>,
    opened: bool,
}

const RING: usize = 64;
/// Levels a side.
const DEPTH: i64 = 20;
/// Messages in 100 that narrow a wide spread.
const JOINS: u64 = 20;
/// Changes of the touch per one that takes all of it away.
const PULLS: u64 = 19;

impl Levels {
    /// `updates` changes of levels with `trades` prints strewn evenly among them.
    pub fn new(updates: u64, trades: u64) -> Self {
        Self {
            chance: Chance::stream(SEED, "bench:levels"),
            now: START,
            best: [FIRST_BID, FIRST_BID + 1],
            sizes: [[0; RING]; 2],
            updates,
            trades,
            owed: None,
            opened: false,
        }
    }

    fn size(&mut self, side: Side, price: i64) -> &mut i64 {
        &mut self.sizes[side.index()][price.rem_euclid(RING as i64) as usize]
    }

    /// `steps` ticks behind the touch.
    fn behind(&self, side: Side, steps: i64) -> i64 {
        side.away(Price::new(self.best[side.index()]), steps).get()
    }

    fn set(&mut self, side: Side, price: i64, qty: i64, last: bool, batch: &mut Vec<MarketEvent>) {
        *self.size(side, price) = qty;
        self.step(
            DepthChange::Set { side, price: Price::new(price), qty: Qty::new(qty) },
            last,
            batch,
        );
    }

    fn step(&mut self, change: DepthChange, last: bool, batch: &mut Vec<MarketEvent>) {
        // A message cut short by the end of the run is complete at its last record.
        if self.updates > 0 {
            self.updates -= 1;
            let last = last || self.updates == 0;
            batch.push(event(self.now, MarketData::Depth(Depth { change, last })));
        }
    }

    fn open(&mut self, batch: &mut Vec<MarketEvent>) {
        self.step(DepthChange::Clear, false, batch);
        for side in Side::BOTH {
            for steps in 0..DEPTH {
                let (price, qty) = (self.behind(side, steps), self.chance.between(1, 60));
                self.set(side, price, qty, side == Side::Sell && steps == DEPTH - 1, batch);
            }
        }
    }

    /// Nothing is left at the touch.
    fn retreat(&mut self, side: Side, batch: &mut Vec<MarketEvent>) {
        let (gone, far) = (self.behind(side, 0), self.behind(side, DEPTH));
        let qty = self.chance.between(1, 60);
        self.set(side, gone, 0, false, batch);
        self.best[side.index()] = self.behind(side, 1);
        self.set(side, far, qty, true, batch);
    }

    /// Someone betters the touch by a tick.
    fn advance(&mut self, side: Side, batch: &mut Vec<MarketEvent>) {
        let (near, far) = (self.behind(side, -1), self.behind(side, DEPTH - 1));
        let qty = self.chance.between(1, 60);
        self.set(side, far, 0, false, batch);
        self.best[side.index()] = near;
        self.set(side, near, qty, true, batch);
    }

    fn message(&mut self, batch: &mut Vec<MarketEvent>) {
        if let Some((side, left)) = self.owed.take() {
            self.now = self.now + Span::from_micros(10);
            if left == 0 {
                self.retreat(side, batch);
            } else {
                self.set(side, self.best[side.index()], left, true, batch);
            }
            return;
        }
        self.now = self.now + Span::from_micros(self.chance.between(1, 3_599));
        let side = if self.chance.one_in(1, 2) { Side::Buy } else { Side::Sell };
        if self.trades > 0 && self.chance.one_in(self.trades, self.trades + self.updates) {
            self.trades -= 1;
            let price = self.best[side.index()];
            let stands = *self.size(side, price);
            let qty = self.chance.between(1, 12).min(stands);
            self.owed = (self.updates > 0).then_some((side, stands - qty));
            let trade = Trade {
                price: Price::new(price),
                qty: Qty::new(qty),
                aggressor: Some(side.opposite()),
                id: 0,
            };
            batch.push(event(self.now, MarketData::Trade(trade)));
        } else if self.best[1] - self.best[0] > 1 && self.chance.one_in(JOINS, 100) {
            self.advance(side, batch);
        } else {
            let depth = DEPTH as u64;
            let steps = self.chance.below(depth).min(self.chance.below(depth)) as i64;
            if steps == 0 && self.chance.one_in(1, PULLS) {
                self.retreat(side, batch);
            } else {
                let (price, qty) = (self.behind(side, steps), self.chance.between(1, 60));
                self.set(side, price, qty, true, batch);
            }
        }
    }
}

impl Source for Levels {
    fn read(&mut self, batch: &mut Vec<MarketEvent>) -> Result<(), SourceFault> {
        let full = batch.len() + BATCH;
        if !self.opened {
            self.opened = true;
            self.open(batch);
        }
        while batch.len() < full && self.updates + self.trades > 0 {
            self.message(batch);
        }
        Ok(())
    }
}

fn event(at: Timestamp, data: MarketData) -> MarketEvent {
    MarketEvent { ts_event: at, ts_recv: at, instrument: INSTRUMENT, data }
}

/// One command of the mixed order stream. Orders are named by small numbers, which are used again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// A limit order that stays until cancelled.
    Add {
        /// Its number, free until now.
        slot: u32,
        /// Which way.
        side: Side,
        /// Where.
        price: Price,
        /// How much.
        qty: Qty,
    },
    /// Take back the order of this number, which is still there.
    Cancel(u32),
    /// Take.
    Market {
        /// Which way.
        side: Side,
        /// How much.
        qty: Qty,
    },
}

/// 55 % limit orders, 38 % cancels, 7 % market orders (the matching benchmark).
///
/// It opens with limit orders only, until `OPEN` are in the book. A limit order is of either side with
/// equal chance, has 1 ..= 10 lots, and stands behind the reference price (bids at it or below, asks
/// above) by the smaller of two uniform draws in 0 ..= 39 ticks; the reference moves by a tick either
/// way once in 20 commands, so some cross. A cancel draws uniformly from the open orders. A market
/// order has 1 ..= 20 lots, or 1 ..= 32 while more than `OPEN` are open, which keeps the book at
/// that size. To know what is open the generator matches every command in an [`ArrayBook`].
pub struct Mix {
    chance: Chance,
    reference: i64,
    book: ArrayBook,
    prints: Vec<Print>,
    /// Open orders, in no order, and the place of each among them.
    open: Vec<u32>,
    place: Vec<usize>,
    free: Vec<u32>,
    opened: bool,
    left: u64,
}

/// Orders in the book while the mix goes on, about.
const OPEN: usize = 2_000;
/// Numbers for orders: the book never holds more.
pub const SLOTS: u32 = 4_096;

impl Mix {
    /// A stream of `commands`.
    pub fn new(commands: u64) -> Self {
        Self {
            chance: Chance::stream(SEED, "bench:mix"),
            reference: FIRST_BID,
            book: ArrayBook::new(FIRST_BID, SLOTS),
            prints: Vec::new(),
            open: Vec::with_capacity(SLOTS as usize),
            place: vec![0; SLOTS as usize],
            free: (0..SLOTS).rev().collect(),
            opened: false,
            left: commands,
        }
    }

    /// Replaces `batch` with the next commands; leaves it empty at the end.
    pub fn read(&mut self, batch: &mut Vec<Command>) {
        batch.clear();
        for _ in 0..self.left.min(BATCH as u64) {
            batch.push(self.command());
            self.left -= 1;
        }
    }

    fn command(&mut self) -> Command {
        let chance = &mut self.chance;
        if chance.one_in(1, 20) {
            self.reference += if chance.one_in(1, 2) { 1 } else { -1 };
        }
        self.opened |= self.open.len() >= OPEN;
        match if self.opened { chance.below(100) } else { 0 } {
            0..55 => self.add(),
            55..93 => {
                let slot = self.open[chance.below(self.open.len() as u64) as usize];
                self.book.cancel(slot).expect("it is open");
                self.close(slot);
                Command::Cancel(slot)
            }
            _ => {
                let side = if chance.one_in(1, 2) { Side::Buy } else { Side::Sell };
                let most = if self.open.len() > OPEN { 32 } else { 20 };
                let qty = chance.between(1, most);
                self.book.market(side, qty, &mut self.prints);
                self.settle();
                Command::Market { side, qty: Qty::new(qty) }
            }
        }
    }

    fn add(&mut self) -> Command {
        let chance = &mut self.chance;
        let side = if chance.one_in(1, 2) { Side::Buy } else { Side::Sell };
        let away = chance.below(40).min(chance.below(40)) as i64;
        let first = if side == Side::Buy { self.reference } else { self.reference + 1 };
        let price = side.away(Price::new(first), away);
        let qty = chance.between(1, 10);
        let slot = self.free.pop().expect("the mix keeps the book small");
        if self.book.add(slot, side, price.get(), qty, &mut self.prints) {
            self.place[slot as usize] = self.open.len();
            self.open.push(slot);
        } else {
            self.free.push(slot);
        }
        self.settle();
        Command::Add { slot, side, price, qty: Qty::new(qty) }
    }

    /// Forgets what the last command filled.
    fn settle(&mut self) {
        while let Some(print) = self.prints.pop() {
            if print.left == 0 {
                self.close(print.maker);
            }
        }
    }

    fn close(&mut self, slot: u32) {
        let place = self.place[slot as usize];
        self.open.swap_remove(place);
        if let Some(moved) = self.open.get(place) {
            self.place[*moved as usize] = place;
        }
        self.free.push(slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn all(mut source: impl Source) -> Vec<MarketEvent> {
        let mut events = Vec::new();
        loop {
            let before = events.len();
            source.read(&mut events).expect("a generator does not fail");
            if events.len() == before {
                return events;
            }
        }
    }

    fn counts(events: &[MarketEvent]) -> (usize, usize) {
        let trades = events.iter().filter(|e| matches!(e.data, MarketData::Trade(_))).count();
        (events.len() - trades, trades)
    }

    #[test]
    fn a_source_has_as_many_events_as_it_was_asked_for_in_order_of_time() {
        for events in [all(Quotes::new(20_000, 4_000)), all(Levels::new(20_000, 4_000))] {
            assert_eq!(counts(&events), (20_000, 4_000));
            assert!(events.is_sorted_by_key(|event| event.ts_event));
        }
    }

    #[test]
    fn a_book_of_levels_never_crosses_and_keeps_its_depth() {
        let (mut bids, mut asks) = (BTreeMap::new(), BTreeMap::new());
        for event in all(Levels::new(50_000, 5_000)) {
            match event.data {
                MarketData::Depth(Depth {
                    change: DepthChange::Set { side, price, qty },
                    last,
                }) => {
                    let half = if side == Side::Buy { &mut bids } else { &mut asks };
                    if qty.is_zero() {
                        assert!(half.remove(&price).is_some(), "only what stood can go");
                    } else {
                        half.insert(price, qty);
                    }
                    if last {
                        assert!(bids.keys().next_back() < asks.keys().next());
                    }
                }
                MarketData::Trade(trade) => {
                    let touch = match trade.aggressor {
                        Some(Side::Sell) => bids.last_key_value(),
                        _ => asks.first_key_value(),
                    };
                    let (price, qty) = touch.expect("a book of 20 levels");
                    assert_eq!(*price, trade.price);
                    assert!(*qty >= trade.qty);
                }
                _ => {}
            }
        }
        assert_eq!((bids.len(), asks.len()), (20, 20));
    }

    #[test]
    fn the_mix_has_its_shares() {
        let (mut mix, mut batch, mut counts) = (Mix::new(200_000), Vec::new(), [0u32; 3]);
        mix.read(&mut batch);
        while !batch.is_empty() {
            for command in &batch {
                counts[match command {
                    Command::Add { .. } => 0,
                    Command::Cancel(_) => 1,
                    Command::Market { .. } => 2,
                }] += 1;
            }
            mix.read(&mut batch);
        }
        let share = |n: u32| (f64::from(n) / 2_000.0).round();
        assert_eq!(counts.map(share), [55.0, 38.0, 7.0]);
    }
}
