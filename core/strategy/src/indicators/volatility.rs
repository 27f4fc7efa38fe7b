//! Realised volatility of a price sampled at irregular moments.

use std::collections::VecDeque;

/// Standard deviation per square root of a second, from the last `n` price changes: the root of
/// (sum of squared changes / sum of elapsed seconds). Changes are taken as having mean zero, which
/// over seconds they have.
#[derive(Clone, Debug)]
pub struct Volatility {
    window: VecDeque<(f64, f64)>,
    capacity: usize,
    squares: f64,
    seconds: f64,
    last: Option<(f64, i64)>,
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
            seconds: 0.0,
            last: None,
        }
    }

    /// Takes a price at a time in nanoseconds.
    pub fn update(&mut self, price: f64, nanos: i64) {
        if let Some((before, at)) = self.last {
            let elapsed = (nanos - at) as f64 / 1e9;
            if elapsed <= 0.0 {
                return;
            }
            let square = (price - before) * (price - before);
            self.window.push_back((square, elapsed));
            if self.window.len() > self.capacity {
                self.window.pop_front();
            }
            // Summed afresh: a running difference would drift below zero in the end.
            self.squares = self.window.iter().map(|(square, _)| square).sum();
            self.seconds = self.window.iter().map(|(_, seconds)| seconds).sum();
        }
        self.last = Some((price, nanos));
    }

    /// The deviation per square root of a second; `None` until the window is full.
    pub fn per_sqrt_second(&self) -> Option<f64> {
        let full = self.window.len() == self.capacity && self.seconds > 0.0;
        full.then(|| (self.squares / self.seconds).sqrt())
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
}
