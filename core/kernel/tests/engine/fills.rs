//! Fills: each is booked once, whenever it comes.

use crate::stage::{
    A, ALICE, IBM, PERP_A, SHARE_A, SHARE_B, Stage, Told, USD, alerts, buy, denied, ended, market,
    sell,
};
use tse_kernel::{Alert, ENDED_KEPT, EXECUTIONS_KEPT, Ending, Input, Life, Output};
use tse_model::{
    AccountEvent, AccountEventKind, ClientOrderId, Fill, Money, OrderEventKind, Price, Qty,
    RejectReason, Side, TimeInForce,
};
use tse_risk::Refusal;
use tse_strategy::{OrderWish, UpdateKind};

/// What a strategy was told of one order, in short.
fn heard(stage: &Stage) -> Vec<&'static str> {
    let told = stage.told(ALICE).into_iter().filter_map(|told| match told {
        Told::Fill(..) => Some("fill"),
        Told::Order(update) => Some(match update.kind {
            UpdateKind::Venue(OrderEventKind::Accepted(_)) => "accepted",
            UpdateKind::Venue(OrderEventKind::Filled(_)) => "filled",
            UpdateKind::Venue(OrderEventKind::Cancelled { .. }) => "cancelled",
            other => panic!("{other:?}"),
        }),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_fill_moves_the_position_the_money_and_what_is_set_aside() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(10, 990));
    // 99.00 and the taker's ten basis points, rounded.
    assert_eq!(stage.reserved(A, USD), 9_900 + 10);
    stage.accept(id);
    stage.fill(id, 990, 4);
    assert_eq!(stage.position(ALICE, SHARE_A), 4);
    assert_eq!(stage.reserved(A, USD), 5_940 + 6);
    let out = stage.fill(id, 989, 6);
    assert_eq!(stage.position(ALICE, SHARE_A), 10);
    assert_eq!((stage.reserved(A, USD), stage.open(SHARE_A, None)), (0, ([0, 0], 0)));
    assert_eq!(ended(&out), [id]);
    assert_eq!(stage.order(id).life, Life::Ended(Ending::Filled));
    assert_eq!(stage.order(id).filled_value, 4 * 990 + 6 * 989);
    assert_eq!(heard(&stage), ["accepted", "fill", "fill", "filled"]);
}

#[test]
fn i5_an_execution_told_twice_is_booked_once() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(10, 990));
    let fill = stage.new_fill(990, 4);
    stage.say(id, OrderEventKind::Filled(fill));
    let (counts, hash) = (stage.kernel.counts().fills, stage.reserved(A, USD));
    stage.forget();
    for _ in 0..3 {
        let out = stage.say(id, OrderEventKind::Filled(fill));
        assert_eq!(out, [Output::Alert(Alert::DuplicateFill { id, exec: fill.exec })]);
    }
    assert_eq!(stage.position(ALICE, SHARE_A), 4);
    assert_eq!((stage.kernel.counts().fills, stage.reserved(A, USD)), (counts, hash));
    assert_eq!(stage.told(ALICE), [], "its strategy hears of it once");
    // The same execution in other words is the same execution.
    let other = Fill { price: Price::new(1), qty: Qty::new(2), ..fill };
    stage.say(id, OrderEventKind::Filled(other));
    assert_eq!(stage.position(ALICE, SHARE_A), 4);
}

#[test]
fn i5_executions_are_remembered_by_venue_and_long_after_their_order_ended() {
    let mut stage = Stage::new();
    let first = stage.placed(ALICE, buy(10, 990));
    let fill = stage.new_fill(990, 10);
    stage.say(first, OrderEventKind::Filled(fill));
    let there = OrderWish { instrument: SHARE_B, ..buy(10, 990) };
    let second = stage.placed(ALICE, there);
    stage.say(second, OrderEventKind::Filled(fill));
    assert_eq!(stage.position(ALICE, SHARE_B), 10, "another venue's number");
    let third = stage.placed(ALICE, buy(1_000, 990));
    for _ in 0..400 {
        stage.fill(third, 990, 2);
    }
    let out = stage.say(first, OrderEventKind::Filled(fill));
    assert_eq!(alerts(&out), [Alert::DuplicateFill { id: first, exec: fill.exec }]);
    assert_eq!(stage.position(ALICE, SHARE_A), 10 + 800);
    const { assert!(EXECUTIONS_KEPT > 400) };
}

#[test]
fn a_fill_before_the_acknowledgement_is_a_fill() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(10, 990));
    stage.fill(id, 990, 4);
    assert_eq!(stage.order(id).life, Life::Working);
    stage.accept(id);
    assert_eq!(stage.order(id).venue_id.map(|id| id.0), Some(id.0), "its name is still news");
    stage.fill(id, 990, 6);
    let out = stage.accept(id);
    assert_eq!(out, [], "a late acknowledgement does not resurrect");
    assert_eq!(stage.order(id).life, Life::Ended(Ending::Filled));
    assert_eq!(heard(&stage), ["fill", "fill", "filled"]);
}

#[test]
fn a_fill_after_the_end_is_booked_and_may_complete_the_order() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(10, 990));
    stage.cancelled(id);
    assert_eq!(stage.reserved(A, USD), 0);
    stage.fill(id, 990, 4);
    assert_eq!(stage.order(id).life, Life::Ended(Ending::Cancelled));
    stage.fill(id, 990, 6);
    assert_eq!(stage.order(id).life, Life::Ended(Ending::Filled));
    assert_eq!(stage.position(ALICE, SHARE_A), 10);
    assert_eq!((stage.reserved(A, USD), stage.kernel.orders().live()), (0, 0));
    assert_eq!(heard(&stage), ["cancelled", "fill", "fill", "filled"]);
}

#[test]
fn an_ended_order_is_known_for_as_long_as_promised() {
    let mut stage = Stage::new();
    let first = stage.placed(ALICE, buy(1, 990));
    stage.cancelled(first);
    for _ in 1..ENDED_KEPT {
        let id = stage.placed(ALICE, buy(1, 990));
        stage.cancelled(id);
    }
    stage.fill(first, 990, 1);
    assert_eq!(stage.position(ALICE, SHARE_A), 1);
    let id = stage.placed(ALICE, buy(1, 990));
    stage.cancelled(id);
    let fill = stage.new_fill(990, 1);
    let out = stage.say(first, OrderEventKind::Filled(fill));
    assert_eq!(out, [Output::Alert(Alert::UnknownOrder(first))]);
    assert_eq!(stage.position(ALICE, SHARE_A), 1);
}

#[test]
fn more_than_was_ordered_is_booked_and_said() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(10, 990));
    let out = stage.fill(id, 990, 13);
    assert_eq!(alerts(&out), [Alert::Overfilled(id)]);
    assert_eq!(stage.position(ALICE, SHARE_A), 13);
    assert_eq!(stage.open(SHARE_A, None), ([0, 0], 0));
    let out = stage.fill(id, 990, 1);
    assert_eq!(alerts(&out), [Alert::Overfilled(id)]);
    assert_eq!(stage.position(ALICE, SHARE_A), 14);
    assert_eq!(heard(&stage), ["fill", "filled", "fill"], "it is filled once");
}

#[test]
fn a_fill_of_nothing_changes_nothing() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(10, 990));
    for qty in [0, -3] {
        let out = stage.fill(id, 990, qty);
        assert_eq!(out, [Output::Alert(Alert::Anomaly { id, life: Life::Sent })]);
    }
    assert_eq!(stage.kernel.portfolio().latched(), None, "and least of all the ledger");
    assert_eq!(stage.open(SHARE_A, None), ([10, 0], 1));
}

#[test]
fn a_rejection_gives_everything_back_and_is_counted_once() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, sell(10, 1_010));
    assert_eq!(stage.reserved(A, IBM), 10);
    let rejected = OrderEventKind::Rejected(RejectReason::InsufficientBalance);
    stage.say(id, rejected);
    stage.say(id, rejected);
    assert_eq!((stage.reserved(A, IBM), stage.kernel.counts().rejected), (0, 1));
    assert_eq!(stage.updates(ALICE).len(), 1);
}

#[test]
fn an_immediate_order_that_fills_in_part_leaves_nothing_set_aside() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, market(SHARE_A, Side::Buy, 10));
    assert_eq!(stage.order(id).request.time_in_force, TimeInForce::Ioc);
    assert_eq!(stage.reserved(A, USD), 10_500 + 10, "at the end of the collar");
    stage.fill(id, 1_010, 7);
    stage.cancelled(id);
    assert_eq!((stage.reserved(A, USD), stage.position(ALICE, SHARE_A)), (0, 7));
}

#[test]
fn a_liquidation_is_booked_once_to_who_holds_the_position() {
    let mut stage = Stage::new();
    let wish = OrderWish { instrument: PERP_A, ..buy(10, 1_010) };
    let id = stage.placed(ALICE, wish);
    stage.fill(id, 1_010, 10);
    let fill = stage.new_fill(900, 4);
    let event = AccountEvent {
        ts_event: stage.now,
        kind: AccountEventKind::Liquidated { instrument: PERP_A, side: Side::Sell, fill },
    };
    stage.step(Input::Account(A, event));
    assert_eq!(stage.position(ALICE, PERP_A), 6);
    let out = stage.step(Input::Account(A, event));
    let id = ClientOrderId(0);
    assert_eq!(out, [Output::Alert(Alert::DuplicateFill { id, exec: fill.exec })]);
    assert_eq!(stage.position(ALICE, PERP_A), 6);
}

#[test]
fn transfers_move_money_both_ways() {
    let mut stage = Stage::new();
    let before = stage.kernel.portfolio().balance(A, USD).units();
    for amount in [500, -200] {
        let amount = Money::from_units(amount);
        let kind = AccountEventKind::Transfer { currency: USD, amount };
        stage.step(Input::Account(A, AccountEvent { ts_event: stage.now, kind }));
    }
    assert_eq!(stage.kernel.portfolio().balance(A, USD).units(), before + 300);
}

#[test]
fn a_ledger_that_latched_lets_nothing_more_out() {
    let mut stage = Stage::new();
    let amount = Money::from_units(i128::MAX);
    let kind = AccountEventKind::Transfer { currency: USD, amount };
    let out = stage.step(Input::Account(A, AccountEvent { ts_event: stage.now, kind }));
    assert_eq!(alerts(&out), [Alert::LedgerLatched]);
    let out = stage.wish(ALICE, |_, wish| wish.order(buy(10, 990)));
    assert_eq!(denied(&out), [Refusal::Latched]);
    assert_eq!(stage.kernel.orders().live(), 0);
}
