//! A Redis of our own, with the users of the reference.

use super::{binaries, folder, missing};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The password of the engine's users on such a server.
const PASSWORD: &str = "throw-away";

/// The engine's users may only what spec 3.6 says, and read the registrations of all; `default` may everything, for
/// tests to look and to break.
const USERS: &str = "\
user default on nopass ~* &* +@all
user trading-adapter on >throw-away ~trading:* resetchannels -@all +@read +@write +@keyspace +ping -@dangerous
user trading-service on >throw-away ~trading:* ~registry:services:trading-* %R~registry:services:* resetchannels -@all +@read +@write +@keyspace -@dangerous
";

/// A server that is stopped, and its folder removed, when this is dropped.
#[derive(Debug)]
pub struct RedisServer {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
    ours: bool,
}

impl RedisServer {
    /// Starts one on a free port.
    pub fn start() -> Option<Self> {
        if binaries::find("redis-server").is_none() {
            return missing("Redis");
        }
        let folder = folder("redis");
        std::fs::write(folder.join("users.acl"), USERS).expect("a file can be written");
        let began = Instant::now();
        loop {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
            let port = free.expect("a port is free").port();
            let mut server = Self { folder: folder.clone(), port, child: None, ours: true };
            // Somebody may take the port before Redis does.
            if server.try_run() {
                return Some(server);
            }
            server.ours = false;
            assert!(began.elapsed() < Duration::from_secs(30), "Redis does not start");
        }
    }

    /// Starts it again, on the same port, empty.
    pub fn run(&mut self) {
        let began = Instant::now();
        while !self.try_run() {
            assert!(began.elapsed() < Duration::from_secs(30), "Redis does not start again");
        }
    }

    fn try_run(&mut self) -> bool {
        let mut command =
            Command::new(binaries::find("redis-server").expect("it was there before"));
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"]);
        command.arg("--aclfile").arg(self.folder.join("users.acl")).arg("--dir").arg(&self.folder);
        command.args(["--save", "", "--appendonly", "no"]);
        command.args(["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lfu"]);
        command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("Redis can be run");
        let began = Instant::now();
        while child.try_wait().expect("our child").is_none() {
            if self.is_alive() {
                self.child = Some(child);
                return true;
            }
            if began.elapsed() > Duration::from_secs(10) {
                let _ = child.kill();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Whether somebody listens there.
    pub(super) fn is_alive(&self) -> bool {
        TcpStream::connect(("127.0.0.1", self.port)).is_ok()
    }

    /// Where the engine's user reaches it.
    pub fn url(&self) -> String {
        format!("redis://trading-adapter:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    /// Where one who may everything reaches it.
    pub fn admin_url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// How the engine's service registers there.
    pub fn service_url(&self) -> String {
        format!("redis://trading-service:{PASSWORD}@127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills it: everything in it is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("our child can be killed");
            child.wait().expect("and ends");
        }
    }

    /// Stops it in the middle of whatever it does.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        if let Some(child) = &self.child {
            let _ = Command::new("kill").args([signal, &child.id().to_string()]).status();
        }
    }

    pub(super) fn leave(mut self) -> (PathBuf, u16, u32) {
        let pid = self.child.take().map_or(0, |child| child.id());
        self.ours = false;
        (self.folder.clone(), self.port, pid)
    }

    pub(super) fn join(folder: &Path, port: u16) -> Self {
        Self { folder: folder.to_owned(), port, child: None, ours: false }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if self.ours {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}
