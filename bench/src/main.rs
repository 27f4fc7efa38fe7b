//! TSE measured beside a peer, a bare loop and its own targets.
//!
//! Flags go in, a report comes out, as text or as JSON; nothing is asserted about time, so the exit
//! code only says whether everything ran. Each figure comes from runs in processes of their own: this
//! binary starts itself with a hidden argument and reads one line of JSON back. What the workloads are
//! stands in [`generate`], what they do in [`engine`], [`peer`], [`bare`] and [`matching`].
//!
//! Begin at [`main`]; [`Workload`] is the list.

mod bare;
mod count;
mod engine;
mod gate;
mod generate;
mod journal;
mod matching;
mod measure;
mod peer;
mod report;
mod workload;

use measure::Run;
use report::{Figures, Report};
use std::process::{Command, ExitCode, Stdio};
use workload::{Engine, Workload};

const HELP: &str = "\
cargo xtask bench                      everything: each workload on every engine, and 10 times longer
cargo xtask bench --only a,matching    some workloads: a, b, c, matching
cargo xtask bench --scale 1            without the runs that are 10 times longer; --scale 10: those alone
cargo xtask bench --runs 5             how often each figure is measured (3); the median is shown
cargo xtask bench --count-allocations  one more run of each TSE workload that counts allocations
cargo xtask bench --json               one JSON object instead of text
cargo xtask bench --gate               one order through the whole gate, with every control set
cargo xtask bench --gate --instructions  the same in instructions, which valgrind counts
cargo xtask bench --journal            the journal alone: throughput, latency, recovery, replay";

/// What was asked for.
struct Args {
    workloads: Vec<Workload>,
    scales: Vec<u64>,
    runs: usize,
    allocations: bool,
    json: bool,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [child, workload, engine, scale, counting] = &args[..]
        && child == CHILD
    {
        return be_child(workload, engine, scale, counting);
    }
    if args == ["--journal"] {
        journal::run();
        return ExitCode::SUCCESS;
    }
    match &args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--gate-stream", every, rounds] => {
            let (Ok(every @ 1..), Ok(rounds)) = (every.parse(), rounds.parse()) else {
                eprintln!(
                    "error: --gate-stream takes two numbers: an order to how many quotes, and how many quotes"
                );
                return ExitCode::from(2);
            };
            gate::run_stream(every, rounds);
            return ExitCode::SUCCESS;
        }
        ["--gate-open"] => {
            gate::run_open();
            return ExitCode::SUCCESS;
        }
        ["--gate", open @ ..] => {
            let open: Vec<f64> = open.iter().filter_map(|nanos| nanos.parse().ok()).collect();
            gate::run(open.try_into().ok());
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let args = match parse(&args) {
        Ok(Some(args)) => args,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(lesson) => {
            eprintln!("error: {lesson}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match measure_all(&args) {
        Ok(reports) => {
            if args.json {
                println!("{}", report::json(&reports, args.runs));
            }
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(1)
        }
    }
}

/// `None` asks for help.
fn parse(args: &[String]) -> Result<Option<Args>, String> {
    let mut parsed = Args {
        workloads: Workload::ALL.to_vec(),
        scales: vec![1, 10],
        runs: 3,
        allocations: false,
        json: false,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (flag, value) = match arg.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (arg.as_str(), None),
        };
        let mut value = || {
            value.clone().or_else(|| args.next().cloned()).ok_or(format!("`{flag}` needs a value"))
        };
        match flag {
            "--only" => {
                let names = value()?;
                let of = |name: &str| {
                    Workload::named(name).ok_or(format!("no workload is called `{name}`"))
                };
                let asked = names.split(',').map(of).collect::<Result<Vec<_>, _>>()?;
                parsed.workloads.retain(|workload| asked.contains(workload));
            }
            "--scale" => {
                parsed.scales = match &*value()? {
                    "1" => vec![1],
                    "10" => vec![10],
                    other => return Err(format!("`--scale` is 1 or 10, not `{other}`")),
                };
            }
            "--runs" => {
                let text = value()?;
                let runs = text.parse().ok().filter(|runs| (1..=99).contains(runs));
                parsed.runs = runs.ok_or(format!("`--runs` is 1 to 99, not `{text}`"))?;
            }
            "--count-allocations" => parsed.allocations = true,
            "--json" => parsed.json = true,
            "--help" | "-h" | "help" => return Ok(None),
            other => return Err(format!("`{other}` is no flag of the benchmarks")),
        }
    }
    Ok(Some(parsed))
}

fn measure_all(args: &Args) -> Result<Vec<Report>, String> {
    if !args.json {
        println!("{}", report::heading(args.runs));
    }
    let mut reports = Vec::new();
    for &workload in &args.workloads {
        let mut figures: Vec<Figures> = Vec::new();
        for &scale in &args.scales {
            // The peer holds its whole market in memory.
            let long = |it: &&Engine| !matches!(it, Engine::Peer | Engine::Recorded);
            let engines = workload.engines().iter().filter(|it| scale == 1 || long(it));
            figures.extend(engines.map(|engine| Figures { engine: *engine, scale, runs: vec![] }));
        }
        // Taking turns, so that a busy minute of the machine falls on all of them.
        for _ in 0..args.runs {
            for it in &mut figures {
                it.runs.push(child(workload, it.engine, it.scale, false)?);
            }
        }
        let counted =
            args.allocations.then(|| child(workload, Engine::Tse, 1, true)).transpose()?;
        let report = Report { workload, figures, counted };
        if !args.json {
            println!("\n{report}");
        }
        reports.push(report);
    }
    Ok(reports)
}

/// The hidden argument of a process that makes one run.
const CHILD: &str = "--one-run";

fn child(workload: Workload, engine: Engine, scale: u64, counting: bool) -> Result<Run, String> {
    let what = || format!("{} on {}, {scale} times", workload.name(), engine.name());
    let program = std::env::current_exe().map_err(|error| format!("who am I? {error}"))?;
    let output = Command::new(program)
        .args([CHILD, workload.name(), engine.name(), &scale.to_string(), &counting.to_string()])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{} could not be started: {error}", what()))?;
    if !output.status.success() {
        return Err(format!("{} ended with {}", what(), output.status));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{} did not answer as it should: {error}", what()))
}

fn be_child(workload: &str, engine: &str, scale: &str, counting: &str) -> ExitCode {
    let (Some(workload), Some(engine), Ok(scale)) =
        (Workload::named(workload), Engine::named(engine), scale.parse())
    else {
        eprintln!("error: {CHILD} is how the benchmarks start themselves");
        return ExitCode::from(2);
    };
    if counting == "true" {
        count::start();
    }
    let run = workload.run(engine, scale);
    println!("{}", serde_json::to_string(&run).expect("a run is plain data"));
    ExitCode::SUCCESS
}
