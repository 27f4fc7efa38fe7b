//! Broken configs, each a good one with one change: what is said, where, and how it exits.
//!
//! What is expected lies in `tests/snapshots/config`; UPDATE_SNAPSHOTS=1 writes it anew.

mod common;

use common::{Bench, GOOD, changed, snapshot, snapshots};
use std::collections::BTreeSet;

/// The first data source of the good config.
const ALPHA_DATA: &str = "[[data]]
format = \"synthetic\"
instrument = \"BTC-USDT.ALPHA\"
process = \"btc\"
price = \"60000\"
level_size = \"0.5\"
";

/// A name, and what is changed: this text, into that.
const CHANGES: &[(&str, &str, &str)] = &[
    // Keys, types and numbers.
    ("unknown_key", "base = \"USDT\"", "base = \"USDT\"\nsede = 7"),
    ("unknown_key_far", "base = \"USDT\"", "base = \"USDT\"\ncolour = \"blue\""),
    ("unknown_section", "[synthetic]", "[synthetics]"),
    ("unknown_mode", "base = \"USDT\"", "base = \"USDT\"\nmode = \"live\""),
    ("paper_never_compares", "[synthetic]", "[paper]\nreconcile_every = \"0s\"\n\n[synthetic]"),
    (
        "correlation_above_one",
        "data_age_max = \"5s\"",
        "data_age_max = \"5s\"\nexposure = { correlation = { max = \"1.5\" } }",
    ),
    (
        "correlation_of_one_step",
        "data_age_max = \"5s\"",
        "data_age_max = \"5s\"\nexposure = { correlation = { max = \"0.9\", samples = 1 } }",
    ),
    (
        "single_brackets",
        "[[instruments]]\nsymbol = \"BTC-USDT.ALPHA\"\ntick = \"0.1\"",
        "[instruments]\nsymbol = \"BTC-USDT.ALPHA\"\ntick = \"0.1\"",
    ),
    ("wrong_type", "tick = \"0.1\"", "tick = true"),
    (
        "table_for_a_number",
        "level_size = \"0.5\"\n\n[[data]]",
        "level_size = { a = 1 }\n\n[[data]]",
    ),
    ("number_for_a_table", "limits = { open_orders_max = 4 }", "limits = 4"),
    ("missing_key", "tick = \"0.1\"\n", ""),
    ("negative_lot", "lot = \"0.001\"", "lot = \"-0.001\""),
    ("zero_tick", "tick = 0.1", "tick = 0"),
    ("negative_balance", "balances = { USDT = \"100000\" }", "balances = { USDT = -5 }"),
    ("comma_in_a_number", "tick = \"0.1\"", "tick = \"0,1\""),
    ("not_finite", "price_max = \"1000000\"", "price_max = nan"),
    (
        "too_many_digits",
        "price_max = \"1000000\"",
        "price_max = 1000000000000000000000000000000000000000",
    ),
    ("share_above_one", "margin_initial = \"0.1\"", "margin_initial = \"10\""),
    ("fraction_of_a_count", "open_orders_max = 10", "open_orders_max = 2.5"),
    ("count_of_zero", "open_orders_max = 10", "open_orders_max = 0"),
    ("text_for_a_count", "open_orders_max = 10", "open_orders_max = \"10\""),
    ("time_without_unit", "data_age_max = \"5s\"", "data_age_max = 5"),
    ("not_a_time", "data_age_max = \"5s\"", "data_age_max = \"5 seconds\""),
    ("time_of_zero", "data_age_max = \"5s\"", "data_age_max = \"0s\""),
    ("not_a_moment", "start = \"2024-01-01T00:00:00Z\"", "start = \"1st of January\""),
    ("unknown_word", "account = \"margin\"", "account = \"margn\""),
    (
        "empty_text",
        "process = \"btc\"\nprice = \"60000\"\nlevel_size = \"0.5\"\n\n[[data]]",
        "process = \"\"\nprice = \"60000\"\nlevel_size = \"0.5\"\n\n[[data]]",
    ),
    // Names.
    ("venue_in_small_letters", "name = \"ALPHA\"", "name = \"alpha\""),
    ("run_with_spaces", "name = \"good\"", "name = \"Good Run\""),
    ("bad_symbol", "symbol = \"BTC-USDT.ALPHA\"", "symbol = \"BTCUSDT\""),
    ("symbol_in_small_letters", "symbol = \"BTC-USDT.ALPHA\"", "symbol = \"btc-usdt.alpha\""),
    ("unknown_venue", "symbol = \"BTC-USDT.ALPHA\"", "symbol = \"BTC-USDT.ALPHQ\""),
    (
        "unknown_instrument",
        "instruments = [\"BTC-USDT.ALPHA\"]",
        "instruments = [\"BTC-USDC.ALPHA\"]",
    ),
    ("unknown_currency", "balances = { USDT = \"100000\" }", "balances = { USTD = \"100000\" }"),
    ("unknown_base", "base = \"USDT\"", "base = \"EUR\""),
    ("settles_elsewhere", "symbol = \"BTC-USDT-PERP.BETA\"", "symbol = \"BTC-USDT-PERP:ETH.BETA\""),
    ("inverse_spot", "symbol = \"BTC-USDT.ALPHA\"", "symbol = \"BTC-USDT:BTC.ALPHA\""),
    ("currency_in_small_letters", "[synthetic]", "[currencies.usd]\nscale = 2\n\n[synthetic]"),
    // Twice.
    ("venue_twice", "name = \"BETA\"", "name = \"ALPHA\""),
    ("instrument_twice", "symbol = \"BTC-USDT-PERP.BETA\"", "symbol = \"BTC-USDT.ALPHA\""),
    ("strategy_twice", "name = \"cross\"", "name = \"mm\""),
    ("key_twice", "base = \"USDT\"", "base = \"USDT\"\nbase = \"USD\""),
    (
        "instrument_limits_twice",
        "data_age_max = \"5s\"\n",
        "data_age_max = \"5s\"\n[[limits.instrument]]\nsymbol = \"BTC-USDT.ALPHA\"\nlong_max = 1\n[[limits.instrument]]\nsymbol = \"btcusdt.alpha\"\nlong_max = 2\n",
    ),
    (
        "traded_twice",
        "type = \"ema_cross\"\ninstruments = [\"BTC-USDT-PERP.BETA\"]",
        "type = \"arbitrage\"\ninstruments = [\"BTC-USDT-PERP.BETA\", \"btcusdtperp\"]",
    ),
    ("synthetic_twice", "instrument = \"BTC-USDT-PERP.BETA\"", "instrument = \"BTC-USDT.ALPHA\""),
    // Values that contradict each other.
    ("end_before_start", "base = \"USDT\"", "base = \"USDT\"\nend = 2023-12-31"),
    ("min_above_max", "qty_min = \"0.001\"", "qty_min = \"200\""),
    ("low_above_high", "low = \"1ms\"", "low = \"9ms\""),
    (
        "half_a_delay",
        "response = { low = \"1ms\", high = \"3ms\" }",
        "response = { low = \"1ms\" }",
    ),
    ("maintenance_above_initial", "margin_maintenance = \"0.05\"", "margin_maintenance = \"0.5\""),
    ("no_maintenance", "margin_maintenance = \"0.05\"\n", ""),
    ("perpetual_that_is_spot", "tick = 0.1", "kind = \"spot\"\ntick = 0.1"),
    ("perpetual_with_cash", "account = \"margin\"\n", ""),
    (
        "borrowing_with_cash",
        "qty_min = \"0.001\"",
        "margin_initial = \"0.5\"\nmargin_maintenance = \"0.4\"",
    ),
    ("spot_with_expiry", "qty_min = \"0.001\"", "expiry = 2024-06-28"),
    (
        "future_without_expiry",
        "symbol = \"BTC-USDT-PERP.BETA\"",
        "symbol = \"BTC-USDT-240628.BETA\"",
    ),
    (
        "future_of_another_day",
        "symbol = \"BTC-USDT-PERP.BETA\"\ntick = 0.1",
        "symbol = \"BTC-USDT-240628.BETA\"\nexpiry = 2024-06-29T08:00:00Z\ntick = 0.1",
    ),
    ("funding_of_spot", "qty_min = \"0.001\"", "funding = { rate = \"0.0001\" }"),
    ("power_without_power", "qty_min = \"0.001\"", "queue_power = 2"),
    (
        "two_ways_of_fees",
        "fees = { maker_bps = \"2\", taker_bps = \"4\" }",
        "fees = { maker_bps = \"2\", taker_bps = \"4\", maker_per_contract = \"1\" }",
    ),
    (
        "half_of_the_fees",
        "fees = { maker_bps = \"2\", taker_bps = \"4\" }",
        "fees = { maker_bps = \"2\" }",
    ),
    ("no_fees_said", "fees = { maker_bps = \"2\", taker_bps = \"4\" }\n", ""),
    (
        "minimum_of_a_rate",
        "fees = { maker_bps = \"2\", taker_bps = \"4\" }",
        "fees = { maker_bps = \"2\", taker_bps = \"4\", minimum = \"1\" }",
    ),
    (
        "tiers_that_fall",
        "fees = { maker_bps = \"2\", taker_bps = \"4\" }",
        "fees = { tiers = [{ from = 0, maker_bps = 2, taker_bps = 4 }, { from = 0, maker_bps = 1, taker_bps = 3 }] }",
    ),
    (
        "fees_above_all",
        "fees = { maker_bps = \"2\", taker_bps = \"4\" }",
        "fees = { maker_bps = \"2\", taker_bps = \"40000\" }",
    ),
    (
        "markets_that_disagree",
        "price = \"60000\"\nlevel_size = \"0.5\"\n\n[[strategies]]\nname = \"mm\"",
        "price = \"61000\"\nlevel_size = \"0.5\"\n\n[[strategies]]\nname = \"mm\"",
    ),
    (
        "rates_in_a_circle",
        "[synthetic]",
        "[[rates]]\nfrom = \"BTC\"\nto = \"USDT\"\nrate = 60000\n[[rates]]\nfrom = \"USDT\"\nto = \"BTC\"\nrate = 0.00001\n[synthetic]",
    ),
    (
        "rate_in_itself",
        "[synthetic]",
        "[[rates]]\nfrom = \"BTC\"\nto = \"BTC\"\nrate = 1\n[synthetic]",
    ),
    // Grids, ranges, scales.
    ("limit_off_lot", "order_qty_max = \"1\"", "order_qty_max = \"0.0005\""),
    ("price_max_off_tick", "price_max = \"1000000\"", "price_max = \"1000000.05\""),
    ("spread_off_tick", "qty_min = \"0.001\"", "half_spread = \"0.25\""),
    ("tick_and_price_overflow", "tick = \"0.1\"", "tick = \"0.000000000000000001\""),
    (
        "value_overflow",
        "lot = \"0.001\"\nqty_min = \"0.001\"\nqty_max = \"100\"\nprice_max = \"1000000\"",
        "lot = \"1000000000000\"\nqty_max = \"1000000000000000000000000000000\"\nprice_max = \"1000000000000000\"",
    ),
    (
        "balance_too_fine",
        "balances = { USDT = \"100000\" }",
        "balances = { USDT = \"0.000000001\" }",
    ),
    ("lot_too_fine", "lot = \"0.001\"\nqty_min = \"0.001\"", "lot = \"0.0000000001\""),
    (
        "fee_too_fine",
        "taker_bps = \"4\" }\n\n[[instruments]]",
        "taker_bps = \"4.0000001\" }\n\n[[instruments]]",
    ),
    (
        "no_conversion",
        "[synthetic]",
        "[currencies.DOGE]
[[venues]]
name = \"GAMMA\"
latency = { order = \"1ms\" }
balances = { DOGE = 5 }

[synthetic]",
    ),
    // Limits.
    (
        "no_limits",
        "[limits]\norder_qty_max = \"1\"\norder_value_max = \"100000\"\ncollar_bps = \"100\"\nrepeats = { count = 100, window = \"1s\" }\nopen_orders_max = 10\nlong_max = \"20\"\nshort_max = \"5\"\ndata_age_max = \"5s\"\n",
        "",
    ),
    (
        "limits_missing",
        "collar_bps = \"100\"
repeats = { count = 100, window = \"1s\" }
",
        "",
    ),
    ("half_of_repeats", "repeats = { count = 100, window = \"1s\" }", "repeats = { count = 100 }"),
    // Data.
    (
        "nothing_to_trade",
        "type = \"market_making\"\ninstruments = [\"BTC-USDT.ALPHA\"]",
        "type = \"market_making\"\ninstruments = []",
    ),
    (
        "key_of_another_format",
        "level_size = \"0.5\"\n\n[[data]]",
        "level_size = \"0.5\"\ndelimiter = \";\"\n\n[[data]]",
    ),
    (
        "no_data",
        "[[data]]\nformat = \"synthetic\"\ninstrument = \"BTC-USDT-PERP.BETA\"\nprocess = \"btc\"\nprice = \"60000\"\nlevel_size = \"0.5\"\n\n[[strategies]]\nname = \"mm\"",
        "[[strategies]]\nname = \"mm\"",
    ),
    (
        "no_such_file",
        ALPHA_DATA,
        "[[data]]\nformat = \"csv\"\ninstrument = \"BTC-USDT.ALPHA\"\npath = \"no/such.csv\"\n",
    ),
    (
        "no_such_files",
        ALPHA_DATA,
        "[[data]]\nformat = \"csv\"\ninstrument = \"BTC-USDT.ALPHA\"\npaths = [\"data/*.gz\"]\n",
    ),
    ("no_path", ALPHA_DATA, "[[data]]\nformat = \"binance\"\ninstrument = \"BTC-USDT.ALPHA\"\n"),
    (
        "unknown_variable",
        ALPHA_DATA,
        "[[data]]\nformat = \"csv\"\ninstrument = \"BTC-USDT.ALPHA\"\npath = \"${TSE_TEST_NOWHERE}/a.csv\"\n",
    ),
    (
        "missing_column",
        ALPHA_DATA,
        "[[data]]\nformat = \"csv\"\nrecord = \"trades\"\ninstrument = \"BTC-USDT.ALPHA\"\npath = \"data/trades.csv\"\n",
    ),
    (
        "unknown_column",
        ALPHA_DATA,
        "[[data]]\nformat = \"csv\"\nrecord = \"trades\"\ncolumns = { prize = \"px\" }\ninstrument = \"BTC-USDT.ALPHA\"\npath = \"data/trades.csv\"\n",
    ),
    (
        "unknown_zone",
        ALPHA_DATA,
        "[[data]]\nformat = \"csv\"\nrecord = \"trades\"\nzone = \"Atlantis/Capital\"\ninstrument = \"BTC-USDT.ALPHA\"\npath = \"data/trades.csv\"\n",
    ),
    (
        "bars_without_size",
        ALPHA_DATA,
        "[[data]]\nformat = \"csv\"\nrecord = \"bars\"\nbars = { emit = \"quotes\", offsets = [\"-1s\", \"-2s\", \"0s\", \"0s\"] }\ninstrument = \"BTC-USDT.ALPHA\"\npath = \"data/trades.csv\"\n",
    ),
    (
        "lean_of_what",
        ALPHA_DATA,
        "[[data]]\nformat = \"lean\"\nmarket = \"crypto\"\ninstrument = \"BTC-USDT.ALPHA\"\npath = \"data/trades.csv\"\n",
    ),
    (
        "latency_table",
        "response = { low = \"1ms\", high = \"3ms\" }",
        "response = { table = \"data/latency.csv\" }",
    ),
    // Strategies.
    ("unknown_strategy", "type = \"market_making\"", "type = \"market_makin\""),
    ("unknown_param", "order_size = \"0.01\"", "order_sise = \"0.01\""),
    ("bad_param", "fast = 5", "fast = \"five\""),
    ("param_without_unit", "bar = \"0s\"", "bar = 60"),
    ("missing_param", "order_size = \"0.01\", ", ""),
    ("refused_params", "fast = 5", "fast = 50"),
    ("size_off_lot", "size = \"0.01\", bar", "size = \"0.0001\", bar"),
    ("too_few_instruments", "type = \"ema_cross\"", "type = \"arbitrage\""),
    // TOML itself.
    ("open_quotation", "name = \"BETA\"", "name = \"BETA"),
    ("missing_equals", "tick = 0.1", "tick 0.1"),
    ("bare_text", "account = \"margin\"", "account = margin"),
    ("open_bracket", "[synthetic]", "[synthetic"),
];

fn normal(text: &str, bench: &Bench) -> String {
    text.replace(&bench.path().display().to_string(), "HERE")
}

fn check(bench: &Bench, args: &[&str], env: &[(&str, &str)]) -> String {
    let mut command = bench.command(args);
    for (name, value) in env {
        command.env(name, value);
    }
    let said = common::said(&command.output().expect("tse starts"));
    let env: String = env.iter().map(|(name, value)| format!("{name}={value} ")).collect();
    assert!(!said.err.contains('\x1b'), "no colour where nobody watches");
    assert_eq!(said.out, "", "what is wrong goes to standard error");
    normal(&format!("$ {env}tse {}\n\n{}\nexit {}\n", args.join(" "), said.err, said.code), bench)
}

fn prepared() -> Bench {
    let bench = Bench::new();
    bench.write("data/trades.csv", "ts_event,price,amount\n1,2,3\n");
    bench.write(
        "data/latency.csv",
        "time,latency\n2024-01-01T00:00:00Z,1ms\n2024-01-01T00:00:01Z,soon\n",
    );
    bench
}

#[test]
fn the_good_config_is_good() {
    let bench = Bench::new();
    bench.write("good.toml", GOOD);
    let said = bench.tse(&["check", "good.toml"]);
    assert_eq!((said.code, &*said.err), (0, ""), "{}", said.out);
    assert!(
        said.out.ends_with("ok · no warnings · next: tse backtest good.toml\n"),
        "{}",
        said.out
    );
}

#[test]
fn every_broken_config_is_answered_with_place_reason_and_fix() {
    let bench = prepared();
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for (name, from, to) in CHANGES {
        assert!(names.insert(*name), "{name} is there twice");
        bench.write("run.toml", changed(from, to));
        let said = check(&bench, &["check", "run.toml"], &[]);
        let code = said.lines().last().unwrap_or_default();
        if said.matches("= fix: ").count() != said.matches("= more: ").count()
            || !said.contains("run.toml:")
            || !["exit 3", "exit 4"].contains(&code)
        {
            wrong.push(format!("--- {name} lacks a place, a fix or an exit code\n{said}"));
        }
        wrong.extend(snapshot("config", name, &said).err());
    }
    let kept = std::fs::read_dir(snapshots("config")).expect("snapshots").count();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(kept, names.len(), "snapshots that belong to no case, or cases without one");
}

#[test]
fn whole_files_that_are_no_config() {
    let bench = prepared();
    bench.write("empty.toml", "");
    bench.write("comments.toml", "# nothing yet\n");
    bench.write("binary.toml", [0xff, 0xfe, 0x00]);
    bench.write("run.toml", GOOD);
    type Case = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)]);
    let cases: &[Case] = &[
        ("empty", &["check", "empty.toml"], &[]),
        ("comments", &["check", "comments.toml"], &[]),
        ("binary", &["check", "binary.toml"], &[]),
        ("folder", &["check", "data"], &[]),
        ("absent", &["check", "rum.toml"], &[]),
        ("set_nowhere", &["check", "run.toml", "--set", "venues.GAMMA.account=cash"], &[]),
        ("set_nothing", &["check", "run.toml", "--set", "seed"], &[]),
        ("set_unknown", &["check", "run.toml", "--set", "run.sede=7"], &[]),
        ("set_wrong", &["check", "run.toml", "--set", "instruments.*.tick=-1"], &[]),
        ("env_unknown", &["check", "run.toml"], &[("TSE_RUN__SEDE", "7")]),
        ("env_wrong", &["check", "run.toml"], &[("TSE_RUN__SEED", "many")]),
        ("backtest_too", &["backtest", "empty.toml"], &[]),
        ("data_too", &["data", "check", "empty.toml"], &[]),
    ];
    let mut wrong = Vec::new();
    for (name, args, env) in cases {
        wrong.extend(snapshot("files", name, &check(&bench, args, env)).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_problems_are_found_in_one_pass_and_twenty_are_shown() {
    let bench = Bench::new();
    let mut text =
        GOOD.replace("tick = \"0.1\"", "tick = 0").replace("base = \"USDT\"", "base = 5");
    for n in 0..30 {
        text = text.replacen("[[data]]\n", &format!("[[data]]\nnonsense_{n} = 1\n"), 1);
    }
    bench.write("run.toml", text);
    let said = bench.tse(&["check", "run.toml"]);
    assert_eq!(said.code, 3);
    assert_eq!(said.err.matches("= more: ").count(), 20);
    assert!(said.err.ends_with("errors · 12 not shown\n"), "{}", said.err);
    let json = bench.tse(&["check", "run.toml", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert_eq!(value["errors"].as_array().map(Vec::len), Some(32), "a program gets all of them");
}

#[test]
fn what_a_result_rests_on_is_a_warning() {
    let bench = Bench::new();
    let cases = [
        ("no_latency", "latency = { feed = \"1ms\", order = \"1ms\", response = \"1ms\" }\n", ""),
        ("no_fees", "fees = { maker_bps = \"2\", taker_bps = \"4\" }", "fees = \"none\""),
        (
            "assumed_rate",
            "[synthetic]",
            "[[rates]]\nfrom = \"BTC\"\nto = \"USDT\"\nrate = 60000\n\n[synthetic]",
        ),
        ("no_effect", "limits = { open_orders_max = 4 }", "limits = { open_orders_max = 40 }"),
        (
            "mixed_units",
            "symbol = \"BTC-USDT-PERP.BETA\"\ntick = 0.1",
            "symbol = \"BTC-USDT-PERP:BTC.BETA\"\ntick = 0.1",
        ),
    ];
    let mut wrong = Vec::new();
    for (name, from, to) in cases {
        let mut text = changed(from, to);
        if name == "mixed_units" {
            text = text.replace("BTC-USDT-PERP.BETA", "BTC-USDT-PERP:BTC.BETA");
        }
        bench.write("run.toml", text);
        let said = bench.tse(&["check", "run.toml"]);
        let last = said.out.lines().last().unwrap_or_default();
        let text = format!("$ tse check run.toml\n\n{}{last}\nexit {}\n", said.err, said.code);
        assert_eq!(said.code, 0, "{name}: {text}");
        wrong.extend(snapshot("warnings", name, &text).err());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_damage_is_met_with_a_panic_or_without_a_place() {
    use tse_cli::config::{Overrides, load_text};
    use tse_cli::diagnose::render;
    let words = [
        "0",
        "-1",
        "nan",
        "1e99",
        "\"\"",
        "\"x\"",
        "true",
        "[]",
        "{}",
        "[[]]",
        "{ a = 1 }",
        "\"1s\"",
        "2024-01-01",
        "99999999999999999999",
        "0.0000000000000000000000000000000000001",
        "\"ALPHA\"",
        "\"BTC-USDT-PERP.BETA\"",
        "[\"BTC-USDT.ALPHA\"]",
        "\"${X}\"",
        "\"*\"",
    ];
    let registry = tse_strategy::Registry::shipped();
    let mut chance = tse_model::Chance::stream(7, "damage");
    let mut pick = |n: usize| usize::try_from(chance.below(n as u64)).expect("small");
    let mut right = 0;
    for round in 0..4_000 {
        let mut lines: Vec<String> = GOOD.lines().map(str::to_owned).collect();
        for _ in 0..1 + pick(3) {
            let at = pick(lines.len());
            match pick(4) {
                0 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[pick(lines.len())].clone()),
                2 => {
                    if let Some((key, _)) = lines[at].split_once(" = ") {
                        lines[at] = format!("{key} = {}", words[pick(words.len())]);
                    }
                }
                _ => {
                    let cut = pick(lines[at].len() + 1);
                    lines[at].truncate(cut);
                }
            }
        }
        let text = lines.join("\n");
        let folder = std::path::Path::new(".");
        match load_text("run.toml", &text, folder, "run", &Overrides::none(), &registry) {
            Ok(config) => {
                right += 1;
                let resolved = config.resolved();
                let again =
                    load_text("again", &resolved, folder, "run", &Overrides::none(), &registry);
                assert!(
                    again.is_ok(),
                    "round {round}: does not resolve to itself\n{text}\n{resolved}"
                );
            }
            Err(found) => {
                let shown = render::all(&found, render::Style::default());
                assert!(
                    found.has_errors() && shown.contains("run.toml:"),
                    "round {round}: {shown}"
                );
                assert!([3, 4].contains(&found.exit()), "round {round}: {shown}");
            }
        }
    }
    assert!((200..3_800).contains(&right), "{right} of 4,000 damaged configs are right");
}
