//! Serves an engine to the network: health, readiness, metrics, REST, gRPC, streams; who may do what; logs, traces and audit.
//!
//! ```text
//! people, probes, scrapers ─▶ layers ─▶ handlers ─▶ newest picture
//!                                          └─▶ inbox ─▶ the engine's thread
//! followers ◀─ hub ◀─ feed ◀─ ring ◀──────────────────────┘
//! ```
//!
//! The engine runs elsewhere ([`tse_node`]); here is what surrounds it. Nothing of this can hold it up: pictures hang
//! where everybody can look, demands wait in a queue that refuses when it is full, and who follows too slowly begins
//! again. Nor can it be had otherwise: there is no way to the engine but through its recorded inputs.
//!
//! Begin at [`App`], [`http`] and [`grpc`]; the variables are in [`settings`], who may do what in [`token`] and [`access`].

pub mod access;
mod app;
mod audit;
mod backtests;
pub mod codes;
mod discovery;
mod engine;
mod figures;
pub mod grpc;
pub mod http;
mod instance;
mod logs;
mod masked;
mod metrics;
mod once;
mod prometheus;
pub mod ready;
mod service;
pub mod settings;
pub mod streams;
pub mod token;
pub mod trace;
mod tries;
mod wishes;

pub use app::App;
pub use audit::{Audit, Entry};
pub use backtests::{
    Backtest, BacktestStatus, Backtester, ENDS_WITH_PARENT, MAY_BE_SET, WantedBacktest,
};
pub use discovery::{Member, Taken};
pub use engine::{Engine, StrategyKind};
pub use instance::{BadInstance, Instance};
pub use logs::{CRITICAL, LogError, Logs};
pub use masked::masked;
pub use metrics::{Constant, Label, Metrics, names};
pub use prometheus::Prometheus;
pub use service::{Ports, Service, StartError};
