//! What has cost firms dearly, each as a scenario: which control stops it, and what it can cost at most.

use crate::stage::{
    ALICE, BOB, Cast, PERP_A, SHARE_A, SHARE_B, Stage, Told, USD, alerts, buy, denied, limits,
    market, placed, sell,
};
use tse_kernel::{Alert, ExposureTable, LossTable, PaceTable};
use tse_model::{MarketData, Money, OrderType, Price, Qty, Quote, Side, Span, TimeInForce};
use tse_portfolio::Prices;
use tse_risk::{
    BadData, Cause, ExposureLimits, Level, Limits, LossLimits, Messages, Pace, Paces, Reach,
    Refusal, Repeats,
};
use tse_strategy::OrderWish;

fn with(account: Limits) -> Stage {
    Stage::with(Cast { account, ..Cast::default() })
}

/// A strategy buys with every quote and every fill, without end: what the engine says.
fn runs_away(stage: &mut Stage) -> Vec<Alert> {
    stage.always(ALICE, |told, _, wish| {
        if matches!(told, Told::Quote(_) | Told::Fill(..)) {
            wish.order(market(SHARE_A, Side::Buy, 50));
        }
    });
    let mut said = Vec::new();
    let mut queue = placed(&stage.quote(SHARE_A, 990, 1_010));
    for _ in 0..500 {
        let out = match queue.pop() {
            Some(order) => stage.fill(order.id, 1_010, order.qty.get()),
            None => stage.quote(SHARE_A, 990, 1_010),
        };
        said.extend(alerts(&out));
        queue.extend(placed(&out));
    }
    said
}

/// Knight Capital, 2012: dead code came to life, and a few hundred orders became four million in 45 minutes.
#[test]
fn knight_2012_orders_that_make_orders_end_at_the_position_and_at_the_rate() {
    // The position is what bounds it: 500 shares, 5,050.00 at the price it paid.
    let mut stage = with(Limits { long_max: Some(Qty::new(500)), ..limits() });
    assert_eq!(runs_away(&mut stage), []);
    assert_eq!(stage.position(ALICE, SHARE_A), 500);
    // And within a moment the rate: thirty orders, and then it is paused until a person looks.
    let paces = Paces {
        messages: Some(Messages {
            rate: Pace { count: 40, window: Span::from_secs(1) },
            reserved: 10,
            tolerance: Some(20),
        }),
        ..Paces::default()
    };
    let paces = PaceTable { strategy: vec![paces; 2], ..PaceTable::default() };
    let mut stage = Stage::with(Cast { paces, ..Cast::default() });
    let reach = Reach::Strategy(ALICE);
    let paused = Alert::Killed { reach, level: Level::Pause, cause: Cause::Messages };
    assert_eq!(runs_away(&mut stage), [paused]);
    assert_eq!(stage.position(ALICE, SHARE_A), 30 * 50);
    assert_eq!(stage.place(BOB, &[buy(1, 980)]).len(), 1, "nobody else is stopped");
}

/// Everbright, 2013: a defect sent orders again and again that were thought to have failed.
#[test]
fn everbright_2013_the_same_order_again_and_again_is_refused() {
    let repeats = Repeats { window: Span::from_secs(1), count: 3 };
    let mut stage = with(Limits { repeats: Some(repeats), ..limits() });
    let mut sent = 0;
    for _ in 0..100 {
        sent += stage.place(ALICE, &[buy(10, 990)]).len();
    }
    assert_eq!(sent, 3, "and no more than thirty shares");
    let out = stage.wish(ALICE, |_, wish| wish.order(buy(10, 990)));
    assert_eq!(denied(&out), [Refusal::Repeated { count: 4, limit: 3 }]);
}

/// Citi, 2022, and every fat finger: the number was for the other field. Nothing can be clicked away.
#[test]
fn a_fat_finger_is_refused_by_size_value_and_price_at_once() {
    let mut stage = with(Limits {
        order_qty_max: Some(Qty::new(100)),
        order_value_max: Some(Money::from_units(200_000)),
        ..limits()
    });
    let out = stage.wish(ALICE, |_, wish| wish.order(buy(44_400, 990)));
    let limit = Qty::new(100);
    assert_eq!(denied(&out), [Refusal::OrderQty { qty: Qty::new(44_400), limit }]);
    let out = stage.wish(ALICE, |_, wish| wish.order(sell(100, 99)));
    let [Refusal::Collar { price, .. }] = denied(&out)[..] else { panic!("{out:?}") };
    assert_eq!(price, Price::new(99), "a tenth of the market");
    assert_eq!(stage.position(ALICE, SHARE_A), 0);
}

/// GDAX, 2017, and Binance.US, 2021: a market order went through an empty book.
#[test]
fn a_market_order_never_leaves_without_a_price() {
    let mut stage = Stage::new();
    let sent = stage.place(ALICE, &[market(SHARE_A, Side::Sell, 1_000)]);
    let [order] = sent[..] else { panic!("{sent:?}") };
    // Five per cent below the middle and no further: a thousand shares lose 500.00 at most.
    assert_eq!(order.order_type, OrderType::Limit(Price::new(950)));
    assert_eq!(order.time_in_force, TimeInForce::Ioc);
    stage.cancelled(order.id);
    // With half a market there is nothing to measure by, and nothing is sent that adds risk.
    stage.always(ALICE, |told, _, wish| {
        if matches!(told, Told::Quote(_)) {
            wish.order(market(SHARE_A, Side::Buy, 1));
        }
    });
    let half = Quote { ask: Price::new(1_000_000), ask_qty: Qty::new(1), ..Quote::default() };
    let out = stage.show(SHARE_A, MarketData::Quote(half));
    assert_eq!(denied(&out), [Refusal::Data(BadData::Missing)]);
}

/// October 2025: one venue's marks were wrong for minutes, and healthy books were sold into them.
#[test]
fn a_mark_that_is_wrong_or_old_sells_no_healthy_book() {
    let limits = LossLimits {
        capital: Money::from_units(1_000_000),
        day_max: Some(Money::from_units(1_000)),
        flatten: true,
        ..LossLimits::default()
    };
    let losses = LossTable {
        currency: USD,
        prices: Prices::new(Span::from_secs(60)),
        every: Span::from_secs(1),
        cool_down: Span::ZERO,
        firm: Some(limits),
        strategy: vec![None; 2],
    };
    let mut stage = Stage::with(Cast { losses: Some(losses), ..Cast::default() });
    let id = stage.placed(ALICE, market(SHARE_A, Side::Buy, 100));
    stage.fill(id, 1_000, 100);
    // Crossed, one-sided, and then nothing at all for longer than a price may be old.
    stage.quote(SHARE_A, 350, 340);
    let mut out = stage.pass(Span::from_secs(5));
    let half = Quote { ask: Price::new(10), ask_qty: Qty::new(1), ..Quote::default() };
    stage.show(SHARE_A, MarketData::Quote(half));
    out.extend(stage.pass(Span::from_secs(200)));
    assert_eq!((alerts(&out), placed(&out).len()), (vec![], 0));
    // A mark that can be read and is low is believed: then it is sold, within five per cent of it, and no further.
    stage.quote(SHARE_A, 980, 990);
    let out = stage.pass(Span::from_secs(1));
    let reach = Reach::Firm;
    let killed = Alert::Killed { reach, level: Level::Flatten, cause: Cause::DayLoss };
    assert_eq!(alerts(&out), [killed]);
    let pieces = placed(&out);
    let [piece] = pieces[..] else { panic!("{pieces:?}") };
    assert_eq!((piece.side, piece.order_type), (Side::Sell, OrderType::Limit(Price::new(936))));
}

/// Citigroup, 2022: the field for units took the amount, and a basket of 444 billion was passed on in pieces, each
/// of which was small enough.
#[test]
fn citi_2022_a_basket_that_is_too_large_as_a_whole_ends_at_what_everything_may_be_worth() {
    let firm = ExposureLimits { gross: Some(Money::from_units(1_000_000)), ..Default::default() };
    let exposure = ExposureTable {
        currency: USD,
        prices: Prices::new(Span::from_secs(60)),
        every: Span::from_secs(1),
        firm,
        groups: Vec::new(),
        strategy: Vec::new(),
        correlation: None,
    };
    let mut stage = Stage::with(Cast { exposure: Some(exposure), ..Cast::default() });
    // 300 orders of 100 shares over three markets, 1,000.00 each, all within the limits of one order.
    let mut sent = 0;
    for piece in 0..300 {
        let market = [SHARE_A, SHARE_B, PERP_A][piece % 3];
        let order = OrderWish::limit(market, Side::Sell, Qty::new(100), Price::new(1_005));
        let out = stage.wish(ALICE, move |_, wish| wish.order(order));
        sent += placed(&out).len();
        assert!(denied(&out).iter().all(|it| it.control() == "C12"), "{:?}", denied(&out));
    }
    // 10,000.00 at the middle of the market is all that may be out: ten pieces of 300.
    assert_eq!(sent, 10);
}
