//! The pre-trade gate: every order passes here, or is never sent.
//!
//! Checks run in the order of the catalogue and all of them run, so that a refusal names everything
//! that is wrong; a limit that is missing is named where its control stands. Missing information
//! refuses whatever adds risk; an order that verifiably shrinks a position passes the checks on
//! position, funds and data. The gate decides on the [`Scene`] it is given and knows nothing else.
//! No figure can make it panic: what the integers cannot hold is refused.

use crate::change::Waived;
use crate::clock::BadClock;
use crate::exposure::Exposed;
use crate::reserve::hold_of;
use crate::{BadData, Count, Level, Refusal, Reserve, Scope, Scoped, SelfTrade};
use tse_model::{
    CurrencyId, Instrument, Money, OrderType, PlaceOrder, Price, Qty, Quote, Rate, Side, Span,
    TimeInForce,
};

/// Proof that a request passed the gate. Only this crate can make one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Approved<T> {
    request: T,
    reserve: Option<Reserve>,
    waived: Option<Waived>,
}

impl<T> Approved<T> {
    /// What was approved.
    pub fn get(&self) -> &T {
        &self.request
    }
    /// What it sets aside; `None` for a reduction of which that cannot be told, as at market in a market
    /// without prices.
    pub fn reserve(&self) -> Option<Reserve> {
        self.reserve
    }
    /// What it would have been refused for, had two people not let it pass.
    pub fn waived(&self) -> Option<Waived> {
        self.waived
    }
    /// What was approved, to be sent.
    pub fn into_inner(self) -> T {
        self.request
    }
}

/// Position and open orders of one scope in the order's instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Book {
    /// Signed position.
    pub position: Qty,
    /// Unfilled quantity of all open orders on each side, unknown ones included.
    pub open: [Qty; 2],
    /// How many orders are open.
    pub orders: u32,
}

impl Book {
    /// How much of a position an order of `side` would still find to close, if everything already
    /// open on that side filled first.
    pub fn closable(&self, side: Side) -> Qty {
        let position = self.position.get();
        // At most 2^63, for a short position of that size: one lot less is no loss.
        let held = if side == Side::Buy { position.saturating_neg() } else { position };
        Qty::new(held.max(0).saturating_sub(self.open[side.index()].get()).max(0))
    }

    /// How much of an order could open or enlarge a position, at worst: what is more than there is
    /// to close.
    pub fn opening(&self, side: Side, qty: Qty) -> Qty {
        qty.saturating_sub(self.closable(side)).max(Qty::ZERO)
    }
}

/// How long the newest record took to become safe, and how long it may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lag {
    /// How long.
    pub lag: Span,
    /// At most.
    pub limit: Span,
}

/// Everything the gate decides on.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What is to be traded.
    pub instrument: &'a Instrument,
    /// The newest best bid and ask.
    pub quote: &'a Quote,
    /// How old they are; `None` if there never were any.
    pub age: Option<Span>,
    /// How far trading is cut back where the order belongs.
    pub level: Level,
    /// Whether the order closes a position because of that (K5).
    pub closing: bool,
    /// Whether the engine may trade at all: one that boots may have to be armed by a person.
    pub armed: bool,
    /// Whether the strategy may trade the instrument.
    pub allowed: bool,
    /// Whose messages would be too many, how many there would be and how many there may be; `None` if
    /// nobody's.
    pub too_many: Option<(Scope, Count)>,
    /// Whose messages would be too many for what was executed, how many there would be and how many there may
    /// be; `None` if nobody's.
    pub per_trade: Option<(Scope, (u64, u64))>,
    /// Whose profit and loss cannot be told although they are limited.
    pub unvalued: Option<Scope>,
    /// How many orders of the account would await an answer, and how many may; `None` where that is not
    /// limited.
    pub in_flight: Option<Count>,
    /// Controls that are taken out, to prove that tests notice.
    #[cfg(feature = "plant")]
    pub without: crate::Without,
    /// Whether the book may be believed.
    pub valid: bool,
    /// Whether the venue takes orders.
    pub open: bool,
    /// Whether the ledger has latched: then positions and money are no longer what they say.
    pub latched: bool,
    /// Whether the account is known to be as it is at the venue.
    pub reconciled: bool,
    /// Whether the journal's room runs out.
    pub nearly_full: bool,
    /// How far the journal lags behind, where that is more than it may.
    pub lag: Option<Lag>,
    /// The strategy's own book.
    pub strategy: Book,
    /// The account's book, over all strategies.
    pub account: Book,
    /// The limits of both.
    pub limits: &'a Scoped,
    /// What everything together would be worth beside what it may be; empty where that is not limited.
    pub exposed: &'a [Exposed],
    /// What that is counted in.
    pub counted_in: CurrencyId,
    /// Whose exposure cannot be told although it is limited.
    pub unmeasured: Option<Scope>,
    /// What is wrong with the clock.
    pub clock: Option<BadClock>,
    /// Lowest and highest middle of a short while, where that is further apart than it may be.
    pub swing: Option<(i64, i64)>,
    /// Whether algorithm, version, operator and config of the order are known, where they must be.
    pub attributed: bool,
    /// Which controls two people let this order pass, one of them.
    pub waived: &'a [Waived],
    /// How often the same order was sent within the window of the tighter limit.
    pub repeats: u32,
    /// Our best order on the other side, of any strategy in the account.
    pub own_opposite: Option<Price>,
    /// What is free in the currency the order needs, open orders and margin subtracted; `None` if it
    /// cannot be known.
    pub free: Option<Money>,
}

/// Lets an order pass unseen: what the gate costs is measured beside this, and nothing else is built with it.
#[cfg(feature = "open")]
pub fn wave_through(order: PlaceOrder) -> Approved<PlaceOrder> {
    Approved { request: order, reserve: None, waived: None }
}

/// Reviews one order. Adds what is wrong to `refusals`; approves if there is nothing.
///
/// A market order is approved as a limit order that trades at once, at the far end of the collar
/// (C05). Only a reduction in a market without two sides leaves as it came, since there is nothing to
/// measure a limit by. A stop is bounded by its limit, if it has one, measured from its trigger; what
/// it pays without one is the venue's to say when it wakes.
pub fn review(
    mut order: PlaceOrder,
    scene: &Scene<'_>,
    refusals: &mut Vec<Refusal>,
) -> Option<Approved<PlaceOrder>> {
    let before = refusals.len();
    let (limits, wide) = (&scene.limits.strategy, &scene.limits.account);
    let scopes = [(Scope::Strategy, &scene.strategy), (Scope::Account, &scene.account)];
    // Whether the order can only shrink the position, whatever else is open on its side.
    let reduces = scopes.iter().all(|(_, book)| order.qty <= book.closable(order.side));
    let twice_mid = scene.quote.twice_mid();
    let band = twice_mid.zip(limits.collar).map(|(twice, limit)| collar(twice, limit));
    protect(&mut order, scene.instrument, band);

    if scene.level > Level::Free || !scene.armed {
        switched(scene, reduces, refusals); // K1 to K6
    }
    valid(&order, scene.instrument, refusals); // C01
    if !scene.allowed && !scene.closing {
        refusals.push(Refusal::NotAllowed); // C02
    }
    match limits.order_qty_max {
        Some(limit) if order.qty > limit => {
            refusals.push(Refusal::OrderQty { qty: order.qty, limit })
        } // C03
        None if !reduces => refusals.push(Refusal::NoLimit { limit: "order_qty_max" }),
        _ => {}
    }
    let priced = reference_price(&order, scene.quote);
    let worth = priced.map(|price| worth(&order, scene.instrument, price));
    value(worth, scene, limits.order_value_max, reduces, refusals); // C04
    price(&order, band, limits.collar, reduces, refusals); // C05
    if let Some((scope, (after, limit))) = scene.too_many
        && !reduces
        && !scene.closing
    {
        refusals.push(Refusal::TooManyMessages { scope, after, limit }); // C06
    }
    match limits.repeats {
        Some(limit) if scene.repeats >= limit.count && !scene.closing => {
            let count = scene.repeats.saturating_add(1);
            refusals.push(Refusal::Repeated { count, limit: limit.count }); // C08
        }
        None if !reduces => refusals.push(Refusal::NoLimit { limit: "repeats" }),
        _ => {}
    }
    // A strategy without a limit of its own has the account's; the account must have one.
    let open_max = [limits.open_orders_max, wide.open_orders_max];
    for ((scope, book), limit) in scopes.iter().zip(open_max) {
        // What the kill switch closes needs the limit to be set, and is not held by it.
        let book = if scene.closing { &Book { orders: 0, ..**book } } else { book };
        open_orders(*scope, book, limit, reduces, refusals); // C10
    }
    if !reduces {
        let (name, max) = match order.side {
            Side::Buy => ("long_max", [limits.long_max, wide.long_max]),
            Side::Sell => ("short_max", [limits.short_max, wide.short_max]),
        };
        for ((scope, book), limit) in scopes.iter().zip(max) {
            position(*scope, &order, book, limit, name, refusals); // C11
        }
    }
    if order.reduce_only && !reduces {
        let room = scopes.map(|(_, book)| book.closable(order.side));
        refusals.push(Refusal::ReduceOnly { qty: order.qty, room: room[0].min(room[1]) }); // C11
    }
    if !reduces {
        let over = scene.exposed.iter().filter(|exposed| exposed.is_over());
        refusals.extend(over.map(|exposed| Refusal::Exposure(*exposed))); // C12
        refusals.extend(scene.unmeasured.map(|scope| Refusal::ExposureUnknown { scope })); // C12
    }
    let held = priced
        .map(|price| hold_of(scene.instrument, &order, price, worth.flatten()?, &scene.account));
    if !reduces {
        funds(held, scene, refusals); // C13
    }
    self_trade(&order, scene, limits.self_trade, refusals); // C14
    if let Some(scope) = scene.unvalued
        && !reduces
    {
        refusals.push(Refusal::Unvalued { scope }); // C15
    }
    data(scene, limits.data_age_max, reduces, refusals); // C18
    if !reduces {
        refusals.extend(scene.clock.map(Refusal::Clock)); // C19
        refusals.extend(scene.swing.map(|(low, high)| Refusal::Volatile { low, high })); // C20
    }
    if let Some((after, limit)) = scene.in_flight
        && after > limit
        && !reduces
    {
        refusals.push(Refusal::InFlight { after, limit }); // C21
    }
    if let Some((scope, (after, limit))) = scene.per_trade
        && !reduces
        && !scene.closing
    {
        refusals.push(Refusal::OrderToTrade { scope, after, limit }); // C22
    }
    if scene.latched {
        refusals.push(Refusal::Latched); // C26
    }
    if !scene.reconciled {
        refusals.push(Refusal::NotReconciled); // C26
    }
    if !scene.attributed {
        refusals.push(Refusal::Unattributed); // C28
    }
    if scene.nearly_full && !reduces {
        refusals.push(Refusal::JournalFull); // F06
    }
    if let Some(Lag { lag, limit }) = scene.lag
        && !reduces
    {
        refusals.push(Refusal::JournalSlow { lag, limit }); // F08
    }
    #[cfg(feature = "plant")]
    take_out(scene.without, before, refusals);
    let reserve = held.flatten();
    let found = &refusals[before..];
    let waived = scene
        .waived
        .iter()
        .copied()
        .find(|waived| !found.is_empty() && found.iter().all(|refusal| waived.covers(refusal)));
    if waived.is_some() {
        refusals.truncate(before); // C29
    }
    (refusals.len() == before).then_some(Approved { request: order, reserve, waived })
}

/// What controls that are taken out have said is forgotten.
#[cfg(feature = "plant")]
fn take_out(without: crate::Without, before: usize, refusals: &mut Vec<Refusal>) {
    let mut at = 0;
    refusals.retain(|refusal| {
        at += 1;
        at <= before || !without.has(refusal.control())
    });
}

/// What the kill switch lets pass. Nearly always nobody asks.
#[cold]
fn switched(scene: &Scene<'_>, reduces: bool, refusals: &mut Vec<Refusal>) {
    let passes = match scene.level {
        Level::Free => true,
        Level::Pause | Level::Reduce | Level::Cancel => reduces,
        Level::Flatten => scene.closing,
        Level::Halt | Level::Sever => false,
    };
    if !passes {
        refusals.push(Refusal::Killed { level: scene.level });
    }
    if !scene.armed && !scene.closing {
        refusals.push(Refusal::Disarmed);
    }
}

/// An order as the gate judges it: a market order is bounded by then.
pub(crate) fn as_judged(mut order: PlaceOrder, scene: &Scene<'_>) -> PlaceOrder {
    let twice_mid = scene.quote.twice_mid();
    let band = twice_mid.zip(scene.limits.strategy.collar);
    protect(&mut order, scene.instrument, band.map(|(twice, limit)| collar(twice, limit)));
    order
}

/// The lowest and the highest price within `limit` of a mid, exact to the tick.
fn collar(twice: i64, limit: Rate) -> (Price, Price) {
    const ONE: i128 = Rate::ONE as i128;
    // Twice the width in billionths of a tick, at most 2^126, as whole ticks and a rest.
    let share = i128::from(twice.unsigned_abs()) * i128::from(limit.billionths());
    let (ticks, rest) = match i64::try_from(share) {
        // 128-bit division is a slow call; nearly all figures fit 64 bits.
        Ok(share) => {
            let of = 2 * Rate::ONE;
            (i128::from(share.div_euclid(of)), i128::from(share.rem_euclid(of)))
        }
        Err(_) => (share.div_euclid(2 * ONE), share.rem_euclid(2 * ONE)),
    };
    let (mid, half) = (i128::from(twice.div_euclid(2)), i128::from(twice.rem_euclid(2)) * ONE);
    let low = mid - ticks + i128::from(half > rest);
    let high = mid + ticks + i128::from(half + rest >= 2 * ONE);
    let price = |ticks: i128| {
        Price::new(i64::try_from(ticks).unwrap_or(if ticks < 0 { i64::MIN } else { i64::MAX }))
    };
    (price(low), price(high))
}

/// A market order becomes a limit at the far end of the band, or the last price before it that the venue
/// takes.
fn protect(order: &mut PlaceOrder, instrument: &Instrument, band: Option<(Price, Price)>) {
    if let (OrderType::Market, Some((low, high))) = (order.order_type, band) {
        order.order_type = OrderType::Limit(match order.side {
            Side::Buy => instrument.step_down(high),
            Side::Sell => instrument.step_up(low),
        });
        if order.time_in_force != TimeInForce::Fok {
            order.time_in_force = TimeInForce::Ioc;
        }
    }
}

fn valid(order: &PlaceOrder, instrument: &Instrument, refusals: &mut Vec<Refusal>) {
    let mut no = |what| refusals.push(Refusal::Invalid { what });
    if order.qty < instrument.qty_min || order.qty > instrument.qty_max {
        no("quantity");
    }
    if !instrument.is_on_qty_step(order.qty) {
        no("quantity between two steps");
    }
    if !instrument.listed {
        no("instrument that is no longer listed");
    }
    let immediate = matches!(order.time_in_force, TimeInForce::Ioc | TimeInForce::Fok)
        || matches!(order.order_type, OrderType::Market);
    if let Some(display) = order.display {
        if !display.is_positive() || display > order.qty || !instrument.is_on_qty_step(display) {
            no("display quantity");
        }
        if immediate || order.order_type.limit().is_none() {
            no("display quantity of an order that does not rest");
        }
    }
    let prices = match order.order_type {
        OrderType::Market => [None, None],
        OrderType::Limit(price) | OrderType::Stop(price) | OrderType::TrailingStop(price) => {
            [Some(price), None]
        }
        OrderType::StopLimit { trigger, limit } => [Some(trigger), Some(limit)],
    };
    if prices.iter().flatten().any(|price| price.abs() > instrument.price_max) {
        no("price");
    }
    if prices.iter().flatten().any(|price| !instrument.is_on_price_step(*price)) {
        no("price between two steps");
    }
    if matches!(order.order_type, OrderType::TrailingStop(offset) if !offset.is_positive()) {
        no("trailing offset");
    }
    if order.post_only {
        if !matches!(order.order_type, OrderType::Limit(_) | OrderType::Market) {
            no("post-only without a limit price");
        }
        if immediate {
            no("post-only order that must trade at once");
        }
    }
}

/// The price an order is valued at: its limit, its trigger, the far side of the quote, or as far as a
/// trailing trigger may stand behind it. `None` where that side is not quoted.
pub fn reference_price(order: &PlaceOrder, quote: &Quote) -> Option<Price> {
    let far = || quote.side(order.side.opposite()).map(|(price, _)| price);
    match order.order_type {
        OrderType::Limit(price)
        | OrderType::StopLimit { limit: price, .. }
        | OrderType::Stop(price) => Some(price),
        OrderType::Market => far(),
        OrderType::TrailingStop(offset) => match order.side {
            // A buy wakes this much above the lowest price; a sell is worth no more than now.
            Side::Buy => far().map(|price| price.saturating_add(offset)),
            Side::Sell => far(),
        },
    }
}

/// What an order is worth at a price, without its sign.
fn worth(order: &PlaceOrder, instrument: &Instrument, price: Price) -> Option<Money> {
    instrument.value(price, order.qty)?.money.checked_abs()
}

/// Of an order without a price C18 says what is missing.
fn value(
    worth: Option<Option<Money>>,
    scene: &Scene<'_>,
    limit: Option<Money>,
    reduces: bool,
    refusals: &mut Vec<Refusal>,
) {
    if limit.is_none() && !reduces {
        refusals.push(Refusal::NoLimit { limit: "order_value_max" });
    }
    let value = match worth {
        None => return,
        Some(None) => {
            refusals.push(Refusal::Overflow);
            return;
        }
        Some(Some(value)) => value,
    };
    let least = scene.instrument.notional_min;
    if value < least && !reduces {
        refusals.push(Refusal::ValueTooSmall { value, least });
    }
    if let Some(limit) = limit
        && value > limit
    {
        refusals.push(Refusal::OrderValue { value, limit });
    }
}

fn price(
    order: &PlaceOrder,
    band: Option<(Price, Price)>,
    limit: Option<Rate>,
    reduces: bool,
    refusals: &mut Vec<Refusal>,
) {
    let Some(limit) = limit else {
        if !reduces {
            refusals.push(Refusal::NoLimit { limit: "collar_bps" });
        }
        return;
    };
    let (band, price) = match order.order_type {
        OrderType::Limit(price) => (band, price),
        // Where the market will be when it wakes.
        OrderType::StopLimit { trigger, limit: price } => {
            (trigger.checked_add(trigger).map(|twice| collar(twice.get(), limit)), price)
        }
        OrderType::Market | OrderType::Stop(_) | OrderType::TrailingStop(_) => return,
    };
    if let Some((low, high)) = band
        && (price < low || price > high)
    {
        refusals.push(Refusal::Collar { price, low, high });
    }
}

fn open_orders(
    scope: Scope,
    book: &Book,
    limit: Option<u32>,
    reduces: bool,
    refusals: &mut Vec<Refusal>,
) {
    match limit {
        Some(limit) if book.orders >= limit => {
            let after = book.orders.saturating_add(1);
            refusals.push(Refusal::OpenOrders { scope, after, limit });
        }
        None if !reduces && scope == Scope::Account => {
            refusals.push(Refusal::NoLimit { limit: "open_orders_max" });
        }
        _ => {}
    }
}

fn position(
    scope: Scope,
    order: &PlaceOrder,
    book: &Book,
    limit: Option<Qty>,
    name: &'static str,
    refusals: &mut Vec<Refusal>,
) {
    let Some(limit) = limit else {
        if scope == Scope::Account {
            refusals.push(Refusal::NoLimit { limit: name });
        }
        return;
    };
    let all = i128::from(book.open[order.side.index()].get()) + i128::from(order.qty.get());
    let position = i128::from(book.position.get());
    let (after, further) = match order.side {
        Side::Buy => (position + all, position + all),
        Side::Sell => (position - all, all - position),
    };
    if all > i128::from(i64::MAX) {
        refusals.push(Refusal::Overflow);
    } else if further > i128::from(limit.get()) {
        let limit = Qty::new(limit.get().saturating_mul(order.side.sign()));
        refusals.push(match i64::try_from(after) {
            Ok(after) => Refusal::Position { scope, after: Qty::new(after), limit },
            Err(_) => Refusal::Overflow,
        });
    }
}

fn funds(held: Option<Option<Reserve>>, scene: &Scene<'_>, refusals: &mut Vec<Refusal>) {
    let needed = match held {
        None => return, // no price: missing data, which C18 names
        Some(None) => {
            refusals.push(Refusal::Overflow);
            return;
        }
        Some(Some(reserve)) => reserve.amount,
    };
    match scene.free {
        Some(free) if needed <= free => {}
        Some(free) => refusals.push(Refusal::Funds { needed, free }),
        None => refusals.push(Refusal::Funds { needed, free: Money::ZERO }),
    }
}

fn self_trade(order: &PlaceOrder, scene: &Scene<'_>, mode: SelfTrade, refusals: &mut Vec<Refusal>) {
    let Some(own) = scene.own_opposite else { return };
    let crosses = match order.order_type.limit() {
        Some(price) => order.side.reaches(price, own),
        None => true,
    };
    if crosses && mode != SelfTrade::CancelOld && !scene.closing {
        refusals.push(Refusal::SelfTrade { own });
    }
}

fn data(scene: &Scene<'_>, limit: Option<Span>, reduces: bool, refusals: &mut Vec<Refusal>) {
    let mut bad = |data| refusals.push(Refusal::Data(data));
    if !reduces {
        // A mid is what prices are measured by: one side alone is not enough.
        match (scene.age, limit) {
            (None, _) => bad(BadData::Missing),
            _ if scene.quote.twice_mid().is_none() => bad(BadData::Missing),
            (Some(age), Some(limit)) if age > limit => bad(BadData::Stale { age, limit }),
            _ => {}
        }
        if !scene.valid {
            bad(BadData::Invalid);
        }
    }
    if !scene.open {
        bad(BadData::Closed);
    }
    if limit.is_none() && !reduces {
        refusals.push(Refusal::NoLimit { limit: "data_age_max" });
    }
}

#[cfg(test)]
mod tests;
