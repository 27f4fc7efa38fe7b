//! The registry of findings: every code with a title and what `tse explain` says about it.
//!
//! A code is given once and never reused. The letter is its family, and the family decides how the
//! program exits. Findings in data files (`TSE-Dnnn`) are kept by the crate that makes them and looked
//! up here; refusals of the risk gate (`TSE-Rnnn`) have the number of their control.

pub use tse_data::codes::Code;

/// What a code is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// A bug in this program.
    Internal,
    /// The config.
    Config,
    /// A strategy.
    Strategy,
    /// A data file.
    Data,
    /// The record of a run.
    Journal,
    /// A refusal of the risk gate.
    Risk,
    /// An engine that runs, or should.
    Network,
    /// Rows to query.
    Store,
    /// How the program was called.
    Usage,
}

impl Family {
    /// Worst first.
    pub const fn rank(self) -> u8 {
        self as u8
    }

    /// What the letter stands for.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Internal => "a bug in tse",
            Self::Config => "config",
            Self::Strategy => "strategy",
            Self::Data => "data",
            Self::Journal => "journal",
            Self::Risk => "risk",
            Self::Network => "engine",
            Self::Store => "rows",
            Self::Usage => "usage",
        }
    }
}

/// The family of a code.
pub fn family(code: &str) -> Option<Family> {
    Some(match code.strip_prefix("TSE-")?.as_bytes().first()? {
        b'X' => Family::Internal,
        b'C' => Family::Config,
        b'S' => Family::Strategy,
        b'D' => Family::Data,
        b'J' => Family::Journal,
        b'R' => Family::Risk,
        b'N' => Family::Network,
        b'P' => Family::Store,
        b'U' => Family::Usage,
        _ => return None,
    })
}

/// How the program exits when this is the worst finding.
pub fn exit(code: &str) -> u8 {
    match family(code) {
        // What a config says of a strategy is a setting; what a strategy does is not.
        Some(Family::Strategy) if code < STRATEGY_RUNS => 3,
        Some(Family::Config) => 3,
        Some(Family::Data | Family::Journal) => 4,
        Some(Family::Strategy) => 5,
        Some(Family::Risk) => 7,
        Some(Family::Network | Family::Store) => 6,
        Some(Family::Usage) => 2,
        Some(Family::Internal) | None => 70,
    }
}

/// Strategy codes from here on are about what a strategy did in a run.
const STRATEGY_RUNS: &str = "TSE-S007";

macro_rules! codes {
    ($($name:ident = $code:literal, $title:literal, $text:literal;)*) => {
        $(#[doc = $title] pub const $name: &str = $code;)*
        /// All codes of this crate, family by family.
        pub const OURS: &[Code] = &[$(Code { code: $code, title: $title, text: $text }),*];
        /// The names of the constants, for the test that each of them is used.
        #[cfg(test)]
        pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

codes! {
    UNREADABLE = "TSE-C001", "The config cannot be read",
        "The path leads nowhere, to a folder, or to a file that the system refuses to open or that is \
         not UTF-8 text.";
    NOT_TOML = "TSE-C002", "The config is not TOML",
        "The text breaks the grammar of TOML (toml.io) at the place shown: a missing quotation mark, \
         bracket or equals sign, or a key that is written twice. Nothing else is checked until the \
         text can be read, because half a config says little about the other half.";
    UNKNOWN_KEY = "TSE-C003", "A key is not known",
        "Every key must be known, because a misspelt one would be ignored in silence and a default \
         used in its place. `tse schema` writes a schema that lets an editor complete and check keys; \
         docs/config.md lists them all.";
    WRONG_TYPE = "TSE-C004", "A value has the wrong type",
        "The key exists but takes another kind of value: a text where a table was written, a list \
         where one value was, a number without its unit.";
    MISSING_KEY = "TSE-C005", "A key is missing",
        "The key has no default, since any default would be a guess that costs money when it is wrong.";
    NOT_A_NUMBER = "TSE-C006", "A number cannot be read",
        "Prices, sizes and amounts are plain decimals: digits, an optional sign, point and exponent, \
         with or without quotation marks. They are read exactly as written, never through binary \
         fractions, so `0.1` is a tenth. NaN, infinity and more than 38 digits cannot be traded.";
    OUT_OF_RANGE = "TSE-C007", "A number is outside its range",
        "The value can be read but makes no sense there: a negative size, a probability above one, a \
         count of zero. The range stands under the value.";
    BAD_TIME = "TSE-C008", "A time cannot be read",
        "Lengths of time are whole numbers with a unit (ns, us, ms, s, m, h, d), such as \"250ms\". \
         Moments are RFC 3339, such as 2024-08-08T23:54:16Z; without an offset they are UTC, without \
         a time of day they are midnight.";
    UNKNOWN_WORD = "TSE-C009", "A word is not one of those expected",
        "The key takes one of a few words, which are listed under the value.";
    BAD_NAME = "TSE-C010", "A name has characters that names do not have",
        "Venues and currencies are capital letters, digits and `_`, as they appear in symbols. Runs \
         and strategies are small letters, digits, `-` and `_`, as they appear in file names.";
    BAD_SYMBOL = "TSE-C011", "A symbol is not canonical",
        "Instruments are defined as BASE-QUOTE[-PERP|-YYMMDD][:SETTLE].VENUE: `BTC-USDT.BINANCE` is \
         spot, `BTC-USDT-PERP.BINANCE_UM` a perpetual, `BTC-USD-PERP:BTC.BINANCE_CM` an inverse one \
         that settles in its base, `EUR-USD.OANDA` a currency pair, `IBM-USD.NYSE` a share. Where a \
         symbol is only referred to, other spellings are accepted if they can mean one instrument.";
    UNKNOWN_INSTRUMENT = "TSE-C012", "An instrument is not defined",
        "A strategy, a limit or a data source refers to a symbol that no [[instruments]] defines, or \
         to a spelling that several of them could mean.";
    UNKNOWN_VENUE = "TSE-C013", "A venue is not defined",
        "The part of a symbol behind its last dot is its venue, and every venue needs a [[venues]] \
         entry: it says what the account there holds and how long messages take.";
    UNKNOWN_CURRENCY = "TSE-C014", "A currency appears nowhere else",
        "A balance, a rate or the base currency names a currency that no instrument trades and that \
         [currencies] does not define. It is probably misspelt; if it is meant, give it a scale.";
    TWICE = "TSE-C015", "Something is defined twice",
        "Names are how everything else refers to a thing, so each is defined once. For rates: a chain \
         of them that comes back to where it began would say twice what a currency is worth.";
    CONTRADICTION = "TSE-C016", "Two values contradict each other",
        "Each value could be right alone: a minimum above its maximum, an end before its start, a \
         maintenance margin above the initial one, the kind of an instrument and its symbol.";
    OFF_GRID = "TSE-C017", "A value is not a multiple of its step",
        "Prices are whole ticks and sizes whole lots of their instrument. A limit between two steps is \
         refused rather than rounded, since rounding it up would loosen it in silence.";
    DOES_NOT_FIT = "TSE-C018", "Numbers do not fit together",
        "Prices and sizes are counted in 64 bits, money in 128. A tick of 1e-18 works and a price of \
         1e9 works, but one instrument cannot have both. The steps, the limits or the scale of the \
         currency have to be coarser.";
    TOO_COARSE = "TSE-C019", "A currency has too few decimals for a value",
        "Every amount is a whole number of the smallest unit of its currency, and no amount is rounded \
         on the way in. [currencies] sets how many decimals a currency has (8 unless it says so).";
    NO_CONVERSION = "TSE-C020", "A currency cannot be valued in the base currency",
        "Results are counted in one currency. Every other one that is held, earned or paid needs a \
         price in it: an instrument, a rate, or two of them in a row. A [[rates]] entry is an \
         assumption that is printed with the result; nothing is assumed by itself, not even that \
         USDT is a dollar.";
    NO_LIMITS = "TSE-C021", "Limits are missing",
        "The risk gate refuses whatever has no limit, so a config without limits could not trade at \
         all. That is said now, with limits to paste, rather than by a run without fills. Set them to \
         what you are ready to lose, not to what is large enough to be out of the way.";
    NOT_USED = "TSE-C022", "A key has no meaning here",
        "The key exists, but together with another value nothing would read it. It is refused because \
         whoever wrote it expects an effect.";
    NOTHING_TO_RUN = "TSE-C023", "There is nothing to run",
        "A run needs at least one venue, one instrument, one source of data and one strategy.";
    NO_DATA = "TSE-C024", "An instrument has no data",
        "A strategy trades an instrument that none of the data sources brings. It would never see a \
         price and never trade.";
    BAD_OVERRIDE = "TSE-C025", "A setting from outside the file cannot be used",
        "`--set KEY=VALUE` and variables of the environment such as TSE_RUN__SEED change values of the \
         config. The key is written as in the file: names with dots between them, elements of lists by \
         their number from 0 or, where they have one, their name; `*` stands for all of them.";
    BAD_PATH = "TSE-C026", "A path has a variable without a value",
        "`${TSE_SHARED}` stands for the variable of that name, or else for the folder `shared` beside \
         the config's folder or one of those above it. Other variables must be set.";
    BAD_LATENCY = "TSE-C027", "A table of latencies cannot be read",
        "The file has two columns, `time,latency`: a moment (RFC 3339, or nanoseconds since 1970) and a \
         length of time with its unit, in rising order of time. Between two rows latency changes in a \
         straight line, before the first and after the last it stays.";
    WRONG_ACCOUNT = "TSE-C028", "An account cannot hold this instrument",
        "A cash account exchanges assets and can hold neither contracts nor what is borrowed. \
         Perpetuals, futures and anything with an initial margin below 1 need a venue with \
         account = \"margin\".";
    CHAOS = "TSE-C029", "A strategy that does harm on purpose",
        "Strategies whose type begins with `chaos_` are for drills: they try what controls must stop. They take part \
         only in a run that says `chaos = true`.";
    NO_LATENCY = "TSE-C040", "Messages take no time",
        "With zero latency an order meets exactly the market that made it wish, which no real order \
         does. Strategies that live on speed look far better than they are. Set the venue's `latency`, \
         or know that the result is an upper bound.";
    NO_FEES = "TSE-C041", "Trading costs nothing",
        "The instrument has fees = \"none\". That is fine to see how much of a result is fees, and \
         wrong as a result.";
    ASSUMED_RATE = "TSE-C042", "A rate is an assumption",
        "A [[rates]] entry holds one price for the whole run. Where an instrument trades the pair, its \
         data is better.";
    NO_EFFECT = "TSE-C043", "A limit has no effect",
        "A strategy's limit can only tighten the account's. This one is looser, so the account's \
         holds. Loosen that, or drop this one.";
    MIXED_UNITS = "TSE-C044", "One limit counts several currencies",
        "`order_value_max` is an amount of each instrument's settlement currency. The default in \
         [limits] applies to instruments that settle in different ones, so it is 100 BTC here and 100 \
         USDT there. Set it for each with [[limits.instrument]].";
    OPTIMIST_QUEUE = "TSE-C045", "Own orders stand in front of every queue",
        "With queue = \"front\" any trade at the price of a resting order fills it, as if nobody had \
         been there before. The fills are an upper bound. \"back\" is the lower one; \"power\" and \
         \"log\" lie between them.";
    WRONG_MODE = "TSE-C046", "A config is for something else",
        "A config that says `mode = \"paper\"` sets an engine up that waits until it has been compared with its venues and \
         somebody has armed it. In a backtest there is nobody to do either. `tse run` says the mode by itself.";
    FEW_DAYS = "TSE-D101", "The run covers fewer than 30 days",
        "Figures per year are extrapolated from daily returns. A few days say nothing about a year, \
         whatever the interval around the Sharpe ratio: it assumes that the days were typical.";
    FEW_FILLS = "TSE-D102", "The run has fewer than 100 fills",
        "Averages over a few trades are mostly chance: fill ratio, markouts and profit alike.";
    DATA_GAPS = "TSE-D103", "The data has gaps",
        "A source lost messages or says so. From there to the next snapshot the book is invalid: the \
         gate refuses orders on it, and what would have happened meanwhile is not known.";
    UNVALUED = "TSE-D104", "Something held cannot be valued",
        "Equity and profit need a price for everything that is held, not older than \
         `price_age_max`. Where one is missing they are null rather than wrong.";
    NO_EVENTS = "TSE-D105", "The run saw no market event",
        "The sources are empty, or `start` and `end` leave nothing of them. A run without data has no \
         result, so none is kept.";
    INTERRUPTED = "TSE-D106", "The run was stopped before its data ended",
        "Ctrl-C, or a signal, ended the run early. What was done until then is kept and is right; it \
         is not the whole.";
    MADE_UP = "TSE-D107", "The market is synthetic",
        "No file was read: prices, depth and trades come from a seeded generator. A profit there says \
         that engine and strategy do what they should, and nothing about any real market.";
    BAD_CURVE = "TSE-D108", "An equity curve cannot be read",
        "`tse stats` reads a CSV whose first line is `ts,equity` or `ts,equity,flow`: a moment, what everything was \
         worth then, and what of it had just come in (below zero: gone out). Points come in order of time.";
    UNKNOWN_STRATEGY = "TSE-S001", "A strategy is not known",
        "`type` names a strategy that this program knows; `tse strategies` lists them. Strategies of \
         your own are in a program of your own: `tse init NAME` makes one.";
    UNKNOWN_PARAM = "TSE-S002", "A strategy does not have this parameter",
        "`tse strategies TYPE` lists parameters with their units, ranges and defaults.";
    BAD_PARAM = "TSE-S003", "A parameter has a value that its strategy does not take",
        "Each parameter declares its type and range; they stand under the value and in \
         `tse strategies TYPE`.";
    MISSING_PARAM = "TSE-S004", "A strategy lacks a parameter",
        "The parameter has no default: sizes in particular are never guessed.";
    INSTRUMENT_COUNT = "TSE-S005", "A strategy has too few or too many instruments",
        "Each strategy says how many instruments it trades: an arbitrage needs two, a moving average \
         one.";
    REFUSED_PARAMS = "TSE-S006", "A strategy refuses its parameters",
        "Each parameter could be right alone, but the strategy cannot work with them together or with \
         its instruments, such as a size between two lots.";
    IN_CIRCLES = "TSE-S009", "A run does not get on",
        "A strategy answers each event of its own orders with another order, and with zero latency no \
         time passes in between: the run would never end. Give the venue a latency, or let the \
         strategy wait for the market.";
    STORM = "TSE-S101", "A strategy ran in circles",
        "It answered each refused order with another wish, a thousand times in one moment, and was \
         stopped. The log says which orders were refused and why.";
    JOURNAL_CORRUPT = "TSE-J001", "A record is not what was written",
        "Bytes of the journal have changed since they were written: a failing disk, or somebody's hand. \
         Every batch of records carries a checksum and a running hash over all before it, so everything in front \
         of the place shown is sound. Nothing is skipped and nothing cut: what comes after a wrong \
         record cannot be believed. An end that was not written whole is another matter: it is cut off.";
    JOURNAL_NEWER = "TSE-J002", "The journal has a format that this version does not read",
        "A later version wrote it, or one from before the first release. It is not touched.";
    NO_JOURNAL = "TSE-J003", "There is no journal",
        "The folder holds no file that begins a journal. `tse backtest CONFIG --journal` records a run.";
    JOURNAL_DISK = "TSE-J004", "The journal cannot be written or read",
        "The disk is full, read-only or broken, or another process writes there. What was recorded \
         before is safe. From the first failure on nothing leaves the engine: an order without a record \
         must not exist.";
    NO_SNAPSHOT = "TSE-J005", "A snapshot cannot be made or used",
        "A snapshot holds what the records before it have made of an engine, so that going on need not read \
         them again. It cannot be made where a strategy does not know how to save itself \
         (`Strategy::save`), nor where this program does something else with the records than the one that \
         wrote them. Where the beginning of a journal was taken away, one that this version can read is \
         needed.";
    GATE_INVALID = "TSE-R001", "The gate refused an order: not a valid order",
        "Control C01. Quantity, price or options are outside what the venue takes, or the figures do \
         not fit the integers that would hold them.";
    GATE_NOT_ALLOWED = "TSE-R002", "The gate refused an order: not this strategy's market",
        "C02: a strategy trades only the instruments that it lists in the config.";
    GATE_ORDER_QTY = "TSE-R003", "The gate refused an order: too large",
        "Control C03. The order is larger than `order_qty_max`.";
    GATE_ORDER_VALUE = "TSE-R004", "The gate refused an order: worth too much",
        "Control C04. The order is worth more than `order_value_max` in the settlement currency.";
    GATE_COLLAR = "TSE-R005", "The gate refused an order: price too far away",
        "Control C05. The price is further than `collar_bps` from the middle of the market, or there \
         is no market to compare it with.";
    GATE_MESSAGES = "TSE-R006", "The gate refused an order: too many messages",
        "C06: as many orders, changes and cancels went out within the window of `messages` as may. Cancels still go \
         out, and so do orders that shrink a position.";
    GATE_REPEATED = "TSE-R008", "The gate refused an order: repeated",
        "Control C08. The same order (strategy, instrument, side, size, price) was sent more often than \
         `repeats` allows within its window: the mark of a program that runs away.";
    GATE_GROUP = "TSE-R009", "The gate refused an order: another leg was refused",
        "Legs of one group are sent together or not at all; another of them was refused, for the reason \
         given there.";
    GATE_OPEN_ORDERS = "TSE-R010", "The gate refused an order: too many open",
        "Control C10. More orders than `open_orders_max` would be open.";
    GATE_POSITION = "TSE-R011", "The gate refused an order: position too large",
        "Control C11. With all open orders of that side filled, the position would pass `long_max` or \
         `short_max`.";
    GATE_EXPOSURE = "TSE-R012", "The gate refused an order: everything together is too much",
        "C12: with every open order filled, whichever way is worse, all instruments together would be worth more than \
         `exposure` allows: gross, net, beside equity, in one asset or in a group that moves together. Or that cannot be \
         told, since something that is held has no price in the base currency.";
    GATE_FUNDS = "TSE-R013", "The gate refused an order: not enough funds",
        "Control C13. The account does not have what the order needs, less what is set aside for open \
         orders. See `balances` of the venue.";
    GATE_SELF_TRADE = "TSE-R014", "The gate refused an order: would trade with ourselves",
        "Control C14. Another order of ours stands on the other side at this price. `self_trade` \
         chooses which of them goes.";
    GATE_UNVALUED = "TSE-R015", "The gate refused an order: losses cannot be told",
        "C15: losses are limited, and something that is held has no price that can be used. Until it has one, \
         only what shrinks a position is sent. Nothing is closed for that.";
    GATE_DATA = "TSE-R018", "The gate refused an order: no believable market",
        "Control C18. There is no quote, it is older than `data_age_max`, crossed, or its stream has a \
         gap; or the market is closed.";
    GATE_CLOCK = "TSE-R019", "The gate refused an order: the clock cannot be believed",
        "C19: our clock was not compared with a reference, or too long ago, or it is further off than it may be. Ages of \
         prices mean nothing then. Look at the time service of the machine.";
    GATE_SWING = "TSE-R020", "The gate refused an order: the market jumped",
        "C20: within the window of `swing` the market moved further than it may. Orders that shrink a position, and \
         cancels, are sent all the same; the rest when it has calmed down.";
    GATE_IN_FLIGHT = "TSE-R021", "The gate refused an order: too many without an answer",
        "C21: as many orders of the account await an answer, or are such that nobody knows how they stand, as \
         `in_flight_max` allows.";
    GATE_ORDER_TO_TRADE = "TSE-R022", "The gate refused an order: too many messages for what is executed",
        "C22: on this UTC day as many messages went out as `order_to_trade` allows for the day's executions. Cancels go \
         out, and so do orders that shrink a position.";
    GATE_NO_LIMIT = "TSE-R025", "The gate refused an order: no limit is set",
        "A limit that is not configured refuses whatever adds risk.";
    GATE_UNATTRIBUTED = "TSE-R028", "The gate refused an order: nobody can say whose it is",
        "C28: where money or its likeness is at stake an order leaves only if its algorithm and version, who armed the \
         engine, and the config it runs are known.";
    GATE_ROOM = "TSE-R029", "The gate refused an order: the journal's room runs out",
        "The disk is full but for the room that was kept for cancels, fills and orders that shrink a \
         position. Make room: the engine looks again after a few thousand inputs.";
    GATE_JOURNAL = "TSE-R030", "The gate refused an order: the journal lags",
        "Nothing leaves before its record is safe, so an order that is decided now would leave late, on a \
         market that has moved. Orders that only shrink a position, and cancels, are sent all the same. \
         Look at the disk.";
    GATE_KILLED = "TSE-R031", "The gate refused an order: trading is cut back",
        "K1 to K6: the kill switch was pulled, by a person or by a control, for the strategy, the instrument, the \
         account or everything. `log.ndjson` has what was cut back, how far and by which control; only a person \
         lowers it.";
    LATCHED = "TSE-R101", "The ledger latched",
        "An amount passed what 128 bits hold. The ledger never wraps: it books nothing from then on, \
         and everything after that moment means nothing. Look for absurd prices or sizes in the data.";
    NOT_DONE = "TSE-R102", "The engine does not do what was wanted",
        "A level of the kill switch is lowered by a person who may, with a name and a reason; the two highest take two \
         people, and after a loss nobody lowers it for a while. An engine is armed only when every account is as at its \
         venue and of no order it is unknown how it stands (docs/risk.md).";
    NO_ENGINE = "TSE-N001", "No engine runs there",
        "An engine is reached through the socket `control.sock` in its folder, state/NAME unless it was started with \
         another. None listens there: it was not started, has ended, or was killed.";
    NO_ANSWER = "TSE-N002", "An engine does not answer",
        "Its process is there and does not do what it should. What stops it without its help is the file `kill` in its \
         folder: whoever makes it stops everything but cancels, and `tse kill` does when nothing else is heard.";
    WHICH_ENGINE = "TSE-N003", "Several engines could be meant",
        "There is more than one engine in the folder, and none was named.";
    ENGINE_RUNS = "TSE-N004", "An engine runs there already",
        "Only one process at a time has an engine's folder: two would send the same orders.";
    OTHER_CONFIG = "TSE-N005", "An engine there was set up otherwise",
        "The folder holds the journal of an engine with another config, or whose venues saw other data. It can only go \
         on as what it was: with other limits or strategies what it holds and has open would mean something else. \
         Another name or another folder begins a new engine.";
    NOT_BEGUN = "TSE-N006", "An engine does not begin",
        "Its folder cannot be used, or its data has no events.";
    PORT_TAKEN = "TSE-N007", "A port cannot be listened on",
        "Another program has it, or the address is none of this machine. Nothing was begun.";
    NOT_SERVED = "TSE-N008", "The service does not begin",
        "Its tokens, its certificate or its logs cannot be used. Nothing was begun: an engine that is asked to serve \
         and cannot would be one that nobody watches.";
    STORE_AWAY = "TSE-N009", "A store of rows cannot be used",
        "It does not answer, refuses, lacks the tables that this version needs, or has no rows of that engine. The \
         journal has everything: rows can be made anew from it at any time.";
    NAME_TAKEN = "TSE-N010", "Another instance has that name, or its keys",
        "Two engines under one name would be taken for each other, and two in one namespace would write over each \
         other's keys. The registry in Redis says who has it; one that comes back with its own folder is no second one. \
         Nothing was begun.";
    UNKNOWN_VERB = "TSE-U001", "Not a command of tse",
        "`tse --help` lists the commands and `tse COMMAND --help` what each takes.";
    BAD_ARGUMENT = "TSE-U002", "An argument cannot be used",
        "An option is unknown, lacks its value, or has one that it does not take.";
    WOULD_OVERWRITE = "TSE-U003", "Something is there already",
        "Nothing that exists is written over. Choose another name or remove what is there.";
    CANNOT_WRITE = "TSE-U004", "A file cannot be written",
        "The system refuses: permissions, a missing folder, a full disk.";
    NOTHING_CALLED = "TSE-U005", "Nothing is called that",
        "A code, strategy or run of that name does not exist.";
    BAD_VARIABLE = "TSE-U006", "A variable of the environment cannot be meant",
        "The service reads its settings from the environment and from a file `.env`; docs/operations.md lists them. \
         Names are taken in any case; a flag counts for more.";
    BUG = "TSE-X001", "A bug in tse",
        "An invariant was broken, and the program stopped rather than go on with what it no longer \
         understands. The report says where; together with the config and the seed it lets others see \
         the same. A strategy of your own that panics ends like this too.";
}

/// The entry of a code such as `TSE-C004`; `tse-c4` and `C004` mean the same.
pub fn find(text: &str) -> Option<&'static Code> {
    let upper = text.trim().to_ascii_uppercase();
    let bare = upper.strip_prefix("TSE-").unwrap_or(&upper);
    let (letter, number) = bare.split_at_checked(1)?;
    let code = format!("TSE-{letter}{:03}", number.parse::<u16>().ok()?);
    all().find(|entry| entry.code == code)
}

/// All codes there are.
pub fn all() -> impl Iterator<Item = &'static Code> {
    static SERVED: std::sync::LazyLock<Vec<Code>> = std::sync::LazyLock::new(|| {
        let ours =
            |it: &tse_server::codes::Code| Code { code: it.code, title: it.title, text: it.text };
        let stores =
            tse_storage::CODES.iter().map(|&(code, title, text)| Code { code, title, text });
        tse_server::codes::ALL.iter().map(ours).chain(stores).collect()
    });
    OURS.iter().chain(tse_data::codes::ALL).chain(&*SERVED)
}

/// The code of a refusal by the risk gate: the number of its control.
pub fn of_refusal(refusal: &tse_risk::Refusal) -> &'static str {
    match refusal.control() {
        "C02" => GATE_NOT_ALLOWED,
        "C03" => GATE_ORDER_QTY,
        "C04" => GATE_ORDER_VALUE,
        "C05" => GATE_COLLAR,
        "C06" => GATE_MESSAGES,
        "C08" => GATE_REPEATED,
        "C09" => GATE_GROUP,
        "C10" => GATE_OPEN_ORDERS,
        "C11" => GATE_POSITION,
        "C13" => GATE_FUNDS,
        "C14" => GATE_SELF_TRADE,
        "C15" => GATE_UNVALUED,
        "C18" => GATE_DATA,
        "C21" => GATE_IN_FLIGHT,
        "C12" => GATE_EXPOSURE,
        "C19" => GATE_CLOCK,
        "C20" => GATE_SWING,
        "C28" => GATE_UNATTRIBUTED,
        "C22" => GATE_ORDER_TO_TRADE,
        "C25" => GATE_NO_LIMIT,
        "K1" | "K2" | "K3" | "K4" | "K5" | "K6" => GATE_KILLED,
        "F06" => GATE_ROOM,
        "F08" => GATE_JOURNAL,
        _ => GATE_INVALID,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The text of every source file of this crate but this one.
    fn sources() -> Vec<(String, String)> {
        fn walk(folder: &Path, into: &mut Vec<(String, String)>) {
            for entry in std::fs::read_dir(folder).expect("the sources are there") {
                let path = entry.expect("a readable folder").path();
                if path.is_dir() {
                    walk(&path, into);
                } else if path.extension().is_some_and(|ext| ext == "rs") {
                    let text = std::fs::read_to_string(&path).expect("a readable source");
                    into.push((path.display().to_string(), text));
                }
            }
        }
        let mut all = Vec::new();
        walk(Path::new("src"), &mut all);
        all.retain(|(path, _)| !path.ends_with("diagnose/codes.rs"));
        all
    }

    #[test]
    fn every_explanation_is_used() {
        let sources = sources();
        // The gate's refusals come by number from core/risk, and this one from core/sim.
        let elsewhere = |name: &str| name.starts_with("GATE_") || name == "IN_CIRCLES";
        let used =
            |name: &str| sources.iter().any(|(_, text)| text.contains(&format!("codes::{name}")));
        let unused: Vec<_> = NAMES.iter().filter(|name| !elsewhere(name) && !used(name)).collect();
        assert!(unused.is_empty(), "no finding has these codes: {unused:?}");
    }

    #[test]
    fn every_code_that_is_written_out_is_explained() {
        for (path, text) in sources() {
            for (at, _) in text.match_indices("TSE-") {
                let code = &text[at..text.len().min(at + 8)];
                let number = code.get(5..).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()));
                if number && family(code).is_some() {
                    assert!(find(code).is_some(), "{path} names {code}, which is not explained");
                }
            }
        }
    }

    #[test]
    fn codes_are_ordered_and_their_texts_are_sentences() {
        let mut last = ("", "");
        for entry in OURS {
            let now = (&entry.code[4..5], entry.code);
            assert!(now.0 != last.0 || now.1 > last.1, "{} is out of order", entry.code);
            assert!(!entry.title.ends_with('.') && entry.text.ends_with('.'), "{}", entry.code);
            assert!(family(entry.code).is_some(), "{}", entry.code);
            last = now;
        }
    }

    #[test]
    fn a_code_is_found_however_it_is_written() {
        for text in ["TSE-C004", "tse-c004", "C004", "c4", " TSE-C4 "] {
            assert_eq!(find(text).map(|entry| entry.code), Some(WRONG_TYPE), "{text}");
        }
        assert_eq!(find("D4").unwrap().code, "TSE-D004");
        for text in ["", "TSE", "C", "C9999", "Z001", "ä1"] {
            assert!(find(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_bad_setting_exits_with_3_whoever_it_is_for() {
        let exits = [WRONG_TYPE, BAD_PARAM, IN_CIRCLES, "TSE-D001", GATE_FUNDS, BAD_ARGUMENT, BUG];
        assert_eq!(exits.map(exit), [3, 3, 5, 4, 7, 2, 70]);
    }

    #[test]
    fn every_refusal_of_the_gate_has_a_code() {
        use tse_model::Qty;
        use tse_risk::Refusal;
        let large = Refusal::OrderQty { qty: Qty::new(2), limit: Qty::new(1) };
        assert_eq!(of_refusal(&large), GATE_ORDER_QTY);
        assert_eq!(of_refusal(&Refusal::Overflow), GATE_INVALID);
        assert_eq!(of_refusal(&Refusal::Group), GATE_GROUP);
        assert_eq!(of_refusal(&Refusal::Disarmed), GATE_KILLED);
        assert_eq!(of_refusal(&Refusal::NotAllowed), GATE_NOT_ALLOWED);
    }
}
