//! The verbs that trade: `backtest`, `report`, `demo`. They are at home in `run`, `report` and
//! `demo`; here a checked config is handed over.

use super::load;
use crate::args::{Backtest, Demo, Report};
use crate::demo::Options;
use crate::diagnose::Diagnostics;
use crate::run::{self, Ready};
use crate::ui::Ui;
use tse_strategy::Registry;

/// `tse backtest CONFIG`.
pub(crate) fn backtest(args: &Backtest, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let mut config = load(&args.config, registry)?;
    let mut scenario = config.scenario()?;
    scenario.audit = args.audit;
    let ready = Ready {
        name: config.name.clone(),
        scenario,
        strategies: config.strategies.iter().map(|plan| plan.name.clone()).collect(),
        resolved: config.resolved(),
        inputs: config.files(),
        warnings: std::mem::take(&mut config.warnings),
    };
    let options = run::Options { runs: (!args.no_save).then(|| args.runs.clone()) };
    Ok(run::backtest(ready, &options, ui))
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
