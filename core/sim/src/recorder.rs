//! A run that is written down: record, step, release.
//!
//! What the engine is told is appended to a journal before it is told; what it asks of venues is
//! appended and the batch made safe before it leaves. Whoever watches the run goes on watching. Once the
//! journal has failed nothing leaves any more, and whoever drives the run must end it.

use crate::watch::{Observer, Sample, Told};
use tse_engine::kind;
use tse_journal::{Disk, Journal, JournalError};
use tse_kernel::{Kernel, Output, record};
use tse_model::bytes::Writer;
use tse_model::{MarketEvent, StateHash, Timestamp};

/// Writes a run down, and passes on what it sees.
pub struct Recorder<'a, O, D> {
    watcher: &'a mut O,
    journal: Journal<D>,
    failed: Option<JournalError>,
}

impl<'a, O: Observer, D: Disk> Recorder<'a, O, D> {
    /// Begins: `setup` is what the engine can be built from again.
    ///
    /// # Errors
    /// What the journal says.
    pub fn begin(
        watcher: &'a mut O,
        mut journal: Journal<D>,
        setup: &str,
    ) -> Result<Self, JournalError> {
        journal.append(Timestamp::EPOCH, kind::BEGIN, record::VERSION, setup.as_bytes())?;
        journal.commit()?;
        Ok(Self { watcher, journal, failed: None })
    }

    /// Whether the journal takes no more.
    pub fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Ends: everything is safe when this returns. Gives the journal back.
    ///
    /// # Errors
    /// The first thing that went wrong with the journal.
    pub fn end(mut self, now: Timestamp, hash: StateHash) -> Result<Journal<D>, JournalError> {
        let hash = hash.to_string();
        self.append(now, kind::END, |out| out.bytes(hash.as_bytes()));
        match self.failed {
            Some(error) => Err(error),
            None => {
                self.journal.commit()?;
                Ok(self.journal)
            }
        }
    }

    /// Gives the journal back as it is: the run has not ended in order.
    pub fn into_journal(self) -> Journal<D> {
        self.journal
    }

    #[inline]
    fn append(&mut self, now: Timestamp, kind: u16, write: impl FnOnce(&mut Writer)) {
        if self.failed.is_none()
            && let Err(error) = self.journal.append_with(now, kind, record::VERSION, write)
        {
            self.failed = Some(error);
        }
    }
}

impl<O: Observer, D: Disk> Observer for Recorder<'_, O, D> {
    fn told(&mut self, now: Timestamp, what: Told<'_>, kernel: &Kernel) {
        self.watcher.told(now, what, kernel);
        self.append(now, kind::INPUT, |out| match what {
            Told::Market(event) => record::write_market(event, out),
            Told::Order(event) => record::write_order(event, out),
            Told::Other(input) => record::write_input(input, out),
        });
    }

    fn stepped(&mut self) {
        self.watcher.stepped();
    }

    fn output(&mut self, now: Timestamp, output: &Output, kernel: &Kernel) {
        self.watcher.output(now, output, kernel);
    }

    fn release(&mut self, now: Timestamp, outputs: &[Output]) -> bool {
        for output in outputs {
            let Output::Send(venue, request) = output else { continue };
            self.append(now, kind::SENT, |out| record::write_request(*venue, request, out));
        }
        // When this returns they leave: by then all that led to them must be safe.
        if self.failed.is_none()
            && self.journal.is_strict()
            && let Err(error) = self.journal.commit()
        {
            self.failed = Some(error);
        }
        self.failed.is_none() && self.watcher.release(now, outputs)
    }

    fn gives_up(&self) -> bool {
        self.failed.is_some() || self.watcher.gives_up()
    }

    fn sample(&mut self, now: Timestamp, sample: &Sample<'_>, kernel: &Kernel) {
        self.watcher.sample(now, sample, kernel);
    }

    fn market(&mut self, now: Timestamp, event: &MarketEvent, kernel: &Kernel) {
        self.watcher.market(now, event, kernel);
    }
}
