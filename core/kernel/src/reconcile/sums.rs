//! Positions and cash beside the venue's, and what becomes of a difference that nothing explains.

use super::{Ahead, Answer, Residue};
use crate::kernel::Kernel;
use crate::message::{Adjustment, Alert, Output};
use tse_model::{
    ClientOrderId, CurrencyId, ExecId, Fill, InstrumentId, Money, Price, Qty, Settlement, Side,
    StrategyId, Timestamp, VenueId,
};

impl Kernel {
    /// Cash and what positions have cost, by currency: what stays the same in whatever order the same
    /// executions are booked, while cash alone does not.
    pub(super) fn wealth(&self, venue: VenueId) -> Vec<i128> {
        let portfolio = &self.state.portfolio;
        let currencies = self.state.catalog.currencies().len();
        let mut wealth: Vec<i128> = (0..currencies)
            .map(|at| portfolio.balance(venue, CurrencyId(at as u16)).units())
            .collect();
        for it in self.state.catalog.instruments() {
            if it.venue == venue && it.settlement == Settlement::Difference {
                let costs = portfolio.positions().in_instrument(it.id);
                let cost: i128 = costs.map(|position| position.cost().units()).sum();
                wealth[it.settle.index()] -= cost * it.profit_sign();
            }
        }
        wealth
    }

    /// Before something is booked while an answer is awaited; else nothing, which costs nothing.
    pub(crate) fn wealth_now(&self, venue: VenueId) -> Option<Vec<i128>> {
        self.reconcilers[venue.index()].asked.map(|_| self.wealth(venue))
    }

    /// After it: what it changed is remembered, for the answer may not contain it.
    pub(crate) fn note_ahead(
        &mut self,
        before: Option<Vec<i128>>,
        venue: VenueId,
        traded: Option<(InstrumentId, Side, &Fill)>,
        at: Timestamp,
    ) {
        let Some(before) = before else { return };
        let after = self.wealth(venue);
        self.reconcilers[venue.index()].ahead.push(Ahead {
            exec: traded.map(|(.., fill)| fill.exec),
            at,
            held: traded.map(|(instrument, side, fill)| (instrument, fill.qty.signed(side))),
            wealth: after.iter().zip(before).map(|(after, before)| after - before).collect(),
        });
    }

    /// What the venue has more of than we know of.
    pub(super) fn compare(&self, venue: VenueId, answer: &Answer, ahead: &[Ahead]) -> Vec<Residue> {
        let mut residue = Vec::new();
        let mut theirs = vec![0_i128; self.state.catalog.currencies().len()];
        for (currency, amount) in &answer.balances {
            // What we have no name for we cannot trade, and have none of.
            if let Some(units) = theirs.get_mut(currency.index()) {
                *units += amount.units();
            }
        }
        for it in self.state.catalog.instruments() {
            if it.venue != venue || it.settlement != Settlement::Difference {
                continue;
            }
            let listed = answer.positions.iter().find(|(id, ..)| *id == it.id);
            let (qty, cost) =
                listed.map_or((Qty::ZERO, Money::ZERO), |(_, qty, cost)| (*qty, *cost));
            theirs[it.settle.index()] -= cost.units() * it.profit_sign();
            let after = ahead.iter().filter_map(|it| it.held);
            let after = after.filter(|(id, _)| *id == it.id).map(|(_, qty)| qty.get()).sum();
            let ours = self.state.portfolio.net(it.id).saturating_sub(Qty::new(after));
            if qty != ours {
                residue.push(Residue::Position(it.id, qty.saturating_sub(ours)));
            }
        }
        for (at, ours) in self.wealth(venue).into_iter().enumerate() {
            let after: i128 = ahead.iter().map(|it| it.wealth[at]).sum();
            let more = theirs[at] - (ours - after);
            if more != 0 {
                residue.push(Residue::Cash(CurrencyId(at as u16), more));
            }
        }
        residue
    }

    /// The mistake of others: what differs is made a fill at once.
    pub(super) fn invent(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        answer: &Answer,
        ahead: &[Ahead],
        out: &mut Vec<Output>,
    ) {
        for found in self.compare(venue, answer, ahead) {
            let Residue::Position(instrument, qty) = found else { continue };
            let Some(side) = Side::of(qty) else { continue };
            let (exec, fee_currency) = (ExecId(now.nanos() as u64), CurrencyId(0));
            let (qty, liquidity, fee) = (qty.abs(), tse_model::Liquidity::Taker, Money::ZERO);
            let fill = Fill { exec, price: Price::new(1), qty, liquidity, fee, fee_currency };
            let (id, strategy) = (ClientOrderId(1), StrategyId::EXTERNAL);
            let realized = self.book_fill(now, strategy, instrument, side, &fill, out);
            out.push(Output::Filled { id, strategy, instrument, side, fill, realized });
        }
    }

    /// Books what nothing explains, and latches the account.
    pub(super) fn adjust(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        stayed: &[Residue],
        out: &mut Vec<Output>,
    ) {
        self.reconcilers[venue.index()].latched = true;
        self.state.set_reconciled(venue, false);
        out.push(Output::Alert(Alert::Unexplained(venue)));
        let before = self.wealth(venue);
        for found in stayed {
            let Residue::Position(instrument, qty) = *found else { continue };
            let market = &self.state.markets[instrument.index()];
            let middle = market.quote.twice_mid().map(|twice| Price::new(twice / 2));
            let price = market.mark.or(middle).or(market.trade.map(|trade| trade.price));
            let it = self.state.catalog.instrument(instrument);
            let price = price.unwrap_or(Price::new(1));
            let strategy = StrategyId::EXTERNAL;
            let booked = self.state.portfolio.adjust_position(strategy, it, qty, price, now);
            self.tell_adjusted(
                venue,
                booked.is_ok(),
                Adjustment::Position { instrument, qty },
                out,
            );
        }
        // What the positions were taken to have cost is cash that is missing, or too much; and there is
        // what was missing of cash itself.
        let after = self.wealth(venue);
        for (at, (before, after)) in before.into_iter().zip(after).enumerate() {
            let currency = CurrencyId(at as u16);
            let of_itself = stayed.iter().find_map(|found| match found {
                Residue::Cash(other, units) if *other == currency => Some(*units),
                _ => None,
            });
            let units = before - after + of_itself.unwrap_or(0);
            if units != 0 {
                let amount = Money::from_units(units);
                let booked = self.state.portfolio.adjust_cash(venue, currency, amount);
                let adjustment = Adjustment::Cash { currency, amount };
                self.tell_adjusted(venue, booked.is_ok(), adjustment, out);
            }
        }
        self.reconcilers[venue.index()].residue.retain(|(found, _)| !stayed.contains(found));
        for at in 0..self.state.catalog.instruments().len() {
            let instrument = InstrumentId(at as u32);
            if self.state.catalog.instrument(instrument).venue == venue {
                self.cancel_where(instrument, |_| true, out);
            }
        }
    }

    pub(super) fn tell_adjusted(
        &mut self,
        venue: VenueId,
        booked: bool,
        adjustment: Adjustment,
        out: &mut Vec<Output>,
    ) {
        self.hash.word(match adjustment {
            Adjustment::Position { qty, .. } => qty.get() as u64,
            Adjustment::Cash { amount, .. } => amount.units() as u64,
        });
        out.push(match booked {
            true => Output::Adjusted(venue, adjustment),
            false => Output::Alert(Alert::LedgerLatched),
        });
    }
}
