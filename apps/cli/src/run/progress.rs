//! Progress on a terminal: how far, how fast, how long still, and the result so far.
//!
//! Drawn only when a run takes longer than a second and somebody watches.

use super::numbers::{short, signed_percent};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// A run that ends sooner shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it is drawn.
const EVERY: Duration = Duration::from_millis(100);

/// The bar of one run.
#[derive(Debug)]
pub(crate) struct Bar {
    wanted: bool,
    started: Instant,
    drawn: Option<Instant>,
    bar: Option<ProgressBar>,
}

impl Bar {
    /// A bar that is drawn if `wanted`.
    pub(crate) fn new(wanted: bool) -> Self {
        Self { wanted, started: Instant::now(), drawn: None, bar: None }
    }

    /// Draws how far the run is, if it is time to.
    pub(crate) fn look(&mut self, progress: &tse_sim::Progress, net: Option<f64>) {
        let took = self.started.elapsed();
        let recent = self.drawn.is_some_and(|drawn| drawn.elapsed() < EVERY);
        if !self.wanted || took < PATIENCE || recent {
            return;
        }
        self.drawn = Some(Instant::now());
        let done = progress.millionths.map(|millionths| f64::from(millionths) / 1e6);
        let bar = self.bar.get_or_insert_with(|| draw(done.is_some()));
        if let Some(done) = done {
            bar.set_position((done * 1e6) as u64);
        }
        bar.set_message(message(progress.events, took, done, net));
        bar.tick();
    }

    /// Removes the bar.
    pub(crate) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn draw(known: bool) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(1_000_000), ProgressDrawTarget::stderr());
    let template = if known { "[{bar:24}] {percent:>3} %  {msg}" } else { "{msg}" };
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    bar.set_style(style.progress_chars("##-"));
    bar
}

fn message(events: u64, took: Duration, done: Option<f64>, net: Option<f64>) -> String {
    let seconds = took.as_secs_f64();
    let rate = short(events as f64 / seconds.max(1e-9));
    let mut text = format!("{} events · {rate}/s", short(events as f64));
    if let Some(done) = done.filter(|done| *done > 0.001) {
        text.push_str(&format!(" · {} left", left(seconds * (1.0 - done) / done)));
    }
    if let Some(net) = net {
        text.push_str(&format!(" · net {}", signed_percent(net)));
    }
    text
}

fn left(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6_000.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rate_remaining_time_and_partial_result_are_in_one_line() {
        let text = message(62_000_000, Duration::from_secs(4), Some(0.8), Some(0.0082));
        assert_eq!(text, "62 M events · 16 M/s · 1 s left · net +0.82 %");
        assert_eq!(message(1_000, Duration::from_secs(2), None, None), "1.0 k events · 500/s");
        assert_eq!(left(600.0), "10 min");
    }
}
