//! Is everything as the venue says (C26): each execution once and the same on both sides, positions and cash equal.
//!
//! Two streams come in, ours and the venue's, in any order and at any pace. What has met its like is forgotten; what
//! has not met it in time, or differs, is a break: told once, and the account is to be latched. A break that heals
//! later is told as healed; lowering the latch is a person's affair. Quantities have no tolerance.

use std::collections::{BTreeMap, VecDeque};
use tse_model::{
    CurrencyId, ExecId, InstrumentId, Machine, Money, Price, Qty, Span, Timestamp, VenueId, Wake,
};

use crate::plant::Planted;

/// Who says it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Side {
    /// The engine.
    Ours,
    /// The venue's drop copy.
    Theirs,
}

/// An execution, as either side tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Copied {
    /// Where.
    pub venue: VenueId,
    /// The venue's name for it.
    pub exec: ExecId,
    /// Of what.
    pub instrument: InstrumentId,
    /// How much: bought above zero.
    pub qty: Qty,
    /// At what price.
    pub price: Price,
}

/// What is held, as either side tells it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Amount {
    /// A position, in lots.
    Position(InstrumentId),
    /// Cash.
    Cash(CurrencyId),
}

/// What comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heard {
    /// An execution.
    Executed(Side, Copied),
    /// What is held by now; whole numbers of lots or of smallest units.
    Holds {
        /// Who says so.
        by: Side,
        /// At which venue.
        venue: VenueId,
        /// What.
        what: Amount,
        /// How much.
        units: i128,
    },
    /// The time asked for has come.
    Wake,
}

impl From<Wake> for Heard {
    fn from(_: Wake) -> Self {
        Self::Wake
    }
}

/// What does not agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Break {
    /// Only one side has the execution, longer than it may.
    Missing {
        /// The side that has it.
        only: Side,
        /// As it has it.
        copied: Copied,
    },
    /// One side has it twice, with other figures.
    Twice {
        /// Which.
        by: Side,
        /// As it came again.
        copied: Copied,
    },
    /// Both have it, with other figures.
    Differs {
        /// Ours.
        ours: Copied,
        /// Theirs.
        theirs: Copied,
    },
    /// What is held has differed longer than it may.
    Holding {
        /// Where.
        venue: VenueId,
        /// What.
        what: Amount,
        /// Ours.
        ours: i128,
        /// Theirs.
        theirs: i128,
    },
}

impl Break {
    /// At which venue.
    pub fn venue(&self) -> VenueId {
        match self {
            Self::Missing { copied, .. } | Self::Twice { copied, .. } => copied.venue,
            Self::Differs { ours, .. } => ours.venue,
            Self::Holding { venue, .. } => *venue,
        }
    }
}

/// What comes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Found {
    /// Something does not agree: the account at its venue is to be latched.
    Latch(Break),
    /// The execution, or the holding, agrees after all.
    Healed(VenueId),
}

/// How long things may differ, and by how much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tolerance {
    /// How much later one side may be with an execution.
    pub patience: Span,
    /// How long what is held may differ: executions are on their way.
    pub settling: Span,
    /// How much cash may differ, in smallest units; positions may not at all.
    pub cash: Money,
    /// How long an execution that both sides have is remembered, to know it when it comes again: at least as far back
    /// as either side may repeat.
    pub memory: Span,
}

#[derive(Clone, Copy, Debug)]
struct Alone {
    side: Side,
    copied: Copied,
    since: Timestamp,
    told: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Held {
    ours: i128,
    theirs: i128,
    /// Since when, and by how much.
    differs: Option<(Timestamp, i128)>,
    told: bool,
}

/// Compares both sides.
#[derive(Clone, Debug)]
pub struct DropCopy {
    tolerance: Tolerance,
    alone: BTreeMap<(VenueId, ExecId), Alone>,
    /// Executions that both sides have, ours and theirs, and when they met, so that the oldest are forgotten.
    met: BTreeMap<(VenueId, ExecId), [Copied; 2]>,
    order: VecDeque<(Timestamp, (VenueId, ExecId))>,
    held: BTreeMap<(VenueId, Amount), Held>,
    planted: Planted,
}

impl DropCopy {
    /// Nothing seen yet.
    pub fn new(tolerance: Tolerance) -> Self {
        Self {
            tolerance,
            alone: BTreeMap::new(),
            met: BTreeMap::new(),
            order: VecDeque::new(),
            held: BTreeMap::new(),
            planted: Planted::default(),
        }
    }

    /// Takes controls out, to prove that tests notice.
    #[cfg(feature = "plant")]
    pub fn take_out(&mut self, without: tse_risk::Without) {
        self.planted = Planted::of(without, "C26");
    }

    /// Everything that does not agree by now, told or not yet due.
    pub fn open(&self) -> impl Iterator<Item = Break> + '_ {
        let alone = self.alone.values();
        let missing = alone.map(|it| Break::Missing { only: it.side, copied: it.copied });
        missing.chain(self.held.iter().filter_map(|(key, held)| self.holding(*key, held)))
    }

    fn holding(&self, (venue, what): (VenueId, Amount), held: &Held) -> Option<Break> {
        // What a side does not mention it does not hold.
        let (ours, theirs) = (held.ours, held.theirs);
        let most = match what {
            Amount::Position(_) => 0,
            Amount::Cash(_) => self.tolerance.cash.units().unsigned_abs(),
        };
        let off = ours.abs_diff(theirs) > most;
        off.then_some(Break::Holding { venue, what, ours, theirs })
    }

    fn executed(&mut self, now: Timestamp, side: Side, copied: Copied, out: &mut Vec<Found>) {
        let key = (copied.venue, copied.exec);
        while self.order.front().is_some_and(|(at, _)| now - *at > self.tolerance.memory) {
            if let Some((_, oldest)) = self.order.pop_front() {
                self.met.remove(&oldest);
            }
        }
        if let Some(known) = self.met.get(&key) {
            if known[side as usize] != copied {
                out.push(Found::Latch(Break::Twice { by: side, copied }));
            }
            return;
        }
        match self.alone.get(&key).copied() {
            None => {
                let alone = Alone { side, copied, since: now, told: false };
                self.alone.insert(key, alone);
            }
            // The same word again says nothing new.
            Some(alone) if alone.side == side => {
                if alone.copied != copied {
                    out.push(Found::Latch(Break::Twice { by: side, copied }));
                }
            }
            Some(alone) => {
                self.alone.remove(&key);
                let (ours, theirs) = match side {
                    Side::Ours => (copied, alone.copied),
                    Side::Theirs => (alone.copied, copied),
                };
                self.met.insert(key, [ours, theirs]);
                self.order.push_back((now, key));
                if alone.copied != copied {
                    out.push(Found::Latch(Break::Differs { ours, theirs }));
                } else if alone.told {
                    out.push(Found::Healed(copied.venue));
                }
            }
        }
    }

    fn holds(
        &mut self,
        now: Timestamp,
        by: Side,
        key: (VenueId, Amount),
        units: i128,
    ) -> Option<Found> {
        let mut held = self.held.get(&key).copied().unwrap_or_default();
        match by {
            Side::Ours => held.ours = units,
            Side::Theirs => held.theirs = units,
        }
        let differs = self.holding(key, &held).is_some();
        let healed = !differs && held.told;
        // Where somebody trades all the time there is always one on its way: only a difference that stays is one.
        let by = held.ours.saturating_sub(held.theirs);
        if !differs {
            (held.differs, held.told) = (None, false);
        } else if held.differs.is_none_or(|(_, before)| before != by) && !held.told {
            held.differs = Some((now, by));
        }
        self.held.insert(key, held);
        healed.then_some(Found::Healed(key.0))
    }

    /// Tells what has been so for too long.
    fn look(&mut self, now: Timestamp, out: &mut Vec<Found>) {
        let Tolerance { patience, settling, .. } = self.tolerance;
        for alone in self.alone.values_mut() {
            if !alone.told && now - alone.since >= patience {
                alone.told = true;
                let found = Break::Missing { only: alone.side, copied: alone.copied };
                out.push(Found::Latch(found));
            }
        }
        let due = |held: &Held| held.differs.is_some_and(|(since, _)| now - since >= settling);
        let keys: Vec<_> = self
            .held
            .iter()
            .filter(|(_, held)| !held.told && due(held))
            .map(|(key, _)| *key)
            .collect();
        for key in keys {
            let Some(mut held) = self.held.get(&key).copied() else { continue };
            if let Some(found) = self.holding(key, &held) {
                held.told = true;
                self.held.insert(key, held);
                out.push(Found::Latch(found));
            }
        }
    }
}

impl Machine for DropCopy {
    type Input = Heard;
    type Output = Found;

    fn step(&mut self, now: Timestamp, input: Heard, out: &mut Vec<Found>) {
        if self.planted.is_out() {
            return;
        }
        match input {
            Heard::Executed(side, copied) => self.executed(now, side, copied, out),
            Heard::Holds { by, venue, what, units } => {
                out.extend(self.holds(now, by, (venue, what), units));
            }
            Heard::Wake => {}
        }
        self.look(now, out);
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let alone = self.alone.values().filter(|alone| !alone.told);
        let late = alone.map(|alone| alone.since + self.tolerance.patience);
        let held = self.held.values().filter(|held| !held.told);
        let off = held.filter_map(|held| Some(held.differs?.0 + self.tolerance.settling));
        late.chain(off).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: VenueId = VenueId(0);
    const IT: InstrumentId = InstrumentId(3);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    fn copied(exec: u64, qty: i64) -> Copied {
        Copied {
            venue: A,
            exec: ExecId(exec),
            instrument: IT,
            qty: Qty::new(qty),
            price: Price::new(5),
        }
    }

    fn desk() -> DropCopy {
        #[cfg_attr(not(feature = "plant"), expect(unused_mut, reason = "nothing is taken out"))]
        let mut desk = DropCopy::new(Tolerance {
            patience: Span::from_secs(5),
            settling: Span::from_secs(3),
            cash: Money::from_units(2),
            memory: Span::from_secs(1_000),
        });
        #[cfg(feature = "plant")]
        desk.take_out(tse_risk::Without::of(&std::env::var("TSE_WITHOUT").unwrap_or_default()));
        desk
    }

    fn tell(desk: &mut DropCopy, seconds: i64, input: Heard) -> Vec<Found> {
        let mut out = Vec::new();
        desk.step(at(seconds), input, &mut out);
        out
    }

    use Side::{Ours, Theirs};

    #[test]
    fn c26_executions_that_meet_in_time_are_silent_in_any_order() {
        let mut desk = desk();
        for (exec, [first, second]) in [(1, [Ours, Theirs]), (2, [Theirs, Ours])] {
            assert_eq!(tell(&mut desk, 0, Heard::Executed(first, copied(exec, 7))), []);
            assert_eq!(desk.wake_at(), Some(at(5)));
            assert_eq!(tell(&mut desk, 4, Heard::Executed(second, copied(exec, 7))), []);
            // Told again by either side it is no news.
            assert_eq!(tell(&mut desk, 9, Heard::Executed(first, copied(exec, 7))), []);
        }
        assert_eq!((desk.open().count(), desk.wake_at()), (0, None));
    }

    #[test]
    fn c26_an_execution_that_only_one_side_has_is_a_break_after_its_time_and_once() {
        for only in [Ours, Theirs] {
            let mut desk = desk();
            tell(&mut desk, 10, Heard::Executed(only, copied(1, -4)));
            let mut out = Vec::new();
            desk.step(at(15) - Span::from_nanos(1), Heard::Wake, &mut out);
            assert_eq!(out, []);
            let found = Break::Missing { only, copied: copied(1, -4) };
            assert_eq!(tell(&mut desk, 15, Heard::Wake), [Found::Latch(found)]);
            assert_eq!(tell(&mut desk, 99, Heard::Wake), []);
            assert_eq!(desk.open().collect::<Vec<_>>(), [found]);
            let other = if only == Ours { Theirs } else { Ours };
            let late = tell(&mut desk, 100, Heard::Executed(other, copied(1, -4)));
            assert_eq!((late, desk.open().count()), (vec![Found::Healed(A)], 0));
        }
    }

    #[test]
    fn c26_a_lot_more_is_a_break_at_once() {
        let mut desk = desk();
        tell(&mut desk, 0, Heard::Executed(Ours, copied(1, 7)));
        let found = tell(&mut desk, 0, Heard::Executed(Theirs, copied(1, 8)));
        let differs = Break::Differs { ours: copied(1, 7), theirs: copied(1, 8) };
        assert_eq!(found, [Found::Latch(differs)]);
        for (side, qty) in [(Ours, 7), (Theirs, 8)] {
            let same = tell(&mut desk, 1, Heard::Executed(side, copied(1, qty)));
            assert_eq!(same, [], "each side repeats what it said");
        }
        let again = tell(&mut desk, 1, Heard::Executed(Theirs, copied(1, 9)));
        assert_eq!(again, [Found::Latch(Break::Twice { by: Theirs, copied: copied(1, 9) })]);
    }

    #[test]
    fn c26_what_is_held_may_differ_for_a_while_and_cash_by_a_little() {
        let mut desk = desk();
        let holds = |by, what, units| Heard::Holds { by, venue: A, what, units };
        let position = Amount::Position(IT);
        let cash = Amount::Cash(CurrencyId(0));
        assert_eq!(tell(&mut desk, 0, holds(Ours, position, 5)), []);
        let alone = Break::Holding { venue: A, what: position, ours: 5, theirs: 0 };
        assert_eq!(
            tell(&mut desk, 3, Heard::Wake),
            [Found::Latch(alone)],
            "who says nothing has none"
        );
        assert_eq!(tell(&mut desk, 8, holds(Theirs, position, 5)), [Found::Healed(A)]);
        assert_eq!(tell(&mut desk, 9, holds(Theirs, position, 6)), []);
        assert_eq!(tell(&mut desk, 11, Heard::Wake), []);
        let found = Break::Holding { venue: A, what: position, ours: 5, theirs: 6 };
        assert_eq!(tell(&mut desk, 12, Heard::Wake), [Found::Latch(found)]);
        assert_eq!(tell(&mut desk, 13, holds(Ours, position, 6)), [Found::Healed(A)]);
        for (theirs, breaks) in [(102, false), (98, false), (103, true)] {
            let mut desk = self::desk();
            tell(&mut desk, 0, holds(Ours, cash, 100));
            tell(&mut desk, 0, holds(Theirs, cash, theirs));
            assert_eq!(tell(&mut desk, 3, Heard::Wake).len(), usize::from(breaks), "{theirs}");
        }
        // One that changes is trading, and one that stays is a break.
        let mut busy = self::desk();
        for second in 0..20 {
            tell(&mut busy, second, holds(Ours, position, i128::from(second)));
            let said = tell(&mut busy, second, holds(Theirs, position, i128::from(second / 2)));
            assert_eq!(said, [], "{second}");
        }
        assert_eq!(tell(&mut busy, 23, Heard::Wake).len(), 1);
        // A difference that goes away in time was an execution on its way.
        tell(&mut desk, 20, holds(Theirs, position, 9));
        tell(&mut desk, 22, holds(Ours, position, 9));
        assert_eq!((tell(&mut desk, 30, Heard::Wake), desk.wake_at()), (vec![], None));
    }

    #[test]
    fn c26_one_side_that_changes_its_word_is_a_break_though_nobody_else_spoke() {
        let mut desk = desk();
        for (qty, found) in [
            (7, vec![]),
            (7, vec![]),
            (8, vec![Found::Latch(Break::Twice { by: Ours, copied: copied(1, 8) })]),
        ] {
            assert_eq!(tell(&mut desk, 1, Heard::Executed(Ours, copied(1, qty))), found, "{qty}");
        }
        // And the other side has still said nothing.
        let missing = Break::Missing { only: Ours, copied: copied(1, 7) };
        assert_eq!(tell(&mut desk, 6, Heard::Wake), [Found::Latch(missing)]);
    }

    #[test]
    fn c26_what_met_is_remembered_for_its_time_and_no_longer() {
        for (later, known) in [(999, true), (1_000, true), (1_001, false)] {
            let mut desk = desk();
            for side in [Ours, Theirs] {
                tell(&mut desk, 0, Heard::Executed(side, copied(1, 7)));
            }
            tell(&mut desk, later, Heard::Executed(Ours, copied(1, 7)));
            // What is not known any more is one that only one side has.
            assert_eq!(desk.open().count(), usize::from(!known), "after {later} s");
        }
    }

    #[test]
    fn c26_a_difference_is_woken_for_and_counts_from_when_it_began() {
        let mut desk = desk();
        let what = Amount::Position(IT);
        let holds = |units| Heard::Holds { by: Ours, venue: A, what, units };
        for second in 0..3 {
            // Said again it is the same difference.
            assert_eq!(tell(&mut desk, second, holds(5)), []);
            assert_eq!(desk.wake_at(), Some(at(3)));
        }
        let found = Break::Holding { venue: A, what, ours: 5, theirs: 0 };
        assert_eq!(tell(&mut desk, 3, Heard::Wake), [Found::Latch(found)]);
        assert_eq!(desk.wake_at(), None, "it has been told");
    }

    #[test]
    fn c26_a_break_says_at_which_venue() {
        let here = VenueId(7);
        let there = Copied { venue: here, ..copied(1, 1) };
        let breaks = [
            Break::Missing { only: Ours, copied: there },
            Break::Twice { by: Ours, copied: there },
            Break::Differs { ours: there, theirs: there },
            Break::Holding { venue: here, what: Amount::Position(IT), ours: 1, theirs: 0 },
        ];
        assert!(breaks.iter().all(|found| found.venue() == here));
    }
}
