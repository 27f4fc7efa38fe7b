//! Faults that happen now and then of themselves.

use super::{Crash, Event, Trial};
use crate::trial::faults::Fault;
use crate::trial::marks::Mark;
use tse_kernel::{Input, Output};
use tse_model::{
    ClientOrderId, CurrencyId, Environment, GroupId, InstrumentId, MarketData, MarketEvent, Money,
    OrderType, PlaceOrder, Price, Qty, Request, Rules, Settlement, Side, Span, StrategyId,
    TimeInForce, TradingStatus, VenueId,
};

impl Trial {
    pub(super) fn any_venue(&mut self) -> usize {
        self.chance.below(self.links.len() as u64) as usize
    }

    pub(super) fn strike(&mut self, fault: Fault) {
        let venue = self.any_venue();
        match fault {
            Fault::Disconnect if self.links[venue].up => {
                self.cut(venue);
                self.tell(Input::Link { venue: VenueId(venue as u16), up: false });
                let at = self.now + self.ms(200, 5_000);
                self.push(at, Event::Connect(venue));
            }
            Fault::Crash if self.engine.is_some() => {
                let all =
                    [Crash::BeforeRecord, Crash::BeforeSend, Crash::WhileSending, Crash::InCommit];
                self.crash = Some(all[self.chance.below(4) as usize]);
            }
            Fault::Takeover => self.take_over(),
            Fault::Ban => {
                self.marks.hit(Mark::Banned);
                self.links[venue].banned = true;
                let at = self.now + self.ms(500, 6_000);
                self.push(at, Event::Over(fault, venue));
            }
            Fault::Maintenance => {
                self.marks.hit(Mark::Halted);
                self.set_status(venue, TradingStatus::Halted);
                let at = self.now + self.ms(500, 6_000);
                self.push(at, Event::Over(fault, venue));
            }
            Fault::Foreign => self.foreign_order(venue),
            Fault::Forced => {
                self.meddled = true;
                let at = self.chance.below(self.catalog.instruments().len() as u64);
                let instrument = InstrumentId(at as u32);
                let contract = self.catalog.instrument(instrument).settlement;
                if contract == Settlement::Difference {
                    let venue = self.venue_of(instrument);
                    let most = Qty::new(self.chance.between(1, 4));
                    let mut out = Vec::new();
                    self.exchanges[venue].force(self.now, instrument, most, &mut out);
                    self.words(venue, &out);
                }
            }
            Fault::RulesChange => self.change_rules(),
            Fault::Pull => self.pull(),
            Fault::DiskFull => {
                self.breaker.set_full(true);
                let at = self.now + self.ms(2_000, 20_000);
                self.push(at, Event::Over(fault, venue));
            }
            Fault::SlowDisk => {
                self.slow.commit_takes = self.ms(20, 900);
                let at = self.now + self.ms(500, 4_000);
                self.push(at, Event::Over(fault, venue));
            }
            Fault::ClockJump => {
                let skew = self.ms(-2_000, 2_000);
                if skew < self.skew {
                    self.marks.hit(Mark::ClockBack);
                }
                self.skew = skew;
            }
            Fault::Unexplained => {
                self.meddled = true;
                let amount = Money::from_units(i128::from(self.chance.between(1, 1_000_000)));
                let mut silent = Vec::new();
                self.exchanges[venue].transfer(self.now, CurrencyId(0), amount, &mut silent);
            }
            _ => {}
        }
    }

    pub(super) fn relieve(&mut self, fault: Fault, venue: usize) {
        match fault {
            Fault::Ban => self.links[venue].banned = false,
            Fault::SlowDisk => self.slow.commit_takes = Span::ZERO,
            Fault::DiskFull => self.breaker.set_full(false),
            Fault::Maintenance => self.set_status(venue, TradingStatus::Open),
            _ => {}
        }
    }

    /// A venue takes something else from now on, and says so.
    fn change_rules(&mut self) {
        let at = self.chance.below(self.rules.len() as u64);
        let instrument = InstrumentId(at as u32);
        let now = self.catalog.instrument(instrument).rules();
        let rules = Rules {
            price_step: self.chance.between(1, 3),
            qty_step: self.chance.between(1, 2),
            qty_min: Qty::new(self.chance.between(1, 2)),
            listed: !self.chance.one_in(1, 8),
            ..now
        };
        self.marks.hit(Mark::RulesChanged);
        self.set_rules(instrument, rules);
    }

    pub(super) fn set_rules(&mut self, instrument: InstrumentId, rules: Rules) {
        self.rules[instrument.index()] = rules;
        let venue = self.venue_of(instrument);
        let set = self.exchanges[venue].venue.set_rules(instrument, &rules);
        self.hold(set.map_err(|bad| bad.to_string()));
        self.send_rules(instrument);
    }

    pub(super) fn send_rules(&mut self, instrument: InstrumentId) {
        let venue = self.venue_of(instrument);
        if self.links[venue].up {
            let (line, rules) = (self.links[venue].line, self.rules[instrument.index()]);
            let at = self.now + Span::from_millis(3);
            self.push(at, Event::Rules { venue, line, instrument, rules });
        }
    }

    /// I13: what is sent is on the grid that the engine was told of.
    pub(super) fn check_rules(&mut self, out: &[Output]) {
        for output in out {
            let Output::Send(_, request) = output else { continue };
            let (prices, qty) = match request {
                Request::Place(place) => (
                    match place.order_type {
                        OrderType::Market => [None, None],
                        OrderType::Limit(price)
                        | OrderType::Stop(price)
                        | OrderType::TrailingStop(price) => [Some(price), None],
                        OrderType::StopLimit { trigger, limit } => [Some(trigger), Some(limit)],
                    },
                    place.qty,
                ),
                Request::Modify(modify) => ([modify.price, None], modify.qty),
                Request::Cancel(_) => continue,
            };
            let rules = self.told_rules[request.instrument().index()];
            let on_grid = prices.iter().flatten().all(|price| price.get() % rules.price_step == 0)
                && qty.get() % rules.qty_step == 0
                && qty >= rules.qty_min;
            if !(on_grid && rules.listed) {
                return self
                    .fail(format!("I13: {request:?} is not what the venue takes: {rules:?}"));
            }
        }
    }

    pub(super) fn set_status(&mut self, venue: usize, status: TradingStatus) {
        let here = self.catalog.instruments().iter().filter(|it| it.venue.index() == venue);
        let here: Vec<InstrumentId> = here.map(|it| it.id).collect();
        for instrument in here {
            let data = MarketData::Status(status);
            self.market(&MarketEvent { ts_event: self.now, ts_recv: self.now, instrument, data });
        }
    }

    /// Somebody else places an order on the account, by hand.
    pub(super) fn foreign_order(&mut self, venue: usize) {
        self.meddled = true;
        let here = self.catalog.instruments().iter().filter(|it| it.venue.index() == venue);
        let here: Vec<InstrumentId> = here.map(|it| it.id).collect();
        let instrument = here[self.chance.below(here.len() as u64) as usize];
        let Some([bid, ask]) = self.exchanges[venue].best_shown(instrument) else { return };
        let side = if self.chance.one_in(1, 2) { Side::Buy } else { Side::Sell };
        let near = if side == Side::Buy { ask.0 } else { bid.0 };
        let price = Price::new(near.get() + self.chance.between(-15, 15));
        self.foreign += 1;
        let place = PlaceOrder {
            id: ClientOrderId::new(Environment::Foreign, 0, StrategyId::EXTERNAL, self.foreign),
            instrument,
            strategy: StrategyId::EXTERNAL,
            group: GroupId(0),
            side,
            order_type: OrderType::Limit(price),
            time_in_force: TimeInForce::Gtc,
            qty: Qty::new(self.chance.between(1, 4)),
            display: None,
            post_only: false,
            reduce_only: false,
        };
        let mut out = Vec::new();
        self.exchanges[venue].ask(self.now, &Request::Place(place), &mut out);
        self.words(venue, &out);
    }

    /// Another engine takes the place of this one, which only slept.
    pub(super) fn take_over(&mut self) {
        let Some(engine) = self.engine.take() else { return };
        self.slow.forget();
        self.crash = None;
        let disk = engine.journal().disk().clone();
        self.breaker.set(None);
        self.zombie = Some((engine, self.now + Span::from_secs(10)));
        self.disk = Some(disk);
        for venue in 0..self.links.len() {
            self.cut(venue);
        }
        self.restart();
    }
}
