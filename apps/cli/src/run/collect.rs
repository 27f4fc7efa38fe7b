//! What a run leaves behind, collected while it goes on.
//!
//! The [`Collector`] watches a backtest: it counts, keeps the lines that charts are drawn from, and
//! writes the streamed files. Its memory does not grow with the run. It decides nothing; a file that
//! cannot be written is remembered and ends the run at the next look ([`Signs::failed`]).

use super::edges::Distribution;
use super::fault::Failure;
use super::files::{Files, Filled, side_name};
use super::markouts::Markouts;
use super::trades::{Traded, Trades};
use crate::report::series::Series;
use serde_json::json;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use tse_kernel::{Alert, Kernel, Output};
use tse_model::{
    Catalog, CurrencyId, DepthChange, Fill, Instrument, InstrumentId, Liquidity, MarketData,
    MarketEvent, Money, Qty, Request, Side, Span, StrategyId, Timestamp,
};
use tse_node::Names;
use tse_portfolio::Mark;
use tse_risk::{Cause, Level, Reach};
use tse_sim::{Observer, Sample, Told};
use tse_strategy::{Missed, Opportunity, Outcome};

/// How many refused orders and alerts of one kind the log tells one by one.
const LOGGED_EACH: u64 = 1_000;

/// What happened in one instrument.
#[derive(Debug)]
pub(crate) struct Tally {
    /// Orders sent, and their size in lots.
    pub(crate) orders: u64,
    pub(crate) submitted: i128,
    /// Fills, and what of them was ordered (the rest was forced by the venue), in lots.
    pub(crate) fills: u64,
    pub(crate) filled: i128,
    /// Value traded as maker and as taker, in the settlement currency.
    pub(crate) maker: Money,
    pub(crate) taker: Money,
    /// Gained against the mid at the fill, in the settlement currency.
    pub(crate) spread: Money,
    pub(crate) markouts: Markouts,
    /// Mid in whole currency, own buys and sells at their prices, the account's position.
    pub(crate) price: Series,
    pub(crate) trades: [Series; 2],
    pub(crate) position: Series,
    /// Market events, moments where messages were lost, the longest silence.
    pub(crate) events: u64,
    pub(crate) gaps: u64,
    pub(crate) silence: Span,
    pub(crate) first: Option<Timestamp>,
    pub(crate) last: Timestamp,
    drawn: Option<i64>,
    /// Price of half a tick and size of a lot as floats: for charts only.
    half_tick: f64,
    lot: f64,
}

impl Tally {
    fn new(instrument: &Instrument) -> Self {
        let float = |value: tse_model::Decimal| {
            value.mantissa() as f64 / 10f64.powi(i32::from(value.scale()))
        };
        Self {
            orders: 0,
            submitted: 0,
            fills: 0,
            filled: 0,
            maker: Money::ZERO,
            taker: Money::ZERO,
            spread: Money::ZERO,
            markouts: Markouts::default(),
            price: Series::default(),
            trades: Default::default(),
            position: Series::default(),
            events: 0,
            gaps: 0,
            silence: Span::ZERO,
            first: None,
            last: Timestamp::MIN,
            drawn: None,
            half_tick: float(instrument.tick) / 2.0,
            lot: float(instrument.lot),
        }
    }

    /// Draws the mid that stood since the last event.
    #[inline]
    fn draw(&mut self, twice: Option<i64>) {
        if twice != self.drawn && self.first.is_some() {
            self.drawn = twice;
            if let Some(twice) = twice {
                self.price.push(self.last, twice as f64 * self.half_tick);
            }
        }
    }

    fn fill(&mut self, now: Timestamp, instrument: &Instrument, side: Side, fill: &Fill) {
        self.fills += 1;
        self.markouts.fill(now, side, fill.price, fill.qty);
        let ticks = fill.price.get() as f64 * 2.0;
        self.trades[side.index()].push(now, ticks * self.half_tick);
        let value = instrument.value(fill.price, fill.qty).and_then(|it| it.money.checked_abs());
        let sum = match fill.liquidity {
            Liquidity::Maker => &mut self.maker,
            Liquidity::Taker => &mut self.taker,
        };
        add(sum, value);
    }
}

/// A sum for a report that cannot be held any more stays where it is: the ledger latched long before.
fn add(sum: &mut Money, amount: Option<Money>) {
    if let Some(next) = amount.and_then(|amount| sum.checked_add(amount)) {
        *sum = next;
    }
}

/// What opportunities there were.
#[derive(Debug, Default)]
pub(crate) struct Opportunities {
    pub(crate) seen: u64,
    pub(crate) taken: u64,
    pub(crate) missed: BTreeMap<Missed, u64>,
    /// Of those that ended, in billionths: all, and those taken.
    pub(crate) gross: Distribution,
    pub(crate) net: Distribution,
    pub(crate) net_taken: Distribution,
}

/// Equity, its peak, and how far below it stands.
#[derive(Debug, Default)]
pub(crate) struct EquityLine {
    pub(crate) equity: Series,
    /// `E/peak − 1`, at most zero.
    pub(crate) drawdown: Series,
    peak: Option<Money>,
}

impl EquityLine {
    fn push(&mut self, now: Timestamp, total: Money, unit: f64) -> Option<f64> {
        self.equity.push(now, total.units() as f64 * unit);
        let peak = self.peak.map_or(total, |peak| peak.max(total));
        self.peak = Some(peak);
        let below = peak.checked_sub(total)?;
        // Adding zero turns the zero below zero into a plain one.
        let drawdown =
            (peak.units() > 0).then(|| -(below.units() as f64) / peak.units() as f64 + 0.0)?;
        self.drawdown.push(now, drawdown);
        Some(drawdown)
    }
}

/// Watches a run for its report.
pub(crate) struct Collector {
    names: Names,
    /// One smallest unit of the base currency as a float: for charts only.
    unit: f64,
    pub(crate) tallies: Vec<Tally>,
    pub(crate) equity: EquityLine,
    pub(crate) opportunities: Opportunities,
    /// Refused orders by control and reason; alerts by kind; sent, filled and refused by strategy.
    pub(crate) denied: BTreeMap<(&'static str, &'static str), u64>,
    pub(crate) alerts: BTreeMap<&'static str, u64>,
    pub(crate) by_strategy: Vec<Share>,
    pub(crate) trades: Trades,
    out: Out,
}

/// Where rows go.
struct Out {
    files: Option<Files>,
    /// The first thing that could not be written.
    failure: Option<Failure>,
    signs: Rc<Signs>,
}

/// What can be told of a run while it is being watched.
#[derive(Debug, Default)]
pub(crate) struct Signs {
    /// The first sample of equity.
    pub(crate) equity_start: Cell<Option<Money>>,
    /// Whether a file could not be written: going on would be for nothing.
    pub(crate) failed: Cell<bool>,
}

/// One strategy's part of the counts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Share {
    pub(crate) orders: u64,
    pub(crate) fills: u64,
    pub(crate) denied: u64,
    pub(crate) seen: u64,
    pub(crate) taken: u64,
}

impl Collector {
    /// Watches a run of these names; writes to `files`, if there are any.
    pub(crate) fn new(
        catalog: &Catalog,
        strategies: &[String],
        base: CurrencyId,
        files: Option<Files>,
    ) -> Self {
        let scale = catalog.currency(base).scale;
        Self {
            tallies: catalog.instruments().iter().map(Tally::new).collect(),
            by_strategy: vec![Share::default(); strategies.len()],
            trades: Trades::new(strategies.len(), catalog.instruments().len()),
            names: Names { catalog: catalog.clone(), strategies: strategies.to_vec(), base },
            unit: 0.1f64.powi(i32::from(scale)),
            equity: EquityLine::default(),
            opportunities: Opportunities::default(),
            denied: BTreeMap::new(),
            alerts: BTreeMap::new(),
            out: Out { files, failure: None, signs: Rc::default() },
        }
    }

    /// What others may ask while the run goes on.
    pub(crate) fn signs(&self) -> Rc<Signs> {
        Rc::clone(&self.out.signs)
    }

    /// Ends the lines and the files: `last` is the last moment of the run.
    ///
    /// # Errors
    /// The first file that could not be written.
    pub(crate) fn finish(&mut self, last: Timestamp, kernel: &Kernel) -> Result<(), Failure> {
        for (tally, instrument) in self.tallies.iter_mut().zip(self.names.catalog.instruments()) {
            let twice = kernel.market(instrument.id).quote.twice_mid();
            tally.draw(twice);
            tally.markouts.finish(last, twice);
            self.trades.finish(last, instrument.id, twice);
            for side in Side::BOTH {
                for (_, order) in kernel.orders().open(instrument.id, side) {
                    let order = *order;
                    let over = self.trades.ended(&order, instrument, twice.map(Mark::mid));
                    write(&mut self.out, |files| files.order(&order, &over));
                }
            }
        }
        self.log_totals(last);
        if let Some(failure) = self.out.failure.take() {
            return Err(failure);
        }
        self.out.files.take().map_or(Ok(()), Files::close)
    }

    fn share(&mut self, strategy: StrategyId) -> Option<&mut Share> {
        self.by_strategy.get_mut(strategy.index())
    }

    fn filled(&mut self, now: Timestamp, output: &Output, kernel: &Kernel) {
        let &Output::Filled { id, strategy, instrument, side, fill, realized } = output else {
            return;
        };
        if let Some(share) = self.share(strategy) {
            share.fills += 1;
        }
        let it = kernel.catalog().instrument(instrument);
        let tally = &mut self.tallies[instrument.index()];
        tally.fill(now, it, side, &fill);
        // Order zero stands for a liquidation: nobody ordered it.
        if id.0 != 0 {
            tally.filled += i128::from(fill.qty.get());
        }
        let twice_mid = kernel.market(instrument).quote.twice_mid();
        if let Some(twice) = twice_mid {
            add(&mut tally.spread, gained(it, Mark::mid(twice), side, &fill));
        }
        let traded = Traded { id, strategy, side, fill, realized, mid: twice_mid.map(Mark::mid) };
        self.trades.filled(now, kernel.catalog(), it, &traded);
        let net = kernel.portfolio().net(instrument);
        tally.position.push(now, net.get() as f64 * tally.lot);
        let position = kernel.portfolio().qty(strategy, instrument);
        let filled = Filled { id, strategy, instrument, side, fill, realized, position, twice_mid };
        write(&mut self.out, |files| files.fill(now, &filled));
    }

    fn saw(&mut self, now: Timestamp, strategy: StrategyId, seen: &Opportunity) {
        let all = &mut self.opportunities;
        match seen.outcome {
            Outcome::Detected => {
                all.seen += 1;
                if let Some(share) = self.share(strategy) {
                    share.seen += 1;
                }
                return;
            }
            Outcome::Taken => {
                all.taken += 1;
                all.net_taken.add(seen.net);
            }
            Outcome::Missed(why) => *all.missed.entry(why).or_default() += 1,
        }
        all.gross.add(seen.gross);
        all.net.add(seen.net);
        if seen.outcome == Outcome::Taken
            && let Some(share) = self.share(strategy)
        {
            share.taken += 1;
        }
        write(&mut self.out, |files| files.opportunity(now, strategy, seen));
    }

    fn note_denied(&mut self, now: Timestamp, output: &Output) {
        let Output::Denied { strategy, instrument, side, refusal, reasons } = output else {
            return;
        };
        if let Some(share) = self.share(*strategy) {
            share.denied += 1;
        }
        let count = self.denied.entry((refusal.control(), refusal.name())).or_default();
        *count += 1;
        if *count > LOGGED_EACH {
            return;
        }
        let line = json!({
            "ts": now.to_string(),
            "level": "warning",
            "event": "denied",
            "control": refusal.control(),
            "reason": refusal.name(),
            "strategy": self.name(*strategy),
            "symbol": self.symbol(*instrument),
            "side": side_name(*side),
            "message": refusal.to_string(),
            "reasons": reasons,
        });
        write(&mut self.out, |files| files.log(&line));
    }

    fn note_alert(&mut self, now: Timestamp, alert: &Alert) {
        if let Alert::Killed { reach, level, cause } = alert
            && *level >= Level::Cancel
            && *cause != Cause::Person
        {
            match reach {
                Reach::Strategy(strategy) => self.trades.stopped(now, Some(*strategy)),
                Reach::Firm => self.trades.stopped(now, None),
                Reach::Account(_) | Reach::Instrument(_) => {}
            }
        }
        let (kind, about) = tse_node::alert(alert, &self.names);
        let count = self.alerts.entry(kind).or_default();
        *count += 1;
        if *count > LOGGED_EACH {
            return;
        }
        let line = json!({
            "ts": now.to_string(),
            "level": "error",
            "event": "alert",
            "alert": kind,
            "about": about,
        });
        write(&mut self.out, |files| files.log(&line));
    }

    /// What the log did not tell one by one, it tells as counts.
    fn log_totals(&mut self, last: Timestamp) {
        let denied = self.denied.iter();
        let denied: BTreeMap<_, _> = denied.map(|((_, name), count)| (*name, *count)).collect();
        let line = json!({
            "ts": last.to_string(),
            "level": "info",
            "event": "ended",
            "denied": denied,
            "alerts": self.alerts,
        });
        write(&mut self.out, |files| files.log(&line));
    }

    fn name(&self, strategy: StrategyId) -> &str {
        self.names.strategy(strategy)
    }

    fn symbol(&self, instrument: InstrumentId) -> String {
        self.names.symbol(instrument).unwrap_or_default()
    }
}

/// The middle of a market, as the engine knows it.
fn middle(kernel: &Kernel, instrument: InstrumentId) -> Option<Mark> {
    kernel.market(instrument).quote.twice_mid().map(Mark::mid)
}

/// Writes to the files, if there are any and none has failed.
fn write(out: &mut Out, row: impl FnOnce(&mut Files) -> Result<(), Failure>) {
    if let Out { files: Some(files), failure: failure @ None, signs } = out
        && let Err(found) = row(files)
    {
        *failure = Some(found);
        signs.failed.set(true);
    }
}

/// What a fill gained against the mid, in the settlement currency: bought below, sold above.
fn gained(instrument: &Instrument, mid: Mark, side: Side, fill: &Fill) -> Option<Money> {
    let qty: Qty = fill.qty.signed(side);
    let gain = mid.value(instrument, qty)?.checked_sub(instrument.value(fill.price, qty)?.money)?;
    gain.units().checked_mul(instrument.profit_sign()).map(Money::from_units)
}

impl Observer for Collector {
    fn output(&mut self, now: Timestamp, output: &Output, kernel: &Kernel) {
        match output {
            Output::Send(_, Request::Place(order)) => {
                let tally = &mut self.tallies[order.instrument.index()];
                tally.orders += 1;
                tally.submitted += i128::from(order.qty.get());
                if let Some(share) = self.share(order.strategy) {
                    share.orders += 1;
                }
                self.trades.sent(order, middle(kernel, order.instrument));
            }
            Output::Send(_, Request::Modify(change)) => {
                // The order still has its old size: what it is to have on top is submitted now.
                if let Some(order) = kernel.order(change.id) {
                    let more = change.qty.saturating_sub(order.request.qty).get().max(0);
                    self.tallies[change.instrument.index()].submitted += i128::from(more);
                    self.trades.asked_more(&order.request, more);
                }
            }
            Output::Send(_, Request::Cancel(_)) => {}
            Output::Filled { .. } => self.filled(now, output, kernel),
            Output::Ended(id) => {
                if let Some(order) = kernel.order(*id).copied() {
                    let it = kernel.catalog().instrument(order.request.instrument);
                    let over = self.trades.ended(&order, it, middle(kernel, it.id));
                    write(&mut self.out, |files| files.order(&order, &over));
                }
            }
            Output::Denied { .. } => self.note_denied(now, output),
            Output::Saw(strategy, seen) => self.saw(now, *strategy, seen),
            Output::Alert(alert) => self.note_alert(now, alert),
            // Only where accounts are compared with their venues; a backtest's venues cannot be wrong.
            Output::Inquire(..)
            | Output::Recall(_)
            | Output::Adjusted(..)
            | Output::Reconciled(_)
            | Output::Sever(_) => {}
        }
    }

    fn told(&mut self, _: Timestamp, what: Told<'_>, kernel: &Kernel) {
        if let Told::Order(event) = what {
            self.trades.heard(event.id, middle(kernel, event.instrument));
        }
    }

    fn sample(&mut self, now: Timestamp, sample: &Sample<'_>, _: &Kernel) {
        let equity = &sample.equity;
        if self.out.signs.equity_start.get().is_none() {
            self.out.signs.equity_start.set(Some(equity.total));
        }
        let drawdown = self.equity.push(now, equity.total, self.unit);
        self.trades.sample(now, equity.total, sample.nets);
        write(&mut self.out, |files| files.sample(now, sample, drawdown));
    }

    #[inline]
    fn market(&mut self, now: Timestamp, event: &MarketEvent, kernel: &Kernel) {
        let Some(tally) = self.tallies.get_mut(event.instrument.index()) else { return };
        // The engine has not seen the event yet: this is the mid that stood until now.
        let twice = kernel.market(event.instrument).quote.twice_mid();
        tally.draw(twice);
        tally.markouts.until(now, twice);
        self.trades.until(now, event.instrument, twice);
        if tally.first.is_none() {
            tally.first = Some(now);
        } else {
            tally.silence = tally.silence.max(now - tally.last);
        }
        tally.last = now;
        tally.events += 1;
        if let MarketData::Depth(depth) = &event.data
            && depth.change == DepthChange::Gap
        {
            tally.gaps += 1;
        }
    }
}
