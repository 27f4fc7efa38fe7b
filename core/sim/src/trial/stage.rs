//! What a trial is played with: names, limits, markets, players.

use super::player::{Player, Poison};
use crate::latency::Latency;
use crate::models::QueueModel;
use crate::scenario::{MarketSetup, VenueSetup, prices};
use crate::synthetic::{Synthetic, SyntheticSpec};
use tse_engine::Upkeep;
use tse_kernel::{
    Algorithm, ExposureTable, Guards, Kernel, LimitTable, LossTable, PaceTable, Reconcile, Setup,
};
use tse_model::{
    Catalog, Chance, CurrencyId, Decimal, Environment, FeeBasis, FeeSchedule, InstrumentId,
    InstrumentSpec, Kind, Money, Qty, Rate, Rounding, Settlement, Source, Span, Text, Timestamp,
    VenueId,
};
use tse_portfolio::Portfolio;
use tse_risk::{
    ExposureLimits, Limits, LossLimits, Messages, OrderToTrade, Pace, Paces, Rapid, Repeats, Who,
};
use tse_strategy::Strategy;

/// When a trial begins: 2023-11-14T23:59:00Z, so that a day ends while faults happen.
pub const START: Timestamp = Timestamp::from_nanos(1_700_006_340_000_000_000);
/// The longest a venue's lists lag behind it, as it states; no message is later than that either.
pub const VISIBILITY: Span = Span::from_secs(2);
/// How long a venue may take to answer a request.
pub(crate) const ANSWER_TIMEOUT: Span = Span::from_secs(1);
/// How long a record may take to become safe before nothing that adds risk is sent.
pub(super) const LAG_MAX: Span = Span::from_millis(250);
/// The largest position, long or short, of the account in one market; in lots.
pub(super) const POSITION_MAX: i64 = 15;
/// The same for one strategy.
const OWN_MAX: i64 = 10;
/// How many strategies there are at most: two that play, and one that may be mad.
const PLAYERS: usize = 3;

const MARKETS: [(&str, bool); 3] =
    [("BTC-USDT-PERP.ALPHA", true), ("BTC-USDT.ALPHA", false), ("BTC-USDT-PERP.BETA", true)];

/// Two venues and three markets.
pub fn catalog() -> Catalog {
    let mut catalog = Catalog::new();
    for (code, scale) in [("USDT", 6), ("BTC", 8)] {
        catalog.define_currency(code, scale).expect("a new currency");
    }
    let whole = |n: i128| Decimal::new(n, 0).expect("a number");
    let step = |digits: u8| Decimal::new(1, digits).expect("a step");
    let bps = |n: i128| Rate::from_bps(Decimal::new(n, 0).expect("a number")).expect("a rate");
    for (symbol, contract) in MARKETS {
        let basis = FeeBasis::Value { maker: bps(-1), taker: bps(4) };
        let settlement = match contract {
            true => Settlement::Difference,
            false => Settlement::Delivery,
        };
        let spec = InstrumentSpec {
            symbol: symbol.parse().expect("a symbol"),
            kind: if contract { Kind::Perpetual { inverse: false } } else { Kind::Spot },
            settlement,
            tick: step(1),
            lot: step(3),
            multiplier: whole(1),
            qty_min: step(3),
            qty_max: None,
            notional_min: Decimal::ZERO,
            price_max: None,
            margin_initial: Decimal::new(1, 1).expect("a tenth"),
            margin_maintenance: Decimal::new(5, 2).expect("a twentieth"),
            fees: FeeSchedule::flat(basis, Rounding::HalfEven),
        };
        catalog.define_instrument(spec).expect("a sane instrument");
    }
    catalog
}

/// Opening balances: plenty, so that what is refused is refused for other reasons.
pub fn deposits(catalog: &Catalog) -> Vec<(CurrencyId, Money)> {
    let money = |code: &str, units| {
        let id = catalog.currencies().iter().position(|it| it.code == code);
        (CurrencyId(id.expect("it is defined") as u16), Money::from_units(units))
    };
    vec![money("USDT", 1_000_000_000_000), money("BTC", 1_000_000_000)]
}

pub(crate) fn exchanges(catalog: &Catalog) -> Vec<VenueSetup> {
    let venues = (0..catalog.venues().len()).map(|at| VenueId(at as u16));
    let markets = |venue| {
        let here = catalog.instruments().iter().filter(move |it| it.venue == venue);
        here.map(|it| MarketSetup {
            instrument: it.id,
            queue: QueueModel::Back,
            half_spread: 1,
            funding: None,
        })
    };
    let setup = |venue| VenueSetup {
        venue,
        deposits: deposits(catalog),
        feed: Latency::NONE,
        order: Latency::NONE,
        response: Latency::NONE,
        markets: markets(venue).collect(),
    };
    venues.map(setup).collect()
}

/// How often the engine of a seed makes snapshots, and how much of its journal it keeps.
pub(super) fn upkeep(seed: u64) -> Upkeep {
    let mut chance = Chance::stream(seed, "upkeep");
    let every = [None, Some(40), Some(400), Some(4_000)];
    let retain = [None, Some(Span::ZERO), Some(Span::from_secs(20))];
    Upkeep {
        snapshot_every: every[chance.below(4) as usize],
        snapshots_kept: 1 + chance.below(3) as usize,
        retain: retain[chance.below(3) as usize],
    }
}

/// Whether each venue of a seed says how much had traded when it says that an order is closed.
pub(super) fn says_filled(seed: u64) -> [bool; 2] {
    let mut chance = Chance::stream(seed, "says filled");
    [(); 2].map(|()| chance.one_in(1, 2))
}

/// The engine of a seed, as it was before its first input: a recovery builds the same.
pub fn kernel(seed: u64, catalog: &Catalog) -> Kernel {
    let mut portfolio = Portfolio::for_catalog(catalog);
    portfolio.start_audit();
    for at in 0..catalog.venues().len() {
        for (currency, amount) in deposits(catalog) {
            portfolio.deposit(VenueId(at as u16), currency, amount).expect("it fits");
        }
    }
    let account = Limits {
        order_qty_max: Some(Qty::new(10)),
        order_value_max: Some(Money::from_units(10_000_000_000)),
        collar: Some(Rate::from_billionths(20_000_000)),
        repeats: Some(Repeats { window: Span::from_secs(10), count: 20 }),
        open_orders_max: Some(40),
        long_max: Some(Qty::new(POSITION_MAX)),
        short_max: Some(Qty::new(POSITION_MAX)),
        data_age_max: Some(Span::from_secs(5)),
        ..Limits::default()
    };
    let own = Limits {
        long_max: Some(Qty::new(OWN_MAX)),
        short_max: Some(Qty::new(OWN_MAX)),
        ..Limits::default()
    };
    let all: Vec<InstrumentId> = catalog.instruments().iter().map(|it| it.id).collect();
    let mut players: Vec<(Box<dyn Strategy>, Vec<InstrumentId>)> = Vec::new();
    for name in ["one", "two"] {
        players.push((Box::new(Player::new(seed, name, all.clone())), all.clone()));
    }
    if Chance::stream(seed, "poison").one_in(1, 4) {
        players.push((Box::new(Poison::new(seed, all.clone())), all.clone()));
    }
    Kernel::new(Setup {
        catalog: catalog.clone(),
        portfolio,
        limits: LimitTable::new(
            vec![account; all.len()],
            vec![vec![own; all.len()]; players.len()],
        ),
        repeat_window: Span::from_secs(10),
        answer_timeout: ANSWER_TIMEOUT,
        environment: Environment::Paper,
        lag_max: Some(LAG_MAX),
        boots_disarmed: true,
        paces: paces(seed, catalog),
        losses: losses(seed, catalog, players.len()),
        exposure: exposure(seed, catalog),
        guards: guards(players.len()),
        reconcile: Some(Reconcile {
            every: Span::from_secs(10),
            timeout: Span::from_secs(1),
            visibility: VISIBILITY,
            overlap: Span::from_secs(6),
        }),
        strategies: players,
    })
}

/// What may happen how often in a trial: in a third of them little enough that it is reached.
pub(super) fn paces(seed: u64, catalog: &Catalog) -> PaceTable {
    let mut chance = Chance::stream(seed, "paces");
    if !chance.one_in(1, 3) {
        return PaceTable::default();
    }
    let some = |chance: &mut Chance, low, high| {
        chance.one_in(1, 2).then(|| chance.between(low, high) as u32)
    };
    let mut scope = |in_flight: bool| {
        let chance = &mut chance;
        let pace = |count, seconds| Pace { count, window: Span::from_secs(seconds) };
        Paces {
            messages: some(chance, 4, 12).map(|count| Messages {
                rate: pace(count, chance.between(1, 5)),
                reserved: chance.below(3) as u32,
                tolerance: some(chance, 1, 10),
            }),
            executions: some(chance, 5, 30).map(|count| pace(count, 20)),
            rejects: some(chance, 1, 5),
            losses: some(chance, 2, 6),
            in_flight: some(chance, 2, 8).filter(|_| in_flight),
            order_to_trade: some(chance, 1, 4)
                .map(|ratio| OrderToTrade { ratio, grace: chance.between(20, 100) as u32 }),
        }
    };
    let account = catalog.venues().iter().map(|_| scope(true)).collect();
    PaceTable { account, strategy: (0..PLAYERS).map(|_| scope(false)).collect() }
}

/// What may be lost in a trial: little enough that it happens, and in some trials nobody asks.
fn losses(seed: u64, catalog: &Catalog, strategies: usize) -> Option<LossTable> {
    let mut chance = Chance::stream(seed, "losses");
    let usdt = |units| Money::from_units(units * 1_000_000);
    let limits = |capital, chance: &mut Chance| LossLimits {
        capital: usdt(capital),
        day_soft: Some(usdt(i128::from(chance.between(1, 4)))),
        day_max: Some(usdt(i128::from(chance.between(3, 8)))),
        drawdown_max: Some(Rate::from_billionths(10_000_000)),
        rapid_max: Some(Rapid {
            share: Rate::from_billionths(5_000_000),
            window: Span::from_secs(10),
        }),
        var_max: None,
        flatten: chance.one_in(1, 2),
    };
    if chance.one_in(1, 2) {
        return None;
    }
    let firm = chance.one_in(1, 2).then(|| limits(1_500, &mut chance));
    let own = |_| chance.one_in(1, 2).then(|| limits(750, &mut chance));
    Some(LossTable {
        currency: CurrencyId(0),
        prices: prices(catalog, &[], Span::from_secs(5)),
        every: Span::from_secs(1),
        cool_down: Span::from_secs(1),
        firm,
        strategy: (0..strategies).map(own).collect(),
    })
}

/// What everything may be worth together in a trial, in units of the first currency, gross and net: in half of them
/// little enough that it is reached.
pub(super) fn exposure_limits(seed: u64) -> [Option<Money>; 2] {
    let mut chance = Chance::stream(seed, "exposure");
    if chance.one_in(1, 2) {
        return [None; 2];
    }
    // A lot is worth about fifty.
    let usdt = |units: i64| Money::from_units(i128::from(units) * 1_000_000);
    [
        chance.one_in(2, 3).then(|| usdt(chance.between(300, 1_500))),
        chance.one_in(2, 3).then(|| usdt(chance.between(200, 1_000))),
    ]
}

/// Whose orders they are: an engine that is no simulation must know.
fn guards(players: usize) -> Guards {
    let algorithm = Algorithm { name: Text::cut("player"), version: Text::cut("1") };
    // Somebody answers for it before it is armed: that it is not armed must show by itself.
    let operator = Who::cut("a trial");
    Guards { algorithms: vec![algorithm; players], config: 1, operator, ..Guards::default() }
}

fn exposure(seed: u64, catalog: &Catalog) -> Option<ExposureTable> {
    let [gross, net] = exposure_limits(seed);
    (gross.is_some() || net.is_some()).then(|| ExposureTable {
        currency: CurrencyId(0),
        prices: prices(catalog, &[], Span::from_secs(5)),
        every: Span::from_secs(1),
        firm: ExposureLimits { gross, net, ..ExposureLimits::default() },
        groups: Vec::new(),
        strategy: Vec::new(),
        correlation: None,
    })
}

pub(crate) fn sources(seed: u64, catalog: &Catalog, length: Span) -> Vec<Box<dyn Source>> {
    let source = |it: &tse_model::Instrument| -> Box<dyn Source> {
        let spec = SyntheticSpec {
            instrument: it.id,
            process: "BTC".to_owned(),
            start: START,
            length,
            step: Span::from_millis(200),
            price: 50_000 * 1_000_000_000,
            volatility: 30_000,
            noise: 10_000,
            fade: 20,
            half_spread: 2,
            levels: 4,
            level_qty: 4,
            trades: 300,
            impact: 5_000,
            wide_starts: 2_000,
            wide_steps: 10,
            wide_factor: 4,
        };
        Box::new(Synthetic::new(spec, it, seed).expect("sane figures"))
    };
    catalog.instruments().iter().map(source).collect()
}
