//! Reading Parquet: the needed columns of a few thousand rows at a time.

use super::SCHEMA_KEY;
use crate::codes;
use crate::columns::{Cell, Row};
use crate::csv::parse_schema;
use crate::fault::{Faulty, fault};
use crate::input::{Progress, Spot, open_file};
use crate::outlet::Outlet;
use crate::source::Reader;
use crate::spec::{Date, Record, SourceSpec, Table, TimeFormat};
use crate::translate::Translator;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use tse_model::{Catalog, Decimal, SourceFault};

/// Rows that are unpacked at once.
const BATCH: usize = 4_096;

/// How the values of a column are to be understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Sense {
    Whole,
    Unsigned,
    Decimal(u8),
    /// Nanoseconds in one of its units, and whether it counts from 1970 in UTC.
    Time(i64, bool),
    Text,
    Flag,
}

/// Values of one column of a batch.
enum Values {
    Bool(Vec<bool>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
    /// Floats, as the shortest text of each.
    Written(Vec<String>),
}

struct Loaded {
    reader: ColumnReader,
    sense: Sense,
    values: Values,
    /// For each row its place among the values, or none.
    places: Vec<u32>,
}

const NOTHING: u32 = u32::MAX;

/// The row of a batch.
struct At<'a> {
    columns: &'a [Option<Loaded>],
    row: usize,
}

impl Row for At<'_> {
    fn cell(&self, column: usize) -> Cell<'_> {
        match self.columns.get(column) {
            Some(Some(loaded)) => loaded.cell(self.row),
            _ => Cell::Text(b""),
        }
    }
}

struct Open {
    reader: SerializedFileReader<File>,
    group: usize,
    columns: Vec<Option<Loaded>>,
    /// Rows unpacked, and how many of them have been given.
    rows: usize,
    given: usize,
}

/// Reads files.
pub(crate) struct ParquetReader {
    paths: std::vec::IntoIter<PathBuf>,
    table: Table,
    translator: Translator,
    file: Option<Open>,
    progress: Progress,
    sizes: Vec<u64>,
}

impl ParquetReader {
    pub(crate) fn new(
        spec: &SourceSpec,
        table: &Table,
        catalog: &Catalog,
    ) -> Result<Self, SourceFault> {
        Ok(Self {
            paths: spec.paths.clone().into_iter(),
            table: table.clone(),
            translator: Translator::new(spec, table, catalog)?,
            file: None,
            progress: Progress::of(&spec.paths),
            sizes: Vec::new(),
        })
    }

    fn next_file(&mut self, out: &mut Outlet) -> Result<bool, SourceFault> {
        let Some(path) = self.paths.next() else {
            self.translator.finish(out)?;
            return Ok(false);
        };
        out.spot = Spot { file: path.display().to_string().into(), number: 0, unit: "row" };
        let reader = open(&path)?;
        let metadata = reader.metadata().file_metadata();
        let said = metadata.key_value_metadata().and_then(|pairs| {
            let pair = pairs.iter().find(|pair| pair.key == SCHEMA_KEY)?;
            pair.value.clone()
        });
        let record: Option<Record> = said.map(|said| parse_schema(&said)).transpose()?;
        if self.table.time == TimeFormat::MillisOfDay
            && let Some(date) = self.table.date.or_else(|| Date::from_file_name(&path))
        {
            self.translator.clock.set_date(date);
        }
        let schema = metadata.schema_descr_ptr();
        let names: Vec<String> =
            schema.columns().iter().map(|column| column.path().string()).collect();
        self.translator.begin(Some(&names), record)?;
        let groups = reader.metadata().row_groups();
        self.sizes =
            groups.iter().map(|group| group.compressed_size().unsigned_abs()).rev().collect();
        self.file = Some(Open { reader, group: 0, columns: Vec::new(), rows: 0, given: 0 });
        Ok(true)
    }

    /// Unpacks the next rows. False at the end of the file.
    fn load(&mut self) -> Result<bool, SourceFault> {
        let Some(file) = &mut self.file else {
            return Ok(false);
        };
        loop {
            if !file.columns.is_empty() {
                let mut rows = None;
                for loaded in file.columns.iter_mut().flatten() {
                    let count = guarded(|| loaded.load(BATCH))?;
                    if *rows.get_or_insert(count) != count {
                        let what = "the columns of the file have different lengths";
                        return Err(fault(codes::BAD_RECORD, what, "write the file again"));
                    }
                }
                if let Some(rows @ 1..) = rows {
                    (file.rows, file.given) = (rows, 0);
                    return Ok(true);
                }
                file.columns.clear();
                file.group += 1;
                self.progress.add(self.sizes.pop().unwrap_or(0));
            }
            if file.group >= file.reader.num_row_groups() {
                self.file = None;
                return Ok(false);
            }
            let group = guarded(|| file.reader.get_row_group(file.group))?;
            let schema = file.reader.metadata().file_metadata().schema_descr_ptr();
            file.columns = (0..schema.num_columns()).map(|_| None).collect();
            for at in self.translator.columns().all() {
                let sense = sense(&schema.column(at))?;
                let reader = guarded(|| group.get_column_reader(at))?;
                let places = Vec::with_capacity(BATCH);
                let values = Values::for_reader(&reader);
                file.columns[at] = Some(Loaded { reader, sense, values, places });
            }
        }
    }
}

impl Reader for ParquetReader {
    fn read(&mut self, out: &mut Outlet) -> Result<bool, SourceFault> {
        if self.file.is_none() {
            return self.next_file(out);
        }
        if self.load()? {
            let file = self.file.as_mut().expect("rows were just unpacked from it");
            for row in 0..file.rows {
                if !out.take_row() {
                    self.translator.finish(out)?;
                    return Ok(false);
                }
                out.spot.number += 1;
                let done = self.translator.row(&At { columns: &file.columns, row }, out);
                out.settle(done)?;
            }
            out.sort();
        }
        Ok(true)
    }

    fn progress(&self) -> Option<u32> {
        self.progress.millionths()
    }
}

/// Opens a file whose directory stands at its end.
fn open(path: &Path) -> Result<SerializedFileReader<File>, SourceFault> {
    let mut file = open_file(path)?;
    let (mut head, mut tail) = ([0; 4], [0; 4]);
    let begins = file.read_exact(&mut head).is_ok();
    if !begins && head == [0; 4] {
        return Err(crate::csv::empty());
    }
    let ends = file.seek(SeekFrom::End(-4)).is_ok() && file.read_exact(&mut tail).is_ok();
    let length = file.metadata().map_or(0, |data| i64::try_from(data.len()).unwrap_or(i64::MAX));
    if head != *b"PAR1" {
        return Err(fault(
            codes::WRONG_FORMAT,
            "this is not Apache Parquet: it does not begin with `PAR1`",
            "set the source's `format` to what the file is",
        ));
    }
    if !ends || tail != *b"PAR1" {
        return Err(fault(
            codes::CUT_OFF,
            "the file is cut off: its directory, which stands at its end, is missing",
            "fetch or write the file again",
        ));
    }
    let reader = guarded(|| SerializedFileReader::new(file))?;
    let groups = reader.metadata().row_groups();
    let begins = |at: i64| (4..=length).contains(&at);
    let sound = groups.iter().flat_map(|group| group.columns()).all(|column| {
        let end = column.data_page_offset().checked_add(column.compressed_size());
        column.compressed_size() >= 0
            && column.num_values() >= 0
            && begins(column.data_page_offset())
            && column.dictionary_page_offset().is_none_or(begins)
            && end.is_some_and(|end| end <= length + column.compressed_size())
    });
    if !sound {
        let what = "the directory of the file points outside of it";
        return Err(fault(codes::BAD_RECORD, what, FIX));
    }
    Ok(reader)
}

/// The result of a step of unpacking. The library asserts where it could answer: on damaged files it
/// may panic, which here is one more way of saying that a file is damaged.
fn guarded<T>(step: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, SourceFault> {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(step)) {
        Ok(result) => result.map_err(|error| unreadable(&error)),
        Err(_) => Err(fault(codes::BAD_RECORD, "the file is damaged", FIX)),
    }
}

#[cold]
fn unreadable(error: &ParquetError) -> SourceFault {
    fault(codes::BAD_RECORD, "the file is damaged, or packed in a way that is not known", FIX)
        .why(error.to_string())
}

const FIX: &str = "fetch or write the file again, packed with zstd, snappy or not at all";

/// How the values of a column are to be understood.
fn sense(column: &ColumnDescriptor) -> Result<Sense, SourceFault> {
    let wrong = || {
        fault(
            codes::COLUMN_TYPE,
            format!("`{}` holds lists or values of a kind that cannot be read", column.name()),
            "write it as a number, a decimal, text or a time",
        )
    };
    if column.max_rep_level() > 0 || column.max_def_level() > 1 {
        return Err(wrong());
    }
    let decimal = |scale: i32| u8::try_from(scale).map(Sense::Decimal).map_err(|_| wrong());
    match column.logical_type_ref() {
        Some(LogicalType::Decimal(decimals)) => return decimal(decimals.scale),
        Some(LogicalType::Timestamp(time)) => {
            let unit = match time.unit {
                TimeUnit::MILLIS => 1_000_000,
                TimeUnit::MICROS => 1_000,
                TimeUnit::NANOS => 1,
            };
            return Ok(Sense::Time(unit, time.is_adjusted_to_u_t_c));
        }
        Some(LogicalType::Date) => return Ok(Sense::Time(86_400_000_000_000, false)),
        Some(LogicalType::Integer(integer)) if !integer.is_signed => return Ok(Sense::Unsigned),
        _ => {}
    }
    match (column.converted_type(), column.physical_type()) {
        (ConvertedType::DECIMAL, _) => decimal(column.type_scale()),
        (ConvertedType::TIMESTAMP_MILLIS, _) => Ok(Sense::Time(1_000_000, true)),
        (ConvertedType::TIMESTAMP_MICROS, _) => Ok(Sense::Time(1_000, true)),
        (ConvertedType::UINT_64 | ConvertedType::UINT_32, _) => Ok(Sense::Unsigned),
        (_, Type::BOOLEAN) => Ok(Sense::Flag),
        (_, Type::INT32 | Type::INT64) => Ok(Sense::Whole),
        (_, Type::FLOAT | Type::DOUBLE | Type::BYTE_ARRAY) => Ok(Sense::Text),
        (_, Type::INT96 | Type::FIXED_LEN_BYTE_ARRAY) => Err(wrong()),
    }
}

impl Values {
    fn for_reader(reader: &ColumnReader) -> Self {
        match reader {
            ColumnReader::BoolColumnReader(_) => Self::Bool(Vec::new()),
            ColumnReader::Int32ColumnReader(_) => Self::I32(Vec::new()),
            ColumnReader::Int64ColumnReader(_) => Self::I64(Vec::new()),
            ColumnReader::ByteArrayColumnReader(_) => Self::Bytes(Vec::new()),
            ColumnReader::FixedLenByteArrayColumnReader(_) => Self::Fixed(Vec::new()),
            _ => Self::Written(Vec::new()),
        }
    }
}

/// Reads rows of a column; `places` says for each where its value is.
fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    values: &mut Vec<T::T>,
    places: &mut Vec<u32>,
) -> Result<usize, ParquetError> {
    values.clear();
    places.clear();
    let mut levels: Vec<i16> = Vec::with_capacity(rows);
    let (mut records, mut filled) = (0, 0);
    while records < rows {
        let before = levels.len();
        let (read, count, _) =
            reader.read_records(rows - records, Some(&mut levels), None, values)?;
        if read == 0 {
            break;
        }
        records += read;
        filled += count;
        // A column in which nothing may be missing has no levels.
        levels.resize(before + read, 1);
    }
    let mut next = 0;
    places.extend(levels.iter().map(|level| {
        let there = *level > 0;
        next += u32::from(there);
        if there { next - 1 } else { NOTHING }
    }));
    debug_assert_eq!(filled, next as usize, "as many values as rows that have one");
    Ok(records)
}

impl Loaded {
    fn load(&mut self, rows: usize) -> Result<usize, ParquetError> {
        let places = &mut self.places;
        match (&mut self.reader, &mut self.values) {
            (ColumnReader::BoolColumnReader(it), Values::Bool(to)) => read(it, rows, to, places),
            (ColumnReader::Int32ColumnReader(it), Values::I32(to)) => read(it, rows, to, places),
            (ColumnReader::Int64ColumnReader(it), Values::I64(to)) => read(it, rows, to, places),
            (ColumnReader::ByteArrayColumnReader(it), Values::Bytes(to)) => {
                read(it, rows, to, places)
            }
            (ColumnReader::FixedLenByteArrayColumnReader(it), Values::Fixed(to)) => {
                read(it, rows, to, places)
            }
            (ColumnReader::FloatColumnReader(it), Values::Written(to)) => {
                let mut floats = Vec::new();
                let count = read(it, rows, &mut floats, places)?;
                *to = floats.iter().map(f32::to_string).collect();
                Ok(count)
            }
            (ColumnReader::DoubleColumnReader(it), Values::Written(to)) => {
                let mut floats = Vec::new();
                let count = read(it, rows, &mut floats, places)?;
                *to = floats.iter().map(f64::to_string).collect();
                Ok(count)
            }
            _ => Ok(0),
        }
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        let place = match self.places.get(row) {
            Some(place) if *place != NOTHING => *place as usize,
            _ => return Cell::Text(b""),
        };
        match &self.values {
            Values::Bool(values) => Cell::Bool(values[place]),
            Values::I32(values) => self.whole(i64::from(values[place]), true),
            Values::I64(values) => self.whole(values[place], false),
            Values::Bytes(values) => match self.sense {
                Sense::Decimal(scale) => big_endian(values[place].data(), scale),
                _ => Cell::Text(values[place].data()),
            },
            Values::Fixed(values) => match self.sense {
                Sense::Decimal(scale) => big_endian(values[place].data(), scale),
                _ => Cell::Text(b""),
            },
            Values::Written(values) => Cell::Text(values[place].as_bytes()),
        }
    }

    fn whole(&self, value: i64, narrow: bool) -> Cell<'_> {
        match self.sense {
            Sense::Decimal(scale) => match Decimal::new(value.into(), scale) {
                Some(value) => Cell::Decimal(value),
                None => Cell::Text(b"out of range"),
            },
            Sense::Time(unit, utc) => match value.checked_mul(unit) {
                Some(nanos) if utc => Cell::Moment(nanos),
                Some(nanos) => Cell::Local(nanos),
                None => Cell::Text(b"out of range"),
            },
            Sense::Unsigned => {
                let bits = if narrow { u64::from(value as u32) } else { value.cast_unsigned() };
                Cell::Unsigned(bits)
            }
            Sense::Whole | Sense::Text | Sense::Flag => Cell::Int(value),
        }
    }
}

/// A decimal of any length, most significant byte first.
fn big_endian(bytes: &[u8], scale: u8) -> Cell<'static> {
    let mut wide = [if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { 0xff } else { 0 }; 16];
    let value = match bytes.len() {
        0..=16 => {
            wide[16 - bytes.len()..].copy_from_slice(bytes);
            Decimal::new(i128::from_be_bytes(wide), scale)
        }
        _ => None,
    };
    match value {
        Some(value) => Cell::Decimal(value),
        None => Cell::Text(b"out of range"),
    }
}
