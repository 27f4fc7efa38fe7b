//! `tse validate`: asks everything that an engine serves, and says of each part whether it is as it should be.
//!
//! It is a client like any other: what it sees is what operators and their tools see. Nothing is changed.

use super::{find, serve};
use crate::args::Validate as Args;
use crate::diagnose::{At, Diagnostic, Diagnostics, codes};
use crate::ui::Ui;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use tokio::runtime::Builder;
use tse_node::{Demand, Home, Picture, ask};
use tse_server::names;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long progress is looked for.
const PROGRESS: Duration = Duration::from_millis(500);

/// What was found of a part.
struct Found {
    part: String,
    ok: bool,
    what: String,
}

/// `tse validate`.
pub(crate) fn validate(args: &Args, ui: &Ui) -> Result<u8, Diagnostics> {
    let home = find::find(&args.engine)?;
    let at = serve::reached(&home).ok_or_else(|| {
        Diagnostic::error(codes::NO_ENGINE, format!("{} serves no network", home.name()))
            .at(At::Place(home.folder().display().to_string()), "")
            .fix("tse run CONFIG without --no-network")
    })?;
    let token = match &args.token_file {
        None => None,
        Some(path) => Some(std::fs::read_to_string(path).map_err(|error| {
            Diagnostic::error(codes::BAD_ARGUMENT, format!("{}: {error}", path.display()))
                .fix("--token-file names a file that can be read")
        })?),
    };
    let ca = args.ca.as_deref().map(trusted).transpose()?;
    let client = Client {
        http: under(&at.http, args.host.as_deref()),
        grpc: under(&at.grpc, args.host.as_deref()),
        token: token.map(|it| it.trim().to_owned()),
        ca,
    };
    let mut all = vec![socket(&home), progress(&home), logs(&home)];
    all.extend(client.http());
    all.extend(client.calls());
    let bad = all.iter().filter(|it| !it.ok).count();
    if ui.json {
        let each: Vec<_> = all
            .iter()
            .map(|it| json!({ "component": it.part, "ok": it.ok, "what": it.what }))
            .collect();
        let data = json!({ "ok": bad == 0, "components": each });
        ui.success("tse.validate/1", &Diagnostics::new(), &data);
    } else {
        for Found { part, ok, what } in &all {
            ui.print(format!("{} {part:<24} {what}", if *ok { "  ok" } else { "MISS" }));
        }
        ui.print(match bad {
            0 => format!("{} parts are as they should be", all.len()),
            bad => format!("{bad} of {} parts are not as they should be", all.len()),
        });
    }
    Ok(u8::from(bad > 0))
}

/// A URL with another host, where one is named.
fn under(url: &str, host: Option<&str>) -> String {
    match (host, url.split_once("://"), url.rsplit_once(':')) {
        (Some(host), Some((scheme, _)), Some((_, port))) => format!("{scheme}://{host}:{port}"),
        _ => url.to_owned(),
    }
}

/// The text of a file of certificates.
fn trusted(path: &Path) -> Result<String, Diagnostics> {
    let wrong = |why: String| {
        Diagnostic::error(codes::BAD_ARGUMENT, format!("{}: {why}", path.display()))
            .fix("--ca names a file of certificates as PEM")
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    match certificates(&text) {
        Ok(found) if !found.is_empty() => Ok(text),
        Ok(_) => Err(wrong("there is no certificate in it".to_owned()).into()),
        Err(why) => Err(wrong(why).into()),
    }
}

fn certificates(pem: &str) -> Result<Vec<ureq::tls::Certificate<'static>>, String> {
    let items = ureq::tls::parse_pem(pem.as_bytes()).map(|item| match item {
        Ok(ureq::tls::PemItem::Certificate(it)) => Ok(Some(it)),
        Ok(_) => Ok(None),
        Err(error) => Err(error.to_string()),
    });
    items.filter_map(Result::transpose).collect()
}

fn found(part: &str, what: Result<String, String>) -> Found {
    let (ok, what) = match what {
        Ok(what) => (true, what),
        Err(what) => (false, what),
    };
    Found { part: part.to_owned(), ok, what }
}

fn picture(home: &Home) -> Result<Picture, String> {
    let answer = ask(home, &Demand::Status).map_err(|error| error.to_string())?;
    answer.picture.ok_or_else(|| "it does not say how things stand".to_owned())
}

fn socket(home: &Home) -> Found {
    let told = |it: Picture| format!("epoch {}, {}", it.epoch, it.level);
    found("control socket", picture(home).map(told))
}

/// That its clock goes on, and its journal with it.
fn progress(home: &Home) -> Found {
    let look = || -> Result<String, String> {
        let before = picture(home)?;
        std::thread::sleep(PROGRESS);
        let after = picture(home)?;
        match before.now < after.now && before.safe <= after.safe {
            true => Ok(format!("record {} is safe, in {} us", after.safe, after.record_us)),
            false => Err(format!("it stands at {}", after.now)),
        }
    };
    found("engine", look())
}

fn logs(home: &Home) -> Found {
    let entries = std::fs::read_dir(home.folder()).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|it| it.path()).collect();
    names.retain(|path| path.extension().is_some_and(|it| it == "ndjson"));
    names
        .retain(|path| path.file_name().is_some_and(|it| it.to_string_lossy().starts_with("log.")));
    names.sort();
    let look = || -> Result<String, String> {
        let path = names.pop().ok_or("there is no log")?;
        let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
        let last = text.lines().last().ok_or("the log is empty")?;
        let line: Value = serde_json::from_str(last).map_err(|error| error.to_string())?;
        match line["instance_name"].as_str() {
            Some(instance) => Ok(format!("{} lines of {instance}", text.lines().count())),
            None => Err("a line does not say whose it is".to_owned()),
        }
    };
    found("logs", { look }())
}

struct Client {
    http: String,
    grpc: String,
    token: Option<String>,
    /// Certificates, as PEM.
    ca: Option<String>,
}

impl Client {
    fn get(&self, path: &str, token: Option<&str>) -> Result<(u16, String, String), String> {
        let mut tls = ureq::tls::TlsConfig::builder();
        if let Some(ca) = &self.ca {
            tls = tls.root_certs(ureq::tls::RootCerts::Specific(certificates(ca)?.into()));
        }
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            .tls_config(tls.build())
            .build();
        let mut request = ureq::Agent::from(config).get(format!("{}{path}", self.http));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut response = request.call().map_err(|error| error.to_string())?;
        let header = response.headers().get("content-type");
        let kind = header.and_then(|it| it.to_str().ok()).unwrap_or_default().to_owned();
        let text = response.body_mut().with_config().limit(16 << 20).read_to_string();
        let text = text.map_err(|error| error.to_string())?;
        Ok((response.status().as_u16(), kind, text))
    }

    /// A JSON answer of status 200.
    fn json(&self, path: &str) -> Result<Value, String> {
        let (status, _, text) = self.get(path, self.token.as_deref())?;
        if status != 200 {
            return Err(format!("{status} {}", text.chars().take(200).collect::<String>()));
        }
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    fn http(&self) -> Vec<Found> {
        let health = self.json("/api/v1/health").and_then(|it| match it["status"].as_str() {
            Some("healthy") => Ok(format!("{} {}", it["instance"], it["version"])),
            _ => Err(it.to_string()),
        });
        let answers = health.is_ok();
        let mut all = vec![found("health", health)];
        if !answers {
            // The rest would only take its time to say the same.
            return all;
        }
        all.extend(self.ready());
        all.push(found("metrics", self.metrics()));
        all.push(found("openapi", self.openapi()));
        let docs = self.get("/docs/", self.token.as_deref());
        let docs = docs.and_then(|(status, kind, text)| {
            match status == 200 && kind.starts_with("text/html") && !text.contains("https://") {
                true => Ok("pages that need no network".to_owned()),
                false => Err(format!("{status} {kind}")),
            }
        });
        all.push(found("docs", docs));
        let problem = self.get("/api/v1/no-such-route", self.token.as_deref());
        let problem = problem.and_then(|(status, kind, text)| {
            match status == 404 && kind == "application/problem+json" && text.contains("TSE-N103") {
                true => Ok("a problem with its code".to_owned()),
                false => Err(format!("{status} {kind}")),
            }
        });
        all.push(found("problems", problem));
        let guarded = self.get("/api/v1/status", Some("not-a-token"));
        let guarded = guarded.and_then(|(status, _, _)| match status {
            401 => Ok("a token that is not known is refused".to_owned()),
            status => Err(format!("a token that is not known is answered with {status}")),
        });
        all.push(found("tokens", guarded));
        all
    }

    /// Readiness, a line for each dependency.
    fn ready(&self) -> Vec<Found> {
        let (status, value) = match self.get("/api/v1/ready", None) {
            Ok((status, _, text)) => (status, serde_json::from_str(&text).unwrap_or(Value::Null)),
            Err(error) => return vec![found("ready", Err(error))],
        };
        let word = value["status"].as_str().unwrap_or("it says nothing").to_owned();
        let mut all = vec![found("ready", if status == 200 { Ok(word) } else { Err(word) })];
        for (name, state) in value["checks"].as_object().into_iter().flatten() {
            let state = state.as_str().unwrap_or_default().to_owned();
            let why = value["reasons"][name].as_str().unwrap_or_default();
            let what = match state.as_str() {
                "ok" => Ok(state),
                _ => Err(format!("{state} {why}")),
            };
            all.push(found(&format!("ready: {name}"), what));
        }
        all
    }

    fn metrics(&self) -> Result<String, String> {
        let (status, kind, text) = self.get("/api/v1/metrics", None)?;
        if status != 200 || !kind.starts_with("text/plain; version=0.0.4") {
            return Err(format!("{status} {kind}"));
        }
        let series: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        let bare = |line: &&&str| {
            ["service=", "instance=", "version="].iter().any(|label| !line.contains(label))
        };
        if let Some(line) = series.iter().find(bare) {
            return Err(format!("a series lacks its labels: {line}"));
        }
        for name in [names::HTTP_REQUESTS, names::DEPENDENCY, names::ARMED, names::RECORD_SECONDS] {
            if !text.contains(&format!("\n{name}{{")) {
                return Err(format!("{name} is not there"));
            }
        }
        Ok(format!("{} series", series.len()))
    }

    fn openapi(&self) -> Result<String, String> {
        let value = self.json("/api/v1/openapi.json")?;
        let paths = value["paths"].as_object().map_or(0, serde_json::Map::len);
        match value["openapi"].as_str() {
            Some(version) if paths > 0 => Ok(format!("OpenAPI {version}, {paths} paths")),
            _ => Err("it describes nothing".to_owned()),
        }
    }

    fn calls(&self) -> Vec<Found> {
        let runtime = match Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return vec![found("grpc", Err(error.to_string()))],
        };
        let (health, strategies) = runtime.block_on(async {
            let asked = tokio::time::timeout(PATIENCE, self.call());
            asked.await.unwrap_or_else(|_| {
                let late = || Err("no answer in time".to_owned());
                (late(), late())
            })
        });
        vec![found("grpc health", health), found("grpc strategies", strategies)]
    }

    async fn call(&self) -> (Result<String, String>, Result<String, String>) {
        let failed = |error: String| (Err(error.clone()), Err(error));
        let mut tls = tonic::transport::ClientTlsConfig::new();
        tls = match &self.ca {
            Some(ca) => tls.ca_certificate(tonic::transport::Certificate::from_pem(ca)),
            None => tls.with_webpki_roots(),
        };
        let endpoint = tonic::transport::Endpoint::from_shared(self.grpc.clone());
        let endpoint = match endpoint.and_then(|it| match self.grpc.starts_with("https://") {
            true => it.tls_config(tls),
            false => Ok(it),
        }) {
            Ok(endpoint) => endpoint,
            Err(error) => return failed(error.to_string()),
        };
        let channel = match endpoint.connect().await {
            Ok(channel) => channel,
            Err(error) => return failed(format!("{error} at {}", self.grpc)),
        };
        use tonic_health::pb::health_check_response::ServingStatus;
        let mut client = tonic_health::pb::health_client::HealthClient::new(channel.clone());
        let request = tonic_health::pb::HealthCheckRequest { service: String::new() };
        let health = match client.check(request).await.map(|it| it.into_inner().status()) {
            Ok(ServingStatus::Serving) => Ok("SERVING".to_owned()),
            Ok(other) => Err(format!("{other:?}")),
            Err(status) => Err(status.message().to_owned()),
        };
        let mut client = tse_wire::v1::trading_service_client::TradingServiceClient::new(channel);
        let mut request = tonic::Request::new(tse_wire::v1::ListActiveStrategiesRequest::default());
        if let Some(token) = &self.token
            && let Ok(value) = format!("Bearer {token}").parse()
        {
            request.metadata_mut().insert("authorization", value);
        }
        let strategies = match client.list_active_strategies(request).await {
            Ok(it) => Ok(format!("{} strategies", it.into_inner().strategies.len())),
            Err(status) => Err(format!("{}: {}", status.code(), status.message())),
        };
        (health, strategies)
    }
}
