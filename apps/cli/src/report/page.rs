//! The report as one page: what it says and in which order (`verdict → assumptions → equity → …`).
//!
//! Everything is in the one file: no script, no font, no picture from elsewhere, so it reads the same
//! in ten years. It holds nothing that depends on when or where it was made.

use super::chart::{Chart, Draw, Layer};
use super::html::{amount, bps, escape, exact, profit, share, table};
use super::tables::{execution, opportunities, parameters, positions, refusals, statistics};
use crate::diagnose::{Diagnostics, Level};
use crate::run::collect::{Collector, Tally};
use crate::run::numbers::{count, days, negated, percent};
use crate::run::summary::Summary;
use crate::run::{DAYS_MIN, Told};
use std::fmt::Write;

/// The most instruments that are drawn.
const DRAWN: usize = 8;

/// A run, as the page needs it.
#[derive(Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) summary: &'a Summary,
    pub(crate) collector: &'a Collector,
    pub(crate) told: &'a Told,
    pub(crate) warnings: &'a Diagnostics,
}

/// The page.
pub(crate) fn page(parts: &Parts<'_>) -> String {
    let summary = parts.summary;
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{} \u{00b7} backtest {}</title>\n<style>\n{}</style></head><body>\n",
        escape(&summary.name),
        short_id(summary),
        include_str!("style.css")
    );
    html.push_str(&head(summary));
    html.push_str(&verdict(summary));
    html.push_str(&assumptions(parts));
    html.push_str(&equity(parts));
    html.push_str(&attribution(summary));
    html.push_str(&markets(parts));
    html.push_str(&statistics(summary));
    html.push_str(&execution(summary));
    html.push_str(&opportunities(parts));
    html.push_str(&positions(summary));
    html.push_str(&refusals(summary));
    html.push_str(&parameters(parts));
    let _ = write!(
        html,
        "<section><h2 id=\"definitions\">Definitions</h2>\n{}</section>\n\
         <footer>tse {} \u{00b7} a simulation: it shows what would have happened under the assumptions \
         above, and no more.</footer>\n</body></html>\n",
        include_str!("definitions.html"),
        escape(&summary.tse_version)
    );
    html
}

fn short_id(summary: &Summary) -> &str {
    summary.run_id.get(..8).unwrap_or(&summary.run_id)
}

fn head(summary: &Summary) -> String {
    let stopped =
        if summary.is_interrupted() { "<span class=\"badge stop\">INTERRUPTED</span>" } else { "" };
    let sensitivity = match &summary.sensitivity {
        Some(what) => format!("<span class=\"badge stop\">SENSITIVITY {}</span>", escape(what)),
        None => String::new(),
    };
    let date = |moment: &Option<String>| match moment {
        Some(moment) => moment.get(..16).unwrap_or(moment).replace('T', " "),
        None => "n/a".to_owned(),
    };
    format!(
        "<header><h1>{}</h1><span class=\"badge\">BACKTEST</span>{stopped}{sensitivity}</header>\n\
         <p class=\"sub\">{} to {} UTC \u{00b7} {} \u{00b7} {} events \u{00b7} run <code>{}</code></p>\n",
        escape(&summary.name),
        date(&summary.start),
        date(&summary.end),
        days(summary.days),
        count(summary.events),
        short_id(summary),
    )
}

fn verdict(summary: &Summary) -> String {
    let base = escape(&summary.base);
    let ratio = summary.net_return.map_or("n/a".to_owned(), |r| {
        format!("{:+.3} %", r * 100.0 + 0.0).replace('-', "\u{2212}")
    });
    let sharpe = match (summary.sharpe, summary.sharpe_low, summary.sharpe_high) {
        (Some(sharpe), Some(low), Some(high)) => {
            // What a few days say of a year stands back.
            let class = if summary.days < DAYS_MIN { "quiet" } else { "" };
            let value = format!("<span class=\"{class}\">{sharpe:.2}</span>");
            (
                value.replace(">-", ">\u{2212}"),
                format!("95 %: {low:.1} to {high:.1}").replace('-', "\u{2212}"),
            )
        }
        _ => ("n/a".to_owned(), format!("daily returns: {}", summary.daily_returns)),
    };
    let fall = summary.drawdown.as_ref().map_or("equity never fell".to_owned(), |fall| {
        let after = if fall.recovered_at.is_some() { "recovered" } else { "not recovered" };
        format!("\u{2212}{} {base}, {after}", amount(Some(&fall.amount)))
    });
    let second = summary.markouts.iter().find(|markout| markout.after == "1s");
    let after = second.map_or("n/a".to_owned(), |m| bps(m.bps, None));
    let band =
        second.and_then(|m| m.band_bps).map_or(String::new(), |b| format!("\u{00b1} {b:.2} "));
    let tiles = [
        (
            "net",
            "Net P&amp;L",
            profit(summary.net_pnl.as_deref()),
            format!("{base} \u{00b7} {ratio}"),
        ),
        ("drawdown", "Max drawdown", summary.max_drawdown.map_or("n/a".to_owned(), percent), fall),
        ("sharpe", "Sharpe", sharpe.0, sharpe.1),
        (
            "fill",
            "Fills",
            count(summary.fills),
            format!(
                "of {} orders \u{00b7} {} by size",
                count(summary.orders),
                share(summary.fill_ratio)
            ),
        ),
        (
            "fill",
            "Maker",
            share(summary.maker_ratio),
            format!("of {} {base}", amount(summary.volume.as_deref())),
        ),
        ("markout", "Markout 1 s", after, format!("{band}bp \u{00b7} positive = good")),
    ];
    let mut html = String::from("<dl class=\"verdict\">");
    for (link, name, value, note) in tiles {
        let _ = write!(
            html,
            "<div><dt><a href=\"#d-{link}\">{name}</a></dt><dd>{value}<small>{note}</small></dd></div>"
        );
    }
    html.push_str("</dl>\n");
    html
}

fn assumptions(parts: &Parts<'_>) -> String {
    let mut html = String::from("<section class=\"warn\"><h2>What this result rests on</h2>");
    let warnings = parts.warnings.of(Level::Warning);
    if warnings.is_empty() {
        html.push_str("<p>No warnings. The assumptions below still decide the result.</p>");
    } else {
        html.push_str("<ul>");
        for warning in warnings {
            let why =
                warning.why.as_deref().map_or(String::new(), |why| format!(" \u{2014} {why}"));
            let _ = write!(
                html,
                "<li><code>{}</code> <strong>{}</strong>{}</li>",
                warning.code,
                escape(&warning.title),
                escape(&why)
            );
        }
        html.push_str("</ul>");
    }
    let _ = write!(
        html,
        "<details open><summary>All {} assumptions</summary><ul>",
        parts.summary.assumptions.len()
    );
    for line in &parts.summary.assumptions {
        let _ = write!(html, "<li>{}</li>", escape(line));
    }
    html.push_str("</ul></details></section>\n");
    html
}

fn equity(parts: &Parts<'_>) -> String {
    let (summary, line) = (parts.summary, &parts.collector.equity);
    let span = line.equity.span().unwrap_or((0, 1));
    let title = format!("Equity, {}", summary.base);
    let caption = match (&summary.equity_start, &summary.equity_end) {
        (Some(start), Some(end)) => {
            format!("From {} to {} {}.", amount(Some(start)), amount(Some(end)), summary.base)
        }
        (Some(start), None) => format!(
            "It began at {} {}; at the end something held has no usable price.",
            amount(Some(start)),
            summary.base
        ),
        _ => "not everything held could be valued in the base currency".to_owned(),
    };
    let fall = match &summary.drawdown {
        Some(fall) => format!(
            "Deepest {} ({} {}): from {} to {}, {}.",
            percent(summary.max_drawdown.unwrap_or_default()),
            amount(Some(&fall.amount)),
            summary.base,
            moment(&fall.peak_at),
            moment(&fall.trough_at),
            fall.recovered_at
                .as_deref()
                .map_or("not recovered".to_owned(), |at| format!("recovered {}", moment(at)))
        ),
        None => "equity never fell below its highest point".to_owned(),
    };
    let one = |series, draw, class| vec![Layer { series, draw, class, name: "" }];
    let equity = Chart {
        title: &title,
        summary: caption,
        span,
        layers: one(&line.equity, Draw::Line, "blue"),
        zero: false,
        percent: false,
        low: false,
    };
    let drawdown = Chart {
        title: "Drawdown",
        summary: fall,
        span,
        layers: one(&line.drawdown, Draw::Area, "orange"),
        zero: true,
        percent: true,
        low: true,
    };
    format!(
        "<section><h2 id=\"equity\">Equity and drawdown</h2>\n{}{}</section>\n",
        equity.html(),
        drawdown.html()
    )
}

/// A float of a chart in words: ten digits are more than a pixel shows.
fn plain(value: f64) -> String {
    let digits = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 + 1 };
    let text = format!("{value:.*}", (10 - digits).clamp(0, 12) as usize);
    exact(&text)
}

/// A moment to the second.
fn moment(text: &str) -> String {
    text.get(..19).unwrap_or(text).replace('T', " ")
}

fn attribution(summary: &Summary) -> String {
    let parts = &summary.attribution;
    let rows: Vec<_> = [
        ("spread", &parts.spread),
        ("inventory", &parts.inventory),
        ("fees and rebates", &parts.fees),
        ("funding", &parts.funding),
        ("net", &summary.net_pnl),
        ("revaluation of opening balances", &summary.revaluation),
    ]
    .into_iter()
    .map(|(name, value)| vec![name.to_owned(), profit(value.as_deref())])
    .collect();
    let head = format!("amount, {}", summary.base);
    let mut html = format!(
        "<section><h2 id=\"attribution\">Where it came from</h2>\n<div class=\"two\">{}",
        table("", &["part", &head], &rows)
    );
    let rows: Vec<_> = summary
        .strategies
        .iter()
        .map(|strategy| {
            let fees = strategy.fees.as_deref().map(negated);
            vec![
                escape(&strategy.name),
                profit(strategy.net_pnl.as_deref()),
                profit(fees.as_deref()),
                count(strategy.orders),
                count(strategy.fills),
                count(strategy.denied),
            ]
        })
        .collect();
    let net = format!("net, {}", summary.base);
    html.push_str(&table("", &["strategy", &net, "fees", "orders", "fills", "refused"], &rows));
    html.push_str("</div></section>\n");
    html
}

fn markets(parts: &Parts<'_>) -> String {
    let symbols = &parts.summary.instruments;
    let mut traded: Vec<(&Tally, _)> = parts
        .collector
        .tallies
        .iter()
        .zip(symbols)
        .filter(|(tally, _)| tally.fills > 0 || tally.orders > 0)
        .collect();
    traded.sort_by_key(|(tally, _)| std::cmp::Reverse(tally.fills));
    let mut html = String::from("<section><h2 id=\"markets\">Fills on price</h2>\n");
    if traded.is_empty() {
        html.push_str("<p class=\"quiet\">Nothing was traded.</p>");
    }
    for (tally, it) in traded.iter().take(DRAWN) {
        let Some(span) = tally.price.span().or_else(|| tally.trades[0].span()) else { continue };
        let [buys, sells] = &tally.trades;
        let counts = [buys, sells]
            .map(|side| side.stretches().iter().map(|stretch| stretch.count).sum::<u64>());
        let many = counts[0] + counts[1] > 400;
        let dots = if many { ("blue many", "orange many") } else { ("blue", "orange") };
        let mid = if many { "grey thin" } else { "grey" };
        let range = tally.price.range().map_or(String::new(), |(low, high)| {
            format!(" The mid moved between {} and {}.", plain(low), plain(high))
        });
        let chart = Chart {
            title: &it.symbol,
            summary: format!(
                "Own buys: {}, own sells: {}.{range} Where several share a pixel, the lowest and the highest \
                 are drawn.",
                count(counts[0]),
                count(counts[1])
            ),
            span,
            layers: vec![
                Layer { series: &tally.price, draw: Draw::Step, class: mid, name: "mid" },
                Layer { series: buys, draw: Draw::Round, class: dots.0, name: "own buys" },
                Layer { series: sells, draw: Draw::Square, class: dots.1, name: "own sells" },
            ],
            zero: false,
            percent: false,
            low: false,
        };
        html.push_str(&chart.html());
        let position = Chart {
            title: &format!("Position in {}", it.symbol),
            summary: format!("It ended at {}.", exact(&it.position)),
            span,
            layers: vec![Layer {
                series: &tally.position,
                draw: Draw::Step,
                class: "blue",
                name: "",
            }],
            zero: true,
            percent: false,
            low: true,
        };
        html.push_str(&position.html());
    }
    if traded.len() > DRAWN {
        let _ = write!(
            html,
            "<p class=\"quiet\">{} more instruments are in the table below and in fills.parquet.</p>",
            traded.len() - DRAWN
        );
    }
    html.push_str("</section>\n");
    html
}
