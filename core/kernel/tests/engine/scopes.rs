//! Several strategies in one account: whose orders give way, who is stopped, who is told.

use crate::stage::{
    ALICE, BOB, Cast, SHARE_A, SHARE_B, Stage, Told, alerts, buy, cancels, denied, limits, market,
    placed, requests, sell,
};
use tse_kernel::{Alert, Command, Output, STORM};
use tse_model::{OrderEventKind, Price, Qty, Request, Side, Span, StrategyId, TimeInForce};
use tse_risk::{Cause, Level, Limits, Reach, Refusal, Repeats, Scope, SelfTrade};
use tse_strategy::{BarSpec, EmptyBars, Interest, OrderWish, PriceOf, UpdateKind};

fn with(account: Limits) -> Stage {
    Stage::with(Cast { account, ..Cast::default() })
}

fn mode(self_trade: SelfTrade) -> Stage {
    with(Limits { self_trade, ..limits() })
}

#[test]
fn c14_reject_new_keeps_the_order_that_was_there() {
    let mut stage = mode(SelfTrade::RejectNew);
    let old = stage.placed(ALICE, buy(10, 1_000));
    let out = stage.wish(BOB, |_, wish| wish.order(sell(5, 1_000)));
    assert_eq!(denied(&out), [Refusal::SelfTrade { own: Price::new(1_000) }]);
    assert_eq!(requests(&out), []);
    assert!(!stage.order(old).cancelling);
    assert_eq!(stage.place(BOB, &[sell(5, 1_001)]).len(), 1, "one tick further they cannot meet");
}

#[test]
fn c14_cancel_old_takes_back_what_is_in_the_way_first() {
    let mut stage = mode(SelfTrade::CancelOld);
    let near = stage.placed(ALICE, buy(10, 1_000));
    let nearer = stage.placed(BOB, buy(10, 1_002));
    let far = stage.placed(ALICE, buy(10, 999));
    let out = stage.wish(BOB, |_, wish| wish.order(sell(5, 1_000)));
    assert_eq!(cancels(&out), [near, nearer], "oldest first, and only what it could reach");
    assert_eq!(placed(&out).len(), 1);
    assert!(matches!(out.last(), Some(Output::Send(..))), "the new order goes last");
    assert!(!stage.order(far).cancelling);
    // They are as good as gone: the next one finds the way free.
    let out = stage.wish(BOB, |_, wish| wish.order(sell(5, 1_000)));
    assert_eq!((cancels(&out).len(), placed(&out).len()), (0, 1));
}

#[test]
fn c14_cancel_both_takes_back_the_old_and_refuses_the_new() {
    let mut stage = mode(SelfTrade::CancelBoth);
    let old = stage.placed(ALICE, buy(10, 1_000));
    // What would have been refused anyway is no reason to take anything back.
    let out = stage.wish(BOB, |_, wish| wish.order(sell(5_000, 1_000)));
    assert_eq!((denied(&out).len(), cancels(&out)), (1, vec![]));
    let out = stage.wish(BOB, |_, wish| wish.order(sell(5, 1_000)));
    assert_eq!(denied(&out), [Refusal::SelfTrade { own: Price::new(1_000) }]);
    assert_eq!((cancels(&out), placed(&out)), (vec![old], vec![]));
}

#[test]
fn c14_a_market_order_meets_whatever_stands_within_its_collar() {
    let mut stage = mode(SelfTrade::CancelOld);
    let inside = stage.placed(ALICE, buy(10, 950));
    let out = stage.wish(BOB, |_, wish| wish.order(market(SHARE_A, Side::Sell, 5)));
    assert_eq!((cancels(&out), placed(&out).len()), (vec![inside], 1));
}

#[test]
fn c11_the_account_counts_what_all_strategies_hold_and_have_open() {
    let mut stage = with(Limits { long_max: Some(Qty::new(20)), ..limits() });
    let first = stage.placed(ALICE, buy(12, 1_000));
    stage.fill(first, 1_000, 12);
    stage.placed(ALICE, buy(3, 990));
    let out = stage.wish(BOB, |_, wish| wish.order(buy(6, 990)));
    let (after, limit) = (Qty::new(21), Qty::new(20));
    assert_eq!(denied(&out), [Refusal::Position { scope: Scope::Account, after, limit }]);
    assert_eq!(stage.place(BOB, &[buy(5, 990)]).len(), 1);
}

#[test]
fn c10_open_orders_are_counted_by_strategy_and_by_account() {
    let mut stage = Stage::with(Cast {
        account: Limits { open_orders_max: Some(3), ..limits() },
        own: Limits { open_orders_max: Some(2), ..Limits::default() },
        ..Cast::default()
    });
    let first = stage.place(ALICE, &[buy(1, 990), buy(1, 989), buy(1, 988)]);
    assert_eq!(first.len(), 2);
    assert_eq!(stage.place(BOB, &[buy(1, 987), buy(1, 986)]).len(), 1);
    stage.cancelled(first[0].id);
    assert_eq!(stage.place(BOB, &[buy(1, 987)]).len(), 1);
}

#[test]
fn c08_a_market_order_repeated_is_the_same_order_wherever_the_market_is() {
    let mut stage = with(Limits {
        repeats: Some(Repeats { window: Span::from_secs(60), count: 2 }),
        ..limits()
    });
    let mut sent = 0;
    for step in 0..5 {
        stage.quote(SHARE_A, 990 + step, 1_010 + step);
        sent += stage.place(ALICE, &[market(SHARE_A, Side::Buy, 5)]).len();
    }
    assert_eq!(sent, 2);
    assert_eq!(stage.place(BOB, &[market(SHARE_A, Side::Buy, 5)]).len(), 1, "another's is another");
}

/// For its storm.
fn halted(strategy: StrategyId) -> Alert {
    let reach = Reach::Strategy(strategy);
    Alert::Killed { reach, level: Level::Halt, cause: Cause::Storm }
}

#[test]
fn a_storm_of_refusals_stops_only_its_strategy_and_takes_its_orders_back() {
    let mut stage = with(Limits { order_qty_max: Some(Qty::new(10)), ..limits() });
    let resting = stage.placed(ALICE, buy(5, 980));
    let elsewhere = stage.placed(ALICE, OrderWish { instrument: SHARE_B, ..buy(5, 980) });
    let others = stage.placed(BOB, buy(5, 981));
    // Both answer a refusal with the same order again; one of them gives up in time.
    let mut patience = STORM - 1;
    stage.always(BOB, move |told, _, wish| {
        if matches!(told, Told::Order(update) if update.kind == UpdateKind::Denied) && patience > 0
        {
            patience -= 1;
            wish.order(buy(11, 990));
        }
    });
    stage.always(ALICE, |told, _, wish| {
        if matches!(told, Told::Order(update) if update.kind == UpdateKind::Denied) {
            wish.order(buy(11, 990));
            wish.order(buy(11, 990));
        }
    });
    stage.script(BOB).told.clear();
    let out = {
        stage.forget();
        let first = stage.wish(BOB, |_, wish| wish.order(buy(11, 990)));
        assert_eq!(alerts(&first), [], "a thousand in one moment are borne");
        stage.wish(ALICE, |_, wish| wish.order(buy(11, 990)))
    };
    assert_eq!(alerts(&out), [Alert::Storm(ALICE), halted(ALICE)]);
    assert_eq!(cancels(&out), [resting, elsewhere]);
    assert!(!stage.order(others).cancelling);
    // From now on it is told nothing and asks for nothing; the other one goes on.
    stage.forget();
    stage.quote(SHARE_A, 991, 1_011);
    assert_eq!(stage.told(ALICE), []);
    assert_eq!(stage.told(BOB), [Told::Quote(SHARE_A)]);
    assert_eq!(stage.place(BOB, &[buy(4, 985)]).len(), 1);
    // Its orders are still followed to their end.
    stage.fill(resting, 980, 5);
    assert_eq!(stage.position(ALICE, SHARE_A), 5);
}

#[test]
fn two_storms_in_one_moment_stop_both() {
    let mut stage = with(Limits { order_qty_max: Some(Qty::new(10)), ..limits() });
    for strategy in [ALICE, BOB] {
        stage.always(strategy, |told, _, wish| {
            if !matches!(told, Told::Fill(..)) {
                wish.order(buy(11, 990));
            }
        });
    }
    let out = stage.quote(SHARE_A, 990, 1_010);
    let all = [Alert::Storm(ALICE), halted(ALICE), Alert::Storm(BOB), halted(BOB)];
    assert_eq!(alerts(&out), all);
}

#[test]
fn stop_lets_the_last_wishes_pass_and_none_after_them() {
    let mut stage = Stage::new();
    let resting = stage.placed(ALICE, buy(5, 980));
    stage.accept(resting);
    let held = stage.placed(BOB, market(SHARE_A, Side::Buy, 7));
    stage.fill(held, 1_000, 7);
    stage.always(BOB, |told, _, wish| match told {
        Told::Stop => {
            wish.target(SHARE_A, Qty::ZERO);
            wish.order(sell(1, 1_040));
        }
        _ => wish.order(buy(1, 985)),
    });
    let out = stage.command(Command::Stop);
    let sent = placed(&out);
    let [close, rests] = sent[..] else { panic!("{sent:?}") };
    assert_eq!(
        (close.side, close.qty, close.time_in_force),
        (Side::Sell, Qty::new(7), TimeInForce::Ioc)
    );
    // What does not trade at once is taken back, whenever it was placed: first of all what a last
    // wish could meet.
    assert_eq!(cancels(&out), [resting, rests.id]);
    assert!(matches!(out[0], Output::Send(_, Request::Cancel(_))));
    stage.forget();
    let mut later = stage.quote(SHARE_A, 991, 1_011);
    later.extend(stage.fill(close.id, 990, 7));
    later.extend(stage.pass(Span::from_secs(60)));
    later.extend(stage.cancelled(resting));
    assert_eq!(placed(&later), []);
    assert_eq!((stage.told(ALICE), stage.told(BOB)), (vec![], vec![]));
    assert_eq!(stage.position(BOB, SHARE_A), 0);
    stage.cancelled(rests.id);
    assert_eq!(stage.kernel.orders().live(), 0);
}

#[test]
fn warm_up_holds_back_exactly_the_wishes_of_the_first_calls() {
    for warm_up in [0, 1, 2, 5] {
        let interest = Interest { quotes: true, warm_up, ..Interest::default() };
        let mut stage = Stage::dark(Cast { strategies: 1, interest, ..Cast::default() });
        stage.always(ALICE, |told, view, wish| {
            let spare = view.instrument(SHARE_A).qty_min;
            if !matches!(told, Told::Order(_)) {
                wish.order(OrderWish { qty: spare, ..buy(1, 990) });
            }
        });
        let begin = placed(&stage.command(Command::Start)).len();
        assert_eq!(begin, 0, "and there is no price yet");
        let mut sent = Vec::new();
        for call in 1..=8 {
            let out = stage.quote(SHARE_A, 990, 1_010);
            sent.push(placed(&out).len());
            if call < warm_up {
                assert_eq!(denied(&out), [], "what does not count is not even reviewed");
            }
        }
        let held_back = warm_up.max(1) as usize - 1;
        let (before, after) = sent.split_at(held_back);
        assert!(before.iter().all(|sent| *sent == 0), "{warm_up}: {sent:?}");
        assert!(after.iter().all(|sent| *sent == 1), "{warm_up}: {sent:?}");
    }
}

#[test]
fn books_trades_and_bars_warm_a_strategy_up_too() {
    let bars = vec![BarSpec {
        instrument: SHARE_A,
        span: Span::from_secs(1),
        price: PriceOf::Bid,
        empty: EmptyBars::Skip,
    }];
    let interest = Interest { bars, warm_up: 3, ..Interest::default() };
    let mut stage = Stage::with(Cast { strategies: 1, interest, ..Cast::default() });
    stage.always(ALICE, |told, _, wish| {
        if matches!(told, Told::Bar(0)) {
            wish.order(buy(1, 990));
        }
    });
    // The first bar began when the stage was set.
    let mut sent = Vec::new();
    for _ in 0..5 {
        sent.push(placed(&stage.pass(Span::from_secs(1))).len());
        stage.quote(SHARE_A, 990, 1_010);
    }
    assert_eq!(sent, [0, 0, 1, 1, 1]);
}

#[test]
fn a_strategy_hears_of_its_own_orders_only() {
    let mut stage = Stage::new();
    let id = stage.placed(ALICE, buy(5, 1_000));
    stage.accept(id);
    stage.fill(id, 1_000, 5);
    assert_eq!(stage.told(BOB), []);
    let told = stage.told(ALICE);
    assert!(matches!(told[1], Told::Fill(SHARE_A, Side::Buy, _)), "{told:?}");
    let last = stage.updates(ALICE).pop().expect("it was told");
    assert!(matches!(last.kind, UpdateKind::Venue(OrderEventKind::Filled(_))), "after the fill");
}
