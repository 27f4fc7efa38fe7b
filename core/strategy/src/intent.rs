//! What a strategy wants: intents, which the engine turns into reviewed orders.
//!
//! A strategy states a wish (hold this position, show these quotes, trade these legs together) and
//! never touches an order in flight; how a wish becomes orders, and whether it may, is the engine's
//! affair. Intents are written into a buffer that the engine reuses, so nothing is allocated.

use tse_model::{
    ClientOrderId, InstrumentId, OrderType, Price, Qty, Side, Span, TimeInForce, Timestamp,
};

/// How a change of target is traded when it crosses zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Reversal {
    /// One order for the difference.
    #[default]
    Single,
    /// One order that closes, then one that opens.
    CloseThenEnter,
}

/// One order, as a strategy asks for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderWish {
    /// What to trade.
    pub instrument: InstrumentId,
    /// Which way.
    pub side: Side,
    /// How much, above zero.
    pub qty: Qty,
    /// When and at what price.
    pub order_type: OrderType,
    /// How long.
    pub time_in_force: TimeInForce,
    /// How much of it shows.
    pub display: Option<Qty>,
    /// Refuse rather than take.
    pub post_only: bool,
    /// Never open or enlarge a position.
    pub reduce_only: bool,
}

impl OrderWish {
    /// A market order.
    pub const fn market(instrument: InstrumentId, side: Side, qty: Qty) -> Self {
        Self {
            instrument,
            side,
            qty,
            order_type: OrderType::Market,
            time_in_force: TimeInForce::Ioc,
            display: None,
            post_only: false,
            reduce_only: false,
        }
    }

    /// A limit order that stands until cancelled.
    pub const fn limit(instrument: InstrumentId, side: Side, qty: Qty, price: Price) -> Self {
        Self {
            order_type: OrderType::Limit(price),
            time_in_force: TimeInForce::Gtc,
            ..Self::market(instrument, side, qty)
        }
    }

    /// A limit order that trades at once or not at all.
    pub const fn ioc(instrument: InstrumentId, side: Side, qty: Qty, price: Price) -> Self {
        Self { time_in_force: TimeInForce::Ioc, ..Self::limit(instrument, side, qty, price) }
    }
}

/// A price and size to show.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QuoteLevel {
    /// Bid or ask.
    pub side: Side,
    /// Where.
    pub price: Price,
    /// How much.
    pub qty: Qty,
}

/// Why an opportunity that was seen was not taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Missed {
    /// Fees are larger than the spread.
    Fees,
    /// One of the prices is too old.
    Stale,
    /// The position limit leaves no room.
    Position,
    /// Not enough balance on one side.
    Balance,
    /// What is on offer is smaller than the smallest order.
    Size,
    /// Legs of an earlier opportunity are still out.
    InFlight,
    /// The risk gate refused a leg.
    Refused,
    /// The legs were sent and found nothing left.
    Unfilled,
}

tse_model::recorded_words! {
    Missed {
        1 => Fees,
        2 => Stale,
        3 => Position,
        4 => Balance,
        5 => Size,
        6 => InFlight,
        7 => Refused,
        8 => Unfilled,
    }
}

impl Missed {
    /// All of them, in a fixed order.
    pub const ALL: [Self; 8] = [
        Self::Fees,
        Self::Stale,
        Self::Position,
        Self::Balance,
        Self::Size,
        Self::InFlight,
        Self::Refused,
        Self::Unfilled,
    ];

    /// A stable name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fees => "fees",
            Self::Stale => "stale",
            Self::Position => "position",
            Self::Balance => "balance",
            Self::Size => "size",
            Self::InFlight => "in_flight",
            Self::Refused => "refused",
            Self::Unfilled => "unfilled",
        }
    }
}

/// What became of an opportunity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It has just been seen.
    Detected,
    /// At least one unit was traded on it.
    Taken,
    /// It passed unused.
    Missed(Missed),
}

/// A price difference between two instruments that was worth looking at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opportunity {
    /// Where it was cheap.
    pub buy: InstrumentId,
    /// Where it was dear.
    pub sell: InstrumentId,
    /// When it was first seen.
    pub since: Timestamp,
    /// The best executable spread before fees, in billionths of the cheap price.
    pub gross: i64,
    /// The same after both fees.
    pub net: i64,
    /// What became of it.
    pub outcome: Outcome,
}

/// A wish, as the engine reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Intent {
    /// Place one order.
    Order(OrderWish),
    /// Take one order back.
    Cancel(ClientOrderId),
    /// Change an open order.
    Modify {
        /// Which.
        id: ClientOrderId,
        /// The new total quantity, filled part included; no more than is filled takes the rest back.
        qty: Qty,
        /// The new limit price; `None` for the one it has. Orders without a limit keep what they are.
        price: Option<Price>,
    },
    /// Take all orders in an instrument back.
    CancelAll(InstrumentId),
    /// Hold this position: the engine trades the difference at market.
    Target {
        /// In what.
        instrument: InstrumentId,
        /// The signed position wanted.
        position: Qty,
        /// How a reversal is traded.
        reversal: Reversal,
    },
    /// Show exactly these quotes: the engine cancels what is off and places what is missing.
    Quote {
        /// In what.
        instrument: InstrumentId,
        /// Where the levels stand in [`Intents::levels`].
        from: u32,
        /// How many levels there are.
        count: u16,
        /// A live order this close (in ticks) to a wanted price and of the wanted size stays.
        tolerance: i64,
    },
    /// Trade these legs together. Each is one order; the engine counts what was done as one group.
    Group {
        /// Where the legs stand in [`Intents::legs`].
        from: u32,
        /// How many legs there are.
        count: u16,
    },
    /// Call [`on_timer`](crate::Strategy::on_timer) once this much time has passed.
    Wake(Span),
    /// Say what was seen, for reports and people.
    Saw(Opportunity),
}

/// A figure that a strategy acts on, for people who ask why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Figure {
    /// A price of an instrument, in half ticks.
    HalfTicks(InstrumentId, i64),
    /// A quantity of an instrument.
    Lots(InstrumentId, Qty),
    /// A share, in billionths.
    Share(i64),
}

/// The buffer a strategy writes its intents into.
#[derive(Debug, Default)]
pub struct Intents {
    list: Vec<Intent>,
    levels: Vec<QuoteLevel>,
    legs: Vec<OrderWish>,
    /// Kept only where somebody asks.
    figures: Option<Vec<(&'static str, Figure)>>,
}

impl Intents {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Say what is acted on: shown to whoever asks why an order was made. Where nobody asks, it is not
    /// even computed.
    #[inline]
    pub fn because<const N: usize>(
        &mut self,
        figures: impl FnOnce() -> [(&'static str, Figure); N],
    ) {
        if let Some(kept) = &mut self.figures {
            kept.extend(figures());
        }
    }

    /// From now on keeps what is acted on.
    pub fn keep_figures(&mut self) {
        self.figures.get_or_insert_default();
    }

    /// What was acted on, where it is kept.
    pub fn figures(&self) -> &[(&'static str, Figure)] {
        self.figures.as_deref().unwrap_or(&[])
    }

    /// Place one order.
    pub fn order(&mut self, wish: OrderWish) {
        self.list.push(Intent::Order(wish));
    }

    /// Take one order back.
    pub fn cancel(&mut self, id: ClientOrderId) {
        self.list.push(Intent::Cancel(id));
    }

    /// Change an order to another total quantity (filled part included) and, if one is given, another
    /// limit price. Only a smaller quantity at the same price keeps its place in the queue. While one
    /// change is on its way, another is dropped.
    pub fn modify(&mut self, id: ClientOrderId, qty: Qty, price: Option<Price>) {
        self.list.push(Intent::Modify { id, qty, price });
    }

    /// Take all orders in `instrument` back.
    pub fn cancel_all(&mut self, instrument: InstrumentId) {
        self.list.push(Intent::CancelAll(instrument));
    }

    /// Hold `position` lots; trade the difference with one market order.
    pub fn target(&mut self, instrument: InstrumentId, position: Qty) {
        self.target_by(instrument, position, Reversal::Single);
    }

    /// Hold `position` lots; trade a reversal as told.
    pub fn target_by(&mut self, instrument: InstrumentId, position: Qty, reversal: Reversal) {
        self.list.push(Intent::Target { instrument, position, reversal });
    }

    /// Show exactly these post-only quotes in `instrument`; an empty list shows none.
    pub fn quote(&mut self, instrument: InstrumentId, levels: &[QuoteLevel], tolerance: i64) {
        let from = self.levels.len() as u32;
        self.levels.extend_from_slice(levels);
        self.list.push(Intent::Quote { instrument, from, count: levels.len() as u16, tolerance });
    }

    /// Trade these legs together.
    pub fn group(&mut self, legs: &[OrderWish]) {
        let from = self.legs.len() as u32;
        self.legs.extend_from_slice(legs);
        self.list.push(Intent::Group { from, count: legs.len() as u16 });
    }

    /// Be called again once `span` has passed.
    pub fn wake_in(&mut self, span: Span) {
        self.list.push(Intent::Wake(span));
    }

    /// Say what was seen.
    pub fn saw(&mut self, opportunity: Opportunity) {
        self.list.push(Intent::Saw(opportunity));
    }

    /// The intents, in the order they were written.
    pub fn list(&self) -> &[Intent] {
        &self.list
    }

    /// The levels of an [`Intent::Quote`].
    pub fn levels(&self, from: u32, count: u16) -> &[QuoteLevel] {
        &self.levels[from as usize..][..usize::from(count)]
    }

    /// The legs of an [`Intent::Group`].
    pub fn legs(&self, from: u32, count: u16) -> &[OrderWish] {
        &self.legs[from as usize..][..usize::from(count)]
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Forgets everything and keeps the room.
    pub fn clear(&mut self) {
        self.list.clear();
        self.levels.clear();
        self.legs.clear();
        if let Some(figures) = &mut self.figures {
            figures.clear();
        }
    }
}
