//! A span for every order: from its making to its end, with what became of it in between.
//!
//! Read from the same feed as streams are, so that it costs the engine nothing. Spans are timed by the clock of whoever
//! reads, which sees a change some milliseconds after it; when things were by the engine's clock is said in attributes.
//! Where changes are missing, that is said in every span that is open.
//!
//! An order that was made for a request is a part of its trace. One that was there before, and is taken back or changed
//! for a request, says which, with a link to it.

use super::{Causes, Traces};
use crate::http::Ids;
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SdkTracer, Span};
use std::collections::{BTreeMap, HashMap};
use tse_node::{Execution, News, OpenOrder, What};

/// How many orders are followed at once: of more, the oldest is not followed any further.
const OPEN_MAX: usize = 4_096;

/// The spans of orders that are open.
pub struct Orders {
    tracer: SdkTracer,
    causes: Causes,
    open: HashMap<String, Followed>,
    /// Names by when they began, oldest first.
    ages: BTreeMap<u64, String>,
    begun: u64,
    last: Option<u64>,
}

struct Followed {
    age: u64,
    life: String,
    span: Span,
}

impl Orders {
    /// Orders whose spans leave that way; `None` where none does.
    pub fn of(traces: &Traces, causes: Causes) -> Option<Self> {
        traces.leave.then(|| Self::new(traces.tracer.clone(), causes))
    }

    pub(super) fn new(tracer: SdkTracer, causes: Causes) -> Self {
        Self { tracer, causes, open: HashMap::new(), ages: BTreeMap::new(), begun: 0, last: None }
    }

    /// Takes in a change.
    pub(crate) fn take(&mut self, news: &News) {
        let follows = self.last.is_none_or(|last| last + 1 == news.number);
        self.last = Some(news.number);
        if !follows {
            for it in self.open.values_mut() {
                it.span.add_event("changes are missing", Vec::new());
            }
        }
        match &news.what {
            What::Orders(order) => {
                let request = news.cause.and_then(|number| self.causes.request(number));
                self.order(order, request);
            }
            What::Fills(fill) => self.fill(fill),
            What::Positions { .. } | What::Alerts(_) => {}
        }
    }

    fn order(&mut self, order: &OpenOrder, request: Option<Ids>) {
        let is_over = is_over(&order.life);
        if !self.open.contains_key(&order.id) {
            // What is heard of an order that has ended, or whose beginning was missed, begins nothing.
            if is_over {
                return;
            }
            self.begin(order, request);
        } else if let (Some(ids), Some(it)) = (request, self.open.get_mut(&order.id)) {
            let about = vec![KeyValue::new("correlation_id", ids.correlation)];
            it.span.add_event("asked for by a request", about);
            if let Some(span) = ids.span {
                it.span.add_link(span, Vec::new());
            }
        }
        let Some(it) = self.open.get_mut(&order.id) else { return };
        if it.life != order.life {
            it.life.clone_from(&order.life);
            let about = vec![
                KeyValue::new("at", order.changed.clone()),
                KeyValue::new("filled", order.filled.clone()),
            ];
            it.span.add_event(order.life.clone(), about);
        }
        if is_over {
            it.span.set_attribute(KeyValue::new("order.life", order.life.clone()));
            it.span.set_attribute(KeyValue::new("order.filled", order.filled.clone()));
            it.span.set_attribute(KeyValue::new("order.ended", order.changed.clone()));
            if order.life == "rejected" {
                it.span.set_status(Status::error("the venue rejected it"));
            }
            self.end(&order.id);
        }
    }

    fn begin(&mut self, order: &OpenOrder, request: Option<Ids>) {
        if self.open.len() >= OPEN_MAX
            && let Some((_, oldest)) = self.ages.pop_first()
        {
            if let Some(it) = self.open.get_mut(&oldest) {
                it.span.set_attribute(KeyValue::new("order.given_up", true));
            }
            self.end(&oldest);
        }
        let mut about = vec![
            KeyValue::new("order.id", order.id.clone()),
            KeyValue::new("order.strategy", order.strategy.clone()),
            KeyValue::new("order.symbol", order.symbol.clone()),
            KeyValue::new("order.side", order.side.clone()),
            KeyValue::new("order.size", order.size.clone()),
            KeyValue::new("order.made", order.made.clone()),
        ];
        about.extend(order.price.clone().map(|price| KeyValue::new("order.price", price)));
        let correlation = request.as_ref().map(|ids| ids.correlation.clone());
        about.extend(correlation.clone().map(|name| KeyValue::new("correlation_id", name)));
        let builder =
            SpanBuilder::from_name("order").with_kind(SpanKind::Internal).with_attributes(about);
        let parent = request.and_then(|ids| ids.span);
        let parent =
            parent.map_or_else(Context::new, |span| Context::new().with_remote_span_context(span));
        let span = self.tracer.build_with_context(builder, &parent);
        if let Some(correlation) = correlation {
            self.causes.made(&order.id, span.span_context().clone(), correlation);
        }
        self.begun += 1;
        self.ages.insert(self.begun, order.id.clone());
        self.open.insert(order.id.clone(), Followed { age: self.begun, life: String::new(), span });
    }

    fn end(&mut self, id: &str) {
        if let Some(mut it) = self.open.remove(id) {
            self.ages.remove(&it.age);
            it.span.end();
        }
    }

    fn fill(&mut self, fill: &Execution) {
        let Some(it) = self.open.get_mut(&fill.order_id) else { return };
        let about = [
            ("exec_id", &fill.exec_id),
            ("at", &fill.at),
            ("price", &fill.price),
            ("size", &fill.size),
            ("liquidity", &fill.liquidity),
            ("fee", &fill.fee),
            ("fee_currency", &fill.fee_currency),
        ];
        let about = about.map(|(key, value)| KeyValue::new(key, value.clone()));
        it.span.add_event("fill", about.to_vec());
    }
}

/// Whether that is the end of an order's life.
fn is_over(life: &str) -> bool {
    matches!(
        life,
        "denied" | "withdrawn" | "rejected" | "cancelled" | "expired" | "filled" | "absent"
    )
}
