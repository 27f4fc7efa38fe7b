//! What things are called: for whoever shows them to people.

use tse_model::{Catalog, CurrencyId, InstrumentId, StrategyId};
use tse_risk::Reach;

/// The names of an engine.
#[derive(Clone, Debug)]
pub struct Names {
    /// Of instruments, venues and currencies.
    pub catalog: Catalog,
    /// Of strategies, in their order.
    pub strategies: Vec<String>,
    /// What results are counted in.
    pub base: CurrencyId,
}

impl Names {
    /// A strategy's; empty for nobody's.
    pub fn strategy(&self, id: StrategyId) -> &str {
        self.strategies.get(id.index()).map_or("", String::as_str)
    }

    /// An instrument's symbol. A number that came from outside may be of nothing that we know.
    pub fn symbol(&self, id: InstrumentId) -> Option<String> {
        self.catalog.get_instrument(id).map(|it| it.symbol.to_string())
    }

    /// A scope's, as [`scope`](crate::scope) reads it.
    pub fn scope(&self, reach: Reach) -> String {
        match reach {
            Reach::Firm => "firm".to_owned(),
            Reach::Account(venue) => format!("account:{}", self.catalog.venue(venue).name),
            Reach::Instrument(it) => {
                format!("instrument:{}", self.symbol(it).unwrap_or_default())
            }
            Reach::Strategy(strategy) => format!("strategy:{}", self.strategy(strategy)),
        }
    }
}
