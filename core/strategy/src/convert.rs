//! Fixed conversions between currencies that no instrument of the run prices.
//!
//! A fixed rate is an assumption, never a fact: USDT is not USD. Whoever configures one sees it
//! printed with every result.

use tse_model::{CurrencyId, Decimal};

/// `1 from = rate to`, assumed for the whole run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FixedRate {
    /// What is converted.
    pub from: CurrencyId,
    /// Into what.
    pub to: CurrencyId,
    /// At what rate, above zero.
    pub rate: Decimal,
}

/// The fixed rates of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Rates {
    fixed: Vec<FixedRate>,
}

impl Rates {
    /// From a list; later entries do not override earlier ones.
    pub fn new(fixed: Vec<FixedRate>) -> Self {
        Self { fixed }
    }

    /// All of them.
    pub fn all(&self) -> &[FixedRate] {
        &self.fixed
    }

    /// How much `to` one `from` is, as a fraction of two whole numbers above zero.
    pub fn ratio(&self, from: CurrencyId, to: CurrencyId) -> Option<(i128, i128)> {
        if from == to {
            return Some((1, 1));
        }
        self.fixed.iter().find_map(|fixed| {
            let one = tse_model::decimal::power_of_ten(fixed.rate.scale())?;
            if (fixed.from, fixed.to) == (from, to) {
                Some((fixed.rate.mantissa(), one))
            } else if (fixed.from, fixed.to) == (to, from) {
                Some((one, fixed.rate.mantissa()))
            } else {
                None
            }
        })
    }
}
