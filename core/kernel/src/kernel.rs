//! The engine itself: one `step` that takes an input to completion.

use crate::desk::{Alarm, LimitTable, State};
use crate::life::{Ending, Evidence, Life, Step};
use crate::message::{Alert, Command, Input, Output};
use crate::orders::{Order, Orders, Slot};
use crate::repeats::RecentOrders;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use tse_model::{
    AccountEvent, AccountEventKind, Catalog, ClientOrderId, DepthChange, Fill, InstrumentId,
    Machine, MarketData, MarketEvent, Money, OrderEvent, OrderEventKind, PlaceOrder, Price, Qty,
    Side, Span, StateHash, StrategyId, Timestamp, TradingStatus, VenueId,
};
use tse_portfolio::Portfolio;
use tse_risk::{Refusal, reserve};
use tse_strategy::{
    BarBuilder, Intents, Market, OrderUpdate, QuoteLevel, Strategy, UpdateKind, View,
};

/// How many notices of refused orders a strategy may cause in one step before it is stopped: each of
/// them may make it wish again.
const STORM: u32 = 1_000;

/// How the engine is set up.
pub struct Setup {
    /// The names of this run.
    pub catalog: Catalog,
    /// What is held at the start.
    pub portfolio: Portfolio,
    /// The limits of every scope.
    pub limits: LimitTable,
    /// The longest window of any repeat limit (C08).
    pub repeat_window: Span,
    /// How long a venue may take to answer before an order counts as unknown.
    pub answer_timeout: Span,
    /// The strategies and what each may trade.
    pub strategies: Vec<(Box<dyn Strategy>, Vec<InstrumentId>)>,
}

/// Something to tell a strategy once it is not running.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notice {
    pub(crate) strategy: StrategyId,
    pub(crate) order: PlaceOrder,
    pub(crate) kind: UpdateKind,
}

/// A strategy and how it is doing.
struct Running {
    strategy: Box<dyn Strategy>,
    warm_up: u32,
    calls: u32,
    stopped: bool,
}

/// Who wants to hear of a market.
#[derive(Default)]
struct Listeners {
    quotes: Vec<StrategyId>,
    trades: Vec<StrategyId>,
    books: Vec<StrategyId>,
    bars: Vec<usize>,
}

/// Bars of one strategy.
struct Series {
    builder: BarBuilder,
    strategy: StrategyId,
    number: usize,
}

/// How often things happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Inputs stepped.
    pub inputs: u64,
    /// Orders sent.
    pub orders: u64,
    /// Cancels sent.
    pub cancels: u64,
    /// Orders refused by the gate.
    pub denied: u64,
    /// Orders refused by a venue.
    pub rejected: u64,
    /// Executions.
    pub fills: u64,
    /// Opportunities seen.
    pub opportunities: u64,
}

/// The trading engine.
pub struct Kernel {
    pub(crate) state: State,
    strategies: Vec<Running>,
    listeners: Vec<Listeners>,
    series: Vec<Series>,
    alarms: BinaryHeap<Reverse<Alarm>>,
    /// Orders that await their first answer, by deadline.
    pub(crate) answers: VecDeque<(Timestamp, ClientOrderId)>,
    pub(crate) answer_timeout: Span,
    pub(crate) repeats: RecentOrders,
    pub(crate) counts: Counts,
    pub(crate) groups: u32,
    pub(crate) hash: StateHash,
    wake: Option<Timestamp>,
    // Buffers, empty between steps.
    intents: Intents,
    pub(crate) notices: VecDeque<Notice>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) scratch: Vec<Slot>,
    pub(crate) leg_slots: Vec<Slot>,
    pub(crate) wanted: Vec<QuoteLevel>,
}

impl Kernel {
    /// An engine that has not been started.
    pub fn new(setup: Setup) -> Self {
        let mut listeners: Vec<Listeners> =
            setup.catalog.instruments().iter().map(|_| Listeners::default()).collect();
        let mut series = Vec::new();
        let mut strategies = Vec::new();
        for (number, (strategy, instruments)) in setup.strategies.into_iter().enumerate() {
            let id = StrategyId(number as u16);
            let interest = strategy.interest();
            for instrument in instruments {
                let listeners = &mut listeners[instrument.index()];
                if interest.quotes {
                    listeners.quotes.push(id);
                }
                if interest.trades {
                    listeners.trades.push(id);
                }
                if interest.books {
                    listeners.books.push(id);
                }
            }
            for (number, spec) in interest.bars.iter().enumerate() {
                listeners[spec.instrument.index()].bars.push(series.len());
                series.push(Series { builder: BarBuilder::new(*spec), strategy: id, number });
            }
            let warm_up = interest.warm_up;
            strategies.push(Running { strategy, warm_up, calls: 0, stopped: false });
        }
        Self {
            state: State::new(setup.catalog, setup.limits, setup.portfolio),
            strategies,
            listeners,
            series,
            alarms: BinaryHeap::new(),
            answers: VecDeque::new(),
            answer_timeout: setup.answer_timeout,
            repeats: RecentOrders::new(setup.repeat_window),
            counts: Counts::default(),
            groups: 0,
            hash: StateHash::new(),
            wake: None,
            intents: Intents::new(),
            notices: VecDeque::new(),
            refusals: Vec::new(),
            scratch: Vec::new(),
            leg_slots: Vec::new(),
            wanted: Vec::new(),
        }
    }

    /// The names of this run.
    pub fn catalog(&self) -> &Catalog {
        &self.state.catalog
    }
    /// What is known of a market.
    pub fn market(&self, instrument: InstrumentId) -> &Market {
        &self.state.markets[instrument.index()]
    }
    /// What is held.
    pub fn portfolio(&self) -> &Portfolio {
        &self.state.portfolio
    }
    /// Everything that is known.
    pub fn state(&self) -> &State {
        &self.state
    }
    /// The order called `id`, if it is still known.
    pub fn order(&self, id: ClientOrderId) -> Option<&Order> {
        self.state.orders.order(id)
    }
    /// All orders still known.
    pub fn orders(&self) -> &Orders {
        &self.state.orders
    }
    /// How often things happened.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Keeps a second record of every booking, against which the portfolio can be checked: for tests
    /// and simulations. Must be called before the first input.
    pub fn start_audit(&mut self) {
        self.state.portfolio.start_audit();
    }

    /// The hash of everything that was asked for and heard about orders and money.
    pub fn state_hash(&self) -> StateHash {
        let mut hash = self.hash;
        let counts = self.counts;
        for count in [counts.orders, counts.cancels, counts.denied, counts.rejected, counts.fills] {
            hash.word(count);
        }
        self.state.portfolio.digest(&mut hash);
        hash
    }

    /// Calls one strategy and carries out what it wishes.
    fn tell(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        feeds: bool,
        out: &mut Vec<Output>,
        call: impl FnOnce(&mut dyn Strategy, &View<'_>, &mut Intents),
    ) {
        let running = &mut self.strategies[strategy.index()];
        if running.stopped {
            return;
        }
        let mut intents = std::mem::take(&mut self.intents);
        intents.clear();
        call(&mut *running.strategy, &View::new(now, strategy, &self.state), &mut intents);
        if feeds && running.calls < running.warm_up {
            running.calls += 1;
        }
        // Until it has seen enough, what it wishes does not count.
        if !intents.is_empty() && running.calls >= running.warm_up {
            self.carry_out(now, strategy, &intents, out);
        }
        self.intents = intents;
    }

    /// Tells strategies of refused orders, which may make them wish again, up to a bound.
    fn deliver_notices(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        let mut delivered = 0;
        while let Some(notice) = self.notices.pop_front() {
            delivered += 1;
            if delivered > STORM {
                self.strategies[notice.strategy.index()].stopped = true;
                self.notices.retain(|other| other.strategy != notice.strategy);
                out.push(Output::Alert(Alert::Storm(notice.strategy)));
                delivered = 0;
                continue;
            }
            let update = OrderUpdate {
                id: notice.order.id,
                instrument: notice.order.instrument,
                side: notice.order.side,
                group: notice.order.group,
                kind: notice.kind,
            };
            self.tell(now, notice.strategy, false, out, |strategy, view, wish| {
                strategy.on_order(&update, view, wish);
            });
        }
    }

    pub(crate) fn set_alarm(&mut self, at: Timestamp, strategy: StrategyId) {
        self.alarms.push(Reverse(Alarm { at, strategy }));
        self.wake = Some(self.wake.map_or(at, |wake| wake.min(at)));
    }

    fn on_market(&mut self, now: Timestamp, event: &MarketEvent, out: &mut Vec<Output>) {
        let instrument = event.instrument;
        let Some(market) = self.state.markets.get_mut(instrument.index()) else { return };
        match &event.data {
            MarketData::Quote(quote) => {
                market.quote = *quote;
                market.updated = Some(now);
                market.valid = !quote.is_crossed();
                self.on_quote(now, instrument, out);
            }
            MarketData::Depth(depth) => {
                market.book.apply(*depth);
                if depth.change == DepthChange::Gap {
                    market.valid = false;
                }
                if depth.last {
                    let before = market.quote;
                    market.valid = market.book.is_valid();
                    market.updated = Some(now);
                    if market.valid {
                        market.quote = market.book.quote();
                    }
                    let changed = market.valid && market.quote != before;
                    for at in 0..self.listeners[instrument.index()].books.len() {
                        let strategy = self.listeners[instrument.index()].books[at];
                        self.tell(now, strategy, false, out, |strategy, view, wish| {
                            strategy.on_book(instrument, view, wish);
                        });
                    }
                    if changed {
                        self.on_quote(now, instrument, out);
                    }
                }
            }
            MarketData::Trade(trade) => {
                market.trade = Some(*trade);
                for at in 0..self.listeners[instrument.index()].bars.len() {
                    let series = self.listeners[instrument.index()].bars[at];
                    self.series[series].builder.trade(now, trade);
                    self.note_bar_end(series);
                }
                for at in 0..self.listeners[instrument.index()].trades.len() {
                    let strategy = self.listeners[instrument.index()].trades[at];
                    self.tell(now, strategy, true, out, |strategy, view, wish| {
                        strategy.on_trade(instrument, trade, view, wish);
                    });
                }
            }
            MarketData::Mark(price) => market.mark = Some(*price),
            MarketData::Status(status) => market.open = *status == TradingStatus::Open,
            // Single orders and bars of a source are turned into depth and quotes by the venue; its
            // funding arrives as money on the account.
            MarketData::Order(_) | MarketData::Bar(_) | MarketData::Funding(_) => {}
        }
    }

    fn on_quote(&mut self, now: Timestamp, instrument: InstrumentId, out: &mut Vec<Output>) {
        let quote = self.state.markets[instrument.index()].quote;
        for at in 0..self.listeners[instrument.index()].bars.len() {
            let series = self.listeners[instrument.index()].bars[at];
            self.series[series].builder.quote(now, &quote);
            self.note_bar_end(series);
        }
        for at in 0..self.listeners[instrument.index()].quotes.len() {
            let strategy = self.listeners[instrument.index()].quotes[at];
            self.tell(now, strategy, true, out, |strategy, view, wish| {
                strategy.on_quote(instrument, &quote, view, wish);
            });
        }
    }

    fn note_bar_end(&mut self, series: usize) {
        if let Some(end) = self.series[series].builder.end() {
            self.wake = Some(self.wake.map_or(end, |wake| wake.min(end)));
        }
    }

    fn on_wake(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        for at in 0..self.series.len() {
            while self.series[at].builder.end().is_some_and(|end| end <= now) {
                let series = &mut self.series[at];
                let (strategy, number) = (series.strategy, series.number);
                if let Some(bar) = series.builder.close() {
                    self.tell(now, strategy, true, out, |strategy, view, wish| {
                        strategy.on_bar(number, &bar, view, wish);
                    });
                }
            }
        }
        while self.alarms.peek().is_some_and(|alarm| alarm.0.at <= now) {
            let alarm = self.alarms.pop().expect("it was peeked").0;
            self.tell(now, alarm.strategy, false, out, |strategy, view, wish| {
                strategy.on_timer(view, wish);
            });
        }
        while let Some((deadline, id)) = self.answers.front().copied() {
            if deadline > now {
                break;
            }
            self.answers.pop_front();
            self.on_overdue(id, out);
        }
        self.find_wake();
    }

    /// The venue has not answered: the order is unknown, and is taken back.
    fn on_overdue(&mut self, id: ClientOrderId, out: &mut Vec<Output>) {
        let Some(slot) = self.state.orders.find(id) else { return };
        let order = self.state.orders.get_mut(slot);
        if order.life != Life::Sent {
            return;
        }
        if let Step::To(life) = order.life.after(Evidence::AnswerOverdue) {
            order.life = life;
            out.push(Output::Alert(Alert::AnswerOverdue(id)));
            self.cancel(slot, out);
        }
    }

    fn find_wake(&mut self) {
        // Orders that were answered need no deadline.
        while let Some((_, id)) = self.answers.front() {
            let waiting =
                self.state.orders.order(*id).is_some_and(|order| order.life == Life::Sent);
            if waiting {
                break;
            }
            self.answers.pop_front();
        }
        let bars = self.series.iter().filter_map(|series| series.builder.end());
        let alarm = self.alarms.peek().map(|alarm| alarm.0.at);
        let answer = self.answers.front().map(|(deadline, _)| *deadline);
        self.wake = bars.chain(alarm).chain(answer).min();
    }

    fn on_order(&mut self, now: Timestamp, event: &OrderEvent, out: &mut Vec<Output>) {
        let Some(slot) = self.state.orders.find(event.id) else {
            out.push(Output::Alert(Alert::UnknownOrder(event.id)));
            return;
        };
        self.hash.word(event.id.0);
        let order = self.state.orders.get_mut(slot);
        order.changed = now;
        let evidence = match event.kind {
            OrderEventKind::Accepted(venue_id) => {
                order.venue_id = Some(venue_id);
                Evidence::Acknowledged
            }
            OrderEventKind::Rejected(_) => {
                self.counts.rejected += 1;
                Evidence::Closed(Ending::Rejected)
            }
            OrderEventKind::Cancelled(_) => Evidence::Closed(Ending::Cancelled),
            OrderEventKind::Expired => Evidence::Closed(Ending::Expired),
            OrderEventKind::Filled(fill) => {
                self.on_fill(now, slot, &fill, out);
                return;
            }
            // Says nothing about whether the order is open: the next word will.
            OrderEventKind::CancelRejected(_) => {
                order.cancelling = false;
                self.update(now, slot, event.kind, out);
                return;
            }
            OrderEventKind::Triggered
            | OrderEventKind::Modified { .. }
            | OrderEventKind::ModifyRejected(_) => {
                self.update(now, slot, event.kind, out);
                return;
            }
        };
        if self.move_life(slot, evidence, out) {
            self.update(now, slot, event.kind, out);
        }
    }

    /// Applies evidence to an order's life. Says whether its strategy should hear of it.
    fn move_life(&mut self, slot: Slot, evidence: Evidence, out: &mut Vec<Output>) -> bool {
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
                        self.state.set_reserve(slot, Money::ZERO);
                        self.state.orders.end(slot, life);
                        out.push(Output::Ended(id));
                    }
                    (false, true) => self.state.orders.reopen(slot),
                    _ => self.state.orders.get_mut(slot).life = life,
                }
                true
            }
        }
    }

    fn update(&mut self, now: Timestamp, slot: Slot, kind: OrderEventKind, out: &mut Vec<Output>) {
        let request = self.state.orders.get(slot).request;
        let update = OrderUpdate {
            id: request.id,
            instrument: request.instrument,
            side: request.side,
            group: request.group,
            kind: UpdateKind::Venue(kind),
        };
        self.tell(now, request.strategy, false, out, |strategy, view, wish| {
            strategy.on_order(&update, view, wish);
        });
    }

    fn on_fill(&mut self, now: Timestamp, slot: Slot, fill: &Fill, out: &mut Vec<Output>) {
        self.counts.fills += 1;
        self.hash.word(fill.exec.0);
        self.hash.int(fill.price.get());
        self.hash.int(fill.qty.get());
        let request = self.state.orders.get(slot).request;
        self.state.orders.fill(slot, fill.price, fill.qty);
        let order = *self.state.orders.get(slot);
        if order.filled > request.qty {
            out.push(Output::Alert(Alert::Overfilled(request.id)));
        }
        let realized =
            self.book_fill(now, request.strategy, request.instrument, request.side, fill, out);
        out.push(Output::Filled {
            id: request.id,
            strategy: request.strategy,
            instrument: request.instrument,
            side: request.side,
            fill: *fill,
            realized,
        });
        let whole = order.leaves().is_zero();
        if whole {
            self.move_life(slot, Evidence::FilledInFull, out);
        } else {
            self.move_life(slot, Evidence::FilledInPart, out);
            self.shrink_reserve(slot);
        }
        self.tell(now, request.strategy, false, out, |strategy, view, wish| {
            strategy.on_fill(request.instrument, request.side, fill, view, wish);
        });
        if whole {
            self.update(now, slot, OrderEventKind::Filled(*fill), out);
        }
    }

    /// Sets aside only what the rest of an order needs.
    fn shrink_reserve(&mut self, slot: Slot) {
        let order = self.state.orders.get(slot);
        if !order.life.is_live() {
            return;
        }
        let instrument = self.state.catalog.instrument(order.request.instrument);
        let price: Option<Price> = order.price();
        let rest =
            price.and_then(|price| reserve(instrument, order.request.side, price, order.leaves()));
        if let Some(rest) = rest {
            let amount = rest.amount.min(order.reserved);
            self.state.set_reserve(slot, amount);
        }
    }

    fn book_fill(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        instrument: InstrumentId,
        side: Side,
        fill: &Fill,
        out: &mut Vec<Output>,
    ) -> Money {
        let State { catalog, portfolio, .. } = &mut self.state;
        match portfolio.apply_fill(strategy, catalog.instrument(instrument), side, fill, now) {
            Ok(booked) => booked.realized,
            Err(_) => {
                out.push(Output::Alert(Alert::LedgerLatched));
                Money::ZERO
            }
        }
    }

    fn on_account(
        &mut self,
        now: Timestamp,
        venue: VenueId,
        event: &AccountEvent,
        out: &mut Vec<Output>,
    ) {
        let latched = match event.kind {
            AccountEventKind::Funding { instrument, amount } => {
                self.hash.wide(amount.units());
                let State { catalog, portfolio, .. } = &mut self.state;
                portfolio.apply_funding(catalog.instrument(instrument), amount, now).is_err()
            }
            AccountEventKind::Transfer { currency, amount } => {
                self.hash.wide(amount.units());
                if amount.is_negative() {
                    self.state.portfolio.withdraw(venue, currency, -amount).is_err()
                } else {
                    self.state.portfolio.deposit(venue, currency, amount).is_err()
                }
            }
            AccountEventKind::Liquidated { instrument, side, fill } => {
                self.on_liquidation(now, instrument, side, &fill, out);
                false
            }
        };
        if latched {
            out.push(Output::Alert(Alert::LedgerLatched));
        }
    }

    /// The venue closed (part of) the account's position: booked to the strategies that hold it, in
    /// the order of their numbers.
    fn on_liquidation(
        &mut self,
        now: Timestamp,
        instrument: InstrumentId,
        side: Side,
        fill: &Fill,
        out: &mut Vec<Output>,
    ) {
        let mut left = fill.qty;
        let mut fee = fill.fee;
        for number in 0..self.strategies.len() {
            let strategy = StrategyId(number as u16);
            let held = -self.state.portfolio.qty(strategy, instrument).signed(side);
            let part = held.min(left);
            if !part.is_positive() {
                continue;
            }
            left -= part;
            let of_it = Fill { qty: part, fee: std::mem::take(&mut fee), ..*fill };
            self.counts.fills += 1;
            let realized = self.book_fill(now, strategy, instrument, side, &of_it, out);
            let id = ClientOrderId(0);
            out.push(Output::Filled { id, strategy, instrument, side, fill: of_it, realized });
            self.tell(now, strategy, false, out, |strategy, view, wish| {
                strategy.on_fill(instrument, side, &of_it, view, wish);
            });
        }
        if left > Qty::ZERO {
            out.push(Output::Alert(Alert::UnknownOrder(ClientOrderId(0))));
        }
    }

    fn on_link(&mut self, venue: VenueId, up: bool, out: &mut Vec<Output>) {
        for at in 0..self.state.catalog.instruments().len() {
            let id = InstrumentId(at as u32);
            if self.state.catalog.instrument(id).venue != venue {
                continue;
            }
            self.state.markets[at].open = up;
            if up {
                continue;
            }
            for side in Side::BOTH {
                let mut slots = std::mem::take(&mut self.scratch);
                slots.clear();
                slots.extend(self.state.orders.open(id, side).map(|(slot, _)| slot));
                for slot in &slots {
                    self.move_life(*slot, Evidence::LinkLost, out);
                }
                self.scratch = slots;
            }
        }
    }

    fn on_command(&mut self, now: Timestamp, command: Command, out: &mut Vec<Output>) {
        for number in 0..self.strategies.len() {
            let id = StrategyId(number as u16);
            self.tell(now, id, false, out, |strategy, view, wish| match command {
                Command::Start => strategy.on_start(view, wish),
                Command::Stop => strategy.on_stop(view, wish),
            });
            if command == Command::Stop {
                self.strategies[number].stopped = true;
            }
        }
        if command == Command::Stop {
            self.cancel_resting(out);
        }
    }

    /// Takes back everything that does not trade at once.
    fn cancel_resting(&mut self, out: &mut Vec<Output>) {
        use tse_model::TimeInForce::{Fok, Ioc};
        for at in 0..self.state.catalog.instruments().len() {
            for side in Side::BOTH {
                let mut slots = std::mem::take(&mut self.scratch);
                slots.clear();
                let open = self.state.orders.open(InstrumentId(at as u32), side);
                let resting =
                    open.filter(|(_, order)| !matches!(order.request.time_in_force, Ioc | Fok));
                slots.extend(resting.map(|(slot, _)| slot));
                for slot in &slots {
                    self.cancel(*slot, out);
                }
                self.scratch = slots;
            }
        }
    }
}

impl Machine for Kernel {
    type Input = Input;
    type Output = Output;

    fn step(&mut self, now: Timestamp, input: Input, out: &mut Vec<Output>) {
        self.counts.inputs += 1;
        match input {
            Input::Market(event) => self.on_market(now, &event, out),
            Input::Order(event) => self.on_order(now, &event, out),
            Input::Account(venue, event) => self.on_account(now, venue, &event, out),
            Input::Link { venue, up } => self.on_link(venue, up, out),
            Input::Wake => self.on_wake(now, out),
            Input::Command(command) => self.on_command(now, command, out),
        }
        if !self.notices.is_empty() {
            self.deliver_notices(now, out);
        }
    }

    fn wake_at(&self) -> Option<Timestamp> {
        match (self.wake, self.answers.front()) {
            (Some(wake), Some((deadline, _))) => Some(wake.min(*deadline)),
            (wake, answer) => wake.or(answer.map(|(deadline, _)| *deadline)),
        }
    }
}
