//! Single values of the environment, and what is wrong with them.

use super::{LogLevel, Tls};
use crate::instance::Instance;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tse_storage::Secret;

/// A variable that cannot be meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadVariable {
    /// Which.
    pub name: String,
    /// What it was set to.
    pub given: String,
    /// What is wrong with that.
    pub why: String,
    /// What to write instead.
    pub fix: String,
}

impl fmt::Display for BadVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, given, why, fix } = self;
        write!(f, "{name}={given}: {why}; fix: {fix}")
    }
}

/// Variables by name, and everything that was found wrong with them.
#[derive(Debug, Default)]
pub struct Variables {
    values: BTreeMap<String, String>,
    wrong: Vec<BadVariable>,
}

impl Variables {
    /// Of pairs; later ones win.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let upper = |(name, value): (String, String)| (name.to_ascii_uppercase(), value);
        Self { values: pairs.into_iter().map(upper).collect(), wrong: Vec::new() }
    }

    /// Of the file `.env` in `folder`, if there is one, and `environment` over it.
    ///
    /// # Errors
    /// A file that cannot be read, or each line of it that cannot.
    pub fn read(
        folder: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Vec<BadVariable>> {
        let path = folder.join(".env");
        let (mut pairs, mut wrong) = (Vec::new(), Vec::new());
        if path.exists() {
            let mut bad = |at: String, why: String| {
                let name = ".env".to_owned();
                let fix = "NAME=VALUE, a line each".to_owned();
                wrong.push(BadVariable { name, given: at, why, fix });
            };
            let place = path.display();
            match std::fs::read_to_string(&path) {
                Err(error) => bad(place.to_string(), error.to_string()),
                Ok(text) => {
                    let mut lines = text.lines().enumerate();
                    for pair in dotenvy::from_read_iter(text.as_bytes()) {
                        match pair {
                            Ok(pair) => pairs.push(pair),
                            // The parser's own words quote the line, which may hold a secret.
                            Err(dotenvy::Error::LineParse(line, at)) => {
                                // It gives the text back and not its place, and more than a line where a quote is open.
                                let first = line.lines().next().unwrap_or_default().trim_end();
                                let found = lines.find(|(_, it)| it.trim_end() == first);
                                let at_line = found.map(|(number, _)| format!(":{}", number + 1));
                                let why = format!("no NAME=VALUE, near its character {at}");
                                bad(format!("{place}{}", at_line.unwrap_or_default()), why);
                            }
                            Err(_) => bad(place.to_string(), "it cannot be read".to_owned()),
                        }
                    }
                }
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        pairs.extend(environment);
        Ok(Self::new(pairs))
    }

    /// All of them, by name in capitals.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Says that a variable cannot be meant.
    pub fn wrong(&mut self, name: &str, given: &str, why: impl ToString, fix: &str) {
        let (name, given, why, fix) = (name.into(), given.into(), why.to_string(), fix.into());
        self.wrong.push(BadVariable { name, given, why, fix });
    }

    /// The settings, unless something was wrong.
    ///
    /// # Errors
    /// Everything that was.
    pub fn done<T>(self, settings: T) -> Result<T, Vec<BadVariable>> {
        if self.wrong.is_empty() { Ok(settings) } else { Err(self.wrong) }
    }

    /// A value; an empty one is none.
    pub fn maybe(&self, name: &str) -> Option<String> {
        let value = self.values.get(name).map(|value| value.trim());
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    }

    /// The first of some names that has a value.
    pub fn first(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.maybe(name))
    }

    pub(super) fn text(&self, names: &[&str], default: &str) -> String {
        self.first(names).unwrap_or_else(|| default.to_owned())
    }

    /// A value that nobody may see; a file that `NAME_FILE` names holds it as well.
    pub(super) fn secret(&mut self, name: &str) -> Option<Secret> {
        if let Some(value) = self.maybe(name) {
            return Some(Secret::new(value));
        }
        let file = format!("{name}_FILE");
        let path = self.maybe(&file)?;
        match std::fs::read_to_string(&path) {
            Ok(text) => Some(Secret::new(text.trim())),
            Err(error) => {
                self.wrong(&file, &path, error, "the path of a file that can be read");
                None
            }
        }
    }

    pub(super) fn flag(&mut self, name: &str, default: bool) -> bool {
        let Some(value) = self.maybe(name) else { return default };
        match value.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => true,
            "false" | "0" | "no" | "off" => false,
            _ => {
                self.wrong(name, &value, "neither true nor false", &format!("{name}={default}"));
                default
            }
        }
    }

    pub(super) fn maybe_word<T: Copy>(
        &mut self,
        name: &str,
        words: &[(&'static str, T)],
    ) -> Option<T> {
        let value = self.maybe(name)?;
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&value));
        if found.is_none() {
            let known = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            let fix = format!("{name}={}", words[0].0);
            self.wrong(name, &value, format!("there are {known}"), &fix);
        }
        found.map(|(_, value)| *value)
    }

    pub(super) fn word<T: Copy>(
        &mut self,
        name: &str,
        words: &[(&'static str, T)],
        default: T,
    ) -> T {
        self.maybe_word(name, words).unwrap_or(default)
    }

    pub(super) fn level(&mut self, names: &[&str]) -> LogLevel {
        let name = names.iter().find(|name| self.maybe(name).is_some());
        let level = name.and_then(|name| self.maybe_word(name, LogLevel::WORDS));
        level.unwrap_or_default()
    }

    pub(super) fn port(&mut self, names: &[&str], default: u16) -> u16 {
        let Some(name) = names.iter().find(|name| self.maybe(name).is_some()) else {
            return default;
        };
        let value = self.maybe(name).unwrap_or_default();
        match value.parse() {
            Ok(0) | Err(_) => {
                let fix = format!("{name}={default}");
                self.wrong(name, &value, "no port: a whole number from 1 to 65535", &fix);
                default
            }
            Ok(port) => port,
        }
    }

    pub(super) fn count(&mut self, name: &str, default: usize) -> usize {
        let Some(value) = self.maybe(name) else { return default };
        match value.parse() {
            Ok(count @ 1..=1_000_000) => count,
            _ => {
                let fix = format!("{name}={default}");
                self.wrong(name, &value, "no whole number from 1 to 1000000", &fix);
                default
            }
        }
    }

    pub(super) fn seconds(&mut self, name: &str, default: f64) -> Duration {
        let value = self.maybe(name);
        let seconds = value.as_deref().map_or(Ok(default), str::parse);
        match seconds {
            Ok(seconds) if (1e-3..=86_400.0).contains(&seconds) => Duration::from_secs_f64(seconds),
            _ => {
                let fix = format!("{name}={default}");
                let given = value.unwrap_or_default();
                self.wrong(name, &given, "no seconds from 0.001 to 86400", &fix);
                Duration::from_secs_f64(default)
            }
        }
    }

    pub(super) fn host(&mut self, name: &str, default: IpAddr) -> IpAddr {
        let Some(value) = self.maybe(name) else { return default };
        if value.eq_ignore_ascii_case("localhost") {
            return default;
        }
        value.parse().unwrap_or_else(|_| {
            self.wrong(name, &value, "no address", "HOST=127.0.0.1, or HOST=0.0.0.0 for all");
            default
        })
    }

    pub(super) fn list(&self, name: &str) -> Vec<String> {
        let value = self.maybe(name).unwrap_or_default();
        let parts = value.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    }

    pub(super) fn instance(&mut self, service: &str, strict: bool) -> Instance {
        let given = self.maybe("SERVICE_INSTANCE_NAME");
        let name = if given.is_some() { "SERVICE_INSTANCE_NAME" } else { "SERVICE_NAME" };
        let value = given.unwrap_or_else(|| service.to_owned());
        Instance::new(&value, strict).unwrap_or_else(|why| {
            self.wrong(name, &value, why, &format!("{name}=trading-system-engine"));
            Instance::new("trading-system-engine", true).expect("that is a name")
        })
    }

    pub(super) fn tls(&mut self) -> Option<Tls> {
        match (self.maybe("TLS_CERT_FILE"), self.maybe("TLS_KEY_FILE")) {
            (Some(certificate), Some(key)) => {
                Some(Tls { certificate: PathBuf::from(certificate), key: PathBuf::from(key) })
            }
            (Some(given), None) => {
                self.wrong("TLS_CERT_FILE", &given, "it needs TLS_KEY_FILE as well", "name both");
                None
            }
            (None, Some(given)) => {
                self.wrong("TLS_KEY_FILE", &given, "it needs TLS_CERT_FILE as well", "name both");
                None
            }
            (None, None) => None,
        }
    }
}
