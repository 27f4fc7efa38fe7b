//! Has somebody seen it in time (C27): an alert must reach the operator and the risk role within seconds, and one that
//! nobody takes up goes on, to whoever is next.
//!
//! Alerts come in as they are raised, and what was delivered and acknowledged as it happens; what comes out is whom to
//! tell, again and again until it is known to have arrived. It knows no telephone: who delivers is another's affair.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use tse_model::{Machine, Span, Timestamp, Wake};
use tse_risk::Severity;

use crate::plant::Planted;

/// Who must see an alert.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Rung {
    /// Whoever runs the engine.
    Operator,
    /// Whoever answers for the risk.
    Risk,
    /// Whoever is next, when nobody took it up.
    Next,
}

/// How long things may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Deadlines {
    /// From the event until operator and risk role have it: five seconds by rule.
    pub delivered: Span,
    /// How long to wait before it is sent again.
    pub retry: Span,
    /// From the event until somebody takes up a critical one, before it goes on.
    pub critical: Span,
    /// The same for a high one. Lower ones wait.
    pub high: Span,
}

impl Default for Deadlines {
    /// Five seconds to be seen, sent again each second, and on to the next after five and fifteen minutes.
    fn default() -> Self {
        Self {
            delivered: Span::from_secs(5),
            retry: Span::from_secs(1),
            critical: Span::from_secs(300),
            high: Span::from_secs(900),
        }
    }
}

/// What comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// Something happened that people must see.
    Raised {
        /// Its number, never used twice.
        id: u64,
        /// When it happened: the clock of the deadlines begins there.
        at: Timestamp,
        /// How severe.
        severity: Severity,
    },
    /// It arrived at somebody.
    Delivered {
        /// Which.
        id: u64,
        /// At whom.
        to: Rung,
    },
    /// Somebody takes it up.
    Acknowledged {
        /// Which.
        id: u64,
    },
    /// The time asked for has come.
    Wake,
}

impl From<Wake> for Told {
    fn from(_: Wake) -> Self {
        Self::Wake
    }
}

/// What comes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Page {
    /// Tell them.
    Send {
        /// Which.
        id: u64,
        /// Whom.
        to: Rung,
    },
    /// It did not arrive in time: the way to them is broken, and that is an alert of its own.
    Late {
        /// Which.
        id: u64,
        /// At whom.
        to: Rung,
        /// How long ago it happened.
        after: Span,
    },
}

#[derive(Clone, Copy, Debug)]
struct Open {
    at: Timestamp,
    severity: Severity,
    /// By rung: when it was sent last, and whether it arrived. Nothing for whom it does not concern (yet).
    ways: [Option<Way>; 3],
    acknowledged: bool,
}

#[derive(Clone, Copy, Debug)]
struct Way {
    sent: Timestamp,
    arrived: bool,
    late: bool,
}

/// Watches that alerts are seen.
#[derive(Clone, Debug, Default)]
pub struct Pager {
    deadlines: Deadlines,
    open: BTreeMap<u64, Open>,
    planted: Planted,
}

const RUNGS: [Rung; 3] = [Rung::Operator, Rung::Risk, Rung::Next];

impl Pager {
    /// Nothing raised yet.
    pub fn new(deadlines: Deadlines) -> Self {
        Self { deadlines, ..Self::default() }
    }

    /// Takes controls out, to prove that tests notice.
    #[cfg(feature = "plant")]
    pub fn take_out(&mut self, without: tse_risk::Without) {
        self.planted = Planted::of(without, "C27");
    }

    /// How many alerts wait for somebody.
    pub fn waiting(&self) -> usize {
        self.open.len()
    }

    fn escalates_at(&self, open: &Open) -> Option<Timestamp> {
        let after = match open.severity {
            Severity::Critical => self.deadlines.critical,
            Severity::High => self.deadlines.high,
            Severity::Low | Severity::Medium => return None,
        };
        let next = open.ways[Rung::Next as usize];
        (!open.acknowledged && next.is_none()).then(|| open.at + after)
    }

    fn look(&mut self, now: Timestamp, out: &mut Vec<Page>) {
        let Deadlines { delivered, retry, .. } = self.deadlines;
        let due: Vec<u64> = self
            .open
            .iter()
            .filter(|(_, open)| self.escalates_at(open).is_some_and(|at| at <= now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            if let Some(open) = self.open.get_mut(&id) {
                let way = Way { sent: now, arrived: false, late: false };
                open.ways[Rung::Next as usize] = Some(way);
                out.push(Page::Send { id, to: Rung::Next });
            }
        }
        for (&id, open) in &mut self.open {
            for (to, way) in RUNGS.into_iter().zip(&mut open.ways) {
                let Some(way) = way.as_mut().filter(|way| !way.arrived) else { continue };
                // For whoever is next the clock begins when it goes on to them.
                let since = if to == Rung::Next { way.sent } else { open.at };
                if !way.late && to != Rung::Next && now - since > delivered {
                    way.late = true;
                    out.push(Page::Late { id, to, after: now - open.at });
                }
                if now - way.sent >= retry {
                    way.sent = now;
                    out.push(Page::Send { id, to });
                }
            }
        }
    }

    /// What is taken up and has arrived wherever it must is done with.
    fn forget(&mut self, id: u64) {
        let done = self.open.get(&id).is_some_and(|open| {
            open.acknowledged && open.ways.iter().flatten().all(|way| way.arrived)
        });
        if done {
            self.open.remove(&id);
        }
    }
}

impl Machine for Pager {
    type Input = Told;
    type Output = Page;

    fn step(&mut self, now: Timestamp, input: Told, out: &mut Vec<Page>) {
        if self.planted.is_out() {
            return;
        }
        match input {
            Told::Raised { id, at, severity } => {
                let way = Some(Way { sent: now, arrived: false, late: false });
                let open = Open { at, severity, ways: [way, way, None], acknowledged: false };
                // Said again it is the same one, and stands where it stood.
                if let Entry::Vacant(place) = self.open.entry(id) {
                    place.insert(open);
                    out.extend([Rung::Operator, Rung::Risk].map(|to| Page::Send { id, to }));
                }
            }
            Told::Delivered { id, to } => {
                if let Some(open) = self.open.get_mut(&id)
                    && let Some(way) = &mut open.ways[to as usize]
                {
                    // What arrives too late has been told of as late, or is told now.
                    if to != Rung::Next && !way.late && now - open.at > self.deadlines.delivered {
                        way.late = true;
                        out.push(Page::Late { id, to, after: now - open.at });
                    }
                    way.arrived = true;
                }
                self.forget(id);
            }
            Told::Acknowledged { id } => {
                if let Some(open) = self.open.get_mut(&id) {
                    open.acknowledged = true;
                    // Nobody else need be called any more.
                    open.ways[Rung::Next as usize] = None;
                }
                self.forget(id);
            }
            Told::Wake => {}
        }
        self.look(now, out);
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let each = self.open.values().flat_map(|open| {
            let ways = open.ways.iter().flatten().filter(|way| !way.arrived);
            let again = ways.clone().map(|way| way.sent + self.deadlines.retry);
            let judged = open.ways[..Rung::Next as usize].iter().flatten();
            let unjudged = judged.filter(|way| !way.arrived && !way.late);
            // The first moment that is too late.
            let late = open.at + self.deadlines.delivered + Span::from_nanos(1);
            again.chain(unjudged.map(move |_| late)).chain(self.escalates_at(open))
        });
        each.min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> Pager {
        #[cfg_attr(not(feature = "plant"), expect(unused_mut, reason = "nothing is taken out"))]
        let mut desk = Pager::new(Deadlines::default());
        #[cfg(feature = "plant")]
        desk.take_out(tse_risk::Without::of(&std::env::var("TSE_WITHOUT").unwrap_or_default()));
        desk
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    fn tell(pager: &mut Pager, millis: i64, input: Told) -> Vec<Page> {
        let mut out = Vec::new();
        pager.step(at(millis), input, &mut out);
        out
    }

    fn raised(id: u64, severity: Severity) -> Told {
        Told::Raised { id, at: at(0), severity }
    }

    const OPERATOR: Page = Page::Send { id: 1, to: Rung::Operator };
    const RISK: Page = Page::Send { id: 1, to: Rung::Risk };

    #[test]
    fn c27_both_are_told_at_once_and_again_until_it_arrived() {
        let mut pager = desk();
        assert_eq!(tell(&mut pager, 10, raised(1, Severity::Low)), [OPERATOR, RISK]);
        assert_eq!(pager.wake_at(), Some(at(1_010)));
        assert_eq!(tell(&mut pager, 500, Told::Delivered { id: 1, to: Rung::Operator }), []);
        assert_eq!(tell(&mut pager, 1_010, Told::Wake), [RISK]);
        assert_eq!(tell(&mut pager, 1_500, Told::Delivered { id: 1, to: Rung::Risk }), []);
        assert_eq!((pager.waiting(), pager.wake_at()), (1, None), "nobody took it up");
        assert_eq!(tell(&mut pager, 2_000, Told::Acknowledged { id: 1 }), []);
        assert_eq!(pager.waiting(), 0);
    }

    #[test]
    fn c27_what_does_not_arrive_within_five_seconds_is_told_as_late_and_once() {
        for (millis, late) in [(4_999, false), (5_000, false), (5_001, true)] {
            let mut pager = desk();
            tell(&mut pager, 0, raised(1, Severity::High));
            tell(&mut pager, 0, Told::Delivered { id: 1, to: Rung::Operator });
            let said = tell(&mut pager, millis, Told::Delivered { id: 1, to: Rung::Risk });
            let after = Span::from_millis(millis);
            let expected = late.then_some(Page::Late { id: 1, to: Rung::Risk, after });
            assert_eq!(said, expected.into_iter().collect::<Vec<_>>(), "{millis}");
        }
        // Also if it never arrives, and the desk keeps sending.
        let mut pager = desk();
        tell(&mut pager, 0, raised(1, Severity::High));
        let mut said = Vec::new();
        for second in 1..=10 {
            said.extend(tell(&mut pager, second * 1_000, Told::Wake));
        }
        let late = said.iter().filter(|page| matches!(page, Page::Late { .. })).count();
        assert_eq!((late, said.len() - late), (2, 20));
        // Nobody need be sent to again for it to be told.
        let mut pager =
            Pager::new(Deadlines { retry: Span::from_secs(60), ..Deadlines::default() });
        tell(&mut pager, 0, raised(1, Severity::High));
        let due = pager.wake_at().unwrap();
        assert_eq!(due, at(5_000) + Span::from_nanos(1));
        let mut out = Vec::new();
        pager.step(due, Told::Wake, &mut out);
        assert_eq!(out.len(), 2, "{out:?}");
        assert_eq!(tell(&mut pager, 6_000, raised(1, Severity::High)), [], "it is the same one");
        // The clock begins with the event, not with the word of it.
        let mut pager = desk();
        let said = tell(&mut pager, 6_000, raised(2, Severity::Low));
        assert!(said.iter().any(|page| matches!(page, Page::Late { .. })), "{said:?}");
    }

    #[test]
    fn c27_what_nobody_takes_up_goes_on_by_severity() {
        let cases = [
            (Severity::Critical, Some(300)),
            (Severity::High, Some(900)),
            (Severity::Medium, None),
            (Severity::Low, None),
        ];
        for (severity, seconds) in cases {
            let mut pager = desk();
            tell(&mut pager, 0, raised(1, severity));
            for to in [Rung::Operator, Rung::Risk] {
                tell(&mut pager, 100, Told::Delivered { id: 1, to });
            }
            assert_eq!(pager.wake_at(), seconds.map(|seconds| at(seconds * 1_000)), "{severity:?}");
            let Some(seconds) = seconds else { continue };
            assert_eq!(tell(&mut pager, seconds * 1_000 - 1, Told::Wake), []);
            let next = Page::Send { id: 1, to: Rung::Next };
            assert_eq!(tell(&mut pager, seconds * 1_000, Told::Wake), [next]);
            assert_eq!(tell(&mut pager, seconds * 1_000 + 999, Told::Wake), []);
            assert_eq!(tell(&mut pager, seconds * 1_000 + 1_000, Told::Wake), [next]);
            tell(&mut pager, seconds * 1_000 + 1_100, Told::Acknowledged { id: 1 });
            assert_eq!(pager.waiting(), 0);
            let mut pager = desk();
            tell(&mut pager, 0, raised(1, severity));
            tell(&mut pager, 100, Told::Acknowledged { id: 1 });
            let mut out = Vec::new();
            pager.step(at(seconds * 1_000), Told::Wake, &mut out);
            assert!(!out.contains(&next), "somebody has it");
        }
    }
}
