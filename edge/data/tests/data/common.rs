//! Finding the data, building catalogues, draining sources.

use std::path::PathBuf;
use tse_data::{DataSource, SourceSpec};
use tse_model::{
    Catalog, Decimal, FeeSchedule, InstrumentId, InstrumentSpec, Kind, MarketEvent, Settlement,
    Source, SourceFault, Timestamp,
};

/// The folder of real data.
pub struct DataFolder(PathBuf);

impl DataFolder {
    /// The folder, or a loud skip.
    pub fn find(test: &str) -> Option<Self> {
        // Not `../../../shared`: the place of a finding shows the path as it was given.
        let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs tests"));
        let beside =
            || root.ancestors().nth(3).expect("a crate lies in a workspace").join("shared");
        let folder = std::env::var_os("TSE_SHARED").map_or_else(beside, PathBuf::from).join("data");
        if folder.is_dir() {
            return Some(Self(folder));
        }
        let required = std::env::var("TSE_REQUIRE_DATA").is_ok_and(|value| value == "1");
        assert!(!required, "{test}: no data at {}, and TSE_REQUIRE_DATA=1", folder.display());
        // Not `eprintln!`: what a passing test prints is not shown, and this must be.
        let skipped = format!("SKIPPED: {test}: no data at {}\n", folder.display());
        std::io::Write::write_all(&mut std::io::stderr(), skipped.as_bytes()).unwrap();
        None
    }

    /// A file in it.
    pub fn join(&self, file: &str) -> PathBuf {
        self.0.join(file)
    }
}

pub fn dec(text: &str) -> Decimal {
    text.parse().expect(text)
}

/// Adds an instrument with a tick and a lot.
pub fn define(
    catalog: &mut Catalog,
    symbol: &str,
    kind: Kind,
    tick: &str,
    lot: &str,
) -> InstrumentId {
    let spec = InstrumentSpec {
        symbol: symbol.parse().expect(symbol),
        kind,
        settlement: Settlement::Difference,
        tick: dec(tick),
        lot: dec(lot),
        multiplier: Decimal::ONE,
        qty_min: dec(lot),
        qty_max: None,
        notional_min: Decimal::ZERO,
        price_max: None,
        margin_initial: Decimal::ONE,
        margin_maintenance: Decimal::ONE,
        fees: FeeSchedule::free(),
    };
    catalog.define_instrument(spec).expect(symbol)
}

/// A catalogue of one instrument.
pub fn one(symbol: &str, kind: Kind, tick: &str, lot: &str) -> (Catalog, InstrumentId) {
    let mut catalog = Catalog::new();
    let id = define(&mut catalog, symbol, kind, tick, lot);
    (catalog, id)
}

pub fn future() -> Kind {
    Kind::Future { inverse: false, expiry: Timestamp::MAX }
}

/// All events of a source, or why not.
pub fn read(spec: &SourceSpec, catalog: &Catalog) -> Result<Vec<MarketEvent>, SourceFault> {
    try_drain(&mut DataSource::open(spec, catalog)?)
}

/// What is left of a source.
pub fn try_drain(source: &mut impl Source) -> Result<Vec<MarketEvent>, SourceFault> {
    let mut events = Vec::new();
    loop {
        let before = events.len();
        source.read(&mut events)?;
        if events.len() == before {
            return Ok(events);
        }
    }
}

/// What is left of a source that must be sound.
pub fn drain(source: &mut impl Source) -> Vec<MarketEvent> {
    try_drain(source).unwrap_or_else(|fault| panic!("{fault:#?}"))
}

/// All events of a source that must be sound.
pub fn events(spec: &SourceSpec, catalog: &Catalog) -> Vec<MarketEvent> {
    let events = read(spec, catalog).unwrap_or_else(|fault| panic!("{fault:#?}"));
    assert!(events.is_sorted_by_key(|event| event.ts_event), "a source is in order of time");
    assert!(events.iter().all(|event| event.ts_recv >= event.ts_event));
    events
}

/// The text of a compressed file.
pub fn gunzip(path: &std::path::Path) -> String {
    let mut text = String::new();
    let file = std::fs::File::open(path).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(file), &mut text).unwrap();
    text
}
