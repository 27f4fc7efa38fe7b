//! Which schema and which namespace an instance has, so that several share one server (spec 2.4).
//!
//! Two texts go in, the names of the service and of its instance. Whether an instance may be called so is
//! the service's to say.

use crate::{Result, StorageError};
use std::fmt;

/// The longest name that PostgreSQL keeps whole, in bytes.
const SCHEMA_MAX: usize = 63;
/// The longest namespace, in bytes.
const NAMESPACE_MAX: usize = 128;

/// The name of a schema: lower-case letters, digits and underscores, no digit first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Schema(String);

impl Schema {
    /// Reads a name.
    ///
    /// # Errors
    /// It is none.
    pub fn new(name: &str) -> Result<Self> {
        let fits = |(at, letter): (usize, char)| match letter {
            'a'..='z' | '_' => true,
            '0'..='9' => at > 0,
            _ => false,
        };
        if name.is_empty() || name.len() > SCHEMA_MAX || !name.char_indices().all(fits) {
            let why = format!(
                "is not of 1 to {SCHEMA_MAX} lower-case letters, digits and underscores with no digit first: `{name}`"
            );
            return Err(StorageError::invalid("the name of a schema", why));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it is written in SQL.
    pub(crate) fn quoted(&self) -> String {
        // No name of a schema has a quote in it; this holds if that changes.
        format!("\"{}\"", self.0.replace('"', "\"\""))
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands before every key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Namespace(String);

impl Namespace {
    /// Reads a name.
    ///
    /// # Errors
    /// It is none: of letters, digits and `_ : . -`, nothing that a pattern would take for more.
    pub fn new(name: &str) -> Result<Self> {
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "_:.-".contains(letter);
        let edge = name.starts_with(':') || name.ends_with(':');
        if name.is_empty() || name.len() > NAMESPACE_MAX || edge || !name.chars().all(fits) {
            let why = format!(
                "is not of 1 to {NAMESPACE_MAX} letters, digits and `_`, `.`, `-`, with colons within: `{name}`"
            );
            return Err(StorageError::invalid("a namespace", why));
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an instance keeps its rows and its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// In PostgreSQL.
    pub schema: Schema,
    /// In Redis.
    pub namespace: Namespace,
}

impl Place {
    /// Where an instance of a service has its place. No instance, or one that is called as the service, is
    /// the only one.
    ///
    /// # Errors
    /// The names give none: it must be said explicitly then.
    pub fn of(
        service: &str,
        instance: &str,
        schema: Option<&str>,
        namespace: Option<&str>,
    ) -> Result<Self> {
        let schema = schema.map_or_else(|| derive_schema(service, instance), str::to_owned);
        let namespace =
            namespace.map_or_else(|| derive_namespace(service, instance), str::to_owned);
        Ok(Self { schema: Schema::new(&schema)?, namespace: Namespace::new(&namespace)? })
    }
}

fn is_alone(service: &str, instance: &str) -> bool {
    instance.is_empty() || instance.eq_ignore_ascii_case(service)
}

fn first_word(service: &str) -> String {
    service.split('-').next().unwrap_or_default().to_ascii_lowercase()
}

fn derive_schema(service: &str, instance: &str) -> String {
    if is_alone(service, instance) {
        return first_word(service);
    }
    instance.to_ascii_lowercase().replace('-', "_")
}

fn derive_namespace(service: &str, instance: &str) -> String {
    if is_alone(service, instance) {
        return first_word(service);
    }
    let mut parts = instance.splitn(3, '-');
    let (Some(first), Some(second), Some(third)) = (parts.next(), parts.next(), parts.next())
    else {
        return instance.replace('-', "_");
    };
    // Of `trading-system-engine` the service's own word is `engine`: it says nothing of the instance.
    let own = service.splitn(3, '-').nth(2).unwrap_or_default();
    let suffix = match third.split_at_checked(own.len()) {
        Some((word, rest)) if !own.is_empty() && word.eq_ignore_ascii_case(own) => {
            rest.strip_prefix('-').filter(|rest| !rest.is_empty()).unwrap_or(third)
        }
        _ => third,
    };
    format!("{first}_{second}:{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE: &str = "trading-system-engine";

    #[test]
    fn an_instance_has_the_schema_and_namespace_of_the_table() {
        for (instance, schema, namespace) in [
            ("", "trading", "trading"),
            ("trading-system-engine", "trading", "trading"),
            ("Trading-System-Engine", "trading", "trading"),
            ("trading-system-engine-LH", "trading_system_engine_lh", "trading_system:LH"),
            ("trading-system-engine-Alpha", "trading_system_engine_alpha", "trading_system:Alpha"),
            (
                "trading-system-engine-Alpha-2",
                "trading_system_engine_alpha_2",
                "trading_system:Alpha-2",
            ),
            ("trading-engine-lh", "trading_engine_lh", "trading_engine:lh"),
            ("trading-lh", "trading_lh", "trading_lh"),
            ("trading-system-LH", "trading_system_lh", "trading_system:LH"),
            ("trading-system-engineer", "trading_system_engineer", "trading_system:engineer"),
        ] {
            let place = Place::of(SERVICE, instance, None, None).expect("a place");
            assert_eq!(place.schema.as_str(), schema, "{instance}");
            assert_eq!(place.namespace.as_str(), namespace, "{instance}");
        }
    }

    #[test]
    fn what_is_said_explicitly_wins() {
        let place = Place::of(SERVICE, "x-LH", Some("other"), Some("trading:lh")).expect("a place");
        assert_eq!((place.schema.as_str(), place.namespace.as_str()), ("other", "trading:lh"));
    }

    #[test]
    fn what_would_not_be_a_name_is_refused() {
        let long = "a".repeat(64);
        for wrong in ["", "1st", "Trading", "a-b", "a b", "a\"b", "a;drop", "ü", &long] {
            assert!(Schema::new(wrong).is_err(), "{wrong}");
        }
        assert!(Schema::new(&"a".repeat(63)).is_ok());
        for wrong in ["", ":", "a:", "a*", "a?", "a[b]", "a b", "ü", &"a".repeat(129)] {
            assert!(Namespace::new(wrong).is_err(), "{wrong}");
        }
        assert!(Place::of(SERVICE, "2nd-instance", None, None).is_err());
    }
}
