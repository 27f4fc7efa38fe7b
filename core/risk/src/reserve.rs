//! What an open order sets aside, so that two orders never count on the same money (C13, I17).

use crate::Book;
use tse_model::{
    CurrencyId, FeeBasis, Instrument, Liquidity, Money, PlaceOrder, Price, Qty, Rounding,
    Settlement, Side,
};

/// Money of one currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reserve {
    /// Of what.
    pub currency: CurrencyId,
    /// How much.
    pub amount: Money,
}

/// What `leaves` lots set aside if they fill at `price` (for a buy, the highest it may pay).
///
/// Cash: the price and its fee for a buy, the asset for a sell. Margin: the initial margin and the
/// fee. The fee is the dearer of maker's and taker's, and a rebate is never counted on. `None` on
/// overflow.
pub fn reserve(instrument: &Instrument, side: Side, price: Price, leaves: Qty) -> Option<Reserve> {
    if pays_in_kind(instrument, side) {
        return in_kind(instrument, leaves);
    }
    let value = instrument.value(price, leaves)?.money.checked_abs()?;
    reserve_of(instrument, value, leaves)
}

/// Whether an order is paid for with the asset itself.
fn pays_in_kind(instrument: &Instrument, side: Side) -> bool {
    instrument.settlement == Settlement::Delivery && side == Side::Sell
}

fn in_kind(instrument: &Instrument, leaves: Qty) -> Option<Reserve> {
    Some(Reserve { currency: instrument.base, amount: instrument.base_amount(leaves)? })
}

/// What an order that is paid for with money sets aside, if it is worth `value`.
fn reserve_of(instrument: &Instrument, value: Money, leaves: Qty) -> Option<Reserve> {
    let dearer = match instrument.fees.basis(Money::ZERO) {
        FeeBasis::Value { maker, taker } => maker > taker,
        FeeBasis::PerUnit { maker, taker, .. } | FeeBasis::PerContract { maker, taker } => {
            maker > taker
        }
    };
    let liquidity = if dearer { Liquidity::Maker } else { Liquidity::Taker };
    let fee = instrument.fees.fee_of(instrument, liquidity, value, leaves, Money::ZERO)?;
    let amount = match instrument.settlement {
        Settlement::Delivery => value,
        Settlement::Difference => instrument.margin_initial.of(value, Rounding::Up)?,
    };
    let amount = amount.checked_add(fee.max(Money::ZERO))?;
    Some(Reserve { currency: instrument.settle, amount })
}

/// What a new order sets aside at `price`, given the account's book without it.
///
/// On margin only what could open or enlarge the position counts: closing gives margin back, and an
/// order that closes must not be kept out by the position it closes. `None` on overflow.
pub fn hold(
    instrument: &Instrument,
    order: &PlaceOrder,
    price: Price,
    account: &Book,
) -> Option<Reserve> {
    let qty = counted(instrument, order, account);
    match qty.is_zero() {
        true => Some(nothing(instrument)),
        false => reserve(instrument, order.side, price, qty),
    }
}

/// The same for who knows already what the whole order is worth at `price`: `value`, unsigned.
pub fn hold_of(
    instrument: &Instrument,
    order: &PlaceOrder,
    price: Price,
    value: Money,
    account: &Book,
) -> Option<Reserve> {
    let qty = counted(instrument, order, account);
    if qty.is_zero() {
        Some(nothing(instrument))
    } else if qty == order.qty && !pays_in_kind(instrument, order.side) {
        reserve_of(instrument, value, qty)
    } else {
        reserve(instrument, order.side, price, qty)
    }
}

fn nothing(instrument: &Instrument) -> Reserve {
    Reserve { currency: instrument.settle, amount: Money::ZERO }
}

/// How much of an order needs to be paid for.
fn counted(instrument: &Instrument, order: &PlaceOrder, account: &Book) -> Qty {
    match instrument.settlement {
        Settlement::Delivery => order.qty,
        Settlement::Difference => account.opening(order.side, order.qty),
    }
}
