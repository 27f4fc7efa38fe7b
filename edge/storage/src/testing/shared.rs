//! One server for all tests of a run, even where each test is a process of its own.
//!
//! Whoever comes first starts it; whoever uses it holds a lock that goes with the process; and a small
//! shell beside it stops it once nobody holds the lock any more.

use super::{PostgresServer, RedisServer};
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Waits until nobody uses the server, stops it and removes what it leaves behind. It holds both locks
/// meanwhile, so nobody begins to use it then.
const REAPER: &str = r#"
while sleep 2; do
    flock "$1/start" flock -n -x "$1/users" sh -c 'kill -QUIT "$1"; sleep 0.3; rm -rf "$2" "$3"' sh "$2" "$3" "$1/server" && exit
done
"#;

/// What is written down of a server: its folder, its port if it has one, and its process.
struct Started {
    folder: PathBuf,
    port: u16,
    pid: u32,
}

/// Where tests of one user meet.
fn meeting(what: &str) -> PathBuf {
    use std::os::unix::fs::MetadataExt;
    let user = std::fs::metadata("/proc/self").map_or(0, |us| us.uid());
    let path = std::env::temp_dir().join(format!("tse-shared-{what}-{user}"));
    std::fs::create_dir_all(&path).expect("a folder for temporary files can be made");
    path
}

fn lock(path: &Path) -> File {
    let file = File::options().create(true).truncate(false).write(true).open(path);
    file.expect("a lock can be made")
}

/// Finds the server that is there, or starts one, while nobody else does.
#[allow(clippy::zombie_processes, reason = "the shell outlives whoever starts it")]
fn share<S>(
    what: &str,
    join: impl Fn(&Path, u16) -> S,
    is_alive: impl Fn(&S) -> bool,
    start: impl FnOnce() -> Option<Started>,
) -> Option<S> {
    let meeting = meeting(what);
    let users = lock(&meeting.join("users"));
    users.lock_shared().expect("a lock can be shared");
    let starting = lock(&meeting.join("start"));
    starting.lock().expect("a lock can be had");
    let record = meeting.join("server");
    let known = std::fs::read_to_string(&record).unwrap_or_default();
    let found = known.split_once(' ').and_then(|(port, folder)| {
        let server = join(Path::new(folder), port.parse().ok()?);
        is_alive(&server).then_some(server)
    });
    let server = match found {
        Some(server) => server,
        None => {
            let started = start()?;
            let known = format!("{} {}", started.port, started.folder.display());
            std::fs::write(&record, known).expect("a record can be written");
            let mut reaper = Command::new("sh");
            reaper.args(["-c", REAPER, "sh"]).arg(&meeting).arg(started.pid.to_string());
            reaper.arg(&started.folder).process_group(0).current_dir("/");
            reaper.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            reaper.spawn().expect("a shell can be run");
            join(&started.folder, started.port)
        }
    };
    // Held until the process ends, whose end lets it go.
    std::mem::forget(users);
    Some(server)
}

/// A PostgreSQL that all tests of a run share, or nothing where it is not installed. It forgets what a
/// loss of power would take, and is quick.
pub fn shared_postgres() -> Option<&'static PostgresServer> {
    static SERVER: OnceLock<Option<PostgresServer>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let join = |folder: &Path, _| PostgresServer::join(folder.to_owned());
        share("pg", join, PostgresServer::is_alive, || {
            let (folder, pid) = PostgresServer::start(&[])?.leave();
            Some(Started { folder, port: 0, pid })
        })
    });
    server.as_ref()
}

/// A Redis that all tests of a run share, or nothing where it is not installed.
pub fn shared_redis() -> Option<&'static RedisServer> {
    static SERVER: OnceLock<Option<RedisServer>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        share("redis", RedisServer::join, RedisServer::is_alive, || {
            let (folder, port, pid) = RedisServer::start()?.leave();
            Some(Started { folder, port, pid })
        })
    });
    server.as_ref()
}
