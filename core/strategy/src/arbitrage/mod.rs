//! Buys where an asset is cheap and sells where it is dear, at prices that can be traded, after fees
//! (spec §5.4).
//!
//! Mode `taker` sends both legs at once as one group when the spread left after fees exceeds a
//! minimum, and unwinds whatever one leg traded more than the other. Mode `maker_taker` rests quotes
//! in the first instrument and hedges in the others from the position it *has*, never from the fills
//! it heard of, so a lost or doubled event cannot leave it unhedged.

mod leg;
mod maker;
mod taker;

use crate::{Param, ParamError, ParamKind, Params, Setup, Strategy, StrategyKind};
use leg::{Leg, ONE};
use tse_model::{Rate, Span};

/// How the registry finds it.
pub const KIND: StrategyKind = StrategyKind {
    name: "arbitrage",
    summary: "buys where an asset is cheap and sells where it is dear, after fees",
    params: &[
        Param {
            name: "mode",
            kind: ParamKind::Choice(&["taker", "maker_taker"]),
            default: Some("taker"),
            unit: "",
            doc: "Take both legs at once, or quote the first instrument and hedge in the others.",
        },
        Param {
            name: "min_spread_bps",
            kind: ParamKind::Decimal { min: "-1000", max: "10000" },
            default: Some("10"),
            unit: "basis points",
            doc: "What must be left of the cheap price after both fees; acts when strictly above.",
        },
        Param {
            name: "max_position_size",
            kind: ParamKind::Decimal { min: "0", max: "1000000000" },
            default: Some("1.0"),
            unit: "base units",
            doc: "Largest trade, and largest position in any one instrument.",
        },
        Param {
            name: "max_leg_delay_ms",
            kind: ParamKind::Int { min: 1, max: 600_000 },
            default: Some("1000"),
            unit: "ms",
            doc: "How long legs may be out before the rest is cancelled and the imbalance unwound.",
        },
        Param {
            name: "stale",
            kind: ParamKind::Time,
            default: Some("5s"),
            unit: "",
            doc: "A price older than this is no price.",
        },
    ],
    instruments: (2, 16),
    build,
};

/// What both modes share.
struct Terms {
    legs: Vec<Leg>,
    /// Billionths of the cheap price.
    spread_min: i128,
    /// Base units.
    size_max: i128,
    leg_delay: Span,
    stale: Span,
}

fn build(params: &Params, setup: &Setup<'_>) -> Result<Box<dyn Strategy>, ParamError> {
    let common = setup.catalog.instrument(setup.instruments[0]).quote;
    let legs: Result<Vec<_>, _> =
        setup.instruments.iter().map(|id| Leg::new(*id, common, setup)).collect();
    let error = |name: &str, value, fix: &str| ParamError {
        name: name.to_owned(),
        what: format!("{value} has too many decimals"),
        fix: fix.to_owned(),
    };
    let spread = params.decimal("min_spread_bps");
    let size = params.decimal("max_position_size");
    let terms = Terms {
        legs: legs?,
        spread_min: Rate::from_bps(spread)
            .map(|rate| i128::from(rate.billionths()))
            .ok_or_else(|| error("min_spread_bps", spread, "min_spread_bps = \"10\""))?,
        size_max: size
            .at_scale(12)
            .filter(|size| *size > 0 && *size <= ONE * 1_000_000_000)
            .ok_or_else(|| error("max_position_size", size, "max_position_size = \"1.0\""))?,
        leg_delay: Span::from_millis(params.int("max_leg_delay_ms")),
        stale: params.time("stale"),
    };
    Ok(match params.choice("mode") {
        "taker" => Box::new(taker::Taker::new(terms)),
        _ => Box::new(maker::Maker::new(terms)),
    })
}
