//! `Intent::Group`: legs leave together or not at all.

use crate::stage::{
    A, ALICE, B, Cast, IBM, SHARE_A, SHARE_B, Stage, USD, buy, cancels, denied, ended, limits,
    placed, requests, sell,
};
use tse_kernel::{Life, Output};
use tse_model::{GroupId, Money, Price, Qty, Span};
use tse_risk::{Limits, Refusal, Repeats, SelfTrade};
use tse_strategy::{OrderWish, UpdateKind};

fn elsewhere(wish: OrderWish) -> OrderWish {
    OrderWish { instrument: SHARE_B, ..wish }
}

fn group(stage: &mut Stage, legs: &[OrderWish]) -> Vec<Output> {
    let legs = legs.to_vec();
    stage.wish(ALICE, move |_, wish| wish.group(&legs))
}

#[test]
fn legs_that_all_pass_leave_together_under_one_name() {
    let mut stage = Stage::new();
    let out = group(&mut stage, &[buy(5, 1_010), elsewhere(sell(5, 990))]);
    let legs = placed(&out);
    assert_eq!(legs.iter().map(|leg| leg.instrument).collect::<Vec<_>>(), [SHARE_A, SHARE_B]);
    assert_eq!(legs.iter().map(|leg| leg.group).collect::<Vec<_>>(), [GroupId(1); 2]);
    let out = group(&mut stage, &[buy(5, 1_010)]);
    assert_eq!(placed(&out)[0].group, GroupId(2));
}

#[test]
fn one_refused_leg_keeps_all_back() {
    let account = Limits { order_qty_max: Some(Qty::new(10)), ..limits() };
    for refused in 0..3 {
        let mut stage = Stage::with(Cast { account, ..Cast::default() });
        let mut legs = [buy(5, 1_010), elsewhere(sell(5, 990)), buy(4, 1_000)];
        legs[refused].qty = Qty::new(11);
        let out = group(&mut stage, &legs);
        assert_eq!(requests(&out), [], "leg {refused}");
        let too_much = Refusal::OrderQty { qty: Qty::new(11), limit: Qty::new(10) };
        let mut reasons = vec![too_much];
        reasons.extend(vec![Refusal::Group; refused]);
        assert_eq!(denied(&out), reasons, "leg {refused}");
        assert_eq!(stage.kernel.counts().denied, reasons.len() as u64);
        for id in ended(&out) {
            assert_eq!(stage.order(id).life, Life::Withdrawn);
        }
        let reserved = [(A, USD), (A, IBM), (B, USD), (B, IBM)];
        assert_eq!(reserved.map(|(venue, of)| stage.reserved(venue, of)), [0; 4]);
        assert_eq!(stage.kernel.orders().live(), 0);
        // The strategy is told which leg it was.
        let told = stage.updates(ALICE);
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].kind, told[0].group), (UpdateKind::Denied, GroupId(1)));
        assert_eq!(told[0].instrument, legs[refused].instrument);
    }
}

#[test]
fn legs_count_on_what_the_legs_before_them_left() {
    // 100.00: the first leg takes 99.10 of it.
    let mut stage = Stage::with(Cast { cash: 10_000, ..Cast::default() });
    let out = group(&mut stage, &[buy(10, 990), buy(1, 990)]);
    let short = Refusal::Funds { needed: Money::from_units(991), free: Money::from_units(90) };
    assert_eq!(denied(&out), [short, Refusal::Group]);
    assert_eq!(placed(&group(&mut stage, &[buy(10, 990), elsewhere(buy(1, 990))])).len(), 2);
}

#[test]
fn c08_legs_that_were_held_back_do_not_count_as_sent() {
    let repeats = Some(Repeats { window: Span::from_secs(60), count: 2 });
    let account = Limits { repeats, order_qty_max: Some(Qty::new(10)), ..limits() };
    let mut stage = Stage::with(Cast { account, ..Cast::default() });
    for _ in 0..5 {
        let out = group(&mut stage, &[buy(5, 1_000), elsewhere(sell(11, 990))]);
        assert!(matches!(denied(&out)[..], [Refusal::OrderQty { .. }, Refusal::Group]));
    }
    // Within a group they do.
    let out = group(&mut stage, &[buy(5, 1_000), buy(5, 1_000), buy(5, 1_000)]);
    let often = Refusal::Repeated { count: 3, limit: 2 };
    assert_eq!(denied(&out), [often, Refusal::Group, Refusal::Group]);
    assert_eq!(placed(&group(&mut stage, &[buy(5, 1_000), buy(5, 1_000)])).len(), 2);
    assert_eq!(denied(&stage.wish(ALICE, |_, wish| wish.order(buy(5, 1_000)))), [often]);
    stage.wait(Span::from_secs(60));
    assert_eq!(stage.place(ALICE, &[buy(5, 1_000)]).len(), 1, "the window has passed");
}

#[test]
fn a_leg_may_be_taken_back_alone() {
    let mut stage = Stage::new();
    let legs = placed(&group(&mut stage, &[buy(5, 1_000), elsewhere(sell(5, 1_000))]));
    let first = legs[0].id;
    let out = stage.wish(ALICE, move |_, wish| wish.cancel(first));
    assert_eq!(cancels(&out), [first]);
}

#[test]
fn c14_legs_that_could_trade_with_each_other_are_kept_back() {
    for self_trade in [SelfTrade::RejectNew, SelfTrade::CancelOld, SelfTrade::CancelBoth] {
        let account = Limits { self_trade, ..limits() };
        let mut stage = Stage::with(Cast { account, ..Cast::default() });
        let out = group(&mut stage, &[buy(5, 1_000), sell(5, 1_000)]);
        assert_eq!(requests(&out), [], "what has not left cannot be taken back");
        assert_eq!(denied(&out), [Refusal::SelfTrade { own: Price::new(1_000) }, Refusal::Group]);
        assert_eq!(stage.kernel.orders().live(), 0);
        assert_eq!(placed(&group(&mut stage, &[buy(5, 999), sell(5, 1_000)])).len(), 2);
    }
}
