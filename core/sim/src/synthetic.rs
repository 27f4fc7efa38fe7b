//! A market made of dice: depth and trades of one instrument, from a seed.
//!
//! Several instruments may share a *process*: one fair price that all of them follow. Every source
//! computes that path for itself from the process's own random stream, so sources need not know of
//! each other and adding one changes nothing for the rest. Around the fair price each venue has noise of
//! its own that fades, order flow that persists in its direction and follows the fair price, an impact
//! of every trade, and now and then a stretch of wide spreads. Prices are whole numbers throughout; no
//! number here claims to be realistic.

use tse_model::{
    Chance, Depth, DepthChange, Instrument, InstrumentId, MarketData, MarketEvent, Price, Qty,
    Side, Source, SourceFault, Span, Timestamp, Trade,
};

/// Fair prices are kept in billionths of the quote currency.
const NANO: i128 = 1_000_000_000;
/// Events appended by one read, about.
const BATCH: usize = 1_024;
/// The most levels a side.
pub const LEVELS_MAX: usize = 20;

/// One instrument's market.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntheticSpec {
    /// Which instrument.
    pub instrument: InstrumentId,
    /// The name of the fair price it follows; instruments with one name follow one price.
    pub process: String,
    /// The first moment.
    pub start: Timestamp,
    /// How long.
    pub length: Span,
    /// How often the fair price and the book move.
    pub step: Span,
    /// The fair price at the start, in billionths of the quote currency.
    pub price: i128,
    /// Standard deviation of the fair price in one step, in billionths of it.
    pub volatility: i64,
    /// Standard deviation of the venue's own noise in one step, in billionths of the price.
    pub noise: i64,
    /// Which share of the venue's noise fades in one step, in thousandths.
    pub fade: u32,
    /// Half of the usual spread, in ticks, at least one.
    pub half_spread: i64,
    /// Levels on each side, at most [`LEVELS_MAX`].
    pub levels: usize,
    /// Usual quantity of the best level, in lots; deeper ones have more.
    pub level_qty: i64,
    /// Trades in a thousand steps.
    pub trades: u32,
    /// By how much a trade of the usual level quantity moves the venue's price, in billionths of it.
    pub impact: i64,
    /// How often in a million steps a stretch of wide spreads begins.
    pub wide_starts: u32,
    /// How many steps it lasts.
    pub wide_steps: u32,
    /// How many times as wide the spread is then.
    pub wide_factor: i64,
}

/// The fair price that several sources follow.
#[derive(Clone, Debug)]
struct Process {
    chance: Chance,
    price: i128,
    last_move: i128,
}

/// A standard normal draw in 1/65536ths: twelve uniform ones added up (Irwin-Hall).
fn normal(chance: &mut Chance) -> i128 {
    let sum: i128 = (0..12).map(|_| i128::from(chance.below(65_536))).sum();
    sum - 6 * 65_536
}

impl Process {
    fn step(&mut self, volatility: i64) {
        let moved = self.price * i128::from(volatility) / NANO * normal(&mut self.chance) / 65_536;
        self.last_move = moved;
        self.price = (self.price + moved).max(1);
    }
}

/// The source of one instrument's synthetic market.
pub struct Synthetic {
    spec: SyntheticSpec,
    /// One tick in billionths of the quote currency.
    tick: i128,
    process: Process,
    chance: Chance,
    noise: i128,
    flow: Side,
    wide_left: u32,
    now: Timestamp,
    end: Timestamp,
    /// What is shown: best first.
    shown: [Vec<(Price, i64)>; 2],
    wanted: Vec<(Price, i64)>,
    trade_id: u64,
}

impl Synthetic {
    /// The source of `spec` under a run's seed; `None` if a figure is out of range.
    pub fn new(spec: SyntheticSpec, instrument: &Instrument, seed: u64) -> Option<Self> {
        let tick = instrument.tick.at_scale(9).filter(|tick| *tick > 0)?;
        let sane = spec.step > Span::ZERO
            && spec.price > 0
            && (1..=LEVELS_MAX).contains(&spec.levels)
            && spec.half_spread >= 1
            && spec.level_qty >= 1
            && spec.fade <= 1_000
            && spec.wide_factor >= 1;
        if !sane {
            return None;
        }
        let mut chance = Chance::stream(seed, &format!("market:{}", instrument.symbol));
        // Venues do not move in step with each other: each has its own moment within the step.
        let phase = Span::from_nanos(chance.between(0, spec.step.nanos() - 1));
        Some(Self {
            tick,
            process: Process {
                chance: Chance::stream(seed, &format!("process:{}", spec.process)),
                price: spec.price,
                last_move: 0,
            },
            chance,
            noise: 0,
            flow: Side::Buy,
            wide_left: 0,
            now: spec.start + phase,
            end: spec.start + spec.length,
            shown: [Vec::new(), Vec::new()],
            wanted: Vec::with_capacity(LEVELS_MAX),
            trade_id: 0,
            spec,
        })
    }

    fn event(&self, at: Timestamp, data: MarketData) -> MarketEvent {
        MarketEvent { ts_event: at, ts_recv: at, instrument: self.spec.instrument, data }
    }

    fn half_spread(&mut self) -> i64 {
        if self.wide_left > 0 {
            self.wide_left -= 1;
        } else if self.chance.one_in(u64::from(self.spec.wide_starts), 1_000_000) {
            self.wide_left = self.spec.wide_steps;
        }
        let factor = if self.wide_left > 0 { self.spec.wide_factor } else { 1 };
        self.spec.half_spread.saturating_mul(factor)
    }

    /// The levels one side should show now.
    fn want(&mut self, side: Side, mid: i128, half: i64) {
        self.wanted.clear();
        let near = match side {
            Side::Buy => mid.div_euclid(self.tick),
            Side::Sell => mid.div_euclid(self.tick) + 1,
        };
        let best = side.away(Price::new(i64::try_from(near).unwrap_or(i64::MAX / 4)), half - 1);
        for level in 0..self.spec.levels as i64 {
            let price = side.away(best, level);
            let known = self.shown[side.index()].iter().find(|(known, _)| *known == price);
            let usual = self.spec.level_qty * (level + 2) / 2;
            // Three levels in four stay as they are; the others change their size.
            let qty = match known {
                Some((_, qty)) if *qty > 0 && !self.chance.one_in(1, 4) => *qty,
                _ => self.chance.between(usual / 2 + 1, usual * 3 / 2 + 1),
            };
            self.wanted.push((price, qty));
        }
    }

    /// One step of the market: the book moves, and perhaps somebody trades.
    fn step(&mut self, out: &mut Vec<MarketEvent>) {
        self.process.step(self.spec.volatility);
        let price = self.process.price;
        self.noise -= self.noise * i128::from(self.spec.fade) / 1_000;
        self.noise +=
            price * i128::from(self.spec.noise) / NANO * normal(&mut self.chance) / 65_536;
        let mid = (price + self.noise).max(self.tick * (LEVELS_MAX as i128 + 1));
        let half = self.half_spread();
        let from = out.len();
        for side in Side::BOTH {
            self.want(side, mid, half);
            let wanted = std::mem::take(&mut self.wanted);
            let shown = std::mem::take(&mut self.shown[side.index()]);
            for (price, _) in &shown {
                if !wanted.iter().any(|(wanted, _)| wanted == price) {
                    out.push(self.set(side, *price, 0));
                }
            }
            for (price, qty) in &wanted {
                if !shown.contains(&(*price, *qty)) {
                    out.push(self.set(side, *price, *qty));
                }
            }
            self.shown[side.index()] = wanted;
            self.wanted = shown;
        }
        if let Some(last) = out[from..].last_mut()
            && let MarketData::Depth(depth) = &mut last.data
        {
            depth.last = true;
        }
        if self.chance.one_in(u64::from(self.spec.trades), 1_000) {
            self.trade(out);
        }
        self.now = self.now + self.spec.step;
    }

    fn set(&self, side: Side, price: Price, qty: i64) -> MarketEvent {
        let change = DepthChange::Set { side, price, qty: Qty::new(qty) };
        self.event(self.now, MarketData::Depth(Depth { change, last: false }))
    }

    /// Somebody takes from the best level; the book shows it a moment later.
    fn trade(&mut self, out: &mut Vec<MarketEvent>) {
        // Flow persists, and leans towards where the fair price just went.
        if self.chance.one_in(1, 4) {
            let lean = if self.process.last_move >= 0 { Side::Buy } else { Side::Sell };
            self.flow = if self.chance.one_in(3, 4) { lean } else { lean.opposite() };
        }
        let taken = self.flow.opposite();
        let Some((price, qty)) = self.shown[taken.index()].first().copied() else { return };
        let size = self.chance.between(1, self.spec.level_qty.max(1)).min(qty);
        self.trade_id += 1;
        let at = self.now + Span::from_nanos(self.spec.step.nanos() / 3);
        let trade =
            Trade { price, qty: Qty::new(size), aggressor: Some(self.flow), id: self.trade_id };
        out.push(self.event(at, MarketData::Trade(trade)));
        let left = qty - size;
        let change = DepthChange::Set { side: taken, price, qty: Qty::new(left) };
        let later = self.now + Span::from_nanos(self.spec.step.nanos() / 2);
        out.push(self.event(later, MarketData::Depth(Depth { change, last: true })));
        self.shown[taken.index()][0].1 = left;
        if left == 0 {
            self.shown[taken.index()].remove(0);
        }
        let moved = self.process.price * i128::from(self.spec.impact) / NANO * i128::from(size)
            / i128::from(self.spec.level_qty);
        self.noise += moved * i128::from(self.flow.sign());
    }
}

impl Source for Synthetic {
    fn read(&mut self, batch: &mut Vec<MarketEvent>) -> Result<(), SourceFault> {
        while self.now < self.end && batch.len() < BATCH {
            self.step(batch);
        }
        Ok(())
    }

    fn progress(&self) -> Option<u32> {
        let done = i128::from((self.now - self.spec.start).nanos());
        let all = i128::from(self.spec.length.nanos()).max(1);
        Some((done * 1_000_000 / all).clamp(0, 1_000_000) as u32)
    }
}
