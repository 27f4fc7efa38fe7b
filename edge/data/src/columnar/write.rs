//! Writing our schema as Parquet: columns are collected for a group of rows and written together.

use super::SCHEMA_KEY;
use crate::csv::SCHEMA;
use crate::layout::{Value, fields, value};
use crate::spec::{Field, Record};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, FixedLenByteArray, FixedLenByteArrayType, Int64Type,
};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use std::fmt::Write as _;
use std::fs::File;
use std::sync::Arc;
use tse_model::{Catalog, Decimal, MarketEvent};

/// Rows of a group: few enough to stay small in memory.
const GROUP: usize = 64 * 1024;
/// The most decimals of a column that 64 bits hold; beyond it takes 128.
const NARROW_SCALE: u8 = 9;

/// The values of one column of a group.
enum Cells {
    Whole(Vec<i64>),
    Wide(Vec<FixedLenByteArray>),
    Text(Vec<ByteArray>),
    Flag(Vec<bool>),
}

struct Out {
    field: Field,
    cells: Cells,
    /// One for each row: whether it has a value.
    there: Vec<i16>,
}

/// Writes a file.
pub(crate) struct ParquetWriter {
    file: SerializedFileWriter<File>,
    columns: Vec<Out>,
    rows: usize,
    /// Symbol, tick and lot of each instrument.
    units: Vec<(ByteArray, Decimal, Decimal)>,
    price_scale: u8,
    size_scale: u8,
}

fn column(field: Field, price_scale: u8, size_scale: u8) -> (String, Cells) {
    let decimal = |scale: u8| {
        if scale <= NARROW_SCALE {
            (format!("INT64 {{}} (DECIMAL(18,{scale}))"), Cells::Whole(Vec::new()))
        } else {
            let form = format!("FIXED_LEN_BYTE_ARRAY(16) {{}} (DECIMAL(38,{scale}))");
            (form, Cells::Wide(Vec::new()))
        }
    };
    let (form, cells) = match field {
        Field::TsEvent | Field::TsRecv => {
            ("INT64 {} (TIMESTAMP(NANOS,true))".to_owned(), Cells::Whole(Vec::new()))
        }
        Field::Symbol | Field::Kind | Field::Side | Field::Action | Field::Status => {
            ("BYTE_ARRAY {} (STRING)".to_owned(), Cells::Text(Vec::new()))
        }
        Field::Id => ("INT64 {} (INTEGER(64,false))".to_owned(), Cells::Whole(Vec::new())),
        Field::Span => ("INT64 {}".to_owned(), Cells::Whole(Vec::new())),
        Field::Last => ("BOOLEAN {}".to_owned(), Cells::Flag(Vec::new())),
        Field::Rate => decimal(9),
        Field::Size | Field::BidSize | Field::AskSize | Field::Volume => decimal(size_scale),
        _ => decimal(price_scale),
    };
    (form.replace("{}", field.name()), cells)
}

impl ParquetWriter {
    pub(crate) fn new(file: File, record: Record, catalog: &Catalog) -> std::io::Result<Self> {
        let instruments = catalog.instruments();
        let price_scale = instruments.iter().map(|it| it.tick.scale()).max().unwrap_or(0);
        let size_scale = instruments.iter().map(|it| it.lot.scale()).max().unwrap_or(0);
        let mut schema = String::from("message market {\n");
        let mut columns = Vec::new();
        for field in fields(record) {
            let (form, cells) = column(field, price_scale, size_scale);
            let _ = writeln!(schema, "  OPTIONAL {form};");
            columns.push(Out { field, cells, there: Vec::new() });
        }
        schema.push('}');
        let schema = parse_message_type(&schema).map_err(std::io::Error::other)?;
        let said = KeyValue {
            key: SCHEMA_KEY.to_owned(),
            value: Some(format!("{SCHEMA} {}", record.name())),
        };
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_created_by(format!("tse {}", env!("CARGO_PKG_VERSION")))
            .set_key_value_metadata(Some(vec![said]))
            .build();
        let file = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))
            .map_err(std::io::Error::other)?;
        let units = instruments
            .iter()
            .map(|it| (ByteArray::from(it.symbol.to_string().as_str()), it.tick, it.lot))
            .collect();
        Ok(Self { file, columns, rows: 0, units, price_scale, size_scale })
    }

    pub(crate) fn row(&mut self, event: &MarketEvent) -> Result<(), String> {
        let (symbol, tick, lot) = &self.units[event.instrument.index()];
        for column in &mut self.columns {
            let (steps, step, scale) = match value(event, column.field) {
                Value::Nothing => {
                    column.there.push(0);
                    continue;
                }
                Value::Price(price) => (price.get(), *tick, self.price_scale),
                Value::Size(qty) => (qty.get(), *lot, self.size_scale),
                Value::Rate(rate) => (rate.billionths(), Decimal::ONE, 0),
                Value::Nanos(nanos) => (nanos, Decimal::ONE, 0),
                // Numbers above 2^63 keep their bits: the column says that it has no sign.
                Value::Number(number) => (number.cast_signed(), Decimal::ONE, 0),
                Value::Symbol => {
                    column.text(symbol.clone());
                    continue;
                }
                Value::Word(word) => {
                    column.text(ByteArray::from(word));
                    continue;
                }
                Value::Flag(flag) => {
                    column.flag(flag);
                    continue;
                }
            };
            let units = Decimal::whole(steps).checked_mul(step).and_then(|it| it.at_scale(scale));
            let units = units.ok_or("a number needs more than 38 digits")?;
            column.number(units)?;
        }
        self.rows += 1;
        if self.rows == GROUP { self.group() } else { Ok(()) }
    }

    /// Writes the rows collected so far.
    fn group(&mut self) -> Result<(), String> {
        if self.rows == 0 {
            return Ok(());
        }
        let broken = |error: parquet::errors::ParquetError| error.to_string();
        let mut group = self.file.next_row_group().map_err(broken)?;
        for column in &mut self.columns {
            let Some(mut writer) = group.next_column().map_err(broken)? else {
                break;
            };
            column.put(&mut writer).map_err(broken)?;
            writer.close().map_err(broken)?;
        }
        group.close().map_err(broken)?;
        self.rows = 0;
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Result<(), String> {
        self.group()?;
        let file = self.file.into_inner().map_err(|error| error.to_string())?;
        file.sync_all().map_err(|error| error.to_string())
    }
}

impl Out {
    fn text(&mut self, text: ByteArray) {
        if let Cells::Text(cells) = &mut self.cells {
            cells.push(text);
            self.there.push(1);
        }
    }

    fn flag(&mut self, flag: bool) {
        if let Cells::Flag(cells) = &mut self.cells {
            cells.push(flag);
            self.there.push(1);
        }
    }

    fn number(&mut self, number: i128) -> Result<(), String> {
        match &mut self.cells {
            Cells::Whole(cells) => {
                let whole = i64::try_from(number);
                cells.push(whole.map_err(|_| format!("{number} does not fit 64 bits"))?);
            }
            Cells::Wide(cells) => {
                let bytes = ByteArray::from(number.to_be_bytes().to_vec());
                cells.push(FixedLenByteArray::from(bytes));
            }
            Cells::Text(_) | Cells::Flag(_) => return Ok(()),
        }
        self.there.push(1);
        Ok(())
    }

    fn put(&mut self, writer: &mut SerializedColumnWriter<'_>) -> parquet::errors::Result<()> {
        let there = Some(&self.there[..]);
        match &mut self.cells {
            Cells::Whole(cells) => {
                writer.typed::<Int64Type>().write_batch(cells, there, None)?;
                cells.clear();
            }
            Cells::Wide(cells) => {
                writer.typed::<FixedLenByteArrayType>().write_batch(cells, there, None)?;
                cells.clear();
            }
            Cells::Text(cells) => {
                writer.typed::<ByteArrayType>().write_batch(cells, there, None)?;
                cells.clear();
            }
            Cells::Flag(cells) => {
                writer.typed::<BoolType>().write_batch(cells, there, None)?;
                cells.clear();
            }
        }
        self.there.clear();
        Ok(())
    }
}
