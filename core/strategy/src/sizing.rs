//! The parameters that name a sizing policy, and the way from them to lots: for strategies that take a position or
//! quote orders of a size ([`crate::models::sizing`] has the formulas).

use crate::models::sizing::{self, Policy, Sizer};
use crate::{Param, ParamKind, Params, Setup};
use tse_model::{Instrument, InstrumentId, Qty, Side, Span};

/// Which policy.
pub const POLICY: Param = Param {
    name: "sizing",
    kind: ParamKind::Choice(&["fixed", "volatility", "kelly", "risk_aware"]),
    default: Some("fixed"),
    unit: "",
    doc: "How much of its size it takes: all of it, by volatility, by Kelly's rule, or by the risk-aware formula.",
};
/// Over how many bars the market is judged.
pub const LOOKBACK: Param = Param {
    name: "sizing_lookback",
    kind: ParamKind::Int { min: 2, max: 10_000 },
    default: Some("20"),
    unit: "returns",
    doc: "Over how many returns volatility and edge are taken; before that many nothing is traded.",
};
/// What a return should deviate in a year.
pub const VOLATILITY: Param = Param {
    name: "volatility_target",
    kind: ParamKind::Decimal { min: "0", max: "100" },
    default: Some("0.2"),
    unit: "a year, as a share",
    doc: "Where the market deviates more than this, less is taken (volatility, risk_aware).",
};
/// How much of Kelly's share is used.
pub const KELLY_FRACTION: Param = Param {
    name: "kelly_fraction",
    kind: ParamKind::Decimal { min: "0", max: "1" },
    default: Some("0.5"),
    unit: "of Kelly's share",
    doc: "How much of the share that Kelly's rule says is used.",
};
/// How much at most.
pub const KELLY_CAP: Param = Param {
    name: "kelly_cap",
    kind: ParamKind::Decimal { min: "0", max: "1" },
    default: Some("0.25"),
    unit: "of its size",
    doc: "The most of its size that Kelly's rule may take.",
};
/// At which drawdown nothing is taken.
pub const DRAWDOWN: Param = Param {
    name: "drawdown_limit",
    kind: ParamKind::Decimal { min: "0", max: "1" },
    default: Some("0.15"),
    unit: "of the capital",
    doc: "At this fall from the highest point nothing is taken any more, and less before (risk_aware).",
};
/// What it trades with.
pub const CAPITAL: Param = Param {
    name: "capital",
    kind: ParamKind::Decimal { min: "0", max: "1000000000000" },
    default: Some("0"),
    unit: "the settlement currency",
    doc: "What the strategy trades with, for its drawdown; with 0, and for inverse contracts, drawdown is left out.",
};

/// A sizer as the parameters say; `bar` is how long one return takes, zero for a change of the mid.
pub(crate) fn sizer(
    params: &Params,
    setup: &Setup<'_>,
    instrument: InstrumentId,
    bar: Span,
) -> Sizer {
    let policy = match params.choice("sizing") {
        "volatility" => Policy::Volatility,
        "kelly" => Policy::Kelly,
        "risk_aware" => Policy::RiskAware,
        _ => Policy::Fixed,
    };
    let it = setup.catalog.instrument(instrument);
    // One tick times one lot in the settlement currency, so that capital is counted as profit is.
    let step = [it.tick, it.lot, it.multiplier];
    // What an inverse contract earns is not in ticks times lots.
    let capital = match it.kind.is_inverse() {
        true => tse_model::Decimal::ZERO,
        false => params.decimal("capital"),
    };
    Sizer::new(sizing::sizing(
        policy,
        params.int("sizing_lookback") as usize,
        bar.nanos(),
        [
            params.decimal("volatility_target"),
            params.decimal("kelly_fraction"),
            params.decimal("kelly_cap"),
            params.decimal("drawdown_limit"),
            capital,
        ],
        step,
    ))
}

/// The middle of the market, or a close, is this, in half ticks.
pub(crate) fn seen(sizer: &mut Sizer, half_ticks: i64) {
    if !sizer.is_fixed() {
        sizer.half_ticks(half_ticks);
    }
}

/// How much to take.
pub(crate) fn size(sizer: &Sizer, side: Side, most: Qty, instrument: &Instrument) -> Qty {
    sizing::lots(sizer.share(side), most, instrument)
}
