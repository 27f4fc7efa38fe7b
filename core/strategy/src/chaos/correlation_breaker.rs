//! Sells one market when another rises: what moved together no longer does.

use super::{AFTER, Moves, SIZE, Spell, is_beyond, lasts, share, size};
use crate::{
    Intents, Interest, OrderWish, Param, ParamError, ParamKind, Params, Setup, Strategy,
    StrategyKind, View,
};
use tse_model::bytes::{Kept, Reader, Writer};
use tse_model::{InstrumentId, Qty, Quote, Rate, Side, kept_fields};

/// How the registry finds it.
pub const KIND: StrategyKind = StrategyKind {
    name: "chaos_correlation_breaker",
    summary: "chaos: sells its second market whenever the first has risen",
    params: &[
        SIZE,
        Param {
            name: "lookback",
            kind: ParamKind::Int { min: 1, max: 100_000 },
            default: Some("20"),
            unit: "quotes",
            doc: "Over how many quotes of the first market a rise is measured.",
        },
        Param {
            name: "change",
            kind: ParamKind::Decimal { min: "0", max: "1" },
            default: Some("0.02"),
            unit: "share of the price",
            doc: "How large a rise it answers.",
        },
        AFTER,
        lasts("10m"),
    ],
    instruments: (2, 2),
    build,
};

struct Breaker {
    leader: InstrumentId,
    sold: InstrumentId,
    size: Qty,
    change: Rate,
    moves: Moves,
    spell: Spell,
}

kept_fields! {
    Breaker { saved: moves, spell; built: leader, sold, size, change }
}

fn build(params: &Params, setup: &Setup<'_>) -> Result<Box<dyn Strategy>, ParamError> {
    Ok(Box::new(Breaker {
        leader: setup.instruments[0],
        sold: setup.instruments[1],
        size: size(params, setup, 1)?,
        change: share(params, "change")?,
        moves: Moves::new(params.int("lookback")),
        spell: Spell::of(params),
    }))
}

impl Strategy for Breaker {
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
        let Some(mid) = quote.twice_mid().filter(|_| it == self.leader) else { return };
        let Some(before) = self.moves.before(mid) else { return };
        if on && mid > before && is_beyond(before, mid, self.change) {
            wish.order(OrderWish::market(self.sold, Side::Sell, self.size));
        }
    }
}
