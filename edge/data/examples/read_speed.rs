//! How fast files become events: `cargo run --release -p tse-data --example read_speed [ROWS]`.
//!
//! Reads real captures from the data folder (`TSE_SHARED`, or `shared` beside the repository) and a
//! million (or as many as are asked for) generated rows of our own text and Parquet, three times each, and prints the best.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it is a program for people")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tse_data::{
    BinanceSpec, CsvSpec, DataSource, DatabentoSpec, Format, Kinds, LeanData, LeanMarket,
    LeanResolution, LeanSpec, Record, SourceSpec, Table, write,
};
use tse_model::{
    Catalog, Chance, Decimal, Events, FeeSchedule, InstrumentId, InstrumentSpec, Kind, MarketData,
    MarketEvent, Price, Qty, Quote, Settlement, Source, SourceFault, Timestamp,
};

type Failed = Box<dyn std::error::Error>;

fn told(fault: SourceFault) -> Failed {
    format!("{} {} ({})", fault.code, fault.what, fault.place).into()
}

fn define(
    catalog: &mut Catalog,
    symbol: &str,
    kind: Kind,
    tick: &str,
    lot: &str,
) -> Result<InstrumentId, Failed> {
    Ok(catalog.define_instrument(InstrumentSpec {
        symbol: symbol.parse()?,
        kind,
        settlement: Settlement::Difference,
        tick: tick.parse()?,
        lot: lot.parse()?,
        multiplier: Decimal::ONE,
        qty_min: lot.parse()?,
        qty_max: None,
        notional_min: Decimal::ZERO,
        price_max: None,
        margin_initial: Decimal::ONE,
        margin_maintenance: Decimal::ONE,
        fees: FeeSchedule::free(),
    })?)
}

/// Processor time of this process so far, where the system tells.
fn processor_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    stat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn measure(name: &str, spec: &SourceSpec, catalog: &Catalog) -> Result<(), Failed> {
    let mut best: Option<(Duration, u64, u64)> = None;
    // Small files are read often: the system counts processor time in steps of milliseconds.
    let bytes: u64 =
        spec.paths.iter().filter_map(|it| std::fs::metadata(it).ok()).map(|it| it.len()).sum();
    let often = (10_000_000 / bytes.max(1)).clamp(1, 50);
    for _ in 0..3 {
        let clock = Instant::now();
        let before = processor_time();
        let (mut batch, mut events, mut rows) = (Vec::new(), 0, 0);
        for _ in 0..often {
            let mut source = DataSource::open(spec, catalog).map_err(told)?;
            loop {
                batch.clear();
                source.read(&mut batch).map_err(told)?;
                if batch.is_empty() {
                    break;
                }
                events += batch.len() as u64;
            }
            rows += source.counts().rows;
        }
        let spent = match (before, processor_time()) {
            (Some(before), Some(after)) => after - before,
            _ => clock.elapsed(),
        };
        let run = (spent, rows, events);
        best = Some(best.map_or(run, |best| best.min(run)));
    }
    let (spent, rows, events) = best.ok_or("three runs were made")?;
    let per = |count: u64| spent.as_nanos() as u64 / count.max(1);
    let thousand_rows = rows * 1_000_000 / spent.as_micros().max(1) as u64 / 1_000;
    println!(
        "{name:<44} {rows:>9} rows {events:>9} events {:>6} ns/row {:>5} ns/event {thousand_rows:>7} krows/s",
        per(rows),
        per(events)
    );
    Ok(())
}

fn quotes(id: InstrumentId, count: usize) -> Vec<MarketEvent> {
    let mut chance = Chance::stream(1, "read speed");
    let (mut at, mut mid) = (1_700_000_000_000_000_000, 6_000_000);
    let mut quote = |_| {
        at += chance.between(1, 1_000_000);
        mid += chance.between(-2, 2);
        let quote = Quote {
            bid: Price::new(mid - 1),
            bid_qty: Qty::new(chance.between(1, 9_999_999)),
            ask: Price::new(mid + 1),
            ask_qty: Qty::new(chance.between(1, 9_999_999)),
        };
        let at = Timestamp::from_nanos(at);
        MarketEvent { ts_event: at, ts_recv: at, instrument: id, data: MarketData::Quote(quote) }
    };
    (0..count).map(&mut quote).collect()
}

fn generated(catalog: &Catalog, id: InstrumentId, rows: usize) -> Result<(), Failed> {
    let folder = std::env::temp_dir().join(format!("tse-read-speed-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let mut source = Events::new(quotes(id, rows));
    let plain = folder.join("quotes.csv");
    write(&mut source, &plain, Record::Quotes, catalog).map_err(told)?;
    let own = |path: &Path| {
        let parquet = path.extension().is_some_and(|end| end == "parquet");
        let format = match parquet {
            true => Format::Parquet(Table::default()),
            false => Format::Csv(CsvSpec::default()),
        };
        SourceSpec::new(format, [path])
    };
    measure("our text, plain", &own(&plain), catalog)?;
    for name in ["quotes.csv.gz", "quotes.csv.zst", "quotes.parquet"] {
        let path = folder.join(name);
        let mut source = DataSource::open(&own(&plain), catalog).map_err(told)?;
        write(&mut source, &path, Record::Quotes, catalog).map_err(told)?;
        measure(&format!("our {name}"), &own(&path), catalog)?;
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

fn main() -> Result<(), Failed> {
    let mut catalog = Catalog::new();
    let perpetual = Kind::Perpetual { inverse: false };
    let btc = define(&mut catalog, "BTC-USDT-PERP.BINANCE", perpetual, "0.01", "0.001")?;
    let spot = define(&mut catalog, "BTC-USDT.BINANCE", Kind::Spot, "0.01", "0.00000001")?;
    let eur = define(&mut catalog, "EUR-USD.FXCM", Kind::Fx, "0.00001", "1")?;
    let expiry = Timestamp::MAX;
    let future = Kind::Future { inverse: false, expiry };
    let es = define(&mut catalog, "ES-USD-240621.CME", future, "0.25", "1")?;
    let rows = std::env::args().nth(1).map_or(Ok(1_000_000), |rows| rows.parse())?;
    generated(&catalog, btc, rows)?;

    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let beside = || root.ancestors().nth(3).unwrap_or(Path::new(".")).join("shared");
    let data = std::env::var_os("TSE_SHARED").map_or_else(beside, PathBuf::from).join("data");
    if !data.is_dir() {
        eprintln!("no real data at {}: set TSE_SHARED to measure with it", data.display());
        return Ok(());
    }
    let binance = |file: &str, id, kinds| {
        let file = data.join(format!("crypto-ticks/binance-raw/{file}.gz"));
        let mut spec = SourceSpec::new(Format::BinanceRaw(BinanceSpec::default()), [file]).of(id);
        spec.kinds = kinds;
        spec
    };
    let usdm = "usdm_btcusdt_20240808";
    measure("Binance futures, all streams", &binance(usdm, btc, Kinds::ALL), &catalog)?;
    let two = Kinds::TRADES.and(Kinds::QUOTES);
    measure("Binance futures, trades and quotes", &binance(usdm, btc, two), &catalog)?;
    let file = "spot_btcusdt_20240808";
    measure("Binance spot, all streams", &binance(file, spot, Kinds::ALL), &catalog)?;
    let mut lean = LeanSpec::new(LeanMarket::Fxcm, LeanData::Quotes, LeanResolution::Tick);
    lean.size = Some(Decimal::ONE);
    let zip = data.join("fx-ticks/fxcm/eurusd/20140508_quote.zip");
    measure("Lean quotes", &SourceSpec::new(Format::Lean(lean), [zip]).of(eur), &catalog)?;
    let mbo = data.join("l3/es/orderbooks-20240508-2s.mbo.dbn.zst");
    let databento = Format::Databento(DatabentoSpec::default());
    measure("Databento MBO", &SourceSpec::new(databento, [mbo]).of(es), &catalog)
}
