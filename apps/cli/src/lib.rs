//! The `tse` command as a library.
//!
//! A program with strategies of its own registers them and calls [`main`]: it then has every verb of
//! `tse`, and its strategies beside those that come with the engine.
//!
//! ```no_run
//! let mut registry = tse_strategy::Registry::shipped();
//! // registry.add(my_strategy::KIND);
//! std::process::exit(tse_cli::run(std::env::args_os(), &registry).into());
//! ```
//!
//! Here the command line is read and a verb chosen; what verbs do is in [`verbs`], in `run`, `report`
//! and `demo`. What is wrong with anything the user wrote is found by [`config`] and said by
//! [`diagnose`].

pub mod args;
pub mod config;
mod demo;
pub mod diagnose;
mod live;
mod report;
mod rows;
mod run;
pub mod ui;
pub mod verbs;

use args::{Args, Parsed, Verb};
use diagnose::{Diagnostics, panic};
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use tse_strategy::Registry;
use ui::Ui;

/// The whole program: reads this process's arguments, does what they say, and gives the exit code.
pub fn main(registry: Registry) -> ExitCode {
    if std::env::var_os(tse_server::ENDS_WITH_PARENT).is_some() {
        // Begun by a service, for somebody who asked it: without it nobody waits for what comes of it. Where the system
        // cannot do that, it goes on to its end.
        let _ =
            rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    }
    ExitCode::from(run(std::env::args_os(), &registry))
}

/// The same for any arguments, the first being the program's name. A bug becomes a report and 70.
pub fn run(words: impl IntoIterator<Item = OsString>, registry: &Registry) -> u8 {
    panic::install();
    let words: Vec<_> = words.into_iter().collect();
    let mut ui = Ui::default();
    let result = catch_unwind(AssertUnwindSafe(|| dispatch(&words, registry, &mut ui)));
    let found = match result {
        Ok(Ok(code)) => return code,
        Ok(Err(found)) => found,
        Err(_) => Diagnostics::from(panic::finding()),
    };
    ui.fail(&found);
    found.exit()
}

/// Reads the command line and does what it says; `ui` becomes what the line asks for.
fn dispatch(words: &[OsString], registry: &Registry, ui: &mut Ui) -> Result<u8, Diagnostics> {
    let args = match args::parse(words) {
        Parsed::Do(args) => *args,
        Parsed::Help(text) => {
            ui.print(text.trim_end());
            return Ok(0);
        }
        Parsed::Wrong(found, wanted) => {
            *ui = wanted;
            return Err((*found).into());
        }
    };
    *ui = Ui::new(args.global.into());
    let Args { verb, .. } = args;
    let ui = &*ui;
    match verb {
        None => verbs::alone(ui),
        Some(Verb::Check(args)) => verbs::check::check(&args, registry, ui),
        Some(Verb::Data(args)) => verbs::data::data(&args, registry, ui),
        Some(Verb::Strategies(args)) => verbs::strategies::strategies(&args, registry, ui),
        Some(Verb::Explain(args)) => verbs::explain::explain(&args, ui),
        Some(Verb::Schema(args)) => verbs::schema(&args, registry, ui),
        Some(Verb::Init(args)) => verbs::init::init(&args, ui),
        Some(Verb::Version) => verbs::version(ui),
        Some(Verb::Completions(args)) => verbs::completions(&args, ui),
        Some(Verb::Backtest(args)) => verbs::trade::backtest(&args, registry, ui),
        Some(Verb::Run(args)) => live::run(&args, registry, ui),
        Some(Verb::Status(args)) => live::status(&args, ui),
        Some(Verb::Kill(args)) => live::kill(&args, ui),
        Some(Verb::Resume(args)) => live::resume(&args, ui),
        Some(Verb::Limit(args)) => live::limit(&args, ui),
        Some(Verb::Logs(args)) => live::logs(&args, ui),
        Some(Verb::Validate(args)) => live::validate(&args, ui),
        Some(Verb::Token(args)) => live::token(&args, ui),
        Some(Verb::Store(args)) => live::store(&args, registry, ui),
        Some(Verb::Migrate(args)) => live::migrate(&args, ui),
        Some(Verb::Journal(args)) => verbs::journal::journal(&args, registry, ui),
        Some(Verb::Replay(args)) => verbs::journal::replay(&args, registry, ui),
        Some(Verb::Why(args)) => verbs::why::why(&args, registry, ui),
        Some(Verb::Stats(args)) => verbs::stats::stats(&args, registry, ui),
        Some(Verb::Report(args)) => verbs::trade::report(&args, ui),
        Some(Verb::Demo(args)) => verbs::trade::demo(&args, registry, ui),
    }
}
