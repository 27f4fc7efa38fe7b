//! Who is there of a deployment, on a real Redis and as the user who may only that.

use std::time::Duration;
use tse_storage::testing::shared_redis;
use tse_storage::{Claim, Redis, RedisOptions, Registration, ServiceRegistry, StoreUrl};

const NOW: u64 = 1_800_000_000;
const MINUTE: Duration = Duration::from_secs(60);

fn registry(url: &str, ttl: Duration) -> ServiceRegistry {
    let options = RedisOptions::new(StoreUrl::parse(url).expect("a URL"));
    ServiceRegistry::new(Redis::new(&options).expect("a store"), ttl)
}

/// An instance of a service that no other test has.
fn who(service: &str, instance: &str, owner: &str) -> Registration {
    Registration {
        service: format!("trading-{service}-{}", std::process::id()),
        instance: instance.to_owned(),
        owner: owner.to_owned(),
        version: "1.2.3".to_owned(),
        host: "machine".to_owned(),
        http_port: 8083,
        grpc_port: 50053,
        namespace: None,
        metadata: "{}".to_owned(),
        registered_at: NOW,
    }
}

/// Does something that only an administrator may.
async fn admin<T: redis::FromRedisValue>(url: &str, words: &[&str]) -> T {
    let client = redis::Client::open(url).expect("a URL");
    let mut line = client.get_multiplexed_async_connection().await.expect("a line");
    let mut command = redis::Cmd::new();
    for word in words {
        command.arg(word);
    }
    command.query_async(&mut line).await.expect("an answer")
}

fn keys(who: &Registration) -> [String; 2] {
    let shared = format!("registry:services:{}", who.service);
    [format!("{shared}:{}", who.instance), shared]
}

#[tokio::test]
async fn a_name_is_had_by_one_until_it_leaves_or_is_not_heard() {
    let Some(server) = shared_redis() else { return };
    let registry = registry(&server.service_url(), MINUTE);
    let (first, second) = (who("one", "lh", "first"), who("one", "lh", "second"));
    assert_eq!(registry.claim(&first, "healthy", NOW).await.unwrap(), Claim::Ours);
    let Claim::Taken(other) = registry.claim(&second, "healthy", NOW + 3).await.unwrap() else {
        panic!("two have it");
    };
    assert_eq!((&*other.at, other.heard), ("machine:8083", 3));
    assert_eq!(other.name, format!("{}:lh", first.service));
    // Who comes back after a crash is no second one.
    assert_eq!(registry.claim(&first, "healthy", NOW + 5).await.unwrap(), Claim::Ours);
    // One that has nothing takes nothing away.
    registry.leave(&second).await.unwrap();
    assert!(matches!(registry.claim(&second, "", NOW + 6).await.unwrap(), Claim::Taken(_)));
    registry.leave(&first).await.unwrap();
    for key in keys(&first) {
        assert_eq!(admin::<u64>(&server.admin_url(), &["EXISTS", &key]).await, 0);
    }
    assert_eq!(registry.claim(&second, "healthy", NOW + 7).await.unwrap(), Claim::Ours);
}

#[tokio::test]
async fn who_is_not_heard_is_forgotten_by_redis_itself() {
    let Some(server) = shared_redis() else { return };
    let registry = registry(&server.service_url(), MINUTE);
    let (first, second) = (who("ttl", "lh", "first"), who("ttl", "lh", "second"));
    assert_eq!(registry.claim(&first, "healthy", NOW).await.unwrap(), Claim::Ours);
    for key in keys(&first) {
        let left: i64 = admin(&server.admin_url(), &["PTTL", &key]).await;
        assert!((1..=60_000).contains(&left), "{left}");
        // However old it looks by the clock of another, it lives until Redis forgets it.
        let claim = registry.claim(&second, "healthy", NOW + 100_000).await.unwrap();
        assert!(matches!(claim, Claim::Taken(_)), "{claim:?}");
    }
    for key in keys(&first) {
        let _: u64 = admin(&server.admin_url(), &["PEXPIRE", &key, "1"]).await;
        while admin::<u64>(&server.admin_url(), &["EXISTS", &key]).await == 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    assert_eq!(registry.claim(&second, "healthy", NOW).await.unwrap(), Claim::Ours);
}

#[tokio::test]
async fn who_ends_is_not_found_any_more_and_keeps_its_name() {
    let Some(server) = shared_redis() else { return };
    let registry = registry(&server.service_url(), MINUTE);
    let (first, second) = (who("hidden", "lh", "first"), who("hidden", "lh", "second"));
    assert_eq!(registry.claim(&first, "stopping", NOW).await.unwrap(), Claim::Ours);
    registry.hide(&second).await.unwrap();
    let [key, shared] = keys(&first);
    assert_eq!(admin::<u64>(&server.admin_url(), &["EXISTS", &shared]).await, 1, "another's");
    registry.hide(&first).await.unwrap();
    assert_eq!(admin::<u64>(&server.admin_url(), &["EXISTS", &shared]).await, 0);
    assert_eq!(admin::<u64>(&server.admin_url(), &["EXISTS", &key]).await, 1);
    let claim = registry.claim(&second, "healthy", NOW).await.unwrap();
    assert!(matches!(claim, Claim::Taken(_)), "{claim:?}");
}

#[tokio::test]
async fn a_key_that_nobody_lets_go_of_is_forgotten_once_somebody_asks() {
    let Some(server) = shared_redis() else { return };
    let registry = registry(&server.service_url(), Duration::from_millis(300));
    let it = who("stale", "lh", "new");
    let [key, _] = keys(&it);
    let at = format!("{}.25", NOW - 9);
    let hash = ["HSET", &*key, "owner", "old", "last_heartbeat", &*at];
    let _: u64 = admin(&server.admin_url(), &hash).await;
    assert_eq!(admin::<i64>(&server.admin_url(), &["PTTL", &key]).await, -1);
    let Claim::Taken(other) = registry.claim(&it, "healthy", NOW).await.unwrap() else {
        panic!("it is another's, for all that is known");
    };
    assert_eq!(other.heard, 9, "fractions of a second are passed over");
    let begun = std::time::Instant::now();
    while registry.claim(&it, "healthy", NOW).await.unwrap() != Claim::Ours {
        assert!(begun.elapsed() < MINUTE, "asking again does not keep it there");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn of_two_that_come_at_once_one_has_it() {
    let Some(server) = shared_redis() else { return };
    let service = server.service_url();
    for round in 0..50 {
        let instance = format!("i{round}");
        let claims = futures(8, |at| {
            let registry = registry(&service, MINUTE);
            let it = who("race", &instance, &format!("owner-{at}"));
            async move { registry.claim(&it, "healthy", NOW).await.unwrap() }
        });
        let claims = claims.await;
        let ours = claims.iter().filter(|it| **it == Claim::Ours).count();
        assert_eq!(ours, 1, "{claims:?}");
    }
}

async fn futures<F>(count: usize, make: impl Fn(usize) -> F) -> Vec<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let tasks: Vec<_> = (0..count).map(|at| tokio::spawn(make(at))).collect();
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.expect("it ends"));
    }
    done
}

#[tokio::test]
async fn all_fields_are_there_and_others_find_the_first_instance() {
    let Some(server) = shared_redis() else { return };
    let registry = registry(&server.service_url(), MINUTE);
    let (first, second) = (who("seen", "one", "1"), who("seen", "two", "2"));
    // As a registry seeds them: fewer fields, and nobody's.
    let [_, shared] = keys(&first);
    let seeded = ["HSET", &*shared, "name", "x", "host", "old", "port", "1", "status", "unknown"];
    let _: u64 = admin(&server.admin_url(), &seeded).await;
    registry.claim(&first, "starting", NOW).await.unwrap();
    registry.claim(&second, "healthy", NOW + 1).await.unwrap();
    registry.claim(&first, "healthy", NOW + 2).await.unwrap();
    let hash: std::collections::HashMap<String, String> =
        admin(&server.admin_url(), &["HGETALL", &shared]).await;
    let (since, heard) = (NOW.to_string(), (NOW + 2).to_string());
    for (field, value) in [
        ("name", &*first.service),
        ("instance", "one"),
        ("version", "1.2.3"),
        ("host", "machine"),
        ("http_port", "8083"),
        ("grpc_port", "50053"),
        ("status", "healthy"),
        ("metadata", "{}"),
        ("registered_at", &since),
        ("last_heartbeat", &heard),
    ] {
        assert_eq!(hash.get(field).map(String::as_str), Some(value), "{field}");
    }
}

#[tokio::test]
async fn m120_12_two_instances_of_one_namespace_are_found_out() {
    let Some(server) = shared_redis() else { return };
    let registry = registry(&server.service_url(), MINUTE);
    // The second and the last row of the table in the spec's 2.4.
    let place = |instance: &str| {
        let place = tse_storage::Place::of("trading-system-engine", instance, None, None);
        Some(format!("{}-{}", place.unwrap().namespace.as_str(), std::process::id()))
    };
    let mut first = who("ns", "trading-system-engine-lh", "first");
    first.namespace = place("trading-system-engine-LH");
    let mut second = who("ns", "trading-system-lh", "second");
    second.namespace = place("trading-system-LH");
    assert_eq!(first.namespace, second.namespace);
    for it in [&first, &second] {
        assert_eq!(registry.claim(it, "healthy", NOW).await.unwrap(), Claim::Ours);
    }
    // Whoever looks after it has taken its name sees the other, whichever came first.
    for (it, other) in [(&first, &second), (&second, &first)] {
        let found = registry.same_namespace(it, NOW).await.unwrap().expect("the other is there");
        assert!(found.name.ends_with(&other.instance), "{found}");
    }
    second.namespace = place("trading-system-engine-Alpha");
    assert_eq!(registry.same_namespace(&second, NOW).await.unwrap(), None);
}
