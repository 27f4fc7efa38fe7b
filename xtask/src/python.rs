//! Pythons for checks: each with what it needs, installed once in an environment of its own under the user's cache, named
//! by what is asked for. Nothing of the system's Python is touched.

use crate::workspace;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A Python that has what a file of requirements lists.
///
/// # Errors
/// What it needs and is not here.
pub fn environment(root: &Path, requirements: &str) -> Result<PathBuf, String> {
    let wanted = std::fs::read(root.join(requirements))
        .map_err(|error| format!("{requirements} cannot be read: {error}"))?;
    let home = workspace::cache()?.join(format!("tse-python-{:08x}", checksum(&wanted)));
    let python = home.join("bin").join("python3");
    // Written last: an installation that was cut off is begun again.
    let whole = home.join("whole");
    if whole.is_file() {
        return Ok(python);
    }
    println!("      installing what {requirements} lists in {}", home.display());
    let mut new = Command::new("python3");
    new.args(["-m", "venv", "--clear"]).arg(&home);
    succeeds(
        &mut new,
        "Python 3.11 or newer with its `venv` module (Debian: apt install python3-venv)",
    )?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]);
    pip.arg(root.join(requirements));
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
