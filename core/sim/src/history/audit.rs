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
            let available = match self.shows {
                Shows::Quotes | Shows::Depth => (shown - self.debt_at(side, level.price)).max(0),
                _ => 0,
            };
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
