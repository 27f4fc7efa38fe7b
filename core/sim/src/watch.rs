//! What a run shows to whoever watches it, and what it is worth while it goes on: samples of equity, and
//! what results are made of.

use crate::scenario::{Scenario, prices};
use crate::venue_log::Reached;
use tse_kernel::{Counts, Input, Kernel, Output};
use tse_model::{
    CurrencyId, MarketEvent, Money, OrderEvent, Span, StateHash, StrategyId, Timestamp,
};
use tse_portfolio::statistics::EquityCurve;
use tse_portfolio::{Equity, Prices, Profit};

/// What an engine is told: an [`Input`] that need not be moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told<'a> {
    /// [`Input::Market`].
    Market(&'a MarketEvent),
    /// [`Input::Order`].
    Order(&'a OrderEvent),
    /// Anything else.
    Other(&'a Input),
}

/// Who watches a run: report writers, tests, people.
pub trait Observer {
    /// The engine is about to be told something: here it is written down. What it knows is still what was
    /// before.
    fn told(&mut self, now: Timestamp, what: Told<'_>, kernel: &Kernel) {
        let _ = (now, what, kernel);
    }
    /// It has been told: what that led to is recorded, and what it asked for may leave.
    fn stepped(&mut self) {}
    /// The engine asked for or told something. An order that just ended can still be looked up.
    fn output(&mut self, now: Timestamp, output: &Output, kernel: &Kernel) {
        let _ = (now, output, kernel);
    }
    /// The requests among these outputs are about to leave, and there are some. `false` holds them back
    /// for ever: for who cannot keep a record of them.
    fn release(&mut self, now: Timestamp, outputs: &[Output]) -> bool {
        let _ = (now, outputs);
        true
    }
    /// A request has reached its venue and is about to be carried out: here it is written down. `false` if that
    /// could not be done; then it is not.
    fn reached(&mut self, reached: &Reached) -> bool {
        let _ = reached;
        true
    }
    /// Whether there is no point in going on: looked at now and then.
    fn gives_up(&self) -> bool {
        false
    }
    /// Equity was sampled.
    fn sample(&mut self, now: Timestamp, sample: &Sample<'_>, kernel: &Kernel) {
        let _ = (now, sample, kernel);
    }
    /// The engine is about to be shown a market event; what it knows is still what was before.
    fn market(&mut self, now: Timestamp, event: &MarketEvent, kernel: &Kernel) {
        let _ = (now, event, kernel);
    }
}

/// What everything is worth at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// The account.
    pub equity: Equity,
    /// What each strategy has earned so far, net; `None` where that has no usable price.
    pub nets: &'a [Option<Money>],
}

/// Nobody watches.
impl Observer for () {}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The virtual clock.
    pub now: Timestamp,
    /// Market events so far.
    pub events: u64,
    /// How much of the data has been read, in millionths, if it can be told.
    pub millionths: Option<u32>,
    /// The last sample of equity.
    pub equity: Option<Money>,
    /// What all positions earned so far, net.
    pub net: Option<Money>,
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Market events.
    pub events: u64,
    /// What the engine counted.
    pub counts: Counts,
    /// The hash of everything asked for, heard and booked.
    pub state_hash: StateHash,
    /// The first event.
    pub first: Option<Timestamp>,
    /// The last moment of the run.
    pub last: Option<Timestamp>,
    /// Equity when everything held could first be valued.
    pub equity_start: Option<Equity>,
    /// Equity at the end; `None` if something held has no usable price.
    pub equity_end: Option<Equity>,
    /// What all positions earned; `None` if something has no usable price.
    pub profit: Option<Profit>,
    /// The sampled curve.
    pub curve: EquityCurve,
    /// Of each strategy: what the account began with and what the strategy has earned.
    pub strategies: Vec<EquityCurve>,
    /// Whether the run was stopped before its data ended.
    pub interrupted: bool,
    /// The first law of conservation that was broken, where they are checked.
    pub broken: Option<String>,
}

/// Watches a run for its results.
pub(crate) struct Watch {
    prices: Prices,
    base: CurrencyId,
    every: Span,
    next: Timestamp,
    start: Option<Equity>,
    end: Option<Equity>,
    curve: EquityCurve,
    strategies: Vec<EquityCurve>,
    nets: Vec<Option<Money>>,
}

impl Watch {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let prices = prices(&scenario.catalog, &scenario.rates, scenario.price_age_max);
        Self {
            prices,
            base: scenario.base,
            every: scenario.sample_every,
            next: Timestamp::MIN,
            start: None,
            end: None,
            curve: EquityCurve::new(scenario.basis),
            strategies: vec![EquityCurve::new(scenario.basis); scenario.strategies.len()],
            nets: vec![None; scenario.strategies.len()],
        }
    }

    pub(crate) fn prices(&self) -> &Prices {
        &self.prices
    }

    pub(crate) fn next_sample(&self) -> Timestamp {
        self.next
    }

    fn value(&mut self, now: Timestamp, kernel: &Kernel) -> Option<Equity> {
        for instrument in kernel.catalog().instruments() {
            let market = kernel.market(instrument.id);
            if let (Some(mark), Some(at)) = (kernel.state().mark(instrument.id), market.updated) {
                self.prices.set(instrument.id, mark, at);
            }
        }
        kernel.portfolio().equity(kernel.catalog(), &self.prices, self.base, now).ok()
    }

    /// Samples equity as it stands; the next sample falls on the next multiple of the interval.
    pub(crate) fn sample(&mut self, now: Timestamp, kernel: &Kernel, observer: &mut impl Observer) {
        self.next = now.floor(self.every) + self.every;
        if let Some(equity) = self.value(now, kernel) {
            let start = self.start.get_or_insert(equity).total;
            self.end = Some(equity);
            self.curve.observe(now, equity.total);
            for (at, (net, curve)) in self.nets.iter_mut().zip(&mut self.strategies).enumerate() {
                let id = StrategyId(u16::try_from(at).expect("strategies are numbered by 16 bits"));
                let (portfolio, catalog) = (kernel.portfolio(), kernel.catalog());
                let profit = portfolio.profit(catalog, &self.prices, Some(id), self.base, now);
                *net = profit.ok().and_then(|profit| profit.net());
                if let Some(worth) = net.and_then(|net| start.checked_add(net)) {
                    curve.observe(now, worth);
                }
            }
            observer.sample(now, &Sample { equity, nets: &self.nets }, kernel);
        }
    }

    /// The last sample: `None` at the end is honest where something has no price any more.
    pub(crate) fn finish(&mut self, now: Timestamp, kernel: &Kernel, observer: &mut impl Observer) {
        self.sample(now, kernel, observer);
        self.end = self.value(now, kernel);
    }

    pub(crate) fn last_equity(&self) -> Option<Money> {
        self.end.map(|equity| equity.total)
    }

    pub(crate) fn equity(&self) -> (Option<Equity>, Option<Equity>) {
        (self.start, self.end)
    }

    pub(crate) fn curve(&self) -> &EquityCurve {
        &self.curve
    }

    pub(crate) fn strategies(&self) -> &[EquityCurve] {
        &self.strategies
    }

    pub(crate) fn profit(&self, now: Timestamp, kernel: &Kernel) -> Option<Profit> {
        kernel.portfolio().profit(kernel.catalog(), &self.prices, None, self.base, now).ok()
    }
}
