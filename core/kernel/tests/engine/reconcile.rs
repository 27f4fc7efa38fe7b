//! Accounts compared with their venues, one rule at a time. All of it at once, in a world that lies, is
//! what the trials of `core/sim` are for.

use crate::stage::{
    A, ALICE, Cast, IBM, PERP_A, SHARE_A, Stage, USD, alerts, buy, cancels, denied, ended, placed,
};
use tse_kernel::{Adjustment, Alert, Command, Ending, Input, Life, Output, Reconcile};
use tse_model::{
    CancelReason, ClientOrderId, Environment, ExecutionRow, Fill, Inquiry, Line, Money,
    OrderEventKind, OrderRow, OrderType, Price, Qty, RejectReason, Side, Span, Standing, Statement,
    StrategyId, TimeInForce, Timestamp, VenueOrderId,
};
use tse_risk::Refusal;
use tse_strategy::OrderWish;

const EVERY: Span = Span::from_secs(10);
const VISIBILITY: Span = Span::from_secs(2);
const TIMEOUT: Span = Span::from_secs(1);

/// What the venue has of ours besides what a stage deposits.
#[derive(Clone, Default)]
struct Theirs {
    orders: Vec<OrderRow>,
    executions: Vec<ExecutionRow>,
    perps: i64,
    cost: i128,
    dollars: i128,
}

fn stage() -> Stage {
    let reconcile =
        Reconcile { every: EVERY, timeout: TIMEOUT, visibility: VISIBILITY, overlap: VISIBILITY };
    let environment = Environment::Paper;
    Stage::with(Cast { reconcile: Some(reconcile), environment, ..Cast::default() })
}

/// Booted, its link up and asked for the first time.
fn booted() -> (Stage, Inquiry) {
    let mut stage = stage();
    stage.step(Input::Boot { epoch: 1 });
    for id in [SHARE_A, PERP_A] {
        stage.quote(id, 990, 1_010);
    }
    let out = stage.link(A, true);
    let asked = asked(&out).expect("a link that comes up is a question");
    (stage, asked)
}

/// Compared, and ready to trade.
fn ready() -> Stage {
    let (mut stage, inquiry) = booted();
    let out = answer(&mut stage, inquiry, &Theirs::default());
    assert!(out.contains(&Output::Reconciled(A)), "{out:?}");
    stage
}

fn asked(out: &[Output]) -> Option<Inquiry> {
    out.iter().find_map(|output| match output {
        Output::Inquire(venue, inquiry) if *venue == A => Some(*inquiry),
        _ => None,
    })
}

fn answer(stage: &mut Stage, inquiry: Inquiry, theirs: &Theirs) -> Vec<Output> {
    let mut lines = vec![Line::Begin { as_of: stage.now }];
    lines.extend(theirs.orders.iter().copied().map(Line::Order));
    lines.extend(theirs.executions.iter().copied().map(Line::Execution));
    if theirs.perps != 0 {
        let (qty, cost) = (Qty::new(theirs.perps), Money::from_units(theirs.cost));
        lines.push(Line::Position { instrument: PERP_A, qty, cost });
    }
    let mut balance = |currency, units: i128| {
        let amount =
            Money::from_units(stage.kernel.portfolio().balance(A, currency).units() + units);
        lines.push(Line::Balance { currency, amount });
    };
    balance(USD, theirs.dollars);
    balance(IBM, 0);
    lines.push(Line::End);
    let mut out = Vec::new();
    for line in lines {
        out.extend(stage.step(Input::Statement(A, Statement { number: inquiry.number, line })));
    }
    out
}

/// Lets time pass up to the next question.
fn next_question(stage: &mut Stage, span: Span) -> Inquiry {
    let out = stage.pass(span);
    asked(&out).unwrap_or_else(|| panic!("it asks within {span}: {out:?}"))
}

fn row(stage: &Stage, id: ClientOrderId, standing: Standing) -> OrderRow {
    let order = stage.order(id);
    OrderRow {
        id,
        venue_id: VenueOrderId(7),
        instrument: order.request.instrument,
        side: order.request.side,
        order_type: order.request.order_type,
        time_in_force: order.request.time_in_force,
        qty: order.request.qty,
        filled: order.filled,
        standing,
        updated: stage.now,
    }
}

/// A purchase of the contract, as it is listed.
fn executed(id: ClientOrderId, fill: Fill, at: Timestamp) -> ExecutionRow {
    let (instrument, side, forced) = (PERP_A, Side::Buy, false);
    ExecutionRow { id, instrument, side, at, fill, forced }
}

fn perp(wish: OrderWish) -> OrderWish {
    OrderWish { instrument: PERP_A, ..wish }
}

#[test]
fn nothing_is_sent_before_the_account_was_compared() {
    let (mut stage, inquiry) = booted();
    let out = stage.wish(ALICE, |_, wish| wish.order(buy(10, 990)));
    assert_eq!(denied(&out), [Refusal::NotReconciled]);
    answer(&mut stage, inquiry, &Theirs::default());
    let id = stage.placed(ALICE, buy(10, 990));
    assert_eq!((id.environment(), id.epoch()), (Environment::Paper, 1));
    assert_eq!((id.strategy(), id.number()), (ALICE, 2), "the refused one had the first number");
}

#[test]
fn what_is_unknown_at_boot_keeps_it_disarmed_until_the_venue_has_spoken() {
    let mut stage = ready();
    let id = stage.placed(ALICE, buy(10, 990));
    stage.step(Input::Boot { epoch: 2 });
    assert_eq!(stage.order(id).life, Life::Unknown);
    stage.wait(Span::from_secs(6));
    let inquiry = asked(&stage.link(A, true)).unwrap();
    assert!(inquiry.since < stage.now, "everything since it was made");
    // It is in no list: that is weak evidence, and the venue is asked to cancel it by name.
    let out = answer(&mut stage, inquiry, &Theirs::default());
    assert_eq!(cancels(&out), [id]);
    assert!(!out.contains(&Output::Reconciled(A)) && stage.order(id).life == Life::Unknown);
    // The cancel found nothing; a second list, far enough from the first, lacks it as well.
    stage.say(id, OrderEventKind::CancelRejected(RejectReason::UnknownOrder));
    let inquiry = next_question(&mut stage, VISIBILITY);
    let out = answer(&mut stage, inquiry, &Theirs::default());
    assert!(alerts(&out).contains(&Alert::ProvenAbsent(id)), "{out:?}");
    assert_eq!(stage.order(id).life, Life::Absent);
    assert!(out.contains(&Output::Reconciled(A)));
    assert_eq!(stage.open(SHARE_A, None), ([0, 0], 0), "and it counts no more");
    // Should it appear after all, that is a conflict, and it counts again.
    stage.accept(id);
    assert_eq!(stage.order(id).life, Life::Disputed);
    assert_eq!(stage.open(SHARE_A, None), ([10, 0], 1));
}

#[test]
fn two_empty_lists_without_a_cancel_that_failed_prove_nothing() {
    let mut stage = ready();
    let id = stage.placed(ALICE, buy(10, 990));
    stage.step(Input::Boot { epoch: 2 });
    stage.wait(Span::from_secs(6));
    let mut inquiry = asked(&stage.link(A, true)).unwrap();
    for _ in 0..5 {
        answer(&mut stage, inquiry, &Theirs::default());
        assert_eq!(stage.order(id).life, Life::Unknown);
        inquiry = next_question(&mut stage, VISIBILITY);
    }
}

#[test]
fn a_fill_that_nobody_heard_is_booked_once_and_its_strategy_is_told() {
    let mut stage = ready();
    let id = stage.placed(ALICE, perp(buy(10, 990)));
    stage.accept(id);
    let inquiry = next_question(&mut stage, EVERY);
    let fill = stage.new_fill(990, 4);
    let mut list = row(&stage, id, Standing::Open);
    list.filled = Qty::new(4);
    let theirs = Theirs {
        orders: vec![list],
        executions: vec![executed(id, fill, stage.now)],
        perps: 4,
        cost: 4 * 990,
        ..Theirs::default()
    };
    answer(&mut stage, inquiry, &theirs);
    assert_eq!((stage.position(ALICE, PERP_A), stage.order(id).filled), (4, Qty::new(4)));
    // Its word comes late: it is known.
    let out = stage.say(id, OrderEventKind::Filled(fill));
    assert_eq!(alerts(&out), [Alert::DuplicateFill { id, exec: fill.exec }]);
    assert_eq!(stage.position(ALICE, PERP_A), 4);
}

#[test]
fn an_end_that_misses_a_fill_counts_as_open_until_the_fill_is_found() {
    for kind in [
        OrderEventKind::Cancelled { reason: CancelReason::Requested, filled: Some(Qty::new(4)) },
        OrderEventKind::Expired { filled: Some(Qty::new(4)) },
    ] {
        let mut stage = ready();
        let id = stage.placed(ALICE, perp(buy(10, 990)));
        stage.accept(id);
        let fill = stage.new_fill(990, 4);
        // The word of the fill is lost, and the stream looks whole.
        let out = stage.say(id, kind);
        assert_eq!(stage.order(id).life, Life::Unknown);
        assert_eq!(stage.open(PERP_A, None), ([10, 0], 1), "at its worst");
        let inquiry = asked(&out).expect("it asks at once");
        let out = stage.wish(ALICE, move |_, wish| wish.order(perp(buy(1, 990))));
        assert_eq!(denied(&out), [Refusal::NotReconciled]);
        let standing = match kind {
            OrderEventKind::Expired { .. } => Standing::Expired,
            _ => Standing::Cancelled(CancelReason::Requested),
        };
        let mut list = row(&stage, id, standing);
        list.filled = Qty::new(4);
        let theirs = Theirs {
            orders: vec![list],
            executions: vec![executed(id, fill, stage.now)],
            perps: 4,
            cost: 4 * 990,
            ..Theirs::default()
        };
        let out = answer(&mut stage, inquiry, &theirs);
        assert_eq!(stage.position(ALICE, PERP_A), 4);
        assert_eq!(ended(&out), [id]);
        assert_eq!(stage.open(PERP_A, None), ([0, 0], 0));
        // One that says what is known ends as ever.
        let id = stage.placed(ALICE, perp(buy(10, 990)));
        stage.accept(id);
        let none =
            OrderEventKind::Cancelled { reason: CancelReason::Requested, filled: Some(Qty::ZERO) };
        assert_eq!(ended(&stage.say(id, none)), [id]);
    }
}

#[test]
fn an_end_that_overtook_its_fill_is_an_end_when_the_fill_has_come() {
    let mut stage = ready();
    let id = stage.placed(ALICE, perp(buy(10, 990)));
    stage.accept(id);
    let [one, other] = [3, 2].map(|qty| stage.new_fill(990, qty));
    let reason = CancelReason::Requested;
    stage.say(id, OrderEventKind::Cancelled { reason, filled: Some(Qty::new(5)) });
    assert_eq!(ended(&stage.say(id, OrderEventKind::Filled(one))), [], "two are missing still");
    assert!(stage.order(id).life.is_live());
    assert_eq!(ended(&stage.say(id, OrderEventKind::Filled(other))), [id]);
    assert_eq!(stage.order(id).life, Life::Ended(Ending::Cancelled));
    assert_eq!(stage.open(PERP_A, None), ([0, 0], 0));
}

#[test]
fn what_is_booked_while_the_answer_is_on_its_way_is_no_difference() {
    let mut stage = ready();
    let id = stage.placed(ALICE, perp(buy(10, 990)));
    stage.accept(id);
    let inquiry = next_question(&mut stage, EVERY);
    let asked_at = stage.now;
    // The venue looks at its books, then we trade; the word of it is faster than the answer.
    stage.wait(Span::from_millis(50));
    stage.fill(id, 990, 3);
    let mut list = row(&stage, id, Standing::Open);
    (list.filled, list.updated) = (Qty::ZERO, asked_at);
    let theirs = Theirs { orders: vec![list], ..Theirs::default() };
    let out = answer(&mut stage, inquiry, &theirs);
    assert!(!stage.kernel.is_unexplained(A), "{out:?}");
    assert_eq!(stage.order(id).filled, Qty::new(3), "the list is older than what we know");
}

#[test]
fn a_difference_is_adjusted_only_when_it_stays_and_latches_until_a_person_acknowledges() {
    let mut stage = ready();
    let theirs = Theirs { perps: 2, cost: 2 * 1_000, dollars: 500, ..Theirs::default() };
    let inquiry = next_question(&mut stage, EVERY);
    let out = answer(&mut stage, inquiry, &theirs);
    assert!(stage.kernel.is_unexplained(A) && alerts(&out).is_empty(), "once proves nothing");
    let inquiry = next_question(&mut stage, VISIBILITY);
    let out = answer(&mut stage, inquiry, &theirs);
    assert!(alerts(&out).contains(&Alert::Unexplained(A)));
    let adjusted: Vec<Adjustment> = out
        .iter()
        .filter_map(|output| match output {
            Output::Adjusted(_, adjustment) => Some(*adjustment),
            _ => None,
        })
        .collect();
    let position = Adjustment::Position { instrument: PERP_A, qty: Qty::new(2) };
    assert!(adjusted.contains(&position) && adjusted.len() == 2, "{adjusted:?}");
    assert!(!out.iter().any(|output| matches!(output, Output::Filled { .. })), "never a fill");
    assert_eq!(stage.kernel.portfolio().qty(StrategyId::EXTERNAL, PERP_A), Qty::new(2));
    assert!(stage.kernel.is_latched(A));
    let out = stage.wish(ALICE, |_, wish| wish.order(buy(10, 990)));
    assert_eq!(denied(&out), [Refusal::NotReconciled]);
    // It stays so, however often it is compared, until somebody has looked.
    let same = Theirs { dollars: 0, ..theirs };
    for _ in 0..3 {
        let inquiry = next_question(&mut stage, EVERY);
        assert!(!answer(&mut stage, inquiry, &same).contains(&Output::Reconciled(A)));
    }
    let out = stage.command(Command::Acknowledge(A));
    let inquiry = asked(&out).expect("it is compared at once");
    assert!(answer(&mut stage, inquiry, &same).contains(&Output::Reconciled(A)));
    assert_eq!(placed(&stage.wish(ALICE, |_, wish| wish.order(buy(10, 990)))).len(), 1);
}

#[test]
fn an_order_of_nobodys_is_taken_in_and_counts() {
    let mut stage = ready();
    let inquiry = next_question(&mut stage, EVERY);
    let id = ClientOrderId::new(Environment::Foreign, 0, StrategyId::EXTERNAL, 5);
    let list = OrderRow {
        id,
        venue_id: VenueOrderId(9),
        instrument: PERP_A,
        side: Side::Sell,
        order_type: OrderType::Limit(Price::new(1_010)),
        time_in_force: TimeInForce::Gtc,
        qty: Qty::new(6),
        filled: Qty::ZERO,
        standing: Standing::Open,
        updated: stage.now,
    };
    let theirs = Theirs { orders: vec![list], ..Theirs::default() };
    let out = answer(&mut stage, inquiry, &theirs);
    assert_eq!(alerts(&out), [Alert::Adopted(id)]);
    assert_eq!(stage.order(id).request.strategy, StrategyId::EXTERNAL);
    assert_eq!(stage.open(PERP_A, None), ([0, 6], 1));
    assert_eq!(stage.open(PERP_A, Some(ALICE)), ([0, 0], 0), "in the account, not in a strategy");
    stage.fill(id, 1_010, 6);
    assert_eq!(stage.kernel.portfolio().qty(StrategyId::EXTERNAL, PERP_A), Qty::new(-6));
}

#[test]
fn missing_words_stop_new_orders_until_the_venue_was_asked() {
    let mut stage = ready();
    let out = stage.step(Input::Gap(A));
    let inquiry = asked(&out).expect("it asks at once");
    let out = stage.wish(ALICE, |_, wish| wish.order(buy(10, 990)));
    assert_eq!(denied(&out), [Refusal::NotReconciled]);
    // Another gap while the answer is on its way: that answer may be too old.
    stage.step(Input::Gap(A));
    let out = answer(&mut stage, inquiry, &Theirs::default());
    assert!(!out.contains(&Output::Reconciled(A)));
    let inquiry = next_question(&mut stage, Span::from_millis(1));
    assert!(answer(&mut stage, inquiry, &Theirs::default()).contains(&Output::Reconciled(A)));
}

#[test]
fn an_answer_that_does_not_come_is_asked_for_again_and_a_late_one_is_no_answer() {
    let mut stage = ready();
    let first = next_question(&mut stage, EVERY);
    let out = stage.pass(TIMEOUT);
    assert!(alerts(&out).contains(&Alert::NoStatement(A)));
    let second = asked(&out).expect("again");
    assert!(second.number > first.number && second.since <= first.since.max(second.since));
    let wrong = Theirs { perps: 9, cost: 1, ..Theirs::default() };
    assert_eq!(answer(&mut stage, first, &wrong), [], "an answer to an earlier question");
    answer(&mut stage, second, &Theirs::default());
    assert!(!stage.kernel.is_unexplained(A));
}

#[test]
fn a_cancel_that_nobody_answered_is_sent_again() {
    let mut stage = ready();
    let id = stage.placed(ALICE, buy(10, 990));
    stage.accept(id);
    stage.wish(ALICE, move |_, wish| wish.cancel(id));
    let inquiry = next_question(&mut stage, EVERY);
    let theirs = Theirs { orders: vec![row(&stage, id, Standing::Open)], ..Theirs::default() };
    let out = answer(&mut stage, inquiry, &theirs);
    assert_eq!(cancels(&out), [], "by this answer it may still have been on its way");
    let inquiry = next_question(&mut stage, EVERY);
    let theirs = Theirs { orders: vec![row(&stage, id, Standing::Open)], ..Theirs::default() };
    assert_eq!(cancels(&answer(&mut stage, inquiry, &theirs)), [id]);
    let inquiry = next_question(&mut stage, EVERY);
    let gone = Standing::Cancelled(CancelReason::Requested);
    let theirs = Theirs { orders: vec![row(&stage, id, gone)], ..Theirs::default() };
    answer(&mut stage, inquiry, &theirs);
    assert!(matches!(stage.order(id).life, Life::Ended(_)), "and its end is found by asking");
}

#[test]
fn a_difference_as_large_as_one_that_was_explained_is_another_one() {
    let mut stage = ready();
    let id = stage.placed(ALICE, perp(buy(10, 990)));
    stage.accept(id);
    let inquiry = next_question(&mut stage, EVERY);
    let (first, second) = (stage.new_fill(990, 2), stage.new_fill(990, 2));
    // The position is ahead of the lists.
    let mut theirs = Theirs {
        orders: vec![row(&stage, id, Standing::Open)],
        perps: 2,
        cost: 2 * 990,
        ..Theirs::default()
    };
    let began = stage.now;
    answer(&mut stage, inquiry, &theirs);
    assert!(stage.kernel.is_unexplained(A));
    // The lists have caught up, and the position is ahead again, by another two.
    let inquiry = next_question(&mut stage, VISIBILITY);
    theirs.executions.push(executed(id, first, began));
    (theirs.perps, theirs.cost) = (4, 4 * 990);
    let out = answer(&mut stage, inquiry, &theirs);
    assert!(!alerts(&out).contains(&Alert::Unexplained(A)), "{out:?}");
    let now = stage.now;
    let inquiry = next_question(&mut stage, VISIBILITY);
    theirs.executions.push(executed(id, second, now));
    answer(&mut stage, inquiry, &theirs);
    assert!(!stage.kernel.is_unexplained(A) && !stage.kernel.is_latched(A));
    assert_eq!(stage.position(ALICE, PERP_A), 4);
}

#[test]
fn a_late_word_about_an_earlier_change_does_not_answer_the_one_on_its_way() {
    let mut stage = ready();
    let id = stage.placed(ALICE, buy(6, 990));
    stage.accept(id);
    stage.wish(ALICE, move |_, wish| wish.modify(id, Qty::new(9), None));
    assert_eq!(stage.open(SHARE_A, None).0, [9, 0]);
    let earlier = OrderEventKind::Modified { qty: Qty::new(4), price: Price::new(990) };
    stage.say(id, earlier);
    assert_eq!(stage.open(SHARE_A, None).0, [9, 0], "it may be nine by now");
    let answered = OrderEventKind::Modified { qty: Qty::new(9), price: Price::new(990) };
    stage.say(id, answered);
    assert_eq!((stage.open(SHARE_A, None).0, stage.order(id).change), ([9, 0], None));
}
