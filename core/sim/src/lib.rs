//! Virtual time, simulated venues, backtests.
//!
//! A [`Backtest`] runs the production kernel against [`Venue`]s whose markets are real matching engines
//! with recorded history in them, over lines with latency, on one virtual clock: a simulation without
//! faults. It reads no files; sources bring events in.
//!
//! Begin at [`Backtest::run`]; how history becomes liquidity is in [`history`], the order of things at
//! one moment in [`backtest`].

mod account;
mod agenda;
pub mod backtest;
mod course;
mod exchange;
pub mod history;
pub mod latency;
pub mod laws;
mod merge;
pub mod models;
pub mod paper;
pub mod recorder;
mod roles;
mod scenario;
pub mod synthetic;
pub mod trial;
pub mod venue;
mod venue_log;
mod watch;
mod world;

pub use account::{Account, Cover};
pub use backtest::{Backtest, Observer, Outcome, Progress, Sample, Told};
pub use latency::Latency;
pub use merge::Merge;
pub use models::QueueModel;
pub use paper::{Market, Paper, PaperError};
pub use recorder::Recorder;
pub use scenario::{
    ExposureSetup, FundingSchedule, LiveSetup, LossSetup, MarketSetup, Scenario, VenueSetup, prices,
};
pub use synthetic::{Synthetic, SyntheticSpec};
pub use venue::Venue;
pub use venue_log::{Asked, Reached, VenueLog};
