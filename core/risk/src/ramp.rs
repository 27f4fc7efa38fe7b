//! A new strategy begins small (C24): what one order and its position may be grows with the time since its first
//! order.

use crate::limits::Limits;
use tse_model::{Money, Qty, Rate, Rounding, Span};

/// From when on how much of the limits may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// So long after the first order.
    pub after: Span,
    /// This share of the limits.
    pub share: Rate,
}

/// The steps of one strategy, by time; before the first of them nothing may be used.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ramp {
    /// By time.
    pub steps: Vec<Step>,
}

impl Ramp {
    /// The share that holds so long after the first order.
    pub fn share(&self, since: Span) -> Rate {
        let reached = self.steps.iter().rev().find(|step| step.after <= since);
        reached.map_or(Rate::ZERO, |step| step.share)
    }
}

impl Limits {
    /// The same, with what an order and a position may be cut to a share, rounded down.
    pub fn shared(self, share: Rate) -> Self {
        // More than all of what there is would be no ramp; and nearly always it has been climbed.
        if share >= Rate::from_billionths(Rate::ONE) {
            return self;
        }
        let money = |value: Money| share.of(value, Rounding::Down).unwrap_or(Money::ZERO);
        let lots = |qty: Qty| {
            let part = money(Money::from_units(i128::from(qty.get())));
            Qty::new(i64::try_from(part.units()).unwrap_or(0))
        };
        Self {
            order_qty_max: self.order_qty_max.map(lots),
            order_value_max: self.order_value_max.map(money),
            long_max: self.long_max.map(lots),
            short_max: self.short_max.map(lots),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c24_a_share_begins_with_its_step_and_rounds_down() {
        let step = |seconds, percent: i64| Step {
            after: Span::from_secs(seconds),
            share: Rate::from_billionths(percent * 10_000_000),
        };
        let ramp = Ramp { steps: vec![step(0, 10), step(60, 50), step(120, 100)] };
        let at = |seconds| ramp.share(Span::from_secs(seconds)).billionths() / 10_000_000;
        assert_eq!(
            [at(0), at(59), at(60), at(119), at(120), at(9_999)],
            [10, 10, 50, 50, 100, 100]
        );
        assert_eq!(Ramp::default().share(Span::from_secs(5)), Rate::ZERO);
        let limits = Limits {
            order_qty_max: Some(Qty::new(19)),
            order_value_max: Some(Money::from_units(1_999)),
            long_max: Some(Qty::new(100)),
            short_max: Some(Qty::new(50)),
            open_orders_max: Some(7),
            ..Limits::default()
        };
        let tenth = limits.shared(ramp.share(Span::ZERO));
        assert_eq!(tenth.order_qty_max, Some(Qty::new(1)));
        assert_eq!(tenth.order_value_max, Some(Money::from_units(199)));
        assert_eq!(tenth.long_max.zip(tenth.short_max), Some((Qty::new(10), Qty::new(5))));
        assert_eq!(tenth.open_orders_max, Some(7));
        let double = limits.shared(Rate::from_billionths(2 * Rate::ONE));
        assert_eq!(double, limits, "more than all is all");
    }
}
