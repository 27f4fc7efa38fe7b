//! Mode `taker`: both legs at once.
//!
//! An *opportunity* is a stretch of time in which one market's bid stands more than the minimum above
//! another's ask, before fees. It ends as taken if anything was traded on it, and otherwise as missed
//! for the reason that last held it back.

use super::{Leg, Terms};
use crate::{
    Figure, Intents, Interest, Missed, Opportunity, OrderUpdate, OrderWish, Outcome, Strategy,
    UpdateKind, View,
};
use tse_model::bytes::{Kept, Reader, Writer};
use tse_model::{
    Fill, InstrumentId, Liquidity, Price, Qty, Quote, Rate, Side, Timestamp, kept_fields,
    recorded_fields,
};

/// A stretch in which a pair is worth looking at.
#[derive(Clone, Copy)]
struct Episode {
    since: Timestamp,
    gross: i128,
    net: i128,
    reason: Missed,
    taken: bool,
}

/// Legs that are out, or not yet even.
struct Group {
    buy: usize,
    sell: usize,
    /// The prices at which the legs were sized alike: what they traded is compared at these, so that
    /// a market that moved makes no difference where there is none.
    prices: (i128, i128),
    deadline: Timestamp,
    /// What each leg traded, less what was unwound.
    bought: Qty,
    sold: Qty,
    traded: bool,
    refused: bool,
    /// An unwinding order was sent since the last timer.
    unwinding: bool,
}

/// What can be traded between a cheap and a dear market.
struct Edge {
    ask: Price,
    bid: Price,
    ask_price: i128,
    bid_price: i128,
    offered: i128,
    /// Billionths of the cheap price, before and after fees.
    gross: i128,
    net: i128,
}

/// A trade worth making.
struct Candidate {
    buy: usize,
    sell: usize,
    edge: Edge,
    lots: (Qty, Qty),
}

pub(super) struct Taker {
    terms: Terms,
    /// One place for each ordered pair: buy × legs + sell.
    episodes: Vec<Option<Episode>>,
    group: Option<Group>,
    /// After a refusal nothing is sent until then: what was refused would be refused again.
    rest: Option<Timestamp>,
}

recorded_fields! {
    Episode { since, gross, net, reason, taken }
    Group {
        buy, sell, prices, deadline, bought, sold, traded, refused, unwinding,
    }
}
kept_fields! {
    Taker { saved: episodes, group, rest; built: terms }
}

impl Taker {
    pub(super) fn new(terms: Terms) -> Self {
        let pairs = terms.legs.len() * terms.legs.len();
        Self { terms, episodes: vec![None; pairs], group: None, rest: None }
    }

    fn leg(&self, at: usize) -> &Leg {
        &self.terms.legs[at]
    }

    fn leg_of(&self, instrument: InstrumentId) -> Option<usize> {
        self.terms.legs.iter().position(|leg| leg.instrument == instrument)
    }

    fn edge(&self, buy: usize, sell: usize, view: &View<'_>) -> Option<Edge> {
        let (cheap, dear) = (self.leg(buy), self.leg(sell));
        let (ask, ask_qty) = cheap.market(view)?.quote.side(Side::Sell)?;
        let (bid, bid_qty) = dear.market(view)?.quote.side(Side::Buy)?;
        let (ask_price, bid_price) = (cheap.price(ask), dear.price(bid));
        if ask_price <= 0 {
            return None;
        }
        let paid = ask_price + cheap.fee(Liquidity::Taker, ask_price);
        let received = bid_price - dear.fee(Liquidity::Taker, bid_price);
        let share = |gain: i128| gain * i128::from(Rate::ONE) / ask_price;
        Some(Edge {
            ask,
            bid,
            ask_price,
            bid_price,
            offered: cheap.base(ask_qty, ask_price).min(dear.base(bid_qty, bid_price)),
            gross: share(bid_price - ask_price),
            net: share(received - paid),
        })
    }

    /// Looks at one ordered pair: opens, updates or ends its episode. Gives the trade, if there is one.
    fn look(
        &mut self,
        buy: usize,
        sell: usize,
        view: &View<'_>,
        wish: &mut Intents,
    ) -> Option<Candidate> {
        let place = buy * self.terms.legs.len() + sell;
        let edge = self.edge(buy, sell, view).filter(|edge| edge.gross > self.terms.spread_min);
        let Some(edge) = edge else {
            self.end(place, wish);
            return None;
        };
        let mut episode = match self.episodes[place] {
            Some(episode) => episode,
            None => {
                let episode = Episode {
                    since: view.now,
                    gross: edge.gross,
                    net: edge.net,
                    reason: Missed::Fees,
                    taken: false,
                };
                wish.saw(self.opportunity(place, &episode, Outcome::Detected));
                episode
            }
        };
        episode.gross = episode.gross.max(edge.gross);
        episode.net = episode.net.max(edge.net);
        let lots = self.lots(&edge, buy, sell, view);
        // Of several trades one is made, and the others find its legs out.
        match lots.err().unwrap_or(Missed::InFlight) {
            // A reason found later does not hide that legs were out and found nothing.
            Missed::InFlight if episode.reason == Missed::Unfilled => {}
            reason => episode.reason = reason,
        }
        self.episodes[place] = Some(episode);
        let lots = lots.ok()?;
        Some(Candidate { buy, sell, edge, lots })
    }

    /// Sends both legs.
    fn send(&mut self, trade: Candidate, view: &View<'_>, wish: &mut Intents) {
        let Candidate { buy, sell, edge, lots: (buy_lots, sell_lots) } = trade;
        let (cheap, dear) = (self.leg(buy).instrument, self.leg(sell).instrument);
        wish.because(|| {
            let share = |share: i128| Figure::Share(i64::try_from(share).unwrap_or(i64::MAX));
            let at = |leg, price: Price| Figure::HalfTicks(leg, price.get().saturating_mul(2));
            [
                ("edge before fees", share(edge.gross)),
                ("edge after fees", share(edge.net)),
                ("bought at", at(cheap, edge.ask)),
                ("sold at", at(dear, edge.bid)),
            ]
        });
        wish.group(&[
            OrderWish::ioc(cheap, Side::Buy, buy_lots, edge.ask),
            OrderWish::ioc(dear, Side::Sell, sell_lots, edge.bid),
        ]);
        wish.wake_in(self.terms.leg_delay);
        if let Some(episode) = &mut self.episodes[buy * self.terms.legs.len() + sell] {
            episode.reason = Missed::Unfilled;
        }
        self.group = Some(Group {
            buy,
            sell,
            prices: (edge.ask_price, edge.bid_price),
            deadline: view.now + self.terms.leg_delay,
            bought: Qty::ZERO,
            sold: Qty::ZERO,
            traded: false,
            refused: false,
            unwinding: false,
        });
    }

    /// What to trade, or why nothing.
    fn lots(
        &self,
        edge: &Edge,
        buy: usize,
        sell: usize,
        view: &View<'_>,
    ) -> Result<(Qty, Qty), Missed> {
        if edge.net <= self.terms.spread_min {
            return Err(Missed::Fees);
        }
        let (cheap, dear) = (self.leg(buy), self.leg(sell));
        let fresh = |leg: &Leg| {
            view.market(leg.instrument).age(view.now).is_some_and(|age| age <= self.terms.stale)
        };
        if !fresh(cheap) || !fresh(dear) {
            return Err(Missed::Stale);
        }
        if self.group.is_some() {
            return Err(Missed::InFlight);
        }
        if self.rest.is_some_and(|end| view.now < end) {
            return Err(Missed::Refused);
        }
        let room = |leg: &Leg, side: Side| {
            self.terms.size_max - i128::from(side.sign()) * leg.exposure(view)
        };
        let room = room(cheap, Side::Buy).min(room(dear, Side::Sell)).min(self.terms.size_max);
        if room <= 0 {
            return Err(Missed::Position);
        }
        let afford =
            |leg: &Leg, side, price| leg.affordable(side, price, view).unwrap_or(i128::MAX);
        let funds =
            afford(cheap, Side::Buy, edge.ask_price).min(afford(dear, Side::Sell, edge.bid_price));
        let both = |base: i128| {
            // Whole lots of one leg, then of the other as near as they come without exceeding it.
            let pair = |one: &Leg, price, other: &Leg, at| {
                let lots = one.lots(base, price);
                let size = one.base(lots, price);
                let others = other.lots(size, at);
                (lots, others, size - other.base(others, at))
            };
            // Whichever begins with the coarser leg leaves less than a lot of the finer one.
            let (bought, sold, off) = pair(cheap, edge.ask_price, dear, edge.bid_price);
            let (sold_first, bought_then, less) = pair(dear, edge.bid_price, cheap, edge.ask_price);
            let (buy_lots, sell_lots) =
                if off <= less { (bought, sold) } else { (bought_then, sold_first) };
            let taken = cheap.tradable(Side::Buy, buy_lots, edge.ask_price, view)
                && dear.tradable(Side::Sell, sell_lots, edge.bid_price, view);
            taken.then_some((buy_lots, sell_lots))
        };
        match both(edge.offered.min(room).min(funds)) {
            Some(lots) => Ok(lots),
            None if both(edge.offered.min(room)).is_some() => Err(Missed::Balance),
            None if both(edge.offered).is_some() => Err(Missed::Position),
            None => Err(Missed::Size),
        }
    }

    fn opportunity(&self, place: usize, episode: &Episode, outcome: Outcome) -> Opportunity {
        let legs = self.terms.legs.len();
        let clamp = |share: i128| i64::try_from(share).unwrap_or(i64::MAX);
        Opportunity {
            buy: self.leg(place / legs).instrument,
            sell: self.leg(place % legs).instrument,
            since: episode.since,
            gross: clamp(episode.gross),
            net: clamp(episode.net),
            outcome,
        }
    }

    fn end(&mut self, place: usize, wish: &mut Intents) {
        // While its legs are out, whether it was taken is not known yet.
        let legs = self.terms.legs.len();
        if self.group.as_ref().is_some_and(|group| group.buy * legs + group.sell == place) {
            return;
        }
        if let Some(episode) = self.episodes[place].take() {
            let outcome =
                if episode.taken { Outcome::Taken } else { Outcome::Missed(episode.reason) };
            wish.saw(self.opportunity(place, &episode, outcome));
        }
    }

    /// Closes the group once nothing of it is out and both legs are even; until then unwinds what one
    /// did more than the other, once at once and again with every timer.
    fn settle(&mut self, view: &View<'_>, wish: &mut Intents) {
        let Some(group) = &self.group else { return };
        let (cheap, dear) = (self.leg(group.buy), self.leg(group.sell));
        let mut out = 0;
        for leg in [cheap, dear] {
            view.live_orders(leg.instrument, |_| out += 1);
        }
        if out > 0 {
            return;
        }
        let (buy_price, sell_price) = group.prices;
        let excess = cheap.base(group.bought, buy_price) - dear.base(group.sold, sell_price);
        // Too much bought is sold again where it was bought, too much sold bought back.
        let (leg, price, side) =
            if excess > 0 { (cheap, buy_price, Side::Sell) } else { (dear, sell_price, Side::Buy) };
        let lots = leg.lots(excess.abs(), price);
        if leg.tradable(side, lots, price, view) {
            if !group.unwinding {
                wish.order(OrderWish::market(leg.instrument, side, lots));
                if let Some(group) = &mut self.group {
                    group.unwinding = true;
                }
            }
            return;
        }
        let place = group.buy * self.terms.legs.len() + group.sell;
        if let Some(episode) = &mut self.episodes[place] {
            episode.taken |= group.traded;
            if group.refused {
                episode.reason = Missed::Refused;
            }
        }
        self.rest = (group.refused && !group.traded).then(|| view.now + self.terms.leg_delay);
        let (buy, sell) = (group.buy, group.sell);
        self.group = None;
        let gone =
            self.edge(buy, sell, view).is_none_or(|edge| edge.gross <= self.terms.spread_min);
        if gone {
            self.end(place, wish);
        }
    }
}

impl Strategy for Taker {
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

    fn on_quote(
        &mut self,
        instrument: InstrumentId,
        _: &Quote,
        view: &View<'_>,
        wish: &mut Intents,
    ) {
        let Some(at) = self.leg_of(instrument) else { return };
        let mut best: Option<Candidate> = None;
        for other in (0..self.terms.legs.len()).filter(|other| *other != at) {
            for (buy, sell) in [(at, other), (other, at)] {
                let found = self.look(buy, sell, view, wish);
                if let Some(found) = found
                    && best.as_ref().is_none_or(|best| found.edge.net > best.edge.net)
                {
                    best = Some(found);
                }
            }
        }
        if let Some(best) = best {
            self.send(best, view, wish);
        }
    }

    fn on_invalid(&mut self, instrument: InstrumentId, _: &View<'_>, wish: &mut Intents) {
        let Some(at) = self.leg_of(instrument) else { return };
        let legs = self.terms.legs.len();
        for other in 0..legs {
            self.end(at * legs + other, wish);
            self.end(other * legs + at, wish);
        }
    }

    fn on_fill(
        &mut self,
        instrument: InstrumentId,
        side: Side,
        fill: &Fill,
        view: &View<'_>,
        wish: &mut Intents,
    ) {
        let at = self.leg_of(instrument);
        if let Some(group) = &mut self.group {
            // The other way round is an unwinding order.
            if at == Some(group.buy) {
                group.bought += fill.qty.signed(side);
                group.traded = true;
            } else if at == Some(group.sell) {
                group.sold += fill.qty.signed(side.opposite());
                group.traded = true;
            }
        }
        self.settle(view, wish);
    }

    fn on_order(&mut self, update: &OrderUpdate, view: &View<'_>, wish: &mut Intents) {
        if let (Some(group), UpdateKind::Denied) = (&mut self.group, update.kind) {
            group.refused = true;
        }
        self.settle(view, wish);
    }

    fn on_timer(&mut self, view: &View<'_>, wish: &mut Intents) {
        let Some(group) = &mut self.group else { return };
        if view.now < group.deadline {
            return;
        }
        group.unwinding = false;
        for at in [group.buy, group.sell] {
            wish.cancel_all(self.terms.legs[at].instrument);
        }
        self.settle(view, wish);
        if self.group.is_some() {
            wish.wake_in(self.terms.leg_delay);
        }
    }

    fn on_stop(&mut self, _: &View<'_>, wish: &mut Intents) {
        self.group = None;
        for place in 0..self.episodes.len() {
            self.end(place, wish);
        }
    }
}
