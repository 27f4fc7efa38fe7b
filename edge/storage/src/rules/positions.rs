use super::{edit, text};
use crate::model::{Position, PositionQuery, SortOrder};
use crate::retention;
use crate::row::Value;
use crate::tables::{Condition, Select, Tables, Test};
use crate::{Moment, PositionsRepository, Result};
use async_trait::async_trait;
use rust_decimal::Decimal;

fn by_instrument() -> Select {
    Select::by("instrument_id", SortOrder::Asc)
}

fn of(strategy: Option<&str>) -> Vec<Condition> {
    by_instrument().with_some("strategy_id", strategy.map(text)).conditions
}

fn held(is_open: bool) -> Test {
    let nothing = Value::Number(Decimal::ZERO);
    if is_open { Test::IsNot(nothing) } else { Test::Is(nothing) }
}

#[async_trait]
impl<T: Tables> PositionsRepository for T {
    async fn create(&self, position: &Position) -> Result<()> {
        position.validate()?;
        self.insert(position).await
    }

    async fn get_by_id(&self, id: &str) -> Result<Option<Position>> {
        self.get(id).await
    }

    async fn update(&self, position: &Position) -> Result<()> {
        position.validate()?;
        let new = position.clone();
        let write = edit(move |row: &mut Position| {
            *row = new.clone();
            Ok(())
        });
        self.change(&position.position_id, write).await
    }

    async fn delete(&self, id: &str) -> Result<()> {
        Tables::delete::<Position>(self, id).await
    }

    async fn query(&self, query: &PositionQuery) -> Result<Vec<Position>> {
        query.validate()?;
        let select = Select::by(query.sort_by.column(), query.sort_order)
            .with_some("strategy_id", query.strategy_id.clone().map(text))
            .with_some("instrument_id", query.instrument_id.clone().map(text))
            .with_some("quantity", query.is_open.map(held))
            .with_some("last_updated", query.from_date.map(|it| Test::AtLeast(Value::Time(it))))
            .with_some("last_updated", query.to_date.map(|it| Test::AtMost(Value::Time(it))))
            .with_some("market_value", query.min_value.map(|it| Test::AtLeast(Value::Number(it))))
            .with_some("market_value", query.max_value.map(|it| Test::AtMost(Value::Number(it))))
            .page(query.limit, query.offset);
        self.select(select).await
    }

    async fn get_by_strategy(&self, strategy: &str) -> Result<Vec<Position>> {
        self.select(by_instrument().with("strategy_id", text(strategy))).await
    }

    async fn get_open_positions(&self, strategy: Option<&str>) -> Result<Vec<Position>> {
        let open = by_instrument().with("quantity", held(true));
        self.select(open.with_some("strategy_id", strategy.map(text))).await
    }

    async fn get_by_instrument(
        &self,
        strategy: &str,
        instrument: &str,
    ) -> Result<Option<Position>> {
        let select = by_instrument()
            .with("strategy_id", text(strategy))
            .with("instrument_id", text(instrument))
            .page(1, 0);
        Ok(self.select(select).await?.pop())
    }

    async fn update_market_data(&self, id: &str, price: Decimal) -> Result<()> {
        let now = self.now();
        self.change(id, edit(move |row: &mut Position| row.mark(price, now))).await
    }

    async fn close_position(&self, id: &str, closed_at: Moment) -> Result<()> {
        self.change(id, edit(move |row: &mut Position| row.close(closed_at))).await
    }

    async fn calculate_total_exposure(&self, strategy: Option<&str>) -> Result<Decimal> {
        self.sum::<Position>("exposure", of(strategy)).await
    }

    async fn calculate_total_unrealized_pnl(&self, strategy: Option<&str>) -> Result<Decimal> {
        self.sum::<Position>("unrealized_pnl", of(strategy)).await
    }

    async fn cleanup_closed_positions(&self, older_than_days: u32) -> Result<u64> {
        retention::positions(self, self.now().days_before(older_than_days)).await
    }
}
