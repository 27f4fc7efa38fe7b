//! Which column of a table is which field, and whether everything that is needed is there.

use crate::codes;
use crate::fault::{Faulty, fault, shown};
use crate::spec::{BarEmit, Column, Field, Record, Table};
use tse_model::{Decimal, SourceFault};

const FIELDS: usize = Field::ALL.len();

/// A value of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cell<'a> {
    /// Text as it stands in the file; empty where there is nothing.
    Text(&'a [u8]),
    /// A whole number.
    Int(i64),
    /// A whole number that has no sign.
    Unsigned(u64),
    /// A number that is not whole.
    Decimal(Decimal),
    /// A moment, in nanoseconds since 1970.
    Moment(i64),
    /// A moment by the clock of the source's place, in nanoseconds since 1970 there.
    Local(i64),
    /// Yes or no.
    Bool(bool),
}

/// A row of a table.
pub(crate) trait Row {
    /// What stands in a column.
    fn cell(&self, column: usize) -> Cell<'_>;
}

/// The columns of a file by what they hold.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    places: [Option<u16>; FIELDS],
    /// What findings call each field: the file's own name for it, if it has one.
    names: Vec<String>,
    last: Option<usize>,
}

impl Columns {
    /// Finds the fields in a header, or by place where there is none.
    pub(crate) fn find(table: &Table, header: Option<&[String]>) -> Result<Self, SourceFault> {
        let mut places = [None; FIELDS];
        let mut names: Vec<String> =
            Field::ALL.iter().map(|field| field.name().to_owned()).collect();
        if let Some(header) = header {
            for (at, name) in header.iter().enumerate() {
                if let Some(field) = Field::named(name) {
                    places[field as usize] = Some(at as u16);
                }
            }
        }
        for (field, column) in &table.columns {
            let at = match column {
                Column::At(at) => *at,
                Column::Ignored => {
                    places[*field as usize] = None;
                    continue;
                }
                // A config has no word for nothing but the empty one.
                Column::Name(name) if name.is_empty() => {
                    places[*field as usize] = None;
                    continue;
                }
                Column::Name(name) => {
                    let at = header.and_then(|header| header.iter().position(|had| had == name));
                    at.ok_or_else(|| missing(&[name], field.name(), header))?
                }
            };
            if header.is_some_and(|header| at >= header.len()) {
                return Err(missing(&[&format!("number {at}")], field.name(), header));
            }
            places[*field as usize] = Some(at as u16);
            names[*field as usize] = match (column, header) {
                (Column::Name(name), _) => name.clone(),
                (_, Some(header)) => header[at].clone(),
                (_, None) => field.name().to_owned(),
            };
        }
        let last = places.iter().flatten().max().map(|at| usize::from(*at));
        Ok(Self { places, names, last })
    }

    /// Where a field stands.
    #[inline]
    pub(crate) fn place(&self, field: Field) -> Option<usize> {
        self.places[field as usize].map(usize::from)
    }

    /// Whether there is such a column.
    pub(crate) fn has(&self, field: Field) -> bool {
        self.places[field as usize].is_some()
    }

    /// What the file calls a field.
    pub(crate) fn name(&self, field: Field) -> &str {
        &self.names[field as usize]
    }

    /// What stands in a field of a row; empty where there is no such column.
    #[inline]
    pub(crate) fn cell<'a, R: Row>(&self, row: &'a R, field: Field) -> Cell<'a> {
        match self.places[field as usize] {
            Some(at) => row.cell(usize::from(at)),
            None => Cell::Text(b""),
        }
    }

    /// The highest column that is needed.
    pub(crate) fn last(&self) -> Option<usize> {
        self.last
    }

    /// The columns that are needed, for readers that can leave the others where they are.
    pub(crate) fn all(&self) -> impl Iterator<Item = usize> + '_ {
        self.places.iter().flatten().map(|at| usize::from(*at))
    }

    /// Whether everything is there that rows of this kind need.
    pub(crate) fn check(
        &self,
        table: &Table,
        record: Record,
        header: Option<&[String]>,
    ) -> Result<(), SourceFault> {
        let mut needed: Vec<Field> = Vec::new();
        if !self.has(Field::TsRecv) {
            needed.push(Field::TsEvent);
        }
        needed.extend(match record {
            Record::Quotes => &[Field::Bid, Field::Ask, Field::BidSize, Field::AskSize][..],
            Record::Trades => &[Field::Price, Field::Size],
            Record::Depth => &[Field::Side, Field::Price, Field::Size],
            Record::Orders => &[Field::Side, Field::Price, Field::Size, Field::Action, Field::Id],
            Record::Bars if self.has(Field::BidOpen) || self.has(Field::AskOpen) => &QUOTES,
            Record::Bars => &TRADES,
            Record::Funding => &[Field::Rate],
            Record::Marks => &[Field::Price],
            Record::Status => &[Field::Status],
            Record::Events => &[Field::Kind],
        });
        let sizes = [Field::BidSize, Field::AskSize, Field::Size];
        let given = |field: &Field| table.size.is_some() && sizes.contains(field);
        let books = matches!(record, Record::Depth | Record::Orders);
        needed.retain(|field| !self.has(*field) && (books || !given(field)));
        if let Some(first) = needed.first() {
            let names: Vec<_> = needed.iter().map(|field| self.name(*field)).collect();
            let found = missing(&names, first.name(), header);
            // A file without sizes is common enough to say what can be done about it.
            return Err(match needed.iter().all(|field| sizes.contains(field)) && !books {
                true => found.why("the source gives no `size` for rows without one"),
                false => found,
            });
        }
        if record == Record::Bars { self.check_bars(table) } else { Ok(()) }
    }

    fn check_bars(&self, table: &Table) -> Result<(), SourceFault> {
        if table.bars.span.is_none() && !self.has(Field::Span) {
            return Err(fault(
                codes::BAD_SPEC,
                "nothing says how long the bars are",
                "set `bars.span` in the source, such as \"1m\"",
            ));
        }
        if let BarEmit::Quotes { offsets, size } = &table.bars.emit {
            crate::bars::check_offsets(offsets, table.bars.span, *size)?;
        }
        Ok(())
    }
}

/// The prices of a bar of trades.
pub(crate) const TRADES: [Field; 4] = [Field::Open, Field::High, Field::Low, Field::Close];
/// The bids of a bar of quotes.
pub(crate) const BIDS: [Field; 4] =
    [Field::BidOpen, Field::BidHigh, Field::BidLow, Field::BidClose];
/// The asks of a bar of quotes.
pub(crate) const ASKS: [Field; 4] =
    [Field::AskOpen, Field::AskHigh, Field::AskLow, Field::AskClose];

/// The prices of a bar of quotes.
const QUOTES: [Field; 8] = [
    Field::BidOpen,
    Field::BidHigh,
    Field::BidLow,
    Field::BidClose,
    Field::AskOpen,
    Field::AskHigh,
    Field::AskLow,
    Field::AskClose,
];

/// The finding about columns that are not there; `field` is what the first of them should be.
#[cold]
fn missing(names: &[&str], field: &str, header: Option<&[String]>) -> SourceFault {
    let what = match names {
        [name] if *name == field => format!("there is no column `{field}`"),
        [name] => format!("there is no column `{name}`, which should be `{field}`"),
        names => format!("there are no columns `{}`", names.join("`, `")),
    };
    let fix = format!("say which column it is: columns.{field} = \"...\"");
    let found = fault(codes::MISSING_COLUMN, what, fix);
    match header {
        Some(header) => {
            let names: Vec<_> = header.iter().map(|name| shown(name.as_bytes())).collect();
            found.why(format!("the columns are {}", names.join(", ")))
        }
        None => found.why("the file has no header, so columns are given by their place"),
    }
}

/// How many digits a power of ten shifts the point; zero stands for one.
pub(crate) fn shift_of(divisor: u64, name: &str) -> Result<u8, SourceFault> {
    let divisor = divisor.max(1);
    let digits = divisor.ilog10();
    if 10u64.pow(digits) == divisor {
        return Ok(digits as u8);
    }
    Err(fault(
        codes::BAD_SPEC,
        format!("`{name}` is {divisor}, which is not a power of ten"),
        "use 1, 10, 100, and so on",
    ))
}
