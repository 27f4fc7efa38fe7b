//! `tse demo`: a synthetic market with two venues, traded live by a market maker and an arbitrageur.
//!
//! The config is an ordinary one (`examples/demo.toml`, part of the program) and the runner is the one
//! of every backtest, stepped in slices so that the market keeps pace with the clock. On a terminal
//! [`screen`] shows it live; piped, there is a line a second. It ends with the same totals as any run.
//!
//! Begin at [`demo`].

mod pace;
mod screen;
mod watcher;

use crate::config::{self, Overrides};
use crate::diagnose::{Diagnostic, Diagnostics, codes};
use crate::run::stop::Stop;
use crate::run::{self, Facts, Setting, numbers};
use crate::ui::Ui;
use pace::Pace;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};
use tse_model::{Money, Timestamp};
use tse_sim::Backtest;
use tse_strategy::Registry;
use watcher::Watcher;

/// The config of the demo.
const CONFIG: &str = include_str!("../../../../examples/demo.toml");
/// How it is called where something is said about it.
const NAME: &str = "examples/demo.toml";
/// Market seconds for each second of the clock.
const SPEED: f64 = 60.0;
/// How often a piped demo looks at the market, and how often it says something.
const STEP: Duration = Duration::from_millis(20);
const LINE: Duration = Duration::from_secs(1);

/// What was asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// End after so many seconds.
    pub seconds: Option<u64>,
    /// Market seconds for each second of the clock.
    pub speed: Option<f64>,
    /// Seed of the market.
    pub seed: Option<u64>,
    /// Lines even on a terminal.
    pub plain: bool,
}

/// A demo that runs.
struct Demo {
    backtest: Backtest,
    watcher: Watcher,
    pace: Pace,
    facts: Facts,
    begun: Instant,
    ends: Option<Instant>,
    stop: Stop,
    /// Whether the live view may use colour.
    colored: bool,
}

/// Runs the demo and gives the exit code.
///
/// # Errors
/// An option that makes no sense, or a terminal that refuses.
pub fn demo(options: &Options, registry: &Registry, ui: &Ui) -> Result<u8, Diagnostics> {
    let mut demo = Demo::new(options, registry, ui.out.color)?;
    let plain = options.plain || ui.json || !std::io::stdout().is_terminal() || is_dumb();
    if !ui.json {
        ui.print(demo.headline());
    }
    if plain {
        demo.lines(ui)?;
    } else {
        screen::show(&mut demo)?;
    }
    demo.finish(ui)
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

impl Demo {
    fn new(options: &Options, registry: &Registry, colored: bool) -> Result<Self, Diagnostics> {
        let speed = options.speed.unwrap_or(SPEED);
        if !(speed.is_finite() && speed > 0.0 && speed <= 1e6) {
            let found =
                Diagnostic::error(codes::BAD_ARGUMENT, format!("`--speed` cannot be {speed}"))
                    .fix("--speed 60 runs a minute of the market in a second; 1000000 is the most");
            return Err(found.into());
        }
        let seed: Vec<_> =
            options.seed.map(|seed| format!("run.seed={seed}")).into_iter().collect();
        let overrides = Overrides::new(std::iter::empty(), &seed);
        let config = config::load_text(NAME, CONFIG, Path::new("."), "demo", &overrides, registry)?;
        let scenario = config.scenario()?;
        let strategies: Vec<_> = config.strategies.iter().map(|plan| plan.name.clone()).collect();
        let facts = Facts {
            run_id: String::new(),
            name: config.name.clone(),
            seed: scenario.seed,
            base: scenario.base,
            strategies,
            setting: Setting::of(&scenario, false),
        };
        let watcher = Watcher::new(&scenario.catalog, &facts.strategies, facts.base);
        let mut backtest = Backtest::new(scenario).map_err(Diagnostics::from)?;
        let origin = backtest.next_time().unwrap_or(Timestamp::EPOCH);
        let begun = Instant::now();
        Ok(Self {
            pace: Pace::new(speed, origin),
            ends: options.seconds.map(|seconds| begun + Duration::from_secs(seconds)),
            stop: Stop::listen(),
            begun,
            colored,
            backtest,
            watcher,
            facts,
        })
    }

    /// The first line: what this is, and above all what it is not.
    fn headline(&self) -> String {
        format!(
            "tse {} · demo · {} · seed {} · {} x · no network, no keys, no real orders",
            env!("CARGO_PKG_VERSION"),
            self.facts.setting.headline.first().map_or("", String::as_str),
            self.facts.seed,
            self.pace.speed(),
        )
    }

    /// Whether it is time to end.
    fn is_over(&self) -> bool {
        self.stop.asked().is_some() || self.ends.is_some_and(|ends| Instant::now() >= ends)
    }

    /// Moves the market on to where the clock says it should be. `false` when its data has ended.
    fn advance(&mut self) -> Result<bool, Diagnostics> {
        let Self { pace, backtest, watcher, .. } = self;
        pace.advance(backtest, watcher).map_err(Diagnostics::from)
    }

    /// A line a second until it is over.
    fn lines(&mut self, ui: &Ui) -> Result<(), Diagnostics> {
        let mut next = self.begun + LINE;
        while !self.is_over() {
            std::thread::sleep(STEP);
            let more = self.advance()?;
            if Instant::now() >= next && !ui.json {
                next += LINE;
                ui.print(self.line());
                let _ = std::io::stdout().flush();
            }
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn line(&self) -> String {
        let kernel = self.backtest.kernel();
        let catalog = kernel.catalog();
        let base = &catalog.currency(self.facts.base).code;
        let equity = self.watcher.equity.map_or("n/a".to_owned(), |equity| {
            numbers::amount(&catalog.show(equity, self.facts.base))
        });
        let net = self
            .net()
            .map_or("n/a".to_owned(), |net| numbers::signed(&catalog.show(net, self.facts.base)));
        let held: Vec<_> = catalog
            .instruments()
            .iter()
            .map(|it| (it, kernel.portfolio().net(it.id)))
            .filter(|(_, net)| !net.is_zero())
            .map(|(it, net)| format!("{} {}", it.qty_decimal(net), it.symbol))
            .collect();
        let all = &self.watcher.collector.opportunities;
        format!(
            "{} equity {equity} {base} · net {net} · fills {} · opportunities {} seen {} taken · {}",
            self.market_time(),
            numbers::count(kernel.counts().fills),
            numbers::count(all.seen),
            numbers::count(all.taken),
            if held.is_empty() { "flat".to_owned() } else { held.join(" · ") },
        )
    }

    /// What all positions earned so far.
    fn net(&self) -> Option<Money> {
        self.backtest.progress().net
    }

    /// The market's clock to the second.
    fn market_time(&self) -> String {
        let now = self.backtest.now().unwrap_or(Timestamp::EPOCH).to_string();
        now.get(11..19).unwrap_or_default().to_owned()
    }

    /// Ends the run and says what it came to.
    fn finish(mut self, ui: &Ui) -> Result<u8, Diagnostics> {
        self.backtest.finish(&mut self.watcher).map_err(Diagnostics::from)?;
        let outcome = self.backtest.outcome(false);
        let collector = &mut self.watcher.collector;
        collector.finish(outcome.last.unwrap_or(Timestamp::EPOCH), self.backtest.kernel())?;
        let summary = run::sum_up(&self.facts, &self.backtest, &outcome, collector);
        if ui.json {
            let data = serde_json::to_value(&summary).expect("a summary is plain data");
            ui.success("tse.demo/1", &Diagnostics::new(), &data);
            return Ok(0);
        }
        let seconds = self.begun.elapsed().as_secs_f64();
        ui.print(format!(
            "{} of a made-up market in {seconds:.1} s · {} events",
            numbers::days(summary.days),
            numbers::count(summary.events)
        ));
        ui.print(run::block(&summary, ui.out).trim_end());
        ui.print("next: tse backtest examples/market-making.toml");
        Ok(0)
    }
}
