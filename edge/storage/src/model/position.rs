use super::{check, check_name, check_same, check_text, plus, times};
use crate::{Moment, Result};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a strategy holds of one instrument, at all venues together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Its name for ever: closing and opening again keeps it.
    pub position_id: String,
    /// Whose it is. A strategy has one position in an instrument.
    pub strategy_id: String,
    /// Of what.
    pub instrument_id: String,
    /// How much; below zero is owed.
    pub quantity: Decimal,
    /// What it was bought at on average.
    pub average_entry_price: Decimal,
    /// What it is worth now, each.
    pub current_price: Decimal,
    /// Quantity times current price.
    pub market_value: Decimal,
    /// What it would earn if it were closed now.
    pub unrealized_pnl: Decimal,
    /// What was earned by closing.
    pub realized_pnl: Decimal,
    /// Both together.
    pub total_pnl: Decimal,
    /// Quantity times entry price.
    pub cost_basis: Decimal,
    /// How much is at stake, whichever way.
    pub exposure: Decimal,
    /// When it was opened.
    pub opened_at: Moment,
    /// When its price was last told.
    pub last_updated: Moment,
    /// When it was closed, if it is.
    pub closed_at: Option<Moment>,
    /// When the row was made.
    pub created_at: Moment,
    /// When the row last changed.
    pub updated_at: Moment,
    /// What somebody wrote beside it.
    pub notes: Option<String>,
    /// Of the quantity, how much at which venue.
    #[serde(default)]
    pub venues: BTreeMap<String, Decimal>,
}

impl Position {
    /// A position as it stands after a purchase or a sale, with everything that follows from it.
    ///
    /// # Errors
    /// A value does not fit.
    pub fn open(
        id: &str,
        strategy: &str,
        instrument: &str,
        quantity: Decimal,
        price: Decimal,
        now: Moment,
    ) -> Result<Self> {
        let zero = Decimal::ZERO;
        Self {
            position_id: id.to_owned(),
            strategy_id: strategy.to_owned(),
            instrument_id: instrument.to_owned(),
            quantity,
            average_entry_price: price,
            current_price: price,
            market_value: zero,
            unrealized_pnl: zero,
            realized_pnl: zero,
            total_pnl: zero,
            cost_basis: zero,
            exposure: zero,
            opened_at: now,
            last_updated: now,
            closed_at: None,
            created_at: now,
            updated_at: now,
            notes: None,
            venues: BTreeMap::new(),
        }
        .with_values()
    }

    /// Whether anything is held.
    pub fn is_open(&self) -> bool {
        !self.quantity.is_zero()
    }

    /// Fills in what follows from quantity, prices and what was realised.
    ///
    /// # Errors
    /// A value does not fit.
    pub fn with_values(mut self) -> Result<Self> {
        self.market_value = times("market_value", self.quantity, self.current_price)?;
        let gain = plus("unrealized_pnl", self.current_price, -self.average_entry_price)?;
        self.unrealized_pnl = times("unrealized_pnl", gain, self.quantity)?;
        self.total_pnl = plus("total_pnl", self.realized_pnl, self.unrealized_pnl)?;
        self.cost_basis = times("cost_basis", self.quantity, self.average_entry_price)?;
        self.exposure = times("exposure", self.quantity.abs(), self.current_price)?;
        Ok(self)
    }

    /// Whether it makes sense by itself.
    ///
    /// # Errors
    /// The first thing that does not.
    pub fn validate(&self) -> Result<()> {
        check_name("position_id", &self.position_id)?;
        check_name("strategy_id", &self.strategy_id)?;
        check_name("instrument_id", &self.instrument_id)?;
        for venue in self.venues.keys() {
            check_name("a venue", venue)?;
        }
        check_text("notes", self.notes.as_ref())?;
        let is = self.clone().with_values()?;
        check_same("market_value", self.market_value, is.market_value)?;
        check_same("unrealized_pnl", self.unrealized_pnl, is.unrealized_pnl)?;
        check_same("total_pnl", self.total_pnl, is.total_pnl)?;
        check_same("cost_basis", self.cost_basis, is.cost_basis)?;
        check_same("exposure", self.exposure, is.exposure)?;
        if !self.venues.is_empty() {
            let mut sum = Decimal::ZERO;
            for quantity in self.venues.values() {
                sum = plus("venues", sum, *quantity)?;
            }
            check_same("quantity", self.quantity, sum)?;
        }
        check(self.closed_at.is_none() || !self.is_open(), "closed_at", || {
            format!("is set, with {} held", self.quantity)
        })
    }

    /// Takes a new price, and everything that follows from it.
    pub(crate) fn mark(&mut self, price: Decimal, now: Moment) -> Result<()> {
        self.current_price = price;
        self.last_updated = now;
        *self = self.clone().with_values()?;
        Ok(())
    }

    /// Closes it at its current price: nothing is held any more, and what it would earn is earned.
    pub(crate) fn close(&mut self, at: Moment) -> Result<()> {
        self.realized_pnl = self.total_pnl;
        self.quantity = Decimal::ZERO;
        self.venues.clear();
        self.closed_at = Some(at);
        self.last_updated = at;
        *self = self.clone().with_values()?;
        Ok(())
    }
}
