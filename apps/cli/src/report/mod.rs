//! `report.html`, and `tse report`, which finds and opens it.
//!
//! The page is made once, at the end of a run, from what was collected on the way; this module draws
//! ([`chart`]) and words ([`page`]) it. Begin at [`page`].

mod chart;
mod html;
mod page;
pub(crate) mod series;
mod tables;
mod ticks;

pub(crate) use page::{Parts, page};

use crate::diagnose::{Diagnostic, Diagnostics, codes};
use crate::run::summary::Summary;
use crate::run::{Failure, OPEN, READ, block, find, headline};
use crate::ui::Ui;
use std::path::Path;
use std::process::{Command, Stdio};

/// Finds the run that `text` means among those in `runs`, shows its result and where its report is,
/// and opens that if wished. Gives the exit code.
pub fn report(runs: &Path, text: &str, open: bool, ui: &Ui) -> u8 {
    match shown(runs, text, open, ui) {
        Ok(()) => 0,
        Err(found) => {
            ui.fail(&found);
            found.exit()
        }
    }
}

fn shown(runs: &Path, text: &str, open: bool, ui: &Ui) -> Result<(), Diagnostics> {
    let folder = find(runs, text, "tse report")?;
    let path = folder.join("stats.json");
    let stats =
        std::fs::read_to_string(&path).map_err(|source| Failure::io(READ, &path, source))?;
    let broken = |what: String| {
        Diagnostic::error(
            codes::NOTHING_CALLED,
            format!("{} is not a result: {what}", path.display()),
        )
        .fix("run the backtest again")
    };
    let stats: serde_json::Value =
        serde_json::from_str(&stats).map_err(|error| broken(error.to_string()))?;
    let page = folder.join("report.html");
    if ui.json {
        ui.repeat(&stats);
    } else {
        let summary: Summary = serde_json::from_value(stats["data"].clone())
            .map_err(|error| broken(error.to_string()))?;
        ui.print(headline(&summary));
        ui.print(block(&summary, ui.out).trim_end());
        let warnings = stats["warnings"].as_array().map_or(&[][..], Vec::as_slice);
        for warning in warnings {
            let text = |key: &str| warning[key].as_str().unwrap_or_default().to_owned();
            ui.note(format!("warning[{}]: {}", text("code"), text("title")));
        }
        ui.print(page.display());
    }
    if open {
        show(&page)?;
    }
    Ok(())
}

/// Opens a file as the desktop would.
fn show(page: &Path) -> Result<(), Failure> {
    let (program, before): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(target_os = "windows") {
        ("cmd", &["/C", "start", ""])
    } else {
        ("xdg-open", &[])
    };
    let opened = Command::new(program)
        .args(before)
        .arg(page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    opened.map(drop).map_err(|source| Failure::io(OPEN, page, source))
}
