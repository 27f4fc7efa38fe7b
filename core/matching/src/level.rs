//! Queues of orders at one price, and the four sets of them: bids, asks, and sleeping stops of either
//! side, which wait for a price just as orders do.
//!
//! A queue is a doubly linked list through the orders themselves. Here orders join and leave; who
//! trades with whom is decided in `take`, what is asleep in `stop`.

use tse_model::{Price, Side};

use crate::order::{price_of, rank};
use crate::prices::Prices;
use crate::slab::{NIL, Slab};

/// Which set of queues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Half {
    Bids,
    Asks,
    BuyStops,
    SellStops,
}

impl Half {
    /// Where an order of `side` rests.
    #[inline]
    pub const fn of(side: Side) -> Self {
        match side {
            Side::Buy => Self::Bids,
            Side::Sell => Self::Asks,
        }
    }

    /// Where a stop of `side` sleeps.
    pub const fn stops(side: Side) -> Self {
        match side {
            Side::Buy => Self::BuyStops,
            Side::Sell => Self::SellStops,
        }
    }

    /// The side whose ranking orders it. Buy stops wake from the lowest trigger up, as asks trade.
    #[inline]
    const fn ranking(self) -> Side {
        match self {
            Self::Bids | Self::SellStops => Side::Buy,
            Self::Asks | Self::BuyStops => Side::Sell,
        }
    }

    #[inline]
    pub const fn rank(self, price: Price) -> i64 {
        rank(self.ranking(), price)
    }

    #[inline]
    pub const fn price(self, rank: i64) -> Price {
        price_of(self.ranking(), rank)
    }
}

/// All orders at one price of one half, never none.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    pub rank: i64,
    /// Sum of what shows.
    pub visible: i64,
    /// Sum of what does not.
    pub hidden: i64,
    pub head: u32,
    pub tail: u32,
    pub count: u32,
    /// Where the price index keeps it.
    pub leaf: u32,
    pub half: Half,
}

/// All queues, and the orders in them.
#[derive(Clone, Debug)]
pub(crate) struct Queues {
    pub orders: Slab,
    pub levels: Vec<Level>,
    free: Vec<u32>,
    pub prices: [Prices; 4],
}

impl Queues {
    pub fn with_capacity(orders: usize, levels: usize) -> Self {
        Self {
            orders: Slab::with_capacity(orders),
            levels: Vec::with_capacity(levels),
            free: Vec::with_capacity(levels),
            prices: [const { Prices::new() }; 4],
        }
    }

    #[inline]
    pub fn half(&self, half: Half) -> &Prices {
        &self.prices[half as usize]
    }

    #[inline]
    pub fn level(&self, id: u32) -> &Level {
        &self.levels[id as usize]
    }

    /// Puts an order at the back of the queue of `rank`.
    #[inline]
    pub fn join(&mut self, half: Half, rank: i64, slot: u32) {
        let (levels, free) = (&mut self.levels, &mut self.free);
        let id = self.prices[half as usize].get_or_insert(rank, |leaf| {
            let level =
                Level { rank, visible: 0, hidden: 0, head: NIL, tail: NIL, count: 0, leaf, half };
            match free.pop() {
                Some(id) => {
                    levels[id as usize] = level;
                    id
                }
                None => {
                    levels.push(level);
                    u32::try_from(levels.len() - 1).expect("no more levels than orders")
                }
            }
        });
        let level = &mut levels[id as usize];
        let node = &mut self.orders[slot];
        node.level = id;
        node.prev = level.tail;
        node.next = NIL;
        level.visible += node.shown;
        level.hidden += node.hidden;
        level.count += 1;
        let tail = std::mem::replace(&mut level.tail, slot);
        if tail == NIL {
            level.head = slot;
        } else {
            self.orders[tail].next = slot;
        }
    }

    /// Puts an order into a queue, just ahead of another.
    pub fn join_before(&mut self, other: u32, slot: u32) {
        let (id, prev) = (self.orders[other].level, self.orders[other].prev);
        let node = &mut self.orders[slot];
        (node.level, node.prev, node.next) = (id, prev, other);
        let level = &mut self.levels[id as usize];
        level.visible += node.shown;
        level.hidden += node.hidden;
        level.count += 1;
        self.orders[other].prev = slot;
        if prev == NIL {
            level.head = slot;
        } else {
            self.orders[prev].next = slot;
        }
    }

    /// Takes an order out of its queue, and the queue away with its last order.
    #[inline]
    pub fn leave(&mut self, slot: u32) {
        let node = &mut self.orders[slot];
        let (id, prev, next) = (node.level, node.prev, node.next);
        node.level = NIL;
        let level = &mut self.levels[id as usize];
        level.visible -= node.shown;
        level.hidden -= node.hidden;
        level.count -= 1;
        if level.count == 0 {
            self.prices[level.half as usize].remove(level.rank, level.leaf);
            self.free.push(id);
            return;
        }
        if prev == NIL {
            level.head = next;
        } else {
            self.orders[prev].next = next;
        }
        if next == NIL {
            level.tail = prev;
        } else {
            self.orders[next].prev = prev;
        }
    }

    /// Moves an order to the back of its queue.
    pub fn requeue(&mut self, slot: u32) {
        let (id, prev, next) = {
            let node = &self.orders[slot];
            (node.level, node.prev, node.next)
        };
        if next == NIL {
            return;
        }
        self.orders[next].prev = prev;
        let level = &mut self.levels[id as usize];
        let tail = std::mem::replace(&mut level.tail, slot);
        if prev == NIL {
            level.head = next;
        } else {
            self.orders[prev].next = next;
        }
        self.orders[tail].next = slot;
        let node = &mut self.orders[slot];
        (node.prev, node.next) = (tail, NIL);
    }

    /// Changes what shows and what does not of an order where it stands.
    #[inline]
    pub fn set_leaves(&mut self, slot: u32, shown: i64, hidden: i64) {
        let node = &mut self.orders[slot];
        if node.level != NIL {
            let level = &mut self.levels[node.level as usize];
            level.visible += shown - node.shown;
            level.hidden += hidden - node.hidden;
        }
        (node.shown, node.hidden) = (shown, hidden);
    }

    /// Takes `cut` from an order where it stands, the hidden part first.
    pub fn shrink(&mut self, slot: u32, cut: i64) {
        let node = &self.orders[slot];
        let hidden_cut = cut.min(node.hidden);
        let (shown, hidden) = (node.shown - (cut - hidden_cut), node.hidden - hidden_cut);
        self.set_leaves(slot, shown, hidden);
    }

    /// Places for levels, the list of free ones included.
    pub fn levels_capacity(&self) -> usize {
        self.levels.capacity() + self.free.capacity()
    }
}
