//! Rows of books: steps of aggregated books and of single orders, and where a message ends.
//!
//! A book may only be looked at when a message is complete. Some files mark the last row of each
//! message; in others rows of one message have something in common, and the last is known when the
//! next row differs. One event is therefore held back until then.

use super::{FLAG_LAST, Translator, When, event};
use crate::columns::{Cell, Row};
use crate::grid::Stop;
use crate::outlet::Outlet;
use crate::spec::Field;
use crate::words::{self, LevelAction};
use tse_model::{
    BookAction, BookOrder, Depth, DepthChange, InstrumentId, MarketData, MarketEvent, Price, Qty,
    SourceFault, Timestamp,
};

/// Which message a row of a book belongs to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Message {
    Named(Vec<u8>),
    At(Timestamp, Timestamp),
}

/// An event held back until the next row tells whether it is the last of its message.
pub(super) struct Pending {
    event: MarketEvent,
    message: Message,
    row: u64,
}

impl Translator {
    pub(super) fn depth<R: Row>(
        &mut self,
        row: &R,
        instrument: InstrumentId,
        when: &When,
        out: &mut Outlet,
    ) -> Result<(), Stop> {
        let name = self.columns.name(Field::Action);
        let change = match words::level_action(name, self.text(row, Field::Action)?)? {
            LevelAction::Clear => DepthChange::Clear,
            LevelAction::Gap => DepthChange::Gap,
            LevelAction::Set => {
                let side = self.side(row)?.ok_or_else(|| self.no_side())?;
                let measure = instrument.index();
                let number = self.need(row, Field::Price, self.price_shift)?;
                let price = self.price(Field::Price, number, measure, None, out)?;
                let number = self.need(row, Field::Size, self.size_shift)?;
                let qty = self.size(Field::Size, number, measure, None, out)?;
                DepthChange::Set { side, price, qty }
            }
        };
        let data = MarketData::Depth(Depth { change, last: false });
        self.book_step(row, event(when, instrument, data), out)
    }

    pub(super) fn order<R: Row>(
        &mut self,
        row: &R,
        instrument: InstrumentId,
        when: &When,
        out: &mut Outlet,
    ) -> Result<(), Stop> {
        let name = self.columns.name(Field::Action);
        let Some(action) = words::order_action(name, self.text(row, Field::Action)?)? else {
            return Ok(());
        };
        let measure = instrument.index();
        let (mut price, mut qty) = (Price::ZERO, Qty::ZERO);
        if action != BookAction::Clear {
            let number = self.need(row, Field::Price, self.price_shift)?;
            price = self.price(Field::Price, number, measure, None, out)?;
            let number = self.need(row, Field::Size, self.size_shift)?;
            qty = self.size(Field::Size, number, measure, None, out)?;
        }
        let side = self.side(row)?;
        if side.is_none() && matches!(action, BookAction::Add | BookAction::Modify) {
            return Err(self.no_side());
        }
        let order = self.natural(row, Field::Id)?;
        let record = BookOrder { action, side, order, price, qty, last: false };
        self.book_step(row, event(when, instrument, MarketData::Order(record)), out)
    }

    #[cold]
    pub(super) fn no_side(&self) -> Stop {
        words::unknown(self.columns.name(Field::Side), b"", "bid or ask").into()
    }

    /// Gives out a step of a book, `last` where its message ends.
    pub(super) fn book_step<R: Row>(
        &mut self,
        row: &R,
        mut event: MarketEvent,
        out: &mut Outlet,
    ) -> Result<(), Stop> {
        let said = if self.columns.has(Field::Last) {
            Some(self.flag(row, Field::Last)?)
        } else if self.columns.has(Field::Flags) {
            Some(self.flags(row)? & FLAG_LAST != 0)
        } else {
            None
        };
        if let Some(last) = said {
            set_last(&mut event, last);
            return out.push(event).map_err(Stop::Fault);
        }
        // Nothing says where a message ends, so that is known when the next one begins.
        let message = match self.columns.cell(row, Field::Message) {
            Cell::Text(b"") => Message::At(event.ts_event, event.ts_recv),
            Cell::Text(name) => Message::Named(name.to_vec()),
            Cell::Int(number) => Message::Named(number.to_string().into_bytes()),
            other => return Err(self.wrong_type(Field::Message, other)),
        };
        self.release(Some((&message, event.instrument)), out)?;
        self.pending = Some(Pending { event, message, row: out.spot.number });
        Ok(())
    }

    /// Gives out the event that was held back. `next` is the message of the one that follows.
    pub(super) fn release(
        &mut self,
        next: Option<(&Message, InstrumentId)>,
        out: &mut Outlet,
    ) -> Result<(), SourceFault> {
        let Some(Pending { mut event, message, row }) = self.pending.take() else {
            return Ok(());
        };
        let goes_on = next == Some((&message, event.instrument));
        set_last(&mut event, !goes_on);
        let here = std::mem::replace(&mut out.spot.number, row);
        let pushed = out.push(event);
        out.spot.number = here;
        pushed
    }
}

fn set_last(event: &mut MarketEvent, last: bool) {
    match &mut event.data {
        MarketData::Depth(depth) => depth.last = last,
        MarketData::Order(record) => record.last = last,
        _ => {}
    }
}
