//! Exact decimal text: how numbers come in from files and go out to people.
//!
//! A [`Decimal`] is a bridge, not a working type: it is parsed, put on the grid of an instrument or
//! a currency, and from there on everything is a whole number. It knows nothing of either grid.

use std::fmt;
use std::str::FromStr;

/// The most digits behind the point.
pub const SCALE_MAX: u8 = 36;

/// `mantissa / 10^scale`, exact. At most 38 digits, [`SCALE_MAX`] of them behind the point.
#[derive(Clone, Copy, Debug, Default)]
pub struct Decimal {
    mantissa: i128,
    scale: u8,
}

/// Why a text is not a [`Decimal`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecimalError {
    /// Nothing where a number was expected.
    Empty,
    /// A character that no number has, at this byte.
    Unexpected {
        /// Byte offset of the offending character.
        at: usize,
    },
    /// More than 38 digits, or more than [`SCALE_MAX`] behind the point.
    TooManyDigits,
    /// `NaN` or an infinity: not a number that can be traded.
    NotFinite,
}

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "no number"),
            Self::Unexpected { at } => write!(f, "not a number from byte {at} on"),
            Self::TooManyDigits => write!(f, "more digits than 38, or than {SCALE_MAX} decimals"),
            Self::NotFinite => write!(f, "not a finite number"),
        }
    }
}

impl std::error::Error for DecimalError {}

/// `10^exponent`, exact up to 38.
pub const fn power_of_ten(exponent: u8) -> Option<i128> {
    10i128.checked_pow(exponent as u32)
}

impl Decimal {
    /// Zero.
    pub const ZERO: Self = Self { mantissa: 0, scale: 0 };
    /// One.
    pub const ONE: Self = Self { mantissa: 1, scale: 0 };

    /// `mantissa / 10^scale`; `None` if `scale` is above [`SCALE_MAX`].
    pub const fn new(mantissa: i128, scale: u8) -> Option<Self> {
        if scale > SCALE_MAX { None } else { Some(Self { mantissa, scale }) }
    }

    /// The whole number `n`.
    pub const fn whole(n: i64) -> Self {
        Self { mantissa: n as i128, scale: 0 }
    }

    /// The digits as one whole number.
    pub const fn mantissa(self) -> i128 {
        self.mantissa
    }

    /// How many of the digits stand behind the point.
    pub const fn scale(self) -> u8 {
        self.scale
    }

    /// Whether this is above zero.
    pub const fn is_positive(self) -> bool {
        self.mantissa > 0
    }

    /// Whether this is zero.
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The same value without trailing zeros behind the point.
    pub const fn normalized(mut self) -> Self {
        while self.scale > 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }

    /// The value as a whole number of `10^-scale`; `None` if it is not one, or does not fit.
    pub fn at_scale(self, scale: u8) -> Option<i128> {
        if scale >= self.scale {
            self.mantissa.checked_mul(power_of_ten(scale - self.scale)?)
        } else {
            let cut = power_of_ten(self.scale - scale)?;
            (self.mantissa % cut == 0).then(|| self.mantissa / cut)
        }
    }

    /// How many whole `step`s this is; `None` if it is not on the grid or does not fit.
    pub fn steps_of(self, step: Self) -> Option<i64> {
        let scale = self.scale.max(step.scale);
        let (value, step) = match (self.at_scale(scale), step.at_scale(scale)) {
            (Some(value), Some(step)) => (value, step),
            // The common scale may be finer than 38 digits can hold; without trailing zeros it
            // often is not.
            _ => {
                let (a, b) = (self.normalized(), step.normalized());
                let scale = a.scale.max(b.scale);
                (a.at_scale(scale)?, b.at_scale(scale)?)
            }
        };
        if step == 0 || value % step != 0 {
            return None;
        }
        i64::try_from(value / step).ok()
    }

    /// `self × factor`, exact; `None` when 38 digits are not enough.
    pub fn checked_mul(self, factor: Self) -> Option<Self> {
        let (a, b) = (self.normalized(), factor.normalized());
        let product =
            Self { mantissa: a.mantissa.checked_mul(b.mantissa)?, scale: a.scale + b.scale };
        let product = product.normalized();
        (product.scale <= SCALE_MAX).then_some(product)
    }

    /// `self + other`, exact; `None` when 38 digits are not enough.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let scale = self.scale.max(other.scale);
        let mantissa = self.at_scale(scale)?.checked_add(other.at_scale(scale)?)?;
        Some(Self { mantissa, scale })
    }

    /// Parses the text of a number: digits, an optional sign, point and exponent. Exact or refused.
    ///
    /// # Errors
    /// A [`DecimalError`] that says what is wrong, and where.
    pub fn parse(text: &[u8]) -> Result<Self, DecimalError> {
        let (negative, mut at) = match text.first() {
            None => return Err(DecimalError::Empty),
            Some(b'-') => (true, 1),
            Some(b'+') => (false, 1),
            Some(_) => (false, 0),
        };
        let rest = &text[at..];
        if [&b"nan"[..], b"inf", b"infinity"].iter().any(|name| rest.eq_ignore_ascii_case(name)) {
            return Err(DecimalError::NotFinite);
        }
        let mut mantissa: i128 = 0;
        let mut scale: i32 = 0;
        let (mut digits, mut behind) = (0u32, false);
        while at < text.len() {
            match text[at] {
                digit @ b'0'..=b'9' => {
                    mantissa = mantissa
                        .checked_mul(10)
                        .and_then(|m| m.checked_add(i128::from(digit - b'0')))
                        .ok_or(DecimalError::TooManyDigits)?;
                    digits += 1;
                    scale += i32::from(behind);
                }
                b'.' if !behind => behind = true,
                b'e' | b'E' if digits > 0 => {
                    scale -= Self::exponent(text, at + 1)?;
                    break;
                }
                _ => return Err(DecimalError::Unexpected { at }),
            }
            at += 1;
        }
        if digits == 0 {
            return Err(DecimalError::Unexpected { at });
        }
        // Zeros that only make a huge text (`1.000...`) are no reason to refuse it.
        while scale > i32::from(SCALE_MAX) && mantissa % 10 == 0 && mantissa != 0 {
            mantissa /= 10;
            scale -= 1;
        }
        if scale < 0 {
            let zeros = u8::try_from(-scale).map_err(|_| DecimalError::TooManyDigits)?;
            mantissa = power_of_ten(zeros)
                .and_then(|power| mantissa.checked_mul(power))
                .ok_or(DecimalError::TooManyDigits)?;
            scale = 0;
        }
        let scale = u8::try_from(scale).map_err(|_| DecimalError::TooManyDigits)?;
        Self::new(if negative { -mantissa } else { mantissa }, scale)
            .ok_or(DecimalError::TooManyDigits)
    }

    fn exponent(text: &[u8], from: usize) -> Result<i32, DecimalError> {
        let digits = std::str::from_utf8(&text[from..]).ok();
        digits
            .and_then(|digits| digits.parse::<i32>().ok())
            .filter(|exponent| exponent.abs() <= 100)
            .ok_or(DecimalError::Unexpected { at: from })
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        Self::parse(text.as_bytes())
    }
}

/// By value: `1.0 == 1`.
impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.normalized(), other.normalized());
        (a.mantissa, a.scale) == (b.mantissa, b.scale)
    }
}

impl Eq for Decimal {}

/// All digits that were given: `text -> value -> text` is the identity for plain decimal text.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.mantissa, self.scale)
    }
}

/// Writes `value / 10^scale` with all its decimals.
pub fn write_scaled(f: &mut fmt::Formatter<'_>, value: i128, scale: u8) -> fmt::Result {
    let digits = value.unsigned_abs().to_string();
    let scale = usize::from(scale);
    let sign = if value < 0 { "-" } else { "" };
    if scale == 0 {
        return write!(f, "{sign}{digits}");
    }
    let padded = format!("{digits:0>width$}", width = scale + 1);
    let (whole, fraction) = padded.split_at(padded.len() - scale);
    write!(f, "{sign}{whole}.{fraction}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().expect(text)
    }

    #[test]
    fn plain_text_comes_back_unchanged() {
        for text in ["0", "0.00", "-0.1", "61837.63000000", "0.000000000000000001", "123456789012"]
        {
            assert_eq!(dec(text).to_string(), text);
        }
    }

    #[test]
    fn exponents_are_exact() {
        assert_eq!(dec("1e-8"), dec("0.00000001"));
        assert_eq!(dec("-2.5E3"), dec("-2500"));
        assert_eq!(dec("1e18"), dec("1000000000000000000"));
    }

    #[test]
    fn what_is_not_a_number_says_where_it_stops_being_one() {
        let error = |text: &str| text.parse::<Decimal>().unwrap_err();
        assert_eq!(error(""), DecimalError::Empty);
        assert_eq!(error("12a"), DecimalError::Unexpected { at: 2 });
        assert_eq!(error("1.2.3"), DecimalError::Unexpected { at: 3 });
        assert_eq!(error("-"), DecimalError::Unexpected { at: 1 });
        assert_eq!(error("NaN"), DecimalError::NotFinite);
        assert_eq!(error("-inf"), DecimalError::NotFinite);
        assert_eq!(error("1e99"), DecimalError::TooManyDigits);
        assert_eq!(error("1e-99"), DecimalError::TooManyDigits);
        assert_eq!(error(&"9".repeat(40)), DecimalError::TooManyDigits);
    }

    #[test]
    fn a_value_is_put_on_a_grid_exactly_or_not_at_all() {
        assert_eq!(dec("61837.63").steps_of(dec("0.01")), Some(6_183_763));
        assert_eq!(dec("61837.63000000").steps_of(dec("0.01")), Some(6_183_763));
        assert_eq!(dec("61837.635").steps_of(dec("0.01")), None);
        assert_eq!(dec("5155.25").steps_of(dec("0.25")), Some(20_621));
        assert_eq!(dec("1e9").steps_of(dec("1e-18")), None, "1e27 ticks do not fit");
        assert_eq!(dec("1").steps_of(dec("0")), None);
    }
}
