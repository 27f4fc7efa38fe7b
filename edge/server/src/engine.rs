//! The engine as the service sees it: pictures of it, and an inbox for what people want.
//!
//! Nothing here reaches into the engine. A picture costs it nothing; a demand waits in a queue of few places, and one
//! that is full refuses.

use crate::codes;
use crate::http::{Problem, current};
use crate::trace::Causes;
use serde::Serialize;
use std::sync::Arc;
use std::sync::mpsc::TrySendError;
use std::time::Duration;
use tokio::sync::oneshot;
use tse_node::{Answer, Demand, Gallery, Inbox, Misunderstood, Picture, Said, Timings};
use utoipa::ToSchema;

/// A kind of strategy that a config may name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct StrategyKind {
    /// Its name.
    pub name: String,
    /// What it does, in a sentence.
    pub about: String,
}

/// An engine that runs in this process.
#[derive(Clone)]
pub struct Engine {
    gallery: Gallery,
    inbox: Inbox,
    kinds: Arc<[StrategyKind]>,
    causes: Causes,
}

impl Engine {
    /// The one behind these; `kinds` are the strategies that it knows.
    pub fn new(gallery: Gallery, inbox: Inbox, kinds: Vec<StrategyKind>) -> Self {
        Self { gallery, inbox, kinds: kinds.into(), causes: Causes::default() }
    }

    /// The strategies that a config may name.
    pub fn kinds(&self) -> &[StrategyKind] {
        &self.kinds
    }

    /// Which request wanted what.
    pub fn causes(&self) -> &Causes {
        &self.causes
    }

    /// How things stand.
    ///
    /// # Errors
    /// It has not begun.
    pub fn picture(&self) -> Result<Arc<Picture>, Problem> {
        self.gallery
            .newest()
            .ok_or_else(|| Problem::new(codes::NO_PICTURE, "it is still recovering").again_in(1))
    }

    /// How long it takes over what it is told.
    pub(crate) fn timings(&self) -> &Timings {
        self.gallery.timings()
    }

    /// How old the newest picture is; `None` before the first.
    pub fn age(&self) -> Option<Duration> {
        self.gallery.age()
    }

    /// Asks for something, and waits for what came of it. What is refused has not been done.
    ///
    /// # Errors
    /// No place in its queue, no such thing, not allowed, or an end before the answer.
    pub async fn ask(&self, demand: Demand) -> Result<Answer, Problem> {
        let (sender, answer) = oneshot::channel();
        // Whoever asked may be gone.
        let tell = Box::new(move |answer| drop(sender.send(answer)));
        let cause = current().filter(|_| demand != Demand::Status).map(|ids| self.causes.ask(ids));
        self.inbox.try_send(Said { demand, cause, answer: tell }).map_err(|error| match error {
            TrySendError::Full(_) => {
                Problem::new(codes::QUEUE_FULL, "too much is wanted at once").again_in(1)
            }
            TrySendError::Disconnected(_) => Problem::new(codes::ENDING, "it has ended"),
        })?;
        let answer = answer.await.map_err(|_| {
            Problem::new(
                codes::ENDING,
                "it ended before it answered; its journal says what was done",
            )
        })?;
        match (&answer.refused, answer.misunderstood) {
            (Some(why), Some(Misunderstood::Name)) => Err(Problem::new(codes::NO_SUCH_THING, why)),
            (Some(why), Some(Misunderstood::Value)) => Err(Problem::new(codes::BAD_REQUEST, why)),
            (Some(why), None) => Err(Problem::new(codes::NOT_DONE, why)),
            (None, _) => Ok(answer),
        }
    }
}
