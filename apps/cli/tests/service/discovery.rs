//! The registry of services: who has a name, and what becomes of it when an engine ends, dies, or Redis forgets.

use crate::http;
use crate::{Desk, Running};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};
use tse_storage::testing::RedisServer;

/// What the administrator of a Redis is told.
fn redis(server: &RedisServer, words: &[&str]) -> Vec<String> {
    let mut command = Command::new("redis-cli");
    command.args(["-p", &server.port().to_string()]).args(words);
    let said = command.output().expect("redis-cli is there where redis-server is");
    String::from_utf8(said.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn hash(server: &RedisServer, key: &str) -> HashMap<String, String> {
    let lines = redis(server, &["HGETALL", key]);
    lines.chunks_exact(2).map(|it| (it[0].clone(), it[1].clone())).collect()
}

/// Waits until a key is as it should be.
fn until(server: &RedisServer, key: &str, is_so: impl Fn(&HashMap<String, String>) -> bool) {
    let begun = Instant::now();
    while begun.elapsed() < crate::PATIENCE {
        if is_so(&hash(server, key)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{key}: {:?}", hash(server, key));
}

fn is_registered(running: &Running) {
    running.until("it is registered", "/ready", |it| it.json()["checks"]["discovery"] == "ok");
}

#[test]
fn m120_12_a_second_live_instance_of_one_name_does_not_begin() {
    let Some(server) = RedisServer::start() else { return };
    let url = server.service_url();
    let beats = [
        ("DISCOVERY_REDIS_URL", &*url),
        ("HEALTH_CHECK_INTERVAL", "2"),
        ("SERVICE_INSTANCE_NAME", "trading-system-engine-LH"),
    ];
    let key = "registry:services:trading-system-engine:trading-system-engine-lh";
    let (first, second) = (Desk::new(), Desk::new());
    let running = first.run(&["--speed", "10"], &beats);
    is_registered(&running);
    let found = hash(&server, key);
    assert_eq!(found["http_port"], running.port.to_string());
    assert_eq!(found["host"], "127.0.0.1");
    assert_eq!(found["namespace"], "trading_system:LH");

    // Spelled otherwise, it is the same name.
    let mut other = beats;
    other[2].1 = "Trading-System-Engine-lh";
    let (code, said) = second.begin(&[], &other).end();
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("TSE-N010") && said.contains(&running.port.to_string()), "{said}");

    // One that dies and comes back with its folder is no second one.
    running.signal("-KILL");
    assert_eq!(running.end().0, None);
    let running = first.run(&["--speed", "10"], &beats);
    is_registered(&running);
    assert_eq!(hash(&server, key)["http_port"], running.port.to_string());

    // Redis may forget everything at any time: it is told again.
    redis(&server, &["FLUSHALL"]);
    until(&server, key, |it| it.get("status").is_some_and(|it| it == "healthy"));
    let shared = "registry:services:trading-system-engine";
    until(&server, shared, |it| it.get("owner").is_some());

    // Who ends in order gives its name back.
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(0));
    assert!(hash(&server, key).is_empty() && hash(&server, shared).is_empty());
    let running = second.run(&["--speed", "10"], &beats);
    is_registered(&running);
}

#[test]
fn an_engine_runs_without_its_registry_and_registers_when_that_is_there() {
    let Some(mut server) = RedisServer::start() else { return };
    let url = server.service_url();
    server.kill();
    let desk = Desk::new();
    let variables = [
        ("DISCOVERY_REDIS_URL", &*url),
        ("HEALTH_CHECK_INTERVAL", "0.2"),
        ("REGISTRATION_RETRY_INTERVAL", "0.2"),
        ("ADVERTISE_HOST", "engine.example"),
    ];
    let running = desk.run(&["--speed", "10"], &variables);
    let ready = running.get("/ready").json();
    assert_eq!(
        (&ready["status"], &ready["checks"]["discovery"]),
        (&"degraded".into(), &"down".into())
    );
    server.run();
    is_registered(&running);
    let key = "registry:services:trading-system-engine:trading-system-engine";
    assert_eq!(hash(&server, key)["host"], "engine.example");

    // Another that comes to have the name is found out, and nothing stops for it.
    let lost = |it: &http::Reply| {
        // A beat may be under way and write over it: it is said again until it is seen.
        redis(&server, &["HSET", key, "owner", "somebody"]);
        redis(&server, &["PERSIST", key]);
        it.status == 200
            && it.json()["reasons"]["discovery"].to_string().contains("another instance")
    };
    running.until("it sees the other", "/ready", lost);
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(0));
    let left = hash(&server, key);
    assert!(left.get("owner").is_none_or(|it| it == "somebody"), "another's is not written over");
}

#[test]
fn a_registry_that_speaks_http_is_told_once_and_need_not_be_there() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let told = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut all = Vec::new();
        let mut some = [0; 4_096];
        while !all.ends_with(b"\"}") {
            let read = stream.read(&mut some).unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&all));
            all.extend_from_slice(&some[..read]);
        }
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").unwrap();
        String::from_utf8(all).unwrap()
    });
    let desk = Desk::new();
    let running = desk.run(&[], &[("SERVICE_REGISTRY_URL", &url)]);
    let told = told.join().unwrap();
    let (head, body) = told.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /api/v1/services HTTP/1.1"), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["name"], "trading-system-engine");
    assert_eq!(body["endpoints"]["http"], format!("http://127.0.0.1:{}", running.port));
    assert_eq!(body["endpoints"]["grpc"], format!("127.0.0.1:{}", running.grpc));
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(0), "a registry that knows no such route changes nothing");
}
