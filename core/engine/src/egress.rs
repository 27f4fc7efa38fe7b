//! The last code before the wire: who may still send.
//!
//! Two engines may believe that an account is theirs: one was paused, another took its place, the first
//! woke up. Each has its epoch, and the lease knows the newest. An [`Egress`] reads the lease for every
//! message and lets nothing pass under an older epoch. What remains is the time between that look and
//! the message's way onto the wire, which no lease can take away: a venue sees at most the messages that
//! were passed in that moment, and their names carry the older epoch.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;

/// Why a lease could not be read or raised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeaseError(pub String);

impl fmt::Display for LeaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the lease cannot be used: {}", self.0)
    }
}

impl std::error::Error for LeaseError {}

/// What every engine that may use an account looks at: a number that only grows.
pub trait Lease {
    /// The newest epoch; zero before the first.
    ///
    /// # Errors
    /// When it cannot be read. Nobody sends then.
    fn newest(&self) -> Result<u16, LeaseError>;

    /// Begins `epoch`, for all to see when this returns.
    ///
    /// # Errors
    /// When it cannot be written, or is not above the newest.
    fn raise(&mut self, epoch: u16) -> Result<(), LeaseError>;
}

/// A lease in memory, shared by its clones: for tests and simulations.
#[derive(Clone, Debug, Default)]
pub struct MemoryLease(Rc<Cell<u16>>);

impl Lease for MemoryLease {
    fn newest(&self) -> Result<u16, LeaseError> {
        Ok(self.0.get())
    }

    fn raise(&mut self, epoch: u16) -> Result<(), LeaseError> {
        if epoch <= self.0.get() {
            return Err(LeaseError(format!("epoch {epoch} is not after {}", self.0.get())));
        }
        self.0.set(epoch);
        Ok(())
    }
}

/// Why a message does not leave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Stopped {
    /// Another engine has begun a newer epoch.
    Fenced {
        /// Ours.
        epoch: u16,
        /// The newest.
        newest: u16,
    },
    /// Nobody knows whether one has.
    Unreadable(LeaseError),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fenced { epoch, newest } => {
                write!(f, "this engine is of epoch {epoch}, and epoch {newest} has begun")
            }
            Self::Unreadable(error) => error.fmt(f),
        }
    }
}

/// The gate that every message passes last.
#[derive(Debug)]
pub struct Egress<L> {
    lease: L,
    epoch: u16,
}

impl<L: Lease> Egress<L> {
    /// For an engine of this epoch.
    pub fn new(lease: L, epoch: u16) -> Self {
        Self { lease, epoch }
    }

    /// Whether a message may leave now. Must be asked for every one.
    ///
    /// # Errors
    /// Why not.
    pub fn pass(&self) -> Result<(), Stopped> {
        let newest = self.lease.newest().map_err(Stopped::Unreadable)?;
        if newest == self.epoch {
            Ok(())
        } else {
            Err(Stopped::Fenced { epoch: self.epoch, newest })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i15_only_the_newest_epoch_sends_also_after_the_older_wakes_up() {
        let mut lease = MemoryLease::default();
        lease.raise(1).unwrap();
        let first = Egress::new(lease.clone(), 1);
        assert_eq!(first.pass(), Ok(()));
        lease.raise(2).unwrap();
        let second = Egress::new(lease.clone(), 2);
        assert_eq!(first.pass(), Err(Stopped::Fenced { epoch: 1, newest: 2 }));
        assert_eq!(second.pass(), Ok(()));
    }

    #[test]
    fn a_lease_only_grows() {
        let mut lease = MemoryLease::default();
        lease.raise(3).unwrap();
        assert!(lease.raise(3).is_err() && lease.raise(2).is_err());
        assert_eq!(lease.newest(), Ok(3));
    }

    #[test]
    fn nobody_sends_under_a_lease_that_cannot_be_read() {
        struct Broken;
        impl Lease for Broken {
            fn newest(&self) -> Result<u16, LeaseError> {
                Err(LeaseError("the disk is gone".into()))
            }
            fn raise(&mut self, _: u16) -> Result<(), LeaseError> {
                Ok(())
            }
        }
        assert!(matches!(Egress::new(Broken, 1).pass(), Err(Stopped::Unreadable(_))));
    }
}
