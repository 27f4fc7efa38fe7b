//! What a config may say: every section and key, with type, unit, default and meaning.
//!
//! Declared once, here; checking, defaults, `tse check --resolved`, the JSON schema and the tables of
//! docs/config.md all come from these declarations. What a key is used for is decided in
//! `build`.

/// Declares keys: what the key does, `"name": what it takes, whether it must be there`, then perhaps
/// its unit and the words of the section's `by` key for which it has a meaning.
macro_rules! keys {
    ($group:ident $($(#[doc = $doc:literal])+ $name:literal: $takes:expr, $need:expr
        $(, in $unit:literal)? $(, only $only:expr)?;)*) => {
        const $group: &[crate::config::keys::Key] = &[$(crate::config::keys::Key {
            name: $name,
            takes: $takes,
            need: $need,
            unit: concat!("" $(, $unit)?),
            text: concat!($($doc),+),
            only: crate::config::keys::last(&[&[] $(, $only)?]),
        }),*];
    };
}

mod data;
mod market;
mod run;

pub use data::{ADJUST, BARS, CLOCK, DATA};
pub use market::{CURRENCY, DELAY, FEES, FUNDING, INSTRUMENT, LATENCY, RATE, TIER, VENUE};
pub use run::{
    EXECUTIONS, INSTRUMENT_LIMITS, LIMITS, MESSAGES, ORDER_TO_TRADE, REPEATS, ROOT, RUN, STRATEGY,
    STRATEGY_LIMITS,
};

/// Keys that belong together.
#[derive(Debug)]
pub struct Section {
    /// Its heading, such as `run` or `limits.instrument`.
    pub name: &'static str,
    /// What it is about.
    pub doc: &'static str,
    /// Its keys, in groups so that sections can share some.
    pub groups: &'static [&'static [Key]],
    /// The key whose word decides which others have a meaning; empty for none.
    pub by: &'static str,
}

/// One key.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// Whether it must be there.
    pub need: Need,
    /// Its unit, empty for none.
    pub unit: &'static str,
    /// What it does, as it was declared: with a space before each line.
    text: &'static str,
    /// For which words of the section's `by` key it has a meaning; empty for all.
    pub only: &'static [&'static str],
}

/// Whether a key must be there. Each variant carries a value as it would be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// It must; such as this.
    Required(&'static str),
    /// If not, it is this.
    Default(&'static str),
    /// It may; such as this.
    Optional(&'static str),
}

/// What a key takes.
#[derive(Debug)]
pub enum Takes {
    /// Any text that is not empty.
    Text,
    /// The name of a run or a strategy.
    Slug,
    /// The name of a venue or a currency.
    Code,
    /// The canonical name of an instrument.
    Symbol,
    /// Any spelling that means one instrument.
    Instrument,
    /// A file, relative to the config.
    Path,
    /// A whole number.
    Whole {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// An exact decimal.
    Decimal(Range),
    /// A length of time.
    Time(Sign),
    /// A point in time.
    Moment,
    /// A day.
    Date,
    /// True or false.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// Several.
    List(&'static Takes),
    /// Names of the user's own, each with a value.
    Map(&'static Takes),
    /// A table with these keys.
    Section(&'static Section),
    /// Several tables with these keys.
    Sections(&'static Section),
    /// One of these.
    Either(&'static [Takes]),
    /// What its strategy declares.
    Params,
}

/// Which decimals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Range {
    /// All.
    Any,
    /// Zero and above.
    NotNegative,
    /// Above zero.
    Positive,
    /// From zero to one.
    Share,
}

/// Which lengths of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    /// All.
    Any,
    /// Zero and above.
    NotNegative,
    /// Above zero.
    Positive,
}

impl Key {
    /// What it does.
    pub fn doc(&self) -> &'static str {
        self.text.trim()
    }

    /// A value as it would be written.
    pub const fn example(&self) -> &'static str {
        match self.need {
            Need::Required(text) | Need::Default(text) | Need::Optional(text) => text,
        }
    }

    /// Its default, as it would be written.
    pub const fn default(&self) -> Option<&'static str> {
        match self.need {
            Need::Default(text) => Some(text),
            _ => None,
        }
    }

    /// What it takes, with its unit.
    pub fn expects(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(", in {}", self.unit) };
        format!("{}{unit}", self.takes.expects())
    }
}

impl Section {
    /// All keys.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        self.groups.iter().copied().flatten()
    }

    /// The key called `name`.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.name == name)
    }
}

impl Takes {
    /// In words, with an article.
    pub fn expects(&self) -> String {
        let text = match self {
            Self::Text => "a text",
            Self::Slug => "a name of small letters, digits, `-` and `_`",
            Self::Code => "a name of capital letters, digits and `_`",
            Self::Symbol => "a symbol such as BTC-USDT.BINANCE",
            Self::Instrument => "an instrument of this config",
            Self::Path => "a path",
            Self::Whole { min, max: i64::MAX } => return format!("a whole number from {min}"),
            Self::Whole { min, max } => return format!("a whole number from {min} to {max}"),
            Self::Decimal(Range::Any) => "a number",
            Self::Decimal(Range::NotNegative) => "a number >= 0",
            Self::Decimal(Range::Positive) => "a number > 0",
            Self::Decimal(Range::Share) => "a number from 0 to 1",
            Self::Time(Sign::Any) => "a length of time such as \"-300ms\"",
            Self::Time(Sign::NotNegative) => "a length of time such as \"250ms\" or \"0s\"",
            Self::Time(Sign::Positive) => "a length of time above zero such as \"1m\"",
            Self::Moment => "a moment such as \"2024-08-08T23:54:16Z\"",
            Self::Date => "a day such as \"2014-05-06\"",
            Self::Flag => "true or false",
            Self::Word([word]) => return format!("\"{word}\""),
            Self::Word(words) => return format!("one of {}", quoted(words)),
            Self::List(inner) => return format!("a list, each {}", inner.expects()),
            Self::Map(inner) => return format!("a table of names, each with {}", inner.expects()),
            Self::Section(_) => "a table",
            Self::Sections(_) => "tables",
            Self::Params => "a table of the strategy's parameters",
            Self::Either(all) => {
                let all: Vec<_> = all.iter().map(Self::expects).collect();
                return all.join(", or ");
            }
        };
        text.to_owned()
    }
}

/// The last of several lists.
const fn last(lists: &[&'static [&'static str]]) -> &'static [&'static str] {
    lists[lists.len() - 1]
}

/// Every section that can be reached from the root, in the order in which they are met.
pub fn sections() -> Vec<&'static Section> {
    fn visit(takes: &Takes, into: &mut Vec<&'static Section>) {
        match takes {
            Takes::Section(section) | Takes::Sections(section)
                if !into.iter().any(|known| known.name == section.name) =>
            {
                into.push(section);
                section.keys().for_each(|key| visit(&key.takes, into));
            }
            Takes::List(inner) | Takes::Map(inner) => visit(inner, into),
            Takes::Either(all) => all.iter().for_each(|takes| visit(takes, into)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    visit(&Takes::Section(&ROOT), &mut all);
    all
}

/// Words as they are written.
pub fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn nothing_that_callers_of_backtests_may_set_names_a_file() {
        fn names_a_file(takes: &Takes) -> bool {
            match takes {
                Takes::Path => true,
                Takes::Section(section) | Takes::Sections(section) => {
                    section.keys().any(|key| names_a_file(&key.takes))
                }
                Takes::List(inner) | Takes::Map(inner) => names_a_file(inner),
                Takes::Either(all) => all.iter().any(names_a_file),
                _ => false,
            }
        }
        let part = |name: &str| ROOT.key(name).map(|key| names_a_file(&key.takes));
        for name in tse_server::MAY_BE_SET {
            assert_eq!(part(name), Some(false), "{name}");
        }
        // That it is seen where there is one.
        assert_eq!((part("data"), part("venues")), (Some(true), Some(true)));
    }

    #[test]
    fn every_key_is_declared_once_and_documented() {
        for section in sections() {
            let names: BTreeSet<_> = section.keys().map(|key| key.name).collect();
            assert_eq!(names.len(), section.keys().count(), "[{}]", section.name);
            for key in section.keys() {
                assert!(key.doc().ends_with('.'), "{}.{}", section.name, key.name);
            }
            assert!(section.by.is_empty() || section.key(section.by).is_some());
        }
    }
}
