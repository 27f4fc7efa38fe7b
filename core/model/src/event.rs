//! What a venue says about our orders and our account, in the past tense.

use crate::{
    ClientOrderId, CurrencyId, ExecId, InstrumentId, Money, Price, Qty, Side, Timestamp,
    VenueOrderId,
};

/// Which side of a trade an order was on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Liquidity {
    /// It was resting.
    Maker,
    /// It came in.
    Taker,
}

impl Liquidity {
    /// `maker` or `taker`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Maker => "maker",
            Self::Taker => "taker",
        }
    }
}

/// One execution of an order of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fill {
    /// The venue's name for it, unique at the venue.
    pub exec: ExecId,
    /// At what price.
    pub price: Price,
    /// How much, above zero.
    pub qty: Qty,
    /// Whether we rested or took.
    pub liquidity: Liquidity,
    /// What it cost: a charge above zero, a rebate below.
    pub fee: Money,
    /// What the fee is paid in.
    pub fee_currency: CurrencyId,
}

/// Why a venue would not do as it was asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(missing_docs, reason = "the names say it; `text` says it to people")]
pub enum RejectReason {
    UnknownInstrument,
    UnknownOrder,
    DuplicateId,
    QuantityOutOfRange,
    PriceOutOfRange,
    NotionalTooSmall,
    UnsupportedType,
    InsufficientBalance,
    InsufficientMargin,
    PostOnlyWouldTake,
    FokCannotFill,
    NoLiquidity,
    ReduceOnlyWouldIncrease,
    StopWouldTrigger,
    SelfTrade,
    MarketClosed,
    AlreadyClosed,
}

impl RejectReason {
    /// A stable name in lower case, for files and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownInstrument => "unknown_instrument",
            Self::UnknownOrder => "unknown_order",
            Self::DuplicateId => "duplicate_id",
            Self::QuantityOutOfRange => "quantity_out_of_range",
            Self::PriceOutOfRange => "price_out_of_range",
            Self::NotionalTooSmall => "notional_too_small",
            Self::UnsupportedType => "unsupported_type",
            Self::InsufficientBalance => "insufficient_balance",
            Self::InsufficientMargin => "insufficient_margin",
            Self::PostOnlyWouldTake => "post_only_would_take",
            Self::FokCannotFill => "fok_cannot_fill",
            Self::NoLiquidity => "no_liquidity",
            Self::ReduceOnlyWouldIncrease => "reduce_only_would_increase",
            Self::StopWouldTrigger => "stop_would_trigger",
            Self::SelfTrade => "self_trade",
            Self::MarketClosed => "market_closed",
            Self::AlreadyClosed => "already_closed",
        }
    }
}

/// Why an order ended before it was filled.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum CancelReason {
    /// We asked.
    Requested,
    /// What an immediate order could not trade.
    Unfilled,
    /// It would have traded with another order of the same owner.
    SelfTrade,
    /// The venue took the account over.
    Liquidation,
    /// It could only have enlarged the position.
    ReduceOnly,
}

/// What happened to an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderEventKind {
    /// The venue has it.
    Accepted(VenueOrderId),
    /// The venue will not have it.
    Rejected(RejectReason),
    /// Its trigger was reached.
    Triggered,
    /// It traded.
    Filled(Fill),
    /// It was changed: new total quantity and price.
    Modified {
        /// Total quantity, filled part included.
        qty: Qty,
        /// Limit price.
        price: Price,
    },
    /// It was not changed.
    ModifyRejected(RejectReason),
    /// It was taken back.
    Cancelled {
        /// Why.
        reason: CancelReason,
        /// What had traded of it, if the venue says so: if that is more than was heard of, a fill is missing.
        filled: Option<Qty>,
    },
    /// It was not cancelled. Says nothing about whether it is open.
    CancelRejected(RejectReason),
    /// Its time was up.
    Expired {
        /// What had traded of it, if the venue says so.
        filled: Option<Qty>,
    },
}

/// What a venue says about one order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderEvent {
    /// Our name for the order.
    pub id: ClientOrderId,
    /// What it trades.
    pub instrument: InstrumentId,
    /// When it happened, by the venue's clock.
    pub ts_event: Timestamp,
    /// What happened.
    pub kind: OrderEventKind,
}

/// What happened to an account outside orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AccountEventKind {
    /// Funding was exchanged on a position: received above zero, paid below.
    Funding {
        /// On which contract.
        instrument: InstrumentId,
        /// How much.
        amount: Money,
    },
    /// The venue closed part of a position by force, outside our orders.
    Liquidated {
        /// Of which instrument.
        instrument: InstrumentId,
        /// The side of the closing trade.
        side: Side,
        /// The closing trade.
        fill: Fill,
    },
    /// Money came in (above zero) or went out.
    Transfer {
        /// Of what.
        currency: CurrencyId,
        /// How much.
        amount: Money,
    },
}

/// What a venue says about an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountEvent {
    /// When it happened, by the venue's clock.
    pub ts_event: Timestamp,
    /// What happened.
    pub kind: AccountEventKind,
}
