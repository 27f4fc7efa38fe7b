//! A running engine in a line, and in a page.

use crate::run::numbers;
use std::fmt::Write as _;
use std::io::Write as _;
use tse_node::{Line, Picture};

/// Prints a line of data. A reader that is gone is no reason to stop trading.
pub(super) fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Says something to people.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// An alert as it comes.
pub(super) fn alert(line: &Line) {
    say(&format!("{} {}", clock(&line.at), words(line)));
}

/// An alert in words.
pub(super) fn words(line: &Line) -> String {
    let about = line.about.as_object().into_iter().flatten();
    let about = about.filter(|(_, value)| !value.is_null() && *value != "");
    let about: Vec<_> = about
        .map(|(key, value)| match value.as_str() {
            Some(text) => format!("{key} {text}"),
            None => format!("{key} {value}"),
        })
        .collect();
    format!("{} {}", line.kind.replace('_', " "), about.join(" · ")).trim_end().to_owned()
}

fn clock(moment: &str) -> &str {
    moment.get(11..19).unwrap_or(moment)
}

/// Whether it trades, in a word.
fn trades(picture: &Picture) -> &str {
    match (picture.stopping, picture.armed, picture.level.as_str()) {
        (true, _, _) => "stopping",
        (_, false, "free") => "disarmed",
        (_, true, "free") => "armed",
        (_, _, level) => level,
    }
}

/// How things stand, in a line.
pub(super) fn line(picture: &Picture) -> String {
    let base = &picture.base;
    let equity = picture.equity.as_deref().map_or("n/a".to_owned(), numbers::amount);
    let net = picture.net.as_deref().map_or("n/a".to_owned(), numbers::signed);
    format!(
        "{} {} · equity {equity} {base} · net {net} · sent {} · refused {} · fills {} · open {}",
        clock(&picture.now),
        trades(picture),
        numbers::count(picture.sent),
        numbers::count(picture.denied),
        numbers::count(picture.fills),
        picture.orders_open,
    )
}

/// How things stand, for people.
pub(super) fn page(picture: &Picture) -> String {
    let mut text = format!(
        "{} ({}) · {} · epoch {} · pid {} · {} · {} x\n{}\n",
        picture.name,
        picture.mode,
        trades(picture),
        picture.epoch,
        picture.pid,
        picture.now,
        picture.speed,
        line(picture),
    );
    for latch in &picture.latches {
        let by = if latch.by.is_empty() { &latch.control } else { &latch.by };
        let why = if latch.why.is_empty() { String::new() } else { format!(": {}", latch.why) };
        let _ = writeln!(
            text,
            "  {:<24} {} since {} by {by}{why}",
            latch.scope, latch.level, latch.since
        );
    }
    for venue in &picture.venues {
        let state = match (venue.linked, venue.reconciled, venue.unexplained) {
            (_, _, true) => {
                "holds a difference that nothing explains: look at it, then tse resume --scope account:NAME"
            }
            (false, ..) => "not connected",
            (true, false, _) => "not compared yet",
            (true, true, _) => "as here",
        };
        let _ = writeln!(text, "  account {:<16} {state}", venue.name);
    }
    for strategy in &picture.strategies {
        let net = strategy.net.as_deref().map_or("n/a".to_owned(), numbers::signed);
        let held: Vec<_> = strategy
            .positions
            .iter()
            .map(|held| format!("{} {}", held.size, held.symbol))
            .collect();
        let held = if held.is_empty() { "flat".to_owned() } else { held.join(", ") };
        let _ = writeln!(
            text,
            "  strategy {:<15} {:<8} net {net} {} · {} open · {held}",
            strategy.name, strategy.level, picture.base, strategy.orders,
        );
    }
    for alert in picture.alerts.iter().rev().take(5) {
        let _ = writeln!(text, "  {} {}", clock(&alert.at), words(alert));
    }
    if picture.forgotten_ms > 0 {
        let seconds = picture.forgotten_ms as f64 / 1e3;
        let _ =
            writeln!(text, "  the market runs slower than asked for: {seconds:.1} s behind so far");
    }
    if let Some(trouble) = &picture.flag_trouble {
        let _ = writeln!(text, "  the flag is not as it should be: {trouble}");
    }
    text.trim_end().to_owned()
}
