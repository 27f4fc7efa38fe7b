//! Bytes that nobody meant: whatever a file holds, a check ends with findings and not with a panic.

use crate::common::{DataFolder, define, future};
use std::path::{Path, PathBuf};
use tse_data::{
    BinanceSpec, CaptureSpec, CaptureVenue, ClockOffset, CsvSpec, DatabentoSpec, Format, LeanData,
    LeanMarket, LeanResolution, LeanSpec, Record, SourceSpec, Table, check, write,
};
use tse_model::{Catalog, Chance, Events, InstrumentId, Kind, MarketData, MarketEvent, Price, Qty};
use tse_model::{Quote, Side, Timestamp, Trade};

fn catalog() -> (Catalog, InstrumentId) {
    let mut catalog = Catalog::new();
    let id = define(&mut catalog, "BTC-USDT.BINANCE", Kind::Spot, "1e-9", "1e-8");
    define(&mut catalog, "ES-USD-240621.CME", future(), "0.25", "1");
    (catalog, id)
}

/// Changes some bytes, or takes some out, or cuts the end off.
fn spoil(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let place = |bytes: &[u8], chance: &mut Chance| {
        chance.between(0, bytes.len() as i64 - 1).unsigned_abs() as usize
    };
    for _ in 0..chance.between(1, 4) {
        let at = place(&bytes, chance);
        match chance.between(0, 5) {
            0 => bytes.truncate(at.max(1)),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, b",\"{[:\n-9"[chance.between(0, 7).unsigned_abs() as usize]),
            _ => bytes[at] = chance.between(0, 255) as u8,
        }
        if bytes.is_empty() {
            bytes.push(0);
        }
    }
    bytes
}

fn try_spoiled(name: &str, sound: &[u8], format: &Format, rounds: u32) {
    let (catalog, id) = catalog();
    let folder = tempfile::tempdir().unwrap();
    let mut chance = Chance::stream(3, name);
    let path = folder.path().join(format!("20240506_{name}"));
    let mut found = 0;
    for _ in 0..rounds {
        std::fs::write(&path, spoil(sound, &mut chance)).unwrap();
        let mut spec = SourceSpec::new(format.clone(), [&path]);
        spec.instrument = Some(id);
        let report = check(&spec, &catalog);
        for problem in &report.problems {
            assert!(problem.place.contains(name), "{name}: {problem:?}");
            assert!(tse_data::codes::find(problem.code).is_some(), "{name}: {problem:?}");
        }
        found += u32::from(!report.problems.is_empty());
    }
    assert!(found > rounds / 4, "{name}: {found} of {rounds} were found");
}

fn some_events(id: InstrumentId) -> Vec<MarketEvent> {
    let event = |at: i64| {
        let data = match at % 2 {
            0 => MarketData::Trade(Trade {
                price: Price::new(at),
                qty: Qty::new(at),
                aggressor: Some(Side::Buy),
                id: at.unsigned_abs(),
            }),
            _ => MarketData::Quote(Quote {
                bid: Price::new(at),
                bid_qty: Qty::new(1),
                ask: Price::new(at + 1),
                ask_qty: Qty::new(2),
            }),
        };
        let at = Timestamp::from_nanos(1_700_000_000_000_000_000 + at);
        MarketEvent { ts_event: at, ts_recv: at, instrument: id, data }
    };
    (1..200).map(event).collect()
}

#[test]
fn spoiled_files_of_our_own_end_with_findings() {
    let (catalog, id) = catalog();
    let folder = tempfile::tempdir().unwrap();
    let sound = |name: &str| {
        let path = folder.path().join(name);
        write(&mut Events::new(some_events(id)), &path, Record::Events, &catalog).unwrap();
        std::fs::read(path).unwrap()
    };
    let csv = Format::Csv(CsvSpec::default());
    for name in ["a.csv", "a.csv.gz", "a.csv.zst"] {
        try_spoiled(name, &sound(name), &csv, 150);
    }
    try_spoiled("a.parquet", &sound("a.parquet"), &Format::Parquet(Table::default()), 300);
}

/// The first lines of a real capture.
fn lines(path: PathBuf, count: usize) -> Vec<u8> {
    let text = crate::common::gunzip(&path);
    text.lines().take(count).collect::<Vec<_>>().join("\n").into_bytes()
}

#[test]
fn spoiled_files_of_others_end_with_findings() {
    let Some(data) = DataFolder::find("spoiled files") else { return };
    let binance = lines(data.join("crypto-ticks/binance-raw/spot_btcusdt_20240808.gz"), 40);
    try_spoiled("binance", &binance, &Format::BinanceRaw(BinanceSpec::default()), 150);
    for (venue, name) in
        [(CaptureVenue::Okx, "OKX.ws.1.0"), (CaptureVenue::Kraken, "KRAKEN.ws.50.0")]
    {
        let capture = lines(data.join(&format!("crypto-ticks/cryptofeed-raw/{name}.gz")), 60);
        let clock = ClockOffset::Measured;
        let format = Format::Cryptofeed(CaptureSpec { venue, clock });
        try_spoiled(name, &capture, &format, 100);
    }
    let lean = LeanSpec::new(LeanMarket::Crypto, LeanData::Trades, LeanResolution::Hour);
    let archive = std::fs::read(data.join("bars/crypto/binance/hour/btcusdt_trade.zip")).unwrap();
    try_spoiled("lean.zip", &archive, &Format::Lean(lean), 150);
    let dbn = Format::Databento(DatabentoSpec::default());
    for schema in ["mbo", "mbp-1", "mbp-10", "ohlcv-1m", "definition", "trades", "status"] {
        let name = format!("test_data.{schema}.v3.dbn.zst");
        let packed = std::fs::read(data.join("formats/dbn").join(Path::new(&name))).unwrap();
        try_spoiled(&name, &packed, &dbn, 60);
        let plain = zstd::decode_all(&packed[..]).unwrap();
        try_spoiled(&format!("{schema}.dbn"), &plain, &dbn, 100);
    }
}
