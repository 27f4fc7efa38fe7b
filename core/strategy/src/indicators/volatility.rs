//! Realised volatility of a price sampled at irregular moments.

use std::collections::VecDeque;

/// Standard deviation per square root of a second, from the last `n` price changes: the root of
/// (sum of squared changes / sum of elapsed seconds). Changes are taken as having mean zero, which
/// over seconds they have.
#[derive(Clone, Debug)]
pub struct Volatility {
    /// Squared change and nanoseconds of each, oldest first.
    window: VecDeque<(f64, i64)>,
    capacity: usize,
    squares: f64,
    nanos: i64,
    /// Updates until the squares are summed afresh.
    fresh_in: usize,
    last: Option<(f64, i64)>,
}

tse_model::kept_fields! {
    Volatility { saved: window, squares, nanos, fresh_in, last; built: capacity }
}

impl Volatility {
    /// Over the last `n` changes.
    ///
    /// # Panics
    /// If `n` is zero.
    pub fn new(n: usize) -> Self {
        assert!(n > 0, "a deviation is over something");
        Self {
            window: VecDeque::with_capacity(n + 1),
            capacity: n,
            squares: 0.0,
            nanos: 0,
            fresh_in: n,
            last: None,
        }
    }

    /// Takes a price at a time in nanoseconds. A second price of the same moment is no change over
    /// time, and is left out.
    pub fn update(&mut self, price: f64, nanos: i64) {
        let Some((before, at)) = self.last else {
            self.last = Some((price, nanos));
            return;
        };
        let elapsed = nanos.saturating_sub(at);
        if elapsed <= 0 {
            return;
        }
        self.last = Some((price, nanos));
        let square = (price - before) * (price - before);
        self.window.push_back((square, elapsed));
        self.squares += square;
        self.nanos = self.nanos.saturating_add(elapsed);
        if self.window.len() > self.capacity
            && let Some((square, elapsed)) = self.window.pop_front()
        {
            self.squares -= square;
            self.nanos -= elapsed;
        }
        // A running difference of floats drifts, in the end below zero: once a window it is summed
        // afresh, which costs one addition per update.
        self.fresh_in -= 1;
        if self.fresh_in == 0 {
            self.fresh_in = self.capacity;
            self.squares = self.window.iter().map(|(square, _)| square).sum();
        }
        self.squares = self.squares.max(0.0);
    }

    /// The deviation per square root of a second; `None` until the window is full.
    pub fn per_sqrt_second(&self) -> Option<f64> {
        let full = self.window.len() == self.capacity;
        full.then(|| (self.squares / (self.nanos as f64 / 1e9)).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_two_every_four_seconds_deviate_by_one_per_root_second() {
        let mut volatility = Volatility::new(3);
        for (step, price) in [10.0, 12.0, 10.0, 12.0].into_iter().enumerate() {
            assert_eq!(volatility.per_sqrt_second(), None);
            volatility.update(price, step as i64 * 4_000_000_000);
        }
        assert_eq!(volatility.per_sqrt_second(), Some(1.0));
    }

    #[test]
    fn the_running_sum_equals_the_sum_over_the_window_after_a_storm_and_a_calm() {
        let mut chance = tse_model::Chance::stream(5, "volatility");
        for n in [1, 2, 7, 20] {
            let mut volatility = Volatility::new(n);
            let (mut prices, mut times) = (vec![100.0], vec![0]);
            volatility.update(100.0, 0);
            for step in 1..2_000 {
                // Squares of 1e16 beside squares of 1e-8.
                let size = if step % 97 < 3 { 1e8 } else { 1e-4 };
                prices.push(100.0 + size * chance.unit());
                times.push(times[step - 1] + chance.between(1, 2_000_000_000));
                volatility.update(prices[step], times[step]);
                if step < n {
                    assert_eq!(volatility.per_sqrt_second(), None);
                    continue;
                }
                let squares: f64 = (step - n..step)
                    .map(|at| (prices[at + 1] - prices[at]) * (prices[at + 1] - prices[at]))
                    .sum();
                let seconds = (times[step] - times[step - n]) as f64 / 1e9;
                let exact = (squares / seconds).sqrt();
                let got = volatility.per_sqrt_second().unwrap();
                let storm = (step - (2 * n).min(step)..step).any(|at| prices[at] > 1_000.0);
                // After a storm what is left of it is rounding; a window later it is gone.
                let off = if storm { 16.0 } else { exact * 1e-12 };
                assert!((got - exact).abs() <= off, "n {n}, step {step}: {got} not {exact}");
            }
        }
    }

    #[test]
    fn two_prices_of_one_moment_are_one_change() {
        let mut volatility = Volatility::new(1);
        for (price, nanos) in [(10.0, 0), (11.0, 0), (13.0, 1_000_000_000), (99.0, 1_000_000_000)] {
            volatility.update(price, nanos);
        }
        assert_eq!(volatility.per_sqrt_second(), Some(3.0));
    }
}
