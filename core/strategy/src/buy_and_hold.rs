//! Buys once and holds: the benchmark every other strategy should beat.

use crate::{
    Intents, Interest, OrderUpdate, Param, ParamError, ParamKind, Params, Setup, Strategy,
    StrategyKind, UpdateKind, View,
};
use tse_model::bytes::{Kept, Reader, Writer};
use tse_model::{InstrumentId, Qty, Quote, Span, Timestamp, kept_fields};

/// How the registry finds it.
pub const KIND: StrategyKind = StrategyKind {
    name: "buy_and_hold",
    summary: "buys a fixed size at the first quote and holds it to the end",
    params: &[Param {
        name: "size",
        kind: ParamKind::Decimal { min: "0", max: "1000000000" },
        default: None,
        unit: "base units or contracts",
        doc: "How much to hold.",
    }],
    instruments: (1, 1),
    build,
};

/// How long to wait after a refusal: most of them hold for longer than a quote.
const PATIENCE: Span = Span::from_secs(1);

struct BuyAndHold {
    instrument: InstrumentId,
    size: Qty,
    done: bool,
    not_before: Timestamp,
}

kept_fields! {
    BuyAndHold { saved: done, not_before; built: instrument, size }
}

fn build(params: &Params, setup: &Setup<'_>) -> Result<Box<dyn Strategy>, ParamError> {
    let instrument = setup.instruments[0];
    Ok(Box::new(BuyAndHold {
        instrument,
        size: setup.lots(params, "size", instrument)?,
        done: false,
        not_before: Timestamp::MIN,
    }))
}

impl Strategy for BuyAndHold {
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

    fn on_quote(&mut self, _: InstrumentId, quote: &Quote, view: &View<'_>, wish: &mut Intents) {
        self.done = self.done || view.position(self.instrument) == self.size;
        // A target counts what is on its way, so to wish again is safe, and needed after a refusal.
        if !self.done && quote.twice_mid().is_some() && view.now >= self.not_before {
            wish.target(self.instrument, self.size);
        }
    }

    fn on_order(&mut self, update: &OrderUpdate, view: &View<'_>, _: &mut Intents) {
        if update.kind == UpdateKind::Denied {
            self.not_before = view.now + PATIENCE;
        }
    }
}
