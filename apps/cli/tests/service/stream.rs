//! The WebSocket: a snapshot, then changes without a hole, that lead to what a new snapshot says.

use crate::{Desk, PATIENCE, Running, number};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket, connect};

type Socket = WebSocket<MaybeTlsStream<TcpStream>>;

fn follow(running: &Running, topics: &str) -> Socket {
    let url = format!("ws://localhost:{}/api/v1/stream{topics}", running.port);
    let (socket, _) = connect(url).unwrap();
    if let MaybeTlsStream::Plain(stream) = socket.get_ref() {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    }
    socket
}

fn next(socket: &mut Socket) -> Option<Value> {
    loop {
        match socket.read().ok()? {
            Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

#[test]
fn a_snapshot_and_the_changes_after_it_lead_to_what_stands_in_the_end() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "30", "--arm"], &[]);
    running.until_status("it trades", |it| number(it, "fills") > 0);
    let mut socket = follow(&running, "");
    let snapshot = next(&mut socket).unwrap();
    assert_eq!((&snapshot["type"], &snapshot["seq"]), (&"snapshot".into(), &1.into()));
    let topics: Vec<_> = snapshot["data"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(topics, ["alerts", "books", "fills", "orders", "positions"]);
    let orders = snapshot["data"]["orders"].as_array().unwrap().iter();
    let mut open: BTreeMap<String, Value> =
        orders.map(|it| (it["id"].as_str().unwrap().to_owned(), it.clone())).collect();
    let (mut seq, mut number_of, mut fills) = (1, number(&snapshot, "number"), 0);
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let begun = Instant::now();
    let mut halted = false;
    while begun.elapsed() < PATIENCE {
        let message = next(&mut socket).unwrap();
        seq += 1;
        assert_eq!(message["seq"], seq, "no hole: {message}");
        assert_eq!(message["type"], "change", "nobody was too slow: {message}");
        let topic = message["topic"].as_str().unwrap().to_owned();
        *seen.entry(topic.clone()).or_default() += 1;
        if topic != "books" {
            number_of += 1;
            assert_eq!(message["number"], number_of, "{message}");
        }
        match topic.as_str() {
            "orders" => {
                let order = &message["data"];
                let id = order["id"].as_str().unwrap().to_owned();
                match order["life"].as_str().unwrap() {
                    "sent" | "working" | "unknown" | "disputed" | "approved" => {
                        open.insert(id, order.clone());
                    }
                    _ => drop(open.remove(&id)),
                }
            }
            "fills" => fills += 1,
            _ => {}
        }
        let all = ["orders", "fills", "positions", "books"].iter().all(|it| seen.contains_key(*it));
        if !halted && all && fills > 3 {
            halted = true;
            assert_eq!(running.post("/api/v1/kill", "", r#"{"reason":"a drill"}"#).status, 200);
        }
        if halted && seen.contains_key("alerts") && open.is_empty() {
            break;
        }
    }
    assert!(halted && open.is_empty(), "{seen:?} {open:?}");
    running.until_status("nothing is open there either", |it| number(it, "orders_open") == 0);
}

#[test]
fn who_follows_some_topics_hears_of_those_alone_and_is_told_of_the_end() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "30", "--arm"], &[]);
    let mut socket = follow(&running, "?topics=fills");
    let snapshot = next(&mut socket).unwrap();
    assert_eq!(snapshot["data"], serde_json::json!({ "fills": [] }));
    for _ in 0..3 {
        let message = next(&mut socket).unwrap();
        assert_eq!((&message["topic"], &message["type"]), (&"fills".into(), &"change".into()));
    }
    running.signal("-TERM");
    let begun = Instant::now();
    while next(&mut socket).is_some() {
        assert!(begun.elapsed() < PATIENCE, "it is not told of the end");
    }
    assert_eq!(running.end().0, Some(0));
}

#[test]
fn f31_a_follower_that_does_not_read_is_given_up_and_nobody_else_notices() {
    let desk = Desk::new();
    let running = desk.run(&["--speed", "2000", "--arm"], &[]);
    let stalled: Vec<_> = (0..8).map(|_| follow(&running, "")).collect();
    let mut reads = follow(&running, "?topics=fills");
    let before = running.until_status("it trades", |it| number(it, "fills") > 20);
    let begun = Instant::now();
    let mut heard = 0;
    while heard < 50 && begun.elapsed() < PATIENCE {
        if next(&mut reads).is_some() {
            heard += 1;
        }
    }
    assert_eq!(heard, 50);
    let after =
        running.until_status("it goes on", |it| number(it, "sent") > number(&before, "sent"));
    assert_eq!(after["armed"], true);
    assert_eq!(running.get("/health").status, 200);
    drop(stalled);
}
