//! Whether the service can do its work, as gRPC asks: looked at when somebody asks, so that it is never from before.

use crate::app::App;
use crate::codes;
use crate::http::Problem;
use crate::ready::{self, Readiness};
use futures_util::stream::{BoxStream, unfold};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Interval, MissedTickBehavior, interval};
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_server};

/// How often whoever watches is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How many may watch at once.
const WATCHERS_MAX: usize = 64;

/// The service of health.
pub(super) struct Health {
    app: Arc<App>,
    places: Arc<Semaphore>,
}

impl Health {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app, places: Arc::new(Semaphore::new(WATCHERS_MAX)) }
    }
}

/// How a service of ours is; `None` of one that is none of ours.
fn look(app: &App, service: &str) -> Option<ServingStatus> {
    let ours = ["", &app.settings.service, "tse.v1.TradingService", "tse.v1.RiskService"];
    ours.contains(&service).then(|| match ready::look(app).status {
        Readiness::NotReady => ServingStatus::NotServing,
        Readiness::Ready | Readiness::Degraded => ServingStatus::Serving,
    })
}

/// Somebody who watches.
struct Watcher {
    app: Arc<App>,
    service: String,
    told: Option<ServingStatus>,
    tick: Interval,
    ending: watch::Receiver<bool>,
    over: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
}

impl Watcher {
    /// What it is told next; `None` at the end.
    async fn next(&mut self) -> Option<HealthCheckResponse> {
        loop {
            let now = look(&self.app, &self.service).unwrap_or(ServingStatus::ServiceUnknown);
            if self.told != Some(now) {
                self.told = Some(now);
                return Some(HealthCheckResponse { status: now.into() });
            }
            let is_ending = *self.ending.borrow();
            tokio::select! {
                biased;
                _ = self.over.wait_for(|over| *over) => return None,
                _ = self.ending.wait_for(|ending| *ending), if !is_ending => {}
                _ = self.tick.tick() => {}
            }
        }
    }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        let now = look(&self.app, &service)
            .ok_or_else(|| Problem::new(codes::NO_SUCH_THING, "no service here is called so"))?;
        Ok(Response::new(HealthCheckResponse { status: now.into() }))
    }

    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            Problem::new(codes::TOO_MANY_STREAMS, format!("{WATCHERS_MAX} watch already"))
        })?;
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let watcher = Watcher {
            app: Arc::clone(&self.app),
            service: request.into_inner().service,
            told: None,
            tick,
            ending: self.app.ending(),
            over: self.app.streams.over(),
            _place: place,
        };
        let next = async |mut watcher: Watcher| Some((Ok(watcher.next().await?), watcher));
        Ok(Response::new(Box::pin(unfold(watcher, next))))
    }
}
