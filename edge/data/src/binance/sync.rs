//! When a change of the book may be applied: Binance's rules for joining snapshot and stream.
//!
//! Spot: drop what ends at or before the snapshot; the first change applied must reach past it, and
//! each one after begins where the last ended (`U == u + 1`). Futures: drop what ends before the
//! snapshot; the first applied must contain it, and each one after names its predecessor
//! (`pu == u`). Anything else is a gap, and a book with a gap is worth nothing until the next
//! snapshot. (Binance, "How to manage a local order book correctly", spot and futures.)

use super::message::DiffIds;

/// Where a book stands in its stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DepthSync {
    /// No snapshot yet, or none since a gap.
    #[default]
    Waiting,
    /// A snapshot of this state, and no change since.
    Fresh(u64),
    /// Live up to this update.
    Live(u64),
}

/// What to do with a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Keep it for after the snapshot.
    Keep,
    /// It is older than the book.
    Stale,
    /// Apply it.
    Apply,
    /// Something is missing before it.
    Gap,
}

impl DepthSync {
    /// A snapshot of this state came. False if the book is already past it.
    pub fn snapshot(&mut self, last_id: u64) -> bool {
        if let Self::Live(at) | Self::Fresh(at) = *self
            && at >= last_id
        {
            return false;
        }
        *self = Self::Fresh(last_id);
        true
    }

    /// A change came.
    pub fn diff(&mut self, ids: &DiffIds) -> Verdict {
        let futures = ids.previous.is_some();
        let verdict = match *self {
            Self::Waiting => return Verdict::Keep,
            Self::Fresh(snapshot) if futures => {
                if ids.last < snapshot {
                    Verdict::Stale
                } else if ids.first <= snapshot || ids.previous == Some(snapshot) {
                    Verdict::Apply
                } else {
                    Verdict::Gap
                }
            }
            Self::Fresh(snapshot) | Self::Live(snapshot) if !futures => {
                let joined = match *self {
                    Self::Live(_) => ids.first == snapshot + 1,
                    _ => ids.first <= snapshot + 1,
                };
                if ids.last <= snapshot {
                    Verdict::Stale
                } else if joined {
                    Verdict::Apply
                } else {
                    Verdict::Gap
                }
            }
            Self::Fresh(at) | Self::Live(at) => {
                if ids.previous == Some(at) {
                    Verdict::Apply
                } else if ids.last <= at {
                    Verdict::Stale
                } else {
                    Verdict::Gap
                }
            }
        };
        match verdict {
            Verdict::Apply => *self = Self::Live(ids.last),
            Verdict::Gap => *self = Self::Waiting,
            Verdict::Stale | Verdict::Keep => {}
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(first: u64, last: u64) -> DiffIds {
        DiffIds { first, last, previous: None }
    }

    fn futures(first: u64, last: u64, previous: u64) -> DiffIds {
        DiffIds { first, last, previous: Some(previous) }
    }

    #[test]
    fn spot_changes_follow_each_other_without_a_hole() {
        let mut sync = DepthSync::default();
        assert_eq!(sync.diff(&spot(1, 5)), Verdict::Keep);
        assert!(sync.snapshot(10));
        assert_eq!(sync.diff(&spot(6, 10)), Verdict::Stale);
        assert_eq!(sync.diff(&spot(9, 12)), Verdict::Apply);
        assert_eq!(sync.diff(&spot(13, 13)), Verdict::Apply);
        assert_eq!(sync.diff(&spot(13, 13)), Verdict::Stale);
        assert_eq!(sync.diff(&spot(15, 16)), Verdict::Gap);
        assert_eq!(sync.diff(&spot(17, 18)), Verdict::Keep, "until the next snapshot");
    }

    #[test]
    fn a_spot_change_that_follows_the_snapshot_exactly_is_applied() {
        let mut sync = DepthSync::default();
        sync.snapshot(10);
        assert_eq!(sync.diff(&spot(11, 12)), Verdict::Apply);
        let mut late = DepthSync::default();
        late.snapshot(10);
        assert_eq!(late.diff(&spot(12, 12)), Verdict::Gap, "11 is missing");
    }

    #[test]
    fn futures_changes_name_their_predecessor() {
        let mut sync = DepthSync::default();
        sync.snapshot(100);
        assert_eq!(sync.diff(&futures(80, 99, 75)), Verdict::Stale);
        assert_eq!(sync.diff(&futures(95, 100, 99)), Verdict::Apply, "it ends at the snapshot");
        assert_eq!(sync.diff(&futures(130, 140, 100)), Verdict::Apply, "numbers may be skipped");
        assert_eq!(sync.diff(&futures(150, 160, 145)), Verdict::Gap);
        let mut late = DepthSync::default();
        late.snapshot(100);
        assert_eq!(late.diff(&futures(120, 130, 110)), Verdict::Gap);
    }

    #[test]
    fn a_snapshot_older_than_the_book_is_ignored() {
        let mut sync = DepthSync::Live(50);
        assert!(!sync.snapshot(40));
        assert_eq!(sync, DepthSync::Live(50));
        assert!(sync.snapshot(60));
    }
}
