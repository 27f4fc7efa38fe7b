//! `cargo xtask bench`: runs the benchmarks, which are a workspace of their own in `bench/`.
//!
//! They stand apart because they measure TSE beside other engines, which never become its
//! dependencies, and they build into a folder of their own, so neither build spoils the other's
//! cache. Arguments go to the benchmarks untouched; their exit code decides ours.

use crate::End;
use crate::workspace;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

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
    let bench = |features: &[&str]| {
        let mut cargo = workspace::cargo();
        cargo.args(["run", "--release", "--package", "tse-bench", "--manifest-path"]);
        cargo.arg(&manifest).args(features).arg("--").env("CARGO_TARGET_DIR", &target);
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
