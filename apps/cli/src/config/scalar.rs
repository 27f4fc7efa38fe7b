//! Reading the small things of a config: lengths of time, moments, days, names.

use tse_data::Date;
use tse_model::{Span, Timestamp};

/// A length of time as it is written: in the largest unit that shows it exactly.
pub fn show_span(span: Span) -> String {
    const UNITS: [(i64, &str); 6] = [
        (86_400_000_000_000, "d"),
        (3_600_000_000_000, "h"),
        (60_000_000_000, "m"),
        (1_000_000_000, "s"),
        (1_000_000, "ms"),
        (1_000, "us"),
    ];
    let nanos = span.nanos();
    if nanos == 0 {
        return "0s".to_owned();
    }
    match UNITS.iter().find(|(size, _)| nanos % size == 0) {
        Some((size, unit)) => format!("{}{unit}", nanos / size),
        None => format!("{nanos}ns"),
    }
}

/// A moment: RFC 3339; UTC where no offset is written, midnight where no time of day is.
pub fn moment(text: &str) -> Option<Timestamp> {
    let stamp = match text.parse::<jiff::Timestamp>() {
        Ok(stamp) => stamp,
        Err(_) => {
            let civil: jiff::civil::DateTime = text.parse().ok()?;
            civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()
        }
    };
    i64::try_from(stamp.as_nanosecond()).ok().map(Timestamp::from_nanos)
}

/// A day: `2014-05-06` or `20140506`.
pub fn date(text: &str) -> Option<Date> {
    let digits: String = match text.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _] => text.split('-').collect(),
        _ => text.to_owned(),
    };
    Date::from_digits(digits.as_bytes())
}

/// A day as it is written.
pub fn show_date(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)
}

/// Whether a text can name a venue or a currency.
pub fn is_code(text: &str) -> bool {
    let fine = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    !text.is_empty() && text.chars().all(fine)
}

/// Whether a text can name a run or a strategy.
pub fn is_slug(text: &str) -> bool {
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    !text.is_empty() && text.len() <= 64 && text.chars().all(fine)
}

/// The nearest text that can name a run or a strategy.
pub fn slug(text: &str) -> String {
    let kept = text.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' });
    let slug: String = kept.collect::<String>().to_ascii_lowercase();
    let slug: String = slug.trim_matches('-').chars().take(64).collect();
    if slug.is_empty() { "run".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_come_back_as_they_were_written() {
        for text in ["250ms", "1m", "0s", "-300ms", "90s", "8h", "1d", "1272156851ns", "7us"] {
            assert_eq!(show_span(Span::parse(text).expect(text)), text);
        }
        for text in ["", "1", "s", "1.5s", "1 s", "1M", "99999999999d", "--1s"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }

    #[test]
    fn moments_are_utc_unless_they_say_otherwise() {
        let noon = moment("2024-08-08T12:00:00Z").unwrap();
        for text in ["2024-08-08T12:00:00", "2024-08-08 12:00:00Z", "2024-08-08T07:00:00-05:00"] {
            assert_eq!(moment(text), Some(noon), "{text}");
        }
        assert_eq!(moment("2024-08-08").unwrap().to_string(), "2024-08-08T00:00:00.000000000Z");
        for text in ["", "yesterday", "2024-13-01", "2024-08-08T25:00:00Z", "9999-01-01"] {
            assert_eq!(moment(text), None, "{text}");
        }
    }

    #[test]
    fn days_have_eight_digits() {
        assert_eq!(show_date(date("2014-05-06").unwrap()), "2014-05-06");
        assert_eq!(date("20140506"), date("2014-05-06"));
        assert!(date("2014-02-30").is_none() && date("2014-5-6").is_none());
    }

    #[test]
    fn any_text_has_a_slug() {
        assert_eq!(slug("My Strategy (v2)"), "my-strategy--v2");
        assert_eq!(slug("…"), "run");
        assert!(is_slug(&slug("ÄÖ mm")));
    }
}
