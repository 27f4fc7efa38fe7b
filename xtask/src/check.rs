//! `cargo xtask check`: everything CI checks, one step after the other.
//!
//! Which steps to run goes in; a heading, the tools' own words and a time for each come out, then a
//! summary. A failed step does not stop the next, so that one run shows every problem; only tests
//! are skipped when what they test does not build. What the steps look for is not known here: that
//! is cargo's, clippy's and [`crate::layers`]' affair.
//!
//! Begin at [`run`]; [`STEPS`] is the order.

mod tally;

use crate::End;
use crate::figures;
use crate::layers;
use crate::servers;
use crate::workspace;
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tally::{Runner, Tally};

/// A part of the check.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Step {
    Format,
    Layers,
    Clippy,
    Docs,
    Build,
    Servers,
    Tests,
    Figures,
}

/// The order: what answers soonest comes first.
const STEPS: [Step; 8] = [
    Step::Format,
    Step::Layers,
    Step::Clippy,
    Step::Docs,
    Step::Build,
    Step::Servers,
    Step::Tests,
    Step::Figures,
];

impl Step {
    fn name(self) -> &'static str {
        match self {
            Step::Format => "format",
            Step::Layers => "layers",
            Step::Clippy => "clippy",
            Step::Docs => "docs",
            Step::Build => "build",
            Step::Servers => "servers",
            Step::Tests => "tests",
            Step::Figures => "figures",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Step::Format => "every file as rustfmt writes it",
            Step::Layers => "who may use whom, and what core must not touch",
            Step::Clippy => "no warning from the compiler or from clippy",
            Step::Docs => "no warning from rustdoc",
            Step::Build => "everything compiles, tests too",
            Step::Servers => "databases that tests start: found, or installed where that may be",
            Step::Tests => "examples in the docs, then every test",
            Step::Figures => "statistics computed again in Python",
        }
    }
}

/// How a step ended.
enum Verdict {
    Passed,
    /// With what to do about it, where the tool did not say so itself.
    Failed(Option<String>),
    Skipped(&'static str),
}

/// Runs the steps that `args` leave, and says how they went.
pub fn run(args: &[String]) -> End {
    let steps = match chosen(args) {
        Ok(steps) => steps,
        Err(lesson) => return End::Misused(lesson),
    };
    let root = workspace::root();
    let begin = Instant::now();
    let mut tests = None;
    let mut verdicts: Vec<(Step, Verdict, Duration)> = Vec::new();
    for (index, &step) in steps.iter().enumerate() {
        println!("[{}/{}] {:<8} {}", index + 1, steps.len(), step.name(), step.about());
        let started = Instant::now();
        let unbuilt = verdicts.iter().any(|(step, verdict, _)| {
            *step == Step::Build && matches!(verdict, Verdict::Failed(_))
        });
        let verdict = if step == Step::Tests && unbuilt {
            Verdict::Skipped("the build failed")
        } else {
            perform(step, &root, &mut tests)
        };
        let took = started.elapsed();
        println!("      {}\n", line(step, &verdict, took));
        verdicts.push((step, verdict, took));
    }

    println!("summary, after {}", seconds(begin.elapsed()));
    for (step, verdict, took) in &verdicts {
        println!("  {}", line(*step, verdict, *took));
    }
    // A step is skipped only where another failed.
    let failed: Vec<&str> = verdicts
        .iter()
        .filter(|(_, verdict, _)| matches!(verdict, Verdict::Failed(_)))
        .map(|(step, _, _)| step.name())
        .collect();
    if failed.is_empty() {
        println!("check passed");
    } else {
        println!("check FAILED: {}", failed.join(", "));
    }
    // Last, and alone on its line: programs that watch a run look for it there. Without a count
    // that is known to be whole it is left out.
    if let Some(tests) = tests {
        println!("tests: {tests}");
    }
    if failed.is_empty() { End::Well } else { End::Badly }
}

/// The steps that `--only` and `--skip` leave, in their order.
fn chosen(args: &[String]) -> Result<Vec<Step>, String> {
    let (mut only, mut skip) = (BTreeSet::new(), BTreeSet::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (flag, value) = match arg.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (arg.as_str(), None),
        };
        let set = match flag {
            "--only" => &mut only,
            "--skip" => &mut skip,
            _ => {
                return Err(format!(
                    "`check` has no flag `{arg}`; it has --only STEP and --skip STEP"
                ));
            }
        };
        let names = value
            .or_else(|| args.next().cloned())
            .ok_or_else(|| format!("`{flag}` needs the name of a step after it"))?;
        for name in names.split(',') {
            let step = STEPS.into_iter().find(|step| step.name() == name);
            set.insert(step.ok_or_else(|| format!("`check` has no step `{name}`"))?);
        }
    }
    let steps: Vec<Step> = STEPS
        .into_iter()
        .filter(|step| (only.is_empty() || only.contains(step)) && !skip.contains(step))
        .collect();
    if steps.is_empty() {
        return Err("`--only` and `--skip` leave no step to run".to_owned());
    }
    Ok(steps)
}

fn perform(step: Step, root: &Path, tests: &mut Option<Tally>) -> Verdict {
    match step {
        Step::Format => format(root),
        Step::Layers => match layers::run(&[]) {
            End::Well => Verdict::Passed,
            _ => Verdict::Failed(None),
        },
        Step::Clippy => match missing(root, "clippy", "clippy") {
            Some(lesson) => Verdict::Failed(Some(lesson)),
            None => {
                verdict(root, "clippy --workspace --all-targets --keep-going -- -D warnings", &[])
            }
        },
        Step::Docs => {
            let flags = std::env::var("RUSTDOCFLAGS").unwrap_or_default();
            let flags = format!("{flags} -D warnings");
            verdict(
                root,
                "doc --workspace --no-deps --keep-going",
                &[("RUSTDOCFLAGS", flags.trim())],
            )
        }
        // The same artefacts that the tests use: building them costs nothing twice.
        Step::Build => verdict(root, "test --workspace --no-run --no-fail-fast", &[]),
        // Tests that lack a server say so and are skipped, unless none may be.
        Step::Servers => match servers::all_there(true) {
            false if servers::are_required() => {
                Verdict::Failed(Some("install what is missing; TSE_REQUIRE_SERVERS is set".into()))
            }
            _ => Verdict::Passed,
        },
        Step::Tests => {
            let (verdict, tally) = test(root);
            *tests = tally;
            verdict
        }
        Step::Figures => match figures::run(&[]) {
            End::Well => Verdict::Passed,
            _ => Verdict::Failed(None),
        },
    }
}

fn format(root: &Path) -> Verdict {
    if let Some(lesson) = missing(root, "fmt", "rustfmt") {
        return Verdict::Failed(Some(lesson));
    }
    let mut fixes = Vec::new();
    if !succeeds(root, "fmt --all --check", &[]) {
        fixes.push("cargo fmt --all");
    }
    // The benchmarks are a workspace of their own, which cargo does not see from here.
    if root.join("bench").join("Cargo.toml").is_file()
        && !succeeds(root, "fmt --manifest-path bench/Cargo.toml --check", &[])
    {
        fixes.push("cargo fmt --manifest-path bench/Cargo.toml");
    }
    if fixes.is_empty() {
        Verdict::Passed
    } else {
        Verdict::Failed(Some(format!("fix: {}", fixes.join("; "))))
    }
}

/// Doc examples first, so that the runner's summary is the last thing the tests print.
fn test(root: &Path) -> (Verdict, Option<Tally>) {
    let docs = counted(root, Runner::Libtest, "test --doc --workspace --no-fail-fast");
    let nextest = quiet(root, "nextest --version");
    let rest = if nextest {
        let ci = std::env::var("CI").is_ok_and(|ci| !ci.is_empty() && ci != "false");
        let profile = if ci { "ci" } else { "default" };
        counted(
            root,
            Runner::Nextest,
            &format!("nextest run --workspace --no-fail-fast --profile {profile}"),
        )
    } else {
        counted(
            root,
            Runner::Libtest,
            "test --workspace --no-fail-fast --lib --bins --tests --examples",
        )
    };
    let passed = docs.0 && rest.0;
    let tally = match (docs.1, rest.1) {
        (Some(docs), Some(rest)) => Some(docs + rest),
        _ => None,
    };
    // A count that contradicts the exit code is no count.
    let tally = tally.filter(|tally| !passed || tally.failed == 0);
    (if passed { Verdict::Passed } else { Verdict::Failed(None) }, tally)
}

/// The lesson, if cargo lacks its subcommand `command`.
fn missing(root: &Path, command: &str, component: &str) -> Option<String> {
    if quiet(root, &format!("{command} --version")) {
        return None;
    }
    Some(format!("`cargo {command}` is not installed; fix: rustup component add {component}"))
}

fn verdict(root: &Path, words: &str, env: &[(&str, &str)]) -> Verdict {
    if succeeds(root, words, env) { Verdict::Passed } else { Verdict::Failed(None) }
}

fn cargo(root: &Path, words: &str) -> Command {
    let mut cargo = workspace::cargo();
    cargo.args(words.split(' ')).current_dir(root).stdin(Stdio::null());
    if std::env::var_os("CARGO_TARGET_DIR").is_some() {
        cargo.env("CARGO_TARGET_DIR", workspace::target_dir(root));
    }
    cargo
}

/// Whether the call works, without a word.
fn quiet(root: &Path, words: &str) -> bool {
    let status = cargo(root, words).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Says what it calls, calls it, and lets it speak for itself.
fn succeeds(root: &Path, words: &str, env: &[(&str, &str)]) -> bool {
    let shown: Vec<String> = env.iter().map(|(key, value)| format!("{key}=\"{value}\" ")).collect();
    println!("      {}cargo {words}", shown.concat());
    let mut cargo = cargo(root, words);
    cargo.envs(env.iter().copied());
    match cargo.status() {
        Ok(status) => status.success(),
        Err(error) => {
            println!("      cargo could not be started: {error}");
            false
        }
    }
}

/// Like [`succeeds`], and counts the tests in what it says, if it says so.
fn counted(root: &Path, runner: Runner, words: &str) -> (bool, Option<Tally>) {
    println!("      cargo {words}");
    let mut cargo = cargo(root, words);
    if std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        cargo.env("CARGO_TERM_COLOR", "always"); // It would see our pipe and fall back to none.
    }
    let child = cargo.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            println!("      cargo could not be started: {error}");
            return (false, None);
        }
    };
    let out = child.stdout.take().expect("stdout was piped");
    let err = child.stderr.take().expect("stderr was piped");
    // Libtest sums up on stdout, nextest on stderr.
    let (out, err) = std::thread::scope(|scope| {
        let out = scope.spawn(move || pass_on(runner, out, std::io::stdout()));
        let err = pass_on(runner, err, std::io::stderr());
        (out.join().expect("copying lines does not panic"), err)
    });
    let passed = child.wait().is_ok_and(|status| status.success());
    let tally = match (out, err) {
        (Some(out), Some(err)) => Some(out + err),
        (out, err) => out.or(err),
    };
    (passed, tally)
}

/// Copies line by line; returns what the test summaries among the lines add up to.
fn pass_on(runner: Runner, from: impl Read, mut to: impl Write) -> Option<Tally> {
    let mut from = BufReader::new(from);
    let mut total: Option<Tally> = None;
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
        // If nobody reads us any more there is no one to tell; the tests go on.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        if let Some(tally) = Tally::of_line(runner, &String::from_utf8_lossy(&line)) {
            total = Some(total.unwrap_or_default() + tally);
        }
        line.clear();
    }
    total
}

fn line(step: Step, verdict: &Verdict, took: Duration) -> String {
    let (word, more) = match verdict {
        Verdict::Passed => ("passed ", String::new()),
        Verdict::Failed(Some(lesson)) => ("FAILED ", format!("   {lesson}")),
        Verdict::Failed(None) => {
            ("FAILED ", format!("   alone: cargo xtask check --only {}", step.name()))
        }
        Verdict::Skipped(why) => ("skipped", format!("   {why}")),
    };
    format!("{word} {:<8} {:>8}{more}", step.name(), seconds(took))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(args: &str) -> Result<Vec<Step>, String> {
        chosen(&args.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn without_flags_every_step_runs() {
        assert_eq!(pick("").unwrap(), STEPS);
    }

    #[test]
    fn only_and_skip_choose_steps_and_keep_their_order() {
        assert_eq!(pick("--only tests --only format").unwrap(), [Step::Format, Step::Tests]);
        assert_eq!(pick("--only=tests,format").unwrap(), [Step::Format, Step::Tests]);
        assert_eq!(
            pick("--skip tests --skip build").unwrap(),
            [Step::Format, Step::Layers, Step::Clippy, Step::Docs, Step::Servers, Step::Figures]
        );
    }

    #[test]
    fn a_wrong_flag_is_a_lesson_and_not_a_check_of_something_else() {
        assert!(pick("--only tets").unwrap_err().contains("`tets`"));
        assert!(pick("--only").unwrap_err().contains("needs the name"));
        assert!(pick("--fast").unwrap_err().contains("`--fast`"));
        assert!(pick("--only docs --skip docs").unwrap_err().contains("no step"));
    }

    #[test]
    fn lines_are_passed_on_unchanged_and_counted() {
        let said = "one\ntest result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; \
                    finished in 0.00s\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 \
                    filtered out; finished in 0.00s\nlast, unended";
        let mut heard = Vec::new();
        let tally = pass_on(Runner::Libtest, said.as_bytes(), &mut heard);
        assert_eq!(heard, said.as_bytes());
        assert_eq!(tally, Some(Tally { passed: 5, failed: 0, skipped: 1 }));
    }
}
