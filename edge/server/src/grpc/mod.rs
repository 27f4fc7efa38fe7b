//! gRPC: the services of `proto/tse/v1`, health and reflection, and the layers that every call passes.
//!
//! ```text
//! names ─▶ figures and log ─▶ panics ─▶ time and number of calls ─▶ who may ─▶ one whole message
//!                                                    service ◀─ changes: once, audited ◀─┘
//! ```
//!
//! What may be asked, by whom, and what is done of it is the same as over HTTP: both read the table of
//! [`access`](crate::access), and both make their demands in one place. Probes pass no limit of number or time.
//! Pictures become messages in `show`; what does not work becomes a status in `status`.
//!
//! Begin at [`router`] and [`serve`].

mod guard;
mod health;
mod limits;
mod message;
mod red;
mod risk;
mod serve;
mod show;
mod status;
mod stream;
#[cfg(test)]
mod tests;
mod trading;
mod write;

use crate::app::App;
use crate::http::{Caller, Problem, name_layer, panic_of};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
pub use serve::serve;
use std::any::Any;
use std::sync::Arc;
use tonic::service::Routes;
use tonic::{Request, Status};
use tonic_health::pb::health_server::HealthServer;
use tower_http::catch_panic::CatchPanicLayer;
use tse_wire::v1::risk_service_server::RiskServiceServer;
use tse_wire::v1::trading_service_server::TradingServiceServer;

/// The largest message, in either direction.
pub const MESSAGE_MAX: usize = 4 << 20;

/// Every service behind its layers.
pub fn router(app: Arc<App>) -> Router {
    let trading = TradingServiceServer::new(trading::Trading(Arc::clone(&app)))
        .max_decoding_message_size(MESSAGE_MAX)
        .max_encoding_message_size(MESSAGE_MAX);
    let risk = RiskServiceServer::new(risk::Risk(Arc::clone(&app)))
        .max_decoding_message_size(MESSAGE_MAX)
        .max_encoding_message_size(MESSAGE_MAX);
    let described = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(tse_wire::DESCRIPTION)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let sound = "what describes our contracts was made of them";
    let routes = Routes::new(HealthServer::new(health::Health::new(Arc::clone(&app))))
        .add_service(trading)
        .add_service(risk)
        .add_service(described().build_v1().expect(sound))
        .add_service(described().build_v1alpha().expect(sound));
    let places = limits::Places::new(app.settings.requests_max, app.settings.request_timeout);
    routes
        .into_axum_router()
        .layer(from_fn_with_state(Arc::clone(&app), write::layer))
        .layer(from_fn_with_state(Arc::clone(&app), guard::layer))
        .layer(from_fn_with_state(places, limits::layer))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app, red::layer))
        .layer(from_fn(name_layer))
}

/// A call that is answered by what went wrong alone.
fn refused(problem: Problem) -> Response {
    Status::from(problem).into_http()
}

fn panicked(panic: Box<dyn Any + Send>) -> Response {
    refused(panic_of(&*panic))
}

/// Who asks.
fn caller<T>(request: &Request<T>) -> Caller {
    // Nothing gets here without having passed the guard, who says who it is.
    let caller = request.extensions().get::<Caller>();
    caller.cloned().expect("the guard lets nobody pass without a name")
}
