//! Reading times: many spellings, one count of nanoseconds.
//!
//! A [`Clock`] turns the text or number of one column into a [`Timestamp`]. Numbers count from 1970
//! or from a day's midnight; text may carry an offset, and if it does not the source's zone decides.
//! A local time that exists twice or not at all is an error, never a guess.

use crate::codes;
use crate::fault::{fault, shown};
use crate::grid::Number;
use crate::spec::{Date, TimeFormat, Zone};
use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone};
use tse_model::{SourceFault, Timestamp};

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A point on a wall clock: nanoseconds since 1970-01-01T00:00 of that place.
type Local = i64;

/// Where a clock stands, ready for use.
#[derive(Clone, Debug)]
enum Place {
    Fixed(i64),
    Zone(TimeZone),
}

/// Reads the times of a source.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    format: TimeFormat,
    place: Place,
    zone: String,
    /// Midnight of the file's day, for times that count from it.
    midnight: Option<Local>,
    /// The local day whose offset is known and the same from its start to its end.
    day: Option<(i64, i64)>,
}

/// The days from 1970-01-01 to a date (Hinnant, "chrono-compatible low-level date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl Date {
    /// The date that eight digits `YYYYMMDD` name.
    pub fn from_digits(text: &[u8]) -> Option<Self> {
        let digits: &[u8; 8] = text.try_into().ok()?;
        let number = |from: usize, to: usize| {
            digits[from..to].iter().try_fold(0i64, |n, digit| {
                digit.is_ascii_digit().then(|| n * 10 + i64::from(digit - b'0'))
            })
        };
        let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
        let exists = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
        (exists && (1678..=2261).contains(&year)).then_some(Self {
            year: year as i16,
            month: month as i8,
            day: day as i8,
        })
    }

    /// The date that begins a file's name, as in `20140506_quote.zip`.
    pub fn from_file_name(path: &std::path::Path) -> Option<Self> {
        Self::from_digits(path.file_name()?.as_encoded_bytes().get(..8)?)
    }

    fn local(self) -> Local {
        days_of(self) * DAY
    }
}

/// The days from 1970-01-01 to a date.
pub(crate) fn days_of(date: Date) -> i64 {
    days_from_civil(date.year.into(), date.month.into(), date.day.into())
}

impl Zone {
    /// The zone that a text names: `UTC`, `UTC-05:00`, `+01:00`, `America/New_York`.
    ///
    /// # Errors
    /// When there is no such zone.
    pub fn parse(text: &str) -> Result<Self, SourceFault> {
        if matches!(text, "UTC" | "Z" | "GMT" | "") {
            return Ok(Self::Utc);
        }
        let offset = text.strip_prefix("UTC").unwrap_or(text).as_bytes();
        if let Some((seconds, [])) = parse_offset(offset) {
            return Ok(Self::Fixed(seconds as i32));
        }
        let zone = Self::Named(text.to_owned());
        zone.place()?;
        Ok(zone)
    }

    fn place(&self) -> Result<Place, SourceFault> {
        match self {
            Self::Utc => Ok(Place::Fixed(0)),
            Self::Fixed(seconds) => Ok(Place::Fixed(i64::from(*seconds) * SECOND)),
            Self::Named(name) => TimeZone::get(name).map(Place::Zone).map_err(|_| {
                fault(
                    codes::ZONE,
                    format!("no time zone is called `{}`", shown(name.as_bytes())),
                    "use UTC, an offset such as UTC-05:00, or a name such as America/New_York",
                )
            }),
        }
    }
}

/// `+HH:MM`, `-HHMM`, `+HH`, `Z`: seconds east, and what follows.
fn parse_offset(text: &[u8]) -> Option<(i64, &[u8])> {
    let (sign, rest) = match text {
        [b'Z' | b'z', rest @ ..] => return Some((0, rest)),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, rest) = digits(rest, 2)?;
    let (minutes, rest) = match rest {
        [b':', more @ ..] => digits(more, 2)?,
        [b'0'..=b'9', ..] => digits(rest, 2)?,
        _ => (0, rest),
    };
    (hours <= 23 && minutes <= 59).then_some((sign * (hours * 3_600 + minutes * 60), rest))
}

/// A whole number, and nothing else.
#[inline]
fn whole(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // Nineteen digits always fit 64 bits without a sign.
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut number = 0u64;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    let number = i64::try_from(number).ok()?;
    Some(if negative { -number } else { number })
}

/// A number of exactly `count` digits, and what follows.
#[inline]
fn digits(text: &[u8], count: usize) -> Option<(i64, &[u8])> {
    let (head, rest) = text.split_at_checked(count)?;
    let mut number = 0;
    for byte in head {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + i64::from(digit);
    }
    Some((number, rest))
}

/// A date and time of day, and the offset it was written with, if any.
fn parse_text(text: &[u8]) -> Option<(Local, Option<i64>)> {
    let (year, rest) = digits(text, 4)?;
    let (month, day, rest) = if let [b'-', rest @ ..] = rest {
        let (month, rest) = digits(rest, 2)?;
        let (day, rest) = digits(rest.strip_prefix(b"-")?, 2)?;
        (month, day, rest)
    } else {
        let (month, rest) = digits(rest, 2)?;
        let (day, rest) = digits(rest, 2)?;
        (month, day, rest)
    };
    let in_range = (1678..=2261).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in_month(year, month)).contains(&day);
    if !in_range {
        return None;
    }
    let date = days_from_civil(year, month, day) * DAY;
    let [b'T' | b't' | b' ', rest @ ..] = rest else {
        return rest.is_empty().then_some((date, None));
    };
    let (hour, rest) = digits(rest, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(b":")?, 2)?;
    let (mut second, mut nanos, mut rest) = (0, 0, rest);
    if let [b':', more @ ..] = rest {
        (second, rest) = digits(more, 2)?;
        if let [b'.', more @ ..] = rest {
            let count = more.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (fraction, more) = digits(more, count).filter(|_| (1..=9).contains(&count))?;
            nanos = fraction * 10i64.pow(9 - count as u32);
            rest = more;
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let local = date + ((hour * 60 + minute) * 60 + second) * SECOND + nanos;
    let rest = rest.trim_ascii_start();
    match rest {
        [] => Some((local, None)),
        _ => match parse_offset(rest) {
            Some((seconds, [])) => Some((local, Some(seconds * SECOND))),
            _ => None,
        },
    }
}

/// What the text of a time says.
enum Said {
    Moment(i64),
    Local(Local),
}

impl Clock {
    /// A clock for a column of this format, in this zone.
    pub(crate) fn new(format: TimeFormat, zone: &Zone) -> Result<Self, SourceFault> {
        let name = match zone {
            Zone::Utc => "UTC".to_owned(),
            Zone::Fixed(seconds) => format!("UTC{:+} s", seconds),
            Zone::Named(name) => name.clone(),
        };
        Ok(Self { format, place: zone.place()?, zone: name, midnight: None, day: None })
    }

    /// Sets the day that times since midnight count from.
    pub(crate) fn set_date(&mut self, date: Date) {
        self.midnight = Some(date.local());
    }

    /// The moment that a field means, `later` nanoseconds later by the wall clock of the place.
    pub(crate) fn read(&mut self, text: &[u8], later: i64) -> Result<Timestamp, SourceFault> {
        let said = self.said(text).ok_or_else(|| self.unreadable(text))?;
        match said {
            Said::Moment(nanos) => nanos.checked_add(later).map(Timestamp::from_nanos),
            Said::Local(local) => match local.checked_add(later) {
                Some(local) => Some(self.moment(local, text)?),
                None => None,
            },
        }
        .ok_or_else(|| self.unreadable(text))
    }

    /// The moment that a wall clock of the place showed, `later` nanoseconds later.
    pub(crate) fn local(&mut self, nanos: i64, later: i64) -> Result<Timestamp, SourceFault> {
        let text = Timestamp::from_nanos(nanos).to_string();
        match nanos.checked_add(later) {
            Some(local) => self.moment(local, text.trim_end_matches('Z').as_bytes()),
            None => Err(self.unreadable(text.as_bytes())),
        }
    }

    /// The local day that a field means: what factor files go by.
    pub(crate) fn date_of(&self, moment: Timestamp) -> i64 {
        let nanos = moment.nanos();
        let offset = match &self.place {
            Place::Fixed(offset) => *offset,
            Place::Zone(zone) => jiff::Timestamp::from_nanosecond(nanos.into())
                .map_or(0, |at| i64::from(zone.to_offset(at).seconds()) * SECOND),
        };
        (nanos + offset).div_euclid(DAY)
    }

    #[inline]
    fn said(&self, text: &[u8]) -> Option<Said> {
        let unit = match self.format {
            // Eight digits are a day, as in `20240506`; nobody has data of 1970's first second.
            TimeFormat::Any => match whole(text) {
                Some(nanos) if text.len() != 8 => return Some(Said::Moment(nanos)),
                _ => return Self::text(text),
            },
            TimeFormat::Text => return Self::text(text),
            TimeFormat::Seconds => SECOND,
            TimeFormat::Millis | TimeFormat::MillisOfDay => 1_000_000,
            TimeFormat::Micros => 1_000,
            TimeFormat::Nanos => 1,
        };
        let nanos = match whole(text) {
            Some(count) => count.checked_mul(unit)?,
            None => {
                let value = Number::parse(text).ok()?.decimal();
                let value = value.checked_mul(tse_model::Decimal::whole(unit))?;
                i64::try_from(value.at_scale(0)?).ok()?
            }
        };
        if self.format == TimeFormat::MillisOfDay {
            // A bar may begin or end at midnight of the next day, never later.
            let of_day = (0..=DAY).contains(&nanos);
            return of_day.then_some(Said::Local(self.midnight? + nanos));
        }
        Some(Said::Moment(nanos))
    }

    fn text(text: &[u8]) -> Option<Said> {
        Some(match parse_text(text)? {
            (local, Some(offset)) => Said::Moment(local - offset),
            (local, None) => Said::Local(local),
        })
    }

    fn moment(&mut self, local: Local, text: &[u8]) -> Result<Timestamp, SourceFault> {
        let zone = match &self.place {
            Place::Fixed(offset) => return Ok(Timestamp::from_nanos(local - offset)),
            Place::Zone(zone) => zone,
        };
        let day = local.div_euclid(DAY);
        if let Some((known, offset)) = self.day
            && known == day
        {
            return Ok(Timestamp::from_nanos(local - offset));
        }
        // Asking the database costs as much as reading fifty rows. A day whose offset is the same
        // at both ends and in the middle has no change of clocks, so the answer holds for all of it.
        let offset = |local: Local| match zone.to_ambiguous_timestamp(civil_time(local)?).offset() {
            AmbiguousOffset::Unambiguous { offset } => Some(i64::from(offset.seconds()) * SECOND),
            _ => None,
        };
        let start = day * DAY;
        let ends = [start, start + DAY / 2, start + DAY].map(offset);
        if let [Some(a), Some(b), Some(c)] = ends
            && a == b
            && b == c
        {
            self.day = Some((day, a));
            return Ok(Timestamp::from_nanos(local - a));
        }
        offset(local).map(|offset| Timestamp::from_nanos(local - offset)).ok_or_else(|| {
            fault(
                codes::LOCAL_TIME,
                format!("{} exists twice or not at all in {}", shown(text), self.zone),
                "use times in UTC or with an offset, or leave out that hour",
            )
        })
    }

    #[cold]
    fn unreadable(&self, text: &[u8]) -> SourceFault {
        let form = match self.format {
            TimeFormat::Any => "nanoseconds since 1970 or 2024-05-06T07:08:09Z",
            TimeFormat::Seconds => "seconds since 1970",
            TimeFormat::Millis => "milliseconds since 1970",
            TimeFormat::Micros => "microseconds since 1970",
            TimeFormat::Nanos => "nanoseconds since 1970",
            TimeFormat::MillisOfDay => "milliseconds since midnight, at most 86400000",
            TimeFormat::Text => "a time such as 2024-05-06 07:08:09.123",
        };
        let text = if text.is_empty() { "nothing".to_owned() } else { shown(text) };
        fault(
            codes::BAD_TIME,
            format!("{text} is not a time"),
            format!("write {form}, or set `time` to the form that the file has"),
        )
    }
}

fn civil_time(local: Local) -> Option<civil::DateTime> {
    let stamp = jiff::Timestamp::from_nanosecond(local.into()).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(stamp))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: TimeFormat, zone: &str, text: &str) -> Result<String, &'static str> {
        let mut clock = Clock::new(format, &Zone::parse(zone).unwrap()).unwrap();
        clock.set_date(Date { year: 2014, month: 5, day: 6 });
        clock.read(text.as_bytes(), 0).map(|at| at.to_string()).map_err(|fault| fault.code)
    }

    #[test]
    fn every_form_reads_as_the_same_moment() {
        use TimeFormat::{Any, Micros, Millis, Nanos, Seconds, Text};
        let same = [
            (Seconds, "1715126400.5"),
            (Millis, "1715126400500"),
            (Micros, "1715126400500000"),
            (Nanos, "1715126400500000000"),
            (Any, "1715126400500000000"),
            (Any, "2024-05-08T00:00:00.5Z"),
            (Text, "2024-05-08 00:00:00.500000"),
            (Text, "2024-05-08 00:00:00.5+00:00"),
            (Text, "20240508 00:00:00.5"),
            (Text, "2024-05-07T19:00:00.5-0500"),
        ];
        for (format, text) in same {
            let found = read(format, "UTC", text);
            assert_eq!(found.as_deref(), Ok("2024-05-08T00:00:00.500000000Z"), "{text}");
        }
        assert_eq!(read(Any, "UTC", "20240508").unwrap(), "2024-05-08T00:00:00.000000000Z");
    }

    #[test]
    fn a_zone_is_a_fixed_offset_or_a_place_with_summer_times() {
        let midnight = |zone| read(TimeFormat::MillisOfDay, zone, "339").unwrap();
        assert_eq!(midnight("UTC-05:00"), "2014-05-06T05:00:00.339000000Z");
        assert_eq!(midnight("America/New_York"), "2014-05-06T04:00:00.339000000Z");
        let winter = read(TimeFormat::Text, "America/New_York", "2014-01-06 09:30");
        assert_eq!(winter.unwrap(), "2014-01-06T14:30:00.000000000Z");
    }

    #[test]
    fn a_local_time_without_one_meaning_is_refused() {
        let new_york = |text| read(TimeFormat::Text, "America/New_York", text);
        assert_eq!(new_york("2014-03-09 02:30"), Err(codes::LOCAL_TIME));
        assert_eq!(new_york("2014-11-02 01:30"), Err(codes::LOCAL_TIME));
        assert_eq!(new_york("2014-11-02 03:30").unwrap(), "2014-11-02T08:30:00.000000000Z");
        assert_eq!(new_york("2014-11-02 00:30").unwrap(), "2014-11-02T04:30:00.000000000Z");
    }

    #[test]
    fn what_is_not_a_time_is_refused() {
        use TimeFormat::{Any, Millis, MillisOfDay, Nanos, Text};
        let wrong = [
            (Any, ""),
            (Any, "yesterday"),
            (Any, "2024-02-30"),
            (Text, "2024-13-01 00:00"),
            (Text, "2024-01-01 24:00"),
            (Text, "2024-01-01 00:00:00.1234567890"),
            (Text, "1500-01-01 00:00"),
            (Millis, "9999999999999999"),
            (Nanos, "1.5"),
            (MillisOfDay, "86400001"),
            (MillisOfDay, "-1"),
        ];
        for (format, text) in wrong {
            assert_eq!(read(format, "UTC", text), Err(codes::BAD_TIME), "{text}");
        }
        assert_eq!(Zone::parse("Mars/Olympus").unwrap_err().code, codes::ZONE);
        assert_eq!(Zone::parse("UTC-05:00").unwrap(), Zone::Fixed(-18_000));
    }

    #[test]
    fn the_day_of_a_bar_is_local() {
        let clock = Clock::new(TimeFormat::Text, &Zone::parse("America/New_York").unwrap());
        let days = |text: &str| {
            let mut clock = clock.clone().unwrap();
            let at = clock.read(text.as_bytes(), 0).unwrap();
            clock.date_of(at)
        };
        assert_eq!(days("1970-01-02 23:59"), 1);
        assert_eq!(days("1970-01-03 00:00"), 2);
    }
}
