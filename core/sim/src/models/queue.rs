//! Where in a queue a decrease happened, when only the level's total is known.
//!
//! An aggregated book shows that a level shrank, not whose order left. How much of it stood ahead of
//! ours is estimated, as in E. Rigtorp, "Estimating order queue position" (2013), and the
//! discussion it belongs to (Quantitative Finance Stack Exchange, question 3782): with `f` quantity ahead and `b`
//! behind, a share `g(b) / (g(b) + g(f))` of the decrease happened behind. The choices of `g` are
//! those that hftbacktest offers.

/// Which estimate is used.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum QueueModel {
    /// Optimist: our order stands in front, so any trade at its price is ours.
    Front,
    /// Pessimist: only trades shorten the queue ahead; all cancels happen behind while there is
    /// anything behind.
    Back,
    /// `g(x) = x^n`.
    Power(f64),
    /// `g(x) = ln(1 + x)`.
    Log,
}

impl QueueModel {
    /// How much of a decrease `d` of a queue happened ahead of our order. The rest happened behind;
    /// never more than there is on either side.
    pub fn ahead(self, ahead: i64, behind: i64, d: i64) -> i64 {
        let (least, most) = ((d - behind).max(0), ahead.min(d));
        let behind_share = match self {
            Self::Front => 0.0,
            Self::Back => 1.0,
            Self::Power(n) => share(power(behind as f64, n), power(ahead as f64, n)),
            Self::Log => share(libm::log1p(behind as f64), libm::log1p(ahead as f64)),
        };
        let estimate = (d as f64 * (1.0 - behind_share)).round() as i64;
        estimate.clamp(least.min(most), most)
    }

    /// Its name in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Back => "back",
            Self::Power(_) => "power",
            Self::Log => "log",
        }
    }
}

/// `x^n`; a small whole exponent is multiplied out: this runs for every fall near our orders.
fn power(x: f64, n: f64) -> f64 {
    if n == 1.0 {
        x
    } else if n == 2.0 {
        x * x
    } else if n == 3.0 {
        x * x * x
    } else {
        libm::pow(x, n)
    }
}

fn share(behind: f64, ahead: f64) -> f64 {
    if behind + ahead > 0.0 { behind / (behind + ahead) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pessimist_loses_from_behind_and_the_optimist_from_ahead() {
        assert_eq!(QueueModel::Back.ahead(10, 10, 4), 0);
        assert_eq!(QueueModel::Back.ahead(10, 3, 4), 1, "behind had only three");
        assert_eq!(QueueModel::Front.ahead(10, 10, 4), 4);
        assert_eq!(QueueModel::Front.ahead(2, 10, 4), 2);
    }

    #[test]
    fn probabilities_follow_their_formulas() {
        // n = 2: behind share = 30^2 / (30^2 + 10^2) = 0.9, so a tenth of 20 was ahead.
        assert_eq!(QueueModel::Power(2.0).ahead(10, 30, 20), 2);
        // n = 1, equal on both sides: half.
        assert_eq!(QueueModel::Power(1.0).ahead(10, 10, 8), 4);
        // ln(1 + 7) / (ln(1 + 7) + ln(1 + 1)) = 3/4 behind.
        assert_eq!(QueueModel::Log.ahead(1, 7, 4), 1);
    }

    #[test]
    fn nothing_is_taken_from_where_nothing_stands() {
        for model in [QueueModel::Front, QueueModel::Back, QueueModel::Power(3.0), QueueModel::Log]
        {
            for (ahead, behind) in [(0, 9), (9, 0), (5, 4)] {
                for d in 0..=9 {
                    let from_ahead = model.ahead(ahead, behind, d);
                    assert!(
                        from_ahead <= ahead && d - from_ahead <= behind,
                        "{model:?} {ahead} {behind} {d}"
                    );
                }
            }
        }
    }
}
