//! `tse journal verify|show|cut` and `tse replay`: what was recorded of a run, and whether it happens again.
//!
//! A journal is named by its folder, or by the run it belongs to.

use super::snapshot;
use crate::args::{
    CutJournal, Journal as Args, JournalAt, JournalVerb, Replay as ReplayArgs, ShowJournal,
};
use crate::config;
use crate::diagnose::{At, Diagnostic, Diagnostics, codes};
use crate::run::numbers::{count, short};
use crate::run::{self, JOURNAL};
use crate::ui::Ui;
use indicatif::{ProgressBar, ProgressDrawTarget};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tse_disk::Folder;
use tse_engine::{Difference, Pick, Replay, kind};
use tse_journal::{
    Contents, DiskError, JournalError, Mark, Record, Snapshot, Trouble, read, read_after,
};
use tse_kernel::record;
use tse_model::Timestamp;
use tse_strategy::Registry;

/// `tse journal ...`.
pub(crate) fn journal(args: &Args, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    match &args.verb {
        JournalVerb::Verify(at) => verify(at, ui),
        JournalVerb::Show(args) => show(args, ui),
        JournalVerb::Cut(args) => cut(args, ui),
        JournalVerb::Snapshot(at) => snapshot::snapshot(at, registry, ui),
        JournalVerb::Trim(args) => snapshot::trim(args, registry, ui),
    }
}

/// What is wrong with a journal, and what is safe all the same.
pub(crate) fn finding(error: &JournalError, path: &Path) -> Diagnostic {
    let (code, fix) = match error {
        JournalError::Corrupt { sequence, .. } => (
            codes::JOURNAL_CORRUPT,
            format!(
                "the records up to {} are sound: copy the folder, look at the disk; if power went \
                 and it was not written with `power`, tse journal cut",
                sequence - 1
            ),
        ),
        JournalError::Newer { .. } => {
            (codes::JOURNAL_NEWER, "read it with the version of tse that wrote it".into())
        }
        JournalError::Foreign { snapshot } => (
            codes::NO_SNAPSHOT,
            format!(
                "take {} away: the records are as they were",
                tse_journal::snapshot_name(*snapshot)
            ),
        ),
        JournalError::Empty => (
            codes::NO_JOURNAL,
            "tse backtest CONFIG --journal writes one into its run folder".into(),
        ),
        JournalError::Disk(DiskError { trouble: Trouble::Full, .. }) => {
            (codes::JOURNAL_DISK, "what was recorded is safe: make room, then run again".into())
        }
        JournalError::Disk(DiskError { trouble: Trouble::Missing, .. }) => (
            codes::NO_JOURNAL,
            "check the path: a run folder, or the folder `journal` in it".into(),
        ),
        _ => (codes::JOURNAL_DISK, "check the folder and its permissions".to_owned()),
    };
    let at = At::Place(path.display().to_string());
    Diagnostic::error(code, error.to_string()).at(at, "").fix(fix)
}

/// Says what a short name meant: it may be a run that was cut off, or one before the newest.
pub(super) fn say_which(at: &JournalAt, path: &Path, ui: &Ui) {
    if !path.starts_with(&at.journal) {
        ui.note(format!("journal {}", path.display()));
    }
}

/// The folder of the journal that is meant.
pub(super) fn folder(at: &JournalAt) -> Result<PathBuf, Diagnostics> {
    let given = Path::new(&at.journal);
    if given.is_dir() && at.journal != "last" {
        let inside = given.join(JOURNAL);
        return Ok(if inside.is_dir() { inside } else { given.to_owned() });
    }
    if given.components().count() > 1 && !given.exists() {
        return Err(finding(&JournalError::Empty, given).into());
    }
    match run::find_recorded(&at.runs, &at.journal) {
        Ok(run) => Ok(run.join(JOURNAL)),
        Err(wrong) => Err(match run::find(&at.runs, &at.journal, "tse report") {
            // There is such a run, but it was not recorded.
            Ok(run) => finding(&JournalError::Empty, &run.join(JOURNAL)).into(),
            Err(_) => Diagnostic::from(wrong).into(),
        }),
    }
}

/// A journal to read, whoever writes it.
pub(super) fn look_at(path: &Path) -> Result<Folder, Diagnostics> {
    Folder::look_at(path).map_err(|error| finding(&error.into(), path).into())
}

/// Reads a journal, or what is behind a mark; says how far it is when that takes long.
pub(super) fn walk(
    path: &Path,
    after: Option<Mark>,
    ui: &Ui,
    mut each: impl FnMut(&Record<'_>),
) -> Result<Contents, Diagnostics> {
    let wrong = |error: JournalError| Diagnostics::from(finding(&error, path));
    let disk = look_at(path)?;
    let begun = Instant::now();
    let mut bar: Option<ProgressBar> = None;
    let mut records = 0_u64;
    let contents = read_after(&disk, after, |record| {
        records += 1;
        if ui.progress && records.is_multiple_of(65_536) && begun.elapsed() > Duration::from_secs(1)
        {
            let bar = bar.get_or_insert_with(|| {
                ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
            });
            let rate = records as f64 / begun.elapsed().as_secs_f64();
            bar.set_message(format!("{} records · {}/s", short(records as f64), short(rate)));
            bar.tick();
        }
        each(record);
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
    contents.map_err(wrong)
}

fn verify(at: &JournalAt, ui: &Ui) -> Result<u8, Diagnostics> {
    let path = folder(at)?;
    let (mut inputs, mut sent, mut ended) = (0_u64, 0_u64, false);
    let mut snapshots = snapshot::all(&path)?;
    let contents = walk(&path, None, ui, |record| {
        for it in &mut snapshots {
            it.pass(record);
        }
        inputs += u64::from(record.head.kind == kind::INPUT);
        sent += u64::from(record.head.kind == kind::SENT);
        ended = record.head.kind == kind::END;
    })?;
    say_which(at, &path, ui);
    if let Some(foreign) = snapshots.iter().find_map(snapshot::Seen::foreign) {
        return Err(finding(&JournalError::Foreign { snapshot: foreign }, &path).into());
    }
    let records = contents.last + 1 - contents.first;
    let chain = format!("{:016x}", contents.chain);
    if ui.json {
        let torn = contents.torn.as_ref().map(|torn| {
            json!({ "file": torn.segment, "at": torn.at, "bytes": torn.bytes, "record": torn.sequence })
        });
        let data = json!({
            "journal": path, "records": records, "first": contents.first, "last": contents.last,
            "inputs": inputs, "sent": sent, "files": contents.segments, "chain": chain,
            "ended": ended, "torn": torn,
            "snapshots": snapshots.iter().map(snapshot::Seen::json).collect::<Vec<_>>(),
        });
        ui.success("tse.journal.verify/1", &Diagnostics::new(), &data);
        return Ok(0);
    }
    ui.print(format!(
        "{} records in {} files · {} inputs · {} sent · chain {chain}",
        count(records),
        count(contents.segments),
        count(inputs),
        count(sent)
    ));
    if contents.first > 1 {
        ui.print(format!("records up to {} were taken away", count(contents.first - 1)));
    }
    for it in &snapshots {
        ui.print(it.text());
    }
    if let Some(torn) = &contents.torn {
        ui.print(format!(
            "the end was not written whole: {} bytes from byte {} of {} on; nothing in them was \
             acknowledged, and opening the journal cuts them off",
            torn.bytes, torn.at, torn.segment
        ));
    } else if !ended {
        ui.print("it stops without an end: the run was cut off, or is still going on");
    }
    ui.print(format!("ok · next: tse replay {}", at.journal));
    Ok(0)
}

/// Cuts off what no longer can be believed. Without `--yes` it only says what that would be.
fn cut(args: &CutJournal, ui: &Ui) -> Result<u8, Diagnostics> {
    let path = folder(&args.at)?;
    let wrong = |error: JournalError| Diagnostics::from(finding(&error, &path));
    let disk = Folder::look_at(&path).map_err(|error| wrong(error.into()))?;
    let damage = match read(&disk, |_| ()) {
        Ok(contents) => {
            let records = contents.last + 1 - contents.first;
            ui.print(format!("nothing is damaged in {} records", count(records)));
            return Ok(0);
        }
        Err(JournalError::Corrupt { segment, at, sequence, .. }) => (segment, at, sequence),
        Err(error) => return Err(wrong(error)),
    };
    drop(disk);
    let (segment, at, sequence) = damage;
    let what =
        format!("record {} and all behind it, from byte {at} of {segment} on", count(sequence));
    if !args.yes {
        let said = format!("{what} would be lost, and nothing was changed");
        let fix = "copy the folder first, then add --yes";
        return Err(Diagnostic::error(codes::BAD_ARGUMENT, said).fix(fix).into());
    }
    let mut disk = Folder::open(&path).map_err(|error| wrong(error.into()))?;
    let cut = tse_journal::cut(&mut disk).map_err(wrong)?;
    let last = cut.map_or(sequence - 1, |cut| cut.last);
    if ui.json {
        let data = json!({ "journal": path, "last": last, "file": segment, "at": at });
        ui.success("tse.journal.cut/1", &Diagnostics::new(), &data);
    } else {
        ui.print(format!("cut off {what}; the last is record {} now", count(last)));
    }
    Ok(0)
}

/// A record in words.
fn words(record: &Record<'_>) -> String {
    let unreadable = || format!("{} bytes that cannot be read", record.payload.len());
    let time = record.head.time;
    match record.head.kind {
        kind::INPUT => {
            record::read_input(record.payload, time).map_or_else(unreadable, |it| format!("{it:?}"))
        }
        kind::SENT => record::read_request(record.payload, time)
            .map_or_else(unreadable, |(venue, request)| format!("venue {}: {request:?}", venue.0)),
        kind::BEGIN => format!("config of {} bytes", record.payload.len()),
        kind::END | kind::CHECK => format!("state {}", String::from_utf8_lossy(record.payload)),
        _ => unreadable(),
    }
}

fn show(args: &ShowJournal, ui: &Ui) -> Result<u8, Diagnostics> {
    let path = folder(&args.at)?;
    let mut rows: Vec<Value> = Vec::new();
    // The beginning may have been taken away.
    let from = args.from.max(snapshot::beginning(&path)?);
    let end = from.saturating_add(args.count);
    let contents = walk(&path, None, ui, |record| {
        let head = record.head;
        if head.sequence < from || head.sequence >= end {
            return;
        }
        let (kind, text) = (kind::name(head.kind), words(record));
        if ui.json {
            rows.push(json!({
                "record": head.sequence, "time": head.time.to_string(), "kind": kind, "text": text,
            }));
        } else {
            // A run begins before the first moment of its market.
            let time = match head.time {
                Timestamp::EPOCH => "-".to_owned(),
                time => time.to_string(),
            };
            ui.print(format!("{:>10}  {time:<30}  {kind:<5}  {text}", head.sequence));
        }
    })?;
    say_which(&args.at, &path, ui);
    if from > contents.last {
        let what = format!("the journal ends at record {}", count(contents.last));
        let fix = format!("--from {}", contents.last.saturating_sub(9).max(contents.first));
        return Err(Diagnostic::error(codes::NOTHING_CALLED, what).fix(fix).into());
    }
    if ui.json {
        let data = json!({ "records": rows, "first": contents.first, "last": contents.last });
        ui.success("tse.journal.show/1", &Diagnostics::new(), &data);
    } else if end <= contents.last {
        let all = count(contents.last);
        let to = count(end - 1);
        let name = &args.at.journal;
        ui.note(format!("up to record {to} of {all} · next: tse journal show {name} --from {end}"));
    }
    Ok(0)
}

/// `tse replay JOURNAL`: the same inputs through this program's engine.
pub(crate) fn replay(args: &ReplayArgs, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let path = folder(&args.at)?;
    let mut found: Option<Diagnostics> = None;
    let mut difference: Option<Difference> = None;
    // Where its beginning was taken away, a journal begins with the oldest snapshot.
    let pick = match snapshot::beginning(&path)? {
        1 => None,
        _ => Some(Pick::Oldest),
    };
    let (after, mut replay) = snapshot::start(&path, pick, |text| {
        config::load_engine("the journal's config", text, registry)
    })?;
    let mut snapshots = snapshot::whole(&path)?.into_iter().peekable();
    let (mut same, mut other): (Vec<u64>, Option<u64>) = (Vec::new(), None);
    let contents = walk(&path, after, ui, |record| {
        if found.is_some() || difference.is_some() || other.is_some() {
            return;
        }
        if record.head.kind == kind::BEGIN {
            let text = String::from_utf8_lossy(record.payload);
            match config::load_engine("the journal's config", &text, registry) {
                Ok(kernel) => replay = Some(Replay::new(kernel)),
                Err(wrong) => found = Some(wrong),
            }
        } else if let Some(replay) = &mut replay {
            difference = replay.take(record).err();
            let at = record.head.sequence;
            while snapshots.next_if(|it| it.after.sequence < at).is_some() {}
            let made = |it: &Snapshot| it.after.sequence == at;
            if let Some(snapshot) = snapshots.next_if(made) {
                match replay.is_at(&snapshot) {
                    Some(true) if record.chain == Some(snapshot.after.chain) => same.push(at),
                    Some(_) => other = Some(at),
                    // Another version made it: there is nothing to compare.
                    None => {}
                }
            }
        }
    })?;
    if let Some(found) = found {
        return Err(found);
    }
    let Some(replay) = replay else {
        return Err(finding(&JournalError::Empty, &path).into());
    };
    say_which(&args.at, &path, ui);
    let hash = replay.state_hash().to_string();
    if ui.json {
        let data = json!({
            "journal": path, "inputs": replay.inputs(), "sent": replay.requests(),
            "same": difference.is_none() && other.is_none(), "ended": replay.ended(),
            "state_hash": hash, "from": after.map_or(1, |mark| mark.sequence + 1),
            "snapshots": same, "other_snapshot": other,
            "difference": difference.as_ref().map(|it| {
                json!({ "record": it.sequence, "text": it.to_string() })
            }),
        });
        ui.success("tse.replay/1", &Diagnostics::new(), &data);
    } else if let Some(difference) = &difference {
        ui.print(format!("differs after {} inputs", count(replay.inputs())));
        ui.print(difference);
        let from = difference.sequence.saturating_sub(3).max(1);
        ui.note(format!("next: tse journal show {} --from {from} --count 5", args.at.journal));
    } else if let Some(at) = other {
        ui.print(format!(
            "the snapshot after record {} is not what the records lead to",
            count(at)
        ));
    } else {
        let from = after.map_or_else(String::new, |mark| {
            format!(" from the snapshot after record {} on", count(mark.sequence))
        });
        let snapshots = match same.len() {
            0 => String::new(),
            1 => " · 1 snapshot".to_owned(),
            more => format!(" · {more} snapshots"),
        };
        ui.print(format!(
            "same{from}: {} inputs · {} sent{snapshots} · state {hash}",
            count(replay.inputs()),
            count(replay.requests())
        ));
        if !replay.ended() {
            let last = contents.last;
            ui.print(format!(
                "the journal stops at record {last}, before an end: so far it is the same"
            ));
        }
    }
    Ok(u8::from(difference.is_some() || other.is_some()))
}
