//! Requests that carry a key are done once: who asks again with it gets the first answer.
//!
//! Answers are kept for a day, and a bounded number of them; a process that begins anew knows none. Everything that
//! can be asked here may be asked twice without harm, so that is no danger, only a second answer.

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// How many are.
const KEPT_MAX: usize = 4_096;

/// What a request was answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Kept {
    pub(crate) status: StatusCode,
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) body: Bytes,
    /// What gRPC says after the body.
    pub(crate) trailers: HeaderMap,
}

type Hash = [u8; 32];

enum State {
    InWork(Hash),
    Done(Hash, Kept),
}

#[derive(Default)]
struct Known {
    states: HashMap<String, State>,
    /// Keys, oldest first.
    order: VecDeque<(Instant, String)>,
}

/// The keys of the last day.
#[derive(Clone, Default)]
pub(crate) struct Once(Arc<Mutex<Known>>);

/// What is known of a key.
pub(crate) enum Found {
    /// Nothing: the request is to be done, and its answer given to this.
    New(InWork),
    /// It was answered.
    Done(Kept),
    /// It is in work.
    InWork,
    /// It was another request.
    Other,
}

/// A request that is in work. Dropped without an answer, its key is free again.
pub(crate) struct InWork {
    once: Once,
    key: String,
    done: bool,
}

/// What tells a request from another.
pub(crate) fn hash(method: &str, path: &str, body: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    for part in [method.as_bytes(), path.as_bytes(), body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

impl Once {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a key of somebody's.
    pub(crate) fn find(&self, who: &str, key: &str, request: Hash, now: Instant) -> Found {
        let key = format!("{who}\n{key}");
        let mut known = self.lock();
        known.forget(now);
        match known.states.get(&key) {
            Some(State::InWork(hash) | State::Done(hash, _)) if *hash != request => Found::Other,
            Some(State::InWork(_)) => Found::InWork,
            Some(State::Done(_, kept)) => Found::Done(kept.clone()),
            None => {
                known.states.insert(key.clone(), State::InWork(request));
                known.order.push_back((now, key.clone()));
                Found::New(InWork { once: self.clone(), key, done: false })
            }
        }
    }
}

impl Known {
    fn forget(&mut self, now: Instant) {
        while let Some((since, key)) = self.order.front() {
            let old = now.duration_since(*since) > KEPT;
            if !old && self.order.len() < KEPT_MAX {
                return;
            }
            self.states.remove(key);
            self.order.pop_front();
        }
    }
}

impl InWork {
    /// The answer, which whoever asks again will get.
    pub(crate) fn done(mut self, kept: Kept) {
        self.done = true;
        let mut known = self.once.lock();
        if let Some(state) = known.states.get_mut(&self.key)
            && let State::InWork(hash) = *state
        {
            *state = State::Done(hash, kept);
        }
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        if !self.done {
            let mut known = self.once.lock();
            known.states.remove(&self.key);
            known.order.retain(|(_, key)| *key != self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        Kept {
            status: StatusCode::OK,
            content_type: None,
            body: Bytes::from_static(b"done"),
            trailers: HeaderMap::new(),
        }
    }

    #[test]
    fn the_same_request_is_answered_as_before_and_another_is_refused() {
        let (once, now) = (Once::default(), Instant::now());
        let (one, other) = (hash("POST", "/a", b"1"), hash("POST", "/a", b"2"));
        let Found::New(work) = once.find("ann", "k", one, now) else { panic!("it is new") };
        assert!(matches!(once.find("ann", "k", one, now), Found::InWork));
        assert!(matches!(once.find("ann", "k", other, now), Found::Other));
        assert!(matches!(once.find("bob", "k", other, now), Found::New(_)), "keys are somebody's");
        work.done(kept());
        assert!(matches!(once.find("ann", "k", one, now), Found::Done(it) if it == kept()));
        let tomorrow = now + KEPT + Duration::from_secs(1);
        assert!(matches!(once.find("ann", "k", one, tomorrow), Found::New(_)));
    }

    #[test]
    fn a_request_that_was_never_answered_leaves_its_key() {
        let (once, now) = (Once::default(), Instant::now());
        let one = hash("POST", "/a", b"1");
        drop(once.find("ann", "k", one, now));
        assert!(matches!(once.find("ann", "k", one, now), Found::New(_)));
    }

    #[test]
    fn memory_is_bounded() {
        let (once, now) = (Once::default(), Instant::now());
        for at in 0..3 * KEPT_MAX {
            let Found::New(work) = once.find("ann", &at.to_string(), [0; 32], now) else {
                panic!("it is new")
            };
            work.done(kept());
        }
        let known = once.lock();
        assert!(known.states.len() <= KEPT_MAX && known.order.len() == known.states.len());
    }
}
