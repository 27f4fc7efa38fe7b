//! The engine: orders, portfolio, risk and strategies behind one `step`.
//!
//! A [`Kernel`] is a [`Machine`](tse_model::Machine). In go market events, the words of venues, timers
//! and commands; out come requests to venues and notes of what happened. It is the same machine in a
//! backtest, on paper, live and in a replay: it has no clock, no thread and no idea which of them it
//! is in. What it knows is in [`State`], what it may do next to an order in [`Life`], how wishes
//! become orders in `act`.
//!
//! Begin at [`Kernel`] and its `step`.

mod act;
mod desk;
mod kernel;
mod life;
mod message;
mod orders;
mod repeats;

pub use desk::{LimitTable, State};
pub use kernel::{Counts, Kernel, Setup};
pub use life::{Ending, Evidence, Life, Step};
pub use message::{Alert, Command, Input, Output};
pub use orders::{ENDED_KEPT, Order, Orders, Slot};
