//! What changes while an engine trades, for whoever follows it: orders, executions, positions, alerts.
//!
//! The engine's thread copies each change into a ring of fixed size and never waits: what does not fit is dropped, and
//! its number is missing. Whoever reads sees the hole, and begins again from a picture, which says which change it
//! contains. The ring has one reader.

mod because;

use crate::picture::{Execution, Held, OpenOrder, held, order};
use crate::{Line, Names, say};
use because::Because;
use rtrb::{Consumer, Producer, RingBuffer};
use serde::Serialize;
use tse_kernel::{Alert, Command, Kernel, Level, Order, Output, Reach};
use tse_model::{
    ClientOrderId, Fill, InstrumentId, Liquidity, Money, PlaceOrder, Request, Side, StrategyId,
    Timestamp,
};
use tse_portfolio::Position;

/// How many changes fit.
const PLACES: usize = 16 << 10;

/// A change, as the engine's thread leaves it: nothing that has to be allocated.
#[derive(Clone, Copy, Debug)]
enum Change {
    Order(Order),
    Filled {
        id: ClientOrderId,
        strategy: StrategyId,
        instrument: InstrumentId,
        side: Side,
        fill: Fill,
        realized: Money,
    },
    Position(Position),
    Alert(u64, Alert),
}

#[derive(Clone, Copy, Debug)]
struct Numbered {
    number: u64,
    at: Timestamp,
    cause: Option<u64>,
    change: Change,
}

/// The end that the engine's thread writes to.
#[derive(Debug)]
pub(crate) struct FeedIn {
    ring: Producer<Numbered>,
    said: u64,
    /// Of which order a venue has just spoken: how it stands is known after that.
    spoken: Option<ClientOrderId>,
    because: Because,
}

/// The end that is read.
#[derive(Debug)]
pub struct Feed {
    ring: Consumer<Numbered>,
    names: Names,
}

/// A change, for people and programs.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct News {
    /// Its number, one more than that of the one before. A hole means that something is missing.
    pub number: u64,
    /// When, by the engine's clock.
    pub at: String,
    /// The number of the demand that it was done for at once, or of the one that a position is closed for.
    #[serde(skip)]
    pub cause: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What a change is.
#[derive(Clone, PartialEq, Debug, Serialize)]
#[serde(tag = "topic", content = "data", rename_all = "snake_case")]
pub enum What {
    /// An order as it stands now.
    Orders(OpenOrder),
    /// An execution.
    Fills(Execution),
    /// A position as it is now.
    Positions {
        /// Whose.
        strategy: String,
        /// It.
        #[serde(flatten)]
        held: Held,
    },
    /// Something that should be seen.
    Alerts(Line),
}

/// How far something is cut back by itself; `None` where there is no such thing.
fn level(reach: Reach, kernel: &Kernel) -> Option<Level> {
    kernel.state().switch().latch(reach).map(|latch| latch.level)
}

/// A feed of what an engine of these names does, from nothing.
pub(crate) fn feed(names: Names) -> (FeedIn, Feed) {
    let (producer, consumer) = RingBuffer::new(PLACES);
    let because = Because::default();
    (FeedIn { ring: producer, said: 0, spoken: None, because }, Feed { ring: consumer, names })
}

impl FeedIn {
    /// The number of the last change.
    pub(crate) fn said(&self) -> u64 {
        self.said
    }

    /// What follows is done for a demand with this number, that is this command.
    pub(crate) fn begin(&mut self, cause: Option<u64>, command: &Command, kernel: &Kernel) {
        let reach = match command {
            Command::Kill(kill) => Some(kill.reach),
            Command::Resume(resume) => Some(resume.reach),
            _ => None,
        };
        self.because.begin(cause, reach.and_then(|it| level(it, kernel).map(|level| (it, level))));
    }

    /// It is done, or refused.
    pub(crate) fn end(&mut self, kernel: &Kernel) {
        let now = self.because.about().and_then(|reach| level(reach, kernel));
        self.because.end(now);
    }

    fn say(&mut self, at: Timestamp, change: Change) {
        self.said += 1;
        let cause = self.because.now();
        // Nobody reads, or not fast enough: the reader sees that the number is missing.
        let _ = self.ring.push(Numbered { number: self.said, at, cause, change });
    }

    fn order(&mut self, now: Timestamp, id: ClientOrderId, kernel: &Kernel) {
        if let Some(order) = kernel.order(id) {
            self.say(now, Change::Order(*order));
        }
    }

    /// A venue is about to speak of an order.
    pub(crate) fn hear(&mut self, now: Timestamp, id: ClientOrderId, kernel: &Kernel) {
        self.settle(now, kernel);
        self.spoken = Some(id);
    }

    /// What was said last has been taken in.
    pub(crate) fn settle(&mut self, now: Timestamp, kernel: &Kernel) {
        if let Some(id) = self.spoken.take() {
            self.order(now, id, kernel);
        }
    }

    /// An order is about to be told of: where positions are closed, no other orders are made.
    fn piece(&mut self, place: &PlaceOrder, kernel: &Kernel) {
        let (strategy, instrument) = (place.strategy, place.instrument);
        if !self.because.closes() || kernel.level(strategy, instrument) != Level::Flatten {
            return;
        }
        let venue = kernel.catalog().instrument(instrument).venue;
        self.because.piece(|reach| match reach {
            Reach::Firm => true,
            Reach::Account(at) => at == venue,
            Reach::Instrument(id) => id == instrument,
            Reach::Strategy(id) => id == strategy,
        });
    }

    /// The engine asked for something or told something.
    pub(crate) fn take(&mut self, now: Timestamp, output: &Output, number: u64, kernel: &Kernel) {
        match output {
            Output::Send(_, Request::Place(place)) => {
                self.piece(place, kernel);
                self.order(now, place.id, kernel);
                self.because.told();
            }
            Output::Send(_, request) => self.order(now, request.id(), kernel),
            Output::Ended(id) => self.order(now, *id, kernel),
            Output::Filled { id, strategy, instrument, side, fill, realized } => {
                self.say(
                    now,
                    Change::Filled {
                        id: *id,
                        strategy: *strategy,
                        instrument: *instrument,
                        side: *side,
                        fill: *fill,
                        realized: *realized,
                    },
                );
                if let Some(position) = kernel.portfolio().position(*strategy, *instrument) {
                    self.say(now, Change::Position(*position));
                }
            }
            Output::Alert(alert) => self.say(now, Change::Alert(number, *alert)),
            _ => {}
        }
    }
}

impl Feed {
    /// Forgets what is there: nobody follows. Their numbers will be missing; the last of them is given back.
    pub fn skip(&mut self) -> Option<u64> {
        let mut last = None;
        while let Ok(it) = self.ring.pop() {
            last = Some(it.number);
        }
        last
    }

    /// The next change, if there is one.
    pub fn take(&mut self) -> Option<News> {
        let Numbered { number, at, cause, change } = self.ring.pop().ok()?;
        let names = &self.names;
        let at = at.to_string();
        let what = match change {
            Change::Order(it) => What::Orders(order(&it, names)),
            Change::Position(it) => What::Positions {
                strategy: names.strategy(it.strategy()).to_owned(),
                held: held(&it, None, names),
            },
            Change::Alert(number, it) => {
                let (kind, about) = say::alert(&it, names);
                What::Alerts(Line { number, at: at.clone(), kind: kind.to_owned(), about })
            }
            Change::Filled { id, strategy, instrument, side, fill, realized } => {
                let it = names.catalog.instrument(instrument);
                What::Fills(Execution {
                    exec_id: fill.exec.0.to_string(),
                    order_id: id.to_string(),
                    strategy: names.strategy(strategy).to_owned(),
                    symbol: it.symbol.to_string(),
                    side: if side == Side::Buy { "buy" } else { "sell" }.to_owned(),
                    price: it.price_decimal(fill.price).to_string(),
                    size: it.qty_decimal(fill.qty).to_string(),
                    liquidity: match fill.liquidity {
                        Liquidity::Maker => "maker",
                        Liquidity::Taker => "taker",
                    }
                    .to_owned(),
                    fee: names.catalog.show(fill.fee, fill.fee_currency),
                    fee_currency: names.catalog.currency(fill.fee_currency).code.clone(),
                    realized: names.catalog.show(realized, it.settle),
                    at: at.clone(),
                })
            }
        };
        Some(News { number, at, cause, what })
    }
}
