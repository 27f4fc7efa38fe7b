//! The workloads through TSE: kernel and simulated venue, as `tse backtest` runs them.
//!
//! Everything that trades is on: the risk gate with every limit set, the order machine, the
//! double-entry ledger at both ends, equity samples, the state hash. The journal and report writers
//! are off, and so are the laws that tests check after each event. (a) is the shipped `ema_cross`; (b)
//! and (c) are strategies of a few lines, as anyone would write them.
//!
//! Begin at [`cross`], [`quoting`] and [`grid`].

use crate::bare::{GRID_EVERY_NS, GRID_LATENCY_NS, GRID_QUEUE_POWER, grid_prices};
use crate::generate::INSTRUMENT;
use crate::measure::{Metered, Run, Tally, run};
use tse_disk::Folder;
use tse_journal::{Durability, Journal, Options};
use tse_kernel::{LimitTable, PaceTable};
use tse_model::{
    Catalog, Decimal, FeeBasis, FeeSchedule, InstrumentId, InstrumentSpec, Kind, Price, Qty, Quote,
    Rate, Rounding, Settlement, Side, Source, Span, VenueId,
};
use tse_portfolio::statistics::{Basis, Days};
use tse_risk::{Limits, Repeats, SelfTrade};
use tse_sim::{Backtest, Latency, MarketSetup, QueueModel, Recorder, Scenario, VenueSetup};
use tse_strategy::{Intents, Interest, Params, QuoteLevel, Rates, Registry, Setup, Strategy, View};

/// What is on in every run.
const CONTROLS: [&str; 15] = [
    "gate C01 instrument and tradability",
    "gate C03 order quantity",
    "gate C04 order value",
    "gate C05 price collar",
    "gate C08 repeats",
    "gate C10 open orders",
    "gate C11 position",
    "gate C13 funds",
    "gate C14 self-trade",
    "gate C18 data age",
    "order machine with answer time-outs",
    "double-entry ledger, engine and venue",
    "fees 1 bp",
    "equity samples every minute",
    "state hash",
];

/// (a) `ema_cross` on every change of the mid.
pub fn cross<S: Source + 'static>(source: S, events: u64, recorded: bool) -> Run {
    let market = Market::new(QueueModel::Front, Span::ZERO);
    let strategy = market.cross();
    market.run(source, events, strategy, recorded)
}

/// (b) A bid and an ask two ticks from the mid, placed anew whenever it has moved by a tick.
pub fn quoting<S: Source + 'static>(source: S, events: u64, recorded: bool) -> Run {
    let market = Market::new(QueueModel::Front, Span::ZERO);
    market.run(source, events, Box::new(Quoting { anchor: None }), recorded)
}

/// (c) Five post-only levels a side, looked after every 100 ms.
pub fn grid<S: Source + 'static>(source: S, events: u64, recorded: bool) -> Run {
    let queue = QueueModel::Power(f64::from(GRID_QUEUE_POWER));
    let market = Market::new(queue, Span::from_nanos(GRID_LATENCY_NS));
    market.run(source, events, Box::new(Grid { levels: Vec::new() }), recorded)
}

/// (a) as a scenario, over any source: for who records and replays it.
pub fn cross_scenario(source: Box<dyn Source>) -> Scenario {
    let market = Market::new(QueueModel::Front, Span::ZERO);
    let strategy = market.cross();
    market.scenario(source, strategy)
}

const LOT: Qty = Qty::new(1);

struct Quoting {
    anchor: Option<i64>,
}

impl Strategy for Quoting {
    fn interest(&self) -> Interest {
        Interest { quotes: true, ..Interest::default() }
    }

    fn on_quote(&mut self, it: InstrumentId, quote: &Quote, _: &View<'_>, wish: &mut Intents) {
        let Some(mid) = quote.twice_mid() else { return };
        if self.anchor.is_none_or(|anchor| (mid - anchor).abs() >= 2) {
            self.anchor = Some(mid);
            let bid = Price::new(mid.div_euclid(2) - 2);
            let ask = Price::new((mid + 1).div_euclid(2) + 2);
            let levels = [
                QuoteLevel { side: Side::Buy, price: bid, qty: LOT },
                QuoteLevel { side: Side::Sell, price: ask, qty: LOT },
            ];
            wish.quote(it, &levels, 0);
        }
    }
}

struct Grid {
    levels: Vec<QuoteLevel>,
}

impl Strategy for Grid {
    fn interest(&self) -> Interest {
        Interest::default()
    }

    fn on_start(&mut self, _: &View<'_>, wish: &mut Intents) {
        wish.wake_in(Span::from_nanos(GRID_EVERY_NS));
    }

    fn on_timer(&mut self, view: &View<'_>, wish: &mut Intents) {
        wish.wake_in(Span::from_nanos(GRID_EVERY_NS));
        let Some(mid) = view.market(INSTRUMENT).quote.twice_mid() else { return };
        self.levels.clear();
        for side in Side::BOTH {
            let prices = grid_prices(side, mid).map(Price::new);
            self.levels.extend(prices.map(|price| QuoteLevel { side, price, qty: LOT }));
        }
        wish.quote(INSTRUMENT, &self.levels, 0);
    }
}

/// A linear perpetual at one venue: tick 0.1, lot 0.001, margin account, 1 bp either way.
struct Market {
    catalog: Catalog,
    queue: QueueModel,
    latency: Latency,
}

fn dec(text: &str) -> Decimal {
    text.parse().expect("a number")
}

impl Market {
    fn new(queue: QueueModel, latency: Span) -> Self {
        let fee = Rate::from_bps(Decimal::ONE).expect("a rate");
        let mut catalog = Catalog::new();
        let spec = InstrumentSpec {
            symbol: "BTC-USDT-PERP.SIM".parse().expect("a symbol"),
            kind: Kind::Perpetual { inverse: false },
            settlement: Settlement::Difference,
            tick: dec("0.1"),
            lot: dec("0.001"),
            multiplier: Decimal::ONE,
            qty_min: dec("0.001"),
            qty_max: None,
            notional_min: Decimal::ZERO,
            price_max: None,
            margin_initial: dec("0.05"),
            margin_maintenance: dec("0.025"),
            fees: FeeSchedule::flat(FeeBasis::Value { maker: fee, taker: fee }, Rounding::HalfEven),
        };
        let instrument = catalog.define_instrument(spec).expect("a sound instrument");
        assert_eq!(instrument, INSTRUMENT);
        Self { catalog, queue, latency: Latency::Constant(latency) }
    }

    /// The shipped moving-average cross.
    fn cross(&self) -> Box<dyn Strategy> {
        let registry = Registry::shipped();
        let kind = registry.get("ema_cross").expect("it is shipped");
        let given = [("bar", "0s"), ("price", "mid"), ("reversal", "single"), ("size", "0.001")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let params = Params::new(kind.params, &given).expect("sound parameters");
        let rates = Rates::default();
        let setup = Setup { catalog: &self.catalog, instruments: &[INSTRUMENT], rates: &rates };
        (kind.build)(&params, &setup).expect("sound parameters")
    }

    fn run<S: Source + 'static>(
        self,
        source: S,
        events: u64,
        strategy: Box<dyn Strategy>,
        recorded: bool,
    ) -> Run {
        // Made and taken away outside of what is measured.
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().to_owned();
        run(&CONTROLS, move |meter| {
            let source = Box::new(Metered::new(source, events, meter));
            let scenario = self.scenario(source, strategy);
            let mut backtest = Backtest::new(scenario).expect("a generator does not fail");
            let outcome = match recorded {
                false => backtest.run(&mut (), |_| true).expect("a generator does not fail"),
                true => {
                    let options = Options { durability: Durability::Process, ..Options::default() };
                    let disk = Folder::open(&folder).expect("a folder");
                    let journal = Journal::create(disk, options).expect("an empty folder");
                    let mut nobody = ();
                    let recorder = Recorder::begin(&mut nobody, journal, "bench");
                    let mut recorder = recorder.expect("room");
                    let outcome = backtest.run(&mut recorder, |_| true);
                    let outcome = outcome.expect("a generator does not fail");
                    let last = outcome.last.expect("there are events");
                    recorder.end(last, outcome.state_hash).expect("room");
                    outcome
                }
            };
            let counts = outcome.counts;
            let hash = outcome.state_hash.to_string();
            Tally {
                events: outcome.events,
                orders: counts.orders,
                cancels: counts.cancels,
                fills: counts.fills,
                rejected: counts.rejected + counts.denied,
                check: i64::from_str_radix(&hash[..15], 16).expect("hexadecimal digits"),
            }
        })
    }

    fn scenario(self, source: Box<dyn Source>, strategy: Box<dyn Strategy>) -> Scenario {
        let base = self.catalog.currency_id("USDT").expect("the instrument names it");
        let venue = VenueId(0);
        let deposit = self.catalog.money(dec("1000000000"), base).expect("a round sum");
        // Set, all of them, and wide: what is measured is that they are looked at.
        let limits = Limits {
            swing: None,
            order_qty_max: Some(Qty::new(1_000)),
            order_value_max: self.catalog.money(dec("10000000"), base),
            collar: Some(Rate::from_billionths(100_000_000)),
            repeats: Some(Repeats { window: Span::from_secs(1), count: 1_000 }),
            open_orders_max: Some(100),
            long_max: Some(Qty::new(1_000_000)),
            short_max: Some(Qty::new(1_000_000)),
            self_trade: SelfTrade::RejectNew,
            data_age_max: Some(Span::from_secs(60)),
        };
        Scenario {
            seed: 1,
            catalog: self.catalog,
            venues: vec![VenueSetup {
                venue,
                deposits: vec![(base, deposit)],
                feed: self.latency.clone(),
                order: self.latency.clone(),
                response: self.latency,
                markets: vec![MarketSetup {
                    instrument: INSTRUMENT,
                    queue: self.queue,
                    half_spread: 1,
                    funding: None,
                }],
            }],
            sources: vec![source],
            strategies: vec![(strategy, vec![INSTRUMENT])],
            limits: LimitTable::new(vec![limits], vec![vec![limits]]),
            repeat_window: Span::from_secs(1),
            answer_timeout: Span::from_secs(10),
            base,
            rates: Vec::new(),
            price_age_max: Span::from_secs(3_600),
            paces: PaceTable::default(),
            losses: None,
            exposure: None,
            guards: tse_kernel::Guards::default(),
            sample_every: Span::from_secs(60),
            basis: Basis::plain(Days::All, 365.0),
            start: None,
            end: None,
            audit: false,
            live: None,
        }
    }
}
