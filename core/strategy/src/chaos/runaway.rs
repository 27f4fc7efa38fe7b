//! Buys a hundred times with every quote.

use super::{AFTER, SIZE, Spell, lasts, size};
use crate::{
    Intents, Interest, OrderWish, Param, ParamError, ParamKind, Params, Setup, Strategy,
    StrategyKind, View,
};
use tse_model::bytes::{Kept, Reader, Writer};
use tse_model::{InstrumentId, Qty, Quote, Side, kept_fields};

/// How the registry finds it.
pub const KIND: StrategyKind = StrategyKind {
    name: "chaos_runaway",
    summary: "chaos: a hundred market buys with every quote",
    params: &[
        SIZE,
        Param {
            name: "orders",
            kind: ParamKind::Int { min: 1, max: 1_000 },
            default: Some("100"),
            unit: "orders",
            doc: "How many with every quote.",
        },
        AFTER,
        lasts("10m"),
    ],
    instruments: (1, 1_000),
    build,
};

struct Runaway {
    size: Qty,
    orders: i64,
    spell: Spell,
}

kept_fields! {
    Runaway { saved: spell; built: size, orders }
}

fn build(params: &Params, setup: &Setup<'_>) -> Result<Box<dyn Strategy>, ParamError> {
    let spell = Spell::of(params);
    Ok(Box::new(Runaway { size: size(params, setup, 0)?, orders: params.int("orders"), spell }))
}

impl Strategy for Runaway {
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

    fn on_quote(&mut self, it: InstrumentId, _: &Quote, view: &View<'_>, wish: &mut Intents) {
        if self.spell.is_on(view.now) {
            for _ in 0..self.orders {
                wish.order(OrderWish::market(it, Side::Buy, self.size));
            }
        }
    }
}
