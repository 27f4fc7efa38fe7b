//! What venues say about our orders: evidence moves their lives, fills move their quantities.
//!
//! A word told twice changes nothing the second time, and nobody is told of it again.

use crate::desk::State;
use crate::kernel::Kernel;
use crate::life::{Ending, Evidence, Life, Step};
use crate::message::{Alert, Output};
use crate::orders::{Closing, Order, Slot, limited};
use crate::plant::Plant;
use tse_model::{
    CancelReason, ClientOrderId, Fill, InstrumentId, Liquidity, Money, OrderEvent, OrderEventKind,
    PlaceOrder, Price, Qty, RejectReason, Side, StrategyId, Timestamp,
};
use tse_risk::{Book, hold, reference_price};
use tse_strategy::{OrderUpdate, UpdateKind};

/// How many words may wait for the journal at a time; older ones are found by asking the venue.
const WAITING_MAX: usize = 64;

/// What happened, as a number for the state hash.
fn code(kind: &OrderEventKind) -> u64 {
    match kind {
        OrderEventKind::Accepted(_) => 1,
        OrderEventKind::Rejected(_) => 2,
        OrderEventKind::Triggered => 3,
        OrderEventKind::Filled(_) => 4,
        OrderEventKind::Modified { .. } => 5,
        OrderEventKind::ModifyRejected(_) => 6,
        OrderEventKind::Cancelled { .. } => 7,
        OrderEventKind::CancelRejected(_) => 8,
        OrderEventKind::Expired { .. } => 9,
    }
}

impl Kernel {
    pub(crate) fn on_order(&mut self, now: Timestamp, event: &OrderEvent, out: &mut Vec<Output>) {
        let Some(slot) = self.state.orders.find(event.id) else {
            return self.on_stranger(now, event, out);
        };
        let kind = &event.kind;
        self.hash.word(event.id.0.rotate_left(8) ^ code(kind));
        let believes = self.reconcile.is_some() && !self.has(Plant::FilledIgnored);
        let order = self.state.orders.get_mut(slot);
        order.changed = now;
        let newest = event.ts_event >= order.heard;
        order.heard = order.heard.max(event.ts_event);
        let evidence = match *kind {
            OrderEventKind::Filled(fill) => {
                return self.on_fill(now, event.ts_event, slot, &fill, out);
            }
            // An earlier change may come late; the later one holds.
            OrderEventKind::Modified { .. } if !newest && order.change.is_none() => return,
            OrderEventKind::Modified { qty, price } => {
                return self.on_modified(now, slot, qty, price, out);
            }
            OrderEventKind::ModifyRejected(_) => {
                return self.on_modify_rejected(now, slot, kind, out);
            }
            OrderEventKind::CancelRejected(reason) => {
                self.note_unknown_there(event.id, event.instrument, reason);
                if self.has(Plant::CancelRefusedIsEnd) {
                    self.move_life(slot, Evidence::Closed(Ending::Cancelled), out);
                    return;
                }
                let order = self.state.orders.get_mut(slot);
                // Says nothing about whether the order is open: the next word will.
                if std::mem::take(&mut order.cancelling) {
                    let live = order.life.is_live();
                    self.count_reject(now, slot, out);
                    if live {
                        self.update(now, slot, kind, out);
                    }
                }
                return;
            }
            OrderEventKind::Triggered => {
                if order.life.is_live() {
                    self.move_life(slot, Evidence::Acknowledged, out);
                    self.update(now, slot, kind, out);
                }
                return;
            }
            OrderEventKind::Accepted(venue_id) => {
                order.venue_id = Some(venue_id);
                Evidence::Acknowledged
            }
            // It has one of this name: ours, which arrived twice. How that one stands, it can be asked.
            OrderEventKind::Rejected(RejectReason::DuplicateId) => {
                return self.ask_about(now, event.instrument, out);
            }
            OrderEventKind::Rejected(_) => Evidence::Closed(Ending::Rejected),
            // More has traded than we heard of: until that is found it counts as open, at its worst.
            OrderEventKind::Cancelled { filled, .. } | OrderEventKind::Expired { filled }
                if believes
                    && order.life.is_live()
                    && filled.max(order.closing.map(|it| it.filled)) > Some(order.filled) =>
            {
                // Said again, or less of it by another channel: nothing new.
                if order.closing.is_some_and(|it| filled <= Some(it.filled)) {
                    return;
                }
                let (ending, reason) = match *kind {
                    OrderEventKind::Cancelled { reason, .. } => (Ending::Cancelled, reason),
                    _ => (Ending::Expired, CancelReason::Unfilled),
                };
                let filled = filled.unwrap_or(Qty::ZERO);
                order.closing = Some(Closing { ending, reason, filled });
                // Nothing is asked of it any more.
                order.cancelling = true;
                self.move_life(slot, Evidence::ClosedAhead, out);
                return self.ask_about(now, event.instrument, out);
            }
            OrderEventKind::Cancelled { .. } => Evidence::Closed(Ending::Cancelled),
            OrderEventKind::Expired { .. } => Evidence::Closed(Ending::Expired),
        };
        if self.move_life(slot, evidence, out) {
            match kind {
                OrderEventKind::Rejected(_) => {
                    self.counts.rejected += 1;
                    self.count_reject(now, slot, out);
                }
                OrderEventKind::Accepted(_) => self.count_accepted(slot),
                _ => {}
            }
            self.update(now, slot, kind, out);
        }
    }

    /// A word about an order that is not known (any more). Of one of ours the journal knows more, and a
    /// fill waits for that; whatever it is, the venue is asked.
    fn on_stranger(&mut self, now: Timestamp, event: &OrderEvent, out: &mut Vec<Output>) {
        out.push(Output::Alert(Alert::UnknownOrder(event.id)));
        let filled = matches!(event.kind, OrderEventKind::Filled(_));
        if filled && self.reconcile.is_some() && self.state.orders.is_ours(event.id) {
            if self.waiting.len() == WAITING_MAX {
                self.waiting.pop_front();
            }
            self.waiting.push_back(*event);
            out.push(Output::Recall(event.id));
        }
        self.ask_about(now, event.instrument, out);
    }

    /// An order that ended long ago is known again, and what was said of it is heard.
    pub(crate) fn on_recalled(
        &mut self,
        now: Timestamp,
        id: ClientOrderId,
        place: Option<PlaceOrder>,
        out: &mut Vec<Output>,
    ) {
        let known = self.state.orders.find(id).is_some();
        if let Some(request) = place.filter(|place| !known && place.id == id) {
            self.state.recall(now, request);
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.retain(|event| {
            if event.id == id && self.state.orders.find(id).is_some() {
                self.on_order(now, event, out);
            }
            event.id != id
        });
        self.waiting = waiting;
    }

    /// Applies evidence to an order's life. Says whether its strategy should hear of it.
    pub(crate) fn move_life(
        &mut self,
        slot: Slot,
        evidence: Evidence,
        out: &mut Vec<Output>,
    ) -> bool {
        let order = self.state.orders.get(slot);
        let (id, before) = (order.request.id, order.life);
        match before.after(evidence) {
            Step::Same => false,
            Step::Anomaly => {
                out.push(Output::Alert(Alert::Anomaly { id, life: before }));
                false
            }
            Step::To(life) => {
                match (before.is_live(), life.is_live()) {
                    (true, false) => {
                        if !self.has(Plant::ReserveKept) {
                            self.state.set_reserve(slot, Money::ZERO);
                        }
                        self.state.orders.end(slot, life);
                        out.push(Output::Ended(id));
                    }
                    (false, true) => {
                        self.state.orders.reopen(slot);
                        self.state.hold_for(slot, true);
                    }
                    (true, true) => self.state.orders.live_on(slot, life),
                    // It stays over, in another way.
                    (false, false) => self.state.orders.get_mut(slot).life = life,
                }
                true
            }
        }
    }

    /// Tells an order's strategy what its venue said.
    pub(crate) fn update(
        &mut self,
        now: Timestamp,
        slot: Slot,
        kind: &OrderEventKind,
        out: &mut Vec<Output>,
    ) {
        self.tell_of(now, slot, UpdateKind::Venue(*kind), out);
    }

    /// Tells an order's strategy what became of it.
    pub(crate) fn tell_of(
        &mut self,
        now: Timestamp,
        slot: Slot,
        kind: UpdateKind,
        out: &mut Vec<Output>,
    ) {
        let request = &self.state.orders.get(slot).request;
        let strategy = request.strategy;
        let update = OrderUpdate {
            id: request.id,
            instrument: request.instrument,
            side: request.side,
            group: request.group,
            kind,
        };
        self.tell(now, strategy, false, out, |strategy, view, wish| {
            strategy.on_order(&update, view, wish);
        });
    }

    pub(crate) fn on_fill(
        &mut self,
        now: Timestamp,
        at: Timestamp,
        slot: Slot,
        fill: &Fill,
        out: &mut Vec<Output>,
    ) {
        let order = self.state.orders.get(slot);
        let (request, life) = (order.request, order.life);
        let id = request.id;
        if !fill.qty.is_positive() {
            out.push(Output::Alert(Alert::Anomaly { id, life }));
            return;
        }
        let ignored = (self.has(Plant::FillAfterEndIgnored) && !life.is_live())
            || (self.has(Plant::FillBeforeAckIgnored) && order.venue_id.is_none())
            || (self.has(Plant::FillInChangeIgnored) && order.change.is_some());
        if ignored {
            return;
        }
        let venue = self.state.catalog.instrument(request.instrument).venue;
        // Whether an execution that old was booked nobody can say: positions will show it.
        let too_old = self.reconcile.is_some() && at <= self.executions.forgotten(venue);
        if too_old && !self.executions.knows(venue, fill.exec) {
            out.push(Output::Alert(Alert::Anomaly { id, life }));
            return self.ask_about(now, request.instrument, out);
        }
        if !self.executions.note(venue, fill.exec, at) && !self.has(Plant::FillTwice) {
            out.push(Output::Alert(Alert::DuplicateFill { id, exec: fill.exec }));
            return;
        }
        if self.has(Plant::FillUncounted) {
            self.state.orders.get_mut(slot).filled += fill.qty;
        } else {
            self.state.orders.fill(slot, fill.price, fill.qty);
        }
        let order = self.state.orders.get(slot);
        let most = order.change.map_or(request.qty, |change| change.qty.max(request.qty));
        let (whole, over) = (order.exposed().is_zero(), order.filled > most);
        if over {
            out.push(Output::Alert(Alert::Overfilled(id)));
            self.distrust(venue);
        }
        let (strategy, instrument, side) = (request.strategy, request.instrument, request.side);
        if fill.liquidity == Liquidity::Taker {
            let market = &mut self.state.markets[instrument.index()];
            market.took(at, side.opposite(), fill.price, fill.qty);
        }
        self.may_explain(venue, instrument, at);
        let before = self.wealth_now(venue);
        let realized = self.book_fill(now, strategy, instrument, side, fill, out);
        self.note_ahead(before, venue, Some((instrument, side, fill)), at);
        out.push(Output::Filled { id, strategy, instrument, side, fill: *fill, realized });
        self.count_execution(now, slot, realized, out);
        let evidence = if whole { Evidence::FilledInFull } else { Evidence::FilledInPart };
        let moved = self.move_life(slot, evidence, out);
        if !whole {
            self.state.hold_for(slot, false);
        }
        self.tell(now, strategy, false, out, |strategy, view, wish| {
            strategy.on_fill(instrument, side, fill, view, wish);
        });
        if whole && moved {
            self.update(now, slot, &OrderEventKind::Filled(*fill), out);
        }
        self.close_if_heard(now, slot, out);
        self.watch_risk(now, out);
    }

    /// An order that its venue has closed is over once all has been heard that had traded by then.
    fn close_if_heard(&mut self, now: Timestamp, slot: Slot, out: &mut Vec<Output>) {
        let order = self.state.orders.get_mut(slot);
        let Some(Closing { ending, reason, filled }) = order.closing else { return };
        if order.filled < filled || !order.life.is_live() {
            return;
        }
        order.closing = None;
        if self.move_life(slot, Evidence::Closed(ending), out) {
            let filled = Some(filled);
            let kind = match ending {
                Ending::Expired => OrderEventKind::Expired { filled },
                _ => OrderEventKind::Cancelled { reason, filled },
            };
            self.update(now, slot, &kind, out);
        }
    }

    /// Books an execution that is new.
    pub(crate) fn book_fill(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        instrument: InstrumentId,
        side: Side,
        fill: &Fill,
        out: &mut Vec<Output>,
    ) -> Money {
        self.counts.fills += 1;
        self.hash.word(fill.exec.0);
        self.hash.int(fill.price.get());
        self.hash.int(fill.qty.get());
        #[cfg(feature = "plant")]
        if self.has(Plant::CashLost) {
            let it = self.state.catalog.instrument(instrument);
            let (venue, settle) = (it.venue, it.settle);
            let cash = tse_portfolio::AccountKind::Cash;
            self.state.portfolio.plant_imbalance(venue, settle, cash, 1);
        }
        let State { catalog, portfolio, .. } = &mut self.state;
        match portfolio.apply_fill(strategy, catalog.instrument(instrument), side, fill, now) {
            Ok(booked) => booked.realized,
            Err(_) => {
                out.push(Output::Alert(Alert::LedgerLatched));
                Money::ZERO
            }
        }
    }

    /// The venue changed an order: what it says now is true, asked for or not.
    pub(crate) fn on_modified(
        &mut self,
        now: Timestamp,
        slot: Slot,
        qty: Qty,
        price: Price,
        out: &mut Vec<Output>,
    ) {
        let order = self.state.orders.get(slot);
        let (id, life) = (order.request.id, order.life);
        if !life.is_live() {
            return; // a late word does not resurrect
        }
        if !qty.is_positive() {
            out.push(Output::Alert(Alert::Anomaly { id, life }));
            return;
        }
        let most = order.change.map_or(order.request.qty, |it| it.qty.max(order.request.qty));
        // A word about an earlier change does not answer the one that is on its way.
        let pending = order
            .change
            .filter(|change| change.qty != qty || change.price.is_some_and(|asked| asked != price));
        let news = order.change.is_some()
            || order.request.qty != qty
            || order.price().is_some_and(|now| now != price);
        self.state.orders.amend(slot, qty, price);
        if let Some(pending) = pending {
            self.state.orders.ask(slot, pending);
        }
        if qty > most {
            out.push(Output::Alert(Alert::Enlarged(id)));
        }
        self.state.hold_for(slot, qty > most || pending.is_some());
        let evidence = match self.state.orders.get(slot).exposed() {
            Qty::ZERO => Evidence::FilledInFull,
            _ => Evidence::Acknowledged,
        };
        self.hash.int(qty.get());
        self.hash.int(price.get());
        self.move_life(slot, evidence, out);
        if news {
            self.update(now, slot, &OrderEventKind::Modified { qty, price }, out);
        }
    }

    /// The venue left an order as it was. It may have been filled meanwhile.
    fn on_modify_rejected(
        &mut self,
        now: Timestamp,
        slot: Slot,
        kind: &OrderEventKind,
        out: &mut Vec<Output>,
    ) {
        let order = self.state.orders.get(slot);
        if order.change.is_none() {
            return;
        }
        self.count_reject(now, slot, out);
        self.state.orders.unask(slot);
        self.state.hold_for(slot, false);
        if self.state.orders.get(slot).exposed().is_zero() {
            self.move_life(slot, Evidence::FilledInFull, out);
        }
        self.update(now, slot, kind, out);
    }
}

impl State {
    /// Takes an order in that ended long ago: what it traded then is not counted again.
    fn recall(&mut self, now: Timestamp, request: PlaceOrder) {
        let reserved_in = self.catalog.instrument(request.instrument).settle;
        let order = Order::new(request, request.order_type, Life::Working, now, reserved_in);
        let slot = self.orders.insert(order);
        self.orders.end(slot, Life::Ended(Ending::Cancelled));
    }

    /// Sets aside what a live order may still need, with a change on its way counted either way; never
    /// more than it already does, unless it may grow.
    pub(crate) fn hold_for(&mut self, slot: Slot, may_grow: bool) {
        let order = self.orders.get(slot);
        if !order.life.is_live() {
            return;
        }
        let (leaves, price) = order.heading();
        let now = self.needed(order, order.leaves(), order.request.order_type);
        let needed = match (now, order.change) {
            (Some(now), Some(_)) => {
                let order_type = order.request.order_type;
                let then = price.map_or(order_type, |price| limited(order_type, price));
                self.needed(order, leaves, then).map(|then| now.max(then))
            }
            (now, _) => now,
        };
        // What cannot be valued now keeps what it has.
        let needed = needed.unwrap_or(order.reserved);
        let amount = if may_grow { needed } else { needed.min(order.reserved) };
        self.set_reserve(slot, amount);
    }

    /// What `leaves` lots of an open order would set aside as an order of this type.
    fn needed(
        &self,
        order: &Order,
        leaves: Qty,
        order_type: tse_model::OrderType,
    ) -> Option<Money> {
        let rest = PlaceOrder { qty: leaves, order_type, ..order.request };
        let instrument = self.catalog.instrument(rest.instrument);
        let price = reference_price(&rest, &self.markets[rest.instrument.index()].quote)?;
        let others = without(self.book(rest.instrument, None), order);
        hold(instrument, &rest, price, &others).map(|held| held.amount)
    }
}

/// A book without one of its open orders.
pub(crate) fn without(mut book: Book, order: &Order) -> Book {
    book.open[order.request.side.index()] -= order.exposed();
    book.orders -= 1;
    book
}
