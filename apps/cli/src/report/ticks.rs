//! Where the lines of a scale stand and what they are called.

use tse_model::Timestamp;

/// The marks of a scale of numbers.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Ticks {
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) values: Vec<f64>,
    decimals: usize,
}

impl Ticks {
    /// About `wanted` round marks that enclose `low` and `high`.
    pub(crate) fn over(low: f64, high: f64, wanted: usize) -> Self {
        // A flat line needs some room above and below.
        let width = high - low;
        let (low, high) = if width > high.abs() * 1e-12 {
            (low, high)
        } else {
            let room = if high == 0.0 { 1.0 } else { high.abs() * 0.001 };
            (low - room, high + room)
        };
        let rough = (high - low) / wanted.max(1) as f64;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|n| n * power).into_iter().find(|n| *n >= rough);
        let step = step.unwrap_or(10.0 * power);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        // Adding zero turns the zero below zero into a plain one.
        let values: Vec<_> =
            (0..=(last - first).round() as i64).map(|n| (first + n as f64) * step + 0.0).collect();
        let decimals = (-step.log10().floor()).max(0.0) as usize;
        Self { low: first * step, high: last * step, values, decimals: decimals.min(12) }
    }

    /// A value as it stands at the scale.
    pub(crate) fn label(&self, value: f64) -> String {
        let text = format!("{value:.*}", self.decimals);
        let (sign, digits) = text.strip_prefix('-').map_or(("", &*text), |rest| ("\u{2212}", rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let whole = crate::run::numbers::grouped(whole);
        if fraction.is_empty() {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{fraction}")
        }
    }
}

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Steps that clocks and calendars are read in.
const STEPS: [i64; 26] = [
    1_000_000,
    5_000_000,
    10_000_000,
    50_000_000,
    100_000_000,
    500_000_000,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    30 * SECOND,
    60 * SECOND,
    120 * SECOND,
    300 * SECOND,
    600 * SECOND,
    1_800 * SECOND,
    3_600 * SECOND,
    2 * 3_600 * SECOND,
    6 * 3_600 * SECOND,
    12 * 3_600 * SECOND,
    DAY,
    2 * DAY,
    7 * DAY,
    30 * DAY,
    90 * DAY,
    365 * DAY,
];

/// At most about `wanted` moments of a span and what they are called, UTC.
pub(crate) fn times(span: (i64, i64), wanted: i64) -> Vec<(i64, String)> {
    let width = span.1.saturating_sub(span.0).max(1);
    let fits = |step: &&i64| width / **step <= wanted;
    let step = STEPS.iter().find(fits).copied().unwrap_or(width / wanted + 1);
    let mut at = span.0.div_euclid(step) * step;
    let mut marks = Vec::new();
    while at <= span.1 {
        if at >= span.0 {
            marks.push((at, label(at, step)));
        }
        let Some(next) = at.checked_add(step) else { break };
        at = next;
    }
    marks
}

fn label(at: i64, step: i64) -> String {
    // 2026-11-22T09:46:00.000000000Z
    let text = Timestamp::from_nanos(at).to_string();
    match step {
        step if step >= DAY => text[..10].to_owned(),
        step if step >= 60 * SECOND && at % DAY == 0 => text[5..10].to_owned(),
        step if step >= 60 * SECOND => text[11..16].to_owned(),
        step if step >= SECOND => text[11..19].to_owned(),
        _ => text[17..23].to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_enclose_what_is_shown() {
        let ticks = Ticks::over(99_987.2, 100_513.0, 5);
        assert_eq!(ticks.values, [99_800.0, 100_000.0, 100_200.0, 100_400.0, 100_600.0]);
        assert_eq!(ticks.label(100_000.0), "100,000");
        let small = Ticks::over(-0.031, 0.012, 4);
        let labels: Vec<_> = small.values.iter().map(|v| small.label(*v)).collect();
        assert_eq!(labels, ["−0.04", "−0.02", "0.00", "0.02"]);
        let flat = Ticks::over(5.0, 5.0, 3);
        assert!(flat.low < 5.0 && flat.high > 5.0);
        assert!(Ticks::over(0.0, 0.0, 3).values.contains(&0.0));
    }

    #[test]
    fn times_are_called_as_clocks_and_calendars_do() {
        let texts = |from: i64, to: i64| {
            times((from, to), 6).into_iter().map(|(_, text)| text).collect::<Vec<_>>()
        };
        assert_eq!(
            texts(1, 25 * SECOND),
            ["00:00:05", "00:00:10", "00:00:15", "00:00:20", "00:00:25"]
        );
        assert_eq!(
            texts(18 * 3_600 * SECOND, DAY + 3_600 * SECOND),
            ["18:00", "20:00", "22:00", "01-02"]
        );
        assert_eq!(texts(0, 4 * DAY + 1)[..2], ["1970-01-01", "1970-01-02"]);
        assert_eq!(texts(0, 2 * DAY)[..3], ["01-01", "12:00", "01-02"]);
        assert!(times((0, i64::MAX), 6).len() <= 8);
    }
}
