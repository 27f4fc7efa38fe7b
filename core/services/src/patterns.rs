//! Does it look like manipulation (C23): layering, wash trades, ramping.
//!
//! What our strategies do comes in, as the drop copy shows it; what comes out is a suspicion, for a person to judge:
//! nothing here stops anybody. Each pattern is a rule over a short while, in one market. A rule this simple finds what
//! is plain and misses what is clever.

use std::collections::{BTreeMap, VecDeque};
use tse_model::{ClientOrderId, InstrumentId, Price, Qty, Rate, Side, Span, StrategyId, Timestamp};

use crate::plant::Planted;

/// Something one of our strategies did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// An order came to rest.
    Rested {
        /// Its name.
        id: ClientOrderId,
        /// Whose.
        strategy: StrategyId,
        /// In what.
        instrument: InstrumentId,
        /// Which way.
        side: Side,
    },
    /// An order was taken back before it traded.
    TakenBack {
        /// Its name.
        id: ClientOrderId,
    },
    /// An order is over in any other way.
    Over {
        /// Its name.
        id: ClientOrderId,
    },
    /// An order traded.
    Traded {
        /// Whose.
        strategy: StrategyId,
        /// In what.
        instrument: InstrumentId,
        /// Which way.
        side: Side,
        /// How much.
        qty: Qty,
        /// At what price.
        price: Price,
        /// Whether it took what was there.
        taker: bool,
    },
}

/// Which rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Pattern {
    /// Orders rest on one side, are taken back unfilled, and the other side trades meanwhile.
    Layering,
    /// We bought and sold the same at the same price at nearly the same time.
    Wash,
    /// We took one way again and again, each time at a worse price.
    Ramping,
}

/// A pattern that was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Suspicion {
    /// Which rule.
    pub pattern: Pattern,
    /// Who did the last of it.
    pub strategy: StrategyId,
    /// In what.
    pub instrument: InstrumentId,
    /// How many acts it rests on.
    pub acts: u32,
}

/// From where on something is a pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PatternLimits {
    /// The while in which acts belong together.
    pub window: Span,
    /// So many orders taken back unfilled on one side, and a trade on the other, are layering.
    pub layers: u32,
    /// How near a buy and a sell at one price are a wash.
    pub wash_window: Span,
    /// So many trades one way, each at a worse price.
    pub ramp_trades: u32,
    /// From the first to the last of them, as a share of the first.
    pub ramp_move: Rate,
}

#[derive(Clone, Copy, Debug)]
struct Trade {
    at: Timestamp,
    side: Side,
    qty: Qty,
    price: Price,
    taker: bool,
}

/// What was done in one market by one strategy (layering, ramping) within the while.
#[derive(Clone, Debug, Default)]
struct Doings {
    taken_back: VecDeque<(Timestamp, Side)>,
    trades: VecDeque<Trade>,
}

/// Looks for patterns. Each is told once for as long as the acts that make it last.
#[derive(Clone, Debug)]
pub struct Patterns {
    limits: PatternLimits,
    resting: BTreeMap<ClientOrderId, (StrategyId, InstrumentId, Side)>,
    by_strategy: BTreeMap<(StrategyId, InstrumentId), Doings>,
    /// Of all together: a wash has two sides, which may be two strategies.
    by_market: BTreeMap<InstrumentId, VecDeque<Trade>>,
    told: BTreeMap<(Pattern, StrategyId, InstrumentId), Timestamp>,
    planted: Planted,
}

impl Patterns {
    /// Nothing seen yet.
    pub fn new(limits: PatternLimits) -> Self {
        Self {
            limits,
            resting: BTreeMap::new(),
            by_strategy: BTreeMap::new(),
            by_market: BTreeMap::new(),
            told: BTreeMap::new(),
            planted: Planted::default(),
        }
    }

    /// Takes controls out, to prove that tests notice.
    #[cfg(feature = "plant")]
    pub fn take_out(&mut self, without: tse_risk::Without) {
        self.planted = Planted::of(without, "C23");
    }

    /// Something was done.
    pub fn observe(&mut self, now: Timestamp, act: &Act, out: &mut Vec<Suspicion>) {
        if self.planted.is_out() {
            return;
        }
        match *act {
            Act::Rested { id, strategy, instrument, side } => {
                self.resting.insert(id, (strategy, instrument, side));
            }
            Act::Over { id } => drop(self.resting.remove(&id)),
            Act::TakenBack { id } => {
                let Some((strategy, instrument, side)) = self.resting.remove(&id) else { return };
                let doings = self.doings(now, strategy, instrument);
                doings.taken_back.push_back((now, side));
                self.layering(now, strategy, instrument, out);
            }
            Act::Traded { strategy, instrument, side, qty, price, taker } => {
                let trade = Trade { at: now, side, qty, price, taker };
                self.doings(now, strategy, instrument).trades.push_back(trade);
                self.layering(now, strategy, instrument, out);
                self.ramping(now, strategy, instrument, side, out);
                self.wash(now, strategy, instrument, trade, out);
            }
        }
    }

    /// What a strategy did in a market within the while.
    fn doings(&mut self, now: Timestamp, strategy: StrategyId, it: InstrumentId) -> &mut Doings {
        let window = self.limits.window;
        let doings = self.by_strategy.entry((strategy, it)).or_default();
        let old = |at: Timestamp| now - at > window;
        while doings.taken_back.front().is_some_and(|(at, _)| old(*at)) {
            doings.taken_back.pop_front();
        }
        while doings.trades.front().is_some_and(|trade| old(trade.at)) {
            doings.trades.pop_front();
        }
        doings
    }

    fn layering(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        it: InstrumentId,
        out: &mut Vec<Suspicion>,
    ) {
        let layers = self.limits.layers;
        let doings = self.doings(now, strategy, it);
        let found = Side::BOTH.into_iter().find_map(|side| {
            let count = doings.taken_back.iter().filter(|(_, of)| *of == side).count() as u32;
            let traded = doings.trades.iter().any(|trade| trade.side != side);
            (count >= layers && traded).then_some(count)
        });
        if let Some(acts) = found {
            self.suspect(now, Pattern::Layering, strategy, it, acts, out);
        }
    }

    fn ramping(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        it: InstrumentId,
        side: Side,
        out: &mut Vec<Suspicion>,
    ) {
        let PatternLimits { ramp_trades, ramp_move, .. } = self.limits;
        let doings = self.doings(now, strategy, it);
        // From the last one back, as far as each was taken at a better price than the next.
        let mut run: Option<(Price, Price, u32)> = None;
        for trade in doings.trades.iter().rev().filter(|trade| trade.taker) {
            let next = match run {
                None if trade.side == side => (trade.price, trade.price, 1),
                Some((first, last, n))
                    if trade.side == side
                        && side.reaches(first, trade.price)
                        && first != trade.price =>
                {
                    (trade.price, last, n + 1)
                }
                _ => break,
            };
            run = Some(next);
        }
        let Some((first, last, acts)) = run else { return };
        let moved = i128::from(last.get().abs_diff(first.get())) * i128::from(Rate::ONE);
        let far =
            moved >= i128::from(first.get().unsigned_abs()) * i128::from(ramp_move.billionths());
        if acts >= ramp_trades && far {
            self.suspect(now, Pattern::Ramping, strategy, it, acts, out);
        }
    }

    fn wash(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        it: InstrumentId,
        trade: Trade,
        out: &mut Vec<Suspicion>,
    ) {
        let window = self.limits.wash_window;
        let trades = self.by_market.entry(it).or_default();
        while trades.front().is_some_and(|old| now - old.at > window) {
            trades.pop_front();
        }
        let twin = trades.iter().any(|other| {
            other.side != trade.side && other.price == trade.price && other.qty == trade.qty
        });
        trades.push_back(trade);
        if twin {
            self.suspect(now, Pattern::Wash, strategy, it, 2, out);
        }
    }

    /// Tells it, unless it was told within the while.
    fn suspect(
        &mut self,
        now: Timestamp,
        pattern: Pattern,
        strategy: StrategyId,
        instrument: InstrumentId,
        acts: u32,
        out: &mut Vec<Suspicion>,
    ) {
        let window = self.limits.window;
        self.told.retain(|_, at| now - *at <= window);
        if self.told.insert((pattern, strategy, instrument), now).is_none() {
            out.push(Suspicion { pattern, strategy, instrument, acts });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALICE: StrategyId = StrategyId(0);
    const BOB: StrategyId = StrategyId(1);
    const IT: InstrumentId = InstrumentId(0);

    fn desk() -> Patterns {
        #[cfg_attr(not(feature = "plant"), expect(unused_mut, reason = "nothing is taken out"))]
        let mut desk = Patterns::new(PatternLimits {
            window: Span::from_secs(10),
            layers: 3,
            wash_window: Span::from_millis(100),
            ramp_trades: 4,
            ramp_move: Rate::from_billionths(3_000_000),
        });
        #[cfg(feature = "plant")]
        desk.take_out(tse_risk::Without::of(&std::env::var("TSE_WITHOUT").unwrap_or_default()));
        desk
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_nanos(millis * 1_000_000)
    }

    fn tell(desk: &mut Patterns, millis: i64, act: Act) -> Vec<Pattern> {
        let mut out = Vec::new();
        desk.observe(at(millis), &act, &mut out);
        out.into_iter().map(|it| it.pattern).collect()
    }

    fn traded(strategy: StrategyId, side: Side, qty: i64, price: i64, taker: bool) -> Act {
        let (qty, price) = (Qty::new(qty), Price::new(price));
        Act::Traded { strategy, instrument: IT, side, qty, price, taker }
    }

    fn layer(desk: &mut Patterns, from: i64, n: u64, strategy: StrategyId) -> Vec<Pattern> {
        let mut said = Vec::new();
        for order in 0..n {
            let id = ClientOrderId(from as u64 * 100 + order);
            let rested = Act::Rested { id, strategy, instrument: IT, side: Side::Buy };
            said.extend(tell(desk, from, rested));
            said.extend(tell(desk, from + 1, Act::TakenBack { id }));
        }
        said
    }

    #[test]
    fn c23_orders_that_go_on_one_side_while_the_other_trades_are_layering() {
        for (layers, other, found) in [(2, true, false), (3, true, true), (3, false, false)] {
            let mut desk = desk();
            assert_eq!(layer(&mut desk, 0, layers, ALICE), []);
            let side = if other { Side::Sell } else { Side::Buy };
            let said = tell(&mut desk, 9_000, traded(ALICE, side, 5, 1_000, false));
            assert_eq!(said == [Pattern::Layering], found, "{layers} {other}");
        }
        let mut desk = desk();
        layer(&mut desk, 0, 3, ALICE);
        let late = tell(&mut desk, 10_002, traded(ALICE, Side::Sell, 5, 1_000, false));
        assert_eq!(late, [], "that was another while");
        let mut desk = self::desk();
        layer(&mut desk, 0, 3, BOB);
        let said = tell(&mut desk, 10, traded(ALICE, Side::Sell, 5, 1_000, false));
        assert_eq!(said, [], "those were another's");
        // One that was filled or ran out was not taken back.
        let mut desk = self::desk();
        layer(&mut desk, 0, 2, ALICE);
        let id = ClientOrderId(99);
        tell(&mut desk, 5, Act::Rested { id, strategy: ALICE, instrument: IT, side: Side::Buy });
        tell(&mut desk, 6, Act::Over { id });
        tell(&mut desk, 7, Act::TakenBack { id });
        assert_eq!(tell(&mut desk, 10, traded(ALICE, Side::Sell, 5, 1_000, false)), []);
    }

    #[test]
    fn c23_the_same_bought_and_sold_at_one_price_is_a_wash_whoever_of_us_did_it() {
        let cases = [
            (5, 1_000, 100, true),
            (5, 1_000, 101, false),
            (4, 1_000, 50, false),
            (5, 1_001, 50, false),
        ];
        for (qty, price, millis, found) in cases {
            let mut desk = desk();
            tell(&mut desk, 0, traded(ALICE, Side::Buy, 5, 1_000, true));
            let said = tell(&mut desk, millis, traded(BOB, Side::Sell, qty, price, false));
            assert_eq!(said == [Pattern::Wash], found, "{qty} {price} {millis}");
        }
        let mut desk = desk();
        tell(&mut desk, 0, traded(ALICE, Side::Buy, 5, 1_000, true));
        assert_eq!(tell(&mut desk, 1, traded(BOB, Side::Buy, 5, 1_000, true)), [], "one way");
    }

    #[test]
    fn c23_taking_one_way_at_ever_worse_prices_is_ramping() {
        let run = |prices: &[i64], side: Side, taker: bool| {
            let mut desk = desk();
            let mut said = Vec::new();
            for (n, price) in prices.iter().enumerate() {
                said.extend(tell(
                    &mut desk,
                    n as i64 * 1_000,
                    traded(ALICE, side, 1, *price, taker),
                ));
            }
            said
        };
        assert_eq!(run(&[1_000, 1_001, 1_002, 1_003], Side::Buy, true), [Pattern::Ramping]);
        assert_eq!(run(&[1_003, 1_002, 1_001, 999], Side::Sell, true), [Pattern::Ramping]);
        assert_eq!(
            run(&[1_000, 1_001, 1_002, 1_003], Side::Sell, true),
            [],
            "selling a rise is none"
        );
        assert_eq!(run(&[1_000, 1_001, 1_003], Side::Buy, true), [], "three are too few");
        assert_eq!(run(&[1_000, 1_001, 1_001, 1_003], Side::Buy, true), [], "no worse");
        assert_eq!(run(&[10_000, 10_001, 10_002, 10_029], Side::Buy, true), [], "not far enough");
        assert_eq!(run(&[1_000, 1_001, 1_002, 1_003], Side::Buy, false), [], "what comes to us");
        assert_eq!(
            run(&[1_000, 1_001, 1_002, 1_003, 1_004, 1_005], Side::Buy, true),
            [Pattern::Ramping],
            "told once"
        );
    }
}
