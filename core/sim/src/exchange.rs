//! An exchange that remembers everything it did: the truth an engine is judged against, and what it is told
//! when it asks how things stand.
//!
//! The markets, the matching and the account are those of a simulated [`Venue`]. Around it stands what
//! a venue keeps and lists: every order in every version, every execution, the book as it was shown. Its lists
//! may lag.

use crate::scenario::VenueSetup;
use crate::venue::{Output, Venue};
use std::collections::BTreeMap;
use tse_model::{
    AccountEventKind, Catalog, ClientOrderId, CurrencyId, Depth, DepthChange, ExecId, ExecutionRow,
    Inquiry, InstrumentId, Line, MarketData, MarketEvent, Money, OrderEvent, OrderEventKind,
    OrderRow, OrderType, PlaceOrder, Price, Qty, RejectReason, Request, Settlement, Side, Span,
    Standing, Statement, StrategyId, Timestamp, VenueOrderId,
};

/// Whose positions the venue keeps.
const HOLDER: StrategyId = StrategyId(0);

/// One side of a market, as the exchange shows it.
type Shown = BTreeMap<Price, Qty>;

/// An exchange, its books, and all it ever did.
pub(crate) struct Exchange {
    pub(crate) venue: Venue,
    /// Every version of every order, oldest first.
    orders: BTreeMap<ClientOrderId, Vec<OrderRow>>,
    executions: BTreeMap<ExecId, ExecutionRow>,
    /// By instrument: what the feed has shown so far.
    shown: Vec<[Shown; 2]>,
    catalog: Catalog,
}

impl Exchange {
    pub(crate) fn new(catalog: &Catalog, setup: &VenueSetup) -> Self {
        Self {
            venue: Venue::new(catalog, setup),
            orders: BTreeMap::new(),
            executions: BTreeMap::new(),
            shown: catalog.instruments().iter().map(|_| Default::default()).collect(),
            catalog: catalog.clone(),
        }
    }

    /// How an order stands.
    pub(crate) fn order(&self, id: ClientOrderId) -> Option<&OrderRow> {
        self.orders.get(&id)?.last()
    }

    /// Every order as it stands.
    pub(crate) fn orders(&self) -> impl Iterator<Item = &OrderRow> {
        self.orders.values().filter_map(|versions| versions.last())
    }

    /// An execution.
    pub(crate) fn execution(&self, exec: ExecId) -> Option<&ExecutionRow> {
        self.executions.get(&exec)
    }

    /// All executions.
    pub(crate) fn executions(&self) -> impl Iterator<Item = &ExecutionRow> {
        self.executions.values()
    }

    /// Forgets what ended before a moment: nobody asks for that any more.
    pub(crate) fn forget(&mut self, before: Timestamp) {
        let keeps = |row: &OrderRow| row.standing == Standing::Open || row.updated >= before;
        self.orders.retain(|_, versions| versions.last().is_some_and(keeps));
        self.executions.retain(|_, row| row.at >= before);
    }

    /// Takes what happened in one of its markets; what it publishes goes to `feed`, `None` for the event as it came.
    pub(crate) fn show(
        &mut self,
        now: Timestamp,
        event: &MarketEvent,
        mut feed: impl FnMut(Option<MarketData>),
        out: &mut Vec<Output>,
    ) {
        let [bids, asks] = &mut self.shown[event.instrument.index()];
        let publish = |data: Option<MarketData>| {
            feed(data);
            let MarketData::Depth(depth) = data.unwrap_or(event.data) else { return };
            match depth.change {
                DepthChange::Set { side, price, qty } => {
                    let level = if side == Side::Buy { &mut *bids } else { &mut *asks };
                    match qty {
                        Qty::ZERO => drop(level.remove(&price)),
                        qty => drop(level.insert(price, qty)),
                    }
                }
                DepthChange::Clear => {
                    bids.clear();
                    asks.clear();
                }
                DepthChange::Gap => {}
            }
        };
        self.venue.show(now, event, publish, out);
        self.note(None, out);
    }

    /// The whole book of a market, as events that build it.
    pub(crate) fn snapshot(
        &self,
        now: Timestamp,
        instrument: InstrumentId,
        feed: &mut Vec<MarketEvent>,
    ) {
        let mut push = |change, last| {
            let data = MarketData::Depth(Depth { change, last });
            feed.push(MarketEvent { ts_event: now, ts_recv: now, instrument, data });
        };
        push(DepthChange::Clear, false);
        let [bids, asks] = &self.shown[instrument.index()];
        let bids = bids.iter().map(|(price, qty)| (Side::Buy, *price, *qty));
        let asks = asks.iter().map(|(price, qty)| (Side::Sell, *price, *qty));
        let levels: Vec<_> = bids.chain(asks).collect();
        for (at, (side, price, qty)) in levels.iter().copied().enumerate() {
            push(DepthChange::Set { side, price, qty }, at + 1 == levels.len());
        }
    }

    /// Best bid and ask as the feed has shown them so far.
    pub(crate) fn best_shown(&self, instrument: InstrumentId) -> Option<[(Price, Qty); 2]> {
        let [bids, asks] = &self.shown[instrument.index()];
        let (bid, ask) = (bids.last_key_value()?, asks.first_key_value()?);
        Some([(*bid.0, *bid.1), (*ask.0, *ask.1)])
    }

    /// Takes a request. A name that was used before is refused, as long as it is remembered.
    pub(crate) fn ask(&mut self, now: Timestamp, request: &Request, out: &mut Vec<Output>) {
        match request {
            Request::Place(place) if self.orders.contains_key(&place.id) => {
                out.push(Output::Order(OrderEvent {
                    id: place.id,
                    instrument: place.instrument,
                    ts_event: now,
                    kind: OrderEventKind::Rejected(RejectReason::DuplicateId),
                }));
            }
            Request::Place(place) => {
                self.venue.ask(now, request, out);
                self.note(Some(place), out);
            }
            _ => {
                self.venue.ask(now, request, out);
                self.note(None, out);
            }
        }
    }

    /// Refuses a request, whatever it is.
    pub(crate) fn refuse(
        &mut self,
        now: Timestamp,
        request: &Request,
        reason: RejectReason,
        out: &mut Vec<Output>,
    ) {
        let (id, instrument) = (request.id(), request.instrument());
        let (kind, placed) = match request {
            Request::Place(_) if self.orders.contains_key(&id) => {
                (OrderEventKind::Rejected(RejectReason::DuplicateId), None)
            }
            Request::Place(place) => (OrderEventKind::Rejected(reason), Some(place)),
            Request::Modify(_) => (OrderEventKind::ModifyRejected(reason), None),
            Request::Cancel(_) => (OrderEventKind::CancelRejected(reason), None),
        };
        out.push(Output::Order(OrderEvent { id, instrument, ts_event: now, kind }));
        self.note(placed, out);
    }

    /// Takes back an open order for the exchange's own reasons.
    pub(crate) fn cancel(&mut self, now: Timestamp, id: ClientOrderId, out: &mut Vec<Output>) {
        if let Some(row) = self.order(id).copied() {
            let cancel = tse_model::CancelOrder { id, instrument: row.instrument };
            self.ask(now, &Request::Cancel(cancel), out);
        }
    }

    /// Closes part of our position by force.
    pub(crate) fn force(
        &mut self,
        now: Timestamp,
        instrument: InstrumentId,
        most: Qty,
        out: &mut Vec<Output>,
    ) {
        self.venue.close_by_force(now, instrument, most, out);
        self.note(None, out);
    }

    /// Money comes in or goes out.
    pub(crate) fn transfer(
        &mut self,
        now: Timestamp,
        currency: CurrencyId,
        amount: Money,
        out: &mut Vec<Output>,
    ) {
        self.venue.transfer(now, currency, amount, out);
    }

    /// The time it asked for has come.
    pub(crate) fn wake(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        tse_model::Machine::step(&mut self.venue, now, crate::venue::Input::Wake, out);
        self.note(None, out);
    }

    /// Writes down what was done, once.
    fn note(&mut self, placed: Option<&PlaceOrder>, out: &[Output]) {
        for output in out {
            match output {
                Output::Order(event) => self.note_order(placed, event),
                Output::Account(event) => {
                    if let AccountEventKind::Liquidated { instrument, side, fill } = event.kind {
                        let (id, at) = (ClientOrderId(0), event.ts_event);
                        let row = ExecutionRow { id, instrument, side, at, fill, forced: true };
                        self.executions.insert(fill.exec, row);
                    }
                }
                Output::Feed(_) | Output::Statement(_) => {}
            }
        }
    }

    fn note_order(&mut self, placed: Option<&PlaceOrder>, event: &OrderEvent) {
        let new = |place: &PlaceOrder, venue_id, standing| OrderRow {
            id: place.id,
            venue_id,
            instrument: place.instrument,
            side: place.side,
            order_type: place.order_type,
            time_in_force: place.time_in_force,
            qty: place.qty,
            filled: Qty::ZERO,
            standing,
            updated: event.ts_event,
        };
        let placed = placed.filter(|place| place.id == event.id);
        let before = self.order(event.id).copied();
        let next = match (event.kind, placed, before) {
            (OrderEventKind::Accepted(venue_id), Some(place), None) => {
                new(place, venue_id, Standing::Open)
            }
            (OrderEventKind::Rejected(reason), Some(place), None) => {
                new(place, VenueOrderId(0), Standing::Rejected(reason))
            }
            (kind, _, Some(mut row)) => {
                row.updated = event.ts_event;
                match kind {
                    OrderEventKind::Filled(fill) => {
                        if self.executions.contains_key(&fill.exec) {
                            return;
                        }
                        let execution = ExecutionRow {
                            id: row.id,
                            instrument: row.instrument,
                            side: row.side,
                            at: event.ts_event,
                            fill,
                            forced: false,
                        };
                        self.executions.insert(fill.exec, execution);
                        row.filled += fill.qty;
                        if row.filled >= row.qty {
                            row.standing = Standing::Filled;
                        }
                    }
                    OrderEventKind::Modified { qty, price } => {
                        row.qty = qty;
                        row.order_type = match row.order_type {
                            OrderType::Limit(_) => OrderType::Limit(price),
                            OrderType::StopLimit { trigger, .. } => {
                                OrderType::StopLimit { trigger, limit: price }
                            }
                            other => other,
                        };
                        if row.filled >= row.qty {
                            row.standing = Standing::Filled;
                        }
                    }
                    OrderEventKind::Cancelled { reason, .. } => {
                        row.standing = Standing::Cancelled(reason);
                    }
                    OrderEventKind::Expired { .. } => row.standing = Standing::Expired,
                    _ => return,
                }
                row
            }
            _ => return,
        };
        self.orders.entry(event.id).or_default().push(next);
    }

    /// The answer to an inquiry. Orders and executions younger than `lag` are not in it yet.
    pub(crate) fn report(
        &self,
        now: Timestamp,
        inquiry: &Inquiry,
        lag: [Span; 2],
    ) -> Vec<Statement> {
        let mut lines = vec![Line::Begin { as_of: now }];
        for versions in self.orders.values() {
            let known = versions.iter().rev().find(|row| row.updated <= now - lag[0]);
            let listed =
                |row: &&OrderRow| row.standing == Standing::Open || row.updated >= inquiry.since;
            lines.extend(known.filter(listed).copied().map(Line::Order));
        }
        let executions = self.executions.values();
        let listed = |row: &&ExecutionRow| row.at >= inquiry.since && row.at <= now - lag[1];
        lines.extend(executions.filter(listed).copied().map(Line::Execution));
        let account = self.venue.account().portfolio();
        for it in self.catalog.instruments() {
            if it.venue != self.venue.id() || it.settlement != Settlement::Difference {
                continue;
            }
            if let Some(position) = account.position(HOLDER, it.id).filter(|it| !it.is_flat()) {
                let (qty, cost) = (position.qty(), position.cost());
                lines.push(Line::Position { instrument: it.id, qty, cost });
            }
        }
        for at in 0..self.catalog.currencies().len() {
            let currency = CurrencyId(at as u16);
            let amount = account.balance(self.venue.id(), currency);
            lines.push(Line::Balance { currency, amount });
        }
        lines.push(Line::End);
        let number = inquiry.number;
        lines.into_iter().map(|line| Statement { number, line }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::stage;
    use tse_model::{OrderType, TimeInForce};

    #[test]
    fn what_has_ended_is_forgotten_after_a_while_and_what_is_open_never() {
        let catalog = stage::catalog();
        let mut exchange = Exchange::new(&catalog, &stage::exchanges(&catalog)[0]);
        let at = |seconds| Timestamp::EPOCH + Span::from_secs(seconds);
        let place = |id| PlaceOrder {
            id: ClientOrderId(id),
            strategy: StrategyId(0),
            instrument: InstrumentId(0),
            side: Side::Buy,
            order_type: OrderType::Limit(Price::new(100)),
            time_in_force: TimeInForce::Gtc,
            qty: Qty::new(1),
            display: None,
            post_only: false,
            reduce_only: false,
            group: tse_model::GroupId(0),
        };
        let mut words = Vec::new();
        for (id, ended) in [(1, Some(10)), (2, Some(20)), (3, None)] {
            exchange.ask(at(0), &Request::Place(place(id)), &mut words);
            assert!(exchange.order(ClientOrderId(id)).is_some(), "{words:?}");
            words.clear();
            if let Some(seconds) = ended {
                exchange.cancel(at(seconds), ClientOrderId(id), &mut words);
            }
            words.clear();
        }
        exchange.forget(at(20));
        let known = [1, 2, 3].map(|id| exchange.order(ClientOrderId(id)).is_some());
        assert_eq!(known, [false, true, true]);
    }
}
