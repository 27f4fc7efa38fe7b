//! What must hold of a market after every event, checked by looking at all of it.

use super::{HISTORY, Market, OURS, Shows, lots};
use tse_model::Side;

impl Market {
    /// Checks the market against itself: the book's own invariants, our list of orders with the book,
    /// what history shows with what stands there, and that no fill was larger than its cause.
    ///
    /// # Errors
    /// What does not hold, in words.
    ///
    /// # Panics
    /// If the matching engine is broken in itself.
    pub fn audit(&self) -> Result<(), String> {
        self.book.audit();
        if self.volumes.excess != 0 {
            return Err(format!("fills exceeded their prints: {:?}", self.volumes));
        }
        if self.volumes.filled_by_prints > self.volumes.printed {
            return Err(format!("prints filled more than was traded: {:?}", self.volumes));
        }
        if self.volumes.filled_by_crossing > self.volumes.crossed {
            return Err(format!("crossings filled more than was shown: {:?}", self.volumes));
        }
        if !self.lent.is_empty() || !self.aside.is_empty() {
            return Err(format!("lent to the book: {:?}, aside: {:?}", self.lent, self.aside));
        }
        for side in Side::BOTH {
            self.audit_own(side)?;
            if self.shows != Shows::Orders {
                self.audit_levels(side)?;
            }
        }
        Ok(())
    }

    fn audit_own(&self, side: Side) -> Result<(), String> {
        let own = &self.own[side.index()];
        for own in own {
            let there = self.book.order(own.handle);
            if there.is_none_or(|it| (it.side, it.price, it.owner) != (side, own.price, OURS)) {
                return Err(format!("{own:?} does not rest: {there:?}"));
            }
        }
        let levels = self.book.levels(side);
        let resting = levels.flat_map(|level| self.book.queue(side, level.price));
        let ours = resting.filter(|order| order.owner == OURS).count();
        if ours != own.len() {
            return Err(format!(
                "{ours} orders of ours rest on one side, {} are listed",
                own.len()
            ));
        }
        let best = own.iter().map(|own| own.price);
        let best = best.reduce(|a, b| if side.better(b, a) { b } else { a });
        if best != self.own_best[side.index()] {
            return Err(format!("our best is {best:?}, not {:?}", self.own_best[side.index()]));
        }
        Ok(())
    }

    fn audit_levels(&self, side: Side) -> Result<(), String> {
        for level in self.debts.levels(side) {
            let shown = self.expected.qty_at(side, level.price);
            let hidden = self.hidden.qty_at(side, level.price);
            if shown.max(hidden) < level.qty {
                return Err(format!(
                    "we owe {:?} at {:?}, where {shown:?} is shown and {hidden:?} was",
                    level.qty, level.price
                ));
            }
        }
        for level in self.book.levels(side) {
            let queue = self.book.queue(side, level.price);
            let there = queue.filter(|order| order.owner == HISTORY);
            let there: i64 = there.map(|order| lots(order.leaves)).sum();
            let shown = lots(self.expected.qty_at(side, level.price));
            let lends = self.shows_queues() && self.ours_at(side, level.price);
            let owed = self.debt_at(side, level.price);
            let available = if lends { (shown - owed).max(0) } else { 0 };
            if there != available {
                return Err(format!(
                    "history stands with {there} at {:?}, where {available} is available",
                    level.price
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::Own;
    use crate::models::QueueModel;
    use crate::scenario::MarketSetup;
    use tse_matching::NewOrder;
    use tse_model::{InstrumentId, Price, Qty, Quote, Timestamp, Trade};

    /// A market in which an order of ours stands behind history, and something was taken.
    fn market() -> Market {
        let mut market = Market::new(MarketSetup {
            instrument: InstrumentId(0),
            queue: QueueModel::Back,
            half_spread: 1,
            funding: None,
        });
        let mut out = Vec::new();
        let quote = Quote {
            bid: Price::new(99),
            bid_qty: Qty::new(10),
            ask: Price::new(101),
            ask_qty: Qty::new(10),
        };
        market.quote(&quote, &mut out);
        let order = NewOrder::limit(OURS, 0, Side::Buy, Price::new(99), Qty::new(5));
        market.place(Timestamp::EPOCH, order, &mut out).unwrap();
        let first = market.book.queue(Side::Buy, Price::new(99)).last().unwrap().handle;
        market.joined(Timestamp::EPOCH, Side::Buy, Price::new(99), first);
        let order = NewOrder::market(OURS, 1, Side::Buy, Qty::new(3));
        market.place(Timestamp::EPOCH, order, &mut out).unwrap();
        market.took(Side::Sell, Price::new(101), Qty::new(3), 0);
        let (price, qty, aggressor) = (Price::new(99), Qty::new(11), Some(Side::Sell));
        market.trade(&Trade { price, qty, aggressor, id: 0 }, &mut out);
        assert_eq!(market.audit(), Ok(()));
        assert_eq!(market.volumes().filled_by_prints, 1);
        market
    }

    #[track_caller]
    fn notices(plant: impl FnOnce(&mut Market), what: &str) {
        let mut market = market();
        plant(&mut market);
        let said = market.audit().expect_err("it is noticed");
        assert!(said.contains(what), "{said}");
    }

    #[test]
    fn a_lot_filled_beyond_its_print_is_noticed() {
        notices(|market| market.volumes.excess = 1, "exceeded");
        notices(|market| market.volumes.printed = 0, "more than was traded");
        notices(|market| market.volumes.filled_by_crossing = 1, "more than was shown");
    }

    #[test]
    fn a_lot_taken_and_not_owed_or_owed_and_not_taken_is_noticed() {
        let bid = Price::new(99);
        notices(|market| market.debts.set(Side::Buy, bid, Qty::new(1)), "we owe");
        notices(|market| market.expected.set(Side::Buy, bid, Qty::new(1)), "is available");
        notices(|market| market.join(Side::Buy, bid, 1), "history stands with 1");
        notices(|market| market.join(Side::Sell, Price::new(101), 7), "history stands with 7");
    }

    #[test]
    fn an_order_that_is_listed_and_does_not_rest_or_the_other_way_round_is_noticed() {
        notices(|market| market.own[0].clear(), "are listed");
        notices(|market| market.own[0][0].price = Price::new(98), "does not rest");
        notices(|market| market.own_best[0] = None, "our best");
        notices(
            |market| {
                let ours: Own = market.own[0][0];
                market.own[0].push(ours);
            },
            "are listed",
        );
    }

    #[test]
    fn history_left_in_the_book_is_noticed() {
        notices(|market| market.lent.push((Side::Buy, Price::new(99))), "lent to the book");
    }
}
