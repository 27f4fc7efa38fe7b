//! Every requirement of the milestones M1b, M45, M120 and M120b has a test that bears its number; those that are about
//! how this is built, and not about what it does, are here.
//!
//! A test bears a number as the beginning of its name: `m120b_7_...` is M120b-7, and a test may bear several.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// How many requirements a milestone has.
const MILESTONES: &[(&str, u32)] = &[("m1b", 6), ("m45", 10), ("m120", 13), ("m120b", 10)];

fn text(path: &str) -> String {
    fs::read_to_string(Path::new("../..").join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The names of tests under a folder.
fn names(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder can be read") {
        let path = entry.expect("so can what is in it").path();
        if path.is_dir() {
            names(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = fs::read_to_string(&path).expect("a source is text");
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                if line.starts_with("#[") {
                    is_test |= line.contains("test");
                    continue;
                }
                let named = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
                let named = named.and_then(|line| line.strip_suffix("() {"));
                found.extend(named.filter(|_| is_test).map(str::to_owned));
                is_test = false;
            }
        }
    }
}

/// The requirements at the beginning of a name: `m1b_1_m120_12_layers` has two.
fn borne(name: &str) -> BTreeSet<String> {
    let mut parts = name.split('_').peekable();
    let mut found = BTreeSet::new();
    while let Some(milestone) = parts.next() {
        let number = parts.peek().and_then(|it| it.parse::<u32>().ok());
        let known = MILESTONES
            .iter()
            .any(|(it, last)| *it == milestone && number.is_some_and(|n| n <= *last));
        let (true, Some(number)) = (known, number) else { break };
        found.insert(format!("{milestone}_{number}"));
        parts.next();
    }
    found
}

#[test]
fn numbers_are_read_from_the_beginning_of_a_name() {
    assert_eq!(borne("m1b_1_m120_12_layers"), ["m120_12", "m1b_1"].map(str::to_owned).into());
    assert_eq!(borne("m1b_7_there_are_six"), BTreeSet::new());
    assert_eq!(borne("of_m1b_1"), BTreeSet::new());
}

#[test]
fn every_requirement_has_a_test() {
    let mut all = Vec::new();
    for ring in ["core", "edge", "apps", "xtask"] {
        names(&Path::new("../..").join(ring), &mut all);
    }
    let borne: BTreeSet<_> = all.iter().flat_map(|name| borne(name)).collect();
    let wanted =
        MILESTONES.iter().flat_map(|(it, last)| (1..=*last).map(move |n| format!("{it}_{n}")));
    let missing: Vec<_> = wanted.filter(|it| !borne.contains(it)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn m1b_6_the_toolchain_is_pinned_and_the_oldest_that_is_taken_is_the_same() {
    let pinned = text("rust-toolchain.toml");
    let pinned = pinned
        .lines()
        .find_map(|line| line.strip_prefix("channel = "))
        .expect("a channel is named");
    let pinned = pinned.trim_matches('"');
    assert_eq!(pinned.split('.').count(), 3, "{pinned} is one toolchain and not several");
    let oldest = text("Cargo.toml");
    let oldest = oldest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .expect("an oldest is named");
    let oldest = oldest.trim_matches('"');
    assert!(pinned.starts_with(oldest), "{pinned}, {oldest}");
    let image = text("deploy/Dockerfile");
    assert!(image.contains(&format!("FROM rust:{oldest}-")), "the image is built with the same");
}

#[test]
fn m45_9_m120b_9_ci_runs_the_tests_of_the_whole_workspace() {
    let runs = |line: &str| line.split_whitespace().take(3).eq(["cargo", "xtask", "check"]);
    assert!(text(".ci/run").lines().any(runs), "CI calls what the README names");
    assert!(text("README.md").lines().any(runs));
    let folders = ["core", "edge", "apps"].into_iter().flat_map(|ring| {
        let each = fs::read_dir(Path::new("../..").join(ring)).expect("a ring is a folder");
        each.map(move |it| format!("{ring}/{}", it.expect("can be read").file_name().display()))
    });
    let manifest = text("Cargo.toml");
    for folder in folders.filter(|it| Path::new("../..").join(it).join("Cargo.toml").exists()) {
        let ring = folder.split('/').next().expect("a ring");
        let member = [folder.clone(), format!("{ring}/*")];
        assert!(
            member.iter().any(|it| manifest.contains(&format!("\"{it}\""))),
            "{folder} is left out"
        );
    }
}

#[test]
fn m120b_1_the_port_of_figures_has_four_operations() {
    let port = include_str!("../src/metrics.rs");
    let (_, port) = port.split_once("pub trait Metrics").expect("it is a trait");
    let (port, _) = port.split_once("\n}").expect("which ends");
    let operations: Vec<_> = port
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("fn "))
        .filter_map(|line| line.split('(').next())
        .collect();
    assert_eq!(operations, ["inc_counter", "observe_histogram", "set_gauge", "http_handler"]);
}

#[test]
fn m120b_8_the_change_is_written_down() {
    for (page, word) in [("CHANGELOG.md", "Prometheus"), ("docs/operations.md", "Prometheus")] {
        assert!(text(page).contains(word), "{page} says nothing of {word}");
    }
}

#[test]
fn m120_5_the_image_is_built_from_the_checkout_with_versions_that_are_named() {
    let image = text("deploy/Dockerfile");
    let lines: Vec<_> = image.lines().map(str::trim).collect();
    for base in lines.iter().filter_map(|line| line.strip_prefix("FROM ")) {
        let name = base.split_whitespace().next().expect("a base has a name");
        let tag = name.split_once(':').map(|(_, tag)| tag);
        assert!(tag.is_some_and(|tag| tag != "latest"), "{name} may be another tomorrow");
    }
    assert!(image.contains("--locked"), "dependencies are those of Cargo.lock");
    let of_the_checkout = lines.iter().filter_map(|line| line.strip_prefix("COPY "));
    for copy in of_the_checkout.filter(|it| !it.contains("--from=")) {
        let mut words = copy.split_whitespace().filter(|it| !it.starts_with("--"));
        let from = words.next().expect("something is copied");
        assert!(Path::new("../..").join(from).exists(), "{from} is not in the checkout");
    }
    assert!(text("docs/operations.md").contains("deploy/compose.yaml"), "how is told");
}
