//! Who may do what over the network: tokens, as a file lists them by their hashes.
//!
//! A token is 32 random bytes; the file knows only its SHA-256, which is enough for something that nobody can guess.
//! The first run makes the file, and one token that may do everything, in a file of its own beside it. Both are for
//! their owner alone to read.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use subtle::ConstantTimeEq;

use tse_storage::Secret;

/// What a token may do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Scope {
    /// To see how things stand.
    #[serde(rename = "read")]
    Read,
    /// To start and stop strategies where nothing real is at stake.
    #[serde(rename = "trade:paper")]
    TradePaper,
    /// The same where money is.
    #[serde(rename = "trade:live")]
    TradeLive,
    /// To bring strategies.
    #[serde(rename = "strategy:deploy")]
    StrategyDeploy,
    /// To change limits.
    #[serde(rename = "risk:limits")]
    RiskLimits,
    /// To cut trading back.
    #[serde(rename = "kill")]
    Kill,
    /// To let it go on.
    #[serde(rename = "rearm")]
    Rearm,
    /// Everything.
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::TradePaper,
        Self::TradeLive,
        Self::StrategyDeploy,
        Self::RiskLimits,
        Self::Kill,
        Self::Rearm,
        Self::Admin,
    ];

    /// As it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::TradePaper => "trade:paper",
            Self::TradeLive => "trade:live",
            Self::StrategyDeploy => "strategy:deploy",
            Self::RiskLimits => "risk:limits",
            Self::Kill => "kill",
            Self::Rearm => "rearm",
            Self::Admin => "admin",
        }
    }

    /// The one that is written so.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

/// As what somebody decides; what each may decide is the engine's rule (docs/risk.md).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Who trades.
    #[default]
    Trader,
    /// Who answers for risk.
    Risk,
    /// Who owns the account.
    Owner,
}

impl Role {
    /// As the engine is told.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trader => "trader",
            Self::Risk => "risk",
            Self::Owner => "owner",
        }
    }
}

/// One line of the file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
    /// Whose it is; what they do is recorded under that.
    pub name: String,
    /// The token's SHA-256, in hexadecimal.
    pub sha256: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// As what its holder decides.
    #[serde(default)]
    pub role: Role,
    /// Until when it is good, as RFC 3339; for ever without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<jiff::Timestamp>,
}

impl Holder {
    /// Whether it may do that.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
    }
}

/// The file.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// Every token.
    #[serde(default)]
    token: Vec<Holder>,
}

/// Why a file of tokens cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The system refuses.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// Others may read it.
    #[error("others may read {}: chmod 600 {}", .0.display(), .0.display())]
    Open(PathBuf),
    /// It is not as it should be.
    #[error("{}: {what}", path.display())]
    Wrong {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

const HEAD: &str = "# Who may do what over the network: a token each, as its SHA-256. `tse token add` adds one.\n\n";

impl Tokens {
    /// The file's, which is made with one token that may do everything where there is none yet; that token is left in
    /// the file `token` beside it. The second is whether it was made.
    ///
    /// # Errors
    /// A file that cannot be used. Then nobody may do anything.
    pub fn open(path: &Path) -> Result<(Self, bool), TokenError> {
        if path.exists() {
            return Ok((Self::read(path)?, false));
        }
        let mut tokens = Self::default();
        let token = fresh(path)?;
        tokens.add("owner", &token, Scope::Admin, Role::Owner);
        let beside = path.with_file_name("token");
        // The token first: a file of tokens without it would lock everybody out.
        write(&beside, &format!("{}\n", token.expose()))?;
        tokens.write(path)?;
        Ok((tokens, true))
    }

    fn add(&mut self, name: &str, token: &Secret, scope: Scope, role: Role) {
        self.token.push(Holder {
            name: name.to_owned(),
            sha256: hash(token.expose()),
            scopes: vec![scope],
            role,
            expires: None,
        });
    }

    /// Adds a holder of a new token, which is given back, and never again.
    ///
    /// # Errors
    /// A name that is there already, or a file that cannot be written.
    pub fn issue(path: &Path, mut holder: Holder) -> Result<Secret, TokenError> {
        let (mut tokens, _) = Self::open(path)?;
        let wrong = |what: String| TokenError::Wrong { path: path.to_owned(), what };
        if tokens.token.iter().any(|it| it.name == holder.name) {
            return Err(wrong(format!("there is a token for `{}` already", holder.name)));
        }
        let token = fresh(path)?;
        holder.sha256 = hash(token.expose());
        tokens.token.push(holder);
        tokens.check().map_err(wrong)?;
        tokens.write(path)?;
        Ok(token)
    }

    /// The file's, as it is.
    ///
    /// # Errors
    /// A file that is not there, or cannot be used.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let io = |doing| move |source| TokenError::Io { doing, path: path.to_owned(), source };
        let mode = std::fs::metadata(path).map_err(io("look at"))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(TokenError::Open(path.to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(io("read"))?;
        let wrong = |what: String| TokenError::Wrong { path: path.to_owned(), what };
        let tokens: Self = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start].lines().count().max(1));
            wrong(format!("line {line}: {}", error.message()))
        })?;
        tokens.check().map_err(wrong)?;
        Ok(tokens)
    }

    fn check(&self) -> Result<(), String> {
        for (at, it) in self.token.iter().enumerate() {
            if it.name.trim().is_empty() || it.name.chars().any(char::is_control) {
                return Err("a token has no name".to_owned());
            }
            let is_hash = it.sha256.len() == 64 && it.sha256.bytes().all(|b| b.is_ascii_hexdigit());
            if !is_hash {
                return Err(format!("`{}`: sha256 is 64 hexadecimal digits", it.name));
            }
            if self.token[at + 1..].iter().any(|other| other.name == it.name) {
                return Err(format!("`{}` is there twice", it.name));
            }
        }
        Ok(())
    }

    fn write(&self, path: &Path) -> Result<(), TokenError> {
        let text = toml::to_string(self).expect("tokens are plain data");
        write(path, &format!("{HEAD}{text}"))
    }

    /// Everybody.
    pub fn holders(&self) -> &[Holder] {
        &self.token
    }

    /// Whose a token is, if it is good now. It takes as long for each that is not.
    pub fn holder(&self, token: &str, now: jiff::Timestamp) -> Option<&Holder> {
        let wanted = hash(token);
        let mut found = None;
        for it in &self.token {
            let same = it.sha256.to_ascii_lowercase().as_bytes().ct_eq(wanted.as_bytes());
            if bool::from(same) && it.expires.is_none_or(|until| now < until) {
                found = Some(it);
            }
        }
        found
    }
}

/// A file of tokens that may change while the service runs: it is looked at anew when it has.
pub struct TokenFile {
    path: PathBuf,
    known: Mutex<Known>,
}

/// What a file said when it was read last.
struct Known {
    changed: Option<SystemTime>,
    tokens: Tokens,
    wrong: Option<String>,
}

impl TokenFile {
    /// The one at `path`, made where there is none. The second is whether it was made.
    ///
    /// # Errors
    /// As for [`Tokens::open`].
    pub fn open(path: &Path) -> Result<(Self, bool), TokenError> {
        let (tokens, made) = Tokens::open(path)?;
        let known = Mutex::new(Known { changed: changed(path), tokens, wrong: None });
        Ok((Self { path: path.to_owned(), known }, made))
    }

    /// Whose a token is, if it is good now. Of a file that cannot be used any more nobody is.
    pub fn holder(&self, token: &str, now: jiff::Timestamp) -> Option<Holder> {
        self.newest().tokens.holder(token, now).cloned()
    }

    /// Why nobody has a good token, if the file cannot be used any more.
    pub fn wrong(&self) -> Option<String> {
        self.newest().wrong.clone()
    }

    fn newest(&self) -> MutexGuard<'_, Known> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = changed(&self.path);
        if changed != known.changed {
            let (tokens, wrong) = match Tokens::read(&self.path) {
                Ok(tokens) => (tokens, None),
                Err(error) => {
                    tracing::error!(%error, "nobody may do anything over the network");
                    (Tokens::default(), Some(error.to_string()))
                }
            };
            *known = Known { changed, tokens, wrong };
        }
        known
    }
}

/// When a file last changed; `None` if that cannot be told, as of one that is gone.
fn changed(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|it| it.modified()).ok()
}

/// A new token.
fn fresh(path: &Path) -> Result<Secret, TokenError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| TokenError::Io {
        doing: "find random bytes for",
        path: path.to_owned(),
        source: std::io::Error::other(error),
    })?;
    Ok(Secret::new(format!("tse_{}", hex(&bytes))))
}

fn hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a text takes what is written to it");
    }
    text
}

/// Writes a file for its owner alone, whole or not at all.
fn write(path: &Path, text: &str) -> Result<(), TokenError> {
    let io = |doing| move |source| TokenError::Io { doing, path: path.to_owned(), source };
    let new = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    options.create(true).write(true).truncate(true).mode(0o600);
    let mut file = options.open(&new).map_err(io("make"))?;
    file.set_permissions(PermissionsExt::from_mode(0o600)).map_err(io("close to others"))?;
    file.write_all(text.as_bytes()).map_err(io("write"))?;
    file.sync_all().map_err(io("write"))?;
    std::fs::rename(&new, path).map_err(io("put in its place"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> jiff::Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    #[test]
    fn the_first_run_leaves_a_token_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        let (tokens, made) = Tokens::open(&path).unwrap();
        assert!(made);
        let token = std::fs::read_to_string(folder.path().join("token")).unwrap();
        let owner = tokens.holder(token.trim(), now()).unwrap();
        assert!(Scope::ALL.into_iter().all(|scope| owner.may(scope)));
        assert!(!std::fs::read_to_string(&path).unwrap().contains(token.trim()));
        for name in ["token", "tokens.toml"] {
            let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        assert_eq!(Tokens::open(&path).unwrap(), (tokens, false));
    }

    #[test]
    fn a_holder_may_what_is_written_and_until_then() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        let holder = |name: &str, expires: Option<&str>| Holder {
            name: name.to_owned(),
            sha256: String::new(),
            scopes: vec![Scope::Read, Scope::Kill],
            role: Role::Trader,
            expires: expires.map(|at| at.parse().unwrap()),
        };
        let ann = Tokens::issue(&path, holder("ann", None)).unwrap();
        let bob = Tokens::issue(&path, holder("bob", Some("2026-01-01T00:00:01Z"))).unwrap();
        assert!(Tokens::issue(&path, holder("ann", None)).is_err(), "a name is taken once");
        let (tokens, _) = Tokens::open(&path).unwrap();
        let found = tokens.holder(ann.expose(), now()).unwrap();
        assert_eq!((found.name.as_str(), found.may(Scope::Kill)), ("ann", true));
        assert!(!found.may(Scope::Rearm) && !found.may(Scope::Admin));
        assert!(tokens.holder(bob.expose(), now()).is_some());
        let later = "2026-01-01T00:00:01Z".parse().unwrap();
        assert!(tokens.holder(bob.expose(), later).is_none(), "it has expired");
        for wrong in ["", "tse_", &ann.expose()[1..], &format!("{} ", ann.expose())] {
            assert!(tokens.holder(wrong, now()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_changes_counts_as_it_is_and_one_that_is_gone_lets_nobody_in() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        let (file, made) = TokenFile::open(&path).unwrap();
        assert!(made);
        let owner = std::fs::read_to_string(folder.path().join("token")).unwrap();
        assert!(file.holder(owner.trim(), now()).is_some());
        // A clock of files may be coarse: this one is not the same again.
        let later = |seconds| SystemTime::now() + std::time::Duration::from_secs(seconds);
        let touch = |at| {
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
        };
        let holder = Holder {
            name: "ann".to_owned(),
            sha256: String::new(),
            scopes: vec![Scope::Read],
            role: Role::Trader,
            expires: None,
        };
        let ann = Tokens::issue(&path, holder).unwrap();
        touch(later(10));
        assert_eq!(file.holder(ann.expose(), now()).unwrap().name, "ann");
        write(&path, "nonsense").unwrap();
        touch(later(20));
        assert!(file.holder(ann.expose(), now()).is_none());
        std::fs::remove_file(&path).unwrap();
        assert!(file.holder(owner.trim(), now()).is_none());
    }

    #[test]
    fn a_file_that_others_may_read_or_that_makes_no_sense_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        Tokens::open(&path).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(matches!(Tokens::open(&path), Err(TokenError::Open(_))));
        let hash = "0".repeat(64);
        for (text, part) in [
            ("token = 1", "line 1"),
            ("[[token]]\nname = \"a\"\nsha256 = \"00\"\nscopes = []", "64 hexadecimal"),
            (&format!("[[token]]\nname = \" \"\nsha256 = \"{hash}\"\nscopes = []"), "no name"),
            (
                &format!("[[token]]\nname = \"a\"\nsha256 = \"{hash}\"\nscopes = [\"all\"]"),
                "line 4",
            ),
            (
                &format!("[[token]]\nname = \"a\"\nsha256 = \"{hash}\"\nscopes = []\n").repeat(2),
                "twice",
            ),
        ] {
            write(&path, text).unwrap();
            let said = Tokens::open(&path).unwrap_err().to_string();
            assert!(said.contains(part), "{said}");
        }
    }

    #[test]
    fn scopes_are_read_as_they_are_written() {
        for scope in Scope::ALL {
            assert_eq!(Scope::named(scope.name()), Some(scope));
            let written = serde_json::to_string(&scope).unwrap();
            assert_eq!(written, format!("\"{}\"", scope.name()));
        }
    }
}
