//! Which demand something is done for: at once, or later, where a position is closed piece by piece.
//!
//! Demands have numbers of whoever asks; what these mean is not known here. They live as long as the process: after a
//! restart a position is closed further, and nobody is named for it but in the journal. Nor is it known here what a
//! kernel is: how far something was cut back is told, before and after.

use tse_kernel::{Level, Reach};

/// How many demands to close positions are remembered; of more, the oldest is forgotten.
const KEPT: usize = 64;

/// What is done now, and which positions are closed for whom.
#[derive(Debug)]
pub(super) struct Because {
    asked: Option<u64>,
    /// What the demand is about, and how far that was cut back before.
    about: Option<(Reach, Level)>,
    piece: Option<u64>,
    closing: Vec<(Reach, u64)>,
}

impl Default for Because {
    fn default() -> Self {
        Self { asked: None, about: None, piece: None, closing: Vec::with_capacity(KEPT) }
    }
}

impl Because {
    /// A demand is carried out for somebody, or for nobody with a number.
    pub(super) fn begin(&mut self, cause: Option<u64>, about: Option<(Reach, Level)>) {
        self.asked = cause;
        self.about = about;
    }

    /// What the demand in work is about.
    pub(super) fn about(&self) -> Option<Reach> {
        self.about.map(|(reach, _)| reach)
    }

    /// It was carried out, or refused: what it is about is cut back so far now. Whoever only says it again, or may not
    /// say it, changes nothing.
    pub(super) fn end(&mut self, now: Option<Level>) {
        let cause = self.asked.take();
        let Some(((reach, before), now)) = self.about.take().zip(now) else { return };
        if before == now {
            return;
        }
        self.closing.retain(|(of, _)| *of != reach);
        if now == Level::Flatten
            && let Some(cause) = cause
        {
            if self.closing.len() == KEPT {
                self.closing.remove(0);
            }
            self.closing.push((reach, cause));
        }
    }

    /// What is said now is said for this one.
    pub(super) fn now(&self) -> Option<u64> {
        self.asked.or(self.piece)
    }

    /// Whether positions are closed for somebody.
    pub(super) fn closes(&self) -> bool {
        !self.closing.is_empty()
    }

    /// An order that closes a position is about to be told of, which what is so covered belongs to: it is for whoever
    /// asked last.
    pub(super) fn piece(&mut self, covers: impl Fn(Reach) -> bool) {
        let newest = self.closing.iter().rev().find(|(reach, _)| covers(*reach));
        self.piece = newest.map(|(_, cause)| *cause);
    }

    /// It was told of.
    pub(super) fn told(&mut self) {
        self.piece = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tse_model::StrategyId;

    const ONE: Reach = Reach::Strategy(StrategyId(1));

    /// Whose a piece of strategy 1 is.
    fn piece(of: &mut Because) -> Option<u64> {
        of.piece(|reach| matches!(reach, Reach::Firm) || reach == ONE);
        let whose = of.now();
        of.told();
        assert_eq!(of.now(), None);
        whose
    }

    #[test]
    fn pieces_are_for_whoever_had_a_position_closed_until_it_goes_on() {
        let mut it = Because::default();
        it.begin(Some(7), Some((ONE, Level::Free)));
        assert_eq!((it.now(), it.about()), (Some(7), Some(ONE)));
        it.end(Some(Level::Flatten));
        assert_eq!(piece(&mut it), Some(7));
        // Said again, or refused to be lifted: it is closed for the same one.
        for cause in [Some(8), None] {
            it.begin(cause, Some((ONE, Level::Flatten)));
            it.end(Some(Level::Flatten));
            assert_eq!(piece(&mut it), Some(7));
        }
        // About something else, or about nothing.
        it.begin(Some(9), Some((Reach::Strategy(StrategyId(2)), Level::Free)));
        it.end(Some(Level::Flatten));
        it.begin(Some(10), None);
        it.end(None);
        assert_eq!(piece(&mut it), Some(7));
        it.begin(Some(11), Some((Reach::Firm, Level::Halt)));
        it.end(Some(Level::Flatten));
        assert_eq!(piece(&mut it), Some(11), "the last one");
        it.begin(Some(12), Some((Reach::Firm, Level::Flatten)));
        it.end(Some(Level::Free));
        it.begin(None, Some((ONE, Level::Flatten)));
        it.end(Some(Level::Free));
        assert_eq!(piece(&mut it), None);
        assert!(it.closes(), "another strategy's");
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut it = Because::default();
        for at in 0..=KEPT as u16 {
            it.begin(Some(at.into()), Some((Reach::Strategy(StrategyId(at)), Level::Free)));
            it.end(Some(Level::Flatten));
        }
        assert_eq!(it.closing.len(), KEPT);
        assert_eq!(it.closing[0], (ONE, 1));
    }
}
