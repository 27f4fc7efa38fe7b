//! Order-by-order history: every order stands in the book under its own name, so the place of ours in a
//! queue is true.
//!
//! What we took of an order stays taken under its name, also where it is told anew by a snapshot.

use super::{Market, OURS, Shows, lots};
use tse_matching::{Handle, Report};
use tse_model::{BookAction, BookOrder, Price, Qty, Side, Trade};

impl Market {
    /// One record of an order-by-order book. Appends the levels it touched to `touched`.
    pub fn order(
        &mut self,
        record: &BookOrder,
        touched: &mut Vec<(Side, Price)>,
        out: &mut Vec<Report>,
    ) {
        self.sees(Shows::Orders);
        let qty = lots(record.qty);
        match record.action {
            BookAction::Clear => self.clear_orders(),
            BookAction::Trade => {
                let (price, qty) = (record.price, record.qty);
                let trade = Trade { price, qty, aggressor: record.side, id: record.order };
                self.trade(&trade, out);
            }
            // The book change follows as a record of its own.
            BookAction::Fill => {}
            BookAction::Add => {
                if let Some(side) = record.side {
                    touched.extend(self.remove_order(record.order));
                    self.add_order(record.order, side, record.price, qty, out);
                    touched.push((side, record.price));
                }
            }
            BookAction::Cancel => {
                if let Some((handle, size)) = self.orders.get(record.order).copied() {
                    touched.extend(self.shrink_order(record.order, handle, size, size - qty));
                }
            }
            BookAction::Modify => self.modify_order(record, touched, out),
        }
        if record.last {
            // The event is told in full: what its prints took is out of the book.
            self.printed.clear();
            if self.blind {
                self.blind = false;
                self.own.iter_mut().flatten().for_each(|own| own.seen = true);
            }
        }
    }

    fn modify_order(
        &mut self,
        record: &BookOrder,
        touched: &mut Vec<(Side, Price)>,
        out: &mut Vec<Report>,
    ) {
        let qty = lots(record.qty);
        let Some(side) = record.side else { return };
        if let Some((handle, size)) = self.orders.get(record.order).copied() {
            let here = self.book.order(handle).map(|order| (order.side, order.price));
            if qty <= size && here.is_none_or(|here| here == (side, record.price)) {
                touched.extend(self.shrink_order(record.order, handle, size, qty));
                return;
            }
        }
        // A new price or a larger size joins the back; what we had taken of it stays taken.
        let size = self.orders.get(record.order).map_or(qty, |(_, size)| *size);
        let taken = self.taken.get(record.order).copied().unwrap_or(0) - (size - qty).max(0);
        let from = self.remove_order(record.order);
        touched.extend(from.filter(|from| *from != (side, record.price)));
        if taken > 0 {
            self.taken.insert(record.order, taken);
        }
        self.add_order(record.order, side, record.price, qty, out);
        touched.push((side, record.price));
    }

    /// Takes all of history's orders away. What we took of each is remembered.
    fn clear_orders(&mut self) {
        for side in Side::BOTH {
            let mut levels = std::mem::take(&mut self.levels);
            levels.clear();
            levels.extend(self.book.levels(side).map(|level| level.price));
            for price in &levels {
                self.recall_level(side, *price);
            }
            self.levels = levels;
            self.own[side.index()].iter_mut().for_each(|own| own.seen = false);
        }
        self.orders.clear();
        self.printed.clear();
        self.blind = true;
    }

    /// Puts an order of history into the book, as far as we have not taken it already.
    fn add_order(&mut self, id: u64, side: Side, price: Price, size: i64, out: &mut Vec<Report>) {
        let taken = self.taken.get(id).copied().unwrap_or(0);
        let available = (size - taken).max(0);
        let crossed = if available > 0 { self.cross(side, price, available, out) } else { 0 };
        if crossed > 0 {
            self.owe_order(id, crossed);
        }
        // Even where we took all of it, it is known and may be named again.
        let order = self.historical(side, price, (available - crossed).max(1), id);
        let unknown = self.own[side.index()].iter().any(|own| own.price == price && !own.seen);
        let mut queue = self.book.queue(side, price);
        let first = queue.find(|order| order.owner == OURS).filter(|_| unknown);
        let handle = match first {
            // What a snapshot tells was there before us, as far as anyone knows.
            Some(first) => self.book.insert_before(first.handle, order),
            None => self.book.rest(order),
        };
        let handle = handle.expect("an order's quantity fits");
        if available == crossed {
            self.resize(handle, 0);
        }
        self.orders.insert(id, (handle, size));
    }

    /// Takes an order of history away, with what we owe of it. Returns where it stood.
    fn remove_order(&mut self, id: u64) -> Option<(Side, Price)> {
        let (handle, size) = self.orders.get(id).copied()?;
        self.shrink_order(id, handle, size, 0)
    }

    /// An order of history shrank to `size` by the data: what we took of it pays first.
    fn shrink_order(
        &mut self,
        id: u64,
        handle: Handle,
        before: i64,
        size: i64,
    ) -> Option<(Side, Price)> {
        let size = size.clamp(0, before);
        let fall = before - size;
        let taken = self.taken.get(id).copied().unwrap_or(0) - fall;
        if taken > 0 && size > 0 {
            self.taken.insert(id, taken);
        } else {
            self.taken.remove(id);
        }
        if size == 0 {
            self.orders.remove(id);
        } else {
            self.orders.insert(id, (handle, size));
        }
        let view = self.book.order(handle)?;
        let target = lots(view.leaves).min(size);
        if target != lots(view.leaves) {
            self.resize(handle, target);
        }
        Some((view.side, view.price))
    }

    /// Notes what we took of an order of history.
    pub(super) fn owe_order(&mut self, id: u64, qty: i64) {
        let before = self.taken.get(id).copied().unwrap_or(0);
        self.taken.insert(id, before + qty);
    }

    /// What others have at a level, where every order is shown.
    pub fn available(&self, side: Side, price: Price) -> Qty {
        let Some(level) = self.book.level(side, price) else { return Qty::ZERO };
        let ours = self.own[side.index()].iter().filter(|own| own.price == price);
        let ours = ours.filter_map(|own| self.book.order(own.handle));
        let ours: i64 = ours.map(|order| lots(order.leaves)).sum();
        Qty::new(lots(level.visible) + lots(level.hidden) - ours)
    }
}
