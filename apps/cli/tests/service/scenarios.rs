//! The acceptances of the service, as `features/*.feature` tell them, step by step.
//!
//! A step that nobody knows fails, and so does a feature without a scenario.

use crate::{Desk, Running, number};
use gherkin::{Feature, GherkinEnv, Step};
use std::path::Path;
use tse_storage::testing::{PostgresServer, RedisServer};

/// What a scenario has come to.
#[derive(Default)]
struct World {
    desks: Vec<Desk>,
    running: Vec<Running>,
    names: Vec<String>,
    postgres: Option<PostgresServer>,
    redis: Option<RedisServer>,
    urls: Vec<(&'static str, String)>,
    ended: Option<(Option<i32>, String)>,
    /// A server that cannot be had here: the scenario is left out, which whoever looked has said.
    left_out: bool,
}

/// The texts in quotation marks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('"').skip(1).step_by(2).collect()
}

impl World {
    fn start(&mut self, instance: &str) {
        let desk = Desk::new();
        let mut variables: Vec<_> = self.urls.iter().map(|(name, url)| (*name, &**url)).collect();
        variables.push(("SERVICE_INSTANCE_NAME", instance));
        self.running.push(desk.run(&["--speed", "30", "--arm"], &variables));
        self.names.push(instance.to_owned());
        self.desks.push(desk);
    }

    fn first(&self) -> &Running {
        self.running.first().expect("the service was started")
    }

    fn step(&mut self, step: &Step) {
        let text = step.value.as_str();
        let words = quoted(text);
        match text {
            "a clean folder" => {}
            "PostgreSQL and Redis" | "PostgreSQL and Redis that are away" => self.servers(text),
            "the schema is migrated" => {
                let variables: Vec<_> =
                    self.urls.iter().map(|(name, url)| (*name, &**url)).collect();
                assert_eq!(Desk::new().tse(&["migrate"], &variables).code, 0);
            }
            "the service is started" => self.start(""),
            "it has traded" => {
                drop(self.first().until_status("it trades", |it| number(it, "fills") > 3))
            }
            "health answers healthy over REST" => {
                assert_eq!(self.first().get("/api/v1/health").json()["status"], "healthy");
            }
            "health answers SERVING over gRPC" => serving(self.first()),
            "SIGTERM arrives" => {
                let running = self.running.remove(0);
                running.signal("-TERM");
                self.ended = Some(running.end());
            }
            "it exits with 0" => assert_eq!(self.ended.as_ref().unwrap().0, Some(0)),
            "no order is open" => {
                assert!(self.ended.as_ref().unwrap().1.contains("0 orders are open"));
            }
            "an order of it is a row in PostgreSQL" => self.a_row(),
            "rows are answered" => {
                let reply = self.first().until("rows are there", "/api/v1/trades", |it| {
                    it.status == 200 && !it.json()["trades"].as_array().unwrap().is_empty()
                });
                assert_eq!(reply.json()["from"], "memory");
            }
            "the status of stores is ready" => {
                drop(self.first().until("ready", "/ready", |it| {
                    it.status == 200 && it.json()["status"] == "ready"
                }))
            }
            "the status of stores is degraded" => {
                drop(self.first().until("degraded", "/ready", |it| {
                    it.status == 200 && it.json()["status"] == "degraded"
                }))
            }
            "all answer healthy under their names" => {
                for (running, name) in self.running.iter().zip(&self.names) {
                    let health = running.get("/health").json();
                    let named = if name.is_empty() { "trading-system-engine" } else { name };
                    assert_eq!(
                        (&health["status"], &health["instance"]),
                        (&"healthy".into(), &named.into())
                    );
                }
            }
            _ if text.starts_with("instances ") => words.iter().for_each(|name| self.start(name)),
            _ if text.starts_with("their schemas are ") => self.each_is("schema", &words),
            _ if text.starts_with("their namespaces are ") => self.each_is("namespace", &words),
            _ if text.ends_with(" is called") => drop(self.first().get(words[0])),
            _ if text.starts_with("metrics show ") => {
                let metrics = self.first().get("/api/v1/metrics").body;
                let (route, code) =
                    (format!("route=\"{}\"", words[1]), format!("code=\"{}\"", words[2]));
                let found = metrics.lines().any(|line| {
                    line.starts_with(&format!("{}{{", words[0]))
                        && line.contains(&route)
                        && line.contains(&code)
                });
                assert!(found, "{text}: {metrics}");
            }
            "every series carries service, instance and version" => {
                let metrics = self.first().get("/api/v1/metrics").body;
                for line in metrics.lines().filter(|line| !line.starts_with('#')) {
                    for label in ["service=\"", "instance=\"", "version=\""] {
                        assert!(line.contains(label), "{line}");
                    }
                }
            }
            _ => panic!("nobody knows the step `{text}`"),
        }
    }

    fn servers(&mut self, text: &str) {
        let (Some(mut postgres), Some(mut redis)) =
            (PostgresServer::start(&[]), RedisServer::start())
        else {
            self.left_out = true;
            return;
        };
        self.urls = vec![
            ("POSTGRES_URL", postgres.url("postgres")),
            ("REDIS_URL", redis.url()),
            ("DISCOVERY_REDIS_URL", redis.service_url()),
        ];
        if text.ends_with("away") {
            postgres.kill();
            redis.kill();
        }
        (self.postgres, self.redis) = (Some(postgres), Some(redis));
    }

    fn a_row(&self) {
        let postgres = self.postgres.as_ref().expect("it was started");
        self.first().until("rows follow", "/ready", |it| it.json()["checks"]["postgres"] == "ok");
        let status = self.first().until_status("it has sent", |it| number(it, "sent") > 0);
        assert!(number(&status, "fills") > 0);
        let mut rows = 0;
        while rows == 0 {
            let text = postgres
                .sql("postgres", "SELECT count(*) FROM trading.orders WHERE status = 'filled'");
            rows = text.trim().parse().unwrap();
        }
        let reply = self.first().get("/api/v1/trades");
        assert_eq!((reply.status, &reply.json()["from"]), (200, &"postgres".into()));
    }

    fn each_is(&self, key: &str, wanted: &[&str]) {
        assert_eq!(self.running.len(), wanted.len());
        for (running, wanted) in self.running.iter().zip(wanted) {
            running.until(&format!("{key} is {wanted}"), "/ready", |it| it.json()[key] == **wanted);
        }
    }
}

/// Asks for health over gRPC, as any client would.
fn serving(running: &Running) {
    use tonic_health::pb::health_check_response::ServingStatus;
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let url = format!("http://127.0.0.1:{}", running.grpc);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let status = runtime.block_on(async {
        let channel = tonic::transport::Endpoint::from_shared(url).unwrap().connect().await;
        let mut client = HealthClient::new(channel.unwrap());
        let request = HealthCheckRequest { service: String::new() };
        client.check(request).await.unwrap().into_inner().status()
    });
    assert_eq!(status, ServingStatus::Serving);
}

#[allow(clippy::print_stdout, reason = "whoever reads a failure wants to know the step")]
fn scenarios(file: &str) {
    let path = Path::new("tests/features").join(file);
    let feature = Feature::parse_path(path, GherkinEnv::default()).unwrap();
    assert!(!feature.scenarios.is_empty());
    for scenario in &feature.scenarios {
        println!("{}", scenario.name);
        let mut world = World::default();
        for step in &scenario.steps {
            println!("  {}{}", step.keyword, step.value);
            world.step(step);
            if world.left_out {
                break;
            }
        }
    }
}

#[test]
fn m1b_service_bootstrapping() {
    scenarios("m1b_bootstrapping.feature");
}

#[test]
fn m45_trading_data_adapter() {
    scenarios("m45_data_adapter.feature");
}

#[test]
fn m120_named_components() {
    scenarios("m120_named_components.feature");
}

#[test]
fn m120b_prometheus_metrics() {
    scenarios("m120b_metrics.feature");
}
