//! What a venue says when it is asked how things stand, against what we know.
//!
//! An account is compared when its link comes up, when words of the venue are missing, and again and
//! again while it trades. Until the first comparison after a link came up has ended well, with no order
//! unknown, nothing new is sent. What the venue lists and we did not hear is booked: executions by their
//! names, each once; endings by the venue's word. An order of nobody's is adopted. A fill is never
//! invented: what remains different twice in the same way is booked as an adjustment, and the account is
//! latched until a person acknowledges.
//!
//! That an order is in none of the lists is weak evidence. It counts as never having existed after two
//! answers further apart than the venue's lists may lag, and a cancel by its name that the venue did not
//! know (controls, rule c). Begin at [`Kernel::on_statement`]; orders and
//! executions are in `lists`, positions and cash in `sums`.

mod lists;
mod sums;

use crate::executions::Executions;
use crate::kernel::Kernel;
use crate::life::Life;
use crate::message::{Alert, Output};
use crate::orders::Order;
use crate::plant::Plant;
use std::collections::VecDeque;
use tse_model::{
    ClientOrderId, CurrencyId, ExecId, ExecutionRow, Inquiry, InstrumentId, Line, Money, OrderRow,
    Qty, Side, Span, Statement, Timestamp, VenueId, recorded_choices, recorded_fields,
};

/// How accounts are compared with their venues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reconcile {
    /// Time between comparisons while all is well.
    pub every: Span,
    /// How long an answer may take before it is asked for again.
    pub timeout: Span,
    /// How far a venue's lists may lag behind what it did: the longest it states.
    pub visibility: Span,
    /// How much further back than the last complete answer is asked for: at least `visibility`, and more by
    /// as much as the venue's clock and ours may differ.
    pub overlap: Span,
}

/// What one venue was asked and has said.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reconciler {
    latched: bool,
    number: u32,
    asked: Option<Asked>,
    /// Something happened that the present inquiry may have missed.
    again: bool,
    /// Nothing new is sent since words are missing: what they said may change what is held.
    paused: bool,
    next: Option<Timestamp>,
    /// Up to here, by the venue's clock, everything was told.
    since: Option<Timestamp>,
    answer: Answer,
    /// What was booked since the inquiry was sent: the answer may or may not contain it.
    ahead: Vec<Ahead>,
    /// What the last comparison could not explain, each with when that was first so, by the venue's clock.
    residue: Vec<(Residue, Timestamp)>,
    doubts: Vec<Doubt>,
    /// When the last questions were asked, by ours, and as of when they were answered, by the venue's.
    answered: VecDeque<(Timestamp, Timestamp)>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    at: Timestamp,
    deadline: Timestamp,
    as_of: Option<Timestamp>,
}

#[derive(Clone, Debug, Default)]
struct Answer {
    orders: Vec<OrderRow>,
    executions: Vec<ExecutionRow>,
    positions: Vec<(InstrumentId, Qty, Money)>,
    balances: Vec<(CurrencyId, Money)>,
}

#[derive(Clone, Debug)]
struct Ahead {
    exec: Option<ExecId>,
    at: Timestamp,
    held: Option<(InstrumentId, Qty)>,
    /// By currency.
    wealth: Vec<i128>,
}

/// How many answers are remembered, to know what must have arrived.
const ANSWERS_KEPT: usize = 8;

/// How much more the venue has of something than we know of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Residue {
    Position(InstrumentId, Qty),
    Cash(CurrencyId, i128),
}

/// An order that no list has.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    id: ClientOrderId,
    /// By the venue's clock: ours may jump.
    since: Timestamp,
    /// A cancel found nothing either.
    denied: bool,
}

recorded_choices! {
    Residue {
        1 => Position(instrument, qty),
        2 => Cash(currency, units),
    }
}
recorded_fields! {
    Asked { at, deadline, as_of }
    Answer { orders, executions, positions, balances }
    Ahead { exec, at, held, wealth }
    Doubt { id, since, denied }
    Reconciler {
        latched, number, asked, again, paused, next, since, answer, ahead, residue, doubts,
        answered,
    }
}

impl Reconciler {
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        self.asked.map(|asked| asked.deadline).or(self.next)
    }

    /// The newest question whose answer was that much older than one of this moment: what was asked of the
    /// venue before it has arrived by now, if it ever does.
    fn settled_before(&self, as_of: Timestamp, visibility: Span) -> Option<Timestamp> {
        let old = self.answered.iter().rev().find(|(_, then)| *then + visibility <= as_of);
        old.map(|(asked, _)| *asked)
    }

    fn forget_doubt(&mut self, id: ClientOrderId) {
        self.doubts.retain(|doubt| doubt.id != id);
    }
}

impl Kernel {
    /// The engine begins (again): what was open may have changed, and nothing may be sent yet.
    pub(crate) fn on_boot(&mut self, epoch: u16, out: &mut Vec<Output>) {
        self.hash.word(u64::from(epoch));
        self.state.orders.begin_epoch(epoch);
        self.waiting.clear();
        (self.state.lag, self.state.low) = (Span::ZERO, false);
        if self.has(Plant::ExecutionsForgotten) {
            self.executions = Executions::new(self.state.catalog.venues().len());
        }
        if self.has(Plant::OrdersForgotten) {
            for at in 0..self.state.catalog.instruments().len() {
                let end = |kernel: &mut Self, slot| {
                    kernel.state.set_reserve(slot, Money::ZERO);
                    kernel.state.orders.end(slot, Life::Withdrawn);
                };
                self.each_open(InstrumentId(at as u32), |_| true, end);
            }
        }
        for at in 0..self.reconcilers.len() {
            self.on_link(self.now, VenueId(at as u16), false, out);
        }
    }

    /// A link came up: first of all the venue is asked how things stand. Or it broke.
    pub(crate) fn link_changed(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        up: bool,
        out: &mut Vec<Output>,
    ) {
        self.state.set_reconciled(venue, false);
        let reconciler = &mut self.reconcilers[venue.index()];
        (reconciler.asked, reconciler.next, reconciler.paused) = (None, None, false);
        reconciler.ahead.clear();
        if up && !(self.has(Plant::ComparedOnce) && self.reconcilers[venue.index()].number > 0) {
            self.ask(now, venue, out);
        }
    }

    /// Words are missing in the stream.
    pub(crate) fn on_gap(&mut self, now: Timestamp, venue: VenueId, out: &mut Vec<Output>) {
        let never = self.reconcile.is_none() || self.has(Plant::ComparedOnce);
        if never || !self.state.is_linked(venue) {
            return;
        }
        // A fill may be among what is missing: until that is known nothing new is sent.
        let paused = self.state.is_reconciled(venue);
        self.state.set_reconciled(venue, false);
        let reconciler = &mut self.reconcilers[venue.index()];
        reconciler.paused |= paused;
        match reconciler.asked {
            Some(_) => reconciler.again = true,
            None => self.ask(now, venue, out),
        }
    }

    /// A word came that makes no sense without others.
    pub(crate) fn ask_about(
        &mut self,
        now: Timestamp,
        instrument: InstrumentId,
        out: &mut Vec<Output>,
    ) {
        if let Some(instrument) = self.state.catalog.get_instrument(instrument) {
            self.on_gap(now, instrument.venue, out);
        }
    }

    pub(crate) fn acknowledge(&mut self, now: Timestamp, venue: VenueId, out: &mut Vec<Output>) {
        if let Some(reconciler) = self.reconcilers.get_mut(venue.index()) {
            reconciler.latched = false;
            self.on_gap(now, venue, out);
        }
    }

    /// Nothing new is sent to a venue any more, until a person has looked.
    pub(crate) fn distrust(&mut self, venue: VenueId) {
        if self.reconcile.is_some() {
            self.reconcilers[venue.index()].latched = true;
            self.state.set_reconciled(venue, false);
        }
    }

    /// Whether a venue's account waits for a person.
    pub fn is_latched(&self, venue: VenueId) -> bool {
        self.reconcilers[venue.index()].latched
    }

    /// Whether the last comparison with a venue left something unexplained.
    pub fn is_unexplained(&self, venue: VenueId) -> bool {
        !self.reconcilers[venue.index()].residue.is_empty()
    }

    /// An execution was booked that is not younger than a difference: it may be what was missing. What is
    /// missing after it is another difference, though it be of the same size.
    pub(crate) fn may_explain(&mut self, venue: VenueId, instrument: InstrumentId, at: Timestamp) {
        self.reconcilers[venue.index()].residue.retain(|(found, since)| {
            let elsewhere = matches!(found, Residue::Position(other, _) if *other != instrument);
            elsewhere || *since < at
        });
    }

    /// Deadlines and periods.
    pub(crate) fn reconcile_due(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        for at in 0..self.reconcilers.len() {
            let venue = VenueId(at as u16);
            if self.reconcilers[at].wake_at().is_none_or(|due| due > now) {
                continue;
            }
            if self.reconcilers[at].asked.is_some() {
                out.push(Output::Alert(Alert::NoStatement(venue)));
            }
            self.ask(now, venue, out);
        }
    }

    fn ask(&mut self, now: Timestamp, venue: VenueId, out: &mut Vec<Output>) {
        let Some(settings) = self.reconcile else { return };
        // What nobody knows the end of may have ended long ago.
        let mut since = self.reconcilers[venue.index()].since.unwrap_or(Timestamp::MIN);
        self.each_at(venue, |order| {
            if order.life != Life::Working {
                since = since.min(order.made);
            }
        });
        let reconciler = &mut self.reconcilers[venue.index()];
        reconciler.number = reconciler.number.wrapping_add(1);
        let deadline = now + settings.timeout;
        reconciler.asked = Some(Asked { at: now, deadline, as_of: None });
        reconciler.next = None;
        reconciler.again = false;
        reconciler.answer = Answer::default();
        reconciler.ahead.clear();
        let since = if since == Timestamp::MIN { since } else { since - settings.overlap };
        out.push(Output::Inquire(venue, Inquiry { number: reconciler.number, since }));
        self.remind(deadline);
    }

    fn remind(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    fn each_at(&self, venue: VenueId, mut each: impl FnMut(&Order)) {
        for it in self.state.catalog.instruments().iter().filter(|it| it.venue == venue) {
            for side in Side::BOTH {
                self.state.orders.open(it.id, side).for_each(|(_, order)| each(order));
            }
        }
    }

    /// Takes a line of an answer; with the last one everything is compared.
    pub(crate) fn on_statement(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        statement: &Statement,
        out: &mut Vec<Output>,
    ) {
        let (Some(settings), Some(reconciler)) =
            (self.reconcile, self.reconcilers.get_mut(venue.index()))
        else {
            return;
        };
        let Some(asked) = &mut reconciler.asked else { return };
        if statement.number != reconciler.number {
            return; // an answer to an earlier question
        }
        let answer = &mut reconciler.answer;
        match statement.line {
            Line::Begin { as_of } => {
                asked.as_of = Some(as_of);
                *answer = Answer::default();
            }
            Line::Order(row) => answer.orders.push(row),
            Line::Execution(row) => answer.executions.push(row),
            Line::Position { instrument, qty, cost } => {
                answer.positions.push((instrument, qty, cost));
            }
            Line::Balance { currency, amount } => answer.balances.push((currency, amount)),
            Line::Failed => {
                reconciler.asked = None;
                let next = now + settings.timeout;
                reconciler.next = Some(next);
                self.remind(next);
            }
            Line::End => {
                if let Asked { as_of: Some(as_of), at, .. } = *asked {
                    let answer = std::mem::take(answer);
                    reconciler.asked = None;
                    self.settle(now, venue, at, as_of, answer, out);
                }
            }
        }
    }

    fn settle(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        asked: Timestamp,
        as_of: Timestamp,
        mut answer: Answer,
        out: &mut Vec<Output>,
    ) {
        let Some(settings) = self.reconcile else { return };
        // Of what was booked since the question, what the answer does not contain came after it.
        let mut ahead = std::mem::take(&mut self.reconcilers[venue.index()].ahead);
        ahead.retain(|it| match it.exec {
            Some(exec) => !answer.executions.iter().any(|row| row.fill.exec == exec),
            None => it.at > as_of,
        });
        answer.executions.sort_by_key(|row| (row.at, row.fill.exec));
        for row in &answer.orders {
            self.adopt(now, venue, row, &answer.executions, out);
            self.grow(row, out);
        }
        for row in &answer.executions {
            self.on_execution(now, venue, row, out);
        }
        for row in &answer.orders {
            self.on_row(now, as_of, row, out);
        }
        self.doubt_missing(now, venue, asked, as_of, &answer, out);

        if self.has(Plant::FillInvented) {
            self.invent(now, venue, &answer, &ahead, out);
        }
        let residue = self.compare(venue, &answer, &ahead);
        let reconciler = &mut self.reconcilers[venue.index()];
        // What the lists showed late the first time, they show the second time. Each difference counts for
        // itself: one that moves does not hide one that stays.
        let since = |found: &Residue| {
            let before = reconciler.residue.iter().find(|(residue, _)| residue == found);
            before.map_or(as_of, |(_, since)| *since)
        };
        let residue: Vec<_> = residue.into_iter().map(|found| (found, since(&found))).collect();
        let stayed = residue.iter().filter(|(_, since)| as_of - *since >= settings.visibility);
        let stayed: Vec<Residue> = stayed.map(|(found, _)| *found).collect();
        reconciler.residue = residue;
        if reconciler.answered.len() == ANSWERS_KEPT {
            reconciler.answered.pop_front();
        }
        reconciler.answered.push_back((asked, as_of));
        reconciler.since = Some(as_of);
        if !stayed.is_empty() {
            self.adjust(now, venue, &stayed, out);
        }
        let mut open = false;
        self.each_at(venue, |order| {
            open |= matches!(order.life, Life::Unknown | Life::Disputed) || order.closing.is_some();
        });
        let reconciler = &mut self.reconcilers[venue.index()];
        let clear = reconciler.residue.is_empty();
        let trusted = self.state.is_reconciled(venue);
        // What is unknown counts at its worst; at the beginning there must be nothing unknown at all.
        let known = !open || reconciler.paused;
        if clear && !reconciler.latched && !reconciler.again && known && !trusted {
            reconciler.paused = false;
            self.state.set_reconciled(venue, true);
            out.push(Output::Reconciled(venue));
        }
        let soon = open || !clear || !reconciler.doubts.is_empty();
        let next = match (reconciler.again, soon) {
            (true, _) => now,
            (_, true) => now + settings.visibility,
            _ => now + settings.every,
        };
        reconciler.next = Some(next);
        self.remind(next);
        if self.has(Plant::ComparedOnce) && self.state.is_reconciled(venue) {
            self.reconcilers[venue.index()].next = None;
        }
    }
}
