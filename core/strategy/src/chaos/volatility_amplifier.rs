//! Runs behind every large move, with twice what it should.

use super::{AFTER, Moves, SIZE, Spell, is_beyond, lasts, share, size, times};
use crate::{
    Intents, Interest, OrderWish, Param, ParamError, ParamKind, Params, Setup, Strategy,
    StrategyKind, View,
};
use tse_model::bytes::{Kept, Reader, Writer};
use tse_model::{InstrumentId, Qty, Quote, Rate, Side, kept_fields};

/// How the registry finds it.
pub const KIND: StrategyKind = StrategyKind {
    name: "chaos_volatility_amplifier",
    summary: "chaos: trades with every large move, and too much",
    params: &[
        SIZE,
        Param {
            name: "lookback",
            kind: ParamKind::Int { min: 1, max: 100_000 },
            default: Some("20"),
            unit: "quotes",
            doc: "Over how many quotes a move is measured.",
        },
        Param {
            name: "momentum_threshold",
            kind: ParamKind::Decimal { min: "0", max: "1" },
            default: Some("0.02"),
            unit: "share of the price",
            doc: "How large a move it follows.",
        },
        Param {
            name: "amplification_factor",
            kind: ParamKind::Decimal { min: "1", max: "100" },
            default: Some("2"),
            unit: "times `size`",
            doc: "How much it trades at a time.",
        },
        AFTER,
        lasts("30m"),
    ],
    instruments: (1, 1),
    build,
};

struct Amplifier {
    size: Qty,
    threshold: Rate,
    moves: Moves,
    spell: Spell,
}

kept_fields! {
    Amplifier { saved: moves, spell; built: size, threshold }
}

fn build(params: &Params, setup: &Setup<'_>) -> Result<Box<dyn Strategy>, ParamError> {
    let factor = share(params, "amplification_factor")?;
    Ok(Box::new(Amplifier {
        size: times(size(params, setup, 0)?, factor),
        threshold: share(params, "momentum_threshold")?,
        moves: Moves::new(params.int("lookback")),
        spell: Spell::of(params),
    }))
}

impl Strategy for Amplifier {
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
        let Some(before) = self.moves.before(mid) else { return };
        if on && is_beyond(before, mid, self.threshold) {
            let side = if mid > before { Side::Buy } else { Side::Sell };
            wish.order(OrderWish::market(it, side, self.size));
        }
    }
}
