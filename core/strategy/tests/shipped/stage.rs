//! A desk that shows a strategy whatever a test wants, and writes down what it wishes.

use std::collections::BTreeMap;
use tse_model::{
    Catalog, ClientOrderId, CurrencyId, Decimal, ExecId, FeeBasis, FeeSchedule, Fill, GroupId,
    InstrumentId, InstrumentSpec, Kind, Liquidity, Money, OrderEventKind, Price, Qty, Quote, Rate,
    Rounding, Settlement, Side, Span, StrategyId, Timestamp, VenueId,
};
use tse_strategy::{
    Desk, Intent, Intents, LiveOrder, Market, Opportunity, OrderUpdate, OrderWish, ParamError,
    Params, QuoteLevel, Rates, Registry, Reversal, Setup, Strategy, UpdateKind, View,
};

pub fn dec(text: &str) -> Decimal {
    text.parse().expect(text)
}

pub fn seconds(n: i64) -> Span {
    Span::from_secs(n)
}

/// A market as tests define it.
#[derive(Clone)]
pub struct Terms {
    pub symbol: &'static str,
    pub tick: &'static str,
    pub lot: &'static str,
    pub multiplier: &'static str,
    pub qty_min: &'static str,
    pub notional_min: &'static str,
    pub taker_bps: &'static str,
    pub maker_bps: &'static str,
}

/// Ticks of a cent, lots of a hundred-thousandth, no fees.
pub fn terms(symbol: &'static str) -> Terms {
    Terms {
        symbol,
        tick: "0.01",
        lot: "0.00001",
        multiplier: "1",
        qty_min: "0.0001",
        notional_min: "0",
        taker_bps: "0",
        maker_bps: "0",
    }
}

pub fn catalog(markets: &[Terms]) -> Catalog {
    let mut catalog = Catalog::new();
    for (code, scale) in [("USD", 2), ("USDT", 6), ("BTC", 8)] {
        catalog.define_currency(code, scale).expect("a new currency");
    }
    let rate = |bps: &str| Rate::from_bps(dec(bps)).expect("a rate");
    for terms in markets {
        let contract = terms.symbol.contains("-PERP");
        let basis = FeeBasis::Value { maker: rate(terms.maker_bps), taker: rate(terms.taker_bps) };
        catalog
            .define_instrument(InstrumentSpec {
                symbol: terms.symbol.parse().expect(terms.symbol),
                kind: match contract {
                    true => Kind::Perpetual { inverse: terms.symbol.contains(':') },
                    false => Kind::Spot,
                },
                settlement: match contract {
                    true => Settlement::Difference,
                    false => Settlement::Delivery,
                },
                tick: dec(terms.tick),
                lot: dec(terms.lot),
                multiplier: dec(terms.multiplier),
                qty_min: dec(terms.qty_min),
                qty_max: None,
                notional_min: dec(terms.notional_min),
                price_max: None,
                margin_initial: Decimal::ONE,
                margin_maintenance: Decimal::ONE,
                fees: FeeSchedule::flat(basis, Rounding::HalfEven),
            })
            .expect(terms.symbol);
    }
    catalog
}

/// What a strategy wished, with its levels and legs.
#[derive(Clone, PartialEq, Debug)]
pub enum Wish {
    Order(OrderWish),
    Group(Vec<OrderWish>),
    Target(InstrumentId, i64, Reversal),
    Quote(InstrumentId, Vec<QuoteLevel>, i64),
    CancelAll(InstrumentId),
    Wake(Span),
    Saw(Opportunity),
}

/// A desk without an engine.
pub struct Table {
    catalog: Catalog,
    markets: Vec<Market>,
    positions: BTreeMap<InstrumentId, Qty>,
    live: Vec<(InstrumentId, LiveOrder)>,
    free: BTreeMap<(VenueId, CurrencyId), Money>,
}

impl Desk for Table {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }
    fn market(&self, instrument: InstrumentId) -> &Market {
        &self.markets[instrument.index()]
    }
    fn position(&self, _: StrategyId, instrument: InstrumentId) -> Qty {
        self.positions.get(&instrument).copied().unwrap_or_default()
    }
    fn live_orders(
        &self,
        _: StrategyId,
        instrument: InstrumentId,
        each: &mut dyn FnMut(&LiveOrder),
    ) {
        for (_, order) in self.live.iter().filter(|(id, _)| *id == instrument) {
            each(order);
        }
    }
    fn free(&self, venue: VenueId, currency: CurrencyId) -> Money {
        self.free.get(&(venue, currency)).copied().unwrap_or_default()
    }
}

/// A strategy at such a desk.
pub struct Play {
    pub table: Table,
    pub now: Timestamp,
    strategy: Box<dyn Strategy>,
}

pub fn build(
    name: &str,
    catalog: &Catalog,
    rates: &Rates,
    given: &[(&str, &str)],
) -> Result<Box<dyn Strategy>, ParamError> {
    let registry = Registry::shipped();
    let kind = registry.get(name).expect(name);
    let given: Vec<_> =
        given.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let params = Params::new(kind.params, &given).map_err(|mut errors| errors.remove(0))?;
    let instruments: Vec<_> = catalog.instruments().iter().map(|it| it.id).collect();
    (kind.build)(&params, &Setup { catalog, instruments: &instruments, rates })
}

impl Play {
    pub fn new(name: &str, markets: &[Terms], given: &[(&str, &str)]) -> Self {
        Self::with_rates(name, catalog(markets), &Rates::default(), given)
    }

    pub fn with_rates(name: &str, catalog: Catalog, rates: &Rates, given: &[(&str, &str)]) -> Self {
        let strategy = build(name, &catalog, rates, given).expect(name);
        let markets = catalog.instruments().iter().map(|_| Market::new()).collect();
        let free = catalog.venues().len() as u16;
        let free = (0..free).flat_map(|venue| {
            catalog.currencies().iter().enumerate().map(move |(at, currency)| {
                let units = 1_000_000 * 10i128.pow(u32::from(currency.scale));
                ((VenueId(venue), CurrencyId(at as u16)), Money::from_units(units))
            })
        });
        let free = free.collect();
        let (positions, live) = (BTreeMap::new(), Vec::new());
        let table = Table { catalog, markets, positions, live, free };
        Self { table, now: Timestamp::from_nanos(1_000_000_000_000), strategy }
    }

    fn ask(&mut self, call: impl FnOnce(&mut dyn Strategy, &View<'_>, &mut Intents)) -> Vec<Wish> {
        let mut intents = Intents::new();
        let view = View::new(self.now, StrategyId(0), &self.table);
        call(&mut *self.strategy, &view, &mut intents);
        let wishes = intents.list().iter().map(|intent| match *intent {
            Intent::Order(order) => Wish::Order(order),
            Intent::Group { from, count } => Wish::Group(intents.legs(from, count).to_vec()),
            Intent::Target { instrument, position, reversal } => {
                Wish::Target(instrument, position.get(), reversal)
            }
            Intent::Quote { instrument, from, count, tolerance } => {
                Wish::Quote(instrument, intents.levels(from, count).to_vec(), tolerance)
            }
            Intent::CancelAll(instrument) => Wish::CancelAll(instrument),
            Intent::Wake(span) => Wish::Wake(span),
            Intent::Saw(opportunity) => Wish::Saw(opportunity),
            Intent::Cancel(_) | Intent::Modify { .. } => panic!("no shipped strategy does"),
        });
        wishes.collect()
    }

    pub fn warm_up(&self) -> u32 {
        self.strategy.interest().warm_up
    }

    /// Shows a quote without telling the strategy.
    pub fn show(&mut self, id: InstrumentId, [bid, ask]: [&str; 2], [bids, asks]: [&str; 2]) {
        let it = self.table.catalog.instrument(id);
        let price = |text: &str| it.price(dec(text)).expect(text);
        let qty = |text: &str| it.qty(dec(text)).expect(text);
        let quote =
            Quote { bid: price(bid), bid_qty: qty(bids), ask: price(ask), ask_qty: qty(asks) };
        let market = &mut self.table.markets[id.index()];
        market.quote = quote;
        market.updated = Some(self.now);
        market.valid = !quote.is_crossed();
    }

    /// Tells the strategy of the quote that is shown.
    pub fn tell(&mut self, id: InstrumentId) -> Vec<Wish> {
        let quote = self.table.markets[id.index()].quote;
        self.ask(|strategy, view, wish| strategy.on_quote(id, &quote, view, wish))
    }

    pub fn quote(&mut self, id: InstrumentId, prices: [&str; 2], sizes: [&str; 2]) -> Vec<Wish> {
        self.show(id, prices, sizes);
        self.tell(id)
    }

    pub fn invalid(&mut self, id: InstrumentId) -> Vec<Wish> {
        self.table.markets[id.index()].valid = false;
        self.ask(|strategy, view, wish| strategy.on_invalid(id, view, wish))
    }

    pub fn bar(&mut self, bar: &tse_model::Bar) -> Vec<Wish> {
        self.ask(|strategy, view, wish| strategy.on_bar(0, bar, view, wish))
    }

    pub fn timer(&mut self, after: Span) -> Vec<Wish> {
        self.now = self.now + after;
        self.ask(|strategy, view, wish| strategy.on_timer(view, wish))
    }

    pub fn stop(&mut self) -> Vec<Wish> {
        self.ask(|strategy, view, wish| strategy.on_stop(view, wish))
    }

    /// The position is what it is, and the strategy hears of a fill.
    pub fn fill(&mut self, id: InstrumentId, side: Side, qty: &str) -> Vec<Wish> {
        let it = self.table.catalog.instrument(id);
        let (qty, fee_currency) = (it.qty(dec(qty)).expect(qty), it.settle);
        *self.table.positions.entry(id).or_default() += qty.signed(side);
        self.hear_fill(id, side, qty, fee_currency)
    }

    /// It hears of a fill that the ledger does not know.
    pub fn hear_fill(
        &mut self,
        id: InstrumentId,
        side: Side,
        qty: Qty,
        fee_currency: CurrencyId,
    ) -> Vec<Wish> {
        let fill = Fill {
            exec: ExecId(1),
            price: self.table.markets[id.index()].quote.bid,
            qty,
            liquidity: Liquidity::Taker,
            fee: Money::ZERO,
            fee_currency,
        };
        self.ask(|strategy, view, wish| strategy.on_fill(id, side, &fill, view, wish))
    }

    pub fn update(&mut self, id: InstrumentId, side: Side, kind: UpdateKind) -> Vec<Wish> {
        let (order, group) = (ClientOrderId(1), GroupId(1));
        let update = OrderUpdate { id: order, instrument: id, side, group, kind };
        self.ask(|strategy, view, wish| strategy.on_order(&update, view, wish))
    }

    /// An order of the strategy ended at its venue.
    pub fn ends(&mut self, id: InstrumentId, side: Side) -> Vec<Wish> {
        let reason = tse_model::CancelReason::Unfilled;
        self.update(id, side, UpdateKind::Venue(OrderEventKind::Cancelled { reason, filled: None }))
    }

    /// This many orders of the strategy are open in a market.
    pub fn open(&mut self, id: InstrumentId, orders: usize) {
        self.table.live.retain(|(instrument, _)| *instrument != id);
        for number in 0..orders {
            let order = LiveOrder {
                id: ClientOrderId(number as u64),
                side: Side::Buy,
                price: None,
                leaves: Qty::new(1),
                cancelling: false,
            };
            self.table.live.push((id, order));
        }
    }

    pub fn hold(&mut self, id: InstrumentId, position: &str) {
        let it = self.table.catalog.instrument(id);
        self.table.positions.insert(id, it.qty(dec(position)).expect(position));
    }

    pub fn market(&mut self, id: InstrumentId) -> &mut Market {
        &mut self.table.markets[id.index()]
    }

    pub fn have(&mut self, venue: u16, code: &str, amount: &str) {
        let currency = self.table.catalog.currency_id(code).expect(code);
        let money = self.table.catalog.money(dec(amount), currency).expect(amount);
        self.table.free.insert((VenueId(venue), currency), money);
    }
}

/// A leg that trades at once: market, side, lots, price in ticks.
pub fn ioc(id: InstrumentId, side: Side, lots: i64, ticks: i64) -> OrderWish {
    OrderWish::ioc(id, side, Qty::new(lots), Price::new(ticks))
}

pub fn market_order(id: InstrumentId, side: Side, lots: i64) -> Wish {
    Wish::Order(OrderWish::market(id, side, Qty::new(lots)))
}

/// The groups among wishes.
pub fn groups(wishes: &[Wish]) -> Vec<Vec<OrderWish>> {
    let groups = wishes.iter().filter_map(|wish| match wish {
        Wish::Group(legs) => Some(legs.clone()),
        _ => None,
    });
    groups.collect()
}

/// What is asked for among wishes, without timers and sightings.
pub fn acts(wishes: &[Wish]) -> Vec<Wish> {
    let acts = wishes.iter().filter(|wish| !matches!(wish, Wish::Wake(_) | Wish::Saw(_)));
    acts.cloned().collect()
}

pub fn seen(wishes: &[Wish]) -> Vec<Opportunity> {
    let seen = wishes.iter().filter_map(|wish| match wish {
        Wish::Saw(opportunity) => Some(*opportunity),
        _ => None,
    });
    seen.collect()
}
