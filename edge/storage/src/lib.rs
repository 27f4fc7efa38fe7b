//! Rows to query: strategies, orders, trades and positions in memory, SQLite or PostgreSQL; a cache and
//! who is there in memory or Redis.
//!
//! Whole rows go in, and answers to questions come out. The durable truth is the engine's journal: what
//! stands here is a [`Projection`] of it, written by one projector, and may be wiped and made again at
//! any time. So nothing here knows what an order is for, and nothing that trades waits for it.
//!
//! Begin at [`repositories`] for what may be asked and at [`projection`] for how rows come in; [`rules`]
//! is where both meet a store.

mod error;
mod keys;
pub mod memory;
pub mod model;
mod moment;
mod names;
mod postgres;
pub mod projection;
mod redis;
pub mod repositories;
pub mod retention;
mod row;
pub mod rules;
mod secret;
pub mod settings;
mod sql;
mod sqlite;
pub mod stores;
mod tables;
#[cfg(all(unix, feature = "testing"))]
pub mod testing;

pub use error::{CODES, Result, StorageError};
pub use jiff::civil::Date;
pub use memory::{Memory, MemoryCache, MemoryDiscovery};
pub use model::{
    Liquidity, Order, OrderQuery, OrderSort, OrderStatus, OrderType, Position, PositionQuery,
    PositionSort, ServiceStatus, Side, SortOrder, Strategy, StrategyQuery, StrategySort,
    StrategyStatus, StrategyType, TimeInForce, Trade, TradeQuery, TradeSort,
};
pub use moment::{Clock, HandClock, Moment, SystemClock};
pub use names::{Namespace, Place, Schema};
pub use postgres::{Postgres, PostgresOptions, Step, VERSION as SCHEMA_VERSION, migrate};
pub use projection::{Applied, Batch, Change, Projection};
pub use redis::{
    Claim, Other, Redis, RedisCache, RedisDiscovery, RedisOptions, Registration, ServiceRegistry,
};
pub use repositories::{
    CacheRepository, OrdersRepository, PositionsRepository, ServiceDiscoveryRepository,
    ServiceInfo, StrategiesRepository, TradesRepository,
};
pub use retention::{Retention, Swept, sweep};
pub use rules::Repositories;
pub use rust_decimal::Decimal;
pub use secret::{Secret, StoreUrl};
pub use settings::{CacheTtl, Settings, SettingsError};
pub use sqlite::Sqlite;
pub use stores::{ConnectionStatus, Durable, Health, Rows, StoreHealth, Stores, Volatile};
pub use tables::Tables;
