//! Backtests that are asked for over the network: each a process of its own, one at a time, behind the engine.
//!
//! A backtest is of a config that lies where the operator put it; who asks may change values of it, but not where its
//! data come from: nobody reads files of this machine by it. The newest are remembered, and their run folders kept.

use crate::codes;
use crate::http::Problem;
use rustix::process::{Pid, Resource, Rlimit, prlimit, setpriority_process};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::{Semaphore, watch};
use utoipa::ToSchema;

/// How many may wait or run.
const PLACES: usize = 8;
/// How many are remembered, and how many run folders are kept.
const REMEMBERED: usize = 20;
/// How long one may take, by the clock; and in time of a processor, should this process die before it.
const LASTS: Duration = Duration::from_secs(600);
/// How much memory one may have, and how large a file may be that it writes.
const MEMORY_MAX: u64 = 4 << 30;
const FILE_MAX: u64 = 256 << 20;
/// How many values of a config may be changed.
const SET_MAX: usize = 64;
/// A variable that tells `tse` to end at once when who began it does, however that ends.
pub const ENDS_WITH_PARENT: &str = "TSE_ENDS_WITH_PARENT";
/// The parts of a config that may be: none in which a file can be named.
pub const MAY_BE_SET: [&str; 4] = ["run", "synthetic", "strategies", "limits"];
/// The longest answer of a backtest.
const OUTPUT_MAX: usize = 8 << 20;

/// A backtest that is wanted.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedBacktest {
    /// The file of its config, without a folder: beside the config of this engine, and that one without.
    #[serde(default)]
    #[schema(example = "demo.toml")]
    pub config: Option<String>,
    /// Values of it that are to be others, such as `run.seed=7`.
    #[serde(default)]
    #[schema(max_items = 64)]
    pub set: Vec<String>,
}

/// How a backtest is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BacktestStatus {
    /// Others are before it.
    Waiting,
    /// It runs.
    Running,
    /// It has a result.
    Done,
    /// It has none, and says why.
    Failed,
}

/// A backtest, and what came of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Backtest {
    /// What it is asked for by.
    pub id: String,
    /// How it is.
    pub status: BacktestStatus,
    /// The file of its config.
    pub config: String,
    /// What was changed in it.
    pub set: Vec<String>,
    /// Its figures, as `tse backtest --json` gives them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
    /// Why there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub errors: Option<Value>,
}

/// What makes backtests.
#[derive(Clone, Debug)]
pub struct Backtester {
    /// The program `tse`.
    pub program: PathBuf,
    /// The config of this engine.
    pub config: PathBuf,
    /// What was changed in it, as `--set` has it.
    pub set: Vec<String>,
    /// Where run folders are made.
    pub runs: PathBuf,
}

/// All that were asked for.
#[derive(Debug)]
pub(crate) struct Backtests {
    by: Backtester,
    all: Mutex<BTreeMap<u64, Backtest>>,
    turn: Semaphore,
    ending: watch::Receiver<bool>,
}

impl Backtests {
    pub(crate) fn new(by: Backtester, ending: watch::Receiver<bool>) -> Self {
        Self { by, all: Mutex::default(), turn: Semaphore::new(1), ending }
    }

    /// Puts one in line.
    ///
    /// # Errors
    /// No such config, a value that may not be changed, or no place.
    pub(crate) fn start(self: &Arc<Self>, wanted: WantedBacktest) -> Result<Backtest, Problem> {
        let path = self.config(wanted.config.as_deref())?;
        may_be_set(&wanted.set)?;
        let config = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (at, backtest) = {
            let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
            let open = |it: &&Backtest| {
                matches!(it.status, BacktestStatus::Waiting | BacktestStatus::Running)
            };
            if all.values().filter(open).count() >= PLACES {
                let what = format!("{PLACES} backtests wait already");
                return Err(Problem::new(codes::QUEUE_FULL, what).again_in(5));
            }
            let last = all.last_key_value().map(|(last, _)| *last);
            let at = last.or_else(|| self.folders().max()).map_or(1, |last| last + 1);
            let (id, status) = (format!("b{at}"), BacktestStatus::Waiting);
            let backtest =
                Backtest { id, status, config, set: wanted.set, result: None, errors: None };
            all.insert(at, backtest.clone());
            while all.len() > REMEMBERED {
                all.pop_first();
            }
            (at, backtest)
        };
        let (this, set) = (Arc::clone(self), backtest.set.clone());
        tokio::spawn(async move { this.work(at, path, set).await });
        Ok(backtest)
    }

    /// One that was asked for.
    pub(crate) fn find(&self, id: &str) -> Option<Backtest> {
        let at: u64 = id.strip_prefix('b')?.parse().ok()?;
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&at).filter(|it| it.id == id).cloned()
    }

    fn config(&self, name: Option<&str>) -> Result<PathBuf, Problem> {
        let Some(name) = name else { return Ok(self.by.config.clone()) };
        let is_plain = !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
        let folder = self.by.config.parent().unwrap_or(Path::new(""));
        let path = folder.join(name);
        if is_plain && name.ends_with(".toml") && path.is_file() {
            return Ok(path);
        }
        let what = format!("no config called `{name}` is beside that of this engine");
        Err(Problem::new(codes::NO_SUCH_THING, what))
    }

    /// The numbers of run folders that are there.
    fn folders(&self) -> impl Iterator<Item = u64> {
        let entries = std::fs::read_dir(&self.by.runs).into_iter().flatten().flatten();
        entries.filter_map(|it| it.file_name().to_str()?.strip_prefix('b')?.parse().ok())
    }

    /// Removes the oldest run folders, so that they do not fill the disk of the journal.
    fn tidy(&self) {
        let mut all: Vec<_> = self.folders().collect();
        all.sort_unstable();
        for at in &all[..all.len().saturating_sub(REMEMBERED)] {
            // What cannot be removed is tried again at the next one.
            let _ = std::fs::remove_dir_all(self.by.runs.join(format!("b{at}")));
        }
    }

    fn edit(&self, at: u64, edit: impl FnOnce(&mut Backtest)) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_mut(&at).map(edit);
    }

    async fn work(&self, at: u64, config: PathBuf, set: Vec<String>) {
        let Ok(_turn) = self.turn.acquire().await else { return };
        self.edit(at, |it| it.status = BacktestStatus::Running);
        let mut ending = self.ending.clone();
        let done = tokio::select! {
            done = self.run(at, &config, &set) => done,
            () = tokio::time::sleep(LASTS) => {
                Err(format!("it took longer than {} s", LASTS.as_secs()).into())
            }
            _ = ending.wait_for(|is| *is) => Err("the engine ended before it".into()),
        };
        if done.is_err() {
            // What there is of a run that has no result is of use to nobody.
            let _ = std::fs::remove_dir_all(self.by.runs.join(format!("b{at}")));
        }
        self.tidy();
        self.edit(at, |it| match done {
            Ok(result) => (it.status, it.result) = (BacktestStatus::Done, Some(result)),
            Err(errors) => (it.status, it.errors) = (BacktestStatus::Failed, Some(errors)),
        });
    }

    async fn run(&self, at: u64, config: &Path, set: &[String]) -> Result<Value, Value> {
        let mut command = Command::new(&self.by.program);
        let runs = self.by.runs.join(format!("b{at}"));
        command.arg("backtest").arg(config).arg("--runs").arg(runs);
        command.args(["--json", "--no-progress"]);
        // What this engine runs with, then what the caller wants of it; and whatever it is for, here it is a backtest.
        let is = "run.mode=backtest".to_owned();
        let all = self.by.set.iter().chain(set).chain([&is]);
        command.args(all.flat_map(|it| ["--set", it]));
        // It knows nothing of what the service was told, passwords least of all; but what changes a config, and where
        // shared data are.
        let is_of_config = |name: &str| name.starts_with("TSE_") && name.contains("__");
        let passed = |name: &str| matches!(name, "PATH" | "TSE_SHARED") || is_of_config(name);
        let environment = std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(passed));
        command.env_clear().envs(environment).env(ENDS_WITH_PARENT, "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |error: std::io::Error| Value::from(error.to_string());
        let child = command.kill_on_drop(true).spawn().map_err(failed)?;
        if let Some(id) = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            limit(id);
        }
        let said = child.wait_with_output().await.map_err(failed)?;
        let answer = if said.stdout.is_empty() { said.stderr } else { said.stdout };
        if answer.len() > OUTPUT_MAX {
            return Err("it says more than can be passed on".into());
        }
        let mut answer: Value = serde_json::from_slice(&answer)
            .map_err(|_| Value::from(format!("it ended with {} and said nothing", said.status)))?;
        match said.status.success() {
            true => Ok(answer["data"].take()),
            false => Err(answer),
        }
    }
}

/// The engine comes first: what a backtest takes is bounded. That a limit cannot be set changes nothing.
fn limit(id: Pid) {
    let _ = setpriority_process(Some(id), 19);
    for (what, most) in
        [(Resource::As, MEMORY_MAX), (Resource::Fsize, FILE_MAX), (Resource::Cpu, LASTS.as_secs())]
    {
        let _ = prlimit(Some(id), what, Rlimit { current: Some(most), maximum: Some(most) });
    }
}

/// That only such values are changed as may be.
fn may_be_set(set: &[String]) -> Result<(), Problem> {
    if set.len() > SET_MAX {
        let what = format!("{} values are to be changed; {SET_MAX} may be", set.len());
        return Err(Problem::new(codes::BAD_REQUEST, what));
    }
    for it in set {
        let part = it.split(['.', '=']).next().unwrap_or_default().trim();
        let key = it.split('=').next().unwrap_or_default().replace(char::is_whitespace, "");
        // Keys are taken in any case.
        if key.eq_ignore_ascii_case("run.mode") {
            let what = format!("`{it}`: a backtest is a backtest, whatever the config is for");
            return Err(Problem::new(codes::BAD_REQUEST, what));
        }
        if !it.contains('=') || !MAY_BE_SET.contains(&part) {
            let known = MAY_BE_SET.join(", ");
            let what = format!("`{it}` is no KEY=VALUE of a part that may be changed: {known}");
            return Err(Problem::new(codes::BAD_REQUEST, what));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn backtests(folder: &Path, program: &str) -> (Arc<Backtests>, watch::Sender<bool>) {
        let (sender, ending) = watch::channel(false);
        let by = Backtester {
            program: program.into(),
            config: folder.join("own.toml"),
            set: Vec::new(),
            runs: folder.join("runs"),
        };
        (Arc::new(Backtests::new(by, ending)), sender)
    }

    fn wanted(config: Option<&str>, set: &[&str]) -> WantedBacktest {
        let set = set.iter().map(|it| (*it).to_owned()).collect();
        WantedBacktest { config: config.map(str::to_owned), set }
    }

    async fn ended(of: &Backtests, id: &str) -> Backtest {
        loop {
            let it = of.find(id).unwrap();
            if matches!(it.status, BacktestStatus::Done | BacktestStatus::Failed) {
                return it;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    #[tokio::test]
    async fn a_config_is_one_that_lies_there_and_data_are_not_for_callers_to_choose() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("own.toml"), "").unwrap();
        std::fs::write(folder.path().join("secret.txt"), "").unwrap();
        let (of, _ending) = backtests(folder.path(), "true");
        for name in
            ["none.toml", "secret.txt", "../own.toml", "/etc/passwd", ".toml", "", "a\0.toml"]
        {
            let problem = of.start(wanted(Some(name), &[])).unwrap_err();
            assert_eq!(problem.code(), codes::NO_SUCH_THING, "{name}");
        }
        for set in [
            "venues.*.latency={feed={table=\"/etc/passwd\"}}",
            "data.0.path=/etc/passwd",
            "data.*.path = \"x\"",
            "run.seed",
            "=1",
            "rates.0.x=1",
            "run . mode = live",
            "run.MODE=live",
            "DATA.0.path=x",
        ] {
            let problem = of.start(wanted(None, &[set])).unwrap_err();
            assert_eq!(problem.code(), codes::BAD_REQUEST, "{set}");
        }
        assert!(of.start(wanted(None, &["run.seed=1"; 65])).is_err());
        assert!(of.start(wanted(Some("own.toml"), &["run.seed=7", "limits.long_max=1"])).is_ok());
    }

    #[tokio::test]
    async fn what_says_nothing_or_cannot_be_run_has_failed() {
        let folder = tempfile::tempdir().unwrap();
        for program in ["true", "/nowhere/at/all"] {
            let (of, _ending) = backtests(folder.path(), program);
            let id = of.start(wanted(None, &[])).unwrap().id;
            let it = ended(&of, &id).await;
            assert_eq!(it.status, BacktestStatus::Failed);
            assert!(it.errors.is_some() && it.result.is_none());
        }
        let (of, _ending) = backtests(folder.path(), "true");
        assert!(of.find("b1").is_none() && of.find("b01").is_none() && of.find("x").is_none());
    }

    /// Waits until something is so.
    async fn until(what: &str, is_so: impl Fn() -> bool) {
        let begun = std::time::Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn one_runs_and_few_wait_and_all_end_with_the_engine() {
        let folder = tempfile::tempdir().unwrap();
        let (endless, pid) = (folder.path().join("endless"), folder.path().join("pid"));
        let script = format!("#!/bin/sh\necho $$ >> {}\nexec sleep 600\n", pid.display());
        std::fs::write(&endless, script).unwrap();
        let mut rights = std::fs::metadata(&endless).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o755);
        std::fs::set_permissions(&endless, rights).unwrap();
        let (of, ending) = backtests(folder.path(), endless.to_str().unwrap());
        let ids: Vec<_> = (0..PLACES).map(|_| of.start(wanted(None, &[])).unwrap().id).collect();
        assert_eq!(of.start(wanted(None, &[])).unwrap_err().code(), codes::QUEUE_FULL);
        let pids = || std::fs::read_to_string(&pid).unwrap_or_default();
        until("one runs", || pids().ends_with('\n')).await;
        assert_eq!(of.find(&ids[0]).unwrap().status, BacktestStatus::Running);
        for id in &ids[1..] {
            assert_eq!(of.find(id).unwrap().status, BacktestStatus::Waiting, "{id}");
        }
        ending.send_replace(true);
        for id in &ids {
            assert_eq!(ended(&of, id).await.status, BacktestStatus::Failed, "{id}");
        }
        // Those that waited may have begun for a moment; none is left.
        for pid in pids().lines() {
            let stat = Path::new("/proc").join(pid).join("stat");
            let is_gone = || {
                let stat = std::fs::read_to_string(&stat).unwrap_or_default();
                stat.is_empty() || stat.contains(") Z ")
            };
            until("it is gone", is_gone).await;
        }
        assert!(of.start(wanted(None, &[])).is_ok(), "their places are free");
    }

    #[tokio::test]
    async fn of_run_folders_the_newest_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path().join("runs");
        for at in 1..=30 {
            std::fs::create_dir_all(runs.join(format!("b{at}/run"))).unwrap();
        }
        std::fs::create_dir_all(runs.join("mine")).unwrap();
        let (of, _ending) = backtests(folder.path(), "true");
        let id = of.start(wanted(None, &[])).unwrap().id;
        assert_eq!(id, "b31", "numbers go on where folders are");
        ended(&of, &id).await;
        let mut left: Vec<_> = of.folders().collect();
        left.sort_unstable();
        assert_eq!(left, (11..=30).collect::<Vec<_>>());
        assert!(runs.join("mine").exists(), "what is nobody's backtest is left alone");
    }
}
