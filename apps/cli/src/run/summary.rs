//! The result of a run as plain data: what `--json` prints and `stats.json` keeps.
//!
//! Amounts are exact decimal text in the named currency, ratios are numbers where 1 is the whole, times
//! are RFC 3339, and what cannot be said is null, never zero. `docs/backtest-json.md` explains every
//! field; a test compares it with this.

use super::performance::Performance;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tse_model::Money;

/// The name and version of this shape.
pub const SCHEMA: &str = "tse.backtest/1";

/// A run's result.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/backtest-json.md explains each field")]
pub struct Summary {
    pub run_id: String,
    pub name: String,
    pub status: String,
    pub tse_version: String,
    pub seed: String,
    pub state_hash: String,
    pub base: String,
    pub start: Option<String>,
    pub end: Option<String>,
    pub days: f64,
    pub setting: Vec<String>,
    pub sensitivity: Option<String>,
    pub assumptions: Vec<String>,

    pub events: u64,
    pub orders: u64,
    pub cancels: u64,
    pub fills: u64,
    pub rejected: u64,
    pub denied: u64,
    pub denied_by: BTreeMap<String, u64>,
    pub alerts: BTreeMap<String, u64>,

    pub equity_start: Option<String>,
    pub equity_end: Option<String>,
    pub net_pnl: Option<String>,
    pub net_return: Option<f64>,
    pub realized_pnl: Option<String>,
    pub unrealized_pnl: Option<String>,
    pub fees: Option<String>,
    pub funding: Option<String>,
    pub revaluation: Option<String>,
    pub volume: Option<String>,
    pub attribution: Attribution,

    pub max_drawdown: Option<f64>,
    pub drawdown: Option<Drawdown>,
    pub sharpe: Option<f64>,
    pub sharpe_low: Option<f64>,
    pub sharpe_high: Option<f64>,
    pub days_per_year: f64,
    pub daily_returns: u64,
    #[serde(default)]
    pub performance: Performance,

    pub balances: BTreeMap<String, String>,
    pub balances_by_venue: BTreeMap<String, BTreeMap<String, String>>,
    pub positions: Vec<Position>,

    pub fill_ratio: Option<f64>,
    pub maker_ratio: Option<f64>,
    pub markouts: Vec<Markout>,
    pub opportunities: Opportunities,

    pub instruments: Vec<Instrument>,
    pub strategies: Vec<Strategy>,

    /// Only in what `--json` prints: the same run twice takes different times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_seconds: Option<f64>,
    /// See [`wall_seconds`](Self::wall_seconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events_per_second: Option<f64>,
}

/// Where the net result came from.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/backtest-json.md explains each field")]
pub struct Attribution {
    pub spread: Option<String>,
    pub inventory: Option<String>,
    pub fees: Option<String>,
    pub funding: Option<String>,
    #[serde(default)]
    pub residual: Option<String>,
}

/// The deepest fall of equity.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/backtest-json.md explains each field")]
pub struct Drawdown {
    pub amount: String,
    pub peak_at: String,
    pub trough_at: String,
    pub recovered_at: Option<String>,
    pub largest_fall: String,
}

/// What one strategy holds of one instrument, or once held.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/backtest-json.md explains each field")]
pub struct Position {
    pub strategy: String,
    pub symbol: String,
    pub size: String,
    pub average_price: Option<String>,
    pub mark_price: Option<String>,
    pub currency: String,
    pub cost: String,
    pub realized: String,
    pub unrealized: Option<String>,
    pub fees: String,
    pub funding: String,
    pub volume: String,
    pub fills: u64,
}

/// What prices did a time after our fills.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/backtest-json.md explains each field")]
pub struct Markout {
    pub after: String,
    pub bps: Option<f64>,
    pub band_bps: Option<f64>,
    pub fills: u64,
}

/// The price differences a run saw.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/backtest-json.md explains each field")]
pub struct Opportunities {
    pub seen: u64,
    pub taken: u64,
    pub missed: BTreeMap<String, u64>,
    pub open: u64,
    pub gross_bps: Option<Quantiles>,
    pub net_bps: Option<Quantiles>,
    pub net_taken_bps: Option<Quantiles>,
}

/// A distribution, exact: each value is one that was observed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/backtest-json.md explains each field")]
pub struct Quantiles {
    pub count: u64,
    pub mean: Option<String>,
    pub min: String,
    pub p01: String,
    pub p05: String,
    pub p25: String,
    pub p50: String,
    pub p75: String,
    pub p95: String,
    pub p99: String,
    pub max: String,
    pub grain: String,
}

/// What happened in one instrument.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/backtest-json.md explains each field")]
pub struct Instrument {
    pub symbol: String,
    pub events: u64,
    pub gaps: u64,
    pub silence_ns: String,
    pub orders: u64,
    pub fills: u64,
    pub fill_ratio: Option<f64>,
    pub maker_ratio: Option<f64>,
    pub currency: String,
    pub volume: String,
    pub spread: String,
    pub position: String,
    pub markouts: Vec<Markout>,
}

/// What one strategy did.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/backtest-json.md explains each field")]
pub struct Strategy {
    pub name: String,
    pub orders: u64,
    pub fills: u64,
    pub denied: u64,
    pub net_pnl: Option<String>,
    pub realized_pnl: Option<String>,
    pub unrealized_pnl: Option<String>,
    pub fees: Option<String>,
    pub funding: Option<String>,
    pub opportunities_seen: u64,
    pub opportunities_taken: u64,
    #[serde(default)]
    pub performance: Performance,
}

impl Summary {
    /// Whether the run was stopped before its data ended.
    pub fn is_interrupted(&self) -> bool {
        self.status == INTERRUPTED
    }
}

/// The status of a run whose data was used up.
pub const COMPLETE: &str = "complete";
/// The status of a run that was stopped before.
pub const INTERRUPTED: &str = "interrupted";

/// `part / whole`; `None` unless the whole is above zero.
pub(crate) fn share(part: Money, whole: Money) -> Option<f64> {
    (whole.units() > 0).then(|| part.units() as f64 / whole.units() as f64)
}
