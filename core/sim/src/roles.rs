//! The two roles in a world: who trades, and where.
//!
//! A backtest has a bare kernel and venues that only match. Paper trading has an engine on its journal and venues that
//! remember what they did, since an engine that was stopped will ask. The world treats both alike.

use crate::exchange::Exchange;
use crate::scenario::VenueSetup;
use crate::venue::{Input as Asked, Output as Word, Venue};
use tse_engine::{Engine, Lease};
use tse_journal::{Disk, JournalError};
use tse_kernel::{Input, Kernel, Output};
use tse_model::{
    Catalog, Inquiry, InstrumentId, Machine, MarketData, MarketEvent, OrderEvent, Request, Span,
    Timestamp,
};

/// Who trades.
pub(crate) trait Trader {
    /// What decides.
    fn kernel(&self) -> &Kernel;
    /// Sees a market event.
    fn show(&mut self, now: Timestamp, event: &MarketEvent, out: &mut Vec<Output>);
    /// Hears of an order.
    fn hear(&mut self, now: Timestamp, event: &OrderEvent, out: &mut Vec<Output>);
    /// Is told anything else.
    fn take(&mut self, now: Timestamp, input: Input, out: &mut Vec<Output>);
    /// Whether a message may leave: asked for every one, when it leaves.
    fn lets_pass(&self, _: &Request) -> bool {
        true
    }
}

impl Trader for Kernel {
    #[inline]
    fn kernel(&self) -> &Kernel {
        self
    }

    #[inline]
    fn show(&mut self, now: Timestamp, event: &MarketEvent, out: &mut Vec<Output>) {
        Self::show(self, now, event, out);
    }

    #[inline]
    fn hear(&mut self, now: Timestamp, event: &OrderEvent, out: &mut Vec<Output>) {
        Self::hear(self, now, event, out);
    }

    #[inline]
    fn take(&mut self, now: Timestamp, input: Input, out: &mut Vec<Output>) {
        self.step(now, input, out);
    }
}

/// An engine on its journal. Once that has failed it is told nothing more, and nothing leaves.
pub(crate) struct Recorded<D, L> {
    pub(crate) engine: Engine<D, L>,
    pub(crate) failed: Option<JournalError>,
}

impl<D: Disk, L: Lease> Trader for Recorded<D, L> {
    fn kernel(&self) -> &Kernel {
        self.engine.kernel()
    }

    fn show(&mut self, now: Timestamp, event: &MarketEvent, out: &mut Vec<Output>) {
        self.take(now, Input::Market(*event), out);
    }

    fn hear(&mut self, now: Timestamp, event: &OrderEvent, out: &mut Vec<Output>) {
        self.take(now, Input::Order(*event), out);
    }

    fn take(&mut self, now: Timestamp, input: Input, out: &mut Vec<Output>) {
        if self.failed.is_none() {
            self.failed = self.engine.take(now, input, out).err();
        }
    }

    fn lets_pass(&self, request: &Request) -> bool {
        self.failed.is_none() && self.engine.pass(request).is_ok()
    }
}

/// Where it trades.
pub(crate) trait Floor: Sized {
    /// Opens.
    fn open(catalog: &Catalog, setup: &VenueSetup) -> Self;
    /// What matches.
    fn venue(&self) -> &Venue;
    /// Takes what happened in one of its markets: see [`Venue::show`].
    fn show(
        &mut self,
        now: Timestamp,
        event: &MarketEvent,
        feed: impl FnMut(Option<MarketData>),
        out: &mut Vec<Word>,
    );
    /// Takes a request.
    fn ask(&mut self, now: Timestamp, request: &Request, out: &mut Vec<Word>);
    /// The time it asked for has come.
    fn wake(&mut self, now: Timestamp, out: &mut Vec<Word>);
    /// Says how things stand, where somebody remembers.
    fn inquire(&self, _: Timestamp, _: &Inquiry, _: &mut Vec<Word>) {}
    /// The book of a market as it was shown, as events that build it; nothing where no depth was shown.
    fn snapshot(&self, _: Timestamp, _: InstrumentId, _: &mut Vec<MarketEvent>) {}
}

impl Floor for Venue {
    fn open(catalog: &Catalog, setup: &VenueSetup) -> Self {
        Self::new(catalog, setup)
    }

    #[inline]
    fn venue(&self) -> &Venue {
        self
    }

    #[inline]
    fn show(
        &mut self,
        now: Timestamp,
        event: &MarketEvent,
        feed: impl FnMut(Option<MarketData>),
        out: &mut Vec<Word>,
    ) {
        Self::show(self, now, event, feed, out);
    }

    #[inline]
    fn ask(&mut self, now: Timestamp, request: &Request, out: &mut Vec<Word>) {
        Self::ask(self, now, request, out);
    }

    #[inline]
    fn wake(&mut self, now: Timestamp, out: &mut Vec<Word>) {
        self.step(now, Asked::Wake, out);
    }
}

impl Floor for Exchange {
    fn open(catalog: &Catalog, setup: &VenueSetup) -> Self {
        Self::new(catalog, setup)
    }

    fn venue(&self) -> &Venue {
        &self.venue
    }

    fn show(
        &mut self,
        now: Timestamp,
        event: &MarketEvent,
        feed: impl FnMut(Option<MarketData>),
        out: &mut Vec<Word>,
    ) {
        Self::show(self, now, event, feed, out);
    }

    fn ask(&mut self, now: Timestamp, request: &Request, out: &mut Vec<Word>) {
        Self::ask(self, now, request, out);
    }

    fn wake(&mut self, now: Timestamp, out: &mut Vec<Word>) {
        Self::wake(self, now, out);
    }

    fn inquire(&self, now: Timestamp, inquiry: &Inquiry, out: &mut Vec<Word>) {
        let lines = self.report(now, inquiry, [Span::ZERO; 2]);
        out.extend(lines.into_iter().map(Word::Statement));
    }

    fn snapshot(&self, now: Timestamp, instrument: InstrumentId, feed: &mut Vec<MarketEvent>) {
        if self.best_shown(instrument).is_some() {
            Self::snapshot(self, now, instrument, feed);
        }
    }
}
