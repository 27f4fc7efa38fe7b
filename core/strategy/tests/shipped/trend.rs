//! `ema_cross` and `buy_and_hold`.

use crate::stage::{Play, Terms, Wish, build, catalog, terms};
use tse_model::{Bar, InstrumentId, Price, Qty, Side, Span};
use tse_strategy::{Rates, Reversal, UpdateKind};

const ID: InstrumentId = InstrumentId(0);

fn market() -> Terms {
    Terms { lot: "1", qty_min: "1", ..terms("BTC-USD.X") }
}

fn cross(given: &[(&str, &str)]) -> Play {
    let mut params = vec![("size", "3"), ("fast", "1"), ("slow", "3")];
    params.extend(given);
    Play::new("ema_cross", &[market()], &params)
}

fn bar(open: i64, close: i64) -> Bar {
    let price = Price::new;
    Bar {
        open: price(open),
        high: price(open.max(close)),
        low: price(open.min(close)),
        close: price(close),
        volume: Qty::new(1),
        span: Span::from_secs(60),
    }
}

fn target(position: i64) -> Vec<Wish> {
    vec![Wish::Target(ID, position, Reversal::Single)]
}

#[test]
fn long_at_or_above_the_cross_and_short_below() {
    let mut play = cross(&[]);
    assert_eq!(play.warm_up(), 3, "the engine holds back what it wishes before the third bar");
    // Fast is the close itself, slow has alpha a half: 8, 6, 6, 5.
    for (close, wanted) in [(8, 3), (4, -3), (6, 3), (4, -3)] {
        assert_eq!(play.bar(&bar(7, close)), target(wanted), "close {close}");
    }
}

#[test]
fn a_bar_of_one_price_moves_the_averages_and_nothing_else() {
    let mut play = cross(&[]);
    play.bar(&bar(7, 8));
    assert_eq!(play.bar(&bar(4, 4)), []);
    // Slow stands at 6: had the bar been left out, it would be 8, and 7 below it.
    assert_eq!(play.bar(&bar(6, 7)), target(3));
}

#[test]
fn without_shorts_it_is_flat_below_the_cross() {
    let mut play = cross(&[("short", "false")]);
    play.bar(&bar(7, 8));
    assert_eq!(play.bar(&bar(7, 4)), target(0));
}

#[test]
fn the_way_of_a_reversal_is_a_setting_and_so_is_closing_at_the_end() {
    let mut play = cross(&[("reversal", "close_then_enter")]);
    let wish = Wish::Target(ID, 3, Reversal::CloseThenEnter);
    assert_eq!(play.bar(&bar(7, 8)), [wish]);
    assert_eq!(play.stop(), [Wish::Target(ID, 0, Reversal::CloseThenEnter)]);
    assert_eq!(cross(&[("close_at_end", "false")]).stop(), []);
}

#[test]
fn without_bars_every_mid_counts_to_the_half_tick() {
    let mut play = cross(&[("bar", "0s")]);
    assert_eq!(play.quote(ID, ["100.00", "100.01"], ["1", "1"]), target(3));
    assert_eq!(play.quote(ID, ["100.00", "100.00"], ["1", "1"]), target(-3));
    assert_eq!(play.quote(ID, ["100.00", "100.01"], ["0", "1"]), [], "no mid, no sign");
}

#[test]
fn the_fast_average_is_the_faster() {
    let names = catalog(&[market()]);
    let given = [("size", "3"), ("fast", "20"), ("slow", "20")];
    let error = build("ema_cross", &names, &Rates::default(), &given).err().expect("equal");
    assert_eq!((&*error.name, &*error.fix), ("fast", "fast = 19"));
}

#[test]
fn buy_and_hold_asks_until_it_has_and_then_no_more() {
    let mut play = Play::new("buy_and_hold", &[market()], &[("size", "5")]);
    let quote = |play: &mut Play, bids, asks| play.quote(ID, ["100.00", "100.02"], [bids, asks]);
    assert_eq!(quote(&mut play, "0", "1"), [], "one side cannot be measured");
    assert_eq!(quote(&mut play, "1", "1"), target(5));
    assert_eq!(quote(&mut play, "1", "1"), target(5), "a target counts what is on its way");
    play.hold(ID, "2");
    assert_eq!(quote(&mut play, "1", "1"), target(5));
    // A refusal is not asked for with every quote.
    play.update(ID, Side::Buy, UpdateKind::Denied);
    assert_eq!(quote(&mut play, "1", "1"), []);
    play.now = play.now + Span::from_secs(1);
    assert_eq!(quote(&mut play, "1", "1"), target(5));
    play.hold(ID, "5");
    assert_eq!(quote(&mut play, "1", "1"), []);
    play.hold(ID, "0");
    assert_eq!(quote(&mut play, "1", "1"), [], "it buys once, whoever takes it away");
}

#[test]
fn a_policy_sizes_a_position_when_it_turns_and_keeps_it() {
    let sized = |size, target| {
        let params = [
            ("fast", "1"),
            ("slow", "3"),
            ("sizing", "volatility"),
            ("sizing_lookback", "4"),
            ("size", size),
            ("volatility_target", target),
        ];
        Play::new("ema_cross", &[market()], &params)
    };
    // Returns of a tenth a minute deviate far more than a fifth a year.
    let mut play = sized("100", "0.2");
    for close in [100, 110, 99, 109, 98, 108] {
        assert_eq!(
            play.bar(&bar(50, close)),
            target(0),
            "{close}: less than a lot, or not known yet"
        );
    }
    let mut play = sized("1000000", "10");
    let mut last = 0;
    for (close, turns) in [
        (100, true),
        (110, true),
        (99, true),
        (109, true),
        (98, true),
        (97, false),
        (90, false),
        (120, true),
    ] {
        let [Wish::Target(_, position, _)] = play.bar(&bar(50, close))[..] else {
            panic!("a target")
        };
        if !turns {
            assert_eq!(position, last, "at {close} it stays short of as much");
        }
        last = position;
    }
    assert!(last > 0 && last < 1_000_000, "{last}");
}
