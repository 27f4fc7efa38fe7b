//! One engine that serves: health, readiness, changes, rows, and an end in order.

use crate::{Desk, PATIENCE, number};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[test]
fn m1b_2_health_answers_over_rest_at_both_paths() {
    let desk = Desk::new();
    let running = desk.run(&[], &[]);
    for path in ["/health", "/api/v1/health"] {
        let reply = running.get(path);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
        assert_eq!(reply.json()["status"], "healthy");
    }
}

#[test]
fn m120_3_health_shows_whose_it_is_and_nothing_else() {
    let desk = Desk::new();
    let variables =
        [("SERVICE_INSTANCE_NAME", "trading-system-engine-LH"), ("ENVIRONMENT", "testing")];
    let running = desk.run(&[], &variables);
    let health = running.get("/api/v1/health").json();
    let keys: Vec<_> = health.as_object().unwrap().keys().cloned().collect();
    let mut wanted = ["status", "service", "instance", "version", "environment", "timestamp"];
    wanted.sort_unstable();
    assert_eq!(keys, wanted);
    assert_eq!(health["service"], "trading-system-engine");
    assert_eq!(health["instance"], "trading-system-engine-LH");
    assert_eq!(health["environment"], "testing");
    assert!(health["timestamp"].as_str().unwrap().ends_with('Z'));
    assert!(desk.home("trading-system-engine-LH").is_dir(), "its folder has its name");
}

#[test]
fn m120_10_readiness_and_the_log_show_where_rows_and_keys_are() {
    let desk = Desk::new();
    let variables = [("SERVICE_INSTANCE_NAME", "trading-system-engine-Alpha")];
    let running = desk.run(&["--speed", "20"], &variables);
    let ready = running.until("rows are written", "/ready", |it| {
        it.status == 200 && it.json()["checks"]["sqlite"] == "ok"
    });
    assert_eq!(ready.json()["schema"], "trading_system_engine_alpha");
    assert_eq!(ready.json()["namespace"], "trading_system:Alpha");
    let logs = desk
        .tse(&["logs", "trading-system-engine-Alpha", "--json", "--grep", "rows are written"], &[]);
    let line: Value = serde_json::from_str(logs.out.lines().next().unwrap()).unwrap();
    assert_eq!(line["schema"], "trading_system_engine_alpha");
    assert_eq!(line["instance_name"], "trading-system-engine-Alpha");
}

#[test]
fn an_order_that_trades_is_a_row_and_the_rows_are_what_the_journal_says_after_any_kill() {
    let desk = Desk::new();
    let mut fills = 0;
    for _ in 0..4 {
        let running = desk.run(&["--speed", "60", "--arm"], &[]);
        let status = running.until_status("it trades", |it| number(it, "fills") > fills + 10);
        fills = number(&status, "fills");
        running.signal("-KILL");
        running.end();
    }
    // What the store has is what the journal says up to there, whenever it was cut off.
    let check = desk.tse(&["store", "check", "demo", "--json"], &[]);
    assert_eq!(check.code, 0, "{}{}", check.out, check.err);
    let running = desk.run(&["--speed", "60"], &[]);
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(0));
    let check = desk.tse(&["store", "check", "demo", "--json"], &[]);
    assert_eq!(check.code, 0, "{}{}", check.out, check.err);
    let data: Value = serde_json::from_str::<Value>(&check.out).unwrap()["data"].clone();
    assert!(number(&data["rows"], "trades") >= fills, "{data}");
    assert!(
        number(&data["rows"], "orders") > 0 && number(&data["rows"], "strategies") == 2,
        "{data}"
    );
    assert!(
        number(&data, "applied") + 2 >= number(&data, "last"),
        "an end in order leaves nothing out: {data}"
    );
    // One that was spoilt is found, and is made anew.
    let rebuilt = desk.tse(&["store", "rebuild", "demo"], &[]);
    assert_eq!(rebuilt.code, 0, "{}{}", rebuilt.out, rebuilt.err);
    assert_eq!(desk.tse(&["store", "check", "demo"], &[]).code, 0);
}

#[test]
fn what_people_want_over_rest_is_recorded_before_it_is_answered() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "20"], &[]);
    running.until_status("it wants to trade", |it| number(it, "denied") > 5);
    let armed = running.post("/api/v1/resume", "", r#"{"arm":true,"by":"ann","reason":"go"}"#);
    assert_eq!((armed.status, &armed.json()["armed"]), (200, &true.into()), "{armed:?}");
    running.until_status("it trades", |it| number(it, "orders_open") > 0);
    let stop = r#"{"id":"maker","mode":"graceful","by":"ann","reason":"a look"}"#;
    let stopped = running.post("/api/v1/strategies/stop", "", stop);
    assert_eq!(stopped.status, 200, "{stopped:?}");
    let status = running.until("its orders are gone", "/api/v1/strategies/maker/status", |it| {
        it.json()["orders"] == 0
    });
    assert_eq!(status.json()["status"], "stopped");
    assert!(status.json()["last_error"].as_str().unwrap().contains("a look"));
    let unknown = running.post("/api/v1/strategies/stop", "", r#"{"id":"nobody","reason":"x"}"#);
    assert_eq!((unknown.status, &unknown.json()["code"]), (404, &"TSE-N102".into()));
    let started = running.post(
        "/api/v1/strategies/start",
        "",
        r#"{"id":"maker","by":"ann","reason":"looked"}"#,
    );
    assert_eq!(started.status, 200, "{started:?}");
    let limit = r#"{"limit":"long_max","value":"1","symbol":"BTC-USD.NORTH","by":"ann","reason":"a quiet day"}"#;
    let length = limit.len();
    let changed = running.ask(&format!(
        "PUT /api/v1/risk/limits HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{limit}"
    ));
    assert_eq!(changed.status, 200, "{changed:?}");
    let trip = r#"{"scope":"portfolio","action":"trip","by":"ann","reason":"a drill"}"#;
    let tripped = running.post("/api/v1/risk/circuit-breaker", "", trip);
    assert_eq!((tripped.status, &tripped.json()["level"]), (200, &"cancel".into()));
    running.signal("-KILL");
    running.end();
    // It is in the journal: whoever goes on finds it so.
    let again = desk.run(&["--speed", "20"], &[]);
    let status = again.until_status("it has begun", |it| number(it, "epoch") == 2);
    assert_eq!((&status["level"], &status["latches"][0]["by"]), (&"cancel".into(), &"ann".into()));
    let audit = std::fs::read_to_string(desk.home("demo").join("audit.ndjson")).unwrap();
    assert_eq!(audit.lines().count(), 6, "{audit}");
}

#[test]
fn a_backtest_over_rest_is_the_one_that_the_command_makes() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "1"], &[]);
    let set = ["synthetic.length=\"5m\"", "run.seed=7"];
    let body = serde_json::json!({ "config": "demo.toml", "set": set }).to_string();
    let asked = running.post("/api/v1/backtest/start", "", &body);
    assert_eq!(asked.status, 202, "{}", asked.body);
    let path =
        format!("/api/v1/backtest/results/{}", asked.json()["id"].as_str().expect("it has a name"));
    let is_over = |it: &crate::http::Reply| {
        it.status == 200 && matches!(it.json()["status"].as_str(), Some("done" | "failed"))
    };
    let over = running.until("it is over", &path, is_over).json();
    assert_eq!(over["status"], "done", "{over}");
    let said = desk.tse(
        &["backtest", "demo.toml", "--no-save", "--json", "--set", set[0], "--set", set[1]],
        &[],
    );
    let by_hand: Value = serde_json::from_str::<Value>(&said.out).unwrap()["data"].take();
    for key in ["state_hash", "net_pnl", "fills", "orders", "seed", "equity_end"] {
        assert_eq!(over["result"][key], by_hand[key], "{key}");
    }
    assert!(number(&over["result"], "fills") > 0);
    let folders = std::fs::read_dir(desk.home("demo").join("backtests")).unwrap();
    assert_eq!(folders.count(), 1, "its run folder stays");

    // What cannot be run says why, as the command does.
    let body = serde_json::json!({ "set": ["limits.long_max=\"none\""] }).to_string();
    let asked = running.post("/api/v1/backtest/start", "", &body).json();
    let path = format!("/api/v1/backtest/results/{}", asked["id"].as_str().unwrap());
    let over = running.until("it is over", &path, is_over).json();
    assert_eq!(over["status"], "failed");
    assert!(over["errors"].to_string().contains("TSE-C"), "{over}");
    for (body, status) in [
        (r#"{"config":"../demo.toml"}"#, 404),
        (r#"{"set":["data.0.path=/etc/passwd"]}"#, 400),
        (r#"{"conf":"demo.toml"}"#, 400),
    ] {
        assert_eq!(running.post("/api/v1/backtest/start", "", body).status, status, "{body}");
    }
    assert_eq!(running.get("/api/v1/backtest/results/b9").status, 404);
}

#[test]
fn a_backtest_ends_with_an_engine_that_is_killed() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "1"], &[]);
    let asked = running.post("/api/v1/backtest/start", "", "{}");
    assert_eq!(asked.status, 202, "{}", asked.body);
    let engine = running.child.id();
    let children = || -> Vec<String> {
        let tasks = std::fs::read_dir(format!("/proc/{engine}/task")).into_iter().flatten();
        let lists =
            tasks.flatten().map(|task| std::fs::read_to_string(task.path().join("children")));
        lists
            .flatten()
            .flat_map(|it| it.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    };
    let until = |what: &str, is_so: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !is_so() {
            assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    until("it runs", &|| !children().is_empty());
    let child = children().remove(0);
    // It writes: by then it has heard with whom it ends.
    let folder = desk.home("demo").join("backtests").join("b1");
    until("it writes", &|| folder.read_dir().is_ok_and(|it| it.count() > 0));
    running.signal("-KILL");
    assert_eq!(running.end().0, None);
    let stat = format!("/proc/{child}/stat");
    until("it is gone", &|| {
        let stat = std::fs::read_to_string(&stat).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    });
}

#[test]
fn everything_is_looked_at_behind_tls_as_well() {
    let desk = Desk::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    desk.bench.write("cert.pem", made.cert.pem());
    desk.bench.write("key.pem", made.signing_key.serialize_pem());
    let tls = [("TLS_CERT_FILE", "cert.pem"), ("TLS_KEY_FILE", "key.pem")];
    let running = desk.begin(&["--speed", "10"], &tls);
    let validate = ["validate", "--ca", "cert.pem", "--host", "localhost"];
    let begun = Instant::now();
    let mut said = desk.tse(&validate, &[]);
    while said.code != 0 && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(100));
        said = desk.tse(&validate, &[]);
    }
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    for part in ["health", "openapi", "grpc health", "grpc strategies"] {
        assert!(said.out.contains(&format!("ok {part}")), "{part}: {}", said.out);
    }
    // Whom nobody vouches for is not believed, nor a name that the certificate is not for.
    for args in [&["validate", "--host", "localhost"][..], &["validate", "--ca", "cert.pem"]] {
        let said = desk.tse(args, &[]);
        assert_eq!(said.code, 1, "{args:?}: {}", said.out);
        assert!(said.out.contains("MISS health"), "{args:?}: {}", said.out);
    }
    let said = desk.tse(&["validate", "--ca", "key.pem"], &[]);
    assert_eq!(said.code, 2, "{}", said.err);
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(0));
}

#[test]
fn how_long_the_engine_takes_is_a_figure() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "60", "--arm"], &[("METRICS_PUBLISH_INTERVAL_MS", "100")]);
    running.until_status("it trades", |it| number(it, "fills") > 0);
    let figures = running.until("they are taken", "/metrics", |it| {
        it.body.contains("\ntrading_engine_strategy_execution_time{")
    });
    let of = |name: &str, label: &str| -> f64 {
        let mut lines = figures.body.lines();
        let line =
            lines.find(|line| line.starts_with(&format!("{name}{{")) && line.contains(label));
        line.unwrap_or_else(|| panic!("{name} {label}"))
            .rsplit_once(' ')
            .unwrap()
            .1
            .parse()
            .unwrap()
    };
    let quantiles = ["0.5", "0.99", "0.999"]
        .map(|it| of("tse_engine_input_seconds", &format!("share=\"{it}\"")));
    assert!(quantiles[0] > 0.0 && quantiles.is_sorted(), "{quantiles:?}");
    for strategy in ["maker", "arbitrage"] {
        let thinks =
            of("trading_engine_strategy_execution_time", &format!("strategy=\"{strategy}\""));
        // It is part of what an input takes.
        assert!(thinks > 0.0 && thinks < 1.0, "{strategy}: {thinks}");
    }
}

#[test]
fn an_end_leaves_positions_alone_or_closes_them_as_it_was_told() {
    let is_held = |it: &Value| {
        let strategies = it["strategies"].as_array().expect("a list");
        let mut all = strategies.iter().flat_map(|it| it["positions"].as_array().expect("a list"));
        all.any(|it| it["size"].as_str().is_some_and(|size| size.parse() != Ok(0.0)))
    };
    // One that holds, whatever the market does, so that nothing depends on when it is told to end.
    let demo = std::fs::read_to_string(Desk::new().bench.path().join("demo.toml")).unwrap();
    let (head, rest) = demo.split_once("[[strategies]]").unwrap();
    let (_, limits) = rest.split_once("[limits]").unwrap();
    let holder = "[[strategies]]\nname = \"holder\"\ntype = \"buy_and_hold\"\n\
        instruments = [\"BTC-USD.NORTH\"]\n\n[strategies.params]\nsize = \"0.25\"\n\n";
    let config = format!("{head}{holder}[limits]{limits}");
    for (flag, stays) in [(&[][..], true), (&["--flatten-on-shutdown", "--by", "ann"], false)] {
        let desk = Desk::new();
        desk.bench.write("demo.toml", &config);
        let args = [&["--speed", "60", "--arm"], flag].concat();
        let running = desk.run(&args, &[]);
        running.until_status("it holds something", is_held);
        running.signal("-TERM");
        let (code, said) = running.end();
        assert_eq!(code, Some(0), "{said}");
        // Disarmed, it changes nothing by itself.
        let running = desk.run(&["--speed", "1"], &[]);
        let status = running.get("/api/v1/status").json();
        assert_eq!(is_held(&status), stays, "{flag:?}: {status}");
        assert_eq!(status["level"] == "flatten", !stays, "{flag:?}: {status}");
    }
}

#[test]
fn sigterm_under_load_drains_and_ends_well() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "60", "--arm"], &[]);
    running.until_status("it trades", |it| number(it, "fills") > 0);
    let (over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let port = running.port;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let request = b"GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
                    let reply = crate::http::ask(port, request);
                    // Answered whole, or not taken any more: nothing in between.
                    assert!(reply.status == 0 || !reply.body.is_empty(), "{reply:?}");
                    if reply.status == 200 {
                        reply.json();
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
        while answered.load(Ordering::Relaxed) < 50 {
            std::thread::sleep(Duration::from_millis(5));
        }
        running.signal("-TERM");
        let (code, said) = running.end();
        over.store(true, Ordering::Relaxed);
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("0 orders are open") && said.contains("ended in order"), "{said}");
    });
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let desk = Desk::new();
    let mut running = desk.run(&["--speed", "1"], &[]);
    // A request that is never finished: an end in order waits for it, and would for many seconds.
    let mut slow = TcpStream::connect(("127.0.0.1", running.port)).unwrap();
    let head =
        "POST /api/v1/kill HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    slow.write_all(format!("{head}Content-Length: 100\r\n\r\n{{").as_bytes()).unwrap();
    running.signal("-TERM");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(running.child.try_wait().unwrap(), None, "it waits for the request");
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(143));
}

#[test]
fn a_port_that_is_taken_is_named_and_nothing_has_begun() {
    let desk = Desk::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = desk.tse(&["run", "demo.toml", "--http-port", &port], &[]);
    assert_eq!(said.code, 6, "{}", said.err);
    assert!(said.err.contains("TSE-N007") && said.err.contains(&port), "{}", said.err);
    assert!(!desk.home("demo").join("journal").exists());
    let wrong = desk.tse(&["run", "demo.toml"], &[("HTTP_PORT", "x"), ("LOG_LEVEL", "loud")]);
    assert_eq!(wrong.code, 2, "{}", wrong.err);
    assert!(wrong.err.contains("HTTP_PORT") && wrong.err.contains("LOG_LEVEL"), "{}", wrong.err);
}

#[test]
fn what_is_wrong_with_a_command_is_said_before_anything_begins() {
    for (args, said_of) in [
        (&["--core", "4095"][..], "--core 4095"),
        (&["--http-port", "99999"], "--http-port 99999"),
        (&["--host", "nowhere"], "--host nowhere"),
    ] {
        let desk = Desk::new();
        let said = desk.tse(&[&["run", "demo.toml", "--seconds", "1"], args].concat(), &[]);
        assert_eq!(said.code, 2, "{args:?}: {}", said.err);
        assert!(said.err.contains(said_of), "{}", said.err);
        assert!(!said.err.contains("the environment"), "it was a flag: {}", said.err);
        assert!(!desk.home("demo").exists(), "{args:?} begins nothing");
    }
}

#[test]
fn whoever_is_slow_or_talks_nonsense_holds_up_nobody() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "20"], &[]);
    let connect = || TcpStream::connect(("127.0.0.1", running.port)).unwrap();
    let mut slow: Vec<_> = (0..50).map(|_| connect()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET /api/v1/status HTTP/1.1\r\nHost: local").unwrap();
    }
    for nonsense in [
        &b"\0\0\0\0\0\0\0\0"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/v1/kill HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST /api/v1/kill HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ] {
        let mut stream = connect();
        let _ = stream.write_all(nonsense);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let text = String::from_utf8_lossy(&answer);
        assert!(!text.contains(" 200 ") && !text.contains("panicked"), "{text}");
    }
    let headers = "X-Long: ".to_owned() + &"x".repeat(200 << 10) + "\r\n";
    let reply = running.ask(&format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"));
    assert!(reply.status == 431 || reply.status == 400 || reply.status == 0, "{reply:?}");
    // Meanwhile everybody else is answered.
    assert_eq!(running.get("/api/v1/status").status, 200);
    assert_eq!(running.get("/ready").status, 200);
    drop(slow);
}

#[test]
fn m3c_15_validate_says_a_line_of_each_part_and_fails_on_any_miss() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "20", "--arm"], &[]);
    running.until("rows are written", "/ready", |it| it.json()["checks"]["sqlite"] == "ok");
    running.until("figures are there", "/metrics", |it| it.body.contains("tse_armed"));
    let said = desk.tse(&["validate"], &[]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let parts = [
        "control socket",
        "engine",
        "logs",
        "health",
        "ready",
        "ready: exchange_api",
        "ready: market_data_api",
        "ready: sqlite",
        "metrics",
        "openapi",
        "docs",
        "problems",
        "tokens",
        "grpc health",
        "grpc strategies",
    ];
    for part in parts {
        assert!(
            said.out.lines().any(|line| line.starts_with(&format!("  ok {part} "))),
            "{part}: {}",
            said.out
        );
    }
    running.signal("-TERM");
    running.end();
    let away = [("POSTGRES_URL", "postgresql://nobody@127.0.0.1:1/nothing")];
    let running = desk.run(&["--speed", "20", "--arm"], &away);
    running.until("it says so", "/ready", |it| it.body.contains("\"postgres\":\"down\""));
    let said = desk.tse(&["validate", "--json"], &[]);
    assert_eq!(said.code, 1, "{}{}", said.out, said.err);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    let missed =
        told["data"]["components"].as_array().unwrap().iter().filter(|it| it["ok"] == false);
    let missed: Vec<_> = missed.map(|it| it["component"].as_str().unwrap().to_owned()).collect();
    assert_eq!(missed, ["ready: postgres"], "{told}");
    drop(running);
    assert_eq!(desk.tse(&["validate"], &[]).code, 1, "nobody answers any more");
}

#[test]
fn files_that_are_taken_away_or_broken_are_seen_in_readiness_and_nothing_is_lost() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "60", "--arm"], &[]);
    let well = |name: &'static str| move |it: &crate::Reply| it.json()["checks"][name] == "ok";
    running.until("rows are written", "/ready", well("sqlite"));
    running.until("tokens are read", "/ready", well("tokens"));
    let tokens = desk.home("demo").join("tokens.toml");
    let good = std::fs::read_to_string(&tokens).unwrap();
    std::fs::write(&tokens, "[[holder").unwrap();
    let said =
        running.until("the file is wrong", "/ready", |it| it.json()["checks"]["tokens"] == "down");
    assert_eq!(said.status, 200, "it trades without");
    let why = said.json()["reasons"]["tokens"].to_string();
    assert!(why.contains("tokens.toml"), "{why}");
    std::fs::write(&tokens, good).unwrap();
    running.until("the file is mended", "/ready", well("tokens"));
    std::fs::remove_file(desk.home("demo").join("store.sqlite")).unwrap();
    let said =
        running.until("the rows are gone", "/ready", |it| it.json()["checks"]["sqlite"] == "down");
    assert!(said.json()["reasons"]["sqlite"].to_string().contains("taken away"), "{}", said.json());
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(0));
    let running = desk.run(&["--speed", "60"], &[]);
    running.until("rows are written anew", "/ready", well("sqlite"));
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(0));
    let check = desk.tse(&["store", "check", "demo", "--json"], &[]);
    assert_eq!(check.code, 0, "{}{}", check.out, check.err);
}

#[test]
fn what_cannot_be_meant_of_stores_and_tokens_is_said_before_anything_begins() {
    let desk = Desk::new();
    for (name, value) in [
        ("REDIS_URL", "redis://user:secret@host:99999/0"),
        ("POSTGRES_URL", "mysql://user:secret@host/db"),
        ("TRADING_ADAPTER_POSTGRES_SCHEMA", "Trading; DROP"),
    ] {
        let said = desk.tse(&["run", "demo.toml"], &[(name, value)]);
        assert_eq!(said.code, 2, "{name}: {}{}", said.out, said.err);
        assert!(said.err.contains(name) && !said.err.contains("secret"), "{}", said.err);
    }
    assert!(!desk.bench.path().join("state").exists(), "nothing has begun");
    let running = desk.run(&["--speed", "20"], &[]);
    let owner = std::fs::read_to_string(desk.home("demo").join("token")).unwrap();
    std::fs::remove_file(desk.home("demo").join("tokens.toml")).unwrap();
    assert_eq!(desk.tse(&["token", "list"], &[]).code, 6, "a list makes nothing");
    assert!(!desk.home("demo").join("tokens.toml").exists());
    assert_eq!(std::fs::read_to_string(desk.home("demo").join("token")).unwrap(), owner);
    let check = desk.tse(&["store", "check"], &[]);
    assert_eq!(check.code, 6, "rows that are written are not compared: {}{}", check.out, check.err);
    running.signal("-TERM");
    running.end();
    for args in [
        &["token", "add", "ann", "--scope", "read", "--expires", "2020-01-01T00:00:00Z"][..],
        &["token", "add", " ", "--scope", "read"],
        &["token", "add", "ann", "--scope", "everything"],
    ] {
        assert_eq!(desk.tse(args, &[]).code, 2, "{args:?}");
    }
    let add = ["token", "add", "ann", "--scope", "read"];
    assert_eq!(desk.tse(&add, &[]).code, 0);
    let twice = desk.tse(&add, &[]);
    assert!(twice.code == 2 && !twice.err.contains("take it away"), "{}", twice.err);
}
