//! The four models of the tables, and the questions one may ask of them.
//!
//! Plain data with public fields. `validate` says whether a row makes sense by itself; whether it is
//! true only the journal knows.

mod order;
mod position;
mod query;
mod strategy;
mod trade;
mod words;

pub use order::Order;
pub use position::Position;
pub use query::{
    LIMIT_MAX, OrderQuery, OrderSort, PositionQuery, PositionSort, StrategyQuery, StrategySort,
    TradeQuery, TradeSort,
};
pub use strategy::Strategy;
pub use trade::Trade;
pub use words::{
    Liquidity, OrderStatus, OrderType, ServiceStatus, Side, SortOrder, StrategyStatus,
    StrategyType, TimeInForce,
};

use crate::{Result, StorageError};
use rust_decimal::Decimal;

/// The longest name of anything, in bytes.
pub const NAME_MAX: usize = 200;

/// A name has letters in it, not too many, and nothing that a terminal would obey.
fn check_name(what: &str, name: &str) -> Result<()> {
    let why = if name.trim().is_empty() {
        "is empty".to_owned()
    } else if name.len() > NAME_MAX {
        format!("has more than {NAME_MAX} bytes")
    } else if name.chars().any(char::is_control) {
        "has control characters".to_owned()
    } else {
        return Ok(());
    };
    Err(StorageError::invalid(what, why))
}

/// Free text may have several lines, but a zero is what PostgreSQL cannot keep.
fn check_text(what: &str, text: Option<&String>) -> Result<()> {
    match text {
        Some(text) if text.contains('\0') => Err(StorageError::invalid(what, "has a zero in it")),
        _ => Ok(()),
    }
}

fn check(holds: bool, what: &str, why: impl FnOnce() -> String) -> Result<()> {
    if holds { Ok(()) } else { Err(StorageError::invalid(what, why())) }
}

fn check_positive(what: &str, number: Decimal) -> Result<()> {
    check(number > Decimal::ZERO, what, || format!("is not above zero: {number}"))
}

fn check_not_negative(what: &str, number: Option<Decimal>) -> Result<()> {
    match number {
        Some(number) if number < Decimal::ZERO => {
            Err(StorageError::invalid(what, format!("is below zero: {number}")))
        }
        _ => Ok(()),
    }
}

/// A derived figure must be what it is derived from.
fn check_same(what: &str, said: Decimal, is: Decimal) -> Result<()> {
    check(said == is, what, || format!("is {said} where it comes to {is}"))
}

/// A product, or that it does not fit.
fn times(what: &str, a: Decimal, b: Decimal) -> Result<Decimal> {
    a.checked_mul(b).ok_or_else(|| StorageError::invalid(what, "does not fit 28 digits"))
}

/// A sum, or that it does not fit.
fn plus(what: &str, a: Decimal, b: Decimal) -> Result<Decimal> {
    a.checked_add(b).ok_or_else(|| StorageError::invalid(what, "does not fit 28 digits"))
}
