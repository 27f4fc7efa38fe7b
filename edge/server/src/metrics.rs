//! The port through which everything here is measured: four operations, and nothing of who keeps the figures.
//!
//! An adapter applies the labels that every series carries ([`Constant`]). Names are the field's: a counter ends in
//! `_total`, units are base units. What is measured where is in [`names`]; the adapter for Prometheus is
//! [`Prometheus`](crate::Prometheus), and another one is another implementation of [`Metrics`].

use crate::settings::Settings;

/// A label: its key and its value.
pub type Label<'a> = (&'a str, &'a str);

/// Where figures go.
pub trait Metrics: Send + Sync {
    /// One more.
    fn inc_counter(&self, name: &'static str, labels: &[Label<'_>]);

    /// Something took so long, or was so large, in base units.
    fn observe_histogram(&self, name: &'static str, value: f64, labels: &[Label<'_>]);

    /// Something stands so.
    fn set_gauge(&self, name: &'static str, value: f64, labels: &[Label<'_>]);

    /// What a scraper is shown: the type of the content, and the content.
    fn http_handler(&self) -> (&'static str, String);
}

/// The labels that every series carries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Constant {
    /// What the service is called.
    pub service: String,
    /// Which instance this is.
    pub instance: String,
    /// Its version.
    pub version: String,
}

impl From<&Settings> for Constant {
    fn from(settings: &Settings) -> Self {
        Self {
            service: settings.service.clone(),
            instance: settings.instance.display_name().to_owned(),
            version: settings.version.clone(),
        }
    }
}

/// Every name, and what it counts. Dashboards and rules of alerts are tested against this list.
pub mod names {
    /// Requests that were answered.
    pub const HTTP_REQUESTS: &str = "http_requests_total";
    /// Requests that were answered with a status of 400 or more.
    pub const HTTP_ERRORS: &str = "http_request_errors_total";
    /// How long requests took.
    pub const HTTP_SECONDS: &str = "http_request_duration_seconds";
    /// Calls that were answered.
    pub const GRPC_REQUESTS: &str = "grpc_requests_total";
    /// Calls that were answered with another status than OK.
    pub const GRPC_ERRORS: &str = "grpc_request_errors_total";
    /// How long calls took.
    pub const GRPC_SECONDS: &str = "grpc_request_duration_seconds";
    /// Whether a dependency is ready: 1, 0.5 where degraded, 0.
    pub const DEPENDENCY: &str = "service_dependency_ready";
    /// What a strategy has earned since the engine was first begun, net, in the base currency.
    pub const STRATEGY_PNL: &str = "trading_strategy_pnl";
    /// Executions of a strategy since the process began.
    pub const STRATEGY_TRADES: &str = "trading_strategy_trades_total";
    /// Round trips that earned something, of all since the process began.
    pub const STRATEGY_WIN_RATE: &str = "trading_strategy_win_rate";
    /// Sharpe ratio of daily returns, annualised.
    pub const STRATEGY_SHARPE: &str = "trading_strategy_sharpe_ratio";
    /// What a strategy holds of an instrument, signed.
    pub const POSITION: &str = "trading_risk_position_size";
    /// The deepest fall of a strategy from a highest point, as a share.
    pub const DRAWDOWN: &str = "trading_risk_drawdown";
    /// Limits that were reached.
    pub const BREACHES: &str = "trading_risk_limit_breaches_total";
    /// How often trading was cut back, by the control that did it; empty for a person.
    pub const BREAKER: &str = "trading_risk_circuit_breaker_triggered";
    /// Orders sent a second, of late.
    pub const ORDERS_PER_SECOND: &str = "trading_engine_orders_per_second";
    /// What everything is worth, in the base currency.
    pub const EQUITY: &str = "tse_equity";
    /// Whether the engine may trade.
    pub const ARMED: &str = "tse_armed";
    /// How far everything is cut back: 0 free, 1 pause, 2 reduce, 3 cancel, 4 halt, 5 flatten, 6 sever.
    pub const LEVEL: &str = "tse_kill_level";
    /// Orders that are open, or may be.
    pub const ORDERS_OPEN: &str = "tse_orders_open";
    /// Orders sent since the process began.
    pub const ORDERS_SENT: &str = "tse_orders_sent_total";
    /// Orders and changes that the gate refused since the process began.
    pub const ORDERS_DENIED: &str = "tse_orders_denied_total";
    /// Executions since the process began.
    pub const FILLS: &str = "tse_fills_total";
    /// Market events since the process began.
    pub const MARKET_EVENTS: &str = "tse_market_events";
    /// What should be seen, by kind.
    pub const ALERTS: &str = "tse_alerts_total";
    /// How long the slowest record took lately to become safe.
    pub const RECORD_SECONDS: &str = "tse_journal_record_seconds";
    /// The last record of the journal that is safe.
    pub const JOURNAL_SAFE: &str = "tse_journal_safe_sequence";
    /// What calls of a strategy took at most, but for one in a hundred of them.
    pub const STRATEGY_SECONDS: &str = "trading_engine_strategy_execution_time";
    /// What inputs of the engine took at most, from record to release, but for a share of them.
    pub const INPUT_SECONDS: &str = "tse_engine_input_seconds";
    /// How old the newest quote of an instrument is, by the engine's clock.
    pub const QUOTE_AGE: &str = "tse_quote_age_seconds";

    /// What each counts.
    pub const HELP: &[(&str, &str)] = &[
        (HTTP_REQUESTS, "Requests that were answered."),
        (HTTP_ERRORS, "Requests that were answered with a status of 400 or more."),
        (HTTP_SECONDS, "How long requests took."),
        (GRPC_REQUESTS, "Calls that were answered."),
        (GRPC_ERRORS, "Calls that were answered with another status than OK."),
        (GRPC_SECONDS, "How long calls took."),
        (DEPENDENCY, "Whether a dependency is ready: 1, 0.5 where degraded, 0."),
        (
            STRATEGY_PNL,
            "What a strategy has earned since the engine was first begun, net, in the base currency.",
        ),
        (STRATEGY_TRADES, "Executions of a strategy since the process began."),
        (STRATEGY_WIN_RATE, "Round trips that earned something, of all since the process began."),
        (STRATEGY_SHARPE, "Sharpe ratio of daily returns, annualised."),
        (POSITION, "What a strategy holds of an instrument, signed."),
        (DRAWDOWN, "The deepest fall of a strategy from a highest point, as a share."),
        (BREACHES, "Limits that were reached."),
        (
            BREAKER,
            "How often trading was cut back, by the control that did it; empty for a person.",
        ),
        (ORDERS_PER_SECOND, "Orders sent a second, of late."),
        (EQUITY, "What everything is worth, in the base currency."),
        (ARMED, "Whether the engine may trade."),
        (
            LEVEL,
            "How far everything is cut back: 0 free, 1 pause, 2 reduce, 3 cancel, 4 halt, 5 flatten, 6 sever.",
        ),
        (ORDERS_OPEN, "Orders that are open, or may be."),
        (ORDERS_SENT, "Orders sent since the process began."),
        (ORDERS_DENIED, "Orders and changes that the gate refused since the process began."),
        (FILLS, "Executions since the process began."),
        (MARKET_EVENTS, "Market events since the process began."),
        (ALERTS, "What should be seen, by kind."),
        (RECORD_SECONDS, "How long the slowest record took lately to become safe."),
        (JOURNAL_SAFE, "The last record of the journal that is safe."),
        (
            STRATEGY_SECONDS,
            "What calls of a strategy took since the figures were last taken: 99 of 100 took no longer.",
        ),
        (
            INPUT_SECONDS,
            "What inputs of the engine took since the figures were last taken, from record to release: such a share of them took no longer.",
        ),
        (QUOTE_AGE, "How old the newest quote of an instrument is, by the engine's clock."),
    ];
}
