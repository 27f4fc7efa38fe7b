//! Logs: a JSON object a line, in a file of the engine's folder, and on the standard error output where that is wanted.
//!
//! Every line says when, how grave, who speaks, what happened, and of which service and instance it is; what happens
//! while a request is in work carries its names. Writers take lines from a queue of fixed size: where a disk does not
//! keep up, lines are lost and nobody waits.

use crate::http::current;
use crate::settings::{LogFormat, LogLevel, Settings};
use serde_json::{Map, Value};
use std::fmt;
use std::io::Write;
use std::path::Path;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// What a line must be of to count as critical: something that stops the service.
pub const CRITICAL: &str = "tse::critical";

/// How many days of files are kept.
const DAYS_KEPT: usize = 14;
/// The name of a file, before and after its day.
const NAME: (&str, &str) = ("log", "ndjson");

/// Why nothing can be logged.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The folder cannot be written.
    #[error("cannot write logs there: {0}")]
    Folder(#[from] tracing_appender::rolling::InitError),
    /// Something in this process logs already.
    #[error(transparent)]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Writes what is left when it is dropped.
pub struct Logs {
    _guards: Vec<WorkerGuard>,
}

impl Logs {
    /// Logs into `folder` from now on, and to the standard error output as `shown` says.
    ///
    /// # Errors
    /// Why it cannot.
    pub fn install(
        settings: &Settings,
        folder: &Path,
        shown: Option<LogFormat>,
    ) -> Result<Self, LogError> {
        let file = RollingFileAppender::builder()
            .rotation(Rotation::DAILY)
            .filename_prefix(NAME.0)
            .filename_suffix(NAME.1)
            .max_log_files(DAYS_KEPT)
            .build(folder)?;
        let (file, guard) = tracing_appender::non_blocking(file);
        let mut guards = vec![guard];
        let lines = |format, writer| Lines {
            level: settings.log_level,
            format,
            service: settings.service.clone(),
            instance: settings.instance.display_name().to_owned(),
            environment: settings.environment.name(),
            writer,
        };
        let shown = shown.map(|format| {
            let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
            guards.push(guard);
            lines(format, writer)
        });
        let registry = tracing_subscriber::registry();
        registry.with(lines(LogFormat::Json, file)).with(shown).try_init()?;
        Ok(Self { _guards: guards })
    }
}

/// Writes lines.
struct Lines {
    level: LogLevel,
    format: LogFormat,
    service: String,
    instance: String,
    environment: &'static str,
    writer: NonBlocking,
}

/// What an event is, of the five that the contract has.
fn level(metadata: &Metadata<'_>) -> LogLevel {
    match *metadata.level() {
        Level::ERROR if metadata.target() == CRITICAL => LogLevel::Critical,
        Level::ERROR => LogLevel::Error,
        Level::WARN => LogLevel::Warning,
        Level::INFO => LogLevel::Info,
        _ => LogLevel::Debug,
    }
}

impl Lines {
    /// What is ours as the setting says; of libraries what should be looked at.
    fn takes(&self, metadata: &Metadata<'_>) -> bool {
        let level = level(metadata);
        let ours = metadata.target().starts_with("tse");
        level >= self.level && (ours || level >= LogLevel::Warning)
    }

    fn json(&self, metadata: &Metadata<'_>, mut fields: Fields) -> String {
        let mut line = Map::new();
        let event = fields.event.take().unwrap_or_default();
        let mut put = |key: &str, value: String| line.insert(key.to_owned(), Value::String(value));
        put("timestamp", now());
        put("level", level(metadata).name().to_owned());
        put("logger", metadata.target().to_owned());
        put("event", event);
        put("service_name", self.service.clone());
        put("instance_name", self.instance.clone());
        put("environment", self.environment.to_owned());
        if let Some(ids) = current() {
            put("correlation_id", ids.correlation);
            put("request_id", ids.request);
            if let Some(span) = ids.span {
                put("trace_id", span.trace_id().to_string());
                put("span_id", span.span_id().to_string());
            }
        }
        // What everything has is not for one event to say.
        for (key, value) in fields.rest {
            line.entry(key).or_insert(value);
        }
        let mut text = Value::Object(line).to_string();
        text.push('\n');
        text
    }

    fn console(&self, metadata: &Metadata<'_>, fields: &Fields) -> String {
        let mut text = format!(
            "{} {:<8} {} {}",
            now(),
            level(metadata).name(),
            self.instance,
            fields.event.as_deref().unwrap_or_default()
        );
        for (key, value) in &fields.rest {
            match value {
                Value::String(value) => text.push_str(&format!(" {key}={value}")),
                value => text.push_str(&format!(" {key}={value}")),
            }
        }
        if let Some(ids) = current() {
            text.push_str(&format!(" correlation_id={}", ids.correlation));
            if let Some(span) = ids.span {
                text.push_str(&format!(" trace_id={} span_id={}", span.trace_id(), span.span_id()));
            }
        }
        // One event is one line, whatever is in it.
        let mut text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        text.push('\n');
        text
    }
}

/// The clock, in milliseconds.
fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

impl<S: Subscriber> Layer<S> for Lines {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        // All layers take the same; what none takes costs next to nothing.
        self.takes(metadata)
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if !self.takes(metadata) {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = match self.format {
            LogFormat::Json => self.json(metadata, fields),
            LogFormat::Console => self.console(metadata, &fields),
        };
        // A queue that is full loses it.
        let _ = self.writer.clone().write_all(line.as_bytes());
    }
}

/// What an event says.
#[derive(Default)]
struct Fields {
    event: Option<String>,
    rest: Map<String, Value>,
}

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        match field.name() {
            "message" => self.event = Some(value.as_str().unwrap_or_default().to_owned()),
            name => drop(self.rest.insert(name.to_owned(), value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Value::String(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Value::String(value.to_owned()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, Value::String(value.to_string()));
    }
}

#[cfg(test)]
mod tests;
