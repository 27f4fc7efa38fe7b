//! What the driver remembers of what an engine said, for pictures and answers.

use crate::{Line, Names, say};
use std::collections::VecDeque;
use tse_kernel::{Kernel, Output};
use tse_model::{Money, Timestamp};
use tse_sim::{Observer, Sample};

/// How many alerts are remembered.
const KEPT: usize = 100;

/// Remembers the last of what was said, and nothing that grows.
pub(crate) struct Watcher {
    names: Names,
    pub(crate) alerts: VecDeque<Line>,
    pub(crate) equity: Option<Money>,
    pub(crate) nets: Vec<Option<Money>>,
    said: u64,
    /// What was said since somebody began to listen.
    heard: Option<Vec<Line>>,
}

impl Watcher {
    pub(crate) fn new(names: Names) -> Self {
        Self {
            nets: vec![None; names.strategies.len()],
            names,
            alerts: VecDeque::new(),
            equity: None,
            said: 0,
            heard: None,
        }
    }

    /// Begins to listen.
    pub(crate) fn listen(&mut self) {
        self.heard = Some(Vec::new());
    }

    /// What was said since then.
    pub(crate) fn heard(&mut self) -> Vec<Line> {
        self.heard.take().unwrap_or_default()
    }
}

impl Observer for Watcher {
    fn output(&mut self, now: Timestamp, output: &Output, _: &Kernel) {
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
