//! Values of a config that have the type their key declares, each with its place.
//!
//! Made by [`read`](super::read), used by [`build`](super::build). Asking for a key that its section
//! does not declare, or as another type, is a bug and panics: the first test finds it.

use super::keys::{Key, Section};
use super::scalar::{show_date, show_span};
use super::tree::{Place, Table};
use tse_data::Date;
use tse_model::{Decimal, Span, Timestamp};

/// A value and where it comes from.
#[derive(Clone, Debug)]
pub struct Seen<T> {
    /// Where.
    pub place: Place,
    /// What.
    pub value: T,
}

impl<T> Seen<T> {
    /// Another value from the same place.
    pub fn map<U>(self, with: impl FnOnce(T) -> U) -> Seen<U> {
        Seen { place: self.place, value: with(self.value) }
    }
}

/// A value of a declared type.
#[derive(Clone, Debug)]
pub enum Checked {
    /// Text, a name, a symbol, a path.
    Text(String),
    /// A whole number.
    Whole(i64),
    /// An exact decimal.
    Decimal(Decimal),
    /// A length of time.
    Time(Span),
    /// A point in time.
    Moment(Timestamp),
    /// A day.
    Date(Date),
    /// True or false.
    Flag(bool),
    /// One of the declared words.
    Word(&'static str),
    /// Several.
    List(Vec<Seen<Self>>),
    /// Names of the user's own.
    Map(Vec<(Seen<String>, Seen<Self>)>),
    /// A table.
    Section(Fields),
    /// What its strategy declares.
    Params(Table),
}

/// The fields of a section, in the order of the declaration.
#[derive(Clone, Debug)]
pub struct Fields {
    /// Which section.
    pub section: &'static Section,
    /// Its heading, or the table as a whole.
    pub place: Place,
    /// What is there and right, defaults included.
    pub fields: Vec<Field>,
    /// Whether something in it is wrong. What depends on all of it is better left alone.
    pub broken: bool,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub struct Field {
    /// Which.
    pub key: &'static Key,
    /// Where the key stands.
    pub key_place: Place,
    /// The value.
    pub seen: Seen<Checked>,
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident: $variant:ident -> $type:ty;)*) => {
        $($(#[$doc])*
        ///
        /// # Panics
        /// If it is declared otherwise.
        pub fn $name(&self, key: &str) -> Option<Seen<$type>> {
            let field = self.get(key)?;
            match &field.seen.value {
                Checked::$variant(value) => {
                    Some(Seen { place: field.seen.place.clone(), value: value.clone() })
                }
                other => panic!("{}.{key} is {other:?}", self.section.name),
            }
        })*
    };
}

impl Fields {
    /// The field called `key`; `None` if it was not given and has no default, or was wrong.
    ///
    /// # Panics
    /// If the section does not declare it.
    pub fn get(&self, key: &str) -> Option<&Field> {
        assert!(self.section.key(key).is_some(), "[{}] declares no {key}", self.section.name);
        self.fields.iter().find(|field| field.key.name == key)
    }

    /// Whether somebody set it.
    pub fn is_set(&self, key: &str) -> bool {
        self.get(key).is_some_and(|field| field.seen.place != Place::Default)
    }

    getters! {
        /// A text, name, symbol or path.
        text: Text -> String;
        /// A whole number.
        whole: Whole -> i64;
        /// An exact decimal.
        decimal: Decimal -> Decimal;
        /// A length of time.
        time: Time -> Span;
        /// A point in time.
        moment: Moment -> Timestamp;
        /// A day.
        date: Date -> Date;
        /// True or false.
        flag: Flag -> bool;
        /// One of the declared words.
        word: Word -> &'static str;
        /// Several values.
        list: List -> Vec<Seen<Checked>>;
        /// Names of the user's own and their values.
        map: Map -> Vec<(Seen<String>, Seen<Checked>)>;
        /// What its strategy declares.
        params: Params -> Table;
    }

    /// A table.
    ///
    /// # Panics
    /// If it is declared otherwise.
    pub fn section(&self, key: &str) -> Option<&Self> {
        match &self.get(key)?.seen.value {
            Checked::Section(fields) => Some(fields),
            other => panic!("{}.{key} is {other:?}", self.section.name),
        }
    }

    /// Several tables; none if there are none.
    ///
    /// # Panics
    /// If they are declared otherwise.
    pub fn sections(&self, key: &str) -> Vec<&Self> {
        let Some(field) = self.get(key) else { return Vec::new() };
        let Checked::List(all) = &field.seen.value else {
            panic!("{}.{key} is {:?}", self.section.name, field.seen.value)
        };
        let section = |seen: &'_ Seen<Checked>| match &seen.value {
            Checked::Section(_) => (),
            other => panic!("{}.{key} has {other:?}", self.section.name),
        };
        all.iter().for_each(section);
        all.iter()
            .filter_map(|seen| match &seen.value {
                Checked::Section(fields) => Some(fields),
                _ => None,
            })
            .collect()
    }

    /// Texts of a list.
    pub fn texts(&self, key: &str) -> Option<Vec<Seen<String>>> {
        Some(self.list(key)?.value.into_iter().map(|seen| seen.map(Checked::into_text)).collect())
    }
}

impl Checked {
    /// A text or word.
    ///
    /// # Panics
    /// If it is neither.
    pub fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Word(word) => word.to_owned(),
            other => panic!("a text, not {other:?}"),
        }
    }

    /// As it would be written.
    pub fn toml(&self) -> String {
        let quote = |text: &str| format!("{text:?}");
        match self {
            Self::Text(text) => quote(text),
            Self::Word(word) => quote(word),
            Self::Whole(n) => n.to_string(),
            Self::Decimal(value) => quote(&value.to_string()),
            Self::Time(span) => quote(&show_span(*span)),
            Self::Moment(moment) => quote(&moment.to_string()),
            Self::Date(date) => quote(&show_date(*date)),
            Self::Flag(value) => value.to_string(),
            Self::List(all) => {
                let all: Vec<_> = all.iter().map(|seen| seen.value.toml()).collect();
                format!("[{}]", all.join(", "))
            }
            Self::Map(all) => {
                let pair = |(name, seen): &(Seen<String>, Seen<Self>)| {
                    format!("{} = {}", toml_key(&name.value), seen.value.toml())
                };
                format!("{{ {} }}", all.iter().map(pair).collect::<Vec<_>>().join(", "))
            }
            Self::Section(fields) => {
                let pair =
                    |field: &Field| format!("{} = {}", field.key.name, field.seen.value.toml());
                format!("{{ {} }}", fields.fields.iter().map(pair).collect::<Vec<_>>().join(", "))
            }
            Self::Params(_) => "{ }".to_owned(),
        }
    }
}

/// A key as it would be written: bare where that is possible.
pub fn toml_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { format!("{key:?}") }
}
