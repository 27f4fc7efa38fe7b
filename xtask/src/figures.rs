//! `cargo xtask figures`: statistics computed a second time, in Python, and compared.
//!
//! `checks/performance.py` needs numpy and pandas ([`environment`]). Where there is no Python, or no way to install, the
//! check says loudly that it was skipped; with `TSE_REQUIRE_DATA=1` it fails instead.
//!
//! Begin at [`run`].

use crate::End;
use crate::python::environment;
use crate::workspace;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What the Python side needs, beside the root.
const REQUIREMENTS: &str = "checks/requirements.txt";
const CHECK: &str = "checks/performance.py";

/// Installs what is missing, builds `tse`, and compares.
pub fn run(args: &[String]) -> End {
    let root = workspace::root();
    let python = match environment(&root, REQUIREMENTS) {
        Ok(python) => python,
        Err(why) => return missing(&why),
    };
    // With optimisation: the runs that are compared are whole days of a market.
    let words = ["build", "--release", "--bin", "tse"];
    let built = workspace::cargo()
        .args(words)
        .current_dir(&root)
        .env("CARGO_TARGET_DIR", workspace::target_dir(&root))
        .stdin(Stdio::null())
        .status();
    if !built.is_ok_and(|status| status.success()) {
        println!("      `tse` could not be built");
        return End::Badly;
    }
    let mut check = Command::new(python);
    check.arg(root.join(CHECK)).current_dir(&root).stdin(Stdio::null());
    check.arg("--tse").arg(workspace::target_dir(&root).join("release").join("tse"));
    let shared = std::env::var_os("TSE_SHARED").map(PathBuf::from);
    check.arg("--shared").arg(shared.unwrap_or_else(|| root.join("../shared")));
    if is_required() {
        check.arg("--require-data");
    }
    match check.args(args).status() {
        Ok(status) if status.success() => End::Well,
        Ok(status) if status.code() == Some(2) => {
            End::Misused("`figures` takes what `checks/performance.py --help` lists".to_owned())
        }
        _ => End::Badly,
    }
}

/// Whether what cannot be checked here is a failure.
fn is_required() -> bool {
    std::env::var("TSE_REQUIRE_DATA").is_ok_and(|value| value == "1")
}

fn missing(why: &str) -> End {
    if is_required() {
        println!("      {why}");
        return End::Badly;
    }
    println!("      SKIPPED: no statistic was compared with Python. {why}");
    End::Well
}
