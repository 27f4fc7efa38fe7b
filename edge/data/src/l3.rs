//! An order-by-order (L3) book, rebuilt from records: who stands where, and whether it adds up.
//!
//! Feeds of the CME kind tell a trade in two voices: `Trade` is the incoming order, `Fill` each
//! resting order that it met, and the book itself changes by the `Cancel` or `Modify` that follows.
//! [`OrderBook`] applies the changes and checks the voices against each other. It matches nothing.

use std::collections::{BTreeMap, HashMap};
use tse_model::{BookAction, BookOrder, Price, Qty, Side};

/// A resting order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resting {
    /// Bid or ask.
    pub side: Side,
    /// Its price.
    pub price: Price,
    /// What is left of it.
    pub qty: Qty,
    /// Its place among all orders in time: lower came first.
    pub sequence: u64,
}

/// What does not add up in a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BookFlaw {
    /// It names an order that is not there.
    UnknownOrder,
    /// It adds an order that is there already.
    Duplicate,
    /// It takes more from an order than there is.
    TooMuch,
    /// Its fills are not at the price, or not on the other side, of the order.
    WrongFill,
    /// The event ended with the best bid above the best ask.
    Crossed,
    /// The event ended with trades and fills that do not sum to the same.
    Unbalanced,
    /// The event ended with an order that does not have what its fills left of it.
    NotTaken,
}

/// The orders of one instrument.
#[derive(Clone, Debug, Default)]
pub struct OrderBook {
    orders: HashMap<u64, Resting>,
    levels: [BTreeMap<Price, (Qty, u32)>; 2],
    next_sequence: u64,
    traded: [Qty; 2],
    filled: [Qty; 2],
    /// What the orders filled in this event must have when it ends.
    owed: Vec<(u64, Qty)>,
}

impl OrderBook {
    /// An empty book.
    pub fn new() -> Self {
        Self::default()
    }

    /// Applies one record.
    ///
    /// # Errors
    /// What does not add up. The record is applied as far as it can be.
    pub fn apply(&mut self, record: &BookOrder) -> Result<(), BookFlaw> {
        let done = match record.action {
            BookAction::Add => self.add(record),
            BookAction::Cancel => self.cancel(record),
            BookAction::Modify => self.modify(record),
            BookAction::Clear => {
                *self = Self { next_sequence: self.next_sequence, ..Self::default() };
                Ok(())
            }
            BookAction::Trade => {
                if let Some(side) = record.side {
                    self.traded[side.index()] += record.qty;
                }
                Ok(())
            }
            BookAction::Fill => self.fill(record),
        };
        if record.last { done.and(self.end_of_event()) } else { done }
    }

    fn add(&mut self, record: &BookOrder) -> Result<(), BookFlaw> {
        let Some(side) = record.side else {
            return Err(BookFlaw::WrongFill);
        };
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        let order = Resting { side, price: record.price, qty: record.qty, sequence };
        let before = self.orders.insert(record.order, order);
        self.grow(&order);
        match before {
            None => Ok(()),
            Some(before) => {
                self.shrink(&before, before.qty, true);
                Err(BookFlaw::Duplicate)
            }
        }
    }

    fn cancel(&mut self, record: &BookOrder) -> Result<(), BookFlaw> {
        let order = self.orders.get_mut(&record.order).ok_or(BookFlaw::UnknownOrder)?;
        let taken = record.qty.min(order.qty);
        let before = *order;
        order.qty -= taken;
        let gone = order.qty.is_zero();
        if gone {
            self.orders.remove(&record.order);
        }
        self.shrink(&before, taken, gone);
        if taken < record.qty { Err(BookFlaw::TooMuch) } else { Ok(()) }
    }

    fn modify(&mut self, record: &BookOrder) -> Result<(), BookFlaw> {
        let Some(before) = self.orders.get(&record.order).copied() else {
            // The record says all there is to know about the order, so it can join all the same.
            return self.add(record).and(Err(BookFlaw::UnknownOrder));
        };
        // The rule of the CME, and of most: a new price or a larger size joins the back of the queue.
        let back = record.price != before.price || record.qty > before.qty;
        let sequence = if back { self.next_sequence } else { before.sequence };
        self.next_sequence += u64::from(back);
        let after = Resting { price: record.price, qty: record.qty, sequence, ..before };
        self.shrink(&before, before.qty, true);
        self.orders.insert(record.order, after);
        self.grow(&after);
        Ok(())
    }

    fn fill(&mut self, record: &BookOrder) -> Result<(), BookFlaw> {
        let order = self.orders.get(&record.order).ok_or(BookFlaw::UnknownOrder)?;
        self.filled[order.side.index()] += record.qty;
        if record.side.is_some_and(|side| side != order.side) || record.price != order.price {
            return Err(BookFlaw::WrongFill);
        }
        let (id, left) = (record.order, order.qty);
        let owed = match self.owed.iter_mut().find(|(order, _)| *order == id) {
            Some((_, owed)) => owed,
            None => {
                self.owed.push((id, left));
                &mut self.owed.last_mut().expect("it was just put there").1
            }
        };
        *owed -= record.qty;
        if *owed < Qty::ZERO { Err(BookFlaw::TooMuch) } else { Ok(()) }
    }

    fn end_of_event(&mut self) -> Result<(), BookFlaw> {
        let (traded, filled) = (std::mem::take(&mut self.traded), std::mem::take(&mut self.filled));
        // What a buyer takes is filled on the other side.
        if traded[0] != filled[1] || traded[1] != filled[0] {
            return Err(BookFlaw::Unbalanced);
        }
        for (id, owed) in std::mem::take(&mut self.owed) {
            if self.orders.get(&id).map_or(Qty::ZERO, |order| order.qty) != owed {
                return Err(BookFlaw::NotTaken);
            }
        }
        let (bid, ask) = (self.best(Side::Buy), self.best(Side::Sell));
        match (bid, ask) {
            (Some((bid, _)), Some((ask, _))) if bid >= ask => Err(BookFlaw::Crossed),
            _ => Ok(()),
        }
    }

    fn grow(&mut self, order: &Resting) {
        let (qty, count) = self.levels[order.side.index()].entry(order.price).or_default();
        *qty += order.qty;
        *count += 1;
    }

    fn shrink(&mut self, order: &Resting, by: Qty, gone: bool) {
        let levels = &mut self.levels[order.side.index()];
        if let Some((qty, count)) = levels.get_mut(&order.price) {
            *qty -= by;
            *count -= u32::from(gone);
            if *count == 0 {
                levels.remove(&order.price);
            }
        }
    }

    /// Best price of a side and what stands there.
    pub fn best(&self, side: Side) -> Option<(Price, Qty)> {
        let levels = &self.levels[side.index()];
        let best = match side {
            Side::Buy => levels.last_key_value(),
            Side::Sell => levels.first_key_value(),
        };
        best.map(|(price, (qty, _))| (*price, *qty))
    }

    /// How many price levels a side has.
    pub fn depth(&self, side: Side) -> usize {
        self.levels[side.index()].len()
    }

    /// The order with this number.
    pub fn order(&self, id: u64) -> Option<&Resting> {
        self.orders.get(&id)
    }

    /// How many orders rest.
    pub fn len(&self) -> usize {
        self.orders.len()
    }

    /// Whether none does.
    pub fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// All orders with their numbers, first come first.
    pub fn in_order(&self) -> Vec<(u64, Resting)> {
        let mut all: Vec<_> = self.orders.iter().map(|(id, order)| (*id, *order)).collect();
        all.sort_by_key(|(_, order)| order.sequence);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(action: BookAction, side: Side, order: u64, price: i64, qty: i64) -> BookOrder {
        BookOrder {
            action,
            side: Some(side),
            order,
            price: Price::new(price),
            qty: Qty::new(qty),
            last: true,
        }
    }

    #[test]
    fn a_trade_is_told_by_two_voices_and_the_book_changes_by_a_third() {
        use BookAction::{Add, Cancel, Fill, Trade};
        let mut book = OrderBook::new();
        book.apply(&record(Add, Side::Sell, 1, 101, 5)).unwrap();
        let open = |record: BookOrder| BookOrder { last: false, ..record };
        book.apply(&open(record(Trade, Side::Buy, 0, 101, 2))).unwrap();
        book.apply(&open(record(Fill, Side::Sell, 1, 101, 2))).unwrap();
        book.apply(&record(Cancel, Side::Sell, 1, 101, 2)).unwrap();
        assert_eq!(book.best(Side::Sell), Some((Price::new(101), Qty::new(3))));
        let alone = book.apply(&record(Trade, Side::Buy, 0, 101, 1));
        assert_eq!(alone, Err(BookFlaw::Unbalanced));
    }

    #[test]
    fn a_larger_or_moved_order_loses_its_place_and_a_smaller_one_keeps_it() {
        use BookAction::{Add, Modify};
        let mut book = OrderBook::new();
        for id in 1..=3 {
            book.apply(&record(Add, Side::Buy, id, 100, 5)).unwrap();
        }
        book.apply(&record(Modify, Side::Buy, 2, 100, 4)).unwrap();
        book.apply(&record(Modify, Side::Buy, 1, 100, 6)).unwrap();
        let ids: Vec<_> = book.in_order().iter().map(|(id, _)| *id).collect();
        assert_eq!(ids, [2, 3, 1]);
        assert_eq!(book.best(Side::Buy), Some((Price::new(100), Qty::new(15))));
    }

    #[test]
    fn what_cannot_be_is_told() {
        use BookAction::{Add, Cancel};
        let mut book = OrderBook::new();
        book.apply(&record(Add, Side::Buy, 1, 100, 5)).unwrap();
        let apply = |book: &mut OrderBook, record| book.apply(&record).unwrap_err();
        assert_eq!(apply(&mut book, record(Cancel, Side::Buy, 9, 100, 1)), BookFlaw::UnknownOrder);
        assert_eq!(apply(&mut book, record(Add, Side::Sell, 2, 99, 1)), BookFlaw::Crossed);
        assert_eq!(apply(&mut book, record(Cancel, Side::Buy, 1, 100, 9)), BookFlaw::TooMuch);
        assert!(book.order(1).is_none() && book.len() == 1);
    }
}
