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
//! know (controls, rule c). Begin at [`Kernel::on_statement`].

use crate::executions::Executions;
use crate::kernel::Kernel;
use crate::life::{Ending, Evidence, Life};
use crate::message::{Adjustment, Alert, Output};
use crate::orders::{Order, Slot};
use crate::plant::Plant;
use tse_model::{
    ClientOrderId, CurrencyId, ExecId, ExecutionRow, Fill, GroupId, Inquiry, InstrumentId, Line,
    Money, OrderEventKind, OrderRow, PlaceOrder, Price, Qty, RejectReason, Settlement, Side, Span,
    Standing, Statement, StrategyId, Timestamp, VenueId,
};
use tse_strategy::{OrderUpdate, UpdateKind};

/// How accounts are compared with their venues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reconcile {
    /// Time between comparisons while all is well.
    pub every: Span,
    /// How long an answer may take before it is asked for again.
    pub timeout: Span,
    /// How far a venue's lists may lag behind what it did: the longest it states.
    pub visibility: Span,
    /// How much further back than the last complete answer is asked for.
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
    /// What the last comparison could not explain, and when that was first so.
    residue: Vec<Residue>,
    residue_at: Timestamp,
    doubts: Vec<Doubt>,
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
    since: Timestamp,
    /// A cancel found nothing either.
    denied: bool,
}

impl Reconciler {
    pub(crate) fn wake_at(&self) -> Option<Timestamp> {
        self.asked.map(|asked| asked.deadline).or(self.next)
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
            self.on_row(now, asked, as_of, row, out);
        }
        self.doubt_missing(now, venue, asked, as_of, &answer, out);

        if self.has(Plant::FillInvented) {
            self.invent(now, venue, &answer, &ahead, out);
        }
        let residue = self.compare(venue, &answer, &ahead);
        let reconciler = &mut self.reconcilers[venue.index()];
        let same = !residue.is_empty() && reconciler.residue == residue;
        if !same {
            (reconciler.residue, reconciler.residue_at) = (residue, now);
        }
        // What the lists showed late the first time, they show the second time.
        let confirmed = same && asked - reconciler.residue_at >= settings.visibility;
        reconciler.since = Some(reconciler.since.map_or(as_of, |since| since.max(as_of)));
        if confirmed {
            self.adjust(now, venue, &answer, &ahead, out);
        }
        let mut open = false;
        self.each_at(venue, |order| {
            open |= matches!(order.life, Life::Unknown | Life::Disputed);
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

    /// Takes in an order that the venue has and we do not know.
    fn adopt(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        row: &OrderRow,
        executions: &[ExecutionRow],
        out: &mut Vec<Output>,
    ) {
        let ignored = self.has(Plant::ForeignIgnored) && !self.state.orders.is_ours(row.id);
        let known = ignored || self.state.orders.find(row.id).is_some();
        let here = self.state.catalog.get_instrument(row.instrument);
        let Some(instrument) = here.filter(|it| !known && it.venue == venue) else { return };
        let reserved_in = instrument.settle;
        // What was booked of it already, and what will be now.
        let (mut before, mut count) = (Qty::ZERO, 0);
        for it in executions.iter().filter(|it| it.id == row.id && !it.forced) {
            match self.executions.knows(venue, it.fill.exec) {
                true => before = before.saturating_add(it.fill.qty),
                false => count += 1,
            }
        }
        if row.standing != Standing::Open && count == 0 {
            return;
        }
        let request = PlaceOrder {
            id: row.id,
            instrument: row.instrument,
            strategy: self.owner(row.id),
            group: GroupId(0),
            side: row.side,
            order_type: row.order_type,
            time_in_force: row.time_in_force,
            qty: row.qty,
            display: None,
            post_only: false,
            reduce_only: false,
        };
        let slot = self.state.orders.insert(Order {
            request,
            asked: row.order_type,
            life: Life::Working,
            filled: before,
            filled_value: 0,
            cancelling: false,
            change: None,
            made: now,
            changed: now,
            asked_at: now,
            heard: row.updated,
            venue_id: Some(row.venue_id),
            reserved: Money::ZERO,
            reserved_in,
        });
        self.state.hold_for(slot, true);
        self.hash.word(row.id.0);
        out.push(Output::Alert(Alert::Adopted(row.id)));
    }

    /// An order that has traded more than we believe was ordered was changed, and we have lost the record
    /// of that: the venue's word counts.
    fn grow(&mut self, row: &OrderRow, out: &mut Vec<Output>) {
        let Some(slot) = self.state.orders.find(row.id) else { return };
        let order = self.state.orders.get(slot);
        let most = order.change.map_or(order.request.qty, |it| it.qty.max(order.request.qty));
        if row.filled > most && row.qty >= row.filled {
            let price = row.order_type.limit().unwrap_or(Price::ZERO);
            self.state.orders.amend(slot, row.qty, price);
            self.state.hold_for(slot, true);
            out.push(Output::Alert(Alert::Enlarged(row.id)));
        }
    }

    /// Whose an order is by its name: nobody's, if no engine of ours gave it.
    fn owner(&self, id: ClientOrderId) -> StrategyId {
        let strategy = id.strategy();
        let ours = self.state.orders.is_ours(id) && strategy.index() < self.strategies.len();
        if ours { strategy } else { StrategyId::EXTERNAL }
    }

    /// Books an execution that we did not hear of.
    fn on_execution(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        row: &ExecutionRow,
        out: &mut Vec<Output>,
    ) {
        let here = self.state.catalog.get_instrument(row.instrument);
        let known = self.executions.knows(venue, row.fill.exec);
        // Of what is older than our memory nobody knows whether it was booked.
        if known || row.at <= self.executions.forgotten(venue) || here.is_none() {
            return;
        }
        if row.forced && self.has(Plant::ForcedIgnored) {
            return;
        }
        if row.forced {
            return self.on_liquidation(now, row.at, row.instrument, row.side, &row.fill, out);
        }
        match self.state.orders.find(row.id) {
            Some(slot) => self.on_fill(now, row.at, slot, &row.fill, out),
            None if self.has(Plant::ForeignIgnored) => {}
            // Its order is long forgotten, here or there.
            None => self.book_stray(now, venue, row, out),
        }
    }

    fn book_stray(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        row: &ExecutionRow,
        out: &mut Vec<Output>,
    ) {
        let ExecutionRow { id, instrument, side, fill, .. } = *row;
        self.executions.note(venue, fill.exec, row.at);
        let strategy = self.owner(id);
        let realized = self.book_fill(now, strategy, instrument, side, &fill, out);
        out.push(Output::Filled { id, strategy, instrument, side, fill, realized });
        self.tell(now, strategy, false, out, |strategy, view, wish| {
            strategy.on_fill(instrument, side, &fill, view, wish);
        });
    }

    /// How the venue lists an order that we know.
    fn on_row(
        &mut self,
        now: Timestamp,
        asked: Timestamp,
        as_of: Timestamp,
        row: &OrderRow,
        out: &mut Vec<Output>,
    ) {
        let Some(settings) = self.reconcile else { return };
        let Some(slot) = self.state.orders.find(row.id) else { return };
        let venue = self.state.catalog.instrument(row.instrument).venue;
        self.reconcilers[venue.index()].forget_doubt(row.id);
        let order = self.state.orders.get(slot);
        if !order.life.is_live() {
            // A list that lags shows what has ended meanwhile; but it does not lag for ever.
            let newer = row.updated > order.heard || as_of - settings.visibility > order.heard;
            if row.standing == Standing::Open && newer {
                self.move_life(slot, Evidence::SeenOpen, out);
                self.state.orders.get_mut(slot).heard = row.updated;
            }
            return;
        }
        let price = row.order_type.limit().unwrap_or(Price::ZERO);
        let news = row.updated >= order.heard;
        match row.standing {
            Standing::Open => {
                self.move_life(slot, Evidence::SeenOpen, out);
                self.state.orders.get_mut(slot).venue_id = Some(row.venue_id);
                if news {
                    self.catch_up(now, asked, slot, row.qty, price, out);
                }
            }
            // What traded comes first: a list that is ahead of the executions waits for them, as long as
            // lists lag at most. What is missing then is older than anybody remembers; positions show it.
            _ if row.filled < order.filled => {}
            _ if row.filled > order.filled && as_of - settings.visibility <= row.updated => {}
            standing => {
                let differs = row.qty != order.request.qty;
                self.state.orders.believe(slot, row.filled);
                if differs && row.qty.is_positive() {
                    self.state.orders.amend(slot, row.qty, price);
                }
                let (ending, kind) = match standing {
                    Standing::Rejected => {
                        let reason = RejectReason::UnknownOrder;
                        (Ending::Rejected, OrderEventKind::Rejected(reason))
                    }
                    Standing::Cancelled(reason) => {
                        (Ending::Cancelled, OrderEventKind::Cancelled(reason))
                    }
                    Standing::Expired => (Ending::Expired, OrderEventKind::Expired),
                    _ if self.state.orders.get(slot).leaves().is_zero() => {
                        self.move_life(slot, Evidence::FilledInFull, out);
                        return;
                    }
                    _ => return,
                };
                let order = self.state.orders.get_mut(slot);
                order.heard = order.heard.max(row.updated);
                if self.move_life(slot, Evidence::Closed(ending), out) {
                    self.update(now, slot, &kind, out);
                }
            }
        }
    }

    /// An open order is as the venue lists it, once nothing that we asked for can be on its way any more;
    /// a cancel that nobody answered is sent again.
    fn catch_up(
        &mut self,
        now: Timestamp,
        asked: Timestamp,
        slot: Slot,
        qty: Qty,
        price: Price,
        out: &mut Vec<Output>,
    ) {
        let Some(settings) = self.reconcile else { return };
        let order = self.state.orders.get(slot);
        if order.asked_at + settings.visibility > asked {
            return;
        }
        let differs = qty != order.request.qty || order.price().is_some_and(|now| now != price);
        let cancelling = order.cancelling;
        if differs || order.change.is_some() {
            self.on_modified(now, slot, qty, price, out);
        }
        if cancelling && self.state.orders.get(slot).life.is_live() {
            self.state.orders.get_mut(slot).cancelling = false;
            self.cancel(slot, out);
        }
    }

    /// What is open by our books and in none of the venue's lists.
    fn doubt_missing(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        asked: Timestamp,
        as_of: Timestamp,
        answer: &Answer,
        out: &mut Vec<Output>,
    ) {
        let Some(settings) = self.reconcile else { return };
        let mut missing = Vec::new();
        self.each_at(venue, |order| {
            let id = order.request.id;
            // It may still be on its way there, or have been spoken of since.
            let young = order.made + self.answer_timeout > asked || order.heard > as_of;
            if order.life != Life::Approved
                && !young
                && !answer.orders.iter().any(|row| row.id == id)
            {
                missing.push(id);
            }
        });
        for id in missing {
            let Some(slot) = self.state.orders.find(id) else { continue };
            self.move_life(slot, Evidence::NotFound, out);
            let doubts = &self.reconcilers[venue.index()].doubts;
            match doubts.iter().find(|doubt| doubt.id == id).copied() {
                _ if self.has(Plant::MissingIsAbsent) => self.prove_absent(now, slot, out),
                Some(doubt) if doubt.denied && asked - doubt.since >= settings.visibility => {
                    self.reconcilers[venue.index()].forget_doubt(id);
                    self.prove_absent(now, slot, out);
                }
                doubt => {
                    if doubt.is_none() {
                        let doubt = Doubt { id, since: now, denied: false };
                        self.reconcilers[venue.index()].doubts.push(doubt);
                    }
                    // Whether it knows the name is evidence; and if it does, the order should go.
                    self.state.orders.get_mut(slot).cancelling = false;
                    self.cancel(slot, out);
                }
            }
        }
    }

    fn prove_absent(&mut self, now: Timestamp, slot: Slot, out: &mut Vec<Output>) {
        if !self.move_life(slot, Evidence::ProvenAbsent, out) {
            return;
        }
        let request = self.state.orders.get(slot).request;
        out.push(Output::Alert(Alert::ProvenAbsent(request.id)));
        let update = OrderUpdate {
            id: request.id,
            instrument: request.instrument,
            side: request.side,
            group: request.group,
            kind: UpdateKind::Absent,
        };
        self.tell(now, request.strategy, false, out, |strategy, view, wish| {
            strategy.on_order(&update, view, wish);
        });
    }

    /// A cancel found no order of that name.
    pub(crate) fn note_unknown_there(
        &mut self,
        id: ClientOrderId,
        instrument: InstrumentId,
        reason: RejectReason,
    ) {
        let Some(it) = self.state.catalog.get_instrument(instrument) else { return };
        let doubts = &mut self.reconcilers[it.venue.index()].doubts;
        if let Some(doubt) = doubts.iter_mut().find(|doubt| doubt.id == id) {
            doubt.denied |= reason == RejectReason::UnknownOrder;
        }
    }

    // ---- positions and cash ----

    /// Cash and what positions have cost, by currency: what stays the same in whatever order the same
    /// executions are booked, while cash alone does not.
    fn wealth(&self, venue: VenueId) -> Vec<i128> {
        let portfolio = &self.state.portfolio;
        let currencies = self.state.catalog.currencies().len();
        let mut wealth: Vec<i128> = (0..currencies)
            .map(|at| portfolio.balance(venue, CurrencyId(at as u16)).units())
            .collect();
        for it in self.state.catalog.instruments() {
            if it.venue == venue && it.settlement == Settlement::Difference {
                let costs = portfolio.positions().in_instrument(it.id);
                let cost: i128 = costs.map(|position| position.cost().units()).sum();
                wealth[it.settle.index()] -= cost * it.profit_sign();
            }
        }
        wealth
    }

    /// Before something is booked while an answer is awaited; else nothing, which costs nothing.
    pub(crate) fn wealth_now(&self, venue: VenueId) -> Option<Vec<i128>> {
        self.reconcilers[venue.index()].asked.map(|_| self.wealth(venue))
    }

    /// After it: what it changed is remembered, for the answer may not contain it.
    pub(crate) fn note_ahead(
        &mut self,
        before: Option<Vec<i128>>,
        venue: VenueId,
        traded: Option<(InstrumentId, Side, &Fill)>,
        at: Timestamp,
    ) {
        let Some(before) = before else { return };
        let after = self.wealth(venue);
        self.reconcilers[venue.index()].ahead.push(Ahead {
            exec: traded.map(|(.., fill)| fill.exec),
            at,
            held: traded.map(|(instrument, side, fill)| (instrument, fill.qty.signed(side))),
            wealth: after.iter().zip(before).map(|(after, before)| after - before).collect(),
        });
    }

    /// What the venue has more of than we know of.
    fn compare(&self, venue: VenueId, answer: &Answer, ahead: &[Ahead]) -> Vec<Residue> {
        let mut residue = Vec::new();
        let mut theirs = vec![0_i128; self.state.catalog.currencies().len()];
        for (currency, amount) in &answer.balances {
            theirs[currency.index()] += amount.units();
        }
        for it in self.state.catalog.instruments() {
            if it.venue != venue || it.settlement != Settlement::Difference {
                continue;
            }
            let listed = answer.positions.iter().find(|(id, ..)| *id == it.id);
            let (qty, cost) =
                listed.map_or((Qty::ZERO, Money::ZERO), |(_, qty, cost)| (*qty, *cost));
            theirs[it.settle.index()] -= cost.units() * it.profit_sign();
            let after = ahead.iter().filter_map(|it| it.held);
            let after = after.filter(|(id, _)| *id == it.id).map(|(_, qty)| qty.get()).sum();
            let ours = self.state.portfolio.net(it.id).saturating_sub(Qty::new(after));
            if qty != ours {
                residue.push(Residue::Position(it.id, qty.saturating_sub(ours)));
            }
        }
        for (at, ours) in self.wealth(venue).into_iter().enumerate() {
            let after: i128 = ahead.iter().map(|it| it.wealth[at]).sum();
            let more = theirs[at] - (ours - after);
            if more != 0 {
                residue.push(Residue::Cash(CurrencyId(at as u16), more));
            }
        }
        residue
    }

    /// The mistake of others: what differs is made a fill at once.
    fn invent(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        answer: &Answer,
        ahead: &[Ahead],
        out: &mut Vec<Output>,
    ) {
        for found in self.compare(venue, answer, ahead) {
            let Residue::Position(instrument, qty) = found else { continue };
            let Some(side) = Side::of(qty) else { continue };
            let (exec, fee_currency) = (ExecId(now.nanos() as u64), CurrencyId(0));
            let (qty, liquidity, fee) = (qty.abs(), tse_model::Liquidity::Taker, Money::ZERO);
            let fill = Fill { exec, price: Price::new(1), qty, liquidity, fee, fee_currency };
            let (id, strategy) = (ClientOrderId(1), StrategyId::EXTERNAL);
            let realized = self.book_fill(now, strategy, instrument, side, &fill, out);
            out.push(Output::Filled { id, strategy, instrument, side, fill, realized });
        }
    }

    /// Books what nothing explains, and latches the account.
    fn adjust(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        answer: &Answer,
        ahead: &[Ahead],
        out: &mut Vec<Output>,
    ) {
        self.reconcilers[venue.index()].latched = true;
        self.state.set_reconciled(venue, false);
        out.push(Output::Alert(Alert::Unexplained(venue)));
        for found in self.compare(venue, answer, ahead) {
            let Residue::Position(instrument, qty) = found else { continue };
            let market = &self.state.markets[instrument.index()];
            let middle = market.quote.twice_mid().map(|twice| Price::new(twice / 2));
            let price = market.mark.or(middle).or(market.trade.map(|trade| trade.price));
            let it = self.state.catalog.instrument(instrument);
            let price = price.unwrap_or(Price::new(1));
            let strategy = StrategyId::EXTERNAL;
            let booked = self.state.portfolio.adjust_position(strategy, it, qty, price, now);
            self.tell_adjusted(
                venue,
                booked.is_ok(),
                Adjustment::Position { instrument, qty },
                out,
            );
        }
        // What the position was taken to have cost is cash that is missing, or too much.
        for found in self.compare(venue, answer, ahead) {
            let Residue::Cash(currency, units) = found else { continue };
            let amount = Money::from_units(units);
            let booked = self.state.portfolio.adjust_cash(venue, currency, amount);
            self.tell_adjusted(venue, booked.is_ok(), Adjustment::Cash { currency, amount }, out);
        }
        self.reconcilers[venue.index()].residue.clear();
        for at in 0..self.state.catalog.instruments().len() {
            let instrument = InstrumentId(at as u32);
            if self.state.catalog.instrument(instrument).venue == venue {
                self.cancel_where(instrument, |_| true, out);
            }
        }
    }

    fn tell_adjusted(
        &mut self,
        venue: VenueId,
        booked: bool,
        adjustment: Adjustment,
        out: &mut Vec<Output>,
    ) {
        self.hash.word(match adjustment {
            Adjustment::Position { qty, .. } => qty.get() as u64,
            Adjustment::Cash { amount, .. } => amount.units() as u64,
        });
        out.push(match booked {
            true => Output::Adjusted(venue, adjustment),
            false => Output::Alert(Alert::LedgerLatched),
        });
    }
}
