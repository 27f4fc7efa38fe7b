//! Rows in one file of SQLite: the store that needs no server.
//!
//! Decimals are kept as canonical text and compared by a collation of ours, never as floating point; a
//! sum is added up here. One connection writes at a time and others read meanwhile (WAL). A loss of power
//! may take the last transactions, whole, and the sequence goes back with them: the journal has the rest.

mod dialect;
mod write;

use crate::projection::{check_stream, is_news};
use crate::row::{Kind, Row};
use crate::sql::{self, Store};
use crate::tables::{self, Condition, Edit, Select, Tables};
use crate::{Applied, Batch, Clock, Moment, Projection, Result, StorageError};
use async_trait::async_trait;
use rust_decimal::Decimal;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, QueryBuilder, Sqlite as Db, SqlitePool, Transaction};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};

/// The versions of the tables, oldest first.
const MIGRATIONS: &[&str] = &[include_str!("../../migrations/sqlite/0001_tables.sql")];
/// How long one waits for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many may read at a time.
const CONNECTIONS: u32 = 4;

const STORE: Store = Store::Sqlite;

/// The four tables in a file.
pub struct Sqlite {
    pool: SqlitePool,
    path: PathBuf,
    clock: Arc<dyn Clock>,
    /// Whoever writes holds this: waiting in a queue is fairer than asking the file again and again.
    writing: Mutex<()>,
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Sqlite {
    /// Opens a file, makes it where it is not there, readable by its owner alone, and brings its tables up
    /// to date.
    ///
    /// # Errors
    /// `Unavailable` or `Refused` if the file cannot be used; `Unreadable` if a newer version wrote it.
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self> {
        make_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .collation(dialect::COLLATION, dialect::collate)
            .disable_statement_logging();
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(PATIENCE)
            .connect_with(options)
            .await
            .map_err(|error| STORE.failed("tables", "", &error))?;
        let store = Self { pool, path: path.to_owned(), clock, writing: Mutex::new(()) };
        store.migrate().await?;
        Ok(store)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Asks for an answer, and whether one could write.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn check(&self) -> Result<()> {
        let (_writing, work) = self.begin().await?;
        work.rollback().await.map_err(|error| STORE.failed("tables", "", &error))
    }

    /// Closes it; what was asked for is finished first.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    async fn migrate(&self) -> Result<()> {
        let failed = |error: sqlx::Error| STORE.failed("tables", "", &error);
        let (_writing, mut work) = self.begin().await?;
        let there: i64 = sqlx::query_scalar("PRAGMA user_version")
            .fetch_one(&mut *work)
            .await
            .map_err(failed)?;
        let there = usize::try_from(there).unwrap_or(usize::MAX);
        let Some(missing) = MIGRATIONS.get(there..) else {
            let why = format!("its tables have version {there}, and {} is known", MIGRATIONS.len());
            return Err(StorageError::Unreadable { store: STORE.name(), why });
        };
        if missing.is_empty() {
            return Ok(());
        }
        for migration in missing {
            sqlx::raw_sql(*migration).execute(&mut *work).await.map_err(failed)?;
        }
        let version = format!("PRAGMA user_version = {}", MIGRATIONS.len());
        sqlx::raw_sql(AssertSqlSafe(version)).execute(&mut *work).await.map_err(failed)?;
        work.commit().await.map_err(failed)
    }

    /// Begins to write, when whoever writes now is done.
    async fn begin(&self) -> Result<(MutexGuard<'_, ()>, Transaction<'static, Db>)> {
        let guard = self.writing.lock().await;
        let work = self.pool.begin_with("BEGIN IMMEDIATE").await;
        Ok((guard, work.map_err(|error| STORE.failed("tables", "", &error))?))
    }

    async fn run(&self, table: &'static str, id: &str, mut sql: QueryBuilder<Db>) -> Result<u64> {
        let _writing = self.writing.lock().await;
        let done = sql.build().execute(&self.pool).await;
        Ok(done.map_err(|error| STORE.failed(table, id, &error))?.rows_affected())
    }
}

/// Makes a file that only its owner may read, or takes the others' right away. What SQLite puts beside it
/// has the same rights.
fn make_private(path: &Path) -> Result<()> {
    let failed = |error: std::io::Error| StorageError::Unavailable {
        store: STORE.name(),
        why: format!("cannot open {}: {error}", path.display()),
    };
    let mut options = std::fs::OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mut rights = file.metadata().map_err(failed)?.permissions();
        if rights.mode() & 0o077 != 0 {
            rights.set_mode(0o600);
            file.set_permissions(rights).map_err(failed)?;
        }
    }
    drop(file);
    Ok(())
}

fn row<R: Row>(cells: &SqliteRow) -> Result<R> {
    let values = R::COLUMNS.iter().enumerate();
    let values = values.map(|(at, column)| dialect::cell(cells, at, column.kind));
    R::from_values(values.collect::<Result<_>>()?)
}

impl Tables for Sqlite {
    fn now(&self) -> Moment {
        self.clock.now()
    }

    async fn insert<R: Row>(&self, row: &R) -> Result<()> {
        self.run(R::TABLE, row.id(), sql::insert::<Db, R>(row)).await.map(drop)
    }

    async fn get<R: Row>(&self, id: &str) -> Result<Option<R>> {
        let found = sql::by_id::<Db, R>(id).build().fetch_optional(&self.pool).await;
        found.map_err(|error| STORE.failed(R::TABLE, id, &error))?.as_ref().map(row).transpose()
    }

    async fn change<R: Row>(&self, id: &str, edit: Edit<R>) -> Result<()> {
        let failed = |error: sqlx::Error| STORE.failed(R::TABLE, id, &error);
        let now = self.clock.now();
        let (_writing, mut work) = self.begin().await?;
        let found = sql::by_id::<Db, R>(id).build().fetch_optional(&mut *work).await;
        let found = found.map_err(failed)?;
        let found = found.ok_or_else(|| StorageError::not_found(R::TABLE, id))?;
        let mut found = row::<R>(&found)?;
        edit(&mut found)?;
        found.touch(now);
        sql::update::<Db, R>(&found).build().execute(&mut *work).await.map_err(failed)?;
        work.commit().await.map_err(failed)
    }

    async fn delete<R: Row>(&self, id: &str) -> Result<()> {
        let failed = |error: sqlx::Error| STORE.failed(R::TABLE, id, &error);
        let (_writing, mut work) = self.begin().await?;
        let gone = sql::delete::<Db, R>(id).build().execute(&mut *work).await.map_err(failed)?;
        if gone.rows_affected() == 0 {
            let there = sql::by_id::<Db, R>(id).build().fetch_optional(&mut *work).await;
            return Err(sql::why_not_deleted::<R>(id, there.map_err(failed)?.is_some()));
        }
        work.commit().await.map_err(failed)
    }

    async fn select<R: Row>(&self, select: Select) -> Result<Vec<R>> {
        let found = sql::select::<Db, R>(select).build().fetch_all(&self.pool).await;
        let found = found.map_err(|error| STORE.failed(R::TABLE, "", &error))?;
        found.iter().map(row).collect()
    }

    async fn sum<R: Row>(
        &self,
        column: &'static str,
        conditions: Vec<Condition>,
    ) -> Result<Decimal> {
        let table = R::TABLE;
        let mut sql = QueryBuilder::new(format!("SELECT {column} FROM {table}"));
        sql::push_where::<Db, R>(&mut sql, conditions);
        let texts: Vec<Option<String>> = sql
            .build_query_scalar()
            .fetch_all(&self.pool)
            .await
            .map_err(|error| STORE.failed(table, "", &error))?;
        let mut numbers = Vec::with_capacity(texts.len());
        for text in texts.into_iter().flatten() {
            if let crate::row::Value::Number(number) = sql::parse(STORE, Kind::Number, text)? {
                numbers.push(number);
            }
        }
        tables::sum(column, numbers.into_iter())
    }

    async fn delete_where<R: Row>(&self, conditions: Vec<Condition>) -> Result<u64> {
        let mut sql = QueryBuilder::new(format!("DELETE FROM {}", R::TABLE));
        sql::push_where::<Db, R>(&mut sql, conditions);
        self.run(R::TABLE, "", sql).await
    }
}

#[async_trait]
impl Projection for Sqlite {
    async fn streams(&self) -> Result<Vec<String>> {
        sqlx::query_scalar("SELECT stream FROM projections ORDER BY stream")
            .fetch_all(&self.pool)
            .await
            .map_err(|error| STORE.failed("projections", "", &error))
    }

    async fn applied(&self, stream: &str) -> Result<Option<u64>> {
        write::applied(&self.pool, stream).await
    }

    async fn apply(&self, stream: &str, batch: &Batch) -> Result<Applied> {
        check_stream(stream)?;
        let (_writing, mut work) = self.begin().await?;
        let applied = write::applied(&mut *work, stream).await?;
        if !is_news(stream, applied, batch)? {
            return Ok(Applied::Before(applied.unwrap_or(batch.to)));
        }
        write::batch(&mut work, stream, batch).await?;
        work.commit().await.map_err(|error| STORE.failed("projections", stream, &error))?;
        Ok(Applied::Now(batch.to))
    }

    async fn wipe(&self, stream: &str) -> Result<()> {
        let failed = |error: sqlx::Error| STORE.failed("projections", stream, &error);
        let (_writing, mut work) = self.begin().await?;
        for mut sql in sql::wipe::<Db>(stream) {
            sql.build().execute(&mut *work).await.map_err(failed)?;
        }
        work.commit().await.map_err(failed)
    }
}
