//! The quick against the obvious: what a book still has for us, kept here by the rule as it is written.
//!
//! Orders that only take meet random aggregated books. The naive twin keeps two numbers a level, what is
//! shown and what we took of it, and says what each order gets.

use crate::stage::{IT, Played, Stage};
use std::collections::BTreeMap;
use tse_model::{
    Chance, ClientOrderId, Depth, DepthChange, GroupId, Machine, MarketData, OrderEventKind,
    OrderType, PlaceOrder, Price, Qty, Request, Side, StrategyId, TimeInForce, Trade,
};
use tse_sim::venue::{Input, Output};

#[derive(Clone, Copy, Debug, Default)]
struct Level {
    shown: i64,
    ours: i64,
}

/// Asks only: the other side is the same.
#[derive(Debug, Default)]
struct Naive(BTreeMap<i64, Level>);

impl Naive {
    /// Returns what is available then.
    fn set(&mut self, price: i64, shown: i64) -> i64 {
        let level = self.0.entry(price).or_default();
        // A rise is new, a fall pays for what we took.
        level.ours = (level.ours - (level.shown - shown).max(0)).max(0);
        level.shown = shown;
        shown - level.ours
    }

    fn print(&mut self, price: i64, qty: i64) {
        if let Some(level) = self.0.get_mut(&price) {
            level.shown -= qty.min(level.shown - level.ours);
        }
    }

    fn take(&mut self, limit: i64, qty: i64) -> Vec<(i64, i64)> {
        let mut left = qty;
        let mut fills = Vec::new();
        for (price, level) in self.0.range_mut(..=limit) {
            let got = left.min(level.shown - level.ours);
            if got > 0 {
                level.ours += got;
                left -= got;
                fills.push((*price, got));
            }
        }
        fills
    }
}

fn take(played: &mut Played, id: u64, limit: i64, qty: i64) -> Vec<(i64, i64)> {
    let request = Request::Place(PlaceOrder {
        id: ClientOrderId(id),
        instrument: IT,
        strategy: StrategyId(0),
        group: GroupId(0),
        side: Side::Buy,
        order_type: OrderType::Limit(Price::new(limit)),
        time_in_force: TimeInForce::Ioc,
        qty: Qty::new(qty),
        display: None,
        post_only: false,
        reduce_only: false,
    });
    let mut out = Vec::new();
    played.venue.step(played.now, Input::Request(request), &mut out);
    let fill = |output: &Output| match output {
        Output::Order(event) => match event.kind {
            OrderEventKind::Filled(fill) => Some((fill.price.get(), fill.qty.get())),
            _ => None,
        },
        _ => None,
    };
    out.iter().filter_map(fill).collect()
}

/// What the feed shows of a level that was just set.
fn shown(out: &[Output]) -> Option<i64> {
    out.iter().find_map(|output| match output {
        Output::Feed(event) => match event.data {
            MarketData::Depth(Depth { change: DepthChange::Set { qty, .. }, .. }) => {
                Some(qty.get())
            }
            _ => None,
        },
        _ => None,
    })
}

#[test]
fn what_an_order_gets_is_what_the_rule_leaves_it() {
    let mut got = 0;
    for seed in 0..300 {
        let mut chance = Chance::stream(seed, "supply");
        let mut played = Played::new(Stage::spot().deposits(&[("USD", "1000000000")]));
        let mut naive = Naive::default();
        // Before anything is shown a trade would be taken for all there is to see.
        played.outputs("ask 101 0");
        for step in 0..300 {
            let (price, qty) = (chance.between(101, 106), chance.between(0, 20));
            let set = |price, qty| DepthChange::Set {
                side: Side::Sell,
                price: Price::new(price),
                qty: Qty::new(qty),
            };
            let mut show = |change, last| {
                let mut out = Vec::new();
                played.show(MarketData::Depth(Depth { change, last }), &mut out);
                shown(&out)
            };
            match chance.below(10) {
                0..=4 => {
                    assert_eq!(show(set(price, qty), true), Some(naive.set(price, qty)));
                }
                5 => {
                    // A snapshot: every level anew, some as they were and some gone.
                    show(DepthChange::Clear, false);
                    for price in 101..=106 {
                        let now = naive.0.get(&price).map_or(0, |level| level.shown);
                        let then = match chance.below(4) {
                            0 => 0,
                            1 => chance.between(0, 20),
                            _ => now,
                        };
                        let available = naive.set(price, then);
                        if then > 0 || chance.one_in(1, 2) {
                            assert_eq!(show(set(price, then), false), Some(available));
                        }
                    }
                    show(set(200, 0), true);
                }
                6 | 7 => {
                    let aggressor = Some(Side::Buy);
                    let (price, qty) = (Price::new(price), Qty::new(qty));
                    let trade = Trade { price, qty, aggressor, id: 0 };
                    played.show(MarketData::Trade(trade), &mut Vec::new());
                    naive.print(price.get(), qty.get());
                }
                _ => {
                    let fills = take(&mut played, step + 1, price, qty.max(1));
                    let expected = naive.take(price, qty.max(1));
                    assert_eq!(fills, expected, "seed {seed}, step {step}: {naive:?}");
                    got += fills.iter().map(|(_, qty)| qty).sum::<i64>();
                }
            }
            assert_eq!(played.venue.audit(), Ok(()), "seed {seed}, step {step}");
        }
    }
    assert!(got > 20_000, "orders found something: {got}");
}
