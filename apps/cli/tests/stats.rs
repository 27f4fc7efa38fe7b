//! `tse stats`: the same figures from the files of a run as while it ran, and those of any curve.

mod common;

use common::Bench;
use serde_json::Value;
use std::fs;

const BOTH: &str = include_str!("../../../examples/demo.toml");

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_finished_run_tells_the_same_figures_again() {
    let bench = Bench::new();
    bench.write("both.toml", BOTH.replace("length = \"720h\"", "length = \"20m\""));
    let said = bench.tse(&["backtest", "both.toml", "--json"]);
    let ran = json(&said.out)["data"].clone();
    let said = bench.tse(&["stats", "--json"]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let told = json(&said.out);
    assert_eq!(told["schema"], "tse.stats/1");
    let mut all = told["data"].clone();
    let strategies = all.as_object_mut().unwrap().remove("strategies").unwrap();
    assert_eq!(all, ran["performance"]);
    assert!(all["round_trips"].as_u64().unwrap() > 0 && !all["slippage_bps"].is_null());
    for (told, ran) in
        strategies.as_array().unwrap().iter().zip(ran["strategies"].as_array().unwrap())
    {
        assert_eq!(told["name"], ran["name"]);
        assert_eq!(told["performance"], ran["performance"]);
    }
    // For people there is a line for each.
    let said = bench.tse(&["stats", "last"]);
    assert!(said.out.contains("Beside paper") && said.out.contains("arbitrage"), "{}", said.out);
}

#[test]
fn what_was_earned_comes_from_the_spread_from_what_was_held_and_from_fees_to_the_unit() {
    let bench = Bench::new();
    bench.write("both.toml", BOTH.replace("length = \"720h\"", "length = \"20m\""));
    let ran = json(&bench.tse(&["backtest", "both.toml", "--json", "--no-save"]).out);
    let units = |value: &Value| -> i128 {
        value.as_str().unwrap().parse::<tse_model::Decimal>().unwrap().at_scale(8).unwrap()
    };
    let whole = &ran["data"];
    let each = whole["strategies"].as_array().unwrap();
    for (net, of) in std::iter::once((&whole["net_pnl"], &whole["performance"]))
        .chain(each.iter().map(|it| (&it["net_pnl"], &it["performance"])))
    {
        let parts = &of["attribution"];
        let sum: i128 =
            ["spread", "inventory", "fees", "funding"].iter().map(|part| units(&parts[part])).sum();
        assert_eq!(sum, units(net), "{parts:#}");
        assert_eq!(units(&parts["residual"]), 0);
        assert_ne!(units(&parts["inventory"]), 0);
    }
}

#[test]
fn a_curve_of_its_own_is_measured() {
    let bench = Bench::new();
    bench.write(
        "curve.csv",
        "ts,equity,flow\n2024-01-01,100,\n2024-01-02,110,\n2024-01-03,176,55\n",
    );
    let said = bench.tse(&["stats", "curve.csv", "--json", "--days-per-year", "252"]);
    let data = json(&said.out)["data"].clone();
    // Ten per cent twice: what came in is no gain.
    assert!((data["total_return"].as_f64().unwrap() - 0.21).abs() < 1e-12, "{data:#}");
    assert_eq!((&data["daily_returns"], &data["days_per_year"]), (&3.into(), &252.0.into()));
    assert_eq!((&data["max_drawdown"], &data["calmar"]), (&0.0.into(), &Value::Null));
    let said = bench.tse(&["stats", "curve.csv"]);
    assert!(said.out.contains("+21.00 %"), "{}", said.out);
}

#[test]
fn what_is_wrong_with_a_curve_is_told_with_its_line() {
    let bench = Bench::new();
    let cases = [
        ("", "there is no column `ts`", ":1"),
        ("ts,equity\n", "the curve has no points", ""),
        ("ts,equty\n", "did you mean `equity`?", ":1"),
        ("time,equity\n", "`time` is no column", ":1"),
        ("ts,equity\n2024-01-01,ten\n", "`ten` is no amount", ":2"),
        ("ts,equity\n2024-01-01,0.1234567890123\n", "is no amount", ":2"),
        ("ts,equity\nyesterday,1\n", "`yesterday` is no moment", ":2"),
        ("ts,equity\n2024-01-02,1\n2024-01-01,1\n", "is before the line above", ":3"),
        ("ts,equity,flow\n2024-01-01,1,x\n", "`x` is no amount", ":2"),
        ("ts,equity\n2024-01-01,1,2\n", "fields", ":2"),
    ];
    for (text, says, at) in cases {
        fs::write(bench.path().join("bad.csv"), text).unwrap();
        let said = bench.tse(&["stats", "bad.csv"]);
        assert_eq!(said.code, 4, "{text:?}: {}", said.err);
        assert!(said.err.contains(says), "{text:?}: {}", said.err);
        assert!(said.err.contains(&format!("bad.csv{at}")), "{text:?}: {}", said.err);
        assert!(said.err.contains("TSE-D108"), "{text:?}: {}", said.err);
    }
    let said = bench.tse(&["stats", "none.csv"]);
    assert!(said.code != 0 && said.err.contains("none.csv"), "{}", said.err);
    let said = bench.tse(&["stats", "last"]);
    assert!(said.code != 0 && said.err.contains("there are no runs"), "{}", said.err);
    let said = bench.tse(&["stats", "bad.csv", "--risk-free", "much"]);
    assert!(said.code == 2 && said.err.contains("--risk-free 0.03"), "{} {}", said.code, said.err);
    let said = bench.tse(&["stats", "last", "--risk-free", "0.1"]);
    assert!(said.code != 0 && said.err.contains("its own config"), "{}", said.err);
}
