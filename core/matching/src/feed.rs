//! Verbs for an owner that feeds the book recorded history as liquidity.
//!
//! They are not rules of a market: they put orders where history had them, change them as history
//! did, and trade where history traded. None of them matches, so they may leave the book locked or
//! crossed; none of them triggers stops, so that a print of several parts can be told first and acted
//! upon once ([`Book::trigger_stops`]). All but [`Book::execute`] are silent: their caller knows.

use tse_model::{OrderType, Price, Qty, RejectReason, TimeInForce};

use crate::book::Book;
use crate::level::Half;
use crate::slab::{NIL, Node};
use crate::{Handle, NewOrder, Report};

impl Book {
    /// Puts a limit order at the back of the queue at its price, without matching, also where that
    /// locks or crosses the book.
    ///
    /// # Errors
    /// `UnsupportedType` for anything but a limit order that stands until cancelled, else the checks
    /// of [`place`](Self::place) that look at quantities.
    #[inline]
    pub fn rest(&mut self, order: NewOrder) -> Result<Handle, RejectReason> {
        let price = self.review_resting(&order)?;
        let slot = self.queues.orders.insert(Node::new(&order, order.qty.get()));
        let half = Half::of(order.side);
        self.queues.join(half, half.rank(price), slot);
        self.open[order.side.index()] += order.qty.get();
        Ok(self.queues.orders.handle(slot))
    }

    /// Puts a limit order into the queue just ahead of another, without matching: for models that
    /// say where in a queue an order would be.
    ///
    /// # Errors
    /// `UnknownOrder` if the other order does not rest in the book, `PriceOutOfRange` if it has
    /// another side or price, else as [`rest`](Self::rest).
    pub fn insert_before(
        &mut self,
        other: Handle,
        order: NewOrder,
    ) -> Result<Handle, RejectReason> {
        let ahead_of = self.find_resting(other)?;
        let price = self.review_resting(&order)?;
        let level = self.queues.level(self.queues.orders[ahead_of].level);
        let half = Half::of(order.side);
        if level.half != half || level.rank != half.rank(price) {
            return Err(RejectReason::PriceOutOfRange);
        }
        let slot = self.queues.orders.insert(Node::new(&order, order.qty.get()));
        self.queues.join_before(ahead_of, slot);
        self.open[order.side.index()] += order.qty.get();
        Ok(self.queues.orders.handle(slot))
    }

    /// Trades this much of one resting order at its price, whatever stands before it, and appends
    /// [`Report::Executed`]. Returns what is left of it.
    ///
    /// An iceberg gives what it shows first, then what it hides, in one execution; its next slice
    /// joins the back of the queue if nothing of the old one is left.
    ///
    /// # Errors
    /// `UnknownOrder` if the order does not rest in the book, `QuantityOutOfRange` if the quantity is
    /// not above zero or more than is open.
    #[inline]
    pub fn execute(
        &mut self,
        handle: Handle,
        qty: Qty,
        out: &mut Vec<Report>,
    ) -> Result<Qty, RejectReason> {
        let slot = self.find_resting(handle)?;
        let node = &self.queues.orders[slot];
        let leaves = node.leaves();
        if !qty.is_positive() || qty.get() > leaves {
            return Err(RejectReason::QuantityOutOfRange);
        }
        let level = self.queues.level(node.level);
        out.push(Report::Executed {
            handle,
            tag: node.tag,
            owner: node.owner,
            side: node.side,
            price: level.half.price(level.rank),
            qty,
            leaves: Qty::new(leaves - qty.get()),
        });
        let from_shown = qty.get().min(node.shown);
        let (shown, hidden) = (node.shown - from_shown, node.hidden - (qty.get() - from_shown));
        self.open[node.side.index()] -= qty.get();
        self.after_fill(slot, shown, hidden, out);
        Ok(Qty::new(leaves - qty.get()))
    }

    /// Gives an open order another quantity where it stands, more or less; zero takes it out. What
    /// an iceberg gains is hidden, and what it hides is the first to go.
    ///
    /// # Errors
    /// `UnknownOrder` if the handle is stale, `QuantityOutOfRange` below zero or over one of the
    /// limits of [`place`](Self::place).
    #[inline]
    pub fn set_qty(&mut self, handle: Handle, qty: Qty) -> Result<(), RejectReason> {
        let slot = self.queues.orders.find(handle).ok_or(RejectReason::UnknownOrder)?;
        if qty.is_zero() {
            self.drop_order(slot);
            return Ok(());
        }
        self.check_resize(slot, qty)?;
        self.resize(slot, qty.get());
        Ok(())
    }

    /// The slot of an order that is in the book, not asleep.
    #[inline]
    fn find_resting(&self, handle: Handle) -> Result<u32, RejectReason> {
        let slot = self.queues.orders.find(handle).ok_or(RejectReason::UnknownOrder)?;
        let rests = self.queues.orders[slot].stop == NIL;
        rests.then_some(slot).ok_or(RejectReason::UnknownOrder)
    }

    #[inline]
    fn review_resting(&self, order: &NewOrder) -> Result<Price, RejectReason> {
        match (order.order_type, order.time_in_force) {
            (_, TimeInForce::Ioc | TimeInForce::Fok) => Err(RejectReason::UnsupportedType),
            (OrderType::Limit(price), _) => self.review_shape(order).map(|()| price),
            _ => Err(RejectReason::UnsupportedType),
        }
    }
}
