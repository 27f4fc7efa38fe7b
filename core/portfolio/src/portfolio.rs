//! The portfolio: every fill booked twice, as money in the ledger and as a position.
//!
//! [`Portfolio::apply_fill`] is the main verb. What it moves depends on the instrument: where the
//! asset is delivered (spot, shares, currencies on a cash account) the base asset and its price
//! change hands at once; of a contract only profit, loss and fees ever become cash. A booking
//! changes ledger and position together or neither. Whatever does not fit the integers latches the
//! ledger, and everything after it is refused with the first cause.
//!
//! Questions: [`Portfolio::position`], [`Portfolio::net`], [`Portfolio::balance`],
//! [`Portfolio::equity`], [`Portfolio::profit`]; the law is [`Portfolio::check`].

use crate::audit::Audit;
use crate::ledger::{AccountKind, Cause, Latched, Ledger, Move, PageId};
use crate::position::Position;
use crate::positions::Positions;
use crate::wide::mul_div_floor;
use tse_model::bytes::{Kept, Reader, Writer};
use tse_model::{
    Catalog, CurrencyId, Fill, Instrument, InstrumentId, Money, Qty, Settlement, Side, StateHash,
    StrategyId, Timestamp, VenueId, recorded_fields,
};

/// What a booking changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Booked {
    /// The strategy's position before.
    pub before: Qty,
    /// The strategy's position now.
    pub after: Qty,
    /// What the fill was worth in the settlement currency: bought above zero, sold below.
    pub value: Money,
    /// The profit that it realised, before fees.
    pub realized: Money,
}

/// What is known of an instrument that has been booked, and what all strategies hold of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub(crate) venue: VenueId,
    pub(crate) base: CurrencyId,
    pub(crate) settle: CurrencyId,
    /// Of one lot, if the asset is delivered.
    pub(crate) base_units_per_lot: i128,
    pub(crate) delivers: bool,
    pub(crate) profit_sign: i128,
    pub(crate) settle_page: PageId,
    pub(crate) base_page: PageId,
    pub(crate) net: Qty,
    /// Funding that came when nobody held anything.
    pub(crate) unassigned: Money,
}

/// Everything we hold, at all venues, for all strategies.
#[derive(Clone, Debug, Default)]
pub struct Portfolio {
    pub(crate) ledger: Ledger,
    pub(crate) positions: Positions,
    pub(crate) terms: Vec<Option<Terms>>,
    pub(crate) audit: Option<Box<Audit>>,
    /// Room for splitting funding; empty between calls.
    shares: Vec<Share>,
}

recorded_fields! {
    Terms {
        venue, base, settle, base_units_per_lot, delivers, profit_sign, settle_page, base_page, net,
        unassigned,
    }
}

impl Kept for Portfolio {
    fn save(&self, out: &mut Writer) {
        let Self { ledger, positions, terms, audit: _, shares: _ } = self;
        ledger.save(out);
        positions.save(out);
        terms.save(out);
    }

    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        self.ledger.load(bytes)?;
        self.positions.load(bytes)?;
        self.terms.load(bytes)?;
        // Who audits begins anew with what is held: the facts before it are not kept.
        if self.audit.is_some() {
            self.audit = Some(Box::new(Audit::of(self)));
        }
        Some(())
    }
}

#[derive(Clone, Copy, Debug)]
struct Share {
    slot: u32,
    amount: i128,
    rest: i128,
}

impl Portfolio {
    /// An empty portfolio; what it does not know yet, it learns from the instruments of fills.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty portfolio with a place for every instrument of a catalogue.
    pub fn for_catalog(catalog: &Catalog) -> Self {
        let mut portfolio = Self::new();
        for instrument in catalog.instruments() {
            portfolio.learn(instrument);
        }
        portfolio
    }

    /// The ledger, to read.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// All positions, to read.
    pub fn positions(&self) -> &Positions {
        &self.positions
    }

    /// The position of a strategy in an instrument, if there ever was one.
    #[inline]
    pub fn position(&self, strategy: StrategyId, instrument: InstrumentId) -> Option<&Position> {
        self.positions.get(strategy, instrument)
    }

    /// How much a strategy holds of an instrument.
    #[inline]
    pub fn qty(&self, strategy: StrategyId, instrument: InstrumentId) -> Qty {
        self.positions.qty(strategy, instrument)
    }

    /// How much all strategies together hold of an instrument: the account's position.
    #[inline]
    pub fn net(&self, instrument: InstrumentId) -> Qty {
        match self.terms.get(instrument.index()) {
            Some(Some(terms)) => terms.net,
            _ => Qty::ZERO,
        }
    }

    /// How much of a currency is held in cash at a venue; delivered assets are cash too.
    #[inline]
    pub fn balance(&self, venue: VenueId, currency: CurrencyId) -> Money {
        self.ledger.balance(venue, currency, AccountKind::Cash)
    }

    /// All cash that is not zero, by venue, then currency.
    pub fn balances(&self) -> impl Iterator<Item = (VenueId, CurrencyId, Money)> + '_ {
        self.ledger.pages().filter_map(|(venue, currency, page)| {
            let cash = self.ledger.on(page, AccountKind::Cash);
            (!cash.is_zero()).then_some((venue, currency, cash))
        })
    }

    /// Funding on an instrument that came when no strategy held any of it.
    pub fn unassigned_funding(&self, instrument: InstrumentId) -> Money {
        match self.terms.get(instrument.index()) {
            Some(Some(terms)) => terms.unassigned,
            _ => Money::ZERO,
        }
    }

    /// Why everything is refused, if it is.
    #[inline]
    pub fn latched(&self) -> Option<Latched> {
        self.ledger.latched()
    }

    /// Books a fill of a strategy at a moment.
    ///
    /// # Errors
    /// [`Latched`], now or since an earlier overflow; nothing was booked.
    #[inline]
    pub fn apply_fill(
        &mut self,
        strategy: StrategyId,
        instrument: &Instrument,
        side: Side,
        fill: &Fill,
        ts: Timestamp,
    ) -> Result<Booked, Latched> {
        if let Some(latched) = self.ledger.latched() {
            return Err(latched);
        }
        let booked = self.book_fill(strategy, instrument, side, fill, ts);
        match booked {
            Ok(booked) => {
                if let Some(audit) = &mut self.audit {
                    audit.fill(strategy, instrument, side, fill);
                }
                Ok(booked)
            }
            Err(why) => Err(self.ledger.latch(why)),
        }
    }

    #[inline]
    fn book_fill(
        &mut self,
        strategy: StrategyId,
        instrument: &Instrument,
        side: Side,
        fill: &Fill,
        ts: Timestamp,
    ) -> Result<Booked, Cause> {
        let unvalued = Cause::Value { instrument: instrument.id };
        let unheld = Cause::Position { strategy, instrument: instrument.id };
        if !fill.qty.is_positive() {
            return Err(unvalued);
        }
        let terms = self.terms(instrument);
        let slot = self.positions.slot(strategy, instrument.id);
        let position = *self.positions.at(slot);

        let qty = fill.qty.signed(side);
        let value = instrument.value(fill.price, qty).ok_or(unvalued)?;
        let change = position.after(instrument, qty, value.money, fill.price).ok_or(unheld)?;
        let net = terms.net.checked_add(qty).ok_or(unheld)?;
        let add = |a: Money, b: Money| a.checked_add(b).ok_or(unheld);
        let realized = add(position.realized, change.realized)?;
        let volume = add(position.volume, value.money.checked_abs().ok_or(unheld)?)?;
        let settled_fee = fill.fee_currency == terms.settle;
        let fees = if settled_fee { add(position.fees, fill.fee)? } else { position.fees };
        let other_key = (strategy, instrument.id, fill.fee_currency);
        let other = if settled_fee || fill.fee.is_zero() {
            None
        } else {
            Some(add(self.positions.other_fee(other_key), fill.fee)?)
        };

        let fee_page = if settled_fee {
            terms.settle_page
        } else {
            self.ledger.open(terms.venue, fill.fee_currency)
        };
        let fee = Move {
            page: fee_page,
            from: AccountKind::Cash,
            to: AccountKind::Fees,
            amount: fill.fee,
        };
        let profit = |to| Move {
            page: terms.settle_page,
            from: AccountKind::RealizedProfit,
            to,
            amount: change.realized,
        };
        // What exact arithmetic would have given on top: the residue was paid where we gained from
        // a lower value, and the other way round.
        let residue = if terms.profit_sign > 0 { -value.residue } else { value.residue };
        let posted = if terms.delivers {
            let base = instrument.base_amount(qty).ok_or(unvalued)?;
            let trade = |page, from, to, amount| Move { page, from, to, amount };
            self.ledger.post_rounded(
                &[
                    trade(terms.base_page, AccountKind::Trading, AccountKind::Cash, base),
                    trade(terms.settle_page, AccountKind::Cash, AccountKind::Trading, value.money),
                    profit(AccountKind::Trading),
                    fee,
                ],
                terms.settle_page,
                residue,
            )
        } else {
            let moves = [profit(AccountKind::Cash), fee];
            self.ledger.post_rounded(&moves, terms.settle_page, residue)
        };
        posted.map_err(|latched| latched.why)?;

        if let Some(other) = other {
            self.positions.set_other_fee(other_key, other);
        }
        let position = self.positions.at_mut(slot);
        let before = position.qty;
        position.turn(change.qty, change.cost, ts);
        position.realized = realized;
        position.volume = volume;
        position.fees = fees;
        position.fills += 1;
        self.set_net(instrument.id, net);
        Ok(Booked { before, after: change.qty, value: value.money, realized: change.realized })
    }

    /// Books funding on the account's position in a contract: received above zero, paid below.
    ///
    /// It is shared among the strategies in proportion to what they hold, signed, as the venue
    /// reckons it: of a long and a short one pays what the other receives. Shares are whole units by
    /// largest remainder (ties to the lower strategy) and sum to the amount. Where all positions
    /// cancel out or nobody holds any, the ledger books it and no strategy does:
    /// [`Portfolio::unassigned_funding`].
    ///
    /// # Errors
    /// [`Latched`], now or since an earlier overflow; nothing was booked.
    pub fn apply_funding(
        &mut self,
        instrument: &Instrument,
        amount: Money,
        ts: Timestamp,
    ) -> Result<(), Latched> {
        if let Some(latched) = self.ledger.latched() {
            return Err(latched);
        }
        let mut shares = std::mem::take(&mut self.shares);
        let booked = self.book_funding(instrument, amount, ts, &mut shares);
        shares.clear();
        self.shares = shares;
        booked.map_err(|why| self.ledger.latch(why))
    }

    fn book_funding(
        &mut self,
        instrument: &Instrument,
        amount: Money,
        ts: Timestamp,
        shares: &mut Vec<Share>,
    ) -> Result<(), Cause> {
        let terms = self.terms(instrument);
        let net = i128::from(terms.net.get());
        let mut left = amount.units();
        if net != 0 {
            for slot in self.positions.slots_in(instrument.id) {
                let position = self.positions.at(*slot);
                let unheld =
                    Cause::Position { strategy: position.strategy, instrument: instrument.id };
                let weight = i128::from(position.qty.get()) * net.signum();
                if weight == 0 {
                    continue;
                }
                let (share, rest) =
                    mul_div_floor(amount.units(), weight, net.abs()).ok_or(unheld)?;
                left = left.checked_sub(share).ok_or(unheld)?;
                shares.push(Share { slot: *slot, amount: share, rest });
            }
            // Each floor fell short by less than a unit, so fewer units are left than shares.
            while left > 0 {
                let largest = shares.iter_mut().reduce(|a, b| if b.rest > a.rest { b } else { a });
                let share = largest.expect("a net position is held by someone");
                share.amount += 1;
                share.rest = -1;
                left -= 1;
            }
        }
        let mut unassigned = terms.unassigned;
        if net == 0 {
            let sum = unassigned.units().checked_add(amount.units());
            let full = Cause::Balance {
                venue: terms.venue,
                currency: terms.settle,
                account: Some(AccountKind::Funding),
            };
            unassigned = Money::from_units(sum.ok_or(full)?);
        }
        for share in shares.iter_mut() {
            let position = self.positions.at(share.slot);
            let sum = position.funding.units().checked_add(share.amount);
            share.amount = sum.ok_or(Cause::Position {
                strategy: position.strategy,
                instrument: instrument.id,
            })?;
        }
        self.post_one(terms.settle_page, AccountKind::Funding, AccountKind::Cash, amount)
            .map_err(|latched| latched.why)?;
        for share in shares.iter() {
            let position = self.positions.at_mut(share.slot);
            position.funding = Money::from_units(share.amount);
            position.updated_at = ts;
        }
        if let Some(Some(terms)) = self.terms.get_mut(instrument.id.index()) {
            terms.unassigned = unassigned;
        }
        if let Some(audit) = &mut self.audit {
            audit.cash(terms.venue, terms.settle, amount);
        }
        Ok(())
    }

    /// Books money or assets that came in from outside: opening balances too.
    ///
    /// # Errors
    /// [`Latched`], now or since an earlier overflow; nothing was booked.
    pub fn deposit(
        &mut self,
        venue: VenueId,
        currency: CurrencyId,
        amount: Money,
    ) -> Result<(), Latched> {
        self.flow(venue, currency, AccountKind::Transfers, amount)
    }

    /// Books money or assets that went out. The ledger only books: whether there was enough is for
    /// whoever allowed it.
    ///
    /// # Errors
    /// [`Latched`], now or since an earlier overflow; nothing was booked.
    pub fn withdraw(
        &mut self,
        venue: VenueId,
        currency: CurrencyId,
        amount: Money,
    ) -> Result<(), Latched> {
        let out = amount.units().checked_neg().map(Money::from_units);
        match out {
            Some(out) => self.flow(venue, currency, AccountKind::Transfers, out),
            None => Err(self.ledger.latch(Cause::Balance {
                venue,
                currency,
                account: Some(AccountKind::Transfers),
            })),
        }
    }

    /// Books cash that a reconciliation found (or missed, below zero) and nothing explains. It is no
    /// profit: it stands in an account of its own.
    ///
    /// # Errors
    /// [`Latched`], now or since an earlier overflow; nothing was booked.
    pub fn adjust_cash(
        &mut self,
        venue: VenueId,
        currency: CurrencyId,
        amount: Money,
    ) -> Result<(), Latched> {
        self.flow(venue, currency, AccountKind::Adjustments, amount)
    }

    /// Books a difference in a position that a reconciliation found and nothing explains: `qty`
    /// lots, signed, taken to have cost `price`. It realises nothing, has no fee and moves no cash;
    /// what a venue's balance differs by is [`Portfolio::adjust_cash`].
    ///
    /// # Errors
    /// [`Latched`], now or since an earlier overflow; nothing was booked.
    pub fn adjust_position(
        &mut self,
        strategy: StrategyId,
        instrument: &Instrument,
        qty: Qty,
        price: tse_model::Price,
        ts: Timestamp,
    ) -> Result<Booked, Latched> {
        if let Some(latched) = self.ledger.latched() {
            return Err(latched);
        }
        let booked = self.book_adjustment(strategy, instrument, qty, price, ts);
        booked.map_err(|why| self.ledger.latch(why))
    }

    fn book_adjustment(
        &mut self,
        strategy: StrategyId,
        instrument: &Instrument,
        qty: Qty,
        price: tse_model::Price,
        ts: Timestamp,
    ) -> Result<Booked, Cause> {
        let unvalued = Cause::Value { instrument: instrument.id };
        let unheld = Cause::Position { strategy, instrument: instrument.id };
        let terms = self.terms(instrument);
        let slot = self.positions.slot(strategy, instrument.id);
        let position = *self.positions.at(slot);
        let value = instrument.value(price, qty).ok_or(unvalued)?.money;
        let change = position.after(instrument, qty, value, price).ok_or(unheld)?;
        let net = terms.net.checked_add(qty).ok_or(unheld)?;
        let spent = change.cost.checked_sub(position.cost).ok_or(unheld)?;
        if terms.delivers {
            let base = instrument.base_amount(qty).ok_or(unvalued)?;
            let (trading, found) = (AccountKind::Trading, AccountKind::Adjustments);
            let moves = [
                Move { page: terms.base_page, from: trading, to: found, amount: base },
                Move { page: terms.settle_page, from: found, to: trading, amount: spent },
            ];
            self.ledger.post(&moves).map_err(|latched| latched.why)?;
        }
        let position = self.positions.at_mut(slot);
        let before = position.qty;
        position.turn(change.qty, change.cost, ts);
        self.set_net(instrument.id, net);
        if let Some(audit) = &mut self.audit {
            audit.adjust(strategy, instrument.id, qty, spent);
        }
        Ok(Booked { before, after: change.qty, value, realized: Money::ZERO })
    }

    /// From now on keeps independent sums of everything booked, for [`Portfolio::check`] to compare.
    pub fn start_audit(&mut self) {
        self.audit = Some(Box::new(Audit::of(self)));
    }

    /// Adds everything held to a hash, in a fixed order.
    pub fn digest(&self, hash: &mut StateHash) {
        self.ledger.digest(hash);
        self.positions.digest(hash);
        for (at, terms) in self.terms.iter().enumerate() {
            let unassigned = terms.map_or(Money::ZERO, |terms| terms.unassigned);
            if !unassigned.is_zero() {
                hash.word(at as u64);
                hash.wide(unassigned.units());
            }
        }
    }

    fn flow(
        &mut self,
        venue: VenueId,
        currency: CurrencyId,
        from: AccountKind,
        amount: Money,
    ) -> Result<(), Latched> {
        let page = self.ledger.open(venue, currency);
        self.post_one(page, from, AccountKind::Cash, amount)?;
        if let Some(audit) = &mut self.audit {
            audit.cash(venue, currency, amount);
        }
        Ok(())
    }

    fn post_one(
        &mut self,
        page: PageId,
        from: AccountKind,
        to: AccountKind,
        amount: Money,
    ) -> Result<(), Latched> {
        self.ledger.post(&[Move { page, from, to, amount }])
    }

    #[inline]
    fn terms(&mut self, instrument: &Instrument) -> Terms {
        match self.terms.get(instrument.id.index()) {
            Some(Some(terms)) => *terms,
            _ => self.learn(instrument),
        }
    }

    #[inline]
    fn set_net(&mut self, instrument: InstrumentId, net: Qty) {
        if let Some(Some(terms)) = self.terms.get_mut(instrument.index()) {
            terms.net = net;
        }
    }

    #[cold]
    fn learn(&mut self, instrument: &Instrument) -> Terms {
        let place = instrument.id.index();
        if self.terms.len() <= place {
            self.terms.resize(place + 1, None);
        }
        let delivers = instrument.settlement == Settlement::Delivery;
        let settle_page = self.ledger.open(instrument.venue, instrument.settle);
        let base_page = if delivers {
            self.ledger.open(instrument.venue, instrument.base)
        } else {
            settle_page
        };
        *self.terms[place].get_or_insert(Terms {
            venue: instrument.venue,
            base: instrument.base,
            settle: instrument.settle,
            base_units_per_lot: instrument.base_units_per_lot,
            delivers,
            profit_sign: instrument.profit_sign(),
            settle_page,
            base_page,
            net: Qty::ZERO,
            unassigned: Money::ZERO,
        })
    }
}
