//! Bodies and queries: what cannot be read is a problem that says where.

use super::Problem;
use crate::codes;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Json, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

/// How deep JSON may be.
pub(crate) const DEPTH_MAX: usize = 32;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(JsonRejection::MissingJsonContentType(_)) => {
                Err(Problem::new(codes::WRONG_KIND, "Content-Type is not application/json"))
            }
            Err(rejection) if rejection.status() == 413 => {
                Err(Problem::new(codes::TOO_LARGE, "the body is larger than 64 KiB"))
            }
            Err(rejection) => Err(Problem::new(codes::BAD_REQUEST, plain(&rejection.body_text()))),
        }
    }
}

/// A query.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::from_request_parts(parts, state).await;
        let wrong = |rejection: QueryRejection| {
            Problem::new(codes::BAD_REQUEST, plain(&rejection.body_text()))
        };
        query.map(|Query(query)| Self(query)).map_err(wrong)
    }
}

/// What a parser says, without control characters, and not too much of it.
fn plain(text: &str) -> String {
    text.chars().take(300).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// How deep brackets are nested, outside texts.
pub(crate) fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_outside_texts() {
        for (json, deep) in [
            ("1", 0),
            ("{}", 1),
            (r#"{"a":[1,[2]]}"#, 3),
            (r#"{"a":"[[[["}"#, 1),
            (r#"{"a":"\"[["}"#, 1),
            ("[[", 2),
        ] {
            assert_eq!(depth(json.as_bytes()), deep, "{json}");
        }
    }
}
