//! Strategies that do as they are told: at a time, or whenever something happens.

use std::sync::{Arc, Mutex};
use tse_model::bytes::{Reader, Writer};
use tse_model::{Fill, InstrumentId, Price, Qty, Quote, Side, Span, Timestamp, Trade};
use tse_strategy::{Intents, Interest, OrderUpdate, OrderWish, Strategy, UpdateKind, View};

/// What a puppet is told.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    Start,
    Quote(InstrumentId, &'a Quote),
    Trade(InstrumentId, &'a Trade),
    Fill(InstrumentId, Side, &'a Fill),
    Order(&'a OrderUpdate),
    Timer,
    Stop,
}

/// Who pulls the strings: a closure, or something that can also be saved.
pub trait Plays: Send {
    fn told(&mut self, told: Told<'_>, view: &View<'_>, wish: &mut Intents);
    fn save(&self, _: &mut Writer) -> bool {
        false
    }
    fn load(&mut self, _: &mut Reader<'_>) -> Option<()> {
        None
    }
}

impl<F> Plays for F
where
    F: FnMut(Told<'_>, &View<'_>, &mut Intents) + Send,
{
    fn told(&mut self, told: Told<'_>, view: &View<'_>, wish: &mut Intents) {
        self(told, view, wish);
    }
}

/// A strategy that is told everything at one door.
pub struct Puppet<P>(pub P);

impl<P: Plays> Strategy for Puppet<P> {
    fn save(&self, out: &mut Writer) -> bool {
        self.0.save(out)
    }
    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        self.0.load(bytes)
    }
    fn interest(&self) -> Interest {
        Interest { quotes: true, trades: true, ..Interest::default() }
    }
    fn on_start(&mut self, view: &View<'_>, wish: &mut Intents) {
        self.0.told(Told::Start, view, wish);
    }
    fn on_quote(&mut self, it: InstrumentId, quote: &Quote, view: &View<'_>, wish: &mut Intents) {
        self.0.told(Told::Quote(it, quote), view, wish);
    }
    fn on_trade(&mut self, it: InstrumentId, trade: &Trade, view: &View<'_>, wish: &mut Intents) {
        self.0.told(Told::Trade(it, trade), view, wish);
    }
    fn on_fill(
        &mut self,
        it: InstrumentId,
        side: Side,
        fill: &Fill,
        view: &View<'_>,
        wish: &mut Intents,
    ) {
        self.0.told(Told::Fill(it, side, fill), view, wish);
    }
    fn on_order(&mut self, update: &OrderUpdate, view: &View<'_>, wish: &mut Intents) {
        self.0.told(Told::Order(update), view, wish);
    }
    fn on_timer(&mut self, view: &View<'_>, wish: &mut Intents) {
        self.0.told(Told::Timer, view, wish);
    }
    fn on_stop(&mut self, view: &View<'_>, wish: &mut Intents) {
        self.0.told(Told::Stop, view, wish);
    }
}

/// What a strategy heard and when, as lines of text that a test reads when the run is over.
#[derive(Clone, Default)]
pub struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    pub fn note(&self, now: Timestamp, what: impl std::fmt::Display) {
        let nanos = now.nanos();
        let at = match (nanos / 1_000_000, nanos % 1_000_000) {
            (ms, 0) => format!("{ms}ms"),
            (ms, rest) => format!("{ms}ms+{rest}ns"),
        };
        self.0.lock().expect("nobody panics while writing").push(format!("{at} {what}"));
    }

    /// Notes what a strategy is told, as far as anyone could care.
    pub fn hear(&self, told: Told<'_>, view: &View<'_>) {
        match told {
            Told::Quote(it, quote) => self
                .note(view.now, format!("quote {} {} {}", it.0, quote.bid.get(), quote.ask.get())),
            Told::Trade(it, trade) => {
                self.note(view.now, format!("trade {} {}", it.0, trade.price.get()))
            }
            Told::Fill(_, side, fill) => {
                let (qty, price) = (fill.qty.get(), fill.price.get());
                self.note(view.now, format!("{side} {qty} @ {price}"));
            }
            Told::Order(update) => match update.kind {
                UpdateKind::Venue(tse_model::OrderEventKind::Filled(_)) => {}
                UpdateKind::Venue(kind) => {
                    let name = format!("{kind:?}").to_lowercase();
                    self.note(view.now, name.split(['(', ' ']).next().unwrap_or_default());
                }
                kind => self.note(view.now, format!("{kind:?}").to_lowercase()),
            },
            Told::Timer => self.note(view.now, "timer"),
            Told::Start | Told::Stop => {}
        }
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().expect("nobody panics while writing").clone()
    }
}

/// One thing a script does.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    Order(OrderWish),
    /// Takes back everything it has in a market.
    CancelAll(InstrumentId),
    /// Changes the oldest order it has in a market.
    Modify(InstrumentId, Qty, Option<Price>),
    /// Nothing but being there.
    Look,
}

/// A strategy that does each act at its time in milliseconds, and notes what it hears.
pub fn script(acts: &[(i64, Act)], diary: &Diary) -> impl Strategy + 'static {
    let (acts, diary) = (acts.to_vec(), diary.clone());
    let mut next = 0;
    Puppet(move |told: Told<'_>, view: &View<'_>, wish: &mut Intents| match told {
        Told::Start => {
            for (ms, _) in &acts {
                let at = Timestamp::EPOCH + Span::from_millis(*ms);
                wish.wake_in(at - view.now);
            }
        }
        Told::Timer => {
            let act = acts[next].1;
            next += 1;
            match act {
                Act::Order(order) => wish.order(order),
                Act::CancelAll(it) => wish.cancel_all(it),
                Act::Modify(it, qty, price) => {
                    let mut first = None;
                    view.live_orders(it, |order| first = first.or(Some(order.id)));
                    wish.modify(first.expect("there is one to change"), qty, price);
                }
                Act::Look => diary.note(view.now, "timer"),
            }
        }
        told => diary.hear(told, view),
    })
}
