//! What everything is worth in one currency.
//!
//! Equity counts cash once and contracts by what closing them would pay: delivered assets already
//! stand in cash, so they are valued there and their positions are not counted again. Each balance
//! and each position is converted and rounded by itself, half to even. Every figure comes with the
//! age of the oldest price in it, or is refused.

use crate::portfolio::Portfolio;
use crate::prices::{Prices, Unvalued};
use tse_model::{Catalog, CurrencyId, Money, Span, StrategyId, Timestamp};

/// What an account is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Equity {
    /// Cash and unrealised profit of contracts.
    pub total: Money,
    /// Cash of all currencies, delivered assets included.
    pub cash: Money,
    /// What closing all contracts would add to cash.
    pub unrealized: Money,
    /// Age of the oldest price used.
    pub age: Span,
}

/// What positions earned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Profit {
    /// Profit of what was closed, before fees.
    pub realized: Money,
    /// Profit that closing the rest would realise.
    pub unrealized: Money,
    /// Fees less rebates.
    pub fees: Money,
    /// Funding received less paid.
    pub funding: Money,
    /// Age of the oldest price used.
    pub age: Span,
}

impl Profit {
    /// Realised and unrealised profit less fees plus funding; `None` on overflow.
    pub fn net(&self) -> Option<Money> {
        let gross = self.realized.checked_add(self.unrealized)?;
        gross.checked_sub(self.fees)?.checked_add(self.funding)
    }
}

/// A sum in one currency that remembers its oldest price.
struct Total<'a> {
    prices: &'a Prices,
    to: CurrencyId,
    now: Timestamp,
    age: Span,
}

impl Total<'_> {
    fn add(&mut self, sum: &mut Money, amount: Money, from: CurrencyId) -> Result<(), Unvalued> {
        let converted = self.prices.convert(amount, from, self.to, self.now)?;
        let large = Unvalued::OutOfRange { currency: from };
        *sum = sum.checked_add(converted.money).ok_or(large)?;
        self.age = self.age.max(converted.age);
        Ok(())
    }
}

impl Portfolio {
    /// What the account is worth in a currency.
    ///
    /// # Errors
    /// [`Unvalued`]: the first thing held that has no price that can be used. What is not held
    /// needs none.
    pub fn equity(
        &self,
        catalog: &Catalog,
        prices: &Prices,
        currency: CurrencyId,
        now: Timestamp,
    ) -> Result<Equity, Unvalued> {
        let mut total = Total { prices, to: currency, now, age: Span::ZERO };
        let (mut cash, mut unrealized) = (Money::ZERO, Money::ZERO);
        for (_, held, amount) in self.balances() {
            total.add(&mut cash, amount, held)?;
        }
        for position in self.positions.iter().filter(|position| !position.is_flat()) {
            let instrument = catalog.instrument(position.instrument());
            if instrument.settlement == tse_model::Settlement::Delivery {
                continue;
            }
            let (mark, age) = prices.mark(instrument.id, now)?;
            let large = Unvalued::OutOfRange { currency: instrument.settle };
            let gain = position.unrealized(instrument, mark).ok_or(large)?;
            total.add(&mut unrealized, gain, instrument.settle)?;
            total.age = total.age.max(age);
        }
        let sum = cash.checked_add(unrealized).ok_or(Unvalued::OutOfRange { currency })?;
        Ok(Equity { total: sum, cash, unrealized, age: total.age })
    }

    /// What the positions of a strategy (of all, if `None`) earned, in a currency, converted at
    /// present prices. Positions of every kind count, delivered ones too.
    ///
    /// # Errors
    /// [`Unvalued`]: the first figure that has no price that can be used.
    pub fn profit(
        &self,
        catalog: &Catalog,
        prices: &Prices,
        strategy: Option<StrategyId>,
        currency: CurrencyId,
        now: Timestamp,
    ) -> Result<Profit, Unvalued> {
        let mut total = Total { prices, to: currency, now, age: Span::ZERO };
        let zero = Money::ZERO;
        let [mut realized, mut unrealized, mut fees, mut funding] = [zero; 4];
        let wanted = |owner| strategy.is_none_or(|strategy| strategy == owner);
        for position in self.positions.iter().filter(|position| wanted(position.strategy())) {
            let instrument = catalog.instrument(position.instrument());
            let settle = instrument.settle;
            total.add(&mut realized, position.realized(), settle)?;
            total.add(&mut fees, position.fees(), settle)?;
            total.add(&mut funding, position.funding(), settle)?;
            if !position.is_flat() {
                let (mark, age) = prices.mark(instrument.id, now)?;
                let large = Unvalued::OutOfRange { currency: settle };
                let gain = position.unrealized(instrument, mark).ok_or(large)?;
                total.add(&mut unrealized, gain, settle)?;
                total.age = total.age.max(age);
            }
        }
        for (owner, _, paid_in, fee) in self.positions.all_other_fees() {
            if wanted(owner) {
                total.add(&mut fees, fee, paid_in)?;
            }
        }
        if strategy.is_none() {
            for terms in self.terms.iter().flatten() {
                total.add(&mut funding, terms.unassigned, terms.settle)?;
            }
        }
        Ok(Profit { realized, unrealized, fees, funding, age: total.age })
    }
}
