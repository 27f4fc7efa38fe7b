//! From a finished backtest to its [`Summary`].
//!
//! Everything here reads; amounts of several currencies are added only after conversion at the prices
//! the run ended with, and where there is no such price the sum is null.

use super::collect::{Collector, Tally};
use super::edges::Distribution;
use super::markouts::{HORIZON_NAMES, Mean};
use super::setting::Setting;
use super::summary::{
    Attribution, COMPLETE, Drawdown, INTERRUPTED, Instrument, Markout, Opportunities, Position,
    Quantiles, Strategy, Summary, share,
};
use std::collections::BTreeMap;
use tse_kernel::Kernel;
use tse_model::{Catalog, CurrencyId, Decimal, Money, StrategyId, Timestamp};
use tse_portfolio::statistics::Days;
use tse_portfolio::{Mark, Prices, Profit};
use tse_sim::{Backtest, Outcome};

/// What the runner does not know about the run.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) run_id: String,
    pub(crate) name: String,
    pub(crate) seed: u64,
    pub(crate) base: CurrencyId,
    pub(crate) days_per_year: f64,
    pub(crate) strategies: Vec<String>,
    pub(crate) setting: Setting,
}

/// How many days of a year have returns: 365 where something trades around the clock, else 260 for
/// currencies alone and 252 for exchange sessions.
pub(crate) fn days_per_year(days: Days, catalog: &Catalog) -> f64 {
    let fx = |instrument: &tse_model::Instrument| instrument.kind == tse_model::Kind::Fx;
    match days {
        Days::All => 365.0,
        Days::Weekdays if catalog.instruments().iter().all(fx) => 260.0,
        Days::Weekdays => 252.0,
    }
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
    let (sharpe, sharpe_low, sharpe_high) = sharpe(outcome, facts.days_per_year);
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
        attribution: attribution(profit, settled(|tally| Some(tally.spread)), &exchange),

        max_drawdown: end.map(|_| drawdown.map_or(0.0, |drawdown| drawdown.ratio)),
        drawdown: drawdown.map(|drawdown| Drawdown {
            amount: show(drawdown.money),
            peak_at: drawdown.peak_at.to_string(),
            trough_at: drawdown.trough_at.to_string(),
            recovered_at: drawdown.recovered_at.map(|at| at.to_string()),
            largest_fall: show(outcome.curve.max_fall()),
        }),
        sharpe,
        sharpe_low,
        sharpe_high,
        days_per_year: facts.days_per_year,
        daily_returns: outcome.curve.days(),

        balances: balances(kernel),
        balances_by_venue: balances_by_venue(kernel),
        positions: positions(kernel, &facts.strategies),

        fill_ratio: fill_ratio(tallies),
        maker_ratio: maker.zip(volume).and_then(|(maker, volume)| share(maker, volume)),
        markouts: markouts(&joined(tallies)),
        opportunities: opportunities(collector),

        instruments: tallies
            .iter()
            .zip(catalog.instruments())
            .map(|(tally, it)| instrument(tally, it, kernel))
            .collect(),
        strategies: strategies(facts, &exchange, kernel, collector),

        wall_seconds: None,
        events_per_second: None,
    }
}

/// The annualised Sharpe ratio and its 95 % interval, `±1.96·√((1 + SR_d²/2)/n)` (Lo 2002).
fn sharpe(outcome: &Outcome, days_per_year: f64) -> (Option<f64>, Option<f64>, Option<f64>) {
    let Some(sharpe) = outcome.curve.sharpe(days_per_year) else { return (None, None, None) };
    let root = days_per_year.sqrt();
    let daily = sharpe / root;
    let error = ((1.0 + daily * daily / 2.0) / outcome.curve.days() as f64).sqrt();
    let half = 1.959_963_985 * error * root;
    (Some(sharpe), Some(sharpe - half), Some(sharpe + half))
}

fn attribution(
    profit: Option<Profit>,
    spread: Option<Money>,
    exchange: &Exchange<'_>,
) -> Attribution {
    let show = |amount: Money| exchange.show(amount);
    // What prices did to what was held is what is left when the spread is taken out.
    let held = profit
        .and_then(|profit| profit.realized.checked_add(profit.unrealized)?.checked_sub(spread?));
    let minus = |amount: Money| amount.units().checked_neg().map(Money::from_units);
    Attribution {
        spread: spread.map(show),
        inventory: held.map(show),
        fees: profit.and_then(|profit| minus(profit.fees)).map(show),
        funding: profit.map(|profit| show(profit.funding)),
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

/// Filled over submitted size; of several instruments the mean, weighted by their orders, because
/// sizes of different instruments do not add.
fn fill_ratio(tallies: &[Tally]) -> Option<f64> {
    let (mut sum, mut orders) = (0.0, 0);
    for tally in tallies.iter().filter(|tally| tally.submitted > 0) {
        sum += tally.filled as f64 / tally.submitted as f64 * tally.orders as f64;
        orders += tally.orders;
    }
    (orders > 0).then(|| sum / orders as f64)
}

fn joined(tallies: &[Tally]) -> [Mean; HORIZON_NAMES.len()] {
    let traded: Vec<_> = tallies.iter().filter(|tally| tally.fills > 0).collect();
    if let [one] = traded[..] {
        return *one.markouts.means();
    }
    let mut all: [Mean; HORIZON_NAMES.len()] = Default::default();
    for tally in traded {
        for (sum, mean) in all.iter_mut().zip(tally.markouts.means()) {
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
    collector: &Collector,
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
        }
    };
    collector.by_strategy.iter().enumerate().map(strategy).collect()
}
