//! What every handler can reach: the engine, who may do what, and where figures and records go.

use crate::audit::Audit;
use crate::engine::Engine;
use crate::metrics::Metrics;
use crate::once::Once;
use crate::ready::Probe;
use crate::settings::Settings;
use crate::streams::Hub;
use crate::token::TokenFile;
use crate::trace::Traces;
use crate::tries::Tries;
use std::sync::Arc;
use tokio::sync::{Mutex, watch};

/// All of it.
pub struct App {
    /// What the service was told.
    pub settings: Settings,
    /// The engine.
    pub engine: Engine,
    /// Where figures go.
    pub metrics: Arc<dyn Metrics>,
    /// Changes as they come.
    pub streams: Hub,
    /// Where spans go.
    pub traces: Traces,
    /// What else readiness looks at.
    pub probes: Vec<Box<dyn Probe>>,
    pub(crate) tokens: TokenFile,
    pub(crate) audit: Audit,
    pub(crate) once: Once,
    pub(crate) tries: Tries,
    /// Held by whoever changes limits: nobody changes them between a look at them and a change.
    pub(crate) limits: Mutex<()>,
    ending: watch::Sender<bool>,
}

impl App {
    /// Of its parts.
    pub fn new(
        settings: Settings,
        engine: Engine,
        metrics: Arc<dyn Metrics>,
        streams: Hub,
        (tokens, audit): (TokenFile, Audit),
    ) -> Self {
        Self {
            traces: Traces::none(&settings),
            settings,
            engine,
            metrics,
            streams,
            probes: Vec::new(),
            tokens,
            audit,
            once: Once::default(),
            tries: Tries::default(),
            limits: Mutex::default(),
            ending: watch::channel(false).0,
        }
    }

    /// From now on it is not ready: what is in work is finished, and the rest goes elsewhere.
    pub fn end(&self) {
        self.ending.send_replace(true);
    }

    /// Whether it is on its way out.
    pub fn is_ending(&self) -> bool {
        *self.ending.borrow()
    }

    /// For whoever waits until it is.
    pub(crate) fn ending(&self) -> watch::Receiver<bool> {
        self.ending.subscribe()
    }
}
