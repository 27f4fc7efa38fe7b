//! Beginning in mid-stream: what happened before the range is folded into a snapshot.
//!
//! A range that starts after its files do must not start with half a book. [`Cut`] keeps the books
//! of what it lets go by, and tells their state as the first events of the range.

use crate::l3::OrderBook;
use tse_model::{
    BookAction, BookOrder, Depth, DepthChange, InstrumentId, Ladder, LadderState, MarketData,
    MarketEvent, Price, Qty, Side, Timestamp,
};

/// The state of all books before a moment.
pub(crate) struct Cut {
    pub(crate) from: Timestamp,
    ladders: Vec<Option<Ladder>>,
    books: Vec<Option<OrderBook>>,
}

impl Cut {
    pub(crate) fn new(from: Timestamp, instruments: usize) -> Self {
        let none = |_| None;
        Self {
            from,
            ladders: (0..instruments).map(none).collect(),
            books: (0..instruments).map(|_| None).collect(),
        }
    }

    /// Takes in an event before the range.
    pub(crate) fn absorb(&mut self, event: &MarketEvent) {
        let at = event.instrument.index();
        match event.data {
            MarketData::Depth(depth) => {
                self.ladders[at].get_or_insert_with(Ladder::new).apply(depth);
            }
            MarketData::Order(record) => {
                // A flawed record is a matter for a check; here the book only has to go along.
                let _ = self.books[at].get_or_insert_with(OrderBook::new).apply(&record);
            }
            _ => {}
        }
    }

    /// Forgets everything.
    pub(crate) fn forget(&mut self) {
        self.ladders.fill(None);
        self.books.iter_mut().for_each(|book| *book = None);
    }

    /// Tells the books as they stand.
    pub(crate) fn snapshot(&self, out: &mut Vec<MarketEvent>) {
        for (at, ladder) in self.ladders.iter().enumerate() {
            if let Some(ladder) = ladder {
                let first = out.len();
                self.tell_ladder(InstrumentId(at as u32), ladder, out);
                if let Some(MarketEvent { data: MarketData::Depth(depth), .. }) =
                    out[first..].last_mut()
                {
                    depth.last = true;
                }
            }
        }
        for (at, book) in self.books.iter().enumerate() {
            if let Some(book) = book {
                let first = out.len();
                self.tell_book(InstrumentId(at as u32), book, out);
                if let Some(MarketEvent { data: MarketData::Order(record), .. }) =
                    out[first..].last_mut()
                {
                    record.last = true;
                }
            }
        }
    }

    fn event(&self, instrument: InstrumentId, data: MarketData) -> MarketEvent {
        MarketEvent { ts_event: self.from, ts_recv: self.from, instrument, data }
    }

    fn tell_ladder(&self, id: InstrumentId, ladder: &Ladder, out: &mut Vec<MarketEvent>) {
        let mut tell = |change| {
            out.push(self.event(id, MarketData::Depth(Depth { change, last: false })));
        };
        match ladder.state() {
            LadderState::Empty => {}
            LadderState::Gap => tell(DepthChange::Gap),
            LadderState::Open | LadderState::Valid => {
                tell(DepthChange::Clear);
                for side in Side::BOTH {
                    for level in ladder.levels(side) {
                        tell(DepthChange::Set { side, price: level.price, qty: level.qty });
                    }
                }
            }
        }
    }

    fn tell_book(&self, id: InstrumentId, book: &OrderBook, out: &mut Vec<MarketEvent>) {
        let clear = BookOrder {
            action: BookAction::Clear,
            side: None,
            order: 0,
            price: Price::ZERO,
            qty: Qty::ZERO,
            last: false,
        };
        out.push(self.event(id, MarketData::Order(clear)));
        for (order, resting) in book.in_order() {
            let add = BookOrder {
                action: BookAction::Add,
                side: Some(resting.side),
                order,
                price: resting.price,
                qty: resting.qty,
                last: false,
            };
            out.push(self.event(id, MarketData::Order(add)));
        }
    }
}
