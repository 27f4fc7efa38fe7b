//! The conservation law, and the sums that check it from outside.
//!
//! Without an audit [`Portfolio::check`] compares ledger and positions with each other. With one it
//! also compares both with sums of the raw facts, kept by an [`Audit`] that values every fill
//! itself and shares no arithmetic with the positions. Test harnesses audit; production need not.
//!
//! Sums here wrap: books near the ends of the integers are compared modulo 2^128, which still
//! notices any difference, and a check never panics on what a ledger accepted.

use crate::ledger::AccountKind;
use crate::portfolio::Portfolio;
use std::collections::BTreeMap;
use tse_model::{
    CurrencyId, Fill, Instrument, InstrumentId, Money, Qty, Settlement, Side, StrategyId, VenueId,
};

/// A law that does not hold: a bug, with its figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Imbalance {
    /// The accounts of a page do not sum to zero.
    Page {
        /// At which venue.
        venue: VenueId,
        /// Of which currency.
        currency: CurrencyId,
        /// What they sum to.
        sum: i128,
    },
    /// An account is not what the positions say it must be.
    Account {
        /// At which venue.
        venue: VenueId,
        /// Of which currency.
        currency: CurrencyId,
        /// Which account.
        account: AccountKind,
        /// What the ledger says.
        booked: i128,
        /// What the positions say.
        expected: i128,
    },
    /// The account's position is not the sum of the strategies'.
    Net {
        /// In what.
        instrument: InstrumentId,
        /// What is kept as the account's.
        kept: Qty,
        /// What the strategies hold.
        sum: i128,
    },
    /// A position is not the sum of its signed fills and adjustments.
    Lots {
        /// Whose.
        strategy: StrategyId,
        /// In what.
        instrument: InstrumentId,
        /// The position.
        held: Qty,
        /// The sum.
        fills: i128,
    },
    /// Realised profit is not what cost and fills leave.
    Profit {
        /// Whose.
        strategy: StrategyId,
        /// In what.
        instrument: InstrumentId,
        /// What the position says.
        realized: i128,
        /// What cost and fills say.
        expected: i128,
    },
    /// Cash is not the opening balance and all that came and went.
    Cash {
        /// At which venue.
        venue: VenueId,
        /// Of which currency.
        currency: CurrencyId,
        /// What the ledger says.
        booked: i128,
        /// What came and went.
        flows: i128,
    },
}

/// Sums of raw facts, kept beside a portfolio and apart from its arithmetic.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    /// Lots and value of all fills and adjustments, signed.
    fills: BTreeMap<(StrategyId, InstrumentId), (i128, i128)>,
    /// Everything that changed cash except profit of contracts, which follows from `fills`.
    flows: BTreeMap<(VenueId, CurrencyId), i128>,
}

impl Audit {
    /// Begins with what a portfolio holds now.
    pub(crate) fn of(portfolio: &Portfolio) -> Self {
        let mut audit = Self::default();
        for (venue, currency, cash) in portfolio.balances() {
            audit.cash(venue, currency, cash);
        }
        for position in portfolio.positions.iter() {
            let Some(Some(terms)) = portfolio.terms.get(position.instrument.index()) else {
                continue; // no booking ever succeeded
            };
            let realized = position.realized.units();
            let spent =
                position.cost.units().wrapping_sub(terms.profit_sign.wrapping_mul(realized));
            let lots = i128::from(position.qty.get());
            audit.fills.insert((position.strategy, position.instrument), (lots, spent));
            if !terms.delivers {
                audit.cash(terms.venue, terms.settle, Money::from_units(realized.wrapping_neg()));
            }
        }
        audit
    }

    pub(crate) fn fill(
        &mut self,
        strategy: StrategyId,
        instrument: &Instrument,
        side: Side,
        fill: &Fill,
    ) {
        let lots = i128::from(fill.qty.get()) * i128::from(side.sign());
        let value = instrument.value(fill.price, fill.qty).expect("this fill was just booked");
        let spent = value.money.units().wrapping_mul(i128::from(side.sign()));
        let sums = self.fills.entry((strategy, instrument.id)).or_default();
        *sums = (sums.0.wrapping_add(lots), sums.1.wrapping_add(spent));
        if instrument.settlement == Settlement::Delivery {
            let base = instrument.base_units_per_lot.wrapping_mul(lots);
            self.cash(instrument.venue, instrument.base, Money::from_units(base));
            self.cash(instrument.venue, instrument.settle, Money::from_units(spent.wrapping_neg()));
        }
        let fee = Money::from_units(fill.fee.units().wrapping_neg());
        self.cash(instrument.venue, fill.fee_currency, fee);
    }

    pub(crate) fn adjust(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        qty: Qty,
        spent: Money,
    ) {
        let sums = self.fills.entry((strategy, instrument)).or_default();
        *sums = (sums.0.wrapping_add(i128::from(qty.get())), sums.1.wrapping_add(spent.units()));
    }

    pub(crate) fn cash(&mut self, venue: VenueId, currency: CurrencyId, amount: Money) {
        let sum = self.flows.entry((venue, currency)).or_default();
        *sum = sum.wrapping_add(amount.units());
    }
}

type Sums = BTreeMap<(VenueId, CurrencyId), i128>;

impl Portfolio {
    /// The conservation law: every page sums to zero; trading, profit, fee and funding accounts are
    /// what the positions say; the account's position is the sum of the strategies'. With an audit
    /// also: a position is the sum of its signed fills, its profit follows from cost and fills, and
    /// cash is opening balance and flows. Costs a walk over all positions and pages.
    ///
    /// # Errors
    /// The first [`Imbalance`]: a bug. Stop, and replay the journal.
    pub fn check(&self) -> Result<(), Imbalance> {
        if let Some((venue, currency, sum)) = self.ledger.imbalance() {
            return Err(Imbalance::Page { venue, currency, sum });
        }
        self.check_positions()?;
        match &self.audit {
            Some(audit) => self.check_audit(audit),
            None => Ok(()),
        }
    }

    fn check_positions(&self) -> Result<(), Imbalance> {
        let [mut trading, mut profit, mut fees, mut funding] = [const { Sums::new() }; 4];
        let add = |sums: &mut Sums, venue, currency, units: i128| {
            let sum = sums.entry((venue, currency)).or_default();
            *sum = sum.wrapping_add(units);
        };
        for (at, terms) in self.terms.iter().enumerate() {
            let Some(terms) = terms else { continue };
            let instrument = InstrumentId(at as u32);
            let (venue, settle) = (terms.venue, terms.settle);
            add(&mut funding, venue, settle, terms.unassigned.units().wrapping_neg());
            let mut sum = 0i128;
            for position in self.positions.in_instrument(instrument) {
                let lots = i128::from(position.qty.get());
                sum += lots;
                if terms.delivers {
                    add(&mut trading, venue, settle, position.cost.units());
                    add(
                        &mut trading,
                        venue,
                        terms.base,
                        terms.base_units_per_lot.wrapping_mul(-lots),
                    );
                }
                add(&mut profit, venue, settle, position.realized.units().wrapping_neg());
                add(&mut fees, venue, settle, position.fees.units());
                add(&mut funding, venue, settle, position.funding.units().wrapping_neg());
            }
            if sum != i128::from(terms.net.get()) {
                return Err(Imbalance::Net { instrument, kept: terms.net, sum });
            }
        }
        for (_, instrument, currency, fee) in self.positions.all_other_fees() {
            if let Some(Some(terms)) = self.terms.get(instrument.index()) {
                add(&mut fees, terms.venue, currency, fee.units());
            }
        }
        let laws = [
            (AccountKind::Trading, trading),
            (AccountKind::RealizedProfit, profit),
            (AccountKind::Fees, fees),
            (AccountKind::Funding, funding),
        ];
        for (venue, currency, page) in self.ledger.pages() {
            for (account, sums) in &laws {
                let booked = self.ledger.on(page, *account).units();
                let expected = sums.get(&(venue, currency)).copied().unwrap_or_default();
                if booked != expected {
                    return Err(Imbalance::Account {
                        venue,
                        currency,
                        account: *account,
                        booked,
                        expected,
                    });
                }
            }
        }
        Ok(())
    }

    fn check_audit(&self, audit: &Audit) -> Result<(), Imbalance> {
        let mut flows = audit.flows.clone();
        for position in self.positions.iter() {
            let (strategy, instrument) = (position.strategy, position.instrument);
            let Some(Some(terms)) = self.terms.get(instrument.index()) else { continue };
            let key = (strategy, instrument);
            let (fills, spent) = audit.fills.get(&key).copied().unwrap_or_default();
            if fills != i128::from(position.qty.get()) {
                return Err(Imbalance::Lots { strategy, instrument, held: position.qty, fills });
            }
            let expected =
                terms.profit_sign.wrapping_mul(position.cost.units().wrapping_sub(spent));
            let realized = position.realized.units();
            if realized != expected {
                return Err(Imbalance::Profit { strategy, instrument, realized, expected });
            }
            if !terms.delivers {
                let sum = flows.entry((terms.venue, terms.settle)).or_default();
                *sum = sum.wrapping_add(expected);
            }
        }
        for (venue, currency, page) in self.ledger.pages() {
            let booked = self.ledger.on(page, AccountKind::Cash).units();
            let flows = flows.get(&(venue, currency)).copied().unwrap_or_default();
            if booked != flows {
                return Err(Imbalance::Cash { venue, currency, booked, flows });
            }
        }
        Ok(())
    }

    /// Puts one account out of balance, to prove that [`Portfolio::check`] notices.
    #[cfg(any(test, feature = "plant"))]
    pub fn plant_imbalance(
        &mut self,
        venue: VenueId,
        currency: CurrencyId,
        account: AccountKind,
        units: i128,
    ) {
        self.ledger.plant(venue, currency, account, units);
    }

    /// Adds lots to a position that no fill explains, to prove that [`Portfolio::check`] notices.
    #[cfg(any(test, feature = "plant"))]
    pub fn plant_lots(&mut self, strategy: StrategyId, instrument: InstrumentId, lots: i64) {
        let slot = self.positions.slot(strategy, instrument);
        self.positions.at_mut(slot).qty += Qty::new(lots);
    }
}
