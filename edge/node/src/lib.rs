//! Runs an engine in real time, and lets people see and stop it.
//!
//! ```text
//! people ─▶ control socket ─▶ inbox ─▶ node ─▶ engine on its journal ─▶ venues
//!                  ▲                     └─▶ picture, once in a while ─┘
//!                  └── what it came to
//! ```
//!
//! One thread runs the engine ([`Node::run`]): it keeps pace with the clock, carries out what people want as soon as it
//! is recorded, and now and then leaves a [`Picture`] of how things stand for everybody else. Whoever looks at that
//! picture holds nobody up. What people want comes in through an [`Inbox`] of few places: one that is full refuses.
//!
//! An engine lives in a folder, its [`Home`]: its journal, what its venues were asked, the lease, the file `kill`, and
//! the socket through which `tse status`, `tse kill` and `tse resume` speak to it.
//!
//! Begin at [`open()`] and [`Node::run`].

mod control;
mod deadman;
mod demand;
mod feed;
mod home;
mod limit;
mod names;
mod node;
mod open;
mod pace;
mod picture;
mod pin;
mod say;
mod timings;
mod watcher;

pub use control::{ControlError, Server, ask};
pub use deadman::{LOOKS, raise_flag, watch_over};
pub use demand::{Answer, Demand, Inbox, Misunderstood, Said, WrongScope, inbox, scope};
pub use feed::{Feed, News, What};
pub use home::{Home, HomeError};
pub use names::Names;
pub use node::{Ended, Gallery, Node, NodeError, Settings};
pub use open::{Build, Live, OpenError, Opened, Plan, open};
pub use pace::Pace;
pub use picture::{
    Balance, Earned, Execution, Figures, Held, Latched, LimitPicture, Line, MarketPicture,
    OpenOrder, Picture, Rung, StrategyPicture, VenuePicture,
};
pub use pin::pin;
pub use say::alert;
pub use timings::{Counts, Timing, Timings};
