//! A line of any length, kept small: smallest and largest value of each stretch of time survive.
//!
//! A [`Series`] takes points as they come and never keeps more than [`STRETCHES`] of them. When there
//! are too many, neighbours are joined two by two; because each keeps its first, lowest, highest and
//! last value, a spike of one point is still drawn after a year of points was joined.

use tse_model::Timestamp;

/// The most stretches a series keeps: more than a chart has pixels.
pub(crate) const STRETCHES: usize = 2_048;

/// The values of one stretch of time.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Stretch {
    /// Moment of the first value.
    pub(crate) from: i64,
    /// Moment of the last value.
    pub(crate) to: i64,
    pub(crate) first: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) last: f64,
    /// How many values there were.
    pub(crate) count: u64,
}

/// A line over time, in bounded memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series {
    /// A stretch is `2^shift` nanoseconds long.
    shift: u32,
    stretches: Vec<Stretch>,
}

impl Series {
    /// Adds a point; points come in order of time.
    #[inline]
    pub(crate) fn push(&mut self, at: Timestamp, value: f64) {
        let at = at.nanos();
        if let Some(stretch) = self.stretches.last_mut()
            && stretch.from >> self.shift == at >> self.shift
        {
            stretch.to = at;
            stretch.low = stretch.low.min(value);
            stretch.high = stretch.high.max(value);
            stretch.last = value;
            stretch.count += 1;
            return;
        }
        self.stretches.push(Stretch {
            from: at,
            to: at,
            first: value,
            low: value,
            high: value,
            last: value,
            count: 1,
        });
        while self.stretches.len() > STRETCHES {
            self.join();
        }
    }

    /// The stretches, in order of time.
    pub(crate) fn stretches(&self) -> &[Stretch] {
        &self.stretches
    }

    /// First and last moment, if there are any.
    pub(crate) fn span(&self) -> Option<(i64, i64)> {
        Some((self.stretches.first()?.from, self.stretches.last()?.to))
    }

    /// Lowest and highest value, if there are any.
    pub(crate) fn range(&self) -> Option<(f64, f64)> {
        self.stretches
            .iter()
            .map(|stretch| (stretch.low, stretch.high))
            .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    fn join(&mut self) {
        self.shift += 1;
        let shift = self.shift;
        let mut kept = 0;
        for at in 0..self.stretches.len() {
            let next = self.stretches[at];
            if kept > 0 && self.stretches[kept - 1].from >> shift == next.from >> shift {
                let stretch = &mut self.stretches[kept - 1];
                stretch.to = next.to;
                stretch.low = stretch.low.min(next.low);
                stretch.high = stretch.high.max(next.high);
                stretch.last = next.last;
                stretch.count += next.count;
            } else {
                self.stretches[kept] = next;
                kept += 1;
            }
        }
        self.stretches.truncate(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_of_one_point_survives_a_million_points() {
        let mut series = Series::default();
        for at in 0..1_000_000 {
            let value = if at == 654_321 { 99.0 } else { f64::from(at % 7) };
            series.push(Timestamp::from_nanos(i64::from(at) * 1_000), value);
        }
        assert!(series.stretches().len() <= STRETCHES);
        assert!(series.stretches().len() > STRETCHES / 4, "joined no more than needed");
        assert_eq!(series.range(), Some((0.0, 99.0)));
        assert_eq!(series.span(), Some((0, 999_999_000)));
        assert_eq!(series.stretches().iter().map(|stretch| stretch.count).sum::<u64>(), 1_000_000);
    }

    #[test]
    fn many_values_at_one_moment_are_one_stretch() {
        let mut series = Series::default();
        for value in [3.0, 1.0, 2.0] {
            series.push(Timestamp::from_nanos(-5), value);
        }
        let [stretch] = series.stretches() else { panic!("{series:?}") };
        assert_eq!((stretch.first, stretch.low, stretch.high, stretch.last), (3.0, 1.0, 3.0, 2.0));
    }
}
