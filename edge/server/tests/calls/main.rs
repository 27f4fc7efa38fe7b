//! Calls over a real channel: who may make them, what they come to, and how they are refused, bounded and ended.

mod access;
mod asked;
#[path = "../common/mod.rs"]
mod common;
mod limits;
mod refused;

use common::Bench;
use std::net::SocketAddr;
use std::sync::Arc;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::metadata::AsciiMetadataValue;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tonic_health::pb::health_client::HealthClient;
use tonic_prost::ProstCodec;
use tse_server::http::{Serving, listen};
use tse_wire::v1::risk_service_client::RiskServiceClient;
use tse_wire::v1::trading_service_client::TradingServiceClient;

pub(crate) const FAR: &[(&str, &str)] =
    &[("HOST", "0.0.0.0"), ("ALLOW_PLAINTEXT", "true"), ("ENVIRONMENT", "testing")];

/// A service that can be called.
pub(crate) struct Served {
    pub(crate) bench: Bench,
    pub(crate) address: SocketAddr,
    pub(crate) channel: Channel,
    pub(crate) serving: Serving,
}

impl Served {
    pub(crate) async fn new(pairs: &[(&str, &str)]) -> Self {
        Self::of(Bench::new(pairs)).await
    }

    pub(crate) async fn of(bench: Bench) -> Self {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tse_server::grpc::serve(Arc::clone(&bench.app), listener).await.unwrap();
        let channel = endpoint(address).connect().await.unwrap();
        Self { bench, address, channel, serving }
    }

    pub(crate) fn trading(&self) -> TradingServiceClient<Channel> {
        TradingServiceClient::new(self.channel.clone())
    }

    pub(crate) fn risk(&self) -> RiskServiceClient<Channel> {
        RiskServiceClient::new(self.channel.clone())
    }

    pub(crate) fn health(&self) -> HealthClient<Channel> {
        HealthClient::new(self.channel.clone())
    }

    /// Calls a method with nothing, whatever it is, and says how it begins to be answered.
    pub(crate) async fn call(&self, name: &str, token: Option<&str>) -> Result<(), Status> {
        let mut request = Request::new(());
        if let Some(token) = token {
            request = with(request, "authorization", &common::bearer(token));
        }
        let mut grpc = Grpc::new(self.channel.clone());
        grpc.ready().await.unwrap();
        let path = PathAndQuery::try_from(format!("/{name}")).unwrap();
        grpc.server_streaming(request, path, ProstCodec::<(), ()>::default()).await.map(drop)
    }
}

pub(crate) fn endpoint(address: SocketAddr) -> Endpoint {
    Channel::from_shared(format!("http://{address}")).unwrap()
}

/// A request with something in its metadata.
pub(crate) fn with<T>(mut request: Request<T>, key: &'static str, value: &str) -> Request<T> {
    let value: AsciiMetadataValue = value.parse().unwrap();
    request.metadata_mut().insert(key, value);
    request
}

/// The code of a refusal, which has a correlation id too.
pub(crate) fn code(status: &Status) -> &str {
    let correlation = status.metadata().get("correlation_id");
    assert!(correlation.is_some_and(|it| !it.is_empty()), "{status:?}");
    status.metadata().get("code").unwrap_or_else(|| panic!("{status:?}")).to_str().unwrap()
}
