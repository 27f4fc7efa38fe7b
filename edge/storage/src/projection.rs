//! What the journal says, written as rows.
//!
//! A stream of journal records becomes batches of whole rows. A store remembers the last sequence that
//! it has of each stream, in the same transaction as the rows: so whoever writes may ask after any
//! accident, and go on from there. Only one writer, the projector, uses this.

use crate::model::{Order, Position, Strategy, Trade};
use crate::{Result, StorageError};
use async_trait::async_trait;

/// A row as it stands after a batch. Trades are written once; of the others the last word counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A strategy.
    Strategy(Strategy),
    /// An order.
    Order(Order),
    /// A trade.
    Trade(Trade),
    /// A position.
    Position(Position),
}

/// The rows that journal records `from..=to` made or changed.
///
/// A batch that was made from a snapshot begins at 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// The first sequence.
    pub from: u64,
    /// The last sequence.
    pub to: u64,
    /// Whole rows, in the order they came about.
    pub changes: Vec<Change>,
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Its rows are there now, and the store is at this sequence.
    Now(u64),
    /// They were there before: the store is at this sequence, and nothing was done.
    Before(u64),
}

/// A store that follows the journal.
///
/// Rows are the engine's word: here they are not validated again, so that what the engine books can
/// always be written.
#[async_trait]
pub trait Projection: Send + Sync {
    /// The streams that this store has rows of.
    async fn streams(&self) -> Result<Vec<String>>;

    /// The last sequence of a stream that this store has, if it has any.
    async fn applied(&self, stream: &str) -> Result<Option<u64>>;

    /// Writes a batch and remembers how far the stream is, all of it or nothing.
    ///
    /// After [`Unavailable`](StorageError::Unavailable) either may have happened; `applied` says which,
    /// and to apply the same batch again is safe.
    ///
    /// # Errors
    /// [`Gap`](StorageError::Gap) if records before it are missing: a stream that is not there yet
    /// begins at 0 or 1.
    async fn apply(&self, stream: &str, batch: &Batch) -> Result<Applied>;

    /// Forgets a stream and every row that came from it.
    async fn wipe(&self, stream: &str) -> Result<()>;
}

/// The rows of a batch by table, each row once.
#[derive(Default)]
pub(crate) struct Sorted<'a> {
    pub strategies: Vec<&'a Strategy>,
    pub orders: Vec<&'a Order>,
    pub trades: Vec<&'a Trade>,
    pub positions: Vec<&'a Position>,
}

impl<'a> Sorted<'a> {
    pub(crate) fn new(batch: &'a Batch) -> Self {
        let mut sorted = Self::default();
        for change in &batch.changes {
            match change {
                Change::Strategy(row) => sorted.strategies.push(row),
                Change::Order(row) => sorted.orders.push(row),
                Change::Trade(row) => sorted.trades.push(row),
                Change::Position(row) => sorted.positions.push(row),
            }
        }
        keep_last(&mut sorted.strategies, |row| &row.strategy_id);
        keep_last(&mut sorted.orders, |row| &row.order_id);
        keep_last(&mut sorted.positions, |row| &row.position_id);
        // Of trades the first counts, as it would in the table.
        sorted.trades.reverse();
        keep_last(&mut sorted.trades, |row| &row.trade_id);
        sorted.trades.reverse();
        sorted
    }
}

fn keep_last<'a, T>(rows: &mut Vec<&'a T>, id: impl Fn(&'a T) -> &'a String) {
    let mut seen = std::collections::HashSet::with_capacity(rows.len());
    let mut kept: Vec<_> = rows.iter().rev().copied().filter(|row| seen.insert(id(row))).collect();
    kept.reverse();
    *rows = kept;
}

/// Whether a batch is to be written, given how far the stream is.
///
/// # Errors
/// It leaves a gap, or is none.
pub(crate) fn is_news(stream: &str, applied: Option<u64>, batch: &Batch) -> Result<bool> {
    if batch.from > batch.to {
        let why = format!("ends before it begins: {} to {}", batch.from, batch.to);
        return Err(StorageError::invalid("a batch", why));
    }
    let next = applied.map_or(1, |applied| applied.saturating_add(1));
    if batch.from > next {
        return Err(StorageError::Gap { stream: stream.to_owned(), from: batch.from, applied });
    }
    Ok(applied.is_none_or(|applied| batch.to > applied))
}

/// A name for a stream that every store can keep.
pub(crate) fn check_stream(stream: &str) -> Result<()> {
    if stream.is_empty() || stream.len() > crate::model::NAME_MAX || stream.contains('\0') {
        return Err(StorageError::invalid("a stream", "has no usable name"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(from: u64, to: u64) -> Batch {
        Batch { from, to, changes: Vec::new() }
    }

    #[test]
    fn a_batch_is_news_a_repetition_or_leaves_a_gap() {
        for (applied, from, to, news) in [
            (None, 0, 5, true),
            (None, 1, 1, true),
            (Some(5), 6, 9, true),
            (Some(5), 4, 9, true),
            (Some(5), 0, 5, false),
            (Some(5), 3, 4, false),
        ] {
            assert_eq!(
                is_news("s", applied, &batch(from, to)),
                Ok(news),
                "{applied:?} {from} {to}"
            );
        }
        for (applied, from) in [(None, 2), (Some(5), 7)] {
            let gap = is_news("s", applied, &batch(from, 9)).expect_err("a gap");
            assert_eq!(gap, StorageError::Gap { stream: "s".to_owned(), from, applied });
        }
        assert_eq!(is_news("s", None, &batch(1, 0)).expect_err("none").code(), "TSE-P003");
    }
}
