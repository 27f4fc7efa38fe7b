//! Several engines at once on one PostgreSQL and one Redis: each has its schema, its namespace and its health.

use crate::{Desk, number};
use tse_storage::testing::{shared_postgres, shared_redis};

#[test]
fn m120_13_three_instances_run_at_once_on_one_postgres_and_one_redis() {
    let (Some(postgres), Some(redis)) = (shared_postgres(), shared_redis()) else { return };
    let database = format!("three_{}", std::process::id());
    postgres.sql("postgres", &format!("CREATE DATABASE {database}"));
    let (url, redis) = (postgres.url(&database), redis.url());
    let instances = [
        ("", "trading", "trading"),
        ("trading-system-engine-LH", "trading_system_engine_lh", "trading_system:LH"),
        ("trading-system-engine-Alpha", "trading_system_engine_alpha", "trading_system:Alpha"),
    ];
    let desks: Vec<_> = instances.iter().map(|_| Desk::new()).collect();
    let mut running = Vec::new();
    for (desk, (instance, schema, _)) in desks.iter().zip(instances) {
        let variables =
            [("POSTGRES_URL", &*url), ("REDIS_URL", &*redis), ("SERVICE_INSTANCE_NAME", instance)];
        let migrated = desk.tse(&["migrate"], &variables);
        assert_eq!(migrated.code, 0, "{}{}", migrated.out, migrated.err);
        assert!(migrated.out.contains(schema), "{}", migrated.out);
        running.push(desk.run(&["--speed", "30", "--arm"], &variables));
    }
    for (running, (instance, schema, namespace)) in running.iter().zip(instances) {
        let ready = running.until("it is ready", "/ready", |it| {
            it.status == 200
                && it.json()["checks"]["postgres"] == "ok"
                && it.json()["checks"].get("redis").is_some()
        });
        assert_eq!(
            (&ready.json()["schema"], &ready.json()["namespace"]),
            (&schema.into(), &namespace.into())
        );
        let health = running.get("/health").json();
        let named = if instance.is_empty() { "trading-system-engine" } else { instance };
        assert_eq!(health["instance"], named);
        running.until_status("it trades", |it| number(it, "fills") > 0);
        let metrics = running.get("/metrics").body;
        assert!(metrics.contains(&format!("instance=\"{named}\"")));
    }
    for running in running {
        running.signal("-TERM");
        assert_eq!(running.end().0, Some(0));
    }
    for (desk, (instance, schema, _)) in desks.iter().zip(instances) {
        let variables = [("POSTGRES_URL", &*url), ("SERVICE_INSTANCE_NAME", instance)];
        let check = desk.tse(&["store", "check"], &variables);
        assert_eq!(check.code, 0, "{schema}: {}{}", check.out, check.err);
        let rows = postgres.sql(&database, &format!("SELECT count(*) FROM {schema}.trades"));
        assert!(rows.trim().parse::<u64>().unwrap() > 0, "{schema}: {rows}");
    }
}
