//! `tse run` as a process: killed and going on, halted and resumed, hung and stopped all the same.

mod common;

use common::{Bench, Said};
use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with the demo's config, and engines in it.
struct Desk {
    bench: Bench,
}

impl Desk {
    fn new() -> Self {
        let bench = Bench::new();
        let demo = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs tests"))
            .join("../../examples/demo.toml");
        bench.write("demo.toml", std::fs::read(demo).unwrap());
        Self { bench }
    }

    fn home(&self) -> PathBuf {
        self.bench.path().join("state/demo")
    }

    /// Does a command to its end.
    fn tse(&self, args: &[&str]) -> Said {
        self.bench.tse(args)
    }

    /// What a command says to programs.
    fn json(&self, args: &[&str]) -> Option<Value> {
        let all: Vec<_> = args.iter().copied().chain(["--json"]).collect();
        let told: Value = serde_json::from_str(&self.tse(&all).out).ok()?;
        told.get("data").cloned()
    }

    fn status(&self) -> Option<Value> {
        self.json(&["status", "demo"])
    }

    /// Begins an engine, and waits until it answers.
    fn run(&self, args: &[&str]) -> Running<'_> {
        let all: Vec<_> =
            ["run", "demo.toml", "--no-network"].iter().chain(args).copied().collect();
        let child = self
            .bench
            .command(&all)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let running = Running { desk: self, child };
        running.until("it answers", |_| true);
        running
    }
}

/// An engine that runs; killed when it is forgotten.
struct Running<'a> {
    desk: &'a Desk,
    child: Child,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running<'_> {
    /// Waits until things stand so, and says how.
    fn until(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        let mut last = None;
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.desk.status() {
                if status["pid"] == self.child.id() && is_so(&status) {
                    return status;
                }
                last = Some(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("waited in vain until {what}: {last:#?}");
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(sent.success());
    }

    /// How it ends, and what it said to people.
    fn end(mut self) -> (Option<i32>, String) {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                let mut said = String::new();
                self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
                return (status.code(), said);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it does not end");
    }
}

fn number(status: &Value, key: &str) -> u64 {
    status[key].as_u64().unwrap_or_else(|| panic!("{key} in {status}"))
}

fn kinds(status: &Value) -> Vec<String> {
    let alerts = status["alerts"].as_array().unwrap().iter();
    alerts.map(|alert| alert["kind"].as_str().unwrap().to_owned()).collect()
}

fn words(said: &Said) -> String {
    format!("{}{}", said.out, said.err)
}

#[test]
fn an_engine_that_is_killed_again_and_again_goes_on_and_nothing_is_lost_or_guessed() {
    let desk = Desk::new();
    let (mut fills, mut sent) = (0, 0);
    for epoch in 1..=4 {
        let running = desk.run(&["--speed", "60", "--arm", "--by", "ann"]);
        let first = running.until("accounts agree", |it| {
            it["venues"].as_array().unwrap().iter().all(|venue| venue["reconciled"] == true)
        });
        assert_eq!(number(&first, "epoch"), epoch);
        assert!(number(&first, "fills") >= fills, "{first}");
        assert!(number(&first, "sent") >= sent, "{first}");
        let more = running.until("it trades on", |it| number(it, "fills") > fills + 5);
        assert!(kinds(&more).iter().all(|kind| kind != "unexplained"), "{more}");
        (fills, sent) = (number(&more, "fills"), number(&more, "sent"));
        running.signal("-KILL");
        running.end();
    }
    let running = desk.run(&["--speed", "60"]);
    running.signal("-TERM");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("0 orders are open"), "{said}");
    let replay = desk.json(&["replay", "state/demo"]).expect("it replays");
    assert!(number(&replay, "inputs") > 0, "{replay}");
    assert!(!desk.home().join("control.sock").exists());
}

#[test]
fn nothing_is_sent_until_somebody_lets_it_and_halting_holds_until_somebody_resumes() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "20"]);
    let status = running.until("it wants to trade", |it| number(it, "denied") > 10);
    assert_eq!((number(&status, "sent"), &status["armed"]), (0, &Value::Bool(false)));

    let armed = desk.tse(&["resume", "--by", "ann"]);
    assert!(armed.code == 0, "{}", words(&armed));
    running.until("it trades", |it| number(it, "orders_open") > 0);

    let killed = desk.json(&["kill", "--now", "--by", "bob"]).expect("it is halted");
    assert_eq!((&killed["level"], &killed["orders_open"]), (&"halt".into(), &0.into()));
    assert!(desk.home().join("kill").is_file(), "the flag is beside the journal");
    let halted = desk.status().unwrap();
    assert_eq!(halted["latches"][0]["by"], "bob");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(number(&desk.status().unwrap(), "sent"), number(&halted, "sent"));

    // Without a reason, by nobody who may, twice: no.
    for args in [
        &["resume", "--by", "ann"][..],
        &["resume", "--by", "ann", "--why", "x", "--role", "trader"],
        &["resume", "--scope", "strategy:maker", "--why", "x"],
    ] {
        let refused = desk.tse(args);
        assert_eq!(refused.code, 7, "{args:?}: {}", words(&refused));
    }
    // There is no such thing; and less than holds changes nothing.
    for args in [
        &["kill", "--level", "halt", "--scope", "strategy:nobody"][..],
        &["kill", "--level", "hlt"],
        &["kill", "--level", "free"],
    ] {
        let wrong = desk.tse(args);
        assert_eq!(wrong.code, 2, "{args:?}: {}", words(&wrong));
    }
    let less = desk.tse(&["kill", "--level", "pause"]);
    assert!(words(&less).contains("at halt, as before"), "{}", words(&less));
    let resumed = desk.tse(&["resume", "--by", "ann", "--why", "looked at it"]);
    assert!(resumed.code == 0, "{}", words(&resumed));
    assert!(!desk.home().join("kill").exists(), "and it is gone with the latch");
    running.until("it trades on", |it| number(it, "sent") > number(&halted, "sent"));
}

#[test]
fn a_limit_changes_while_it_trades_and_is_what_it_was_made_after_a_kill() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "20", "--arm"]);
    running.until("it trades", |it| number(it, "fills") > 0);
    let none = ["limit", "order_qty_max=0", "--symbol", "BTC-USD.NORTH", "--why", "a drill"];
    let changed = desk.tse(&none);
    assert!(changed.code == 0, "{}", words(&changed));
    for (wrong, code) in [
        (&["limit", "order_qty_max=0.0001", "--symbol", "BTC-USD.NORTH", "--why", "x"][..], 2),
        (&["limit", "order_qty_max=1", "--why", "x"], 2),
        (&["limit", "day_max=1", "--why", "x"], 7),
        (&["limit", "order_qty_max=1", "--symbol", "BTC-USD.NORTH", "--why", " "], 7),
    ] {
        assert_eq!(desk.tse(wrong).code, code, "{wrong:?}");
    }
    assert_eq!(desk.tse(&["limit", "long_max", "--why", "x"]).code, 2);
    running.signal("-KILL");
    running.end();
    let running = desk.run(&["--speed", "20", "--arm"]);
    let armed = running.until("it is armed", |it| it["armed"] == true);
    let flat = |it: &Value| number(it, "denied") > number(&armed, "denied") + 20;
    running.until("its orders are refused", flat);
    let of_maker = |it: &Value| it["strategies"][0]["orders"].as_u64() == Some(0);
    running.until("nothing new of the maker's is open", of_maker);
}

#[test]
fn a_flag_stops_what_does_not_hear_and_what_has_not_begun() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "20", "--arm"]);
    running.until("it trades", |it| number(it, "orders_open") > 0);
    running.signal("-STOP");
    let begun = Instant::now();
    let killed = desk.tse(&["kill", "--now"]);
    assert!(killed.code == 0, "{}", words(&killed));
    assert!(words(&killed).contains("halted by"), "{}", words(&killed));
    assert!(begun.elapsed() < Duration::from_secs(30));
    running.signal("-CONT");
    let halted = running.until("it halts", |it| it["level"] == "halt");
    running.until("all is taken back", |it| number(it, "orders_open") == 0);
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(0));

    // It boots halted, and `--arm` does not change that.
    let running = desk.run(&["--speed", "20", "--arm"]);
    let still = running
        .until("it wants to trade", |it| number(it, "denied") > number(&halted, "denied") + 10);
    assert_eq!(still["level"], "halt");
    assert_eq!(number(&still, "orders_open"), 0);
    running.signal("-TERM");
    running.end();

    // Nobody is there: the flag waits for whoever begins.
    std::fs::remove_dir_all(desk.home()).unwrap();
    let running = desk.run(&["--speed", "20"]);
    running.signal("-TERM");
    running.end();
    assert!(desk.tse(&["kill", "--now"]).code == 0);
    let running = desk.run(&["--speed", "20"]);
    running.until("it is halted", |it| it["level"] == "halt");
}

#[test]
fn one_process_one_config_one_folder() {
    let desk = Desk::new();
    let nobody = desk.tse(&["status"]);
    assert_eq!(nobody.code, 6, "{}", words(&nobody));
    let running = desk.run(&["--speed", "20"]);
    let second = desk.tse(&["run", "demo.toml", "--no-network"]);
    assert_eq!(second.code, 6, "{}", words(&second));
    assert!(words(&second).contains("TSE-N004"), "{}", words(&second));
    running.until("the first goes on", |_| true);
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(0));

    let other = desk.tse(&["run", "demo.toml", "--no-network", "--set", "run.seed=7"]);
    assert_eq!(other.code, 6, "{}", words(&other));
    assert!(
        words(&other).contains("TSE-N005") && words(&other).contains("seed = 7"),
        "{}",
        words(&other)
    );

    std::fs::remove_dir_all(desk.home().join("venues")).unwrap();
    let half = desk.tse(&["run", "demo.toml", "--no-network"]);
    assert!(words(&half).contains("one of them was taken away"), "{}", words(&half));

    for args in [
        &["run", "demo.toml", "--no-network", "--speed", "0"][..],
        &["run", "demo.toml", "--no-network", "--durability", "none"],
    ] {
        assert_eq!(desk.tse(args).code, 2, "{args:?}");
    }
    let backtest = desk.tse(&["backtest", "demo.toml", "--set", "run.mode=\"paper\""]);
    assert_eq!(backtest.code, 3, "{}", words(&backtest));
    assert!(words(&backtest).contains("TSE-C046"), "{}", words(&backtest));
    let unknown = desk.tse(&["status", "demmo"]);
    assert!(words(&unknown).contains("did you mean demo?"), "{}", words(&unknown));
    let unasked = desk.tse(&["kill", "demo"]);
    assert_eq!(unasked.code, 2, "{}", words(&unasked));
}

#[test]
fn however_fast_it_runs_it_hears_and_ends() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "1000000", "--arm"]);
    running.until("it trades", |it| number(it, "fills") > 0);
    assert_eq!(desk.json(&["kill", "--now"]).expect("it hears")["level"], "halt");
    running.signal("-INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("makes no progress"), "{said}");
}

#[test]
fn an_engine_whose_data_or_socket_was_taken_away_says_so() {
    let desk = Desk::new();
    let examples = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs tests"))
        .join("../../examples");
    let read = |name: &str| std::fs::read(examples.join(name)).unwrap();
    desk.bench.write("own.toml", read("import-own-csv.toml"));
    for entry in std::fs::read_dir(examples.join("data")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        desk.bench.write(&format!("data/{name}"), read(&format!("data/{name}")));
    }
    let whole = ["run", "own.toml", "--no-network", "--speed", "1000000", "--set", "run.name=own"];
    let first = desk.tse(&whole);
    assert_eq!(first.code, 0, "{}", words(&first));
    // As long as before, and another price.
    for entry in std::fs::read_dir(desk.bench.path().join("data")).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.iter().rposition(u8::is_ascii_digit).unwrap();
        bytes[at] = if bytes[at] == b'1' { b'2' } else { b'1' };
        std::fs::write(&path, bytes).unwrap();
    }
    let second = desk.tse(&whole);
    assert!(words(&second).contains("saw other data"), "{}", words(&second));

    let running = desk.run(&["--speed", "20"]);
    std::fs::remove_file(desk.home().join("control.sock")).unwrap();
    let status = desk.tse(&["status", "demo"]);
    assert_eq!(status.code, 6);
    assert!(words(&status).contains("runs, and its socket is gone"), "{}", words(&status));
    assert_eq!(desk.tse(&["kill", "demo", "--now"]).code, 0);
    assert!(desk.home().join("kill").is_file());
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(0));
}

#[test]
fn venues_that_know_nothing_of_it_latch_the_account_until_somebody_has_looked() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "60", "--arm"]);
    running.until("it holds something", |it| number(it, "fills") > 20);
    running.signal("-KILL");
    running.end();
    // The same venues, in which nobody ever asked for anything.
    let kept = desk.bench.path().join("kept");
    std::fs::rename(desk.home(), &kept).unwrap();
    let running = desk.run(&["--speed", "60"]);
    running.signal("-KILL");
    running.end();
    std::fs::remove_dir_all(kept.join("venues")).unwrap();
    std::fs::rename(desk.home().join("venues"), kept.join("venues")).unwrap();
    std::fs::remove_dir_all(desk.home()).unwrap();
    std::fs::rename(&kept, desk.home()).unwrap();

    // Not armed: what these venues name next are names of executions that the engine has heard before.
    let running = desk.run(&["--speed", "60"]);
    let of = |it: &Value, key: &str| {
        let all = it["venues"].as_array().unwrap().iter();
        all.filter(|venue| venue[key] == true).count()
    };
    running.until("it cannot be explained", |it| of(it, "unexplained") == 2);
    for venue in ["NORTH", "SOUTH"] {
        let looked = desk.tse(&["resume", "--scope", &format!("account:{venue}")]);
        assert_eq!(looked.code, 0, "{}", words(&looked));
    }
    let status = running.until("it goes on", |it| of(it, "reconciled") == 2);
    assert_eq!(of(&status, "unexplained"), 0);
    let armed = desk.tse(&["resume"]);
    assert_eq!(armed.code, 0, "{}", words(&armed));
    running.until("it may trade", |it| it["armed"] == true);
}

#[test]
fn a_run_ends_with_its_data() {
    let desk = Desk::new();
    let ended = desk.tse(&[
        "run",
        "demo.toml",
        "--no-network",
        "--speed",
        "600",
        "--arm",
        "--set",
        "synthetic.length=20s",
        "--json",
    ]);
    assert_eq!(ended.code, 0, "{}", words(&ended));
    let told: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(told["schema"], "tse.run/1");
    assert_eq!(told["data"]["stopping"], true);
    assert_eq!(told["data"]["orders_open"], 0);
}

#[test]
fn what_is_said_to_the_socket_hurts_nobody() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "20"]);
    let socket = desk.home().join("control.sock");
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&socket).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let speak = |bytes: &[u8]| {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // It may hang up before everything was said.
        let _ = stream.write_all(bytes);
        let mut answer = String::new();
        let _ = BufReader::new(stream).read_line(&mut answer);
        answer
    };
    for wrong in [
        &b"\n"[..],
        b"kill\n",
        b"{}\n",
        b"{\"do\":\"kill\"}\n",
        b"{\"do\":\"kill\",\"scope\":\"firm\",\"level\":\"halt\",\"by\":7,\"why\":\"\"}\n",
        b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
        b"\xff\xfe\x00\n",
        &[b'['; 200_000],
    ] {
        let answer = speak(wrong);
        assert!(answer.is_empty() || answer.contains("that is no demand"), "{answer}");
    }
    // Who says nothing, or half of it, and there are many of them.
    let silent: Vec<_> = (0..40).filter_map(|_| UnixStream::connect(&socket).ok()).collect();
    let mut half = UnixStream::connect(&socket).unwrap();
    let _ = half.write_all(b"{\"do\":");
    drop((silent, half));
    let status = running.until("it answers", |_| true);
    assert_eq!(status["level"], "free");
}
