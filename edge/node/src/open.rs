//! An engine from its folder: begun there, or recovered from its journal, with its venues as they were.

use crate::feed::Feed;
use crate::watcher::Watcher;
use crate::{Home, HomeError, Names};
use std::cell::RefCell;
use tse_disk::{Folder, LeaseFile, Slowest, Timed};
use tse_engine::{Begun, Engine, EngineError};
use tse_journal::{DiskError, Durability, JournalError, Options};
use tse_kernel::{Kernel, Output};
use tse_model::{SourceFault, Timestamp};
use tse_sim::{Asked, Market, Paper, PaperError, Scenario, VenueLog};

/// Paper trading in a folder.
pub type Live = Paper<Timed, LeaseFile>;

/// Makes a kernel of a setup.
pub type Build<'a> = &'a dyn Fn(&str) -> Result<Kernel, String>;

/// What an engine is made of.
pub struct Plan<'a> {
    /// Its venues and their data.
    pub scenario: Scenario,
    /// What it is set up with: text from which `build` makes its kernel.
    pub setup: &'a str,
    /// What tells its data from other data.
    pub data: &'a str,
    /// Makes a kernel of a setup.
    pub build: Build<'a>,
    /// What records must survive.
    pub durability: Durability,
    /// What things are called.
    pub names: Names,
}

/// Why an engine does not begin.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its folder cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Another process runs it.
    #[error("{0}")]
    Running(String),
    /// Its journals cannot be read or written.
    #[error("{0}")]
    Disk(DiskError),
    /// It was set up otherwise.
    #[error("the engine there was set up with another config")]
    OtherConfig {
        /// With what.
        recorded: String,
    },
    /// It traded in other data.
    #[error("the venues there saw other data")]
    OtherData {
        /// What.
        recorded: String,
    },
    /// There is nothing to trade in.
    #[error("its data has no events")]
    NoData,
    /// Its journal is there, and what its venues were asked is not, or the other way round.
    #[error("{} is there and {} is not: one of them was taken away", .0, .1)]
    Half(&'static str, &'static str),
    /// What the engine says.
    #[error(transparent)]
    Engine(EngineError),
    /// What the market says.
    #[error(transparent)]
    Paper(PaperError),
}

impl From<DiskError> for OpenError {
    fn from(error: DiskError) -> Self {
        match error.trouble {
            tse_journal::Trouble::Exists => Self::Running(error.what),
            _ => Self::Disk(error),
        }
    }
}

impl From<EngineError> for OpenError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<PaperError> for OpenError {
    fn from(error: PaperError) -> Self {
        Self::Paper(error)
    }
}

impl From<SourceFault> for OpenError {
    fn from(fault: SourceFault) -> Self {
        Self::Paper(fault.into())
    }
}

/// An engine that has begun.
pub struct Opened {
    /// It.
    pub live: Live,
    /// How it began.
    pub begun: Begun,
    /// How long its slowest record took.
    pub slowest: Slowest,
    /// What changes in it, for one who follows.
    pub feed: Feed,
    pub(crate) watcher: Watcher,
    pub(crate) names: Names,
}

/// Opens the engine of a folder: recovered if it was there before, else begun. It is disarmed.
///
/// # Errors
/// What stands in the way. What the folder holds is as it was, but for torn ends.
pub fn open(home: &Home, plan: Plan<'_>) -> Result<Opened, OpenError> {
    let Plan { mut scenario, setup, data, build, durability, names } = plan;
    home.make()?;
    let slowest = Slowest::default();
    let journal = || Folder::open(&home.journal()).map(|it| Timed::new(it, slowest.clone()));
    let venues = || Folder::open(&home.venues()).map(|it| Timed::new(it, slowest.clone()));
    let options = Options { durability, ..Options::default() };
    let lease = LeaseFile::at(home.folder());
    let market = Market::open(&mut scenario)?;
    let mut out = Vec::new();

    let log = match VenueLog::open(venues()?, options) {
        Ok((_, asked)) if asked.setup != data => {
            return Err(OpenError::OtherData { recorded: asked.setup });
        }
        Ok(found) => Some(found),
        Err(PaperError::Venues(JournalError::Empty)) => None,
        Err(error) => return Err(error.into()),
    };
    let goes_on = log.is_some();
    let (log, asked) = match log {
        Some(found) => found,
        // The venues first: whoever dies in between finds venues that were asked nothing.
        None => {
            is_empty(&journal()?)?;
            let log = VenueLog::begin(venues()?, options, data).map_err(PaperError::Venues)?;
            (log, Asked::default())
        }
    };
    let recovered = match goes_on {
        true => recover((setup, build), journal()?, options, lease.clone(), &mut out)?,
        false => None,
    };
    let (engine, begun) = match recovered {
        Some(recovered) => recovered,
        None if !asked.all.is_empty() => return Err(OpenError::Half("venues/", "journal/")),
        None => {
            let first = market.first().ok_or(OpenError::NoData)?;
            let kernel = build(setup).map_err(EngineError::Setup)?;
            Engine::begin(kernel, setup, journal()?, options, lease, first, &mut out)?
        }
    };
    let (mut watcher, feed) = Watcher::new(names.clone());
    let live = Paper::begin(scenario, market, (engine, out), (log, asked), &mut watcher)?;
    Ok(Opened { live, begun, slowest, feed, watcher, names })
}

/// That no engine has begun where its venues never did.
fn is_empty(journal: &Timed) -> Result<(), OpenError> {
    match tse_journal::read(journal, |_| ()) {
        Err(JournalError::Empty) => Ok(()),
        Ok(contents) if contents.last < contents.first => Ok(()),
        Ok(_) => Err(OpenError::Half("journal/", "venues/")),
        Err(error) => Err(PaperError::from(error).into()),
    }
}

/// An engine, and how it began.
type Recovered = (Engine<Timed, LeaseFile>, Begun);

/// The engine of a journal; `None` if none was ever begun in it.
fn recover(
    (setup, build): (&str, Build<'_>),
    journal: Timed,
    options: Options,
    lease: LeaseFile,
    out: &mut Vec<Output>,
) -> Result<Option<Recovered>, OpenError> {
    let other = RefCell::new(None);
    let checked = |recorded: &str| {
        if recorded != setup {
            *other.borrow_mut() = Some(recorded.to_owned());
            return Err("it is another".to_owned());
        }
        build(recorded)
    };
    // It goes on where it was: time does not run back.
    let now = Timestamp::MIN;
    let recovered = Engine::recover(checked, journal, options, lease, now, out, |_, _| ());
    match (recovered, other.into_inner()) {
        (_, Some(recorded)) => Err(OpenError::OtherConfig { recorded }),
        (Err(EngineError::Journal(JournalError::Empty)), None) => Ok(None),
        (Err(error), None) => Err(error.into()),
        (Ok(recovered), None) => Ok(Some(recovered)),
    }
}
