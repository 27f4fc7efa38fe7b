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
    if instrument.settlement == Settlement::Delivery && side == Side::Sell {
        return Some(Reserve {
            currency: instrument.base,
            amount: instrument.base_amount(leaves)?,
        });
    }
    let value = instrument.value(price, leaves)?.money.checked_abs()?;
    let dearer = match instrument.fees.basis(Money::ZERO) {
        FeeBasis::Value { maker, taker } => maker > taker,
        FeeBasis::PerUnit { maker, taker, .. } | FeeBasis::PerContract { maker, taker } => {
            maker > taker
        }
    };
    let liquidity = if dearer { Liquidity::Maker } else { Liquidity::Taker };
    let fee =
        instrument.fees.fee(instrument, liquidity, price, leaves, Money::ZERO)?.max(Money::ZERO);
    let amount = match instrument.settlement {
        Settlement::Delivery => value,
        Settlement::Difference => instrument.margin_initial.of(value, Rounding::Up)?,
    };
    Some(Reserve { currency: instrument.settle, amount: amount.checked_add(fee)? })
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
    let nothing = Reserve { currency: instrument.settle, amount: Money::ZERO };
    match instrument.settlement {
        Settlement::Delivery => reserve(instrument, order.side, price, order.qty),
        Settlement::Difference => match account.opening(order.side, order.qty) {
            Qty::ZERO => Some(nothing),
            opening => reserve(instrument, order.side, price, opening),
        },
    }
}
