use super::{edit, text, word};
use crate::model::{Order, OrderQuery, OrderStatus, SortOrder};
use crate::retention;
use crate::row::{Row, Value};
use crate::tables::{Select, Tables, Test};
use crate::{Moment, OrdersRepository, Result, StorageError};
use async_trait::async_trait;
use rust_decimal::Decimal;

fn newest() -> Select {
    Select::by("created_at", SortOrder::Desc)
}

fn one_of(statuses: &[OrderStatus]) -> Test {
    Test::OneOf(statuses.iter().map(|status| Value::Word(status.as_str())).collect())
}

#[async_trait]
impl<T: Tables> OrdersRepository for T {
    async fn create(&self, order: &Order) -> Result<()> {
        order.validate()?;
        self.insert(order).await
    }

    async fn get_by_id(&self, id: &str) -> Result<Option<Order>> {
        self.get(id).await
    }

    async fn update(&self, order: &Order) -> Result<()> {
        order.validate()?;
        let new = order.clone();
        let write = edit(move |row: &mut Order| {
            if !row.status.may_become(new.status) {
                let why = format!("is {} and cannot become {}", row.status, new.status);
                return Err(StorageError::conflict(Order::TABLE, &row.order_id, why));
            }
            *row = new.clone();
            Ok(())
        });
        self.change(&order.order_id, write).await
    }

    async fn delete(&self, id: &str) -> Result<()> {
        Tables::delete::<Order>(self, id).await
    }

    async fn query(&self, query: &OrderQuery) -> Result<Vec<Order>> {
        query.validate()?;
        let select = Select::by(query.sort_by.column(), query.sort_order)
            .with_some("strategy_id", query.strategy_id.clone().map(text))
            .with_some("instrument_id", query.instrument_id.clone().map(text))
            .with_some("side", query.side.map(|it| word(it.as_str())))
            .with_some("order_type", query.order_type.map(|it| word(it.as_str())))
            .with_some("status", query.status.map(|it| word(it.as_str())))
            .with_some("created_at", query.from_date.map(|it| Test::AtLeast(Value::Time(it))))
            .with_some("created_at", query.to_date.map(|it| Test::AtMost(Value::Time(it))))
            .page(query.limit, query.offset);
        self.select(select).await
    }

    async fn get_by_strategy(&self, strategy: &str) -> Result<Vec<Order>> {
        self.select(newest().with("strategy_id", text(strategy))).await
    }

    async fn get_active_orders(&self, strategy: Option<&str>) -> Result<Vec<Order>> {
        let live = newest().with("status", one_of(OrderStatus::LIVE));
        self.select(live.with_some("strategy_id", strategy.map(text))).await
    }

    async fn update_status(
        &self,
        id: &str,
        status: OrderStatus,
        filled_quantity: Option<Decimal>,
    ) -> Result<()> {
        let now = self.now();
        let write = edit(move |row: &mut Order| row.become_status(status, filled_quantity, now));
        self.change(id, write).await
    }

    async fn update_fill(
        &self,
        id: &str,
        filled_quantity: Decimal,
        average_fill_price: Decimal,
    ) -> Result<()> {
        let now = self.now();
        let write = edit(move |row: &mut Order| row.fill(filled_quantity, average_fill_price, now));
        self.change(id, write).await
    }

    async fn cancel_order(&self, id: &str, cancelled_at: Moment) -> Result<()> {
        let write = edit(move |row: &mut Order| {
            row.become_status(OrderStatus::Cancelled, None, cancelled_at)
        });
        self.change(id, write).await
    }

    async fn get_by_exchange_order_id(&self, exchange_order_id: &str) -> Result<Option<Order>> {
        let select = newest().with("exchange_order_id", text(exchange_order_id)).page(1, 0);
        Ok(self.select(select).await?.pop())
    }

    async fn get_orders_by_instrument(
        &self,
        instrument: &str,
        status: Option<OrderStatus>,
    ) -> Result<Vec<Order>> {
        let select = newest()
            .with("instrument_id", text(instrument))
            .with_some("status", status.map(|it| word(it.as_str())));
        self.select(select).await
    }

    async fn get_pending_orders(&self, strategy: Option<&str>) -> Result<Vec<Order>> {
        let waiting = one_of(&[OrderStatus::Pending, OrderStatus::Submitted]);
        let select = newest().with("status", waiting);
        self.select(select.with_some("strategy_id", strategy.map(text))).await
    }

    async fn cleanup_old_orders(&self, older_than_days: u32) -> Result<u64> {
        retention::orders(self, self.now().days_before(older_than_days)).await
    }
}
