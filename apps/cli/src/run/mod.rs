//! `tse backtest`: runs a checked config over its data and leaves a run folder.
//!
//! In goes a [`Ready`] scenario with what its config says of it; out come the result block or one JSON
//! object, and a folder with everything that was done. The run itself is the engine's affair
//! ([`tse_sim::Backtest`]): here it is watched, written down, summed up and, on Ctrl-C, stopped. A run
//! that fails leaves nothing.
//!
//! Begin at [`backtest`]; [`collect`] watches, [`sum_up`] makes the result, [`files`] and [`folder`]
//! keep it.

pub(crate) mod again;
mod block;
pub(crate) mod collect;
pub(crate) mod edges;
mod fault;
mod files;
mod find;
mod folder;
mod inputs;
mod keep;
mod markouts;
pub(crate) mod numbers;
pub mod performance;
mod progress;
pub(crate) mod read_out;
mod rows;
mod setting;
pub(crate) mod stop;
mod sum_up;
pub mod summary;
mod table;
mod trades;
mod warnings;

pub use fault::Failure;
pub(crate) use fault::{OPEN, READ};

pub(crate) use block::{DAYS_MIN, block, headline};
pub(crate) use find::{find, find_recorded};
pub(crate) use inputs::hash_of;
pub(crate) use setting::Setting;
pub(crate) use sum_up::{Facts, sum_up};

use crate::diagnose::{Diagnostic, Diagnostics, Level, codes};
use crate::ui::Ui;
use crate::verbs::journal;
use collect::{Collector, Signs};
use files::Files;
use folder::Folder;
use inputs::{Hashing, Inputs};
use progress::Bar;
use std::path::PathBuf;
use std::time::{Instant, SystemTime};
use stop::Stop;
use summary::{SCHEMA, Summary};
use tse_journal::{Durability, Journal, JournalError};
use tse_model::Timestamp;
use tse_sim::{Backtest, Observer, Outcome, Recorder, Scenario};

/// A checked config, ready to run.
pub struct Ready {
    /// What the run is called.
    pub name: String,
    /// What to run.
    pub scenario: Scenario,
    /// The names of its strategies, in their order.
    pub strategies: Vec<String>,
    /// The config with every default filled in.
    pub resolved: String,
    /// Every file it reads: how the config calls it, and where it is.
    pub inputs: Vec<(String, PathBuf)>,
    /// What the config warns of.
    pub warnings: Diagnostics,
}

/// What becomes of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where run folders are made; `None` to keep nothing.
    pub runs: Option<PathBuf>,
    /// Whether the run is recorded there, and what a record must survive.
    pub journal: Option<Durability>,
}

/// The folder in a run folder that holds its journal.
pub(crate) const JOURNAL: &str = "journal";

/// What a page tells besides the result.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) config: String,
    pub(crate) inputs: Inputs,
}

/// A decimal as a ratio: for statistics, never for money.
pub(crate) fn float(value: tse_model::Decimal) -> f64 {
    value.mantissa() as f64 / 10f64.powi(i32::from(value.scale()))
}

/// A run that has ended.
struct Ended {
    summary: Summary,
    warnings: Diagnostics,
    folder: Option<PathBuf>,
    wall_seconds: f64,
    /// Which signal ended it, as an exit code.
    stopped: Option<u8>,
    broken: Option<String>,
}

/// Runs a config, says what came of it, and gives the exit code.
pub fn backtest(ready: Ready, options: &Options, ui: &Ui) -> u8 {
    match run(ready, options, ui) {
        Ok(ended) => tell(&ended, ui),
        Err(found) => {
            ui.fail(&found);
            if let Some(left) = options.runs.as_deref().and_then(folder::left_by_us) {
                let left = left.display();
                ui.note(format!("what was recorded is kept · next: tse journal verify {left}"));
            }
            found.exit()
        }
    }
}

fn run(ready: Ready, options: &Options, ui: &Ui) -> Result<Ended, Diagnostics> {
    let Ready { name, scenario, strategies, resolved, inputs, warnings: mut found } = ready;
    let stop = Stop::listen();
    let free = found.of(Level::Warning).iter().any(|warning| warning.code == codes::NO_FEES);
    let facts = Facts {
        run_id: String::new(),
        name,
        seed: scenario.seed,
        base: scenario.base,
        strategies,
        setting: Setting::of(&scenario, free),
    };
    let hashing = Hashing::begin(&resolved, inputs);
    let folder = match &options.runs {
        Some(runs) => Some(Folder::create(runs)?),
        None => None,
    };
    stop.unfinished(folder.as_ref().map(Folder::path));
    let catalog = scenario.catalog.clone();
    let files = match &folder {
        Some(folder) => {
            Some(Files::create(folder.path(), &catalog, &facts.strategies, facts.base)?)
        }
        None => None,
    };
    let mut collector = Collector::new(&catalog, &facts.strategies, facts.base, files);

    let (started, begun) = (SystemTime::now(), Instant::now());
    let mut backtest = Backtest::new(scenario).map_err(Diagnostics::from)?;
    let signs = collector.signs();
    let outcome = match options.journal.zip(folder.as_ref()) {
        None => go(&mut backtest, &mut collector, &signs, &stop, ui)?,
        Some((durability, folder)) => {
            let path = folder.path().join(JOURNAL);
            let wrong = |error: JournalError| journal::finding(&error, &path);
            let disk = tse_disk::Folder::open(&path).map_err(|error| wrong(error.into()))?;
            let options = tse_journal::Options { durability, ..Default::default() };
            let journal = Journal::create(disk, options).map_err(wrong)?;
            let recorder = Recorder::begin(&mut collector, journal, &resolved);
            let mut recorder = recorder.map_err(wrong)?;
            let outcome = go(&mut backtest, &mut recorder, &signs, &stop, ui)?;
            let last = outcome.last.unwrap_or(Timestamp::EPOCH);
            recorder.end(last, outcome.state_hash).map_err(wrong)?;
            outcome
        }
    };
    let wall_seconds = begun.elapsed().as_secs_f64();
    collector.finish(outcome.last.unwrap_or(Timestamp::EPOCH), backtest.kernel())?;
    if outcome.events == 0 && stop.asked().is_none() {
        return Err(warnings::no_events().into());
    }

    let inputs = hashing.finish()?;
    let facts = Facts { run_id: inputs.run_id.clone(), ..facts };
    let summary = sum_up(&facts, &backtest, &outcome, &collector);
    found.extend(warnings::of(&summary, &facts.setting, &collector, &inputs));
    let told = Told { config: resolved, inputs };
    let folder = match folder {
        Some(folder) => {
            let parts = crate::report::Parts {
                summary: &summary,
                collector: &collector,
                told: &told,
                warnings: &found,
            };
            let timing = keep::Timing { started, wall_seconds, events: summary.events };
            Some(keep::keep(folder, &parts, &timing)?)
        }
        None => None,
    };
    stop.unfinished(None);
    Ok(Ended {
        summary,
        warnings: found,
        folder,
        wall_seconds,
        stopped: stop.asked().filter(|_| outcome.interrupted),
        broken: outcome.broken,
    })
}

/// Runs to the end, to a signal, or to a file that cannot be written.
fn go(
    backtest: &mut Backtest,
    observer: &mut impl Observer,
    signs: &Signs,
    stop: &Stop,
    ui: &Ui,
) -> Result<Outcome, Diagnostics> {
    let mut bar = Bar::new(ui.progress);
    let outcome = backtest.run(observer, |progress| {
        let net = progress.net.zip(signs.equity_start.get());
        let net = net.and_then(|(net, start)| summary::share(net, start));
        bar.look(progress, net);
        stop.asked().is_none() && !signs.failed.get()
    });
    bar.finish();
    outcome.map_err(Diagnostics::from)
}

/// Says what came of a run.
fn tell(ended: &Ended, ui: &Ui) -> u8 {
    let Ended { summary, warnings, folder, .. } = ended;
    if let Some(broken) = &ended.broken {
        let found =
            Diagnostic::error(codes::BUG, format!("a law of conservation is broken: {broken}"))
                .fix("report it with the config and the seed");
        ui.fail(&found.into());
        return codes::exit(codes::BUG);
    }
    if ui.json {
        let mut timed = summary.clone();
        timed.wall_seconds = Some(ended.wall_seconds);
        timed.events_per_second = Some(summary.events as f64 / ended.wall_seconds.max(1e-9));
        let data = serde_json::to_value(&timed).expect("a summary is plain data");
        ui.success(SCHEMA, warnings, &data);
    } else {
        if !ui.quiet {
            ui.print(headline(summary));
        }
        ui.print(block(summary, ui.out).trim_end());
        ui.warn(warnings);
        let id = summary.run_id.get(..folder::ID_DIGITS).unwrap_or(&summary.run_id);
        match folder {
            Some(folder) if !ui.quiet => {
                ui.print(format!("{} · next: tse report {id} --open", folder.display()));
            }
            Some(_) => {}
            None => ui.note("nothing was kept (--no-save)"),
        }
        ui.note(format!(
            "{} events in {:.2} s · {}/s",
            numbers::count(summary.events),
            ended.wall_seconds,
            numbers::short(summary.events as f64 / ended.wall_seconds.max(1e-9))
        ));
    }
    ended.stopped.unwrap_or(0)
}
