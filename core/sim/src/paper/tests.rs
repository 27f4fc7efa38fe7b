//! Paper trading is killed at any moment and goes on; in the end engine and venues agree to the last lot and unit.

use super::*;
use crate::latency::Latency;
use crate::trial::laws::{Booked, of_agreement};
use crate::trial::{START, catalog, kernel, stage};
use std::collections::BTreeMap;
use tse_engine::MemoryLease;
use tse_journal::{Memory, Options};
use tse_kernel::{Command, Guards, LimitTable, PaceTable};
use tse_model::{Chance, ClientOrderId, CurrencyId, ExecId, InstrumentId, Qty, StateHash};
use tse_portfolio::statistics::{Basis, Days};
use tse_risk::Who;

type Disks = (Memory, Memory);

fn ms(low: i64, high: i64) -> Latency {
    Latency::Jitter { low: Span::from_millis(low), high: Span::from_millis(high) }
}

/// The venues of the trials, with lines that take their time.
fn scenario(seed: u64, length: Span) -> Scenario {
    let catalog = catalog();
    let mut venues = stage::exchanges(&catalog);
    for venue in &mut venues {
        venue.feed = ms(1, 20);
        venue.order = ms(1, 400);
        venue.response = ms(1, 400);
    }
    let sources = stage::sources(seed, &catalog, length);
    Scenario {
        seed,
        venues,
        sources,
        // The engine is built apart: here they are counted, and no more.
        strategies: Vec::new(),
        limits: LimitTable::new(Vec::new(), Vec::new()),
        paces: PaceTable::default(),
        losses: None,
        exposure: None,
        guards: Guards::default(),
        repeat_window: Span::from_secs(10),
        answer_timeout: stage::ANSWER_TIMEOUT,
        base: CurrencyId(0),
        rates: Vec::new(),
        price_age_max: Span::from_secs(60),
        sample_every: Span::from_secs(1),
        basis: Basis::plain(Days::All, 365.0),
        start: None,
        end: None,
        audit: false,
        live: None,
        catalog,
    }
}

/// What was booked, by the venue's name for it, and what was sent.
#[derive(Clone, Default)]
struct Seen {
    fills: BTreeMap<(VenueId, ExecId), (InstrumentId, Qty)>,
    reached: BTreeMap<ClientOrderId, u32>,
    wrong: Vec<String>,
}

impl Observer for Seen {
    fn output(&mut self, _: Timestamp, output: &Output, kernel: &Kernel) {
        match output {
            Output::Filled { instrument, side, fill, .. } => {
                let venue = kernel.catalog().instrument(*instrument).venue;
                let before =
                    self.fills.insert((venue, fill.exec), (*instrument, fill.qty.signed(*side)));
                if before.is_some() {
                    self.wrong.push(format!("{:?} was booked twice", fill.exec));
                }
            }
            Output::Adjusted(venue, what) => {
                self.wrong.push(format!("guessed at {venue:?}: {what:?}"));
            }
            _ => {}
        }
    }

    fn reached(&mut self, reached: &Reached) -> bool {
        if let tse_model::Request::Place(place) = reached.request {
            let count = self.reached.entry(place.id).or_default();
            *count += 1;
            if *count > 1 {
                self.wrong.push(format!("{} reached its venue twice", place.id));
            }
        }
        true
    }
}

fn begin(
    seed: u64,
    length: Span,
    disks: Option<Disks>,
    lease: &MemoryLease,
    seen: &mut Seen,
) -> Paper<Memory, MemoryLease> {
    let mut scenario = scenario(seed, length);
    let market = Market::open(&mut scenario).unwrap();
    let (mut out, options) = (Vec::new(), Options::default());
    let build = |_: &str| Ok(kernel(seed, &catalog()));
    let (engine, log) = match disks {
        None => {
            let first = market.first().unwrap();
            let kernel = build("").unwrap();
            let memory = Memory::new();
            let begun = Engine::begin(kernel, "", memory, options, lease.clone(), first, &mut out);
            let log = VenueLog::begin(Memory::new(), options, "").unwrap();
            (begun.unwrap().0, (log, Asked::default()))
        }
        Some((ours, theirs)) => {
            let mut told = Vec::new();
            let watch = |at: Timestamp, output: &Output| told.push((at, *output));
            let at = Timestamp::MIN;
            let begun = Engine::recover(build, ours, options, lease.clone(), at, &mut out, watch);
            let engine = begun.unwrap().0;
            // What was booked before is in the journal, whoever watched has died.
            let reached = std::mem::take(&mut seen.reached);
            *seen = Seen { reached, ..Seen::default() };
            for (at, output) in &told {
                seen.output(*at, output, engine.kernel());
            }
            (engine, VenueLog::open(theirs, options).unwrap())
        }
    };
    Paper::begin(scenario, market, (engine, out), log, seen).unwrap()
}

/// Two minutes of the market, killed every now and then, then half a minute of rest.
fn session(seed: u64, deaths: bool) -> (StateHash, usize, u64) {
    let mut chance = Chance::stream(seed, "paper");
    let lease = MemoryLease::default();
    let length = Span::from_secs(180);
    let mut seen = Seen::default();
    let mut paper = begin(seed, length, None, &lease, &mut seen);
    let (mut at, mut died, mut armed) = (START, 0, None);
    let arm = |paper: &mut Paper<Memory, MemoryLease>, seen: &mut Seen| {
        paper.tell(Input::Command(Command::Arm(Who::cut("ann"))), seen).unwrap();
    };
    while at < START + Span::from_secs(120) {
        at = at + Span::from_millis(chance.between(50, 4_000));
        paper.run_until(at, &mut seen).unwrap();
        if armed.is_none_or(|armed| at >= armed) {
            arm(&mut paper, &mut seen);
            armed = Some(at + Span::from_secs(3));
        }
        if deaths && chance.one_in(1, 6) {
            died += 1;
            let known = paper.kernel().state_hash();
            paper.commit().unwrap();
            let disks = paper.into_disks();
            let inputs = recovered(seed, &disks.0);
            assert_eq!(inputs, known, "seed {seed}: it goes on from what it was");
            paper = begin(seed, length, Some(disks), &lease, &mut seen);
            at = at.max(paper.now());
            armed = Some(at + Span::from_secs(1));
        }
    }
    paper.tell(Input::Command(Command::Stop), &mut seen).unwrap();
    paper.run_until(at + Span::from_secs(30), &mut seen).unwrap();
    agree(seed, &paper, &seen);
    let hash = paper.kernel().state_hash();
    (hash, seen.fills.len(), died)
}

/// The state that a journal leads to, by itself.
fn recovered(seed: u64, disk: &Memory) -> StateHash {
    let mut replay = tse_engine::Replay::new(kernel(seed, &catalog()));
    tse_journal::read(disk, |record| {
        if record.head.kind != tse_engine::kind::BEGIN {
            replay.take(record).unwrap();
        }
    })
    .unwrap();
    replay.state_hash()
}

fn agree(seed: u64, paper: &Paper<Memory, MemoryLease>, seen: &Seen) {
    assert!(seen.wrong.is_empty(), "seed {seed}: {:?}", seen.wrong);
    let mut booked = Booked::default();
    booked.fills.clone_from(&seen.fills);
    for exchange in paper.course.world.floors() {
        exchange.venue.audit().unwrap();
        let law = of_agreement(paper.kernel(), &booked, exchange, false);
        law.unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
    }
}

#[test]
fn an_engine_that_is_killed_again_and_again_ends_as_its_venues_know() {
    let (mut fills, mut died) = (0, 0);
    for seed in 0..16 {
        let (_, filled, deaths) = session(seed, true);
        fills += filled;
        died += deaths;
    }
    assert!(fills > 400 && died > 80, "{fills} fills, {died} deaths");
}

#[test]
fn the_same_inputs_give_the_same_state() {
    for seed in [1, 2] {
        assert_eq!(session(seed, false), session(seed, false));
        assert_eq!(session(seed, true), session(seed, true));
    }
}

#[test]
fn venues_of_other_data_are_not_taken_for_the_ones_that_were_asked() {
    let lease = MemoryLease::default();
    let mut seen = Seen::default();
    let mut paper = begin(3, Span::from_secs(60), None, &lease, &mut seen);
    paper.run_until(START + Span::from_secs(2), &mut seen).unwrap();
    paper.tell(Input::Command(Command::Arm(Who::cut("ann"))), &mut seen).unwrap();
    paper.run_until(START + Span::from_secs(40), &mut seen).unwrap();
    assert!(!seen.reached.is_empty());
    let (_, theirs) = paper.into_disks();
    let (_, asked) = VenueLog::open(theirs, Options::default()).unwrap();
    let mut short = scenario(3, Span::from_secs(1));
    let mut market = Market::open(&mut short).unwrap();
    let found = market.remember(&asked.all, START);
    assert!(matches!(found, Err(PaperError::OtherData(_))), "{found:?}");
}
