//! The files of a run folder that are written at its end, and their hashes.

use super::fault::{Failure, READ};
use super::folder::Folder;
use super::inputs::hash_of;
use super::summary::SCHEMA;
use crate::diagnose::json;
use crate::report::{Parts, page};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The facts of a run that another run of the same inputs does not share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) started: SystemTime,
    pub(crate) wall_seconds: f64,
    pub(crate) events: u64,
}

/// Writes what is still missing and gives the folder its name.
pub(crate) fn keep(folder: Folder, parts: &Parts<'_>, timing: &Timing) -> Result<PathBuf, Failure> {
    let Parts { summary, told, warnings, .. } = parts;
    let data = serde_json::to_value(summary).expect("a summary is plain data");
    folder.write("run.toml", &told.config)?;
    folder.write("stats.json", &pretty(&json::success(SCHEMA, warnings, &data)))?;
    folder.write("report.html", &page(parts))?;
    let manifest = json!({
        "schema": "tse.manifest/1",
        "run_id": summary.run_id,
        "name": summary.name,
        "status": summary.status,
        "tse_version": summary.tse_version,
        "seed": summary.seed,
        "state_hash": summary.state_hash,
        "config_sha256": told.inputs.config_sha256,
        "inputs": told.inputs.files,
        "artefacts": artefacts(&folder)?,
    });
    folder.write("manifest.json", &pretty(&manifest))?;
    let since = timing.started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let started = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
    let clock = json!({
        "schema": "tse.timing/1",
        "started": tse_model::Timestamp::from_nanos(started).to_string(),
        "wall_seconds": timing.wall_seconds,
        "events_per_second": timing.events as f64 / timing.wall_seconds.max(1e-9),
    });
    folder.write("timing.json", &pretty(&clock))?;
    folder.keep(&summary.name, &summary.run_id)
}

/// The hash of every file that is there, a journal's with its folder in front.
fn artefacts(folder: &Folder) -> Result<BTreeMap<String, String>, Failure> {
    let mut all = BTreeMap::new();
    hash_all(folder.path(), "", &mut all)?;
    Ok(all)
}

fn hash_all(folder: &Path, under: &str, all: &mut BTreeMap<String, String>) -> Result<(), Failure> {
    let wrong = |source| Failure::io(READ, folder, source);
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let name = format!("{under}{}", entry.file_name().to_string_lossy());
        let path = entry.path();
        if path.is_dir() {
            hash_all(&path, &format!("{name}/"), all)?;
        } else if !name.ends_with("/lock") {
            all.insert(name, hash_of(&path)?);
        }
    }
    Ok(())
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
