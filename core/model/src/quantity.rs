//! Prices in ticks, quantities in lots.
//!
//! Both count steps of their instrument's grid and say nothing about its size: see
//! [`Instrument`](crate::Instrument) for what one step is worth.

use std::fmt;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// A price in ticks of its instrument. It may be negative: spreads are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Price(i64);

/// A quantity in lots of its instrument. Orders and fills have positive ones; a position is signed,
/// long above zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Qty(i64);

macro_rules! steps {
    ($name:ident, $suffix:literal) => {
        impl $name {
            /// No steps.
            pub const ZERO: Self = Self(0);
            /// The largest value.
            pub const MAX: Self = Self(i64::MAX);
            /// The smallest value.
            pub const MIN: Self = Self(i64::MIN);

            /// From whole steps of the grid.
            pub const fn new(steps: i64) -> Self {
                Self(steps)
            }
            /// In whole steps of the grid.
            pub const fn get(self) -> i64 {
                self.0
            }
            /// Whether no steps.
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }
            /// Whether above zero.
            pub const fn is_positive(self) -> bool {
                self.0 > 0
            }
            /// Sum, or `None` on overflow.
            pub const fn checked_add(self, other: Self) -> Option<Self> {
                match self.0.checked_add(other.0) {
                    Some(steps) => Some(Self(steps)),
                    None => None,
                }
            }
            /// Difference, or `None` on overflow.
            pub const fn checked_sub(self, other: Self) -> Option<Self> {
                match self.0.checked_sub(other.0) {
                    Some(steps) => Some(Self(steps)),
                    None => None,
                }
            }
            /// Sum that stops at the ends of the range.
            pub const fn saturating_add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }
            /// Difference that stops at the ends of the range.
            pub const fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
            /// Without its sign; the smallest value gives the largest.
            pub const fn abs(self) -> Self {
                Self(self.0.saturating_abs())
            }
        }

        // Operators panic on overflow in every profile (`overflow-checks` is on): they are for
        // values already known to be inside an instrument's limits. Input goes through `checked_*`.
        impl Add for $name {
            type Output = Self;
            fn add(self, other: Self) -> Self {
                Self(self.0 + other.0)
            }
        }
        impl Sub for $name {
            type Output = Self;
            fn sub(self, other: Self) -> Self {
                Self(self.0 - other.0)
            }
        }
        impl AddAssign for $name {
            fn add_assign(&mut self, other: Self) {
                self.0 += other.0;
            }
        }
        impl SubAssign for $name {
            fn sub_assign(&mut self, other: Self) {
                self.0 -= other.0;
            }
        }
        impl Neg for $name {
            type Output = Self;
            fn neg(self) -> Self {
                Self(-self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{}", $suffix), self.0)
            }
        }
    };
}

steps!(Price, "t");
steps!(Qty, "l");

impl Qty {
    /// This many lots in the direction of `side`: sells are negative.
    pub const fn signed(self, side: Side) -> Self {
        match side {
            Side::Buy => self,
            Side::Sell => Self(-self.0),
        }
    }
}

/// Which way an order trades, or which half of a book a level stands in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Side {
    /// Bids, buyers.
    Buy,
    /// Asks, sellers.
    Sell,
}

impl Side {
    /// Both, bids first.
    pub const BOTH: [Self; 2] = [Self::Buy, Self::Sell];

    /// The other side.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// +1 for a buy, −1 for a sell.
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }

    /// 0 for bids, 1 for asks: a place in an array of two.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether an order of this side priced `ours` may trade with one of the other side priced
    /// `theirs`.
    pub const fn reaches(self, ours: Price, theirs: Price) -> bool {
        match self {
            Self::Buy => ours.0 >= theirs.0,
            Self::Sell => ours.0 <= theirs.0,
        }
    }

    /// Whether `a` stands before `b` in a queue of this side: higher bids, lower asks.
    pub const fn better(self, a: Price, b: Price) -> bool {
        match self {
            Self::Buy => a.0 > b.0,
            Self::Sell => a.0 < b.0,
        }
    }

    /// How many ticks `price` stands behind `best`; below zero if it stands before it. As far as an
    /// `i64` goes.
    pub const fn behind(self, best: Price, price: Price) -> i64 {
        match self {
            Self::Buy => best.0.saturating_sub(price.0),
            Self::Sell => price.0.saturating_sub(best.0),
        }
    }

    /// `price` moved `ticks` away from the other side: down for a bid, up for an ask.
    pub const fn away(self, price: Price, ticks: i64) -> Price {
        match self {
            Self::Buy => Price(price.0.saturating_sub(ticks)),
            Self::Sell => Price(price.0.saturating_add(ticks)),
        }
    }

    /// The side of a signed quantity; `None` for zero.
    pub const fn of(signed: Qty) -> Option<Self> {
        match signed.0 {
            0 => None,
            1.. => Some(Self::Buy),
            _ => Some(Self::Sell),
        }
    }

    /// `buy` or `sell`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buy_reaches_what_is_no_dearer_and_a_sell_what_is_no_cheaper() {
        let (low, high) = (Price::new(99), Price::new(101));
        assert!(Side::Buy.reaches(high, low) && Side::Buy.reaches(low, low));
        assert!(!Side::Buy.reaches(low, high));
        assert!(Side::Sell.reaches(low, high) && !Side::Sell.reaches(high, low));
    }

    #[test]
    fn the_better_price_is_the_one_nearer_the_other_side() {
        assert!(Side::Buy.better(Price::new(2), Price::new(1)));
        assert!(Side::Sell.better(Price::new(1), Price::new(2)));
        assert_eq!(Side::Buy.away(Price::new(10), 3), Price::new(7));
        assert_eq!(Side::Sell.away(Price::new(10), 3), Price::new(13));
    }
}
