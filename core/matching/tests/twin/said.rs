//! What a book says, without the handles that only the quick one has.

use tse_matching::Owner;
use tse_model::{CancelReason, RejectReason, Side};

/// A report without handles.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Said {
    Accepted(u64),
    Rejected(u64, RejectReason),
    Rested { tag: u64, price: i64, leaves: i64, displayed: i64 },
    Armed { tag: u64, trigger: Option<i64> },
    Triggered { tag: u64 },
    Fill(Traded),
    Executed { tag: u64, owner: Owner, side: Side, price: i64, qty: i64, leaves: i64 },
    Decremented { maker: u64, taker: u64, qty: i64, maker_leaves: i64, taker_leaves: i64 },
    Replenished { tag: u64, displayed: i64 },
    Modified { tag: u64, price: Option<i64>, leaves: i64, kept_place: bool },
    Cancelled { tag: u64, reason: CancelReason, leaves: i64 },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Traded {
    pub maker: u64,
    pub maker_owner: Owner,
    pub taker: u64,
    pub taker_owner: Owner,
    pub taker_side: Side,
    pub price: i64,
    pub qty: i64,
    pub maker_leaves: i64,
    pub taker_leaves: i64,
}
