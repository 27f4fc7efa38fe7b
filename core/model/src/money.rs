//! Money: whole units of a currency, and the divisions that make it, each with its rounding named.
//!
//! A [`Money`] does not carry its currency (a ledger account does); it can only be added to money
//! of the same one by whoever keeps the account. All arithmetic is checked: an overflow is a value
//! the caller must handle, never a wrap.

use crate::decimal::{Decimal, write_scaled};
use std::fmt;
use std::ops::Neg;

/// An amount in the smallest units of a currency (`10^-scale`), signed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Money(i128);

/// How a quotient becomes a whole number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounding {
    /// To the nearest, ties to the even neighbour: no drift over many roundings.
    HalfEven,
    /// To the nearest, ties away from zero: what most venues print on a statement.
    HalfUp,
    /// Towards minus infinity.
    Down,
    /// Towards plus infinity: a cost that must not be understated.
    Up,
}

/// `n / d`, rounded as named. `None` on overflow; `d` must be positive.
#[inline]
pub fn divide(n: i128, d: i128, rounding: Rounding) -> Option<i128> {
    assert!(d > 0, "a denominator is positive");
    // 128-bit division is a call into a library; nearly all amounts fit 64 bits, where it is one
    // instruction.
    if let (Ok(n), Ok(d)) = (i64::try_from(n), i64::try_from(d)) {
        let (quotient, rest) = (n.div_euclid(d), n.rem_euclid(d));
        let up = goes_up(rest, d - rest, quotient & 1 != 0, n >= 0, rounding);
        return Some(i128::from(quotient) + i128::from(up));
    }
    let (quotient, rest) = (n.div_euclid(d), n.rem_euclid(d));
    quotient.checked_add(i128::from(goes_up(rest, d - rest, quotient & 1 != 0, n >= 0, rounding)))
}

/// Whether a floored quotient with this rest is rounded up; `other` is what the rest lacks to a whole.
#[inline]
fn goes_up<T: Ord + Default>(
    rest: T,
    other: T,
    odd: bool,
    positive: bool,
    rounding: Rounding,
) -> bool {
    if rest == T::default() {
        return false;
    }
    match rounding {
        Rounding::Down => false,
        Rounding::Up => true,
        // The rest is compared with the other part instead of being doubled.
        Rounding::HalfEven | Rounding::HalfUp => match rest.cmp(&other) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal if rounding == Rounding::HalfEven => odd,
            std::cmp::Ordering::Equal => positive,
        },
    }
}

/// `a × b`, or `None` on overflow: short where both fit 64 bits, as they nearly always do.
#[inline]
pub(crate) const fn product(a: i128, b: i128) -> Option<i128> {
    if a as i64 as i128 == a && b as i64 as i128 == b {
        return Some((a as i64 as i128).wrapping_mul(b as i64 as i128)); // two halves always fit
    }
    a.checked_mul(b)
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// From the smallest units of the currency.
    pub const fn from_units(units: i128) -> Self {
        Self(units)
    }

    /// In the smallest units of the currency.
    pub const fn units(self) -> i128 {
        self.0
    }

    /// The amount that `value` names in a currency of `scale` decimals; `None` if it has more
    /// decimals than that, or does not fit.
    pub fn exact(value: Decimal, scale: u8) -> Option<Self> {
        value.at_scale(scale).map(Self)
    }

    /// Sum, or `None` on overflow.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// Difference, or `None` on overflow.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// `self × n / d`, rounded as named; `None` on overflow.
    pub fn mul_div(self, n: i128, d: i128, rounding: Rounding) -> Option<Self> {
        divide(product(self.0, n)?, d, rounding).map(Self)
    }

    /// The size of the amount without its sign; `None` for the one amount that has none.
    pub const fn checked_abs(self) -> Option<Self> {
        match self.0.checked_abs() {
            Some(units) => Some(Self(units)),
            None => None,
        }
    }

    /// Whether nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether below nothing.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The amount as exact decimal text of a currency with `scale` decimals.
    pub const fn display(self, scale: u8) -> DisplayMoney {
        DisplayMoney { units: self.0, scale }
    }

    /// The amount in whole currency, exact; `None` for a scale no decimal has.
    pub fn to_decimal(self, scale: u8) -> Option<Decimal> {
        Decimal::new(self.0, scale)
    }
}

impl Neg for Money {
    type Output = Self;
    /// # Panics
    /// On the smallest amount, which no ledger can hold (it latches long before).
    fn neg(self) -> Self {
        Self(self.0.checked_neg().expect("a ledger holds no amount of 2^127"))
    }
}

/// An amount ready to print with all its decimals.
#[derive(Clone, Copy, Debug)]
pub struct DisplayMoney {
    units: i128,
    scale: u8,
}

impl fmt::Display for DisplayMoney {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.units, self.scale)
    }
}

/// A rate in billionths: 0.1 % is 1,000,000; a maker rebate is negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Rate(i64);

impl Rate {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One billionth is the finest rate.
    pub const DECIMALS: u8 = 9;
    /// `1` in billionths.
    pub const ONE: i64 = 1_000_000_000;

    /// From billionths.
    pub const fn from_billionths(billionths: i64) -> Self {
        Self(billionths)
    }
    /// In billionths.
    pub const fn billionths(self) -> i64 {
        self.0
    }
    /// From basis points as exact decimal text, such as `-0.5`.
    pub fn from_bps(bps: Decimal) -> Option<Self> {
        i64::try_from(bps.at_scale(Self::DECIMALS - 4)?).ok().map(Self)
    }
    /// This share of an amount.
    #[inline]
    pub fn of(self, amount: Money, rounding: Rounding) -> Option<Money> {
        // Whole billions and the rest apart: for nearly all amounts, all of it fits 64 bits.
        if let Ok(units) = i64::try_from(amount.0) {
            let (whole, rest) = (units.div_euclid(Self::ONE), units.rem_euclid(Self::ONE));
            if let Some(part) = rest.checked_mul(self.0) {
                let (more, rest) = (part.div_euclid(Self::ONE), part.rem_euclid(Self::ONE));
                let quotient = i128::from(whole) * i128::from(self.0) + i128::from(more);
                let positive = (units < 0) == (self.0 < 0) || units == 0 || self.0 == 0;
                let up = goes_up(rest, Self::ONE - rest, quotient & 1 != 0, positive, rounding);
                return Some(Money(quotient + i128::from(up)));
            }
        }
        amount.mul_div(i128::from(self.0), i128::from(Self::ONE), rounding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_what_the_long_way_makes_of_it() {
        use Rounding::{Down, HalfEven, HalfUp, Up};
        let mut chance = crate::Chance::stream(11, "share");
        let mut wide = |bits: i64| chance.between(i64::MIN, i64::MAX) >> chance.between(0, bits);
        for _ in 0..200_000 {
            let (amount, rate) = (wide(62), wide(62));
            for rounding in [HalfEven, HalfUp, Down, Up] {
                let share = Rate(rate).of(Money(amount.into()), rounding);
                let long = i128::from(amount) * i128::from(rate);
                let long = divide(long, Rate::ONE.into(), rounding);
                assert_eq!(share.map(Money::units), long, "{rate} of {amount} {rounding:?}");
            }
        }
        for (units, rounding, share) in
            [(5, HalfEven, 2), (7, HalfEven, 4), (-5, HalfUp, -3), (5, HalfUp, 3), (-5, Up, -2)]
        {
            let half = Rate(Rate::ONE / 2);
            assert_eq!(half.of(Money(units), rounding), Some(Money(share)), "{units} {rounding:?}");
        }
    }

    #[test]
    fn every_rounding_does_what_its_name_says() {
        use Rounding::{Down, HalfEven, HalfUp, Up};
        let cases = [
            // n, d, half-even, half-up, down, up
            (5, 2, 2, 3, 2, 3),
            (7, 2, 4, 4, 3, 4),
            (-5, 2, -2, -3, -3, -2),
            (-7, 2, -4, -4, -4, -3),
            (4, 3, 1, 1, 1, 2),
            (5, 3, 2, 2, 1, 2),
            (6, 3, 2, 2, 2, 2),
            (i128::MAX, 2, 1 << 126, 1 << 126, (1 << 126) - 1, 1 << 126),
        ];
        for (n, d, half_even, half_up, down, up) in cases {
            assert_eq!(divide(n, d, HalfEven), Some(half_even), "{n}/{d} half-even");
            assert_eq!(divide(n, d, HalfUp), Some(half_up), "{n}/{d} half-up");
            assert_eq!(divide(n, d, Down), Some(down), "{n}/{d} down");
            assert_eq!(divide(n, d, Up), Some(up), "{n}/{d} up");
        }
    }

    #[test]
    fn overflow_is_an_answer() {
        let most = Money::from_units(i128::MAX);
        assert_eq!(most.checked_add(Money::from_units(1)), None);
        assert_eq!(most.mul_div(2, 1, Rounding::Down), None);
        assert_eq!(Money::from_units(i128::MIN).checked_abs(), None);
    }

    #[test]
    fn a_tenth_of_a_percent_of_46_319_is_exact_to_eight_decimals() {
        let notional = Money::exact("46.319".parse().unwrap(), 8).unwrap();
        let fee = Rate::from_bps("10".parse().unwrap()).unwrap().of(notional, Rounding::HalfEven);
        assert_eq!(fee.unwrap().display(8).to_string(), "0.04631900");
    }
}
