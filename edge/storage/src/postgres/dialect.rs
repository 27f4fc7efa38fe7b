//! How PostgreSQL is told values and asked for them: as text, which the server turns into its own types.
//!
//! So a number has every digit that it was written with, and the types of a schema need not be looked up.

use super::STORE;
use crate::Result;
use crate::row::{Kind, Value};
use crate::sql::{self, Dialect};
use sqlx::postgres::PgRow;
use sqlx::{Postgres, QueryBuilder, Row as _};

/// Turns a text into what a column of this kind holds.
pub fn cast(kind: Kind, text: &str) -> String {
    match kind {
        Kind::Text | Kind::Word(None) => text.to_owned(),
        Kind::Word(Some(name)) => format!("{text}::{name}"),
        Kind::Number => format!("{text}::numeric"),
        Kind::Count => format!("{text}::bigint"),
        Kind::Time => format!("{text}::timestamptz"),
        Kind::Json => format!("{text}::jsonb"),
        Kind::Texts => format!("ARRAY(SELECT jsonb_array_elements_text({text}::jsonb))"),
    }
}

/// A value as the server is told it. The tables say `stop_loss` where we say `stop`.
pub fn text(kind: Kind, value: Value) -> Option<String> {
    let text = sql::print(value);
    match kind {
        Kind::Word(Some("order_type")) if text.as_deref() == Some("stop") => {
            Some("stop_loss".to_owned())
        }
        _ => text,
    }
}

impl Dialect for Postgres {
    fn push_value(sql: &mut QueryBuilder<Self>, kind: Kind, value: Value) {
        // What stands before and after the text that is bound.
        let around = cast(kind, "\u{0}");
        let (before, after) = around.split_once('\u{0}').unwrap_or_default();
        sql.push(before).push_bind(text(kind, value)).push(after);
    }

    fn compared(_: Kind, name: &str) -> String {
        name.to_owned()
    }

    fn sorted(kind: Kind, name: &str) -> String {
        match kind {
            // By bytes, whatever the language of the database.
            Kind::Text => format!("{name} COLLATE \"C\""),
            _ => name.to_owned(),
        }
    }

    fn read(kind: Kind, name: &str) -> String {
        match kind {
            Kind::Text | Kind::Word(None) => name.to_owned(),
            Kind::Word(Some("order_type")) => format!("replace({name}::text, 'stop_loss', 'stop')"),
            Kind::Word(Some(_)) | Kind::Number | Kind::Count | Kind::Json => {
                format!("{name}::text")
            }
            Kind::Time => format!("(extract(epoch FROM {name}) * 1000000)::bigint::text"),
            Kind::Texts => format!("to_json({name})::text"),
        }
    }

    fn push_has(sql: &mut QueryBuilder<Self>, name: &str, text: String) {
        sql.push_bind(text).push(format_args!(" = ANY ({name})"));
    }

    fn generates(table: &str, column: &str) -> bool {
        (table, column) == ("orders", "remaining_quantity")
    }
}

/// Reads a cell.
pub fn cell(row: &PgRow, at: usize, kind: Kind) -> Result<Value> {
    let text: Option<String> =
        row.try_get(at).map_err(|error| STORE.failed("a row", "", &error))?;
    Ok(text.map(|text| sql::parse(STORE, kind, text)).transpose()?.unwrap_or(Value::Null))
}
