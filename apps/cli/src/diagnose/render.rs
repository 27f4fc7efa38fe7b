//! Findings as people read them: the line, what is wrong in it, why, and what to do.
//!
//! ```text
//! error[TSE-C012]: `max_position` must not be negative
//!   --> examples/mm.toml:14:16
//!    |
//! 14 | max_position = -2.0
//!    |                ^^^^ expected a size >= 0, in BTC
//!    = fix: max_position = 2.0
//!    = more: tse explain TSE-C012
//! ```
//!
//! Nothing depends on colour: it only repeats what the words say.

use super::{At, Diagnostic, Diagnostics, Level, TextRange};
use std::fmt::Write;

/// How many findings are shown.
pub const SHOWN_MAX: usize = 20;

/// How to draw.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Whether escape codes for colour may be used.
    pub color: bool,
    /// How many columns there are, if that is known.
    pub width: Option<usize>,
}

/// A colour or weight.
#[derive(Clone, Copy, Debug)]
pub enum Paint {
    /// Errors.
    Red,
    /// Warnings.
    Yellow,
    /// Line numbers and frames.
    Blue,
    /// What to do; what went well.
    Green,
    /// What stands out.
    Bold,
    /// What stands back.
    Dim,
}

impl Style {
    /// `text`, painted if colour is wanted.
    pub fn paint(self, paint: Paint, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Red => "1;31",
            Paint::Yellow => "1;33",
            Paint::Blue => "1;34",
            Paint::Green => "32",
            Paint::Bold => "1",
            Paint::Dim => "2",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// All findings, worst first, at most [`SHOWN_MAX`], each followed by an empty line; then how many
/// there are if that is more than one.
pub fn all(found: &Diagnostics, style: Style) -> String {
    let sorted = found.sorted();
    let mut text = String::new();
    for finding in sorted.iter().take(SHOWN_MAX) {
        text.push_str(&one(finding, style));
        text.push('\n');
    }
    if sorted.len() > 1 {
        let count = |level: Level| {
            let n = sorted.iter().filter(|found| found.level == level).count();
            (n > 0).then(|| format!("{n} {}{}", level.name(), if n == 1 { "" } else { "s" }))
        };
        let counts: Vec<_> = [Level::Error, Level::Warning].into_iter().filter_map(count).collect();
        let hidden = match sorted.len().saturating_sub(SHOWN_MAX) {
            0 => String::new(),
            n => format!(" · {n} not shown"),
        };
        let _ = writeln!(text, "{}{hidden}", counts.join(" · "));
    }
    text
}

/// One finding.
pub fn one(found: &Diagnostic, style: Style) -> String {
    let mut text = String::new();
    let paint = match found.level {
        Level::Error => Paint::Red,
        Level::Warning => Paint::Yellow,
    };
    let head = style.paint(paint, &format!("{}[{}]", found.level.name(), found.code));
    let _ = writeln!(text, "{head}: {}", style.paint(Paint::Bold, &found.title));
    let gutter = gutter(found);
    for (at, spot) in found.spots.iter().enumerate() {
        let arrow = if at == 0 { "-->" } else { ":::" };
        let arrow = style.paint(Paint::Blue, arrow);
        match &spot.at {
            At::Place(place) => {
                let label = if spot.label.is_empty() { "" } else { ": " };
                let _ = writeln!(text, "{:gutter$}{arrow} {place}{label}{}", "", spot.label);
            }
            At::Text(range) => {
                let _ = writeln!(text, "{:gutter$}{arrow} {range}", "");
                let paint = if at == 0 { paint } else { Paint::Blue };
                let mark = if at == 0 { '^' } else { '-' };
                snippet(&mut text, range, &spot.label, (mark, paint), gutter, style);
            }
        }
    }
    let more = format!("tse explain {}", found.code);
    let notes = [
        ("why", found.why.as_deref(), Paint::Bold),
        ("fix", found.fix.as_deref(), Paint::Green),
        ("more", Some(&*more), Paint::Dim),
    ];
    for (name, note, paint) in notes {
        let Some(note) = note else { continue };
        let indent = gutter + 3 + name.len() + 2;
        let lines = if name == "why" { wrapped(note, style.width, indent) } else { plain(note) };
        for (at, line) in lines.iter().enumerate() {
            if at == 0 {
                let equals = style.paint(Paint::Blue, "=");
                let name = style.paint(paint, name);
                let _ = writeln!(text, "{:gutter$} {equals} {name}: {line}", "");
            } else if line.is_empty() {
                text.push('\n');
            } else {
                let _ = writeln!(text, "{:indent$}{line}", "");
            }
        }
    }
    text
}

/// How wide line numbers are; two digits at least, so that findings line up.
fn gutter(found: &Diagnostic) -> usize {
    let digits = found.spots.iter().filter_map(|spot| match &spot.at {
        At::Text(range) => Some(range.place().0.to_string().len()),
        At::Place(_) => None,
    });
    digits.max().unwrap_or(2).max(2)
}

/// A line of the text with a mark under what is meant.
fn snippet(
    text: &mut String,
    range: &TextRange,
    label: &str,
    (mark, paint): (char, Paint),
    gutter: usize,
    style: Style,
) {
    let (line, column) = range.place();
    let shown: Vec<String> = range.source.line(line).chars().map(harmless).collect();
    let first = (column - 1).min(shown.len());
    let last = (first + range.width()).min(shown.len()).max(first);
    let (from, to) =
        window(&shown, first, last, style.width.map(|width| width - gutter.min(width)));
    let cell = |from: usize, to: usize| shown[from..to].concat();
    let (left, right) =
        (if from > 0 { "..." } else { "" }, if to < shown.len() { "..." } else { "" });
    let bar = style.paint(Paint::Blue, "|");
    let number = style.paint(Paint::Blue, &format!("{line:>gutter$}"));
    let _ = writeln!(text, "{:gutter$} {bar}", "");
    let _ =
        writeln!(text, "{}", format!("{number} {bar} {left}{}{right}", cell(from, to)).trim_end());
    let before = left.len() + cell(from, first.max(from)).chars().count();
    let marks = cell(first.max(from), last.min(to)).chars().count().max(1);
    let marks = style.paint(paint, &format!("{} {label}", mark.to_string().repeat(marks)));
    let line = format!("{:gutter$} {bar} {:before$}{marks}", "", "");
    let _ = writeln!(text, "{}", line.trim_end());
}

/// Which characters of a line to show so that the marked ones are among them.
fn window(shown: &[String], first: usize, last: usize, width: Option<usize>) -> (usize, usize) {
    const FRAME: usize = 3 + 6;
    let Some(room) = width.map(|width| width.saturating_sub(FRAME).max(20)) else {
        return (0, shown.len());
    };
    if shown.len() <= room {
        return (0, shown.len());
    }
    let from = first.saturating_sub(room / 3);
    let to = (from + room).max(last.min(from + 2 * room)).min(shown.len());
    (from, to)
}

/// A character as it may be shown: tabs as spaces, nothing that a terminal acts on.
fn harmless(c: char) -> String {
    match c {
        '\t' => "    ".to_owned(),
        c if c.is_control() => "?".to_owned(),
        c => c.to_string(),
    }
}

fn plain(note: &str) -> Vec<String> {
    note.lines().map(str::to_owned).collect()
}

/// The text in lines that fit into `width` columns behind `indent`.
pub fn wrapped(note: &str, width: Option<usize>, indent: usize) -> Vec<String> {
    let Some(room) = width.map(|width| width.saturating_sub(indent).max(30)) else {
        return plain(note);
    };
    let mut lines = Vec::new();
    for paragraph in note.lines() {
        let mut line = String::new();
        for word in paragraph.split(' ') {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::{SourceText, codes};

    fn finding() -> Diagnostic {
        let text = SourceText::new("mm.toml", "a = 1\nqty_max = -2.0 # no\n");
        let (size, a) = (text.range(16..20), text.range(0..1));
        Diagnostic::error(codes::OUT_OF_RANGE, "`qty_max` must be above zero")
            .at(size, "expected a size > 0, in BTC")
            .at(a, "as here")
            .why("an order of nothing is no order")
            .fix("qty_max = 2.0")
    }

    #[test]
    fn a_finding_shows_the_line_and_what_to_do() {
        let expected = format!(
            "\
error[{0}]: `qty_max` must be above zero
  --> mm.toml:2:11
   |
 2 | qty_max = -2.0 # no
   |           ^^^^ expected a size > 0, in BTC
  ::: mm.toml:1:1
   |
 1 | a = 1
   | - as here
   = why: an order of nothing is no order
   = fix: qty_max = 2.0
   = more: tse explain {0}
",
            codes::OUT_OF_RANGE
        );
        assert_eq!(one(&finding(), Style::default()), expected);
    }

    #[test]
    fn without_colour_there_is_no_escape_and_with_it_the_words_are_the_same() {
        let plain = one(&finding(), Style::default());
        let painted = one(&finding(), Style { color: true, width: None });
        assert!(!plain.contains('\x1b') && painted.contains('\x1b'));
        let mut bare = painted;
        for code in ["1;31", "1;33", "1;34", "32", "1", "2", "0"] {
            bare = bare.replace(&format!("\x1b[{code}m"), "");
        }
        assert_eq!(bare, plain);
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let line = format!("x = [{}9999]", "1, ".repeat(100));
        let text = SourceText::new("a.toml", line.clone());
        let at = line.find("9999").unwrap();
        let found = Diagnostic::error(codes::OUT_OF_RANGE, "t").at(text.range(at..at + 4), "here");
        let shown = one(&found, Style { color: false, width: Some(80) });
        let lines: Vec<_> = shown.lines().collect();
        assert!(lines[3].chars().count() <= 80, "{shown}");
        assert_eq!(lines[3].find("9999"), lines[4].find("^^^^"), "{shown}");
    }

    #[test]
    fn only_so_many_are_shown_and_all_are_counted() {
        let mut found = Diagnostics::new();
        for n in 0..25 {
            found.push(Diagnostic::error(codes::UNKNOWN_KEY, format!("number {n:02}")));
        }
        let text = all(&found, Style::default());
        assert!(text.contains("number 19") && !text.contains("number 20"));
        assert!(text.ends_with("25 errors · 5 not shown\n"), "{text}");
    }

    #[test]
    fn reasons_wrap_and_control_characters_do_nothing() {
        let lines = wrapped("one two three four five six seven eight nine ten", Some(50), 18);
        assert_eq!(lines, ["one two three four five six", "seven eight nine ten"]);
        assert_eq!(harmless('\x1b'), "?");
    }
}
