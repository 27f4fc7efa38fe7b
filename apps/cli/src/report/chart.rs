//! Charts as inline SVG: no script, no font, no network, the same bytes every time.
//!
//! A drawing is stretched to the width there is, so it holds lines only; labels are HTML on top of it
//! and keep their size. Lines are reduced to one column of first, low, high and last value per pixel:
//! a spike survives however long the run. Every chart says in words what it shows.

use super::html::escape;
use super::series::{Series, Stretch};
use super::ticks::{Ticks, times};
use std::fmt::Write;

/// Columns of a drawing, and its height in the same units.
const WIDTH: f64 = 1_000.0;
const HEIGHT: f64 = 300.0;

/// How a series is drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Draw {
    /// A line through the values.
    Line,
    /// A line that keeps each value until the next.
    Step,
    /// The area between the values and zero.
    Area,
    /// Round dots.
    Round,
    /// Square dots.
    Square,
}

/// A series and how it is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer<'a> {
    pub(crate) series: &'a Series,
    pub(crate) draw: Draw,
    /// A class of the style sheet: the colour.
    pub(crate) class: &'static str,
    /// What the legend calls it; empty for none.
    pub(crate) name: &'static str,
}

/// A chart over time.
#[derive(Clone, Debug)]
pub(crate) struct Chart<'a> {
    pub(crate) title: &'a str,
    /// What it shows, in words.
    pub(crate) summary: String,
    /// First and last moment.
    pub(crate) span: (i64, i64),
    pub(crate) layers: Vec<Layer<'a>>,
    /// Whether zero must be in sight.
    pub(crate) zero: bool,
    /// Values are shares of one and shown in per cent.
    pub(crate) percent: bool,
    /// Half the usual height.
    pub(crate) low: bool,
}

impl Chart<'_> {
    /// The chart as HTML; a sentence where there is nothing to draw.
    pub(crate) fn html(&self) -> String {
        let ranges = self.layers.iter().filter_map(|layer| layer.series.range());
        let Some((mut low, mut high)) = ranges.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
            return format!(
                "<figure><h3>{}</h3><p class=\"quiet\">Nothing to draw: {}</p></figure>\n",
                escape(self.title),
                escape(&self.summary)
            );
        };
        if self.zero {
            (low, high) = (low.min(0.0), high.max(0.0));
        }
        let factor = if self.percent { 100.0 } else { 1.0 };
        let ticks = Ticks::over(low * factor, high * factor, if self.low { 3 } else { 5 });
        let frame = Frame { span: self.span, low: ticks.low / factor, high: ticks.high / factor };
        let mut drawing = String::new();
        for value in &ticks.values {
            let y = frame.y(value / factor);
            let class = if *value == 0.0 { "grid zero" } else { "grid" };
            let _ = write!(drawing, "<path class=\"{class}\" d=\"M0 {y:.1}H{WIDTH}\"/>");
        }
        for layer in &self.layers {
            drawing.push_str(&frame.layer(layer));
        }
        let mut labels = String::new();
        for (at, value) in ticks.values.iter().enumerate() {
            let top = frame.y(*value / factor) / HEIGHT * 100.0;
            let unit = if self.percent { " %" } else { "" };
            // The unit once is enough.
            let unit = if at + 1 == ticks.values.len() { unit } else { "" };
            let text = ticks.label(*value);
            let _ = write!(labels, "<span class=\"y\" style=\"top:{top:.2}%\">{text}{unit}</span>");
        }
        for (at, text) in times(self.span, 6) {
            let left = frame.x(at) / WIDTH * 100.0;
            let _ = write!(labels, "<span class=\"x\" style=\"left:{left:.2}%\">{text}</span>");
        }
        let class = if self.low { "plot low" } else { "plot" };
        figure(self.title, &legend(&self.layers), class, &drawing, &labels, &self.summary)
    }
}

/// A figure with its heading, drawing and caption.
fn figure(
    title: &str,
    legend: &str,
    class: &str,
    drawing: &str,
    labels: &str,
    summary: &str,
) -> String {
    let (title, summary) = (escape(title), escape(summary));
    format!(
        "<figure><h3>{title}{legend}</h3><div class=\"{class}\">\
         <svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{title}. {summary}\">{drawing}</svg>{labels}</div>\
         <figcaption>{summary}</figcaption></figure>\n"
    )
}

fn legend(layers: &[Layer<'_>]) -> String {
    let named = layers.iter().filter(|layer| !layer.name.is_empty());
    let mut text = String::new();
    for layer in named {
        let mark = match layer.draw {
            Draw::Round => "\u{25cf}",
            Draw::Square => "\u{25a0}",
            _ => "\u{2014}",
        };
        let _ = write!(
            text,
            "<span class=\"key\"><span class=\"{}\">{mark}</span> {}</span>",
            layer.class,
            escape(layer.name)
        );
    }
    text
}

/// What a drawing shows.
#[derive(Clone, Copy, Debug)]
struct Frame {
    span: (i64, i64),
    low: f64,
    high: f64,
}

impl Frame {
    fn x(&self, at: i64) -> f64 {
        let width = (self.span.1 - self.span.0).max(1) as f64;
        ((at - self.span.0) as f64 / width * WIDTH).clamp(0.0, WIDTH)
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low).max(f64::MIN_POSITIVE);
        (1.0 - share).clamp(0.0, 1.0) * HEIGHT
    }

    fn layer(&self, layer: &Layer<'_>) -> String {
        let columns = self.columns(layer.series.stretches());
        let class = layer.class;
        match layer.draw {
            Draw::Line => {
                let line = self.line(&columns);
                format!("<path class=\"line {class}\" d=\"{line}\"/>")
            }
            Draw::Step => {
                let line = self.steps(&columns);
                format!("<path class=\"line {class}\" d=\"{line}\"/>")
            }
            Draw::Area => {
                let line = self.line(&columns);
                let zero = self.y(0.0);
                let (first, last) = match (columns.first(), columns.last()) {
                    (Some(first), Some(last)) => (first.0, last.0),
                    _ => return String::new(),
                };
                format!(
                    "<path class=\"area {class}\" d=\"{line}L{last} {zero:.1}L{first} {zero:.1}Z\"/>\
                     <path class=\"line {class}\" d=\"{line}\"/>"
                )
            }
            Draw::Round | Draw::Square => {
                let shape = if layer.draw == Draw::Round { "round" } else { "square" };
                let mut dots = String::new();
                for (x, column) in &columns {
                    for value in ends(column) {
                        // A line of no length with thick ends is a dot that stretching leaves alone.
                        let _ = write!(dots, "M{x} {:.1}h0", self.y(value));
                    }
                }
                format!("<path class=\"dots {shape} {class}\" d=\"{dots}\"/>")
            }
        }
    }

    /// Values by column, in order.
    fn columns(&self, stretches: &[Stretch]) -> Vec<(i64, Stretch)> {
        let mut columns: Vec<(i64, Stretch)> = Vec::new();
        for stretch in stretches {
            let x = self.x(stretch.from).round() as i64;
            match columns.last_mut() {
                Some((last, column)) if *last == x => {
                    column.low = column.low.min(stretch.low);
                    column.high = column.high.max(stretch.high);
                    column.last = stretch.last;
                }
                _ => columns.push((x, *stretch)),
            }
        }
        columns
    }

    fn line(&self, columns: &[(i64, Stretch)]) -> String {
        let mut line = String::new();
        let mut before = String::new();
        // A stretch without change is one long line, not a point for each pixel.
        let mut flat = None;
        for (x, column) in columns {
            for value in [column.first, column.low, column.high, column.last] {
                let y = format!("{:.1}", self.y(value));
                if y == before {
                    flat = Some(x);
                    continue;
                }
                if let Some(flat) = flat.take() {
                    let _ = write!(line, "L{flat} {before}");
                }
                let pen = if line.is_empty() { 'M' } else { 'L' };
                let _ = write!(line, "{pen}{x} {y}");
                before = y;
            }
        }
        if let Some(flat) = flat {
            let _ = write!(line, "L{flat} {before}");
        }
        line
    }

    fn steps(&self, columns: &[(i64, Stretch)]) -> String {
        let mut line = String::new();
        for (x, column) in columns {
            let pen = if line.is_empty() { format!("M{x} ") } else { format!("H{x}V") };
            let mut before = format!("{:.1}", self.y(column.first));
            let _ = write!(line, "{pen}{before}");
            for value in [column.low, column.high, column.last] {
                let y = format!("{:.1}", self.y(value));
                if y != before {
                    let _ = write!(line, "V{y}");
                    before = y;
                }
            }
        }
        let _ = write!(line, "H{WIDTH}");
        line
    }
}

/// Lowest and highest value of a column, once where they are one.
fn ends(column: &Stretch) -> impl Iterator<Item = f64> {
    let second = (column.high != column.low).then_some(column.high);
    std::iter::once(column.low).chain(second)
}

/// A mean for each of a few horizons, with its band.
#[derive(Clone, Debug)]
pub(crate) struct Bands<'a> {
    pub(crate) title: &'a str,
    pub(crate) summary: String,
    /// Name, mean and half of the band.
    pub(crate) points: Vec<(String, f64, f64)>,
}

impl Bands<'_> {
    /// The chart as HTML.
    pub(crate) fn html(&self) -> String {
        let low = self.points.iter().map(|(_, mean, half)| mean - half).fold(0.0, f64::min);
        let high = self.points.iter().map(|(_, mean, half)| mean + half).fold(0.0, f64::max);
        let ticks = Ticks::over(low, high, 4);
        let frame = Frame { span: (0, 1), low: ticks.low, high: ticks.high };
        let (mut drawing, mut labels) = (String::new(), String::new());
        for (at, value) in ticks.values.iter().enumerate() {
            let y = frame.y(*value);
            let class = if *value == 0.0 { "grid zero" } else { "grid" };
            let _ = write!(drawing, "<path class=\"{class}\" d=\"M0 {y:.1}H{WIDTH}\"/>");
            let unit = if at + 1 == ticks.values.len() { " bp" } else { "" };
            let (top, text) = (y / HEIGHT * 100.0, ticks.label(*value));
            let _ = write!(labels, "<span class=\"y\" style=\"top:{top:.2}%\">{text}{unit}</span>");
        }
        let place = |at: usize| (at as f64 + 0.5) / self.points.len() as f64 * WIDTH;
        let mut line = String::new();
        for (at, (name, mean, half)) in self.points.iter().enumerate() {
            let (x, y) = (place(at), frame.y(*mean));
            let (top, bottom) = (frame.y(mean + half), frame.y(mean - half));
            let _ =
                write!(drawing, "<path class=\"band blue\" d=\"M{x:.1} {top:.1}V{bottom:.1}\"/>");
            let pen = if at == 0 { 'M' } else { 'L' };
            let _ = write!(line, "{pen}{x:.1} {y:.1}");
            let _ = write!(drawing, "<path class=\"dots big round blue\" d=\"M{x:.1} {y:.1}h0\"/>");
            let left = x / WIDTH * 100.0;
            let name = escape(name);
            let _ = write!(labels, "<span class=\"x\" style=\"left:{left:.2}%\">{name}</span>");
        }
        let _ = write!(drawing, "<path class=\"line blue thin\" d=\"{line}\"/>");
        figure(self.title, "", "plot low", &drawing, &labels, &self.summary)
    }
}

/// How often values fell into each of some bins.
#[derive(Clone, Debug)]
pub(crate) struct Histogram<'a> {
    pub(crate) title: &'a str,
    pub(crate) summary: String,
    /// Behind every value.
    pub(crate) unit: &'a str,
    /// The first bin's beginning and the last bin's end.
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Counts of each layer: colour, name, and one count for each bin.
    pub(crate) layers: Vec<(&'static str, &'static str, Vec<u64>)>,
}

impl Histogram<'_> {
    /// The chart as HTML.
    pub(crate) fn html(&self) -> String {
        let most = self.layers.iter().flat_map(|(_, _, bins)| bins).max().copied().unwrap_or(0);
        let ticks = Ticks::over(0.0, most.max(1) as f64, 3);
        let frame = Frame { span: (0, 1), low: 0.0, high: ticks.high };
        let (mut drawing, mut labels) = (String::new(), String::new());
        for value in &ticks.values {
            let y = frame.y(*value);
            let _ = write!(drawing, "<path class=\"grid\" d=\"M0 {y:.1}H{WIDTH}\"/>");
            let (top, text) = (y / HEIGHT * 100.0, ticks.label(*value));
            let _ = write!(labels, "<span class=\"y\" style=\"top:{top:.2}%\">{text}</span>");
        }
        for (class, _, bins) in &self.layers {
            let width = WIDTH / bins.len().max(1) as f64;
            let mut bars = String::new();
            for (at, bin) in bins.iter().enumerate().filter(|(_, bin)| **bin > 0) {
                let (x, y) = (at as f64 * width, frame.y(*bin as f64));
                let right = x + width * 0.9;
                let _ = write!(bars, "M{x:.1} {HEIGHT}V{y:.1}H{right:.1}V{HEIGHT}Z");
            }
            let _ = write!(drawing, "<path class=\"bars {class}\" d=\"{bars}\"/>");
        }
        let across = |value: f64| {
            let share = (value - self.low) / (self.high - self.low).max(f64::MIN_POSITIVE);
            share.clamp(0.0, 1.0)
        };
        if self.low < 0.0 && self.high > 0.0 {
            let x = across(0.0) * WIDTH;
            let _ = write!(drawing, "<path class=\"grid zero\" d=\"M{x:.1} 0V{HEIGHT}\"/>");
        }
        let scale = Ticks::over(self.low, self.high, 7);
        for value in scale.values.iter().filter(|v| **v >= self.low && **v <= self.high) {
            let (left, text) = (across(*value) * 100.0, scale.label(*value));
            let unit = escape(self.unit);
            let _ =
                write!(labels, "<span class=\"x\" style=\"left:{left:.2}%\">{text}{unit}</span>");
        }
        let mut legend = String::new();
        for (class, name, _) in &self.layers {
            let _ = write!(
                legend,
                "<span class=\"key\"><span class=\"{class}\">\u{25a0}</span> {}</span>",
                escape(name)
            );
        }
        figure(self.title, &legend, "plot low", &drawing, &labels, &self.summary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tse_model::Timestamp;

    #[test]
    fn a_spike_is_drawn_and_the_chart_says_what_it_shows() {
        let mut series = Series::default();
        for second in 0..100_000i64 {
            let value = if second == 77_777 { 50.0 } else { 1.0 };
            series.push(Timestamp::from_nanos(second * 1_000_000_000), value);
        }
        let chart = Chart {
            title: "Equity <USD>",
            summary: "flat with one spike".to_owned(),
            span: series.span().unwrap(),
            layers: vec![Layer { series: &series, draw: Draw::Line, class: "blue", name: "a & b" }],
            zero: true,
            percent: false,
            low: false,
        };
        let html = chart.html();
        assert_eq!(html, chart.html());
        assert!(html.contains("aria-label=\"Equity &lt;USD&gt;. flat with one spike\""), "{html}");
        // 77,777 s stands in a stretch that begins in column 777 of 1,000; 50 is the top.
        assert!(html.contains("L777 294.0L777 0.0L777 294.0L1000 294.0"), "{html}");
        assert!(html.contains("a &amp; b"));
    }

    #[test]
    fn an_empty_chart_says_so() {
        let series = Series::default();
        let chart = Chart {
            title: "Price",
            summary: "no price was seen".to_owned(),
            span: (0, 0),
            layers: vec![Layer { series: &series, draw: Draw::Step, class: "blue", name: "" }],
            zero: false,
            percent: false,
            low: true,
        };
        assert!(chart.html().contains("Nothing to draw: no price was seen"));
    }
}
