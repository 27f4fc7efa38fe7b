//! The rows of an engine: which store they are in, and how that follows the journal.
//!
//! With `POSTGRES_URL` they are in a schema there, else in a file beside the journal. Whether a store is away matters to
//! nobody who trades: it is connected to beside everything else, and catches up.

use crate::config::{self, Config};
use crate::diagnose::{At, Diagnostic, Diagnostics, codes};
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::runtime::Handle;
use tse_node::Home;
use tse_projector::{
    About, Build, Followed, How, Projector, Start, Store, StrategyAbout, Watched, Written,
};
use tse_server::App;
use tse_server::ready::{Probe, State};
use tse_server::settings::Settings as Service;
use tse_storage::{
    Change, ConnectionStatus, Moment, Place, Redis, RedisOptions, Settings, StorageError, StoreUrl,
    Stores, StrategyType, SystemClock,
};
use tse_strategy::Registry;

/// What rows say of a config's engine.
pub(crate) fn about(config: &Config) -> About {
    let catalog = &config.catalog;
    let strategy = |plan: &config::StrategyPlan| StrategyAbout {
        name: plan.name.clone(),
        kind: kind(plan.kind.name),
        parameters: parameters(plan),
        instruments: plan
            .instruments
            .iter()
            .map(|id| catalog.instrument(*id).symbol.to_string())
            .collect(),
    };
    About {
        catalog: Arc::new(catalog.clone()),
        base: config.base,
        strategies: config.strategies.iter().map(strategy).collect(),
        prices: config.prices(),
    }
}

/// The word that rows have for a kind of strategy.
fn kind(name: &str) -> StrategyType {
    match name {
        "market_making" => StrategyType::MarketMaking,
        "arbitrage" => StrategyType::Arbitrage,
        "ema_cross" => StrategyType::TrendFollowing,
        "mean_reversion" => StrategyType::MeanReversion,
        _ => StrategyType::Custom,
    }
}

fn parameters(plan: &config::StrategyPlan) -> Map<String, Value> {
    let mut all = Map::new();
    all.insert("kind".to_owned(), plan.kind.name.into());
    for (name, value) in plan.parameters() {
        // Plain values of TOML are values of JSON.
        let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
        all.insert(name.to_owned(), value);
    }
    all
}

/// Makes engines of what journals say they were set up with.
fn builder(registry: &Registry) -> Build {
    let registry = registry.clone();
    Arc::new(move |text: &str| {
        config::load_engine("the journal's config", text, &registry).map_err(|found| {
            found.sorted().iter().map(|it| it.title.clone()).collect::<Vec<_>>().join("; ")
        })
    })
}

/// What is followed of an engine.
pub(crate) fn followed(
    home: &Home,
    about: About,
    registry: &Registry,
    from: Start,
) -> Result<Followed, Diagnostics> {
    let id = home.identity().map_err(|error| failed(home, &error.to_string()))?;
    Ok(Followed {
        journal: home.journal(),
        stream: format!("{}/{id}", home.name()),
        about,
        build: builder(registry),
        from,
    })
}

/// Which stores an engine has, and where in them its rows and keys are.
#[derive(Clone)]
pub(crate) struct Wanted {
    settings: Settings,
    pub(crate) place: Place,
}

impl Wanted {
    /// As variables say: those of the service count for more than those of the adapter.
    pub(crate) fn read(
        service: &Service,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Diagnostics> {
        let wrong = |what: String, fix: &str| -> Diagnostics {
            Diagnostic::error(codes::BAD_VARIABLE, what)
                .at(At::Place("the environment".to_owned()), "")
                .fix(fix)
                .into()
        };
        let mut settings = Settings::read(variables)
            .map_err(|it| wrong(format!("{}={}: {}", it.variable, it.value, it.why), it.fix))?;
        let url = |name: &str, fix: &str, text: &tse_storage::Secret| {
            StoreUrl::parse(text.expose()).map_err(|error| wrong(format!("{name}: {error}"), fix))
        };
        if let Some(text) = &service.postgres {
            let fix = "POSTGRES_URL=postgresql://USER:PASSWORD@HOST:5432/DATABASE";
            settings.postgres_url = Some(url("POSTGRES_URL", fix, text)?);
        }
        if let Some(text) = &service.redis {
            let fix = "REDIS_URL=redis://USER:PASSWORD@HOST:6379";
            settings.redis_url = Some(url("REDIS_URL", fix, text)?);
        }
        if let Some(text) = &service.discovery_redis {
            let fix = "DISCOVERY_REDIS_URL=redis://USER:PASSWORD@HOST:6379";
            let url = url("DISCOVERY_REDIS_URL", fix, text)?;
            Redis::new(&RedisOptions::new(url))
                .map_err(|error| wrong(format!("DISCOVERY_REDIS_URL: {error}"), fix))?;
        }
        if let Some(url) = &settings.redis_url {
            // A mistake is found before anything begins; whether a server is there, later.
            Redis::new(&RedisOptions::new(url.clone())).map_err(|error| {
                let fix = "REDIS_URL=redis://USER:PASSWORD@HOST:6379";
                wrong(format!("REDIS_URL: {error}"), fix)
            })?;
        }
        let schema = settings.postgres_schema.as_ref().map(|it| it.as_str().to_owned());
        let namespace = settings.redis_namespace.as_ref().map(|it| it.as_str().to_owned());
        let instance = service.instance.display_name();
        let place = Place::of(&service.service, instance, schema.as_deref(), namespace.as_deref());
        let place = place.map_err(|error| {
            let fix =
                "TRADING_ADAPTER_POSTGRES_SCHEMA and TRADING_ADAPTER_REDIS_NAMESPACE name others";
            wrong(format!("SERVICE_INSTANCE_NAME: {error}"), fix)
        })?;
        Ok(Self { settings, place })
    }

    /// The URL of PostgreSQL, if rows are there.
    pub(crate) fn postgres(&self) -> Option<&StoreUrl> {
        self.settings.postgres_url.as_ref()
    }

    /// `postgres` or `sqlite`.
    pub(crate) fn name(&self) -> &'static str {
        if self.postgres().is_some() { "postgres" } else { "sqlite" }
    }

    /// Connects, and goes on without what is away.
    pub(crate) async fn connect(mut self, home: &Home) -> Result<Stores, StorageError> {
        if self.settings.postgres_url.is_none() && self.settings.sqlite_path.is_none() {
            self.settings.sqlite_path = Some(home.store());
        }
        Stores::connect(&self.settings, &self.place, Arc::new(SystemClock)).await
    }

    /// How long rows are kept.
    pub(crate) fn retention(&self) -> tse_storage::Retention {
        self.settings.retention
    }
}

fn failed(home: &Home, what: &str) -> Diagnostics {
    Diagnostic::error(codes::NOT_SERVED, what.to_owned())
        .at(At::Place(home.folder().display().to_string()), "")
        .fix("mend it, or --no-network to keep no rows")
        .into()
}

/// The stores of an engine that runs, once they are connected to.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Option<Running>>>);

struct Running {
    stores: Arc<Stores>,
    projectors: Vec<Projector>,
}

impl Kept {
    /// Connects beside everything else, and begins to write.
    pub(super) fn begin(
        &self,
        (wanted, home): (Wanted, Home),
        (rows, in_memory): (Followed, Followed),
        app: Arc<App>,
        runtime: &Handle,
        safe: Arc<AtomicU64>,
    ) {
        app.keeps(
            Some(wanted.place.schema.as_str().to_owned()),
            Some(wanted.place.namespace.as_str().to_owned()),
        );
        let (kept, handle) = (self.clone(), runtime.clone());
        runtime.spawn(async move {
            let (name, is_remote) = (wanted.name(), wanted.postgres().is_some());
            let schema = wanted.place.schema.as_str().to_owned();
            let file = wanted.settings.sqlite_path.clone().unwrap_or_else(|| home.store());
            let file = (!is_remote).then_some(file);
            let connection = Connection::default();
            app.depends_on(Box::new(RowsProbe { name, file, connection: connection.clone() }));
            if wanted.settings.redis_url.is_some() {
                app.depends_on(Box::new(RedisProbe(connection.clone())));
            }
            let stores = match wanted.connect(&home).await {
                Ok(stores) => Arc::new(stores),
                Err(error) => {
                    tracing::error!(%error, "no store is used");
                    connection.is(Err(error.to_string()));
                    return;
                }
            };
            match stores.status().postgres_error {
                None => tracing::info!(store = name, schema, "rows are written"),
                Some(why) => tracing::warn!(store = name, schema, why, "rows wait for their store"),
            }
            let mut projectors = Vec::new();
            // Memory answers while a server is away; a file beside the journal is there when that is.
            let memory: Option<Arc<dyn Store>> = is_remote.then(|| stores.memory() as _);
            let durable = stores.durable().map(|it| it as Arc<dyn Store>);
            let durable = durable.map(|it| (it, rows, traced(&app, name)));
            let memory = memory.map(|it| (it, in_memory, Box::new(|_: &_, _| ()) as Written));
            for (store, followed, written) in durable.into_iter().chain(memory) {
                let (handle, safe) = (handle.clone(), Arc::clone(&safe));
                match Projector::start(followed, store, handle, safe, written) {
                    Ok(projector) => projectors.push(projector),
                    Err(error) => tracing::error!(%error, "no thread writes rows"),
                }
            }
            connection.is(match projectors.first() {
                Some(first) => Ok((first.watch(), Arc::clone(&stores))),
                None => Err("no thread writes rows".to_owned()),
            });
            app.rows_are(stores.shared_rows());
            let running = Running { stores: Arc::clone(&stores), projectors };
            *kept.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
            retain(&stores, &app).await;
        });
    }

    /// Ends, once everything is written that can be.
    pub(super) fn end(&self, runtime: &Handle) {
        let running = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { stores, projectors }) = running else { return };
        projectors.into_iter().for_each(Projector::end);
        runtime.block_on(stores.disconnect());
    }
}

/// Adds the rows of orders that were made for a request to its trace.
fn traced(app: &Arc<App>, store: &'static str) -> Written {
    let app = Arc::clone(app);
    Box::new(move |batch, took| {
        let orders = batch.changes.iter().filter_map(|change| match change {
            Change::Order(order) => Some(order.order_id.as_str()),
            _ => None,
        });
        app.traces.stored(app.engine.causes(), store, (batch.to, took), orders);
    })
}

/// Takes old rows away once a day of the engine's clock, and when it begins.
async fn retain(stores: &Stores, app: &App) {
    let mut swept = None;
    loop {
        let now = app.engine.picture().ok().and_then(|it| it.now.parse::<jiff::Timestamp>().ok());
        if let Some(now) = now {
            let moment = Moment::from_micros(now.as_microsecond());
            let day = now.as_second().div_euclid(86_400);
            if swept != Some(day) {
                match stores.sweep(moment).await {
                    Ok(gone) => {
                        swept = Some(day);
                        tracing::info!(gone = ?gone, "old rows were taken away");
                    }
                    Err(error) => tracing::warn!(%error, "old rows are still there"),
                }
            }
        }
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    }
}

/// Stores, and how rows follow, once they are connected to; or why they never will be.
type Connected = Result<(Watched, Arc<Stores>), String>;

/// The same, for whoever asks before.
#[derive(Clone, Default)]
struct Connection(Arc<OnceLock<Connected>>);

impl Connection {
    fn is(&self, connected: Connected) {
        // It is said once.
        let _ = self.0.set(connected);
    }

    /// # Errors
    /// What a probe says where there is nothing to look at yet.
    fn get(&self) -> Result<&(Watched, Arc<Stores>), (State, String)> {
        match self.0.get() {
            None => Err((State::Degraded, "it is being connected to".to_owned())),
            Some(Err(why)) => Err((State::Down, why.clone())),
            Some(Ok(connected)) => Ok(connected),
        }
    }
}

/// How the store of rows stands, for readiness.
struct RowsProbe {
    name: &'static str,
    /// Where they are in a file.
    file: Option<PathBuf>,
    connection: Connection,
}

impl Probe for RowsProbe {
    fn name(&self) -> &'static str {
        self.name
    }

    fn state(&self) -> (State, String) {
        let (watched, stores) = match self.connection.get() {
            Ok(connected) => connected,
            Err(state) => return state,
        };
        if let Some(file) = self.file.as_ref().filter(|file| !file.exists()) {
            // Who has it open writes on, and nobody will ever read that.
            let why = format!("{} was taken away; a start makes it anew", file.display());
            return (State::Down, why);
        }
        let standing = watched.standing();
        let why = standing.why.unwrap_or_default();
        match standing.how {
            How::Follows => (State::Ok, String::new()),
            How::Begins => match stores.status() {
                ConnectionStatus { postgres_error: Some(why), .. } => (State::Down, why),
                _ => (State::Degraded, "it is being asked how far it is".to_owned()),
            },
            How::Away | How::Stuck => (State::Down, why),
        }
    }
}

/// How Redis stands.
struct RedisProbe(Connection);

impl Probe for RedisProbe {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn state(&self) -> (State, String) {
        let status = match self.0.get() {
            Ok((_, stores)) => stores.status(),
            Err(state) => return state,
        };
        match (status.redis_connected, status.redis_error) {
            (true, _) => (State::Ok, String::new()),
            (false, why) => (State::Down, why.unwrap_or_default()),
        }
    }
}
