//! A kernel on its journal: record, step, release.
//!
//! An [`Engine`] writes down what it is told before its kernel is told, and what the kernel asks of
//! venues before it leaves. After a crash it is recovered from the same journal and goes on, in a new
//! epoch; from the newest snapshot on, if there is one. An [`Egress`] is the last code before the wire: it lets nothing pass once a newer epoch has
//! begun elsewhere. A [`Replay`] reads a journal again and stops at the first difference.
//!
//! The crate knows no files, no clock and no network: the disk, the [`Lease`] and the time are given to
//! it. Begin at [`Engine::take`] and [`Engine::recover`].

mod egress;
mod engine;
mod index;
pub mod kind;
mod replay;
mod restore;
mod upkeep;

pub use egress::{Egress, Lease, LeaseError, MemoryLease, Stopped};
pub use engine::{CHECK_EVERY, Engine, EngineError};
pub use replay::{Difference, Differs, Replay, Sent};
pub use restore::{Begun, Pick, snapshot};
pub use upkeep::{NoSnapshot, Upkeep, is_usable};
