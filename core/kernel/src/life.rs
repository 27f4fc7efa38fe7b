//! The life of an order: one function holds every legal move.
//!
//! Quantities and pending requests stand beside the life, not inside it, and time alone never ends an
//! order. Nothing is impossible: what conflicts is `Disputed`, what cannot be placed is an anomaly that
//! is reported and changes nothing. The table that [`Life::after`] spans is a golden file
//! (`tests/golden/life.txt`), so that a change to it shows.

/// How an order ended, by the venue's word.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Ending {
    /// The venue would not have it.
    Rejected,
    /// Taken back.
    Cancelled,
    /// Its time was up.
    Expired,
    /// Nothing was left to trade.
    Filled,
}

/// Where an order is in its life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Life {
    /// Made, not reviewed.
    Draft,
    /// Refused by the gate. Never left.
    Denied,
    /// Passed the gate; its name is fixed.
    Approved,
    /// Passed the gate and was held back. Never left.
    Withdrawn,
    /// May have reached the venue.
    Sent,
    /// Nobody can say.
    Unknown,
    /// The venue confirms it is open.
    Working,
    /// Closed by the venue's word.
    Ended(Ending),
    /// The venue proves that it never existed.
    Absent,
    /// The venue has said things that cannot all be true.
    Disputed,
}

tse_model::recorded_words! {
    Ending { 1 => Rejected, 2 => Cancelled, 3 => Expired, 4 => Filled }
}
tse_model::recorded_choices! {
    Life {
        1 => Draft,
        2 => Denied,
        3 => Approved,
        4 => Withdrawn,
        5 => Sent,
        6 => Unknown,
        7 => Working,
        8 => Ended(ending),
        9 => Absent,
        10 => Disputed,
    }
}

/// What is learned about an order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Evidence {
    /// The gate approved it.
    Passed,
    /// The gate refused it.
    Refused,
    /// It was handed to the venue link.
    Released,
    /// It was held back before it was handed over.
    Withheld,
    /// The venue has it.
    Acknowledged,
    /// It traded, and something is left.
    FilledInPart,
    /// It traded, and nothing is left.
    FilledInFull,
    /// The venue closed it.
    Closed(Ending),
    /// The venue closed it, and more of it has traded than was heard of.
    ClosedAhead,
    /// No answer came in time.
    AnswerOverdue,
    /// The link to the venue broke.
    LinkLost,
    /// It is in the venue's list of open orders.
    SeenOpen,
    /// It is in none of the venue's lists, which may lag: weak evidence.
    NotFound,
    /// Two independent views, far enough apart, and a cancel by name say that it never existed.
    ProvenAbsent,
}

/// What evidence does to a life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// It moves on.
    To(Life),
    /// Nothing new.
    Same,
    /// It does not fit and changes nothing: reported, never shown to strategies.
    Anomaly,
}

impl Life {
    /// Every life, in a fixed order.
    pub const ALL: [Self; 13] = [
        Self::Draft,
        Self::Denied,
        Self::Approved,
        Self::Withdrawn,
        Self::Sent,
        Self::Unknown,
        Self::Working,
        Self::Ended(Ending::Rejected),
        Self::Ended(Ending::Cancelled),
        Self::Ended(Ending::Expired),
        Self::Ended(Ending::Filled),
        Self::Absent,
        Self::Disputed,
    ];

    /// Whether the order may still trade: it counts at its worst case in every limit.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Approved | Self::Sent | Self::Unknown | Self::Working | Self::Disputed)
    }

    /// What `evidence` makes of this life.
    pub const fn after(self, evidence: Evidence) -> Step {
        use Ending::{Cancelled, Expired, Filled, Rejected};
        use Evidence as E;
        use Life as L;
        match (self, evidence) {
            // Before anything leaves.
            (L::Draft, E::Passed) => Step::To(L::Approved),
            (L::Draft, E::Refused) => Step::To(L::Denied),
            (L::Approved, E::Released) => Step::To(L::Sent),
            (L::Approved, E::Withheld) => Step::To(L::Withdrawn),
            (
                L::Draft | L::Denied | L::Approved | L::Withdrawn,
                E::AnswerOverdue | E::LinkLost | E::NotFound,
            ) => Step::Same,
            // The venue speaks of something we never sent.
            (L::Draft | L::Denied | L::Approved | L::Withdrawn, _) => Step::Anomaly,
            // From here on only the venue's word counts.
            (_, E::Passed | E::Refused | E::Released | E::Withheld) => Step::Anomaly,

            // Fills apply in every life after approval.
            (L::Sent | L::Unknown, E::FilledInPart) => Step::To(L::Working),
            (L::Working | L::Disputed, E::FilledInPart) => Step::Same,
            (L::Ended(Rejected | Cancelled | Expired), E::FilledInPart) => Step::Same,
            (L::Sent | L::Unknown | L::Working | L::Disputed, E::FilledInFull) => {
                Step::To(L::Ended(Filled))
            }
            (L::Ended(Rejected | Cancelled | Expired), E::FilledInFull) => {
                Step::To(L::Ended(Filled))
            }
            // More than was ordered: the quantities show it, the life is over already.
            (L::Ended(Filled), E::FilledInPart | E::FilledInFull) => Step::Same,

            (L::Sent | L::Unknown, E::Acknowledged | E::SeenOpen) => Step::To(L::Working),
            (L::Working | L::Disputed, E::Acknowledged | E::SeenOpen) => Step::Same,
            // A late acknowledgement does not resurrect; an open order after its end is a conflict.
            (L::Ended(_), E::Acknowledged) => Step::Same,
            (L::Ended(_), E::SeenOpen) => Step::To(L::Disputed),

            (L::Sent | L::Unknown | L::Working | L::Disputed, E::Closed(how)) => {
                Step::To(L::Ended(how))
            }
            (L::Ended(Rejected), E::Closed(Rejected))
            | (L::Ended(Cancelled), E::Closed(Cancelled))
            | (L::Ended(Expired), E::Closed(Expired))
            | (L::Ended(Filled), E::Closed(Filled)) => Step::Same,
            // A cancel that comes after the last fill is stale; other second endings conflict in
            // words only, since the order is closed either way.
            (L::Ended(_), E::Closed(_)) => Step::Anomaly,

            // Time and silence make an order unknown, never closed; so does an end that misses a fill.
            (
                L::Sent | L::Working,
                E::AnswerOverdue | E::LinkLost | E::NotFound | E::ClosedAhead,
            ) => Step::To(L::Unknown),
            (L::Unknown | L::Disputed | L::Ended(_), E::ClosedAhead) => Step::Same,
            (_, E::AnswerOverdue | E::LinkLost | E::NotFound) => Step::Same,

            (L::Sent | L::Unknown, E::ProvenAbsent) => Step::To(L::Absent),
            (L::Absent | L::Disputed, E::ProvenAbsent) => Step::Same,
            (L::Working | L::Ended(_), E::ProvenAbsent) => Step::To(L::Disputed),
            (L::Absent, _) => Step::To(L::Disputed),
        }
    }
}

impl Evidence {
    /// Every kind of evidence, in a fixed order.
    pub const ALL: [Self; 17] = [
        Self::Passed,
        Self::Refused,
        Self::Released,
        Self::Withheld,
        Self::Acknowledged,
        Self::FilledInPart,
        Self::FilledInFull,
        Self::Closed(Ending::Rejected),
        Self::Closed(Ending::Cancelled),
        Self::Closed(Ending::Expired),
        Self::Closed(Ending::Filled),
        Self::ClosedAhead,
        Self::AnswerOverdue,
        Self::LinkLost,
        Self::SeenOpen,
        Self::NotFound,
        Self::ProvenAbsent,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_and_silence_never_end_an_order() {
        for life in Life::ALL {
            for silence in [Evidence::AnswerOverdue, Evidence::LinkLost, Evidence::NotFound] {
                let after = life.after(silence);
                assert!(
                    matches!(after, Step::Same | Step::To(Life::Unknown)),
                    "{life:?}: {after:?}"
                );
            }
        }
    }

    #[test]
    fn a_fill_is_never_an_anomaly_once_an_order_was_sent() {
        let never_left = [Life::Draft, Life::Denied, Life::Approved, Life::Withdrawn];
        for life in Life::ALL.into_iter().filter(|life| !never_left.contains(life)) {
            for fill in [Evidence::FilledInPart, Evidence::FilledInFull] {
                assert_ne!(life.after(fill), Step::Anomaly, "{life:?} {fill:?}");
            }
        }
    }

    #[test]
    fn a_late_acknowledgement_does_not_resurrect() {
        for life in Life::ALL.into_iter().filter(|life| matches!(life, Life::Ended(_))) {
            assert_eq!(life.after(Evidence::Acknowledged), Step::Same);
            assert_eq!(life.after(Evidence::SeenOpen), Step::To(Life::Disputed));
        }
    }

    #[test]
    fn nothing_leads_back_to_life_but_a_dispute() {
        for life in Life::ALL.into_iter().filter(|life| !life.is_live() && *life != Life::Draft) {
            for evidence in Evidence::ALL {
                if let Step::To(next) = life.after(evidence) {
                    assert!(
                        !next.is_live() || next == Life::Disputed,
                        "{life:?} {evidence:?} {next:?}"
                    );
                }
            }
        }
    }
}
