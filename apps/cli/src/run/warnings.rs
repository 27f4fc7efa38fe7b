//! What a result must not be believed without knowing.

use super::block::DAYS_MIN;
use super::collect::Collector;
use super::inputs::Inputs;
use super::numbers::{count, days};
use super::setting::Setting;
use super::summary::Summary;
use crate::diagnose::{Diagnostic, Diagnostics, codes};

/// Fewer fills than this say little.
const FILLS_MIN: u64 = 100;

/// What a finished run warns of.
pub(crate) fn of(
    summary: &Summary,
    setting: &Setting,
    collector: &Collector,
    inputs: &Inputs,
) -> Diagnostics {
    let mut found = Diagnostics::new();
    if summary.is_interrupted() {
        let end = summary.end.as_deref().unwrap_or("its start");
        found.push(
            Diagnostic::warning(codes::INTERRUPTED, format!("the run was stopped at {end}"))
                .why("everything in the result ends there, not where the data ends"),
        );
    }
    if inputs.files.is_empty() {
        found.push(
            Diagnostic::warning(codes::MADE_UP, "the market is made up from a seed")
                .why("it shows that the engine works, not that a strategy does"),
        );
    }
    if !setting.optimists.is_empty() {
        let symbols = setting.optimists.join(", ");
        found.push(
            Diagnostic::warning(
                codes::OPTIMIST_QUEUE,
                format!("own orders stand in front of every queue: {symbols}"),
            )
            .why("any trade at their price fills them, so the fills are an upper bound")
            .fix("queue = \"power\" or \"log\", and compare with \"back\""),
        );
    }
    if summary.days < DAYS_MIN {
        found.push(
            Diagnostic::warning(
                codes::FEW_DAYS,
                format!("{} of data: figures per year mean little", days(summary.days)),
            )
            .why(match summary.sharpe {
                Some(_) => "the Sharpe ratio is an extrapolation from a few daily returns",
                None => "what is said per year is an extrapolation from a short time",
            }),
        );
    }
    if summary.fills > 0 && summary.fills < FILLS_MIN {
        found.push(
            Diagnostic::warning(
                codes::FEW_FILLS,
                format!("{} fills: chance decides the result", count(summary.fills)),
            )
            .why("with fewer than 100 trades no average is reliable"),
        );
    }
    let gaps: Vec<_> = summary
        .instruments
        .iter()
        .filter(|it| it.gaps > 0)
        .map(|it| format!("{} {}", it.symbol, count(it.gaps)))
        .collect();
    if !gaps.is_empty() {
        found.push(
            Diagnostic::warning(
                codes::DATA_GAPS,
                format!("the data has gaps: {}", gaps.join(", ")),
            )
            .why("from a gap to the next snapshot the book is invalid and nothing is traded on it"),
        );
    }
    if summary.equity_end.is_none() || summary.net_pnl.is_none() {
        found.push(
            Diagnostic::warning(codes::UNVALUED, "the end of the run could not be valued")
                .why("something held has no price, or none that is young enough, in the base currency")
                .fix("add an instrument or a [[rates]] entry that prices it, or raise price_age_max"),
        );
    }
    let alert = |kind: &str| collector.alerts.get(kind).copied().unwrap_or(0);
    if alert("ledger_latched") > 0 {
        found.push(
            Diagnostic::warning(codes::LATCHED, "the ledger latched: an amount passed 128 bits")
                .why("from then on nothing was booked; results after that moment mean nothing"),
        );
    }
    if alert("storm") > 0 {
        found.push(
            Diagnostic::warning(codes::STORM, "a strategy ran in circles and was stopped")
                .why("it answered refusals with the same wishes a thousand times in one moment"),
        );
    }
    found
}

/// No event was seen.
pub(crate) fn no_events() -> Diagnostic {
    Diagnostic::error(codes::NO_EVENTS, "the data has no event within the run")
        .why("the sources are empty, or `start` and `end` leave nothing of them")
        .fix("tse data ls CONFIG shows what the data covers")
}
