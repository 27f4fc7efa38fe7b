//! Makes a schema what this version needs, step by step, and says what it did.
//!
//! It runs on an empty database and on one that the reference's script made, and what was done once is not
//! done again. It needs the rights of whoever owns the schema; the engine itself does not have them.

use super::{STORE, connect_options};
use crate::names::Schema;
use crate::secret::{Secret, StoreUrl};
use crate::{Result, StorageError};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Postgres};
use std::fmt;
use std::time::Duration;

/// The versions of the tables, oldest first.
const MIGRATIONS: &[(&str, &str)] = &[
    ("reference tables", include_str!("../../migrations/postgres/0001_reference.sql")),
    ("functions and triggers", include_str!("../../migrations/postgres/0002_functions.sql")),
    ("columns of the models", include_str!("../../migrations/postgres/0003_columns.sql")),
];
const GRANTS: &str = include_str!("../../migrations/postgres/0004_grants.sql");

/// The version of the tables that this version of the engine needs.
pub const VERSION: i64 = MIGRATIONS.len() as i64;

/// How long one waits for a server that does not answer when it is to be migrated.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something that a migration did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It made the schema.
    SchemaCreated(String),
    /// It brought the tables to this version.
    Applied {
        /// The version.
        version: i64,
        /// What it is about.
        name: &'static str,
    },
    /// It made the role `trading_adapter`.
    RoleCreated,
    /// It gave the role a password, so that it may log in.
    PasswordSet,
    /// It gave the role its rights in the schema.
    Granted,
    /// It may not make the role or give rights: somebody who may has to.
    GrantsSkipped(String),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SchemaCreated(schema) => write!(f, "schema `{schema}` made"),
            Self::Applied { version, name } => write!(f, "version {version}: {name}"),
            Self::RoleCreated => f.write_str("role `trading_adapter` made; it cannot log in yet"),
            Self::PasswordSet => {
                f.write_str("role `trading_adapter` has a password and may log in")
            }
            Self::Granted => f.write_str("role `trading_adapter` has its rights"),
            Self::GrantsSkipped(why) => write!(f, "rights of `trading_adapter` not given: {why}"),
        }
    }
}

fn failed(error: sqlx::Error) -> StorageError {
    match STORE.failed("schema", "", &error) {
        // Here a thing that is not there is no reason to migrate: we do.
        StorageError::SchemaMissing { .. } => {
            StorageError::Unreadable { store: STORE.name(), why: error.to_string() }
        }
        other => other,
    }
}

/// Which version the tables of a schema have; 0 if there are none.
pub async fn version<'e>(
    from: impl Executor<'e, Database = Postgres> + Copy,
    schema: &Schema,
) -> Result<i64> {
    let there: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
        .bind(format!("{}.schema_migrations", schema.quoted()))
        .fetch_one(from)
        .await
        .map_err(|error| STORE.failed("schema", "", &error))?;
    if !there {
        return Ok(0);
    }
    sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM schema_migrations")
        .fetch_one(from)
        .await
        .map_err(|error| STORE.failed("schema", "", &error))
}

/// Makes a schema what this version needs, and says what that took: nothing, the second time.
///
/// With a password the role `trading_adapter` may log in; one that exists already keeps what it has
/// otherwise.
///
/// # Errors
/// What the server says. Each version is applied whole or not at all, and the next run goes on.
pub async fn migrate(
    url: &StoreUrl,
    schema: &Schema,
    password: Option<&Secret>,
) -> Result<Vec<Step>> {
    let options = connect_options(url)?.application_name("tse migrate").disable_statement_logging();
    let connecting = tokio::time::timeout(PATIENCE, options.connect()).await;
    let mut connection = connecting
        .map_err(|_| StorageError::Unavailable {
            store: STORE.name(),
            why: format!("no connection within {} s", PATIENCE.as_secs()),
        })?
        .map_err(failed)?;
    let mut steps = Vec::new();
    // Whoever migrates this schema at the same time waits.
    sqlx::query("SELECT pg_advisory_lock(hashtext('tse migrate'), hashtext($1))")
        .bind(schema.as_str())
        .execute(&mut connection)
        .await
        .map_err(failed)?;
    let done = run(&mut connection, schema, password, &mut steps).await;
    // The lock ends with the connection, and what is wrong by then has been said.
    let _ = connection.close().await;
    done.map(|()| steps)
}

async fn run(
    connection: &mut PgConnection,
    schema: &Schema,
    password: Option<&Secret>,
    steps: &mut Vec<Step>,
) -> Result<()> {
    if !exists(connection, "SELECT 1 FROM pg_namespace WHERE nspname = $1", schema.as_str()).await?
    {
        let sql = format!("CREATE SCHEMA {}", schema.quoted());
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await.map_err(failed)?;
        steps.push(Step::SchemaCreated(schema.to_string()));
    }
    sqlx::query("SELECT set_config('search_path', $1, false)")
        .bind(schema.quoted())
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    sqlx::raw_sql(
        "CREATE TABLE IF NOT EXISTS schema_migrations (
            version BIGINT PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
        )",
    )
    .execute(&mut *connection)
    .await
    .map_err(failed)?;
    let found: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM schema_migrations")
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    if found > VERSION {
        let why = format!("schema `{schema}` has version {found}, and {VERSION} is known");
        return Err(StorageError::Unreadable { store: STORE.name(), why });
    }
    for (version, (name, sql)) in (1..).zip(MIGRATIONS) {
        if version <= found {
            continue;
        }
        let mut work = connection.begin().await.map_err(failed)?;
        sqlx::raw_sql(*sql).execute(&mut *work).await.map_err(failed)?;
        sqlx::query("INSERT INTO schema_migrations (version, name) VALUES ($1, $2)")
            .bind(version)
            .bind(*name)
            .execute(&mut *work)
            .await
            .map_err(failed)?;
        work.commit().await.map_err(failed)?;
        steps.push(Step::Applied { version, name });
    }
    role(connection, schema, password, steps).await
}

async fn exists(connection: &mut PgConnection, sql: &'static str, name: &str) -> Result<bool> {
    let row = sqlx::query(sql).bind(name).fetch_optional(connection).await;
    Ok(row.map_err(failed)?.is_some())
}

/// The role of the engine. Whoever migrates may lack the right to make one: then somebody else has to,
/// and the tables are there all the same.
async fn role(
    connection: &mut PgConnection,
    schema: &Schema,
    password: Option<&Secret>,
    steps: &mut Vec<Step>,
) -> Result<()> {
    let find = "SELECT 1 FROM pg_roles WHERE rolname = $1";
    if !exists(connection, find, "trading_adapter").await? {
        // Another database of this server may make it at the same moment.
        let made = sqlx::raw_sql(
            "DO $$ BEGIN CREATE ROLE trading_adapter NOLOGIN;
             EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$",
        )
        .execute(&mut *connection)
        .await;
        match made.map_err(failed) {
            Ok(_) => steps.push(Step::RoleCreated),
            Err(StorageError::Refused { why, .. }) => {
                steps.push(Step::GrantsSkipped(why));
                return Ok(());
            }
            Err(other) => return Err(other),
        }
    }
    if let Some(password) = password {
        // ALTER ROLE takes no bound values: the server itself quotes it.
        let sql: String = sqlx::query_scalar(
            "SELECT format('ALTER ROLE trading_adapter LOGIN PASSWORD %L', $1::text)",
        )
        .bind(password.expose())
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await.map_err(failed)?;
        steps.push(Step::PasswordSet);
    }
    // Of everything that is granted, this is granted last.
    let granted =
        "SELECT 1 FROM pg_default_acl acl JOIN pg_namespace n ON n.oid = acl.defaclnamespace
         WHERE n.nspname = $1 AND acl.defaclobjtype = 'f'
           AND acl.defaclacl::text LIKE '%trading_adapter=X%'";
    if exists(connection, granted, schema.as_str()).await? {
        return Ok(());
    }
    let mut sql = GRANTS.replace(" SCHEMA SCHEMA", &format!(" SCHEMA {}", schema.quoted()));
    if schema.as_str() == "trading" {
        // People who log in as the role find the tables of the only instance.
        sql.push_str("ALTER ROLE trading_adapter SET search_path = trading, public;");
    }
    let mut work = connection.begin().await.map_err(failed)?;
    match sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *work).await.map_err(failed) {
        Ok(_) => {
            work.commit().await.map_err(failed)?;
            steps.push(Step::Granted);
            Ok(())
        }
        Err(StorageError::Refused { why, .. }) => {
            steps.push(Step::GrantsSkipped(why));
            work.rollback().await.map_err(failed)
        }
        Err(other) => Err(other),
    }
}
