//! Figures of the engine, taken from its pictures once in a while.
//!
//! Counters go up by what has been added since the last picture; a process that begins anew begins at zero, as
//! scrapers expect. Amounts become floats here, at the very end, for people to look at: nothing is decided by them.

use crate::app::App;
use crate::metrics::{Label, Metrics, names};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tse_node::{Line, Picture, Timings};

/// What has been counted so far.
#[derive(Default)]
pub(crate) struct Counted {
    counters: BTreeMap<String, u64>,
    last_alert: u64,
    before: Option<[u64; 3]>,
    sent: Option<(Instant, u64)>,
}

/// How long the engine takes. Where nothing was counted a figure stays as it was.
fn timings(metrics: &dyn Metrics, timings: &Timings) {
    let inputs = timings.inputs.take();
    for (name, share) in [("0.5", 0.5), ("0.99", 0.99), ("0.999", 0.999)] {
        if let Some(took) = inputs.quantile(share) {
            metrics.set_gauge(names::INPUT_SECONDS, took.as_secs_f64(), &[("share", name)]);
        }
    }
    for (strategy, timing) in &timings.strategies {
        if let Some(took) = timing.take().quantile(0.99) {
            let labels = [("strategy", strategy.as_str())];
            metrics.set_gauge(names::STRATEGY_SECONDS, took.as_secs_f64(), &labels);
        }
    }
}

impl Counted {
    /// Brings a counter up to a value.
    fn count(
        &mut self,
        metrics: &dyn Metrics,
        name: &'static str,
        labels: &[Label<'_>],
        value: u64,
    ) {
        let key = format!("{name} {labels:?}");
        let counted = self.counters.entry(key).or_default();
        for _ in *counted..value {
            metrics.inc_counter(name, labels);
        }
        *counted = value.max(*counted);
    }

    /// Takes the figures of a picture.
    pub(crate) fn take(&mut self, app: &App, picture: &Picture, now: Instant) {
        let metrics = &*app.metrics;
        let version = app.settings.version.as_str();
        for it in &picture.strategies {
            let name = it.name.as_str();
            if let Some(net) = it.net.as_deref().and_then(number) {
                let labels = [("strategy_name", name), ("strategy_version", version)];
                metrics.set_gauge(names::STRATEGY_PNL, net, &labels);
            }
            for (side, count) in [("buy", it.bought), ("sell", it.sold)] {
                let labels = [("strategy_name", name), ("side", side)];
                self.count(metrics, names::STRATEGY_TRADES, &labels, count);
            }
            let own = [("strategy_name", name)];
            if let Some(rate) = it.figures.win_rate {
                metrics.set_gauge(names::STRATEGY_WIN_RATE, rate, &own);
            }
            if let Some(sharpe) = it.figures.sharpe {
                metrics.set_gauge(names::STRATEGY_SHARPE, sharpe, &own);
            }
            if let Some(fall) = it.figures.max_drawdown {
                metrics.set_gauge(names::DRAWDOWN, fall, &[("strategy", name)]);
            }
            for market in &picture.markets {
                let held = it.positions.iter().find(|held| held.symbol == market.symbol);
                let size = held.map_or(Some(0.0), |held| number(&held.size));
                let labels = [("symbol", market.symbol.as_str()), ("strategy", name)];
                if let Some(size) = size {
                    metrics.set_gauge(names::POSITION, size, &labels);
                }
            }
        }
        for line in picture.alerts.iter().filter(|line| line.number > self.last_alert) {
            alert(metrics, line);
        }
        self.last_alert = picture.alerts.last().map_or(self.last_alert, |line| line.number);
        timings(metrics, app.engine.timings());
        self.engine(metrics, picture, now);
    }

    fn engine(&mut self, metrics: &dyn Metrics, picture: &Picture, now: Instant) {
        if let Some(equity) = picture.equity.as_deref().and_then(number) {
            metrics.set_gauge(names::EQUITY, equity, &[]);
        }
        let armed = if picture.armed { 1.0 } else { 0.0 };
        metrics.set_gauge(names::ARMED, armed, &[]);
        metrics.set_gauge(names::LEVEL, level(&picture.level), &[]);
        metrics.set_gauge(names::ORDERS_OPEN, picture.orders_open as f64, &[]);
        metrics.set_gauge(names::RECORD_SECONDS, picture.record_us as f64 / 1e6, &[]);
        metrics.set_gauge(names::JOURNAL_SAFE, picture.safe as f64, &[]);
        for market in &picture.markets {
            if let Some(age) = market.age_ms {
                let labels = [("symbol", market.symbol.as_str())];
                metrics.set_gauge(names::QUOTE_AGE, age as f64 / 1e3, &labels);
            }
        }
        metrics.set_gauge(names::MARKET_EVENTS, picture.events as f64, &[]);
        // Pictures count since the engine was first begun: what was before this process is not counted.
        let counts = [picture.sent, picture.denied, picture.fills];
        let before = *self.before.get_or_insert(counts);
        let all = [names::ORDERS_SENT, names::ORDERS_DENIED, names::FILLS];
        for (name, (count, before)) in all.into_iter().zip(counts.into_iter().zip(before)) {
            self.count(metrics, name, &[], count.saturating_sub(before));
        }
        if let Some((then, before)) = self.sent {
            let seconds = now.duration_since(then).as_secs_f64();
            let rate = picture.sent.saturating_sub(before) as f64 / seconds.max(1e-3);
            metrics.set_gauge(names::ORDERS_PER_SECOND, rate, &[]);
        }
        self.sent = Some((now, picture.sent));
    }
}

/// What an alert counts as, beside being one; and its line in the log.
fn alert(metrics: &dyn Metrics, line: &Line) {
    metrics.inc_counter(names::ALERTS, &[("kind", &line.kind)]);
    let text = |key: &str| line.about.get(key).and_then(|it| it.as_str()).unwrap_or_default();
    let about = line.about.to_string();
    match line.kind.as_str() {
        "killed" => {
            metrics.inc_counter(names::BREAKER, &[("reason", text("control"))]);
            tracing::warn!(kind = line.kind, at = line.at, about, "alert");
        }
        "near_limit" => {
            let strategy = text("scope").strip_prefix("strategy:").unwrap_or_default();
            let labels = [("limit_type", text("metric")), ("strategy", strategy)];
            if text("severity") == "critical" {
                metrics.inc_counter(names::BREACHES, &labels);
            }
            tracing::warn!(kind = line.kind, at = line.at, about, "alert");
        }
        "armed" | "resumed" | "limit_changed" | "permitted" | "permit_used" => {
            tracing::info!(kind = line.kind, at = line.at, about, "alert");
        }
        _ => tracing::warn!(kind = line.kind, at = line.at, about, "alert"),
    }
}

/// How far everything is cut back, as a number: 0 for not at all.
fn level(name: &str) -> f64 {
    let all = ["free", "pause", "reduce", "cancel", "halt", "flatten", "sever"];
    all.iter().position(|it| *it == name).map_or(f64::NAN, |at| at as f64)
}

/// A decimal as a float, for people.
fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// Takes figures every so often, for ever.
pub(crate) async fn publish(app: Arc<App>, every: Duration) {
    let mut counted = Counted::default();
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        crate::ready::look(&app);
        if let Ok(picture) = app.engine.picture() {
            counted.take(&app, &picture, Instant::now());
        }
    }
}
