//! What a store of rows must be able to do, and no more: the repositories are written on top of it, once
//! for all stores.

use crate::model::SortOrder;
use crate::row::{Row, Value};
use crate::{Moment, Result, StorageError};
use rust_decimal::Decimal;
use std::future::Future;
use std::sync::Arc;

/// How a column is compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Is(Value),
    IsNot(Value),
    AtLeast(Value),
    AtMost(Value),
    Below(Value),
    /// One of these words.
    OneOf(Vec<Value>),
    /// A list with this text in it.
    Has(String),
}

/// What must hold of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Of a column.
    Column(&'static str, Test),
    /// No row of this table names it in this column.
    Childless(&'static str, &'static str),
}

/// Which rows, in which order.
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    pub conditions: Vec<Condition>,
    pub sort_by: &'static str,
    pub sort_order: SortOrder,
    pub limit: Option<u32>,
    pub offset: u32,
}

impl Select {
    pub fn by(sort_by: &'static str, sort_order: SortOrder) -> Self {
        Self { conditions: Vec::new(), sort_by, sort_order, limit: None, offset: 0 }
    }

    /// Adds a condition.
    pub fn with(mut self, column: &'static str, test: Test) -> Self {
        self.conditions.push(Condition::Column(column, test));
        self
    }

    /// Adds a condition, if there is one.
    pub fn with_some(self, column: &'static str, test: Option<Test>) -> Self {
        match test {
            Some(test) => self.with(column, test),
            None => self,
        }
    }

    pub fn page(mut self, limit: u32, offset: u32) -> Self {
        self.limit = Some(limit);
        self.offset = offset;
        self
    }
}

/// What is done to a row. It may be done more than once, to what is there then.
pub type Edit<R> = Arc<dyn Fn(&mut R) -> Result<()> + Send + Sync>;

/// Four tables, as the stores of this crate keep them. It can be asked for, not implemented elsewhere.
pub trait Tables: Send + Sync + 'static {
    /// The store's clock.
    fn now(&self) -> Moment;

    /// Writes a new row; one that is there already is a conflict.
    fn insert<R: Row>(&self, row: &R) -> impl Future<Output = Result<()>> + Send;

    /// Looks a row up.
    fn get<R: Row>(&self, id: &str) -> impl Future<Output = Result<Option<R>>> + Send;

    /// Reads a row, edits it and writes it, while nobody else does.
    fn change<R: Row>(&self, id: &str, edit: Edit<R>) -> impl Future<Output = Result<()>> + Send;

    /// Takes a row away that has no children.
    fn delete<R: Row>(&self, id: &str) -> impl Future<Output = Result<()>> + Send;

    /// The rows that fit, in order.
    fn select<R: Row>(&self, select: Select) -> impl Future<Output = Result<Vec<R>>> + Send;

    /// The exact sum of a column of numbers; null is nothing.
    fn sum<R: Row>(
        &self,
        column: &'static str,
        conditions: Vec<Condition>,
    ) -> impl Future<Output = Result<Decimal>> + Send;

    /// Takes away every row for which all of this holds.
    fn delete_where<R: Row>(
        &self,
        conditions: Vec<Condition>,
    ) -> impl Future<Output = Result<u64>> + Send;
}

/// An exact sum: where a digit would be lost, an error.
pub fn sum(column: &str, numbers: impl Iterator<Item = Decimal>) -> Result<Decimal> {
    let mut sum = Decimal::ZERO;
    for number in numbers {
        let next = sum.checked_add(number).filter(|next| {
            next.checked_sub(sum) == Some(number) && next.checked_sub(number) == Some(sum)
        });
        sum = next.ok_or_else(|| {
            StorageError::invalid(format!("the sum of {column}"), "does not fit 28 digits")
        })?;
    }
    Ok(sum.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_exact_or_an_error() {
        let numbers = |texts: &[&str]| {
            let numbers = texts.iter().map(|text| text.parse().expect("a number"));
            numbers.collect::<Vec<Decimal>>()
        };
        let tenths = numbers(&["0.1", "0.2", "-0.3"]);
        assert_eq!(sum("x", tenths.into_iter()), Ok(Decimal::ZERO));
        let far_apart = numbers(&["100000000000000000000", "0.00000000000000000001"]);
        assert_eq!(sum("x", far_apart.into_iter()).expect_err("41 digits").code(), "TSE-P003");
        let too_big = numbers(&["79228162514264337593543950335", "1"]);
        assert!(sum("x", too_big.into_iter()).is_err());
    }
}
