//! The arrows between crates, tried on small workspaces and on what is planted in them.

use crate::layers::rules::CORE_ARROWS;
use crate::layers::{Report, examine};
use std::fs;
use std::path::Path;

const MEMBERS: &[&str] = &[
    "core/model",
    "core/matching",
    "core/portfolio",
    "core/risk",
    "core/strategy",
    "core/kernel",
    "core/sim",
    "edge/data",
    "apps/cli",
    "xtask",
];

fn package(member: &str) -> String {
    format!("tse-{}", member.rsplit('/').next().expect("a folder has a name"))
}

fn write(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder for tests");
    fs::write(path, text).expect("a file for tests");
}

/// The findings in a workspace where `member`'s manifest ends with `planted`.
fn with(member: &str, planted: &str) -> Report {
    let root = tempfile::tempdir().expect("a folder for tests");
    let root = root.path();
    let mut shared = String::new();
    for member in MEMBERS {
        shared += &format!("{} = {{ path = \"{member}\" }}\n", package(member));
        write(root, &format!("{member}/src/lib.rs"), "//! Nothing yet.\n");
        let manifest = format!("[package]\nname = \"{}\"\n", package(member));
        write(root, &format!("{member}/Cargo.toml"), &manifest);
    }
    write(
        root,
        "Cargo.toml",
        &format!(
            "[workspace]\nmembers = [\"core/*\"]\n[workspace.dependencies]\n{shared}\
             libm = \"0.2\"\nserde = {{ version = \"1\" }}\n\
             maths = {{ package = \"rand\", version = \"0.9\" }}\n"
        ),
    );
    let manifest = format!("[package]\nname = \"{}\"\n{planted}", package(member));
    write(root, &format!("{member}/Cargo.toml"), &manifest);
    write(root, &format!("{member}/src/lib.rs"), "//! Nothing yet.\n");
    examine(root).expect("the workspace can be read")
}

#[track_caller]
fn clean(member: &str, planted: &str) {
    assert_eq!(with(member, planted).findings, [], "{member}: {planted}");
}

#[track_caller]
fn found(member: &str, planted: &str) -> String {
    let report = with(member, planted);
    assert_eq!(report.findings.len(), 1, "{member}: {planted}: {:?}", report.findings);
    report.findings[0].to_string()
}

#[test]
fn a_planted_dependency_is_found_where_it_stands() {
    assert_eq!(
        found(
            "core/risk",
            "\n[dependencies]\ntse-model.workspace = true\ntse-data.workspace = true\n"
        ),
        "core/risk/Cargo.toml:6:1: arrow: `tse-risk` depends on `tse-data`; why: core uses only core; \
         fix: let core take it as an input, or as a value it is built with, and let edge supply it"
    );
}

#[test]
fn core_uses_nothing_from_outside_but_libm() {
    clean("core/strategy", "[dependencies]\nlibm.workspace = true\n");
    clean("core/strategy", "[dependencies]\nlibm = \"0.2\"\n");
    for planted in [
        "[dependencies]\nserde.workspace = true\n",
        "[dependencies]\nserde = \"1\"\n",
        "[dependencies.serde]\nversion = \"1\"\noptional = true\n",
        "[build-dependencies]\ncc = \"1\"\n",
        "[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n",
        "[target.x86_64-unknown-linux-gnu.build-dependencies]\nlibc = \"0.2\"\n",
        "[dependencies]\nlibm = { package = \"rand\", version = \"0.9\" }\n",
        "[dependencies]\nlibm = { git = \"https://example.org/libm\" }\n",
        "[dependencies]\nlibm = { path = \"../../vendor/libm\" }\n",
        "[dependencies]\nmaths.workspace = true\n",
    ] {
        found("core/strategy", planted);
    }
}

#[test]
fn what_only_tests_need_is_free() {
    clean("core/risk", "[dev-dependencies]\nproptest = \"1\"\ntse-sim.workspace = true\n");
    clean("core/risk", "[target.'cfg(unix)'.dev-dependencies]\nlibc = \"0.2\"\n");
}

#[test]
fn inside_core_only_the_listed_arrows_exist() {
    for from in MEMBERS.iter().filter(|member| member.starts_with("core/")) {
        let name = from.trim_start_matches("core/");
        let (_, allowed) = CORE_ARROWS.iter().find(|(from, _)| *from == name).expect("has arrows");
        for to in MEMBERS.iter().filter(|member| member.starts_with("core/") && *member != from) {
            let planted = format!("[dependencies]\n{}.workspace = true\n", package(to));
            if allowed.contains(&to.trim_start_matches("core/")) {
                clean(from, &planted);
            } else {
                found(from, &planted);
            }
        }
    }
}

#[test]
fn the_arrows_have_no_circle() {
    // Each crate of the table uses only those above it.
    for (index, (from, to)) in CORE_ARROWS.iter().enumerate() {
        for to in *to {
            assert!(CORE_ARROWS[..index].iter().any(|(above, _)| above == to), "{from} uses {to}");
        }
    }
}

#[test]
fn edge_uses_core_and_edge_and_apps_use_all() {
    clean("edge/data", "[dependencies]\ntse-model.workspace = true\nserde.workspace = true\n");
    clean("apps/cli", "[dependencies]\ntse-data.workspace = true\ntse-sim.workspace = true\n");
    found("edge/data", "[dependencies]\ntse-cli.workspace = true\n");
    found("edge/data", "[dependencies]\ntse-xtask.workspace = true\n");
    found("apps/cli", "[build-dependencies]\ntse-xtask.workspace = true\n");
    found("core/sim", "[dependencies]\ntse-cli.workspace = true\n");
}

#[test]
fn paths_and_other_names_do_not_hide_a_dependency() {
    clean(
        "core/risk",
        "[dependencies]\nvocabulary = { path = \"../model\", package = \"tse-model\" }\n",
    );
    let planted =
        "[dependencies]\ntse-model = { path = \"../../edge/data\", package = \"tse-data\" }\n";
    assert!(found("core/risk", planted).contains("depends on `tse-data`"));
    found(
        "core/risk",
        "[dependencies]\nbench = { path = \"../../bench\", package = \"tse-bench\" }\n",
    );
}

#[test]
fn a_new_crate_in_core_must_say_what_it_uses() {
    let report = with("core/psychic", "[dependencies]\ntse-model.workspace = true\n");
    let found: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("core/psychic/Cargo.toml:1:1: arrow: `tse-psychic` is new"));
}

#[test]
fn a_source_file_of_a_member_is_read() {
    let root = tempfile::tempdir().expect("a folder for tests");
    write(root.path(), "Cargo.toml", "[workspace]\n");
    write(root.path(), "core/model/Cargo.toml", "[package]\nname = \"tse-model\"\n");
    write(root.path(), "core/model/src/lib.rs", "mod deep;\n");
    write(root.path(), "core/model/src/deep/clock.rs", "use std::time::Instant;\n");
    let report = examine(root.path()).expect("the workspace can be read");
    assert_eq!((report.crates, report.files, report.findings.len()), (1, 2, 1));
    assert_eq!(report.findings[0].file, "core/model/src/deep/clock.rs");
}
