//! What a venue's lists say of orders and executions: what is new is taken in, what is missing is doubted.

use super::{Answer, Doubt};
use crate::kernel::Kernel;
use crate::life::{Ending, Evidence, Life};
use crate::message::{Alert, Output};
use crate::orders::{Order, Slot};
use crate::plant::Plant;
use tse_model::{
    ClientOrderId, ExecutionRow, GroupId, InstrumentId, OrderEventKind, OrderRow, PlaceOrder,
    Price, Qty, RejectReason, Standing, StrategyId, Timestamp, VenueId,
};
use tse_strategy::UpdateKind;

impl Kernel {
    /// Takes in an order that the venue has and we do not know.
    pub(super) fn adopt(
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
        let order = Order::new(request, row.order_type, Life::Working, now, reserved_in);
        let (heard, venue_id) = (row.updated, Some(row.venue_id));
        let order = Order { filled: before, heard, venue_id, ..order };
        let slot = self.state.orders.insert(order);
        self.state.hold_for(slot, true);
        self.hash.word(row.id.0);
        out.push(Output::Alert(Alert::Adopted(row.id)));
    }

    /// An order that has traded more than we believe was ordered was changed, and we have lost the record
    /// of that: the venue's word counts.
    pub(super) fn grow(&mut self, row: &OrderRow, out: &mut Vec<Output>) {
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
    pub(super) fn owner(&self, id: ClientOrderId) -> StrategyId {
        let strategy = id.strategy();
        let ours = self.state.orders.is_ours(id) && strategy.index() < self.strategies.len();
        if ours { strategy } else { StrategyId::EXTERNAL }
    }

    /// Books an execution that we did not hear of.
    pub(super) fn on_execution(
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
            Some(slot) => {
                // A list of orders that lags behind this says nothing new.
                let order = self.state.orders.get_mut(slot);
                order.heard = order.heard.max(row.at);
                self.on_fill(now, row.at, slot, &row.fill, out);
            }
            None if self.has(Plant::ForeignIgnored) => {}
            // Its order is long forgotten, here or there.
            None => self.book_stray(now, venue, row, out),
        }
    }

    pub(super) fn book_stray(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        row: &ExecutionRow,
        out: &mut Vec<Output>,
    ) {
        let ExecutionRow { id, instrument, side, fill, .. } = *row;
        self.executions.note(venue, fill.exec, row.at);
        self.may_explain(venue, instrument, row.at);
        let strategy = self.owner(id);
        let realized = self.book_fill(now, strategy, instrument, side, &fill, out);
        out.push(Output::Filled { id, strategy, instrument, side, fill, realized });
        self.tell(now, strategy, false, out, |strategy, view, wish| {
            strategy.on_fill(instrument, side, &fill, view, wish);
        });
    }

    /// How the venue lists an order that we know.
    pub(super) fn on_row(
        &mut self,
        now: Timestamp,
        as_of: Timestamp,
        row: &OrderRow,
        out: &mut Vec<Output>,
    ) {
        let Some(settings) = self.reconcile else { return };
        let Some(slot) = self.state.orders.find(row.id) else { return };
        let instrument = self.state.orders.get(slot).request.instrument;
        let venue = self.state.catalog.instrument(instrument).venue;
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
                    self.catch_up(now, as_of, slot, row.qty, price, out);
                }
            }
            // What traded comes first: a list that is ahead of the executions waits for them, as long as
            // lists lag at most. What is missing then is older than anybody remembers; positions show it.
            _ if row.filled < order.filled => {}
            _ if order.closing.is_some_and(|it| row.filled < it.filled)
                && as_of - settings.visibility <= row.updated => {}
            _ if row.filled > order.filled && as_of - settings.visibility <= row.updated => {}
            standing => {
                let differs = row.qty != order.request.qty;
                self.state.orders.believe(slot, row.filled);
                if differs && row.qty.is_positive() {
                    self.state.orders.amend(slot, row.qty, price);
                }
                let filled = Some(row.filled);
                let (ending, kind) = match standing {
                    Standing::Rejected(reason) => {
                        (Ending::Rejected, OrderEventKind::Rejected(reason))
                    }
                    Standing::Cancelled(reason) => {
                        (Ending::Cancelled, OrderEventKind::Cancelled { reason, filled })
                    }
                    Standing::Expired => (Ending::Expired, OrderEventKind::Expired { filled }),
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
    pub(super) fn catch_up(
        &mut self,
        now: Timestamp,
        as_of: Timestamp,
        slot: Slot,
        qty: Qty,
        price: Price,
        out: &mut Vec<Output>,
    ) {
        let Some(settings) = self.reconcile else { return };
        let order = self.state.orders.get(slot);
        let venue = self.state.catalog.instrument(order.request.instrument).venue;
        let reconciler = &self.reconcilers[venue.index()];
        let settled = reconciler.settled_before(as_of, settings.visibility);
        if settled.is_none_or(|settled| order.asked_at >= settled) {
            return;
        }
        let differs = qty != order.request.qty || order.price().is_some_and(|now| now != price);
        let cancelling = order.cancelling;
        if differs || order.change.is_some() {
            // Whatever was asked has arrived by now or never will.
            self.state.orders.unask(slot);
            self.on_modified(now, slot, qty, price, out);
        }
        if cancelling && self.state.orders.get(slot).life.is_live() {
            self.state.orders.get_mut(slot).cancelling = false;
            self.cancel(slot, out);
        }
    }

    /// What is open by our books and in none of the venue's lists.
    pub(super) fn doubt_missing(
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
                Some(doubt) if doubt.denied && as_of - doubt.since >= settings.visibility => {
                    self.reconcilers[venue.index()].forget_doubt(id);
                    self.prove_absent(now, slot, out);
                }
                doubt => {
                    if doubt.is_none() {
                        let doubt = Doubt { id, since: as_of, denied: false };
                        self.reconcilers[venue.index()].doubts.push(doubt);
                    }
                    // Whether it knows the name is evidence; and if it does, the order should go.
                    self.state.orders.get_mut(slot).cancelling = false;
                    self.cancel(slot, out);
                }
            }
        }
    }

    pub(super) fn prove_absent(&mut self, now: Timestamp, slot: Slot, out: &mut Vec<Output>) {
        if !self.move_life(slot, Evidence::ProvenAbsent, out) {
            return;
        }
        let id = self.state.orders.get(slot).request.id;
        out.push(Output::Alert(Alert::ProvenAbsent(id)));
        self.tell_of(now, slot, UpdateKind::Absent, out);
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
}
