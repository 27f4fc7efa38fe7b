//! The verbs that trade: `backtest`, `report`, `demo`. They are at home in `run`, `report` and
//! `demo`; here a checked config is handed over.

use super::load;
use crate::args::{Backtest, Demo, Durable, Report};
use crate::config::Config;
use crate::demo::Options;
use crate::diagnose::{At, Diagnostic, Diagnostics, codes};
use crate::run::{self, Ready};
use crate::ui::Ui;
use serde_json::json;
use tse_journal::Durability;
use tse_strategy::Registry;

/// `tse backtest CONFIG`.
pub(crate) fn backtest(args: &Backtest, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let mut config = load(&args.config, registry)?;
    let mut scenario = config.scenario()?;
    scenario.audit = args.audit;
    if scenario.live.is_some() {
        let what = "a backtest of a config whose mode is paper would send nothing";
        return Err(Diagnostic::error(codes::WRONG_MODE, what)
            .at(At::Place(args.config.path().display().to_string()), "")
            .fix("take `mode` out of [run]: tse run says it by itself")
            .into());
    }
    if args.dry_run {
        return Ok(plan(args, &config, ui));
    }
    let ready = Ready {
        name: config.name.clone(),
        scenario,
        strategies: config.strategies.iter().map(|plan| plan.name.clone()).collect(),
        resolved: config.resolved(),
        inputs: config.files(),
        warnings: std::mem::take(&mut config.warnings),
    };
    let durability = match args.durability {
        Durable::None => Durability::None,
        Durable::Process => Durability::Process,
        Durable::Power => Durability::Power,
    };
    let options = run::Options {
        runs: (!args.no_save).then(|| args.runs.clone()),
        journal: args.journal.then_some(durability),
    };
    Ok(run::backtest(ready, &options, ui))
}

/// What `tse backtest` would do.
fn plan(args: &Backtest, config: &Config, ui: &Ui) -> u8 {
    let keep = (!args.no_save).then_some(&args.runs);
    if ui.json {
        let files: Vec<_> = config.files().into_iter().map(|(name, _)| name).collect();
        let data = json!({ "name": config.name, "runs": keep, "files": files });
        ui.success("tse.backtest.plan/1", &config.warnings, &data);
        return 0;
    }
    ui.warn(&config.warnings);
    ui.print(super::check::summary(config));
    ui.print(match keep {
        Some(runs) => format!("writes       a new folder in {}", runs.display()),
        None => "writes       nothing".to_owned(),
    });
    ui.print("dry run: nothing was done");
    0
}

/// `tse report [RUN]`.
pub(crate) fn report(args: &Report, ui: &Ui) -> Result<u8, Diagnostics> {
    Ok(crate::report::report(&args.runs, &args.run, args.open, ui))
}

/// `tse demo`.
pub(crate) fn demo(args: &Demo, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let &Demo { seconds, speed, seed, plain } = args;
    crate::demo::demo(&Options { seconds, speed, seed, plain }, registry, ui)
}
