//! What refuses a command, in the naive book.

use tse_matching::{NewOrder, SelfTrade};
use tse_model::{OrderType, RejectReason, Side, TimeInForce};

use super::naive::{Answer, Fault, Incoming, Naive, within, worst};
use super::said::Said;

impl Naive {
    pub fn review(&self, order: &NewOrder) -> Answer<()> {
        self.review_shape(order)?;
        if order.order_type.is_stop() {
            return Ok(());
        }
        if order.post_only && self.anything_in_reach(order.side, worst(order)) {
            return Err(RejectReason::PostOnlyWouldTake);
        }
        if order.time_in_force == TimeInForce::Fok
            && !self.would_fill(order, worst(order), order.qty.get())
        {
            return Err(RejectReason::FokCannotFill);
        }
        if order.order_type == OrderType::Market
            && !self.anything_in_reach(order.side, worst(order))
        {
            return Err(RejectReason::NoLiquidity);
        }
        Ok(())
    }

    pub fn review_shape(&self, order: &NewOrder) -> Answer<()> {
        let qty = order.qty.get();
        if qty <= 0 {
            return Err(RejectReason::QuantityOutOfRange);
        }
        if let Some(display) = order.display.map(tse_model::Qty::get)
            && (display <= 0 || display > qty || too_many_slices(qty, display))
        {
            return Err(RejectReason::QuantityOutOfRange);
        }
        let at_once = matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
        let limited = order.order_type.limit().is_some();
        let may_show_less = limited && !at_once;
        let may_post_only = matches!(order.order_type, OrderType::Limit(_)) && !at_once;
        if (order.display.is_some() && !may_show_less)
            || (order.post_only && !may_post_only)
            || (order.protection.is_some() && limited)
        {
            return Err(RejectReason::UnsupportedType);
        }
        if let OrderType::TrailingStop(trail) = order.order_type
            && trail.get() <= 0
        {
            return Err(RejectReason::PriceOutOfRange);
        }
        let may_stay = order.order_type.is_stop() || (limited && !at_once);
        if may_stay && self.open_qty(order.side) + i128::from(qty) > i128::from(i64::MAX) {
            return Err(RejectReason::QuantityOutOfRange);
        }
        Ok(())
    }

    pub fn review_resting(&self, order: &NewOrder) -> Answer<i64> {
        let stands = !matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok);
        match order.order_type {
            OrderType::Limit(price) if stands => self.review_shape(order).map(|()| price.get()),
            _ => Err(RejectReason::UnsupportedType),
        }
    }

    pub fn check_size(&self, tag: u64, qty: i64) -> Answer<()> {
        let order = self
            .resting
            .iter()
            .map(|o| &o.order)
            .chain(self.sleeping.iter().map(|s| &s.order))
            .find(|order| order.tag == tag)
            .expect("the caller knows it is open");
        let old = i128::from(self.leaves(tag).expect("it is open"));
        let open = self.open_qty(order.side) - old + i128::from(qty);
        let sliced = order.display.is_some_and(|display| too_many_slices(qty, display.get()));
        if qty <= 0 || sliced || open > i128::from(i64::MAX) {
            return Err(RejectReason::QuantityOutOfRange);
        }
        Ok(())
    }

    /// Tries it on a copy.
    pub fn would_fill(&self, order: &NewOrder, limit: Option<i64>, leaves: i64) -> bool {
        let mut copy = self.clone();
        copy.said.clear();
        let mut order = *order;
        order.time_in_force = TimeInForce::Ioc;
        if self.fault == Fault::FokCountsOwn {
            order.self_trade = SelfTrade::Allow;
        }
        copy.come_in(Incoming { order, limit, leaves });
        let traded = |said: &Said| match said {
            Said::Fill(fill) => fill.qty,
            _ => 0,
        };
        copy.said.iter().map(traded).sum::<i64>() == leaves
    }

    pub fn anything_in_reach(&self, side: Side, limit: Option<i64>) -> bool {
        self.resting.iter().any(|o| o.order.side != side && within(side, limit, o.price))
    }
}

fn too_many_slices(qty: i64, display: i64) -> bool {
    (i128::from(qty) + i128::from(display) - 1) / i128::from(display) > 1_000
}
