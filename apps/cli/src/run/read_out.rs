//! Statistics as people read them: in `tse stats` and in the report.

use super::numbers;
use super::performance::{CurveFigures, Performance};

/// A figure for people.
fn number(value: Option<f64>) -> String {
    value.map_or("n/a".to_owned(), |value| format!("{value:.2}"))
}

fn percent(value: Option<f64>) -> String {
    value.map_or("n/a".to_owned(), numbers::signed_percent)
}

fn span(text: &Option<String>) -> String {
    let nanos = text.as_deref().and_then(|text| text.parse::<f64>().ok());
    nanos.map_or("n/a".to_owned(), |nanos| numbers::days(nanos / 86_400e9))
}

/// What a curve says, line by line: what it is called, and the figure.
pub(crate) fn of_curve(figures: &CurveFigures) -> Vec<(String, String)> {
    let line = |name: &str, value: String| (name.to_owned(), value);
    let band = match (figures.sharpe_low, figures.sharpe_high) {
        (Some(low), Some(high)) => format!("  [{low:.2}, {high:.2}]"),
        _ => String::new(),
    };
    let fall = match figures.recovered {
        Some(true) => format!(", {} until it was back", span(&figures.drawdown_ns)),
        Some(false) => format!(", {} and not recovered", span(&figures.drawdown_ns)),
        None => String::new(),
    };
    let drawdown = figures.max_drawdown.map_or("n/a".to_owned(), numbers::percent);
    let mut lines = vec![
        line("Return", percent(figures.total_return)),
        line("CAGR", percent(figures.cagr)),
        line("Volatility", figures.volatility.map_or("n/a".to_owned(), numbers::percent)),
        line(
            "Sharpe",
            format!("{}{band}  daily, x sqrt {:.0}", number(figures.sharpe), figures.days_per_year),
        ),
        line("Sortino", number(figures.sortino)),
        line("Calmar", number(figures.calmar)),
        line("Max drawdown", format!("{drawdown}{fall}")),
        line("Longest below peak", span(&figures.underwater_ns)),
        line("Daily returns", figures.daily_returns.to_string()),
        line(
            "Mean equity",
            figures.mean_equity.as_deref().map_or("n/a".to_owned(), numbers::amount),
        ),
    ];
    if let Some(risk) = &figures.risk {
        let shares = [risk.var_95, risk.var_99, risk.es_95, risk.es_99].map(numbers::percent);
        let [var_95, var_99, es_95, es_99] = shares;
        lines.push(line(
            "One bad day",
            format!(
                "95 %: {var_95}, beyond that {es_95} · 99 %: {var_99}, beyond that {es_99} ({}, {} days)",
                risk.method, risk.samples
            ),
        ));
    }
    lines
}

/// What a run says, or a strategy of one.
pub(crate) fn of_run(of: &Performance) -> Vec<(String, String)> {
    let mut lines = of_curve(&of.curve);
    let mut line = |name: &str, value: String| lines.push((name.to_owned(), value));
    let share = |value: Option<f64>| value.map_or("n/a".to_owned(), numbers::percent);
    let money = |text: &Option<String>| text.as_deref().map_or("n/a".to_owned(), numbers::signed);
    line("Time in market", share(of.exposure));
    line("Turnover a day", number(of.turnover_per_day));
    line(
        "Round trips",
        format!(
            "{} · won {} · profit factor {} · average {}",
            of.round_trips,
            share(of.win_rate),
            number(of.profit_factor),
            money(&of.average_trip)
        ),
    );
    line("Fill, maker ratio", format!("{} · {}", share(of.fill_ratio), share(of.maker_ratio)));
    let slippage = of.slippage_bps.map_or("n/a".to_owned(), |bps| format!("{bps:+.2} bp"));
    line("Slippage", slippage);
    let costs = &of.shortfall;
    line(
        "Beside paper",
        format!(
            "{} = delay {} · execution {} · unfilled {} · fees {}",
            money(&costs.total),
            money(&costs.delay),
            money(&costs.execution),
            money(&costs.unfilled),
            money(&costs.fees)
        ),
    );
    let parts = &of.attribution;
    line(
        "From",
        format!(
            "spread {} · inventory {} · fees {} · funding {} · residual {}",
            money(&parts.spread),
            money(&parts.inventory),
            money(&parts.fees),
            money(&parts.funding),
            money(&parts.residual)
        ),
    );
    lines
}
