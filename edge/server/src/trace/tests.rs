use super::*;
use crate::settings::Variables;
use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanProcessor};
use serde_json::json;
use std::sync::{Arc, Mutex};
use tse_node::{News, What};

/// Spans that have ended.
#[derive(Clone, Debug, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanProcessor for Kept {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.lock().unwrap().push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn kept() -> (Traces, Kept) {
    let settings = Settings::of(Variables::new([])).unwrap();
    let kept = Kept::default();
    let provider = builder(&settings).with_span_processor(kept.clone()).build();
    (Traces::of(provider, true), kept)
}

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";

fn came(parent: &str) -> HeaderMap {
    HeaderMap::from_iter([(HeaderName::from_static("traceparent"), parent.parse().unwrap())])
}

#[tokio::test]
async fn a_request_is_a_part_of_the_trace_it_comes_with_and_whatever_it_asks_of_others_too() {
    let (traces, kept) = kept();
    let mut ids = Ids { correlation: "case-7".to_owned(), ..Ids::default() };
    let span = traces.request("one".to_owned(), &came(&format!("{PARENT}-01")), &ids);
    let context = opentelemetry::trace::Span::span_context(&span).clone();
    assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    ids.span = Some(context.clone());
    let mut asked = HeaderMap::new();
    ids.scope(async { pass_on(&mut asked) }).await;
    let own = format!("00-{}-{}-01", context.trace_id(), context.span_id());
    assert_eq!(asked["traceparent"], *own);
    assert_eq!(asked["x-correlation-id"], "case-7");
    let mut answered = HeaderMap::new();
    respond(&context, &mut answered);
    assert_eq!(answered["traceresponse"], *own);
    drop(span);
    // Whoever does not take their own spans does not get ours.
    let span = traces.request("two".to_owned(), &came(&format!("{PARENT}-00")), &Ids::default());
    let context = opentelemetry::trace::Span::span_context(&span).clone();
    assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(!context.is_sampled());
    drop(span);
    for wrong in ["", "nonsense", "00-0-0-01", PARENT, "00-4bf9-00f0-01"] {
        drop(traces.request("new".to_owned(), &came(wrong), &Ids::default()));
    }
    let mut untouched = HeaderMap::new();
    pass_on(&mut untouched);
    assert!(untouched.is_empty(), "nothing is in work");
    let all = kept.0.lock().unwrap();
    let names: Vec<_> = all.iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["one", "new", "new", "new", "new", "new"]);
    assert_eq!(all[0].parent_span_id, SpanId::from_hex("00f067aa0ba902b7").unwrap());
    let other = TraceId::from_hex("4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
    for it in &all[1..] {
        assert_eq!(it.parent_span_id, SpanId::INVALID);
        assert!(it.span_context.is_valid() && it.span_context.trace_id() != other);
    }
}

fn order(number: u64, id: &str, life: &str) -> News {
    let order = json!({
        "id": id, "strategy": "maker", "symbol": "A.N", "side": "buy", "order_type": "limit", "price": "100", "size": "2",
        "filled": "1", "life": life, "made": "made", "changed": format!("at {number}"),
    });
    let what = What::Orders(serde_json::from_value(order).unwrap());
    News { number, at: String::new(), cause: None, what }
}

fn fill(number: u64, id: &str) -> News {
    let fill = json!({
        "exec_id": "e", "order_id": id, "strategy": "maker", "symbol": "A.N", "side": "buy",
        "price": "100", "size": "1", "liquidity": "maker", "fee": "0", "fee_currency": "USD",
        "realized": "0", "at": format!("at {number}"),
    });
    let what = What::Fills(serde_json::from_value(fill).unwrap());
    News { number, at: String::new(), cause: None, what }
}

fn events(span: &SpanData) -> Vec<&str> {
    span.events.iter().map(|it| &*it.name).collect()
}

fn said(span: &SpanData, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|it| it.key.as_str() == key);
    found.map(|it| it.value.as_str().into_owned())
}

#[test]
fn an_order_is_a_span_from_its_making_to_its_end() {
    let (traces, kept) = kept();
    let mut orders = Orders::of(&traces, Causes::default()).expect("spans leave");
    for news in [
        order(1, "a", "sent"),
        order(2, "b", "sent"),
        order(3, "a", "working"),
        order(4, "a", "working"),
        fill(5, "a"),
        order(6, "b", "rejected"),
        // A change is missing.
        order(8, "a", "cancelled"),
        // What comes after the end, and of what nobody saw the beginning, is no span.
        order(9, "a", "cancelled"),
        fill(10, "a"),
        order(11, "c", "filled"),
        fill(12, "c"),
    ] {
        orders.take(&news);
    }
    let all = kept.0.lock().unwrap();
    let [b, a] = &all[..] else { panic!("{all:?}") };
    assert_eq!(events(a), ["sent", "working", "fill", "changes are missing", "cancelled"]);
    assert_eq!(said(a, "order.life").as_deref(), Some("cancelled"));
    assert_eq!(said(a, "order.ended").as_deref(), Some("at 8"));
    assert_eq!(
        (said(a, "order.id").as_deref(), said(a, "order.made").as_deref()),
        (Some("a"), Some("made"))
    );
    assert_eq!(events(b), ["sent", "rejected"]);
    assert!(matches!(b.status, opentelemetry::trace::Status::Error { .. }));
    assert_ne!(a.span_context.trace_id(), b.span_context.trace_id(), "each is a trace of its own");
}

#[test]
fn orders_that_are_followed_are_bounded_and_the_oldest_is_given_up() {
    let (traces, kept) = kept();
    let mut orders = Orders::of(&traces, Causes::default()).expect("spans leave");
    for number in 1..=4_097 {
        orders.take(&order(number, &number.to_string(), "sent"));
    }
    let all = kept.0.lock().unwrap();
    let [oldest] = &all[..] else { panic!("{}", all.len()) };
    assert_eq!(said(oldest, "order.id").as_deref(), Some("1"));
    assert_eq!(said(oldest, "order.given_up").as_deref(), Some("true"));
    assert_eq!(said(oldest, "order.life"), None);
}

#[test]
fn without_a_collector_nothing_leaves_and_spans_have_names_all_the_same() {
    let settings = Settings::of(Variables::new([])).unwrap();
    let traces = Traces::open(&settings).unwrap();
    assert!(Orders::of(&traces, Causes::default()).is_none());
    let span = traces.request("one".to_owned(), &HeaderMap::new(), &Ids::default());
    assert!(opentelemetry::trace::Span::span_context(&span).is_valid());
}

#[test]
fn an_order_and_its_rows_are_a_part_of_the_trace_of_the_request_they_were_made_for() {
    let (traces, kept) = kept();
    let causes = Causes::default();
    let mut orders = Orders::new(traces.tracer.clone(), causes.clone());
    let mut ids = Ids { correlation: "case-7".to_owned(), ..Ids::default() };
    let request = traces.request("flatten".to_owned(), &came(&format!("{PARENT}-01")), &ids);
    let asked = opentelemetry::trace::Span::span_context(&request).clone();
    ids.span = Some(asked.clone());
    let cause = Some(causes.ask(ids));
    orders.take(&order(1, "old", "working"));
    orders.take(&News { cause, ..order(2, "old", "working") });
    orders.take(&News { cause, ..order(3, "closing", "sent") });
    orders.take(&order(4, "other", "sent"));
    let rows = ["closing", "old", "closing", "other"];
    traces.stored(&causes, "sqlite", (9, Duration::from_millis(3)), rows.into_iter());
    for (number, id) in [(5, "old"), (6, "closing"), (7, "other")] {
        orders.take(&order(number, id, "filled"));
    }
    let all = kept.0.lock().unwrap();
    let of = |id: &str| {
        all.iter()
            .find(|it| {
                it.attributes.contains(&KeyValue::new("order.id", id.to_owned()))
                    && it.name == "order"
            })
            .unwrap()
    };
    let [old, closing, other] = ["old", "closing", "other"].map(of);
    assert_eq!(closing.parent_span_id, asked.span_id());
    assert_eq!(closing.span_context.trace_id(), asked.trace_id());
    assert!(closing.attributes.contains(&KeyValue::new("correlation_id", "case-7")));
    for it in [old, other] {
        assert_ne!(it.span_context.trace_id(), asked.trace_id());
    }
    let linked: Vec<_> = old.links.iter().map(|it| it.span_context.span_id()).collect();
    assert_eq!(linked, [asked.span_id()], "whoever wanted it back is named");
    assert!(other.links.is_empty());
    let stored: Vec<_> = all.iter().filter(|it| it.name == "store order").collect();
    let [stored] = stored[..] else { panic!("one order was made for a request: {stored:?}") };
    assert_eq!(stored.parent_span_id, closing.span_context.span_id());
    assert_eq!(stored.span_context.trace_id(), asked.trace_id());
    assert!(stored.end_time.duration_since(stored.start_time).unwrap() >= Duration::from_millis(3));
}
