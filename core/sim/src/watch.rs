//! What a run is worth while it goes on: samples of equity, and what results are made of.

use crate::backtest::Observer;
use crate::scenario::Scenario;
use tse_kernel::Kernel;
use tse_model::{CurrencyId, Money, Span, Timestamp};
use tse_portfolio::statistics::EquityCurve;
use tse_portfolio::{Equity, Prices, Profit};

/// Watches a run for its results.
pub(crate) struct Watch {
    prices: Prices,
    base: CurrencyId,
    every: Span,
    next: Timestamp,
    start: Option<Equity>,
    end: Option<Equity>,
    curve: EquityCurve,
}

impl Watch {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        let mut prices = Prices::new(scenario.price_age_max);
        for rate in &scenario.rates {
            // A pair that an instrument prices too is settled by the assumption: it was made on purpose.
            let _ = prices.fix(&scenario.catalog, rate.from, rate.to, rate.rate);
        }
        for instrument in scenario.catalog.instruments() {
            // The first instrument of a pair prices it.
            let _ = prices.source(&scenario.catalog, instrument.id);
        }
        Self {
            prices,
            base: scenario.base,
            every: scenario.sample_every,
            next: Timestamp::MIN,
            start: None,
            end: None,
            curve: EquityCurve::new(scenario.days, Span::ZERO),
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
            self.start.get_or_insert(equity);
            self.end = Some(equity);
            self.curve.observe(now, equity.total);
            observer.sample(now, &equity, kernel);
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

    pub(crate) fn profit(&self, now: Timestamp, kernel: &Kernel) -> Option<Profit> {
        kernel.portfolio().profit(kernel.catalog(), &self.prices, None, self.base, now).ok()
    }
}
