//! Random markets of every kind, random requests of every kind, audited after each.
//!
//! Nothing here is sensible: books cross, messages are lost, orders are absurd. What must hold is that
//! nothing panics, no law breaks, and the same seed gives the same words.

use crate::stage::{IT, Played, Stage};
use tse_model::{
    Bar, BookAction, BookOrder, CancelOrder, Chance, ClientOrderId, Depth, DepthChange, GroupId,
    Machine, MarketData, ModifyOrder, OrderType, PlaceOrder, Price, Qty, Quote, Rate, Request,
    Side, Span, StrategyId, TimeInForce, Trade, TradingStatus,
};
use tse_sim::QueueModel;
use tse_sim::venue::{Input, Output};

/// What a random market shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum View {
    Bars,
    Prints,
    Quotes,
    Depth,
    Orders,
    /// All of them, one over the other.
    Mixed,
}

const VIEWS: [View; 6] =
    [View::Bars, View::Prints, View::Quotes, View::Depth, View::Orders, View::Mixed];

struct Dice {
    chance: Chance,
    view: View,
    next_order: u64,
    next_id: u64,
    replacing: u32,
}

impl Dice {
    fn side(&mut self) -> Side {
        if self.chance.one_in(1, 2) { Side::Buy } else { Side::Sell }
    }

    fn price(&mut self) -> Price {
        Price::new(self.chance.between(95, 105))
    }

    /// Now and then something no venue would take.
    fn any_price(&mut self) -> Price {
        match self.chance.below(40) {
            0 => Price::new(i64::MAX),
            1 => Price::new(i64::MIN),
            2 => Price::ZERO,
            3 => Price::new(-self.chance.between(1, 100)),
            4 => Price::new(i64::MAX / 4),
            _ => self.price(),
        }
    }

    fn qty(&mut self) -> Qty {
        Qty::new(self.chance.between(0, 12))
    }

    fn any_qty(&mut self) -> Qty {
        match self.chance.below(40) {
            0 => Qty::new(i64::MAX),
            1 => Qty::new(i64::MIN),
            2 => Qty::new(-3),
            3 => Qty::new(i64::MAX / 4),
            _ => self.qty(),
        }
    }

    fn data(&mut self) -> MarketData {
        let kind = match self.view {
            View::Bars => 0,
            View::Prints => 1,
            View::Quotes => [1, 2, 2, 2][self.chance.below(4) as usize],
            View::Depth => [1, 3, 3, 3][self.chance.below(4) as usize],
            View::Orders => 4,
            View::Mixed => self.chance.below(5),
        };
        match (self.chance.below(60), kind) {
            (0, _) => MarketData::Mark(self.price()),
            (1, _) => MarketData::Funding(Rate::from_billionths(self.chance.between(-900, 900))),
            (2, _) => MarketData::Status(match self.chance.below(6) {
                0 => TradingStatus::Halted,
                1 => TradingStatus::Closed,
                _ => TradingStatus::Open,
            }),
            (_, 0) => {
                let mut prices = [(); 4].map(|()| self.price());
                prices.sort_unstable();
                let [low, a, b, high] = prices;
                let (open, close) = if self.chance.one_in(1, 2) { (a, b) } else { (b, a) };
                let (volume, span) = (self.qty(), Span::from_millis(self.chance.between(0, 5)));
                MarketData::Bar(Bar { open, high, low, close, volume, span })
            }
            (_, 1) => {
                let aggressor = self.chance.one_in(2, 3).then(|| self.side());
                let (price, qty) = (self.price(), self.qty());
                MarketData::Trade(Trade { price, qty, aggressor, id: 0 })
            }
            (_, 2) => {
                let (bid, ask) = (self.price(), self.price());
                let (bid_qty, ask_qty) = (self.qty(), self.qty());
                MarketData::Quote(Quote { bid, bid_qty, ask, ask_qty })
            }
            (_, 3) => self.depth(),
            _ => self.order(),
        }
    }

    fn depth(&mut self) -> MarketData {
        let last = self.replacing == 0 && self.chance.one_in(4, 5) || self.replacing == 1;
        self.replacing = self.replacing.saturating_sub(1);
        let change = match self.chance.below(40) {
            0 => DepthChange::Gap,
            1 => {
                self.replacing = self.chance.below(8) as u32;
                let last = self.replacing == 0;
                return MarketData::Depth(Depth { change: DepthChange::Clear, last });
            }
            _ => {
                let (side, price, qty) = (self.side(), self.price(), self.qty());
                DepthChange::Set { side, price, qty }
            }
        };
        MarketData::Depth(Depth { change, last })
    }

    fn order(&mut self) -> MarketData {
        let action = match self.chance.below(100) {
            0 => BookAction::Clear,
            1..=40 => BookAction::Add,
            41..=60 => BookAction::Cancel,
            61..=80 => BookAction::Modify,
            81..=95 => BookAction::Trade,
            _ => BookAction::Fill,
        };
        if action == BookAction::Add {
            self.next_order += 1;
        }
        let known = self.next_order.saturating_sub(self.chance.below(12));
        let order = if action == BookAction::Add { self.next_order } else { known };
        MarketData::Order(BookOrder {
            action,
            side: self.chance.one_in(19, 20).then(|| self.side()),
            order,
            price: self.price(),
            qty: self.qty(),
            last: self.chance.one_in(2, 3),
        })
    }

    fn request(&mut self, now: tse_model::Timestamp) -> Request {
        let known = ClientOrderId(self.next_id.saturating_sub(self.chance.below(12)));
        match self.chance.below(10) {
            0 | 1 => return Request::Cancel(CancelOrder { id: known, instrument: IT }),
            2 => {
                let price = self.chance.one_in(1, 2).then(|| self.any_price());
                let qty = self.any_qty();
                return Request::Modify(ModifyOrder { id: known, instrument: IT, qty, price });
            }
            _ => {}
        }
        self.next_id += 1;
        let (price, other) = (self.any_price(), self.any_price());
        Request::Place(PlaceOrder {
            id: if self.chance.one_in(1, 50) { known } else { ClientOrderId(self.next_id) },
            instrument: IT,
            strategy: StrategyId(0),
            group: GroupId(0),
            side: self.side(),
            order_type: match self.chance.below(10) {
                0 | 1 => OrderType::Market,
                2 => OrderType::Stop(price),
                3 => OrderType::StopLimit { trigger: price, limit: other },
                4 => OrderType::TrailingStop(Price::new(self.chance.between(-1, 6))),
                _ => OrderType::Limit(price),
            },
            time_in_force: match self.chance.below(10) {
                0 => TimeInForce::Ioc,
                1 => TimeInForce::Fok,
                2 => TimeInForce::Day,
                3 => TimeInForce::Gtd(now + Span::from_millis(self.chance.between(-3, 30))),
                _ => TimeInForce::Gtc,
            },
            qty: self.any_qty(),
            display: self.chance.one_in(1, 6).then(|| self.qty()),
            post_only: self.chance.one_in(1, 6),
            reduce_only: self.chance.one_in(1, 8),
        })
    }
}

/// Plays a seed; returns all that was said.
fn play(seed: u64) -> Vec<String> {
    let mut chance = Chance::stream(seed, "venue");
    let models = [QueueModel::Front, QueueModel::Back, QueueModel::Log, QueueModel::Power(2.0)];
    let model = models[chance.below(4) as usize];
    let view = VIEWS[chance.below(6) as usize];
    let poor = chance.one_in(1, 2);
    let stage = match chance.below(3) {
        0 if poor => Stage::spot().deposits(&[("USD", "2000"), ("BTC", "20")]),
        0 => Stage::spot(),
        1 if poor => Stage::linear().deposits(&[("USDT", "300")]),
        1 => Stage::linear(),
        _ if poor => Stage::inverse().deposits(&[("BTC", "5")]),
        _ => Stage::inverse(),
    };
    let mut played = Played::new(stage.queue(model).fees("-1", "5"));
    let mut dice = Dice { chance, view, next_order: 0, next_id: 0, replacing: 0 };
    let mut said = Vec::new();
    for step in 0..600 {
        let mut out = Vec::new();
        played.pass(Span::from_nanos(dice.chance.between(0, 2_000_000)), &mut out);
        if dice.chance.one_in(2, 3) {
            played.show(dice.data(), &mut out);
        } else {
            let request = dice.request(played.now);
            played.venue.step(played.now, Input::Request(request), &mut out);
        }
        let words = out.iter().filter(|word| !matches!(word, Output::Feed(_)));
        said.extend(words.map(|word| format!("{word:?}")));
        if let Err(what) = played.venue.audit() {
            panic!("seed {seed}, step {step} ({view:?}, {model:?}): {what}\n{out:?}");
        }
    }
    said
}

#[test]
fn nothing_breaks_a_venue() {
    let mut words = 0;
    for seed in 0..600 {
        words += play(seed).len();
    }
    assert!(words > 100_000, "there was a life: {words}");
}

#[test]
fn the_same_seed_says_the_same_words() {
    for seed in 0..20 {
        assert_eq!(play(seed), play(seed));
    }
}
