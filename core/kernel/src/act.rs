//! From wishes to orders: every road leads through the gate.
//!
//! An intent becomes one or more order drafts; each draft is reviewed with everything already open
//! counted at its worst, booked as an open order, and only then sent. Legs of a group are booked one
//! after the other and sent together, or not at all. A change is reviewed like a new order of what it
//! leaves, and counts beside the old order until the venue has answered.

use crate::answer::without;
use crate::kernel::{Kernel, Notice};
use crate::life::{Evidence, Life, Step};
use crate::message::Output;
use crate::orders::{Change, Order, Slot, limited};
use crate::plant::Plant;
use crate::repeats::key;
use tse_model::{
    CancelOrder, ClientOrderId, GroupId, InstrumentId, ModifyOrder, Money, OrderType, PlaceOrder,
    Price, Qty, Request, Settlement, Side, Span, StrategyId, Timestamp,
};
use tse_risk::{Approved, Lag, Level, Refusal, Scene, SelfTrade, review};
use tse_strategy::{Desk, Intent, Intents, OrderWish, Outcome, QuoteLevel, Reversal, UpdateKind};

impl Kernel {
    /// Carries out what `strategy` wished for, in the order it was wished.
    pub(crate) fn carry_out(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        wish: &Intents,
        out: &mut Vec<Output>,
    ) {
        for intent in wish.list() {
            match *intent {
                Intent::Order(order) => self.place(now, strategy, order, out),
                Intent::Cancel(id) => self.cancel_own(strategy, id, out),
                Intent::Modify { id, qty, price } => {
                    self.modify(now, strategy, id, qty, price, out);
                }
                Intent::CancelAll(instrument) => self.cancel_all(strategy, instrument, out),
                Intent::Target { instrument, position, reversal } => {
                    self.target(now, strategy, instrument, position, reversal, out);
                }
                Intent::Quote { instrument, from, count, tolerance } => {
                    let levels = wish.levels(from, count);
                    self.quote(now, strategy, instrument, levels, tolerance, out);
                }
                Intent::Group { from, count } => {
                    self.group(now, strategy, wish.legs(from, count), out)
                }
                // At once is a moment later, or a strategy could keep this moment from ending.
                Intent::Wake(span) => {
                    self.set_alarm(now + span.max(Span::from_nanos(1)), strategy);
                }
                Intent::Saw(opportunity) => {
                    if opportunity.outcome == Outcome::Detected {
                        self.counts.opportunities += 1;
                    }
                    out.push(Output::Saw(strategy, opportunity));
                }
            }
        }
    }

    pub(crate) fn draft(
        &mut self,
        strategy: StrategyId,
        group: GroupId,
        wish: OrderWish,
    ) -> PlaceOrder {
        PlaceOrder {
            id: self.state.orders.name(strategy),
            instrument: wish.instrument,
            strategy,
            group,
            side: wish.side,
            order_type: wish.order_type,
            time_in_force: wish.time_in_force,
            qty: wish.qty,
            display: wish.display,
            post_only: wish.post_only,
            reduce_only: wish.reduce_only,
        }
    }

    fn place(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        wish: OrderWish,
        out: &mut Vec<Output>,
    ) {
        if let Some(slot) = self.book_order(now, strategy, GroupId(0), wish, out) {
            self.release(slot, out);
        }
    }

    /// Legs that are all approved are sent together; if one is refused, none is.
    fn group(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        legs: &[OrderWish],
        out: &mut Vec<Output>,
    ) {
        self.groups += 1;
        let group = GroupId(self.groups);
        for leg in legs {
            match self.book_order(now, strategy, group, *leg, out) {
                Some(slot) => self.leg_slots.push(slot),
                None => break,
            }
        }
        let mut booked = std::mem::take(&mut self.leg_slots);
        let complete = booked.len() == legs.len();
        if !complete {
            self.repeats.undo(booked.len());
        }
        for slot in &booked {
            if complete {
                self.release(*slot, out);
            } else {
                self.withdraw(now, *slot, out);
            }
        }
        booked.clear();
        self.leg_slots = booked;
    }

    /// Reviews a draft and books it as an open order; `None` if it was refused.
    fn book_order(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        group: GroupId,
        wish: OrderWish,
        out: &mut Vec<Output>,
    ) -> Option<Slot> {
        let draft = self.draft(strategy, group, wish);
        let slot = self.book_draft(now, draft, wish.order_type, false, out);
        if slot.is_none() {
            self.notices.push_back(Notice { strategy, order: draft, kind: UpdateKind::Denied });
        }
        slot
    }

    /// The same for a draft, of whoever; `closing` if it closes a position that the kill switch wants closed.
    #[inline]
    pub(crate) fn book_draft(
        &mut self,
        now: Timestamp,
        draft: PlaceOrder,
        asked: OrderType,
        closing: bool,
        out: &mut Vec<Output>,
    ) -> Option<Slot> {
        let key = key(&draft);
        let approved = self.review(now, draft, key, None, closing, out)?;
        let (held, request) = (approved.reserve(), approved.into_inner());
        let instrument = self.state.catalog.instrument(request.instrument);
        let venue = instrument.venue;
        let (reserved, reserved_in) =
            held.map_or((Money::ZERO, instrument.settle), |held| (held.amount, held.currency));
        let order = Order::new(request, asked, Life::Approved, now, reserved_in);
        let slot = self.state.orders.insert(Order { reserved, ..order });
        self.state.add_reserve(venue, reserved_in, reserved);
        self.repeats.note(now, key);
        Some(slot)
    }

    /// Reviews a draft, which may be what an open order is to become: then that order does not stand
    /// in its own way. Says why, if it is refused.
    #[cfg_attr(feature = "open", expect(unused, reason = "nothing is looked at"))]
    fn review(
        &mut self,
        now: Timestamp,
        draft: PlaceOrder,
        key: u64,
        replaced: Option<Slot>,
        closing: bool,
        out: &mut Vec<Output>,
    ) -> Option<Approved<PlaceOrder>> {
        #[cfg(feature = "open")]
        return Some(tse_risk::wave_through(draft));
        let too_many = self.too_many(now, &draft);
        let per_trade = self.per_trade(now, &draft);
        let mut waived = std::mem::take(&mut self.waived);
        waived.clear();
        if !closing {
            self.waived_for(now, &draft, &mut waived);
        }
        let mut exposed = std::mem::take(&mut self.exposed);
        exposed.clear();
        let unmeasured = self.exposures_after(now, &draft, replaced, &mut exposed);
        let state = &self.state;
        let instrument = state.catalog.instrument(draft.instrument);
        let market = &state.markets[draft.instrument.index()];
        let limits = state.limits.scoped(draft.strategy, draft.instrument);
        let small;
        // What the kill switch closes does not begin small.
        let limits = match self.ramp_share(now, draft.strategy) {
            Some(share) if !closing => {
                small = limits.shared(share);
                &small
            }
            _ => limits,
        };
        let repeats = match limits.strategy().repeats {
            Some(limit) => self.repeats.count(now, limit.window, key),
            None => 0,
        };
        let currency = match (instrument.settlement, draft.side) {
            (Settlement::Delivery, Side::Sell) => instrument.base,
            _ => instrument.settle,
        };
        let mut strategy = state.book(draft.instrument, Some(draft.strategy));
        let mut account = state.book(draft.instrument, None);
        let mut free = state.free_funds(instrument.venue, currency);
        if self.has(Plant::UnknownUncounted) {
            for side in Side::BOTH {
                for (_, order) in state.orders.open(draft.instrument, side) {
                    if order.life == Life::Unknown {
                        account = without(account, order);
                        if order.request.strategy == draft.strategy {
                            strategy = without(strategy, order);
                        }
                    }
                }
            }
        }
        if let Some(order) = replaced.map(|slot| state.orders.get(slot)) {
            (strategy, account) = (without(strategy, order), without(account, order));
            free = free.and_then(|free| free.checked_add(order.reserved));
        }
        let scene = Scene {
            instrument,
            quote: &market.quote,
            age: market.age(now),
            #[cfg(feature = "plant")]
            without: self.without,
            level: match self.has(Plant::SwitchIgnored) {
                true => Level::Free,
                false => self.level(draft.strategy, draft.instrument),
            },
            closing,
            armed: state.armed,
            allowed: state.allows(draft.strategy, draft.instrument),
            too_many,
            per_trade,
            unvalued: self.loss_watch.as_ref().and_then(|it| it.unvalued(draft.strategy)),
            in_flight: self.in_flight_after(instrument.venue, replaced),
            valid: market.valid,
            open: market.open,
            latched: state.portfolio.latched().is_some(),
            reconciled: state.is_reconciled(instrument.venue) || self.has(Plant::TradesUncompared),
            nearly_full: state.low,
            lag: self
                .lag_max
                .filter(|limit| state.lag > *limit)
                .map(|limit| Lag { lag: state.lag, limit }),
            exposed: &exposed,
            counted_in: self.exposure_watch.as_ref().map_or(currency, |it| it.currency()),
            unmeasured,
            clock: self.clock.trouble(now, instrument.venue),
            swing: self.swung(now, draft.instrument),
            attributed: self.is_attributed(draft.strategy, closing),
            waived: &waived,
            strategy,
            account,
            limits,
            repeats,
            own_opposite: state.own_best(draft.instrument, draft.side.opposite()),
            free,
        };
        if let Some(trace) = self.trace.as_mut().filter(|trace| trace.is_of(draft.id)) {
            trace.note(now, draft, &scene, |currency| state.catalog.currency(currency).scale);
        }
        self.refusals.clear();
        let mut approved = review(draft, &scene, &mut self.refusals);
        let (mode, own_opposite) = (limits.strategy().self_trade, scene.own_opposite);
        (self.exposed, self.waived) = (exposed, waived);
        if let (Some(sent), Some(own)) = (&approved, own_opposite)
            && reaches(sent.get(), own)
        {
            // Approved although it reaches our own order: then the old ones go first (C14). What has
            // not left yet cannot go, such as a leg of the same group: it stays, and this does not.
            let sent_qty = sent.get().qty;
            self.clear_way(sent.get(), out);
            let left = self.state.own_best(draft.instrument, draft.side.opposite());
            if let Some(own) = left.filter(|own| reaches(sent.get(), *own)) {
                self.refusals.push(Refusal::SelfTrade { own });
                approved = None;
            } else if !closing
                && sent_qty > strategy.closable(draft.side).min(account.closable(draft.side))
            {
                // Those cancels count, and there may be no message left for the order.
                if let Some((scope, (after, limit))) = self.too_many(now, &draft) {
                    self.refusals.push(Refusal::TooManyMessages { scope, after, limit });
                } else if let Some((scope, (after, limit))) = self.per_trade(now, &draft) {
                    self.refusals.push(Refusal::OrderToTrade { scope, after, limit });
                }
                approved = approved.filter(|_| self.refusals.is_empty());
            }
        } else if mode == SelfTrade::CancelBoth
            && matches!(self.refusals[..], [Refusal::SelfTrade { .. }])
        {
            // Nothing else stood in its way: then the old ones go too (C14).
            self.clear_way(&draft, out);
        }
        if let Some(waived) = approved.as_ref().and_then(Approved::waived) {
            self.set_permit_aside(now, &draft, waived);
        }
        if let Some(refusal) = self.refusals.first().copied() {
            self.counts.denied += 1;
            out.push(Output::Denied {
                strategy: draft.strategy,
                instrument: draft.instrument,
                side: draft.side,
                refusal,
                reasons: self.refusals.len() as u32,
            });
            self.count_denied(now, &draft, out);
        }
        approved
    }

    /// Takes back our own orders that `draft` could trade with.
    fn clear_way(&mut self, draft: &PlaceOrder, out: &mut Vec<Output>) {
        let in_the_way = |order: &Order| {
            order.request.side != draft.side
                && order.keenest().is_none_or(|price| reaches(draft, price))
        };
        self.cancel_where(draft.instrument, in_the_way, out);
    }

    /// Hands an approved order to its venue.
    pub(crate) fn release(&mut self, slot: Slot, out: &mut Vec<Output>) {
        if let Step::To(life) = self.state.orders.get(slot).life.after(Evidence::Released) {
            self.state.orders.live_on(slot, life);
        }
        let order = self.state.orders.get(slot);
        let request = order.request;
        let made = order.made;
        self.use_permit(request.id, out);
        let venue = self.state.catalog.instrument(request.instrument).venue;
        self.counts.orders += 1;
        if let Some(first) = self.first_order.get_mut(request.strategy.index()) {
            first.get_or_insert(made);
        }
        self.hash.word(request.id.0.rotate_left(16) ^ u64::from(request.strategy.0));
        self.hash.word(u64::from(request.instrument.0) << 8 | request.side.index() as u64);
        self.hash.int(request.order_type.limit().map_or(i64::MIN, |price| price.get()));
        self.hash.int(request.qty.get());
        self.answers.push_back((made + self.answer_timeout, request.id));
        self.count_message(venue, request.strategy);
        out.push(Output::Send(venue, Request::Place(request)));
    }

    /// Holds an approved order back: another leg of its group was refused.
    fn withdraw(&mut self, now: Timestamp, slot: Slot, out: &mut Vec<Output>) {
        self.state.set_reserve(slot, Money::ZERO);
        let order = self.state.orders.get_mut(slot);
        order.changed = now;
        if let Step::To(life) = order.life.after(Evidence::Withheld) {
            let request = order.request;
            self.give_permit_back(request.id);
            self.state.orders.end(slot, life);
            self.counts.denied += 1;
            out.push(Output::Denied {
                strategy: request.strategy,
                instrument: request.instrument,
                side: request.side,
                refusal: Refusal::Group,
                reasons: 1,
            });
            out.push(Output::Ended(request.id));
        }
    }

    fn cancel_own(&mut self, strategy: StrategyId, id: ClientOrderId, out: &mut Vec<Output>) {
        if let Some(slot) = self.state.orders.find(id)
            && self.state.orders.get(slot).request.strategy == strategy
        {
            self.cancel(slot, out);
        }
    }

    /// Sends a cancel, unless one is on its way, there is nothing to cancel, or nobody would hear it.
    pub(crate) fn cancel(&mut self, slot: Slot, out: &mut Vec<Output>) {
        let order = self.state.orders.get_mut(slot);
        let (id, instrument) = (order.request.id, order.request.instrument);
        let venue = self.state.catalog.instrument(instrument).venue;
        let there = order.life.is_live() && order.life != Life::Approved;
        if order.cancelling || !there || !self.state.is_linked(venue) {
            return;
        }
        let order = self.state.orders.get_mut(slot);
        order.cancelling = true;
        order.asked_at = self.now;
        let strategy = order.request.strategy;
        self.counts.cancels += 1;
        self.hash.word(id.0.rotate_left(16) ^ 0xFFFF);
        self.count_message(venue, strategy);
        out.push(Output::Send(venue, Request::Cancel(CancelOrder { id, instrument })));
    }

    pub(crate) fn cancel_all(
        &mut self,
        strategy: StrategyId,
        instrument: InstrumentId,
        out: &mut Vec<Output>,
    ) {
        self.cancel_where(instrument, |order| order.request.strategy == strategy, out);
    }

    /// Asks for another total quantity and limit price of an open order.
    ///
    /// What only shrinks at the same price needs no review. Until the venue has answered, limits and
    /// money count the larger of what it was and what it may be. One change is on its way at a time:
    /// a second one is dropped, and so is one for an order that is ending or that nobody can vouch for.
    fn modify(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        id: ClientOrderId,
        qty: Qty,
        price: Option<Price>,
        out: &mut Vec<Output>,
    ) {
        let Some(slot) = self.state.orders.find(id) else { return };
        let order = self.state.orders.get(slot);
        let PlaceOrder { instrument, order_type, .. } = order.request;
        let venue = self.state.catalog.instrument(instrument).venue;
        let settled = matches!(order.life, Life::Sent | Life::Working)
            && !order.cancelling
            && order.change.is_none();
        if order.request.strategy != strategy || !settled || !self.state.is_linked(venue) {
            return;
        }
        if qty <= order.filled {
            return self.cancel(slot, out); // nothing would be left of it
        }
        let price = price.filter(|price| order.price().is_some_and(|now| now != *price));
        if price.is_none() && qty == order.request.qty {
            return; // it is that already
        }
        let shrinks = price.is_none() && qty < order.request.qty;
        let leaves = qty - order.filled;
        let draft = PlaceOrder {
            qty: leaves,
            order_type: price.map_or(order_type, |price| limited(order_type, price)),
            display: order.request.display.map(|display| display.min(leaves)),
            ..order.request
        };
        // Nothing but cancels is sent then, also where an order only shrinks.
        let level = self.level(strategy, instrument);
        if shrinks && (level >= Level::Halt || !self.state.armed) {
            let refusal = match self.state.armed {
                true => Refusal::Killed { level },
                false => Refusal::Disarmed,
            };
            return self.deny_change(draft, refusal, out);
        }
        // The venue looks at the whole quantity, also where an order only shrinks.
        let it = self.state.catalog.instrument(instrument);
        if !it.listed || !it.takes_qty(qty) {
            let what = match (it.listed, it.is_on_qty_step(qty)) {
                (false, _) => "instrument that is no longer listed",
                (_, false) => "quantity between two steps",
                _ => "quantity",
            };
            return self.deny_change(draft, Refusal::Invalid { what }, out);
        }
        if !shrinks {
            let key = key(&draft);
            if self.review(now, draft, key, Some(slot), false, out).is_none() {
                let kind = UpdateKind::ModifyDenied;
                self.notices.push_back(Notice { strategy, order: draft, kind });
                return;
            }
            self.repeats.note(now, key);
            self.use_permit(id, out);
        }
        self.state.orders.ask(slot, Change { qty, price });
        let asked_before = self.state.orders.next_ordinal();
        let order = self.state.orders.get_mut(slot);
        (order.asked_at, order.asked_before) = (now, asked_before);
        self.state.hold_for(slot, true);
        self.counts.modifies += 1;
        self.count_message(venue, strategy);
        self.hash.word(id.0.rotate_left(16) ^ 0xFFFE);
        self.hash.int(qty.get());
        self.hash.int(price.map_or(i64::MIN, |price| price.get()));
        out.push(Output::Send(venue, Request::Modify(ModifyOrder { id, instrument, qty, price })));
    }

    fn deny_change(&mut self, draft: PlaceOrder, refusal: Refusal, out: &mut Vec<Output>) {
        let PlaceOrder { strategy, instrument, side, .. } = draft;
        self.counts.denied += 1;
        out.push(Output::Denied { strategy, instrument, side, refusal, reasons: 1 });
        let kind = UpdateKind::ModifyDenied;
        self.notices.push_back(Notice { strategy, order: draft, kind });
    }

    /// Trades what is missing to a position, with what is already on its way counted.
    fn target(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        instrument: InstrumentId,
        position: Qty,
        reversal: Reversal,
        out: &mut Vec<Output>,
    ) {
        let held = self.state.position(strategy, instrument);
        let (open, _) = self.state.orders.totals(instrument, Some(strategy));
        let expected = held.checked_add(open[0]).and_then(|sum| sum.checked_sub(open[1]));
        let Some(missing) = expected.and_then(|expected| position.checked_sub(expected)) else {
            return;
        };
        let Some(side) = Side::of(missing) else { return };
        let held_side = Side::of(held);
        let crosses = held_side.is_some_and(|held| held != side) && missing.abs() > held.abs();
        if reversal == Reversal::CloseThenEnter && crosses && open == [Qty::ZERO; 2] {
            self.place(now, strategy, OrderWish::market(instrument, side, held.abs()), out);
            let rest = missing.abs() - held.abs();
            self.place(now, strategy, OrderWish::market(instrument, side, rest), out);
        } else {
            self.place(now, strategy, OrderWish::market(instrument, side, missing.abs()), out);
        }
    }

    /// Makes a strategy's open orders in a market equal the wanted levels: what fits stays, what is
    /// off is cancelled, what is missing is placed.
    fn quote(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        instrument: InstrumentId,
        levels: &[QuoteLevel],
        tolerance: i64,
        out: &mut Vec<Output>,
    ) {
        let mut wanted = std::mem::take(&mut self.wanted);
        wanted.clear();
        wanted.extend_from_slice(levels);
        let mut off = std::mem::take(&mut self.scratch);
        off.clear();
        for side in Side::BOTH {
            for (slot, order) in self.state.orders.open(instrument, side) {
                if order.request.strategy != strategy || order.cancelling {
                    continue;
                }
                let (leaves, price) = order.heading();
                let fits = |level: &QuoteLevel| {
                    level.side == side
                        && level.qty == leaves
                        && price.is_some_and(|price| {
                            price.saturating_sub(level.price).abs().get() <= tolerance
                        })
                };
                match wanted.iter().position(fits) {
                    Some(at) => drop(wanted.remove(at)),
                    None => off.push(slot),
                }
            }
        }
        for slot in &off {
            self.cancel(*slot, out);
        }
        for level in &wanted {
            let wish = OrderWish::limit(instrument, level.side, level.qty, level.price);
            self.place(now, strategy, OrderWish { post_only: true, ..wish }, out);
        }
        self.scratch = off;
        self.wanted = wanted;
    }
}

/// Whether an order could trade with one of the other side at `price`.
fn reaches(order: &PlaceOrder, price: Price) -> bool {
    order.order_type.limit().is_none_or(|limit| order.side.reaches(limit, price))
}
