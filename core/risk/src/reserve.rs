//! What an open order sets aside, so that two orders never count on the same money (C13, I17).

use tse_model::{CurrencyId, Instrument, Liquidity, Money, Price, Qty, Rounding, Settlement, Side};

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
/// fee. A venue's rebate is never counted on. `None` on overflow.
pub fn reserve(instrument: &Instrument, side: Side, price: Price, leaves: Qty) -> Option<Reserve> {
    if instrument.settlement == Settlement::Delivery && side == Side::Sell {
        return Some(Reserve {
            currency: instrument.base,
            amount: instrument.base_amount(leaves)?,
        });
    }
    let value = instrument.value(price, leaves)?.money.checked_abs()?;
    let fee = instrument
        .fees
        .fee(instrument, Liquidity::Taker, price, leaves, Money::ZERO)?
        .max(Money::ZERO);
    let amount = match instrument.settlement {
        Settlement::Delivery => value,
        Settlement::Difference => instrument.margin_initial.of(value, Rounding::Up)?,
    };
    Some(Reserve { currency: instrument.settle, amount: amount.checked_add(fee)? })
}
