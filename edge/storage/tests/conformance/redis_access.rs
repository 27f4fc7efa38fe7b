//! M45-6: the user of the engine may little, and that is enough.

use crate::fixtures::{namespace, service};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tse_storage::testing::{RedisServer, shared_redis};
use tse_storage::{
    CacheRepository, Clock, Namespace, Redis, RedisCache, RedisDiscovery, RedisOptions,
    ServiceDiscoveryRepository, StoreUrl, SystemClock,
};

fn options(url: &str) -> RedisOptions {
    let mut options = RedisOptions::new(StoreUrl::parse(url).expect("a URL"));
    options.connections = 2;
    options
}

fn cache(url: &str, namespace: &Namespace) -> RedisCache {
    RedisCache::new(Arc::new(Redis::new(&options(url)).expect("a store")), namespace)
}

/// Asks something of a server as somebody, with the library alone.
async fn ask(url: &str, words: &[&str]) -> Result<redis::Value, redis::RedisError> {
    let client = redis::Client::open(url).expect("a URL");
    let mut line = client.get_multiplexed_async_connection().await?;
    let mut command = redis::Cmd::new();
    for word in words {
        command.arg(word);
    }
    command.query_async(&mut line).await
}

#[tokio::test]
async fn m45_6_the_server_refuses_the_engine_what_the_reference_refuses() {
    let Some(server) = shared_redis() else { return };
    for words in [
        &["KEYS", "*"][..],
        &["SELECT", "0"],
        &["INFO"],
        &["MULTI"],
        &["EVAL", "return 1", "0"],
        &["PUBLISH", "c", "m"],
        &["CLIENT", "SETNAME", "n"],
        &["GET", "registry:services:x"],
        &["FLUSHALL"],
    ] {
        let refused = ask(&server.url(), words).await.expect_err("refused");
        assert_eq!(refused.code(), Some("NOPERM"), "{words:?}");
    }
}

#[tokio::test]
async fn m45_6_nothing_is_ever_sent_that_would_be_refused() {
    // A server of its own, which logs every refusal.
    let Some(server) = RedisServer::start() else { return };
    let namespace = Namespace::new("trading").expect("a name");
    let redis = Arc::new(Redis::new(&options(&server.url())).expect("a store"));
    let clock = Arc::new(SystemClock);
    let discovery = RedisDiscovery::new(redis.clone(), &namespace, clock);
    let cache = RedisCache::new(redis, &namespace);
    let ttl = Some(Duration::from_secs(60));
    cache.set("a", "1", ttl).await.expect("set");
    cache.set_many(&[("b", "1"), ("c", "1")], ttl).await.expect("set");
    cache.increment("a", 1).await.expect("counted");
    cache.decrement("a", 1).await.expect("counted");
    cache.set_if_absent("d", "1", ttl).await.expect("set");
    cache.expire("d", Duration::from_secs(9)).await.expect("set");
    cache.get_many(&["a", "b"]).await.expect("read");
    cache.exists("a").await.expect("read");
    cache.ttl("a").await.expect("read");
    cache.keys("*").await.expect("found");
    cache.ping().await.expect("an answer");
    cache.delete_pattern("*").await.expect("gone");
    let now = SystemClock.now();
    discovery.register(&service("s", "s", now)).await.expect("in");
    discovery.update_heartbeat("s").await.expect("heard");
    discovery.update_status("s", tse_storage::ServiceStatus::Degraded).await.expect("told");
    discovery.list_services().await.expect("read");
    discovery.cleanup_stale_services(Duration::from_secs(300)).await.expect("gone");
    discovery.deregister("s").await.expect("out");
    let log = ask(&server.admin_url(), &["ACL", "LOG"]).await.expect("the log");
    assert_eq!(log, redis::Value::Array(vec![]), "nothing was refused");
    let size = ask(&server.admin_url(), &["DBSIZE"]).await.expect("a number");
    assert_eq!(size, redis::Value::Int(0), "nothing is left behind");
}

#[tokio::test]
async fn a_key_that_the_user_may_not_touch_is_a_refusal() {
    let Some(server) = shared_redis() else { return };
    let elsewhere = Namespace::new("trading_system:LH").expect("a name");
    let cache = cache(&server.url(), &elsewhere);
    assert_eq!(cache.get("a").await.expect_err("not ours").code(), "TSE-P008");
    assert_eq!(cache.set("a", "1", None).await.expect_err("not ours").code(), "TSE-P008");
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_repeated() {
    let Some(server) = shared_redis() else { return };
    let url = format!("redis://trading-adapter:canary@127.0.0.1:{}", server.port());
    let options = options(&url);
    let redis = Redis::new(&options).expect("a store");
    let refused = redis.check().await.expect_err("a wrong password");
    assert_eq!(refused.code(), "TSE-P008", "{refused:?}");
    let said = format!("{options:?} {redis:?} {refused} {refused:?}");
    assert!(!said.contains("canary"), "{said}");
    for wrong in ["redis://u:canary@127.0.0.1/3", "redis://u:canary@", "sqlite:///canary"] {
        let options = RedisOptions::new(StoreUrl::parse(wrong).expect("a URL"));
        let refused = Redis::new(&options).expect_err("wrong");
        assert_eq!(refused.code(), "TSE-P003");
        assert!(!format!("{refused:?}").contains("canary"));
    }
}

#[tokio::test]
async fn what_others_keep_under_the_same_prefix_is_passed_over() {
    let Some(server) = shared_redis() else { return };
    let namespace = namespace("seeded");
    let redis = Arc::new(Redis::new(&options(&server.url())).expect("a store"));
    let clock = Arc::new(SystemClock);
    let discovery = RedisDiscovery::new(redis, &namespace, clock);
    let key = |id: &str| format!("{namespace}:services:{id}");
    let seeded = ["HSET", &key("seeded"), "name", "x", "host", "h", "port", "1"];
    ask(&server.admin_url(), &seeded).await.expect("seeded");
    let half = ["HSET", &key("half"), "last_seen", "1"];
    ask(&server.admin_url(), &half).await.expect("half there");
    assert_eq!(discovery.list_services().await, Ok(vec![]));
    assert_eq!(discovery.get_service_by_id("seeded").await, Ok(None));
    assert_eq!(discovery.cleanup_stale_services(Duration::ZERO).await, Ok(0));
    let left = ask(&server.admin_url(), &["EXISTS", &key("seeded"), &key("half")]).await;
    assert_eq!(left.expect("a number"), redis::Value::Int(1), "only what was half there went");
}

#[tokio::test]
async fn f28_a_redis_that_died_is_found_again_and_one_that_hangs_is_not_waited_for() {
    let Some(mut server) = RedisServer::start() else { return };
    let namespace = Namespace::new("trading").expect("a name");
    let mut options = options(&server.url());
    options.answer = Duration::from_millis(300);
    options.connect = Duration::from_millis(300);
    let cache = RedisCache::new(Arc::new(Redis::new(&options).expect("a store")), &namespace);
    cache.set("a", "1", None).await.expect("set");
    cache.set("b", "1", None).await.expect("set");
    server.kill();
    assert_eq!(cache.get("a").await.expect_err("dead").code(), "TSE-P006");
    server.run();
    assert_eq!(cache.get("a").await, Ok(None), "it came back empty");
    cache.set("a", "2", None).await.expect("set");
    ask(&server.admin_url(), &["FLUSHALL"]).await.expect("flushed");
    assert_eq!(cache.get("a").await, Ok(None));
    server.pause();
    let before = Instant::now();
    assert_eq!(cache.get("a").await.expect_err("it hangs").code(), "TSE-P006");
    assert!(before.elapsed() < Duration::from_secs(5));
    server.resume();
    assert_eq!(cache.get("a").await, Ok(None));
}
