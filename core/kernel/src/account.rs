//! What venues say about our account, and whether they can be reached.

use crate::desk::State;
use crate::kernel::Kernel;
use crate::life::{Ending, Evidence, Life};
use crate::message::{Alert, Output};
use crate::orders::{Order, Slot};
use crate::plant::Plant;
use tse_model::{
    AccountEvent, AccountEventKind, ClientOrderId, Fill, InstrumentId, Qty, Rules, Side, Span,
    StrategyId, TimeInForce, Timestamp, VenueId,
};

impl Kernel {
    pub(crate) fn on_account(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        event: &AccountEvent,
        out: &mut Vec<Output>,
    ) {
        let before = self.wealth_now(venue);
        let latched = match event.kind {
            AccountEventKind::Funding { instrument, amount } => {
                self.hash.wide(amount.units());
                let State { catalog, portfolio, .. } = &mut self.state;
                portfolio.apply_funding(catalog.instrument(instrument), amount, now).is_err()
            }
            AccountEventKind::Transfer { currency, amount } => {
                self.hash.wide(amount.units());
                // Below zero it went out.
                self.state.portfolio.deposit(venue, currency, amount).is_err()
            }
            AccountEventKind::Liquidated { .. } if self.has(Plant::ForcedIgnored) => return,
            AccountEventKind::Liquidated { instrument, side, fill } => {
                self.on_liquidation(now, event.ts_event, instrument, side, &fill, out);
                return;
            }
        };
        self.note_ahead(before, venue, None, event.ts_event);
        if latched {
            out.push(Output::Alert(Alert::LedgerLatched));
        }
    }

    /// The venue closed (part of) the account's position: booked to the strategies that hold it, in
    /// the order of their numbers.
    pub(crate) fn on_liquidation(
        &mut self,
        now: Timestamp,
        at: Timestamp,
        instrument: InstrumentId,
        side: Side,
        fill: &Fill,
        out: &mut Vec<Output>,
    ) {
        // The venue's own order has no name of ours.
        let id = ClientOrderId(0);
        let Some(it) = self.state.catalog.get_instrument(instrument) else {
            return out.push(Output::Alert(Alert::UnknownOrder(id)));
        };
        let venue = it.venue;
        // Whether one that old was booked nobody can say: positions will show it.
        let too_old = self.reconcile.is_some() && at <= self.executions.forgotten(venue);
        if !fill.qty.is_positive() || (too_old && !self.executions.knows(venue, fill.exec)) {
            out.push(Output::Alert(Alert::UnknownOrder(id)));
            return self.ask_about(now, instrument, out);
        }
        if !self.executions.note(venue, fill.exec, at) {
            out.push(Output::Alert(Alert::DuplicateFill { id, exec: fill.exec }));
            return;
        }
        self.may_explain(venue, instrument, at);
        let before = self.wealth_now(venue);
        let mut left = fill.qty;
        let mut fee = fill.fee;
        for number in 0..self.strategies.len() {
            let strategy = StrategyId(number as u16);
            let held = -self.state.portfolio.qty(strategy, instrument).signed(side);
            let part = held.min(left);
            if !part.is_positive() {
                continue;
            }
            left -= part;
            let of_it = Fill { qty: part, fee: std::mem::take(&mut fee), ..*fill };
            let realized = self.book_fill(now, strategy, instrument, side, &of_it, out);
            out.push(Output::Filled { id, strategy, instrument, side, fill: of_it, realized });
            self.tell(now, strategy, false, out, |strategy, view, wish| {
                strategy.on_fill(instrument, side, &of_it, view, wish);
            });
        }
        if left > Qty::ZERO {
            // More than anybody holds: the rest is nobody's, and counts in the account all the same.
            out.push(Output::Alert(Alert::UnknownOrder(id)));
            let rest = Fill { qty: left, fee, ..*fill };
            let strategy = StrategyId::EXTERNAL;
            let realized = self.book_fill(now, strategy, instrument, side, &rest, out);
            out.push(Output::Filled { id, strategy, instrument, side, fill: rest, realized });
        }
        self.note_ahead(before, venue, Some((instrument, side, fill)), at);
    }

    /// A venue takes something else from now on (F24). What rests there stays: what becomes of it the venue
    /// says. What makes no sense closes the market: nobody knows what it takes.
    pub(crate) fn on_rules(
        &mut self,
        instrument: InstrumentId,
        rules: &Rules,
        out: &mut Vec<Output>,
    ) {
        self.hash.word(u64::from(instrument.0));
        self.hash.int(rules.price_step);
        self.hash.int(rules.qty_step);
        if self.has(Plant::RulesIgnored) {
            return;
        }
        if self.state.catalog.set_rules(instrument, rules).is_err() {
            out.push(Output::Alert(Alert::BadRules(instrument)));
            if let Some(it) = self.state.catalog.get_instrument(instrument) {
                let closed = Rules { listed: false, ..it.rules() };
                let known = self.state.catalog.set_rules(instrument, &closed);
                debug_assert_eq!(known, Ok(()), "they were followed so far");
            }
        }
    }

    /// The journal lags, or has caught up (F08).
    pub(crate) fn on_lag(&mut self, lag: Span, out: &mut Vec<Output>) {
        let slow = |lag: Span| self.lag_max.is_some_and(|limit| lag > limit);
        if slow(lag) && !slow(self.state.lag) {
            out.push(Output::Alert(Alert::JournalSlow));
        }
        if !self.has(Plant::LagIgnored) {
            self.state.lag = lag;
        }
    }

    /// The journal's room runs out, or there is room again (F06).
    pub(crate) fn on_room(&mut self, low: bool, out: &mut Vec<Output>) {
        if low && !self.state.low {
            out.push(Output::Alert(Alert::JournalFull));
        }
        self.state.low = low && !self.has(Plant::RoomIgnored);
    }

    /// A link broke: what is open there is unknown, requests on their way may be lost, and nothing is
    /// sent until it is back. Then what nobody has spoken of since is taken back.
    ///
    /// Where accounts are compared with their venues, that comes first, and it finds out about them.
    pub(crate) fn on_link(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        up: bool,
        out: &mut Vec<Output>,
    ) {
        if self.state.is_linked(venue) == up {
            return;
        }
        self.state.set_link(venue, up);
        if self.reconcile.is_some() {
            self.link_changed(now, venue, up, out);
        }
        if up && self.reconcile.is_some() {
            return;
        }
        for at in 0..self.state.catalog.instruments().len() {
            let instrument = InstrumentId(at as u32);
            if self.state.catalog.instrument(instrument).venue != venue {
                continue;
            }
            if up {
                self.cancel_where(instrument, |order| order.life == Life::Unknown, out);
            } else {
                self.each_open(
                    instrument,
                    |_| true,
                    |kernel, slot| {
                        kernel.state.orders.get_mut(slot).cancelling = false;
                        let lost = match kernel.has(Plant::LinkLostIsEnd) {
                            true => Evidence::Closed(Ending::Cancelled),
                            false => Evidence::LinkLost,
                        };
                        kernel.move_life(slot, lost, out);
                    },
                );
            }
        }
    }

    /// Takes back everything that does not trade at once.
    pub(crate) fn cancel_resting(&mut self, out: &mut Vec<Output>) {
        for at in 0..self.state.catalog.instruments().len() {
            // A stop sleeps, however short it lives once it is awake.
            let rests = |order: &Order| {
                let request = &order.request;
                request.order_type.is_stop()
                    || !matches!(request.time_in_force, TimeInForce::Ioc | TimeInForce::Fok)
            };
            self.cancel_where(InstrumentId(at as u32), rests, out);
        }
    }

    /// Takes back the open orders of a market that are `such`.
    pub(crate) fn cancel_where(
        &mut self,
        instrument: InstrumentId,
        such: impl Fn(&Order) -> bool,
        out: &mut Vec<Output>,
    ) {
        self.each_open(instrument, such, |kernel, slot| kernel.cancel(slot, out));
    }

    /// Does something with each open order of a market that is `such`: bids before asks, oldest first.
    pub(crate) fn each_open(
        &mut self,
        instrument: InstrumentId,
        such: impl Fn(&Order) -> bool,
        mut act: impl FnMut(&mut Self, Slot),
    ) {
        let mut slots = std::mem::take(&mut self.scratch);
        slots.clear();
        for side in Side::BOTH {
            let open = self.state.orders.open(instrument, side);
            slots.extend(open.filter(|(_, order)| such(order)).map(|(slot, _)| slot));
        }
        for slot in &slots {
            act(self, *slot);
        }
        self.scratch = slots;
    }
}
