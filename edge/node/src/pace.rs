//! Where the market should be by the clock.
//!
//! Where the machine cannot keep up, the difference is forgotten rather than caught up with: the market then runs
//! slower than was asked for, and whoever drives it stays responsive.

use std::time::{Duration, Instant};
use tse_model::{Span, Timestamp};

/// How far behind the clock a market may be before the difference is forgotten.
const BEHIND_MAX: Duration = Duration::from_millis(250);

/// Market time by the clock.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    speed: f64,
    looked: Instant,
    target: Timestamp,
    /// How much was forgotten, by the clock.
    forgotten: Duration,
}

impl Pace {
    /// `speed` market seconds for each second of the clock, from `origin` on.
    pub fn new(speed: f64, origin: Timestamp, now: Instant) -> Self {
        Self { speed, looked: now, target: origin, forgotten: Duration::ZERO }
    }

    /// Market seconds for each second of the clock.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// Another speed from now on.
    pub fn set_speed(&mut self, speed: f64) {
        self.speed = speed;
    }

    /// The market stands still until now.
    pub fn hold(&mut self, now: Instant) {
        self.looked = now;
    }

    /// Where the market should be now, given where it is.
    pub fn target(&mut self, now: Instant, reached: Timestamp) -> Timestamp {
        let passed = now.saturating_duration_since(self.looked);
        self.looked = now;
        self.target = self.target + span(passed.as_secs_f64() * self.speed);
        let behind = (self.target - reached).nanos() as f64 / 1e9 / self.speed;
        if behind > BEHIND_MAX.as_secs_f64() + passed.as_secs_f64() {
            self.forgotten += Duration::from_secs_f64(behind);
            self.target = reached + span(passed.as_secs_f64() * self.speed);
        }
        self.target
    }

    /// How long until the market should be at `at`; zero if it should be there already.
    pub fn until(&self, at: Timestamp) -> Duration {
        let nanos = (at - self.target).nanos().max(0) as f64 / self.speed;
        Duration::from_nanos(nanos as u64)
    }

    /// How much market passes in so long.
    pub fn market(&self, length: Duration) -> Span {
        span((length.as_secs_f64() * self.speed).max(1e-9))
    }

    /// How much was forgotten since it began.
    pub fn forgotten(&self) -> Duration {
        self.forgotten
    }
}

fn span(seconds: f64) -> Span {
    Span::from_nanos((seconds * 1e9) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_keeps_pace_and_forgets_what_it_cannot_catch_up_with() {
        let (begun, origin) = (Instant::now(), Timestamp::from_nanos(1_000_000_000));
        let at = |ms| begun + Duration::from_millis(ms);
        let mut pace = Pace::new(10.0, origin, begun);
        let first = pace.target(at(100), origin);
        assert_eq!(first, origin + Span::from_secs(1));
        assert_eq!(pace.until(first + Span::from_secs(1)), Duration::from_millis(100));
        assert_eq!(pace.until(origin), Duration::ZERO);
        // It stood still for two seconds of the clock.
        let later = pace.target(at(200), first);
        assert_eq!(later, first + Span::from_secs(1));
        pace.target(at(1_200), first);
        let after = pace.target(at(1_300), first);
        assert_eq!(after, first + Span::from_secs(1), "what it did not reach is forgotten");
        assert!(pace.forgotten() > Duration::from_secs(1), "{:?}", pace.forgotten());
        // Held, and slower.
        pace.hold(at(9_300));
        pace.set_speed(1.0);
        assert_eq!(pace.target(at(9_400), after), after + Span::from_millis(100));
    }
}
