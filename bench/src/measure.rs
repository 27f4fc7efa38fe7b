//! What a run costs: CPU time of its thread, peak memory, allocations.
//!
//! Only the run is measured: a [`Metered`] source takes the time that the generator needs off again,
//! by reading the thread's clock around every batch, so a market can be streamed without being
//! counted. Peak memory is the process's, which is why every run has a process of its own.
//!
//! Begin at [`run`].

use crate::count;
use cpu_time::ThreadTime;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tse_model::{MarketEvent, Source, SourceFault};

/// What a run did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Events (or commands) that went in.
    pub events: u64,
    /// Orders sent.
    pub orders: u64,
    /// Cancels sent.
    pub cancels: u64,
    /// Fills.
    pub fills: u64,
    /// Orders refused, by the gate or the venue.
    pub rejected: u64,
    /// A number that depends on everything the run did: what is computed for it cannot be left out.
    pub check: i64,
}

/// What a run cost.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Run {
    /// What it did.
    pub tally: Tally,
    /// CPU nanoseconds of the run alone.
    pub cpu_ns: u64,
    /// CPU nanoseconds that its market took to generate, which are not in `cpu_ns`.
    pub generator_ns: u64,
    /// CPU nanoseconds of the first half of the events, of those in `cpu_ns`; zero where unknown.
    pub first_half_ns: u64,
    /// Allocations of the whole run, where they were counted.
    pub allocations: Option<u64>,
    /// Allocations after half of the events, where they were counted.
    pub allocations_warm: Option<u64>,
    /// Peak resident memory of the process in bytes, where the system tells.
    pub peak_bytes: Option<u64>,
    /// What was on.
    pub controls: Vec<String>,
}

impl Run {
    /// CPU nanoseconds per event.
    pub fn ns_per_event(&self) -> f64 {
        self.cpu_ns as f64 / self.tally.events.max(1) as f64
    }

    /// What the second half of the events cost, as a multiple of the first: whether a run gets slower
    /// as it goes on, however busy the machine is.
    pub fn second_half_to_first(&self) -> Option<f64> {
        let first = self.first_half_ns;
        (first > 0).then(|| self.cpu_ns.saturating_sub(first) as f64 / first as f64)
    }
}

/// What the two ends of a metered source tell each other.
pub struct Meter {
    start_ns: u64,
    first_half_ns: AtomicU64,
    generator_ns: AtomicU64,
    events: AtomicU64,
    allocations: AtomicU64,
    allocations_half: AtomicU64,
}

/// A source whose own cost is taken off.
pub struct Metered<S> {
    inner: S,
    half: u64,
    meter: Arc<Meter>,
}

impl<S> Metered<S> {
    /// Meters `inner`, which has about this many events.
    pub fn new(inner: S, events: u64, meter: &Arc<Meter>) -> Self {
        Self { inner, half: events / 2, meter: Arc::clone(meter) }
    }

    /// Lets the generator work off the record.
    pub fn aside<T>(&mut self, work: impl FnOnce(&mut S) -> (T, usize)) -> T {
        let (from, allocated) = (ThreadTime::now(), count::so_far());
        let (result, events) = work(&mut self.inner);
        let meter = &self.meter;
        let own = meter.allocations.fetch_add(count::so_far() - allocated, Relaxed);
        let before = meter.events.fetch_add(events as u64, Relaxed);
        if before < self.half && before + events as u64 >= self.half {
            meter.allocations_half.store(allocated - own, Relaxed);
            let spent = nanos(from.as_duration()).saturating_sub(meter.start_ns);
            let generated = meter.generator_ns.load(Relaxed);
            meter.first_half_ns.store(spent.saturating_sub(generated), Relaxed);
        }
        meter.generator_ns.fetch_add(nanos(from.elapsed()), Relaxed);
        result
    }
}

impl<S: Source> Source for Metered<S> {
    fn read(&mut self, batch: &mut Vec<MarketEvent>) -> Result<(), SourceFault> {
        self.aside(|inner| {
            let before = batch.len();
            (inner.read(batch), batch.len() - before)
        })
    }
}

/// Runs `work` and says what it cost, less what its metered sources spent.
pub fn run(controls: &[&str], work: impl FnOnce(&Arc<Meter>) -> Tally) -> Run {
    let (from, allocated) = (ThreadTime::now(), count::so_far());
    let meter = Arc::new(Meter {
        start_ns: nanos(from.as_duration()),
        first_half_ns: AtomicU64::new(0),
        generator_ns: AtomicU64::new(0),
        events: AtomicU64::new(0),
        allocations: AtomicU64::new(0),
        allocations_half: AtomicU64::new(0),
    });
    let tally = work(&meter);
    let spent = nanos(from.elapsed());
    let allocations = count::so_far() - allocated - meter.allocations.load(Relaxed);
    let at_half = meter.allocations_half.load(Relaxed).saturating_sub(allocated);
    let generator_ns = meter.generator_ns.load(Relaxed);
    let counted = count::is_on();
    Run {
        tally,
        cpu_ns: spent.saturating_sub(generator_ns),
        generator_ns,
        first_half_ns: meter.first_half_ns.load(Relaxed),
        allocations: counted.then_some(allocations),
        allocations_warm: counted.then(|| allocations.saturating_sub(at_half)),
        peak_bytes: peak_bytes(),
        controls: controls.iter().map(|&control| control.to_owned()).collect(),
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The most memory this process has held at once: `VmHWM` of Linux, nothing elsewhere.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

/// The middle one; of an even number the lower of the two.
pub fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(1.0));
        assert_eq!(median(vec![]), None);
    }

    #[test]
    fn what_a_generator_costs_is_not_the_runs() {
        let run = run(&[], |meter| {
            let mut source = Metered::new((), 1, meter);
            source.aside(|()| {
                let from = ThreadTime::now();
                while from.elapsed() < Duration::from_millis(20) {}
                ((), 1)
            });
            Tally { events: 1, ..Tally::default() }
        });
        assert!(run.generator_ns >= 20_000_000);
        assert!(run.cpu_ns < 20_000_000, "{} ns", run.cpu_ns);
    }
}
