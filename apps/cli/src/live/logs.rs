//! `tse logs`: what an engine's service has written, for people or as it is.

use super::find;
use crate::args::Logs as Args;
use crate::diagnose::{At, Diagnostic, Diagnostics, codes};
use crate::run::stop::Stop;
use crate::ui::Ui;
use serde_json::Value;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often it is looked for more.
const EVERY: Duration = Duration::from_millis(100);
/// Levels, the least grave first.
const LEVELS: [&str; 5] = ["debug", "info", "warning", "error", "critical"];
/// What every line has, and people need not read in each.
const CONSTANT: [&str; 7] =
    ["timestamp", "level", "logger", "event", "service_name", "instance_name", "environment"];

/// `tse logs`.
pub(crate) fn logs(args: &Args, ui: &Ui) -> Result<u8, Diagnostics> {
    let home = find::find(&args.engine)?;
    let level = LEVELS.iter().position(|it| it.eq_ignore_ascii_case(&args.level));
    let level = level.ok_or_else(|| {
        Diagnostic::error(codes::BAD_ARGUMENT, format!("`--level {}` is no level", args.level))
            .at(At::Place("the command line".to_owned()), "")
            .fix(format!("one of {}", LEVELS.join(", ")))
    })?;
    let stop = Stop::listen();
    let mut files = files(home.folder());
    if files.is_empty() {
        let what = format!("{} has written no log", home.name());
        return Err(Diagnostic::error(codes::NO_ENGINE, what)
            .at(At::Place(home.folder().display().to_string()), "")
            .fix("tse run CONFIG writes one, unless it serves no network")
            .into());
    }
    let wanted = |line: &str| is_wanted(line, level, args.grep.as_deref());
    let mut last = VecDeque::new();
    for path in &files {
        for line in lines(path)?.filter(|line| wanted(line)) {
            if last.len() == args.lines {
                last.pop_front();
            }
            last.push_back(line);
        }
    }
    let show = |line: &str| ui.print(if ui.json { line.to_owned() } else { plain(line) });
    last.iter().filter(|_| args.lines > 0).for_each(|line| show(line));
    if !args.follow {
        return Ok(0);
    }
    let mut path = files.pop().expect("it was looked whether there are some");
    let mut at = std::fs::metadata(&path).map_or(0, |it| it.len());
    let mut part = String::new();
    while stop.asked().is_none() {
        at = more(&path, at, &mut part, |line| {
            if wanted(line) {
                show(line);
            }
        });
        // The next day has a file of its own.
        if let Some(newest) = self::files(home.folder()).pop().filter(|newest| *newest != path) {
            (path, at) = (newest, 0);
        }
        std::thread::sleep(EVERY);
    }
    Ok(0)
}

/// The files of a folder, oldest first.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let is_log = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with("log.") && name.ends_with(".ndjson")
    };
    let mut all: Vec<_> = entries.map(|entry| entry.path()).filter(is_log).collect();
    all.sort();
    all
}

fn lines(path: &Path) -> Result<impl Iterator<Item = String> + use<>, Diagnostics> {
    let file = File::open(path).map_err(|error| {
        Diagnostic::error(codes::NO_ENGINE, format!("{}: {error}", path.display()))
            .fix("check its permissions")
    })?;
    // A line that is no text is none of ours.
    Ok(BufReader::new(file).split(b'\n').flatten().filter_map(|line| String::from_utf8(line).ok()))
}

/// Shows whole lines from a place on; the place behind them.
fn more(path: &Path, at: u64, part: &mut String, mut each: impl FnMut(&str)) -> u64 {
    let Ok(mut file) = File::open(path) else { return at };
    if file.seek(SeekFrom::Start(at)).is_err() {
        return at;
    }
    let mut reader = BufReader::new(file);
    let mut at = at;
    loop {
        let mut bytes = Vec::new();
        match reader.read_until(b'\n', &mut bytes) {
            Ok(count @ 1..) => {
                at += count as u64;
                part.push_str(&String::from_utf8_lossy(&bytes));
                if part.ends_with('\n') {
                    each(part.trim_end());
                    part.clear();
                }
            }
            _ => return at,
        }
    }
}

fn is_wanted(line: &str, level: usize, text: Option<&str>) -> bool {
    let value: Value = serde_json::from_str(line).unwrap_or_default();
    let own = value["level"].as_str().unwrap_or_default();
    let own = LEVELS.iter().position(|it| it.eq_ignore_ascii_case(own));
    own.is_none_or(|own| own >= level) && text.is_none_or(|text| line.contains(text))
}

/// A line for people: when, how grave, what, and the rest as `key=value`.
fn plain(line: &str) -> String {
    let Ok(Value::Object(line)) = serde_json::from_str(line) else { return line.to_owned() };
    let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut plain = format!("{} {:<8} {}", text("timestamp"), text("level"), text("event"));
    for (key, value) in line.iter().filter(|(key, _)| !CONSTANT.contains(&key.as_str())) {
        match value {
            Value::String(value) => plain.push_str(&format!("  {key}={value}")),
            value => plain.push_str(&format!("  {key}={value}")),
        }
    }
    plain
}
