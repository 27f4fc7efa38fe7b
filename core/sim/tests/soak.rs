//! Strategies without any sense, on markets made of dice: whatever they ask for, every law holds after
//! every event, engine and venue agree, and nobody panics.
//!
//! `TSE_SOAK_SEED=17 cargo test -p tse-sim --test soak` plays one seed again, `TSE_SOAK_SEEDS=5000` that
//! many.

mod common;

use common::puppet::{Plays, Puppet, Told};
use common::{Listing, Log, World, generous};
use tse_engine::{Difference, Differs, Replay, kind};
use tse_journal::{Durability, Journal, Memory, Options};
use tse_kernel::record::{read_input, read_request};
use tse_kernel::{Alert, Input, Kernel, Output, Setup};
use tse_model::bytes::{Reader, Recorded, Writer};
use tse_model::{
    Chance, ClientOrderId, Environment, InstrumentId, Machine, MarketData, MarketEvent, OrderType,
    Price, Qty, Rate, Request, Settlement, Side, Source, SourceFault, Span, TimeInForce, Timestamp,
    VenueId,
};
use tse_sim::{FundingSchedule, Latency, QueueModel, Recorder, Synthetic, SyntheticSpec};
use tse_strategy::{Intents, OrderWish, QuoteLevel, Reversal, Strategy, View};

const START: i64 = 1_700_000_000_000_000_000;
const SYMBOLS: [(&str, bool, bool); 6] = [
    ("BTC-USD.SIM1", false, false),
    ("BTC-USD.SIM2", false, false),
    ("BTC-USDT-PERP.SIM2", true, false),
    ("BTC-USDT-PERP.SIM3", true, false),
    ("BTC-USD-PERP:BTC.SIM3", true, true),
    ("BTC-USD.SIM3", false, false),
];

/// A strategy that does anything at any time.
struct Fool {
    chance: Chance,
    instruments: Vec<InstrumentId>,
}

impl Fool {
    fn side(&mut self) -> Side {
        if self.chance.one_in(1, 2) { Side::Buy } else { Side::Sell }
    }

    /// Near the market; now and then anywhere.
    fn price(&mut self, near: i64) -> Price {
        Price::new(match self.chance.below(60) {
            0 => i64::MAX,
            1 => i64::MIN,
            2 => 0,
            3 => -near,
            4 => near * 3,
            _ => near + self.chance.between(-60, 60),
        })
    }

    fn qty(&mut self) -> Qty {
        Qty::new(match self.chance.below(60) {
            0 => i64::MAX,
            1 => i64::MIN,
            2 => 0,
            3 => -5,
            4 => 10_000_000,
            _ => self.chance.between(1, 900),
        })
    }

    fn order(&mut self, it: InstrumentId, near: i64, now: Timestamp) -> OrderWish {
        let (price, other) = (self.price(near), self.price(near));
        OrderWish {
            instrument: it,
            side: self.side(),
            qty: self.qty(),
            order_type: match self.chance.below(10) {
                0 | 1 => OrderType::Market,
                2 => OrderType::Stop(price),
                3 => OrderType::StopLimit { trigger: price, limit: other },
                4 => OrderType::TrailingStop(Price::new(self.chance.between(-2, 80))),
                _ => OrderType::Limit(price),
            },
            time_in_force: match self.chance.below(8) {
                0 => TimeInForce::Ioc,
                1 => TimeInForce::Fok,
                2 => TimeInForce::Day,
                3 => {
                    let ms = self.chance.between(-100, 5_000);
                    TimeInForce::Gtd(now + Span::from_millis(ms))
                }
                _ => TimeInForce::Gtc,
            },
            display: self.chance.one_in(1, 8).then(|| self.qty()),
            post_only: self.chance.one_in(1, 6),
            reduce_only: self.chance.one_in(1, 8),
        }
    }

    fn act(&mut self, view: &View<'_>, wish: &mut Intents) {
        let it = self.instruments[self.chance.below(self.instruments.len() as u64) as usize];
        let near = view.market(it).quote.twice_mid().map_or(1_000, |twice| twice / 2);
        match self.chance.below(24) {
            0 => wish.cancel_all(it),
            1..=4 => {
                let mut ids = Vec::new();
                view.live_orders(it, |order| ids.push(order.id));
                if !ids.is_empty() {
                    let id = ids[self.chance.below(ids.len() as u64) as usize];
                    if self.chance.one_in(1, 2) {
                        wish.cancel(id);
                    } else {
                        let price = self.chance.one_in(1, 2).then(|| self.price(near));
                        wish.modify(id, self.qty(), price);
                    }
                }
            }
            5 => {
                let reversal = if self.chance.one_in(1, 2) {
                    Reversal::Single
                } else {
                    Reversal::CloseThenEnter
                };
                let position = Qty::new(self.chance.between(-2_000, 2_000));
                wish.target_by(it, position, reversal);
            }
            6 => {
                let level = |fool: &mut Self, side: Side| QuoteLevel {
                    side,
                    price: side.away(Price::new(near), fool.chance.between(1, 40)),
                    qty: Qty::new(fool.chance.between(1, 300)),
                };
                let levels = [level(self, Side::Buy), level(self, Side::Sell)];
                wish.quote(it, &levels, self.chance.between(0, 9));
            }
            7 => {
                let legs = [self.order(it, near, view.now), self.order(it, near, view.now)];
                wish.group(&legs);
            }
            _ => wish.order(self.order(it, near, view.now)),
        }
    }
}

fn fool(seed: u64, number: u64, instruments: Vec<InstrumentId>) -> impl Strategy + 'static {
    let chance = Chance::stream(seed, &format!("fool:{number}"));
    Puppet(Fool { chance, instruments })
}

impl Plays for Fool {
    fn told(&mut self, told: Told<'_>, view: &View<'_>, wish: &mut Intents) {
        let acts = match told {
            Told::Start => true,
            Told::Quote(..) => self.chance.one_in(1, 12),
            Told::Fill(..) => self.chance.one_in(1, 4),
            Told::Trade(..) | Told::Order(_) => self.chance.one_in(1, 20),
            Told::Timer => {
                wish.wake_in(Span::from_millis(self.chance.between(50, 3_000)));
                true
            }
            Told::Stop => false,
        };
        if matches!(told, Told::Start) {
            wish.wake_in(Span::from_millis(10));
        } else if acts {
            self.act(view, wish);
        }
    }

    fn save(&self, out: &mut Writer) -> bool {
        self.chance.write(out);
        true
    }

    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        self.chance = Chance::read(bytes)?;
        Some(())
    }
}

/// What a venue says of its contracts: marks around the price, funding, a halt.
struct Extras {
    chance: Chance,
    instrument: InstrumentId,
    price: i64,
    now: Timestamp,
    end: Timestamp,
}

impl Source for Extras {
    fn read(&mut self, batch: &mut Vec<MarketEvent>) -> Result<(), SourceFault> {
        while self.now < self.end && batch.len() < 100 {
            self.now = self.now + Span::from_millis(self.chance.between(1, 4_000));
            let data = match self.chance.below(8) {
                0 => MarketData::Funding(Rate::from_billionths(
                    self.chance.between(-400_000, 400_000),
                )),
                1 => {
                    let open = self.chance.one_in(4, 5);
                    let status = if open {
                        tse_model::TradingStatus::Open
                    } else {
                        tse_model::TradingStatus::Halted
                    };
                    MarketData::Status(status)
                }
                _ => {
                    let off = self.chance.between(-self.price / 25, self.price / 25);
                    MarketData::Mark(Price::new(self.price + off))
                }
            };
            batch.push(MarketEvent {
                ts_event: self.now,
                ts_recv: self.now,
                instrument: self.instrument,
                data,
            });
        }
        Ok(())
    }
}

/// Up to three minutes of trouble, by its seed.
fn world(seed: u64) -> World {
    let mut chance = Chance::stream(seed, "world");
    let venues = chance.between(1, 3) as usize;
    let symbols = &SYMBOLS[..[1, 3, 6][venues - 1]];
    let listing = |(symbol, margin, inverse): &(&'static str, bool, bool)| {
        let listing = if *margin {
            Listing::perpetual(symbol, *inverse)
        } else {
            Listing { tick: "0.1", ..Listing::spot(symbol) }
        };
        Listing { fees: ("-0.5", "4"), ..listing }
    };
    let listings: Vec<_> = symbols.iter().map(listing).collect();
    let mut world = World::new(&listings);
    world.seed = seed;
    world.queue = match chance.below(4) {
        0 => QueueModel::Front,
        1 => QueueModel::Back,
        2 => QueueModel::Log,
        _ => QueueModel::Power(chance.between(1, 30) as f64 / 10.0),
    };
    for latency in &mut world.latency {
        let ms = chance.between(0, 40);
        *latency = match chance.below(4) {
            0 => Latency::NONE,
            1 => Latency::Constant(Span::from_millis(ms)),
            2 => Latency::Jitter { low: Span::ZERO, high: Span::from_millis(ms) },
            _ => {
                let at = |s: i64| Timestamp::from_nanos(START + s * 1_000_000_000);
                Latency::Table(vec![(at(0), Span::from_millis(ms)), (at(30), Span::ZERO)])
            }
        };
    }
    if chance.one_in(1, 3) {
        let rate = Rate::from_billionths(chance.between(-100_000, 100_000));
        world.funding = Some(FundingSchedule { every: Span::from_secs(7), rate });
    }
    world.limits.self_trade = match chance.below(3) {
        0 => tse_risk::SelfTrade::RejectNew,
        1 => tse_risk::SelfTrade::CancelOld,
        _ => tse_risk::SelfTrade::CancelBoth,
    };
    world.limits.collar = generous().collar;
    world.base = "USD";
    let [from, to] = ["USDT", "USD"].map(|code| world.catalog.currency_or_default(code));
    let rate = common::dec("1");
    world.rates = tse_strategy::Rates::new(vec![tse_strategy::FixedRate { from, to, rate }]);
    // Little enough on margin that positions are sometimes taken away.
    for venue in ["SIM1", "SIM2", "SIM3"] {
        let rich = chance.one_in(1, 3);
        world.deposit(venue, "USD", if rich { "10000000" } else { "60000" });
        world.deposit(venue, "BTC", if rich { "100" } else { "0.8" });
        if venue != "SIM1" {
            world.deposit(venue, "USDT", if rich { "10000000" } else { "9000" });
        }
    }
    let length = Span::from_secs(chance.between(20, 180));
    for at in 0..symbols.len() as u32 {
        let spec = SyntheticSpec {
            instrument: InstrumentId(at),
            process: "BTC".to_owned(),
            start: Timestamp::from_nanos(START),
            length,
            step: Span::from_millis(250),
            price: 50_000 * 1_000_000_000,
            volatility: chance.between(5_000, 900_000),
            noise: 20_000,
            fade: 20,
            half_spread: chance.between(1, 20),
            levels: chance.between(1, 6) as usize,
            level_qty: chance.between(5, 2_000),
            trades: 400,
            impact: 5_000,
            wide_starts: 5_000,
            wide_steps: 50,
            wide_factor: 5,
        };
        let instrument = world.catalog.instrument(InstrumentId(at)).clone();
        let source = Synthetic::new(spec, &instrument, seed).expect("sane figures");
        world.sources.push(Box::new(source));
        if symbols[at as usize].1 && chance.one_in(2, 3) {
            world.sources.push(Box::new(Extras {
                chance: Chance::stream(seed, &format!("extras:{at}")),
                instrument: InstrumentId(at),
                price: 500_000,
                now: Timestamp::from_nanos(START),
                end: Timestamp::from_nanos(START) + length,
            }));
        }
    }
    for number in 0..chance.between(1, 3) as u64 {
        let all: Vec<_> = (0..symbols.len() as u32).collect();
        let ids = all.iter().map(|id| InstrumentId(*id)).collect();
        world.own(fool(seed, number, ids), &all);
    }
    world
}

/// What became of a seed.
#[derive(Default)]
struct Tally {
    fills: u64,
    rejected: u64,
    denied: u64,
    liquidations: u64,
}

fn play(seed: u64, tally: &mut Tally) -> u64 {
    let mut backtest = world(seed).build();
    let mut log = Log { alarming: true, ..Log::default() };
    let outcome = backtest.run(&mut log, |_| true).expect("dice never fail");
    assert_eq!(outcome.broken, None, "TSE_SOAK_SEED={seed}");
    for alert in &log.alerts {
        // A cancel of ours and a liquidation may cross; nothing else is forgiven.
        assert!(
            matches!(alert, Alert::AnswerOverdue(_) | Alert::Storm(_)),
            "TSE_SOAK_SEED={seed}: {alert:?}"
        );
    }
    let kernel = backtest.kernel();
    for it in kernel.catalog().instruments() {
        for side in Side::BOTH {
            if let Some((_, order)) = kernel.orders().open(it.id, side).next() {
                panic!("TSE_SOAK_SEED={seed}: still open: {order:?}");
            }
        }
    }
    // Where nothing is on margin nobody spends what he has not: but for the rounding of each fee.
    let floor = -i128::from(outcome.counts.fills);
    for (venue, currency, cash) in kernel.portfolio().balances() {
        let margin = kernel.catalog().instruments().iter().any(|it| {
            (it.venue, it.settle) == (venue, currency) && it.settlement == Settlement::Difference
        });
        let spent = cash.units() < floor && !margin;
        assert!(!spent, "TSE_SOAK_SEED={seed}: {cash:?} of {currency:?} at {venue:?}");
    }
    tally.fills += outcome.counts.fills;
    tally.rejected += outcome.counts.rejected;
    tally.denied += outcome.counts.denied;
    tally.liquidations += log.liquidations;
    outcome.state_hash.finish()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn whatever_a_strategy_asks_for_every_law_holds() {
    let mut tally = Tally::default();
    let seeds = match number("TSE_SOAK_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("TSE_SOAK_SEEDS").unwrap_or(120),
    };
    let several = seeds.end - seeds.start > 50;
    for seed in seeds {
        // A panic says nothing of its seed by itself.
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            play(seed, &mut tally);
        }));
        assert!(played.is_ok(), "TSE_SOAK_SEED={seed} cargo test -p tse-sim --test soak");
    }
    let Tally { fills, rejected, denied, liquidations } = tally;
    println!("{fills} fills, {rejected} rejected, {denied} denied, {liquidations} liquidations");
    if several {
        assert!(fills > 5_000 && rejected > 500 && denied > 5_000 && liquidations > 10);
    }
}

#[test]
fn a_fool_repeats_himself() {
    for seed in 0..6 {
        let mut tally = Tally::default();
        assert_eq!(play(seed, &mut tally), play(seed, &mut tally), "seed {seed}");
    }
}

/// A recorded run: its journal and what was known at the end.
fn recorded(seed: u64, durability: Durability) -> (Memory, tse_model::StateHash) {
    let options = Options { durability, segment_bytes: 1 << 20 };
    let journal = Journal::create(Memory::new(), options).expect("a disk in memory");
    let mut log = Log::default();
    let mut recorder = Recorder::begin(&mut log, journal, "soak").expect("a disk in memory");
    let mut backtest = world(seed).build();
    let outcome = backtest.run(&mut recorder, |_| true).expect("dice never fail");
    let now = outcome.last.expect("something happened");
    let disk = recorder.end(now, outcome.state_hash).expect("a disk in memory").into_disk();
    (disk, outcome.state_hash)
}

fn replayed(disk: &Memory, kernel: Kernel) -> (Replay, Option<Difference>) {
    let mut replay = Replay::new(kernel);
    let mut difference = None;
    let read = tse_journal::read(disk, |record| {
        if difference.is_none() {
            difference = replay.take(record).err();
        }
    });
    read.expect("a sound journal");
    (replay, difference)
}

#[test]
fn a_recorded_run_replays_to_the_same_requests_and_the_same_state() {
    let mut requests = 0;
    for seed in 0..24 {
        let durability =
            [Durability::Power, Durability::Process, Durability::None][seed as usize % 3];
        let (disk, hash) = recorded(seed, durability);
        let (replay, difference) = replayed(&disk, world(seed).scenario().kernel());
        assert_eq!((difference, replay.ended()), (None, true), "seed {seed}");
        assert_eq!(replay.state_hash(), hash, "seed {seed}");
        requests += replay.requests();
    }
    assert!(requests > 5_000, "{requests}");
}

/// An order as it is called where something else is at stake.
fn named(environment: Environment, id: ClientOrderId) -> ClientOrderId {
    if id.number() == 0 || id.environment() == Environment::Foreign {
        return id;
    }
    ClientOrderId::new(environment, id.epoch(), id.strategy(), id.number())
}

/// What an engine in `environment` asks for when it is told what a journal has: as that journal's own engine
/// would name it.
fn asked(records: &[(tse_journal::Head, Vec<u8>)], setup: Setup) -> Vec<(VenueId, Request)> {
    let environment = setup.environment;
    let mut kernel = Kernel::new(setup);
    let (mut asked, mut out) = (Vec::new(), Vec::new());
    for (head, payload) in records.iter().filter(|(head, _)| head.kind == kind::INPUT) {
        let mut input = read_input(payload, head.time).expect("an input");
        if let Input::Order(event) = &mut input {
            event.id = named(environment, event.id);
        }
        kernel.step(head.time, input, &mut out);
        for output in out.drain(..) {
            if let Output::Send(venue, mut request) = output {
                let id = match &mut request {
                    Request::Place(place) => &mut place.id,
                    Request::Modify(modify) => &mut modify.id,
                    Request::Cancel(cancel) => &mut cancel.id,
                };
                assert_eq!(id.environment(), environment, "orders say what is at stake");
                *id = named(Environment::Simulated, *id);
                asked.push((venue, request));
            }
        }
    }
    asked
}

#[test]
fn i18_the_same_words_lead_to_the_same_requests_whatever_is_at_stake() {
    let mut requests = 0;
    for seed in 0..24 {
        let records = records(&recorded(seed, Durability::None).0);
        let sent: Vec<_> = records
            .iter()
            .filter(|(head, _)| head.kind == kind::SENT)
            .map(|(head, payload)| read_request(payload, head.time).expect("a request"))
            .collect();
        for environment in [Environment::Simulated, Environment::Paper, Environment::Live] {
            let setup = Setup { environment, ..world(seed).scenario().setup() };
            assert_eq!(asked(&records, setup), sent, "seed {seed}, {environment:?}");
        }
        requests += sent.len();
    }
    assert!(requests > 5_000, "{requests}");
}

/// All records of a journal.
fn records(disk: &Memory) -> Vec<(tse_journal::Head, Vec<u8>)> {
    let mut records = Vec::new();
    tse_journal::read(disk, |record| records.push((record.head, record.payload.to_vec())))
        .expect("a sound journal");
    records
}

#[test]
fn an_engine_that_was_saved_and_loaded_goes_on_as_if_nothing_had_been() {
    let mut loaded = 0;
    for seed in 0..24 {
        let records = records(&recorded(seed, Durability::None).0);
        let take = |replay: &mut Replay, records: &[(tse_journal::Head, Vec<u8>)]| {
            for (head, payload) in records {
                let taken = replay.take(&tse_journal::Record { head: *head, chain: None, payload });
                assert_eq!(taken, Ok(()), "seed {seed}");
            }
        };
        let saved = |kernel: &Kernel| {
            let mut bytes = Writer::default();
            assert!(kernel.save(&mut bytes), "seed {seed}");
            bytes.into_bytes()
        };
        let kernel = || world(seed).scenario().kernel();
        let mut whole = Replay::new(kernel());
        take(&mut whole, &records);
        // Between inputs: what the last one asked for has been seen.
        let inputs = records.iter().enumerate().filter(|(_, (head, _))| head.kind == kind::INPUT);
        let inputs: Vec<usize> = inputs.map(|(at, _)| at).collect();
        for part in 0..8 {
            let at = inputs[inputs.len() * part / 8];
            let mut before = Replay::new(kernel());
            take(&mut before, &records[..at]);
            let bytes = saved(before.kernel());
            let mut again = kernel();
            assert_eq!(again.load(&bytes), Some(()), "seed {seed} at {at}");
            assert_eq!(
                saved(&again),
                bytes,
                "seed {seed} at {at}: what was saved is what is saved"
            );
            assert_eq!(kernel().load(&bytes[..bytes.len() - 1]), None, "cut off");
            let mut after = Replay::resume(again, before.epoch());
            take(&mut after, &records[at..]);
            assert!(after.ended());
            assert_eq!(saved(after.kernel()), saved(whole.kernel()), "seed {seed} from {at}");
            loaded += 1;
        }
    }
    assert_eq!(loaded, 24 * 8);
}

#[test]
fn an_engine_that_does_otherwise_is_caught_at_the_first_request() {
    let mut caught = 0;
    for seed in 0..12 {
        let (disk, _) = recorded(seed, Durability::None);
        // The same market and venues, and strategies that draw other numbers.
        let mut other = world(seed);
        let ids: Vec<_> = other.catalog.instruments().iter().map(|it| it.id).collect();
        let all: Vec<_> = ids.iter().map(|id| id.0).collect();
        other.strategies.clear();
        other.own(fool(seed + 1, 0, ids), &all);
        let (replay, difference) = replayed(&disk, other.scenario().kernel());
        let difference = difference.expect("it does something else");
        assert!(!replay.ended(), "seed {seed}");
        let sent = matches!(difference.how, Differs::Sent { .. } | Differs::Unsent { .. });
        assert!(sent, "seed {seed}: {difference}");
        caught += 1;
    }
    assert_eq!(caught, 12);
}

#[test]
fn what_leaves_was_written_before() {
    // Whatever is lost with the power at any moment, every request that reached a venue is in the journal:
    // the disk stops, and what the journal has then is compared with what the venues were asked.
    for fails_after in [7, 20, 41, 160, 640] {
        let mut disk = Memory::new();
        disk.fails_after = Some((fails_after, tse_journal::Trouble::Broken));
        let options = Options { durability: Durability::Power, segment_bytes: 1 << 20 };
        let journal = Journal::create(disk, options).expect("it fails later");
        let mut left = Left::default();
        let mut recorder = Recorder::begin(&mut left, journal, "soak").expect("it fails later");
        let mut backtest = world(2).build();
        let _ = backtest.run(&mut recorder, |_| true).expect("dice never fail");
        assert!(recorder.has_failed(), "{fails_after}");
        let mut disk = recorder.into_journal().into_disk();
        disk.fails_after = None;
        disk.lose_power(|| false);
        let mut safe = 0;
        tse_journal::read(&disk, |record| {
            safe += u64::from(record.head.kind == kind::SENT);
        })
        .expect("what was safe is sound");
        assert_eq!(safe, left.sent, "{fails_after}: what left is what is safe");
        assert!(safe > 0);
    }
}

/// Counts what leaves an engine.
#[derive(Default)]
struct Left {
    sent: u64,
}

impl tse_sim::Observer for Left {
    fn release(&mut self, _: Timestamp, outputs: &[Output]) -> bool {
        self.sent += outputs.iter().filter(|it| matches!(it, Output::Send(..))).count() as u64;
        true
    }
}
