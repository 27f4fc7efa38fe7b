//! What a strategy sees when it is asked: the market, its own position and orders, its money.
//!
//! A [`View`] is read-only and lasts for one call. It shows what the engine knows, not what is true
//! at the venue: between the two lies the latency that the engine lives with too.

use tse_model::{
    Catalog, ClientOrderId, CurrencyId, Instrument, InstrumentId, Ladder, Money, Price, Qty, Quote,
    Side, Span, StrategyId, Timestamp, Trade, VenueId,
};

/// What is known of one market.
#[derive(Clone, Debug, Default)]
pub struct Market {
    /// Best bid and ask; a side with quantity zero is not quoted.
    pub quote: Quote,
    /// When the quote or the book last changed, by the engine's clock; `None` before the first.
    pub updated: Option<Timestamp>,
    /// The venue's time of that change.
    pub as_of: Timestamp,
    /// The last trade seen.
    pub trade: Option<Trade>,
    /// The venue's mark price, where it sends one.
    pub mark: Option<Price>,
    /// The aggregated book, where depth is fed; empty where only quotes are.
    pub book: Ladder,
    /// Whether quotes may be believed: not crossed, and no message lost.
    pub valid: bool,
    /// Whether the venue takes orders, as far as we know.
    pub open: bool,
}

tse_model::recorded_fields! {
    Market { quote, updated, as_of, trade, mark, book, valid, open }
}

impl Market {
    /// A market of which nothing is known yet.
    pub fn new() -> Self {
        Self { open: true, ..Self::default() }
    }

    /// Subtracts what an order of ours took, by the venue's word, from what is still shown there: it is
    /// gone until the venue shows it anew. What the venue showed later knows of it already.
    pub fn took(&mut self, at: Timestamp, side: Side, price: Price, qty: Qty) {
        if self.as_of > at {
            return;
        }
        let left = |shown: Qty| Qty::new((shown.get() - qty.get()).max(0));
        let shown = self.book.qty_at(side, price);
        if shown.is_positive() {
            self.book.set(side, price, left(shown));
            // In the middle of a message it may be crossed: what is quoted is then that of the last.
            if self.book.is_valid() {
                self.quote = self.book.quote();
                return;
            }
        }
        match side {
            Side::Buy if self.quote.bid == price => self.quote.bid_qty = left(self.quote.bid_qty),
            Side::Sell if self.quote.ask == price => self.quote.ask_qty = left(self.quote.ask_qty),
            _ => {}
        }
    }

    /// How old the newest quote is at `now`; `None` before the first.
    pub fn age(&self, now: Timestamp) -> Option<Span> {
        self.updated.map(|at| now - at)
    }
}

/// One of the strategy's own open orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LiveOrder {
    /// Our name for it.
    pub id: ClientOrderId,
    /// Which way.
    pub side: Side,
    /// Its limit, if it has one.
    pub price: Option<Price>,
    /// What has not traded yet.
    pub leaves: Qty,
    /// Whether a cancel is on its way.
    pub cancelling: bool,
}

/// The engine, as strategies may see it.
pub trait Desk {
    /// The names of this run.
    fn catalog(&self) -> &Catalog;
    /// What is known of a market.
    fn market(&self, instrument: InstrumentId) -> &Market;
    /// The strategy's signed position, in lots.
    fn position(&self, strategy: StrategyId, instrument: InstrumentId) -> Qty;
    /// The strategy's open orders in a market, oldest first.
    fn live_orders(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
        each: &mut dyn FnMut(&LiveOrder),
    );
    /// What the account has of a currency and has not set aside for open orders.
    fn free(&self, venue: VenueId, currency: CurrencyId) -> Money;
}

/// What one strategy sees at one moment.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The engine's clock.
    pub now: Timestamp,
    strategy: StrategyId,
    desk: &'a dyn Desk,
}

impl<'a> View<'a> {
    /// The view of `strategy` at `now`.
    pub fn new(now: Timestamp, strategy: StrategyId, desk: &'a dyn Desk) -> Self {
        Self { now, strategy, desk }
    }

    /// The names of this run.
    pub fn catalog(&self) -> &'a Catalog {
        self.desk.catalog()
    }
    /// An instrument's definition.
    pub fn instrument(&self, instrument: InstrumentId) -> &'a Instrument {
        self.desk.catalog().instrument(instrument)
    }
    /// What is known of a market.
    pub fn market(&self, instrument: InstrumentId) -> &'a Market {
        self.desk.market(instrument)
    }
    /// The strategy's own signed position, in lots.
    pub fn position(&self, instrument: InstrumentId) -> Qty {
        self.desk.position(self.strategy, instrument)
    }
    /// Calls `each` with the strategy's open orders in a market, oldest first.
    pub fn live_orders(&self, instrument: InstrumentId, mut each: impl FnMut(&LiveOrder)) {
        self.desk.live_orders(self.strategy, instrument, &mut each);
    }
    /// What the account has of a currency and has not set aside for open orders.
    pub fn free(&self, venue: VenueId, currency: CurrencyId) -> Money {
        self.desk.free(venue, currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tse_model::{Depth, DepthChange};

    #[test]
    fn what_we_take_in_the_middle_of_a_message_makes_no_crossed_quote() {
        let set = |market: &mut Market, side, price, qty, last| {
            let change = DepthChange::Set { side, price: Price::new(price), qty: Qty::new(qty) };
            market.book.apply(Depth { change, last });
        };
        let mut market = Market::new();
        market.book.apply(Depth { change: DepthChange::Clear, last: false });
        set(&mut market, Side::Buy, 100, 5, false);
        set(&mut market, Side::Sell, 102, 5, true);
        market.quote = market.book.quote();
        // The bids have moved up already, the asks have not.
        set(&mut market, Side::Buy, 103, 5, false);
        market.took(Timestamp::EPOCH, Side::Sell, Price::new(102), Qty::new(2));
        assert!(!market.quote.is_crossed(), "{:?}", market.quote);
        assert_eq!(market.quote.ask_qty, Qty::new(3), "and it knows what is gone");
    }
}
