//! The pre-trade gate: every order passes here, or is never sent.
//!
//! Checks run in the order of the catalogue and all of them run, so that a refusal names everything
//! that is wrong. Missing information refuses whatever adds risk; an order that verifiably shrinks a
//! position passes the checks on position, funds and data. The gate decides on the [`Scene`] it is
//! given and knows nothing else.

use crate::{BadData, Limits, Refusal, Scope, SelfTrade};
use tse_model::{
    Instrument, Money, OrderType, PlaceOrder, Price, Qty, Quote, Rate, Side, Span, TimeInForce,
};

/// Proof that a request passed the gate. Only this crate can make one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Approved<T>(T);

impl<T> Approved<T> {
    /// What was approved.
    pub fn get(&self) -> &T {
        &self.0
    }
    /// What was approved, to be sent.
    pub fn into_inner(self) -> T {
        self.0
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

/// Everything the gate decides on.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// What is to be traded.
    pub instrument: &'a Instrument,
    /// The newest best bid and ask.
    pub quote: &'a Quote,
    /// How old they are; `None` if there never were any.
    pub age: Option<Span>,
    /// Whether the book may be believed.
    pub valid: bool,
    /// Whether the venue takes orders.
    pub open: bool,
    /// The strategy's own book and limits.
    pub strategy: (Book, &'a Limits),
    /// The account's book and limits.
    pub account: (Book, &'a Limits),
    /// How often the same order was sent within the window of the tighter limit.
    pub repeats: u32,
    /// Our best order on the other side, of any strategy in the account.
    pub own_opposite: Option<Price>,
    /// What is free in the currency the order needs, open orders and margin subtracted; `None` if
    /// it cannot be known.
    pub free: Option<Money>,
}

/// Reviews one order. Adds what is wrong to `refusals`; approves if there is nothing.
///
/// A market order is approved as a limit order that trades at once, at the far end of the collar
/// (C05): no order without a price leaves.
pub fn review(
    order: PlaceOrder,
    scene: &Scene<'_>,
    refusals: &mut Vec<Refusal>,
) -> Option<Approved<PlaceOrder>> {
    let before = refusals.len();
    let limits = scene.strategy.1.within(*scene.account.1);
    let reduces = is_reduction(&order, &scene.strategy.0) && is_reduction(&order, &scene.account.0);
    let band = collar(scene.quote, limits.collar);
    let order = protect(order, band);

    valid(&order, scene.instrument, refusals); // C01
    match limits.order_qty_max {
        Some(limit) if order.qty > limit => {
            refusals.push(Refusal::OrderQty { qty: order.qty, limit })
        } // C03
        None if !reduces => refusals.push(Refusal::NoLimit { limit: "order_qty_max" }),
        _ => {}
    }
    value(&order, scene, limits.order_value_max, reduces, refusals); // C04
    price(&order, band, limits.collar, reduces, refusals); // C05
    match limits.repeats {
        Some(limit) if scene.repeats >= limit.count => {
            refusals.push(Refusal::Repeated { count: scene.repeats + 1, limit: limit.count }); // C08
        }
        None if !reduces => refusals.push(Refusal::NoLimit { limit: "repeats" }),
        _ => {}
    }
    for (scope, (book, limits)) in
        [(Scope::Strategy, scene.strategy), (Scope::Account, scene.account)]
    {
        open_orders(scope, &book, limits, reduces, refusals); // C10
        position(scope, &order, &book, limits, reduces, refusals); // C11
    }
    if !reduces {
        funds(&order, scene, refusals); // C13
    }
    self_trade(&order, scene, limits.self_trade, refusals); // C14
    if !reduces {
        data(scene, limits.data_age_max, refusals); // C18
    } else if !scene.open {
        refusals.push(Refusal::Data(BadData::Closed));
    }
    (refusals.len() == before).then_some(Approved(order))
}

/// Whether the order can only shrink the position, whatever else is open on its side.
fn is_reduction(order: &PlaceOrder, book: &Book) -> bool {
    let held = -book.position.signed(order.side).get();
    let open = book.open[order.side.index()].get();
    held > 0 && order.qty.get().checked_add(open).is_some_and(|all| all <= held)
}

/// The band of prices around the mid; `None` without a mid, or without a limit.
fn collar(quote: &Quote, limit: Option<Rate>) -> Option<(Price, Price)> {
    let twice = quote.twice_mid()?;
    let share = i128::from(twice.unsigned_abs()) * i128::from(limit?.billionths());
    let width = i64::try_from(share / (2 * i128::from(Rate::ONE))).ok()?;
    // Rounded inwards.
    let (low, high) = (twice.checked_add(1)?.div_euclid(2), twice.div_euclid(2));
    Some((Price::new(low.checked_sub(width)?), Price::new(high.checked_add(width)?)))
}

/// A market order becomes a limit at the far end of the band.
fn protect(order: PlaceOrder, band: Option<(Price, Price)>) -> PlaceOrder {
    match (order.order_type, band) {
        (OrderType::Market, Some((low, high))) => PlaceOrder {
            order_type: OrderType::Limit(if order.side == Side::Buy { high } else { low }),
            time_in_force: match order.time_in_force {
                TimeInForce::Fok => TimeInForce::Fok,
                _ => TimeInForce::Ioc,
            },
            ..order
        },
        _ => order,
    }
}

fn valid(order: &PlaceOrder, instrument: &Instrument, refusals: &mut Vec<Refusal>) {
    let mut no = |what| refusals.push(Refusal::Invalid { what });
    if order.qty < instrument.qty_min || order.qty > instrument.qty_max {
        no("quantity");
    }
    if order.display.is_some_and(|display| !display.is_positive() || display > order.qty) {
        no("display quantity");
    }
    let outside = |price: Price| price.abs() > instrument.price_max;
    let prices = match order.order_type {
        OrderType::Market => [None, None],
        OrderType::Limit(price) | OrderType::Stop(price) => [Some(price), None],
        OrderType::StopLimit { trigger, limit } => [Some(trigger), Some(limit)],
        OrderType::TrailingStop(offset) => [Some(offset).filter(|_| offset.is_positive()), None],
    };
    if prices.iter().flatten().any(|price| outside(*price)) {
        no("price");
    }
    if matches!(order.order_type, OrderType::TrailingStop(offset) if !offset.is_positive()) {
        no("trailing offset");
    }
    if order.post_only && !matches!(order.order_type, OrderType::Limit(_)) {
        no("post-only without a limit price");
    }
}

/// The price an order is valued at: its limit, its trigger, or the far side of the quote.
pub fn reference_price(order: &PlaceOrder, quote: &Quote) -> Option<Price> {
    match order.order_type {
        OrderType::Limit(price)
        | OrderType::StopLimit { limit: price, .. }
        | OrderType::Stop(price) => Some(price),
        OrderType::Market | OrderType::TrailingStop(_) => {
            quote.side(order.side.opposite()).map(|(price, _)| price)
        }
    }
}

fn value(
    order: &PlaceOrder,
    scene: &Scene<'_>,
    limit: Option<Money>,
    reduces: bool,
    refusals: &mut Vec<Refusal>,
) {
    let Some(price) = reference_price(order, scene.quote) else {
        if !reduces {
            refusals.push(Refusal::Data(BadData::Missing));
        }
        return;
    };
    let value =
        scene.instrument.value(price, order.qty).and_then(|value| value.money.checked_abs());
    let Some(value) = value else {
        refusals.push(Refusal::Overflow);
        return;
    };
    if value < scene.instrument.notional_min && !reduces {
        refusals.push(Refusal::Invalid { what: "value" });
    }
    match limit {
        Some(limit) if value > limit => refusals.push(Refusal::OrderValue { value, limit }),
        None if !reduces => refusals.push(Refusal::NoLimit { limit: "order_value_max" }),
        _ => {}
    }
}

fn price(
    order: &PlaceOrder,
    band: Option<(Price, Price)>,
    limit: Option<Rate>,
    reduces: bool,
    refusals: &mut Vec<Refusal>,
) {
    match (band, order.order_type.limit()) {
        (Some((low, high)), Some(price)) if price < low || price > high => {
            refusals.push(Refusal::Collar { price, low, high });
        }
        (Some(_), _) => {}
        (None, _) if reduces => {}
        (None, _) if limit.is_none() => refusals.push(Refusal::NoLimit { limit: "collar_bps" }),
        (None, _) => refusals.push(Refusal::Data(BadData::Missing)),
    }
}

fn open_orders(
    scope: Scope,
    book: &Book,
    limits: &Limits,
    reduces: bool,
    refusals: &mut Vec<Refusal>,
) {
    match limits.open_orders_max {
        Some(limit) if book.orders >= limit => {
            refusals.push(Refusal::OpenOrders {
                scope,
                after: book.orders.saturating_add(1),
                limit,
            });
        }
        None if !reduces => refusals.push(Refusal::NoLimit { limit: "open_orders_max" }),
        _ => {}
    }
}

fn position(
    scope: Scope,
    order: &PlaceOrder,
    book: &Book,
    limits: &Limits,
    reduces: bool,
    refusals: &mut Vec<Refusal>,
) {
    if reduces {
        return;
    }
    let (name, limit) = match order.side {
        Side::Buy => ("long_max", limits.long_max),
        Side::Sell => ("short_max", limits.short_max),
    };
    let Some(limit) = limit else {
        refusals.push(Refusal::NoLimit { limit: name });
        return;
    };
    let all = book.open[order.side.index()].checked_add(order.qty);
    match all.and_then(|all| book.position.checked_add(all.signed(order.side))) {
        Some(after) if after.signed(order.side) > limit => {
            refusals.push(Refusal::Position { scope, after, limit: limit.signed(order.side) });
        }
        Some(_) => {}
        None => refusals.push(Refusal::Overflow),
    }
}

fn funds(order: &PlaceOrder, scene: &Scene<'_>, refusals: &mut Vec<Refusal>) {
    let Some(price) = reference_price(order, scene.quote) else {
        return; // refused as missing data already
    };
    let Some(needed) = crate::reserve(scene.instrument, order.side, price, order.qty) else {
        refusals.push(Refusal::Overflow);
        return;
    };
    match scene.free {
        Some(free) if needed.amount <= free => {}
        Some(free) => refusals.push(Refusal::Funds { needed: needed.amount, free }),
        None => refusals.push(Refusal::Funds { needed: needed.amount, free: Money::ZERO }),
    }
}

fn self_trade(order: &PlaceOrder, scene: &Scene<'_>, mode: SelfTrade, refusals: &mut Vec<Refusal>) {
    let Some(own) = scene.own_opposite else { return };
    let crosses = match order.order_type.limit() {
        Some(price) => order.side.reaches(price, own),
        None => true,
    };
    if crosses && mode != SelfTrade::CancelOld {
        refusals.push(Refusal::SelfTrade { own });
    }
}

fn data(scene: &Scene<'_>, limit: Option<Span>, refusals: &mut Vec<Refusal>) {
    let bad = match (scene.age, limit) {
        (_, None) => {
            refusals.push(Refusal::NoLimit { limit: "data_age_max" });
            return;
        }
        (None, _) => BadData::Missing,
        (Some(age), Some(limit)) if age > limit => BadData::Stale { age, limit },
        _ if !scene.valid => BadData::Invalid,
        _ if !scene.open => BadData::Closed,
        _ => return,
    };
    refusals.push(Refusal::Data(bad));
}
