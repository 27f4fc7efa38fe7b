//! Tables on disk: Parquet files written row by row in little memory, with exact numbers.
//!
//! A [`Table`] is opened with its columns, fed with [`Cell`]s and closed. Amounts are `DECIMAL`, times
//! are UTC nanoseconds, and the same rows give the same bytes: nothing in the file tells when or where
//! it was written.

use super::fault::Failure;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray,
    FixedLenByteArrayType, Int64Type,
};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows that are held before they are written out, as one group. The file keeps about 800 bytes for
/// each column of each group until it is closed: groups must not be small either.
const ROWS_HELD: usize = 32 * 1024;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Holds {
    /// Nanoseconds since the epoch, UTC.
    Time,
    /// A whole number.
    Int,
    /// An exact decimal with this many places.
    Decimal(u8),
    /// Text.
    Text,
    /// Yes or no.
    Bool,
    /// A ratio.
    Ratio,
}

/// A column: its name, what it holds, and whether a row may leave it empty.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    pub(crate) holds: Holds,
    pub(crate) optional: bool,
}

impl Column {
    /// A column that every row fills.
    pub(crate) const fn of(name: &'static str, holds: Holds) -> Self {
        Self { name, holds, optional: false }
    }

    /// A column that a row may leave empty.
    pub(crate) const fn maybe(name: &'static str, holds: Holds) -> Self {
        Self { name, holds, optional: true }
    }
}

/// One value of a row.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Cell<'a> {
    Empty,
    Int(i64),
    Decimal(i128),
    Text(&'a str),
    Bool(bool),
    Ratio(f64),
}

impl<'a> Cell<'a> {
    /// The value, or an empty cell.
    pub(crate) fn maybe<T>(value: Option<T>, cell: impl FnOnce(T) -> Cell<'a>) -> Cell<'a> {
        value.map_or(Cell::Empty, cell)
    }
}

enum Values {
    Int(Vec<i64>),
    Decimal(Vec<i128>),
    /// Each a number of a name in `Held::names`.
    Text(Vec<usize>),
    Bool(Vec<bool>),
    Ratio(Vec<f64>),
}

struct Held {
    values: Values,
    /// For optional columns: which rows have a value.
    filled: Option<Vec<i16>>,
    /// The texts of this column: few, repeated in every row.
    names: Vec<ByteArray>,
}

/// A Parquet file being written.
pub(crate) struct Table {
    path: PathBuf,
    columns: Vec<Held>,
    rows: usize,
    writer: SerializedFileWriter<File>,
}

impl Table {
    /// Makes the file.
    pub(crate) fn create(path: &Path, columns: &[Column]) -> Result<Self, Failure> {
        let file = File::create(path).map_err(|source| Failure::io("create", path, source))?;
        let schema = schema(columns);
        let schema = parse_message_type(&schema).expect("the schema is made of fixed words");
        let level = ZstdLevel::try_new(1).expect("1 is a level of Zstandard");
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .set_created_by(format!("tse {}", env!("CARGO_PKG_VERSION")));
        // Times and numbers of things rise and hardly repeat: their differences are small.
        for column in columns.iter().filter(|it| matches!(it.holds, Holds::Time | Holds::Int)) {
            let path = ColumnPath::from(column.name);
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
        let properties = properties.build();
        let writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))
            .map_err(|error| Failure::table(path, &error))?;
        let columns = columns.iter().map(Held::new).collect();
        Ok(Self { path: path.to_owned(), columns, rows: 0, writer })
    }

    /// Adds a row: one cell for each column, in their order.
    ///
    /// # Panics
    /// If a cell does not fit its column: rows are written by this crate alone.
    pub(crate) fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), Failure> {
        assert_eq!(cells.len(), self.columns.len(), "a row has a cell for each column");
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.push(cell);
        }
        self.rows += 1;
        if self.rows >= ROWS_HELD { self.flush() } else { Ok(()) }
    }

    /// Writes what is held and ends the file.
    pub(crate) fn close(mut self) -> Result<(), Failure> {
        self.flush()?;
        let Self { path, writer, .. } = self;
        writer.close().map_err(|error| Failure::table(&path, &error))?;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if self.rows == 0 {
            return Ok(());
        }
        self.rows = 0;
        write_group(&mut self.writer, &mut self.columns)
            .map_err(|error| Failure::table(&self.path, &error))
    }
}

fn write_group(
    writer: &mut SerializedFileWriter<File>,
    columns: &mut [Held],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for column in columns {
        let mut chunk = group.next_column()?.expect("the schema has this many columns");
        column.write(&mut chunk)?;
        chunk.close()?;
    }
    group.close()?;
    Ok(())
}

impl Held {
    fn new(column: &Column) -> Self {
        let values = match column.holds {
            Holds::Time | Holds::Int => Values::Int(Vec::new()),
            Holds::Decimal(_) => Values::Decimal(Vec::new()),
            Holds::Text => Values::Text(Vec::new()),
            Holds::Bool => Values::Bool(Vec::new()),
            Holds::Ratio => Values::Ratio(Vec::new()),
        };
        Self { values, filled: column.optional.then(Vec::new), names: Vec::new() }
    }

    fn push(&mut self, cell: &Cell<'_>) {
        if let Some(filled) = &mut self.filled {
            filled.push(i16::from(*cell != Cell::Empty));
        }
        match (&mut self.values, cell) {
            (_, Cell::Empty) => assert!(self.filled.is_some(), "this column is never empty"),
            (Values::Int(values), Cell::Int(n)) => values.push(*n),
            (Values::Decimal(values), Cell::Decimal(n)) => values.push(*n),
            (Values::Text(values), Cell::Text(text)) => {
                let known = self.names.iter().position(|name| name.data() == text.as_bytes());
                values.push(known.unwrap_or_else(|| {
                    self.names.push(ByteArray::from(*text));
                    self.names.len() - 1
                }));
            }
            (Values::Bool(values), Cell::Bool(yes)) => values.push(*yes),
            (Values::Ratio(values), Cell::Ratio(ratio)) => values.push(*ratio),
            (_, cell) => panic!("{cell:?} does not fit its column"),
        }
    }

    fn write(&mut self, chunk: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let filled = self.filled.as_deref();
        match &mut self.values {
            Values::Int(values) => batch::<Int64Type>(chunk, values, filled)?,
            Values::Decimal(values) => {
                // The file remembers the least and the greatest of every group until it is closed. They
                // are given in memory of their own: a view would keep all of the group's alive.
                let own = |value: &i128| ByteArray::from(value.to_be_bytes().to_vec()).into();
                let bounds = (values.iter().min().map(own), values.iter().max().map(own));
                // One piece of memory for all of them, and a view of it for each.
                let bytes: Vec<u8> = values.drain(..).flat_map(i128::to_be_bytes).collect();
                let all = ByteArray::from(bytes);
                let view = |at: usize| all.slice(at * 16, 16).into();
                let views: Vec<_> = (0..all.len() / 16).map(view).collect();
                let (least, greatest): (Option<FixedLenByteArray>, Option<_>) = bounds;
                let writer = chunk.typed::<FixedLenByteArrayType>();
                let (least, greatest) = (least.as_ref(), greatest.as_ref());
                writer.write_batch_with_statistics(&views, filled, None, least, greatest, None)?;
            }
            Values::Text(values) => {
                let mut names = values.drain(..).map(|name| self.names[name].clone()).collect();
                batch::<ByteArrayType>(chunk, &mut names, filled)?;
            }
            Values::Bool(values) => batch::<BoolType>(chunk, values, filled)?,
            Values::Ratio(values) => batch::<DoubleType>(chunk, values, filled)?,
        }
        if let Some(filled) = &mut self.filled {
            filled.clear();
        }
        Ok(())
    }
}

fn batch<T: DataType>(
    chunk: &mut SerializedColumnWriter<'_>,
    values: &mut Vec<T::T>,
    filled: Option<&[i16]>,
) -> Result<(), ParquetError> {
    chunk.typed::<T>().write_batch(values, filled, None)?;
    values.clear();
    Ok(())
}

fn schema(columns: &[Column]) -> String {
    let mut text = String::from("message tse {\n");
    for column in columns {
        let need = if column.optional { "optional" } else { "required" };
        let (physical, meaning) = match column.holds {
            Holds::Time => ("int64", " (TIMESTAMP(NANOS,true))".to_owned()),
            Holds::Int => ("int64", String::new()),
            Holds::Decimal(places) => {
                ("fixed_len_byte_array(16)", format!(" (DECIMAL(38,{places}))"))
            }
            Holds::Text => ("binary", " (STRING)".to_owned()),
            Holds::Bool => ("boolean", String::new()),
            Holds::Ratio => ("double", String::new()),
        };
        text.push_str(&format!("  {need} {physical} {}{meaning};\n", column.name));
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    const COLUMNS: &[Column] = &[
        Column::of("ts", Holds::Time),
        Column::of("symbol", Holds::Text),
        Column::maybe("price", Holds::Decimal(2)),
        Column::of("post_only", Holds::Bool),
    ];

    fn write(path: &Path, rows: i64) {
        let mut table = Table::create(path, COLUMNS).unwrap();
        for at in 0..rows {
            let price = (at % 3 != 0).then_some(-1_234_500 + i128::from(at));
            let cells = [
                Cell::Int(at),
                Cell::Text(if at % 2 == 0 { "A-B.X" } else { "A-B.Y" }),
                Cell::maybe(price, Cell::Decimal),
                Cell::Bool(at % 2 == 0),
            ];
            table.row(&cells).unwrap();
        }
        table.close().unwrap();
    }

    #[test]
    fn what_was_written_is_read_back_exactly_over_several_row_groups() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let rows = 2 * ROWS_HELD as i64 + 5;
        write(&path, rows);
        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        assert_eq!(reader.metadata().num_row_groups(), 3);
        let mut seen = 0;
        for (at, row) in reader.get_row_iter(None).unwrap().enumerate() {
            let row = row.unwrap();
            assert_eq!(row.get_string(1).unwrap(), if at % 2 == 0 { "A-B.X" } else { "A-B.Y" });
            if at % 3 == 0 {
                assert!(row.get_decimal(2).is_err(), "an empty cell is null");
            } else {
                let bytes: [u8; 16] = row.get_decimal(2).unwrap().data().try_into().unwrap();
                assert_eq!(i128::from_be_bytes(bytes), -1_234_500 + at as i128);
            }
            seen += 1;
        }
        assert_eq!(seen, rows);
    }

    /// What this process holds, in KiB.
    #[cfg(target_os = "linux")]
    fn held() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// A group's amounts are 512 KiB a column here: 60 MiB in all, were any of it kept.
    #[test]
    #[cfg(target_os = "linux")]
    fn what_was_written_out_is_not_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.parquet");
        let columns = ["a", "b", "c"].map(|name| Column::of(name, Holds::Decimal(2)));
        let mut table = Table::create(&path, &columns).unwrap();
        let mut before = 0;
        for at in 0..42 * ROWS_HELD as i128 {
            if at == 2 * ROWS_HELD as i128 {
                before = held();
            }
            table.row(&[Cell::Decimal(at), Cell::Decimal(-at), Cell::Decimal(at % 7)]).unwrap();
        }
        let more = held().saturating_sub(before);
        assert!(more < 20 * 1024, "{more} KiB more after 40 groups");
        table.close().unwrap();
    }

    #[test]
    fn the_same_rows_give_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a.parquet"), folder.path().join("b.parquet"));
        write(&a, 40_000);
        write(&b, 40_000);
        assert_eq!(std::fs::read(a).unwrap(), std::fs::read(b).unwrap());
    }
}
