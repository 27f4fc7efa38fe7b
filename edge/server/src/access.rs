//! What each route and each call asks of whoever comes: one table, and what is not in it is refused.

use crate::token::Scope;

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Nothing: for probes.
    Open,
    /// To see: a token of this scope, where the service can be reached from other machines.
    See(Scope),
    /// To see what only an audit needs.
    Audit(Scope),
    /// To change something: a token of this scope, unless it is a developer's own machine.
    Change(Scope),
}

impl Access {
    /// The scope it asks for, if it asks.
    pub const fn scope(self) -> Option<Scope> {
        match self {
            Self::Open => None,
            Self::See(scope) | Self::Audit(scope) | Self::Change(scope) => Some(scope),
        }
    }

    /// Whether something may be another afterwards.
    pub const fn changes(self) -> bool {
        matches!(self, Self::Change(_))
    }
}

/// Every route: method, pattern, and what it asks.
pub const ROUTES: &[(&str, &str, Access)] = &[
    ("GET", "/health", Access::Open),
    ("GET", "/api/v1/health", Access::Open),
    ("GET", "/ready", Access::Open),
    ("GET", "/api/v1/ready", Access::Open),
    ("GET", "/metrics", Access::Open),
    ("GET", "/api/v1/metrics", Access::Open),
    ("GET", "/api/v1/openapi.json", Access::See(Scope::Read)),
    ("GET", "/api/v1/status", Access::See(Scope::Read)),
    ("GET", "/api/v1/strategies/active", Access::See(Scope::Read)),
    ("GET", "/api/v1/strategies/available", Access::See(Scope::Read)),
    ("GET", "/api/v1/strategies/{id}/status", Access::See(Scope::Read)),
    ("GET", "/api/v1/strategies/{id}/performance", Access::See(Scope::Read)),
    ("POST", "/api/v1/strategies/start", Access::Change(Scope::TradePaper)),
    ("POST", "/api/v1/strategies/stop", Access::Change(Scope::TradePaper)),
    ("GET", "/api/v1/orders", Access::See(Scope::Read)),
    ("GET", "/api/v1/orders/history", Access::See(Scope::Read)),
    ("GET", "/api/v1/orders/{id}", Access::See(Scope::Read)),
    ("GET", "/api/v1/trades", Access::See(Scope::Read)),
    ("GET", "/api/v1/positions/current", Access::See(Scope::Read)),
    ("GET", "/api/v1/portfolio/pnl", Access::See(Scope::Read)),
    ("GET", "/api/v1/books/{symbol}", Access::See(Scope::Read)),
    ("GET", "/api/v1/alerts", Access::See(Scope::Read)),
    ("GET", "/api/v1/risk/status", Access::See(Scope::Read)),
    ("PUT", "/api/v1/risk/limits", Access::Change(Scope::RiskLimits)),
    ("POST", "/api/v1/risk/circuit-breaker", Access::Change(Scope::Kill)),
    ("POST", "/api/v1/kill", Access::Change(Scope::Kill)),
    ("POST", "/api/v1/resume", Access::Change(Scope::Rearm)),
    ("POST", "/api/v1/venues/{venue}/acknowledge", Access::Change(Scope::Rearm)),
    ("POST", "/api/v1/backtest/start", Access::Change(Scope::StrategyDeploy)),
    ("GET", "/api/v1/backtest/results/{id}", Access::See(Scope::Read)),
    ("GET", "/api/v1/stream", Access::See(Scope::Read)),
    ("GET", "/debug/order-queue", Access::Audit(Scope::Read)),
    ("GET", "/debug/position-calculator", Access::Audit(Scope::Read)),
    ("GET", "/debug/risk-engine/limits", Access::Audit(Scope::Read)),
    ("GET", "/docs", Access::See(Scope::Read)),
    ("GET", "/docs/", Access::See(Scope::Read)),
    ("GET", "/docs/{*rest}", Access::See(Scope::Read)),
];

/// Every call: the full name of its method, and what it asks.
pub const RPCS: &[(&str, Access)] = &[
    ("grpc.health.v1.Health/Check", Access::Open),
    ("grpc.health.v1.Health/Watch", Access::Open),
    ("grpc.reflection.v1.ServerReflection/ServerReflectionInfo", Access::See(Scope::Read)),
    ("grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", Access::See(Scope::Read)),
    ("tse.v1.TradingService/StartStrategy", Access::Change(Scope::TradePaper)),
    ("tse.v1.TradingService/StopStrategy", Access::Change(Scope::TradePaper)),
    ("tse.v1.TradingService/GetStrategyStatus", Access::See(Scope::Read)),
    ("tse.v1.TradingService/ListActiveStrategies", Access::See(Scope::Read)),
    ("tse.v1.TradingService/GetPositions", Access::See(Scope::Read)),
    ("tse.v1.TradingService/GetPortfolio", Access::See(Scope::Read)),
    ("tse.v1.TradingService/StreamStrategyUpdates", Access::See(Scope::Read)),
    ("tse.v1.RiskService/SetRiskLimits", Access::Change(Scope::RiskLimits)),
    ("tse.v1.RiskService/GetRiskStatus", Access::See(Scope::Read)),
    ("tse.v1.RiskService/ForcePositionClose", Access::Change(Scope::Kill)),
    ("tse.v1.RiskService/EnableCircuitBreaker", Access::Change(Scope::Kill)),
];

/// The call behind a path, and what it asks; `None` of one that nobody has listed.
pub fn of_call(path: &str) -> Option<(&'static str, Access)> {
    let name = path.strip_prefix('/')?;
    RPCS.iter().copied().find(|(listed, _)| *listed == name)
}

/// What a route asks; `None` of a route that nobody has listed. Of one that does not take the method it asks nothing:
/// whoever comes is told so.
pub fn of_route(method: &str, pattern: &str) -> Option<Access> {
    // Whoever may have an answer may have its head.
    let method = if method == "HEAD" { "GET" } else { method };
    let mut own = ROUTES.iter().filter(|(_, path, _)| *path == pattern).peekable();
    own.peek()?;
    let found = own.find(|(taken, ..)| *taken == method);
    Some(found.map_or(Access::Open, |(_, _, access)| *access))
}
