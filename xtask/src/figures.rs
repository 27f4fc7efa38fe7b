//! `cargo xtask figures`: statistics computed a second time, in Python, and compared.
//!
//! `checks/performance.py` needs numpy and pandas. They are installed once, in an environment of their own under
//! the user's cache, named by what is asked for, so that nothing of the system's Python is touched. Where there is
//! no Python, or no way to install, the check says loudly that it was skipped; with `TSE_REQUIRE_DATA=1` it
//! fails instead.
//!
//! Begin at [`run`].

use crate::End;
use crate::workspace;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the Python side needs, beside the root.
const REQUIREMENTS: &str = "checks/requirements.txt";
const CHECK: &str = "checks/performance.py";

/// Installs what is missing, builds `tse`, and compares.
pub fn run(args: &[String]) -> End {
    let root = workspace::root();
    let python = match environment(&root) {
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

/// A Python that has what the check needs.
fn environment(root: &Path) -> Result<PathBuf, String> {
    let wanted = std::fs::read(root.join(REQUIREMENTS))
        .map_err(|error| format!("{REQUIREMENTS} cannot be read: {error}"))?;
    let home = workspace::cache()?.join(format!("tse-python-{:08x}", checksum(&wanted)));
    let python = home.join("bin").join("python3");
    // Written last: an installation that was cut off is begun again.
    let whole = home.join("whole");
    if whole.is_file() {
        return Ok(python);
    }
    println!("      installing numpy and pandas in {}", home.display());
    let mut new = Command::new("python3");
    new.args(["-m", "venv", "--clear"]).arg(&home);
    succeeds(
        &mut new,
        "Python 3.11 or newer with its `venv` module (Debian: apt install python3-venv)",
    )?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    pip.arg(root.join(REQUIREMENTS));
    succeeds(&mut pip, "a package registry that pip reaches, and Python 3.11 or newer")?;
    std::fs::write(&whole, "").map_err(|error| format!("{} : {error}", whole.display()))?;
    Ok(python)
}

fn succeeds(command: &mut Command, needs: &str) -> Result<(), String> {
    let done = command.stdin(Stdio::null()).status();
    match done {
        Ok(status) if status.success() => Ok(()),
        Ok(_) | Err(_) => Err(format!("It needs {needs}.")),
    }
}

/// FNV-1a: a name for what is wanted, no more.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_requirements_are_another_environment() {
        assert_eq!(checksum(b""), 0x811c_9dc5);
        assert_ne!(checksum(b"numpy==1"), checksum(b"numpy==2"));
    }
}
