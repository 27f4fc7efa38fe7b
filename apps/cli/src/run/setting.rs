//! What a result rests on: latencies, queue models, fees, rates, in words.
//!
//! Taken from the scenario before it runs, so that it says what was simulated and not what a file
//! asked for.

use tse_model::decimal::power_of_ten;
use tse_model::{Catalog, Decimal, FeeBasis, FeeSchedule, Instrument, Money, Rate, Span};
use tse_sim::{Latency, MarketSetup, QueueModel, Scenario};

/// What was simulated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setting {
    /// For the first line of a result: a few words each.
    pub(crate) headline: Vec<String>,
    /// For the report: a sentence each.
    pub(crate) assumptions: Vec<String>,
    /// Instruments where our orders are assumed to stand in front of every queue.
    pub(crate) optimists: Vec<String>,
    /// What makes the run a sensitivity rather than a result.
    pub(crate) sensitivity: Option<String>,
}

impl Setting {
    /// `warned` is whether the config says itself that something trades without fees: an explicit
    /// schedule of zeros may be what a venue really charges.
    pub(crate) fn of(scenario: &Scenario, warned: bool) -> Self {
        let catalog = &scenario.catalog;
        let markets: Vec<_> = scenario.venues.iter().flat_map(|venue| &venue.markets).collect();
        let traded = |market: &&&MarketSetup| {
            scenario.strategies.iter().any(|(_, traded)| traded.contains(&market.instrument))
        };
        let traded: Vec<&MarketSetup> = markets.iter().filter(traded).copied().collect();
        let mut setting = Self::default();
        setting.headline.push(symbols(catalog, &traded));
        setting.latencies(scenario);
        setting.queues(catalog, &traded);
        setting.fees(catalog, &traded, warned);
        for market in &traded {
            let it = catalog.instrument(market.instrument);
            if let Some(funding) = market.funding {
                setting.assumptions.push(format!(
                    "{}: funding of {} bps every {}, stated and not from data",
                    it.symbol,
                    bps(funding.rate),
                    funding.every
                ));
            }
        }
        for rate in &scenario.rates {
            let code = |id| &catalog.currency(id).code;
            setting.assumptions.push(format!(
                "1 {} = {} {} for the whole run",
                code(rate.from),
                rate.rate,
                code(rate.to)
            ));
        }
        let age = match scenario.price_age_max {
            Span::MAX => "of any age".to_owned(),
            age => format!("at most {age} old"),
        };
        setting.assumptions.push(format!(
            "equity is sampled every {} at prices {age}; days are cut at 00:00 UTC",
            scenario.sample_every
        ));
        setting
    }

    fn latencies(&mut self, scenario: &Scenario) {
        let mut different: Vec<String> = Vec::new();
        for venue in &scenario.venues {
            let name = &scenario.catalog.venue(venue.venue).name;
            let [feed, order, response] = [&venue.feed, &venue.order, &venue.response].map(latency);
            let short = if feed == order && order == response {
                feed.clone()
            } else {
                format!("feed {feed}, order {order}, answer {response}")
            };
            if !different.contains(&short) {
                different.push(short);
            }
            self.assumptions.push(format!(
                "{name}: latency of market data {feed}, of orders {order}, of answers {response}"
            ));
        }
        self.headline.push(format!("latency {}", joined(different)));
    }

    fn queues(&mut self, catalog: &Catalog, traded: &[&MarketSetup]) {
        let mut different = Vec::new();
        for market in traded {
            let symbol = catalog.instrument(market.instrument).symbol.to_string();
            let name = queue(market.queue);
            if market.queue == QueueModel::Front {
                self.optimists.push(symbol.clone());
            }
            self.assumptions.push(format!(
                "{symbol}: queue position by the model {name} where the data shows levels only"
            ));
            if !different.contains(&name) {
                different.push(name);
            }
        }
        self.headline.push(format!("queue {}", joined(different)));
    }

    fn fees(&mut self, catalog: &Catalog, traded: &[&MarketSetup], warned: bool) {
        let mut different = Vec::new();
        let free: Vec<_> = traded
            .iter()
            .map(|market| catalog.instrument(market.instrument))
            .filter(|it| it.fees.is_free())
            .map(|it| it.symbol.to_string())
            .collect();
        if warned && !free.is_empty() {
            self.sensitivity = Some(format!("without fees: {}", free.join(", ")));
        }
        for market in traded {
            let it = catalog.instrument(market.instrument);
            let text = fees(&it.fees, it, &catalog.currency(it.settle).code);
            self.assumptions.push(format!("{}: fees {text}", it.symbol));
            if !different.contains(&text) {
                different.push(text);
            }
        }
        self.headline.push(format!("fees {}", joined(different)));
    }
}

fn symbols(catalog: &Catalog, traded: &[&MarketSetup]) -> String {
    let symbol = |market: &&MarketSetup| catalog.instrument(market.instrument).symbol.to_string();
    let names: Vec<_> = traded.iter().map(symbol).collect();
    match names.len() {
        0..=3 => names.join(" "),
        n => format!("{} and {} more", names[..2].join(" "), n - 2),
    }
}

/// A few different texts in one, or how many there are.
fn joined(different: Vec<String>) -> String {
    match different.len() {
        0 => "n/a".to_owned(),
        1..=2 => different.join(" and "),
        n => format!("{} and {} others", different[0], n - 1),
    }
}

fn latency(latency: &Latency) -> String {
    match latency {
        latency if latency.is_zero() => "0".to_owned(),
        Latency::Constant(span) => span.to_string(),
        Latency::Jitter { low, high } => format!("{low} to {high}"),
        Latency::Table(rows) => format!("from a table of {} moments", rows.len()),
        Latency::Recorded => "as recorded".to_owned(),
    }
}

fn queue(queue: QueueModel) -> String {
    match queue {
        QueueModel::Power(n) => format!("power {n}"),
        queue => queue.name().to_owned(),
    }
}

/// A rate in basis points, exact.
fn bps(rate: Rate) -> Decimal {
    let bps = Decimal::new(i128::from(rate.billionths()), 5).expect("five decimals are few");
    bps.normalized()
}

fn fees(schedule: &FeeSchedule, it: &Instrument, currency: &str) -> String {
    if schedule.is_free() {
        return "none".to_owned();
    }
    let money = |amount: Money| {
        let exact = power_of_ten(it.settle_scale).and(amount.to_decimal(it.settle_scale));
        exact.map_or_else(|| "n/a".to_owned(), |exact| exact.normalized().to_string())
    };
    let Some(first) = schedule.tiers().first() else { return "none".to_owned() };
    let text = match first.basis {
        FeeBasis::Value { maker, taker } => format!("{}/{} bps", bps(maker), bps(taker)),
        FeeBasis::PerUnit { maker, taker, minimum } => {
            let text = format!("{}/{} {currency} a unit", money(maker), money(taker));
            if minimum.is_zero() { text } else { format!("{text}, at least {}", money(minimum)) }
        }
        FeeBasis::PerContract { maker, taker } => {
            format!("{}/{} {currency} a contract", money(maker), money(taker))
        }
    };
    match schedule.tiers().len() {
        1 => text,
        tiers => format!("{text} (first of {tiers} tiers)"),
    }
}
