//! Our account at a simulated venue, as the venue keeps it.
//!
//! The venue trusts nobody's arithmetic: it checks every order against its own balances, sets money
//! aside for what rests, charges its own fees and liquidates what is no longer covered. It keeps one
//! account, so its books are a [`Portfolio`] with one holder.

use tse_model::{
    Catalog, CurrencyId, Fill, Instrument, InstrumentId, Liquidity, Money, Price, Qty, Rate,
    Rounding, Settlement, Side, StrategyId, Timestamp, VenueId,
};
use tse_portfolio::{Mark, Portfolio};

/// Whose positions the venue keeps: the account's.
const HOLDER: StrategyId = StrategyId(0);

/// An account at a venue.
#[derive(Clone, Debug)]
pub struct Account {
    venue: VenueId,
    portfolio: Portfolio,
    /// Set aside for open orders, by currency.
    reserved: Vec<Money>,
    /// Value traded so far by instrument: decides fee tiers.
    traded: Vec<Money>,
    /// Instruments on margin at this venue.
    on_margin: Vec<InstrumentId>,
}

/// What becomes of an account when the market moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cover {
    /// Positions are covered, or there are none.
    Enough,
    /// Equity in a settlement currency is below what keeps its positions.
    Short(CurrencyId),
}

impl Account {
    /// An account with these deposits.
    pub fn new(catalog: &Catalog, venue: VenueId, deposits: &[(CurrencyId, Money)]) -> Self {
        let mut portfolio = Portfolio::for_catalog(catalog);
        for (currency, amount) in deposits {
            portfolio.deposit(venue, *currency, *amount).expect("an opening balance fits");
        }
        let here = catalog.instruments().iter().filter(|it| it.venue == venue);
        Self {
            venue,
            portfolio,
            reserved: vec![Money::ZERO; catalog.currencies().len()],
            traded: vec![Money::ZERO; catalog.instruments().len()],
            on_margin: here
                .filter(|it| it.settlement == Settlement::Difference)
                .map(|it| it.id)
                .collect(),
        }
    }

    /// Books what comes in, or below zero what goes out.
    pub(crate) fn transfer(&mut self, currency: CurrencyId, amount: Money) {
        // The books latch on what they cannot hold, and whoever audits them sees it.
        let _ = self.portfolio.deposit(self.venue, currency, amount);
    }

    /// The books, to read.
    pub fn portfolio(&self) -> &Portfolio {
        &self.portfolio
    }

    /// The account's position.
    pub fn position(&self, instrument: InstrumentId) -> Qty {
        self.portfolio.net(instrument)
    }

    /// Set aside for open orders.
    pub fn reserved(&self, currency: CurrencyId) -> Money {
        self.reserved[currency.index()]
    }

    /// Changes what is set aside.
    pub fn reserve(&mut self, currency: CurrencyId, before: Money, after: Money) {
        let held = &mut self.reserved[currency.index()];
        *held = Money::from_units(held.units() - before.units() + after.units());
    }

    /// Equity and the margin it must cover in one settlement currency; `None` if a position has no
    /// mark yet.
    fn margin(
        &self,
        catalog: &Catalog,
        currency: CurrencyId,
        share: impl Fn(&Instrument) -> Rate,
        mark: impl Fn(InstrumentId) -> Option<Mark>,
    ) -> Option<(Money, Money)> {
        let mut equity = self.portfolio.balance(self.venue, currency);
        let mut needed = Money::ZERO;
        for id in &self.on_margin {
            let instrument = catalog.instrument(*id);
            let Some(position) = self.portfolio.position(HOLDER, *id) else { continue };
            if instrument.settle != currency || position.is_flat() {
                continue;
            }
            let value = mark(*id)?.value(instrument, position.qty())?;
            equity = equity.checked_add(position.unrealized_of(instrument, value)?)?;
            let share = share(instrument).of(value.checked_abs()?, Rounding::Up)?;
            needed = needed.checked_add(share)?;
        }
        Some((equity, needed))
    }

    /// What a new order may use of a currency; `None` if that cannot be known.
    pub fn free(
        &self,
        catalog: &Catalog,
        currency: CurrencyId,
        mark: impl Fn(InstrumentId) -> Option<Mark>,
    ) -> Option<Money> {
        let (equity, used) = self.margin(catalog, currency, |it| it.margin_initial, mark)?;
        equity.checked_sub(used)?.checked_sub(self.reserved(currency))
    }

    /// Whether positions on margin are still covered.
    pub fn cover(&self, catalog: &Catalog, mark: impl Fn(InstrumentId) -> Option<Mark>) -> Cover {
        for (at, id) in self.on_margin.iter().enumerate() {
            if self.portfolio.net(*id).is_zero() {
                continue;
            }
            let currency = catalog.instrument(*id).settle;
            let first = self.on_margin[..at]
                .iter()
                .all(|other| catalog.instrument(*other).settle != currency);
            if !first
                && self.on_margin[..at].iter().any(|other| {
                    !self.portfolio.net(*other).is_zero()
                        && catalog.instrument(*other).settle == currency
                })
            {
                continue;
            }
            if let Some((equity, needed)) =
                self.margin(catalog, currency, |it| it.margin_maintenance, &mark)
                && equity < needed
            {
                return Cover::Short(currency);
            }
        }
        Cover::Enough
    }

    /// Whether a position on margin is open in this instrument.
    pub fn is_exposed_in(&self, catalog: &Catalog, id: InstrumentId) -> bool {
        !self.portfolio.net(id).is_zero()
            && catalog.instrument(id).settlement == Settlement::Difference
    }

    /// The instruments on margin here.
    pub fn on_margin(&self) -> &[InstrumentId] {
        &self.on_margin
    }

    /// The fee of a fill, by the schedule and what was traded before; `None` on overflow.
    pub fn fee(
        &self,
        instrument: &Instrument,
        liquidity: Liquidity,
        price: Price,
        qty: Qty,
    ) -> Option<Money> {
        instrument.fees.fee(instrument, liquidity, price, qty, self.traded[instrument.id.index()])
    }

    /// Books a fill.
    pub fn fill(&mut self, instrument: &Instrument, side: Side, fill: &Fill, now: Timestamp) {
        // The venue's own ledger overflowing would be the venue's problem, not ours to survive: its
        // latch is checked by the laws.
        let _ = self.portfolio.apply_fill(HOLDER, instrument, side, fill, now);
        let traded = &mut self.traded[instrument.id.index()];
        if let Some(value) =
            instrument.value(fill.price, fill.qty).and_then(|it| it.money.checked_abs())
        {
            *traded = traded.checked_add(value).unwrap_or(*traded);
        }
    }

    /// Exchanges funding on a position: longs pay shorts `rate` of value. Returns what we received, if
    /// anything is held.
    pub fn fund(
        &mut self,
        instrument: &Instrument,
        rate: Rate,
        mark: Mark,
        now: Timestamp,
    ) -> Option<Money> {
        let qty = self.portfolio.net(instrument.id);
        if qty.is_zero() {
            return None;
        }
        let paid = rate.of(mark.value(instrument, qty)?, Rounding::HalfEven)?;
        let received = -paid;
        self.portfolio.apply_funding(instrument, received, now).ok()?;
        Some(received)
    }
}
