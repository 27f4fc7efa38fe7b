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
    fn rows(&mut self, table: &'static str, own: &Rows, other: &Rows, kept: &Rows) {
        let missing = kept.keys().filter(|id| !own.contains_key(*id));
        for id in own.keys().chain(missing) {
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

/// Compares `store` with what the journal says, of which it must have what is `kept`: what is older may have been taken
/// away.
///
/// # Errors
/// What a store says.
pub async fn compare(
    store: &dyn Store,
    journal: &dyn Store,
    kept: &dyn Store,
) -> Result<Comparison, StorageError> {
    let mut found = Comparison::default();
    macro_rules! table {
        ($table:literal, $rows:ident, $query:ident, $id:ident) => {
            let own = pages!(store.$rows(), $query, $id);
            let other = pages!(journal.$rows(), $query, $id);
            let kept = pages!(kept.$rows(), $query, $id);
            found.rows($table, &own, &other, &kept);
        };
    }
    table!("strategies", strategies, StrategyQuery, strategy_id);
    table!("orders", orders, OrderQuery, order_id);
    table!("trades", trades, TradeQuery, trade_id);
    table!("positions", positions, PositionQuery, position_id);
    Ok(found)
}
