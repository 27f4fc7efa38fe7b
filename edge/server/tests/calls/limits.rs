//! How many, how long, what is counted, and how it ends.

use crate::common::{Bench, settings};
use crate::{Served, code, endpoint, with};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tonic::transport::{Certificate, Channel, ClientTlsConfig};
use tonic::{Code, Request};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tse_node::Said;
use tse_server::http::{ServeError, listen};
use tse_server::{Constant, Label, Metrics, Prometheus, names};
use tse_wire::v1;

/// How long anything may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

fn stop() -> v1::StopStrategyRequest {
    v1::StopStrategyRequest {
        strategy_id: "maker".to_owned(),
        mode: 1,
        reason: "a drill".to_owned(),
        by: None,
    }
}

fn service(name: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: name.to_owned() }
}

#[tokio::test]
async fn an_engine_that_does_not_answer_in_time_is_not_waited_for_and_what_it_does_is_recorded() {
    let (bench, demands) = Bench::idle(&[("REQUEST_TIMEOUT", "0.2")]);
    let served = Served::of(bench).await;
    let asked = || with(Request::new(stop()), "idempotency-key", "k");
    let said = served.trading().stop_strategy(asked()).await.unwrap_err();
    assert_eq!((said.code(), code(&said)), (Code::DeadlineExceeded, "TSE-N116"));
    assert!(served.bench.audit().is_empty());
    // Whoever asks again with the same key asks for nothing twice.
    let said = served.trading().stop_strategy(asked()).await.unwrap_err();
    assert_eq!((said.code(), code(&said)), (Code::Aborted, "TSE-N123"));
    let Said { answer, .. } = demands.recv().unwrap();
    answer(tse_node::Answer::default());
    let done = async {
        loop {
            if let Ok(done) = served.trading().stop_strategy(asked()).await {
                return done;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let done = timeout(PATIENCE, done).await.expect("it was done");
    assert_eq!(done.metadata().get("idempotent-replayed").unwrap(), "true");
    assert!(demands.try_recv().is_err());
    let audit = served.bench.audit();
    let done = audit.iter().filter(|it| it["status"] == 200).count();
    assert!(done >= 2, "the call that was given up, and the one that asked again: {audit:?}");
}

#[tokio::test]
async fn whoever_calls_may_wait_less_and_no_longer_than_we_allow() {
    use tower::ServiceExt;
    let (bench, _demands) = Bench::idle(&[("REQUEST_TIMEOUT", "60")]);
    let body = [&[0, 0, 0, 0, 16][..], b"\x0a\x05maker", b"\x1a\x07a drill"].concat();
    let request = axum::http::Request::post("/tse.v1.TradingService/StopStrategy")
        .header("content-type", "application/grpc")
        .header("grpc-timeout", "50m")
        .body(axum::body::Body::from(body))
        .unwrap();
    let router = tse_server::grpc::router(Arc::clone(&bench.app));
    let answer = timeout(PATIENCE / 2, router.oneshot(request)).await.expect("it is given up");
    assert_eq!(answer.unwrap().headers()["code"], "TSE-N116");
}

#[tokio::test]
async fn one_call_too_many_is_refused_and_probes_are_not() {
    let (bench, demands) = Bench::idle(&[("MAX_CONCURRENT_REQUESTS", "1")]);
    let served = Served::of(bench).await;
    let mut first = served.trading();
    let first = tokio::spawn(async move { first.stop_strategy(stop()).await });
    let asked = tokio::task::spawn_blocking(move || demands.recv().unwrap());
    let Said { answer, .. } = asked.await.unwrap();
    let said = served.trading().stop_strategy(stop()).await.unwrap_err();
    assert_eq!((said.code(), code(&said)), (Code::Unavailable, "TSE-N114"));
    served.health().check(service("")).await.unwrap();
    answer(tse_node::Answer::default());
    first.await.unwrap().unwrap();
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_another_gets_in_when_one_has_gone() {
    let served = Served::new(&[]).await;
    // The one of the channel counts too.
    let mut open = Vec::new();
    for _ in 0..99 {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        // Whoever is let in is greeted.
        let greeted = timeout(PATIENCE, stream.read(&mut [0; 64])).await.unwrap().unwrap();
        assert!(greeted > 0);
        open.push(stream);
    }
    let mut late = TcpStream::connect(served.address).await.unwrap();
    let closed = timeout(PATIENCE, late.read(&mut [0; 64])).await.unwrap();
    assert!(closed.is_err() || closed.is_ok_and(|read| read == 0));
    served.health().check(service("")).await.expect("who is in goes on");
    open.pop();
    let let_in = async {
        loop {
            let mut stream = TcpStream::connect(served.address).await.unwrap();
            if stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {
                return;
            }
        }
    };
    timeout(PATIENCE, let_in).await.expect("a place is free again");
}

#[tokio::test]
async fn with_certificate_and_key_it_is_spoken_to_with_tls_alone() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("cert.pem"), cert.pem()).unwrap();
    std::fs::write(path("key.pem"), signing_key.serialize_pem()).unwrap();
    let (cert_file, key_file) = (path("cert.pem"), path("key.pem"));
    let bench = Bench::new(&[("TLS_CERT_FILE", &*cert_file), ("TLS_KEY_FILE", &*key_file)]);
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let _serving = tse_server::grpc::serve(Arc::clone(&bench.app), listener).await.unwrap();
    let ours = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(cert.pem()));
    let secret = Channel::from_shared(format!("https://{address}")).unwrap();
    let secret = secret.tls_config(ours.domain_name("localhost")).unwrap();
    let mut health = HealthClient::new(secret.connect().await.unwrap());
    let said = health.check(service("")).await.unwrap().into_inner();
    assert_eq!(said.status(), ServingStatus::NotServing);
    let plain = endpoint(address).connect_lazy();
    assert!(HealthClient::new(plain).check(service("")).await.is_err());
    std::fs::write(path("key.pem"), "no key").unwrap();
    let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let wrong = tse_server::grpc::serve(Arc::clone(&bench.app), listener).await.err().unwrap();
    assert!(matches!(wrong, ServeError::Tls { .. }), "{wrong}");
}

#[tokio::test]
async fn health_is_looked_at_and_not_remembered() {
    let served = Served::new(&[]).await;
    for name in ["", "trading-system-engine", "tse.v1.TradingService", "tse.v1.RiskService"] {
        let said = served.health().check(service(name)).await.unwrap().into_inner();
        assert_eq!(said.status(), ServingStatus::NotServing, "{name}: it has not begun");
    }
    let said = served.health().check(service("nothing")).await.unwrap_err();
    assert_eq!((said.code(), code(&said)), (Code::NotFound, "TSE-N102"));
    let mut watched = served.health().watch(service("nothing")).await.unwrap().into_inner();
    let told = watched.message().await.unwrap().unwrap();
    assert_eq!(told.status(), ServingStatus::ServiceUnknown);
    let mut places = Vec::new();
    for _ in 0..63 {
        places.push(served.health().watch(service("")).await.unwrap());
    }
    let said = served.health().watch(service("")).await.unwrap_err();
    assert_eq!((said.code(), code(&said)), (Code::Unavailable, "TSE-N122"));
}

#[tokio::test]
async fn it_ends_in_order_streams_first_then_what_is_in_work() {
    let (bench, demands) = Bench::idle(&[]);
    let served = Served::of(bench).await;
    let mut watched = served.health().watch(service("")).await.unwrap().into_inner();
    assert!(watched.message().await.unwrap().is_some());
    let follow = v1::StreamStrategyUpdatesRequest::default();
    let mut followed = served.trading().stream_strategy_updates(follow).await.unwrap().into_inner();
    let mut trading = served.trading();
    let in_work = tokio::spawn(async move { trading.stop_strategy(stop()).await });
    let asked = tokio::task::spawn_blocking(move || (demands.recv().unwrap(), demands));
    let (Said { answer, .. }, _demands) = asked.await.unwrap();
    let Served { bench, serving, address, channel } = served;
    bench.app.end();
    bench.app.streams.end();
    let ending = tokio::spawn(serving.end(PATIENCE));
    let over = followed.message().await.unwrap_err();
    assert_eq!((over.code(), code(&over)), (Code::Unavailable, "TSE-N117"));
    assert!(watched.message().await.unwrap().is_none());
    // What is in work is waited for.
    assert!(!ending.is_finished());
    answer(tse_node::Answer::default());
    in_work.await.unwrap().expect("it was finished");
    drop(channel);
    timeout(PATIENCE, ending).await.expect("nothing is left").unwrap();
    assert!(endpoint(address).connect().await.is_err());
}

#[tokio::test]
async fn what_does_not_end_is_waited_for_no_longer_than_so_long() {
    let (bench, demands) = Bench::idle(&[]);
    let served = Served::of(bench).await;
    let mut trading = served.trading();
    let in_work = tokio::spawn(async move { trading.stop_strategy(stop()).await });
    let asked = tokio::task::spawn_blocking(move || demands.recv().unwrap());
    let _unanswered = asked.await.unwrap();
    let ended = served.serving.end(Duration::from_millis(50));
    timeout(PATIENCE / 2, ended).await.expect("it ends all the same");
    assert!(in_work.await.unwrap().is_err());
}

/// Figures that panic where readiness is told.
struct Cursed(Prometheus);

impl Metrics for Cursed {
    fn inc_counter(&self, name: &'static str, labels: &[Label<'_>]) {
        self.0.inc_counter(name, labels);
    }

    fn observe_histogram(&self, name: &'static str, value: f64, labels: &[Label<'_>]) {
        self.0.observe_histogram(name, value, labels);
    }

    fn set_gauge(&self, name: &'static str, _: f64, _: &[Label<'_>]) {
        panic!("{name} is cursed");
    }

    fn http_handler(&self) -> (&'static str, String) {
        self.0.http_handler()
    }
}

#[tokio::test]
async fn calls_are_counted_by_their_names_and_what_they_came_to() {
    let settings = settings(&[]);
    let metrics = Prometheus::new(&Constant::from(&settings), names::HELP.iter().copied()).unwrap();
    let (bench, demands) = Bench::with(settings, Arc::new(Cursed(metrics)));
    std::thread::spawn(move || {
        for Said { answer, .. } in demands {
            answer(tse_node::Answer::default());
        }
    });
    let served = Served::of(bench).await;
    served.trading().stop_strategy(stop()).await.unwrap();
    served.trading().get_portfolio(v1::GetPortfolioRequest {}).await.unwrap_err();
    served.call("tse.v1.Invented/By/Somebody", None).await.unwrap_err();
    // A handler that panics, and a stream that does.
    let said = served.health().check(service("")).await.unwrap_err();
    assert_eq!((said.code(), code(&said)), (Code::Internal, "TSE-X010"));
    assert!(!said.message().contains("cursed"), "the caller is not told why");
    let mut watched = served.health().watch(service("")).await.unwrap().into_inner();
    let said = watched.message().await.unwrap_err();
    assert_eq!((said.code(), code(&said)), (Code::Internal, "TSE-X010"));
    // A stream is counted when it ends, also if that is because nobody reads it any more.
    let follow = Request::new(v1::StreamStrategyUpdatesRequest::default());
    drop(served.trading().stream_strategy_updates(follow).await.unwrap());
    let line = |name: &str, method: &str, code: &str| {
        format!("{name}{{code=\"{code}\",method=\"{method}\",")
    };
    let wanted = [
        ("tse.v1.TradingService/StopStrategy", "OK"),
        ("tse.v1.TradingService/GetPortfolio", "UNAVAILABLE"),
        ("unmatched", "UNIMPLEMENTED"),
        ("grpc.health.v1.Health/Check", "INTERNAL"),
        ("grpc.health.v1.Health/Watch", "INTERNAL"),
        ("tse.v1.TradingService/StreamStrategyUpdates", "CANCELLED"),
    ];
    let counted = async {
        loop {
            let (_, text) = served.bench.app.metrics.http_handler();
            let last =
                wanted.last().map(|(method, code)| line("grpc_requests_total", method, code));
            if text.contains(&last.unwrap()) {
                return text;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let text = timeout(PATIENCE, counted).await.expect("the stream that was left is counted");
    for (method, code) in wanted {
        let of = |name: &str| {
            let begin = line(name, method, code);
            let line = text.lines().find(|it| it.starts_with(&begin));
            line.map(|line| line.rsplit(' ').next().unwrap().to_owned())
        };
        assert_eq!(of("grpc_requests_total").as_deref(), Some("1"), "{method} {code}: {text}");
        let error = (code != "OK").then_some("1");
        assert_eq!(of("grpc_request_errors_total").as_deref(), error, "{method} {code}");
        let seconds = of("grpc_request_duration_seconds_count");
        assert_eq!(seconds.as_deref(), Some("1"), "{method} {code}");
    }
}
