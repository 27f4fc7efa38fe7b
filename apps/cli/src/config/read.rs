//! From tree to typed values: unknown keys, wrong types, missing keys, defaults.
//!
//! In go a tree and the declared keys; out come [`Fields`] with everything that is right. Whatever is
//! wrong becomes a finding, and reading goes on, so that one pass names every problem. Values are
//! judged one by one here; whether they fit each other is [`build`](super::build)'s affair.

use super::checked::{Checked, Field, Fields, Seen};
use super::keys::{Key, Range, Section, Sign, Takes};
use super::scalar;
use super::tree::{Entry, Node, Place, Table, Value, read_value};
use crate::diagnose::{Diagnostic, Diagnostics, codes, did_you_mean};
use tse_model::{Decimal, DecimalError};

/// Reads a table as `section`.
pub fn section(
    table: &Table,
    place: &Place,
    section: &'static Section,
    found: &mut Diagnostics,
) -> Fields {
    let mut fields = Fields { section, place: place.clone(), fields: Vec::new(), broken: false };
    let by = by(table, section);
    let meant = unknown(table, &mut fields, found);
    for key in section.keys() {
        let applies = key.only.is_empty() || by.is_none_or(|by| key.only.contains(&by));
        match table.get(key.name) {
            Some(entry) if !applies => {
                fields.broken = true;
                found.push(no_meaning(entry, key, section, by.unwrap_or_default()));
            }
            Some(entry) => match check(&key.takes, &entry.node, Named::key(key), found) {
                Some(value) => {
                    // A table with something wrong in it is wrong as a whole.
                    fields.broken |= is_broken(&value);
                    fields.fields.push(Field {
                        key,
                        key_place: entry.key_place.clone(),
                        seen: Seen { place: entry.node.place.clone(), value },
                    });
                }
                None => fields.broken = true,
            },
            // Misspelt is not missing.
            None if applies && !meant.contains(&key.name) => absent(key, &mut fields, found),
            None => {}
        }
    }
    fields
}

fn is_broken(value: &Checked) -> bool {
    match value {
        Checked::Section(fields) => fields.broken,
        _ => false,
    }
}

/// The word that decides which keys have a meaning, if it is one of those declared.
fn by(table: &Table, section: &'static Section) -> Option<&'static str> {
    let key = section.key(section.by)?;
    let Takes::Word(words) = key.takes else { return None };
    let entry = table.get(section.by)?;
    match &entry.node.value {
        Value::Text(text) | Value::Plain(text) => words.iter().copied().find(|word| word == text),
        _ => None,
    }
}

/// Says which keys are not known; gives those that were probably meant.
fn unknown(table: &Table, fields: &mut Fields, found: &mut Diagnostics) -> Vec<&'static str> {
    let mut all_meant = Vec::new();
    let section = fields.section;
    let heading = match section.name {
        "" => "a config".to_owned(),
        name => format!("[{name}]"),
    };
    for entry in &table.entries {
        if section.key(&entry.key).is_some() {
            continue;
        }
        fields.broken = true;
        let names: Vec<_> = section.keys().map(|key| key.name).collect();
        let meant = did_you_mean(&entry.key, names.iter().copied());
        all_meant.extend(meant);
        let fix = match meant {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("keys of {heading}: {}", names.join(", ")),
        };
        found.push(
            Diagnostic::error(codes::UNKNOWN_KEY, format!("{heading} has no key `{}`", entry.key))
                .at(entry.key_place.at(), "not a key here")
                .fix(fix),
        );
    }
    all_meant
}

/// A value's key, and what findings call the value: an element of a map has a name of its own.
#[derive(Clone, Copy)]
struct Named<'a> {
    key: &'static Key,
    name: &'a str,
}

impl Named<'_> {
    fn key(key: &'static Key) -> Self {
        Self { key, name: key.name }
    }
}

fn no_meaning(entry: &Entry, key: &Key, section: &Section, by: &str) -> Diagnostic {
    let title = format!("`{}` has no meaning with {} = \"{by}\"", entry.key, section.by);
    Diagnostic::error(codes::NOT_USED, title)
        .at(entry.key_place.at(), format!("is read for {} only", key.only.join(", ")))
        .fix(format!("leave `{}` out", entry.key))
}

/// A key that was not given: its default, a finding, or nothing.
fn absent(key: &'static Key, fields: &mut Fields, found: &mut Diagnostics) {
    if let Some(default) = key.default() {
        let node = read_value(default, &Place::Default);
        let value = check(&key.takes, &node, Named::key(key), found);
        let value = value.expect("a declared default is right");
        let place = Place::Default;
        let seen = Seen { place: place.clone(), value };
        fields.fields.push(Field { key, key_place: place, seen });
    } else if matches!(key.need, super::keys::Need::Required(_)) {
        fields.broken = true;
        found.push(missing(key, fields));
    }
}

fn missing(key: &Key, fields: &Fields) -> Diagnostic {
    let name = fields.section.name;
    let (title, fix) = match key.takes {
        Takes::Section(_) => {
            (format!("[{}] is missing", key.name), format!("add a [{}] section", key.name))
        }
        Takes::Sections(_) => {
            (format!("[[{}]] is missing", key.name), format!("add at least one [[{}]]", key.name))
        }
        _ => (
            format!("`{}` is missing in [{name}]", key.name),
            format!("{} = {}", key.name, key.example()),
        ),
    };
    let code = match key.takes {
        Takes::Section(section) if section.name == "limits" => codes::NO_LIMITS,
        Takes::Sections(_) => codes::NOTHING_TO_RUN,
        _ => codes::MISSING_KEY,
    };
    let found = Diagnostic::error(code, title)
        .at(fields.place.at(), format!("needs `{}`: {}", key.name, key.expects()))
        .fix(fix);
    if code == codes::NO_LIMITS { found.fix(super::build::limits::fix_all()) } else { found }
}

/// Reads one value. Says what is wrong with it, if anything.
fn check(takes: &Takes, node: &Node, of: Named<'_>, found: &mut Diagnostics) -> Option<Checked> {
    match scalar(takes, &node.value) {
        Got::Right(value) => Some(value),
        Got::Wrong(code, why) => {
            found.push(wrong(code, &why, takes, node, of));
            None
        }
        Got::NotScalar => nested(takes, node, of, found),
    }
}

/// What reading a value as a scalar came to.
enum Got {
    Right(Checked),
    /// The code and what is wrong, as the end of "`key` …".
    Wrong(&'static str, String),
    /// The key takes no scalar.
    NotScalar,
}

fn scalar(takes: &Takes, value: &Value) -> Got {
    let wrong_type = || Got::Wrong(codes::WRONG_TYPE, format!("cannot be {}", value.kind()));
    let text = match value {
        Value::Text(text) | Value::Plain(text) => Some(&**text),
        _ => None,
    };
    match takes {
        Takes::Text | Takes::Symbol | Takes::Instrument | Takes::Path => match text {
            Some("") => Got::Wrong(codes::BAD_NAME, "is empty".into()),
            Some(text) => Got::Right(Checked::Text(text.to_owned())),
            None => wrong_type(),
        },
        Takes::Slug | Takes::Code => match text {
            Some(text) => name(takes, text),
            None => wrong_type(),
        },
        Takes::Whole { min, max } => match value {
            Value::Number(text) | Value::Plain(text) => whole(text, *min, *max),
            _ => wrong_type(),
        },
        Takes::Decimal(range) => match value {
            Value::Number(text) | Value::Text(text) | Value::Plain(text) => decimal(text, *range),
            _ => wrong_type(),
        },
        Takes::Time(sign) => match value {
            Value::Number(text) => {
                Got::Wrong(codes::BAD_TIME, format!("lacks its unit: {text} what?"))
            }
            _ => text.map_or_else(wrong_type, |text| time(text, *sign)),
        },
        Takes::Moment | Takes::Date => match value {
            Value::Moment(text) | Value::Text(text) | Value::Plain(text) => point(takes, text),
            _ => wrong_type(),
        },
        Takes::Flag => match value {
            Value::Bool(value) => Got::Right(Checked::Flag(*value)),
            Value::Plain(text) => match text.parse() {
                Ok(value) => Got::Right(Checked::Flag(value)),
                Err(_) => Got::Wrong(codes::WRONG_TYPE, format!("cannot be {text}")),
            },
            _ => wrong_type(),
        },
        Takes::Word(words) => match text {
            Some(text) => match words.iter().find(|word| **word == text) {
                Some(word) => Got::Right(Checked::Word(word)),
                None => Got::Wrong(codes::UNKNOWN_WORD, format!("cannot be \"{text}\"")),
            },
            None => wrong_type(),
        },
        Takes::List(_)
        | Takes::Map(_)
        | Takes::Section(_)
        | Takes::Sections(_)
        | Takes::Either(_)
        | Takes::Params => Got::NotScalar,
    }
}

fn name(takes: &Takes, text: &str) -> Got {
    let fine = match takes {
        Takes::Code => scalar::is_code(text),
        _ => scalar::is_slug(text),
    };
    if fine {
        Got::Right(Checked::Text(text.to_owned()))
    } else {
        Got::Wrong(codes::BAD_NAME, format!("cannot be \"{text}\""))
    }
}

fn whole(text: &str, min: i64, max: i64) -> Got {
    let Ok(decimal) = text.parse::<Decimal>() else {
        return Got::Wrong(codes::NOT_A_NUMBER, format!("is not a number: {text}"));
    };
    match decimal.steps_of(Decimal::ONE) {
        Some(n) if (min..=max).contains(&n) => Got::Right(Checked::Whole(n)),
        Some(_) => Got::Wrong(codes::OUT_OF_RANGE, format!("cannot be {text}")),
        None => {
            Got::Wrong(codes::OUT_OF_RANGE, format!("is not a whole number of 64 bits: {text}"))
        }
    }
}

fn decimal(text: &str, range: Range) -> Got {
    let value: Decimal = match text.parse() {
        Ok(value) => value,
        Err(error) => {
            let why = match error {
                DecimalError::Unexpected { at } => {
                    match text.get(at..).and_then(|t| t.chars().next()) {
                        Some(c) => format!("is not a number: `{c}` in \"{text}\""),
                        None => format!("is not a number: \"{text}\""),
                    }
                }
                DecimalError::Empty => "is empty".to_owned(),
                error => format!("is {error}: {text}"),
            };
            return Got::Wrong(codes::NOT_A_NUMBER, why);
        }
    };
    let negative = value.mantissa() < 0;
    let above_one =
        value.checked_add(Decimal::whole(-1)).is_none_or(|difference| difference.is_positive());
    match range {
        Range::NotNegative | Range::Share | Range::Positive if negative => {
            Got::Wrong(codes::OUT_OF_RANGE, format!("must not be negative: {text}"))
        }
        Range::Positive if value.is_zero() => {
            Got::Wrong(codes::OUT_OF_RANGE, format!("must be above zero: {text}"))
        }
        Range::Share if above_one => {
            Got::Wrong(codes::OUT_OF_RANGE, format!("must not be above one: {text}"))
        }
        _ => Got::Right(Checked::Decimal(value)),
    }
}

fn time(text: &str, sign: Sign) -> Got {
    match tse_model::Span::parse(text) {
        None if text.parse::<i64>().is_ok() => {
            Got::Wrong(codes::BAD_TIME, format!("lacks its unit: {text} what?"))
        }
        None => Got::Wrong(codes::BAD_TIME, format!("is not a length of time: \"{text}\"")),
        Some(span) if span.nanos() < 0 && sign != Sign::Any => {
            Got::Wrong(codes::OUT_OF_RANGE, format!("must not be negative: {text}"))
        }
        Some(span) if span.nanos() == 0 && sign == Sign::Positive => {
            Got::Wrong(codes::OUT_OF_RANGE, format!("must be above zero: {text}"))
        }
        Some(span) => Got::Right(Checked::Time(span)),
    }
}

fn point(takes: &Takes, text: &str) -> Got {
    if matches!(takes, Takes::Date) {
        return match scalar::date(text) {
            Some(date) => Got::Right(Checked::Date(date)),
            None => Got::Wrong(codes::BAD_TIME, format!("is not a day: {text}")),
        };
    }
    match scalar::moment(text) {
        Some(moment) => Got::Right(Checked::Moment(moment)),
        None => Got::Wrong(codes::BAD_TIME, format!("is not a moment: {text}")),
    }
}

/// Lists, tables and choices.
fn nested(takes: &Takes, node: &Node, of: Named<'_>, found: &mut Diagnostics) -> Option<Checked> {
    match (takes, &node.value) {
        (Takes::List(inner), Value::List(nodes)) => {
            let all = nodes.iter().map(|node| {
                let value = check(inner, node, of, found)?;
                Some(Seen { place: node.place.clone(), value })
            });
            // Every element is looked at before the first wrong one counts.
            let all: Vec<_> = all.collect();
            all.into_iter().collect::<Option<_>>().map(Checked::List)
        }
        (Takes::Map(inner), Value::Table(table)) => {
            let all: Vec<_> = table
                .entries
                .iter()
                .map(|entry| {
                    let name = Seen { place: entry.key_place.clone(), value: entry.key.clone() };
                    let called = Named { name: &entry.key, ..of };
                    let value = check(inner, &entry.node, called, found)?;
                    Some((name, Seen { place: entry.node.place.clone(), value }))
                })
                .collect();
            all.into_iter().collect::<Option<_>>().map(Checked::Map)
        }
        (Takes::Section(section), Value::Table(table)) => {
            Some(Checked::Section(self::section(table, &node.place, section, found)))
        }
        (Takes::Sections(section), Value::List(nodes)) => {
            let all: Vec<_> = nodes
                .iter()
                .map(|node| {
                    let Value::Table(table) = &node.value else {
                        found.push(wrong_kind(takes, node, of));
                        return None;
                    };
                    let fields = self::section(table, &node.place, section, found);
                    Some(Seen { place: node.place.clone(), value: Checked::Section(fields) })
                })
                .collect();
            all.into_iter().collect::<Option<_>>().map(Checked::List)
        }
        (Takes::Params, Value::Table(table)) => Some(Checked::Params(table.clone())),
        (Takes::Either(all), _) => either(all, takes, node, of, found),
        _ => {
            found.push(wrong_kind(takes, node, of));
            None
        }
    }
}

/// The first alternative that the value fits; if none, all of them are what was expected.
fn either(
    all: &[Takes],
    takes: &Takes,
    node: &Node,
    of: Named<'_>,
    found: &mut Diagnostics,
) -> Option<Checked> {
    let value = &node.value;
    let table = all.iter().find(|takes| matches!(takes, Takes::Section(_)));
    if let (Value::Table(_), Some(takes)) = (value, table) {
        return check(takes, node, of, found);
    }
    let mut worst = None;
    for one in all {
        match scalar(one, value) {
            Got::Right(value) => return Some(value),
            // A number that is out of range says more than that it is not one of some words.
            Got::Wrong(code, why) if worst.is_none() || code == codes::OUT_OF_RANGE => {
                worst = Some((code, why));
            }
            _ => {}
        }
    }
    let (code, why) =
        worst.unwrap_or_else(|| (codes::WRONG_TYPE, format!("cannot be {}", value.kind())));
    found.push(wrong(code, &why, takes, node, of));
    None
}

fn wrong_kind(takes: &Takes, node: &Node, of: Named<'_>) -> Diagnostic {
    let why = format!("cannot be {}", node.value.kind());
    let found = wrong(codes::WRONG_TYPE, &why, takes, node, of);
    match takes {
        Takes::Sections(section) => found.fix(format!("[[{}]]", section.name)),
        Takes::Section(section) if matches!(of.key.takes, Takes::Section(_)) => {
            found.fix(format!("{} = {{ ... }}, or [{}]", of.name, section.name))
        }
        _ => found,
    }
}

fn wrong(code: &'static str, why: &str, takes: &Takes, node: &Node, of: Named<'_>) -> Diagnostic {
    let unit = if of.key.unit.is_empty() { String::new() } else { format!(", in {}", of.key.unit) };
    Diagnostic::error(code, format!("`{}` {why}", of.name))
        .at(node.place.at(), format!("expected {}{unit}", takes.expects()))
        .fix(fix(takes, node, of))
}

/// What would be right, as near to what was written as can be guessed.
fn fix(takes: &Takes, node: &Node, of: Named<'_>) -> String {
    let name = of.name;
    let written = match &node.value {
        Value::Text(text) | Value::Number(text) | Value::Plain(text) | Value::Moment(text) => text,
        _ => "",
    };
    let bare = written.trim_start_matches('-');
    match takes {
        Takes::Word(words) => {
            if let Some(word) = did_you_mean(written, words.iter().copied()) {
                return format!("did you mean \"{word}\"?");
            }
        }
        Takes::Time(_) if bare.parse::<u64>().is_ok_and(|n| n > 0) => {
            return format!("{name} = \"{bare}s\", or another unit: ns, us, ms, m, h, d");
        }
        Takes::Code if scalar::is_code(&written.to_ascii_uppercase()) => {
            return format!("{} = \"{}\"", name, written.to_ascii_uppercase());
        }
        Takes::Slug if !written.is_empty() => {
            return format!("{} = \"{}\"", name, scalar::slug(written));
        }
        Takes::Decimal(Range::Positive | Range::NotNegative)
            if bare != written && bare.parse::<Decimal>().is_ok_and(Decimal::is_positive) =>
        {
            return format!("{name} = \"{bare}\"");
        }
        // A comma for the point; but not what is merely out of range.
        Takes::Decimal(_)
            if written.contains(',') && written.replace(',', ".").parse::<Decimal>().is_ok() =>
        {
            return format!("{name} = \"{}\"", written.replace(',', "."));
        }
        Takes::Whole { .. }
            if matches!(&node.value, Value::Text(_)) && bare.parse::<u64>().is_ok() =>
        {
            return format!("{name} = {written}");
        }
        _ => {}
    }
    // Inside of lists and maps the example of the key is of the whole.
    format!("{} = {}", of.key.name, of.key.example())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys;

    #[test]
    fn every_default_and_every_example_is_what_its_key_takes() {
        for section in keys::sections() {
            for key in section.keys() {
                let tables = matches!(key.takes, Takes::Sections(_));
                if tables || section.name.is_empty() {
                    continue;
                }
                let mut found = Diagnostics::new();
                let node = read_value(key.example(), &Place::Default);
                let value = check(&key.takes, &node, Named::key(key), &mut found);
                assert!(
                    value.is_some() && found.is_empty(),
                    "{}.{} = {}: {:?}",
                    section.name,
                    key.name,
                    key.example(),
                    found.sorted()
                );
            }
        }
    }
}
