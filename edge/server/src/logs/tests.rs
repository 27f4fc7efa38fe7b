use super::*;
use crate::http::Ids;
use crate::settings::{Settings, Variables};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use tracing::subscriber::with_default;

fn settings(level: &str) -> Settings {
    let pairs = [
        ("SERVICE_INSTANCE_NAME", "trading-system-engine-LH"),
        ("ENVIRONMENT", "testing"),
        ("LOG_LEVEL", level),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Settings::of(Variables::new(pairs)).unwrap()
}

/// What is written while something is done.
fn written(level: &str, format: LogFormat, act: impl FnOnce()) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lines");
    let (writer, guard) = tracing_appender::non_blocking(std::fs::File::create(&path).unwrap());
    let settings = settings(level);
    let lines = Lines {
        level: settings.log_level,
        format,
        service: settings.service.clone(),
        instance: settings.instance.display_name().to_owned(),
        environment: settings.environment.name(),
        writer,
    };
    with_default(tracing_subscriber::registry().with(lines), act);
    drop(guard);
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

fn everything() {
    tracing::debug!(target: "tse::x", "a debug");
    tracing::info!(target: "tse::x", count = 3_u64, share = 0.5, ok = true, name = "a\"b\nc", "an info");
    tracing::warn!(target: "tse::x", "a warning");
    tracing::error!(target: "tse::x", "an error");
    tracing::error!(target: CRITICAL, "a critical");
    tracing::info!(target: "hyper", "of a library");
    tracing::warn!(target: "hyper", "a warning of a library");
}

#[test]
fn m1b_3_a_line_is_a_json_object_and_the_level_filters() {
    for (level, lines) in [("debug", 6), ("INFO", 5), ("Warning", 4), ("ERROR", 2), ("critical", 1)]
    {
        let found = written(level, LogFormat::Json, everything);
        assert_eq!(found.len(), lines, "{level}: {found:#?}");
        assert!(found.iter().all(|line| serde_json::from_str::<Value>(line).unwrap().is_object()));
    }
}

#[test]
fn m120_4_every_line_has_service_instance_and_environment() {
    let found = written("debug", LogFormat::Json, everything);
    for line in &found {
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["service_name"], "trading-system-engine");
        assert_eq!(line["instance_name"], "trading-system-engine-LH");
        assert_eq!(line["environment"], "testing");
        let at = line["timestamp"].as_str().unwrap();
        assert!(at.ends_with('Z') && at.len() == "2026-01-01T00:00:00.000Z".len(), "{at}");
        assert!(!line["event"].as_str().unwrap().is_empty());
    }
    let info: Value = serde_json::from_str(&found[1]).unwrap();
    assert_eq!(
        (&info["count"], &info["share"], &info["ok"]),
        (&3.into(), &0.5.into(), &true.into())
    );
    assert_eq!((info["level"].as_str(), info["logger"].as_str()), (Some("INFO"), Some("tse::x")));
    assert_eq!(info["name"], "a\"b\nc");
}

#[test]
fn a_line_of_a_request_carries_its_names() {
    let span = SpanContext::new(
        TraceId::from_hex("4bf92f3577b34da6a3ce929d0e0e4736").unwrap(),
        SpanId::from_hex("00f067aa0ba902b7").unwrap(),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    );
    let (correlation, request) = ("c-7".to_owned(), "r-7".to_owned());
    let ids = Ids { correlation, request, span: Some(span) };
    let act = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(ids.scope(async { tracing::info!(target: "tse::x", "in work") }));
        tracing::info!(target: "tse::x", "after");
    };
    let found = written("info", LogFormat::Json, act);
    let lines: Vec<Value> = found.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&lines[0]["correlation_id"], &lines[0]["request_id"]),
        (&"c-7".into(), &"r-7".into())
    );
    assert_eq!(
        (&lines[0]["trace_id"], &lines[0]["span_id"]),
        (&"4bf92f3577b34da6a3ce929d0e0e4736".into(), &"00f067aa0ba902b7".into())
    );
    assert!(lines[1].get("correlation_id").is_none() && lines[1].get("trace_id").is_none());
}

#[test]
fn for_people_an_event_is_one_line_too() {
    let found = written("info", LogFormat::Console, everything);
    assert_eq!(found.len(), 5);
    assert!(found[0].contains("INFO") && found[0].contains("an info count=3"), "{}", found[0]);
    assert!(found[0].contains("trading-system-engine-LH"));
}
