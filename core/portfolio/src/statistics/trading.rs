//! How one strategy traded one instrument: where its profit came from, its round trips, and what it cost beside
//! a trade at the middle of the market.
//!
//! Fills go in as they are heard of, each with the middle of the market then; amounts are exact, in the currency that
//! the instrument settles in. What it is told twice it counts twice: whoever owns the orders has sorted that out.

use crate::prices::Mark;
use tse_model::{Instrument, Money, Price, Qty, Side, Span, Timestamp};

/// A fill, and what was known of its order and the market.
#[derive(Clone, Copy, Debug)]
pub struct Deal {
    /// Which way.
    pub side: Side,
    /// At what price.
    pub price: Price,
    /// How much, above zero.
    pub qty: Qty,
    /// Whether it had rested in the book.
    pub maker: bool,
    /// What it cost, less rebates, in the settlement currency; `None` if it was paid in one that has no price
    /// here.
    pub fee: Option<Money>,
    /// The profit that it realised, before fees.
    pub realized: Money,
    /// The middle of the market when it was heard of.
    pub mid: Option<Mark>,
    /// The middle of the market when its order was sent; `None` for what nobody ordered.
    pub decided: Option<Mark>,
}

/// Round trips: from flat to flat. Amounts are profit less fees.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Trips {
    /// How many ended.
    pub count: u64,
    /// How many earned something.
    pub won: u64,
    /// How many lost something.
    pub lost: u64,
    /// What those earned together.
    pub gains: Money,
    /// What these lost together, below zero.
    pub losses: Money,
}

/// What it cost beside a paper portfolio that got every order done at once, at the middle of the market when it
/// was decided (Perold 1988). Above zero is a cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Shortfall {
    /// Until the venue was heard of.
    pub delay: Money,
    /// From then to the prices of fills.
    pub execution: Money,
    /// What was never done.
    pub unfilled: Money,
    /// Fees less rebates.
    pub fees: Money,
}

impl Shortfall {
    /// All of it; `None` on overflow.
    pub fn total(&self) -> Option<Money> {
        let traded = self.delay.checked_add(self.execution)?;
        traded.checked_add(self.unfilled)?.checked_add(self.fees)
    }

    /// Both together; `None` on overflow.
    pub fn plus(&self, other: &Self) -> Option<Self> {
        Some(Self {
            delay: self.delay.checked_add(other.delay)?,
            execution: self.execution.checked_add(other.execution)?,
            unfilled: self.unfilled.checked_add(other.unfilled)?,
            fees: self.fees.checked_add(other.fees)?,
        })
    }
}

/// An order on its way: what its decision is measured against.
#[derive(Clone, Copy, Debug)]
pub struct Decided {
    /// The middle of the market when it was sent.
    pub sent: Option<Mark>,
    /// And when the venue was first heard of it.
    pub heard: Option<Mark>,
    costs: Option<Shortfall>,
}

impl Decided {
    /// An order that is sent.
    pub fn new(sent: Option<Mark>) -> Self {
        Self { sent, heard: None, costs: Some(Shortfall::default()) }
    }

    /// The venue is heard of it; only the first time counts.
    pub fn hear(&mut self, mid: Option<Mark>) {
        if self.heard.is_none() {
            self.heard = mid;
        }
    }

    /// It traded.
    pub fn fill(&mut self, instrument: &Instrument, deal: &Deal) {
        self.costs = self.costs.and_then(|costs| {
            // Where no middle was known at the first word, it is measured from when it was sent, for good.
            let sent = self.sent?;
            let heard = *self.heard.get_or_insert(sent);
            let worth = |mark: Mark| worth(instrument, mark, deal.side, deal.qty);
            let paid = worth(Mark::at(deal.price))?;
            costs.plus(&Shortfall {
                delay: worth(heard)?.checked_sub(worth(sent)?)?,
                execution: paid.checked_sub(worth(heard)?)?,
                unfilled: Money::ZERO,
                fees: deal.fee.unwrap_or_default(),
            })
        });
    }

    /// It ended with so much left to do. What it cost, if the middle was known each time.
    pub fn end(
        self,
        instrument: &Instrument,
        side: Side,
        left: Qty,
        mid: Option<Mark>,
    ) -> Option<Shortfall> {
        let (sent, ended) = (self.sent?, mid?);
        let worth = |mark: Mark| worth(instrument, mark, side, left);
        let missed = match left.is_positive() {
            true => worth(ended)?.checked_sub(worth(sent)?)?,
            false => Money::ZERO,
        };
        self.costs?.plus(&Shortfall { unfilled: missed, ..Shortfall::default() })
    }
}

/// What a quantity bought costs at a price, and one sold brings with its sign turned: more is worse. `None` on
/// overflow.
fn worth(instrument: &Instrument, mark: Mark, side: Side, qty: Qty) -> Option<Money> {
    let value = mark.value(instrument, qty.signed(side))?;
    value.units().checked_mul(instrument.profit_sign()).map(Money::from_units)
}

/// How one strategy traded one instrument.
#[derive(Clone, Copy, Debug, Default)]
pub struct Trading {
    held: Qty,
    /// The middle at the last fill: what is held is worth more or less by what happened since.
    valued: Option<Mark>,
    spread: Money,
    inventory: Money,
    trip: Money,
    trips: Trips,
    shortfall: Shortfall,
    maker: Money,
    taker: Money,
    /// Value of the fills of which the slippage is known, and the sum of their slippages by value.
    slipped: Money,
    slippage: f64,
    unpriced_fees: bool,
    /// A sum that no integer holds: nothing is said any more.
    lost: bool,
}

impl Trading {
    /// It traded.
    pub fn fill(&mut self, instrument: &Instrument, deal: &Deal) {
        self.lost |= self.book(instrument, deal).is_none();
    }

    fn book(&mut self, instrument: &Instrument, deal: &Deal) -> Option<()> {
        let worth = |mark: Mark| worth(instrument, mark, deal.side, deal.qty);
        let value = worth(Mark::at(deal.price))?;
        // Without a middle its own price has to do: then nothing of it is spread.
        let mid = deal.mid.unwrap_or(Mark::at(deal.price));
        self.inventory = self.inventory_at(instrument, mid)?;
        self.valued = Some(mid);
        self.spread = self.spread.checked_add(worth(mid)?.checked_sub(value)?)?;
        let volume = if deal.maker { &mut self.maker } else { &mut self.taker };
        *volume = volume.checked_add(value.checked_abs()?)?;
        if let Some(decided) = deal.decided
            && decided.twice() > 0
        {
            let twice = decided.twice() as f64;
            let paid = i128::from(deal.price.get()) * 2 - decided.twice();
            let slip = deal.side.sign() as f64 * paid as f64 / twice;
            self.slipped = self.slipped.checked_add(value.checked_abs()?)?;
            self.slippage += slip * value.checked_abs()?.units() as f64;
        }
        self.unpriced_fees |= deal.fee.is_none();
        let earned = deal.realized.checked_sub(deal.fee.unwrap_or_default())?;
        self.trip = self.trip.checked_add(earned)?;
        let before = self.held;
        self.held = before.checked_add(deal.qty.signed(deal.side))?;
        if !before.is_zero() && self.held.get().signum() != before.get().signum() {
            self.close_trip()?;
        }
        Some(())
    }

    fn close_trip(&mut self) -> Option<()> {
        let earned = std::mem::take(&mut self.trip);
        let trips = &mut self.trips;
        trips.count += 1;
        if earned > Money::ZERO {
            trips.won += 1;
            trips.gains = trips.gains.checked_add(earned)?;
        } else if earned < Money::ZERO {
            trips.lost += 1;
            trips.losses = trips.losses.checked_add(earned)?;
        }
        Some(())
    }

    /// An order of it ended and cost so much beside paper.
    pub fn add_shortfall(&mut self, costs: &Shortfall) {
        match self.shortfall.plus(costs) {
            Some(sum) => self.shortfall = sum,
            None => self.lost = true,
        }
    }

    /// What is held.
    pub fn held(&self) -> Qty {
        self.held
    }

    /// What fills gained against the middle of the market then.
    pub fn spread(&self) -> Option<Money> {
        (!self.lost).then_some(self.spread)
    }

    /// What the middle of the market did to what was held between fills, and since the last one up to this
    /// price. `None` on overflow.
    pub fn inventory_at(&self, instrument: &Instrument, mark: Mark) -> Option<Money> {
        let held = match self.valued {
            Some(valued) if !self.held.is_zero() => {
                let worth = |mark: Mark| worth(instrument, mark, Side::Buy, self.held);
                worth(mark)?.checked_sub(worth(valued)?)?
            }
            _ => Money::ZERO,
        };
        if self.lost { None } else { self.inventory.checked_add(held) }
    }

    /// The same where what is held has no price, or nothing is held.
    pub fn inventory(&self) -> Option<Money> {
        (!self.lost).then_some(self.inventory)
    }

    /// Its round trips.
    pub fn trips(&self) -> Option<Trips> {
        (!self.lost).then_some(self.trips)
    }

    /// What it cost beside paper.
    pub fn shortfall(&self) -> Option<Shortfall> {
        (!self.lost).then_some(self.shortfall)
    }

    /// Value of what was traded while resting.
    pub fn maker(&self) -> Option<Money> {
        (!self.lost).then_some(self.maker)
    }

    /// Value of all that was traded.
    pub fn volume(&self) -> Option<Money> {
        if self.lost { None } else { self.maker.checked_add(self.taker) }
    }

    /// The mean slippage as a share of the price, and the value of the fills that it is of.
    pub fn slippage(&self) -> Option<(f64, Money)> {
        let of = self.slipped;
        (!self.lost && of > Money::ZERO).then(|| (self.slippage / of.units() as f64, of))
    }

    /// Whether fees were paid in a currency that had no price here: they are in no figure of this.
    pub fn has_unpriced_fees(&self) -> bool {
        self.unpriced_fees
    }
}

/// For how long something was held, of any number of positions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Holding {
    open: u32,
    since: Timestamp,
    held: Span,
}

impl Holding {
    /// One of the positions changed.
    pub fn turn(&mut self, now: Timestamp, before: Qty, after: Qty) {
        match (before.is_zero(), after.is_zero()) {
            (true, false) => {
                if self.open == 0 {
                    self.since = now;
                }
                self.open += 1;
            }
            (false, true) => {
                self.open -= 1;
                if self.open == 0 {
                    self.held = self.until_closed(now);
                }
            }
            _ => {}
        }
    }

    /// How long anything was held until now.
    pub fn until(&self, now: Timestamp) -> Span {
        if self.open > 0 { self.until_closed(now) } else { self.held }
    }

    fn until_closed(&self, now: Timestamp) -> Span {
        Span::from_nanos(self.held.nanos() + (now - self.since).nanos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{at, one};

    fn perpetual() -> Instrument {
        let (catalog, id) = one("BTC-USDT-PERP.X", ["0.1", "0.001", "1"]);
        catalog.instrument(id).clone()
    }

    fn deal(side: Side, price: i64, qty: i64) -> Deal {
        Deal {
            side,
            price: Price::new(price),
            qty: Qty::new(qty),
            maker: false,
            fee: Some(Money::ZERO),
            realized: Money::ZERO,
            mid: None,
            decided: None,
        }
    }

    /// Ticks times lots in smallest units of money.
    fn unit(instrument: &Instrument) -> i128 {
        instrument.value(Price::new(1), Qty::new(1)).unwrap().money.units()
    }

    #[test]
    fn spread_and_inventory_make_up_the_whole_profit() {
        let it = perpetual();
        let mut trading = Trading::default();
        // Bought a tick below the middle, held while it rose by five, sold two below it.
        trading.fill(&it, &Deal { mid: Some(Mark::mid(202)), ..deal(Side::Buy, 100, 3) });
        trading.fill(&it, &Deal { mid: Some(Mark::mid(212)), ..deal(Side::Sell, 104, 2) });
        let unit = unit(&it);
        assert_eq!(trading.spread(), Some(Money::from_units(unit * (3 - 4))));
        assert_eq!(trading.inventory(), Some(Money::from_units(unit * 15)));
        // A fill without a middle stands at its own price.
        let mut blind = trading;
        blind.fill(&it, &deal(Side::Sell, 99, 1));
        assert_eq!(blind.spread(), trading.spread());
        assert_eq!(blind.inventory(), Some(Money::from_units(unit * (15 - 7))));
        let last = trading.inventory_at(&it, Mark::mid(201)).unwrap();
        assert_eq!(last, Money::from_units(unit * 15 - unit * 11 / 2));
        // 208 received, 300 paid, one left that is worth 100.5.
        let profit = unit * (208 - 300) + unit * 201 / 2;
        let parts = trading.spread().unwrap().checked_add(last).unwrap();
        assert_eq!(parts, Money::from_units(profit));
    }

    #[test]
    fn a_fill_through_zero_ends_a_round_trip_and_pays_for_it() {
        let it = perpetual();
        let mut trading = Trading::default();
        let money = |units| Money::from_units(units);
        trading.fill(&it, &Deal { fee: Some(money(1)), ..deal(Side::Buy, 100, 2) });
        assert_eq!(trading.trips(), Some(Trips::default()));
        let through = Deal { realized: money(10), fee: Some(money(3)), ..deal(Side::Sell, 105, 5) };
        trading.fill(&it, &through);
        let first = Trips { count: 1, won: 1, gains: money(6), ..Trips::default() };
        assert_eq!(trading.trips(), Some(first));
        trading.fill(&it, &Deal { realized: money(-4), ..deal(Side::Buy, 106, 3) });
        assert_eq!(trading.trips(), Some(Trips { count: 2, lost: 1, losses: money(-4), ..first }));
        // A trip that earns nothing is neither.
        trading.fill(&it, &deal(Side::Buy, 100, 1));
        trading.fill(&it, &deal(Side::Sell, 100, 1));
        let trips = trading.trips().unwrap();
        assert_eq!((trips.count, trips.won, trips.lost), (3, 1, 1));
    }

    #[test]
    fn a_shortfall_is_what_paper_would_have_earned_more() {
        let it = perpetual();
        let unit = unit(&it);
        let money = |ticks: i128| Money::from_units(unit * ticks);
        let mut order = Decided::new(Some(Mark::at(Price::new(100))));
        order.hear(Some(Mark::at(Price::new(102))));
        order.hear(Some(Mark::at(Price::new(999))));
        let sold = Deal { fee: Some(money(1)), ..deal(Side::Sell, 101, 4) };
        order.fill(&it, &sold);
        let costs =
            order.end(&it, Side::Sell, Qty::new(6), Some(Mark::at(Price::new(97)))).unwrap();
        // A seller gained two ticks while it was on its way and lost one of them again.
        assert_eq!(costs.delay, money(-8));
        assert_eq!(costs.execution, money(4));
        assert_eq!(costs.unfilled, money(18));
        assert_eq!(costs.fees, money(1));
        // Paper sold ten at 100, and all is worth 97 now; we sold four at 101 and paid one.
        assert_eq!(costs.total(), Some(money(30 - (16 - 1))));
        assert_eq!(Decided::new(None).end(&it, Side::Buy, Qty::new(1), None), None);
    }

    #[test]
    fn slippage_is_weighted_by_value_and_a_cost_above_zero() {
        let it = perpetual();
        let mut trading = Trading::default();
        let decided = Some(Mark::at(Price::new(100)));
        trading.fill(&it, &Deal { decided, ..deal(Side::Buy, 101, 1) });
        trading.fill(&it, &Deal { decided, ..deal(Side::Sell, 98, 3) });
        trading.fill(&it, &deal(Side::Sell, 1, 3));
        let (mean, of) = trading.slippage().unwrap();
        assert!((mean - (101.0 * 0.01 + 294.0 * 0.02) / 395.0).abs() < 1e-15);
        assert_eq!(of, Money::from_units(unit(&it) * 395));
    }

    #[test]
    fn time_counts_while_any_position_is_open() {
        let mut holding = Holding::default();
        let (none, some) = (Qty::ZERO, Qty::new(5));
        holding.turn(at(10), none, some);
        holding.turn(at(12), none, Qty::new(-1));
        holding.turn(at(15), some, none);
        holding.turn(at(20), Qty::new(-1), Qty::new(2));
        assert_eq!(holding.until(at(25)), Span::from_secs(15));
        holding.turn(at(30), Qty::new(2), none);
        holding.turn(at(40), none, some);
        assert_eq!(holding.until(at(41)), Span::from_secs(21));
    }
}
