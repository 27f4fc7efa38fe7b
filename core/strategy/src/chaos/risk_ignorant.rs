//! Takes a refusal for a reason to do more of it.

use super::{AFTER, SIZE, Spell, lasts, share, size, times};
use crate::{
    Intents, Interest, OrderUpdate, OrderWish, Param, ParamError, ParamKind, Params, Setup,
    Strategy, StrategyKind, UpdateKind, View,
};
use tse_model::bytes::{Kept, Reader, Writer};
use tse_model::{InstrumentId, Qty, Quote, Rate, Side, kept_fields};

/// How the registry finds it.
pub const KIND: StrategyKind = StrategyKind {
    name: "chaos_risk_ignorant",
    summary: "chaos: buys until it is refused, and then doubles down",
    params: &[
        SIZE,
        Param {
            name: "every",
            kind: ParamKind::Int { min: 1, max: 100_000 },
            default: Some("10"),
            unit: "quotes",
            doc: "How often it buys while nothing is refused.",
        },
        Param {
            name: "breaches",
            kind: ParamKind::Int { min: 1, max: 1_000 },
            default: Some("3"),
            unit: "refusals",
            doc: "After how many refusals it doubles down, in every market it has.",
        },
        Param {
            name: "escalation_factor",
            kind: ParamKind::Decimal { min: "1", max: "100" },
            default: Some("2"),
            unit: "times `size`",
            doc: "How much it then trades at a time.",
        },
        AFTER,
        lasts("10m"),
    ],
    instruments: (1, 1_000),
    build,
};

struct RiskIgnorant {
    instruments: Vec<InstrumentId>,
    size: Qty,
    escalation: Rate,
    every: i64,
    breaches_max: i64,
    quotes: i64,
    breaches: i64,
    /// Whether it was refused since the last quote: it answers with the next.
    provoked: bool,
    spell: Spell,
}

kept_fields! {
    RiskIgnorant {
        saved: quotes, breaches, provoked, spell;
        built: instruments, size, escalation, every, breaches_max
    }
}

fn build(params: &Params, setup: &Setup<'_>) -> Result<Box<dyn Strategy>, ParamError> {
    Ok(Box::new(RiskIgnorant {
        instruments: setup.instruments.to_vec(),
        size: size(params, setup, 0)?,
        escalation: share(params, "escalation_factor")?,
        every: params.int("every"),
        breaches_max: params.int("breaches"),
        quotes: 0,
        breaches: 0,
        provoked: false,
        spell: Spell::of(params),
    }))
}

impl Strategy for RiskIgnorant {
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
        if !self.spell.is_on(view.now) {
            return;
        }
        self.quotes += 1;
        if std::mem::take(&mut self.provoked) && self.breaches >= self.breaches_max {
            for it in &self.instruments {
                // Double down: a flat book goes short.
                let long = view.position(*it).is_positive();
                let side = if long { Side::Buy } else { Side::Sell };
                wish.order(OrderWish::market(*it, side, times(self.size, self.escalation)));
            }
        } else if self.quotes % self.every == 0 {
            wish.order(OrderWish::market(it, Side::Buy, self.size));
        }
    }

    fn on_order(&mut self, update: &OrderUpdate, _: &View<'_>, _: &mut Intents) {
        if update.kind == UpdateKind::Denied {
            self.breaches += 1;
            self.provoked = true;
        }
    }
}
