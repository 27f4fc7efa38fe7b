//! Findings: what is wrong, where, why, and what to do about it.
//!
//! Whoever notices something makes a [`Diagnostic`] and goes on; [`Diagnostics`] collects them so that
//! one pass names every problem. How they look is [`render`]'s and [`json`]'s affair, what their codes
//! mean stands in [`codes`], and the exit code follows from the worst of them.
//!
//! Begin at [`Diagnostic::error`].

pub mod codes;
pub mod json;
pub mod panic;
pub mod render;
mod source;

pub use source::{SourceText, TextRange};

use tse_model::SourceFault;

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// Nothing can go on with this.
    Error,
    /// Something to know: the result rests on it.
    Warning,
}

impl Level {
    /// `error` or `warning`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Where something stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum At {
    /// In a text that can be shown.
    Text(TextRange),
    /// Anywhere else: a row of a data file, a variable of the environment, an argument.
    Place(String),
}

/// A place and what is to be said there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spot {
    /// Where.
    pub at: At,
    /// What, in a few words; may be empty.
    pub label: String,
}

/// One finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub level: Level,
    /// Which kind: `TSE-C012`.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub title: String,
    /// Where; the first is the place to change, others are what it is compared with.
    pub spots: Vec<Spot>,
    /// Why that is wrong, if the title does not say it.
    pub why: Option<String>,
    /// What would be right.
    pub fix: Option<String>,
}

impl Diagnostic {
    /// Something nothing can go on with.
    pub fn error(code: &'static str, title: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            code,
            title: title.into(),
            spots: Vec::new(),
            why: None,
            fix: None,
        }
    }

    /// Something that the result rests on.
    pub fn warning(code: &'static str, title: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(code, title) }
    }

    /// Where, with a word about it.
    pub fn at(mut self, at: impl Into<At>, label: impl Into<String>) -> Self {
        self.spots.push(Spot { at: at.into(), label: label.into() });
        self
    }

    /// Why.
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why = Some(why.into());
        self
    }

    /// What to do.
    pub fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }

    /// What to do, where something can be advised.
    pub fn maybe_fix(mut self, fix: Option<String>) -> Self {
        self.fix = fix.or(self.fix);
        self
    }

    /// Worst first, then in the order of the file.
    fn rank(&self) -> (Level, u8, usize) {
        let family = codes::family(self.code).map_or(u8::MAX, |family| family.rank());
        let offset = match self.spots.first() {
            Some(Spot { at: At::Text(range), .. }) => range.start,
            _ => usize::MAX,
        };
        (self.level, family, offset)
    }
}

impl From<SourceFault> for Diagnostic {
    fn from(fault: SourceFault) -> Self {
        let found = Self::error(fault.code, fault.what).fix(fault.fix);
        let found = match fault.why {
            Some(why) => found.why(why),
            None => found,
        };
        match fault.place {
            place if place.is_empty() => found,
            place => found.at(At::Place(place), ""),
        }
    }
}

impl From<TextRange> for At {
    fn from(range: TextRange) -> Self {
        Self::Text(range)
    }
}

/// Everything that was found.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, found: Diagnostic) {
        // Two checks may come to the same conclusion about the same place; once is enough.
        if !self.found.contains(&found) {
            self.found.push(found);
        }
    }

    /// Adds all of `others`.
    pub fn extend(&mut self, others: Self) {
        for found in others.found {
            self.push(found);
        }
    }

    /// Whether nothing can go on.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|found| found.level == Level::Error)
    }

    /// Whether nothing was found at all.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them, worst first.
    pub fn sorted(&self) -> Vec<&Diagnostic> {
        let mut all: Vec<_> = self.found.iter().collect();
        all.sort_by_key(|found| found.rank());
        all
    }

    /// Those of one level, worst first.
    pub fn of(&self, level: Level) -> Vec<&Diagnostic> {
        self.sorted().into_iter().filter(|found| found.level == level).collect()
    }

    /// The exit code that the worst of them calls for: 0 if there is no error.
    pub fn exit(&self) -> u8 {
        self.of(Level::Error).first().map_or(0, |worst| codes::exit(worst.code))
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(found: Diagnostic) -> Self {
        Self { found: vec![found] }
    }
}

impl From<SourceFault> for Diagnostics {
    fn from(fault: SourceFault) -> Self {
        Diagnostic::from(fault).into()
    }
}

/// The one of `known` that `wrong` most likely means, if any is near.
pub fn did_you_mean<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let nearest = known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&wrong, &name.to_lowercase()), name))
        .min_by_key(|(distance, _)| *distance)?;
    // A third of the letters may be wrong; of short names one.
    (nearest.0 <= (wrong.chars().count() / 3).max(1)).then_some(nearest.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant_if_it_is_near() {
        let known = ["tick", "lot", "multiplier", "qty_min"];
        assert_eq!(did_you_mean("tikc", known), Some("tick"));
        assert_eq!(did_you_mean("qty_mim", known), Some("qty_min"));
        assert_eq!(did_you_mean("multipler", known), Some("multiplier"));
        assert_eq!(did_you_mean("banana", known), None);
        assert_eq!(did_you_mean("LOT", known), Some("lot"));
    }

    #[test]
    fn errors_come_before_warnings_and_decide_the_exit_code() {
        let mut found = Diagnostics::new();
        found.push(Diagnostic::warning(codes::NO_LATENCY, "no latency"));
        assert_eq!((found.exit(), found.has_errors()), (0, false));
        found.push(Diagnostic::error(tse_data::codes::NO_SUCH_FILE, "no file"));
        assert_eq!(found.exit(), 4);
        found.push(Diagnostic::error(codes::WRONG_TYPE, "wrong type"));
        assert_eq!(found.exit(), 3);
        let order: Vec<_> = found.sorted().iter().map(|found| found.title.clone()).collect();
        assert_eq!(order, ["wrong type", "no file", "no latency"]);
    }

    #[test]
    fn the_same_finding_counts_once() {
        let mut found = Diagnostics::new();
        for _ in 0..2 {
            found.push(Diagnostic::error(codes::MISSING_KEY, "`tick` is missing"));
        }
        assert_eq!(found.sorted().len(), 1);
    }
}
