//! Statistics of what was earned and how it was traded, as it passes by, in constant memory.
//!
//! The one module of this crate with floats: what it says is shown to people and never booked. What each
//! figure means is said in `docs/statistics.md`; begin at [`EquityCurve`] and [`Trading`].

mod curve;
mod moments;
mod tail;
mod trading;

pub use curve::{Basis, Days, Drawdown, EquityCurve};
pub use tail::{LOOKBACK, Method, TailRisk};
pub use trading::{Deal, Decided, Holding, Shortfall, Trading, Trips};
