//! Whether the clock can be believed (C19): how far it stands from a reference and from venues, and whether it
//! stepped.
//!
//! Readings come from whoever can compare clocks; none is made here. A clock that was not compared, or too long
//! ago, counts as one that is wrong.

use tse_model::{Span, Timestamp, VenueId, kept_fields, recorded_choices, recorded_fields};

/// How far the clock may be off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClockLimits {
    /// From any clock it is compared with, either way.
    pub offset_max: Span,
    /// By so much two readings in a row may differ.
    pub step_max: Span,
    /// How old the newest comparison with the reference may be.
    pub age_max: Span,
}

/// What it is compared with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ClockSource {
    /// A reference such as NTP or PTP.
    Reference,
    /// The clock of a venue.
    Venue(VenueId),
}

/// What is wrong with the clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadClock {
    /// It was never compared with a reference.
    Unknown,
    /// The last comparison is too old.
    Old {
        /// How old.
        age: Span,
        /// How old it may be.
        limit: Span,
    },
    /// It is off.
    Off {
        /// Ours less theirs.
        offset: Span,
        /// How far it may be, either way.
        limit: Span,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Reading {
    at: Timestamp,
    offset: Span,
}

/// The newest readings.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    limits: Option<ClockLimits>,
    reference: Option<Reading>,
    venues: Vec<Option<Reading>>,
}

recorded_choices! {
    ClockSource {
        1 => Reference,
        2 => Venue(venue),
    }
}
recorded_fields! {
    Reading { at, offset }
}
kept_fields! {
    Clock { saved: reference, venues; built: limits }
}

impl Clock {
    /// Nothing compared yet.
    pub fn new(limits: Option<ClockLimits>, venues: usize) -> Self {
        Self { limits, reference: None, venues: vec![None; venues] }
    }

    /// The clock was compared: ours stands `offset` before theirs. Says whether it stepped since the last time.
    pub fn observe(&mut self, now: Timestamp, source: ClockSource, offset: Span) -> bool {
        let place = match source {
            ClockSource::Reference => &mut self.reference,
            ClockSource::Venue(venue) => match self.venues.get_mut(venue.index()) {
                Some(place) => place,
                None => return false,
            },
        };
        let before = place.replace(Reading { at: now, offset });
        let moved = before.map_or(0, |before| before.offset.nanos().abs_diff(offset.nanos()));
        self.limits.is_some_and(|limits| i128::from(moved) > i128::from(limits.step_max.nanos()))
    }

    /// When the newest comparison with the reference will be too old; `None` where nobody asks, or there is none.
    pub fn stale_at(&self) -> Option<Timestamp> {
        let limits = self.limits?;
        Some(self.reference?.at + limits.age_max + Span::from_nanos(1))
    }

    /// What is wrong with it for whoever trades at a venue; `None` where nothing is, or nobody asks.
    pub fn trouble(&self, now: Timestamp, venue: VenueId) -> Option<BadClock> {
        let limits = self.limits?;
        let Some(reference) = self.reference else { return Some(BadClock::Unknown) };
        let age = now - reference.at;
        if age > limits.age_max {
            return Some(BadClock::Old { age, limit: limits.age_max });
        }
        let theirs = self.venues.get(venue.index()).copied().flatten();
        let limit = limits.offset_max;
        let all = [Some(reference), theirs].into_iter().flatten();
        let off = all
            .map(|reading| reading.offset)
            .find(|offset| i128::from(offset.nanos().unsigned_abs()) > i128::from(limit.nanos()));
        off.map(|offset| BadClock::Off { offset, limit })
    }
}
