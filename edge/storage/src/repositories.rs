//! The six repositories: what one may ask of the stores, 74 methods in all.
//!
//! An id that nobody knows is [`NotFound`](crate::StorageError::NotFound) where a row was to be changed
//! or deleted, and `None` where one was looked for. Dates of a range belong to it. What a method cannot
//! do it says; it never does part of it. Numbers come back exactly, without zeros at their end.

use crate::model::{
    Order, OrderQuery, OrderStatus, Position, PositionQuery, ServiceStatus, Strategy,
    StrategyQuery, StrategyStatus, Trade, TradeQuery,
};
use crate::{Moment, Result};
use async_trait::async_trait;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Strategies.
#[async_trait]
pub trait StrategiesRepository: Send + Sync {
    /// Writes a new one.
    async fn create(&self, strategy: &Strategy) -> Result<()>;
    /// Looks one up.
    async fn get_by_id(&self, id: &str) -> Result<Option<Strategy>>;
    /// Writes one over what was read. Its version must be the one that is there, and grows by one.
    async fn update(&self, strategy: &Strategy) -> Result<()>;
    /// Takes one away; refused while it has orders, trades or positions.
    async fn delete(&self, id: &str) -> Result<()>;
    /// Those that fit.
    async fn query(&self, query: &StrategyQuery) -> Result<Vec<Strategy>>;
    /// Those that trade.
    async fn get_active_strategies(&self) -> Result<Vec<Strategy>>;
    /// Says how one stands, and when it began or ended with that.
    async fn update_status(&self, id: &str, status: StrategyStatus) -> Result<()>;
    /// Says what one earned.
    async fn update_pnl(&self, id: &str, total_pnl: Decimal, daily_pnl: Decimal) -> Result<()>;
    /// Counts one trade more.
    async fn increment_trade_count(&self, id: &str) -> Result<()>;
    /// Those that trade an instrument.
    async fn get_by_instrument(&self, instrument: &str) -> Result<Vec<Strategy>>;
}

/// Orders.
#[async_trait]
pub trait OrdersRepository: Send + Sync {
    /// Writes a new one. Its strategy must be there.
    async fn create(&self, order: &Order) -> Result<()>;
    /// Looks one up.
    async fn get_by_id(&self, id: &str) -> Result<Option<Order>>;
    /// Writes one over what is there, if its status may follow.
    async fn update(&self, order: &Order) -> Result<()>;
    /// Takes one away; refused while it has trades.
    async fn delete(&self, id: &str) -> Result<()>;
    /// Those that fit.
    async fn query(&self, query: &OrderQuery) -> Result<Vec<Order>>;
    /// Those of a strategy, newest first.
    async fn get_by_strategy(&self, strategy: &str) -> Result<Vec<Order>>;
    /// Those that may still trade.
    async fn get_active_orders(&self, strategy: Option<&str>) -> Result<Vec<Order>>;
    /// Takes a step of its life; illegal steps are conflicts.
    async fn update_status(
        &self,
        id: &str,
        status: OrderStatus,
        filled_quantity: Option<Decimal>,
    ) -> Result<()>;
    /// Books what has traded; remaining quantity and status follow.
    async fn update_fill(
        &self,
        id: &str,
        filled_quantity: Decimal,
        average_fill_price: Decimal,
    ) -> Result<()>;
    /// Says that it was taken back.
    async fn cancel_order(&self, id: &str, cancelled_at: Moment) -> Result<()>;
    /// Looks one up by the venue's name.
    async fn get_by_exchange_order_id(&self, exchange_order_id: &str) -> Result<Option<Order>>;
    /// Those in an instrument, newest first.
    async fn get_orders_by_instrument(
        &self,
        instrument: &str,
        status: Option<OrderStatus>,
    ) -> Result<Vec<Order>>;
    /// Those that no venue has acknowledged yet.
    async fn get_pending_orders(&self, strategy: Option<&str>) -> Result<Vec<Order>>;
    /// Takes away those that ended and have not changed for so many days, except where trades of theirs
    /// are still kept. Says how many.
    async fn cleanup_old_orders(&self, older_than_days: u32) -> Result<u64>;
}

/// Trades.
#[async_trait]
pub trait TradesRepository: Send + Sync {
    /// Writes a new one. Its order and strategy must be there. An execution that is there already, by
    /// the venue's name for it, is not written again.
    async fn create(&self, trade: &Trade) -> Result<()>;
    /// Looks one up.
    async fn get_by_id(&self, id: &str) -> Result<Option<Trade>>;
    /// Those that fit.
    async fn query(&self, query: &TradeQuery) -> Result<Vec<Trade>>;
    /// Those of an order, oldest first.
    async fn get_by_order(&self, order: &str) -> Result<Vec<Trade>>;
    /// Those of a strategy, oldest first.
    async fn get_by_strategy(
        &self,
        strategy: &str,
        from: Option<Moment>,
        to: Option<Moment>,
    ) -> Result<Vec<Trade>>;
    /// Those in an instrument, oldest first.
    async fn get_by_instrument(
        &self,
        instrument: &str,
        from: Option<Moment>,
        to: Option<Moment>,
    ) -> Result<Vec<Trade>>;
    /// Those of a strategy on one day in UTC, oldest first.
    async fn get_daily_trades(&self, strategy: &str, date: Date) -> Result<Vec<Trade>>;
    /// The sum of gross values.
    async fn calculate_total_volume(
        &self,
        strategy: &str,
        from: Option<Moment>,
        to: Option<Moment>,
    ) -> Result<Decimal>;
    /// The sum of what was realised.
    async fn calculate_total_pnl(
        &self,
        strategy: &str,
        from: Option<Moment>,
        to: Option<Moment>,
    ) -> Result<Decimal>;
    /// Looks one up by the venue's name.
    async fn get_by_exchange_trade_id(&self, exchange_trade_id: &str) -> Result<Option<Trade>>;
    /// Takes away those that were executed so many days ago. Says how many.
    async fn cleanup_old_trades(&self, older_than_days: u32) -> Result<u64>;
}

/// Positions.
#[async_trait]
pub trait PositionsRepository: Send + Sync {
    /// Writes a new one. Its strategy must be there, and have none in this instrument.
    async fn create(&self, position: &Position) -> Result<()>;
    /// Looks one up.
    async fn get_by_id(&self, id: &str) -> Result<Option<Position>>;
    /// Writes one over what is there.
    async fn update(&self, position: &Position) -> Result<()>;
    /// Takes one away.
    async fn delete(&self, id: &str) -> Result<()>;
    /// Those that fit.
    async fn query(&self, query: &PositionQuery) -> Result<Vec<Position>>;
    /// Those of a strategy.
    async fn get_by_strategy(&self, strategy: &str) -> Result<Vec<Position>>;
    /// Those of which anything is held.
    async fn get_open_positions(&self, strategy: Option<&str>) -> Result<Vec<Position>>;
    /// What a strategy holds of an instrument.
    async fn get_by_instrument(&self, strategy: &str, instrument: &str)
    -> Result<Option<Position>>;
    /// Takes a new price, and everything that follows from it.
    async fn update_market_data(&self, id: &str, price: Decimal) -> Result<()>;
    /// Closes one at its current price.
    async fn close_position(&self, id: &str, closed_at: Moment) -> Result<()>;
    /// The sum of exposures.
    async fn calculate_total_exposure(&self, strategy: Option<&str>) -> Result<Decimal>;
    /// The sum of what is not realised.
    async fn calculate_total_unrealized_pnl(&self, strategy: Option<&str>) -> Result<Decimal>;
    /// Takes away those that were closed so many days ago. Says how many.
    async fn cleanup_closed_positions(&self, older_than_days: u32) -> Result<u64>;
}

/// A service that can be found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceInfo {
    /// Its name among all instances.
    pub service_id: String,
    /// What it is.
    pub service_name: String,
    /// Which version.
    pub version: String,
    /// Where it is reached.
    pub host: String,
    /// Its port for gRPC.
    pub grpc_port: u16,
    /// Its port for HTTP.
    pub http_port: u16,
    /// How it stands.
    pub status: ServiceStatus,
    /// Anything else it says of itself.
    pub metadata: BTreeMap<String, String>,
    /// When it was last heard.
    pub last_seen: Moment,
    /// When it was first heard.
    pub registered_at: Moment,
}

/// Who is there.
#[async_trait]
pub trait ServiceDiscoveryRepository: Send + Sync {
    /// Puts a service in, or in place of what it said before.
    async fn register(&self, service: &ServiceInfo) -> Result<()>;
    /// Takes one out.
    async fn deregister(&self, id: &str) -> Result<()>;
    /// Says that one was heard now.
    async fn update_heartbeat(&self, id: &str) -> Result<()>;
    /// The healthy instance of that name that was heard last.
    async fn get_service(&self, name: &str) -> Result<Option<ServiceInfo>>;
    /// Looks one up.
    async fn get_service_by_id(&self, id: &str) -> Result<Option<ServiceInfo>>;
    /// All of them, by id.
    async fn list_services(&self) -> Result<Vec<ServiceInfo>>;
    /// Those that are healthy, by id.
    async fn list_healthy_services(&self) -> Result<Vec<ServiceInfo>>;
    /// Takes out those not heard for this long. Says how many.
    async fn cleanup_stale_services(&self, threshold: Duration) -> Result<u64>;
    /// Says how one stands.
    async fn update_status(&self, id: &str, status: ServiceStatus) -> Result<()>;
    /// All instances of that name, the healthy ones first and of those the last heard first.
    async fn get_instances(&self, name: &str) -> Result<Vec<ServiceInfo>>;
}

/// What is kept at hand and may be gone at any time.
///
/// Keys are relative: the namespace is put before them inside. A time to live must be above zero: a
/// cache in which zero means "for ever" has surprised people.
#[async_trait]
pub trait CacheRepository: Send + Sync {
    /// A value.
    async fn get(&self, key: &str) -> Result<Option<String>>;
    /// Puts a value there, for ever or for so long.
    async fn set(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<()>;
    /// Takes one away, if it is there.
    async fn delete(&self, key: &str) -> Result<()>;
    /// Whether there is one.
    async fn exists(&self, key: &str) -> Result<bool>;
    /// A value that is JSON.
    async fn get_json(&self, key: &str) -> Result<Option<Value>>;
    /// Puts a value there as JSON.
    async fn set_json(&self, key: &str, value: &Value, ttl: Option<Duration>) -> Result<()>;
    /// The values of several keys, in their order.
    async fn get_many(&self, keys: &[&str]) -> Result<Vec<Option<String>>>;
    /// Puts several there. It is not one transaction: some may be seen before others.
    async fn set_many(&self, items: &[(&str, &str)], ttl: Option<Duration>) -> Result<()>;
    /// Takes away those whose keys fit a pattern. Says how many.
    async fn delete_pattern(&self, glob: &str) -> Result<u64>;
    /// The keys that fit a pattern, sorted.
    async fn keys(&self, glob: &str) -> Result<Vec<String>>;
    /// How many seconds a key has left: -1 if for ever, -2 if it is not there.
    async fn ttl(&self, key: &str) -> Result<i64>;
    /// Gives a key so long from now. Says whether it is there.
    async fn expire(&self, key: &str, ttl: Duration) -> Result<bool>;
    /// Adds to a number, which begins at zero, and keeps its time to live.
    async fn increment(&self, key: &str, by: i64) -> Result<i64>;
    /// Takes from a number, likewise.
    async fn decrement(&self, key: &str, by: i64) -> Result<i64>;
    /// Puts a value there unless there is one. Says whether it did.
    async fn set_if_absent(&self, key: &str, value: &str, ttl: Option<Duration>) -> Result<bool>;
    /// How long an answer takes.
    async fn ping(&self) -> Result<Duration>;
}
