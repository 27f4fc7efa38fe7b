//! The shipped strategies, asked one by one: what they are shown goes in, what they wish comes out.

mod chaos;
mod indicators;
mod maker;
mod making;
mod params;
mod stage;
mod taker;
mod trend;
mod unwind;
