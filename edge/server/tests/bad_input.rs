//! What cannot be meant: every such request is answered with the right status and a problem with its code, nothing
//! reaches the engine, nothing panics, and the next request is answered as if nothing had been.

mod common;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use common::Bench;
use std::sync::mpsc::TryRecvError;

const JSON: (&str, &str) = ("content-type", "application/json");

/// A request, and how it is refused.
struct Case {
    what: &'static str,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, Vec<u8>)>,
    body: Vec<u8>,
    status: u16,
    code: &'static str,
}

fn case(
    what: &'static str,
    (method, path): (&'static str, &str),
    headers: &[(&'static str, &str)],
    body: impl Into<Vec<u8>>,
    (status, code): (u16, &'static str),
) -> Case {
    let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes().to_vec())).collect();
    Case { what, method, path: path.to_owned(), headers, body: body.into(), status, code }
}

const KILL: (&str, &str) = ("POST", "/api/v1/kill");
const LIMITS: (&str, &str) = ("PUT", "/api/v1/risk/limits");
const BREAKER: (&str, &str) = ("POST", "/api/v1/risk/circuit-breaker");
const STOP: (&str, &str) = ("POST", "/api/v1/strategies/stop");
const BAD: (u16, &str) = (400, "TSE-N101");

fn bodies() -> Vec<Case> {
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    let long = "x".repeat(70 << 10);
    let json = &[JSON];
    vec![
        case("nothing", KILL, json, "", BAD),
        case("half an object", KILL, json, "{", BAD),
        case("no JSON", KILL, json, "reason=a", BAD),
        case("a number", KILL, json, "1", BAD),
        case("a text", KILL, json, "\"halt\"", BAD),
        case("null", KILL, json, "null", BAD),
        case("a list", KILL, json, "[]", BAD),
        case("an empty object", KILL, json, "{}", BAD),
        case("two objects", KILL, json, r#"{"reason":"a"}{"reason":"b"}"#, BAD),
        case("something behind it", KILL, json, r#"{"reason":"a"} x"#, BAD),
        case("a comma too many", KILL, json, r#"{"reason":"a",}"#, BAD),
        case("a key twice", KILL, json, r#"{"reason":"a","reason":"b"}"#, BAD),
        case("a key that is not known", KILL, json, r#"{"reason":"a","levle":"halt"}"#, BAD),
        case("a number for a text", KILL, json, r#"{"reason":7}"#, BAD),
        case("null for a text", KILL, json, r#"{"reason":null}"#, BAD),
        case("a list for a text", KILL, json, r#"{"reason":["a"]}"#, BAD),
        case("single quotes", KILL, json, "{'reason':'a'}", BAD),
        case("a text without an end", KILL, json, r#"{"reason":"a"#, BAD),
        case("a wrong escape", KILL, json, r#"{"reason":"\x"}"#, BAD),
        case("half a surrogate", KILL, json, r#"{"reason":"\ud800"}"#, BAD),
        case("a control character", KILL, json, "{\"reason\":\"a\nb\"}", BAD),
        case("no UTF-8", KILL, json, b"{\"reason\":\"\xff\xfe\"}".to_vec(), BAD),
        case("a zero byte", KILL, json, b"\0".to_vec(), BAD),
        case("UTF-16", KILL, json, b"\xff\xfe{\0}\0".to_vec(), BAD),
        case("not a number", KILL, json, r#"{"reason":NaN}"#, BAD),
        case("33 levels", KILL, json, deep(33), (413, "TSE-N111")),
        case("10,000 levels", KILL, json, deep(10_000), (413, "TSE-N111")),
        case("70 KiB", KILL, json, format!("{{\"reason\":\"{long}\"}}"), (413, "TSE-N111")),
        case("70 KiB of nothing", KILL, json, " ".repeat(70 << 10), (413, "TSE-N111")),
        case("no kind", KILL, &[], r#"{"reason":"a"}"#, (415, "TSE-N112")),
        case(
            "a form",
            KILL,
            &[("content-type", "application/x-www-form-urlencoded")],
            "reason=a",
            (415, "TSE-N112"),
        ),
        case("XML", KILL, &[("content-type", "text/xml")], "<a/>", (415, "TSE-N112")),
        case(
            "a text for a group",
            LIMITS,
            json,
            r#"{"limit":"a","value":"1","group":"0","reason":"a"}"#,
            BAD,
        ),
        case(
            "a group below zero",
            LIMITS,
            json,
            r#"{"limit":"a","value":"1","group":-1,"reason":"a"}"#,
            BAD,
        ),
        case(
            "a group too large",
            LIMITS,
            json,
            r#"{"limit":"a","value":"1","group":65536,"reason":"a"}"#,
            BAD,
        ),
        case(
            "half a group",
            LIMITS,
            json,
            r#"{"limit":"a","value":"1","group":0.5,"reason":"a"}"#,
            BAD,
        ),
        case(
            "a float for a decimal",
            LIMITS,
            json,
            r#"{"limit":"long_max","value":1.5,"reason":"a"}"#,
            BAD,
        ),
        case("no value", LIMITS, json, r#"{"limit":"long_max","reason":"a"}"#, BAD),
        case("no reason", LIMITS, json, r#"{"limit":"long_max","value":"1"}"#, BAD),
        case(
            "no such action",
            BREAKER,
            json,
            r#"{"scope":"portfolio","action":"melt","reason":"a"}"#,
            BAD,
        ),
        case(
            "an action in capitals",
            BREAKER,
            json,
            r#"{"scope":"portfolio","action":"TRIP","reason":"a"}"#,
            BAD,
        ),
        case("no action", BREAKER, json, r#"{"scope":"portfolio","reason":"a"}"#, BAD),
        case("no such mode", STOP, json, r#"{"id":"a","mode":"softly","reason":"a"}"#, BAD),
        case("no id", STOP, json, r#"{"mode":"kill","reason":"a"}"#, BAD),
        case(
            "no reason to look at it",
            ("POST", "/api/v1/venues/A/acknowledge"),
            json,
            r#"{"reason":" "}"#,
            BAD,
        ),
        case("an empty key", KILL, &[JSON, ("idempotency-key", "")], r#"{"reason":"a"}"#, BAD),
        case(
            "a long key",
            KILL,
            &[JSON, ("idempotency-key", &"k".repeat(129))],
            r#"{"reason":"a"}"#,
            BAD,
        ),
    ]
}

fn paths() -> Vec<Case> {
    let none = (404, "TSE-N103");
    let wrong = (405, "TSE-N104");
    let long = format!("/{}", "x".repeat(8 << 10));
    let query = format!("/api/v1/orders?strategy_id={}&x=1", "y".repeat(8 << 10));
    vec![
        case("no route", ("GET", "/api/v1/nothing"), &[], "", none),
        case("no version", ("GET", "/api/v2/orders"), &[], "", none),
        case("another case", ("GET", "/API/V1/ORDERS"), &[], "", none),
        case("a slash too many", ("GET", "/api/v1/orders/"), &[], "", none),
        case("two slashes", ("GET", "//api/v1/orders"), &[], "", none),
        case("up and away", ("GET", "/docs/../../etc/passwd"), &[], "", none),
        case("up and away, hidden", ("GET", "/api/v1/%2e%2e/%2e%2e/etc/passwd"), &[], "", none),
        case("8 KiB of path", ("GET", &long), &[], "", none),
        case(
            "strategies cannot be brought",
            ("POST", "/api/v1/strategies/upload"),
            &[JSON],
            "{}",
            none,
        ),
        case("a route of chaos", ("POST", "/chaos/events"), &[JSON], "{}", none),
        case("POST to what is read", ("POST", "/api/v1/orders"), &[JSON], "{}", wrong),
        case("GET of what is done", ("GET", "/api/v1/kill"), &[], "", wrong),
        case("DELETE", ("DELETE", "/api/v1/orders"), &[], "", wrong),
        case("PATCH", ("PATCH", "/api/v1/risk/limits"), &[JSON], "{}", wrong),
        case("TRACE", ("TRACE", "/api/v1/orders"), &[], "", wrong),
        case("a method of nobody", ("BREW", "/api/v1/orders"), &[], "", wrong),
        case("POST to health", ("POST", "/health"), &[], "", wrong),
        case("a query that is not known", ("GET", "/api/v1/orders?strategy=a"), &[], "", BAD),
        case("a query twice", ("GET", "/api/v1/orders?strategy_id=a&strategy_id=b"), &[], "", BAD),
        case("a long query", ("GET", &query), &[], "", BAD),
        case("no UTF-8 in a name", ("GET", "/api/v1/books/%ff%fe"), &[], "", BAD),
        case("no such topic", ("GET", "/api/v1/stream?topics=gossip"), &[], "", BAD),
        case("no topic", ("GET", "/api/v1/stream?topics="), &[], "", BAD),
        case("a stream without an upgrade", ("GET", "/api/v1/stream"), &[], "", BAD),
    ]
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_its_code_and_reaches_nobody() {
    let (bench, demands) = Bench::idle(&[]);
    let mut cases = bodies();
    cases.extend(paths());
    assert!(cases.len() >= 60, "{}", cases.len());
    for Case { what, method, path, headers, body, status, code } in cases {
        let mut request = Request::builder().method(method).uri(&path);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        println!("{what}");
        let said = bench.ask(request.body(Body::from(body)).unwrap()).await;
        assert_eq!(said.status.as_u16(), status, "{what}: {}", said.text);
        assert_eq!(said.code(), code, "{what}: {}", said.text);
        assert!(said.text.len() < 2_000, "{what}: what was sent is not sent back");
        assert!(
            matches!(demands.try_recv(), Err(TryRecvError::Empty)),
            "{what} reached the engine"
        );
    }
    assert_eq!(bench.get("/health").await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_is_at_the_edge_is_taken() {
    let bench = Bench::new(&[]);
    let reason = "x".repeat(60 << 10);
    let large = format!("{{\"reason\":\"{reason}\"}}");
    assert_eq!(bench.post("/api/v1/kill", &[], &large).await.status, StatusCode::OK);
    let brackets = r#"{"reason":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}"#;
    assert_eq!(bench.post("/api/v1/kill", &[], brackets).await.status, StatusCode::OK);
    let key = "k".repeat(128);
    let said = bench.post("/api/v1/kill", &[("idempotency-key", &key)], r#"{"reason":"a"}"#).await;
    assert_eq!(said.status, StatusCode::OK);
}
