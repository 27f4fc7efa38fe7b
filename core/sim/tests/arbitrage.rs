//! A-ARB (spec §5.4): the arbitrage that must fire, and everything that must keep it from firing, each
//! differing from it in exactly one thing.

mod common;

use common::{Listing, Ran, World};
use tse_model::{InstrumentId, MarketData, Request, Span, TradingStatus};
use tse_strategy::{Missed, Outcome};

/// What varies.
struct Case {
    dear_bid: &'static str,
    fee_bps: &'static str,
    usd: &'static str,
    btc: &'static str,
    /// When the second price arrives, after the first.
    gap_ms: i64,
    down: bool,
    max_size: &'static str,
}

/// Exchange-1 asks 50,000, exchange-2 bids 50,100 for 1 BTC: 20 bps.
const FIRES: Case = Case {
    dear_bid: "50100.00",
    fee_bps: "0",
    usd: "100000",
    btc: "2",
    gap_ms: 10,
    down: false,
    max_size: "1.0",
};

fn run(case: &Case) -> Ran {
    let listing = |symbol| Listing { fees: (case.fee_bps, case.fee_bps), ..Listing::spot(symbol) };
    let mut world = World::new(&[listing("BTC-USD.EXCHANGE1"), listing("BTC-USD.EXCHANGE2")]);
    world.deposit("EXCHANGE1", "USD", case.usd).deposit("EXCHANGE2", "BTC", case.btc);
    let params = [("min_spread_bps", "10"), ("max_position_size", case.max_size), ("stale", "1s")];
    world.strategy("arbitrage", &[0, 1], &params);
    if case.down {
        world.data(0, 1, MarketData::Status(TradingStatus::Closed));
    }
    world.quote(0, 0, ("49990.00", "1"), ("50000.00", "1"));
    world.quote(case.gap_ms, 1, (case.dear_bid, "1"), ("50200.00", "1"));
    world.run()
}

fn places(ran: &Ran) -> usize {
    ran.log.requests.iter().filter(|(_, request)| matches!(request, Request::Place(_))).count()
}

#[test]
fn a_arb_buys_the_cheap_and_sells_the_dear_at_once() {
    let ran = run(&FIRES);
    assert_eq!(
        ran.fills(),
        ["buy 1.000 @ 50000.00 BTC-USD.EXCHANGE1", "sell 1.000 @ 50100.00 BTC-USD.EXCHANGE2"]
    );
    assert_eq!(places(&ran), 2, "exactly one order on each venue");
    let net: i64 =
        ran.log.fills.iter().map(|(_, _, side, fill)| side.sign() * fill.qty.get()).sum();
    assert_eq!(net, 0);
    // Both prices had arrived at 10 ms; both orders left within 50 ms of that.
    for (at, _) in &ran.log.requests {
        assert!((10_000_000..=60_000_000).contains(&at.nanos()));
    }
    // Flat over both venues, so what the cash gained is realised: 100,000 became 100,100 USD. The books
    // of each venue call it unrealised, since neither position was closed; matched, they say so.
    let kernel = ran.backtest.kernel();
    let matched = kernel.portfolio().matched_profit(kernel.catalog(), None).expect("it fits");
    let realized: Vec<_> =
        matched.iter().map(|it| kernel.catalog().show(it.profit, it.settle)).collect();
    assert_eq!(realized, ["100.00000000"]);
    assert_eq!(ran.cash("EXCHANGE1", "USD"), "50000.00000000");
    assert_eq!(ran.cash("EXCHANGE2", "USD"), "50100.00000000");
    assert_eq!(
        (ran.cash("EXCHANGE1", "BTC"), ran.cash("EXCHANGE2", "BTC")),
        ("1.00000000".into(), "1.00000000".into())
    );
    assert_eq!(ran.log.saw[0].outcome, Outcome::Detected);
    assert_eq!((ran.log.saw[0].buy, ran.log.saw[0].sell), (InstrumentId(0), InstrumentId(1)));
    assert_eq!(ran.log.saw.last().unwrap().outcome, Outcome::Taken);
    assert!(ran.log.denied.is_empty());
    assert_eq!(ran.backtest.kernel().orders().live(), 0);
}

fn nothing_is_sent(case: &Case) -> Vec<Outcome> {
    let ran = run(case);
    assert_eq!(places(&ran), 0);
    ran.log.saw.iter().map(|saw| saw.outcome).collect()
}

#[test]
fn ten_basis_points_exactly_are_not_more_than_ten() {
    // 50,050 against 50,000 is 10 bps: not even an opportunity.
    assert_eq!(nothing_is_sent(&Case { dear_bid: "50050.00", ..FIRES }), []);
}

#[test]
fn a_tick_more_than_ten_basis_points_is() {
    let ran = run(&Case { dear_bid: "50050.01", ..FIRES });
    assert_eq!(places(&ran), 2);
}

#[test]
fn fees_of_six_basis_points_a_side_leave_too_little() {
    let saw = nothing_is_sent(&Case { fee_bps: "6", ..FIRES });
    assert_eq!(saw, [Outcome::Detected, Outcome::Missed(Missed::Fees)]);
}

#[test]
fn nothing_is_sent_to_a_venue_that_is_down() {
    assert_eq!(nothing_is_sent(&Case { down: true, ..FIRES }), []);
}

#[test]
fn a_price_older_than_the_limit_is_no_price() {
    let saw = nothing_is_sent(&Case { gap_ms: 1_001, ..FIRES });
    assert_eq!(saw, [Outcome::Detected, Outcome::Missed(Missed::Stale)]);
}

#[test]
fn a_price_exactly_as_old_as_the_limit_still_is() {
    assert_eq!(places(&run(&Case { gap_ms: 1_000, ..FIRES })), 2);
}

#[test]
fn without_money_on_the_cheap_side_nothing_is_sent() {
    let saw = nothing_is_sent(&Case { usd: "10", ..FIRES });
    assert_eq!(saw, [Outcome::Detected, Outcome::Missed(Missed::Balance)]);
}

#[test]
fn without_coins_on_the_dear_side_nothing_is_sent() {
    let saw = nothing_is_sent(&Case { btc: "0.0001", ..FIRES });
    assert_eq!(saw, [Outcome::Detected, Outcome::Missed(Missed::Balance)]);
}

#[test]
fn no_more_is_traded_than_the_position_limit_allows() {
    let ran = run(&Case { max_size: "0.25", ..FIRES });
    assert_eq!(
        ran.fills(),
        ["buy 0.250 @ 50000.00 BTC-USD.EXCHANGE1", "sell 0.250 @ 50100.00 BTC-USD.EXCHANGE2"]
    );
}

#[test]
fn what_one_leg_trades_too_much_is_unwound() {
    // With a delay on the way, the dear bid has shrunk to a quarter before the order arrives.
    let mut world =
        World::new(&[Listing::spot("BTC-USD.EXCHANGE1"), Listing::spot("BTC-USD.EXCHANGE2")]);
    world.deposit("EXCHANGE1", "USD", "100000").deposit("EXCHANGE2", "BTC", "2");
    world.latency[1] = tse_sim::Latency::Constant(Span::from_millis(5));
    world.strategy("arbitrage", &[0, 1], &[("min_spread_bps", "10")]);
    world.quote(0, 0, ("49990.00", "1"), ("50000.00", "1"));
    world.quote(10, 1, ("50100.00", "1"), ("50200.00", "1"));
    world.quote(12, 1, ("50100.00", "0.250"), ("50200.00", "1"));
    world.quote(100, 0, ("49990.00", "1"), ("50300.00", "1"));
    let ran = world.run();
    let expected = [
        "buy 1.000 @ 50000.00 BTC-USD.EXCHANGE1",
        "sell 0.250 @ 50100.00 BTC-USD.EXCHANGE2",
        "sell 0.750 @ 49990.00 BTC-USD.EXCHANGE1",
    ];
    assert_eq!(ran.fills(), expected);
    let net: i64 =
        ran.log.fills.iter().map(|(_, _, side, fill)| side.sign() * fill.qty.get()).sum();
    assert_eq!(net, 0, "flat again");
}
