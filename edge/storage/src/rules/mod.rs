//! The repositories of rows, written once for every store that has [`Tables`].
//!
//! What a change means (when an order may be cancelled, what follows from a price) is decided by the
//! models, so that no two stores can differ in it.

mod orders;
mod positions;
mod strategies;
mod trades;

use crate::row::Value;
use crate::tables::{Tables, Test};
use crate::{OrdersRepository, PositionsRepository, StrategiesRepository, TradesRepository};
use std::sync::Arc;

/// The four repositories of a store of rows.
pub trait Repositories {
    /// Strategies.
    fn strategies(&self) -> &dyn StrategiesRepository;
    /// Orders.
    fn orders(&self) -> &dyn OrdersRepository;
    /// Trades.
    fn trades(&self) -> &dyn TradesRepository;
    /// Positions.
    fn positions(&self) -> &dyn PositionsRepository;
}

impl<T: Tables> Repositories for T {
    fn strategies(&self) -> &dyn StrategiesRepository {
        self
    }

    fn orders(&self) -> &dyn OrdersRepository {
        self
    }

    fn trades(&self) -> &dyn TradesRepository {
        self
    }

    fn positions(&self) -> &dyn PositionsRepository {
        self
    }
}

fn text(value: impl Into<String>) -> Test {
    Test::Is(Value::Text(value.into()))
}

fn word(value: &'static str) -> Test {
    Test::Is(Value::Word(value))
}

fn edit<R>(
    edit: impl Fn(&mut R) -> crate::Result<()> + Send + Sync + 'static,
) -> crate::tables::Edit<R> {
    Arc::new(edit)
}
