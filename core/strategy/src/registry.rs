//! Strategies by name.

use crate::{Param, ParamError, Params, Rates, Strategy};
use tse_model::{Catalog, InstrumentId};

/// What a strategy is built from besides its parameters.
pub struct Setup<'a> {
    /// The names of this run.
    pub catalog: &'a Catalog,
    /// What it may trade, in the order of the configuration.
    pub instruments: &'a [InstrumentId],
    /// How currencies convert that no instrument prices.
    pub rates: &'a Rates,
}

/// How a strategy is made, with parameters already checked.
pub type Build = fn(&Params, &Setup<'_>) -> Result<Box<dyn Strategy>, ParamError>;

/// A kind of strategy that can be asked for by name.
#[derive(Clone)]
pub struct StrategyKind {
    /// Its name in a configuration.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// How many instruments it trades: smallest and largest number.
    pub instruments: (usize, usize),
    /// How it is made.
    pub build: Build,
}

/// The strategies a binary knows.
#[derive(Clone)]
pub struct Registry {
    kinds: Vec<StrategyKind>,
}

impl Registry {
    /// Without any strategy.
    pub fn empty() -> Self {
        Self { kinds: Vec::new() }
    }

    /// With those that come with the engine.
    pub fn shipped() -> Self {
        let mut registry = Self::empty();
        registry.add(crate::market_making::KIND);
        registry.add(crate::arbitrage::KIND);
        registry.add(crate::ema_cross::KIND);
        registry.add(crate::buy_and_hold::KIND);
        crate::chaos::ALL.into_iter().for_each(|kind| registry.add(kind));
        registry
    }

    /// Adds a kind.
    ///
    /// # Panics
    /// If the name is taken: two strategies cannot answer to one name.
    pub fn add(&mut self, kind: StrategyKind) {
        assert!(self.get(kind.name).is_none(), "strategy `{}` is registered twice", kind.name);
        self.kinds.push(kind);
    }

    /// The kind called `name`.
    pub fn get(&self, name: &str) -> Option<&StrategyKind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }

    /// All kinds, in the order they were added.
    pub fn kinds(&self) -> &[StrategyKind] {
        &self.kinds
    }
}

impl Setup<'_> {
    /// The decimal parameter `name` as whole lots of `instrument`, above zero.
    ///
    /// # Errors
    /// A [`ParamError`] if it is not above zero or not a whole number of lots.
    pub fn lots(
        &self,
        params: &Params,
        name: &str,
        instrument: InstrumentId,
    ) -> Result<tse_model::Qty, ParamError> {
        let size = params.decimal(name);
        let definition = self.catalog.instrument(instrument);
        definition.qty(size).filter(|lots| lots.is_positive()).ok_or_else(|| ParamError {
            name: name.to_owned(),
            what: format!("{size} is not a whole number of lots of {} above zero", definition.lot),
            fix: format!("{name} = \"{}\"", definition.qty_decimal(definition.qty_min)),
        })
    }
}
