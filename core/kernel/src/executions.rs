//! Which executions were booked already: a fill told twice is booked once (I5).

use tse_model::{ExecId, IdMap, VenueId};

/// At least so many of a venue's last executions are remembered, and at most twice as many: far more
/// than a reconnect replays. What comes again after that would be booked again, so a venue link asks
/// for no older history than this.
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
    young: IdMap<()>,
    old: IdMap<()>,
}

impl Executions {
    /// For this many venues.
    pub(crate) fn new(venues: usize) -> Self {
        let half = || IdMap::with_capacity(EXECUTIONS_KEPT);
        Self { venues: (0..venues).map(|_| Recent { young: half(), old: half() }).collect() }
    }

    /// Remembers an execution. `false` if it is known already.
    pub(crate) fn note(&mut self, venue: VenueId, exec: ExecId) -> bool {
        let recent = &mut self.venues[venue.index()];
        if recent.old.contains(exec.0) || recent.young.insert(exec.0, ()).is_some() {
            return false;
        }
        if recent.young.len() >= EXECUTIONS_KEPT {
            std::mem::swap(&mut recent.young, &mut recent.old);
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
        assert!(executions.note(here, ExecId(7)));
        assert!(!executions.note(here, ExecId(7)));
        assert!(executions.note(there, ExecId(7)), "another venue counts for itself");
        assert!(executions.note(here, ExecId(8)));
    }

    #[test]
    fn as_many_as_promised_are_remembered_and_no_more_than_twice_that() {
        let mut executions = Executions::new(1);
        let venue = VenueId(0);
        let kept = EXECUTIONS_KEPT as u64;
        for exec in 0..10 * kept {
            assert!(executions.note(venue, ExecId(exec)));
            for again in [exec, exec.saturating_sub(kept / 2), exec.saturating_sub(kept - 1)] {
                assert!(!executions.note(venue, ExecId(again)), "{again} after {exec}");
            }
        }
        assert!(executions.note(venue, ExecId(10 * kept - 1 - 2 * kept)), "long forgotten");
    }
}
