//! C15 and C16 in the engine: whose loss cuts whom back, when it is looked at, and what happens while it cannot
//! be told.

use crate::stage::{
    A, ALICE, B, BOB, Cast, SHARE_A, Stage, USD, alerts, all_alerts, buy, cancels, denied, market,
    placed, sell,
};
use tse_kernel::{Alert, Command, Input, LossTable, Output};
use tse_model::{Money, Rate, Side, Span, Timestamp};
use tse_portfolio::Prices;
use tse_risk::{
    Cause, Kill, Level, LossLimits, Metric, NotResumed, Rapid, Reach, Refusal, Resume, Role, Scope,
    Severity, Who, Why,
};

const MINE: Reach = Reach::Strategy(ALICE);

fn money(cents: i128) -> Money {
    Money::from_units(cents)
}

/// Alice holds 100 shares bought at 10.00, of a capital of 10,000.00.
fn stage(firm: Option<LossLimits>, own: Option<LossLimits>) -> Stage {
    stage_of(Cast::default(), firm, own)
}

fn stage_of(cast: Cast, firm: Option<LossLimits>, own: Option<LossLimits>) -> Stage {
    let capital = |limits: LossLimits| LossLimits { capital: money(1_000_000), ..limits };
    let losses = LossTable {
        currency: USD,
        prices: Prices::new(Span::from_secs(60)),
        every: Span::from_secs(1),
        cool_down: Span::from_secs(600),
        firm: firm.map(capital),
        strategy: vec![own.map(capital), None],
    };
    let mut stage = Stage::with(Cast { losses: Some(losses), ..cast });
    let id = stage.placed(ALICE, market(SHARE_A, Side::Buy, 100));
    assert_eq!(alerts(&stage.fill(id, 1_000, 100)), []);
    stage
}

fn day_max(cents: i128) -> LossLimits {
    LossLimits { day_max: Some(money(cents)), ..LossLimits::default() }
}

/// The market is there, and then a second passes: what the engine says.
fn at(stage: &mut Stage, mid: i64) -> Vec<Output> {
    stage.quote(SHARE_A, mid - 10, mid + 10);
    stage.pass(Span::from_secs(1))
}

fn killed(reach: Reach, level: Level, cause: Cause) -> Alert {
    Alert::Killed { reach, level, cause }
}

#[test]
fn c15_a_strategys_loss_of_the_day_takes_its_orders_back_and_no_others() {
    let mut stage = stage(None, Some(day_max(1_000)));
    let resting = stage.placed(ALICE, buy(5, 980));
    let other = stage.placed(BOB, buy(5, 981));
    assert_eq!(alerts(&at(&mut stage, 991)), [], "9.00 down");
    let out = at(&mut stage, 990);
    assert_eq!(alerts(&out), [killed(MINE, Level::Cancel, Cause::DayLoss)]);
    assert_eq!(cancels(&out), [resting]);
    assert!(!stage.order(other).cancelling);
    let out = stage.wish(ALICE, |_, wish| wish.order(buy(1, 980)));
    assert_eq!(denied(&out), [Refusal::Killed { level: Level::Cancel }]);
    assert_eq!(stage.place(ALICE, &[sell(100, 1_000)]).len(), 1, "what it holds it may close");
    assert_eq!(stage.place(BOB, &[buy(1, 980)]).len(), 1);
}

#[test]
fn c15_and_c16_are_told_before_they_are_reached() {
    let limits =
        LossLimits { drawdown_max: Some(Rate::from_billionths(1_000_000)), ..day_max(2_000) };
    let mut stage = stage(None, Some(limits));
    let near = |metric, severity, value, limit| Alert::Near {
        reach: MINE,
        metric,
        severity,
        value: money(value),
        limit: money(limit),
    };
    // A thousandth of 10,000.00 is 10.00, half of which is lost at 9.95.
    let fall = near(Metric::Drawdown, Severity::Low, 500, 1_000);
    assert_eq!(all_alerts(&at(&mut stage, 995)), [fall]);
    let fall = near(Metric::Drawdown, Severity::High, 900, 1_000);
    assert_eq!(all_alerts(&at(&mut stage, 991)), [fall]);
    let day = near(Metric::DayLoss, Severity::Low, 1_000, 2_000);
    let fall = near(Metric::Drawdown, Severity::Critical, 1_000, 1_000);
    let cut = killed(MINE, Level::Cancel, Cause::Drawdown);
    assert_eq!(all_alerts(&at(&mut stage, 990)), [day, fall, cut]);
}

#[test]
fn c15_a_loss_is_seen_with_the_execution_that_makes_it() {
    let mut stage = stage(None, Some(day_max(1_000)));
    let id = stage.placed(ALICE, market(SHARE_A, Side::Sell, 100));
    let out = stage.fill(id, 990, 100);
    assert_eq!(alerts(&out), [killed(MINE, Level::Cancel, Cause::DayLoss)]);
}

#[test]
fn c15_the_firms_loss_cuts_everybody_back_and_the_soft_limit_comes_first() {
    let firm = LossLimits { day_soft: Some(money(500)), ..day_max(1_000) };
    let mut stage = stage(Some(firm), None);
    assert_eq!(alerts(&at(&mut stage, 996)), []);
    let out = at(&mut stage, 995);
    assert_eq!(alerts(&out), [killed(Reach::Firm, Level::Reduce, Cause::DayLoss)]);
    let out = stage.wish(BOB, |_, wish| wish.order(buy(1, 980)));
    assert_eq!(denied(&out), [Refusal::Killed { level: Level::Reduce }]);
    let out = at(&mut stage, 990);
    assert_eq!(alerts(&out), [killed(Reach::Firm, Level::Cancel, Cause::DayLoss)]);
    assert_eq!(alerts(&at(&mut stage, 980)), [], "once is enough");
}

#[test]
fn c16_a_fall_from_the_highest_point_counts_however_long_it_takes() {
    let share = |bps: i64| Rate::from_billionths(bps * 100_000);
    let own = LossLimits { drawdown_max: Some(share(100)), ..LossLimits::default() };
    let mut stage = stage(None, Some(own));
    // 10,000.00 and 20.00 won: one per cent of that is 100.20.
    assert_eq!(alerts(&at(&mut stage, 1_020)), []);
    stage.wait(Span::from_secs(200_000));
    assert_eq!(alerts(&at(&mut stage, 920)), [], "100.00 down");
    let out = at(&mut stage, 919);
    assert_eq!(alerts(&out), [killed(MINE, Level::Cancel, Cause::Drawdown)]);
    // In a short while less is enough.
    let rapid = Rapid { share: share(50), window: Span::from_secs(600) };
    let own = LossLimits { rapid_max: Some(rapid), ..LossLimits::default() };
    let mut stage = self::stage(None, Some(own));
    assert_eq!(alerts(&at(&mut stage, 951)), []);
    stage.wait(Span::from_secs(700));
    assert_eq!(alerts(&at(&mut stage, 949)), [], "the high was too long ago");
    assert_eq!(alerts(&at(&mut stage, 900)), [], "49.00 of 9,949.00");
    let out = at(&mut stage, 899);
    assert_eq!(alerts(&out), [killed(MINE, Level::Cancel, Cause::Drawdown)]);
}

#[test]
fn c15_what_cannot_be_valued_trips_nothing_and_adds_no_risk() {
    let mut stage = stage(None, Some(day_max(1_000)));
    // Crossed: the book cannot be believed.
    stage.quote(SHARE_A, 500, 400);
    let out = stage.pass(Span::from_secs(5));
    assert_eq!(alerts(&out), [], "it would be a large loss");
    stage.quote(SHARE_A, 990, 1_010);
    let out = stage.wish(ALICE, |_, wish| wish.order(buy(1, 980)));
    assert_eq!(denied(&out), [Refusal::Unvalued { scope: Scope::Strategy }]);
    assert_eq!(stage.place(ALICE, &[sell(1, 1_020)]).len(), 1);
    assert_eq!(stage.place(BOB, &[buy(1, 980)]).len(), 1, "it has no such limits");
    // At the next look it can be valued.
    stage.pass(Span::from_secs(1));
    assert_eq!(stage.place(ALICE, &[buy(1, 980)]).len(), 1);
}

#[test]
fn c15_a_loss_that_is_accepted_counts_no_more_and_only_after_it_has_cooled_down() {
    let mut stage = stage(None, Some(day_max(1_000)));
    at(&mut stage, 990);
    let tripped = stage.now;
    let go_on = |stage: &mut Stage| {
        let (by, why) = (Who::cut("bob"), Why::cut("a bad day"));
        let (role, to) = (Role::Trader, Level::Free);
        alerts(&stage.command(Command::Resume(Resume {
            reach: MINE,
            to,
            role,
            by,
            second: None,
            why,
        })))
    };
    let until = tripped + Span::from_secs(600);
    let refused = |until: Timestamp| Alert::NotResumed {
        reach: MINE,
        why: NotResumed::CoolingDown { until },
    };
    let said = go_on(&mut stage);
    let [Alert::NotResumed { why: NotResumed::CoolingDown { until: then }, .. }] = said[..] else {
        panic!("{said:?}");
    };
    assert!(then <= until && then > tripped + Span::from_secs(590));
    assert_eq!(said, [refused(then)]);
    stage.wait(Span::from_secs(600));
    assert_eq!(go_on(&mut stage), [Alert::Resumed { reach: MINE, to: Level::Free }]);
    assert_eq!(alerts(&at(&mut stage, 990)), [], "it was accepted");
    assert_eq!(alerts(&at(&mut stage, 981)), []);
    let out = at(&mut stage, 980);
    assert_eq!(alerts(&out), [killed(MINE, Level::Cancel, Cause::DayLoss)], "10.00 more");
}

#[test]
fn c15_a_loss_that_stands_cools_down_while_it_is_looked_at_again_and_again() {
    let mut stage = stage(None, Some(day_max(1_000)));
    at(&mut stage, 990);
    for _ in 0..600 {
        assert_eq!(alerts(&at(&mut stage, 989)), []);
    }
    let (by, why) = (Who::cut("bob"), Why::cut("a bad day"));
    let (role, to, second) = (Role::Trader, Level::Free, None);
    let resume = Resume { reach: MINE, to, role, by, second, why };
    let said = alerts(&stage.command(Command::Resume(resume)));
    assert_eq!(said, [Alert::Resumed { reach: MINE, to: Level::Free }]);
}

#[test]
fn c15_a_loss_that_is_to_be_ended_is() {
    let own = LossLimits { flatten: true, ..day_max(1_000) };
    let mut stage = stage(None, Some(own));
    let out = at(&mut stage, 990);
    assert_eq!(alerts(&out), [killed(MINE, Level::Flatten, Cause::DayLoss)]);
    let pieces = placed(&out);
    let [piece] = pieces[..] else { panic!("{pieces:?}") };
    assert_eq!((piece.side, piece.qty.get()), (Side::Sell, 50), "what the market shows");
}

#[test]
fn k5_no_control_closes_what_is_held_or_not_yet_armed() {
    let own = LossLimits { flatten: true, ..day_max(1_000) };
    let mut stage = stage(None, Some(own));
    let (by, why) = (Who::cut("ann"), Why::cut("a drill"));
    let level = Level::Halt;
    stage.command(Command::Kill(Kill { reach: Reach::Firm, level, by, why }));
    let out = at(&mut stage, 990);
    assert_eq!(alerts(&out), [killed(MINE, Level::Halt, Cause::DayLoss)]);
    let (role, to, second) = (Role::Risk, Level::Free, None);
    let resume = Resume { reach: Reach::Firm, to, role, by, second, why };
    let out = stage.command(Command::Resume(resume));
    assert_eq!((placed(&out), placed(&at(&mut stage, 990))), (vec![], vec![]), "held as it was");
    // An engine that has booted and that nobody has armed.
    let cast = Cast { boots_disarmed: true, ..Cast::default() };
    let mut stage = stage_of(cast, None, Some(own));
    stage.step(Input::Boot { epoch: 1 });
    [A, B].into_iter().for_each(|venue| drop(stage.link(venue, true)));
    let out = at(&mut stage, 990);
    assert!(alerts(&out).contains(&killed(MINE, Level::Halt, Cause::DayLoss)), "{out:?}");
    assert_eq!(placed(&out), []);
}

#[test]
fn c15_a_pause_by_a_person_accepts_no_loss() {
    let mut stage = stage(None, Some(day_max(1_000)));
    at(&mut stage, 995);
    let (by, why) = (Who::cut("ann"), Why::cut("a drill"));
    stage.command(Command::Kill(Kill { reach: MINE, level: Level::Pause, by, why }));
    let (role, to, second) = (Role::Owner, Level::Free, None);
    stage.command(Command::Resume(Resume { reach: MINE, to, role, by, second, why }));
    assert_eq!(alerts(&at(&mut stage, 991)), []);
    let out = at(&mut stage, 990);
    assert_eq!(alerts(&out), [killed(MINE, Level::Cancel, Cause::DayLoss)], "since the day began");
}

#[test]
fn c12_what_a_day_may_cost_trips_until_a_person_accepts_it() {
    let firm = LossLimits { var_max: Some(money(10_000)), ..LossLimits::default() };
    let mut stage = stage(Some(firm), None);
    at(&mut stage, 1_000);
    // Days of nothing and of -100.00: their mean less 2.326 times their deviation is more than 100.00.
    let mut next_day = |mid: i64| {
        stage.wait(Span::from_secs(86_400));
        let said = alerts(&at(&mut stage, mid));
        said.into_iter().filter(|it| matches!(it, Alert::Killed { .. })).collect::<Vec<_>>()
    };
    assert_eq!(next_day(900), []);
    let reduced = killed(Reach::Firm, Level::Reduce, Cause::Exposure);
    assert_eq!(next_day(900), [reduced]);
    stage.wait(Span::from_secs(601));
    let (role, to, second) = (Role::Risk, Level::Free, None);
    let (by, why) = (Who::cut("bob"), Why::cut("it is known"));
    let resume = Resume { reach: Reach::Firm, to, role, by, second, why };
    stage.command(Command::Resume(resume));
    let again = alerts(&at(&mut stage, 900));
    assert!(!again.contains(&reduced), "it is accepted as it is: {again:?}");
}

#[test]
fn who_has_no_such_limits_is_not_woken_for_them() {
    use tse_model::Machine;
    let mut stage = Stage::new();
    stage.pass(Span::from_secs(100));
    assert_eq!(stage.kernel.wake_at(), None);
    assert!(stage.kernel.losses(Reach::Firm).is_none());
}
