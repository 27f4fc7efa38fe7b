//! The keys of the run itself, its strategies and its limits.

use super::Need::{Default, Optional, Required};
use super::{CLOCK, CURRENCY, DATA, INSTRUMENT, RATE, Range, Section, Sign, Takes, VENUE};

keys! {
    ROOT_KEYS
    /// The run as a whole.
    "run": Takes::Section(&RUN), Required("{ base = \"USDT\" }");
    /// Currencies that are not kept with 8 decimals.
    "currencies": Takes::Map(&Takes::Section(&CURRENCY)), Optional("{ USD = { scale = 2 } }");
    /// Where is traded, and what the accounts hold.
    "venues": Takes::Sections(&VENUE), Required("[]");
    /// What is traded.
    "instruments": Takes::Sections(&INSTRUMENT), Required("[]");
    /// Where market data comes from.
    "data": Takes::Sections(&DATA), Required("[]");
    /// The clock of synthetic markets.
    "synthetic": Takes::Section(&CLOCK), Optional("{ length = \"1h\" }");
    /// Who trades.
    "strategies": Takes::Sections(&STRATEGY), Required("[]");
    /// Prices of currencies that no instrument gives.
    "rates": Takes::Sections(&RATE), Optional("[]");
    /// What the risk gate lets through.
    "limits": Takes::Section(&LIMITS), Required("{}");
}

/// The whole config.
pub static ROOT: Section = Section {
    name: "",
    doc: "A run: venues, instruments, data, strategies, limits.",
    by: "",
    groups: &[ROOT_KEYS],
};

keys! {
    RUN_KEYS
    /// Its name, part of its folder's name; without it, the config's file name.
    "name": Takes::Slug, Optional("\"my-run\"");
    /// Seed of everything random.
    "seed": Takes::Whole { min: 0, max: i64::MAX }, Default("1");
    /// The currency that results are counted in.
    "base": Takes::Code, Required("\"USDT\"");
    /// Only events from here on; without it, from the first.
    "start": Takes::Moment, Optional("\"2024-08-08T23:54:16Z\"");
    /// Only events before; without it, to the last.
    "end": Takes::Moment, Optional("\"2024-08-09T00:00:00Z\"");
    /// How often equity is noted.
    "sample_every": Takes::Time(Sign::Positive), Default("\"1m\"");
    /// How old a price may be that something is valued with; an older one is no value.
    "price_age_max": Takes::Time(Sign::Positive), Default("\"5m\"");
    /// How long a venue may take to answer before an order counts as unknown.
    "answer_timeout": Takes::Time(Sign::Positive), Default("\"5s\"");
    /// Which days have returns, for annualised figures.
    "days": Takes::Word(&["all", "weekdays"]), Default("\"all\"");
}

/// `[run]`.
pub static RUN: Section =
    Section { name: "run", doc: "The run as a whole.", by: "", groups: &[RUN_KEYS] };

keys! {
    STRATEGY_KEYS
    /// Its name in results; without it, its type.
    "name": Takes::Slug, Optional("\"mm-btc\"");
    /// Which strategy: `tse strategies` lists them.
    "type": Takes::Text, Required("\"market_making\"");
    /// What it trades, in the order that the strategy expects.
    "instruments": Takes::List(&Takes::Instrument), Required("[\"BTC-USDT.BINANCE\"]");
    /// Its parameters: `tse strategies TYPE` lists them.
    "params": Takes::Params, Optional("{ size = \"0.01\" }");
    /// Limits of its own, for each of its instruments; they can only tighten those of
    /// [limits].
    "limits": Takes::Section(&STRATEGY_LIMITS), Optional("{ open_orders_max = 4 }");
}

/// `[[strategies]]`.
pub static STRATEGY: Section = Section {
    name: "strategies",
    doc: "A strategy, with what it may trade.",
    by: "",
    groups: &[STRATEGY_KEYS],
};

keys! {
    LIMIT_KEYS
    /// C03: the largest order.
    "order_qty_max": Takes::Decimal(Range::Positive),
        Optional("\"1\""), in "base units or contracts";
    /// C04: the most valuable order.
    "order_value_max": Takes::Decimal(Range::Positive),
        Optional("\"10000\""), in "the settlement currency";
    /// C05: how far from the middle of the market an order may be priced.
    "collar_bps": Takes::Decimal(Range::Positive), Optional("\"100\""), in "basis points";
    /// C08: how often the same order may be sent.
    "repeats": Takes::Section(&REPEATS), Optional("{ count = 10, window = \"1s\" }");
    /// C10: how many may be open.
    "open_orders_max": Takes::Whole { min: 1, max: u32::MAX as i64 }, Optional("10"), in "orders";
    /// C11: the longest position, open orders counted as filled.
    "long_max": Takes::Decimal(Range::NotNegative), Optional("\"5\""), in "base units or contracts";
    /// C11: the shortest position, as a size.
    "short_max": Takes::Decimal(Range::NotNegative),
        Optional("\"5\""), in "base units or contracts";
    /// C18: how old the newest quote may be.
    "data_age_max": Takes::Time(Sign::Positive), Optional("\"5s\"");
    /// C14: which of our orders goes when two could trade with each other; reject_new
    /// unless it is said.
    "self_trade": Takes::Word(&["reject_new", "cancel_old", "cancel_both"]),
        Optional("\"reject_new\"");
}

keys! {
    LIMITS_OWN
    /// Limits of single instruments, in place of those above.
    "instrument": Takes::Sections(&INSTRUMENT_LIMITS), Optional("[]");
}

/// `[limits]`.
pub static LIMITS: Section = Section {
    name: "limits",
    doc: "Limits of the account in each instrument. All but `self_trade` must be set, here or for each instrument.",
    by: "",
    groups: &[LIMIT_KEYS, LIMITS_OWN],
};

keys! {
    INSTRUMENT_LIMITS_OWN
    /// Which instrument.
    "symbol": Takes::Instrument, Required("\"BTC-USDT.BINANCE\"");
}

/// `[[limits.instrument]]`.
pub static INSTRUMENT_LIMITS: Section = Section {
    name: "limits.instrument",
    doc: "Limits of one instrument, in place of those of [limits].",
    by: "",
    groups: &[INSTRUMENT_LIMITS_OWN, LIMIT_KEYS],
};

/// `[strategies.limits]`.
pub static STRATEGY_LIMITS: Section = Section {
    name: "strategies.limits",
    doc: "Limits of one strategy in each of its instruments.",
    by: "",
    groups: &[LIMIT_KEYS],
};

keys! {
    REPEATS_KEYS
    /// This often.
    "count": Takes::Whole { min: 1, max: u32::MAX as i64 }, Required("10"), in "orders";
    /// Within this long.
    "window": Takes::Time(Sign::Positive), Required("\"1s\"");
}

/// `repeats` of limits.
pub static REPEATS: Section = Section {
    name: "limits.repeats",
    doc: "How often the same order (strategy, instrument, side, size, price) may be sent.",
    by: "",
    groups: &[REPEATS_KEYS],
};
