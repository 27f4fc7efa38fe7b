//! Keeps the demo's market in step with the clock ([`tse_node::Pace`] says where it should be), and lets people hold it
//! and change its speed.

use std::time::{Duration, Instant};
use tse_model::{SourceFault, Timestamp};
use tse_sim::{Backtest, Observer};

/// How long one look at the market may take.
const PATIENCE: Duration = Duration::from_millis(60);
/// Slices are this much of the clock.
const SLICE: Duration = Duration::from_millis(2);

/// Where the market should be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    clock: tse_node::Pace,
    paused: bool,
    reached: Timestamp,
}

impl Pace {
    /// `speed` market seconds for a second of the clock, from `origin` on.
    pub(crate) fn new(speed: f64, origin: Timestamp) -> Self {
        let clock = tse_node::Pace::new(speed, origin, Instant::now());
        Self { clock, paused: false, reached: origin }
    }

    pub(crate) fn speed(&self) -> f64 {
        self.clock.speed()
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
        self.clock.set_speed((self.clock.speed() * factor).clamp(1.0, 1e6));
    }

    /// Runs the market to where it should be now. `false` when its data has ended.
    pub(crate) fn advance(
        &mut self,
        backtest: &mut Backtest,
        observer: &mut impl Observer,
    ) -> Result<bool, SourceFault> {
        let now = Instant::now();
        if self.paused {
            self.clock.hold(now);
            return Ok(true);
        }
        let target = self.clock.target(now, self.reached);
        let slice = self.clock.market(SLICE);
        while self.reached < target {
            self.reached = (self.reached + slice).min(target);
            if !backtest.run_until(self.reached, observer)? {
                return Ok(false);
            }
            if now.elapsed() > PATIENCE {
                break;
            }
        }
        Ok(true)
    }
}
