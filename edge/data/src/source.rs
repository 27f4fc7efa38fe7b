//! Opening a source: the reader for its format behind one [`DataSource`].

use crate::binance::BinanceReader;
use crate::capture::CaptureReader;
use crate::codes;
use crate::columnar::ParquetReader;
use crate::csv::CsvReader;
use crate::databento::DatabentoReader;
use crate::fault::{Faulty, fault};
use crate::outlet::{Counts, Habits, Outlet};
use crate::pair::PairReader;
use crate::spec::{Crossed, Format, OnBad, Order, SourceSpec};
use tse_model::{Catalog, MarketEvent, Source, SourceFault, Span};

/// A format's way of reading. It gives events to the outlet and knows nothing of what comes after.
pub(crate) trait Reader {
    /// Reads some more. False at the end.
    fn read(&mut self, out: &mut Outlet) -> Result<bool, SourceFault>;
    /// How much of the files has been read, in millionths.
    fn progress(&self) -> Option<u32> {
        None
    }
}

/// Market data from files.
pub struct DataSource {
    reader: Box<dyn Reader>,
    outlet: Outlet,
    name: String,
    given: u64,
    ended: bool,
}

/// Opens a source.
///
/// # Errors
/// When the description contradicts itself or the first file cannot be read.
pub fn open(spec: &SourceSpec, catalog: &Catalog) -> Result<Box<dyn Source>, SourceFault> {
    Ok(Box::new(DataSource::open(spec, catalog)?))
}

impl DataSource {
    /// Opens a source as itself, to ask it for its counts.
    ///
    /// # Errors
    /// When the description contradicts itself or a file does not exist.
    pub fn open(spec: &SourceSpec, catalog: &Catalog) -> Result<Self, SourceFault> {
        let Some(first) = spec.paths.first() else {
            let found = fault(codes::BAD_SPEC, "the source has no files", "set `path`");
            return Err(found.at("source"));
        };
        let name = first.display().to_string();
        // Every missing file is better known before the first is read than after an hour.
        for path in &spec.paths {
            crate::input::open_file(path)?;
        }
        let (reader, habits) = reader(spec, catalog).map_err(|found| found.at(&name))?;
        let outlet = Outlet::new(spec, habits, catalog);
        Ok(Self { reader, outlet, name, given: 0, ended: false })
    }

    /// What was read and left out so far.
    pub fn counts(&self) -> Counts {
        self.outlet.counts()
    }

    /// The first file.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn outlet(&mut self) -> &mut Outlet {
        &mut self.outlet
    }

    fn step(&mut self) -> Result<(), SourceFault> {
        if self.reader.read(&mut self.outlet).map_err(|found| found.at(&self.outlet.spot))? {
            return Ok(());
        }
        self.ended = true;
        self.outlet.finish();
        if self.given == 0 && self.outlet.ready.is_empty() && !self.outlet.has_found() {
            return self.nothing();
        }
        Ok(())
    }

    fn nothing(&mut self) -> Result<(), SourceFault> {
        let counts = self.counts();
        let (what, fix) = if counts.rows == 0 {
            ("there are no rows", "check that this is the file that was meant")
        } else if counts.out_of_range > 0 {
            (
                "no row lies between `from` and `to`",
                "check the range, and the time zone of the file",
            )
        } else {
            (
                "there are rows, but none that gives an event",
                "check `record`, `kinds` and `symbols`",
            )
        };
        self.outlet.spot.number = 0;
        self.outlet.refuse(fault(codes::EMPTY, what, fix).at(&self.name))
    }
}

impl Source for DataSource {
    fn read(&mut self, batch: &mut Vec<MarketEvent>) -> Result<(), SourceFault> {
        // Events go straight into the caller's vector.
        std::mem::swap(&mut self.outlet.ready, batch);
        let before = self.outlet.ready.len();
        let mut result = Ok(());
        while result.is_ok() && !self.ended && self.outlet.ready.len() == before {
            result = self.step();
        }
        if result.is_err() {
            self.ended = true;
        }
        self.given += (self.outlet.ready.len() - before) as u64;
        std::mem::swap(&mut self.outlet.ready, batch);
        result
    }

    fn progress(&self) -> Option<u32> {
        if self.ended { Some(1_000_000) } else { self.reader.progress() }
    }
}

/// Files that somebody prepared: a mistake in them is an error.
const PREPARED: Habits = Habits {
    order: Order::Error,
    crossed: Crossed::Error,
    zero_size: OnBad::Error,
    unknown_symbols: OnBad::Error,
};

/// Files of a vendor: in order of time, but with odd rows, which are left out and counted.
const VENDOR: Habits = Habits {
    order: Order::Error,
    crossed: Crossed::Skip,
    zero_size: OnBad::Skip,
    unknown_symbols: OnBad::Error,
};

/// Streams of a vendor in the order in which they were sent.
const STREAMED: Habits = Habits {
    order: Order::Clamp,
    crossed: Crossed::Skip,
    zero_size: OnBad::Skip,
    unknown_symbols: OnBad::Error,
};

/// Streams that somebody recorded: odd rows are left out and counted, and streams put in order.
const CAPTURED: Habits = Habits {
    order: REORDER,
    crossed: Crossed::Skip,
    zero_size: OnBad::Skip,
    unknown_symbols: OnBad::Error,
};

type Opened = (Box<dyn Reader>, Habits);

fn reader(spec: &SourceSpec, catalog: &Catalog) -> Result<Opened, SourceFault> {
    Ok(match &spec.format {
        Format::Csv(csv) => (Box::new(CsvReader::new(spec, csv, catalog)?), PREPARED),
        Format::BinanceRaw(binance) => {
            (Box::new(BinanceReader::new(spec, binance.clock, catalog)?), CAPTURED)
        }
        Format::Lean(lean) => (Box::new(CsvReader::new(spec, &lean.to_csv(), catalog)?), VENDOR),
        Format::Databento(databento) => {
            (Box::new(DatabentoReader::new(spec, databento, catalog)), STREAMED)
        }
        Format::Cryptofeed(capture) => {
            let habits = Habits { unknown_symbols: OnBad::Skip, ..CAPTURED };
            (Box::new(CaptureReader::new(spec, capture, catalog)?), habits)
        }
        Format::Parquet(table) => (Box::new(ParquetReader::new(spec, table, catalog)?), PREPARED),
        Format::BidAskBars(pair) => {
            (Box::new(PairReader::new(spec, pair, PREPARED, catalog)?), PREPARED)
        }
    })
}

/// How long captures of several streams are held back to be put in order. The largest delay in
/// recorded Binance streams is 186 ms.
pub(crate) const REORDER: Order = Order::Reorder(Span::from_millis(250));
