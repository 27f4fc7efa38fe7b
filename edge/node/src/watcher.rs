//! What the driver remembers of what an engine said, for pictures and answers.

use crate::feed::{Feed, FeedIn, feed};
use crate::timings::Timing;
use crate::{Line, Names, say};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;
use tse_kernel::{Kernel, Output};
use tse_model::{Fill, InstrumentId, Liquidity, Money, Side, StrategyId, Timestamp};
use tse_portfolio::statistics::{Deal, Trading};
use tse_sim::{Observer, Sample, Told};

/// How many alerts are remembered.
const KEPT: usize = 100;

/// Remembers the last of what was said, and nothing that grows.
pub(crate) struct Watcher {
    names: Names,
    pub(crate) alerts: VecDeque<Line>,
    pub(crate) equity: Option<Money>,
    pub(crate) nets: Vec<Option<Money>>,
    /// Of each strategy: executions of buys and of sells since this process began.
    pub(crate) traded: Vec<[u64; 2]>,
    /// How each strategy traded each instrument since then, strategy by strategy.
    pub(crate) trading: Vec<Vec<Trading>>,
    pub(crate) feed: FeedIn,
    /// Where it is counted how long inputs take.
    pub(crate) inputs: Arc<Timing>,
    /// When the last one began.
    begun: Option<Instant>,
    said: u64,
    /// What was said since somebody began to listen.
    heard: Option<Vec<Line>>,
}

impl Watcher {
    /// And the end of its feed that is read.
    pub(crate) fn new(names: Names) -> (Self, Feed) {
        let (feed_in, feed) = feed(names.clone());
        let watcher = Self {
            nets: vec![None; names.strategies.len()],
            traded: vec![[0; 2]; names.strategies.len()],
            trading: vec![
                vec![Trading::default(); names.catalog.instruments().len()];
                names.strategies.len()
            ],
            feed: feed_in,
            names,
            alerts: VecDeque::new(),
            equity: None,
            inputs: Arc::default(),
            begun: None,
            said: 0,
            heard: None,
        };
        (watcher, feed)
    }

    /// Begins to listen.
    pub(crate) fn listen(&mut self) {
        self.heard = Some(Vec::new());
    }

    fn filled(
        &mut self,
        (strategy, instrument): (StrategyId, InstrumentId),
        side: Side,
        fill: &Fill,
        realized: Money,
        kernel: &Kernel,
    ) {
        if let Some([bought, sold]) = self.traded.get_mut(strategy.index()) {
            *if side == Side::Buy { bought } else { sold } += 1;
        }
        let row = self.trading.get_mut(strategy.index());
        let Some(trading) = row.and_then(|row| row.get_mut(instrument.index())) else { return };
        let it = self.names.catalog.instrument(instrument);
        let deal = Deal {
            side,
            price: fill.price,
            qty: fill.qty,
            maker: fill.liquidity == Liquidity::Maker,
            fee: (fill.fee_currency == it.settle).then_some(fill.fee),
            realized,
            mid: kernel.state().mark(instrument),
            decided: None,
        };
        trading.fill(it, &deal);
    }

    /// What was said since then.
    pub(crate) fn heard(&mut self) -> Vec<Line> {
        self.heard.take().unwrap_or_default()
    }
}

impl Observer for Watcher {
    fn told(&mut self, now: Timestamp, what: Told<'_>, kernel: &Kernel) {
        match what {
            Told::Order(event) => self.feed.hear(now, event.id, kernel),
            _ => self.feed.settle(now, kernel),
        }
        self.begun = Some(Instant::now());
    }

    fn stepped(&mut self) {
        if let Some(begun) = self.begun.take() {
            self.inputs.since(begun);
        }
    }

    fn output(&mut self, now: Timestamp, output: &Output, kernel: &Kernel) {
        self.feed.take(now, output, self.said + 1, kernel);
        if let Output::Filled { strategy, instrument, side, fill, realized, .. } = output {
            self.filled((*strategy, *instrument), *side, fill, *realized, kernel);
        }
        let Output::Alert(alert) = output else { return };
        let (kind, about) = say::alert(alert, &self.names);
        self.said += 1;
        let line = Line { number: self.said, at: now.to_string(), kind: kind.to_owned(), about };
        if let Some(heard) = &mut self.heard {
            heard.push(line.clone());
        }
        if self.alerts.len() == KEPT {
            self.alerts.pop_front();
        }
        self.alerts.push_back(line);
    }

    fn sample(&mut self, _: Timestamp, sample: &Sample<'_>, _: &Kernel) {
        self.equity = Some(sample.equity.total);
        self.nets.clear();
        self.nets.extend_from_slice(sample.nets);
    }
}
