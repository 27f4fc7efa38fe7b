//! What we hold, what it cost, what it earned: a double-entry ledger, positions, profit and loss.
//!
//! In go fills, funding, transfers and adjustments, each already believed: whoever owns the orders
//! has sorted out duplicates, so what arrives here happened and happened once. Out come balances,
//! positions, profit, and equity in any currency that stated prices lead to. Every booking is whole
//! or not at all, and one that the integers cannot hold latches the ledger: from then on it refuses
//! everything, and says so, instead of being wrong.
//!
//! The portfolio knows nothing of orders, limits or markets. It has no clock: moments arrive with
//! the facts. It has no prices of its own: they are given, with their age ([`Prices`]).
//!
//! Begin at [`Portfolio`]; it joins a [`Ledger`] (whose money, where) with [`Positions`] (which
//! strategy, at what cost). [`Portfolio::check`] is the conservation law that test harnesses run
//! after every event. Floats exist only in [`statistics`].

mod audit;
mod exposure;
mod ledger;
mod matched;
mod portfolio;
mod position;
mod positions;
mod prices;
pub mod statistics;
#[cfg(test)]
mod testing;
mod valuation;
mod wide;

pub use audit::{Audit, Imbalance};
pub use exposure::{Exposure, ExposureError};
pub use ledger::{AccountKind, Cause, Latched, Ledger, Move, PageId};
pub use matched::Matched;
pub use portfolio::{Booked, Portfolio};
pub use position::Position;
pub use positions::Positions;
pub use prices::{Converted, Mark, Prices, PricesError, Unvalued};
pub use valuation::{Equity, Profit};
pub use wide::mul_div;
