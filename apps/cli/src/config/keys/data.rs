//! The keys of data sources.

use super::Need::{Default, Optional, Required};
use super::{Range, Section, Sign, Takes};

const FORMATS: &[&str] =
    &["csv", "parquet", "bid_ask_bars", "binance", "lean", "dbn", "cryptofeed", "synthetic"];
/// Formats that are files.
const FILES: &[&str] = &["csv", "parquet", "bid_ask_bars", "binance", "lean", "dbn", "cryptofeed"];
const TEXT: &[&str] = &["csv", "bid_ask_bars"];
const TABLE: &[&str] = &["csv", "parquet", "bid_ask_bars"];
const TABLE_OR_LEAN: &[&str] = &["csv", "parquet", "bid_ask_bars", "lean"];
const TEXT_OR_LEAN: &[&str] = &["csv", "bid_ask_bars", "lean"];
const SYNTHETIC: &[&str] = &["synthetic"];
const CAPTURE: &[&str] = &["binance", "cryptofeed"];

keys! {
    COMMON
    /// What the files are; see docs/data-formats.md.
    "format": Takes::Word(FORMATS), Required("\"csv\"");
    /// The file, relative to the config; `${TSE_SHARED}` and other variables are filled in.
    "path": Takes::Path, Optional("\"data/btc.csv.gz\""), only FILES;
    /// Several files, in order of time.
    "paths": Takes::List(&Takes::Path), Optional("[\"data/1.csv\", \"data/2.csv\"]"), only FILES;
    /// The instrument of every row, where the files do not name it.
    "instrument": Takes::Instrument, Optional("\"BTC-USDT.BINANCE\"");
    /// What the files call the instruments; names not listed are looked up as they are.
    "symbols": Takes::Map(&Takes::Instrument),
        Optional("{ BTCUSDT = \"BTC-USDT.BINANCE\" }"), only FILES;
    /// What to do with rows of other instruments; without it, what is usual for the format.
    "unknown_symbols": Takes::Word(&["error", "skip"]), Optional("\"skip\""), only FILES;
    /// Which kinds of events to read; without it, all.
    "kinds": Takes::List(&Takes::Word(&tse_data::Kinds::NAMES)),
        Optional("[\"trades\", \"depth\"]"), only FILES;
    /// Reads no more rows than this.
    "rows_max": Takes::Whole { min: 1, max: i64::MAX }, Optional("10000"), in "rows", only FILES;
    /// Leaves out what happened before; a book that is cut begins with a snapshot of its
    /// state.
    "from": Takes::Moment, Optional("\"2024-08-08T23:54:16Z\""), only FILES;
    /// Leaves out what happened then or later.
    "to": Takes::Moment, Optional("\"2024-08-09T00:00:00Z\""), only FILES;
    /// When time goes backwards: stop, move up, or hold back so long and sort; without it,
    /// what is usual for the format.
    "order": Takes::Either(&[Takes::Word(&["error", "clamp"]), Takes::Time(Sign::Positive)]),
        Optional("\"250ms\""), only FILES;
    /// What to do with quotes whose bid is above their ask; without it, what is usual for the
    /// format.
    "crossed": Takes::Word(&["error", "skip", "keep"]), Optional("\"skip\""), only FILES;
    /// What to do with prices between ticks and sizes between lots.
    "off_grid": Takes::Word(&["error", "skip", "round"]), Default("\"error\""), only FILES;
    /// What to do with trades of size zero; without it, what is usual for the format.
    "zero_size": Takes::Word(&["error", "skip"]), Optional("\"skip\""), only FILES;
}

keys! {
    TEXT_KEYS
    /// One character between fields; `\t` for tabs.
    "delimiter": Takes::Text, Default("\",\""), only TEXT;
    /// Whether the first line names the columns.
    "header": Takes::Flag, Default("true"), only TEXT;
    /// How many to pass over before anything else.
    "skip_lines": Takes::Whole { min: 0, max: u32::MAX as i64 },
        Default("0"), in "lines", only TEXT;
    /// Which file of a zip archive, where it has several.
    "member": Takes::Text, Optional("\"20131227.csv\""), only TEXT_OR_LEAN;
}

keys! {
    TABLE_KEYS
    /// What a row is; our own files say it themselves.
    "record": Takes::Word(&["quotes", "trades", "depth", "orders", "bars", "funding", "marks", "status", "events"]),
        Optional("\"trades\""), only TABLE;
    /// Foreign columns: our field, then their name or place (the first is 0).
    "columns": Takes::Map(&Takes::Either(&[Takes::Text, Takes::Whole { min: 0, max: 65_535 }])),
        Optional("{ price = \"px\", size = 3 }"), only TABLE;
    /// How times are written; `any` is nanoseconds or text.
    "time": Takes::Word(&["any", "s", "ms", "us", "ns", "ms_of_day", "text"]),
        Default("\"any\""), only TABLE;
    /// Where the clocks stand: UTC, an offset such as UTC-05:00, or an IANA name; UTC
    /// (lean: the market's) unless it is said.
    "zone": Takes::Text, Optional("\"America/New_York\""), only TABLE_OR_LEAN;
    /// The day that times since midnight count from; without it, the eight digits that
    /// begin the file's name.
    "date": Takes::Date, Optional("\"2014-05-06\""), only TABLE_OR_LEAN;
    /// Prices in the file are this many times too large: a power of ten.
    "price_divisor": Takes::Whole { min: 1, max: 1_000_000_000_000_000_000 },
        Default("1"), only TABLE;
    /// Sizes in the file are this many times too large: a power of ten.
    "size_divisor": Takes::Whole { min: 1, max: 1_000_000_000_000_000_000 },
        Default("1"), only TABLE;
    /// Words for buyers and bids besides the usual ones.
    "buy_words": Takes::List(&Takes::Text), Optional("[\"compra\"]"), only TABLE;
    /// Words for sellers and asks besides the usual ones.
    "sell_words": Takes::List(&Takes::Text), Optional("[\"venta\"]"), only TABLE;
    /// Size of quotes and trades in files without sizes.
    "size": Takes::Decimal(Range::Positive),
        Optional("\"1000000\""), in "base units or contracts", only TABLE_OR_LEAN;
    /// How bars are read.
    "bars": Takes::Section(&BARS), Optional("{ span = \"1m\" }"), only TABLE_OR_LEAN;
    /// Corrects prices and sizes for splits and dividends.
    "adjust": Takes::Section(&ADJUST), Optional("{ path = \"ibm.csv\" }"), only TABLE_OR_LEAN;
    /// Only rows of this exchange.
    "exchange": Takes::Text, Optional("\"NYSE\""), only TABLE_OR_LEAN;
    /// A price of zero in a quote means that there is none on that side.
    "zero_is_none": Takes::Flag, Default("false"), only TABLE;
    /// A side without a quote keeps the one it had.
    "hold_sides": Takes::Flag, Default("false"), only TABLE_OR_LEAN;
}

keys! {
    BID_ASK_KEYS
    /// The file of ask bars; `path` is the bids.
    "ask_path": Takes::Path, Optional("\"data/ask.csv\""), only &["bid_ask_bars"];
    /// Several files of ask bars.
    "ask_paths": Takes::List(&Takes::Path), Optional("[\"data/ask1.csv\"]"), only &["bid_ask_bars"];
    /// What to do with a bar without a partner.
    "unmatched": Takes::Word(&["error", "skip"]), Default("\"error\""), only &["bid_ask_bars"];
}

keys! {
    CAPTURE_KEYS
    /// What to add to the recorder's clock; `measured` is the least that lets none of the
    /// first 10,000 messages arrive before it happened.
    "clock": Takes::Either(&[Takes::Word(&["measured"]), Takes::Time(Sign::Any)]),
        Default("\"0s\""), only CAPTURE;
    /// Whose messages a cryptofeed capture holds; needed there.
    "venue": Takes::Word(&["okx", "kraken"]), Optional("\"okx\""), only &["cryptofeed"];
}

keys! {
    LEAN_KEYS
    /// Which of Lean's markets, which decides zone and unit of price; needed there.
    "market": Takes::Word(&["crypto", "fxcm", "oanda", "us_equity", "future"]),
        Optional("\"oanda\""), only &["lean"];
    /// Lean's quotes or trades; needed there.
    "type": Takes::Word(&["quotes", "trades"]), Optional("\"quotes\""), only &["lean"];
    /// Lean's resolution; needed there.
    "resolution": Takes::Word(&["tick", "second", "minute", "hour", "daily"]),
        Optional("\"tick\""), only &["lean"];
}

keys! {
    DBN_KEYS
    /// Only records with this number of Databento's.
    "instrument_id": Takes::Whole { min: 0, max: u32::MAX as i64 },
        Optional("17077"), only &["dbn"];
}

keys! {
    SYNTHETIC_KEYS
    /// The fair price that it follows; markets with one process follow one price. Without it, the
    /// symbol without its venue.
    "process": Takes::Text, Optional("\"btc\""), only SYNTHETIC;
    /// The fair price at the start; needed there.
    "price": Takes::Decimal(Range::Positive),
        Optional("\"60000\""), in "quote currency", only SYNTHETIC;
    /// Standard deviation of the fair price in one step.
    "volatility_bps": Takes::Decimal(Range::NotNegative),
        Default("\"0.5\""), in "basis points", only SYNTHETIC;
    /// Standard deviation of this market's own noise in one step.
    "noise_bps": Takes::Decimal(Range::NotNegative),
        Default("\"0.2\""), in "basis points", only SYNTHETIC;
    /// Which part of that noise fades in one step, to a thousandth.
    "noise_fade": Takes::Decimal(Range::Share), Default("\"0.05\""), only SYNTHETIC;
    /// Half of the usual spread; without it, one tick.
    "half_spread": Takes::Decimal(Range::Positive),
        Optional("\"0.5\""), in "quote currency", only SYNTHETIC;
    /// Price levels on each side.
    "levels": Takes::Whole { min: 1, max: tse_sim::synthetic::LEVELS_MAX as i64 },
        Default("5"), only SYNTHETIC;
    /// Usual size of the best level; deeper ones have more. Needed there.
    "level_size": Takes::Decimal(Range::Positive),
        Optional("\"0.5\""), in "base units or contracts", only SYNTHETIC;
    /// How likely a trade is in one step, to a thousandth.
    "trade_chance": Takes::Decimal(Range::Share), Default("\"0.2\""), only SYNTHETIC;
    /// How far a trade of the usual level size moves this market's price.
    "impact_bps": Takes::Decimal(Range::NotNegative),
        Default("\"0.5\""), in "basis points", only SYNTHETIC;
    /// How likely a stretch of wide spreads is to begin in one step, to a millionth.
    "wide_chance": Takes::Decimal(Range::Share), Default("\"0.0005\""), only SYNTHETIC;
    /// How long such a stretch is.
    "wide_steps": Takes::Whole { min: 0, max: u32::MAX as i64 },
        Default("50"), in "steps", only SYNTHETIC;
    /// How many times as wide the spread is then.
    "wide_factor": Takes::Whole { min: 1, max: 1_000 }, Default("5"), only SYNTHETIC;
}

keys! {
    CLOCK_KEYS
    /// The first moment.
    "start": Takes::Moment, Default("\"2024-01-01T00:00:00Z\"");
    /// How long the markets last.
    "length": Takes::Time(Sign::Positive), Default("\"1h\"");
    /// How often prices and books move.
    "step": Takes::Time(Sign::Positive), Default("\"100ms\"");
}

/// `[synthetic]`.
pub static CLOCK: Section = Section {
    name: "synthetic",
    doc: "The clock of synthetic markets: data sources with format = \"synthetic\".",
    by: "",
    groups: &[CLOCK_KEYS],
};

/// `[[data]]`.
pub static DATA: Section = Section {
    name: "data",
    doc: "A source of market data: files that are read one after another as one stream. At equal times an earlier source goes first.",
    by: "format",
    groups: &[
        COMMON,
        TEXT_KEYS,
        TABLE_KEYS,
        BID_ASK_KEYS,
        CAPTURE_KEYS,
        LEAN_KEYS,
        DBN_KEYS,
        SYNTHETIC_KEYS,
    ],
};

keys! {
    BARS_KEYS
    /// How long each is, where no column says so.
    "span": Takes::Time(Sign::Positive), Optional("\"1m\"");
    /// Which end of a bar its time is; close unless it is said.
    "stamp": Takes::Word(&["open", "close"]), Optional("\"close\"");
    /// Bars, or four quotes for each: open, high, low, close; bars (bid_ask_bars: quotes)
    /// unless it is said.
    "emit": Takes::Word(&["bars", "quotes"]), Optional("\"quotes\"");
    /// When the four quotes are, counted from the end of the bar; as in this example unless
    /// it is said.
    "offsets": Takes::List(&Takes::Time(Sign::Any)),
        Optional("[\"-300ms\", \"-200ms\", \"-100ms\", \"0s\"]");
    /// How much is quoted; needed for quotes.
    "size": Takes::Decimal(Range::Positive), Optional("\"1000000\""), in "base units or contracts";
}

/// `bars` of a data source.
pub static BARS: Section = Section {
    name: "data.bars",
    doc: "How bars are read, and what is made of them.",
    by: "",
    groups: &[BARS_KEYS],
};

keys! {
    ADJUST_KEYS
    /// A factor file: date, price factor, split factor.
    "path": Takes::Path, Required("\"ibm.csv\"");
    /// Whether dividends too, or splits alone.
    "dividends": Takes::Flag, Default("true");
}

/// `adjust` of a data source.
pub static ADJUST: Section = Section {
    name: "data.adjust",
    doc: "Corrects prices and sizes for what companies did to their shares.",
    by: "",
    groups: &[ADJUST_KEYS],
};
