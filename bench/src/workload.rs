//! What is measured: the workloads, on which engines, against which targets.

use crate::generate::{Levels, Quotes};
use crate::measure::{Metered, Run, Tally, run};
use crate::{bare, engine, matching, peer};
use tse_model::Source;

/// A workload.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Workload {
    /// Quotes; a moving-average cross that trades at market.
    A,
    /// Quotes and trades; a bid and an ask that follow the mid.
    B,
    /// An L2 book and trades; a grid of post-only orders.
    C,
    /// The matching engine alone.
    Matching,
}

/// Who runs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// We.
    Tse,
    /// We, with every input and request recorded: durability `process`, on a real folder.
    Recorded,
    /// hftbacktest.
    Peer,
    /// No engine at all.
    Bare,
}

const MILLION: u64 = 1_000_000;

impl Workload {
    /// In the order of the report.
    pub const ALL: [Self; 4] = [Self::A, Self::B, Self::C, Self::Matching];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
            Self::C => "c",
            Self::Matching => "matching",
        }
    }

    /// The workload called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|workload| workload.name() == name)
    }

    /// What it is, in one line.
    pub const fn about(self) -> &'static str {
        match self {
            Self::A => "1,000,000 quotes; EMA 10/20 on the mid, market orders filled at once",
            Self::B => "1,000,000 quotes + 200,000 trades; bid and ask follow the mid",
            Self::C => "2,000,000 L2 updates + 200,000 trades; five post-only levels a side, 1 ms",
            Self::Matching => "1,000,000 commands; 55 % add, 38 % cancel, 7 % market",
        }
    }

    /// At most this many CPU nanoseconds per event, and the aim.
    pub const fn target(self) -> (f64, f64) {
        match self {
            Self::A | Self::C => (100.0, if matches!(self, Self::A) { 40.0 } else { 50.0 }),
            Self::B => (200.0, 100.0),
            Self::Matching => (120.0, 60.0),
        }
    }

    /// Who can run it.
    pub const fn engines(self) -> &'static [Engine] {
        match self {
            Self::A | Self::B | Self::C => {
                &[Engine::Tse, Engine::Recorded, Engine::Peer, Engine::Bare]
            }
            Self::Matching => &[Engine::Tse, Engine::Bare],
        }
    }

    /// Runs it once, here and now.
    ///
    /// # Panics
    /// If the engine is not one of [`engines`](Self::engines).
    pub fn run(self, engine: Engine, scale: u64) -> Run {
        let n = scale * MILLION;
        let (trades, updates) = (n / 5, 2 * n);
        match (self, engine) {
            (Self::A, Engine::Tse | Engine::Recorded) => {
                engine::cross(Quotes::new(n, 0), n, engine == Engine::Recorded)
            }
            (Self::A, Engine::Peer) => peer::cross(&mut Quotes::new(n, 0)),
            (Self::A, Engine::Bare) => bare_run(Quotes::new(n, 0), n, bare::cross),
            (Self::B, Engine::Tse | Engine::Recorded) => {
                let quotes = Quotes::new(n, trades);
                engine::quoting(quotes, n + trades, engine == Engine::Recorded)
            }
            (Self::B, Engine::Peer) => peer::quoting(&mut Quotes::new(n, trades)),
            (Self::B, Engine::Bare) => bare_run(Quotes::new(n, trades), n + trades, bare::quoting),
            (Self::C, Engine::Tse | Engine::Recorded) => {
                let levels = Levels::new(updates, trades);
                engine::grid(levels, updates + trades, engine == Engine::Recorded)
            }
            (Self::C, Engine::Peer) => peer::grid(&mut Levels::new(updates, trades)),
            (Self::C, Engine::Bare) => {
                bare_run(Levels::new(updates, trades), updates + trades, bare::grid)
            }
            (Self::Matching, Engine::Tse) => matching::book(n),
            (Self::Matching, Engine::Bare) => matching::bare(n),
            (Self::Matching, Engine::Peer | Engine::Recorded) => {
                panic!("there is no such book to place orders in")
            }
        }
    }
}

fn bare_run(source: impl Source, events: u64, rule: fn(&mut dyn Source) -> Tally) -> Run {
    run(&[], |meter| rule(&mut Metered::new(source, events, meter)))
}

impl Engine {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tse => "tse",
            Self::Recorded => "tse recorded",
            Self::Peer => "hftbacktest",
            Self::Bare => "bare",
        }
    }

    /// The engine called `name`.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Tse, Self::Recorded, Self::Peer, Self::Bare]
            .into_iter()
            .find(|engine| engine.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Orders, cancels and fills that the published figures were measured with.
    fn near(workload: Workload, published: [Option<u64>; 3]) {
        let tally = workload.run(Engine::Bare, 1).tally;
        for (count, published) in [tally.orders, tally.cancels, tally.fills].iter().zip(published) {
            let off = published.map_or(0.0, |p| (*count as f64 / p as f64 - 1.0).abs());
            assert!(off < 0.02, "{workload:?} {tally:?}");
        }
    }

    #[test]
    fn the_markets_make_as_many_orders_as_the_published_ones() {
        near(Workload::A, [Some(43_000), None, Some(43_000)]);
        near(Workload::B, [Some(367_000), Some(330_000), Some(37_000)]);
        near(Workload::C, [Some(32_000), None, None]);
    }

    #[test]
    fn the_peer_trades_as_the_bare_loops_do() {
        for workload in [Workload::A, Workload::B] {
            let (peer, bare) = (workload.run(Engine::Peer, 1), workload.run(Engine::Bare, 1));
            let counts = |run: Run| [run.tally.orders, run.tally.cancels, run.tally.fills];
            assert_eq!(counts(peer), counts(bare), "{workload:?}");
        }
    }
}
