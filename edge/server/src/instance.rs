//! What an instance of the service is called.
//!
//! A name is kept as it was given, for people; lower-cased it is canonical, for hosts, schemas and discovery. Whether
//! two live instances share one is for discovery to find out.

use std::fmt;

/// The longest name.
const LENGTH_MAX: usize = 63;

/// The name of an instance: 1 to 63 letters, digits and hyphens, a letter or digit at both ends.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Instance(String);

/// Why a text is no instance's name.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BadInstance {
    /// It is empty or too long.
    #[error("has {0} characters; 1 to {LENGTH_MAX} are taken")]
    Length(usize),
    /// Something else than letters, digits and hyphens.
    #[error("has `{0}` in it; letters, digits and hyphens are taken")]
    Character(char),
    /// A hyphen at an end.
    #[error("begins or ends with a hyphen")]
    Hyphen,
    /// A capital letter where only small ones are taken.
    #[error("has a capital `{0}` in it, and INSTANCE_NAME_STRICT_DNS takes none")]
    Capital(char),
}

impl Instance {
    /// Takes a name; with `strict_dns`, small letters only.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(name: &str, strict_dns: bool) -> Result<Self, BadInstance> {
        let length = name.chars().count();
        if !(1..=LENGTH_MAX).contains(&length) {
            return Err(BadInstance::Length(length));
        }
        if let Some(wrong) = name.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
            return Err(BadInstance::Character(wrong));
        }
        if name.starts_with('-') || name.ends_with('-') {
            return Err(BadInstance::Hyphen);
        }
        match name.chars().find(char::is_ascii_uppercase) {
            Some(capital) if strict_dns => Err(BadInstance::Capital(capital)),
            _ => Ok(Self(name.to_owned())),
        }
    }

    /// As it was given: for health, logs, labels and namespaces.
    pub fn display_name(&self) -> &str {
        &self.0
    }

    /// In small letters: for host names, schemas and discovery.
    pub fn canonical(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Whether the two differ, which deserves a notice.
    pub fn has_capitals(&self) -> bool {
        self.0.chars().any(|c| c.is_ascii_uppercase())
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m120_11_names_with_capitals_are_taken_and_known_by_their_canonical_form() {
        for (name, canonical) in [
            ("trading-system-engine", "trading-system-engine"),
            ("trading-system-engine-LH", "trading-system-engine-lh"),
            ("trading-system-engine-Alpha-2", "trading-system-engine-alpha-2"),
            ("a", "a"),
            ("7", "7"),
            (&"x".repeat(63), &"x".repeat(63)),
        ] {
            let it = Instance::new(name, false).unwrap();
            assert_eq!((it.display_name(), it.canonical().as_str()), (name, canonical));
            assert_eq!(it.has_capitals(), name != canonical);
        }
    }

    #[test]
    fn m120_11_what_is_no_name_is_refused_with_its_reason() {
        for (name, strict, why) in [
            ("", false, BadInstance::Length(0)),
            (&*"x".repeat(64), false, BadInstance::Length(64)),
            ("-a", false, BadInstance::Hyphen),
            ("a-", false, BadInstance::Hyphen),
            ("a_b", false, BadInstance::Character('_')),
            ("a b", false, BadInstance::Character(' ')),
            ("ä", false, BadInstance::Character('ä')),
            ("a.b", false, BadInstance::Character('.')),
            ("a-LH", true, BadInstance::Capital('L')),
        ] {
            assert_eq!(Instance::new(name, strict), Err(why), "{name}");
        }
        assert!(Instance::new("a-lh", true).is_ok());
    }
}
