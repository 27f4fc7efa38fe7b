//! `cargo xtask bench`: runs the benchmarks, which are a workspace of their own in `bench/`.
//!
//! They stand apart because they measure TSE beside other engines, which never become its
//! dependencies, and they build into a folder of their own, so neither build spoils the other's
//! cache. Arguments go to the benchmarks untouched; their exit code decides ours.

use crate::End;
use crate::workspace;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// Builds the benchmarks with optimisation and runs them with `args`.
pub fn run(args: &[String]) -> End {
    let root = workspace::root();
    let manifest = root.join("bench").join("Cargo.toml");
    if !manifest.is_file() {
        eprintln!(
            "error: there are no benchmarks to run\n  --> {}\n   = why: bench/ is a cargo workspace of \
             its own with the package `tse-bench`, and its manifest is not there\n   = fix: restore \
             bench/ (git checkout -- bench)",
            workspace::shown(&root, &manifest)
        );
        return End::Badly;
    }
    let target =
        beside(&root, std::env::var_os("CARGO_TARGET_DIR").map(|_| workspace::target_dir(&root)));
    let tool = |verb: &str, features: &[&str]| {
        let mut cargo = workspace::cargo();
        cargo.args([verb, "--release", "--package", "tse-bench", "--manifest-path"]);
        cargo.arg(&manifest).args(features).env("CARGO_TARGET_DIR", &target);
        cargo
    };
    if args == ["--gate", "--instructions"] {
        return instructions(&target, |features| tool("build", features).status());
    }
    let bench = |features: &[&str]| {
        let mut cargo = tool("run", features);
        cargo.arg("--");
        cargo
    };
    let mut cargo = bench(&[]);
    cargo.args(args);
    if args == ["--gate"] {
        // The same streams with a gate that lets everything through, which is a build of its own.
        let open =
            bench(&["--features", "open"]).arg("--gate-open").stderr(Stdio::inherit()).output();
        let said = open.map(|open| String::from_utf8_lossy(&open.stdout).into_owned());
        cargo.args(said.unwrap_or_default().split_whitespace());
    }
    match cargo.status() {
        Ok(status) if status.success() => End::Well,
        Ok(status) => {
            eprintln!("error: the benchmarks ended with {status}");
            End::Badly
        }
        Err(error) => {
            eprintln!("error: cargo could not be started for the benchmarks: {error}");
            End::Badly
        }
    }
}

/// Orders to so many quotes, and how many quotes are counted: the difference of two runs is that of quotes alone.
const EVERY: [u64; 4] = [1, 10, 20, 100];
const QUOTES: [u64; 2] = [2_000, 12_000];

/// Counts instructions instead of time, which other work on the machine does not change: of each stream, with the gate
/// and with one that lets everything through.
fn instructions(target: &Path, build: impl Fn(&[&str]) -> std::io::Result<ExitStatus>) -> End {
    let program = target.join("release").join("tse-bench");
    let mut counted = Vec::new();
    for features in [&["--features", "open"][..], &[]] {
        if !build(features).is_ok_and(|status| status.success()) {
            eprintln!("error: the benchmarks cannot be built");
            return End::Badly;
        }
        for every in EVERY {
            match per_quote(&program, every) {
                Ok(count) => counted.push(count),
                Err(why) => {
                    eprintln!("error: {why}");
                    return End::Badly;
                }
            }
        }
    }
    let (open, gated) = counted.split_at(EVERY.len());
    println!(
        "instructions for a quote, every control set, beside a gate that lets everything through:"
    );
    for ((every, gated), open) in EVERY.into_iter().zip(gated).zip(open) {
        let order = (gated - open) * every as f64;
        println!(
            "  an order to {every:>3} quotes  {gated:>6.0} beside {open:>6.0}, {:.2}; {order:>6.0} for an order",
            open / gated
        );
    }
    End::Well
}

/// What a quote takes in one of the streams.
fn per_quote(program: &Path, every: u64) -> Result<f64, String> {
    let [few, many] = QUOTES.map(|quotes| {
        let mut valgrind = Command::new("valgrind");
        valgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program);
        valgrind.args(["--gate-stream", &every.to_string(), &quotes.to_string()]);
        let said = valgrind.output().map_err(|error| {
            format!(
                "valgrind cannot be started ({error}): it counts instructions; apt install valgrind"
            )
        })?;
        let said = String::from_utf8_lossy(&said.stderr).into_owned();
        let count =
            said.split("Collected :").nth(1).and_then(|rest| rest.split_whitespace().next());
        let count = count.and_then(|count| count.parse::<f64>().ok());
        count.ok_or_else(|| format!("valgrind did not count: {}", said.trim()))
    });
    Ok((many? - few?) / (QUOTES[1] - QUOTES[0]) as f64)
}

/// The benchmarks' build folder: `X-bench` beside a chosen `X`, else `target/bench`.
fn beside(root: &Path, chosen: Option<PathBuf>) -> PathBuf {
    match chosen {
        Some(dir) => {
            let mut name = OsString::from(dir.components().as_path());
            name.push("-bench");
            PathBuf::from(name)
        }
        None => root.join("target").join("bench"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benchmarks_build_beside_the_workspace_and_never_in_its_folder() {
        let root = Path::new("/tse");
        assert_eq!(beside(root, None), Path::new("/tse/target/bench"));
        assert_eq!(beside(root, Some("/cache/tse".into())), Path::new("/cache/tse-bench"));
        assert_eq!(beside(root, Some("/cache/tse/".into())), Path::new("/cache/tse-bench"));
    }
}
