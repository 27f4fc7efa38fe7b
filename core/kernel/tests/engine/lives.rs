//! Links that break, answers that do not come, words that come late: an order is unknown before it is
//! thought to be gone.

use crate::stage::{
    A, ALICE, B, BOB, IBM, SHARE_A, SHARE_B, Stage, USD, alerts, buy, cancels, denied, ended,
    placed, requests, sell,
};
use tse_kernel::{Alert, Command, Ending, Life, Output};
use tse_model::{
    CancelReason, ClientOrderId, Machine, MarketData, OrderEventKind, OrderType, Price, Qty,
    RejectReason, Span, TradingStatus, VenueOrderId,
};
use tse_risk::{BadData, Refusal};
use tse_strategy::OrderWish;

fn elsewhere(wish: OrderWish) -> OrderWish {
    OrderWish { instrument: SHARE_B, ..wish }
}

#[test]
fn a_broken_link_makes_orders_unknown_and_ends_none() {
    let mut stage = Stage::new();
    let sent = stage.placed(ALICE, buy(10, 990));
    let working = stage.placed(BOB, sell(5, 1_010));
    stage.accept(working);
    let other = stage.placed(ALICE, elsewhere(buy(10, 990)));
    let (cash, shares) = (stage.reserved(A, USD), stage.reserved(A, IBM));
    assert_eq!(stage.link(A, false), [], "and nothing is sent");
    for id in [sent, working] {
        assert_eq!(stage.order(id).life, Life::Unknown);
    }
    assert_eq!(stage.order(other).life, Life::Sent, "the other venue is not concerned");
    // Everything counts as it did.
    assert_eq!((stage.reserved(A, USD), stage.reserved(A, IBM)), (cash, shares));
    assert_eq!(stage.open(SHARE_A, None), ([10, 5], 2));
    let out = stage.pass(Span::from_secs(3_600));
    assert_eq!(ended(&out), [], "time alone ends nothing");
    assert_eq!(stage.order(sent).life, Life::Unknown);
}

#[test]
fn nothing_is_sent_to_a_venue_that_cannot_be_reached() {
    let mut stage = Stage::new();
    let resting = stage.placed(ALICE, buy(10, 990));
    stage.accept(resting);
    stage.link(A, false);
    assert!(!stage.kernel.state().is_linked(A) && stage.kernel.state().is_linked(B));
    let out = stage.wish(ALICE, move |_, wish| {
        wish.order(buy(10, 980));
        wish.cancel(resting);
        wish.cancel_all(SHARE_A);
        wish.modify(resting, Qty::new(5), None);
        wish.quote(SHARE_A, &[], 0);
        wish.target(SHARE_A, Qty::new(50));
        wish.order(elsewhere(buy(3, 990)));
    });
    let closed = Refusal::Data(BadData::Closed);
    assert_eq!(denied(&out), [closed, closed]);
    let sent = placed(&out);
    assert_eq!((sent.len(), requests(&out).len()), (1, 1));
    assert_eq!(sent[0].instrument, SHARE_B);
    let out = stage.command(Command::Stop);
    assert_eq!(cancels(&out), [sent[0].id]);
}

#[test]
fn a_link_that_is_back_takes_orders_and_takes_the_unknown_ones_back() {
    let mut stage = Stage::new();
    let ids = [buy(10, 990), buy(10, 989), sell(5, 1_010)].map(|wish| stage.placed(ALICE, wish));
    let leaving = stage.placed(ALICE, buy(1, 970));
    stage.wish(ALICE, move |_, wish| wish.cancel(leaving));
    stage.link(A, false);
    // The venue's last words arrive late: one was filled, one is seen.
    stage.fill(ids[0], 990, 10);
    stage.accept(ids[1]);
    let out = stage.link(A, true);
    // A cancel that may have been lost is sent again; what has spoken since stays.
    assert_eq!(cancels(&out), [leaving, ids[2]]);
    assert_eq!(stage.order(ids[1]).life, Life::Working);
    assert_eq!(stage.link(A, true), [], "nothing new");
    stage.cancelled(ids[2]);
    assert_eq!(stage.order(ids[2]).life, Life::Ended(Ending::Cancelled));
    assert_eq!(stage.place(ALICE, &[buy(7, 985)]).len(), 1);
}

#[test]
fn a_halted_market_stays_halted_when_its_link_comes_back() {
    let mut stage = Stage::new();
    let status = |status| MarketData::Status(status);
    let open = |stage: &mut Stage| {
        let sent = stage.place(ALICE, &[buy(1, 990)]);
        sent.len() == 1
    };
    stage.show(SHARE_A, status(TradingStatus::Halted));
    assert!(!open(&mut stage));
    stage.link(A, false);
    stage.link(A, true);
    assert!(!open(&mut stage), "the link is up, the market is not");
    stage.link(A, false);
    stage.show(SHARE_A, status(TradingStatus::Open));
    assert!(!open(&mut stage), "the market is open, the link is not");
    stage.link(A, true);
    assert!(open(&mut stage));
    stage.show(SHARE_A, status(TradingStatus::Closed));
    assert!(!open(&mut stage));
}

#[test]
fn an_answer_that_does_not_come_makes_an_order_unknown_and_takes_it_back_once() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(10, 990));
    assert_eq!(stage.pass(Span::from_millis(4_999)), []);
    let out = stage.pass(Span::from_millis(1));
    assert_eq!(alerts(&out), [Alert::AnswerOverdue(id)]);
    assert_eq!(cancels(&out), [id]);
    assert_eq!(stage.order(id).life, Life::Unknown);
    assert_eq!(stage.pass(Span::from_secs(86_400)), [], "once");
    assert_eq!((stage.open(SHARE_A, None), stage.reserved(A, USD)), (([10, 0], 1), 9_910));
    // The answer comes after all, and then the cancel's.
    stage.accept(id);
    assert_eq!(stage.order(id).life, Life::Working);
    stage.fill(id, 990, 4);
    let out = stage.cancelled(id);
    assert_eq!(ended(&out), [id]);
    assert_eq!((stage.position(ALICE, SHARE_A), stage.reserved(A, USD)), (4, 0));
}

#[test]
fn an_answer_in_time_needs_no_timer() {
    let mut stage = Stage::new();
    for _ in 0..3 {
        let id = stage.placed(ALICE, buy(1, 990));
        stage.accept(id);
        stage.wait(Span::from_secs(1));
    }
    assert_eq!(stage.pass(Span::from_secs(60)), []);
    assert_eq!(stage.kernel.wake_at(), None);
}

#[test]
fn a_refused_cancel_says_nothing_about_the_order_and_may_be_asked_again() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(10, 990));
    stage.accept(id);
    let cancel = |stage: &mut Stage| cancels(&stage.wish(ALICE, move |_, wish| wish.cancel(id)));
    assert_eq!(cancel(&mut stage), [id]);
    assert_eq!(cancel(&mut stage), [], "one is on its way");
    let refused = OrderEventKind::CancelRejected(RejectReason::UnknownOrder);
    stage.forget();
    stage.say(id, refused);
    stage.say(id, refused);
    assert_eq!(stage.updates(ALICE).len(), 1, "the second says nothing new");
    assert_eq!(stage.order(id).life, Life::Working);
    assert_eq!(stage.open(SHARE_A, None), ([10, 0], 1));
    assert_eq!(cancel(&mut stage), [id]);
    // Too late: the fill won. What is said of the cancel afterwards is no news.
    stage.fill(id, 990, 10);
    stage.forget();
    assert_eq!(stage.say(id, OrderEventKind::CancelRejected(RejectReason::AlreadyClosed)), []);
    assert_eq!(stage.told(ALICE), []);
}

#[test]
fn a_second_ending_is_an_anomaly_that_strategies_do_not_hear_of() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(10, 990));
    stage.fill(id, 990, 10);
    stage.forget();
    let out = stage.cancelled(id);
    let life = Life::Ended(Ending::Filled);
    assert_eq!(out, [Output::Alert(Alert::Anomaly { id, life })]);
    let out = stage.say(id, OrderEventKind::Rejected(RejectReason::NoLiquidity));
    assert_eq!(out, [Output::Alert(Alert::Anomaly { id, life })]);
    assert_eq!((stage.told(ALICE), stage.kernel.counts().rejected), (vec![], 0));
}

#[test]
fn a_word_about_an_order_nobody_made_is_an_alert() {
    let mut stage = Stage::new();
    let id = ClientOrderId(4_711);
    for kind in [
        OrderEventKind::Accepted(VenueOrderId(1)),
        OrderEventKind::Cancelled { reason: CancelReason::Requested, filled: None },
        OrderEventKind::Modified { qty: Qty::new(1), price: Price::new(1) },
        OrderEventKind::Expired { filled: None },
    ] {
        assert_eq!(stage.say(id, kind), [Output::Alert(Alert::UnknownOrder(id))]);
    }
}

#[test]
fn a_trigger_shows_that_the_order_is_there() {
    let mut stage = Stage::new();
    let stop = OrderType::Stop(Price::new(1_050));
    let id = stage.placed(ALICE, OrderWish { order_type: stop, ..buy(10, 0) });
    assert_eq!(stage.reserved(A, USD), 10_500 + 10, "valued at its trigger");
    stage.say(id, OrderEventKind::Triggered);
    assert_eq!(stage.order(id).life, Life::Working);
    stage.fill(id, 1_049, 4);
    assert_eq!(stage.reserved(A, USD), 6_300 + 6, "what is left of it, at its trigger");
    stage.fill(id, 1_050, 6);
    stage.forget();
    assert_eq!(stage.say(id, OrderEventKind::Triggered), [], "late, and no news");
    assert_eq!(stage.told(ALICE), []);
}
