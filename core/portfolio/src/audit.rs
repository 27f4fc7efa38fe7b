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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ALICE, BOB, at, catalog, define, fill, money, venue};
    use tse_model::{Catalog, Price, StrategyId};

    /// A portfolio in which every kind of booking happened, audited from the start.
    fn busy() -> (Catalog, Portfolio) {
        let mut catalog = catalog();
        let spot = define(&mut catalog, "BTC-USDT.X", ["0.01", "0.001", "1"]);
        let linear = define(&mut catalog, "BTC-USDT-PERP.X", ["0.1", "0.001", "1"]);
        let inverse = define(&mut catalog, "BTC-USD-PERP:BTC.X", ["0.1", "1", "100"]);
        let mut portfolio = Portfolio::for_catalog(&catalog);
        portfolio.start_audit();
        let x = venue(&catalog, "X");
        let usdt = money(&catalog, "1000000", "USDT");
        let tether = catalog.currency_id("USDT").unwrap();
        let bitcoin = catalog.currency_id("BTC").unwrap();
        let book = |portfolio: &mut Portfolio, who: StrategyId, id, side, price, qty, paid_in| {
            let fill = fill(price, qty, 123, paid_in);
            portfolio.apply_fill(who, catalog.instrument(id), side, &fill, at(1)).unwrap();
            portfolio.check().unwrap();
        };
        portfolio.deposit(x, tether, usdt).unwrap();
        for (who, fees_in) in [(ALICE, tether), (BOB, bitcoin)] {
            book(&mut portfolio, who, spot, Side::Buy, 6_000_001, 7, fees_in);
            book(&mut portfolio, who, spot, Side::Sell, 6_100_003, 3, fees_in);
            book(&mut portfolio, who, linear, Side::Sell, 600_001, 5, fees_in);
            book(&mut portfolio, who, linear, Side::Buy, 590_003, 9, fees_in);
            book(&mut portfolio, who, inverse, Side::Buy, 600_007, 11, fees_in);
            book(&mut portfolio, who, inverse, Side::Sell, 610_009, 3, fees_in);
        }
        let contract = catalog.instrument(inverse);
        portfolio.apply_funding(contract, Money::from_units(-1_001), at(2)).unwrap();
        portfolio.adjust_cash(x, bitcoin, Money::from_units(5)).unwrap();
        let found = (Qty::new(-2), Price::new(6_000_000));
        portfolio
            .adjust_position(ALICE, catalog.instrument(spot), found.0, found.1, at(3))
            .unwrap();
        portfolio.withdraw(x, tether, Money::from_units(17)).unwrap();
        portfolio.check().unwrap();
        (catalog, portfolio)
    }

    #[test]
    fn one_unit_planted_in_any_account_is_noticed() {
        let (catalog, portfolio) = busy();
        let x = venue(&catalog, "X");
        for code in ["USDT", "BTC"] {
            let currency = catalog.currency_id(code).unwrap();
            for account in AccountKind::ALL {
                for units in [1, -1] {
                    let mut planted = portfolio.clone();
                    planted.plant_imbalance(x, currency, account, units);
                    let noticed = planted.check().unwrap_err();
                    assert_eq!(noticed, Imbalance::Page { venue: x, currency, sum: units });
                }
            }
        }
    }

    #[test]
    fn one_unit_moved_between_any_two_accounts_is_noticed() {
        let (catalog, portfolio) = busy();
        let x = venue(&catalog, "X");
        let outside = [AccountKind::Transfers, AccountKind::Adjustments];
        for code in ["USDT", "BTC"] {
            let currency = catalog.currency_id(code).unwrap();
            for from in AccountKind::ALL {
                for to in AccountKind::ALL {
                    // Between a transfer and an adjustment no law decides: a person said which.
                    if from == to || (outside.contains(&from) && outside.contains(&to)) {
                        continue;
                    }
                    let mut planted = portfolio.clone();
                    planted.plant_imbalance(x, currency, from, -1);
                    planted.plant_imbalance(x, currency, to, 1);
                    assert!(planted.check().is_err(), "{from:?} to {to:?} of {code}");
                }
            }
        }
    }

    #[test]
    fn one_planted_lot_is_noticed_with_or_without_an_audit() {
        let (_, portfolio) = busy();
        let mut planted = portfolio.clone();
        planted.plant_lots(ALICE, InstrumentId(1), 1);
        assert!(matches!(planted.check(), Err(Imbalance::Net { .. })));

        // Two errors that cancel in the account's position still differ from their fills.
        let mut planted = portfolio.clone();
        planted.plant_lots(ALICE, InstrumentId(1), 1);
        planted.plant_lots(BOB, InstrumentId(1), -1);
        let noticed = planted.check().unwrap_err();
        assert!(matches!(noticed, Imbalance::Lots { strategy: ALICE, .. }), "{noticed:?}");
    }

    #[test]
    fn an_audit_can_begin_in_the_middle() {
        let (catalog, mut portfolio) = busy();
        portfolio.start_audit();
        portfolio.check().unwrap();
        let tether = catalog.currency_id("USDT").unwrap();
        let contract = catalog.instrument(InstrumentId(1));
        let trade = fill(601_000, 20, -3, tether);
        portfolio.apply_fill(BOB, contract, Side::Sell, &trade, at(9)).unwrap();
        portfolio.check().unwrap();
    }
}
