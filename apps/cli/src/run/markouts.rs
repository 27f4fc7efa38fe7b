//! What prices did after our fills: `s·(mid(t+τ) − p)/p`, positive where it was good for us.
//!
//! A fill waits in one queue for each horizon τ until the market's clock has passed `t+τ`; the mid that
//! stood then settles it. Fills whose moment lies after the end of the data are left out and counted.
//! Sums are weighted by size, and of one instrument: sizes of two are not comparable.

use std::collections::VecDeque;
use tse_model::{Price, Qty, Side, Span, Timestamp};

/// The horizons.
pub(crate) const HORIZONS: [Span; 5] = [
    Span::from_millis(100),
    Span::from_secs(1),
    Span::from_secs(5),
    Span::from_secs(30),
    Span::from_secs(300),
];

/// Their names in files.
pub(crate) const HORIZON_NAMES: [&str; 5] = ["0.1s", "1s", "5s", "30s", "5min"];

#[derive(Clone, Copy, Debug)]
struct Waiting {
    due: Timestamp,
    /// Which way, and at what price in ticks.
    sign: f64,
    price: f64,
    qty: f64,
}

/// A weighted mean and how sure of it one can be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Mean {
    /// How many fills.
    pub(crate) count: u64,
    weight: f64,
    weight_squares: f64,
    sum: f64,
    sum_squares: f64,
}

impl Mean {
    fn add(&mut self, weight: f64, value: f64) {
        self.count += 1;
        self.weight += weight;
        self.weight_squares += weight * weight;
        self.sum += weight * value;
        self.sum_squares += weight * value * value;
    }

    /// The mean of both, where `self` stands for `n` and `other` for `m` fills: by fills, because
    /// sizes of different instruments do not add.
    pub(crate) fn join(&mut self, other: &Self) {
        if other.weight <= 0.0 {
            return;
        }
        // The same mean, spread and effective number, with weights that sum to the count.
        let scale = other.count as f64 / other.weight;
        self.count += other.count;
        self.weight += other.weight * scale;
        self.weight_squares += other.weight_squares * scale * scale;
        self.sum += other.sum * scale;
        self.sum_squares += other.sum_squares * scale;
    }

    /// The weighted mean in basis points; `None` without fills.
    pub(crate) fn bps(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight * 1e4)
    }

    /// Half the width of a 95 % band around the mean, in basis points, from the weighted spread and
    /// the effective number of fills `(Σw)²/Σw²`. Fills close together share their future, so the
    /// true band is wider. `None` with fewer than two fills.
    pub(crate) fn band_bps(&self) -> Option<f64> {
        let effective = self.weight * self.weight / self.weight_squares;
        if self.count < 2 || effective <= 1.0 {
            return None;
        }
        let mean = self.sum / self.weight;
        let variance = (self.sum_squares / self.weight - mean * mean).max(0.0);
        let unbiased = variance * effective / (effective - 1.0);
        Some(1.959_963_985 * (unbiased / effective).sqrt() * 1e4)
    }
}

/// The markouts of one instrument.
#[derive(Clone, Debug)]
pub(crate) struct Markouts {
    waiting: [VecDeque<Waiting>; HORIZONS.len()],
    means: [Mean; HORIZONS.len()],
    /// The last mid in half ticks that could be said.
    twice_mid: Option<f64>,
    /// The earliest moment anything waits for.
    next: Timestamp,
}

impl Default for Markouts {
    fn default() -> Self {
        Self {
            waiting: Default::default(),
            means: Default::default(),
            twice_mid: None,
            next: Timestamp::MAX,
        }
    }
}

impl Markouts {
    /// Notes a fill. One at a price that is not above zero has no basis points.
    pub(crate) fn fill(&mut self, at: Timestamp, side: Side, price: Price, qty: Qty) {
        if !price.is_positive() {
            return;
        }
        let waiting = |due| Waiting {
            due,
            sign: side.sign() as f64,
            price: price.get() as f64,
            qty: qty.get() as f64,
        };
        for (queue, horizon) in self.waiting.iter_mut().zip(HORIZONS) {
            queue.push_back(waiting(at + horizon));
        }
        self.next = self.next.min(at + HORIZONS[0]);
    }

    /// The market says something at `now`; until then, this mid stood (in half ticks; `None` where it
    /// cannot be said, and then the last one that could).
    #[inline]
    pub(crate) fn until(&mut self, now: Timestamp, twice: Option<i64>) {
        if self.next >= now {
            return;
        }
        if let Some(twice) = twice {
            self.twice_mid = Some(twice as f64);
        }
        self.settle(now);
    }

    /// Settles what was due before `now` with the mid that stood until now.
    fn settle(&mut self, now: Timestamp) {
        let mut next = Timestamp::MAX;
        for (queue, mean) in self.waiting.iter_mut().zip(&mut self.means) {
            while let Some(fill) = queue.front()
                && fill.due < now
            {
                if let Some(twice) = self.twice_mid {
                    mean.add(fill.qty, fill.sign * (twice / 2.0 - fill.price) / fill.price);
                }
                queue.pop_front();
            }
            next = queue.front().map_or(next, |fill| next.min(fill.due));
        }
        self.next = next;
    }

    /// Ends at `last`, the last moment of the data: what is due later has no markout.
    pub(crate) fn finish(&mut self, last: Timestamp, twice: Option<i64>) {
        self.until(last + Span::from_nanos(1), twice);
    }

    /// The mean of each horizon.
    pub(crate) fn means(&self) -> &[Mean; HORIZONS.len()] {
        &self.means
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    #[test]
    fn a_fill_is_settled_with_the_mid_that_stood_at_its_moment() {
        let mut markouts = Markouts::default();
        markouts.fill(at(10), Side::Buy, Price::new(1_000), Qty::new(1));
        markouts.fill(at(10), Side::Sell, Price::new(1_000), Qty::new(3));
        markouts.until(at(110), Some(2_000)); // what is said exactly at 0.1 s counts
        markouts.until(at(111), Some(2_002));
        markouts.finish(at(200), Some(9_999));
        let [first, second, ..] = markouts.means();
        // One lot gained 10 bp, three lost 10 bp.
        assert!((first.bps().unwrap() + 5.0).abs() < 1e-9, "{first:?}");
        assert_eq!(first.count, 2);
        assert_eq!(second.bps(), None, "the data ends before a second has passed");
    }

    #[test]
    fn a_market_that_falls_silent_keeps_its_mid_until_the_end_of_the_data() {
        let mut markouts = Markouts::default();
        markouts.fill(at(10), Side::Buy, Price::new(999), Qty::new(1));
        markouts.until(at(120), Some(2_000));
        markouts.finish(at(1_010), None);
        let expected = 1.0 / 999.0 * 1e4;
        for mean in &markouts.means()[..2] {
            assert!((mean.bps().unwrap() - expected).abs() < 1e-9);
        }
        assert_eq!(markouts.means()[2].bps(), None);
    }

    #[test]
    fn equal_weights_give_the_textbook_band() {
        let mut mean = Mean::default();
        for value in [1e-4, 2e-4, 3e-4, 4e-4] {
            mean.add(2.0, value);
        }
        let deviation = (5.0f64 / 3.0).sqrt();
        assert!((mean.bps().unwrap() - 2.5).abs() < 1e-9);
        assert!((mean.band_bps().unwrap() - 1.959_963_985 * deviation / 2.0).abs() < 1e-9);
        let mut joined = Mean::default();
        joined.join(&mean);
        assert!((joined.band_bps().unwrap() - mean.band_bps().unwrap()).abs() < 1e-9);
    }
}
