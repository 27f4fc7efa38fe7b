//! A-ARB (spec §5.4) as the strategy sees it: when both legs are sent, and the one field that makes
//! the difference when they are not.

use crate::stage::{Play, Terms, Wish, build, catalog, dec, groups, ioc, seconds, seen, terms};
use tse_model::{InstrumentId, Side, Span};
use tse_strategy::{FixedRate, Missed, OrderWish, Outcome, Rates, UpdateKind};

const ONE: InstrumentId = InstrumentId(0);
const TWO: InstrumentId = InstrumentId(1);
const THREE: InstrumentId = InstrumentId(2);
/// One bitcoin in lots of both exchanges.
const COIN: i64 = 100_000;

/// Everything that decides whether A-ARB fires; the first two prices are 20 bps apart.
#[derive(Clone)]
struct Case {
    ask: &'static str,
    bid: &'static str,
    asked: &'static str,
    bidden: &'static str,
    fee_bps: &'static str,
    min_spread_bps: &'static str,
    max_position: &'static str,
    qty_min: &'static str,
    notional_min: &'static str,
    /// How much older than the second price the first is.
    older: Span,
    open: [bool; 2],
    valid: [bool; 2],
    dollars: &'static str,
    coins: &'static str,
    held: [&'static str; 2],
}

const FIRES: Case = Case {
    ask: "50000.00",
    bid: "50100.00",
    asked: "1",
    bidden: "1",
    fee_bps: "0",
    min_spread_bps: "10",
    max_position: "1.0",
    qty_min: "0.0001",
    notional_min: "0",
    older: Span::ZERO,
    open: [true, true],
    valid: [true, true],
    dollars: "50000.00",
    coins: "1",
    held: ["0", "0"],
};

fn exchanges(case: &Case) -> [Terms; 2] {
    let terms = |symbol| Terms {
        taker_bps: case.fee_bps,
        qty_min: case.qty_min,
        notional_min: case.notional_min,
        ..terms(symbol)
    };
    [terms("BTC-USD.EXCHANGE1"), terms("BTC-USD.EXCHANGE2")]
}

impl Case {
    /// What is sent when the second price arrives, in lots of each leg; and then why nothing was.
    fn run(&self) -> (Vec<(i64, i64)>, Option<Outcome>) {
        let mut play = Play::new(
            "arbitrage",
            &exchanges(self),
            &[("min_spread_bps", self.min_spread_bps), ("max_position_size", self.max_position)],
        );
        play.have(0, "USD", self.dollars);
        play.have(1, "BTC", self.coins);
        play.hold(ONE, self.held[0]);
        play.hold(TWO, self.held[1]);
        let mut wishes = play.quote(ONE, ["49990.00", self.ask], ["1", self.asked]);
        assert_eq!(wishes, [], "one price is none");
        play.now = play.now + self.older;
        play.show(TWO, [self.bid, "60000.00"], [self.bidden, "1"]);
        for (at, id) in [ONE, TWO].into_iter().enumerate() {
            play.market(id).open = self.open[at];
            play.market(id).valid = self.valid[at];
        }
        wishes.extend(play.tell(TWO));
        let sent = groups(&wishes).into_iter().map(|legs| {
            let [buy, sell] = legs[..] else { panic!("two legs: {legs:?}") };
            assert_eq!((buy.instrument, buy.side), (ONE, Side::Buy));
            assert_eq!((sell.instrument, sell.side), (TWO, Side::Sell));
            (buy.qty.get(), sell.qty.get())
        });
        let sent: Vec<_> = sent.collect();
        wishes.extend(play.stop());
        (sent, seen(&wishes).last().map(|last| last.outcome))
    }

    fn fires(&self, lots: i64) {
        assert_eq!(self.run().0, [(lots, lots)]);
    }

    fn passes(&self, why: Option<Missed>) {
        assert_eq!(self.run(), (vec![], why.map(Outcome::Missed)));
    }
}

#[test]
fn a_arb_fires_once_both_legs_at_once_at_the_prices_shown() {
    let mut play = Play::new("arbitrage", &exchanges(&FIRES), &[]);
    play.quote(ONE, ["49990.00", "50000.00"], ["1", "1"]);
    let wishes = play.quote(TWO, ["50100.00", "60000.00"], ["1", "1"]);
    let legs = vec![ioc(ONE, Side::Buy, COIN, 5_000_000), ioc(TWO, Side::Sell, COIN, 5_010_000)];
    assert_eq!(groups(&wishes), [legs]);
    let [detected] = seen(&wishes)[..] else { panic!("{wishes:?}") };
    assert_eq!((detected.buy, detected.sell, detected.outcome), (ONE, TWO, Outcome::Detected));
    assert_eq!((detected.gross, detected.net), (2_000_000, 2_000_000), "20 bps");
    FIRES.fires(COIN);
}

#[test]
fn ten_basis_points_exactly_are_not_more_than_ten() {
    Case { bid: "50050.00", ..FIRES }.passes(None);
    Case { bid: "50050.01", ..FIRES }.fires(COIN);
    Case { min_spread_bps: "20", ..FIRES }.passes(None);
    Case { min_spread_bps: "19.99999", ..FIRES }.fires(COIN);
}

#[test]
fn fees_of_six_basis_points_a_side_leave_too_little() {
    let dollars = "51000.00";
    Case { fee_bps: "6", dollars, ..FIRES }.passes(Some(Missed::Fees));
    // 100 - 50 × 2 × f - ... > 50 holds up to a little under five basis points a side.
    Case { fee_bps: "4.9", dollars, ..FIRES }.fires(COIN);
    Case { fee_bps: "5", dollars, ..FIRES }.passes(Some(Missed::Fees));
    // Five leave 9.99 exactly, which is not more than 9.99.
    let five = Case { fee_bps: "5", dollars, ..FIRES };
    Case { min_spread_bps: "9.99", ..five.clone() }.passes(Some(Missed::Fees));
    Case { min_spread_bps: "9.98999", ..five }.fires(COIN);
}

#[test]
fn a_market_that_is_closed_or_cannot_be_believed_is_no_market() {
    for at in 0..2 {
        let (mut open, mut valid) = ([true; 2], [true; 2]);
        (open[at], valid[at]) = (false, false);
        Case { open, ..FIRES }.passes(None);
        Case { valid, ..FIRES }.passes(None);
    }
}

#[test]
fn a_price_older_than_the_limit_is_no_price() {
    Case { older: seconds(5), ..FIRES }.fires(COIN);
    let older = Span::from_nanos(5_000_000_001);
    Case { older, ..FIRES }.passes(Some(Missed::Stale));
}

#[test]
fn balances_on_both_sides_bound_the_size() {
    Case { dollars: "49999.99", ..FIRES }.fires(COIN - 1);
    Case { dollars: "5000.00", ..FIRES }.fires(COIN / 10);
    Case { dollars: "4.99", ..FIRES }.passes(Some(Missed::Balance));
    Case { dollars: "0", ..FIRES }.passes(Some(Missed::Balance));
    Case { coins: "0.99999", ..FIRES }.fires(COIN - 1);
    Case { coins: "0.00009", ..FIRES }.passes(Some(Missed::Balance));
    // The fee has to be paid too.
    Case { fee_bps: "1", ..FIRES }.fires(99_990);
}

#[test]
fn sizes_on_offer_bound_the_size() {
    Case { asked: "0.3", ..FIRES }.fires(3 * COIN / 10);
    Case { bidden: "0.3", ..FIRES }.fires(3 * COIN / 10);
    Case { bidden: "0.0001", ..FIRES }.fires(10);
    Case { bidden: "0.00009", ..FIRES }.passes(Some(Missed::Size));
    Case { qty_min: "1", ..FIRES }.fires(COIN);
    Case { qty_min: "1.00001", ..FIRES }.passes(Some(Missed::Size));
}

#[test]
fn the_position_limit_bounds_the_size_on_both_sides() {
    Case { max_position: "0.4", ..FIRES }.fires(4 * COIN / 10);
    Case { held: ["0.7", "0"], ..FIRES }.fires(3 * COIN / 10);
    Case { held: ["0", "-0.7"], ..FIRES }.fires(3 * COIN / 10);
    Case { held: ["1", "0"], ..FIRES }.passes(Some(Missed::Position));
    Case { held: ["0", "-1"], ..FIRES }.passes(Some(Missed::Position));
    Case { held: ["0.99995", "0"], ..FIRES }.passes(Some(Missed::Position));
    // The other way round there is more room, and no trade is larger for it.
    Case { held: ["-1", "1"], asked: "9", bidden: "9", ..FIRES }.fires(COIN);
}

#[test]
fn what_is_worth_less_than_a_venue_takes_is_no_trade_but_may_be_unwound() {
    // One bitcoin at 50,000.00: the cheaper leg decides.
    Case { notional_min: "50000", ..FIRES }.fires(COIN);
    Case { notional_min: "50000.01", ..FIRES }.passes(Some(Missed::Size));
    // What was bought too much is sold again, though half of it is worth too little to be opened.
    let case = Case { notional_min: "50000", ..FIRES };
    let mut play = Play::new("arbitrage", &exchanges(&case), &[]);
    play.quote(ONE, ["49990.00", "50000.00"], ["1", "1"]);
    assert_eq!(groups(&play.quote(TWO, ["50100.00", "60000.00"], ["1", "1"])).len(), 1);
    play.open(TWO, 1);
    play.hold(ONE, "0.5");
    play.fill(ONE, Side::Buy, "0.5");
    play.open(TWO, 0);
    let back = OrderWish::market(ONE, Side::Sell, tse_model::Qty::new(COIN / 2));
    assert!(play.ends(TWO, Side::Sell).contains(&Wish::Order(back)));
}

#[test]
fn after_a_refusal_nothing_is_sent_until_the_delay_of_the_legs_is_over() {
    let mut play = Play::new("arbitrage", &exchanges(&FIRES), &[("max_leg_delay_ms", "500")]);
    play.quote(ONE, ["49990.00", "50000.00"], ["1", "1"]);
    assert_eq!(groups(&play.quote(TWO, ["50100.00", "60000.00"], ["1", "1"])).len(), 1);
    play.update(TWO, Side::Sell, UpdateKind::Denied);
    let again =
        |play: &mut Play| groups(&play.quote(TWO, ["50200.00", "60000.00"], ["1", "1"])).len();
    play.now = play.now + Span::from_millis(499);
    assert_eq!(again(&mut play), 0);
    play.now = play.now + Span::from_millis(1);
    assert_eq!(again(&mut play), 1);
}

#[test]
fn while_legs_are_out_nothing_more_is_sent() {
    let mut play = Play::new("arbitrage", &exchanges(&FIRES), &[]);
    play.quote(ONE, ["49990.00", "50000.00"], ["1", "1"]);
    assert_eq!(groups(&play.quote(TWO, ["50100.00", "60000.00"], ["1", "1"])).len(), 1);
    play.open(ONE, 1);
    play.open(TWO, 1);
    for _ in 0..3 {
        assert_eq!(play.quote(TWO, ["50200.00", "60000.00"], ["1", "1"]), []);
        assert_eq!(play.quote(ONE, ["49990.00", "49995.00"], ["1", "1"]), []);
    }
    // Both filled: the next one may be taken.
    play.open(ONE, 0);
    play.fill(ONE, Side::Buy, "1");
    play.open(TWO, 0);
    play.fill(TWO, Side::Sell, "1");
    play.hold(ONE, "0");
    play.hold(TWO, "0");
    assert_eq!(groups(&play.quote(TWO, ["50200.00", "60000.00"], ["1", "1"])).len(), 1);
}

#[test]
fn an_opportunity_is_taken_if_anything_traded_and_else_missed_for_its_last_reason() {
    let outcomes = |play: &mut Play| {
        let wishes = play.quote(TWO, ["50000.00", "60000.00"], ["1", "1"]);
        seen(&wishes).iter().map(|it| it.outcome).collect::<Vec<_>>()
    };
    let begin = || {
        let mut play = Play::new("arbitrage", &exchanges(&FIRES), &[]);
        play.quote(ONE, ["49990.00", "50000.00"], ["1", "1"]);
        play.quote(TWO, ["50100.00", "60000.00"], ["1", "1"]);
        play
    };
    let mut play = begin();
    play.open(TWO, 1);
    assert_eq!(play.fill(ONE, Side::Buy, "1"), []);
    play.open(TWO, 0);
    assert_eq!(play.fill(TWO, Side::Sell, "1"), []);
    assert_eq!(outcomes(&mut play), [Outcome::Taken]);
    let mut play = begin();
    play.ends(ONE, Side::Buy);
    play.ends(TWO, Side::Sell);
    assert_eq!(outcomes(&mut play), [Outcome::Missed(Missed::Unfilled)]);
    let mut play = begin();
    play.update(TWO, Side::Sell, UpdateKind::Denied);
    assert_eq!(outcomes(&mut play), [Outcome::Missed(Missed::Refused)]);
    // While legs are out it is not over, whatever the market does.
    let mut play = begin();
    play.open(ONE, 1);
    assert_eq!(outcomes(&mut play), []);
    play.open(ONE, 0);
    let wishes = play.ends(ONE, Side::Buy);
    assert_eq!(seen(&wishes)[0].outcome, Outcome::Missed(Missed::Unfilled));
    // A book that breaks ends it.
    let mut play = Play::new("arbitrage", &exchanges(&FIRES), &[("max_position_size", "0.00005")]);
    play.quote(ONE, ["49990.00", "50000.00"], ["1", "1"]);
    play.quote(TWO, ["50100.00", "60000.00"], ["1", "1"]);
    let wishes = play.invalid(ONE);
    assert_eq!(seen(&wishes)[0].outcome, Outcome::Missed(Missed::Position));
}

#[test]
fn of_three_venues_the_widest_pair_is_taken() {
    let markets = ["BTC-USD.EXCHANGE1", "BTC-USD.EXCHANGE2", "BTC-USD.EXCHANGE3"].map(terms);
    for (bids, best) in [(["50100.00", "50150.00"], THREE), (["50150.00", "50100.00"], TWO)] {
        let mut play = Play::new("arbitrage", &markets, &[]);
        play.quote(TWO, [bids[0], "60000.00"], ["1", "1"]);
        play.quote(THREE, [bids[1], "60000.00"], ["1", "1"]);
        let wishes = play.quote(ONE, ["49000.00", "50000.00"], ["1", "1"]);
        let sent = groups(&wishes);
        assert_eq!(sent.len(), 1, "legs of one pair, not of two");
        assert_eq!((sent[0][0].instrument, sent[0][1].instrument), (ONE, best));
        // The other one was seen too, and had to wait.
        assert_eq!(seen(&wishes).len(), 2);
        play.open(ONE, 1);
        play.show(TWO, ["49000.00", "60000.00"], ["1", "1"]);
        play.show(THREE, ["49000.00", "60000.00"], ["1", "1"]);
        let missed = seen(&play.tell(ONE));
        assert_eq!(missed.len(), 1);
        assert_eq!(missed[0].outcome, Outcome::Missed(Missed::InFlight));
    }
}

#[test]
fn other_quote_currencies_are_compared_at_stated_rates_only() {
    let markets = [terms("BTC-USD.EXCHANGE1"), terms("BTC-USDT.EXCHANGE2")];
    let names = catalog(&markets);
    let error = build("arbitrage", &names, &Rates::default(), &[]).err().expect("no rate");
    assert_eq!(error.name, "instruments");
    let currency = |code: &str| names.currency_id(code).expect(code);
    let (tether, dollar) = (currency("USDT"), currency("USD"));
    // At 0.999 the bid of 50,100 is worth 50,049.90: under ten basis points. Stated the other way
    // round it is the same rate.
    for (rate, from, to, fires) in [
        ("1", tether, dollar, true),
        ("0.9995", tether, dollar, true),
        ("0.999", tether, dollar, false),
        ("1", dollar, tether, true),
        ("1.25", dollar, tether, false),
    ] {
        let rates = Rates::new(vec![FixedRate { from, to, rate: dec(rate) }]);
        let mut play = Play::with_rates("arbitrage", names.clone(), &rates, &[]);
        play.quote(ONE, ["49990.00", "50000.00"], ["1", "1"]);
        let wishes = play.quote(TWO, ["50100.00", "90000.00"], ["1", "1"]);
        assert_eq!(groups(&wishes).len(), usize::from(fires), "{rate}");
        if let Some(legs) = groups(&wishes).first() {
            assert_eq!(legs[1], ioc(TWO, Side::Sell, COIN, 5_010_000), "in its own ticks");
        }
    }
}

/// Contracts of 100 dollars, paid in bitcoin, one lot each.
fn inverse(symbol: &'static str) -> Terms {
    Terms { lot: "1", multiplier: "100", tick: "0.5", qty_min: "1", ..terms(symbol) }
}

#[test]
fn linear_and_inverse_legs_are_sized_alike_in_the_asset() {
    let markets = [terms("BTC-USD.EXCHANGE1"), inverse("BTC-USD-PERP:BTC.EXCHANGE2")];
    let mut play = Play::new("arbitrage", &markets, &[]);
    play.quote(ONE, ["49990.00", "50000.00"], ["2", "2"]);
    // One bitcoin at 50,100 is 501 contracts, exactly.
    let wishes = play.quote(TWO, ["50100.0", "60000.0"], ["5000", "5000"]);
    let legs = vec![ioc(ONE, Side::Buy, COIN, 5_000_000), ioc(TWO, Side::Sell, 501, 100_200)];
    assert_eq!(groups(&wishes), [legs]);
    // Where it is not exact, the finer leg follows the coarser one, within a lot of its own.
    for (bid, contracts, lots) in [
        ("50149.5", 501, 99_901), // 501 × 100 / 50,149.50 = 0.999013
        ("50199.5", 501, 99_801), // 0.998018
        ("50200.0", 502, 100_000),
    ] {
        let mut play = Play::new("arbitrage", &markets, &[]);
        play.quote(ONE, ["49990.00", "50000.00"], ["2", "2"]);
        let wishes = play.quote(TWO, [bid, "60000.0"], ["5000", "5000"]);
        let legs = &groups(&wishes)[0];
        assert_eq!((legs[0].qty.get(), legs[1].qty.get()), (lots, contracts), "{bid}");
    }
    // The other way round: contracts bought, coins sold.
    let mut play = Play::new("arbitrage", &markets, &[]);
    play.quote(ONE, ["50150.00", "60000.00"], ["2", "2"]);
    let wishes = play.quote(TWO, ["49000.0", "50001.0"], ["5000", "5000"]);
    let legs = &groups(&wishes)[0];
    // 500 contracts at 50,001 are 0.99998 bitcoin and a little.
    assert_eq!((legs[0].instrument, legs[0].qty.get()), (TWO, 500));
    assert_eq!((legs[1].instrument, legs[1].qty.get()), (ONE, 99_998));
}

#[test]
fn two_inverse_contracts_of_different_size_match_in_the_asset() {
    let coarse = Terms { multiplier: "1000", ..inverse("BTC-USD-PERP:BTC.EXCHANGE2") };
    let markets = [inverse("BTC-USD-PERP:BTC.EXCHANGE1"), coarse];
    let mut play = Play::new("arbitrage", &markets, &[]);
    play.quote(ONE, ["49990.0", "50000.0"], ["5000", "5000"]);
    let wishes = play.quote(TWO, ["50100.0", "60000.0"], ["500", "500"]);
    let legs = &groups(&wishes)[0];
    // 50 contracts of 1,000 at 50,100 are 0.998 bitcoin: 499 of 100 at 50,000.
    assert_eq!((legs[0].qty.get(), legs[1].qty.get()), (499, 50));
}

#[test]
fn contracts_that_charge_by_the_piece_in_their_base_are_refused_with_a_fix() {
    use tse_model::{FeeBasis, FeeSchedule, Money, Rounding};
    let piece = FeeBasis::PerContract { maker: Money::ZERO, taker: Money::from_units(5) };
    let mut names = catalog(&[terms("BTC-USD.EXCHANGE1")]);
    let first = catalog(&[inverse("BTC-USD-PERP:BTC.EXCHANGE2")]);
    let it = first.instruments()[0].clone();
    names
        .define_instrument(tse_model::InstrumentSpec {
            symbol: it.symbol,
            kind: it.kind,
            settlement: it.settlement,
            tick: it.tick,
            lot: it.lot,
            multiplier: it.multiplier,
            qty_min: dec("1"),
            qty_max: None,
            notional_min: dec("0"),
            price_max: None,
            margin_initial: dec("1"),
            margin_maintenance: dec("1"),
            fees: FeeSchedule::flat(piece, Rounding::HalfEven),
        })
        .expect("a contract");
    let error = build("arbitrage", &names, &Rates::default(), &[]).err().expect("a refusal");
    assert_eq!(error.fix, "state its fees as a share of value");
}

#[test]
fn nothing_overflows_at_the_ends_of_its_parameters() {
    let markets = [inverse("BTC-USD-PERP:BTC.EXCHANGE1"), inverse("BTC-USD-PERP:BTC.EXCHANGE2")];
    let mut play = Play::new("arbitrage", &markets, &[("max_position_size", "1000000000")]);
    play.quote(ONE, ["99999999.0", "100000000.0"], ["1000000000000", "1000000000000"]);
    let wishes =
        play.quote(TWO, ["200000000.0", "300000000.0"], ["1000000000000", "1000000000000"]);
    assert!(groups(&wishes).len() <= 1);
}
