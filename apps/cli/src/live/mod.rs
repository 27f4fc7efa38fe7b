//! Engines that run in real time: `tse run`, and `tse status`, `tse kill`, `tse resume` and `tse limit` beside them.
//!
//! An engine has a folder, its state; the engine itself and how it is spoken to are [`tse_node`]'s. Here a config
//! becomes one, people see a line a second, and what they want is handed over.
//!
//! Begin at [`run`]; [`people`] speaks to an engine that runs, [`find`] looks for it, [`show`] draws it.

mod find;
mod logs;
mod people;
mod rows;
mod serve;
mod show;
mod store;
mod tokens;
mod validate;

pub(crate) use logs::logs;
pub(crate) use people::{kill, limit, resume, status};
pub(crate) use rows::{migrate, store};
pub(crate) use tokens::token;
pub(crate) use validate::validate;

use crate::args::{Lasting, Run};
use crate::config::{self, Config, Overrides};
use crate::diagnose::{At, Diagnostic, Diagnostics, codes};
use crate::run::stop::Stop;
use crate::ui::Ui;
use crate::verbs;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tse_engine::EngineError;
use tse_journal::Durability;
use tse_node::{
    Demand, Gallery, Home, Names, Node, NodeError, OpenError, Opened, Plan, Server, Settings,
    Timings, ask, inbox, open, watch_over,
};
use tse_sim::PaperError;
use tse_strategy::Registry;

/// How often a line is printed.
const LINE_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked whether to end.
const EVERY: Duration = Duration::from_millis(20);

/// `tse run CONFIG`.
pub(crate) fn run(args: &Run, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let durability = match args.durability {
        Lasting::Power => Durability::Power,
        Lasting::Process => Durability::Process,
    };
    if !(1e-3..=1e6).contains(&args.speed) {
        let given = format!("--speed {}", args.speed);
        return Err(wrong(&given, "--speed 1; from 0.001 to 1000000").into());
    }
    let stop = Stop::listen();
    let overrides = Overrides::from_process(&args.config.set).with(
        &["run", "mode"],
        "\"paper\"",
        "tse run",
        &["backtest"],
    );
    let service = serve::settings(&args.network)?;
    let mut config = verbs::load_with(&args.config, &overrides, registry)?;
    ui.warn(&std::mem::take(&mut config.warnings));
    if let Some((settings, _)) = &service {
        serve::are_not_too_many(config.strategies.len(), settings)?;
    }
    let home = Home::at(
        &args.state.join(serve::name(service.as_ref().map(|(settings, _)| settings), &config.name)),
    );
    serve::is_free(&home)?;
    if let Some(core) = args.core {
        // Tried by a thread that ends: those that serve must not stay there as well.
        let tried = std::thread::spawn(move || tse_node::pin(core)).join();
        tried.expect("pinning cannot panic").map_err(|error| not_pinned(core, &error))?;
    }
    let (desk, demands) = inbox();
    let timings = Timings::of(config.strategies.iter().map(|plan| plan.name.clone()));
    let gallery = Gallery::of(timings.clone());
    let flatten =
        args.flatten_on_shutdown || service.as_ref().is_some_and(|(settings, _)| settings.flatten);
    let service = match service {
        Some(settings) => {
            let engine = serve::engine(&gallery, &desk, registry);
            Some(serve::start(settings, engine, &home, &args.config, ui)?)
        }
        None => None,
    };
    let opened = begin(&config, &home, durability, registry, &timings)?;
    let epoch = opened.begun.epoch;
    let inputs = opened.begun.inputs;
    let settings = Settings {
        name: home.name(),
        speed: args.speed,
        arm: args.arm.then(|| who(args.by.as_deref())),
        lasts: args.seconds.map(Duration::from_secs),
        flatten: flatten.then(|| who(args.by.as_deref())),
    };
    let server = Server::listen(&home, desk).map_err(|error| unreachable(&home, &error))?;
    if !ui.json && !ui.quiet {
        ui.print(headline(&config, &home, args, epoch, inputs));
        if let Some(service) = &service {
            ui.print(service.headline());
        }
    }
    let (node, feed) = Node::new(opened, settings, demands, gallery);
    if let Some(service) = &service {
        service.follow(feed);
        service.project(&home, store::about(&config), registry, node.safe())?;
    }
    if let Some(core) = args.core {
        tse_node::pin(core).map_err(|error| not_pinned(core, &error))?;
    }
    let over = Arc::new(AtomicBool::new(false));
    let printer = (!ui.json).then(|| {
        let (gallery, over) = (node.gallery(), Arc::clone(&over));
        std::thread::spawn(move || print_lines(&gallery, &over))
    });
    let guard = {
        let (progress, over, home) = (node.progress(), Arc::clone(&over), home.clone());
        std::thread::spawn(move || {
            // Whoever can do nothing about it can still say so.
            watch_over(&progress, &over, &home, LINE_EVERY, |raised| {
                let how = raised.map_or_else(|error| error.to_string(), |()| "halted".to_owned());
                show::say(&format!("the engine makes no progress: {how}"));
            });
        })
    };
    let ended = node.run(|| {
        let asked = stop.asked().is_some();
        if asked && let Some(service) = &service {
            service.ending();
        }
        asked
    });
    over.store(true, Ordering::Relaxed);
    drop(server);
    if let Some(service) = service {
        service.end();
    }
    for thread in printer.into_iter().chain([guard]) {
        // One that panicked has said so.
        let _ = thread.join();
    }
    let ended = ended.map_err(|error| stopped(&error, &home))?;
    let picture = &ended.picture;
    let held: usize = picture.strategies.iter().map(|it| it.positions.len()).sum();
    if flatten && held > 0 && !ui.json {
        // Less than a venue takes, what strategies hold against each other, and what the market did not take in time.
        ui.note(format!("{held} positions could not be closed; tse status shows them"));
    }
    if ui.json {
        let data = serde_json::to_value(&**picture).expect("a picture is plain data");
        ui.success("tse.run/1", &Diagnostics::new(), &data);
    } else {
        ui.print(show::line(picture));
        let why = if ended.data_ended { "its data has ended" } else { "it was asked to" };
        ui.note(format!("ended in order: {why}; {} orders are open", picture.orders_open));
        for order in &picture.orders {
            ui.note(format!(
                "  {} {} {} {} is {}: it is asked for when the engine goes on",
                order.id, order.side, order.size, order.symbol, order.life
            ));
        }
        ui.note(format!("next: tse journal verify {}", home.folder().display()));
    }
    Ok(0)
}

/// Opens the engine of a config.
fn begin(
    config: &Config,
    home: &Home,
    durability: Durability,
    registry: &Registry,
    timings: &Timings,
) -> Result<Opened, Diagnostics> {
    let setup = config.resolved();
    let data = data_of(config)?;
    let strategies = config.strategies.iter().map(|plan| plan.name.clone()).collect();
    let names = Names { catalog: config.catalog.clone(), strategies, base: config.base };
    let name = home.folder().display().to_string();
    let build = |text: &str| {
        let timed = |at, strategy| timings.around(at, strategy);
        config::load_engine_with(&name, text, registry, timed).map_err(|found| {
            found.sorted().iter().map(|it| it.title.clone()).collect::<Vec<_>>().join("; ")
        })
    };
    let plan = Plan {
        scenario: config.scenario()?,
        setup: &setup,
        data: &data,
        build: &build,
        durability,
        names,
    };
    open(home, plan).map_err(|error| not_begun(error, home, &setup))
}

/// What tells the data of a config from other data: its files, and the hashes of all that is in them.
fn data_of(config: &Config) -> Result<String, Diagnostics> {
    let mut text = String::new();
    for (name, path) in config.files() {
        let hash = crate::run::hash_of(&path)?;
        let _ = writeln!(text, "{name} sha256 {hash}");
    }
    Ok(text)
}

fn headline(config: &Config, home: &Home, args: &Run, epoch: u16, inputs: u64) -> String {
    let goes_on = match epoch {
        0 | 1 => "begins".to_owned(),
        _ => format!(
            "goes on, epoch {epoch}, {} inputs replayed",
            crate::run::numbers::count(inputs)
        ),
    };
    let armed = match args.arm {
        true => format!("armed by {} once accounts agree", who(args.by.as_deref())),
        false => format!("disarmed: nothing is sent until  tse resume {}", config.name),
    };
    format!(
        "tse {} · run · paper · {} · {goes_on} · {} x · {} · no real orders\n{armed}",
        env!("CARGO_PKG_VERSION"),
        config.name,
        args.speed,
        home.folder().display(),
    )
}

/// A line a second, and alerts as they come. It reads pictures, and holds nobody up.
fn print_lines(gallery: &Gallery, over: &AtomicBool) {
    let mut said = 0;
    let mut next = std::time::Instant::now() + LINE_EVERY;
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(EVERY);
        let Some(picture) = gallery.newest() else { continue };
        for line in picture.alerts.iter().filter(|line| line.number > said) {
            show::alert(line);
        }
        if let Some(last) = picture.alerts.last() {
            said = last.number;
        }
        if std::time::Instant::now() >= next {
            next = std::time::Instant::now() + LINE_EVERY;
            show::print(&show::line(&picture));
        }
    }
}

/// Who this is: as they say, or as they are logged in.
fn who(said: Option<&str>) -> String {
    let named = said.map(str::to_owned).filter(|name| !name.trim().is_empty());
    let logged = || ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    named.or_else(logged).unwrap_or_else(|| "somebody here".to_owned())
}

fn wrong(given: &str, fix: &str) -> Diagnostic {
    Diagnostic::error(codes::BAD_ARGUMENT, format!("`{given}` makes no sense here"))
        .at(At::Place("the command line".to_owned()), "")
        .fix(fix)
}

fn unreachable(home: &Home, error: &std::io::Error) -> Diagnostics {
    let what = format!("cannot listen on {}: {error}", home.socket().display());
    Diagnostic::error(codes::NOT_BEGUN, what).fix("check the folder and its permissions").into()
}

/// Why an engine did not begin.
fn not_begun(error: OpenError, home: &Home, setup: &str) -> Diagnostics {
    let place = || At::Place(home.folder().display().to_string());
    let folder = home.folder().display();
    match error {
        OpenError::Running(_) => {
            Diagnostic::error(codes::ENGINE_RUNS, format!("an engine runs in {folder} already"))
                .at(place(), "")
                .fix(format!("tse status {}", home.name()))
                .into()
        }
        OpenError::OtherConfig { recorded } => Diagnostic::error(
            codes::OTHER_CONFIG,
            "the engine there was set up with another config",
        )
        .at(place(), "")
        .why(differences(&recorded, setup))
        .fix("give the run another name or --state another folder, or move this one away")
        .into(),
        OpenError::OtherData { recorded } => {
            Diagnostic::error(codes::OTHER_CONFIG, "the venues there saw other data")
                .at(place(), "")
                .why(format!("they saw {}", recorded.trim().replace('\n', ", ")))
                .fix("put the data back, or give the run another name")
                .into()
        }
        OpenError::Engine(EngineError::Journal(error))
        | OpenError::Paper(PaperError::Journal(error)) => {
            verbs::journal::finding(&error, &home.journal()).into()
        }
        OpenError::Paper(PaperError::Venues(error)) => {
            verbs::journal::finding(&error, &home.venues()).into()
        }
        OpenError::Paper(PaperError::Source(fault)) => Diagnostics::from(*fault),
        OpenError::Half(..) => Diagnostic::error(codes::OTHER_CONFIG, error.to_string())
            .at(place(), "")
            .fix("put it back; without it nobody knows what is open there")
            .into(),
        error => Diagnostic::error(codes::NOT_BEGUN, error.to_string())
            .at(place(), "")
            .fix("give --state another folder, or mend this one")
            .into(),
    }
}

/// The system does not keep the thread where it should be.
fn not_pinned(core: usize, error: &std::io::Error) -> Diagnostics {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    wrong(&format!("--core {core}"), &format!("--core 0 to {}; {error}", cores - 1)).into()
}

/// The first lines in which two configs differ.
fn differences(recorded: &str, wanted: &str) -> String {
    let (before, now): (Vec<_>, Vec<_>) = (recorded.lines().collect(), wanted.lines().collect());
    let gone = before.iter().filter(|line| !now.contains(line)).take(3).map(|it| format!("-{it}"));
    let new = now.iter().filter(|line| !before.contains(line)).take(3).map(|it| format!("+{it}"));
    let all: Vec<_> = gone.chain(new).collect();
    match all.is_empty() {
        true => "the same lines in another order".to_owned(),
        false => all.join("; "),
    }
}

/// Why an engine ended that was not asked to.
fn stopped(error: &NodeError, home: &Home) -> Diagnostics {
    match error {
        PaperError::Journal(error) => verbs::journal::finding(error, &home.journal()).into(),
        PaperError::Venues(error) => verbs::journal::finding(error, &home.venues()).into(),
        PaperError::Source(fault) => Diagnostics::from((**fault).clone()),
        other => Diagnostic::error(codes::BUG, other.to_string())
            .fix("report it with the config and the folder")
            .into(),
    }
}

/// The engines that run in a folder, in a line each.
pub(crate) fn running(state: &std::path::Path) -> Vec<String> {
    let status = |home: Home| ask(&home, &Demand::Status).ok()?.picture.map(|it| (home, it));
    let lines = Home::all_in(state).into_iter().filter_map(status);
    lines.map(|(home, picture)| format!("{} {}", home.name(), show::line(&picture))).collect()
}
