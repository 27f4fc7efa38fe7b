//! The book: what clients of a market can ask for.
//!
//! New orders, cancels and modifies come in, reports go out; the checks that may refuse a command
//! stand here, before anything is touched. Matching itself is in `take`, sleep and waking in
//! `stop`, what only an owner with recorded history needs in `feed`.

use tse_model::{CancelReason, OrderType, Price, Qty, RejectReason, TimeInForce};

use crate::level::{Half, Queues};
use crate::slab::NIL;
use crate::stop::Sleepers;
use crate::take::{Seat, Taker, Then};
use crate::{Handle, MAX_SLICES, NewOrder, Outcome, Report};

/// The order book of one instrument. See the [crate] for its rules.
///
/// Once the book has seen its largest number of orders, prices and stops, it allocates nothing, and
/// it never gives memory back.
#[derive(Clone, Debug)]
pub struct Book {
    pub(crate) queues: Queues,
    pub(crate) sleepers: Sleepers,
    /// Open quantity of each side, resting and asleep. It fits, and so does every sum within it.
    pub(crate) open: [i64; 2],
    pub(crate) last: Option<Price>,
}

impl Default for Book {
    fn default() -> Self {
        Self::new()
    }
}

impl Book {
    /// An empty book.
    pub fn new() -> Self {
        Self::with_capacity(0, 0)
    }

    /// An empty book with room for this many orders and occupied prices.
    pub fn with_capacity(orders: usize, levels: usize) -> Self {
        Self {
            queues: Queues::with_capacity(orders, levels),
            sleepers: Sleepers::new(),
            open: [0; 2],
            last: None,
        }
    }

    /// Takes a new order. Appends what happens to `out`, the refusal included.
    ///
    /// # Errors
    /// What refuses an order, in the order of the checks; nothing is changed by a refused one.
    /// * `QuantityOutOfRange`: quantity or display not above zero, display above the quantity, more
    ///   than [`MAX_SLICES`] slices.
    /// * `UnsupportedType`: post-only on anything but a limit order that may rest, display on what
    ///   never rests (market orders, stops without a limit, IOC, FOK), protection on what has a limit.
    /// * `PriceOutOfRange`: a trailing stop not at least one tick behind.
    /// * `QuantityOutOfRange`: an order that may rest or sleep would bring the open quantity of its
    ///   side over an `i64`.
    /// * `PostOnlyWouldTake`: the other side has an order in reach, whoever's it is.
    /// * `FokCannotFill`: see the rule of fill or kill.
    /// * `NoLiquidity`: a market order has nothing in reach at all.
    #[inline]
    pub fn place(
        &mut self,
        order: NewOrder,
        out: &mut Vec<Report>,
    ) -> Result<Outcome, RejectReason> {
        if let Err(reason) = self.review(&order) {
            out.push(Report::Rejected { tag: order.tag, reason });
            return Err(reason);
        }
        out.push(Report::Accepted { tag: order.tag });
        let outcome = match order.order_type {
            OrderType::Limit(price) => {
                let then = match order.time_in_force {
                    // `review` found that a fill-or-kill fills.
                    TimeInForce::Ioc | TimeInForce::Fok => Then::Cancel,
                    TimeInForce::Gtc | TimeInForce::Day | TimeInForce::Gtd(_) => Then::Rest(price),
                };
                self.run(Taker::new(&order, Some(price)), then, Seat::New(&order), out)
            }
            OrderType::Market => {
                let taker = Taker::new(&order, order.protection);
                self.run(taker, Then::Cancel, Seat::New(&order), out)
            }
            OrderType::Stop(_) | OrderType::StopLimit { .. } | OrderType::TrailingStop(_) => {
                self.arm(&order, out)
            }
        };
        Ok(self.finish(outcome, out))
    }

    /// Takes an order back. Appends one [`Report::Cancelled`] and returns how much was open.
    ///
    /// # Errors
    /// `UnknownOrder` if the handle is stale.
    #[inline]
    pub fn cancel(&mut self, handle: Handle, out: &mut Vec<Report>) -> Result<Qty, RejectReason> {
        let slot = self.queues.orders.find(handle).ok_or(RejectReason::UnknownOrder)?;
        Ok(self.close(slot, CancelReason::Requested, out))
    }

    /// Changes how much of an order is open, and its limit price if one is given.
    ///
    /// No more quantity at the same price keeps the order's place in its queue. Anything else is as
    /// if it came in anew under its old handle: it may trade, and joins the back of a queue. A
    /// sleeping stop has no place to lose.
    ///
    /// # Errors
    /// In the order of the checks; nothing is changed by a refused modify.
    /// * `UnknownOrder`: the handle is stale.
    /// * `QuantityOutOfRange`: not above zero, or over one of the limits of [`place`](Self::place).
    /// * `UnsupportedType`: a limit price for a stop that has none.
    /// * `PostOnlyWouldTake`: the order may only rest, and would not at the new price.
    pub fn modify(
        &mut self,
        handle: Handle,
        leaves: Qty,
        price: Option<Price>,
        out: &mut Vec<Report>,
    ) -> Result<Outcome, RejectReason> {
        let slot = self.queues.orders.find(handle).ok_or(RejectReason::UnknownOrder)?;
        self.check_resize(slot, leaves)?;
        if self.queues.orders[slot].stop != NIL {
            return self.modify_stop(slot, leaves, price, out);
        }
        let node = &self.queues.orders[slot];
        let (tag, side, old) = (node.tag, node.side, node.leaves());
        let half = Half::of(side);
        let here = half.price(self.queues.level(node.level).rank);
        let price = price.unwrap_or(here);
        let kept_place = price == here && leaves.get() <= old;
        let mut taker = Taker::woken(node, Some(price));
        if node.post_only
            && !kept_place
            && self.queues.half(Half::of(side.opposite())).reaches(taker.bound)
        {
            return Err(RejectReason::PostOnlyWouldTake);
        }
        out.push(Report::Modified { handle, tag, price: Some(price), leaves, kept_place });
        if kept_place {
            self.resize(slot, leaves.get());
            return Ok(Outcome::Resting(handle));
        }
        self.queues.leave(slot);
        self.open[side.index()] -= old;
        taker.leaves = leaves.get();
        let outcome = self.run(taker, Then::Rest(price), Seat::Taken(slot), out);
        Ok(self.finish(outcome, out))
    }

    fn modify_stop(
        &mut self,
        slot: u32,
        leaves: Qty,
        price: Option<Price>,
        out: &mut Vec<Report>,
    ) -> Result<Outcome, RejectReason> {
        let handle = self.queues.orders.handle(slot);
        let node = &self.queues.orders[slot];
        let tag = node.tag;
        let awake = &mut self.sleepers.get_mut(node.stop).awake;
        if price.is_some() && awake.limit.is_none() {
            return Err(RejectReason::UnsupportedType);
        }
        awake.limit = price.or(awake.limit);
        out.push(Report::Modified { handle, tag, price: awake.limit, leaves, kept_place: true });
        self.resize(slot, leaves.get());
        Ok(Outcome::Armed(handle))
    }

    /// Why an order cannot be taken, if so.
    #[inline]
    fn review(&self, order: &NewOrder) -> Result<(), RejectReason> {
        self.review_shape(order)?;
        let worst = match order.order_type {
            OrderType::Limit(price) => Some(price),
            OrderType::Market => order.protection,
            // A stop comes to the market when it wakes.
            OrderType::Stop(_) | OrderType::StopLimit { .. } | OrderType::TrailingStop(_) => {
                return Ok(());
            }
        };
        let taker = Taker::new(order, worst);
        let others = self.queues.half(Half::of(order.side.opposite()));
        if order.post_only && others.reaches(taker.bound) {
            return Err(RejectReason::PostOnlyWouldTake);
        }
        if order.time_in_force == TimeInForce::Fok && !self.can_fill(&taker) {
            return Err(RejectReason::FokCannotFill);
        }
        if order.order_type == OrderType::Market && !others.reaches(taker.bound) {
            return Err(RejectReason::NoLiquidity);
        }
        Ok(())
    }

    /// The checks that need no look at the other side.
    #[inline]
    pub(crate) fn review_shape(&self, order: &NewOrder) -> Result<(), RejectReason> {
        if !order.qty.is_positive() {
            return Err(RejectReason::QuantityOutOfRange);
        }
        if let Some(display) = order.display
            && (display > order.qty || !sliceable(order.qty, display))
        {
            return Err(RejectReason::QuantityOutOfRange);
        }
        let at_once = matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
        let contradiction = match order.order_type {
            OrderType::Limit(_) => {
                order.protection.is_some()
                    || (at_once && (order.post_only || order.display.is_some()))
            }
            OrderType::StopLimit { .. } => {
                order.protection.is_some()
                    || order.post_only
                    || (at_once && order.display.is_some())
            }
            OrderType::Market | OrderType::Stop(_) | OrderType::TrailingStop(_) => {
                order.post_only || order.display.is_some()
            }
        };
        if contradiction {
            return Err(RejectReason::UnsupportedType);
        }
        let stays = match order.order_type {
            OrderType::TrailingStop(trail) if !trail.is_positive() => {
                return Err(RejectReason::PriceOutOfRange);
            }
            OrderType::Limit(_) => !at_once,
            OrderType::Market => false,
            OrderType::Stop(_) | OrderType::StopLimit { .. } | OrderType::TrailingStop(_) => true,
        };
        if stays && self.open[order.side.index()].checked_add(order.qty.get()).is_none() {
            return Err(RejectReason::QuantityOutOfRange);
        }
        Ok(())
    }

    /// Whether an open order may have this quantity instead.
    pub(crate) fn check_resize(&self, slot: u32, leaves: Qty) -> Result<(), RejectReason> {
        let node = &self.queues.orders[slot];
        let others = self.open[node.side.index()] - node.leaves();
        let fits = leaves.is_positive()
            && (node.slice == i64::MAX || sliceable(leaves, Qty::new(node.slice)))
            && others.checked_add(leaves.get()).is_some();
        if fits { Ok(()) } else { Err(RejectReason::QuantityOutOfRange) }
    }

    /// Gives an order another quantity where it stands.
    #[inline]
    pub(crate) fn resize(&mut self, slot: u32, leaves: i64) {
        let node = &self.queues.orders[slot];
        let (side, old, shown, hidden) = (node.side, node.leaves(), node.shown, node.hidden);
        if node.slice == i64::MAX {
            self.queues.set_leaves(slot, leaves, 0);
        } else if leaves <= old {
            self.queues.shrink(slot, old - leaves);
        } else {
            // More of an iceberg is below the water.
            self.queues.set_leaves(slot, shown, hidden + (leaves - old));
        }
        self.open[side.index()] += leaves - old;
    }

    /// Takes an open order out, wherever it is.
    #[inline]
    pub(crate) fn close(&mut self, slot: u32, reason: CancelReason, out: &mut Vec<Report>) -> Qty {
        let handle = self.queues.orders.handle(slot);
        let tag = self.queues.orders[slot].tag;
        let leaves = self.drop_order(slot);
        out.push(Report::Cancelled { handle: Some(handle), tag, reason, leaves });
        leaves
    }

    /// Takes an open order out without a word.
    #[inline]
    pub(crate) fn drop_order(&mut self, slot: u32) -> Qty {
        let node = &self.queues.orders[slot];
        let (side, leaves) = (node.side, node.leaves());
        if node.stop == NIL {
            self.queues.leave(slot);
        } else {
            self.disarm(slot);
        }
        self.open[side.index()] -= leaves;
        self.queues.orders.remove(slot);
        Qty::new(leaves)
    }

    /// Lets what was triggered act; then tells where the order that came first stands.
    #[inline]
    fn finish(&mut self, outcome: Outcome, out: &mut Vec<Report>) -> Outcome {
        if !self.sleepers.anything_reached() {
            return outcome;
        }
        self.cascade(out);
        // A stop it triggered may have filled the order itself.
        match outcome.handle() {
            Some(handle) if self.queues.orders.find(handle).is_none() => Outcome::Done,
            _ => outcome,
        }
    }
}

/// Whether this quantity has few enough slices.
fn sliceable(qty: Qty, display: Qty) -> bool {
    display.is_positive() && (qty.get() - 1) / display.get() < MAX_SLICES
}
