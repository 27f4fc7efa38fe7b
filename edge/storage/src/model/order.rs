use super::{
    OrderStatus, OrderType, Side, TimeInForce, check, check_name, check_not_negative,
    check_positive, check_same, check_text,
};
use crate::{Moment, Result, StorageError};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An order and what has become of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// Its name for ever.
    pub order_id: String,
    /// Whose it is.
    pub strategy_id: String,
    /// What it trades.
    pub instrument_id: String,
    /// Which way.
    pub side: Side,
    /// What kind it is.
    pub order_type: OrderType,
    /// How it stands.
    pub status: OrderStatus,
    /// How long it stays.
    pub time_in_force: TimeInForce,
    /// How much was ordered.
    pub quantity: Decimal,
    /// How much of it has traded.
    pub filled_quantity: Decimal,
    /// How much of it has not: filled and remaining are always the quantity.
    pub remaining_quantity: Decimal,
    /// The limit, of those that have one.
    pub price: Option<Decimal>,
    /// The price that wakes it, of those that wait for one.
    pub stop_price: Option<Decimal>,
    /// The price of what has traded, weighted by volume.
    pub average_fill_price: Option<Decimal>,
    /// The venue's name for it.
    pub exchange_order_id: Option<String>,
    /// Where it went.
    pub execution_venue: Option<String>,
    /// What its trades cost.
    pub commission: Decimal,
    /// What its trades earned, where they closed something.
    pub realized_pnl: Option<Decimal>,
    /// When it was made.
    pub created_at: Moment,
    /// When it left.
    pub submitted_at: Option<Moment>,
    /// When the last of it traded.
    pub filled_at: Option<Moment>,
    /// When it was taken back.
    pub cancelled_at: Option<Moment>,
    /// When the row last changed.
    pub updated_at: Moment,
    /// Why it was refused, or what else went wrong.
    pub error_message: Option<String>,
    /// Our name for it at the venue; no two orders share one.
    pub client_order_id: Option<String>,
    /// What ties it to the signal that it came from.
    pub correlation_id: Option<String>,
}

impl Order {
    const TABLE: &str = "orders";

    /// A market order that has not left.
    pub fn new(
        id: &str,
        strategy: &str,
        instrument: &str,
        side: Side,
        quantity: Decimal,
        now: Moment,
    ) -> Self {
        Self {
            order_id: id.to_owned(),
            strategy_id: strategy.to_owned(),
            instrument_id: instrument.to_owned(),
            side,
            order_type: OrderType::Market,
            status: OrderStatus::Pending,
            time_in_force: TimeInForce::Gtc,
            quantity,
            filled_quantity: Decimal::ZERO,
            remaining_quantity: quantity,
            price: None,
            stop_price: None,
            average_fill_price: None,
            exchange_order_id: None,
            execution_venue: None,
            commission: Decimal::ZERO,
            realized_pnl: None,
            created_at: now,
            submitted_at: None,
            filled_at: None,
            cancelled_at: None,
            updated_at: now,
            error_message: None,
            client_order_id: None,
            correlation_id: None,
        }
    }

    /// Whether it makes sense by itself.
    ///
    /// # Errors
    /// The first thing that does not.
    pub fn validate(&self) -> Result<()> {
        check_name("order_id", &self.order_id)?;
        check_name("strategy_id", &self.strategy_id)?;
        check_name("instrument_id", &self.instrument_id)?;
        for (what, name) in [
            ("exchange_order_id", &self.exchange_order_id),
            ("execution_venue", &self.execution_venue),
            ("client_order_id", &self.client_order_id),
            ("correlation_id", &self.correlation_id),
        ] {
            name.as_ref().map_or(Ok(()), |name| check_name(what, name))?;
        }
        check_text("error_message", self.error_message.as_ref())?;
        check_positive("quantity", self.quantity)?;
        check_not_negative("filled_quantity", Some(self.filled_quantity))?;
        check(self.filled_quantity <= self.quantity, "filled_quantity", || {
            format!("is {} of {}", self.filled_quantity, self.quantity)
        })?;
        check_same(
            "remaining_quantity",
            self.remaining_quantity,
            self.quantity - self.filled_quantity,
        )?;
        let limits = matches!(self.order_type, OrderType::Limit | OrderType::StopLimit);
        check(!limits || self.price.is_some(), "price", || {
            format!("is missing, and a {} order needs one", self.order_type)
        })?;
        let waits = matches!(self.order_type, OrderType::Stop | OrderType::StopLimit);
        check(!waits || self.stop_price.is_some(), "stop_price", || {
            format!("is missing, and a {} order needs one", self.order_type)
        })?;
        let all = self.filled_quantity == self.quantity;
        check(self.status != OrderStatus::Filled || all, "status", || {
            format!("is filled, with {} open", self.remaining_quantity)
        })
    }

    /// Takes a step of its life, and the quantity that the step speaks of.
    pub(crate) fn become_status(
        &mut self,
        status: OrderStatus,
        filled: Option<Decimal>,
        now: Moment,
    ) -> Result<()> {
        if !self.status.may_become(status) {
            let why = format!("is {} and cannot become {status}", self.status);
            return Err(StorageError::conflict(Self::TABLE, &self.order_id, why));
        }
        if let Some(filled) = filled {
            self.set_filled(filled)?;
        }
        if self.status != status {
            match status {
                OrderStatus::Submitted => self.submitted_at = Some(now),
                OrderStatus::Filled => self.filled_at = Some(now),
                OrderStatus::Cancelled => self.cancelled_at = Some(now),
                _ => {}
            }
        }
        self.status = status;
        self.validate()
    }

    /// Books what has traded. Remaining quantity and status follow; an order that has ended keeps its
    /// status, since a fill that comes late is true all the same.
    pub(crate) fn fill(&mut self, filled: Decimal, average: Decimal, now: Moment) -> Result<()> {
        check_positive("filled_quantity", filled)?;
        if self.status == OrderStatus::Pending {
            let why = "is pending: what has not left cannot trade";
            return Err(StorageError::conflict(Self::TABLE, &self.order_id, why));
        }
        self.set_filled(filled)?;
        self.average_fill_price = Some(average);
        if self.status.is_live() {
            self.status = if self.remaining_quantity.is_zero() {
                self.filled_at = Some(now);
                OrderStatus::Filled
            } else {
                OrderStatus::PartiallyFilled
            };
        }
        self.validate()
    }

    fn set_filled(&mut self, filled: Decimal) -> Result<()> {
        check(filled <= self.quantity, "filled_quantity", || {
            format!("is {filled} of {}", self.quantity)
        })?;
        if filled < self.filled_quantity {
            let why =
                format!("has {} filled, which {filled} would take back", self.filled_quantity);
            return Err(StorageError::conflict(Self::TABLE, &self.order_id, why));
        }
        self.filled_quantity = filled;
        self.remaining_quantity = self.quantity - filled;
        Ok(())
    }
}
