//! Keeps a store as the journal says it should be, on a thread of its own.
//!
//! However a store fails, it is asked again, first soon and then less often, how far it is; what it has not is written
//! again. Nothing waits for that but this thread.

use crate::follower::{Build, FollowError, Follower};
use crate::scribe::{About, Scribe};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tse_disk::Folder;
use tse_journal::Disk;
use tse_storage::{Applied, Batch, Projection, Repositories, StorageError};

/// How often it is looked whether something has become safe.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How many rows a batch has, about.
const BATCH: usize = 2_000;
/// How long after a failure a store is asked again: this long at first, and up to that.
const AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How long what is left may take at the end.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// A store of rows that follows.
pub trait Store: Projection + Repositories {}

impl<T: Projection + Repositories> Store for T {}

/// Is told of every batch that a store has written, and how long that took; it must not wait for anybody.
pub type Written = Box<dyn Fn(&Batch, Duration) + Send>;

/// How a store stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum How {
    /// It is being asked how far it is.
    #[default]
    Begins,
    /// It follows.
    Follows,
    /// It does not answer, or refuses; it is asked again.
    Away,
    /// It cannot follow: somebody has to look.
    Stuck,
}

/// How far a store is, for whoever wants to know.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// How it stands.
    pub how: How,
    /// Rows of records up to here are there.
    pub applied: u64,
    /// What is wrong, if something is.
    pub why: Option<String>,
}

#[derive(Default)]
struct Shared {
    safe: Arc<AtomicU64>,
    over: AtomicBool,
    standing: Mutex<Standing>,
}

impl Shared {
    fn stands(&self, how: How, applied: u64, why: Option<String>) {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        if standing.how != how || standing.why != why {
            match (how, &why) {
                (How::Follows, _) => tracing::info!(applied, "the store follows the journal"),
                (How::Begins, _) => {}
                (_, why) => {
                    let why = why.as_deref().unwrap_or_default();
                    tracing::warn!(applied, why, "the store does not follow the journal");
                }
            }
        }
        *standing = Standing { how, applied, why };
    }
}

/// Somebody who keeps a store up to date.
pub struct Projector {
    shared: Arc<Shared>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// Where in its journal a store without rows begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Start {
    /// With the first record: everything is wanted.
    #[default]
    Beginning,
    /// With what the newest snapshot knows: what came before is not wanted.
    Snapshot,
}

/// What is followed: an engine's journal, its name among others in a store, and who makes what of it.
pub struct Followed {
    /// Where its journal is.
    pub journal: PathBuf,
    /// What its rows are known by.
    pub stream: String,
    /// What rows say of it.
    pub about: About,
    /// Makes engines.
    pub build: Build,
    /// Where a store without rows begins.
    pub from: Start,
}

impl Projector {
    /// Begins to follow. `safe` is the last record of the journal that is safe, as its writer tells; nothing is read
    /// while it is zero. `written` is told of every batch that the store has taken.
    ///
    /// # Errors
    /// No thread.
    pub fn start(
        followed: Followed,
        store: Arc<dyn Store>,
        runtime: Handle,
        safe: Arc<AtomicU64>,
        written: Written,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { safe, ..Shared::default() });
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("projector".to_owned()).spawn(move || {
            Work { followed, store, runtime, shared: own, written }.run();
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// How the store stands.
    pub fn standing(&self) -> Standing {
        self.watch().standing()
    }

    /// Lets others see how the store stands.
    pub fn watch(&self) -> Watched {
        Watched(Arc::clone(&self.shared))
    }

    /// Ends, once the store has everything up to the last record that is safe, or does not answer in time.
    pub fn end(mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}

/// Sees how a store stands.
#[derive(Clone)]
pub struct Watched(Arc<Shared>);

impl Watched {
    /// How it stands now.
    pub fn standing(&self) -> Standing {
        self.0.standing.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many records are safe that the store does not have yet.
    pub fn behind(&self) -> u64 {
        self.0.safe.load(Ordering::Relaxed).saturating_sub(self.standing().applied)
    }
}

struct Work {
    followed: Followed,
    store: Arc<dyn Store>,
    runtime: Handle,
    shared: Arc<Shared>,
    written: Written,
}

/// Why it has to begin again.
enum Trouble {
    Store(StorageError),
    Follow(FollowError),
}

impl From<StorageError> for Trouble {
    fn from(error: StorageError) -> Self {
        Self::Store(error)
    }
}

impl From<FollowError> for Trouble {
    fn from(error: FollowError) -> Self {
        Self::Follow(error)
    }
}

impl Work {
    fn run(self) {
        let mut again = AGAIN.0;
        let mut over = None;
        loop {
            let trouble = match self.follow(&mut again, &mut over) {
                Ok(()) => return,
                Err(trouble) => trouble,
            };
            let applied = self.shared.standing.lock().map(|it| it.applied).unwrap_or_default();
            match trouble {
                Trouble::Store(error) => {
                    self.shared.stands(How::Away, applied, Some(error.to_string()));
                }
                Trouble::Follow(error) => {
                    // Another try reads the same records.
                    self.shared.stands(How::Stuck, applied, Some(error.to_string()));
                }
            }
            if !self.wait(again, &mut over) {
                return;
            }
            again = (again * 2).min(AGAIN.1);
        }
    }

    /// Waits; `false` at the end.
    fn wait(&self, long: Duration, over: &mut Option<Instant>) -> bool {
        let until = Instant::now() + long;
        while Instant::now() < until {
            if self.is_late(over) {
                return false;
            }
            std::thread::sleep(LOOK_EVERY.min(long));
        }
        !self.is_late(over)
    }

    /// Whether it is over, and what is left has had its time.
    fn is_late(&self, over: &mut Option<Instant>) -> bool {
        if !self.shared.over.load(Ordering::Relaxed) {
            return false;
        }
        over.get_or_insert_with(Instant::now).elapsed() > LAST_WORDS
    }

    /// Follows until the end.
    fn follow(&self, again: &mut Duration, over: &mut Option<Instant>) -> Result<(), Trouble> {
        let applied = self.applied()?;
        self.is_alone()?;
        let safe = || self.shared.safe.load(Ordering::Relaxed);
        let is_over = || self.shared.over.load(Ordering::Relaxed);
        while safe() == 0 {
            if is_over() {
                return Ok(());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        let mut follower = self.begin(applied, safe())?;
        self.shared.stands(How::Follows, follower.applied(), None);
        loop {
            let ends = is_over();
            match follower.batch(safe(), BATCH)? {
                Some(batch) => {
                    let begun = Instant::now();
                    self.apply(&batch)?;
                    (self.written)(&batch, begun.elapsed());
                    *again = AGAIN.0;
                    follower.has(&batch);
                    self.shared.stands(How::Follows, follower.applied(), None);
                }
                None if ends => return Ok(()),
                None => std::thread::sleep(LOOK_EVERY),
            }
            if self.is_late(over) {
                return Ok(());
            }
        }
    }

    /// Goes on from where the store is.
    fn begin(&self, applied: Option<u64>, last: u64) -> Result<Follower, Trouble> {
        let Followed { journal, about, build, from, .. } = &self.followed;
        if let Some(applied) = applied.filter(|applied| *applied > last) {
            return Err(FollowError::Ahead { applied, last }.into());
        }
        let disk = Folder::look_at(journal).map_err(FollowError::Disk)?;
        let newest = *from == Start::Snapshot;
        let mut follower =
            Follower::begin(disk, about.clone(), (applied, newest), Arc::clone(build))?;
        self.runtime.block_on(remember(&mut follower, about, &*self.store))?;
        Ok(follower)
    }

    /// That the store has rows of no other journal: what orders are called is told apart within one only.
    fn is_alone(&self) -> Result<(), Trouble> {
        let streams = self.runtime.block_on(self.store.streams())?;
        match streams.into_iter().find(|stream| *stream != self.followed.stream) {
            Some(other) => Err(FollowError::Occupied { other }.into()),
            None => Ok(()),
        }
    }

    fn applied(&self) -> Result<Option<u64>, StorageError> {
        self.runtime.block_on(self.store.applied(&self.followed.stream))
    }

    fn apply(&self, batch: &Batch) -> Result<Applied, StorageError> {
        self.runtime.block_on(self.store.apply(&self.followed.stream, batch))
    }
}

/// Tells who goes on in the middle of a journal what its engine does not keep: that is in the store.
///
/// # Errors
/// What the store says.
pub async fn remember<D: Disk>(
    follower: &mut Follower<D>,
    about: &About,
    store: &dyn Store,
) -> Result<(), StorageError> {
    let Some(kernel) = follower.kernel() else { return Ok(()) };
    let open = Scribe::unremembered(kernel);
    for it in &about.strategies {
        if let Some(row) = store.strategies().get_by_id(&it.name).await? {
            follower.scribe().remember_strategy(&row);
        }
    }
    for id in open {
        let trades = store.trades().get_by_order(&id.to_string()).await?;
        follower.scribe().remember(id, &trades);
    }
    Ok(())
}

/// Why a store could not be made anew.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StorageError),
    /// The journal.
    #[error(transparent)]
    Follow(#[from] FollowError),
}

impl From<Trouble> for RebuildError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Store(error) => Self::Store(error),
            Trouble::Follow(error) => Self::Follow(error),
        }
    }
}

/// Forgets every row that a store has, and makes those of a journal anew from its records up to `last`; `told` hears how far
/// it is. Says how many rows were written.
///
/// # Errors
/// What the store or the journal says. The store has part of it then, and goes on from there when somebody follows.
pub fn rebuild(
    followed: Followed,
    store: Arc<dyn Store>,
    runtime: Handle,
    last: u64,
    mut told: impl FnMut(u64),
) -> Result<u64, RebuildError> {
    let written = Box::new(|_: &Batch, _| ());
    let work = Work { followed, store, runtime, shared: Arc::default(), written };
    // What another journal left there is in the way, and is in that journal.
    let there = work.runtime.block_on(work.store.streams())?;
    for stream in there.iter().chain([&work.followed.stream]) {
        work.runtime.block_on(work.store.wipe(stream))?;
    }
    let mut follower = work.begin(None, last)?;
    let mut rows = 0;
    while let Some(batch) = follower.batch(last, BATCH)? {
        work.apply(&batch)?;
        rows += batch.changes.len() as u64;
        follower.has(&batch);
        told(batch.to);
    }
    Ok(rows)
}
