//! Prices from outside, with their age: what an instrument is worth, and one currency in another.
//!
//! The owner says which instrument (or which stated rate) prices which pair of currencies, and then
//! keeps the marks up to date. How one currency is reached from another depends only on what was
//! defined, never on what has ticked: directly, else backwards, else through one currency in the
//! middle, the earliest defined first. So a value never jumps because a source fell silent; it
//! becomes a refusal that says so. Nothing is assumed equal: USDT is worth a dollar only where
//! [`Prices::fix`] says it is.
//!
//! A conversion rounds once, half to even, however many steps it takes.

use crate::wide::mul_div;
use tse_model::decimal::power_of_ten;
use tse_model::{
    Catalog, CurrencyId, Decimal, Instrument, InstrumentId, Money, Price, Qty, RESIDUE_PER_UNIT,
    Rounding, Span, Timestamp, divide,
};

/// A price in half ticks: a mid may stand between two ticks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Mark {
    ticks: i64,
    half: bool,
}

impl Mark {
    /// A price on the grid.
    pub const fn at(price: Price) -> Self {
        Self { ticks: price.get(), half: false }
    }

    /// Half of a sum of two prices, such as [`Quote::twice_mid`](tse_model::Quote::twice_mid).
    pub const fn mid(twice: i64) -> Self {
        Self { ticks: twice.div_euclid(2), half: twice.rem_euclid(2) == 1 }
    }

    /// Twice the price in ticks.
    pub const fn twice(self) -> i128 {
        self.ticks as i128 * 2 + self.half as i128
    }

    /// As a decimal in the quote currency; it may lie between two ticks. `None` where it has too many digits.
    pub fn decimal(self, instrument: &Instrument) -> Option<Decimal> {
        // Half of twice the price: five tenths of it.
        let tenths = Decimal::new(self.twice().checked_mul(5)?, 1)?;
        instrument.tick.checked_mul(tenths)
    }

    /// What `qty` lots are worth at this price, in the settlement currency, rounded half to even.
    /// `None` on overflow, or for an inverse contract at a price that is not above zero.
    #[inline]
    pub fn value(self, instrument: &Instrument, qty: Qty) -> Option<Money> {
        if !self.half {
            return Some(instrument.value(Price::new(self.ticks), qty)?.money);
        }
        let twice = Price::new(i64::try_from(self.twice()).ok()?);
        if instrument.kind.is_inverse() {
            // qty / (twice / 2) = 2 qty / twice.
            return Some(instrument.value(twice, qty.checked_add(qty)?)?.money);
        }
        let double = instrument.value(twice, qty)?;
        let whole = double.money.units();
        let units = match double.residue {
            0 => divide(whole, 2, Rounding::HalfEven),
            residue => match whole.checked_mul(RESIDUE_PER_UNIT) {
                Some(parts) => {
                    let parts = parts + i128::from(residue);
                    divide(parts, 2 * RESIDUE_PER_UNIT, Rounding::HalfEven)
                }
                None => divide(whole, 2, Rounding::HalfEven),
            },
        };
        units.map(Money::from_units)
    }
}

/// Why something has no value now: a refusal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unvalued {
    /// Nothing leads from this currency to the one wanted, or its source has not ticked.
    NoPrice {
        /// Which currency.
        currency: CurrencyId,
    },
    /// The price of this currency is too old.
    Stale {
        /// Which currency.
        currency: CurrencyId,
        /// How old the oldest price on the way is.
        age: Span,
        /// How old it may be.
        age_max: Span,
    },
    /// The instrument has not been priced.
    NoMark {
        /// Which instrument.
        instrument: InstrumentId,
    },
    /// The price of this instrument is too old.
    StaleMark {
        /// Which instrument.
        instrument: InstrumentId,
        /// How old it is.
        age: Span,
        /// How old it may be.
        age_max: Span,
    },
    /// The value does not fit 128 bits, or (of an inverse contract) its price is not above zero.
    OutOfRange {
        /// Of which currency.
        currency: CurrencyId,
    },
}

impl std::fmt::Display for Unvalued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoPrice { currency } => write!(f, "no price for currency {}", currency.0),
            Self::Stale { currency, age, age_max } => {
                write!(f, "the price of currency {} is {age} old, more than {age_max}", currency.0)
            }
            Self::NoMark { instrument } => write!(f, "no price for instrument {}", instrument.0),
            Self::StaleMark { instrument, age, age_max } => write!(
                f,
                "the price of instrument {} is {age} old, more than {age_max}",
                instrument.0
            ),
            Self::OutOfRange { currency } => {
                write!(f, "a value in currency {} is out of range", currency.0)
            }
        }
    }
}

impl std::error::Error for Unvalued {}

/// Why a source of prices cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PricesError {
    /// The pair already has a source, this way round or the other.
    AlreadyPriced,
    /// Base and quote are one currency.
    SameCurrency,
    /// A stated rate is not above zero.
    NotPositive,
    /// Tick and scales together need more than 38 digits.
    TooFine,
}

impl std::fmt::Display for PricesError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::AlreadyPriced => "this pair of currencies already has a source",
            Self::SameCurrency => "a currency is not priced in itself",
            Self::NotPositive => "a rate must be above zero",
            Self::TooFine => "the tick is too fine for the decimals of these currencies",
        })
    }
}

impl std::error::Error for PricesError {}

/// An amount in another currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Converted {
    /// The amount, rounded once, half to even.
    pub money: Money,
    /// Age of the oldest price used; zero if none was needed.
    pub age: Span,
}

/// One smallest unit of `base` is `n / d` smallest units of `quote`, times the source's price.
#[derive(Clone, Copy, Debug)]
struct Pair {
    base: CurrencyId,
    quote: CurrencyId,
    n: i128,
    d: i128,
    /// Whose mark in half ticks multiplies it; a stated rate has none.
    source: Option<InstrumentId>,
}

#[derive(Clone, Copy, Debug)]
struct Step {
    pair: u32,
    backwards: bool,
}

/// How to get from one currency to another.
#[derive(Clone, Copy, Debug, Default)]
struct Route {
    first: Option<Step>,
    second: Option<Step>,
}

/// What everything is worth, as far as we were told, and when we were told.
#[derive(Clone, Debug)]
pub struct Prices {
    age_max: Span,
    marks: Vec<Option<(Mark, Timestamp)>>,
    pairs: Vec<Pair>,
    /// `[from][to]`, worked out as pairs are defined.
    routes: Vec<Vec<Route>>,
}

impl Prices {
    /// Knows nothing, and will not trust a price older than `age_max`.
    pub fn new(age_max: Span) -> Self {
        Self { age_max, marks: Vec::new(), pairs: Vec::new(), routes: Vec::new() }
    }

    /// Lets an instrument price its base currency in its quote currency.
    ///
    /// # Errors
    /// A [`PricesError`] if that pair has a source, or the figures do not fit.
    pub fn source(
        &mut self,
        catalog: &Catalog,
        instrument: InstrumentId,
    ) -> Result<(), PricesError> {
        let it = catalog.instrument(instrument);
        // price = half ticks × tick / 2, in quote currency for one base.
        self.define(catalog, it.base, it.quote, it.tick, 2, Some(instrument))
    }

    /// States that one `base` is worth `rate` of `quote`, always: an assumption, to be printed.
    ///
    /// # Errors
    /// A [`PricesError`] if that pair has a source, or the figures do not fit.
    pub fn fix(
        &mut self,
        catalog: &Catalog,
        base: CurrencyId,
        quote: CurrencyId,
        rate: Decimal,
    ) -> Result<(), PricesError> {
        self.define(catalog, base, quote, rate, 1, None)
    }

    /// Tells an instrument's price at a moment.
    #[inline]
    pub fn set(&mut self, instrument: InstrumentId, mark: Mark, at: Timestamp) {
        let place = instrument.index();
        if place >= self.marks.len() {
            self.marks.resize(place + 1, None);
        }
        self.marks[place] = Some((mark, at));
    }

    /// Forgets an instrument's price: its book became invalid.
    pub fn unset(&mut self, instrument: InstrumentId) {
        if let Some(mark) = self.marks.get_mut(instrument.index()) {
            *mark = None;
        }
    }

    /// How old a price may be.
    pub fn age_max(&self) -> Span {
        self.age_max
    }

    /// An instrument's price and its age.
    ///
    /// # Errors
    /// [`Unvalued::NoMark`] or [`Unvalued::StaleMark`].
    #[inline]
    pub fn mark(&self, instrument: InstrumentId, now: Timestamp) -> Result<(Mark, Span), Unvalued> {
        let Some(Some((mark, at))) = self.marks.get(instrument.index()).copied() else {
            return Err(Unvalued::NoMark { instrument });
        };
        let age = (now - at).max(Span::ZERO);
        if age > self.age_max {
            return Err(Unvalued::StaleMark { instrument, age, age_max: self.age_max });
        }
        Ok((mark, age))
    }

    /// An amount of one currency in another.
    ///
    /// # Errors
    /// [`Unvalued`]: no way to price it, too old a price, or too large an amount.
    pub fn convert(
        &self,
        amount: Money,
        from: CurrencyId,
        to: CurrencyId,
        now: Timestamp,
    ) -> Result<Converted, Unvalued> {
        if from == to || amount.is_zero() {
            return Ok(Converted { money: amount, age: Span::ZERO });
        }
        let none = Unvalued::NoPrice { currency: from };
        let route = self.routes.get(from.index()).and_then(|row| row.get(to.index()));
        let Some(Route { first: Some(first), second }) = route.copied() else { return Err(none) };
        let (mut n, mut d, mut age) = self.ratio(first, now).ok_or(none)?;
        let large = Unvalued::OutOfRange { currency: from };
        if let Some(second) = second {
            let (next_n, next_d, next_age) = self.ratio(second, now).ok_or(none)?;
            // Crosswise reduction keeps products of fine ticks inside 128 bits.
            let (across, along) = (gcd(n, next_d), gcd(next_n, d));
            n = (n / across).checked_mul(next_n / along).ok_or(large)?;
            d = (d / along).checked_mul(next_d / across).ok_or(large)?;
            age = age.max(next_age);
        }
        if age > self.age_max {
            return Err(Unvalued::Stale { currency: from, age, age_max: self.age_max });
        }
        let units = mul_div(amount.units(), n, d, Rounding::HalfEven).ok_or(large)?;
        Ok(Converted { money: Money::from_units(units), age })
    }

    /// Units gained per unit given on one step, as a fraction, and the age of its price. `None`
    /// without a price, or with one that is not above zero: no currency is worth nothing.
    fn ratio(&self, step: Step, now: Timestamp) -> Option<(i128, i128, Span)> {
        let pair = &self.pairs[step.pair as usize];
        let (n, age) = match pair.source {
            None => (pair.n, Span::ZERO),
            Some(instrument) => {
                let (mark, at) = (*self.marks.get(instrument.index())?)?;
                let n = pair.n.checked_mul(mark.twice()).filter(|n| *n > 0)?;
                (n, (now - at).max(Span::ZERO))
            }
        };
        Some(if step.backwards { (pair.d, n, age) } else { (n, pair.d, age) })
    }

    fn define(
        &mut self,
        catalog: &Catalog,
        base: CurrencyId,
        quote: CurrencyId,
        price: Decimal,
        parts: i128,
        source: Option<InstrumentId>,
    ) -> Result<(), PricesError> {
        if base == quote {
            return Err(PricesError::SameCurrency);
        }
        let same = |pair: &Pair| {
            (pair.base, pair.quote) == (base, quote) || (pair.quote, pair.base) == (base, quote)
        };
        if self.pairs.iter().any(same) {
            return Err(PricesError::AlreadyPriced);
        }
        if !price.is_positive() {
            return Err(PricesError::NotPositive);
        }
        // One unit of base is 10^-b base, worth price × 10^-b quote, which is × 10^q in its units.
        let price = price.normalized();
        let (b, q) = (catalog.currency(base).scale, catalog.currency(quote).scale);
        let power = |exponent: u8| power_of_ten(exponent).ok_or(PricesError::TooFine);
        let (ten_up, ten_down) = (power(q.saturating_sub(b))?, power(b.saturating_sub(q))?);
        let (n, d) = (price.mantissa(), power(price.scale())?);
        let common = gcd(n, d);
        let n = (n / common).checked_mul(ten_up).ok_or(PricesError::TooFine)?;
        let d = (d / common)
            .checked_mul(ten_down)
            .and_then(|d| d.checked_mul(parts))
            .ok_or(PricesError::TooFine)?;
        let common = gcd(n, d);
        self.pairs.push(Pair { base, quote, n: n / common, d: d / common, source });
        self.find_routes();
        Ok(())
    }

    /// All routes between all currencies that have a source: few, and only at load.
    fn find_routes(&mut self) {
        let ends = self.pairs.iter().map(|pair| pair.base.max(pair.quote).index() + 1);
        let currencies = ends.max().unwrap_or(0);
        let step = |from: usize, to: usize| -> Option<Step> {
            let at = |backwards: bool| {
                self.pairs.iter().position(|pair| {
                    let (base, quote) = (pair.base.index(), pair.quote.index());
                    if backwards {
                        (quote, base) == (from, to)
                    } else {
                        (base, quote) == (from, to)
                    }
                })
            };
            let found = |pair: usize, backwards| Step { pair: pair as u32, backwards };
            at(false).map(|pair| found(pair, false)).or(at(true).map(|pair| found(pair, true)))
        };
        let route = |from: usize, to: usize| -> Route {
            if let Some(first) = step(from, to) {
                return Route { first: Some(first), second: None };
            }
            let hop = self.pairs.iter().find_map(|pair| {
                let (base, quote) = (pair.base.index(), pair.quote.index());
                let middle = match from {
                    _ if from == base => quote,
                    _ if from == quote => base,
                    _ => return None,
                };
                Some((step(from, middle)?, step(middle, to)?))
            });
            hop.map_or(Route::default(), |(first, second)| Route {
                first: Some(first),
                second: Some(second),
            })
        };
        let row = |from| (0..currencies).map(|to| route(from, to)).collect();
        let routes = (0..currencies).map(row).collect();
        self.routes = routes;
    }
}

fn gcd(mut a: i128, mut b: i128) -> i128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.abs().max(1)
}
