//! `cargo xtask deploy`: what is in `deploy/` is tried as far as it can be without a Docker engine.
//!
//! Compose itself reads the compose file, promtool the rules and every expression of the dashboards, bash the scripts;
//! Redis and PostgreSQL are started with our users and roles and asked what those may; and the image is put together by
//! hand, as the Dockerfile says, in a bare tree in which the engine runs as it would in a container. Each is a line: what
//! ran, what FAILED, what was NOT RUN and why. A tool that is missing is fetched once if it can be; otherwise its line
//! says so, and with `TSE_REQUIRE_SERVERS=1` that fails the chore.
//!
//! `--tse FILE` takes that program instead of building one.
//!
//! Begin at [`run`]; the bare tree is in [`image`], the servers in [`servers`].

mod files;
mod image;
mod servers;

use crate::End;
use crate::workspace;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What was tried so far.
#[derive(Default)]
struct Report {
    failed: usize,
    missing: usize,
}

impl Report {
    /// It went well.
    fn ran(&self, what: &str) {
        println!("ran      {what}");
    }

    /// It went wrong.
    fn failed(&mut self, what: &str, why: &str) {
        println!("FAILED   {what}\n         {}", why.trim().replace('\n', "\n         "));
        self.failed += 1;
    }

    /// Something is missing here that may be had.
    fn missing(&mut self, what: &str, why: &str) {
        println!("NOT RUN  {what}: {why}");
        self.missing += 1;
    }

    /// Nothing here could do that.
    fn never(&self, what: &str, why: &str) {
        println!("not run  {what}: {why}");
    }

    /// As the result of an attempt says.
    fn tried(&mut self, what: &str, result: Result<(), String>) {
        match result {
            Ok(()) => self.ran(what),
            Err(why) => self.failed(what, &why),
        }
    }
}

/// Tries everything.
pub fn run(args: &[String]) -> End {
    let mut tse = None;
    let mut given = args.iter();
    while let Some(arg) = given.next() {
        match (arg.as_str(), given.next()) {
            ("--tse", Some(path)) => tse = Some(PathBuf::from(path)),
            ("--tse", None) => return End::Misused("`--tse` needs a program".to_owned()),
            (other, _) => return End::Misused(format!("`deploy` has no flag `{other}`")),
        }
    }
    let root = workspace::root();
    let scratch = match Scratch::new() {
        Ok(scratch) => scratch,
        Err(why) => {
            eprintln!("error: {why}");
            return End::Badly;
        }
    };
    let mut report = Report::default();
    files::scripts(&root, &mut report);
    let secrets = files::secrets(&root, &scratch.0, &mut report);
    files::compose(&root, &mut report);
    files::dockerfile(&root, &mut report);
    files::context(&root, &scratch.0, &mut report);
    let promtool = files::rules(&root, &scratch.0, &mut report);
    if let Some(secrets) = secrets {
        servers::redis(&root, &secrets, &scratch.0, &mut report);
        servers::postgres(&root, &secrets, &scratch.0, &mut report);
    }
    match tse.map_or_else(|| build(&root), Ok) {
        Ok(tse) => image::by_hand(&root, &tse, promtool.as_deref(), &scratch.0, &mut report),
        Err(why) => report.failed("the image by hand", &why),
    }
    for (what, why) in [
        ("docker build, docker compose up", "they need a Docker engine: docs/operations.md"),
        ("whether the base images and their tags can be pulled", "that needs their registry"),
        ("Grafana, the collector and Jaeger themselves", "they come as images only"),
    ] {
        report.never(what, why);
    }
    let required = std::env::var("TSE_REQUIRE_SERVERS").is_ok_and(|value| value == "1");
    match (report.failed, report.missing) {
        (0, 0) => End::Well,
        (0, missing) if !required => {
            println!("{missing} of it NOT RUN: something is missing here, see above");
            End::Well
        }
        (failed, missing) => {
            println!("deploy FAILED: {failed} failed, {missing} not run that should have been");
            End::Badly
        }
    }
}

/// The program, as the image has it.
fn build(root: &Path) -> Result<PathBuf, String> {
    let built = workspace::cargo()
        .args(["build", "--release", "--locked", "--bin", "tse"])
        .current_dir(root)
        .env("CARGO_TARGET_DIR", workspace::target_dir(root))
        .stdin(Stdio::null())
        .status();
    match built {
        Ok(status) if status.success() => {
            Ok(workspace::target_dir(root).join("release").join("tse"))
        }
        _ => Err("`tse` could not be built".to_owned()),
    }
}

/// A folder that others may enter, and that is gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("tse-deploy-{}", std::process::id()));
        // Whoever has it already has it for something else.
        std::fs::create_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a command wrote to its standard output; everything that it wrote, if it did not go well.
fn said(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{name} could not be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let more = String::from_utf8_lossy(&output.stderr);
    Err(format!("{name}: {}\n{text}{more}", output.status))
}

/// Whether we are root here, and so can be whoever the containers' users are.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0)
}

/// A port of this machine that nobody has.
fn free_port() -> Result<u16, String> {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    free.map(|at| at.port()).map_err(|error| format!("no port is free: {error}"))
}
