//! The run folder: where a run's files are made, and how it comes to be all there or not at all.
//!
//! Files are written into a hidden folder beside the others and renamed when everything is in place;
//! a run that fails removes it. Names are `<utc>-<name>-<id>`, so that the newest sorts last.

use super::fault::Failure;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// How many digits of a run's id its folder carries.
pub(crate) const ID_DIGITS: usize = 8;

/// How folders begin that are not finished; the number of their process follows.
const UNFINISHED: &str = ".unfinished-";

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
        let base = format!("{}-{}-{id}", stamp(SystemTime::now()), plain(name));
        let mut path = self.runs.join(&base);
        let mut again = 2;
        // The same run twice within a second.
        while path.exists() {
            path = self.runs.join(format!("{base}-{again}"));
            again += 1;
        }
        fs::rename(&self.path, &path)
            .map_err(|source| Failure::io("rename the run folder to", &path, source))?;
        self.kept = true;
        Ok(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.kept {
            // Already failing: that this fails too would not help anybody to know.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Removes what processes left that were ended from outside. A folder whose process may still live is
/// left alone, and one that cannot be removed harms nobody.
fn sweep(runs: &Path) {
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(UNFINISHED));
        let Some(process) = process.and_then(|process| process.parse::<u32>().ok()) else {
            continue;
        };
        let processes = Path::new("/proc");
        let gone = processes.join("self").exists() && !processes.join(process.to_string()).exists();
        if gone || process == std::process::id() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
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
