//! How much of one asset a set of instruments holds: what a hedger has left to hedge.
//!
//! An [`Exposure`] is worked out once for its instruments and then asked as often as prices move.
//! It reads the ledger's positions, never events, so what it says is what is held.

use crate::portfolio::Portfolio;
use crate::prices::{Prices, Unvalued};
use crate::wide::mul_div;
use tse_model::decimal::power_of_ten;
use tse_model::{Catalog, CurrencyId, InstrumentId, Money, Qty, Rounding, StrategyId, Timestamp};

/// The net holding of one base asset over instruments that all have it as their base.
#[derive(Clone, Debug)]
pub struct Exposure {
    base: CurrencyId,
    legs: Vec<Leg>,
}

#[derive(Clone, Copy, Debug)]
struct Leg {
    instrument: InstrumentId,
    size: Size,
}

#[derive(Clone, Copy, Debug)]
enum Size {
    /// Smallest units of the base asset in one lot, as a fraction.
    Fixed { n: i128, d: i128 },
    /// Contract value over price, which for an inverse contract is its value in its settlement
    /// currency.
    ByPrice,
}

/// Why instruments have no exposure in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExposureError {
    /// There are none.
    Empty,
    /// This one has another base asset than the first.
    OtherBase(InstrumentId),
    /// A lot of this one needs more than 38 digits of its base asset.
    TooFine(InstrumentId),
}

impl std::fmt::Display for ExposureError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => write!(f, "no instruments"),
            Self::OtherBase(id) => write!(f, "instrument {} has another base asset", id.0),
            Self::TooFine(id) => write!(f, "a lot of instrument {} is too fine", id.0),
        }
    }
}

impl std::error::Error for ExposureError {}

impl Exposure {
    /// The exposure over these instruments.
    ///
    /// # Errors
    /// An [`ExposureError`] if they have no base asset in common.
    pub fn over(catalog: &Catalog, instruments: &[InstrumentId]) -> Result<Self, ExposureError> {
        let first = *instruments.first().ok_or(ExposureError::Empty)?;
        let base = catalog.instrument(first).base;
        let scale = catalog.currency(base).scale;
        let leg = |id: &InstrumentId| {
            let instrument = catalog.instrument(*id);
            if instrument.base != base {
                return Err(ExposureError::OtherBase(*id));
            }
            if instrument.kind.is_inverse() {
                return Ok(Leg { instrument: *id, size: Size::ByPrice });
            }
            let too_fine = ExposureError::TooFine(*id);
            let lot = instrument.lot.checked_mul(instrument.multiplier).ok_or(too_fine)?;
            let up = power_of_ten(scale.saturating_sub(lot.scale())).ok_or(too_fine)?;
            let d = power_of_ten(lot.scale().saturating_sub(scale)).ok_or(too_fine)?;
            let n = lot.mantissa().checked_mul(up).ok_or(too_fine)?;
            Ok(Leg { instrument: *id, size: Size::Fixed { n, d } })
        };
        let legs = instruments.iter().map(leg).collect::<Result<_, _>>()?;
        Ok(Self { base, legs })
    }

    /// The asset it is counted in.
    pub fn base(&self) -> CurrencyId {
        self.base
    }

    /// The net holding of a strategy (of the account, if `None`), in smallest units of the base
    /// asset, long above zero; each instrument's part rounded half to even. Only inverse contracts
    /// that are held need a price.
    ///
    /// # Errors
    /// [`Unvalued`] if such a price is missing or too old, or the sum does not fit.
    pub fn of(
        &self,
        portfolio: &Portfolio,
        catalog: &Catalog,
        strategy: Option<StrategyId>,
        prices: &Prices,
        now: Timestamp,
    ) -> Result<Money, Unvalued> {
        let large = Unvalued::OutOfRange { currency: self.base };
        let mut sum = Money::ZERO;
        for leg in &self.legs {
            let qty = match strategy {
                Some(strategy) => portfolio.qty(strategy, leg.instrument),
                None => portfolio.net(leg.instrument),
            };
            if qty == Qty::ZERO {
                continue;
            }
            let part = match leg.size {
                Size::Fixed { n, d } => {
                    mul_div(i128::from(qty.get()), n, d, Rounding::HalfEven).map(Money::from_units)
                }
                Size::ByPrice => {
                    let (mark, _) = prices.mark(leg.instrument, now)?;
                    mark.value(catalog.instrument(leg.instrument), qty)
                }
            };
            sum = part.and_then(|part| sum.checked_add(part)).ok_or(large)?;
        }
        Ok(sum)
    }
}
