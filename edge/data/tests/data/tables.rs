//! Delimited text: our own schema, foreign columns, bars.

use crate::common::{DataFolder, dec, drain, events, one};
use tse_data::{
    BarEmit, BarSpec, Column, CsvSpec, DataSource, Field, Format, Record, SourceSpec, Stamp, Table,
    TimeFormat,
};
use tse_model::{Kind, MarketData, Span};

fn millis(millis: i64) -> Span {
    Span::from_millis(millis)
}

#[test]
fn ten_thousand_closed_bars_give_forty_thousand_quotes_before_their_ends() {
    let Some(data) = DataFolder::find("ten thousand closed bars") else { return };
    let (catalog, btc) =
        one("BTC-USDT-PERP.BINANCE", Kind::Perpetual { inverse: false }, "0.01", "0.001");
    let table = Table {
        record: Some(Record::Bars),
        columns: vec![(Field::TsEvent, Column::Name("timestamp".into()))],
        time: TimeFormat::Text,
        bars: BarSpec {
            span: Some(Span::from_secs(60)),
            stamp: Stamp::Close,
            emit: BarEmit::Quotes {
                offsets: [millis(-300), millis(-200), millis(-100), millis(0)],
                size: dec("1"),
            },
        },
        ..Table::default()
    };
    let format = Format::Csv(CsvSpec { table, ..CsvSpec::default() });
    let file = data.join("bars/crypto/btc-perp-20211231-20220201_1m.csv.gz");
    let mut spec = SourceSpec::new(format, [file]).of(btc);
    spec.rows_max = Some(10_000);
    let quotes = events(&spec, &catalog);
    assert_eq!(quotes.len(), 40_000);
    let first: Vec<_> = quotes[..4]
        .iter()
        .map(|event| match event.data {
            MarketData::Quote(quote) => {
                (event.ts_event.to_string(), quote.bid.get(), quote.ask.get())
            }
            _ => panic!("only quotes"),
        })
        .collect();
    assert_eq!(
        first,
        [
            ("2021-12-31T23:00:59.700000000Z".to_owned(), 4_631_900, 4_631_900),
            ("2021-12-31T23:00:59.800000000Z".to_owned(), 4_638_500, 4_638_500),
            ("2021-12-31T23:00:59.900000000Z".to_owned(), 4_631_900, 4_631_900),
            ("2021-12-31T23:01:00.000000000Z".to_owned(), 4_637_700, 4_637_700),
        ]
    );
    let mut source = DataSource::open(&spec, &catalog).unwrap();
    drain(&mut source);
    assert_eq!(source.counts().rows, 10_000);
}
