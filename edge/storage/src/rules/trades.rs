use super::{text, word};
use crate::model::{SortOrder, Trade, TradeQuery};
use crate::retention;
use crate::row::Value;
use crate::tables::{Condition, Select, Tables, Test};
use crate::{Moment, Result, StorageError, TradesRepository};
use async_trait::async_trait;
use jiff::civil::Date;
use rust_decimal::Decimal;

fn oldest() -> Select {
    Select::by("executed_at", SortOrder::Asc)
}

/// Those of a strategy or of an instrument, within a range.
fn within(column: &'static str, name: &str, from: Option<Moment>, to: Option<Moment>) -> Select {
    oldest()
        .with(column, text(name))
        .with_some("executed_at", from.map(|it| Test::AtLeast(Value::Time(it))))
        .with_some("executed_at", to.map(|it| Test::AtMost(Value::Time(it))))
}

fn conditions(strategy: &str, from: Option<Moment>, to: Option<Moment>) -> Vec<Condition> {
    within("strategy_id", strategy, from, to).conditions
}

#[async_trait]
impl<T: Tables> TradesRepository for T {
    async fn create(&self, trade: &Trade) -> Result<()> {
        trade.validate()?;
        let conflict = match self.insert(trade).await {
            Err(conflict @ StorageError::Conflict { .. }) => conflict,
            other => return other,
        };
        let same_id = self.get::<Trade>(&trade.trade_id).await?;
        if let Some(there) = same_id {
            return if there == *trade { Ok(()) } else { Err(conflict) };
        }
        // Under another id: what the venue calls an execution decides.
        let execution = oldest()
            .with_some("exchange_trade_id", trade.exchange_trade_id.clone().map(text))
            .with("execution_venue", text(&trade.execution_venue))
            .page(1, 0);
        let there = self.select::<Trade>(execution).await?;
        if there.is_empty() { Err(conflict) } else { Ok(()) }
    }

    async fn get_by_id(&self, id: &str) -> Result<Option<Trade>> {
        self.get(id).await
    }

    async fn query(&self, query: &TradeQuery) -> Result<Vec<Trade>> {
        query.validate()?;
        let select = Select::by(query.sort_by.column(), query.sort_order)
            .with_some("strategy_id", query.strategy_id.clone().map(text))
            .with_some("order_id", query.order_id.clone().map(text))
            .with_some("instrument_id", query.instrument_id.clone().map(text))
            .with_some("side", query.side.map(|it| word(it.as_str())))
            .with_some("execution_venue", query.execution_venue.clone().map(text))
            .with_some("executed_at", query.from_date.map(|it| Test::AtLeast(Value::Time(it))))
            .with_some("executed_at", query.to_date.map(|it| Test::AtMost(Value::Time(it))))
            .with_some("gross_value", query.min_value.map(|it| Test::AtLeast(Value::Number(it))))
            .with_some("gross_value", query.max_value.map(|it| Test::AtMost(Value::Number(it))))
            .page(query.limit, query.offset);
        self.select(select).await
    }

    async fn get_by_order(&self, order: &str) -> Result<Vec<Trade>> {
        self.select(oldest().with("order_id", text(order))).await
    }

    async fn get_by_strategy(
        &self,
        strategy: &str,
        from: Option<Moment>,
        to: Option<Moment>,
    ) -> Result<Vec<Trade>> {
        self.select(within("strategy_id", strategy, from, to)).await
    }

    async fn get_by_instrument(
        &self,
        instrument: &str,
        from: Option<Moment>,
        to: Option<Moment>,
    ) -> Result<Vec<Trade>> {
        self.select(within("instrument_id", instrument, from, to)).await
    }

    async fn get_daily_trades(&self, strategy: &str, date: Date) -> Result<Vec<Trade>> {
        let (first, last) = Moment::of_day(date);
        self.select(within("strategy_id", strategy, Some(first), Some(last))).await
    }

    async fn calculate_total_volume(
        &self,
        strategy: &str,
        from: Option<Moment>,
        to: Option<Moment>,
    ) -> Result<Decimal> {
        self.sum::<Trade>("gross_value", conditions(strategy, from, to)).await
    }

    async fn calculate_total_pnl(
        &self,
        strategy: &str,
        from: Option<Moment>,
        to: Option<Moment>,
    ) -> Result<Decimal> {
        self.sum::<Trade>("realized_pnl", conditions(strategy, from, to)).await
    }

    async fn get_by_exchange_trade_id(&self, exchange_trade_id: &str) -> Result<Option<Trade>> {
        let select = oldest().with("exchange_trade_id", text(exchange_trade_id)).page(1, 0);
        Ok(self.select(select).await?.pop())
    }

    async fn cleanup_old_trades(&self, older_than_days: u32) -> Result<u64> {
        retention::trades(self, self.now().days_before(older_than_days)).await
    }
}
