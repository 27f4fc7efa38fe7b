//! The shipped examples, run as a user runs them, against what is known from elsewhere.
//!
//! Examples on real data need the folder `shared` beside the checkout (or `$TSE_SHARED`). Without it
//! these tests say so and pass; with `TSE_REQUIRE_DATA=1` they fail instead.

#![allow(clippy::print_stderr, reason = "a skipped test says so loudly")]

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs tests"))
        .join("../..")
        .canonicalize()
        .expect("the checkout")
}

/// The folder of shared data, if it is here.
fn shared(test: &str) -> Option<PathBuf> {
    let folder =
        std::env::var_os("TSE_SHARED").map_or_else(|| root().join("../shared"), PathBuf::from);
    if folder.join("data").is_dir() {
        return Some(folder.canonicalize().expect("it is a folder"));
    }
    assert!(
        std::env::var_os("TSE_REQUIRE_DATA").is_none_or(|require| require != "1"),
        "{test}: no data at {}, and TSE_REQUIRE_DATA=1",
        folder.display()
    );
    eprintln!("SKIPPED: {test}: no data at {}", folder.display());
    None
}

/// Runs an example and gives the `data` of its JSON.
fn run(example: &str, set: &[&str], shared: Option<&Path>) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tse"));
    command.args(["backtest", "--json", "--no-save"]);
    for set in set {
        command.args(["--set", set]);
    }
    command.arg(root().join("examples").join(example));
    if let Some(shared) = shared {
        command.env("TSE_SHARED", shared);
    }
    let output = command.output().expect("tse starts");
    let text = String::from_utf8(output.stdout).expect("JSON is text");
    assert!(
        output.status.success(),
        "{example}: {text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut value: Value = serde_json::from_str(&text).expect("one JSON object");
    assert_eq!(value["schema"], "tse.backtest/1");
    assert_eq!(value["ok"], true);
    value["data"].take()
}

/// A figure with its JSON text, whatever its type.
fn text(data: &Value, field: &str) -> String {
    match &data[field] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[test]
fn the_published_ema_cross_result_comes_out_to_the_last_digit() {
    let Some(shared) = shared("btc-ema-cross") else { return };
    let data = run("btc-ema-cross.toml", &[], Some(&shared));
    // nautilus_trader's acceptance test "BTCUSDT EMA cross" on the same bars.
    assert_eq!(text(&data, "events"), "40000");
    assert_eq!(text(&data, "orders"), "902");
    assert_eq!(text(&data, "fills"), "902");
    assert_eq!(text(&data, "rejected"), "0");
    assert_eq!(data["balances"]["BTC"], "10.00000000");
    assert_eq!(data["balances"]["USDT"], "9999954.94313300");
}

#[test]
fn queue_models_are_ordered_as_theory_says_on_a_real_book() {
    let Some(shared) = shared("market-making-usdm") else { return };
    let ratio = |model: &str| {
        let set = format!("instruments.0.queue={model}");
        let data = run("market-making-usdm.toml", &[&set], Some(&shared));
        let ratio = data["fill_ratio"].as_f64().expect("something was submitted");
        eprintln!("{model}: fill ratio {ratio:.4}, {} fills", data["fills"]);
        let markouts = data["markouts"].as_array().expect("a list");
        assert!(markouts.iter().any(|markout| markout["bps"].is_number()), "markouts are reported");
        ratio
    };
    let [front, log, power, back] = ["front", "log", "power", "back"].map(ratio);
    assert!(front > log && front > power, "the optimist fills most");
    assert!(log > back && power > back, "the pessimist fills least");
}

/// Seen opportunities are taken, missed for a stated reason, or still open.
fn accounts_for_every_opportunity(data: &Value) {
    let seen = &data["opportunities"];
    let count = |value: &Value| value.as_u64().expect("a count");
    let missed: u64 = seen["missed"].as_object().expect("by reason").values().map(count).sum();
    assert!(count(&seen["seen"]) > 0);
    assert_eq!(count(&seen["seen"]), count(&seen["taken"]) + missed + count(&seen["open"]));
    assert!(seen["gross_bps"].is_object(), "the distribution of the edge is stated");
}

#[test]
fn real_arbitrage_accounts_for_every_opportunity() {
    let Some(shared) = shared("arbitrage") else { return };
    for example in ["arbitrage-binance.toml", "arbitrage-fx.toml"] {
        accounts_for_every_opportunity(&run(example, &[], Some(&shared)));
    }
}

#[test]
fn without_fees_there_is_more_to_take() {
    let Some(shared) = shared("arbitrage without fees") else { return };
    let taken = |set: &[&str]| {
        let data = run("arbitrage-binance.toml", set, Some(&shared));
        data["opportunities"]["taken"].as_u64().expect("a count")
    };
    let free = taken(&["instruments.*.fees=none"]);
    assert!(free > taken(&[]), "a labelled sensitivity, not a result");
}

#[test]
fn the_synthetic_examples_trade_and_give_the_same_result_twice() {
    for example in ["market-making.toml", "arbitrage.toml"] {
        let short = ["synthetic.length=10m"];
        let (a, b) = (run(example, &short, None), run(example, &short, None));
        assert!(a["fills"].as_u64().expect("a count") > 0, "{example} trades");
        for field in ["run_id", "state_hash", "net_pnl", "orders", "fills", "balances"] {
            assert_eq!(a[field], b[field], "{example}: {field}");
        }
        let other = run(example, &["synthetic.length=10m", "run.seed=7"], None);
        assert_ne!(a["state_hash"], other["state_hash"], "{example}: another seed is another run");
    }
}

/// E6: what it may hold and how often it may ask stop it, and the other one trades as if it were not there.
#[test]
fn e6_a_runaway_is_stopped_and_the_market_maker_trades_on() {
    let data = run("chaos-runaway.toml", &[], None);
    let strategy = |data: &Value, name: &str| {
        let all = data["strategies"].as_array().expect("a list").iter();
        all.clone().find(|it| it["name"] == name).expect("it took part").clone()
    };
    let mad = strategy(&data, "mad");
    assert!(
        mad["orders"].as_u64().expect("a count") <= 8,
        "as many messages as it may send: {mad}"
    );
    let positions = data["positions"].as_array().expect("a list");
    let held = positions.iter().find(|it| it["symbol"] == "BTC-USD-PERP.SIM2").expect("it bought");
    let held: f64 = held["size"].as_str().expect("a decimal").parse().expect("a number");
    assert!(held > 0.0 && held <= 0.1, "at most what it may hold: {held}");
    assert_eq!(data["alerts"]["killed"], 1, "{}", data["alerts"]);
    // The same run in which it stays harmless to the end.
    let calm = run("chaos-runaway.toml", &["strategies.1.params.after=1h"], None);
    assert_eq!(strategy(&calm, "mad")["orders"], 0);
    assert_eq!(strategy(&data, "maker"), strategy(&calm, "maker"));
}

#[test]
fn the_schema_beside_the_examples_is_the_one_that_tse_prints() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_tse")).arg("schema").output().expect("tse starts");
    let kept = std::fs::read(root().join("examples/tse.schema.json")).expect("it is kept there");
    assert!(output.stdout == kept, "run: tse schema > examples/tse.schema.json");
}

#[test]
fn a_file_of_ones_own_is_read_as_it_is() {
    let data = run("import-own-csv.toml", &[], None);
    assert_eq!(text(&data, "events"), "600", "every row of the file");
    assert!(data["fills"].as_u64().expect("a count") > 0);
}

#[test]
fn the_arbitrage_example_makes_money_where_the_market_is_made_to_differ() {
    let data = run("arbitrage.toml", &["synthetic.length=30m"], None);
    accounts_for_every_opportunity(&data);
    assert!(data["opportunities"]["taken"].as_u64().expect("a count") > 0);
    let net: f64 = text(&data, "net_pnl").parse().expect("a number");
    assert!(net > 0.0, "net {net}");
}
