//! `tse init`: the crate that it makes builds, its test passes, and it backtests.

mod common;

use common::{Bench, said};
use std::path::Path;
use std::process::{Command, Output};

/// Cargo in the new crate, with the engine's own build folder: what is built there is used again.
fn cargo(folder: &Path, args: &[&str]) -> Output {
    let target = Path::new(env!("CARGO_BIN_EXE_tse")).ancestors().nth(2).expect("a build folder");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(args).current_dir(folder).env("CARGO_TARGET_DIR", target);
    for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "RUSTFLAGS", "TSE_RUNS"] {
        command.env_remove(name);
    }
    command.output().expect("cargo starts")
}

#[test]
fn a_new_crate_builds_passes_its_test_and_backtests() {
    let bench = Bench::new();
    let made = bench.tse(&["init", "my-dips"]);
    assert_eq!(made.code, 0, "{}", made.err);
    assert_eq!(
        made.out,
        "next: cd my-dips && cargo test && cargo run --release -- backtest my-dips.toml\n"
    );
    let folder = bench.path().join("my-dips");

    let tested = cargo(&folder, &["test", "--offline", "--quiet"]);
    let words = String::from_utf8_lossy(&tested.stdout).into_owned();
    assert!(tested.status.success(), "{words}{}", String::from_utf8_lossy(&tested.stderr));
    assert!(words.contains("1 passed"), "{words}");

    let run = |args: &[&str]| {
        let all = [&["run", "--offline", "--quiet", "--"], args].concat();
        said(&cargo(&folder, &all))
    };
    let known = run(&["strategies", "my_dips"]);
    assert!(known.code == 0 && known.out.contains("How far below"), "{}{}", known.out, known.err);
    let ran = run(&["backtest", "my-dips.toml", "--json"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let value: serde_json::Value = serde_json::from_str(&ran.out).expect("one object");
    assert_eq!(value["schema"], "tse.backtest/1");
    let fills = &value["data"]["fills"];
    assert!(fills.as_u64().or_else(|| fills.as_str()?.parse().ok()) > Some(0), "{}", ran.out);
    assert!(folder.join("runs").is_dir(), "a run folder is kept");
    let wrong = run(&["check", "my-dips.toml", "--set", "strategies.0.params.dips=3"]);
    assert!(wrong.code == 3 && wrong.err.contains("did you mean `dip`?"), "{}", wrong.err);
}
