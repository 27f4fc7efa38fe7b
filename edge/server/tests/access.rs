//! Who may do what: every route times every scope, hosts, origins, wrong tokens, and what is recorded of it.

mod common;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use common::{Bench, bearer};
use std::net::SocketAddr;
use tse_node::{Answer, Demand};
use tse_server::access::{Access, ROUTES};
use tse_server::http::openapi;
use tse_server::token::Scope;

const FAR: &[(&str, &str)] =
    &[("HOST", "0.0.0.0"), ("ALLOW_PLAINTEXT", "true"), ("ENVIRONMENT", "testing")];

/// A path of a pattern.
fn path(pattern: &str) -> String {
    let parts = pattern.split('/').map(|part| if part.starts_with('{') { "x" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

fn request(method: &str, pattern: &str, token: Option<&str>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path(pattern));
    if let Some(token) = token {
        request = request.header("authorization", bearer(token));
    }
    request.header("content-type", "application/json").body(Body::from("{}")).unwrap()
}

#[test]
fn every_route_that_is_served_is_in_the_table_and_the_other_way_round() {
    let mut served: Vec<(String, String)> = Vec::new();
    for (path, item) in openapi().paths.paths {
        let methods = [
            ("GET", item.get.is_some()),
            ("PUT", item.put.is_some()),
            ("POST", item.post.is_some()),
            ("DELETE", item.delete.is_some()),
            ("PATCH", item.patch.is_some()),
            ("HEAD", item.head.is_some()),
            ("OPTIONS", item.options.is_some()),
            ("TRACE", item.trace.is_some()),
        ];
        let taken = methods.into_iter().filter(|(_, is)| *is);
        served.extend(taken.map(|(method, _)| (method.to_owned(), path.clone())));
    }
    // The description and its pages describe everything but themselves.
    let own = ["/api/v1/openapi.json", "/docs", "/docs/", "/docs/{*rest}"];
    served.extend(own.map(|path| ("GET".to_owned(), path.to_owned())));
    served.sort();
    let listed = ROUTES.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()));
    let mut listed: Vec<_> = listed.collect();
    listed.sort();
    assert_eq!(served, listed);
}

#[tokio::test]
async fn every_route_asks_for_its_scope_and_for_no_other() {
    let bench = Bench::new(FAR);
    let tokens = Scope::ALL.map(|scope| (scope, bench.token(scope.name(), &[scope])));
    let mut looked = 0;
    for (method, pattern, access) in ROUTES {
        let bare = bench.ask(request(method, pattern, None)).await;
        let is_refused =
            |status| matches!(status, StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED);
        match access.scope() {
            None => assert!(!is_refused(bare.status), "{pattern} {}", bare.text),
            Some(_) => {
                assert_eq!((bare.status, &*bare.code()), (StatusCode::UNAUTHORIZED, "TSE-N105"));
            }
        }
        for (scope, token) in &tokens {
            let said = bench.ask(request(method, pattern, Some(token))).await;
            let may = access.scope().is_none_or(|asked| asked == *scope || *scope == Scope::Admin);
            let refused = is_refused(said.status);
            assert_eq!(!refused, may, "{method} {pattern} with {}: {}", scope.name(), said.text);
            if refused {
                assert_eq!(said.code(), "TSE-N107");
            }
            looked += 1;
        }
    }
    assert_eq!(looked, ROUTES.len() * Scope::ALL.len());
}

#[tokio::test]
async fn a_reset_takes_the_scope_of_whoever_lets_trading_go_on() {
    let bench = Bench::new(FAR);
    let (kill, both) =
        (bench.token("ann", &[Scope::Kill]), bench.token("robert", &[Scope::Kill, Scope::Rearm]));
    let body =
        |action: &str| format!(r#"{{"scope":"portfolio","action":"{action}","reason":"a drill"}}"#);
    let path = "/api/v1/risk/circuit-breaker";
    for (token, action, status) in
        [(&kill, "trip", 200), (&kill, "reset", 403), (&both, "trip", 200), (&both, "reset", 200)]
    {
        let said = bench.post(path, &[("authorization", &bearer(token))], &body(action)).await;
        assert_eq!(said.status.as_u16(), status, "{action}: {}", said.text);
    }
}

#[tokio::test]
async fn on_a_developers_machine_nobody_needs_a_token_and_a_wrong_one_is_refused_all_the_same() {
    let bench = Bench::new(&[]);
    let kill = r#"{"reason":"a drill","by":"ann"}"#;
    assert_eq!(bench.post("/api/v1/kill", &[], kill).await.status, StatusCode::OK);
    let wrong = bench.post("/api/v1/kill", &[("authorization", "Bearer nonsense")], kill).await;
    assert_eq!((wrong.status, &*wrong.code()), (StatusCode::UNAUTHORIZED, "TSE-N106"));
    assert_eq!(wrong.headers["www-authenticate"], "Bearer");
    let basic = bench.post("/api/v1/kill", &[("authorization", "Basic YTpi")], kill).await;
    assert_eq!(basic.code(), "TSE-N106");
    for environment in ["testing", "production", "docker"] {
        let bench = Bench::new(&[("ENVIRONMENT", environment)]);
        assert_eq!(bench.post("/api/v1/kill", &[], kill).await.code(), "TSE-N105", "{environment}");
        assert_eq!(bench.get("/api/v1/health").await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn what_is_done_is_recorded_under_the_tokens_name_and_no_other() {
    let bench = Bench::new(FAR);
    let owner = bearer(bench.owner());
    let other = r#"{"reason":"a drill","by":"somebody"}"#;
    let said = bench.post("/api/v1/kill", &[("authorization", &owner)], other).await;
    assert_eq!((said.status, &*said.code()), (StatusCode::FORBIDDEN, "TSE-N107"));
    let ok = r#"{"reason":"a drill"}"#;
    let headers = [("authorization", &*owner), ("x-correlation-id", "case-7")];
    assert_eq!(bench.post("/api/v1/kill", &headers, ok).await.status, StatusCode::OK);
    let bare = bench.post("/api/v1/kill", &[], ok).await;
    assert_eq!(bare.status, StatusCode::UNAUTHORIZED);
    let audit = bench.audit();
    let seen: Vec<_> = audit.iter().map(|it| (&it["by"], &it["status"], &it["code"])).collect();
    assert_eq!(seen.len(), 3, "{audit:?}");
    assert_eq!(seen[0], (&"owner".into(), &403.into(), &"TSE-N107".into()));
    assert_eq!(seen[1], (&"owner".into(), &200.into(), &serde_json::Value::Null));
    assert_eq!(audit[1]["correlation_id"], "case-7");
    assert_eq!(audit[1]["what"], "POST /api/v1/kill");
    assert_eq!(audit[1]["body"]["reason"], "a drill");
    assert_eq!(seen[2], (&"".into(), &401.into(), &"TSE-N105".into()));
    let text = serde_json::to_string(&audit).unwrap();
    assert!(!text.contains(bench.owner()), "a token is nowhere recorded");
}

#[tokio::test]
async fn strange_hosts_and_pages_are_refused_and_probes_are_not() {
    let bench = Bench::new(&[
        ("ALLOWED_HOSTS", "desk.example"),
        ("ALLOWED_ORIGINS", "https://desk.example"),
    ]);
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        bench.ask(request.body(Body::empty()).unwrap()).await
    };
    let available = "/api/v1/strategies/available";
    for host in ["localhost:8083", "127.0.0.1", "[::1]:9", "desk.example:80", "DESK.example"] {
        assert_eq!(ask(available, &[("host", host)]).await.status, StatusCode::OK, "{host}");
    }
    for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8083", ""] {
        let said = ask(available, &[("host", host)]).await;
        assert_eq!((said.status, &*said.code()), (StatusCode::FORBIDDEN, "TSE-N108"), "{host}");
        assert_eq!(ask("/health", &[("host", host)]).await.status, StatusCode::OK);
    }
    let origin = |origin| [("host", "localhost:8083"), ("origin", origin)];
    for good in ["http://localhost:8083", "https://desk.example"] {
        assert_eq!(ask(available, &origin(good)).await.status, StatusCode::OK, "{good}");
    }
    for bad in ["https://evil.example", "null", "http://localhost:9", "http://localhost"] {
        let said = ask(available, &origin(bad)).await;
        assert_eq!((said.status, &*said.code()), (StatusCode::FORBIDDEN, "TSE-N109"), "{bad}");
    }
}

#[tokio::test]
async fn who_comes_with_wrong_tokens_waits_and_nobody_else_does() {
    let bench = Bench::new(FAR);
    let ask = async |peer: &str, token: &str| {
        let mut request = request("GET", "/api/v1/strategies/available", Some(token));
        let peer: SocketAddr = peer.parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        bench.ask(request).await
    };
    for _ in 0..10 {
        assert_eq!(ask("10.0.0.1:1", "wrong").await.code(), "TSE-N106");
    }
    let said = ask("10.0.0.1:2", "wrong").await;
    assert_eq!((said.status, &*said.code()), (StatusCode::TOO_MANY_REQUESTS, "TSE-N110"));
    assert!(said.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() <= 61);
    // Whoever has a good one does not wait for others at the same address.
    for peer in ["10.0.0.1:3", "10.0.0.2:1"] {
        assert_eq!(ask(peer, bench.owner()).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn what_only_an_audit_needs_is_not_in_production_unless_somebody_says_so() {
    for (pairs, status) in [
        (&[("ENVIRONMENT", "production")][..], StatusCode::NOT_FOUND),
        (&[("ENVIRONMENT", "production"), ("DEBUG", "true")], StatusCode::SERVICE_UNAVAILABLE),
        (&[], StatusCode::SERVICE_UNAVAILABLE),
    ] {
        let bench = Bench::new(pairs);
        for (method, pattern, access) in ROUTES {
            if matches!(access, Access::Audit(_)) {
                let said = bench.ask(request(method, pattern, Some(bench.owner()))).await;
                assert_eq!(said.status, status, "{pattern} {}", said.text);
            }
        }
    }
}

#[tokio::test]
async fn a_service_that_only_shows_changes_nothing() {
    let bench = Bench::new(&[("READ_ONLY", "true")]);
    for (method, pattern, access) in ROUTES {
        if access.changes() {
            let said = bench.ask(request(method, pattern, Some(bench.owner()))).await;
            assert_eq!((said.status, &*said.code()), (StatusCode::FORBIDDEN, "TSE-N120"));
        }
    }
    assert_eq!(bench.get("/api/v1/strategies/available").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_second_person_needs_the_same_scope_and_is_recorded() {
    let (bench, demands) = Bench::idle(FAR);
    std::thread::spawn(move || {
        for said in demands {
            let Demand::Resume { by, second, .. } = &said.demand else {
                panic!("{:?}", said.demand)
            };
            assert_eq!((by.as_str(), second.as_deref()), ("ann", Some("robert")));
            (said.answer)(Answer::default());
        }
    });
    let ann = bearer(&bench.token("ann", &[Scope::Rearm]));
    let robert = bench.token("robert", &[Scope::Rearm]);
    let screen = bench.token("a screen on the wall", &[Scope::Read, Scope::Kill]);
    let resume = r#"{"reason":"looked at it"}"#;
    let start = r#"{"id":"maker","reason":"looked at it"}"#;
    for (second, path, body, status) in [
        (&screen, "/api/v1/resume", resume, 403),
        (&screen, "/api/v1/strategies/start", start, 403),
        (&robert, "/api/v1/resume", resume, 503),
    ] {
        let headers = [("authorization", &*ann), ("x-second-token", second)];
        let said = bench.post(path, &headers, body).await;
        assert_eq!(said.status.as_u16(), status, "{path}: {}", said.text);
    }
    let wrong = [("authorization", &*ann), ("x-second-token", "nobody's")];
    assert_eq!(bench.post("/api/v1/resume", &wrong, resume).await.code(), "TSE-N106");
    let last = bench.audit().into_iter().find(|it| it["status"] == 503).unwrap();
    assert_eq!((&last["by"], &last["second"]), (&"ann".into(), &"robert".into()));
}

#[tokio::test]
async fn pages_that_are_listed_may_ask_from_a_browser_and_no_others() {
    let bench = Bench::new(&[("ALLOWED_ORIGINS", "https://desk.example")]);
    let ask = async |origin: &str| {
        let request = Request::options("/api/v1/kill")
            .header("host", "localhost:8083")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,idempotency-key");
        bench.ask(request.body(Body::empty()).unwrap()).await
    };
    let good = ask("https://desk.example").await;
    assert_eq!(good.status, StatusCode::OK);
    assert_eq!(good.headers["access-control-allow-origin"], "https://desk.example");
    let bad = ask("https://evil.example").await;
    assert!(!bad.headers.contains_key("access-control-allow-origin"), "{}", bad.text);
}
