//! How far a market moved in a short while (C20): a market that jumps is none to quote in.
//!
//! The while is cut into sixteen parts, each remembered by its lowest and highest middle, so that it costs the same
//! however much happens. What is told is the range over the last sixteen whole parts and the present one: the
//! while or up to a sixteenth more, never less.

use tse_model::{Rate, Span, Timestamp, kept_fields, recorded_fields};

/// Parts that are remembered beside the present one.
const PARTS: usize = 16;

/// How far it may move.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SwingLimit {
    /// As a share of the lowest.
    pub max: Rate,
    /// In so long.
    pub window: Span,
}

/// A sixteenth of the while.
#[derive(Clone, Copy, Debug)]
struct Part {
    number: i64,
    /// The lowest and the highest middle, in half ticks.
    low: i64,
    high: i64,
}

/// The middles of one market.
#[derive(Clone, Debug, Default)]
pub struct Swing {
    window: Span,
    /// Each at the place of its number.
    parts: Vec<Part>,
    /// Where it stands since.
    last: Option<i64>,
}

recorded_fields! {
    Part { number, low, high }
}
kept_fields! {
    Swing { saved: parts, last; built: window }
}

impl Swing {
    /// Nothing seen yet.
    pub fn new(window: Span) -> Self {
        Self {
            window,
            parts: vec![Part { number: i64::MIN, low: 0, high: 0 }; PARTS + 1],
            last: None,
        }
    }

    /// The middle is this, in half ticks.
    #[inline]
    pub fn observe(&mut self, now: Timestamp, twice: i64) {
        let number = self.number(now);
        let places = self.parts.len() as i64;
        let Some(part) = self.parts.get_mut(number.rem_euclid(places.max(1)) as usize) else {
            return;
        };
        if part.number == number {
            (part.low, part.high) = (part.low.min(twice), part.high.max(twice));
        } else {
            // Until now it stood where it was left.
            let stood = self.last.unwrap_or(twice);
            *part = Part { number, low: stood.min(twice), high: stood.max(twice) };
        }
        self.last = Some(twice);
    }

    /// The lowest and the highest middle within the window; `None` before the first.
    pub fn range(&self, now: Timestamp) -> Option<(i64, i64)> {
        let number = self.number(now);
        let first = number.saturating_sub(PARTS as i64);
        let seen = self.parts.iter().filter(|part| (first..=number).contains(&part.number));
        // What it stood at before the while, it may still stand at.
        let last = self.last?;
        Some(seen.fold((last, last), |(low, high), part| (low.min(part.low), high.max(part.high))))
    }

    /// Whether it moved further than a share of the lowest. What is not above zero has no shares.
    pub fn is_beyond(&self, now: Timestamp, max: Rate) -> Option<(i64, i64)> {
        let (low, high) = self.range(now)?;
        let moved = i128::from(high) - i128::from(low);
        let allowed = i128::from(low).max(0) * i128::from(max.billionths());
        (moved * i128::from(Rate::ONE) > allowed).then_some((low, high))
    }

    fn number(&self, now: Timestamp) -> i64 {
        now.nanos().div_euclid((self.window.nanos() / PARTS as i64).max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c20_the_range_of_the_while_is_told_and_older_ones_are_forgotten() {
        let at = |millis: i64| Timestamp::from_nanos(millis * 1_000_000);
        let mut swing = Swing::new(Span::from_millis(1_600));
        assert_eq!(swing.range(at(0)), None);
        swing.observe(at(0), 1_000);
        swing.observe(at(50), 900);
        swing.observe(at(150), 1_010);
        assert_eq!(swing.range(at(1_600)), Some((900, 1_010)), "the while is not over");
        assert_eq!(swing.range(at(1_699)), Some((900, 1_010)));
        assert_eq!(swing.range(at(1_799)), Some((900, 1_010)), "it stood at 900 until 150");
        assert_eq!(swing.range(at(1_800)), Some((1_010, 1_010)));
        assert_eq!(swing.range(at(99_999)), Some((1_010, 1_010)), "it stands there still");
        // A jump after a long silence is a jump.
        swing.observe(at(100_000), 1_500);
        assert_eq!(swing.range(at(100_001)), Some((1_010, 1_500)));
        let share = |percent: i64| Rate::from_billionths(percent * 10_000_000);
        let mut swing = Swing::new(Span::from_millis(1_600));
        swing.observe(at(0), 1_000);
        swing.observe(at(10), 1_020);
        assert_eq!(swing.is_beyond(at(20), share(2)), None, "two per cent is not more than two");
        swing.observe(at(20), 1_021);
        assert_eq!(swing.is_beyond(at(20), share(2)), Some((1_000, 1_021)));
        swing.observe(at(30), 0);
        assert!(swing.is_beyond(at(30), share(100)).is_some(), "of nothing everything is too much");
    }
}
