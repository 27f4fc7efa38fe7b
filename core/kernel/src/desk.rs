//! Everything the engine knows: names, markets, orders, positions, money set aside.
//!
//! Strategies see a desk through [`tse_strategy::View`]; the engine changes it. It holds facts only:
//! what is done about them is decided in [`act`](crate::act).

use crate::limits::LimitTable;
use crate::orders::{Order, Orders, Slot};
use tse_model::bytes::{Kept, Reader, Recorded, Writer, load_each, save_each};
use tse_model::{
    Catalog, CurrencyId, Environment, Instrument, InstrumentId, Money, Price, Qty, Rounding, Rules,
    Settlement, Side, Span, StrategyId, Timestamp, VenueId,
};
use tse_portfolio::{Mark, Portfolio};
use tse_risk::{Book, Switch};
use tse_strategy::{Desk, LiveOrder, Market};

/// What the engine knows.
pub struct State {
    pub(crate) catalog: Catalog,
    pub(crate) markets: Vec<Market>,
    pub(crate) orders: Orders,
    pub(crate) portfolio: Portfolio,
    pub(crate) limits: LimitTable,
    /// Money set aside for open orders, by venue × currency.
    reserved: Vec<Money>,
    /// Which instruments pay differences, by the same.
    on_margin: Vec<Vec<InstrumentId>>,
    /// Whether the link to a venue is up, by venue.
    links: Vec<bool>,
    /// Whether our account at a venue is known to be as it is there, by venue.
    reconciled: Vec<bool>,
    /// Whether a market says that it is open, by instrument.
    statuses: Vec<bool>,
    /// How far trading is cut back.
    pub(crate) switch: Switch,
    /// Whether a person has let it trade, where one must.
    pub(crate) armed: bool,
    /// Which instruments a strategy may trade, by strategy and instrument (C02).
    allowed: Vec<Vec<bool>>,
    /// How long the newest record took to become safe, as far as we were told.
    pub(crate) lag: Span,
    /// Whether the journal's room runs out.
    pub(crate) low: bool,
}

/// Markets, orders, money and links, what venues take, and limits as they are by now; names are settings.
impl Kept for State {
    fn save(&self, out: &mut Writer) {
        let Self {
            catalog,
            markets,
            orders,
            portfolio,
            limits,
            reserved,
            on_margin: _,
            links,
            reconciled,
            statuses,
            switch,
            armed,
            allowed: _,
            lag,
            low,
        } = self;
        let rules: Vec<Rules> = catalog.instruments().iter().map(Instrument::rules).collect();
        rules.save(out);
        limits.save(out);
        switch.save(out);
        armed.save(out);
        lag.save(out);
        low.save(out);
        save_each(markets, out);
        orders.save(out);
        portfolio.save(out);
        save_each(reserved, out);
        save_each(links, out);
        save_each(reconciled, out);
        save_each(statuses, out);
    }

    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        for (at, rules) in Vec::<Rules>::read(bytes)?.iter().enumerate() {
            self.catalog.set_rules(InstrumentId(at as u32), rules).ok()?;
        }
        self.limits.load(bytes)?;
        self.switch.load(bytes)?;
        self.armed.load(bytes)?;
        self.lag.load(bytes)?;
        self.low.load(bytes)?;
        load_each(&mut self.markets, bytes)?;
        self.orders.load(bytes)?;
        self.portfolio.load(bytes)?;
        load_each(&mut self.reserved, bytes)?;
        load_each(&mut self.links, bytes)?;
        load_each(&mut self.reconciled, bytes)?;
        load_each(&mut self.statuses, bytes)
    }
}

impl State {
    /// A desk before anything happened.
    pub fn new(
        catalog: Catalog,
        limits: LimitTable,
        portfolio: Portfolio,
        environment: Environment,
        allowed: Vec<Vec<bool>>,
        cool_down: Span,
    ) -> Self {
        let currencies = catalog.currencies().len();
        let places = catalog.venues().len() * currencies;
        let mut on_margin = vec![Vec::new(); places];
        for it in catalog.instruments() {
            if it.settlement == Settlement::Difference {
                on_margin[it.venue.index() * currencies + it.settle.index()].push(it.id);
            }
        }
        Self {
            markets: catalog.instruments().iter().map(|_| Market::new()).collect(),
            orders: Orders::new(catalog.instruments().len(), environment),
            reserved: vec![Money::ZERO; places],
            on_margin,
            links: vec![true; catalog.venues().len()],
            reconciled: vec![true; catalog.venues().len()],
            statuses: vec![true; catalog.instruments().len()],
            switch: Switch::new(catalog.venues().len(), catalog.instruments().len(), allowed.len())
                .with_cool_down(cool_down),
            armed: true,
            allowed,
            lag: Span::ZERO,
            low: false,
            portfolio,
            limits,
            catalog,
        }
    }

    fn place(&self, venue: VenueId, currency: CurrencyId) -> usize {
        venue.index() * self.catalog.currencies().len() + currency.index()
    }

    /// Money set aside for open orders.
    pub fn reserved(&self, venue: VenueId, currency: CurrencyId) -> Money {
        self.reserved[self.place(venue, currency)]
    }

    /// The limits of every scope, as they are by now.
    pub fn limits(&self) -> &LimitTable {
        &self.limits
    }

    /// How far trading is cut back, and why.
    pub fn switch(&self) -> &Switch {
        &self.switch
    }

    /// Begins the switch anew: a mistake, for whoever plants it.
    pub(crate) fn forget_switch(&mut self) {
        let (venues, markets) = (self.catalog.venues().len(), self.catalog.instruments().len());
        self.switch = Switch::new(venues, markets, self.allowed.len());
    }

    /// Whether it may trade: an engine that boots may have to be armed by a person.
    pub fn is_armed(&self) -> bool {
        self.armed
    }

    /// Whether a strategy may trade an instrument (C02). What is nobody's is not asked for by anybody.
    pub fn allows(&self, strategy: StrategyId, instrument: InstrumentId) -> bool {
        let own = self.allowed.get(strategy.index());
        own.and_then(|own| own.get(instrument.index())).is_some_and(|it| *it)
    }

    /// How many orders at a venue await an answer, or nobody knows of (C21).
    pub fn in_flight(&self, venue: VenueId) -> u32 {
        let here = self.catalog.instruments().iter().filter(|it| it.venue == venue);
        here.map(|it| self.orders.awaiting(it.id)).sum()
    }

    /// Whether the link to a venue is up.
    pub fn is_linked(&self, venue: VenueId) -> bool {
        self.links[venue.index()]
    }

    /// Whether our account at a venue is known to be as it is there: without that, nothing new is sent.
    pub fn is_reconciled(&self, venue: VenueId) -> bool {
        self.reconciled[venue.index()]
    }

    pub(crate) fn set_reconciled(&mut self, venue: VenueId, reconciled: bool) {
        self.reconciled[venue.index()] = reconciled;
    }

    /// Notes that the link to a venue came up or broke: its markets take orders only while it is up.
    pub(crate) fn set_link(&mut self, venue: VenueId, up: bool) {
        self.links[venue.index()] = up;
        for it in self.catalog.instruments() {
            if it.venue == venue {
                self.markets[it.id.index()].open = up && self.statuses[it.id.index()];
            }
        }
    }

    /// Notes what a market says of itself, which we may not be able to use.
    pub(crate) fn set_status(&mut self, instrument: InstrumentId, open: bool) {
        self.statuses[instrument.index()] = open;
        let linked = self.is_linked(self.catalog.instrument(instrument).venue);
        self.markets[instrument.index()].open = open && linked;
    }

    /// Changes what an order sets aside. Amounts were checked when the order was approved, and a sum
    /// of them is at most the account's balance.
    pub(crate) fn set_reserve(&mut self, slot: Slot, amount: Money) {
        let order = self.orders.get_mut(slot);
        let before = std::mem::replace(&mut order.reserved, amount);
        let (currency, instrument) = (order.reserved_in, order.request.instrument);
        let venue = self.catalog.instrument(instrument).venue;
        let more = Money::from_units(amount.units().saturating_sub(before.units()));
        self.add_reserve(venue, currency, more);
    }

    /// Sets more money aside, or less.
    #[inline]
    pub(crate) fn add_reserve(&mut self, venue: VenueId, currency: CurrencyId, more: Money) {
        let place = self.place(venue, currency);
        let units = self.reserved[place].units().saturating_add(more.units());
        self.reserved[place] = Money::from_units(units);
    }

    /// Position and open orders of one scope in a market.
    pub(crate) fn book(&self, instrument: InstrumentId, strategy: Option<StrategyId>) -> Book {
        let (open, orders) = self.orders.totals(instrument, strategy);
        let position = match strategy {
            Some(strategy) => self.portfolio.qty(strategy, instrument),
            None => self.portfolio.net(instrument),
        };
        Book { position, open, orders }
    }

    /// The price that positions are marked at: the venue's mark, the mid, or the last trade.
    pub fn mark(&self, instrument: InstrumentId) -> Option<Mark> {
        let market = &self.markets[instrument.index()];
        if let Some(mark) = market.mark {
            return Some(Mark::at(mark));
        }
        match market.quote.twice_mid() {
            Some(twice) => Some(Mark::mid(twice)),
            None => market.trade.map(|trade| Mark::at(trade.price)),
        }
    }

    /// What is free for a new order in `currency` at `venue`: cash, less what open orders set aside,
    /// plus unrealised profit and less initial margin of what is held on margin. `None` if a held
    /// position cannot be valued.
    pub(crate) fn free_funds(&self, venue: VenueId, currency: CurrencyId) -> Option<Money> {
        let mut free =
            self.portfolio.balance(venue, currency).checked_sub(self.reserved(venue, currency))?;
        for id in &self.on_margin[self.place(venue, currency)] {
            let held = || self.portfolio.positions().in_instrument(*id).filter(|it| !it.is_flat());
            if held().next().is_none() {
                continue;
            }
            let (instrument, net) = (self.catalog.instrument(*id), self.portfolio.net(*id));
            let mark = self.mark(*id)?;
            let value = mark.value(instrument, net)?;
            for position in held() {
                // Nearly always one strategy holds all there is.
                let gain = match position.qty() == net {
                    true => position.unrealized_of(instrument, value)?,
                    false => position.unrealized(instrument, mark)?,
                };
                free = free.checked_add(gain)?;
            }
            let margin = instrument.margin_initial.of(value.checked_abs()?, Rounding::Up)?;
            free = free.checked_sub(margin)?;
        }
        Some(free)
    }

    /// Our best open order on `side`, of any strategy. Orders whose cancel is on its way do not count:
    /// requests reach a venue in the order they were sent, so they are gone before a new one arrives.
    /// One that is being changed counts at either price.
    pub(crate) fn own_best(&self, instrument: InstrumentId, side: Side) -> Option<Price> {
        let open = self.orders.open(instrument, side).filter(|(_, order)| !order.cancelling);
        let prices = open.filter_map(|(_, order)| order.keenest());
        match side {
            Side::Buy => prices.max(),
            Side::Sell => prices.min(),
        }
    }
}

fn live(order: &Order) -> LiveOrder {
    LiveOrder {
        id: order.request.id,
        side: order.request.side,
        price: order.price(),
        leaves: order.leaves(),
        cancelling: order.cancelling,
    }
}

impl Desk for State {
    fn catalog(&self) -> &Catalog {
        &self.catalog
    }
    fn market(&self, instrument: InstrumentId) -> &Market {
        &self.markets[instrument.index()]
    }
    fn position(&self, strategy: StrategyId, instrument: InstrumentId) -> Qty {
        self.portfolio.qty(strategy, instrument)
    }
    fn live_orders(
        &self,
        strategy: StrategyId,
        instrument: InstrumentId,
        each: &mut dyn FnMut(&LiveOrder),
    ) {
        for side in Side::BOTH {
            for (_, order) in self.orders.open(instrument, side) {
                if order.request.strategy == strategy {
                    each(&live(order));
                }
            }
        }
    }
    fn free(&self, venue: VenueId, currency: CurrencyId) -> Money {
        self.free_funds(venue, currency).unwrap_or(Money::ZERO)
    }
}

tse_model::recorded_fields! {
    Alarm { at, strategy }
}

/// When a strategy wants to be called.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Alarm {
    pub(crate) at: Timestamp,
    pub(crate) strategy: StrategyId,
}
