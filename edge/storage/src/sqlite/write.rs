//! Many rows at a time: a statement of so many rows is prepared once and used again.

use super::{STORE, dialect};
use crate::projection::Sorted;
use crate::row::Row;
use crate::{Batch, Result, sql};
use sqlx::{AssertSqlSafe, Executor, Sqlite, Transaction};
use std::sync::Arc;

/// How many rows a statement writes; what is left over is written one by one.
const ROWS: usize = 32;

/// How far a stream is.
pub async fn applied<'e>(
    from: impl Executor<'e, Database = Sqlite>,
    stream: &str,
) -> Result<Option<u64>> {
    let applied: Option<i64> =
        sqlx::query_scalar("SELECT applied FROM projections WHERE stream = ?")
            .bind(stream)
            .fetch_optional(from)
            .await
            .map_err(|error| STORE.failed("projections", stream, &error))?;
    Ok(applied.map(|applied| applied.max(0).cast_unsigned()))
}

/// Writes the rows of a batch, and how far the stream is with them.
pub async fn batch(
    work: &mut Transaction<'static, Sqlite>,
    stream: &str,
    batch: &Batch,
) -> Result<()> {
    let to = sql::sequence(batch.to)?;
    let rows = Sorted::new(batch);
    upsert(work, stream, &rows.strategies).await?;
    upsert(work, stream, &rows.orders).await?;
    upsert(work, stream, &rows.trades).await?;
    upsert(work, stream, &rows.positions).await?;
    sqlx::query(
        "INSERT INTO projections (stream, applied) VALUES (?, ?)
         ON CONFLICT (stream) DO UPDATE SET applied = excluded.applied",
    )
    .bind(stream)
    .bind(to)
    .execute(&mut **work)
    .await
    .map_err(|error| STORE.failed("projections", stream, &error))?;
    Ok(())
}

async fn upsert<R: Row>(
    work: &mut Transaction<'static, Sqlite>,
    stream: &str,
    rows: &[&R],
) -> Result<()> {
    let (many, one) = (statement::<R>(ROWS), statement::<R>(1));
    let whole = rows.len() - rows.len() % ROWS;
    let (whole, rest) = rows.split_at(whole);
    let chunks = whole.chunks(ROWS).map(|rows| (&many, rows));
    for (statement, rows) in chunks.chain(rest.chunks(1).map(|rows| (&one, rows))) {
        let mut query = sqlx::query(AssertSqlSafe(statement.clone()));
        for row in rows {
            for at in 0..R::COLUMNS.len() {
                query = dialect::bind(query, row.value(at));
            }
            query = query.bind(stream.to_owned());
        }
        let done = query.execute(&mut **work).await;
        done.map_err(|error| STORE.failed(R::TABLE, rows[0].id(), &error))?;
    }
    Ok(())
}

/// A statement that writes so many rows.
fn statement<R: Row>(rows: usize) -> Arc<str> {
    let names: Vec<_> = R::COLUMNS.iter().map(|column| column.name).collect();
    let marks = format!("({}?)", "?, ".repeat(names.len()));
    let marks = vec![marks; rows].join(", ");
    let conflict = sql::on_conflict::<Sqlite, R>();
    let (table, names) = (R::TABLE, names.join(", "));
    format!("INSERT INTO {table} ({names}, stream) VALUES {marks}{conflict}").into()
}
