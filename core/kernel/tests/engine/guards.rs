//! The clock (C19), markets that jump (C20), strategies that begin small (C24), limits that people change (C25), whose
//! orders they are (C28), and orders that two people let pass (C29).

use crate::stage::{
    A, ALICE, B, BOB, Cast, SHARE_A, SHARE_B, Stage, USD, alerts, buy, denied, guards, limits,
    market, placed, sell,
};
use tse_kernel::{Alert, Algorithm, Command, ExposureTable, Guards, Input, LossTable};
use tse_model::{Environment, Money, Price, Qty, Rate, Side, Span, StrategyId, Text};
use tse_portfolio::Prices;
use tse_risk::{
    BadClock, Cause, ClockLimits, ClockSource, Exposed, ExposureGroup, ExposureLimits, GroupLimit,
    Level, LimitChange, Limits, LossLimits, Measure, NewLimit, NotChanged, Permit, Ramp, Reach,
    Refusal, Scope, Step, SwingLimit, Waived, Who, Why,
};
use tse_strategy::OrderWish;

const OFFSET: Span = Span::from_millis(50);

fn with(own: Guards) -> Stage {
    let guards = Guards { clock: own.clock, ramps: own.ramps, ..guards() };
    Stage::with(Cast { guards, ..Cast::default() })
}

fn clock() -> ClockLimits {
    ClockLimits {
        offset_max: OFFSET,
        step_max: Span::from_millis(20),
        age_max: Span::from_secs(30),
    }
}

fn timed() -> Stage {
    with(Guards { clock: Some(clock()), ..Guards::default() })
}

/// What is wrong with a buy, in one word for each reason.
fn says(stage: &mut Stage) -> Vec<Refusal> {
    denied(&stage.wish(ALICE, |_, wish| wish.order(buy(1, 980))))
}

fn compare(stage: &mut Stage, source: ClockSource, millis: i64) -> Vec<Alert> {
    alerts(&stage.step(Input::Clock { source, offset: Span::from_millis(millis) }))
}

#[test]
fn c19_a_clock_must_be_compared_now_and_then_and_stand_near() {
    let mut stage = timed();
    let reference = ClockSource::Reference;
    assert_eq!(says(&mut stage), [Refusal::Clock(BadClock::Unknown)]);
    for (millis, near) in [(49i64, true), (50, true), (51, false), (45, true)] {
        // In steps that are none.
        compare(&mut stage, reference, millis - 10);
        compare(&mut stage, reference, millis);
        let off = BadClock::Off { offset: Span::from_millis(millis), limit: OFFSET };
        let expected = if near { vec![] } else { vec![Refusal::Clock(off)] };
        assert_eq!(says(&mut stage), expected, "{millis}");
    }
    stage.wait(Span::from_secs(30));
    assert_eq!(says(&mut stage), []);
    stage.wait(Span::from_nanos(1));
    let old = BadClock::Old { age: Span::from_nanos(30_000_000_001), limit: Span::from_secs(30) };
    assert_eq!(says(&mut stage), [Refusal::Clock(old)]);
    assert_eq!(compare(&mut stage, reference, 40), []);
    assert_eq!(says(&mut stage), []);
}

#[test]
fn c19_a_venues_own_clock_counts_for_that_venue() {
    let mut stage = timed();
    compare(&mut stage, ClockSource::Reference, 0);
    let off = BadClock::Off { offset: Span::from_millis(-60), limit: OFFSET };
    assert_eq!(
        compare(&mut stage, ClockSource::Venue(B), -60),
        [Alert::ClockWrong { venue: B, trouble: off }]
    );
    assert_eq!(says(&mut stage), []);
    let there = OrderWish::limit(SHARE_B, Side::Buy, Qty::new(1), Price::new(980));
    let out = stage.wish(ALICE, move |_, wish| wish.order(there));
    assert_eq!(denied(&out), [Refusal::Clock(off)]);
    assert_eq!(compare(&mut stage, ClockSource::Venue(tse_model::VenueId(9)), 5), [], "nobody's");
}

#[test]
fn c19_a_clock_that_nobody_compares_is_told_of_by_time_alone_and_once() {
    let mut stage = timed();
    compare(&mut stage, ClockSource::Reference, 0);
    assert_eq!(alerts(&stage.pass(Span::from_secs(30))), []);
    let said = alerts(&stage.pass(Span::from_secs(60)));
    let trouble =
        BadClock::Old { age: Span::from_nanos(30_000_000_001), limit: Span::from_secs(30) };
    let of = |venue| Alert::ClockWrong { venue, trouble };
    assert_eq!(said, [of(A), of(B)]);
    // Compared again it is well, and then off is news again.
    assert_eq!(compare(&mut stage, ClockSource::Reference, 0), []);
    assert_eq!(compare(&mut stage, ClockSource::Venue(A), 60).len(), 1);
    assert_eq!(compare(&mut stage, ClockSource::Venue(A), 61), []);
}

#[test]
fn c19_a_clock_that_steps_pauses_until_a_person_looks() {
    for (step, steps) in [(19, false), (20, false), (21, true), (-21, true)] {
        let mut stage = timed();
        compare(&mut stage, ClockSource::Reference, 0);
        let said = compare(&mut stage, ClockSource::Reference, step);
        let offset = Span::from_millis(step);
        let expected = [
            Alert::ClockStepped { source: ClockSource::Reference, offset },
            Alert::Killed { reach: Reach::Firm, level: Level::Pause, cause: Cause::Clock },
        ];
        assert_eq!(said, if steps { &expected[..] } else { &[] }, "{step}");
        // That it is near again does not lower it.
        compare(&mut stage, ClockSource::Reference, step);
        assert_eq!(says(&mut stage).is_empty(), !steps);
    }
    let mut stage = timed();
    compare(&mut stage, ClockSource::Reference, 0);
    compare(&mut stage, ClockSource::Venue(B), 0);
    let said = compare(&mut stage, ClockSource::Venue(B), 30);
    let reach = Reach::Account(B);
    assert_eq!(said[1..], [Alert::Killed { reach, level: Level::Pause, cause: Cause::Clock }]);
    assert_eq!(says(&mut stage), [], "the other account trades on");
}

#[test]
fn c20_a_market_that_jumps_takes_nothing_that_adds_risk_until_it_is_calm() {
    let swing =
        SwingLimit { max: Rate::from_billionths(20_000_000), window: Span::from_millis(1_600) };
    let account = Limits { swing: Some(swing), ..limits() };
    let mut stage = Stage::with(Cast { account, ..Cast::default() });
    let id = stage.placed(ALICE, market(SHARE_A, Side::Buy, 5));
    stage.fill(id, 1_000, 5);
    // Two per cent of 10.00 are 20 ticks.
    stage.quote(SHARE_A, 1_010, 1_030);
    assert_eq!(says(&mut stage).len(), 0);
    stage.quote(SHARE_A, 1_011, 1_030);
    assert_eq!(says(&mut stage), [Refusal::Volatile { low: 2_000, high: 2_041 }]);
    assert_eq!(stage.place(ALICE, &[sell(5, 1_011)]).len(), 1, "what it holds it may close");
    let elsewhere = OrderWish::limit(SHARE_B, Side::Buy, Qty::new(1), Price::new(980));
    assert_eq!(stage.place(BOB, &[elsewhere]).len(), 1);
    stage.wait(Span::from_millis(1_700));
    assert_eq!(says(&mut stage), [], "the low is past");
}

#[test]
fn c24_a_strategy_begins_small_and_grows_from_its_first_order_on() {
    let share = |percent: i64| Rate::from_billionths(percent * 10_000_000);
    let ramp = Ramp {
        steps: vec![
            Step { after: Span::ZERO, share: share(1) },
            Step { after: Span::from_secs(60), share: share(100) },
        ],
    };
    let mut stage = with(Guards { ramps: vec![Some(ramp), None], ..Guards::default() });
    stage.wait(Span::from_secs(1_000));
    stage.quote(SHARE_A, 990, 1_010);
    // One in a hundred of 1,000 lots.
    let over = |stage: &mut Stage, qty: i64| {
        denied(&stage.wish(ALICE, move |_, wish| wish.order(buy(qty, 980))))
    };
    let refused = Refusal::OrderQty { qty: Qty::new(11), limit: Qty::new(10) };
    assert_eq!(over(&mut stage, 11), [refused], "that it waited makes it no older");
    assert_eq!(over(&mut stage, 10), []);
    assert_eq!(stage.place(BOB, &[buy(1_000, 980)]).len(), 1, "others are as large as they were");
    stage.pass(Span::from_nanos(59_999_999_999));
    stage.quote(SHARE_A, 990, 1_010);
    assert_eq!(over(&mut stage, 11), [refused]);
    stage.pass(Span::from_nanos(1));
    stage.quote(SHARE_A, 990, 1_010);
    assert_eq!(over(&mut stage, 11), []);
}

fn change(to: NewLimit) -> LimitChange {
    LimitChange {
        strategy: None,
        instrument: Some(SHARE_A),
        to,
        by: Who::cut("ann"),
        second: None,
        why: Why::cut("a quiet day"),
    }
}

fn tell(stage: &mut Stage, change: LimitChange) -> Vec<Alert> {
    alerts(&stage.command(Command::Limit(change)))
}

fn live() -> Stage {
    let mut stage = Stage::with(Cast {
        environment: Environment::Live,
        boots_disarmed: true,
        ..Cast::default()
    });
    stage.step(Input::Boot { epoch: 1 });
    for venue in [A, B] {
        stage.link(venue, true);
    }
    stage.command(Command::Arm(Who::cut("ann")));
    stage
}

#[test]
fn c25_tightening_takes_one_person_and_loosening_of_real_money_two() {
    let mut stage = live();
    let tighter = change(NewLimit::OrderQty(Qty::new(5)));
    assert_eq!(tell(&mut stage, tighter), [Alert::LimitChanged(tighter)]);
    let over = |stage: &mut Stage| denied(&stage.wish(ALICE, |_, wish| wish.order(buy(6, 980))));
    let refused = Refusal::OrderQty { qty: Qty::new(6), limit: Qty::new(5) };
    assert_eq!(over(&mut stage), [refused]);
    // As much as it is, is not looser.
    assert_eq!(tell(&mut stage, tighter), [Alert::LimitChanged(tighter)]);
    let looser = change(NewLimit::OrderQty(Qty::new(6)));
    let alone = [Alert::NotChanged(NotChanged::NeedsTwo)];
    assert_eq!(tell(&mut stage, looser), alone);
    assert_eq!(tell(&mut stage, LimitChange { second: Some(Who::cut("ann")), ..looser }), alone);
    assert_eq!(over(&mut stage), [refused], "what was refused changed nothing");
    assert_eq!(tell(&mut stage, LimitChange { second: Some(Who::cut(" ann ")), ..looser }), alone);
    let two = LimitChange { second: Some(Who::cut("bob")), ..looser };
    assert_eq!(tell(&mut stage, two), [Alert::LimitChanged(two)]);
    assert_eq!(over(&mut stage), []);
}

#[test]
fn c25_a_strategys_own_limit_is_looser_if_it_or_what_holds_rises() {
    let mut stage = live();
    let own =
        |lots| LimitChange { strategy: Some(ALICE), ..change(NewLimit::Long(Qty::new(lots))) };
    tell(&mut stage, change(NewLimit::Long(Qty::new(10))));
    // Nothing was said of it, then more than holds, then less of that: all of it lets no more pass.
    for lots in [20, 15, 11, 10, 7] {
        assert_eq!(tell(&mut stage, own(lots)), [Alert::LimitChanged(own(lots))], "{lots}");
    }
    let alone = [Alert::NotChanged(NotChanged::NeedsTwo)];
    for lots in [8, 12] {
        assert_eq!(tell(&mut stage, own(lots)), alone, "{lots}");
    }
}

#[test]
fn c25_a_change_says_who_and_why_and_is_of_something() {
    let mut stage = Stage::new();
    let good = change(NewLimit::Long(Qty::new(3)));
    let cases = [
        (LimitChange { by: Who::EMPTY, ..good }, NotChanged::Nobody),
        (LimitChange { why: Why::cut("  "), ..good }, NotChanged::NoReason),
        (change(NewLimit::Long(Qty::new(-1))), NotChanged::Unsound),
        (LimitChange { instrument: None, ..good }, NotChanged::Unknown),
        (
            LimitChange { instrument: Some(tse_model::InstrumentId(99)), ..good },
            NotChanged::Unknown,
        ),
        (LimitChange { strategy: Some(StrategyId(9)), ..good }, NotChanged::Unknown),
        (change(NewLimit::Gross(Money::from_units(1))), NotChanged::Unknown),
        (
            LimitChange { instrument: None, ..change(NewLimit::Gross(Money::from_units(1))) },
            NotChanged::NotWatched,
        ),
    ];
    for (change, why) in cases {
        assert_eq!(tell(&mut stage, change), [Alert::NotChanged(why)], "{change:?}");
    }
    assert_eq!(stage.place(ALICE, &[buy(4, 980)]).len(), 1);
    assert_eq!(
        tell(&mut stage, good),
        [Alert::LimitChanged(good)],
        "in a simulation one is enough"
    );
    let after =
        Refusal::Position { scope: Scope::Strategy, after: Qty::new(5), limit: Qty::new(3) };
    assert_eq!(says(&mut stage), [after]);
}

#[test]
fn c25_a_strategys_limit_is_its_own_and_can_only_tighten() {
    let mut stage = Stage::new();
    let own = LimitChange { strategy: Some(ALICE), ..change(NewLimit::OrderQty(Qty::new(5))) };
    tell(&mut stage, own);
    assert_eq!(stage.place(BOB, &[buy(6, 980)]).len(), 1);
    assert_eq!(stage.place(ALICE, &[buy(6, 980)]).len(), 0);
    // More than the account has is no more.
    tell(&mut stage, LimitChange { to: NewLimit::OrderQty(Qty::new(5_000)), ..own });
    assert_eq!(stage.place(ALICE, &[buy(1_000, 980)]).len(), 1);
    assert_eq!(stage.place(ALICE, &[buy(1_001, 980)]).len(), 0);
    // And what it says nothing of follows the account.
    tell(&mut stage, change(NewLimit::OpenOrders(3)));
    assert_eq!(stage.place(ALICE, &[buy(1, 979)]).len(), 1);
    assert_eq!(stage.place(ALICE, &[buy(1, 978)]).len(), 0);
}

#[test]
fn c25_what_everything_may_be_worth_changes_as_well() {
    let exposure = ExposureTable {
        currency: USD,
        prices: Prices::new(Span::from_secs(60)),
        every: Span::from_secs(1),
        firm: ExposureLimits::default(),
        groups: Vec::new(),
        strategy: vec![ExposureLimits::default(); 2],
        correlation: None,
    };
    let mut stage = Stage::with(Cast { exposure: Some(exposure), ..Cast::default() });
    let gross = |cents| LimitChange {
        instrument: None,
        ..change(NewLimit::Gross(Money::from_units(cents)))
    };
    assert_eq!(tell(&mut stage, gross(999)), [Alert::LimitChanged(gross(999))]);
    assert_eq!(says(&mut stage).len(), 1, "a share is worth 10.00");
    tell(&mut stage, gross(1_000));
    assert_eq!(says(&mut stage), []);
    tell(&mut stage, gross(9_000));
    let net = LimitChange { to: NewLimit::Net(Money::from_units(1_999)), ..gross(0) };
    assert_eq!(tell(&mut stage, net), [Alert::LimitChanged(net)]);
    assert_eq!(says(&mut stage).len(), 1, "with the one that is open two");
}

fn of_all(to: NewLimit) -> LimitChange {
    LimitChange { instrument: None, ..change(to) }
}

/// Alice holds a hundred shares of 10.00, with limits of losses that are far away.
fn holding(environment: Environment, groups: Vec<ExposureGroup>) -> (Stage, Cast) {
    let far = Some(Money::from_units(1_000_000));
    let limits = LossLimits {
        capital: Money::from_units(100_000),
        day_soft: far,
        day_max: far,
        drawdown_max: Some(Rate::from_billionths(500_000_000)),
        var_max: far,
        ..LossLimits::default()
    };
    let losses = LossTable {
        currency: USD,
        prices: Prices::new(Span::from_secs(60)),
        every: Span::from_secs(1),
        cool_down: Span::ZERO,
        firm: Some(limits),
        strategy: vec![Some(limits), None],
    };
    let mut prices = Prices::new(Span::from_secs(60));
    let catalog = crate::stage::catalog();
    prices.source(&catalog, SHARE_A).expect("shares have a price");
    let exposure = ExposureTable {
        currency: USD,
        prices,
        every: Span::from_secs(1),
        firm: ExposureLimits::default(),
        groups,
        strategy: vec![ExposureLimits::default(); 2],
        correlation: None,
    };
    let cast = || Cast {
        losses: Some(losses.clone()),
        exposure: Some(exposure.clone()),
        ..Cast::default()
    };
    let mut stage = Stage::with(Cast { environment, boots_disarmed: true, ..cast() });
    stage.step(Input::Boot { epoch: 1 });
    for venue in [A, B] {
        stage.link(venue, true);
    }
    stage.command(Command::Arm(Who::cut("ann")));
    let id = stage.placed(ALICE, market(SHARE_A, Side::Buy, 100));
    stage.fill(id, 1_000, 100);
    (stage, cast())
}

#[test]
fn c25_what_may_be_lost_changes_as_well_and_holds_from_then_on() {
    let share = Rate::from_billionths(10_000_000);
    let cents = Money::from_units(1_000);
    for (to, cause, level) in [
        (NewLimit::DaySoft(cents), Cause::DayLoss, Level::Reduce),
        (NewLimit::DayMax(cents), Cause::DayLoss, Level::Cancel),
        (NewLimit::Drawdown(share), Cause::Drawdown, Level::Cancel),
    ] {
        for strategy in [None, Some(ALICE)] {
            let (mut stage, _) = holding(Environment::Simulated, Vec::new());
            let change = LimitChange { strategy, ..of_all(to) };
            stage.quote(SHARE_A, 980, 1_000);
            assert_eq!(alerts(&stage.pass(Span::from_secs(1))), [], "a loss of 10.00: {to:?}");
            let said = tell(&mut stage, change);
            assert_eq!(said[0], Alert::LimitChanged(change));
            stage.quote(SHARE_A, 980, 1_000);
            let reach = strategy.map_or(Reach::Firm, Reach::Strategy);
            let killed = Alert::Killed { reach, level, cause };
            let now = alerts(&stage.pass(Span::from_secs(1)));
            assert!(now.contains(&killed), "{to:?} of {strategy:?}: {now:?}");
        }
    }
}

#[test]
fn c25_of_losses_too_loosening_of_real_money_takes_two_and_there_must_be_such_limits() {
    let (mut stage, _) = holding(Environment::Live, Vec::new());
    let alone = [Alert::NotChanged(NotChanged::NeedsTwo)];
    let more = Money::from_units(1_000_001);
    let share = Rate::from_billionths(500_000_001);
    for to in [
        NewLimit::DaySoft(more),
        NewLimit::DayMax(more),
        NewLimit::VarMax(more),
        NewLimit::Drawdown(share),
    ] {
        assert_eq!(tell(&mut stage, of_all(to)), alone, "{to:?}");
        let two = LimitChange { second: Some(Who::cut("bob")), ..of_all(to) };
        assert_eq!(tell(&mut stage, two)[0], Alert::LimitChanged(two));
    }
    let cases = [
        (
            LimitChange { strategy: Some(BOB), ..of_all(NewLimit::DayMax(more)) },
            NotChanged::NotWatched,
        ),
        (change(NewLimit::DayMax(more)), NotChanged::Unknown),
        (of_all(NewLimit::DayMax(Money::ZERO)), NotChanged::Unsound),
        (of_all(NewLimit::Drawdown(Rate::from_billionths(0))), NotChanged::Unsound),
    ];
    for (change, why) in cases {
        assert_eq!(tell(&mut stage, change), [Alert::NotChanged(why)], "{change:?}");
    }
}

#[test]
fn c25_a_groups_limits_change_and_survive_a_snapshot_like_all_others() {
    let group = ExposureGroup { instruments: vec![SHARE_A], gross: None, net: None };
    let (mut stage, cast) = holding(Environment::Simulated, vec![group]);
    let to = |group, cents| GroupLimit { group, value: Money::from_units(cents) };
    stage.quote(SHARE_A, 990, 1_010);
    assert_eq!(says(&mut stage), []);
    for unknown in [
        of_all(NewLimit::GroupGross(to(1, 5))),
        LimitChange { strategy: Some(ALICE), ..of_all(NewLimit::GroupNet(to(0, 5))) },
    ] {
        let why = [Alert::NotChanged(NotChanged::Unknown)];
        assert_eq!(tell(&mut stage, unknown), why, "{unknown:?}");
    }
    for limit in [
        NewLimit::GroupGross(to(0, 100_500)),
        NewLimit::GroupNet(to(0, 100_600)),
        NewLimit::DayMax(Money::from_units(777)),
    ] {
        tell(&mut stage, of_all(limit));
    }
    // The puppets cannot be saved; everything before them is.
    let saved = |stage: &Stage| {
        let mut out = tse_model::bytes::Writer::default();
        let _ = stage.kernel.save(&mut out);
        out.into_bytes()
    };
    let mut again = Stage::with(Cast { boots_disarmed: true, ..cast });
    let _ = again.kernel.load(&saved(&stage));
    let losses = again.kernel.losses(Reach::Firm).expect("they are watched");
    assert_eq!(losses.limits().day_max, Some(Money::from_units(777)));
    assert_eq!(saved(&again), saved(&stage));
    let over = |measure, limit| {
        let (value, limit) = (Money::from_units(102_000), Money::from_units(limit));
        vec![Refusal::Exposure(Exposed { scope: Scope::Account, measure, value, limit })]
    };
    assert_eq!(says(&mut stage), over(Measure::GroupGross(0), 100_500), "a hundred and two shares");
    tell(&mut stage, of_all(NewLimit::GroupGross(to(0, 200_000))));
    assert_eq!(says(&mut stage), over(Measure::GroupNet(0), 100_600));
}

#[test]
fn c28_an_order_of_which_nobody_knows_whose_it_is_does_not_leave() {
    let algorithm = Algorithm { name: Text::cut("puppet"), version: Text::cut("1") };
    let whole = Guards { operator: Who::EMPTY, ..guards() };
    let nameless = Algorithm { name: Text::EMPTY, ..algorithm };
    let cases = [
        (whole.clone(), true),
        (Guards { config: 0, ..whole.clone() }, false),
        (Guards { algorithms: vec![nameless; 2], ..whole.clone() }, false),
        (
            Guards {
                algorithms: vec![Algorithm { version: Text::EMPTY, ..algorithm }; 2],
                ..whole.clone()
            },
            false,
        ),
        (Guards { algorithms: Vec::new(), ..whole.clone() }, false),
    ];
    for (guards, known) in cases {
        let cast = || Cast {
            environment: Environment::Paper,
            boots_disarmed: true,
            guards: guards.clone(),
            ..Cast::default()
        };
        let mut stage = Stage::with(cast());
        stage.step(Input::Boot { epoch: 1 });
        for venue in [A, B] {
            stage.link(venue, true);
        }
        stage.command(Command::Arm(Who::cut("ann")));
        let expected = if known { vec![] } else { vec![Refusal::Unattributed] };
        assert_eq!(says(&mut stage), expected, "{guards:?}");
        let whose = stage.kernel.attribution(ALICE);
        assert_eq!(whose.map(|it| (it.operator, it.config)), known.then_some((Who::cut("ann"), 7)));
        // Without anybody who armed it or set it up nobody answers for it.
        let mut stage = Stage::with(Cast { boots_disarmed: false, ..cast() });
        assert_eq!(says(&mut stage), [Refusal::Unattributed]);
    }
}

fn permit(waived: Waived) -> Permit {
    Permit {
        strategy: ALICE,
        instrument: SHARE_A,
        side: Side::Buy,
        qty: Qty::new(1_500),
        waived,
        until: tse_model::Timestamp::from_nanos(60_000_000_000),
        by: Who::cut("ann"),
        second: Some(Who::cut("bob")),
        why: Why::cut("the index is rebalanced"),
    }
}

#[test]
fn c29_an_order_that_two_people_let_pass_passes_once() {
    let mut stage = Stage::new();
    let large = |stage: &mut Stage, strategy: StrategyId, qty: i64, side: Side| {
        let wish = OrderWish::limit(SHARE_A, side, Qty::new(qty), Price::new(1_000));
        stage.place(strategy, &[wish]).len()
    };
    assert_eq!(large(&mut stage, ALICE, 1_500, Side::Buy), 0);
    let given = permit(Waived::OrderQty);
    let said = alerts(&stage.command(Command::Permit(given)));
    assert_eq!(said, [Alert::Permitted(given)]);
    assert_eq!(large(&mut stage, ALICE, 1_501, Side::Buy), 0, "not more than that");
    assert_eq!(large(&mut stage, ALICE, 1_500, Side::Sell), 0, "not the other way");
    assert_eq!(large(&mut stage, BOB, 1_500, Side::Buy), 0, "nobody else");
    assert_eq!(stage.place(ALICE, &[buy(1, 980)]).len(), 1, "one that needs none uses none");
    let out = stage.wish(ALICE, |_, wish| wish.order(buy(1_500, 980)));
    assert_eq!((placed(&out).len(), alerts(&out)), (1, vec![Alert::PermitUsed(given)]));
    assert_eq!(large(&mut stage, ALICE, 1_500, Side::Buy), 0, "once");
    // Another limit is in the way as well: then it does not pass, and the exception stays.
    stage.command(Command::Permit(given));
    let far = OrderWish::limit(SHARE_A, Side::Buy, Qty::new(1_500), Price::new(1));
    assert_eq!(stage.place(ALICE, &[far]).len(), 0);
    assert_eq!(large(&mut stage, ALICE, 1_500, Side::Buy), 1);
}

#[test]
fn c29_an_exception_is_used_by_an_order_that_leaves_and_by_no_other() {
    let mut stage = Stage::new();
    let given = permit(Waived::OrderQty);
    let other = permit(Waived::Collar);
    for permit in [other, given] {
        stage.command(Command::Permit(permit));
    }
    let large = OrderWish::limit(SHARE_A, Side::Buy, Qty::new(1_500), Price::new(980));
    let bad = OrderWish::limit(SHARE_B, Side::Buy, Qty::new(5_000), Price::new(980));
    // Another leg is refused: the large one does not leave, and the exception stays.
    let out = stage.wish(ALICE, move |_, wish| wish.group(&[large, bad]));
    assert_eq!((placed(&out).len(), alerts(&out)), (0, vec![]));
    let out = stage.wish(ALICE, move |_, wish| wish.order(large));
    assert_eq!((placed(&out).len(), alerts(&out)), (1, vec![Alert::PermitUsed(given)]));
    // An order that becomes too large needs one as well.
    let id = placed(&out)[0].id;
    stage.accept(id);
    stage.command(Command::Permit(Permit { qty: Qty::new(2_000), ..given }));
    let out = stage.wish(ALICE, move |_, wish| wish.modify(id, Qty::new(1_800), None));
    assert_eq!((denied(&out), alerts(&out).len()), (vec![], 1));
    let out = stage.wish(ALICE, move |_, wish| wish.order(large));
    assert_eq!(placed(&out).len(), 0, "used");
}

#[test]
fn c29_of_several_exceptions_each_order_uses_its_own() {
    let mut stage = Stage::new();
    let far = OrderWish::limit(SHARE_A, Side::Buy, Qty::new(10), Price::new(1));
    let large = OrderWish::limit(SHARE_A, Side::Buy, Qty::new(1_500), Price::new(980));
    let [collar, qty] = [Waived::Collar, Waived::OrderQty].map(permit);
    for given in [collar, qty] {
        stage.command(Command::Permit(given));
    }
    for (wish, used) in [(large, qty), (far, collar)] {
        let out = stage.wish(ALICE, move |_, all| all.order(wish));
        assert_eq!((placed(&out).len(), alerts(&out)), (1, vec![Alert::PermitUsed(used)]));
    }
}

#[test]
fn c29_an_exception_needs_two_people_a_reason_and_an_end() {
    let mut stage = Stage::new();
    stage.wait(Span::from_secs(10));
    let given = permit(Waived::OrderQty);
    let markets = stage.kernel.catalog().instruments().len() as u32;
    let cases = [
        (Permit { second: None, ..given }, NotChanged::NeedsTwo),
        (Permit { second: Some(Who::cut("ann")), ..given }, NotChanged::NeedsTwo),
        (Permit { second: Some(Who::cut("ann ")), ..given }, NotChanged::NeedsTwo),
        (Permit { by: Who::EMPTY, ..given }, NotChanged::Nobody),
        (Permit { why: Why::EMPTY, ..given }, NotChanged::NoReason),
        (Permit { until: stage.now, ..given }, NotChanged::Unsound),
        (Permit { qty: Qty::ZERO, ..given }, NotChanged::Unsound),
        (Permit { strategy: StrategyId(7), ..given }, NotChanged::Unknown),
        (Permit { instrument: tse_model::InstrumentId(7), ..given }, NotChanged::Unknown),
        // Just behind the last.
        (Permit { strategy: StrategyId(2), ..given }, NotChanged::Unknown),
        (Permit { instrument: tse_model::InstrumentId(markets), ..given }, NotChanged::Unknown),
    ];
    for (permit, why) in cases {
        let said = alerts(&stage.command(Command::Permit(permit)));
        assert_eq!(said, [Alert::NotChanged(why)], "{permit:?}");
        assert_eq!(stage.place(ALICE, &[buy(1_500, 980)]).len(), 0);
    }
    stage.command(Command::Permit(given));
    stage.now = given.until;
    stage.quote(SHARE_A, 990, 1_010);
    assert_eq!(stage.place(ALICE, &[buy(1_500, 980)]).len(), 0, "it has run out");
}
