//! Writing and reading back; cutting files in pieces; merging.

use crate::common::{DataFolder, define, drain, events, future, one};
use std::path::{Path, PathBuf};
use tse_data::{
    BinanceSpec, ClockOffset, CsvSpec, DataSource, DatabentoSpec, Format, Kinds, Merge, Record,
    SourceSpec, Table, write,
};
use tse_model::{
    Bar, BookAction, BookOrder, Catalog, Chance, Depth, DepthChange, Events, InstrumentId, Kind,
    MarketData, MarketEvent, Price, Qty, Quote, Rate, Side, Span, Timestamp, Trade, TradingStatus,
};

fn ours(path: &Path) -> SourceSpec {
    let parquet = path.extension().is_some_and(|end| end == "parquet");
    let format = match parquet {
        true => Format::Parquet(Table::default()),
        false => Format::Csv(CsvSpec::default()),
    };
    SourceSpec::new(format, [path])
}

/// Events of every kind, of instruments with coarse and with very fine grids.
fn anything(catalog: &mut Catalog) -> Vec<MarketEvent> {
    let ids = [
        define(catalog, "BTC-USDT.BINANCE", Kind::Spot, "0.01", "0.00001"),
        define(catalog, "ES-USD-240621.CME", future(), "0.25", "1"),
        define(catalog, "PEPE-ETH.DEX", Kind::Spot, "1e-18", "1000"),
    ];
    let mut chance = Chance::stream(11, "roundtrip");
    let mut at = 1_700_000_000_000_000_000;
    let mut some = |chance: &mut Chance| {
        let price = |chance: &mut Chance| Price::new(chance.between(1, 7_000_000));
        let qty = |chance: &mut Chance| Qty::new(chance.between(1, 1_000_000));
        let side = if chance.one_in(1, 2) { Side::Buy } else { Side::Sell };
        let data = match chance.between(0, 11) {
            0 => MarketData::Quote(Quote {
                bid: Price::new(100),
                bid_qty: qty(chance),
                ask: Price::new(chance.between(100, 105)),
                ask_qty: qty(chance),
            }),
            1 => MarketData::Quote(Quote {
                ask: price(chance),
                ask_qty: qty(chance),
                ..Quote::default()
            }),
            2 => MarketData::Trade(Trade {
                price: price(chance),
                qty: qty(chance),
                aggressor: chance.one_in(1, 3).then_some(side),
                id: chance.between(0, i64::MAX - 1).unsigned_abs(),
            }),
            3 => MarketData::Depth(Depth {
                change: DepthChange::Set {
                    side,
                    price: price(chance),
                    qty: Qty::new(chance.between(0, 3)),
                },
                last: chance.one_in(1, 2),
            }),
            4 => MarketData::Depth(Depth { change: DepthChange::Clear, last: false }),
            5 => MarketData::Depth(Depth { change: DepthChange::Gap, last: true }),
            6 => MarketData::Order(BookOrder {
                action: [
                    BookAction::Add,
                    BookAction::Cancel,
                    BookAction::Modify,
                    BookAction::Trade,
                    BookAction::Fill,
                ][chance.between(0, 4).unsigned_abs() as usize],
                side: Some(side),
                order: u64::MAX - chance.between(0, 9).unsigned_abs(),
                price: price(chance),
                qty: qty(chance),
                last: chance.one_in(1, 2),
            }),
            7 => MarketData::Order(BookOrder {
                action: BookAction::Clear,
                side: None,
                order: 0,
                price: Price::ZERO,
                qty: Qty::ZERO,
                last: true,
            }),
            8 => MarketData::Bar(Bar {
                open: Price::new(5),
                high: Price::new(9),
                low: Price::new(1),
                close: price(chance).min(Price::new(8)),
                volume: Qty::new(chance.between(0, 9)),
                span: Span::from_nanos(chance.between(1, 86_400_000_000_000)),
            }),
            9 => MarketData::Funding(Rate::from_billionths(chance.between(-99, 99))),
            10 => MarketData::Mark(price(chance)),
            _ => MarketData::Status(
                [TradingStatus::Open, TradingStatus::Halted, TradingStatus::Closed]
                    [chance.between(0, 2).unsigned_abs() as usize],
            ),
        };
        at += chance.between(0, 1_000_000);
        MarketEvent {
            ts_event: Timestamp::from_nanos(at),
            ts_recv: Timestamp::from_nanos(at + chance.between(0, 5_000)),
            instrument: ids[chance.between(0, 2).unsigned_abs() as usize],
            data,
        }
    };
    (0..40_000).map(|_| some(&mut chance)).collect()
}

#[test]
fn any_events_survive_text_and_parquet_and_back() {
    let mut catalog = Catalog::new();
    let all = anything(&mut catalog);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let first = path("a.csv");
    let rows = write(&mut Events::new(all.clone()), &first, Record::Events, &catalog).unwrap();
    assert_eq!(rows as usize, all.len());
    let steps = [("a.csv", "b.parquet"), ("b.parquet", "c.csv.gz"), ("c.csv.gz", "d.csv.zst")];
    for (from, to) in steps {
        let mut source = DataSource::open(&ours(&path(from)), &catalog).unwrap();
        write(&mut source, &path(to), Record::Events, &catalog).unwrap();
        assert_eq!(events(&ours(&path(to)), &catalog), all, "{to}");
    }
    let again = path("e.csv");
    let mut source = DataSource::open(&ours(&path("d.csv.zst")), &catalog).unwrap();
    write(&mut source, &again, Record::Events, &catalog).unwrap();
    assert!(std::fs::read(first).unwrap() == std::fs::read(again).unwrap(), "byte for byte");
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 5, "nothing half-written stays behind");
}

#[test]
fn files_of_one_kind_have_only_its_columns() {
    let mut catalog = Catalog::new();
    let all = anything(&mut catalog);
    let folder = tempfile::tempdir().unwrap();
    let heads = [
        (Kinds::QUOTES, Record::Quotes, "ts_event,ts_recv,symbol,bid,bid_size,ask,ask_size"),
        (Kinds::TRADES, Record::Trades, "ts_event,ts_recv,symbol,side,price,size,id"),
        (Kinds::DEPTH, Record::Depth, "ts_event,ts_recv,symbol,side,price,size,action,last"),
        (Kinds::ORDERS, Record::Orders, "ts_event,ts_recv,symbol,side,price,size,action,id,last"),
        (Kinds::BARS, Record::Bars, "ts_event,ts_recv,symbol,open,high,low,close,volume,span"),
        (Kinds::FUNDING, Record::Funding, "ts_event,ts_recv,symbol,rate"),
        (Kinds::MARKS, Record::Marks, "ts_event,ts_recv,symbol,price"),
        (Kinds::STATUS, Record::Status, "ts_event,ts_recv,symbol,status"),
    ];
    let mixed = folder.path().join("all.csv");
    write(&mut Events::new(all), &mixed, Record::Events, &catalog).unwrap();
    for (kinds, record, head) in heads {
        let mut spec = ours(&mixed);
        spec.kinds = kinds;
        let expected = events(&spec, &catalog);
        for end in ["csv", "parquet"] {
            let path = folder.path().join(format!("{}.{end}", record.name()));
            write(&mut DataSource::open(&spec, &catalog).unwrap(), &path, record, &catalog)
                .unwrap();
            assert_eq!(events(&ours(&path), &catalog), expected, "{}", path.display());
        }
        let text =
            std::fs::read_to_string(folder.path().join(format!("{}.csv", record.name()))).unwrap();
        let schema = format!("# tse.market/1 {}", record.name());
        assert_eq!(text.lines().take(2).collect::<Vec<_>>(), [schema.as_str(), head]);
    }
    let mut source = DataSource::open(&ours(&mixed), &catalog).unwrap();
    let path = folder.path().join("only.csv");
    let fault = write(&mut source, &path, Record::Trades, &catalog).unwrap_err();
    assert_eq!(fault.code, tse_data::codes::BAD_SPEC);
    assert!(!path.exists(), "a file that could not be finished is not there");
}

fn usdm(data: &DataFolder) -> (Catalog, InstrumentId, PathBuf) {
    let perpetual = Kind::Perpetual { inverse: false };
    let (catalog, id) = one("BTC-USDT-PERP.BINANCE", perpetual, "0.1", "0.001");
    (catalog, id, data.join("crypto-ticks/binance-raw/usdm_btcusdt_20240808.gz"))
}

fn binance(paths: Vec<PathBuf>, id: InstrumentId) -> SourceSpec {
    let format = Format::BinanceRaw(BinanceSpec { clock: ClockOffset::Measured });
    SourceSpec::new(format, paths).of(id)
}

/// Cuts a text into two files after so many lines; `head` lines are repeated.
fn cut(text: &str, at: usize, head: usize, folder: &Path) -> Vec<PathBuf> {
    let lines: Vec<&str> = text.lines().collect();
    let second = [&lines[..head], &lines[at..]].concat();
    let paths = [folder.join("first"), folder.join("second")];
    std::fs::write(&paths[0], lines[..at].join("\n")).unwrap();
    std::fs::write(&paths[1], second.join("\n") + "\n").unwrap();
    paths.to_vec()
}

#[test]
fn cutting_a_file_in_two_changes_nothing() {
    let Some(data) = DataFolder::find("cut files") else { return };
    let folder = tempfile::tempdir().unwrap();
    let (catalog, id, raw) = usdm(&data);
    let whole = events(&binance(vec![raw.clone()], id), &catalog);
    let text = crate::common::gunzip(&raw);
    // Before the snapshot, at it, in the middle, before the last line.
    for at in [30, 55, 40_000] {
        let parts = cut(&text, at, 0, folder.path());
        assert!(events(&binance(parts, id), &catalog) == whole, "cut after line {at}");
    }
    // Our own text: quotes and depth of the same, with the header repeated.
    let path = folder.path().join("all.csv");
    write(&mut Events::new(whole.clone()), &path, Record::Events, &catalog).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    for at in [2, 3, 400_001] {
        let mut spec = ours(&path);
        spec.paths = cut(&text, at, 2, folder.path());
        assert!(events(&spec, &catalog) == whole, "cut after line {at}");
    }
}

#[test]
fn files_of_binary_records_follow_each_other() {
    let Some(data) = DataFolder::find("two dbn files") else { return };
    let (catalog, id) = one("ES-USD-240621.CME", future(), "0.25", "1");
    let file = |name: &str| data.join(&format!("l3/es/{name}.mbo.dbn.zst"));
    let format = || Format::Databento(DatabentoSpec::default());
    let names = ["esh4-glbx-20231224", "orderbooks-20240508-2s"];
    let mut both = SourceSpec::new(format(), names.map(file)).of(id);
    // The contract of March and that of June are two instruments.
    let fault = crate::common::read(&both, &catalog).unwrap_err();
    assert_eq!(fault.code, tse_data::codes::UNKNOWN_SYMBOL);
    assert!(fault.place.ends_with("orderbooks-20240508-2s.mbo.dbn.zst: record 1"), "{fault:?}");
    both.instrument = None;
    both.symbols = vec![("17077".into(), id), ("5602".into(), id)];
    let joined = events(&both, &catalog);
    let apart = names.map(|name| events(&SourceSpec::new(format(), [file(name)]).of(id), &catalog));
    assert_eq!(joined, apart.concat());
}

#[test]
fn a_merge_gives_all_events_of_all_sources_in_order() {
    let Some(data) = DataFolder::find("merge") else { return };
    let (catalog, id, raw) = usdm(&data);
    let part = |kinds: Kinds| {
        let mut spec = binance(vec![raw.clone()], id);
        spec.kinds = kinds;
        tse_data::open(&spec, &catalog).unwrap()
    };
    let parts = [Kinds::TRADES, Kinds::QUOTES, Kinds::DEPTH].map(part);
    let merged = drain(&mut Merge::new(parts.into()));
    assert!(merged.is_sorted_by_key(|event| event.ts_event));
    assert_eq!(merged.len(), events(&binance(vec![raw.clone()], id), &catalog).len());
}

#[test]
fn a_range_is_the_same_as_leaving_out_the_rest() {
    let Some(data) = DataFolder::find("range") else { return };
    let (catalog, id, raw) = usdm(&data);
    let from = Timestamp::from_nanos(1_723_161_400_000_000_000);
    let to = Timestamp::from_nanos(1_723_161_500_000_000_000);
    let whole = events(&binance(vec![raw.clone()], id), &catalog);
    let mut spec = binance(vec![raw], id);
    (spec.from, spec.to) = (Some(from), Some(to));
    let part = events(&spec, &catalog);
    let inside = |event: &&MarketEvent| (from..to).contains(&event.ts_event);
    let expected: Vec<MarketEvent> = whole.iter().filter(inside).copied().collect();
    // In front stands the book as it was.
    let book = part.len() - expected.len();
    assert_eq!(part[book..], expected[..]);
    let mut before = tse_model::Ladder::new();
    for event in whole.iter().take_while(|event| event.ts_event < from) {
        if let MarketData::Depth(depth) = event.data {
            before.apply(depth);
        }
    }
    let mut told = tse_model::Ladder::new();
    for event in &part[..book] {
        let MarketData::Depth(depth) = event.data else { panic!("a snapshot is of depth") };
        assert_eq!(event.ts_event, from);
        told.apply(depth);
    }
    assert!(told.is_valid());
    for side in Side::BOTH {
        assert!(told.levels(side).eq(before.levels(side)));
    }
}
