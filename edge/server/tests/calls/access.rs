//! Who may call: every call times every scope, wrong tokens, strange hosts, and what is recorded of it.

use crate::common::{Bench, bearer};
use crate::{FAR, Served, code, endpoint, with};
use prost_reflect::DescriptorPool;
use std::collections::BTreeSet;
use tonic::{Code, Request};
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};
use tonic_reflection::pb::v1alpha::server_reflection_client as alpha;
use tse_server::access::RPCS;
use tse_server::token::Scope;
use tse_wire::v1;

/// What the contracts say, of everything that is served.
fn contracts() -> DescriptorPool {
    let mut pool = DescriptorPool::new();
    for described in [
        tse_wire::DESCRIPTION,
        tonic_health::pb::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    ] {
        pool.decode_file_descriptor_set(described).unwrap();
    }
    pool
}

fn calls() -> BTreeSet<String> {
    let pool = contracts();
    let each = pool.services().flat_map(|service| {
        let name = service.full_name().to_owned();
        service.methods().map(move |it| format!("{name}/{}", it.name())).collect::<Vec<_>>()
    });
    each.collect()
}

#[test]
fn every_call_of_the_contracts_is_in_the_table_and_the_other_way_round() {
    let listed: BTreeSet<_> = RPCS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(listed.len(), RPCS.len());
    assert_eq!(calls(), listed);
}

#[tokio::test]
async fn reflection_lists_what_is_served_and_describes_it() {
    let served = Served::new(&[]).await;
    let ask = async |wanted| -> ServerReflectionResponse {
        let request =
            ServerReflectionRequest { host: String::new(), message_request: Some(wanted) };
        let mut client = ServerReflectionClient::new(served.channel.clone());
        let asked = futures_util::stream::iter([request]);
        let mut answers = client.server_reflection_info(asked).await.unwrap().into_inner();
        answers.message().await.unwrap().unwrap()
    };
    let listed = ask(MessageRequest::ListServices(String::new())).await;
    let Some(MessageResponse::ListServicesResponse(listed)) = listed.message_response else {
        panic!("{listed:?}")
    };
    let listed: BTreeSet<_> = listed.service.into_iter().map(|it| it.name).collect();
    let v1 = "grpc.reflection.v1.ServerReflection";
    let known: BTreeSet<_> = contracts().services().map(|it| it.full_name().to_owned()).collect();
    // Each version of reflection names itself alone.
    let other = "grpc.reflection.v1alpha.ServerReflection";
    assert_eq!(listed, known.into_iter().filter(|it| it != other).collect());
    assert!(listed.contains(v1));
    for symbol in ["tse.v1.RiskService", "grpc.health.v1.Health", "tse.v1.Position"] {
        let described = ask(MessageRequest::FileContainingSymbol(symbol.to_owned())).await;
        let Some(MessageResponse::FileDescriptorResponse(files)) = described.message_response
        else {
            panic!("{symbol}: {described:?}")
        };
        assert!(!files.file_descriptor_proto.is_empty(), "{symbol}");
    }
    let mut client = alpha::ServerReflectionClient::new(served.channel.clone());
    let wanted =
        tonic_reflection::pb::v1alpha::server_reflection_request::MessageRequest::ListServices(
            String::new(),
        );
    let request = tonic_reflection::pb::v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(wanted),
    };
    let asked = futures_util::stream::iter([request]);
    let answers = client.server_reflection_info(asked).await.unwrap().into_inner();
    assert!({ answers }.message().await.unwrap().is_some());
}

#[tokio::test]
async fn every_call_asks_for_its_scope_and_for_no_other() {
    let served = Served::new(FAR).await;
    let tokens = Scope::ALL.map(|scope| (scope, served.bench.token(scope.name(), &[scope])));
    let mut looked = 0;
    for (name, access) in RPCS {
        let bare = served.call(name, None).await.err();
        let bare = bare.as_ref().map(|status| (status.code(), status));
        match access.scope() {
            None => assert!(bare.is_none_or(|(code, _)| code != Code::Unauthenticated), "{name}"),
            Some(_) => {
                let (status, said) = bare.unwrap();
                assert_eq!((status, code(said)), (Code::Unauthenticated, "TSE-N105"), "{name}");
            }
        }
        for (scope, token) in &tokens {
            let said = served.call(name, Some(token)).await.err();
            let refused = said
                .as_ref()
                .filter(|it| matches!(it.code(), Code::PermissionDenied | Code::Unauthenticated));
            let may = access.scope().is_none_or(|asked| asked == *scope || *scope == Scope::Admin);
            assert_eq!(refused.is_none(), may, "{name} with {}: {said:?}", scope.name());
            if let Some(refused) = refused {
                assert_eq!(code(refused), "TSE-N107");
            }
            looked += 1;
        }
    }
    assert_eq!(looked, RPCS.len() * Scope::ALL.len());
}

fn stop(by: Option<&str>) -> Request<v1::StopStrategyRequest> {
    Request::new(v1::StopStrategyRequest {
        strategy_id: "maker".to_owned(),
        mode: v1::StopMode::Flatten.into(),
        reason: "a drill".to_owned(),
        by: by.map(str::to_owned),
    })
}

#[tokio::test]
async fn on_a_developers_machine_nobody_needs_a_token_and_a_wrong_one_is_refused_all_the_same() {
    let served = Served::new(&[]).await;
    let stopped = served.trading().stop_strategy(stop(Some("ann"))).await.unwrap();
    assert_eq!(stopped.into_inner().strategy_id, "maker");
    for wrong in ["Bearer nonsense", "Basic YTpi"] {
        let wrong = with(stop(Some("ann")), "authorization", wrong);
        let said = served.trading().stop_strategy(wrong).await.unwrap_err();
        assert_eq!((said.code(), code(&said)), (Code::Unauthenticated, "TSE-N106"));
    }
    for environment in ["testing", "production", "docker"] {
        let served = Served::new(&[("ENVIRONMENT", environment)]).await;
        let said = served.trading().stop_strategy(stop(None)).await.unwrap_err();
        assert_eq!((said.code(), code(&said)), (Code::Unauthenticated, "TSE-N105"));
        // What only shows something needs none here.
        let said = served.call("tse.v1.TradingService/GetPortfolio", None).await.unwrap_err();
        assert_eq!((said.code(), code(&said)), (Code::Unavailable, "TSE-N118"));
    }
}

#[tokio::test]
async fn what_is_done_is_recorded_under_the_tokens_name_and_no_other() {
    let served = Served::new(FAR).await;
    let owner = bearer(served.bench.owner());
    let other = with(stop(Some("somebody")), "authorization", &owner);
    let said = served.trading().stop_strategy(other).await.unwrap_err();
    assert_eq!((said.code(), code(&said)), (Code::PermissionDenied, "TSE-N107"));
    let good = with(stop(None), "authorization", &owner);
    let good = with(good, "x-correlation-id", "case-7");
    served.trading().stop_strategy(good).await.unwrap();
    served.trading().stop_strategy(stop(None)).await.unwrap_err();
    let unreadable = served.call("tse.v1.RiskService/SetRiskLimits", Some(served.bench.owner()));
    assert_eq!(unreadable.await.unwrap_err().code(), Code::InvalidArgument);
    let audit = served.bench.audit();
    let seen: Vec<_> = audit
        .iter()
        .map(|it| {
            let text = |key: &str| it[key].as_str().unwrap_or_default().to_owned();
            (text("what"), text("by"), it["status"].as_u64().unwrap(), text("code"))
        })
        .collect();
    let line = |what: &str, by: &str, status, code: &str| {
        (what.to_owned(), by.to_owned(), status, code.to_owned())
    };
    let stopped = "tse.v1.TradingService/StopStrategy";
    assert_eq!(
        seen,
        [
            line(stopped, "owner", 403, "TSE-N107"),
            line(stopped, "owner", 200, ""),
            line(stopped, "", 401, "TSE-N105"),
            line("tse.v1.RiskService/SetRiskLimits", "owner", 400, "TSE-N101"),
        ]
    );
    assert_eq!(audit[1]["correlation_id"], "case-7");
    assert_eq!(audit[1]["body"]["mode"], "STOP_MODE_FLATTEN");
    assert_eq!(audit[1]["body"]["reason"], "a drill");
    let text = serde_json::to_string(&audit).unwrap();
    assert!(!text.contains(served.bench.owner()), "a token is nowhere recorded");
}

#[tokio::test]
async fn strange_hosts_are_refused_and_probes_are_not() {
    let served = Served::new(&[("ALLOWED_HOSTS", "desk.example")]).await;
    for (host, is_known) in
        [("localhost:50053", true), ("desk.example", true), ("evil.example", false)]
    {
        let origin = format!("http://{host}").parse().unwrap();
        let channel = endpoint(served.address).origin(origin).connect().await.unwrap();
        let mut trading = v1::trading_service_client::TradingServiceClient::new(channel.clone());
        let said = trading.get_portfolio(v1::GetPortfolioRequest {}).await.unwrap_err();
        let expected = if is_known { "TSE-N118" } else { "TSE-N108" };
        assert_eq!(code(&said), expected, "{host}");
        let mut health = tonic_health::pb::health_client::HealthClient::new(channel);
        health.check(tonic_health::pb::HealthCheckRequest::default()).await.unwrap();
    }
}

#[tokio::test]
async fn who_comes_with_wrong_tokens_waits() {
    let served = Served::new(FAR).await;
    let portfolio = "tse.v1.TradingService/GetPortfolio";
    for _ in 0..10 {
        assert_eq!(code(&served.call(portfolio, Some("wrong")).await.unwrap_err()), "TSE-N106");
    }
    // Whoever has a good one does not wait for others: the engine has not begun, and that is all.
    let said = served.call(portfolio, Some(served.bench.owner())).await.unwrap_err();
    assert_eq!(code(&said), "TSE-N118");
    let said = served.call(portfolio, Some("wrong")).await.unwrap_err();
    assert_eq!((said.code(), code(&said)), (Code::ResourceExhausted, "TSE-N110"));
    let wait = said.metadata().get("retry-after").unwrap().to_str().unwrap();
    assert!(wait.parse::<u64>().unwrap() <= 61);
}

#[tokio::test]
async fn a_service_that_only_shows_changes_nothing() {
    let served = Served::of(Bench::new(&[("READ_ONLY", "true")])).await;
    for (name, access) in RPCS {
        let said = served.call(name, Some(served.bench.owner())).await.err();
        let is_refused = said.as_ref().is_some_and(|it| it.code() == Code::PermissionDenied);
        assert_eq!(is_refused, access.changes(), "{name}: {said:?}");
        if let Some(said) = said.filter(|_| is_refused) {
            assert_eq!(code(&said), "TSE-N120");
        }
    }
}
