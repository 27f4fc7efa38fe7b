//! `tse stats RUN|CURVE.csv`: the statistics of a finished run, worked out again from its files, or of any equity
//! curve.
//!
//! A curve is a CSV with a header: `ts` and `equity`, and `flow` for money that came in (below zero: went out) at
//! that point, which `equity` holds already. What each figure means is said in `docs/statistics.md`.

use crate::args::Stats;
use crate::config;
use crate::diagnose::render::Paint;
use crate::diagnose::{At, Diagnostic, Diagnostics, codes, did_you_mean};
use crate::run::again::{Again, again};
use crate::run::performance::CurveFigures;
use crate::run::read_out::{of_curve, of_run as lines_of};
use crate::run::{self, Failure, summary::Summary};
use crate::ui::Ui;
use std::path::Path;
use tse_model::{Decimal, Money, Timestamp};
use tse_portfolio::statistics::{Basis, Days, EquityCurve};
use tse_strategy::Registry;

/// The name and version of what `--json` prints.
const SCHEMA: &str = "tse.stats/1";
/// Decimals that amounts of a curve may have.
const SCALE: u8 = 12;

/// Tells the statistics of a run or of a curve.
pub(crate) fn stats(args: &Stats, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let path = Path::new(&args.what);
    let is_csv = path.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
    if is_csv {
        let figures = CurveFigures::of(&curve(path, basis(args)?)?, SCALE);
        let object = serde_json::to_value(&figures).expect("figures are plain data");
        tell(&object, &of_curve(&figures), ui);
        return Ok(0);
    }
    if args.days.is_some()
        || args.days_per_year.is_some()
        || args.risk_free.is_some()
        || args.minimum_return.is_some()
    {
        let what = "a run is measured by what its own config says";
        return Err(Diagnostic::error(codes::BAD_ARGUMENT, what)
            .fix("leave the option away, or run the backtest again with --set run.risk_free=…")
            .into());
    }
    let found = of_run(args, registry)?;
    let object = serde_json::to_value(&found).expect("figures are plain data");
    let mut lines = lines_of(&found.all);
    for named in &found.strategies {
        lines.push((String::new(), String::new()));
        lines.push((named.name.clone(), String::new()));
        lines.extend(lines_of(&named.performance));
    }
    tell(&object, &lines, ui);
    Ok(0)
}

fn tell(object: &serde_json::Value, lines: &[(String, String)], ui: &Ui) {
    if ui.json {
        ui.success(SCHEMA, &Diagnostics::new(), object);
        return;
    }
    for (name, value) in lines {
        let line = match value.is_empty() {
            true => ui.out.paint(Paint::Bold, name),
            false => format!("{name:<18} {value}"),
        };
        ui.print(line);
    }
}

fn of_run(args: &Stats, registry: &Registry) -> Result<Again, Diagnostics> {
    let folder = run::find(&args.runs, &args.what, "tse stats")?;
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).map_err(|source| Failure::io(run::READ, &path, source))
    };
    let stats: serde_json::Value = serde_json::from_str(&read("stats.json")?)
        .map_err(|error| not_a_result(&folder, &error.to_string()))?;
    let summary: Summary = serde_json::from_value(stats["data"].clone())
        .map_err(|error| not_a_result(&folder, &error.to_string()))?;
    let name = folder.join("run.toml").display().to_string();
    let config = config::load_recorded(&name, &read("run.toml")?, registry)?;
    Ok(again(&folder, &config, &summary)?)
}

fn not_a_result(folder: &Path, what: &str) -> Diagnostic {
    let path = folder.join("stats.json");
    Diagnostic::error(codes::NOTHING_CALLED, format!("{} is not a result: {what}", path.display()))
        .fix("run the backtest again")
}

fn basis(args: &Stats) -> Result<Basis, Diagnostics> {
    let share = |flag: &str, text: &Option<String>| match text {
        None => Ok(0.0),
        Some(text) => text.parse().map(run::float).map_err(|_| {
            Diagnostic::error(codes::BAD_ARGUMENT, format!("`{flag}` cannot be `{text}`"))
                .fix(format!("a share a year, such as {flag} 0.03"))
        }),
    };
    let days = match args.days {
        Some(crate::args::DaysArg::Weekdays) => Days::Weekdays,
        _ => Days::All,
    };
    let usual = if days == Days::All { 365 } else { 252 };
    Ok(Basis {
        risk_free: share("--risk-free", &args.risk_free)?,
        minimum_return: share("--minimum-return", &args.minimum_return)?,
        ..Basis::plain(days, f64::from(args.days_per_year.unwrap_or(usual)))
    })
}

/// Reads a curve.
fn curve(path: &Path, basis: Basis) -> Result<EquityCurve, Diagnostics> {
    let name = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|source| Failure::io(run::READ, path, source))?;
    let mut rows = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(file);
    let bad = |line: u64, what: String, fix: &str| {
        let at = if line == 0 { name.clone() } else { format!("{name}:{line}") };
        Diagnostics::from(
            Diagnostic::error(codes::BAD_CURVE, what).at(At::Place(at), "").fix(fix.to_owned()),
        )
    };
    const HEADER: &str = "the first line is `ts,equity` or `ts,equity,flow`";
    let header = rows.headers().map_err(|error| bad(1, error.to_string(), HEADER))?.clone();
    let known = ["ts", "equity", "flow"];
    if let Some(odd) = header.iter().find(|column| !known.contains(column)) {
        let near = did_you_mean(odd, known).map(|name| format!("did you mean `{name}`?"));
        let what = format!("`{odd}` is no column of a curve");
        return Err(bad(1, what, near.as_deref().unwrap_or(HEADER)));
    }
    let column = |wanted: &str| header.iter().position(|column| column == wanted);
    let needed = |wanted: &str| {
        column(wanted).ok_or_else(|| bad(1, format!("there is no column `{wanted}`"), HEADER))
    };
    let (ts, equity, flow) = (needed("ts")?, needed("equity")?, column("flow"));
    let mut curve = EquityCurve::new(basis);
    let mut last: Option<Timestamp> = None;
    for row in rows.records() {
        let row = row.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            bad(line, error.to_string(), "a line has as many fields as the first")
        })?;
        let line = row.position().map_or(0, csv::Position::line);
        let text = |at: usize| row.get(at).unwrap_or_default();
        let now = moment(text(ts)).ok_or_else(|| {
            let fix = "nanoseconds since 1970 in UTC, 2024-08-08T12:00:00Z, or 2024-08-08";
            bad(line, format!("`{}` is no moment", text(ts)), fix)
        })?;
        if last.is_some_and(|last| now < last) {
            let what = format!("`{}` is before the line above", text(ts));
            return Err(bad(line, what, "points come in order of time"));
        }
        last = Some(now);
        let money = |at: usize| {
            amount(text(at)).ok_or_else(|| {
                let what = format!("`{}` is no amount", text(at));
                bad(line, what, "a decimal with at most 12 decimals, such as 10000.50")
            })
        };
        let worth = money(equity)?;
        match flow.filter(|at| !text(*at).is_empty()) {
            Some(at) => curve.observe_flow(now, worth, money(at)?),
            None => curve.observe(now, worth),
        }
    }
    if last.is_none() {
        return Err(bad(
            0,
            "the curve has no points".to_owned(),
            "a line for each point, below `ts,equity`",
        ));
    }
    Ok(curve)
}

fn moment(text: &str) -> Option<Timestamp> {
    match text.parse::<i64>() {
        Ok(nanos) => Some(Timestamp::from_nanos(nanos)),
        Err(_) => config::moment(text),
    }
}

fn amount(text: &str) -> Option<Money> {
    Money::exact(text.parse::<Decimal>().ok()?, SCALE)
}
