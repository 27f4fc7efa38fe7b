//! Broken files: each must answer with code, place, reason and a fix, word for word.
//!
//! What they answer stands in `broken.txt`, for people to read and judge. After a change that is
//! meant, run the test with `TSE_BLESS=1` and look at the difference.

use crate::common::{define, future};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tse_data::{
    Adjust, BarEmit, BinanceSpec, CaptureSpec, CaptureVenue, ClockOffset, Column, CsvSpec,
    DatabentoSpec, Field, Format, LeanData, LeanMarket, LeanResolution, LeanSpec, Record,
    SourceSpec, Table, TimeFormat, Zone, check,
};
use tse_model::{Catalog, InstrumentId, Kind, SourceFault, Span};

/// A folder of broken files and what was made of them.
struct Bench {
    folder: tempfile::TempDir,
    catalog: Catalog,
    btc: InstrumentId,
    es: InstrumentId,
    said: String,
    cases: usize,
}

impl Bench {
    fn new() -> Self {
        let mut catalog = Catalog::new();
        let btc = define(&mut catalog, "BTC-USDT.BINANCE", Kind::Spot, "0.5", "0.001");
        let perpetual = Kind::Perpetual { inverse: false };
        define(&mut catalog, "BTC-USDT.OKX", Kind::Spot, "0.1", "0.001");
        define(&mut catalog, "BTC-USDT-PERP.BINANCE", perpetual, "0.1", "0.001");
        let es = define(&mut catalog, "ES-USD-240621.CME", future(), "0.25", "1");
        let folder = tempfile::tempdir().unwrap();
        Self { folder, catalog, btc, es, said: String::new(), cases: 0 }
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// Writes down what a source answers.
    fn answer(&mut self, title: &str, spec: &SourceSpec) {
        self.cases += 1;
        let report = check(spec, &self.catalog);
        let _ = writeln!(self.said, "## {title}");
        if report.problems.is_empty() {
            let _ = writeln!(self.said, "sound: {} rows", report.counts.rows);
        }
        for SourceFault { code, what, place, why, fix } in &report.problems {
            let _ = writeln!(self.said, "error[{code}]: {what}\n  --> {place}");
            if let Some(why) = why {
                let _ = writeln!(self.said, "  = why: {why}");
            }
            let _ = writeln!(self.said, "  = fix: {fix}");
            assert!(tse_data::codes::find(code).is_some(), "{code} is explained");
            assert!(!place.is_empty() && !fix.is_empty(), "{title}: {what}");
        }
        // A run stops at the first of them, with the same words.
        let stopped = crate::common::read(spec, &self.catalog).err();
        let first = report.problems.first().cloned();
        if stopped.is_some() && report.problems.len() == 1 {
            assert_eq!(stopped, first, "{title}");
        }
        self.said.push('\n');
    }

    /// A file of our own text.
    fn ours(&mut self, title: &str, name: &str, text: &str) {
        let path = self.file(name, text);
        let spec = SourceSpec::new(Format::Csv(CsvSpec::default()), [path]);
        self.answer(title, &spec);
    }

    /// A foreign file of one instrument.
    fn foreign(&mut self, title: &str, name: &str, text: &str, csv: CsvSpec) {
        let path = self.file(name, text);
        let spec = SourceSpec::new(Format::Csv(csv), [path]).of(self.btc);
        self.answer(title, &spec);
    }
}

fn of(record: Record) -> CsvSpec {
    CsvSpec { table: Table { record: Some(record), ..Table::default() }, ..CsvSpec::default() }
}

const QUOTES: &str = "# tse.market/1 quotes\nts_event,ts_recv,symbol,bid,bid_size,ask,ask_size\n";
const TRADES: &str = "# tse.market/1 trades\nts_event,ts_recv,symbol,side,price,size,id\n";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn text_files(bench: &mut Bench) {
    let quote = |row: &str| format!("{QUOTES}1000000000,,BTC-USDT.BINANCE,99.5,1,100,1\n{row}\n");
    let trade = |row: &str| format!("{TRADES}1000000000,,BTC-USDT.BINANCE,buy,100,1,1\n{row}\n");
    let row = "1000000001,,BTC-USDT.BINANCE";
    let quotes = [
        ("a crossed quote", format!("{row},100.5,1,100,1")),
        ("a price between two ticks", format!("{row},99.3,1,100,1")),
        ("a size between two lots", format!("{row},99.5,0.0001,100,1")),
        ("a size of zero in a quote", format!("{row},99.5,0,100,1")),
        ("a price without a size", format!("{row},99.5,,100,1")),
        ("a price of zero", format!("{row},0,1,100,1")),
        ("not a number", format!("{row},99.5,1,1OO,1")),
        ("NaN", format!("{row},99.5,1,NaN,1")),
        ("infinity", format!("{row},-inf,1,100,1")),
        ("too many digits", format!("{row},99.5,1,{},1", "9".repeat(45))),
        ("more ticks than 64 bits hold", format!("{row},99.5,1,9300000000000000000,1")),
        ("a row with a field too few", format!("{row},99.5,1,100")),
        ("a row with a field too many", format!("{row},99.5,1,100,1,7")),
        ("another delimiter in mid-file", format!("{row},99.5,1,100,1").replace(',', ";")),
        ("time going backwards", "999999999,,BTC-USDT.BINANCE,99.5,1,100,1".to_owned()),
        ("no time at all", ",,BTC-USDT.BINANCE,99.5,1,100,1".to_owned()),
        ("not a time", "soon,,BTC-USDT.BINANCE,99.5,1,100,1".to_owned()),
        ("an impossible day", "2024-02-30T00:00:00Z,,BTC-USDT.BINANCE,99.5,1,100,1".to_owned()),
        ("an unknown symbol", "1000000001,,DOGE-USDT.BINANCE,99.5,1,100,1".to_owned()),
        ("a symbol of two venues", "1000000001,,BTC-USDT,99.5,1,100,1".to_owned()),
        ("a quotation that does not end", format!("{row},99.5,1,100,\"1")),
    ];
    for (title, text) in quotes {
        bench.ours(title, "quotes.csv", &quote(&text));
    }
    let trades = [
        ("a trade of size zero", format!("{row},buy,100,0,2")),
        ("a negative size", format!("{row},buy,100,-1,2")),
        ("a negative price", format!("{row},buy,-100,1,2")),
        ("an unknown side", format!("{row},up,100,1,2")),
        ("an id that is no number", format!("{row},buy,100,1,a-7")),
        ("a missing price", format!("{row},buy,,1,2")),
    ];
    for (title, text) in trades {
        bench.ours(title, "trades.csv", &trade(&text));
    }
    let many = (0..30).fold(String::from(TRADES), |text, at| {
        text + &format!("{},,BTC-USDT.BINANCE,buy,{}.1,1,1\n", 1_000_000_000 + at, 100 + at)
    });
    bench.ours("more problems than are listed", "many.csv", &many);
    let head = "# tse.market/1 orders\nts_event,ts_recv,symbol,side,price,size,action,id,last\n";
    let orders = format!(
        "{head}1000000000,,BTC-USDT.BINANCE,bid,100,1,add,7,1\n\
         1000000001,,BTC-USDT.BINANCE,bid,100,1,cancel,8,1\n\
         1000000002,,BTC-USDT.BINANCE,bid,100,1,eat,7,1\n\
         1000000003,,BTC-USDT.BINANCE,,100,1,add,9,1\n\
         1000000004,,BTC-USDT.BINANCE,bid,100,2,fill,7,0\n\
         1000000005,,BTC-USDT.BINANCE,sell,100,2,trade,0,1\n"
    );
    bench.ours("an order book that does not add up", "orders.csv", &orders);
    let head = "# tse.market/1 bars\nts_event,ts_recv,symbol,open,high,low,close,volume,span\n";
    let bars = format!("{head}60000000000,,BTC-USDT.BINANCE,100,99.5,99,99.5,1,60000000000\n");
    bench.ours("a bar that opens above its high", "bars.csv", &bars);
    bench.ours(
        "a later version of the schema",
        "later.csv",
        "# tse.market/2 quotes\nts_event\n1\n",
    );
}

fn headers_and_settings(bench: &mut Bench) {
    bench.ours("an empty file", "empty.csv", "");
    bench.ours("a header and no rows", "header.csv", QUOTES);
    bench.ours("nothing says what the rows are", "bare.csv", "ts_event,symbol,price,size\n");
    let csv = of(Record::Trades);
    bench.foreign("a missing column", "t.csv", "time,price,size\n1,2,3\n", csv.clone());
    let mut mapped = csv.clone();
    mapped.table.columns = vec![(Field::TsEvent, Column::Name("when".into()))];
    bench.foreign("a mapped column that is not there", "t.csv", "time,price,size\n1,2,3\n", mapped);
    bench.foreign("a wrong delimiter", "t.csv", "ts_event;price;size\n1;2;3\n", csv.clone());
    let mut quotes = of(Record::Quotes);
    quotes.table.time = TimeFormat::Millis;
    let text = "ts_event,bid,ask\n1,99.5,100\n";
    bench.foreign("quotes without sizes", "q.csv", text, quotes);
    let mut day = csv.clone();
    day.table.time = TimeFormat::MillisOfDay;
    bench.foreign("midnight of which day", "t.csv", "ts_event,price,size\n1,100,3\n", day);
    let mut divisor = csv.clone();
    divisor.table.price_divisor = 12;
    bench.foreign("a divisor that is no power of ten", "t.csv", "ts_event,price,size\n", divisor);
    let mut zone = csv.clone();
    (zone.table.time, zone.table.zone) = (TimeFormat::Text, Zone::Named("Mars/Olympus".into()));
    bench.foreign("an unknown zone", "t.csv", "ts_event,price,size\n", zone);
    let mut twice = csv.clone();
    (twice.table.time, twice.table.zone) =
        (TimeFormat::Text, Zone::Named("America/New_York".into()));
    let text = "ts_event,price,size\n2014-11-02 01:30:00,100,1\n";
    bench.foreign("an hour that exists twice", "t.csv", text, twice);
    let bars = "ts_event,open,high,low,close\n60000000000,100,100,100,100\n";
    bench.foreign("bars of unknown length", "b.csv", bars, of(Record::Bars));
    let mut late = of(Record::Bars);
    late.table.bars.span = Some(Span::from_secs(60));
    late.table.bars.emit = BarEmit::Quotes {
        offsets: [-300, -200, 0, 100].map(Span::from_millis),
        size: tse_model::Decimal::ONE,
    };
    bench.foreign("a quote after its bar", "b.csv", bars, late);
    let mut headless = csv.clone();
    headless.header = false;
    headless.table.columns = [(Field::TsEvent, 0), (Field::Price, 1), (Field::Size, 5)]
        .map(|(f, at)| (f, Column::At(at)))
        .into();
    bench.foreign("a column beyond the last", "t.csv", "1000000000,100,1\n", headless);

    let path = bench.folder.path().join("absent.csv");
    let other = bench.folder.path().join("absent-too.csv");
    bench.answer("missing files", &SourceSpec::new(Format::Csv(csv.clone()), [path, other]));
    let folder = bench.folder.path().to_owned();
    bench.answer("a folder", &SourceSpec::new(Format::Csv(csv.clone()), [folder]));
    bench.answer("no files", &SourceSpec::new(Format::Csv(csv.clone()), Vec::<PathBuf>::new()));
    let path = bench.file("t.csv", "ts_event,price,size\n1000000000,100,1\n");
    bench.answer("no instrument", &SourceSpec::new(Format::Csv(csv.clone()), [&path]));
    let mut range = SourceSpec::new(Format::Csv(csv), [path]).of(bench.btc);
    range.from = Some(tse_model::Timestamp::from_nanos(2_000_000_000));
    bench.answer("a range with nothing in it", &range);
}

fn packed_files(bench: &mut Bench) {
    let rows = (0..20_000).fold(String::from(TRADES), |text, at| {
        text + &format!("{},,BTC-USDT.BINANCE,buy,100,1,{at}\n", 1_000_000_000 + at)
    });
    let packed = gzip(rows.as_bytes());
    let csv = || Format::Csv(CsvSpec::default());
    let path = bench.file("cut.csv.gz", &packed[..packed.len() / 2]);
    bench.answer("a cut gzip file", &SourceSpec::new(csv(), [path]));
    let mut damaged = packed.clone();
    let middle = damaged.len() - 5;
    damaged[middle] ^= 0xff;
    let path = bench.file("damaged.csv.gz", damaged);
    bench.answer("a damaged gzip file", &SourceSpec::new(csv(), [path]));
    let zstd = zstd::encode_all(rows.as_bytes(), 1).unwrap();
    let path = bench.file("cut.csv.zst", &zstd[..zstd.len() - 9]);
    bench.answer("a cut zstd file", &SourceSpec::new(csv(), [path]));
    let path = bench.file("cut.zip", b"PK\x03\x04 and then nothing");
    bench.answer("a cut zip file", &SourceSpec::new(csv(), [path]));
    let path = bench.file("long.csv", vec![b'x'; 17 * 1024 * 1024]);
    bench.answer("a file without line ends", &SourceSpec::new(csv(), [path]));
    let path = bench.file("is.csv", b"PAR1 is not text");
    bench.answer("a Parquet file that should be text", &SourceSpec::new(csv(), [path]));

    let parquet = || Format::Parquet(Table::default());
    let path = bench.file("text.parquet", TRADES);
    bench.answer("text that should be Parquet", &SourceSpec::new(parquet(), [path]));
    let path = bench.file("cut.parquet", b"PAR1 and then nothing more");
    bench.answer("a cut Parquet file", &SourceSpec::new(parquet(), [path]));
    let path = bench.file("damaged.parquet", b"PAR1 and then noise \x05\x00\x00\x00PAR1");
    bench.answer("a damaged Parquet file", &SourceSpec::new(parquet(), [path]));

    let dbn = || Format::Databento(DatabentoSpec::default());
    let path = bench.file("text.dbn", TRADES);
    bench.answer("text that should be DBN", &SourceSpec::new(dbn(), [path]).of(bench.es));
}

const TRADE: &str = r#"1000000000000000000 {"stream":"btcusdt@trade","data":{"e":"trade","E":1000000000000,"T":1000000000000,"s":"BTCUSDT","t":1,"p":"100.0","q":"0.001","m":true}}"#;

fn captures(bench: &mut Bench) {
    let lines = [
        ("a line without its time", r#"{"e":"trade"}"#.to_owned()),
        ("a message that is cut off", TRADE[..100].to_owned()),
        ("a message that lacks a field", TRADE.replace(r#","t":1"#, "")),
        ("a message of another instrument", TRADE.replace("BTCUSDT", "ETHUSDT")),
        ("a price off the tick in a message", TRADE.replace("100.0", "100.3")),
    ];
    for (title, line) in lines {
        let path = bench.file("capture", format!("{TRADE}\n{line}\n"));
        let format = Format::BinanceRaw(BinanceSpec::default());
        bench.answer(title, &SourceSpec::new(format, [path]).of(bench.btc));
    }
    let diff = |first: u64, last: u64| {
        format!(
            r#"1000000000000000000 {{"e":"depthUpdate","E":1000000000000,"s":"BTCUSDT","U":{first},"u":{last},"b":[["100.0","1"]],"a":[]}}"#
        )
    };
    let format = || Format::BinanceRaw(BinanceSpec::default());
    let path = bench.file("capture", format!("{TRADE}\n{}\n{}\n", diff(1, 2), diff(3, 4)));
    bench.answer("depth without a snapshot", &SourceSpec::new(format(), [path]).of(bench.btc));
    let snapshot = r#"1000000000000000000 {"lastUpdateId":2,"bids":[["99.5","1"]],"asks":[]}"#;
    let path = bench.file("capture", format!("{snapshot}\n{}\n{}\n", diff(3, 4), diff(6, 7)));
    bench.answer("a gap in the depth", &SourceSpec::new(format(), [path]).of(bench.btc));
    let okx = r#"1000000000.5: {"arg":{"channel":"books","instId":"BTC-USDT"},"action":"snapshot","data":[{"asks":[["100.5","1","0","1"]],"bids":[["100","1","0","1"]],"ts":"1000000000000","checksum":-1}]}"#;
    let capture = CaptureSpec { venue: CaptureVenue::Okx, clock: ClockOffset::Fixed(Span::ZERO) };
    let path = bench.file("okx", format!("{okx}\n{}\n", &okx[..120]));
    let format = Format::Cryptofeed(capture);
    bench.answer("a book with another checksum", &SourceSpec::new(format, [path]).of(bench.btc));
}

fn archives(bench: &mut Bench) {
    let zip = |members: &[(&str, &str)]| {
        let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, text) in members {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    };
    let lean = LeanSpec::new(LeanMarket::Crypto, LeanData::Trades, LeanResolution::Tick);
    let path = bench.file("20240506_trade.zip", zip(&[("a.csv", "1,100,1\n"), ("b.csv", "")]));
    let source = |lean: &LeanSpec, path: &Path, bench: &Bench| {
        SourceSpec::new(Format::Lean(lean.clone()), [path]).of(bench.btc)
    };
    bench.answer("an archive of two files", &source(&lean, &path, bench));
    let wrong = LeanSpec { member: Some("c.csv".into()), ..lean.clone() };
    bench.answer("a member that is not there", &source(&wrong, &path, bench));
    let mut bytes = zip(&[("a.csv", "1,100,1\n2,100,1\n")]);
    // A byte of the member's checksum, in the directory.
    let directory = bytes.windows(4).position(|it| it == b"PK\x01\x02").unwrap();
    bytes[directory + 16] ^= 0xff;
    let path = bench.file("20240507_trade.zip", bytes);
    bench.answer("a member with another checksum", &source(&lean, &path, bench));
    let path = bench.file("20240508_trade.zip", zip(&[("a.csv", "1,100,1\n90000000,100,1\n")]));
    bench.answer("a day with more than a day in it", &source(&lean, &path, bench));
    let factors = bench.file("factors.csv", "20200101,1,1\n20190101,1,1\n");
    let daily = LeanSpec {
        adjust: Some(Adjust { path: factors, dividends: true }),
        ..LeanSpec::new(LeanMarket::UsEquity, LeanData::Trades, LeanResolution::Daily)
    };
    let path = bench
        .file("x.zip", zip(&[("x.csv", "20240506 00:00,1000000,1000000,1000000,1000000,1\n")]));
    bench.answer("factors out of order", &source(&daily, &path, bench));
    bench.file("factors.csv", "20190101,1,1\n20200101,1,1\n");
    bench.answer("factors that end too early", &source(&daily, &path, bench));
}

#[test]
fn every_broken_file_answers_with_code_place_reason_and_fix() {
    let mut bench = Bench::new();
    text_files(&mut bench);
    headers_and_settings(&mut bench);
    packed_files(&mut bench);
    captures(&mut bench);
    archives(&mut bench);
    assert!(bench.cases >= 60, "{} cases", bench.cases);
    let folder = bench.folder.path().display().to_string();
    let said = bench.said.replace(&folder, "data");
    let golden = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs tests"))
        .join("tests/data/broken.txt");
    if std::env::var_os("TSE_BLESS").is_some() {
        std::fs::write(&golden, &said).unwrap();
    }
    let expected = std::fs::read_to_string(&golden).unwrap();
    for (found, expected) in said.lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(said.len(), expected.len());
}
