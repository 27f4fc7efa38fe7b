//! Compares two stores row by row: one that has followed, and one that was just made of the same journal.

use crate::projector::Store;
use serde_json::Value;
use std::collections::BTreeMap;
use tse_storage::{OrderQuery, PositionQuery, SortOrder, StorageError, StrategyQuery, TradeQuery};

/// How many rows are asked for at once.
const PAGE: u32 = 1_000;
/// How many differences are told.
const TOLD: usize = 20;

/// What two stores have in common.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Comparison {
    /// How many rows of each table were compared.
    pub rows: BTreeMap<&'static str, u64>,
    /// How many differ.
    pub differ: u64,
    /// The first of those, in words.
    pub differences: Vec<String>,
}

impl Comparison {
    fn rows(&mut self, table: &'static str, own: &Rows, other: &Rows) {
        let ids = own.keys().chain(other.keys().filter(|id| !own.contains_key(*id)));
        for id in ids {
            *self.rows.entry(table).or_default() += 1;
            let what = match (own.get(id), other.get(id)) {
                (Some(own), Some(other)) if own == other => continue,
                (Some(own), Some(other)) => fields(own, other),
                (Some(_), None) => "is not what the journal says: it says nothing of it".to_owned(),
                (None, _) => "is missing".to_owned(),
            };
            self.differ += 1;
            if self.differences.len() < TOLD {
                self.differences.push(format!("{table} `{id}` {what}"));
            }
        }
    }
}

/// The fields in which two rows differ.
fn fields(own: &Value, other: &Value) -> String {
    let empty = serde_json::Map::new();
    let (own, other) = (own.as_object().unwrap_or(&empty), other.as_object().unwrap_or(&empty));
    let differ = own.iter().filter(|(key, value)| other.get(*key) != Some(value));
    let each = differ.map(|(key, value)| {
        format!("{key} is {value} and not {}", other.get(key).unwrap_or(&Value::Null))
    });
    each.collect::<Vec<_>>().join(", ")
}

type Rows = BTreeMap<String, Value>;

macro_rules! pages {
    ($repository:expr, $query:ident, $id:ident) => {{
        let mut rows = Rows::new();
        let mut offset = 0;
        loop {
            let query =
                $query { limit: PAGE, offset, sort_order: SortOrder::Asc, ..$query::default() };
            let page = $repository.query(&query).await?;
            let count = page.len() as u32;
            for row in page {
                let value = serde_json::to_value(&row).expect("rows are plain data");
                rows.insert(row.$id, value);
            }
            if count < PAGE {
                break rows;
            }
            offset += count;
        }
    }};
}

/// Compares `store` with what it should be.
///
/// # Errors
/// What a store says.
pub async fn compare(store: &dyn Store, should_be: &dyn Store) -> Result<Comparison, StorageError> {
    let mut found = Comparison::default();
    let own = pages!(store.strategies(), StrategyQuery, strategy_id);
    let other = pages!(should_be.strategies(), StrategyQuery, strategy_id);
    found.rows("strategies", &own, &other);
    let own = pages!(store.orders(), OrderQuery, order_id);
    let other = pages!(should_be.orders(), OrderQuery, order_id);
    found.rows("orders", &own, &other);
    let own = pages!(store.trades(), TradeQuery, trade_id);
    let other = pages!(should_be.trades(), TradeQuery, trade_id);
    found.rows("trades", &own, &other);
    let own = pages!(store.positions(), PositionQuery, position_id);
    let other = pages!(should_be.positions(), PositionQuery, position_id);
    found.rows("positions", &own, &other);
    Ok(found)
}
