//! `Intent::Quote`: what fits stays, what is off goes, what is missing comes.

use crate::stage::{ALICE, BOB, SHARE_A, Stage, buy, cancels, placed};
use tse_kernel::Output;
use tse_model::{ClientOrderId, OrderType, PlaceOrder, Price, Qty, Side};
use tse_strategy::QuoteLevel;

fn level(side: Side, qty: i64, price: i64) -> QuoteLevel {
    QuoteLevel { side, qty: Qty::new(qty), price: Price::new(price) }
}

fn bid(qty: i64, price: i64) -> QuoteLevel {
    level(Side::Buy, qty, price)
}

fn ask(qty: i64, price: i64) -> QuoteLevel {
    level(Side::Sell, qty, price)
}

fn quote(stage: &mut Stage, levels: &[QuoteLevel], tolerance: i64) -> Vec<Output> {
    let levels = levels.to_vec();
    stage.wish(ALICE, move |_, wish| wish.quote(SHARE_A, &levels, tolerance))
}

/// Side, quantity and price of each order sent.
fn shown(out: &[Output]) -> Vec<QuoteLevel> {
    let levels =
        placed(out).into_iter().map(|PlaceOrder { side, qty, order_type, post_only, .. }| {
            assert!(post_only);
            match order_type {
                OrderType::Limit(price) => QuoteLevel { side, qty, price },
                other => panic!("{other:?}"),
            }
        });
    levels.collect()
}

fn ids(out: &[Output]) -> Vec<ClientOrderId> {
    placed(out).iter().map(|order| order.id).collect()
}

#[test]
fn quotes_that_are_wanted_again_stay() {
    let mut stage = Stage::new();
    let both = [bid(5, 990), ask(5, 1_010)];
    assert_eq!(shown(&quote(&mut stage, &both, 0)), both);
    assert_eq!(quote(&mut stage, &both, 0), []);
    assert_eq!(stage.open(SHARE_A, Some(ALICE)), ([5, 5], 2));
}

#[test]
fn only_what_is_off_is_taken_back_and_cancels_go_first() {
    let mut stage = Stage::new();
    let first = ids(&quote(&mut stage, &[bid(5, 990), bid(5, 985), ask(5, 1_010)], 0));
    let out = quote(&mut stage, &[bid(5, 990), bid(5, 986), ask(6, 1_010)], 0);
    assert_eq!(cancels(&out), [first[1], first[2]], "another price, another size");
    assert_eq!(shown(&out), [bid(5, 986), ask(6, 1_010)]);
    assert!(matches!(out[..2], [Output::Send(..), Output::Send(..)]));
    // Nothing wanted: nothing shown. A cancel on its way is not sent again.
    let out = quote(&mut stage, &[], 0);
    assert_eq!((cancels(&out).len(), shown(&out)), (3, vec![]));
    assert_eq!(quote(&mut stage, &[], 0), []);
}

#[test]
fn a_quote_within_the_tolerance_stays_where_it_is() {
    let mut stage = Stage::new();
    let first = ids(&quote(&mut stage, &[bid(5, 990)], 3));
    for price in [987, 989, 991, 993] {
        assert_eq!(quote(&mut stage, &[bid(5, price)], 3), [], "{price}");
    }
    for price in [986, 994] {
        let mut stage = Stage::new();
        let first = ids(&quote(&mut stage, &[bid(5, 990)], 3));
        let out = quote(&mut stage, &[bid(5, price)], 3);
        assert_eq!((cancels(&out), shown(&out)), (first, vec![bid(5, price)]));
    }
    // A tolerance is about price: the size must be as wanted.
    let out = quote(&mut stage, &[bid(4, 990)], 3);
    assert_eq!(cancels(&out), first);
}

#[test]
fn prices_at_the_ends_of_the_range_are_compared_without_panic() {
    let mut stage = Stage::new();
    quote(&mut stage, &[ask(5, 1_010)], 0);
    let out = quote(&mut stage, &[ask(5, i64::MIN), bid(5, i64::MAX)], i64::MAX - 1);
    assert_eq!(shown(&out), []);
}

#[test]
fn each_order_keeps_one_level() {
    let mut stage = Stage::new();
    quote(&mut stage, &[bid(5, 990)], 2);
    // Two levels near one order: one is its own, the other is missing.
    let out = quote(&mut stage, &[bid(5, 991), bid(5, 989)], 2);
    assert_eq!((cancels(&out), shown(&out)), (vec![], vec![bid(5, 989)]));
}

#[test]
fn a_quote_that_traded_in_part_is_replaced_by_a_whole_one() {
    let mut stage = Stage::new();
    let first = ids(&quote(&mut stage, &[bid(5, 990)], 0));
    stage.accept(first[0]);
    stage.fill(first[0], 990, 2);
    let out = quote(&mut stage, &[bid(5, 990)], 0);
    assert_eq!((cancels(&out), shown(&out)), (first, vec![bid(5, 990)]));
}

#[test]
fn a_quote_being_changed_is_where_it_is_going() {
    let mut stage = Stage::new();
    let first = ids(&quote(&mut stage, &[bid(5, 990)], 0));
    let id = first[0];
    stage.wish(ALICE, move |_, wish| wish.modify(id, Qty::new(7), Some(Price::new(980))));
    assert_eq!(quote(&mut stage, &[bid(7, 980)], 0), []);
    assert_eq!(cancels(&quote(&mut stage, &[bid(5, 990)], 0)), first);
}

#[test]
fn a_quote_that_is_leaving_is_wanted_anew() {
    let mut stage = Stage::new();
    quote(&mut stage, &[bid(5, 990)], 0);
    quote(&mut stage, &[], 0);
    assert_eq!(shown(&quote(&mut stage, &[bid(5, 990)], 0)), [bid(5, 990)]);
    assert_eq!(stage.open(SHARE_A, None), ([10, 0], 2), "until it is gone, both count");
}

#[test]
fn anothers_orders_are_no_quotes_of_ours() {
    let mut stage = Stage::new();
    let other = stage.placed(BOB, buy(5, 990));
    let out = quote(&mut stage, &[bid(5, 990)], 0);
    assert_eq!(shown(&out), [bid(5, 990)]);
    assert_eq!(cancels(&quote(&mut stage, &[], 0)), ids(&out));
    assert!(!stage.order(other).cancelling);
}
