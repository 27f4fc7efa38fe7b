//! What can be traded: its grid, its limits, and what a number of lots at a price is worth.
//!
//! Everything here is fixed at load. An [`Instrument`] that exists can be valued without overflow
//! for every price and quantity within its own limits: what could not is refused by
//! [`Instrument::new`], with the reason.

use crate::decimal::power_of_ten;
use crate::money::product;
use crate::{
    CurrencyId, Decimal, FeeSchedule, InstrumentId, Money, Price, Qty, Rounding, Symbol, Timestamp,
    VenueId, divide,
};
use std::fmt;

/// What kind of thing is traded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An asset against a currency, delivered at once.
    Spot,
    /// A currency pair at a dealer.
    Fx,
    /// A share.
    Equity,
    /// A contract without expiry, tied to its index by funding.
    Perpetual {
        /// Sized in quote currency, settled in base.
        inverse: bool,
    },
    /// A contract that ends.
    Future {
        /// Sized in quote currency, settled in base.
        inverse: bool,
        /// When it ends.
        expiry: Timestamp,
    },
}

impl Kind {
    /// Sized in quote currency and settled in base.
    pub const fn is_inverse(self) -> bool {
        matches!(self, Self::Perpetual { inverse: true } | Self::Future { inverse: true, .. })
    }

    /// A contract on a price, of which only differences are ever paid.
    pub const fn is_derivative(self) -> bool {
        matches!(self, Self::Perpetual { .. } | Self::Future { .. })
    }

    /// `spot`, `fx`, `equity`, `perpetual` or `future`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spot => "spot",
            Self::Fx => "fx",
            Self::Equity => "equity",
            Self::Perpetual { .. } => "perpetual",
            Self::Future { .. } => "future",
        }
    }
}

/// What changes hands when a trade settles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Settlement {
    /// The asset against its price: a cash account.
    Delivery,
    /// Only the difference of prices, when a position shrinks: contracts, and anything on margin.
    Difference,
}

/// A currency, coin or share, as a ledger counts it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Currency {
    /// Its code, such as `USDT`.
    pub code: String,
    /// Decimals of its smallest unit in every ledger.
    pub scale: u8,
}

/// Everything that must be said to define an instrument; see [`Instrument`] for the fields.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the same fields as `Instrument`, as decimals")]
pub struct InstrumentSpec {
    pub symbol: Symbol,
    pub kind: Kind,
    pub settlement: Settlement,
    pub tick: Decimal,
    pub lot: Decimal,
    pub multiplier: Decimal,
    pub qty_min: Decimal,
    pub qty_max: Option<Decimal>,
    pub notional_min: Decimal,
    pub price_max: Option<Decimal>,
    pub margin_initial: Decimal,
    pub margin_maintenance: Decimal,
    pub fees: FeeSchedule,
}

/// Something that can be traded at a venue.
#[derive(Clone, Debug)]
pub struct Instrument {
    /// Its place in the catalogue.
    pub id: InstrumentId,
    /// Its canonical name.
    pub symbol: Symbol,
    /// What kind of thing it is.
    pub kind: Kind,
    /// What changes hands.
    pub settlement: Settlement,
    /// Where it is traded.
    pub venue: VenueId,
    /// What is bought.
    pub base: CurrencyId,
    /// What it is priced in.
    pub quote: CurrencyId,
    /// What profit, loss and fees are paid in: the quote currency, or the base of an inverse contract.
    pub settle: CurrencyId,
    /// The price of one tick, in quote currency.
    pub tick: Decimal,
    /// The size of one lot: base units, or contracts.
    pub lot: Decimal,
    /// Base units (inverse: quote units) in one contract; 1 where there are no contracts.
    pub multiplier: Decimal,
    /// Smallest order.
    pub qty_min: Qty,
    /// Largest order the venue takes.
    pub qty_max: Qty,
    /// Smallest value of an order, in the settlement currency.
    pub notional_min: Money,
    /// Prices of orders are multiples of so many ticks: one, unless the venue has changed its grid.
    pub price_step: i64,
    /// Quantities of orders are multiples of so many lots; see [`Rules`](crate::Rules).
    pub qty_step: i64,
    /// Whether its venue still trades it.
    pub listed: bool,
    /// Highest price that is believed to be one.
    pub price_max: Price,
    /// Share of value needed to open a position on margin (1 for none borrowed).
    pub margin_initial: crate::Rate,
    /// Share of value needed to keep it.
    pub margin_maintenance: crate::Rate,
    /// What fills cost.
    pub fees: FeeSchedule,
    /// Decimals of the settlement currency in a ledger.
    pub settle_scale: u8,
    /// One lot of the base asset in its smallest units; zero where no asset is delivered.
    pub base_units_per_lot: i128,
    rule: ValueRule,
}

/// Money of the settlement currency for a signed quantity at a price.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Value {
    /// Rounded once, half to even.
    pub money: Money,
    /// What the rounding left out: exact value minus `money`, in [`RESIDUE_PER_UNIT`]ths of a
    /// smallest unit, rounded down.
    pub residue: i64,
}

/// Residues are counted in billionths of the smallest unit of money.
pub const RESIDUE_PER_UNIT: i128 = 1_000_000_000;

#[derive(Clone, Copy, Debug)]
enum ValueRule {
    /// price × qty × n / d
    Linear { n: i128, d: i128 },
    /// qty × n / (price × d)
    Inverse { n: i128, d: i128 },
}

impl ValueRule {
    /// Whether the residue of any value can be counted at prices up to this one.
    fn leaves_room(self, price_max: Price) -> bool {
        let denominator = match self {
            Self::Linear { d, .. } => Some(d),
            Self::Inverse { d, .. } => d.checked_mul(i128::from(price_max.get())),
        };
        denominator.and_then(|d| d.checked_mul(RESIDUE_PER_UNIT)).is_some()
    }
}

/// Why an instrument cannot be loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InstrumentError {
    /// A size that must be above zero is not.
    NotPositive(&'static str),
    /// A limit is not a whole number of ticks or lots.
    OffGrid {
        /// Which one.
        field: &'static str,
        /// Its value.
        value: Decimal,
        /// The grid.
        step: Decimal,
    },
    /// Price or quantity limits need more steps than 64 bits count.
    TooManySteps {
        /// Which limit.
        field: &'static str,
        /// Its value.
        value: Decimal,
        /// The grid.
        step: Decimal,
    },
    /// The dearest order would be worth more than a ledger can hold.
    ValueTooLarge {
        /// Highest price.
        price: Decimal,
        /// Largest order.
        qty: Decimal,
    },
    /// A currency is kept too coarsely for this.
    ScaleTooCoarse {
        /// What cannot be held exactly.
        field: &'static str,
        /// Its value.
        value: Decimal,
        /// Decimals the ledger keeps of that currency.
        scale: u8,
    },
    /// A contract pays in a currency that is neither its base nor its quote.
    Settlement,
    /// An inverse contract is said to deliver, but it has no asset to deliver: it pays in its base.
    InverseDelivers,
}

impl fmt::Display for InstrumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPositive(field) => write!(f, "`{field}` must be above zero"),
            Self::OffGrid { field, value, step } => {
                write!(f, "`{field}` {value} is not a whole number of steps of {step}")
            }
            Self::TooManySteps { field, value, step } => write!(
                f,
                "`{field}` {value} is more than 9.2e18 steps of {step}: both cannot fit 64 bits"
            ),
            Self::ValueTooLarge { price, qty } => write!(
                f,
                "an order of {qty} at {price} is worth more than 38 digits of its currency hold"
            ),
            Self::ScaleTooCoarse { field, value, scale } => write!(
                f,
                "`{field}` {value} needs more than the {scale} decimals its currency is kept in"
            ),
            Self::Settlement => {
                write!(f, "the settlement currency is neither the base nor the quote")
            }
            Self::InverseDelivers => {
                write!(f, "an inverse contract pays differences and cannot be delivered")
            }
        }
    }
}

impl std::error::Error for InstrumentError {}

/// The ends of the price and quantity ranges when none are given: two bits short of 64, so that a
/// sum of two never overflows.
const STEPS_MAX: i64 = i64::MAX / 4;

impl Instrument {
    /// Checks a definition and works out what a lot is worth.
    ///
    /// # Errors
    /// An [`InstrumentError`] with the figures that do not fit together.
    pub fn new(
        id: InstrumentId,
        venue: VenueId,
        spec: InstrumentSpec,
        [base, quote, settle]: [(CurrencyId, u8); 3],
    ) -> Result<Self, InstrumentError> {
        let InstrumentSpec { tick, lot, multiplier, .. } = spec;
        for (field, value) in [("tick", tick), ("lot", lot), ("multiplier", multiplier)] {
            if !value.is_positive() {
                return Err(InstrumentError::NotPositive(field));
            }
        }
        let inverse = spec.kind.is_inverse();
        if settle.0 != if inverse { base.0 } else { quote.0 } {
            return Err(InstrumentError::Settlement);
        }
        if spec.kind.is_inverse() && spec.settlement == Settlement::Delivery {
            return Err(InstrumentError::InverseDelivers);
        }
        for (field, limit) in [("price_max", spec.price_max), ("qty_max", spec.qty_max)] {
            if limit.is_some_and(|limit| !limit.is_positive()) {
                return Err(InstrumentError::NotPositive(field));
            }
        }
        // Zero is how a smallest size is left unsaid; below zero is a mistake.
        for (field, least) in [("qty_min", spec.qty_min), ("notional_min", spec.notional_min)] {
            if least.mantissa() < 0 {
                return Err(InstrumentError::NotPositive(field));
            }
        }
        let steps = |field, value: Decimal, step: Decimal| match value.steps_of(step) {
            Some(steps) if steps <= STEPS_MAX => Ok(steps),
            Some(_) => Err(InstrumentError::TooManySteps { field, value, step }),
            None => Err(Self::why_no_steps(field, value, step)),
        };
        let price_max = match spec.price_max {
            Some(price) => steps("price_max", price, tick)?,
            None => STEPS_MAX,
        };
        let qty_max = match spec.qty_max {
            Some(qty) => steps("qty_max", qty, lot)?,
            None => STEPS_MAX,
        };
        let qty_min = steps("qty_min", spec.qty_min, lot)?.max(1);
        let rule = Self::value_rule(inverse, tick, lot, multiplier, settle.1)?;
        let rate = |field, share: Decimal| {
            share
                .at_scale(crate::Rate::DECIMALS)
                .and_then(|units| i64::try_from(units).ok())
                .filter(|units| *units >= 0)
                .map(crate::Rate::from_billionths)
                .ok_or(InstrumentError::NotPositive(field))
        };
        let notional_min =
            Money::exact(spec.notional_min, settle.1).ok_or(InstrumentError::ScaleTooCoarse {
                field: "notional_min",
                value: spec.notional_min,
                scale: settle.1,
            })?;
        let delivers = spec.settlement == Settlement::Delivery;
        let base_units_per_lot = if delivers {
            lot.checked_mul(multiplier).and_then(|size| size.at_scale(base.1)).ok_or(
                InstrumentError::ScaleTooCoarse { field: "lot", value: lot, scale: base.1 },
            )?
        } else {
            0
        };
        let instrument = Self {
            id,
            kind: spec.kind,
            settlement: spec.settlement,
            venue,
            base: base.0,
            quote: quote.0,
            settle: settle.0,
            tick,
            lot,
            multiplier,
            qty_min: Qty::new(qty_min),
            qty_max: Qty::new(qty_max),
            notional_min,
            price_max: Price::new(price_max),
            margin_initial: rate("margin_initial", spec.margin_initial)?,
            margin_maintenance: rate("margin_maintenance", spec.margin_maintenance)?,
            symbol: spec.symbol,
            fees: spec.fees,
            settle_scale: settle.1,
            base_units_per_lot,
            price_step: 1,
            qty_step: 1,
            listed: true,
            rule,
        };
        // Limits that were stated must be worth something countable. Limits that were not are the
        // ends of the integers, and the gate refuses by value before those are ever met.
        if let (Some(price), Some(qty)) = (spec.price_max, spec.qty_max)
            && (instrument.value(instrument.price_max, instrument.qty_max).is_none()
                || !instrument.rule.leaves_room(instrument.price_max))
        {
            return Err(InstrumentError::ValueTooLarge { price, qty });
        }
        Ok(instrument)
    }

    fn why_no_steps(field: &'static str, value: Decimal, step: Decimal) -> InstrumentError {
        let scale = value.normalized().scale().max(step.normalized().scale());
        match (value.normalized().at_scale(scale), step.normalized().at_scale(scale)) {
            (Some(value_units), Some(step_units)) if value_units % step_units != 0 => {
                InstrumentError::OffGrid { field, value, step }
            }
            _ => InstrumentError::TooManySteps { field, value, step },
        }
    }

    /// One lot at one tick as a fraction of the smallest unit of money.
    fn value_rule(
        inverse: bool,
        tick: Decimal,
        lot: Decimal,
        multiplier: Decimal,
        scale: u8,
    ) -> Result<ValueRule, InstrumentError> {
        let too_large = InstrumentError::ValueTooLarge { price: tick, qty: lot };
        let contract = lot.checked_mul(multiplier).ok_or(too_large.clone())?;
        let power = |exponent: u8| power_of_ten(exponent).ok_or(too_large.clone());
        if inverse {
            // lot × multiplier / (price × tick), in units of 10^-scale.
            let n = contract
                .mantissa()
                .checked_mul(power(scale)?)
                .and_then(|n| n.checked_mul(power_of_ten(tick.scale())?))
                .ok_or(too_large.clone())?;
            let d = tick.mantissa().checked_mul(power(contract.scale())?).ok_or(too_large)?;
            let common = gcd(n, d);
            Ok(ValueRule::Inverse { n: n / common, d: d / common })
        } else {
            let step = tick.checked_mul(contract).ok_or(too_large.clone())?;
            let n = step.mantissa().checked_mul(power(scale)?).ok_or(too_large.clone())?;
            let d = power(step.scale())?;
            let common = gcd(n, d);
            let rule = ValueRule::Linear { n: n / common, d: d / common };
            let coarse = InstrumentError::ScaleTooCoarse { field: "tick", value: tick, scale };
            if rule.leaves_room(Price::ZERO) { Ok(rule) } else { Err(coarse) }
        }
    }

    /// What a signed quantity at a price is worth in the settlement currency, rounded once, half to
    /// even. `None` on overflow, or for an inverse contract at a price that is not above zero.
    #[inline]
    pub fn value(&self, price: Price, qty: Qty) -> Option<Value> {
        let (n, d) = match self.rule {
            ValueRule::Linear { n, d } => {
                let steps = i128::from(price.get()) * i128::from(qty.get());
                if d == 1 {
                    return Some(Value {
                        money: Money::from_units(product(steps, n)?),
                        residue: 0,
                    });
                }
                (product(steps, n)?, d)
            }
            ValueRule::Inverse { n, d } => {
                if !price.is_positive() {
                    return None;
                }
                (product(i128::from(qty.get()), n)?, product(i128::from(price.get()), d)?)
            }
        };
        let units = divide(n, d, Rounding::HalfEven)?;
        // Less than `d` in size, though the product may pass the end of the integers on the way.
        let left = n.wrapping_sub(units.wrapping_mul(d));
        let residue = if left == 0 {
            0
        } else {
            divide(product(left, RESIDUE_PER_UNIT)?, d, Rounding::Down)?
        };
        Some(Value { money: Money::from_units(units), residue: i64::try_from(residue).ok()? })
    }

    /// How profit follows value: +1 when a dearer instrument pays a long position, −1 when value is
    /// counted in the base currency and falls as the price rises.
    pub const fn profit_sign(&self) -> i128 {
        if self.kind.is_inverse() { -1 } else { 1 }
    }

    /// Profit of holding `qty` that cost `cost` (signed like `qty`) if closed at `price`.
    /// `None` on overflow.
    pub fn profit(&self, price: Price, qty: Qty, cost: Money) -> Option<Money> {
        let gain = self.value(price, qty)?.money.checked_sub(cost)?;
        Some(Money::from_units(gain.units().checked_mul(self.profit_sign())?))
    }

    /// The price in ticks of a decimal, if it is on the grid.
    pub fn price(&self, value: Decimal) -> Option<Price> {
        value.steps_of(self.tick).map(Price::new)
    }

    /// The quantity in lots of a decimal, if it is on the grid.
    pub fn qty(&self, value: Decimal) -> Option<Qty> {
        value.steps_of(self.lot).map(Qty::new)
    }

    /// A price as exact decimal text.
    pub fn price_decimal(&self, price: Price) -> Decimal {
        grid(price.get(), self.tick)
    }

    /// A quantity as exact decimal text.
    pub fn qty_decimal(&self, qty: Qty) -> Decimal {
        grid(qty.get(), self.lot)
    }

    /// The asset that `qty` lots deliver, in smallest units of the base currency.
    pub fn base_amount(&self, qty: Qty) -> Option<Money> {
        self.base_units_per_lot.checked_mul(i128::from(qty.get())).map(Money::from_units)
    }

    /// When the contract ends, if it does.
    pub const fn expiry(&self) -> Option<Timestamp> {
        match self.kind {
            Kind::Future { expiry, .. } => Some(expiry),
            _ => None,
        }
    }
}

fn grid(steps: i64, step: Decimal) -> Decimal {
    let mantissa = step.mantissa().checked_mul(i128::from(steps));
    Decimal::new(
        mantissa.expect("a step has at most 19 digits where 64 bits of it are used"),
        step.scale(),
    )
    .expect("the step has this scale already")
}

fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.abs().max(1)
}
