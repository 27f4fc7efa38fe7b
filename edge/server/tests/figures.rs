//! M120b-5: figures from end to end: what a registry makes of the four operations, and what a scraper gets.

mod common;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use common::Bench;
use tse_server::{Constant, Metrics, Prometheus};

fn adapter() -> Prometheus {
    let constant =
        Constant { service: "s".to_owned(), instance: "i".to_owned(), version: "v".to_owned() };
    Prometheus::new(&constant, [("known_total", "What is known.")]).unwrap()
}

fn text(metrics: &Prometheus) -> String {
    metrics.http_handler().1
}

/// The value of a series with these labels beside the constant ones, in whatever order.
fn value(text: &str, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let wanted = labels.iter().map(|(key, value)| format!("{key}=\"{value}\""));
    let constant = ["service", "instance", "version"].map(|key| format!("{key}=\""));
    let wanted: Vec<_> = wanted.chain(constant).collect();
    let mut lines = text.lines().filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (found, has) = series.split_once('{')?;
        let all = found == name
            && wanted.iter().all(|label| has.contains(label.as_str()))
            && has.matches("=\"").count() == wanted.len();
        all.then(|| value.parse().unwrap())
    });
    let first = lines.next();
    assert!(lines.next().is_none(), "{name} is there twice");
    first
}

#[test]
fn m120b_5_a_counter_is_one_after_its_first_and_only_goes_up() {
    let metrics = adapter();
    assert_eq!(value(&text(&metrics), "c_total", &[]), None, "nothing counted is no series");
    for expected in 1..=3 {
        metrics.inc_counter("c_total", &[]);
        assert_eq!(value(&text(&metrics), "c_total", &[]), Some(f64::from(expected)));
    }
}

#[test]
fn m120b_5_series_of_one_name_count_for_themselves() {
    let metrics = adapter();
    metrics.inc_counter("c_total", &[("side", "buy")]);
    metrics.inc_counter("c_total", &[("side", "buy")]);
    metrics.inc_counter("c_total", &[("side", "sell")]);
    let text = text(&metrics);
    assert_eq!(value(&text, "c_total", &[("side", "buy")]), Some(2.0));
    assert_eq!(value(&text, "c_total", &[("side", "sell")]), Some(1.0));
}

#[test]
fn m120b_5_labels_are_the_same_in_whatever_order() {
    let metrics = adapter();
    metrics.inc_counter("c_total", &[("a", "1"), ("b", "2")]);
    metrics.inc_counter("c_total", &[("b", "2"), ("a", "1")]);
    assert_eq!(value(&text(&metrics), "c_total", &[("a", "1"), ("b", "2")]), Some(2.0));
}

#[test]
fn m120b_5_a_gauge_is_what_was_said_last() {
    let metrics = adapter();
    for said in [2.5, -7.0, 0.0, 1e-9] {
        metrics.set_gauge("g", said, &[]);
        assert_eq!(value(&text(&metrics), "g", &[]), Some(said));
    }
    metrics.set_gauge("g", f64::INFINITY, &[]);
    assert_eq!(value(&text(&metrics), "g", &[]), Some(f64::INFINITY));
    metrics.set_gauge("g", f64::NAN, &[]);
    assert!(value(&text(&metrics), "g", &[]).is_some_and(f64::is_nan));
}

#[test]
fn m120b_5_a_histogram_has_the_buckets_of_the_contract() {
    let metrics = adapter();
    metrics.observe_histogram("h_seconds", 0.3, &[]);
    let text = text(&metrics);
    let bounds: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("h_seconds_bucket{"))
        .map(|line| line.split("le=\"").nth(1).unwrap().split('"').next().unwrap())
        .collect();
    let wanted =
        ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"];
    assert_eq!(bounds, wanted);
}

#[test]
fn m120b_5_buckets_hold_everything_up_to_their_bound() {
    let metrics = adapter();
    for seconds in [0.001, 0.005, 0.006, 10.0, 11.0] {
        metrics.observe_histogram("h_seconds", seconds, &[]);
    }
    let text = text(&metrics);
    for (bound, count) in [("0.005", 2.0), ("0.01", 3.0), ("5", 3.0), ("10", 4.0), ("+Inf", 5.0)] {
        assert_eq!(value(&text, "h_seconds_bucket", &[("le", bound)]), Some(count), "{bound}");
    }
    assert_eq!(value(&text, "h_seconds_count", &[]), Some(5.0));
    let sum = value(&text, "h_seconds_sum", &[]).unwrap();
    assert!((sum - 21.012).abs() < 1e-9, "{sum}");
}

#[test]
fn m120b_5_what_a_label_says_cannot_break_the_text() {
    let metrics = adapter();
    metrics.inc_counter("c_total", &[("x", "a\"b\\c\nd")]);
    let text = text(&metrics);
    let line = text.lines().find(|line| line.starts_with("c_total{")).unwrap();
    assert!(line.contains(r#"x="a\"b\\c\nd""#), "{line}");
    assert!(line.ends_with(" 1"), "{line}");
}

#[test]
fn m120b_5_a_family_says_once_what_it_is() {
    let metrics = adapter();
    metrics.inc_counter("known_total", &[("x", "1")]);
    metrics.inc_counter("known_total", &[("x", "2")]);
    metrics.set_gauge("other", 1.0, &[]);
    metrics.observe_histogram("h_seconds", 1.0, &[]);
    let text = text(&metrics);
    let times = |line: &str| text.lines().filter(|it| *it == line).count();
    assert_eq!(times("# HELP known_total What is known."), 1);
    assert_eq!(times("# TYPE known_total counter"), 1);
    assert_eq!(times("# HELP other other"), 1, "without words its name must do");
    assert_eq!(times("# TYPE other gauge"), 1);
    assert_eq!(times("# TYPE h_seconds histogram"), 1);
}

#[test]
fn m120b_5_two_adapters_share_nothing() {
    let (one, other) = (adapter(), adapter());
    one.inc_counter("c_total", &[]);
    assert_eq!(value(&text(&other), "c_total", &[]), None);
    other.set_gauge("c_total", 4.0, &[]);
    assert_eq!(value(&text(&one), "c_total", &[]), Some(1.0), "not even what a name is");
}

#[test]
fn m120b_5_the_process_is_measured_for_real() {
    let metrics = adapter();
    let text = text(&metrics);
    let of = |name: &str| value(&text, name, &[]).unwrap_or_else(|| panic!("{name}:\n{text}"));
    let mib = of("process_resident_memory_bytes") / f64::from(1 << 20);
    assert!((1.0..4_096.0).contains(&mib), "{mib}");
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let age = now - of("process_start_time_seconds");
    assert!((-2.0..86_400.0).contains(&age), "{age}");
    assert!(of("process_open_fds") >= 3.0 && of("process_cpu_seconds_total") >= 0.0);
    let held = std::fs::File::open("/dev/null").unwrap();
    let more = value(&metrics.http_handler().1, "process_open_fds", &[]).unwrap();
    assert!(more > of("process_open_fds"), "{more}");
    drop(held);
}

#[test]
fn m120b_5_the_text_is_that_of_format_0_0_4() {
    let metrics = adapter();
    metrics.inc_counter("c_total", &[]);
    let (kind, text) = metrics.http_handler();
    assert_eq!(kind, "text/plain; version=0.0.4");
    assert!(text.ends_with('\n') && !text.contains('\r'));
    for line in text.lines().filter(|line| !line.starts_with("# ")) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(series.ends_with('}') && value.parse::<f64>().is_ok(), "{line}");
    }
}

#[tokio::test]
async fn m120b_5_both_paths_give_the_same_families() {
    let bench = Bench::new(&[]);
    bench.get("/health").await;
    let families = |text: &str| {
        let all = text.lines().filter(|line| line.starts_with("# TYPE"));
        all.map(str::to_owned).collect::<Vec<_>>()
    };
    let (short, long) = (bench.get("/metrics").await, bench.get("/api/v1/metrics").await);
    assert_eq!((short.status, long.status), (StatusCode::OK, StatusCode::OK));
    assert_eq!(short.headers["content-type"], long.headers["content-type"]);
    assert_eq!(families(&short.text), families(&long.text));
    assert!(!families(&short.text).is_empty());
}

#[tokio::test]
async fn m120b_5_a_scrape_needs_no_token_where_everything_else_does() {
    let bench = Bench::new(&[("HOST", "0.0.0.0"), ("ALLOW_PLAINTEXT", "true")]);
    assert_eq!(bench.get("/api/v1/status").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(bench.get("/metrics").await.status, StatusCode::OK);
}

#[tokio::test]
async fn m120b_5_figures_are_read_and_not_written() {
    let bench = Bench::new(&[]);
    for method in ["POST", "PUT", "DELETE"] {
        let request = Request::builder().method(method).uri("/api/v1/metrics");
        let said = bench.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!((said.status.as_u16(), &*said.code()), (405, "TSE-N104"), "{method}");
    }
}

#[tokio::test]
async fn m120b_5_a_scrape_is_a_request_of_the_next_one() {
    let bench = Bench::new(&[]);
    let labels = [("method", "GET"), ("route", "/metrics"), ("code", "200")];
    let count = |text: &str| value(text, "http_requests_total", &labels);
    assert_eq!(count(&bench.get("/metrics").await.text), None);
    assert_eq!(count(&bench.get("/metrics").await.text), Some(1.0));
    assert_eq!(count(&bench.get("/metrics").await.text), Some(2.0));
}

#[tokio::test]
async fn m120b_5_what_goes_well_is_no_error() {
    let bench = Bench::new(&[]);
    bench.get("/health").await;
    bench.get("/nowhere").await;
    let text = bench.get("/metrics").await.text;
    let errors = |route, code| {
        value(
            &text,
            "http_request_errors_total",
            &[("method", "GET"), ("route", route), ("code", code)],
        )
    };
    assert_eq!(errors("/health", "200"), None);
    assert_eq!(errors("unmatched", "404"), Some(1.0));
}

#[tokio::test]
async fn m120b_5_a_request_that_may_not_is_an_error_of_its_route() {
    let bench = Bench::new(&[("ENVIRONMENT", "production")]);
    let said =
        bench.post("/api/v1/kill", &[], r#"{"scope":"firm","level":"halt","reason":"x"}"#).await;
    assert_eq!(said.status, StatusCode::UNAUTHORIZED);
    let text = bench.get("/metrics").await.text;
    let labels = [("method", "POST"), ("route", "/api/v1/kill"), ("code", "401")];
    assert_eq!(value(&text, "http_request_errors_total", &labels), Some(1.0), "{text}");
    assert_eq!(value(&text, "http_request_duration_seconds_count", &labels), Some(1.0));
}

#[tokio::test]
async fn m120b_5_a_path_that_somebody_made_up_makes_no_series_of_its_own() {
    let bench = Bench::new(&[]);
    for at in 0..100 {
        bench.get(&format!("/x{at}/{at}")).await;
        bench.get(&format!("/api/v1/strategies/s{at}/status")).await;
    }
    let text = bench.get("/metrics").await.text;
    let series = text.lines().filter(|line| line.starts_with("http_requests_total{")).count();
    assert_eq!(series, 2, "{text}");
}

#[tokio::test]
async fn m120b_5_what_a_dependency_is_like_is_a_figure() {
    let bench = Bench::new(&[]);
    bench.get("/ready").await;
    let text = bench.get("/metrics").await.text;
    let of = |name| value(&text, "service_dependency_ready", &[("dependency", name)]);
    assert_eq!(of("engine"), Some(0.0), "it has not begun");
    assert_eq!(of("tokens"), Some(1.0));
}
