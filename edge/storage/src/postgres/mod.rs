//! Rows in one schema of PostgreSQL, which several instances may share.
//!
//! Numbers are NUMERIC with all their digits, times TIMESTAMPTZ. Each connection is told its schema, its
//! zone and how long a statement may take. This does not make tables: [`migrate`] does, with other rights.

mod dialect;
mod migrate;
mod write;

pub use migrate::{Step, VERSION, migrate};

use crate::names::Schema;
use crate::projection::{check_stream, is_news};
use crate::row::{Kind, Row, Value};
use crate::secret::StoreUrl;
use crate::sql::{self, Store};
use crate::tables::{Condition, Edit, Select, Tables};
use crate::{Applied, Batch, Clock, Moment, Projection, Result, StorageError};
use async_trait::async_trait;
use rust_decimal::Decimal;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgRow};
use sqlx::{ConnectOptions, PgPool, Postgres as Db, QueryBuilder, Transaction};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

const STORE: Store = Store::Postgres;

/// How a database is reached and used.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Where it is.
    pub url: StoreUrl,
    /// The schema of this instance.
    pub schema: Schema,
    /// How many connections at most.
    pub connections: u32,
    /// How long to wait for one.
    pub acquire: Duration,
    /// How long one is used before another takes its place.
    pub recycle: Duration,
    /// How long a question may take. After it the store counts as away.
    pub query: Duration,
    /// Whether every statement is logged, without its values.
    pub log_sql: bool,
}

impl PostgresOptions {
    /// The usual ones.
    pub fn new(url: StoreUrl, schema: Schema) -> Self {
        Self {
            url,
            schema,
            connections: 30,
            acquire: Duration::from_secs(30),
            recycle: Duration::from_secs(3_600),
            query: Duration::from_secs(30),
            log_sql: false,
        }
    }
}

/// The four tables in a schema.
pub struct Postgres {
    pool: PgPool,
    schema: Schema,
    clock: Arc<dyn Clock>,
    /// How long anything may take: a connection, and then an answer.
    patience: Duration,
}

impl fmt::Debug for Postgres {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// How to connect: as `trading_adapter` where the URL names nobody, to `trading_ecosystem` where it names
/// no database.
fn connect_options(url: &StoreUrl) -> Result<PgConnectOptions> {
    let unusable = || StorageError::invalid("the URL of PostgreSQL", "cannot be used");
    if url.scheme() != "postgresql" {
        return Err(StorageError::invalid("the URL of PostgreSQL", "is not `postgresql://`"));
    }
    let options = PgConnectOptions::from_str(url.expose()).map_err(|_| unusable())?;
    let rest = url.expose().split("://").nth(1).unwrap_or_default();
    let names_user = rest.contains('@') || rest.contains("user=");
    let options = if names_user { options } else { options.username("trading_adapter") };
    Ok(match options.get_database() {
        Some(_) => options,
        None => options.database("trading_ecosystem"),
    })
}

impl Postgres {
    /// A store that connects when it is first asked something.
    ///
    /// # Errors
    /// The URL cannot be used.
    pub fn new(options: &PostgresOptions, clock: Arc<dyn Clock>) -> Result<Self> {
        let connect = connect_options(&options.url)?.application_name("tse");
        let connect = if options.log_sql { connect } else { connect.disable_statement_logging() };
        let path = options.schema.quoted();
        let limit = options.query.as_millis().to_string();
        let pool = PgPoolOptions::new()
            .max_connections(options.connections.max(1))
            .min_connections(0)
            .acquire_timeout(options.acquire)
            .max_lifetime(options.recycle)
            .after_connect(move |connection, _| {
                let (path, limit) = (path.clone(), limit.clone());
                Box::pin(async move {
                    sqlx::query(
                        "SELECT set_config('search_path', $1, false),
                                set_config('statement_timeout', $2, false),
                                set_config('TimeZone', 'UTC', false)",
                    )
                    .bind(path)
                    .bind(limit)
                    .execute(connection)
                    .await
                    .map(drop)
                })
            })
            .connect_lazy_with(connect);
        let patience = options.acquire.saturating_add(options.query);
        Ok(Self { pool, schema: options.schema.clone(), clock, patience })
    }

    /// The schema.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Closes all connections; what was asked for is finished first.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Asks for an answer, whether one could write, and whether the tables are those that this version
    /// needs.
    ///
    /// # Errors
    /// `SchemaMissing` if they are not, `Refused` if nothing can be written; what else the server says.
    pub async fn check(&self) -> Result<()> {
        self.timed(async {
            let read_only: String = sqlx::query_scalar("SHOW transaction_read_only")
                .fetch_one(&self.pool)
                .await
                .map_err(|error| STORE.failed("schema", "", &error))?;
            if read_only == "on" {
                let why = "it is read-only".to_owned();
                return Err(StorageError::Refused { store: STORE.name(), why });
            }
            let found = migrate::version(&self.pool, &self.schema).await?;
            if found < VERSION {
                return Err(StorageError::SchemaMissing {
                    schema: self.schema.to_string(),
                    found,
                    wanted: VERSION,
                });
            }
            Ok(())
        })
        .await
    }

    /// What the schema's function `health_check()` says: how many rows each table has, as the planner
    /// estimates it.
    ///
    /// # Errors
    /// What the server says.
    pub async fn health(&self) -> Result<serde_json::Value> {
        self.timed(async {
            let text: String = sqlx::query_scalar("SELECT health_check()::text")
                .fetch_one(&self.pool)
                .await
                .map_err(|error| STORE.failed("health_check", "", &error))?;
            serde_json::from_str(&text).map_err(|_| StorageError::Unreadable {
                store: STORE.name(),
                why: "health_check() is no JSON".to_owned(),
            })
        })
        .await
    }

    /// Nothing waits for ever, not even for a server that is stopped in the middle of an answer. And a
    /// table that is not there means that the schema is not.
    async fn timed<T>(&self, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let done = tokio::time::timeout(self.patience, work).await.unwrap_or_else(|_| {
            let why = format!("no answer within {} s", self.patience.as_secs());
            Err(StorageError::Unavailable { store: STORE.name(), why })
        });
        done.map_err(|error| match error {
            StorageError::SchemaMissing { found, .. } => StorageError::SchemaMissing {
                schema: self.schema.to_string(),
                found,
                wanted: VERSION,
            },
            other => other,
        })
    }

    async fn begin(&self) -> Result<Transaction<'static, Db>> {
        self.pool.begin().await.map_err(|error| STORE.failed("tables", "", &error))
    }

    async fn run(&self, table: &'static str, id: &str, mut sql: QueryBuilder<Db>) -> Result<u64> {
        let done = self.timed(async {
            let done = sql.build().execute(&self.pool).await;
            done.map_err(|error| STORE.failed(table, id, &error))
        });
        Ok(done.await?.rows_affected())
    }
}

fn row<R: Row>(cells: &PgRow) -> Result<R> {
    let values = R::COLUMNS.iter().enumerate();
    let values = values.map(|(at, column)| dialect::cell(cells, at, column.kind));
    R::from_values(values.collect::<Result<_>>()?)
}

impl Tables for Postgres {
    fn now(&self) -> Moment {
        self.clock.now()
    }

    async fn insert<R: Row>(&self, row: &R) -> Result<()> {
        self.run(R::TABLE, row.id(), sql::insert::<Db, R>(row)).await.map(drop)
    }

    async fn get<R: Row>(&self, id: &str) -> Result<Option<R>> {
        self.timed(async {
            let found = sql::by_id::<Db, R>(id).build().fetch_optional(&self.pool).await;
            let found = found.map_err(|error| STORE.failed(R::TABLE, id, &error))?;
            found.as_ref().map(row).transpose()
        })
        .await
    }

    async fn change<R: Row>(&self, id: &str, edit: Edit<R>) -> Result<()> {
        let failed = |error: sqlx::Error| STORE.failed(R::TABLE, id, &error);
        let now = self.clock.now();
        self.timed(async {
            let mut work = self.begin().await?;
            let mut sql = sql::by_id::<Db, R>(id);
            sql.push(" FOR UPDATE");
            let found = sql.build().fetch_optional(&mut *work).await.map_err(failed)?;
            let found = found.ok_or_else(|| StorageError::not_found(R::TABLE, id))?;
            let mut found = row::<R>(&found)?;
            edit(&mut found)?;
            found.touch(now);
            sql::update::<Db, R>(&found).build().execute(&mut *work).await.map_err(failed)?;
            work.commit().await.map_err(failed)
        })
        .await
    }

    async fn delete<R: Row>(&self, id: &str) -> Result<()> {
        if self.run(R::TABLE, id, sql::delete::<Db, R>(id)).await? > 0 {
            return Ok(());
        }
        let there = self.get::<R>(id).await?.is_some();
        Err(sql::why_not_deleted::<R>(id, there))
    }

    async fn select<R: Row>(&self, select: Select) -> Result<Vec<R>> {
        self.timed(async {
            let found = sql::select::<Db, R>(select).build().fetch_all(&self.pool).await;
            let found = found.map_err(|error| STORE.failed(R::TABLE, "", &error))?;
            found.iter().map(row).collect()
        })
        .await
    }

    async fn sum<R: Row>(
        &self,
        column: &'static str,
        conditions: Vec<Condition>,
    ) -> Result<Decimal> {
        let mut sql =
            QueryBuilder::new(format!("SELECT trim_scale(sum({column}))::text FROM {}", R::TABLE));
        sql::push_where::<Db, R>(&mut sql, conditions);
        let text: Option<String> = self
            .timed(async {
                let sum = sql.build_query_scalar().fetch_one(&self.pool).await;
                sum.map_err(|error| STORE.failed(R::TABLE, "", &error))
            })
            .await?;
        let Some(text) = text else { return Ok(Decimal::ZERO) };
        match sql::parse(STORE, Kind::Number, text) {
            Ok(Value::Number(sum)) => Ok(sum),
            _ => {
                let what = format!("the sum of {column}");
                Err(StorageError::invalid(what, "does not fit 28 digits"))
            }
        }
    }

    async fn delete_where<R: Row>(&self, conditions: Vec<Condition>) -> Result<u64> {
        let mut sql = QueryBuilder::new(format!("DELETE FROM {}", R::TABLE));
        sql::push_where::<Db, R>(&mut sql, conditions);
        self.run(R::TABLE, "", sql).await
    }
}

#[async_trait]
impl Projection for Postgres {
    async fn streams(&self) -> Result<Vec<String>> {
        self.timed(async {
            sqlx::query_scalar("SELECT stream FROM projections ORDER BY stream")
                .fetch_all(&self.pool)
                .await
                .map_err(|error| STORE.failed("projections", "", &error))
        })
        .await
    }

    async fn applied(&self, stream: &str) -> Result<Option<u64>> {
        self.timed(write::applied(&self.pool, stream)).await
    }

    async fn apply(&self, stream: &str, batch: &Batch) -> Result<Applied> {
        check_stream(stream)?;
        self.timed(async {
            let failed = |error: sqlx::Error| STORE.failed("projections", stream, &error);
            let mut work = self.begin().await?;
            let applied = write::claim(&mut work, stream).await?;
            if !is_news(stream, applied, batch)? {
                work.rollback().await.map_err(failed)?;
                return Ok(Applied::Before(applied.unwrap_or(batch.to)));
            }
            write::batch(&mut work, stream, batch).await?;
            work.commit().await.map_err(failed)?;
            Ok(Applied::Now(batch.to))
        })
        .await
    }

    async fn wipe(&self, stream: &str) -> Result<()> {
        self.timed(async {
            let failed = |error: sqlx::Error| STORE.failed("projections", stream, &error);
            let mut work = self.begin().await?;
            write::claim(&mut work, stream).await?;
            for mut sql in sql::wipe::<Db>(stream) {
                sql.build().execute(&mut *work).await.map_err(failed)?;
            }
            work.commit().await.map_err(failed)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_url_leaves_out_is_what_the_specification_says() {
        for (url, user, database) in [
            ("postgresql://h", "trading_adapter", "trading_ecosystem"),
            ("postgresql://h:5433/d", "trading_adapter", "d"),
            ("postgresql+asyncpg://u:p@h/", "u", "trading_ecosystem"),
            ("postgresql://h/d?user=u", "u", "d"),
        ] {
            let options = connect_options(&StoreUrl::parse(url).expect("a URL")).expect("usable");
            assert_eq!(options.get_username(), user, "{url}");
            assert_eq!(options.get_database(), Some(database), "{url}");
        }
        for wrong in ["redis://h", "postgresql://u:canary@h:port/d"] {
            let said = connect_options(&StoreUrl::parse(wrong).expect("a URL")).expect_err("wrong");
            assert_eq!(said.code(), "TSE-P003");
            assert!(!format!("{said:?}").contains("canary"));
        }
    }
}
