//! Limits that change while an engine trades (C25), and single orders that two people let pass (C29).
//!
//! A change is an input like any other: recorded, with who and why. What loosens a limit of an engine that trades
//! real money takes two people; so does every exception, wherever it trades. Roles and names are believed here;
//! binding them to credentials is for whoever lets people in.

use crate::refusal::Refusal;
use crate::switch::{Who, Why};
use tse_model::{
    InstrumentId, Money, Qty, Rate, Side, Span, StrategyId, Timestamp, recorded_choices,
    recorded_fields,
};

/// A limit, and what it is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NewLimit {
    /// C03, in lots.
    OrderQty(Qty),
    /// C04, in the settlement currency.
    OrderValue(Money),
    /// C05.
    Collar(Rate),
    /// C10.
    OpenOrders(u32),
    /// C11, in lots.
    Long(Qty),
    /// C11, in lots, above zero.
    Short(Qty),
    /// C12, gross, over all instruments.
    Gross(Money),
    /// C12, net, over all instruments.
    Net(Money),
    /// C18.
    DataAge(Span),
    /// C15, the loss of a day from which positions only shrink.
    DaySoft(Money),
    /// C15, the loss of a day from which everything is taken back.
    DayMax(Money),
    /// C16, the fall from the highest point.
    Drawdown(Rate),
    /// C12, the value at risk of a day.
    VarMax(Money),
    /// C12, gross, of a group.
    GroupGross(GroupLimit),
    /// C12, net, of a group.
    GroupNet(GroupLimit),
}

/// What instruments that move together may be worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GroupLimit {
    /// Which, by its number among the groups of everything.
    pub group: u16,
    /// How much.
    pub value: Money,
}

impl NewLimit {
    /// Whether it is one of all instruments together.
    pub const fn is_of_all(self) -> bool {
        matches!(
            self,
            Self::Gross(_)
                | Self::Net(_)
                | Self::DaySoft(_)
                | Self::DayMax(_)
                | Self::Drawdown(_)
                | Self::VarMax(_)
                | Self::GroupGross(_)
                | Self::GroupNet(_)
        )
    }

    /// Whether it can be one at all: below zero there is none.
    pub const fn is_sound(self) -> bool {
        match self {
            Self::OrderQty(qty) | Self::Long(qty) | Self::Short(qty) => qty.get() >= 0,
            Self::OrderValue(money)
            | Self::Gross(money)
            | Self::Net(money)
            | Self::GroupGross(GroupLimit { value: money, .. })
            | Self::GroupNet(GroupLimit { value: money, .. }) => money.units() >= 0,
            // Of nothing to lose nothing is reached: a limit of losses is above zero.
            Self::DaySoft(money) | Self::DayMax(money) | Self::VarMax(money) => money.units() > 0,
            Self::Drawdown(rate) => rate.billionths() > 0,
            Self::Collar(rate) => rate.billionths() >= 0,
            Self::OpenOrders(_) => true,
            Self::DataAge(span) => span.nanos() >= 0,
        }
    }
}

/// A demand to change a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LimitChange {
    /// Whose: a strategy's own, or the account's, and for all instruments together the firm's.
    pub strategy: Option<StrategyId>,
    /// In which instrument; none for a limit of all together.
    pub instrument: Option<InstrumentId>,
    /// What it is to be.
    pub to: NewLimit,
    /// Who wants it.
    pub by: Who,
    /// Who else.
    pub second: Option<Who>,
    /// Why.
    pub why: Why,
}

/// Why a limit was not changed, or an exception not made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum NotChanged {
    /// Nobody says who they are.
    Nobody,
    /// Without a reason.
    NoReason,
    /// It takes two different people.
    NeedsTwo,
    /// There is no such strategy or instrument, or the limit is not of that kind.
    Unknown,
    /// It would be below zero, or an exception would end before it begins.
    Unsound,
    /// What everything is worth, or what may be lost there, is not watched by this engine.
    NotWatched,
}

/// What an exception lets pass: caps that protect from mistakes, and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Waived {
    /// C03.
    OrderQty,
    /// C04.
    OrderValue,
    /// C05.
    Collar,
    /// C11.
    Position,
    /// C12.
    Exposure,
}

impl Waived {
    /// Whether it is this that a refusal says: a cap that is passed, and not that something is missing.
    pub const fn covers(self, refusal: &Refusal) -> bool {
        matches!(
            (self, refusal),
            (Self::OrderQty, Refusal::OrderQty { .. })
                | (Self::OrderValue, Refusal::OrderValue { .. })
                | (Self::Collar, Refusal::Collar { .. })
                | (Self::Position, Refusal::Position { .. })
                | (Self::Exposure, Refusal::Exposure(_))
        )
    }

    /// The control's number in the catalogue.
    pub const fn control(self) -> &'static str {
        match self {
            Self::OrderQty => "C03",
            Self::OrderValue => "C04",
            Self::Collar => "C05",
            Self::Position => "C11",
            Self::Exposure => "C12",
        }
    }
}

/// One order that may pass a cap: by its strategy, market, side and size, once, until then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Permit {
    /// Whose order.
    pub strategy: StrategyId,
    /// In what.
    pub instrument: InstrumentId,
    /// Which way.
    pub side: Side,
    /// At most so much.
    pub qty: Qty,
    /// Past which control.
    pub waived: Waived,
    /// Until then.
    pub until: Timestamp,
    /// Who wants it.
    pub by: Who,
    /// Who else: always needed.
    pub second: Option<Who>,
    /// Why.
    pub why: Why,
}

/// Who stands behind a demand, where that matters.
pub fn backed(by: &Who, second: Option<&Who>, why: &Why, two: bool) -> Result<(), NotChanged> {
    if by.is_blank() {
        return Err(NotChanged::Nobody);
    }
    if why.is_blank() {
        return Err(NotChanged::NoReason);
    }
    // As the switch reads names: blanks around them make nobody another.
    let another = second
        .is_some_and(|second| !second.is_blank() && second.as_str().trim() != by.as_str().trim());
    if two && !another { Err(NotChanged::NeedsTwo) } else { Ok(()) }
}

/// Whether a limit that is this now would be looser as that. Where none is set, `unset_allows` says whether
/// everything passes then, or nothing.
pub fn is_looser<T: Ord>(now: Option<T>, then: T, unset_allows: bool) -> bool {
    match now {
        Some(now) => then > now,
        None => !unset_allows,
    }
}

recorded_choices! {
    NewLimit {
        1 => OrderQty(qty),
        2 => OrderValue(money),
        3 => Collar(rate),
        4 => OpenOrders(count),
        5 => Long(qty),
        6 => Short(qty),
        7 => Gross(money),
        8 => Net(money),
        9 => DataAge(span),
        10 => DaySoft(money),
        11 => DayMax(money),
        12 => Drawdown(rate),
        13 => VarMax(money),
        14 => GroupGross(group),
        15 => GroupNet(group),
    }
    Waived {
        1 => OrderQty,
        2 => OrderValue,
        3 => Collar,
        4 => Position,
        5 => Exposure,
    }
}
recorded_fields! {
    GroupLimit { group, value }
    LimitChange { strategy, instrument, to, by, second, why }
    Permit { strategy, instrument, side, qty, waived, until, by, second, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c25_nothing_may_be_limited_to_less_than_nothing() {
        let (qty, money) = (Qty::new, Money::from_units);
        let of = |n: i64| {
            [
                NewLimit::OrderQty(qty(n)),
                NewLimit::Long(qty(n)),
                NewLimit::Short(qty(n)),
                NewLimit::OrderValue(money(n.into())),
                NewLimit::Gross(money(n.into())),
                NewLimit::Net(money(n.into())),
                NewLimit::Collar(Rate::from_billionths(n)),
                NewLimit::DataAge(Span::from_nanos(n)),
            ]
        };
        assert!(of(0).into_iter().all(NewLimit::is_sound));
        assert!(!of(-1).into_iter().any(NewLimit::is_sound));
        let all: Vec<_> = of(1).into_iter().filter(|it| it.is_of_all()).collect();
        assert_eq!(all, [NewLimit::Gross(money(1)), NewLimit::Net(money(1))]);
    }
}
