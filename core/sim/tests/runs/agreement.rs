//! Engine and venue keep their own books and come to the same.

use crate::common::puppet::Act;
use crate::common::{Listing, Ran, World};
use tse_kernel::Alert;
use tse_model::{
    CurrencyId, InstrumentId, MarketData, Price, Rate, Settlement, Side, StrategyId, VenueId,
};
use tse_risk::Refusal;

fn linear() -> World {
    let listing = Listing::perpetual("BTC-USDT-PERP.X", false);
    let mut world = World::new(&[Listing { tick: "1", lot: "1", fees: ("2", "5"), ..listing }]);
    world.base = "USDT";
    world
}

fn inverse() -> World {
    let listing = Listing::perpetual("BTC-USD-PERP:BTC.X", true);
    let mut world = World::new(&[Listing { tick: "1", lot: "1", ..listing }]);
    world.base = "BTC";
    world
}

fn spot() -> World {
    World::new(&[Listing { tick: "1", lot: "1", ..Listing::spot("BTC-USD.X") }])
}

/// Both sides say this of a currency at the end, and neither has anything set aside.
#[track_caller]
fn agree(ran: &Ran, currency: &str, cash: &str) {
    let kernel = ran.backtest.kernel();
    let catalog = kernel.catalog();
    let id = catalog.currency_id(currency).expect("a known currency");
    let venue = ran.backtest.venue(VenueId(0)).expect("it was set up");
    assert_eq!(ran.cash("X", currency), cash);
    let theirs = venue.account().portfolio().balance(VenueId(0), id);
    assert_eq!(catalog.show(theirs, id), cash);
    for at in 0..catalog.currencies().len() {
        let currency = CurrencyId(at as u16);
        assert!(venue.account().reserved(currency).is_zero());
        assert!(kernel.state().reserved(VenueId(0), currency).is_zero());
    }
}

fn held(ran: &Ran, strategy: u16) -> i64 {
    ran.backtest.kernel().portfolio().qty(StrategyId(strategy), InstrumentId(0)).get()
}

#[test]
fn fees_and_funding_of_a_linear_contract_add_up_by_hand() {
    let mut world = linear();
    world.deposit("X", "USDT", "10000");
    world.quote(0, 0, ("99", "100"), ("101", "100"));
    world.data(20, 0, MarketData::Mark(Price::new(110)));
    world.data(30, 0, MarketData::Funding(Rate::from_billionths(100_000)));
    world.trade(50, 0, Side::Buy, "120", "500");
    let buy = world.wish(0, Side::Buy, "10", None);
    let sell = world.wish(0, Side::Sell, "10", Some("104"));
    world.script(&[0], &[(10, Act::Order(buy)), (40, Act::Order(sell))]);
    let ran = world.run();
    assert_eq!(ran.fills(), ["buy 10 @ 101 BTC-USDT-PERP.X", "sell 10 @ 104 BTC-USDT-PERP.X"]);
    // 10000 - 1010 x 5 bps - 10 x 110 x 0.0001 + 30 - 1040 x 2 bps.
    agree(&ran, "USDT", "10029.17700000");
}

#[test]
fn a_short_of_an_inverse_contract_is_paid_in_its_coin() {
    let mut world = inverse();
    world.deposit("X", "BTC", "10");
    world.quote(0, 0, ("10000", "900"), ("10000", "900"));
    world.data(20, 0, MarketData::Mark(Price::new(8_000)));
    world.data(30, 0, MarketData::Funding(Rate::from_billionths(100_000)));
    world.quote(40, 0, ("8000", "900"), ("8000", "900"));
    world.until(60);
    let sell = world.wish(0, Side::Sell, "200", None);
    let buy = world.wish(0, Side::Buy, "200", None);
    world.script(&[0], &[(10, Act::Order(sell)), (50, Act::Order(buy))]);
    let ran = world.run();
    // 20,000 USD are 2 BTC at 10,000 and 2.5 at 8,000: half a coin, and 2.5 x 0.0001 of funding.
    agree(&ran, "BTC", "10.50025000");
}

#[test]
fn two_strategies_against_each_other_hold_nothing_at_the_venue() {
    let mut world = linear();
    world.deposit("X", "USDT", "10000");
    world.quote(0, 0, ("99", "100"), ("101", "100"));
    world.quote(20, 0, ("89", "100"), ("91", "100"));
    world.data(30, 0, MarketData::Funding(Rate::from_billionths(1_000_000)));
    world.quote(40, 0, ("89", "100"), ("91", "100"));
    let order = |side| Act::Order(world.wish(0, side, "10", None));
    let (buy, sell) = (order(Side::Buy), order(Side::Sell));
    world.script(&[0], &[(10, buy)]);
    world.script(&[0], &[(25, sell)]);
    let ran = world.run();
    assert_eq!((held(&ran, 0), held(&ran, 1)), (10, -10));
    let venue = ran.backtest.venue(VenueId(0)).unwrap();
    assert!(venue.account().position(InstrumentId(0)).is_zero());
    // The venue has realised the loss of 120 that the two have only on paper; funding found nothing.
    assert_eq!(ran.cash("X", "USDT"), "9999.05000000");
    let id = ran.backtest.kernel().catalog().currency_id("USDT").unwrap();
    let theirs = venue.account().portfolio().balance(VenueId(0), id);
    assert_eq!(ran.backtest.kernel().catalog().show(theirs, id), "9879.05000000");
}

#[test]
fn a_liquidation_cancels_what_is_open_and_is_booked_on_both_sides() {
    let mut world = linear();
    world.deposit("X", "USDT", "200");
    world.quote(0, 0, ("100", "100"), ("100", "100"));
    world.quote(20, 0, ("92", "30"), ("93", "30"));
    world.data(2_000, 0, MarketData::Mark(Price::new(86)));
    world.quote(3_000, 0, ("85", "30"), ("86", "30"));
    let buy = world.wish(0, Side::Buy, "6", Some("100"));
    let rests = world.wish(0, Side::Sell, "3", Some("130"));
    let one = world.script(&[0], &[(10, Act::Order(buy)), (11, Act::Order(rests))]);
    let other = world.script(&[0], &[(12, Act::Order(buy))]);
    let ran = world.run();
    // 12 long from 100: at 86 equity of 31 is below a twentieth of 1,032.
    let fills = ["buy 6 @ 100", "buy 6 @ 100", "sell 6 @ 92", "sell 6 @ 92"];
    assert_eq!(ran.fills(), fills.map(|fill| format!("{fill} BTC-USDT-PERP.X")));
    assert_eq!((held(&ran, 0), held(&ran, 1)), (0, 0));
    assert!(one.lines().contains(&"2000ms cancelled".to_owned()), "{:?}", one.lines());
    assert!(other.lines().contains(&"2000ms sell 6 @ 92".to_owned()), "{:?}", other.lines());
    // 200 - 96 lost - fees of 5 bps on 1,200 and on 1,104.
    agree(&ran, "USDT", "102.84800000");
}

#[test]
fn an_order_on_its_way_into_a_liquidation_is_answered_all_the_same() {
    let mut world = linear();
    world.latency[1] = tse_sim::Latency::Constant(tse_model::Span::from_millis(5));
    world.deposit("X", "USDT", "101");
    world.quote(0, 0, ("100", "100"), ("100", "100"));
    world.data(2_000, 0, MarketData::Mark(Price::new(94)));
    world.quote(3_000, 0, ("93", "30"), ("94", "30"));
    let buy = world.wish(0, Side::Buy, "10", Some("100"));
    let rests = world.wish(0, Side::Sell, "3", Some("120"));
    let acts = [(10, Act::Order(buy)), (1_998, Act::Order(rests)), (2_500, Act::Look)];
    let diary = world.script(&[0], &acts);
    let ran = world.run();
    assert_eq!(held(&ran, 0), 0);
    let heard = diary.lines();
    assert!(heard.contains(&"2000ms sell 10 @ 100".to_owned()), "{heard:?}");
    assert!(heard.contains(&"2003ms accepted".to_owned()), "{heard:?}");
}

#[test]
fn two_orders_cannot_use_the_same_money() {
    let mut world = spot();
    world.deposit("X", "USD", "1000");
    world.quote(0, 0, ("99", "10"), ("101", "10"));
    world.quote(50, 0, ("99", "10"), ("101", "10"));
    let buy = world.wish(0, Side::Buy, "6", Some("100"));
    let all = Act::CancelAll(InstrumentId(0));
    let diary = world.script(
        &[0],
        &[(10, Act::Order(buy)), (20, Act::Order(buy)), (30, all), (40, Act::Order(buy))],
    );
    let ran = world.run();
    assert!(matches!(ran.log.denied[..], [Refusal::Funds { .. }]), "{:?}", ran.log.denied);
    let heard = ["10ms accepted", "20ms denied", "30ms cancelled", "40ms accepted"];
    assert_eq!(diary.lines()[1..5], heard);
    agree(&ran, "USD", "1000.00000000");
}

#[test]
fn a_stop_that_both_sides_reckon_differently_harms_nobody() {
    // The venue wants a twentieth more than the engine: it refuses, and all is as before.
    let mut world = spot();
    world.deposit("X", "USD", "1000");
    world.quote(0, 0, ("99", "10"), ("101", "10"));
    world.quote(50, 0, ("99", "10"), ("101", "10"));
    let stop = tse_strategy::OrderWish {
        order_type: tse_model::OrderType::Stop(Price::new(110)),
        time_in_force: tse_model::TimeInForce::Gtc,
        ..world.wish(0, Side::Buy, "9", None)
    };
    let diary = world.script(&[0], &[(10, Act::Order(stop))]);
    let ran = world.run();
    assert_eq!(diary.lines()[1], "10ms rejected");
    assert_eq!(ran.outcome.counts.rejected, 1);
    agree(&ran, "USD", "1000.00000000");
}

#[test]
fn an_order_is_changed_on_both_sides() {
    let mut world = spot();
    world.deposit("X", "USD", "1000");
    world.quote(0, 0, ("99", "10"), ("101", "10"));
    world.trade(40, 0, Side::Sell, "98", "9");
    world.quote(50, 0, ("99", "10"), ("101", "10"));
    let buy = world.wish(0, Side::Buy, "6", Some("100"));
    let change = Act::Modify(InstrumentId(0), tse_model::Qty::new(4), Some(Price::new(99)));
    let diary = world.script(&[0], &[(10, Act::Order(buy)), (20, change)]);
    let ran = world.run();
    let heard = diary.lines();
    assert!(heard[2].starts_with("20ms modified"), "{heard:?}");
    assert_eq!(heard[3], "40ms buy 4 @ 99");
    agree(&ran, "USD", "604.00000000");
    agree(&ran, "BTC", "4.00000000");
}

#[test]
fn nothing_alarming_happened_in_any_of_this() {
    // The log of a test panics at the first alert unless told otherwise; this one is told.
    let mut world = spot();
    world.deposit("X", "USD", "1000");
    world.latency[2] = tse_sim::Latency::Constant(tse_model::Span::from_secs(60));
    world.quote(0, 0, ("99", "10"), ("101", "10"));
    for second in 1..100 {
        world.quote(second * 1_000, 0, ("99", "10"), ("101", "10"));
    }
    let buy = world.wish(0, Side::Buy, "6", Some("100"));
    world.script(&[0], &[(10, Act::Order(buy))]);
    let mut backtest = world.build();
    let mut log = crate::common::Log { alarming: true, ..Default::default() };
    let outcome = backtest.run(&mut log, |_| true).expect("events can be read");
    assert!(matches!(log.alerts[..], [Alert::AnswerOverdue(_)]), "{:?}", log.alerts);
    assert_eq!(outcome.broken, None);
    assert_eq!(backtest.kernel().orders().live(), 0, "and the late answers settled it");
    assert_eq!(
        backtest.kernel().catalog().instrument(InstrumentId(0)).settlement,
        Settlement::Delivery
    );
}
