//! Aggregated history: how levels and best quotes move, and where in a queue.

use super::{Market, Shows, lots};
use tse_matching::Report;
use tse_model::{Depth, DepthChange, Ladder, Price, Qty, Quote, Side, Timestamp};

impl Market {
    /// A step of an aggregated book. Returns the quantity left to others, for the feed.
    #[inline]
    pub fn depth(&mut self, depth: Depth, out: &mut Vec<Report>) -> Option<Qty> {
        if !self.sees(Shows::Depth) {
            return None;
        }
        let available = match depth.change {
            DepthChange::Set { side, price, qty } => {
                if self.replacing {
                    self.named.push((side, price));
                }
                let available = match side {
                    Side::Buy => self.set_level(Side::Buy, price, lots(qty), out),
                    Side::Sell => self.set_level(Side::Sell, price, lots(qty), out),
                };
                Some(Qty::new(available))
            }
            // A snapshot begins: until it is complete, what it has not named yet stands.
            DepthChange::Clear if !depth.last => {
                self.replacing = true;
                self.named.clear();
                None
            }
            DepthChange::Clear | DepthChange::Gap => {
                self.replacing = false;
                self.blind = true;
                self.lose_sight();
                None
            }
        };
        if depth.last && self.replacing {
            self.end_snapshot(out);
        }
        available
    }

    /// What a complete snapshot has not named is not there.
    fn end_snapshot(&mut self, out: &mut Vec<Report>) {
        self.replacing = false;
        self.blind = false;
        let mut named = std::mem::take(&mut self.named);
        named.sort_unstable();
        for side in Side::BOTH {
            let mut levels = std::mem::take(&mut self.levels);
            levels.clear();
            levels.extend(self.expected.levels(side).map(|level| level.price));
            levels.extend(self.hidden.levels(side).map(|level| level.price));
            levels.retain(|price| named.binary_search(&(side, *price)).is_err());
            for price in &levels {
                self.set_level(side, *price, 0, out);
            }
            self.levels = levels;
            self.own[side.index()].iter_mut().for_each(|own| own.seen = true);
        }
        named.clear();
        self.named = named;
    }

    /// Sets what the data shows at a level; returns what of it is available.
    #[inline(always)] // for each side its own code: all comparisons are decided by it
    fn set_level(&mut self, side: Side, price: Price, shown: i64, out: &mut Vec<Report>) -> i64 {
        let crosses =
            self.own_best[side.opposite().index()].is_some_and(|own| side.reaches(price, own));
        if crosses || self.debt_at(side, price) > 0 || self.ours_at(side, price) {
            return self.set_level_near_us(side, price, shown, out);
        }
        self.expected.set(side, price, Qty::new(shown));
        shown
    }

    fn set_level_near_us(
        &mut self,
        side: Side,
        price: Price,
        shown: i64,
        out: &mut Vec<Report>,
    ) -> i64 {
        let owed = self.debt_at(side, price);
        let mut before = lots(self.expected.qty_at(side, price));
        // What of it stands in the book, if we wait there: the audit holds it to that.
        let stood = (before - owed).max(0);
        if owed > 0 && before == 0 {
            // It comes back into sight.
            before = lots(self.hidden.qty_at(side, price));
            self.hidden.set(side, price, Qty::ZERO);
        }
        let mut debt = (owed - (before - shown).max(0)).clamp(0, shown);
        let mut target = shown - debt;
        if target > 0 {
            let taken = self.cross(side, price, target, out);
            target -= taken;
            debt += taken;
        }
        self.expected.set(side, price, Qty::new(shown));
        if debt != owed {
            self.debts.set(side, price, Qty::new(debt));
        }
        if let Some(known) = self.see_queue(side, price) {
            if target > stood {
                self.grow(side, price, target - stood, known);
            } else if target < stood {
                self.shrink(side, price, stood - target);
            }
        }
        target
    }

    /// Notes that the data shows a queue. Says whether it was known before; `None` if no order of ours
    /// stands there.
    fn see_queue(&mut self, side: Side, price: Price) -> Option<bool> {
        let mut known = None;
        for own in &mut self.own[side.index()] {
            if own.price == price {
                known = Some(known.unwrap_or(true) && own.seen);
                own.seen = true;
            }
        }
        known
    }

    /// New liquidity joins the back of the queue, unless the queue was unknown: then all of it is taken
    /// to stand ahead of us.
    fn grow(&mut self, side: Side, price: Price, qty: i64, known: bool) {
        if !known {
            let mut queue = self.book.queue(side, price);
            if let Some(first) = queue.find(|order| order.owner == super::OURS) {
                let order = self.historical(side, price, qty, 0);
                self.book.insert_before(first.handle, order).expect("a level's quantity fits");
                return;
            }
        }
        match self.book.level(side, price).and_then(|level| self.book.order(level.tail)) {
            Some(tail) if tail.owner == super::HISTORY => {
                self.resize(tail.handle, lots(tail.leaves) + qty)
            }
            _ => self.join(side, price, qty),
        }
    }

    /// A level shrank without a print: the queue model says where.
    fn shrink(&mut self, side: Side, price: Price, qty: i64) {
        let mut segments = std::mem::take(&mut self.segments);
        segments.clear();
        let queue = self.book.queue(side, price);
        segments.extend(
            queue.map(|order| (order.handle, lots(order.leaves), order.owner == super::HISTORY)),
        );
        let mut behind: i64 = segments.iter().filter(|it| it.2).map(|it| it.1).sum();
        let mut left = qty;
        let mut from = 0;
        while left > 0 && from < segments.len() {
            // History up to our next order, and how much of the rest of the fall it bears.
            let next = segments[from..].iter().position(|it| !it.2);
            let until = next.map_or(segments.len(), |at| from + at);
            let ahead: i64 = segments[from..until].iter().map(|it| it.1).sum();
            behind -= ahead;
            let mut share = if until == segments.len() {
                left
            } else {
                self.setup.queue.ahead(ahead, behind, left)
            };
            left -= share;
            for (handle, qty, _) in segments[from..until].iter().rev() {
                let cut = share.min(*qty);
                if cut > 0 {
                    self.resize(*handle, *qty - cut);
                }
                share -= cut;
            }
            from = until + 1;
        }
        self.segments = segments;
    }

    /// Historical liquidity at `price` meets our orders on the other side: trades with those it
    /// reaches, best first. Returns how much.
    pub(super) fn cross(
        &mut self,
        side: Side,
        price: Price,
        qty: i64,
        out: &mut Vec<Report>,
    ) -> i64 {
        let mut left = qty;
        let mut crossed = false;
        while left > 0
            && self.own_best[side.opposite().index()].is_some_and(|own| side.reaches(price, own))
        {
            let Some(own) = self.first_own(side.opposite(), Timestamp::MAX) else { break };
            crossed = true;
            left -= self.execute(side.opposite(), own.handle, left, out);
        }
        if crossed {
            let volumes = &mut self.volumes;
            volumes.crossed = volumes.crossed.saturating_add(qty);
            volumes.filled_by_crossing = volumes.filled_by_crossing.saturating_add(qty - left);
            volumes.excess = volumes.excess.saturating_add((-left).max(0));
        }
        qty - left
    }

    /// A new best bid and ask. Returns what of it is available, if that is not all.
    #[inline]
    pub fn quote(&mut self, quote: &Quote, out: &mut Vec<Report>) -> Option<Quote> {
        if self.shows == Shows::Depth {
            let shown = self.quote_over_depth(quote, out);
            return (shown != *quote).then_some(shown);
        }
        if !self.sees(Shows::Quotes) {
            return None;
        }
        if self.own[0].is_empty()
            && self.own[1].is_empty()
            && Side::BOTH.iter().all(|side| self.owes_nothing_near(*side, quote))
        {
            // Nothing of ours is near.
            self.expected.set_quote(quote);
            self.best = Side::BOTH.map(|side| quote.side(side).map(|(price, _)| price));
            return None;
        }
        let bid = self.quote_side(Side::Buy, quote, out);
        let ask = self.quote_side(Side::Sell, quote, out);
        if bid.is_none() && ask.is_none() {
            return None;
        }
        let (bid_qty, ask_qty) = (bid.unwrap_or(quote.bid_qty), ask.unwrap_or(quote.ask_qty));
        Some(Quote { bid_qty, ask_qty, ..*quote })
    }

    /// One side of a new quote. Returns what of it is available, if that is not all.
    #[inline(always)]
    fn quote_side(&mut self, side: Side, quote: &Quote, out: &mut Vec<Report>) -> Option<Qty> {
        if self.quote_before_us(side, quote) { None } else { self.quote_near_us(side, quote, out) }
    }

    /// Moves the best quote of a side where it passes nothing of ours: it stands before all our orders
    /// on its side, reaches none on the other, and all we owe stands behind it. Says whether it was so.
    #[inline(always)] // for each side its own code: all comparisons are decided by it
    fn quote_before_us(&mut self, side: Side, quote: &Quote) -> bool {
        let (Some((price, qty)), Some(old)) = (quote.side(side), self.best[side.index()]) else {
            return false;
        };
        let behind = self.own_best[side.index()]
            .is_none_or(|own| side.better(price, own) && side.better(old, own));
        let apart =
            self.own_best[side.opposite().index()].is_none_or(|own| !side.reaches(price, own));
        let far = |ladder: &Ladder| {
            ladder.best(side).is_none_or(|level| {
                side.better(price, level.price) && side.better(old, level.price)
            })
        };
        if !behind || !apart || !far(&self.debts) || !far(&self.hidden) {
            return false;
        }
        self.best[side.index()] = Some(price);
        self.expected.move_best(side, old, price, qty);
        true
    }

    /// Whether all we owe on a side stands behind its best price, before and after.
    fn owes_nothing_near(&self, side: Side, quote: &Quote) -> bool {
        self.debts.best(side).is_none_or(|debt| {
            let behind =
                |price: Option<Price>| price.is_some_and(|price| side.better(price, debt.price));
            behind(self.best[side.index()]) && behind(quote.side(side).map(|(price, _)| price))
        })
    }

    fn quote_near_us(&mut self, side: Side, quote: &Quote, out: &mut Vec<Report>) -> Option<Qty> {
        let new = quote.side(side);
        let old = self.best[side.index()];
        let price = new.map(|(price, _)| price);
        if old != price {
            self.best[side.index()] = price;
            self.move_best(side, old, price);
        }
        let (price, qty) = new?;
        let available = Qty::new(self.set_level(side, price, lots(qty), out));
        (available != qty).then_some(available)
    }

    /// The best price moved: nothing of history stands before the new one, and what stood at the old
    /// one is known only where an order of ours waits in its queue.
    fn move_best(&mut self, side: Side, old: Option<Price>, new: Option<Price>) {
        let gone = |price: Price| new.is_none_or(|new| side.better(price, new));
        while let Some(level) = self.expected.best(side).filter(|level| gone(level.price)) {
            self.forget_level(side, level.price);
        }
        while let Some(level) = self.debts.best(side).filter(|level| gone(level.price)) {
            self.forget_level(side, level.price);
        }
        for own in &mut self.own[side.index()] {
            own.seen |= gone(own.price);
        }
        if let Some(old) = old
            && !gone(old)
            && !self.ours_at(side, old)
        {
            self.hide_level(side, old);
        }
    }

    /// A best quote where the aggregated book is shown too: it may be ahead of it.
    fn quote_over_depth(&mut self, quote: &Quote, out: &mut Vec<Report>) -> Quote {
        let mut shown = *quote;
        for side in Side::BOTH {
            let Some((price, qty)) = quote.side(side) else { continue };
            let better = |best: Price| side.better(best, price);
            while let Some(level) = self.expected.best(side).filter(|level| better(level.price)) {
                self.set_level(side, level.price, 0, out);
            }
            let available = self.set_level(side, price, lots(qty), out);
            set_side(&mut shown, side, available);
        }
        shown
    }
}

fn set_side(quote: &mut Quote, side: Side, available: i64) {
    match side {
        Side::Buy => quote.bid_qty = Qty::new(available),
        Side::Sell => quote.ask_qty = Qty::new(available),
    }
}
