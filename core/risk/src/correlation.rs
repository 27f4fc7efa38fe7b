//! Whether strategies earn together: then limits by strategy protect less than they seem to (C12).
//!
//! What each has earned is looked at in equal steps; the correlation of the changes of two strategies is Pearson's, over
//! the last so many steps, in whole numbers: the same on every machine. It knows no money's currency and trips nothing.
//!
//! Begin at [`Together::observe`].

use std::collections::VecDeque;
use tse_model::{Money, Rate, Span, kept_fields};

/// How many bits the largest change has before it is multiplied: sums of a million products fit 128 bits then.
const BITS: u32 = 30;
/// The most steps that are looked back on.
pub const SAMPLES_MAX: u32 = 1_000;

/// How much two strategies may earn together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CorrelationLimit {
    /// The correlation, from zero to one.
    pub max: Rate,
    /// How long a step is.
    pub every: Span,
    /// Over how many of them; at least two and at most [`SAMPLES_MAX`].
    pub samples: u32,
}

/// What strategies earned, step by step.
#[derive(Clone, Debug)]
pub struct Together {
    limit: CorrelationLimit,
    /// By strategy: what it had earned at the last step, where that could be told of all.
    last: Vec<Money>,
    /// By strategy: the changes since, oldest first; all are of one length.
    changes: Vec<VecDeque<i128>>,
}

kept_fields! {
    Together { saved: last, changes; built: limit }
}

impl Together {
    /// Nothing yet.
    pub fn new(limit: CorrelationLimit) -> Self {
        Self { limit, last: Vec::new(), changes: Vec::new() }
    }

    /// How much may be.
    pub fn limit(&self) -> &CorrelationLimit {
        &self.limit
    }

    /// A step has ended, and each strategy has earned so much by now. Where that cannot be told of one of them there is
    /// no step: changes over a gap would be of another length.
    pub fn observe(&mut self, earned: &[Option<Money>]) {
        let all: Option<Vec<Money>> = earned.iter().copied().collect();
        let Some(all) = all else {
            self.last.clear();
            return;
        };
        let since: Option<Vec<i128>> = (self.last.len() == all.len())
            .then(|| all.iter().zip(&self.last).map(|(now, then)| now.checked_sub(*then)))
            .and_then(|changes| changes.map(|change| change.map(Money::units)).collect());
        self.last = all;
        let Some(since) = since else { return };
        self.changes.resize(since.len(), VecDeque::new());
        for (changes, change) in self.changes.iter_mut().zip(since) {
            changes.push_back(change);
            if changes.len() > self.limit.samples as usize {
                changes.pop_front();
            }
        }
    }

    /// The two that earn together most, and how much; `None` before there are enough steps, or while no two of
    /// them change.
    pub fn closest(&self) -> Option<(usize, usize, Rate)> {
        let whole = |changes: &VecDeque<i128>| changes.len() >= self.limit.samples as usize;
        let mut closest: Option<(usize, usize, Rate)> = None;
        for (first, a) in self.changes.iter().enumerate().filter(|(_, it)| whole(it)) {
            for (second, b) in self.changes.iter().enumerate().skip(first + 1) {
                let Some(now) = correlation(a, b) else { continue };
                if closest.is_none_or(|(.., before)| now > before) {
                    closest = Some((first, second, now));
                }
            }
        }
        closest
    }
}

/// Pearson's correlation of two series of one length, to a billionth or so; `None` where one of them does not change.
fn correlation(a: &VecDeque<i128>, b: &VecDeque<i128>) -> Option<Rate> {
    let (a, b) = (scaled(a)?, scaled(b)?);
    let n = a.len().min(b.len()) as i128;
    let sum = |values: &[i128]| values.iter().sum::<i128>();
    let product = |a: &[i128], b: &[i128]| a.iter().zip(b).map(|(a, b)| a * b).sum::<i128>();
    let moment = |a: &[i128], b: &[i128]| n * product(a, b) - sum(a) * sum(b);
    let spread = |values: &[i128]| moment(values, values).unsigned_abs().isqrt() as i128;
    let together = spread(&a).checked_mul(spread(&b)).filter(|it| *it > 0)?;
    let one = i128::from(Rate::ONE);
    let share = moment(&a, &b).checked_mul(one)? / together;
    Some(Rate::from_billionths(i64::try_from(share.clamp(-one, one)).ok()?))
}

/// The series in units in which its largest value has so many bits; `None` if there are no values.
fn scaled(values: &VecDeque<i128>) -> Option<Vec<i128>> {
    let largest = values.iter().map(|value| value.unsigned_abs()).max()?;
    let bits = u128::BITS - largest.leading_zeros();
    let scale = |value: &i128| match bits.checked_sub(BITS) {
        Some(more) => value >> more,
        None => value << (BITS - bits),
    };
    Some(values.iter().map(scale).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn together(samples: u32) -> Together {
        let max = Rate::from_billionths(900_000_000);
        Together::new(CorrelationLimit { max, every: Span::from_secs(1), samples })
    }

    /// What each had earned, step by step.
    fn after(samples: u32, steps: &[[i128; 3]]) -> Option<(usize, usize, i64)> {
        let mut together = together(samples);
        for earned in steps {
            let earned = earned.map(|units| Some(Money::from_units(units)));
            together.observe(&earned);
        }
        together.closest().map(|(a, b, rate)| (a, b, rate.billionths()))
    }

    #[test]
    fn the_two_that_earn_together_most_are_found() {
        // Of several that earn together as much, the first two.
        let steps = [[0, 0, 0], [1, 1, 1], [3, 3, 3], [2, 2, 2]];
        assert_eq!(after(3, &steps), Some((0, 1, 1_000_000_000)));
        // The first and the third change alike, ten times as much; the second the other way.
        let steps = [[0, 0, 0], [1, -1, 10], [3, -3, 30], [2, -2, 20], [6, -6, 60]];
        assert_eq!(after(4, &steps), Some((0, 2, 1_000_000_000)));
        assert_eq!(after(5, &steps), None, "four changes are not five");
        // Changes 1 2 -1 4 and 2 1 0 3: Pearson's r by hand is 13/sqrt(13·5·4...) = 0.868243...
        let steps = [[0, 0, 0], [1, 2, 0], [3, 3, 0], [2, 3, 0], [6, 6, 0]];
        let (first, second, rate) = after(4, &steps).unwrap();
        // n·Σxy − Σx·Σy = 4·16 − 6·6 = 28; 4·22 − 36 = 52; 4·14 − 36 = 20: 28/sqrt(52·20).
        assert_eq!((first, second), (0, 1));
        assert!((rate - 868_243_142).abs() < 10, "{rate}");
    }

    #[test]
    fn what_does_not_change_earns_together_with_nobody() {
        assert_eq!(after(2, &[[5, 5, 5]; 6]), None);
        assert_eq!(after(2, &[[0, 0, 0], [1, 0, 0], [5, 0, 0]]), None);
        // The same change each step is no change of change.
        assert_eq!(after(2, &[[0, 0, 0], [1, 1, 0], [2, 2, 0]]), None);
    }

    #[test]
    fn sizes_do_not_matter_and_nothing_overflows() {
        for unit in [1, 1 << 20, 1 << 62, i128::MAX / 64] {
            let steps = [[0, 0, 0], [unit, unit, 0], [0, 0, 0], [unit * 3, unit * 3, 0]];
            let (.., rate) = after(3, &steps).unwrap();
            assert!((rate - 1_000_000_000).abs() < 10, "{unit}: {rate}");
        }
    }

    #[test]
    fn over_a_gap_there_is_no_step() {
        let mut together = together(2);
        let some = |units: [i128; 2]| units.map(|units| Some(Money::from_units(units)));
        together.observe(&some([0, 0]));
        together.observe(&some([5, 7]));
        together.observe(&[Some(Money::from_units(9)), None]);
        together.observe(&some([100, -100]));
        assert_eq!(together.closest(), None, "one change and no more");
        together.observe(&some([99, -101]));
        assert_eq!(together.closest().map(|it| it.2.billionths()), Some(1_000_000_000));
        // Only the last so many count.
        together.observe(&some([98, -90]));
        assert_eq!(together.closest(), None, "one of them changed by as much twice");
    }
}
