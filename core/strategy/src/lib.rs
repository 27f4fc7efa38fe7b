//! The `Strategy` trait, indicators, and the reference strategies.
//!
//! A strategy is told what happened and answers with [`Intents`]; it sees the engine through a
//! [`View`] and nothing else. It knows no venue protocol, no order in flight, no limit: the engine
//! turns wishes into orders, and the risk gate decides which of them leave.
//!
//! Begin at [`Strategy`]; [`buy_and_hold`] is the shortest example, [`Registry`] is how the engine
//! finds a strategy by name.

mod arbitrage;
mod bars;
pub mod buy_and_hold;
pub mod chaos;
mod convert;
mod ema_cross;
pub mod indicators;
mod intent;
mod market_making;
mod models;
mod params;
mod registry;
mod sizing;
mod view;

pub use bars::{BarBuilder, BarSpec, EmptyBars, PriceOf};
pub use convert::{FixedRate, Rates};
pub use intent::{
    Figure, Intent, Intents, Missed, Opportunity, OrderWish, Outcome, QuoteLevel, Reversal,
};
pub use params::{Param, ParamError, ParamKind, ParamValue, Params};
pub use registry::{Registry, Setup, StrategyKind};
pub use view::{Desk, LiveOrder, Market, View};

use tse_model::bytes::{Reader, Writer};
use tse_model::{Bar, Fill, InstrumentId, OrderEventKind, Quote, Side, Trade};

/// What a strategy wants to be told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Interest {
    /// Every change of best bid or ask in its instruments.
    pub quotes: bool,
    /// Every trade between others in its instruments.
    pub trades: bool,
    /// Every complete change of an aggregated book in its instruments.
    pub books: bool,
    /// Bars built by the engine.
    pub bars: Vec<BarSpec>,
    /// Calls that feed it before any of its intents count: the longest indicator's length.
    pub warm_up: u32,
}

/// Something happened to one of the strategy's own orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OrderUpdate {
    /// Our name for the order.
    pub id: tse_model::ClientOrderId,
    /// What it trades.
    pub instrument: InstrumentId,
    /// Which way.
    pub side: Side,
    /// The group it was sent in; zero for none.
    pub group: tse_model::GroupId,
    /// What happened.
    pub kind: UpdateKind,
}

/// What happened to an order, as its strategy is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UpdateKind {
    /// The venue said this.
    Venue(OrderEventKind),
    /// The risk gate refused it; it was never sent.
    Denied,
    /// The risk gate refused to change it; it stands as it was.
    ModifyDenied,
    /// It was sent, and its venue has proven that it never arrived.
    Absent,
}

/// A trading idea.
///
/// Every method may be left out. All run to completion on the engine's thread: what they want goes
/// into `wish`, what they know comes from `view`.
pub trait Strategy: Send {
    /// What it wants to be told. Asked once, at the start.
    fn interest(&self) -> Interest;

    /// Appends everything that it has learned, for a snapshot, and says that it did. One that cannot is
    /// never in a snapshot: after a crash the engine then learns it all again from the whole journal.
    fn save(&self, out: &mut Writer) -> bool {
        let _ = out;
        false
    }
    /// Becomes what was saved, from the beginning of `bytes`; `None` if that is not there.
    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        let _ = bytes;
        None
    }

    /// The run begins.
    fn on_start(&mut self, view: &View<'_>, wish: &mut Intents) {
        let _ = (view, wish);
    }
    /// A best bid or ask changed.
    fn on_quote(
        &mut self,
        instrument: InstrumentId,
        quote: &Quote,
        view: &View<'_>,
        wish: &mut Intents,
    ) {
        let _ = (instrument, quote, view, wish);
    }
    /// The book of a market cannot be believed any more: it is crossed, or messages of it were lost.
    /// What is quoted by it should go; `on_quote` comes once it is whole again.
    fn on_invalid(&mut self, instrument: InstrumentId, view: &View<'_>, wish: &mut Intents) {
        let _ = (instrument, view, wish);
    }
    /// Others traded.
    fn on_trade(
        &mut self,
        instrument: InstrumentId,
        trade: &Trade,
        view: &View<'_>,
        wish: &mut Intents,
    ) {
        let _ = (instrument, trade, view, wish);
    }
    /// An aggregated book changed; see [`View::market`].
    fn on_book(&mut self, instrument: InstrumentId, view: &View<'_>, wish: &mut Intents) {
        let _ = (instrument, view, wish);
    }
    /// A bar of the `series`-th [`BarSpec`] ended.
    fn on_bar(&mut self, series: usize, bar: &Bar, view: &View<'_>, wish: &mut Intents) {
        let _ = (series, bar, view, wish);
    }
    /// One of its orders traded.
    fn on_fill(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        fill: &Fill,
        view: &View<'_>,
        wish: &mut Intents,
    ) {
        let _ = (instrument, side, fill, view, wish);
    }
    /// Something happened to one of its orders. Fills come by [`on_fill`](Self::on_fill) first.
    fn on_order(&mut self, update: &OrderUpdate, view: &View<'_>, wish: &mut Intents) {
        let _ = (update, view, wish);
    }
    /// The time asked for with [`Intents::wake_in`] has come.
    fn on_timer(&mut self, view: &View<'_>, wish: &mut Intents) {
        let _ = (view, wish);
    }
    /// The run ends: the last chance to wish, for instance to be flat.
    fn on_stop(&mut self, view: &View<'_>, wish: &mut Intents) {
        let _ = (view, wish);
    }
}
