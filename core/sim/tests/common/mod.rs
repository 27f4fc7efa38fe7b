//! The harness that all scenarios share: small worlds, events by hand, every law checked after each.

#![allow(dead_code, reason = "each test uses its part")]

pub mod puppet;

use puppet::{Act, Diary, script};
use tse_kernel::{Alert, Kernel, LimitTable, Output, PaceTable};
use tse_model::{
    Catalog, ClientOrderId, Decimal, Depth, DepthChange, Events, FeeBasis, FeeSchedule, Fill,
    InstrumentId, InstrumentSpec, Kind, MarketData, MarketEvent, Price, Qty, Quote, Rate, Request,
    Rounding, Settlement, Side, Source, Span, Timestamp, Trade, TradingStatus,
};
use tse_portfolio::statistics::{Basis, Days};
use tse_risk::{Limits, Refusal, Repeats, SelfTrade};
use tse_sim::{
    Backtest, FundingSchedule, Latency, MarketSetup, Observer, Outcome, QueueModel, Scenario,
    VenueSetup,
};
use tse_strategy::{Opportunity, OrderWish, Params, Rates, Registry, Setup, Strategy};

pub fn dec(text: &str) -> Decimal {
    text.parse().expect("a number")
}

/// One instrument, as most tests want it.
pub struct Listing {
    pub symbol: &'static str,
    pub kind: Kind,
    pub tick: &'static str,
    pub lot: &'static str,
    pub multiplier: &'static str,
    /// Basis points, maker and taker.
    pub fees: (&'static str, &'static str),
    /// Instead of `fees`.
    pub schedule: Option<FeeSchedule>,
    pub margin: bool,
}

impl Listing {
    pub fn spot(symbol: &'static str) -> Self {
        Self {
            symbol,
            kind: Kind::Spot,
            tick: "0.01",
            lot: "0.001",
            multiplier: "1",
            fees: ("0", "0"),
            schedule: None,
            margin: false,
        }
    }

    pub fn perpetual(symbol: &'static str, inverse: bool) -> Self {
        Self {
            kind: Kind::Perpetual { inverse },
            lot: if inverse { "1" } else { "0.001" },
            multiplier: if inverse { "100" } else { "1" },
            margin: true,
            tick: "0.1",
            ..Self::spot(symbol)
        }
    }

    fn spec(&self) -> InstrumentSpec {
        let bps = |text: &str| Rate::from_bps(dec(text)).expect("a rate");
        let basis = FeeBasis::Value { maker: bps(self.fees.0), taker: bps(self.fees.1) };
        InstrumentSpec {
            symbol: self.symbol.parse().expect("a symbol"),
            kind: self.kind,
            settlement: if self.margin { Settlement::Difference } else { Settlement::Delivery },
            tick: dec(self.tick),
            lot: dec(self.lot),
            multiplier: dec(self.multiplier),
            qty_min: dec(self.lot),
            qty_max: None,
            notional_min: Decimal::ZERO,
            price_max: None,
            margin_initial: dec("0.1"),
            margin_maintenance: dec("0.05"),
            fees: self
                .schedule
                .clone()
                .unwrap_or_else(|| FeeSchedule::flat(basis, Rounding::HalfEven)),
        }
    }
}

/// A world under construction.
pub struct World {
    pub catalog: Catalog,
    pub deposits: Vec<(&'static str, &'static str, &'static str)>,
    pub events: Vec<MarketEvent>,
    pub strategies: Vec<(Box<dyn Strategy>, Vec<InstrumentId>)>,
    pub queue: QueueModel,
    pub half_spread: i64,
    pub funding: Option<FundingSchedule>,
    /// Of market data, orders and answers, at every venue.
    pub latency: [Latency; 3],
    pub limits: Limits,
    pub seed: u64,
    pub rates: Rates,
    pub base: &'static str,
    pub sources: Vec<Box<dyn Source>>,
}

/// Limits that no sensible test reaches.
pub fn generous() -> Limits {
    Limits {
        swing: None,
        order_qty_max: Some(Qty::new(i64::MAX / 8)),
        order_value_max: Some(tse_model::Money::from_units(i128::MAX / 4)),
        collar: Some(Rate::from_billionths(500_000_000)),
        repeats: Some(Repeats { window: Span::from_secs(1), count: 1_000 }),
        open_orders_max: Some(1_000),
        long_max: Some(Qty::new(i64::MAX / 8)),
        short_max: Some(Qty::new(i64::MAX / 8)),
        self_trade: SelfTrade::RejectNew,
        data_age_max: Some(Span::from_secs(3_600)),
    }
}

impl World {
    pub fn new(listings: &[Listing]) -> Self {
        let mut catalog = Catalog::new();
        for listing in listings {
            catalog.define_instrument(listing.spec()).expect("a sound instrument");
        }
        Self {
            catalog,
            deposits: Vec::new(),
            events: Vec::new(),
            strategies: Vec::new(),
            queue: QueueModel::Back,
            half_spread: 1,
            funding: None,
            latency: [Latency::NONE, Latency::NONE, Latency::NONE],
            limits: generous(),
            seed: 42,
            rates: Rates::default(),
            base: "USD",
            sources: Vec::new(),
        }
    }

    pub fn deposit(
        &mut self,
        venue: &'static str,
        currency: &'static str,
        amount: &'static str,
    ) -> &mut Self {
        self.deposits.push((venue, currency, amount));
        self
    }

    pub fn strategy(
        &mut self,
        kind: &str,
        instruments: &[u32],
        params: &[(&str, &str)],
    ) -> &mut Self {
        let registry = Registry::shipped();
        let kind = registry.get(kind).expect("a known strategy");
        let given: Vec<_> =
            params.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let params = Params::new(kind.params, &given).expect("sound parameters");
        let instruments: Vec<_> = instruments.iter().map(|id| InstrumentId(*id)).collect();
        let setup = Setup { catalog: &self.catalog, instruments: &instruments, rates: &self.rates };
        let strategy = (kind.build)(&params, &setup).expect("it can be built");
        self.strategies.push((strategy, instruments));
        self
    }

    pub fn own(&mut self, strategy: impl Strategy + 'static, instruments: &[u32]) -> &mut Self {
        let instruments = instruments.iter().map(|id| InstrumentId(*id)).collect();
        self.strategies.push((Box::new(strategy), instruments));
        self
    }

    /// A strategy that does each act at its time, in milliseconds. What it hears is in the diary.
    pub fn script(&mut self, instruments: &[u32], acts: &[(i64, Act)]) -> Diary {
        let diary = Diary::default();
        self.own(script(acts, &diary), instruments);
        diary
    }

    /// An order at a price, or at market where there is none.
    pub fn wish(&self, instrument: u32, side: Side, qty: &str, price: Option<&str>) -> OrderWish {
        let it = self.catalog.instrument(InstrumentId(instrument));
        let qty = it.qty(dec(qty)).expect("on the grid");
        match price {
            Some(price) => {
                OrderWish::limit(it.id, side, qty, it.price(dec(price)).expect("on the grid"))
            }
            None => OrderWish::market(it.id, side, qty),
        }
    }

    fn push(&mut self, ms: i64, instrument: u32, data: MarketData) -> &mut Self {
        let at = Timestamp::from_nanos(ms * 1_000_000);
        self.events.push(MarketEvent {
            ts_event: at,
            ts_recv: at,
            instrument: InstrumentId(instrument),
            data,
        });
        self
    }

    fn grid(&self, instrument: u32, price: &str, qty: &str) -> (Price, Qty) {
        let it = self.catalog.instrument(InstrumentId(instrument));
        (it.price(dec(price)).expect("on the grid"), it.qty(dec(qty)).expect("on the grid"))
    }

    /// A quote at a time in milliseconds: `(price, size)` bid and ask.
    pub fn quote(
        &mut self,
        ms: i64,
        instrument: u32,
        bid: (&str, &str),
        ask: (&str, &str),
    ) -> &mut Self {
        let (bid, bid_qty) = self.grid(instrument, bid.0, bid.1);
        let (ask, ask_qty) = self.grid(instrument, ask.0, ask.1);
        self.push(ms, instrument, MarketData::Quote(Quote { bid, bid_qty, ask, ask_qty }))
    }

    pub fn trade(
        &mut self,
        ms: i64,
        instrument: u32,
        aggressor: Side,
        price: &str,
        qty: &str,
    ) -> &mut Self {
        let (price, qty) = self.grid(instrument, price, qty);
        self.push(
            ms,
            instrument,
            MarketData::Trade(Trade { price, qty, aggressor: Some(aggressor), id: 0 }),
        )
    }

    pub fn depth(
        &mut self,
        ms: i64,
        instrument: u32,
        side: Side,
        price: &str,
        qty: &str,
    ) -> &mut Self {
        let (price, qty) = self.grid(instrument, price, qty);
        let change = DepthChange::Set { side, price, qty };
        self.push(ms, instrument, MarketData::Depth(Depth { change, last: true }))
    }

    pub fn data(&mut self, ms: i64, instrument: u32, data: MarketData) -> &mut Self {
        self.push(ms, instrument, data)
    }

    /// Lets the data go on until then, so that what is on its way still arrives at somebody.
    pub fn until(&mut self, ms: i64) -> &mut Self {
        self.push(ms, 0, MarketData::Status(TradingStatus::Open))
    }

    /// Runs it all with every law checked after every event.
    pub fn run(self) -> Ran {
        let mut backtest = self.build();
        let mut log = Log::default();
        let outcome = backtest.run(&mut log, |_| true).expect("events can be read");
        assert_eq!(outcome.broken, None, "a law of conservation is broken");
        Ran { outcome, log, backtest }
    }

    /// Everything set up and nothing run.
    pub fn build(self) -> Backtest {
        Backtest::new(self.scenario()).expect("events in memory do not fail")
    }

    /// What there is to run.
    pub fn scenario(self) -> Scenario {
        let mut catalog = self.catalog;
        let base = catalog.currency_or_default(self.base);
        let account: Vec<_> = catalog.instruments().iter().map(|_| self.limits).collect();
        let limits = LimitTable::new(
            account.clone(),
            self.strategies.iter().map(|_| account.clone()).collect(),
        );
        let venues = (0..catalog.venues().len() as u16).map(|number| {
            let venue = tse_model::VenueId(number);
            let here = self.deposits.iter().filter(|(name, ..)| *name == catalog.venue(venue).name);
            VenueSetup {
                venue,
                deposits: here
                    .map(|(_, code, amount)| {
                        let currency = catalog.currency_id(code).expect("a known currency");
                        (currency, catalog.money(dec(amount), currency).expect("enough decimals"))
                    })
                    .collect(),
                feed: self.latency[0].clone(),
                order: self.latency[1].clone(),
                response: self.latency[2].clone(),
                markets: catalog
                    .instruments()
                    .iter()
                    .filter(|it| it.venue == venue)
                    .map(|it| MarketSetup {
                        instrument: it.id,
                        queue: self.queue,
                        half_spread: self.half_spread,
                        funding: self.funding,
                    })
                    .collect(),
            }
        });
        let venues = venues.collect();
        let mut sources = self.sources;
        if !self.events.is_empty() {
            sources.push(Box::new(Events::new(self.events)));
        }
        Scenario {
            seed: self.seed,
            venues,
            sources,
            strategies: self.strategies,
            limits,
            repeat_window: Span::from_secs(1),
            answer_timeout: Span::from_secs(30),
            base,
            rates: self.rates.all().to_vec(),
            price_age_max: Span::MAX,
            paces: PaceTable::default(),
            losses: None,
            exposure: None,
            guards: guards(),
            sample_every: Span::from_secs(1),
            basis: Basis::plain(Days::All, 365.0),
            start: None,
            end: None,
            audit: true,
            live: None,
            catalog,
        }
    }
}

/// What happened, as a list.
#[derive(Default)]
pub struct Log {
    pub requests: Vec<(Timestamp, Request)>,
    pub fills: Vec<(Timestamp, InstrumentId, Side, Fill)>,
    pub denied: Vec<Refusal>,
    pub saw: Vec<Opportunity>,
    /// Alerts are expected here: otherwise the first ends the test.
    pub alarming: bool,
    pub alerts: Vec<Alert>,
    /// Fills that no order of ours asked for.
    pub liquidations: u64,
}

impl Observer for Log {
    fn output(&mut self, now: Timestamp, output: &Output, _: &Kernel) {
        match *output {
            Output::Send(_, request) => self.requests.push((now, request)),
            Output::Filled { id, instrument, side, fill, .. } => {
                self.liquidations += u64::from(id == ClientOrderId(0));
                self.fills.push((now, instrument, side, fill));
            }
            Output::Denied { refusal, .. } => self.denied.push(refusal),
            Output::Saw(_, opportunity) => self.saw.push(opportunity),
            Output::Alert(alert) if self.alarming => self.alerts.push(alert),
            Output::Alert(alert) => panic!("nothing alarming happens here: {alert:?}"),
            Output::Ended(_) => {}
            other => panic!("nobody compares accounts here: {other:?}"),
        }
    }
}

/// A world that has been run.
pub struct Ran {
    pub outcome: Outcome,
    pub log: Log,
    pub backtest: Backtest,
}

impl Ran {
    /// Fills as `side price qty`, in decimal text.
    pub fn fills(&self) -> Vec<String> {
        let catalog = self.backtest.kernel().catalog();
        let show = |(_, instrument, side, fill): &(Timestamp, InstrumentId, Side, Fill)| {
            let it = catalog.instrument(*instrument);
            format!(
                "{side} {} @ {} {}",
                it.qty_decimal(fill.qty),
                it.price_decimal(fill.price),
                it.symbol
            )
        };
        self.log.fills.iter().map(show).collect()
    }

    /// Cash at a venue as decimal text.
    pub fn cash(&self, venue: &str, currency: &str) -> String {
        let kernel = self.backtest.kernel();
        let catalog = kernel.catalog();
        let (venue, currency) =
            (catalog.venue_id(venue).unwrap(), catalog.currency_id(currency).unwrap());
        catalog.show(kernel.portfolio().balance(venue, currency), currency)
    }
}

/// Whose orders they are, for engines that are told that money is at stake.
pub fn guards() -> tse_kernel::Guards {
    let algorithm = tse_kernel::Algorithm {
        name: tse_model::Text::cut("a test"),
        version: tse_model::Text::cut("1"),
    };
    let operator = tse_risk::Who::cut("a test");
    tse_kernel::Guards { algorithms: vec![algorithm; 8], config: 1, operator, ..Default::default() }
}
