//! Questions about many rows. Every filter may be left out; both ends of a range belong to it.

use super::{OrderStatus, OrderType, Side, SortOrder, StrategyStatus, StrategyType, check};
use crate::{Moment, Result};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// The most rows that one question is answered with.
pub const LIMIT_MAX: u32 = 1_000;

macro_rules! question {
    ($(#[$doc:meta])* $name:ident, sorts by $sort:ident { $first:ident = $first_text:literal $(, $key:ident = $text:literal)* $(,)? },
        $($(#[$each:meta])* $field:ident: $type:ty),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[$each])* pub $field: Option<$type>,)+
            /// The column that decides the order; rows that are equal in it follow their names.
            pub sort_by: $sort,
            /// Which end comes first.
            pub sort_order: SortOrder,
            /// How many at most, from 1 to 1,000.
            pub limit: u32,
            /// How many to pass over.
            pub offset: u32,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    $($field: None,)+
                    sort_by: $sort::$first,
                    sort_order: SortOrder::Desc,
                    limit: 100,
                    offset: 0,
                }
            }
        }

        impl $name {
            /// Whether it can be answered.
            ///
            /// # Errors
            /// The limit is out of bounds, or a range ends before it begins.
            pub fn validate(&self) -> Result<()> {
                check((1..=LIMIT_MAX).contains(&self.limit), "limit", || {
                    format!("is not from 1 to {LIMIT_MAX}: {}", self.limit)
                })?;
                self.ranges()
            }
        }

        #[doc = concat!("What a [`", stringify!($name), "`] may sort by.")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $sort {
            #[doc = concat!("By `", $first_text, "`.")]
            #[serde(rename = $first_text)]
            $first,
            $(#[doc = concat!("By `", $text, "`.")] #[serde(rename = $text)] $key,)*
        }

        impl $sort {
            /// The column's name.
            pub const fn column(self) -> &'static str {
                match self { Self::$first => $first_text $(, Self::$key => $text)* }
            }
        }
    };
}

question! {
    /// Which strategies.
    StrategyQuery, sorts by StrategySort {
        CreatedAt = "created_at", UpdatedAt = "updated_at", Name = "name", TotalPnl = "total_pnl",
    },
    /// Of this type.
    strategy_type: StrategyType,
    /// In this state.
    status: StrategyStatus,
    /// That trade this.
    instrument: String,
    /// Made at this time or later.
    from_date: Moment,
    /// Made at this time or before.
    to_date: Moment,
}

question! {
    /// Which orders.
    OrderQuery, sorts by OrderSort {
        CreatedAt = "created_at", UpdatedAt = "updated_at", InstrumentId = "instrument_id", Quantity = "quantity",
    },
    /// Of this strategy.
    strategy_id: String,
    /// In this instrument.
    instrument_id: String,
    /// This way.
    side: Side,
    /// Of this type.
    order_type: OrderType,
    /// In this state.
    status: OrderStatus,
    /// Made at this time or later.
    from_date: Moment,
    /// Made at this time or before.
    to_date: Moment,
}

question! {
    /// Which trades.
    TradeQuery, sorts by TradeSort {
        ExecutedAt = "executed_at", CreatedAt = "created_at", InstrumentId = "instrument_id",
        Quantity = "quantity", Price = "price", GrossValue = "gross_value",
    },
    /// Of this strategy.
    strategy_id: String,
    /// Of this order.
    order_id: String,
    /// In this instrument.
    instrument_id: String,
    /// This way.
    side: Side,
    /// At this venue.
    execution_venue: String,
    /// Executed at this time or later.
    from_date: Moment,
    /// Executed at this time or before.
    to_date: Moment,
    /// Of at least this gross value.
    min_value: Decimal,
    /// Of at most this gross value.
    max_value: Decimal,
}

question! {
    /// Which positions.
    PositionQuery, sorts by PositionSort {
        LastUpdated = "last_updated", OpenedAt = "opened_at", InstrumentId = "instrument_id",
        MarketValue = "market_value", Exposure = "exposure", TotalPnl = "total_pnl",
    },
    /// Of this strategy.
    strategy_id: String,
    /// In this instrument.
    instrument_id: String,
    /// Whether anything is held.
    is_open: bool,
    /// Last updated at this time or later.
    from_date: Moment,
    /// Last updated at this time or before.
    to_date: Moment,
    /// Of at least this market value.
    min_value: Decimal,
    /// Of at most this market value.
    max_value: Decimal,
}

fn range<T: PartialOrd + std::fmt::Display>(
    what: &str,
    from: Option<&T>,
    to: Option<&T>,
) -> Result<()> {
    match (from, to) {
        (Some(from), Some(to)) if from > to => {
            check(false, what, || format!("ends before it begins: {from} to {to}"))
        }
        _ => Ok(()),
    }
}

impl StrategyQuery {
    fn ranges(&self) -> Result<()> {
        range("from_date", self.from_date.as_ref(), self.to_date.as_ref())
    }
}

impl OrderQuery {
    fn ranges(&self) -> Result<()> {
        range("from_date", self.from_date.as_ref(), self.to_date.as_ref())
    }
}

impl TradeQuery {
    fn ranges(&self) -> Result<()> {
        range("from_date", self.from_date.as_ref(), self.to_date.as_ref())?;
        range("min_value", self.min_value.as_ref(), self.max_value.as_ref())
    }
}

impl PositionQuery {
    fn ranges(&self) -> Result<()> {
        range("from_date", self.from_date.as_ref(), self.to_date.as_ref())?;
        range("min_value", self.min_value.as_ref(), self.max_value.as_ref())
    }
}
