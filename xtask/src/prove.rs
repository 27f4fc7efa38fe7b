//! `cargo xtask prove-controls`: each control is taken out, and the tests that are named after it must notice.
//!
//! The tests are built once, with the feature `plant`; a variable of the environment says which control the
//! tests' engines and gates lack. A test belongs to a control by its name: `c05_...`, or `..._k5_...`. For
//! every control there must be such tests, all of them pass while it is there, and some fail without it.

use crate::End;
use crate::workspace;
use std::process::Stdio;

/// Every control and kill level that is built, as the catalogue numbers them.
const CONTROLS: [(&str, &str); 36] = [
    ("C01", "what the venue takes"),
    ("C02", "what a strategy may trade"),
    ("C03", "size of an order"),
    ("C04", "value of an order"),
    ("C05", "price collar"),
    ("C06", "rate of messages"),
    ("C07", "executions without a person"),
    ("C08", "the same order again"),
    ("C10", "open orders"),
    ("C11", "position"),
    ("C12", "everything together"),
    ("C13", "money"),
    ("C14", "own orders on the other side"),
    ("C15", "loss of the day"),
    ("C16", "fall from the highest point"),
    ("C17", "refusals and losses in a row"),
    ("C18", "age and state of the market"),
    ("C19", "clock"),
    ("C20", "markets that jump"),
    ("C21", "orders without an answer"),
    ("C22", "messages for what is executed"),
    ("C23", "manipulation patterns"),
    ("C24", "strategies begin small"),
    ("C25", "limits that nobody set, and changes"),
    ("C26", "account as at the venue"),
    ("C27", "alerts are seen in time"),
    ("C28", "whose an order is"),
    ("C29", "exceptions take two people"),
    ("F06", "room for the journal"),
    ("F08", "lag of the journal"),
    ("K1", "pause"),
    ("K2", "reduce only"),
    ("K3", "cancel"),
    ("K4", "halt, and not armed"),
    ("K5", "flatten"),
    ("K6", "sever"),
];

/// The packages that have tests of controls.
const PACKAGES: [&str; 3] = ["tse-risk", "tse-kernel", "tse-services"];

/// How many tests of a control passed and failed.
struct Count {
    passed: u32,
    failed: u32,
}

/// Proves every control, or those that `args` name.
pub fn run(args: &[String]) -> End {
    let wrong = args.iter().find(|arg| !CONTROLS.iter().any(|(code, _)| code == *arg));
    if let Some(wrong) = wrong {
        return End::Misused(format!("`{wrong}` is no control that is built; such as C05, K4"));
    }
    let wanted = |code: &str| args.is_empty() || args.iter().any(|arg| arg == code);
    let mut unproven = 0;
    println!("{:<5} {:<30} {:>6} {:>14}", "", "control", "tests", "fail without");
    for (code, what) in CONTROLS.iter().filter(|(code, _)| wanted(code)) {
        let (Some(with), Some(without)) = (tests(code, None), tests(code, Some(code))) else {
            eprintln!("error: the tests could not be run");
            return End::Badly;
        };
        let proven = with.passed > 0 && with.failed == 0 && without.failed > 0;
        let mark = if proven { "" } else { "  NOT PROVEN" };
        let all = with.passed + with.failed;
        println!("{code:<5} {what:<30} {all:>6} {:>14}{mark}", without.failed);
        unproven += u32::from(!proven);
    }
    match unproven {
        0 => End::Well,
        some => {
            eprintln!("error: {some} controls could be taken out and nobody would notice");
            End::Badly
        }
    }
}

/// Runs the tests named after a control, without one or with all; `None` if that cannot be done.
fn tests(code: &str, without: Option<&str>) -> Option<Count> {
    let mut cargo = workspace::cargo();
    cargo.arg("test").arg("--quiet").arg("--no-fail-fast");
    for package in PACKAGES {
        cargo.args(["--package", package, "--features", &format!("{package}/plant")]);
    }
    cargo.args(["--", &format!("{}_", code.to_lowercase())]);
    cargo.env("TSE_WITHOUT", without.unwrap_or_default());
    let said = cargo.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&said.stdout);
    let mut count = Count { passed: 0, failed: 0 };
    let mut runs = 0;
    for line in text.lines().filter_map(|line| line.strip_prefix("test result: ")) {
        let mut parts = line.split([' ', ';']).filter(|part| !part.is_empty());
        let numbers: Vec<u32> = parts.by_ref().filter_map(|part| part.parse().ok()).collect();
        let [passed, failed, ..] = numbers[..] else { continue };
        (count.passed, count.failed) = (count.passed + passed, count.failed + failed);
        runs += 1;
    }
    if runs == 0 {
        eprint!("{}", String::from_utf8_lossy(&said.stderr));
        return None;
    }
    Some(count)
}
