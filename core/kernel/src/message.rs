//! What the engine is told and what it asks for.

use crate::life::Life;
use tse_model::{
    AccountEvent, ClientOrderId, CurrencyId, ExecId, Fill, Inquiry, InstrumentId, MarketEvent,
    Money, OrderEvent, PlaceOrder, Qty, Request, Rules, Side, Span, Statement, StrategyId, VenueId,
    Wake,
};
use tse_risk::{
    BadClock, Cause, ClockSource, Kill, Level, LimitChange, Metric, NotChanged, NotResumed, Permit,
    Reach, Refusal, Resume, Severity, Who,
};
use tse_strategy::Opportunity;

/// What an operator, or the driver on his behalf, tells the engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Begin: strategies are called for the first time.
    Start,
    /// End: strategies are called for the last time; what is left open is cancelled.
    Stop,
    /// An operator has looked at what a reconciliation could not explain: the account may trade again
    /// once it has been compared anew.
    Acknowledge(VenueId),
    /// Trading is cut back, as far as it is not already.
    Kill(Kill),
    /// Trading goes on, as far as whoever says so may decide that.
    Resume(Resume),
    /// An engine that has booted may trade, if it can.
    Arm(Who),
    /// A limit is to be another (C25).
    Limit(LimitChange),
    /// One order may pass a control (C29).
    Permit(Permit),
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
    /// A line of a venue's answer to an [`Inquiry`].
    Statement(VenueId, Statement),
    /// The engine begins, or begins again on its journal: whatever was on its way may be lost, and until
    /// links come up and accounts are compared nothing is known.
    Boot {
        /// How often it has begun, this time included. Names of orders carry it.
        epoch: u16,
    },
    /// What the journal holds of an order that was asked for: as it was placed, or nothing.
    Recalled {
        /// Which order.
        id: ClientOrderId,
        /// As it was placed.
        place: Option<PlaceOrder>,
    },
    /// Words of a venue are missing in the stream: it must be asked how things stand.
    Gap(VenueId),
    /// What a venue takes of orders from now on. Adapters say so when they connect, and when it changes.
    Rules(InstrumentId, Rules),
    /// Whether the journal's room runs out: told by whoever writes it, when that changes.
    Room {
        /// What is being written is the last there is room for.
        low: bool,
    },
    /// Our clock was compared with another: told by whoever can, every now and then.
    Clock {
        /// With which.
        source: ClockSource,
        /// Ours less theirs.
        offset: Span,
    },
    /// How long the newest record took to become safe: told by whoever waited for it, when that changes.
    Lag(Span),
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
    /// A venue has an order that we did not know: its own, or another's on our account.
    Adopted(ClientOrderId),
    /// A venue has proven that an order never existed there.
    ProvenAbsent(ClientOrderId),
    /// A venue's account differs from ours, twice in the same way, and nothing explains it. The
    /// difference is booked as an adjustment, and nothing new is sent until an operator acknowledges.
    Unexplained(VenueId),
    /// A venue was asked how things stand and has not answered in time.
    NoStatement(VenueId),
    /// What a venue says it takes makes no sense: nothing is sent to that market any more.
    BadRules(InstrumentId),
    /// The journal takes longer than it may: nothing that adds risk is sent until it has caught up.
    JournalSlow,
    /// The journal's room runs out: nothing that adds risk is sent until there is more.
    JournalFull,
    /// Trading was cut back.
    Killed {
        /// What.
        reach: Reach,
        /// How far.
        level: Level,
        /// By what.
        cause: Cause,
    },
    /// Trading goes on.
    Resumed {
        /// With what.
        reach: Reach,
        /// How far it is still cut back.
        to: Level,
    },
    /// Trading does not go on although somebody wanted it.
    NotResumed {
        /// With what.
        reach: Reach,
        /// Why not.
        why: NotResumed,
    },
    /// Trading was to be cut back in a scope that there is not.
    NoSuchScope(Reach),
    /// Something is nearer to its limit than was told before.
    Near {
        /// Whose.
        reach: Reach,
        /// What.
        metric: Metric,
        /// How near.
        severity: Severity,
        /// What it is.
        value: Money,
        /// What it may be.
        limit: Money,
    },
    /// A limit is another now.
    LimitChanged(LimitChange),
    /// One order may pass a control.
    Permitted(Permit),
    /// It did.
    PermitUsed(Permit),
    /// A limit is as it was, or no exception is made.
    NotChanged(NotChanged),
    /// Our clock jumped.
    ClockStepped {
        /// Against which other.
        source: ClockSource,
        /// Ours less theirs, now.
        offset: Span,
    },
    /// Our clock cannot be believed any more, for whoever trades at a venue.
    ClockWrong {
        /// Where.
        venue: VenueId,
        /// Why not.
        trouble: BadClock,
    },
    /// The engine may trade.
    Armed,
    /// The engine may not trade although somebody wanted it.
    NotArmed(NotArmed),
}

/// Why an engine cannot be armed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotArmed {
    /// Nobody says who they are.
    Nobody,
    /// An account has not been compared with its venue, or must be looked at.
    NotReconciled(VenueId),
    /// Nobody can say how this order stands.
    Unknown(ClientOrderId),
}

/// A difference that was booked without an explanation, as the venue has more of it (or less).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Adjustment {
    /// A position.
    Position {
        /// In what.
        instrument: InstrumentId,
        /// Signed lots.
        qty: Qty,
    },
    /// Cash, what positions have cost counted in.
    Cash {
        /// Of what.
        currency: CurrencyId,
        /// How much.
        amount: Money,
    },
}

/// What the engine asks for, and what it tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// Send this to a venue.
    Send(VenueId, Request),
    /// Ask a venue how things stand.
    Inquire(VenueId, Inquiry),
    /// A venue speaks of an order of ours that ended long ago: the journal knows it.
    Recall(ClientOrderId),
    /// A difference at a venue was booked that nothing explains.
    Adjusted(VenueId, Adjustment),
    /// An account was compared with its venue and is as it should be; orders may be sent.
    Reconciled(VenueId),
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
    /// A venue's sessions are to be cut (K6): the engine sends there no more, and cannot do that itself.
    Sever(VenueId),
}
