//! What markets show and what the clock says: strategies are called, bars end, deadlines pass.

use crate::kernel::Kernel;
use crate::life::{Ending, Evidence, Life, Step};
use crate::message::{Alert, Output};
use crate::plant::Plant;
use crate::reconcile::Reconciler;
use tse_model::{
    ClientOrderId, Depth, DepthChange, InstrumentId, MarketData, MarketEvent, Quote, Request,
    Timestamp, TradingStatus,
};

impl Kernel {
    pub(crate) fn on_market(&mut self, now: Timestamp, event: &MarketEvent, out: &mut Vec<Output>) {
        let instrument = event.instrument;
        let Some(market) = self.state.markets.get_mut(instrument.index()) else { return };
        match &event.data {
            MarketData::Quote(quote) => {
                market.quote = *quote;
                market.updated = Some(now);
                market.as_of = event.ts_event;
                market.valid = !quote.is_crossed();
                self.feed_bars(now, instrument, quote);
                self.tell_quote(now, instrument, out);
            }
            MarketData::Depth(depth) => self.on_depth(now, event.ts_event, instrument, *depth, out),
            MarketData::Trade(trade) => {
                market.trade = Some(*trade);
                for at in 0..self.listeners[instrument.index()].bars.len() {
                    let series = self.listeners[instrument.index()].bars[at];
                    self.series[series].builder.trade(now, trade);
                    self.note_bar_end(series);
                }
                for at in 0..self.listeners[instrument.index()].trades.len() {
                    let strategy = self.listeners[instrument.index()].trades[at];
                    self.tell(now, strategy, true, out, |strategy, view, wish| {
                        strategy.on_trade(instrument, trade, view, wish);
                    });
                }
            }
            MarketData::Mark(price) => market.mark = Some(*price),
            MarketData::Status(status) => {
                self.state.set_status(instrument, *status == TradingStatus::Open);
            }
            // Single orders and bars of a source are turned into depth and quotes by the venue; its
            // funding arrives as money on the account.
            MarketData::Order(_) | MarketData::Bar(_) | MarketData::Funding(_) => {}
        }
    }

    fn on_depth(
        &mut self,
        now: Timestamp,
        as_of: Timestamp,
        instrument: InstrumentId,
        depth: Depth,
        out: &mut Vec<Output>,
    ) {
        if self.has(Plant::GapBelieved) && depth.change == DepthChange::Gap {
            return;
        }
        let market = &mut self.state.markets[instrument.index()];
        market.book.apply(depth);
        let gap = depth.change == DepthChange::Gap;
        if !depth.last && !gap {
            return;
        }
        let (before, was_valid) = (market.quote, market.valid);
        market.valid = !gap && market.book.is_valid();
        if market.valid {
            market.quote = market.book.quote();
        }
        let (quote, valid) = (market.quote, market.valid);
        if depth.last {
            market.updated = Some(now);
            market.as_of = as_of;
            for at in 0..self.listeners[instrument.index()].books.len() {
                let strategy = self.listeners[instrument.index()].books[at];
                self.tell(now, strategy, true, out, |strategy, view, wish| {
                    strategy.on_book(instrument, view, wish);
                });
            }
        }
        if !valid {
            if was_valid {
                self.tell_invalid(now, instrument, out);
            }
            return;
        }
        if quote != before {
            self.feed_bars(now, instrument, &quote);
        }
        if quote != before || !was_valid {
            self.tell_quote(now, instrument, out);
        }
    }

    /// What was quoted by a book that cannot be believed any more has to go.
    fn tell_invalid(&mut self, now: Timestamp, instrument: InstrumentId, out: &mut Vec<Output>) {
        for at in 0..self.listeners[instrument.index()].quotes.len() {
            let strategy = self.listeners[instrument.index()].quotes[at];
            self.tell(now, strategy, false, out, |strategy, view, wish| {
                strategy.on_invalid(instrument, view, wish);
            });
        }
    }

    fn tell_quote(&mut self, now: Timestamp, instrument: InstrumentId, out: &mut Vec<Output>) {
        let quote = self.state.markets[instrument.index()].quote;
        for at in 0..self.listeners[instrument.index()].quotes.len() {
            let strategy = self.listeners[instrument.index()].quotes[at];
            self.tell(now, strategy, true, out, |strategy, view, wish| {
                strategy.on_quote(instrument, &quote, view, wish);
            });
        }
    }

    fn feed_bars(&mut self, now: Timestamp, instrument: InstrumentId, quote: &Quote) {
        self.note_swing(now, instrument);
        for at in 0..self.listeners[instrument.index()].bars.len() {
            let series = self.listeners[instrument.index()].bars[at];
            self.series[series].builder.quote(now, quote);
            self.note_bar_end(series);
        }
    }

    fn note_bar_end(&mut self, series: usize) {
        if let Some(end) = self.series[series].builder.end() {
            self.wake = Some(self.wake.map_or(end, |wake| wake.min(end)));
        }
    }

    pub(crate) fn on_wake(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        for at in 0..self.series.len() {
            while self.series[at].builder.end().is_some_and(|end| end <= now) {
                let series = &mut self.series[at];
                let (strategy, number) = (series.strategy, series.number);
                if let Some(bar) = series.builder.close() {
                    self.tell(now, strategy, true, out, |strategy, view, wish| {
                        strategy.on_bar(number, &bar, view, wish);
                    });
                }
            }
        }
        while self.alarms.peek().is_some_and(|alarm| alarm.0.at <= now) {
            let alarm = self.alarms.pop().expect("it was peeked").0;
            self.tell(now, alarm.strategy, false, out, |strategy, view, wish| {
                strategy.on_timer(view, wish);
            });
        }
        while let Some((deadline, id)) = self.answers.front().copied() {
            if deadline > now {
                break;
            }
            self.answers.pop_front();
            self.on_overdue(id, out);
        }
        self.reconcile_due(now, out);
        if self.loss_watch.as_ref().is_some_and(|it| it.next.is_some_and(|at| at <= now)) {
            self.watch_losses(now, out);
        }
        if self.exposure_watch.as_ref().is_some_and(|it| it.next.is_some_and(|at| at <= now)) {
            self.watch_exposure(now, out);
        }
        self.look_at_clock(now, out);
        if self.sweep_at.is_some_and(|at| at <= now) {
            self.sweep(now, out);
        }
        self.find_wake(now);
    }

    /// The venue has not answered: the order is unknown, and is taken back.
    fn on_overdue(&mut self, id: ClientOrderId, out: &mut Vec<Output>) {
        let Some(slot) = self.state.orders.find(id) else { return };
        let order = self.state.orders.get_mut(slot);
        if order.life != Life::Sent {
            return;
        }
        if self.has(Plant::SilenceIsRefusal) {
            self.move_life(slot, Evidence::Closed(Ending::Rejected), out);
            return;
        }
        if self.has(Plant::SilenceIsResent) {
            let request = self.state.orders.get(slot).request;
            let venue = self.state.catalog.instrument(request.instrument).venue;
            out.push(Output::Send(venue, Request::Place(request)));
            return;
        }
        if let Step::To(life) = self.state.orders.get(slot).life.after(Evidence::AnswerOverdue) {
            self.state.orders.live_on(slot, life);
            out.push(Output::Alert(Alert::AnswerOverdue(id)));
            self.cancel(slot, out);
        }
    }

    fn find_wake(&mut self, now: Timestamp) {
        // Orders that were answered need no deadline.
        while let Some((_, id)) = self.answers.front() {
            let waiting =
                self.state.orders.order(*id).is_some_and(|order| order.life == Life::Sent);
            if waiting {
                break;
            }
            self.answers.pop_front();
        }
        let bars = self.series.iter().filter_map(|series| series.builder.end());
        let alarm = self.alarms.peek().map(|alarm| alarm.0.at);
        let answer = self.answers.front().map(|(deadline, _)| *deadline);
        let inquiries = self.reconcilers.iter().filter_map(Reconciler::wake_at);
        let all = bars.chain(alarm).chain(answer).chain(inquiries);
        let losses = self.loss_watch.as_ref().and_then(|watch| watch.next);
        let exposure = self.exposure_watch.as_ref().and_then(|watch| watch.next);
        self.wake =
            all.chain(self.sweep_at).chain(losses).chain(exposure).chain(self.clock_due(now)).min();
    }
}
