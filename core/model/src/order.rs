//! Orders as they are asked for: kinds, times in force, flags, and the three requests a venue takes.
//!
//! The types allow only what makes sense: a limit order has a price because the variant holds one.

use crate::{ClientOrderId, GroupId, InstrumentId, Price, Qty, Side, StrategyId, Timestamp};

/// When and at what price an order may trade.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OrderType {
    /// At once, at any price.
    Market,
    /// At this price or better.
    Limit(Price),
    /// A market order once the market trades at or through the trigger.
    Stop(Price),
    /// A limit order once the market trades at or through the trigger.
    StopLimit {
        /// Where it wakes.
        trigger: Price,
        /// What it then asks for.
        limit: Price,
    },
    /// A stop whose trigger follows the best price seen since acceptance, this many ticks behind.
    TrailingStop(Price),
}

impl OrderType {
    /// The worst price this may trade at, once awake; `None` for any price.
    pub const fn limit(self) -> Option<Price> {
        match self {
            Self::Limit(price) | Self::StopLimit { limit: price, .. } => Some(price),
            Self::Market | Self::Stop(_) | Self::TrailingStop(_) => None,
        }
    }

    /// Whether it sleeps until a trigger.
    pub const fn is_stop(self) -> bool {
        matches!(self, Self::Stop(_) | Self::StopLimit { .. } | Self::TrailingStop(_))
    }

    /// The field's standard name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Market => "market",
            Self::Limit(_) => "limit",
            Self::Stop(_) => "stop",
            Self::StopLimit { .. } => "stop_limit",
            Self::TrailingStop(_) => "trailing_stop",
        }
    }
}

/// How long an order stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeInForce {
    /// Until cancelled.
    Gtc,
    /// What trades at once trades, the rest is cancelled.
    Ioc,
    /// All of it at once, or nothing.
    Fok,
    /// Until the end of the venue's day.
    Day,
    /// Until this moment.
    Gtd(Timestamp),
}

impl TimeInForce {
    /// The field's standard name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gtc => "gtc",
            Self::Ioc => "ioc",
            Self::Fok => "fok",
            Self::Day => "day",
            Self::Gtd(_) => "gtd",
        }
    }
}

/// A request to trade.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlaceOrder {
    /// Our name for it.
    pub id: ClientOrderId,
    /// What to trade.
    pub instrument: InstrumentId,
    /// Who wants it.
    pub strategy: StrategyId,
    /// The legs it belongs with, zero for none.
    pub group: GroupId,
    /// Which way.
    pub side: Side,
    /// When and at what price.
    pub order_type: OrderType,
    /// How long.
    pub time_in_force: TimeInForce,
    /// How much, above zero.
    pub qty: Qty,
    /// How much of it shows while it rests; the whole of it when `None`.
    pub display: Option<Qty>,
    /// Refuse rather than take.
    pub post_only: bool,
    /// Never open or enlarge a position.
    pub reduce_only: bool,
}

/// A request to change a resting order. Only a smaller quantity at the same price keeps its place in
/// the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ModifyOrder {
    /// Our name for the order.
    pub id: ClientOrderId,
    /// What it trades.
    pub instrument: InstrumentId,
    /// The new total quantity, filled part included.
    pub qty: Qty,
    /// The new limit price; the old one when `None`.
    pub price: Option<Price>,
}

/// A request to take an order back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CancelOrder {
    /// Our name for the order.
    pub id: ClientOrderId,
    /// What it trades.
    pub instrument: InstrumentId,
}

/// What a venue can be asked to do with orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Request {
    /// Trade.
    Place(PlaceOrder),
    /// Change.
    Modify(ModifyOrder),
    /// Take back.
    Cancel(CancelOrder),
}

impl Request {
    /// Our name for the order this is about.
    pub const fn id(&self) -> ClientOrderId {
        match self {
            Self::Place(place) => place.id,
            Self::Modify(modify) => modify.id,
            Self::Cancel(cancel) => cancel.id,
        }
    }

    /// What the order trades.
    pub const fn instrument(&self) -> InstrumentId {
        match self {
            Self::Place(place) => place.instrument,
            Self::Modify(modify) => modify.instrument,
            Self::Cancel(cancel) => cancel.instrument,
        }
    }
}
