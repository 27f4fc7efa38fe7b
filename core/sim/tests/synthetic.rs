//! Runs on the synthetic market: every law after every event, the same bytes twice, strangers change
//! nothing.

mod common;

use common::{Listing, Ran, World};
use tse_kernel::{Kernel, Output};
use tse_model::{InstrumentId, Liquidity, Side, Span, Timestamp};
use tse_sim::{Latency, Observer, QueueModel, Synthetic, SyntheticSpec};

fn spec(instrument: u32) -> SyntheticSpec {
    SyntheticSpec {
        instrument: InstrumentId(instrument),
        process: "BTC".to_owned(),
        start: Timestamp::from_nanos(1_700_000_000_000_000_000),
        length: Span::from_secs(300),
        step: Span::from_millis(100),
        price: 50_000 * 1_000_000_000,
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

fn world(instruments: usize, seed: u64) -> World {
    let listings = ["BTC-USD.SIM1", "BTC-USD.SIM2", "ETH-USD.SIM3"];
    let listings: Vec<_> =
        listings[..instruments].iter().map(|symbol| Listing::spot(symbol)).collect();
    let mut world = World::new(&listings);
    world.seed = seed;
    world.latency = [
        Latency::Constant(Span::from_millis(1)),
        Latency::Jitter { low: Span::from_millis(1), high: Span::from_millis(9) },
        Latency::Constant(Span::from_millis(2)),
    ];
    for venue in ["SIM1", "SIM2"] {
        world.deposit(venue, "USD", "1000000").deposit(venue, "BTC", "20");
    }
    for number in 0..instruments as u32 {
        let mut spec = spec(number);
        if number == 2 {
            spec.process = "ETH".to_owned();
            spec.price /= 20;
        }
        let instrument = world.catalog.instrument(InstrumentId(number));
        world.sources.push(Box::new(Synthetic::new(spec, instrument, seed).expect("sane figures")));
    }
    world
}

fn run(instruments: usize, seed: u64) -> Ran {
    let mut world = world(instruments, seed);
    let params = [
        ("order_size", "0.1"),
        ("max_position", "1"),
        ("spread", "0.000012"),
        ("min_spread", "0.00001"),
        ("max_spread", "0.002"),
        ("volatility_multiplier", "0"),
        ("levels", "2"),
        ("step", "0.000002"),
        ("tolerance", "10"),
    ];
    world.queue = QueueModel::Log;
    world.strategy("market_making", &[0], &params);
    world.strategy("arbitrage", &[0, 1], &[("min_spread_bps", "1"), ("max_position_size", "2")]);
    world.run()
}

fn trail(ran: &Ran) -> Vec<(i64, i64, i64)> {
    ran.log
        .fills
        .iter()
        .map(|(at, _, side, fill)| (at.nanos(), fill.price.get(), side.sign() * fill.qty.get()))
        .collect()
}

#[test]
fn a_maker_and_an_arbitrageur_trade_and_every_law_holds_after_every_event() {
    let ran = run(2, 7);
    assert!(ran.outcome.events > 20_000, "{}", ran.outcome.events);
    assert!(ran.log.fills.len() > 50, "{} fills", ran.log.fills.len());
    assert!(ran.log.saw.len() > 10, "{} opportunities", ran.log.saw.len());
    assert!(ran.log.fills.iter().any(|(_, _, side, _)| *side == Side::Buy));
    assert!(ran.log.fills.iter().any(|(_, _, side, _)| *side == Side::Sell));
    assert_eq!(ran.backtest.kernel().orders().live(), 0, "all is taken back at the end");
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_one_another() {
    let (a, b, c) = (run(2, 7), run(2, 7), run(2, 8));
    assert_eq!(a.outcome.state_hash, b.outcome.state_hash);
    assert_eq!(trail(&a), trail(&b));
    assert_ne!(a.outcome.state_hash, c.outcome.state_hash);
}

#[test]
fn an_unrelated_instrument_changes_no_fill_of_the_others() {
    let (without, with) = (run(2, 7), run(3, 7));
    assert!(with.outcome.events > without.outcome.events);
    assert_eq!(trail(&without), trail(&with));
}

#[test]
fn a_synthetic_book_is_never_crossed_and_trades_at_its_best_price() {
    let world = world(1, 3);
    let instrument = world.catalog.instrument(InstrumentId(0)).clone();
    let mut source = Synthetic::new(spec(0), &instrument, 3).unwrap();
    let mut book = tse_model::Ladder::new();
    let mut batch = Vec::new();
    let (mut trades, mut wide) = (0, 0);
    loop {
        batch.clear();
        tse_model::Source::read(&mut source, &mut batch).unwrap();
        if batch.is_empty() {
            break;
        }
        for event in &batch {
            match event.data {
                tse_model::MarketData::Depth(depth) => {
                    book.apply(depth);
                    if depth.last {
                        assert!(book.is_valid());
                        let quote = book.quote();
                        wide += i32::from(quote.ask.get() - quote.bid.get() > 100);
                    }
                }
                tse_model::MarketData::Trade(trade) => {
                    trades += 1;
                    let side = trade.aggressor.unwrap().opposite();
                    assert_eq!(book.best(side).unwrap().price, trade.price);
                    assert!(trade.qty <= book.best(side).unwrap().qty);
                }
                _ => {}
            }
        }
    }
    assert!(trades > 500 && wide > 20, "{trades} trades, {wide} wide");
}

/// How long a run was exposed: how much it held in all, after each fill.
#[derive(Default)]
struct Exposure {
    net: i64,
    since: Option<Timestamp>,
    longest: Span,
    times: u32,
    most: i64,
}

impl Observer for Exposure {
    fn output(&mut self, now: Timestamp, output: &Output, _: &Kernel) {
        let Output::Filled { side, fill, .. } = output else { return };
        self.net += side.sign() * fill.qty.get();
        self.most = self.most.max(self.net.abs());
        match (self.net, self.since) {
            (0, Some(since)) => {
                self.longest = self.longest.max(now - since);
                self.since = None;
                self.times += 1;
            }
            (0, None) => self.times += 1,
            (_, None) => self.since = Some(now),
            (_, Some(_)) => {}
        }
    }
}

#[test]
fn a_maker_who_hedges_elsewhere_is_soon_flat_again_and_earns_the_difference() {
    let mut world = world(2, 7);
    let params = [
        ("mode", "maker_taker"),
        ("min_spread_bps", "0.02"),
        ("max_position_size", "0.5"),
        ("max_leg_delay_ms", "1000"),
    ];
    world.queue = QueueModel::Power(2.0);
    world.strategy("arbitrage", &[0, 1], &params);
    let mut backtest = world.build();
    let mut exposure = Exposure::default();
    let outcome = backtest.run(&mut exposure, |_| true).expect("dice never fail");
    assert_eq!(outcome.broken, None);
    assert!(exposure.times > 50, "flat again {} times", exposure.times);
    assert_eq!(exposure.net, 0, "flat at the end");
    assert!(exposure.most <= 500, "never more than a position: {}", exposure.most);
    // An order takes at most 9 ms, its answer 2; what the hedge did not find it tries again.
    assert!(exposure.longest <= Span::from_millis(500), "exposed for {}", exposure.longest);
    let kernel = backtest.kernel();
    let [here, there] = [0, 1].map(|it| kernel.portfolio().net(InstrumentId(it)).get());
    assert_eq!(here + there, 0);
    let matched = kernel.portfolio().matched_profit(kernel.catalog(), None).expect("it fits");
    assert!(matched.iter().all(|it| !it.profit.is_negative()), "{matched:?}");
}

#[test]
fn a_quiet_market_maker_with_a_sensible_spread_earns_it() {
    let mut world = world(1, 11);
    let params = [
        ("order_size", "0.1"),
        ("max_position", "1"),
        ("spread", "0.000016"),
        ("min_spread", "0.00001"),
        ("max_spread", "0.002"),
        ("volatility_multiplier", "0"),
        ("tolerance", "5"),
    ];
    world.queue = QueueModel::Back;
    world.strategy("market_making", &[0], &params);
    let ran = world.run();
    let bought = ran.log.fills.iter().filter(|(_, _, side, _)| *side == Side::Buy).count();
    let sold = ran.log.fills.len() - bought;
    assert!(bought > 20 && sold > 20, "{bought} bought, {sold} sold");
    let makers = ran.log.fills.iter().filter(|(.., fill)| fill.liquidity == Liquidity::Maker);
    assert_eq!(makers.count(), ran.log.fills.len(), "it only ever makes");
    let held = ran.backtest.kernel().portfolio().net(InstrumentId(0));
    assert!(held.abs().get() <= 1_000, "within its limit: {held:?}");
}
