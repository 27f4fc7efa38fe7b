//! A spread around the mid, widened by volatility and shifted against inventory (spec §5.3).

use super::{Scene, TwoSided, outwards};
use crate::indicators::Volatility;
use tse_model::Decimal;

/// The parameters, as shares of the price.
#[derive(Clone, Debug)]
pub struct Skew {
    spread: f64,
    spread_min: f64,
    spread_max: f64,
    skew_factor: f64,
    skew_max: f64,
    volatility_multiplier: f64,
    volatility: Volatility,
}

/// The nearest float of an exact decimal.
pub(super) fn float(value: Decimal) -> f64 {
    // Two correctly rounded operations; mantissas here are a few digits long.
    value.mantissa() as f64 / libm::pow(10.0, f64::from(value.scale()))
}

tse_model::kept_fields! {
    Skew {
        saved: volatility;
        built: spread, spread_min, spread_max, skew_factor, skew_max, volatility_multiplier;
    }
}

impl Skew {
    /// From exact parameters: the spread with its least and greatest, how strongly inventory shifts
    /// it and how far at most, and how many deviations wide it is over how many samples.
    pub fn new(
        [spread, spread_min, spread_max]: [Decimal; 3],
        [skew_factor, skew_max]: [Decimal; 2],
        volatility_multiplier: Decimal,
        lookback: usize,
    ) -> Self {
        Self {
            spread: float(spread),
            spread_min: float(spread_min),
            spread_max: float(spread_max),
            skew_factor: float(skew_factor),
            skew_max: float(skew_max),
            volatility_multiplier: float(volatility_multiplier),
            volatility: Volatility::new(lookback),
        }
    }

    /// Where to quote now.
    pub fn quotes(&mut self, scene: &Scene) -> Option<TwoSided> {
        let mid = scene.twice_mid as f64 / 2.0;
        self.volatility.update(mid, scene.now);
        let deviation = self.volatility.per_sqrt_second().unwrap_or(0.0) / mid.abs().max(1.0);
        let spread = self.spread.max(self.volatility_multiplier * deviation);
        let half = spread.clamp(self.spread_min, self.spread_max) / 2.0;
        let share = scene.position as f64 / scene.position_max.max(1) as f64;
        let skew = (self.skew_factor * share * self.skew_max).clamp(-self.skew_max, self.skew_max);
        let fair = mid * (1.0 - skew);
        outwards(fair - half * mid, fair + half * mid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn skew() -> Skew {
        Skew::new(
            [dec("0.001"), dec("0.001"), dec("0.01")],
            [dec("0.5"), dec("0.005")],
            dec("2"),
            20,
        )
    }

    fn scene(position: i64) -> Scene {
        Scene { twice_mid: 2_000_000, position, position_max: 100, order_size: 1, now: 0 }
    }

    #[test]
    fn a_flat_book_is_quoted_symmetrically() {
        assert_eq!(skew().quotes(&scene(0)), Some(TwoSided { bid: 999_500, ask: 1_000_500 }));
    }

    #[test]
    fn half_the_limit_with_factor_a_half_shifts_by_an_eighth_of_a_percent() {
        // Spec §5.3: position 50 of 100, factor 0.5, at most 0.5 %: 0.125 % down.
        assert_eq!(skew().quotes(&scene(50)), Some(TwoSided { bid: 998_250, ask: 999_250 }));
        assert_eq!(skew().quotes(&scene(-50)), Some(TwoSided { bid: 1_000_750, ask: 1_001_750 }));
    }
}
