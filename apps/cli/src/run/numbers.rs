//! Numbers as people read them: grouped, signed, and no longer than they need to be.
//!
//! Amounts come as exact decimal text and are cut for the eye alone; files and JSON keep every digit.

/// The digits that say something.
const SIGNIFICANT: usize = 5;

/// An amount with thousands grouped, rounded half to even to cents, or to five digits where that is
/// more.
pub(crate) fn amount(exact: &str) -> String {
    let (sign, digits) = exact.strip_prefix('-').map_or(("", exact), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let leading = if whole == "0" {
        // Digits of a small number begin behind its zeros.
        let zeros = fraction.len() - fraction.trim_start_matches('0').len();
        if zeros == fraction.len() { 2 } else { zeros + SIGNIFICANT }
    } else {
        SIGNIFICANT.saturating_sub(whole.len())
    };
    let places = leading.max(2);
    let (whole, fraction) = rounded(whole, fraction, places);
    let sign = if is_zero(&whole) && is_zero(&fraction) { "" } else { sign };
    match fraction.is_empty() {
        true => format!("{sign}{}", grouped(&whole)),
        false => format!("{sign}{}.{fraction}", grouped(&whole)),
    }
}

/// An amount that says its sign.
pub(crate) fn signed(exact: &str) -> String {
    let text = amount(exact);
    if text.starts_with('-') { text } else { format!("+{text}") }
}

/// Whether exact decimal text is nothing.
pub(crate) fn is_zero(exact: &str) -> bool {
    !exact.bytes().any(|c| (b'1'..=b'9').contains(&c))
}

/// An amount with its sign turned around, exact.
pub(crate) fn negated(exact: &str) -> String {
    match exact.strip_prefix('-') {
        Some(rest) => rest.to_owned(),
        None if is_zero(exact) => exact.to_owned(),
        None => format!("-{exact}"),
    }
}

/// Every digit of an exact number but the zeros behind its last decimal; thousands grouped.
pub(crate) fn exact(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", grouped(whole))
}

fn rounded(whole: &str, fraction: &str, places: usize) -> (String, String) {
    if fraction.len() <= places {
        return (whole.to_owned(), fraction.to_owned());
    }
    let (kept, cut) = fraction.split_at(places);
    let mut digits: Vec<u8> = whole.bytes().chain(kept.bytes()).collect();
    let half = cut.bytes().next() == Some(b'5') && cut.bytes().skip(1).all(|digit| digit == b'0');
    let odd = digits.last().is_some_and(|digit| (digit - b'0') % 2 == 1);
    if (half && odd) || (!half && cut.as_bytes()[0] >= b'5') {
        let mut at = digits.len();
        loop {
            if at == 0 {
                digits.insert(0, b'1');
                break;
            }
            at -= 1;
            if digits[at] == b'9' {
                digits[at] = b'0';
            } else {
                digits[at] += 1;
                break;
            }
        }
    }
    let text = String::from_utf8(digits).expect("digits are text");
    let (whole, fraction) = text.split_at(text.len() - places);
    (whole.to_owned(), fraction.to_owned())
}

/// Digits in groups of three.
pub(crate) fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with thousands grouped.
pub(crate) fn count(n: u64) -> String {
    grouped(&n.to_string())
}

/// A count of many in one glance: `62 M`, `18.4 k`, `950`.
pub(crate) fn short(n: f64) -> String {
    let (value, unit) = match n {
        n if n >= 1e9 => (n / 1e9, " G"),
        n if n >= 1e6 => (n / 1e6, " M"),
        n if n >= 1e3 => (n / 1e3, " k"),
        n => return format!("{n:.0}"),
    };
    if value < 10.0 { format!("{value:.1}{unit}") } else { format!("{value:.0}{unit}") }
}

/// A share of one in per cent.
pub(crate) fn percent(ratio: f64) -> String {
    format!("{:.*} %", places(ratio), ratio * 100.0 + 0.0)
}

/// A share of one in per cent, with its sign.
pub(crate) fn signed_percent(ratio: f64) -> String {
    format!("{:+.*} %", places(ratio), ratio * 100.0 + 0.0)
}

/// Two places, and more where two would show nothing.
fn places(ratio: f64) -> usize {
    if ratio != 0.0 && ratio.abs() < 0.001 { 4 } else { 2 }
}

/// A length of time in days, hours, minutes or seconds.
pub(crate) fn days(days: f64) -> String {
    let seconds = days * 86_400.0;
    match seconds {
        s if s >= 2.0 * 86_400.0 => format!("{:.1} days", s / 86_400.0),
        s if s >= 2.0 * 3_600.0 => format!("{:.1} hours", s / 3_600.0),
        s if s >= 120.0 => format!("{:.1} minutes", s / 60.0),
        s => format!("{s:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_cut_for_the_eye() {
        let cases = [
            ("1970.51000000", "1,970.51"),
            ("-1970.515", "-1,970.52"),
            ("-1970.505", "-1,970.50"),
            ("0.00000000", "0.00"),
            ("-0.000000001", "-0.000000001"),
            ("-0.00000000", "0.00"),
            ("0.012345678", "0.012346"),
            ("1.23456789", "1.2346"),
            ("999.99951", "1,000.00"),
            ("9999954.94313300", "9,999,954.94"),
            ("12", "12"),
        ];
        for (exact, text) in cases {
            assert_eq!(amount(exact), text, "{exact}");
        }
        assert_eq!(signed("0.00"), "+0.00");
        assert_eq!(exact("9999954.94313300"), "9,999,954.943133");
        assert_eq!(exact("-10.00000000"), "-10");
        assert_eq!((negated("1.5"), negated("-1.5"), negated("0.00")).1, "1.5");
        assert_eq!(negated("0.00"), "0.00");
    }

    #[test]
    fn counts_fit_in_a_glance() {
        let cases = [(950.0, "950"), (9_500.0, "9.5 k"), (62e6, "62 M"), (1.25e9, "1.2 G")];
        for (n, text) in cases {
            assert_eq!(short(n), text);
        }
        assert_eq!(
            (percent(0.1234), signed_percent(-0.000_046_3)),
            ("12.34 %".into(), "-0.0046 %".into())
        );
        assert_eq!(signed_percent(-0.0), "+0.00 %");
        assert_eq!(days(1.0 / 24.0), "60.0 minutes");
        assert_eq!(days(60.0), "60.0 days");
    }
}
