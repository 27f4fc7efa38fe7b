//! Many rows at a time: one statement for each table, with an array for each column.

use super::{STORE, dialect};
use crate::projection::Sorted;
use crate::row::Row;
use crate::{Batch, Result, sql};
use sqlx::{AssertSqlSafe, Executor, Postgres, Transaction};

/// How far a stream is.
pub async fn applied<'e>(
    from: impl Executor<'e, Database = Postgres>,
    stream: &str,
) -> Result<Option<u64>> {
    let applied: Option<Option<i64>> =
        sqlx::query_scalar("SELECT applied FROM projections WHERE stream = $1")
            .bind(stream)
            .fetch_optional(from)
            .await
            .map_err(|error| STORE.failed("projections", stream, &error))?;
    Ok(applied.flatten().map(|applied| applied.max(0).cast_unsigned()))
}

/// How far a stream is, which nobody changes until this transaction ends. Times of rows are then written
/// as they are told.
pub async fn claim(work: &mut Transaction<'static, Postgres>, stream: &str) -> Result<Option<u64>> {
    let applied: Option<i64> = sqlx::query_scalar(
        "WITH projecting AS (SELECT set_config('tse.projecting', 'on', true))
         INSERT INTO projections (stream) SELECT $1 FROM projecting
         ON CONFLICT (stream) DO UPDATE SET stream = excluded.stream RETURNING applied",
    )
    .bind(stream)
    .fetch_one(&mut **work)
    .await
    .map_err(|error| STORE.failed("projections", stream, &error))?;
    Ok(applied.map(|applied| applied.max(0).cast_unsigned()))
}

/// Writes the rows of a batch, and how far the stream is with them.
pub async fn batch(
    work: &mut Transaction<'static, Postgres>,
    stream: &str,
    batch: &Batch,
) -> Result<()> {
    let to = sql::sequence(batch.to)?;
    let rows = Sorted::new(batch);
    upsert(work, stream, &rows.strategies).await?;
    upsert(work, stream, &rows.orders).await?;
    upsert(work, stream, &rows.trades).await?;
    upsert(work, stream, &rows.positions).await?;
    sqlx::query("UPDATE projections SET applied = $2 WHERE stream = $1")
        .bind(stream)
        .bind(to)
        .execute(&mut **work)
        .await
        .map_err(|error| STORE.failed("projections", stream, &error))?;
    Ok(())
}

async fn upsert<R: Row>(
    work: &mut Transaction<'static, Postgres>,
    stream: &str,
    rows: &[&R],
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut query = sqlx::query(AssertSqlSafe(statement::<R>()));
    for (at, kind, _) in sql::written::<Postgres, R>() {
        let cells: Vec<_> = rows.iter().map(|row| dialect::text(kind, row.value(at))).collect();
        query = query.bind(cells);
    }
    let done = query.bind(stream.to_owned()).execute(&mut **work).await;
    done.map_err(|error| STORE.failed(R::TABLE, "of a batch", &error))?;
    Ok(())
}

/// A statement that writes any number of rows, from an array of texts for each column.
fn statement<R: Row>() -> String {
    let columns: Vec<_> = sql::written::<Postgres, R>().collect();
    let list = |each: &dyn Fn(usize) -> String| {
        (0..columns.len()).map(each).collect::<Vec<_>>().join(", ")
    };
    let names = list(&|n| columns[n].2.to_owned());
    let values = list(&|n| dialect::cast(columns[n].1, &format!("told.{}", columns[n].2)));
    let arrays = list(&|n| format!("${}::text[]", n + 1));
    let (table, stream) = (R::TABLE, columns.len() + 1);
    let conflict = sql::on_conflict::<Postgres, R>();
    format!(
        "INSERT INTO {table} ({names}, stream) SELECT {values}, ${stream}
         FROM UNNEST({arrays}) AS told ({names}){conflict}"
    )
}
