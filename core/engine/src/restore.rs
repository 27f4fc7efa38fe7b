//! From a journal to the engine that wrote it: the newest snapshot that can be used, and the records behind.

use crate::engine::EngineError;
use crate::index::Index;
use crate::kind;
use crate::replay::Replay;
use crate::upkeep::{self, NoSnapshot};
use tse_journal::{Contents, Disk, Journal, JournalError, Mark, Options, read_snapshot, snapshots};
use tse_kernel::{Kernel, Output};
use tse_model::bytes::Writer;
use tse_model::{StateHash, Timestamp, recorded_fields};

/// What was found when an engine began.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Begun {
    /// Its epoch.
    pub epoch: u16,
    /// The record that the snapshot was made after from which it was recovered; `None` for from the first.
    pub snapshot: Option<u64>,
    /// Newer snapshots that could not be used.
    pub passed_over: Vec<u64>,
    /// How many inputs were replayed.
    pub inputs: u64,
    /// The state that they led to.
    pub state: StateHash,
    /// What the journal holds, and whether its end was torn.
    pub contents: Option<Contents>,
}

impl Begun {
    pub(crate) fn new(state: StateHash) -> Self {
        Self { epoch: 0, snapshot: None, passed_over: Vec::new(), inputs: 0, state, contents: None }
    }
}

/// What a journal says beside what its inputs make of a kernel.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    /// What the engine was set up with.
    pub(crate) setup: Vec<u8>,
    pub(crate) index: Index,
    pub(crate) epoch: u16,
    pub(crate) last: Timestamp,
}

recorded_fields! {
    Past { setup, index, epoch, last }
}

impl Past {
    pub(crate) fn new(setup: &[u8]) -> Self {
        Self { setup: setup.to_vec(), index: Index::default(), epoch: 0, last: Timestamp::MIN }
    }
}

/// An engine as its journal left it, before it boots.
pub(crate) struct Restored<D> {
    pub(crate) kernel: Kernel,
    pub(crate) past: Past,
    pub(crate) begun: Begun,
    pub(crate) journal: Journal<D>,
}

/// Which snapshot of a journal to begin from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pick {
    /// The newest that was made before this record.
    NewestBefore(u64),
    /// The oldest there is.
    Oldest,
}

/// The first in that order that this program can make an engine of, and those before it that it cannot.
type Picked = (Option<(Mark, Past, Kernel)>, Vec<u64>);

pub(crate) fn pick<D: Disk>(
    disk: &D,
    pick: Pick,
    build: &mut impl FnMut(&str) -> Result<Kernel, String>,
) -> Result<Picked, JournalError> {
    let mut all = snapshots(disk)?;
    if let Pick::NewestBefore(record) = pick {
        all.retain(|sequence| *sequence < record);
        all.reverse();
    }
    let mut passed_over = Vec::new();
    for sequence in all {
        // What cannot be read is looked for in another, and in the records themselves.
        let snapshot = read_snapshot(disk, sequence).ok().flatten();
        let usable =
            snapshot.and_then(|it| upkeep::read(&it.payload, build).map(|found| (it.after, found)));
        match usable {
            Some((mark, (past, kernel))) => return Ok((Some((mark, past, kernel)), passed_over)),
            None => passed_over.push(sequence),
        }
    }
    Ok((None, passed_over))
}

/// Opens a journal and replays it from the newest usable snapshot on.
pub(crate) fn restore<D: Disk>(
    mut build: impl FnMut(&str) -> Result<Kernel, String>,
    disk: D,
    options: Options,
    mut watch: impl FnMut(Timestamp, &Output),
) -> Result<Restored<D>, EngineError> {
    let (snapshot, passed_over) = pick(&disk, Pick::NewestBefore(u64::MAX), &mut build)?;
    let after = snapshot.as_ref().map(|(mark, ..)| *mark);
    let mut found = snapshot.map(|(_, past, kernel)| {
        let epoch = past.epoch;
        (past, Replay::resume(kernel, epoch))
    });
    let mut trouble = None;
    let (journal, contents) = Journal::open_after(disk, options, after, |record| {
        if trouble.is_some() {
            return;
        }
        if record.head.kind == kind::BEGIN {
            match build(&String::from_utf8_lossy(record.payload)) {
                _ if found.is_some() => {
                    trouble = Some(EngineError::Setup("it begins twice".to_owned()));
                }
                Ok(kernel) => found = Some((Past::new(record.payload), Replay::new(kernel))),
                Err(what) => trouble = Some(EngineError::Setup(what)),
            }
        } else if let Some((past, replay)) = &mut found {
            past.last = past.last.max(record.head.time);
            past.index.read(record);
            if let Err(difference) = replay.take_watched(record, &mut watch) {
                trouble = Some(EngineError::Differs(Box::new(difference)));
            }
        }
    })?;
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    if contents.last < contents.first {
        // It was begun, and stopped before it held anything.
        return Err(EngineError::Journal(JournalError::Empty));
    }
    let Some((mut past, replay)) = found else {
        return Err(EngineError::Setup(no_beginning(&contents)));
    };
    past.epoch = replay.epoch();
    let begun = Begun {
        snapshot: after.map(|mark| mark.sequence),
        passed_over,
        inputs: replay.inputs(),
        contents: Some(contents),
        ..Begun::new(replay.state_hash())
    };
    Ok(Restored { kernel: replay.into_kernel(), past, begun, journal })
}

fn no_beginning(contents: &Contents) -> String {
    match contents.first {
        1 => "the journal does not say what the engine was set up with".to_owned(),
        first => format!(
            "the journal begins at record {first}, and no snapshot of it can be used by this program"
        ),
    }
}

/// Makes a snapshot at the end of a journal that nobody is writing, so that whoever goes on with it need not
/// replay it. Records nothing; a torn end is cut off. Returns what was found, and the record it was made
/// after.
///
/// # Errors
/// What stands in the way of recovering; [`NoSnapshot`] as text.
pub fn snapshot<D: Disk>(
    build: impl FnMut(&str) -> Result<Kernel, String>,
    disk: D,
    options: Options,
) -> Result<(Begun, u64), EngineError> {
    let Restored { kernel, past, begun, mut journal } = restore(build, disk, options, |_, _| ())?;
    let mut bytes = Writer::default();
    match upkeep::write(&past, &kernel, &mut bytes) {
        None => Err(EngineError::Setup(NoSnapshot::Unsaveable.to_string())),
        Some(()) => Ok((begun, journal.snapshot(bytes.as_bytes())?)),
    }
}
