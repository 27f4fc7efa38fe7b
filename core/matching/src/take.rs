//! The matching loop: an incoming order against the other side of the book.
//!
//! In goes a [`Taker`], whether it is a new order, a stop that woke or a modified order; out come
//! fills and what becomes of the rest. All checks that refuse an order are behind it, but for one: a
//! stop's fill-or-kill can only be settled when it wakes.
//!
//! Begin at [`Book::run`].

use tse_model::{CancelReason, Price, Qty, Side, TimeInForce};

use crate::book::Book;
use crate::level::Half;
use crate::slab::{NIL, Node};
use crate::stop::Awake;
use crate::{Fill, NewOrder, Outcome, Owner, Report, SelfTrade};

/// An incoming order on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taker {
    pub owner: Owner,
    pub tag: u64,
    pub side: Side,
    pub self_trade: SelfTrade,
    pub leaves: i64,
    /// The worst rank of the other side it may trade with.
    pub bound: i64,
}

/// What becomes of what an order could not trade.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Then {
    /// It rests at this price.
    Rest(Price),
    /// It is cancelled.
    Cancel,
    /// There must be nothing: all of it trades, or it is cancelled whole.
    FillOrKill,
}

/// Where an incoming order comes from, and so where it rests.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Seat<'a> {
    /// It has no slot yet.
    New(&'a NewOrder),
    /// It has this one, and a handle to it that others know.
    Taken(u32),
}

/// How the matching loop ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ended {
    /// Nothing more to trade, or nothing more to trade with.
    Done,
    /// It met an order of its owner and was not to go on.
    SelfTrade,
}

impl Taker {
    #[inline]
    pub fn new(order: &NewOrder, worst: Option<Price>) -> Self {
        Self {
            owner: order.owner,
            tag: order.tag,
            side: order.side,
            self_trade: order.self_trade,
            leaves: order.qty.get(),
            bound: bound(order.side, worst),
        }
    }

    /// An order that had a slot.
    pub fn woken(node: &Node, worst: Option<Price>) -> Self {
        Self {
            owner: node.owner,
            tag: node.tag,
            side: node.side,
            self_trade: node.self_trade,
            leaves: node.leaves(),
            bound: bound(node.side, worst),
        }
    }
}

/// The worst rank of the other side that a taker with this limit may trade with.
#[inline]
fn bound(side: Side, worst: Option<Price>) -> i64 {
    worst.map_or(i64::MIN, |price| Half::of(side.opposite()).rank(price))
}

impl Then {
    pub fn of(awake: &Awake) -> Self {
        match (awake.time_in_force, awake.limit) {
            (TimeInForce::Fok, _) => Self::FillOrKill,
            (TimeInForce::Ioc, _) | (_, None) => Self::Cancel,
            (_, Some(price)) => Self::Rest(price),
        }
    }
}

impl Book {
    /// Takes an incoming order to its end: it trades what it can, and then rests or is cancelled.
    #[inline]
    pub(crate) fn run(
        &mut self,
        mut taker: Taker,
        then: Then,
        seat: Seat<'_>,
        out: &mut Vec<Report>,
    ) -> Outcome {
        let mut ended = Ended::Done;
        if then != Then::FillOrKill || self.can_fill(&taker) {
            ended = self.take(&mut taker, out);
        }
        let reason = match (ended, then) {
            (Ended::SelfTrade, _) => Some(CancelReason::SelfTrade),
            (Ended::Done, _) if taker.leaves == 0 => None,
            (Ended::Done, Then::Rest(price)) => return self.settle(&taker, price, seat, out),
            (Ended::Done, Then::Cancel | Then::FillOrKill) => Some(CancelReason::Unfilled),
        };
        let handle = match seat {
            Seat::New(_) => None,
            Seat::Taken(slot) => {
                let handle = self.queues.orders.handle(slot);
                self.queues.orders.remove(slot);
                Some(handle)
            }
        };
        if let Some(reason) = reason {
            let leaves = Qty::new(taker.leaves);
            out.push(Report::Cancelled { handle, tag: taker.tag, reason, leaves });
        }
        Outcome::Done
    }

    /// Lets what is left of an order rest.
    #[inline]
    fn settle(
        &mut self,
        taker: &Taker,
        price: Price,
        seat: Seat<'_>,
        out: &mut Vec<Report>,
    ) -> Outcome {
        let slot = match seat {
            Seat::New(order) => self.queues.orders.insert(Node::new(order, taker.leaves)),
            Seat::Taken(slot) => {
                self.queues.orders[slot].reslice(taker.leaves);
                slot
            }
        };
        let half = Half::of(taker.side);
        self.queues.join(half, half.rank(price), slot);
        self.open[taker.side.index()] += taker.leaves;
        let handle = self.queues.orders.handle(slot);
        out.push(Report::Rested {
            handle,
            tag: taker.tag,
            price,
            leaves: Qty::new(taker.leaves),
            displayed: Qty::new(self.queues.orders[slot].shown),
        });
        Outcome::Resting(handle)
    }

    /// Trades with the best of the other side until one of the two is at its end.
    #[inline]
    fn take(&mut self, taker: &mut Taker, out: &mut Vec<Report>) -> Ended {
        let makers = Half::of(taker.side.opposite());
        while taker.leaves > 0 && self.queues.half(makers).reaches(taker.bound) {
            let level = self.queues.half(makers).best();
            let price = makers.price(self.queues.half(makers).best_rank());
            let slot = self.queues.level(level).head;
            let owner = self.queues.orders[slot].owner;
            if owner == taker.owner && taker.self_trade != SelfTrade::Allow {
                if self.meet_own(slot, taker, out) == Ended::SelfTrade {
                    return Ended::SelfTrade;
                }
                continue;
            }
            self.trade(slot, price, taker, out);
            self.print(price);
        }
        Ended::Done
    }

    /// One trade with one resting order.
    #[inline]
    fn trade(&mut self, slot: u32, price: Price, taker: &mut Taker, out: &mut Vec<Report>) {
        let node = &self.queues.orders[slot];
        let qty = taker.leaves.min(node.shown);
        taker.leaves -= qty;
        let (shown, hidden) = (node.shown - qty, node.hidden);
        let handle = self.queues.orders.handle(slot);
        out.push(Report::Fill(Fill {
            maker: handle,
            maker_tag: node.tag,
            maker_owner: node.owner,
            taker_tag: taker.tag,
            taker_owner: taker.owner,
            taker_side: taker.side,
            price,
            qty: Qty::new(qty),
            maker_leaves: Qty::new(shown + hidden),
            taker_leaves: Qty::new(taker.leaves),
        }));
        self.open[taker.side.opposite().index()] -= qty;
        self.after_fill(slot, shown, hidden, out);
    }

    /// Settles a resting order that has traded and is left with this much: it stays, shows its next
    /// slice, or ends.
    #[inline]
    pub(crate) fn after_fill(&mut self, slot: u32, shown: i64, hidden: i64, out: &mut Vec<Report>) {
        if shown > 0 {
            self.queues.set_leaves(slot, shown, hidden);
        } else if hidden == 0 {
            self.queues.leave(slot);
            self.queues.orders.remove(slot);
        } else {
            let node = &self.queues.orders[slot];
            let (tag, next) = (node.tag, hidden.min(node.slice));
            self.queues.set_leaves(slot, next, hidden - next);
            self.queues.requeue(slot);
            let handle = self.queues.orders.handle(slot);
            out.push(Report::Replenished { handle, tag, displayed: Qty::new(next) });
        }
    }

    /// An incoming order meets one of its own owner, and does not mean to trade with it.
    #[cold]
    fn meet_own(&mut self, slot: u32, taker: &mut Taker, out: &mut Vec<Report>) -> Ended {
        let node = &self.queues.orders[slot];
        let (maker_tag, leaves) = (node.tag, node.leaves());
        match taker.self_trade {
            SelfTrade::Allow => unreachable!("who may trade with itself does not come here"),
            SelfTrade::CancelNew => Ended::SelfTrade,
            SelfTrade::CancelOld => {
                self.close(slot, CancelReason::SelfTrade, out);
                Ended::Done
            }
            SelfTrade::CancelBoth => {
                self.close(slot, CancelReason::SelfTrade, out);
                Ended::SelfTrade
            }
            SelfTrade::Decrement => {
                let cut = leaves.min(taker.leaves);
                taker.leaves -= cut;
                self.queues.shrink(slot, cut);
                self.open[taker.side.opposite().index()] -= cut;
                out.push(Report::Decremented {
                    maker: self.queues.orders.handle(slot),
                    maker_tag,
                    taker_tag: taker.tag,
                    qty: Qty::new(cut),
                    maker_leaves: Qty::new(leaves - cut),
                    taker_leaves: Qty::new(taker.leaves),
                });
                if leaves == cut {
                    self.close(slot, CancelReason::SelfTrade, out);
                }
                if taker.leaves == 0 { Ended::SelfTrade } else { Ended::Done }
            }
        }
    }

    /// Whether this order would trade in full if it came in now, to the last lot.
    ///
    /// Without orders of its owner in reach, sums per level tell. Otherwise it is a matter of the
    /// mode: resting orders that would be cancelled are as good as gone; an order that would stop at
    /// its own must be done before it comes to it, and slices that come round again stand behind.
    pub(crate) fn can_fill(&self, taker: &Taker) -> bool {
        let prices = self.queues.half(Half::of(taker.side.opposite()));
        let mut need = taker.leaves;
        let mut at = (prices.best() != NIL).then(|| (prices.best_rank(), prices.best()));
        while let Some((rank, level)) = at {
            if rank < taker.bound {
                return false;
            }
            let total = self.queues.level(level).visible + self.queues.level(level).hidden;
            let (mut own, mut ahead, mut before_own) = (0, 0, None);
            if taker.self_trade != SelfTrade::Allow {
                let mut slot = self.queues.level(level).head;
                while slot != NIL {
                    let node = &self.queues.orders[slot];
                    if node.owner == taker.owner {
                        own += node.leaves();
                        before_own = before_own.or(Some(ahead));
                    }
                    ahead += node.shown;
                    slot = node.next;
                }
            }
            match (taker.self_trade, before_own) {
                (SelfTrade::Allow, _) | (_, None) => need -= total.min(need),
                (SelfTrade::CancelOld, _) => need -= (total - own).min(need),
                (
                    SelfTrade::CancelNew | SelfTrade::CancelBoth | SelfTrade::Decrement,
                    Some(reachable),
                ) => return reachable >= need,
            }
            if need == 0 {
                return true;
            }
            at = prices.below(rank);
        }
        false
    }
}
