//! An aggregated (L2) book: quantity by price, best level at the end of each side's vector.
//!
//! Nearly all changes happen near the best price, so a vector sorted from worst to best moves little.
//! Where no price in between is free, a level is found by its distance from the best; elsewhere it is
//! searched for from the end. Deep books of thousands of levels stay compact. A [`Ladder`] knows
//! no orders and does no matching, and it may be crossed for the length of a message: whoever feeds
//! it decides when it may be looked at.

use crate::{Depth, DepthChange, Price, Qty, Quote, Side};

/// One price of a book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level {
    /// The price.
    pub price: Price,
    /// How much stands there, above zero.
    pub qty: Qty,
}

/// An aggregated book.
#[derive(Clone, Debug, Default)]
pub struct Ladder {
    sides: [Vec<Level>; 2],
    state: LadderState,
}

/// Whether a ladder may be believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LadderState {
    /// Nothing has been said yet.
    #[default]
    Empty,
    /// A message is being applied.
    Open,
    /// Complete as of the last message.
    Valid,
    /// Messages were lost: wrong until the next snapshot.
    Gap,
}

crate::recorded_fields! {
    Level { price, qty }
    Ladder { sides, state }
}
crate::recorded_words! {
    LadderState { 1 => Empty, 2 => Open, 3 => Valid, 4 => Gap }
}

/// Where `price` is, or where it would go, in levels sorted from worst to best.
#[inline]
fn find(levels: &[Level], side: Side, price: Price) -> Result<usize, usize> {
    let Some(best) = levels.last() else { return Err(0) };
    let behind = side.behind(best.price, price);
    if behind < 0 {
        return Err(levels.len());
    }
    // Where every price down to this one is taken, as near the touch of a busy market, its distance is
    // its place.
    let dense = usize::try_from(behind).unwrap_or(usize::MAX);
    let from = (levels.len() - 1).saturating_sub(dense);
    if levels[from].price == price {
        return Ok(from);
    }
    find_between(levels, from, side, price)
}

/// The same, where prices in between are free: then it is not before `from`.
fn find_between(levels: &[Level], from: usize, side: Side, price: Price) -> Result<usize, usize> {
    // A few steps from the best price cover most updates; behind them a binary search.
    const NEAR: usize = 8;
    let mut at = levels.len();
    let stop = at.saturating_sub(NEAR).max(from);
    while at > stop {
        let here = levels[at - 1].price;
        if here == price {
            return Ok(at - 1);
        }
        if side.better(price, here) {
            return Err(at);
        }
        at -= 1;
    }
    let found = levels[from..at].binary_search_by(|level| match level.price == price {
        true => std::cmp::Ordering::Equal,
        false if side.better(price, level.price) => std::cmp::Ordering::Less,
        false => std::cmp::Ordering::Greater,
    });
    found.map(|at| from + at).map_err(|at| from + at)
}

impl Ladder {
    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies one step of a message.
    pub fn apply(&mut self, depth: Depth) {
        match depth.change {
            DepthChange::Set { side, price, qty } => {
                self.set(side, price, qty);
                if self.state != LadderState::Gap {
                    self.state = if depth.last { LadderState::Valid } else { LadderState::Open };
                }
            }
            DepthChange::Clear => {
                self.clear();
                self.state = if depth.last { LadderState::Empty } else { LadderState::Open };
            }
            DepthChange::Gap => self.state = LadderState::Gap,
        }
    }

    /// Sets the whole quantity at a price; zero takes the level away.
    #[inline]
    pub fn set(&mut self, side: Side, price: Price, qty: Qty) {
        let levels = &mut self.sides[side.index()];
        match find(levels, side, price) {
            Ok(at) if qty.is_positive() => levels[at].qty = qty,
            // The best goes most often, and nothing has to move for it.
            Ok(at) if at + 1 == levels.len() => drop(levels.pop()),
            Ok(at) => drop(levels.remove(at)),
            Err(at) if qty.is_positive() => levels.insert(at, Level { price, qty }),
            Err(_) => {}
        }
    }

    /// Moves the best level of a side from one price to another, where it is the best again: nothing
    /// else stands at or before either. Where nothing stood at `from`, it comes new.
    #[inline]
    pub fn move_best(&mut self, side: Side, from: Price, to: Price, qty: Qty) {
        let levels = &mut self.sides[side.index()];
        match levels.last_mut() {
            Some(best) if best.price == from && qty.is_positive() => {
                *best = Level { price: to, qty };
            }
            _ => {
                self.set(side, from, Qty::ZERO);
                self.set(side, to, qty);
            }
        }
        debug_assert!(self.sides[side.index()].is_sorted_by(|a, b| side.better(b.price, a.price)));
    }

    /// Makes this the book of a best-quote feed: one level a side.
    pub fn set_quote(&mut self, quote: &Quote) {
        for side in Side::BOTH {
            let levels = &mut self.sides[side.index()];
            levels.clear();
            if let Some((price, qty)) = quote.side(side) {
                levels.push(Level { price, qty });
            }
        }
        self.state = LadderState::Valid;
    }

    /// Takes all levels away.
    pub fn clear(&mut self) {
        self.sides.iter_mut().for_each(Vec::clear);
    }

    /// Whether the book is complete, and not crossed.
    pub fn is_valid(&self) -> bool {
        self.state == LadderState::Valid && !self.is_crossed()
    }

    /// Whether the book may be believed, and if not why.
    pub fn state(&self) -> LadderState {
        self.state
    }

    /// Whether the best bid is above the best ask.
    pub fn is_crossed(&self) -> bool {
        match (self.best(Side::Buy), self.best(Side::Sell)) {
            (Some(bid), Some(ask)) => bid.price > ask.price,
            _ => false,
        }
    }

    /// The best level of a side.
    #[inline]
    pub fn best(&self, side: Side) -> Option<Level> {
        self.sides[side.index()].last().copied()
    }

    /// Best bid and ask as a quote.
    pub fn quote(&self) -> Quote {
        let side = |side| self.best(side).unwrap_or(Level { price: Price::ZERO, qty: Qty::ZERO });
        let (bid, ask) = (side(Side::Buy), side(Side::Sell));
        Quote { bid: bid.price, bid_qty: bid.qty, ask: ask.price, ask_qty: ask.qty }
    }

    /// The quantity standing at a price.
    #[inline]
    pub fn qty_at(&self, side: Side, price: Price) -> Qty {
        let levels = &self.sides[side.index()];
        find(levels, side, price).map_or(Qty::ZERO, |at| levels[at].qty)
    }

    /// The levels of a side, best first.
    pub fn levels(&self, side: Side) -> impl ExactSizeIterator<Item = Level> + '_ {
        self.sides[side.index()].iter().rev().copied()
    }

    /// Keeps the best `depth` levels of each side: some venues maintain no more.
    pub fn truncate(&mut self, depth: usize) {
        for levels in &mut self.sides {
            let excess = levels.len().saturating_sub(depth);
            levels.drain(..excess);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Chance;
    use std::collections::BTreeMap;

    #[test]
    fn a_ladder_equals_a_sorted_map_after_any_updates() {
        let mut chance = Chance::stream(7, "ladder");
        let mut ladder = Ladder::new();
        let mut maps = [BTreeMap::new(), BTreeMap::new()];
        for step in 0..200_000 {
            let side = if chance.one_in(1, 2) { Side::Buy } else { Side::Sell };
            let (price, qty) = (chance.between(-60, 60), chance.between(0, 3));
            ladder.set(side, Price::new(price), Qty::new(qty));
            match qty {
                0 => drop(maps[side.index()].remove(&price)),
                _ => drop(maps[side.index()].insert(price, qty)),
            }
            if step % 1_000 == 0 {
                let bids: Vec<_> =
                    ladder.levels(Side::Buy).map(|l| (l.price.get(), l.qty.get())).collect();
                let asks: Vec<_> =
                    ladder.levels(Side::Sell).map(|l| (l.price.get(), l.qty.get())).collect();
                assert_eq!(bids, maps[0].iter().rev().map(|(p, q)| (*p, *q)).collect::<Vec<_>>());
                assert_eq!(asks, maps[1].iter().map(|(p, q)| (*p, *q)).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_gap_makes_the_book_invalid_until_a_snapshot_is_complete() {
        let set = |price, last| Depth {
            change: DepthChange::Set {
                side: Side::Buy,
                price: Price::new(price),
                qty: Qty::new(1),
            },
            last,
        };
        let mut ladder = Ladder::new();
        ladder.apply(set(1, true));
        assert!(ladder.is_valid());
        ladder.apply(Depth { change: DepthChange::Gap, last: true });
        ladder.apply(set(2, true));
        assert!(!ladder.is_valid(), "an update does not heal a gap");
        ladder.apply(Depth { change: DepthChange::Clear, last: false });
        ladder.apply(set(3, false));
        assert!(!ladder.is_valid(), "half a snapshot is no book");
        ladder.apply(set(4, true));
        assert!(ladder.is_valid());
        assert_eq!(ladder.levels(Side::Buy).len(), 2);
    }

    #[test]
    fn a_crossed_book_is_not_valid() {
        let quote = |bid, ask| Quote {
            bid: Price::new(bid),
            bid_qty: Qty::new(1),
            ask: Price::new(ask),
            ask_qty: Qty::new(1),
        };
        let mut ladder = Ladder::new();
        ladder.set_quote(&quote(10, 10));
        assert!(ladder.is_valid(), "locked is legal");
        ladder.set_quote(&quote(11, 10));
        assert!(!ladder.is_valid());
    }
}
