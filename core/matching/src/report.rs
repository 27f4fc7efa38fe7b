//! What a book says happened.

use tse_model::{CancelReason, Price, Qty, RejectReason, Side};

use crate::{Handle, Owner};

/// One thing that happened, with what the owner of the book needs to tell both sides. All reports of
/// a command stand in the order in which things happened.
///
/// A placed order is either `Rejected`, or `Accepted` and then, after any fills, `Rested`, `Armed`,
/// `Cancelled`, or silent because its last fill left nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Report {
    /// A new order is taken on.
    Accepted {
        /// The order's tag.
        tag: u64,
    },
    /// A new order is refused; nothing else happened.
    Rejected {
        /// The order's tag.
        tag: u64,
        /// Why.
        reason: RejectReason,
    },
    /// The order joined the back of the queue at its price.
    Rested {
        /// The order.
        handle: Handle,
        /// Its tag.
        tag: u64,
        /// Where it rests.
        price: Price,
        /// How much is open, hidden quantity included.
        leaves: Qty,
        /// How much of that shows.
        displayed: Qty,
    },
    /// A stop sleeps until its trigger.
    Armed {
        /// The order.
        handle: Handle,
        /// Its tag.
        tag: u64,
        /// Its trigger; `None` for a trailing stop before the first trade.
        trigger: Option<Price>,
    },
    /// A stop wakes, and acts now.
    Triggered {
        /// The order; `None` if its trigger had been reached when it was placed.
        handle: Option<Handle>,
        /// Its tag.
        tag: u64,
    },
    /// A resting order and an incoming one traded.
    Fill(Fill),
    /// The owner of the book printed a trade against a resting order ([`Book::execute`]).
    ///
    /// [`Book::execute`]: crate::Book::execute
    Executed {
        /// The order.
        handle: Handle,
        /// Its tag.
        tag: u64,
        /// Whose it is.
        owner: Owner,
        /// Its side.
        side: Side,
        /// Its price.
        price: Price,
        /// How much traded.
        qty: Qty,
        /// How much is left, hidden quantity included.
        leaves: Qty,
    },
    /// Two orders of one owner lost quantity instead of trading ([`SelfTrade::Decrement`]).
    ///
    /// [`SelfTrade::Decrement`]: crate::SelfTrade::Decrement
    Decremented {
        /// The resting order.
        maker: Handle,
        /// Its tag.
        maker_tag: u64,
        /// The incoming order's tag.
        taker_tag: u64,
        /// How much each lost.
        qty: Qty,
        /// How much of the resting order is left.
        maker_leaves: Qty,
        /// How much of the incoming order is left.
        taker_leaves: Qty,
    },
    /// An iceberg shows its next slice, at the back of its queue.
    Replenished {
        /// The order.
        handle: Handle,
        /// Its tag.
        tag: u64,
        /// The new slice.
        displayed: Qty,
    },
    /// An order was changed. If it lost its place, what comes of it follows as for a new order.
    Modified {
        /// The order.
        handle: Handle,
        /// Its tag.
        tag: u64,
        /// Its limit price; `None` for a stop without one.
        price: Option<Price>,
        /// How much of it is now open.
        leaves: Qty,
        /// Whether it kept its place in the queue.
        kept_place: bool,
    },
    /// An order ended unfilled, or partly so.
    Cancelled {
        /// The order; `None` if it never rested.
        handle: Option<Handle>,
        /// Its tag.
        tag: u64,
        /// Why.
        reason: CancelReason,
        /// How much was open. Zero when a decrement took the last of it.
        leaves: Qty,
    },
}

/// A trade between a resting order (the maker) and an incoming one (the taker).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fill {
    /// The resting order. Stale already when `maker_leaves` is zero.
    pub maker: Handle,
    /// Its tag.
    pub maker_tag: u64,
    /// Whose it is.
    pub maker_owner: Owner,
    /// The incoming order's tag.
    pub taker_tag: u64,
    /// Whose that is.
    pub taker_owner: Owner,
    /// The incoming order's side.
    pub taker_side: Side,
    /// The resting order's price.
    pub price: Price,
    /// How much traded.
    pub qty: Qty,
    /// How much of the resting order is left, hidden quantity included.
    pub maker_leaves: Qty,
    /// How much of the incoming order is left.
    pub taker_leaves: Qty,
}

/// Where an order stands when a command is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It rests in the book.
    Resting(Handle),
    /// It is a stop and sleeps.
    Armed(Handle),
    /// It has ended: filled or cancelled, as the reports say.
    Done,
}

impl Outcome {
    /// The order's handle, if it is open.
    pub const fn handle(self) -> Option<Handle> {
        match self {
            Self::Resting(handle) | Self::Armed(handle) => Some(handle),
            Self::Done => None,
        }
    }
}
