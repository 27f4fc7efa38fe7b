//! Databases that are away, killed, slow or wrong: the engine trades on, and rows catch up to what the journal says.

use crate::{Desk, Running, number};
use tse_storage::testing::PostgresServer;

fn check(desk: &Desk, url: &str) {
    let check = desk.tse(&["store", "check"], &[("POSTGRES_URL", url)]);
    assert_eq!(check.code, 0, "{}{}", check.out, check.err);
}

fn is(running: &Running, store: &str, state: &str) {
    running.until(&format!("{store} is {state}"), "/ready", |it| {
        it.status == 200 && it.json()["checks"][store] == state
    });
}

/// That it goes on trading.
fn trades_on(running: &Running) {
    let before = running.until_status("it answers", |_| true);
    let fills = number(&before, "fills");
    running.until_status("it trades on", |it| number(it, "fills") > fills + 3);
}

#[test]
fn f26_a_database_that_is_away_at_boot_is_caught_up_with_later() {
    let Some(mut postgres) = PostgresServer::start(&[]) else { return };
    let url = postgres.url("postgres");
    let desk = Desk::new();
    assert_eq!(desk.tse(&["migrate"], &[("POSTGRES_URL", &url)]).code, 0);
    postgres.kill();
    let running = desk.run(&["--speed", "30", "--arm"], &[("POSTGRES_URL", &url)]);
    trades_on(&running);
    // Until that is found out, it says that it is being connected to: nothing is left out.
    let ready =
        running.until("it says so", "/ready", |it| it.json()["checks"]["postgres"] == "down");
    assert_eq!((ready.status, &ready.json()["status"]), (200, &"degraded".into()));
    postgres.run();
    is(&running, "postgres", "ok");
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(0));
    check(&desk, &url);
}

#[test]
fn f27_a_database_that_is_killed_read_only_or_stands_still_loses_and_blocks_nothing() {
    let Some(mut postgres) = PostgresServer::start_careful(&[]) else { return };
    let url = postgres.url("postgres");
    let desk = Desk::new();
    assert_eq!(desk.tse(&["migrate"], &[("POSTGRES_URL", &url)]).code, 0);
    let running = desk.run(&["--speed", "60", "--arm"], &[("POSTGRES_URL", &url)]);
    is(&running, "postgres", "ok");
    for _ in 0..5 {
        trades_on(&running);
        postgres.kill();
        trades_on(&running);
        postgres.run();
        is(&running, "postgres", "ok");
    }
    let set = |sql: &str| {
        postgres.sql("postgres", sql);
        postgres.sql("postgres", "SELECT pg_reload_conf()");
    };
    set("ALTER SYSTEM SET default_transaction_read_only = on");
    is(&running, "postgres", "down");
    trades_on(&running);
    set("ALTER SYSTEM RESET default_transaction_read_only");
    is(&running, "postgres", "ok");
    postgres.pause();
    trades_on(&running);
    postgres.resume();
    is(&running, "postgres", "ok");
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(0));
    check(&desk, &url);
}

#[test]
fn a_schema_that_is_missing_is_said_and_nothing_waits_for_it() {
    let Some(postgres) = PostgresServer::start(&[]) else { return };
    let url = postgres.url("postgres");
    let desk = Desk::new();
    let running = desk.run(&["--speed", "30", "--arm"], &[("POSTGRES_URL", &url)]);
    trades_on(&running);
    let ready = running.until("it says so", "/ready", |it| it.body.contains("schema"));
    assert!(ready.body.contains("tse migrate --schema trading"), "{ready:?}");
    assert_eq!(desk.tse(&["migrate"], &[("POSTGRES_URL", &url)]).code, 0);
    is(&running, "postgres", "ok");
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(0));
    check(&desk, &url);
}

#[test]
fn f35_secrets_are_in_no_log_metric_answer_or_record() {
    const CANARY: &str = "canary-7f3a9";
    let desk = Desk::new();
    let url = format!("postgresql://bob:{CANARY}@127.0.0.1:1/nowhere");
    let redis = format!("redis://bob:{CANARY}@127.0.0.1:1");
    let variables = [
        ("POSTGRES_URL", &*url),
        ("REDIS_URL", &*redis),
        ("LOG_LEVEL", "debug"),
        ("ENVIRONMENT", "testing"),
    ];
    let running = desk.run(&["--speed", "30", "--arm"], &variables);
    trades_on(&running);
    let token = std::fs::read_to_string(desk.home("demo").join("token")).unwrap();
    let token = token.trim().to_owned();
    let headers = format!("Authorization: Bearer {token}\r\nX-Second-Token: {CANARY}\r\n");
    let refused = running.post("/api/v1/kill", &headers, r#"{"reason":"a"}"#);
    assert_eq!(refused.status, 401, "{refused:?}");
    let headers = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(running.post("/api/v1/kill", &headers, r#"{"reason":"a"}"#).status, 200);
    let mut said = refused.body;
    for path in ["/ready", "/metrics", "/api/v1/status", "/api/v1/openapi.json"] {
        said.push_str(&running.get(path).body);
    }
    running.signal("-TERM");
    let (code, words) = running.end();
    assert_eq!(code, Some(0), "{words}");
    said.push_str(&words);
    let mut looked = 0;
    let mut folders = vec![desk.home("demo")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != "token") {
                let bytes = std::fs::read(&path).unwrap();
                for secret in [CANARY, &token] {
                    let found = bytes.windows(secret.len()).any(|it| it == secret.as_bytes());
                    assert!(!found, "a secret is in {}", path.display());
                }
                looked += 1;
            }
        }
    }
    assert!(looked > 5);
    assert!(!said.contains(CANARY) && !said.contains(&token), "{said}");
}
