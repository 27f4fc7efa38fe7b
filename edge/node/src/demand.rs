//! What people want of an engine, and what they are told.

use crate::limit::Wanted;
use crate::{Line, Names, Picture};
use serde::{Deserialize, Serialize};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tse_kernel::Command;
use tse_risk::{Kill, Level, Reach, Resume, Role, Who, Why};

/// How many demands may wait.
const PLACES: usize = 64;

/// What somebody wants.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Demand {
    /// To know how things stand.
    Status,
    /// Trading is cut back.
    Kill {
        /// With what: see [`scope`].
        scope: String,
        /// How far: a level's name.
        level: String,
        /// Who wants it.
        by: String,
        /// Why.
        why: String,
    },
    /// Trading goes on.
    Resume {
        /// With what.
        scope: String,
        /// How far it stays cut back; `free` for not at all.
        to: String,
        /// As what they decide: `owner`, `trader` or `risk`.
        role: String,
        /// Who wants it.
        by: String,
        /// Who else, where it takes two.
        second: Option<String>,
        /// Why.
        why: String,
    },
    /// An engine that has booted may trade.
    Arm {
        /// Who answers for it.
        by: String,
    },
    /// A limit is to be another.
    Limit {
        /// Which, as in a config.
        limit: String,
        /// What it is to be, as in a config.
        value: String,
        /// Whose; everybody's without.
        strategy: Option<String>,
        /// In which instrument; in all together without.
        symbol: Option<String>,
        /// Of which group of everything, by its number.
        group: Option<u16>,
        /// Who wants it.
        by: String,
        /// Who else, where it takes two.
        second: Option<String>,
        /// Why.
        why: String,
    },
    /// What a comparison could not explain was looked at.
    Acknowledge {
        /// Which venue's.
        venue: String,
    },
}

/// A scope, level or role that there is not.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("there is no {what} `{given}`; there are {known}")]
pub struct WrongScope {
    /// Whether it is a name that nothing has, or no word for what it should say.
    pub is: Misunderstood,
    /// What was looked for.
    pub what: &'static str,
    /// What was said.
    pub given: String,
    /// What there is.
    pub known: String,
}

pub(crate) fn wrong(
    what: &'static str,
    given: &str,
    known: impl IntoIterator<Item = String>,
) -> WrongScope {
    let known: Vec<_> = known.into_iter().collect();
    let is = Misunderstood::Value;
    WrongScope { is, what, given: given.to_owned(), known: known.join(", ") }
}

/// Nothing has that name.
fn nothing(what: &'static str, given: &str, known: impl IntoIterator<Item = String>) -> WrongScope {
    WrongScope { is: Misunderstood::Name, ..wrong(what, given, known) }
}

/// The scope that a text means: `firm`, `account:VENUE`, `instrument:SYMBOL` or `strategy:NAME`.
///
/// # Errors
/// What there is instead.
pub fn scope(text: &str, names: &Names) -> Result<Reach, WrongScope> {
    let catalog = &names.catalog;
    let (kind, name) = text.split_once(':').unwrap_or((text, ""));
    match kind {
        "firm" if name.is_empty() => Ok(Reach::Firm),
        "account" => {
            let known = || catalog.venues().iter().map(|it| it.name.clone());
            let at = known().position(|it| it == name);
            let at = at.and_then(|at| u16::try_from(at).ok());
            let id = at.map(|at| Reach::Account(tse_model::VenueId(at)));
            id.ok_or_else(|| nothing("venue", name, known()))
        }
        "instrument" => {
            let known = || catalog.instruments().iter().map(|it| it.symbol.to_string());
            let found = name.parse().ok().and_then(|symbol| catalog.instrument_id(&symbol));
            found.map(Reach::Instrument).ok_or_else(|| nothing("instrument", name, known()))
        }
        "strategy" => {
            let at = names.strategies.iter().position(|it| it == name);
            let at = at.and_then(|at| u16::try_from(at).ok());
            let id = at.map(|at| Reach::Strategy(tse_model::StrategyId(at)));
            id.ok_or_else(|| nothing("strategy", name, names.strategies.clone()))
        }
        _ => Err(wrong(
            "scope",
            text,
            ["firm", "account:VENUE", "instrument:SYMBOL", "strategy:NAME"].map(str::to_owned),
        )),
    }
}

fn level(text: &str) -> Result<Level, WrongScope> {
    let known = || Level::ALL.map(|level| level.name().to_owned());
    let found = Level::ALL.into_iter().find(|level| level.name() == text);
    found.ok_or_else(|| wrong("level", text, known()))
}

fn role(text: &str) -> Result<Role, WrongScope> {
    match text {
        "owner" => Ok(Role::Owner),
        "trader" => Ok(Role::Trader),
        "risk" => Ok(Role::Risk),
        _ => Err(wrong("role", text, ["owner", "trader", "risk"].map(str::to_owned))),
    }
}

impl Demand {
    /// What the engine is told; `None` if nothing.
    ///
    /// # Errors
    /// A name that nothing has.
    pub fn command(&self, names: &Names) -> Result<Option<Command>, WrongScope> {
        Ok(Some(match self {
            Self::Status => return Ok(None),
            Self::Kill { level: to, .. } if level(to)? == Level::Free => {
                let known = Level::ALL.into_iter().skip(1).map(|it| it.name().to_owned());
                return Err(wrong("level to stop at", to, known));
            }
            Self::Kill { scope: reach, level: to, by, why } => Command::Kill(Kill {
                reach: scope(reach, names)?,
                level: level(to)?,
                by: Who::cut(by),
                why: Why::cut(why),
            }),
            Self::Resume { scope: reach, to, role: as_what, by, second, why } => {
                Command::Resume(Resume {
                    reach: scope(reach, names)?,
                    to: level(to)?,
                    role: role(as_what)?,
                    by: Who::cut(by),
                    second: second.as_deref().map(Who::cut),
                    why: Why::cut(why),
                })
            }
            Self::Arm { by } => Command::Arm(Who::cut(by)),
            Self::Limit { limit, value, strategy, symbol, group, by, second, why } => {
                let (strategy, symbol) = (strategy.as_deref(), symbol.as_deref());
                let wanted = Wanted { limit, value, strategy, symbol, group: *group };
                Command::Limit(wanted.change((by, second.as_deref(), why), names)?)
            }
            Self::Acknowledge { venue } => match scope(&format!("account:{venue}"), names)? {
                Reach::Account(venue) => Command::Acknowledge(venue),
                _ => return Ok(None),
            },
        }))
    }
}

/// What of a demand was not understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Misunderstood {
    /// A name that nothing has.
    Name,
    /// A level, a limit, a value or a kind of scope that there is not.
    Value,
}

/// What somebody is told.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Answer {
    /// Why nothing was done, if so.
    pub refused: Option<String>,
    /// What was not understood, if that is why.
    pub misunderstood: Option<Misunderstood>,
    /// What the engine said to it.
    pub said: Vec<Line>,
    /// How things stand now.
    pub picture: Option<Picture>,
}

impl Answer {
    /// Nothing was done.
    pub fn refused(why: impl ToString) -> Self {
        Self { refused: Some(why.to_string()), ..Self::default() }
    }
}

/// A demand, and what is done with the answer. Dropped without one, the engine has ended before.
pub struct Said {
    /// What somebody wants.
    pub demand: Demand,
    /// A number of whoever asks, that what is done for it says again: see [`News::cause`](crate::News::cause).
    pub cause: Option<u64>,
    /// Hands the answer over; it must not wait for anybody.
    pub answer: Box<dyn FnOnce(Answer) + Send>,
}

/// Where demands are handed in; one that is full refuses.
pub type Inbox = SyncSender<Said>;

/// An inbox, and where the engine looks into it.
pub fn inbox() -> (Inbox, Receiver<Said>) {
    sync_channel(PLACES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demands_are_read_as_they_are_written_and_nothing_else() {
        let text = r#"{"do":"kill","scope":"firm","level":"halt","by":"ann","why":"a drill"}"#;
        let demand: Demand = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&demand).unwrap(), text);
        for wrong in [
            r#"{"do":"kil"}"#,
            r#"{"do":"kill","scope":"firm","level":"halt","by":"ann","why":"","also":1}"#,
            r#"{"do":"kill","scope":"firm"}"#,
            "[]",
        ] {
            assert!(serde_json::from_str::<Demand>(wrong).is_err(), "{wrong}");
        }
    }
}
