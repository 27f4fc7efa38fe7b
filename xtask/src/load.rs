//! `cargo xtask load`: how fast `tse run` answers while its engine trades, measured with `wrk`: `checks/load.py`.
//!
//! It prints figures and judges none of them: they are of this machine, at this moment.

use crate::End;
use crate::tools::debian_tool;
use crate::workspace;
use std::process::{Command, Stdio};

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
    let mut check = Command::new("python3");
    check.arg(root.join(CHECK)).current_dir(&root).stdin(Stdio::null());
    check.arg("--tse").arg(target.join("release").join("tse")).arg("--wrk").arg(wrk).args(args);
    match check.status() {
        Ok(status) if status.success() => End::Well,
        Ok(status) if status.code() == Some(2) => {
            End::Misused("`load` takes what `checks/load.py --help` lists".to_owned())
        }
        _ => End::Badly,
    }
}
