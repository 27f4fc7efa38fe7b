//! Positions on margin: funding, and what happens when they are not covered any more.

use super::{Output, Venue};
use crate::account::Cover;
use crate::history::OURS;
use tse_matching::{NewOrder, Report};
use tse_model::{
    AccountEvent, AccountEventKind, CancelReason, InstrumentId, Liquidity, MarketData, MarketEvent,
    Qty, Rate, Side, Span, Timestamp,
};

/// How often positions on margin are checked while prices move. A mark of the venue is always looked at.
const COVER_EVERY: Span = Span::from_secs(1);

impl Venue {
    pub(super) fn exchange_funding(
        &mut self,
        now: Timestamp,
        instrument: InstrumentId,
        rate: Rate,
        out: &mut Vec<Output>,
    ) {
        if self.account.position(instrument).is_zero() {
            return;
        }
        let Some(mark) = self.mark(instrument) else { return };
        let it = self.catalog.instrument(instrument);
        if let Some(amount) = self.account.fund(it, rate, mark, now) {
            let kind = AccountEventKind::Funding { instrument, amount };
            out.push(Output::Account(AccountEvent { ts_event: now, kind }));
        }
    }

    /// The first event starts the clock of scheduled funding.
    pub(super) fn arm_funding(&mut self, now: Timestamp) {
        for schedule in &mut self.funding {
            schedule.next.get_or_insert(now.floor(schedule.every) + schedule.every);
        }
    }

    /// Looks at the cover of positions when a market moves in which one is held: what happens in other
    /// markets changes nothing here, not even the moment.
    #[inline]
    pub(super) fn watch_cover(
        &mut self,
        now: Timestamp,
        event: &MarketEvent,
        out: &mut Vec<Output>,
    ) {
        let due = now >= self.covered_until || matches!(event.data, MarketData::Mark(_));
        if due && self.account.is_exposed_in(&self.catalog, event.instrument) {
            self.covered_until = now + COVER_EVERY;
            self.check_cover(now, out);
        }
    }

    /// Closes what is no longer covered: our orders first, then positions against the book.
    fn check_cover(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let Cover::Short(currency) = self.account.cover(&self.catalog, |id| self.mark(id)) else {
            return;
        };
        for slot in 0..self.open.len() {
            self.cancel_slot(now, slot as u32, CancelReason::Liquidation, out);
        }
        for at in 0..self.account.on_margin().len() {
            let id = self.account.on_margin()[at];
            if self.catalog.instrument(id).settle == currency {
                self.close_by_force(now, id, Qty::MAX, out);
            }
        }
    }

    /// Closes our position against the book, at most so much of it: it is not covered, or the venue needs
    /// the other side of somebody else's. Our open orders there go first.
    pub fn close_by_force(
        &mut self,
        now: Timestamp,
        id: InstrumentId,
        most: Qty,
        out: &mut Vec<Output>,
    ) {
        let position = self.account.position(id);
        let Some(side) = Side::of(-position) else { return };
        for slot in 0..self.open.len() {
            if self.open[slot].is_some_and(|open| open.request.instrument == id) {
                self.cancel_slot(now, slot as u32, CancelReason::Liquidation, out);
            }
        }
        let Some(market) = self.markets[id.index()].as_mut() else { return };
        let order = NewOrder::market(OURS, u64::MAX, side, position.abs().min(most));
        let mut reports = std::mem::take(&mut self.reports);
        // Where nobody stands on the other side, it is tried again at the next look.
        let _ = market.place(now, order, &mut reports);
        for report in reports.drain(..) {
            let Report::Fill(fill) = report else { continue };
            if let Some(market) = self.markets[id.index()].as_mut() {
                market.took(side.opposite(), fill.price, fill.qty, fill.maker_tag);
            }
            self.liquidations[id.index()] += 1;
            let fill = self.execution(id, fill.price, fill.qty, Liquidity::Taker);
            self.account.fill(self.catalog.instrument(id), side, &fill, now);
            let kind = AccountEventKind::Liquidated { instrument: id, side, fill };
            out.push(Output::Account(AccountEvent { ts_event: now, kind }));
        }
        self.reports = reports;
    }
}
