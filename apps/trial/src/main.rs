//! `cargo xtask sim`: trials of the engine, many seeds on all cores.
//!
//! Each seed is a trial (see `tse_sim::trial`). A failing one is shrunk: faults are taken away as long as
//! the same law is still broken, and what is left is printed as the command that shows it again. Rare
//! things must have happened often enough over all seeds, or the run fails too: a tester that never
//! meets them tests nothing.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it speaks on the terminal")]

mod projection;

use clap::Parser;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tse_sim::trial::{Fault, Faults, Marks, Trial, Verdict};

/// The rows of every so-many-th seed are compared with its journal.
const PROJECTED: u64 = 16;

/// Runs trials of the engine.
#[derive(Parser, Debug)]
#[command(
    name = "cargo xtask sim",
    before_help = "  cargo xtask sim --seeds 1000\n  cargo xtask sim --seed 42"
)]
struct Args {
    /// How many seeds
    #[arg(long, default_value_t = 1_000, conflicts_with = "seed", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 0, conflicts_with = "seed")]
    first: u64,
    /// One seed alone, and everything about it
    #[arg(long)]
    seed: Option<u64>,
    /// Stop beginning new seeds after so many minutes
    #[arg(long, value_name = "N")]
    minutes: Option<u64>,
    /// Leave these faults out (names as --seed prints them, separated by commas)
    #[arg(long, value_name = "FAULTS", value_delimiter = ',', requires = "seed")]
    without: Vec<String>,
    /// Print everything that happens to an order, such as P1-0-42
    #[arg(long, value_name = "ORDER", requires = "seed")]
    follow: Option<tse_model::ClientOrderId>,
    /// Print a line for each seed: its number and its hash
    #[arg(long)]
    hashes: bool,
    /// Make every mistake there is, one at a time, and fail if one is not noticed within so many seeds
    #[cfg(feature = "plant")]
    #[arg(long, value_name = "SEEDS")]
    planted: Option<u64>,
    /// Do not fail for rare things that happened too rarely: for few seeds
    #[arg(long)]
    no_marks: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    #[cfg(feature = "plant")]
    if let Some(seeds) = args.planted {
        return planted(args.first, seeds);
    }
    match args.seed {
        Some(seed) => one(seed, &args),
        None => many(&args),
    }
}

/// One seed, with all that can be said of it.
fn one(seed: u64, args: &Args) -> ExitCode {
    let mut without = Vec::new();
    for name in &args.without {
        let Some(fault) = Fault::named(name) else {
            let all: Vec<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
            eprintln!("error: no fault is `{name}`\n  = fix: one of {}", all.join(", "));
            return ExitCode::from(2);
        };
        without.push(fault);
    }
    let faults = Faults::of(seed).without(&without);
    let on: Vec<_> = faults.on().map(Fault::name).collect();
    println!("seed {seed} · faults {}", if on.is_empty() { "none".into() } else { on.join(", ") });
    let mut trial = Trial::with(seed, faults);
    if let Some(id) = args.follow {
        trial = trial.follow(id);
    }
    let verdict = trial.run_and(|journal| projection::law(seed, journal));
    for line in &verdict.followed {
        println!("{line}");
    }
    if args.hashes {
        println!("{seed} {}", verdict.hash);
    }
    for (name, count, _) in verdict.marks.table(0).filter(|(_, count, _)| *count > 0) {
        println!("  {count:>6}  {name}");
    }
    println!("{} events · {} orders · {} fills", verdict.events, verdict.orders, verdict.fills);
    match &verdict.broken {
        None => {
            println!("ok · every law holds · hash {}", verdict.hash);
            ExitCode::SUCCESS
        }
        Some((at, what)) => {
            println!("BROKEN at {at}: {what}");
            ExitCode::from(1)
        }
    }
}

/// Every mistake must be noticed within so many seeds.
#[cfg(feature = "plant")]
fn planted(first: u64, seeds: u64) -> ExitCode {
    let mut missed = 0;
    for (plant, name) in tse_sim::trial::Plant::ALL {
        let found = (first..first + seeds).find_map(|seed| {
            let (_, what) = Trial::new(seed).plant(plant).run().broken?;
            Some((seed - first + 1, what))
        });
        match found {
            Some((tried, what)) => {
                println!("ok      {name:<24} seed {tried:>4} of {seeds}  {what}")
            }
            None => {
                missed += 1;
                println!("MISSED  {name:<24} in {seeds} seeds");
            }
        }
    }
    println!("{} mistakes · {missed} not noticed", tse_sim::trial::Plant::ALL.len());
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

/// What is gathered over all seeds.
#[derive(Default)]
struct Sum {
    done: u64,
    marks: Marks,
    broken: BTreeMap<u64, String>,
    hashes: BTreeMap<u64, String>,
    events: u64,
    orders: u64,
    fills: u64,
    nanos: i128,
}

impl Sum {
    fn add(&mut self, seed: u64, verdict: &Verdict, keep: bool) {
        self.done += 1;
        self.marks.add(&verdict.marks);
        self.events += verdict.events;
        self.orders += verdict.orders;
        self.fills += verdict.fills;
        self.nanos += i128::from(verdict.length.nanos());
        if let Some((_, what)) = &verdict.broken {
            self.broken.insert(seed, what.clone());
        }
        if keep {
            self.hashes.insert(seed, verdict.hash.to_string());
        }
    }
}

fn many(args: &Args) -> ExitCode {
    let begun = Instant::now();
    let limit = args.minutes.map(|minutes| Duration::from_secs(minutes * 60));
    let next = AtomicU64::new(args.first);
    let end = args.first.saturating_add(args.seeds);
    let sum = Mutex::new(Sum::default());
    let shown = std::io::stderr().is_terminal();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || limit.is_some_and(|limit| begun.elapsed() > limit) {
                        return;
                    }
                    let trial = Trial::new(seed);
                    // It reads the journal twice more: of one in so many.
                    let verdict = match seed % PROJECTED {
                        0 => trial.run_and(|journal| projection::law(seed, journal)),
                        _ => trial.run(),
                    };
                    let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                    sum.add(seed, &verdict, args.hashes);
                    if shown {
                        let rate = sum.done as f64 / begun.elapsed().as_secs_f64();
                        let left = (args.seeds - sum.done) as f64 / rate;
                        let broken = sum.broken.len();
                        eprint!(
                            "\r{} of {} seeds · {rate:.1}/s · {left:.0} s left · {broken} broken  ",
                            sum.done, args.seeds
                        );
                        let _ = std::io::stderr().flush();
                    }
                }
            });
        }
    });
    if shown {
        eprintln!();
    }
    let sum = sum.into_inner().unwrap_or_else(PoisonError::into_inner);
    report(&sum, args, begun.elapsed())
}

fn report(sum: &Sum, args: &Args, took: Duration) -> ExitCode {
    for (seed, hash) in &sum.hashes {
        println!("{seed} {hash}");
    }
    let mut rare = Vec::new();
    for (name, count, least) in sum.marks.table(sum.done) {
        let missed = !args.no_marks && count < least;
        println!(
            "{} {count:>9}  {name}{}",
            if missed { "!" } else { " " },
            if missed { format!(": at least {least}") } else { String::new() }
        );
        if missed {
            rare.push(name);
        }
    }
    let days = sum.nanos as f64 / 86_400e9;
    println!(
        "{} seeds · {days:.2} trading days · {} events · {} orders · {} fills · {:.1} s",
        sum.done,
        sum.events,
        sum.orders,
        sum.fills,
        took.as_secs_f64()
    );
    let mut by_law: BTreeMap<&str, u64> = BTreeMap::new();
    for what in sum.broken.values() {
        *by_law.entry(law(what)).or_default() += 1;
    }
    for (law, count) in by_law {
        println!("{count} seeds break {law}");
    }
    for (seed, what) in sum.broken.iter().take(3) {
        println!("\nseed {seed}: {what}");
        let (faults, what) = shrink(*seed, what);
        let off: Vec<_> =
            Faults::of(*seed).on().filter(|it| !faults.has(*it)).map(Fault::name).collect();
        println!("with less: {what}");
        let without =
            if off.is_empty() { String::new() } else { format!(" --without {}", off.join(",")) };
        println!("again: cargo xtask sim --seed {seed}{without}");
    }
    if !rare.is_empty() {
        println!("\ntoo rare: {}", rare.join(", "));
    }
    if sum.broken.is_empty() && rare.is_empty() {
        println!("ok · 0 violations");
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}

/// The number of the law, as a message begins.
fn law(what: &str) -> &str {
    what.split(':').next().unwrap_or(what)
}

/// Takes faults away as long as the same law is broken.
fn shrink(seed: u64, broken_as: &str) -> (Faults, String) {
    let mut faults = Faults::of(seed);
    let mut said = broken_as.to_owned();
    loop {
        let less = faults.on().collect::<Vec<_>>().into_iter().find_map(|fault| {
            let less = faults.clone().without(&[fault]);
            let (_, what) = Trial::with(seed, less.clone()).run().broken?;
            (law(&what) == law(broken_as)).then_some((less, what))
        });
        match less {
            Some((less, what)) => (faults, said) = (less, what),
            None => return (faults, said),
        }
    }
}
