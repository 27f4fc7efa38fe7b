//! `tse check CONFIG`: everything that can be known about a run without running it.

use super::load;
use crate::args::Check;
use crate::config::{Config, Sourced, show_span};
use crate::diagnose::{Diagnostics, Level};
use crate::ui::Ui;
use serde_json::{Value, json};
use tse_strategy::Registry;

/// Checks a config, and that every data file begins as it should.
pub(crate) fn check(args: &Check, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let mut config = load(&args.config, registry)?;
    let mut found = std::mem::take(&mut config.warnings);
    begin(&config, &mut found);
    if found.has_errors() {
        return Err(found);
    }
    if ui.json {
        ui.success("tse.check/1", &found, &data(&config, args.resolved));
        return Ok(0);
    }
    if args.resolved {
        ui.print(config.resolved_with_origins().trim_end());
        ui.warn(&found);
        return Ok(0);
    }
    ui.warn(&found);
    ui.print(summary(&config));
    let warnings = match found.of(Level::Warning).len() {
        0 => "no warnings".to_owned(),
        1 => "1 warning".to_owned(),
        n => format!("{n} warnings"),
    };
    ui.print(format!("ok · {warnings} · next: tse backtest {}", args.config.path().display()));
    Ok(0)
}

/// Opens every source and reads its first events: wrong columns show at once.
fn begin(config: &Config, found: &mut Diagnostics) {
    let mut batch = Vec::new();
    for plan in &config.sources {
        batch.clear();
        let read = plan.open(&config.catalog, config.seed);
        if let Err(fault) = read.and_then(|mut source| source.read(&mut batch)) {
            found.push(plan.finding(fault));
        }
    }
}

fn symbols(config: &Config, ids: &[tse_model::InstrumentId]) -> Vec<String> {
    ids.iter().map(|id| config.catalog.instrument(*id).symbol.to_string()).collect()
}

/// What would be run, in a few lines.
pub(crate) fn summary(config: &Config) -> String {
    let catalog = &config.catalog;
    let base = &catalog.currency(config.base).code;
    let names = |all: &mut dyn Iterator<Item = String>| all.collect::<Vec<_>>().join(" ");
    let venues = names(&mut catalog.venues().iter().map(|venue| venue.name.clone()));
    let instruments = names(&mut catalog.instruments().iter().map(|it| it.symbol.to_string()));
    let mut lines = vec![
        format!("run          {} · seed {} · counted in {base}", config.name, config.seed),
        format!("venues       {venues}"),
        format!("instruments  {instruments}"),
    ];
    for plan in &config.sources {
        let more = match plan.files.len() {
            0 | 1 => String::new(),
            n => format!(" and {} more", n - 1),
        };
        let what = match &plan.from {
            Sourced::Files(_) => format!("{}{more}", plan.name()),
            Sourced::Synthetic(spec) => {
                let symbol = &catalog.instrument(spec.instrument).symbol;
                format!("synthetic market of {symbol}, {}", show_span(spec.length))
            }
        };
        lines.push(format!("data         {what}"));
    }
    for plan in &config.strategies {
        let traded = symbols(config, &plan.instruments).join(" ");
        lines.push(format!("strategy     {} ({}) on {traded}", plan.name, plan.kind.name));
    }
    lines.join("\n")
}

fn data(config: &Config, resolved: bool) -> Value {
    let strategies: Vec<_> = config
        .strategies
        .iter()
        .map(|plan| {
            json!({
                "name": plan.name,
                "type": plan.kind.name,
                "instruments": symbols(config, &plan.instruments),
            })
        })
        .collect();
    let files: Vec<_> = config
        .files()
        .into_iter()
        .map(|(name, path)| json!({ "name": name, "path": path }))
        .collect();
    let mut data = json!({
        "name": config.name,
        "seed": config.seed.to_string(),
        "base": config.catalog.currency(config.base).code,
        "instruments": config.catalog.instruments().iter().map(|it| it.symbol.to_string()).collect::<Vec<_>>(),
        "strategies": strategies,
        "files": files,
    });
    if resolved {
        data["resolved"] = config.resolved_with_origins().into();
    }
    data
}
