//! One table in memory: its rows, the streams they came from, and what must be unique among them.

use crate::model::{Order, Position, Strategy, Trade};
use crate::projection::Sorted;
use crate::row::{Row, Value};
use crate::tables::{Condition, Test};
use crate::{Moment, Result, StorageError};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, HashMap, HashSet};

/// A row and the stream that it came from, if it came from one.
#[derive(Clone)]
struct Held<R> {
    row: R,
    stream: Option<String>,
}

/// One table.
pub struct Shelf<R> {
    rows: BTreeMap<String, Held<R>>,
    /// Who has what nobody else may have.
    unique: HashMap<(&'static str, String), String>,
}

impl<R> Default for Shelf<R> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), unique: HashMap::new() }
    }
}

impl<R: Row> Shelf<R> {
    pub fn get(&self, id: &str) -> Option<&R> {
        self.rows.get(id).map(|held| &held.row)
    }

    /// Puts a row in, or in place of the one with its name.
    pub fn put(&mut self, mut row: R, stream: Option<String>) -> Result<()> {
        row.tidy();
        for (what, value) in row.unique() {
            if self.unique.get(&(what, value)).is_some_and(|owner| owner != row.id()) {
                let why = format!("another row has the same {what}");
                return Err(StorageError::conflict(R::TABLE, row.id(), why));
            }
        }
        self.take(row.id());
        for key in row.unique() {
            self.unique.insert(key, row.id().to_owned());
        }
        self.rows.insert(row.id().to_owned(), Held { row, stream });
        Ok(())
    }

    /// Puts a row in place of the one with its name, which keeps its stream.
    pub fn replace(&mut self, row: R) -> Result<()> {
        let stream = self.rows.get(row.id()).and_then(|held| held.stream.clone());
        self.put(row, stream)
    }

    pub fn take(&mut self, id: &str) {
        if let Some(held) = self.rows.remove(id) {
            for key in held.row.unique() {
                self.unique.remove(&key);
            }
        }
    }

    pub fn wipe(&mut self, stream: &str) {
        self.wipe_except(stream, &HashSet::new());
    }

    /// Takes away what came from a stream, except rows that others belong to.
    pub fn wipe_except(&mut self, stream: &str, used: &HashSet<String>) {
        let from = |held: &Held<R>| held.stream.as_deref() == Some(stream);
        let gone = self.rows.iter().filter(|(id, held)| from(held) && !used.contains(*id));
        let gone: Vec<_> = gone.map(|(id, _)| id.clone()).collect();
        for id in gone {
            self.take(&id);
        }
    }

    fn upsert(&mut self, rows: &[&R], stream: &str) -> Result<()> {
        for row in rows {
            if R::ONCE {
                let known = self.rows.contains_key(row.id())
                    || row.unique().into_iter().any(|key| self.unique.contains_key(&key));
                if known {
                    continue;
                }
            }
            self.put((*row).clone(), Some(stream.to_owned()))?;
        }
        Ok(())
    }

    /// What was there under the names of these rows.
    fn remember(&self, rows: &[&R]) -> Remembered<R> {
        rows.iter().map(|row| (row.id().to_owned(), self.rows.get(row.id()).cloned())).collect()
    }

    fn restore(&mut self, before: Remembered<R>) {
        for (id, _) in &before {
            self.take(id);
        }
        for (_, held) in before {
            if let Some(held) = held {
                let put = self.put(held.row, held.stream);
                debug_assert!(put.is_ok(), "what was there together fits together");
            }
        }
    }
}

/// What was there under some names.
type Remembered<R> = Vec<(String, Option<Held<R>>)>;

/// What a batch is about to change, as it was.
pub struct Before {
    strategies: Remembered<Strategy>,
    orders: Remembered<Order>,
    trades: Remembered<Trade>,
    positions: Remembered<Position>,
}

/// The four tables, and how far each stream is.
#[derive(Default)]
pub struct Shelves {
    pub strategies: Shelf<Strategy>,
    pub orders: Shelf<Order>,
    pub trades: Shelf<Trade>,
    pub positions: Shelf<Position>,
    pub applied: BTreeMap<String, u64>,
}

impl Shelves {
    /// What the rows of a table name in a column.
    pub fn names(&self, table: &str, column: &str) -> HashSet<String> {
        fn all<R: Row>(shelf: &Shelf<R>, column: &str) -> HashSet<String> {
            let at = R::column(column);
            let names = shelf.rows.values().filter_map(|held| match held.row.value(at) {
                Value::Text(name) => Some(name),
                _ => None,
            });
            names.collect()
        }
        match table {
            "orders" => all(&self.orders, column),
            "trades" => all(&self.trades, column),
            "positions" => all(&self.positions, column),
            _ => all(&self.strategies, column),
        }
    }

    fn has(&self, table: &str, id: &str) -> bool {
        match table {
            "orders" => self.orders.get(id).is_some(),
            _ => self.strategies.get(id).is_some(),
        }
    }

    pub fn check_parents<R: Row>(&self, row: &R) -> Result<()> {
        for (column, table) in R::PARENTS {
            let there = match row.value(R::column(column)) {
                Value::Text(id) => self.has(table, &id),
                _ => true,
            };
            if !there {
                return Err(StorageError::NoParent { table: R::TABLE, id: row.id().to_owned() });
            }
        }
        Ok(())
    }

    /// The rows for which all of this holds.
    pub fn fitting<'a, R: Row>(
        &'a self,
        conditions: &[Condition],
    ) -> impl Iterator<Item = &'a R> + use<'a, R> {
        enum Ready {
            Column(usize, Test),
            Childless(HashSet<String>),
        }
        let ready = conditions.iter().map(|condition| match condition {
            Condition::Column(name, test) => Ready::Column(R::column(name), test.clone()),
            Condition::Childless(table, column) => Ready::Childless(self.names(table, column)),
        });
        let ready: Vec<_> = ready.collect();
        R::shelf(self).rows.values().map(|held| &held.row).filter(move |row| {
            ready.iter().all(|condition| match condition {
                Ready::Column(at, test) => passes(&row.value(*at), test),
                Ready::Childless(names) => !names.contains(row.id()),
            })
        })
    }

    pub(crate) fn clone_touched(&self, rows: &Sorted<'_>) -> Before {
        Before {
            strategies: self.strategies.remember(&rows.strategies),
            orders: self.orders.remember(&rows.orders),
            trades: self.trades.remember(&rows.trades),
            positions: self.positions.remember(&rows.positions),
        }
    }

    pub fn restore(&mut self, before: Before) {
        self.strategies.restore(before.strategies);
        self.orders.restore(before.orders);
        self.trades.restore(before.trades);
        self.positions.restore(before.positions);
    }

    /// Writes rows, parents before children. What was written before an error stays.
    pub(crate) fn write_all(&mut self, rows: &Sorted<'_>, stream: &str) -> Result<()> {
        self.strategies.upsert(&rows.strategies, stream)?;
        self.check_all(&rows.orders)?;
        self.orders.upsert(&rows.orders, stream)?;
        self.check_all(&rows.trades)?;
        self.trades.upsert(&rows.trades, stream)?;
        self.check_all(&rows.positions)?;
        self.positions.upsert(&rows.positions, stream)
    }

    fn check_all<R: Row>(&self, rows: &[&R]) -> Result<()> {
        rows.iter().try_for_each(|row| self.check_parents(*row))
    }
}

/// A value in the order in which stores sort: null last of all, texts by their bytes.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Text(String),
    Number(Decimal),
    Count(i64),
    Time(Moment),
    Null,
}

impl Key {
    pub fn of(value: Value) -> Self {
        match value {
            Value::Text(text) => Self::Text(text),
            Value::Word(word) => Self::Text(word.to_owned()),
            Value::Number(number) => Self::Number(number),
            Value::Count(count) => Self::Count(count),
            Value::Time(moment) => Self::Time(moment),
            Value::Null | Value::Json(_) | Value::Texts(_) => Self::Null,
        }
    }
}

/// Whether a value passes. Null passes nothing, as in SQL.
fn passes(value: &Value, test: &Test) -> bool {
    if *value == Value::Null {
        return false;
    }
    let key = || Key::of(value.clone());
    match test {
        Test::Is(other) => value == other,
        Test::IsNot(other) => value != other,
        Test::AtLeast(other) => key() >= Key::of(other.clone()),
        Test::AtMost(other) => key() <= Key::of(other.clone()),
        Test::Below(other) => key() < Key::of(other.clone()),
        Test::OneOf(words) => words.contains(value),
        Test::Has(text) => matches!(value, Value::Texts(texts) if texts.contains(text)),
    }
}
