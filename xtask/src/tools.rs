//! Tools of others that chores use, fetched once into a folder of the user's cache where they are missing.
//!
//! Nothing of the system is changed: what comes from Debian is unpacked there and not installed, what comes from
//! Python's or npm's registry has a folder of its own.
//!
//! Begin at [`cargo_tool`].

use crate::workspace;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A subcommand of cargo.
pub fn cargo_tool(name: &str, version: &str) -> Result<PathBuf, String> {
    let home = home()?;
    let tool = home.join("bin").join(name);
    if tool.is_file() {
        return Ok(tool);
    }
    println!("installing {name} in {}", home.display());
    let done = workspace::cargo()
        .args(["install", name, "--version", version, "--locked", "--quiet", "--root"])
        .arg(&home)
        .stdin(Stdio::null())
        .status();
    match done {
        Ok(status) if status.success() => Ok(tool),
        _ => Err(format!("{name} could not be installed: it needs a registry that cargo reaches")),
    }
}

/// A program of a Debian package: the system's own, or one that is unpacked.
pub fn debian_tool(name: &str, package: &str) -> Result<PathBuf, String> {
    if let Some(found) = on_path(name) {
        return Ok(found);
    }
    let home = home()?.join(format!("debian-{package}"));
    let tool = home.join("usr/bin").join(name);
    if tool.is_file() {
        return Ok(tool);
    }
    let missing = || format!("{name} is not here (Debian: apt install {package})");
    if on_path("apt-get").is_none() || on_path("dpkg-deb").is_none() {
        return Err(missing());
    }
    println!("      unpacking Debian's {package} in {}", home.display());
    let new = home.with_extension("new");
    let _ = std::fs::remove_dir_all(&new);
    std::fs::create_dir_all(&new).map_err(|error| format!("{}: {error}", new.display()))?;
    let download = || {
        // It is fetched by a user of its own, which cannot write here; as ours then.
        let mut apt = Command::new("apt-get");
        apt.args(["download", "-qq", "-o", "APT::Sandbox::User=root", package]);
        quiet(apt.current_dir(&new))
    };
    // Lists of packages may be missing: whoever may fetches them.
    let update = || quiet(Command::new("apt-get").args(["update", "-qq"]));
    let fetched = download() || (update() && download());
    if !fetched {
        return Err(missing());
    }
    let file = std::fs::read_dir(&new).ok().and_then(|mut all| all.next()?.ok());
    let file = file.ok_or_else(missing)?.path();
    if !quiet(Command::new("dpkg-deb").arg("-x").arg(&file).arg(&new)) {
        return Err(missing());
    }
    let _ = std::fs::remove_file(&file);
    let _ = std::fs::remove_dir_all(&home);
    std::fs::rename(&new, &home).map_err(|error| format!("{}: {error}", home.display()))?;
    if tool.is_file() { Ok(tool) } else { Err(missing()) }
}

/// A program of a Python package.
pub fn python_tool(name: &str, package: &str, version: &str) -> Result<PathBuf, String> {
    let home = home()?.join(format!("python-{package}-{version}"));
    let tool = home.join("bin").join(name);
    // Written last: an installation that was cut off is begun again.
    let whole = home.join("whole");
    if whole.is_file() {
        return Ok(tool);
    }
    println!("      installing {package} {version} in {}", home.display());
    if !quiet(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home)) {
        return Err("Python 3 with its `venv` module is not here".to_owned());
    }
    let mut pip = Command::new(home.join("bin/python3"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    if !quiet(pip.arg(format!("{package}=={version}"))) {
        return Err(format!("{package} could not be installed: pip reaches no registry"));
    }
    std::fs::write(&whole, "").map_err(|error| format!("{}: {error}", whole.display()))?;
    Ok(tool)
}

/// A program of an npm package.
pub fn npm_tool(name: &str, package: &str, version: &str) -> Result<PathBuf, String> {
    let home = home()?.join(format!("npm-{package}-{version}"));
    let tool = home.join("node_modules/.bin").join(name);
    if tool.exists() {
        return Ok(tool);
    }
    if on_path("npm").is_none() {
        return Err("npm is not here".to_owned());
    }
    println!("      installing {package} {version} in {}", home.display());
    std::fs::create_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
    if quiet(npm.arg(&home).arg(format!("{package}@{version}"))) && tool.exists() {
        Ok(tool)
    } else {
        Err(format!("{package} could not be installed: npm reaches no registry"))
    }
}

/// A program of that name on the path.
pub fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|it| it.is_file())
}

/// Where Debian puts programs of PostgreSQL, the newest version first, or the path.
pub fn of_postgres(name: &str) -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut all: Vec<_> = folders.map(|it| it.path().join("bin").join(name)).collect();
    all.sort_by_key(|path| std::cmp::Reverse(version(path)));
    all.into_iter().find(|it| it.is_file()).or_else(|| on_path(name))
}

fn version(program: &Path) -> u32 {
    let version = program.ancestors().nth(2).and_then(Path::file_name).and_then(|it| it.to_str());
    version.and_then(|it| it.parse().ok()).unwrap_or_default()
}

fn home() -> Result<PathBuf, String> {
    Ok(workspace::cache()?.join("tse-tools"))
}

/// Whether it ran and went well, without a word.
fn quiet(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
