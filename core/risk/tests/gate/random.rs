//! Whatever the figures: the gate never panics, and what it approves is within every limit, judged by
//! arithmetic that shares nothing with it.

use crate::stage::{Stage, cents, dec, instrument, limit, spec};
use tse_model::{
    Chance, FeeBasis, FeeSchedule, InstrumentSpec, Money, OrderType, PlaceOrder, Price, Qty, Quote,
    Rate, Rounding, Settlement, Side, Span, TimeInForce,
};
use tse_risk::{BadClock, Book, Exposed, Level, Limits, Measure, Repeats, Scope, SelfTrade};

/// A number that is small, or anything, or an end of the range.
fn extreme(chance: &mut Chance) -> i64 {
    match chance.below(8) {
        0 => chance.between(i64::MIN, i64::MAX),
        1 => i64::MAX - chance.between(0, 2),
        2 => i64::MIN + chance.between(0, 2),
        3 => chance.between(-2, 2),
        _ => chance.between(-2_000, 2_000),
    }
}

/// Mostly above zero, as it should be.
fn size(chance: &mut Chance) -> i64 {
    if chance.one_in(7, 8) { extreme(chance).saturating_abs() } else { extreme(chance) }
}

fn maybe<T>(chance: &mut Chance, value: T) -> Option<T> {
    chance.one_in(15, 16).then_some(value)
}

fn limits(chance: &mut Chance) -> Limits {
    let modes = [SelfTrade::RejectNew, SelfTrade::CancelOld, SelfTrade::CancelBoth];
    let (a, b, c, d, e) = (size(chance), size(chance), size(chance), size(chance), size(chance));
    let value = if chance.one_in(1, 4) { i128::MAX } else { i128::from(a) * i128::from(b) };
    let repeats = Repeats { window: Span::from_nanos(size(chance)), count: c as u32 };
    let age = size(chance);
    let collar = if chance.one_in(1, 2) { chance.between(0, 1_000_000_000) } else { size(chance) };
    Limits {
        swing: None,
        order_qty_max: maybe(chance, Qty::new(a)),
        order_value_max: maybe(chance, Money::from_units(value)),
        collar: maybe(chance, Rate::from_billionths(collar)),
        repeats: maybe(chance, repeats),
        open_orders_max: maybe(chance, d as u32),
        long_max: maybe(chance, Qty::new(d)),
        short_max: maybe(chance, Qty::new(e)),
        self_trade: modes[chance.below(3) as usize],
        data_age_max: maybe(chance, Span::from_nanos(age)),
    }
}

fn book(chance: &mut Chance) -> Book {
    let open = [size(chance).max(0), size(chance).max(0)].map(Qty::new);
    Book { position: Qty::new(extreme(chance)), open, orders: chance.below(2_000) as u32 }
}

fn quote(chance: &mut Chance) -> Quote {
    let wild = chance.one_in(1, 4);
    let bid = if wild { extreme(chance) } else { chance.between(-500, 1_500) };
    let ask = if wild { extreme(chance) } else { bid + chance.between(-1, 20) };
    let qty = |chance: &mut Chance| Qty::new(if chance.one_in(1, 9) { 0 } else { 5 });
    Quote { bid: Price::new(bid), bid_qty: qty(chance), ask: Price::new(ask), ask_qty: qty(chance) }
}

fn order(chance: &mut Chance, quote: &Quote) -> PlaceOrder {
    let side = Side::BOTH[chance.below(2) as usize];
    let near = quote.bid.get().saturating_add(chance.between(-30, 30));
    let mut price = || Price::new(if chance.one_in(3, 4) { near } else { extreme(chance) });
    let (a, b) = (price(), price());
    let order_type = match chance.below(8) {
        0 | 1 => OrderType::Market,
        2 => OrderType::Stop(a),
        3 => OrderType::StopLimit { trigger: a, limit: b },
        4 => OrderType::TrailingStop(b),
        _ => OrderType::Limit(a),
    };
    let times = [TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok, TimeInForce::Day];
    PlaceOrder {
        order_type,
        time_in_force: times[chance.below(4) as usize],
        display: chance.one_in(1, 4).then(|| Qty::new(size(chance))),
        post_only: chance.one_in(1, 4),
        reduce_only: chance.one_in(1, 4),
        ..limit(side, size(chance), 0)
    }
}

fn markets() -> Vec<InstrumentSpec> {
    let rate = |bps: &str| Rate::from_bps(dec(bps)).unwrap();
    let mut specs = Vec::new();
    for symbol in ["IBM-USD.X", "IBM-USD-PERP.X", "BTC-USD-PERP:BTC.X"] {
        for bounded in [true, false] {
            let mut spec = spec(symbol);
            if !bounded {
                (spec.qty_max, spec.price_max) = (None, None);
            }
            let basis = FeeBasis::Value { maker: rate("-1"), taker: rate("7.5") };
            spec.fees = FeeSchedule::flat(basis, Rounding::HalfEven);
            spec.margin_initial = dec("0.37");
            spec.notional_min = dec("0.05");
            specs.push(spec);
        }
    }
    specs
}

fn wide(qty: Qty) -> i128 {
    i128::from(qty.get())
}

/// Everything an approved order must satisfy.
fn judge(stage: &Stage, asked: &PlaceOrder, sent: &PlaceOrder) {
    let both = [&stage.own, &stage.wide];
    let sign = i128::from(sent.side.sign());
    let books = [stage.strategy, stage.account];
    let reduces = books.iter().all(|book| {
        let held = -sign * wide(book.position);
        held > 0 && wide(sent.qty) + wide(book.open[sent.side.index()]) <= held
    });
    assert!(sent.qty >= stage.instrument.qty_min && sent.qty <= stage.instrument.qty_max);
    assert!(stage.open && !stage.latched);
    assert!(reduces || !sent.reduce_only);
    assert!(stage.closing || (stage.armed && stage.allowed));
    assert!(match stage.level {
        Level::Free => true,
        Level::Pause | Level::Reduce | Level::Cancel => reduces,
        Level::Flatten => stage.closing,
        Level::Halt | Level::Sever => false,
    });
    assert!(reduces || stage.in_flight.is_none_or(|(after, most)| after <= most));
    assert!(reduces || stage.unvalued.is_none());
    assert!(reduces || (stage.clock.is_none() && stage.swing.is_none()));
    assert!(stage.attributed);
    let over = stage.exposed.iter().any(|it| it.value > it.limit);
    assert!(reduces || !(over || stage.unmeasured.is_some()));
    let too_many = stage.too_many.is_some() || stage.per_trade.is_some();
    assert!(reduces || stage.closing || !too_many);
    let tightest = |of: fn(&Limits) -> Option<i128>| both.into_iter().filter_map(of).min();
    if let Some(max) = tightest(|it| it.order_qty_max.map(wide)) {
        assert!(wide(sent.qty) <= max);
    }
    // What it could cost at the price it shows.
    let price = match sent.order_type {
        OrderType::Limit(price) | OrderType::StopLimit { limit: price, .. } => Some(price),
        OrderType::Stop(price) => Some(price),
        OrderType::Market => None,
        OrderType::TrailingStop(offset) => {
            let far = stage.quote.side(sent.side.opposite()).map(|(price, _)| price);
            far.map(|price| if sign > 0 { price.saturating_add(offset) } else { price })
        }
    };
    if let Some(price) = price
        && let Some(max) = tightest(|it| it.order_value_max.map(Money::units))
    {
        let value = stage.instrument.value(price, sent.qty).expect("a value that fits").money;
        assert!(value.units().abs() <= max);
    }
    assert!(reduces || price.is_some());
    // No market order leaves where there is a mid to bound it by.
    let bounded = stage.quote.twice_mid().is_some() && both.iter().any(|it| it.collar.is_some());
    assert!(!(bounded && sent.order_type == OrderType::Market));
    if let (OrderType::Limit(price), Some(twice)) = (sent.order_type, stage.quote.twice_mid())
        && let Some(collar) = tightest(|it| it.collar.map(|rate| i128::from(rate.billionths())))
    {
        let off = (2 * i128::from(price.get()) - i128::from(twice)).abs();
        let limit = i128::from(twice).abs() * collar;
        // Beyond the ends of the integers a market order stops at their end.
        let at_the_end = [i64::MIN, i64::MAX].contains(&price.get());
        assert!(
            off * 1_000_000_000 <= limit || (at_the_end && asked.order_type != sent.order_type)
        );
    }
    // What is closed by the kill switch is held by nothing that a strategy has used up.
    let count = tightest(|it| it.repeats.map(|it| i128::from(it.count)));
    assert!(stage.closing || count.is_none_or(|count| i128::from(stage.repeats) < count));
    let room = |max: Option<u32>, orders| stage.closing || max.is_none_or(|max| orders < max);
    assert!(room(stage.wide.open_orders_max, stage.account.orders));
    assert!(room(stage.own.open_orders_max, stage.strategy.orders));
    if let (Some(own), SelfTrade::RejectNew, false) =
        (stage.own_opposite, stage.wide.self_trade, stage.closing)
    {
        assert!(sent.order_type.limit().is_some_and(|price| !sent.side.reaches(price, own)));
    }
    if reduces {
        return;
    }
    for (book, limits) in books.into_iter().zip(both) {
        let after =
            wide(book.position) * sign + wide(book.open[sent.side.index()]) + wide(sent.qty);
        let max = if sign > 0 { limits.long_max } else { limits.short_max };
        assert!(max.is_none_or(|max| after <= wide(max)));
    }
    assert!(stage.own.within(stage.wide).missing().iter().all(|name| {
        // Only the limit of the other side may be missing.
        *name == if sign > 0 { "short_max" } else { "long_max" }
    }));
    let free = stage.free.expect("money that is known").units();
    let delivers = stage.instrument.settlement == Settlement::Delivery;
    if delivers && sent.side == Side::Sell {
        assert!(wide(sent.qty) * stage.instrument.base_units_per_lot <= free);
    } else if delivers {
        let price = price.expect("it has one");
        let value = stage.instrument.value(price, sent.qty).expect("a value").money.units().abs();
        assert!(value <= free);
    }
    let age = stage.age.expect("data");
    assert!(stage.valid && stage.quote.twice_mid().is_some());
    assert!(
        tightest(|it| it.data_age_max.map(|it| i128::from(it.nanos())))
            .is_some_and(|max| i128::from(age.nanos()) <= max)
    );
}

#[test]
fn no_figures_make_the_gate_panic_or_let_anything_through() {
    let mut chance = Chance::stream(11, "gate");
    let markets: Vec<_> = markets().into_iter().map(instrument).collect();
    let mut stage = Stage::spot();
    let (mut approved, mut opened) = (0, 0);
    // Two million, or as many as whoever runs mutants has time for; then they need not say much.
    let wanted = std::env::var("TSE_GATE_ORDERS").ok().and_then(|text| text.parse().ok());
    let orders: u32 = wanted.unwrap_or(2_000_000);
    for _ in 0..orders {
        let chance = &mut chance;
        stage.instrument = markets[chance.below(markets.len() as u64) as usize].clone();
        stage.quote = quote(chance);
        let (age, free) = (size(chance), size(chance).into());
        stage.age = maybe(chance, Span::from_nanos(age));
        stage.valid = chance.one_in(15, 16);
        stage.open = chance.one_in(15, 16);
        stage.latched = chance.one_in(1, 16);
        (stage.strategy, stage.account) = (book(chance), book(chance));
        (stage.own, stage.wide) = (limits(chance), limits(chance));
        stage.repeats = chance.below(300) as u32;
        let level = Level::ALL[chance.below(7) as usize];
        stage.level = if chance.one_in(1, 16) { level } else { Level::Free };
        stage.closing = chance.one_in(1, 8);
        stage.armed = chance.one_in(31, 32);
        stage.allowed = chance.one_in(31, 32);
        stage.too_many = chance.one_in(1, 32).then_some((Scope::Strategy, (2, 1)));
        stage.per_trade = chance.one_in(1, 32).then_some((Scope::Strategy, (2, 1)));
        stage.unvalued = chance.one_in(1, 32).then_some(Scope::Account);
        stage.clock = chance.one_in(1, 32).then_some(BadClock::Unknown);
        stage.swing = chance.one_in(1, 32).then_some((1, 2));
        stage.attributed = chance.one_in(31, 32);
        stage.unmeasured = chance.one_in(1, 32).then_some(Scope::Account);
        let exposed = Exposed {
            scope: Scope::Account,
            measure: Measure::Gross,
            value: cents(i128::from(chance.between(0, 34))),
            limit: cents(32),
        };
        stage.exposed = vec![exposed; chance.below(3) as usize];
        stage.in_flight = chance.one_in(1, 32).then(|| (chance.below(4) as u32, 2));
        stage.own_opposite = chance.one_in(1, 4).then(|| Price::new(extreme(chance)));
        let free = if chance.one_in(1, 2) { i128::MAX } else { free };
        stage.free = maybe(chance, cents(free));
        let asked = order(chance, &stage.quote);
        if let Ok(sent) = stage.review(asked) {
            judge(&stage, &asked, &sent);
            approved += 1;
            opened += u32::from(stage.strategy.closable(sent.side) < sent.qty);
        }
    }
    assert!(
        approved > orders / 2_000 && opened > orders / 20_000,
        "too few passed to say anything: {approved}, {opened}"
    );
}
