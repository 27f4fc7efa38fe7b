//! What positions that offset each other have earned, though none of them was closed.
//!
//! Average cost realises profit where a position shrinks. Who buys at one venue and sells at another
//! shrinks none: both positions grow, and the books call all of it unrealised. Of delivered assets that
//! is too modest: a coin is the same coin wherever it lies, so bought here and sold there nothing is
//! left to be valued, and the difference is cash. [`Portfolio::matched_profit`] says how much. It changes
//! no booking; whoever reports it as realised takes it out of unrealised profit, where it is counted too.
//!
//! Contracts of equal terms are matched among themselves and told apart: their difference is earned only
//! as far as their prices stay together until both are closed.

use crate::portfolio::Portfolio;
use crate::wide::mul_div;
use std::collections::BTreeMap;
use tse_model::decimal::power_of_ten;
use tse_model::{
    Catalog, CurrencyId, Decimal, Instrument, Money, Rounding, Settlement, StrategyId,
};

/// What offsetting positions in the same thing earned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Matched {
    /// What they hold.
    pub base: CurrencyId,
    /// What it is priced in.
    pub quote: CurrencyId,
    /// What the profit is counted in.
    pub settle: CurrencyId,
    /// Whether the asset was delivered: then the profit is cash.
    pub delivered: bool,
    /// Profit before fees: of so much as is both long and short, what the shorts brought less what the
    /// longs cost.
    pub profit: Money,
}

/// Which instruments are the same thing: base, quote, settlement currency, delivery.
type Thing = (CurrencyId, CurrencyId, CurrencyId, bool);

/// All longs or all shorts in one thing.
#[derive(Clone, Copy, Debug, Default)]
struct Half {
    size: i128,
    cost: i128,
}

/// Both halves, sizes counted in steps of ten to the minus this many.
#[derive(Clone, Copy, Debug)]
struct Pair {
    scale: u8,
    sign: i128,
    longs: Half,
    shorts: Half,
}

fn thing(it: &Instrument) -> Thing {
    (it.base, it.quote, it.settle, it.settlement == Settlement::Delivery)
}

/// What one lot is of: base units, or quote units of an inverse contract.
fn size_of_lot(it: &Instrument) -> Option<Decimal> {
    Some(it.lot.checked_mul(it.multiplier)?.normalized())
}

impl Portfolio {
    /// What positions of a strategy (of all, if `None`) that offset each other have earned, by what they
    /// hold; things in which nothing offsets anything are left out.
    ///
    /// By average cost: the longs in a thing are one heap and the shorts another, whatever the venue.
    /// As much as the smaller of them is matched, and each gives that share of its cost, rounded once,
    /// half to even. `None` if sums are beyond 128 bits.
    pub fn matched_profit(
        &self,
        catalog: &Catalog,
        strategy: Option<StrategyId>,
    ) -> Option<Vec<Matched>> {
        let held = self.positions.iter().filter(|held| !held.is_flat());
        let held = held.filter(|held| strategy.is_none_or(|whose| whose == held.strategy()));
        let held: Vec<_> = held.map(|held| (catalog.instrument(held.instrument()), held)).collect();
        let mut pairs: BTreeMap<Thing, Pair> = BTreeMap::new();
        for (it, _) in &held {
            let (scale, sign) = (size_of_lot(it)?.scale(), it.profit_sign());
            let new = Pair { scale, sign, longs: Half::default(), shorts: Half::default() };
            let pair = pairs.entry(thing(it)).or_insert(new);
            pair.scale = pair.scale.max(scale);
        }
        for (it, held) in held {
            let pair = pairs.get_mut(&thing(it))?;
            let lot = size_of_lot(it)?;
            let step = lot.mantissa().checked_mul(power_of_ten(pair.scale - lot.scale())?)?;
            let size = step.checked_mul(i128::from(held.qty().get()))?;
            let half = if size > 0 { &mut pair.longs } else { &mut pair.shorts };
            half.size = half.size.checked_add(size)?;
            half.cost = half.cost.checked_add(held.cost().units())?;
        }
        let offset =
            pairs.into_iter().filter(|(_, pair)| pair.longs.size != 0 && pair.shorts.size != 0);
        offset
            .map(|((base, quote, settle, delivered), pair)| {
                let matched = pair.longs.size.min(pair.shorts.size.checked_neg()?);
                let share = |half: Half| {
                    mul_div(half.cost, matched, half.size.checked_abs()?, Rounding::HalfEven)
                };
                let cost = share(pair.longs)?.checked_add(share(pair.shorts)?)?;
                let profit = Money::from_units(cost.checked_mul(-pair.sign)?);
                Some(Matched { base, quote, settle, delivered, profit })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ALICE, BOB, at, catalog, define, fill, venue};
    use tse_model::Side;

    /// Alice's fills as `(instrument, side, price in ticks, lots)`.
    fn after(catalog: &Catalog, fills: &[(usize, Side, i64, i64)]) -> Portfolio {
        let mut portfolio = Portfolio::for_catalog(catalog);
        for (number, side, price, qty) in fills {
            let it = &catalog.instruments()[*number];
            let fill = fill(*price, *qty, 0, it.settle);
            portfolio.apply_fill(ALICE, it, *side, &fill, at(1)).unwrap();
        }
        portfolio
    }

    fn profits(catalog: &Catalog, portfolio: &Portfolio) -> Vec<String> {
        let all = portfolio.matched_profit(catalog, Some(ALICE)).unwrap();
        all.iter().map(|matched| catalog.show(matched.profit, matched.settle)).collect()
    }

    fn two_venues() -> Catalog {
        let mut catalog = catalog();
        define(&mut catalog, "BTC-USD.X", ["0.01", "0.001", "1"]);
        define(&mut catalog, "BTC-USD.Y", ["0.1", "0.0001", "1"]);
        catalog
    }

    #[test]
    fn what_was_bought_here_and_sold_there_is_earned() {
        let catalog = two_venues();
        let fills = [(0, Side::Buy, 5_000_000, 1_000), (1, Side::Sell, 501_000, 10_000)];
        let portfolio = after(&catalog, &fills);
        assert_eq!(profits(&catalog, &portfolio), ["100.00"]);
        assert!(portfolio.matched_profit(&catalog, None).unwrap()[0].delivered);
        assert_eq!(portfolio.matched_profit(&catalog, Some(BOB)), Some(vec![]));
        assert_ne!(venue(&catalog, "X"), venue(&catalog, "Y"));
    }

    #[test]
    fn only_so_much_as_is_both_long_and_short_is_matched_by_average_cost() {
        let catalog = two_venues();
        // 3 at an average of 102 against 1 at 110.
        let fills = [
            (0, Side::Buy, 10_000, 1_000),
            (0, Side::Buy, 10_300, 2_000),
            (1, Side::Sell, 1_100, 10_000),
        ];
        assert_eq!(profits(&catalog, &after(&catalog, &fills)), ["8.00"]);
    }

    #[test]
    fn one_sided_holdings_have_earned_nothing_yet() {
        let catalog = two_venues();
        let fills = [(0, Side::Buy, 10_000, 1_000), (1, Side::Buy, 900, 10_000)];
        assert_eq!(profits(&catalog, &after(&catalog, &fills)), [""; 0]);
        let closed = [(0, Side::Buy, 10_000, 1_000), (0, Side::Sell, 11_000, 1_000)];
        assert_eq!(profits(&catalog, &after(&catalog, &closed)), [""; 0], "booked already");
    }

    #[test]
    fn contracts_and_coins_are_not_the_same_thing() {
        let mut catalog = two_venues();
        define(&mut catalog, "BTC-USD-PERP.X", ["0.1", "0.001", "1"]);
        define(&mut catalog, "BTC-USD-PERP.Y", ["0.1", "0.001", "1"]);
        let apart = [(0, Side::Buy, 10_000, 1_000), (2, Side::Sell, 1_100, 1_000)];
        assert_eq!(profits(&catalog, &after(&catalog, &apart)), [""; 0]);
        let together = [(3, Side::Buy, 1_000, 1_000), (2, Side::Sell, 1_100, 1_000)];
        let portfolio = after(&catalog, &together);
        assert_eq!(profits(&catalog, &portfolio), ["10.00"]);
        assert!(!portfolio.matched_profit(&catalog, None).unwrap()[0].delivered);
    }

    #[test]
    fn inverse_contracts_earn_in_their_coin() {
        let mut catalog = catalog();
        define(&mut catalog, "BTC-USD-PERP:BTC.X", ["0.5", "1", "100"]);
        define(&mut catalog, "BTC-USD-PERP:BTC.Y", ["0.5", "1", "10"]);
        // 10,000 USD at 10,000 and at 12,500: 1 BTC against 0.8.
        let fills = [(0, Side::Buy, 20_000, 100), (1, Side::Sell, 25_000, 1_000)];
        assert_eq!(profits(&catalog, &after(&catalog, &fills)), ["0.20000000"]);
    }
}
