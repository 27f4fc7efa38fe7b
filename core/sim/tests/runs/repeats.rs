//! The same inputs give the same run, however they are cut up and whatever happens elsewhere.

use crate::common::{Listing, Log, Ran, World};
use tse_model::{Events, InstrumentId, MarketEvent, Source, Span, Timestamp};
use tse_sim::{Latency, QueueModel, Synthetic, SyntheticSpec};

const START: i64 = 1_700_000_000_000_000_000;

/// A minute and a half of a lively market.
pub fn spec(instrument: u32, process: &str, price: i128) -> SyntheticSpec {
    SyntheticSpec {
        instrument: InstrumentId(instrument),
        process: process.to_owned(),
        start: Timestamp::from_nanos(START),
        length: Span::from_secs(90),
        step: Span::from_millis(100),
        price: price * 1_000_000_000,
        volatility: 20_000,
        noise: 20_000,
        fade: 20,
        half_spread: 20,
        levels: 5,
        level_qty: 2_000,
        trades: 300,
        impact: 5_000,
        wide_starts: 5_000,
        wide_steps: 50,
        wide_factor: 5,
    }
}

/// All events of a market.
fn events(world: &World, spec: SyntheticSpec) -> Vec<MarketEvent> {
    let instrument = world.catalog.instrument(spec.instrument);
    let mut source = Synthetic::new(spec, instrument, 7).expect("sane figures");
    let (mut all, mut batch) = (Vec::new(), Vec::new());
    loop {
        batch.clear();
        source.read(&mut batch).expect("dice never fail");
        if batch.is_empty() {
            return all;
        }
        all.extend_from_slice(&batch);
    }
}

fn making() -> [(&'static str, &'static str); 7] {
    [
        ("order_size", "0.1"),
        ("max_position", "1"),
        ("spread", "0.000012"),
        ("min_spread", "0.00001"),
        ("max_spread", "0.002"),
        ("volatility_multiplier", "0"),
        ("tolerance", "10"),
    ]
}

/// A maker and an arbitrageur on two venues, every line with jitter.
fn world(symbols: &[&'static str]) -> World {
    let listings: Vec<_> = symbols.iter().map(|symbol| Listing::spot(symbol)).collect();
    let mut world = World::new(&listings);
    let jitter = |high| Latency::Jitter { low: Span::ZERO, high: Span::from_millis(high) };
    world.latency = [jitter(3), jitter(9), jitter(5)];
    world.queue = QueueModel::Log;
    for venue in ["SIM1", "SIM2"] {
        world.deposit(venue, "USD", "10000000").deposit(venue, "BTC", "20");
        if symbols.len() > 2 {
            world.deposit(venue, "ETH", "500");
        }
    }
    world.strategy("market_making", &[0], &making());
    world.strategy("arbitrage", &[0, 1], &[("min_spread_bps", "1"), ("max_position_size", "2")]);
    world
}

const TWO: [&str; 2] = ["BTC-USD.SIM1", "BTC-USD.SIM2"];
const THREE: [&str; 3] = ["BTC-USD.SIM1", "BTC-USD.SIM2", "ETH-USD.SIM1"];

fn two() -> (World, [Vec<MarketEvent>; 2]) {
    let world = world(&TWO);
    let streams = [0, 1].map(|number| events(&world, spec(number, "BTC", 50_000)));
    (world, streams)
}

fn source(events: &[MarketEvent]) -> Box<dyn Source> {
    Box::new(Events::new(events.to_vec()))
}

fn plain() -> Ran {
    let (mut world, streams) = two();
    world.sources = streams.iter().map(|events| source(events)).collect();
    world.run()
}

type Trail = Vec<(i64, u32, i64, i64, i128)>;

fn trail(log: &Log) -> Trail {
    let fills = log.fills.iter().filter(|(_, it, ..)| it.0 < 2);
    fills
        .map(|(at, it, side, fill)| {
            let (price, qty) = (fill.price.get(), side.sign() * fill.qty.get());
            (at.nanos(), it.0, price, qty, fill.fee.units())
        })
        .collect()
}

#[test]
fn twice_the_same_run_is_the_same() {
    let (a, b) = (plain(), plain());
    assert!(a.log.fills.len() > 30, "{} fills", a.log.fills.len());
    assert_eq!(a.outcome.state_hash, b.outcome.state_hash);
    assert_eq!(a.outcome.counts, b.outcome.counts);
    assert_eq!(trail(&a.log), trail(&b.log));
    assert_eq!(a.outcome.equity_end, b.outcome.equity_end);
    assert_eq!(a.log.requests, b.log.requests);
}

#[test]
fn a_source_cut_in_two_is_the_same_source() {
    let whole = plain();
    for cut in [1, 777, 5_000] {
        let (mut world, streams) = two();
        for events in &streams {
            let (one, other) = events.split_at(cut);
            world.sources.extend([source(one), source(other)]);
        }
        let ran = world.run();
        assert_eq!(ran.outcome.state_hash, whole.outcome.state_hash, "cut at {cut}");
        assert_eq!(ran.log.requests, whole.log.requests);
    }
}

#[test]
fn two_sources_woven_into_one_are_the_same() {
    let whole = plain();
    let (mut world, streams) = two();
    let mut woven: Vec<_> = streams.concat();
    woven.sort_by_key(|event| event.ts_event);
    world.sources = vec![source(&woven)];
    assert_eq!(world.run().outcome.state_hash, whole.outcome.state_hash);
}

#[test]
fn a_run_in_slices_is_the_same_run() {
    let whole = plain();
    for slice in [Span::from_micros(1_700), Span::from_millis(333), Span::from_secs(40)] {
        let (mut world, streams) = two();
        world.sources = streams.iter().map(|events| source(events)).collect();
        let mut backtest = world.build();
        let mut log = Log::default();
        let mut until = Timestamp::from_nanos(START);
        while backtest.run_until(until, &mut log).expect("events can be read") {
            assert!(backtest.now().is_none_or(|now| now <= until));
            until = until + slice;
        }
        backtest.finish(&mut log).expect("nothing goes in circles");
        let outcome = backtest.outcome(false);
        assert_eq!(outcome.broken, None);
        assert_eq!(outcome.state_hash, whole.outcome.state_hash, "in slices of {slice}");
        assert_eq!(outcome.equity_end, whole.outcome.equity_end);
        assert_eq!(outcome.curve.max_fall(), whole.outcome.curve.max_fall());
        assert_eq!(log.requests, whole.log.requests);
    }
}

#[test]
fn a_stranger_at_the_same_venue_changes_no_fill_and_no_delay() {
    let without = plain();
    let mut world = world(&THREE);
    let specs = [spec(0, "BTC", 50_000), spec(1, "BTC", 50_000), spec(2, "ETH", 2_500)];
    let streams = specs.map(|spec| events(&world, spec));
    world.sources = streams.iter().map(|events| source(events)).collect();
    let with = world.run();
    assert!(with.outcome.events > without.outcome.events);
    assert_eq!(trail(&with.log), trail(&without.log));
}

#[test]
fn not_even_one_that_is_traded() {
    let without = plain();
    let mut world = world(&THREE);
    world.strategy("market_making", &[2], &making());
    let specs = [spec(0, "BTC", 50_000), spec(1, "BTC", 50_000), spec(2, "ETH", 2_500)];
    let streams = specs.map(|spec| events(&world, spec));
    world.sources = streams.iter().map(|events| source(events)).collect();
    let with = world.run();
    let strangers = with.log.fills.iter().filter(|(_, it, ..)| it.0 == 2).count();
    assert!(strangers > 5, "{strangers} fills of the stranger");
    assert_eq!(trail(&with.log), trail(&without.log));
}
