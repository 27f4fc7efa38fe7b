//! What must not be printed: passwords, and URLs that have one in them.

use crate::{Result, StorageError};
use std::fmt;

/// What stands in place of a password.
const MASK: &str = "***";

/// A password. It can be used and not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps one.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The password itself, for whoever must send it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Where a store is reached. It is printed without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct StoreUrl(String);

impl StoreUrl {
    /// Reads a URL. A `+driver` in its scheme, as Python has it, is taken away.
    ///
    /// # Errors
    /// It has no scheme, or one of a store that is not known here. The URL is not repeated.
    pub fn parse(url: &str) -> Result<Self> {
        let wrong = |why: &str| StorageError::invalid("the URL of a store", why);
        let (scheme, rest) =
            url.trim().split_once("://").ok_or_else(|| wrong("does not begin with `scheme://`"))?;
        let scheme = scheme.split('+').next().unwrap_or_default().to_ascii_lowercase();
        let scheme = match scheme.as_str() {
            "postgres" | "postgresql" => "postgresql",
            "redis" | "rediss" | "sqlite" => scheme.as_str(),
            _ => return Err(wrong("is of none of postgresql, redis, rediss, sqlite")),
        };
        if rest.is_empty() || rest.chars().any(char::is_control) {
            return Err(wrong("says nothing that can be used after its scheme"));
        }
        Ok(Self(format!("{scheme}://{rest}")))
    }

    /// What kind of store it is.
    pub fn scheme(&self) -> &str {
        self.0.split("://").next().unwrap_or_default()
    }

    /// The URL with its password, for whoever must connect.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        write!(f, "{scheme}://")?;
        // A password may itself have an @ in it, or a slash: the last @ before the query ends it.
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(a, b)| (a, Some(b)));
        match rest.rsplit_once('@') {
            Some((who, place)) => match who.split_once(':') {
                Some((user, _)) => write!(f, "{user}:{MASK}@{place}")?,
                None => write!(f, "{who}@{place}")?,
            },
            None => f.write_str(rest)?,
        }
        for (n, pair) in query.into_iter().flat_map(|query| query.split('&')).enumerate() {
            f.write_str(if n == 0 { "?" } else { "&" })?;
            match pair.split_once('=') {
                Some((key, _)) if key.to_ascii_lowercase().contains("pass") => {
                    write!(f, "{key}={MASK}")?;
                }
                _ => f.write_str(pair)?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_is_stripped_and_a_password_is_not_shown() {
        for (given, shown) in [
            ("postgresql+asyncpg://u:canary@h:5432/db", "postgresql://u:***@h:5432/db"),
            (
                "postgres://u:canary@canary@h/db?sslmode=disable",
                "postgresql://u:***@h/db?sslmode=disable",
            ),
            ("postgres://u:can/ary@h/db", "postgresql://u:***@h/db"),
            ("postgres://h/db?user=u&password=canary", "postgresql://h/db?user=u&password=***"),
            ("redis://:canary@h:6379/0", "redis://:***@h:6379/0"),
            ("redis://h", "redis://h"),
            ("sqlite:///var/lib/tse/store.db", "sqlite:///var/lib/tse/store.db"),
        ] {
            let url = StoreUrl::parse(given).expect("a URL");
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?} {url:#?}").matches("canary").count(), 0);
            assert_eq!(url.expose().contains("canary"), given.contains("canary"));
        }
        assert_eq!(format!("{:?} {}", Secret::new("canary"), Secret::new("canary")), "*** ***");
    }

    #[test]
    fn what_is_wrong_is_said_without_the_url() {
        for wrong in ["canary", "mysql://u:canary@h", "postgres://", "redis://u:can\nary@h"] {
            let said = StoreUrl::parse(wrong).expect_err("wrong");
            assert_eq!(said.code(), "TSE-P003");
            assert!(!format!("{said} {said:?}").contains("ary"), "{said:?}");
        }
    }
}
