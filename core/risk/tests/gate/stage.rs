//! A market in which one lot at one tick is worth one cent, and everything passes until a test
//! changes one thing.

use tse_model::{
    Catalog, ClientOrderId, CurrencyId, Decimal, FeeSchedule, GroupId, Instrument, InstrumentId,
    InstrumentSpec, Kind, Money, OrderType, PlaceOrder, Price, Qty, Quote, Rate, Settlement, Side,
    Span, StrategyId, TimeInForce,
};
use tse_risk::{
    BadClock, Book, Count, Exposed, Level, Limits, Refusal, Repeats, Scene, Scope, Scoped, Waived,
    review,
};

pub fn dec(text: &str) -> Decimal {
    text.parse().expect(text)
}

pub fn cents(units: i128) -> Money {
    Money::from_units(units)
}

/// The definition of a market whose tick is a cent and whose lot is one.
pub fn spec(symbol: &str) -> InstrumentSpec {
    let inverse = symbol.contains(':');
    let contract = symbol.contains("-PERP");
    InstrumentSpec {
        symbol: symbol.parse().expect(symbol),
        kind: if contract { Kind::Perpetual { inverse } } else { Kind::Spot },
        settlement: if contract { Settlement::Difference } else { Settlement::Delivery },
        tick: dec("0.01"),
        lot: dec("1"),
        multiplier: dec("1"),
        qty_min: dec("2"),
        qty_max: Some(dec("5000")),
        notional_min: Decimal::ZERO,
        price_max: Some(dec("100")),
        margin_initial: Decimal::ONE,
        margin_maintenance: Decimal::ONE,
        fees: FeeSchedule::free(),
    }
}

pub fn instrument(spec: InstrumentSpec) -> Instrument {
    let mut catalog = Catalog::new();
    for (code, scale) in [("USD", 2), ("IBM", 0), ("BTC", 8)] {
        catalog.define_currency(code, scale).expect("a new currency");
    }
    let id = catalog.define_instrument(spec).expect("a definition that fits");
    catalog.instrument(id).clone()
}

/// Everything the gate looks at.
#[derive(Clone)]
pub struct Stage {
    pub instrument: Instrument,
    pub quote: Quote,
    pub age: Option<Span>,
    pub valid: bool,
    pub open: bool,
    pub latched: bool,
    pub reconciled: bool,
    pub nearly_full: bool,
    pub lag: Option<tse_risk::Lag>,
    pub level: Level,
    pub closing: bool,
    pub armed: bool,
    pub allowed: bool,
    pub per_trade: Option<(Scope, (u64, u64))>,
    pub too_many: Option<(Scope, Count)>,
    pub in_flight: Option<Count>,
    pub unvalued: Option<Scope>,
    pub exposed: Vec<Exposed>,
    pub unmeasured: Option<Scope>,
    pub clock: Option<BadClock>,
    pub swing: Option<(i64, i64)>,
    pub attributed: bool,
    pub waived: Vec<Waived>,
    pub strategy: Book,
    pub account: Book,
    /// The strategy's own limits.
    pub own: Limits,
    /// The account's limits.
    pub wide: Limits,
    pub repeats: u32,
    pub own_opposite: Option<Price>,
    pub free: Option<Money>,
}

/// Every limit, far from what the tests' orders need.
pub fn limits() -> Limits {
    Limits {
        order_qty_max: Some(Qty::new(100)),
        order_value_max: Some(cents(100_000)),
        collar: Rate::from_bps(dec("500")),
        repeats: Some(Repeats { window: Span::from_secs(1), count: 10 }),
        open_orders_max: Some(10),
        long_max: Some(Qty::new(200)),
        short_max: Some(Qty::new(150)),
        data_age_max: Some(Span::from_secs(1)),
        ..Limits::default()
    }
}

impl Stage {
    pub fn of(symbol: &str) -> Self {
        Self::with(spec(symbol))
    }

    pub fn with(spec: InstrumentSpec) -> Self {
        Self {
            instrument: instrument(spec),
            quote: quote(990, 1_010),
            age: Some(Span::ZERO),
            valid: true,
            open: true,
            latched: false,
            reconciled: true,
            nearly_full: false,
            lag: None,
            level: Level::Free,
            closing: false,
            armed: true,
            allowed: true,
            too_many: None,
            per_trade: None,
            in_flight: None,
            unvalued: None,
            exposed: Vec::new(),
            unmeasured: None,
            clock: None,
            swing: None,
            attributed: true,
            waived: Vec::new(),
            strategy: Book::default(),
            account: Book::default(),
            own: Limits::default(),
            wide: limits(),
            repeats: 0,
            own_opposite: None,
            free: Some(cents(10_000_000)),
        }
    }

    /// Spot, quoted 9.90 to 10.10.
    pub fn spot() -> Self {
        Self::of("IBM-USD.X")
    }

    /// Both scopes hold this and have this open.
    pub fn holding(mut self, position: i64, open: [i64; 2]) -> Self {
        let open = open.map(Qty::new);
        let orders = open.iter().filter(|qty| qty.is_positive()).count() as u32;
        self.strategy = Book { position: Qty::new(position), open, orders };
        self.account = self.strategy;
        self
    }

    /// A copy with one thing changed.
    pub fn but(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut stage = self.clone();
        change(&mut stage);
        stage
    }

    /// What the gate says: the order as it would be sent, or everything against it.
    pub fn review(&self, order: PlaceOrder) -> Result<PlaceOrder, Vec<Refusal>> {
        let limits = Scoped::new(self.own, self.wide);
        let scene = Scene {
            instrument: &self.instrument,
            quote: &self.quote,
            age: self.age,
            valid: self.valid,
            open: self.open,
            latched: self.latched,
            reconciled: self.reconciled,
            nearly_full: self.nearly_full,
            lag: self.lag,
            level: self.level,
            closing: self.closing,
            armed: self.armed,
            allowed: self.allowed,
            too_many: self.too_many,
            per_trade: self.per_trade,
            in_flight: self.in_flight,
            unvalued: self.unvalued,
            exposed: &self.exposed,
            counted_in: CurrencyId(0),
            unmeasured: self.unmeasured,
            clock: self.clock,
            swing: self.swing,
            attributed: self.attributed,
            waived: &self.waived,
            #[cfg(feature = "plant")]
            without: tse_risk::Without::of(&std::env::var("TSE_WITHOUT").unwrap_or_default()),
            strategy: self.strategy,
            account: self.account,
            limits: &limits,
            repeats: self.repeats,
            own_opposite: self.own_opposite,
            free: self.free,
        };
        let mut refusals = Vec::new();
        // What is explained to people is what was decided.
        let checks = tse_risk::explain(&order, &scene, |_| 2);
        let approved = review(order, &scene, &mut refusals);
        for check in checks {
            // Figures that fit no integer refuse under C01, wherever they stand.
            let overflow = refusals.contains(&Refusal::Overflow);
            let why = refusals.iter().any(|refusal| refusal.control() == check.control) || overflow;
            assert!(check.passed || why, "{check:?}, and {refusals:?}");
            assert!(check.passed || approved.is_none(), "{check:?} failed and it was approved");
        }
        match approved {
            Some(approved) => {
                assert_eq!(refusals, [], "approved and refused");
                Ok(approved.into_inner())
            }
            None => {
                assert_ne!(refusals, [], "refused without a reason");
                Err(refusals)
            }
        }
    }

    pub fn passes(&self, order: PlaceOrder) {
        assert_eq!(self.review(order), Ok(order));
    }

    pub fn refuses(&self, order: PlaceOrder, with: Refusal) {
        assert_eq!(self.review(order), Err(vec![with]));
    }
}

pub fn quote(bid: i64, ask: i64) -> Quote {
    Quote {
        bid: Price::new(bid),
        bid_qty: Qty::new(50),
        ask: Price::new(ask),
        ask_qty: Qty::new(50),
    }
}

/// A limit order that rests.
pub fn limit(side: Side, qty: i64, price: i64) -> PlaceOrder {
    PlaceOrder {
        id: ClientOrderId(1),
        instrument: InstrumentId(0),
        strategy: StrategyId(0),
        group: GroupId(0),
        side,
        order_type: OrderType::Limit(Price::new(price)),
        time_in_force: TimeInForce::Gtc,
        qty: Qty::new(qty),
        display: None,
        post_only: false,
        reduce_only: false,
    }
}

pub fn buy(qty: i64, price: i64) -> PlaceOrder {
    limit(Side::Buy, qty, price)
}

pub fn sell(qty: i64, price: i64) -> PlaceOrder {
    limit(Side::Sell, qty, price)
}

pub fn market(side: Side, qty: i64) -> PlaceOrder {
    PlaceOrder {
        order_type: OrderType::Market,
        time_in_force: TimeInForce::Ioc,
        ..limit(side, qty, 0)
    }
}
