//! What a venue takes of an order, as it may change while an engine trades.
//!
//! Ticks and lots are counted by the definition that an engine was started with, and stay what they are. A
//! venue that makes its grid coarser is followed in steps of them. One that makes it finer takes everything
//! it took before. One that changes what a contract is has made another instrument, and this one is no
//! longer listed.

use crate::{Instrument, Money, Price, Qty};
use std::fmt;

/// What a venue takes of an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// Prices are multiples of so many ticks.
    pub price_step: i64,
    /// Quantities are multiples of so many lots.
    pub qty_step: i64,
    /// Smallest order.
    pub qty_min: Qty,
    /// Largest order.
    pub qty_max: Qty,
    /// Smallest value of an order, in the settlement currency.
    pub notional_min: Money,
    /// Whether it is traded at all.
    pub listed: bool,
}

crate::recorded_fields! {
    Rules { price_step, qty_step, qty_min, qty_max, notional_min, listed }
}

/// Rules that nobody can follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BadRules(pub &'static str);

impl fmt::Display for BadRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadRules {}

impl Instrument {
    /// What its venue takes now.
    pub fn rules(&self) -> Rules {
        Rules {
            price_step: self.price_step,
            qty_step: self.qty_step,
            qty_min: self.qty_min,
            qty_max: self.qty_max,
            notional_min: self.notional_min,
            listed: self.listed,
        }
    }

    /// Follows what its venue says from now on.
    ///
    /// # Errors
    /// What makes no sense; nothing was changed.
    pub fn set_rules(&mut self, rules: &Rules) -> Result<(), BadRules> {
        if rules.price_step <= 0 || rules.qty_step <= 0 {
            return Err(BadRules("a step is not above zero"));
        }
        if rules.qty_min > rules.qty_max || rules.qty_max <= Qty::ZERO {
            return Err(BadRules("no quantity is both large and small enough"));
        }
        if rules.notional_min < Money::ZERO {
            return Err(BadRules("the smallest value is below zero"));
        }
        self.price_step = rules.price_step;
        self.qty_step = rules.qty_step;
        self.qty_min = rules.qty_min;
        self.qty_max = rules.qty_max;
        self.notional_min = rules.notional_min;
        self.listed = rules.listed;
        Ok(())
    }

    /// Whether an order of this quantity is taken.
    #[inline]
    pub fn takes_qty(&self, qty: Qty) -> bool {
        qty >= self.qty_min && qty <= self.qty_max && self.is_on_qty_step(qty)
    }

    /// Whether a quantity is a multiple of the step.
    #[inline]
    pub fn is_on_qty_step(&self, qty: Qty) -> bool {
        self.qty_step == 1 || qty.get() % self.qty_step == 0
    }

    /// Whether a price is a multiple of the step.
    #[inline]
    pub fn is_on_price_step(&self, price: Price) -> bool {
        self.price_step == 1 || price.get() % self.price_step == 0
    }

    /// The nearest price on the step that is not above.
    pub fn step_down(&self, price: Price) -> Price {
        Price::new(price.get().saturating_sub(price.get().rem_euclid(self.price_step)))
    }

    /// The nearest price on the step that is not below.
    pub fn step_up(&self, price: Price) -> Price {
        let over = price.get().rem_euclid(self.price_step);
        Price::new(if over == 0 {
            price.get()
        } else {
            price.get().saturating_add(self.price_step - over)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalog, Decimal, FeeSchedule, InstrumentId, InstrumentSpec, Kind, Settlement};

    fn catalog() -> (Catalog, InstrumentId) {
        let mut catalog = Catalog::new();
        let spec = InstrumentSpec {
            symbol: "BTC-USD.X".parse().unwrap(),
            kind: Kind::Spot,
            settlement: Settlement::Delivery,
            tick: "0.01".parse().unwrap(),
            lot: "0.001".parse().unwrap(),
            multiplier: Decimal::ONE,
            qty_min: "0.002".parse().unwrap(),
            qty_max: None,
            notional_min: Decimal::ZERO,
            price_max: None,
            margin_initial: Decimal::ONE,
            margin_maintenance: Decimal::ONE,
            fees: FeeSchedule::free(),
        };
        let id = catalog.define_instrument(spec).unwrap();
        (catalog, id)
    }

    #[test]
    fn rules_that_nobody_can_follow_change_nothing() {
        let (mut catalog, id) = catalog();
        let sound = catalog.instrument(id).rules();
        for bad in [
            Rules { price_step: 0, ..sound },
            Rules { qty_step: -1, ..sound },
            Rules { qty_min: Qty::new(5), qty_max: Qty::new(4), ..sound },
            Rules { qty_min: Qty::new(-9), qty_max: Qty::ZERO, ..sound },
            Rules { notional_min: Money::from_units(-1), ..sound },
        ] {
            assert!(catalog.set_rules(id, &bad).is_err(), "{bad:?}");
            assert_eq!(catalog.instrument(id).rules(), sound);
        }
        assert!(catalog.set_rules(InstrumentId(9), &sound).is_err());
    }

    #[test]
    fn steps_are_counted_from_zero_on_both_sides_of_it() {
        let (mut catalog, id) = catalog();
        let coarse = Rules { price_step: 5, qty_step: 3, ..catalog.instrument(id).rules() };
        catalog.set_rules(id, &coarse).unwrap();
        let it = catalog.instrument(id);
        for price in -12_i64..=12 {
            let on = it.is_on_price_step(Price::new(price));
            let [down, up] = [it.step_down(Price::new(price)), it.step_up(Price::new(price))];
            assert!(down.get() <= price && price <= up.get() && up.get() - down.get() <= 5);
            assert!(it.is_on_price_step(down) && it.is_on_price_step(up), "{price}");
            assert_eq!(on, down == up, "{price}");
        }
        let taken: Vec<i64> = (0..10).filter(|qty| it.takes_qty(Qty::new(*qty))).collect();
        assert_eq!(taken, [3, 6, 9], "from the smallest order on");
    }
}
