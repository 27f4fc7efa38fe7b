//! What whoever asks is told when it does not work: problem+json (RFC 9457), with a code and a correlation id.

use super::ids;
use crate::codes::{self, Code};
use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The type of the content.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// Why something was not done.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    detail: String,
    retry_after: Option<u64>,
}

/// The same as it travels.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProblemBody {
    /// What kind it is: `urn:tse:CODE`.
    pub r#type: String,
    /// The kind in a few words.
    pub title: String,
    /// The status of the answer.
    pub status: u16,
    /// What happened here.
    pub detail: String,
    /// What `tse explain` explains.
    pub code: String,
    /// Under which the log has it.
    pub correlation_id: String,
}

impl Problem {
    /// Of a kind; `detail` says what happened here.
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into(), retry_after: None }
    }

    /// One that goes away: worth another try after so many seconds.
    #[must_use]
    pub fn again_in(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Its code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What happened here.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// After how many seconds it is worth another try, if it is.
    pub fn retry_after(&self) -> Option<u64> {
        self.retry_after
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { code, detail, retry_after } = self;
        let body = ProblemBody {
            r#type: format!("urn:tse:{}", code.code),
            title: code.title.to_owned(),
            status: code.status,
            detail,
            code: code.code.to_owned(),
            correlation_id: ids::correlation(),
        };
        let status = StatusCode::from_u16(code.status).expect("a test looks at every code");
        let mut response = (status, Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if code == codes::NO_TOKEN || code == codes::BAD_TOKEN {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
