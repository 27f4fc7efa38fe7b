//! What is due next, of many things that may be: kept up to date instead of looked for.
//!
//! Lines and timers say when something of theirs is due first; the agenda remembers the first of all and
//! a bound on the rest, and says when that is not enough to know the next. Begin at [`Agenda::moved`].

use tse_model::Timestamp;

/// What happens next besides data; at one moment, the earlier of these.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Due {
    Answer(usize),
    Feed(usize),
    Request(usize),
    Inquiry(usize),
    VenueWake(usize),
    KernelWake,
}

/// What is due first, kept so that not every line is asked after every message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Agenda {
    /// Whether what follows is so, or must be found out.
    pub(crate) known: bool,
    pub(crate) first: Option<(Timestamp, Due)>,
    /// Nothing but `first` is due before this.
    rival: Option<(Timestamp, Due)>,
    /// Whether the rival itself is due then: else it is a bound and no more.
    exact: bool,
}

impl Agenda {
    /// Nothing is due: for who offers everything there is.
    pub(crate) fn anew() -> Self {
        Self { known: true, ..Self::default() }
    }

    /// Something new is due.
    #[inline]
    pub(crate) fn offer(&mut self, at: Timestamp, due: Due) {
        if !self.known {
            return;
        }
        let new = (at, due);
        match self.first {
            Some(first) if first <= new => {
                if self.rival.is_none_or(|rival| new < rival) {
                    (self.rival, self.exact) = (Some(new), true);
                }
            }
            // It overtakes what it stands behind on the same line, and nothing else changes.
            Some((_, first)) if first == due => self.first = Some(new),
            first => {
                self.first = Some(new);
                (self.rival, self.exact) = (first.or(self.rival), true);
            }
        }
    }

    /// What was due is due at another time now, or not at all.
    #[inline]
    pub(crate) fn moved(&mut self, due: Due, at: Option<Timestamp>) {
        if self.first.is_none_or(|(_, first)| first != due) {
            self.exact &= self.rival.is_none_or(|(_, rival)| rival != due);
            if let Some(at) = at {
                self.offer(at, due);
            }
            return;
        }
        let new = at.map(|at| (at, due));
        match (new, self.rival) {
            (Some(new), Some(rival)) if new < rival => self.first = Some(new),
            (_, None) => self.first = new,
            // The rival takes its place. What comes after it is not before it: all that is known.
            (None, Some(rival)) if self.exact => {
                (self.first, self.exact) = (Some(rival), false);
            }
            _ => self.known = false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tse_model::Chance;

    /// Some sources of things due, as lines and timers are: what stands first may come, go and move.
    #[test]
    fn what_is_due_first_is_always_what_a_look_at_everything_finds() {
        let mut chance = Chance::stream(3, "agenda");
        let all =
            [Due::Answer(0), Due::Feed(0), Due::Request(1), Due::VenueWake(1), Due::KernelWake];
        let mut times: [Option<Timestamp>; 5] = [None; 5];
        let mut agenda = Agenda::anew();
        let mut looked = 0;
        for step in 0..200_000 {
            let due = times.iter().zip(all).filter_map(|(at, due)| at.map(|at| (at, due))).min();
            if agenda.known {
                assert_eq!(agenda.first, due, "step {step}: {agenda:?}");
            } else {
                looked += 1;
                agenda = Agenda::anew();
                for (at, due) in times.iter().zip(all) {
                    at.iter().for_each(|at| agenda.offer(*at, due));
                }
            }
            let at = Some(Timestamp::from_nanos(chance.between(0, 40)));
            let which = if chance.one_in(1, 2) {
                // What is due first happens.
                all.iter().position(|it| due.is_some_and(|due| due.1 == *it)).unwrap_or(0)
            } else {
                chance.between(0, 4) as usize
            };
            if chance.one_in(1, 4) {
                // Something overtakes on a line, or stands on one that was empty.
                if let Some(at) = at.filter(|at| times[which].is_none_or(|front| *at < front)) {
                    times[which] = Some(at);
                    agenda.offer(at, all[which]);
                }
                continue;
            }
            times[which] = at.filter(|_| chance.one_in(2, 3));
            agenda.moved(all[which], times[which]);
        }
        assert!(looked < 100_000, "else it keeps nothing: {looked}");
    }
}
