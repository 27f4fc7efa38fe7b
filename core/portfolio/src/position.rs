//! One strategy's position in one instrument, at average cost.
//!
//! A position keeps what it *cost*, in exact money, and no average price: an average would be
//! rounded and the rounding would be lost. Adding adds the value of the fill to the cost; reducing
//! releases `cost × closed / held`, rounded half to even, and what that rounding leaves out stays in
//! the basis of the rest, so closing the rest releases all of it. A fill through zero closes the
//! whole old side and opens the rest at the fill price.
//!
//! Whatever the rounding, one identity holds after every fill, because realised profit is computed
//! from it: `realized = sign × (cost − Σ value of fills)`.
//!
//! Cost and profit are in the settlement currency. Profit is before fees; those and funding are
//! summed beside it. A position knows no ledger; prices are given with each question.

use crate::prices::Mark;
use crate::wide::mul_div;
use tse_model::decimal::power_of_ten;
use tse_model::{
    Decimal, Instrument, InstrumentId, Money, Price, Qty, Rounding, Side, StateHash, StrategyId,
    Timestamp,
};

/// What a strategy holds of an instrument, and what came of it so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    pub(crate) strategy: StrategyId,
    pub(crate) instrument: InstrumentId,
    pub(crate) qty: Qty,
    pub(crate) cost: Money,
    pub(crate) realized: Money,
    pub(crate) fees: Money,
    pub(crate) funding: Money,
    pub(crate) volume: Money,
    pub(crate) fills: u64,
    // `Timestamp::MIN` for never: two options would cost the position its second cache line.
    pub(crate) opened_at: Timestamp,
    pub(crate) closed_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

tse_model::recorded_fields! {
    Position {
        strategy, instrument, qty, cost, realized, fees, funding, volume, fills, opened_at,
        closed_at, updated_at,
    }
}

/// What a fill makes of a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Change {
    pub qty: Qty,
    pub cost: Money,
    pub realized: Money,
}

impl Position {
    /// Nothing held, nothing earned.
    pub fn flat(strategy: StrategyId, instrument: InstrumentId) -> Self {
        Self {
            strategy,
            instrument,
            qty: Qty::ZERO,
            cost: Money::ZERO,
            realized: Money::ZERO,
            fees: Money::ZERO,
            funding: Money::ZERO,
            volume: Money::ZERO,
            fills: 0,
            opened_at: Timestamp::MIN,
            closed_at: Timestamp::MIN,
            updated_at: Timestamp::MIN,
        }
    }

    /// Whose it is.
    pub const fn strategy(&self) -> StrategyId {
        self.strategy
    }
    /// In what.
    pub const fn instrument(&self) -> InstrumentId {
        self.instrument
    }
    /// How much is held: long above zero, short below.
    pub const fn qty(&self) -> Qty {
        self.qty
    }
    /// Whether nothing is held.
    pub const fn is_flat(&self) -> bool {
        self.qty.is_zero()
    }
    /// Long or short; `None` when flat.
    pub const fn side(&self) -> Option<Side> {
        Side::of(self.qty)
    }
    /// What it cost, signed like the quantity (spec: cost basis).
    pub const fn cost(&self) -> Money {
        self.cost
    }
    /// Profit of what was closed, before fees and funding.
    pub const fn realized(&self) -> Money {
        self.realized
    }
    /// Fees paid less rebates, as far as they were paid in the settlement currency; see
    /// [`Positions::other_fees`](crate::Positions::other_fees) for the rest.
    pub const fn fees(&self) -> Money {
        self.fees
    }
    /// Funding received less paid.
    pub const fn funding(&self) -> Money {
        self.funding
    }
    /// Value of all fills, bought and sold.
    pub const fn volume(&self) -> Money {
        self.volume
    }
    /// How many fills there were.
    pub const fn fills(&self) -> u64 {
        self.fills
    }
    /// When the present or last holding began; a fill through zero begins a new one.
    pub fn opened_at(&self) -> Option<Timestamp> {
        (self.opened_at != Timestamp::MIN).then_some(self.opened_at)
    }
    /// When it last became flat, if it is.
    pub fn closed_at(&self) -> Option<Timestamp> {
        (self.is_flat() && self.closed_at != Timestamp::MIN).then_some(self.closed_at)
    }
    /// When anything about it last changed.
    pub fn updated_at(&self) -> Option<Timestamp> {
        (self.updated_at != Timestamp::MIN).then_some(self.updated_at)
    }

    /// What it is worth at a price, signed like the quantity (spec: market value). `None` on
    /// overflow.
    pub fn market_value(&self, instrument: &Instrument, mark: Mark) -> Option<Money> {
        mark.value(instrument, self.qty)
    }

    /// What it is worth at a price, without sign (spec: exposure). `None` on overflow.
    pub fn exposure(&self, instrument: &Instrument, mark: Mark) -> Option<Money> {
        self.market_value(instrument, mark)?.checked_abs()
    }

    /// What closing it all at a price would add to [`realized`](Self::realized). `None` on overflow.
    pub fn unrealized(&self, instrument: &Instrument, mark: Mark) -> Option<Money> {
        if self.is_flat() {
            // Nothing is held; an inverse contract without a price is still worth nothing.
            return Some(Money::ZERO);
        }
        self.unrealized_of(instrument, self.market_value(instrument, mark)?)
    }

    /// The same for who knows already what it is worth: its [`market_value`](Self::market_value).
    #[inline]
    pub fn unrealized_of(&self, instrument: &Instrument, value: Money) -> Option<Money> {
        signed(value.checked_sub(self.cost)?, instrument.profit_sign())
    }

    /// Realised and unrealised profit, before fees and funding (spec: total P&L). `None` on overflow.
    pub fn total(&self, instrument: &Instrument, mark: Mark) -> Option<Money> {
        self.realized.checked_add(self.unrealized(instrument, mark)?)
    }

    /// The average price paid, as a decimal with eight places more than the tick, rounded half to
    /// even: for people to read. `None` when flat, or if no price gives this cost.
    pub fn average_price(&self, instrument: &Instrument) -> Option<Decimal> {
        if self.is_flat() || self.cost.is_zero() {
            return None;
        }
        // Linear: price = cost / size. Inverse: cost = size / price, so price = size / cost.
        let size = instrument.lot.checked_mul(instrument.multiplier)?;
        let size_units = size.mantissa().checked_mul(i128::from(self.qty.get()))?;
        let cost_units = self.cost.units();
        let places = instrument.tick.normalized().scale().checked_add(8)?;
        let (over, over_scale, under, under_scale) = if instrument.kind.is_inverse() {
            (size_units, size.scale(), cost_units, instrument.settle_scale)
        } else {
            (cost_units, instrument.settle_scale, size_units, size.scale())
        };
        // over / 10^over_scale / (under / 10^under_scale), in steps of 10^-places.
        let up = i32::from(under_scale) + i32::from(places) - i32::from(over_scale);
        let (over, under) = if under < 0 { (over.checked_neg()?, -under) } else { (over, under) };
        let mantissa = if up >= 0 {
            mul_div(over, power_of_ten(u8::try_from(up).ok()?)?, under, Rounding::HalfEven)?
        } else {
            let under = under.checked_mul(power_of_ten(u8::try_from(-up).ok()?)?)?;
            mul_div(over, 1, under, Rounding::HalfEven)?
        };
        Decimal::new(mantissa, places).map(Decimal::normalized)
    }

    /// What `signed_qty` worth `value` at `price` makes of this position. `None` on overflow.
    #[inline]
    pub(crate) fn after(
        &self,
        instrument: &Instrument,
        signed_qty: Qty,
        value: Money,
        price: Price,
    ) -> Option<Change> {
        let qty = self.qty.checked_add(signed_qty)?;
        let cost = if self.qty.is_zero() || (self.qty.get() < 0) == (signed_qty.get() < 0) {
            self.cost.checked_add(value)?
        } else if qty.is_zero() {
            Money::ZERO
        } else if (qty.get() < 0) == (self.qty.get() < 0) {
            self.cost.checked_sub(self.released(signed_qty)?)?
        } else {
            // Through zero. The fill was valued once, as a whole: the old side takes its own value
            // and the new side the rest, so that the two add up to the unit.
            let closed = instrument.value(price, self.qty)?.money;
            value.checked_add(closed)?
        };
        // The identity above, as a difference.
        let gain = cost.checked_sub(self.cost)?.checked_sub(value)?;
        Some(Change { qty, cost, realized: signed(gain, instrument.profit_sign())? })
    }

    /// The cost that closing `closed` of what is held releases, half to even.
    #[inline]
    pub(crate) fn released(&self, closed: Qty) -> Option<Money> {
        let (closed, held) = (closed.get().unsigned_abs(), self.qty.get().unsigned_abs());
        let units =
            mul_div(self.cost.units(), i128::from(closed), i128::from(held), Rounding::HalfEven)?;
        Some(Money::from_units(units))
    }

    /// Takes a new quantity and cost at a moment, and notes whether something began or ended.
    #[inline]
    pub(crate) fn turn(&mut self, qty: Qty, cost: Money, ts: Timestamp) {
        let (old, new) = (self.qty.get().signum(), qty.get().signum());
        if new != old {
            if new != 0 {
                self.opened_at = ts;
            }
            if old != 0 {
                self.closed_at = ts;
            }
        }
        self.qty = qty;
        self.cost = cost;
        self.updated_at = ts;
    }

    /// Adds everything about it to a hash.
    pub fn digest(&self, hash: &mut StateHash) {
        hash.word(u64::from(self.strategy.0) << 32 | u64::from(self.instrument.0));
        hash.int(self.qty.get());
        for money in [self.cost, self.realized, self.fees, self.funding, self.volume] {
            hash.wide(money.units());
        }
        hash.word(self.fills);
        for ts in [self.opened_at, self.closed_at, self.updated_at] {
            hash.int(ts.nanos());
        }
    }
}

#[inline]
fn signed(money: Money, sign: i128) -> Option<Money> {
    if sign > 0 { Some(money) } else { money.units().checked_neg().map(Money::from_units) }
}
