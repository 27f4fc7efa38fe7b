//! The simulated venue, told as scenarios: what the data shows, what we ask for, what it says.

mod bars;
#[path = "../common/mod.rs"]
mod common;
mod consumption;
mod funds;
mod order_types;
mod prints;
mod queue;
mod random;

mod stage;
mod supply;
