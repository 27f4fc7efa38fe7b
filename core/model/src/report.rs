//! What a venue must be able to say when it is asked how things stand: the contract of reconciliation.
//!
//! An [`Inquiry`] asks for everything at once: open orders and those that ended lately, executions since
//! a moment, positions, balances. The answer comes as lines between a beginning and an end, all with the
//! inquiry's number. Lines are what the venue said, not what is true: its views may lag behind each
//! other, and what is missing from them may yet appear.

use crate::{
    CancelReason, ClientOrderId, CurrencyId, Fill, InstrumentId, Money, OrderType, Qty,
    RejectReason, Side, TimeInForce, Timestamp, VenueOrderId,
};

/// A question to a venue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inquiry {
    /// Counts up; answers carry it.
    pub number: u32,
    /// Executions and ended orders are wanted from here on, by the venue's clock.
    pub since: Timestamp,
}

/// How an order stands at its venue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It may trade.
    Open,
    /// It was refused.
    Rejected(RejectReason),
    /// It was taken back.
    Cancelled(CancelReason),
    /// Its time was up.
    Expired,
    /// It traded whole.
    Filled,
}

/// An order as its venue lists it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderRow {
    /// Our name for it, or a foreign one.
    pub id: ClientOrderId,
    /// The venue's name for it.
    pub venue_id: VenueOrderId,
    /// What it trades.
    pub instrument: InstrumentId,
    /// Which way.
    pub side: Side,
    /// When and at what price.
    pub order_type: OrderType,
    /// How long.
    pub time_in_force: TimeInForce,
    /// Total quantity, filled part included.
    pub qty: Qty,
    /// What has traded.
    pub filled: Qty,
    /// How it stands.
    pub standing: Standing,
    /// When it last changed, by the venue's clock.
    pub updated: Timestamp,
}

/// An execution as its venue lists it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExecutionRow {
    /// The order that traded; of no meaning where the venue forced it.
    pub id: ClientOrderId,
    /// In what.
    pub instrument: InstrumentId,
    /// Which way the account traded.
    pub side: Side,
    /// When, by the venue's clock.
    pub at: Timestamp,
    /// The execution.
    pub fill: Fill,
    /// Whether the venue closed a position by force.
    pub forced: bool,
}

/// One line of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// It begins.
    Begin {
        /// How things stood at this moment, by the venue's clock.
        as_of: Timestamp,
    },
    /// An order: every open one, and those that ended since the moment asked for.
    Order(OrderRow),
    /// An execution since the moment asked for.
    Execution(ExecutionRow),
    /// A position that is not flat.
    Position {
        /// In what.
        instrument: InstrumentId,
        /// Signed.
        qty: Qty,
        /// What it cost, signed like the quantity, in the settlement currency.
        cost: Money,
    },
    /// Cash, before what positions have gained or lost.
    Balance {
        /// Of what.
        currency: CurrencyId,
        /// How much.
        amount: Money,
    },
    /// It is complete.
    End,
    /// There is none: the venue could not or would not answer.
    Failed,
}

/// A line, and the inquiry that it answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statement {
    /// The inquiry's number.
    pub number: u32,
    /// What is said.
    pub line: Line,
}
