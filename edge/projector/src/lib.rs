//! Follows an engine's journal and writes what it says into a store, as rows.
//!
//! ```text
//! journal ─▶ tail ─▶ an engine of its own ─▶ rows ─▶ batches ─▶ store
//!                                                        ▲         │
//!                                                        └─ how far it is
//! ```
//!
//! The same inputs through the same engine give the same state, so whoever follows knows what the engine knows, and
//! holds it up in nothing: no lock, no queue, no call. As it goes it compares everything that was sent with what the
//! journal says, and stops where they part. A store remembers, in the transaction that writes rows, how far it is; so
//! one that was away catches up from there, one that was wiped is filled again, and it never matters whether a
//! transaction whose answer was lost has happened.
//!
//! Rows at a place of the journal are a function of the journal up to there: however often a store was away, and
//! wherever batches ended, they are the same.
//!
//! Begin at [`Projector::start`]; [`Follower`] reads, [`scribe`] makes rows.

mod compare;
mod follower;
mod projector;
mod row;
pub mod scribe;

pub use compare::{Comparison, compare};
pub use follower::{Build, FollowError, Follower};
pub use projector::{
    Followed, How, Projector, RebuildError, Standing, Start, Store, Watched, Written, rebuild,
    remember,
};
pub use row::TooLong;
pub use scribe::{About, StrategyAbout};
