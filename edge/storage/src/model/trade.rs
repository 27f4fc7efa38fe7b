use super::{Liquidity, Side, check_name, check_positive, check_same, check_text, plus, times};
use crate::{Moment, Result};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An execution. It never changes, and the venue's name for it is booked once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trade {
    /// Its name for ever.
    pub trade_id: String,
    /// The order it belongs to.
    pub order_id: String,
    /// Whose it is.
    pub strategy_id: String,
    /// What was traded.
    pub instrument_id: String,
    /// Which way.
    pub side: Side,
    /// How much.
    pub quantity: Decimal,
    /// At what price.
    pub price: Decimal,
    /// Quantity times price.
    pub gross_value: Decimal,
    /// What it cost; less than zero is a rebate.
    pub commission: Decimal,
    /// What a buy cost with its commission, what a sale brought without.
    pub net_value: Decimal,
    /// The venue's name for it.
    pub exchange_trade_id: Option<String>,
    /// Where it happened.
    pub execution_venue: String,
    /// Whether it gave liquidity or took it.
    pub liquidity_flag: Option<Liquidity>,
    /// What it earned, where it closed something.
    pub realized_pnl: Option<Decimal>,
    /// When it happened.
    pub executed_at: Moment,
    /// When the row was made.
    pub created_at: Moment,
    /// What somebody wrote beside it.
    pub notes: Option<String>,
}

impl Trade {
    /// Fills in what follows from quantity, price, side and commission.
    ///
    /// # Errors
    /// A value does not fit.
    pub fn with_values(mut self) -> Result<Self> {
        self.gross_value = times("gross_value", self.quantity, self.price)?;
        self.net_value = Self::net(self.side, self.gross_value, self.commission)?;
        Ok(self)
    }

    fn net(side: Side, gross: Decimal, commission: Decimal) -> Result<Decimal> {
        match side {
            Side::Buy => plus("net_value", gross, commission),
            Side::Sell => plus("net_value", gross, -commission),
        }
    }

    /// Whether it makes sense by itself.
    ///
    /// # Errors
    /// The first thing that does not.
    pub fn validate(&self) -> Result<()> {
        check_name("trade_id", &self.trade_id)?;
        check_name("order_id", &self.order_id)?;
        check_name("strategy_id", &self.strategy_id)?;
        check_name("instrument_id", &self.instrument_id)?;
        check_name("execution_venue", &self.execution_venue)?;
        if let Some(name) = &self.exchange_trade_id {
            check_name("exchange_trade_id", name)?;
        }
        check_text("notes", self.notes.as_ref())?;
        check_positive("quantity", self.quantity)?;
        // A price may be below zero: spreads are. The gross value follows it.
        check_same(
            "gross_value",
            self.gross_value,
            times("gross_value", self.quantity, self.price)?,
        )?;
        let net = Self::net(self.side, self.gross_value, self.commission)?;
        check_same("net_value", self.net_value, net)
    }
}
