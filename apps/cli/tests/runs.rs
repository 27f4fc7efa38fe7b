//! `tse backtest` and `tse report` as programs and people meet them: the JSON, the run folder, Ctrl-C.

mod common;

use common::{Bench, GOOD, Said, changed, said};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Two venues with a market maker and an arbitrageur: every part of a result has something in it.
const BOTH: &str = include_str!("../../../examples/demo.toml");

/// The same with so much of the market.
fn both(length: &str) -> String {
    assert!(BOTH.contains("length = \"720h\""));
    BOTH.replace("length = \"720h\"", &format!("length = \"{length}\""))
}

/// The only run of a folder.
fn only(runs: &Path) -> PathBuf {
    let all: Vec<_> = fs::read_dir(runs).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

fn json(said: &Said) -> Value {
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {}", said.out))
}

fn files(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    fs::read_dir(run).unwrap().map(entry).collect()
}

/// Fields whose keys are names of the user's own, or are explained elsewhere on the page.
const LEAVES: [&str; 7] = [
    "balances",
    "balances_by_venue",
    "denied_by",
    "alerts",
    "opportunities.missed",
    "instruments[].markouts",
    "assumptions",
];

fn fields(value: &Value, path: &str, into: &mut BTreeSet<String>) {
    if !path.is_empty() {
        // One table explains all three distributions.
        let path = ["gross", "net_taken", "net"]
            .iter()
            .fold(path.to_owned(), |path, name| path.replace(&format!(".{name}_bps."), ".*_bps."));
        into.insert(path);
    }
    if LEAVES.contains(&path) {
        return;
    }
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let dot = if path.is_empty() { "" } else { "." };
                fields(value, &format!("{path}{dot}{key}"), into);
            }
        }
        Value::Array(all) => {
            for (key, value) in all.iter().filter_map(Value::as_object).flatten() {
                fields(value, &format!("{path}[].{key}"), into);
            }
        }
        _ => {}
    }
}

#[test]
fn every_field_of_the_json_is_documented_and_every_documented_field_is_there() {
    let bench = Bench::new();
    bench.write("both.toml", both("10m"));
    let said = bench.tse(&["backtest", "both.toml", "--json", "--no-save"]);
    assert_eq!(said.code, 0, "{}", said.out);
    let value = json(&said);
    assert_eq!(value["schema"], "tse.backtest/1");
    let mut real = BTreeSet::new();
    fields(&value["data"], "", &mut real);
    for whole in
        ["attribution", "opportunities", "positions", "instruments", "strategies", "markouts"]
    {
        real.remove(whole);
    }
    let docs = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs tests"))
        .join("../../docs");
    let page = fs::read_to_string(docs.join("backtest-json.md")).unwrap();
    // Statistics have a page of their own, and are the same for the run and its strategies.
    let of_strategy = "strategies[].performance.";
    real.retain(|name| !name.starts_with(of_strategy) && name != "strategies[].performance");
    let (performance, mut real): (BTreeSet<_>, BTreeSet<_>) =
        real.into_iter().partition(|name| name.starts_with("performance."));
    real.remove("performance");
    statistics_are_documented(
        &performance,
        &fs::read_to_string(docs.join("statistics.md")).unwrap(),
    );
    let named = |line: &str| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned());
    let documented: BTreeSet<_> = page.lines().filter_map(named).collect();
    let missing: Vec<_> = real.difference(&documented).collect();
    let stale: Vec<_> = documented.difference(&real).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "not documented: {missing:?}; not there: {stale:?}"
    );
}

/// Of a run of minutes `risk` is null, so that its fields do not show.
fn statistics_are_documented(real: &BTreeSet<String>, page: &str) {
    let first = |line: &str| Some(line.strip_prefix("| `")?.split_once(" | ")?.0.to_owned());
    let cells = page.lines().filter_map(first);
    let documented: BTreeSet<_> = cells
        .flat_map(|cell| cell.split("`, `").map(|name| name.replace('`', "")).collect::<Vec<_>>())
        .filter(|name| !name.starts_with("risk."))
        .collect();
    let real: BTreeSet<_> =
        real.iter().map(|name| name["performance.".len()..].to_owned()).collect();
    let shown = |name: &&String| {
        !(name.starts_with("markouts[]")
            || ["attribution", "shortfall", "risk"].contains(&name.as_str()))
    };
    let missing: Vec<_> = real.difference(&documented).filter(shown).collect();
    let stale: Vec<_> = documented.difference(&real).collect();
    assert!(missing.is_empty() && stale.is_empty(), "missing: {missing:?}; stale: {stale:?}");
}

#[test]
fn the_figures_of_a_result_agree_with_each_other() {
    let bench = Bench::new();
    bench.write("both.toml", both("20m"));
    let value = json(&bench.tse(&["backtest", "both.toml", "--json", "--no-save"]));
    let data = &value["data"];
    let money = |field: &str| -> i128 {
        let text = data[field].as_str().unwrap_or_else(|| panic!("{field} is not text: {data:#}"));
        text.parse::<tse_model::Decimal>().unwrap().at_scale(8).unwrap()
    };
    let net = money("net_pnl");
    assert!(data["fills"].as_u64().unwrap() > 0);
    assert_eq!(
        net,
        money("realized_pnl") + money("unrealized_pnl") - money("fees") + money("funding")
    );
    assert_eq!(money("equity_end") - money("equity_start"), net + money("revaluation"));
    let sum = |field: &str, of: &str| -> i128 {
        let list = data[of].as_array().unwrap();
        let part = |item: &Value| -> i128 {
            item[field]
                .as_str()
                .unwrap()
                .parse::<tse_model::Decimal>()
                .unwrap()
                .at_scale(8)
                .unwrap()
        };
        list.iter().map(part).sum()
    };
    assert_eq!(sum("net_pnl", "strategies"), net);
    assert_eq!(sum("realized", "positions"), money("realized_pnl"));
    assert_eq!(sum("volume", "instruments"), money("volume"));
    let seen = &data["opportunities"];
    let missed: u64 =
        seen["missed"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(
        seen["seen"].as_u64().unwrap(),
        seen["taken"].as_u64().unwrap() + missed + seen["open"].as_u64().unwrap()
    );
}

#[test]
fn two_runs_in_fresh_processes_leave_the_same_bytes() {
    let bench = Bench::new();
    bench.write("both.toml", both("10m"));
    let run = |runs: &str| {
        let said = bench.tse(&["backtest", "both.toml", "--json", "--runs", runs]);
        assert_eq!(said.code, 0, "{}", said.out);
        let mut value = json(&said);
        for wall in ["wall_seconds", "events_per_second"] {
            assert!(value["data"].as_object_mut().unwrap().remove(wall).is_some());
        }
        (value, files(&only(&bench.path().join(runs))))
    };
    let (first, second) = (run("one"), run("two"));
    assert_eq!(first.0, second.0);
    let names: Vec<_> = first.1.keys().map(String::as_str).collect();
    let expected = [
        "equity.parquet",
        "fills.parquet",
        "log.ndjson",
        "manifest.json",
        "opportunities.parquet",
        "orders.parquet",
        "pnl.parquet",
        "report.html",
        "run.toml",
        "stats.json",
        "timing.json",
    ];
    assert_eq!(names, expected);
    for name in expected.iter().filter(|name| **name != "timing.json") {
        assert!(first.1[*name] == second.1[*name], "{name} differs");
    }
    let kept: Value = serde_json::from_slice(&first.1["stats.json"]).unwrap();
    assert_eq!(kept, first.0, "stats.json is the JSON without wall-clock times");
    let manifest: Value = serde_json::from_slice(&first.1["manifest.json"]).unwrap();
    assert_eq!(manifest["run_id"], first.0["data"]["run_id"]);
    assert_eq!(manifest["artefacts"].as_object().unwrap().len(), expected.len() - 2);
}

#[test]
fn what_went_in_decides_the_id_of_a_run() {
    let bench = Bench::new();
    bench.write("a.toml", both("1m"));
    bench.write("deep/b.toml", both("1m"));
    let id = |args: &[&str]| {
        let said = bench.tse(&[&["backtest", "--json", "--no-save"], args].concat());
        json(&said)["data"]["run_id"].as_str().unwrap_or_else(|| panic!("{}", said.out)).to_owned()
    };
    let first = id(&["a.toml"]);
    assert_eq!(first, id(&["deep/b.toml"]), "where the config lies does not matter");
    assert_ne!(first, id(&["a.toml", "--set", "run.seed=7"]));
}

#[test]
fn a_result_on_file_is_found_by_any_beginning_of_its_id() {
    let bench = Bench::new();
    bench.write("good.toml", GOOD);
    let run = bench.tse(&["backtest", "good.toml"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let folder = only(&bench.path().join("runs"));
    let name = folder.file_name().unwrap().to_str().unwrap();
    let id = name.rsplit('-').next().unwrap();
    assert!(
        run.out.contains(&format!("runs/{name} · next: tse report {id} --open")),
        "{}",
        run.out
    );
    let last = bench.tse(&["report"]);
    assert_eq!(last.code, 0, "{}", last.err);
    assert!(last.out.contains("report.html") && last.out.contains("Net P&L"), "{}", last.out);
    assert_eq!(bench.tse(&["report", &id[..3]]).out, last.out);
    assert_eq!(bench.tse(&["report", folder.to_str().unwrap()]).code, 0);
    let kept = fs::read_to_string(folder.join("stats.json")).unwrap();
    let again = json(&bench.tse(&["report", "--json"]));
    assert_eq!(again, serde_json::from_str::<Value>(&kept).unwrap());
    let unknown = bench.tse(&["report", "zzz"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("TSE-U005") && unknown.err.contains(id), "{}", unknown.err);
}

#[test]
fn a_config_on_file_gives_the_same_run_again() {
    let bench = Bench::new();
    bench.write("both.toml", both("2m"));
    let first = json(&bench.tse(&["backtest", "both.toml", "--json"]));
    let config = only(&bench.path().join("runs")).join("run.toml");
    let again = bench.tse(&["backtest", config.to_str().unwrap(), "--json", "--no-save"]);
    assert_eq!(again.code, 0, "{}", again.out);
    assert_eq!(json(&again)["data"]["state_hash"], first["data"]["state_hash"]);
    assert_eq!(json(&again)["data"]["run_id"], first["data"]["run_id"]);
}

#[test]
fn a_run_without_fees_is_called_a_sensitivity_everywhere() {
    let bench = Bench::new();
    let fees = "fees = { maker_bps = \"2\", taker_bps = \"4\" }";
    bench.write("free.toml", changed(fees, "fees = \"none\""));
    let said = bench.tse(&["backtest", "free.toml"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let note = "a sensitivity, not a result: without fees: BTC-USDT.ALPHA";
    assert!(said.out.contains(note), "{}", said.out);
    assert!(said.err.contains("TSE-C041"), "{}", said.err);
    let run = files(&only(&bench.path().join("runs")));
    let page = String::from_utf8(run["report.html"].clone()).unwrap();
    assert!(page.contains("SENSITIVITY without fees") && page.contains("TSE-C041"));
}

#[test]
fn nothing_is_kept_that_was_not_wished_for() {
    let bench = Bench::new();
    bench.write("good.toml", GOOD);
    let said = bench.tse(&["backtest", "good.toml", "--no-save"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(!bench.path().join("runs").exists());
}

#[test]
fn data_that_fails_leaves_no_folder() {
    let bench = Bench::new();
    let mut rows = String::from("ts_event,bid,bid_size,ask,ask_size\n");
    let begin = 1_704_067_200_000_000_000_i64;
    for at in 0..5_000 {
        rows.push_str(&format!("{},60000.0,1.000,60000.1,1.000\n", begin + at * 1_000_000));
    }
    rows.push_str(&format!("{begin},60000.0,1.000,60000.1,1.000\n"));
    bench.write("quotes.csv", rows);
    let synthetic = "[[data]]\nformat = \"synthetic\"\ninstrument = \"BTC-USDT.ALPHA\"\n\
                     process = \"btc\"\nprice = \"60000\"\nlevel_size = \"0.5\"\n";
    let csv = "[[data]]\nformat = \"csv\"\nrecord = \"quotes\"\ninstrument = \"BTC-USDT.ALPHA\"\n\
               path = \"quotes.csv\"\ntime = \"ns\"\n";
    bench.write("bad.toml", changed(synthetic, csv));
    let said = bench.tse(&["backtest", "bad.toml"]);
    assert_eq!(said.code, 4, "{}{}", said.out, said.err);
    assert!(said.err.contains("error[TSE-D"), "{}", said.err);
    assert!(said.out.is_empty(), "{}", said.out);
    let left: Vec<_> = fs::read_dir(bench.path().join("runs")).into_iter().flatten().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_pipe_gets_neither_colour_nor_progress() {
    let bench = Bench::new();
    bench.write("both.toml", both("30m"));
    let said = bench.tse(&["backtest", "both.toml"]);
    assert_eq!(said.code, 0, "{}", said.err);
    for text in [&said.out, &said.err] {
        assert!(!text.contains('\x1b') && !text.contains('\r'), "{text:?}");
    }
    let painted = bench.tse(&["backtest", "both.toml", "--no-save", "--color", "always"]);
    assert!(painted.out.contains('\x1b'));
}

#[test]
fn the_report_needs_nothing_but_itself() {
    let bench = Bench::new();
    bench.write("both.toml", both("10m"));
    assert_eq!(bench.tse(&["backtest", "both.toml"]).code, 0);
    let page = fs::read_to_string(only(&bench.path().join("runs")).join("report.html")).unwrap();
    for outside in ["http:", "https:", "//cdn", "src=", "url(", "@import", "<link", "<script"] {
        assert!(!page.contains(outside), "the report contains {outside}");
    }
    for part in ["What this result rests on", "Drawdown", "own buys", "Opportunities", "state hash"]
    {
        assert!(page.contains(part), "the report lacks {part}");
    }
    assert_eq!(page.matches("<svg").count(), page.matches("aria-label").count());
}

/// Sends a signal to a run that has begun, and waits for its end.
#[cfg(unix)]
fn interrupted(bench: &Bench, args: &[&str], signal: &str, begun: impl Fn() -> bool) -> Said {
    use std::process::{Command, Stdio};
    use std::time::Duration;
    let mut command = bench.command(args);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("tse starts");
    for _ in 0..1_000 {
        if begun() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(300));
    let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success());
    said(&child.wait_with_output().expect("tse ends"))
}

#[cfg(unix)]
#[test]
fn a_run_that_is_stopped_keeps_what_was_done_and_says_so() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let bench = Bench::new();
        bench.write("both.toml", both("20000h"));
        let runs = bench.path().join("runs");
        let args = ["backtest", "both.toml", "--json"];
        let said = interrupted(&bench, &args, signal, || runs.exists());
        assert_eq!(said.code, code, "{}{}", said.out, said.err);
        let value = json(&said);
        assert_eq!((&value["ok"], &value["data"]["status"]), (&true.into(), &"interrupted".into()));
        assert_eq!(value["warnings"][0]["code"], "TSE-D106");
        let run = files(&only(&runs));
        assert_eq!(run.len(), 11, "{:?}", run.keys());
        let page = String::from_utf8(run["report.html"].clone()).unwrap();
        assert!(page.contains("INTERRUPTED") && page.contains("TSE-D106"));
        assert!(run["fills.parquet"].ends_with(b"PAR1"), "the file is complete");
    }
}

#[cfg(unix)]
#[test]
fn a_demo_that_is_stopped_ends_well() {
    let bench = Bench::new();
    let said = interrupted(&bench, &["demo"], "-INT", || true);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    assert!(said.out.contains("next: tse backtest"), "{}", said.out);
}

#[test]
fn a_piped_demo_trades_and_ends_by_itself() {
    let bench = Bench::new();
    let said = bench.tse(&["demo", "--seconds", "1", "--speed", "600"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let first = said.out.lines().next().unwrap_or_default();
    assert!(first.contains("no network, no keys, no real orders"), "{first}");
    assert!(!said.out.contains('\x1b'), "{}", said.out);
    let data = json(&bench.tse(&["demo", "--seconds", "1", "--speed", "600", "--json"]));
    assert_eq!(data["schema"], "tse.demo/1");
    for (at, strategy) in data["data"]["strategies"].as_array().unwrap().iter().enumerate() {
        assert!(strategy["fills"].as_u64().unwrap() > 0, "strategy {at} never traded: {strategy}");
    }
    assert_eq!(fs::read_dir(bench.path()).unwrap().count(), 0, "a demo leaves nothing behind");
    let wrong = bench.tse(&["demo", "--speed", "-1"]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
}
