//! The statistics of a run, and of each strategy in it: what `performance` holds in JSON.
//!
//! Each figure is defined in `docs/statistics.md`. Amounts are exact decimal text in the base currency, lengths of
//! time nanoseconds as text, ratios numbers; what cannot be said is null.

use super::summary::{Attribution, Markout, share};
use super::trades::Pair;
use serde::{Deserialize, Serialize};
use tse_model::{Catalog, CurrencyId, Instrument, Money, Span};
use tse_portfolio::statistics::{EquityCurve, Method, Shortfall, TailRisk};
use tse_portfolio::{Mark, Profit};

/// What a curve says.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/statistics.md explains each field")]
pub struct CurveFigures {
    pub total_return: Option<f64>,
    pub cagr: Option<f64>,
    pub volatility: Option<f64>,
    pub sharpe: Option<f64>,
    pub sharpe_low: Option<f64>,
    pub sharpe_high: Option<f64>,
    pub sortino: Option<f64>,
    pub max_drawdown: Option<f64>,
    pub drawdown_ns: Option<String>,
    pub recovered: Option<bool>,
    pub underwater_ns: Option<String>,
    pub calmar: Option<f64>,
    pub return_over_drawdown: Option<f64>,
    pub daily_returns: u64,
    pub days_per_year: f64,
    pub mean_equity: Option<String>,
    pub risk: Option<Risk>,
}

/// What a day may cost.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/statistics.md explains each field")]
pub struct Risk {
    pub samples: u64,
    pub method: String,
    pub var_95: f64,
    pub var_99: f64,
    pub es_95: f64,
    pub es_99: f64,
}

/// What trading cost beside paper.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/statistics.md explains each field")]
pub struct Costs {
    pub delay: Option<String>,
    pub execution: Option<String>,
    pub unfilled: Option<String>,
    pub fees: Option<String>,
    pub total: Option<String>,
}

/// All of it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[allow(missing_docs, reason = "docs/statistics.md explains each field")]
pub struct Performance {
    #[serde(flatten)]
    pub curve: CurveFigures,
    pub exposure: Option<f64>,
    pub turnover_per_day: Option<f64>,
    pub turnover_per_year: Option<f64>,
    pub round_trips: u64,
    pub won: u64,
    pub lost: u64,
    pub win_rate: Option<f64>,
    pub profit_factor: Option<f64>,
    pub average_trip: Option<String>,
    pub round_trips_per_day: Option<f64>,
    pub fill_ratio: Option<f64>,
    pub maker_ratio: Option<f64>,
    pub slippage_bps: Option<f64>,
    pub shortfall: Costs,
    pub attribution: Attribution,
    pub unpriced_fees: bool,
    pub markouts: Vec<Markout>,
    pub breaches: u64,
    pub emergency_stops: u64,
    pub recovery_ns: Option<String>,
}

impl CurveFigures {
    /// What a curve of amounts of this scale says.
    pub(crate) fn of(curve: &EquityCurve, scale: u8) -> Self {
        let interval = curve.sharpe_interval();
        let deepest = curve.max_drawdown();
        let began = curve.has_index();
        Self {
            total_return: curve.total_return(),
            cagr: curve.cagr(),
            volatility: curve.volatility(),
            sharpe: curve.sharpe(),
            sharpe_low: interval.map(|(low, _)| low),
            sharpe_high: interval.map(|(_, high)| high),
            sortino: curve.sortino(),
            max_drawdown: began.then(|| deepest.map_or(0.0, |deepest| deepest.ratio)),
            drawdown_ns: curve.drawdown_lasted().map(nanos),
            recovered: deepest.map(|deepest| deepest.recovered_at.is_some()),
            underwater_ns: began.then(|| nanos(curve.underwater())),
            calmar: curve.calmar(),
            return_over_drawdown: curve.return_over_drawdown(),
            daily_returns: curve.days(),
            days_per_year: curve.basis().days_per_year,
            mean_equity: curve.mean_equity().and_then(|units| {
                Money::from_units(units.round() as i128)
                    .to_decimal(scale)
                    .map(|mean| mean.to_string())
            }),
            risk: curve.tail().map(risk),
        }
    }
}

fn risk(tail: TailRisk) -> Risk {
    let method = match tail.method {
        Method::Historical => "historical",
        Method::Parametric => "parametric",
    };
    Risk {
        samples: tail.samples as u64,
        method: method.to_owned(),
        var_95: tail.var_95,
        var_99: tail.var_99,
        es_95: tail.es_95,
        es_99: tail.es_99,
    }
}

pub(crate) fn nanos(span: Span) -> String {
    span.nanos().to_string()
}

/// What statistics of one strategy, or of all, are made of.
pub(crate) struct Parts<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) base: CurrencyId,
    /// How an amount of a currency is counted in the base; `None` without a price.
    pub(crate) convert: &'a dyn Fn(Money, CurrencyId) -> Option<Money>,
    pub(crate) curve: &'a EquityCurve,
    /// How each instrument was traded, and the price that what is held is valued at.
    pub(crate) pairs: Vec<(&'a Pair, &'a Instrument, Option<Mark>)>,
    pub(crate) profit: Option<Profit>,
    /// How long something was held, of how long it lasted.
    pub(crate) held: Span,
    pub(crate) lasted: Span,
}

impl Parts<'_> {
    /// A sum over instruments, in the base currency.
    fn sum(&self, of: impl Fn(&Pair, &Instrument, Option<Mark>) -> Option<Money>) -> Option<Money> {
        self.pairs.iter().try_fold(Money::ZERO, |sum, (pair, it, mark)| {
            let part = of(pair, it, *mark)?;
            // Nothing needs no price.
            let part = if part.is_zero() { part } else { (self.convert)(part, it.settle)? };
            sum.checked_add(part)
        })
    }

    fn show(&self, amount: Money) -> String {
        self.catalog.show(amount, self.base)
    }

    /// All that these parts say.
    pub(crate) fn performance(&self) -> Performance {
        let scale = self.catalog.currency(self.base).scale;
        let days = self.lasted.nanos() as f64 / 86_400e9;
        let volume = self.sum(|pair, _, _| pair.trading.volume());
        let maker = self.sum(|pair, _, _| pair.trading.maker());
        let mean = self.curve.mean_equity().filter(|mean| *mean > 0.0);
        let per_day = volume.zip(mean).filter(|_| days > 0.0);
        let per_day = per_day.map(|(volume, mean)| volume.units() as f64 / mean / days);
        let trips = |of: fn(&tse_portfolio::statistics::Trips) -> u64| -> u64 {
            self.pairs.iter().filter_map(|(pair, ..)| Some(of(&pair.trading.trips()?))).sum()
        };
        let (count, won) = (trips(|trips| trips.count), trips(|trips| trips.won));
        let gains = self.sum(|pair, _, _| Some(pair.trading.trips()?.gains));
        let losses = self.sum(|pair, _, _| Some(pair.trading.trips()?.losses));
        let average = gains.zip(losses).filter(|_| count > 0).and_then(|(gains, losses)| {
            let sum = gains.checked_add(losses)?.units();
            let mean = tse_model::divide(sum, i128::from(count), tse_model::Rounding::HalfEven)?;
            Some(self.show(Money::from_units(mean)))
        });
        Performance {
            curve: CurveFigures::of(self.curve, scale),
            exposure: (days > 0.0).then(|| self.held.nanos() as f64 / self.lasted.nanos() as f64),
            turnover_per_day: per_day,
            turnover_per_year: per_day.map(|per_day| per_day * 365.25),
            round_trips: count,
            won,
            lost: trips(|trips| trips.lost),
            win_rate: (count > 0).then(|| won as f64 / count as f64),
            profit_factor: gains
                .zip(losses)
                .filter(|(_, losses)| !losses.is_zero())
                .map(|(gains, losses)| gains.units() as f64 / losses.units().unsigned_abs() as f64),
            average_trip: average,
            round_trips_per_day: (days > 0.0).then(|| count as f64 / days),
            fill_ratio: fill_ratio(
                self.pairs.iter().map(|(pair, ..)| (pair.orders, pair.submitted, pair.filled)),
            ),
            maker_ratio: maker.zip(volume).and_then(|(maker, volume)| share(maker, volume)),
            slippage_bps: self.slippage(),
            shortfall: self.costs(),
            attribution: self.attribution(),
            unpriced_fees: self.pairs.iter().any(|(pair, ..)| pair.trading.has_unpriced_fees()),
            ..Performance::default()
        }
    }

    fn slippage(&self) -> Option<f64> {
        let (mut sum, mut weight) = (0.0, 0.0);
        for (pair, it, _) in &self.pairs {
            let Some((mean, of)) = pair.trading.slippage() else { continue };
            let of = (self.convert)(of, it.settle)?.units() as f64;
            sum += mean * of;
            weight += of;
        }
        (weight > 0.0).then(|| sum / weight * 1e4)
    }

    fn costs(&self) -> Costs {
        let part = |of: fn(&Shortfall) -> Money| {
            self.sum(|pair, _, _| pair.trading.shortfall().map(|costs| of(&costs)))
        };
        let delay = part(|costs| costs.delay);
        let execution = part(|costs| costs.execution);
        let unfilled = part(|costs| costs.unfilled);
        let fees = part(|costs| costs.fees);
        let all = [delay, execution, unfilled, fees];
        let total = all.iter().try_fold(Money::ZERO, |sum, part| sum.checked_add((*part)?));
        let show = |amount: Option<Money>| amount.map(|amount| self.show(amount));
        Costs {
            delay: show(delay),
            execution: show(execution),
            unfilled: show(unfilled),
            fees: show(fees),
            total: show(total),
        }
    }

    fn attribution(&self) -> Attribution {
        let minus = |amount: Money| amount.units().checked_neg().map(Money::from_units);
        let spread = self.sum(|pair, _, _| pair.trading.spread());
        let inventory = self.sum(|pair, it, mark| match mark {
            Some(mark) => pair.trading.inventory_at(it, mark),
            None if pair.trading.held().is_zero() => pair.trading.inventory(),
            None => None,
        });
        let fees = self.profit.and_then(|profit| minus(profit.fees));
        let funding = self.profit.map(|profit| profit.funding);
        let parts = [spread, inventory, fees, funding];
        let sum = parts.iter().try_fold(Money::ZERO, |sum, part| sum.checked_add((*part)?));
        let net = self.profit.and_then(|profit| profit.net());
        let residual = net.zip(sum).and_then(|(net, sum)| net.checked_sub(sum));
        let show = |amount: Option<Money>| amount.map(|amount| self.show(amount));
        Attribution {
            spread: show(spread),
            inventory: show(inventory),
            fees: show(fees),
            funding: show(funding),
            residual: show(residual),
        }
    }
}

/// Filled over submitted size; of several instruments the mean, weighted by their orders, because
/// sizes of different instruments do not add.
pub(crate) fn fill_ratio(parts: impl Iterator<Item = (u64, i128, i128)>) -> Option<f64> {
    let (mut sum, mut orders) = (0.0, 0);
    for (sent, submitted, filled) in parts.filter(|(_, submitted, _)| *submitted > 0) {
        sum += filled as f64 / submitted as f64 * sent as f64;
        orders += sent;
    }
    (orders > 0).then(|| sum / orders as f64)
}
