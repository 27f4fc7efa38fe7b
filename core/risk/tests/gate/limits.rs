//! C03, C04, C08, C10, C11: how much, how dear, how often, how many, how far.

use crate::stage::{Stage, buy, cents, limit, market, sell};
use tse_model::{OrderType, PlaceOrder, Price, Qty, Side};
use tse_risk::{Book, Limits, Refusal, Repeats, Scope};

fn missing(limit: &'static str) -> Refusal {
    Refusal::NoLimit { limit }
}

/// Sets one limit in each scope in turn: the refusal is the same.
fn in_either_scope(stage: &Stage, set: impl Fn(&mut Limits), then: impl Fn(&Stage)) {
    then(&stage.but(|it| set(&mut it.wide)));
    then(&stage.but(|it| set(&mut it.own)));
}

#[test]
fn c03_an_order_is_no_larger_than_allowed() {
    let set = |limits: &mut Limits| limits.order_qty_max = Some(Qty::new(20));
    in_either_scope(&Stage::spot(), set, |stage| {
        for side in Side::BOTH {
            stage.passes(limit(side, 19, 1_000));
            stage.passes(limit(side, 20, 1_000));
            let too_much = Refusal::OrderQty { qty: Qty::new(21), limit: Qty::new(20) };
            stage.refuses(limit(side, 21, 1_000), too_much);
        }
    });
    // A slip of the finger is one in either direction.
    let stage = Stage::spot().holding(50, [0, 0]).but(|it| set(&mut it.own));
    let too_much = Refusal::OrderQty { qty: Qty::new(21), limit: Qty::new(20) };
    stage.refuses(sell(21, 1_000), too_much);
}

#[test]
fn c04_an_order_is_worth_no_more_than_allowed() {
    let set = |limits: &mut Limits| limits.order_value_max = Some(cents(10_000));
    in_either_scope(&Stage::spot(), set, |stage| {
        for side in Side::BOTH {
            stage.passes(limit(side, 10, 999));
            stage.passes(limit(side, 10, 1_000));
            let too_dear = Refusal::OrderValue { value: cents(10_010), limit: cents(10_000) };
            stage.refuses(limit(side, 10, 1_001), too_dear);
        }
        // A market order at the end of its collar, a stop at its trigger, a stop-limit at its limit,
        // a trailing stop as far as its trigger may stand from the market.
        let value = |order: PlaceOrder| match stage.review(order) {
            Err(refusals) => match refusals[..] {
                [Refusal::OrderValue { value, .. }] => value.units(),
                ref other => panic!("{other:?}"),
            },
            Ok(order) => panic!("{order:?}"),
        };
        assert_eq!(value(market(Side::Buy, 10)), 10_500);
        assert_eq!(value(market(Side::Sell, 11)), 11 * 950);
        let typed = |order_type, side| PlaceOrder { order_type, ..limit(side, 10, 0) };
        let stop = OrderType::Stop(Price::new(1_030));
        assert_eq!(value(typed(stop, Side::Buy)), 10_300);
        let (trigger, limit) = (Price::new(1_000), Price::new(1_040));
        assert_eq!(value(typed(OrderType::StopLimit { trigger, limit }, Side::Buy)), 10_400);
        let trail = OrderType::TrailingStop(Price::new(30));
        assert_eq!(value(typed(trail, Side::Buy)), 10_400, "the ask and the offset");
        let order = PlaceOrder { qty: Qty::new(11), ..typed(trail, Side::Sell) };
        assert_eq!(value(order), 11 * 990, "the bid");
    });
}

#[test]
fn c08_the_same_order_is_sent_only_so_often() {
    let set = |limits: &mut Limits| {
        limits.repeats = Some(Repeats { window: tse_model::Span::from_secs(1), count: 3 });
    };
    in_either_scope(&Stage::spot(), set, |stage| {
        for side in Side::BOTH {
            for (before, passes) in [(0, true), (2, true), (3, false), (u32::MAX, false)] {
                let stage = stage.but(|it| it.repeats = before);
                if passes {
                    stage.passes(limit(side, 10, 1_000));
                } else {
                    let count = before.saturating_add(1);
                    stage.refuses(limit(side, 10, 1_000), Refusal::Repeated { count, limit: 3 });
                }
            }
        }
    });
}

#[test]
fn c10_only_so_many_orders_are_open() {
    let stage = Stage::spot().but(|it| it.wide.open_orders_max = Some(3));
    for side in Side::BOTH {
        for (open, passes) in [(2, true), (3, false), (u32::MAX, false)] {
            let after = open.saturating_add(1);
            let refusal = |scope| Refusal::OpenOrders { scope, after, limit: 3 };
            // The account's limit, and where a strategy has none of its own, it is the strategy's too.
            let account = stage.but(|it| it.account.orders = open);
            let strategy = stage.but(|it| it.strategy.orders = open);
            let order = limit(side, 10, 1_000);
            if passes {
                account.passes(order);
                strategy.passes(order);
            } else {
                account.refuses(order, refusal(Scope::Account));
                strategy.refuses(order, refusal(Scope::Strategy));
            }
        }
    }
    let own = stage.but(|it| (it.own.open_orders_max, it.strategy.orders) = (Some(1), 1));
    let refusal = Refusal::OpenOrders { scope: Scope::Strategy, after: 2, limit: 1 };
    own.refuses(buy(10, 1_000), refusal);
}

#[test]
fn c11_a_position_counts_everything_open_on_its_side() {
    let reach = |scope, after, limit| Refusal::Position {
        scope,
        after: Qty::new(after),
        limit: Qty::new(limit),
    };
    for scope in [Scope::Strategy, Scope::Account] {
        let holding = |position, open: [i64; 2]| {
            Stage::spot().but(|it| {
                let book = Book {
                    position: Qty::new(position),
                    open: open.map(Qty::new),
                    ..Book::default()
                };
                match scope {
                    Scope::Strategy => it.strategy = book,
                    Scope::Account => it.account = book,
                }
            })
        };
        // 200 long, 150 short.
        holding(150, [30, 0]).passes(buy(19, 1_000));
        holding(150, [30, 0]).passes(buy(20, 1_000));
        holding(150, [30, 0]).refuses(buy(21, 1_000), reach(scope, 201, 200));
        holding(-100, [0, 30]).passes(sell(19, 1_000));
        holding(-100, [0, 30]).passes(sell(20, 1_000));
        holding(-100, [0, 30]).refuses(sell(21, 1_000), reach(scope, -151, -150));
        // The other side may never fill: it helps nobody.
        holding(150, [30, 99]).refuses(buy(21, 1_000), reach(scope, 201, 200));
        holding(-100, [99, 30]).refuses(sell(21, 1_000), reach(scope, -151, -150));
        // Through zero only what is beyond counts.
        holding(60, [0, 0]).passes(sell(100, 1_000));
        holding(-60, [0, 0]).passes(buy(100, 1_000));
    }
}

#[test]
fn c11_a_position_beyond_its_limit_may_shrink_and_not_grow() {
    let stage = Stage::spot().holding(500, [0, 0]);
    stage.passes(sell(10, 1_000));
    stage.passes(sell(100, 1_000));
    let after =
        |after, scope| Refusal::Position { scope, after: Qty::new(after), limit: Qty::new(200) };
    let both = [Scope::Strategy, Scope::Account].map(|scope| after(510, scope));
    assert_eq!(stage.review(buy(10, 1_000)), Err(both.to_vec()));
}

#[test]
fn c11_sums_that_no_integer_holds_are_refused_even_where_the_position_would_fit() {
    let stage = Stage::spot().but(|it| {
        (it.wide.long_max, it.wide.short_max) = (Some(Qty::MAX), Some(Qty::MAX));
        it.account.position = Qty::MIN;
        it.account.open = [Qty::new(i64::MAX - 9), Qty::ZERO];
    });
    stage.passes(buy(9, 1_000));
    stage.refuses(buy(10, 1_000), Refusal::Overflow);
}

#[test]
fn c11_a_reduce_only_order_never_opens_a_position() {
    let only = |order| PlaceOrder { reduce_only: true, ..order };
    let room = |qty, room| Refusal::ReduceOnly { qty: Qty::new(qty), room: Qty::new(room) };
    let long = Stage::spot().holding(10, [0, 0]);
    long.passes(only(sell(10, 1_000)));
    long.refuses(only(sell(11, 1_000)), room(11, 10));
    long.refuses(only(buy(5, 1_000)), room(5, 0));
    // What is already open on its side may fill first.
    let busy = Stage::spot().holding(10, [0, 4]);
    busy.passes(only(sell(6, 1_000)));
    busy.refuses(only(sell(7, 1_000)), room(7, 6));
    let short = Stage::spot().holding(-10, [3, 0]);
    short.passes(only(buy(7, 1_000)));
    short.refuses(only(buy(8, 1_000)), room(8, 7));
    Stage::spot().refuses(only(buy(2, 1_000)), room(2, 0));
    // The venue nets all strategies: what closes ours must not open the account's.
    let netted = long.but(|it| it.account.position = Qty::new(4));
    netted.passes(only(sell(4, 1_000)));
    netted.refuses(only(sell(5, 1_000)), room(5, 4));
}

#[test]
fn c25_a_limit_that_nobody_set_refuses_what_adds_risk_and_not_what_reduces() {
    type Unset = fn(&mut Limits);
    let cases: [(&str, Side, Unset); 9] = [
        ("order_qty_max", Side::Buy, |it| it.order_qty_max = None),
        ("order_value_max", Side::Buy, |it| it.order_value_max = None),
        ("collar_bps", Side::Buy, |it| it.collar = None),
        ("repeats", Side::Buy, |it| it.repeats = None),
        ("open_orders_max", Side::Sell, |it| it.open_orders_max = None),
        ("long_max", Side::Buy, |it| it.long_max = None),
        ("short_max", Side::Sell, |it| it.short_max = None),
        ("data_age_max", Side::Sell, |it| it.data_age_max = None),
        ("data_age_max", Side::Buy, |it| it.data_age_max = None),
    ];
    for (name, side, unset) in cases {
        let stage = Stage::spot().but(|it| unset(&mut it.wide));
        assert!(stage.wide.missing().contains(&name));
        stage.refuses(limit(side, 10, 1_000), missing(name));
        stage.clone().holding(-10 * side.sign(), [0, 0]).passes(limit(side, 10, 1_000));
        // One lot more than there is to close adds risk again.
        stage.holding(-9 * side.sign(), [0, 0]).refuses(limit(side, 10, 1_000), missing(name));
    }
}

#[test]
fn c25_a_strategy_inherits_the_accounts_limits_and_cannot_stand_in_for_them() {
    // Only the strategy says how far; nobody says how far all strategies together may go.
    let stage = Stage::spot().but(|it| std::mem::swap(&mut it.own, &mut it.wide));
    let refusals = stage.review(buy(10, 1_000)).unwrap_err();
    assert_eq!(refusals, [missing("open_orders_max"), missing("long_max")]);
}

#[test]
fn a_strategys_looser_limit_changes_nothing() {
    let stage = Stage::spot().but(|it| {
        it.own = Limits {
            order_qty_max: Some(Qty::MAX),
            order_value_max: Some(cents(i128::MAX)),
            collar: Some(tse_model::Rate::from_billionths(i64::MAX)),
            repeats: Some(Repeats { window: tse_model::Span::ZERO, count: u32::MAX }),
            open_orders_max: Some(u32::MAX),
            long_max: Some(Qty::MAX),
            short_max: Some(Qty::MAX),
            data_age_max: Some(tse_model::Span::MAX),
            ..Limits::default()
        }
    });
    assert_eq!(stage.own.within(stage.wide), Limits { repeats: stage.wide.repeats, ..stage.wide });
    stage.refuses(buy(101, 980), Refusal::OrderQty { qty: Qty::new(101), limit: Qty::new(100) });
}
