//! Strategies that do harm on purpose, to see that what should stop them does (F32).
//!
//! They are for drills and tests: a configuration must say that it wants them (`run.chaos`). Their orders carry
//! their names like anybody's, and the gate knows no exception for them.
//!
//! Begin at [`runaway`]; each file is one of them.

pub mod correlation_breaker;
pub mod risk_ignorant;
pub mod runaway;
pub mod slow_leak;
pub mod volatility_amplifier;

use crate::{Param, ParamError, ParamKind, Params, Setup, StrategyKind};
use tse_model::{Qty, Rate, Span, Timestamp, kept_fields};

/// What the names of all of them begin with.
pub const PREFIX: &str = "chaos_";

/// All of them.
pub const ALL: [StrategyKind; 5] = [
    runaway::KIND,
    risk_ignorant::KIND,
    volatility_amplifier::KIND,
    correlation_breaker::KIND,
    slow_leak::KIND,
];

/// How much an order is for.
const SIZE: Param = Param {
    name: "size",
    kind: ParamKind::Decimal { min: "0", max: "1000000000" },
    default: None,
    unit: "base units or contracts",
    doc: "What it trades at a time.",
};
/// When it begins.
const AFTER: Param = Param {
    name: "after",
    kind: ParamKind::Time,
    default: Some("0s"),
    unit: "",
    doc: "How long it is harmless, from its first quote on.",
};

const fn lasts(default: &'static str) -> Param {
    Param {
        name: "max_duration",
        kind: ParamKind::Time,
        default: Some(default),
        unit: "",
        doc: "How long it then does harm.",
    }
}

/// The stretch of time in which one of them does harm.
#[derive(Clone, Debug)]
struct Spell {
    after: Span,
    lasts: Span,
    first: Option<Timestamp>,
}

kept_fields! {
    Spell { saved: first; built: after, lasts }
}

impl Spell {
    fn of(params: &Params) -> Self {
        Self { after: params.time("after"), lasts: params.time("max_duration"), first: None }
    }

    /// Whether it does harm now; the first time it is asked is the first quote.
    fn is_on(&mut self, now: Timestamp) -> bool {
        let since = (now - *self.first.get_or_insert(now)).nanos();
        (0..self.lasts.nanos()).contains(&since.saturating_sub(self.after.nanos()))
    }
}

/// A share such as 0.02, which its declaration keeps in range.
fn share(params: &Params, name: &str) -> Result<Rate, ParamError> {
    let billionths = params.decimal(name).at_scale(9).and_then(|it| i64::try_from(it).ok());
    billionths.map(Rate::from_billionths).ok_or_else(|| ParamError {
        name: name.to_owned(),
        what: format!("{} is finer than a billionth", params.decimal(name)),
        fix: "nine decimals at most".to_owned(),
    })
}

/// A size times a number such as 2.0, in whole lots; as much as there is where that fits no integer.
fn times(size: Qty, factor: Rate) -> Qty {
    let product = i128::from(size.get()) * i128::from(factor.billionths());
    let lots = product / i128::from(Rate::ONE);
    Qty::new(i64::try_from(lots).unwrap_or(i64::MAX / 8))
}

/// Mids of the last quotes, for how far the market has moved over them.
#[derive(Clone, Debug)]
struct Moves {
    lookback: usize,
    /// In half ticks.
    mids: std::collections::VecDeque<i64>,
}

kept_fields! {
    Moves { saved: mids; built: lookback }
}

impl Moves {
    fn new(lookback: i64) -> Self {
        let lookback = usize::try_from(lookback).unwrap_or(1);
        Self { lookback, mids: std::collections::VecDeque::with_capacity(lookback + 1) }
    }

    /// A new mid: where the market was so many quotes before, if there were that many.
    fn before(&mut self, twice_mid: i64) -> Option<i64> {
        let before = (self.mids.len() == self.lookback).then(|| self.mids.pop_front()).flatten();
        self.mids.push_back(twice_mid);
        before
    }
}

/// Whether a move from one mid to another is more than a share of the first, in either direction.
fn is_beyond(from: i64, to: i64, share: Rate) -> bool {
    let moved = i128::from(to) - i128::from(from);
    let limit = i128::from(from).abs() * i128::from(share.billionths());
    moved.abs() * i128::from(Rate::ONE) > limit
}

/// The size, which must be something.
fn size(params: &Params, setup: &Setup<'_>, at: usize) -> Result<Qty, ParamError> {
    setup.lots(params, "size", setup.instruments[at])
}
