//! Models as rows: columns with a name, a kind and a value.
//!
//! Everything the stores share is written once, against this: what a column is called, what refers to
//! what, which values are unique. A store knows how to keep a [`Value`] and how to compare two.

use crate::memory::{Shelf, Shelves};
use crate::model::{
    Liquidity, Order, OrderStatus, OrderType, Position, Side, Strategy, StrategyStatus,
    StrategyType, TimeInForce, Trade,
};
use crate::{Moment, Result, StorageError};
use rust_decimal::Decimal;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    /// One of a set of words, with the name that the set has in PostgreSQL, if it is a type there.
    Word(Option<&'static str>),
    Number,
    Count,
    Time,
    Json,
    Texts,
}

/// What a cell holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Text(String),
    Word(&'static str),
    Number(Decimal),
    Count(i64),
    Time(Moment),
    Json(Json),
    Texts(Vec<String>),
}

/// A column of a table.
#[derive(Debug)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// A row of a table. Its first column is its name.
pub trait Row: Clone + Send + Sync + 'static {
    const TABLE: &'static str;
    const COLUMNS: &'static [Column];
    /// Rows of other tables that must be there: the column, and the table.
    const PARENTS: &'static [(&'static str, &'static str)];
    /// Rows of other tables that belong to this one: the table, and its column.
    const CHILDREN: &'static [(&'static str, &'static str)];
    /// A row that is written once and never changed.
    const ONCE: bool = false;

    fn id(&self) -> &str;
    fn value(&self, column: usize) -> Value;
    fn from_values(values: Vec<Value>) -> Result<Self>;
    /// What no other row may have, each with a name of its own.
    fn unique(&self) -> Vec<(&'static str, String)>;
    /// Puts every cell in the form in which every store gives it back: a number without zeros at its end.
    fn tidy(&mut self);
    /// Says that the row changes now.
    fn touch(&mut self, now: Moment);
    fn shelf(shelves: &Shelves) -> &Shelf<Self>;
    fn shelf_mut(shelves: &mut Shelves) -> &mut Shelf<Self>;

    /// Which column has this name.
    fn column(name: &str) -> usize {
        let at = Self::COLUMNS.iter().position(|column| column.name == name);
        at.expect("conditions name columns of their table")
    }
}

/// A type that a column can hold.
trait Cell: Sized {
    const KIND: Kind;
    fn put(&self) -> Value;
    /// `None` if it is something else.
    fn take(value: Value) -> Option<Self>;
    /// Puts it in the form in which every store gives it back.
    fn tidy(&mut self) {}
}

macro_rules! cell {
    ($type:ty, $kind:expr, |$it:ident| $put:expr, $pattern:pat => $take:expr) => {
        impl Cell for $type {
            const KIND: Kind = $kind;
            fn put(&self) -> Value {
                let $it = self;
                $put
            }
            fn take(value: Value) -> Option<Self> {
                match value {
                    $pattern => $take,
                    _ => None,
                }
            }
        }
    };
}

cell!(String, Kind::Text, |it| Value::Text(it.clone()), Value::Text(it) => Some(it));

impl Cell for Decimal {
    const KIND: Kind = Kind::Number;
    fn put(&self) -> Value {
        Value::Number(*self)
    }
    fn take(value: Value) -> Option<Self> {
        match value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }
    fn tidy(&mut self) {
        *self = self.normalize();
    }
}

cell!(Moment, Kind::Time, |it| Value::Time(*it), Value::Time(it) => Some(it));
cell!(i64, Kind::Count, |it| Value::Count(*it), Value::Count(it) => Some(it));
cell!(i32, Kind::Count, |it| Value::Count((*it).into()), Value::Count(it) => it.try_into().ok());
cell!(Vec<String>, Kind::Texts, |it| Value::Texts(it.clone()), Value::Texts(it) => Some(it));
cell!(Map<String, Json>, Kind::Json, |it| Value::Json(Json::Object(it.clone())),
    Value::Json(Json::Object(it)) => Some(it));

impl Cell for BTreeMap<String, Decimal> {
    const KIND: Kind = Kind::Json;
    fn put(&self) -> Value {
        let numbers = self.iter();
        let numbers =
            numbers.map(|(name, number)| (name.clone(), number.normalize().to_string().into()));
        Value::Json(Json::Object(numbers.collect()))
    }
    fn take(value: Value) -> Option<Self> {
        match value {
            Value::Json(json) => serde_json::from_value(json).ok(),
            _ => None,
        }
    }
    fn tidy(&mut self) {
        self.values_mut().for_each(Cell::tidy);
    }
}

macro_rules! words {
    ($($type:ty: $name:expr),+ $(,)?) => {
        $(cell!($type, Kind::Word($name), |it| Value::Word(it.as_str()), Value::Text(it) => it.parse().ok());)+
    };
}

words! {
    StrategyStatus: Some("strategy_status"),
    StrategyType: Some("strategy_type"),
    OrderType: Some("order_type"),
    OrderStatus: Some("order_status"),
    Side: Some("order_side"),
    TimeInForce: None,
    Liquidity: None,
}

/// The side of a trade is a type of its own in PostgreSQL.
const TRADE_SIDE: Kind = Kind::Word(Some("trade_side"));

impl<T: Cell> Cell for Option<T> {
    const KIND: Kind = T::KIND;
    fn put(&self) -> Value {
        self.as_ref().map_or(Value::Null, Cell::put)
    }
    fn take(value: Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::take(value).map(Some),
        }
    }
    fn tidy(&mut self) {
        self.iter_mut().for_each(Cell::tidy);
    }
}

macro_rules! kind {
    ($type:ty) => {
        <$type as Cell>::KIND
    };
    ($type:ty, $kind:expr) => {
        $kind
    };
}

macro_rules! row {
    (
        $row:ident in $table:literal on $shelf:ident $(, once: $once:literal)?;
        parents $parents:expr; children $children:expr;
        unique |$it:ident| $unique:expr; touch |$this:ident, $now:ident| $touch:expr;
        $id:ident: $id_type:ty $(, $field:ident: $type:ty $(= $kind:expr)?)+ $(,)?
    ) => {
        impl Row for $row {
            const TABLE: &'static str = $table;
            const COLUMNS: &'static [Column] = &[
                Column { name: stringify!($id), kind: kind!($id_type) },
                $(Column { name: stringify!($field), kind: kind!($type $(, $kind)?) }),+
            ];
            const PARENTS: &'static [(&'static str, &'static str)] = $parents;
            const CHILDREN: &'static [(&'static str, &'static str)] = $children;
            $(const ONCE: bool = $once;)?

            fn id(&self) -> &str {
                &self.$id
            }

            fn value(&self, column: usize) -> Value {
                let mut at = 0;
                if column == at {
                    return self.$id.put();
                }
                $(at += 1;
                if column == at {
                    return self.$field.put();
                })+
                unreachable!("{} has {} columns", $table, at + 1)
            }

            fn from_values(values: Vec<Value>) -> Result<Self> {
                fn next<T: Cell>(values: &mut std::vec::IntoIter<Value>, name: &str) -> Result<T> {
                    let value = values.next().and_then(T::take);
                    value.ok_or_else(|| StorageError::Unreadable {
                        store: $table,
                        why: format!("`{name}` holds what it should not"),
                    })
                }
                let mut values = values.into_iter();
                let values = &mut values;
                Ok(Self {
                    $id: next(values, stringify!($id))?,
                    $($field: next(values, stringify!($field))?),+
                })
            }

            fn unique(&self) -> Vec<(&'static str, String)> {
                let $it = self;
                $unique
            }

            fn tidy(&mut self) {
                Cell::tidy(&mut self.$id);
                $(Cell::tidy(&mut self.$field);)+
            }

            fn touch(&mut self, $now: Moment) {
                let $this = self;
                $touch
            }

            fn shelf(shelves: &Shelves) -> &Shelf<Self> {
                &shelves.$shelf
            }

            fn shelf_mut(shelves: &mut Shelves) -> &mut Shelf<Self> {
                &mut shelves.$shelf
            }
        }
    };
}

row! {
    Strategy in "strategies" on strategies;
    parents &[];
    children &[("orders", "strategy_id"), ("trades", "strategy_id"), ("positions", "strategy_id")];
    unique |_it| Vec::new();
    touch |it, now| it.updated_at = now;
    strategy_id: String, name: String, strategy_type: StrategyType, status: StrategyStatus,
    parameters: Map<String, Json>, instruments: Vec<String>, max_position_size: Option<Decimal>,
    max_daily_loss: Option<Decimal>, max_leverage: Option<Decimal>, total_pnl: Decimal,
    daily_pnl: Decimal, total_trades: i64, started_at: Option<Moment>, stopped_at: Option<Moment>,
    created_at: Moment, updated_at: Moment, version: i32,
}

row! {
    Order in "orders" on orders;
    parents &[("strategy_id", "strategies")];
    children &[("trades", "order_id")];
    unique |it| it.client_order_id.iter().map(|id| ("client_order_id", id.clone())).collect();
    touch |it, now| it.updated_at = now;
    order_id: String, strategy_id: String, instrument_id: String, side: Side, order_type: OrderType,
    status: OrderStatus, time_in_force: TimeInForce, quantity: Decimal, filled_quantity: Decimal,
    remaining_quantity: Decimal, price: Option<Decimal>, stop_price: Option<Decimal>,
    average_fill_price: Option<Decimal>, exchange_order_id: Option<String>,
    execution_venue: Option<String>, commission: Decimal, realized_pnl: Option<Decimal>,
    created_at: Moment, submitted_at: Option<Moment>, filled_at: Option<Moment>,
    cancelled_at: Option<Moment>, updated_at: Moment, error_message: Option<String>,
    client_order_id: Option<String>, correlation_id: Option<String>,
}

row! {
    Trade in "trades" on trades, once: true;
    parents &[("strategy_id", "strategies"), ("order_id", "orders")];
    children &[];
    unique |it| match &it.exchange_trade_id {
        // Rows of the reference have no venue: nobody knows which of them are the same.
        Some(id) if !it.execution_venue.is_empty() => {
            vec![("execution", format!("{}\n{id}", it.execution_venue))]
        }
        _ => Vec::new(),
    };
    touch |_it, _now| ();
    trade_id: String, order_id: String, strategy_id: String, instrument_id: String,
    side: Side = TRADE_SIDE, quantity: Decimal, price: Decimal, gross_value: Decimal,
    commission: Decimal, net_value: Decimal, exchange_trade_id: Option<String>,
    execution_venue: String, liquidity_flag: Option<Liquidity>, realized_pnl: Option<Decimal>,
    executed_at: Moment, created_at: Moment, notes: Option<String>,
}

row! {
    Position in "positions" on positions;
    parents &[("strategy_id", "strategies")];
    children &[];
    unique |it| vec![("instrument", format!("{}\n{}", it.strategy_id, it.instrument_id))];
    touch |it, now| it.updated_at = now;
    position_id: String, strategy_id: String, instrument_id: String, quantity: Decimal,
    average_entry_price: Decimal, current_price: Decimal, market_value: Decimal,
    unrealized_pnl: Decimal, realized_pnl: Decimal, total_pnl: Decimal, cost_basis: Decimal,
    exposure: Decimal, opened_at: Moment, last_updated: Moment, closed_at: Option<Moment>,
    created_at: Moment, updated_at: Moment, notes: Option<String>, venues: BTreeMap<String, Decimal>,
}
