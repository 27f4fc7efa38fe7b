//! What a bad day may cost: value at risk and expected shortfall of one day, as shares of equity.
//!
//! Historical simulation over the last 30 daily returns, each of which may come again; with fewer, the normal
//! distribution with their mean and deviation (J.P. Morgan, RiskMetrics 1996; expected shortfall after
//! Acerbi and Tasche 2002). It knows no positions: what is held now may be larger than what earned these returns.

/// How many daily returns are looked back on.
pub const LOOKBACK: usize = 30;

/// How a tail was estimated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// From losses that there were.
    Historical,
    /// From mean and deviation alone.
    Parametric,
}

/// Losses of one day as shares of equity; below zero where even then something is gained.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TailRisk {
    /// How many daily returns it rests on.
    pub samples: usize,
    /// How it was estimated.
    pub method: Method,
    /// What 95 % of days do not lose more than.
    pub var_95: f64,
    /// What 99 % of days do not lose more than.
    pub var_99: f64,
    /// What the other 5 % lose in the mean.
    pub es_95: f64,
    /// What the other 1 % lose in the mean.
    pub es_99: f64,
}

/// The last daily returns.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail {
    returns: [f64; LOOKBACK],
    count: usize,
    next: usize,
}

/// A level of confidence: of a hundred days, the standard normal quantile, and the normal density there.
struct Confidence {
    percent: usize,
    z: f64,
    density: f64,
}

const LEVELS: [Confidence; 2] = [
    Confidence { percent: 95, z: 1.644_853_626_951_472_2, density: 0.103_135_640_375_372_6 },
    Confidence { percent: 99, z: 2.326_347_874_040_840_8, density: 0.026_652_142_203_458_08 },
];

impl Tail {
    pub(super) fn add(&mut self, growth: f64) {
        self.returns[self.next] = growth;
        self.next = (self.next + 1) % LOOKBACK;
        self.count = (self.count + 1).min(LOOKBACK);
    }

    pub(super) fn add_zeros(&mut self, count: i64) {
        (0..count.min(LOOKBACK as i64)).for_each(|_| self.add(0.0));
    }

    /// `None` under two returns.
    pub(super) fn risk(&self) -> Option<TailRisk> {
        let mut losses = [0.0; LOOKBACK];
        for (loss, growth) in losses.iter_mut().zip(self.returns) {
            *loss = -growth;
        }
        let losses = &mut losses[..self.count];
        if losses.len() < 2 {
            return None;
        }
        losses.sort_unstable_by(f64::total_cmp);
        let n = losses.len() as f64;
        let mean = losses.iter().sum::<f64>() / n;
        let squares = losses.iter().map(|loss| (loss - mean) * (loss - mean)).sum::<f64>();
        let deviation = (squares / (n - 1.0)).sqrt();
        let historical = losses.len() == LOOKBACK;
        let [(var_95, es_95), (var_99, es_99)] = LEVELS.map(|level| {
            if historical {
                let rank = (level.percent * losses.len()).div_ceil(100);
                let worst = &losses[rank - 1..];
                (worst[0], worst.iter().sum::<f64>() / worst.len() as f64)
            } else {
                let beyond = (100 - level.percent) as f64 / 100.0;
                (mean + level.z * deviation, mean + deviation * level.density / beyond)
            }
        });
        let method = if historical { Method::Historical } else { Method::Parametric };
        Some(TailRisk { samples: losses.len(), method, var_95, var_99, es_95, es_99 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thirty_returns_are_ranked_and_older_ones_are_forgotten() {
        let mut tail = Tail::default();
        tail.add(-9.0);
        (1..=30).for_each(|day| tail.add(-0.01 * f64::from(day)));
        let risk = tail.risk().unwrap();
        assert_eq!((risk.samples, risk.method), (30, Method::Historical));
        assert!((risk.var_95 - 0.29).abs() < 1e-15 && (risk.var_99 - 0.30).abs() < 1e-15);
        assert!((risk.es_95 - 0.295).abs() < 1e-15 && (risk.es_99 - 0.30).abs() < 1e-15);
    }

    #[test]
    fn under_thirty_it_is_the_normal_distribution() {
        let mut tail = Tail::default();
        assert_eq!(tail.risk(), None);
        tail.add(0.01);
        assert_eq!(tail.risk(), None);
        tail.add(-0.01);
        let risk = tail.risk().unwrap();
        assert_eq!((risk.samples, risk.method), (2, Method::Parametric));
        let deviation = 0.0002f64.sqrt();
        assert!((risk.var_99 - 2.326_347_874_040_840_8 * deviation).abs() < 1e-15);
        // The density at the quantile, over what lies beyond it.
        assert!(
            (risk.es_95 / deviation - 2.062_712_807_507).abs() < 1e-9,
            "{}",
            risk.es_95 / deviation
        );
        assert!((risk.es_99 / deviation - 2.665_214_220_346).abs() < 1e-9);
    }
}
