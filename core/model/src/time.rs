//! Points and spans of time, in whole nanoseconds.
//!
//! `core` never asks what time it is: a [`Timestamp`] arrives with an input and is carried along.

use std::fmt;
use std::ops::{Add, Sub};

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z. Covers the years 1677 to 2262.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// A length of time in nanoseconds. May be negative: clocks differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(i64);

impl Timestamp {
    /// The epoch.
    pub const EPOCH: Self = Self(0);
    /// Earlier than anything that happens.
    pub const MIN: Self = Self(i64::MIN);
    /// Later than anything that happens.
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// This moment moved by `span`, or `None` outside the calendar.
    pub const fn checked_add(self, span: Span) -> Option<Self> {
        match self.0.checked_add(span.0) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// The start of the `every`-long interval that holds this moment, counted from the epoch.
    ///
    /// # Panics
    /// If `every` is not positive.
    pub const fn floor(self, every: Span) -> Self {
        assert!(every.0 > 0, "an interval has a length");
        Self(self.0.saturating_sub(self.0.rem_euclid(every.0)))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span there is.
    pub const MAX: Self = Self(i64::MAX);

    /// From nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }
    /// From microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros * 1_000)
    }
    /// From milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis * 1_000_000)
    }
    /// From seconds.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs * 1_000_000_000)
    }
    /// In nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// From text: a whole number and its unit, such as `250ms`, `1m`, `0s` or `-300ms`. `None` for
    /// anything else, or more than 292 years.
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = rest.split_at(digits);
        let size: i64 = match unit {
            "ns" => 1,
            "us" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            "d" => 86_400_000_000_000,
            _ => return None,
        };
        let nanos = number.parse::<i64>().ok()?.checked_mul(size)?;
        Some(Self(if negative { -nanos } else { nanos }))
    }
}

// Saturating rather than wrapping: a deadline past the end of the calendar never comes, which is
// what "for ever" means to everyone who adds a large time-out.
impl Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Sub for Timestamp {
    type Output = Span;
    fn sub(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

/// Civil date of a day number counted from the epoch (Hinnant, "chrono-compatible low-level date
/// algorithms", `civil_from_days`).
fn civil(days: i64) -> (i64, u32, u32) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 } as u32;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// RFC 3339 with nine digits and `Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secs = self.0.div_euclid(1_000_000_000);
        let nanos = self.0.rem_euclid(1_000_000_000);
        let (year, month, day) = civil(secs.div_euclid(86_400));
        let of_day = secs.rem_euclid(86_400);
        let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The largest unit that shows the span exactly: `1ms`, `250us`, `42ns`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")];
        for (size, name) in units {
            if self.0 % size == 0 && self.0 != 0 {
                return write!(f, "{}{name}", self.0 / size);
            }
        }
        write!(f, "{}ns", self.0)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_reads_as_rfc_3339_with_nine_digits() {
        // Reference values from `date -u -d @SECONDS`.
        let cases = [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (951_827_696_000_000_001, "2000-02-29T12:34:56.000000001Z"),
            (1_723_161_255_030_314_667, "2024-08-08T23:54:15.030314667Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
        ];
        for (nanos, text) in cases {
            assert_eq!(Timestamp::from_nanos(nanos).to_string(), text);
        }
    }

    #[test]
    fn a_deadline_past_the_calendar_never_comes() {
        assert_eq!(Timestamp::from_nanos(5) + Span::MAX, Timestamp::MAX);
        assert_eq!(Timestamp::from_nanos(5).checked_add(Span::MAX), None);
    }

    #[test]
    fn intervals_start_at_or_before_their_moments_also_before_the_epoch() {
        let minute = Span::from_secs(60);
        assert_eq!(Timestamp::from_nanos(-1).floor(minute).nanos(), -60_000_000_000);
        assert_eq!(Timestamp::from_nanos(60_000_000_000).floor(minute).nanos(), 60_000_000_000);
    }

    #[test]
    fn a_span_is_a_whole_number_with_a_unit() {
        assert_eq!(Span::parse("250ms"), Some(Span::from_millis(250)));
        assert_eq!(Span::parse("-300ms"), Some(Span::from_millis(-300)));
        assert_eq!(Span::parse("2h"), Some(Span::from_secs(7_200)));
        for text in ["90", "s", "1.5s", "1 s", "--1s", "99999999999999d", ""] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_span_reads_in_its_largest_exact_unit() {
        assert_eq!(Span::from_millis(1).to_string(), "1ms");
        assert_eq!(Span::from_nanos(1_500).to_string(), "1500ns");
        assert_eq!(Span::from_secs(90).to_string(), "90s");
        assert_eq!(Span::ZERO.to_string(), "0ns");
    }
}
