//! Running the real `tse`, and comparing what it says with what is on file.
#![allow(dead_code, reason = "each test takes what it needs")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A config that is right. Tests break it in one place each.
pub const GOOD: &str = r#"[run]
name = "good"
base = "USDT"
start = "2024-01-01T00:00:00Z"

[[venues]]
name = "ALPHA"
balances = { BTC = "10", USDT = "100000" }
latency = { feed = "1ms", order = "1ms", response = "1ms" }

[[venues]]
name = "BETA"
account = "margin"
balances = { USDT = "100000" }
latency = { feed = "2ms", order = "2ms", response = { low = "1ms", high = "3ms" } }

[[instruments]]
symbol = "BTC-USDT.ALPHA"
tick = "0.1"
lot = "0.001"
qty_min = "0.001"
qty_max = "100"
price_max = "1000000"
fees = { maker_bps = "2", taker_bps = "4" }

[[instruments]]
symbol = "BTC-USDT-PERP.BETA"
tick = 0.1
lot = 0.001
margin_initial = "0.1"
margin_maintenance = "0.05"
fees = { maker_bps = "-0.5", taker_bps = "4" }
funding = { rate = "0.0001" }

[synthetic]
length = "10s"

[[data]]
format = "synthetic"
instrument = "BTC-USDT.ALPHA"
process = "btc"
price = "60000"
level_size = "0.5"

[[data]]
format = "synthetic"
instrument = "BTC-USDT-PERP.BETA"
process = "btc"
price = "60000"
level_size = "0.5"

[[strategies]]
name = "mm"
type = "market_making"
instruments = ["BTC-USDT.ALPHA"]
params = { order_size = "0.01", max_position = "0.1" }
limits = { open_orders_max = 4 }

[[strategies]]
name = "cross"
type = "ema_cross"
instruments = ["BTC-USDT-PERP.BETA"]
params = { fast = 5, slow = 50, size = "0.01", bar = "0s" }

[limits]
order_qty_max = "1"
order_value_max = "100000"
collar_bps = "100"
repeats = { count = 100, window = "1s" }
open_orders_max = 10
long_max = "20"
short_max = "5"
data_age_max = "5s"
"#;

/// A folder for one test, and `tse` in it.
pub struct Bench {
    home: tempfile::TempDir,
}

/// What `tse` said.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Bench {
    pub fn new() -> Self {
        Self { home: tempfile::tempdir().expect("a temporary folder") }
    }

    pub fn path(&self) -> &Path {
        self.home.path()
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a file");
        path
    }

    /// `tse` with nothing in its environment that a test did not put there.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tse"));
        command.args(args).current_dir(self.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TSE_") {
                command.env_remove(name);
            }
        }
        for name in ["COLUMNS", "NO_COLOR", "TERM", "CLICOLOR_FORCE"] {
            command.env_remove(name);
        }
        command
    }

    pub fn tse(&self, args: &[&str]) -> Said {
        said(&self.command(args).output().expect("tse starts"))
    }
}

pub fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("tse speaks UTF-8");
    Said {
        code: output.status.code().expect("tse was not killed"),
        out: text(&output.stdout),
        err: text(&output.stderr),
    }
}

/// `GOOD` with one piece of text changed; it must be there exactly once.
pub fn changed(from: &str, to: &str) -> String {
    assert_eq!(GOOD.matches(from).count(), 1, "`{from}` is not once in the good config");
    GOOD.replacen(from, to, 1)
}

/// Compares a text with the one on file; UPDATE_SNAPSHOTS=1 writes it instead.
pub fn snapshot(folder: &str, name: &str, text: &str) -> Result<(), String> {
    let path = snapshots(folder).join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("a snapshot");
        return Ok(());
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    if known == text {
        return Ok(());
    }
    Err(format!("--- {folder}/{name}: expected\n{known}\n--- but got\n{text}"))
}

pub fn snapshots(folder: &str) -> PathBuf {
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs tests"))
        .join("tests/snapshots")
        .join(folder)
}
