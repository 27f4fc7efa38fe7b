//! What a run consists of, as plain data: names, venues, sources, strategies, limits.
//!
//! Whoever reads configuration files fills one of these; nothing here reads anything.

use crate::latency::Latency;
use crate::models::QueueModel;
use tse_kernel::{
    ExposureTable, Guards, Kernel, LimitTable, LossTable, PaceTable, Reconcile, Setup,
};
use tse_model::{
    Catalog, CurrencyId, Environment, InstrumentId, Money, Rate, Source, Span, Timestamp, VenueId,
};
use tse_portfolio::statistics::Basis;
use tse_portfolio::{Portfolio, Prices};
use tse_risk::{CorrelationLimit, ExposureGroup, ExposureLimits, LossLimits};
use tse_strategy::{FixedRate, Strategy};

/// A backtest, ready to run.
pub struct Scenario {
    /// Seeds every random stream of the run.
    pub seed: u64,
    /// The names of the run.
    pub catalog: Catalog,
    /// Every venue of the catalogue, in its order.
    pub venues: Vec<VenueSetup>,
    /// Where market data comes from. At equal times an earlier source goes first.
    pub sources: Vec<Box<dyn Source>>,
    /// The strategies, with what each may trade.
    pub strategies: Vec<(Box<dyn Strategy>, Vec<InstrumentId>)>,
    /// The limits of every scope.
    pub limits: LimitTable,
    /// What may happen how often.
    pub paces: PaceTable,
    /// What may be lost, in the base currency; `None` where that is not limited.
    pub losses: Option<LossSetup>,
    /// What everything together may be worth, in the base currency; `None` where that is not limited.
    pub exposure: Option<ExposureSetup>,
    /// The longest window of any repeat limit (C08).
    pub repeat_window: Span,
    /// How long a venue may take to answer before an order counts as unknown.
    pub answer_timeout: Span,
    /// What results are counted in.
    pub base: CurrencyId,
    /// The clock, ramps, and whose orders they are.
    pub guards: Guards,
    /// Conversions that no instrument prices: assumptions, printed with the result.
    pub rates: Vec<FixedRate>,
    /// How old a price may be that something is valued with.
    pub price_age_max: Span,
    /// How often equity is sampled.
    pub sample_every: Span,
    /// What returns are measured by.
    pub basis: Basis,
    /// Only events from here on.
    pub start: Option<Timestamp>,
    /// Only events before.
    pub end: Option<Timestamp>,
    /// Whether every law of conservation is checked after every event: slow, for tests.
    pub audit: bool,
    /// What an engine needs that may be stopped and goes on; `None` for a simulation, which cannot.
    pub live: Option<LiveSetup>,
}

/// How an engine runs that may be stopped and goes on: it boots disarmed, and compares accounts with venues.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LiveSetup {
    /// What is at stake.
    pub environment: Environment,
    /// How accounts are compared.
    pub reconcile: Reconcile,
    /// How long a record may take to become safe before nothing that adds risk is sent.
    pub lag_max: Span,
}

impl Scenario {
    /// Its engine, not started: of venues and sources only what accounts hold at the start matters.
    ///
    /// # Panics
    /// If an opening balance fits no integer.
    pub fn kernel(self) -> Kernel {
        Kernel::new(self.setup())
    }

    /// How its engine is set up.
    ///
    /// # Panics
    /// If an opening balance fits no integer.
    pub fn setup(self) -> Setup {
        let mut portfolio = Portfolio::for_catalog(&self.catalog);
        if self.audit {
            portfolio.start_audit();
        }
        for setup in &self.venues {
            for (currency, amount) in &setup.deposits {
                let booked = portfolio.deposit(setup.venue, *currency, *amount);
                booked.expect("an opening balance fits");
            }
        }
        let losses = self.losses.map(|limits| LossTable {
            currency: self.base,
            prices: prices(&self.catalog, &self.rates, self.price_age_max),
            every: limits.every,
            cool_down: limits.cool_down,
            firm: limits.firm,
            strategy: limits.strategy,
        });
        let exposure = self.exposure.map(|limits| ExposureTable {
            currency: self.base,
            prices: prices(&self.catalog, &self.rates, self.price_age_max),
            every: limits.every,
            firm: limits.firm,
            groups: limits.groups,
            strategy: limits.strategy,
            correlation: limits.correlation,
        });
        Setup {
            catalog: self.catalog,
            portfolio,
            limits: self.limits,
            repeat_window: self.repeat_window,
            answer_timeout: self.answer_timeout,
            environment: self.live.map_or(Environment::Simulated, |live| live.environment),
            reconcile: self.live.map(|live| live.reconcile),
            lag_max: self.live.map(|live| live.lag_max),
            boots_disarmed: self.live.is_some(),
            paces: self.paces,
            losses,
            exposure,
            guards: self.guards,
            strategies: self.strategies,
        }
    }
}

/// What may be lost in a run.
#[derive(Clone, Debug)]
pub struct LossSetup {
    /// How often it is looked at, beside after every execution.
    pub every: Span,
    /// How long a scope stays cut back after a loss.
    pub cool_down: Span,
    /// Of everything.
    pub firm: Option<LossLimits>,
    /// By strategy.
    pub strategy: Vec<Option<LossLimits>>,
}

/// What everything together may be worth in a run.
#[derive(Clone, Debug)]
pub struct ExposureSetup {
    /// How often what is held is looked at.
    pub every: Span,
    /// Of everything.
    pub firm: ExposureLimits,
    /// Of instruments that move together.
    pub groups: Vec<ExposureGroup>,
    /// By strategy.
    pub strategy: Vec<ExposureLimits>,
    /// How much strategies may earn together.
    pub correlation: Option<CorrelationLimit>,
}

/// How currencies are converted: by the rates that are assumed, and by what instruments show.
pub fn prices(catalog: &Catalog, rates: &[FixedRate], age_max: Span) -> Prices {
    let mut prices = Prices::new(age_max);
    for rate in rates {
        // A pair that an instrument prices too is settled by the assumption: it was made on purpose.
        let _ = prices.fix(catalog, rate.from, rate.to, rate.rate);
    }
    for instrument in catalog.instruments() {
        // The first instrument of a pair prices it.
        let _ = prices.source(catalog, instrument.id);
    }
    prices
}

/// A simulated venue and our account there.
pub struct VenueSetup {
    /// Which venue.
    pub venue: VenueId,
    /// What the account holds at the start.
    pub deposits: Vec<(CurrencyId, Money)>,
    /// From the venue's matching engine to us: market data.
    pub feed: Latency,
    /// From us to its matching engine: orders.
    pub order: Latency,
    /// From its matching engine to us: answers and fills.
    pub response: Latency,
    /// How its markets are simulated; one entry for each of its instruments.
    pub markets: Vec<MarketSetup>,
}

/// How one market is simulated.
#[derive(Clone, Copy, Debug)]
pub struct MarketSetup {
    /// Which instrument.
    pub instrument: InstrumentId,
    /// Where in the queue our resting orders stand.
    pub queue: QueueModel,
    /// For sources that show only trades or bars: how far from the last price the other side is
    /// assumed to stand, in ticks.
    pub half_spread: i64,
    /// Funding paid at fixed times, where the data brings none.
    pub funding: Option<FundingSchedule>,
}

/// Funding at multiples of an interval since the epoch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FundingSchedule {
    /// How often.
    pub every: Span,
    /// What longs pay shorts each time, as a share of value.
    pub rate: Rate,
}
