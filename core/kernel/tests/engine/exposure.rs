//! C12 in the engine: what everything together may be worth, at worst before an order leaves, and what is held
//! afterwards. The middle of every market is 10.00, so a lot is worth 1,000 cents.

use crate::stage::{
    ALICE, BANK_A, BOB, Cast, PERP_A, SHARE_A, SHARE_B, Stage, USD, all_alerts, buy, cancels,
    denied, market, placed, sell,
};
use tse_kernel::{Alert, ExposureTable};
use tse_model::{InstrumentId, Money, Price, Qty, Rate, Side, Span};
use tse_portfolio::Prices;
use tse_risk::{
    Cause, CorrelationLimit, Exposed, ExposureGroup, ExposureLimits, Level, Measure, Metric, Reach,
    Refusal, Scope, Severity,
};
use tse_strategy::OrderWish;

fn money(cents: i128) -> Money {
    Money::from_units(cents)
}

fn table(firm: ExposureLimits) -> ExposureTable {
    ExposureTable {
        currency: USD,
        prices: Prices::new(Span::from_secs(60)),
        every: Span::from_secs(1),
        firm,
        groups: Vec::new(),
        strategy: vec![ExposureLimits::default(); 2],
        correlation: None,
    }
}

fn with(table: ExposureTable) -> Stage {
    Stage::with(Cast { exposure: Some(table), ..Cast::default() })
}

fn gross(cents: i128) -> ExposureLimits {
    ExposureLimits { gross: Some(money(cents)), ..ExposureLimits::default() }
}

fn net(cents: i128) -> ExposureLimits {
    ExposureLimits { net: Some(money(cents)), ..ExposureLimits::default() }
}

fn order(instrument: InstrumentId, side: Side, qty: i64) -> OrderWish {
    let price = if side == Side::Buy { 995 } else { 1_005 };
    OrderWish::limit(instrument, side, Qty::new(qty), Price::new(price))
}

fn over(scope: Scope, measure: Measure, value: i128, limit: i128) -> Refusal {
    Refusal::Exposure(Exposed { scope, measure, value: money(value), limit: money(limit) })
}

/// What the gate says of an order.
fn says(stage: &mut Stage, wish: OrderWish) -> Vec<Refusal> {
    denied(&stage.wish(ALICE, move |_, all| all.order(wish)))
}

#[test]
fn c12_gross_counts_all_instruments_both_sides_and_what_is_open() {
    for (limit, passes) in [(29_999, false), (30_000, true), (30_001, true)] {
        let mut stage = with(table(gross(limit)));
        let id = stage.placed(ALICE, order(SHARE_A, Side::Buy, 10));
        stage.fill(id, 995, 10);
        stage.placed(BOB, order(SHARE_B, Side::Sell, 10));
        let said = says(&mut stage, order(PERP_A, Side::Sell, 10));
        let refused = over(Scope::Account, Measure::Gross, 30_000, limit);
        assert_eq!(said, if passes { vec![] } else { vec![refused] }, "{limit}");
    }
}

#[test]
fn c12_net_counts_the_worse_of_all_buys_and_all_sells() {
    for (limit, passes) in [(19_999, false), (20_000, true), (20_001, true)] {
        let mut stage = with(table(net(limit)));
        stage.placed(BOB, order(SHARE_B, Side::Buy, 10));
        // A sell that is open may not be filled: it makes no room.
        stage.placed(BOB, order(PERP_A, Side::Sell, 10));
        let said = says(&mut stage, order(SHARE_A, Side::Buy, 10));
        let refused = over(Scope::Account, Measure::Net, 20_000, limit);
        assert_eq!(said, if passes { vec![] } else { vec![refused] }, "{limit}");
    }
}

#[test]
fn c12_leverage_and_concentration_are_shares_of_equity() {
    // 20 lots of short shares beside an equity of two million dollars and twenty thousand shares.
    let equity = 2 * 100_000_000i128 + 20_000 * 1_000;
    let share = |part: i128| Rate::from_billionths((part * i128::from(Rate::ONE) / equity) as i64);
    for (part, passes) in [(19_999, false), (20_001, true)] {
        let rate = share(part);
        let limit = rate.of(money(equity), tse_model::Rounding::Down).unwrap().units();
        let leverage = ExposureLimits { leverage: Some(rate), ..ExposureLimits::default() };
        let concentration =
            ExposureLimits { concentration: Some(rate), ..ExposureLimits::default() };
        for (limits, measure) in
            [(leverage, Measure::Leverage), (concentration, Measure::Concentration)]
        {
            let priced = Prices::new(Span::from_secs(60));
            let mut table = ExposureTable { prices: priced, ..table(limits) };
            let catalog = crate::stage::catalog();
            table.prices.source(&catalog, SHARE_A).expect("shares have a price");
            let mut stage = with(table);
            stage.placed(BOB, order(SHARE_B, Side::Sell, 10));
            let said = says(&mut stage, order(PERP_A, Side::Sell, 10));
            let refused = over(Scope::Account, measure, 20_000, limit);
            assert_eq!(said, if passes { vec![] } else { vec![refused] }, "{measure:?} {part}");
        }
    }
}

#[test]
fn c12_equity_that_cannot_be_told_refuses_what_adds_risk() {
    // Shares are held that nothing prices in dollars.
    let rate = Rate::from_billionths(100 * Rate::ONE);
    let mut stage = with(table(ExposureLimits { leverage: Some(rate), ..Default::default() }));
    let unknown = Refusal::ExposureUnknown { scope: Scope::Account };
    assert_eq!(says(&mut stage, order(SHARE_A, Side::Buy, 1)), [unknown]);
}

#[test]
fn c12_a_group_that_moves_together_has_limits_of_its_own() {
    let group = ExposureGroup {
        instruments: vec![SHARE_A, PERP_A],
        gross: Some(money(30_000)),
        net: Some(money(10_000)),
    };
    let mut stage = with(ExposureTable { groups: vec![group], ..table(ExposureLimits::default()) });
    stage.placed(ALICE, order(SHARE_A, Side::Buy, 10));
    let refused = over(Scope::Account, Measure::GroupNet(0), 11_000, 10_000);
    assert_eq!(says(&mut stage, order(PERP_A, Side::Buy, 1)), [refused]);
    stage.placed(BOB, order(PERP_A, Side::Sell, 10));
    assert_eq!(says(&mut stage, order(SHARE_B, Side::Buy, 1_000)), [], "that is none of them");
    let refused = [
        over(Scope::Account, Measure::GroupGross(0), 31_000, 30_000),
        over(Scope::Account, Measure::GroupNet(0), 21_000, 10_000),
    ];
    assert_eq!(says(&mut stage, order(PERP_A, Side::Sell, 11))[..1], refused[..1]);
}

#[test]
fn c12_a_strategys_own_limit_counts_its_own_alone() {
    let own = vec![gross(10_000), ExposureLimits::default()];
    let mut stage = with(ExposureTable { strategy: own, ..table(ExposureLimits::default()) });
    stage.placed(BOB, order(SHARE_B, Side::Buy, 500));
    stage.placed(ALICE, order(SHARE_A, Side::Buy, 9));
    let refused = over(Scope::Strategy, Measure::Gross, 11_000, 10_000);
    assert_eq!(says(&mut stage, order(SHARE_B, Side::Buy, 2)), [refused]);
    assert_eq!(says(&mut stage, order(SHARE_B, Side::Buy, 1)), []);
    assert_eq!(stage.place(BOB, &[order(SHARE_B, Side::Buy, 500)]).len(), 1);
}

#[test]
fn c12_a_change_counts_instead_of_what_it_replaces() {
    let mut stage = with(table(gross(10_000)));
    let id = stage.placed(ALICE, order(SHARE_A, Side::Buy, 9));
    stage.accept(id);
    let out = stage.wish(ALICE, move |_, wish| wish.modify(id, Qty::new(11), None));
    assert_eq!(denied(&out), [over(Scope::Account, Measure::Gross, 11_000, 10_000)]);
    let out = stage.wish(ALICE, move |_, wish| wish.modify(id, Qty::new(10), None));
    assert_eq!(denied(&out), []);
}

#[test]
fn c12_what_is_held_without_a_price_refuses_and_what_shrinks_it_passes() {
    let mut stage = with(table(gross(1_000_000)));
    let id = stage.placed(ALICE, order(SHARE_B, Side::Buy, 10));
    stage.fill(id, 995, 10);
    // A market that cannot be believed has no price.
    stage.show(SHARE_B, crate::stage::book(tse_model::DepthChange::Gap, true));
    let unknown = Refusal::ExposureUnknown { scope: Scope::Account };
    assert_eq!(says(&mut stage, order(SHARE_A, Side::Buy, 1)), [unknown]);
    let mut stage = with(table(gross(10_000)));
    let id = stage.placed(ALICE, order(SHARE_A, Side::Buy, 10));
    stage.fill(id, 995, 10);
    // Twice the price: over the limit, and closing is possible all the same.
    stage.quote(SHARE_A, 1_990, 2_010);
    assert_eq!(
        stage
            .place(ALICE, &[OrderWish::limit(SHARE_A, Side::Sell, Qty::new(10), Price::new(2_000))])
            .len(),
        1
    );
}

#[test]
fn c12_what_prices_carry_over_the_limit_is_cut_back_to_what_shrinks_it() {
    let mut stage = with(table(gross(10_000)));
    let id = stage.placed(ALICE, order(SHARE_A, Side::Buy, 4));
    stage.fill(id, 995, 4);
    let near = |severity, value| Alert::Near {
        reach: Reach::Firm,
        metric: Metric::Exposure(Measure::Gross),
        severity,
        value: money(value),
        limit: money(10_000),
    };
    let mut at = |mid: i64| {
        stage.quote(SHARE_A, mid - 10, mid + 10);
        all_alerts(&stage.pass(Span::from_secs(1)))
    };
    assert_eq!(at(1_240), []);
    assert_eq!(at(1_250), [near(Severity::Low, 5_000)]);
    assert_eq!(at(1_875), [near(Severity::Medium, 7_500)]);
    assert_eq!(at(1_860), []);
    assert_eq!(at(2_250), [near(Severity::High, 9_000)]);
    assert_eq!(at(2_500), [near(Severity::Critical, 10_000)], "as much as it may be");
    let cut = Alert::Killed { reach: Reach::Firm, level: Level::Reduce, cause: Cause::Exposure };
    assert_eq!(at(2_501), [cut]);
    assert_eq!(says(&mut stage, buy(1, 2_490)), [Refusal::Killed { level: Level::Reduce }]);
    let close = OrderWish::limit(SHARE_A, Side::Sell, Qty::new(4), Price::new(2_500));
    assert_eq!(stage.place(ALICE, &[close]).len(), 1);
}

#[test]
fn c12_what_is_held_of_one_asset_is_beside_its_limit_and_the_worst_asset_counts() {
    // Seven lots of 10.00 of each, beside an equity of 2,200,000.00 and a limit of 121.00: both are more together.
    for rises in [SHARE_A, BANK_A] {
        let rate = Rate::from_billionths(55_000);
        let limits = ExposureLimits { concentration: Some(rate), ..ExposureLimits::default() };
        let mut priced = table(limits);
        priced.prices.source(&crate::stage::catalog(), SHARE_A).expect("shares have a price");
        let mut stage = with(priced);
        stage.quote(BANK_A, 990, 1_010);
        for it in [SHARE_A, BANK_A] {
            let id = stage.placed(ALICE, order(it, Side::Sell, 7));
            stage.fill(id, 1_005, 7);
        }
        let (reach, level, cause) = (Reach::Firm, Level::Reduce, Cause::Exposure);
        let cut = Alert::Killed { reach, level, cause };
        assert!(!all_alerts(&stage.pass(Span::from_secs(1))).contains(&cut), "each alone is less");
        stage.quote(rises, 2_990, 3_010);
        let said = all_alerts(&stage.pass(Span::from_secs(1)));
        assert!(said.contains(&cut), "{rises:?}: {said:?}");
    }
}

#[test]
fn c12_what_is_only_asked_for_is_not_held() {
    let mut stage = with(table(gross(10_000)));
    stage.placed(ALICE, order(SHARE_A, Side::Buy, 10));
    let change = tse_risk::LimitChange {
        strategy: None,
        instrument: None,
        to: tse_risk::NewLimit::Gross(money(5_000)),
        by: tse_risk::Who::cut("ann"),
        second: None,
        why: tse_risk::Why::cut("a bad day"),
    };
    stage.command(tse_kernel::Command::Limit(change));
    stage.quote(SHARE_A, 990, 1_010);
    assert_eq!(all_alerts(&stage.pass(Span::from_secs(1))), [], "nothing is held");
}

/// Alice and Bob hold shares, and the market moves ten times, a second each.
fn together(bob: Side, max: i64, samples: u32) -> Vec<Alert> {
    let limit =
        CorrelationLimit { max: Rate::from_billionths(max), every: Span::from_secs(1), samples };
    let mut priced = table(ExposureLimits::default());
    priced.correlation = Some(limit);
    let mut stage = with(priced);
    for (who, side) in [(ALICE, Side::Buy), (BOB, bob)] {
        let id = stage.placed(who, order(SHARE_A, side, 10));
        stage.fill(id, 1_000, 10);
    }
    let mut said = Vec::new();
    for mid in [1_000, 1_010, 990, 1_000, 1_020, 980, 1_000, 1_010, 1_000, 990] {
        stage.quote(SHARE_A, mid - 10, mid + 10);
        said.extend(all_alerts(&stage.pass(Span::from_secs(1))));
    }
    said
}

#[test]
fn c12_strategies_that_earn_together_more_than_they_may_are_one_bet() {
    let near = |limit| Alert::Near {
        reach: Reach::Firm,
        metric: Metric::Correlation,
        severity: Severity::Critical,
        value: money(1_000_000_000),
        limit: money(limit),
    };
    let cut = Alert::Killed { reach: Reach::Firm, level: Level::Reduce, cause: Cause::Exposure };
    assert_eq!(together(Side::Buy, 999_999_999, 5), [near(999_999_999), cut]);
    assert_eq!(together(Side::Buy, 1_000_000_000, 5), [near(1_000_000_000)], "as much as may be");
    assert_eq!(together(Side::Sell, 1, 5), [], "one earns what the other loses");
    assert_eq!(together(Side::Buy, 1, 10).len(), 2, "from the start on there are ten changes");
    assert_eq!(together(Side::Buy, 1, 11), [], "and not eleven");
}

#[test]
fn c12_the_strategy_that_is_over_is_cut_back_alone() {
    let own = vec![gross(4_000), ExposureLimits::default()];
    let mut stage = with(ExposureTable { strategy: own, ..table(ExposureLimits::default()) });
    let id = stage.placed(ALICE, order(SHARE_A, Side::Buy, 4));
    stage.fill(id, 995, 4);
    let resting = stage.placed(ALICE, sell(1, 1_020));
    let other = stage.placed(BOB, order(SHARE_A, Side::Buy, 4));
    stage.quote(SHARE_A, 991, 1_011);
    let out = stage.pass(Span::from_secs(1));
    let reach = Reach::Strategy(ALICE);
    assert!(all_alerts(&out).contains(&Alert::Killed {
        reach,
        level: Level::Reduce,
        cause: Cause::Exposure
    }));
    assert_eq!(cancels(&out), [], "what shrinks a position stays");
    assert!(!stage.order(resting).cancelling && !stage.order(other).cancelling);
    assert_eq!(stage.place(BOB, &[order(SHARE_A, Side::Buy, 1)]).len(), 1);
    assert_eq!(placed(&stage.wish(ALICE, |_, wish| wish.order(market(SHARE_A, Side::Buy, 1)))), []);
}
