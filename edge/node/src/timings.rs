//! How long the engine takes, by the clock: over inputs from record to release, and over what strategies think.
//!
//! It is measured around the engine and never inside, which knows no clock; nothing is decided by it. One thread
//! counts, another one takes the counts now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tse_model::bytes::{Reader, Writer};
use tse_model::{Bar, Fill, InstrumentId, Quote, Side, Trade};
use tse_strategy::{Intents, Interest, OrderUpdate, Strategy, View};

/// Parts of each power of two: values are told apart to 1 in 16.
const PARTS: usize = 16;
/// Powers of two, in nanoseconds: the longest is over 17 s.
const POWERS: usize = 35;

/// How often something took how long, since somebody last asked.
#[derive(Debug)]
pub struct Timing(Box<[AtomicU64]>);

impl Default for Timing {
    fn default() -> Self {
        Self((0..PARTS * POWERS).map(|_| AtomicU64::new(0)).collect())
    }
}

/// Where a number of nanoseconds is counted.
fn place(nanos: u64) -> usize {
    let power = nanos.max(1).ilog2() as usize;
    // The four digits after the highest one.
    let part = match power {
        0..4 => (nanos << (4 - power)) as usize % PARTS,
        _ => (nanos >> (power - 4)) as usize % PARTS,
    };
    (power * PARTS + part).min(PARTS * POWERS - 1)
}

/// The most that is counted there.
fn most(place: usize) -> Duration {
    let (power, part) = (place / PARTS, (place % PARTS) as u64);
    let nanos = match power {
        0..4 => (PARTS as u64 + part + 1) >> (4 - power),
        _ => ((PARTS as u64 + part + 1) << (power - 4)) - 1,
    };
    Duration::from_nanos(nanos)
}

impl Timing {
    /// Counts one that began then.
    pub fn since(&self, begun: Instant) {
        self.count(begun.elapsed());
    }

    /// Counts one that took so long.
    pub fn count(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.0[place(nanos)].fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted; from here on it is counted anew.
    pub fn take(&self) -> Counts {
        Counts(self.0.iter().map(|it| it.swap(0, Ordering::Relaxed)).collect())
    }
}

/// How often something took how long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counts(Vec<u64>);

impl Counts {
    /// How many there are.
    pub fn number(&self) -> u64 {
        self.0.iter().sum()
    }

    /// What this share of them did not exceed, from 0 to 1, to 1 in 16; `None` if there are none. It is the
    /// nearest-rank quantile.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let all = self.number();
        let rank = ((all as f64 * share).ceil() as u64).clamp(1, all.max(1));
        let mut seen = 0;
        let place = self.0.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        place.map(most)
    }
}

/// Everything that is measured of an engine.
#[derive(Clone, Debug, Default)]
pub struct Timings {
    /// An input from its record to the release of what it led to.
    pub inputs: Arc<Timing>,
    /// Calls of each strategy, by name.
    pub strategies: Vec<(String, Arc<Timing>)>,
}

impl Timings {
    /// For strategies of these names.
    pub fn of(names: impl IntoIterator<Item = String>) -> Self {
        let strategies = names.into_iter().map(|name| (name, Arc::default())).collect();
        Self { inputs: Arc::default(), strategies }
    }

    /// A strategy whose calls are counted for the one at `at`.
    pub fn around(&self, at: usize, strategy: Box<dyn Strategy>) -> Box<dyn Strategy> {
        match self.strategies.get(at) {
            Some((_, timing)) => Box::new(Timed { strategy, timing: Arc::clone(timing) }),
            None => strategy,
        }
    }

    /// Forgets what was counted so far.
    pub fn forget(&self) {
        self.inputs.take();
        self.strategies.iter().for_each(|(_, timing)| drop(timing.take()));
    }
}

/// A strategy whose calls are timed. It is the same to the engine, and in snapshots: every method of the trait is passed
/// on, and one that the trait gets must be here as well, or its default would hide the strategy's own.
struct Timed {
    strategy: Box<dyn Strategy>,
    timing: Arc<Timing>,
}

impl Timed {
    fn time(&mut self, call: impl FnOnce(&mut dyn Strategy)) {
        let begun = Instant::now();
        call(&mut *self.strategy);
        self.timing.since(begun);
    }
}

impl Strategy for Timed {
    fn interest(&self) -> Interest {
        self.strategy.interest()
    }

    fn save(&self, out: &mut Writer) -> bool {
        self.strategy.save(out)
    }

    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        self.strategy.load(bytes)
    }

    fn on_start(&mut self, view: &View<'_>, wish: &mut Intents) {
        self.time(|it| it.on_start(view, wish));
    }

    fn on_quote(&mut self, id: InstrumentId, quote: &Quote, view: &View<'_>, wish: &mut Intents) {
        self.time(|it| it.on_quote(id, quote, view, wish));
    }

    fn on_invalid(&mut self, id: InstrumentId, view: &View<'_>, wish: &mut Intents) {
        self.time(|it| it.on_invalid(id, view, wish));
    }

    fn on_trade(&mut self, id: InstrumentId, trade: &Trade, view: &View<'_>, wish: &mut Intents) {
        self.time(|it| it.on_trade(id, trade, view, wish));
    }

    fn on_book(&mut self, id: InstrumentId, view: &View<'_>, wish: &mut Intents) {
        self.time(|it| it.on_book(id, view, wish));
    }

    fn on_bar(&mut self, series: usize, bar: &Bar, view: &View<'_>, wish: &mut Intents) {
        self.time(|it| it.on_bar(series, bar, view, wish));
    }

    fn on_fill(
        &mut self,
        id: InstrumentId,
        side: Side,
        fill: &Fill,
        view: &View<'_>,
        wish: &mut Intents,
    ) {
        self.time(|it| it.on_fill(id, side, fill, view, wish));
    }

    fn on_order(&mut self, update: &OrderUpdate, view: &View<'_>, wish: &mut Intents) {
        self.time(|it| it.on_order(update, view, wish));
    }

    fn on_timer(&mut self, view: &View<'_>, wish: &mut Intents) {
        self.time(|it| it.on_timer(view, wish));
    }

    fn on_stop(&mut self, view: &View<'_>, wish: &mut Intents) {
        self.time(|it| it.on_stop(view, wish));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tse_model::Timestamp;

    #[test]
    fn times_are_told_apart_to_a_sixteenth_over_their_whole_range() {
        let mut nanos = 1_u64;
        while nanos < 17_000_000_000 {
            let told = most(place(nanos));
            let (least, most) = (nanos as f64, nanos as f64 * (1.0 + 1.0 / 16.0) + 1.0);
            let told = told.as_nanos() as f64;
            assert!(told >= least && told <= most, "{nanos} is told as {told}");
            nanos += nanos / 7 + 1;
        }
        assert_eq!(place(u64::MAX), PARTS * POWERS - 1);
        assert_eq!(place(0), 0);
    }

    #[test]
    fn a_quantile_is_that_of_the_nearest_rank() {
        let timing = Timing::default();
        assert_eq!(timing.take().quantile(0.5), None);
        for micros in 1..=100 {
            timing.count(Duration::from_micros(micros));
        }
        let counts = timing.take();
        assert_eq!(counts.number(), 100);
        for (share, micros) in [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (1.0, 100.0)] {
            let told = counts.quantile(share).unwrap().as_secs_f64() * 1e6;
            assert!((micros..micros * 17.0 / 16.0 + 0.001).contains(&told), "{share}: {told}");
        }
        assert_eq!(timing.take().number(), 0, "it was taken");
    }

    /// Wishes nothing, and has learned one thing.
    struct Learner(u64);

    impl Strategy for Learner {
        fn interest(&self) -> Interest {
            Interest::default()
        }

        fn save(&self, out: &mut Writer) -> bool {
            out.number(self.0);
            true
        }

        fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
            self.0 = bytes.number()?;
            Some(())
        }
    }

    #[test]
    fn a_timed_strategy_saves_and_loads_as_it_would_without() {
        let timings = Timings::of(["it".to_owned()]);
        let mut saved = Writer::default();
        assert!(timings.around(0, Box::new(Learner(7))).save(&mut saved));
        let mut plain = Writer::default();
        Learner(7).save(&mut plain);
        assert_eq!(saved.as_bytes(), plain.as_bytes());
        let mut other = timings.around(0, Box::new(Learner(0)));
        other.load(&mut Reader::new(saved.as_bytes(), Timestamp::default())).unwrap();
        let mut again = Writer::default();
        other.save(&mut again);
        assert_eq!(again.as_bytes(), plain.as_bytes());
    }
}
