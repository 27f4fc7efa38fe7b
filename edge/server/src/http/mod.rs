//! HTTP: routes, and the layers that every request passes.
//!
//! ```text
//! names ─▶ trace ─▶ figures and log ─▶ panics ─▶ time and number of requests ─▶ who may ─▶ changes: once, audited ─▶ handler
//! ```
//!
//! Probes (health, readiness, metrics) pass no limit: they answer while anything can. The routes are in `read`,
//! `change`, `rows`, `debug` and `stream`; what each asks of whoever comes is in [`access`](crate::access). The
//! description in OpenAPI is made from the handlers.
//!
//! Begin at [`router`] and [`serve`].

mod backtest;
mod body;
mod change;
mod debug;
mod guard;
mod ids;
mod problem;
mod read;
mod red;
mod rows;
mod serve;
mod stream;
mod traced;
pub(crate) mod write;

use crate::app::App;
use crate::codes;
use crate::settings::Settings;
use axum::error_handling::HandleErrorLayer;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Router};
pub(crate) use guard::admit;
pub use guard::{Caller, SECOND_TOKEN};
pub(crate) use ids::layer as name_layer;
pub use ids::{CORRELATION, Ids, REQUEST, correlation, current};
pub use problem::{CONTENT_TYPE, Problem, ProblemBody};
pub(crate) use read::{StrategyState, strategy};
pub(crate) use serve::{HEADERS_WITHIN, patient};
pub use serve::{ServeError, Serving, listen, serve};
use std::any::Any;
use std::sync::Arc;
use tower::ServiceBuilder;
use tower::load_shed::error::Overloaded;
use tower::timeout::error::Elapsed;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};
use utoipa::OpenApi;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{RefOr, Required};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use utoipa_swagger_ui::SwaggerUi;

/// The largest body.
pub const BODY_MAX: usize = 64 << 10;

#[derive(OpenApi)]
#[openapi(
    info(title = "TSE", description = "An engine that trades: what it does, and what people want of it."),
    modifiers(&Security),
    tags(
        (name = "probes", description = "For whoever watches over the process."),
        (name = "trading", description = "What the engine does."),
        (name = "risk", description = "What may be lost, and how trading is cut back."),
        (name = "backtests", description = "The same engine over data that are there already."),
        (name = "audit", description = "Internals, for whoever audits; not in production."),
    )
)]
struct Description;

struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = openapi.components.get_or_insert_with(Default::default);
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
    }
}

/// What every change takes beside its body.
fn change_headers() -> [Parameter; 2] {
    let header = |name: &str, most: usize, what: &str| {
        let text = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .min_length(Some(1))
            .max_length(Some(most))
            .pattern(Some("^[!-~]+$"));
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some(what))
            .schema(Some(text))
            .build()
    };
    let once = "Done once: who asks again with the same key within a day gets the first answer.";
    let second = "The token of a second person, where something takes two.";
    [header("Idempotency-Key", write::KEY_MAX, once), header("X-Second-Token", 128, second)]
}

/// The pattern that a request was routed by.
pub(crate) struct RouteOf(Option<MatchedPath>);

/// What stands for the path of a request that no route took.
const UNMATCHED: &str = "unmatched";

impl RouteOf {
    fn of(request: &Request) -> Self {
        Self(request.extensions().get::<MatchedPath>().cloned())
    }

    /// Whether any route took it.
    fn is_served(&self) -> bool {
        self.0.is_some()
    }

    fn pattern(&self) -> &str {
        self.0.as_ref().map_or(UNMATCHED, MatchedPath::as_str)
    }
}

/// The routes that answer while anything can.
fn probes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(read::health))
        .routes(routes!(read::health_alias))
        .routes(routes!(read::ready))
        .routes(routes!(read::ready_alias))
        .routes(routes!(read::metrics))
        .routes(routes!(read::metrics_alias))
}

/// The rest.
fn api() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(read::status))
        .routes(routes!(read::strategies_active))
        .routes(routes!(read::strategies_available))
        .routes(routes!(read::strategy_status))
        .routes(routes!(read::strategy_performance))
        .routes(routes!(read::orders))
        .routes(routes!(rows::history))
        .routes(routes!(rows::order))
        .routes(routes!(rows::trades))
        .routes(routes!(read::positions))
        .routes(routes!(read::pnl))
        .routes(routes!(read::book))
        .routes(routes!(read::alerts))
        .routes(routes!(read::risk_status))
        .routes(routes!(change::start))
        .routes(routes!(change::stop))
        .routes(routes!(change::limits))
        .routes(routes!(change::circuit_breaker))
        .routes(routes!(change::kill))
        .routes(routes!(change::resume))
        .routes(routes!(change::acknowledge))
        .routes(routes!(backtest::start))
        .routes(routes!(backtest::result))
        .routes(routes!(stream::stream))
        .routes(routes!(debug::order_queue))
        .routes(routes!(debug::position_calculator))
        .routes(routes!(debug::limits))
}

/// The description of every route.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let routes = OpenApiRouter::with_openapi(Description::openapi()).merge(probes()).merge(api());
    let mut openapi = routes.into_openapi();
    for item in openapi.paths.paths.values_mut() {
        for change in [&mut item.post, &mut item.put, &mut item.delete].into_iter().flatten() {
            change.parameters.get_or_insert_default().extend(change_headers().map(RefOr::T));
        }
    }
    openapi
}

/// Every route behind its layers.
pub fn router(app: Arc<App>) -> Router {
    let (probes, _) = probes().split_for_parts();
    let (api, _) = api().split_for_parts();
    let docs = SwaggerUi::new("/docs").url("/api/v1/openapi.json", openapi());
    let limits = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(too_much))
        .load_shed()
        .layer(tower::limit::GlobalConcurrencyLimitLayer::new(app.settings.requests_max))
        .timeout(app.settings.request_timeout);
    let api = api
        .merge(Router::from(docs))
        .fallback(async || Problem::new(codes::NO_SUCH_ROUTE, "no route has that path"))
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(Arc::clone(&app), write::layer))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn_with_state(Arc::clone(&app), guard::layer))
        .layer(limits);
    Router::new()
        .merge(probes.method_not_allowed_fallback(wrong_method))
        .merge(api)
        .layer(map_response(dress))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(Arc::clone(&app), red::layer))
        .layer(from_fn_with_state(Arc::clone(&app), traced::layer))
        .layer(from_fn(ids::layer))
        .layer(browsers(&app.settings))
        .with_state(app)
}

/// What browsers are told of pages of others: those that are listed may ask.
fn browsers(settings: &Settings) -> CorsLayer {
    let origins = settings.origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            write::KEY,
            SECOND_TOKEN,
            CORRELATION,
            REQUEST,
        ])
        .expose_headers([CORRELATION, REQUEST, write::REPLAYED])
}

/// A refusal of a library is told as one of ours.
async fn dress(response: Response) -> Response {
    let status = response.status();
    let ours = [CONTENT_TYPE, "application/json"];
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
    if status.as_u16() < 400 || kind.is_some_and(|kind| ours.contains(&kind)) {
        return response;
    }
    let code = match status {
        StatusCode::NOT_FOUND => codes::NO_SUCH_ROUTE,
        StatusCode::METHOD_NOT_ALLOWED => codes::WRONG_METHOD,
        StatusCode::PAYLOAD_TOO_LARGE => codes::TOO_LARGE,
        StatusCode::UNSUPPORTED_MEDIA_TYPE => codes::WRONG_KIND,
        _ if status.is_client_error() => codes::BAD_REQUEST,
        _ => codes::PANIC,
    };
    Problem::new(code, "it cannot be answered as it was asked").into_response()
}

async fn wrong_method() -> Problem {
    Problem::new(codes::WRONG_METHOD, "the path is served, and not by that method")
}

/// What a layer of limits says.
async fn too_much(error: BoxError) -> Problem {
    if error.is::<Elapsed>() {
        Problem::new(codes::TIMED_OUT, "it took longer than it may")
    } else if error.is::<Overloaded>() {
        Problem::new(codes::BUSY, "as many requests are in work as may be").again_in(1)
    } else {
        Problem::new(codes::PANIC, error.to_string())
    }
}

/// What is said of a handler that panicked: nothing of why, which is in the log.
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    panic_of(&*panic).into_response()
}

/// Writes down that a handler panicked, and what is said of it.
pub(crate) fn panic_of(panic: &(dyn Any + Send)) -> Problem {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no text");
    tracing::error!(code = codes::PANIC.code, panic = text, "a handler panicked");
    Problem::new(codes::PANIC, "the log says more")
}
