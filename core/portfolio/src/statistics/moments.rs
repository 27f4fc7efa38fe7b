//! Mean and spread of a stream of returns.

/// Mean, spread and downside of a stream (Welford 1962; runs of zeros by Chan, Golub and LeVeque 1979).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moments {
    pub(super) n: f64,
    pub(super) mean: f64,
    squares: f64,
    /// Below this a return is a loss.
    least: f64,
    /// Σ min(x − least, 0)².
    losses: f64,
}

impl Moments {
    /// Nothing yet; what is below `least` counts as a loss.
    pub(super) fn above(least: f64) -> Self {
        Self { least, ..Self::default() }
    }

    pub(super) fn add(&mut self, x: f64) {
        self.n += 1.0;
        let off = x - self.mean;
        self.mean += off / self.n;
        self.squares += off * (x - self.mean);
        let below = (x - self.least).min(0.0);
        self.losses += below * below;
    }

    pub(super) fn add_zeros(&mut self, count: i64) {
        if count <= 0 {
            return;
        }
        let (count, n) = (count as f64, self.n);
        self.squares += self.mean * self.mean * n * count / (n + count);
        self.mean *= n / (n + count);
        self.n += count;
        let below = (-self.least).min(0.0);
        self.losses += count * below * below;
    }

    /// Standard deviation with n − 1; `None` under two values.
    pub(super) fn deviation(&self) -> Option<f64> {
        (self.n >= 2.0).then(|| (self.squares / (self.n - 1.0)).sqrt())
    }

    /// Root of the mean square below the least that is wanted, over all values.
    pub(super) fn below(&self) -> f64 {
        (self.losses / self.n).sqrt()
    }
}
