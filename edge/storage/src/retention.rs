//! How long rows are kept, and the job that takes older ones away.
//!
//! Only what has ended goes: orders in a terminal status, closed positions, stopped strategies. A row that
//! others belong to stays until they are gone, since taking it away would take them with it. The journal
//! is not touched; a store that is rebuilt from it has old rows again until the next sweep.

use crate::model::{Order, OrderStatus, Position, Strategy, StrategyStatus, Trade};
use crate::row::{Row, Value};
use crate::tables::{Condition, Tables, Test};
use crate::{Moment, Result};
use rust_decimal::Decimal;

/// For how many days rows are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Orders that ended, since they last changed.
    pub orders: u32,
    /// Trades, since they were executed.
    pub trades: u32,
    /// Positions, since they were closed.
    pub positions: u32,
    /// Strategies that stopped, since then.
    pub strategies: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { orders: 90, trades: 365, positions: 180, strategies: 365 }
    }
}

/// What a sweep took away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Orders.
    pub orders: u64,
    /// Trades.
    pub trades: u64,
    /// Positions.
    pub positions: u64,
    /// Strategies.
    pub strategies: u64,
}

/// Takes away what is older than it may be.
///
/// # Errors
/// What the store says. What was taken away by then is gone; the next sweep goes on.
pub async fn sweep<T: Tables>(store: &T, keep: Retention, now: Moment) -> Result<Swept> {
    // Children before parents, so that what becomes free in one sweep goes in the same.
    let trades = trades(store, now.days_before(keep.trades)).await?;
    let orders = orders(store, now.days_before(keep.orders)).await?;
    let positions = positions(store, now.days_before(keep.positions)).await?;
    let strategies = strategies(store, now.days_before(keep.strategies)).await?;
    Ok(Swept { orders, trades, positions, strategies })
}

fn before(column: &'static str, moment: Moment) -> Condition {
    Condition::Column(column, Test::Below(Value::Time(moment)))
}

pub(crate) async fn orders<T: Tables>(store: &T, moment: Moment) -> Result<u64> {
    let ended = OrderStatus::TERMINAL.iter().map(|status| Value::Word(status.as_str())).collect();
    let mut conditions =
        vec![Condition::Column("status", Test::OneOf(ended)), before("updated_at", moment)];
    conditions.extend(childless::<Order>());
    store.delete_where::<Order>(conditions).await
}

pub(crate) async fn trades<T: Tables>(store: &T, moment: Moment) -> Result<u64> {
    store.delete_where::<Trade>(vec![before("executed_at", moment)]).await
}

pub(crate) async fn positions<T: Tables>(store: &T, moment: Moment) -> Result<u64> {
    let closed = Condition::Column("quantity", Test::Is(Value::Number(Decimal::ZERO)));
    store.delete_where::<Position>(vec![closed, before("closed_at", moment)]).await
}

async fn strategies<T: Tables>(store: &T, moment: Moment) -> Result<u64> {
    let ended = [StrategyStatus::Stopped, StrategyStatus::Error];
    let ended = ended.iter().map(|status| Value::Word(status.as_str())).collect();
    let mut conditions =
        vec![Condition::Column("status", Test::OneOf(ended)), before("stopped_at", moment)];
    conditions.extend(childless::<Strategy>());
    store.delete_where::<Strategy>(conditions).await
}

/// That nothing belongs to it.
fn childless<R: Row>() -> impl Iterator<Item = Condition> {
    R::CHILDREN.iter().map(|(table, column)| Condition::Childless(table, column))
}
