//! What calls ask of the engine, once for each key, and what their answers carry.

use crate::common::{Bench, bearer};
use crate::{FAR, Served, code, with};
use std::sync::{Arc, Mutex};
use tonic::{Code, Request};
use tse_node::{Answer, Demand};
use tse_server::token::Scope;
use tse_wire::v1;
use tse_wire::v1::force_position_close_request::Target;

/// An engine that does everything, and what was demanded of it.
async fn heard(pairs: &[(&str, &str)]) -> (Served, Arc<Mutex<Vec<Demand>>>) {
    let (bench, demands) = Bench::idle(pairs);
    let all = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&all);
    std::thread::spawn(move || {
        for said in demands {
            let answer = match &said.demand {
                Demand::Kill { scope, .. } if scope == "strategy:nobody" => Answer {
                    misunderstood: Some(tse_node::Misunderstood::Name),
                    ..Answer::refused("no strategy `nobody`")
                },
                Demand::Limit { value, .. } if value == "never" => Answer::refused("not that"),
                _ => Answer::default(),
            };
            heard.lock().unwrap().push(said.demand);
            (said.answer)(answer);
        }
    });
    (Served::of(bench).await, all)
}

fn take(all: &Mutex<Vec<Demand>>) -> Vec<Demand> {
    std::mem::take(&mut *all.lock().unwrap())
}

fn kill(scope: &str, level: &str, by: &str) -> Demand {
    Demand::Kill {
        scope: scope.to_owned(),
        level: level.to_owned(),
        by: by.to_owned(),
        why: "a drill".to_owned(),
    }
}

fn resume(scope: &str, by: &str, second: Option<&str>) -> Demand {
    Demand::Resume {
        scope: scope.to_owned(),
        to: "free".to_owned(),
        role: "risk".to_owned(),
        by: by.to_owned(),
        second: second.map(str::to_owned),
        why: "a drill".to_owned(),
    }
}

fn text(text: &str) -> String {
    text.to_owned()
}

#[tokio::test]
async fn every_call_that_changes_something_asks_the_engine_for_just_that() {
    let (served, all) = heard(&[]).await;
    let (mut trading, mut risk) = (served.trading(), served.risk());
    for (mode, level) in [
        (v1::StopMode::Unspecified, "cancel"),
        (v1::StopMode::Graceful, "cancel"),
        (v1::StopMode::Flatten, "flatten"),
        (v1::StopMode::Kill, "halt"),
    ] {
        let stop = v1::StopStrategyRequest {
            strategy_id: text("maker"),
            mode: mode.into(),
            reason: text("a drill"),
            by: Some(text("ann")),
        };
        trading.stop_strategy(stop).await.unwrap();
        assert_eq!(take(&all), [kill("strategy:maker", level, "ann")]);
    }
    let start = v1::StartStrategyRequest {
        strategy_id: text("maker"),
        reason: text("a drill"),
        by: Some(text("ann")),
        second: Some(text("bob")),
    };
    trading.start_strategy(start).await.unwrap();
    assert_eq!(take(&all), [resume("strategy:maker", "ann", Some("bob"))]);
    for (target, scope) in [
        (Target::StrategyId(text("maker")), "strategy:maker"),
        (Target::InstrumentId(text("BTC-USD.NORTH")), "instrument:BTC-USD.NORTH"),
        (Target::All(v1::Everything {}), "firm"),
    ] {
        let close = v1::ForcePositionCloseRequest {
            target: Some(target),
            reason: text("a drill"),
            by: None,
        };
        risk.force_position_close(close).await.unwrap();
        assert_eq!(take(&all), [kill(scope, "flatten", "local")]);
    }
    for (scope, action, demand) in [
        ("portfolio", v1::BreakerAction::Enable, kill("firm", "cancel", "ann")),
        ("maker", v1::BreakerAction::Enable, kill("strategy:maker", "cancel", "ann")),
        ("portfolio", v1::BreakerAction::Reset, resume("firm", "ann", None)),
        ("maker", v1::BreakerAction::Reset, resume("strategy:maker", "ann", None)),
    ] {
        let breaker = v1::EnableCircuitBreakerRequest {
            scope: text(scope),
            action: action.into(),
            reason: text("a drill"),
            by: Some(text("ann")),
            second: None,
        };
        risk.enable_circuit_breaker(breaker).await.unwrap();
        assert_eq!(take(&all), [demand]);
    }
    let limit = |limit: &str, value: &str| v1::NewLimit { limit: text(limit), value: text(value) };
    let limits = v1::SetRiskLimitsRequest {
        strategy_id: Some(text("maker")),
        instrument_id: Some(text("BTC-USD.NORTH")),
        group: None,
        limits: vec![limit("long_max", "2"), limit("short_max", "never"), limit("collar_bps", "9")],
        expected_version: None,
        reason: text("a drill"),
        by: Some(text("ann")),
        second: None,
    };
    let said = risk.set_risk_limits(limits).await.unwrap_err();
    assert_eq!((said.code(), code(&said)), (Code::FailedPrecondition, "TSE-N113"));
    assert!(said.message().contains("1 of 3 were changed before"), "{}", said.message());
    let asked = |limit: &str, value: &str| Demand::Limit {
        limit: text(limit),
        value: text(value),
        strategy: Some(text("maker")),
        symbol: Some(text("BTC-USD.NORTH")),
        group: None,
        by: text("ann"),
        second: None,
        why: text("a drill"),
    };
    assert_eq!(take(&all), [asked("long_max", "2"), asked("short_max", "never")]);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_before_anybody_is_asked() {
    let (served, all) = heard(&[]).await;
    let (mut trading, mut risk) = (served.trading(), served.risk());
    let stop = v1::StopStrategyRequest {
        strategy_id: text("maker"),
        mode: 1,
        reason: text("a drill"),
        by: None,
    };
    let close = v1::ForcePositionCloseRequest { target: None, reason: text("a drill"), by: None };
    let breaker = v1::EnableCircuitBreakerRequest {
        scope: text("portfolio"),
        action: 1,
        reason: text("a drill"),
        ..Default::default()
    };
    let limits = v1::SetRiskLimitsRequest {
        limits: vec![v1::NewLimit { limit: text("long_max"), value: text("2") }],
        reason: text("a drill"),
        ..Default::default()
    };
    let stops = [
        v1::StopStrategyRequest { strategy_id: String::new(), ..stop.clone() },
        v1::StopStrategyRequest { reason: text(" "), ..stop.clone() },
        v1::StopStrategyRequest { mode: 77, ..stop.clone() },
    ];
    let mut refused = Vec::new();
    for it in stops {
        refused.push(trading.stop_strategy(it).await.unwrap_err());
    }
    refused.push(risk.force_position_close(close).await.unwrap_err());
    for it in [
        v1::EnableCircuitBreakerRequest { action: 0, ..breaker.clone() },
        v1::EnableCircuitBreakerRequest { action: 9, ..breaker.clone() },
        v1::EnableCircuitBreakerRequest { scope: String::new(), ..breaker },
    ] {
        refused.push(risk.enable_circuit_breaker(it).await.unwrap_err());
    }
    for it in [
        v1::SetRiskLimitsRequest { limits: Vec::new(), ..limits.clone() },
        v1::SetRiskLimitsRequest { group: Some(70_000), ..limits.clone() },
        v1::SetRiskLimitsRequest { reason: String::new(), ..limits.clone() },
    ] {
        refused.push(risk.set_risk_limits(it).await.unwrap_err());
    }
    let follow = v1::StreamStrategyUpdatesRequest { topics: vec![0], strategy_id: None };
    refused.push(trading.stream_strategy_updates(follow).await.unwrap_err());
    for said in &refused {
        assert_eq!((said.code(), code(said)), (Code::InvalidArgument, "TSE-N101"), "{said:?}");
    }
    assert_eq!(take(&all), [], "nobody was asked");
    // Whoever looked at limits that nobody can show any more changes nothing.
    let stale = v1::SetRiskLimitsRequest { expected_version: Some(text("0")), ..limits };
    let said = risk.set_risk_limits(stale).await.unwrap_err();
    assert_eq!((said.code(), code(&said)), (Code::Aborted, "TSE-N125"));
    assert_eq!(take(&all), [Demand::Status]);
    let nobody = v1::StopStrategyRequest { strategy_id: text("nobody"), ..stop };
    let said = trading.stop_strategy(nobody).await.unwrap_err();
    assert_eq!((said.code(), code(&said)), (Code::NotFound, "TSE-N102"));
}

#[tokio::test]
async fn what_takes_two_takes_two_tokens_and_a_reset_the_scope_to_let_trading_go_on() {
    let (served, all) = heard(FAR).await;
    let ann = served.bench.token("ann", &[Scope::Kill]);
    let robert = served.bench.token("robert", &[Scope::Kill, Scope::Rearm]);
    let breaker = || {
        Request::new(v1::EnableCircuitBreakerRequest {
            scope: text("portfolio"),
            action: v1::BreakerAction::Reset.into(),
            reason: text("a drill"),
            by: None,
            // Where tokens say who it is, nobody else does.
            second: Some(text("somebody")),
        })
    };
    let alone = with(breaker(), "authorization", &bearer(&ann));
    let said = served.risk().enable_circuit_breaker(alone).await.unwrap_err();
    assert_eq!((said.code(), code(&said)), (Code::PermissionDenied, "TSE-N107"));
    assert_eq!(take(&all), []);
    let alone = with(breaker(), "authorization", &bearer(&robert));
    served.risk().enable_circuit_breaker(alone).await.unwrap();
    assert_eq!(take(&all), [resume("firm", "robert", None)]);
    // A second person may do no less than the first.
    let two = with(with(breaker(), "authorization", &bearer(&robert)), "x-second-token", &ann);
    let said = served.risk().enable_circuit_breaker(two).await.unwrap_err();
    assert_eq!((said.code(), code(&said)), (Code::PermissionDenied, "TSE-N107"));
    assert_eq!(take(&all), []);
    let carol = served.bench.token("carol-anne", &[Scope::Kill, Scope::Rearm]);
    let two = with(with(breaker(), "authorization", &bearer(&robert)), "x-second-token", &carol);
    served.risk().enable_circuit_breaker(two).await.unwrap();
    assert_eq!(take(&all), [resume("firm", "robert", Some("carol-anne"))]);
    let wrong = with(breaker(), "authorization", &bearer(&robert));
    let wrong = with(wrong, "x-second-token", "nonsense");
    let said = served.risk().enable_circuit_breaker(wrong).await.unwrap_err();
    assert_eq!((said.code(), code(&said)), (Code::Unauthenticated, "TSE-N106"));
    assert_eq!(take(&all), []);
}

#[tokio::test]
async fn a_call_with_a_key_is_done_once() {
    let (served, all) = heard(&[]).await;
    let stop = |strategy: &str, key: &str| {
        let stop = v1::StopStrategyRequest {
            strategy_id: text(strategy),
            mode: 1,
            reason: text("a drill"),
            by: None,
        };
        with(Request::new(stop), "idempotency-key", key)
    };
    let first = served.trading().stop_strategy(stop("maker", "k")).await.unwrap();
    assert!(first.metadata().get("idempotent-replayed").is_none());
    let again = served.trading().stop_strategy(stop("maker", "k")).await.unwrap();
    assert_eq!(again.metadata().get("idempotent-replayed").unwrap(), "true");
    assert_eq!(first.into_inner(), again.into_inner());
    assert_eq!(take(&all).len(), 1);
    let other = served.trading().stop_strategy(stop("taker", "k")).await.unwrap_err();
    assert_eq!((other.code(), code(&other)), (Code::FailedPrecondition, "TSE-N119"));
    // What was refused for good is refused as before, and nobody is asked again.
    let mut refused = Vec::new();
    for _ in 0..2 {
        let said = served.trading().stop_strategy(stop("nobody", "n")).await.unwrap_err();
        refused.push((said.code(), code(&said).to_owned(), said.message().to_owned()));
    }
    assert_eq!(refused[0].0, Code::NotFound);
    assert_eq!(refused[0], refused[1]);
    assert_eq!(take(&all).len(), 1);
    let long = served.trading().stop_strategy(stop("maker", &"k".repeat(129))).await.unwrap_err();
    assert_eq!((long.code(), code(&long)), (Code::InvalidArgument, "TSE-N101"));
    assert_eq!(served.bench.audit().len(), 6, "each was recorded, however it was answered");
}

#[tokio::test]
async fn names_of_a_call_are_taken_made_up_and_echoed() {
    let (served, _) = heard(&[]).await;
    let stop = || {
        Request::new(v1::StopStrategyRequest {
            strategy_id: text("maker"),
            mode: 1,
            reason: text("a drill"),
            by: None,
        })
    };
    let named = with(stop(), "x-correlation-id", "case-7");
    let done = served.trading().stop_strategy(with(named, "x-request-id", "r-1")).await.unwrap();
    assert_eq!(done.metadata().get("x-correlation-id").unwrap(), "case-7");
    assert_eq!(done.metadata().get("x-request-id").unwrap(), "r-1");
    let done = served.trading().stop_strategy(stop()).await.unwrap();
    let made = done.metadata().get("x-request-id").unwrap();
    assert_eq!(made.len(), 32);
    assert_eq!(done.metadata().get("x-correlation-id").unwrap(), made);
    let mut refused = stop();
    refused.get_mut().reason.clear();
    let said = served.trading().stop_strategy(with(refused, "x-correlation-id", "case-8")).await;
    let said = said.unwrap_err();
    assert_eq!(said.metadata().get("correlation_id").unwrap(), "case-8");
    assert_eq!(said.metadata().get("x-correlation-id").unwrap(), "case-8");
    let audit = served.bench.audit();
    let ids: Vec<_> = audit.iter().map(|it| it["correlation_id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["case-7", made.to_str().unwrap(), "case-8"]);
}
