use super::{edit, word};
use crate::model::{SortOrder, Strategy, StrategyQuery, StrategyStatus};
use crate::row::{Row, Value};
use crate::tables::{Select, Tables, Test};
use crate::{Result, StorageError, StrategiesRepository};
use async_trait::async_trait;
use rust_decimal::Decimal;

fn newest() -> Select {
    Select::by("created_at", SortOrder::Desc)
}

#[async_trait]
impl<T: Tables> StrategiesRepository for T {
    async fn create(&self, strategy: &Strategy) -> Result<()> {
        strategy.validate()?;
        self.insert(strategy).await
    }

    async fn get_by_id(&self, id: &str) -> Result<Option<Strategy>> {
        self.get(id).await
    }

    async fn update(&self, strategy: &Strategy) -> Result<()> {
        strategy.validate()?;
        let new = strategy.clone();
        let write = edit(move |row: &mut Strategy| {
            if row.version != new.version {
                let why = format!("is at version {}, and was read at {}", row.version, new.version);
                return Err(StorageError::conflict(Strategy::TABLE, &row.strategy_id, why));
            }
            *row = new.clone();
            row.version = new.version.saturating_add(1);
            Ok(())
        });
        self.change(&strategy.strategy_id, write).await
    }

    async fn delete(&self, id: &str) -> Result<()> {
        Tables::delete::<Strategy>(self, id).await
    }

    async fn query(&self, query: &StrategyQuery) -> Result<Vec<Strategy>> {
        query.validate()?;
        let select = Select::by(query.sort_by.column(), query.sort_order)
            .with_some("strategy_type", query.strategy_type.map(|it| word(it.as_str())))
            .with_some("status", query.status.map(|it| word(it.as_str())))
            .with_some("instruments", query.instrument.clone().map(Test::Has))
            .with_some("created_at", query.from_date.map(|it| Test::AtLeast(Value::Time(it))))
            .with_some("created_at", query.to_date.map(|it| Test::AtMost(Value::Time(it))))
            .page(query.limit, query.offset);
        self.select(select).await
    }

    async fn get_active_strategies(&self) -> Result<Vec<Strategy>> {
        self.select(newest().with("status", word(StrategyStatus::Active.as_str()))).await
    }

    async fn update_status(&self, id: &str, status: StrategyStatus) -> Result<()> {
        let now = self.now();
        let write = edit(move |row: &mut Strategy| {
            row.become_status(status, now);
            Ok(())
        });
        self.change(id, write).await
    }

    async fn update_pnl(&self, id: &str, total_pnl: Decimal, daily_pnl: Decimal) -> Result<()> {
        let write = edit(move |row: &mut Strategy| {
            row.total_pnl = total_pnl;
            row.daily_pnl = daily_pnl;
            Ok(())
        });
        self.change(id, write).await
    }

    async fn increment_trade_count(&self, id: &str) -> Result<()> {
        let write = edit(|row: &mut Strategy| {
            row.total_trades = row.total_trades.saturating_add(1);
            Ok(())
        });
        self.change(id, write).await
    }

    async fn get_by_instrument(&self, instrument: &str) -> Result<Vec<Strategy>> {
        self.select(newest().with("instruments", Test::Has(instrument.to_owned()))).await
    }
}
