//! Trades between others, and markets that show nothing but trades or bars.
//!
//! **Trades only.** Without any sign of a queue only a print strictly through our price is proof of a
//! fill, whoever was the aggressor. The other side is assumed to stand half a spread from the last
//! price, with as much as was traded; the next print replaces it.
//!
//! **Bars only.** A bar is known at its close, so what it tells of prices before is hindsight. It is
//! taken to have run from its open to the extreme that lies against its direction (the low of a bar that
//! rose), to the other extreme, to its close. Orders that rested when it began fill where it went
//! strictly through them; stops that slept then wake on the way, and trade half a spread from their
//! trigger, or from the open if the bar opened beyond it. What arrived while it ran meets its close
//! and nothing older. Of all that a bar traded, no more than that is ours; where its volume is unknown
//! (zero), there is nothing to limit by.

use super::{HISTORY, Market, OURS, Own, Shows, lots};
use crate::models::QueueModel;
use tse_matching::{Book, NewOrder, Report};
use tse_model::{Bar, CancelReason, Price, Qty, Quote, RejectReason, Side, Timestamp, Trade};

/// As much as anyone may ask for: two of it still fit a side of a book.
const PLENTY: i64 = i64::MAX / 8;

impl Market {
    /// A trade between others. Where nothing else is shown, returns the quote assumed around it.
    #[inline]
    pub fn trade(&mut self, trade: &Trade, out: &mut Vec<Report>) -> Option<Quote> {
        let qty = lots(trade.qty);
        self.last = Some(trade.price);
        if self.shows < Shows::Quotes && qty > 0 {
            return self.lone_trade(trade.price, qty, out);
        }
        if qty > 0 {
            self.volumes.printed = self.volumes.printed.saturating_add(qty);
            let before = self.volumes.filled_by_prints;
            let aggressor = trade.aggressor.or_else(|| self.infer_aggressor(trade.price));
            if let Some(aggressor) = aggressor {
                let side = aggressor.opposite();
                let left = self.print_through(side, trade.price, qty, Timestamp::MAX, out);
                if left > 0 {
                    self.print_at(side, trade.price, left, out);
                }
            }
            self.note_excess(before, qty);
        }
        self.wake_stops(trade.price, out);
        None
    }

    /// Who took, where the data does not say: whoever reached the other side's best price, as shown.
    fn infer_aggressor(&self, price: Price) -> Option<Side> {
        let reached = |side: Side| {
            let best = self.best[side.index()].or_else(|| self.best_shown(side));
            best.is_some_and(|best| side.opposite().reaches(price, best))
        };
        match (reached(Side::Sell), reached(Side::Buy)) {
            (true, false) => Some(Side::Buy),
            (false, true) => Some(Side::Sell),
            _ => None,
        }
    }

    /// A print went through our orders at better prices than its own, those that rest since `since_max`
    /// or longer. Returns what is left of it.
    fn print_through(
        &mut self,
        side: Side,
        price: Price,
        qty: i64,
        since_max: Timestamp,
        out: &mut Vec<Report>,
    ) -> i64 {
        let mut left = qty;
        while left > 0 && self.own_best[side.index()].is_some_and(|own| side.better(own, price)) {
            let own = self.first_own(side, since_max);
            let Some(own) = own.filter(|own| side.better(own.price, price)) else { break };
            left -= self.fill_by_print(side, &own, left, out);
        }
        left
    }

    /// Checks that what began with so much filled was no more than it traded.
    fn note_excess(&mut self, before: i64, qty: i64) {
        let filled = self.volumes.filled_by_prints - before;
        self.volumes.excess = self.volumes.excess.saturating_add((filled - qty).max(0));
    }

    fn fill_by_print(&mut self, side: Side, own: &Own, qty: i64, out: &mut Vec<Report>) -> i64 {
        let traded = self.execute(side, own.handle, qty, out);
        let filled = &mut self.volumes.filled_by_prints;
        *filled = filled.saturating_add(traded);
        traded
    }

    fn own_at(&self, side: Side, price: Price) -> Option<Own> {
        let queue = self.book.queue(side, price).filter(|order| order.owner == OURS);
        let mut ours = queue.filter_map(|order| {
            self.own[side.index()].iter().find(|own| own.handle == order.handle)
        });
        ours.next().copied()
    }

    /// A print at a level takes from its queue in order.
    fn print_at(&mut self, side: Side, price: Price, qty: i64, out: &mut Vec<Report>) {
        let ours = self.own[side.index()].iter().find(|own| own.price == price).copied();
        match (ours, self.shows) {
            (None, Shows::Orders) => {}
            (None, _) => self.expect_less(side, price, qty),
            (Some(_), Shows::Orders) => self.print_at_orders(side, price, qty, out),
            (Some(_), _) if self.setup.queue == QueueModel::Front => {
                // The optimist's order stands in front of every queue.
                let mut left = qty;
                while left > 0
                    && let Some(own) = self.own_at(side, price)
                {
                    left -= self.fill_by_print(side, &own, left, out);
                }
                self.print_at_queue(side, price, left, out);
            }
            // Of a queue that was never seen nobody knows whose turn it was.
            (Some(own), _) if !own.seen => {}
            (Some(_), _) => self.print_at_queue(side, price, qty, out),
        }
    }

    /// What a print took of history, the next data is expected not to show.
    fn expect_less(&mut self, side: Side, price: Price, qty: i64) {
        let shown = lots(self.expected.qty_at(side, price));
        let available = shown - self.debt_at(side, price);
        if available > 0 {
            self.expected.set(side, price, Qty::new(shown - qty.min(available)));
        }
    }

    fn print_at_queue(&mut self, side: Side, price: Price, qty: i64, out: &mut Vec<Report>) {
        let mut left = qty;
        let mut of_history = 0;
        while left > 0 {
            let head = self.book.level(side, price).and_then(|level| self.book.order(level.head));
            match head {
                Some(head) if head.owner == HISTORY => {
                    let take = left.min(lots(head.leaves));
                    self.resize(head.handle, lots(head.leaves) - take);
                    of_history += take;
                    left -= take;
                }
                Some(_) => {
                    let own = self.own_at(side, price).expect("ours stands at the head");
                    left -= self.fill_by_print(side, &own, left, out);
                }
                None => break,
            }
        }
        // With the last of ours the rest of history left the book; it has traded all the same.
        self.expect_less(side, price, of_history + left);
    }

    /// The same where every order is shown: of history's orders the data says itself what became of
    /// each, a moment later.
    fn print_at_orders(&mut self, side: Side, price: Price, qty: i64, out: &mut Vec<Report>) {
        let mut segments = std::mem::take(&mut self.segments);
        segments.clear();
        let queue = self.book.queue(side, price);
        let shown = |order: &tse_matching::OrderView| lots(order.displayed);
        segments.extend(queue.map(|order| (order.handle, shown(&order), order.owner == HISTORY)));
        // What an earlier print of this event took stands there still.
        let place = self.printed.iter().position(|it| (it.0, it.1) == (side, price));
        let place = place.unwrap_or_else(|| {
            self.printed.push((side, price, 0));
            self.printed.len() - 1
        });
        let mut gone = self.printed[place].2;
        let mut left = qty;
        for (handle, shown, historical) in &segments {
            if left == 0 {
                break;
            }
            if *historical {
                let skipped = gone.min(*shown);
                gone -= skipped;
                let take = left.min(shown - skipped);
                self.printed[place].2 += take;
                left -= take;
            } else {
                let own = self.own[side.index()].iter().find(|own| own.handle == *handle);
                let own = *own.expect("our list names what rests");
                left -= self.fill_by_print(side, &own, left, out);
            }
        }
        self.segments = segments;
        // Slices of ours that joined the back.
        while left > 0
            && let Some(own) = self.own_at(side, price)
        {
            left -= self.fill_by_print(side, &own, left, out);
        }
    }

    // ---- stops ----

    /// A trade happened at this price: stops see it, and act on what stands there now.
    fn wake_stops(&mut self, price: Price, out: &mut Vec<Report>) {
        if self.book.armed_stops() > 0 {
            self.lend(Side::Buy, None, i64::MAX);
            self.book.trigger_stops(price, out);
            self.take_back(out);
        } else {
            self.book.trigger_stops(price, out);
        }
    }

    /// A stop arrived while only bars are shown: of the bar that runs it may see the close only.
    pub(super) fn wait(
        &mut self,
        now: Timestamp,
        order: NewOrder,
        out: &mut Vec<Report>,
    ) -> Result<(), RejectReason> {
        // An empty book finds what is wrong with it, whatever the market.
        Book::new().place(order, &mut Vec::new())?;
        out.push(Report::Accepted { tag: order.tag });
        self.waiting.push((now, order));
        Ok(())
    }

    /// Puts waiting stops to sleep that have waited since `since_max` or longer.
    pub(super) fn arm_waiting(&mut self, since_max: Timestamp, out: &mut Vec<Report>) {
        let mut at = 0;
        while let Some((since, order)) = self.waiting.get(at).copied() {
            if since > since_max {
                at += 1;
                continue;
            }
            self.waiting.remove(at);
            self.lend(order.side.opposite(), order.order_type.limit(), lots(order.qty));
            if let Some(price) = order.order_type.limit() {
                self.lend_queue(order.side, price);
            }
            if self.book.place(order, out).is_err() {
                let (tag, reason) = (order.tag, CancelReason::Unfilled);
                out.push(Report::Cancelled { handle: None, tag, reason, leaves: order.qty });
            }
            self.take_back(out);
        }
    }

    /// Puts to sleep what waited for the end of a bar, where more than bars is shown by now: called once
    /// what was shown stands.
    #[inline]
    pub(crate) fn arm_late(&mut self, out: &mut Vec<Report>) {
        if self.shows > Shows::Bars && !self.waiting.is_empty() {
            self.arm_waiting(Timestamp::MAX, out);
        }
    }

    /// A stop that waits, to change; `None` if there is none with this tag.
    pub(crate) fn waiting_mut(&mut self, tag: u64) -> Option<&mut NewOrder> {
        self.waiting.iter_mut().map(|(_, order)| order).find(|order| order.tag == tag)
    }

    /// Forgets a stop that waits.
    pub(crate) fn stop_waiting(&mut self, tag: u64) {
        self.waiting.retain(|(_, order)| order.tag != tag);
    }

    // ---- where nothing else is shown ----

    fn lone_trade(&mut self, price: Price, qty: i64, out: &mut Vec<Report>) -> Option<Quote> {
        self.sees(Shows::Prints);
        self.volumes.printed = self.volumes.printed.saturating_add(qty);
        let before = self.volumes.filled_by_prints;
        let mut left = qty;
        for side in Side::BOTH {
            left = self.print_through(side, price, left, Timestamp::MAX, out);
        }
        self.note_excess(before, qty);
        let quote = self.assume(price, qty);
        self.wake_stops(price, out);
        Some(quote)
    }

    /// Both sides are taken to stand half a spread from a price. Nothing that is only assumed crosses
    /// an order of ours: prints do.
    fn assume(&mut self, price: Price, qty: i64) -> Quote {
        let half = self.setup.half_spread;
        let quote = Quote {
            bid: Side::Buy.away(price, half),
            bid_qty: Qty::new(qty),
            ask: Side::Sell.away(price, half),
            ask_qty: Qty::new(qty),
        };
        self.expected.set_quote(&quote);
        self.best = Side::BOTH.map(|side| quote.side(side).map(|(price, _)| price));
        quote
    }

    /// A stretch of time that ended now. Where nothing else is shown, returns the quote assumed around
    /// its close.
    pub fn bar(&mut self, now: Timestamp, bar: &Bar, out: &mut Vec<Report>) -> Option<Quote> {
        if self.shows > Shows::Bars {
            return None;
        }
        self.sees(Shows::Bars);
        let start = now - bar.span;
        let volume = lots(bar.volume);
        let all = if volume > 0 { volume } else { PLENTY };
        let (mut left, filled) = (all, self.volumes.filled_by_prints);
        self.arm_waiting(start, out);
        let extremes =
            if bar.close >= bar.open { [bar.low, bar.high] } else { [bar.high, bar.low] };
        let mut from = None;
        for price in [bar.open, extremes[0], extremes[1]] {
            let before = left;
            for side in Side::BOTH {
                left = self.print_through(side, price, left, start, out);
            }
            self.note_printed(volume, before - left);
            left -= self.wake_along(from, price, left, out);
            from = Some(price);
        }
        let before = left;
        for side in Side::BOTH {
            left = self.print_through(side, bar.close, left, Timestamp::MAX, out);
        }
        self.note_printed(volume, before - left);
        self.volumes.printed = self.volumes.printed.saturating_add(volume);
        left -= self.wake_along(from, bar.close, left, out);
        self.note_excess(filled, all);
        self.last = Some(bar.close);
        let quote = self.assume(bar.close, if volume > 0 { volume } else { left.max(0) });
        self.arm_waiting(Timestamp::MAX, out);
        Some(quote)
    }

    /// Where no volume is told, what was filled is all that is known to have traded.
    fn note_printed(&mut self, volume: i64, filled: i64) {
        if volume == 0 {
            self.volumes.printed = self.volumes.printed.saturating_add(filled);
        }
    }

    /// The price went from one place to another (or began there): stops wake on the way, each against
    /// what is assumed to stand around its trigger. Returns how much they took.
    fn wake_along(
        &mut self,
        from: Option<Price>,
        to: Price,
        qty: i64,
        out: &mut Vec<Report>,
    ) -> i64 {
        let mut left = qty;
        if let Some(from) = from {
            let side = if to < from { Side::Sell } else { Side::Buy };
            loop {
                // The nearest of the stops that such a move wakes.
                let next = self.book.stops(side).next().and_then(|stop| stop.trigger);
                let Some(trigger) = next.filter(|trigger| side.reaches(to, *trigger)) else {
                    break;
                };
                let at = if side.reaches(from, trigger) { from } else { trigger };
                left -= self.wake_at(at, left, out);
            }
        }
        left -= self.wake_at(to, left, out);
        qty - left
    }

    fn wake_at(&mut self, price: Price, qty: i64, out: &mut Vec<Report>) -> i64 {
        if self.book.armed_stops() == 0 {
            self.book.trigger_stops(price, out);
            return 0;
        }
        let already = out.len();
        self.assume(price, qty);
        self.wake_stops(price, out);
        let of_history = |report: &Report| match report {
            Report::Fill(fill) if fill.maker_owner == HISTORY => lots(fill.qty),
            _ => 0,
        };
        out[already..].iter().map(of_history).sum()
    }
}
