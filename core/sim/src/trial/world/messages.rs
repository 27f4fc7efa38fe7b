//! Messages between the engine and its exchanges, and what becomes of them on their way.

use super::{Event, Trial};
use crate::trial::faults::Fault;
use crate::trial::laws;
use crate::trial::marks::Mark;
use crate::venue;
use tse_kernel::{Input, Life};
use tse_model::{
    AccountEventKind, ClientOrderId, Environment, Inquiry, InstrumentId, Line, OrderEventKind,
    RejectReason, Request, Span, Standing, Statement, Timestamp, VenueId,
};

impl Trial {
    /// A request of the engine leaves; what becomes of it, it does not learn.
    pub(super) fn send(&mut self, venue: VenueId, request: Request) {
        let number = venue.index();
        if let Request::Cancel(cancel) = &request {
            self.cancelled.insert(cancel.id);
        }
        if !self.links[number].up {
            return; // the engine does not know yet
        }
        if self.hits(Fault::RequestLost) {
            self.marks.hit(Mark::RequestLost);
            return;
        }
        let line = self.links[number].line;
        let last = self.links[number].last_request;
        let (at, last) = self.way(Fault::RequestLate, Mark::LateRequest, last);
        self.links[number].last_request = last;
        self.push(at, Event::Request { venue: number, line, request });
        if self.hits(Fault::RequestTwice) {
            self.marks.hit(Mark::DuplicateRequest);
            let at = at + self.ms(0, 400);
            self.push(at, Event::Request { venue: number, line, request });
        }
    }

    /// When a message arrives, and the last that arrives in order: after the one before it, unless it is late.
    fn way(&mut self, late: Fault, mark: Mark, last: Timestamp) -> (Timestamp, Timestamp) {
        let at = self.now + self.ms(1, 8);
        if self.hits(late) {
            self.marks.hit(mark);
            (at + self.ms(50, 1_500), last)
        } else {
            let at = at.max(last);
            (at, at)
        }
    }

    /// A request reaches its exchange.
    pub(super) fn on_request(&mut self, venue: usize, line: u32, request: &Request) {
        // What was on its way when a link broke may have arrived or not.
        if self.links[venue].line != line && self.chance.one_in(1, 2) {
            self.marks.hit(Mark::RequestInACut);
            return;
        }
        self.saw(request.id(), || format!("arrives   {request:?}"));
        if self.absent.contains(&request.id()) && matches!(request, Request::Place(_)) {
            let what = format!("I4: {} arrives and was proven never to have", request.id());
            return self.fail(what);
        }
        let mut out = Vec::new();
        if self.links[venue].banned {
            let reason = RejectReason::MarketClosed;
            self.exchanges[venue].refuse(self.now, request, reason, &mut out);
        } else {
            self.exchanges[venue].ask(self.now, request, &mut out);
        }
        self.words(venue, &out);
        self.check_exposure(venue, request.instrument());
    }

    /// I16 by the truth. A fill of which no word came, on an order whose end was confirmed, cannot be known
    /// before the next comparison; what follows from that is excused until the limit holds again.
    fn check_exposure(&mut self, venue: usize, instrument: InstrumentId) {
        if self.unheard.iter().any(|key| !self.booked.fills.contains_key(key)) {
            self.excused.insert(instrument);
        }
        let law = laws::of_exposure(&self.exchanges[venue], instrument);
        if law.is_ok() {
            self.excused.remove(&instrument);
        } else if !self.meddled && !self.excused.contains(&instrument) {
            self.hold(law);
        }
    }

    pub(super) fn inquire(&mut self, venue: VenueId, inquiry: Inquiry) {
        let number = venue.index();
        if self.links[number].up {
            let line = self.links[number].line;
            let at = self.now + self.ms(5, 60);
            self.push(at, Event::Inquiry { venue: number, line, inquiry });
        }
    }

    pub(super) fn on_inquiry(&mut self, venue: usize, line: u32, inquiry: &Inquiry) {
        if self.links[venue].line != line {
            return;
        }
        if self.hits(Fault::AnswerLost) {
            return self.marks.hit(Mark::AnswerLost);
        }
        let lines = if self.links[venue].banned || self.hits(Fault::AnswerFailed) {
            self.marks.hit(Mark::AnswerFailed);
            vec![Statement { number: inquiry.number, line: Line::Failed }]
        } else {
            let lag = match self.hits(Fault::AnswerLags) {
                true => {
                    self.marks.hit(Mark::AnswerLagged);
                    [self.ms(0, 1_900), self.ms(0, 1_900)]
                }
                false => [Span::ZERO; 2],
            };
            self.exchanges[venue].report(self.now, inquiry, lag)
        };
        let at = self.now + self.ms(5, 200);
        self.push(at, Event::Answer { venue, line, lines });
    }

    pub(super) fn words(&mut self, venue: usize, outputs: &[venue::Output]) {
        for output in outputs {
            let input = match output {
                venue::Output::Order(event) => {
                    self.saw(event.id, || format!("venue     {:?}", event.kind));
                    let off = [
                        RejectReason::PriceOutOfRange,
                        RejectReason::QuantityOutOfRange,
                        RejectReason::UnknownInstrument,
                    ];
                    if matches!(event.kind, OrderEventKind::Rejected(why) if off.contains(&why)) {
                        self.marks.hit(Mark::RefusedAtVenue);
                    }
                    let mut event = *event;
                    if let OrderEventKind::Cancelled { filled, .. }
                    | OrderEventKind::Expired { filled } = &mut event.kind
                        && !self.says_filled[venue]
                    {
                        *filled = None;
                    }
                    Input::Order(event)
                }
                venue::Output::Account(event) => {
                    if matches!(event.kind, AccountEventKind::Liquidated { .. }) {
                        self.marks.hit(Mark::ForcedClose);
                    }
                    Input::Account(VenueId(venue as u16), *event)
                }
                venue::Output::Feed(_) | venue::Output::Statement(_) => continue,
            };
            self.word(venue, input);
        }
    }

    pub(super) fn word(&mut self, venue: usize, input: Input) {
        let filled = match input {
            Input::Order(event) => match event.kind {
                OrderEventKind::Filled(fill) => Some((VenueId(venue as u16), fill.exec)),
                _ => None,
            },
            _ => None,
        };
        if self.hits(Fault::WordSilent) {
            self.unheard.extend(filled);
            return self.marks.hit(Mark::WordLostSilently);
        }
        self.links[venue].sent += 1;
        if self.hits(Fault::WordLost) {
            self.unheard.extend(filled);
            return self.marks.hit(Mark::WordLost);
        }
        let (line, seq) = (self.links[venue].line, self.links[venue].sent);
        let last = self.links[venue].last_word;
        let (at, last) = self.way(Fault::WordLate, Mark::WordOutOfOrder, last);
        self.links[venue].last_word = last;
        self.push(at, Event::Word { venue, line, seq, input });
        if self.hits(Fault::WordTwice) {
            let at = at + self.ms(0, 800);
            self.push(at, Event::Word { venue, line, seq, input });
        }
    }

    pub(super) fn on_word(&mut self, venue: usize, line: u32, seq: u64, input: Input) {
        if self.links[venue].line != line || self.engine.is_none() {
            return;
        }
        if let Input::Order(event) = &input {
            self.saw(event.id, || format!("heard     {:?}", event.kind));
        }
        if let (Input::Order(event), Some(engine)) = (&input, &self.engine)
            && let OrderEventKind::Filled(fill) = event.kind
        {
            let order = engine.kernel().order(event.id);
            let known = self.booked.fills.contains_key(&(VenueId(venue as u16), fill.exec));
            if !known && order.is_some_and(|order| matches!(order.life, Life::Ended(_))) {
                self.marks.hit(Mark::FillAfterEnd);
            } else if !known && self.cancelled.contains(&event.id) {
                self.marks.hit(Mark::FillAfterCancelSent);
            }
        }
        let link = &mut self.links[venue];
        let gap = seq > link.expected;
        link.expected = link.expected.max(seq + 1);
        if gap {
            self.marks.hit(Mark::GapNoticed);
            self.tell(Input::Gap(VenueId(venue as u16)));
        }
        self.tell(input);
        self.check_all();
    }

    pub(super) fn cut(&mut self, venue: usize) {
        let link = &mut self.links[venue];
        link.up = false;
        link.line += 1;
        // Drawn in any case: a trial is told by its draws.
        if self.hits(Fault::CancelOnDisconnect) || self.faults.has(Fault::CancelOnDisconnect) {
            self.cancel_on_disconnect(venue);
        }
    }

    /// The venue takes orders back, but for some of them.
    pub(super) fn cancel_on_disconnect(&mut self, venue: usize) {
        let open: Vec<ClientOrderId> = self.exchanges[venue]
            .orders()
            .filter(|row| row.standing == Standing::Open)
            .map(|row| row.id)
            .collect();
        for id in open {
            if id.environment() != Environment::Foreign && self.chance.one_in(3, 4) {
                let mut out = Vec::new();
                self.exchanges[venue].cancel(self.now, id, &mut out);
                self.marks.hit(Mark::CancelledByDisconnect);
                // The words are sent on a stream that nobody hears.
                self.links[venue].sent += out.len() as u64;
            }
        }
    }

    pub(super) fn connect(&mut self, venue: usize) {
        if self.links[venue].up || self.engine.is_none() {
            return;
        }
        let link = &mut self.links[venue];
        link.up = true;
        link.expected = link.sent + 1;
        self.tell(Input::Link { venue: VenueId(venue as u16), up: true });
        let here: Vec<InstrumentId> = self
            .catalog
            .instruments()
            .iter()
            .filter(|it| it.venue.index() == venue)
            .map(|it| it.id)
            .collect();
        for instrument in here {
            self.send_snapshot(instrument);
            self.send_rules(instrument);
        }
    }
}
