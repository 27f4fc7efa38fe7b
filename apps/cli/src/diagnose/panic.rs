//! What happens when an invariant breaks: a report on disk, a finding on the screen, exit code 70.
//!
//! Rust prints a panic as it likes; here it becomes a finding like any other, with the details in a
//! file that can be sent along with a report.

use super::{At, Diagnostic, codes};
use std::backtrace::Backtrace;
use std::fmt::Write;
use std::panic::PanicHookInfo;
use std::path::PathBuf;
use std::sync::Mutex;

/// The first panic of this process: later ones are mostly its echo.
static FIRST: Mutex<Option<Report>> = Mutex::new(None);

#[derive(Clone, Debug)]
struct Report {
    what: String,
    place: String,
    file: Option<PathBuf>,
}

/// From now on a panic writes a report instead of printing itself.
pub fn install() {
    std::panic::set_hook(Box::new(note));
}

fn note(info: &PanicHookInfo<'_>) {
    let payload = info.payload();
    let what = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned());
    let place = info.location().map_or_else(|| "unknown".to_owned(), ToString::to_string);
    let mut first = FIRST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if first.is_none() {
        let file = write(&what, &place);
        *first = Some(Report { what, place, file });
    }
}

fn write(what: &str, place: &str) -> Option<PathBuf> {
    let now = jiff::Timestamp::now();
    let mut text = String::new();
    let _ = writeln!(text, "tse {} stopped on a bug\n", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(text, "when       {now}");
    let _ = writeln!(text, "where      {place}");
    let _ = writeln!(text, "what       {what}");
    let _ = writeln!(text, "system     {} {}", std::env::consts::OS, std::env::consts::ARCH);
    let _ = writeln!(text, "arguments  {:?}", std::env::args().skip(1).collect::<Vec<_>>());
    let _ = writeln!(text, "\n{}", Backtrace::force_capture());
    let name = format!("tse-bug-{}-{}.txt", now.as_second(), std::process::id());
    let path = std::env::temp_dir().join(name);
    std::fs::write(&path, text).ok().map(|()| path)
}

/// The panic that happened, as a finding.
pub fn finding() -> Diagnostic {
    let first = FIRST.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
    let Some(report) = first else {
        return Diagnostic::error(codes::BUG, "tse stopped on a bug");
    };
    let what = report.what.lines().next().unwrap_or_default().to_owned();
    let found = Diagnostic::error(codes::BUG, format!("tse stopped on a bug: {what}"))
        .at(At::Place(report.place), "");
    match report.file {
        Some(file) => {
            found.fix(format!("report it with this file and the config: {}", file.display()))
        }
        None => found.fix("report it with the config and the line above"),
    }
}
