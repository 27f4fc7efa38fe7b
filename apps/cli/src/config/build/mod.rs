//! What a config means: from typed values to a scenario, and whether the values fit each other.
//!
//! One module for each part of a config, in the order in which they need each other: currencies and
//! venues, instruments, rates, limits, data, strategies. A part with something wrong is left out and
//! the rest is still looked at.
//!
//! Begin at [`build`]; [`Config`] is what comes out.

mod data;
mod exposure;
mod fees;
mod instruments;
pub(super) mod limits;
mod paper;
mod rates;
mod strategies;
mod synthetic;
mod venues;

pub use data::{SourcePlan, Sourced};
pub use strategies::StrategyPlan;
pub(crate) use strategies::example;

use super::checked::{Checked, Fields, Seen};
use super::tree::Place;
use crate::diagnose::{Diagnostic, Diagnostics, codes, did_you_mean};
use std::path::{Path, PathBuf};
use tse_kernel::{LimitTable, PaceTable};
use tse_model::{
    Catalog, CurrencyId, Decimal, InstrumentId, Rate, Resolved, Source, Span, Timestamp,
};
use tse_portfolio::statistics::{Basis, Days};
use tse_risk::Ramp;
use tse_sim::{ExposureSetup, LiveSetup, LossSetup, Scenario, VenueSetup};
use tse_strategy::{FixedRate, Rates, Registry};

/// A config that makes sense.
pub struct Config {
    /// What the run is called.
    pub name: String,
    /// Its seed.
    pub seed: u64,
    /// The names of the run.
    pub catalog: Catalog,
    /// Where market data comes from.
    pub sources: Vec<SourcePlan>,
    /// Who trades.
    pub strategies: Vec<StrategyPlan>,
    /// What results are counted in.
    pub base: CurrencyId,
    /// Only events from here on.
    pub start: Option<Timestamp>,
    /// Only events before.
    pub end: Option<Timestamp>,
    /// What to know about it.
    pub warnings: Diagnostics,
    pub(super) root: Fields,
    venues: Vec<venues::VenuePlan>,
    rates: Vec<FixedRate>,
    limits: LimitTable,
    paces: PaceTable,
    losses: Option<LossSetup>,
    exposure: Option<ExposureSetup>,
    ramps: Vec<Option<Ramp>>,
    repeat_window: Span,
    answer_timeout: Span,
    price_age_max: Span,
    sample_every: Span,
    basis: Basis,
    live: Option<LiveSetup>,
}

impl Config {
    /// What returns are measured by.
    pub fn basis(&self) -> Basis {
        self.basis
    }

    /// What is worth what, beside what markets say.
    pub fn prices(&self) -> tse_portfolio::Prices {
        tse_sim::prices(&self.catalog, &self.rates, self.price_age_max)
    }

    /// The scenario, with its sources opened and its strategies made anew.
    ///
    /// # Errors
    /// What is wrong with a data file, as far as its beginning shows.
    pub fn scenario(&self) -> Result<Scenario, Diagnostics> {
        let mut found = Diagnostics::new();
        let sources = self.open(&mut found);
        let strategies = self.make(&mut found);
        if found.has_errors() {
            return Err(found);
        }
        Ok(Scenario {
            seed: self.seed,
            catalog: self.catalog.clone(),
            venues: self.venues.iter().map(venues::VenuePlan::setup).collect::<Vec<VenueSetup>>(),
            sources,
            strategies,
            limits: self.limits.clone(),
            paces: self.paces.clone(),
            losses: self.losses.clone(),
            exposure: self.exposure.clone(),
            guards: self.guards(),
            repeat_window: self.repeat_window,
            answer_timeout: self.answer_timeout,
            base: self.base,
            rates: self.rates.clone(),
            price_age_max: self.price_age_max,
            sample_every: self.sample_every,
            basis: self.basis,
            start: self.start,
            end: self.end,
            audit: false,
            live: self.live,
        })
    }

    /// Opens every source. What is wrong with one is written down, and the others are still tried.
    pub fn open(&self, found: &mut Diagnostics) -> Vec<Box<dyn Source>> {
        let mut open = |plan: &SourcePlan| match plan.open(&self.catalog, self.seed) {
            Ok(source) => Some(source),
            Err(fault) => {
                found.push(plan.finding(fault));
                None
            }
        };
        self.sources.iter().filter_map(&mut open).collect()
    }

    fn make(
        &self,
        found: &mut Diagnostics,
    ) -> Vec<(Box<dyn tse_strategy::Strategy>, Vec<InstrumentId>)> {
        let rates = Rates::new(self.rates.clone());
        let mut make = |plan: &StrategyPlan| match plan.make(&self.catalog, &rates) {
            Ok(strategy) => Some((strategy, plan.instruments.clone())),
            Err(error) => {
                found.push(
                    Diagnostic::error(codes::REFUSED_PARAMS, error.to_string()).fix(error.fix),
                );
                None
            }
        };
        self.strategies.iter().filter_map(&mut make).collect()
    }

    /// Every file that the run reads: how the config names it, and where it is.
    pub fn files(&self) -> Vec<(String, PathBuf)> {
        let venues = self.venues.iter().flat_map(|venue| venue.files.iter());
        self.sources.iter().flat_map(|plan| plan.files.iter()).chain(venues).cloned().collect()
    }

    /// The config with every default written out, as TOML that gives the same run.
    pub fn resolved(&self) -> String {
        super::resolved::toml(self, false)
    }

    /// The same, with where each value comes from behind it.
    pub fn resolved_with_origins(&self) -> String {
        super::resolved::toml(self, true)
    }
}

/// What building needs everywhere.
struct Builder<'a> {
    root: &'a Fields,
    folder: &'a Path,
    catalog: Catalog,
    /// Symbols that were defined wrongly: a reference to one is no news.
    failed: Vec<String>,
    /// Where each instrument of the catalogue is defined.
    defined: Vec<Place>,
    found: &'a mut Diagnostics,
}

/// Builds what the fields describe, with or without its `data`. `None` if too much is missing to have
/// anything.
pub(super) fn build(
    root: Fields,
    folder: &Path,
    run: &str,
    registry: &Registry,
    data: bool,
    found: &mut Diagnostics,
) -> Option<Config> {
    let mut builder = Builder {
        root: &root,
        folder,
        catalog: Catalog::new(),
        failed: Vec::new(),
        defined: Vec::new(),
        found,
    };
    builder.currencies();
    builder.venue_names();
    let markets = builder.instruments();
    let base = builder.base();
    let venues = builder.venues(markets);
    let rates = builder.rates();
    if let Some(base) = base {
        builder.conversions(base, &rates);
    }
    let sources = if data { builder.sources() } else { Vec::new() };
    let strategies = builder.strategies(registry, &rates);
    if data {
        builder.data_for(&sources, &strategies);
    }
    let limits = builder.limits(&strategies, base);
    let ramps = builder.ramps(&strategies);
    let run_fields = root.section("run")?;
    builder.range(run_fields);
    let live = builder.live(&venues);
    let catalog = builder.catalog;
    let basis = basis(run_fields, &catalog);
    let time = |key| run_fields.time(key).map_or(Span::ZERO, |seen| seen.value);
    Some(Config {
        name: run_fields.text("name").map_or_else(|| run.to_owned(), |seen| seen.value),
        // Declared as zero or more.
        seed: run_fields.whole("seed").map_or(0, |seen| seen.value.unsigned_abs()),
        base: base?,
        start: run_fields.moment("start").map(|seen| seen.value),
        end: run_fields.moment("end").map(|seen| seen.value),
        sample_every: time("sample_every"),
        price_age_max: time("price_age_max"),
        answer_timeout: time("answer_timeout"),
        basis,
        catalog,
        sources,
        strategies,
        venues,
        rates,
        repeat_window: limits.window,
        limits: limits.table,
        paces: limits.paces,
        losses: limits.losses,
        exposure: limits.exposure,
        ramps,
        live,
        warnings: Diagnostics::new(),
        root,
    })
}

/// What returns are measured by.
fn basis(run: &Fields, catalog: &Catalog) -> Basis {
    let days = match run.word("days").map(|seen| seen.value) {
        Some("weekdays") => Days::Weekdays,
        _ => Days::All,
    };
    let share = |key| run.decimal(key).map_or(0.0, |seen| crate::run::float(seen.value));
    let fixed = run.whole("days_per_year").map(|seen| seen.value as f64);
    Basis {
        risk_free: share("risk_free"),
        minimum_return: share("minimum_return"),
        ..Basis::plain(days, fixed.unwrap_or_else(|| days_per_year(days, catalog)))
    }
}

/// How many days of a year have returns: 365 where something trades around the clock, else 260 for
/// currencies alone and 252 for exchange sessions.
fn days_per_year(days: Days, catalog: &Catalog) -> f64 {
    let fx = |instrument: &tse_model::Instrument| instrument.kind == tse_model::Kind::Fx;
    match days {
        Days::All => 365.0,
        Days::Weekdays if catalog.instruments().iter().all(fx) => 260.0,
        Days::Weekdays => 252.0,
    }
}

impl Builder<'_> {
    fn error(&mut self, code: &'static str, title: String, at: (&Place, &str), fix: String) {
        self.found.push(Diagnostic::error(code, title).at(at.0.at(), at.1).fix(fix));
    }

    fn currencies(&mut self) {
        let Some(currencies) = self.root.map("currencies") else { return };
        for (name, seen) in currencies.value {
            if !super::scalar::is_code(&name.value) {
                self.found.push(bad_code("currency", &name));
                continue;
            }
            let Checked::Section(fields) = seen.value else { continue };
            let Some(scale) = fields.whole("scale") else { continue };
            let scale = u8::try_from(scale.value).expect("declared as 0 to 18");
            self.catalog.define_currency(&name.value, scale);
        }
    }

    fn base(&mut self) -> Option<CurrencyId> {
        let base = self.root.section("run")?.text("base")?;
        self.currency(&base)
    }

    /// A currency that something else knows.
    fn currency(&mut self, code: &Seen<String>) -> Option<CurrencyId> {
        if !super::scalar::is_code(&code.value) {
            self.found.push(bad_code("currency", code));
            return None;
        }
        if let Some(id) = self.catalog.currency_id(&code.value) {
            return Some(id);
        }
        // Where an instrument is wrong, the currency may be its.
        if !self.failed.is_empty() || self.catalog.instruments().is_empty() {
            return Some(self.catalog.currency_or_default(&code.value));
        }
        let known: Vec<_> = self.catalog.currencies().iter().map(|it| it.code.clone()).collect();
        let fix = match did_you_mean(&code.value, known.iter().map(String::as_str)) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("[currencies.{}]\nscale = 8", code.value),
        };
        self.found.push(
            Diagnostic::error(
                codes::UNKNOWN_CURRENCY,
                format!("no instrument trades `{}`", code.value),
            )
            .at(code.place.at(), "appears nowhere else")
            .why(format!("known currencies: {}", known.join(", ")))
            .fix(fix),
        );
        None
    }

    /// The instrument that a text means.
    fn instrument(&mut self, text: &Seen<String>) -> Option<InstrumentId> {
        let several = match self.catalog.resolve(&text.value) {
            Resolved::One(id) => return Some(id),
            Resolved::Several(all) => all,
            Resolved::Nothing => Vec::new(),
        };
        if several.is_empty() && self.means_failed(&text.value) {
            return None;
        }
        let names = self.catalog.instruments().iter().map(|it| it.symbol.to_string());
        let names: Vec<String> = names.collect();
        let title = format!("no instrument is called `{}`", text.value);
        let found = Diagnostic::error(codes::UNKNOWN_INSTRUMENT, title);
        self.found.push(if several.is_empty() {
            let meant = did_you_mean(&text.value, names.iter().map(String::as_str));
            let fix = match meant {
                Some(name) => format!("did you mean {name}?"),
                None => format!("define it in [[instruments]]; there are: {}", names.join(", ")),
            };
            found.at(text.place.at(), "not defined").fix(fix)
        } else {
            let symbol = |id: &InstrumentId| self.catalog.instrument(*id).symbol.to_string();
            let all: Vec<_> = several.iter().map(symbol).collect();
            let title = format!("`{}` can mean several instruments", text.value);
            Diagnostic::error(codes::UNKNOWN_INSTRUMENT, title)
                .at(text.place.at(), "which one?")
                .fix(format!("write one of {}", all.join(", ")))
        });
        None
    }

    /// Whether a text probably means an instrument that was defined wrongly, which is said already.
    fn means_failed(&self, text: &str) -> bool {
        let plain = |text: &str| -> String {
            text.chars()
                .filter(char::is_ascii_alphanumeric)
                .collect::<String>()
                .to_ascii_uppercase()
        };
        let wanted = plain(text);
        self.failed.iter().any(|failed| {
            let failed = plain(failed);
            failed.starts_with(&wanted)
                || wanted.starts_with(&failed)
                || did_you_mean(&wanted, [&*failed]).is_some()
        })
    }

    /// `start` before `end`.
    fn range(&mut self, run: &Fields) {
        let (Some(start), Some(end)) = (run.moment("start"), run.moment("end")) else { return };
        if start.value >= end.value {
            let found = Diagnostic::error(codes::CONTRADICTION, "the run ends before it starts")
                .at(end.place.at(), "the end")
                .at(start.place.at(), "the start")
                .fix("choose an `end` behind the `start`, or leave one of them out");
            self.found.push(found);
        }
    }

    /// What basis points mean as a rate.
    fn bps(&mut self, key: &str, bps: &Seen<Decimal>) -> Option<Rate> {
        let rate = Rate::from_bps(bps.value);
        if rate.is_none() {
            let title = format!("`{key}` {} is finer than a billionth, or too large", bps.value);
            let fix = finer(key, bps.value, Rate::DECIMALS - 4);
            self.error(codes::OUT_OF_RANGE, title, (&bps.place, "five decimals at most"), fix);
        }
        rate
    }

    /// A whole number of `10^-decimals`, such as a share counted in thousandths.
    fn share(&mut self, key: &str, share: &Seen<Decimal>, decimals: u8) -> Option<i64> {
        let units = share.value.at_scale(decimals).and_then(|units| i64::try_from(units).ok());
        if units.is_none() {
            let title = format!("`{key}` {} has more than {decimals} decimals", share.value);
            let label = format!("{decimals} decimals at most");
            let fix = finer(key, share.value, decimals);
            self.error(codes::OUT_OF_RANGE, title, (&share.place, &label), fix);
        }
        units
    }

    /// The path that a text means; whether there is a file is looked at too.
    fn path(&mut self, text: &Seen<String>) -> Option<PathBuf> {
        match super::shared::expand(&text.value, self.folder) {
            Ok(path) => {
                self.exists(text, &path);
                Some(path)
            }
            Err((name, fix)) => {
                let title = format!("`{name}` has no value");
                self.found.push(
                    Diagnostic::error(codes::BAD_PATH, title)
                        .at(text.place.at(), "in this path")
                        .fix(fix),
                );
                None
            }
        }
    }

    fn exists(&mut self, text: &Seen<String>, path: &Path) {
        if path.is_file() {
            return;
        }
        let (what, fix) = if path.is_dir() {
            ("is a folder, not a file".to_owned(), "name the file in it".to_owned())
        } else {
            ("does not exist".to_owned(), "check the path: it is relative to the config".to_owned())
        };
        let code =
            if path.is_dir() { tse_data::codes::UNREADABLE } else { tse_data::codes::NO_SUCH_FILE };
        let shown = path.display();
        self.found.push(
            Diagnostic::error(code, format!("`{}` {what}", text.value))
                .at(text.place.at(), format!("looked for {shown}"))
                .fix(fix),
        );
    }
}

/// A value with no more decimals than these, to write in place of one that has.
fn finer(key: &str, value: Decimal, decimals: u8) -> String {
    let step = Decimal::new(1, decimals);
    let near = step.and_then(|step| instruments::nearest(key, value, step));
    near.unwrap_or_else(|| format!("{key} = \"1\", or anything with {decimals} decimals"))
}

fn bad_code(what: &str, name: &Seen<String>) -> Diagnostic {
    let title = format!("`{}` cannot name a {what}", name.value);
    let upper = name.value.to_ascii_uppercase();
    let found = Diagnostic::error(codes::BAD_NAME, title)
        .at(name.place.at(), "capital letters, digits and `_`");
    if super::scalar::is_code(&upper) {
        found.fix(format!("write {upper}"))
    } else {
        found.fix("USDT, for instance")
    }
}
