//! F29 and F39: a config that is broken, half there or looser than before, and paper taken for live.

use crate::{Desk, number};
use serde_json::json;

#[test]
fn f29_a_bad_config_changes_nothing_and_the_last_good_one_is_what_goes_on() {
    let desk = Desk::new();
    let config = desk.bench.path().join("demo.toml");
    let good = std::fs::read_to_string(&config).unwrap();
    let running = desk.run(&["--speed", "60", "--arm"], &[]);
    running.until_status("it trades", |it| number(it, "fills") > 0);
    // What is written under an engine that runs is not what it runs with.
    std::fs::write(&config, "[run]\nname = \"demo\"\n").unwrap();
    let before = number(&running.get("/api/v1/status").json(), "fills");
    running.until_status("it trades on", |it| number(it, "fills") > before);
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(0));

    let half = &good[..good.find("[limits]").unwrap()];
    let torn = &good[..good.len() / 2];
    let loose = good.replace("long_max = \"2\"", "long_max = \"20\"");
    let unknown = good.replace("long_max", "longest");
    assert!(loose != good && unknown != good);
    let empty = String::new();
    for (what, text) in [
        ("without its limits", half),
        ("torn", torn),
        ("empty", &empty),
        ("with a key that nobody knows", &unknown),
        // Looser limits are for people to decide, with their names, while it runs (C25).
        ("loosened", &loose),
    ] {
        std::fs::write(&config, text).unwrap();
        let (code, said) = desk.begin(&["--arm"], &[]).end();
        assert!(code.is_some_and(|code| code != 0), "{what} is taken: {said}");
        assert!(said.contains("TSE-"), "{what}: {said}");
    }
    std::fs::write(&config, &good).unwrap();
    let check = desk.tse(&["store", "check"], &[]);
    assert_eq!(check.code, 0, "nothing was done to the journal: {}{}", check.out, check.err);
    let running = desk.run(&["--speed", "60"], &[]);
    let status = running.get("/api/v1/status").json();
    assert_eq!(number(&status, "epoch"), 2, "those that were refused never began: {status}");
}

#[test]
fn f39_paper_is_never_taken_for_live() {
    let desk = Desk::new();
    let config = desk.bench.path().join("demo.toml");
    let good = std::fs::read_to_string(&config).unwrap();
    // Nothing here trades with money: who asks for it is refused, and does not get paper instead.
    let live = good.replace("[run]\n", "[run]\nmode = \"live\"\n");
    std::fs::write(&config, live).unwrap();
    let (code, said) = desk.begin(&[], &[]).end();
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("live"), "{said}");
    std::fs::write(&config, &good).unwrap();

    // Without being armed nothing leaves, however long it runs.
    let production = [("ENVIRONMENT", "production")];
    let running = desk.run(&["--speed", "60"], &production);
    let wants = running.until("it wants to trade", "/metrics", |it| {
        let denied = it.body.lines().find(|line| line.starts_with("tse_orders_denied_total{"));
        denied.is_some_and(|line| !line.ends_with(" 0"))
    });
    assert!(wants.body.contains("\ntse_armed{") && !wants.body.contains("tse_orders_sent_total{"));

    // A token for money moves no paper, and one for paper does.
    let token = |name: &str, scopes: &str| {
        let said = desk.tse(&["token", "add", name, "--scope", scopes, "--role", "owner"], &[]);
        assert_eq!(said.code, 0, "{}", said.err);
        format!("Authorization: Bearer {}\r\n", said.out.trim())
    };
    let (money, paper) = (token("money", "trade:live,read"), token("paper", "trade:paper,read"));
    let stop = json!({ "id": "maker", "mode": "graceful", "reason": "a drill" }).to_string();
    let refused = running.post("/api/v1/strategies/stop", &money, &stop);
    assert_eq!(
        (refused.status, &refused.json()["code"]),
        (403, &"TSE-N107".into()),
        "{}",
        refused.body
    );
    let done = running.post("/api/v1/strategies/stop", &paper, &stop);
    assert_eq!(done.status, 200, "{}", done.body);
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(0));

    // Every order says for whom it was.
    let desk = Desk::new();
    let running = desk.run(&["--speed", "60", "--arm"], &[]);
    let status = running.until_status("it trades", |it| number(it, "fills") > 0);
    assert_eq!(status["mode"], "paper");
    let orders = running.until("they are rows", "/api/v1/orders/history", |it| {
        it.status == 200 && it.json()["orders"].as_array().is_some_and(|all| !all.is_empty())
    });
    for order in orders.json()["orders"].as_array().unwrap() {
        assert!(order["order_id"].as_str().is_some_and(|id| id.starts_with('P')), "{order}");
    }
}
