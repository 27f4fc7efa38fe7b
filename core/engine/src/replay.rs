//! A journal read again: the same inputs through the same engine must ask for the same things.
//!
//! In go an engine that was never started and the records of a journal, in order; out comes nothing, or
//! the first record at which the engine does something else than it did.

use crate::kind;
use crate::restore::{self, Pick};
use crate::upkeep;
use std::collections::VecDeque;
use std::fmt;
use tse_journal::{Disk, JournalError, Mark, Record, Snapshot};
use tse_kernel::{Input, Kernel, Output, record};
use tse_model::{Machine, Request, StateHash, Timestamp, VenueId};

/// Something asked of a venue.
pub type Sent = (VenueId, Request);

/// Where a replay and its journal part.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The record.
    pub sequence: u64,
    /// How they differ.
    pub how: Differs,
}

/// How a replay and its journal differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Differs {
    /// The journal has one thing sent, the replay another, or nothing.
    Sent {
        /// What the journal has.
        recorded: Box<Sent>,
        /// What the replay sends.
        replayed: Option<Box<Sent>>,
    },
    /// The replay sends something, and the journal goes on without it.
    Unsent {
        /// What the replay sends.
        replayed: Box<Sent>,
    },
    /// Everything was the same, and what is known at the end is not.
    State {
        /// The hash in the journal.
        recorded: String,
        /// The replay's.
        replayed: String,
    },
    /// The record is of a kind or version that this program does not know.
    Unreadable {
        /// Which kind.
        kind: u16,
        /// In which version.
        version: u16,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}: ", self.sequence)?;
        match &self.how {
            Differs::Sent { recorded, replayed: Some(replayed) } => {
                write!(f, "the journal has {recorded:?} sent, the replay {replayed:?}")
            }
            Differs::Sent { recorded, replayed: None } => {
                write!(f, "the journal has {recorded:?} sent, the replay nothing")
            }
            Differs::Unsent { replayed } => {
                write!(f, "the replay sends {replayed:?}, the journal nothing")
            }
            Differs::State { recorded, replayed } => {
                write!(f, "the state was {recorded}, and is {replayed} in the replay")
            }
            Differs::Unreadable { kind, version } => {
                write!(f, "kind {kind} in version {version} is not known to this program")
            }
        }
    }
}

/// A replay under way.
pub struct Replay {
    kernel: Kernel,
    /// What the engine has asked for and the journal not shown yet.
    sent: VecDeque<Sent>,
    outputs: Vec<Output>,
    inputs: u64,
    requests: u64,
    epoch: u16,
    ended: bool,
}

impl Replay {
    /// With an engine that was not started.
    pub fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            sent: VecDeque::new(),
            outputs: Vec::new(),
            inputs: 0,
            requests: 0,
            epoch: 0,
            ended: false,
        }
    }

    /// With an engine as it was in that epoch, from a snapshot: what comes next is the record after it.
    pub fn resume(kernel: Kernel, epoch: u16) -> Self {
        Self { epoch, ..Self::new(kernel) }
    }

    /// How many inputs were replayed.
    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// How many requests were the same.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Whether the journal ended in order, and the state at its end was the same.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The last epoch that the journal tells of.
    pub fn epoch(&self) -> u16 {
        self.epoch
    }

    /// The engine.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// The engine, to go on with.
    pub fn into_kernel(self) -> Kernel {
        self.kernel
    }

    /// What is known now.
    pub fn state_hash(&self) -> StateHash {
        self.kernel.state_hash()
    }

    /// From a snapshot of a journal, with the place that it goes on behind; `None` if this program can use
    /// none.
    ///
    /// # Errors
    /// What the disk says.
    pub fn from_snapshot<D: Disk>(
        disk: &D,
        pick: Pick,
        mut build: impl FnMut(&str) -> Result<Kernel, String>,
    ) -> Result<Option<(Mark, Self)>, JournalError> {
        let (picked, _) = restore::pick(disk, pick, &mut build)?;
        Ok(picked.map(|(mark, past, kernel)| (mark, Self::resume(kernel, past.epoch))))
    }

    /// Whether a snapshot is of what this replay has come to, to the last byte; `None` if this program
    /// cannot read it.
    pub fn is_at(&self, snapshot: &Snapshot) -> Option<bool> {
        upkeep::is_of(&snapshot.payload, &self.kernel)
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// The record at which the replay does something else.
    pub fn take(&mut self, record: &Record<'_>) -> Result<(), Difference> {
        self.take_watched(record, &mut |_, _| ())
    }

    /// Takes the next record, and shows what the engine puts out for it.
    ///
    /// # Errors
    /// The record at which the replay does something else.
    pub fn take_watched(
        &mut self,
        record: &Record<'_>,
        watch: &mut impl FnMut(Timestamp, &Output),
    ) -> Result<(), Difference> {
        let head = record.head;
        let differs = |how| Err(Difference { sequence: head.sequence, how });
        let unreadable = Differs::Unreadable { kind: head.kind, version: head.version };
        if !(record::OLDEST..=record::VERSION).contains(&head.version) {
            return differs(unreadable);
        }
        match head.kind {
            kind::BEGIN => Ok(()),
            kind::INPUT => {
                let Some(input) = record::read_input(record.payload, head.time) else {
                    return differs(unreadable);
                };
                if let Input::Boot { epoch } = input {
                    // What had not been recorded as sent when the engine stopped had not left.
                    self.epoch = epoch;
                    self.sent.clear();
                } else if let Some(replayed) = self.sent.pop_front() {
                    return differs(Differs::Unsent { replayed: Box::new(replayed) });
                }
                self.inputs += 1;
                self.kernel.step(head.time, input, &mut self.outputs);
                for output in self.outputs.drain(..) {
                    watch(head.time, &output);
                    if let Output::Send(venue, request) = output {
                        self.sent.push_back((venue, request));
                    }
                }
                Ok(())
            }
            kind::SENT => {
                let Some(recorded) = record::read_request(record.payload, head.time) else {
                    return differs(unreadable);
                };
                match self.sent.pop_front() {
                    Some(replayed) if replayed == recorded => {
                        self.requests += 1;
                        Ok(())
                    }
                    replayed => differs(Differs::Sent {
                        recorded: Box::new(recorded),
                        replayed: replayed.map(Box::new),
                    }),
                }
            }
            kind::END | kind::CHECK => {
                if let Some(replayed) = self.sent.pop_front() {
                    return differs(Differs::Unsent { replayed: Box::new(replayed) });
                }
                let recorded = String::from_utf8_lossy(record.payload).into_owned();
                let replayed = self.kernel.state_hash().to_string();
                if recorded != replayed {
                    return differs(Differs::State { recorded, replayed });
                }
                self.ended = head.kind == kind::END;
                Ok(())
            }
            _ => differs(unreadable),
        }
    }
}
