//! Lean archives: every file of every kind.

use crate::common::{DataFolder, dec, define, drain, events, future, one};
use tse_data::{
    Adjust, BarEmit, DataSource, Format, LeanData, LeanMarket, LeanResolution, LeanSpec, OffGrid,
    SourceSpec, codes,
};
use tse_model::{Catalog, InstrumentId, Kind, MarketData, Span};

/// What a path in the data folder says about its file.
fn spec_of(path: &str) -> Option<LeanSpec> {
    let market = match path {
        _ if path.contains("equity") => LeanMarket::UsEquity,
        _ if path.contains("/fxcm/") => LeanMarket::Fxcm,
        _ if path.contains("/oanda/") => LeanMarket::Oanda,
        _ if path.contains("futures-ticks") => LeanMarket::Future,
        _ => LeanMarket::Crypto,
    };
    let resolution = match path {
        _ if path.contains("/minute/") => LeanResolution::Minute,
        _ if path.contains("/second/") => LeanResolution::Second,
        _ if path.contains("/hour/") => LeanResolution::Hour,
        _ if path.contains("/daily/") => LeanResolution::Daily,
        _ => LeanResolution::Tick,
    };
    let quotes = path.contains("quote") || path.contains("bars/fx/");
    let data = if quotes { LeanData::Quotes } else { LeanData::Trades };
    let mut spec = LeanSpec::new(market, data, resolution);
    spec.size = Some(dec("1"));
    let known = path.ends_with(".zip") && !path.contains("bybit-ob500");
    known.then_some(spec)
}

fn catalog_for(market: LeanMarket) -> (Catalog, InstrumentId) {
    match market {
        LeanMarket::UsEquity => one("IBM-USD.NYSE", Kind::Equity, "0.0001", "1"),
        LeanMarket::Fxcm | LeanMarket::Oanda => one("EUR-USD.FXCM", Kind::Fx, "0.00001", "1"),
        LeanMarket::Future => one("GC-USD-131227.COMEX", future(), "0.1", "1"),
        LeanMarket::Crypto => one("BTC-USDT.X", Kind::Spot, "0.00000001", "0.00000001"),
    }
}

#[test]
fn every_archive_has_the_rows_of_the_inventory() {
    let Some(data) = DataFolder::find("lean inventory") else { return };
    let inventory = std::fs::read_to_string(data.join("INVENTORY.csv")).unwrap();
    let mut files = 0;
    for row in inventory.lines().skip(1) {
        let fields: Vec<&str> = row.split(',').collect();
        let Some(mut lean) = spec_of(fields[0]) else { continue };
        let (catalog, id) = catalog_for(lean.market);
        if lean.market == LeanMarket::Future {
            lean.member = Some("20131007_gc_tick_trade_201310.csv".to_owned());
        }
        let mut spec = SourceSpec::new(Format::Lean(lean), [data.join(fields[0])]).of(id);
        // Sizes of the oldest crypto files went through floats.
        spec.off_grid = OffGrid::Round;
        let mut source = DataSource::open(&spec, &catalog).unwrap();
        let events = drain(&mut source);
        assert!(events.is_sorted_by_key(|event| event.ts_event), "{}", fields[0]);
        let counts = source.counts();
        assert_eq!(counts.rows.to_string(), fields[2], "{}", fields[0]);
        let given = counts.quotes + counts.trades + counts.bars;
        let left_out = counts.suspicious + counts.zero_size + counts.crossed;
        assert_eq!(given + left_out, counts.rows, "{}: {counts:#?}", fields[0]);
        files += 1;
    }
    assert_eq!(files, 75, "archives in the inventory");
}

fn read(spec: &SourceSpec, catalog: &Catalog) -> Vec<(String, MarketData)> {
    events(spec, catalog).iter().map(|event| (event.ts_event.to_string(), event.data)).collect()
}

#[test]
fn each_market_has_its_clock_and_its_unit() {
    let Some(data) = DataFolder::find("lean clocks") else { return };
    let first = |path: &str| {
        let lean = spec_of(path).unwrap();
        let (catalog, id) = catalog_for(lean.market);
        let mut spec = SourceSpec::new(Format::Lean(lean), [data.join(path)]).of(id);
        spec.rows_max = Some(1);
        let (at, what) = read(&spec, &catalog).remove(0);
        match what {
            MarketData::Quote(quote) => (at, quote.bid.get(), quote.ask.get()),
            MarketData::Trade(trade) => (at, trade.price.get(), trade.qty.get()),
            MarketData::Bar(bar) => (at, bar.open.get(), bar.close.get()),
            other => panic!("{other:?}"),
        }
    };
    let expect = [
        ("fx-ticks/fxcm/eurusd/20140506_quote.zip", "2014-05-06T05:00:00.339", 138_833, 138_835),
        ("fx-ticks/oanda/eurusd/20140506_quote.zip", "2014-05-06T00:00:00.158", 138_742, 138_755),
        ("equity-ticks/ibm/20131007_trade.zip", "2013-10-07T08:00:30.270", 1_815_200, 283),
        // A bar is news when it ends: the minute from 04:00 New York ends at 08:01 UTC.
        (
            "bars/equity/usa/minute/spy/20131007_trade.zip",
            "2013-10-07T08:01:00.000",
            1_674_100,
            1_672_700,
        ),
        ("bars/equity/usa/daily/ibm.zip", "1998-01-03T05:00:00.000", 1_045_000, 1_057_500),
        ("bars/fx/fxcm/hour/eurusd.zip", "2007-03-30T06:00:00.000", 133_141, 133_201),
    ];
    for (path, at, a, b) in expect {
        assert_eq!(first(path), (format!("{at}000000Z"), a, b), "{path}");
    }
}

#[test]
fn an_archive_of_several_contracts_asks_which() {
    let Some(data) = DataFolder::find("lean members") else { return };
    let path = "futures-ticks/gc/20131007_trade.zip";
    let (catalog, id) = catalog_for(LeanMarket::Future);
    let open = |member: Option<&str>| {
        let mut lean = spec_of(path).unwrap();
        lean.member = member.map(str::to_owned);
        let spec = SourceSpec::new(Format::Lean(lean), [data.join(path)]).of(id);
        crate::common::read(&spec, &catalog)
    };
    let unsaid = open(None).unwrap_err();
    assert_eq!(unsaid.code, codes::MEMBER);
    assert_eq!(unsaid.what, "the archive has 10 members, and none is chosen");
    let wrong = open(Some("20131007_gc_tick_trade_209901.csv")).unwrap_err();
    assert_eq!(wrong.code, codes::MEMBER);
    assert!(open(Some("20131007_gc_tick_trade_201312.csv")).unwrap().len() > 20_000);
}

#[test]
fn a_price_of_zero_is_a_side_without_a_quote() {
    let Some(data) = DataFolder::find("lean sides") else { return };
    let path = "equity-ticks/ibm/20131007_quote.zip";
    let (catalog, id) = catalog_for(LeanMarket::UsEquity);
    let quotes = |change: &dyn Fn(&mut LeanSpec)| {
        let mut lean = spec_of(path).unwrap();
        change(&mut lean);
        let mut spec = SourceSpec::new(Format::Lean(lean), [data.join(path)]).of(id);
        spec.rows_max = Some(5_000);
        let quotes = read(&spec, &catalog).into_iter().map(|(_, data)| match data {
            MarketData::Quote(quote) => quote,
            other => panic!("{other:?}"),
        });
        quotes.collect::<Vec<_>>()
    };
    let all = quotes(&|_| {});
    assert_eq!((all[0].bid_qty.get(), all[0].ask.get(), all[0].ask_qty.get()), (0, 1_836_300, 100));
    assert_eq!((all[1].bid.get(), all[1].bid_qty.get(), all[1].ask_qty.get()), (1_800_100, 300, 0));
    let arca = quotes(&|lean| (lean.exchange, lean.hold_sides) = (Some("P".into()), true));
    assert!(arca.len() < all.len());
    assert_eq!((arca[1].bid.get(), arca[1].ask.get()), (1_800_100, 1_818_000));
}

#[test]
fn factors_make_a_split_disappear() {
    let Some(data) = DataFolder::find("lean factors") else { return };
    let path = "bars/equity/usa/daily/ibm.zip";
    let (catalog, id) = catalog_for(LeanMarket::UsEquity);
    let closes = |dividends: Option<bool>| {
        let mut lean = spec_of(path).unwrap();
        let factors = data.join("bars/equity/usa/factor_files/ibm.csv");
        lean.adjust = dividends.map(|dividends| Adjust { path: factors, dividends });
        let spec = SourceSpec::new(Format::Lean(lean), [data.join(path)]).of(id);
        let bars = read(&spec, &catalog).into_iter().map(|(at, data)| match data {
            MarketData::Bar(bar) => (at, bar.close.get(), bar.volume.get()),
            other => panic!("{other:?}"),
        });
        bars.collect::<Vec<_>>()
    };
    let worst = |closes: &[(String, i64, i64)]| {
        let steps = closes.windows(2).map(|pair| (pair[1].1 * 100 / pair[0].1, pair[1].0.clone()));
        steps.min().unwrap()
    };
    let (raw, splits, all) = (closes(None), closes(Some(false)), closes(Some(true)));
    // IBM split two for one on 1999-05-27. Without correction that day loses half.
    assert_eq!(worst(&raw), (49, "1999-05-28T04:00:00.000000000Z".to_owned()));
    let bad_day = (80, "1999-10-22T04:00:00.000000000Z".to_owned());
    assert_eq!((worst(&splits), worst(&all).0), (bad_day, 80));
    // 1998-01-02 closed at 105.75: half of it after the split, times 0.620965 for dividends.
    assert_eq!((raw[0].1, splits[0].1), (1_057_500, 528_750));
    assert_eq!(all[0].1, (528_750.0f64 * 0.620965).round() as i64);
    assert_eq!((raw[0].2, splits[0].2), (2_563_200, 5_126_400));
    assert_eq!(raw.last(), all.last(), "the last price is what it is");
}

#[test]
fn bars_of_quotes_become_quotes() {
    let Some(data) = DataFolder::find("lean bars of quotes") else { return };
    let path = "bars/fx/fxcm/daily/gbpusd.zip";
    let mut lean = spec_of(path).unwrap();
    lean.emit =
        BarEmit::Quotes { offsets: [-3, -2, -1, 0].map(Span::from_secs), size: dec("1000") };
    let (catalog, id) = one("GBP-USD.FXCM", Kind::Fx, "0.00001", "1");
    let spec = SourceSpec::new(Format::Lean(lean), [data.join(path)]).of(id);
    let mut source = DataSource::open(&spec, &catalog).unwrap();
    let quotes = drain(&mut source);
    let counts = source.counts();
    assert_eq!(counts.quotes + counts.crossed, 4 * counts.rows);
    // 2007-04-01 opens with 1.969 bid and 1.968 asked.
    assert!(counts.crossed > 0);
    let MarketData::Quote(open) = quotes[0].data else { panic!() };
    assert_eq!((open.bid.get(), open.ask.get()), (195_670, 195_680));
    assert_eq!(quotes[0].ts_event.to_string(), "2007-03-31T04:59:57.000000000Z");
}

/// The mid of a source at every tenth of a second of a stretch, in half ticks.
fn mids(spec: &SourceSpec, catalog: &Catalog, from: i64, to: i64) -> Vec<i64> {
    let quotes = events(spec, catalog);
    let step = 100_000_000;
    let mut mids = Vec::new();
    let (mut at, mut last) = (from, None);
    for event in &quotes {
        while at < event.ts_event.nanos() && at < to {
            mids.extend(last);
            at += step;
        }
        let MarketData::Quote(quote) = event.data else { panic!() };
        last = quote.twice_mid();
    }
    mids
}

#[test]
fn the_two_dealers_agree_when_each_clock_is_read_as_it_stands() {
    let Some(data) = DataFolder::find("fx alignment") else { return };
    let mut catalog = Catalog::new();
    let fxcm = define(&mut catalog, "EUR-USD.FXCM", Kind::Fx, "0.00001", "1");
    let oanda = define(&mut catalog, "EUR-USD.OANDA", Kind::Fx, "0.00001", "1");
    let source = |market: LeanMarket, id, days: &[&str], zone| {
        let mut lean = LeanSpec::new(market, LeanData::Quotes, LeanResolution::Tick);
        lean.size = Some(dec("1"));
        lean.zone = zone;
        let dealer = if market == LeanMarket::Fxcm { "fxcm" } else { "oanda" };
        let file =
            |day: &&str| data.join(&format!("fx-ticks/{dealer}/eurusd/201405{day}_quote.zip"));
        SourceSpec::new(Format::Lean(lean), days.iter().map(file)).of(id)
    };
    // 2014-05-06 from 07:00 to 20:00 UTC: the day's market.
    let midnight = 1_399_334_400_000_000_000i64;
    let hour = 3_600_000_000_000;
    let (from, to) = (midnight + 7 * hour, midnight + 20 * hour);
    let a = mids(&source(LeanMarket::Fxcm, fxcm, &["05", "06"], None), &catalog, from, to);
    let b = mids(&source(LeanMarket::Oanda, oanda, &["06"], None), &catalog, from, to);
    let rms = |a: &[i64], b: &[i64]| {
        let mean = a.iter().zip(b).map(|(a, b)| a - b).sum::<i64>() as f64 / a.len() as f64;
        let square = a.iter().zip(b).map(|(a, b)| ((a - b) as f64 - mean).powi(2)).sum::<f64>();
        // Half ticks of 0.00001; a pip is ten ticks.
        (square / a.len() as f64).sqrt() / 20.0
    };
    assert_eq!(a.len(), b.len());
    let apart = rms(&a, &b);
    assert!((0.10..0.16).contains(&apart), "{apart} pip");
    let utc = Some(tse_data::Zone::Utc);
    let misread = mids(&source(LeanMarket::Fxcm, fxcm, &["05", "06"], utc), &catalog, from, to);
    assert!(rms(&misread, &b) > 5.0, "read as UTC the error is {} pip", rms(&misread, &b));
}
