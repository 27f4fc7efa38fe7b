//! Readers and writers of market data files.
//!
//! In go files in the formats people have (our own CSV and Parquet, foreign columns, raw Binance and
//! cryptofeed captures, Lean archives, Databento DBN); out come [`MarketEvent`](tse_model::MarketEvent)s
//! in order of time, through the [`Source`](tse_model::Source) that a run reads from. Readers stream:
//! memory does not grow with the data. Numbers go from decimal text to ticks and lots without a float
//! on the way, and what cannot be said exactly is an error with a code, a place and a fix.
//!
//! The crate knows no config file, no engine and no clock. A source is described by a [`SourceSpec`],
//! opened by [`open`], examined by [`check`], and every finding is explained in [`codes`].
//!
//! Begin at [`SourceSpec`] and [`open`]; inside, at `source.rs` (what a reader is) and `outlet.rs`
//! (what happens to events after it). `docs/data-formats.md` describes the files.

mod bars;
pub mod binance;
mod capture;
mod check;
pub mod checksum;
mod clock;
pub mod codes;
mod columnar;
mod columns;
mod csv;
mod cut;
mod databento;
mod factors;
mod fault;
mod grid;
mod input;
mod json;
mod l3;
mod layout;
mod lean;
mod merge;
mod outlet;
mod pair;
mod source;
mod spec;
mod translate;
mod who;
mod words;
mod write;

pub use check::{InstrumentReport, Report, SpreadReport, check};
pub use csv::SCHEMA;
pub use l3::{BookFlaw, OrderBook, Resting};
pub use merge::{Merge, expand};
pub use outlet::Counts;
pub use source::{DataSource, open};
pub use spec::{
    Adjust, BarEmit, BarSpec, BidAskSpec, BinanceSpec, CaptureSpec, CaptureVenue, ClockOffset,
    Column, Crossed, CsvSpec, DatabentoSpec, Date, Field, Format, Kinds, LeanData, LeanMarket,
    LeanResolution, LeanSpec, OffGrid, OnBad, Order, Record, SourceSpec, Stamp, Table, TimeFormat,
    Zone,
};
pub use write::{Writer, write};
