//! Delimited text: our own schema, foreign columns, bars.

use crate::common::{DataFolder, dec, define, drain, events, one};
use tse_data::{
    BarEmit, BarSpec, BidAskSpec, BinanceSpec, Column, Crossed, CsvSpec, DataSource, Field, Format,
    Kinds, LeanData, LeanMarket, LeanResolution, LeanSpec, OffGrid, OnBad, Record, SourceSpec,
    Stamp, Table, TimeFormat, Zone, codes,
};
use tse_model::{Catalog, Kind, MarketData, MarketEvent, Side, Span, Timestamp};

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

/// A table with these columns, otherwise ours.
fn table(record: Record, columns: &[(Field, &str)]) -> Table {
    let named = |(field, name): &(Field, &str)| (*field, Column::Name((*name).to_owned()));
    Table { record: Some(record), columns: columns.iter().map(named).collect(), ..Table::default() }
}

fn csv(table: Table) -> Format {
    Format::Csv(CsvSpec { table, ..CsvSpec::default() })
}

/// Events of a text.
fn text(
    text: &str,
    spec: impl Fn(&std::path::Path) -> SourceSpec,
    catalog: &Catalog,
) -> Vec<MarketEvent> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("20240506_file.csv");
    std::fs::write(&path, text).unwrap();
    events(&spec(&path), catalog)
}

#[test]
fn foreign_columns_are_named_in_the_source() {
    let Some(data) = DataFolder::find("normalised captures") else { return };
    let perpetual = Kind::Perpetual { inverse: true };
    let (catalog, id) = one("BTC-USD-PERP:BTC.BINANCE", perpetual, "0.1", "1");
    let name = "cm_btcusd_perp_20240808";
    let mut trades = table(
        Record::Trades,
        &[
            (Field::TsEvent, "ts_event_ns"),
            (Field::TsRecv, "ts_recv_ns"),
            (Field::Id, "trade_id"),
            (Field::Size, "qty"),
            (Field::Side, "aggressor"),
        ],
    );
    trades.time = TimeFormat::Nanos;
    let file = data.join(&format!("crypto-ticks/binance-norm/{name}.trades.csv.gz"));
    let found = events(&SourceSpec::new(csv(trades), [file]).of(id), &catalog);
    let raw = data.join(&format!("crypto-ticks/binance-raw/{name}.gz"));
    let mut spec = SourceSpec::new(Format::BinanceRaw(BinanceSpec::default()), [raw]).of(id);
    spec.kinds = Kinds::TRADES;
    assert_eq!(found, events(&spec, &catalog), "the two copies hold the same trades");
}

#[test]
fn a_row_that_was_not_told_when_it_happened_happened_when_it_was_received() {
    let Some(data) = DataFolder::find("spot quotes") else { return };
    let (catalog, id) = one("BTC-USDT.BINANCE", Kind::Spot, "0.01", "0.00000001");
    let quotes = table(
        Record::Quotes,
        &[
            (Field::TsEvent, "ts_event_ns"),
            (Field::TsRecv, "ts_recv_ns"),
            (Field::Bid, "bid_px"),
            (Field::BidSize, "bid_qty"),
            (Field::Ask, "ask_px"),
            (Field::AskSize, "ask_qty"),
        ],
    );
    let file = data.join("crypto-ticks/binance-norm/spot_btcusdt_20240808.bbo.csv.gz");
    let found = events(&SourceSpec::new(csv(quotes), [file]).of(id), &catalog);
    assert_eq!(found.len(), 28_040);
    assert_eq!(found[0].ts_event.nanos(), 1_723_161_254_087_891_268);
}

#[test]
fn aligned_copies_equal_the_archives_they_were_made_of() {
    let Some(data) = DataFolder::find("aligned fx") else { return };
    let (catalog, id) = one("EUR-USD.FXCM", Kind::Fx, "0.00001", "1");
    let day = Timestamp::from_nanos(1_399_334_400_000_000_000);
    for (dealer, market) in [("fxcm", LeanMarket::Fxcm), ("oanda", LeanMarket::Oanda)] {
        let mut aligned = table(Record::Quotes, &[(Field::TsEvent, "ts_ms_utc")]);
        (aligned.time, aligned.size) = (TimeFormat::Millis, Some(dec("1")));
        let file = data.join(&format!("fx-ticks/norm-utc/{dealer}_eurusd_20140506.csv.gz"));
        let copy =
            SourceSpec { crossed: Some(Crossed::Skip), ..SourceSpec::new(csv(aligned), [file]) };
        let mut lean = LeanSpec::new(market, LeanData::Quotes, LeanResolution::Tick);
        lean.size = Some(dec("1"));
        // A day of UTC spans two files of a dealer whose clocks stand five hours behind.
        let days = ["05", "06"];
        let files =
            days.map(|day| data.join(&format!("fx-ticks/{dealer}/eurusd/201405{day}_quote.zip")));
        let mut archive = SourceSpec::new(Format::Lean(lean), files).of(id);
        (archive.from, archive.to) = (Some(day), Some(day + Span::from_secs(86_400)));
        let (copy, archive) = (events(&copy.of(id), &catalog), events(&archive, &catalog));
        assert_eq!(copy.len(), archive.len(), "{dealer}");
        assert!(copy == archive, "{dealer}");
    }
}

#[test]
fn bars_of_bids_and_bars_of_asks_become_quotes() {
    let Some(data) = DataFolder::find("bid and ask bars") else { return };
    let (catalog, id) = one("GBP-USD.FXCM", Kind::Fx, "0.00001", "1");
    let mut bars = table(Record::Bars, &[(Field::TsEvent, "timestamp")]);
    bars.bars = BarSpec {
        span: Some(Span::from_secs(60)),
        stamp: Stamp::Close,
        emit: BarEmit::Quotes {
            offsets: [millis(-300), millis(-200), millis(-100), millis(0)],
            size: dec("1000000"),
        },
    };
    let file = |side: &str| data.join(&format!("bars/fx/fxcm/minute/gbpusd-m1-{side}-2012.csv.gz"));
    let pair = BidAskSpec {
        csv: CsvSpec { table: bars, ..CsvSpec::default() },
        asks: vec![file("ask")],
        unmatched: OnBad::Error,
    };
    let mut spec = SourceSpec::new(Format::BidAskBars(pair), [file("bid")]).of(id);
    // The lowest bid of a minute and its lowest ask are of two moments: here they cross.
    let fault = crate::common::read(&spec, &catalog).unwrap_err();
    assert_eq!(fault.what, "bid 1.57307 > ask 1.57306 (crossed quote)");
    assert!(fault.place.ends_with("gbpusd-m1-bid-2012.csv.gz: row 425"), "{}", fault.place);
    spec.crossed = Some(Crossed::Keep);
    let quotes = events(&spec, &catalog);
    assert_eq!(quotes.len(), 4 * 30_117);
    let MarketData::Quote(first) = quotes[0].data else { panic!() };
    assert_eq!(
        (first.bid.get(), first.ask.get(), first.ask_qty.get()),
        (157_597, 157_608, 1_000_000)
    );
    assert_eq!(quotes[0].ts_event.to_string(), "2012-01-31T23:59:59.700000000Z");
    spec.rows_max = Some(100);
    assert_eq!(events(&spec, &catalog).len(), 400);
}

#[test]
fn a_bar_without_its_partner_is_an_error_or_left_out() {
    let (catalog, id) = one("GBP-USD.FXCM", Kind::Fx, "0.00001", "1");
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let bars = |minutes: &[i64], spread: i64| {
        let head = "ts_event,open,high,low,close\n".to_owned();
        minutes.iter().fold(head, |text, minute| {
            let price = 1.5 + 0.0001 * spread as f64;
            text + &format!(
                "{},{price:.5},{price:.5},{price:.5},{price:.5}\n",
                minute * 60_000_000_000
            )
        })
    };
    std::fs::write(path("bid.csv"), bars(&[1, 2, 4, 5], 0)).unwrap();
    std::fs::write(path("ask.csv"), bars(&[2, 3, 4], 1)).unwrap();
    let mut table = table(Record::Bars, &[]);
    table.bars.span = Some(Span::from_secs(60));
    table.bars.emit = BarEmit::Quotes { offsets: [-3, -2, -1, 0].map(millis), size: dec("1") };
    let source = |unmatched| {
        let csv = CsvSpec { table: table.clone(), ..CsvSpec::default() };
        let pair = BidAskSpec { csv, asks: vec![path("ask.csv")], unmatched };
        SourceSpec::new(Format::BidAskBars(pair), [path("bid.csv")]).of(id)
    };
    let fault = crate::common::read(&source(OnBad::Error), &catalog).unwrap_err();
    assert_eq!(fault.code, codes::BARS_DIFFER);
    assert_eq!(fault.what, "the bid bar that ends 1970-01-01T00:01:00.000000000Z has no ask bar");
    let mut skipping = DataSource::open(&source(OnBad::Skip), &catalog).unwrap();
    assert_eq!(drain(&mut skipping).len(), 8);
    assert_eq!((skipping.counts().unmatched, skipping.counts().rows), (3, 2));
    let report = tse_data::check(&source(OnBad::Error), &catalog);
    assert_eq!(report.problems.len(), 3, "all in one pass");
}

#[test]
fn text_comes_with_any_delimiter_quotation_and_order_of_columns() {
    let mut catalog = Catalog::new();
    let btc = define(&mut catalog, "BTC-USDT.BINANCE", Kind::Spot, "0.1", "0.001");
    let eth = define(&mut catalog, "ETH-USDT.BINANCE", Kind::Spot, "0.01", "0.001");
    let mut foreign = table(
        Record::Trades,
        &[
            (Field::TsEvent, "date"),
            (Field::Symbol, "Pair"),
            (Field::Size, "amount"),
            (Field::Side, "is buyer maker"),
        ],
    );
    foreign.time = TimeFormat::Text;
    foreign.zone = Zone::Fixed(3_600);
    (foreign.buy_words, foreign.sell_words) = (vec!["false".into()], vec!["true".into()]);
    let format = Format::Csv(CsvSpec {
        delimiter: b';',
        skip_lines: 1,
        table: foreign,
        ..CsvSpec::default()
    });
    let spec = |path: &std::path::Path| SourceSpec {
        symbols: vec![("XBT".into(), btc)],
        ..SourceSpec::new(format.clone(), [path])
    };
    let rows = "exported by somebody\n\
        \u{feff}\"Pair\";amount;price;date;is buyer maker\r\n\
        XBT;0.5;43000.5;\"2024-05-06 08:00:00\";true\r\n\
        \"ethusdt\"; 2 ;2300;2024-05-06 08:00:00.25;False\r\n";
    let found = text(rows, spec, &catalog);
    let trade = |event: &MarketEvent| match event.data {
        MarketData::Trade(it) => (event.instrument, it.price.get(), it.qty.get(), it.aggressor),
        _ => panic!(),
    };
    assert_eq!(trade(&found[0]), (btc, 430_005, 500, Some(Side::Sell)));
    assert_eq!(trade(&found[1]), (eth, 230_000, 2_000, Some(Side::Buy)));
    assert_eq!(found[1].ts_event.to_string(), "2024-05-06T07:00:00.250000000Z");
}

#[test]
fn columns_without_a_header_are_counted_and_times_count_from_the_days_midnight() {
    let (catalog, id) = one("IBM-USD.NYSE", Kind::Equity, "0.01", "1");
    let at = |field, at| (field, Column::At(at));
    let table = Table {
        record: Some(Record::Quotes),
        columns: vec![
            at(Field::TsEvent, 4),
            at(Field::Bid, 1),
            at(Field::BidSize, 0),
            at(Field::Ask, 2),
            at(Field::AskSize, 3),
        ],
        time: TimeFormat::MillisOfDay,
        zone: Zone::Named("America/New_York".into()),
        price_divisor: 10_000,
        ..Table::default()
    };
    let format =
        Format::Csv(CsvSpec { delimiter: b'\t', header: false, table, ..CsvSpec::default() });
    let found = text(
        "100\t1671500\t1671600\t200\t34200000\n",
        |path| SourceSpec::new(format.clone(), [path]).of(id),
        &catalog,
    );
    // The file's name begins with 20240506.
    assert_eq!(found[0].ts_event.to_string(), "2024-05-06T13:30:00.000000000Z");
    let MarketData::Quote(quote) = found[0].data else { panic!() };
    assert_eq!((quote.bid.get(), quote.ask.get()), (16_715, 16_716));
}

#[test]
fn rows_of_a_book_that_have_something_in_common_are_one_message() {
    let (catalog, id) = one("BTC-USDT.BINANCE", Kind::Spot, "0.1", "0.001");
    let rows = "ts_event,update,side,price,size\n\
        1000000000,7,bid,100.0,1\n\
        1000000000,7,ask,100.1,2\n\
        1000000000,8,ask,100.1,0\n\
        2000000000,9,bid,99.9,1\n";
    let ends = |columns: &[(Field, &str)]| {
        let format = csv(table(Record::Depth, columns));
        let found = text(rows, |path| SourceSpec::new(format.clone(), [path]).of(id), &catalog);
        let last = |event: &MarketEvent| match event.data {
            MarketData::Depth(depth) => depth.last,
            _ => panic!(),
        };
        found.iter().map(last).collect::<Vec<_>>()
    };
    assert_eq!(ends(&[(Field::Message, "update")]), [false, true, true, true]);
    assert_eq!(ends(&[]), [false, false, true, true], "without a number, by time");
}

#[test]
fn prices_off_the_grid_are_refused_skipped_or_rounded_and_always_counted() {
    let (catalog, id) = one("BTC-USDT.BINANCE", Kind::Spot, "0.5", "0.001");
    let rows = "ts_event,price,size\n1000000000,100.2,1\n1000000001,100.5,1\n1000000002,100.75,1\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trades.csv");
    std::fs::write(&path, rows).unwrap();
    let run = |off_grid| {
        let format = csv(table(Record::Trades, &[]));
        let spec = SourceSpec { off_grid, ..SourceSpec::new(format, [&path]).of(id) };
        let mut source = DataSource::open(&spec, &catalog).unwrap();
        let prices = crate::common::try_drain(&mut source).map(|events| {
            let price = |event: &MarketEvent| match event.data {
                MarketData::Trade(trade) => trade.price.get(),
                _ => panic!(),
            };
            events.iter().map(price).collect::<Vec<_>>()
        });
        (prices, source.counts().off_grid, source.counts().rounded)
    };
    assert_eq!(run(OffGrid::Error).0.unwrap_err().code, codes::OFF_TICK);
    assert_eq!(run(OffGrid::Skip), (Ok(vec![201]), 2, 0));
    assert_eq!(run(OffGrid::Round), (Ok(vec![200, 201, 202]), 0, 2));
}

#[test]
fn a_check_tells_what_is_in_a_source() {
    let (catalog, id) = one("BTC-USDT.BINANCE", Kind::Spot, "0.1", "0.001");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("quotes.csv");
    let rows = "ts_event,ts_recv,bid,bid_size,ask,ask_size\n\
        1000000000,1000000500,100.0,1,100.1,1\n\
        1000000001,1000000002,100.0,1,100.3,1\n\
        1000000002,1000000003,100.4,1,100.3,1\n\
        1000000003,1000000003,100.0,1,,\n\
        1000000004,1000000004,100.0,1,100.2,1\n";
    std::fs::write(&path, rows).unwrap();
    let mut spec = SourceSpec::new(csv(table(Record::Quotes, &[])), [&path]).of(id);
    spec.crossed = Some(Crossed::Skip);
    let report = tse_data::check(&spec, &catalog);
    assert_eq!((report.counts.rows, report.counts.quotes, report.counts.crossed), (5, 4, 1));
    assert_eq!(report.first.unwrap().nanos(), 1_000_000_000);
    assert_eq!(report.last.unwrap().nanos(), 1_000_000_004);
    assert_eq!(report.latency, Some((Span::ZERO, Span::from_nanos(500))));
    let of = &report.instruments[0];
    assert_eq!((of.instrument, of.events, of.crossed_books, of.gaps), (id, 4, 0, 0));
    let spread = of.spread.unwrap();
    assert_eq!((spread.count, spread.min, spread.median, spread.max), (3, 1, 2, 3));
    assert_eq!(of.prices.map(|(low, high)| (low.get(), high.get())), Some((1_000, 1_003)));
    assert_eq!((report.problems.len(), report.problems_total), (0, 0));
}
