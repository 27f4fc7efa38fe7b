//! A simulated venue: its markets, our account there, and what it says to us.
//!
//! In go recorded market events and our requests, each at the moment it reaches the venue; out come the
//! feed and the venue's words about our orders. It knows nothing of latency: the lines to and from it
//! do. It does not know what its history will show next, so no order meets data older than itself.
//!
//! It trusts nobody's arithmetic: what an order may use is checked against its own books, what rests
//! sets money aside, and what could only enlarge a position it was meant to reduce is taken back.
//!
//! Begin at [`Venue::show`]; what we ask for is in `requests`, what comes of it in `fills`, funding and
//! liquidation in `margin`.

mod fills;
mod margin;
mod requests;

use crate::account::Account;
use crate::history::{Market, Shows};
use crate::scenario::VenueSetup;
use std::collections::BTreeMap;
use tse_matching::{Handle, Report};
use tse_model::{
    AccountEvent, AccountEventKind, BadRules, BookAction, Catalog, ClientOrderId, CurrencyId,
    Depth, DepthChange, IdMap, InstrumentId, Machine, MarketData, MarketEvent, Money, OrderEvent,
    OrderEventKind, PlaceOrder, Price, Qty, Quote, Rate, Request, Rules, Side, Span, Statement,
    Timestamp, Trade, TradingStatus, VenueId, Wake,
};
use tse_portfolio::Mark;

/// The end of the venue's day, when DAY orders expire: midnight UTC.
const DAY: Span = Span::from_secs(86_400);

/// What reaches a venue.
#[derive(Clone, Copy, Debug)]
pub enum Input {
    /// Something happened in one of its markets.
    Market(MarketEvent),
    /// We ask for something.
    Request(Request),
    /// The time it asked for has come.
    Wake,
}

impl From<Wake> for Input {
    fn from(_: Wake) -> Self {
        Self::Wake
    }
}

/// What a venue sends.
#[derive(Clone, Copy, Debug)]
pub enum Output {
    /// Market data.
    Feed(MarketEvent),
    /// About one of our orders.
    Order(OrderEvent),
    /// About our account.
    Account(AccountEvent),
    /// A line of its answer when it was asked how things stand.
    Statement(Statement),
}

/// One of our open orders at the venue.
#[derive(Clone, Copy, Debug)]
struct Open {
    request: PlaceOrder,
    /// Its name in the book; none while a stop waits for the end of a bar.
    handle: Option<Handle>,
    leaves: Qty,
    filled: Qty,
    reserved: Money,
    reserved_in: CurrencyId,
    limit: Option<Price>,
    expires: Option<Timestamp>,
}

/// Funding at fixed times, until the data brings its own.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    instrument: InstrumentId,
    next: Option<Timestamp>,
    every: Span,
    rate: Rate,
}

/// A simulated venue.
pub struct Venue {
    id: VenueId,
    catalog: Catalog,
    markets: Vec<Option<Market>>,
    /// The venue's own mark prices, where the data brings them.
    marks: Vec<Option<Mark>>,
    /// The middle of the last quote, the last print or the last close, as the data had it.
    quoted: Vec<Option<Mark>>,
    status: Vec<TradingStatus>,
    account: Account,
    open: Vec<Option<Open>>,
    free: Vec<u32>,
    by_id: IdMap<u32>,
    /// Unfilled quantity of our open orders, by instrument and side.
    working: Vec<[Qty; 2]>,
    /// How many open orders must not enlarge a position.
    reducing: usize,
    expiries: BTreeMap<(Timestamp, u32), ClientOrderId>,
    funding: Vec<Schedule>,
    next_exec: u64,
    next_order: u64,
    covered_until: Timestamp,
    /// How many fills closed positions by force, by instrument.
    liquidations: Vec<u64>,
    // Buffers, empty between events.
    reports: Vec<Report>,
    touched: Vec<(Side, Price)>,
    /// The level last published of an L3 event that is not complete.
    unfinished: Vec<Option<(Side, Price)>>,
}

impl Venue {
    /// A venue before its first event.
    pub fn new(catalog: &Catalog, setup: &VenueSetup) -> Self {
        let instruments = catalog.instruments().len();
        let mut markets: Vec<Option<Market>> = catalog.instruments().iter().map(|_| None).collect();
        let mut funding = Vec::new();
        for market in &setup.markets {
            markets[market.instrument.index()] = Some(Market::new(*market));
            if let Some(schedule) = market.funding {
                funding.push(Schedule {
                    instrument: market.instrument,
                    next: None,
                    every: schedule.every,
                    rate: schedule.rate,
                });
            }
        }
        Self {
            id: setup.venue,
            markets,
            marks: vec![None; instruments],
            quoted: vec![None; instruments],
            status: vec![TradingStatus::Open; instruments],
            account: Account::new(catalog, setup.venue, &setup.deposits),
            open: Vec::new(),
            free: Vec::new(),
            by_id: IdMap::default(),
            working: vec![[Qty::ZERO; 2]; instruments],
            reducing: 0,
            expiries: BTreeMap::new(),
            funding,
            next_exec: 1,
            next_order: 1,
            covered_until: Timestamp::MIN,
            liquidations: vec![0; instruments],
            reports: Vec::new(),
            touched: Vec::new(),
            unfinished: vec![None; instruments],
            catalog: catalog.clone(),
        }
    }

    /// Which venue this is.
    pub fn id(&self) -> VenueId {
        self.id
    }

    /// Our account, as the venue keeps it.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// A market of the venue.
    pub fn market(&self, instrument: InstrumentId) -> Option<&Market> {
        self.markets.get(instrument.index())?.as_ref()
    }

    /// How many fills closed a position by force.
    pub fn liquidations(&self, instrument: InstrumentId) -> u64 {
        self.liquidations[instrument.index()]
    }

    /// Best bid and ask of a market, history and ours.
    pub fn quote(&self, instrument: InstrumentId) -> Option<Quote> {
        let market = self.market(instrument)?;
        let side = |side| market.best(side).unwrap_or((Price::ZERO, Qty::ZERO));
        let ((bid, bid_qty), (ask, ask_qty)) = (side(Side::Buy), side(Side::Sell));
        Some(Quote { bid, bid_qty, ask, ask_qty })
    }

    // ---- market data ----

    /// Takes what happened in one of its markets: hands what it publishes to `feed`, and appends what it
    /// has to say about our orders and account to `out`. `None` is the event as it came: so it nearly
    /// always is.
    #[inline]
    pub fn show(
        &mut self,
        now: Timestamp,
        event: &MarketEvent,
        mut feed: impl FnMut(Option<MarketData>),
        out: &mut Vec<Output>,
    ) {
        let at = event.instrument.index();
        let Some(Some(market)) = self.markets.get_mut(at) else { return };
        let mut reports = std::mem::take(&mut self.reports);
        match &event.data {
            MarketData::Quote(quote) => {
                let shown = market.quote(quote, &mut reports);
                self.quoted[at] = quote.twice_mid().map(Mark::mid).or(self.quoted[at]);
                feed(shown.map(MarketData::Quote));
            }
            MarketData::Depth(depth) => {
                let available = market.depth(*depth, &mut reports);
                feed(match (depth.change, available) {
                    (DepthChange::Set { side, price, qty: shown }, Some(qty)) if qty != shown => {
                        let change = DepthChange::Set { side, price, qty };
                        Some(MarketData::Depth(Depth { change, last: depth.last }))
                    }
                    _ => None,
                });
            }
            MarketData::Trade(trade) => {
                let assumed = market.trade(trade, &mut reports);
                feed(None);
                if let Some(quote) = assumed {
                    self.quoted[at] = Some(Mark::at(trade.price));
                    feed(Some(MarketData::Quote(quote)));
                }
            }
            MarketData::Order(record) => {
                let mut touched = std::mem::take(&mut self.touched);
                market.order(record, &mut touched, &mut reports);
                if record.action == BookAction::Trade {
                    let (price, qty) = (record.price, record.qty);
                    let trade = Trade { price, qty, aggressor: record.side, id: record.order };
                    feed(Some(MarketData::Trade(trade)));
                }
                if record.action == BookAction::Clear {
                    let change = DepthChange::Clear;
                    feed(Some(MarketData::Depth(Depth { change, last: record.last })));
                }
                // An event that ends without a change completes what was published before.
                let unfinished = self.unfinished[at].take();
                if touched.is_empty() && record.last {
                    touched.extend(unfinished);
                }
                self.unfinished[at] = touched.last().copied().or(unfinished);
                if record.last {
                    self.unfinished[at] = None;
                }
                while let Some((side, price)) = touched.pop() {
                    let qty = market.available(side, price);
                    let change = DepthChange::Set { side, price, qty };
                    let last = record.last && touched.is_empty();
                    feed(Some(MarketData::Depth(Depth { change, last })));
                }
                self.touched = touched;
            }
            MarketData::Bar(bar) => {
                let assumed = market.bar(now, bar, &mut reports);
                feed(None);
                if let Some(quote) = assumed {
                    self.quoted[at] = Some(Mark::at(bar.close));
                    feed(Some(MarketData::Quote(quote)));
                }
            }
            MarketData::Mark(price) => {
                self.marks[at] = Some(Mark::at(*price));
                feed(None);
            }
            MarketData::Funding(rate) => {
                // The data knows better than any schedule.
                self.funding.retain(|schedule| schedule.instrument != event.instrument);
                self.exchange_funding(now, event.instrument, *rate, out);
            }
            MarketData::Status(status) => {
                self.status[at] = *status;
                feed(None);
            }
        }
        if let Some(Some(market)) = self.markets.get_mut(at) {
            market.arm_late(&mut reports);
        }
        self.reports = reports;
        if !self.reports.is_empty() {
            self.tell(now, event.instrument, out);
        }
        if !self.funding.is_empty() {
            self.arm_funding(now);
        }
        self.watch_cover(now, event, out);
    }

    /// Takes a request to completion.
    pub fn ask(&mut self, now: Timestamp, request: &Request, out: &mut Vec<Output>) {
        match request {
            Request::Place(place) => self.on_place(now, place, out),
            Request::Modify(modify) => self.on_modify(now, modify, out),
            Request::Cancel(cancel) => self.on_cancel(now, cancel, out),
        }
    }

    /// Takes other orders from now on. What rests stays as it is.
    ///
    /// # Errors
    /// If nobody could follow such rules.
    pub fn set_rules(&mut self, instrument: InstrumentId, rules: &Rules) -> Result<(), BadRules> {
        self.catalog.set_rules(instrument, rules)
    }

    /// Books money or an asset that comes in (above zero) or goes out.
    pub fn transfer(
        &mut self,
        now: Timestamp,
        currency: CurrencyId,
        amount: Money,
        out: &mut Vec<Output>,
    ) {
        self.account.transfer(currency, amount);
        let kind = AccountEventKind::Transfer { currency, amount };
        out.push(Output::Account(AccountEvent { ts_event: now, kind }));
    }

    /// Where a position is marked: the venue's mark, else the middle of what the data shows.
    fn mark(&self, instrument: InstrumentId) -> Option<Mark> {
        let at = instrument.index();
        let middle = || {
            let market = self.market(instrument)?;
            let bid = market.best_shown(Side::Buy)?;
            let ask = market.best_shown(Side::Sell)?;
            Some(Mark::mid(bid.get().checked_add(ask.get())?))
        };
        let shown = match self.market(instrument)?.shows() {
            Shows::Depth | Shows::Orders => middle(),
            _ => None,
        };
        self.marks[at].or(shown).or(self.quoted[at])
    }

    fn say(
        &self,
        now: Timestamp,
        id: ClientOrderId,
        instrument: InstrumentId,
        kind: OrderEventKind,
    ) -> Output {
        Output::Order(OrderEvent { id, instrument, ts_event: now, kind })
    }

    fn on_wake(&mut self, now: Timestamp, out: &mut Vec<Output>) {
        while let Some((&(at, slot), &id)) = self.expiries.first_key_value() {
            if at > now {
                break;
            }
            let filled = self.open[slot as usize].map(|open| open.filled);
            let instrument = self.withdraw(slot);
            out.push(self.say(now, id, instrument, OrderEventKind::Expired { filled }));
        }
        for at in 0..self.funding.len() {
            let Schedule { instrument, next, every, rate } = self.funding[at];
            if let Some(due) = next.filter(|next| *next <= now) {
                self.funding[at].next = Some(due + every);
                self.exchange_funding(now, instrument, rate, out);
            }
        }
    }

    /// Checks the venue against itself: its books, its markets, what open orders set aside, and that
    /// every order is filled, open or cancelled to the last lot.
    ///
    /// # Errors
    /// What does not hold, in words.
    ///
    /// # Panics
    /// If a matching engine is broken in itself.
    pub fn audit(&self) -> Result<(), String> {
        let name = &self.catalog.venue(self.id).name;
        let portfolio = self.account.portfolio();
        portfolio.check().map_err(|imbalance| format!("{name}'s books: {imbalance:?}"))?;
        if let Some(latched) = portfolio.latched() {
            return Err(format!("{name}'s books have latched: {latched:?}"));
        }
        for instrument in self.catalog.instruments() {
            if let Some(market) = self.market(instrument.id) {
                market.audit().map_err(|what| format!("{}: {what}", instrument.symbol))?;
            }
        }
        self.audit_orders().map_err(|what| format!("{name}: {what}"))
    }
}

impl Machine for Venue {
    type Input = Input;
    type Output = Output;

    fn step(&mut self, now: Timestamp, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Market(event) => {
                let mut feed = Vec::new();
                self.show(now, &event, |data| feed.push(data.unwrap_or(event.data)), out);
                let published = feed.into_iter().map(|data| MarketEvent { data, ..event });
                out.extend(published.map(Output::Feed));
            }
            Input::Request(request) => self.ask(now, &request, out),
            Input::Wake => self.on_wake(now, out),
        }
    }

    #[inline]
    fn wake_at(&self) -> Option<Timestamp> {
        // Asked after every event, and nearly always there is nothing to wait for.
        if self.expiries.is_empty() && self.funding.is_empty() {
            return None;
        }
        let expiry = self.expiries.first_key_value().map(|((at, _), _)| *at);
        let funding = self.funding.iter().filter_map(|schedule| schedule.next).min();
        match (expiry, funding) {
            (Some(expiry), Some(funding)) => Some(expiry.min(funding)),
            (expiry, funding) => expiry.or(funding),
        }
    }
}
