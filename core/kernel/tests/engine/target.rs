//! `Intent::Target`: the difference is traded, and what is on its way counts.

use crate::stage::{ALICE, BOB, SHARE_A, Stage, placed};
use tse_kernel::Output;
use tse_model::{OrderType, PlaceOrder, Price, Qty, Side, TimeInForce};
use tse_strategy::Reversal;

fn target(stage: &mut Stage, position: i64, reversal: Reversal) -> Vec<Output> {
    stage.wish(ALICE, move |_, wish| wish.target_by(SHARE_A, Qty::new(position), reversal))
}

fn sent(out: &[Output]) -> Vec<(Side, i64)> {
    placed(out).iter().map(|order| (order.side, order.qty.get())).collect()
}

/// Everything that was sent trades.
fn fill_all(stage: &mut Stage, out: &[Output]) {
    for order in placed(out) {
        stage.fill(order.id, 1_000, order.qty.get());
    }
}

#[test]
fn the_difference_is_traded_at_market_made_safe() {
    let mut stage = Stage::new();
    let out = target(&mut stage, 10, Reversal::Single);
    let [PlaceOrder { order_type, time_in_force, .. }] = placed(&out)[..] else { panic!() };
    assert_eq!(order_type, OrderType::Limit(Price::new(1_050)));
    assert_eq!(time_in_force, TimeInForce::Ioc);
    fill_all(&mut stage, &out);
    assert_eq!(sent(&target(&mut stage, 10, Reversal::Single)), []);
    assert_eq!(sent(&target(&mut stage, 4, Reversal::Single)), [(Side::Sell, 6)]);
}

#[test]
fn what_is_on_its_way_is_not_ordered_twice() {
    let mut stage = Stage::new();
    let out = target(&mut stage, 10, Reversal::Single);
    assert_eq!(sent(&out), [(Side::Buy, 10)]);
    for _ in 0..5 {
        assert_eq!(sent(&target(&mut stage, 10, Reversal::Single)), []);
    }
    // A change of mind trades the rest of the way, an unfilled part is ordered again.
    assert_eq!(sent(&target(&mut stage, 12, Reversal::Single)), [(Side::Buy, 2)]);
    let first = placed(&out)[0].id;
    stage.fill(first, 1_000, 7);
    assert_eq!(sent(&target(&mut stage, 12, Reversal::Single)), []);
    stage.cancelled(first);
    assert_eq!(sent(&target(&mut stage, 12, Reversal::Single)), [(Side::Buy, 3)]);
}

#[test]
fn anothers_orders_and_position_do_not_count() {
    let mut stage = Stage::new();
    let out = stage.wish(BOB, |_, wish| wish.target(SHARE_A, Qty::new(10)));
    assert_eq!(sent(&target(&mut stage, 10, Reversal::Single)), [(Side::Buy, 10)]);
    fill_all(&mut stage, &out);
    assert_eq!(sent(&target(&mut stage, 10, Reversal::Single)), []);
}

#[test]
fn a_reversal_is_one_order_or_two() {
    for (reversal, long_to_short, short_to_long) in [
        (Reversal::Single, vec![(Side::Sell, 15)], vec![(Side::Buy, 12)]),
        (
            Reversal::CloseThenEnter,
            vec![(Side::Sell, 10), (Side::Sell, 5)],
            vec![(Side::Buy, 5), (Side::Buy, 7)],
        ),
    ] {
        let mut stage = Stage::new();
        let out = target(&mut stage, 10, reversal);
        assert_eq!(sent(&out), [(Side::Buy, 10)], "from flat there is nothing to close");
        fill_all(&mut stage, &out);
        let out = target(&mut stage, -5, reversal);
        assert_eq!(sent(&out), long_to_short);
        fill_all(&mut stage, &out);
        let out = target(&mut stage, 7, reversal);
        assert_eq!(sent(&out), short_to_long);
        fill_all(&mut stage, &out);
        let out = target(&mut stage, 0, reversal);
        assert_eq!(sent(&out), [(Side::Sell, 7)], "closing is one order either way");
    }
}

#[test]
fn a_target_beyond_the_integers_is_no_order() {
    let mut stage = Stage::new();
    let out = target(&mut stage, -10, Reversal::Single);
    fill_all(&mut stage, &out);
    assert_eq!(target(&mut stage, i64::MAX, Reversal::Single), []);
    let out = target(&mut stage, i64::MIN, Reversal::CloseThenEnter);
    assert_eq!(sent(&out), []);
}
