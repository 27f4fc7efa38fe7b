//! A trial: the production engine in a world that lies, loses, breaks and dies.
//!
//! One thread, one virtual clock, one seed. The production kernel, journal, reconciliation and egress run
//! against two exchanges that remember the truth, over links, disks and clocks that fail as the seed's
//! mixture of [`Fault`]s says. After every step the laws are checked. Then the faults stop: within a
//! stated time everything must be known, in order and equal on both sides (I11). A [`Verdict`] says what
//! happened; the same seed always gives the same one.
//!
//! Begin at [`Trial::run`].

mod faults;
pub(crate) mod laws;
mod marks;
mod player;
pub(crate) mod stage;
mod world;

pub use faults::{Fault, Faults};
pub use marks::{Mark, Marks};
pub use stage::{START, VISIBILITY, catalog, deposits, kernel};
pub use tse_kernel::Plant;
pub use world::{FAULTS_LAST, Trial, Verdict};
