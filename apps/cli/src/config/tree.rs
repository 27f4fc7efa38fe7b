//! A config as a tree in which every value knows where it was written.
//!
//! In goes TOML; out comes a [`Table`] whose keys stand in the order of the file, whose numbers are
//! still text, and whose every part has a [`Place`]. What the keys mean is not known here. Settings
//! from outside the file are laid over the tree by [`layers`](super::layers).

use crate::diagnose::{At, Diagnostic, Diagnostics, SourceText, TextRange, codes};
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Place {
    /// The file.
    File(TextRange),
    /// A variable of the environment.
    Env(String),
    /// `--set`.
    Flag(String),
    /// Nobody said anything.
    Default,
}

impl Place {
    /// As findings say it.
    pub fn at(&self) -> At {
        match self {
            Self::File(range) => At::Text(range.clone()),
            Self::Env(name) => At::Place(format!("environment variable {name}")),
            Self::Flag(text) => At::Place(format!("--set {text}")),
            Self::Default => At::Place("default".to_owned()),
        }
    }

    /// In a few words, for `tse check --resolved`.
    pub fn origin(&self) -> String {
        match self {
            Self::File(range) => range.to_string(),
            Self::Env(name) => format!("env {name}"),
            Self::Flag(_) => "--set".to_owned(),
            Self::Default => "default".to_owned(),
        }
    }
}

/// A value and where it stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// Where.
    pub place: Place,
    /// What.
    pub value: Value,
}

/// What can be written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// In quotation marks.
    Text(String),
    /// A number, as it was written.
    Number(String),
    /// True or false.
    Bool(bool),
    /// A TOML date or time, as it was written.
    Moment(String),
    /// From outside the file and without quotation marks: text, number, bool or moment, whichever is
    /// wanted.
    Plain(String),
    /// In brackets.
    List(Vec<Node>),
    /// Keys and values.
    Table(Table),
}

impl Value {
    /// What it is, with its article.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Bool(_) => "true or false",
            Self::Moment(_) => "a date or time",
            Self::Plain(_) => "a word",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// Keys and values, in the order in which they were written.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Table {
    /// All of them.
    pub entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_place: Place,
    /// The value.
    pub node: Node,
}

impl Table {
    /// The entry called `key`.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The entry called `key`, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.key == key)
    }
}

/// Reads the text of a config.
///
/// # Errors
/// Every place where it breaks the grammar of TOML.
pub fn read(source: &Arc<SourceText>) -> Result<Table, Diagnostics> {
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    if errors.is_empty() {
        return Ok(self::table(source, table.into_inner()));
    }
    let mut found = Diagnostics::new();
    for error in errors {
        found.push(grammar(source, &error));
    }
    Err(found)
}

/// Reads one value, as it would stand behind an equals sign; what is not TOML is a plain word.
pub fn read_value(text: &str, place: &Place) -> Node {
    let structured =
        matches!(text.trim_start().as_bytes().first(), Some(b'"' | b'\'' | b'[' | b'{'));
    if structured && let Ok(parsed) = DeValue::parse(text) {
        let source = SourceText::new("", text);
        let mut node = node(&source, parsed);
        move_to(&mut node, place);
        return node;
    }
    Node { place: place.clone(), value: Value::Plain(text.to_owned()) }
}

/// Says of every part of a value that it comes from `place`.
fn move_to(node: &mut Node, place: &Place) {
    node.place = place.clone();
    match &mut node.value {
        Value::List(nodes) => nodes.iter_mut().for_each(|node| move_to(node, place)),
        Value::Table(table) => {
            for entry in &mut table.entries {
                entry.key_place = place.clone();
                move_to(&mut entry.node, place);
            }
        }
        _ => {}
    }
}

fn table(source: &Arc<SourceText>, table: DeTable<'_>) -> Table {
    let mut entries: Vec<Entry> = table
        .into_iter()
        .map(|(key, value)| Entry {
            key_place: Place::File(source.range(key.span())),
            key: key.into_inner().into_owned(),
            node: node(source, value),
        })
        .collect();
    // The parser sorts keys by name; people, and the numbers things get, go by the file.
    entries.sort_by_key(|entry| match &entry.key_place {
        Place::File(range) => range.start,
        _ => usize::MAX,
    });
    Table { entries }
}

fn node(source: &Arc<SourceText>, value: Spanned<DeValue<'_>>) -> Node {
    let range = source.range(value.span());
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        // As written, without the underscores that group digits.
        DeValue::Integer(number) => Value::Number(number.to_string()),
        DeValue::Float(number) => Value::Number(number.to_string()),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Datetime(moment) => Value::Moment(moment.to_string()),
        DeValue::Array(nodes) => {
            Value::List(nodes.into_iter().map(|value| node(source, value)).collect())
        }
        DeValue::Table(inner) => Value::Table(table(source, inner)),
    };
    Node { place: Place::File(range), value }
}

/// A break of the grammar, with what helps most often.
fn grammar(source: &Arc<SourceText>, error: &toml::de::Error) -> Diagnostic {
    let message = error.message();
    let range = error.span().unwrap_or(0..0);
    if message.starts_with("duplicate key") {
        let twice = source.range(range.clone());
        let title = format!("`{}` is written twice", twice.text());
        let found = Diagnostic::error(codes::NOT_TOML, title).at(twice, "once more here");
        return found.fix("keep one of them; for several of a kind use [[double brackets]]");
    }
    let range = source.range(start_in_line(source, range));
    let fix = advice(&range, message);
    Diagnostic::error(codes::NOT_TOML, format!("this is not TOML: {message}"))
        .at(range, "here")
        .fix(fix)
}

/// An error at the end of a line may be placed behind the line break: it belongs to the line.
fn start_in_line(source: &Arc<SourceText>, range: Range<usize>) -> Range<usize> {
    let text = &source.text.as_bytes()[..range.start.min(source.text.len())];
    let behind = text.iter().rev().take_while(|byte| **byte == b'\n' || **byte == b'\r').count();
    let start = range.start - behind;
    if behind > 0 && range.start >= source.text.len() { start..start } else { range }
}

fn advice(range: &TextRange, message: &str) -> String {
    let line = range.source.line(range.place().0);
    let quotes = line.matches('"').count();
    let fix = if message.contains("must be quoted") {
        "put texts in quotation marks: KEY = \"VALUE\""
    } else if message.contains("string") || quotes % 2 == 1 {
        "close the text with a quotation mark"
    } else if message.contains("array") {
        "close the list with `]`, and put commas between its values"
    } else if message.contains("inline table") {
        "close the table with `}`, and put commas between its values"
    } else if message.contains("table") {
        "close the heading with `]`, or `]]` where it began with two"
    } else if message.contains("key with no value") || !line.contains('=') {
        "write KEY = VALUE, [HEADING], or # before a comment"
    } else {
        "one KEY = VALUE a line; texts and numbers with units stand in quotation marks"
    };
    fix.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Table {
        read(&SourceText::new("a.toml", text)).expect("this is TOML")
    }

    #[test]
    fn keys_keep_their_order_and_numbers_their_text() {
        let table = parsed("z = 1_000.50\na = 0.1\nm = \"x\"\n");
        let keys: Vec<_> = table.entries.iter().map(|entry| &*entry.key).collect();
        assert_eq!(keys, ["z", "a", "m"]);
        assert_eq!(table.get("z").unwrap().node.value, Value::Number("1000.50".into()));
        assert_eq!(table.get("a").unwrap().node.value, Value::Number("0.1".into()));
        assert_eq!(table.get("a").unwrap().node.place.origin(), "a.toml:2:5");
    }

    #[test]
    fn every_break_of_the_grammar_is_found_in_one_pass() {
        let source = SourceText::new("a.toml", "a = \"x\nb = 1\nc 2\nd = [1 2]\nd = 3\n");
        let found = read(&source).unwrap_err();
        let lines = found.sorted().into_iter().map(|it| it.spots[0].at.clone());
        let lines: Vec<_> =
            lines.map(|at| matches!(at, At::Text(range) if range.start < 17)).collect();
        assert_eq!(lines, [true, true], "the open quotation mark and the missing equals sign");
    }

    #[test]
    fn a_value_from_outside_needs_no_quotation_marks() {
        let place = Place::Env("TSE_RUN__NAME".into());
        assert_eq!(read_value("7", &place).value, Value::Plain("7".into()));
        assert_eq!(read_value("mm", &place).value, Value::Plain("mm".into()));
        assert_eq!(read_value("\"mm\"", &place).value, Value::Text("mm".into()));
        let Value::Table(table) = read_value("{ low = \"1ms\" }", &place).value else {
            panic!("a table");
        };
        assert_eq!(table.get("low").unwrap().node.place, place);
        assert_eq!(read_value("[1, ", &place).value, Value::Plain("[1, ".into()));
    }
}
