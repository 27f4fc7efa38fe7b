use crate::fixtures::Volatile;
use std::time::Duration;

const SOON: Option<Duration> = Some(Duration::from_millis(1_200));
const LATER: Option<Duration> = Some(Duration::from_secs(600));

pub async fn values(store: &Volatile) {
    let cache = &store.cache;
    assert_eq!(cache.get("a").await, Ok(None));
    assert_eq!(cache.exists("a").await, Ok(false));
    cache.set("a", "1 ü \0 \n", None).await.expect("set");
    assert_eq!(cache.get("a").await, Ok(Some("1 ü \0 \n".to_owned())));
    assert_eq!(cache.exists("a").await, Ok(true));
    cache.set("a", "2", None).await.expect("set");
    assert_eq!(cache.get("a").await, Ok(Some("2".to_owned())));
    cache.delete("a").await.expect("deleted");
    cache.delete("a").await.expect("it need not be there");
    assert_eq!(cache.get("a").await, Ok(None));

    let json = serde_json::json!({"x": [1, null, "two"]});
    cache.set_json("j", &json, LATER).await.expect("set");
    assert_eq!(cache.get_json("j").await, Ok(Some(json)));
    assert_eq!(cache.get_json("none").await, Ok(None));
    cache.set("broken", "{", None).await.expect("set");
    assert_eq!(cache.get_json("broken").await.expect_err("no JSON").code(), "TSE-P003");

    cache.set_many(&[("m1", "1"), ("m2", "2")], LATER).await.expect("set");
    let many = cache.get_many(&["m2", "none", "m1"]).await.expect("read");
    assert_eq!(many, [Some("2".to_owned()), None, Some("1".to_owned())]);
    assert!((599..=600).contains(&cache.ttl("m1").await.expect("read")));
    assert_eq!(cache.get_many(&[]).await, Ok(vec![]));
    cache.set_many(&[], None).await.expect("nothing to set");

    assert_eq!(cache.set_if_absent("once", "first", LATER).await, Ok(true));
    assert_eq!(cache.set_if_absent("once", "second", LATER).await, Ok(false));
    assert_eq!(cache.get("once").await, Ok(Some("first".to_owned())));
    assert!(cache.ping().await.expect("an answer") < Duration::from_secs(5));

    for key in ["", "services:engine", &"k".repeat(513)] {
        assert_eq!(cache.set(key, "x", None).await.expect_err("no key").code(), "TSE-P003");
        assert_eq!(cache.get(key).await.expect_err("no key").code(), "TSE-P003");
    }
}

pub async fn numbers(store: &Volatile) {
    let cache = &store.cache;
    assert_eq!(cache.increment("n", 1).await, Ok(1));
    assert_eq!(cache.increment("n", 41).await, Ok(42));
    assert_eq!(cache.decrement("n", 2).await, Ok(40));
    assert_eq!(cache.decrement("n", -2).await, Ok(42));
    assert_eq!(cache.get("n").await, Ok(Some("42".to_owned())));
    assert_eq!(cache.ttl("n").await, Ok(-1));
    cache.expire("n", Duration::from_secs(600)).await.expect("set");
    cache.increment("n", 1).await.expect("counted");
    assert!((599..=600).contains(&cache.ttl("n").await.expect("read")), "it keeps its time");
    cache.set("text", "x", None).await.expect("set");
    assert_eq!(cache.increment("text", 1).await.expect_err("no number").code(), "TSE-P003");
    cache.set("big", &i64::MAX.to_string(), None).await.expect("set");
    assert_eq!(cache.increment("big", 1).await.expect_err("too big").code(), "TSE-P003");
    assert_eq!(cache.decrement("n", i64::MIN).await.expect_err("too big").code(), "TSE-P003");
    assert_eq!(cache.get("big").await, Ok(Some(i64::MAX.to_string())));
}

pub async fn keys(store: &Volatile) {
    let cache = &store.cache;
    for key in ["order:1", "order:2", "orders", "a*b", "axb"] {
        cache.set(key, "x", None).await.expect("set");
    }
    store.discovery.register(&crate::fixtures::service("s", "s", store.now())).await.expect("in");
    assert_eq!(cache.keys("order:*").await, Ok(vec!["order:1".to_owned(), "order:2".to_owned()]));
    assert_eq!(cache.keys("*").await.expect("read").len(), 5, "services are not keys");
    assert_eq!(cache.keys("order:[^1]").await, Ok(vec!["order:2".to_owned()]));
    assert_eq!(cache.keys(r"a\*b").await, Ok(vec!["a*b".to_owned()]));
    assert_eq!(cache.keys("?").await, Ok(vec![]));
    assert_eq!(cache.delete_pattern("order:*").await, Ok(2));
    assert_eq!(cache.delete_pattern("order:*").await, Ok(0));
    assert_eq!(cache.delete_pattern("*").await, Ok(3));
    assert!(store.discovery.get_service_by_id("s").await.expect("read").is_some());

    let many: Vec<_> = (0..2_500).map(|n| format!("many:{n}")).collect();
    let items: Vec<_> = many.iter().map(|key| (key.as_str(), "x")).collect();
    cache.set_many(&items, None).await.expect("set");
    assert_eq!(cache.keys("many:*").await.expect("read").len(), 2_500);
    assert_eq!(cache.delete_pattern("many:*").await, Ok(2_500));
}

pub async fn time(store: &Volatile) {
    let cache = &store.cache;
    assert_eq!(cache.ttl("a").await, Ok(-2));
    cache.set("soon", "x", SOON).await.expect("set");
    cache.set("later", "x", LATER).await.expect("set");
    cache.set("ever", "x", None).await.expect("set");
    cache.set("7", "7", SOON).await.expect("set");
    cache.increment("7", 1).await.expect("counted");
    assert_eq!(cache.set_if_absent("lock", "x", SOON).await, Ok(true));
    assert_eq!(cache.ttl("soon").await, Ok(1));
    assert_eq!(cache.ttl("ever").await, Ok(-1));
    assert_eq!(cache.expire("nobody", Duration::from_secs(9)).await, Ok(false));
    assert_eq!(cache.expire("ever", Duration::from_millis(1_200)).await, Ok(true));
    for ttl in [Duration::ZERO, Duration::from_nanos(1)] {
        let refused = cache.set("zero", "x", Some(ttl)).await.expect_err("for ever?");
        assert_eq!(refused.code(), "TSE-P003");
        assert_eq!(cache.expire("soon", ttl).await.expect_err("for ever?").code(), "TSE-P003");
        let refused = cache.set_many(&[("zero", "x")], Some(ttl)).await.expect_err("for ever?");
        assert_eq!(refused.code(), "TSE-P003");
        assert!(cache.set_if_absent("zero", "x", Some(ttl)).await.is_err());
    }
    store.pass(Duration::from_millis(1_400)).await;
    assert_eq!(cache.get("soon").await, Ok(None));
    assert_eq!(cache.ttl("soon").await, Ok(-2));
    assert_eq!(cache.exists("7").await, Ok(false), "a number keeps its time");
    assert_eq!(cache.keys("*").await, Ok(vec!["later".to_owned()]));
    assert_eq!(cache.set_if_absent("lock", "y", None).await, Ok(true), "it was released");
    assert_eq!(cache.increment("7", 1).await, Ok(1), "and begins again");
    cache.set("later", "y", None).await.expect("set");
    assert_eq!(cache.ttl("later").await, Ok(-1), "a new value has its own time");
}
