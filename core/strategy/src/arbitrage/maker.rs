//! Mode `maker_taker`: rest in the first instrument, hedge in the others.
//!
//! Quotes are placed so that a fill, hedged at once at the prices now shown elsewhere, leaves the
//! minimum after both fees. The hedge is computed from positions as the ledger has them. A hedge that
//! was refused, or found less than it wanted, is tried again with the next quote or timer and not in
//! the same moment: nothing has changed that could make it better.

use super::Terms;
use crate::{Intents, Interest, OrderWish, QuoteLevel, Strategy, View};
use tse_model::bytes::{Kept, Reader, Writer};
use tse_model::{Fill, InstrumentId, Liquidity, Price, Qty, Quote, Rate, Side, Span, kept_fields};

pub(super) struct Maker {
    terms: Terms,
    /// A timer is out: it comes as long as something is shown or not hedged.
    timer: bool,
}

kept_fields! {
    Maker { saved: timer; built: terms }
}

impl Maker {
    pub(super) fn new(terms: Terms) -> Self {
        Self { terms, timer: false }
    }

    /// Where a hedge of a fill on `side` would be traded best: price of one base unit after its fee,
    /// and base units on offer that the account can trade.
    fn hedge_price(&self, side: Side, view: &View<'_>) -> Option<(i128, i128)> {
        let prices = self.terms.legs[1..].iter().filter_map(|leg| {
            let market = leg.market(view)?;
            let fresh = market.age(view.now).is_some_and(|age| age <= self.terms.stale);
            // A bought base unit is sold at the bid elsewhere, a sold one bought at the ask.
            let (price, qty) = market.quote.side(side).filter(|_| fresh)?;
            let price = leg.price(price);
            let fee = leg.fee(Liquidity::Taker, price) * i128::from(side.sign());
            let offered = leg.base(qty, price);
            let funds = leg.affordable(side.opposite(), price, view).unwrap_or(i128::MAX);
            Some((price - fee, offered.min(funds)))
        });
        match side {
            Side::Buy => prices.max(),
            Side::Sell => prices.min(),
        }
    }

    /// Shows what can be hedged. Says whether that is anything.
    fn quote(&self, view: &View<'_>, wish: &mut Intents) -> bool {
        let leg = &self.terms.legs[0];
        let one = i128::from(Rate::ONE);
        let mut levels = [QuoteLevel { side: Side::Buy, price: Price::ZERO, qty: Qty::ZERO }; 2];
        let mut count = 0;
        if let Some(market) = leg.market(view) {
            let exposure = leg.exposure(view);
            for side in Side::BOTH {
                let Some((hedge, offered)) = self.hedge_price(side, view) else { continue };
                let sign = i128::from(side.sign());
                // The minimum is a share of what is paid: our own price for a buy, the hedge's for a
                // sell. Both are rounded against us.
                let limit = match side {
                    Side::Buy => (hedge * one).div_euclid(one + self.terms.spread_min),
                    Side::Sell => -(-hedge * (one + self.terms.spread_min)).div_euclid(one),
                };
                let limit = limit - sign * leg.fee(Liquidity::Maker, limit);
                let mut price = leg.tick_no_better(side, limit);
                if let Some((other, _)) = market.quote.side(side.opposite())
                    && side.reaches(price, other)
                {
                    price = side.away(other, 1);
                }
                let room = (self.terms.size_max - sign * exposure).min(self.terms.size_max);
                let qty = leg.lots(room.min(offered).max(0), limit.max(1));
                if price.is_positive() && leg.tradable(side, qty, leg.price(price), view) {
                    levels[count] = QuoteLevel { side, price, qty };
                    count += 1;
                }
            }
        }
        wish.quote(leg.instrument, &levels[..count], 0);
        count > 0
    }

    /// Trades away what is not hedged, unless a hedge is already out. Says whether anything is left
    /// to hedge.
    fn hedge(&self, view: &View<'_>, wish: &mut Intents) -> bool {
        let mut out = 0;
        let mut net = 0;
        for (at, leg) in self.terms.legs.iter().enumerate() {
            net += leg.exposure(view);
            if at > 0 {
                view.live_orders(leg.instrument, |_| out += 1);
            }
        }
        if out > 0 || net == 0 {
            return out > 0;
        }
        let side = if net > 0 { Side::Sell } else { Side::Buy };
        let best = self.terms.legs[1..].iter().filter_map(|leg| {
            let (price, _) = leg.market(view)?.quote.side(side.opposite())?;
            let common = leg.price(price);
            let lots = leg.lots(net.abs(), common);
            leg.tradable(side, lots, common, view).then_some((
                common * i128::from(side.sign()),
                leg,
                lots,
            ))
        });
        if let Some((_, leg, lots)) = best.min_by_key(|(cost, ..)| *cost) {
            wish.order(OrderWish::market(leg.instrument, side, lots));
            return true;
        }
        // Less than any market takes is as even as it gets; a market that is away may come back.
        self.terms.legs[1..].iter().any(|leg| leg.market(view).is_none())
    }

    fn look(&mut self, view: &View<'_>, wish: &mut Intents) {
        let unhedged = self.hedge(view, wish);
        let shown = self.quote(view, wish);
        if (unhedged || shown) && !self.timer {
            self.timer = true;
            wish.wake_in(self.terms.stale.min(self.terms.leg_delay).max(Span::from_millis(1)));
        }
    }
}

impl Strategy for Maker {
    fn save(&self, out: &mut Writer) -> bool {
        Kept::save(self, out);
        true
    }

    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        Kept::load(self, bytes)
    }

    fn interest(&self) -> Interest {
        Interest { quotes: true, ..Interest::default() }
    }

    fn on_quote(&mut self, _: InstrumentId, _: &Quote, view: &View<'_>, wish: &mut Intents) {
        self.look(view, wish);
    }

    fn on_invalid(&mut self, _: InstrumentId, view: &View<'_>, wish: &mut Intents) {
        self.look(view, wish);
    }

    fn on_fill(&mut self, _: InstrumentId, _: Side, _: &Fill, view: &View<'_>, wish: &mut Intents) {
        self.look(view, wish);
    }

    fn on_timer(&mut self, view: &View<'_>, wish: &mut Intents) {
        self.timer = false;
        self.look(view, wish);
    }

    fn on_stop(&mut self, _: &View<'_>, wish: &mut Intents) {
        wish.quote(self.terms.legs[0].instrument, &[], 0);
    }
}
