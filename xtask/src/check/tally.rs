//! How many tests passed, read from the summary lines of the two test runners.
//!
//! A line goes in; a count comes out if the line is such a summary, and only if every part of it was
//! understood: a wrong count is worse than none.

use std::fmt;
use std::ops::Add;

/// Numbers of tests by how they ended.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Tally {
    /// They did what they promise.
    pub passed: u64,
    /// They did not, or took too long, or could not be started.
    pub failed: u64,
    /// They were not run.
    pub skipped: u64,
}

/// Who runs the tests. Each repeats what the other said in a failed test, so one must not be heard
/// for the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Runner {
    /// `cargo test`.
    Libtest,
    /// `cargo nextest run`.
    Nextest,
}

impl Tally {
    /// The count in one line of the runner's output, if it is its summary.
    pub fn of_line(runner: Runner, line: &str) -> Option<Self> {
        let line = plain(line);
        let line = line.trim();
        match runner {
            // test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.1s
            Runner::Libtest => {
                let (_, parts) = line.strip_prefix("test result: ")?.split_once(". ")?;
                let (parts, _) = parts.split_once("; finished in ")?;
                Self::of_parts(parts.split("; "))
            }
            // Summary [   1.234s] 85 tests run: 84 passed (1 slow), 1 failed, 2 skipped
            Runner::Nextest => {
                let (_, parts) = line.strip_prefix("Summary [")?.split_once(" run: ")?;
                Self::of_parts(outside_parentheses(parts).split(", "))
            }
        }
    }

    fn of_parts<'a>(parts: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut tally = Tally::default();
        for part in parts {
            let (number, what) = part.trim().split_once(' ')?;
            let number: u64 = number.parse().ok()?;
            match what.trim() {
                "passed" | "measured" => tally.passed += number,
                "failed" | "exec failed" | "timed out" => tally.failed += number,
                "skipped" | "ignored" | "filtered out" => tally.skipped += number,
                _ => return None,
            }
        }
        Some(tally)
    }
}

impl Add for Tally {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

/// The line without a terminal's colour codes: ESC [ ... letter.
fn plain(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line.chars();
    while let Some(char) = rest.next() {
        if char != '\u{1b}' {
            plain.push(char);
        } else if rest.next() == Some('[') {
            rest.by_ref().find(char::is_ascii_alphabetic);
        }
    }
    plain
}

fn outside_parentheses(text: &str) -> String {
    let mut depth = 0_u32;
    let mut outside = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => outside.push(char),
            _ => {}
        }
    }
    outside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64, skipped: u64) -> Option<Tally> {
        Some(Tally { passed, failed, skipped })
    }

    #[test]
    fn libtest_summaries_are_understood() {
        let line = "test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured; 4 filtered out; \
                    finished in 0.02s";
        assert_eq!(Tally::of_line(Runner::Libtest, line), tally(3, 1, 6));
        assert_eq!(Tally::of_line(Runner::Nextest, line), None);
    }

    #[test]
    fn nextest_summaries_are_understood() {
        let of_line = |line| Tally::of_line(Runner::Nextest, line);
        assert_eq!(
            of_line("     Summary [   0.003s] 3 tests run: 3 passed, 0 skipped\n"),
            tally(3, 0, 0)
        );
        assert_eq!(
            of_line("Summary [ 9.1s] 1 test run: 1 passed (1 slow, 1 leaky), 2 skipped"),
            tally(1, 0, 2)
        );
        assert_eq!(
            of_line(
                "Summary [ 9s] 5/9 tests run: 2 passed, 1 failed, 1 exec failed, 1 timed out, 0 skipped"
            ),
            tally(2, 3, 0)
        );
    }

    #[test]
    fn colours_do_not_hide_a_summary() {
        let line = "\u{1b}[32;1m     Summary\u{1b}[0m [   0.003s] \u{1b}[1m3\u{1b}[0m tests run: \
                    \u{1b}[1m3\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, \u{1b}[1m0\u{1b}[0m skipped";
        assert_eq!(Tally::of_line(Runner::Nextest, line), tally(3, 0, 0));
    }

    #[test]
    fn other_lines_and_half_understood_summaries_count_nothing() {
        assert_eq!(Tally::of_line(Runner::Libtest, "test tests::it_works ... ok"), None);
        assert_eq!(Tally::of_line(Runner::Libtest, "3 passed, 0 failed"), None);
        assert_eq!(Tally::of_line(Runner::Libtest, "test result: ok. 3 passed; 0 failed"), None);
        let strange = "Summary [ 1s] 3 tests run: 2 passed, 1 abducted";
        assert_eq!(Tally::of_line(Runner::Nextest, strange), None);
    }
}
