//! Why an order was refused: one variant for each control, with the figures that decided.

use crate::Level;
use crate::clock::BadClock;
use crate::exposure::Exposed;
use std::fmt;
use tse_model::{Money, Price, Qty, Span};

/// Which market fact is missing or bad (C18).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BadData {
    /// No quote has come yet, or one side of it is missing.
    Missing,
    /// The newest quote is older than the limit.
    Stale {
        /// How old it is.
        age: Span,
        /// How old it may be.
        limit: Span,
    },
    /// The book is crossed, or messages of it were lost.
    Invalid,
    /// The venue does not take orders.
    Closed,
}

/// Whose limit it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The strategy's own.
    Strategy,
    /// The account's, over all strategies.
    Account,
}

/// A refusal. Variants with a control of their own stand in the order the checks run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// K1 to K6: trading is cut back too far for it.
    Killed {
        /// How far.
        level: Level,
    },
    /// K4: the engine has booted, and no person has armed it.
    Disarmed,
    /// C02: the strategy may not trade this instrument.
    NotAllowed,
    /// C06: too many messages in a stretch of time.
    TooManyMessages {
        /// Whose.
        scope: Scope,
        /// How many there would be.
        after: u32,
        /// The limit, without those that are kept for cancels.
        limit: u32,
    },
    /// C21: too many orders of which nobody knows how they stand.
    InFlight {
        /// How many there would be.
        after: u32,
        /// The limit.
        limit: u32,
    },
    /// C01: outside what the venue takes.
    Invalid {
        /// What is outside.
        what: &'static str,
    },
    /// C01: worth less than the venue takes.
    ValueTooSmall {
        /// The order, in the smallest unit of its settlement currency.
        value: Money,
        /// The least the venue takes.
        least: Money,
    },
    /// C03.
    OrderQty {
        /// The order.
        qty: Qty,
        /// The limit.
        limit: Qty,
    },
    /// C04.
    OrderValue {
        /// The order.
        value: Money,
        /// The limit.
        limit: Money,
    },
    /// C05.
    Collar {
        /// The order's price.
        price: Price,
        /// Lowest price allowed.
        low: Price,
        /// Highest price allowed.
        high: Price,
    },
    /// C08.
    Repeated {
        /// How often it was sent within the window.
        count: u32,
        /// The limit.
        limit: u32,
    },
    /// C10.
    OpenOrders {
        /// Whose.
        scope: Scope,
        /// How many would be open.
        after: u32,
        /// The limit.
        limit: u32,
    },
    /// C11.
    Position {
        /// Whose.
        scope: Scope,
        /// The position if everything open on this side filled.
        after: Qty,
        /// The limit, signed.
        limit: Qty,
    },
    /// C11: a reduce-only order could open or enlarge a position.
    ReduceOnly {
        /// The order.
        qty: Qty,
        /// What is left to close once everything open on its side has filled, in the tighter scope.
        room: Qty,
    },
    /// C12: everything together would be worth too much.
    Exposure(Exposed),
    /// C12: what everything is worth cannot be told, since something has no price that can be used.
    ExposureUnknown {
        /// Whose.
        scope: Scope,
    },
    /// C13.
    Funds {
        /// What the order needs.
        needed: Money,
        /// What is free.
        free: Money,
    },
    /// C14.
    SelfTrade {
        /// Our own order's price on the other side.
        own: Price,
    },
    /// C15: what was lost cannot be told, since something has no price that can be used.
    Unvalued {
        /// Whose.
        scope: Scope,
    },
    /// C18.
    Data(BadData),
    /// C19: the clock cannot be believed.
    Clock(BadClock),
    /// C20: the market moved too far in a short while.
    Volatile {
        /// The lowest middle of the while, in half ticks.
        low: i64,
        /// The highest.
        high: i64,
    },
    /// C28: nobody can say whose order it is.
    Unattributed,
    /// C26: the ledger has latched, so nothing can be judged by what is held.
    Latched,
    /// C22.
    OrderToTrade {
        /// Whose.
        scope: Scope,
        /// How many messages of the day it would be.
        after: u64,
        /// How many there may be for what was executed.
        limit: u64,
    },
    /// C26: what the account holds at its venue is not known (yet), or an operator must look at it.
    NotReconciled,
    /// F06: the journal's room runs out: what is left is kept for what must be recorded.
    JournalFull,
    /// F08: the journal lags, so what is decided now is old when it leaves.
    JournalSlow {
        /// How long the newest record took to become safe.
        lag: Span,
        /// How long it may take.
        limit: Span,
    },
    /// A limit that is not configured refuses, where its control stands.
    NoLimit {
        /// Its name.
        limit: &'static str,
    },
    /// The figures do not fit the integers that would hold them, where they are first needed.
    Overflow,
    /// Another leg of the same group was refused.
    Group,
}

impl Refusal {
    /// The control's number in the catalogue.
    pub const fn control(&self) -> &'static str {
        match self {
            Self::Killed { level } => level.code(),
            Self::Disarmed => "K4",
            Self::NotAllowed => "C02",
            Self::TooManyMessages { .. } => "C06",
            Self::InFlight { .. } => "C21",
            Self::OrderToTrade { .. } => "C22",
            Self::Invalid { .. } | Self::ValueTooSmall { .. } | Self::Overflow => "C01",
            Self::OrderQty { .. } => "C03",
            Self::OrderValue { .. } => "C04",
            Self::Collar { .. } => "C05",
            Self::Repeated { .. } => "C08",
            Self::OpenOrders { .. } => "C10",
            Self::Position { .. } | Self::ReduceOnly { .. } => "C11",
            Self::Exposure(_) | Self::ExposureUnknown { .. } => "C12",
            Self::Funds { .. } => "C13",
            Self::SelfTrade { .. } => "C14",
            Self::Unvalued { .. } => "C15",
            Self::Data(_) => "C18",
            Self::Clock(_) => "C19",
            Self::Volatile { .. } => "C20",
            Self::Unattributed => "C28",
            Self::Latched | Self::NotReconciled => "C26",
            Self::JournalFull => "F06",
            Self::JournalSlow { .. } => "F08",
            Self::NoLimit { .. } => "C25",
            Self::Group => "C09",
        }
    }

    /// A stable name in lower case.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Killed { .. } => "killed",
            Self::Disarmed => "disarmed",
            Self::NotAllowed => "not_allowed",
            Self::TooManyMessages { .. } => "too_many_messages",
            Self::InFlight { .. } => "in_flight",
            Self::OrderToTrade { .. } => "order_to_trade",
            Self::Invalid { .. } => "invalid",
            Self::ValueTooSmall { .. } => "value_too_small",
            Self::OrderQty { .. } => "order_qty",
            Self::OrderValue { .. } => "order_value",
            Self::Collar { .. } => "collar",
            Self::Repeated { .. } => "repeated",
            Self::OpenOrders { .. } => "open_orders",
            Self::Position { .. } => "position",
            Self::ReduceOnly { .. } => "reduce_only",
            Self::Exposure(_) => "exposure",
            Self::ExposureUnknown { .. } => "exposure_unknown",
            Self::Funds { .. } => "funds",
            Self::SelfTrade { .. } => "self_trade",
            Self::Unvalued { .. } => "unvalued",
            Self::Data(_) => "data",
            Self::Clock(_) => "clock",
            Self::Volatile { .. } => "volatile",
            Self::Unattributed => "unattributed",
            Self::Latched => "latched",
            Self::NotReconciled => "not_reconciled",
            Self::JournalFull => "journal_full",
            Self::JournalSlow { .. } => "journal_slow",
            Self::NoLimit { .. } => "no_limit",
            Self::Overflow => "overflow",
            Self::Group => "group",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.control())?;
        match self {
            Self::Killed { level } => write!(f, "trading is cut back ({})", level.name()),
            Self::Disarmed => write!(f, "the engine has not been armed since it began"),
            Self::NotAllowed => write!(f, "the strategy may not trade this instrument"),
            Self::TooManyMessages { scope, after, limit } => {
                write!(f, "{after} messages in the window ({scope:?}), limit {limit}")
            }
            Self::InFlight { after, limit } => {
                write!(f, "{after} orders without an answer, limit {limit}")
            }
            Self::OrderToTrade { scope, after, limit } => {
                write!(f, "{after} messages today ({scope:?}), limit {limit} for what was executed")
            }
            Self::Invalid { what } => write!(f, "{what} is outside what the venue takes"),
            Self::ValueTooSmall { value, least } => {
                let (value, least) = (value.units(), least.units());
                write!(f, "order worth {value} units, the venue takes {least} or more")
            }
            Self::OrderQty { qty, limit } => write!(f, "order of {qty:?}, limit {limit:?}"),
            Self::OrderValue { value, limit } => {
                write!(f, "order worth {} units, limit {}", value.units(), limit.units())
            }
            Self::Collar { price, low, high } => {
                write!(f, "price {price:?} outside {low:?} to {high:?}")
            }
            Self::Repeated { count, limit } => {
                write!(f, "the same order {count} times, limit {limit}")
            }
            Self::OpenOrders { scope, after, limit } => {
                write!(f, "{after} open orders ({scope:?}), limit {limit}")
            }
            Self::Position { scope, after, limit } => {
                write!(f, "position {after:?} ({scope:?}) with all open orders, limit {limit:?}")
            }
            Self::ReduceOnly { qty, room } => {
                write!(f, "reduce-only order of {qty:?}, {room:?} left to close")
            }
            Self::Exposure(Exposed { scope, measure, value, limit }) => {
                let (value, limit) = (value.units(), limit.units());
                write!(f, "{} exposure of {value} units ({scope:?}), limit {limit}", measure.name())
            }
            Self::ExposureUnknown { scope } => {
                write!(f, "exposure cannot be told ({scope:?}): something has no price")
            }
            Self::Funds { needed, free } => {
                write!(f, "needs {} units, {} free", needed.units(), free.units())
            }
            Self::SelfTrade { own } => write!(f, "would trade with our own order at {own:?}"),
            Self::Unvalued { scope } => {
                write!(f, "profit and loss cannot be told ({scope:?}): something has no price")
            }
            Self::Data(BadData::Missing) => write!(f, "no quote"),
            Self::Data(BadData::Stale { age, limit }) => {
                write!(f, "quote is {age} old, limit {limit}")
            }
            Self::Data(BadData::Invalid) => write!(f, "the book is crossed or has a gap"),
            Self::Data(BadData::Closed) => write!(f, "the venue takes no orders"),
            Self::Clock(BadClock::Unknown) => {
                write!(f, "the clock was not compared with a reference")
            }
            Self::Clock(BadClock::Old { age, limit }) => {
                write!(f, "the clock was last compared {age} ago, limit {limit}")
            }
            Self::Clock(BadClock::Off { offset, limit }) => {
                write!(f, "the clock is off by {offset}, limit {limit}")
            }
            Self::Volatile { low, high } => {
                write!(f, "the market moved from {low} to {high} half ticks in a short while")
            }
            Self::Unattributed => {
                write!(f, "its algorithm, version, operator or config is not known")
            }
            Self::Latched => write!(f, "the ledger has latched and is no longer true"),
            Self::NotReconciled => write!(f, "the account has not been compared with its venue"),
            Self::JournalFull => write!(f, "the disk has no room behind what is being recorded"),
            Self::JournalSlow { lag, limit } => {
                write!(f, "the journal took {lag} to be safe, limit {limit}")
            }
            Self::NoLimit { limit } => write!(f, "limit `{limit}` is not configured"),
            Self::Overflow => write!(f, "figures beyond 64 or 128 bits"),
            Self::Group => write!(f, "another leg of the group was refused"),
        }
    }
}
