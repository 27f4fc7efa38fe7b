//! What a data source is, as plain data: files, format, instruments, and what to do with bad rows.
//!
//! A [`SourceSpec`] says everything that the files do not say themselves. It is built by whoever
//! reads the config (this crate knows no TOML) and opened with [`open`](crate::open). Every choice
//! has a field; nothing is guessed from a file name unless the field says so.

use std::path::PathBuf;
use tse_model::{Decimal, InstrumentId, Span, Timestamp};

/// A data source: files read one after another as one stream, and how to read them.
#[derive(Clone, Debug)]
pub struct SourceSpec {
    /// The files, in order of time.
    pub paths: Vec<PathBuf>,
    /// What they are.
    pub format: Format,
    /// The instrument of every row, when the files hold only one and do not name it.
    pub instrument: Option<InstrumentId>,
    /// What the files call the instruments. Names not listed are looked up in the catalogue.
    pub symbols: Vec<(String, InstrumentId)>,
    /// What to do with rows of other instruments; the format's own habit if not said.
    pub unknown_symbols: Option<OnBad>,
    /// Which kinds of events to read.
    pub kinds: Kinds,
    /// Reads no more rows (lines, messages, records) than this.
    pub rows_max: Option<u64>,
    /// Leaves out what happened before. A book that is cut so begins with a snapshot of its state.
    pub from: Option<Timestamp>,
    /// Leaves out what happened then or later.
    pub to: Option<Timestamp>,
    /// What to do when time goes backwards; the format's own habit if not said.
    pub order: Option<Order>,
    /// What to do with quotes whose bid is above their ask; the format's own habit if not said.
    pub crossed: Option<Crossed>,
    /// What to do with prices between ticks and sizes between lots.
    pub off_grid: OffGrid,
    /// What to do with trades of size zero; the format's own habit if not said.
    pub zero_size: Option<OnBad>,
}

impl SourceSpec {
    /// Files of a format, everything else as usual.
    pub fn new(format: Format, paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self {
            paths: paths.into_iter().map(Into::into).collect(),
            format,
            instrument: None,
            symbols: Vec::new(),
            unknown_symbols: None,
            kinds: Kinds::ALL,
            rows_max: None,
            from: None,
            to: None,
            order: None,
            crossed: None,
            off_grid: OffGrid::Error,
            zero_size: None,
        }
    }

    /// The same with every row belonging to `instrument`.
    pub fn of(mut self, instrument: InstrumentId) -> Self {
        self.instrument = Some(instrument);
        self
    }
}

/// What files are.
#[derive(Clone, Debug)]
pub enum Format {
    /// Delimited text, ours or foreign, plain or compressed.
    Csv(CsvSpec),
    /// Apache Parquet, ours or foreign.
    Parquet(Table),
    /// Two sets of bar files, bids and asks, made into quotes. The source's own paths are the bids.
    BidAskBars(BidAskSpec),
    /// Messages as Binance sent them, each after the nanosecond of its arrival.
    BinanceRaw(BinanceSpec),
    /// QuantConnect Lean archives.
    Lean(LeanSpec),
    /// Databento binary encoding.
    Databento(DatabentoSpec),
    /// Messages recorded by cryptofeed.
    Cryptofeed(CaptureSpec),
}

/// What to do with a row that cannot be right.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OnBad {
    /// Stop with an error.
    #[default]
    Error,
    /// Leave it out and count it.
    Skip,
}

/// What to do with a quote whose bid is above its ask.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Crossed {
    /// Stop with an error.
    #[default]
    Error,
    /// Leave it out and count it.
    Skip,
    /// Give it out all the same, and count it: for those who made two files of bars into quotes
    /// and know that the low of the bids need not be of the moment of the low of the asks.
    Keep,
}

/// What to do with a number between two steps of its grid.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum OffGrid {
    /// Stop with an error.
    #[default]
    Error,
    /// Leave the row out and count it.
    Skip,
    /// Take the nearest step, ties to the even one, and count it.
    Round,
}

/// What to do when an event is earlier than one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Stop with an error.
    Error,
    /// Move it up to the latest time seen, and count it.
    Clamp,
    /// Hold events back this long and sort them; what is later still is moved up and counted.
    Reorder(Span),
}

/// A set of kinds of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kinds(u16);

impl Kinds {
    /// Best bids and asks.
    pub const QUOTES: Self = Self(1);
    /// Trades.
    pub const TRADES: Self = Self(2);
    /// Changes of aggregated books.
    pub const DEPTH: Self = Self(4);
    /// Changes of single orders.
    pub const ORDERS: Self = Self(8);
    /// Bars.
    pub const BARS: Self = Self(16);
    /// Funding rates.
    pub const FUNDING: Self = Self(32);
    /// Mark prices.
    pub const MARKS: Self = Self(64);
    /// Opening and halting of markets.
    pub const STATUS: Self = Self(128);
    /// Everything.
    pub const ALL: Self = Self(255);
    /// Nothing.
    pub const NONE: Self = Self(0);

    /// These and those.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Whether `other` is among them.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
    /// The kind called `quotes`, `trades`, `depth`, `orders`, `bars`, `funding`, `marks`, `status`.
    pub fn named(name: &str) -> Option<Self> {
        let at = Self::NAMES.iter().position(|known| *known == name)?;
        Some(Self(1 << at))
    }
    /// The names of the kinds, in the order of their bits.
    pub const NAMES: [&str; 8] =
        ["quotes", "trades", "depth", "orders", "bars", "funding", "marks", "status"];
}

/// Delimited text.
#[derive(Clone, Debug)]
pub struct CsvSpec {
    /// Between fields.
    pub delimiter: u8,
    /// Whether the first line names the columns.
    pub header: bool,
    /// How many lines to pass over before anything else.
    pub skip_lines: u32,
    /// Which file of a zip archive; needed when there are several.
    pub member: Option<String>,
    /// What the columns mean.
    pub table: Table,
}

impl Default for CsvSpec {
    fn default() -> Self {
        Self { delimiter: b',', header: true, skip_lines: 0, member: None, table: Table::default() }
    }
}

/// What the rows and columns of a table mean. The default is our own schema.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// What a row is. Our own files say it in their first line, so only foreign ones need this.
    pub record: Option<Record>,
    /// Foreign columns: which field of ours each one is. Columns with our own names need no entry.
    pub columns: Vec<(Field, Column)>,
    /// How times are written.
    pub time: TimeFormat,
    /// Where the clocks stand that wrote times without an offset.
    pub zone: Zone,
    /// The day that times since midnight count from; else the eight digits that begin the file's name.
    pub date: Option<Date>,
    /// Prices are this many times too large: a power of ten, zero for one.
    pub price_divisor: u64,
    /// Sizes are this many times too large: a power of ten, zero for one.
    pub size_divisor: u64,
    /// Words for buyers and bids besides the usual ones; `false` for a column "buyer is maker".
    pub buy_words: Vec<String>,
    /// Words for sellers and asks besides the usual ones.
    pub sell_words: Vec<String>,
    /// The size of quotes and trades in a file without sizes.
    pub size: Option<Decimal>,
    /// How bars are read.
    pub bars: BarSpec,
    /// Corrects prices for splits and dividends.
    pub adjust: Option<Adjust>,
    /// Only rows whose `exchange` field is this.
    pub exchange: Option<String>,
    /// A price of zero in a quote means that there is none on that side.
    pub zero_is_none: bool,
    /// A side without a quote keeps the one it had.
    pub hold_sides: bool,
}

/// What a row of a table is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Record {
    /// A best bid and ask.
    Quotes,
    /// A trade.
    Trades,
    /// A step of an aggregated book.
    Depth,
    /// A step of an order-by-order book.
    Orders,
    /// A bar.
    Bars,
    /// A funding rate.
    Funding,
    /// A mark price.
    Marks,
    /// The state of a market.
    Status,
    /// Any of these, as the column `kind` says.
    Events,
}

impl Record {
    /// All, with the word that stands for each in a file.
    pub const ALL: [(Self, &str); 9] = [
        (Self::Quotes, "quotes"),
        (Self::Trades, "trades"),
        (Self::Depth, "depth"),
        (Self::Orders, "orders"),
        (Self::Bars, "bars"),
        (Self::Funding, "funding"),
        (Self::Marks, "marks"),
        (Self::Status, "status"),
        (Self::Events, "events"),
    ];

    /// The record called `name`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(record, _)| *record)
    }

    /// Its word.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(record, _)| *record == self).map_or("", |(_, name)| name)
    }
}

/// Where a column stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Column {
    /// By its name in the header.
    Name(String),
    /// By its place, the first being 0.
    At(usize),
    /// Nowhere: a column that has our name for the field and means something else.
    Ignored,
}

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What a column holds.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Field { $($(#[$doc])* $variant,)* }

        impl Field {
            /// All, in the order in which our own files have them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name in our own files and in a config.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The field called `name`.
            pub fn named(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

fields! {
    /// When it happened, by the venue's clock.
    TsEvent = "ts_event",
    /// When it was received; without it, when it happened.
    TsRecv = "ts_recv",
    /// Which instrument.
    Symbol = "symbol",
    /// What the row is: `quote`, `trade`, `depth`, `order`, `bar`, `funding`, `mark`, `status`.
    Kind = "kind",
    /// Who took (trades), or which side (depth, orders).
    Side = "side",
    /// Price of a trade, level, order or mark.
    Price = "price",
    /// How much.
    Size = "size",
    /// What happens to a level or an order.
    Action = "action",
    /// The venue's number of a trade or an order.
    Id = "id",
    /// 1 where a message is complete.
    Last = "last",
    /// Best bid.
    Bid = "bid",
    /// Its size.
    BidSize = "bid_size",
    /// Best ask.
    Ask = "ask",
    /// Its size.
    AskSize = "ask_size",
    /// First price of a bar.
    Open = "open",
    /// Highest price of a bar.
    High = "high",
    /// Lowest price of a bar.
    Low = "low",
    /// Last price of a bar.
    Close = "close",
    /// Quantity traded in a bar.
    Volume = "volume",
    /// Length of a bar in nanoseconds.
    Span = "span",
    /// Funding rate.
    Rate = "rate",
    /// `open`, `halted` or `closed`.
    Status = "status",
    /// First bid of a bar of quotes.
    BidOpen = "bid_open",
    /// Highest bid of a bar of quotes.
    BidHigh = "bid_high",
    /// Lowest bid of a bar of quotes.
    BidLow = "bid_low",
    /// Last bid of a bar of quotes.
    BidClose = "bid_close",
    /// First ask of a bar of quotes.
    AskOpen = "ask_open",
    /// Highest ask of a bar of quotes.
    AskHigh = "ask_high",
    /// Lowest ask of a bar of quotes.
    AskLow = "ask_low",
    /// Last ask of a bar of quotes.
    AskClose = "ask_close",
    /// Rows with the same content belong to one message.
    Message = "message",
    /// Databento's flags: 128 ends a message, 32 marks a snapshot.
    Flags = "flags",
    /// Which exchange the row came from.
    Exchange = "exchange",
    /// 1 where the vendor doubts the row: it is left out and counted.
    Suspicious = "suspicious",
}

/// How times are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TimeFormat {
    /// Whole nanoseconds since 1970, or text: whichever a field is.
    #[default]
    Any,
    /// Seconds since 1970, with or without a fraction.
    Seconds,
    /// Milliseconds since 1970.
    Millis,
    /// Microseconds since 1970.
    Micros,
    /// Nanoseconds since 1970.
    Nanos,
    /// Milliseconds since midnight of the file's day.
    MillisOfDay,
    /// `YYYY-MM-DD` or `YYYYMMDD`, then perhaps `T` or a space and `HH:MM[:SS[.fffffffff]]`, then
    /// perhaps an offset.
    Text,
}

/// Where a clock stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Zone {
    /// Universal time.
    #[default]
    Utc,
    /// A fixed number of seconds east of Greenwich.
    Fixed(i32),
    /// A place of the IANA database, with its summer times.
    Named(String),
}

/// A day of the calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Date {
    pub year: i16,
    pub month: i8,
    pub day: i8,
}

/// How bars are read.
#[derive(Clone, Debug)]
pub struct BarSpec {
    /// How long each is, where no column says so.
    pub span: Option<Span>,
    /// What moment a bar's time is.
    pub stamp: Stamp,
    /// What to make of them.
    pub emit: BarEmit,
}

impl Default for BarSpec {
    fn default() -> Self {
        Self { span: None, stamp: Stamp::Close, emit: BarEmit::Bars }
    }
}

/// Which end of a bar its time is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stamp {
    /// Its beginning: one span is added.
    Open,
    /// Its end, as in our own files.
    Close,
}

/// What to make of bars.
#[derive(Clone, Debug)]
pub enum BarEmit {
    /// Bars. A bar of quotes gives its bids.
    Bars,
    /// Four quotes a bar: open, high, low and close. A bar of trades gives equal bids and asks.
    Quotes {
        /// When each is quoted, counted from the end of the bar: zero or less, never decreasing.
        offsets: [Span; 4],
        /// How much is quoted.
        size: Decimal,
    },
}

/// Corrects prices and sizes for what companies did to their shares.
#[derive(Clone, Debug)]
pub struct Adjust {
    /// A Lean factor file: `date,price factor,split factor,...`.
    pub path: PathBuf,
    /// Whether dividends too, or splits alone.
    pub dividends: bool,
}

/// Bars of bids and bars of asks, in files of their own.
#[derive(Clone, Debug)]
pub struct BidAskSpec {
    /// How both are read. Its bars must become quotes.
    pub csv: CsvSpec,
    /// The files of asks.
    pub asks: Vec<PathBuf>,
    /// What to do with a bar that has no partner.
    pub unmatched: OnBad,
}

/// Raw Binance captures.
#[derive(Clone, Debug)]
pub struct BinanceSpec {
    /// What to add to the recorder's clock.
    pub clock: ClockOffset,
}

impl Default for BinanceSpec {
    fn default() -> Self {
        Self { clock: ClockOffset::Fixed(Span::ZERO) }
    }
}

/// What to add to a recorder's clock to have the venue's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClockOffset {
    /// This.
    Fixed(Span),
    /// The least that lets none of the first 10,000 messages arrive before it happened.
    Measured,
}

/// Lean archives.
#[derive(Clone, Debug)]
pub struct LeanSpec {
    /// What market, which decides time zone and unit of price.
    pub market: LeanMarket,
    /// Quotes or trades.
    pub data: LeanData,
    /// Ticks, or bars of what length.
    pub resolution: LeanResolution,
    /// Another zone than the market's.
    pub zone: Option<Zone>,
    /// The day of a file that counts from midnight; else the eight digits that begin its name.
    pub date: Option<Date>,
    /// Which file of the archive, such as one contract month.
    pub member: Option<String>,
    /// The size of quotes that have none.
    pub size: Option<Decimal>,
    /// What to make of bars.
    pub emit: BarEmit,
    /// Corrects shares for splits and dividends.
    pub adjust: Option<Adjust>,
    /// Only ticks of this exchange.
    pub exchange: Option<String>,
    /// A side without a quote keeps the one it had.
    pub hold_sides: bool,
}

/// Markets of Lean's data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeanMarket {
    /// Coins and contracts on them: UTC, plain prices.
    Crypto,
    /// Currencies at FXCM: UTC-05:00 all year, plain prices.
    Fxcm,
    /// Currencies at OANDA: UTC, plain prices.
    Oanda,
    /// Shares in the United States: New York, prices in 1/10,000.
    UsEquity,
    /// Futures in New York: New York, plain prices.
    Future,
}

/// Kinds of Lean's data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LeanData {
    /// Bids and asks.
    Quotes,
    /// Trades.
    Trades,
}

/// Resolutions of Lean's data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub enum LeanResolution {
    Tick,
    Second,
    Minute,
    Hour,
    Daily,
}

/// Databento files.
#[derive(Clone, Debug, Default)]
pub struct DatabentoSpec {
    /// Only records with this number of Databento's.
    pub instrument_id: Option<u32>,
}

/// Captures recorded by cryptofeed.
#[derive(Clone, Debug)]
pub struct CaptureSpec {
    /// Whose messages they are.
    pub venue: CaptureVenue,
    /// What to add to the recorder's clock.
    pub clock: ClockOffset,
}

/// Venues whose captures can be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CaptureVenue {
    /// OKX, API v5.
    Okx,
    /// Kraken, API v1.
    Kraken,
}
