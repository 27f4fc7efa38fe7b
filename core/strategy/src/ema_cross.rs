//! Long while a fast average is at or above a slow one, short (or flat) otherwise.
//!
//! Works on bars, or on every change of the mid price when `bar` is `0s`.

use crate::indicators::Cross;
use crate::models::sizing::Sizer;
use crate::sizing;
use crate::{
    BarSpec, EmptyBars, Figure, Intents, Interest, Param, ParamError, ParamKind, Params, PriceOf,
    Reversal, Setup, Strategy, StrategyKind, View,
};
use tse_model::bytes::{Kept, Reader, Writer};
use tse_model::{Bar, Fill, InstrumentId, Qty, Quote, Side, Span, kept_fields};

/// How the registry finds it.
pub const KIND: StrategyKind = StrategyKind {
    name: "ema_cross",
    summary: "long while the fast moving average is at or above the slow one, else short",
    params: &[
        Param {
            name: "fast",
            kind: ParamKind::Int { min: 1, max: 100_000 },
            default: Some("10"),
            unit: "bars",
            doc: "Length of the fast exponential average, alpha = 2/(n+1).",
        },
        Param {
            name: "slow",
            kind: ParamKind::Int { min: 1, max: 100_000 },
            default: Some("20"),
            unit: "bars",
            doc: "Length of the slow exponential average; nothing is traded before that many bars.",
        },
        Param {
            name: "size",
            kind: ParamKind::Decimal { min: "0", max: "1000000000" },
            default: None,
            unit: "base units or contracts",
            doc: "Position held long, or short; with a `sizing` other than fixed, the most of it.",
        },
        sizing::POLICY,
        sizing::LOOKBACK,
        sizing::VOLATILITY,
        sizing::KELLY_FRACTION,
        sizing::KELLY_CAP,
        sizing::DRAWDOWN,
        sizing::CAPITAL,
        Param {
            name: "bar",
            kind: ParamKind::Time,
            default: Some("1m"),
            unit: "",
            doc: "Length of the bars the averages are taken over; 0s for every change of the mid.",
        },
        Param {
            name: "price",
            kind: ParamKind::Choice(&["bid", "ask", "mid", "trade"]),
            default: Some("mid"),
            unit: "",
            doc: "Which price makes the bars.",
        },
        Param {
            name: "empty_bars",
            kind: ParamKind::Choice(&["skip", "repeat"]),
            default: Some("skip"),
            unit: "",
            doc: "Whether a stretch without prices makes no bar, or one of the last close.",
        },
        Param {
            name: "reversal",
            kind: ParamKind::Choice(&["single", "close_then_enter"]),
            default: Some("single"),
            unit: "",
            doc: "Trade a reversal as one order, or close first and then enter.",
        },
        Param {
            name: "short",
            kind: ParamKind::Bool,
            default: Some("true"),
            unit: "",
            doc: "Go short below the cross; flat otherwise.",
        },
        Param {
            name: "close_at_end",
            kind: ParamKind::Bool,
            default: Some("true"),
            unit: "",
            doc: "Close the position when the run ends.",
        },
    ],
    instruments: (1, 1),
    build,
};

struct EmaCross {
    instrument: InstrumentId,
    cross: Cross,
    warm_up: u32,
    size: Qty,
    sizer: Sizer,
    /// The position that was decided on, for as long as the averages say the same.
    taken: Qty,
    bars: Option<BarSpec>,
    reversal: Reversal,
    short: bool,
    close_at_end: bool,
}

fn build(params: &Params, setup: &Setup<'_>) -> Result<Box<dyn Strategy>, ParamError> {
    let instrument = setup.instruments[0];
    let (fast, slow) = (params.int("fast") as u32, params.int("slow") as u32);
    if fast >= slow {
        return Err(ParamError {
            name: "fast".to_owned(),
            what: format!("{fast} is not below `slow` {slow}"),
            fix: format!("fast = {}", slow.saturating_sub(1).max(1)),
        });
    }
    let span = params.time("bar");
    let price = match params.choice("price") {
        "bid" => PriceOf::Bid,
        "ask" => PriceOf::Ask,
        "mid" => PriceOf::Mid,
        _ => PriceOf::Trade,
    };
    let empty =
        if params.choice("empty_bars") == "skip" { EmptyBars::Skip } else { EmptyBars::Repeat };
    Ok(Box::new(EmaCross {
        instrument,
        cross: Cross::new(fast, slow),
        warm_up: slow,
        size: setup.lots(params, "size", instrument)?,
        sizer: sizing::sizer(params, setup, instrument, span),
        taken: Qty::ZERO,
        bars: (span > Span::ZERO).then_some(BarSpec { instrument, span, price, empty }),
        reversal: if params.choice("reversal") == "single" {
            Reversal::Single
        } else {
            Reversal::CloseThenEnter
        },
        short: params.bool("short"),
        close_at_end: params.bool("close_at_end"),
    }))
}

kept_fields! {
    EmaCross {
        saved: cross, sizer, taken;
        built: instrument, warm_up, size, bars, reversal, short, close_at_end;
    }
}

impl EmaCross {
    /// Averages of what was put in, so many half ticks each.
    #[inline]
    fn say(&self, half_ticks: i64, wish: &mut Intents) {
        wish.because(|| {
            let [fast, slow] = self.cross.averages().map(|units| units.saturating_mul(half_ticks));
            let of = |half| Figure::HalfTicks(self.instrument, half);
            [("fast average", of(fast)), ("slow average", of(slow))]
        });
    }

    fn decide(&mut self, above: bool, view: &View<'_>, wish: &mut Intents) {
        let side = match (above, self.short) {
            (true, _) => Some(Side::Buy),
            (false, true) => Some(Side::Sell),
            (false, false) => None,
        };
        // How much is decided when it turns, and stands until it turns again.
        let same = !self.sizer.is_fixed() && Side::of(self.taken) == side;
        self.taken = match side {
            _ if same => self.taken,
            None => Qty::ZERO,
            Some(side) => self.largest(side, view).signed(side),
        };
        wish.target_by(self.instrument, self.taken, self.reversal);
    }

    fn largest(&self, side: Side, view: &View<'_>) -> Qty {
        if self.sizer.is_fixed() {
            return self.size;
        }
        sizing::size(&self.sizer, side, self.size, view.instrument(self.instrument))
    }
}

impl Strategy for EmaCross {
    fn save(&self, out: &mut Writer) -> bool {
        Kept::save(self, out);
        true
    }

    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        Kept::load(self, bytes)
    }

    fn interest(&self) -> Interest {
        Interest {
            quotes: self.bars.is_none(),
            bars: self.bars.into_iter().collect(),
            warm_up: self.warm_up,
            ..Interest::default()
        }
    }

    fn on_quote(&mut self, _: InstrumentId, quote: &Quote, view: &View<'_>, wish: &mut Intents) {
        // Twice the mid keeps half ticks exact; a cross is a cross in any unit.
        if let Some(twice_mid) = quote.twice_mid() {
            let above = self.cross.update(twice_mid);
            self.say(1, wish);
            sizing::seen(&mut self.sizer, twice_mid);
            self.decide(above, view, wish);
        }
    }

    fn on_fill(&mut self, _: InstrumentId, side: Side, fill: &Fill, _: &View<'_>, _: &mut Intents) {
        self.sizer.fill(side, fill.qty.get(), fill.price.get());
    }

    fn on_bar(&mut self, _: usize, bar: &Bar, view: &View<'_>, wish: &mut Intents) {
        let above = self.cross.update(bar.close.get());
        self.say(2, wish);
        sizing::seen(&mut self.sizer, bar.close.get().saturating_mul(2));
        // A bar of one price says that there was no market, not that it stood still.
        if !bar.is_single_price() {
            self.decide(above, view, wish);
        }
    }

    fn on_stop(&mut self, _: &View<'_>, wish: &mut Intents) {
        if self.close_at_end {
            wish.target_by(self.instrument, Qty::ZERO, self.reversal);
        }
    }
}
