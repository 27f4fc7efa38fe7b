//! C05, C14, C18, C26: prices, our own orders, the data, the books.

use crate::stage::{Stage, buy, cents, limit, market, quote, sell};
use tse_model::{OrderType, PlaceOrder, Price, Qty, Quote, Rate, Side, Span, TimeInForce};
use tse_risk::{BadData, Lag, Limits, Refusal, SelfTrade};

fn collar(stage: &Stage, billionths: i64) -> Stage {
    stage.but(|it| it.wide.collar = Some(Rate::from_billionths(billionths)))
}

#[test]
fn c05_prices_up_to_the_ends_of_the_collar_pass() {
    // Five per cent around 10.00.
    let stage = Stage::spot();
    let outside = |price| Refusal::Collar {
        price: Price::new(price),
        low: Price::new(950),
        high: Price::new(1_050),
    };
    for side in Side::BOTH {
        for price in [950, 951, 1_049, 1_050] {
            stage.passes(limit(side, 10, price));
        }
        for price in [949, 1_051] {
            stage.refuses(limit(side, 10, price), outside(price));
        }
    }
}

#[test]
fn c05_the_collar_is_exact_to_the_tick_about_any_mid() {
    // Compared with the definition in fractions: |2 price - twice| × 10^9 <= |twice| × limit.
    let inside = |price: i64, twice: i64, limit: i64| {
        (2 * i128::from(price) - i128::from(twice)).abs() * 1_000_000_000
            <= i128::from(twice.abs()) * i128::from(limit)
    };
    for (bid, ask) in [(990, 1_010), (99, 100), (100, 101), (1, 2), (3, 3), (-101, -98), (-7, 9)] {
        for limit in
            [0, 1, 1_000_000, 5_025_125, 10_000_000, 50_000_000, 333_333_333, 1_000_000_000]
        {
            let stage = collar(&Stage::spot(), limit).but(|it| it.quote = quote(bid, ask));
            for price in (bid - 700)..(ask + 700) {
                let refused = stage.review(buy(10, price)).err().unwrap_or_default();
                let off = refused.iter().any(|it| matches!(it, Refusal::Collar { .. }));
                assert_eq!(
                    !off,
                    inside(price, bid + ask, limit),
                    "{price} in {bid}/{ask}, {limit}"
                );
            }
        }
    }
}

#[test]
fn c05_a_market_order_becomes_an_immediate_limit_at_the_far_end_of_the_collar() {
    let stage = Stage::spot();
    let sent = |order| stage.review(order).unwrap();
    let bought = sent(market(Side::Buy, 10));
    assert_eq!(bought, PlaceOrder { time_in_force: TimeInForce::Ioc, ..buy(10, 1_050) });
    let sold = sent(market(Side::Sell, 10));
    assert_eq!(sold, PlaceOrder { time_in_force: TimeInForce::Ioc, ..sell(10, 950) });
    // A market order that would stand trades at once instead; all or nothing stays that.
    let time = |time_in_force| PlaceOrder { time_in_force, ..market(Side::Buy, 10) };
    assert_eq!(sent(time(TimeInForce::Gtc)).time_in_force, TimeInForce::Ioc);
    assert_eq!(sent(time(TimeInForce::Fok)).time_in_force, TimeInForce::Fok);
}

#[test]
fn c05_only_a_reduction_leaves_without_a_price_where_there_is_nothing_to_measure_one_by() {
    let bare = Stage::spot().but(|it| it.quote = Quote::default());
    bare.refuses(market(Side::Buy, 10), Refusal::Data(BadData::Missing));
    bare.clone().holding(10, [0, 0]).passes(market(Side::Sell, 10));
    bare.holding(-10, [0, 0]).passes(market(Side::Buy, 10));
    // With two sides it is bounded like any other.
    let sent = Stage::spot().holding(10, [0, 0]).review(market(Side::Sell, 10)).unwrap();
    assert_eq!(sent.order_type, OrderType::Limit(Price::new(950)));
}

#[test]
fn c05_a_stop_limit_is_measured_from_its_trigger() {
    // It is no order yet: the market will be at the trigger when it is.
    let stage = Stage::spot();
    let stop = |side, trigger, price| PlaceOrder {
        order_type: OrderType::StopLimit { trigger: Price::new(trigger), limit: Price::new(price) },
        ..limit(side, 10, 0)
    };
    stage.passes(stop(Side::Sell, 800, 760));
    let outside = |price, low, high| Refusal::Collar {
        price: Price::new(price),
        low: Price::new(low),
        high: Price::new(high),
    };
    stage.refuses(stop(Side::Sell, 800, 759), outside(759, 760, 840));
    stage.passes(stop(Side::Buy, 1_200, 1_260));
    stage.refuses(stop(Side::Buy, 1_200, 1_261), outside(1_261, 1_140, 1_260));
}

#[test]
fn c14_no_order_that_can_trade_with_our_own_is_sent() {
    for (side, at, just_short) in [(Side::Buy, 1_005, 1_004), (Side::Sell, 995, 996)] {
        let own = Price::new(at);
        let stage = Stage::spot().but(|it| it.own_opposite = Some(own));
        stage.passes(limit(side, 10, just_short));
        stage.refuses(limit(side, 10, at), Refusal::SelfTrade { own });
        stage.refuses(limit(side, 10, at + side.sign()), Refusal::SelfTrade { own });
        // A market order reaches to the end of its collar, and a stop has no end.
        stage.refuses(market(side, 10), Refusal::SelfTrade { own });
        let far = stage.but(|it| it.own_opposite = Some(Price::new(1_000 + 51 * side.sign())));
        assert!(far.review(market(side, 10)).is_ok(), "beyond the collar");
        let order_type = OrderType::Stop(Price::new(1_000));
        let stop = PlaceOrder { order_type, ..limit(side, 10, 0) };
        stage.refuses(stop, Refusal::SelfTrade { own });
        // A reduction is no excuse: a wash trade reduces nothing.
        let reducing = stage.clone().holding(-10 * side.sign(), [0, 0]);
        reducing.refuses(limit(side, 10, at), Refusal::SelfTrade { own });
    }
}

#[test]
fn c14_where_old_orders_give_way_the_new_one_passes() {
    let own = Price::new(1_005);
    let mode =
        |mode| Stage::spot().but(|it| (it.own_opposite, it.wide.self_trade) = (Some(own), mode));
    mode(SelfTrade::CancelOld).passes(buy(10, 1_005));
    mode(SelfTrade::RejectNew).refuses(buy(10, 1_005), Refusal::SelfTrade { own });
    mode(SelfTrade::CancelBoth).refuses(buy(10, 1_005), Refusal::SelfTrade { own });
}

#[test]
fn c14_a_strategy_cannot_take_anothers_orders_back_unless_the_account_says_so() {
    use SelfTrade::{CancelBoth, CancelOld, RejectNew};
    let merged = |own, wide| {
        let limits = |self_trade| Limits { self_trade, ..Limits::default() };
        limits(own).within(limits(wide)).self_trade
    };
    assert_eq!(merged(RejectNew, CancelOld), CancelOld, "nothing said: as the account does");
    assert_eq!(merged(CancelOld, RejectNew), RejectNew);
    assert_eq!(merged(CancelOld, CancelBoth), CancelBoth);
    assert_eq!(merged(CancelBoth, CancelOld), CancelBoth);
}

#[test]
fn c18_data_is_no_older_than_allowed() {
    let limit_ = Span::from_secs(1);
    let aged = |nanos| Stage::spot().but(|it| it.age = Some(Span::from_nanos(nanos)));
    for side in Side::BOTH {
        aged(999_999_999).passes(limit(side, 10, 1_000));
        aged(1_000_000_000).passes(limit(side, 10, 1_000));
        let age = Span::from_nanos(1_000_000_001);
        let stale = Refusal::Data(BadData::Stale { age, limit: limit_ });
        aged(1_000_000_001).refuses(limit(side, 10, 1_000), stale);
    }
}

#[test]
fn c18_missing_or_bad_data_refuses_what_adds_risk_and_not_what_reduces() {
    type Spoil = fn(&mut Stage);
    let cases: [(BadData, Spoil); 5] = [
        (BadData::Missing, |it| it.age = None),
        (BadData::Missing, |it| it.quote.bid_qty = Qty::ZERO),
        (BadData::Missing, |it| it.quote.ask_qty = Qty::ZERO),
        (BadData::Missing, |it| it.quote = Quote::default()),
        (BadData::Invalid, |it| it.valid = false),
    ];
    for (what, spoil) in cases {
        for side in Side::BOTH {
            let stage = Stage::spot().but(spoil);
            stage.refuses(limit(side, 10, 1_000), Refusal::Data(what));
            stage.holding(-10 * side.sign(), [0, 0]).passes(limit(side, 10, 1_000));
        }
    }
}

#[test]
fn c18_a_closed_market_takes_nothing() {
    let closed = Stage::spot().but(|it| it.open = false);
    closed.refuses(buy(10, 1_000), Refusal::Data(BadData::Closed));
    closed.holding(10, [0, 0]).refuses(sell(10, 1_000), Refusal::Data(BadData::Closed));
}

#[test]
fn c26_a_latched_ledger_stops_everything_even_what_seems_to_reduce() {
    let latched = Stage::spot().but(|it| it.latched = true);
    latched.refuses(buy(10, 1_000), Refusal::Latched);
    latched.holding(10, [0, 0]).refuses(sell(10, 1_000), Refusal::Latched);
    let unknown = Stage::spot().but(|it| it.reconciled = false);
    unknown.refuses(buy(10, 1_000), Refusal::NotReconciled);
    unknown.holding(10, [0, 0]).refuses(sell(10, 1_000), Refusal::NotReconciled);
}

#[test]
fn f06_while_room_runs_out_only_reductions_pass() {
    let low = Stage::spot().but(|it| it.nearly_full = true);
    low.refuses(buy(10, 1_000), Refusal::JournalFull);
    let held = low.holding(10, [0, 0]);
    held.passes(sell(10, 1_000));
    held.refuses(sell(11, 1_000), Refusal::JournalFull);
}

#[test]
fn f08_while_the_journal_lags_only_reductions_pass() {
    let span = Span::from_millis;
    let lag = Lag { lag: span(251), limit: span(250) };
    let slow = Stage::spot().but(|it| it.lag = Some(lag));
    let refusal = Refusal::JournalSlow { lag: span(251), limit: span(250) };
    slow.refuses(buy(10, 1_000), refusal);
    slow.refuses(sell(10, 1_000), refusal);
    let held = slow.holding(10, [0, 0]);
    held.passes(sell(10, 1_000));
    held.refuses(sell(11, 1_000), refusal);
    held.refuses(buy(10, 1_000), refusal);
}

#[test]
fn everything_that_is_wrong_is_said_at_once_and_in_the_order_of_the_checks() {
    let mut stage = Stage::spot().holding(190, [5, 0]);
    stage.strategy.orders = 10;
    stage.account.orders = 12;
    stage.wide.short_max = None; // not needed for a buy
    stage.repeats = 10;
    stage.own_opposite = Some(Price::new(1_060));
    stage.free = Some(cents(3));
    stage.age = Some(Span::from_secs(9));
    stage.valid = false;
    stage.open = false;
    stage.latched = true;
    let order = PlaceOrder { display: Some(Qty::ZERO), reduce_only: true, ..buy(6_000, 1_060) };
    let controls: Vec<_> = stage
        .review(order)
        .unwrap_err()
        .iter()
        .map(|refusal| (refusal.control(), refusal.name()))
        .collect();
    assert_eq!(
        controls,
        [
            ("C01", "invalid"), // quantity
            ("C01", "invalid"), // display quantity
            ("C03", "order_qty"),
            ("C04", "order_value"),
            ("C05", "collar"),
            ("C08", "repeated"),
            ("C10", "open_orders"), // strategy
            ("C10", "open_orders"), // account
            ("C11", "position"),    // strategy
            ("C11", "position"),    // account
            ("C11", "reduce_only"),
            ("C13", "funds"),
            ("C14", "self_trade"),
            ("C18", "data"), // stale
            ("C18", "data"), // invalid
            ("C18", "data"), // closed
            ("C26", "latched"),
        ]
    );
}

#[test]
fn every_refusal_says_its_control_and_its_figures() {
    let text = |stage: &Stage, order| stage.review(order).unwrap_err()[0].to_string();
    let stage = Stage::spot();
    assert_eq!(text(&stage, buy(101, 950)), "C03: order of 101l, limit 100l");
    assert_eq!(text(&stage, buy(10, 1_051)), "C05: price 1051t outside 950t to 1050t");
    let only = PlaceOrder { reduce_only: true, ..buy(10, 1_000) };
    assert_eq!(text(&stage, only), "C11: reduce-only order of 10l, 0l left to close");
    let unset = stage.but(|it| it.wide.repeats = None);
    assert_eq!(text(&unset, buy(10, 1_000)), "C25: limit `repeats` is not configured");
    let latched = stage.but(|it| it.latched = true);
    assert_eq!(text(&latched, buy(10, 1_000)), "C26: the ledger has latched and is no longer true");
}
