//! Prices, conversions, equity and exposure, as scenarios.

#[path = "../src/testing.rs"]
mod testing;

use testing::{ALICE, BOB, at, catalog, currency, dec, define, fill, money, one, venue};
use tse_model::{Catalog, InstrumentId, Money, Price, Qty, Side, Span};
use tse_portfolio::{Exposure, ExposureError, Mark, Portfolio, Prices, PricesError, Unvalued};

const MINUTE: Span = Span::from_secs(60);

/// Two pairs, a contract and nothing that says what USDT is in dollars.
fn market() -> (Catalog, Prices, [InstrumentId; 3]) {
    let mut catalog = catalog();
    let ids = [
        define(&mut catalog, "BTC-USDT.X", ["0.01", "0.001", "1"]),
        define(&mut catalog, "ETH-BTC.X", ["0.000001", "0.01", "1"]),
        define(&mut catalog, "BTC-USDT-PERP.X", ["0.1", "0.001", "1"]),
    ];
    let mut prices = Prices::new(MINUTE);
    prices.source(&catalog, ids[0]).unwrap();
    prices.source(&catalog, ids[1]).unwrap();
    (catalog, prices, ids)
}

fn tick(catalog: &Catalog, prices: &mut Prices, id: InstrumentId, price: &str, seconds: i64) {
    let mark = Mark::at(catalog.instrument(id).price(dec(price)).expect(price));
    prices.set(id, mark, at(seconds));
}

/// `amount` of one currency in another at second 100, as text, with its age in seconds.
fn converted(
    catalog: &Catalog,
    prices: &Prices,
    amount: &str,
    from: &str,
    to: &str,
) -> (String, i64) {
    let (from_id, to_id) = (currency(catalog, from), currency(catalog, to));
    let got = prices.convert(money(catalog, amount, from), from_id, to_id, at(100)).unwrap();
    (catalog.show(got.money, to_id), got.age.nanos() / 1_000_000_000)
}

#[test]
fn a_currency_is_converted_directly_backwards_and_through_one_other() {
    let (catalog, mut prices, [btc, eth, _]) = market();
    tick(&catalog, &mut prices, btc, "60000.00", 90);
    tick(&catalog, &mut prices, eth, "0.050000", 70);
    let convert = |amount, from, to| converted(&catalog, &prices, amount, from, to);
    assert_eq!(convert("1.5", "BTC", "USDT"), ("90000.00000000".into(), 10));
    assert_eq!(convert("-30000", "USDT", "BTC"), ("-0.50000000".into(), 10));
    assert_eq!(convert("2", "ETH", "USDT"), ("6000.00000000".into(), 30), "the older price counts");
    assert_eq!(convert("6000", "USDT", "ETH"), ("2.00000000".into(), 30));
    assert_eq!(convert("7", "USD", "USD"), ("7.00".into(), 0), "needs no price");
}

#[test]
fn a_chain_rounds_once() {
    let (catalog, mut prices, [btc, eth, _]) = market();
    tick(&catalog, &mut prices, btc, "60000.01", 100);
    tick(&catalog, &mut prices, eth, "0.033333", 100);
    // One unit of ether is 3.3e-10 bitcoin, which is no unit of bitcoin at all; it is 20 of tether.
    assert_eq!(converted(&catalog, &prices, "0.00000001", "ETH", "USDT").0, "0.00002000");
    assert_eq!(converted(&catalog, &prices, "0.00000001", "ETH", "BTC").0, "0.00000000");
}

#[test]
fn a_mid_between_two_ticks_is_exact() {
    let (catalog, mut prices, [btc, _, perpetual]) = market();
    prices.set(btc, Mark::mid(6_000_000 + 6_000_001), at(100));
    assert_eq!(converted(&catalog, &prices, "1", "BTC", "USDT").0, "60000.00500000");
    let instrument = catalog.instrument(perpetual);
    let mid = Mark::mid(600_000 + 600_001);
    let worth = mid.value(instrument, Qty::new(1)).unwrap();
    assert_eq!(catalog.show(worth, instrument.settle), "60.00005000");
    assert_eq!(Mark::mid(-3).twice(), -3);
    assert_eq!(Mark::mid(-4), Mark::at(Price::new(-2)));
}

#[test]
fn a_mid_of_an_inverse_contract_is_exact_too() {
    let (catalog, id) = one("BTC-USD-PERP:BTC.X", ["1", "1", "100"]);
    let contract = catalog.instrument(id);
    let mid = Mark::mid(3);
    // 3 contracts of 100 at 1.5.
    assert_eq!(
        catalog.show(mid.value(contract, Qty::new(3)).unwrap(), contract.settle),
        "200.00000000"
    );
    assert_eq!(Mark::mid(0).value(contract, Qty::new(3)), None);
    assert_eq!(Mark::mid(-1).value(contract, Qty::new(3)), None);
}

#[test]
fn values_at_mids_round_like_exact_fractions() {
    // A tick of 0.00001 on cents: half a tick is the 2,000th part of a unit.
    let (catalog, id) = one("EUR-USD.FX", ["0.00001", "1", "1"]);
    let pair = catalog.instrument(id);
    let mut chance = tse_model::Chance::stream(2, "mids");
    for _ in 0..20_000 {
        let (twice, qty) = (chance.between(-300_000, 300_000), chance.between(-2_000, 2_000));
        let value = Mark::mid(twice).value(pair, Qty::new(qty)).unwrap().units();
        let exact = i128::from(twice) * i128::from(qty);
        let expected = tse_model::divide(exact, 2_000, tse_model::Rounding::HalfEven).unwrap();
        assert_eq!(value, expected, "{qty} at {twice}/2");
    }
}

#[test]
fn a_missing_price_is_refused_by_name() {
    let (catalog, mut prices, [btc, eth, _]) = market();
    let (bitcoin, ether, tether) =
        (currency(&catalog, "BTC"), currency(&catalog, "ETH"), currency(&catalog, "USDT"));
    let one = Money::from_units(1);
    let refused = |prices: &Prices, from, to| prices.convert(one, from, to, at(0)).unwrap_err();
    assert_eq!(refused(&prices, bitcoin, tether), Unvalued::NoPrice { currency: bitcoin });
    tick(&catalog, &mut prices, btc, "60000.00", 0);
    assert_eq!(refused(&prices, ether, tether), Unvalued::NoPrice { currency: ether });
    tick(&catalog, &mut prices, eth, "0.05", 0);
    assert!(prices.convert(one, ether, tether, at(0)).is_ok());
    prices.unset(btc);
    assert_eq!(refused(&prices, ether, tether), Unvalued::NoPrice { currency: ether });
    // A pair at nothing or less prices nothing.
    prices.set(btc, Mark::at(Price::new(-5)), at(0));
    assert_eq!(refused(&prices, bitcoin, tether), Unvalued::NoPrice { currency: bitcoin });
    // Nothing of something needs no price.
    assert!(prices.convert(Money::ZERO, ether, tether, at(0)).is_ok());
}

#[test]
fn tether_is_a_dollar_only_where_someone_says_so() {
    let (catalog, mut prices, [btc, ..]) = market();
    let (bitcoin, tether, dollar) =
        (currency(&catalog, "BTC"), currency(&catalog, "USDT"), currency(&catalog, "USD"));
    tick(&catalog, &mut prices, btc, "60000.00", 100);
    let one = money(&catalog, "1", "USDT");
    assert_eq!(
        prices.convert(one, tether, dollar, at(100)),
        Err(Unvalued::NoPrice { currency: tether })
    );
    prices.fix(&catalog, tether, dollar, dec("0.9995")).unwrap();
    assert_eq!(converted(&catalog, &prices, "1000", "USDT", "USD"), ("999.50".into(), 0));
    assert_eq!(converted(&catalog, &prices, "1", "BTC", "USD"), ("59970.00".into(), 0));
    let back = prices.convert(money(&catalog, "59970", "USD"), dollar, bitcoin, at(100)).unwrap();
    assert_eq!(catalog.show(back.money, bitcoin), "1.00000000");
}

#[test]
fn an_old_price_is_refused_with_its_age() {
    let (catalog, mut prices, [btc, eth, perpetual]) = market();
    let (ether, tether) = (currency(&catalog, "ETH"), currency(&catalog, "USDT"));
    tick(&catalog, &mut prices, btc, "60000.00", 100);
    tick(&catalog, &mut prices, eth, "0.05", 40);
    tick(&catalog, &mut prices, perpetual, "60000.0", 39);
    let one = Money::from_units(1_000_000);
    assert_eq!(
        prices.convert(one, ether, tether, at(100)).unwrap().age,
        MINUTE,
        "just not too old"
    );
    assert_eq!(
        prices.convert(one, ether, tether, at(101)),
        Err(Unvalued::Stale { currency: ether, age: Span::from_secs(61), age_max: MINUTE })
    );
    let refused = prices.mark(perpetual, at(100)).unwrap_err();
    assert_eq!(refused.to_string(), "the price of instrument 2 is 61s old, more than 60s");
    // A price from a clock ahead of ours is new, not younger than new.
    assert_eq!(prices.convert(one, ether, tether, at(30)).unwrap().age, Span::ZERO);
}

#[test]
fn the_way_depends_on_what_was_defined_and_not_on_what_has_ticked() {
    let mut catalog = catalog();
    let direct = define(&mut catalog, "ETH-USDT.X", ["0.01", "0.01", "1"]);
    let btc = define(&mut catalog, "BTC-USDT.X", ["0.01", "0.001", "1"]);
    let eth = define(&mut catalog, "ETH-BTC.X", ["0.000001", "0.01", "1"]);
    let mut prices = Prices::new(MINUTE);
    for id in [eth, btc, direct] {
        prices.source(&catalog, id).unwrap();
    }
    tick(&catalog, &mut prices, btc, "60000.00", 100);
    tick(&catalog, &mut prices, eth, "0.05", 100);
    let (ether, tether) = (currency(&catalog, "ETH"), currency(&catalog, "USDT"));
    let one = money(&catalog, "1", "ETH");
    assert_eq!(
        prices.convert(one, ether, tether, at(100)),
        Err(Unvalued::NoPrice { currency: ether }),
        "the direct source is silent, and no other speaks for it"
    );
    tick(&catalog, &mut prices, direct, "3001.00", 100);
    assert_eq!(converted(&catalog, &prices, "1", "ETH", "USDT").0, "3001.00000000");
}

#[test]
fn a_pair_has_one_source() {
    let (catalog, mut prices, [btc, _, perpetual]) = market();
    let (bitcoin, tether) = (currency(&catalog, "BTC"), currency(&catalog, "USDT"));
    assert_eq!(prices.source(&catalog, btc), Err(PricesError::AlreadyPriced));
    assert_eq!(prices.source(&catalog, perpetual), Err(PricesError::AlreadyPriced));
    let fix = |prices: &mut Prices, base, quote, rate| prices.fix(&catalog, base, quote, dec(rate));
    assert_eq!(fix(&mut prices, tether, bitcoin, "1"), Err(PricesError::AlreadyPriced));
    assert_eq!(fix(&mut prices, tether, tether, "1"), Err(PricesError::SameCurrency));
    let dollar = currency(&catalog, "USD");
    assert_eq!(fix(&mut prices, tether, dollar, "0"), Err(PricesError::NotPositive));
    assert_eq!(fix(&mut prices, tether, dollar, "1"), Ok(()));
}

#[test]
fn currencies_of_different_scales_convert_exactly() {
    let mut catalog = catalog();
    let yen = define(&mut catalog, "USD-JPY.FX", ["0.001", "1", "1"]);
    let mut prices = Prices::new(MINUTE);
    prices.source(&catalog, yen).unwrap();
    tick(&catalog, &mut prices, yen, "151.237", 100);
    assert_eq!(converted(&catalog, &prices, "1000.00", "USD", "JPY").0, "151237");
    assert_eq!(converted(&catalog, &prices, "151237", "JPY", "USD").0, "1000.00");
    assert_eq!(converted(&catalog, &prices, "0.01", "USD", "JPY").0, "2", "1.51 yen");
}

/// Alice long a perpetual and short a coin, both of which Bob has some of too.
fn book() -> (Catalog, Prices, [InstrumentId; 3], Portfolio) {
    let (catalog, mut prices, ids) = market();
    let [btc, eth, perpetual] = ids;
    tick(&catalog, &mut prices, btc, "60000.00", 90);
    tick(&catalog, &mut prices, eth, "0.050000", 95);
    tick(&catalog, &mut prices, perpetual, "61000.0", 80);
    let mut portfolio = Portfolio::for_catalog(&catalog);
    let x = venue(&catalog, "X");
    portfolio.deposit(x, currency(&catalog, "USDT"), money(&catalog, "100000", "USDT")).unwrap();
    portfolio.deposit(x, currency(&catalog, "BTC"), money(&catalog, "10", "BTC")).unwrap();
    let mut trade = |who, id: InstrumentId, side, price: &str, qty: &str, fee: &str| {
        let instrument = catalog.instrument(id);
        let price = instrument.price(dec(price)).expect(price).get();
        let qty = instrument.qty(dec(qty)).expect(qty).get();
        let fee = catalog.money(dec(fee), instrument.settle).expect(fee).units();
        let trade = fill(price, qty, fee, instrument.settle);
        portfolio.apply_fill(who, instrument, side, &trade, at(1)).unwrap();
    };
    trade(ALICE, btc, Side::Sell, "59000.00", "1", "59");
    trade(ALICE, perpetual, Side::Buy, "59500.0", "1", "10");
    trade(BOB, perpetual, Side::Sell, "60500.0", "0.25", "-1");
    (catalog, prices, ids, portfolio)
}

#[test]
fn equity_is_cash_of_all_currencies_and_what_closing_contracts_would_add() {
    let (catalog, prices, _, portfolio) = book();
    let tether = currency(&catalog, "USDT");
    let equity = portfolio.equity(&catalog, &prices, tether, at(100)).unwrap();
    // 100,000 + 59,000 − 59 − 10 + 1 in tether; 9 bitcoin at 60,000.
    assert_eq!(catalog.show(equity.cash, tether), "698932.00000000");
    // Long 1 from 59,500 and short 0.25 from 60,500, at 61,000; the short coin stands in cash.
    assert_eq!(catalog.show(equity.unrealized, tether), "1375.00000000");
    assert_eq!(equity.total, equity.cash.checked_add(equity.unrealized).unwrap());
    assert_eq!(equity.age, Span::from_secs(20), "of the contract's mark");
}

#[test]
fn equity_in_another_currency_needs_its_price() {
    let (catalog, prices, _, portfolio) = book();
    let (bitcoin, dollar) = (currency(&catalog, "BTC"), currency(&catalog, "USD"));
    let equity = portfolio.equity(&catalog, &prices, bitcoin, at(100)).unwrap();
    // 9 + 158,932 / 60,000 + 1,500 / 60,000 − 125 / 60,000, each amount rounded by itself.
    assert_eq!(catalog.show(equity.total, bitcoin), "11.67178334");
    let refused = portfolio.equity(&catalog, &prices, dollar, at(100)).unwrap_err();
    assert!(matches!(refused, Unvalued::NoPrice { .. }), "{refused}");
}

#[test]
fn equity_with_an_unmarked_contract_is_refused() {
    let (catalog, mut prices, [_, _, perpetual], portfolio) = book();
    let tether = currency(&catalog, "USDT");
    let stale = portfolio.equity(&catalog, &prices, tether, at(145)).unwrap_err();
    assert!(matches!(stale, Unvalued::StaleMark { instrument, .. } if instrument == perpetual));
    prices.unset(perpetual);
    let missing = portfolio.equity(&catalog, &prices, tether, at(100)).unwrap_err();
    assert_eq!(missing, Unvalued::NoMark { instrument: perpetual });
}

#[test]
fn profit_is_by_strategy_and_counts_delivered_positions_too() {
    let (catalog, prices, _, portfolio) = book();
    let tether = currency(&catalog, "USDT");
    let profit = |strategy| {
        let profit = portfolio.profit(&catalog, &prices, strategy, tether, at(100)).unwrap();
        let show = |money| catalog.show(money, tether);
        [
            show(profit.realized),
            show(profit.unrealized),
            show(profit.fees),
            show(profit.net().unwrap()),
        ]
    };
    let zero = "0.00000000";
    assert_eq!(profit(Some(ALICE)), [zero, "500.00000000", "69.00000000", "431.00000000"]);
    assert_eq!(profit(Some(BOB)), [zero, "-125.00000000", "-1.00000000", "-124.00000000"]);
    assert_eq!(profit(None), [zero, "375.00000000", "68.00000000", "307.00000000"]);
}

#[test]
fn equity_changes_by_net_profit_and_flows() {
    let (catalog, mut prices, [btc, _, perpetual], mut portfolio) = book();
    let tether = currency(&catalog, "USDT");
    // Hold no coins of our own, so that their price moves nothing but the position.
    let coins = money(&catalog, "10", "BTC");
    portfolio.withdraw(venue(&catalog, "X"), currency(&catalog, "BTC"), coins).unwrap();
    for (spot, contract) in [("60000.00", "61000.0"), ("58123.45", "58200.1"), ("70000.01", "1.0")]
    {
        tick(&catalog, &mut prices, btc, spot, 100);
        tick(&catalog, &mut prices, perpetual, contract, 100);
        let equity = portfolio.equity(&catalog, &prices, tether, at(100)).unwrap();
        let profit = portfolio.profit(&catalog, &prices, None, tether, at(100)).unwrap();
        let start = money(&catalog, "100000", "USDT");
        assert_eq!(equity.total, start.checked_add(profit.net().unwrap()).unwrap());
    }
}

#[test]
fn exposure_adds_coins_contracts_and_inverse_contracts_of_one_asset() {
    let mut catalog = catalog();
    let spot = define(&mut catalog, "BTC-USDT.X", ["0.01", "0.001", "1"]);
    let linear = define(&mut catalog, "BTC-USDT-PERP.Y", ["0.1", "1", "0.01"]);
    let inverse = define(&mut catalog, "BTC-USD-PERP:BTC.Z", ["0.1", "1", "100"]);
    let other = define(&mut catalog, "ETH-USDT.X", ["0.01", "0.01", "1"]);
    let mut portfolio = Portfolio::for_catalog(&catalog);
    let mut trade = |who, id: InstrumentId, side, price, qty| {
        let instrument = catalog.instrument(id);
        let trade = fill(price, qty, 0, instrument.settle);
        portfolio.apply_fill(who, instrument, side, &trade, at(1)).unwrap();
    };
    trade(ALICE, spot, Side::Buy, 6_000_000, 1_500); // 1.5 coins
    trade(ALICE, linear, Side::Sell, 600_000, 100); // −1 coin
    trade(ALICE, inverse, Side::Sell, 600_000, 240); // −24,000 dollars
    trade(BOB, spot, Side::Buy, 6_000_000, 7);
    let mut prices = Prices::new(MINUTE);
    let all = Exposure::over(&catalog, &[spot, linear, inverse]).unwrap();
    let of = |strategy, prices: &Prices| all.of(&portfolio, &catalog, strategy, prices, at(100));
    assert_eq!(of(Some(ALICE), &prices), Err(Unvalued::NoMark { instrument: inverse }));
    let bitcoin = currency(&catalog, "BTC");
    assert_eq!(all.base(), bitcoin);
    let show = |money: Result<Money, Unvalued>| catalog.show(money.unwrap(), bitcoin);
    assert_eq!(show(of(Some(BOB), &prices)), "0.00700000", "what is not held needs no price");
    tick(&catalog, &mut prices, inverse, "60000.0", 100);
    assert_eq!(show(of(Some(ALICE), &prices)), "0.10000000");
    assert_eq!(show(of(None, &prices)), "0.10700000");
    tick(&catalog, &mut prices, inverse, "48000.0", 100);
    assert_eq!(show(of(Some(ALICE), &prices)), "0.00000000");

    assert_eq!(
        Exposure::over(&catalog, &[spot, other]).unwrap_err(),
        ExposureError::OtherBase(other)
    );
    assert_eq!(Exposure::over(&catalog, &[]).unwrap_err(), ExposureError::Empty);
}
