//! Where the workspace is, and how a chore calls cargo in it.
//!
//! Reads only what cargo puts into the environment of a chore; knows none of the chores.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of the workspace's `Cargo.toml`.
///
/// Asked for when running, not when compiling: clones that share a build folder share this binary.
pub fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = here.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    here.parent().expect("xtask lies in the workspace").to_path_buf()
}

/// A call of the cargo that called us.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Where the workspace is built: an absolute path, as the caller's folder is not always ours.
pub fn target_dir(root: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => std::path::absolute(&dir).unwrap_or_else(|_| PathBuf::from(dir)),
        None => root.join("target"),
    }
}

/// A path below `root` as it is written in reports: relative, with forward slashes.
pub fn shown(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// Where what the chores install is kept: the user's cache, outside of every clone.
pub fn cache() -> Result<PathBuf, String> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let home = set("XDG_CACHE_HOME").map(PathBuf::from);
    home.or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .ok_or_else(|| "HOME is not set.".to_owned())
}
