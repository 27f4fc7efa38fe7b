//! Every shipped strategy comes out of a snapshot as it went in: what follows is the same run.

use crate::common::{Listing, Log, World};
use crate::repeats::spec;
use tse_engine::{Replay, kind};
use tse_journal::{Durability, Head, Journal, Memory, Options, Record, read};
use tse_kernel::Kernel;
use tse_model::bytes::Writer;
use tse_model::{InstrumentId, Span};
use tse_sim::{Latency, Recorder, Synthetic, SyntheticSpec};

/// One strategy on two venues.
fn world(kind: &str, markets: &[u32], params: &[(&str, &str)]) -> World {
    let mut world = World::new(&["BTC-USD.SIM1", "BTC-USD.SIM2"].map(Listing::spot));
    let jitter = |high| Latency::Jitter { low: Span::ZERO, high: Span::from_millis(high) };
    world.latency = [jitter(3), jitter(9), jitter(5)];
    for venue in ["SIM1", "SIM2"] {
        world.deposit(venue, "USD", "10000000").deposit(venue, "BTC", "20");
    }
    for number in [0, 1] {
        let spec = SyntheticSpec { length: Span::from_secs(60), ..spec(number, "BTC", 50_000) };
        let instrument = world.catalog.instrument(InstrumentId(number));
        world.sources.push(Box::new(Synthetic::new(spec, instrument, 7).expect("sane figures")));
    }
    world.strategy(kind, markets, params);
    world
}

fn saved(kernel: &Kernel) -> Vec<u8> {
    let mut bytes = Writer::default();
    assert!(kernel.save(&mut bytes), "it can be saved");
    bytes.into_bytes()
}

/// Records a run, and goes on with it from many places.
fn check(kind_name: &str, markets: &[u32], params: &[(&str, &str)]) {
    let kernel = || world(kind_name, markets, params).scenario().kernel();
    let options = Options { durability: Durability::None, segment_bytes: 1 << 20 };
    let journal = Journal::create(Memory::new(), options).expect("a disk in memory");
    let mut log = Log { alarming: true, ..Log::default() };
    let mut recorder = Recorder::begin(&mut log, journal, "run").expect("a disk in memory");
    let mut backtest = world(kind_name, markets, params).build();
    let outcome = backtest.run(&mut recorder, |_| true).expect("dice never fail");
    let now = outcome.last.expect("something happened");
    let disk = recorder.end(now, outcome.state_hash).expect("a disk in memory").into_disk();
    assert!(!log.fills.is_empty(), "{kind_name}: it trades");
    let mut records: Vec<(Head, Vec<u8>)> = Vec::new();
    read(&disk, |record| records.push((record.head, record.payload.to_vec()))).expect("sound");
    let take = |replay: &mut Replay, records: &[(Head, Vec<u8>)]| {
        for (head, payload) in records {
            let taken = replay.take(&Record { head: *head, chain: None, payload });
            assert_eq!(taken, Ok(()), "{kind_name} {params:?}");
        }
    };
    // Between inputs, here and there and in the moments after something was sent.
    let mut places = Vec::new();
    let mut since_sent = usize::MAX;
    for (at, (head, _)) in records.iter().enumerate() {
        match head.kind {
            kind::SENT => since_sent = 0,
            kind::INPUT => {
                if since_sent < 4 || at % 101 == 1 {
                    places.push(at);
                }
                since_sent = since_sent.saturating_add(1);
            }
            _ => {}
        }
    }
    assert!(places.len() > 200, "{kind_name}: {} places", places.len());
    places.push(records.len());
    // From each to the next: one that goes on, and one that is loaded from what was saved there.
    let mut whole = Replay::new(kernel());
    take(&mut whole, &records[..places[0]]);
    for pair in places.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let bytes = saved(whole.kernel());
        let mut again = kernel();
        assert_eq!(again.load(&bytes), Some(()), "{kind_name} at {from}");
        assert!(saved(&again) == bytes, "{kind_name} at {from}");
        let mut loaded = Replay::resume(again, whole.epoch());
        take(&mut loaded, &records[from..to]);
        take(&mut whole, &records[from..to]);
        assert!(saved(loaded.kernel()) == saved(whole.kernel()), "{kind_name} from {from} to {to}");
        // What was not saved may show in what is asked for a good while later.
        take(&mut loaded, &records[to..records.len().min(to + records.len() / 20)]);
    }
    assert!(whole.ended());
}

#[test]
fn buy_and_hold_goes_on() {
    check("buy_and_hold", &[0], &[("size", "1")]);
}

#[test]
fn ema_cross_goes_on() {
    let params = [("fast", "3"), ("slow", "7"), ("size", "0.1"), ("price", "mid"), ("bar", "1s")];
    check("ema_cross", &[0], &params);
}

#[test]
fn market_making_goes_on() {
    let both = [("order_size", "0.1"), ("max_position", "1"), ("tolerance", "10")];
    let skew = [
        ("spread", "0.000012"),
        ("min_spread", "0.00001"),
        ("max_spread", "0.002"),
        ("volatility_multiplier", "2"),
        ("every", "300ms"),
    ];
    check("market_making", &[0], &[&both[..], &skew[..]].concat());
    let stoikov = [("mode", "avellaneda_stoikov"), ("gamma", "0.000001"), ("kappa", "0.05")];
    check("market_making", &[0], &[&both[..], &stoikov[..]].concat());
}

#[test]
fn arbitrage_goes_on() {
    let params = [("min_spread_bps", "1"), ("max_position_size", "2")];
    check("arbitrage", &[0, 1], &params);
    check("arbitrage", &[0, 1], &[&params[..], &[("mode", "maker_taker")]].concat());
}

#[test]
fn chaos_goes_on_in_its_own_way() {
    check("chaos_runaway", &[0], &[("size", "0.01"), ("orders", "3"), ("after", "5s")]);
    let params = [("size", "5"), ("every", "7"), ("breaches", "1")];
    check("chaos_risk_ignorant", &[0, 1], &params);
    let params = [("size", "0.01"), ("momentum_threshold", "0.00001"), ("lookback", "5")];
    check("chaos_volatility_amplifier", &[0], &params);
    let params = [("size", "0.01"), ("change", "0.00001"), ("lookback", "5")];
    check("chaos_correlation_breaker", &[0, 1], &params);
    check("chaos_slow_leak", &[0], &[("size", "0.1"), ("degradation_rate", "0.01")]);
}
