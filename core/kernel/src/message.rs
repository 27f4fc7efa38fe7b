//! What the engine is told and what it asks for.

use crate::life::Life;
use tse_model::{
    AccountEvent, ClientOrderId, ExecId, Fill, InstrumentId, MarketEvent, Money, OrderEvent,
    Request, Side, StrategyId, VenueId, Wake,
};
use tse_risk::Refusal;
use tse_strategy::Opportunity;

/// What an operator, or the driver on his behalf, tells the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Begin: strategies are called for the first time.
    Start,
    /// End: strategies are called for the last time; what is left open is cancelled.
    Stop,
}

/// One recorded input of the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// A market showed something.
    Market(MarketEvent),
    /// A venue spoke of an order.
    Order(OrderEvent),
    /// A venue spoke of the account.
    Account(VenueId, AccountEvent),
    /// The link to a venue came up or broke.
    Link {
        /// Which venue.
        venue: VenueId,
        /// Whether it is up.
        up: bool,
    },
    /// The time asked for has come.
    Wake,
    /// An operator speaks.
    Command(Command),
}

impl From<Wake> for Input {
    fn from(_: Wake) -> Self {
        Self::Wake
    }
}

/// Something that should not have happened, and that a person should see.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alert {
    /// A venue spoke of an order we do not know (any more).
    UnknownOrder(ClientOrderId),
    /// Evidence did not fit an order's life.
    Anomaly {
        /// Which order.
        id: ClientOrderId,
        /// Where it was in its life.
        life: Life,
    },
    /// No answer in time: the order is unknown, and a cancel was sent.
    AnswerOverdue(ClientOrderId),
    /// More was filled than was ordered.
    Overfilled(ClientOrderId),
    /// A venue told of an execution that was booked already: it is booked once.
    DuplicateFill {
        /// The order it was told of; zero for one of the venue's own.
        id: ClientOrderId,
        /// The execution.
        exec: ExecId,
    },
    /// A venue changed an order to more than was ever asked for. Its word counts.
    Enlarged(ClientOrderId),
    /// The ledger could not book something and takes no more.
    LedgerLatched,
    /// A strategy asked for more in one moment than an engine can answer; it is stopped, and its
    /// orders are taken back.
    Storm(StrategyId),
}

/// What the engine asks for, and what it tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// Send this to a venue.
    Send(VenueId, Request),
    /// An order of ours traded.
    Filled {
        /// Which order.
        id: ClientOrderId,
        /// Whose.
        strategy: StrategyId,
        /// In what.
        instrument: InstrumentId,
        /// Which way.
        side: Side,
        /// The execution.
        fill: Fill,
        /// Profit realised by it, in the settlement currency.
        realized: Money,
    },
    /// An order left its life as a live order, or never began one; it can be looked up while this
    /// output is handled.
    Ended(ClientOrderId),
    /// The gate refused an order, or a change to one; the first of its reasons.
    Denied {
        /// Whose.
        strategy: StrategyId,
        /// In what.
        instrument: InstrumentId,
        /// Which way.
        side: Side,
        /// The first reason, and how many there were.
        refusal: Refusal,
        /// How many reasons there were.
        reasons: u32,
    },
    /// A strategy saw something.
    Saw(StrategyId, Opportunity),
    /// Something a person should see.
    Alert(Alert),
}
