//! The result block: what a person reads when a run has ended.
//!
//! Short, honest, and made from the same [`Summary`] as the JSON: amounts are cut for the eye, what is
//! not defined is `n/a`, and estimates say so.

use super::numbers::{amount, count, days, exact, is_zero, percent, signed, signed_percent};
use super::summary::{Markout, Summary};
use crate::diagnose::render::{Paint, Style};
use std::fmt::Write;

/// Fewer days than this say nothing about a year.
pub(crate) const DAYS_MIN: f64 = 30.0;

/// Columns of the left half.
const HALF: usize = 44;

/// The first line: what was run.
pub(crate) fn headline(summary: &Summary) -> String {
    let mut parts = vec![summary.name.clone()];
    parts.extend(summary.setting.first().cloned());
    parts.push(days(summary.days));
    parts.extend(summary.setting.iter().skip(1).cloned());
    parts.join(" · ")
}

/// The block, each line ended.
pub(crate) fn block(summary: &Summary, style: Style) -> String {
    let mut text = String::new();
    let base = &summary.base;
    if summary.is_interrupted() {
        let end = summary.end.as_deref().unwrap_or("its start");
        let note = format!("interrupted at {end}: everything below ends there");
        let _ = writeln!(text, "{}", style.paint(Paint::Yellow, &note));
    }
    if let Some(sensitivity) = &summary.sensitivity {
        let note = format!("a sensitivity, not a result: {sensitivity}");
        let _ = writeln!(text, "{}", style.paint(Paint::Yellow, &note));
    }
    let net = match &summary.net_pnl {
        Some(net) => {
            let ratio = summary.net_return.map_or("n/a".to_owned(), signed_percent);
            format!("{} {base}  {ratio}", signed(net))
        }
        None => "n/a".to_owned(),
    };
    let paint = match summary.net_pnl.as_deref() {
        Some(net) if net.starts_with('-') => Paint::Red,
        Some(_) => Paint::Green,
        None => Paint::Dim,
    };
    pair(&mut text, style, ("Net P&L", &net, paint), ("Sharpe", &sharpe(summary)));
    let fall = match (&summary.drawdown, summary.max_drawdown) {
        (Some(fall), Some(ratio)) => {
            let below = format!("-{}", amount(&fall.amount));
            format!("{below} {base}  {}", signed_percent(-ratio))
        }
        (None, Some(_)) => format!("none  {}", percent(0.0)),
        _ => "n/a".to_owned(),
    };
    let ratio =
        |ratio: Option<f64>| ratio.map_or("n/a".to_owned(), |r| format!("{:.0} %", r * 100.0));
    let fills = format!(
        "{} · maker {} · {} fills of {} orders",
        ratio(summary.fill_ratio),
        ratio(summary.maker_ratio),
        count(summary.fills),
        count(summary.orders),
    );
    pair(&mut text, style, ("Max drawdown", &fall, Paint::Bold), ("Fill ratio", &fills));
    let part = |name: &str, value: &Option<String>| match value {
        Some(value) => format!("{name} {}", signed(value)),
        None => format!("{name} n/a"),
    };
    let parts = &summary.attribution;
    let mut whole = vec![
        part("spread", &parts.spread),
        part("inventory", &parts.inventory),
        part("fees", &parts.fees),
        part("funding", &parts.funding),
    ];
    // Opening balances move equity, and so the drawdown, without any trade.
    if summary.revaluation.as_deref().is_some_and(|moved| !is_zero(moved)) {
        whole.push(part("besides: opening balances", &summary.revaluation));
    }
    let _ = writeln!(text, "{:<14} {}", "From", whole.join(" · "));
    if summary.fills > 0 {
        let marks: Vec<_> = summary.markouts.iter().map(markout).collect();
        let _ = writeln!(text, "{:<14} {}", "Markouts", marks.join(" · "));
    }
    opportunities(&mut text, summary);
    if summary.strategies.len() > 1 {
        for strategy in &summary.strategies {
            let net = strategy.net_pnl.as_deref().map_or("n/a".to_owned(), signed);
            let _ = writeln!(
                text,
                "{:<14} net {net} {base} · {} fills of {} orders · {} refused",
                strategy.name,
                count(strategy.fills),
                count(strategy.orders),
                count(strategy.denied)
            );
        }
    }
    let refused = summary.denied > 0 || summary.rejected > 0;
    if refused {
        let by: Vec<_> =
            summary.denied_by.iter().map(|(why, n)| format!("{why} {}", count(*n))).collect();
        let _ = writeln!(
            text,
            "{:<14} {} by the gate{}{} · {} by venues",
            "Refused",
            count(summary.denied),
            if by.is_empty() { "" } else { ": " },
            by.join(", "),
            count(summary.rejected)
        );
    }
    balances(&mut text, summary);
    text
}

fn pair(text: &mut String, style: Style, left: (&str, &str, Paint), right: (&str, &str)) {
    let (name, value, paint) = left;
    let pad = HALF.saturating_sub(15 + value.chars().count());
    let value = style.paint(paint, value);
    let _ = writeln!(text, "{name:<14} {value}{:pad$} {:<10} {}", "", right.0, right.1);
}

fn sharpe(summary: &Summary) -> String {
    let Some(sharpe) = summary.sharpe else {
        let s = if summary.daily_returns == 1 { "" } else { "s" };
        return format!("n/a  {} daily return{s}", summary.daily_returns);
    };
    let band = match (summary.sharpe_low, summary.sharpe_high) {
        (Some(low), Some(high)) => format!("  [{low:.1}, {high:.1}]"),
        _ => String::new(),
    };
    let doubt = if summary.days < DAYS_MIN { ", too few days to mean much" } else { "" };
    format!("{sharpe:.1}{band}  daily, x sqrt {:.0}, rf 0{doubt}", summary.days_per_year)
}

/// A markout in words: `1s -0.21 bp ±0.08`.
fn markout(markout: &Markout) -> String {
    let band = markout.band_bps.map_or(String::new(), |band| format!(" ±{band:.2}"));
    match markout.bps {
        Some(bps) => format!("{} {bps:+.2} bp{band}", markout.after),
        None => format!("{} n/a", markout.after),
    }
}

fn opportunities(text: &mut String, summary: &Summary) {
    let all = &summary.opportunities;
    if all.seen == 0 {
        return;
    }
    let missed: u64 = all.missed.values().sum();
    let mut reasons: Vec<_> = all.missed.iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let why: Vec<_> = reasons.iter().map(|(why, n)| format!("{why} {}", count(**n))).collect();
    let colon = if why.is_empty() { "" } else { ": " };
    let _ = writeln!(
        text,
        "{:<14} {} seen · {} taken · {} missed{colon}{}",
        "Opportunities",
        count(all.seen),
        count(all.taken),
        count(missed),
        why.join(", ")
    );
    let lines = [("before fees", &all.gross_bps), ("after fees", &all.net_bps)];
    for (name, quantiles) in lines {
        let Some(q) = quantiles else { continue };
        let _ = writeln!(
            text,
            "{:<14} edge {name}: median {} · 95 % {} · 99 % {} · most {} bp",
            "",
            amount(&q.p50),
            amount(&q.p95),
            amount(&q.p99),
            amount(&q.max)
        );
    }
}

fn balances(text: &mut String, summary: &Summary) {
    const SHOWN: usize = 6;
    let all = summary.balances.iter();
    let mut shown: Vec<_> =
        all.take(SHOWN).map(|(code, held)| format!("{} {code}", exact(held))).collect();
    if summary.balances.len() > SHOWN {
        shown.push(format!("{} more", summary.balances.len() - SHOWN));
    }
    if !shown.is_empty() {
        let _ = writeln!(text, "{:<14} {}", "Balances", shown.join(" · "));
    }
    let open: Vec<_> = summary
        .instruments
        .iter()
        .filter(|it| !is_zero(&it.position))
        .map(|it| format!("{} {}", exact(&it.position), it.symbol))
        .collect();
    if !open.is_empty() && open.len() <= SHOWN {
        let _ = writeln!(text, "{:<14} {}", "Positions", open.join(" · "));
    } else if !open.is_empty() {
        let _ = writeln!(text, "{:<14} {} open", "Positions", open.len());
    }
}
