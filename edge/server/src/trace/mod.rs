//! Traces: a span for every request, every call and every order, sent to a collector by OTLP where one was named.
//!
//! Spans are made and named in any case, so that logs and answers say which trace they belong to; without a collector
//! nothing leaves. What leaves waits in a queue of fixed size for a thread of its own: one that is full drops spans,
//! and a collector that refuses, or says nothing, holds up nobody. The context of a trace comes in and goes on as W3C
//! writes it.
//!
//! Begin at [`Traces`]; orders are followed in [`Orders`], and which request they were made for is in [`Causes`].

mod causes;
mod orders;

use crate::http::{CORRELATION, Ids, current};
use crate::settings::Settings;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
pub use causes::Causes;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{
    SpanBuilder, SpanContext, SpanKind, TraceContextExt, Tracer, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::tonic_types::transport::ClientTlsConfig;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider, Span,
    TracerProviderBuilder,
};
pub use orders::Orders;
use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

/// How many spans wait to leave; one more is dropped.
const PLACES: usize = 8_192;
/// How many leave at once, and how often.
const BATCH: usize = 512;
const EVERY: Duration = Duration::from_secs(1);
/// How long a collector may take for a batch.
const PATIENCE: Duration = Duration::from_secs(5);

/// Says of an answer which span it is of, as W3C writes it.
const RESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// Why no span could leave.
#[derive(Debug, thiserror::Error)]
#[error("cannot send traces to {endpoint}: {source}")]
pub struct TraceError {
    /// Where to.
    endpoint: String,
    /// What is wrong with that.
    source: ExporterBuildError,
}

/// Where spans are made, and leave.
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
    leave: bool,
}

impl Traces {
    /// Spans that are made, and stay.
    pub fn none(settings: &Settings) -> Self {
        Self::of(builder(settings).build(), false)
    }

    /// Spans that leave for the collector that was named, if one was. A runtime must be entered, which carries them.
    ///
    /// # Errors
    /// An address that cannot be one.
    pub fn open(settings: &Settings) -> Result<Self, TraceError> {
        let Some(endpoint) = &settings.otel_endpoint else { return Ok(Self::none(settings)) };
        let exporter =
            SpanExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(PATIENCE);
        let exporter = match endpoint.starts_with("https://") {
            true => exporter.with_tls_config(ClientTlsConfig::new().with_enabled_roots()),
            false => exporter,
        };
        let wrong = |source| TraceError { endpoint: crate::masked(endpoint), source };
        let exporter = exporter.build().map_err(wrong)?;
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(PLACES)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(EVERY)
            .build();
        let processor = BatchSpanProcessor::builder(exporter).with_batch_config(config).build();
        Ok(Self::of(builder(settings).with_span_processor(processor).build(), true))
    }

    fn of(provider: SdkTracerProvider, leave: bool) -> Self {
        Self { tracer: provider.tracer("tse"), provider, leave }
    }

    /// The span of a request that came with these headers, and has these names.
    pub(crate) fn request(&self, name: String, headers: &HeaderMap, ids: &Ids) -> Span {
        let parent =
            TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers));
        let builder = SpanBuilder::from_name(name).with_kind(SpanKind::Server).with_attributes([
            KeyValue::new("correlation_id", ids.correlation.clone()),
            KeyValue::new("request_id", ids.request.clone()),
        ]);
        self.tracer.build_with_context(builder, &parent)
    }

    /// Rows of orders were written to a store up to a record, which took so long and ends now. Orders that were made for
    /// a request get a span in its trace, one for all their rows.
    pub fn stored<'a>(
        &self,
        causes: &Causes,
        store: &'static str,
        (record, took): (u64, Duration),
        orders: impl Iterator<Item = &'a str>,
    ) {
        if !self.leave || causes.is_empty() {
            return;
        }
        let end = SystemTime::now();
        for id in orders.collect::<BTreeSet<_>>() {
            let Some(made) = causes.order(id) else { continue };
            let builder = SpanBuilder::from_name("store order")
                .with_kind(SpanKind::Client)
                .with_start_time(end.checked_sub(took).unwrap_or(end))
                .with_attributes([
                    KeyValue::new("store", store),
                    KeyValue::new("order.id", id.to_owned()),
                    KeyValue::new("correlation_id", made.correlation),
                    KeyValue::new("journal.record", i64::try_from(record).unwrap_or(i64::MAX)),
                ]);
            let parent = Context::new().with_remote_span_context(made.span);
            let mut span = self.tracer.build_with_context(builder, &parent);
            opentelemetry::trace::Span::end_with_timestamp(&mut span, end);
        }
    }

    /// Sends what is left, and waits for that no longer than so long.
    pub fn end(&self, within: Duration) {
        if let Err(error) = self.provider.shutdown_with_timeout(within) {
            tracing::warn!(%error, "spans are lost");
        }
    }
}

/// Spans of this service, of which all are taken, unless whoever asks takes none of theirs.
fn builder(settings: &Settings) -> TracerProviderBuilder {
    let about = [
        KeyValue::new("service.name", settings.otel_service.clone()),
        KeyValue::new("service.namespace", "trading-ecosystem"),
        KeyValue::new("service.instance.id", settings.instance.display_name().to_owned()),
        KeyValue::new("service.version", settings.version.clone()),
    ];
    SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
        .with_resource(Resource::builder_empty().with_attributes(about).build())
}

/// Says which span an answer is of.
pub(crate) fn respond(span: &SpanContext, headers: &mut HeaderMap) {
    let (trace, id, flags) = (span.trace_id(), span.span_id(), span.trace_flags().to_u8());
    if let Ok(value) = HeaderValue::from_str(&format!("00-{trace}-{id}-{flags:02x}")) {
        headers.insert(RESPONSE, value);
    }
}

/// Adds what whoever is asked on behalf of the request in work should know of it: its trace, and what it belongs to.
pub fn pass_on(headers: &mut HeaderMap) {
    let Some(ids) = current() else { return };
    if let Ok(correlation) = HeaderValue::from_str(&ids.correlation) {
        headers.insert(CORRELATION, correlation);
    }
    if let Some(span) = ids.span {
        let context = Context::new().with_remote_span_context(span);
        TraceContextPropagator::new().inject_context(&context, &mut HeadersMut(headers));
    }
}

/// Headers that are read.
struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let value = self.0.get(key).and_then(|value| value.to_str().ok())?;
        // Whoever reads it afterwards would take shorter numbers too.
        (key != "traceparent" || is_whole(value)).then_some(value)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

/// Whether a parent is written as W3C asks: version, trace, span and flags, each of its length, and more only where a
/// later version has more.
fn is_whole(parent: &str) -> bool {
    let parts: Vec<_> = parent.split('-').collect();
    let lengths = parts.iter().map(|part| part.len());
    let is_hex = |part: &&str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    lengths.take(4).eq([2, 32, 16, 2])
        && parts[..4].iter().all(is_hex)
        && (parts[0] != "00" || parts.len() == 4)
}

/// Headers that are written.
struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        let pair = (HeaderName::try_from(key), HeaderValue::try_from(value));
        if let (Ok(key), Ok(value)) = pair {
            self.0.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests;
