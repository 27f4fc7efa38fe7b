//! C13: money, and what an open order sets aside of it.

use crate::stage::{Stage, buy, cents, dec, instrument, limit, market, sell, spec};
use tse_model::{
    CurrencyId, FeeBasis, FeeSchedule, Instrument, InstrumentSpec, Money, PlaceOrder, Price, Qty,
    Rate, Rounding, Side,
};
use tse_risk::{Book, Refusal, Reserve, hold, reserve};

fn value_fees(maker: i64, taker: i64) -> FeeSchedule {
    let rate = |bps| Rate::from_bps(dec(&format!("{bps}"))).unwrap();
    let basis = FeeBasis::Value { maker: rate(maker), taker: rate(taker) };
    FeeSchedule::flat(basis, Rounding::Up)
}

fn with_fees(symbol: &str, maker: i64, taker: i64) -> InstrumentSpec {
    InstrumentSpec { fees: value_fees(maker, taker), ..spec(symbol) }
}

fn needs(instrument: &Instrument, side: Side, price: i64, qty: i64) -> (CurrencyId, i128) {
    let Reserve { currency, amount } =
        reserve(instrument, side, Price::new(price), Qty::new(qty)).expect("it fits");
    (currency, amount.units())
}

#[test]
fn a_cash_buy_sets_aside_its_price_and_the_takers_fee() {
    let it = instrument(with_fees("IBM-USD.X", 2, 10));
    // 10 at 10.00 is 100.00, and ten basis points of it 0.10.
    assert_eq!(needs(&it, Side::Buy, 1_000, 10), (it.quote, 10_010));
}

#[test]
fn a_cash_sell_sets_aside_the_asset() {
    let mut spec = with_fees("BTC-USD.X", 2, 10);
    spec.lot = dec("0.001");
    spec.qty_min = dec("0.001");
    let it = instrument(spec);
    assert_eq!(needs(&it, Side::Sell, 1_000, 7), (it.base, 700_000), "in satoshi");
}

#[test]
fn margin_is_a_share_of_the_value_and_the_fee_comes_on_top() {
    let mut spec = with_fees("IBM-USD-PERP.X", 2, 10);
    spec.margin_initial = dec("0.1");
    let it = instrument(spec);
    for side in Side::BOTH {
        assert_eq!(needs(&it, side, 1_000, 10), (it.quote, 1_010));
        // 0.1 × 9.99 × 3 = 2.997, rounded up; the fee of 0.02997 too.
        assert_eq!(needs(&it, side, 999, 3), (it.quote, 300 + 3));
    }
}

#[test]
fn an_inverse_contract_sets_aside_its_base_currency() {
    let mut spec = with_fees("BTC-USD-PERP:BTC.X", 2, 5);
    spec.multiplier = dec("100");
    spec.margin_initial = dec("0.02");
    let it = instrument(spec);
    // 5 contracts of 100 USD at 50.00 are 10 BTC: 0.2 margin, 0.005 fee.
    assert_eq!(needs(&it, Side::Sell, 5_000, 5), (it.base, 20_500_000));
    assert_eq!(it.settle, it.base);
}

#[test]
fn a_rebate_is_never_counted_on_and_the_dearer_fee_always() {
    let rebate = instrument(with_fees("IBM-USD.X", -5, -1));
    assert_eq!(needs(&rebate, Side::Buy, 1_000, 10).1, 10_000);
    let inverted = instrument(with_fees("IBM-USD.X", 30, -20));
    assert_eq!(needs(&inverted, Side::Buy, 1_000, 10).1, 10_030, "what rests pays here");
    let share = FeeBasis::PerUnit { maker: cents(2), taker: cents(1), minimum: Money::ZERO };
    let mut spec = spec("IBM-USD.X");
    spec.fees = FeeSchedule::flat(share, Rounding::Up);
    assert_eq!(needs(&instrument(spec), Side::Buy, 1_000, 10).1, 10_020);
}

#[test]
fn c13_an_order_needs_no_more_than_is_free() {
    for (symbol, side, needed) in [
        ("IBM-USD.X", Side::Buy, 10_010),
        ("IBM-USD.X", Side::Sell, 10),
        ("IBM-USD-PERP.X", Side::Buy, 10_010),
        ("IBM-USD-PERP.X", Side::Sell, 10_010),
    ] {
        let stage = Stage::with(with_fees(symbol, 0, 10));
        let order = limit(side, 10, 1_000);
        for free in [needed, needed + 1] {
            stage.but(|it| it.free = Some(cents(free))).passes(order);
        }
        let free = cents(needed - 1);
        let short = Refusal::Funds { needed: cents(needed), free };
        stage.but(|it| it.free = Some(free)).refuses(order, short);
    }
}

#[test]
fn c13_money_that_cannot_be_known_refuses_what_adds_risk_and_not_what_reduces() {
    let stage = Stage::spot().but(|it| it.free = None);
    let unknown = |needed| Refusal::Funds { needed: cents(needed), free: Money::ZERO };
    stage.refuses(buy(10, 1_000), unknown(10_000));
    stage.refuses(sell(10, 1_000), unknown(10));
    stage.clone().holding(10, [0, 0]).passes(sell(10, 1_000));
    stage.holding(-10, [0, 0]).passes(buy(10, 1_000));
}

#[test]
fn c13_a_market_buy_needs_the_money_of_its_collar() {
    let stage = Stage::spot().but(|it| it.free = Some(cents(10_499)));
    let short = Refusal::Funds { needed: cents(10_500), free: cents(10_499) };
    stage.refuses(market(Side::Buy, 10), short);
}

#[test]
fn closing_needs_no_margin_and_a_reversal_only_what_it_opens() {
    let stage = Stage::of("IBM-USD-PERP.X").holding(10, [0, 0]);
    let with = |free| stage.but(|it| it.free = Some(cents(free)));
    with(0).passes(sell(10, 1_000));
    with(0).passes(PlaceOrder { reduce_only: true, ..sell(10, 1_000) });
    with(5_000).passes(sell(15, 1_000));
    let short = Refusal::Funds { needed: cents(5_000), free: cents(4_999) };
    with(4_999).refuses(sell(15, 1_000), short);
}

#[test]
fn what_an_order_holds_is_what_it_may_open() {
    let it = instrument(spec("IBM-USD-PERP.X"));
    let held = |position, open: [i64; 2], order: PlaceOrder| {
        let book =
            Book { position: Qty::new(position), open: open.map(Qty::new), ..Book::default() };
        hold(&it, &order, Price::new(1_000), &book).unwrap().amount.units()
    };
    assert_eq!(held(0, [0, 0], sell(10, 1_000)), 10_000);
    assert_eq!(held(10, [0, 0], sell(10, 1_000)), 0);
    assert_eq!(held(10, [0, 4], sell(10, 1_000)), 4_000, "four lots close already");
    assert_eq!(held(10, [0, 40], sell(10, 1_000)), 10_000);
    assert_eq!(held(10, [0, 0], buy(10, 1_000)), 10_000);
    assert_eq!(held(-7, [0, 0], buy(10, 1_000)), 3_000);
}

#[test]
fn what_does_not_fit_has_no_reserve() {
    let it = instrument(spec("BTC-USD-PERP:BTC.X"));
    assert_eq!(reserve(&it, Side::Buy, Price::ZERO, Qty::new(1)), None);
}
