//! How often the same order was sent lately (C08).

use std::collections::VecDeque;
use tse_model::bytes::{Kept, Reader, Recorded, Writer};
use tse_model::{IdMap, OrderType, PlaceOrder, Span, StateHash, Timestamp};

/// A sliding window over the orders sent, with a count for each kind of order in it.
///
/// Two orders are the same if strategy, instrument, side, quantity, type and price are. Kinds are told
/// apart by a 64-bit hash: a collision could refuse an order too early, never let one through.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecentOrders {
    sent: VecDeque<(Timestamp, u64)>,
    counts: IdMap<u32>,
    window: Span,
}

/// What makes an order the same as another: it is asked of the order as its strategy wished it, since
/// the price that makes a market order safe moves with the market.
pub(crate) fn key(order: &PlaceOrder) -> u64 {
    let mut hash = StateHash::new();
    hash.word(
        u64::from(order.instrument.0) << 32
            | u64::from(order.strategy.0) << 16
            | (order.side.index() as u64) << 8,
    );
    hash.int(order.qty.get());
    let (kind, price) = match order.order_type {
        OrderType::Market => (0, 0),
        OrderType::Limit(price) => (1, price.get()),
        OrderType::Stop(price) => (2, price.get()),
        OrderType::StopLimit { trigger, limit } => (3, trigger.get() ^ limit.get().rotate_left(32)),
        OrderType::TrailingStop(offset) => (4, offset.get()),
    };
    hash.word(kind);
    hash.int(price);
    hash.finish()
}

/// The orders in the window; how many there are of each kind follows from that.
impl Kept for RecentOrders {
    fn save(&self, out: &mut Writer) {
        let Self { sent, counts: _, window: _ } = self;
        sent.save(out);
    }

    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        let sent = VecDeque::<(Timestamp, u64)>::read(bytes)?;
        self.sent.clear();
        self.counts.clear();
        sent.into_iter().for_each(|(at, key)| self.note(at, key));
        Some(())
    }
}

impl RecentOrders {
    /// Remembers orders for this long: the longest window of any limit.
    pub(crate) fn new(window: Span) -> Self {
        Self { window, ..Self::default() }
    }

    /// How often an order with this key was sent within `window` before `now`.
    pub(crate) fn count(&mut self, now: Timestamp, window: Span, key: u64) -> u32 {
        self.forget(now);
        let all = self.counts.get(key).copied().unwrap_or(0);
        if all == 0 || window >= self.window {
            return all;
        }
        let recent = self.sent.iter().rev().take_while(|(at, _)| *at + window > now);
        recent.filter(|(_, other)| *other == key).count() as u32
    }

    /// Remembers that an order with this key is being sent.
    pub(crate) fn note(&mut self, now: Timestamp, key: u64) {
        match self.counts.get_mut(key) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(key, 1)),
        }
        self.sent.push_back((now, key));
    }

    /// Forgets the last orders that were noted: they were held back after all.
    pub(crate) fn undo(&mut self, orders: usize) {
        for _ in 0..orders {
            if let Some((_, key)) = self.sent.pop_back() {
                self.uncount(key);
            }
        }
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((at, key)) = self.sent.front().copied() {
            if at + self.window > now {
                break;
            }
            self.sent.pop_front();
            self.uncount(key);
        }
    }

    fn uncount(&mut self, key: u64) {
        match self.counts.get_mut(key) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(self.counts.remove(key)),
        }
    }
}
