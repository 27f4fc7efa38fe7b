//! C02, C06, C07, C17, C21, C22 in the engine: what is counted where, what a count too many does, and that a
//! person has to look before it goes on.

use crate::stage::{
    A, ALICE, BOB, Cast, SHARE_A, SHARE_B, Stage, alerts, buy, cancels, denied, market, sell,
};
use tse_kernel::{Alert, Command, PaceTable};
use tse_model::{OrderEventKind, RejectReason, Side, Span};
use tse_risk::{
    Cause, Level, Messages, Pace, Paces, Reach, Refusal, Resume, Role, Scope, Who, Why,
};
use tse_strategy::OrderWish;

fn of_strategy(paces: Paces) -> Stage {
    let paces = PaceTable { strategy: vec![paces; 2], ..PaceTable::default() };
    Stage::with(Cast { paces, ..Cast::default() })
}

fn of_account(paces: Paces) -> Stage {
    let paces = PaceTable { account: vec![paces; 2], ..PaceTable::default() };
    Stage::with(Cast { paces, ..Cast::default() })
}

fn second(count: u32) -> Pace {
    Pace { count, window: Span::from_secs(1) }
}

fn messages(count: u32, reserved: u32, tolerance: Option<u32>) -> Paces {
    let messages = Messages { rate: second(count), reserved, tolerance };
    Paces { messages: Some(messages), ..Paces::default() }
}

fn paused(reach: Reach, cause: Cause) -> Alert {
    Alert::Killed { reach, level: Level::Pause, cause }
}

fn elsewhere(wish: OrderWish) -> OrderWish {
    OrderWish { instrument: SHARE_B, ..wish }
}

#[test]
fn c06_orders_changes_and_cancels_count_and_orders_are_refused() {
    let mut stage = of_strategy(messages(5, 2, None));
    let first = stage.placed(ALICE, buy(1, 980));
    stage.accept(first);
    let out = stage.wish(ALICE, move |_, wish| wish.modify(first, tse_model::Qty::new(2), None));
    assert_eq!(denied(&out), []);
    stage.say(first, OrderEventKind::ModifyRejected(RejectReason::PriceOutOfRange));
    stage.placed(ALICE, buy(1, 981));
    let refusal = Refusal::TooManyMessages { scope: Scope::Strategy, after: 4, limit: 3 };
    let out = stage.wish(ALICE, |_, wish| wish.order(buy(1, 982)));
    assert_eq!(denied(&out), [refusal]);
    // Cancels go out, and the other strategy has its own count.
    assert_eq!(cancels(&stage.wish(ALICE, move |_, wish| wish.cancel(first))), [first]);
    assert_eq!(stage.place(BOB, &[buy(1, 980)]).len(), 1);
    stage.wait(Span::from_secs(1));
    assert_eq!(stage.place(ALICE, &[buy(1, 982)]).len(), 1, "the window has passed");
}

#[test]
fn c06_an_account_counts_all_its_strategies_and_no_other_account() {
    let mut stage = of_account(messages(2, 0, None));
    stage.placed(ALICE, buy(1, 980));
    stage.placed(BOB, buy(1, 980));
    let refusal = Refusal::TooManyMessages { scope: Scope::Account, after: 3, limit: 2 };
    let out = stage.wish(ALICE, |_, wish| wish.order(buy(1, 981)));
    assert_eq!(denied(&out), [refusal]);
    assert_eq!(stage.place(ALICE, &[elsewhere(buy(1, 980))]).len(), 1);
}

#[test]
fn c06_a_position_can_be_shrunk_whatever_was_sent() {
    let mut stage = of_strategy(messages(1, 0, None));
    let id = stage.placed(ALICE, market(SHARE_A, Side::Buy, 5));
    stage.fill(id, 1_000, 5);
    assert_eq!(stage.place(ALICE, &[sell(5, 1_020)]).len(), 1);
    assert_eq!(stage.place(ALICE, &[sell(1, 1_020)]).len(), 0, "that would be more than there is");
}

#[test]
fn c06_the_legs_of_a_group_count_before_they_leave() {
    let mut stage = of_strategy(messages(3, 0, None));
    stage.placed(ALICE, buy(1, 980));
    let legs = |n: i64| (0..n).map(|at| buy(1, 970 + at)).collect::<Vec<_>>();
    let three = legs(3);
    let out = stage.wish(ALICE, move |_, wish| wish.group(&three));
    let refusal = Refusal::TooManyMessages { scope: Scope::Strategy, after: 4, limit: 3 };
    assert!(denied(&out).contains(&refusal), "{out:?}");
    assert_eq!(crate::stage::placed(&out), [], "all or none");
    let two = legs(2);
    let out = stage.wish(ALICE, move |_, wish| wish.group(&two));
    assert_eq!(crate::stage::placed(&out).len(), 2, "{out:?}");
}

#[test]
fn c06_legs_elsewhere_do_not_count_for_an_account() {
    let mut stage = of_account(messages(2, 0, None));
    stage.placed(ALICE, buy(1, 980));
    stage.placed(ALICE, elsewhere(buy(1, 980)));
    // One message is left at each: for one leg at each.
    let legs = [buy(1, 981), elsewhere(buy(1, 981))];
    let out = stage.wish(ALICE, move |_, wish| wish.group(&legs));
    assert_eq!(crate::stage::placed(&out).len(), 2, "{out:?}");
}

#[test]
fn c06_orders_that_make_way_for_another_leave_less_room_for_it() {
    let account =
        tse_risk::Limits { self_trade: tse_risk::SelfTrade::CancelOld, ..crate::stage::limits() };
    let paces = PaceTable { strategy: vec![messages(4, 0, None); 2], ..PaceTable::default() };
    let mut stage = Stage::with(Cast { paces, account, ..Cast::default() });
    let old = [stage.placed(ALICE, buy(1, 990)), stage.placed(ALICE, buy(1, 991))];
    old.into_iter().for_each(|id| drop(stage.accept(id)));
    // Two have left, two cancels leave, and the fifth is one too many.
    let out = stage.wish(ALICE, |_, wish| wish.order(sell(1, 985)));
    assert_eq!(cancels(&out), old);
    let refusal = Refusal::TooManyMessages { scope: Scope::Strategy, after: 5, limit: 4 };
    assert_eq!((denied(&out), crate::stage::placed(&out)), (vec![refusal], vec![]));
}

#[test]
fn c06_who_goes_on_and_on_is_paused_until_a_person_looks() {
    let mut stage = of_strategy(messages(1, 0, Some(2)));
    stage.placed(ALICE, buy(1, 980));
    for n in 0..2 {
        let out = stage.wish(ALICE, move |_, wish| wish.order(buy(1, 981 + n)));
        assert_eq!((denied(&out).len(), alerts(&out)), (1, vec![]), "{n} is borne");
    }
    let reach = Reach::Strategy(ALICE);
    let out = stage.wish(ALICE, |_, wish| wish.order(buy(1, 985)));
    assert_eq!(alerts(&out), [paused(reach, Cause::Messages)]);
    stage.wait(Span::from_secs(5));
    let out = stage.wish(ALICE, |_, wish| wish.order(buy(1, 985)));
    assert_eq!(denied(&out), [Refusal::Killed { level: Level::Pause }]);
    assert_eq!(stage.place(BOB, &[buy(1, 980)]).len(), 1);
    resume(&mut stage, reach);
    assert_eq!(stage.place(ALICE, &[buy(1, 985)]).len(), 1);
}

fn resume(stage: &mut Stage, reach: Reach) {
    let (by, why) = (Who::cut("bob"), Why::cut("looked at it"));
    let resume = Resume { reach, to: Level::Free, role: Role::Owner, by, second: None, why };
    let out = stage.command(Command::Resume(resume));
    assert_eq!(alerts(&out), [Alert::Resumed { reach, to: Level::Free }]);
}

#[test]
fn c07_after_so_many_executions_a_person_must_look() {
    let pace = Paces { executions: Some(second(3)), ..Paces::default() };
    let mut stage = of_strategy(pace);
    let id = stage.placed(ALICE, buy(10, 990));
    for n in 1..=3 {
        assert_eq!(alerts(&stage.fill(id, 990, 1)), [], "execution {n}");
    }
    let reach = Reach::Strategy(ALICE);
    assert_eq!(alerts(&stage.fill(id, 990, 1)), [paused(reach, Cause::Executions)]);
    assert_eq!(stage.place(ALICE, &[buy(1, 980)]).len(), 0);
    // What it has in the market still trades, and its position may shrink.
    stage.fill(id, 990, 1);
    assert_eq!(stage.place(ALICE, &[sell(5, 1_020)]).len(), 1);
    resume(&mut stage, reach);
    assert_eq!(alerts(&stage.fill(id, 990, 1)), [], "counted anew");
}

#[test]
fn c17_refusals_of_a_venue_in_a_row_pause_and_one_that_it_takes_ends_the_row() {
    let pace = Paces { rejects: Some(2), ..Paces::default() };
    let mut stage = of_strategy(pace);
    let reject = |stage: &mut Stage| {
        let id = stage.placed(ALICE, buy(1, 980));
        alerts(&stage.say(id, OrderEventKind::Rejected(RejectReason::NoLiquidity)))
    };
    assert_eq!([reject(&mut stage), reject(&mut stage)], [[], []]);
    let taken = stage.placed(ALICE, buy(1, 980));
    stage.accept(taken);
    assert_eq!(reject(&mut stage), []);
    // A cancel and a change that are refused count as well.
    stage.wish(ALICE, move |_, wish| wish.cancel(taken));
    let refused = OrderEventKind::CancelRejected(RejectReason::PriceOutOfRange);
    assert_eq!(alerts(&stage.say(taken, refused)), []);
    stage.wish(ALICE, move |_, wish| wish.modify(taken, tse_model::Qty::new(2), None));
    let refused = OrderEventKind::ModifyRejected(RejectReason::PriceOutOfRange);
    let reach = Reach::Strategy(ALICE);
    assert_eq!(alerts(&stage.say(taken, refused)), [paused(reach, Cause::Rejects)]);
    assert_eq!(stage.place(ALICE, &[buy(1, 981)]).len(), 0);
}

#[test]
fn c17_a_pause_by_a_person_settles_no_row() {
    let mut stage = of_strategy(Paces { rejects: Some(2), ..Paces::default() });
    let reject = |stage: &mut Stage| {
        let id = stage.placed(ALICE, buy(1, 980));
        alerts(&stage.say(id, OrderEventKind::Rejected(RejectReason::NoLiquidity)))
    };
    assert_eq!([reject(&mut stage), reject(&mut stage)], [[], []]);
    let (reach, level) = (Reach::Strategy(ALICE), Level::Pause);
    let (by, why) = (Who::cut("ann"), Why::cut("a drill"));
    stage.command(Command::Kill(tse_risk::Kill { reach, level, by, why }));
    resume(&mut stage, reach);
    assert_eq!(reject(&mut stage), [paused(reach, Cause::Rejects)], "the third");
    resume(&mut stage, reach);
    assert_eq!(reject(&mut stage), [], "it was looked at");
}

#[test]
fn c17_losses_in_a_row_pause() {
    let pace = Paces { losses: Some(1), ..Paces::default() };
    let mut stage = of_strategy(pace);
    let lose = |stage: &mut Stage| {
        let id = stage.placed(ALICE, market(SHARE_A, Side::Buy, 1));
        let mut all = alerts(&stage.fill(id, 1_010, 1));
        let id = stage.placed(ALICE, market(SHARE_A, Side::Sell, 1));
        all.extend(alerts(&stage.fill(id, 990, 1)));
        all
    };
    assert_eq!(lose(&mut stage), []);
    assert_eq!(lose(&mut stage), [paused(Reach::Strategy(ALICE), Cause::Losses)]);
}

#[test]
fn c22_a_strategy_that_quotes_and_never_trades_is_held_until_it_trades_or_the_day_is_over() {
    let limit = tse_risk::OrderToTrade { ratio: 2, grace: 3 };
    let mut stage = of_strategy(Paces { order_to_trade: Some(limit), ..Paces::default() });
    let first = stage.placed(ALICE, buy(5, 980));
    stage.accept(first);
    assert_eq!(cancels(&stage.wish(ALICE, move |_, wish| wish.cancel(first))), [first]);
    stage.placed(ALICE, buy(1, 981));
    let refusal = |after, limit| Refusal::OrderToTrade { scope: Scope::Strategy, after, limit };
    let denials = |stage: &mut Stage| denied(&stage.wish(ALICE, |_, wish| wish.order(buy(1, 982))));
    assert_eq!(denials(&mut stage), [refusal(4, 3)]);
    assert_eq!(stage.place(BOB, &[buy(1, 980)]).len(), 1, "the other has its own count");
    // What it has executed makes room.
    stage.fill(first, 980, 1);
    assert_eq!([denials(&mut stage), denials(&mut stage)], [[], []]);
    assert_eq!(denials(&mut stage), [refusal(6, 5)]);
    // Cancels go out and count, and a position can be closed.
    assert_eq!(stage.place(ALICE, &[sell(1, 1_020)]).len(), 1);
    assert_eq!(denials(&mut stage), [refusal(7, 5)]);
    stage.wait(Span::from_secs(86_400));
    stage.quote(SHARE_A, 990, 1_010);
    assert_eq!(denials(&mut stage), [], "a new day");
}

#[test]
fn c21_orders_without_an_answer_are_counted_by_account_and_answers_make_room() {
    let pace = Paces { in_flight: Some(2), ..Paces::default() };
    let mut stage = of_account(pace);
    let first = stage.placed(ALICE, buy(1, 980));
    stage.placed(BOB, buy(1, 980));
    let out = stage.wish(ALICE, |_, wish| wish.order(buy(1, 981)));
    assert_eq!(denied(&out), [Refusal::InFlight { after: 3, limit: 2 }]);
    assert_eq!(stage.place(ALICE, &[elsewhere(buy(1, 980))]).len(), 1, "another account");
    stage.accept(first);
    let second = stage.placed(ALICE, buy(1, 981));
    assert_eq!(stage.place(ALICE, &[buy(1, 982)]).len(), 0);
    // A change awaits an answer as an order does.
    stage.accept(second);
    let change = move |_: &tse_strategy::View<'_>, wish: &mut tse_strategy::Intents| {
        wish.modify(second, tse_model::Qty::new(2), None);
    };
    assert_eq!(denied(&stage.wish(ALICE, change)), []);
    assert_eq!(stage.place(ALICE, &[buy(1, 982)]).len(), 0);
    stage.say(second, OrderEventKind::ModifyRejected(RejectReason::PriceOutOfRange));
    let second = stage.placed(ALICE, buy(1, 982));
    // Nobody knows: that is worse than no answer.
    stage.link(A, false);
    stage.link(A, true);
    stage.quote(SHARE_A, 990, 1_010);
    assert_eq!(stage.place(ALICE, &[buy(1, 983)]).len(), 0);
    stage.cancelled(second);
}
