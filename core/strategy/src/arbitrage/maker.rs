//! Mode `maker_taker`: rest in the first instrument, hedge in the others.
//!
//! Quotes are placed so that a fill, hedged at once at the prices now shown elsewhere, leaves the
//! minimum after both fees. The hedge is computed from positions as the ledger has them.

use super::Terms;
use crate::{Intents, Interest, OrderUpdate, OrderWish, QuoteLevel, Strategy, View};
use tse_model::{Fill, InstrumentId, Liquidity, Qty, Quote, Rate, Side};

pub(super) struct Maker {
    terms: Terms,
}

impl Maker {
    pub(super) fn new(terms: Terms) -> Self {
        Self { terms }
    }

    /// Where a hedge of a fill on `side` would be traded best: price of one base unit after its fee,
    /// and base units on offer.
    fn hedge_price(&self, side: Side, view: &View<'_>) -> Option<(i128, i128)> {
        let prices = self.terms.legs[1..].iter().filter_map(|leg| {
            let market = leg.market(view)?;
            let fresh = market.age(view.now).is_some_and(|age| age <= self.terms.stale);
            // A bought base unit is sold at the bid elsewhere, a sold one bought at the ask.
            let (price, qty) = market.quote.side(side).filter(|_| fresh)?;
            let price = leg.price(price);
            let fee = leg.fee(Liquidity::Taker, price) * i128::from(side.sign());
            Some((price - fee, leg.base(qty, price)))
        });
        match side {
            Side::Buy => prices.max(),
            Side::Sell => prices.min(),
        }
    }

    fn quote(&self, view: &View<'_>, wish: &mut Intents) {
        let leg = &self.terms.legs[0];
        let one = i128::from(Rate::ONE);
        let mut levels =
            [QuoteLevel { side: Side::Buy, price: Default::default(), qty: Qty::ZERO }; 2];
        let mut count = 0;
        if let Some(market) = leg.market(view) {
            let exposure = leg.exposure(view);
            for side in Side::BOTH {
                let Some((hedge, offered)) = self.hedge_price(side, view) else { continue };
                let sign = i128::from(side.sign());
                let limit = hedge * one / (one + sign * self.terms.spread_min);
                let limit = limit - sign * leg.fee(Liquidity::Maker, limit);
                let mut price = leg.tick_no_better(side, limit);
                if let Some((other, _)) = market.quote.side(side.opposite())
                    && side.reaches(price, other)
                {
                    price = side.away(other, 1);
                }
                let room = (self.terms.size_max - sign * exposure).min(self.terms.size_max);
                let qty = leg.lots(room.min(offered).max(0), limit.max(1));
                if leg.tradable(qty) && price.is_positive() {
                    levels[count] = QuoteLevel { side, price, qty };
                    count += 1;
                }
            }
        }
        wish.quote(leg.instrument, &levels[..count], 0);
    }

    /// Trades away what is not hedged, unless a hedge is already out.
    fn hedge(&self, view: &View<'_>, wish: &mut Intents) {
        let mut out = 0;
        let mut net = 0;
        for (at, leg) in self.terms.legs.iter().enumerate() {
            net += leg.exposure(view);
            if at > 0 {
                view.live_orders(leg.instrument, |_| out += 1);
            }
        }
        if out > 0 || net == 0 {
            return;
        }
        let side = if net > 0 { Side::Sell } else { Side::Buy };
        let best = self.terms.legs[1..].iter().filter_map(|leg| {
            let (price, _) = leg.market(view)?.quote.side(side.opposite())?;
            let common = leg.price(price);
            let lots = leg.lots(net.abs(), common);
            leg.tradable(lots).then_some((common * i128::from(side.sign()), leg, lots))
        });
        if let Some((_, leg, lots)) = best.min_by_key(|(cost, ..)| *cost) {
            wish.order(OrderWish::market(leg.instrument, side, lots));
        }
    }
}

impl Strategy for Maker {
    fn interest(&self) -> Interest {
        Interest { quotes: true, ..Interest::default() }
    }

    fn on_quote(&mut self, _: InstrumentId, _: &Quote, view: &View<'_>, wish: &mut Intents) {
        self.hedge(view, wish);
        self.quote(view, wish);
    }

    fn on_fill(&mut self, _: InstrumentId, _: Side, _: &Fill, view: &View<'_>, wish: &mut Intents) {
        self.hedge(view, wish);
        self.quote(view, wish);
    }

    fn on_order(&mut self, _: &OrderUpdate, view: &View<'_>, wish: &mut Intents) {
        self.hedge(view, wish);
    }

    fn on_stop(&mut self, _: &View<'_>, wish: &mut Intents) {
        wish.quote(self.terms.legs[0].instrument, &[], 0);
    }
}
