//! Two moving averages, and which is above.

use super::Ema;

/// A fast and a slow exponential moving average of one price.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cross {
    fast: Ema,
    slow: Ema,
}

tse_model::kept_fields! {
    Cross { saved: fast, slow; built: }
}

impl Cross {
    /// Averages over about `fast` and `slow` inputs.
    ///
    /// # Panics
    /// If one of them is zero.
    pub fn new(fast: u32, slow: u32) -> Self {
        Self { fast: Ema::new(fast), slow: Ema::new(slow) }
    }

    /// Both averages, rounded to whole units of what was put in; zero before the first.
    pub fn averages(&self) -> [i64; 2] {
        [&self.fast, &self.slow]
            .map(|average| average.value().map_or(0, |value| value.round() as i64))
    }

    /// Takes a price in any fixed unit and says whether the fast average is at or above the slow.
    pub fn update(&mut self, price: i64) -> bool {
        let price = price as f64;
        let (fast, slow) = (self.fast.update(price), self.slow.update(price));
        fast >= slow
    }
}
