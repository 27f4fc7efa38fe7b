//! What may be lost, and how trading is cut back.

use super::trading::reason;
use super::{caller, show};
use crate::app::App;
use crate::codes;
use crate::http::Problem;
use crate::wishes::{BreakerAction, LimitOf, Wisher, change_limits, version};
use std::sync::Arc;
use tonic::{Request, Response, Status};
use tse_node::{Answer, Demand};
use tse_wire::v1;
use tse_wire::v1::force_position_close_request::Target;
use tse_wire::v1::risk_service_server::RiskService;

/// How many limits may be changed by one call.
const LIMITS_MAX: usize = 64;

/// The service.
pub(super) struct Risk(pub(super) Arc<App>);

impl Risk {
    async fn ask(&self, demand: Demand) -> Result<Response<v1::RiskResponse>, Status> {
        let Answer { said, picture, .. } = self.0.engine.ask(demand).await?;
        let level = picture.as_ref().map(|it| show::level(&it.level));
        Ok(Response::new(v1::RiskResponse {
            level: level.unwrap_or_default().into(),
            armed: picture.as_ref().is_some_and(|it| it.armed),
            orders_open: picture.as_ref().map_or(0, |it| it.orders_open as u64),
            said: said.iter().map(show::alert).collect(),
        }))
    }
}

fn wrong(what: impl Into<String>) -> Problem {
    Problem::new(codes::BAD_REQUEST, what)
}

#[tonic::async_trait]
impl RiskService for Risk {
    async fn set_risk_limits(
        &self,
        request: Request<v1::SetRiskLimitsRequest>,
    ) -> Result<Response<v1::SetRiskLimitsResponse>, Status> {
        let caller = &caller(&request);
        let it = request.into_inner();
        if it.limits.is_empty() || it.limits.len() > LIMITS_MAX {
            return Err(wrong(format!("limits: from 1 to {LIMITS_MAX} of them")).into());
        }
        let group = it.group.map(u16::try_from).transpose();
        let group = group.map_err(|_| wrong("group: there is none of so large a number"))?;
        let of = LimitOf {
            strategy: it.strategy_id.as_deref(),
            symbol: it.instrument_id.as_deref(),
            group,
        };
        let (by, second, why) = (it.by.as_deref(), it.second.as_deref(), reason(&it.reason)?);
        let wisher = Wisher { caller, by, second, why };
        let demands = it.limits.iter().map(|new| wisher.limit(of, &new.limit, &new.value));
        let demands = demands.collect::<Result<Vec<_>, _>>()?;
        let answer = change_limits(&self.0, demands, it.expected_version.as_deref()).await?;
        Ok(Response::new(v1::SetRiskLimitsResponse {
            version: answer.picture.as_ref().map(version).unwrap_or_default(),
            said: answer.said.iter().map(show::alert).collect(),
        }))
    }

    async fn get_risk_status(
        &self,
        _: Request<v1::GetRiskStatusRequest>,
    ) -> Result<Response<v1::GetRiskStatusResponse>, Status> {
        let picture = self.0.engine.picture()?;
        let is_breach = |kind: &str| matches!(kind, "killed" | "near_limit");
        let breaches = picture.alerts.iter().filter(|it| is_breach(&it.kind));
        Ok(Response::new(v1::GetRiskStatusResponse {
            armed: picture.armed,
            level: show::level(&picture.level).into(),
            breakers: picture.latches.iter().map(show::breaker).collect(),
            limits: picture.limits.iter().map(show::limit).collect(),
            version: version(&picture),
            denied: picture.denied,
            breaches: breaches.map(show::alert).collect(),
            last_updated: picture.now.clone(),
        }))
    }

    async fn force_position_close(
        &self,
        request: Request<v1::ForcePositionCloseRequest>,
    ) -> Result<Response<v1::RiskResponse>, Status> {
        let caller = &caller(&request);
        let it = request.into_inner();
        let scope = match it.target {
            Some(Target::StrategyId(strategy)) => format!("strategy:{strategy}"),
            Some(Target::InstrumentId(instrument)) => format!("instrument:{instrument}"),
            Some(Target::All(v1::Everything {})) => "firm".to_owned(),
            None => return Err(wrong("target: what is to be closed?").into()),
        };
        let why = reason(&it.reason)?;
        let wisher = Wisher { caller, by: it.by.as_deref(), second: None, why };
        self.ask(wisher.kill(scope, "flatten")?).await
    }

    async fn enable_circuit_breaker(
        &self,
        request: Request<v1::EnableCircuitBreakerRequest>,
    ) -> Result<Response<v1::RiskResponse>, Status> {
        let caller = &caller(&request);
        let it = request.into_inner();
        let action = match v1::BreakerAction::try_from(it.action) {
            Ok(v1::BreakerAction::Enable) => BreakerAction::Trip,
            Ok(v1::BreakerAction::Reset) => BreakerAction::Reset,
            Ok(v1::BreakerAction::Unspecified) | Err(_) => {
                return Err(wrong("action: enable or reset").into());
            }
        };
        if it.scope.is_empty() {
            return Err(wrong("scope: `portfolio`, or a strategy's name").into());
        }
        let (by, second, why) = (it.by.as_deref(), it.second.as_deref(), reason(&it.reason)?);
        let wisher = Wisher { caller, by, second, why };
        self.ask(wisher.breaker(&it.scope, action)?).await
    }
}
