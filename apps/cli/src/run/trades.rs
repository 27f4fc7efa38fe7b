//! How each strategy traded each instrument: orders from their decision to their end, round trips, what was held
//! and for how long.
//!
//! It is told what left, what was heard, what traded and what ended, each with the middle of the market then, and
//! decides nothing. Its memory grows with the orders on their way, not with the run.

use super::markouts::Markouts;
use std::collections::BTreeMap;
use tse_model::decimal::power_of_ten;
use tse_model::{
    Catalog, ClientOrderId, CurrencyId, Fill, Instrument, InstrumentId, Liquidity, Money,
    PlaceOrder, Rounding, Side, Span, StrategyId, Timestamp,
};
use tse_portfolio::statistics::{Deal, Decided, Holding, Trading};
use tse_portfolio::{Mark, mul_div};

/// One strategy in one instrument.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pair {
    pub(crate) trading: Trading,
    pub(crate) orders: u64,
    pub(crate) fills: u64,
    /// In lots: what was asked for, and what of it traded.
    pub(crate) submitted: i128,
    pub(crate) filled: i128,
    pub(crate) markouts: Markouts,
}

/// How often controls stopped something, and how long it took to be as well off as before the first time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Stops {
    pub(crate) count: u64,
    first: Option<(Timestamp, Option<Money>)>,
    last_worth: Option<Money>,
    pub(crate) recovery: Option<Span>,
}

impl Stops {
    fn stop(&mut self, now: Timestamp) {
        self.count += 1;
        self.first.get_or_insert((now, self.last_worth));
    }

    fn sample(&mut self, now: Timestamp, worth: Option<Money>) {
        if let Some((stopped, Some(before))) = self.first
            && self.recovery.is_none()
            && worth.is_some_and(|worth| worth >= before)
        {
            self.recovery = Some(now - stopped);
        }
        self.last_worth = worth;
    }
}

/// The middle of the market at three moments of an order: when it was sent, first heard of, and over.
pub(crate) type Mids = [Option<Mark>; 3];

/// An order that has left.
#[derive(Clone, Copy, Debug)]
struct OnWay {
    decided: Decided,
    /// In lots: as it was sent, and what was asked for on top since.
    submitted: i64,
}

/// An order that is over: its middles, and how much was asked for in all; nothing of one that never left.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Over {
    pub(crate) mids: Mids,
    pub(crate) submitted: i64,
}

/// How everything was traded.
#[derive(Clone, Debug)]
pub(crate) struct Trades {
    /// `[strategy][instrument]`.
    pub(crate) pairs: Vec<Vec<Pair>>,
    on_way: BTreeMap<ClientOrderId, OnWay>,
    pub(crate) holding: Vec<Holding>,
    pub(crate) held_by_any: Holding,
    pub(crate) stops: Vec<Stops>,
    pub(crate) stops_of_any: Stops,
}

/// A fill as it was booked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traded {
    pub(crate) id: ClientOrderId,
    pub(crate) strategy: StrategyId,
    pub(crate) side: Side,
    pub(crate) fill: Fill,
    pub(crate) realized: Money,
    pub(crate) mid: Option<Mark>,
}

impl Trades {
    pub(crate) fn new(strategies: usize, instruments: usize) -> Self {
        Self {
            pairs: vec![vec![Pair::default(); instruments]; strategies],
            on_way: BTreeMap::new(),
            holding: vec![Holding::default(); strategies],
            held_by_any: Holding::default(),
            stops: vec![Stops::default(); strategies],
            stops_of_any: Stops::default(),
        }
    }

    fn pair(&mut self, strategy: StrategyId, instrument: InstrumentId) -> Option<&mut Pair> {
        self.pairs.get_mut(strategy.index())?.get_mut(instrument.index())
    }

    /// An order left.
    pub(crate) fn sent(&mut self, place: &PlaceOrder, mid: Option<Mark>) {
        let submitted = place.qty.get();
        if let Some(pair) = self.pair(place.strategy, place.instrument) {
            pair.submitted += i128::from(submitted);
            pair.orders += 1;
        }
        self.on_way.insert(place.id, OnWay { decided: Decided::new(mid), submitted });
    }

    /// So many lots more of an order were asked for.
    pub(crate) fn asked_more(&mut self, place: &PlaceOrder, more: i64) {
        if let Some(pair) = self.pair(place.strategy, place.instrument) {
            pair.submitted += i128::from(more);
        }
        if let Some(order) = self.on_way.get_mut(&place.id) {
            order.submitted += more;
        }
    }

    /// A venue spoke of an order.
    pub(crate) fn heard(&mut self, id: ClientOrderId, mid: Option<Mark>) {
        if let Some(order) = self.on_way.get_mut(&id) {
            order.decided.hear(mid);
        }
    }

    /// An order traded, or the venue traded for us.
    pub(crate) fn filled(
        &mut self,
        now: Timestamp,
        catalog: &Catalog,
        it: &Instrument,
        of: &Traded,
    ) {
        let Traded { id, strategy, side, fill, realized, mid } = *of;
        let order = self.on_way.get_mut(&id);
        let deal = Deal {
            side,
            price: fill.price,
            qty: fill.qty,
            maker: fill.liquidity == Liquidity::Maker,
            fee: fee_in_settle(catalog, it, &fill),
            realized,
            mid,
            decided: order.as_ref().and_then(|order| order.decided.sent),
        };
        if let Some(order) = order {
            order.decided.hear(mid);
            order.decided.fill(it, &deal);
        }
        let Some(pair) = self.pair(strategy, it.id) else { return };
        pair.fills += 1;
        // Order zero stands for a liquidation: nobody ordered it.
        if id.0 != 0 {
            pair.filled += i128::from(fill.qty.get());
        }
        let before = pair.trading.held();
        pair.trading.fill(it, &deal);
        pair.markouts.fill(now, side, fill.price, fill.qty);
        let after = pair.trading.held();
        self.holding[strategy.index()].turn(now, before, after);
        self.held_by_any.turn(now, before, after);
    }

    /// An order is over, or the run is, with so much of it left.
    pub(crate) fn ended(
        &mut self,
        order: &tse_kernel::Order,
        it: &Instrument,
        mid: Option<Mark>,
    ) -> Over {
        let request = &order.request;
        let Some(OnWay { decided, submitted }) = self.on_way.remove(&request.id) else {
            return Over::default();
        };
        let mids = [decided.sent, decided.heard.or(decided.sent), mid];
        let costs = decided.end(it, request.side, order.leaves(), mid);
        if let (Some(costs), Some(pair)) = (costs, self.pair(request.strategy, it.id)) {
            pair.trading.add_shortfall(&costs);
        }
        Over { mids, submitted }
    }

    /// A market says something; until now this was its middle.
    #[inline]
    pub(crate) fn until(&mut self, now: Timestamp, instrument: InstrumentId, twice: Option<i64>) {
        for pairs in &mut self.pairs {
            pairs[instrument.index()].markouts.until(now, twice);
        }
    }

    /// The data has ended.
    pub(crate) fn finish(&mut self, last: Timestamp, instrument: InstrumentId, twice: Option<i64>) {
        for pairs in &mut self.pairs {
            pairs[instrument.index()].markouts.finish(last, twice);
        }
    }

    /// A control stopped a strategy; everything, if `None`.
    pub(crate) fn stopped(&mut self, now: Timestamp, strategy: Option<StrategyId>) {
        self.stops_of_any.stop(now);
        match strategy {
            Some(strategy) => {
                if let Some(stops) = self.stops.get_mut(strategy.index()) {
                    stops.stop(now);
                }
            }
            None => self.stops.iter_mut().for_each(|stops| stops.stop(now)),
        }
    }

    /// Everything is worth so much, and strategies have earned so much.
    pub(crate) fn sample(&mut self, now: Timestamp, equity: Money, nets: &[Option<Money>]) {
        self.stops_of_any.sample(now, Some(equity));
        self.stops.iter_mut().zip(nets).for_each(|(stops, net)| stops.sample(now, *net));
    }
}

/// A fee in the currency that the instrument settles in: the base asset counts at the fill's price. `None` for any
/// other currency.
pub(crate) fn fee_in_settle(catalog: &Catalog, it: &Instrument, fill: &Fill) -> Option<Money> {
    if fill.fee_currency == it.settle || fill.fee.is_zero() {
        return Some(fill.fee);
    }
    if fill.fee_currency != it.base || it.kind.is_inverse() {
        return None;
    }
    let price = it.price_decimal(fill.price);
    let scale = |currency: CurrencyId| catalog.currency(currency).scale;
    // units / 10^base × mantissa / 10^price, in steps of 10^-settle.
    let under = power_of_ten(scale(it.base).checked_add(price.scale())?)?;
    let over = price.mantissa().checked_mul(power_of_ten(scale(it.settle))?)?;
    mul_div(fill.fee.units(), over, under, Rounding::HalfEven).map(Money::from_units)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_counts_from_the_first_stop_to_where_it_stood_before() {
        let at = |seconds: i64| Timestamp::from_nanos(seconds * 1_000_000_000);
        let money = |units| Some(Money::from_units(units));
        let mut stops = Stops::default();
        stops.sample(at(1), money(100));
        stops.stop(at(2));
        stops.sample(at(3), money(90));
        stops.stop(at(4));
        stops.sample(at(5), None);
        assert_eq!((stops.count, stops.recovery), (2, None));
        stops.sample(at(9), money(100));
        stops.sample(at(20), money(150));
        assert_eq!(stops.recovery, Some(Span::from_secs(7)));
    }
}
