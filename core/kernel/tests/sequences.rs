//! I16 by brute force: whatever is shown, said, wished and commanded, in whatever order, nothing that adds risk leaves
//! that could carry a position or everything together over its limit.
//!
//! A sequence is a new engine and forty random inputs. The second reckoning here knows limits, positions and orders that
//! left, by itself: it believes nothing of the engine but what it sends and books. `TSE_SEQUENCES` says how many
//! sequences are tried; without it a hundred thousand, and CI tries a million.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tse_kernel::{
    Alert, Command, ExposureTable, Guards, Input, Kernel, LimitTable, Output, PaceTable, Setup,
};
use tse_model::{
    CancelReason, Catalog, Chance, ClientOrderId, CurrencyId, Decimal, Environment, ExecId,
    FeeSchedule, Fill, InstrumentId, InstrumentSpec, Kind, Liquidity, Machine, MarketData,
    MarketEvent, Money, OrderEvent, OrderEventKind, PlaceOrder, Price, Qty, Quote, Rate,
    RejectReason, Request, Settlement, Side, Span, StrategyId, Timestamp, VenueId, VenueOrderId,
};
use tse_portfolio::{Portfolio, Prices};
use tse_risk::{
    ExposureLimits, Kill, Level, LimitChange, Limits, NewLimit, Reach, Repeats, Resume, Role, Who,
    Why,
};
use tse_strategy::{Intents, Interest, OrderWish, Strategy, View};

const MARKETS: usize = 3;
const STEPS: u64 = 40;
const USD: CurrencyId = CurrencyId(0);

/// What the next call of a strategy is to wish.
#[derive(Clone, Copy)]
enum Wish {
    Order(OrderWish),
    Target(InstrumentId, Qty),
    Cancel(ClientOrderId),
    Modify(ClientOrderId, Qty, Option<Price>),
    Group([OrderWish; 2]),
}

type Queue = Arc<Mutex<Vec<Wish>>>;

struct Puppet(Queue);

impl Strategy for Puppet {
    fn interest(&self) -> Interest {
        Interest { quotes: true, ..Interest::default() }
    }
    fn on_quote(&mut self, _: InstrumentId, _: &Quote, _: &View<'_>, wish: &mut Intents) {
        for asked in self.0.lock().expect("no test panics inside").drain(..) {
            match asked {
                Wish::Order(order) => wish.order(order),
                Wish::Target(it, qty) => wish.target(it, qty),
                Wish::Cancel(id) => wish.cancel(id),
                Wish::Modify(id, qty, price) => wish.modify(id, qty, price),
                Wish::Group(legs) => wish.group(&legs),
            }
        }
    }
}

fn catalog() -> Catalog {
    let mut catalog = Catalog::new();
    catalog.define_currency("USD", 2).expect("new");
    for symbol in ["IBM-USD-PERP.A", "BAC-USD-PERP.A", "SPY-USD-PERP.B"] {
        let dec = |text: &str| text.parse::<Decimal>().expect(text);
        catalog
            .define_instrument(InstrumentSpec {
                symbol: symbol.parse().expect(symbol),
                kind: Kind::Perpetual { inverse: false },
                settlement: Settlement::Difference,
                tick: dec("0.01"),
                lot: dec("1"),
                multiplier: dec("1"),
                qty_min: Decimal::ZERO,
                qty_max: None,
                notional_min: Decimal::ZERO,
                price_max: None,
                margin_initial: dec("0.1"),
                margin_maintenance: dec("0.05"),
                fees: FeeSchedule::free(),
            })
            .expect(symbol);
    }
    catalog
}

/// An order as its venue may still fill it.
#[derive(Clone, Copy, Debug)]
struct Live {
    place: PlaceOrder,
    filled: i64,
    /// The largest size it may have by now.
    most: i64,
    /// A size that was asked for and not answered.
    asked: Option<i64>,
}

struct World {
    kernel: Kernel,
    queues: [Queue; 2],
    chance: Chance,
    now: Timestamp,
    out: Vec<Output>,
    mids: [i64; MARKETS],
    live: BTreeMap<ClientOrderId, Live>,
    /// By strategy and market.
    held: [[i64; MARKETS]; 2],
    account_max: [i64; MARKETS],
    own_max: [[i64; MARKETS]; 2],
    gross_max: i128,
    levels: BTreeMap<Reach, Level>,
    executions: u64,
    sent: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut chance = Chance::stream(seed, "sequence");
        let catalog = catalog();
        let queues: [Queue; 2] = Default::default();
        let strategies = queues.iter().map(|queue| {
            let all = (0..MARKETS as u32).map(InstrumentId).collect();
            (Box::new(Puppet(queue.clone())) as Box<dyn Strategy>, all)
        });
        let account_max = [(); MARKETS].map(|()| chance.between(3, 20));
        let own_max = [(); 2].map(|()| [(); MARKETS].map(|()| chance.between(2, 20)));
        let gross_max = i128::from(chance.between(5_000, 60_000));
        let limits = |most: i64| Limits {
            order_qty_max: Some(Qty::new(12)),
            order_value_max: Some(Money::from_units(1_000_000)),
            collar: Some(Rate::from_billionths(100_000_000)),
            repeats: Some(Repeats { window: Span::from_secs(1), count: 1_000 }),
            open_orders_max: Some(100),
            long_max: Some(Qty::new(most)),
            short_max: Some(Qty::new(most)),
            data_age_max: Some(Span::from_secs(60)),
            ..Limits::default()
        };
        let mut portfolio = Portfolio::for_catalog(&catalog);
        for venue in 0..catalog.venues().len() {
            let cash = Money::from_units(100_000_000);
            portfolio.deposit(VenueId(venue as u16), USD, cash).expect("it fits");
        }
        #[cfg_attr(not(feature = "plant"), expect(unused_mut, reason = "nothing is taken out"))]
        let mut kernel = Kernel::new(Setup {
            portfolio,
            limits: LimitTable::new(
                account_max.map(limits).to_vec(),
                own_max.map(|own| own.map(limits).to_vec()).to_vec(),
            ),
            repeat_window: Span::ZERO,
            answer_timeout: Span::from_secs(5),
            environment: Environment::Simulated,
            reconcile: None,
            lag_max: None,
            boots_disarmed: false,
            paces: PaceTable::default(),
            losses: None,
            exposure: Some(ExposureTable {
                currency: USD,
                prices: Prices::new(Span::from_secs(60)),
                every: Span::from_secs(1),
                firm: ExposureLimits {
                    gross: Some(Money::from_units(gross_max)),
                    ..ExposureLimits::default()
                },
                groups: Vec::new(),
                strategy: Vec::new(),
                correlation: None,
            }),
            guards: Guards::default(),
            strategies: strategies.collect(),
            catalog,
        });
        #[cfg(feature = "plant")]
        kernel.take_out(tse_risk::Without::of(&std::env::var("TSE_WITHOUT").unwrap_or_default()));
        let mut world = Self {
            kernel,
            queues,
            chance,
            now: Timestamp::from_nanos(1_000_000_000),
            out: Vec::new(),
            mids: [1_000; MARKETS],
            live: BTreeMap::new(),
            held: [[0; MARKETS]; 2],
            account_max,
            own_max,
            gross_max,
            levels: BTreeMap::new(),
            executions: 0,
            sent: 0,
        };
        world.step(Input::Command(Command::Start));
        (0..MARKETS).for_each(|at| world.quote(at));
        world
    }

    fn step(&mut self, input: Input) {
        self.out.clear();
        self.kernel.step(self.now, input, &mut self.out);
        for output in std::mem::take(&mut self.out) {
            match output {
                Output::Send(_, Request::Place(place)) => self.leaves(place),
                Output::Send(_, Request::Modify(change)) => {
                    let Some(live) = self.live.get_mut(&change.id) else { continue };
                    let shrinks = change.price.is_none() && change.qty < live.place.qty;
                    live.asked = Some(change.qty.get());
                    live.most = live.most.max(change.qty.get());
                    let place = live.place;
                    if !shrinks {
                        // As what it is to be: what it is already nobody asks for again.
                        self.judge(place, Some((change.id, change.qty.get())));
                    }
                }
                Output::Filled { strategy, instrument, side, fill, .. } => {
                    self.held[strategy.index()][instrument.index()] += fill.qty.signed(side).get();
                }
                Output::Alert(Alert::Killed { reach, level, .. }) => *self.level(reach) = level,
                Output::Alert(Alert::Resumed { reach, to }) => *self.level(reach) = to,
                _ => {}
            }
        }
    }

    fn level(&mut self, reach: Reach) -> &mut Level {
        self.levels.entry(reach).or_default()
    }

    /// What of one market is open on a side, of a strategy or of all, with one order as it is to be.
    fn open(
        &self,
        strategy: Option<usize>,
        at: usize,
        side: Side,
        changed: Option<(ClientOrderId, i64)>,
    ) -> i64 {
        let all = self.live.values().filter(|live| {
            let place = &live.place;
            place.instrument.index() == at
                && place.side == side
                && strategy.is_none_or(|strategy| place.strategy.index() == strategy)
        });
        let size = |live: &Live| match changed {
            Some((id, size)) if id == live.place.id => size,
            _ => live.most,
        };
        all.map(|live| (size(live) - live.filled).max(0)).sum()
    }

    fn position(&self, strategy: Option<usize>, at: usize) -> i64 {
        match strategy {
            Some(strategy) => self.held[strategy][at],
            None => self.held.iter().map(|held| held[at]).sum(),
        }
    }

    /// An order leaves: whatever of all that is open is filled, it must hold.
    fn leaves(&mut self, place: PlaceOrder) {
        self.sent += 1;
        let most = place.qty.get();
        self.live.insert(place.id, Live { place, filled: 0, most, asked: None });
        self.judge(place, None);
    }

    /// An order is there, or is to be another than it was: of that size then.
    fn judge(&mut self, place: PlaceOrder, changed: Option<(ClientOrderId, i64)>) {
        let (at, own) = (place.instrument.index(), place.strategy.index());
        let level = (*self.level(Reach::Firm)).max(*self.level(Reach::Strategy(place.strategy)));
        assert_ne!(level, Level::Halt, "{place:?} leaves a halt");
        let sign = place.side.sign();
        let scopes = [
            (Some(own), self.own_max[own][at].min(self.account_max[at])),
            (None, self.account_max[at]),
        ];
        let worst = scopes.map(|(scope, limit)| {
            let open = self.open(scope, at, place.side, changed);
            (self.position(scope, at) * sign, open, limit)
        });
        if worst.iter().all(|(held, open, _)| -held >= *open) {
            return; // it only shrinks what is held
        }
        // What closes a strategy's own position may open one of the account, within its limits.
        let closes = level == Level::Flatten && -worst[0].0 >= worst[0].1;
        assert!(level == Level::Free || closes, "{place:?} leaves at {level:?}");
        for (held, open, limit) in worst {
            assert!(held + open <= limit, "{place:?}: {held} and {open} open, limit {limit}");
        }
        let gross: i128 = (0..MARKETS)
            .map(|at| {
                let held = self.position(None, at);
                let long = held + self.open(None, at, Side::Buy, changed);
                let short = held - self.open(None, at, Side::Sell, changed);
                i128::from(long.abs().max(short.abs())) * i128::from(self.mids[at])
            })
            .sum();
        assert!(gross <= self.gross_max, "{place:?}: {gross} of {} in all", self.gross_max);
    }

    fn quote(&mut self, at: usize) {
        let mid = self.mids[at];
        let quote = Quote {
            bid: Price::new(mid - 5),
            bid_qty: Qty::new(50),
            ask: Price::new(mid + 5),
            ask_qty: Qty::new(50),
        };
        let instrument = InstrumentId(at as u32);
        let data = MarketData::Quote(quote);
        let event = MarketEvent { ts_event: self.now, ts_recv: self.now, instrument, data };
        self.step(Input::Market(event));
    }

    fn say(&mut self, id: ClientOrderId, instrument: InstrumentId, kind: OrderEventKind) {
        self.step(Input::Order(OrderEvent { id, instrument, ts_event: self.now, kind }));
    }

    /// Something random happens.
    fn happen(&mut self) {
        self.now = self.now + Span::from_millis(self.chance.between(1, 400));
        while self.kernel.wake_at().is_some_and(|at| at <= self.now) {
            self.step(Input::Wake);
        }
        let (at, who) = (self.chance.below(MARKETS as u64) as usize, self.chance.below(2) as usize);
        match self.chance.below(16) {
            0..=6 => self.wish(at, who),
            7..=12 => self.word(),
            13 => {
                self.mids[at] = (self.mids[at] + self.chance.between(-60, 60)).max(100);
                self.quote(at);
            }
            14 => self.change(at, who),
            _ => self.switch(who),
        }
    }

    fn wish(&mut self, at: usize, who: usize) {
        let instrument = InstrumentId(at as u32);
        for _ in 0..self.chance.between(1, 3) {
            let side = if self.chance.one_in(1, 2) { Side::Buy } else { Side::Sell };
            let qty = Qty::new(self.chance.between(1, 14));
            let price = Price::new(self.mids[at] + self.chance.between(-40, 40));
            let own: Vec<_> = self
                .live
                .values()
                .filter(|live| live.place.strategy.index() == who)
                .copied()
                .collect();
            let any = (!own.is_empty()).then(|| own[self.chance.below(own.len() as u64) as usize]);
            let wish = match (self.chance.below(8), any) {
                (0, Some(live)) => Wish::Cancel(live.place.id),
                (1 | 2, Some(live)) => {
                    let price = self.chance.one_in(1, 2).then_some(price);
                    Wish::Modify(live.place.id, qty, price)
                }
                (3, _) => Wish::Target(instrument, Qty::new(self.chance.between(-12, 12))),
                (4, _) => Wish::Order(OrderWish::market(instrument, side, qty)),
                (5, _) => {
                    // Both or none, in one market or in two, the same way or not.
                    let second = self.chance.below(MARKETS as u64) as usize;
                    let back = if self.chance.one_in(1, 2) { side } else { side.opposite() };
                    let near = Price::new(self.mids[second] + self.chance.between(-40, 40));
                    let other = InstrumentId(second as u32);
                    Wish::Group([
                        OrderWish::limit(instrument, side, qty, price),
                        OrderWish::limit(other, back, Qty::new(self.chance.between(1, 14)), near),
                    ])
                }
                _ => Wish::Order(OrderWish::limit(instrument, side, qty, price)),
            };
            self.queues[who].lock().expect("no test panics inside").push(wish);
        }
        self.quote(at);
    }

    /// The venue says something about one of the orders: true or not, early or late.
    fn word(&mut self) {
        let ids: Vec<_> = self.live.keys().copied().collect();
        let Some(id) = (!ids.is_empty()).then(|| ids[self.chance.below(ids.len() as u64) as usize])
        else {
            return;
        };
        let live = self.live[&id];
        let it = live.place.instrument;
        let size = match live.asked {
            Some(asked) if self.chance.one_in(1, 2) => asked,
            _ => live.place.qty.get(),
        };
        match self.chance.below(8) {
            0 => self.say(id, it, OrderEventKind::Accepted(VenueOrderId(id.0))),
            1 => {
                self.live.remove(&id);
                self.say(id, it, OrderEventKind::Rejected(RejectReason::MarketClosed));
            }
            2 => {
                self.live.remove(&id);
                let reason = CancelReason::Requested;
                self.say(id, it, OrderEventKind::Cancelled { reason, filled: None });
            }
            3 => {
                let Some(asked) = live.asked else { return };
                if asked <= live.filled {
                    return;
                }
                let entry = self.live.get_mut(&id).expect("it is live");
                (entry.asked, entry.most, entry.place.qty) = (None, asked, Qty::new(asked));
                let price =
                    live.place.order_type.limit().unwrap_or(Price::new(self.mids[it.index()]));
                self.say(id, it, OrderEventKind::Modified { qty: Qty::new(asked), price });
            }
            4 => {
                if live.asked.is_none() {
                    return;
                }
                let entry = self.live.get_mut(&id).expect("it is live");
                (entry.asked, entry.most) = (None, entry.place.qty.get());
                self.say(id, it, OrderEventKind::ModifyRejected(RejectReason::MarketClosed));
            }
            _ => {
                let left = size.min(live.most) - live.filled;
                if left <= 0 {
                    return;
                }
                let qty = self.chance.between(1, left);
                self.executions += 1;
                let fill = Fill {
                    exec: ExecId(self.executions),
                    price: Price::new(self.mids[it.index()]),
                    qty: Qty::new(qty),
                    liquidity: Liquidity::Taker,
                    fee: Money::ZERO,
                    fee_currency: USD,
                };
                let entry = self.live.get_mut(&id).expect("it is live");
                entry.filled += qty;
                if entry.filled >= entry.most {
                    self.live.remove(&id);
                }
                self.say(id, it, OrderEventKind::Filled(fill));
            }
        }
    }

    /// A person changes a limit.
    fn change(&mut self, at: usize, who: usize) {
        let own = self.chance.one_in(1, 2);
        let most = self.chance.between(1, 25);
        let gross = self.chance.one_in(1, 4);
        let worth = self.chance.between(5_000, 60_000);
        let to = |to| LimitChange {
            strategy: (own && !gross).then_some(StrategyId(who as u16)),
            instrument: (!gross).then_some(InstrumentId(at as u32)),
            to,
            by: Who::cut("ann"),
            second: None,
            why: Why::cut("a test"),
        };
        if gross {
            self.gross_max = i128::from(worth);
            let limit = NewLimit::Gross(Money::from_units(self.gross_max));
            return self.step(Input::Command(Command::Limit(to(limit))));
        }
        match own {
            true => self.own_max[who][at] = most,
            false => self.account_max[at] = most,
        }
        for limit in [NewLimit::Long(Qty::new(most)), NewLimit::Short(Qty::new(most))] {
            self.step(Input::Command(Command::Limit(to(limit))));
        }
    }

    fn switch(&mut self, who: usize) {
        let reach = match self.chance.one_in(1, 2) {
            true => Reach::Firm,
            false => Reach::Strategy(StrategyId(who as u16)),
        };
        let (by, why) = (Who::cut("ann"), Why::cut("a test"));
        let levels = [Level::Pause, Level::Reduce, Level::Cancel, Level::Halt, Level::Flatten];
        let level = levels[self.chance.below(5) as usize];
        self.step(Input::Command(Command::Kill(Kill { reach, level, by, why })));
        if self.chance.one_in(2, 3) {
            let second = Some(Who::cut("bob"));
            let resume = Resume { reach, to: Level::Free, role: Role::Risk, by, second, why };
            self.step(Input::Command(Command::Resume(resume)));
        }
    }
}

#[test]
fn i16_no_sequence_of_words_wishes_and_commands_carries_worst_cases_over_a_limit() {
    let wanted = std::env::var("TSE_SEQUENCES").ok().and_then(|text| text.parse().ok());
    let sequences: u64 = wanted.unwrap_or(100_000);
    let mut sent = 0;
    for seed in 0..sequences {
        let mut world = World::new(seed);
        for _ in 0..STEPS {
            world.happen();
        }
        sent += world.sent;
    }
    assert!(sent > sequences * 3, "{sent} orders in {sequences} sequences say nothing");
    println!("{sequences} sequences, {sent} orders left");
}
