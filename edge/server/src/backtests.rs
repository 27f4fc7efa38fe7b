//! Backtests that are asked for over the network: each a process of its own, one at a time, behind the engine.
//!
//! A backtest is of a config that lies where the operator put it; who asks may change values of it, but not where its
//! data come from: nobody reads files of this machine by it. What came of the newest is remembered; run folders stay.

use crate::codes;
use crate::http::Problem;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::process::Command;
use tokio::sync::{Semaphore, watch};
use utoipa::ToSchema;

/// How many may wait or run.
const PLACES: usize = 8;
/// How many are remembered.
const REMEMBERED: usize = 100;
/// How many values of a config may be changed.
const SET_MAX: usize = 64;
/// The parts of a config that may be.
const MAY_BE_SET: [&str; 5] = ["run", "synthetic", "strategies", "limits", "venues"];
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
            let at = all.last_key_value().map_or(1, |(last, _)| last + 1);
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

    fn edit(&self, at: u64, edit: impl FnOnce(&mut Backtest)) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.get_mut(&at).map(edit);
    }

    async fn work(&self, at: u64, config: PathBuf, set: Vec<String>) {
        let Ok(_turn) = self.turn.acquire().await else { return };
        self.edit(at, |it| it.status = BacktestStatus::Running);
        let mut ending = self.ending.clone();
        let done = tokio::select! {
            done = self.run(&config, &set) => done,
            _ = ending.wait_for(|is| *is) => Err("the engine ended before it".into()),
        };
        self.edit(at, |it| match done {
            Ok(result) => (it.status, it.result) = (BacktestStatus::Done, Some(result)),
            Err(errors) => (it.status, it.errors) = (BacktestStatus::Failed, Some(errors)),
        });
    }

    async fn run(&self, config: &Path, set: &[String]) -> Result<Value, Value> {
        let mut command = Command::new(&self.by.program);
        command.arg("backtest").arg(config).arg("--runs").arg(&self.by.runs);
        command.args(["--json", "--no-progress"]);
        command.args(set.iter().flat_map(|it| ["--set", it]));
        // It knows nothing of what the service was told, passwords least of all.
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let failed = |error: std::io::Error| Value::from(error.to_string());
        let child = command.kill_on_drop(true).spawn().map_err(failed)?;
        if let Some(id) =
            child.id().and_then(|id| rustix::process::Pid::from_raw(i32::try_from(id).ok()?))
        {
            // The engine comes first. That it cannot be said changes nothing.
            let _ = rustix::process::setpriority_process(Some(id), 19);
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

/// That only such values are changed as may be.
fn may_be_set(set: &[String]) -> Result<(), Problem> {
    if set.len() > SET_MAX {
        let what = format!("{} values are to be changed; {SET_MAX} may be", set.len());
        return Err(Problem::new(codes::BAD_REQUEST, what));
    }
    for it in set {
        let part = it.split(['.', '=']).next().unwrap_or_default().trim();
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
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
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
        for set in
            ["data.0.path=/etc/passwd", "data.*.path = \"x\"", "run.seed", "=1", "rates.0.x=1"]
        {
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

    #[tokio::test]
    async fn one_runs_and_few_wait_and_all_end_with_the_engine() {
        let folder = tempfile::tempdir().unwrap();
        let endless = folder.path().join("endless");
        std::fs::write(&endless, "#!/bin/sh\nexec sleep 600\n").unwrap();
        let mut rights = std::fs::metadata(&endless).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut rights, 0o755);
        std::fs::set_permissions(&endless, rights).unwrap();
        let (of, ending) = backtests(folder.path(), endless.to_str().unwrap());
        let ids: Vec<_> = (0..PLACES).map(|_| of.start(wanted(None, &[])).unwrap().id).collect();
        assert_eq!(of.start(wanted(None, &[])).unwrap_err().code(), codes::QUEUE_FULL);
        ending.send_replace(true);
        for id in &ids {
            assert_eq!(ended(&of, id).await.status, BacktestStatus::Failed, "{id}");
        }
        assert!(of.start(wanted(None, &[])).is_ok(), "their places are free");
    }
}
