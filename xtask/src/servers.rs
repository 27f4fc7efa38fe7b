//! The servers that some tests need: what there is, and what can be installed.
//!
//! Tests start throw-away servers from the system's own binaries and leave out what is missing, unless
//! `TSE_REQUIRE_SERVERS=1` says that nothing may be. This says what there is, one line each, and with
//! `--install` installs Debian's packages where they are missing and it may. It starts nothing, and stops
//! the services that a package starts by itself.

use crate::End;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A binary, the package of Debian that has it, and the service that the package starts.
struct Needed {
    binary: &'static str,
    package: &'static str,
    service: &'static str,
}

const NEEDED: &[Needed] = &[
    Needed { binary: "initdb", package: "postgresql", service: "postgresql" },
    Needed { binary: "postgres", package: "postgresql", service: "postgresql" },
    Needed { binary: "redis-server", package: "redis-server", service: "redis-server" },
    Needed { binary: "promtool", package: "prometheus", service: "prometheus" },
];

/// `cargo xtask servers [--install]`.
pub fn run(args: &[String]) -> End {
    let install = match args {
        [] => false,
        [flag] if flag == "--install" => true,
        _ => return End::Misused(format!("servers does not know `{}`", args.join(" "))),
    };
    if all_there(install) { End::Well } else { End::Badly }
}

/// Whether every server is there; installs what is missing first, where that is wanted and allowed. Says
/// what it found and did, a line for each.
pub fn all_there(install: bool) -> bool {
    if install {
        install_missing();
    }
    let mut all = true;
    for needed in NEEDED {
        match find(needed.binary) {
            Some(path) => println!("{:<13} {}", needed.binary, path.display()),
            None => {
                all = false;
                println!("{:<13} missing: package {}", needed.binary, needed.package);
            }
        }
    }
    all
}

/// Whether tests may not be skipped for want of a server.
pub fn are_required() -> bool {
    std::env::var("TSE_REQUIRE_SERVERS").is_ok_and(|it| it == "1")
}

fn install_missing() {
    let mut missing: Vec<&Needed> =
        NEEDED.iter().filter(|needed| find(needed.binary).is_none()).collect();
    missing.dedup_by_key(|needed| needed.package);
    if missing.is_empty() {
        return;
    }
    if !is_root() || find("apt-get").is_none() {
        println!("install       not possible: it needs root and apt-get");
        return;
    }
    let updated = quietly(Command::new("apt-get").args(["update", "-q"]));
    println!("apt-get       update {}", word(updated));
    for needed in missing {
        let mut install = Command::new("apt-get");
        install.args(["install", "-y", "-q", "--no-install-recommends", needed.package]);
        let installed = quietly(install.env("DEBIAN_FRONTEND", "noninteractive"));
        println!("apt-get       install {} {}", needed.package, word(installed));
        if installed && find("service").is_some() {
            // Tests start their own; the distribution's would only hold its port.
            let stopped = quietly(Command::new("service").args([needed.service, "stop"]));
            println!("service       {} stop {}", needed.service, word(stopped));
        }
    }
}

/// Whether a command succeeds; what it says is not shown.
fn quietly(command: &mut Command) -> bool {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

const fn word(done: bool) -> &'static str {
    if done { "done" } else { "failed" }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

/// Finds a binary where the tests do: on the path, or where Debian puts those of PostgreSQL.
fn find(binary: &str) -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.extend(["/usr/sbin", "/usr/local/bin"].map(PathBuf::from));
    folders.into_iter().map(|folder| folder.join(binary)).find(|path| path.is_file())
}

fn version(bin: &Path) -> u32 {
    let version = bin.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    version.and_then(|version| version.parse().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_binary_has_a_package_and_a_shell_is_found() {
        assert!(NEEDED.iter().all(|needed| !needed.package.is_empty()));
        assert!(find("sh").is_some());
        assert!(find("no-such-server").is_none());
    }

    #[test]
    fn a_flag_that_is_not_known_is_misuse() {
        assert!(matches!(run(&["--uninstall".to_owned()]), End::Misused(_)));
    }
}
