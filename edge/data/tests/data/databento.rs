//! DBN files: the E-mini order book, and a sample of every schema and version.

use crate::common::{DataFolder, drain, events, future, one};
use tse_data::{
    Column, CsvSpec, DataSource, DatabentoSpec, Field, Format, Kinds, OrderBook, Record,
    SourceSpec, Table, TimeFormat, codes,
};
use tse_model::{BookAction, Catalog, InstrumentId, Kind, MarketData, Qty, Side, Timestamp};

fn es() -> (Catalog, InstrumentId) {
    one("ES-USD-240621.CME", future(), "0.25", "1")
}

fn dbn(file: std::path::PathBuf, id: InstrumentId) -> SourceSpec {
    SourceSpec::new(Format::Databento(DatabentoSpec::default()), [file]).of(id)
}

/// The columns of the text copies.
fn csv(file: std::path::PathBuf, id: InstrumentId) -> SourceSpec {
    let named = |field, name: &str| (field, Column::Name(name.to_owned()));
    let table = Table {
        record: Some(Record::Orders),
        columns: vec![
            named(Field::TsEvent, "ts_event_ns"),
            named(Field::TsRecv, "ts_recv_ns"),
            named(Field::Id, "order_id"),
            named(Field::Price, "price_1e9"),
        ],
        time: TimeFormat::Nanos,
        price_divisor: 1_000_000_000,
        ..Table::default()
    };
    let mut spec = SourceSpec::new(Format::Csv(CsvSpec { table, ..CsvSpec::default() }), [file]);
    spec.order = Some(tse_data::Order::Clamp);
    spec.of(id)
}

const FILES: [(&str, u64); 2] =
    [("l3/es/esh4-glbx-20231224.mbo", 8_725), ("l3/es/orderbooks-20240508-2s.mbo", 13_796)];

#[test]
fn binary_and_text_of_the_same_book_give_the_same_events() {
    let Some(data) = DataFolder::find("es dbn and csv") else { return };
    let (catalog, id) = es();
    for (file, rows) in FILES {
        let binary = events(&dbn(data.join(&format!("{file}.dbn.zst")), id), &catalog);
        let text = events(&csv(data.join(&format!("{file}.csv.gz")), id), &catalog);
        assert_eq!(binary.len() as u64, rows);
        assert_eq!(binary, text);
    }
}

#[test]
fn the_order_book_knows_every_order_never_crosses_and_accounts_for_every_trade() {
    let Some(data) = DataFolder::find("es order book") else { return };
    let (catalog, id) = es();
    let (file, rows) = FILES[1];
    let mut source =
        DataSource::open(&dbn(data.join(&format!("{file}.dbn.zst")), id), &catalog).unwrap();
    let all = drain(&mut source);
    assert_eq!((source.counts().rows, source.counts().late), (rows, 0));
    let mut book = OrderBook::new();
    let (mut trades, mut traded, mut fills, mut filled) = (0, Qty::ZERO, 0, Qty::ZERO);
    let mut spreads = Vec::new();
    for event in &all {
        let MarketData::Order(record) = event.data else { panic!("only order records") };
        // The book itself checks: known orders, no crossing, fills that sum to their trades and
        // leave the filled orders with exactly what is left.
        book.apply(&record).unwrap_or_else(|flaw| panic!("{flaw:?} at {event:?}"));
        match record.action {
            BookAction::Trade => (trades, traded) = (trades + 1, traded + record.qty),
            BookAction::Fill => (fills, filled) = (fills + 1, filled + record.qty),
            _ => {}
        }
        if record.last {
            let (bid, _) = book.best(Side::Buy).unwrap();
            let (ask, _) = book.best(Side::Sell).unwrap();
            spreads.push((ask - bid).get());
        }
    }
    assert_eq!((trades, fills, traded, filled), (5, 5, Qty::new(6), Qty::new(6)));
    assert!(spreads.iter().all(|spread| *spread == 1), "one tick wide throughout");
    assert_eq!((book.len(), book.depth(Side::Buy), book.depth(Side::Sell)), BOOK_AT_THE_END);
}

/// Orders, bid levels and ask levels after the two seconds, counted by an independent script.
const BOOK_AT_THE_END: (usize, usize, usize) = (13_598, 976, 571);

#[test]
fn the_book_at_the_start_of_a_session_is_one_snapshot() {
    let Some(data) = DataFolder::find("es snapshot") else { return };
    let (catalog, id) = es();
    let all = events(&dbn(data.join("l3/es/esh4-glbx-20231224.mbo.dbn.zst"), id), &catalog);
    let mut book = OrderBook::new();
    for event in &all {
        let MarketData::Order(record) = event.data else { panic!("only order records") };
        assert_eq!(record.action, BookAction::Add);
        // Before the opening auction orders may stand crossed.
        let _ = book.apply(&record);
    }
    assert_eq!(book.len(), all.len());
    assert!(all.iter().all(|event| event.ts_event == all[0].ts_event));
}

/// A sample of every schema: what is in it, and how many of what come out.
#[test]
fn every_sample_of_every_version_opens() {
    let Some(data) = DataFolder::find("dbn samples") else { return };
    let mut files: Vec<_> =
        std::fs::read_dir(data.join("formats/dbn")).unwrap().map(|it| it.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 31);
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let schema = name.split('.').nth(1).unwrap();
        let (catalog, id) = one("ES-USD-210319.CME", future(), "0.000000001", "1");
        let mut spec = dbn(file, id);
        spec.unknown_symbols = Some(tse_data::OnBad::Skip);
        let mut source = DataSource::open(&spec, &catalog).unwrap();
        let read = crate::common::try_drain(&mut source);
        let counts = source.counts();
        let expect = |kind: u64| assert!(kind > 0 && read.is_ok(), "{name}: {read:?} {counts:#?}");
        match schema {
            "mbo" => expect(counts.orders),
            "mbp-1" | "bbo-1s" => expect(counts.quotes),
            "tbbo" => {
                expect(counts.quotes);
                expect(counts.trades);
            }
            "mbp-10" => expect(counts.depth),
            "trades" => expect(counts.trades),
            "ohlcv-1m" => expect(counts.bars),
            "status" => expect(counts.status + counts.rows),
            "definition" | "imbalance" | "statistics" => {
                assert!(counts.other_messages > 0, "{name}: {counts:#?}");
                let fault = read.unwrap_err();
                assert_eq!(fault.code, codes::EMPTY, "nothing in it trades");
            }
            other => panic!("{other}"),
        }
        assert!(counts.rows > 0);
    }
}

#[test]
fn a_range_that_begins_in_mid_stream_begins_with_the_book() {
    let Some(data) = DataFolder::find("es range") else { return };
    let (catalog, id) = es();
    let whole = dbn(data.join("l3/es/orderbooks-20240508-2s.mbo.dbn.zst"), id);
    let mut part = whole.clone();
    let from = Timestamp::from_nanos(1_715_126_401_489_500_000);
    part.from = Some(from);
    let books = [whole, part].map(|spec| {
        let all = events(&spec, &catalog);
        let mut book = OrderBook::new();
        for event in &all {
            let MarketData::Order(record) = event.data else { panic!() };
            book.apply(&record).unwrap();
        }
        (all[0], book)
    });
    assert_eq!(books[1].0.ts_event, from);
    let queue = |book: &OrderBook| -> Vec<_> {
        book.in_order().iter().map(|(id, it)| (*id, it.side, it.price, it.qty)).collect()
    };
    assert_eq!(queue(&books[0].1), queue(&books[1].1), "orders, prices, sizes and places");
}

#[test]
fn only_what_is_asked_for_comes() {
    let Some(data) = DataFolder::find("dbn kinds") else { return };
    let (catalog, id) = one("ES-USD-210319.CME", Kind::Spot, "0.000000001", "1");
    let mut spec = dbn(data.join("formats/dbn/test_data.tbbo.v3.dbn.zst"), id);
    spec.kinds = Kinds::TRADES;
    assert!(events(&spec, &catalog).iter().all(|it| matches!(it.data, MarketData::Trade(_))));
}

#[test]
fn a_file_that_is_cut_is_told_from_one_that_ends() {
    let Some(data) = DataFolder::find("cut dbn") else { return };
    let (catalog, id) = one("ES-USD-210319.CME", future(), "0.25", "1");
    let folder = tempfile::tempdir().unwrap();
    let sound = std::fs::read(data.join("formats/dbn/test_data.mbo.v3.dbn.zst")).unwrap();
    let plain = zstd::decode_all(&sound[..]).unwrap();
    let open = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        crate::common::read(&dbn(path, id), &catalog)
    };
    assert_eq!(open("whole.dbn", &plain).unwrap().len(), 2);
    let packed = open("cut.dbn.zst", &sound[..sound.len() - 20]).unwrap_err();
    assert_eq!(
        (packed.code, &*packed.what),
        (codes::CUT_OFF, "the file is cut off: its compressed data has no end")
    );
    let record = open("cut.dbn", &plain[..plain.len() - 10]).unwrap_err();
    assert_eq!(
        (record.code, &*record.what),
        (codes::CUT_OFF, "the file is cut off: its last record has no end")
    );
    assert!(record.place.ends_with("cut.dbn: record 2"), "{}", record.place);
    let head = open("head.dbn", &plain[..40]).unwrap_err();
    assert_eq!(head.code, codes::BAD_RECORD);
}
