//! A PostgreSQL of our own.

use super::{binaries, folder, missing};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that is stopped, and its folder removed, when this is dropped.
#[derive(Debug)]
pub struct PostgresServer {
    folder: PathBuf,
    child: Option<Child>,
    settings: Vec<String>,
    /// Whether the folder goes with it: not so if another process has to do with it.
    ours: bool,
}

fn command(binary: &str) -> Option<Command> {
    let mut command = Command::new(binaries::find(binary)?);
    if let Some((user, group)) = binaries::postgres_user() {
        command.uid(user).gid(group);
    }
    command.env_remove("LC_ALL").env("LANG", "C.UTF-8").current_dir("/");
    Some(command)
}

impl PostgresServer {
    /// Starts one that need not survive a loss of power: it writes no more than it must. Extra settings
    /// are `name=value`.
    pub fn start(settings: &[&str]) -> Option<Self> {
        let mut quick = vec!["fsync=off", "full_page_writes=off", "synchronous_commit=off"];
        quick.extend(settings);
        Self::start_with(&quick)
    }

    /// Starts one that is as careful as PostgreSQL is by itself.
    pub fn start_careful(settings: &[&str]) -> Option<Self> {
        Self::start_with(settings)
    }

    fn start_with(settings: &[&str]) -> Option<Self> {
        let folder = folder("pg");
        let settings = settings.iter().map(|&setting| setting.to_owned()).collect();
        let mut server = Self { folder, child: None, settings, ours: true };
        if !server.init() {
            return missing("PostgreSQL");
        }
        server.run();
        Some(server)
    }

    /// Makes the folder of a database; false if there is no PostgreSQL.
    fn init(&self) -> bool {
        let Some(mut command) = command("initdb") else { return false };
        if let Some((user, group)) = binaries::postgres_user() {
            std::os::unix::fs::chown(&self.folder, Some(user), Some(group))
                .expect("root may give a folder away");
        }
        let made = command
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"])
            .arg("--pgdata")
            .arg(self.data())
            .stdout(Stdio::null())
            .output()
            .expect("initdb can be run");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        true
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Its folder, in which its socket is as well.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where its superuser reaches one of its databases.
    pub fn url(&self, database: &str) -> String {
        self.url_as("postgres", database)
    }

    /// Where a user reaches one of its databases. It trusts everybody who reaches its socket.
    pub fn url_as(&self, user: &str, database: &str) -> String {
        format!("postgresql://{user}@localhost/{database}?host={}", self.folder.display())
    }

    /// Starts it, or starts it again, and waits until it answers.
    pub fn run(&mut self) {
        let began = Instant::now();
        loop {
            // After a kill its children may hold what they share for a moment: then it ends at once.
            let mut child = self.spawn();
            while child.try_wait().expect("our child").is_none() {
                if self.answers() {
                    self.child = Some(child);
                    return;
                }
                assert!(began.elapsed() < Duration::from_secs(60), "PostgreSQL does not answer");
                std::thread::sleep(Duration::from_millis(10));
            }
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "PostgreSQL does not start: {}",
                self.log()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn spawn(&self) -> Child {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .expect("a log can be written");
        let mut command = command("postgres").expect("PostgreSQL was there before");
        command.arg("-D").arg(self.data()).arg("-k").arg(&self.folder);
        for setting in self.settings.iter().map(String::as_str).chain([
            "listen_addresses=",
            "max_connections=200",
            "shared_buffers=64MB",
            "restart_after_crash=on",
        ]) {
            command.arg("-c").arg(setting);
        }
        // Of its own group, so that what stops a test at the terminal does not stop it half way.
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command.spawn().expect("PostgreSQL can be run")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    fn answers(&self) -> bool {
        let ready = command("pg_isready").map(|mut command| {
            command.arg("-q").arg("-h").arg(&self.folder).args(["-d", "postgres"]).status()
        });
        matches!(ready, Some(Ok(status)) if status.success())
    }

    /// Kills the process that all others obey, as a loss of power would: what was not safe is lost.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("our child can be killed");
            child.wait().expect("and ends");
        }
    }

    /// Stops it in the middle of whatever it does; its connections stay open and nobody answers.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    /// Sends a signal to it and to all of its children, whose names we know by who their parent is.
    fn signal(&self, signal: &str) {
        let Some(child) = &self.child else { return };
        let mut pids = vec![child.id()];
        let tasks = format!("/proc/{0}/task/{0}/children", child.id());
        let children = std::fs::read_to_string(tasks).unwrap_or_default();
        pids.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        let mut kill = Command::new("kill");
        kill.arg(signal).args(pids.iter().map(u32::to_string));
        // A child that has ended meanwhile needs no signal.
        let _ = kill.stderr(Stdio::null()).status();
    }

    /// Runs a statement with `psql`, as the superuser.
    pub fn sql(&self, database: &str, statement: &str) -> String {
        let mut psql = command("psql").expect("psql comes with PostgreSQL");
        psql.arg("-h").arg(&self.folder).args(["-U", "postgres", "-d", database]);
        psql.args(["-v", "ON_ERROR_STOP=1", "-q", "-A", "-t", "-c", statement]);
        let done = psql.output().expect("psql can be run");
        assert!(done.status.success(), "{statement}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    }

    /// Gives it to whoever knows its folder: it is neither stopped nor removed here.
    pub(super) fn leave(mut self) -> (PathBuf, u32) {
        let pid = self.child.take().map_or(0, |child| child.id());
        self.ours = false;
        (self.folder.clone(), pid)
    }

    /// A server that another process started.
    pub(super) fn join(folder: PathBuf) -> Self {
        Self { folder, child: None, settings: Vec::new(), ours: false }
    }

    /// Whether it answers.
    pub(super) fn is_alive(&self) -> bool {
        self.answers()
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // One that was stopped hears nothing until it goes on.
            for signal in ["-CONT", "-QUIT"] {
                let _ = Command::new("kill").args([signal, &child.id().to_string()]).status();
            }
            let _ = child.wait();
        }
        if self.ours {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
