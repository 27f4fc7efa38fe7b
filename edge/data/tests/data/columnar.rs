//! Foreign Parquet files.

use crate::common::define;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type,
};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use tse_data::{Column, Field, Format, Record, SourceSpec, Table, TimeFormat, Zone, check, codes};
use tse_model::{Catalog, Kind, MarketData, Side};

/// Writes the next column of a group.
fn put<T: DataType>(
    rows: &mut SerializedRowGroupWriter<'_, File>,
    values: &[T::T],
    there: Option<&[i16]>,
    repeated: Option<&[i16]>,
) {
    let mut column = rows.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, there, repeated).unwrap();
    column.close().unwrap();
}

/// Trades as another program may write them, in two groups of rows.
fn foreign(path: &Path, prices: [f64; 4]) {
    let schema = "message foreign {
        REQUIRED INT64 when (TIMESTAMP(MILLIS,false));
        OPTIONAL DOUBLE px;
        REQUIRED INT32 amount (DECIMAL(9,3));
        OPTIONAL BYTE_ARRAY pair (STRING);
        REQUIRED BOOLEAN maker;
        OPTIONAL INT64 number;
        OPTIONAL group legs (LIST) { REPEATED group list { OPTIONAL INT32 element; } }
    }";
    let file = File::create(path).unwrap();
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = Arc::new(WriterProperties::builder().build());
    let mut writer = SerializedFileWriter::new(file, schema, properties).unwrap();
    for group in 0..2 {
        let base = 1_714_978_800_000 + group * 1_000;
        let prices = &prices[group as usize * 2..][..2];
        let mut rows = writer.next_row_group().unwrap();
        let (all, none) = (Some(&[1i16, 1][..]), Some(&[0i16, 0][..]));
        put::<Int64Type>(&mut rows, &[base, base + 250], None, None);
        put::<DoubleType>(&mut rows, prices, all, None);
        put::<Int32Type>(&mut rows, &[1_500, 2], None, None);
        let names = [ByteArray::from("XBT"), ByteArray::from("ethusdt")];
        put::<ByteArrayType>(&mut rows, &names, all, None);
        put::<BoolType>(&mut rows, &[true, false], None, None);
        // The second number of each group is missing.
        put::<Int64Type>(&mut rows, &[77], Some(&[1, 0]), None);
        put::<Int32Type>(&mut rows, &[], none, none);
        rows.close().unwrap();
    }
    writer.close().unwrap();
}

fn source(path: &Path, catalog: &mut Catalog) -> SourceSpec {
    let btc = define(catalog, "BTC-USDT.BINANCE", Kind::Spot, "0.1", "0.001");
    define(catalog, "ETH-USDT.BINANCE", Kind::Spot, "0.1", "0.001");
    let named = |field, name: &str| (field, Column::Name(name.to_owned()));
    let table = Table {
        record: Some(Record::Trades),
        columns: vec![
            named(Field::TsEvent, "when"),
            named(Field::Price, "px"),
            named(Field::Size, "amount"),
            named(Field::Symbol, "pair"),
            named(Field::Side, "maker"),
            named(Field::Id, "number"),
        ],
        time: TimeFormat::Any,
        zone: Zone::Fixed(3_600),
        buy_words: vec!["false".into()],
        sell_words: vec!["true".into()],
        ..Table::default()
    };
    let mut spec = SourceSpec::new(Format::Parquet(table), [path]);
    spec.symbols = vec![("XBT".into(), btc)];
    spec
}

#[test]
fn foreign_columns_of_any_type_are_read_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foreign.parquet");
    foreign(&path, [43_000.1, 2_300.3, 43_000.2, 2_300.4]);
    let mut catalog = Catalog::new();
    let spec = source(&path, &mut catalog);
    let found = crate::common::events(&spec, &catalog);
    let trades: Vec<_> = found
        .iter()
        .map(|event| match event.data {
            MarketData::Trade(it) => (it.price.get(), it.qty.get(), it.aggressor.unwrap(), it.id),
            _ => panic!("only trades"),
        })
        .collect();
    // 0.1 + 0.2 and their like are no numbers of this file: 43000.1 is what was meant.
    let first = [(430_001, 1_500, Side::Sell, 77), (23_003, 2, Side::Buy, 0)];
    let second = [(430_002, 1_500, Side::Sell, 77), (23_004, 2, Side::Buy, 0)];
    assert_eq!(trades, [first, second].concat());
    assert_eq!(found[0].ts_event.to_string(), "2024-05-06T06:00:00.000000000Z");
    assert_eq!((found[0].instrument.0, found[1].instrument.0), (0, 1));
}

#[test]
fn what_cannot_be_read_is_told_with_its_row_or_column() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foreign.parquet");
    foreign(&path, [43_000.1, f64::NAN, 43_000.25, -1.0]);
    let mut catalog = Catalog::new();
    let mut spec = source(&path, &mut catalog);
    let problems = check(&spec, &catalog).problems;
    let found: Vec<_> = problems.iter().map(|it| (it.code, it.place.rsplit(": ").next())).collect();
    assert_eq!(
        found,
        [
            (codes::NOT_FINITE, Some("row 2")),
            (codes::OFF_TICK, Some("row 3")),
            (codes::BAD_PRICE, Some("row 4"))
        ]
    );
    let Format::Parquet(table) = &mut spec.format else { panic!() };
    table.columns[4] = (Field::Side, Column::Name("legs.list.element".into()));
    let nested = check(&spec, &catalog).problems.remove(0);
    assert_eq!(nested.code, codes::COLUMN_TYPE);
    let Format::Parquet(table) = &mut spec.format else { panic!() };
    table.columns[4] = (Field::Side, Column::Name("px".into()));
    let float = check(&spec, &catalog).problems.remove(0);
    assert_eq!((float.code, &*float.what), (codes::UNKNOWN_WORD, "`px` is `43000.1`"));
    let Format::Parquet(table) = &mut spec.format else { panic!() };
    table.columns[4] = (Field::Side, Column::Name("when".into()));
    let time = check(&spec, &catalog).problems.remove(0);
    assert_eq!(
        (time.code, &*time.what),
        (codes::COLUMN_TYPE, "`when` holds a time, which cannot be `side`")
    );
}
