//! What we ask of a venue: place, change, take back.
//!
//! An order is reviewed against the venue's own books before it meets the market: what it may cost at
//! worst must be free, and is set aside until the order ends. On a cash account a buy that sleeps is
//! reckoned a twentieth dearer than its trigger, and goes no further than that when it wakes.

use super::{DAY, Open, Venue};
use crate::history::{Market, OURS};
use tse_matching::{NewOrder, SelfTrade};
use tse_model::{
    CancelOrder, CancelReason, CurrencyId, Instrument, InstrumentId, ModifyOrder, Money,
    OrderEventKind, OrderType, PlaceOrder, Price, Qty, RejectReason, Settlement, Side, TimeInForce,
    Timestamp, TradingStatus, VenueOrderId,
};
use tse_risk::{Book, hold_of};

use super::Output;

/// A stop may cost this part more than its trigger says.
const SLIP: i64 = 20;

/// What an order sets aside, and how far it may go where it has no limit.
#[derive(Clone, Copy, Debug)]
struct Terms {
    currency: CurrencyId,
    needed: Money,
    protection: Option<Price>,
}

impl Venue {
    pub(super) fn on_place(&mut self, now: Timestamp, place: &PlaceOrder, out: &mut Vec<Output>) {
        let taken = self.review(place).and_then(|terms| self.accept(now, place, terms, out));
        if let Err(reason) = taken {
            let kind = OrderEventKind::Rejected(reason);
            out.push(self.say(now, place.id, place.instrument, kind));
        }
    }

    /// Everything that refuses an order before it meets the book, and what it sets aside.
    fn review(&self, place: &PlaceOrder) -> Result<Terms, RejectReason> {
        let it =
            self.catalog.get_instrument(place.instrument).ok_or(RejectReason::UnknownInstrument)?;
        if self.market(place.instrument).is_none() {
            return Err(RejectReason::UnknownInstrument);
        }
        if self.by_id.contains(place.id.0) {
            return Err(RejectReason::DuplicateId);
        }
        if self.status[place.instrument.index()] != TradingStatus::Open {
            return Err(RejectReason::MarketClosed);
        }
        if !it.listed {
            return Err(RejectReason::UnknownInstrument);
        }
        if !it.takes_qty(place.qty) {
            return Err(RejectReason::QuantityOutOfRange);
        }
        let prices = match place.order_type {
            OrderType::Market => [None, None],
            OrderType::Limit(price) | OrderType::Stop(price) | OrderType::TrailingStop(price) => {
                [Some(price), None]
            }
            OrderType::StopLimit { trigger, limit } => [Some(trigger), Some(limit)],
        };
        if prices.into_iter().flatten().any(|price| !takes_price(it, price)) {
            return Err(RejectReason::PriceOutOfRange);
        }
        let terms = self.terms(it, place, self.book(place.instrument))?;
        if terms.needed > self.free(terms.currency).ok_or_else(|| refusal(it))? {
            return Err(refusal(it));
        }
        Ok(terms)
    }

    /// The account's position and open orders in an instrument.
    fn book(&self, instrument: InstrumentId) -> Book {
        let open = self.working[instrument.index()];
        Book { position: self.account.position(instrument), open, orders: 0 }
    }

    fn free(&self, currency: CurrencyId) -> Option<Money> {
        self.account.free(&self.catalog, currency, |id| self.mark(id))
    }

    /// What an order sets aside beside everything else that is open.
    fn terms(
        &self,
        it: &Instrument,
        place: &PlaceOrder,
        others: Book,
    ) -> Result<Terms, RejectReason> {
        let reduces = place.qty <= others.closable(place.side);
        if place.reduce_only && !reduces {
            return Err(RejectReason::ReduceOnlyWouldIncrease);
        }
        // What is open on a side fits an `i64`, also where it waits outside the book.
        let all = others.open[place.side.index()].checked_add(place.qty);
        all.ok_or(RejectReason::QuantityOutOfRange)?;
        let market = self.market(it.id).ok_or(RejectReason::UnknownInstrument)?;
        let price = worst_price(place, market).ok_or(RejectReason::NoLiquidity)?;
        // Money is there once: what a cash account may pay is bounded.
        let bounded = it.settlement == Settlement::Delivery && place.side == Side::Buy;
        let sleeps = matches!(place.order_type, OrderType::Stop(_) | OrderType::TrailingStop(_));
        let protection = (bounded && sleeps)
            .then(|| price.saturating_add(Price::new((price.get().abs() / SLIP).max(1))));
        let price = protection.unwrap_or(price);
        let value = it.value(price, place.qty).and_then(|value| value.money.checked_abs());
        let value = value.ok_or(RejectReason::PriceOutOfRange)?;
        if value < it.notional_min && !reduces {
            return Err(RejectReason::NotionalTooSmall);
        }
        let held = hold_of(it, place, price, value, &others).ok_or_else(|| refusal(it))?;
        Ok(Terms { currency: held.currency, needed: held.amount, protection })
    }

    fn accept(
        &mut self,
        now: Timestamp,
        place: &PlaceOrder,
        terms: Terms,
        out: &mut Vec<Output>,
    ) -> Result<(), RejectReason> {
        let slot = self.free_slot();
        let order = NewOrder {
            owner: OURS,
            tag: u64::from(slot),
            side: place.side,
            order_type: place.order_type,
            time_in_force: place.time_in_force,
            qty: place.qty,
            display: place.display,
            post_only: place.post_only,
            self_trade: SelfTrade::CancelNew,
            protection: terms.protection,
        };
        let market = self.markets[place.instrument.index()].as_mut().expect("it was reviewed");
        let mut reports = std::mem::take(&mut self.reports);
        let placed = market.place(now, order, &mut reports);
        if placed.is_err() {
            reports.clear();
        }
        self.reports = reports;
        if placed.is_err() {
            self.free.push(slot);
        }
        placed?;
        let expires = match place.time_in_force {
            TimeInForce::Gtd(at) => Some(at),
            TimeInForce::Day => Some(now.floor(DAY) + DAY),
            TimeInForce::Gtc | TimeInForce::Ioc | TimeInForce::Fok => None,
        };
        self.open[slot as usize] = Some(Open {
            request: *place,
            handle: None,
            leaves: place.qty,
            filled: Qty::ZERO,
            reserved: terms.needed,
            reserved_in: terms.currency,
            limit: place.order_type.limit(),
            expires,
        });
        self.account.reserve(terms.currency, Money::ZERO, terms.needed);
        self.working[place.instrument.index()][place.side.index()] += place.qty;
        self.reducing += usize::from(place.reduce_only);
        self.by_id.insert(place.id.0, slot);
        if let Some(at) = expires {
            self.expiries.insert((at, slot), place.id);
        }
        let venue_id = VenueOrderId(self.next_order);
        self.next_order += 1;
        let kind = OrderEventKind::Accepted(venue_id);
        out.push(self.say(now, place.id, place.instrument, kind));
        self.tell(now, place.instrument, out);
        self.trim_reducing(now, place.instrument, place.side, out);
        Ok(())
    }

    fn free_slot(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.open.push(None);
            (self.open.len() - 1) as u32
        })
    }

    /// Orders that must not enlarge a position go, the youngest first, once more is open on their side
    /// than there is to close.
    fn trim_reducing(
        &mut self,
        now: Timestamp,
        instrument: InstrumentId,
        side: Side,
        out: &mut Vec<Output>,
    ) {
        while self.reducing > 0 {
            let held = -self.account.position(instrument).signed(side);
            if self.working[instrument.index()][side.index()] <= held {
                return;
            }
            let reducing = |open: &Open| {
                let it = &open.request;
                it.reduce_only && it.instrument == instrument && it.side == side
            };
            let open = self.open.iter().enumerate();
            let open = open.filter_map(|(slot, open)| Some((slot, open.as_ref()?)));
            let open = open.filter(|(_, open)| reducing(open));
            let Some((slot, _)) = open.max_by_key(|(_, open)| open.request.id) else { return };
            self.cancel_slot(now, slot as u32, CancelReason::ReduceOnly, out);
        }
    }

    pub(super) fn on_cancel(
        &mut self,
        now: Timestamp,
        cancel: &CancelOrder,
        out: &mut Vec<Output>,
    ) {
        match self.by_id.get(cancel.id.0).copied() {
            Some(slot) => self.cancel_slot(now, slot, CancelReason::Requested, out),
            None => {
                let kind = OrderEventKind::CancelRejected(RejectReason::UnknownOrder);
                out.push(self.say(now, cancel.id, cancel.instrument, kind));
            }
        }
    }

    pub(super) fn cancel_slot(
        &mut self,
        now: Timestamp,
        slot: u32,
        reason: CancelReason,
        out: &mut Vec<Output>,
    ) {
        let Some(open) = self.open[slot as usize] else { return };
        let instrument = self.withdraw(slot);
        let kind = OrderEventKind::Cancelled { reason, filled: Some(open.filled) };
        out.push(self.say(now, open.request.id, instrument, kind));
    }

    /// Takes an open order out of its market, without a word. Returns which.
    pub(super) fn withdraw(&mut self, slot: u32) -> InstrumentId {
        let open = self.open[slot as usize].expect("who takes an order back knows it is open");
        let instrument = open.request.instrument;
        if let Some(market) = self.markets[instrument.index()].as_mut() {
            match open.handle {
                Some(handle) => {
                    let mut silent = std::mem::take(&mut self.reports);
                    let _ = market.book.cancel(handle, &mut silent);
                    silent.clear();
                    self.reports = silent;
                    market.left(open.request.side, handle);
                }
                None => market.stop_waiting(u64::from(slot)),
            }
        }
        self.close(slot);
        instrument
    }

    /// Forgets an order that has ended, and frees what it set aside.
    pub(super) fn close(&mut self, slot: u32) {
        let Some(open) = self.open[slot as usize].take() else { return };
        let request = open.request;
        self.account.reserve(open.reserved_in, open.reserved, Money::ZERO);
        self.working[request.instrument.index()][request.side.index()] -= open.leaves;
        self.reducing -= usize::from(request.reduce_only);
        self.by_id.remove(request.id.0);
        if let Some(at) = open.expires {
            self.expiries.remove(&(at, slot));
        }
        self.free.push(slot);
    }

    pub(super) fn on_modify(
        &mut self,
        now: Timestamp,
        modify: &ModifyOrder,
        out: &mut Vec<Output>,
    ) {
        if let Err(reason) = self.try_modify(now, modify, out) {
            let kind = OrderEventKind::ModifyRejected(reason);
            out.push(self.say(now, modify.id, modify.instrument, kind));
        }
    }

    fn try_modify(
        &mut self,
        now: Timestamp,
        modify: &ModifyOrder,
        out: &mut Vec<Output>,
    ) -> Result<(), RejectReason> {
        let slot = *self.by_id.get(modify.id.0).ok_or(RejectReason::UnknownOrder)?;
        let open = self.open[slot as usize].ok_or(RejectReason::UnknownOrder)?;
        let (id, side) = (open.request.instrument, open.request.side);
        if self.status[id.index()] != TradingStatus::Open {
            return Err(RejectReason::MarketClosed);
        }
        let it = self.catalog.instrument(id);
        let leaves = modify.qty.checked_sub(open.filled).filter(|leaves| leaves.is_positive());
        let leaves = leaves.ok_or(RejectReason::QuantityOutOfRange)?;
        if !it.takes_qty(modify.qty) {
            return Err(RejectReason::QuantityOutOfRange);
        }
        if modify.price.is_some_and(|price| !takes_price(it, price)) {
            return Err(RejectReason::PriceOutOfRange);
        }
        if modify.price.is_some() && open.limit.is_none() {
            return Err(RejectReason::UnsupportedType);
        }
        let limit = modify.price.or(open.limit);
        let order_type = match (open.request.order_type, limit) {
            (OrderType::StopLimit { trigger, .. }, Some(limit)) => {
                OrderType::StopLimit { trigger, limit }
            }
            (OrderType::Limit(_), Some(limit)) => OrderType::Limit(limit),
            (order_type, _) => order_type,
        };
        let mut others = self.book(id);
        others.open[side.index()] -= open.leaves;
        let changed = PlaceOrder { qty: leaves, order_type, ..open.request };
        let terms = self.terms(it, &changed, others)?;
        // What the order has set aside already is there for its change.
        let more = terms.needed.checked_sub(open.reserved).ok_or_else(|| refusal(it))?;
        if more > Money::ZERO && more > self.free(terms.currency).ok_or_else(|| refusal(it))? {
            return Err(refusal(it));
        }
        let market = self.markets[id.index()].as_mut().ok_or(RejectReason::UnknownInstrument)?;
        let Some(handle) = open.handle else {
            let waiting = market.waiting_mut(u64::from(slot)).ok_or(RejectReason::UnknownOrder)?;
            (waiting.qty, waiting.order_type) = (leaves, order_type);
            self.note_change(now, slot, modify.qty, leaves, order_type, terms.needed, out);
            return Ok(());
        };
        let mut reports = std::mem::take(&mut self.reports);
        let moved = market.modify(side, handle, leaves, modify.price, &mut reports);
        if moved.is_err() {
            reports.clear();
        }
        self.reports = reports;
        moved?;
        self.note_change(now, slot, modify.qty, leaves, order_type, terms.needed, out);
        self.tell(now, id, out);
        self.trim_reducing(now, id, side, out);
        Ok(())
    }

    #[allow(clippy::too_many_arguments, reason = "all that changes, once")]
    fn note_change(
        &mut self,
        now: Timestamp,
        slot: u32,
        qty: Qty,
        leaves: Qty,
        order_type: OrderType,
        reserved: Money,
        out: &mut Vec<Output>,
    ) {
        let Some(open) = &mut self.open[slot as usize] else { return };
        let request = PlaceOrder { qty, order_type, ..open.request };
        let before = std::mem::replace(&mut open.reserved, reserved);
        let change = leaves - open.leaves;
        (open.leaves, open.limit, open.request) = (leaves, order_type.limit(), request);
        self.account.reserve(open.reserved_in, before, reserved);
        self.working[request.instrument.index()][request.side.index()] += change;
        let price = match order_type {
            OrderType::Limit(price) | OrderType::StopLimit { limit: price, .. } => price,
            OrderType::Stop(price) | OrderType::TrailingStop(price) => price,
            OrderType::Market => Price::ZERO,
        };
        let kind = OrderEventKind::Modified { qty, price };
        out.push(self.say(now, request.id, request.instrument, kind));
    }
}

fn takes_price(it: &Instrument, price: Price) -> bool {
    price >= -it.price_max && price <= it.price_max && it.is_on_price_step(price)
}

fn refusal(it: &Instrument) -> RejectReason {
    match it.settlement {
        Settlement::Difference => RejectReason::InsufficientMargin,
        Settlement::Delivery => RejectReason::InsufficientBalance,
    }
}

/// The worst price an order may trade at, as far as that can be said now.
fn worst_price(place: &PlaceOrder, market: &Market) -> Option<Price> {
    match place.order_type {
        OrderType::Limit(price)
        | OrderType::StopLimit { limit: price, .. }
        | OrderType::Stop(price) => Some(price),
        OrderType::Market => market.reach(place.side, place.qty),
        OrderType::TrailingStop(offset) => {
            let far = || market.best(place.side.opposite()).map(|(price, _)| price);
            let now = market.book.last_price().or_else(far)?;
            // A buy wakes this much above the lowest price; a sell is worth no more than now.
            Some(if place.side == Side::Buy { now.saturating_add(offset) } else { now })
        }
    }
}
