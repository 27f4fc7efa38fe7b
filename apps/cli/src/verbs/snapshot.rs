//! `tse journal snapshot|trim`, and what the other verbs know of snapshots.
//!
//! A journal whose beginning was taken away can be read from its oldest snapshot on, by the version that
//! made it.

use super::journal::{finding, folder, look_at, say_which, walk};
use crate::args::{JournalAt, TrimJournal};
use crate::config;
use crate::diagnose::{Diagnostic, Diagnostics, codes};
use crate::run::numbers::count;
use crate::ui::Ui;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;
use tse_disk::Folder;
use tse_engine::{EngineError, Pick, Replay};
use tse_journal::{
    Durability, JournalError, Mark, Options, Record, Snapshot, Spare, read_snapshot, snapshots,
    spare,
};
use tse_kernel::Kernel;
use tse_model::{Span, Timestamp};
use tse_strategy::Registry;

/// A snapshot beside a journal, as far as it has been looked at.
pub(super) struct Seen {
    record: u64,
    /// `None` if it is not whole.
    mark: Option<Mark>,
    bytes: u64,
    belongs: bool,
}

impl Seen {
    /// The next record of the journal.
    pub(super) fn pass(&mut self, record: &Record<'_>) {
        let sequence = record.head.sequence;
        self.belongs |= self
            .mark
            .is_some_and(|mark| mark.sequence == sequence && record.chain == Some(mark.chain));
    }

    /// Its record, if it is whole and of something else.
    pub(super) fn foreign(&self) -> Option<u64> {
        (self.mark.is_some() && !self.belongs).then_some(self.record)
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "record": self.record, "bytes": self.bytes, "whole": self.mark.is_some(),
        })
    }

    pub(super) fn text(&self) -> String {
        let state = match self.mark {
            Some(_) => format!("{} bytes", count(self.bytes)),
            None => "is not whole, and is passed over".to_owned(),
        };
        format!("snapshot after record {}: {state}", count(self.record))
    }
}

/// All snapshots of a journal.
pub(super) fn all(path: &Path) -> Result<Vec<Seen>, Diagnostics> {
    let wrong = |error: JournalError| Diagnostics::from(finding(&error, path));
    let disk = look_at(path)?;
    let mut all = Vec::new();
    for record in snapshots(&disk).map_err(wrong)? {
        let snapshot = read_snapshot(&disk, record).map_err(wrong)?;
        let bytes = snapshot.as_ref().map_or(0, |it| it.payload.len() as u64);
        all.push(Seen { record, mark: snapshot.map(|it| it.after), bytes, belongs: false });
    }
    Ok(all)
}

/// All that are whole.
pub(super) fn whole(path: &Path) -> Result<Vec<Snapshot>, Diagnostics> {
    let wrong = |error: JournalError| Diagnostics::from(finding(&error, path));
    let disk = look_at(path)?;
    let all = snapshots(&disk).map_err(wrong)?;
    let read = all.into_iter().map(|record| read_snapshot(&disk, record));
    let read: Result<Vec<_>, _> = read.collect();
    Ok(read.map_err(wrong)?.into_iter().flatten().collect())
}

/// The first record that a journal still has.
pub(super) fn beginning(path: &Path) -> Result<u64, Diagnostics> {
    let wrong = |error: JournalError| Diagnostics::from(finding(&error, path));
    let disk = look_at(path)?;
    spare(&disk, 1, None, &|_| false).map(|spare| spare.first.max(1)).map_err(wrong)
}

/// Where to begin reading: behind a snapshot, with an engine that is what it says, or at the first record.
pub(super) fn start(
    path: &Path,
    pick: Option<Pick>,
    mut build: impl FnMut(&str) -> Result<Kernel, Diagnostics>,
) -> Result<(Option<Mark>, Option<Replay>), Diagnostics> {
    let Some(pick) = pick else { return Ok((None, None)) };
    let disk = look_at(path)?;
    let mut trouble = None;
    let build = |text: &str| {
        build(text).map_err(|wrong| {
            trouble = Some(wrong);
            String::new()
        })
    };
    let found = Replay::from_snapshot(&disk, pick, build);
    match found.map_err(|error| Diagnostics::from(finding(&error, path)))? {
        Some((mark, replay)) => Ok((Some(mark), Some(replay))),
        None if pick != Pick::Oldest && beginning(path)? == 1 => Ok((None, None)),
        None if pick != Pick::Oldest && trouble.is_none() => {
            let what = "what led to this order was taken away with the beginning of the journal";
            let fix =
                "an order that was sent behind the oldest snapshot: tse journal verify says which";
            Err(Diagnostic::error(codes::NO_SNAPSHOT, what).fix(fix).into())
        }
        None => Err(trouble.unwrap_or_else(|| {
            let what =
                "the beginning of the journal was taken away, and no snapshot of it can be used";
            let fix = "read it with the version of tse that wrote it";
            Diagnostic::error(codes::NO_SNAPSHOT, what).fix(fix).into()
        })),
    }
}

/// `tse journal snapshot`.
pub(super) fn snapshot(at: &JournalAt, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let path = folder(at)?;
    let wrong = |error: JournalError| Diagnostics::from(finding(&error, &path));
    // Read first: a folder is locked, and what is torn cut off, only where there is something to do.
    walk(&path, None, ui, |_| ())?;
    let disk = Folder::open(&path).map_err(|error| wrong(error.into()))?;
    let begun = Instant::now();
    let mut trouble = None;
    let build = |text: &str| {
        config::load_engine("the journal's config", text, registry).map_err(|wrong| {
            trouble = Some(wrong);
            "the journal's config cannot be used".to_owned()
        })
    };
    let options = Options { durability: Durability::Power, ..Options::default() };
    let made = tse_engine::snapshot(build, disk, options);
    let (found, record) = match made {
        Ok(made) => made,
        Err(EngineError::Journal(error)) => return Err(wrong(error)),
        Err(_) if trouble.is_some() => return Err(trouble.unwrap_or_default()),
        Err(error) => {
            let what = format!("no snapshot can be made: {error}");
            let fix = format!("tse replay {}", at.journal);
            return Err(Diagnostic::error(codes::NO_SNAPSHOT, what).fix(fix).into());
        }
    };
    say_which(at, &path, ui);
    let bytes = all(&path)?.iter().find(|it| it.record == record).map_or(0, |it| it.bytes);
    let from = found.snapshot.map_or(1, |sequence| sequence + 1);
    if ui.json {
        let data = json!({
            "journal": path, "record": record, "bytes": bytes, "from": from, "inputs": found.inputs,
            "state_hash": found.state.to_string(), "passed_over": found.passed_over,
        });
        ui.success("tse.journal.snapshot/1", &Diagnostics::new(), &data);
        return Ok(0);
    }
    ui.print(format!(
        "snapshot after record {} · {} bytes · {} inputs from record {} on in {:.1} s · state {}",
        count(record),
        count(bytes),
        count(found.inputs),
        count(from),
        begun.elapsed().as_secs_f64(),
        found.state
    ));
    Ok(0)
}

/// `tse journal trim`. Without `--yes` it only says what would go.
pub(super) fn trim(args: &TrimJournal, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let refused = |what: String, fix: &str| {
        Err(Diagnostic::error(codes::BAD_ARGUMENT, what).fix(fix.to_owned()).into())
    };
    let age = Span::parse(&args.older_than).filter(|age| *age >= Span::ZERO);
    let Some(age) = age else {
        let what = format!("`{}` is not a length of time", args.older_than);
        return refused(what, "--older-than 30d");
    };
    if args.keep < 2 {
        let what =
            format!("--keep {}: one damaged file would be the end of the journal", args.keep);
        return refused(what, "--keep 2");
    }
    let path = folder(&args.at)?;
    let wrong = |error: JournalError| Diagnostics::from(finding(&error, &path));
    // What stays must be sound before anything goes.
    let mut last = Timestamp::MIN;
    let mut seen = all(&path)?;
    walk(&path, None, ui, |record| {
        last = last.max(record.head.time);
        seen.iter_mut().for_each(|it| it.pass(record));
    })?;
    say_which(&args.at, &path, ui);
    let until = Some(last - age);
    // Of this journal, and such that this program can go on from it.
    let usable: Vec<u64> = whole(&path)?
        .iter()
        .filter(|it| seen.iter().any(|seen| seen.record == it.after.sequence && seen.belongs))
        .filter(|it| {
            let mut build = |text: &str| {
                config::load_engine("the journal's config", text, registry)
                    .map_err(|_| String::new())
            };
            tse_engine::is_usable(it, &mut build)
        })
        .map(|it| it.after.sequence)
        .collect();
    let can_use = |it: &Snapshot| usable.contains(&it.after.sequence);
    let plan = spare(&look_at(&path)?, args.keep, until, &can_use).map_err(wrong)?;
    if plan.segments.is_empty() {
        let (why, next) = match usable.len() < args.keep {
            true => {
                let can = usable.len();
                let why = format!("{} snapshots must be kept, and {can} can be used", args.keep);
                (why, format!("next: tse journal snapshot {}", args.at.journal))
            }
            false => {
                let why = "what is older than that is in a file that is still needed".to_owned();
                (why, format!("next: tse journal verify {}", args.at.journal))
            }
        };
        if ui.json {
            say_trimmed(&path, &Spare { first: plan.first, ..Spare::default() }, ui);
        } else {
            ui.print(format!("nothing can be taken away: {why}"));
            ui.note(next);
        }
        return Ok(0);
    }
    let files = match plan.segments.len() {
        1 => "1 file".to_owned(),
        more => format!("{} files", count(more as u64)),
    };
    let what = format!("{files} with the records before {}", count(plan.first));
    if !args.yes {
        let said = format!("{what} would be lost, and nothing was changed");
        return refused(said, "copy the folder first if you may need them, then add --yes");
    }
    let mut disk = Folder::open(&path).map_err(|error| wrong(error.into()))?;
    let gone = tse_journal::trim(&mut disk, args.keep, until, &can_use).map_err(wrong)?;
    if ui.json {
        say_trimmed(&path, &gone, ui);
    } else {
        ui.print(format!("took away {what}; the journal begins at record {}", count(gone.first)));
    }
    Ok(0)
}

/// What went, for a machine.
fn say_trimmed(path: &Path, gone: &Spare, ui: &Ui) {
    let data = json!({
        "journal": path, "first": gone.first, "files": gone.segments, "snapshots": gone.snapshots,
    });
    ui.success("tse.journal.trim/1", &Diagnostics::new(), &data);
}
