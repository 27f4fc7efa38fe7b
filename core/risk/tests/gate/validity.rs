//! C01: what the venue takes at all.

use crate::stage::{Stage, buy, cents, dec, limit, market, sell, spec};
use tse_model::{OrderType, PlaceOrder, Price, Qty, Rules, Side, TimeInForce};
use tse_risk::Refusal;

fn invalid(what: &'static str) -> Refusal {
    Refusal::Invalid { what }
}

/// Nothing but C01 stands in the way of large or dear orders.
fn wide() -> Stage {
    let mut stage = Stage::spot();
    stage.wide.order_qty_max = Some(Qty::MAX);
    stage.wide.order_value_max = Some(cents(i128::MAX));
    stage.wide.long_max = Some(Qty::MAX);
    stage.wide.short_max = Some(Qty::MAX);
    stage.free = Some(cents(i128::MAX));
    stage
}

#[test]
fn c01_quantities_from_the_smallest_to_the_largest_order_pass() {
    let stage = wide();
    for side in Side::BOTH {
        stage.passes(limit(side, 2, 1_000));
        stage.passes(limit(side, 5_000, 1_000));
        stage.refuses(limit(side, 1, 1_000), invalid("quantity"));
        stage.refuses(limit(side, 5_001, 1_000), invalid("quantity"));
        stage.refuses(limit(side, 0, 1_000), invalid("quantity"));
        stage.refuses(limit(side, -5, 1_000), invalid("quantity"));
    }
}

#[test]
fn c01_prices_up_to_the_highest_believed_pass_on_either_side_of_zero() {
    // 100.00 is the highest price; the collar is out of the way.
    let mut stage = wide();
    stage.wide.collar = Some(tse_model::Rate::from_billionths(i64::MAX));
    for side in Side::BOTH {
        stage.passes(limit(side, 10, 10_000));
        stage.passes(limit(side, 10, -10_000));
        stage.refuses(limit(side, 10, 10_001), invalid("price"));
        stage.refuses(limit(side, 10, -10_001), invalid("price"));
    }
    let stop = |trigger, limit| PlaceOrder {
        order_type: OrderType::StopLimit { trigger: Price::new(trigger), limit: Price::new(limit) },
        ..buy(10, 0)
    };
    stage.passes(stop(10_000, 10_000));
    stage.refuses(stop(10_001, 10_000), invalid("price"));
    stage.refuses(stop(10_000, 10_001), invalid("price"));
}

#[test]
fn c01_an_order_is_worth_at_least_what_the_venue_asks_unless_it_reduces() {
    let mut spec = spec("IBM-USD.X");
    spec.notional_min = dec("50");
    let stage = Stage::with(spec);
    let small = Refusal::ValueTooSmall { value: cents(4_995), least: cents(5_000) };
    for side in Side::BOTH {
        stage.passes(limit(side, 5, 1_000));
        stage.refuses(limit(side, 5, 999), small);
        stage.passes(limit(side, 5, 1_001));
    }
    stage.clone().holding(5, [0, 0]).passes(sell(5, 999));
    stage.holding(-5, [0, 0]).passes(buy(5, 999));
}

#[test]
fn c01_an_iceberg_shows_some_of_itself_and_rests() {
    let stage = Stage::spot();
    let show = |display| PlaceOrder { display: Some(Qty::new(display)), ..buy(10, 1_000) };
    stage.passes(show(1));
    stage.passes(show(10));
    stage.refuses(show(11), invalid("display quantity"));
    stage.refuses(show(0), invalid("display quantity"));
    stage.refuses(show(-1), invalid("display quantity"));
    let resting = invalid("display quantity of an order that does not rest");
    for time_in_force in [TimeInForce::Ioc, TimeInForce::Fok] {
        stage.refuses(PlaceOrder { time_in_force, ..show(5) }, resting);
    }
    let order_type = OrderType::Stop(Price::new(1_000));
    stage.refuses(PlaceOrder { order_type, ..show(5) }, resting);
    stage.refuses(PlaceOrder { display: Some(Qty::new(5)), ..market(Side::Buy, 10) }, resting);
}

#[test]
fn c01_a_trailing_stop_trails_by_something() {
    let stage = Stage::spot();
    let trail = |offset| PlaceOrder {
        order_type: OrderType::TrailingStop(Price::new(offset)),
        ..sell(10, 0)
    };
    stage.passes(trail(1));
    stage.refuses(trail(0), invalid("trailing offset"));
    stage.refuses(trail(-1), invalid("trailing offset"));
    assert_eq!(
        wide().review(trail(10_001)),
        Err(vec![invalid("price")]),
        "an offset is a distance between prices that are believed"
    );
}

#[test]
fn c01_only_a_limit_order_that_may_rest_can_be_post_only() {
    let stage = Stage::spot();
    let only = |order| PlaceOrder { post_only: true, ..order };
    stage.passes(only(buy(10, 980)));
    let stop = PlaceOrder { order_type: OrderType::Stop(Price::new(1_020)), ..buy(10, 0) };
    stage.refuses(only(stop), invalid("post-only without a limit price"));
    let at_once = invalid("post-only order that must trade at once");
    for time_in_force in [TimeInForce::Ioc, TimeInForce::Fok] {
        stage.refuses(only(PlaceOrder { time_in_force, ..buy(10, 980) }), at_once);
    }
    // Made safe, a market order has a limit; it is no less of a contradiction.
    stage.refuses(only(market(Side::Buy, 10)), at_once);
    stage.holding(10, [0, 0]).refuses(only(market(Side::Sell, 10)), at_once);
}

#[test]
fn c01_figures_that_fit_no_integer_are_refused() {
    let mut stage = Stage::of("BTC-USD-PERP:BTC.X");
    stage.wide.order_value_max = Some(cents(i128::MAX));
    // An inverse contract has no value at a price of zero.
    stage.wide.collar = Some(tse_model::Rate::from_billionths(2_000_000_000));
    assert_eq!(
        stage.review(buy(10, 0)),
        Err(vec![Refusal::Overflow, Refusal::Overflow]),
        "neither its value (C04) nor its margin (C13)"
    );
}

#[test]
fn c01_f24_an_order_between_two_steps_is_refused_and_never_rounded() {
    let mut stage = wide();
    let coarse = Rules { price_step: 5, qty_step: 10, ..stage.instrument.rules() };
    stage.instrument.set_rules(&coarse).expect("they can be followed");
    for side in Side::BOTH {
        stage.passes(limit(side, 10, 1_000));
        for price in [999, 1_001, 1_004, 1_006] {
            stage.refuses(limit(side, 10, price), invalid("price between two steps"));
        }
        for qty in [9, 11, 19] {
            stage.refuses(limit(side, qty, 1_000), invalid("quantity between two steps"));
        }
    }
    let stop = |trigger, limit| PlaceOrder {
        order_type: OrderType::StopLimit { trigger: Price::new(trigger), limit: Price::new(limit) },
        ..buy(10, 0)
    };
    stage.passes(stop(1_005, 1_010));
    stage.refuses(stop(1_006, 1_010), invalid("price between two steps"));
    stage.refuses(stop(1_005, 1_011), invalid("price between two steps"));
    // Below zero it is the same grid.
    stage.wide.collar = Some(tse_model::Rate::from_billionths(i64::MAX));
    stage.passes(limit(Side::Buy, 10, -1_005));
    stage.refuses(limit(Side::Buy, 10, -1_004), invalid("price between two steps"));
}

#[test]
fn c01_f24_the_bound_of_a_market_order_is_on_the_step_and_no_further_than_the_collar() {
    // 10.00 and 5 %: 9.50 to 10.50, in steps of 7 ticks.
    let mut stage = wide();
    let coarse = Rules { price_step: 7, ..stage.instrument.rules() };
    stage.instrument.set_rules(&coarse).expect("they can be followed");
    let bound = |side| {
        let order = stage.review(market(side, 10)).expect("it passes");
        order.order_type.limit().expect("it is bounded").get()
    };
    assert_eq!((bound(Side::Buy), bound(Side::Sell)), (1_050, 952));
}

#[test]
fn c01_f24_what_is_no_longer_listed_is_refused() {
    let mut stage = wide();
    let gone = Rules { listed: false, ..stage.instrument.rules() };
    stage.instrument.set_rules(&gone).expect("they can be followed");
    stage.refuses(buy(10, 1_000), invalid("instrument that is no longer listed"));
    let held = stage.holding(10, [0, 0]);
    held.refuses(sell(10, 1_000), invalid("instrument that is no longer listed"));
}
