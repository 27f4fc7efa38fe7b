//! Whole runs: engine and venues on one clock, every law checked after every event.

mod agreement;
#[path = "../common/mod.rs"]
mod common;
mod latency;
mod laws;
mod repeats;
mod snapshots;
mod ties;
