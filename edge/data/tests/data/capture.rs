//! Captures of OKX and Kraken: every checksum must be reached.

use crate::common::{DataFolder, define, drain};
use tse_data::{
    CaptureSpec, CaptureVenue, ClockOffset, Counts, DataSource, Format, SourceSpec, codes,
};
use tse_model::{Catalog, Kind, Ladder, MarketData, MarketEvent};

fn spec(venue: CaptureVenue, file: std::path::PathBuf) -> (SourceSpec, Catalog) {
    let mut catalog = Catalog::new();
    let names: &[(&str, &str)] = match venue {
        CaptureVenue::Okx => &[
            ("BTC-USD-220527", "BTC-USD-220527:BTC.OKX"),
            ("UNI-USD-SWAP", "UNI-USD-PERP:UNI.OKX"),
            ("BTC-USDT", "BTC-USDT.OKX"),
        ],
        CaptureVenue::Kraken => &[
            ("WAVES/EUR", "WAVES-EUR.KRAKEN"),
            ("XMR/USD", "XMR-USD.KRAKEN"),
            ("KSM/XBT", "KSM-BTC.KRAKEN"),
            ("GRT/ETH", "GRT-ETH.KRAKEN"),
            ("SC/EUR", "SC-EUR.KRAKEN"),
            ("ETH/CHF", "ETH-CHF.KRAKEN"),
            ("OCEAN/XBT", "OCEAN-BTC.KRAKEN"),
            ("OMG/USD", "OMG-USD.KRAKEN"),
            ("XBT/CHF", "BTC-CHF.KRAKEN"),
            ("ADA/XBT", "ADA-BTC.KRAKEN"),
        ],
    };
    let symbols = names
        .iter()
        .map(|(name, symbol)| {
            let kind = match symbol.contains(':') {
                true => Kind::Perpetual { inverse: true },
                false => Kind::Spot,
            };
            // Somebody asks 9,999,999,997 francs for a coin: no fine tick holds that.
            let tick = if symbol.contains("CHF") { "1e-5" } else { "1e-9" };
            ((*name).to_owned(), define(&mut catalog, symbol, kind, tick, "1e-8"))
        })
        .collect();
    let clock = ClockOffset::Measured;
    let format = Format::Cryptofeed(CaptureSpec { venue, clock });
    let mut spec = SourceSpec::new(format, [file]);
    spec.symbols = symbols;
    (spec, catalog)
}

fn replay(spec: &SourceSpec, catalog: &Catalog) -> (Counts, Vec<MarketEvent>, Vec<Ladder>) {
    let mut source = DataSource::open(spec, catalog).unwrap();
    let events = drain(&mut source);
    assert!(events.is_sorted_by_key(|event| event.ts_event));
    let mut books = vec![Ladder::new(); catalog.instruments().len()];
    for event in &events {
        if let MarketData::Depth(depth) = event.data {
            books[event.instrument.index()].apply(depth);
        }
    }
    (source.counts(), events, books)
}

#[test]
fn every_book_of_okx_has_the_venues_checksum() {
    let Some(data) = DataFolder::find("okx checksums") else { return };
    let file = data.join("crypto-ticks/cryptofeed-raw/OKX.ws.1.0.gz");
    let (spec, catalog) = spec(CaptureVenue::Okx, file);
    let (counts, _, books) = replay(&spec, &catalog);
    assert_eq!((counts.checksums_right, counts.checksums_wrong), (290, 0));
    assert_eq!((counts.trades, counts.quotes), (74, 28));
    assert!(books.iter().all(Ladder::is_valid));
    assert_eq!(counts.late, 0, "{counts:#?}");
}

#[test]
fn every_book_of_kraken_has_the_venues_checksum() {
    let Some(data) = DataFolder::find("kraken checksums") else { return };
    let file = data.join("crypto-ticks/cryptofeed-raw/KRAKEN.ws.50.0.gz");
    let (spec, catalog) = spec(CaptureVenue::Kraken, file);
    let (counts, _, books) = replay(&spec, &catalog);
    assert_eq!((counts.checksums_right, counts.checksums_wrong), (4_269, 0));
    assert!(books.iter().all(Ladder::is_valid));
    for book in &books {
        for side in tse_model::Side::BOTH {
            assert!(book.levels(side).len() <= 1_000, "the venue keeps a thousand levels");
        }
    }
}

#[test]
fn instruments_that_the_source_does_not_name_are_left_out() {
    let Some(data) = DataFolder::find("okx symbols") else { return };
    let file = data.join("crypto-ticks/cryptofeed-raw/OKX.ws.1.0.gz");
    let (mut spec, catalog) = spec(CaptureVenue::Okx, file);
    let btc = spec.symbols.remove(2);
    spec.symbols.clear();
    spec.instrument = Some(btc.1);
    let (counts, events, _) = replay(&spec, &catalog);
    assert_eq!(counts.checksums_right, 98);
    assert!(counts.other_symbols > 0 && events.iter().all(|event| event.instrument == btc.1));
}

#[test]
fn a_lost_update_makes_the_book_invalid_and_not_wrong() {
    let Some(data) = DataFolder::find("lost update") else { return };
    let file = data.join("crypto-ticks/cryptofeed-raw/KRAKEN.ws.50.0.gz");
    let text = crate::common::gunzip(&file);
    // The first update that changes the top of a book is lost.
    let lost = text.lines().position(|line| line.contains("\"b\":[[\"13.206100\"")).unwrap();
    let kept: Vec<&str> =
        text.lines().enumerate().filter(|(at, _)| *at != lost).map(|(_, line)| line).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lost");
    std::fs::write(&path, kept.join("\n")).unwrap();
    let (spec, catalog) = spec(CaptureVenue::Kraken, path);
    let (counts, _, books) = replay(&spec, &catalog);
    assert_eq!((counts.checksums_wrong, counts.gaps), (1, 1));
    assert_eq!(books.iter().filter(|book| !book.is_valid()).count(), 1);
    assert!(counts.before_snapshot > 0, "what comes after is not applied");
    let report = tse_data::check(&spec, &catalog);
    let codes: Vec<_> = report.problems.iter().map(|fault| fault.code).collect();
    assert_eq!(codes, [codes::CHECKSUM]);
}
