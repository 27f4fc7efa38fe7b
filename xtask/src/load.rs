//! `cargo xtask load`: how fast `tse run` answers while its engine trades, measured with `wrk`: `checks/load.py`.
//!
//! It prints figures and judges none of them: they are of this machine, at this moment.

use crate::End;
use crate::tools::debian_tool;
use crate::workspace;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const CHECK: &str = "checks/load.py";

/// Builds `tse`, and measures it.
pub fn run(args: &[String]) -> End {
    let root = workspace::root();
    let wrk = match debian_tool("wrk", "wrk") {
        Ok(wrk) => wrk,
        Err(why) => {
            eprintln!("error: {why}");
            return End::Badly;
        }
    };
    let target = workspace::target_dir(&root);
    let built = workspace::cargo()
        .args(["build", "--release", "--bin", "tse"])
        .current_dir(&root)
        .env("CARGO_TARGET_DIR", &target)
        .stdin(Stdio::null())
        .status();
    if !built.is_ok_and(|status| status.success()) {
        eprintln!("error: `tse` could not be built");
        return End::Badly;
    }
    let postgres = match Database::begin(&root, &target) {
        Ok(postgres) => postgres,
        Err(why) => {
            eprintln!("error: PostgreSQL: {why}");
            return End::Badly;
        }
    };
    let mut check = Command::new("python3");
    check.env_remove("POSTGRES_URL");
    check.arg(root.join(CHECK)).current_dir(&root).stdin(Stdio::null());
    check.arg("--postgres").arg(&postgres.url);
    check.arg("--tse").arg(target.join("release").join("tse")).arg("--wrk").arg(wrk).args(args);
    match check.status() {
        Ok(status) if status.success() => End::Well,
        Ok(status) if status.code() == Some(2) => {
            End::Misused("`load` takes what `checks/load.py --help` lists".to_owned())
        }
        _ => End::Badly,
    }
}

/// A throw-away PostgreSQL, as tests have it.
struct Database {
    child: Child,
    url: String,
}

impl Database {
    fn begin(root: &Path, target: &Path) -> Result<Self, String> {
        let mut child = workspace::cargo()
            .args(["run", "--quiet", "--package", "tse-storage", "--features", "testing"])
            .args(["--example", "server"])
            .current_dir(root)
            .env("CARGO_TARGET_DIR", target)
            .env("TSE_REQUIRE_SERVERS", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
        match line.trim() {
            "" => Err("it does not begin; `cargo xtask servers` installs it".to_owned()),
            url => Ok(Self { child, url: url.to_owned() }),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
