//! What does not work, as a status of gRPC with its code and correlation id in the metadata that trails.

use crate::codes::{self, Code as Ours};
use crate::http::{Problem, correlation};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::{Code, Status};

/// Under which the code of a problem travels.
pub(super) const CODE: &str = "code";
/// Under which its correlation id does.
const CORRELATION: &str = "correlation_id";
/// Under which it is said after how many seconds another try is worth it.
const RETRY: &str = "retry-after";

impl From<Problem> for Status {
    fn from(problem: Problem) -> Self {
        let ours = problem.code();
        let mut metadata = MetadataMap::new();
        metadata.insert(CODE, MetadataValue::from_static(ours.code));
        if let Ok(correlation) = correlation().parse() {
            metadata.insert(CORRELATION, correlation);
        }
        if let Some(seconds) = problem.retry_after() {
            metadata.insert(RETRY, MetadataValue::from(seconds));
        }
        Self::with_metadata(code(ours), problem.detail(), metadata)
    }
}

/// The status that a code travels under.
fn code(ours: Ours) -> Code {
    match ours {
        codes::NO_SUCH_CALL => Code::Unimplemented,
        // It will never be done under that key.
        codes::KEY_REUSED => Code::FailedPrecondition,
        _ => match ours.status {
            400 | 415 => Code::InvalidArgument,
            401 => Code::Unauthenticated,
            403 => Code::PermissionDenied,
            404 => Code::NotFound,
            405 => Code::Unimplemented,
            409 => Code::Aborted,
            413 | 429 => Code::ResourceExhausted,
            422 => Code::FailedPrecondition,
            503 => Code::Unavailable,
            504 => Code::DeadlineExceeded,
            _ => Code::Internal,
        },
    }
}

/// As it is written in figures and logs.
pub(super) fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_and_those_of_ours_alone_are_internal() {
        for ours in codes::ALL {
            let status = Status::from(Problem::new(*ours, "what happened").again_in(3));
            assert_eq!(status.code() == Code::Internal, ours.status == 500, "{}", ours.code);
            assert_ne!(status.code(), Code::Ok);
            assert_eq!(status.metadata().get(CODE).unwrap(), ours.code);
            assert_eq!(status.metadata().get(RETRY).unwrap(), "3");
            assert_eq!(status.message(), "what happened");
        }
        let of = |ours| Status::from(Problem::new(ours, "")).code();
        assert_eq!(of(codes::NOT_DONE), Code::FailedPrecondition);
        assert_eq!(of(codes::KEY_IN_WORK), Code::Aborted);
        assert_eq!(of(codes::KEY_REUSED), Code::FailedPrecondition);
        assert_eq!(of(codes::QUEUE_FULL), Code::ResourceExhausted);
        assert_eq!(of(codes::TIMED_OUT), Code::DeadlineExceeded);
    }
}
