//! From the rows of a table to events: the one place where fields get their meaning.
//!
//! Text and Parquet, ours and foreign, quotes and bars all pass through a [`Translator`]. It knows
//! the columns of the file, the grids of the instruments and the clock of the source; it does not
//! know how a row was stored.

mod book;
mod cells;

use crate::bars::{self, BarRow};
use crate::clock::Clock;
use crate::codes;
use crate::columns::{ASKS, BIDS, Cell, Columns, Row, TRADES, shift_of};
use crate::factors::{Factor, Factors};
use crate::fault::{Faulty, fault, grouped};
use crate::grid::{Measure, Number, Stop};
use crate::outlet::Outlet;
use crate::spec::{BarEmit, Field, Record, SourceSpec, Stamp, Table};
use crate::who::Who;
use crate::words::{self, Sides};
use book::Pending;
use tse_model::{
    Catalog, InstrumentId, MarketData, MarketEvent, Price, Qty, Quote, Rate, SourceFault, Span,
    Timestamp, Trade,
};

/// Databento's flag for the last record of an event.
pub(crate) const FLAG_LAST: u8 = 128;
/// Databento's flag for a record of a snapshot.
pub(crate) const FLAG_SNAPSHOT: u8 = 32;

/// A price that Databento writes where there is none.
pub(crate) const NO_PRICE: i64 = i64::MAX;

/// Makes events of rows.
pub(crate) struct Translator {
    table: Table,
    columns: Columns,
    record: Record,
    pub(crate) clock: Clock,
    measures: Vec<Measure>,
    who: Who,
    sides: Sides,
    price_shift: u8,
    size_shift: u8,
    factors: Option<Factors>,
    /// The last quote of each instrument, for sides that are held.
    held: Vec<Quote>,
    pending: Option<Pending>,
}

/// When a row happened, was received, and on which local day it began.
struct When {
    event: Timestamp,
    recv: Timestamp,
    day: i64,
}

impl Translator {
    pub(crate) fn new(
        spec: &SourceSpec,
        table: &Table,
        catalog: &Catalog,
    ) -> Result<Self, SourceFault> {
        Ok(Self {
            columns: Columns::find(&Table::default(), None)?,
            record: table.record.unwrap_or(Record::Events),
            clock: Clock::new(table.time, &table.zone)?,
            measures: Measure::all(catalog),
            who: Who::new(spec, catalog),
            sides: Sides::new(table),
            price_shift: shift_of(table.price_divisor, "price_divisor")?,
            size_shift: shift_of(table.size_divisor, "size_divisor")?,
            factors: table.adjust.as_ref().map(Factors::read).transpose()?,
            held: vec![Quote::default(); catalog.instruments().len()],
            pending: None,
            table: table.clone(),
        })
    }

    /// Learns the columns of a file. `record` is what the file says of itself.
    pub(crate) fn begin(
        &mut self,
        header: Option<&[String]>,
        record: Option<Record>,
    ) -> Result<(), SourceFault> {
        self.columns = Columns::find(&self.table, header)?;
        let implied = || self.columns.has(Field::Kind).then_some(Record::Events);
        self.record = self.table.record.or(record).or_else(implied).ok_or_else(|| {
            fault(
                codes::BAD_SPEC,
                "neither the source nor the file says what its rows are",
                "set `record` to quotes, trades, depth, orders or bars in the source",
            )
        })?;
        self.columns.check(&self.table, self.record, header)?;
        if !self.columns.has(Field::Symbol) {
            self.who.unnamed()?;
        }
        Ok(())
    }

    /// The columns of the current file.
    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Makes events of a row.
    pub(crate) fn row<R: Row>(&mut self, row: &R, out: &mut Outlet) -> Result<(), Stop> {
        self.filter(row, out)?;
        let instrument = match self.columns.place(Field::Symbol) {
            None => self.who.unnamed()?,
            Some(at) => match row.cell(at) {
                Cell::Text(name) => self.who.named(name, out)?,
                Cell::Int(number) => self.who.named(number.to_string().as_bytes(), out)?,
                Cell::Unsigned(number) => self.who.named(number.to_string().as_bytes(), out)?,
                other => return Err(self.wrong_type(Field::Symbol, other)),
            },
        };
        let record = match self.record {
            Record::Events => self.kind(row)?,
            record => record,
        };
        let when = self.when(row, record)?;
        let measure = instrument.index();
        let data = match record {
            Record::Quotes => MarketData::Quote(self.quote(row, measure, out)?),
            Record::Trades => MarketData::Trade(self.trade(row, measure, &when, out)?),
            Record::Depth => return self.depth(row, instrument, &when, out),
            Record::Orders => return self.order(row, instrument, &when, out),
            Record::Bars => return self.bar(row, instrument, &when, out),
            Record::Funding => MarketData::Funding(self.rate(row)?),
            Record::Marks => {
                let number = self.need(row, Field::Price, self.price_shift)?;
                let name = self.columns.name(Field::Price);
                MarketData::Mark(out.fit.price(&self.measures[measure], name, number)?)
            }
            Record::Status => {
                let word = self.text(row, Field::Status)?;
                MarketData::Status(words::status(self.columns.name(Field::Status), word)?)
            }
            Record::Events => return Ok(()),
        };
        self.release(None, out)?;
        out.push(event(&when, instrument, data)).map_err(Stop::Fault)
    }

    /// No more rows will come.
    pub(crate) fn finish(&mut self, out: &mut Outlet) -> Result<(), SourceFault> {
        self.release(None, out)
    }

    #[inline]
    fn filter<R: Row>(&self, row: &R, out: &mut Outlet) -> Result<(), Stop> {
        if let Some(wanted) = &self.table.exchange
            && self.text(row, Field::Exchange)? != wanted.as_bytes()
        {
            out.counts.other_exchanges += 1;
            return Err(Stop::Skip);
        }
        if self.columns.has(Field::Suspicious) && self.flag(row, Field::Suspicious)? {
            out.counts.suspicious += 1;
            return Err(Stop::Skip);
        }
        Ok(())
    }

    fn kind<R: Row>(&self, row: &R) -> Result<Record, Stop> {
        let word = self.text(row, Field::Kind)?;
        Ok(match word {
            b"quote" => Record::Quotes,
            b"trade" => Record::Trades,
            b"depth" => Record::Depth,
            b"order" => Record::Orders,
            b"bar" => Record::Bars,
            b"funding" => Record::Funding,
            b"mark" => Record::Marks,
            b"status" => Record::Status,
            _ => {
                let expected = "quote, trade, depth, order, bar, funding, mark or status";
                return Err(words::unknown(self.columns.name(Field::Kind), word, expected).into());
            }
        })
    }

    fn when<R: Row>(&mut self, row: &R, record: Record) -> Result<When, Stop> {
        let stamped_open = record == Record::Bars && self.table.bars.stamp == Stamp::Open;
        let later = if stamped_open { self.span(row)?.nanos() } else { 0 };
        let recv = self.time(row, Field::TsRecv, later)?;
        let event = self.time(row, Field::TsEvent, later)?;
        let missing = || {
            Stop::Fault(fault(
                codes::BAD_TIME,
                format!("`{}` is empty", self.columns.name(Field::TsEvent)),
                "fill in when it happened, or when it was received",
            ))
        };
        // A source that was not told when something happened has only when it was received.
        let event = event.or(recv).ok_or_else(missing)?;
        let recv = recv.unwrap_or(event);
        let day = match self.factors {
            Some(_) => self.clock.date_of(event - Span::from_nanos(later)),
            None => 0,
        };
        if self.columns.has(Field::Flags) && self.flags(row)? & FLAG_SNAPSHOT != 0 {
            // An order of a snapshot carries the time when it was placed, perhaps days ago. It is
            // news at the moment when the snapshot was taken.
            return Ok(When { event: recv, recv, day });
        }
        Ok(When { event, recv, day })
    }

    fn factor(&mut self, when: &When) -> Result<Option<Factor>, Stop> {
        Ok(self.factors.as_mut().map(|factors| factors.on(when.day)).transpose()?)
    }

    fn quote<R: Row>(&mut self, row: &R, measure: usize, out: &mut Outlet) -> Result<Quote, Stop> {
        let mut quote = Quote::default();
        let sides = [(Field::Bid, Field::BidSize), (Field::Ask, Field::AskSize)];
        for (at, (price, size)) in sides.into_iter().enumerate() {
            let number = self.number(row, price, self.price_shift)?;
            let none = |number: &Number| self.table.zero_is_none && number.is_zero();
            let Some(number) = number.filter(|number| !none(number)) else {
                continue;
            };
            let ticks = self.price(price, number, measure, None, out)?;
            let qty = self.sized(row, size, measure, None, out)?;
            if qty.is_zero() {
                return Err(fault(
                    codes::BAD_SIZE,
                    format!("`{}` is zero, but there is a price", self.columns.name(size)),
                    "leave price and size empty where there is no quote",
                )
                .into());
            }
            match at {
                0 => (quote.bid, quote.bid_qty) = (ticks, qty),
                _ => (quote.ask, quote.ask_qty) = (ticks, qty),
            }
        }
        if self.table.hold_sides {
            let held = &mut self.held[measure];
            if quote.bid_qty.is_zero() {
                (quote.bid, quote.bid_qty) = (held.bid, held.bid_qty);
            }
            if quote.ask_qty.is_zero() {
                (quote.ask, quote.ask_qty) = (held.ask, held.ask_qty);
            }
            *held = quote;
        }
        Ok(quote)
    }

    fn trade<R: Row>(
        &mut self,
        row: &R,
        measure: usize,
        when: &When,
        out: &mut Outlet,
    ) -> Result<Trade, Stop> {
        let factor = self.factor(when)?;
        let number = self.need(row, Field::Price, self.price_shift)?;
        let price = self.price(Field::Price, number, measure, factor, out)?;
        let qty = self.sized(row, Field::Size, measure, factor, out)?;
        if qty.is_zero() {
            return Err(out.zero_size());
        }
        let aggressor = self.side(row)?;
        Ok(Trade { price, qty, aggressor, id: self.natural(row, Field::Id)? })
    }

    fn span<R: Row>(&self, row: &R) -> Result<Span, Stop> {
        match (self.columns.has(Field::Span), self.table.bars.span) {
            (true, _) => {
                let nanos = self.natural(row, Field::Span)?;
                let span = i64::try_from(nanos).ok().filter(|nanos| *nanos > 0);
                span.map(Span::from_nanos).ok_or_else(|| {
                    fault(
                        codes::TOO_LARGE,
                        format!("a span of {} ns is impossible", grouped(nanos)),
                        "write the length of the bar in nanoseconds",
                    )
                    .into()
                })
            }
            (false, Some(span)) => Ok(span),
            (false, None) => Ok(Span::ZERO),
        }
    }

    fn bar<R: Row>(
        &mut self,
        row: &R,
        instrument: InstrumentId,
        when: &When,
        out: &mut Outlet,
    ) -> Result<(), Stop> {
        let factor = self.factor(when)?;
        let measure = instrument.index();
        let [bids, asks] = if self.columns.has(Field::BidOpen) {
            [
                self.prices(row, BIDS, measure, factor, out)?,
                self.prices(row, ASKS, measure, factor, out)?,
            ]
        } else {
            let prices = self.prices(row, TRADES, measure, factor, out)?;
            [prices, prices]
        };
        let volume = match (&self.table.bars.emit, Field::Volume) {
            // Quotes have sizes of their own, so nobody asks whether the volume is on the grid.
            (BarEmit::Quotes { .. }, _) => Qty::ZERO,
            (BarEmit::Bars, field) => match self.number(row, field, self.size_shift)? {
                Some(number) => self.size(field, number, measure, factor, out)?,
                None => Qty::ZERO,
            },
        };
        let bar = BarRow { bids, asks, volume, span: self.span(row)? };
        self.release(None, out)?;
        match &self.table.bars.emit {
            BarEmit::Bars => match bar.bar() {
                Some(bar) => {
                    let event = event(when, instrument, MarketData::Bar(bar));
                    out.push(event).map_err(Stop::Fault)
                }
                None => Err(Stop::Skip),
            },
            BarEmit::Quotes { offsets, size } => {
                let number = Number::Large(*size);
                let qty = out.fit.size(&self.measures[measure], "size", number)?;
                let quotes = bars::quotes(&bar, *offsets, qty);
                for (offset, quote) in quotes {
                    let (ts_event, ts_recv) = (when.event + offset, when.recv + offset);
                    let data = MarketData::Quote(quote);
                    out.push(MarketEvent { ts_event, ts_recv, instrument, data })?;
                }
                Ok(())
            }
        }
    }

    /// Open, high, low and close; nothing where a side has none.
    fn prices<R: Row>(
        &self,
        row: &R,
        fields: [Field; 4],
        measure: usize,
        factor: Option<Factor>,
        out: &mut Outlet,
    ) -> Result<Option<[Price; 4]>, Stop> {
        let mut prices = [Price::ZERO; 4];
        for (at, field) in fields.into_iter().enumerate() {
            // One side of a bar of quotes may be empty; then all four prices are.
            let quoted = fields != TRADES;
            let number = match self.number(row, field, self.price_shift)? {
                None if at == 0 && quoted => return Ok(None),
                Some(number) if at == 0 && quoted && number.is_zero() => return Ok(None),
                None => self.need(row, field, 0)?,
                Some(number) => number,
            };
            prices[at] = self.price(field, number, measure, factor, out)?;
        }
        let [open, high, low, close] = prices;
        if high < open.max(close) || low > open.min(close) {
            let show = |at: usize| {
                let number = self.number(row, fields[at], self.price_shift).ok().flatten();
                number.map_or(String::new(), |number| number.decimal().to_string())
            };
            let [open, high, low, close] = [0, 1, 2, 3].map(show);
            return Err(fault(
                codes::BAD_BAR,
                format!("open {open}, close {close} outside of low {low} to high {high}"),
                "check which column is which, or correct the row",
            )
            .why("the high of a bar is its highest price, the low its lowest")
            .into());
        }
        Ok(Some(prices))
    }

    fn rate<R: Row>(&self, row: &R) -> Result<Rate, Stop> {
        let number = self.need(row, Field::Rate, 0)?.decimal();
        let billionths = number.at_scale(Rate::DECIMALS).and_then(|n| i64::try_from(n).ok());
        billionths.map(Rate::from_billionths).ok_or_else(|| {
            fault(
                codes::TOO_LARGE,
                format!("`{}` {number} is not a rate", self.columns.name(Field::Rate)),
                "write a share such as 0.0001, with at most nine decimals",
            )
            .into()
        })
    }
}

fn event(when: &When, instrument: InstrumentId, data: MarketData) -> MarketEvent {
    MarketEvent { ts_event: when.event, ts_recv: when.recv, instrument, data }
}
