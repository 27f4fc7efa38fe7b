//! An engine on a stage: two venues, three markets, and strategies that wish what a test whispers.
//!
//! One lot at one tick is worth one cent. A is a cash account with a share and a contract on it, B is
//! another cash account with the same share; both charge takers ten basis points.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use tse_kernel::{
    Adjustment, Alert, Algorithm, Command, ExposureTable, Guards, Input, Kernel, LimitTable,
    LossTable, Order, Output, PaceTable, Reconcile, Setup,
};
use tse_model::{
    BookAction, CancelReason, Catalog, ClientOrderId, CurrencyId, Decimal, Depth, DepthChange,
    Environment, ExecId, FeeBasis, FeeSchedule, Fill, InstrumentId, InstrumentSpec, Kind,
    Liquidity, Machine, MarketData, MarketEvent, Money, OrderEvent, OrderEventKind, PlaceOrder,
    Price, Qty, Quote, Rate, Request, Rounding, Settlement, Side, Span, StrategyId, Text,
    Timestamp, VenueId, VenueOrderId,
};
use tse_portfolio::Portfolio;
use tse_risk::{Limits, Refusal, Repeats, Who};
use tse_strategy::{Intents, Interest, OrderUpdate, OrderWish, Strategy, View};

pub const ALICE: StrategyId = StrategyId(0);
pub const BOB: StrategyId = StrategyId(1);
pub const SHARE_A: InstrumentId = InstrumentId(0);
pub const SHARE_B: InstrumentId = InstrumentId(1);
pub const PERP_A: InstrumentId = InstrumentId(2);
/// Of another asset; not quoted unless a test does.
pub const BANK_A: InstrumentId = InstrumentId(3);
pub const A: VenueId = VenueId(0);
pub const B: VenueId = VenueId(1);
pub const USD: CurrencyId = CurrencyId(0);
pub const IBM: CurrencyId = CurrencyId(1);
/// What each venue holds for us at the start, in cents and shares.
pub const CASH: i128 = 100_000_000;
pub const SHARES: i128 = 10_000;

pub fn dec(text: &str) -> Decimal {
    text.parse().expect(text)
}

/// What a strategy was told.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Told {
    Start,
    Quote(InstrumentId),
    Invalid(InstrumentId),
    Trade(InstrumentId),
    Book(InstrumentId),
    Bar(usize),
    Fill(InstrumentId, Side, Fill),
    Order(OrderUpdate),
    Timer,
    Stop,
}

type Whisper = Box<dyn FnMut(&Told, &View<'_>, &mut Intents) + Send>;
type Once = Box<dyn FnOnce(&View<'_>, &mut Intents) + Send>;

/// What a test shares with a strategy.
#[derive(Default)]
pub struct Script {
    pub told: Vec<Told>,
    once: VecDeque<Once>,
    always: Option<Whisper>,
}

struct Puppet {
    interest: Interest,
    script: Arc<Mutex<Script>>,
}

impl Puppet {
    fn hear(&mut self, told: Told, view: &View<'_>, wish: &mut Intents) {
        let mut script = self.script.lock().expect("no test panics inside");
        script.told.push(told);
        if let Some(mut always) = script.always.take() {
            always(&told, view, wish);
            script.always = Some(always);
        }
        if matches!(told, Told::Quote(_))
            && let Some(once) = script.once.pop_front()
        {
            once(view, wish);
        }
    }
}

impl Strategy for Puppet {
    fn interest(&self) -> Interest {
        self.interest.clone()
    }
    fn on_start(&mut self, view: &View<'_>, wish: &mut Intents) {
        self.hear(Told::Start, view, wish);
    }
    fn on_quote(&mut self, id: InstrumentId, _: &Quote, view: &View<'_>, wish: &mut Intents) {
        self.hear(Told::Quote(id), view, wish);
    }
    fn on_invalid(&mut self, id: InstrumentId, view: &View<'_>, wish: &mut Intents) {
        self.hear(Told::Invalid(id), view, wish);
    }
    fn on_trade(
        &mut self,
        id: InstrumentId,
        _: &tse_model::Trade,
        view: &View<'_>,
        wish: &mut Intents,
    ) {
        self.hear(Told::Trade(id), view, wish);
    }
    fn on_book(&mut self, id: InstrumentId, view: &View<'_>, wish: &mut Intents) {
        self.hear(Told::Book(id), view, wish);
    }
    fn on_bar(&mut self, series: usize, _: &tse_model::Bar, view: &View<'_>, wish: &mut Intents) {
        self.hear(Told::Bar(series), view, wish);
    }
    fn on_fill(
        &mut self,
        id: InstrumentId,
        side: Side,
        fill: &Fill,
        view: &View<'_>,
        wish: &mut Intents,
    ) {
        self.hear(Told::Fill(id, side, *fill), view, wish);
    }
    fn on_order(&mut self, update: &OrderUpdate, view: &View<'_>, wish: &mut Intents) {
        self.hear(Told::Order(*update), view, wish);
    }
    fn on_timer(&mut self, view: &View<'_>, wish: &mut Intents) {
        self.hear(Told::Timer, view, wish);
    }
    fn on_stop(&mut self, view: &View<'_>, wish: &mut Intents) {
        self.hear(Told::Stop, view, wish);
    }
}

pub fn catalog() -> Catalog {
    let mut catalog = Catalog::new();
    catalog.define_currency("USD", 2).expect("new");
    catalog.define_currency("IBM", 0).expect("new");
    let rate = |bps: &str| Rate::from_bps(dec(bps)).expect("a rate");
    for symbol in ["IBM-USD.A", "IBM-USD.B", "IBM-USD-PERP.A", "BAC-USD-PERP.A"] {
        let contract = symbol.contains("PERP");
        let basis = FeeBasis::Value { maker: Rate::ZERO, taker: rate("10") };
        catalog
            .define_instrument(InstrumentSpec {
                symbol: symbol.parse().expect(symbol),
                kind: if contract { Kind::Perpetual { inverse: false } } else { Kind::Equity },
                settlement: if contract { Settlement::Difference } else { Settlement::Delivery },
                tick: dec("0.01"),
                lot: dec("1"),
                multiplier: dec("1"),
                qty_min: Decimal::ZERO,
                qty_max: Some(dec("1000000")),
                notional_min: Decimal::ZERO,
                price_max: Some(dec("10000")),
                margin_initial: dec("0.1"),
                margin_maintenance: dec("0.05"),
                fees: FeeSchedule::flat(basis, Rounding::HalfEven),
            })
            .expect(symbol);
    }
    catalog
}

/// Limits far from what the tests need.
pub fn limits() -> Limits {
    Limits {
        order_qty_max: Some(Qty::new(1_000)),
        order_value_max: Some(Money::from_units(10_000_000)),
        collar: Some(rate_of_collar()),
        repeats: Some(Repeats { window: Span::from_secs(1), count: 10_000 }),
        open_orders_max: Some(10_000),
        long_max: Some(Qty::new(1_000_000)),
        short_max: Some(Qty::new(1_000_000)),
        data_age_max: Some(Span::from_secs(60)),
        ..Limits::default()
    }
}

fn rate_of_collar() -> Rate {
    Rate::from_bps(dec("500")).expect("five per cent")
}

pub struct Stage {
    pub kernel: Kernel,
    pub now: Timestamp,
    scripts: Vec<Arc<Mutex<Script>>>,
    quotes: Vec<Quote>,
    /// The second reckoning of positions: every fill the engine told of.
    booked: BTreeMap<(StrategyId, InstrumentId), i64>,
    next_exec: u64,
}

/// How a stage differs from the usual one.
pub struct Cast {
    pub strategies: usize,
    pub interest: Interest,
    pub account: Limits,
    pub own: Limits,
    pub cash: i128,
    pub environment: Environment,
    pub reconcile: Option<Reconcile>,
    pub lag_max: Option<Span>,
    pub boots_disarmed: bool,
    pub paces: PaceTable,
    pub losses: Option<LossTable>,
    pub exposure: Option<ExposureTable>,
    pub guards: Guards,
}

/// Whose the orders are.
pub fn guards() -> Guards {
    let algorithm = Algorithm { name: Text::cut("puppet"), version: Text::cut("1") };
    let operator = Who::cut("a test");
    Guards { algorithms: vec![algorithm; 3], config: 7, operator, ..Guards::default() }
}

impl Default for Cast {
    fn default() -> Self {
        Self {
            strategies: 2,
            interest: Interest { quotes: true, ..Interest::default() },
            account: limits(),
            own: Limits::default(),
            cash: CASH,
            environment: Environment::Simulated,
            reconcile: None,
            lag_max: None,
            boots_disarmed: false,
            paces: PaceTable::default(),
            losses: None,
            exposure: None,
            guards: guards(),
        }
    }
}

impl Stage {
    /// Two strategies, everything quoted 9.90 to 10.10, started.
    pub fn new() -> Self {
        Self::with(Cast::default())
    }

    pub fn with(cast: Cast) -> Self {
        let mut stage = Self::dark(cast);
        stage.command(Command::Start);
        for id in [SHARE_A, SHARE_B, PERP_A] {
            stage.quote(id, 990, 1_010);
        }
        stage.forget();
        stage
    }

    /// Before the first input.
    pub fn dark(cast: Cast) -> Self {
        let catalog = catalog();
        let mut portfolio = Portfolio::for_catalog(&catalog);
        for venue in [A, B] {
            portfolio.deposit(venue, USD, Money::from_units(cast.cash)).expect("it fits");
            portfolio.deposit(venue, IBM, Money::from_units(SHARES)).expect("it fits");
        }
        let markets = catalog.instruments().len();
        let scripts: Vec<_> =
            (0..cast.strategies).map(|_| Arc::new(Mutex::new(Script::default()))).collect();
        let strategies = scripts.iter().map(|script| {
            let puppet = Puppet { interest: cast.interest.clone(), script: script.clone() };
            (Box::new(puppet) as Box<dyn Strategy>, vec![SHARE_A, SHARE_B, PERP_A, BANK_A])
        });
        let mut kernel = Kernel::new(Setup {
            portfolio,
            limits: LimitTable::new(
                vec![cast.account; markets],
                vec![vec![cast.own; markets]; cast.strategies],
            ),
            repeat_window: Span::ZERO,
            answer_timeout: Span::from_secs(5),
            environment: cast.environment,
            reconcile: cast.reconcile,
            lag_max: cast.lag_max,
            boots_disarmed: cast.boots_disarmed,
            paces: cast.paces.clone(),
            losses: cast.losses.clone(),
            exposure: cast.exposure.clone(),
            guards: cast.guards.clone(),
            strategies: strategies.collect(),
            catalog,
        });
        kernel.start_audit();
        #[cfg(feature = "plant")]
        {
            let without = std::env::var("TSE_WITHOUT").unwrap_or_default();
            kernel.take_out(tse_risk::Without::of(&without));
        }
        Self {
            kernel,
            now: Timestamp::from_nanos(1_000_000_000),
            scripts,
            quotes: vec![Quote::default(); markets],
            booked: BTreeMap::new(),
            next_exec: 1,
        }
    }

    pub fn script(&self, strategy: StrategyId) -> MutexGuard<'_, Script> {
        self.scripts[strategy.index()].lock().expect("no test panics inside")
    }

    /// What a strategy was told since the last [`forget`](Self::forget).
    pub fn told(&self, strategy: StrategyId) -> Vec<Told> {
        self.script(strategy).told.clone()
    }

    /// What it was told of its orders.
    pub fn updates(&self, strategy: StrategyId) -> Vec<OrderUpdate> {
        let told = self.told(strategy).into_iter();
        told.filter_map(|told| if let Told::Order(update) = told { Some(update) } else { None })
            .collect()
    }

    pub fn forget(&mut self) {
        self.scripts.iter().for_each(|script| script.lock().expect("no panic").told.clear());
    }

    /// From now on a strategy answers everything it is told like this.
    pub fn always(
        &mut self,
        strategy: StrategyId,
        answer: impl FnMut(&Told, &View<'_>, &mut Intents) + Send + 'static,
    ) {
        self.script(strategy).always = Some(Box::new(answer));
    }

    /// One input; afterwards every law holds.
    pub fn step(&mut self, input: Input) -> Vec<Output> {
        let mut out = Vec::new();
        self.kernel.step(self.now, input, &mut out);
        for output in &out {
            match output {
                Output::Filled { strategy, instrument, side, fill, .. } => {
                    *self.booked.entry((*strategy, *instrument)).or_default() +=
                        fill.qty.signed(*side).get();
                }
                Output::Adjusted(_, Adjustment::Position { instrument, qty }) => {
                    *self.booked.entry((StrategyId::EXTERNAL, *instrument)).or_default() +=
                        qty.get();
                }
                _ => {}
            }
        }
        self.check();
        out
    }

    pub fn command(&mut self, command: Command) -> Vec<Output> {
        self.step(Input::Command(command))
    }

    pub fn wait(&mut self, span: Span) {
        self.now = self.now + span;
    }

    pub fn show(&mut self, instrument: InstrumentId, data: MarketData) -> Vec<Output> {
        let event = MarketEvent { ts_event: self.now, ts_recv: self.now, instrument, data };
        self.step(Input::Market(event))
    }

    pub fn quote(&mut self, instrument: InstrumentId, bid: i64, ask: i64) -> Vec<Output> {
        let qty = Qty::new(50);
        let quote =
            Quote { bid: Price::new(bid), bid_qty: qty, ask: Price::new(ask), ask_qty: qty };
        self.quotes[instrument.index()] = quote;
        self.show(instrument, MarketData::Quote(quote))
    }

    /// A strategy wishes something, now: the last quote comes again for it.
    pub fn wish(
        &mut self,
        strategy: StrategyId,
        wish: impl FnOnce(&View<'_>, &mut Intents) + Send + 'static,
    ) -> Vec<Output> {
        self.script(strategy).once.push_back(Box::new(wish));
        let quote = self.quotes[SHARE_A.index()];
        let out = self.show(SHARE_A, MarketData::Quote(quote));
        for script in &self.scripts {
            let mut script = script.lock().expect("no test panics inside");
            script.told.retain(|told| *told != Told::Quote(SHARE_A));
        }
        out
    }

    /// A strategy wishes orders; those that were sent.
    pub fn place(&mut self, strategy: StrategyId, wishes: &[OrderWish]) -> Vec<PlaceOrder> {
        let wishes = wishes.to_vec();
        let out = self.wish(strategy, move |_, wish| {
            wishes.iter().for_each(|order| wish.order(*order));
        });
        placed(&out)
    }

    /// A strategy's order that was sent.
    pub fn placed(&mut self, strategy: StrategyId, wish: OrderWish) -> ClientOrderId {
        match self.place(strategy, &[wish])[..] {
            [order] => order.id,
            ref other => panic!("one order was wished, {other:?} was sent"),
        }
    }

    /// The venue says something about an order.
    pub fn say(&mut self, id: ClientOrderId, kind: OrderEventKind) -> Vec<Output> {
        let instrument = self.kernel.order(id).map_or(SHARE_A, |order| order.request.instrument);
        self.step(Input::Order(OrderEvent { id, instrument, ts_event: self.now, kind }))
    }

    pub fn accept(&mut self, id: ClientOrderId) -> Vec<Output> {
        self.say(id, OrderEventKind::Accepted(VenueOrderId(id.0)))
    }

    pub fn cancelled(&mut self, id: ClientOrderId) -> Vec<Output> {
        self.say(id, OrderEventKind::Cancelled { reason: CancelReason::Requested, filled: None })
    }

    /// A fill that no venue has told of yet.
    pub fn new_fill(&mut self, price: i64, qty: i64) -> Fill {
        self.next_exec += 1;
        Fill {
            exec: ExecId(self.next_exec),
            price: Price::new(price),
            qty: Qty::new(qty),
            liquidity: Liquidity::Maker,
            fee: Money::ZERO,
            fee_currency: USD,
        }
    }

    pub fn fill(&mut self, id: ClientOrderId, price: i64, qty: i64) -> Vec<Output> {
        let fill = self.new_fill(price, qty);
        self.say(id, OrderEventKind::Filled(fill))
    }

    pub fn link(&mut self, venue: VenueId, up: bool) -> Vec<Output> {
        self.step(Input::Link { venue, up })
    }

    /// The clock passes every moment the engine asked for, up to `span` from now.
    pub fn pass(&mut self, span: Span) -> Vec<Output> {
        let until = self.now + span;
        let mut out = Vec::new();
        while let Some(at) = self.kernel.wake_at().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            out.extend(self.step(Input::Wake));
        }
        self.now = until;
        out
    }

    pub fn order(&self, id: ClientOrderId) -> &Order {
        self.kernel.order(id).expect("it is still known")
    }

    pub fn position(&self, strategy: StrategyId, instrument: InstrumentId) -> i64 {
        self.kernel.portfolio().qty(strategy, instrument).get()
    }

    pub fn reserved(&self, venue: VenueId, currency: CurrencyId) -> i128 {
        self.kernel.state().reserved(venue, currency).units()
    }

    /// What is open in a market of one strategy, or all: lots by side, and how many orders.
    pub fn open(&self, instrument: InstrumentId, strategy: Option<StrategyId>) -> ([i64; 2], u32) {
        let (qty, orders) = self.kernel.orders().totals(instrument, strategy);
        (qty.map(Qty::get), orders)
    }

    /// The laws: positions are sums of fills, sums over open orders are sums, the money set aside is
    /// theirs, the books balance.
    pub fn check(&self) {
        self.kernel.portfolio().check().expect("books that balance");
        let mut live = 0;
        let mut reserved = [[0i128; 2]; 2];
        for instrument in self.kernel.catalog().instruments() {
            let mut all = ([0; 2], 0);
            let ours = (0..self.scripts.len()).map(|at| StrategyId(at as u16));
            for strategy in ours.chain([StrategyId::EXTERNAL]) {
                let mut own = ([0; 2], 0);
                for side in Side::BOTH {
                    for (_, order) in self.kernel.orders().open(instrument.id, side) {
                        if order.request.strategy != strategy {
                            continue;
                        }
                        assert!(order.life.is_live(), "{order:?}");
                        assert!(order.exposed() >= Qty::ZERO && order.leaves() <= order.exposed());
                        assert!(!order.reserved.is_negative(), "{order:?}");
                        own.0[side.index()] += order.exposed().get();
                        own.1 += 1;
                        live += 1;
                        reserved[instrument.venue.index()][order.reserved_in.index()] +=
                            order.reserved.units();
                    }
                }
                assert_eq!(self.open(instrument.id, Some(strategy)), own, "{}", instrument.symbol);
                all.0[0] += own.0[0];
                all.0[1] += own.0[1];
                all.1 += own.1;
                let sum = self.booked.get(&(strategy, instrument.id)).copied().unwrap_or(0);
                assert_eq!(self.position(strategy, instrument.id), sum, "{}", instrument.symbol);
            }
            assert_eq!(self.open(instrument.id, None), all, "{}", instrument.symbol);
        }
        assert_eq!(self.kernel.orders().live(), live);
        for venue in [A, B] {
            for currency in [USD, IBM] {
                let held = reserved[venue.index()][currency.index()];
                assert_eq!(self.reserved(venue, currency), held, "set aside at {venue:?}");
            }
        }
    }
}

pub fn buy(qty: i64, price: i64) -> OrderWish {
    OrderWish::limit(SHARE_A, Side::Buy, Qty::new(qty), Price::new(price))
}

pub fn sell(qty: i64, price: i64) -> OrderWish {
    OrderWish::limit(SHARE_A, Side::Sell, Qty::new(qty), Price::new(price))
}

pub fn market(instrument: InstrumentId, side: Side, qty: i64) -> OrderWish {
    OrderWish::market(instrument, side, Qty::new(qty))
}

pub fn requests(out: &[Output]) -> Vec<Request> {
    let sent = out.iter().filter_map(|output| match output {
        Output::Send(_, request) => Some(*request),
        _ => None,
    });
    sent.collect()
}

pub fn placed(out: &[Output]) -> Vec<PlaceOrder> {
    let orders = requests(out).into_iter().filter_map(|request| match request {
        Request::Place(order) => Some(order),
        _ => None,
    });
    orders.collect()
}

pub fn cancels(out: &[Output]) -> Vec<ClientOrderId> {
    let cancels = requests(out).into_iter().filter_map(|request| match request {
        Request::Cancel(cancel) => Some(cancel.id),
        _ => None,
    });
    cancels.collect()
}

/// Alerts, but for words that something is near its limit: see [`all_alerts`].
pub fn alerts(out: &[Output]) -> Vec<Alert> {
    let all = all_alerts(out).into_iter();
    all.filter(|alert| !matches!(alert, Alert::Near { .. })).collect()
}

pub fn all_alerts(out: &[Output]) -> Vec<Alert> {
    let alerts = out.iter().filter_map(|output| match output {
        Output::Alert(alert) => Some(*alert),
        _ => None,
    });
    alerts.collect()
}

pub fn ended(out: &[Output]) -> Vec<ClientOrderId> {
    let ended = out.iter().filter_map(|output| match output {
        Output::Ended(id) => Some(*id),
        _ => None,
    });
    ended.collect()
}

pub fn denied(out: &[Output]) -> Vec<Refusal> {
    let refusals = out.iter().filter_map(|output| match output {
        Output::Denied { refusal, .. } => Some(*refusal),
        _ => None,
    });
    refusals.collect()
}

/// One step of an aggregated book.
pub fn depth(side: Side, price: i64, qty: i64, last: bool) -> MarketData {
    let change = DepthChange::Set { side, price: Price::new(price), qty: Qty::new(qty) };
    MarketData::Depth(Depth { change, last })
}

pub fn book(change: DepthChange, last: bool) -> MarketData {
    MarketData::Depth(Depth { change, last })
}

/// A record that the engine leaves to venues.
pub fn single_order() -> MarketData {
    MarketData::Order(tse_model::BookOrder {
        action: BookAction::Add,
        side: Some(Side::Buy),
        order: 1,
        price: Price::new(1),
        qty: Qty::new(1),
        last: true,
    })
}
