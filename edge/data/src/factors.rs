//! Correction of old prices for splits and dividends, from Lean factor files.
//!
//! A share that splits two for one halves its price overnight, and a dividend lowers it; a return
//! computed across such a day is wrong unless the earlier prices are made comparable. The first row
//! of the file whose date is not before a day holds the factors of that day. Corrected prices are
//! rounded to the nearest tick, ties to even; corrected sizes to the nearest lot.

use crate::clock::days_of;
use crate::codes;
use crate::fault::{Faulty, fault, shown};
use crate::grid::{Measure, Number, Steps};
use crate::input::{Line, Lines};
use crate::spec::{Adjust, Date};
use tse_model::{Decimal, Price, Qty, Rounding, SourceFault, divide};

/// The factors of one share.
#[derive(Clone, Debug)]
pub(crate) struct Factors {
    /// Last day (counted from 1970), what to multiply prices with, what to divide sizes by.
    rows: Vec<(i64, Decimal, Decimal)>,
    /// The row that was right last time.
    at: usize,
}

impl Factors {
    /// Reads a factor file.
    pub(crate) fn read(adjust: &Adjust) -> Result<Self, SourceFault> {
        let mut lines = Lines::new(vec![adjust.path.clone()], None, "line");
        let mut rows: Vec<(i64, Decimal, Decimal)> = Vec::new();
        loop {
            let text = match lines.next()? {
                Line::File(_) => continue,
                Line::End => break,
                Line::Text([], _) => continue,
                Line::Text(text, _) => text.to_vec(),
            };
            let mut fields = text.split(|byte| *byte == b',');
            let mut number = || Decimal::parse(fields.next()?).ok().filter(|n| n.is_positive());
            let row = (|| {
                let digits = number()?.at_scale(0)?.to_string();
                let day = days_of(Date::from_digits(digits.as_bytes())?);
                let (price, split) = (number()?, number()?);
                Some((day, if adjust.dividends { price.checked_mul(split)? } else { split }, split))
            })();
            match row {
                Some(row) if rows.last().is_none_or(|last| last.0 < row.0) => rows.push(row),
                _ => {
                    return Err(fault(
                        codes::FACTORS,
                        format!("`{}` is not a row of factors in order of date", shown(&text)),
                        "write date,price factor,split factor, such as 20140606,0.9304792,0.142857",
                    )
                    .at(&lines.spot));
                }
            }
        }
        if rows.is_empty() {
            return Err(fault(codes::FACTORS, "the file has no factors", "use another file")
                .at(adjust.path.display()));
        }
        Ok(Self { rows, at: 0 })
    }

    /// The factors of a day.
    pub(crate) fn on(&mut self, day: i64) -> Result<Factor, SourceFault> {
        let right = |at: usize| {
            self.rows.get(at).is_some_and(|row| row.0 >= day)
                && (at == 0 || self.rows[at - 1].0 < day)
        };
        if !right(self.at) {
            self.at = self.rows.partition_point(|row| row.0 < day);
        }
        match self.rows.get(self.at) {
            Some((_, price, split)) => Ok(Factor { price: *price, split: *split }),
            None => Err(fault(
                codes::FACTORS,
                "the factor file ends before this row",
                "use a factor file that reaches to the end of the data, or adjust nothing",
            )),
        }
    }
}

/// What to do with the numbers of one day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Factor {
    price: Decimal,
    split: Decimal,
}

impl Factor {
    /// A corrected price in ticks.
    pub(crate) fn price(&self, measure: &Measure, number: Number) -> Option<Price> {
        let value = number.decimal().checked_mul(self.price)?;
        match measure.price.steps(Number::Large(value)) {
            Steps::Whole(ticks) | Steps::Between(ticks) => Some(Price::new(ticks)),
            Steps::TooMany => None,
        }
    }

    /// A corrected size in lots.
    pub(crate) fn size(&self, measure: &Measure, number: Number) -> Option<Qty> {
        let value = number.decimal().normalized();
        let step = measure.qty.step().checked_mul(self.split)?;
        let scale = value.scale().max(step.scale());
        let lots = divide(value.at_scale(scale)?, step.at_scale(scale)?, Rounding::HalfEven)?;
        i64::try_from(lots).ok().map(Qty::new)
    }
}
