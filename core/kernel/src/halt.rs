//! The kill switch at work: what happens when a level rises, until nothing is left to do.
//!
//! Actions follow from the rise, not from the level, so saying it twice does nothing twice. What is to be
//! cancelled is asked for again and again until the venue has given a last word for each order, through
//! broken links as well. Positions are closed in pieces that the market shows, within the price collar, and
//! never by a price that cannot be read: then nothing is sold until it can.

use crate::kernel::Kernel;
use crate::life::Life;
use crate::message::{Alert, NotArmed, Output};
use crate::orders::{Order, Slot};
use tse_model::{
    GroupId, InstrumentId, Price, Qty, Rate, Request, Side, Span, StrategyId, Timestamp, VenueId,
};
use tse_risk::{Cause, Kill, Level, Reach, Resume, Since, Who, Why};
use tse_strategy::OrderWish;

/// How often a piece of a position is closed.
const PIECE_EVERY: Span = Span::from_secs(1);

impl Kernel {
    /// Whether the kill switch has something left to do: orders that are to go, or positions that are to be closed
    /// and that a venue would still take. What strategies hold against each other, and less than a venue takes, stays.
    pub fn is_sweeping(&self) -> bool {
        self.sweep_at.is_some()
    }

    /// Cuts back, if that is further than it is cut back already.
    pub(crate) fn kill(
        &mut self,
        now: Timestamp,
        kill: &Kill,
        cause: Cause,
        out: &mut Vec<Output>,
    ) {
        if self.lacks(kill.level.code()) || self.lacks(cause.control()) {
            return;
        }
        let Kill { reach, level, .. } = *kill;
        let Some(latch) = self.state.switch.latch(reach) else {
            out.push(Output::Alert(Alert::NoSuchScope(reach)));
            return;
        };
        if level <= latch.level {
            // Said again it changes nothing; but that sessions were cut nobody here can know.
            if level == Level::Sever {
                self.sever(reach, out);
            }
            self.state.switch.note(reach, cause, now);
            return;
        }
        self.state.orders.skip_name();
        let since = Since { at: now, before: self.state.orders.next_ordinal() };
        self.state.switch.raise(kill, cause, since);
        self.hash.word(0xFFFD << 48 | (level as u64) << 32 | cause as u64);
        out.push(Output::Alert(Alert::Killed { reach, level, cause }));
        self.sweep_due = true;
        if level == Level::Sever {
            self.sever(reach, out);
        }
    }

    /// Asks for the sessions of everything or of an account to be cut. An instrument and a strategy have none.
    fn sever(&self, reach: Reach, out: &mut Vec<Output>) {
        for at in 0..self.state.catalog.venues().len() {
            let venue = VenueId(at as u16);
            if matches!(reach, Reach::Firm) || reach == Reach::Account(venue) {
                out.push(Output::Sever(venue));
            }
        }
    }

    /// An engine that boots asks anew for what may not have been done.
    pub(crate) fn sever_again(&self, out: &mut Vec<Output>) {
        let accounts = (0..self.state.catalog.venues().len()).map(|at| VenueId(at as u16));
        for reach in [Reach::Firm].into_iter().chain(accounts.map(Reach::Account)) {
            let latch = self.state.switch.latch(reach);
            if latch.is_some_and(|latch| latch.level == Level::Sever) {
                self.sever(reach, out);
            }
        }
    }

    /// A control cuts back. Nothing is closed by itself where trading is held already, or not yet begun.
    pub(crate) fn trip(
        &mut self,
        now: Timestamp,
        reach: Reach,
        level: Level,
        cause: Cause,
        out: &mut Vec<Output>,
    ) {
        let held = self.state.switch.covering(reach) >= Level::Halt || !self.state.armed;
        let level = if held { level.min(Level::Halt) } else { level };
        self.kill(now, &Kill { reach, level, by: Who::EMPTY, why: Why::EMPTY }, cause, out);
    }

    /// A person wants to go on. What had tripped in the scope is settled by that, and nothing else.
    pub(crate) fn resume(&mut self, now: Timestamp, resume: &Resume, out: &mut Vec<Output>) {
        let Resume { reach, to, .. } = *resume;
        let settled = match self.state.switch.lower(resume, now) {
            Ok(settled) => settled,
            Err(why) => {
                out.push(Output::Alert(Alert::NotResumed { reach, why }));
                return;
            }
        };
        self.sweep_due = true;
        self.hash.word(0xFFFC << 48 | to as u64);
        if let Some(watch) = &mut self.loss_watch {
            if settled.losses {
                watch.review(reach);
            }
            if to < Level::Reduce {
                watch.accept_risk(reach);
            }
        }
        let meter = match reach {
            Reach::Strategy(strategy) => self.meters.get_mut(strategy.index()),
            Reach::Account(venue) => self.account_meters.get_mut(venue.index()),
            Reach::Firm | Reach::Instrument(_) => None,
        };
        if let Some(meter) = meter.filter(|_| settled.counts) {
            meter.review();
        }
        out.push(Output::Alert(Alert::Resumed { reach, to }));
    }

    /// A person lets an engine that has booted trade: only when every account is as at its venue, and of no
    /// order it is unknown how it stands.
    pub(crate) fn arm(&mut self, by: Who, out: &mut Vec<Output>) {
        let unready = if by.is_blank() { Some(NotArmed::Nobody) } else { self.unready() };
        match unready {
            Some(why) => out.push(Output::Alert(Alert::NotArmed(why))),
            None if !self.state.armed => {
                self.state.armed = true;
                self.operator = by;
                self.hash.word(0xFFFB << 48);
                out.push(Output::Alert(Alert::Armed));
            }
            None => {}
        }
    }

    /// What stands in the way of arming.
    pub fn unready(&self) -> Option<NotArmed> {
        let venues = (0..self.state.catalog.venues().len()).map(|at| VenueId(at as u16));
        let unlike = venues.into_iter().find(|venue| !self.state.is_reconciled(*venue));
        if let Some(venue) = unlike {
            return Some(NotArmed::NotReconciled(venue));
        }
        let unknown = |order: &Order| matches!(order.life, Life::Unknown | Life::Disputed);
        let all = (0..self.state.catalog.instruments().len())
            .flat_map(|at| Side::BOTH.map(|side| (InstrumentId(at as u32), side)));
        let mut open = all.flat_map(|(at, side)| self.state.orders.open(at, side));
        let found = open.find(|(_, order)| unknown(order));
        found.map(|(_, order)| NotArmed::Unknown(order.request.id))
    }

    /// What is to be taken back or closed and is not yet: asked for, or asked for again. Says when to look
    /// again, as long as there is anything.
    pub(crate) fn sweep(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        self.sweep_due = false;
        let mut pending = self.sweep_orders(now, out).then_some(self.answer_timeout);
        if self.close_positions(now, out) {
            pending = Some(pending.map_or(PIECE_EVERY, |span| span.min(PIECE_EVERY)));
        }
        self.sweep_at = pending.map(|span| now + span.max(Span::from_nanos(1)));
        if let Some(at) = self.sweep_at {
            self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
        }
    }

    /// Whether there are orders that must go.
    fn sweep_orders(&mut self, now: Timestamp, out: &mut Vec<Output>) -> bool {
        let mut pending = false;
        for at in 0..self.state.catalog.instruments().len() {
            let instrument = InstrumentId(at as u32);
            for side in Side::BOTH {
                let mut going = std::mem::take(&mut self.scratch);
                going.clear();
                for (slot, order) in self.state.orders.open(instrument, side) {
                    if order.closing.is_none() && self.must_go(order) {
                        going.push(slot);
                    }
                }
                pending |= !going.is_empty();
                for slot in &going {
                    self.cancel_again(now, *slot, out);
                }
                self.scratch = going;
            }
        }
        pending
    }

    /// Whether an open order must be taken back, at the levels that hold for it.
    fn must_go(&self, order: &Order) -> bool {
        let (strategy, instrument) = (order.request.strategy, order.request.instrument);
        let venue = self.state.catalog.instrument(instrument).venue;
        let switch = &self.state.switch;
        let since = switch.since(Level::Cancel, strategy, instrument, venue);
        let id = order.request.id;
        // Of what others made nobody knows when: it goes as well.
        if since.is_some_and(|before| !self.state.orders.is_ours(id) || id.ordinal() < before) {
            return true;
        }
        if switch.level(strategy, instrument, venue) != Level::Reduce || order.request.reduce_only {
            return false;
        }
        // All that is open on its side together must be no more than there is to close.
        let side = order.request.side;
        let more = |scope: Option<StrategyId>| {
            let book = self.state.book(instrument, scope);
            let held = book.position.get().saturating_mul(-side.sign()).max(0);
            book.open[side.index()].get() > held
        };
        more(Some(strategy)) || more(None)
    }

    /// Sends a cancel, also where one was sent and not answered in time.
    fn cancel_again(&mut self, now: Timestamp, slot: Slot, out: &mut Vec<Output>) {
        let timeout = self.answer_timeout;
        let order = self.state.orders.get_mut(slot);
        if order.cancelling && now - order.asked_at >= timeout {
            order.cancelling = false;
        }
        self.cancel(slot, out);
    }

    /// Sends the next piece of every position that is to be closed. Whether there are any.
    fn close_positions(&mut self, now: Timestamp, out: &mut Vec<Output>) -> bool {
        let to_close = |strategy, instrument| self.level(strategy, instrument) == Level::Flatten;
        let held = self.state.portfolio.positions().iter().filter(|it| !it.is_flat());
        let held = held.map(|it| (it.strategy(), it.instrument(), it.qty()));
        let held: Vec<_> = held.filter(|(who, what, _)| to_close(*who, *what)).collect();
        let mut pending = false;
        for (strategy, instrument, position) in held {
            let (qty, reduce_only) = self.to_close(instrument, position);
            // Less than the venue takes cannot be closed there.
            let it = self.state.catalog.instrument(instrument);
            let whole = Qty::new(qty.get() - qty.get() % it.qty_step);
            if !whole.is_positive() || whole < it.qty_min {
                continue;
            }
            pending = true;
            if let Some(wish) = self.piece(now, strategy, instrument, position, qty) {
                let wish = OrderWish { reduce_only, ..wish };
                let draft = self.draft(strategy, GroupId(0), wish);
                if let Some(slot) = self.book_draft(now, draft, wish.order_type, true, out) {
                    self.release(slot, out);
                }
            }
        }
        pending
    }

    /// How much of a strategy's position is to be closed, and whether that shrinks the account's as well.
    /// Where more than this strategy is closed, what strategies hold against each other stays: at the venue
    /// there is no such position.
    fn to_close(&self, instrument: InstrumentId, held: Qty) -> (Qty, bool) {
        let Some(side) = Side::of(held).map(Side::opposite) else { return (Qty::ZERO, true) };
        let most = self.state.book(instrument, None).closable(side);
        match self.level(StrategyId::EXTERNAL, instrument) == Level::Flatten {
            true => (held.abs().min(most), true),
            false => (held.abs(), held.abs() <= most),
        }
    }

    /// As much of it as the market shows that it takes, and as one order may be; `None` while an earlier piece is
    /// open, or while the market cannot be read.
    fn piece(
        &self,
        now: Timestamp,
        strategy: StrategyId,
        instrument: InstrumentId,
        position: Qty,
        most: Qty,
    ) -> Option<OrderWish> {
        let (_, open) = self.state.orders.totals(instrument, Some(strategy));
        let market = &self.state.markets[instrument.index()];
        let own = self.state.limits.strategy(strategy, instrument);
        let fresh = market.age(now)? <= own.data_age_max?;
        if open > 0 || !market.valid || !market.open || !fresh {
            return None;
        }
        let twice_mid = market.quote.twice_mid()?;
        let side = Side::of(position)?.opposite();
        let (_, shown) = market.quote.side(side.opposite())?;
        let it = self.state.catalog.instrument(instrument);
        let mut qty = most.min(shown).min(it.qty_max).min(own.order_qty_max?);
        // What it is worth at either end of the collar: an inverse contract is worth more at the lower.
        let worth_at = |end: i64| {
            let twice = i128::from(twice_mid) * i128::from(Rate::ONE + end);
            let price = twice.div_euclid(2 * i128::from(Rate::ONE)) + i128::from(end.signum());
            it.value(Price::new(i64::try_from(price).ok()?), qty)?.money.checked_abs()
        };
        let collar = own.collar?.billionths();
        let (worth, limit) = (worth_at(collar)?.max(worth_at(-collar)?), own.order_value_max?);
        if worth > limit {
            let lots = i128::from(qty.get()).checked_mul(limit.units())? / worth.units();
            qty = Qty::new(i64::try_from(lots).ok()?);
        }
        let qty = Qty::new(qty.get() - qty.get() % it.qty_step);
        (qty.is_positive() && qty >= it.qty_min).then(|| OrderWish::market(instrument, side, qty))
    }

    /// Whether a request that was asked for may still leave: what was made before trading was cut back may not.
    /// Cancels always may.
    ///
    /// # Errors
    /// How far trading is cut back.
    pub fn may_leave(&self, request: &Request) -> Result<(), Level> {
        if self.lacks("K4") {
            return Ok(());
        }
        let Some(order) = self.order(request.id()) else { return Ok(()) };
        let (strategy, instrument) = (order.request.strategy, order.request.instrument);
        let venue = self.state.catalog.instrument(instrument).venue;
        let rise = self.state.switch.last_rise(strategy, instrument, venue);
        let asked = match request {
            Request::Place(place) => place.id.ordinal(),
            Request::Modify(_) => order.asked_before,
            Request::Cancel(_) => return Ok(()),
        };
        match asked < rise {
            true => Err(self.level(strategy, instrument).max(Level::Pause)),
            false => Ok(()),
        }
    }

    /// How far an order is cut back.
    pub fn level(&self, strategy: StrategyId, instrument: InstrumentId) -> Level {
        let venue = self.state.catalog.instrument(instrument).venue;
        self.state.switch.level(strategy, instrument, venue)
    }
}
