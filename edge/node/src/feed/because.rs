//! Which demand something is done for: at once, or later, where a position is closed piece by piece.
//!
//! Demands have numbers of whoever asks; what these mean is not known here. They live as long as the process: after a
//! restart a position is closed further, and nobody is named for it but in the journal.

use tse_kernel::{Command, Kernel, Level, Reach};
use tse_model::PlaceOrder;

/// How many demands to close positions are remembered; of more, the oldest is forgotten.
const KEPT: usize = 64;

/// What is done now, and which positions are closed for whom.
#[derive(Debug)]
pub(super) struct Because {
    asked: Option<u64>,
    piece: Option<u64>,
    closing: Vec<(Reach, u64)>,
}

impl Default for Because {
    fn default() -> Self {
        Self { asked: None, piece: None, closing: Vec::with_capacity(KEPT) }
    }
}

impl Because {
    /// A command is carried out for somebody, or for nobody with a number.
    pub(super) fn begin(&mut self, cause: Option<u64>, command: &Command) {
        self.asked = cause;
        let (reach, level) = match command {
            Command::Kill(kill) => (kill.reach, kill.level),
            Command::Resume(resume) => (resume.reach, resume.to),
            _ => return,
        };
        self.closing.retain(|(of, _)| *of != reach);
        if level == Level::Flatten
            && let Some(cause) = cause
        {
            if self.closing.len() == KEPT {
                self.closing.remove(0);
            }
            self.closing.push((reach, cause));
        }
    }

    /// It was carried out.
    pub(super) fn end(&mut self) {
        self.asked = None;
    }

    /// What is said now is said for this one.
    pub(super) fn now(&self) -> Option<u64> {
        self.asked.or(self.piece)
    }

    /// An order is about to be told of: where positions are closed, no other orders are made.
    pub(super) fn place(&mut self, place: &PlaceOrder, kernel: &Kernel) {
        if self.closing.is_empty()
            || kernel.level(place.strategy, place.instrument) != Level::Flatten
        {
            return;
        }
        let venue = kernel.catalog().instrument(place.instrument).venue;
        let covers = |reach: Reach| match reach {
            Reach::Firm => true,
            Reach::Account(at) => at == venue,
            Reach::Instrument(id) => id == place.instrument,
            Reach::Strategy(id) => id == place.strategy,
        };
        let newest = self.closing.iter().rev().find(|(reach, _)| covers(*reach));
        self.piece = newest.map(|(_, cause)| *cause);
    }

    /// It was told of.
    pub(super) fn placed(&mut self) {
        self.piece = None;
    }
}
