//! The run folder: where a run's files are made, and how it comes to be all there or not at all.
//!
//! Files are written into a hidden folder beside the others and renamed when everything is in place;
//! a run that fails removes it. Its journal is never removed: it is what really happened, and stays in
//! a folder `<utc>-cut-off-<process>`. Names are `<utc>-<name>-<id>`, so that the newest sorts last.

use super::JOURNAL;
use super::fault::Failure;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How many digits of a run's id its folder carries.
pub(crate) const ID_DIGITS: usize = 8;

/// How folders begin that are not finished; the number of their process follows.
const UNFINISHED: &str = ".unfinished-";

/// What stands between the time and the process in the name of a folder whose run did not end.
const CUT_OFF: &str = "-cut-off-";

/// A run folder that is not finished.
#[derive(Debug)]
pub(crate) struct Folder {
    runs: PathBuf,
    path: PathBuf,
    kept: bool,
}

impl Folder {
    /// Makes a folder for a run among `runs`.
    pub(crate) fn create(runs: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(runs).map_err(|source| Failure::io("make the folder", runs, source))?;
        sweep(runs);
        let path = runs.join(format!("{UNFINISHED}{}", std::process::id()));
        fs::create_dir(&path).map_err(|source| Failure::io("make the folder", &path, source))?;
        Ok(Self { runs: runs.to_owned(), path, kept: false })
    }

    /// Where files are written to.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a whole file.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.path.join(name);
        fs::write(&path, text).map_err(|source| Failure::io("write", &path, source))
    }

    /// Gives the folder its name; from now on it is a run.
    pub(crate) fn keep(mut self, name: &str, run_id: &str) -> Result<PathBuf, Failure> {
        let id = run_id.get(..ID_DIGITS).unwrap_or(run_id);
        let stamp = stamp(SystemTime::now());
        let path = unused(&self.runs, &format!("{stamp}-{}-{id}", plain(name)));
        fs::rename(&self.path, &path)
            .map_err(|source| Failure::io("rename the run folder to", &path, source))?;
        self.kept = true;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            discard(&self.path);
        }
    }
}

/// Gives up an unfinished folder: what is half-written goes, a journal stays, under a name that tells.
///
/// Whoever calls this is failing already or about something else: a folder that cannot be removed or
/// renamed stays as it is.
pub(crate) fn discard(unfinished: &Path) {
    let journal = unfinished.join(JOURNAL);
    let home = unfinished.parent().zip(unfinished_process(unfinished));
    let Some((runs, process)) = home.filter(|_| is_recorded(&journal)) else {
        let _ = fs::remove_dir_all(unfinished);
        return;
    };
    for entry in fs::read_dir(unfinished).into_iter().flatten().flatten() {
        if entry.path() != journal {
            let _ = fs::remove_file(entry.path());
        }
    }
    let stamp = stamp(last_written(&journal));
    let _ = fs::rename(unfinished, unused(runs, &format!("{stamp}{CUT_OFF}{process}")));
}

/// The process that an unfinished folder is named after.
fn unfinished_process(folder: &Path) -> Option<u32> {
    folder.file_name()?.to_str()?.strip_prefix(UNFINISHED)?.parse().ok()
}

/// Removes what processes left that were ended from outside, but for their journals.
fn sweep(runs: &Path) {
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        let path = entry.path();
        let ours = unfinished_process(&path) == Some(std::process::id());
        if ours || is_over(&path) {
            discard(&path);
        }
    }
}

/// Whether a folder is unfinished and stays so. One whose process may still live is not.
fn is_over(folder: &Path) -> bool {
    let processes = Path::new("/proc");
    unfinished_process(folder).is_some_and(|process| {
        processes.join("self").exists() && !processes.join(process.to_string()).exists()
    })
}

/// When a folder whose run was cut off last was written to, as in the names of runs; `None` for other
/// folders, and for those whose run may still go on.
pub(crate) fn cut_off_at(folder: &Path) -> Option<String> {
    let journal = folder.join(JOURNAL);
    let name = folder.file_name()?.to_str()?;
    let known = name.contains(CUT_OFF) && !folder.join("stats.json").exists();
    let over = is_recorded(&journal) && (known || is_over(folder));
    over.then(|| stamp(last_written(&journal)))
}

/// What this process left of a run that failed: the folder with its journal.
pub(crate) fn left_by_us(runs: &Path) -> Option<PathBuf> {
    let ours = format!("{CUT_OFF}{}", std::process::id());
    let entries = fs::read_dir(runs).into_iter().flatten().flatten().map(|entry| entry.path());
    let named = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.ends_with(&ours))
    };
    entries.filter(named).max()
}

/// Whether a journal got as far as its first file.
fn is_recorded(journal: &Path) -> bool {
    fs::read_dir(journal).into_iter().flatten().flatten().any(|entry| {
        let name = entry.file_name();
        let segment = Path::new(&name).extension().is_some_and(|it| it == "tsej");
        segment && entry.metadata().is_ok_and(|it| it.len() > 0)
    })
}

/// When the newest file of a folder was written to.
fn last_written(folder: &Path) -> SystemTime {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let written = entries.filter_map(|entry| entry.metadata().and_then(|it| it.modified()).ok());
    written.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

/// A path among `runs` that is not there yet: this name, or with a number behind it.
fn unused(runs: &Path, name: &str) -> PathBuf {
    let mut path = runs.join(name);
    let mut again = 2;
    // The same run twice within a second.
    while path.exists() {
        path = runs.join(format!("{name}-{again}"));
        again += 1;
    }
    path
}

/// A moment as `YYYYMMDD-HHMMSS`, UTC.
fn stamp(now: SystemTime) -> String {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let nanos = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
    let text = tse_model::Timestamp::from_nanos(nanos).to_string();
    let digits: String = text.chars().take(19).filter(char::is_ascii_digit).collect();
    format!("{}-{}", &digits[..8], &digits[8..])
}

/// A name that every file system takes.
fn plain(name: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || c == '_' || c == '-' { c } else { '-' };
    let plain: String = name.chars().take(60).map(keep).collect();
    if plain.is_empty() { "run".to_owned() } else { plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_folder_that_is_not_kept_leaves_nothing_behind() {
        let home = tempfile::tempdir().unwrap();
        let runs = home.path().join("runs");
        let folder = Folder::create(&runs).unwrap();
        folder.write("a.txt", "a").unwrap();
        drop(folder);
        assert_eq!(fs::read_dir(&runs).unwrap().count(), 0);
    }

    #[test]
    fn what_a_killed_process_left_is_swept() {
        let home = tempfile::tempdir().unwrap();
        // No system gives out this number.
        let left = home.path().join(format!("{UNFINISHED}{}", u32::MAX));
        fs::create_dir(&left).unwrap();
        fs::write(left.join("orders.parquet"), "half").unwrap();
        let other = home.path().join(".unfinished-business");
        fs::create_dir(&other).unwrap();
        drop(Folder::create(home.path()).unwrap());
        assert_eq!(left.exists(), !Path::new("/proc/self").exists());
        assert!(other.exists());
    }

    #[test]
    fn a_journal_is_kept_whatever_becomes_of_its_run() {
        let home = tempfile::tempdir().unwrap();
        let record = |folder: &Path| {
            fs::create_dir_all(folder.join(JOURNAL)).unwrap();
            fs::write(folder.join(JOURNAL).join("1.tsej"), "what happened").unwrap();
            fs::write(folder.join("orders.parquet"), "half").unwrap();
        };
        let failed = Folder::create(home.path()).unwrap();
        record(failed.path());
        assert_eq!(cut_off_at(failed.path()), None, "its process lives");
        drop(failed);
        let left = left_by_us(home.path()).expect("a folder named after this process");
        let mut kept = vec![left];
        if Path::new("/proc/self").exists() {
            // No system gives out this number.
            let killed = home.path().join(format!("{UNFINISHED}{}", u32::MAX));
            record(&killed);
            assert!(cut_off_at(&killed).is_some(), "found before anything swept it");
            drop(Folder::create(home.path()).unwrap());
            assert!(!killed.exists());
            let entries = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path());
            kept = entries.collect();
            assert_eq!(kept.len(), 2, "{kept:?}");
        }
        for folder in kept {
            assert!(cut_off_at(&folder).is_some(), "{folder:?}");
            let text = fs::read_to_string(folder.join(JOURNAL).join("1.tsej")).unwrap();
            assert_eq!(text, "what happened");
            assert!(!folder.join("orders.parquet").exists(), "half a table helps nobody");
        }
    }

    #[test]
    fn the_same_run_twice_in_a_second_has_two_folders() {
        let home = tempfile::tempdir().unwrap();
        let mut names = Vec::new();
        for _ in 0..3 {
            let folder = Folder::create(home.path()).unwrap();
            names.push(folder.keep("my run", "0123456789abcdef").unwrap());
        }
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 3);
        let name = names[0].file_name().unwrap().to_str().unwrap();
        assert!(name.contains("-my-run-01234567"), "{name}");
    }

    #[test]
    fn stamps_are_utc() {
        let moment = SystemTime::UNIX_EPOCH + Duration::from_secs(951_827_696);
        assert_eq!(stamp(moment), "20000229-123456");
    }
}
