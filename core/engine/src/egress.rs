//! The last code before the wire: who may still send.
//!
//! Two engines may believe that an account is theirs: one was paused, another took its place, the first
//! woke up. Each has its epoch, and the lease knows the newest. An [`Egress`] reads the lease for every
//! message and lets nothing pass under an older epoch. Beside the epoch stands a flag that anybody can raise:
//! while it is up and the engine does not know, nothing passes but cancels (K4); when it knows, its kernel judges. What
//! remains is the time between that look and the message's way onto the wire, which no lease can take away: a
//! venue sees at most the messages that were passed in that moment, and their names carry the older epoch.

use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use tse_kernel::Level;
use tse_model::Request;

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

    /// Whether the flag is up that stops everything but cancels.
    ///
    /// # Errors
    /// When that cannot be known. It counts as up then.
    fn is_halted(&self) -> Result<bool, LeaseError>;

    /// Raises the flag, with a reason for people, or takes it down; for all to see when this returns.
    ///
    /// # Errors
    /// When it cannot be changed.
    fn set_halted(&mut self, reason: Option<&str>) -> Result<(), LeaseError>;
}

/// A lease in memory, shared by its clones: for tests and simulations.
#[derive(Clone, Debug, Default)]
pub struct MemoryLease(Rc<(Cell<u16>, Cell<bool>)>);

impl Lease for MemoryLease {
    fn newest(&self) -> Result<u16, LeaseError> {
        Ok(self.0.0.get())
    }

    fn raise(&mut self, epoch: u16) -> Result<(), LeaseError> {
        if epoch <= self.0.0.get() {
            return Err(LeaseError(format!("epoch {epoch} is not after {}", self.0.0.get())));
        }
        self.0.0.set(epoch);
        Ok(())
    }

    fn is_halted(&self) -> Result<bool, LeaseError> {
        Ok(self.0.1.get())
    }

    fn set_halted(&mut self, reason: Option<&str>) -> Result<(), LeaseError> {
        self.0.1.set(reason.is_some());
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
    /// Trading is cut back, and this was asked for before.
    Killed(Level),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fenced { epoch, newest } => {
                write!(f, "this engine is of epoch {epoch}, and epoch {newest} has begun")
            }
            Self::Unreadable(error) => error.fmt(f),
            Self::Killed(level) => write!(f, "trading is cut back ({})", level.name()),
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

    /// Whether a message may leave now, of an engine that knows of the flag or does not yet. Must be asked for
    /// every one.
    ///
    /// # Errors
    /// Why not.
    pub fn pass(&self, request: &Request, knows: bool) -> Result<(), Stopped> {
        let newest = self.lease.newest().map_err(Stopped::Unreadable)?;
        if newest != self.epoch {
            return Err(Stopped::Fenced { epoch: self.epoch, newest });
        }
        // An engine that knows sends nothing that it should not; one that does not has to be stopped.
        let free = knows || matches!(request, Request::Cancel(_));
        if !free && self.lease.is_halted().map_err(Stopped::Unreadable)? {
            return Err(Stopped::Killed(Level::Halt));
        }
        Ok(())
    }

    /// The lease.
    pub(crate) fn lease(&mut self) -> &mut L {
        &mut self.lease
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tse_model::{CancelOrder, ClientOrderId, InstrumentId, ModifyOrder, Qty};

    const CANCEL: Request =
        Request::Cancel(CancelOrder { id: ClientOrderId(1), instrument: InstrumentId(0) });
    const CHANGE: Request = Request::Modify(ModifyOrder {
        id: ClientOrderId(1),
        instrument: InstrumentId(0),
        qty: Qty::new(1),
        price: None,
    });

    #[test]
    fn i15_only_the_newest_epoch_sends_also_after_the_older_wakes_up() {
        let mut lease = MemoryLease::default();
        lease.raise(1).unwrap();
        let first = Egress::new(lease.clone(), 1);
        assert_eq!(first.pass(&CANCEL, false), Ok(()));
        lease.raise(2).unwrap();
        let second = Egress::new(lease.clone(), 2);
        assert_eq!(first.pass(&CANCEL, false), Err(Stopped::Fenced { epoch: 1, newest: 2 }));
        assert_eq!(second.pass(&CANCEL, false), Ok(()));
    }

    #[test]
    fn k4_under_the_flag_nothing_passes_but_cancels_until_it_is_taken_down() {
        let mut lease = MemoryLease::default();
        lease.raise(1).unwrap();
        let egress = Egress::new(lease.clone(), 1);
        assert_eq!(egress.pass(&CHANGE, false), Ok(()));
        lease.set_halted(Some("a drill")).unwrap();
        assert_eq!(egress.pass(&CHANGE, false), Err(Stopped::Killed(Level::Halt)));
        assert_eq!(egress.pass(&CANCEL, false), Ok(()));
        assert_eq!(egress.pass(&CHANGE, true), Ok(()), "the engine has judged it knowing that");
        lease.set_halted(None).unwrap();
        assert_eq!(egress.pass(&CHANGE, false), Ok(()));
    }

    #[test]
    fn a_lease_only_grows() {
        let mut lease = MemoryLease::default();
        lease.raise(3).unwrap();
        assert!(lease.raise(3).is_err() && lease.raise(2).is_err());
        assert_eq!(lease.newest(), Ok(3));
    }

    /// A disk that is gone, or half of it.
    struct Broken {
        epoch: bool,
    }

    impl Lease for Broken {
        fn newest(&self) -> Result<u16, LeaseError> {
            if self.epoch { Ok(1) } else { Err(LeaseError("the disk is gone".into())) }
        }
        fn raise(&mut self, _: u16) -> Result<(), LeaseError> {
            Ok(())
        }
        fn is_halted(&self) -> Result<bool, LeaseError> {
            Err(LeaseError("the disk is gone".into()))
        }
        fn set_halted(&mut self, _: Option<&str>) -> Result<(), LeaseError> {
            Ok(())
        }
    }

    #[test]
    fn nobody_sends_under_a_lease_that_cannot_be_read() {
        let egress = Egress::new(Broken { epoch: false }, 1);
        assert!(matches!(egress.pass(&CANCEL, false), Err(Stopped::Unreadable(_))));
        let egress = Egress::new(Broken { epoch: true }, 1);
        assert!(matches!(egress.pass(&CHANGE, false), Err(Stopped::Unreadable(_))));
        assert_eq!(egress.pass(&CANCEL, false), Ok(()), "a flag that cannot be read counts as up");
    }
}
