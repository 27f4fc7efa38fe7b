//! Buys once and holds: the benchmark every other strategy should beat.

use crate::{
    Intents, Interest, Param, ParamError, ParamKind, Params, Setup, Strategy, StrategyKind, View,
};
use tse_model::{InstrumentId, Qty, Quote};

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

struct BuyAndHold {
    instrument: InstrumentId,
    size: Qty,
    asked: bool,
}

fn build(params: &Params, setup: &Setup<'_>) -> Result<Box<dyn Strategy>, ParamError> {
    let instrument = setup.instruments[0];
    Ok(Box::new(BuyAndHold {
        instrument,
        size: setup.lots(params, "size", instrument)?,
        asked: false,
    }))
}

impl Strategy for BuyAndHold {
    fn interest(&self) -> Interest {
        Interest { quotes: true, ..Interest::default() }
    }

    fn on_quote(&mut self, _: InstrumentId, quote: &Quote, _: &View<'_>, wish: &mut Intents) {
        if !self.asked && quote.ask_qty.is_positive() {
            wish.target(self.instrument, self.size);
            self.asked = true;
        }
    }
}
