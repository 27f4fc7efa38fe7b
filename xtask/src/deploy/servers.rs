//! Redis and PostgreSQL as they are deployed: started here, and asked what each user may.

use super::{Report, free_port, is_root, said};
use crate::tools;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that is killed when this is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a user of Redis says, and whether it may: spec 3.6, with the ping and the instances' keys that engines need.
const REDIS: &[(&str, &str, bool)] = &[
    ("trading-adapter", "PING", true),
    ("trading-adapter", "SET trading:order:1 x", true),
    ("trading-adapter", "SETEX trading:a 60 x", true),
    ("trading-adapter", "MGET trading:a trading:b", true),
    ("trading-adapter", "INCRBY trading:n 1", true),
    ("trading-adapter", "HSET trading:h a 1", true),
    ("trading-adapter", "EXPIRE trading:h 60", true),
    ("trading-adapter", "TTL trading:h", true),
    ("trading-adapter", "SCAN 0", true),
    ("trading-adapter", "HELLO", true),
    ("trading-adapter", "SET trading_system:LH:order:1 x", true),
    ("trading-adapter", "SET trading_system:Alpha:order:1 x", true),
    ("trading-adapter", "SET trading_engine:lh:order:1 x", true),
    ("trading-adapter", "SET trading_lh:order:1 x", true),
    ("trading-adapter", "SET tradingx x", false),
    ("trading-adapter", "GET other:1", false),
    ("trading-adapter", "GET registry:services:exchange", false),
    ("trading-adapter", "GET config:a", false),
    ("trading-adapter", "KEYS trading:*", false),
    ("trading-adapter", "SELECT 0", false),
    ("trading-adapter", "INFO", false),
    ("trading-adapter", "MULTI", false),
    ("trading-adapter", "EVAL x 0", false),
    ("trading-adapter", "PUBLISH a b", false),
    ("trading-adapter", "CLIENT SETNAME x", false),
    ("trading-adapter", "FLUSHALL", false),
    ("trading-adapter", "CONFIG GET maxmemory", false),
    ("trading-service", "PING", true),
    ("trading-service", "SET registry:services:trading-system-engine x", true),
    ("trading-service", "SET trading:a x", true),
    ("trading-service", "GET registry:services:exchange", true),
    ("trading-service", "GET config:a", true),
    ("trading-service", "SET registry:services:exchange x", false),
    ("trading-service", "SET config:a x", false),
    ("trading-service", "KEYS *", false),
    ("trading-service", "FLUSHDB", false),
    ("registry", "SET registry:services:exchange x", true),
    ("registry", "SET config:a x", true),
    ("registry", "SCAN 0", true),
    ("registry", "GET trading:a", false),
    ("registry", "PING", false),
    ("registry", "KEYS *", false),
    ("monitor", "PING", true),
    ("monitor", "INFO", true),
    ("monitor", "GET registry:services:exchange", true),
    ("monitor", "GET trading:a", true),
    ("monitor", "SET trading:a x", false),
    ("monitor", "DEL trading:a", false),
    ("monitor", "KEYS *", false),
    ("monitor", "FLUSHALL", false),
];

/// Redis by its script of ours, with the users of `users.acl`.
pub(super) fn redis(root: &Path, secrets: &Path, scratch: &Path, report: &mut Report) {
    let what = format!("Redis with its users: {} words of theirs", REDIS.len());
    if tools::on_path("redis-server").is_none() {
        return report
            .missing(&what, "redis-server is not here (Debian: apt install redis-server)");
    }
    let result = (|| {
        let port = free_port()?;
        let users = scratch.join("users.acl");
        let begin = |secrets: &Path| {
            Command::new("bash")
                .arg(root.join("deploy/redis/start.sh"))
                .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--dir"])
                .arg(scratch)
                .env("SECRETS", secrets)
                .env("USERS_FILE", &users)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .map(Server)
                .map_err(|error| format!("bash could not be started: {error}"))
        };
        let mut without = begin(&scratch.join("nowhere"))?;
        if without.0.wait().is_ok_and(|status| status.success()) {
            return Err("it begins without secrets".to_owned());
        }
        let mut server = begin(secrets)?;
        let mut nobody = connect(port, &mut server)?;
        let answer = ask(&mut nobody, &["PING"])?;
        if !answer.starts_with("-NOAUTH") {
            return Err(format!("somebody without a name is told {answer}"));
        }
        let kept = std::fs::read_to_string(&users).map_err(|error| error.to_string())?;
        for (user, words, may) in REDIS {
            let name = format!("redis_{}_password", user.trim_start_matches("trading-"));
            let password = std::fs::read_to_string(secrets.join(&name))
                .map_err(|error| format!("{name}: {error}"))?;
            if kept.contains(&password) {
                return Err(format!("the password of {user} is in the file of users"));
            }
            let mut line = connect(port, &mut server)?;
            let known = ask(&mut line, &["AUTH", user, &password])?;
            if known != "+OK" {
                return Err(format!("{user} is not known: {known}"));
            }
            let answer = ask(&mut line, &words.split(' ').collect::<Vec<_>>())?;
            if answer.starts_with('-') == *may || (!may && !answer.starts_with("-NOPERM")) {
                return Err(format!("{user} says {words} and is told {answer}"));
            }
        }
        Ok(())
    })();
    report.tried(&what, result);
}

fn connect(port: u16, server: &mut Server) -> Result<BufReader<TcpStream>, String> {
    let began = Instant::now();
    loop {
        if let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) {
            let patience = Some(Duration::from_secs(5));
            stream.set_read_timeout(patience).map_err(|error| error.to_string())?;
            return Ok(BufReader::new(stream));
        }
        if let Ok(Some(status)) = server.0.try_wait() {
            return Err(format!("Redis ended at once: {status}"));
        }
        if began.elapsed() > Duration::from_secs(10) {
            return Err("Redis does not listen".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The first line of an answer.
fn ask(line: &mut BufReader<TcpStream>, words: &[&str]) -> Result<String, String> {
    let mut text = format!("*{}\r\n", words.len());
    for word in words {
        text += &format!("${}\r\n{word}\r\n", word.len());
    }
    let mut answer = String::new();
    line.get_mut()
        .write_all(text.as_bytes())
        .and_then(|()| line.read_line(&mut answer))
        .map_err(|error| format!("{}: {error}", words[0]))?;
    Ok(answer.trim_end().to_owned())
}

/// What a role of PostgreSQL says, and whether it may.
const POSTGRES: &[(&str, &str, bool)] = &[
    ("owner", "CREATE SCHEMA trading", true),
    ("owner", "CREATE TABLE trading.orders (id TEXT)", true),
    ("owner", "GRANT USAGE ON SCHEMA trading TO trading_adapter", true),
    ("owner", "GRANT SELECT, INSERT, UPDATE, DELETE ON trading.orders TO trading_adapter", true),
    ("owner", "ALTER ROLE trading_adapter SET search_path = trading, public", true),
    ("owner", "CREATE DATABASE another", false),
    ("adapter", "INSERT INTO trading.orders VALUES ('a')", true),
    ("adapter", "SELECT * FROM trading.orders", true),
    ("adapter", "CREATE TABLE trading.more (id TEXT)", false),
    ("adapter", "CREATE TABLE public.more (id TEXT)", false),
    ("adapter", "CREATE SCHEMA more", false),
    ("adapter", "DROP TABLE trading.orders", false),
    ("monitor", "SELECT * FROM trading.orders", true),
    ("monitor", "SELECT * FROM pg_stat_activity", true),
    ("monitor", "DELETE FROM trading.orders", false),
];

/// PostgreSQL from an empty folder, its script of ours run twice, and what the roles may.
pub(super) fn postgres(root: &Path, secrets: &Path, scratch: &Path, report: &mut Report) {
    let what = format!("PostgreSQL from nothing, its roles: {} words of theirs", POSTGRES.len());
    let (Some(initdb), Some(server)) =
        (tools::of_postgres("initdb"), tools::of_postgres("postgres"))
    else {
        let why = "PostgreSQL is not here (Debian: apt install postgresql)";
        return report.missing(&what, why);
    };
    if tools::on_path("psql").is_none() {
        return report.missing(&what, "psql is not here (Debian: apt install postgresql-client)");
    }
    report.tried(&what, roles(root, secrets, scratch, &initdb, &server));
}

fn roles(
    root: &Path,
    secrets: &Path,
    scratch: &Path,
    initdb: &Path,
    server: &Path,
) -> Result<(), String> {
    let home = scratch.join("postgres");
    std::fs::create_dir(&home).map_err(|error| error.to_string())?;
    // Its own user enters neither our checkout nor the folder of secrets.
    for (from, to) in [
        (root.join("deploy/postgres/init/10-trading.sh"), "10-trading.sh"),
        (secrets.join("postgres_owner_password"), "postgres_owner_password"),
        (secrets.join("postgres_adapter_password"), "postgres_adapter_password"),
        (secrets.join("postgres_monitor_password"), "postgres_monitor_password"),
    ] {
        std::fs::copy(&from, home.join(to)).map_err(|error| format!("{to}: {error}"))?;
    }
    let data = home.join("data");
    if is_root() {
        said(Command::new("chown").args(["-R", "postgres:"]).arg(&home))?;
    }
    let port = free_port()?.to_string();
    said(
        as_postgres(initdb)
            .args(["--username=postgres", "--auth-local=trust"])
            .args(["--auth-host=scram-sha-256", "--no-sync", "--pgdata"])
            .arg(&data),
    )?;
    let log = std::fs::File::create(scratch.join("postgres.log")).map_err(|it| it.to_string())?;
    let child = as_postgres(server)
        .arg("-D")
        .arg(&data)
        .arg("-k")
        .arg(&home)
        .args(["-p", &port, "-c", "listen_addresses=127.0.0.1", "-c", "log_statement=none"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    // Killed is how it ends: nothing of it is kept.
    let _server = Server(child.map_err(|error| format!("PostgreSQL: {error}"))?);
    let began = Instant::now();
    while said(Command::new("pg_isready").arg("-q").args(["-h", "127.0.0.1", "-p", &port])).is_err()
    {
        if began.elapsed() > Duration::from_secs(30) {
            return Err("PostgreSQL does not begin".to_owned());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    for time in ["first", "second"] {
        let mut script = as_postgres(Path::new("bash"));
        script.arg(home.join("10-trading.sh")).env("SECRETS", &home);
        script.env("PGHOST", &home).env("PGPORT", &port);
        said(&mut script).map_err(|why| format!("10-trading.sh, the {time} time: {why}"))?;
    }
    for (role, sql, may) in POSTGRES {
        let name = format!("postgres_{role}_password");
        let password = std::fs::read_to_string(secrets.join(&name)).map_err(|it| it.to_string())?;
        let user =
            if *role == "monitor" { "monitor_user".into() } else { format!("trading_{role}") };
        let mut psql = Command::new("psql");
        psql.args(["--no-psqlrc", "-q", "-h", "127.0.0.1", "-p", &port, "-U", &user])
            .args(["-d", "trading_ecosystem", "-v", "ON_ERROR_STOP=1", "-c", sql])
            .env("PGPASSWORD", &password);
        let answer = said(&mut psql);
        let denied = answer
            .as_ref()
            .is_err_and(|why| why.contains("permission denied") || why.contains("must be owner"));
        if answer.is_ok() != *may || (!may && !denied) {
            return Err(format!("{user} says {sql} and is told {answer:?}"));
        }
        let log = std::fs::read_to_string(scratch.join("postgres.log")).unwrap_or_default();
        if log.contains(&password) {
            return Err(format!("the password of {user} is in the server's log"));
        }
    }
    Ok(())
}

/// A command as the server's user, which may not be root.
fn as_postgres(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command.current_dir(PathBuf::from("/"));
    command
}
