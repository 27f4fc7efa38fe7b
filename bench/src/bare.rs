//! Bare loops: the same trading with no engine at all.
//!
//! Each takes the events of a workload and applies its rule with a few variables: no order objects, no
//! gate, no ledger, no messages, nothing that could be configured. They are the floor below which no
//! engine can come on the machine at hand, and an independent count of the orders that each rule
//! makes: engine and peer are compared with it. They decide nothing about how an engine should work.
//!
//! Begin at [`cross`], [`quoting`] and [`grid`]; [`ArrayBook`] is the same for matching.

use crate::measure::Tally;
use std::cmp::Ordering;
use std::collections::VecDeque;
use tse_model::{DepthChange, MarketData, MarketEvent, Side, Source, Trade};

/// Gives every event of `source` to `each`.
fn replay(source: &mut dyn Source, mut each: impl FnMut(&MarketEvent)) -> u64 {
    let (mut batch, mut events) = (Vec::new(), 0);
    loop {
        batch.clear();
        source.read(&mut batch).expect("a generator does not fail");
        if batch.is_empty() {
            return events;
        }
        events += batch.len() as u64;
        batch.iter().for_each(&mut each);
    }
}

/// (a) Long one lot while the fast average of the mid is at or above the slow one, else short.
pub fn cross(source: &mut dyn Source) -> Tally {
    let (mut fast, mut slow, mut seen) = (0.0, 0.0, 0u64);
    let (mut position, mut cash, mut fees) = (0, 0i128, 0i128);
    let mut tally = Tally::default();
    tally.events = replay(source, |event| {
        let MarketData::Quote(quote) = event.data else { return };
        let mid = (quote.bid.get() + quote.ask.get()) as f64 / 2.0;
        seen += 1;
        if seen == 1 {
            (fast, slow) = (mid, mid);
        } else {
            fast = 2.0 / 11.0 * mid + (1.0 - 2.0 / 11.0) * fast;
            slow = 2.0 / 21.0 * mid + (1.0 - 2.0 / 21.0) * slow;
        }
        let want = if fast >= slow { 1 } else { -1 };
        if seen >= 20 && want != position {
            let qty = want - position;
            let price = if qty > 0 { quote.ask } else { quote.bid };
            let value = i128::from(qty * price.get());
            cash -= value;
            fees += value.abs();
            position = want;
            tally.orders += 1;
            tally.fills += 1;
        }
    });
    tally.check = cash.wrapping_mul(10_000).wrapping_sub(fees) as i64;
    tally
}

/// (b) A bid and an ask two ticks from the mid, placed anew whenever it has moved by a tick.
pub fn quoting(source: &mut dyn Source) -> Tally {
    let mut anchor = None;
    // A live bid and ask.
    let mut live = [None::<i64>; 2];
    let (mut position, mut cash) = (0i64, 0i64);
    let mut tally = Tally::default();
    let mut fill = |side: Side, live: &mut Option<i64>, tally: &mut Tally| {
        let price = live.take().expect("only a live order fills");
        position += side.sign();
        cash -= side.sign() * price;
        tally.fills += 1;
        tally.check = cash + position;
    };
    let events = replay(source, |event| match event.data {
        MarketData::Quote(quote) => {
            for (side, against) in [(Side::Buy, quote.ask), (Side::Sell, quote.bid)] {
                let live = &mut live[side.index()];
                let (ours, sign) = (*live, side.sign());
                if ours.is_some_and(|ours| ours * sign >= against.get() * sign) {
                    fill(side, live, &mut tally);
                }
            }
            let mid = quote.bid.get() + quote.ask.get();
            if anchor.is_none_or(|anchor: i64| (mid - anchor).abs() >= 2) {
                anchor = Some(mid);
                tally.cancels += live.iter().flatten().count() as u64;
                tally.orders += 2;
                live = [Some(mid.div_euclid(2) - 2), Some((mid + 1).div_euclid(2) + 2)];
            }
        }
        MarketData::Trade(Trade { price, aggressor: Some(aggressor), .. }) => {
            let side = aggressor.opposite();
            let live = &mut live[side.index()];
            let (ours, sign) = (*live, side.sign());
            if ours.is_some_and(|ours| ours * sign >= price.get() * sign) {
                fill(side, live, &mut tally);
            }
        }
        _ => {}
    });
    tally.events = events;
    tally
}

/// How far the nearest level of the grid stands from the mid, in ticks.
pub const GRID_AWAY: i64 = 1;
/// Levels of the grid a side.
pub const GRID_LEVELS: i64 = 5;
/// Time between looks at the market.
pub const GRID_EVERY_NS: i64 = 100_000_000;
/// Latency of the feed, of order entry and of responses, each.
pub const GRID_LATENCY_NS: i64 = 1_000_000;
/// Exponent of the queue model.
pub const GRID_QUEUE_POWER: i32 = 3;

/// The prices that the grid wants on one side, nearest first, for a mid of `twice_mid` half ticks.
pub fn grid_prices(side: Side, twice_mid: i64) -> impl Iterator<Item = i64> {
    let nearest = match side {
        Side::Buy => twice_mid.div_euclid(2),
        Side::Sell => (twice_mid + 1).div_euclid(2),
    };
    (GRID_AWAY..GRID_AWAY + GRID_LEVELS).map(move |away| nearest - side.sign() * away)
}

/// One order of the grid, at the venue.
struct Resting {
    price: i64,
    /// Lots that are thought to stand before it.
    front: f64,
    /// Lots traded at its price since the last change of the level.
    traded: f64,
}

enum Ask {
    Cancel(Side, i64),
    Place(Side, i64),
}

/// (c) Five post-only levels a side, looked after every 100 ms.
///
/// What the trader sees is the market 1 ms ago, and what he asks for arrives 1 ms later; so he decides
/// on the book as it stands at `t - 1 ms` and his requests are due at `t + 1 ms`.
pub fn grid(source: &mut dyn Source) -> Tally {
    let mut market = Dense::new(crate::generate::FIRST_BID);
    let mut resting: [Vec<Resting>; 2] = [Vec::new(), Vec::new()];
    let mut asked: VecDeque<(i64, Ask)> = VecDeque::new();
    let mut next_look = None;
    let mut tally = Tally::default();
    let events = replay(source, |event| {
        let now = event.ts_event.nanos();
        let next_look = next_look.get_or_insert(now + GRID_EVERY_NS - GRID_LATENCY_NS);
        loop {
            let due = asked.front().map_or(i64::MAX, |(at, _)| *at);
            if due < now && due <= *next_look {
                let (_, ask) = asked.pop_front().expect("it has a front");
                arrive(ask, &market, &mut resting, &mut tally);
            } else if *next_look < now {
                let at = *next_look + 2 * GRID_LATENCY_NS;
                look(&market, &resting, |ask| {
                    match ask {
                        Ask::Cancel(..) => tally.cancels += 1,
                        Ask::Place(..) => tally.orders += 1,
                    }
                    asked.push_back((at, ask));
                });
                *next_look += GRID_EVERY_NS;
            } else {
                break;
            }
        }
        match event.data {
            MarketData::Depth(depth) => match depth.change {
                DepthChange::Set { side, price, qty } => {
                    let (price, qty) = (price.get(), qty.get());
                    let (before, bettered) = market.set(side, price, qty);
                    let ours = &mut resting[side.index()];
                    if let Some(order) = ours.iter_mut().find(|order| order.price == price) {
                        order.level_changed(before as f64, qty as f64);
                    }
                    if bettered {
                        // The other side may have come up to ours.
                        let (others, sign) = (&mut resting[side.opposite().index()], side.sign());
                        let live = others.len();
                        others.retain(|order| order.price * sign > price * sign);
                        tally.fills += (live - others.len()) as u64;
                    }
                }
                DepthChange::Clear => market = Dense::new(crate::generate::FIRST_BID),
                DepthChange::Gap => {}
            },
            MarketData::Trade(Trade { price, qty, aggressor: Some(aggressor), .. }) => {
                let (price, sign) = (price.get(), aggressor.sign());
                let ours = &mut resting[aggressor.opposite().index()];
                let live = ours.len();
                ours.retain_mut(|order| match (order.price * sign).cmp(&(price * sign)) {
                    Ordering::Less => false,
                    Ordering::Equal => !order.traded(qty.get() as f64),
                    Ordering::Greater => true,
                });
                tally.fills += (live - ours.len()) as u64;
            }
            _ => {}
        }
    });
    tally.events = events;
    tally
}

/// Compares what should stand with what stands.
fn look(market: &Dense, resting: &[Vec<Resting>; 2], mut ask: impl FnMut(Ask)) {
    let [Some(bid), Some(offer)] = market.best else { return };
    for side in Side::BOTH {
        let wanted = || grid_prices(side, bid + offer);
        let ours = || resting[side.index()].iter();
        for order in ours().filter(|order| wanted().all(|price| price != order.price)) {
            ask(Ask::Cancel(side, order.price));
        }
        for price in wanted().filter(|price| ours().all(|order| order.price != *price)) {
            ask(Ask::Place(side, price));
        }
    }
}

fn arrive(ask: Ask, market: &Dense, resting: &mut [Vec<Resting>; 2], tally: &mut Tally) {
    match ask {
        Ask::Cancel(side, price) => {
            resting[side.index()].retain(|order| order.price != price);
        }
        Ask::Place(side, price) => {
            let against = market.best[side.opposite().index()];
            let sign = side.sign();
            if against.is_some_and(|against| price * sign >= against * sign) {
                tally.rejected += 1;
            } else {
                let front = market.at(side, price) as f64;
                resting[side.index()].push(Resting { price, front, traded: 0.0 });
            }
        }
    }
}

impl Resting {
    /// The level went from `before` to `after`. What trades did not explain left before or behind us,
    /// by the power-law probability of the README.
    fn level_changed(&mut self, before: f64, after: f64) {
        let gone = before - after - std::mem::take(&mut self.traded);
        if gone >= 0.0 {
            let (front, back) = (self.front, before - self.front);
            let weight = |qty: f64| qty.powi(GRID_QUEUE_POWER);
            let behind = weight(back) / (weight(back) + weight(front));
            self.front = front - (1.0 - behind) * gone + (back - behind * gone).min(0.0);
        }
        self.front = self.front.min(after);
    }

    /// `qty` traded at our price; whether it reached us.
    fn traded(&mut self, qty: f64) -> bool {
        self.front -= qty;
        self.traded += qty;
        (-self.front).round() > 0.0
    }
}

/// Quantities by price in one flat array, and the best of each side.
struct Dense {
    sizes: [Vec<i64>; 2],
    origin: i64,
    best: [Option<i64>; 2],
}

/// Prices on either side of the first one that an array covers.
const REACH: i64 = 1 << 14;

impl Dense {
    fn new(around: i64) -> Self {
        let empty = vec![0; 2 * REACH as usize];
        Self { sizes: [empty.clone(), empty], origin: around - REACH, best: [None; 2] }
    }

    fn at(&self, side: Side, price: i64) -> i64 {
        self.sizes[side.index()][(price - self.origin) as usize]
    }

    /// Sets a level; what it had, and whether it is the new best.
    fn set(&mut self, side: Side, price: i64, qty: i64) -> (i64, bool) {
        let half = &mut self.sizes[side.index()];
        let before = std::mem::replace(&mut half[(price - self.origin) as usize], qty);
        let best = &mut self.best[side.index()];
        let sign = side.sign();
        let bettered = qty > 0 && best.is_none_or(|best| price * sign > best * sign);
        if bettered {
            *best = Some(price);
        } else if qty == 0 && *best == Some(price) {
            let mut next = price;
            *best = loop {
                next -= sign;
                match half.get((next - self.origin) as usize) {
                    Some(0) => {}
                    Some(_) => break Some(next),
                    None => break None,
                }
            };
        }
        (before, bettered)
    }
}

/// One trade of an [`ArrayBook`].
#[derive(Clone, Copy, Debug)]
pub struct Print {
    /// The order that rested.
    pub maker: u32,
    /// Where.
    pub price: i64,
    /// How much.
    pub qty: i64,
    /// What is left of the order.
    pub left: i64,
}

/// A plain limit order book: an array of prices, a linked list of orders at each.
///
/// It knows one kind of order and reports trades only. Its caller names the orders.
pub struct ArrayBook {
    orders: Vec<Node>,
    /// First and last order at each price.
    levels: Vec<[u32; 2]>,
    origin: i64,
    /// Best prices; at the ends of the array for none.
    best: [i64; 2],
}

#[derive(Clone, Copy)]
struct Node {
    qty: i64,
    price: i64,
    side: Side,
    prev: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;

impl ArrayBook {
    /// An empty book around a price, for this many orders.
    pub fn new(around: i64, slots: u32) -> Self {
        let empty = Node { qty: 0, price: 0, side: Side::Buy, prev: NONE, next: NONE };
        Self {
            orders: vec![empty; slots as usize],
            levels: vec![[NONE; 2]; 2 * REACH as usize],
            origin: around - REACH,
            best: [around - REACH, around + REACH - 1],
        }
    }

    /// Takes what a limit order reaches and lets the rest stand; whether any does.
    pub fn add(
        &mut self,
        slot: u32,
        side: Side,
        price: i64,
        qty: i64,
        prints: &mut Vec<Print>,
    ) -> bool {
        let qty = self.take(side, qty, price, prints);
        if qty == 0 {
            return false;
        }
        let level = &mut self.levels[(price - self.origin) as usize];
        let last = level[1];
        self.orders[slot as usize] = Node { qty, price, side, prev: last, next: NONE };
        level[1] = slot;
        match last {
            NONE => level[0] = slot,
            last => self.orders[last as usize].next = slot,
        }
        let (best, sign) = (&mut self.best[side.index()], side.sign());
        if price * sign > *best * sign {
            *best = price;
        }
        true
    }

    /// Takes up to `qty` at any price.
    pub fn market(&mut self, side: Side, qty: i64, prints: &mut Vec<Print>) {
        self.take(side, qty, i64::MAX * side.sign(), prints);
    }

    /// Takes an order out; how much was left of it. `None` if it is not there.
    pub fn cancel(&mut self, slot: u32) -> Option<i64> {
        let qty = self.orders[slot as usize].qty;
        (qty > 0).then(|| {
            self.unlink(slot);
            qty
        })
    }

    fn take(&mut self, side: Side, mut qty: i64, limit: i64, prints: &mut Vec<Print>) -> i64 {
        let (other, sign) = (side.opposite().index(), side.sign());
        while qty > 0 {
            let price = self.best[other];
            let maker = self.levels[(price - self.origin) as usize][0];
            if maker == NONE || price * sign > limit.saturating_mul(sign) {
                break;
            }
            let node = &mut self.orders[maker as usize];
            let traded = qty.min(node.qty);
            node.qty -= traded;
            qty -= traded;
            let left = node.qty;
            prints.push(Print { maker, price, qty: traded, left });
            if left == 0 {
                self.unlink(maker);
            }
        }
        qty
    }

    fn unlink(&mut self, slot: u32) {
        let Node { price, side, prev, next, .. } = self.orders[slot as usize];
        self.orders[slot as usize].qty = 0;
        let level = &mut self.levels[(price - self.origin) as usize];
        match prev {
            NONE => level[0] = next,
            prev => self.orders[prev as usize].next = next,
        }
        match next {
            NONE => level[1] = prev,
            next => self.orders[next as usize].prev = prev,
        }
        if self.best[side.index()] == price {
            let (first, last) = (self.origin, self.origin + 2 * REACH - 1);
            let mut best = price;
            // Stops at the end of the array, where no order stands.
            while best > first && best < last && self.levels[(best - first) as usize][0] == NONE {
                best -= side.sign();
            }
            self.best[side.index()] = best;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_book_fills_the_better_price_and_then_the_earlier_order_first() {
        let (mut book, mut prints) = (ArrayBook::new(100, 8), Vec::new());
        assert!(book.add(0, Side::Sell, 102, 5, &mut prints));
        assert!(book.add(1, Side::Sell, 101, 5, &mut prints));
        assert!(book.add(2, Side::Sell, 101, 5, &mut prints));
        assert!(book.add(3, Side::Buy, 101, 12, &mut prints), "two lots rest");
        book.market(Side::Sell, 9, &mut prints);
        let seen: Vec<_> = prints.iter().map(|p| (p.maker, p.price, p.qty, p.left)).collect();
        assert_eq!(seen, [(1, 101, 5, 0), (2, 101, 5, 0), (3, 101, 2, 0)]);
        assert_eq!((book.cancel(0), book.cancel(0)), (Some(5), None));
        assert_eq!(book.best, [100 - REACH, 100 + REACH - 1]);
    }

    #[test]
    fn a_queue_moves_up_by_trades_and_by_a_share_of_what_else_left() {
        let mut order = Resting { price: 1, front: 10.0, traded: 0.0 };
        assert!(!order.traded(4.0));
        order.level_changed(20.0, 16.0);
        assert_eq!(order.front, 6.0, "the trade explains the change");
        order.level_changed(24.0, 14.0);
        // 6 before and 18 behind: one part in 28 of what left stood before us.
        assert!((order.front - (6.0 - 10.0 / 28.0)).abs() < 1e-12);
    }
}
