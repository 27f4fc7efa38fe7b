//! Quotes both sides of one market around a fair price and leans against its inventory (spec §5.3).
//!
//! Quotes are cancelled when they are off by more than a tolerance, on the side that would exceed the
//! position limit, and on both sides when the market has not been heard of for too long.

use crate::models::sizing::Sizer;
use crate::models::{AvellanedaStoikov, Scene, Skew, TwoSided};
use crate::sizing;
use crate::{
    Figure, Intents, Interest, Param, ParamError, ParamKind, Params, QuoteLevel, Setup, Strategy,
    StrategyKind, View,
};
use tse_model::bytes::{Kept, Reader, Writer};
use tse_model::{
    Fill, Instrument, InstrumentId, Price, Qty, Quote, Side, Span, Timestamp, kept_fields,
};

/// The most levels a side.
const LEVELS_MAX: usize = 5;
/// How long one return takes that sizes are found by.
const SAMPLE_EVERY: Span = Span::from_secs(1);

/// How the registry finds it.
pub const KIND: StrategyKind = StrategyKind {
    name: "market_making",
    summary: "quotes both sides around a fair price and leans against its inventory",
    params: PARAMS,
    instruments: (1, 1),
    build,
};

const fn share(name: &'static str, default: &'static str, doc: &'static str) -> Param {
    Param {
        name,
        kind: ParamKind::Decimal { min: "0", max: "1" },
        default: Some(default),
        unit: "share of the price",
        doc,
    }
}

const fn size(name: &'static str, doc: &'static str) -> Param {
    Param {
        name,
        kind: ParamKind::Decimal { min: "0", max: "1000000000" },
        default: None,
        unit: "base units or contracts",
        doc,
    }
}

const PARAMS: &[Param] = &[
    Param {
        name: "mode",
        kind: ParamKind::Choice(&["skew", "avellaneda_stoikov"]),
        default: Some("skew"),
        unit: "",
        doc: "How quotes are found: a skewed spread, or Avellaneda-Stoikov (2008).",
    },
    size("order_size", "Size of one order; with a `sizing` other than fixed, the most of it."),
    size("max_position", "Position never to be exceeded, long or short."),
    share("spread", "0.001", "Distance between bid and ask (mode skew)."),
    share("min_spread", "0.001", "Least distance (mode skew)."),
    share("max_spread", "0.01", "Greatest distance (mode skew)."),
    share("skew_factor", "0.5", "How strongly inventory shifts the quotes (mode skew)."),
    share("max_skew", "0.005", "Greatest shift (mode skew)."),
    Param {
        name: "volatility_lookback",
        kind: ParamKind::Int { min: 2, max: 100_000 },
        default: Some("20"),
        unit: "samples",
        doc: "How many price changes volatility is taken over.",
    },
    Param {
        name: "volatility_multiplier",
        kind: ParamKind::Decimal { min: "0", max: "1000" },
        default: Some("2.0"),
        unit: "deviations of one second",
        doc: "The spread is at least this many deviations wide (mode skew).",
    },
    Param {
        name: "gamma",
        kind: ParamKind::Decimal { min: "0.000001", max: "1000" },
        default: Some("0.1"),
        unit: "per tick",
        doc: "Risk aversion (mode avellaneda_stoikov).",
    },
    Param {
        name: "kappa",
        kind: ParamKind::Decimal { min: "0.000001", max: "1000" },
        default: Some("1.5"),
        unit: "per tick",
        doc: "How fast arrivals thin out with distance (mode avellaneda_stoikov).",
    },
    Param {
        name: "horizon",
        kind: ParamKind::Time,
        default: Some("1s"),
        unit: "",
        doc: "Time over which inventory is worked off (mode avellaneda_stoikov).",
    },
    Param {
        name: "levels",
        kind: ParamKind::Int { min: 1, max: LEVELS_MAX as i64 },
        default: Some("1"),
        unit: "per side",
        doc: "How many prices to quote on each side.",
    },
    share("step", "0.001", "Distance between levels."),
    Param {
        name: "tolerance",
        kind: ParamKind::Int { min: 0, max: 1_000_000 },
        default: Some("0"),
        unit: "ticks",
        doc: "A live quote this near to the wanted price stays where it is.",
    },
    Param {
        name: "every",
        kind: ParamKind::Time,
        default: Some("0s"),
        unit: "",
        doc: "Least time between two looks at the quotes; 0s for at every change.",
    },
    Param {
        name: "stale",
        kind: ParamKind::Time,
        default: Some("5s"),
        unit: "",
        doc: "Show nothing when the market has not been heard of for this long.",
    },
    sizing::POLICY,
    sizing::LOOKBACK,
    sizing::VOLATILITY,
    sizing::KELLY_FRACTION,
    sizing::KELLY_CAP,
    sizing::DRAWDOWN,
    sizing::CAPITAL,
];

enum Model {
    Skew(Skew),
    AvellanedaStoikov(AvellanedaStoikov),
}

impl Kept for Model {
    fn save(&self, out: &mut Writer) {
        match self {
            Self::Skew(skew) => skew.save(out),
            Self::AvellanedaStoikov(model) => model.save(out),
        }
    }
    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        match self {
            Self::Skew(skew) => skew.load(bytes),
            Self::AvellanedaStoikov(model) => model.load(bytes),
        }
    }
}

kept_fields! {
    MarketMaking {
        saved: model, sizer, sample_at, looked, timer;
        built: instrument, order_size, position_max, levels, step, tolerance, every, stale;
    }
}

struct MarketMaking {
    instrument: InstrumentId,
    model: Model,
    order_size: Qty,
    sizer: Sizer,
    /// When the next return ends.
    sample_at: Timestamp,
    position_max: Qty,
    levels: usize,
    /// Distance between levels in billionths of the price.
    step: i64,
    tolerance: i64,
    every: Span,
    stale: Span,
    looked: Option<Timestamp>,
    timer: bool,
}

fn build(params: &Params, setup: &Setup<'_>) -> Result<Box<dyn Strategy>, ParamError> {
    let instrument = setup.instruments[0];
    let lookback = params.int("volatility_lookback") as usize;
    let shares = |names: [&str; 3]| names.map(|name| params.decimal(name));
    let [low, high] = ["min_spread", "max_spread"].map(|name| params.decimal(name));
    if high.at_scale(12).zip(low.at_scale(12)).is_none_or(|(high, low)| low > high) {
        return Err(ParamError {
            name: "min_spread".to_owned(),
            what: format!("{low} is above `max_spread` {high}"),
            fix: format!("min_spread = \"{high}\""),
        });
    }
    let model = match params.choice("mode") {
        "skew" => Model::Skew(Skew::new(
            shares(["spread", "min_spread", "max_spread"]),
            ["skew_factor", "max_skew"].map(|name| params.decimal(name)),
            params.decimal("volatility_multiplier"),
            lookback,
        )),
        _ => Model::AvellanedaStoikov(AvellanedaStoikov::new(
            params.decimal("gamma"),
            params.decimal("kappa"),
            params.time("horizon"),
            lookback,
        )),
    };
    let step = params.decimal("step");
    let step =
        step.at_scale(9).and_then(|units| i64::try_from(units).ok()).ok_or_else(|| ParamError {
            name: "step".to_owned(),
            what: format!("{step} has more than nine decimals"),
            fix: "step = \"0.001\"".to_owned(),
        })?;
    Ok(Box::new(MarketMaking {
        instrument,
        model,
        order_size: setup.lots(params, "order_size", instrument)?,
        sizer: sizing::sizer(params, setup, instrument, SAMPLE_EVERY),
        sample_at: Timestamp::MIN,
        position_max: setup.lots(params, "max_position", instrument)?,
        levels: params.int("levels") as usize,
        step,
        tolerance: params.int("tolerance"),
        every: params.time("every"),
        stale: params.time("stale"),
        looked: None,
        timer: false,
    }))
}

impl MarketMaking {
    fn look(&mut self, view: &View<'_>, wish: &mut Intents) {
        if self.looked.is_some_and(|at| view.now < at + self.every) {
            return;
        }
        let market = view.market(self.instrument);
        let Some(twice_mid) = market.quote.twice_mid().filter(|_| market.valid && market.open)
        else {
            wish.quote(self.instrument, &[], 0);
            return;
        };
        self.looked = Some(view.now);
        if view.now >= self.sample_at {
            self.sample_at = view.now.floor(SAMPLE_EVERY) + SAMPLE_EVERY;
            sizing::seen(&mut self.sizer, twice_mid);
        }
        let position = view.position(self.instrument);
        let scene = Scene {
            twice_mid,
            position: position.get(),
            position_max: self.position_max.get(),
            order_size: self.order_size.get(),
            now: view.now.nanos(),
        };
        let best = match &mut self.model {
            Model::Skew(model) => model.quotes(&scene),
            Model::AvellanedaStoikov(model) => model.quotes(&scene),
        };
        let half_ticks = |half| Figure::HalfTicks(self.instrument, half);
        wish.because(|| {
            let position = Figure::Lots(self.instrument, position);
            [("mid", half_ticks(twice_mid)), ("position", position)]
        });
        if let Some(best) = best {
            let (bid, ask) = (half_ticks(best.bid * 2), half_ticks(best.ask * 2));
            wish.because(|| [("wanted bid", bid), ("wanted ask", ask)]);
        }
        match best {
            Some(best) => {
                let of = |side| self.one_order(side, view.instrument(self.instrument));
                let sizes = Side::BOTH.map(of);
                self.show(best, &market.quote, position, (twice_mid, sizes), wish);
            }
            None => wish.quote(self.instrument, &[], 0),
        }
        if !self.timer {
            self.timer = true;
            wish.wake_in(self.stale);
        }
    }

    /// How large one order of a side is.
    fn one_order(&self, side: Side, instrument: &Instrument) -> i64 {
        match self.sizer.is_fixed() {
            true => self.order_size.get(),
            false => sizing::size(&self.sizer, side, self.order_size, instrument).get(),
        }
    }

    fn show(
        &self,
        best: TwoSided,
        market: &Quote,
        position: Qty,
        (twice_mid, sizes): (i64, [i64; 2]),
        wish: &mut Intents,
    ) {
        // Rounded up: two levels never fall on one tick.
        let step = (i128::from(twice_mid.unsigned_abs()) * i128::from(self.step) / 2_000_000_000)
            as i64
            + 1;
        let mut levels =
            [QuoteLevel { side: Side::Buy, price: Price::ZERO, qty: Qty::ZERO }; 2 * LEVELS_MAX];
        let mut count = 0;
        for side in Side::BOTH {
            // A passive quote: at best, one tick before the other side.
            let nearest = match side {
                Side::Buy => best.bid.min(market.ask.get() - 1),
                Side::Sell => best.ask.max(market.bid.get() + 1),
            };
            let mut room = self.position_max.get() - position.signed(side).get();
            let size = sizes[side.index()];
            for level in 0..self.levels as i64 {
                let qty = size.min(room);
                if qty < size || qty == 0 {
                    break;
                }
                room -= qty;
                let price = side.away(Price::new(nearest), level * step);
                levels[count] = QuoteLevel { side, price, qty: Qty::new(qty) };
                count += 1;
            }
        }
        wish.quote(self.instrument, &levels[..count], self.tolerance);
    }
}

impl Strategy for MarketMaking {
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

    fn on_quote(&mut self, _: InstrumentId, _: &Quote, view: &View<'_>, wish: &mut Intents) {
        self.look(view, wish);
    }

    fn on_invalid(&mut self, _: InstrumentId, _: &View<'_>, wish: &mut Intents) {
        wish.quote(self.instrument, &[], 0);
    }

    fn on_fill(
        &mut self,
        _: InstrumentId,
        side: Side,
        fill: &Fill,
        view: &View<'_>,
        wish: &mut Intents,
    ) {
        self.sizer.fill(side, fill.qty.get(), fill.price.get());
        // A fill changes the inventory: look again at once.
        self.looked = None;
        self.look(view, wish);
    }

    fn on_timer(&mut self, view: &View<'_>, wish: &mut Intents) {
        match view.market(self.instrument).age(view.now) {
            // Not a moment longer than allowed: the timer follows the newest quote.
            Some(age) if age < self.stale => {
                wish.wake_in(Span::from_nanos(self.stale.nanos() - age.nanos()));
            }
            _ => {
                self.timer = false;
                wish.quote(self.instrument, &[], 0);
            }
        }
    }

    fn on_stop(&mut self, _: &View<'_>, wish: &mut Intents) {
        wish.quote(self.instrument, &[], 0);
    }
}
