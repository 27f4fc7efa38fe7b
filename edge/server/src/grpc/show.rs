//! Pictures and changes, as messages. Nothing is worked out here but what a picture leaves to whoever looks.

use crate::http::StrategyState;
use tse_model::Decimal;
use tse_node::{
    Execution, Held, Latched, LimitPicture, Line, MarketPicture, OpenOrder, Picture, Rung,
    StrategyPicture,
};
use tse_wire::v1;

/// A position of a strategy.
pub(super) fn position(strategy: &str, held: &Held) -> v1::Position {
    v1::Position {
        strategy_id: strategy.to_owned(),
        instrument_id: held.symbol.clone(),
        size: held.size.clone(),
        price: held.price.clone(),
        mark: held.mark.clone(),
        currency: held.currency.clone(),
        exposure: held.exposure.clone(),
        unrealized: held.unrealized.clone(),
        realized: held.realized.clone(),
        opened_at: held.opened.clone(),
    }
}

/// How a strategy is.
pub(super) fn status(picture: &Picture, strategy: &StrategyPicture) -> v1::StrategyStatus {
    match StrategyState::of(picture, strategy).status.as_str() {
        "active" => v1::StrategyStatus::Active,
        "paused" => v1::StrategyStatus::Paused,
        "stopped" => v1::StrategyStatus::Stopped,
        _ => v1::StrategyStatus::Unspecified,
    }
}

/// A strategy.
pub(super) fn strategy(picture: &Picture, it: &StrategyPicture) -> v1::Strategy {
    let figures = &it.figures;
    v1::Strategy {
        strategy_id: it.name.clone(),
        status: status(picture, it).into(),
        level: level(&it.level).into(),
        positions: it.positions.iter().map(|held| position(&it.name, held)).collect(),
        orders_open: u32::try_from(it.orders).unwrap_or(u32::MAX),
        last_error: StrategyState::of(picture, it).last_error,
        performance: Some(v1::Performance {
            currency: picture.base.clone(),
            net: it.net.clone(),
            trades: it.bought + it.sold,
            total_return: figures.total_return,
            sharpe: figures.sharpe,
            sortino: figures.sortino,
            max_drawdown: figures.max_drawdown,
            days: figures.days,
            round_trips: figures.round_trips,
            win_rate: figures.win_rate,
        }),
    }
}

/// A level by its name.
pub(super) fn level(name: &str) -> v1::Level {
    match name {
        "free" => v1::Level::Free,
        "pause" => v1::Level::Pause,
        "reduce" => v1::Level::Reduce,
        "cancel" => v1::Level::Cancel,
        "halt" => v1::Level::Halt,
        "flatten" => v1::Level::Flatten,
        "sever" => v1::Level::Sever,
        _ => v1::Level::Unspecified,
    }
}

fn side(name: &str) -> v1::Side {
    match name {
        "buy" => v1::Side::Buy,
        "sell" => v1::Side::Sell,
        _ => v1::Side::Unspecified,
    }
}

/// Everything that is held and worth something.
pub(super) fn portfolio(picture: &Picture) -> v1::GetPortfolioResponse {
    let cash = picture.balances.iter().map(|it| v1::Balance {
        venue: it.venue.clone(),
        currency: it.currency.clone(),
        amount: it.amount.clone(),
        reserved: it.reserved.clone(),
    });
    let earned = &picture.earned;
    let exposure = exposure(picture).map(|it| it.to_string());
    // A ratio for people: nothing is decided by it.
    let number = |text: &Option<String>| text.as_ref().and_then(|it| it.parse::<f64>().ok());
    let leverage = match (number(&exposure), number(&picture.equity)) {
        (Some(exposure), Some(equity)) if equity > 0.0 => Some(exposure / equity),
        _ => None,
    };
    v1::GetPortfolioResponse {
        currency: picture.base.clone(),
        cash: cash.collect(),
        equity: picture.equity.clone(),
        realized: earned.realized.clone(),
        unrealized: earned.unrealized.clone(),
        fees: earned.fees.clone(),
        funding: earned.funding.clone(),
        net: earned.net.clone(),
        exposure,
        leverage,
        last_updated: picture.now.clone(),
    }
}

/// What positions are worth together, each without sign; `None` where one is worth nothing that can be added.
fn exposure(picture: &Picture) -> Option<Decimal> {
    let held = picture.strategies.iter().flat_map(|it| &it.positions);
    let worth = held.map(|held| {
        let worth = held.exposure.as_ref().filter(|_| held.currency == picture.base)?;
        worth.parse().ok()
    });
    worth.into_iter().try_fold(Decimal::ZERO, |sum, worth: Option<Decimal>| sum.checked_add(worth?))
}

/// An order.
pub(super) fn order(it: &OpenOrder) -> v1::Order {
    v1::Order {
        order_id: it.id.clone(),
        strategy_id: it.strategy.clone(),
        instrument_id: it.symbol.clone(),
        side: side(&it.side).into(),
        price: it.price.clone(),
        size: it.size.clone(),
        filled: it.filled.clone(),
        life: it.life.clone(),
        made_at: it.made.clone(),
        changed_at: it.changed.clone(),
    }
}

/// An execution.
pub(super) fn fill(it: &Execution) -> v1::Fill {
    let liquidity = match it.liquidity.as_str() {
        "maker" => v1::Liquidity::Maker,
        "taker" => v1::Liquidity::Taker,
        _ => v1::Liquidity::Unspecified,
    };
    v1::Fill {
        exec_id: it.exec_id.clone(),
        order_id: it.order_id.clone(),
        strategy_id: it.strategy.clone(),
        instrument_id: it.symbol.clone(),
        side: side(&it.side).into(),
        price: it.price.clone(),
        size: it.size.clone(),
        liquidity: liquidity.into(),
        fee: it.fee.clone(),
        fee_currency: it.fee_currency.clone(),
        realized: it.realized.clone(),
        at: it.at.clone(),
    }
}

/// A book.
pub(super) fn book(it: &MarketPicture) -> v1::Book {
    let rungs = |side: &[Rung]| {
        let rung = |it: &Rung| v1::Rung { price: it.price.clone(), size: it.size.clone() };
        side.iter().map(rung).collect()
    };
    v1::Book {
        instrument_id: it.symbol.clone(),
        bids: rungs(&it.bids),
        asks: rungs(&it.asks),
        age_ms: it.age_ms,
        valid: it.valid,
        open: it.open,
    }
}

/// Something that should be seen.
pub(super) fn alert(it: &Line) -> v1::Alert {
    v1::Alert {
        number: it.number,
        at: it.at.clone(),
        kind: it.kind.clone(),
        about_json: it.about.to_string(),
    }
}

/// A limit.
pub(super) fn limit(it: &LimitPicture) -> v1::Limit {
    v1::Limit {
        scope: it.scope.clone(),
        instrument_id: it.symbol.clone(),
        limit: it.limit.clone(),
        value: it.value.clone(),
        used: it.used.clone(),
        share: it.share,
    }
}

/// A scope that is cut back.
pub(super) fn breaker(it: &Latched) -> v1::Breaker {
    v1::Breaker {
        scope: it.scope.clone(),
        level: level(&it.level).into(),
        control: it.control.clone(),
        by: it.by.clone(),
        reason: it.why.clone(),
        since: it.since.clone(),
    }
}
