//! `tse data check` and `tse data ls`: what is in the data of a config, and what is wrong with it.

use super::load;
use crate::args::{ConfigArgs, Data, DataVerb};
use crate::config::{Config, SourcePlan, Sourced};
use crate::diagnose::{Diagnostic, Diagnostics};
use crate::run::numbers::count;
use crate::ui::Ui;
use serde_json::{Map, Value, json};
use tse_data::{Counts, InstrumentReport, Report};
use tse_model::{Catalog, Timestamp};
use tse_strategy::Registry;

/// `tse data ...`.
pub(crate) fn data(args: &Data, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    match &args.verb {
        DataVerb::Check(args) => check(args, registry, ui),
        DataVerb::Ls(args) => ls(args, registry, ui),
    }
}

fn ls(args: &ConfigArgs, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let config = load(args, registry)?;
    let mut rows = Vec::new();
    for plan in &config.sources {
        for (name, path) in &plan.files {
            let bytes = std::fs::metadata(path).map(|data| data.len()).ok();
            rows.push((what(plan), name.clone(), bytes, path.clone()));
        }
        if let Sourced::Synthetic(spec) = &plan.from {
            let symbol = config.catalog.instrument(spec.instrument).symbol.to_string();
            rows.push((what(plan), symbol, None, std::path::PathBuf::new()));
        }
    }
    if ui.json {
        let files: Value = rows
            .iter()
            .map(|(format, name, bytes, path)| {
                json!({ "format": format, "name": name, "bytes": bytes, "path": path })
            })
            .collect();
        ui.success("tse.data.ls/1", &Diagnostics::new(), &json!({ "files": files }));
        return Ok(0);
    }
    let width = rows.iter().map(|(format, ..)| format.len()).max().unwrap_or_default();
    for (format, name, bytes, _) in &rows {
        let bytes = bytes.map_or_else(|| "-".to_owned(), count);
        ui.print(format!("{format:<width$}  {bytes:>15}  {name}"));
    }
    ui.note(format!("next: tse data check {}", args.path().display()));
    Ok(0)
}

/// The format of a source, as the config calls it.
fn what(plan: &SourcePlan) -> &'static str {
    use tse_data::Format;
    match &plan.from {
        Sourced::Synthetic(_) => "synthetic",
        Sourced::Files(spec) => match spec.format {
            Format::Csv(_) => "csv",
            Format::Parquet(_) => "parquet",
            Format::BidAskBars(_) => "bid_ask_bars",
            Format::BinanceRaw(_) => "binance",
            Format::Lean(_) => "lean",
            Format::Databento(_) => "dbn",
            Format::Cryptofeed(_) => "cryptofeed",
        },
    }
}

fn check(args: &ConfigArgs, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let config = load(args, registry)?;
    let mut found = Diagnostics::new();
    let mut sources = Vec::new();
    for plan in &config.sources {
        // What a seed makes has nothing to check.
        let Sourced::Files(spec) = &plan.from else { continue };
        let report = tse_data::check(spec, &config.catalog);
        let total = report.problems_total;
        for fault in &report.problems {
            found.push(Diagnostic::from(fault.clone()));
        }
        if ui.json {
            sources.push(object(plan, &report, &config.catalog));
        } else {
            show(plan, &report, &config, ui);
            if total > report.problems.len() as u64 {
                ui.note(format!("{} problems, of which the first are shown", count(total)));
            }
        }
    }
    if found.has_errors() {
        return Err(found);
    }
    if ui.json {
        ui.success("tse.data.check/1", &found, &json!({ "sources": sources }));
    } else {
        ui.print(format!("ok · next: tse backtest {}", args.path().display()));
    }
    Ok(0)
}

fn show(plan: &SourcePlan, report: &Report, config: &Config, ui: &Ui) {
    ui.print(format!("{} ({})", plan.name(), what(plan)));
    let range = match (report.first, report.last) {
        (Some(first), Some(last)) => format!("{first} to {last}"),
        _ => "no events".to_owned(),
    };
    ui.print(format!("  {range}"));
    let (read, left_out) = counted(&report.counts);
    let words = |all: &[(&str, u64)]| {
        let all = all.iter().filter(|(_, n)| *n > 0);
        all.map(|(name, n)| format!("{} {name}", count(*n))).collect::<Vec<_>>().join(" · ")
    };
    ui.print(format!("  {}", words(&read)));
    let left_out = words(&left_out);
    if !left_out.is_empty() {
        ui.print(format!("  left out or changed: {left_out}"));
    }
    for it in &report.instruments {
        ui.print(format!("  {}", line(it, config)));
    }
}

fn line(report: &InstrumentReport, config: &Config) -> String {
    let definition = config.catalog.instrument(report.instrument);
    let mut line = format!("{}  {} events", definition.symbol, count(report.events));
    if let Some((low, high)) = report.prices {
        let (low, high) = (definition.price_decimal(low), definition.price_decimal(high));
        line.push_str(&format!(" · {low} to {high}"));
    }
    if let Some(spread) = report.spread {
        line.push_str(&format!(" · spread {} ticks, at most {}", spread.median, spread.max));
    }
    if report.gaps > 0 {
        line.push_str(&format!(" · {} gaps", count(report.gaps)));
    }
    line
}

/// Counts with their names.
type Named<const N: usize> = [(&'static str, u64); N];

/// What was read, and what was left out or changed on the way.
fn counted(counts: &Counts) -> (Named<9>, Named<14>) {
    (
        [
            ("rows", counts.rows),
            ("quotes", counts.quotes),
            ("trades", counts.trades),
            ("depth", counts.depth),
            ("orders", counts.orders),
            ("bars", counts.bars),
            ("funding", counts.funding),
            ("marks", counts.marks),
            ("status", counts.status),
        ],
        [
            ("gaps", counts.gaps),
            ("crossed", counts.crossed),
            ("off grid", counts.off_grid),
            ("rounded", counts.rounded),
            ("zero size", counts.zero_size),
            ("other symbols", counts.other_symbols),
            ("other exchanges", counts.other_exchanges),
            ("suspicious", counts.suspicious),
            ("not market", counts.not_market),
            ("before snapshot", counts.before_snapshot),
            ("unmatched", counts.unmatched),
            ("late", counts.late),
            ("out of range", counts.out_of_range),
            ("wrong checksums", counts.checksums_wrong),
        ],
    )
}

fn object(plan: &SourcePlan, report: &Report, catalog: &Catalog) -> Value {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
    let (read, left_out) = counted(&report.counts);
    let numbers = |all: &[(&str, u64)]| -> Map<String, Value> {
        all.iter().map(|(name, n)| (name.replace(' ', "_"), (*n).into())).collect()
    };
    let instruments: Value = report
        .instruments
        .iter()
        .map(|it| {
            json!({
                "symbol": catalog.instrument(it.instrument).symbol.to_string(),
                "events": it.events,
                "first": it.first.to_string(),
                "last": it.last.to_string(),
                "crossed_books": it.crossed_books,
                "gaps": it.gaps,
            })
        })
        .collect();
    json!({
        "name": plan.name(),
        "format": what(plan),
        "first": time(report.first),
        "last": time(report.last),
        "read": numbers(&read),
        "left_out": numbers(&left_out),
        "instruments": instruments,
    })
}
