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
    /// How `tse run` keeps an engine and its venues together.
    "paper": Takes::Section(&PAPER), Optional("{ reconcile_every = \"10s\" }");
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
    /// How many days of a year have returns; without it 365, or with weekdays 260 for currencies alone and
    /// else 252.
    "days_per_year": Takes::Whole { min: 1, max: 366 }, Optional("365");
    /// What money earns without risk, as a share a year: the Sharpe ratio counts from there.
    "risk_free": Takes::Decimal(Range::Any), Default("\"0\"");
    /// Below so much, as a share a year, a return counts as a loss (the Sortino ratio's).
    "minimum_return": Takes::Decimal(Range::Any), Default("\"0\"");
    /// Whether strategies that do harm on purpose may take part.
    "chaos": Takes::Flag, Default("false");
    /// What the engine is for: `tse run` says paper by itself, and whatever else runs it backtest.
    "mode": Takes::Word(&["backtest", "paper"]), Optional("\"paper\"");
}

keys! {
    PAPER_KEYS
    /// How often each account is compared with its venue.
    "reconcile_every": Takes::Time(Sign::Positive), Default("\"10s\"");
    /// How long a venue may take to say how things stand before it is asked again.
    "reconcile_timeout": Takes::Time(Sign::Positive), Default("\"5s\"");
    /// How long a record may take to become safe before nothing that adds risk is sent.
    "journal_lag_max": Takes::Time(Sign::Positive), Default("\"1s\"");
}

/// `[paper]`.
pub static PAPER: Section = Section {
    name: "paper",
    doc: "How `tse run` keeps an engine and its venues together, and when its journal is too slow.",
    by: "",
    groups: &[PAPER_KEYS],
};

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
    /// C24: how small it begins; without it, with all of its limits.
    "ramp": Takes::Sections(&RAMP), Optional("[]");
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
    PACE_KEYS
    /// C06: how many orders, changes and cancels may go out.
    "messages": Takes::Section(&MESSAGES), Optional("{ count = 50, window = \"1s\" }");
    /// C07: how much may be executed before a person has looked; then the scope is paused.
    "executions": Takes::Section(&EXECUTIONS), Optional("{ count = 1000, window = \"1h\" }");
    /// C17: after more refusals by a venue in a row than this the scope is paused.
    "rejects_max": Takes::Whole { min: 0, max: u32::MAX as i64 }, Optional("5"), in "refusals";
    /// C17: after more executions in a row that realise a loss than this it is paused.
    "losses_max": Takes::Whole { min: 0, max: u32::MAX as i64 }, Optional("20"), in "executions";
    /// C22: how many messages may go out on a UTC day for what they lead to.
    "order_to_trade": Takes::Section(&ORDER_TO_TRADE), Optional("{ ratio = 100, grace = 1000 }");
}

keys! {
    LOSS_KEYS
    /// C15, C16: what may be lost.
    "losses": Takes::Section(&LOSSES),
        Optional("{ capital = \"100000\", day_max = \"2000\" }");
}

keys! {
    FIRM_LOSS_KEYS
    /// C15, C16: what may be lost by all together.
    "losses": Takes::Section(&FIRM_LOSSES),
        Optional("{ capital = \"100000\", day_max = \"2000\" }");
}

keys! {
    SWING_KEYS
    /// C20: how far the market may have moved in a short while.
    "swing": Takes::Section(&SWING), Optional("{ max_bps = \"300\", window = \"1m\" }");
}

keys! {
    EXPOSURE_KEYS
    /// C12: what everything it holds and asks for may be worth together.
    "exposure": Takes::Section(&EXPOSURE), Optional("{ gross_max = \"500000\" }");
}

keys! {
    FIRM_EXPOSURE_KEYS
    /// C12: what everything may be worth together.
    "exposure": Takes::Section(&FIRM_EXPOSURE),
        Optional("{ gross_max = \"1000000\", leverage_max = \"3\" }");
}

keys! {
    IN_FLIGHT_KEYS
    /// C21: how many orders may await an answer, or be such that nobody knows how they stand.
    "in_flight_max": Takes::Whole { min: 1, max: u32::MAX as i64 }, Optional("20"), in "orders";
}

keys! {
    LIMITS_OWN
    /// Limits of single instruments, in place of those above.
    "instrument": Takes::Sections(&INSTRUMENT_LIMITS), Optional("[]");
}

/// `[limits]`.
pub static LIMITS: Section = Section {
    name: "limits",
    doc: "Limits of the account in each instrument, which must be set here or for each instrument; `self_trade` need not be. Paces are of the account at each venue; those that are not set are not limited.",
    by: "",
    groups: &[
        LIMIT_KEYS,
        SWING_KEYS,
        LIMITS_OWN,
        PACE_KEYS,
        IN_FLIGHT_KEYS,
        FIRM_LOSS_KEYS,
        FIRM_EXPOSURE_KEYS,
    ],
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
    groups: &[INSTRUMENT_LIMITS_OWN, LIMIT_KEYS, SWING_KEYS],
};

/// `[strategies.limits]`.
pub static STRATEGY_LIMITS: Section = Section {
    name: "strategies.limits",
    doc: "Limits of one strategy in each of its instruments, and its paces over all of them.",
    by: "",
    groups: &[LIMIT_KEYS, PACE_KEYS, LOSS_KEYS, EXPOSURE_KEYS],
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

keys! {
    MESSAGES_KEYS
    /// This many.
    "count": Takes::Whole { min: 1, max: 100_000 }, Required("50"), in "messages";
    /// Within this long, wherever it begins.
    "window": Takes::Time(Sign::Positive), Required("\"1s\"");
    /// So many of them are kept for cancels and for orders that shrink a position.
    "reserved": Takes::Whole { min: 0, max: 100_000 }, Optional("10"), in "messages";
    /// After more refusals than this within the window the scope is paused; never, unless it is said.
    "tolerance": Takes::Whole { min: 0, max: 100_000 }, Optional("100"), in "refusals";
}

/// `messages` of limits.
pub static MESSAGES: Section = Section {
    name: "limits.messages",
    doc: "How many orders, changes and cancels may go out. Cancels always may, and count.",
    by: "",
    groups: &[MESSAGES_KEYS],
};

keys! {
    EXECUTIONS_KEYS
    /// This many.
    "count": Takes::Whole { min: 1, max: 1_000_000 }, Required("1000"), in "executions";
    /// Within this long, wherever it begins.
    "window": Takes::Time(Sign::Positive), Required("\"1h\"");
}

/// `executions` of limits.
pub static EXECUTIONS: Section = Section {
    name: "limits.executions",
    doc: "How much may be executed before a person has looked.",
    by: "",
    groups: &[EXECUTIONS_KEYS],
};

keys! {
    ORDER_TO_TRADE_KEYS
    /// So many for each execution of the day.
    "ratio": Takes::Whole { min: 1, max: u32::MAX as i64 }, Required("100"), in "messages";
    /// And so many besides: a day begins without executions.
    "grace": Takes::Whole { min: 1, max: u32::MAX as i64 }, Required("1000"), in "messages";
}

/// `order_to_trade` of limits.
pub static ORDER_TO_TRADE: Section = Section {
    name: "limits.order_to_trade",
    doc: "How many orders, changes and cancels may go out on a UTC day for what is executed on it. Cancels always may, and count.",
    by: "",
    groups: &[ORDER_TO_TRADE_KEYS],
};

keys! {
    LOSSES_KEYS
    /// What it trades with: shares are shares of this and of what was earned.
    "capital": Takes::Decimal(Range::Positive), Required("\"100000\""), in "the base currency";
    /// From this loss since the UTC day began only what shrinks positions is sent (K2).
    "day_soft": Takes::Decimal(Range::Positive), Optional("\"1000\""), in "the base currency";
    /// From this loss since the UTC day began everything is taken back (K3).
    "day_max": Takes::Decimal(Range::Positive), Optional("\"2000\""), in "the base currency";
    /// From this fall from the highest point everything is taken back (K3).
    "drawdown_max_bps": Takes::Decimal(Range::Positive), Optional("\"1500\""), in "basis points";
    /// The same for a fall in a short while.
    "rapid": Takes::Section(&RAPID), Optional("{ max_bps = \"500\", window = \"10m\" }");
    /// From this value at risk of a day (99 %, over the last 30) only what shrinks positions is sent (K2).
    "var_max": Takes::Decimal(Range::Positive), Optional("\"5000\""), in "the base currency";
    /// Whether positions are closed as well then (K5).
    "flatten": Takes::Flag, Default("false");
}

keys! {
    FIRM_LOSSES_KEYS
    /// How often it is looked at, beside after every execution.
    "every": Takes::Time(Sign::Positive), Default("\"1s\"");
    /// How long trading stays cut back after a loss, whoever wants it otherwise.
    "cool_down": Takes::Time(Sign::NotNegative), Default("\"1h\"");
}

/// `losses` of a strategy's limits.
pub static LOSSES: Section = Section {
    name: "limits.losses",
    doc: "What may be lost. Transfers do not count; what cannot be valued trips nothing, and nothing that adds risk is sent then.",
    by: "",
    groups: &[LOSSES_KEYS],
};

/// `losses` of the account's limits.
pub static FIRM_LOSSES: Section = Section {
    name: "limits.losses",
    doc: "What may be lost by all together, and how losses are watched.",
    by: "",
    groups: &[LOSSES_KEYS, FIRM_LOSSES_KEYS],
};

keys! {
    RAPID_KEYS
    /// This fall.
    "max_bps": Takes::Decimal(Range::Positive), Required("\"500\""), in "basis points";
    /// Within this long, wherever it begins.
    "window": Takes::Time(Sign::Positive), Required("\"10m\"");
}

/// `rapid` of losses.
pub static RAPID: Section = Section {
    name: "losses.rapid",
    doc: "A fall in a short while.",
    by: "",
    groups: &[RAPID_KEYS],
};

keys! {
    GROSS_NET_KEYS
    /// Long and short added up, every open order counted as filled.
    "gross_max": Takes::Decimal(Range::Positive), Optional("\"1000000\""), in "the base currency";
    /// Long less short, either way, at worst.
    "net_max": Takes::Decimal(Range::Positive), Optional("\"500000\""), in "the base currency";
}

keys! {
    EQUITY_KEYS
    /// Gross as a multiple of equity.
    "leverage_max": Takes::Decimal(Range::Positive), Optional("\"3\""), in "times equity";
    /// Net in one base asset as a share of equity, either way.
    "concentration_max_bps": Takes::Decimal(Range::Positive),
        Optional("\"3000\""), in "basis points of equity";
}

keys! {
    FIRM_EXPOSURE_OWN
    /// How often what is held is looked at; what is over its limit then is cut back (K2).
    "every": Takes::Time(Sign::Positive), Default("\"1s\"");
    /// Instruments that move together.
    "groups": Takes::Sections(&EXPOSURE_GROUP), Optional("[]");
    /// How much strategies may earn together: beyond it everything only shrinks (K2).
    "correlation": Takes::Section(&CORRELATION), Optional("{ max = \"0.9\" }");
}

keys! {
    CORRELATION_OWN
    /// The correlation of what two of them earned, from 0 to 1.
    "max": Takes::Decimal(Range::Share), Required("\"0.9\"");
    /// In steps of this length.
    "every": Takes::Time(Sign::Positive), Default("\"1m\"");
    /// Over so many of them; before there are that many nothing is known.
    "samples": Takes::Whole { min: 2, max: 1_000 }, Default("30"), in "steps";
}

/// `correlation` of the account's exposure.
pub static CORRELATION: Section = Section {
    name: "limits.exposure.correlation",
    doc: "How much strategies may earn together: two that do are one bet.",
    by: "",
    groups: &[CORRELATION_OWN],
};

/// `exposure` of a strategy's limits.
pub static EXPOSURE: Section = Section {
    name: "limits.exposure",
    doc: "What everything together may be worth at the middle of its market, at worst before an order leaves, and what is held afterwards. What has no price refuses whatever adds risk.",
    by: "",
    groups: &[GROSS_NET_KEYS, EQUITY_KEYS],
};

/// `exposure` of the account's limits.
pub static FIRM_EXPOSURE: Section = Section {
    name: "limits.exposure",
    doc: "What everything together may be worth at the middle of its market, over all strategies and venues.",
    by: "",
    groups: &[GROSS_NET_KEYS, EQUITY_KEYS, FIRM_EXPOSURE_OWN],
};

keys! {
    EXPOSURE_GROUP_OWN
    /// Which instruments.
    "instruments": Takes::List(&Takes::Instrument),
        Required("[\"BTC-USDT.BINANCE\", \"ETH-USDT.BINANCE\"]");
}

/// `groups` of the account's exposure.
pub static EXPOSURE_GROUP: Section = Section {
    name: "limits.exposure.groups",
    doc: "Instruments that move together, and what they may be worth together.",
    by: "",
    groups: &[EXPOSURE_GROUP_OWN, GROSS_NET_KEYS],
};

keys! {
    SWING_OWN
    /// So far, from the lowest to the highest middle.
    "max_bps": Takes::Decimal(Range::Positive), Required("\"300\""), in "basis points of the lowest";
    /// Within this long, or a sixteenth more.
    "window": Takes::Time(Sign::Positive), Required("\"1m\"");
}

/// `swing` of the account's limits.
pub static SWING: Section = Section {
    name: "limits.swing",
    doc: "How far a market may have moved in a short while: beyond it nothing that adds risk is sent there until it has calmed down.",
    by: "",
    groups: &[SWING_OWN],
};

keys! {
    RAMP_KEYS
    /// From so long after its first order on.
    "after": Takes::Time(Sign::NotNegative), Required("\"0s\"");
    /// This share of the limits of an order and of positions may be used.
    "share_bps": Takes::Decimal(Range::Positive), Required("\"1000\""), in "basis points";
}

/// `ramp` of a strategy.
pub static RAMP: Section = Section {
    name: "strategies.ramp",
    doc: "How small a strategy begins, step by step from its first order on; before the first step it may do nothing.",
    by: "",
    groups: &[RAMP_KEYS],
};
