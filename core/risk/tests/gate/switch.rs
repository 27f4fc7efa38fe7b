//! K1 to K6 and what has just begun, C02, C06, C21, C22: whether anything may be sent at all.

use crate::stage::{Stage, buy, sell};
use tse_model::{PlaceOrder, Span};
use tse_risk::{BadClock, Level, Refusal, Scope, Waived};

fn at(level: Level) -> Stage {
    Stage::spot().but(|it| it.level = level)
}

#[test]
fn k1_k2_k3_let_only_what_provably_shrinks_a_position_pass() {
    for level in [Level::Pause, Level::Reduce, Level::Cancel] {
        let refusal = Refusal::Killed { level };
        at(level).refuses(buy(10, 1_000), refusal);
        at(level).refuses(sell(10, 1_000), refusal);
        let held = at(level).holding(20, [0, 0]);
        held.passes(sell(19, 1_000));
        held.passes(sell(20, 1_000));
        held.refuses(sell(21, 1_000), refusal);
        held.refuses(buy(10, 1_000), refusal);
        // What is open on that side already may take all there is to close.
        at(level).holding(20, [0, 10]).passes(sell(10, 1_000));
        at(level).holding(20, [0, 11]).refuses(sell(10, 1_000), refusal);
        // It must shrink both: the strategy's and the account's.
        let hedged = held.but(|it| it.account = tse_risk::Book::default());
        hedged.refuses(sell(10, 1_000), refusal);
    }
}

#[test]
fn k4_k6_let_nothing_pass_and_k5_only_what_closes() {
    for level in [Level::Halt, Level::Flatten, Level::Sever] {
        let refusal = Refusal::Killed { level };
        let held = at(level).holding(20, [0, 0]);
        held.refuses(sell(10, 1_000), refusal);
        held.refuses(buy(10, 1_000), refusal);
        let closing = held.but(|it| it.closing = true);
        match level {
            Level::Flatten => closing.passes(sell(20, 1_000)),
            _ => closing.refuses(sell(20, 1_000), refusal),
        }
    }
    assert_eq!(at(Level::Free).review(buy(10, 1_000)), Ok(buy(10, 1_000)));
}

#[test]
fn k4_an_engine_that_was_not_armed_sends_nothing_but_what_a_person_wants_closed() {
    let disarmed = Stage::spot().but(|it| it.armed = false).holding(20, [0, 0]);
    disarmed.refuses(buy(10, 1_000), Refusal::Disarmed);
    disarmed.refuses(sell(10, 1_000), Refusal::Disarmed);
    let close = |it: &mut Stage| (it.level, it.closing) = (Level::Flatten, true);
    disarmed.but(close).passes(sell(20, 1_000));
}

#[test]
fn c02_a_strategy_trades_only_what_it_may() {
    let foreign = Stage::spot().but(|it| it.allowed = false);
    foreign.refuses(buy(10, 1_000), Refusal::NotAllowed);
    foreign.holding(20, [0, 0]).refuses(sell(10, 1_000), Refusal::NotAllowed);
}

#[test]
fn c06_messages_beyond_the_rate_are_refused_and_reductions_are_not() {
    let refusal = Refusal::TooManyMessages { scope: Scope::Account, after: 41, limit: 40 };
    let busy = Stage::spot().but(|it| it.too_many = Some((Scope::Account, (41, 40))));
    busy.refuses(buy(10, 1_000), refusal);
    let held = busy.holding(20, [0, 0]);
    held.passes(sell(20, 1_000));
    held.refuses(sell(21, 1_000), refusal);
    assert_eq!(refusal.to_string(), "C06: 41 messages in the window (Account), limit 40");
}

#[test]
fn c21_only_so_many_orders_await_an_answer() {
    let waiting = |after| Stage::spot().but(|it| it.in_flight = Some((after, 5)));
    waiting(4).passes(buy(10, 1_000));
    waiting(5).passes(buy(10, 1_000));
    waiting(6).refuses(buy(10, 1_000), Refusal::InFlight { after: 6, limit: 5 });
    let held = waiting(6).holding(20, [0, 0]);
    held.passes(sell(20, 1_000));
    held.refuses(sell(21, 1_000), Refusal::InFlight { after: 6, limit: 5 });
}

#[test]
fn c22_messages_beyond_what_is_executed_are_refused_and_reductions_are_not() {
    let refusal = Refusal::OrderToTrade { scope: Scope::Strategy, after: 5_001, limit: 5_000 };
    let busy = Stage::spot().but(|it| it.per_trade = Some((Scope::Strategy, (5_001, 5_000))));
    busy.refuses(buy(10, 1_000), refusal);
    let close = |it: &mut Stage| (it.level, it.closing) = (Level::Flatten, true);
    busy.but(close).passes(sell(21, 1_000));
    let held = busy.holding(20, [0, 0]);
    held.passes(sell(20, 1_000));
    held.refuses(sell(21, 1_000), refusal);
    let said = "C22: 5001 messages today (Strategy), limit 5000 for what was executed";
    assert_eq!(refusal.to_string(), said);
}

#[test]
fn c15_while_what_was_lost_cannot_be_told_only_reductions_pass() {
    let refusal = Refusal::Unvalued { scope: Scope::Strategy };
    let blind = Stage::spot().but(|it| it.unvalued = Some(Scope::Strategy));
    blind.refuses(buy(10, 1_000), refusal);
    let held = blind.holding(20, [0, 0]);
    held.passes(sell(20, 1_000));
    held.refuses(sell(21, 1_000), refusal);
}

#[test]
fn what_the_switch_says_comes_first_and_everything_else_as_well() {
    let stage = Stage::spot().but(|it| {
        (it.level, it.armed, it.allowed) = (Level::Halt, false, false);
        it.too_many = Some((Scope::Strategy, (2, 1)));
        it.in_flight = Some((2, 1));
    });
    let order = PlaceOrder { reduce_only: true, ..buy(101, 1_000) };
    let all: Vec<_> = stage.review(order).unwrap_err().iter().map(Refusal::name).collect();
    let first = ["killed", "disarmed", "not_allowed", "order_qty", "order_value"];
    assert_eq!(all[..4], first[..4]);
    assert_eq!(all[4..], ["order_value", "too_many_messages", "reduce_only", "in_flight"]);
}

#[test]
fn c19_a_clock_that_cannot_be_believed_refuses_what_adds_risk() {
    let off = BadClock::Off { offset: Span::from_millis(51), limit: Span::from_millis(50) };
    for bad in [BadClock::Unknown, off] {
        let stage = Stage::spot().but(|it| it.clock = Some(bad));
        stage.refuses(buy(10, 1_000), Refusal::Clock(bad));
        stage.holding(10, [0, 0]).passes(sell(10, 1_000));
    }
}

#[test]
fn c20_a_market_that_jumped_refuses_what_adds_risk() {
    let stage = Stage::spot().but(|it| it.swing = Some((1_900, 2_100)));
    stage.refuses(buy(10, 1_000), Refusal::Volatile { low: 1_900, high: 2_100 });
    stage.holding(10, [0, 0]).passes(sell(10, 1_000));
}

#[test]
fn c28_an_order_of_nobody_is_refused_also_if_it_reduces() {
    let stage = Stage::spot().but(|it| it.attributed = false);
    stage.refuses(buy(10, 1_000), Refusal::Unattributed);
    stage.holding(10, [0, 0]).refuses(sell(10, 1_000), Refusal::Unattributed);
}

#[test]
fn c29_two_people_let_an_order_pass_one_control_and_no_other() {
    let cap = |it: &mut Stage| it.wide.order_qty_max = Some(tse_model::Qty::new(5));
    let strict = Stage::spot().but(cap);
    assert!(strict.review(buy(10, 1_000)).is_err());
    strict.but(|it| it.waived = vec![Waived::Collar, Waived::OrderQty]).passes(buy(10, 1_000));
    assert!(strict.but(|it| it.waived = vec![Waived::Collar]).review(buy(10, 1_000)).is_err());
    // Something else is wrong as well: then nothing passes, and all of it is told.
    let both = strict.but(|it| (it.waived, it.armed) = (vec![Waived::OrderQty], false));
    assert_eq!(both.review(buy(10, 1_000)).unwrap_err().len(), 2);
    // That something cannot be told is no cap, and neither is what an order says of itself.
    let blind = Stage::spot().but(|it| {
        (it.waived, it.unmeasured) = (vec![Waived::Exposure], Some(Scope::Account));
    });
    blind.refuses(buy(10, 1_000), Refusal::ExposureUnknown { scope: Scope::Account });
    let closing = PlaceOrder { reduce_only: true, ..sell(20, 1_000) };
    let wide = Stage::spot().holding(10, [0, 0]).but(|it| it.waived = vec![Waived::Position]);
    assert!(wide.review(closing).is_err(), "a reduction does not turn a position around");
}
