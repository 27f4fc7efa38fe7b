//! What a venue charges for a fill, as its published schedule says.

use crate::{Instrument, Liquidity, Money, Price, Qty, Rate, Rounding, divide};

/// What a fee is a share of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FeeBasis {
    /// A rate of the traded value, charged in the settlement currency.
    Value {
        /// For fills that were resting; negative for a rebate.
        maker: Rate,
        /// For fills that came in and took.
        taker: Rate,
    },
    /// An amount for each whole unit of the base asset (a share), as money of the settlement
    /// currency; negative for a rebate.
    PerUnit {
        /// For fills that were resting.
        maker: Money,
        /// For fills that came in and took.
        taker: Money,
        /// No fill costs less than this (applied to charges, not to rebates).
        minimum: Money,
    },
    /// An amount for each contract (each lot), as money of the settlement currency.
    PerContract {
        /// For fills that were resting.
        maker: Money,
        /// For fills that came in and took.
        taker: Money,
    },
}

/// A step of a schedule: it holds once the traded value reaches `from`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeeTier {
    /// Value traded so far, in the settlement currency, from which this tier holds.
    pub from: Money,
    /// What it charges.
    pub basis: FeeBasis,
}

/// A venue's schedule for one instrument: tiers by traded value, the first from zero.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FeeSchedule {
    tiers: Vec<FeeTier>,
    rounding: Rounding,
}

impl FeeSchedule {
    /// No fees at all: only ever a labelled sensitivity.
    pub fn free() -> Self {
        Self::flat(FeeBasis::Value { maker: Rate::ZERO, taker: Rate::ZERO }, Rounding::HalfEven)
    }

    /// One basis for every volume.
    pub fn flat(basis: FeeBasis, rounding: Rounding) -> Self {
        Self { tiers: vec![FeeTier { from: Money::ZERO, basis }], rounding }
    }

    /// Tiers in rising order of `from`, the first from zero; `None` if they are not that.
    pub fn tiered(tiers: Vec<FeeTier>, rounding: Rounding) -> Option<Self> {
        let starts_at_zero = tiers.first().is_some_and(|tier| tier.from.is_zero());
        let rises = tiers.windows(2).all(|pair| pair[0].from < pair[1].from);
        (starts_at_zero && rises).then_some(Self { tiers, rounding })
    }

    /// The tiers, lowest first.
    pub fn tiers(&self) -> &[FeeTier] {
        &self.tiers
    }

    /// How a fee is rounded to the smallest unit of the settlement currency.
    pub fn rounding(&self) -> Rounding {
        self.rounding
    }

    /// Whether nothing is ever charged: worth a warning in a report.
    pub fn is_free(&self) -> bool {
        self.tiers.iter().all(|tier| match tier.basis {
            FeeBasis::Value { maker, taker } => maker == Rate::ZERO && taker == Rate::ZERO,
            FeeBasis::PerUnit { maker, taker, .. } | FeeBasis::PerContract { maker, taker } => {
                maker.is_zero() && taker.is_zero()
            }
        })
    }

    /// The tier that holds after `traded` value.
    pub fn basis(&self, traded: Money) -> FeeBasis {
        let at = self.tiers.partition_point(|tier| tier.from <= traded);
        self.tiers[at.max(1) - 1].basis
    }

    /// The fee of a fill of `qty` (unsigned) at `price`: positive is a charge, negative a rebate.
    /// `None` on overflow.
    pub fn fee(
        &self,
        instrument: &Instrument,
        liquidity: Liquidity,
        price: Price,
        qty: Qty,
        traded: Money,
    ) -> Option<Money> {
        match self.basis(traded) {
            FeeBasis::Value { .. } => {
                let value = instrument.value(price, qty)?.money.checked_abs()?;
                self.fee_of(instrument, liquidity, value, qty, traded)
            }
            _ => self.fee_of(instrument, liquidity, Money::ZERO, qty, traded),
        }
    }

    /// The same for who knows already what it is worth: `value`, unsigned.
    pub fn fee_of(
        &self,
        instrument: &Instrument,
        liquidity: Liquidity,
        value: Money,
        qty: Qty,
        traded: Money,
    ) -> Option<Money> {
        let side = |maker, taker| match liquidity {
            Liquidity::Maker => maker,
            Liquidity::Taker => taker,
        };
        match self.basis(traded) {
            FeeBasis::Value { maker, taker } => {
                let rate = match liquidity {
                    Liquidity::Maker => maker,
                    Liquidity::Taker => taker,
                };
                rate.of(value, self.rounding)
            }
            FeeBasis::PerUnit { maker, taker, minimum } => {
                let (lot, scale) = (instrument.lot.mantissa(), instrument.lot.scale());
                let units = i128::from(qty.get()).checked_mul(lot)?;
                let one = crate::decimal::power_of_ten(scale)?;
                let fee = Money::from_units(divide(
                    side(maker, taker).units().checked_mul(units)?,
                    one,
                    self.rounding,
                )?);
                Some(if fee.is_negative() { fee } else { fee.max(minimum) })
            }
            FeeBasis::PerContract { maker, taker } => Some(Money::from_units(
                side(maker, taker).units().checked_mul(i128::from(qty.get()))?,
            )),
        }
    }
}
