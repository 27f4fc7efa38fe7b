//! Goes wrong a little more often with every quote, until half of what it decides is wrong.

use super::{AFTER, SIZE, Spell, lasts, share, size};
use crate::{
    Intents, Interest, Param, ParamError, ParamKind, Params, Setup, Strategy, StrategyKind, View,
};
use tse_model::bytes::{Kept, Reader, Writer};
use tse_model::{Chance, InstrumentId, Qty, Quote, Rate, kept_fields};

/// How the registry finds it.
pub const KIND: StrategyKind = StrategyKind {
    name: "chaos_slow_leak",
    summary: "chaos: follows the market, and more and more often the wrong way",
    params: &[
        SIZE,
        Param {
            name: "degradation_rate",
            kind: ParamKind::Decimal { min: "0", max: "1" },
            default: Some("0.001"),
            unit: "per quote",
            doc: "How much likelier a wrong decision becomes with each quote, up to a half.",
        },
        Param {
            name: "seed",
            kind: ParamKind::Int { min: 0, max: 1_000_000_000 },
            default: Some("1"),
            unit: "",
            doc: "Which decisions are wrong.",
        },
        AFTER,
        lasts("24h"),
    ],
    instruments: (1, 1),
    build,
};

struct SlowLeak {
    size: Qty,
    rate: Rate,
    chance: Chance,
    quotes: i64,
    /// The mid of the quote before, in half ticks.
    before: Option<i64>,
    spell: Spell,
}

kept_fields! {
    SlowLeak { saved: chance, quotes, before, spell; built: size, rate }
}

fn build(params: &Params, setup: &Setup<'_>) -> Result<Box<dyn Strategy>, ParamError> {
    Ok(Box::new(SlowLeak {
        size: size(params, setup, 0)?,
        rate: share(params, "degradation_rate")?,
        chance: Chance::stream(params.int("seed").unsigned_abs(), "slow leak"),
        quotes: 0,
        before: None,
        spell: Spell::of(params),
    }))
}

impl SlowLeak {
    /// Whether this decision is wrong: as likely as quotes were seen times the rate, at most a half.
    fn leaks(&mut self) -> bool {
        let odds = i128::from(self.quotes) * i128::from(self.rate.billionths());
        let odds = odds.clamp(0, i128::from(Rate::ONE / 2));
        self.chance.one_in(odds as u64, Rate::ONE as u64)
    }
}

impl Strategy for SlowLeak {
    fn save(&self, out: &mut Writer) -> bool {
        Kept::save(self, out);
        true
    }

    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        Kept::load(self, bytes)
    }

    fn interest(&self) -> Interest {
        Interest { quotes: true, ..Interest::default() }
    }

    fn on_quote(&mut self, it: InstrumentId, quote: &Quote, view: &View<'_>, wish: &mut Intents) {
        let on = self.spell.is_on(view.now);
        let Some(mid) = quote.twice_mid() else { return };
        let Some(before) = self.before.replace(mid).filter(|_| on) else { return };
        self.quotes += 1;
        let leaks = self.leaks();
        if mid == before {
            return;
        }
        // With the market, unless it leaks.
        let long = (mid > before) != leaks;
        wish.target(it, if long { self.size } else { -self.size });
    }
}
