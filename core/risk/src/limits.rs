//! Limits of one scope for one instrument. What is not set is not "no limit": it is a refusal.

use crate::swing::SwingLimit;
use tse_model::{Money, Qty, Rate, Span, recorded_fields, recorded_words};

/// What to do when an order of ours could trade with another of ours (C14).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SelfTrade {
    /// Refuse the new order.
    #[default]
    RejectNew,
    /// Take the old orders back first, then place the new one.
    CancelOld,
    /// Take the old orders back and refuse the new one.
    CancelBoth,
}

/// How often the same order (strategy, instrument, side, quantity, price) may be sent (C08).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Repeats {
    /// Within this long.
    pub window: Span,
    /// This often.
    pub count: u32,
}

/// The limits of one scope (a strategy, or the account) in one instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// C03: the largest order.
    pub order_qty_max: Option<Qty>,
    /// C04: the most valuable order, in the instrument's settlement currency.
    pub order_value_max: Option<Money>,
    /// C05: how far from the mid an order may be priced, as a share of it.
    pub collar: Option<Rate>,
    /// C08: how often the same order may be sent.
    pub repeats: Option<Repeats>,
    /// C10: how many orders may be open.
    pub open_orders_max: Option<u32>,
    /// C11: the longest position, counting open orders as filled.
    pub long_max: Option<Qty>,
    /// C11: the shortest position (a positive number of lots).
    pub short_max: Option<Qty>,
    /// C14: what happens to orders that could trade with each other.
    pub self_trade: SelfTrade,
    /// C18: how old the newest quote may be.
    pub data_age_max: Option<Span>,
    /// C20: how far the market may have moved in a short while; of the account alone. Not limited where it is
    /// not set.
    pub swing: Option<SwingLimit>,
}

recorded_words! {
    SelfTrade { 1 => RejectNew, 2 => CancelOld, 3 => CancelBoth }
}
recorded_fields! {
    Repeats { window, count }
    SwingLimit { max, window }
    Limits {
        order_qty_max, order_value_max, collar, repeats, open_orders_max, long_max, short_max,
        self_trade, data_age_max, swing,
    }
}

/// The limits that apply to one strategy in one instrument, its own and the account's, merged once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Scoped {
    /// The tighter of each: a strategy without a limit of its own has the account's.
    pub(crate) strategy: Limits,
    /// What holds for all strategies together.
    pub(crate) account: Limits,
}

impl Scoped {
    /// A strategy's own limits inside the account's.
    pub fn new(own: Limits, account: Limits) -> Self {
        Self { strategy: own.within(account), account }
    }
    /// The same with the strategy's cut to a share.
    pub fn shared(self, share: Rate) -> Self {
        Self { strategy: self.strategy.shared(share), ..self }
    }
    /// What holds for the strategy.
    pub fn strategy(&self) -> &Limits {
        &self.strategy
    }
    /// What holds for all strategies together.
    pub fn account(&self) -> &Limits {
        &self.account
    }
}

/// The smaller of two where both are set; a limit set anywhere holds.
fn tighter<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl Limits {
    /// These limits and those of a wider scope: the tighter of each, so that a narrower scope can
    /// only tighten.
    pub fn within(self, wider: Self) -> Self {
        Self {
            order_qty_max: tighter(self.order_qty_max, wider.order_qty_max),
            order_value_max: tighter(self.order_value_max, wider.order_value_max),
            collar: tighter(self.collar, wider.collar),
            repeats: match (self.repeats, wider.repeats) {
                // Fewer in a longer time is tighter.
                (Some(a), Some(b)) => {
                    Some(Repeats { window: a.window.max(b.window), count: a.count.min(b.count) })
                }
                (a, b) => a.or(b),
            },
            open_orders_max: tighter(self.open_orders_max, wider.open_orders_max),
            long_max: tighter(self.long_max, wider.long_max),
            short_max: tighter(self.short_max, wider.short_max),
            // Taking old orders back may reach another strategy's: only the wider scope allows it.
            self_trade: match self.self_trade {
                SelfTrade::CancelBoth => SelfTrade::CancelBoth,
                SelfTrade::RejectNew | SelfTrade::CancelOld => wider.self_trade,
            },
            data_age_max: tighter(self.data_age_max, wider.data_age_max),
            swing: wider.swing,
        }
    }

    /// The names of the limits that are not set, as a configuration calls them: with any of these
    /// missing nothing that adds risk can be approved.
    pub fn missing(&self) -> Vec<&'static str> {
        let set = [
            ("order_qty_max", self.order_qty_max.is_some()),
            ("order_value_max", self.order_value_max.is_some()),
            ("collar_bps", self.collar.is_some()),
            ("repeats", self.repeats.is_some()),
            ("open_orders_max", self.open_orders_max.is_some()),
            ("long_max", self.long_max.is_some()),
            ("short_max", self.short_max.is_some()),
            ("data_age_max", self.data_age_max.is_some()),
        ];
        set.iter().filter(|(_, set)| !set).map(|(name, _)| *name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrower_scope_can_only_tighten() {
        let wide = Limits {
            order_qty_max: Some(Qty::new(10)),
            open_orders_max: Some(4),
            ..Limits::default()
        };
        let narrow = Limits {
            order_qty_max: Some(Qty::new(99)),
            long_max: Some(Qty::new(5)),
            ..Limits::default()
        };
        let both = narrow.within(wide);
        assert_eq!(both.order_qty_max, Some(Qty::new(10)));
        assert_eq!(both.open_orders_max, Some(4));
        assert_eq!(both.long_max, Some(Qty::new(5)));
        assert_eq!(both.short_max, None);
    }

    #[test]
    fn fewer_repeats_in_a_longer_window_are_tighter() {
        let a = Repeats { window: Span::from_secs(1), count: 9 };
        let b = Repeats { window: Span::from_secs(5), count: 50 };
        let limits = |repeats| Limits { repeats: Some(repeats), ..Limits::default() };
        let both = limits(a).within(limits(b)).repeats.unwrap();
        assert_eq!((both.window, both.count), (Span::from_secs(5), 9));
    }
}
