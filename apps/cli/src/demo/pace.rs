//! Keeps a market in step with the clock, as far as the machine can.
//!
//! Where the market falls behind, the difference is forgotten rather than caught up with: the demo then
//! runs slower than was asked for and stays responsive.

use std::time::{Duration, Instant};
use tse_model::{SourceFault, Span, Timestamp};
use tse_sim::{Backtest, Observer};

/// How long one look at the market may take.
const PATIENCE: Duration = Duration::from_millis(60);
/// Slices are this much of the clock.
const SLICE: f64 = 0.002;

/// Where the market should be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    speed: f64,
    paused: bool,
    looked: Instant,
    target: Timestamp,
    reached: Timestamp,
}

impl Pace {
    /// `speed` market seconds for a second of the clock, from `origin` on.
    pub(crate) fn new(speed: f64, origin: Timestamp) -> Self {
        Self { speed, paused: false, looked: Instant::now(), target: origin, reached: origin }
    }

    pub(crate) fn speed(&self) -> f64 {
        self.speed
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused
    }

    /// Holds the market, or lets it go on.
    pub(crate) fn pause(&mut self) {
        self.paused = !self.paused;
    }

    /// Changes the speed by a factor.
    pub(crate) fn faster(&mut self, factor: f64) {
        self.speed = (self.speed * factor).clamp(1.0, 1e6);
    }

    /// Runs the market to where it should be now. `false` when its data has ended.
    pub(crate) fn advance(
        &mut self,
        backtest: &mut Backtest,
        observer: &mut impl Observer,
    ) -> Result<bool, SourceFault> {
        let now = Instant::now();
        let passed = now.duration_since(std::mem::replace(&mut self.looked, now));
        if self.paused {
            return Ok(true);
        }
        self.target = self.target + span(passed.as_secs_f64() * self.speed);
        let slice = span((SLICE * self.speed).max(0.001));
        while self.reached < self.target {
            self.reached = (self.reached + slice).min(self.target);
            if !backtest.run_until(self.reached, observer)? {
                return Ok(false);
            }
            if now.elapsed() > PATIENCE {
                self.target = self.reached;
            }
        }
        Ok(true)
    }
}

fn span(seconds: f64) -> Span {
    Span::from_nanos((seconds * 1e9) as i64)
}
