//! The fields of a row as numbers, words, times: what every kind of row is read with.

use super::Translator;
use crate::codes;
use crate::columns::{Cell, Row};
use crate::factors::Factor;
use crate::fault::{fault, shown};
use crate::grid::{Number, Stop, not_a_number};
use crate::outlet::Outlet;
use crate::spec::Field;
use crate::words;
use tse_model::{Price, Qty, Side, Timestamp};

impl Translator {
    pub(super) fn time<R: Row>(
        &mut self,
        row: &R,
        field: Field,
        later: i64,
    ) -> Result<Option<Timestamp>, Stop> {
        match self.columns.cell(row, field) {
            Cell::Text(b"") => Ok(None),
            Cell::Text(text) => Ok(Some(self.clock.read(text, later)?)),
            Cell::Moment(nanos) => Ok(nanos.checked_add(later).map(Timestamp::from_nanos)),
            Cell::Local(nanos) => Ok(Some(self.clock.local(nanos, later)?)),
            Cell::Int(number) => {
                let text = number.to_string();
                Ok(Some(self.clock.read(text.as_bytes(), later)?))
            }
            Cell::Unsigned(number) => {
                let text = number.to_string();
                Ok(Some(self.clock.read(text.as_bytes(), later)?))
            }
            Cell::Decimal(number) => {
                let text = number.to_string();
                Ok(Some(self.clock.read(text.as_bytes(), later)?))
            }
            other => Err(self.wrong_type(field, other)),
        }
    }

    /// A number, if the field has one.
    #[inline]
    pub(super) fn number<R: Row>(
        &self,
        row: &R,
        field: Field,
        shift: u8,
    ) -> Result<Option<Number>, Stop> {
        let number = match self.columns.cell(row, field) {
            Cell::Text(b"") => return Ok(None),
            Cell::Text(text) => Number::parse(text)
                .map_err(|error| not_a_number(self.columns.name(field), text, error))?,
            Cell::Int(number) => Number::whole(number),
            Cell::Unsigned(number) => Number::unsigned(number),
            Cell::Decimal(number) => Number::of(number),
            other => return Err(self.wrong_type(field, other)),
        };
        if shift == 0 {
            return Ok(Some(number));
        }
        number.shifted(shift).map(Some).ok_or_else(|| {
            let error = tse_model::DecimalError::TooManyDigits;
            not_a_number(self.columns.name(field), b"the number", error).into()
        })
    }

    pub(super) fn need<R: Row>(&self, row: &R, field: Field, shift: u8) -> Result<Number, Stop> {
        self.number(row, field, shift)?.ok_or_else(|| {
            let empty = tse_model::DecimalError::Empty;
            not_a_number(self.columns.name(field), b"", empty).into()
        })
    }

    pub(super) fn text<'a, R: Row>(&self, row: &'a R, field: Field) -> Result<&'a [u8], Stop> {
        match self.columns.cell(row, field) {
            Cell::Text(text) => Ok(text),
            Cell::Bool(true) => Ok(b"true"),
            Cell::Bool(false) => Ok(b"false"),
            other => Err(self.wrong_type(field, other)),
        }
    }

    pub(super) fn flag<R: Row>(&self, row: &R, field: Field) -> Result<bool, Stop> {
        match self.columns.cell(row, field) {
            Cell::Text(word) => Ok(words::yes(self.columns.name(field), word)?),
            Cell::Bool(flag) => Ok(flag),
            Cell::Int(number) => Ok(number != 0),
            other => Err(self.wrong_type(field, other)),
        }
    }

    pub(super) fn flags<R: Row>(&self, row: &R) -> Result<u8, Stop> {
        self.natural(row, Field::Flags).map(|flags| flags as u8)
    }

    /// A whole number that is not negative; zero where there is none.
    pub(super) fn natural<R: Row>(&self, row: &R, field: Field) -> Result<u64, Stop> {
        let wrong = |text: &[u8]| {
            fault(
                codes::NOT_A_NUMBER,
                format!("`{}` is not a whole number: {}", self.columns.name(field), shown(text)),
                "write digits only, at most 18446744073709551615",
            )
        };
        match self.columns.cell(row, field) {
            Cell::Text(b"") => Ok(0),
            Cell::Text(text) => {
                let number = text.iter().try_fold(0u64, |number, byte| {
                    let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
                    number.checked_mul(10)?.checked_add(digit)
                });
                number.ok_or_else(|| wrong(text).into())
            }
            Cell::Int(number) => {
                u64::try_from(number).map_err(|_| wrong(number.to_string().as_bytes()).into())
            }
            Cell::Unsigned(number) => Ok(number),
            Cell::Decimal(number) => number
                .at_scale(0)
                .and_then(|number| u64::try_from(number).ok())
                .ok_or_else(|| wrong(number.to_string().as_bytes()).into()),
            other => Err(self.wrong_type(field, other)),
        }
    }

    #[cold]
    pub(super) fn wrong_type(&self, field: Field, cell: Cell<'_>) -> Stop {
        let kind = match cell {
            Cell::Text(_) => "text",
            Cell::Int(_) | Cell::Unsigned(_) | Cell::Decimal(_) => "a number",
            Cell::Moment(_) | Cell::Local(_) => "a time",
            Cell::Bool(_) => "yes or no",
        };
        let name = self.columns.name(field);
        Stop::Fault(fault(
            codes::COLUMN_TYPE,
            format!("`{name}` holds {kind}, which cannot be `{}`", field.name()),
            format!("say which column it is: columns.{} = \"...\"", field.name()),
        ))
    }

    pub(super) fn side<R: Row>(&self, row: &R) -> Result<Option<Side>, Stop> {
        let word = self.text(row, Field::Side)?;
        Ok(self.sides.read(self.columns.name(Field::Side), word)?)
    }

    pub(super) fn price(
        &self,
        field: Field,
        number: Number,
        measure: usize,
        factor: Option<Factor>,
        out: &mut Outlet,
    ) -> Result<Price, Stop> {
        let measure = &self.measures[measure];
        match factor.and_then(|factor| factor.price(measure, number)) {
            Some(price) if price.is_positive() => Ok(price),
            _ => out.fit.price(measure, self.columns.name(field), number),
        }
    }

    pub(super) fn size(
        &self,
        field: Field,
        number: Number,
        measure: usize,
        factor: Option<Factor>,
        out: &mut Outlet,
    ) -> Result<Qty, Stop> {
        let measure = &self.measures[measure];
        match factor.and_then(|factor| factor.size(measure, number)) {
            Some(qty) if qty.get() >= 0 => Ok(qty),
            _ => out.fit.size(measure, self.columns.name(field), number),
        }
    }

    /// The size in a field, or the one that the source gives to rows without.
    pub(super) fn sized<R: Row>(
        &self,
        row: &R,
        field: Field,
        measure: usize,
        factor: Option<Factor>,
        out: &mut Outlet,
    ) -> Result<Qty, Stop> {
        let number = match (self.columns.has(field), self.table.size) {
            (false, Some(size)) => {
                return out.fit.size(&self.measures[measure], "size", Number::Large(size));
            }
            _ => self.need(row, field, self.size_shift)?,
        };
        self.size(field, number, measure, factor, out)
    }
}
