//! `a × b / d` with a product of any width, so that no amount is refused for an intermediate size.
//!
//! Nearly every product fits 128 bits, and nearly every quotient 64; those take the short way. The
//! long way is a plain binary division and as slow as that sounds: it exists to be right.

use std::cmp::Ordering;
use tse_model::Rounding;

/// `a × b / d`, rounded as named. `None` only if the result itself does not fit; `d` must be
/// positive.
///
/// ```
/// use tse_portfolio::mul_div;
/// use tse_model::Rounding;
/// assert_eq!(mul_div(i128::MAX, 10, 20, Rounding::Down), Some(i128::MAX / 2));
/// assert_eq!(mul_div(i128::MAX, 2, 1, Rounding::Down), None);
/// ```
pub fn mul_div(a: i128, b: i128, d: i128, rounding: Rounding) -> Option<i128> {
    let (quotient, rest) = mul_div_floor(a, b, d)?;
    if rest == 0 {
        return Some(quotient);
    }
    let up = match rounding {
        Rounding::Down => false,
        Rounding::Up => true,
        Rounding::HalfEven | Rounding::HalfUp => match rest.cmp(&(d - rest)) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal if rounding == Rounding::HalfEven => quotient & 1 != 0,
            Ordering::Equal => quotient >= 0,
        },
    };
    quotient.checked_add(i128::from(up))
}

/// The whole number at or below `a × b / d`, and what is left over, in `[0, d)`.
#[inline]
pub(crate) fn mul_div_floor(a: i128, b: i128, d: i128) -> Option<(i128, i128)> {
    assert!(d > 0, "a denominator is positive");
    // (a / d) × b and (a % d) × b / d: when all three fit 64 bits and so does the second product,
    // two hardware divisions do what would else be a library call on 128 bits.
    if let (Ok(a), Ok(b), Ok(d)) = (i64::try_from(a), i64::try_from(b), i64::try_from(d)) {
        let (whole, part) = (a.div_euclid(d), a.rem_euclid(d));
        if let Some(part) = part.checked_mul(b) {
            let quotient = i128::from(whole) * i128::from(b) + i128::from(part.div_euclid(d));
            return Some((quotient, i128::from(part.rem_euclid(d))));
        }
    }
    if let Some(product) = a.checked_mul(b) {
        let quotient = product.div_euclid(d);
        // Below `d`, though the product may pass the end of the integers on the way.
        return Some((quotient, product.wrapping_sub(quotient.wrapping_mul(d))));
    }
    long_way(a, b, d)
}

#[cold]
fn long_way(a: i128, b: i128, d: i128) -> Option<(i128, i128)> {
    let (high, low) = product(a.unsigned_abs(), b.unsigned_abs());
    let divisor = d.unsigned_abs();
    if high >= divisor {
        return None; // the quotient alone has more than 128 bits
    }
    let (mut quotient, mut rest) = (0u128, high);
    for bit in (0..128).rev() {
        // `rest` is below `divisor`, which is below 2^127: the shift loses nothing.
        rest = rest << 1 | low >> bit & 1;
        if rest >= divisor {
            rest -= divisor;
            quotient |= 1 << bit;
        }
    }
    let (quotient, rest) = (i128::try_from(quotient).ok()?, rest as i128);
    Some(match ((a < 0) != (b < 0), rest) {
        (false, _) => (quotient, rest),
        (true, 0) => (-quotient, 0),
        (true, _) => (-quotient - 1, d - rest),
    })
}

/// 128 × 128 bits, schoolbook by halves.
fn product(a: u128, b: u128) -> (u128, u128) {
    const HALF: u128 = u64::MAX as u128;
    let (a1, a0, b1, b0) = (a >> 64, a & HALF, b >> 64, b & HALF);
    let (low, middle, other, high) = (a0 * b0, a1 * b0, a0 * b1, a1 * b1);
    let carry = (low >> 64) + (middle & HALF) + (other & HALF);
    (high + (middle >> 64) + (other >> 64) + (carry >> 64), low & HALF | carry << 64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tse_model::{Chance, divide};

    #[test]
    fn the_ways_agree_where_they_meet() {
        let mut chance = Chance::stream(7, "wide");
        for _ in 0..20_000 {
            let bits = chance.below(62) as u32 + 1;
            let mut draw = || chance.between(-(1 << bits), 1 << bits);
            let (a, b, d) = (draw(), draw(), draw().abs().max(1));
            let (a, b, d) = (i128::from(a), i128::from(b), i128::from(d));
            let (quotient, rest) = mul_div_floor(a, b, d).unwrap();
            assert_eq!((quotient, rest), ((a * b).div_euclid(d), (a * b).rem_euclid(d)));
            if let Some(long) = long_way(a, b, d) {
                assert_eq!(long, (quotient, rest), "{a} × {b} / {d}");
            }
            for rounding in [Rounding::HalfEven, Rounding::HalfUp, Rounding::Down, Rounding::Up] {
                assert_eq!(mul_div(a, b, d, rounding), divide(a * b, d, rounding));
            }
        }
    }

    #[test]
    fn the_ends_of_the_integers_do_not_panic() {
        for (a, b) in [(i128::MIN, 1), (1, i128::MIN), (i128::MIN, i128::MIN), (i128::MAX, -1)] {
            for d in [1, 3, i128::MAX] {
                let _ = mul_div(a, b, d, Rounding::HalfEven);
            }
        }
        assert_eq!(mul_div(i128::MIN, 1, 1, Rounding::Down), Some(i128::MIN));
        assert_eq!(mul_div(i128::MIN, 1, 3, Rounding::Up), Some(i128::MIN / 3));
    }

    #[test]
    fn a_product_of_255_bits_divides_exactly() {
        let most = i128::MAX;
        assert_eq!(mul_div(most, most, most, Rounding::Down), Some(most));
        assert_eq!(mul_div(-most, most, most, Rounding::Down), Some(-most));
        assert_eq!(mul_div(most, most - 1, most, Rounding::Up), Some(most - 1));
        assert_eq!(mul_div(most, 3, 4, Rounding::Down), Some(most / 4 * 3 + 2));
        assert_eq!(mul_div(-most, 3, 4, Rounding::Down), Some(-(most / 4 * 3 + 2) - 1));
        assert_eq!(mul_div(most, most, 1, Rounding::Down), None);
    }
}
