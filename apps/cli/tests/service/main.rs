//! `tse run` as a service: what it answers, what it writes, and how it ends, as a real process with real databases.

#[path = "../common/mod.rs"]
mod common;
mod discovery;
mod faults;
mod http;
mod instances;
mod mixed_up;
mod scenarios;
mod serving;
mod stream;

use common::{Bench, Said};
use http::Reply;
use serde_json::Value;
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take on a machine that is busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with the demo's config, and engines in it.
pub(crate) struct Desk {
    pub(crate) bench: Bench,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let bench = Bench::new();
        let demo = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs tests"))
            .join("../../examples/demo.toml");
        bench.write("demo.toml", std::fs::read(demo).unwrap());
        Self { bench }
    }

    pub(crate) fn home(&self, name: &str) -> PathBuf {
        self.bench.path().join("state").join(name)
    }

    /// Does a command to its end, with these variables.
    pub(crate) fn tse(&self, args: &[&str], variables: &[(&str, &str)]) -> Said {
        let mut command = self.bench.command(args);
        command.envs(variables.iter().copied());
        common::said(&command.output().unwrap())
    }

    /// Begins an engine on free ports, and waits until it answers.
    pub(crate) fn run(&self, args: &[&str], variables: &[(&str, &str)]) -> Running {
        let running = self.begin(args, variables);
        running.until("it is ready", "/ready", |reply| reply.status == 200);
        running
    }

    /// Begins an engine on free ports.
    pub(crate) fn begin(&self, args: &[&str], variables: &[(&str, &str)]) -> Running {
        let (port, grpc) = (free_port(), free_port());
        let ports = [port.to_string(), grpc.to_string()];
        let all = ["run", "demo.toml", "--http-port", &ports[0], "--grpc-port", &ports[1]];
        let all: Vec<_> = all.iter().chain(args).copied().collect();
        let child = self
            .bench
            .command(&all)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Running { child, port, grpc }
    }
}

/// A port that nobody has, for a moment.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// An engine that runs; killed when it is forgotten.
pub(crate) struct Running {
    child: Child,
    pub(crate) port: u16,
    pub(crate) grpc: u16,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    }

    pub(crate) fn post(&self, path: &str, headers: &str, body: &str) -> Reply {
        let length = body.len();
        self.ask(&format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
             {headers}Content-Length: {length}\r\n\r\n{body}"
        ))
    }

    pub(crate) fn ask(&self, request: &str) -> Reply {
        http::ask(self.port, request.as_bytes())
    }

    /// Waits until a path answers so.
    pub(crate) fn until(&self, what: &str, path: &str, is_so: impl Fn(&Reply) -> bool) -> Reply {
        let begun = Instant::now();
        let mut last = None;
        while begun.elapsed() < PATIENCE {
            let reply = self.get(path);
            if is_so(&reply) {
                return reply;
            }
            last = Some(reply);
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("waited in vain until {what}: {last:#?}");
    }

    /// Waits until things stand so.
    pub(crate) fn until_status(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        self.until(what, "/api/v1/status", |it| it.status == 200 && is_so(&it.json())).json()
    }

    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// How it ends, and what it said to people.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        let mut stderr = self.child.stderr.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut said = String::new();
            let _ = stderr.read_to_string(&mut said);
            said
        });
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), reader.join().unwrap());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not end");
    }
}

/// A whole number of an object.
pub(crate) fn number(value: &Value, key: &str) -> u64 {
    value[key].as_u64().unwrap_or_else(|| panic!("{key} in {value}"))
}
