//! What was measured, for people and for programs.

use crate::generate;
use crate::measure::{Run, median};
use crate::workload::{Engine, Workload};
use serde_json::{Value, json};
use std::fmt;

/// The runs of one engine.
pub struct Figures {
    /// Whose.
    pub engine: Engine,
    /// How many times longer than the workload says.
    pub scale: u64,
    /// One at least.
    pub runs: Vec<Run>,
}

/// All that was measured of one workload.
pub struct Report {
    /// Which one.
    pub workload: Workload,
    /// By scale, then engine.
    pub figures: Vec<Figures>,
    /// A run that counted allocations.
    pub counted: Option<Run>,
}

impl Figures {
    fn ns(&self) -> f64 {
        median(self.runs.iter().map(Run::ns_per_event).collect()).unwrap_or(f64::NAN)
    }

    fn best_ns(&self) -> f64 {
        self.runs.iter().map(Run::ns_per_event).fold(f64::INFINITY, f64::min)
    }

    fn peak_mib(&self) -> Option<f64> {
        let peak = self.runs.iter().filter_map(|run| run.peak_bytes).max()?;
        Some(peak as f64 / f64::from(1 << 20))
    }
}

impl Report {
    fn of(&self, engine: Engine, scale: u64) -> Option<&Figures> {
        self.figures.iter().find(|it| (it.engine, it.scale) == (engine, scale))
    }

    fn ratio(&self, engine: Engine) -> Option<f64> {
        Some(self.of(Engine::Tse, 1)?.ns() / self.of(engine, 1)?.ns())
    }

    fn growth(&self) -> Option<f64> {
        Some(self.of(Engine::Tse, 10)?.ns() / self.of(Engine::Tse, 1)?.ns())
    }

    /// Within the longest runs of ours, the second half against the first.
    fn slowing(&self) -> Option<f64> {
        let longest =
            self.figures.iter().filter(|it| it.engine == Engine::Tse).max_by_key(|it| it.scale);
        median(longest?.runs.iter().filter_map(Run::second_half_to_first).collect())
    }

    fn allocations_per_event(&self) -> Option<f64> {
        let run = self.counted.as_ref()?;
        Some(run.allocations_warm? as f64 / (run.tally.events as f64 / 2.0))
    }

    fn json(&self) -> Value {
        let (target, aim) = self.workload.target();
        let figures = self.figures.iter().map(|it| {
            json!({
                "engine": it.engine.name(),
                "scale": it.scale,
                "cpu_ns_per_event": it.ns(),
                "cpu_ns_per_event_best": it.best_ns(),
                "cpu_ns_per_event_each": it.runs.iter().map(Run::ns_per_event).collect::<Vec<_>>(),
                "generator_ns_per_event": median(
                    it.runs.iter().map(|r| r.generator_ns as f64 / r.tally.events.max(1) as f64).collect()
                ),
                "counts": it.runs[0].tally,
                "peak_bytes": it.runs.iter().filter_map(|run| run.peak_bytes).max(),
                "controls": it.runs[0].controls,
            })
        });
        json!({
            "workload": self.workload.name(),
            "about": self.workload.about(),
            "target_ns": target,
            "aim_ns": aim,
            "figures": figures.collect::<Vec<_>>(),
            "ratio_to_hftbacktest": self.ratio(Engine::Peer),
            "ratio_to_bare": self.ratio(Engine::Bare),
            "events_per_second_with_journal_to_without": self.ratio(Engine::Recorded),
            "ratio_of_10x_to_1x": self.growth(),
            "ratio_of_second_half_to_first": self.slowing(),
            "allocations_per_event_warm": self.allocations_per_event(),
            "allocations": self.counted.as_ref().and_then(|run| run.allocations),
        })
    }
}

/// One object for programs.
pub fn json(reports: &[Report], runs: usize) -> Value {
    json!({
        "schema": "tse.bench/1",
        "ok": true,
        "data": {
            "cpu": cpu(),
            "runs": runs,
            "seed": generate::SEED,
            "peer": "hftbacktest 0.9.4",
            "workloads": reports.iter().map(Report::json).collect::<Vec<_>>(),
        },
    })
}

/// The first lines for people.
pub fn heading(runs: usize) -> String {
    format!(
        "CPU nanoseconds per event, the run alone; the median of {runs} on {}\n\
         seed {}, streams and parameters in bench/README.md; peer: hftbacktest 0.9.4",
        cpu().unwrap_or_else(|| "this machine".to_owned()),
        generate::SEED,
    )
}

fn cpu() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}", self.workload.name(), self.workload.about())?;
        writeln!(
            f,
            "  {:<16} {:>9} {:>8} {:>11} {:>10} {:>10} {:>10} {:>9} {:>9}",
            "", "ns/event", "best", "events", "orders", "cancels", "fills", "refused", "peak MiB"
        )?;
        for it in &self.figures {
            let tally = it.runs[0].tally;
            let name = match it.scale {
                1 => it.engine.name().to_owned(),
                scale => format!("{} x{scale}", it.engine.name()),
            };
            let peak = it.peak_mib().map_or("?".to_owned(), |mib| format!("{mib:.1}"));
            writeln!(
                f,
                "  {name:<16} {:>9.1} {:>8.1} {:>11} {:>10} {:>10} {:>10} {:>9} {peak:>9}",
                it.ns(),
                it.best_ns(),
                tally.events,
                tally.orders,
                tally.cancels,
                tally.fills,
                tally.rejected,
            )?;
        }
        if let Some(figures) = self.of(Engine::Tse, 1) {
            let (ns, (target, aim)) = (figures.ns(), self.workload.target());
            let verdict = if ns <= aim {
                "aim reached".to_owned()
            } else if ns <= target {
                format!("target reached, {:.1} above the aim", ns - aim)
            } else {
                format!("MISSED by {:.1}", ns - target)
            };
            writeln!(f, "  target           at most {target:.0}, aim {aim:.0}: {verdict}")?;
        }
        if let Some(ratio) = self.ratio(Engine::Peer) {
            writeln!(f, "  tse/hftbacktest  {ratio:.2}")?;
        }
        if let Some(ratio) = self.ratio(Engine::Recorded) {
            let verdict = if ratio >= 0.7 { "" } else { ": MISSED" };
            writeln!(
                f,
                "  journal on       x{ratio:.2} of the events per second, at least 0.7{verdict}"
            )?;
        }
        if let Some(growth) = self.growth() {
            let verdict = if growth <= 1.2 { "" } else { ": MISSED" };
            writeln!(f, "  10x longer       x{growth:.2} per event, at most 1.2{verdict}")?;
        }
        if let Some(slowing) = self.slowing() {
            writeln!(f, "  second half      x{slowing:.2} of the first, in the longest runs")?;
        }
        if let (Some(per_event), Some(run)) = (self.allocations_per_event(), &self.counted) {
            let (all, warm) = (run.allocations.unwrap_or(0), run.allocations_warm.unwrap_or(0));
            writeln!(
                f,
                "  allocations      {per_event:.6} per event once warm ({warm} in the second half, \
                 {all} in all)"
            )?;
        }
        let controls = self.of(Engine::Tse, 1).map(|it| it.runs[0].controls.join(", "));
        write!(f, "  tse had on       {}", controls.unwrap_or_default())
    }
}
