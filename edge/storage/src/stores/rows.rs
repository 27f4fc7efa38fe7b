//! Rows from the store that keeps them, or from memory while it is away.

use super::link::Link;
use crate::row::Row;
use crate::tables::{Condition, Edit, Select, Tables};
use crate::{
    Applied, Batch, Clock, Memory, Moment, Postgres, Projection, Result, Retention, Sqlite,
    StorageError, Swept, sweep,
};
use async_trait::async_trait;
use rust_decimal::Decimal;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// The store that keeps rows.
enum Kept {
    Postgres(Postgres),
    /// Opened when that succeeds for the first time.
    Sqlite {
        path: PathBuf,
        clock: Arc<dyn Clock>,
        file: OnceCell<Sqlite>,
    },
}

impl Kept {
    async fn check(&self) -> Result<()> {
        match self {
            Self::Postgres(store) => store.check().await,
            Self::Sqlite { path, clock, file } => {
                let open = || Sqlite::open(path, clock.clone());
                file.get_or_try_init(open).await?.check().await
            }
        }
    }
}

/// Does the same with whichever store there is.
macro_rules! with {
    ($kept:expr, |$store:ident| $work:expr) => {
        match $kept {
            Kept::Postgres($store) => $work,
            Kept::Sqlite { file, .. } => match file.get() {
                Some($store) => $work,
                None => Err(StorageError::Unavailable {
                    store: "SQLite",
                    why: "its file was never opened".to_owned(),
                }),
            },
        }
    };
}

/// A store that keeps rows, and how the line to it is. It answers for itself: what is away is an error.
pub struct Durable {
    kept: Kept,
    link: Link,
}

impl Durable {
    /// Writes down that it was lost, if that is what an error means.
    fn note<T>(&self, done: Result<T>) -> Result<T> {
        if let Err(error) = &done
            && error.is_outage()
        {
            self.link.lose(error.clone());
        }
        done
    }
}

#[async_trait]
impl Projection for Durable {
    async fn streams(&self) -> Result<Vec<String>> {
        self.note(with!(&self.kept, |store| store.streams().await))
    }

    async fn applied(&self, stream: &str) -> Result<Option<u64>> {
        self.note(with!(&self.kept, |store| store.applied(stream).await))
    }

    async fn apply(&self, stream: &str, batch: &Batch) -> Result<Applied> {
        self.note(with!(&self.kept, |store| store.apply(stream, batch).await))
    }

    async fn wipe(&self, stream: &str) -> Result<()> {
        self.note(with!(&self.kept, |store| store.wipe(stream).await))
    }
}

impl fmt::Debug for Durable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Durable").finish_non_exhaustive()
    }
}

impl Tables for Durable {
    fn now(&self) -> Moment {
        match &self.kept {
            Kept::Postgres(store) => store.now(),
            Kept::Sqlite { clock, .. } => clock.now(),
        }
    }

    async fn insert<R: Row>(&self, row: &R) -> Result<()> {
        self.note(with!(&self.kept, |store| store.insert(row).await))
    }

    async fn get<R: Row>(&self, id: &str) -> Result<Option<R>> {
        self.note(with!(&self.kept, |store| store.get(id).await))
    }

    async fn change<R: Row>(&self, id: &str, edit: Edit<R>) -> Result<()> {
        self.note(with!(&self.kept, |store| store.change(id, edit).await))
    }

    async fn delete<R: Row>(&self, id: &str) -> Result<()> {
        self.note(with!(&self.kept, |store| Tables::delete::<R>(store, id).await))
    }

    async fn select<R: Row>(&self, select: Select) -> Result<Vec<R>> {
        self.note(with!(&self.kept, |store| store.select(select).await))
    }

    async fn sum<R: Row>(
        &self,
        column: &'static str,
        conditions: Vec<Condition>,
    ) -> Result<Decimal> {
        self.note(with!(&self.kept, |store| store.sum::<R>(column, conditions).await))
    }

    async fn delete_where<R: Row>(&self, conditions: Vec<Condition>) -> Result<u64> {
        self.note(with!(&self.kept, |store| store.delete_where::<R>(conditions).await))
    }
}

/// Rows, wherever they are now.
pub struct Rows {
    memory: Arc<Memory>,
    durable: Option<Arc<Durable>>,
}

impl fmt::Debug for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rows").finish_non_exhaustive()
    }
}

impl Rows {
    pub(super) fn memory(memory: Memory) -> Self {
        Self { memory: Arc::new(memory), durable: None }
    }

    pub(super) fn postgres(memory: Memory, store: Postgres) -> Self {
        let durable = Durable { kept: Kept::Postgres(store), link: Link::default() };
        Self { memory: Arc::new(memory), durable: Some(Arc::new(durable)) }
    }

    pub(super) fn sqlite(memory: Memory, path: PathBuf, clock: Arc<dyn Clock>) -> Self {
        let kept = Kept::Sqlite { path, clock, file: OnceCell::new() };
        let durable = Durable { kept, link: Link::default() };
        Self { memory: Arc::new(memory), durable: Some(Arc::new(durable)) }
    }

    pub(super) fn in_memory(&self) -> &Arc<Memory> {
        &self.memory
    }

    pub(super) fn durable(&self) -> Option<&Arc<Durable>> {
        self.durable.as_ref()
    }

    pub(super) fn link(&self) -> Option<&Link> {
        self.durable.as_ref().map(|durable| &durable.link)
    }

    pub(super) fn is_postgres(&self) -> bool {
        self.durable.as_ref().is_some_and(|it| matches!(it.kept, Kept::Postgres(_)))
    }

    /// Looks whether the store is there.
    pub(super) async fn check(&self, timeout: Duration) {
        let Some(durable) = &self.durable else { return };
        let found = tokio::time::timeout(timeout, durable.kept.check()).await;
        durable.link.looked(found.unwrap_or_else(|_| {
            let store = if self.is_postgres() { "PostgreSQL" } else { "SQLite" };
            let why = format!("no answer within {} s", timeout.as_secs_f64());
            Err(StorageError::Unavailable { store, why })
        }));
    }

    pub(super) async fn sweep_durable(
        &self,
        keep: Retention,
        now: Moment,
    ) -> Result<Option<Swept>> {
        let Some(durable) = &self.durable else { return Ok(None) };
        durable.note(with!(&durable.kept, |store| sweep(store, keep, now).await)).map(Some)
    }

    pub(super) async fn close(&self) {
        match self.durable.as_ref().map(|durable| &durable.kept) {
            Some(Kept::Postgres(store)) => store.close().await,
            Some(Kept::Sqlite { file, .. }) => {
                if let Some(store) = file.get() {
                    store.close().await;
                }
            }
            None => {}
        }
    }

    /// Who answers now: `postgres`, `sqlite` or `memory`.
    pub fn answers(&self) -> &'static str {
        match self.up().map(|durable| &durable.kept) {
            Some(Kept::Postgres(_)) => "postgres",
            Some(Kept::Sqlite { .. }) => "sqlite",
            None => "memory",
        }
    }

    /// The store, if it answered when it was last asked.
    fn up(&self) -> Option<&Durable> {
        self.durable.as_deref().filter(|durable| durable.link.is_up())
    }
}

/// Asks the store if it is there, and memory if it is not, or turns out not to be.
macro_rules! ask {
    ($rows:expr, |$store:ident| $work:expr) => {{
        if let Some(durable) = $rows.up() {
            match durable.note(with!(&durable.kept, |$store| $work)) {
                Err(error) if error.is_outage() => {}
                answer => return answer,
            }
        }
        let $store = &*$rows.memory;
        $work
    }};
}

impl Tables for Rows {
    fn now(&self) -> Moment {
        self.memory.now()
    }

    async fn insert<R: Row>(&self, row: &R) -> Result<()> {
        ask!(self, |store| store.insert(row).await)
    }

    async fn get<R: Row>(&self, id: &str) -> Result<Option<R>> {
        ask!(self, |store| store.get(id).await)
    }

    async fn change<R: Row>(&self, id: &str, edit: Edit<R>) -> Result<()> {
        ask!(self, |store| store.change(id, edit.clone()).await)
    }

    async fn delete<R: Row>(&self, id: &str) -> Result<()> {
        ask!(self, |store| Tables::delete::<R>(store, id).await)
    }

    async fn select<R: Row>(&self, select: Select) -> Result<Vec<R>> {
        ask!(self, |store| store.select(select.clone()).await)
    }

    async fn sum<R: Row>(
        &self,
        column: &'static str,
        conditions: Vec<Condition>,
    ) -> Result<Decimal> {
        ask!(self, |store| store.sum::<R>(column, conditions.clone()).await)
    }

    async fn delete_where<R: Row>(&self, conditions: Vec<Condition>) -> Result<u64> {
        ask!(self, |store| store.delete_where::<R>(conditions.clone()).await)
    }
}
