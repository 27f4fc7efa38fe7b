//! How near something is to its limit, in four steps, and when that is worth a word.
//!
//! A word is said when a step is reached that is higher than the last one told, and not again for the same until it
//! has fallen well below: whoever stands at a step must not be told a hundred times a second.

use crate::exposure::Measure;
use crate::switch::Reach;
use tse_model::{Money, recorded_choices};

/// How near to its limit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// From 50 % of the limit.
    Low,
    /// From 75 %.
    Medium,
    /// From 90 %.
    High,
    /// From 100 %.
    Critical,
}

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Metric {
    /// C15: lost since the UTC day began.
    DayLoss,
    /// C16: lost from the highest point.
    Drawdown,
    /// C12: what 99 % of days do not lose more than.
    ValueAtRisk,
    /// C12: what is held.
    Exposure(Measure),
    /// C12: how much the two strategies that earn together most do, in billionths.
    Correlation,
}

recorded_choices! {
    Severity {
        1 => Low,
        2 => Medium,
        3 => High,
        4 => Critical,
    }
    Measure {
        1 => Gross,
        2 => Net,
        3 => Leverage,
        4 => Concentration,
        5 => GroupGross(group),
        6 => GroupNet(group),
    }
    Metric {
        1 => DayLoss,
        2 => Drawdown,
        3 => ValueAtRisk,
        4 => Exposure(measure),
        5 => Correlation,
    }
}

impl Severity {
    /// The steps, and from which share of the limit in per cent they hold.
    const STEPS: [(Self, i128); 4] =
        [(Self::Low, 50), (Self::Medium, 75), (Self::High, 90), (Self::Critical, 100)];

    /// A stable name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// How near `value` is to its limit; `None` below half of it. What has no room is critical at once; so is
    /// what fits no integer.
    pub fn of(value: Money, limit: Money) -> Option<Self> {
        if value <= Money::ZERO {
            return None;
        }
        Self::STEPS
            .into_iter()
            .rev()
            .find(|(_, percent)| reaches(value, limit, *percent))
            .map(|it| it.0)
    }

    /// The step below this one's, less a tenth of the limit: only there it counts as left.
    fn left_below(self, value: Money, limit: Money) -> bool {
        let (_, percent) = Self::STEPS[self as usize];
        !reaches(value, limit, percent - 10)
    }
}

/// Whether `value` is at least so many per cent of a limit.
fn reaches(value: Money, limit: Money, percent: i128) -> bool {
    let parts = (value.units().checked_mul(100), limit.units().max(0).checked_mul(percent));
    match parts {
        (Some(value), Some(limit)) => value >= limit,
        // One that large is beyond any limit; a limit that large is no limit.
        (None, _) => true,
        (_, None) => false,
    }
}

impl Metric {
    /// A stable name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DayLoss => "day_loss",
            Self::Drawdown => "drawdown",
            Self::ValueAtRisk => "value_at_risk",
            Self::Exposure(measure) => measure.name(),
            Self::Correlation => "correlation",
        }
    }
}

/// What was told of each metric of each scope.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Gauges {
    told: Vec<(Reach, Metric, Severity)>,
}

tse_model::recorded_fields! {
    Gauges { told }
}

impl Gauges {
    /// A metric is this now. Says how severe that is, if it is more than was told before.
    pub fn observe(
        &mut self,
        reach: Reach,
        metric: Metric,
        value: Money,
        limit: Money,
    ) -> Option<Severity> {
        let now = Severity::of(value, limit);
        let known = self.told.iter().position(|(of, what, _)| (*of, *what) == (reach, metric));
        let before = known.map(|at| self.told[at].2);
        if now > before {
            let now = now?;
            match known {
                Some(at) => self.told[at].2 = now,
                None => self.told.push((reach, metric, now)),
            }
            return Some(now);
        }
        if let (Some(at), Some(before)) = (known, before)
            && before.left_below(value, limit)
        {
            match now {
                Some(now) => self.told[at].2 = now,
                None => drop(self.told.swap_remove(at)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(values: &[i128]) -> Vec<Option<Severity>> {
        let mut gauges = Gauges::default();
        let mut observe = |value: &i128| {
            gauges.observe(
                Reach::Firm,
                Metric::DayLoss,
                Money::from_units(*value),
                Money::from_units(200),
            )
        };
        values.iter().map(&mut observe).collect()
    }

    #[test]
    fn steps_begin_at_50_75_90_and_100_per_cent() {
        let of = |value| Severity::of(Money::from_units(value), Money::from_units(200));
        let cases = [
            (99, None),
            (100, Some(Severity::Low)),
            (149, Some(Severity::Low)),
            (150, Some(Severity::Medium)),
            (179, Some(Severity::Medium)),
            (180, Some(Severity::High)),
            (199, Some(Severity::High)),
            (200, Some(Severity::Critical)),
            (i128::MAX, Some(Severity::Critical)),
            (-500, None),
        ];
        for (value, severity) in cases {
            assert_eq!(of(value), severity, "{value}");
        }
        assert_eq!(Severity::of(Money::from_units(1), Money::ZERO), Some(Severity::Critical));
        assert_eq!(Severity::of(Money::ZERO, Money::ZERO), None);
    }

    #[test]
    fn a_step_is_told_once_until_it_was_well_left() {
        use Severity::{Critical, High, Low, Medium};
        let (low, critical) = (Some(Low), Some(Critical));
        assert_eq!(told(&[100, 99, 100, 149, 100]), [low, None, None, None, None]);
        assert_eq!(told(&[100, 79, 100]), [low, None, low], "below 40 per cent it is forgotten");
        assert_eq!(told(&[250, 190, 250]), [critical, None, None]);
        assert_eq!(told(&[250, 179, 185, 250]), [critical, None, Some(High), critical]);
        assert_eq!(told(&[10, 160, 0, 160]), [None, Some(Medium), None, Some(Medium)]);
    }

    #[test]
    fn names_are_stable_and_tell_things_apart() {
        let of = Severity::STEPS.map(|(severity, _)| severity.name());
        assert_eq!(of, ["low", "medium", "high", "critical"]);
        let measures = [
            Measure::Gross,
            Measure::Net,
            Measure::Leverage,
            Measure::Concentration,
            Measure::GroupGross(7),
            Measure::GroupNet(7),
        ];
        let named = measures.map(|measure| Metric::Exposure(measure).name());
        let all = ["gross", "net", "leverage", "concentration", "group_gross", "group_net"];
        assert_eq!(named, all);
        let others = [Metric::DayLoss, Metric::Drawdown, Metric::ValueAtRisk].map(Metric::name);
        assert_eq!(others, ["day_loss", "drawdown", "value_at_risk"]);
    }

    #[test]
    fn scopes_and_metrics_are_told_apart() {
        let mut gauges = Gauges::default();
        let (full, limit) = (Money::from_units(9), Money::from_units(10));
        let mut tell = |reach, metric| gauges.observe(reach, metric, full, limit);
        assert!(tell(Reach::Firm, Metric::DayLoss).is_some());
        assert!(tell(Reach::Firm, Metric::Drawdown).is_some());
        assert!(tell(Reach::Strategy(tse_model::StrategyId(0)), Metric::DayLoss).is_some());
        assert!(tell(Reach::Firm, Metric::DayLoss).is_none());
    }
}
