//! Double entry: where every unit of every currency is, and where it came from.
//!
//! # The chart of accounts
//!
//! The ledger has a *page* for each venue and currency, and on it one account of each kind:
//!
//! | Account | Holds | Sign |
//! |---|---|---|
//! | [`Cash`](AccountKind::Cash) | what we own at the venue: money, coins, shares | above zero is ours |
//! | [`Trading`](AccountKind::Trading) | what delivered positions cost (quote page), less what they delivered (base page) | above zero was spent |
//! | [`RealizedProfit`](AccountKind::RealizedProfit) | profit of positions that shrank, before fees | a profit is below zero |
//! | [`Fees`](AccountKind::Fees) | fees paid, less rebates | a charge is above zero |
//! | [`Funding`](AccountKind::Funding) | funding exchanged on contracts | received is below zero |
//! | [`Transfers`](AccountKind::Transfers) | opening balances, deposits, withdrawals | paid in is below zero |
//! | [`Adjustments`](AccountKind::Adjustments) | what reconciliation could not explain | found is below zero |
//!
//! `Cash` is seen from us; the others are the other end of it, so every page sums to zero at all
//! times. That is the law [`Ledger::imbalance`] checks, and it holds by construction: a [`Move`]
//! takes from one account of a page what it gives to another, so no posting can be out of balance.
//!
//! Beside its accounts a page keeps a *rounding* account in billionths of the smallest unit: what
//! exact arithmetic would have given us on top of what was booked, when a value was no whole number
//! of units. No venue pays it, so no cash moves against it; it is kept to prove sums exactly.
//!
//! A posting is a few moves and is booked whole or not at all. One that overflows *latches* the
//! ledger: it is refused, and so is every later one. The ledger knows nothing of what it books.

use tse_model::bytes::{Reader, Recorded, Writer};
use tse_model::{
    CurrencyId, InstrumentId, Money, StateHash, StrategyId, VenueId, recorded_choices,
    recorded_fields, recorded_words,
};

/// What an account of a page holds; see the table above.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum AccountKind {
    /// What we own at the venue.
    Cash,
    /// Counterpart of assets and money that delivery exchanged.
    Trading,
    /// Counterpart of profit and loss of positions that shrank.
    RealizedProfit,
    /// Counterpart of fees and rebates.
    Fees,
    /// Counterpart of funding.
    Funding,
    /// Counterpart of opening balances, deposits and withdrawals.
    Transfers,
    /// Counterpart of corrections that nothing explains.
    Adjustments,
}

const KINDS: usize = 7;

recorded_words! {
    AccountKind {
        1 => Cash,
        2 => Trading,
        3 => RealizedProfit,
        4 => Fees,
        5 => Funding,
        6 => Transfers,
        7 => Adjustments,
    }
}
recorded_choices! {
    Cause {
        1 => Balance { venue, currency, account },
        2 => Position { strategy, instrument },
        3 => Value { instrument },
    }
}
recorded_fields! {
    Latched { why }
    Page { accounts, rounding }
    Ledger { pages, names, index, latched }
}
impl Recorded for PageId {
    fn write(&self, out: &mut Writer) {
        self.0.write(out);
    }
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        u32::read(bytes).map(Self)
    }
}

impl AccountKind {
    /// All kinds, in the order of a page.
    pub const ALL: [Self; KINDS] = [
        Self::Cash,
        Self::Trading,
        Self::RealizedProfit,
        Self::Fees,
        Self::Funding,
        Self::Transfers,
        Self::Adjustments,
    ];

    /// A stable name in lower case, for files and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Trading => "trading",
            Self::RealizedProfit => "realized_profit",
            Self::Fees => "fees",
            Self::Funding => "funding",
            Self::Transfers => "transfers",
            Self::Adjustments => "adjustments",
        }
    }
}

/// A page: one venue and currency.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PageId(u32);

/// Takes `amount` from one account of a page and gives it to another. Below zero it runs backwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Move {
    /// On which page.
    pub page: PageId,
    /// From which account.
    pub from: AccountKind,
    /// To which account.
    pub to: AccountKind,
    /// How much.
    pub amount: Money,
}

/// The ledger refuses everything, since `why`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Latched {
    /// What it could not book.
    pub why: Cause,
}

/// What a ledger could not book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// An account would hold more than 128 bits count.
    Balance {
        /// At which venue.
        venue: VenueId,
        /// Of which currency.
        currency: CurrencyId,
        /// Which account, or the rounding account if `None`.
        account: Option<AccountKind>,
    },
    /// A position, its cost or one of its sums would not fit.
    Position {
        /// Whose.
        strategy: StrategyId,
        /// In what.
        instrument: InstrumentId,
    },
    /// A fill has no value: too large, not above zero in quantity, or, for an inverse contract, not
    /// above zero in price.
    Value {
        /// Of what.
        instrument: InstrumentId,
    },
}

impl std::fmt::Display for Latched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.why {
            Cause::Balance { venue, currency, account } => write!(
                f,
                "the {} account of currency {} at venue {} overflowed",
                account.map_or("rounding", AccountKind::name),
                currency.0,
                venue.0
            ),
            Cause::Position { strategy, instrument } => write!(
                f,
                "the position of strategy {} in instrument {} overflowed",
                strategy.0, instrument.0
            ),
            Cause::Value { instrument } => {
                write!(f, "a fill in instrument {} has no value that can be booked", instrument.0)
            }
        }
    }
}

impl std::error::Error for Latched {}

#[derive(Clone, Copy, Debug)]
struct Page {
    accounts: [i128; KINDS],
    rounding: i128,
}

/// The ledger of everything we own, at all venues.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pages: Vec<Page>,
    names: Vec<(VenueId, CurrencyId)>,
    /// `[venue][currency]`: the page's place plus one, zero for none.
    index: Vec<Vec<u32>>,
    latched: Option<Latched>,
}

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self::default()
    }

    /// The page of a currency at a venue, opened if it is new.
    pub fn open(&mut self, venue: VenueId, currency: CurrencyId) -> PageId {
        if let Some(page) = self.page(venue, currency) {
            return page;
        }
        if self.index.len() <= venue.index() {
            self.index.resize_with(venue.index() + 1, Vec::new);
        }
        let row = &mut self.index[venue.index()];
        if row.len() <= currency.index() {
            row.resize(currency.index() + 1, 0);
        }
        self.pages.push(Page { accounts: [0; KINDS], rounding: 0 });
        self.names.push((venue, currency));
        // At most 2^32 pages: venues and currencies have 16 bits each.
        row[currency.index()] = self.pages.len() as u32;
        PageId(self.pages.len() as u32 - 1)
    }

    /// The page of a currency at a venue, if anything was ever opened there.
    #[inline]
    pub fn page(&self, venue: VenueId, currency: CurrencyId) -> Option<PageId> {
        let at = *self.index.get(venue.index())?.get(currency.index())?;
        at.checked_sub(1).map(PageId)
    }

    /// Books all moves, or none.
    ///
    /// # Errors
    /// [`Latched`] if an account would overflow, now or ever before. Nothing was booked.
    #[inline]
    pub fn post(&mut self, moves: &[Move]) -> Result<(), Latched> {
        if let Some(latched) = self.latched {
            return Err(latched);
        }
        for (done, step) in moves.iter().enumerate() {
            if let Err(account) = self.apply(step) {
                return Err(self.give_up(&moves[..done], step.page, account));
            }
        }
        Ok(())
    }

    /// One move, whole or not at all; in the error, the account that cannot hold it.
    #[inline]
    fn apply(&mut self, step: &Move) -> Result<(), AccountKind> {
        let accounts = &mut self.pages[step.page.0 as usize].accounts;
        let from =
            accounts[step.from as usize].checked_sub(step.amount.units()).ok_or(step.from)?;
        let before = std::mem::replace(&mut accounts[step.from as usize], from);
        match accounts[step.to as usize].checked_add(step.amount.units()) {
            Some(to) => accounts[step.to as usize] = to,
            None => {
                accounts[step.from as usize] = before;
                return Err(step.to);
            }
        }
        Ok(())
    }

    #[cold]
    fn give_up(&mut self, booked: &[Move], page: PageId, account: AccountKind) -> Latched {
        for step in booked.iter().rev() {
            // Each stood at this balance a moment ago, so going back cannot overflow.
            let accounts = &mut self.pages[step.page.0 as usize].accounts;
            accounts[step.to as usize] -= step.amount.units();
            accounts[step.from as usize] += step.amount.units();
        }
        let (venue, currency) = self.names[page.0 as usize];
        self.latch(Cause::Balance { venue, currency, account: Some(account) })
    }

    /// Books all moves and adds billionths of a unit to the rounding account of a page, or neither.
    ///
    /// # Errors
    /// [`Latched`] as for [`Ledger::post`].
    #[inline]
    pub fn post_rounded(
        &mut self,
        moves: &[Move],
        page: PageId,
        billionths: i64,
    ) -> Result<(), Latched> {
        let place = page.0 as usize;
        let Some(sum) = self.pages[place].rounding.checked_add(i128::from(billionths)) else {
            let (venue, currency) = self.names[place];
            return Err(self.latch(Cause::Balance { venue, currency, account: None }));
        };
        self.post(moves)?;
        self.pages[place].rounding = sum;
        Ok(())
    }

    /// Refuses everything from now on. The first cause stays; it is given back.
    #[cold]
    pub fn latch(&mut self, why: Cause) -> Latched {
        *self.latched.get_or_insert(Latched { why })
    }

    /// Why everything is refused, if it is.
    #[inline]
    pub fn latched(&self) -> Option<Latched> {
        self.latched
    }

    /// What an account holds; nothing where nothing was ever booked.
    pub fn balance(&self, venue: VenueId, currency: CurrencyId, account: AccountKind) -> Money {
        self.page(venue, currency).map_or(Money::ZERO, |page| self.on(page, account))
    }

    /// What an account of a page holds.
    #[inline]
    pub fn on(&self, page: PageId, account: AccountKind) -> Money {
        Money::from_units(self.pages[page.0 as usize].accounts[account as usize])
    }

    /// The rounding account of a currency at a venue, in
    /// [`RESIDUE_PER_UNIT`](tse_model::RESIDUE_PER_UNIT)ths of a smallest unit.
    pub fn rounding(&self, venue: VenueId, currency: CurrencyId) -> i128 {
        self.page(venue, currency).map_or(0, |page| self.pages[page.0 as usize].rounding)
    }

    /// All pages by venue, then currency.
    pub fn pages(&self) -> impl Iterator<Item = (VenueId, CurrencyId, PageId)> + '_ {
        self.index.iter().flatten().filter_map(|at| {
            let page = PageId(at.checked_sub(1)?);
            let (venue, currency) = self.names[page.0 as usize];
            Some((venue, currency, page))
        })
    }

    /// The first page whose accounts do not sum to zero, with that sum: a bug if there is one.
    pub fn imbalance(&self) -> Option<(VenueId, CurrencyId, i128)> {
        self.pages().find_map(|(venue, currency, page)| {
            // Sums of accounts may pass the ends on the way to zero; wrapping sums come back.
            let sum = self.pages[page.0 as usize]
                .accounts
                .iter()
                .fold(0i128, |sum, balance| sum.wrapping_add(*balance));
            (sum != 0).then_some((venue, currency, sum))
        })
    }

    /// Adds every balance to a hash, by venue, currency and kind.
    pub fn digest(&self, hash: &mut StateHash) {
        hash.word(u64::from(self.latched.is_some()));
        for (venue, currency, page) in self.pages() {
            let page = &self.pages[page.0 as usize];
            if page.accounts == [0; KINDS] && page.rounding == 0 {
                continue; // an opened page is no fact until something is booked
            }
            hash.word(u64::from(venue.0) << 16 | u64::from(currency.0));
            page.accounts.iter().for_each(|balance| hash.wide(*balance));
            hash.wide(page.rounding);
        }
    }

    /// Puts one account out of balance, to prove that it is noticed.
    #[cfg(any(test, feature = "plant"))]
    pub fn plant(&mut self, venue: VenueId, currency: CurrencyId, kind: AccountKind, units: i128) {
        let page = self.open(venue, currency);
        self.pages[page.0 as usize].accounts[kind as usize] += units;
    }
}

#[cfg(test)]
mod tests {
    use super::AccountKind::{Cash, Fees, Trading, Transfers};
    use super::*;

    const VENUE: VenueId = VenueId(3);
    const COIN: CurrencyId = CurrencyId(5);

    fn step(page: PageId, from: AccountKind, to: AccountKind, units: i128) -> Move {
        Move { page, from, to, amount: Money::from_units(units) }
    }

    #[test]
    fn what_one_account_gives_another_receives() {
        let mut ledger = Ledger::new();
        let page = ledger.open(VENUE, COIN);
        ledger.post(&[step(page, Transfers, Cash, 100), step(page, Cash, Fees, 3)]).unwrap();
        let balances = AccountKind::ALL.map(|kind| ledger.on(page, kind).units());
        assert_eq!(balances, [97, 0, 0, 3, 0, -100, 0]);
        assert_eq!(ledger.imbalance(), None);
        assert_eq!(ledger.balance(VENUE, CurrencyId(0), Cash), Money::ZERO);
        assert_eq!(ledger.balance(VenueId(9), COIN, Cash), Money::ZERO);
    }

    #[test]
    fn an_overflow_books_nothing_and_latches_with_its_first_cause() {
        let mut ledger = Ledger::new();
        let (page, other) = (ledger.open(VENUE, COIN), ledger.open(VENUE, CurrencyId(6)));
        ledger.post(&[step(page, Transfers, Cash, i128::MAX)]).unwrap();
        let before = ledger.clone();

        let cause = |account| Latched {
            why: Cause::Balance { venue: VENUE, currency: COIN, account: Some(account) },
        };
        let posting = [
            step(other, Transfers, Cash, 7),
            step(page, Cash, Fees, 5),
            step(page, Trading, Cash, 6), // the giver can, the receiver cannot
        ];
        assert_eq!(ledger.post(&posting), Err(cause(Cash)));
        for kind in AccountKind::ALL {
            assert_eq!(ledger.on(page, kind), before.on(page, kind));
            assert_eq!(ledger.on(other, kind), before.on(other, kind));
        }
        assert_eq!(ledger.post(&[step(other, Transfers, Cash, 1)]), Err(cause(Cash)));
        assert_eq!(ledger.latch(Cause::Value { instrument: InstrumentId(1) }), cause(Cash));
        assert_eq!(ledger.latched(), Some(cause(Cash)));
        assert_eq!(ledger.imbalance(), None);
    }

    #[test]
    fn pages_are_listed_by_venue_then_currency_whenever_they_were_opened() {
        let mut ledger = Ledger::new();
        for (venue, currency) in [(2, 1), (0, 7), (2, 0), (0, 3)] {
            ledger.open(VenueId(venue), CurrencyId(currency));
        }
        let order: Vec<_> =
            ledger.pages().map(|(venue, currency, _)| (venue.0, currency.0)).collect();
        assert_eq!(order, [(0, 3), (0, 7), (2, 0), (2, 1)]);
    }

    #[test]
    fn an_unused_page_is_no_part_of_the_hash() {
        let digest = |ledger: &Ledger| {
            let mut hash = StateHash::new();
            ledger.digest(&mut hash);
            hash
        };
        let mut ledger = Ledger::new();
        let page = ledger.open(VENUE, COIN);
        ledger.post(&[step(page, Transfers, Cash, 1)]).unwrap();
        let before = digest(&ledger);
        ledger.open(VenueId(0), COIN);
        assert_eq!(digest(&ledger), before);
        ledger.post_rounded(&[], page, 1).unwrap();
        assert_ne!(digest(&ledger), before);
    }
}
