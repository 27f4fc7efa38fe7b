//! Bars of bids and bars of asks, each in files of their own, made into quotes.
//!
//! The two are read side by side. Bars that end at the same time are a pair and give four quotes; a
//! bar without its partner is an error, or is left out and counted where the source says so.

use crate::bars::{self, BarRow};
use crate::codes;
use crate::csv::CsvReader;
use crate::fault::{Faulty, fault};
use crate::grid::{Measure, Number, Stop};
use crate::outlet::{Habits, Outlet};
use crate::source::Reader;
use crate::spec::{BarEmit, BidAskSpec, Kinds, OnBad, SourceSpec};
use std::collections::VecDeque;
use tse_model::{
    Bar, Catalog, Decimal, InstrumentId, MarketData, MarketEvent, SourceFault, Span, Timestamp,
};

/// One of the two.
struct Side {
    reader: CsvReader,
    outlet: Outlet,
    bars: VecDeque<(Timestamp, Timestamp, InstrumentId, Bar)>,
    more: bool,
    name: &'static str,
    file: String,
}

/// Reads both.
pub(crate) struct PairReader {
    bids: Side,
    asks: Side,
    unmatched: OnBad,
    offsets: [Span; 4],
    size: Decimal,
    measures: Vec<Measure>,
}

impl Side {
    fn open(
        spec: &SourceSpec,
        pair: &BidAskSpec,
        asks: bool,
        habits: Habits,
        catalog: &Catalog,
    ) -> Result<Self, SourceFault> {
        let mut own = SourceSpec { kinds: Kinds::BARS, ..spec.clone() };
        (own.from, own.to, own.rows_max) = (None, None, None);
        if asks {
            own.paths.clone_from(&pair.asks);
        }
        let mut csv = pair.csv.clone();
        csv.table.bars.emit = BarEmit::Bars;
        let Some(first) = own.paths.first() else {
            let found = fault(codes::BAD_SPEC, "the source has no bars of asks", "set `ask_path`");
            return Err(found);
        };
        Ok(Self {
            file: first.display().to_string(),
            reader: CsvReader::new(&own, &csv, catalog)?,
            outlet: Outlet::new(&own, habits, catalog),
            bars: VecDeque::new(),
            more: true,
            name: if asks { "ask" } else { "bid" },
        })
    }

    /// Reads on until there is a bar, or no more. Findings go to the source's own outlet.
    fn fill(&mut self, out: &mut Outlet) -> Result<(), SourceFault> {
        while self.bars.is_empty() && self.more {
            // One line at a time, so that a finding about a pair knows its row.
            match self.reader.turn(1, &mut self.outlet) {
                Ok(more) => self.more = more,
                Err(found) => out.refuse(found.at(&self.outlet.spot))?,
            }
            if !self.more {
                self.outlet.finish();
            }
            for event in self.outlet.ready.drain(..) {
                if let MarketData::Bar(bar) = event.data {
                    self.bars.push_back((event.ts_event, event.ts_recv, event.instrument, bar));
                }
            }
        }
        Ok(())
    }

    fn alone(&mut self, at: Timestamp, policy: OnBad, out: &mut Outlet) -> Result<(), SourceFault> {
        self.bars.pop_front();
        if policy == OnBad::Skip {
            out.counts.unmatched += 1;
            return Ok(());
        }
        let other = if self.name == "bid" { "ask" } else { "bid" };
        out.refuse(
            fault(
                codes::BARS_DIFFER,
                format!("the {} bar that ends {at} has no {other} bar", self.name),
                "use files of the same stretch, or set `unmatched` to \"skip\" in the source",
            )
            .at(format!("{}: {at}", self.file)),
        )
    }
}

impl PairReader {
    pub(crate) fn new(
        spec: &SourceSpec,
        pair: &BidAskSpec,
        habits: Habits,
        catalog: &Catalog,
    ) -> Result<Self, SourceFault> {
        let BarEmit::Quotes { offsets, size } = pair.csv.table.bars.emit.clone() else {
            return Err(fault(
                codes::BAD_SPEC,
                "bars of bids and asks can only become quotes, and the source does not say how",
                "set `bars.emit` to \"quotes\", and `bars.size`",
            ));
        };
        bars::check_offsets(&offsets, pair.csv.table.bars.span, size)?;
        for path in &pair.asks {
            crate::input::open_file(path)?;
        }
        Ok(Self {
            bids: Side::open(spec, pair, false, habits, catalog)?,
            asks: Side::open(spec, pair, true, habits, catalog)?,
            unmatched: pair.unmatched,
            offsets,
            size,
            measures: Measure::all(catalog),
        })
    }

    fn pair(&mut self, out: &mut Outlet) -> Result<(), Stop> {
        let (Some(bid), Some(ask)) = (self.bids.bars.pop_front(), self.asks.bars.pop_front())
        else {
            return Ok(());
        };
        let (ts_event, recv_bid, instrument, bid) = bid;
        let (_, recv_ask, _, ask) = ask;
        let prices = |bar: Bar| Some([bar.open, bar.high, bar.low, bar.close]);
        let row =
            BarRow { bids: prices(bid), asks: prices(ask), volume: bid.volume, span: bid.span };
        let number = Number::of(self.size);
        let size = out.fit.size(&self.measures[instrument.index()], "size", number)?;
        let recv = recv_bid.max(recv_ask);
        for (offset, quote) in bars::quotes(&row, self.offsets, size) {
            let data = MarketData::Quote(quote);
            let (ts_event, ts_recv) = (ts_event + offset, recv + offset);
            out.push(MarketEvent { ts_event, ts_recv, instrument, data })?;
        }
        Ok(())
    }
}

impl Reader for PairReader {
    fn read(&mut self, out: &mut Outlet) -> Result<bool, SourceFault> {
        for _ in 0..256 {
            self.bids.fill(out)?;
            self.asks.fill(out)?;
            let key = |side: &Side| side.bars.front().map(|bar| (bar.0, bar.2));
            match (key(&self.bids), key(&self.asks)) {
                (None, None) => return Ok(false),
                (Some(bid), ask) if ask.is_none_or(|ask| bid < ask) => {
                    self.bids.alone(bid.0, self.unmatched, out)?;
                }
                (bid, Some(ask)) if bid.is_none_or(|bid| ask < bid) => {
                    self.asks.alone(ask.0, self.unmatched, out)?;
                }
                _ => {
                    if !out.take_row() {
                        return Ok(false);
                    }
                    out.spot = self.bids.outlet.spot.clone();
                    let done = self.pair(out);
                    out.settle(done)?;
                }
            }
        }
        Ok(true)
    }

    fn progress(&self) -> Option<u32> {
        self.bids.reader.progress()
    }
}
