//! From a finished backtest to its [`Summary`].
//!
//! Everything here reads; amounts of several currencies are added only after conversion at the prices
//! the run ended with, and where there is no such price the sum is null.

use super::collect::{Collector, Tally};
use super::edges::Distribution;
use super::markouts::{HORIZON_NAMES, Markouts, Mean};
use super::performance::{Parts, Performance, fill_ratio, nanos};
use super::setting::Setting;
use super::summary::{
    COMPLETE, Drawdown, INTERRUPTED, Instrument, Markout, Opportunities, Position, Quantiles,
    Strategy, Summary, share,
};
use std::collections::BTreeMap;
use tse_kernel::Kernel;
use tse_model::{Catalog, CurrencyId, Decimal, Money, Span, StrategyId, Timestamp};
use tse_portfolio::{Mark, Prices};
use tse_sim::{Backtest, Outcome};

/// What the runner does not know about the run.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) run_id: String,
    pub(crate) name: String,
    pub(crate) seed: u64,
    pub(crate) base: CurrencyId,
    pub(crate) strategies: Vec<String>,
    pub(crate) setting: Setting,
}

/// Converts into the base currency at the prices the run ended with.
struct Exchange<'a> {
    catalog: &'a Catalog,
    prices: &'a Prices,
    base: CurrencyId,
    now: Timestamp,
}

impl Exchange<'_> {
    fn sum(&self, parts: impl IntoIterator<Item = (CurrencyId, Money)>) -> Option<Money> {
        parts.into_iter().try_fold(Money::ZERO, |sum, (currency, amount)| {
            let part = self.prices.convert(amount, currency, self.base, self.now).ok()?;
            sum.checked_add(part.money)
        })
    }

    fn show(&self, amount: Money) -> String {
        self.catalog.show(amount, self.base)
    }
}

/// Sums a run up.
pub(crate) fn sum_up(
    facts: &Facts,
    backtest: &Backtest,
    outcome: &Outcome,
    collector: &Collector,
) -> Summary {
    let kernel = backtest.kernel();
    let catalog = kernel.catalog();
    let now = outcome.last.unwrap_or(Timestamp::EPOCH);
    let prices = backtest.prices();
    let exchange = Exchange { catalog, prices, base: facts.base, now };
    let show = |amount: Money| exchange.show(amount);
    let tallies = &collector.tallies;
    let settled = |of: fn(&Tally) -> Option<Money>| {
        let part = |(tally, it): (&Tally, &tse_model::Instrument)| Some((it.settle, of(tally)?));
        let parts: Option<Vec<_>> = tallies.iter().zip(catalog.instruments()).map(part).collect();
        exchange.sum(parts?)
    };
    let maker = settled(|tally| Some(tally.maker));
    let volume = settled(|tally| tally.maker.checked_add(tally.taker));
    let profit = outcome.profit;
    let net = profit.and_then(|profit| profit.net());
    let start = outcome.equity_start.map(|equity| equity.total);
    let end = outcome.equity_end.map(|equity| equity.total);
    let revaluation = start
        .zip(end)
        .zip(net)
        .and_then(|((start, end), net)| end.checked_sub(start)?.checked_sub(net));
    let span = outcome.first.zip(outcome.last).map_or(0, |(first, last)| (last - first).nanos());
    let interval = outcome.curve.sharpe_interval();
    let run = Span::from_nanos(span);
    let of_all = performance(&exchange, kernel, outcome, collector, None, run);
    let drawdown = outcome.curve.max_drawdown();
    Summary {
        run_id: facts.run_id.clone(),
        name: facts.name.clone(),
        status: if outcome.interrupted { INTERRUPTED } else { COMPLETE }.to_owned(),
        tse_version: env!("CARGO_PKG_VERSION").to_owned(),
        seed: facts.seed.to_string(),
        state_hash: outcome.state_hash.to_string(),
        base: catalog.currency(facts.base).code.clone(),
        start: outcome.first.map(|first| first.to_string()),
        end: outcome.last.map(|last| last.to_string()),
        days: span as f64 / 86_400e9,
        setting: facts.setting.headline.clone(),
        sensitivity: facts.setting.sensitivity.clone(),
        assumptions: facts.setting.assumptions.clone(),

        events: outcome.events,
        orders: outcome.counts.orders,
        cancels: outcome.counts.cancels,
        fills: outcome.counts.fills,
        rejected: outcome.counts.rejected,
        denied: outcome.counts.denied,
        denied_by: denied_by(collector),
        alerts: collector.alerts.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect(),

        equity_start: start.map(show),
        equity_end: end.map(show),
        net_pnl: net.map(show),
        net_return: net.zip(start).and_then(|(net, start)| share(net, start)),
        realized_pnl: profit.map(|profit| show(profit.realized)),
        unrealized_pnl: profit.map(|profit| show(profit.unrealized)),
        fees: profit.map(|profit| show(profit.fees)),
        funding: profit.map(|profit| show(profit.funding)),
        revaluation: revaluation.map(show),
        volume: volume.map(show),
        attribution: of_all.attribution.clone(),

        max_drawdown: end.map(|_| drawdown.map_or(0.0, |drawdown| drawdown.ratio)),
        drawdown: drawdown.map(|drawdown| Drawdown {
            amount: show(drawdown.money),
            peak_at: drawdown.peak_at.to_string(),
            trough_at: drawdown.trough_at.to_string(),
            recovered_at: drawdown.recovered_at.map(|at| at.to_string()),
            largest_fall: show(outcome.curve.max_fall()),
        }),
        sharpe: outcome.curve.sharpe(),
        sharpe_low: interval.map(|(low, _)| low),
        sharpe_high: interval.map(|(_, high)| high),
        days_per_year: outcome.curve.basis().days_per_year,
        daily_returns: outcome.curve.days(),
        performance: of_all,

        balances: balances(kernel),
        balances_by_venue: balances_by_venue(kernel),
        positions: positions(kernel, &facts.strategies),

        fill_ratio: fill_ratio(tallies.iter().map(|it| (it.orders, it.submitted, it.filled))),
        maker_ratio: maker.zip(volume).and_then(|(maker, volume)| share(maker, volume)),
        markouts: markouts(&joined(tallies.iter().map(|it| (it.fills, &it.markouts)))),
        opportunities: opportunities(collector),

        instruments: tallies
            .iter()
            .zip(catalog.instruments())
            .map(|(tally, it)| instrument(tally, it, kernel))
            .collect(),
        strategies: strategies(facts, &exchange, kernel, outcome, collector, run),

        wall_seconds: None,
        events_per_second: None,
    }
}

/// The statistics of one strategy; of all, if `None`.
fn performance(
    exchange: &Exchange<'_>,
    kernel: &Kernel,
    outcome: &Outcome,
    collector: &Collector,
    strategy: Option<StrategyId>,
    lasted: Span,
) -> Performance {
    let Exchange { catalog, prices, base, now } = exchange;
    let trades = &collector.trades;
    let wanted = |at: usize| strategy.is_none_or(|strategy| strategy.index() == at);
    let of = trades.pairs.iter().enumerate().filter(|(at, _)| wanted(*at));
    let pairs: Vec<_> = of
        .flat_map(|(_, pairs)| pairs.iter().zip(catalog.instruments()))
        .map(|(pair, it)| (pair, it, kernel.state().mark(it.id)))
        .collect();
    let convert = |amount, currency| {
        prices.convert(amount, currency, *base, *now).ok().map(|converted| converted.money)
    };
    let (curve, holding, stops, breaches) = match strategy {
        None => (&outcome.curve, trades.held_by_any, trades.stops_of_any, outcome.counts.denied),
        Some(id) => {
            let at = id.index();
            let denied = collector.by_strategy[at].denied;
            (&outcome.strategies[at], trades.holding[at], trades.stops[at], denied)
        }
    };
    let marked = joined(pairs.iter().map(|(pair, ..)| (pair.fills, &pair.markouts)));
    let parts = Parts {
        catalog,
        base: *base,
        convert: &convert,
        curve,
        profit: kernel.portfolio().profit(catalog, prices, strategy, *base, *now).ok(),
        held: holding.until(*now),
        lasted,
        pairs,
    };
    Performance {
        markouts: markouts(&marked),
        breaches,
        emergency_stops: stops.count,
        recovery_ns: stops.recovery.map(nanos),
        ..parts.performance()
    }
}

fn denied_by(collector: &Collector) -> BTreeMap<String, u64> {
    let denied = collector.denied.iter();
    denied.map(|((control, name), count)| (format!("{control} {name}"), *count)).collect()
}

fn balances(kernel: &Kernel) -> BTreeMap<String, String> {
    let catalog = kernel.catalog();
    let mut sums: BTreeMap<CurrencyId, Money> = BTreeMap::new();
    for (_, currency, amount) in kernel.portfolio().balances() {
        let sum = sums.entry(currency).or_default();
        *sum = sum.checked_add(amount).unwrap_or(*sum);
    }
    let named =
        |(id, sum): (CurrencyId, Money)| (catalog.currency(id).code.clone(), catalog.show(sum, id));
    sums.into_iter().map(named).collect()
}

fn balances_by_venue(kernel: &Kernel) -> BTreeMap<String, BTreeMap<String, String>> {
    let catalog = kernel.catalog();
    let mut venues: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (venue, currency, amount) in kernel.portfolio().balances() {
        let venue = venues.entry(catalog.venue(venue).name.clone()).or_default();
        venue.insert(catalog.currency(currency).code.clone(), catalog.show(amount, currency));
    }
    venues
}

/// A mark as a price: half a tick has one decimal more.
pub(crate) fn mark_price(mark: Mark, instrument: &tse_model::Instrument) -> Option<Decimal> {
    let half = Decimal::new(instrument.tick.mantissa() * 5, instrument.tick.scale() + 1)?;
    let price = Decimal::new(half.mantissa().checked_mul(mark.twice())?, half.scale())?;
    // Keep the decimals of the tick; the one more only where it says something.
    let shorter = price.at_scale(instrument.tick.scale());
    Some(shorter.and_then(|m| Decimal::new(m, instrument.tick.scale())).unwrap_or(price))
}

fn positions(kernel: &Kernel, strategies: &[String]) -> Vec<Position> {
    let catalog = kernel.catalog();
    let touched = kernel.portfolio().positions().iter().filter(|held| held.updated_at().is_some());
    let position = |held: &tse_portfolio::Position| {
        let it = catalog.instrument(held.instrument());
        let mark = kernel.state().mark(it.id);
        let show = |amount: Money| catalog.show(amount, it.settle);
        let unrealized = match mark {
            Some(mark) => held.unrealized(it, mark),
            None => held.is_flat().then_some(Money::ZERO),
        };
        Position {
            strategy: name(strategies, held.strategy()),
            symbol: it.symbol.to_string(),
            size: it.qty_decimal(held.qty()).to_string(),
            average_price: held.average_price(it).map(|price| price.to_string()),
            mark_price: mark.and_then(|mark| mark_price(mark, it)).map(|price| price.to_string()),
            currency: catalog.currency(it.settle).code.clone(),
            cost: show(held.cost()),
            realized: show(held.realized()),
            unrealized: unrealized.map(show),
            fees: show(held.fees()),
            funding: show(held.funding()),
            volume: show(held.volume()),
            fills: held.fills(),
        }
    };
    touched.map(position).collect()
}

fn name(strategies: &[String], id: StrategyId) -> String {
    strategies.get(id.index()).cloned().unwrap_or_default()
}

fn joined<'a>(parts: impl Iterator<Item = (u64, &'a Markouts)>) -> [Mean; HORIZON_NAMES.len()] {
    let traded: Vec<_> = parts.filter(|(fills, _)| *fills > 0).collect();
    if let [(_, one)] = traded[..] {
        return *one.means();
    }
    let mut all: [Mean; HORIZON_NAMES.len()] = Default::default();
    for (_, markouts) in traded {
        for (sum, mean) in all.iter_mut().zip(markouts.means()) {
            sum.join(mean);
        }
    }
    all
}

fn markouts(means: &[Mean; HORIZON_NAMES.len()]) -> Vec<Markout> {
    let markout = |(after, mean): (&str, &Mean)| Markout {
        after: after.to_owned(),
        bps: mean.bps(),
        band_bps: mean.band_bps(),
        fills: mean.count,
    };
    HORIZON_NAMES.into_iter().zip(means).map(markout).collect()
}

/// Billionths as basis points: five decimals, exact.
pub(crate) fn bps(billionths: i64) -> String {
    let bps = Decimal::new(i128::from(billionths), 5).expect("five decimals are few");
    bps.to_string()
}

fn quantiles(values: &Distribution) -> Option<Quantiles> {
    let at = |permille| values.quantile(permille).map(bps);
    Some(Quantiles {
        count: values.total(),
        mean: values.mean().map(bps),
        min: at(0)?,
        p01: at(10)?,
        p05: at(50)?,
        p25: at(250)?,
        p50: at(500)?,
        p75: at(750)?,
        p95: at(950)?,
        p99: at(990)?,
        max: at(1_000)?,
        grain: bps(values.grain()),
    })
}

fn opportunities(collector: &Collector) -> Opportunities {
    let all = &collector.opportunities;
    let missed: u64 = all.missed.values().sum();
    Opportunities {
        seen: all.seen,
        taken: all.taken,
        missed: all.missed.iter().map(|(why, count)| (why.name().to_owned(), *count)).collect(),
        open: all.seen.saturating_sub(all.taken + missed),
        gross_bps: quantiles(&all.gross),
        net_bps: quantiles(&all.net),
        net_taken_bps: quantiles(&all.net_taken),
    }
}

fn instrument(tally: &Tally, it: &tse_model::Instrument, kernel: &Kernel) -> Instrument {
    let catalog = kernel.catalog();
    let volume = tally.maker.checked_add(tally.taker).unwrap_or_default();
    Instrument {
        symbol: it.symbol.to_string(),
        events: tally.events,
        gaps: tally.gaps,
        silence_ns: tally.silence.nanos().to_string(),
        orders: tally.orders,
        fills: tally.fills,
        fill_ratio: (tally.submitted > 0).then(|| tally.filled as f64 / tally.submitted as f64),
        maker_ratio: share(tally.maker, volume),
        currency: catalog.currency(it.settle).code.clone(),
        volume: catalog.show(volume, it.settle),
        spread: catalog.show(tally.spread, it.settle),
        position: it.qty_decimal(kernel.portfolio().net(it.id)).to_string(),
        markouts: markouts(tally.markouts.means()),
    }
}

fn strategies(
    facts: &Facts,
    exchange: &Exchange<'_>,
    kernel: &Kernel,
    outcome: &Outcome,
    collector: &Collector,
    lasted: Span,
) -> Vec<Strategy> {
    let strategy = |(number, share): (usize, &super::collect::Share)| {
        let id = StrategyId(u16::try_from(number).expect("strategies are numbered by 16 bits"));
        let Exchange { catalog, prices, base, now } = exchange;
        let profit = kernel.portfolio().profit(catalog, prices, Some(id), *base, *now).ok();
        let show = |amount: Money| exchange.show(amount);
        Strategy {
            name: name(&facts.strategies, id),
            orders: share.orders,
            fills: share.fills,
            denied: share.denied,
            net_pnl: profit.and_then(|profit| profit.net()).map(show),
            realized_pnl: profit.map(|profit| show(profit.realized)),
            unrealized_pnl: profit.map(|profit| show(profit.unrealized)),
            fees: profit.map(|profit| show(profit.fees)),
            funding: profit.map(|profit| show(profit.funding)),
            opportunities_seen: share.seen,
            opportunities_taken: share.taken,
            performance: performance(exchange, kernel, outcome, collector, Some(id), lasted),
        }
    };
    collector.by_strategy.iter().enumerate().map(strategy).collect()
}
