//! The project's own chores, run as `cargo xtask <chore>`.
//!
//! A chore's name and flags go in; what it did, and an exit code, come out: 0 it went well, 1 it ran
//! and found something wrong, 2 it was asked for something it does not know. Chores need nothing but
//! a Rust toolchain and a C compiler, and use more where there is more (`cargo-nextest`, Python). They know
//! nothing of trading.
//!
//! Begin at [`main`]: each chore is a module, `check` runs the others that CI needs.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a chore speaks on the terminal")]

mod bench;
mod check;
mod clients;
mod coverage;
mod deploy;
mod figures;
mod layers;
mod load;
mod mutants;
mod prove;
mod python;
mod servers;
mod sim;
mod supply;
mod tools;
mod workspace;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask check                  everything CI checks
cargo xtask check --only clippy    one step of it (repeatable); --skip STEP leaves one out
cargo xtask layers                 who may use whom, and what core must not touch
cargo xtask bench [ARGS]           the benchmarks of bench/, ARGS are theirs
cargo xtask sim --seeds N          trials in a world that lies, loses, breaks and dies; --first S, --minutes M
cargo xtask sim --seed S           one of them, and everything about it; --follow ORDER
cargo xtask sim --twice N          so many in two fresh processes: the same hashes
cargo xtask sim --planted N        mistakes made on purpose must be noticed within N seeds
cargo xtask figures                statistics computed a second time in Python, and compared
cargo xtask mutants [--shard K/N]   code that decides about orders is changed, and tests must notice; --diff
cargo xtask prove-controls [C05]   each control is taken out, and its tests must fail
cargo xtask clients                clients of others speak to `tse run`: OpenAPI, gRPC, traces, metrics
cargo xtask coverage               which share of lines tests reach, ring by ring
cargo xtask load                   how fast `tse run` answers while its engine trades
cargo xtask servers [--install]    the servers that some tests need: what there is; installs what is missing
cargo xtask deploy [--tse FILE]    what deploy/ says is tried as far as it can be without Docker
cargo xtask supply                 licences, bans and sources of everything that is used; a bill of materials

Steps of check: format, layers, clippy, docs, build, servers, tests, figures.";

/// How a chore ended.
enum End {
    /// As hoped.
    Well,
    /// It ran and found something wrong, which it has said.
    Badly,
    /// It was asked for something it does not know: the lesson.
    Misused(String),
    /// The same, and whoever was asked has said so.
    MisusedAndSaid,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let end = match args.split_first().map(|(chore, rest)| (chore.as_str(), rest)) {
        Some(("check", rest)) => check::run(rest),
        Some(("layers", rest)) => layers::run(rest),
        Some(("bench", rest)) => bench::run(rest),
        Some(("sim", rest)) => sim::run(rest),
        Some(("figures", rest)) => figures::run(rest),
        Some(("mutants", rest)) => mutants::run(rest),
        Some(("prove-controls", rest)) => prove::run(rest),
        Some(("clients", rest)) => clients::run(rest),
        Some(("coverage", rest)) => coverage::run(rest),
        Some(("load", rest)) => load::run(rest),
        Some(("servers", rest)) => servers::run(rest),
        Some(("deploy", rest)) => deploy::run(rest),
        Some(("supply", rest)) => supply::run(rest),
        Some(("help" | "--help" | "-h", _)) => {
            println!("{HELP}");
            End::Well
        }
        Some((other, _)) => End::Misused(format!("no chore is called `{other}`")),
        None => End::Misused("no chore was named".to_owned()),
    };
    match end {
        End::Well => ExitCode::SUCCESS,
        End::Badly => ExitCode::from(1),
        End::MisusedAndSaid => ExitCode::from(2),
        End::Misused(lesson) => {
            eprintln!("error: {lesson}\n\n{HELP}");
            ExitCode::from(2)
        }
    }
}
