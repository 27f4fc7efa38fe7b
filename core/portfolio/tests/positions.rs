//! Positions and bookings, as scenarios.

#[path = "../src/testing.rs"]
mod testing;

use testing::{
    ALICE, BOB, CAROL, at, catalog, currency, dec, define, fill, money, one, side, venue,
};
use tse_model::{
    Catalog, CurrencyId, Decimal, Instrument, InstrumentId, Money, Price, Qty, Side, StateHash,
    StrategyId,
};
use tse_portfolio::{AccountKind, Cause, Latched, Mark, Portfolio};

/// Plays fills for one strategy and compares what each line says it leads to: words come in pairs
/// of a name and an exact amount (`cost`, `realized`, `fees`, `volume`, `qty`, `average`, `cash`),
/// and `@ price` is followed by an optional `fee amount`. Checks all laws after every line.
fn scenario(catalog: &Catalog, id: InstrumentId, text: &str) -> Portfolio {
    let instrument = catalog.instrument(id);
    let mut portfolio = Portfolio::for_catalog(catalog);
    portfolio.start_audit();
    for (second, line) in text.lines().map(str::trim).filter(|line| !line.is_empty()).enumerate() {
        let mut words = line.split_whitespace();
        let mut word = || words.next();
        let side = side(word().expect("a side"));
        let qty = instrument.qty(dec(word().expect("a quantity"))).expect("on the grid");
        assert_eq!(word(), Some("@"));
        let price = instrument.price(dec(word().expect("a price"))).expect("on the grid");
        let pairs: Vec<_> = words.collect();
        let mut pairs: Vec<_> = pairs.chunks(2).map(|pair| (pair[0], pair[1])).collect();
        let fee = match pairs.first() {
            Some(("fee", fee)) => Money::exact(dec(fee), instrument.settle_scale).expect(fee),
            _ => Money::ZERO,
        };
        pairs.retain(|(name, _)| *name != "fee");
        let trade = fill(price.get(), qty.get(), fee.units(), instrument.settle);
        let moment = at(second as i64);
        let booked = portfolio.apply_fill(ALICE, instrument, side, &trade, moment).expect(line);
        portfolio.check().unwrap_or_else(|broken| panic!("{line}: {broken:?}"));
        let position = *portfolio.position(ALICE, id).expect("just booked");
        assert_eq!(booked.after, position.qty());
        let show = |money: Money| money.display(instrument.settle_scale).to_string();
        for (name, expected) in pairs {
            let is = match name {
                "qty" => instrument.qty_decimal(position.qty()).to_string(),
                "cost" => show(position.cost()),
                "realized" => show(position.realized()),
                "gains" => show(booked.realized),
                "fees" => show(position.fees()),
                "volume" => show(position.volume()),
                "cash" => show(portfolio.balance(instrument.venue, instrument.settle)),
                "average" => match position.average_price(instrument) {
                    Some(average) => average.to_string(),
                    None => "none".to_owned(),
                },
                other => panic!("`{other}` is nothing a position has"),
            };
            let same = is == expected
                || is.parse().ok() == Some(expected.parse::<Decimal>().unwrap_or_default());
            assert!(same, "{line}: {name} is {is}");
        }
    }
    portfolio
}

const STOCK: [&str; 3] = ["0.01", "1", "1"];

#[test]
fn adding_averages_and_reducing_realises_at_average_cost() {
    let (catalog, id) = one("IBM-USD.NYSE", STOCK);
    scenario(
        &catalog,
        id,
        "
        buy  10 @ 100   qty 10   cost 1000   realized 0     average 100   cash -1000
        buy  10 @ 110   qty 20   cost 2100   realized 0     average 105   cash -2100
        sell  5 @ 125   qty 15   cost 1575   realized 100   average 105   cash -1475
        sell 15 @ 100   qty  0   cost 0      realized 25    average none  cash 25
        ",
    );
}

#[test]
fn a_short_position_mirrors_a_long_one() {
    let (catalog, id) = one("IBM-USD.NYSE", STOCK);
    scenario(
        &catalog,
        id,
        "
        sell 10 @ 100   qty -10   cost -1000   realized 0      average 100   cash 1000
        sell 10 @ 110   qty -20   cost -2100   realized 0      average 105   cash 2100
        buy   5 @ 125   qty -15   cost -1575   realized -100   average 105   cash 1475
        buy  15 @ 100   qty   0   cost 0       realized -25    average none  cash -25
        ",
    );
}

#[test]
fn crossing_zero_realises_the_whole_old_side_and_opens_the_rest_at_the_fill_price() {
    let (catalog, id) = one("IBM-USD.NYSE", STOCK);
    let portfolio = scenario(
        &catalog,
        id,
        "
        buy   2 @ 100   qty  2   cost  200
        buy   1 @ 130   qty  3   cost  330   realized   0   average 110
        sell  1 @ 120   qty  2   cost  220   realized  10   gains 10
        sell  5 @ 90    qty -3   cost -270   realized -30   gains -40   average 90
        buy   4 @ 80    qty  1   cost   80   realized   0   gains 30    average 80
        ",
    );
    let position = portfolio.position(ALICE, id).unwrap();
    assert_eq!(position.opened_at(), Some(at(4)), "a fill through zero begins a new holding");
    assert_eq!(position.closed_at(), None, "something is held");
    assert_eq!(position.fills(), 5);
}

#[test]
fn a_position_remembers_when_it_was_opened_and_closed() {
    let (catalog, id) = one("IBM-USD.NYSE", STOCK);
    let portfolio = scenario(
        &catalog,
        id,
        "
        buy  1 @ 10
        buy  1 @ 11
        sell 2 @ 12
        ",
    );
    let position = portfolio.position(ALICE, id).unwrap();
    assert_eq!(position.opened_at(), Some(at(0)));
    assert_eq!(position.closed_at(), Some(at(2)));
    assert_eq!(position.updated_at(), Some(at(2)));
    assert_eq!(position.side(), None);
    assert!(portfolio.position(BOB, id).is_none());
}

#[test]
fn what_a_release_rounds_off_stays_in_the_basis_and_comes_out_at_the_end() {
    let (catalog, id) = one("IBM-USD.NYSE", ["0.01", "1", "1"]);
    // A cost of 10.00 in three: 3.33, then half of 6.67 to even, then the rest.
    scenario(
        &catalog,
        id,
        "
        buy  1 @ 3.34
        buy  2 @ 3.33    cost 10.00
        sell 1 @ 5.00    cost 6.67    gains 1.67
        sell 1 @ 5.00    cost 3.33    gains 1.66
        sell 1 @ 5.00    cost 0       gains 1.67   realized 5.00
        ",
    );
}

#[test]
fn fees_and_rebates_are_kept_beside_profit_and_move_cash() {
    let (catalog, id) = one("BTC-USDT-PERP.X", ["0.1", "0.001", "1"]);
    let portfolio = scenario(
        &catalog,
        id,
        "
        buy  0.5 @ 60000 fee 12      fees 12      realized 0     cash -12       volume 30000
        sell 0.2 @ 61000 fee -1.22   fees 10.78   realized 200   cash 189.22    volume 42200
        sell 0.3 @ 59000 fee 7.08    fees 17.86   realized -100  cash -117.86   volume 59900
        ",
    );
    let (x, tether) = (venue(&catalog, "X"), currency(&catalog, "USDT"));
    let on = |account| catalog.show(portfolio.ledger().balance(x, tether, account), tether);
    assert_eq!(on(AccountKind::Fees), "17.86000000");
    assert_eq!(on(AccountKind::RealizedProfit), "100.00000000");
    assert_eq!(on(AccountKind::Trading), "0.00000000", "a contract delivers nothing");
}

#[test]
fn delivery_moves_the_asset_and_its_price() {
    let (catalog, id) = one("BTC-USDT.X", ["0.01", "0.001", "1"]);
    let portfolio = scenario(
        &catalog,
        id,
        "
        buy  0.010 @ 60000.00   cost 600   cash -600
        sell 0.004 @ 61000.00   cost 360   realized 4   cash -356
        ",
    );
    let x = venue(&catalog, "X");
    let (bitcoin, tether) = (currency(&catalog, "BTC"), currency(&catalog, "USDT"));
    let ledger = portfolio.ledger();
    let on = |code, account| catalog.show(ledger.balance(x, code, account), code);
    assert_eq!(on(bitcoin, AccountKind::Cash), "0.00600000");
    assert_eq!(on(bitcoin, AccountKind::Trading), "-0.00600000");
    assert_eq!(on(tether, AccountKind::Trading), "360.00000000", "the cost of what is held");
    assert_eq!(on(tether, AccountKind::RealizedProfit), "-4.00000000");
}

#[test]
fn a_fee_in_another_currency_is_kept_by_currency() {
    let mut catalog = catalog();
    let id = define(&mut catalog, "BTC-USDT.X", ["0.01", "0.001", "1"]);
    let coin = catalog.define_currency("BNB", 8).unwrap();
    let (bitcoin, x) = (currency(&catalog, "BTC"), venue(&catalog, "X"));
    let mut portfolio = Portfolio::new();
    portfolio.start_audit();
    let spot = catalog.instrument(id);
    for (fee, paid_in) in [(7, coin), (9, bitcoin), (-2, coin)] {
        let trade = fill(6_000_000, 10, fee, paid_in);
        portfolio.apply_fill(ALICE, spot, Side::Buy, &trade, at(0)).unwrap();
        portfolio.check().unwrap();
    }
    let position = portfolio.position(ALICE, id).unwrap();
    assert_eq!(position.fees(), Money::ZERO);
    let other: Vec<_> = portfolio.positions().other_fees(ALICE, id).collect();
    assert_eq!(other, [(bitcoin, Money::from_units(9)), (coin, Money::from_units(5))]);
    assert_eq!(portfolio.balance(x, coin), Money::from_units(-5));
    // A fee in the asset comes out of what was delivered; the position counts fills, not coins.
    assert_eq!(portfolio.balance(x, bitcoin), Money::from_units(3_000_000 - 9));
    assert_eq!(position.qty(), Qty::new(30));
}

#[test]
fn an_inverse_contract_earns_coins_when_the_price_rises() {
    let (catalog, id) = one("BTC-USD-PERP:BTC.X", ["0.1", "1", "100"]);
    scenario(
        &catalog,
        id,
        "
        buy  300 @ 60000   cost  0.5   realized 0     average 60000   cash 0
        sell 150 @ 75000   cost  0.25  realized 0.05  average 60000   cash 0.05
        sell 300 @ 50000   cost -0.3   realized 0     average 50000   cash 0
        buy  150 @ 40000   cost  0     realized 0.075                 cash 0.075
        ",
    );
}

#[test]
fn the_spec_figures_follow_from_quantity_cost_and_a_price() {
    let (catalog, id) = one("IBM-USD.NYSE", STOCK);
    let instrument = catalog.instrument(id);
    let portfolio = scenario(
        &catalog,
        id,
        "
        buy  10 @ 100
        sell 15 @ 120   qty -5   cost -600   realized 200
        ",
    );
    let position = portfolio.position(ALICE, id).unwrap();
    let at_110 = Mark::at(instrument.price(dec("110")).unwrap());
    let show = |money: Option<Money>| money.unwrap().display(2).to_string();
    assert_eq!(show(position.market_value(instrument, at_110)), "-550.00");
    assert_eq!(show(position.exposure(instrument, at_110)), "550.00");
    assert_eq!(show(position.unrealized(instrument, at_110)), "50.00");
    assert_eq!(show(position.total(instrument, at_110)), "250.00");
    // Half a cent above: five shares are worth 550.025, to even.
    let mid = Mark::mid(2 * 11_000 + 1);
    assert_eq!(show(position.market_value(instrument, mid)), "-550.02");
    assert_eq!(mid.decimal(instrument), Some(dec("110.005")));
    assert_eq!(Mark::mid(-2_201).decimal(instrument), Some(dec("-11.005")));
    assert_eq!(at_110.decimal(instrument).map(Decimal::normalized), Some(dec("110")));
}

#[test]
fn an_average_price_that_does_not_end_is_shown_with_eight_places_more_than_the_tick() {
    let (catalog, id) = one("IBM-USD.NYSE", STOCK);
    scenario(
        &catalog,
        id,
        "
        buy 1 @ 10.00
        buy 2 @ 10.01   average 10.0066666667
        ",
    );
}

fn units_of(portfolio: &Portfolio, id: InstrumentId) -> Vec<i128> {
    portfolio.positions().in_instrument(id).map(|position| position.funding().units()).collect()
}

/// Positions of the three in a contract, in lots.
fn held(catalog: &Catalog, id: InstrumentId, lots: [i64; 3]) -> Portfolio {
    let mut portfolio = Portfolio::for_catalog(catalog);
    portfolio.start_audit();
    for (who, qty) in [ALICE, BOB, CAROL].into_iter().zip(lots) {
        if let Some(side) = Side::of(Qty::new(qty)) {
            let trade = fill(100, qty.abs(), 0, catalog.instrument(id).settle);
            portfolio.apply_fill(who, catalog.instrument(id), side, &trade, at(0)).unwrap();
        }
    }
    portfolio
}

fn funded(lots: [i64; 3], amount: i128) -> Vec<i128> {
    let (catalog, id) = one("BTC-USDT-PERP.X", ["0.1", "0.001", "1"]);
    let mut portfolio = held(&catalog, id, lots);
    let contract = catalog.instrument(id);
    portfolio.apply_funding(contract, Money::from_units(amount), at(1)).unwrap();
    portfolio.check().unwrap();
    let shares = units_of(&portfolio, id);
    let unassigned = portfolio.unassigned_funding(id).units();
    assert_eq!(shares.iter().sum::<i128>() + unassigned, amount);
    assert_eq!(portfolio.balance(contract.venue, contract.settle).units(), amount);
    shares
}

#[test]
fn funding_is_shared_by_position_with_largest_remainders() {
    assert_eq!(funded([1, 1, 1], 100), [34, 33, 33]);
    assert_eq!(funded([1, 1, 1], -100), [-33, -33, -34]);
    assert_eq!(funded([1, 2, 4], 10), [1, 3, 6]);
    assert_eq!(funded([5, 0, 0], 7), [7]);
}

#[test]
fn of_a_long_and_a_short_one_pays_what_the_other_receives() {
    assert_eq!(funded([3, -1, 0], -10), [-15, 5]);
    assert_eq!(funded([-3, 1, 0], 10), [15, -5]);
    assert_eq!(funded([4, -1, -1], 9), [18, -4, -5], "4.5 each, and the odd unit to the first");
}

#[test]
fn funding_that_nobody_holds_a_position_for_is_booked_and_not_assigned() {
    assert_eq!(funded([2, -2, 0], 9), [0, 0]);
    assert_eq!(funded([0, 0, 0], -4), [0i128; 0]);
}

#[test]
fn funding_never_loses_a_unit() {
    let mut chance = tse_model::Chance::stream(3, "funding");
    for _ in 0..2_000 {
        let lots = [(); 3].map(|()| chance.between(-50, 50));
        funded(lots, i128::from(chance.between(-1_000, 1_000)));
    }
}

#[test]
fn transfers_and_adjustments_move_cash_and_are_no_profit() {
    let (catalog, id) = one("BTC-USDT.X", ["0.01", "0.001", "1"]);
    let (x, tether) = (venue(&catalog, "X"), currency(&catalog, "USDT"));
    let mut portfolio = Portfolio::for_catalog(&catalog);
    portfolio.start_audit();
    portfolio.deposit(x, tether, money(&catalog, "1000", "USDT")).unwrap();
    portfolio.withdraw(x, tether, money(&catalog, "300", "USDT")).unwrap();
    portfolio.adjust_cash(x, tether, money(&catalog, "-0.5", "USDT")).unwrap();
    portfolio.check().unwrap();
    assert_eq!(catalog.show(portfolio.balance(x, tether), tether), "699.50000000");
    let on = |account| portfolio.ledger().balance(x, tether, account).display(8).to_string();
    assert_eq!(on(AccountKind::Transfers), "-700.00000000");
    assert_eq!(on(AccountKind::Adjustments), "0.50000000");
    assert!(portfolio.position(ALICE, id).is_none());
}

#[test]
fn an_adjusted_position_realises_nothing_and_moves_no_cash() {
    let (catalog, id) = one("BTC-USDT.X", ["0.01", "0.001", "1"]);
    let spot = catalog.instrument(id);
    let mut portfolio = scenario(&catalog, id, "buy 0.010 @ 60000.00");
    let cash = portfolio.balance(spot.venue, spot.settle);
    for (lots, qty, cost) in [(-4, 6, "360"), (2, 8, "480"), (-10, -2, "-120"), (2, 0, "0")] {
        let price = spot.price(dec("60000.00")).unwrap();
        portfolio.adjust_position(ALICE, spot, Qty::new(lots), price, at(5)).unwrap();
        portfolio.check().unwrap();
        let position = portfolio.position(ALICE, id).unwrap();
        assert_eq!(position.qty(), Qty::new(qty));
        assert_eq!(position.cost(), money(&catalog, cost, "USDT"));
        assert_eq!(position.realized(), Money::ZERO);
        assert_eq!(portfolio.balance(spot.venue, spot.settle), cash);
        assert_eq!(portfolio.net(id), Qty::new(qty));
    }
}

fn large(qty: i64, price: i64, fee: i128) -> (Portfolio, Latched) {
    let (catalog, id) = one("BTC-USDT-PERP.X", ["0.1", "0.001", "1"]);
    let contract = catalog.instrument(id);
    let mut portfolio = held(&catalog, id, [1, 0, 0]);
    portfolio.deposit(contract.venue, contract.settle, Money::from_units(i128::MIN / 2)).unwrap();
    let before = digest(&portfolio);
    let trade = fill(price, qty, fee, contract.settle);
    let latched = portfolio.apply_fill(ALICE, contract, Side::Buy, &trade, at(1)).unwrap_err();
    assert_eq!(portfolio.latched(), Some(latched));
    assert_ne!(digest(&portfolio), before, "being latched is a fact");
    portfolio.check().unwrap();
    assert_eq!(portfolio.qty(ALICE, id), Qty::new(1), "nothing was booked");
    assert_eq!(portfolio.position(ALICE, id).unwrap().fees(), Money::ZERO);
    // Everything is refused from now on, with the first cause.
    let small = fill(1, 1, 0, contract.settle);
    let again = [
        portfolio.apply_fill(BOB, contract, Side::Sell, &small, at(2)).map(|_| ()),
        portfolio.apply_funding(contract, Money::from_units(1), at(2)),
        portfolio.deposit(contract.venue, contract.settle, Money::from_units(1)),
        portfolio.withdraw(contract.venue, contract.settle, Money::from_units(1)),
        portfolio.adjust_cash(contract.venue, contract.settle, Money::from_units(1)),
        portfolio.adjust_position(BOB, contract, Qty::new(1), Price::new(1), at(2)).map(|_| ()),
    ];
    assert_eq!(again, [Err(latched); 6]);
    portfolio.check().unwrap();
    (portfolio, latched)
}

#[test]
fn an_overflow_latches_and_books_nothing() {
    let id = InstrumentId(0);
    let position = Cause::Position { strategy: ALICE, instrument: id };
    assert_eq!(large(i64::MAX, 1, 0).1.why, position, "lots");
    assert_eq!(large(1, 1, i128::MAX / 2 + 100).1.why.clone(), {
        let (catalog, _) = one("BTC-USDT-PERP.X", ["0.1", "0.001", "1"]);
        Cause::Balance {
            venue: venue(&catalog, "X"),
            currency: currency(&catalog, "USDT"),
            account: Some(AccountKind::Cash),
        }
    });
    assert_eq!(large(0, 1, 0).1.why, Cause::Value { instrument: id }, "no lots");
    assert_eq!(large(-1, 1, 0).1.why, Cause::Value { instrument: id }, "lots below zero");
    let text = large(i64::MAX, 1, 0).1.to_string();
    assert_eq!(text, "the position of strategy 0 in instrument 0 overflowed");
}

#[test]
fn an_inverse_contract_at_no_price_latches() {
    let (catalog, id) = one("BTC-USD-PERP:BTC.X", ["0.1", "1", "100"]);
    let contract = catalog.instrument(id);
    let mut portfolio = Portfolio::new();
    let trade = fill(0, 1, 0, contract.settle);
    let latched = portfolio.apply_fill(ALICE, contract, Side::Buy, &trade, at(1)).unwrap_err();
    assert_eq!(latched.why, Cause::Value { instrument: id });
}

fn digest(portfolio: &Portfolio) -> StateHash {
    let mut hash = StateHash::new();
    portfolio.digest(&mut hash);
    hash
}

fn trade(
    portfolio: &mut Portfolio,
    who: StrategyId,
    instrument: &Instrument,
    side: Side,
    qty: i64,
) {
    let trade = fill(600_000, qty, 5, instrument.settle);
    portfolio.apply_fill(who, instrument, side, &trade, at(7)).unwrap();
}

#[test]
fn the_hash_is_of_what_is_held_and_not_of_the_order_in_which_it_was_met() {
    let mut catalog = catalog();
    let spot = define(&mut catalog, "BTC-USDT.X", ["0.01", "0.001", "1"]);
    let other = define(&mut catalog, "ETH-USDT-PERP.X", ["0.1", "0.001", "1"]);
    let (spot, other) = (catalog.instrument(spot), catalog.instrument(other));
    let mut one = Portfolio::new();
    trade(&mut one, BOB, other, Side::Buy, 3);
    trade(&mut one, ALICE, spot, Side::Sell, 2);
    let mut two = Portfolio::for_catalog(&catalog);
    trade(&mut two, ALICE, spot, Side::Sell, 2);
    trade(&mut two, BOB, other, Side::Buy, 3);
    assert_eq!(digest(&one), digest(&two));
    let listed: Vec<_> =
        one.positions().iter().map(|it| (it.strategy(), it.instrument())).collect();
    assert_eq!(listed, [(ALICE, spot.id), (BOB, other.id)]);
    trade(&mut two, ALICE, spot, Side::Buy, 1);
    assert_ne!(digest(&one), digest(&two));
}

#[test]
fn the_account_holds_the_sum_of_its_strategies() {
    let (catalog, id) = one("BTC-USDT-PERP.X", ["0.1", "0.001", "1"]);
    let portfolio = held(&catalog, id, [5, -3, 1]);
    assert_eq!(portfolio.net(id), Qty::new(3));
    assert_eq!(portfolio.net(InstrumentId(99)), Qty::ZERO);
    assert_eq!(portfolio.qty(BOB, id), Qty::new(-3));
    let of_bob: Vec<_> = portfolio.positions().of_strategy(BOB).map(|it| it.qty().get()).collect();
    assert_eq!(of_bob, [-3]);
    assert_eq!(portfolio.balance(catalog.instrument(id).venue, CurrencyId(999)), Money::ZERO);
}
