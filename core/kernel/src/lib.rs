//! The engine: orders, portfolio, risk and strategies behind one `step`.
//!
//! A [`Kernel`] is a [`Machine`](tse_model::Machine). In go market events, the words of venues, timers
//! and commands; out come requests to venues and notes of what happened. It is the same machine in a
//! backtest, on paper, live and in a replay: it has no clock, no thread and no idea which of them it
//! is in. What it knows is in [`State`], what it may do next to an order in [`Life`]; what markets
//! show is heard in `feed`, what venues say in `answer` and `account`, and how wishes become orders
//! is in `act`; how an account is compared with its venue is in `reconcile`, and what the kill switch does in
//! `halt`.
//!
//! Begin at [`Kernel`] and its `step`.

mod account;
mod act;
mod answer;
mod desk;
mod executions;
mod exposure;
mod feed;
mod guard;
mod halt;
pub mod keep;
mod kernel;
mod life;
mod limits;
mod losses;
mod message;
mod orders;
mod pace;
mod plant;
mod reconcile;
pub mod record;
mod repeats;
mod trace;

pub use desk::State;
pub use executions::EXECUTIONS_KEPT;
pub use exposure::ExposureTable;
pub use guard::{Algorithm, Attribution, Guards};
pub use kernel::{Counts, Kernel, PaceTable, STORM, Setup};
pub use life::{Ending, Evidence, Life, Step};
pub use limits::LimitTable;
pub use losses::LossTable;
pub use message::{Adjustment, Alert, Command, Input, NotArmed, Output};
pub use orders::{Change, ENDED_KEPT, Order, Orders, Slot};
pub use plant::Plant;
pub use reconcile::Reconcile;
pub use trace::Reviewed;
/// What commands are made of.
pub use tse_risk::{Cause, Kill, Latch, Level, NotResumed, Reach, Resume, Role, Switch, Who, Why};
