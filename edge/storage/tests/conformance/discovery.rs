use crate::fixtures::{Volatile, service};
use std::time::Duration;
use tse_storage::{ServiceInfo, ServiceStatus};

fn ids(services: Vec<ServiceInfo>) -> Vec<String> {
    services.into_iter().map(|service| service.service_id).collect()
}

pub async fn life(store: &Volatile) {
    let discovery = &store.discovery;
    let mut engine = service("engine-1", "engine", store.now());
    engine.metadata.insert("protocols".to_owned(), r#"["http","grpc"]"#.to_owned());
    discovery.register(&engine).await.expect("in");
    assert_eq!(discovery.get_service_by_id("engine-1").await, Ok(Some(engine.clone())));
    engine.http_port = 9_000;
    engine.metadata.clear();
    discovery.register(&engine).await.expect("in again");
    assert_eq!(discovery.get_service_by_id("engine-1").await, Ok(Some(engine.clone())));
    discovery.register(&service("risk-1", "risk", store.now())).await.expect("in");
    let all = discovery.list_services().await.expect("read");
    assert_eq!(ids(all), ["engine-1", "risk-1"]);
    discovery.update_status("risk-1", ServiceStatus::Degraded).await.expect("told");
    let healthy = discovery.list_healthy_services().await.expect("read");
    assert_eq!(ids(healthy), ["engine-1"]);

    store.pass(Duration::from_millis(5)).await;
    discovery.update_heartbeat("engine-1").await.expect("heard");
    let heard = discovery.get_service_by_id("engine-1").await.expect("read").expect("there");
    assert!(heard.last_seen > engine.last_seen);
    assert_eq!(ServiceInfo { last_seen: engine.last_seen, ..heard }, engine);

    discovery.deregister("engine-1").await.expect("out");
    assert_eq!(discovery.get_service_by_id("engine-1").await, Ok(None));
    for unknown in [
        discovery.deregister("engine-1").await,
        discovery.update_heartbeat("engine-1").await,
        discovery.update_status("engine-1", ServiceStatus::Healthy).await,
    ] {
        assert_eq!(unknown.expect_err("unknown").code(), "TSE-P001");
    }
    assert_eq!(discovery.get_service_by_id("engine-1").await, Ok(None), "nothing half there");
    let mut nameless = service("x", "", store.now());
    assert_eq!(discovery.register(&nameless).await.expect_err("no name").code(), "TSE-P003");
    nameless.service_name = "a\nb".to_owned();
    assert_eq!(discovery.register(&nameless).await.expect_err("no name").code(), "TSE-P003");
}

pub async fn best(store: &Volatile) {
    let discovery = &store.discovery;
    assert_eq!(discovery.get_service("engine").await, Ok(None));
    let now = store.now();
    for (id, ago, status) in [
        ("a", 30, ServiceStatus::Healthy),
        ("b", 10, ServiceStatus::Healthy),
        ("c", 0, ServiceStatus::Degraded),
        ("d", 20, ServiceStatus::Healthy),
    ] {
        let last_seen = now.before(Duration::from_secs(ago));
        let row = ServiceInfo { status, last_seen, ..service(id, "engine", now) };
        discovery.register(&row).await.expect("in");
    }
    discovery.register(&service("other", "risk", now)).await.expect("in");
    let found = discovery.get_service("engine").await.expect("read").expect("there");
    assert_eq!(found.service_id, "b", "healthy, and heard last");
    let all = discovery.get_instances("engine").await.expect("read");
    assert_eq!(ids(all), ["b", "d", "a", "c"]);
    for id in ["a", "b", "d"] {
        discovery.update_status(id, ServiceStatus::Stopping).await.expect("told");
    }
    assert_eq!(discovery.get_service("engine").await, Ok(None), "none is healthy");
}

pub async fn stale(store: &Volatile) {
    let discovery = &store.discovery;
    let now = store.now();
    for (id, ago) in [("fresh", 299), ("stale", 301)] {
        let last_seen = now.before(Duration::from_secs(ago));
        let row = ServiceInfo { last_seen, ..service(id, "engine", now) };
        discovery.register(&row).await.expect("in");
    }
    let threshold = Duration::from_secs(300);
    assert_eq!(discovery.cleanup_stale_services(threshold).await, Ok(1));
    assert_eq!(ids(discovery.list_services().await.expect("read")), ["fresh"]);
    assert_eq!(discovery.cleanup_stale_services(threshold).await, Ok(0));
}
