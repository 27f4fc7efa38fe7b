//! Laws that hold whatever happens, over many random fills, against models that share no code with
//! the portfolio: exact fractions, and sums of raw facts.

#[path = "../src/testing.rs"]
mod testing;

use testing::{ALICE, BOB, CAROL, at, catalog, currency, define, fill, one, venue};
use tse_model::{
    Chance, Instrument, Money, Price, Qty, RESIDUE_PER_UNIT, Side, StrategyId, Timestamp,
};
use tse_portfolio::{Mark, Portfolio};

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs().max(1) } else { gcd(b, a % b) }
}

/// An exact fraction.
#[derive(Clone, Copy, Debug)]
struct Fraction {
    n: i128,
    d: i128,
}

impl Fraction {
    fn new(n: i128, d: i128) -> Self {
        let (n, d) = if d < 0 { (-n, -d) } else { (n, d) };
        let common = gcd(n, d);
        Self { n: n / common, d: d / common }
    }
    fn whole(n: i128) -> Self {
        Self { n, d: 1 }
    }
    fn plus(self, other: Self) -> Self {
        let common = gcd(self.d, other.d);
        let n = self.n * (other.d / common) + other.n * (self.d / common);
        Self::new(n, self.d / common * other.d)
    }
    fn times(self, n: i128, d: i128) -> Self {
        let (across, along) = (gcd(self.n, d), gcd(n, self.d));
        Self::new(self.n / across * (n / along), self.d / along * (d / across))
    }
    /// Whether this is no further than `parts / of` from a whole number.
    fn within(self, whole: i128, parts: i128, of: i128) -> bool {
        let off = self.plus(Self::whole(-whole));
        off.n.abs() * of <= parts * off.d
    }
}

/// Average cost by the book, in fractions of ticks × lots, without any rounding.
#[derive(Clone, Copy)]
struct Exact {
    qty: i128,
    cost: Fraction,
    realized: Fraction,
}

impl Exact {
    fn flat() -> Self {
        Self { qty: 0, cost: Fraction::whole(0), realized: Fraction::whole(0) }
    }

    fn fill(&mut self, signed: i128, price: i128) {
        let opposite = self.qty.signum() * signed.signum() < 0;
        let closing = if opposite { signed.abs().min(self.qty.abs()) } else { 0 };
        if closing > 0 {
            let released = self.cost.times(closing, self.qty.abs());
            let proceeds = Fraction::whole(closing * self.qty.signum() * price);
            self.realized = self.realized.plus(proceeds).plus(released.times(-1, 1));
            self.cost = self.cost.plus(released.times(-1, 1));
        }
        let opening = signed - closing * signed.signum();
        self.cost = self.cost.plus(Fraction::whole(opening * price));
        self.qty += signed;
    }
}

fn random_fill(chance: &mut Chance, lots: i64) -> (Side, i64) {
    let side = if chance.one_in(1, 2) { Side::Buy } else { Side::Sell };
    (side, chance.between(1, lots))
}

#[test]
fn average_cost_follows_exact_fractions_within_half_a_unit_a_release() {
    let (catalog, id) = one("IBM-USD.NYSE", ["0.01", "1", "1"]);
    let share = catalog.instrument(id);
    for seed in 0..40 {
        let mut chance = Chance::stream(seed, "average cost");
        let mut portfolio = Portfolio::for_catalog(&catalog);
        portfolio.start_audit();
        // Fractions of a long walk outgrow any integer, so each walk is short and ends flat.
        for _ in 0..100 {
            let mut exact = Exact::flat();
            let base = portfolio.position(ALICE, id).map_or(0, |it| it.realized().units());
            let mut releases = 0;
            for step in 0..12 {
                let (side, mut lots) = random_fill(&mut chance, 9);
                let mut side = side;
                if step == 11 {
                    if exact.qty == 0 {
                        break;
                    }
                    side = if exact.qty > 0 { Side::Sell } else { Side::Buy };
                    lots = i64::try_from(exact.qty.abs()).unwrap();
                }
                let price = chance.between(1, 20_000);
                let trade = fill(price, lots, 0, share.settle);
                portfolio.apply_fill(ALICE, share, side, &trade, at(0)).unwrap();
                portfolio.check().unwrap();
                exact.fill(i128::from(lots) * i128::from(side.sign()), i128::from(price));
                releases += 1;
                let position = portfolio.position(ALICE, id).unwrap();
                assert_eq!(i128::from(position.qty().get()), exact.qty);
                assert!(exact.cost.within(position.cost().units(), releases, 2));
                assert!(exact.realized.within(position.realized().units() - base, releases, 2));
            }
            let position = portfolio.position(ALICE, id).unwrap();
            assert!(position.is_flat() && position.cost().is_zero());
            // Nothing rounded is ever lost: once flat, profit is exact.
            assert!(exact.realized.within(position.realized().units() - base, 0, 1));
        }
    }
}

#[test]
fn realised_and_unrealised_profit_is_the_change_of_cash_and_holdings_exactly() {
    let mut catalog = catalog();
    let spot = define(&mut catalog, "BTC-USDT.X", ["0.01", "0.001", "1"]);
    let perpetual = define(&mut catalog, "BTC-USDT-PERP.X", ["0.1", "0.001", "1"]);
    let future = define(&mut catalog, "GC-USD-PERP.Y", ["0.1", "1", "100"]);
    for (seed, id) in [spot, perpetual, future].into_iter().enumerate() {
        let instrument = catalog.instrument(id);
        let mut chance = Chance::stream(seed as u64, "linear");
        let mut portfolio = Portfolio::for_catalog(&catalog);
        portfolio.start_audit();
        // What fills cost, in ticks × lots, and what fees took.
        let (mut spent, mut fees, mut lots) = (0i128, 0i128, 0i128);
        let unit = instrument.value(Price::new(1), Qty::new(1)).unwrap();
        assert_eq!(unit.residue, 0, "this instrument has exact values");
        for n in 0..5_000 {
            let who = [ALICE, BOB, CAROL][chance.below(3) as usize];
            let (side, qty) = random_fill(&mut chance, 500);
            let price = chance.between(1, 700_000);
            let fee = i128::from(chance.between(-50, 200));
            let trade = fill(price, qty, fee, instrument.settle);
            portfolio.apply_fill(who, instrument, side, &trade, at(n)).unwrap();
            let signed = i128::from(qty) * i128::from(side.sign());
            (spent, lots) = (spent + signed * i128::from(price), lots + signed);
            fees += fee;

            let mark = Price::new(chance.between(1, 700_000));
            let mut profit = 0;
            for position in portfolio.positions().in_instrument(id) {
                profit += position.total(instrument, Mark::at(mark)).unwrap().units();
            }
            let worth = lots * i128::from(mark.get());
            assert_eq!(profit, (worth - spent) * unit.money.units(), "after fill {n}");
            let cash = portfolio.balance(instrument.venue, instrument.settle).units();
            if id == spot {
                assert_eq!(cash, -spent * unit.money.units() - fees);
            } else {
                let realized = portfolio.positions().iter().map(|it| it.realized().units());
                assert_eq!(cash, realized.sum::<i128>() - fees);
            }
            if n % 50 == 0 {
                portfolio.check().unwrap();
            }
        }
        portfolio.check().unwrap();
    }
}

/// Prices whose reciprocals add up exactly: the divisors of one number.
const COMMON: i128 = 2 * 2 * 2 * 2 * 3 * 3 * 3 * 5 * 5 * 7 * 11 * 13;

fn divisors() -> Vec<i64> {
    (1..=60_000).filter(|n| COMMON % i128::from(*n) == 0).collect()
}

#[test]
fn an_inverse_contracts_profit_and_rounding_account_are_exact_to_a_billionth_of_a_unit_a_fill() {
    // One contract of 100 USD at one tick of 0.1 USD is 1,000 coins: 10^11 units.
    let (catalog, id) = one("BTC-USD-PERP:BTC.X", ["0.1", "1", "100"]);
    let contract = catalog.instrument(id);
    let prices = divisors();
    for seed in 0..20 {
        let mut chance = Chance::stream(seed, "inverse");
        let mut portfolio = Portfolio::for_catalog(&catalog);
        portfolio.start_audit();
        let mut lots = 0i64;
        let mut gained = 0i128; // exact, in units over COMMON
        let mut fills = 0i128;
        for n in 0..500 {
            let (mut side, mut qty) = random_fill(&mut chance, 40);
            if n % 50 == 49 && lots != 0 {
                side = if lots > 0 { Side::Sell } else { Side::Buy };
                qty = lots.abs();
            }
            let price = prices[chance.below(prices.len() as u64) as usize];
            let trade = fill(price, qty, 0, contract.settle);
            portfolio.apply_fill(BOB, contract, side, &trade, at(n)).unwrap();
            let signed = qty * side.sign();
            lots += signed;
            fills += 1;
            // Long gains what it was worth then less what it is worth now.
            gained += i128::from(signed) * 100_000_000_000 * (COMMON / i128::from(price));
            if lots == 0 {
                let cash = portfolio.balance(contract.venue, contract.settle).units();
                let rounding = portfolio.ledger().rounding(contract.venue, contract.settle);
                let booked = cash * RESIDUE_PER_UNIT + rounding;
                let off = (gained * RESIDUE_PER_UNIT - booked * COMMON).abs();
                assert!(off <= fills * COMMON, "off by {off} / {COMMON} billionths");
            }
        }
        portfolio.check().unwrap();
    }
}

#[test]
fn an_open_inverse_position_is_exact_within_its_own_roundings() {
    let (catalog, id) = one("BTC-USD-PERP:BTC.X", ["0.1", "1", "100"]);
    let contract = catalog.instrument(id);
    let mut chance = Chance::stream(9, "open inverse");
    let mut portfolio = Portfolio::for_catalog(&catalog);
    let mut spent = 0;
    for n in 0..5_000 {
        let (side, qty) = random_fill(&mut chance, 400);
        let trade = fill(chance.between(1, 900_000), qty, 0, contract.settle);
        let booked = portfolio.apply_fill(BOB, contract, side, &trade, at(n)).unwrap();
        spent += booked.value.units();
        let mark = Price::new(chance.between(1, 900_000));
        let position = portfolio.position(BOB, id).unwrap();
        let total = position.total(contract, Mark::at(mark)).unwrap().units();
        let worth = contract.value(mark, position.qty()).unwrap().money.units();
        assert_eq!(total, spent - worth, "profit falls as value rises");
    }
}

#[test]
fn a_price_finer_than_its_currency_rounds_once_a_fill_and_remembers_what_it_left() {
    // A tick of 0.00001 USD on cents: 1,000 ticks to a unit.
    let (catalog, id) = one("EUR-USD.FX", ["0.00001", "1", "1"]);
    let pair = catalog.instrument(id);
    let mut chance = Chance::stream(4, "fine");
    let mut portfolio = Portfolio::for_catalog(&catalog);
    portfolio.start_audit();
    let mut spent = 0i128;
    for n in 1..=3_000 {
        let (side, qty) = random_fill(&mut chance, 700);
        let price = chance.between(90_000, 130_000);
        let trade = fill(price, qty, 0, pair.settle);
        portfolio.apply_fill(ALICE, pair, side, &trade, at(n)).unwrap();
        portfolio.check().unwrap();
        spent += i128::from(qty * side.sign() * price);
        let cash = portfolio.balance(pair.venue, pair.settle).units();
        let rounding = portfolio.ledger().rounding(pair.venue, pair.settle);
        // A thousandth of a unit is a whole number of billionths, so nothing at all is lost.
        assert_eq!(cash * RESIDUE_PER_UNIT + rounding, -spent * RESIDUE_PER_UNIT / 1_000);
    }
}

#[test]
fn figures_of_any_size_are_booked_whole_or_latch_and_never_panic() {
    let mut catalog = catalog();
    let ids = [
        define(&mut catalog, "BTC-USDT.X", ["0.01", "0.001", "1"]),
        define(&mut catalog, "BTC-USDT-PERP.X", ["0.1", "0.001", "1"]),
        define(&mut catalog, "BTC-USD-PERP:BTC.X", ["0.1", "1", "100"]),
        define(&mut catalog, "EUR-USD.FX", ["0.00001", "1", "1"]),
    ];
    let mut latched = 0;
    for seed in 0..600 {
        let mut chance = Chance::stream(seed, "any size");
        let mut portfolio = Portfolio::for_catalog(&catalog);
        portfolio.start_audit();
        for n in 0..60 {
            let bits = chance.between(0, 127) as u32;
            let wide = move |chance: &mut Chance| {
                let raw = i128::from(chance.bits()) << 64 | i128::from(chance.bits());
                raw >> (127 - bits)
            };
            let narrow = |chance: &mut Chance| (chance.bits() as i64) >> chance.below(64);
            let instrument = catalog.instrument(ids[chance.below(4) as usize]);
            let who = StrategyId(chance.below(3) as u16);
            let amount = Money::from_units(wide(&mut chance));
            let result = match chance.below(10) {
                0 => portfolio.apply_funding(instrument, amount, at(n)),
                1 => portfolio.deposit(instrument.venue, instrument.settle, amount),
                2 => portfolio.withdraw(instrument.venue, instrument.settle, amount),
                3 => {
                    let (qty, price) = (narrow(&mut chance), narrow(&mut chance));
                    let (qty, price) = (Qty::new(qty), Price::new(price));
                    portfolio.adjust_position(who, instrument, qty, price, at(n)).map(|_| ())
                }
                _ => {
                    let (side, _) = random_fill(&mut chance, 1);
                    let (price, qty) = (narrow(&mut chance), narrow(&mut chance));
                    let fee = wide(&mut chance) >> chance.below(100);
                    let trade = fill(price, qty, fee, instrument.settle);
                    portfolio.apply_fill(who, instrument, side, &trade, at(n)).map(|_| ())
                }
            };
            portfolio.check().unwrap_or_else(|broken| panic!("seed {seed}: {broken:?}"));
            if result.is_err() {
                latched += 1;
                break;
            }
        }
    }
    assert!(latched > 300, "only {latched} runs met an end: the test tests nothing");
}

#[test]
fn three_strategies_at_two_venues_balance_after_every_event() {
    let mut catalog = catalog();
    let ids = [
        define(&mut catalog, "BTC-USDT.X", ["0.01", "0.001", "1"]),
        define(&mut catalog, "ETH-BTC.X", ["0.000001", "0.01", "1"]),
        define(&mut catalog, "ETH-USDT.X", ["0.01", "0.01", "1"]),
        define(&mut catalog, "BTC-USDT-PERP.Y", ["0.1", "0.001", "1"]),
        define(&mut catalog, "BTC-USD-PERP:BTC.Y", ["0.1", "1", "100"]),
    ];
    let coins = ["USDT", "BTC", "ETH"].map(|code| currency(&catalog, code));
    let venues = ["X", "Y"].map(|name| venue(&catalog, name));
    let mut chance = Chance::stream(77, "everything");
    let mut portfolio = Portfolio::for_catalog(&catalog);
    portfolio.start_audit();
    for n in 0..4_000 {
        let instrument: &Instrument = catalog.instrument(ids[chance.below(5) as usize]);
        let who = [ALICE, BOB, CAROL][chance.below(3) as usize];
        let amount = Money::from_units(i128::from(chance.between(-100_000, 100_000)));
        let (place, coin) = (venues[chance.below(2) as usize], coins[chance.below(3) as usize]);
        let moment = Timestamp::from_nanos(n);
        match chance.below(20) {
            0 => portfolio.deposit(place, coin, amount).unwrap(),
            1 => portfolio.adjust_cash(place, coin, amount).unwrap(),
            2 => portfolio.apply_funding(instrument, amount, moment).unwrap(),
            3 => {
                let (qty, price) = (chance.between(-30, 30), chance.between(1, 90_000));
                let (qty, price) = (Qty::new(qty), Price::new(price));
                portfolio.adjust_position(who, instrument, qty, price, moment).map(|_| ()).unwrap();
            }
            _ => {
                let (side, qty) = random_fill(&mut chance, 300);
                let fee = i128::from(chance.between(-5_000, 20_000));
                let paid_in = if chance.one_in(1, 4) { coin } else { instrument.settle };
                let trade = fill(chance.between(1, 90_000), qty, fee, paid_in);
                portfolio.apply_fill(who, instrument, side, &trade, moment).map(|_| ()).unwrap();
            }
        }
        portfolio.check().unwrap_or_else(|broken| panic!("event {n}: {broken:?}"));
    }
}
