//! The invariants of a book, checked by walking all of it: for tests, and for harnesses that check
//! conservation after every event.

use tse_model::Side;

use crate::book::Book;
use crate::level::Half;
use crate::slab::NIL;
use crate::stop::reached;

impl Book {
    /// Walks the whole book and panics on the first thing that is not as it must be: links, sums per
    /// level and per side, order of prices, sides, slices, triggers.
    ///
    /// # Panics
    /// If the book has a bug.
    pub fn audit(&self) {
        let mut seen = 0;
        for side in Side::BOTH {
            let open = self.audit_half(Half::of(side), side, &mut seen)
                + self.audit_half(Half::stops(side), side, &mut seen)
                + self.audit_unanchored(side, &mut seen);
            assert_eq!(open, i128::from(self.open[side.index()]), "open quantity of the {side}s");
        }
        assert_eq!(seen, self.queues.orders.len(), "every open order stands in one queue");
        assert!(!self.sleepers.anything_reached(), "what was triggered has acted");
    }

    fn audit_half(&self, half: Half, side: Side, seen: &mut usize) -> i128 {
        let prices = self.queues.half(half);
        let mut open = 0;
        let mut at = (prices.best() != NIL).then(|| (prices.best_rank(), prices.best()));
        while let Some((rank, id)) = at {
            let level = self.queues.level(id);
            assert_eq!((level.rank, level.half), (rank, half), "a level stands where it is found");
            assert_eq!(prices.get(rank), id, "and is found where it stands");
            let (mut visible, mut hidden, mut count, mut prev) = (0i128, 0i128, 0, NIL);
            let mut slot = level.head;
            while slot != NIL {
                let node = &self.queues.orders[slot];
                assert_eq!((node.level, node.prev, node.side), (id, prev, side), "links");
                assert!(node.shown > 0 && node.hidden >= 0, "every order shows something");
                assert!(node.hidden == 0 || node.slice != i64::MAX, "only icebergs hide");
                assert_eq!(node.stop != NIL, half == Half::stops(side), "asleep or not");
                if node.stop != NIL {
                    let trigger = self.sleepers.get(node.stop).trigger;
                    assert_eq!(trigger, Some(half.price(rank)), "a stop waits for its trigger");
                    let passed = |last| reached(side, half.price(rank), last);
                    assert!(!self.last.is_some_and(passed), "no stop sleeps through its trigger");
                }
                visible += i128::from(node.shown);
                hidden += i128::from(node.hidden);
                count += 1;
                (prev, slot) = (slot, node.next);
            }
            assert_eq!(level.tail, prev, "the queue ends at its tail");
            assert!(count > 0, "a level has orders");
            assert_eq!(level.count, count);
            assert_eq!((i128::from(level.visible), i128::from(level.hidden)), (visible, hidden));
            *seen += count as usize;
            open += visible + hidden;
            let below = prices.below(rank);
            assert!(below.is_none_or(|(worse, _)| worse < rank), "levels run from best to worst");
            at = below;
        }
        open
    }

    fn audit_unanchored(&self, side: Side, seen: &mut usize) -> i128 {
        let (mut open, mut at) = (0, self.sleepers.oldest_trailing(side));
        while let Some((slot, next)) = self.sleepers.unanchored(at) {
            at = next;
            let node = &self.queues.orders[slot];
            assert_eq!(node.level, NIL, "a stop without a trigger waits nowhere");
            assert_eq!(self.last, None, "the first trade gives every trailing stop its trigger");
            open += i128::from(node.leaves());
            *seen += 1;
        }
        open
    }
}
