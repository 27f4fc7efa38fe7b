//! `cargo xtask sim`: trials of the engine in a world that lies, loses, breaks and dies.
//!
//! The trials are a program of their own, built with optimisation; arguments go to it untouched and its
//! exit code decides ours. Two forms are made here: `--planted N` needs a build in which mistakes can be
//! planted, and `--twice N` runs the same seeds in two fresh processes and compares what they say.

use crate::End;
use crate::workspace;
use std::process::{Command, Stdio};

/// Builds the trials and runs them with `args`.
pub fn run(args: &[String]) -> End {
    match args.iter().position(|arg| arg == "--twice") {
        None => trials(args),
        Some(at) => match args.get(at + 1).map(|seeds| seeds.parse::<u64>()) {
            Some(Ok(seeds)) if args.len() == 2 => twice(seeds),
            _ => End::Misused("`--twice N` stands alone and takes a number of seeds".to_owned()),
        },
    }
}

fn command(args: &[String]) -> Command {
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--release", "--quiet", "--package", "tse-trial"]);
    if args.iter().any(|arg| arg.starts_with("--planted")) {
        cargo.args(["--features", "plant"]);
    }
    cargo.arg("--").args(args);
    cargo
}

fn trials(args: &[String]) -> End {
    match command(args).status() {
        Ok(status) => match status.code() {
            Some(0) => End::Well,
            Some(2) => End::MisusedAndSaid,
            _ => End::Badly,
        },
        Err(error) => {
            eprintln!("error: cargo could not be started for the trials: {error}");
            End::Badly
        }
    }
}

/// The same seeds in two fresh processes: every hash must be the same.
fn twice(seeds: u64) -> End {
    let args = ["--seeds".to_owned(), seeds.to_string(), "--hashes".into(), "--no-marks".into()];
    let said = [(), ()].map(|()| {
        let run = command(&args).stderr(Stdio::inherit()).output();
        run.ok().filter(|run| run.status.success()).map(|run| {
            let text = String::from_utf8_lossy(&run.stdout).into_owned();
            // A line for each seed comes first: its number and its hash.
            text.lines().take(seeds as usize).map(str::to_owned).collect::<Vec<_>>()
        })
    });
    let [Some(first), Some(second)] = said else {
        eprintln!("error: the trials did not run to their end");
        return End::Badly;
    };
    for (one, other) in first.iter().zip(&second) {
        if one != other {
            println!("differs: {one} and {other}");
            return End::Badly;
        }
    }
    println!("{} seeds twice in fresh processes · every hash the same", first.len());
    if first.len() as u64 == seeds { End::Well } else { End::Badly }
}
