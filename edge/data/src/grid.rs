//! From decimal text to ticks and lots, exactly and quickly.
//!
//! A [`Grid`] is one step size of one instrument, prepared so that the usual text (up to 18 digits)
//! costs one multiplication and one division. Whatever is unusual goes through
//! [`Decimal`], which is slower and knows everything. No float is involved anywhere.

use crate::codes;
use crate::fault::{Faulty, fault, shown};
use crate::spec::OffGrid;
use tse_model::decimal::{SCALE_MAX, power_of_ten};
use tse_model::{
    Catalog, Decimal, DecimalError, Instrument, Kind, Price, Qty, Rounding, SourceFault, divide,
};

/// Why a row gives no event.
#[derive(Debug)]
pub(crate) enum Stop {
    /// It is left out, and whoever decided that has counted it.
    Skip,
    /// It is wrong.
    Fault(SourceFault),
}

impl From<SourceFault> for Stop {
    fn from(fault: SourceFault) -> Self {
        Self::Fault(fault)
    }
}

/// A number as it was written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    /// `mantissa / 10^scale` in 18 digits.
    Small(i64, u8),
    /// Anything longer.
    Large(Decimal),
}

impl Number {
    /// Reads plain decimal text.
    #[inline]
    pub(crate) fn parse(text: &[u8]) -> Result<Self, DecimalError> {
        match Self::parse_small(text) {
            Some(number) => Ok(number),
            None => Decimal::parse(text).map(Self::Large),
        }
    }

    #[inline]
    fn parse_small(text: &[u8]) -> Option<Self> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        if digits.is_empty() || digits.len() > 19 {
            return None;
        }
        let (mut mantissa, mut point) = (0i64, None);
        for (at, byte) in digits.iter().enumerate() {
            match byte.wrapping_sub(b'0') {
                digit @ 0..=9 => mantissa = mantissa.wrapping_mul(10).wrapping_add(digit.into()),
                _ if *byte == b'.' && point.is_none() => point = Some(at),
                _ => return None,
            }
        }
        let (count, scale) = match point {
            Some(at) => (digits.len() - 1, digits.len() - 1 - at),
            None => (digits.len(), 0),
        };
        // Nineteen digits may have wrapped; leave them to the slow road.
        if count == 0 || count > 18 {
            return None;
        }
        Some(Self::Small(if negative { -mantissa } else { mantissa }, scale as u8))
    }

    /// The same number with `shift` more digits behind the point.
    pub(crate) fn shifted(self, shift: u8) -> Option<Self> {
        match self {
            Self::Small(mantissa, scale) => {
                let scale = scale.checked_add(shift).filter(|scale| *scale <= SCALE_MAX)?;
                Some(Self::Small(mantissa, scale))
            }
            Self::Large(value) => {
                Decimal::new(value.mantissa(), value.scale().checked_add(shift)?).map(Self::Large)
            }
        }
    }

    /// A whole number.
    pub(crate) fn whole(number: i64) -> Self {
        // The quick road multiplies 18 digits without looking.
        match number.unsigned_abs() < 1_000_000_000_000_000_000 {
            true => Self::Small(number, 0),
            false => Self::Large(Decimal::whole(number)),
        }
    }

    /// A whole number that is not negative.
    pub(crate) fn unsigned(number: u64) -> Self {
        match i64::try_from(number) {
            Ok(number) => Self::whole(number),
            Err(_) => Self::Large(Decimal::new(number.into(), 0).expect("scale 0 is a scale")),
        }
    }

    /// The number that a decimal is.
    pub(crate) fn of(value: Decimal) -> Self {
        match i64::try_from(value.mantissa()) {
            Ok(mantissa) if mantissa.unsigned_abs() < 1_000_000_000_000_000_000 => {
                Self::Small(mantissa, value.scale())
            }
            _ => Self::Large(value),
        }
    }

    /// Whether this is zero.
    pub(crate) fn is_zero(self) -> bool {
        match self {
            Self::Small(mantissa, _) => mantissa == 0,
            Self::Large(value) => value.is_zero(),
        }
    }

    /// The same as a decimal.
    pub(crate) fn decimal(self) -> Decimal {
        match self {
            Self::Small(mantissa, scale) => {
                Decimal::new(mantissa.into(), scale).expect("no number is made with a larger scale")
            }
            Self::Large(value) => value,
        }
    }
}

/// Whether a number is on a grid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Steps {
    /// So many steps.
    Whole(i64),
    /// Between two steps; the nearest is this.
    Between(i64),
    /// Out of range.
    TooMany,
}

const SCALES: usize = 19;

/// One step size.
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    step: Decimal,
    /// By the scale of the text: what to multiply the mantissa with, and what to divide it by.
    ratios: [Option<(i64, i64)>; SCALES],
}

impl Grid {
    pub(crate) fn new(step: Decimal) -> Self {
        let step = step.normalized();
        let ratio = |scale: u8| {
            // steps = mantissa / 10^scale / (m / 10^s) = mantissa × 10^s / (m × 10^scale)
            let (up, down) = match step.scale().checked_sub(scale) {
                Some(more) => (power_of_ten(more)?, step.mantissa()),
                None => (1, step.mantissa().checked_mul(power_of_ten(scale - step.scale())?)?),
            };
            Some((i64::try_from(up).ok()?, i64::try_from(down).ok()?))
        };
        Self { step, ratios: std::array::from_fn(|scale| ratio(scale as u8)) }
    }

    /// The size of a step.
    pub(crate) fn step(&self) -> Decimal {
        self.step
    }

    /// How many steps a number is.
    #[inline]
    pub(crate) fn steps(&self, number: Number) -> Steps {
        if let Number::Small(mantissa, scale) = number
            && let Some(Some((up, down))) = self.ratios.get(usize::from(scale))
            && let Some(product) = mantissa.checked_mul(*up)
            && product % down == 0
        {
            return Steps::Whole(product / down);
        }
        self.steps_slow(number.decimal())
    }

    #[cold]
    fn steps_slow(&self, value: Decimal) -> Steps {
        if let Some(steps) = value.steps_of(self.step) {
            return Steps::Whole(steps);
        }
        let value = value.normalized();
        let scale = value.scale().max(self.step.scale());
        let nearest = (|| {
            let (n, d) = (value.at_scale(scale)?, self.step.at_scale(scale)?);
            if n % d == 0 {
                return None;
            }
            i64::try_from(divide(n, d, Rounding::HalfEven)?).ok()
        })();
        nearest.map_or(Steps::TooMany, Steps::Between)
    }
}

/// The grids of one instrument.
#[derive(Clone, Debug)]
pub(crate) struct Measure {
    pub(crate) price: Grid,
    pub(crate) qty: Grid,
    /// Whether prices must be above zero.
    pub(crate) above_zero: bool,
    pub(crate) name: String,
}

impl Measure {
    fn new(instrument: &Instrument) -> Self {
        Self {
            price: Grid::new(instrument.tick),
            qty: Grid::new(instrument.lot),
            above_zero: !matches!(instrument.kind, Kind::Future { .. }),
            name: instrument.symbol.to_string(),
        }
    }

    /// The grids of all instruments, in the order of their numbers.
    pub(crate) fn all(catalog: &Catalog) -> Vec<Self> {
        catalog.instruments().iter().map(Self::new).collect()
    }
}

/// How numbers are put on their grids, and how often that took a liberty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fit {
    pub(crate) off_grid: OffGrid,
    /// Rows left out because a number was between two steps.
    pub(crate) skipped: u64,
    /// Numbers moved to the nearest step.
    pub(crate) rounded: u64,
}

/// What a number is, for the words of a finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum What {
    Price,
    Size,
}

impl Fit {
    pub(crate) fn new(off_grid: OffGrid) -> Self {
        Self { off_grid, skipped: 0, rounded: 0 }
    }

    /// A price in ticks.
    #[inline]
    pub(crate) fn price(
        &mut self,
        measure: &Measure,
        name: &str,
        number: Number,
    ) -> Result<Price, Stop> {
        let ticks = match measure.price.steps(number) {
            Steps::Whole(ticks) => ticks,
            other => self.off(measure, What::Price, name, number, other)?,
        };
        if ticks <= 0 && measure.above_zero {
            return Err(bad_price(measure, name, number).into());
        }
        Ok(Price::new(ticks))
    }

    /// A size in lots, zero or more.
    #[inline]
    pub(crate) fn size(
        &mut self,
        measure: &Measure,
        name: &str,
        number: Number,
    ) -> Result<Qty, Stop> {
        let lots = match measure.qty.steps(number) {
            Steps::Whole(lots) => lots,
            other => self.off(measure, What::Size, name, number, other)?,
        };
        if lots < 0 {
            return Err(negative_size(name, number).into());
        }
        Ok(Qty::new(lots))
    }

    #[cold]
    fn off(
        &mut self,
        measure: &Measure,
        what: What,
        name: &str,
        number: Number,
        steps: Steps,
    ) -> Result<i64, Stop> {
        let value = number.decimal();
        let (step, code, unit) = match what {
            What::Price => (measure.price.step, codes::OFF_TICK, "tick"),
            What::Size => (measure.qty.step, codes::OFF_LOT, "lot"),
        };
        match (steps, self.off_grid) {
            (Steps::Whole(steps), _) => Ok(steps),
            (Steps::TooMany, _) => Err(fault(
                codes::TOO_LARGE,
                format!("`{name}` {value} does not fit 64 bits in {unit}s of {step}"),
                format!("check the unit of the column, or give {} a coarser {unit}", measure.name),
            )
            .into()),
            (Steps::Between(_), OffGrid::Skip) => {
                self.skipped += 1;
                Err(Stop::Skip)
            }
            (Steps::Between(nearest), OffGrid::Round) => {
                self.rounded += 1;
                Ok(nearest)
            }
            (Steps::Between(_), OffGrid::Error) => Err(fault(
                code,
                format!("`{name}` {value} is not a multiple of the {unit} {step}"),
                format!(
                    "give {} a {unit} that divides it, such as {}, or set `off_grid` to \"round\" \
                     or \"skip\"",
                    measure.name,
                    Decimal::new(1, value.normalized().scale()).unwrap_or(Decimal::ONE)
                ),
            )
            .into()),
        }
    }
}

#[cold]
fn bad_price(measure: &Measure, name: &str, number: Number) -> SourceFault {
    let value = number.decimal();
    let what = if value.is_zero() { "zero".to_owned() } else { format!("negative: {value}") };
    fault(
        codes::BAD_PRICE,
        format!("`{name}` is {what}"),
        format!("prices of {} are above zero: correct or remove the row", measure.name),
    )
}

#[cold]
fn negative_size(name: &str, number: Number) -> SourceFault {
    fault(
        codes::BAD_SIZE,
        format!("`{name}` is negative: {}", number.decimal()),
        "give the size without a sign, and the direction as `side`",
    )
}

/// The finding about a field that is not a number.
#[cold]
pub(crate) fn not_a_number(name: &str, text: &[u8], error: DecimalError) -> SourceFault {
    let text = shown(text);
    match error {
        DecimalError::NotFinite => fault(
            codes::NOT_FINITE,
            format!("`{name}` is {text}"),
            "remove the row, or write the number that is meant",
        ),
        DecimalError::TooManyDigits => fault(
            codes::TOO_LARGE,
            format!("`{name}` {text} has {error}"),
            "check the unit of the column",
        ),
        DecimalError::Empty => {
            fault(codes::NOT_A_NUMBER, format!("`{name}` is empty"), "fill in the number")
        }
        DecimalError::Unexpected { .. } => fault(
            codes::NOT_A_NUMBER,
            format!("`{name}` is not a number: {text}"),
            "write plain decimal text, such as 43000.5",
        )
        .why(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn the_quick_road_agrees_with_the_slow_one() {
        let steps = ["0.01", "0.1", "1", "0.25", "0.00000001", "100", "1e-18", "0.5", "0.0003"];
        let texts = [
            "61837.63000000",
            "0",
            "0.00",
            "-12.5",
            "100",
            "1e3",
            "+7",
            "999999999999999999",
            "9999999999999999999",
            "0.000000000000000001",
            "5155.25",
            ".5",
            "5.",
            "123456789.123456789",
        ];
        for step in steps {
            let grid = Grid::new(dec(step));
            for text in texts {
                let slow = dec(text).steps_of(dec(step));
                let quick = grid.steps(Number::parse(text.as_bytes()).unwrap());
                match slow {
                    Some(steps) => assert_eq!(quick, Steps::Whole(steps), "{text} in {step}"),
                    None => assert!(!matches!(quick, Steps::Whole(_)), "{text} in {step}"),
                }
            }
        }
    }

    #[test]
    fn between_two_steps_the_nearest_is_known_and_ties_go_to_the_even_one() {
        let grid = Grid::new(dec("0.25"));
        let near = |text: &str| grid.steps(Number::parse(text.as_bytes()).unwrap());
        assert_eq!(near("0.30"), Steps::Between(1));
        assert_eq!(near("0.375"), Steps::Between(2));
        assert_eq!(near("0.125"), Steps::Between(0));
        assert_eq!(near("-0.30"), Steps::Between(-1));
        assert_eq!(near("1e30"), Steps::TooMany);
    }

    #[test]
    fn a_divisor_is_a_shift_of_the_point() {
        let number = Number::parse(b"1671550").unwrap().shifted(4).unwrap();
        assert_eq!(Grid::new(dec("0.01")).steps(number), Steps::Between(16_716));
        assert_eq!(Grid::new(dec("0.005")).steps(number), Steps::Whole(33_431));
    }
}
