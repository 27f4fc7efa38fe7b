//! Parameters of a strategy, declared once: used to check a configuration, to print help, and to
//! describe themselves to editors.

use std::fmt;
use tse_model::{Decimal, Span};

/// What kind of value a parameter takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParamKind {
    /// A whole number in a range.
    Int {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// An exact decimal in a range, both ends as decimal text.
    Decimal {
        /// Smallest.
        min: &'static str,
        /// Largest.
        max: &'static str,
    },
    /// A length of time from zero on, written with its unit: `1m`, `250ms`.
    Time,
    /// True or false.
    Bool,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// One parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Param {
    /// Its name in a configuration.
    pub name: &'static str,
    /// What it takes.
    pub kind: ParamKind,
    /// Its default, as it would be written; `None` if it must be given.
    pub default: Option<&'static str>,
    /// Its unit, empty for none.
    pub unit: &'static str,
    /// What it does, in one sentence.
    pub doc: &'static str,
}

/// A checked value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParamValue {
    /// A whole number.
    Int(i64),
    /// An exact decimal.
    Decimal(Decimal),
    /// A length of time.
    Time(Span),
    /// True or false.
    Bool(bool),
    /// One of the declared words.
    Choice(&'static str),
}

/// Why a parameter cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParamError {
    /// Which one.
    pub name: String,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub fix: String,
}

impl fmt::Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.name, self.what)
    }
}

impl std::error::Error for ParamError {}

impl Param {
    /// Reads a value from text as this parameter takes it.
    ///
    /// # Errors
    /// A [`ParamError`] that names the expected values.
    pub fn parse(&self, text: &str) -> Result<ParamValue, ParamError> {
        let value = match self.kind {
            ParamKind::Int { min, max } => {
                text.parse().ok().filter(|n| (min..=max).contains(n)).map(ParamValue::Int)
            }
            ParamKind::Decimal { min, max } => {
                let bound =
                    |text: &str| text.parse::<Decimal>().expect("a declared bound is a number");
                let inside =
                    |value: &Decimal| at_most(bound(min), *value) && at_most(*value, bound(max));
                text.parse().ok().filter(inside).map(ParamValue::Decimal)
            }
            ParamKind::Time => {
                Span::parse(text).filter(|span| *span >= Span::ZERO).map(ParamValue::Time)
            }
            ParamKind::Bool => text.parse().ok().map(ParamValue::Bool),
            ParamKind::Choice(words) => {
                words.iter().find(|word| **word == text).map(|word| ParamValue::Choice(word))
            }
        };
        value.ok_or_else(|| ParamError {
            name: self.name.to_owned(),
            what: format!("cannot be {text}"),
            fix: format!("{} = {}", self.name, self.example()),
        })
    }

    /// What it takes, in words.
    pub fn expects(&self) -> String {
        let unit = if self.unit.is_empty() { String::new() } else { format!(", in {}", self.unit) };
        match self.kind {
            ParamKind::Int { min, max } => format!("a whole number from {min} to {max}{unit}"),
            ParamKind::Decimal { min, max } => format!("a number from {min} to {max}{unit}"),
            ParamKind::Time => "a length of time such as \"250ms\", \"1m\" or \"0s\"".to_owned(),
            ParamKind::Bool => "true or false".to_owned(),
            ParamKind::Choice(words) => format!("one of {}", words.join(", ")),
        }
    }

    /// A value that would be accepted, as it is written in a configuration.
    pub fn example(&self) -> String {
        let plain = match (self.default, self.kind) {
            (Some(default), _) => default,
            (None, ParamKind::Decimal { max, .. }) => max,
            (None, ParamKind::Choice(words)) => words[0],
            (None, ParamKind::Bool) => "true",
            (None, ParamKind::Time) => "1s",
            (None, ParamKind::Int { .. }) => "1",
        };
        match self.kind {
            ParamKind::Int { .. } | ParamKind::Bool => plain.to_owned(),
            _ => format!("\"{plain}\""),
        }
    }
}

fn at_most(a: Decimal, b: Decimal) -> bool {
    let scale = a.scale().max(b.scale());
    match (a.at_scale(scale), b.at_scale(scale)) {
        (Some(a), Some(b)) => a <= b,
        // More digits than can be compared are outside every declared range.
        _ => false,
    }
}

/// Checked values for all parameters of a strategy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Params {
    values: Vec<(&'static str, ParamValue)>,
}

impl Params {
    /// The defaults of `declared`, overridden by `given` texts.
    ///
    /// # Errors
    /// Every unknown name, bad value and missing parameter.
    pub fn new(declared: &[Param], given: &[(String, String)]) -> Result<Self, Vec<ParamError>> {
        let mut errors = Vec::new();
        for (name, _) in given {
            if !declared.iter().any(|param| param.name == name) {
                let names: Vec<_> = declared.iter().map(|param| param.name).collect();
                errors.push(ParamError {
                    name: name.clone(),
                    what: "is not a parameter of this strategy".to_owned(),
                    fix: format!("use one of {}", names.join(", ")),
                });
            }
        }
        let mut values = Vec::with_capacity(declared.len());
        for param in declared {
            let text = given.iter().find(|(name, _)| name == param.name).map(|(_, text)| &**text);
            match text.or(param.default) {
                Some(text) => match param.parse(text) {
                    Ok(value) => values.push((param.name, value)),
                    Err(error) => errors.push(error),
                },
                None => errors.push(ParamError {
                    name: param.name.to_owned(),
                    what: "is missing".to_owned(),
                    fix: format!("{} = {}", param.name, param.example()),
                }),
            }
        }
        if errors.is_empty() { Ok(Self { values }) } else { Err(errors) }
    }

    /// All values, in the order of declaration.
    pub fn values(&self) -> &[(&'static str, ParamValue)] {
        &self.values
    }

    fn value(&self, name: &str) -> ParamValue {
        let found = self.values.iter().find(|(known, _)| *known == name);
        found.unwrap_or_else(|| panic!("parameter `{name}` is declared")).1
    }

    /// A whole number.
    ///
    /// # Panics
    /// If the strategy did not declare it so: a bug in the strategy, found by its first test.
    pub fn int(&self, name: &str) -> i64 {
        match self.value(name) {
            ParamValue::Int(n) => n,
            other => panic!("parameter `{name}` is declared as {other:?}"),
        }
    }
    /// An exact decimal.
    ///
    /// # Panics
    /// If the strategy did not declare it so.
    pub fn decimal(&self, name: &str) -> Decimal {
        match self.value(name) {
            ParamValue::Decimal(value) => value,
            other => panic!("parameter `{name}` is declared as {other:?}"),
        }
    }
    /// A length of time.
    ///
    /// # Panics
    /// If the strategy did not declare it so.
    pub fn time(&self, name: &str) -> Span {
        match self.value(name) {
            ParamValue::Time(span) => span,
            other => panic!("parameter `{name}` is declared as {other:?}"),
        }
    }
    /// True or false.
    ///
    /// # Panics
    /// If the strategy did not declare it so.
    pub fn bool(&self, name: &str) -> bool {
        match self.value(name) {
            ParamValue::Bool(value) => value,
            other => panic!("parameter `{name}` is declared as {other:?}"),
        }
    }
    /// One of the declared words.
    ///
    /// # Panics
    /// If the strategy did not declare it so.
    pub fn choice(&self, name: &str) -> &'static str {
        match self.value(name) {
            ParamValue::Choice(word) => word,
            other => panic!("parameter `{name}` is declared as {other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARED: &[Param] = &[
        Param {
            name: "fast",
            kind: ParamKind::Int { min: 1, max: 99 },
            default: Some("10"),
            unit: "",
            doc: "",
        },
        Param {
            name: "size",
            kind: ParamKind::Decimal { min: "0", max: "1000" },
            default: None,
            unit: "base units",
            doc: "",
        },
        Param { name: "every", kind: ParamKind::Time, default: Some("1m"), unit: "", doc: "" },
    ];

    fn given(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn defaults_hold_where_nothing_is_given() {
        let params = Params::new(DECLARED, &given(&[("size", "0.5")])).unwrap();
        assert_eq!(params.int("fast"), 10);
        assert_eq!(params.decimal("size"), "0.5".parse().unwrap());
        assert_eq!(params.time("every"), Span::from_secs(60));
    }

    #[test]
    fn all_problems_are_found_in_one_pass() {
        let errors =
            Params::new(DECLARED, &given(&[("fats", "3"), ("fast", "0"), ("every", "soon")]));
        let errors: Vec<_> = errors.unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(
            errors,
            [
                "`fats` is not a parameter of this strategy",
                "`fast` cannot be 0",
                "`size` is missing",
                "`every` cannot be soon"
            ]
        );
    }
}
