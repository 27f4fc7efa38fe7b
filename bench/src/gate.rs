//! What one order costs in the kernel: the whole gate with every control set, ten strategies, fifty open orders.
//!
//! A quote is shown on which nobody acts, then one on which a strategy wishes an order that is refused, then one
//! whose order is approved, booked and sent; the differences are the order's. Its venue's word that it is gone
//! is given in between and not counted.

use crate::count;
use crate::engine::cross_scenario;
use crate::generate::{INSTRUMENT, Quotes};
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tse_kernel::{
    Command, ExposureTable, Guards, Input, Kernel, LimitTable, LossTable, Output, PaceTable, Setup,
};
use tse_model::{
    CancelReason, InstrumentId, Machine, MarketData, MarketEvent, OrderEvent, OrderEventKind,
    Price, Qty, Quote, Rate, Request, Side, Span, Timestamp, VenueOrderId,
};
use tse_portfolio::Prices;
use tse_risk::{
    ClockLimits, ClockSource, ExposureGroup, ExposureLimits, Limits, LossLimits, Messages,
    OrderToTrade, Pace, Paces, Ramp, Rapid, Step, SwingLimit,
};
use tse_strategy::{Intents, Interest, OrderWish, Strategy, View};

const STRATEGIES: usize = 10;
const OPEN_EACH: i64 = 5;
const ROUNDS: u64 = 500_000;

/// What the strategies are to do: who, and how much; zero for nothing.
#[derive(Clone, Default)]
struct Order(Arc<AtomicI64>);

struct Wisher {
    number: i64,
    order: Order,
}

impl Strategy for Wisher {
    fn interest(&self) -> Interest {
        Interest { quotes: true, ..Interest::default() }
    }

    fn on_quote(&mut self, it: InstrumentId, quote: &Quote, _: &View<'_>, wish: &mut Intents) {
        let asked = self.order.0.load(Relaxed);
        if asked != 0 && asked / 1_000_000 == self.number {
            let price = Side::Buy.away(quote.bid, asked % 7);
            wish.order(OrderWish::limit(it, Side::Buy, Qty::new(asked % 1_000_000), price));
        }
    }
}

struct World {
    kernel: Kernel,
    order: Order,
    now: Timestamp,
    out: Vec<Output>,
    taken: u64,
}

impl World {
    fn new() -> Self {
        let order = Order::default();
        let strategies = (0..STRATEGIES).map(|number| {
            let wisher = Wisher { number: number as i64 + 1, order: order.clone() };
            (Box::new(wisher) as Box<dyn Strategy>, vec![INSTRUMENT])
        });
        let setup = cross_scenario(Box::new(Quotes::new(0, 0))).setup();
        let limits = *setup.limits.account(INSTRUMENT);
        let paces = Paces {
            messages: Some(Messages {
                rate: Pace { count: 10_000, window: Span::from_secs(1) },
                reserved: 1_000,
                tolerance: Some(100),
            }),
            executions: Some(Pace { count: 1_000, window: Span::from_secs(60) }),
            rejects: Some(100),
            losses: Some(100),
            in_flight: Some(100),
            order_to_trade: Some(OrderToTrade { ratio: 100, grace: u32::MAX }),
        };
        let mut prices = Prices::new(Span::from_secs(60));
        prices.source(&setup.catalog, INSTRUMENT).expect("it prices its base");
        let base = setup.catalog.currency_id("USDT").expect("it is there");
        let capital = setup.portfolio.balance(tse_model::VenueId(0), base);
        let losses = LossLimits {
            capital,
            day_soft: Some(capital),
            day_max: Some(capital),
            drawdown_max: Some(Rate::from_billionths(100_000_000)),
            rapid_max: Some(Rapid {
                share: Rate::from_billionths(50_000_000),
                window: Span::from_secs(600),
            }),
            ..LossLimits::default()
        };
        let exposure = ExposureLimits {
            gross: Some(capital),
            net: Some(capital),
            leverage: Some(Rate::from_billionths(3 * Rate::ONE)),
            concentration: Some(Rate::from_billionths(Rate::ONE)),
        };
        let swing =
            SwingLimit { max: Rate::from_billionths(100_000_000), window: Span::from_secs(60) };
        let limits = Limits { swing: Some(swing), ..limits };
        let step = Step { after: Span::ZERO, share: Rate::from_billionths(Rate::ONE) };
        let clock = ClockLimits {
            offset_max: Span::from_millis(50),
            step_max: Span::from_millis(20),
            age_max: Span::from_secs(1_000_000),
        };
        let kernel = Kernel::new(Setup {
            exposure: Some(ExposureTable {
                currency: base,
                prices: prices.clone(),
                every: Span::from_secs(1),
                firm: exposure,
                groups: vec![ExposureGroup {
                    instruments: vec![INSTRUMENT],
                    gross: Some(capital),
                    net: Some(capital),
                }],
                strategy: vec![exposure; STRATEGIES],
                correlation: None,
            }),
            guards: Guards {
                clock: Some(clock),
                ramps: vec![Some(Ramp { steps: vec![step] }); STRATEGIES],
                ..Guards::default()
            },
            limits: LimitTable::new(vec![limits], vec![vec![limits]; STRATEGIES]),
            paces: PaceTable { account: vec![paces], strategy: vec![paces; STRATEGIES] },
            losses: Some(LossTable {
                currency: base,
                prices,
                every: Span::from_secs(1),
                cool_down: Span::ZERO,
                firm: Some(losses),
                strategy: vec![Some(losses); STRATEGIES],
            }),
            strategies: strategies.collect(),
            ..setup
        });
        let now = Timestamp::from_nanos(1_700_000_000_000_000_000);
        let mut world = Self { kernel, order, now, out: Vec::new(), taken: 0 };
        world.kernel.step(now, Input::Command(Command::Start), &mut world.out);
        let compared = Input::Clock { source: ClockSource::Reference, offset: Span::ZERO };
        world.kernel.step(now, compared, &mut world.out);
        world.show(0);
        for strategy in 1..=STRATEGIES as i64 {
            for n in 1..=OPEN_EACH {
                world.show(strategy * 1_000_000 + n);
                let id = world.sent().expect("it is approved");
                world.taken += 1;
                world.say(id, OrderEventKind::Accepted(VenueOrderId(world.taken)));
            }
        }
        assert_eq!(world.kernel.orders().live(), STRATEGIES * OPEN_EACH as usize);
        world
    }

    /// A quote, on which the strategies do as asked.
    fn show(&mut self, asked: i64) {
        self.now = self.now + Span::from_millis(2);
        self.out.clear();
        self.order.0.store(asked, Relaxed);
        let flicker = self.now.nanos() / 2_000_000 % 2;
        let quote = Quote {
            bid: Price::new(499_990 + flicker),
            bid_qty: Qty::new(10),
            ask: Price::new(500_010 + flicker),
            ask_qty: Qty::new(10),
        };
        let data = MarketData::Quote(quote);
        let event =
            MarketEvent { ts_event: self.now, ts_recv: self.now, instrument: INSTRUMENT, data };
        self.kernel.show(self.now, black_box(&event), &mut self.out);
    }

    fn sent(&self) -> Option<tse_model::ClientOrderId> {
        self.out.iter().find_map(|output| match output {
            Output::Send(_, Request::Place(place)) => Some(place.id),
            _ => None,
        })
    }

    fn say(&mut self, id: tse_model::ClientOrderId, kind: OrderEventKind) {
        self.out.clear();
        let event = OrderEvent { id, instrument: INSTRUMENT, ts_event: self.now, kind };
        self.kernel.hear(self.now, &event, &mut self.out);
    }

    /// Nanoseconds for one quote each, and allocations of all, of `asked`.
    fn measure(&mut self, asked: i64) -> (f64, u64) {
        let mut took = Duration::ZERO;
        let (mut allocated, mut sent) = (0, 0);
        for _ in 0..ROUNDS {
            let (from, before) = (Instant::now(), count::so_far());
            self.show(asked);
            took += from.elapsed();
            allocated += count::so_far() - before;
            if let Some(id) = self.sent() {
                (self.taken, sent) = (self.taken + 1, sent + 1);
                self.say(id, OrderEventKind::Accepted(VenueOrderId(self.taken)));
                let reason = CancelReason::Requested;
                self.say(id, OrderEventKind::Cancelled { reason, filled: None });
            }
            // Timers of the past, as a driver would call them.
            if self.kernel.wake_at().is_some_and(|at| at <= self.now) {
                self.out.clear();
                self.kernel.step(self.now, Input::Wake, &mut self.out);
            }
        }
        assert!(sent == 0 || sent == ROUNDS, "{sent} of {ROUNDS} were sent");
        (took.as_secs_f64() * 1e9 / ROUNDS as f64, allocated)
    }
}

/// How many quotes there are to one order; in the demo there are twenty-two.
const EVERY: [u64; 4] = [1, 10, 20, 100];

/// Nanoseconds for a quote in a stream in which every so many one is followed by an order that is sent, accepted
/// and taken back: all that an engine does for it.
fn streams() -> [f64; EVERY.len()] {
    let mut world = World::new();
    EVERY.map(|every| {
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let from = Instant::now();
            stream(&mut world, every, ROUNDS);
            best = best.min(from.elapsed().as_secs_f64() * 1e9 / ROUNDS as f64);
        }
        best
    })
}

/// So many quotes of such a stream.
fn stream(world: &mut World, every: u64, rounds: u64) {
    for n in 0..rounds {
        world.show(if n % every == 0 { 1_000_001 } else { 0 });
        if let Some(id) = world.sent() {
            world.taken += 1;
            world.say(id, OrderEventKind::Accepted(VenueOrderId(world.taken)));
            let reason = CancelReason::Requested;
            world.say(id, OrderEventKind::Cancelled { reason, filled: None });
        }
        if world.kernel.wake_at().is_some_and(|at| at <= world.now) {
            world.out.clear();
            world.kernel.step(world.now, Input::Wake, &mut world.out);
        }
    }
}

/// One stream alone, for who counts instructions.
pub fn run_stream(every: u64, rounds: u64) {
    stream(&mut World::new(), every, rounds);
}

/// Prints the streams alone, as numbers: for a build whose gate is open.
pub fn run_open() {
    println!("{}", streams().map(|nanos| nanos.to_string()).join(" "));
}

/// Measures and prints it, beside what the same streams took in a build whose gate lets everything through.
pub fn run(open: Option<[f64; EVERY.len()]>) {
    let mut world = World::new();
    let (own, too_large) = (1_000_001, 1_001_001);
    world.measure(own);
    world.show(too_large);
    assert!(world.sent().is_none(), "it is refused");
    println!(
        "one order, {STRATEGIES} strategies, {} orders open, every control set",
        world.kernel.orders().live()
    );
    let best = |world: &mut World, asked| {
        let runs = (0..5).map(|_| world.measure(asked).0);
        runs.fold(f64::INFINITY, f64::min)
    };
    let quote = best(&mut world, 0);
    let refused = best(&mut world, too_large) - quote;
    let sent = best(&mut world, own) - quote;
    println!("  a quote, nobody acts      {quote:>7.0} ns, the timer of the measurement in it");
    println!(
        "  an order that is refused  {refused:>7.0} ns more: all checks, and its strategy is told"
    );
    println!(
        "  an order that is sent     {sent:>7.0} ns more: all checks, booked, counted; target under 1,000"
    );
    count::start();
    let allocations: u64 = [0, too_large, own].iter().map(|asked| world.measure(*asked).1).sum();
    println!("  allocations of {} quotes: {allocations}", 3 * ROUNDS);
    let Some(open) = open else { return };
    println!("  events a second, as a share of those with a gate that lets everything through:");
    for ((every, with), without) in EVERY.into_iter().zip(streams()).zip(open) {
        let share = without / with;
        println!(
            "    an order to {every:>3} quotes     {share:.2}   {:>9.0} of {:>9.0}",
            1e9 / with,
            1e9 / without
        );
    }
}
