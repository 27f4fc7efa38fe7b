//! The distribution of what opportunities were worth, exact.
//!
//! Values are billionths of a price and come by the thousand or by the million; equal ones are counted
//! together, so memory follows the number of *different* values. Beyond [`DIFFERENT`] of them they are
//! counted on a coarser grid, which [`Distribution::grain`] then tells.

use std::collections::BTreeMap;

/// The most different values that are told apart.
const DIFFERENT: usize = 1 << 18;

/// How many values of each size there were.
#[derive(Clone, Debug)]
pub(crate) struct Distribution {
    counts: BTreeMap<i64, u64>,
    total: u64,
    sum: i128,
    grain: i64,
    different: usize,
}

impl Default for Distribution {
    fn default() -> Self {
        Self { counts: BTreeMap::new(), total: 0, sum: 0, grain: 1, different: DIFFERENT }
    }
}

impl Distribution {
    /// Counts a value.
    pub(crate) fn add(&mut self, value: i64) {
        *self.counts.entry(self.floor(value)).or_default() += 1;
        self.total += 1;
        self.sum += i128::from(value);
        while self.counts.len() > self.different {
            self.grain *= 10;
            for (value, count) in std::mem::take(&mut self.counts) {
                *self.counts.entry(self.floor(value)).or_default() += count;
            }
        }
    }

    fn floor(&self, value: i64) -> i64 {
        value - value.rem_euclid(self.grain)
    }

    /// How many values were counted.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// One where every value was told apart; else the width of the grid they were put on.
    pub(crate) fn grain(&self) -> i64 {
        self.grain
    }

    /// Mean, rounded towards lower values; `None` without values.
    pub(crate) fn mean(&self) -> Option<i64> {
        let total = i128::from(self.total);
        (total > 0).then(|| i64::try_from(self.sum.div_euclid(total)).ok()).flatten()
    }

    /// The smallest value that at least `permille` of a thousand values do not exceed: the value of a
    /// whole observation, never between two. `None` without values.
    pub(crate) fn quantile(&self, permille: u32) -> Option<i64> {
        let wanted = (u128::from(self.total) * u128::from(permille)).div_ceil(1_000).max(1);
        let mut seen = 0;
        self.counts.iter().find_map(|(value, count)| {
            seen += u128::from(*count);
            (seen >= wanted).then_some(*value)
        })
    }

    /// Values and how often each came, smallest first.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        self.counts.iter().map(|(value, count)| (*value, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_observations() {
        let mut edges = Distribution::default();
        for value in (1..=100).rev() {
            edges.add(value * 1_000);
        }
        let expected = [(0, 1), (10, 1), (500, 50), (501, 51), (990, 99), (1_000, 100)];
        for (permille, value) in expected {
            assert_eq!(edges.quantile(permille), Some(value * 1_000), "{permille} permille");
        }
        assert_eq!(edges.mean(), Some(50_500));
        assert_eq!(edges.grain(), 1);
        assert_eq!(Distribution::default().quantile(500), None);
        assert_eq!(Distribution::default().mean(), None);
    }

    #[test]
    fn too_many_different_values_are_counted_on_a_coarser_grid_that_is_told() {
        let mut edges = Distribution { different: 100, ..Distribution::default() };
        for value in -500..500 {
            edges.add(value);
        }
        assert_eq!(edges.grain(), 10);
        assert_eq!(edges.total(), 1_000);
        assert_eq!(edges.quantile(0), Some(-500));
        assert_eq!(edges.quantile(1_000), Some(490));
        assert_eq!(edges.counts().map(|(_, count)| count).sum::<u64>(), 1_000);
    }
}
