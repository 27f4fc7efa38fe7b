//! The shape of everything deterministic.

use crate::Timestamp;

/// The time that a machine asked for has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wake;

/// The shape of every deterministic component: the engine, each service, each venue session.
///
/// A machine is a function of the inputs it was given. It owns no clock, no thread and no file; a
/// driver brings inputs in, in an order that it records, and carries outputs away.
pub trait Machine {
    /// What it can be told. A timer is an input like any other, so a replay meets it in place.
    type Input: From<Wake>;
    /// What it can ask for.
    type Output;
    /// Takes one input to completion. Reads no clock, touches no I/O, cannot fail.
    fn step(&mut self, now: Timestamp, input: Self::Input, out: &mut Vec<Self::Output>);
    /// When this machine next wants to be woken, if ever.
    fn wake_at(&self) -> Option<Timestamp>;
}
