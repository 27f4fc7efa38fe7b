//! The keys of currencies, venues and instruments.

use super::Need::{Default, Optional, Required};
use super::{Range, Section, Sign, Takes};

keys! {
    CURRENCY_KEYS
    /// Decimals of its smallest unit.
    "scale": Takes::Whole { min: 0, max: 18 }, Default("8");
}

/// `[currencies.CODE]`.
pub static CURRENCY: Section = Section {
    name: "currencies.CODE",
    doc: "A currency, coin or share, as the ledger counts it.",
    by: "",
    groups: &[CURRENCY_KEYS],
};

keys! {
    RATE_KEYS
    /// What is converted.
    "from": Takes::Code, Required("\"USDT\"");
    /// Into what.
    "to": Takes::Code, Required("\"USD\"");
    /// How much `to` one `from` is.
    "rate": Takes::Decimal(Range::Positive), Required("\"1\"");
}

/// `[[rates]]`.
pub static RATE: Section = Section {
    name: "rates",
    doc: "One currency in another, assumed for the whole run and printed with every result.",
    by: "",
    groups: &[RATE_KEYS],
};

keys! {
    VENUE_KEYS
    /// Its name: the part of symbols behind the last dot.
    "name": Takes::Code, Required("\"BINANCE\"");
    /// `cash` exchanges assets; `margin` pays differences, and can hold contracts and go
    /// short.
    "account": Takes::Word(&["cash", "margin"]), Default("\"cash\"");
    /// What the account holds at the start.
    "balances": Takes::Map(&Takes::Decimal(Range::NotNegative)),
        Optional("{ USDT = \"100000\" }"), in "that currency";
    /// How long messages take.
    "latency": Takes::Section(&LATENCY),
        Default("{ feed = \"0s\", order = \"0s\", response = \"0s\" }");
}

/// `[[venues]]`.
pub static VENUE: Section = Section {
    name: "venues",
    doc: "A venue and our account there.",
    by: "",
    groups: &[VENUE_KEYS],
};

keys! {
    LATENCY_KEYS
    /// Market data, from the matching engine to us; `recorded` is what the recorder saw.
    "feed": Takes::Either(&[Takes::Time(Sign::NotNegative), Takes::Word(&["recorded"]), Takes::Section(&DELAY)]),
        Default("\"0s\"");
    /// Orders, from us to the matching engine.
    "order": Takes::Either(&[Takes::Time(Sign::NotNegative), Takes::Section(&DELAY)]),
        Default("\"0s\"");
    /// Answers and fills, from the matching engine to us.
    "response": Takes::Either(&[Takes::Time(Sign::NotNegative), Takes::Section(&DELAY)]),
        Default("\"0s\"");
}

/// `latency` of a venue.
pub static LATENCY: Section = Section {
    name: "venues.latency",
    doc: "How long messages take on each of the three ways.",
    by: "",
    groups: &[LATENCY_KEYS],
};

keys! {
    DELAY_KEYS
    /// Shortest; drawn evenly up to `high`, from the seed.
    "low": Takes::Time(Sign::NotNegative), Optional("\"1ms\"");
    /// Longest.
    "high": Takes::Time(Sign::NotNegative), Optional("\"3ms\"");
    /// A CSV file `time,latency`; a straight line between two rows.
    "table": Takes::Path, Optional("\"latency.csv\"");
}

/// A latency that is not one number.
pub static DELAY: Section = Section {
    name: "venues.latency.feed|order|response",
    doc: "A latency that varies: either between `low` and `high`, or as a `table` says.",
    by: "",
    groups: &[DELAY_KEYS],
};

keys! {
    INSTRUMENT_KEYS
    /// BASE-QUOTE[-PERP|-YYMMDD][:SETTLE].VENUE; an inverse contract settles in its base.
    "symbol": Takes::Symbol, Required("\"BTC-USDT.BINANCE\"");
    /// What it is; without it what the symbol says: perpetual, future, else spot.
    "kind": Takes::Word(&["spot", "fx", "equity", "perpetual", "future"]), Optional("\"spot\"");
    /// Step of its prices.
    "tick": Takes::Decimal(Range::Positive), Required("\"0.01\""), in "quote currency";
    /// Step of its sizes.
    "lot": Takes::Decimal(Range::Positive), Required("\"0.00001\""), in "base units or contracts";
    /// Size of a contract.
    "multiplier": Takes::Decimal(Range::Positive),
        Default("\"1\""), in "base units a contract (inverse: quote units)";
    /// Smallest order; without it, one lot.
    "qty_min": Takes::Decimal(Range::NotNegative),
        Optional("\"0.00001\""), in "base units or contracts";
    /// Largest order the venue takes; without it, what 64 bits hold.
    "qty_max": Takes::Decimal(Range::Positive), Optional("\"1000\""), in "base units or contracts";
    /// Smallest value of an order.
    "notional_min": Takes::Decimal(Range::NotNegative), Default("\"0\""), in "settlement currency";
    /// Highest price that is believed; without it, what 64 bits hold.
    "price_max": Takes::Decimal(Range::Positive), Optional("\"1000000\""), in "quote currency";
    /// What opening a position on margin needs; 1 for nothing borrowed.
    "margin_initial": Takes::Decimal(Range::Share), Default("\"1\""), in "parts of the value";
    /// What keeping it needs, below which it is liquidated; must be set where
    /// `margin_initial` is below 1, else 0.
    "margin_maintenance": Takes::Decimal(Range::Share),
        Optional("\"0.05\""), in "parts of the value";
    /// When a future ends; needed for those and only for those.
    "expiry": Takes::Moment, Optional("\"2024-09-27T08:00:00Z\"");
    /// What fills cost; "none" is a sensitivity, not a result.
    "fees": Takes::Either(&[Takes::Word(&["none"]), Takes::Section(&FEES)]),
        Required("{ maker_bps = \"10\", taker_bps = \"10\" }");
    /// Where in the queue of an aggregated book our orders stand: optimist, pessimist, or
    /// two estimates.
    "queue": Takes::Word(&["front", "back", "power", "log"]), Default("\"back\"");
    /// The exponent n of queue = "power"; 3 unless it is said.
    "queue_power": Takes::Decimal(Range::Positive), Optional("\"3\"");
    /// Where the data has only trades or bars: how far from the last price the other side
    /// is assumed; without it, one tick.
    "half_spread": Takes::Decimal(Range::NotNegative), Optional("\"0.01\""), in "quote currency";
    /// Funding of a perpetual, where the data brings none.
    "funding": Takes::Section(&FUNDING), Optional("{ every = \"8h\", rate = \"0.0001\" }");
}

/// `[[instruments]]`.
pub static INSTRUMENT: Section = Section {
    name: "instruments",
    doc: "Something that can be traded, and how its market is simulated.",
    by: "",
    groups: &[INSTRUMENT_KEYS],
};

keys! {
    FUNDING_KEYS
    /// How often.
    "every": Takes::Time(Sign::Positive), Default("\"8h\"");
    /// What longs pay shorts each time.
    "rate": Takes::Decimal(Range::Any), Required("\"0.0001\""), in "parts of the value";
}

/// `funding` of an instrument.
pub static FUNDING: Section = Section {
    name: "instruments.funding",
    doc: "Funding at fixed times: multiples of `every` since 1970.",
    by: "",
    groups: &[FUNDING_KEYS],
};

keys! {
    FEE_KEYS
    /// Fills that were resting; negative for a rebate.
    "maker_bps": Takes::Decimal(Range::Any), Optional("\"2\""), in "basis points of the value";
    /// Fills that came in and took.
    "taker_bps": Takes::Decimal(Range::Any), Optional("\"4\""), in "basis points of the value";
    /// Fills that were resting; negative for a rebate.
    "maker_per_share": Takes::Decimal(Range::Any),
        Optional("\"-0.002\""), in "settlement currency a base unit";
    /// Fills that came in and took.
    "taker_per_share": Takes::Decimal(Range::Any),
        Optional("\"0.003\""), in "settlement currency a base unit";
    /// No fill costs less; with fees by share, 0 unless it is said.
    "minimum": Takes::Decimal(Range::NotNegative), Optional("\"1\""), in "settlement currency";
    /// Fills that were resting; negative for a rebate.
    "maker_per_contract": Takes::Decimal(Range::Any),
        Optional("\"0.85\""), in "settlement currency a lot";
    /// Fills that came in and took.
    "taker_per_contract": Takes::Decimal(Range::Any),
        Optional("\"0.85\""), in "settlement currency a lot";
}

keys! {
    FEES_OWN
    /// Fees that change with the value traded so far in this instrument.
    "tiers": Takes::Sections(&TIER),
        Optional("[{ from = \"0\", maker_bps = \"2\", taker_bps = \"4\" }]");
    /// How a fee becomes whole units of its currency.
    "rounding": Takes::Word(&["half_even", "half_up", "down", "up"]), Default("\"half_even\"");
}

/// `fees` of an instrument.
pub static FEES: Section = Section {
    name: "instruments.fees",
    doc: "One pair of `maker_` and `taker_` keys, or `tiers`.",
    by: "",
    groups: &[FEE_KEYS, FEES_OWN],
};

keys! {
    TIER_OWN
    /// Value traded so far from which it holds.
    "from": Takes::Decimal(Range::NotNegative), Required("\"0\""), in "settlement currency";
}

/// A tier of fees.
pub static TIER: Section = Section {
    name: "instruments.fees.tiers",
    doc: "Fees from a traded value on; the first tier begins at 0.",
    by: "",
    groups: &[TIER_OWN, FEE_KEYS],
};
