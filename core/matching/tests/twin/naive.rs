//! A book that anyone can check by reading: one list of orders in the order in which they joined
//! their queues, scanned from the start for everything.
//!
//! Written from the rules in the crate's introduction, not from the code. It names orders by their
//! tags, which its user keeps unique. A [`Fault`] makes it wrong on purpose, to show that whoever
//! compares it with the real book would notice.

use tse_matching::{NewOrder, SelfTrade};
use tse_model::{CancelReason, OrderType, RejectReason, Side, TimeInForce};

use super::said::{Said, Traded};

/// A rule to break.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    None,
    /// The last to join a queue trades first.
    Lifo,
    /// A new slice of an iceberg keeps the place of the old one.
    SliceKeepsPlace,
    /// Fill-or-kill counts the owner's own orders.
    FokCountsOwn,
    /// Only a smaller quantity keeps its place, the same does not.
    SameQuantityLosesPlace,
    /// Stops wake in order of arrival, whatever their triggers.
    StopsWakeByArrival,
    /// A trailing stop follows the last price, better or not.
    TrailFollowsBothWays,
    /// A decrement takes from what shows first.
    DecrementTakesShown,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Resting {
    pub order: NewOrder,
    pub price: i64,
    pub shown: i64,
    pub hidden: i64,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sleeping {
    pub order: NewOrder,
    pub limit: Option<i64>,
    pub trigger: Option<i64>,
    pub leaves: i64,
    best_seen: Option<i64>,
    accepted: usize,
    /// Its turn among the stops that were reached and wait to act.
    turn: Option<usize>,
}

#[derive(Clone, Debug)]
pub struct Naive {
    /// Earlier in the list is earlier in its queue.
    pub resting: Vec<Resting>,
    /// Earlier in the list came earlier to its trigger.
    pub sleeping: Vec<Sleeping>,
    pub last: Option<i64>,
    accepted: usize,
    pub fault: Fault,
    pub said: Vec<Said>,
}

pub type Answer<T> = Result<T, RejectReason>;

/// An incoming order on its way.
pub struct Incoming {
    pub order: NewOrder,
    pub limit: Option<i64>,
    pub leaves: i64,
}

impl Naive {
    pub fn new(fault: Fault) -> Self {
        Self {
            resting: Vec::new(),
            sleeping: Vec::new(),
            last: None,
            accepted: 0,
            fault,
            said: Vec::new(),
        }
    }

    pub fn take_said(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.said)
    }

    pub fn open_qty(&self, side: Side) -> i128 {
        let resting = self.resting.iter().filter(|o| o.order.side == side);
        let sleeping = self.sleeping.iter().filter(|s| s.order.side == side);
        resting.map(|o| i128::from(o.shown) + i128::from(o.hidden)).sum::<i128>()
            + sleeping.map(|s| i128::from(s.leaves)).sum::<i128>()
    }

    /// The places in `resting` of a side's orders, in the order in which they would trade.
    pub fn in_priority(&self, side: Side) -> Vec<usize> {
        let mut places: Vec<usize> =
            (0..self.resting.len()).filter(|at| self.resting[*at].order.side == side).collect();
        if self.fault == Fault::Lifo {
            places.reverse();
        }
        // A stable sort: at one price the list's order stays.
        places.sort_by_key(|at| i128::from(self.resting[*at].price) * -i128::from(side.sign()));
        places
    }

    /// The sleeping stops of a side, in the order in which they would wake.
    pub fn waking_order(&self, side: Side) -> Vec<u64> {
        let mut stops: Vec<&Sleeping> =
            self.sleeping.iter().filter(|s| s.order.side == side).collect();
        stops.sort_by_key(|s| match s.trigger {
            // Without a trigger: after all others, the oldest first.
            None => (i128::MAX, s.accepted),
            Some(trigger) => (i128::from(trigger) * i128::from(side.sign()), 0),
        });
        stops.iter().map(|s| s.order.tag).collect()
    }

    pub fn place(&mut self, order: NewOrder) -> Answer<()> {
        if let Err(reason) = self.review(&order) {
            self.said.push(Said::Rejected(order.tag, reason));
            return Err(reason);
        }
        self.said.push(Said::Accepted(order.tag));
        if order.order_type.is_stop() {
            self.sleep(order);
        } else {
            let incoming = Incoming { order, limit: worst(&order), leaves: order.qty.get() };
            self.come_in(incoming);
        }
        self.wake_reached();
        Ok(())
    }

    pub fn cancel(&mut self, tag: u64) -> Answer<i64> {
        let leaves = self.leaves(tag).ok_or(RejectReason::UnknownOrder)?;
        self.forget(tag);
        let reason = CancelReason::Requested;
        self.said.push(Said::Cancelled { tag, reason, leaves });
        Ok(leaves)
    }

    pub fn modify(&mut self, tag: u64, qty: i64, price: Option<i64>) -> Answer<()> {
        let old = self.leaves(tag).ok_or(RejectReason::UnknownOrder)?;
        self.check_size(tag, qty)?;
        if let Some(at) = self.sleeping.iter().position(|s| s.order.tag == tag) {
            let stop = &mut self.sleeping[at];
            if price.is_some() && stop.limit.is_none() {
                return Err(RejectReason::UnsupportedType);
            }
            stop.leaves = qty;
            stop.limit = price.or(stop.limit);
            let price = stop.limit;
            self.said.push(Said::Modified { tag, price, leaves: qty, kept_place: true });
            return Ok(());
        }
        let at = self.place_of(tag).expect("it rests or it sleeps");
        let here = self.resting[at].price;
        let price = price.unwrap_or(here);
        let kept_place = price == here
            && (qty < old || (qty == old && self.fault != Fault::SameQuantityLosesPlace));
        let order = self.resting[at].order;
        if !kept_place && order.post_only && self.anything_in_reach(order.side, Some(price)) {
            return Err(RejectReason::PostOnlyWouldTake);
        }
        self.said.push(Said::Modified { tag, price: Some(price), leaves: qty, kept_place });
        if kept_place {
            shrink(&mut self.resting[at], old - qty);
        } else {
            self.resting.remove(at);
            let order = NewOrder { time_in_force: TimeInForce::Gtc, ..order };
            self.come_in(Incoming { order, limit: Some(price), leaves: qty });
            self.wake_reached();
        }
        Ok(())
    }

    pub fn rest(&mut self, order: NewOrder) -> Answer<()> {
        let price = self.review_resting(&order)?;
        self.resting.push(fresh(order, price, order.qty.get()));
        Ok(())
    }

    pub fn insert_before(&mut self, other: u64, order: NewOrder) -> Answer<()> {
        let at = self.place_of(other).ok_or(RejectReason::UnknownOrder)?;
        let price = self.review_resting(&order)?;
        if self.resting[at].order.side != order.side || self.resting[at].price != price {
            return Err(RejectReason::PriceOutOfRange);
        }
        self.resting.insert(at, fresh(order, price, order.qty.get()));
        Ok(())
    }

    pub fn execute(&mut self, tag: u64, qty: i64) -> Answer<i64> {
        let at = self.place_of(tag).ok_or(RejectReason::UnknownOrder)?;
        let Resting { order, price, shown, hidden } = self.resting[at];
        if qty <= 0 || qty > shown + hidden {
            return Err(RejectReason::QuantityOutOfRange);
        }
        let leaves = shown + hidden - qty;
        self.said.push(Said::Executed {
            tag,
            owner: order.owner,
            side: order.side,
            price,
            qty,
            leaves,
        });
        self.resting[at].shown -= qty.min(shown);
        self.resting[at].hidden -= qty - qty.min(shown);
        self.tidy(at);
        Ok(leaves)
    }

    pub fn set_qty(&mut self, tag: u64, qty: i64) -> Answer<()> {
        let old = self.leaves(tag).ok_or(RejectReason::UnknownOrder)?;
        if qty == 0 {
            self.forget(tag);
            return Ok(());
        }
        self.check_size(tag, qty)?;
        if let Some(at) = self.place_of(tag) {
            let resting = &mut self.resting[at];
            if qty <= old {
                shrink(resting, old - qty);
            } else if resting.order.display.is_some() {
                resting.hidden += qty - old;
            } else {
                resting.shown = qty;
            }
        } else if let Some(stop) = self.sleeping.iter_mut().find(|s| s.order.tag == tag) {
            stop.leaves = qty;
        }
        Ok(())
    }

    pub fn trigger_stops(&mut self, price: i64) {
        self.print(price);
        self.wake_reached();
    }

    // Matching.

    pub fn come_in(&mut self, mut incoming: Incoming) {
        let Incoming { order, limit, .. } = incoming;
        let (tag, side) = (order.tag, order.side);
        let mut stopped = false;
        while incoming.leaves > 0 && !stopped {
            let Some(at) = self.in_priority(side.opposite()).first().copied() else { break };
            if !within(side, limit, self.resting[at].price) {
                break;
            }
            if self.resting[at].order.owner == order.owner && order.self_trade != SelfTrade::Allow {
                stopped = self.meet_own(at, &mut incoming);
            } else {
                self.trade(at, &mut incoming);
            }
        }
        let leaves = incoming.leaves;
        let at_once = matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
        if stopped {
            let reason = CancelReason::SelfTrade;
            self.said.push(Said::Cancelled { tag, reason, leaves });
        } else if leaves > 0 {
            match order.order_type.limit().and(limit) {
                Some(price) if !at_once => {
                    let resting = fresh(order, price, leaves);
                    let displayed = resting.shown;
                    self.resting.push(resting);
                    self.said.push(Said::Rested { tag, price, leaves, displayed });
                }
                _ => {
                    let reason = CancelReason::Unfilled;
                    self.said.push(Said::Cancelled { tag, reason, leaves });
                }
            }
        }
    }

    fn trade(&mut self, at: usize, incoming: &mut Incoming) {
        let maker = &mut self.resting[at];
        let qty = maker.shown.min(incoming.leaves);
        maker.shown -= qty;
        incoming.leaves -= qty;
        let price = maker.price;
        self.said.push(Said::Fill(Traded {
            maker: maker.order.tag,
            maker_owner: maker.order.owner,
            taker: incoming.order.tag,
            taker_owner: incoming.order.owner,
            taker_side: incoming.order.side,
            price,
            qty,
            maker_leaves: maker.shown + maker.hidden,
            taker_leaves: incoming.leaves,
        }));
        self.tidy(at);
        self.print(price);
    }

    /// An order that shows nothing any more has ended, or shows its next slice at the back.
    fn tidy(&mut self, at: usize) {
        if self.resting[at].shown > 0 {
            return;
        }
        let mut maker = self.resting.remove(at);
        if maker.hidden > 0 {
            let leaves = maker.hidden;
            maker = fresh(maker.order, maker.price, leaves);
            let (tag, displayed) = (maker.order.tag, maker.shown);
            self.said.push(Said::Replenished { tag, displayed });
            if self.fault == Fault::SliceKeepsPlace {
                self.resting.insert(at, maker);
            } else {
                self.resting.push(maker);
            }
        }
    }

    /// Returns whether the incoming order ends here.
    fn meet_own(&mut self, at: usize, incoming: &mut Incoming) -> bool {
        let maker = &self.resting[at];
        let (tag, leaves) = (maker.order.tag, maker.shown + maker.hidden);
        let gone = Said::Cancelled { tag, reason: CancelReason::SelfTrade, leaves };
        match incoming.order.self_trade {
            SelfTrade::Allow => unreachable!(),
            SelfTrade::CancelNew => true,
            SelfTrade::CancelOld => {
                self.resting.remove(at);
                self.said.push(gone);
                false
            }
            SelfTrade::CancelBoth => {
                self.resting.remove(at);
                self.said.push(gone);
                true
            }
            SelfTrade::Decrement => {
                let qty = leaves.min(incoming.leaves);
                incoming.leaves -= qty;
                if self.fault == Fault::DecrementTakesShown && qty < leaves {
                    let maker = &mut self.resting[at];
                    let from_shown = qty.min(maker.shown - 1);
                    maker.shown -= from_shown;
                    maker.hidden -= qty - from_shown;
                } else {
                    shrink(&mut self.resting[at], qty);
                }
                self.said.push(Said::Decremented {
                    maker: tag,
                    taker: incoming.order.tag,
                    qty,
                    maker_leaves: leaves - qty,
                    taker_leaves: incoming.leaves,
                });
                if qty == leaves {
                    self.resting.remove(at);
                    let reason = CancelReason::SelfTrade;
                    self.said.push(Said::Cancelled { tag, reason, leaves: 0 });
                }
                incoming.leaves == 0
            }
        }
    }

    // Stops.

    fn sleep(&mut self, order: NewOrder) {
        let (tag, side) = (order.tag, order.side);
        let trigger = match order.order_type {
            OrderType::Stop(trigger) | OrderType::StopLimit { trigger, .. } => Some(trigger.get()),
            OrderType::TrailingStop(trail) => self.last.map(|last| behind(side, last, trail.get())),
            OrderType::Market | OrderType::Limit(_) => unreachable!(),
        };
        let trails = matches!(order.order_type, OrderType::TrailingStop(_));
        let stop = Sleeping {
            order,
            limit: order.order_type.limit().map(tse_model::Price::get),
            trigger,
            leaves: order.qty.get(),
            best_seen: if trails { self.last } else { None },
            accepted: self.accepted,
            turn: None,
        };
        self.accepted += 1;
        if stop.is_reached(self.last) {
            self.wake(stop);
        } else {
            self.said.push(Said::Armed { tag, trigger });
            self.sleeping.push(stop);
        }
    }

    fn wake(&mut self, stop: Sleeping) {
        let tag = stop.order.tag;
        self.said.push(Said::Triggered { tag });
        let limit = stop.limit.or(stop.order.protection.map(tse_model::Price::get));
        if stop.order.time_in_force == TimeInForce::Fok
            && !self.would_fill(&stop.order, limit, stop.leaves)
        {
            let (reason, leaves) = (CancelReason::Unfilled, stop.leaves);
            self.said.push(Said::Cancelled { tag, reason, leaves });
            return;
        }
        self.come_in(Incoming { order: stop.order, limit, leaves: stop.leaves });
    }

    /// Marks what a trade reaches by setting it aside; it acts in `wake_reached`.
    fn print(&mut self, price: i64) {
        self.last = Some(price);
        let both_ways = self.fault == Fault::TrailFollowsBothWays;
        let mut movers: Vec<(usize, u64)> = Vec::new();
        for stop in self.sleeping.iter().filter(|s| s.turn.is_none()) {
            if let OrderType::TrailingStop(_) = stop.order.order_type {
                let better = match (stop.best_seen, stop.order.side) {
                    (None, _) => true,
                    (Some(seen), Side::Sell) => price > seen || (both_ways && price != seen),
                    (Some(seen), Side::Buy) => price < seen || (both_ways && price != seen),
                };
                if better {
                    movers.push((stop.accepted, stop.order.tag));
                }
            }
        }
        movers.sort_unstable();
        for (_, tag) in movers {
            let at = self.sleeping.iter().position(|s| s.order.tag == tag).expect("it is there");
            let OrderType::TrailingStop(trail) = self.sleeping[at].order.order_type else {
                unreachable!()
            };
            let trigger = Some(behind(self.sleeping[at].order.side, price, trail.get()));
            self.sleeping[at].best_seen = Some(price);
            if self.sleeping[at].trigger != trigger {
                let mut stop = self.sleeping.remove(at);
                stop.trigger = trigger;
                self.sleeping.push(stop);
            }
        }
        for side in Side::BOTH {
            let mut order = self.waking_order(side);
            if self.fault == Fault::StopsWakeByArrival {
                order = self.sleeping.iter().map(|s| s.order.tag).collect();
            }
            for tag in order {
                let at = self.sleeping.iter().position(|s| s.order.tag == tag).expect("there");
                let stop = &self.sleeping[at];
                if stop.order.side == side && stop.turn.is_none() && stop.is_reached(self.last) {
                    let turns = self.sleeping.iter().filter_map(|s| s.turn);
                    self.sleeping[at].turn = Some(turns.max().unwrap_or(0) + 1);
                }
            }
        }
    }

    fn wake_reached(&mut self) {
        while let Some(turn) = self.sleeping.iter().filter_map(|s| s.turn).min() {
            let first = self.sleeping.iter().position(|s| s.turn == Some(turn));
            let stop = self.sleeping.remove(first.expect("it was just found"));
            self.wake(stop);
        }
    }

    // Looking.

    pub fn place_of(&self, tag: u64) -> Option<usize> {
        self.resting.iter().position(|o| o.order.tag == tag)
    }

    pub fn leaves(&self, tag: u64) -> Option<i64> {
        let resting = self.resting.iter().find(|o| o.order.tag == tag);
        let sleeping = self.sleeping.iter().find(|s| s.order.tag == tag);
        resting.map(|o| o.shown + o.hidden).or(sleeping.map(|s| s.leaves))
    }

    fn forget(&mut self, tag: u64) {
        self.resting.retain(|o| o.order.tag != tag);
        self.sleeping.retain(|s| s.order.tag != tag);
    }
}

impl Sleeping {
    fn is_reached(&self, last: Option<i64>) -> bool {
        match (self.trigger, last, self.order.side) {
            (Some(trigger), Some(last), Side::Buy) => last >= trigger,
            (Some(trigger), Some(last), Side::Sell) => last <= trigger,
            _ => false,
        }
    }
}

fn fresh(order: NewOrder, price: i64, leaves: i64) -> Resting {
    let shown = order.display.map_or(leaves, |display| display.get().min(leaves));
    Resting { order, price, shown, hidden: leaves - shown }
}

/// What does not show goes first.
fn shrink(resting: &mut Resting, cut: i64) {
    let from_hidden = cut.min(resting.hidden);
    resting.hidden -= from_hidden;
    resting.shown -= cut - from_hidden;
}

pub fn worst(order: &NewOrder) -> Option<i64> {
    order.order_type.limit().or(order.protection).map(tse_model::Price::get)
}

pub fn within(side: Side, limit: Option<i64>, price: i64) -> bool {
    match (side, limit) {
        (_, None) => true,
        (Side::Buy, Some(limit)) => price <= limit,
        (Side::Sell, Some(limit)) => price >= limit,
    }
}

fn behind(side: Side, price: i64, trail: i64) -> i64 {
    match side {
        Side::Buy => price.saturating_add(trail),
        Side::Sell => price.saturating_sub(trail),
    }
}
