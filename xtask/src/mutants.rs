//! `cargo xtask mutants`: the code that decides about orders is changed in one place at a time, and tests must notice.
//!
//! The tool is `cargo-mutants`, installed once beside the user's other tools of this project. `--shard K/N` runs a part;
//! `--diff` only what changed since the results in `docs/mutants.md` were measured, which CI does. What nothing
//! notices is printed, and fails the chore; whether it is a fault of the tests or a change that changes nothing is
//! for people to say there. A history that lacks that commit is told loudly, and nothing is run: then the results are
//! to be measured anew.
//!
//! Begin at [`run`].

use crate::End;
use crate::tools;
use crate::workspace;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where what decides about orders is: gate, switch, breakers, order machine, ledger, and what changes them.
const FILES: [&str; 21] = [
    "core/risk/src/change.rs",
    "core/risk/src/clock.rs",
    "core/risk/src/correlation.rs",
    "core/risk/src/exposure.rs",
    "core/risk/src/gate.rs",
    "core/risk/src/gauge.rs",
    "core/risk/src/limits.rs",
    "core/risk/src/losses.rs",
    "core/risk/src/meter.rs",
    "core/risk/src/ramp.rs",
    "core/risk/src/reserve.rs",
    "core/risk/src/swing.rs",
    "core/risk/src/switch.rs",
    "core/kernel/src/exposure.rs",
    "core/kernel/src/guard.rs",
    "core/kernel/src/halt.rs",
    "core/kernel/src/life.rs",
    "core/kernel/src/limits.rs",
    "core/portfolio/src/ledger.rs",
    "core/engine/src/egress.rs",
    "core/services/src/drop_copy.rs",
];

/// What is built only to prove that tests notice or to measure: `prove-controls` and the benchmarks fail if it does nothing.
const LEFT_OUT: [&str; 2] = ["take_out", "wave_through"];

/// The results, and the commit they were measured at.
const RESULTS: &str = "docs/mutants.md";
/// The line that names it.
const MEASURED: &str = "Measured at `";

/// Changes and tests as `args` say.
pub fn run(args: &[String]) -> End {
    let root = workspace::root();
    let mut rest = Vec::new();
    let mut diff = None;
    let mut given = args.iter();
    while let Some(arg) = given.next() {
        match arg.as_str() {
            "--diff" => match changes(&root) {
                Ok(Some(path)) => diff = Some(path),
                Ok(None) => return End::Well,
                Err(why) => {
                    eprintln!("error: {why}");
                    return End::Badly;
                }
            },
            "--shard" => match given.next() {
                Some(part) => rest.extend([arg.clone(), part.clone()]),
                None => return End::Misused("`--shard` needs a part such as 0/8".to_owned()),
            },
            other => return End::Misused(format!("`mutants` has no flag `{other}`")),
        }
    }
    let tool = match tools::cargo_tool("cargo-mutants", "27.1.0") {
        Ok(tool) => tool,
        Err(why) => {
            eprintln!("error: {why}");
            return End::Badly;
        }
    };
    let out = workspace::target_dir(&root).join("mutants");
    let mut mutants = Command::new(tool);
    mutants.arg("mutants").current_dir(&root).args(rest).stdin(Stdio::null());
    for file in FILES {
        mutants.args(["--file", file]);
    }
    for name in LEFT_OUT {
        mutants.args(["--exclude-re", name]);
    }
    for package in ["tse-risk", "tse-kernel", "tse-portfolio", "tse-engine", "tse-services"] {
        mutants.args(["--test-package", package]);
    }
    mutants
        .args(["--no-shuffle", "--timeout", "120", "--build-timeout", "300", "-j", "2", "-o"])
        .arg(&out);
    if let Some(diff) = &diff {
        mutants.arg("--in-diff").arg(diff);
    }
    // Random tests say the same with fewer dice, and there are hundreds of runs. Each builds in a folder of its own.
    mutants.env("TSE_GATE_ORDERS", "60000").env("TSE_SEQUENCES", "2000");
    mutants.env_remove("CARGO_TARGET_DIR");
    match mutants.status().map(|status| status.code()) {
        Ok(Some(0)) => End::Well,
        Ok(_) => {
            eprintln!("error: something was changed and nothing noticed: {}", out.display());
            End::Badly
        }
        Err(error) => {
            eprintln!("error: cargo-mutants could not be started: {error}");
            End::Badly
        }
    }
}

/// What changed since the results were measured, as a file; `None` if nothing did.
fn changes(root: &Path) -> Result<Option<PathBuf>, String> {
    let page = std::fs::read_to_string(root.join(RESULTS))
        .map_err(|error| format!("{RESULTS}: {error}"))?;
    let commit = page.split(MEASURED).nth(1).and_then(|rest| rest.split('`').next());
    let commit =
        commit.ok_or_else(|| format!("{RESULTS} does not say at which commit it was measured"))?;
    let diff = Command::new("git")
        .args(["diff", commit, "--"])
        .args(FILES)
        .current_dir(root)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("git could not be started: {error}"))?;
    if !diff.status.success() {
        println!(
            "SKIPPED: this history lacks {commit}, at which {RESULTS} was measured: measure anew"
        );
        return Ok(None);
    }
    if diff.stdout.is_empty() {
        println!("nothing of what decides about orders has changed since {commit}");
        return Ok(None);
    }
    let path = workspace::target_dir(root).join("mutants.diff");
    std::fs::create_dir_all(workspace::target_dir(root))
        .and_then(|()| std::fs::write(&path, &diff.stdout))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Some(path))
}
