//! What SQLite and PostgreSQL have in common: how a question is written, and what an error means.
//!
//! Every piece of SQL that is put together here is made of names of tables and columns that stand in
//! this crate; whatever comes from outside is bound.

mod failure;

pub(crate) use failure::Store;

use crate::model::SortOrder;
use crate::row::{Kind, Row, Value};
use crate::tables::{Condition, Select, Test};
use crate::{Moment, Result, StorageError};
use rust_decimal::Decimal;
use sqlx::{Database, QueryBuilder};

/// How one database writes what both can say.
pub(crate) trait Dialect: Database {
    /// Writes a value that belongs in a column of this kind.
    fn push_value(sql: &mut QueryBuilder<Self>, kind: Kind, value: Value);

    /// The expression by which a column is compared.
    fn compared(kind: Kind, name: &str) -> String;

    /// The expression by which a column is sorted.
    fn sorted(kind: Kind, name: &str) -> String {
        Self::compared(kind, name)
    }

    /// The expression by which a column is read.
    fn read(kind: Kind, name: &str) -> String;

    /// That a column of texts has this one in it.
    fn push_has(sql: &mut QueryBuilder<Self>, name: &str, text: String);

    /// Whether a column is worked out by the database and cannot be written.
    fn generates(_table: &str, _column: &str) -> bool {
        false
    }
}

/// The columns of a table, as they are read.
pub(crate) fn columns<DB: Dialect, R: Row>() -> String {
    let columns = R::COLUMNS.iter().map(|column| DB::read(column.kind, column.name));
    columns.collect::<Vec<_>>().join(", ")
}

/// The columns that are written, with their places in a row.
pub(crate) fn written<DB: Dialect, R: Row>() -> impl Iterator<Item = (usize, Kind, &'static str)> {
    let columns = R::COLUMNS.iter().enumerate();
    columns
        .filter(|(_, column)| !DB::generates(R::TABLE, column.name))
        .map(|(at, column)| (at, column.kind, column.name))
}

pub(crate) fn key<R: Row>() -> &'static str {
    R::COLUMNS[0].name
}

/// Writes `WHERE` and what must hold, if anything must.
pub(crate) fn push_where<DB: Dialect, R: Row>(
    sql: &mut QueryBuilder<DB>,
    conditions: Vec<Condition>,
) {
    for (n, condition) in conditions.into_iter().enumerate() {
        sql.push(if n == 0 { " WHERE " } else { " AND " });
        match condition {
            Condition::Childless(table, column) => push_childless::<DB, R>(sql, table, column),
            Condition::Column(name, test) => {
                let kind = R::COLUMNS[R::column(name)].kind;
                push_test(sql, kind, name, test);
            }
        }
    }
}

/// Writes that no row of a table names this one.
pub(crate) fn push_childless<DB: Dialect, R: Row>(
    sql: &mut QueryBuilder<DB>,
    table: &str,
    column: &str,
) {
    let (parent, key) = (R::TABLE, key::<R>());
    sql.push(format_args!(
        "NOT EXISTS (SELECT 1 FROM {table} child WHERE child.{column} = {parent}.{key})"
    ));
}

fn push_test<DB: Dialect>(sql: &mut QueryBuilder<DB>, kind: Kind, name: &str, test: Test) {
    let (sign, value) = match test {
        Test::Is(value) => (" = ", value),
        Test::IsNot(value) => (" <> ", value),
        Test::AtLeast(value) => (" >= ", value),
        Test::AtMost(value) => (" <= ", value),
        Test::Below(value) => (" < ", value),
        Test::Has(text) => return DB::push_has(sql, name, text),
        Test::OneOf(words) => {
            sql.push(DB::compared(kind, name)).push(" IN (");
            for (n, word) in words.into_iter().enumerate() {
                sql.push(if n == 0 { "" } else { ", " });
                DB::push_value(sql, kind, word);
            }
            sql.push(")");
            return;
        }
    };
    sql.push(DB::compared(kind, name)).push(sign);
    DB::push_value(sql, kind, value);
}

/// A whole question.
pub(crate) fn select<DB: Dialect, R: Row>(select: Select) -> QueryBuilder<DB>
where
    DB::Arguments: Default,
{
    let mut sql = QueryBuilder::new(format!("SELECT {} FROM {}", columns::<DB, R>(), R::TABLE));
    push_where::<DB, R>(&mut sql, select.conditions);
    let kind = R::COLUMNS[R::column(select.sort_by)].kind;
    let direction = match select.sort_order {
        SortOrder::Asc => "ASC",
        SortOrder::Desc => "DESC",
    };
    // Of the table: the name alone is what is read, which may be text where the column is a number.
    let sorted = |kind, name| DB::sorted(kind, &format!("{}.{name}", R::TABLE));
    let (by, then) = (sorted(kind, select.sort_by), sorted(Kind::Text, key::<R>()));
    sql.push(format_args!(" ORDER BY {by} {direction}, {then}"));
    // Numbers of ours, within bounds that were checked.
    if let Some(limit) = select.limit {
        sql.push(format_args!(" LIMIT {limit} OFFSET {}", select.offset));
    }
    sql
}

/// One row by its name.
pub(crate) fn by_id<DB: Dialect, R: Row>(id: &str) -> QueryBuilder<DB>
where
    DB::Arguments: Default,
{
    let (columns, table, key) = (columns::<DB, R>(), R::TABLE, key::<R>());
    let mut sql = QueryBuilder::new(format!("SELECT {columns} FROM {table} WHERE {key} = "));
    DB::push_value(&mut sql, Kind::Text, Value::Text(id.to_owned()));
    sql
}

/// A row over the one with its name.
pub(crate) fn update<DB: Dialect, R: Row>(row: &R) -> QueryBuilder<DB>
where
    DB::Arguments: Default,
{
    let mut sql = QueryBuilder::new(format!("UPDATE {} SET ", R::TABLE));
    for (n, (at, kind, name)) in written::<DB, R>().skip(1).enumerate() {
        sql.push(if n == 0 { "" } else { ", " }).push(name).push(" = ");
        DB::push_value(&mut sql, kind, row.value(at));
    }
    sql.push(" WHERE ").push(key::<R>()).push(" = ");
    DB::push_value(&mut sql, Kind::Text, row.value(0));
    sql
}

/// A new row, which belongs to no stream.
pub(crate) fn insert<DB: Dialect, R: Row>(row: &R) -> QueryBuilder<DB>
where
    DB::Arguments: Default,
{
    let names: Vec<_> = written::<DB, R>().map(|(_, _, name)| name).collect();
    let mut sql =
        QueryBuilder::new(format!("INSERT INTO {} ({}) VALUES (", R::TABLE, names.join(", ")));
    for (n, (at, kind, _)) in written::<DB, R>().enumerate() {
        sql.push(if n == 0 { "" } else { ", " });
        DB::push_value(&mut sql, kind, row.value(at));
    }
    sql.push(")");
    sql
}

/// Takes a row away, unless rows of others belong to it.
pub(crate) fn delete<DB: Dialect, R: Row>(id: &str) -> QueryBuilder<DB>
where
    DB::Arguments: Default,
{
    let mut sql = QueryBuilder::new(format!("DELETE FROM {} WHERE {} = ", R::TABLE, key::<R>()));
    DB::push_value(&mut sql, Kind::Text, Value::Text(id.to_owned()));
    for (table, column) in R::CHILDREN {
        sql.push(" AND ");
        push_childless::<DB, R>(&mut sql, table, column);
    }
    sql
}

/// What stands against taking a row away: it is not there, or a table has children of it.
pub(crate) fn why_not_deleted<R: Row>(id: &str, there: bool) -> StorageError {
    match R::CHILDREN.first().filter(|_| there) {
        Some((children, _)) => {
            StorageError::HasChildren { table: R::TABLE, id: id.to_owned(), children }
        }
        None => StorageError::not_found(R::TABLE, id),
    }
}

/// What to write when a row is there already: its place is taken, or nothing happens.
pub(crate) fn on_conflict<DB: Dialect, R: Row>() -> String {
    if R::ONCE {
        return " ON CONFLICT DO NOTHING".to_owned();
    }
    let set = written::<DB, R>().skip(1).map(|(_, _, name)| format!("{name} = excluded.{name}"));
    let set = set.collect::<Vec<_>>().join(", ");
    format!(" ON CONFLICT ({}) DO UPDATE SET {set}, stream = excluded.stream", key::<R>())
}

/// Rows of a stream that are to go, in an order in which they can.
pub(crate) fn wipe<DB: Dialect>(stream: &str) -> Vec<QueryBuilder<DB>>
where
    DB::Arguments: Default,
{
    fn of<DB: Dialect, R: Row>(stream: &str) -> QueryBuilder<DB>
    where
        DB::Arguments: Default,
    {
        let mut sql = QueryBuilder::new(format!("DELETE FROM {} WHERE stream = ", R::TABLE));
        DB::push_value(&mut sql, Kind::Text, Value::Text(stream.to_owned()));
        for (table, column) in R::CHILDREN {
            sql.push(" AND ");
            push_childless::<DB, R>(&mut sql, table, column);
        }
        sql
    }
    use crate::model::{Order, Position, Strategy, Trade};
    let mut forget = QueryBuilder::new("DELETE FROM projections WHERE stream = ");
    DB::push_value(&mut forget, Kind::Text, Value::Text(stream.to_owned()));
    vec![
        of::<DB, Trade>(stream),
        of::<DB, Position>(stream),
        of::<DB, Order>(stream),
        of::<DB, Strategy>(stream),
        forget,
    ]
}

/// A cell that a store keeps as text.
pub(crate) fn parse(store: Store, kind: Kind, text: String) -> Result<Value> {
    let unreadable = |what: &str| StorageError::Unreadable {
        store: store.name(),
        why: format!("a cell is no {what} that can be used"),
    };
    Ok(match kind {
        Kind::Text | Kind::Word(_) => Value::Text(text),
        Kind::Number => {
            let number = Decimal::from_str_exact(&text).map_err(|_| unreadable("number"))?;
            Value::Number(number.normalize())
        }
        Kind::Count => Value::Count(text.parse().map_err(|_| unreadable("count"))?),
        Kind::Time => {
            Value::Time(Moment::from_micros(text.parse().map_err(|_| unreadable("time"))?))
        }
        Kind::Json => Value::Json(serde_json::from_str(&text).map_err(|_| unreadable("JSON"))?),
        Kind::Texts => Value::Texts(serde_json::from_str(&text).map_err(|_| unreadable("list"))?),
    })
}

/// A value as text, for stores that keep it so.
pub(crate) fn print(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Text(text) => Some(text),
        Value::Word(word) => Some(word.to_owned()),
        Value::Number(number) => Some(number.normalize().to_string()),
        Value::Count(count) => Some(count.to_string()),
        Value::Time(moment) => Some(moment.to_string()),
        Value::Json(json) => Some(json.to_string()),
        Value::Texts(texts) => Some(serde_json::Value::from(texts).to_string()),
    }
}

/// A sequence as both databases count: up to 2^63 - 1.
pub(crate) fn sequence(sequence: u64) -> Result<i64> {
    i64::try_from(sequence).map_err(|_| StorageError::invalid("a sequence", "is beyond 63 bits"))
}
