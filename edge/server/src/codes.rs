//! What may go wrong for whoever speaks to the service: every code, with the status it travels under.
//!
//! A code is given once and never reused. `tse explain` tells the text.

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
    /// As it is written.
    pub code: &'static str,
    /// The status of HTTP.
    pub status: u16,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What it means and what to do.
    pub text: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $status:literal, $title:literal, $text:literal;)+) => {
        $(
            #[doc = $title]
            pub const $name: Code = Code { code: $code, status: $status, title: $title, text: $text };
        )+
        /// All of them.
        pub const ALL: &[Code] = &[$($name),+];
    };
}

codes! {
    BAD_REQUEST = "TSE-N101", 400, "The request cannot be read",
        "Its path, its query or its body is not what the route takes, or it names a level, a limit or a value that there is not; the detail says where. `/docs` shows every route.";
    NO_SUCH_THING = "TSE-N102", 404, "There is nothing of that name",
        "The route is there, and what it was asked about is not: the detail says what there is instead.";
    NO_SUCH_ROUTE = "TSE-N103", 404, "There is no such route",
        "`/api/v1/openapi.json` lists all routes, `/docs` shows them.";
    WRONG_METHOD = "TSE-N104", 405, "The route does not take that method",
        "`/docs` shows which methods each route takes.";
    NO_TOKEN = "TSE-N105", 401, "A token is needed",
        "Send it as `Authorization: Bearer TOKEN`. The first run of an engine left one in the file `token` in its folder, for its owner alone to read.";
    BAD_TOKEN = "TSE-N106", 401, "The token is not known here",
        "It is not in the engine's file of tokens, or it has expired there. Which of the two is not said.";
    MAY_NOT = "TSE-N107", 403, "The token may not do that",
        "Each route asks for one scope, and the token has others. The detail names the one that is missing.";
    WRONG_HOST = "TSE-N108", 403, "The service is not reached under that name",
        "A browser may be led to this machine under a strange name. Names that are meant are listed in ALLOWED_HOSTS.";
    WRONG_ORIGIN = "TSE-N109", 403, "Pages from there may not speak to the service",
        "Pages of others may change nothing here. Those that may are listed in ALLOWED_ORIGINS.";
    TOO_MANY_TRIES = "TSE-N110", 429, "Too many wrong tokens",
        "From that address came too many tokens that are not known here. Wait a minute.";
    TOO_LARGE = "TSE-N111", 413, "The request is too large",
        "A body may have 64 KiB, and JSON in it 32 levels.";
    WRONG_KIND = "TSE-N112", 415, "The body is not JSON",
        "Send it with `Content-Type: application/json`.";
    NOT_DONE = "TSE-N113", 422, "The engine does not do that",
        "It understood, and its rules do not allow it: the detail says which. docs/risk.md has the rules.";
    BUSY = "TSE-N114", 503, "The service is busy",
        "As many requests are in work as MAX_CONCURRENT_REQUESTS allows. Try again.";
    QUEUE_FULL = "TSE-N115", 429, "The engine's queue is full",
        "More is wanted of the engine than it has places for. Nothing was done. Try again.";
    TIMED_OUT = "TSE-N116", 504, "No answer in time",
        "The answer took longer than REQUEST_TIMEOUT. What was wanted may still be done: look before you ask again, or ask again with the same Idempotency-Key.";
    ENDING = "TSE-N117", 503, "The engine is ending",
        "It takes nothing new.";
    NO_PICTURE = "TSE-N118", 503, "The engine has not begun",
        "It is still recovering. `/ready` says when it has.";
    KEY_REUSED = "TSE-N119", 409, "The idempotency key was used for something else",
        "A key belongs to one request: the same key brings back its answer. Take a new one for another request.";
    READ_ONLY = "TSE-N120", 403, "Nothing can be changed over the network",
        "The service was started with READ_ONLY.";
    AUDIT_ONLY = "TSE-N121", 404, "Served only where somebody audits",
        "In production it is there with DEBUG=true.";
    PANIC = "TSE-X010", 500, "A bug in tse",
        "The request met a bug; the engine goes on. The log has it under the correlation id of the answer. Please report it.";
    TOO_MANY_STREAMS = "TSE-N122", 503, "Too many streams are open",
        "Close one first.";
    KEY_IN_WORK = "TSE-N123", 409, "The same request is in work",
        "A request with this idempotency key has not been answered yet. Ask again in a moment.";
    NO_SUCH_CALL = "TSE-N124", 404, "There is no such call",
        "Reflection lists all services and their calls; `proto/tse/v1` has the contracts.";
    LIMITS_CHANGED = "TSE-N125", 409, "The limits are others by now",
        "They are not the ones that were looked at, and nothing was changed. Look again: `GetRiskStatus` says their version.";
    NO_ROWS = "TSE-N126", 503, "Rows cannot be asked for",
        "No store is connected yet, or it refuses. The engine trades all the same, and rows catch up. `/ready` says how each store stands.";
}

/// The code of a text.
pub fn find(code: &str) -> Option<Code> {
    ALL.iter().copied().find(|it| it.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_given_once_and_explained() {
        for (at, it) in ALL.iter().enumerate() {
            assert!(ALL[at + 1..].iter().all(|other| other.code != it.code), "{}", it.code);
            assert!((400..600).contains(&it.status) && it.text.ends_with('.'), "{}", it.code);
            assert_eq!(find(it.code), Some(*it));
        }
    }
}
