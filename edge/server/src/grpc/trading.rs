//! Strategies, what they hold, and what changes.

use super::{caller, show, stream};
use crate::app::App;
use crate::codes;
use crate::http::{Problem, strategy};
use crate::streams::Topic;
use crate::wishes::{StopMode, Wisher};
use futures_util::stream::BoxStream;
use std::sync::Arc;
use tonic::{Request, Response, Status};
use tse_node::{Answer, Demand};
use tse_wire::v1;
use tse_wire::v1::trading_service_server::TradingService;

/// The service.
pub(super) struct Trading(pub(super) Arc<App>);

/// A reason is for the record: there is one.
pub(super) fn reason(reason: &str) -> Result<&str, Problem> {
    match reason.trim() {
        "" => Err(Problem::new(codes::BAD_REQUEST, "reason: it is empty")),
        _ => Ok(reason),
    }
}

/// A name that must be there.
fn name<'a>(field: &str, name: &'a str) -> Result<&'a str, Problem> {
    match name {
        "" => Err(Problem::new(codes::BAD_REQUEST, format!("{field}: it is empty"))),
        name => Ok(name),
    }
}

impl Trading {
    async fn ask(
        &self,
        strategy: &str,
        demand: Demand,
    ) -> Result<Response<v1::StrategyResponse>, Status> {
        let Answer { said, picture, .. } = self.0.engine.ask(demand).await?;
        let status = picture.as_ref().and_then(|picture| {
            let found = picture.strategies.iter().find(|it| it.name == strategy)?;
            Some(show::status(picture, found))
        });
        let said = said.iter().map(|line| format!("{}: {}", line.kind, line.about));
        Ok(Response::new(v1::StrategyResponse {
            strategy_id: strategy.to_owned(),
            status: status.unwrap_or_default().into(),
            message: said.collect::<Vec<_>>().join("; "),
        }))
    }
}

#[tonic::async_trait]
impl TradingService for Trading {
    async fn start_strategy(
        &self,
        request: Request<v1::StartStrategyRequest>,
    ) -> Result<Response<v1::StrategyResponse>, Status> {
        let caller = &caller(&request);
        let it = request.into_inner();
        let (by, second, why) = (it.by.as_deref(), it.second.as_deref(), reason(&it.reason)?);
        let wisher = Wisher { caller, by, second, why };
        let demand = wisher.start(name("strategy_id", &it.strategy_id)?)?;
        self.ask(&it.strategy_id, demand).await
    }

    async fn stop_strategy(
        &self,
        request: Request<v1::StopStrategyRequest>,
    ) -> Result<Response<v1::StrategyResponse>, Status> {
        let caller = &caller(&request);
        let it = request.into_inner();
        let mode = match v1::StopMode::try_from(it.mode) {
            Ok(v1::StopMode::Unspecified | v1::StopMode::Graceful) => StopMode::Graceful,
            Ok(v1::StopMode::Flatten) => StopMode::Flatten,
            Ok(v1::StopMode::Kill) => StopMode::Kill,
            Err(_) => {
                let what = format!("mode: there is no {}", it.mode);
                return Err(Problem::new(codes::BAD_REQUEST, what).into());
            }
        };
        let why = reason(&it.reason)?;
        let wisher = Wisher { caller, by: it.by.as_deref(), second: None, why };
        let demand = wisher.stop(name("strategy_id", &it.strategy_id)?, mode)?;
        self.ask(&it.strategy_id, demand).await
    }

    async fn get_strategy_status(
        &self,
        request: Request<v1::GetStrategyStatusRequest>,
    ) -> Result<Response<v1::GetStrategyStatusResponse>, Status> {
        let id = request.into_inner().strategy_id;
        let (picture, found) = strategy(&self.0, name("strategy_id", &id)?)?;
        Ok(Response::new(v1::GetStrategyStatusResponse {
            strategy: Some(show::strategy(&picture, &found)),
            last_updated: picture.now.clone(),
        }))
    }

    async fn list_active_strategies(
        &self,
        _: Request<v1::ListActiveStrategiesRequest>,
    ) -> Result<Response<v1::ListActiveStrategiesResponse>, Status> {
        let picture = self.0.engine.picture()?;
        let each = picture.strategies.iter().map(|it| show::strategy(&picture, it));
        Ok(Response::new(v1::ListActiveStrategiesResponse {
            strategies: each.collect(),
            last_updated: picture.now.clone(),
        }))
    }

    async fn get_positions(
        &self,
        request: Request<v1::GetPositionsRequest>,
    ) -> Result<Response<v1::GetPositionsResponse>, Status> {
        let which = request.into_inner();
        let picture = self.0.engine.picture()?;
        let is = |wanted: &Option<String>, it: &str| wanted.as_ref().is_none_or(|id| id == it);
        let of = picture.strategies.iter().filter(|it| is(&which.strategy_id, &it.name));
        let each = of.flat_map(|it| {
            let held = it.positions.iter().filter(|held| is(&which.instrument_id, &held.symbol));
            held.map(|held| show::position(&it.name, held))
        });
        Ok(Response::new(v1::GetPositionsResponse {
            positions: each.collect(),
            last_updated: picture.now.clone(),
        }))
    }

    async fn get_portfolio(
        &self,
        _: Request<v1::GetPortfolioRequest>,
    ) -> Result<Response<v1::GetPortfolioResponse>, Status> {
        Ok(Response::new(show::portfolio(&*self.0.engine.picture()?)))
    }

    type StreamStrategyUpdatesStream =
        BoxStream<'static, Result<v1::StreamStrategyUpdatesResponse, Status>>;

    async fn stream_strategy_updates(
        &self,
        request: Request<v1::StreamStrategyUpdatesRequest>,
    ) -> Result<Response<Self::StreamStrategyUpdatesStream>, Status> {
        let wanted = request.into_inner();
        let topics = wanted.topics.iter().map(|number| topic(*number));
        let mut topics = topics.collect::<Result<Vec<_>, _>>()?;
        if topics.is_empty() {
            topics = Topic::ALL.to_vec();
        }
        if let Some(id) = &wanted.strategy_id {
            strategy(&self.0, id)?;
        }
        let follower = self.0.streams.follow(topics)?;
        Ok(Response::new(stream::tell(follower, wanted.strategy_id)))
    }
}

fn topic(number: i32) -> Result<Topic, Problem> {
    match v1::Topic::try_from(number) {
        Ok(v1::Topic::Orders) => Ok(Topic::Orders),
        Ok(v1::Topic::Fills) => Ok(Topic::Fills),
        Ok(v1::Topic::Positions) => Ok(Topic::Positions),
        Ok(v1::Topic::Books) => Ok(Topic::Books),
        Ok(v1::Topic::Alerts) => Ok(Topic::Alerts),
        Ok(v1::Topic::Unspecified) | Err(_) => {
            Err(Problem::new(codes::BAD_REQUEST, format!("topics: there is no {number}")))
        }
    }
}
