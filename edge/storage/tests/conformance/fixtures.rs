//! Stores to ask, and rows to put in them.

use jiff::civil::date;
use rust_decimal::Decimal;
use std::sync::Arc;
use std::time::Duration;
#[cfg(unix)]
use tse_storage::testing::{shared_postgres, shared_redis};
use tse_storage::{
    CacheRepository, Clock, HandClock, Memory, MemoryCache, MemoryDiscovery, Moment, Order,
    Position, ServiceDiscoveryRepository, ServiceInfo, ServiceStatus, Side, Sqlite, Strategy,
    StrategyType, SystemClock, Trade,
};
#[cfg(unix)]
use tse_storage::{
    Namespace, Postgres, PostgresOptions, Redis, RedisCache, RedisDiscovery, RedisOptions, Schema,
    StoreUrl, migrate,
};

/// A cache, who is there, and how time passes for both.
pub struct Volatile {
    pub cache: Box<dyn CacheRepository>,
    pub discovery: Box<dyn ServiceDiscoveryRepository>,
    /// Moved by hand, where the store takes the time from us; otherwise one waits.
    pub clock: Option<Arc<HandClock>>,
}

impl Volatile {
    pub fn now(&self) -> Moment {
        self.clock.as_ref().map_or_else(|| SystemClock.now(), |clock| clock.now())
    }

    pub async fn pass(&self, time: Duration) {
        match &self.clock {
            Some(clock) => clock.advance(time),
            None => tokio::time::sleep(time).await,
        }
    }
}

pub fn memory() -> Memory {
    Memory::new(Arc::new(SystemClock))
}

pub async fn sqlite() -> (tempfile::TempDir, Sqlite) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let store = Sqlite::open(&path, Arc::new(SystemClock)).await.expect("opened");
    (folder, store)
}

/// Two tests may say it at once: one waits for the other.
#[cfg(unix)]
const LOGIN: &str =
    "BEGIN; SELECT pg_advisory_xact_lock(1); ALTER ROLE trading_adapter LOGIN; COMMIT";

/// A schema of its own on the server that all tests share.
#[cfg(unix)]
pub async fn postgres(name: &str) -> Option<Postgres> {
    let server = shared_postgres()?;
    let url = StoreUrl::parse(&server.url("postgres")).expect("a URL");
    let schema = schema(name);
    migrate(&url, &schema, None).await.expect("migrated");
    // As the engine does: by a role that may not make tables, once it may log in.
    server.sql("postgres", LOGIN);
    let url = StoreUrl::parse(&server.url_as("trading_adapter", "postgres")).expect("a URL");
    Some(Postgres::new(&PostgresOptions::new(url, schema), Arc::new(SystemClock)).expect("a store"))
}

/// A name that no other test has.
#[cfg(unix)]
pub fn schema(name: &str) -> Schema {
    let name: String = format!("t{}_{name}", std::process::id()).chars().take(63).collect();
    Schema::new(&name).expect("a name")
}

/// A namespace of its own on the server that all tests share, and the user that the engine has.
#[cfg(unix)]
pub fn redis(name: &str) -> Option<Volatile> {
    let server = shared_redis()?;
    let namespace = namespace(name);
    let options = RedisOptions::new(StoreUrl::parse(&server.url()).expect("a URL"));
    let redis = Arc::new(Redis::new(&options).expect("a store"));
    let clock = Arc::new(SystemClock);
    Some(Volatile {
        cache: Box::new(RedisCache::new(redis.clone(), &namespace)),
        discovery: Box::new(RedisDiscovery::new(redis, &namespace, clock)),
        clock: None,
    })
}

/// A name that no other test has.
#[cfg(unix)]
pub fn namespace(name: &str) -> Namespace {
    Namespace::new(&format!("trading:t{}-{name}", std::process::id())).expect("a name")
}

pub fn memory_volatile() -> Volatile {
    let clock = Arc::new(HandClock::at(noon()));
    Volatile {
        cache: Box::new(MemoryCache::new(clock.clone())),
        discovery: Box::new(MemoryDiscovery::new(clock.clone())),
        clock: Some(clock),
    }
}

/// A number as it is written.
pub fn d(text: &str) -> Decimal {
    text.parse().expect("a number")
}

/// Noon of a day long ago enough that nothing else happens then.
pub fn noon() -> Moment {
    Moment::of_day(date(2026, 3, 10)).0.after(Duration::from_secs(12 * 3_600))
}

pub fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

pub fn strategy(id: &str) -> Strategy {
    let mut strategy = Strategy::new(id, StrategyType::MarketMaking, noon());
    strategy.instruments = vec!["BTC-USDT".to_owned()];
    strategy
}

pub fn order(id: &str, strategy: &str) -> Order {
    Order::new(id, strategy, "BTC-USDT", Side::Buy, d("2"), noon())
}

pub fn trade(id: &str, order: &str, strategy: &str) -> Trade {
    let zero = Decimal::ZERO;
    let trade = Trade {
        trade_id: id.to_owned(),
        order_id: order.to_owned(),
        strategy_id: strategy.to_owned(),
        instrument_id: "BTC-USDT".to_owned(),
        side: Side::Buy,
        quantity: d("0.5"),
        price: d("50000"),
        gross_value: zero,
        commission: d("7.5"),
        net_value: zero,
        exchange_trade_id: Some(format!("x-{id}")),
        execution_venue: "okx".to_owned(),
        liquidity_flag: None,
        realized_pnl: None,
        executed_at: noon(),
        created_at: noon(),
        notes: None,
    };
    trade.with_values().expect("it fits")
}

pub fn position(id: &str, strategy: &str, instrument: &str) -> Position {
    Position::open(id, strategy, instrument, d("2"), d("100"), noon()).expect("it fits")
}

pub fn service(id: &str, name: &str, now: Moment) -> ServiceInfo {
    ServiceInfo {
        service_id: id.to_owned(),
        service_name: name.to_owned(),
        version: "0.1.0".to_owned(),
        host: "127.0.0.1".to_owned(),
        grpc_port: 50_053,
        http_port: 8_083,
        status: ServiceStatus::Healthy,
        metadata: [("environment".to_owned(), "testing".to_owned())].into(),
        last_seen: now,
        registered_at: now,
    }
}
