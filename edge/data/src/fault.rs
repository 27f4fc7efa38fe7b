//! Making findings: a fault is worded where it is noticed and placed where the row is known.

use std::fmt;
use tse_model::SourceFault;

/// A finding without a place yet.
pub(crate) fn fault(
    code: &'static str,
    what: impl Into<String>,
    fix: impl Into<String>,
) -> SourceFault {
    SourceFault { code, what: what.into(), place: String::new(), why: None, fix: fix.into() }
}

/// What can be added to a finding.
pub(crate) trait Faulty {
    /// Says why.
    fn why(self, why: impl Into<String>) -> Self;
    /// Says where, unless that is known already.
    fn at(self, place: impl fmt::Display) -> Self;
}

impl Faulty for SourceFault {
    fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    fn at(mut self, place: impl fmt::Display) -> Self {
        if self.place.is_empty() {
            self.place = place.to_string();
        }
        self
    }
}

/// A whole number with commas, as people read it.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A piece of input as it may be shown: short, and without what a terminal would act on.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const LONGEST: usize = 60;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(LONGEST)]);
    let mut clean: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    if bytes.len() > LONGEST {
        clean.push_str("...");
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_read_in_groups_of_three() {
        let cases = [(0, "0"), (999, "999"), (18_342, "18,342"), (1_000_000, "1,000,000")];
        for (n, text) in cases {
            assert_eq!(grouped(n), text);
        }
    }

    #[test]
    fn what_is_shown_is_short_and_harmless() {
        assert_eq!(shown(b"12\x1b[31m"), "12?[31m");
        assert_eq!(shown(&[b'x'; 100]).len(), 63);
    }
}
