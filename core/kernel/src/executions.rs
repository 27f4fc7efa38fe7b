//! Which executions were booked already: a fill told twice is booked once (I5).

use tse_model::bytes::{Kept, Reader, Recorded, Writer, load_each, save_each};
use tse_model::{ExecId, IdMap, Timestamp, VenueId, kept_fields};

/// At least so many of a venue's last executions are remembered, and at most twice as many: far more
/// than a reconnect replays. A reconciliation books nothing older than what was forgotten: then the
/// difference is unexplained, and said to be.
pub const EXECUTIONS_KEPT: usize = 4_096;

/// The last executions of every venue, in memory of a fixed size.
#[derive(Clone, Debug)]
pub(crate) struct Executions {
    venues: Vec<Recent>,
}

/// Two halves: the younger is filled up, then takes the place of the older, which is forgotten. So
/// nothing is ever taken out one by one, and neither half needs room for more than its share.
#[derive(Clone, Debug)]
struct Recent {
    young: Half,
    old: Half,
    /// The newest that was forgotten, by the venue's clock.
    forgotten: Timestamp,
}

#[derive(Clone, Debug)]
struct Half {
    /// In the order in which they were booked.
    names: Vec<u64>,
    known: IdMap<()>,
    /// By the venue's clock.
    newest: Timestamp,
}

impl Half {
    fn new() -> Self {
        Self {
            names: Vec::with_capacity(EXECUTIONS_KEPT),
            known: IdMap::with_capacity(EXECUTIONS_KEPT),
            newest: Timestamp::MIN,
        }
    }

    fn clear(&mut self) {
        self.names.clear();
        self.known.clear();
        self.newest = Timestamp::MIN;
    }

    /// `false` if it is known already.
    fn add(&mut self, exec: u64) -> bool {
        let new = self.known.insert(exec, ()).is_none();
        if new {
            self.names.push(exec);
        }
        new
    }
}

impl Kept for Half {
    fn save(&self, out: &mut Writer) {
        let Self { names, known: _, newest } = self;
        names.save(out);
        newest.save(out);
    }

    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        self.clear();
        for exec in Vec::<u64>::read(bytes)? {
            self.add(exec).then_some(())?;
        }
        self.newest.load(bytes)
    }
}

kept_fields! {
    Recent { saved: young, old, forgotten; built: }
}

impl Kept for Executions {
    fn save(&self, out: &mut Writer) {
        save_each(&self.venues, out);
    }

    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        load_each(&mut self.venues, bytes)
    }
}

impl Executions {
    /// For this many venues.
    pub(crate) fn new(venues: usize) -> Self {
        let forgotten = Timestamp::MIN;
        let recent = |_| Recent { young: Half::new(), old: Half::new(), forgotten };
        Self { venues: (0..venues).map(recent).collect() }
    }

    /// Whether an execution is known.
    pub(crate) fn knows(&self, venue: VenueId, exec: ExecId) -> bool {
        let recent = &self.venues[venue.index()];
        recent.young.known.contains(exec.0) || recent.old.known.contains(exec.0)
    }

    /// Executions up to this moment of a venue's clock may have been forgotten: of an older one nobody
    /// can say whether it was booked.
    pub(crate) fn forgotten(&self, venue: VenueId) -> Timestamp {
        self.venues[venue.index()].forgotten
    }

    /// Remembers an execution that happened `at`. `false` if it is known already.
    pub(crate) fn note(&mut self, venue: VenueId, exec: ExecId, at: Timestamp) -> bool {
        let recent = &mut self.venues[venue.index()];
        if recent.old.known.contains(exec.0) || !recent.young.add(exec.0) {
            return false;
        }
        recent.young.newest = recent.young.newest.max(at);
        if recent.young.names.len() >= EXECUTIONS_KEPT {
            std::mem::swap(&mut recent.young, &mut recent.old);
            recent.forgotten = recent.forgotten.max(recent.young.newest);
            recent.young.clear();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_is_new_once_at_each_venue() {
        let mut executions = Executions::new(2);
        let (here, there) = (VenueId(0), VenueId(1));
        assert!(executions.note(here, ExecId(7), Timestamp::EPOCH));
        assert!(!executions.note(here, ExecId(7), Timestamp::EPOCH));
        assert!(
            executions.note(there, ExecId(7), Timestamp::EPOCH),
            "another venue counts for itself"
        );
        assert!(executions.note(here, ExecId(8), Timestamp::EPOCH));
    }

    #[test]
    fn as_many_as_promised_are_remembered_and_no_more_than_twice_that() {
        let mut executions = Executions::new(1);
        let venue = VenueId(0);
        let kept = EXECUTIONS_KEPT as u64;
        for exec in 0..10 * kept {
            assert!(executions.note(venue, ExecId(exec), Timestamp::EPOCH));
            for again in [exec, exec.saturating_sub(kept / 2), exec.saturating_sub(kept - 1)] {
                assert!(
                    !executions.note(venue, ExecId(again), Timestamp::EPOCH),
                    "{again} after {exec}"
                );
            }
        }
        assert!(
            executions.note(venue, ExecId(10 * kept - 1 - 2 * kept), Timestamp::EPOCH),
            "long forgotten"
        );
    }
}
