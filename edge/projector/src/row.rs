//! Values of the engine as values of rows.

use tse_kernel::{Ending, Life, Order};
use tse_model::{
    Decimal as Own, Instrument, Liquidity, Money, OrderType, Price, Qty, Side, TimeInForce,
    Timestamp,
};
use tse_portfolio::Mark;
use tse_storage::{self as rows, Decimal, Moment};

/// More digits than a store keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a figure has more digits than a row can hold")]
pub struct TooLong;

pub(crate) fn moment(at: Timestamp) -> Moment {
    Moment::from_nanos(at.nanos())
}

pub(crate) fn decimal(value: Own) -> Result<Decimal, TooLong> {
    let value = value.normalized();
    let made = Decimal::try_from_i128_with_scale(value.mantissa(), u32::from(value.scale()));
    made.map_err(|_| TooLong)
}

// Sums and products as they are written: without zeros at the end.

pub(crate) fn plus(a: Decimal, b: Decimal) -> Result<Decimal, TooLong> {
    a.checked_add(b).map(|sum| sum.normalize()).ok_or(TooLong)
}

pub(crate) fn minus(a: Decimal, b: Decimal) -> Result<Decimal, TooLong> {
    a.checked_sub(b).map(|rest| rest.normalize()).ok_or(TooLong)
}

pub(crate) fn times(a: Decimal, b: Decimal) -> Result<Decimal, TooLong> {
    a.checked_mul(b).map(|product| product.normalize()).ok_or(TooLong)
}

pub(crate) fn money(amount: Money, scale: u8) -> Result<Decimal, TooLong> {
    decimal(amount.to_decimal(scale).ok_or(TooLong)?)
}

pub(crate) fn price(it: &Instrument, price: Price) -> Result<Decimal, TooLong> {
    decimal(it.price_decimal(price))
}

pub(crate) fn size(it: &Instrument, qty: Qty) -> Result<Decimal, TooLong> {
    decimal(it.qty_decimal(qty))
}

/// A mark as a price; it may lie between two ticks.
pub(crate) fn mark(it: &Instrument, mark: Mark) -> Result<Decimal, TooLong> {
    decimal(mark.decimal(it).ok_or(TooLong)?)
}

pub(crate) const fn side(side: Side) -> rows::Side {
    match side {
        Side::Buy => rows::Side::Buy,
        Side::Sell => rows::Side::Sell,
    }
}

pub(crate) const fn liquidity(liquidity: Liquidity) -> rows::Liquidity {
    match liquidity {
        Liquidity::Maker => rows::Liquidity::Maker,
        Liquidity::Taker => rows::Liquidity::Taker,
    }
}

/// A trailing stop is a stop whose trigger moves: its distance is in no column.
pub(crate) const fn order_type(order_type: OrderType) -> rows::OrderType {
    match order_type {
        OrderType::Market => rows::OrderType::Market,
        OrderType::Limit(_) => rows::OrderType::Limit,
        OrderType::Stop(_) | OrderType::TrailingStop(_) => rows::OrderType::Stop,
        OrderType::StopLimit { .. } => rows::OrderType::StopLimit,
    }
}

pub(crate) const fn stop_price(order_type: OrderType) -> Option<Price> {
    match order_type {
        OrderType::Stop(trigger) | OrderType::StopLimit { trigger, .. } => Some(trigger),
        OrderType::Market | OrderType::Limit(_) | OrderType::TrailingStop(_) => None,
    }
}

/// An order that stays until a moment stays until it is taken back, as far as rows can say.
pub(crate) const fn time_in_force(time_in_force: TimeInForce) -> rows::TimeInForce {
    match time_in_force {
        TimeInForce::Gtc | TimeInForce::Gtd(_) => rows::TimeInForce::Gtc,
        TimeInForce::Ioc => rows::TimeInForce::Ioc,
        TimeInForce::Fok => rows::TimeInForce::Fok,
        TimeInForce::Day => rows::TimeInForce::Day,
    }
}

/// How an order stands, in the words of rows, and what they cannot say.
pub(crate) fn status(order: &Order) -> (rows::OrderStatus, Option<&'static str>) {
    use rows::OrderStatus as Status;
    let working = match order.filled.is_positive() {
        true => Status::PartiallyFilled,
        false => Status::Accepted,
    };
    match order.life {
        Life::Draft | Life::Approved => (Status::Pending, None),
        Life::Sent => (Status::Submitted, None),
        Life::Unknown if order.filled.is_positive() => {
            (Status::PartiallyFilled, Some("nobody can say how it stands"))
        }
        Life::Unknown => (Status::Submitted, Some("nobody can say how it stands")),
        Life::Working => (working, None),
        Life::Denied => (Status::Rejected, Some("the gate refused it")),
        Life::Withdrawn => (Status::Cancelled, Some("it was held back and never left")),
        Life::Ended(Ending::Rejected) => (Status::Rejected, None),
        Life::Ended(Ending::Cancelled) => (Status::Cancelled, None),
        Life::Ended(Ending::Expired) => (Status::Expired, None),
        Life::Ended(Ending::Filled) => (Status::Filled, None),
        Life::Absent => (Status::Rejected, Some("the venue proves that it never existed there")),
        Life::Disputed => (working, Some("the venue has said things that cannot all be true")),
    }
}

/// Whether nothing will come of it any more, as far as anybody knows.
pub(crate) const fn has_ended(life: Life) -> bool {
    matches!(life, Life::Denied | Life::Withdrawn | Life::Ended(_) | Life::Absent)
}
