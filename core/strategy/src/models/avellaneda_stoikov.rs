//! Avellaneda-Stoikov quoting.
//!
//! M. Avellaneda and S. Stoikov, "High-frequency trading in a limit order book", Quantitative
//! Finance 8(3), 2008, eqs. (3.17) and (3.18): the reservation price is `s - q γ σ² τ`, the total
//! spread `γ σ² τ + (2/γ) ln(1 + γ/κ)`. Prices are in ticks, `q` counts orders of the strategy's size,
//! `σ` is in ticks per square root of a second. The remaining time `τ` is held constant, as for a
//! market that does not close.

use super::{Scene, TwoSided, outwards, skew::float};
use crate::indicators::Volatility;
use tse_model::{Decimal, Span};

/// The parameters and the running volatility.
#[derive(Clone, Debug)]
pub struct AvellanedaStoikov {
    gamma: f64,
    kappa: f64,
    horizon: f64,
    volatility: Volatility,
}

tse_model::kept_fields! {
    AvellanedaStoikov { saved: volatility; built: gamma, kappa, horizon }
}

impl AvellanedaStoikov {
    /// Risk aversion `gamma` (per tick), decay `kappa` of arrivals with distance (per tick), the
    /// horizon, and how many samples volatility is taken over.
    pub fn new(gamma: Decimal, kappa: Decimal, horizon: Span, lookback: usize) -> Self {
        Self {
            gamma: float(gamma),
            kappa: float(kappa),
            horizon: horizon.nanos() as f64 / 1e9,
            volatility: Volatility::new(lookback),
        }
    }

    /// Where to quote now; `None` until volatility is known.
    pub fn quotes(&mut self, scene: &Scene) -> Option<TwoSided> {
        let mid = scene.twice_mid as f64 / 2.0;
        self.volatility.update(mid, scene.now);
        let sigma = self.volatility.per_sqrt_second()?;
        let inventory = scene.position as f64 / scene.order_size.max(1) as f64;
        let risk = self.gamma * sigma * sigma * self.horizon;
        let reservation = mid - inventory * risk;
        let spread = risk + 2.0 / self.gamma * libm::log1p(self.gamma / self.kappa);
        outwards(reservation - spread / 2.0, reservation + spread / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_follow_the_formula() {
        let dec = |text: &str| text.parse().unwrap();
        let mut model = AvellanedaStoikov::new(dec("0.1"), dec("1.5"), Span::from_secs(1), 2);
        let mut quotes = None;
        // Steps of 2 ticks a second: sigma = 2.
        for (second, mid) in [1_000, 1_002, 1_000].into_iter().enumerate() {
            quotes = model.quotes(&Scene {
                twice_mid: 2 * mid,
                position: 30,
                position_max: 100,
                order_size: 10,
                now: second as i64 * 1_000_000_000,
            });
        }
        // Worked by hand: risk = 0.1 * 4 * 1 = 0.4; reservation = 1000 - 3 * 0.4 = 998.8;
        // spread = 0.4 + 20 * ln(1 + 1/15) = 0.4 + 1.29077 = 1.69077; bid 997.95, ask 999.65.
        assert_eq!(quotes, Some(TwoSided { bid: 997, ask: 1_000 }));
    }
}
