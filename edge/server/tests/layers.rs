//! What every request passes: names, figures, limits, panics, and keys that make it happen once.

mod common;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use common::{Bench, settings};
use std::collections::BTreeMap;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt;
use tse_node::{Answer, Demand, Misunderstood, Said};
use tse_server::{Constant, Label, Metrics, Prometheus, names};

/// Figures in a list: what a test gives in place of an adapter (M120b-6).
#[derive(Default)]
struct Fake(Mutex<BTreeMap<String, f64>>);

impl Fake {
    fn add(&self, name: &str, labels: &[Label<'_>], value: f64) {
        let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        *self.0.lock().unwrap().entry(format!("{name} {}", labels.join(","))).or_default() += value;
    }
}

impl Metrics for Fake {
    fn inc_counter(&self, name: &'static str, labels: &[Label<'_>]) {
        self.add(name, labels, 1.0);
    }

    fn observe_histogram(&self, name: &'static str, value: f64, labels: &[Label<'_>]) {
        assert!(value >= 0.0);
        self.add(name, labels, 1.0);
    }

    fn set_gauge(&self, name: &'static str, value: f64, labels: &[Label<'_>]) {
        self.add(name, labels, value);
    }

    fn http_handler(&self) -> (&'static str, String) {
        ("text/plain", "figures".to_owned())
    }
}

#[tokio::test]
async fn m120b_6_the_port_is_given_to_the_application_and_another_adapter_changes_nothing_else() {
    let fake = Arc::new(Fake::default());
    let (bench, _demands) = Bench::with(settings(&[]), fake.clone());
    assert_eq!(bench.get("/api/v1/metrics").await.text, "figures");
    assert_eq!(bench.get("/health").await.status, StatusCode::OK);
    let seen = fake.0.lock().unwrap();
    let key = format!("{} method=GET,route=/health,code=200", names::HTTP_REQUESTS);
    assert_eq!(seen.get(&key), Some(&1.0), "{seen:?}");
}

#[tokio::test]
async fn m120b_3_rate_errors_and_duration_of_every_request_are_counted_by_its_pattern() {
    let fake = Arc::new(Fake::default());
    let (bench, _demands) = Bench::with(settings(&[]), fake.clone());
    for symbol in ["A", "B", "C"] {
        bench.get(&format!("/api/v1/books/{symbol}")).await;
    }
    bench.get("/no/such/route/7").await;
    bench.get("/no/such/route/8").await;
    let odd = Request::builder().method("BREW").uri("/health").body(Body::empty()).unwrap();
    bench.ask(odd).await;
    let seen = fake.0.lock().unwrap();
    let count = |name: &str, labels: &str| seen.get(&format!("{name} {labels}")).copied();
    let books = "method=GET,route=/api/v1/books/{symbol},code=503";
    for name in [names::HTTP_REQUESTS, names::HTTP_ERRORS, names::HTTP_SECONDS] {
        assert_eq!(count(name, books), Some(3.0), "{name} {seen:?}");
        assert_eq!(count(name, "method=GET,route=unmatched,code=404"), Some(2.0), "{name}");
        assert_eq!(count(name, "method=other,route=/health,code=405"), Some(1.0), "{name}");
    }
    assert!(seen.keys().all(|key| !key.contains("/7") && !key.contains("BREW")));
}

#[tokio::test]
async fn m120b_10_every_series_carries_service_instance_and_version() {
    let bench = Bench::new(&[
        ("SERVICE_NAME", "trading-system-engine"),
        ("SERVICE_INSTANCE_NAME", "trading-system-engine-LH"),
        ("SERVICE_VERSION", "9.8.7"),
    ]);
    bench.get("/api/v1/ready").await;
    bench.get("/nothing").await;
    let said = bench.get("/api/v1/metrics").await;
    assert_eq!(said.headers["content-type"], "text/plain; version=0.0.4");
    let series: Vec<_> = said.text.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(series.len() > 20, "{}", said.text);
    for line in series {
        for label in [
            r#"service="trading-system-engine""#,
            r#"instance="trading-system-engine-LH""#,
            r#"version="9.8.7""#,
        ] {
            assert!(line.contains(label), "{line}");
        }
    }
    for name in ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"] {
        assert!(said.text.contains(name), "{name}");
    }
    assert_eq!(bench.get("/metrics").await.status, StatusCode::OK);
}

#[test]
fn m120b_2_constant_labels_may_be_passed_again_and_other_labels_are_a_mistake() {
    let constant = Constant::from(&settings(&[]));
    let metrics = Prometheus::new(&constant, names::HELP.iter().copied()).unwrap();
    metrics.inc_counter("a_total", &[("x", "1"), ("service", "mine")]);
    metrics.inc_counter("a_total", &[("x", "1")]);
    metrics.set_gauge("b", 2.5, &[]);
    metrics.observe_histogram("c_seconds", 0.3, &[("x", "1")]);
    let (_, text) = metrics.http_handler();
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap().to_owned();
    assert!(line("a_total{").ends_with(" 2") && !text.contains("mine"), "{text}");
    assert!(line("b{").ends_with(" 2.5"));
    assert!(
        text.lines().any(|it| it.starts_with("c_seconds_bucket{") && it.contains(r#"le="0.5""#))
    );
    let other = panics(|| metrics.inc_counter("a_total", &[("y", "1")]));
    assert!(other, "a name has one set of labels");
    let kind = panics(|| metrics.set_gauge("a_total", 1.0, &[("x", "1")]));
    assert!(kind, "and is one kind of thing");
}

fn panics(act: impl FnOnce()) -> bool {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(act)).is_err()
}

#[tokio::test]
async fn m120b_4_threads_may_make_the_same_series_at_once() {
    let constant = Constant::from(&settings(&[]));
    let metrics = Arc::new(Prometheus::new(&constant, []).unwrap());
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let metrics = Arc::clone(&metrics);
            std::thread::spawn(move || {
                (0..1_000).for_each(|_| metrics.inc_counter("races_total", &[("x", "1")]));
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let (_, text) = metrics.http_handler();
    assert!(text.lines().any(|line| line.starts_with("races_total{") && line.ends_with(" 8000")));
}

#[tokio::test]
async fn names_of_requests_are_echoed_and_made_up() {
    let bench = Bench::new(&[]);
    let request = Request::get("/health").header("x-correlation-id", "case-9").body(Body::empty());
    let said = bench.ask(request.unwrap()).await;
    assert_eq!(said.headers["x-correlation-id"], "case-9");
    assert_eq!(said.headers["x-request-id"].len(), 32);
}

#[tokio::test]
async fn one_request_too_many_is_refused_and_probes_are_answered_all_the_same() {
    let (bench, demands) = Bench::idle(&[("MAX_CONCURRENT_REQUESTS", "2")]);
    let kill = || {
        Request::post("/api/v1/kill")
            .header("content-type", "application/json")
            .body(Body::from(r#"{"reason":"a"}"#))
            .unwrap()
    };
    let waiting: Vec<_> = [kill(), kill()].into_iter().map(|it| begin(&bench, it)).collect();
    let (first, second) = (next(&demands).await, next(&demands).await);
    let said = bench.ask(kill()).await;
    assert_eq!((said.status, &*said.code()), (StatusCode::SERVICE_UNAVAILABLE, "TSE-N114"));
    for probe in ["/health", "/ready", "/metrics"] {
        assert_ne!(bench.get(probe).await.headers["content-type"], "application/problem+json");
    }
    (first.answer)(Answer::default());
    (second.answer)(Answer::default());
    for task in waiting {
        assert_eq!(task.await.unwrap(), StatusCode::OK);
    }
    assert_eq!(bench.get("/api/v1/strategies/available").await.status, StatusCode::OK);
}

/// Begins a request, and does not wait.
fn begin(bench: &Bench, request: Request<Body>) -> tokio::task::JoinHandle<StatusCode> {
    let router = bench.router.clone();
    tokio::spawn(async move { router.oneshot(request).await.unwrap().status() })
}

/// What the engine is asked next.
async fn next(demands: &Receiver<Said>) -> Said {
    loop {
        if let Ok(said) = demands.try_recv() {
            return said;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn an_engine_that_does_not_answer_in_time_and_one_that_ends_are_told_apart() {
    let (bench, demands) = Bench::idle(&[("REQUEST_TIMEOUT", "0.05")]);
    let said = bench.post("/api/v1/kill", &[], r#"{"reason":"a"}"#).await;
    assert_eq!((said.status, &*said.code()), (StatusCode::GATEWAY_TIMEOUT, "TSE-N116"));
    drop(demands);
    let said = bench.post("/api/v1/kill", &[], r#"{"reason":"a"}"#).await;
    assert_eq!((said.status, &*said.code()), (StatusCode::SERVICE_UNAVAILABLE, "TSE-N117"));
}

#[tokio::test]
async fn a_queue_that_is_full_refuses_at_once_and_loses_nothing() {
    const ASKED: usize = 100;
    const PLACES: usize = 64;
    let (bench, demands) = Bench::idle(&[("MAX_CONCURRENT_REQUESTS", "1000")]);
    let kill = |_| {
        let request = Request::post("/api/v1/kill").header("content-type", "application/json");
        begin(&bench, request.body(Body::from(r#"{"reason":"a"}"#)).unwrap())
    };
    let mut asked: Vec<_> = (0..ASKED).map(kill).collect();
    // Whoever is not refused waits in the queue, which nobody empties.
    while asked.len() > PLACES {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let done = asked.iter().position(|it| it.is_finished());
        if let Some(at) = done {
            assert_eq!(asked.remove(at).await.unwrap(), StatusCode::TOO_MANY_REQUESTS);
        }
    }
    let taken: Vec<_> = demands.try_iter().collect();
    assert_eq!(taken.len(), PLACES, "nothing was lost, and nothing added");
    for said in taken {
        (said.answer)(Answer::default());
    }
    for waiting in asked {
        assert_eq!(waiting.await.unwrap(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_request_with_a_key_is_done_once() {
    let (bench, demands) = Bench::idle(&[]);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    std::thread::spawn(move || {
        for said in demands {
            seen.lock().unwrap().push(said.demand);
            (said.answer)(Answer::default());
        }
    });
    let key = [("idempotency-key", "k-1")];
    let first = bench.post("/api/v1/kill", &key, r#"{"reason":"a"}"#).await;
    let again = bench.post("/api/v1/kill", &key, r#"{"reason":"a"}"#).await;
    assert_eq!((first.status, &first.text), (StatusCode::OK, &again.text));
    assert!(!first.headers.contains_key("idempotent-replayed"));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = bench.post("/api/v1/kill", &key, r#"{"reason":"b"}"#).await;
    assert_eq!((other.status, &*other.code()), (StatusCode::CONFLICT, "TSE-N119"));
    let asked = asked.lock().unwrap();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(matches!(&asked[0], Demand::Kill { scope, level, by, .. }
        if scope == "firm" && level == "halt" && by == "local"));
}

#[tokio::test]
async fn what_was_refused_is_told_with_the_engines_words() {
    let (bench, demands) = Bench::idle(&[]);
    std::thread::spawn(move || {
        for (at, said) in demands.into_iter().enumerate() {
            let refused = Answer::refused("after a loss it stays so");
            (said.answer)(Answer {
                misunderstood: [Some(Misunderstood::Name), Some(Misunderstood::Value), None][at],
                ..refused
            });
        }
    });
    for (status, code) in [
        (StatusCode::NOT_FOUND, "TSE-N102"),
        (StatusCode::BAD_REQUEST, "TSE-N101"),
        (StatusCode::UNPROCESSABLE_ENTITY, "TSE-N113"),
    ] {
        let body = r#"{"limit":"day_max","value":"1","reason":"a"}"#;
        let request = Request::put("/api/v1/risk/limits")
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap();
        let said = bench.ask(request).await;
        assert_eq!((said.status, &*said.code()), (status, code));
        assert_eq!(said.json()["detail"], "after a loss it stays so");
    }
}

#[tokio::test]
async fn m1b_4_errors_have_stable_codes_that_tell_nothing_of_the_inside() {
    let bench = Bench::new(&[]);
    for path in ["/nothing", "/api/v1/orders?x", "/api/v1/status"] {
        let said = bench.get(path).await;
        assert!(said.code().starts_with("TSE-N1"), "{}", said.text);
        for inside in ["panicked", ".rs", "src/", "thread", "RUST_BACKTRACE"] {
            assert!(!said.text.contains(inside), "{}", said.text);
        }
    }
}
