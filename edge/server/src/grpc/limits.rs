//! How many calls may be in work, and how long each may take until it is answered. A stream is answered when it begins.

use super::refused;
use crate::access::{self, Access};
use crate::codes;
use crate::http::Problem;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// Places for calls in work, and how long one may be taken.
#[derive(Clone)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    longest: Duration,
}

impl Places {
    pub(super) fn new(count: usize, longest: Duration) -> Self {
        Self { free: Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS))), longest }
    }
}

/// Refuses a call for which there is no place, and gives up one that takes too long: longer than we allow, or than
/// whoever calls wants to wait.
pub(super) async fn layer(State(places): State<Places>, request: Request, next: Next) -> Response {
    let access = access::of_call(request.uri().path()).map(|(_, access)| access);
    if access == Some(Access::Open) {
        return next.run(request).await;
    }
    let Ok(_place) = places.free.try_acquire() else {
        let busy = Problem::new(codes::BUSY, "as many calls are in work as may be");
        return refused(busy.again_in(1));
    };
    let wanted = patience(request.headers()).unwrap_or(places.longest);
    match timeout(wanted.min(places.longest), next.run(request)).await {
        Ok(response) => response,
        Err(_) => refused(Problem::new(codes::TIMED_OUT, "it took longer than it may")),
    }
}

/// How long whoever calls will wait: up to eight digits and a unit.
fn patience(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        "H" => Duration::from_secs(count * 3_600),
        "M" => Duration::from_secs(count * 60),
        "S" => Duration::from_secs(count),
        "m" => Duration::from_millis(count),
        "u" => Duration::from_micros(count),
        "n" => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_is_read_as_the_protocol_writes_it() {
        let of = |text: &str| {
            patience(&HeaderMap::from_iter([(
                axum::http::HeaderName::from_static("grpc-timeout"),
                text.parse().unwrap(),
            )]))
        };
        for (text, long) in [
            ("1H", Duration::from_secs(3_600)),
            ("2M", Duration::from_secs(120)),
            ("3S", Duration::from_secs(3)),
            ("40m", Duration::from_millis(40)),
            ("5u", Duration::from_micros(5)),
            ("99999999n", Duration::from_nanos(99_999_999)),
        ] {
            assert_eq!(of(text), Some(long), "{text}");
        }
        for wrong in ["", "S", "1", "1s", "-1S", "123456789S", "1.5S", "+1S"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        assert_eq!(patience(&HeaderMap::new()), None);
    }
}
