//! No order meets data older than its arrival, and every direction of a line takes its own time.

use crate::common::puppet::{Act, Diary, Puppet, Told};
use crate::common::{Listing, World};
use tse_model::{InstrumentId, MarketData, MarketEvent, Quote, Side, Span, Timestamp};
use tse_sim::Latency;
use tse_strategy::{Intents, OrderWish, View};

/// One spot market with a tick of one, and money.
fn world() -> World {
    let listing = Listing { tick: "1", lot: "1", ..Listing::spot("BTC-USD.X") };
    let mut world = World::new(&[listing]);
    world.deposit("X", "USD", "1000000").deposit("X", "BTC", "1000");
    world
}

fn ms(ms: i64) -> Latency {
    Latency::Constant(Span::from_millis(ms))
}

/// Buys at ten milliseconds; says when it heard of which price.
fn buys_at_ten(world: &mut World) -> Diary {
    let buy = Act::Order(world.wish(0, Side::Buy, "1", None));
    world.script(&[0], &[(10, buy)])
}

#[test]
fn an_order_meets_the_book_of_its_arrival_data_of_that_moment_first() {
    let asks = [("101", 14), ("102", 15), ("103", 16)];
    let mut world = world();
    world.latency[1] = ms(5);
    world.quote(0, 0, ("99", "10"), ("100", "10"));
    for (ask, at) in asks {
        world.quote(at, 0, ("99", "10"), (ask, "10"));
    }
    let diary = buys_at_ten(&mut world);
    world.run();
    assert!(diary.lines().contains(&"15ms buy 1 @ 102".to_owned()), "{:?}", diary.lines());
}

#[test]
fn a_nanosecond_before_the_data_it_meets_the_book_before() {
    let mut world = world();
    world.latency[1] = Latency::Constant(Span::from_nanos(4_999_999));
    world.quote(0, 0, ("99", "10"), ("100", "10"));
    world.quote(15, 0, ("99", "10"), ("102", "10"));
    let diary = buys_at_ten(&mut world);
    world.run();
    assert_eq!(diary.lines()[2], "14ms+999999ns buy 1 @ 100");
}

#[test]
fn feed_orders_and_answers_take_their_own_time() {
    let mut world = world();
    world.latency = [ms(2), ms(5), ms(3)];
    world.quote(0, 0, ("99", "10"), ("100", "10"));
    world.quote(20, 0, ("98", "10"), ("101", "10"));
    world.until(30);
    let diary = buys_at_ten(&mut world);
    let ran = world.run();
    let heard = ["2ms quote 0 99 100", "18ms accepted", "18ms buy 1 @ 100", "22ms quote 0 98 101"];
    assert_eq!(diary.lines(), heard);
    assert_eq!(ran.log.requests[0].0.nanos(), 10_000_000, "it left at once");
}

#[test]
fn a_cancel_that_comes_too_late_finds_nothing_and_the_fill_stands() {
    let mut world = world();
    world.latency[1] = ms(5);
    world.quote(0, 0, ("99", "10"), ("105", "10"));
    let buy = Act::Order(world.wish(0, Side::Buy, "1", Some("100")));
    world.trade(13, 0, Side::Sell, "99", "5");
    let acts = [(2, buy), (10, Act::CancelAll(InstrumentId(0)))];
    let diary = world.script(&[0], &acts);
    world.until(20);
    let ran = world.run();
    let heard = ["0ms quote 0 99 105", "7ms accepted", "13ms buy 1 @ 100", "13ms trade 0 99"];
    assert_eq!(diary.lines(), heard, "that a cancel was refused after the end is no news");
    assert_eq!(ran.outcome.counts.cancels, 1);
}

#[test]
fn what_was_recorded_is_what_the_feed_takes() {
    let mut world = world();
    world.latency[0] = Latency::Recorded;
    for (at, seen, ask) in [(0, 4, 101), (1, 2, 102), (9, 9, 103)] {
        let quote = |ask: i64| Quote {
            bid: tse_model::Price::new(99),
            bid_qty: tse_model::Qty::new(10),
            ask: tse_model::Price::new(ask),
            ask_qty: tse_model::Qty::new(10),
        };
        let stamp = |ms: i64| Timestamp::EPOCH + Span::from_millis(ms);
        world.events.push(MarketEvent {
            ts_event: stamp(at),
            ts_recv: stamp(seen),
            instrument: InstrumentId(0),
            data: MarketData::Quote(quote(ask)),
        });
    }
    world.until(20);
    let diary = world.script(&[0], &[]);
    world.run();
    // The second was recorded before the first: it waits for it.
    let heard = ["4ms quote 0 99 101", "4ms quote 0 99 102", "9ms quote 0 99 103"];
    assert_eq!(diary.lines(), heard);
}

#[test]
fn a_table_is_interpolated() {
    let mut world = world();
    let at = |ms| Timestamp::EPOCH + Span::from_millis(ms);
    world.latency[1] = Latency::Table(vec![(at(0), Span::ZERO), (at(20), Span::from_millis(8))]);
    world.quote(0, 0, ("99", "10"), ("100", "10"));
    world.quote(14, 0, ("99", "10"), ("102", "10"));
    world.quote(30, 0, ("99", "10"), ("103", "10"));
    let diary = buys_at_ten(&mut world);
    world.run();
    assert!(diary.lines().contains(&"14ms buy 1 @ 102".to_owned()), "{:?}", diary.lines());
}

#[test]
fn jitter_is_drawn_from_the_seed_and_stays_in_its_bounds() {
    let arrivals = |seed: u64| {
        let mut world = world();
        world.seed = seed;
        world.latency[2] =
            Latency::Jitter { low: Span::from_millis(1), high: Span::from_millis(9) };
        let acts: Vec<_> = (0..50)
            .map(|n| (20 * n + 20, Act::Order(world.wish(0, Side::Buy, "1", None))))
            .collect();
        for n in 0..60 {
            world.quote(20 * n, 0, ("99", "10"), ("100", "1000"));
        }
        let diary = world.script(&[0], &acts);
        world.run();
        let fills = diary.lines().into_iter().filter(|line| line.contains("buy 1"));
        let times = fills.map(|line| {
            let at = line.split(' ').next().expect("a time");
            let (ms, ns) = at.split_once("ms").expect("in milliseconds");
            let ns = ns.trim_start_matches('+').trim_end_matches("ns");
            ms.parse::<i64>().unwrap() * 1_000_000 + ns.parse::<i64>().unwrap_or(0)
        });
        times.collect::<Vec<_>>()
    };
    let times = arrivals(1);
    assert_eq!(times.len(), 50);
    let delays: Vec<_> =
        times.iter().zip(0..).map(|(at, n)| at - (20 * n + 20) * 1_000_000).collect();
    assert!(delays.iter().all(|delay| (1_000_000..=9_000_000).contains(delay)), "{delays:?}");
    assert!(delays.iter().max() > Some(&7_000_000) && delays.iter().min() < Some(&3_000_000));
    assert_eq!(times, arrivals(1));
    assert_ne!(times, arrivals(2));
}

/// Buys one on the first quote it is shown.
fn buys_on_sight(diary: &Diary) -> impl tse_strategy::Strategy + 'static {
    let (diary, mut bought) = (diary.clone(), false);
    Puppet(move |told: Told<'_>, view: &View<'_>, wish: &mut Intents| {
        diary.hear(told, view);
        if let Told::Quote(it, _) = told
            && !bought
        {
            bought = true;
            wish.order(OrderWish::market(it, Side::Buy, tse_model::Qty::new(1)));
        }
    })
}

/// Two quotes of one moment, and somebody who buys on the first.
fn two_quotes_at_once(order: Latency) -> Vec<String> {
    let mut world = world();
    world.latency[1] = order;
    world.quote(10, 0, ("99", "10"), ("100", "10"));
    world.quote(10, 0, ("99", "10"), ("105", "10"));
    world.until(20);
    let diary = Diary::default();
    world.own(buys_on_sight(&diary), &[0]);
    world.run();
    diary.lines()
}

#[test]
fn without_latency_an_order_meets_the_book_of_the_event_that_caused_it() {
    let heard = ["10ms quote 0 99 100", "10ms accepted", "10ms buy 1 @ 100", "10ms quote 0 99 105"];
    assert_eq!(two_quotes_at_once(Latency::NONE), heard);
}

#[test]
fn with_any_latency_it_meets_all_data_of_its_moment() {
    let heard = two_quotes_at_once(Latency::Constant(Span::from_nanos(1)));
    assert!(heard.contains(&"10ms+1ns buy 1 @ 105".to_owned()), "{heard:?}");
}

#[test]
fn what_an_event_did_to_our_orders_is_heard_before_the_event_is_seen() {
    let mut world = world();
    world.quote(0, 0, ("99", "10"), ("105", "10"));
    let buy = Act::Order(world.wish(0, Side::Buy, "2", Some("100")));
    let diary = world.script(&[0], &[(5, buy)]);
    world.quote(10, 0, ("99", "10"), ("100", "1"));
    world.trade(11, 0, Side::Sell, "99", "9");
    world.run();
    let heard = [
        "0ms quote 0 99 105",
        "5ms accepted",
        "10ms buy 1 @ 100",
        "10ms quote 0 99 100",
        "11ms buy 1 @ 100",
        "11ms trade 0 99",
    ];
    assert_eq!(diary.lines(), heard);
}
