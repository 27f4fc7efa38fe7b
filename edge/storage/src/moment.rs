//! Times as a store can keep them, and where they come from.

use crate::StorageError;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

const DAY: i64 = 86_400_000_000;

/// A time in microseconds since 1970, UTC.
///
/// PostgreSQL's `TIMESTAMPTZ` has no more, so neither does any row; the journal keeps nanoseconds. It
/// is written as `2026-11-29T01:00:44.000000Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(i64);

impl Moment {
    /// The first moment that can be written: the year 1.
    const FIRST: i64 = -62_135_596_800_000_000;
    /// The last: the end of 9999.
    const LAST: i64 = 253_402_207_200_000_000 - 1;

    /// So many microseconds since 1970. Years outside 1 to 9999 become the nearest that can be written.
    pub const fn from_micros(micros: i64) -> Self {
        if micros < Self::FIRST {
            Self(Self::FIRST)
        } else if micros > Self::LAST {
            Self(Self::LAST)
        } else {
            Self(micros)
        }
    }

    /// So many nanoseconds since 1970, rounded down: never later than it was.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self::from_micros(nanos.div_euclid(1_000))
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// That much earlier.
    pub fn before(self, by: Duration) -> Self {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_sub(by))
    }

    /// That much later.
    pub fn after(self, by: Duration) -> Self {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(by))
    }

    /// That many days of 24 hours earlier.
    pub fn days_before(self, days: u32) -> Self {
        Self::from_micros(self.0.saturating_sub(i64::from(days).saturating_mul(DAY)))
    }

    /// The first and the last microsecond of a day in UTC.
    pub fn of_day(date: Date) -> (Self, Self) {
        let first = date
            .to_zoned(TimeZone::UTC)
            .map_or(Self::FIRST, |day| day.timestamp().as_microsecond());
        (Self::from_micros(first), Self::from_micros(first.saturating_add(DAY - 1)))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at =
            Timestamp::from_microsecond(self.0).expect("a moment is within the years 1 to 9999");
        write!(f, "{at:.6}")
    }
}

impl FromStr for Moment {
    type Err = StorageError;

    fn from_str(text: &str) -> Result<Self, StorageError> {
        let at: Timestamp = text.parse().map_err(|_| {
            StorageError::invalid("a time", format!("is not ISO 8601 with a zone: `{text}`"))
        })?;
        Ok(Self::from_micros(at.as_microsecond()))
    }
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where a store in memory takes the time from.
pub trait Clock: Send + Sync + 'static {
    /// What time it is.
    fn now(&self) -> Moment;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        Moment::from_micros(Timestamp::now().as_microsecond())
    }
}

/// A clock that goes when it is told to.
#[derive(Debug, Default)]
pub struct HandClock(AtomicI64);

impl HandClock {
    /// A clock that stands at this time.
    pub fn at(moment: Moment) -> Self {
        Self(AtomicI64::new(moment.micros()))
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
        self.0.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Moment {
        Moment::from_micros(self.0.load(Ordering::SeqCst))
    }
}

impl<C: Clock> Clock for std::sync::Arc<C> {
    fn now(&self) -> Moment {
        (**self).now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_to_the_microsecond() {
        let at = Moment::from_nanos(1_796_000_000_123_456_789);
        assert_eq!(at.micros(), 1_796_000_000_123_456);
        assert_eq!(at.to_string(), "2026-11-30T00:53:20.123456Z");
        assert_eq!(at.to_string().parse(), Ok(at));
        assert_eq!("2026-11-30T01:53:20.123456+01:00".parse(), Ok(at));
        assert_eq!(Moment::from_nanos(-1).micros(), -1);
        assert!("yesterday".parse::<Moment>().is_err());
    }

    #[test]
    fn no_number_is_beyond_what_can_be_written() {
        for micros in [i64::MIN, i64::MAX, 0] {
            let at = Moment::from_micros(micros);
            assert_eq!(at.to_string().parse(), Ok(at));
        }
    }

    #[test]
    fn a_day_is_from_midnight_to_the_last_microsecond_in_utc() {
        let (first, last) = Moment::of_day(jiff::civil::date(2026, 3, 29));
        assert_eq!(first.to_string(), "2026-03-29T00:00:00.000000Z");
        assert_eq!(last.to_string(), "2026-03-29T23:59:59.999999Z");
    }
}
