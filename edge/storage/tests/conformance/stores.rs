//! M45-4, M45-7 and spec 3.5: what is away is answered from memory, and found again when it is back.

use crate::fixtures::{d, order, schema, service, strategy};
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tse_storage::Projection;
use tse_storage::testing::{PostgresServer, RedisServer, shared_postgres};
use tse_storage::{
    Batch, Change, Clock, Namespace, Order, OrderStatus, Place, Repositories, Schema, Settings,
    StoreUrl, Stores, SystemClock, migrate,
};

fn place(schema: Schema) -> Place {
    Place { schema, namespace: Namespace::new("trading").expect("a name") }
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let pairs = pairs.iter().map(|(name, value)| (format!("TRADING_ADAPTER_{name}"), *value));
    Settings::read(pairs).expect("settings")
}

async fn connect(settings: &Settings, schema: Schema) -> Stores {
    Stores::connect(settings, &place(schema), Arc::new(SystemClock))
        .await
        .expect("a URL that can be used")
}

/// Waits until something holds, for as long as a store may be asked again in.
async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let began = Instant::now();
    while !holds().await {
        assert!(began.elapsed() < Duration::from_secs(40), "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m45_acceptance_what_is_written_is_a_row_and_with_both_stores_down_is_in_memory() {
    // As careful as it is by itself: what it acknowledged survives the kill.
    let (Some(mut postgres), Some(mut redis)) =
        (PostgresServer::start_careful(&[]), RedisServer::start())
    else {
        return;
    };
    let schema = Schema::new("trading").expect("a name");
    let url = postgres.url("postgres");
    migrate(&StoreUrl::parse(&url).expect("a URL"), &schema, None).await.expect("migrated");
    let stores = connect(
        &settings(&[("POSTGRES_URL", &url), ("REDIS_URL", &redis.url()), ("HEALTH_TIMEOUT", "2")]),
        schema,
    )
    .await;
    assert_eq!(stores.health_check().await.status, "healthy");
    let (strategies, orders) = (stores.rows().strategies(), stores.rows().orders());
    strategies.create(&strategy("s")).await.expect("created");
    orders.create(&order("o", "s")).await.expect("created");
    assert_eq!(postgres.sql("postgres", "SELECT quantity FROM trading.orders"), "2");
    stores.cache().set("k", "there", None).await.expect("set");

    postgres.kill();
    redis.kill();
    let before = Instant::now();
    strategies.create(&strategy("m")).await.expect("created in memory");
    orders.create(&order("n", "m")).await.expect("created in memory");
    orders.update_status("n", OrderStatus::Submitted, None).await.expect("changed in memory");
    assert_eq!(orders.get_by_strategy("m").await.expect("read").len(), 1);
    assert_eq!(orders.get_by_id("o").await, Ok(None), "what only the database has is away with it");
    assert_eq!(stores.cache().get("k").await, Ok(None));
    stores.cache().set("k", "meanwhile", None).await.expect("set in memory");
    stores.discovery().register(&service("e", "engine", SystemClock.now())).await.expect("in");
    assert!(stores.discovery().get_service("engine").await.expect("read").is_some());
    assert!(before.elapsed() < Duration::from_secs(10), "nothing waited for long");
    let status = stores.status();
    assert!(!status.postgres_connected && !status.redis_connected);
    assert!(status.postgres_error.is_some() && status.redis_error.is_some());
    let health = stores.health_check().await;
    assert_eq!(health.status, "degraded");
    assert_eq!(health.postgres.expect("configured").reason, Some("unavailable"));

    postgres.run();
    redis.run();
    until("both are back", || async {
        let status = stores.status();
        status.postgres_connected && status.redis_connected
    })
    .await;
    assert!(orders.get_by_id("o").await.expect("read").is_some(), "it was never lost");
    assert_eq!(stores.cache().get("k").await, Ok(None), "what memory had is forgotten");
    let heartbeat = stores.discovery().update_heartbeat("e").await;
    assert_eq!(heartbeat.expect_err("it registers again").code(), "TSE-P001");
    stores.disconnect().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f26_both_away_at_boot_is_no_reason_not_to_begin() {
    // Ports on which nobody listens.
    let stores = {
        let before = Instant::now();
        let settings = settings(&[
            ("POSTGRES_URL", "postgresql://u:canary@127.0.0.1:1/d"),
            ("REDIS_URL", "redis://u:canary@127.0.0.1:1"),
            ("HEALTH_TIMEOUT", "1"),
        ]);
        let stores = connect(&settings, Schema::new("trading").expect("a name")).await;
        assert!(before.elapsed() < Duration::from_secs(4), "it waits no longer than it may");
        stores
    };
    stores.rows().strategies().create(&strategy("s")).await.expect("in memory");
    stores.rows().strategies().update_pnl("s", d("1"), d("1")).await.expect("in memory");
    stores.cache().set("k", "v", None).await.expect("in memory");
    let (status, health) = (stores.status(), stores.health_check().await);
    assert!(!status.postgres_connected && status.last_postgres_check.is_some());
    assert!(!status.redis_connected && status.last_redis_check.is_some());
    assert_eq!(health.status, "degraded");
    let said = format!("{stores:?} {status:?} {health:?}");
    assert!(!said.contains("canary"), "{said}");
    let json = serde_json::to_value(&status).expect("JSON");
    assert_eq!(json["postgres_connected"], false);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_schema_is_degraded_by_that_name_until_somebody_migrates() {
    let Some(server) = shared_postgres() else { return };
    let (url, schema) = (server.url("postgres"), schema("later"));
    let stores = connect(&settings(&[("POSTGRES_URL", &url)]), schema.clone()).await;
    let postgres = stores.health_check().await.postgres.expect("configured");
    assert_eq!((postgres.connected, postgres.reason), (false, Some("schema_missing")));
    assert!(postgres.error.expect("a sentence").contains("tse migrate --schema"));
    stores.rows().strategies().create(&strategy("s")).await.expect("in memory");
    migrate(&StoreUrl::parse(&url).expect("a URL"), &schema, None).await.expect("migrated");
    until("the schema is seen", || async { stores.status().postgres_connected }).await;
    assert_eq!(stores.rows().strategies().get_by_id("s").await, Ok(None));
    assert_eq!(stores.health_check().await.status, "healthy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m45_7_sqlite_is_opened_on_start_kept_and_closed_on_stop() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("store.db");
    let settings = settings(&[("SQLITE_PATH", path.to_str().expect("a path"))]);
    let schema = Schema::new("trading").expect("a name");
    let stores = connect(&settings, schema.clone()).await;
    assert!(stores.status().sqlite_connected);
    let batch = Batch { from: 1, to: 3, changes: vec![Change::Strategy(strategy("s"))] };
    let durable = stores.durable().expect("a file");
    durable.apply("live", &batch).await.expect("applied");
    stores.memory().apply("live", &batch).await.expect("applied");
    stores.disconnect().await;
    drop(stores);
    let again = connect(&settings, schema).await;
    assert_eq!(again.durable().expect("a file").applied("live").await, Ok(Some(3)));
    assert_eq!(again.memory().applied("live").await, Ok(None), "memory begins anew");
    assert!(again.rows().strategies().get_by_id("s").await.expect("read").is_some());
    let old = SystemClock.now().days_before(91);
    let row = Order { status: OrderStatus::Cancelled, updated_at: old, ..order("o", "s") };
    again.rows().orders().create(&row).await.expect("created");
    assert_eq!(again.sweep(SystemClock.now()).await.expect("swept").orders, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_cannot_be_opened_yet_is_opened_later() {
    let folder = tempfile::tempdir().expect("a folder");
    let inner = folder.path().join("not/yet");
    let path = inner.join("store.db");
    let settings = settings(&[("SQLITE_PATH", path.to_str().expect("a path"))]);
    let stores = connect(&settings, Schema::new("trading").expect("a name")).await;
    assert!(!stores.status().sqlite_connected);
    assert_eq!(
        stores.durable().expect("configured").applied("s").await.expect_err("not there").code(),
        "TSE-P006"
    );
    stores.rows().strategies().create(&strategy("s")).await.expect("in memory");
    std::fs::create_dir_all(&inner).expect("made");
    until("the file is opened", || async { stores.status().sqlite_connected }).await;
    assert_eq!(stores.rows().strategies().get_by_id("s").await, Ok(None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f28_a_redis_that_refuses_or_forgets_everything_changes_no_answer() {
    let Some(server) = RedisServer::start() else { return };
    let settings = settings(&[("REDIS_URL", &server.url())]);
    let stores = connect(&settings, Schema::new("trading").expect("a name")).await;
    let admin = redis::Client::open(server.admin_url()).expect("a URL");
    let mut admin = admin.get_multiplexed_async_connection().await.expect("connected");
    let mut order = async |words: &[&str]| {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(word);
        }
        command.query_async::<()>(&mut admin).await.expect("an administrator may");
    };
    let cache = stores.cache();
    cache.set("k", "1", None).await.expect("set");
    order(&["FLUSHALL"]).await;
    assert_eq!(cache.get("k").await, Ok(None), "a cache may be empty");
    cache.set("k", "2", None).await.expect("set");
    assert_eq!(cache.get("k").await, Ok(Some("2".to_owned())));

    order(&["ACL", "SETUSER", "trading-adapter", "-@all"]).await;
    assert_eq!(cache.get("k").await, Ok(None), "what it had is out of reach");
    cache.set("k", "3", None).await.expect("set in memory");
    assert_eq!(cache.get("k").await, Ok(Some("3".to_owned())));
    assert_eq!(cache.increment("n", 1).await, Ok(1));
    let redis = stores.health_check().await.redis.expect("configured");
    assert_eq!((redis.connected, redis.reason), (false, Some("refused")));

    order(&["ACL", "SETUSER", "trading-adapter", "+@read", "+@write", "+@keyspace", "+ping"]).await;
    until("it is let in again", || async { stores.status().redis_connected }).await;
    assert_eq!(cache.get("k").await, Ok(Some("2".to_owned())));
}

#[tokio::test]
async fn m45_4_nothing_configured_is_healthy_and_in_memory() {
    let stores = connect(&Settings::default(), Schema::new("trading").expect("a name")).await;
    let health = stores.health_check().await;
    assert_eq!((health.status, health.postgres, health.redis), ("healthy", None, None));
    stores.rows().strategies().create(&strategy("s")).await.expect("created");
    assert!(stores.durable().is_none());
    assert_eq!(stores.sweep(SystemClock.now()).await, Ok(tse_storage::Swept::default()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn m120_three_instances_share_a_database_and_a_redis_and_see_nothing_of_one_another() {
    let (Some(postgres), Some(redis)) = (PostgresServer::start(&[]), RedisServer::start()) else {
        return;
    };
    let mut instances = Vec::new();
    for instance in ["", "trading-system-engine-LH", "trading-system-engine-Alpha"] {
        let mut place = Place::of("trading-system-engine", instance, None, None).expect("a place");
        // The user of the reference may only touch `trading:*`: an override keeps it within.
        if !instance.is_empty() {
            let name = instance.replace("trading-system-engine-", "trading:");
            place.namespace = Namespace::new(&name).expect("a name");
        }
        let url = postgres.url("postgres");
        migrate(&StoreUrl::parse(&url).expect("a URL"), &place.schema, None)
            .await
            .expect("migrated");
        let settings = settings(&[("POSTGRES_URL", &url), ("REDIS_URL", &redis.url())]);
        let stores =
            Stores::connect(&settings, &place, Arc::new(SystemClock)).await.expect("connected");
        assert_eq!(stores.health_check().await.status, "healthy", "{instance}");
        instances.push(stores);
    }
    for (n, stores) in instances.iter().enumerate() {
        let mut row = strategy("s");
        row.name = format!("of {n}");
        stores.rows().strategies().create(&row).await.expect("each has its own tables");
        stores.cache().set("k", &row.name, None).await.expect("set");
    }
    for (n, stores) in instances.iter().enumerate() {
        let row = stores.rows().strategies().get_by_id("s").await.expect("read").expect("there");
        assert_eq!(row.name, format!("of {n}"));
        assert_eq!(stores.cache().get("k").await, Ok(Some(row.name)));
    }
}
