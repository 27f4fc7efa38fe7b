//! What a market shows: quotes, trades, depth, single orders, bars, funding. All `Copy`.

use crate::{InstrumentId, Price, Qty, Rate, Side, Span, Timestamp};

/// Best bid and ask. A side with quantity zero has no quote.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Quote {
    /// Highest bid.
    pub bid: Price,
    /// How much is bid there.
    pub bid_qty: Qty,
    /// Lowest ask.
    pub ask: Price,
    /// How much is asked there.
    pub ask_qty: Qty,
}

impl Quote {
    /// Price and quantity of one side; `None` when there is no quote.
    pub fn side(&self, side: Side) -> Option<(Price, Qty)> {
        let (price, qty) = match side {
            Side::Buy => (self.bid, self.bid_qty),
            Side::Sell => (self.ask, self.ask_qty),
        };
        qty.is_positive().then_some((price, qty))
    }

    /// Bid plus ask in ticks: twice the mid price, exact. `None` unless both sides are quoted.
    pub fn twice_mid(&self) -> Option<i64> {
        (self.bid_qty.is_positive() && self.ask_qty.is_positive())
            .then(|| self.bid.get().checked_add(self.ask.get()))
            .flatten()
    }

    /// Whether both sides are quoted and the bid is above the ask.
    pub fn is_crossed(&self) -> bool {
        self.bid_qty.is_positive() && self.ask_qty.is_positive() && self.bid > self.ask
    }
}

/// A trade between others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trade {
    /// At what price.
    pub price: Price,
    /// How much.
    pub qty: Qty,
    /// Who came in and took, if the source says.
    pub aggressor: Option<Side>,
    /// The venue's number for it, zero if unknown.
    pub id: u64,
}

/// A step of an aggregated (L2) book. The steps of one message end with `last`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Depth {
    /// What changes.
    pub change: DepthChange,
    /// Whether the message is complete and the book may be looked at.
    pub last: bool,
}

/// What a step of an aggregated book changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DepthChange {
    /// The whole quantity now standing at a price; zero for none.
    Set {
        /// Bids or asks.
        side: Side,
        /// Which level.
        price: Price,
        /// The new quantity.
        qty: Qty,
    },
    /// Everything known is void; a snapshot follows.
    Clear,
    /// The source lost messages: the book is wrong until the next `Clear` and snapshot.
    Gap,
}

/// What happened to one order of an L3 book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BookAction {
    /// It joined the back of its queue.
    Add,
    /// This much of it was taken back.
    Cancel,
    /// It now has this price and quantity.
    Modify,
    /// All orders are void.
    Clear,
    /// An incoming order traded this much (its price and side; the resting orders follow as fills).
    Trade,
    /// This much of a resting order was traded. The book change follows as its own record.
    Fill,
}

/// One record of an order-by-order (L3) book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BookOrder {
    /// What happened.
    pub action: BookAction,
    /// Side of the order; `None` where the source has none.
    pub side: Option<Side>,
    /// The venue's name for the order.
    pub order: u64,
    /// Its price.
    pub price: Price,
    /// How much.
    pub qty: Qty,
    /// Whether the venue's event is complete and the book may be looked at.
    pub last: bool,
}

/// Open, high, low and close of a stretch of time that ends at the event's `ts_event`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bar {
    /// First price.
    pub open: Price,
    /// Highest price.
    pub high: Price,
    /// Lowest price.
    pub low: Price,
    /// Last price.
    pub close: Price,
    /// Traded quantity, zero where unknown.
    pub volume: Qty,
    /// How long it is.
    pub span: Span,
}

impl Bar {
    /// Whether all four prices are one: no sign of a market.
    pub fn is_single_price(&self) -> bool {
        self.open == self.high && self.high == self.low && self.low == self.close
    }
}

/// Whether a market takes and matches orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TradingStatus {
    /// Matching.
    Open,
    /// Takes cancels only.
    Halted,
    /// Takes nothing.
    Closed,
}

/// What a market event says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarketData {
    /// Best bid and ask changed.
    Quote(Quote),
    /// Others traded.
    Trade(Trade),
    /// The aggregated book changed.
    Depth(Depth),
    /// The order book changed by one order.
    Order(BookOrder),
    /// A stretch of time ended.
    Bar(Bar),
    /// Longs pay shorts this share of value now.
    Funding(Rate),
    /// The venue's mark price: what margin is computed with.
    Mark(Price),
    /// The market opened, halted or closed.
    Status(TradingStatus),
}

/// Something that happened in a market.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarketEvent {
    /// When it happened, by the venue's clock.
    pub ts_event: Timestamp,
    /// When it was received, by the recorder's clock; equal to `ts_event` where nobody recorded it.
    pub ts_recv: Timestamp,
    /// Where.
    pub instrument: InstrumentId,
    /// What.
    pub data: MarketData,
}

/// Where market events come from, in order of `ts_event`: a file, a generator, a test.
pub trait Source {
    /// Appends the next events to `batch`, a few thousand at most. Adds none at the end.
    ///
    /// # Errors
    /// A [`SourceFault`] when the rest cannot be had; the source is then at its end.
    fn read(&mut self, batch: &mut Vec<MarketEvent>) -> Result<(), SourceFault>;

    /// How much of the source has been read, in `[0, 1_000_000]` millionths, if it can tell.
    fn progress(&self) -> Option<u32> {
        None
    }
}

/// Why a source ended before its end: a finding with a code, said as people should read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceFault {
    /// The code to explain, such as `TSE-D004`.
    pub code: &'static str,
    /// What is wrong.
    pub what: String,
    /// File, and line or row.
    pub place: String,
    /// Why that is so, if more can be said.
    pub why: Option<String>,
    /// What to do about it.
    pub fix: String,
}

/// Events already in memory are a source too.
#[derive(Clone, Debug)]
pub struct Events {
    events: Vec<MarketEvent>,
    at: usize,
}

impl Events {
    /// A source of these events, which must be in order of `ts_event`.
    pub fn new(events: Vec<MarketEvent>) -> Self {
        Self { events, at: 0 }
    }
}

impl Source for Events {
    fn read(&mut self, batch: &mut Vec<MarketEvent>) -> Result<(), SourceFault> {
        let end = self.events.len().min(self.at + 1_024);
        batch.extend_from_slice(&self.events[self.at..end]);
        self.at = end;
        Ok(())
    }
}
