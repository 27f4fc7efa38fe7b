//! An order that left memory long ago is found in the journal when a late fill names it.

use tse_engine::{Engine, MemoryLease};
use tse_journal::{Memory, Options};
use tse_kernel::{Alert, Command, ENDED_KEPT, Input, Output};
use tse_model::{
    CancelReason, ClientOrderId, CurrencyId, ExecId, Fill, InstrumentId, Line, Liquidity,
    MarketData, MarketEvent, Money, OrderEvent, OrderEventKind, PlaceOrder, Price, Qty, Quote,
    Request, Span, Statement, Timestamp, VenueId, VenueOrderId,
};
use tse_risk::Who;
use tse_sim::trial::{START, catalog, deposits, kernel};

type Live = Engine<Memory, MemoryLease>;

const SEED: u64 = 3;

/// A venue that takes every order and cancels it at once.
struct World {
    engine: Live,
    now: Timestamp,
    placed: Vec<PlaceOrder>,
    filled: Vec<(ClientOrderId, tse_model::StrategyId)>,
    unknown: usize,
}

impl World {
    fn give(&mut self, input: Input) {
        let mut out = Vec::new();
        self.engine.take(self.now, input, &mut out).expect("memory does not fail");
        let mut next = Vec::new();
        for output in out {
            match output {
                Output::Send(_, Request::Place(place)) => {
                    self.placed.push(place);
                    let venue_id = VenueOrderId(self.placed.len() as u64);
                    next.push((place.id, place.instrument, OrderEventKind::Accepted(venue_id)));
                    let gone =
                        OrderEventKind::Cancelled { reason: CancelReason::Requested, filled: None };
                    next.push((place.id, place.instrument, gone));
                }
                Output::Inquire(venue, inquiry) => self.answer(venue, inquiry.number),
                Output::Filled { id, strategy, .. } => self.filled.push((id, strategy)),
                Output::Alert(Alert::UnknownOrder(_)) => self.unknown += 1,
                _ => {}
            }
        }
        for (id, instrument, kind) in next {
            self.say(id, instrument, kind);
        }
    }

    fn say(&mut self, id: ClientOrderId, instrument: InstrumentId, kind: OrderEventKind) {
        self.give(Input::Order(OrderEvent { id, instrument, ts_event: self.now, kind }));
    }

    fn answer(&mut self, venue: VenueId, number: u32) {
        let mut lines = vec![Line::Begin { as_of: self.now }];
        for (currency, amount) in deposits(&catalog()) {
            lines.push(Line::Balance { currency, amount });
        }
        lines.push(Line::End);
        for line in lines {
            self.give(Input::Statement(venue, Statement { number, line }));
        }
    }

    fn quote(&mut self, step: i64) {
        self.now = self.now + Span::from_millis(50);
        for at in 0..3 {
            let mid = 500_000 + step % 17;
            let (bid, ask) = (Price::new(mid - 2), Price::new(mid + 2));
            let data =
                MarketData::Quote(Quote { bid, bid_qty: Qty::new(9), ask, ask_qty: Qty::new(9) });
            let instrument = InstrumentId(at);
            let event = MarketEvent { ts_event: self.now, ts_recv: self.now, instrument, data };
            self.give(Input::Market(event));
        }
    }
}

#[test]
fn a_late_fill_of_an_order_that_left_memory_is_booked_to_its_strategy() {
    let mut out = Vec::new();
    let options = Options { segment_bytes: 64 << 10, ..Options::default() };
    let lease = MemoryLease::default();
    let names = catalog();
    let fresh = kernel(SEED, &names);
    let begun = Engine::begin(fresh, "3", Memory::new(), options, lease.clone(), START, &mut out);
    let engine = begun.expect("it begins").0;
    let mut world =
        World { engine, now: START, placed: Vec::new(), filled: Vec::new(), unknown: 0 };
    world.give(Input::Command(Command::Start));
    for at in 0..2 {
        world.give(Input::Link { venue: VenueId(at), up: true });
    }
    world.give(Input::Command(Command::Arm(Who::cut("the test"))));
    let mut step = 0;
    while world.placed.len() < 3 * ENDED_KEPT {
        world.quote(step);
        step += 1;
        assert!(step < 2_000_000, "only {} orders", world.placed.len());
    }
    assert_eq!(world.unknown, 0);
    // Of both strategies, on both sides of the marks that the index keeps.
    let lates = [0, 1, 700, 1_500].into_iter().chain((3..2_000).step_by(89));
    for (number, late) in lates.enumerate() {
        let place = world.placed[late];
        assert!(world.engine.kernel().order(place.id).is_none(), "{} is still known", place.id);
        let before = world.engine.kernel().portfolio().qty(place.strategy, place.instrument);
        let fill = Fill {
            exec: ExecId(1_000 + number as u64),
            price: Price::new(500_000),
            qty: Qty::new(1),
            liquidity: Liquidity::Maker,
            fee: Money::ZERO,
            fee_currency: CurrencyId(0),
        };
        for _ in 0..2 {
            world.say(place.id, place.instrument, OrderEventKind::Filled(fill)); // and once again
        }
        assert_eq!(
            world.filled.pop(),
            Some((place.id, place.strategy)),
            "booked, to whom it belongs"
        );
        assert_eq!(world.filled.pop(), None, "once");
        let after = world.engine.kernel().portfolio().qty(place.strategy, place.instrument);
        assert_eq!(after - before, Qty::new(1).signed(place.side));
    }
    // What the journal answered is an input: a recovery comes to the same.
    let state = world.engine.kernel().state_hash();
    world.engine.commit().expect("memory does not fail");
    let disk = world.engine.into_disk();
    let build = |_: &str| Ok(kernel(SEED, &names));
    let mut out = Vec::new();
    let again = Engine::recover(build, disk, options, lease, world.now, &mut out, |_, _| ());
    assert_eq!(again.expect("it goes on").1.state, state);
}
