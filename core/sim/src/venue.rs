//! A simulated venue: its markets, our account there, and what it says to us.
//!
//! In go recorded market events and our requests, each at the moment it reaches the venue; out come the
//! feed and the venue's words about our orders. It knows nothing of latency: the lines to and from it
//! do. It does not know what its history will show next, so no order meets data older than itself.

use crate::account::{Account, Cover};
use crate::history::{HISTORY, Market, OURS};
use crate::scenario::VenueSetup;
use std::collections::BTreeMap;
use tse_matching::{Handle, NewOrder, Report, SelfTrade};
use tse_model::{
    AccountEvent, AccountEventKind, CancelOrder, CancelReason, Catalog, ClientOrderId, CurrencyId,
    Depth, DepthChange, ExecId, Fill, IdMap, InstrumentId, Liquidity, Machine, MarketData,
    MarketEvent, ModifyOrder, Money, OrderEvent, OrderEventKind, OrderType, PlaceOrder, Price, Qty,
    Quote, Rate, RejectReason, Request, Side, Span, TimeInForce, Timestamp, TradingStatus, VenueId,
    VenueOrderId, Wake,
};
use tse_portfolio::Mark;
use tse_risk::reserve;

/// How often positions on margin are checked while prices move.
const COVER_EVERY: Span = Span::from_secs(1);
/// The end of the venue's day, when DAY orders expire: midnight UTC.
const DAY: Span = Span::from_secs(86_400);

/// What reaches a venue.
#[derive(Clone, Copy, Debug)]
pub enum Input {
    /// Something happened in one of its markets.
    Market(MarketEvent),
    /// We ask for something.
    Request(Request),
    /// The time it asked for has come.
    Wake,
}

impl From<Wake> for Input {
    fn from(_: Wake) -> Self {
        Self::Wake
    }
}

/// What a venue sends.
#[derive(Clone, Copy, Debug)]
pub enum Output {
    /// Market data.
    Feed(MarketEvent),
    /// About one of our orders.
    Order(OrderEvent),
    /// About our account.
    Account(AccountEvent),
}

/// One of our open orders at the venue.
#[derive(Clone, Copy, Debug)]
struct Open {
    request: PlaceOrder,
    handle: Option<Handle>,
    rests_at: Option<Price>,
    leaves: Qty,
    filled: Qty,
    reserved: Money,
    reserved_in: CurrencyId,
    limit: Option<Price>,
}

/// A simulated venue.
pub struct Venue {
    id: VenueId,
    catalog: Catalog,
    markets: Vec<Option<Market>>,
    marks: Vec<Option<Mark>>,
    status: Vec<TradingStatus>,
    account: Account,
    open: Vec<Option<Open>>,
    free: Vec<u32>,
    by_id: IdMap<u32>,
    expiries: BTreeMap<(Timestamp, u32), ClientOrderId>,
    funding: Vec<(InstrumentId, Timestamp, Span, Rate)>,
    next_exec: u64,
    next_order: u64,
    covered_until: Timestamp,
    reports: Vec<Report>,
}

impl Venue {
    /// A venue before its first event.
    pub fn new(catalog: &Catalog, setup: &VenueSetup) -> Self {
        let mut markets: Vec<Option<Market>> = catalog.instruments().iter().map(|_| None).collect();
        let mut funding = Vec::new();
        for market in &setup.markets {
            markets[market.instrument.index()] = Some(Market::new(*market));
            if let Some(schedule) = market.funding {
                funding.push((market.instrument, Timestamp::MAX, schedule.every, schedule.rate));
            }
        }
        Self {
            id: setup.venue,
            markets,
            marks: vec![None; catalog.instruments().len()],
            status: vec![TradingStatus::Open; catalog.instruments().len()],
            account: Account::new(catalog, setup.venue, &setup.deposits),
            open: Vec::new(),
            free: Vec::new(),
            by_id: IdMap::default(),
            expiries: BTreeMap::new(),
            funding,
            next_exec: 1,
            next_order: 1,
            covered_until: Timestamp::MIN,
            reports: Vec::new(),
            catalog: catalog.clone(),
        }
    }

    /// Our account, as the venue keeps it.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// A market of the venue.
    pub fn market(&self, instrument: InstrumentId) -> Option<&Market> {
        self.markets.get(instrument.index())?.as_ref()
    }

    // ---- market data ----

    /// Takes what happened in one of its markets: appends what it publishes to `feed`, and what it has
    /// to say about our orders and account to `out`.
    #[inline]
    pub fn show(
        &mut self,
        now: Timestamp,
        event: &MarketEvent,
        feed: &mut Vec<MarketEvent>,
        out: &mut Vec<Output>,
    ) {
        let at = event.instrument.index();
        let Some(Some(market)) = self.markets.get_mut(at) else { return };
        let mut reports = std::mem::take(&mut self.reports);
        let mut publish = |data| feed.push(MarketEvent { data, ..*event });
        match &event.data {
            MarketData::Quote(quote) => {
                let shown = market.quote(quote, &mut reports);
                self.marks[at] = quote.twice_mid().map(Mark::mid).or(self.marks[at]);
                publish(MarketData::Quote(shown));
            }
            MarketData::Depth(depth) => {
                let available = market.depth(depth.change, &mut reports);
                let change = match (depth.change, available) {
                    (DepthChange::Set { side, price, .. }, Some(qty)) => {
                        DepthChange::Set { side, price, qty }
                    }
                    (change, _) => change,
                };
                publish(MarketData::Depth(Depth { change, last: depth.last }));
            }
            MarketData::Trade(trade) => {
                market.trade(trade, &mut reports);
                publish(event.data);
                if market.prints_only() {
                    let quote = market.assume_quote(trade.price, trade.qty, &mut reports);
                    self.marks[at] = Some(Mark::at(trade.price));
                    publish(MarketData::Quote(quote));
                }
            }
            MarketData::Order(record) => {
                let touched = market.order(record, &mut reports);
                let change = match (touched, record.action) {
                    (Some((side, price)), _) => {
                        Some(DepthChange::Set { side, price, qty: market.available(side, price) })
                    }
                    (None, tse_model::BookAction::Clear) => Some(DepthChange::Clear),
                    _ => None,
                };
                if let Some(change) = change {
                    publish(MarketData::Depth(Depth { change, last: record.last }));
                }
                if record.action == tse_model::BookAction::Trade {
                    let aggressor = record.side;
                    let trade = tse_model::Trade {
                        price: record.price,
                        qty: record.qty,
                        aggressor,
                        id: record.order,
                    };
                    publish(MarketData::Trade(trade));
                }
            }
            MarketData::Bar(bar) => {
                // A bar tells of prices in hindsight: resting orders fill only where it went through
                // them, and what comes now meets its close.
                for (price, aggressor) in
                    [(bar.low, Side::Sell), (bar.high, Side::Buy), (bar.close, Side::Buy)]
                {
                    let part = Qty::new(bar.volume.get() / 3);
                    let trade =
                        tse_model::Trade { price, qty: part, aggressor: Some(aggressor), id: 0 };
                    market.trade(&trade, &mut reports);
                }
                let quote = market.assume_quote(bar.close, bar.volume, &mut reports);
                self.marks[at] = Some(Mark::at(bar.close));
                publish(event.data);
                publish(MarketData::Quote(quote));
            }
            MarketData::Mark(price) => {
                self.marks[at] = Some(Mark::at(*price));
                publish(event.data);
            }
            MarketData::Funding(rate) => self.exchange_funding(now, event.instrument, *rate, out),
            MarketData::Status(status) => {
                self.status[at] = *status;
                publish(event.data);
            }
        }
        self.reports = reports;
        self.tell(now, event.instrument, out);
        self.arm_funding(now);
        if self.account.is_exposed()
            && (now >= self.covered_until || matches!(event.data, MarketData::Mark(_)))
        {
            self.covered_until = now + COVER_EVERY;
            self.check_cover(now, out);
        }
    }

    /// Where a position is marked: the venue's mark, or the middle of its book.
    fn mark(&self, instrument: InstrumentId) -> Option<Mark> {
        self.marks[instrument.index()].or_else(|| {
            let market = self.market(instrument)?;
            let (bid, _) = market.best(Side::Buy)?;
            let (ask, _) = market.best(Side::Sell)?;
            Some(Mark::mid(bid.get().checked_add(ask.get())?))
        })
    }

    fn exchange_funding(
        &mut self,
        now: Timestamp,
        instrument: InstrumentId,
        rate: Rate,
        out: &mut Vec<Output>,
    ) {
        let Some(mark) = self.mark(instrument) else { return };
        let it = self.catalog.instrument(instrument);
        if let Some(amount) = self.account.fund(it, rate, mark, now) {
            let kind = AccountEventKind::Funding { instrument, amount };
            out.push(Output::Account(AccountEvent { ts_event: now, kind }));
        }
    }

    /// The first event starts the clock of scheduled funding.
    fn arm_funding(&mut self, now: Timestamp) {
        for (_, next, every, _) in &mut self.funding {
            if *next == Timestamp::MAX {
                *next = now.floor(*every) + *every;
            }
        }
    }

    /// Closes what is no longer covered: our orders first, then positions against the book.
    fn check_cover(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let Cover::Short(currency) = self.account.cover(&self.catalog, |id| self.mark(id)) else {
            return;
        };
        for slot in 0..self.open.len() {
            if let Some(open) = self.open[slot] {
                self.cancel_slot(
                    now,
                    slot as u32,
                    CancelReason::Liquidation,
                    open.request.instrument,
                    out,
                );
            }
        }
        for at in 0..self.account.on_margin().len() {
            let id = self.account.on_margin()[at];
            let position = self.account.position(id);
            let Some(side) = Side::of(-position) else { continue };
            if self.catalog.instrument(id).settle != currency {
                continue;
            }
            let Some(market) = self.markets[id.index()].as_mut() else { continue };
            let order = NewOrder::market(OURS, u64::MAX, side, position.abs());
            let mut reports = std::mem::take(&mut self.reports);
            let _ = market.place(order, &mut reports);
            for report in &reports {
                let Report::Fill(fill) = report else { continue };
                if let Some(market) = self.markets[id.index()].as_mut() {
                    market.took(side.opposite(), fill.price, fill.qty);
                }
                let fill = self.execution(id, fill.price, fill.qty, Liquidity::Taker);
                self.account.fill(self.catalog.instrument(id), side, &fill, now);
                let kind = AccountEventKind::Liquidated { instrument: id, side, fill };
                out.push(Output::Account(AccountEvent { ts_event: now, kind }));
            }
            reports.clear();
            self.reports = reports;
        }
    }

    fn execution(
        &mut self,
        instrument: InstrumentId,
        price: Price,
        qty: Qty,
        liquidity: Liquidity,
    ) -> Fill {
        let it = self.catalog.instrument(instrument);
        let exec = ExecId(self.next_exec);
        self.next_exec += 1;
        let fee = self.account.fee(it, liquidity, price, qty).unwrap_or(Money::ZERO);
        Fill { exec, price, qty, liquidity, fee, fee_currency: it.settle }
    }

    // ---- requests ----

    fn say(
        &self,
        now: Timestamp,
        id: ClientOrderId,
        instrument: InstrumentId,
        kind: OrderEventKind,
    ) -> Output {
        Output::Order(OrderEvent { id, instrument, ts_event: now, kind })
    }

    fn on_place(&mut self, now: Timestamp, place: &PlaceOrder, out: &mut Vec<Output>) {
        match self.review(place) {
            Ok((reserved_in, reserved)) => self.accept(now, place, reserved_in, reserved, out),
            Err(reason) => out.push(self.say(
                now,
                place.id,
                place.instrument,
                OrderEventKind::Rejected(reason),
            )),
        }
    }

    /// Everything that refuses an order before it meets the book, and what it sets aside.
    fn review(&self, place: &PlaceOrder) -> Result<(CurrencyId, Money), RejectReason> {
        let it =
            self.catalog.get_instrument(place.instrument).ok_or(RejectReason::UnknownInstrument)?;
        let market = self.market(place.instrument).ok_or(RejectReason::UnknownInstrument)?;
        if self.by_id.contains(place.id.0) {
            return Err(RejectReason::DuplicateId);
        }
        if self.status[place.instrument.index()] != TradingStatus::Open {
            return Err(RejectReason::MarketClosed);
        }
        if place.qty < it.qty_min || place.qty > it.qty_max {
            return Err(RejectReason::QuantityOutOfRange);
        }
        let limit = place.order_type.limit();
        if limit.is_some_and(|price| price.abs() > it.price_max) {
            return Err(RejectReason::PriceOutOfRange);
        }
        let reduces = self.account.reduces(place.instrument, place.side, place.qty);
        if place.reduce_only && !reduces {
            return Err(RejectReason::ReduceOnlyWouldIncrease);
        }
        let worst = match place.order_type {
            OrderType::Stop(trigger) => Some(trigger),
            _ => limit
                .or_else(|| market.best(place.side.opposite()).map(|(price, _)| price))
                .or(market.last()),
        };
        let price = worst.ok_or(RejectReason::NoLiquidity)?;
        let value = it.value(price, place.qty).and_then(|value| value.money.checked_abs());
        let value = value.ok_or(RejectReason::PriceOutOfRange)?;
        if value < it.notional_min && !reduces {
            return Err(RejectReason::NotionalTooSmall);
        }
        let on_margin = it.settlement == tse_model::Settlement::Difference;
        let refusal = if on_margin {
            RejectReason::InsufficientMargin
        } else {
            RejectReason::InsufficientBalance
        };
        if on_margin && reduces {
            return Ok((it.settle, Money::ZERO));
        }
        let check =
            self.account.check(&self.catalog, it, place.side, price, place.qty, |id| self.mark(id));
        let (currency, needed, free) = check.ok_or(refusal)?;
        if needed > free { Err(refusal) } else { Ok((currency, needed)) }
    }

    fn accept(
        &mut self,
        now: Timestamp,
        place: &PlaceOrder,
        reserved_in: CurrencyId,
        reserved: Money,
        out: &mut Vec<Output>,
    ) {
        let open = Open {
            request: *place,
            handle: None,
            rests_at: None,
            leaves: place.qty,
            filled: Qty::ZERO,
            reserved,
            reserved_in,
            limit: place.order_type.limit(),
        };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.open[slot as usize] = Some(open);
                slot
            }
            None => {
                self.open.push(Some(open));
                (self.open.len() - 1) as u32
            }
        };
        let Some(market) = self.markets[place.instrument.index()].as_mut() else { return };
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
            protection: None,
        };
        let mut reports = std::mem::take(&mut self.reports);
        let outcome = market.place(order, &mut reports);
        match outcome {
            Ok(()) => {
                self.account.reserve(reserved_in, Money::ZERO, reserved);
                self.by_id.insert(place.id.0, slot);
                let venue_id = VenueOrderId(self.next_order);
                self.next_order += 1;
                out.push(self.say(
                    now,
                    place.id,
                    place.instrument,
                    OrderEventKind::Accepted(venue_id),
                ));
                self.note_expiry(now, place, slot);
                self.reports = reports;
                self.tell(now, place.instrument, out);
            }
            Err(reason) => {
                reports.clear();
                self.reports = reports;
                self.open[slot as usize] = None;
                self.free.push(slot);
                out.push(self.say(
                    now,
                    place.id,
                    place.instrument,
                    OrderEventKind::Rejected(reason),
                ));
            }
        }
    }

    fn note_expiry(&mut self, now: Timestamp, place: &PlaceOrder, slot: u32) {
        let at = match place.time_in_force {
            TimeInForce::Gtd(at) => at,
            TimeInForce::Day => now.floor(DAY) + DAY,
            _ => return,
        };
        self.expiries.insert((at, slot), place.id);
    }

    fn on_cancel(&mut self, now: Timestamp, cancel: &CancelOrder, out: &mut Vec<Output>) {
        match self.by_id.get(cancel.id.0).copied() {
            Some(slot) => {
                self.cancel_slot(now, slot, CancelReason::Requested, cancel.instrument, out)
            }
            None => {
                let kind = OrderEventKind::CancelRejected(RejectReason::UnknownOrder);
                out.push(self.say(now, cancel.id, cancel.instrument, kind));
            }
        }
    }

    fn cancel_slot(
        &mut self,
        now: Timestamp,
        slot: u32,
        reason: CancelReason,
        instrument: InstrumentId,
        out: &mut Vec<Output>,
    ) {
        let Some(open) = self.open[slot as usize] else { return };
        if let (Some(handle), Some(market)) =
            (open.handle, self.markets[instrument.index()].as_mut())
        {
            let mut silent = std::mem::take(&mut self.reports);
            let _ = market.book.cancel(handle, &mut silent);
            silent.clear();
            self.reports = silent;
            market.left(open.request.side, handle);
        }
        self.close(slot);
        out.push(self.say(now, open.request.id, instrument, OrderEventKind::Cancelled(reason)));
    }

    /// Forgets an order that has ended, and frees what it set aside.
    fn close(&mut self, slot: u32) {
        if let Some(open) = self.open[slot as usize].take() {
            self.account.reserve(open.reserved_in, open.reserved, Money::ZERO);
            self.by_id.remove(open.request.id.0);
            self.free.push(slot);
        }
    }

    fn on_modify(&mut self, now: Timestamp, modify: &ModifyOrder, out: &mut Vec<Output>) {
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
        let handle = open.handle.ok_or(RejectReason::UnknownOrder)?;
        let it = self.catalog.instrument(open.request.instrument);
        let leaves = modify.qty.checked_sub(open.filled).filter(|leaves| leaves.is_positive());
        let leaves = leaves.ok_or(RejectReason::QuantityOutOfRange)?;
        if modify.qty > it.qty_max {
            return Err(RejectReason::QuantityOutOfRange);
        }
        let price = modify.price.or(open.limit).ok_or(RejectReason::UnsupportedType)?;
        if price.abs() > it.price_max {
            return Err(RejectReason::PriceOutOfRange);
        }
        let side = open.request.side;
        let needed = if open.reserved.is_zero()
            && it.settlement == tse_model::Settlement::Difference
            && self.account.reduces(it.id, side, leaves)
        {
            Money::ZERO
        } else {
            let check =
                self.account.check(&self.catalog, it, side, price, leaves, |id| self.mark(id));
            let (_, needed, free) = check.ok_or(RejectReason::InsufficientBalance)?;
            // What the order has set aside already is there for its change.
            let more =
                needed.checked_sub(open.reserved).ok_or(RejectReason::InsufficientBalance)?;
            if more > free {
                return Err(RejectReason::InsufficientBalance);
            }
            needed
        };
        let Some(market) = self.markets[open.request.instrument.index()].as_mut() else {
            return Err(RejectReason::UnknownInstrument);
        };
        let mut reports = std::mem::take(&mut self.reports);
        let changed = market.modify(side, handle, leaves, modify.price, &mut reports);
        if let Err(reason) = changed {
            reports.clear();
            self.reports = reports;
            return Err(reason);
        }
        if price != open.rests_at.unwrap_or(price) || leaves > open.leaves {
            market.left(side, handle);
        }
        self.account.reserve(open.reserved_in, open.reserved, needed);
        self.open[slot as usize] = Some(Open {
            reserved: needed,
            leaves,
            limit: Some(price),
            request: PlaceOrder { qty: modify.qty, ..open.request },
            ..open
        });
        let kind = OrderEventKind::Modified { qty: modify.qty, price };
        out.push(self.say(now, modify.id, modify.instrument, kind));
        self.reports = reports;
        self.tell(now, modify.instrument, out);
        Ok(())
    }

    // ---- what the book reported ----

    /// Turns what the book reported about our orders into the venue's words.
    fn tell(&mut self, now: Timestamp, instrument: InstrumentId, out: &mut Vec<Output>) {
        if self.reports.is_empty() {
            return;
        }
        let mut reports = std::mem::take(&mut self.reports);
        for report in &reports {
            match *report {
                Report::Fill(fill) => {
                    if fill.maker_owner == HISTORY {
                        if let Some(market) = self.markets[instrument.index()].as_mut() {
                            market.took(fill.taker_side.opposite(), fill.price, fill.qty);
                        }
                    } else {
                        self.filled(
                            now,
                            fill.maker_tag as u32,
                            fill.price,
                            fill.qty,
                            Liquidity::Maker,
                            out,
                        );
                    }
                    if fill.taker_owner == OURS {
                        self.filled(
                            now,
                            fill.taker_tag as u32,
                            fill.price,
                            fill.qty,
                            Liquidity::Taker,
                            out,
                        );
                    }
                }
                Report::Executed { tag, owner: OURS, price, qty, .. } => {
                    self.filled(now, tag as u32, price, qty, Liquidity::Maker, out);
                }
                Report::Rested { handle, tag, price, .. } => {
                    if let Some(open) = &mut self.open[tag as usize] {
                        open.handle = Some(handle);
                        open.rests_at = Some(price);
                        let side = open.request.side;
                        if let Some(market) = self.markets[instrument.index()].as_mut() {
                            market.left(side, handle);
                            market.joined(side, price, handle);
                        }
                    }
                }
                Report::Armed { handle, tag, .. } => {
                    if let Some(open) = &mut self.open[tag as usize] {
                        open.handle = Some(handle);
                    }
                }
                Report::Triggered { tag, .. } => {
                    if let Some(open) = self.open[tag as usize] {
                        out.push(self.say(
                            now,
                            open.request.id,
                            instrument,
                            OrderEventKind::Triggered,
                        ));
                    }
                }
                Report::Cancelled { handle, tag, reason, .. } => {
                    if let Some(open) = self.open[tag as usize] {
                        if let (Some(handle), Some(market)) =
                            (handle, self.markets[instrument.index()].as_mut())
                        {
                            market.left(open.request.side, handle);
                        }
                        self.close(tag as u32);
                        out.push(self.say(
                            now,
                            open.request.id,
                            instrument,
                            OrderEventKind::Cancelled(reason),
                        ));
                    }
                }
                _ => {}
            }
        }
        reports.clear();
        self.reports = reports;
    }

    fn filled(
        &mut self,
        now: Timestamp,
        slot: u32,
        price: Price,
        qty: Qty,
        liquidity: Liquidity,
        out: &mut Vec<Output>,
    ) {
        let Some(open) = self.open[slot as usize] else { return };
        let (request, instrument) = (open.request, open.request.instrument);
        let fill = self.execution(instrument, price, qty, liquidity);
        self.account.fill(self.catalog.instrument(instrument), request.side, &fill, now);
        out.push(self.say(now, request.id, instrument, OrderEventKind::Filled(fill)));
        let leaves = open.leaves - qty;
        if leaves.is_zero() {
            if let (Some(handle), Some(market)) =
                (open.handle, self.markets[instrument.index()].as_mut())
            {
                market.left(request.side, handle);
            }
            self.close(slot);
            return;
        }
        let it = self.catalog.instrument(instrument);
        let rest = open.limit.and_then(|price| reserve(it, request.side, price, leaves));
        let reserved = rest.map_or(open.reserved, |rest| rest.amount.min(open.reserved));
        self.account.reserve(open.reserved_in, open.reserved, reserved);
        if let Some(open) = &mut self.open[slot as usize] {
            open.leaves = leaves;
            open.filled += qty;
            open.reserved = reserved;
        }
    }

    fn on_wake(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        while let Some(((at, slot), id)) =
            self.expiries.first_key_value().map(|(key, id)| (*key, *id))
        {
            if at > now {
                break;
            }
            self.expiries.remove(&(at, slot));
            // The slot may have been given to another order since.
            if self.by_id.get(id.0) != Some(&slot) {
                continue;
            }
            let Some(open) = self.open[slot as usize] else { continue };
            let instrument = open.request.instrument;
            if let (Some(handle), Some(market)) =
                (open.handle, self.markets[instrument.index()].as_mut())
            {
                let mut silent = std::mem::take(&mut self.reports);
                let _ = market.book.cancel(handle, &mut silent);
                silent.clear();
                self.reports = silent;
                market.left(open.request.side, handle);
            }
            self.close(slot);
            out.push(self.say(now, id, instrument, OrderEventKind::Expired));
        }
        for at in 0..self.funding.len() {
            let (instrument, next, every, rate) = self.funding[at];
            if next <= now {
                self.funding[at].1 = next + every;
                self.exchange_funding(now, instrument, rate, out);
            }
        }
    }

    /// Best bid and ask of a market, history and ours.
    pub fn quote(&self, instrument: InstrumentId) -> Option<Quote> {
        let market = self.market(instrument)?;
        let side = |side| market.best(side).unwrap_or((Price::ZERO, Qty::ZERO));
        let ((bid, bid_qty), (ask, ask_qty)) = (side(Side::Buy), side(Side::Sell));
        Some(Quote { bid, bid_qty, ask, ask_qty })
    }

    /// Which venue this is.
    pub fn id(&self) -> VenueId {
        self.id
    }
}

impl Machine for Venue {
    type Input = Input;
    type Output = Output;

    fn step(&mut self, now: Timestamp, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Market(event) => {
                let mut feed = Vec::new();
                self.show(now, &event, &mut feed, out);
                out.extend(feed.into_iter().map(Output::Feed));
            }
            Input::Request(Request::Place(place)) => self.on_place(now, &place, out),
            Input::Request(Request::Modify(modify)) => self.on_modify(now, &modify, out),
            Input::Request(Request::Cancel(cancel)) => self.on_cancel(now, &cancel, out),
            Input::Wake => self.on_wake(now, out),
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        let expiry = self.expiries.first_key_value().map(|((at, _), _)| *at);
        let funding = self.funding.iter().map(|it| it.1).filter(|at| *at < Timestamp::MAX).min();
        match (expiry, funding) {
            (Some(expiry), Some(funding)) => Some(expiry.min(funding)),
            (expiry, funding) => expiry.or(funding),
        }
    }
}
