//! The two names of a request: `X-Correlation-ID` of what it belongs to, `X-Request-ID` of itself.
//!
//! Both are taken as they come if they can be, and made up if not; both are echoed, and whatever is said or recorded
//! while the request is in work carries them.

use crate::token::hex;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use opentelemetry::trace::SpanContext;

/// What a request belongs to.
pub const CORRELATION: HeaderName = HeaderName::from_static("x-correlation-id");
/// The request itself.
pub const REQUEST: HeaderName = HeaderName::from_static("x-request-id");

/// The longest that is taken.
const LENGTH_MAX: usize = 128;

/// Both, and its part of a trace.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ids {
    /// What it belongs to.
    pub correlation: String,
    /// Itself.
    pub request: String,
    /// Its part of a trace, where there is one.
    pub span: Option<SpanContext>,
}

tokio::task_local! {
    static OF_TASK: Ids;
}

impl Ids {
    /// A request's, by its headers.
    pub fn of(headers: &HeaderMap) -> Self {
        let request = named(headers, &REQUEST).unwrap_or_else(fresh);
        let correlation = named(headers, &CORRELATION).unwrap_or_else(|| request.clone());
        Self { correlation, request, span: None }
    }

    /// Does something at once with these names on it.
    pub fn sync_scope<T>(self, act: impl FnOnce() -> T) -> T {
        OF_TASK.sync_scope(self, act)
    }

    /// Does something with these names on whatever is said meanwhile.
    pub async fn scope<F: Future>(self, act: F) -> F::Output {
        OF_TASK.scope(self, act).await
    }
}

/// The names of the request that is in work, if one is.
pub fn current() -> Option<Ids> {
    OF_TASK.try_with(Clone::clone).ok()
}

/// What the request in work belongs to; empty without one.
pub fn correlation() -> String {
    OF_TASK.try_with(|ids| ids.correlation.clone()).unwrap_or_default()
}

fn named(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?.trim();
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '<' | '>');
    (!text.is_empty() && text.len() <= LENGTH_MAX && text.chars().all(plain))
        .then(|| text.to_owned())
}

fn fresh() -> String {
    let mut bytes = [0; 16];
    // A name that is not random is still a name.
    let _ = getrandom::fill(&mut bytes);
    hex(&bytes)
}

/// Gives a request its names, and echoes them.
pub(crate) async fn layer(request: Request, next: Next) -> Response {
    let ids = Ids::of(request.headers());
    let mut response = ids.clone().scope(next.run(request)).await;
    for (name, value) in [(CORRELATION, &ids.correlation), (REQUEST, &ids.request)] {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_bytes(value.as_bytes()).unwrap())])
    }

    #[test]
    fn names_are_taken_as_they_come_or_made_up() {
        let ids = Ids::of(&headers(CORRELATION, "order-7"));
        assert_eq!(ids.correlation, "order-7");
        assert_eq!(ids.request.len(), 32);
        let other = Ids::of(&HeaderMap::new());
        assert_eq!(other.correlation, other.request, "it belongs to itself");
        assert_ne!(other.request, ids.request);
        for wrong in ["", "a b", "<script>", &"x".repeat(129), "ä", "a\"b"] {
            assert_ne!(Ids::of(&headers(CORRELATION, wrong)).correlation, wrong);
        }
    }
}
