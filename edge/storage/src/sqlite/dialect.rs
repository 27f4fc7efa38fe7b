//! How SQLite keeps values and compares them.

use super::STORE;
use crate::row::{Kind, Value};
use crate::sql::{self, Dialect};
use crate::{Moment, Result};
use rust_decimal::Decimal;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{QueryBuilder, Row as _, Sqlite};
use std::cmp::Ordering;

/// By which numbers that are kept as text are compared.
pub const COLLATION: &str = "tse_decimal";

/// Numbers by what they are worth. What is no number comes last, by its bytes: somebody else wrote it.
pub fn collate(a: &str, b: &str) -> Ordering {
    match (Decimal::from_str_exact(a), Decimal::from_str_exact(b)) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => a.cmp(b),
    }
}

impl Dialect for Sqlite {
    fn push_value(sql: &mut QueryBuilder<Self>, kind: Kind, value: Value) {
        match (kind, value) {
            (Kind::Count | Kind::Time, Value::Null) => sql.push_bind(None::<i64>),
            (_, Value::Count(count)) => sql.push_bind(count),
            (_, Value::Time(moment)) => sql.push_bind(moment.micros()),
            (_, value) => sql.push_bind(sql::print(value)),
        };
    }

    fn compared(kind: Kind, name: &str) -> String {
        match kind {
            Kind::Number => format!("{name} COLLATE {COLLATION}"),
            _ => name.to_owned(),
        }
    }

    fn read(_: Kind, name: &str) -> String {
        name.to_owned()
    }

    fn push_has(sql: &mut QueryBuilder<Self>, name: &str, text: String) {
        sql.push(format_args!("EXISTS (SELECT 1 FROM json_each({name}) WHERE value = "));
        sql.push_bind(text);
        sql.push(")");
    }
}

/// Binds a value to a statement that was written before.
pub fn bind<'q>(
    query: Query<'q, Sqlite, SqliteArguments>,
    value: Value,
) -> Query<'q, Sqlite, SqliteArguments> {
    match value {
        Value::Count(count) => query.bind(count),
        Value::Time(moment) => query.bind(moment.micros()),
        value => query.bind(sql::print(value)),
    }
}

/// Reads a cell.
pub fn cell(row: &SqliteRow, at: usize, kind: Kind) -> Result<Value> {
    let failed = |error: sqlx::Error| STORE.failed("a row", "", &error);
    Ok(match kind {
        Kind::Count => row.try_get::<Option<i64>, _>(at).map_err(failed)?.map(Value::Count),
        Kind::Time => row
            .try_get::<Option<i64>, _>(at)
            .map_err(failed)?
            .map(|micros| Value::Time(Moment::from_micros(micros))),
        kind => {
            let text = row.try_get::<Option<String>, _>(at).map_err(failed)?;
            text.map(|text| sql::parse(STORE, kind, text)).transpose()?
        }
    }
    .unwrap_or(Value::Null))
}
