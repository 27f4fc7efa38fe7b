//! A strategy that does everything a strategy can do, at random, and means nothing by it.

use tse_model::bytes::{Reader, Recorded, Writer};
use tse_model::{
    Chance, ClientOrderId, InstrumentId, OrderType, Price, Qty, Quote, Side, Span, TimeInForce,
};
use tse_strategy::{
    Intents, Interest, OrderUpdate, OrderWish, QuoteLevel, Strategy, UpdateKind, View,
};

/// The largest order, in lots.
const QTY_MAX: i64 = 5;

/// Plays with dice.
pub(super) struct Player {
    chance: Chance,
    instruments: Vec<InstrumentId>,
    ids: Vec<ClientOrderId>,
}

impl Player {
    pub(super) fn new(seed: u64, name: &str, instruments: Vec<InstrumentId>) -> Self {
        Self { chance: Chance::stream(seed, name), instruments, ids: Vec::new() }
    }

    fn side(&mut self) -> Side {
        if self.chance.one_in(1, 2) { Side::Buy } else { Side::Sell }
    }

    fn qty(&mut self) -> Qty {
        Qty::new(self.chance.between(1, QTY_MAX))
    }

    fn order(
        &mut self,
        instrument: InstrumentId,
        near: Price,
        now: tse_model::Timestamp,
    ) -> OrderWish {
        let (side, qty) = (self.side(), self.qty());
        let price = side.away(near, self.chance.between(-4, 12));
        let wish = OrderWish::limit(instrument, side, qty, price);
        match self.chance.below(12) {
            0 | 1 => OrderWish::market(instrument, side, qty),
            2 | 3 => OrderWish::ioc(instrument, side, qty, side.away(near, -2)),
            4 => OrderWish { time_in_force: TimeInForce::Fok, ..wish },
            5 => OrderWish { order_type: OrderType::Stop(side.away(near, -6)), ..wish },
            6 => OrderWish { display: Some(Qty::new(1)), ..wish },
            7 => {
                let until = now + Span::from_millis(self.chance.between(500, 5_000));
                OrderWish { time_in_force: TimeInForce::Gtd(until), ..wish }
            }
            8 => OrderWish { reduce_only: true, ..wish },
            _ => OrderWish { post_only: true, ..wish },
        }
    }

    fn any(&mut self, instrument: InstrumentId, view: &View<'_>) -> Option<ClientOrderId> {
        self.ids.clear();
        let ids = &mut self.ids;
        view.live_orders(instrument, |order| ids.push(order.id));
        let n = self.ids.len() as u64;
        (n > 0).then(|| self.ids[self.chance.below(n) as usize])
    }

    fn act(&mut self, instrument: InstrumentId, near: Price, view: &View<'_>, wish: &mut Intents) {
        match self.chance.below(20) {
            0 => wish.cancel_all(instrument),
            1..=4 => {
                if let Some(id) = self.any(instrument, view) {
                    wish.cancel(id);
                }
            }
            5 | 6 => {
                if let Some(id) = self.any(instrument, view) {
                    let price = self.chance.one_in(1, 2);
                    let price = price.then(|| Side::Buy.away(near, self.chance.between(-9, 9)));
                    wish.modify(id, self.qty(), price);
                }
            }
            7 | 8 => {
                let levels = [Side::Buy, Side::Sell].map(|side| QuoteLevel {
                    side,
                    price: side.away(near, self.chance.between(1, 4)),
                    qty: Qty::new(2),
                });
                wish.quote(instrument, &levels, 1);
            }
            9 => {
                let other =
                    self.instruments[self.chance.below(self.instruments.len() as u64) as usize];
                let legs = [
                    OrderWish::ioc(instrument, Side::Buy, Qty::new(1), Side::Buy.away(near, -3)),
                    OrderWish::market(other, Side::Sell, Qty::new(1)),
                ];
                wish.group(&legs);
            }
            10 => wish.target(instrument, Qty::new(self.chance.between(-3, 3))),
            11 => wish.wake_in(Span::from_millis(self.chance.between(1, 3_000))),
            _ => {
                let order = self.order(instrument, near, view.now);
                wish.order(order);
            }
        }
    }
}

impl Strategy for Player {
    fn save(&self, out: &mut Writer) -> bool {
        self.chance.write(out);
        true
    }

    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        self.chance = Chance::read(bytes)?;
        Some(())
    }

    fn interest(&self) -> Interest {
        Interest { quotes: true, ..Interest::default() }
    }

    fn on_quote(
        &mut self,
        instrument: InstrumentId,
        quote: &Quote,
        view: &View<'_>,
        wish: &mut Intents,
    ) {
        let Some(twice) = quote.twice_mid() else { return };
        if self.chance.one_in(1, 12) {
            self.act(instrument, Price::new(twice / 2), view, wish);
        }
    }

    fn on_timer(&mut self, view: &View<'_>, wish: &mut Intents) {
        let instrument =
            self.instruments[self.chance.below(self.instruments.len() as u64) as usize];
        if let Some(twice) = view.market(instrument).quote.twice_mid() {
            self.act(instrument, Price::new(twice / 2), view, wish);
        }
    }
}

/// Plays like the others until it goes mad: then every order of its that is refused makes it ask for two more
/// that will be (F32).
pub(super) struct Poison {
    player: Player,
    mad: bool,
}

impl Poison {
    pub(super) fn new(seed: u64, instruments: Vec<InstrumentId>) -> Self {
        Self { player: Player::new(seed, "poison", instruments), mad: false }
    }

    fn rave(instrument: InstrumentId, wish: &mut Intents) {
        for side in Side::BOTH {
            wish.order(OrderWish::market(instrument, side, Qty::new(1_000)));
        }
    }
}

impl Strategy for Poison {
    fn save(&self, out: &mut Writer) -> bool {
        self.mad.write(out);
        self.player.save(out)
    }

    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        self.mad = bool::read(bytes)?;
        self.player.load(bytes)
    }

    fn interest(&self) -> Interest {
        self.player.interest()
    }

    fn on_quote(
        &mut self,
        instrument: InstrumentId,
        quote: &Quote,
        view: &View<'_>,
        wish: &mut Intents,
    ) {
        self.mad |= self.player.chance.one_in(1, 1_500);
        match self.mad {
            true => Self::rave(instrument, wish),
            false => self.player.on_quote(instrument, quote, view, wish),
        }
    }

    fn on_order(&mut self, update: &OrderUpdate, _: &View<'_>, wish: &mut Intents) {
        if self.mad && matches!(update.kind, UpdateKind::Denied) {
            Self::rave(update.instrument, wish);
        }
    }

    fn on_timer(&mut self, view: &View<'_>, wish: &mut Intents) {
        self.player.on_timer(view, wish);
    }
}
