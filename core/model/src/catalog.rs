//! Everything that has a name: currencies, venues, instruments, each with a small number.
//!
//! Filled at load and then only read. Numbers are given in the order of definition, which the
//! configuration fixes, so they are the same on every run.

use crate::{
    BadRules, Currency, CurrencyId, Decimal, Instrument, InstrumentError, InstrumentId,
    InstrumentSpec, Rules, Symbol, VenueId,
};

/// Decimals that a ledger keeps of a currency nobody said anything about: enough for a satoshi.
pub const DEFAULT_SCALE: u8 = 8;

/// A place that trades.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Venue {
    /// Its name in symbols, such as `BINANCE`.
    pub name: String,
}

/// The names of a run.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    currencies: Vec<Currency>,
    venues: Vec<Venue>,
    instruments: Vec<Instrument>,
}

/// What an informal spelling of an instrument may mean.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Resolved {
    /// Exactly one instrument.
    One(InstrumentId),
    /// Several; the spelling must say more.
    Several(Vec<InstrumentId>),
    /// None.
    Nothing,
}

impl Catalog {
    /// An empty catalogue.
    pub fn new() -> Self {
        Self::default()
    }

    /// The currency called `code`, made with `scale` decimals if it is new. `None` if it exists
    /// with another scale, or `scale` is above 18.
    pub fn define_currency(&mut self, code: &str, scale: u8) -> Option<CurrencyId> {
        if scale > 18 {
            return None;
        }
        match self.currency_id(code) {
            Some(id) => (self.currency(id).scale == scale).then_some(id),
            None => {
                self.currencies.push(Currency { code: code.to_owned(), scale });
                Some(CurrencyId(u16::try_from(self.currencies.len() - 1).ok()?))
            }
        }
    }

    /// The currency called `code`, made with [`DEFAULT_SCALE`] if it is new.
    ///
    /// # Panics
    /// With more than 65,536 currencies.
    pub fn currency_or_default(&mut self, code: &str) -> CurrencyId {
        match self.currency_id(code) {
            Some(id) => id,
            None => self.define_currency(code, DEFAULT_SCALE).expect("under 65,536 currencies"),
        }
    }

    /// The venue called `name`, made if it is new.
    ///
    /// # Panics
    /// With more than 65,536 venues.
    pub fn define_venue(&mut self, name: &str) -> VenueId {
        self.venue_id(name).unwrap_or_else(|| {
            self.venues.push(Venue { name: name.to_owned() });
            VenueId(u16::try_from(self.venues.len() - 1).expect("under 65,536 venues"))
        })
    }

    /// Adds an instrument; its currencies and venue are made if they are new.
    ///
    /// # Errors
    /// An [`InstrumentError`] with the figures that do not fit together.
    pub fn define_instrument(
        &mut self,
        spec: InstrumentSpec,
    ) -> Result<InstrumentId, InstrumentError> {
        let venue = self.define_venue(&spec.symbol.venue);
        let codes = [&*spec.symbol.base, &*spec.symbol.quote, spec.symbol.settle()];
        let currencies = codes.map(|code| {
            let id = self.currency_or_default(code);
            (id, self.currency(id).scale)
        });
        let id =
            InstrumentId(u32::try_from(self.instruments.len()).expect("under 2^32 instruments"));
        self.instruments.push(Instrument::new(id, venue, spec, currencies)?);
        Ok(id)
    }

    /// The currency with this number.
    pub fn currency(&self, id: CurrencyId) -> &Currency {
        &self.currencies[id.index()]
    }
    /// The venue with this number.
    pub fn venue(&self, id: VenueId) -> &Venue {
        &self.venues[id.index()]
    }
    /// The instrument with this number.
    #[inline]
    pub fn instrument(&self, id: InstrumentId) -> &Instrument {
        &self.instruments[id.index()]
    }
    /// Follows what the venue of an instrument takes from now on; see [`Rules`].
    ///
    /// # Errors
    /// If there is no such instrument, or nobody could follow them. Nothing was changed.
    pub fn set_rules(&mut self, id: InstrumentId, rules: &Rules) -> Result<(), BadRules> {
        let instrument = self.instruments.get_mut(id.index());
        instrument.ok_or(BadRules("there is no such instrument"))?.set_rules(rules)
    }
    /// The instrument with this number, if there is one: for numbers that came from outside.
    pub fn get_instrument(&self, id: InstrumentId) -> Option<&Instrument> {
        self.instruments.get(id.index())
    }
    /// All currencies, in the order of their numbers.
    pub fn currencies(&self) -> &[Currency] {
        &self.currencies
    }
    /// All venues, in the order of their numbers.
    pub fn venues(&self) -> &[Venue] {
        &self.venues
    }
    /// All instruments, in the order of their numbers.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }
    /// The number of the currency called `code`.
    pub fn currency_id(&self, code: &str) -> Option<CurrencyId> {
        let at = self.currencies.iter().position(|currency| currency.code == code)?;
        Some(CurrencyId(at as u16))
    }
    /// The number of the venue called `name`.
    pub fn venue_id(&self, name: &str) -> Option<VenueId> {
        let at = self.venues.iter().position(|venue| venue.name == name)?;
        Some(VenueId(at as u16))
    }
    /// The number of the instrument with exactly this symbol.
    pub fn instrument_id(&self, symbol: &Symbol) -> Option<InstrumentId> {
        self.instruments.iter().find(|it| it.symbol == *symbol).map(|it| it.id)
    }

    /// What `text` means: a canonical symbol, or one without venue, case or separators
    /// (`BTCUSDT`, `btc/usdt`), if only one instrument can be meant.
    pub fn resolve(&self, text: &str) -> Resolved {
        let plain = |text: &str| -> String {
            let kept = text.chars().filter(char::is_ascii_alphanumeric);
            kept.map(|c| c.to_ascii_uppercase()).collect()
        };
        let exact = self.instruments.iter().find(|it| it.symbol.to_string() == text);
        if let Some(instrument) = exact {
            return Resolved::One(instrument.id);
        }
        let wanted = plain(text);
        let meant = |it: &&Instrument| {
            plain(&it.symbol.to_string()) == wanted || plain(&it.symbol.pair()) == wanted
        };
        let found: Vec<_> = self.instruments.iter().filter(meant).map(|it| it.id).collect();
        match found[..] {
            [] => Resolved::Nothing,
            [one] => Resolved::One(one),
            _ => Resolved::Several(found),
        }
    }

    /// An amount of a currency as decimal text with all its decimals.
    pub fn show(&self, money: crate::Money, currency: CurrencyId) -> String {
        money.display(self.currency(currency).scale).to_string()
    }

    /// An amount of a currency from a decimal; `None` if it has too many decimals.
    pub fn money(&self, value: Decimal, currency: CurrencyId) -> Option<crate::Money> {
        crate::Money::exact(value, self.currency(currency).scale)
    }
}
