//! What is deployed fits what is built: dashboards and rules name series and labels that engines serve, containers are
//! told only variables that mean something, and ports are the same wherever they are written.
//!
//! The files are those of `deploy/`. Whether tools of others take them is asked by `cargo xtask deploy`.

mod common;

use common::Bench;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use tse_server::names;
use tse_server::settings::{Environment, LogFormat, Settings, Variables};

/// What the process says of itself: the `prometheus` crate's collector.
const PROCESS: &[&str] = &[
    "process_cpu_seconds_total",
    "process_max_fds",
    "process_open_fds",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "process_threads",
    "process_virtual_memory_bytes",
];
/// Labels that every series of an engine has, the last one from whoever scrapes.
const CONSTANT: &[&str] = &["service", "instance", "version", "job"];
/// Variables of the program that the service does not read.
const OF_THE_PROGRAM: &[&str] = &["TSE_STATE", "TSE_OPERATOR"];

fn root() -> PathBuf {
    PathBuf::from("../..")
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&text(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Labels of a name beside the constant ones; `None` where nobody has said.
fn labels(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        names::HTTP_REQUESTS | names::HTTP_ERRORS | names::HTTP_SECONDS => {
            &["method", "route", "code"]
        }
        names::GRPC_REQUESTS | names::GRPC_ERRORS | names::GRPC_SECONDS => &["method", "code"],
        names::DEPENDENCY => &["dependency"],
        names::STRATEGY_PNL => &["strategy_name", "strategy_version"],
        names::STRATEGY_TRADES => &["strategy_name", "side"],
        names::STRATEGY_WIN_RATE | names::STRATEGY_SHARPE => &["strategy_name"],
        names::POSITION => &["symbol", "strategy"],
        names::DRAWDOWN => &["strategy"],
        names::BREACHES => &["limit_type", "strategy"],
        names::BREAKER => &["reason"],
        names::ALERTS => &["kind"],
        names::QUOTE_AGE => &["symbol"],
        names::STRATEGY_SECONDS => &["strategy"],
        names::INPUT_SECONDS => &["share"],
        names::ORDERS_PER_SECOND
        | names::EQUITY
        | names::ARMED
        | names::LEVEL
        | names::ORDERS_OPEN
        | names::ORDERS_SENT
        | names::ORDERS_DENIED
        | names::FILLS
        | names::MARKET_EVENTS
        | names::RECORD_SECONDS
        | names::JOURNAL_SAFE => &[],
        _ if PROCESS.contains(&name) => &[],
        _ => return None,
    })
}

/// A series as an expression asks for it.
#[derive(Debug, PartialEq, Eq)]
struct Selector {
    name: String,
    keys: Vec<String>,
}

/// What an expression names: series, and labels by which it groups or joins.
#[derive(Debug, Default)]
struct Named {
    series: Vec<Selector>,
    groups: Vec<String>,
}

/// Reads as much of the language as there is in our files; whether it is the language is promtool's to say.
fn named(expr: &str) -> Named {
    const JOINS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];
    const WORDS: [&str; 5] = ["and", "or", "unless", "offset", "bool"];
    let mut found = Named::default();
    let mut rest = expr;
    while let Some(first) = rest.chars().next() {
        if first == '[' || first == '"' {
            let close = if first == '[' { ']' } else { '"' };
            let end = rest[1..].find(close).unwrap_or_else(|| panic!("`{expr}` never ends"));
            rest = &rest[end + 2..];
        } else if first.is_ascii_digit() {
            rest = rest.trim_start_matches(|it: char| it.is_ascii_alphanumeric() || it == '.');
        } else if first.is_ascii_alphabetic() || first == '_' {
            let (word, after) = split_word(rest);
            let after = after.trim_start();
            rest = after;
            if JOINS.contains(&word) {
                let (list, after) = enclosed(after, '(', ')');
                let list = list.split(',').map(str::trim).filter(|it| !it.is_empty());
                found.groups.extend(list.map(str::to_owned));
                rest = after;
            } else if !WORDS.contains(&word) && !is_called(after) {
                let mut keys = Vec::new();
                if after.starts_with('{') {
                    let (matchers, after) = enclosed(after, '{', '}');
                    keys = matched(matchers);
                    rest = after;
                }
                found.series.push(Selector { name: word.to_owned(), keys });
            }
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    found
}

/// Whether what stood before is something that is done, and no series.
fn is_called(after: &str) -> bool {
    let (word, rest) = split_word(after);
    after.starts_with('(')
        || (["by", "without"].contains(&word) && rest.trim_start().starts_with('('))
}

fn split_word(text: &str) -> (&str, &str) {
    let inside = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == ':';
    text.split_at(text.find(|it| !inside(it)).unwrap_or(text.len()))
}

fn enclosed(text: &str, open: char, close: char) -> (&str, &str) {
    let inner = text.strip_prefix(open).unwrap_or_else(|| panic!("`{text}` has no {open}"));
    let mut quoted = false;
    for (at, it) in inner.char_indices() {
        quoted ^= it == '"';
        if it == close && !quoted {
            return (&inner[..at], &inner[at + close.len_utf8()..]);
        }
    }
    panic!("`{text}` has no {close}")
}

/// The keys of `a="x", b=~"y"`.
fn matched(mut text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    while let Some((before, after)) = text.split_once('"') {
        let key = before.trim_start_matches([',', ' ']).trim_end_matches(['=', '~', '!', ' ']);
        keys.push(key.to_owned());
        text = after.split_once('"').expect("what opens is closed").1;
    }
    keys
}

/// The labels that a series of that name has, with all that is added to it; an error if there is no such series.
fn known(name: &str) -> Result<Option<Vec<&'static str>>, String> {
    let of_prometheus = match name {
        "up" => Some(vec!["job", "instance", "service"]),
        // With every label of what it is about.
        "ALERTS" => return Ok(None),
        _ => None,
    };
    if let Some(labels) = of_prometheus {
        return Ok(Some(labels));
    }
    let (base, is_part) =
        match ["_bucket", "_sum", "_count"].iter().find_map(|it| name.strip_suffix(it)) {
            Some(base) => (base, true),
            None => (name, false),
        };
    let is_histogram = [names::HTTP_SECONDS, names::GRPC_SECONDS].contains(&base);
    let is_ours = names::HELP.iter().any(|(own, _)| *own == base) || PROCESS.contains(&base);
    if !is_ours || is_part != is_histogram {
        return Err(format!("no series is called `{name}`"));
    }
    let Some(own) = labels(base) else { return Ok(None) };
    let mut all: Vec<_> = own.iter().chain(CONSTANT).copied().collect();
    if name.ends_with("_bucket") {
        all.push("le");
    }
    Ok(Some(all))
}

/// Everything wrong with an expression and with labels that are taken from its result.
fn wrong_with(expr: &str, shown: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    let named = named(expr);
    let mut every = BTreeSet::new();
    let mut unsure = false;
    for series in &named.series {
        match known(&series.name) {
            Err(why) => wrong.push(why),
            Ok(None) => unsure = true,
            Ok(Some(labels)) => {
                let bad = series.keys.iter().filter(|key| !labels.contains(&key.as_str()));
                wrong.extend(bad.map(|key| format!("{} has no label `{key}`", series.name)));
                every.extend(labels);
            }
        }
    }
    if named.series.is_empty() {
        wrong.push("it names no series".to_owned());
    }
    if !unsure {
        let bad = named.groups.iter().chain(shown).filter(|key| !every.contains(key.as_str()));
        wrong.extend(bad.map(|key| format!("nothing in it has the label `{key}`")));
    }
    wrong.into_iter().map(|why| format!("{why}: {expr}")).collect()
}

/// The labels that a text takes in double braces.
fn in_braces<'a>(text: &'a str, before: &str) -> Vec<String> {
    let parts = text.split("{{").skip(1).filter_map(|part| part.split_once("}}"));
    let words = parts.flat_map(|(inner, _): (&'a str, _)| inner.split_whitespace());
    words.filter_map(|word| word.strip_prefix(before)).map(str::to_owned).collect()
}

fn every_panel(dashboard: &Value) -> Vec<&Value> {
    let panels = dashboard["panels"].as_array().expect("a dashboard has panels");
    let inner = panels.iter().filter_map(|panel| panel["panels"].as_array()).flatten();
    panels.iter().chain(inner).collect()
}

#[test]
fn expressions_are_read_as_far_as_ours_go() {
    let it = named(
        r#"sum by (instance, le) (rate(a_bucket{x=~"(1|2)", y!="}"}[5m])) / on (instance) b offset 10m > 420e6 or c"#,
    );
    let series: Vec<_> = it.series.iter().map(|it| (it.name.as_str(), it.keys.join(","))).collect();
    assert_eq!(series, [("a_bucket", "x,y".into()), ("b", String::new()), ("c", String::new())]);
    assert_eq!(it.groups, ["instance", "le", "instance"]);
}

#[test]
fn names_and_labels_that_do_not_exist_are_noticed() {
    for (expr, why) in [
        ("tse_armd == 0", "no series"),
        ("http_request_duration_seconds > 1", "no series"),
        ("tse_armed_count", "no series"),
        (r#"tse_armed{symbol="x"}"#, "no label `symbol`"),
        ("sum by (rout) (http_requests_total)", "the label `rout`"),
        ("1 > 0", "names no series"),
    ] {
        let wrong = wrong_with(expr, &[]);
        assert!(wrong.iter().any(|it| it.contains(why)), "{expr}: {wrong:?}");
    }
    assert_eq!(wrong_with("tse_armed", &["strategy".to_owned()]).len(), 1);
}

#[tokio::test]
async fn labels_are_those_that_engines_serve() {
    let bench = Bench::new(&[]);
    bench.get("/ready").await;
    bench.get("/nowhere").await;
    let page = bench.get("/metrics").await.text;
    let mut seen = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = split_word(line);
        let keys = matched(enclosed(rest, '{', '}').0);
        let keys: BTreeSet<_> = keys.into_iter().collect();
        let wanted = known(name).unwrap_or_else(|why| panic!("{why}"));
        let wanted: Option<BTreeSet<_>> = wanted.map(|all| {
            // Whoever scrapes adds it.
            all.into_iter().filter(|key| *key != "job").map(str::to_owned).collect()
        });
        assert!(wanted.is_none_or(|wanted| wanted == keys), "{name} has {keys:?}");
        seen.insert(name.to_owned(), keys);
    }
    for name in ["http_requests_total", "service_dependency_ready"].iter().chain(PROCESS) {
        assert!(seen.contains_key(*name), "{name} is not in {:?}", seen.keys());
    }
}

#[test]
fn dashboards_show_series_that_engines_serve() {
    let source = yaml("deploy/grafana/provisioning/datasources/prometheus.yaml");
    let source =
        source["datasources"][0]["uid"].as_str().expect("the source has a name").to_owned();
    let mut wrong = Vec::new();
    let mut uids = BTreeSet::new();
    for file in ["red.json", "trading.json"] {
        let path = format!("deploy/grafana/dashboards/{file}");
        let dashboard: Value = serde_json::from_str(&text(&path)).expect("it is JSON");
        assert!(uids.insert(dashboard["uid"].as_str().expect("it has a name").to_owned()));
        let mut ids = BTreeSet::new();
        let mut variables = BTreeSet::new();
        for variable in dashboard["templating"]["list"].as_array().expect("it has variables") {
            let query = variable["query"]["query"].as_str().expect("a variable asks");
            assert_eq!(variable["definition"], variable["query"]["query"]);
            let inner = query.strip_prefix("label_values(").and_then(|it| it.strip_suffix(')'));
            let (expr, label) =
                inner.and_then(|it| it.rsplit_once(',')).expect("values of a label");
            wrong.extend(wrong_with(expr, &[label.trim().to_owned()]));
            variables.insert(variable["name"].as_str().expect("it has a name").to_owned());
        }
        for panel in every_panel(&dashboard) {
            assert!(ids.insert(panel["id"].as_u64()), "{file} has a number twice");
            if panel["type"] == "row" {
                continue;
            }
            let title = panel["title"].as_str().expect("a panel has a title");
            assert!(panel["description"].as_str().is_some_and(|it| it.ends_with('.')), "{title}");
            let targets = panel["targets"].as_array().expect("a panel asks");
            assert!(!targets.is_empty(), "{title} asks nothing");
            for target in targets {
                assert_eq!(target["datasource"]["uid"], source.as_str(), "{title}");
                let expr = target["expr"].as_str().expect("a target has an expression");
                let legend = target["legendFormat"].as_str().unwrap_or_default();
                wrong.extend(wrong_with(expr, &in_braces(legend, "")));
                let used = expr.split('$').skip(1).map(|part| split_word(part).0);
                for name in used.filter(|name| *name != "__rate_interval") {
                    assert!(variables.contains(name), "{title} uses ${name}, which is none");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn alerts_watch_series_that_engines_serve_and_lead_to_what_to_do() {
    let page = text("docs/operations.md");
    let headings: BTreeSet<_> = page.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let rules = yaml("deploy/prometheus/alerts.yml");
    let groups = rules["groups"].as_array().expect("there are groups");
    let all: Vec<_> = groups.iter().filter_map(|it| it["rules"].as_array()).flatten().collect();
    let tests = text("deploy/prometheus/tests.yml");
    let mut wrong = Vec::new();
    for rule in &all {
        let name = rule["alert"].as_str().expect("an alert has a name");
        let said = |key: &str| rule["annotations"][key].as_str().unwrap_or_default();
        let mut shown = in_braces(said("summary"), "$labels.");
        shown.extend(in_braces(said("description"), "$labels."));
        wrong.extend(wrong_with(rule["expr"].as_str().expect("an expression"), &shown));
        assert!(["critical", "warning"].contains(&rule["labels"]["severity"].as_str().unwrap()));
        assert!(!said("summary").is_empty() && said("description").ends_with('.'), "{name}");
        let anchor = said("runbook_url").split_once("docs/operations.md#").map(|it| it.1);
        assert_eq!(anchor, Some(name.to_ascii_lowercase().as_str()), "{name}");
        assert!(headings.contains(name), "docs/operations.md says nothing of {name}");
        assert!(tests.contains(&format!("alertname=\"{name}\"")), "{name} is not tested");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let known: BTreeSet<_> = all.iter().filter_map(|rule| rule["alert"].as_str()).collect();
    let told: BTreeSet<_> = headings.into_iter().filter(|it| it.starts_with("Tse")).collect();
    assert_eq!(told, known, "docs/operations.md and deploy/prometheus/alerts.yml differ");
}

/// The instructions of the image's last stage.
fn image() -> Vec<(String, String)> {
    let joined = text("deploy/Dockerfile").replace("\\\n", " ");
    let lines = joined.lines().map(str::trim).filter(|it| !it.is_empty() && !it.starts_with('#'));
    let all: Vec<_> = lines.filter_map(|line| line.split_once(' ')).collect();
    let last = all.iter().rposition(|(word, _)| *word == "FROM").expect("an image has a base");
    all[last..].iter().map(|(word, rest)| ((*word).to_owned(), rest.trim().to_owned())).collect()
}

fn only<'a>(image: &'a [(String, String)], word: &str) -> &'a str {
    let mut found = image.iter().filter(|it| it.0 == word);
    let only = found.next().unwrap_or_else(|| panic!("the image has no {word}"));
    assert!(found.next().is_none(), "the image has two {word}");
    &only.1
}

fn image_variables() -> BTreeMap<String, String> {
    let image = image();
    let pairs =
        only(&image, "ENV").split_whitespace().map(|it| it.split_once('=').expect("a pair"));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The services of ours, with everything that they are told.
fn engines(compose: &Value) -> Vec<(&str, &Value, BTreeMap<String, String>)> {
    let services = compose["services"].as_object().expect("there are services");
    let ours = services.iter().filter(|(name, _)| name.starts_with("engine"));
    let all: Vec<_> = ours
        .map(|(name, service)| {
            let mut told = image_variables();
            for (name, value) in service["environment"].as_object().expect("it is told something") {
                told.insert(name.clone(), resolved(value.as_str().expect("a text")).to_owned());
            }
            (name.as_str(), service, told)
        })
        .collect();
    assert_eq!(all.len(), 3, "one engine and two instances");
    all
}

/// What `${NAME:-value}` is where nothing is set.
fn resolved(value: &str) -> &str {
    let inner = value.strip_prefix("${").and_then(|it| it.strip_suffix('}'));
    inner.and_then(|it| it.split_once(":-")).map_or(value, |it| it.1)
}

fn settings(told: &BTreeMap<String, String>) -> Result<Settings, String> {
    let of_the_service = told.iter().filter(|(name, _)| !OF_THE_PROGRAM.contains(&name.as_str()));
    let pairs = of_the_service.map(|(name, value)| (name.clone(), value.clone()));
    Settings::of(Variables::new(pairs))
        .map_err(|wrong| wrong.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

#[test]
fn m1b_5_the_image_has_no_rights_and_is_probed_on_the_port_that_it_serves() {
    let image = image();
    let settings = settings(&image_variables()).unwrap();
    assert!(!settings.is_loopback() && settings.plaintext);
    assert_eq!((settings.http_port, settings.grpc_port), (8080, 50051));
    assert_eq!(only(&image, "EXPOSE"), "8080 50051");
    assert_eq!(settings.environment, Environment::Docker);
    assert_eq!(settings.log_format, Some(LogFormat::Json));
    assert!(settings.needs_token());
    assert_eq!(only(&image, "USER"), "10001:10001");
    assert_eq!(only(&image, "VOLUME"), image_variables()["TSE_STATE"]);
    // SIGTERM reaches whoever is started without a shell.
    for word in ["ENTRYPOINT", "CMD"] {
        assert!(only(&image, word).starts_with('['), "{word} is a shell's");
    }
    assert!(only(&image, "HEALTHCHECK").ends_with(r#"CMD ["tse-health"]"#));
    let health = text("deploy/health.sh");
    assert!(health.contains("port=${HTTP_PORT:-8083}") && health.contains("GET /health "));
}

#[test]
fn m120_6_containers_are_told_what_the_service_reads() {
    let compose = yaml("deploy/compose.yaml");
    let folder = tempfile::tempdir().unwrap();
    let mut instances = BTreeSet::new();
    for (name, service, mut told) in engines(&compose) {
        // Secrets are files that only a container has.
        let secrets = service["secrets"].as_array().expect("it has secrets");
        for (variable, value) in told.iter_mut().filter(|(_, it)| it.starts_with("/run/secrets/")) {
            let secret = value.trim_start_matches("/run/secrets/");
            assert!(secrets.contains(&Value::from(secret)), "{name} is not given {secret}");
            assert!(variable.ends_with("_FILE"), "{name}: {variable}");
            let path = folder.path().join(secret);
            std::fs::write(&path, "scheme://user:word@host/place").unwrap();
            *value = path.display().to_string();
        }
        let whole = settings(&told).unwrap_or_else(|why| panic!("{name}: {why}"));
        assert!(whole.postgres.is_some() && whole.redis.is_some() && whole.otel_endpoint.is_some());
        // A variable without which everything is the same is misspelled, or not needed.
        for variable in told.keys().filter(|it| !OF_THE_PROGRAM.contains(&it.as_str())) {
            let mut without = told.clone();
            without.remove(variable);
            let level = variable == "LOG_LEVEL";
            let same = settings(&without).is_ok_and(|it| it == whole);
            assert!(level || !same, "{name}: {variable} changes nothing");
        }
        assert!(instances.insert(whole.instance.canonical()), "{name} is there twice");
        assert_eq!(service["depends_on"], Value::Null, "{name} waits for somebody");
    }
    let wanted =
        ["trading-system-engine", "trading-system-engine-lh", "trading-system-engine-alpha"];
    assert_eq!(instances, wanted.into_iter().map(str::to_owned).collect());
}

#[test]
fn m120_7_prometheus_scrapes_every_engine_under_its_own_name() {
    let compose = yaml("deploy/compose.yaml");
    let prometheus = yaml("deploy/prometheus/prometheus.yml");
    let jobs = prometheus["scrape_configs"].as_array().expect("there are jobs");
    let ours = jobs.iter().find(|job| job["job_name"] == "tse").expect("one for engines");
    assert_eq!(ours["honor_labels"], true);
    assert!(
        tse_server::access::ROUTES
            .iter()
            .any(|it| it.1 == ours["metrics_path"] && it.2 == tse_server::access::Access::Open)
    );
    let scraped: BTreeSet<_> = ours["static_configs"]
        .as_array()
        .expect("there are targets")
        .iter()
        .map(|it| {
            let label = |key: &str| it["labels"][key].as_str().unwrap_or_default().to_owned();
            let target = it["targets"][0].as_str().expect("a target").to_owned();
            (target, label("service"), label("instance"))
        })
        .collect();
    let mut running = BTreeSet::new();
    for (name, _, mut told) in engines(&compose) {
        told.retain(|_, value| !value.starts_with("/run/secrets/"));
        let settings = settings(&told).unwrap();
        let instance = settings.instance.display_name().to_owned();
        running.insert((format!("{name}:{}", settings.http_port), settings.service, instance));
    }
    assert_eq!(scraped, running);
}

#[test]
fn every_instance_has_its_schema_made() {
    let compose = yaml("deploy/compose.yaml");
    let services = compose["services"].as_object().expect("there are services");
    for (name, _, told) in engines(&compose) {
        let schema = match told.get("SERVICE_INSTANCE_NAME") {
            None => "trading".to_owned(),
            Some(instance) => instance.to_ascii_lowercase().replace('-', "_"),
        };
        let migrate = &services[&name.replace("engine", "migrate")];
        let command = serde_json::json!(["migrate", "--schema", schema]);
        assert_eq!(migrate["command"], command, "{name}");
        assert_eq!(migrate["depends_on"]["postgres"]["condition"], "service_healthy");
    }
}

#[test]
fn m120_6_every_container_has_few_rights_and_is_reached_from_this_machine_alone() {
    let compose = yaml("deploy/compose.yaml");
    let services = compose["services"].as_object().expect("there are services");
    let mut published = BTreeSet::new();
    for (name, service) in services {
        assert_eq!(service["read_only"], true, "{name} may write its root");
        assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{name} has rights");
        assert_eq!(service["cap_add"], Value::Null, "{name} is given rights");
        let options = serde_json::json!(["no-new-privileges:true"]);
        assert_eq!(service["security_opt"], options, "{name} may get rights");
        assert_ne!(service["privileged"], true, "{name}");
        for limit in ["cpus", "memory", "pids"] {
            let limit = &service["deploy"]["resources"]["limits"][limit];
            assert_ne!(*limit, Value::Null, "{name} may use everything");
        }
        for port in service["ports"].as_array().into_iter().flatten() {
            let port = port.as_str().expect("a port is a text");
            let (at, _) = port.rsplit_once(':').expect("what it is inside");
            assert!(at.starts_with("127.0.0.1:"), "{name} is reached by others: {port}");
            assert!(published.insert(at.to_owned()), "{at} is taken twice");
        }
        // What is secret comes as a file.
        for (variable, value) in service["environment"].as_object().into_iter().flatten() {
            let secret =
                ["PASSWORD", "TOKEN", "SECRET", "_URL"].iter().any(|it| variable.contains(it));
            let value = value.as_str().unwrap_or_default();
            assert!(!secret || value.starts_with("/run/secrets/"), "{name}: {variable}");
        }
        for secret in service["secrets"].as_array().into_iter().flatten() {
            let secret = secret.as_str().expect("a secret has a name");
            let file = compose["secrets"][secret]["file"].as_str().unwrap_or_default();
            assert_eq!(file, format!("./secrets/{secret}"), "{name}");
            assert!(text("deploy/secrets.sh").contains(secret), "nobody makes {secret}");
        }
    }
    assert!(text(".gitignore").lines().any(|line| line == "/deploy/secrets"));
    for (name, service, told) in engines(&compose) {
        let ports = service["ports"].as_array().expect("it is published");
        let inside: Vec<_> = ports
            .iter()
            .filter_map(|port| port.as_str()?.rsplit_once(':').map(|it| it.1.to_owned()))
            .collect();
        assert_eq!(inside, [told["HTTP_PORT"].clone(), told["GRPC_PORT"].clone()], "{name}");
        let volumes = service["volumes"].as_array().expect("it has volumes");
        let state = format!("{name}:{}", told["TSE_STATE"]);
        assert!(volumes.contains(&Value::from(state)), "{name} forgets");
    }
}
