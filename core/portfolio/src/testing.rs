//! Instruments, fills and scenarios for tests, in this crate and in its `tests/` folder.
#![allow(dead_code, reason = "each test takes what it needs")]

use tse_model::{
    Catalog, CurrencyId, Decimal, ExecId, FeeSchedule, Fill, InstrumentId, InstrumentSpec, Kind,
    Liquidity, Money, Price, Qty, Settlement, Side, StrategyId, Timestamp, VenueId,
};

pub const ALICE: StrategyId = StrategyId(0);
pub const BOB: StrategyId = StrategyId(1);
pub const CAROL: StrategyId = StrategyId(2);

pub fn dec(text: &str) -> Decimal {
    text.parse().expect(text)
}

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(seconds * 1_000_000_000)
}

/// A catalogue in which dollars have cents, tether and coins eight decimals.
pub fn catalog() -> Catalog {
    let mut catalog = Catalog::new();
    for (code, scale) in [("USD", 2), ("EUR", 2), ("JPY", 0), ("USDT", 8), ("BTC", 8), ("ETH", 8)] {
        catalog.define_currency(code, scale).expect("a new currency");
    }
    catalog
}

/// Adds an instrument. `-PERP` trades differences, inverse if it settles in its base; anything else
/// is delivered.
pub fn define(
    catalog: &mut Catalog,
    symbol: &str,
    [tick, lot, multiplier]: [&str; 3],
) -> InstrumentId {
    let inverse = symbol.contains(':');
    let contract = symbol.contains("-PERP");
    let spec = InstrumentSpec {
        symbol: symbol.parse().expect(symbol),
        kind: if contract { Kind::Perpetual { inverse } } else { Kind::Spot },
        settlement: if contract { Settlement::Difference } else { Settlement::Delivery },
        tick: dec(tick),
        lot: dec(lot),
        multiplier: dec(multiplier),
        qty_min: Decimal::ZERO,
        qty_max: None,
        notional_min: Decimal::ZERO,
        price_max: None,
        margin_initial: Decimal::ONE,
        margin_maintenance: Decimal::ONE,
        fees: FeeSchedule::free(),
    };
    catalog.define_instrument(spec).expect(symbol)
}

/// A catalogue with one instrument.
pub fn one(symbol: &str, grid: [&str; 3]) -> (Catalog, InstrumentId) {
    let mut catalog = catalog();
    let id = define(&mut catalog, symbol, grid);
    (catalog, id)
}

/// A fill in ticks and lots.
pub fn fill(price: i64, qty: i64, fee: i128, fee_currency: CurrencyId) -> Fill {
    Fill {
        exec: ExecId(0),
        price: Price::new(price),
        qty: Qty::new(qty),
        liquidity: Liquidity::Taker,
        fee: Money::from_units(fee),
        fee_currency,
    }
}

pub fn side(word: &str) -> Side {
    match word {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        other => panic!("`{other}` is no side"),
    }
}

pub fn currency(catalog: &Catalog, code: &str) -> CurrencyId {
    catalog.currency_id(code).expect(code)
}

pub fn venue(catalog: &Catalog, name: &str) -> VenueId {
    catalog.venue_id(name).expect(name)
}

/// An amount from text.
pub fn money(catalog: &Catalog, text: &str, code: &str) -> Money {
    catalog.money(dec(text), currency(catalog, code)).expect(text)
}
