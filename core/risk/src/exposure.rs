//! What everything together may be worth: gross, net, beside equity, in one asset, in a group that moves together
//! (C12).
//!
//! Worths go in, in one currency; what is over which limit comes out. A limit is passed by what is more than it
//! says. Where something that is held or asked for has no price that can be used, nothing can be said, and who asks
//! must refuse what adds risk.

use crate::refusal::Scope;
use tse_model::{InstrumentId, Money, Rate, Rounding};

/// How much all instruments of a scope may be worth together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ExposureLimits {
    /// Long and short added up.
    pub gross: Option<Money>,
    /// Long less short, either way.
    pub net: Option<Money>,
    /// Gross as a multiple of equity.
    pub leverage: Option<Rate>,
    /// Net in one base asset as a share of equity, either way.
    pub concentration: Option<Rate>,
}

impl ExposureLimits {
    /// Whether anything is limited.
    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }

    /// Whether equity is asked for.
    pub fn needs_equity(&self) -> bool {
        self.leverage.is_some() || self.concentration.is_some()
    }
}

/// Instruments that move together, and how much they may be worth together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExposureGroup {
    /// Which.
    pub instruments: Vec<InstrumentId>,
    /// Long and short added up.
    pub gross: Option<Money>,
    /// Long less short, either way.
    pub net: Option<Money>,
}

/// Which of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Measure {
    /// All, long and short added up.
    Gross,
    /// All, long less short.
    Net,
    /// All beside equity.
    Leverage,
    /// One base asset beside equity.
    Concentration,
    /// A group that moves together, by its number; gross.
    GroupGross(u16),
    /// The same, net.
    GroupNet(u16),
}

impl Measure {
    /// A stable name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gross => "gross",
            Self::Net => "net",
            Self::Leverage => "leverage",
            Self::Concentration => "concentration",
            Self::GroupGross(_) => "group_gross",
            Self::GroupNet(_) => "group_net",
        }
    }
}

/// A measure beside its limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exposed {
    /// Whose.
    pub scope: Scope,
    /// Which.
    pub measure: Measure,
    /// What it is or would be.
    pub value: Money,
    /// What it may be.
    pub limit: Money,
}

impl Exposed {
    /// Whether it is more than it may be.
    pub fn is_over(&self) -> bool {
        self.value > self.limit
    }
}

/// What a set of instruments is worth at worst: whichever of what is asked for is filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Worth {
    /// Long and short added up, each instrument at its worse end.
    pub gross: Money,
    /// If everything that buys is filled and nothing that sells.
    pub longest: Money,
    /// If everything that sells is filled and nothing that buys.
    pub shortest: Money,
}

impl Worth {
    /// One instrument: what it is worth after all buys, and after all sells. `None` on overflow.
    pub fn of(longest: Money, shortest: Money) -> Option<Self> {
        let gross = longest.checked_abs()?.max(shortest.checked_abs()?);
        Some(Self { gross, longest, shortest })
    }

    /// Both together. `None` on overflow.
    pub fn plus(self, other: Self) -> Option<Self> {
        Some(Self {
            gross: self.gross.checked_add(other.gross)?,
            longest: self.longest.checked_add(other.longest)?,
            shortest: self.shortest.checked_add(other.shortest)?,
        })
    }

    /// How far net it is from nothing, at worst. `None` on overflow.
    pub fn net(&self) -> Option<Money> {
        Some(self.longest.checked_abs()?.max(self.shortest.checked_abs()?))
    }
}

/// A share or multiple of equity; nothing of what is not above zero. `None` on overflow.
fn of_equity(rate: Rate, equity: Money) -> Option<Money> {
    rate.of(equity.max(Money::ZERO), Rounding::Down)
}

/// Everything that is limited in a scope, beside its limit, each passed to `each`. `all` is what the scope is worth
/// together, `asset` what it is in the base asset in question; equity where it is asked for. `None`, and then it is
/// not known, on overflow or without the equity.
pub fn exposures(
    scope: Scope,
    limits: &ExposureLimits,
    all: &Worth,
    asset: &Worth,
    equity: Option<Money>,
    mut each: impl FnMut(Exposed),
) -> Option<()> {
    let mut tell = |measure, value, limit| each(Exposed { scope, measure, value, limit });
    if let Some(limit) = limits.gross {
        tell(Measure::Gross, all.gross, limit);
    }
    if let Some(limit) = limits.net {
        tell(Measure::Net, all.net()?, limit);
    }
    if let Some(rate) = limits.leverage {
        tell(Measure::Leverage, all.gross, of_equity(rate, equity?)?);
    }
    if let Some(rate) = limits.concentration {
        tell(Measure::Concentration, asset.net()?, of_equity(rate, equity?)?);
    }
    Some(())
}

/// The same for a group, of the account. `None` on overflow.
pub fn group_exposures(
    number: u16,
    group: &ExposureGroup,
    worth: &Worth,
    mut each: impl FnMut(Exposed),
) -> Option<()> {
    let mut tell =
        |measure, value, limit| each(Exposed { scope: Scope::Account, measure, value, limit });
    if let Some(limit) = group.gross {
        tell(Measure::GroupGross(number), worth.gross, limit);
    }
    if let Some(limit) = group.net {
        tell(Measure::GroupNet(number), worth.net()?, limit);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(units: i128) -> Money {
        Money::from_units(units)
    }

    fn worth(longest: i128, shortest: i128) -> Worth {
        Worth::of(money(longest), money(shortest)).unwrap()
    }

    #[test]
    fn c12_an_instrument_counts_at_its_worse_end_and_nets_either_way() {
        assert_eq!(worth(30, -50).gross, money(50));
        let all = worth(30, -50).plus(worth(100, 80)).unwrap();
        assert_eq!((all.gross, all.longest, all.shortest), (money(150), money(130), money(30)));
        assert_eq!(all.net(), Some(money(130)));
        assert_eq!(worth(-10, -90).net(), Some(money(90)));
    }

    #[test]
    fn c12_limits_are_passed_by_more_than_they_say_and_equity_that_is_gone_allows_nothing() {
        let rate = |billionths| Rate::from_billionths(billionths);
        let limits = ExposureLimits {
            gross: Some(money(100)),
            net: Some(money(99)),
            leverage: Some(rate(2 * Rate::ONE)),
            concentration: Some(rate(Rate::ONE / 2)),
        };
        let over = |equity: Option<i128>| {
            let mut over = Vec::new();
            let all = worth(100, 0);
            exposures(Scope::Account, &limits, &all, &worth(25, 0), equity.map(money), |it| {
                over.extend(it.is_over().then_some(it.measure));
            })
            .map(|()| over)
        };
        assert_eq!(over(Some(50)), Some(vec![Measure::Net]));
        let all = vec![Measure::Net, Measure::Leverage, Measure::Concentration];
        assert_eq!(over(Some(49)), Some(all.clone()));
        assert_eq!(over(Some(-1_000)), Some(all));
        assert_eq!(over(None), None, "what is measured by equity needs it");
    }
}
