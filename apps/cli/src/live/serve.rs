//! The network side of `tse run`: settings from the environment, ports, logs, and what stands in the way.

use super::store;
use crate::args::{ConfigArgs, Network};
use crate::diagnose::{At, Diagnostic, Diagnostics, codes};
use crate::ui::Ui;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tse_disk::Folder;
use tse_node::{Feed, Gallery, Home, Inbox};
use tse_projector::{About, Start};
use tse_server::settings::{BadVariable, LogFormat, Settings, Variables};
use tse_server::{App, Backtester, Engine, Logs, Member, Ports, Service, StartError, StrategyKind};
use tse_strategy::Registry;

/// A service, the store that follows, and the logs that are written.
pub(super) struct Served {
    service: Service,
    stores: store::Wanted,
    kept: store::Kept,
    app: Arc<App>,
    // Written out last.
    _logs: Logs,
}

/// What is told by `.env`, the environment and flags: to the service, and to its stores. `None` if nothing is served.
pub(super) fn settings(
    network: &Network,
) -> Result<Option<(Settings, store::Wanted)>, Diagnostics> {
    if network.no_network {
        return Ok(None);
    }
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let given = flags(network)
        .into_iter()
        .filter_map(|(name, _, value)| value.clone().map(|value| (name.to_owned(), value)));
    let variables = Variables::read(Path::new("."), environment.chain(given));
    let bad_variables = |wrong| bad_variables(wrong, network);
    let variables = variables.map_err(bad_variables)?;
    let all: Vec<_> =
        variables.all().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let settings = Settings::of(variables).map_err(bad_variables)?;
    let stores = store::Wanted::read(&settings, all)?;
    Ok(Some((settings, stores)))
}

/// Flags that say what variables say: the variable, the flag, and what was given.
fn flags(network: &Network) -> [(&'static str, &'static str, &Option<String>); 4] {
    [
        ("HOST", "--host", &network.host),
        ("HTTP_PORT", "--http-port", &network.http_port),
        ("GRPC_PORT", "--grpc-port", &network.grpc_port),
        ("SERVICE_INSTANCE_NAME", "--instance", &network.instance),
    ]
}

fn bad_variables(wrong: Vec<BadVariable>, network: &Network) -> Diagnostics {
    let mut found = Diagnostics::new();
    for it in wrong {
        let flag = flags(network).into_iter().find(|(name, _, value)| {
            *name == it.name && value.as_deref() == Some(it.given.as_str())
        });
        found.push(match flag {
            Some((name, flag, _)) => {
                let what = format!("{flag} {}: {}", it.given, it.why);
                Diagnostic::error(codes::BAD_VARIABLE, what)
                    .at(At::Place("the command line".to_owned()), "")
                    .fix(it.fix.replace(&format!("{name}="), &format!("{flag} ")))
            }
            None => {
                let what = format!("{}={}: {}", it.name, it.given, it.why);
                Diagnostic::error(codes::BAD_VARIABLE, what)
                    .at(At::Place("the environment".to_owned()), "")
                    .fix(it.fix)
            }
        });
    }
    found
}

/// What the engine's folder is called: as the instance, where that has a name of its own, else as the run.
pub(super) fn name<'a>(settings: Option<&'a Settings>, run: &'a str) -> &'a str {
    let own = settings.filter(|it| it.instance.display_name() != it.service);
    own.map_or(run, |it| it.instance.display_name())
}

/// Where it is written which instance an engine ran as: its rows and keys are found by that.
pub(super) fn instance_file(home: &Home) -> PathBuf {
    home.folder().join("instance")
}

/// Where an engine is reached over the network.
pub(super) struct Reached {
    /// Such as `http://127.0.0.1:8083`.
    pub(super) http: String,
    /// The same of gRPC.
    pub(super) grpc: String,
}

/// Where it is written how an engine is reached.
fn reached_file(home: &Home) -> PathBuf {
    home.folder().join("service.json")
}

/// Where an engine is reached, if it serves the network.
pub(super) fn reached(home: &Home) -> Option<Reached> {
    let text = std::fs::read_to_string(reached_file(home)).ok()?;
    let value: serde_json::Value = serde_json::from_str(&text).ok()?;
    let url = |key: &str| value[key].as_str().map(str::to_owned);
    Some(Reached { http: url("http")?, grpc: url("grpc")? })
}

/// Writes down where an engine is reached. An address that stands for all is reached at this machine's own.
fn write_reached(home: &Home, settings: &Settings) -> std::io::Result<()> {
    let host = match settings.host {
        host if !host.is_unspecified() => host,
        std::net::IpAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
        std::net::IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
    };
    let scheme = if settings.tls.is_some() { "https" } else { "http" };
    let url = |port| format!("{scheme}://{}", std::net::SocketAddr::new(host, port));
    let value =
        serde_json::json!({ "http": url(settings.http_port), "grpc": url(settings.grpc_port) });
    std::fs::write(reached_file(home), format!("{value}\n"))
}

/// That nobody runs there: said before ports are tried, of which it would have them.
pub(super) fn is_free(home: &Home) -> Result<(), Diagnostics> {
    match Folder::is_held(&home.journal()) {
        true => Err(super::not_begun(tse_node::OpenError::Running(String::new()), home, "")),
        false => Ok(()),
    }
}

/// That no more strategies would run than may.
pub(super) fn are_not_too_many(strategies: usize, settings: &Settings) -> Result<(), Diagnostics> {
    let most = settings.strategies_max;
    if strategies <= most {
        return Ok(());
    }
    let what = format!("the config has {strategies} strategies, and {most} may run at once");
    Err(Diagnostic::error(codes::BAD_VARIABLE, what)
        .at(At::Place("MAX_CONCURRENT_STRATEGIES".to_owned()), "")
        .fix(format!("MAX_CONCURRENT_STRATEGIES={strategies}, or fewer strategies"))
        .into())
}

/// The engine as the service sees it.
pub(super) fn engine(gallery: &Gallery, desk: &Inbox, registry: &Registry) -> Engine {
    let kind = |it: &tse_strategy::StrategyKind| StrategyKind {
        name: it.name.to_owned(),
        about: it.summary.to_owned(),
    };
    Engine::new(gallery.clone(), desk.clone(), registry.kinds().iter().map(kind).collect())
}

/// Takes ports, begins to log, and serves.
pub(super) fn start(
    (settings, stores): (Settings, store::Wanted),
    engine: Engine,
    home: &Home,
    config: &ConfigArgs,
    ui: &Ui,
) -> Result<Served, Diagnostics> {
    home.make().map_err(|error| super::not_begun(error.into(), home, ""))?;
    let ports = Ports::take(&settings).map_err(|error| {
        let what = error.to_string();
        Diagnostics::from(
            Diagnostic::error(codes::PORT_TAKEN, what)
                .at(At::Place("the network".to_owned()), "")
                .fix("--http-port and --grpc-port name others, --no-network serves nothing"),
        )
    })?;
    // People who look at a terminal see lines of their own; whoever collects output gets what was asked for, or JSON.
    let shown = match settings.log_format {
        Some(format) => Some(format),
        None if std::io::stderr().is_terminal() || ui.quiet => None,
        None => Some(LogFormat::Json),
    };
    let failed = |what: String| {
        Diagnostics::from(
            Diagnostic::error(codes::NOT_SERVED, what)
                .at(At::Place(home.folder().display().to_string()), "")
                .fix("mend it, or --no-network to serve nothing"),
        )
    };
    let name = settings.instance.display_name();
    std::fs::write(instance_file(home), format!("{name}\n"))
        .map_err(|error| failed(error.to_string()))?;
    let member = Member {
        owner: home.identity().map_err(|error| failed(error.to_string()))?,
        schema: Some(stores.place.schema.as_str().to_owned()),
        namespace: Some(stores.place.namespace.as_str().to_owned()),
    };
    write_reached(home, &settings).map_err(|error| failed(error.to_string()))?;
    let logs = Logs::install(&settings, home.folder(), shown);
    let logs = logs.map_err(|error| failed(error.to_string()))?;
    let started = Service::start(settings, ports, engine, home.folder(), member);
    let service = started.map_err(|error| match error {
        StartError::Taken(taken) => Diagnostic::error(codes::NAME_TAKEN, taken.to_string())
            .at(At::Place("the registry of services".to_owned()), "")
            .fix("SERVICE_INSTANCE_NAME names it otherwise; one that died is forgotten within three of its HEALTH_CHECK_INTERVALs")
            .into(),
        error => failed(error.to_string()),
    })?;
    let app = service.app();
    app.makes_backtests(Backtester {
        program: std::env::current_exe().map_err(|error| failed(error.to_string()))?,
        config: config.path().to_owned(),
        set: config.set.clone(),
        runs: home.folder().join("backtests"),
    });
    if service.made_token() && !ui.json && !ui.quiet {
        let path = home.folder().join("token");
        ui.note(format!("a token that may do everything is in {}", path.display()));
    }
    Ok(Served { service, stores, kept: store::Kept::default(), app, _logs: logs })
}

impl Served {
    /// Where it is reached.
    pub(super) fn headline(&self) -> String {
        let settings = &self.app.settings;
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        let at = std::net::SocketAddr::new(settings.host, settings.http_port);
        let grpc = std::net::SocketAddr::new(settings.host, settings.grpc_port);
        format!("{scheme}://{at} · /docs · /metrics · grpc {grpc} · {}", settings.instance)
    }

    /// Passes on what changes.
    pub(super) fn follow(&self, feed: Feed) {
        self.service.follow(feed);
    }

    /// Begins to write rows of the engine of this folder.
    pub(super) fn project(
        &self,
        home: &Home,
        about: About,
        registry: &Registry,
        safe: Arc<AtomicU64>,
    ) -> Result<(), Diagnostics> {
        let rows = store::followed(home, about.clone(), registry, Start::Beginning)?;
        let in_memory = store::followed(home, about, registry, Start::Snapshot)?;
        let (runtime, app) = (self.service.runtime(), Arc::clone(&self.app));
        let wanted = (self.stores.clone(), home.clone());
        self.kept.begin(wanted, (rows, in_memory), app, &runtime, safe);
        Ok(())
    }

    /// It is not ready any more.
    pub(super) fn ending(&self) {
        self.app.end();
    }

    /// Ends in order.
    pub(super) fn end(self) {
        // Rows need the threads of the service: they come first.
        self.kept.end(&self.service.runtime());
        self.service.end();
    }
}
