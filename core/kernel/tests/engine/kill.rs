//! K1 to K6: what each level refuses, takes back and closes; who may lower it; and that an engine that has
//! booted trades only when a person says so.

use crate::stage::{
    A, ALICE, B, BOB, Cast, PERP_A, SHARE_A, SHARE_B, Stage, alerts, buy, cancels, denied, limits,
    market, placed, sell,
};
use tse_kernel::{Alert, Command, Input, Kernel, NotArmed, Output};
use tse_model::bytes::Writer;
use tse_model::{
    CancelOrder, ClientOrderId, InstrumentId, Machine, MarketData, OrderType, Price, Qty, Quote,
    Request, Side, Span, StrategyId, TimeInForce,
};
use tse_risk::{Cause, Kill, Level, Limits, NotResumed, Reach, Refusal, Resume, Role, Who, Why};
use tse_strategy::OrderWish;

fn kill(stage: &mut Stage, reach: Reach, level: Level) -> Vec<Output> {
    let (by, why) = (Who::cut("ann"), Why::cut("a drill"));
    stage.command(Command::Kill(Kill { reach, level, by, why }))
}

fn resume(stage: &mut Stage, reach: Reach, to: Level, role: Role) -> Vec<Alert> {
    let (by, second, why) = (Who::cut("bob"), Some(Who::cut("eve")), Why::cut("it is over"));
    alerts(&stage.command(Command::Resume(Resume { reach, to, role, by, second, why })))
}

fn killed(reach: Reach, level: Level) -> Alert {
    Alert::Killed { reach, level, cause: Cause::Person }
}

/// Why an order of Alice's is refused.
fn refused(stage: &mut Stage, wish: OrderWish) -> Vec<Refusal> {
    denied(&stage.wish(ALICE, move |_, all| all.order(wish)))
}

/// Alice is so many shares long at the first venue.
fn long(stage: &mut Stage, qty: i64) {
    let id = stage.placed(ALICE, market(SHARE_A, Side::Buy, qty));
    stage.fill(id, 1_000, qty);
}

fn on(instrument: InstrumentId, wish: OrderWish) -> OrderWish {
    OrderWish { instrument, ..wish }
}

#[test]
fn k1_nothing_that_adds_risk_is_sent_and_what_is_open_stays() {
    let mut stage = Stage::new();
    long(&mut stage, 10);
    let resting = stage.placed(ALICE, buy(5, 980));
    let out = kill(&mut stage, Reach::Firm, Level::Pause);
    assert_eq!(out, [Output::Alert(killed(Reach::Firm, Level::Pause))]);
    assert_eq!(refused(&mut stage, buy(1, 980)), [Refusal::Killed { level: Level::Pause }]);
    assert_eq!(stage.place(ALICE, &[sell(10, 1_020)]).len(), 1, "it shrinks");
    assert!(!stage.order(resting).cancelling);
    assert_eq!(stage.pass(Span::from_secs(60)).iter().filter(|it| sends(it)).count(), 2, "overdue");
    // Said again, or less of it, it changes nothing.
    for level in [Level::Pause, Level::Free] {
        assert_eq!(kill(&mut stage, Reach::Firm, level), []);
    }
}

fn sends(output: &Output) -> bool {
    matches!(output, Output::Send(..))
}

#[test]
fn k2_what_might_not_shrink_a_position_is_taken_back() {
    let mut stage = Stage::new();
    long(&mut stage, 10);
    let adds = stage.placed(ALICE, buy(5, 980));
    let shrinks = stage.placed(ALICE, sell(10, 1_020));
    let elsewhere = stage.placed(BOB, on(SHARE_B, sell(5, 1_020)));
    let out = kill(&mut stage, Reach::Firm, Level::Reduce);
    assert_eq!(cancels(&out), [adds, elsewhere]);
    assert!(!stage.order(shrinks).cancelling);
    // Together they are more than there is: then neither is sure to shrink it.
    let mut stage = Stage::new();
    long(&mut stage, 10);
    let both = [stage.placed(ALICE, sell(6, 1_020)), stage.placed(ALICE, sell(6, 1_030))];
    assert_eq!(cancels(&kill(&mut stage, Reach::Firm, Level::Reduce)), both);
    // The other side of the account: what one sells, the other may have bought.
    let mut stage = Stage::new();
    long(&mut stage, 10);
    let short = stage.placed(BOB, market(SHARE_A, Side::Sell, 10));
    stage.fill(short, 1_000, 10);
    let seems_to = stage.placed(ALICE, sell(10, 1_020));
    assert_eq!(cancels(&kill(&mut stage, Reach::Firm, Level::Reduce)), [seems_to]);
}

#[test]
fn k3_everything_is_taken_back_and_what_shrinks_may_come_again() {
    let mut stage = Stage::new();
    long(&mut stage, 10);
    let all = [stage.placed(ALICE, buy(5, 980)), stage.placed(ALICE, sell(10, 1_020))];
    let out = kill(&mut stage, Reach::Firm, Level::Cancel);
    assert_eq!(cancels(&out), all);
    all.into_iter().for_each(|id| drop(stage.cancelled(id)));
    let later = stage.placed(ALICE, sell(10, 1_020));
    stage.accept(later);
    assert_eq!(cancels(&stage.pass(Span::from_secs(60))), [], "that one stays");
    assert_eq!(refused(&mut stage, buy(1, 980)), [Refusal::Killed { level: Level::Cancel }]);
}

#[test]
fn k4_nothing_is_sent_but_cancels_and_those_until_each_is_answered() {
    let mut stage = Stage::new();
    long(&mut stage, 10);
    let gone = stage.placed(ALICE, sell(5, 1_020));
    let silent = stage.placed(BOB, buy(5, 980));
    [gone, silent].into_iter().for_each(|id| drop(stage.accept(id)));
    let out = kill(&mut stage, Reach::Firm, Level::Halt);
    assert_eq!(out[0], Output::Alert(killed(Reach::Firm, Level::Halt)));
    assert_eq!(cancels(&out), [silent, gone]);
    assert_eq!(refused(&mut stage, sell(5, 1_020)), [Refusal::Killed { level: Level::Halt }]);
    stage.cancelled(gone);
    // The other is asked for again after each time in which it should have been answered.
    assert_eq!(cancels(&stage.pass(Span::from_secs(4))), []);
    assert_eq!(cancels(&stage.pass(Span::from_secs(2))), [silent]);
    assert_eq!(cancels(&stage.pass(Span::from_secs(5))), [silent]);
    // A refusal is no answer to how it stands.
    stage
        .say(silent, tse_model::OrderEventKind::CancelRejected(tse_model::RejectReason::SelfTrade));
    assert_eq!(cancels(&stage.pass(Span::from_secs(5))), [silent]);
    // Nor is a link that is down: it goes on when it is up.
    stage.link(A, false);
    assert_eq!(cancels(&stage.pass(Span::from_secs(20))), []);
    let mut out = stage.link(A, true);
    out.extend(stage.pass(Span::from_secs(6)));
    assert!(cancels(&out).contains(&silent), "{out:?}");
    stage.cancelled(silent);
    assert_eq!(stage.pass(Span::from_secs(60)), [], "and then it is done");
    assert_eq!(stage.kernel.wake_at(), None);
}

#[test]
fn k4_a_smaller_order_is_a_change_and_not_sent_either() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(5, 980));
    stage.accept(id);
    kill(&mut stage, Reach::Strategy(ALICE), Level::Pause);
    let change = move |_: &tse_strategy::View<'_>, wish: &mut tse_strategy::Intents| {
        wish.modify(id, Qty::new(4), None);
    };
    assert!(stage.wish(ALICE, change).iter().any(sends), "at K1 it may shrink");
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(5, 980));
    stage.accept(id);
    kill(&mut stage, Reach::Strategy(ALICE), Level::Halt);
    stage.say(id, tse_model::OrderEventKind::CancelRejected(tse_model::RejectReason::SelfTrade));
    let shrink = move |_: &tse_strategy::View<'_>, wish: &mut tse_strategy::Intents| {
        wish.modify(id, Qty::new(4), None);
    };
    assert_eq!(denied(&stage.wish(ALICE, shrink)), [Refusal::Killed { level: Level::Halt }]);
}

#[test]
fn k5_positions_are_closed_in_pieces_that_the_market_shows_within_the_collar() {
    let mut stage = Stage::new();
    long(&mut stage, 120);
    let resting = stage.placed(ALICE, sell(5, 1_020));
    assert!(!stage.kernel.is_sweeping());
    let out = kill(&mut stage, Reach::Firm, Level::Flatten);
    assert_eq!((cancels(&out), placed(&out)), (vec![resting], vec![]), "cancels come first");
    assert!(stage.kernel.is_sweeping());
    // While it may still trade nothing else is sent.
    assert_eq!(placed(&stage.pass(Span::from_secs(2))), []);
    stage.cancelled(resting);
    let mut left = 120;
    for expected in [50, 50, 20] {
        let pieces = placed(&stage.pass(Span::from_secs(1)));
        let [piece] = pieces[..] else { panic!("{pieces:?}") };
        assert_eq!(
            (piece.side, piece.qty, piece.strategy),
            (Side::Sell, Qty::new(expected), ALICE)
        );
        assert_eq!(
            piece.order_type,
            OrderType::Limit(Price::new(950)),
            "five per cent below 10.00"
        );
        assert!(piece.time_in_force == TimeInForce::Ioc && piece.reduce_only);
        assert_eq!(placed(&stage.pass(Span::from_secs(1))), [], "one at a time");
        stage.fill(piece.id, 990, expected);
        left -= expected;
        assert_eq!(stage.position(ALICE, SHARE_A), left);
    }
    assert_eq!(placed(&stage.pass(Span::from_secs(60))), [], "flat is flat");
    assert!(!stage.kernel.is_sweeping());
    assert_eq!(stage.kernel.wake_at(), None);
}

#[test]
fn k5_pieces_are_no_larger_than_one_order_may_be() {
    // Shown are 50, held are 120. At 10.60, above the far end of the collar, 20 lots are worth 212.00.
    let by_qty = Limits { order_qty_max: Some(Qty::new(30)), ..Limits::default() };
    let by_value = Limits { order_value_max: Some(tse_model::Money::from_units(21_200)), ..by_qty };
    for (own, expected) in [(by_qty, vec![30, 30, 30, 30]), (by_value, vec![20; 6])] {
        let mut stage = Stage::with(Cast { own, ..Cast::default() });
        for _ in 0..6 {
            long(&mut stage, 20);
        }
        let mut out = kill(&mut stage, Reach::Firm, Level::Flatten);
        for qty in expected {
            let pieces = placed(&out);
            let [piece] = pieces[..] else { panic!("{out:?}") };
            assert_eq!(piece.qty, Qty::new(qty));
            stage.fill(piece.id, 990, qty);
            out = stage.pass(Span::from_secs(1));
        }
        assert_eq!((stage.position(ALICE, SHARE_A), placed(&out)), (0, vec![]));
    }
}

#[test]
fn k5_is_held_by_no_limit_that_a_strategy_has_used_up() {
    let once = tse_risk::Repeats { window: Span::from_secs(3_600), count: 2 };
    let own =
        Limits { repeats: Some(once), order_qty_max: Some(Qty::new(10)), ..Limits::default() };
    let account = Limits { open_orders_max: Some(2), ..limits() };
    let mut stage = Stage::with(Cast { own, account, ..Cast::default() });
    for qty in [10, 10, 9, 9] {
        long(&mut stage, qty);
    }
    // Bob's orders fill the account's number, and one of them would meet what is sold.
    let bids = [980, 970].map(|price| stage.placed(BOB, buy(1, price)));
    bids.into_iter().for_each(|id| drop(stage.accept(id)));
    let mut out = kill(&mut stage, Reach::Strategy(ALICE), Level::Flatten);
    for qty in [10, 10, 10, 8] {
        let pieces = placed(&out);
        let [piece] = pieces[..] else { panic!("{out:?}") };
        assert_eq!(piece.qty, Qty::new(qty));
        stage.fill(piece.id, 990, qty);
        out = stage.pass(Span::from_secs(1));
    }
    assert_eq!(stage.position(ALICE, SHARE_A), 0);
}

#[test]
fn k5_ends_with_what_the_venue_takes_no_order_for() {
    let mut stage = Stage::new();
    long(&mut stage, 10);
    let rules = stage.kernel.catalog().instrument(SHARE_A).rules();
    stage.step(Input::Rules(SHARE_A, tse_model::Rules { qty_step: 4, ..rules }));
    let pieces = placed(&kill(&mut stage, Reach::Firm, Level::Flatten));
    let [piece] = pieces[..] else { panic!("{pieces:?}") };
    assert_eq!(piece.qty, Qty::new(8));
    stage.fill(piece.id, 990, 8);
    assert_eq!(placed(&stage.pass(Span::from_secs(9))), []);
    assert!(!stage.kernel.is_sweeping(), "what is left is less than a venue takes");
    assert_eq!(stage.kernel.wake_at(), None, "it is not tried again and again");
}

#[test]
fn k5_closes_just_as_much_as_the_venue_takes_and_does_not_wait_for_less() {
    for (qty_min, sold) in [(9, true), (10, true), (11, false)] {
        let mut stage = Stage::new();
        long(&mut stage, 10);
        let rules = stage.kernel.catalog().instrument(SHARE_A).rules();
        let rules = tse_model::Rules { qty_min: Qty::new(qty_min), ..rules };
        stage.step(Input::Rules(SHARE_A, rules));
        let pieces = placed(&kill(&mut stage, Reach::Firm, Level::Flatten));
        assert_eq!(pieces.len(), usize::from(sold), "at least {qty_min}");
        if !sold {
            assert_eq!(placed(&stage.pass(Span::from_secs(9))), []);
            assert_eq!(stage.kernel.wake_at(), None, "it is not tried again and again");
        }
    }
}

#[test]
fn k5_a_piece_is_worth_just_as_much_as_one_order_may_be_at_the_far_end_of_the_collar() {
    // A lot is worth 10.51 there: the collar is five per cent of 10.00, and a tick more.
    for (cents, qty) in [(10_509, 9), (10_510, 10), (10_511, 10)] {
        let own = Limits { order_value_max: Some(tse_model::Money::from_units(cents)), ..limits() };
        let mut stage = Stage::with(Cast { own, ..Cast::default() });
        long(&mut stage, 10);
        let pieces = placed(&kill(&mut stage, Reach::Firm, Level::Flatten));
        let [piece] = pieces[..] else { panic!("{pieces:?}") };
        assert_eq!(piece.qty, Qty::new(qty), "{cents}");
    }
}

#[test]
fn k5_of_what_has_one_step_too_little_sells_nothing() {
    // One order may be of three lots, and the venue takes four at a time.
    let own = Limits { order_qty_max: Some(Qty::new(3)), ..limits() };
    let mut stage = Stage::with(Cast { own, ..Cast::default() });
    for _ in 0..4 {
        long(&mut stage, 3);
    }
    let rules = stage.kernel.catalog().instrument(SHARE_A).rules();
    stage.step(Input::Rules(SHARE_A, tse_model::Rules { qty_step: 4, ..rules }));
    assert_eq!(placed(&kill(&mut stage, Reach::Firm, Level::Flatten)), []);
}

#[test]
fn k5_a_cancel_is_asked_for_again_only_when_it_is_overdue() {
    let mut stage = Stage::new();
    long(&mut stage, 120);
    let resting = stage.placed(ALICE, sell(5, 1_020));
    stage.accept(resting);
    assert_eq!(cancels(&kill(&mut stage, Reach::Firm, Level::Flatten)), [resting]);
    // It is looked at each second, since there is something to close.
    for _ in 0..4 {
        assert_eq!(cancels(&stage.pass(Span::from_secs(1))), []);
    }
    assert_eq!(cancels(&stage.pass(Span::from_secs(1))), [resting], "after five seconds");
}

#[test]
fn k5_goes_by_a_quote_that_is_new_enough_for_the_strategy() {
    let own = Limits { data_age_max: Some(Span::from_secs(5)), ..Limits::default() };
    let mut stage = Stage::with(Cast { own, ..Cast::default() });
    long(&mut stage, 10);
    stage.wait(Span::from_secs(6));
    assert_eq!(placed(&kill(&mut stage, Reach::Firm, Level::Flatten)), []);
    stage.quote(SHARE_A, 990, 1_010);
    assert_eq!(placed(&stage.pass(Span::from_secs(1))).len(), 1);
}

#[test]
fn what_comes_to_be_after_the_rise_is_taken_back_and_closed_as_well() {
    // A fill that was on its way, long after everything seemed done.
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(10, 1_000));
    kill(&mut stage, Reach::Firm, Level::Flatten);
    stage.cancelled(id);
    assert_eq!(placed(&stage.pass(Span::from_secs(60))), []);
    assert_eq!(stage.kernel.wake_at(), None, "it looks done");
    stage.quote(SHARE_A, 990, 1_010);
    let pieces = placed(&stage.fill(id, 1_000, 4));
    let [piece] = pieces[..] else { panic!("{pieces:?}") };
    assert_eq!((piece.side, piece.qty), (Side::Sell, Qty::new(4)));
    // At K2 it makes an order that shrinks a position more than there is to shrink.
    let mut stage = Stage::new();
    long(&mut stage, 10);
    let gone = stage.placed(ALICE, sell(4, 1_030));
    stage.cancelled(gone);
    let shrinks = stage.placed(ALICE, sell(10, 1_020));
    assert_eq!(cancels(&kill(&mut stage, Reach::Firm, Level::Reduce)), []);
    assert_eq!(cancels(&stage.fill(gone, 1_030, 4)), [shrinks]);
}

#[test]
fn k5_of_a_strategy_closes_nothing_while_everything_is_held() {
    let mut stage = Stage::new();
    long(&mut stage, 10);
    kill(&mut stage, Reach::Firm, Level::Halt);
    let out = kill(&mut stage, Reach::Strategy(ALICE), Level::Flatten);
    assert_eq!((placed(&out), placed(&stage.pass(Span::from_secs(9)))), (vec![], vec![]));
    // When a person goes on with everything, what that strategy holds is closed.
    stage.quote(SHARE_A, 990, 1_010);
    let (by, why) = (Who::cut("bob"), Why::cut("it is over"));
    let demand =
        Resume { reach: Reach::Firm, to: Level::Free, role: Role::Risk, by, second: None, why };
    assert_eq!(placed(&stage.command(Command::Resume(demand))).len(), 1);
}

#[test]
fn k5_never_sells_by_a_price_that_cannot_be_read() {
    let none = |stage: &mut Stage| assert_eq!(placed(&stage.pass(Span::from_secs(3))), []);
    let mut stage = Stage::new();
    long(&mut stage, 10);
    // Crossed.
    stage.quote(SHARE_A, 1_011, 1_010);
    kill(&mut stage, Reach::Firm, Level::Flatten);
    none(&mut stage);
    // One side is missing.
    let quote = Quote { ask_qty: Qty::ZERO, ..Quote::default() };
    stage.show(SHARE_A, MarketData::Quote(quote));
    none(&mut stage);
    // Halted.
    stage.quote(SHARE_A, 990, 1_010);
    stage.show(SHARE_A, MarketData::Status(tse_model::TradingStatus::Halted));
    none(&mut stage);
    // Too old.
    stage.show(SHARE_A, MarketData::Status(tse_model::TradingStatus::Open));
    stage.wait(Span::from_secs(61));
    none(&mut stage);
    stage.quote(SHARE_A, 990, 1_010);
    assert_eq!(placed(&stage.pass(Span::from_secs(1))).len(), 1, "now it can be read");
}

#[test]
fn k5_never_turns_a_position_around_whatever_strategies_hold_against_each_other() {
    let mut stage = Stage::new();
    long(&mut stage, 30);
    let short = stage.placed(BOB, market(SHARE_A, Side::Sell, 20));
    stage.fill(short, 1_000, 20);
    let pieces = placed(&kill(&mut stage, Reach::Firm, Level::Flatten));
    let [piece] = pieces[..] else { panic!("{pieces:?}") };
    assert_eq!((piece.strategy, piece.side, piece.qty), (ALICE, Side::Sell, Qty::new(10)));
    stage.fill(piece.id, 990, 10);
    assert_eq!(placed(&stage.pass(Span::from_secs(9))), [], "the account is flat");
    assert_eq!(stage.kernel.portfolio().net(SHARE_A), Qty::ZERO);
    // One strategy alone is closed to the end: what it held against another becomes real.
    let mut stage = Stage::new();
    long(&mut stage, 30);
    let short = stage.placed(BOB, market(SHARE_A, Side::Sell, 20));
    stage.fill(short, 1_000, 20);
    let pieces = placed(&kill(&mut stage, Reach::Strategy(ALICE), Level::Flatten));
    let [piece] = pieces[..] else { panic!("{pieces:?}") };
    assert_eq!((piece.qty, piece.reduce_only), (Qty::new(30), false));
    stage.fill(piece.id, 990, 30);
    assert_eq!(stage.position(ALICE, SHARE_A), 0);
    assert_eq!(stage.place(BOB, &[buy(1, 980)]).len(), 1, "the other trades on");
}

#[test]
fn k6_the_sessions_of_its_scope_are_to_be_cut() {
    let severed = |out: &[Output]| -> Vec<_> {
        out.iter()
            .filter_map(|it| if let Output::Sever(at) = it { Some(*at) } else { None })
            .collect()
    };
    let mut stage = Stage::new();
    long(&mut stage, 10);
    let out = kill(&mut stage, Reach::Account(A), Level::Sever);
    assert_eq!(severed(&out), [A]);
    assert_eq!(refused(&mut stage, sell(1, 1_020)), [Refusal::Killed { level: Level::Sever }]);
    assert_eq!(stage.place(ALICE, &[on(SHARE_B, buy(1, 980))]).len(), 1, "not at the other venue");
    assert_eq!(severed(&kill(&mut stage, Reach::Firm, Level::Sever)), [A, B]);
    assert_eq!(placed(&stage.pass(Span::from_secs(9))), [], "nothing is closed by it");
    // Whether they were cut nobody here knows: asked again, and by an engine that begins again.
    assert_eq!(severed(&kill(&mut stage, Reach::Firm, Level::Sever)), [A, B]);
    assert_eq!(severed(&stage.step(Input::Boot { epoch: 1 })), [A, B, A]);
}

#[test]
fn a_level_holds_for_its_scope_and_nothing_else() {
    let orders = [(ALICE, SHARE_A), (BOB, SHARE_A), (ALICE, SHARE_B), (ALICE, PERP_A)];
    let hit = |reach| match reach {
        Reach::Firm => [true; 4],
        Reach::Account(_) => [true, true, false, true],
        Reach::Instrument(_) => [true, true, false, false],
        Reach::Strategy(_) => [true, false, true, true],
    };
    let reaches =
        [Reach::Firm, Reach::Account(A), Reach::Instrument(SHARE_A), Reach::Strategy(ALICE)];
    for reach in reaches {
        let mut stage = Stage::new();
        let ids = orders.map(|(who, what)| stage.placed(who, on(what, buy(1, 980))));
        let gone = cancels(&kill(&mut stage, reach, Level::Halt));
        let expected: Vec<ClientOrderId> =
            ids.into_iter().zip(hit(reach)).filter(|(_, hit)| *hit).map(|(id, _)| id).collect();
        assert_eq!(gone, expected, "{reach:?}");
        for ((who, what), hit) in orders.into_iter().zip(hit(reach)) {
            let sent = stage.place(who, &[on(what, buy(1, 981))]).len();
            assert_eq!(sent == 0, hit, "{reach:?}: {who:?} in {what:?}");
        }
        assert_eq!(
            resume(&mut stage, reach, Level::Free, Role::Risk),
            [Alert::Resumed { reach, to: Level::Free }]
        );
        for (who, what) in orders {
            assert_eq!(stage.place(who, &[on(what, buy(1, 982))]).len(), 1, "it goes on");
        }
    }
}

#[test]
fn whoever_may_not_lower_a_level_changes_nothing() {
    let mut stage = Stage::new();
    let reach = Reach::Strategy(ALICE);
    kill(&mut stage, reach, Level::Halt);
    for (role, to, why) in [
        (Role::Owner, Level::Free, NotResumed::Needs(Role::Risk)),
        (Role::Trader, Level::Pause, NotResumed::Needs(Role::Risk)),
        (Role::Risk, Level::Halt, NotResumed::NotLower),
    ] {
        let said = resume(&mut stage, reach, to, role);
        assert_eq!(said, [Alert::NotResumed { reach, why }]);
        assert_eq!(refused(&mut stage, buy(1, 980)), [Refusal::Killed { level: Level::Halt }]);
    }
    let said = resume(&mut stage, Reach::Strategy(StrategyId(9)), Level::Free, Role::Risk);
    let nowhere = Reach::Strategy(StrategyId(9));
    assert_eq!(said, [Alert::NotResumed { reach: nowhere, why: NotResumed::Unknown }]);
    // In steps.
    assert_eq!(resume(&mut stage, reach, Level::Pause, Role::Risk).len(), 1);
    assert_eq!(refused(&mut stage, buy(1, 980)), [Refusal::Killed { level: Level::Pause }]);
    assert_eq!(resume(&mut stage, reach, Level::Free, Role::Owner).len(), 1);
    assert_eq!(stage.place(ALICE, &[buy(1, 980)]).len(), 1);
}

#[test]
fn time_lowers_nothing_and_a_boot_does_not_either() {
    let mut stage = Stage::with(Cast { boots_disarmed: true, ..Cast::default() });
    kill(&mut stage, Reach::Firm, Level::Halt);
    stage.wait(Span::from_secs(1_000_000));
    stage.quote(SHARE_A, 990, 1_010);
    stage.step(Input::Boot { epoch: 2 });
    for venue in [A, B] {
        stage.link(venue, true);
    }
    stage.command(Command::Arm(Who::cut("ann")));
    stage.quote(SHARE_A, 990, 1_010);
    assert_eq!(refused(&mut stage, buy(1, 980)), [Refusal::Killed { level: Level::Halt }]);
    assert_eq!(stage.kernel.level(ALICE, SHARE_A), Level::Halt);
}

#[test]
fn k4_what_was_asked_for_before_the_rise_may_not_leave_after_it() {
    let mut stage = Stage::new();
    let before = stage.placed(ALICE, buy(5, 980));
    let request = |stage: &Stage, id| Request::Place(stage.order(id).request);
    assert_eq!(stage.kernel.may_leave(&request(&stage, before)), Ok(()));
    kill(&mut stage, Reach::Firm, Level::Halt);
    assert_eq!(stage.kernel.may_leave(&request(&stage, before)), Err(Level::Halt));
    let cancel = CancelOrder { id: before, instrument: SHARE_A };
    assert_eq!(stage.kernel.may_leave(&Request::Cancel(cancel)), Ok(()));
    resume(&mut stage, Reach::Firm, Level::Pause, Role::Risk);
    assert_eq!(stage.kernel.may_leave(&request(&stage, before)), Err(Level::Pause));
    // Nor when a person has looked: it was stopped, and what is asked for from now on leaves.
    resume(&mut stage, Reach::Firm, Level::Free, Role::Risk);
    assert_eq!(stage.kernel.may_leave(&request(&stage, before)), Err(Level::Pause));
    let later = stage.placed(ALICE, buy(5, 980));
    assert_eq!(stage.kernel.may_leave(&request(&stage, later)), Ok(()));
}

fn armed(stage: &mut Stage, by: &str) -> Vec<Alert> {
    alerts(&stage.command(Command::Arm(Who::cut(by))))
}

#[test]
fn k4_an_engine_boots_disarmed_and_a_person_arms_it_when_it_knows_everything() {
    let mut stage = Stage::with(Cast { boots_disarmed: true, ..Cast::default() });
    let unknown = stage.placed(ALICE, buy(5, 980));
    stage.step(Input::Boot { epoch: 1 });
    for venue in [A, B] {
        stage.link(venue, true);
    }
    stage.quote(SHARE_A, 990, 1_010);
    assert_eq!(refused(&mut stage, buy(1, 980)), [Refusal::Disarmed]);
    assert_eq!(armed(&mut stage, "  "), [Alert::NotArmed(NotArmed::Nobody)]);
    assert_eq!(armed(&mut stage, "ann"), [Alert::NotArmed(NotArmed::Unknown(unknown))]);
    assert_eq!(refused(&mut stage, buy(1, 980)), [Refusal::Disarmed]);
    stage.cancelled(unknown);
    assert_eq!(armed(&mut stage, "ann"), [Alert::Armed]);
    assert_eq!(armed(&mut stage, "ann"), [], "it is already");
    assert_eq!(stage.place(ALICE, &[buy(1, 980)]).len(), 1);
    // Each boot anew.
    stage.step(Input::Boot { epoch: 2 });
    assert!(!stage.kernel.state().is_armed());
}

#[test]
fn levels_and_counts_come_back_from_a_snapshot() {
    let mut stage = Stage::with(Cast { boots_disarmed: true, ..Cast::default() });
    kill(&mut stage, Reach::Instrument(SHARE_B), Level::Flatten);
    kill(&mut stage, Reach::Strategy(BOB), Level::Pause);
    stage.step(Input::Boot { epoch: 1 });
    let saved = |kernel: &Kernel| {
        let mut out = Writer::default();
        // The puppets cannot be saved; everything before them is.
        let _ = kernel.save(&mut out);
        out.into_bytes()
    };
    let mut again = Stage::dark(Cast { boots_disarmed: true, ..Cast::default() });
    let bytes = saved(&stage.kernel);
    let _ = again.kernel.load(&bytes);
    assert_eq!(again.kernel.level(ALICE, SHARE_B), Level::Flatten);
    assert_eq!(again.kernel.level(BOB, SHARE_A), Level::Pause);
    assert!(!again.kernel.state().is_armed());
}
