//! What an engine needs that may be stopped and goes on, and whose orders it sends.

use super::venues::VenuePlan;
use super::{Builder, Config};
use sha2::{Digest, Sha256};
use tse_kernel::{Algorithm, Guards, Reconcile};
use tse_model::{Environment, Span, Text};
use tse_sim::LiveSetup;

/// How far lists of venues that are part of the process lag at most, beside what lines take.
const VISIBILITY: Span = Span::from_secs(2);
/// How much further back is asked for.
const OVERLAP: Span = Span::from_secs(5);

impl Builder<'_> {
    /// How an engine runs that may be stopped and goes on; `None` in a backtest.
    pub(super) fn live(&self, venues: &[VenuePlan]) -> Option<LiveSetup> {
        let mode = self.root.section("run")?.word("mode")?;
        if mode.value != "paper" {
            return None;
        }
        let fields = self.root.section("paper");
        let time = |key, otherwise| {
            let seen = fields.and_then(|fields| fields.time(key));
            seen.map_or(otherwise, |seen| seen.value)
        };
        // No message of a venue is later than that, there and back.
        let lines = venues.iter().map(|venue| venue.setup());
        let there_and_back = |setup: tse_sim::VenueSetup| {
            setup.order.longest().nanos().saturating_add(setup.response.longest().nanos())
        };
        let longest = lines.map(there_and_back).max().unwrap_or(0);
        let visibility = Span::from_nanos(VISIBILITY.nanos().saturating_add(longest));
        let overlap = Span::from_nanos(OVERLAP.nanos().saturating_add(visibility.nanos()));
        Some(LiveSetup {
            environment: Environment::Paper,
            reconcile: Reconcile {
                every: time("reconcile_every", Span::from_secs(10)),
                timeout: time("reconcile_timeout", Span::from_secs(5)),
                visibility,
                overlap,
            },
            lag_max: time("journal_lag_max", Span::from_secs(1)),
        })
    }
}

impl Config {
    /// What stands between wishes and the wire beside limits: ramps, and whose orders they are. Who answers for them
    /// is whoever arms the engine.
    pub(super) fn guards(&self) -> Guards {
        let version = Text::cut(env!("CARGO_PKG_VERSION"));
        let algorithm =
            |plan: &super::StrategyPlan| Algorithm { name: Text::cut(&plan.name), version };
        let digest = Sha256::digest(self.resolved().as_bytes());
        let first = digest.first_chunk().expect("a digest has 32 bytes");
        Guards {
            ramps: self.ramps.clone(),
            algorithms: self.strategies.iter().map(algorithm).collect(),
            // Zero is for unknown.
            config: u64::from_be_bytes(*first).max(1),
            ..Guards::default()
        }
    }
}
