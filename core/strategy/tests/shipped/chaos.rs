//! Strategies that do harm: exactly the harm that they say.

use crate::stage::{Play, Terms, Wish, terms};
use tse_model::{InstrumentId, Qty, Side, Span};
use tse_strategy::{OrderWish, UpdateKind};

const ONE: InstrumentId = InstrumentId(0);
const TWO: InstrumentId = InstrumentId(1);

fn market(symbol: &'static str) -> Terms {
    Terms { lot: "1", qty_min: "1", ..terms(symbol) }
}

fn play(kind: &str, params: &[(&str, &str)]) -> Play {
    Play::new(kind, &[market("BTC-USD.X")], params)
}

/// A quote about a price: what is wished on it.
fn at(play: &mut Play, it: InstrumentId, price: &str) -> Vec<Wish> {
    play.now = play.now + Span::from_secs(1);
    play.quote(it, [price, price], ["1", "1"])
}

fn trade(it: InstrumentId, side: Side, lots: i64) -> Wish {
    Wish::Order(OrderWish::market(it, side, Qty::new(lots)))
}

#[test]
fn a_runaway_buys_with_every_quote_while_its_time_lasts() {
    let params = [("size", "2"), ("after", "2s"), ("max_duration", "3s")];
    let mut play = play("chaos_runaway", &params);
    let counts: Vec<_> = (0..7).map(|_| at(&mut play, ONE, "100.00").len()).collect();
    assert_eq!(counts, [0, 0, 100, 100, 100, 0, 0]);
    let mut play = self::play("chaos_runaway", &[("size", "2"), ("orders", "1")]);
    assert_eq!(at(&mut play, ONE, "100.00"), [trade(ONE, Side::Buy, 2)]);
}

#[test]
fn who_ignores_risk_doubles_down_after_three_refusals() {
    let params = [("size", "2"), ("every", "2")];
    let markets = [market("BTC-USD.X"), market("ETH-USD.X")];
    let mut play = Play::new("chaos_risk_ignorant", &markets, &params);
    assert_eq!(at(&mut play, ONE, "100.00"), []);
    assert_eq!(at(&mut play, ONE, "100.00"), [trade(ONE, Side::Buy, 2)]);
    for _ in 0..2 {
        play.update(ONE, Side::Buy, UpdateKind::Denied);
    }
    assert_eq!(at(&mut play, ONE, "100.00"), [], "two are not enough");
    play.update(ONE, Side::Buy, UpdateKind::Denied);
    play.hold(ONE, "4");
    // Long in one, and flat in the other, which goes short.
    let both = [trade(ONE, Side::Buy, 4), trade(TWO, Side::Sell, 4)];
    assert_eq!(at(&mut play, ONE, "100.00"), both);
    assert_eq!(at(&mut play, ONE, "100.00"), [], "until it is refused again");
}

#[test]
fn an_amplifier_follows_moves_beyond_its_threshold_and_no_others() {
    let params = [("size", "3"), ("lookback", "1"), ("momentum_threshold", "0.02")];
    let mut play = play("chaos_volatility_amplifier", &params);
    assert_eq!(at(&mut play, ONE, "100.00"), [], "nothing to compare with");
    assert_eq!(at(&mut play, ONE, "102.00"), [], "exactly two per cent");
    assert_eq!(at(&mut play, ONE, "104.05"), [trade(ONE, Side::Buy, 6)]);
    assert_eq!(at(&mut play, ONE, "101.97"), [], "not quite two per cent");
    assert_eq!(at(&mut play, ONE, "99.93"), [trade(ONE, Side::Sell, 6)]);
}

#[test]
fn a_breaker_of_correlation_sells_the_second_market_when_the_first_rises() {
    let markets = [market("BTC-USD.X"), market("ETH-USD.X")];
    let params = [("size", "3"), ("lookback", "1")];
    let mut play = Play::new("chaos_correlation_breaker", &markets, &params);
    assert_eq!(at(&mut play, ONE, "100.00"), []);
    assert_eq!(at(&mut play, TWO, "200.00"), [], "the second does not count");
    assert_eq!(at(&mut play, ONE, "102.01"), [trade(TWO, Side::Sell, 3)]);
    assert_eq!(at(&mut play, ONE, "90.00"), [], "nor does a fall");
}

#[test]
fn a_slow_leak_decides_well_at_first_and_as_often_badly_in_the_end() {
    let mut play = play("chaos_slow_leak", &[("size", "1")]);
    let (mut bad, mut long) = ([0, 0], false);
    at(&mut play, ONE, "100.00");
    for n in 1..=3_000 {
        long = !long;
        let price = if long { "101.00" } else { "100.00" };
        let wished = at(&mut play, ONE, price);
        let [Wish::Target(_, lots, _)] = wished[..] else { panic!("{wished:?}") };
        bad[usize::from(n > 1_000)] += i32::from((lots > 0) != long);
    }
    // A quarter of the first five hundred and half of the others: 375 of a thousand, then a half.
    assert!((320..430).contains(&bad[0]), "{bad:?}");
    assert!((930..1_070).contains(&bad[1]), "{bad:?}");
}
