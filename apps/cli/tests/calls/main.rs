//! `tse run` as a process that is called over gRPC: seen, followed, changed and stopped; and what traces say of it.

#[path = "../common/mod.rs"]
mod common;
mod traces;

use common::Bench;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tse_wire::v1;
use tse_wire::v1::risk_service_client::RiskServiceClient;
use tse_wire::v1::stream_strategy_updates_response::Update;
use tse_wire::v1::trading_service_client::TradingServiceClient;

/// How long anything may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// An engine that serves; killed when it is forgotten.
struct Running {
    bench: Bench,
    child: Child,
    http: u16,
    channel: Channel,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody had a moment ago.
fn port() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

impl Running {
    /// Begins the demo, and waits until it is called ready.
    async fn new(args: &[&str]) -> Self {
        Self::with(args, &[]).await
    }

    async fn with(args: &[&str], environment: &[(&str, &str)]) -> Self {
        let bench = Bench::new();
        let demo = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs tests"))
            .join("../../examples/demo.toml");
        bench.write("demo.toml", std::fs::read(demo).unwrap());
        let ((one, http), (two, grpc)) = (port(), port());
        drop((one, two));
        let ports = [http.to_string(), grpc.to_string()];
        let own = ["run", "demo.toml", "--http-port", &ports[0], "--grpc-port", &ports[1]];
        let all: Vec<_> = own.iter().chain(args).copied().collect();
        let child = bench
            .command(&all)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let endpoint = Channel::from_shared(format!("http://127.0.0.1:{grpc}")).unwrap();
        let connected = async {
            loop {
                match endpoint.connect().await {
                    Ok(channel) => return channel,
                    Err(_) => sleep(Duration::from_millis(10)).await,
                }
            }
        };
        let channel = timeout(PATIENCE, connected).await.expect("it listens");
        let running = Self { bench, child, http, channel };
        let ready = async {
            while running.health("").await != ServingStatus::Serving {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, ready).await.expect("it serves");
        running
    }

    fn trading(&self) -> TradingServiceClient<Channel> {
        TradingServiceClient::new(self.channel.clone())
    }

    fn risk(&self) -> RiskServiceClient<Channel> {
        RiskServiceClient::new(self.channel.clone())
    }

    /// What is answered over HTTP, all of it.
    fn get(&self, path: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.http)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let asked =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n{headers}connection: close\r\n\r\n");
        stream.write_all(asked.as_bytes()).unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).unwrap();
        said
    }

    async fn health(&self, service: &str) -> ServingStatus {
        let asked = HealthCheckRequest { service: service.to_owned() };
        let mut health = HealthClient::new(self.channel.clone());
        health.check(asked).await.unwrap().into_inner().status()
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// How it ends.
    async fn end(&mut self) -> Option<i32> {
        let ended = async {
            loop {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status.code();
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, ended).await.expect("it ends")
    }

    /// Calls until what is answered is so.
    async fn until<T>(
        &self,
        what: &str,
        call: impl AsyncFn() -> Result<T, Status>,
        is_so: impl Fn(&T) -> bool,
    ) -> T {
        let called = async {
            loop {
                let answer = call().await.unwrap();
                if is_so(&answer) {
                    return answer;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(PATIENCE, called).await.unwrap_or_else(|_| panic!("waited in vain until {what}"))
    }

    async fn strategy(&self, name: &str, status: v1::StrategyStatus) -> v1::Strategy {
        let call = async || {
            let asked = v1::GetStrategyStatusRequest { strategy_id: name.to_owned() };
            let said = self.trading().get_strategy_status(asked).await?.into_inner();
            assert!(said.last_updated.ends_with('Z'), "{said:?}");
            Ok(said.strategy.unwrap())
        };
        let what = format!("{name} is {status:?}");
        self.until(&what, call, |it: &v1::Strategy| it.status() == status).await
    }
}

#[tokio::test]
async fn m1b_2_health_is_served_over_rest_and_over_grpc_and_grpc_stops_serving_first() {
    let mut running = Running::new(&["--arm", "--speed", "20"]).await;
    let said = running.get("/api/v1/health", "");
    assert!(said.starts_with("HTTP/1.1 200") && said.contains(r#""status":"healthy""#), "{said}");
    for name in ["", "trading-system-engine", "tse.v1.TradingService", "tse.v1.RiskService"] {
        assert_eq!(running.health(name).await, ServingStatus::Serving, "{name}");
    }
    let mut health = HealthClient::new(running.channel.clone());
    let watched = health.watch(HealthCheckRequest::default()).await.unwrap();
    let mut watched = watched.into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().status(), ServingStatus::Serving);
    running.signal("-TERM");
    let told = timeout(PATIENCE, watched.message()).await.unwrap().unwrap().unwrap();
    assert_eq!(told.status(), ServingStatus::NotServing);
    assert!(timeout(PATIENCE, watched.message()).await.unwrap().unwrap().is_none());
    assert_eq!(running.end().await, Some(0));
}

#[tokio::test]
async fn what_changes_comes_by_a_stream_that_begins_with_how_things_stand() {
    let mut running = Running::new(&["--arm", "--speed", "60"]).await;
    let follow = v1::StreamStrategyUpdatesRequest::default();
    let followed = running.trading().stream_strategy_updates(follow).await.unwrap();
    let mut followed = followed.into_inner();
    let mut seen = BTreeSet::new();
    let mut seq = 0;
    let all = async {
        while seen.len() < 5 {
            let told = followed.message().await.unwrap().unwrap();
            seq += 1;
            assert_eq!(told.seq, seq);
            assert!(told.at.ends_with('Z'), "{told:?}");
            let update = told.update.unwrap();
            if seq == 1 {
                let Update::Snapshot(first) = &update else { panic!("{update:?}") };
                assert_eq!(first.resync, None);
                assert_eq!(first.books.len(), 2);
            }
            seen.insert(match update {
                Update::Snapshot(_) => "snapshot",
                Update::Order(it) => {
                    assert!(it.side() != v1::Side::Unspecified && !it.life.is_empty(), "{it:?}");
                    "order"
                }
                Update::Fill(it) => {
                    assert!(it.liquidity() != v1::Liquidity::Unspecified, "{it:?}");
                    assert!(it.price.parse::<f64>().unwrap() > 0.0 && !it.exec_id.is_empty());
                    "fill"
                }
                Update::Position(it) => {
                    assert!(it.size.parse::<f64>().is_ok(), "{it:?}");
                    "position"
                }
                Update::Book(it) => {
                    assert!(!it.instrument_id.is_empty());
                    "book"
                }
                // Those come when there is something to see.
                Update::Alert(_) => continue,
            });
        }
    };
    timeout(PATIENCE, all).await.expect("everything comes");
    let follow = v1::StreamStrategyUpdatesRequest {
        topics: vec![v1::Topic::Fills.into()],
        strategy_id: Some("maker".to_owned()),
    };
    let one = running.trading().stream_strategy_updates(follow).await.unwrap();
    let mut one = one.into_inner();
    let fills = async {
        let first = one.message().await.unwrap().unwrap();
        let Some(Update::Snapshot(snapshot)) = first.update else { panic!("{first:?}") };
        assert!(snapshot.orders.is_empty() && snapshot.books.is_empty());
        for seq in 2..6 {
            let told = one.message().await.unwrap().unwrap();
            assert_eq!(told.seq, seq);
            let Some(Update::Fill(fill)) = told.update else { panic!("{told:?}") };
            assert_eq!(fill.strategy_id, "maker");
        }
    };
    timeout(PATIENCE, fills).await.expect("fills come");
    let nobody = v1::StreamStrategyUpdatesRequest {
        topics: Vec::new(),
        strategy_id: Some("nobody".to_owned()),
    };
    let said = running.trading().stream_strategy_updates(nobody).await.unwrap_err();
    assert_eq!(said.code(), Code::NotFound);
    running.signal("-TERM");
    let over = async {
        loop {
            if let Err(over) = followed.message().await {
                return over;
            }
        }
    };
    let over = timeout(PATIENCE, over).await.expect("it is told");
    assert_eq!(over.code(), Code::Unavailable, "{over:?}");
    assert_eq!(over.metadata().get("code").unwrap(), "TSE-N117");
    assert_eq!(running.end().await, Some(0));
}

#[tokio::test]
async fn an_engine_is_seen_and_changed_by_calls() {
    let running = Running::new(&["--arm", "--speed", "60"]).await;
    let (mut trading, mut risk) = (running.trading(), running.risk());
    let all = trading.list_active_strategies(v1::ListActiveStrategiesRequest {}).await.unwrap();
    let names: Vec<_> = all.into_inner().strategies.into_iter().map(|it| it.strategy_id).collect();
    assert!(names.len() == 2 && names[0] == "maker", "{names:?}");
    running.strategy("maker", v1::StrategyStatus::Active).await;

    let call = async || {
        Ok(running.trading().get_portfolio(v1::GetPortfolioRequest {}).await?.into_inner())
    };
    let held = |it: &v1::GetPortfolioResponse| it.leverage.is_some_and(|it| it > 0.0);
    let portfolio = running.until("something is held", call, held).await;
    assert_eq!((portfolio.currency.as_str(), portfolio.cash.len()), ("USD", 2));
    let number = |text: &Option<String>| text.as_ref().unwrap().parse::<f64>().unwrap();
    let leverage = number(&portfolio.exposure) / number(&portfolio.equity);
    assert!((portfolio.leverage.unwrap() - leverage).abs() < 1e-12, "{portfolio:?}");
    let which = v1::GetPositionsRequest {
        strategy_id: Some("maker".to_owned()),
        instrument_id: Some("BTC-USD.NORTH".to_owned()),
    };
    let positions = trading.get_positions(which.clone()).await.unwrap().into_inner().positions;
    assert!(positions.iter().all(|it| it.strategy_id == "maker"), "{positions:?}");

    let status = risk.get_risk_status(v1::GetRiskStatusRequest {}).await.unwrap().into_inner();
    assert!(status.armed && status.level() == v1::Level::Free, "{status:?}");
    let limits = |version: &str, value: &str| v1::SetRiskLimitsRequest {
        strategy_id: Some("maker".to_owned()),
        instrument_id: Some("BTC-USD.NORTH".to_owned()),
        limits: vec![v1::NewLimit { limit: "long_max".to_owned(), value: value.to_owned() }],
        expected_version: Some(version.to_owned()),
        reason: "a drill".to_owned(),
        by: Some("ann".to_owned()),
        second: Some("bob".to_owned()),
        ..Default::default()
    };
    let changed = risk.set_risk_limits(limits(&status.version, "0.4")).await.unwrap().into_inner();
    assert!(changed.version != status.version && !changed.version.is_empty());
    let stale = risk.set_risk_limits(limits(&status.version, "0.3")).await.unwrap_err();
    assert_eq!(
        (stale.code(), stale.metadata().get("code").unwrap().to_str().unwrap()),
        (Code::Aborted, "TSE-N125")
    );
    let call = async || {
        Ok(running.risk().get_risk_status(v1::GetRiskStatusRequest {}).await?.into_inner())
    };
    let shown = running
        .until("it is shown", call, |it: &v1::GetRiskStatusResponse| it.version == changed.version)
        .await;
    let long =
        shown.limits.iter().find(|it| it.scope == "strategy:maker" && it.limit == "long_max");
    assert_eq!(long.unwrap().value.parse::<f64>().unwrap(), 0.4);

    let stop = v1::StopStrategyRequest {
        strategy_id: "maker".to_owned(),
        mode: v1::StopMode::Flatten.into(),
        reason: "a drill".to_owned(),
        by: Some("ann".to_owned()),
    };
    let stopped = trading.stop_strategy(stop.clone()).await.unwrap().into_inner();
    assert_eq!(stopped.status(), v1::StrategyStatus::Stopped, "{stopped:?}");
    assert!(stopped.message.contains("killed"), "{stopped:?}");
    let stopped = running.strategy("maker", v1::StrategyStatus::Stopped).await;
    assert_eq!(stopped.level(), v1::Level::Flatten);
    assert!(stopped.last_error.unwrap().contains("a drill"));
    let call =
        async || Ok(running.trading().get_positions(which.clone()).await?.into_inner().positions);
    running.until("what it held is closed", call, |it: &Vec<_>| it.is_empty()).await;
    let start = v1::StartStrategyRequest {
        strategy_id: "maker".to_owned(),
        reason: "it was one".to_owned(),
        by: Some("ann".to_owned()),
        second: None,
    };
    let started = trading.start_strategy(start).await.unwrap().into_inner();
    assert_eq!(started.status(), v1::StrategyStatus::Active, "{started:?}");

    let breaker = |action: v1::BreakerAction| v1::EnableCircuitBreakerRequest {
        scope: "portfolio".to_owned(),
        action: action.into(),
        reason: "a drill".to_owned(),
        by: Some("ann".to_owned()),
        second: None,
    };
    let tripped = risk.enable_circuit_breaker(breaker(v1::BreakerAction::Enable)).await.unwrap();
    assert_eq!(tripped.into_inner().level(), v1::Level::Cancel);
    let reset = risk.enable_circuit_breaker(breaker(v1::BreakerAction::Reset)).await.unwrap();
    assert_eq!(reset.into_inner().level(), v1::Level::Free);
    let close = v1::ForcePositionCloseRequest {
        target: Some(v1::force_position_close_request::Target::InstrumentId(
            "NOPE.NORTH".to_owned(),
        )),
        reason: "a drill".to_owned(),
        by: None,
    };
    let said = risk.force_position_close(close.clone()).await.unwrap_err();
    assert_eq!(said.code(), Code::NotFound, "{said:?}");
    let all = v1::force_position_close_request::Target::All(v1::Everything {});
    let close = v1::ForcePositionCloseRequest { target: Some(all), ..close };
    let closed = risk.force_position_close(close).await.unwrap().into_inner();
    assert_eq!(closed.level(), v1::Level::Flatten);

    let audit = running.bench.path().join("state/demo/audit.ndjson");
    let audit = std::fs::read_to_string(audit).unwrap();
    let lines: Vec<serde_json::Value> =
        audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let done = lines.iter().filter(|it| it["status"] == 200).count();
    assert_eq!((lines.len(), done), (8, 6), "{audit}");
    assert_eq!(lines[2]["body"]["mode"], "STOP_MODE_FLATTEN");
}
