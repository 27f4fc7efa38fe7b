//! Rows in memory: where a node has no other store, and what answers while one is away.

mod cache;
mod discovery;
mod glob;
mod shelf;

pub use cache::MemoryCache;
pub(crate) use cache::parse_json;
pub use discovery::MemoryDiscovery;
pub(crate) use shelf::{Shelf, Shelves};

use crate::model::SortOrder;
use crate::projection::{Sorted, check_stream, is_news};
use crate::row::{Row, Value};
use crate::tables::{self, Condition, Edit, Select, Tables};
use crate::{Applied, Batch, Clock, Moment, Projection, Result, StorageError};
use async_trait::async_trait;
use rust_decimal::Decimal;
use std::fmt;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The four tables in memory.
pub struct Memory {
    clock: Arc<dyn Clock>,
    shelves: RwLock<Shelves>,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Memory {
    /// Empty tables.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, shelves: RwLock::default() }
    }

    fn read(&self) -> RwLockReadGuard<'_, Shelves> {
        // Every change below is checked before it begins, so a panic leaves nothing half done.
        self.shelves.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shelves> {
        self.shelves.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Tables for Memory {
    fn now(&self) -> Moment {
        self.clock.now()
    }

    async fn insert<R: Row>(&self, row: &R) -> Result<()> {
        let mut shelves = self.write();
        shelves.check_parents(row)?;
        if R::shelf(&shelves).get(row.id()).is_some() {
            return Err(StorageError::conflict(R::TABLE, row.id(), "is there already"));
        }
        R::shelf_mut(&mut shelves).put(row.clone(), None)
    }

    async fn get<R: Row>(&self, id: &str) -> Result<Option<R>> {
        Ok(R::shelf(&self.read()).get(id).cloned())
    }

    async fn change<R: Row>(&self, id: &str, edit: Edit<R>) -> Result<()> {
        let now = self.clock.now();
        let mut shelves = self.write();
        let row = R::shelf(&shelves).get(id);
        let mut row = row.cloned().ok_or_else(|| StorageError::not_found(R::TABLE, id))?;
        edit(&mut row)?;
        row.touch(now);
        shelves.check_parents(&row)?;
        R::shelf_mut(&mut shelves).replace(row)
    }

    async fn delete<R: Row>(&self, id: &str) -> Result<()> {
        let mut shelves = self.write();
        if R::shelf(&shelves).get(id).is_none() {
            return Err(StorageError::not_found(R::TABLE, id));
        }
        for (table, column) in R::CHILDREN {
            if shelves.names(table, column).contains(id) {
                return Err(StorageError::HasChildren {
                    table: R::TABLE,
                    id: id.to_owned(),
                    children: table,
                });
            }
        }
        R::shelf_mut(&mut shelves).take(id);
        Ok(())
    }

    async fn select<R: Row>(&self, select: Select) -> Result<Vec<R>> {
        let shelves = self.read();
        let column = R::column(select.sort_by);
        let mut rows: Vec<_> = shelves
            .fitting::<R>(&select.conditions)
            .map(|row| (shelf::Key::of(row.value(column)), row))
            .collect();
        rows.sort_by(|(a, first), (b, second)| {
            let by_column = match select.sort_order {
                SortOrder::Asc => a.cmp(b),
                SortOrder::Desc => b.cmp(a),
            };
            by_column.then_with(|| first.id().cmp(second.id()))
        });
        let rows = rows.into_iter().map(|(_, row)| row.clone()).skip(select.offset as usize);
        Ok(match select.limit {
            Some(limit) => rows.take(limit as usize).collect(),
            None => rows.collect(),
        })
    }

    async fn sum<R: Row>(
        &self,
        column: &'static str,
        conditions: Vec<Condition>,
    ) -> Result<Decimal> {
        let shelves = self.read();
        let at = R::column(column);
        let numbers = shelves.fitting::<R>(&conditions).filter_map(|row| match row.value(at) {
            Value::Number(number) => Some(number),
            _ => None,
        });
        tables::sum(column, numbers)
    }

    async fn delete_where<R: Row>(&self, conditions: Vec<Condition>) -> Result<u64> {
        let mut shelves = self.write();
        let ids: Vec<_> =
            shelves.fitting::<R>(&conditions).map(|row| row.id().to_owned()).collect();
        for id in &ids {
            R::shelf_mut(&mut shelves).take(id);
        }
        Ok(ids.len() as u64)
    }
}

#[async_trait]
impl Projection for Memory {
    async fn streams(&self) -> Result<Vec<String>> {
        Ok(self.read().applied.keys().cloned().collect())
    }

    async fn applied(&self, stream: &str) -> Result<Option<u64>> {
        Ok(self.read().applied.get(stream).copied())
    }

    async fn apply(&self, stream: &str, batch: &Batch) -> Result<Applied> {
        check_stream(stream)?;
        let mut shelves = self.write();
        let applied = shelves.applied.get(stream).copied();
        if !is_news(stream, applied, batch)? {
            return Ok(Applied::Before(applied.unwrap_or(batch.to)));
        }
        let rows = Sorted::new(batch);
        let before = shelves.clone_touched(&rows);
        let written = shelves.write_all(&rows, stream);
        if let Err(wrong) = written {
            shelves.restore(before);
            return Err(wrong);
        }
        shelves.applied.insert(stream.to_owned(), batch.to);
        Ok(Applied::Now(batch.to))
    }

    async fn wipe(&self, stream: &str) -> Result<()> {
        let mut shelves = self.write();
        shelves.trades.wipe(stream);
        shelves.positions.wipe(stream);
        let trades = shelves.names("trades", "order_id");
        shelves.orders.wipe_except(stream, &trades);
        let mut used = shelves.names("trades", "strategy_id");
        used.extend(shelves.names("orders", "strategy_id"));
        used.extend(shelves.names("positions", "strategy_id"));
        shelves.strategies.wipe_except(stream, &used);
        shelves.applied.remove(stream);
        Ok(())
    }
}
