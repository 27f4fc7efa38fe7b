//! What a fill costs to book: nanoseconds per `apply_fill`, ledger, position and fee included.
//!
//! Run with `cargo run --release -p tse-portfolio --example posting`.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::hint::black_box;
use std::time::Instant;
use tse_model::{
    Catalog, Chance, CurrencyId, Decimal, ExecId, FeeSchedule, Fill, Instrument, InstrumentId,
    InstrumentSpec, Kind, Liquidity, Money, Price, Qty, Settlement, Side, Span, StrategyId,
    Timestamp,
};
use tse_portfolio::{Mark, Portfolio, Prices};

const FILLS: usize = 1 << 16;
const ROUNDS: usize = 64;

struct Case {
    name: &'static str,
    symbol: &'static str,
    kind: Kind,
    settlement: Settlement,
    tick: &'static str,
    lot: &'static str,
    multiplier: &'static str,
}

fn main() {
    let perpetual = |inverse| Kind::Perpetual { inverse };
    let cases = [
        Case {
            name: "spot, delivered",
            symbol: "BTC-USDT.X",
            kind: Kind::Spot,
            settlement: Settlement::Delivery,
            tick: "0.01",
            lot: "0.00001",
            multiplier: "1",
        },
        Case {
            name: "linear perpetual",
            symbol: "BTC-USDT-PERP.X",
            kind: perpetual(false),
            settlement: Settlement::Difference,
            tick: "0.1",
            lot: "0.001",
            multiplier: "1",
        },
        Case {
            name: "inverse perpetual",
            symbol: "BTC-USD-PERP:BTC.X",
            kind: perpetual(true),
            settlement: Settlement::Difference,
            tick: "0.1",
            lot: "1",
            multiplier: "100",
        },
    ];
    for case in &cases {
        let (catalog, instrument) = define(case);
        let settle = catalog.instrument(instrument).settle;
        for (walk, fills) in [("to and fro", alternating(settle)), ("random sizes", random(settle))]
        {
            let ns = tenths(time(&catalog, instrument, &fills));
            println!("{:18} {walk:13} {ns} ns per fill", case.name);
        }
    }
}

fn define(case: &Case) -> (Catalog, InstrumentId) {
    let mut catalog = Catalog::new();
    let dec = |text: &str| text.parse::<Decimal>().expect("a decimal");
    let id = catalog
        .define_instrument(InstrumentSpec {
            symbol: case.symbol.parse().expect("a symbol"),
            kind: case.kind,
            settlement: case.settlement,
            tick: dec(case.tick),
            lot: dec(case.lot),
            multiplier: dec(case.multiplier),
            qty_min: dec(case.lot),
            qty_max: None,
            notional_min: Decimal::ZERO,
            price_max: None,
            margin_initial: Decimal::ONE,
            margin_maintenance: Decimal::ONE,
            fees: FeeSchedule::free(),
        })
        .expect("an instrument");
    (catalog, id)
}

fn fill(n: u64, price: i64, qty: i64, fee_currency: CurrencyId) -> Fill {
    Fill {
        exec: ExecId(n),
        price: Price::new(price),
        qty: Qty::new(qty),
        liquidity: Liquidity::Taker,
        fee: Money::from_units(i128::from(price / 10 * qty)),
        fee_currency,
    }
}

/// Opens, turns round, turns back: what a strategy that is always in the market does.
fn alternating(currency: CurrencyId) -> Vec<(Side, Fill)> {
    let mut chance = Chance::stream(1, "posting");
    let side = |n: usize| if n.is_multiple_of(2) { Side::Buy } else { Side::Sell };
    (0..FILLS)
        .map(|n| {
            let qty = if n == 0 { 100 } else { 200 };
            (side(n), fill(n as u64, chance.between(599_000, 601_000), qty, currency))
        })
        .collect()
}

/// Adds, reduces in part, closes, turns: what a market maker's fills do.
fn random(currency: CurrencyId) -> Vec<(Side, Fill)> {
    let mut chance = Chance::stream(2, "posting");
    (0..FILLS)
        .map(|n| {
            let side = if chance.one_in(1, 2) { Side::Buy } else { Side::Sell };
            let (price, qty) = (chance.between(599_000, 601_000), chance.between(1, 100));
            (side, fill(n as u64, price, qty, currency))
        })
        .collect()
}

/// Tenths of a nanosecond per fill, the best of many rounds.
fn time(catalog: &Catalog, instrument: InstrumentId, fills: &[(Side, Fill)]) -> u128 {
    let instrument = catalog.instrument(instrument);
    let mut portfolio = Portfolio::for_catalog(catalog);
    let mut best = u128::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for (n, (side, fill)) in fills.iter().enumerate() {
            let ts = Timestamp::from_nanos(n as i64);
            let booked =
                portfolio.apply_fill(StrategyId(0), instrument, *side, black_box(fill), ts);
            black_box(&booked).as_ref().expect("no overflow in sight");
        }
        best = best.min(start.elapsed().as_nanos() * 10 / fills.len() as u128);
    }
    portfolio.check().expect("the books balance");
    let equity = time_equity(catalog, instrument, &portfolio);
    println!("{:32} {} ns per equity", "", tenths(equity));
    best
}

/// What it costs to mark that account to market.
fn time_equity(catalog: &Catalog, instrument: &Instrument, portfolio: &Portfolio) -> u128 {
    let mut prices = Prices::new(Span::from_secs(60));
    prices.source(catalog, instrument.id).expect("the only source");
    let mut best = u128::MAX;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for n in 0..FILLS as i64 {
            let now = Timestamp::from_nanos(n);
            prices.set(instrument.id, Mark::mid(1_200_001 + n % 64), now);
            let equity = portfolio.equity(catalog, &prices, instrument.quote, now);
            black_box(&equity).as_ref().expect("everything has a price");
        }
        best = best.min(start.elapsed().as_nanos() * 10 / FILLS as u128);
    }
    best
}

/// Tenths of a nanosecond as text.
fn tenths(tenths: u128) -> String {
    format!("{:4}.{}", tenths / 10, tenths % 10)
}
