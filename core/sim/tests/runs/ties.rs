//! What happens at one moment happens in a stated order.

use crate::common::puppet::{Act, Diary};
use crate::common::{Listing, World};
use tse_model::{InstrumentId, OrderType, Side, Span, TimeInForce, Timestamp};
use tse_sim::Latency;

fn world(symbols: &[&'static str]) -> World {
    let listing = |symbol: &&'static str| Listing { tick: "1", lot: "1", ..Listing::spot(symbol) };
    let listings: Vec<_> = symbols.iter().map(listing).collect();
    let mut world = World::new(&listings);
    for venue in ["X", "Y"] {
        world.deposit(venue, "USD", "1000000").deposit(venue, "BTC", "1000");
    }
    world
}

#[test]
fn data_then_answers_then_the_feed_then_requests_then_timers() {
    // Everything comes together at 20 ms: a print that fills our bid is data; the answer to a request of
    // 13 ms; a quote of 18 ms in the feed; a cancel sent at 17 ms; the end of the order that it cancels;
    // a timer of ours.
    let mut world = world(&["BTC-USD.X"]);
    let ms = |ms| Latency::Constant(Span::from_millis(ms));
    world.latency = [ms(2), ms(3), ms(4)];
    let at = |ms| Timestamp::EPOCH + Span::from_millis(ms);
    world.quote(0, 0, ("90", "10"), ("110", "10"));
    world.quote(18, 0, ("91", "10"), ("110", "10"));
    world.trade(20, 0, Side::Sell, "100", "1");
    world.until(40);
    let ends = tse_strategy::OrderWish {
        time_in_force: TimeInForce::Gtd(at(20)),
        ..world.wish(0, Side::Buy, "2", Some("100"))
    };
    let other = world.wish(0, Side::Buy, "1", Some("95"));
    let acts = [
        (3, Act::Order(ends)),
        (13, Act::Order(other)),
        (17, Act::CancelAll(InstrumentId(0))),
        (20, Act::Look),
    ];
    let diary = world.script(&[0], &acts);
    world.run();
    let heard = [
        "2ms quote 0 90 110",
        "10ms accepted",
        "20ms accepted",
        "20ms quote 0 91 110",
        "20ms timer",
        // The print of 20 ms came before the cancel, which came before the end: cancelled, not expired.
        "22ms trade 0 100",
        "24ms buy 1 @ 100",
        "24ms cancelled",
        "24ms cancelled",
    ];
    assert_eq!(diary.lines(), heard);
}

#[test]
fn venue_timers_come_before_ours() {
    let mut world = world(&["BTC-USD.X"]);
    let at = |ms| Timestamp::EPOCH + Span::from_millis(ms);
    world.quote(0, 0, ("90", "10"), ("110", "10"));
    world.quote(40, 0, ("90", "10"), ("110", "10"));
    let ends = tse_strategy::OrderWish {
        time_in_force: TimeInForce::Gtd(at(20)),
        ..world.wish(0, Side::Buy, "2", Some("100"))
    };
    let diary = world.script(&[0], &[(3, Act::Order(ends)), (20, Act::Look)]);
    world.run();
    assert_eq!(diary.lines()[2..4], ["20ms expired", "20ms timer"]);
}

#[test]
fn at_one_moment_the_first_venue_goes_first() {
    let mut world = world(&["BTC-USD.X", "BTC-USD.Y"]);
    world.latency[0] = Latency::Constant(Span::from_millis(1));
    // By source and within it as it stands; then each venue's feed.
    world.quote(5, 1, ("90", "10"), ("110", "10"));
    world.quote(5, 0, ("91", "10"), ("110", "10"));
    world.quote(5, 1, ("92", "10"), ("110", "10"));
    world.until(20);
    let diary = world.script(&[0, 1], &[]);
    world.run();
    assert_eq!(diary.lines(), ["6ms quote 0 91 110", "6ms quote 1 90 110", "6ms quote 1 92 110"]);
}

#[test]
fn the_orders_of_two_strategies_queue_as_they_came() {
    let mut world = world(&["BTC-USD.X"]);
    world.quote(0, 0, ("90", "10"), ("110", "10"));
    world.trade(9, 0, Side::Sell, "100", "3");
    world.quote(10, 0, ("90", "10"), ("110", "10"));
    let buy = Act::Order(world.wish(0, Side::Buy, "2", Some("100")));
    let late = world.script(&[0], &[(6, buy)]);
    let early = world.script(&[0], &[(5, buy)]);
    world.run();
    let fills = |diary: &Diary| {
        let lines = diary.lines().into_iter();
        lines.filter(|line| line.contains("buy")).collect::<Vec<_>>()
    };
    assert_eq!(fills(&early), ["9ms buy 2 @ 100"]);
    assert_eq!(fills(&late), ["9ms buy 1 @ 100"]);
}

#[test]
fn of_one_moment_the_strategy_that_stands_first_acts_first() {
    let mut world = world(&["BTC-USD.X"]);
    world.quote(0, 0, ("90", "10"), ("110", "1"));
    world.quote(10, 0, ("90", "10"), ("110", "1"));
    let take = tse_strategy::OrderWish {
        order_type: OrderType::Limit(tse_model::Price::new(110)),
        time_in_force: TimeInForce::Ioc,
        ..world.wish(0, Side::Buy, "1", None)
    };
    let first = world.script(&[0], &[(5, Act::Order(take))]);
    let second = world.script(&[0], &[(5, Act::Order(take))]);
    world.run();
    assert!(first.lines().contains(&"5ms buy 1 @ 110".to_owned()));
    assert!(second.lines().contains(&"5ms cancelled".to_owned()), "{:?}", second.lines());
}
