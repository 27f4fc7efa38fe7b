//! The journal on this machine's disk: what a record costs, and how long it takes to come back.
//!
//! Records are as long as an engine's. Beside each figure stands the same bytes written bare, with the same
//! calls to the system and nothing else; the ratio is what the journal adds. Wall-clock time, since waiting for the disk is the point.

use crate::engine::cross_scenario;
use crate::generate::Quotes;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};
use tse_disk::{Folder, LeaseFile};
use tse_engine::{Engine, Replay, Upkeep, kind};
use tse_journal::{Durability, Journal, Options, read};
use tse_kernel::{Command, Input};
use tse_model::{MarketEvent, Source, Timestamp};
use tse_sim::{Backtest, Recorder};

/// A recorded quote, about.
const PAYLOAD: usize = 18;

/// So many of them as a frame: 56 bytes around them, and three before each.
const fn frame(batch: usize) -> usize {
    56 + (batch * (PAYLOAD + 3)).next_multiple_of(8)
}

/// Measures everything and prints it.
pub fn run() {
    println!("the journal on {}", std::env::temp_dir().display());
    println!(
        "{:<10} {:>6} {:>12} {:>12} {:>7}  {:>9} {:>9} {:>9}",
        "durability", "batch", "records/s", "bare/s", "ratio", "p50 us", "p99 us", "bare p50"
    );
    for durability in [Durability::Power, Durability::Process, Durability::None] {
        for batch in [1, 16, 256] {
            append(durability, batch);
        }
    }
    recover(100_000);
    replay(10_000_000);
}

fn percentile(times: &mut [Duration], share: usize) -> f64 {
    times.sort_unstable();
    let at = (times.len() - 1) * share / 100;
    times[at].as_secs_f64() * 1e6
}

fn append(durability: Durability, batch: usize) {
    // So many that it takes a second or so.
    let batches = match durability {
        Durability::Power => 2_000,
        _ => 2_000_000 / batch,
    };
    let home = tempfile::tempdir().expect("a folder");
    let options = Options { durability, ..Options::default() };
    let disk = Folder::open(home.path()).expect("a folder");
    let mut journal = Journal::create(disk, options).expect("an empty folder");
    let payload = [7; PAYLOAD];
    let mut times = Vec::with_capacity(batches);
    let begun = Instant::now();
    for number in 0..batches {
        let from = Instant::now();
        for _ in 0..batch {
            let at = Timestamp::from_nanos(number as i64);
            journal.append(at, kind::INPUT, 1, &payload).expect("room");
        }
        if durability != Durability::None {
            journal.commit().expect("room");
        }
        times.push(from.elapsed());
    }
    let rate = (batches * batch) as f64 / begun.elapsed().as_secs_f64();
    let (bare, mut bare_times) = bare(home.path(), durability, batch, batches);
    println!(
        "{:<10} {batch:>6} {rate:>12.0} {bare:>12.0} {:>7.2}  {:>9.1} {:>9.1} {:>9.1}",
        format!("{durability:?}").to_lowercase(),
        rate / bare,
        percentile(&mut times, 50),
        percentile(&mut times, 99),
        percentile(&mut bare_times, 50),
    );
}

/// The same bytes into a file of the same size that is there already.
fn bare(home: &Path, durability: Durability, batch: usize, batches: usize) -> (f64, Vec<Duration>) {
    let path = home.join("bare");
    let all = (frame(batch) * batches) as u64;
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&path);
    let file = file.as_mut().expect("a file");
    let zeros = vec![0; 1 << 20];
    for _ in 0..all.div_ceil(1 << 20) {
        file.write_all(&zeros).expect("room");
    }
    file.sync_all().expect("a disk");
    std::io::Seek::rewind(file).expect("a file");
    let bytes = vec![7; frame(batch)];
    let mut gathered = Vec::new();
    let mut times = Vec::with_capacity(batches);
    let begun = Instant::now();
    for _ in 0..batches {
        let from = Instant::now();
        match durability {
            Durability::None => {
                gathered.extend_from_slice(&bytes[..batch * (PAYLOAD + 3)]);
                if gathered.len() >= 64 << 10 {
                    file.write_all(&gathered).expect("room");
                    gathered.clear();
                }
            }
            Durability::Process => file.write_all(&bytes).expect("room"),
            Durability::Power => {
                file.write_all(&bytes).expect("room");
                file.sync_data().expect("a disk");
            }
        }
        times.push(from.elapsed());
    }
    let rate = (batches * batch) as f64 / begun.elapsed().as_secs_f64();
    std::fs::remove_file(&path).expect("it is ours");
    (rate, times)
}

/// How long an engine takes to come back after so many events: from its first record, and from a snapshot
/// with so many behind it. And how long making the snapshot stops it.
fn recover(events: u64) {
    let home = tempfile::tempdir().expect("a folder");
    let kernel = || cross_scenario(Box::new(Quotes::new(0, 0))).kernel();
    let options = Options { durability: Durability::Process, ..Options::default() };
    let open = || Folder::open(home.path()).expect("a folder");
    let lease = LeaseFile::at(home.path());
    let mut out = Vec::new();
    let now = Timestamp::EPOCH;
    let begun = Engine::begin(kernel(), "bench", open(), options, lease.clone(), now, &mut out);
    let mut engine = begun.expect("an empty folder").0;
    engine.set_upkeep(Upkeep { snapshot_every: None, ..Upkeep::default() });
    engine.take(now, Input::Command(Command::Start), &mut out).expect("room");
    let mut source = Quotes::new(11 * events, 0);
    let mut batch: Vec<MarketEvent> = Vec::new();
    let mut give = |engine: &mut Engine<Folder, LeaseFile>, events: u64| {
        let mut given = 0;
        while given < events {
            batch.clear();
            source.read(&mut batch).expect("a generator does not fail");
            for event in &batch {
                engine.take(event.ts_event, Input::Market(*event), &mut out).expect("room");
                out.clear();
                given += 1;
            }
        }
    };
    let again = |what: &str| {
        let mut out = Vec::new();
        let from = Instant::now();
        let build = |_: &str| Ok(kernel());
        let lease = LeaseFile::at(home.path());
        let again = Engine::recover(build, open(), options, lease, now, &mut out, |_, _| ());
        let took = from.elapsed().as_secs_f64() * 1e3;
        let (mut engine, begun) = again.expect("it goes on");
        engine.set_upkeep(Upkeep { snapshot_every: None, ..Upkeep::default() });
        println!("recovery {what}: {} inputs, {took:.0} ms", begun.inputs);
        engine
    };
    give(&mut engine, 9 * events);
    drop(engine);
    let mut engine = again("from the first record");
    let from = Instant::now();
    engine.snapshot().expect("room");
    println!("a snapshot stops the engine for {:.2} ms", from.elapsed().as_secs_f64() * 1e3);
    give(&mut engine, events);
    drop(engine);
    drop(again("from a snapshot"));
}

/// How long a run of so many events takes to be replayed from its files.
fn replay(events: u64) {
    let home = tempfile::tempdir().expect("a folder");
    let mut backtest =
        Backtest::new(cross_scenario(Box::new(Quotes::new(events, 0)))).expect("it does not fail");
    let options = Options { durability: Durability::None, ..Options::default() };
    let disk = Folder::open(home.path()).expect("a folder");
    let journal = Journal::create(disk, options).expect("an empty folder");
    let mut nobody = ();
    let mut recorder = Recorder::begin(&mut nobody, journal, "bench").expect("room");
    let outcome = backtest.run(&mut recorder, |_| true).expect("a generator does not fail");
    let last = outcome.last.expect("there are events");
    recorder.end(last, outcome.state_hash).expect("room");
    let from = Instant::now();
    let mut replay = Replay::new(cross_scenario(Box::new(Quotes::new(0, 0))).kernel());
    let disk = Folder::look_at(home.path()).expect("it was written");
    let contents = read(&disk, |record| {
        if let Err(difference) = replay.take(record) {
            panic!("{difference}");
        }
    });
    let contents = contents.expect("it was written");
    let took = from.elapsed().as_secs_f64();
    assert!(replay.ended(), "the same state at the end");
    println!(
        "replay of {events} events, {} records in {} files: {took:.1} s, {:.2} M records/s; target under 60 s",
        contents.last,
        contents.segments,
        contents.last as f64 / took / 1e6
    );
}
