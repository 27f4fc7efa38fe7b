//! Apache Parquet, ours and foreign: rows in columns.
//!
//! Our own files hold the schema `tse.market/1` with typed columns: times as UTC nanoseconds, prices
//! and sizes as exact decimals. Foreign files are read by the same description of columns as text
//! is. Whole numbers, decimals, text, times and yes-or-no are exact; a column of floats is read by
//! the shortest decimal text of each value, which is the number that was meant when it was written.

mod read;
mod write;

pub(crate) use read::ParquetReader;
pub(crate) use write::ParquetWriter;

/// Under this name a file says what schema it has.
const SCHEMA_KEY: &str = "tse.schema";
