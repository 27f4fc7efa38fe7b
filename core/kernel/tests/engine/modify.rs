//! Changing an open order: reviewed like a new one, counted beside the old one until it is answered.

use crate::stage::{
    A, ALICE, BOB, Cast, IBM, SHARE_A, Stage, USD, alerts, buy, cancels, denied, ended, limits,
    market, placed, requests, sell,
};
use tse_kernel::{Alert, Ending, Life, Output};
use tse_model::{
    ClientOrderId, ModifyOrder, Money, OrderEventKind, OrderType, Price, Qty, RejectReason,
    Request, Side,
};
use tse_risk::{Limits, Refusal, Repeats, Scope};
use tse_strategy::{OrderWish, UpdateKind};

fn modify(stage: &mut Stage, id: ClientOrderId, qty: i64, price: Option<i64>) -> Vec<Output> {
    stage.wish(ALICE, move |_, wish| wish.modify(id, Qty::new(qty), price.map(Price::new)))
}

fn modified(stage: &mut Stage, id: ClientOrderId, qty: i64, price: i64) -> Vec<Output> {
    stage.say(id, OrderEventKind::Modified { qty: Qty::new(qty), price: Price::new(price) })
}

fn rejected(stage: &mut Stage, id: ClientOrderId) -> Vec<Output> {
    stage.say(id, OrderEventKind::ModifyRejected(RejectReason::AlreadyClosed))
}

/// Ten lots bid at 9.90, accepted.
fn resting(stage: &mut Stage) -> ClientOrderId {
    let id = stage.placed(ALICE, buy(10, 990));
    stage.accept(id);
    id
}

#[test]
fn a_change_is_sent_and_made_when_the_venue_says_so() {
    let mut stage = Stage::new();
    let id = resting(&mut stage);
    let out = modify(&mut stage, id, 15, Some(995));
    let (qty, price) = (Qty::new(15), Some(Price::new(995)));
    let request = Request::Modify(ModifyOrder { id, instrument: SHARE_A, qty, price });
    assert_eq!(requests(&out), [request]);
    assert_eq!(stage.order(id).request.qty, Qty::new(10), "not before");
    stage.forget();
    modified(&mut stage, id, 15, 995);
    modified(&mut stage, id, 15, 995);
    let order = stage.order(id);
    assert_eq!((order.leaves(), order.price(), order.change), (qty, price, None));
    assert_eq!(stage.updates(ALICE).len(), 1, "the second time is no news");
    assert_eq!(stage.kernel.counts().modifies, 1);
    stage.fill(id, 995, 15);
    assert_eq!(stage.order(id).life, Life::Ended(Ending::Filled));
    assert_eq!(stage.reserved(A, USD), 0);
}

#[test]
fn a_change_that_was_refused_by_the_venue_is_undone() {
    let mut stage = Stage::new();
    let id = resting(&mut stage);
    let before = stage.reserved(A, USD);
    modify(&mut stage, id, 15, Some(1_000));
    assert!(stage.reserved(A, USD) > before);
    stage.forget();
    rejected(&mut stage, id);
    rejected(&mut stage, id);
    assert_eq!((stage.open(SHARE_A, None), stage.reserved(A, USD)), (([10, 0], 1), before));
    assert_eq!(stage.order(id).price(), Some(Price::new(990)));
    assert_eq!(stage.updates(ALICE).len(), 1);
}

#[test]
fn while_it_is_on_its_way_the_larger_quantity_and_the_dearer_price_count() {
    let mut stage = Stage::new();
    let id = resting(&mut stage);
    let worth = |lots: i128, price: i128| lots * price + (lots * price + 500) / 1_000;
    // More lots at a lower price, fewer at a higher one, fewer at a lower one.
    for (qty, price, lots, held) in [
        (15, 980, 15, worth(15, 980)),
        (5, 1_000, 10, worth(10, 990)),
        (9, 1_040, 10, worth(10, 990).max(worth(9, 1_040))),
        (11, 1_000, 11, worth(11, 1_000)),
        (5, 980, 10, worth(10, 990)),
    ] {
        modify(&mut stage, id, qty, Some(price));
        assert_eq!(stage.open(SHARE_A, Some(ALICE)).0, [lots, 0], "{qty} at {price}");
        assert_eq!(stage.reserved(A, USD), held, "{qty} at {price}");
        rejected(&mut stage, id);
        assert_eq!(stage.reserved(A, USD), worth(10, 990));
    }
    modify(&mut stage, id, 5, Some(980));
    modified(&mut stage, id, 5, 980);
    assert_eq!((stage.open(SHARE_A, None).0, stage.reserved(A, USD)), ([5, 0], worth(5, 980)));
}

#[test]
fn a_change_is_reviewed_like_a_new_order_of_what_it_leaves() {
    let account =
        Limits { order_qty_max: Some(Qty::new(12)), long_max: Some(Qty::new(25)), ..limits() };
    let mut stage = Stage::with(Cast { account, ..Cast::default() });
    let id = resting(&mut stage);
    let refusal = |stage: &mut Stage, qty, price| {
        stage.forget();
        let out = modify(stage, id, qty, price);
        assert_eq!(requests(&out), []);
        assert_eq!(stage.updates(ALICE)[0].kind, UpdateKind::ModifyDenied);
        denied(&out)[0]
    };
    let (qty, limit) = (Qty::new(13), Qty::new(12));
    assert_eq!(refusal(&mut stage, 13, None), Refusal::OrderQty { qty, limit });
    let collar = refusal(&mut stage, 10, Some(1_051));
    assert!(matches!(collar, Refusal::Collar { .. }), "{collar:?}");
    assert_eq!(stage.order(id).change, None);
    // What is filled is no part of it.
    stage.fill(id, 990, 4);
    assert_eq!(requests(&modify(&mut stage, id, 16, None)).len(), 1);
    modified(&mut stage, id, 16, 990);
    // The order does not stand in its own way: 4 held, 12 of it, 9 more reach the limit of 25.
    let other = stage.placed(ALICE, buy(9, 980));
    assert_eq!(requests(&modify(&mut stage, id, 16, Some(995))).len(), 1);
    modified(&mut stage, id, 16, 995);
    stage.accept(other);
    let out = stage.wish(ALICE, move |_, wish| wish.modify(other, Qty::new(10), None));
    let after = |scope| Refusal::Position { scope, after: Qty::new(26), limit: Qty::new(25) };
    assert_eq!(denied(&out), [after(Scope::Strategy)]);
    assert_eq!(stage.kernel.counts().denied, 3);
}

#[test]
fn a_change_needs_only_the_money_that_it_adds() {
    // 10 at 9.90 with its fee is 99.10 of 100.00.
    let mut stage = Stage::with(Cast { cash: 10_000, ..Cast::default() });
    let id = resting(&mut stage);
    assert_eq!(requests(&modify(&mut stage, id, 10, Some(999))).len(), 1);
    modified(&mut stage, id, 10, 999);
    assert_eq!(stage.reserved(A, USD), 10_000);
    let out = modify(&mut stage, id, 10, Some(1_000));
    let short =
        Refusal::Funds { needed: Money::from_units(10_010), free: Money::from_units(10_000) };
    assert_eq!(denied(&out), [short]);
}

#[test]
fn what_only_shrinks_is_never_refused() {
    let account =
        Limits { repeats: Some(Repeats { window: tse_model::Span::MAX, count: 1 }), ..limits() };
    let mut stage = Stage::with(Cast { account, ..Cast::default() });
    let id = resting(&mut stage);
    // No data, no more of the same order: nothing to ask about a smaller order at the same price.
    stage.wait(tse_model::Span::from_secs(3_600));
    for (qty, price) in [(9, None), (8, Some(990))] {
        let out = modify(&mut stage, id, qty, price);
        assert_eq!((requests(&out).len(), denied(&out)), (1, vec![]));
        modified(&mut stage, id, qty, 990);
    }
    // At another price it is another order, however small.
    let out = modify(&mut stage, id, 5, Some(1_051));
    assert_eq!((requests(&out).len(), denied(&out).len()), (0, 1));
}

#[test]
fn a_change_that_leaves_nothing_is_a_cancel() {
    let mut stage = Stage::new();
    let id = resting(&mut stage);
    stage.fill(id, 990, 4);
    let out = modify(&mut stage, id, 4, None);
    assert_eq!(cancels(&out), [id]);
    assert_eq!(stage.kernel.counts().modifies, 0);
}

#[test]
fn what_changes_nothing_or_cannot_be_changed_now_is_dropped() {
    let mut stage = Stage::new();
    let id = resting(&mut stage);
    assert_eq!(modify(&mut stage, id, 10, None), []);
    assert_eq!(modify(&mut stage, id, 10, Some(990)), []);
    // Another's order, an order nobody made, an order that is over.
    assert_eq!(stage.wish(BOB, move |_, wish| wish.modify(id, Qty::new(5), None)), []);
    assert_eq!(modify(&mut stage, ClientOrderId(99), 5, None), []);
    let over = stage.placed(ALICE, buy(1, 980));
    stage.cancelled(over);
    assert_eq!(modify(&mut stage, over, 5, None), []);
    // One change at a time, and none for what is leaving.
    assert_eq!(requests(&modify(&mut stage, id, 9, None)).len(), 1);
    assert_eq!(modify(&mut stage, id, 8, None), []);
    modified(&mut stage, id, 9, 990);
    stage.wish(ALICE, move |_, wish| wish.cancel(id));
    assert_eq!(modify(&mut stage, id, 8, None), []);
    // A stop has no limit to change.
    let order_type = OrderType::Stop(Price::new(1_050));
    let stop = stage.placed(ALICE, OrderWish { order_type, ..buy(5, 0) });
    stage.accept(stop);
    assert_eq!(modify(&mut stage, stop, 5, Some(1_000)), []);
}

#[test]
fn an_order_on_the_move_guards_both_of_its_prices_against_ourselves() {
    let mut stage = Stage::new();
    let id = resting(&mut stage);
    modify(&mut stage, id, 10, Some(1_005));
    let out = stage.wish(BOB, |_, wish| wish.order(sell(5, 1_005)));
    assert_eq!(denied(&out), [Refusal::SelfTrade { own: Price::new(1_005) }]);
    assert_eq!(placed(&stage.wish(BOB, |_, wish| wish.order(sell(5, 1_006)))).len(), 1);
    rejected(&mut stage, id);
    assert_eq!(placed(&stage.wish(BOB, |_, wish| wish.order(sell(5, 1_005)))).len(), 1);
    // The other way round: the change itself must not reach an order of ours.
    let out = modify(&mut stage, id, 10, Some(1_005));
    assert_eq!(denied(&out), [Refusal::SelfTrade { own: Price::new(1_005) }]);
}

#[test]
fn a_venues_own_change_counts_and_an_enlarged_order_is_said() {
    let mut stage = Stage::new();
    let id = resting(&mut stage);
    let out = modified(&mut stage, id, 6, 990);
    assert_eq!((alerts(&out), stage.open(SHARE_A, None).0), (vec![], [6, 0]));
    let out = modified(&mut stage, id, 20, 990);
    assert_eq!(alerts(&out), [Alert::Enlarged(id)]);
    assert_eq!(stage.open(SHARE_A, None).0, [20, 0]);
    assert_eq!(stage.reserved(A, USD), 19_800 + 20, "what it may cost is set aside");
    let out = modified(&mut stage, id, 0, 990);
    assert_eq!(alerts(&out), [Alert::Anomaly { id, life: Life::Working }]);
}

#[test]
fn a_change_below_what_was_filled_meanwhile_ends_the_order() {
    let mut stage = Stage::new();
    let id = resting(&mut stage);
    modify(&mut stage, id, 4, None);
    stage.fill(id, 990, 4);
    let out = modified(&mut stage, id, 4, 990);
    assert_eq!(ended(&out), [id]);
    assert_eq!((stage.order(id).life, stage.reserved(A, USD)), (Life::Ended(Ending::Filled), 0));
    // A late word does not bring it back.
    assert_eq!(modified(&mut stage, id, 50, 990), []);
    assert_eq!(stage.open(SHARE_A, None), ([0, 0], 0));
}

#[test]
fn an_acknowledgement_may_come_as_a_change() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(10, 990));
    modify(&mut stage, id, 12, None);
    modified(&mut stage, id, 12, 990);
    assert_eq!(stage.order(id).life, Life::Working);
}

#[test]
fn a_larger_sale_sets_more_of_the_asset_aside() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, sell(10, 1_010));
    stage.accept(id);
    modify(&mut stage, id, 25, None);
    assert_eq!(stage.reserved(A, IBM), 25);
    stage.fill(id, 1_010, 5);
    assert_eq!(stage.reserved(A, IBM), 20);
    rejected(&mut stage, id);
    assert_eq!(stage.reserved(A, IBM), 5);
}

#[test]
fn a_reduce_only_order_stays_one_when_it_changes() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, market(SHARE_A, Side::Buy, 10));
    stage.fill(id, 1_000, 10);
    let close = stage.placed(ALICE, OrderWish { reduce_only: true, ..sell(6, 1_010) });
    stage.accept(close);
    assert_eq!(requests(&modify(&mut stage, close, 10, None)).len(), 1);
    modified(&mut stage, close, 10, 1_010);
    let out = modify(&mut stage, close, 11, None);
    assert_eq!(denied(&out), [Refusal::ReduceOnly { qty: Qty::new(11), room: Qty::new(10) }]);
}
