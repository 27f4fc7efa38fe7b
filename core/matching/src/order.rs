//! Orders as the owner of a book hands them in, and the handles it gets back.

use std::num::NonZeroU32;

use tse_model::{OrderType, Price, Qty, Side, TimeInForce};

/// Whose order it is. Opaque: orders of the same owner are kept from trading with each other where
/// the incoming one asks for that, and that is all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Owner(pub u64);

/// What happens when an incoming order meets a resting one of the same owner. The mode of the
/// incoming order decides, whatever the resting one had asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(u8)]
pub enum SelfTrade {
    /// They trade.
    #[default]
    Allow,
    /// What is left of the incoming order is cancelled. What it traded before stands.
    CancelNew,
    /// The resting order is cancelled, hidden quantity included; the incoming one goes on.
    CancelOld,
    /// Both are cancelled, the resting one first.
    CancelBoth,
    /// Both lose the smaller of their open quantities without trading (hidden quantity counts, and
    /// goes first). Whatever has none left is cancelled; an incoming order with some left goes on.
    Decrement,
}

/// An iceberg may not have more slices than this: its quantity over its display, rounded up. It
/// bounds the number of fills that one incoming order can cause.
pub const MAX_SLICES: i64 = 1_000;

/// An order to place. Times in force that end by a clock ([`TimeInForce::Day`],
/// [`TimeInForce::Gtd`]) stand until cancelled here: who owns the clock cancels.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewOrder {
    /// Whose it is.
    pub owner: Owner,
    /// Comes back in every report about the order. Opaque, and need not be unique.
    pub tag: u64,
    /// Which way.
    pub side: Side,
    /// When and at what price.
    pub order_type: OrderType,
    /// How long. For a stop: once it is awake.
    pub time_in_force: TimeInForce,
    /// How much, above zero.
    pub qty: Qty,
    /// How much shows at a time while it rests; all of it when `None`.
    pub display: Option<Qty>,
    /// Refuse rather than take, now and in later modifies.
    pub post_only: bool,
    /// What to do on meeting an order of the same owner.
    pub self_trade: SelfTrade,
    /// The worst price for an order without a limit (market, stop, trailing stop): what would trade
    /// beyond it is cancelled.
    pub protection: Option<Price>,
}

impl NewOrder {
    /// A plain order: until cancelled, all of it shown, free to take.
    #[inline]
    pub const fn new(owner: Owner, tag: u64, side: Side, order_type: OrderType, qty: Qty) -> Self {
        Self {
            owner,
            tag,
            side,
            order_type,
            time_in_force: TimeInForce::Gtc,
            qty,
            display: None,
            post_only: false,
            self_trade: SelfTrade::Allow,
            protection: None,
        }
    }

    /// A plain limit order.
    #[inline]
    pub const fn limit(owner: Owner, tag: u64, side: Side, price: Price, qty: Qty) -> Self {
        Self::new(owner, tag, side, OrderType::Limit(price), qty)
    }

    /// A plain market order.
    #[inline]
    pub const fn market(owner: Owner, tag: u64, side: Side, qty: Qty) -> Self {
        Self::new(owner, tag, side, OrderType::Market, qty)
    }
}

/// Names an open order of one book. It stays the same for the order's whole life, through modifies
/// and triggers; afterwards it names nothing, ever: a slot that has been reused is told apart by its
/// generation, and a slot that has run out of generations is not reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Handle {
    pub(crate) slot: u32,
    pub(crate) generation: NonZeroU32,
}

/// A price as a place in the queue of `side`: the larger rank trades first. Asks are turned over by
/// flipping all bits, which reverses the order of the whole `i64` range without overflow.
#[inline]
pub(crate) const fn rank(side: Side, price: Price) -> i64 {
    match side {
        Side::Buy => price.get(),
        Side::Sell => !price.get(),
    }
}

/// The price of a rank.
#[inline]
pub(crate) const fn price_of(side: Side, rank: i64) -> Price {
    match side {
        Side::Buy => Price::new(rank),
        Side::Sell => Price::new(!rank),
    }
}
