//! Looking at a book: orders, queues, levels, best first. Nothing here changes anything.

use tse_model::{Price, Qty, Side};

use crate::book::Book;
use crate::level::Half;
use crate::slab::NIL;
use crate::{Handle, Owner};

/// A resting order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderView {
    /// The order.
    pub handle: Handle,
    /// Whose it is.
    pub owner: Owner,
    /// Its tag.
    pub tag: u64,
    /// Its side.
    pub side: Side,
    /// Where it rests.
    pub price: Price,
    /// How much is open, hidden quantity included.
    pub leaves: Qty,
    /// How much of that shows.
    pub displayed: Qty,
    /// Whether it may only make.
    pub post_only: bool,
}

/// A sleeping stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StopView {
    /// The order.
    pub handle: Handle,
    /// Whose it is.
    pub owner: Owner,
    /// Its tag.
    pub tag: u64,
    /// Its side.
    pub side: Side,
    /// Where it wakes; `None` for a trailing stop before the first trade.
    pub trigger: Option<Price>,
    /// The limit it will have, if any.
    pub limit: Option<Price>,
    /// How much.
    pub leaves: Qty,
}

/// All orders of a side at one price. There is at least one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LevelView {
    /// The price.
    pub price: Price,
    /// How much shows.
    pub visible: Qty,
    /// How much does not.
    pub hidden: Qty,
    /// How many orders.
    pub orders: u32,
    /// The first in the queue.
    pub head: Handle,
    /// The last in the queue.
    pub tail: Handle,
}

/// How much a book has memory for, in pieces of each kind. Once warm, this does not change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capacity {
    /// Orders.
    pub orders: usize,
    /// Occupied prices.
    pub levels: usize,
    /// Nodes of the price index, all sides together.
    pub nodes: usize,
    /// Places for stops.
    pub stops: usize,
}

impl Book {
    /// A resting order; `None` if the handle is stale or names a sleeping stop.
    #[inline]
    pub fn order(&self, handle: Handle) -> Option<OrderView> {
        let slot = self.queues.orders.find(handle)?;
        (self.queues.orders[slot].stop == NIL).then(|| self.view_order(slot))
    }

    /// The order in a slot of a queue.
    #[inline]
    fn view_order(&self, slot: u32) -> OrderView {
        let node = &self.queues.orders[slot];
        let level = self.queues.level(node.level);
        OrderView {
            handle: self.queues.orders.handle(slot),
            owner: node.owner,
            tag: node.tag,
            side: node.side,
            price: level.half.price(level.rank),
            leaves: Qty::new(node.leaves()),
            displayed: Qty::new(node.shown),
            post_only: node.post_only,
        }
    }

    /// A sleeping stop; `None` if the handle is stale or names a resting order.
    pub fn stop(&self, handle: Handle) -> Option<StopView> {
        let slot = self.queues.orders.find(handle)?;
        let node = &self.queues.orders[slot];
        if node.stop == NIL {
            return None;
        }
        let stop = self.sleepers.get(node.stop);
        Some(StopView {
            handle,
            owner: node.owner,
            tag: node.tag,
            side: node.side,
            trigger: stop.trigger,
            limit: stop.awake.limit,
            leaves: Qty::new(node.leaves()),
        })
    }

    /// Whether the handle names an order that rests or sleeps.
    #[inline]
    pub fn is_open(&self, handle: Handle) -> bool {
        self.queues.orders.find(handle).is_some()
    }

    /// How many orders rest or sleep.
    pub fn open_orders(&self) -> usize {
        self.queues.orders.len()
    }

    /// How many stops sleep.
    pub fn armed_stops(&self) -> usize {
        self.sleepers.len()
    }

    /// Open quantity of a side, hidden and asleep included.
    pub fn open_qty(&self, side: Side) -> Qty {
        Qty::new(self.open[side.index()])
    }

    /// The best price of a side.
    #[inline]
    pub fn best_price(&self, side: Side) -> Option<Price> {
        let half = Half::of(side);
        let prices = self.queues.half(half);
        (prices.best() != NIL).then(|| half.price(prices.best_rank()))
    }

    /// The best level of a side.
    #[inline]
    pub fn best(&self, side: Side) -> Option<LevelView> {
        self.view_level(self.queues.half(Half::of(side)).best())
    }

    /// The level of a side at a price, if any order stands there.
    #[inline]
    pub fn level(&self, side: Side, price: Price) -> Option<LevelView> {
        let half = Half::of(side);
        self.view_level(self.queues.half(half).get(half.rank(price)))
    }

    /// The best level of a side that is worse than this price.
    #[inline]
    pub fn level_behind(&self, side: Side, price: Price) -> Option<LevelView> {
        let half = Half::of(side);
        let (_, level) = self.queues.half(half).below(half.rank(price))?;
        self.view_level(level)
    }

    /// The levels of a side, best first.
    pub fn levels(&self, side: Side) -> Levels<'_> {
        Levels { book: self, half: Half::of(side), next: self.queues.half(Half::of(side)).best() }
    }

    /// The orders of a side at a price, first in the queue first.
    #[inline]
    pub fn queue(&self, side: Side, price: Price) -> Queue<'_> {
        let half = Half::of(side);
        let level = self.queues.half(half).get(half.rank(price));
        let next = if level == NIL { NIL } else { self.queues.level(level).head };
        Queue { book: self, next }
    }

    /// The order behind this one in its queue.
    #[inline]
    pub fn next_in_level(&self, handle: Handle) -> Option<Handle> {
        let slot = self.queues.orders.find(handle)?;
        self.handle_at(self.queues.orders[slot].next)
    }

    /// The order ahead of this one in its queue.
    #[inline]
    pub fn prev_in_level(&self, handle: Handle) -> Option<Handle> {
        let slot = self.queues.orders.find(handle)?;
        self.handle_at(self.queues.orders[slot].prev)
    }

    /// The sleeping stops of a side in the order in which trades would wake them; trailing stops
    /// without a trigger come last, oldest first.
    pub fn stops(&self, side: Side) -> Stops<'_> {
        let level = self.queues.half(Half::stops(side)).best();
        let next = if level == NIL { NIL } else { self.queues.level(level).head };
        Stops { book: self, next, trailing: self.sleepers.oldest_trailing(side) }
    }

    /// How much the book has memory for.
    pub fn capacity(&self) -> Capacity {
        Capacity {
            orders: self.queues.orders.capacity(),
            levels: self.queues.levels_capacity(),
            nodes: self.queues.prices.iter().map(|prices| prices.capacity()).sum(),
            stops: self.sleepers.capacity(),
        }
    }

    #[inline]
    fn handle_at(&self, slot: u32) -> Option<Handle> {
        (slot != NIL).then(|| self.queues.orders.handle(slot))
    }

    #[inline]
    fn view_level(&self, id: u32) -> Option<LevelView> {
        if id == NIL {
            return None;
        }
        let level = self.queues.level(id);
        Some(LevelView {
            price: level.half.price(level.rank),
            visible: Qty::new(level.visible),
            hidden: Qty::new(level.hidden),
            orders: level.count,
            head: self.queues.orders.handle(level.head),
            tail: self.queues.orders.handle(level.tail),
        })
    }
}

/// The levels of a side, best first.
#[derive(Clone, Debug)]
pub struct Levels<'a> {
    book: &'a Book,
    half: Half,
    next: u32,
}

impl Iterator for Levels<'_> {
    type Item = LevelView;
    fn next(&mut self) -> Option<LevelView> {
        let view = self.book.view_level(self.next)?;
        let rank = self.half.rank(view.price);
        self.next = self.book.queues.half(self.half).below(rank).map_or(NIL, |(_, level)| level);
        Some(view)
    }
}

/// The orders of a queue, first to trade first.
#[derive(Clone, Debug)]
pub struct Queue<'a> {
    book: &'a Book,
    next: u32,
}

impl Iterator for Queue<'_> {
    type Item = OrderView;
    #[inline]
    fn next(&mut self) -> Option<OrderView> {
        if self.next == NIL {
            return None;
        }
        let view = self.book.view_order(self.next);
        self.next = self.book.queues.orders[self.next].next;
        Some(view)
    }
}

/// Sleeping stops of a side, first to wake first.
#[derive(Clone, Debug)]
pub struct Stops<'a> {
    book: &'a Book,
    /// The next order with a trigger.
    next: u32,
    /// The next trailing stop to look at, behind all triggers.
    trailing: u32,
}

impl Iterator for Stops<'_> {
    type Item = StopView;
    fn next(&mut self) -> Option<StopView> {
        let queues = &self.book.queues;
        let slot = if self.next == NIL {
            let (slot, next) = self.book.sleepers.unanchored(self.trailing)?;
            self.trailing = next;
            slot
        } else {
            let slot = self.next;
            let node = &queues.orders[slot];
            self.next = node.next;
            if node.next == NIL {
                let level = queues.level(node.level);
                let behind = queues.half(level.half).below(level.rank);
                self.next = behind.map_or(NIL, |(_, level)| queues.level(level).head);
            }
            slot
        };
        self.book.stop(queues.orders.handle(slot))
    }
}
