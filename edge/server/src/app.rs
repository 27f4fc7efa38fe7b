//! What every handler can reach: the engine, who may do what, and where figures and records go.

use crate::audit::Audit;
use crate::backtests::{Backtester, Backtests};
use crate::codes;
use crate::engine::Engine;
use crate::http::Problem;
use crate::metrics::Metrics;
use crate::once::Once;
use crate::ready::Probe;
use crate::settings::Settings;
use crate::streams::Hub;
use crate::token::TokenFile;
use crate::trace::Traces;
use crate::tries::Tries;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use tokio::sync::{Mutex, watch};
use tse_storage::Rows;

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
    probes: RwLock<Vec<Box<dyn Probe>>>,
    place: OnceLock<(Option<String>, Option<String>)>,
    rows: OnceLock<Arc<Rows>>,
    backtests: OnceLock<Arc<Backtests>>,
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
            probes: RwLock::default(),
            place: OnceLock::new(),
            rows: OnceLock::new(),
            backtests: OnceLock::new(),
            tokens,
            audit,
            once: Once::default(),
            tries: Tries::default(),
            limits: Mutex::default(),
            ending: watch::channel(false).0,
        }
    }

    /// From now on readiness looks at this as well.
    pub fn depends_on(&self, probe: Box<dyn Probe>) {
        self.probes.write().unwrap_or_else(PoisonError::into_inner).push(probe);
    }

    /// Does something with each of those.
    pub(crate) fn each_probe(&self, look: impl FnMut(&dyn Probe)) {
        let probes = self.probes.read().unwrap_or_else(PoisonError::into_inner);
        probes.iter().map(|probe| &**probe).for_each(look);
    }

    /// Where this instance keeps its rows and its keys: a schema and a namespace. Said once.
    pub fn keeps(&self, schema: Option<String>, namespace: Option<String>) {
        // Whoever says it twice says the same.
        let _ = self.place.set((schema, namespace));
    }

    /// The same, if it was said.
    pub(crate) fn place(&self) -> (Option<String>, Option<String>) {
        self.place.get().cloned().unwrap_or_default()
    }

    /// From now on rows can be asked for. Said once.
    pub fn rows_are(&self, rows: Arc<Rows>) {
        // Whoever says it twice says the same.
        let _ = self.rows.set(rows);
    }

    /// Rows.
    ///
    /// # Errors
    /// There are none, or not yet.
    pub fn rows(&self) -> Result<&Rows, Problem> {
        let none = || Problem::new(codes::NO_ROWS, "no store is connected yet").again_in(1);
        self.rows.get().map(|rows| &**rows).ok_or_else(none)
    }

    /// From now on backtests can be asked for. Said once.
    pub fn makes_backtests(&self, by: Backtester) {
        // Whoever says it twice says the same.
        let _ = self.backtests.set(Arc::new(Backtests::new(by, self.ending())));
    }

    /// Backtests.
    ///
    /// # Errors
    /// Nothing makes them.
    pub(crate) fn backtests(&self) -> Result<&Arc<Backtests>, Problem> {
        let none = || Problem::new(codes::NO_SUCH_THING, "nothing makes backtests here");
        self.backtests.get().ok_or_else(none)
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
