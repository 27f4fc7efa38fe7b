use super::{StrategyStatus, StrategyType, check, check_name, check_not_negative};
use crate::{Moment, Result};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A strategy and how it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Strategy {
    /// Its name for ever.
    pub strategy_id: String,
    /// Its name for people.
    pub name: String,
    /// What kind it is.
    pub strategy_type: StrategyType,
    /// How it stands.
    pub status: StrategyStatus,
    /// What it was told: always a JSON object.
    pub parameters: Map<String, Value>,
    /// What it trades.
    pub instruments: Vec<String>,
    /// The most it may hold, if that is limited.
    pub max_position_size: Option<Decimal>,
    /// The most it may lose in a day, if that is limited.
    pub max_daily_loss: Option<Decimal>,
    /// The most it may hold as a multiple of its equity, if that is limited.
    pub max_leverage: Option<Decimal>,
    /// What it earned since it began.
    pub total_pnl: Decimal,
    /// What it earned today.
    pub daily_pnl: Decimal,
    /// How often it traded.
    pub total_trades: i64,
    /// When it last began.
    pub started_at: Option<Moment>,
    /// When it last ended.
    pub stopped_at: Option<Moment>,
    /// When the row was made.
    pub created_at: Moment,
    /// When the row last changed.
    pub updated_at: Moment,
    /// Counts changes by [`update`](crate::StrategiesRepository::update), so that none is lost.
    pub version: i32,
}

impl Strategy {
    /// A strategy that has not begun.
    pub fn new(id: &str, strategy_type: StrategyType, now: Moment) -> Self {
        Self {
            strategy_id: id.to_owned(),
            name: id.to_owned(),
            strategy_type,
            status: StrategyStatus::Inactive,
            parameters: Map::new(),
            instruments: Vec::new(),
            max_position_size: None,
            max_daily_loss: None,
            max_leverage: None,
            total_pnl: Decimal::ZERO,
            daily_pnl: Decimal::ZERO,
            total_trades: 0,
            started_at: None,
            stopped_at: None,
            created_at: now,
            updated_at: now,
            version: 1,
        }
    }

    /// Whether it makes sense by itself.
    ///
    /// # Errors
    /// The first thing that does not.
    pub fn validate(&self) -> Result<()> {
        check_name("strategy_id", &self.strategy_id)?;
        check_name("name", &self.name)?;
        for instrument in &self.instruments {
            check_name("an instrument", instrument)?;
        }
        check_not_negative("max_position_size", self.max_position_size)?;
        check_not_negative("max_daily_loss", self.max_daily_loss)?;
        check_not_negative("max_leverage", self.max_leverage)?;
        check(self.total_trades >= 0, "total_trades", || "is below zero".to_owned())?;
        check(self.version >= 1, "version", || "is below one".to_owned())
    }

    pub(crate) fn become_status(&mut self, status: StrategyStatus, now: Moment) {
        if self.status != status {
            match status {
                StrategyStatus::Active if self.status != StrategyStatus::Paused => {
                    self.started_at = Some(now);
                    self.stopped_at = None;
                }
                StrategyStatus::Stopped | StrategyStatus::Error => self.stopped_at = Some(now),
                _ => {}
            }
        }
        self.status = status;
    }
}
