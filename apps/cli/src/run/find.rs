//! Runs by name: `last`, a folder, or the beginning of an id.

use super::fault::Failure;
use super::{JOURNAL, folder};
use crate::diagnose::did_you_mean;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A finished run on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Run {
    path: PathBuf,
    /// Name of the folder.
    name: String,
    /// `YYYYMMDD-HHMMSS`.
    stamp: String,
    id: String,
    /// Orders runs of one second.
    made: Option<SystemTime>,
}

impl Run {
    fn at(path: PathBuf) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_owned();
        let (stamp, rest) = name.split_at_checked(15)?;
        let digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
        if !(digits(&stamp[..8]) && digits(&stamp[9..]) && path.join("stats.json").is_file()) {
            return None;
        }
        let id = rest.rsplit('-').find(|part| part.len() >= folder::ID_DIGITS)?.to_owned();
        let made = fs::metadata(&path).and_then(|meta| meta.modified()).ok();
        Some(Self { stamp: stamp.to_owned(), id, made, path: path.clone(), name })
    }

    /// What is left of a run that was cut off while it was recorded. It has no id.
    fn cut_off(path: PathBuf) -> Option<Self> {
        let stamp = folder::cut_off_at(&path)?;
        let name = path.file_name()?.to_str()?.to_owned();
        let made = fs::metadata(&path).and_then(|meta| meta.modified()).ok();
        Some(Self { stamp, id: name.clone(), made, path, name })
    }
}

/// The folder of the run that `text` means, among those in `runs`. `verb` is the command that asks: a fix names it.
pub(crate) fn find(runs: &Path, text: &str, verb: &str) -> Result<PathBuf, Failure> {
    let given = Path::new(text);
    if text != "last" && given.join("stats.json").is_file() {
        return Ok(given.to_owned());
    }
    let fix = "tse backtest examples/market-making.toml";
    pick(runs, list(runs, Run::at), text, fix, verb)
}

/// The folder of the recorded run that `text` means: one that ended, or one that was cut off.
pub(crate) fn find_recorded(runs: &Path, text: &str) -> Result<PathBuf, Failure> {
    let mut all = list(runs, |path| Run::at(path.clone()).or_else(|| Run::cut_off(path)));
    all.retain(|run| run.path.join(JOURNAL).is_dir());
    let fix = "tse backtest examples/market-making.toml --journal";
    pick(runs, all, text, fix, "tse journal verify")
}

fn pick(
    runs: &Path,
    mut all: Vec<Run>,
    text: &str,
    first: &str,
    verb: &str,
) -> Result<PathBuf, Failure> {
    if all.is_empty() {
        return Err(Failure::NoRun {
            what: format!("there are no runs in {}", runs.display()),
            fix: first.to_owned(),
        });
    }
    let newest = |all: Vec<Run>| all.into_iter().next_back().map(|run| run.path);
    if text == "last" {
        return Ok(newest(all).expect("there is one"));
    }
    let known = all.clone();
    all.retain(|run| run.id.starts_with(text) || run.name.starts_with(text));
    // The same inputs run twice are one run: the newest folder stands for it.
    let one = all.windows(2).all(|pair| pair[0].id == pair[1].id);
    match (one, newest(all.clone())) {
        (true, Some(path)) => Ok(path),
        (false, _) => {
            let ids: Vec<_> = all.iter().map(|run| run.name.as_str()).take(8).collect();
            Err(Failure::NoRun {
                what: format!("`{text}` may mean {} runs", all.len()),
                fix: format!("one of {}", ids.join(", ")),
            })
        }
        (_, None) => {
            let ids = known.iter().map(|run| run.id.as_str());
            let near = did_you_mean(text, ids).map(|id| format!("did you mean `{id}`?"));
            let newest = known.last().map_or("last", |run| run.id.as_str());
            Err(Failure::NoRun {
                what: format!("no run in {} is called `{text}`", runs.display()),
                fix: near.unwrap_or_else(|| format!("{verb} {newest}   (the newest)")),
            })
        }
    }
}

/// All runs of a folder that `at` knows, oldest first.
fn list(runs: &Path, at: impl Fn(PathBuf) -> Option<Run>) -> Vec<Run> {
    let entries = fs::read_dir(runs).into_iter().flatten().flatten();
    let mut all: Vec<_> = entries.filter_map(|entry| at(entry.path())).collect();
    all.sort_by(|a, b| (&a.stamp, a.made, &a.name).cmp(&(&b.stamp, b.made, &b.name)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(names: &[&str]) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        for name in names {
            let run = home.path().join(name);
            fs::create_dir(&run).unwrap();
            fs::write(run.join("stats.json"), "{}").unwrap();
        }
        home
    }

    fn found(home: &tempfile::TempDir, text: &str) -> Result<String, String> {
        match find(home.path(), text, "tse stats") {
            Ok(path) => Ok(path.file_name().unwrap().to_str().unwrap().to_owned()),
            Err(Failure::NoRun { what, fix }) => {
                Err(format!("{what} / {fix}").replace(&home.path().display().to_string(), "RUNS"))
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn runs_are_found_by_last_and_by_any_unique_beginning() {
        let home = runs(&[
            "20261122-094600-mm-3f9a0000",
            "20261122-094700-mm-fast-3f9b0000",
            "20261122-094500-ema-3f9a0000-2",
            "notes",
        ]);
        assert_eq!(found(&home, "last").unwrap(), "20261122-094700-mm-fast-3f9b0000");
        assert_eq!(found(&home, "3f9a").unwrap(), "20261122-094600-mm-3f9a0000");
        assert_eq!(found(&home, "20261122-0945").unwrap(), "20261122-094500-ema-3f9a0000-2");
        assert!(found(&home, "3f9").unwrap_err().starts_with("`3f9` may mean 3 runs / one of"));
        let unknown = found(&home, "3f9c0000").unwrap_err();
        assert_eq!(unknown, "no run in RUNS is called `3f9c0000` / did you mean `3f9a0000`?");
        // Nothing is near: the newest is named, with the command that was asked.
        let far = found(&home, "nope").unwrap_err();
        assert_eq!(far, "no run in RUNS is called `nope` / tse stats 3f9b0000   (the newest)");
    }

    #[test]
    fn without_runs_the_next_command_is_named() {
        let home = runs(&[]);
        let expected = "there are no runs in RUNS / tse backtest examples/market-making.toml";
        assert_eq!(found(&home, "last").unwrap_err(), expected);
    }
}
