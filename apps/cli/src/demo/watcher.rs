//! What a person wants to see of a market that is being traded: totals, and what just happened.

use crate::run::collect::Collector;
use crate::run::numbers;
use std::collections::VecDeque;
use tse_kernel::{Kernel, Output};
use tse_model::{Catalog, CurrencyId, Liquidity, MarketEvent, Money, Side, Timestamp};
use tse_sim::{Observer, Sample, Told};
use tse_strategy::{Opportunity, Outcome};

/// How many lines of each kind are remembered.
const KEPT: usize = 40;

/// Something that happened, in a line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

/// How a line should look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tone {
    Buy,
    Sell,
    Good,
    Quiet,
    Bad,
}

/// Watches the demo.
pub(crate) struct Watcher {
    pub(crate) collector: Collector,
    pub(crate) fills: VecDeque<Line>,
    pub(crate) opportunities: VecDeque<Line>,
    pub(crate) alerts: VecDeque<Line>,
    pub(crate) equity: Option<Money>,
    strategies: Vec<String>,
}

impl Watcher {
    pub(crate) fn new(catalog: &Catalog, strategies: &[String], base: CurrencyId) -> Self {
        Self {
            collector: Collector::new(catalog, strategies, base, None),
            fills: VecDeque::new(),
            opportunities: VecDeque::new(),
            alerts: VecDeque::new(),
            equity: None,
            strategies: strategies.to_vec(),
        }
    }

    fn filled(&mut self, now: Timestamp, output: &Output, kernel: &Kernel) {
        let Output::Filled { strategy, instrument, side, fill, .. } = output else { return };
        let it = kernel.catalog().instrument(*instrument);
        let how = if fill.liquidity == Liquidity::Maker { "maker" } else { "taker" };
        let (name, tone) = match side {
            Side::Buy => ("buy ", Tone::Buy),
            Side::Sell => ("sell", Tone::Sell),
        };
        let who = self.strategies.get(strategy.index()).map_or("", String::as_str);
        let text = format!(
            "{} {name} {:>7} @ {:>9} {} {how} {who}",
            clock(now),
            it.qty_decimal(fill.qty).to_string(),
            numbers::exact(&it.price_decimal(fill.price).to_string()),
            it.symbol,
        );
        remember(&mut self.fills, Line { text, tone });
    }

    fn saw(&mut self, now: Timestamp, seen: &Opportunity, kernel: &Kernel) {
        let (what, tone) = match seen.outcome {
            Outcome::Detected => return,
            Outcome::Taken => ("taken".to_owned(), Tone::Good),
            Outcome::Missed(why) => {
                (format!("missed: {}", why.name().replace('_', " ")), Tone::Quiet)
            }
        };
        let venue = |id| &kernel.catalog().instrument(id).symbol.venue;
        let text = format!(
            "{} {} > {} {:>5.2} bp {what}",
            clock(now),
            venue(seen.buy),
            venue(seen.sell),
            seen.net as f64 / 1e5,
        );
        remember(&mut self.opportunities, Line { text, tone });
    }
}

fn clock(now: Timestamp) -> String {
    now.to_string().get(11..19).unwrap_or_default().to_owned()
}

fn remember(lines: &mut VecDeque<Line>, line: Line) {
    lines.push_front(line);
    lines.truncate(KEPT);
}

impl Observer for Watcher {
    fn output(&mut self, now: Timestamp, output: &Output, kernel: &Kernel) {
        self.collector.output(now, output, kernel);
        match output {
            Output::Filled { .. } => self.filled(now, output, kernel),
            Output::Saw(_, seen) => self.saw(now, seen, kernel),
            Output::Denied { instrument, refusal, .. } => {
                let symbol = &kernel.catalog().instrument(*instrument).symbol;
                let text = format!("{} refused {symbol}: {refusal}", clock(now));
                remember(&mut self.alerts, Line { text, tone: Tone::Quiet });
            }
            Output::Alert(alert) => {
                let text = format!("{} {alert:?}", clock(now));
                remember(&mut self.alerts, Line { text, tone: Tone::Bad });
            }
            Output::Send(..)
            | Output::Ended(_)
            | Output::Inquire(..)
            | Output::Recall(_)
            | Output::Adjusted(..)
            | Output::Reconciled(_)
            | Output::Sever(_) => {}
        }
    }

    fn told(&mut self, now: Timestamp, what: Told<'_>, kernel: &Kernel) {
        self.collector.told(now, what, kernel);
    }

    fn sample(&mut self, now: Timestamp, sample: &Sample<'_>, kernel: &Kernel) {
        self.collector.sample(now, sample, kernel);
        self.equity = Some(sample.equity.total);
    }

    fn market(&mut self, now: Timestamp, event: &MarketEvent, kernel: &Kernel) {
        self.collector.market(now, event, kernel);
    }
}
