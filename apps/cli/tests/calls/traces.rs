//! A collector of our own sees spans of requests, calls and orders; one that is no use holds up nobody.

use super::{PATIENCE, Running};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tse_wire::v1;

/// A span, with the attributes of whoever sent it.
type Sent = (Vec<KeyValue>, Span);

/// What has come.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Sent>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut all = self.0.lock().unwrap();
        for of in request.into_inner().resource_spans {
            let about = of.resource.unwrap_or_default().attributes;
            let spans = of.scope_spans.into_iter().flat_map(|scope| scope.spans);
            all.extend(spans.map(|span| (about.clone(), span)));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn listen(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::builder().add_service(TraceServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        address
    }

    /// Waits for a span that is so.
    async fn span(&self, what: &str, is_so: impl Fn(&Span) -> bool) -> Sent {
        let found = async {
            loop {
                let found = self.0.lock().unwrap().iter().find(|(_, span)| is_so(span)).cloned();
                match found {
                    Some(found) => return found,
                    None => sleep(Duration::from_millis(20)).await,
                }
            }
        };
        timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("there is no span of {what}"))
    }
}

fn text<'a>(all: &'a [KeyValue], key: &str) -> &'a str {
    let found = all.iter().find(|it| it.key == key).and_then(|it| it.value.as_ref());
    match found.and_then(|it| it.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{key} is {other:?} in {all:?}"),
    }
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_collector_sees_a_request_with_its_callers_trace_a_call_and_the_lives_of_orders() {
    let collector = Collector::default();
    let endpoint = format!("http://{}", collector.listen().await);
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*endpoint), ("OTEL_SERVICE_NAME", "desk")];
    let mut running = Running::with(&["--arm", "--speed", "60"], &environment).await;

    let parent = format!("traceparent: 00-{TRACE}-{PARENT}-01\r\nx-correlation-id: case-7\r\n");
    let said = running.get("/api/v1/portfolio/pnl", &parent);
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    let name = "GET /api/v1/portfolio/pnl";
    let (about, span) = collector.span("a request", |it| it.name == name).await;
    assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), (TRACE.into(), PARENT.into()));
    assert_eq!(text(&span.attributes, "correlation_id"), "case-7");
    let answered = format!("traceresponse: 00-{TRACE}-{}-01\r\n", hex(&span.span_id));
    assert!(said.contains(&answered), "{said}");
    for (key, value) in [
        ("service.name", "desk"),
        ("service.namespace", "trading-ecosystem"),
        ("service.instance.id", "trading-system-engine"),
        ("service.version", env!("CARGO_PKG_VERSION")),
    ] {
        assert_eq!(text(&about, key), value);
    }

    let mut call = Request::new(v1::GetPositionsRequest::default());
    let other = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("00-{other}-{PARENT}-01").parse().unwrap();
    call.metadata_mut().insert("traceparent", parent);
    let answer = running.trading().get_positions(call).await.unwrap();
    let name = "tse.v1.TradingService/GetPositions";
    let (_, span) = collector.span("a call", |it| it.name == name).await;
    assert_eq!((hex(&span.trace_id), hex(&span.parent_span_id)), (other.into(), PARENT.into()));
    let answered = answer.metadata().get("traceresponse").unwrap().to_str().unwrap();
    assert_eq!(answered, format!("00-{other}-{}-01", hex(&span.span_id)));

    let is_filled = |it: &Span| {
        let life = it.attributes.iter().any(|it| it.key == "order.life");
        it.name == "order" && life && text(&it.attributes, "order.life") == "filled"
    };
    let (_, order) = collector.span("an order that was filled", is_filled).await;
    assert!(order.end_time_unix_nano >= order.start_time_unix_nano);
    for key in ["order.id", "order.strategy", "order.symbol", "order.side", "order.made"] {
        assert!(!text(&order.attributes, key).is_empty());
    }
    let names: Vec<_> = order.events.iter().map(|it| it.name.as_str()).collect();
    assert!(names.contains(&"sent") && names.last() == Some(&"filled"), "{names:?}");
    // What was filled is what its fills add up to, in thousandths.
    let lots = |text: &str| (text.parse::<f64>().unwrap() * 1e3).round();
    let fills = order.events.iter().filter(|it| it.name == "fill");
    let filled: f64 = fills.map(|it| lots(text(&it.attributes, "size"))).sum();
    assert_eq!(filled, lots(text(&order.attributes, "order.filled")), "{order:?}");
    assert_eq!(filled, lots(text(&order.attributes, "order.size")));

    // What is logged while a request is in work says of which trace it is.
    let home = running.bench.path().join("state/demo");
    let logged = async {
        loop {
            for entry in std::fs::read_dir(&home).unwrap() {
                let path = entry.unwrap().path();
                let is_log = path.extension().is_some_and(|it| it == "ndjson");
                let text = if is_log { std::fs::read_to_string(path).unwrap() } else { continue };
                let line = text.lines().find(|it| it.contains(TRACE) && it.contains("pnl"));
                if let Some(line) = line {
                    return line.to_owned();
                }
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let line = timeout(PATIENCE, logged).await.expect("it is logged");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        (line["trace_id"].as_str(), line["correlation_id"].as_str()),
        (Some(TRACE), Some("case-7"))
    );
    assert_eq!(line["span_id"].as_str().map(str::len), Some(16));
    running.signal("-TERM");
    assert_eq!(running.end().await, Some(0));
}

#[tokio::test]
async fn a_collector_that_refuses_or_never_answers_holds_up_nobody() {
    // One that takes connections and says nothing, and one that is not there.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let held = Arc::new(Mutex::new(Vec::new()));
    let holding = Arc::clone(&held);
    std::thread::spawn(move || {
        for stream in silent.incoming() {
            holding.lock().unwrap().push(stream);
        }
    });
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    for (address, is_silent) in [(address, true), (gone, false)] {
        let endpoint = format!("http://{address}");
        let environment = [("OTEL_EXPORTER_ENDPOINT", &*endpoint)];
        let mut running = Running::with(&["--arm", "--speed", "60"], &environment).await;
        if is_silent {
            let connected = async {
                while held.lock().unwrap().is_empty() {
                    running.get("/health", "");
                    sleep(Duration::from_millis(5)).await;
                }
            };
            timeout(PATIENCE, connected).await.expect("spans are on their way to it");
        }
        for _ in 0..100 {
            let said = running.get("/api/v1/portfolio/pnl", "");
            assert!(said.starts_with("HTTP/1.1 200"), "{said}");
        }
        let call = async || {
            let asked = v1::GetStrategyStatusRequest { strategy_id: "maker".to_owned() };
            let said = running.trading().get_strategy_status(asked).await?.into_inner();
            Ok(said.strategy.unwrap().performance.unwrap().trades)
        };
        running.until("it trades all the same", call, |trades: &u64| *trades > 5).await;
        running.signal("-TERM");
        assert_eq!(running.end().await, Some(0));
    }
}
