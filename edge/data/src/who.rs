//! Whose row it is: from the names in a file to instruments of the catalogue.
//!
//! Names are looked up once and remembered, unknown ones too, because a file repeats few names many
//! times. Foreign names come from the source's `symbols`; the others are canonical symbols or any
//! spelling that only one instrument can mean.

use crate::codes;
use crate::fault::{Faulty, fault, shown};
use crate::grid::Stop;
use crate::outlet::Outlet;
use crate::spec::SourceSpec;
use std::collections::HashMap;
use tse_model::{Catalog, InstrumentId, Resolved, SourceFault};

/// Finds instruments by the names of one source.
pub(crate) struct Who {
    catalog: Catalog,
    /// The only instrument of the source, if it has one.
    pub(crate) only: Option<InstrumentId>,
    known: HashMap<Vec<u8>, Option<InstrumentId>>,
    last: (Vec<u8>, Option<InstrumentId>),
}

impl Who {
    pub(crate) fn new(spec: &SourceSpec, catalog: &Catalog) -> Self {
        let known =
            spec.symbols.iter().map(|(name, id)| (name.clone().into_bytes(), Some(*id))).collect();
        Self { catalog: catalog.clone(), only: spec.instrument, known, last: (Vec::new(), None) }
    }

    /// The instrument of a file that names none.
    pub(crate) fn unnamed(&self) -> Result<InstrumentId, SourceFault> {
        self.only.ok_or_else(|| {
            fault(
                codes::BAD_SPEC,
                "the file names no instrument, and the source does not say which one it is",
                "set `instrument` in the source",
            )
        })
    }

    /// Whether the source says what `name` means.
    pub(crate) fn knows(&self, name: &[u8]) -> bool {
        matches!(self.known.get(name), Some(Some(_)))
    }

    /// The instrument that `name` means, or what is to be done with its row.
    #[inline]
    pub(crate) fn named(&mut self, name: &[u8], out: &mut Outlet) -> Result<InstrumentId, Stop> {
        if self.last.0 != name {
            self.last = (name.to_vec(), self.look_up(name));
        }
        match (self.last.1, self.only) {
            (Some(id), None) => Ok(id),
            (Some(id), Some(only)) if id == only => Ok(id),
            _ => Err(self.stranger(name, out)),
        }
    }

    fn look_up(&mut self, name: &[u8]) -> Option<InstrumentId> {
        if let Some(id) = self.known.get(name) {
            return *id;
        }
        let text = std::str::from_utf8(name).ok();
        let id = match text.map(|text| self.catalog.resolve(text)) {
            Some(Resolved::One(id)) => Some(id),
            // Two venues may list the same pair; a source that is told which it is means that one.
            Some(Resolved::Several(ids)) => self.only.filter(|only| ids.contains(only)),
            _ => None,
        };
        self.known.insert(name.to_vec(), id);
        id
    }

    #[cold]
    fn stranger(&mut self, name: &[u8], out: &mut Outlet) -> Stop {
        let catalog = &self.catalog;
        let (last, only) = (self.last.1, self.only);
        out.unknown_symbol(|| {
            let symbol = |id: InstrumentId| catalog.instrument(id).symbol.to_string();
            let name = shown(name);
            match (last, only) {
                (Some(_), Some(only)) => fault(
                    codes::UNKNOWN_SYMBOL,
                    format!("the row is of `{name}`, and the source of {}", symbol(only)),
                    "leave `instrument` out to read all, or set `unknown_symbols` to \"skip\"",
                ),
                _ => {
                    let found = fault(
                        codes::UNKNOWN_SYMBOL,
                        format!("`{name}` is not an instrument of the config"),
                        format!("add `\"{name}\" = \"SYMBOL\"` to `symbols`, or define it"),
                    );
                    match std::str::from_utf8(name.as_bytes()).map(|text| catalog.resolve(text)) {
                        Ok(Resolved::Several(ids)) => {
                            let names: Vec<_> = ids.into_iter().map(symbol).collect();
                            found.why(format!("it could be {}", names.join(" or ")))
                        }
                        _ => found,
                    }
                }
            }
        })
    }
}
