//! Arbitrage that rests on one venue and hedges on others, from positions and not from hearsay.

use crate::stage::{Play, Terms, Wish, acts, market_order, seconds, terms};
use tse_model::{CurrencyId, InstrumentId, Price, Qty, Side};
use tse_strategy::{QuoteLevel, UpdateKind};

const ONE: InstrumentId = InstrumentId(0);
const TWO: InstrumentId = InstrumentId(1);
const THREE: InstrumentId = InstrumentId(2);
const COIN: i64 = 100_000;

fn level(side: Side, lots: i64, ticks: i64) -> QuoteLevel {
    QuoteLevel { side, price: Price::new(ticks), qty: Qty::new(lots) }
}

fn with(markets: &[Terms], given: &[(&str, &str)]) -> Play {
    let mut params = vec![("mode", "maker_taker")];
    params.extend(given);
    let mut play = Play::new("arbitrage", markets, &params);
    play.show(ONE, ["49000.00", "51000.00"], ["1", "1"]);
    play
}

fn play() -> Play {
    with(&["BTC-USD.EXCHANGE1", "BTC-USD.EXCHANGE2"].map(terms), &[])
}

/// What is quoted, at the same time as nothing else is done.
fn quoted(wishes: &[Wish]) -> Vec<QuoteLevel> {
    match &acts(wishes)[..] {
        [Wish::Quote(ONE, levels, 0)] => levels.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn quotes_leave_the_minimum_after_a_hedge_at_the_prices_shown_elsewhere() {
    let mut play = play();
    let wishes = play.quote(TWO, ["50000.00", "50010.00"], ["1", "1"]);
    // 50,000 / 1.001 = 49,950.0499 down; 50,010 × 1.001 = 50,060.01 exactly.
    let levels = [level(Side::Buy, COIN, 4_995_004), level(Side::Sell, COIN, 5_006_001)];
    assert_eq!(quoted(&wishes), levels);
}

#[test]
fn both_fees_are_paid_by_the_spread() {
    let fees = |symbol| Terms { taker_bps: "5", maker_bps: "2", ..terms(symbol) };
    let mut play = with(&["BTC-USD.EXCHANGE1", "BTC-USD.EXCHANGE2"].map(fees), &[]);
    let wishes = play.quote(TWO, ["50000.00", "50010.00"], ["1", "1"]);
    for QuoteLevel { side, price, .. } in quoted(&wishes) {
        let ours = i128::from(price.get()) * 1_000_000;
        let maker = ours * 2 / 10_000;
        let (theirs, sign) = match side {
            Side::Buy => (5_000_000 * 1_000_000, 1),
            Side::Sell => (5_001_000 * 1_000_000, -1),
        };
        let gain = sign * (theirs - ours) - maker - theirs * 5 / 10_000;
        let paid = if side == Side::Buy { ours } else { theirs };
        assert!(gain * 10_000 >= 10 * paid, "{side}: {gain} of {paid}");
        // One tick nearer would not leave it, but for the share that fees are of fees.
        assert!((gain - 3 * 1_000_000) * 10_000 < 10 * paid, "{side}: too far away");
    }
}

#[test]
fn sizes_are_what_is_on_offer_what_is_affordable_and_what_the_limit_leaves() {
    let mut play = play();
    let sizes = |play: &mut Play, sizes| {
        let wishes = play.quote(TWO, ["50000.00", "50010.00"], sizes);
        let levels = quoted(&wishes).into_iter();
        levels.map(|level| (level.side, level.qty.get())).collect::<Vec<_>>()
    };
    let (buy, sell) = (Side::Buy, Side::Sell);
    assert_eq!(sizes(&mut play, ["0.3", "0.6"]), [(buy, 3 * COIN / 10), (sell, 6 * COIN / 10)]);
    assert_eq!(sizes(&mut play, ["0.00009", "5"]), [(sell, COIN)]);
    // A coin short at home, hedged there: room for two, and no order larger than one.
    play.hold(ONE, "-0.25");
    play.hold(TWO, "0.25");
    assert_eq!(sizes(&mut play, ["9", "9"]), [(buy, COIN), (sell, 3 * COIN / 4)]);
    play.hold(ONE, "-1");
    play.hold(TWO, "1");
    assert_eq!(sizes(&mut play, ["9", "9"]), [(buy, COIN)]);
    // What could not be hedged is not quoted: no coins there to sell, no dollars to buy.
    play.hold(ONE, "0");
    play.hold(TWO, "0");
    play.have(1, "BTC", "0.2");
    play.have(1, "USD", "5001.00");
    assert_eq!(sizes(&mut play, ["9", "9"]), [(buy, COIN / 5), (sell, COIN / 10)]);
    play.have(1, "BTC", "0");
    play.have(1, "USD", "0");
    assert_eq!(sizes(&mut play, ["9", "9"]), []);
}

#[test]
fn a_quote_never_takes() {
    let mut play = play();
    play.show(ONE, ["50000.00", "50000.01"], ["1", "1"]);
    let wishes = play.quote(TWO, ["50200.00", "50210.00"], ["1", "1"]);
    let levels = quoted(&wishes);
    assert_eq!(levels[0], level(Side::Buy, COIN, 5_000_000), "a tick before the ask");
    assert_eq!(levels[1], level(Side::Sell, COIN, 5_026_021));
}

#[test]
fn the_best_place_to_hedge_decides_the_price() {
    let markets = ["BTC-USD.EXCHANGE1", "BTC-USD.EXCHANGE2", "BTC-USD.EXCHANGE3"].map(terms);
    let mut play = with(&markets, &[("min_spread_bps", "0")]);
    play.quote(TWO, ["50000.00", "50010.00"], ["1", "1"]);
    let wishes = play.quote(THREE, ["50001.00", "50020.00"], ["0.5", "0.5"]);
    let levels = [level(Side::Buy, COIN / 2, 5_000_100), level(Side::Sell, COIN, 5_001_000)];
    assert_eq!(quoted(&wishes), levels);
    // Bought one: it is sold at the better bid.
    let wishes = play.fill(ONE, Side::Buy, "0.5");
    assert!(wishes.contains(&market_order(THREE, Side::Sell, COIN / 2)), "{wishes:?}");
}

#[test]
fn stale_closed_or_broken_hedge_markets_are_not_quoted_from() {
    let mut play = play();
    play.quote(TWO, ["50000.00", "50010.00"], ["1", "1"]);
    play.now = play.now + seconds(5);
    assert_eq!(quoted(&play.tell(ONE)).len(), 2, "five seconds are allowed");
    play.now = play.now + tse_model::Span::from_nanos(1);
    assert_eq!(quoted(&play.tell(ONE)), []);
    assert_eq!(quoted(&play.quote(TWO, ["50000.00", "50010.00"], ["1", "1"])).len(), 2);
    assert_eq!(quoted(&play.invalid(TWO)), [], "at once");
    assert_eq!(quoted(&play.quote(TWO, ["50000.00", "50010.00"], ["1", "1"])).len(), 2);
    play.market(TWO).open = false;
    assert_eq!(quoted(&play.tell(ONE)), []);
}

#[test]
fn silence_is_noticed_by_a_timer() {
    let mut play = play();
    let wishes = play.quote(TWO, ["50000.00", "50010.00"], ["1", "1"]);
    assert!(wishes.contains(&Wish::Wake(seconds(1))), "{wishes:?}");
    let mut shown = 2;
    for second in 1..=7 {
        let wishes = play.timer(seconds(1));
        shown = quoted(&wishes).len();
        assert_eq!(shown, if second <= 5 { 2 } else { 0 }, "after {second} s");
        // Nothing shown, nothing held: no reason to be woken.
        assert_eq!(wishes.contains(&Wish::Wake(seconds(1))), shown > 0);
        if shown == 0 {
            break;
        }
    }
    assert_eq!(shown, 0);
}

#[test]
fn a_fill_is_hedged_from_the_position_and_not_from_what_was_heard() {
    let mut play = play();
    play.quote(TWO, ["50000.00", "50010.00"], ["1", "1"]);
    let hedge = market_order(TWO, Side::Sell, 4 * COIN / 10);
    let wishes = play.fill(ONE, Side::Buy, "0.4");
    assert_eq!(acts(&wishes)[0], hedge);
    // The hedge is out. The same fill is told again, and again: the ledger knows better.
    play.open(TWO, 1);
    for _ in 0..3 {
        let wishes = play.hear_fill(ONE, Side::Buy, Qty::new(4 * COIN / 10), CurrencyId(0));
        assert_eq!(quoted(&wishes).len(), 2, "no second hedge");
    }
    // It traded; told late or not at all, the position is even.
    play.hold(TWO, "-0.4");
    play.open(TWO, 0);
    assert_eq!(
        quoted(&play.hear_fill(ONE, Side::Buy, Qty::new(4 * COIN / 10), CurrencyId(0))).len(),
        2
    );
    assert_eq!(quoted(&play.tell(TWO)).len(), 2);
    // A fill nobody told it of is hedged all the same, with the next quote.
    play.hold(ONE, "0.5");
    assert_eq!(acts(&play.tell(TWO))[0], market_order(TWO, Side::Sell, COIN / 10));
    play.hold(ONE, "0.3");
    assert_eq!(acts(&play.tell(TWO))[0], market_order(TWO, Side::Buy, COIN / 10));
}

#[test]
fn a_hedge_that_was_refused_is_tried_again_later_and_not_for_ever_at_once() {
    let mut play = play();
    play.quote(TWO, ["50000.00", "50010.00"], ["1", "1"]);
    assert_eq!(acts(&play.fill(ONE, Side::Buy, "0.4")).len(), 2);
    assert_eq!(play.update(TWO, Side::Sell, UpdateKind::Denied), []);
    assert_eq!(play.ends(TWO, Side::Sell), []);
    let wishes = play.timer(seconds(1));
    assert_eq!(acts(&wishes)[0], market_order(TWO, Side::Sell, 4 * COIN / 10));
    assert!(wishes.contains(&Wish::Wake(seconds(1))));
}

#[test]
fn what_no_market_takes_is_left_and_what_is_away_is_waited_for() {
    let mut play = play();
    play.quote(TWO, ["50000.00", "50010.00"], ["1", "1"]);
    // Under the smallest order.
    assert_eq!(acts(&play.fill(ONE, Side::Buy, "0.00009")).len(), 1);
    play.hold(ONE, "0.4");
    play.market(TWO).open = false;
    // The timer that is out since the first quote goes on.
    let wishes = play.timer(seconds(1));
    assert_eq!(quoted(&wishes), []);
    assert!(wishes.contains(&Wish::Wake(seconds(1))), "not hedged: it asks again");
    play.market(TWO).open = true;
    let hedge = market_order(TWO, Side::Sell, 4 * COIN / 10);
    assert_eq!(acts(&play.timer(seconds(1)))[0], hedge);
}

#[test]
fn at_the_end_nothing_is_shown() {
    let mut play = play();
    play.quote(TWO, ["50000.00", "50010.00"], ["1", "1"]);
    assert_eq!(play.stop(), [Wish::Quote(ONE, vec![], 0)]);
}

#[test]
fn the_widest_minimum_there_is_divides_by_nothing() {
    let markets = ["BTC-USD.EXCHANGE1", "BTC-USD.EXCHANGE2"].map(terms);
    let mut play = with(&markets, &[("min_spread_bps", "10000")]);
    let wishes = play.quote(TWO, ["50000.00", "50010.00"], ["1", "1"]);
    let levels = [level(Side::Buy, COIN, 2_500_000), level(Side::Sell, COIN, 10_002_000)];
    assert_eq!(quoted(&wishes), levels);
}
