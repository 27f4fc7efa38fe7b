//! Legs that traded unequally: the difference is traded back where it came from, until none is left.

use crate::stage::{Play, Terms, Wish, acts, groups, market_order, seconds, seen, terms};
use tse_model::{InstrumentId, Side, Span};
use tse_strategy::{Outcome, UpdateKind};

const ONE: InstrumentId = InstrumentId(0);
const TWO: InstrumentId = InstrumentId(1);
const COIN: i64 = 100_000;

/// Both legs of one bitcoin are out.
fn legs_out() -> Play {
    let mut play =
        Play::new("arbitrage", &["BTC-USD.EXCHANGE1", "BTC-USD.EXCHANGE2"].map(terms), &[]);
    play.quote(ONE, ["49990.00", "50000.00"], ["1", "1"]);
    let wishes = play.quote(TWO, ["50100.00", "60000.00"], ["1", "1"]);
    assert_eq!(groups(&wishes).len(), 1);
    assert!(wishes.contains(&Wish::Wake(seconds(1))), "the legs have a deadline");
    play.open(ONE, 1);
    play.open(TWO, 1);
    play
}

#[test]
fn what_was_bought_too_much_is_sold_where_it_was_bought() {
    let mut play = legs_out();
    play.open(ONE, 0);
    assert_eq!(play.fill(ONE, Side::Buy, "1"), [], "the other leg is still out");
    assert_eq!(play.fill(TWO, Side::Sell, "0.4"), []);
    play.open(TWO, 0);
    assert_eq!(play.ends(TWO, Side::Sell), [market_order(ONE, Side::Sell, 6 * COIN / 10)]);
}

#[test]
fn what_was_sold_too_much_is_bought_back_where_it_was_sold() {
    let mut play = legs_out();
    play.open(TWO, 0);
    play.fill(TWO, Side::Sell, "1");
    play.open(ONE, 0);
    assert_eq!(play.ends(ONE, Side::Buy), [market_order(TWO, Side::Buy, COIN)]);
}

#[test]
fn equal_fills_need_nothing_however_far_the_market_has_moved() {
    let inverse = Terms {
        lot: "1",
        multiplier: "100",
        tick: "0.5",
        qty_min: "1",
        ..terms("BTC-USD-PERP:BTC.EXCHANGE2")
    };
    let mut play = Play::new("arbitrage", &[terms("BTC-USD.EXCHANGE1"), inverse], &[]);
    play.quote(ONE, ["49990.00", "50000.00"], ["1", "1"]);
    assert_eq!(groups(&play.quote(TWO, ["50100.0", "60000.0"], ["900", "900"])).len(), 1);
    play.open(ONE, 1);
    // A contract of dollars is another quantity of bitcoin at another price; nothing was done wrong.
    play.show(TWO, ["40000.0", "40000.5"], ["900", "900"]);
    play.fill(TWO, Side::Sell, "501");
    play.open(ONE, 0);
    assert_eq!(acts(&play.fill(ONE, Side::Buy, "1")), []);
    // Nor does it matter that there is no price at all.
    let mut play = legs_out();
    for id in [ONE, TWO] {
        play.show(id, ["1.00", "1.00"], ["0", "0"]);
        play.open(id, 0);
    }
    play.open(TWO, 1);
    play.fill(ONE, Side::Buy, "1");
    play.open(TWO, 0);
    assert_eq!(acts(&play.fill(TWO, Side::Sell, "1")), []);
}

#[test]
fn an_unwinding_order_is_sent_once_and_what_it_left_with_the_next_timer() {
    let mut play = legs_out();
    play.open(ONE, 0);
    play.fill(ONE, Side::Buy, "1");
    play.open(TWO, 0);
    assert_eq!(play.ends(TWO, Side::Sell), [market_order(ONE, Side::Sell, COIN)]);
    // It is out; then it trades a part and ends.
    play.open(ONE, 1);
    assert_eq!(play.fill(ONE, Side::Sell, "0.7"), []);
    play.open(ONE, 0);
    assert_eq!(play.ends(ONE, Side::Sell), [], "not again in the same moment");
    assert_eq!(play.update(ONE, Side::Sell, UpdateKind::Denied), []);
    let wishes = play.timer(seconds(1));
    let rest = market_order(ONE, Side::Sell, 3 * COIN / 10);
    assert!(wishes.contains(&rest), "{wishes:?}");
    assert!(wishes.contains(&Wish::Wake(seconds(1))), "and a timer for what may be left of it");
    // Nothing new is begun while anything is uneven.
    assert_eq!(groups(&play.quote(TWO, ["50100.00", "60000.00"], ["1", "1"])).len(), 0);
    assert_eq!(play.fill(ONE, Side::Sell, "0.3"), []);
    assert_eq!(groups(&play.quote(TWO, ["50100.00", "60000.00"], ["1", "1"])).len(), 1);
}

#[test]
fn the_deadline_takes_back_what_is_still_out_and_comes_again_until_it_is_settled() {
    let mut play = legs_out();
    assert_eq!(play.timer(Span::from_millis(999)), [], "an earlier timer is another's");
    let wishes = play.timer(Span::from_millis(1));
    assert_eq!(wishes, [Wish::CancelAll(ONE), Wish::CancelAll(TWO), Wish::Wake(seconds(1))]);
    play.open(ONE, 0);
    play.fill(ONE, Side::Buy, "1");
    assert_eq!(play.timer(seconds(1)).last(), Some(&Wish::Wake(seconds(1))));
    play.open(TWO, 0);
    assert_eq!(play.ends(TWO, Side::Sell), [market_order(ONE, Side::Sell, COIN)]);
    assert_eq!(play.fill(ONE, Side::Sell, "1"), []);
    assert_eq!(play.timer(seconds(1)), [], "settled");
}

#[test]
fn less_than_the_smallest_order_is_as_even_as_it_gets() {
    let mut play = legs_out();
    play.open(ONE, 0);
    play.fill(ONE, Side::Buy, "0.5");
    play.open(TWO, 0);
    // The smallest order is 0.0001.
    assert_eq!(acts(&play.fill(TWO, Side::Sell, "0.49991")), []);
    let wishes = play.stop();
    assert_eq!(seen(&wishes)[0].outcome, Outcome::Taken);
}
