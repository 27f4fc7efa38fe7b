//! `cargo xtask clients`: clients that are not ours speak to `tse run`.
//!
//! A fuzzer of OpenAPI descriptions over every route, Python's gRPC for health and reflection, a receiver of traces, and
//! the linter of Prometheus: `checks/clients.py`. Where there is no Python, or no way to install, it says loudly that it
//! was skipped; with `TSE_REQUIRE_SERVERS=1` it fails instead.

use crate::End;
use crate::python::environment;
use crate::servers;
use crate::tools::debian_tool;
use crate::workspace;
use std::process::{Command, Stdio};

const REQUIREMENTS: &str = "checks/requirements-clients.txt";
const CHECK: &str = "checks/clients.py";

/// Builds `tse`, starts it, and lets others speak to it.
pub fn run(args: &[String]) -> End {
    let root = workspace::root();
    let (python, promtool) =
        match (environment(&root, REQUIREMENTS), debian_tool("promtool", "prometheus")) {
            (Ok(python), Ok(promtool)) => (python, promtool),
            (Err(why), _) | (_, Err(why)) => {
                println!("SKIPPED: nobody but us has spoken to `tse run`. {why}");
                return if servers::are_required() { End::Badly } else { End::Well };
            }
        };
    let built = workspace::cargo()
        .args(["build", "--release", "--bin", "tse"])
        .current_dir(&root)
        .env("CARGO_TARGET_DIR", workspace::target_dir(&root))
        .stdin(Stdio::null())
        .status();
    if !built.is_ok_and(|status| status.success()) {
        println!("`tse` could not be built");
        return End::Badly;
    }
    let mut check = Command::new(python);
    check.arg(root.join(CHECK)).current_dir(&root).stdin(Stdio::null());
    check.arg("--tse").arg(workspace::target_dir(&root).join("release").join("tse"));
    check.arg("--promtool").arg(promtool).args(args);
    match check.status() {
        Ok(status) if status.success() => End::Well,
        Ok(status) if status.code() == Some(2) => {
            End::Misused("`clients` takes what `checks/clients.py --help` lists".to_owned())
        }
        _ => End::Badly,
    }
}
