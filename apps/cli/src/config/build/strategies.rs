//! Strategies: which, with what parameters, on which instruments.

use super::{Builder, Place, SourcePlan};
use crate::config::checked::{Fields, Seen};
use crate::config::tree::{Entry, Table, Value};
use crate::diagnose::{Diagnostic, codes, did_you_mean};
use tse_model::{Catalog, InstrumentId};
use tse_strategy::{
    FixedRate, Param, ParamError, ParamKind, Params, Rates, Registry, Setup, Strategy, StrategyKind,
};

/// A strategy as the config describes it.
pub struct StrategyPlan {
    /// What it is called in results.
    pub name: String,
    /// What it is.
    pub kind: StrategyKind,
    /// Its parameters, defaults included.
    pub params: Params,
    /// What it trades, in its order.
    pub instruments: Vec<InstrumentId>,
    /// Its parameters as they would be written, and where each comes from.
    pub(in crate::config) written: Vec<(&'static str, String, Place)>,
    /// Which `[[strategies]]` entry it is.
    pub(in crate::config) at: usize,
}

impl StrategyPlan {
    /// Its parameters as they would be written.
    pub fn parameters(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.written.iter().map(|(name, value, _)| (*name, value.as_str()))
    }

    /// Makes the strategy.
    ///
    /// # Errors
    /// What it says of its parameters.
    pub fn make(&self, catalog: &Catalog, rates: &Rates) -> Result<Box<dyn Strategy>, ParamError> {
        (self.kind.build)(&self.params, &Setup { catalog, instruments: &self.instruments, rates })
    }
}

impl Builder<'_> {
    /// The strategies in the order of the file.
    pub(super) fn strategies(
        &mut self,
        registry: &Registry,
        rates: &[FixedRate],
    ) -> Vec<StrategyPlan> {
        let mut plans = Vec::new();
        let mut names: Vec<Seen<String>> = Vec::new();
        for (at, fields) in self.root.sections("strategies").into_iter().enumerate() {
            let kind = self.strategy_kind(fields, registry);
            let Some(name) = fields.text("name").or_else(|| fields.text("type")) else { continue };
            if let Some(first) = names.iter().find(|known| known.value == name.value) {
                let title = format!("two strategies are called `{}`", name.value);
                let found = Diagnostic::error(codes::TWICE, title)
                    .at(name.place.at(), "again here")
                    .at(first.place.at(), "first here")
                    .why("a strategy without a `name` is called by its type")
                    .fix(format!("name = \"{}-2\"", name.value));
                self.found.push(found);
            }
            names.push(name.clone());
            let Some(kind) = kind else { continue };
            if kind.name.starts_with(tse_strategy::chaos::PREFIX) {
                self.wanted_chaos(&name, kind);
            }
            let instruments = self.traded(fields, kind);
            let params = self.params(fields, kind);
            let (Some(instruments), Some((params, written))) = (instruments, params) else {
                continue;
            };
            let plan = StrategyPlan {
                name: name.value,
                kind: kind.clone(),
                params,
                instruments,
                written,
                at,
            };
            if self.accepts(&plan, fields, rates) {
                plans.push(plan);
            }
        }
        plans
    }

    /// What does harm on purpose takes part only where somebody has said so.
    fn wanted_chaos(&mut self, name: &Seen<String>, kind: &StrategyKind) {
        let run = self.root.section("run").and_then(|run| run.flag("chaos"));
        if run.is_none_or(|seen| !seen.value) {
            let title =
                format!("`{}` does harm on purpose, and this run has not asked for it", kind.name);
            let found = Diagnostic::error(codes::CHAOS, title)
                .at(name.place.at(), "a chaos strategy")
                .fix("[run]\nchaos = true");
            self.found.push(found);
        }
    }

    fn strategy_kind<'r>(
        &mut self,
        fields: &Fields,
        registry: &'r Registry,
    ) -> Option<&'r StrategyKind> {
        let name = fields.text("type")?;
        if let Some(kind) = registry.get(&name.value) {
            return Some(kind);
        }
        let known: Vec<_> = registry.kinds().iter().map(|kind| kind.name).collect();
        let fix = match did_you_mean(&name.value, known.iter().copied()) {
            Some(kind) => format!("did you mean \"{kind}\"?"),
            None => format!(
                "one of {}; one of your own is known to its own program: cargo run -- check ...",
                known.join(", ")
            ),
        };
        let title = format!("no strategy is called `{}`", name.value);
        let found = Diagnostic::error(codes::UNKNOWN_STRATEGY, title)
            .at(name.place.at(), "this program does not know it")
            .fix(fix);
        self.found.push(found);
        None
    }

    fn traded(&mut self, fields: &Fields, kind: &StrategyKind) -> Option<Vec<InstrumentId>> {
        let texts = fields.texts("instruments")?;
        let place = fields.get("instruments").map(|field| field.seen.place.clone())?;
        let mut all: Vec<(InstrumentId, Place)> = Vec::new();
        let mut right = true;
        for text in &texts {
            let Some(id) = self.instrument(text) else {
                right = false;
                continue;
            };
            if let Some((_, first)) = all.iter().find(|(known, _)| *known == id) {
                let title = format!("`{}` is traded twice by one strategy", text.value);
                let found = Diagnostic::error(codes::TWICE, title)
                    .at(text.place.at(), "again here")
                    .at(first.at(), "first here")
                    .fix("leave one of them out");
                self.found.push(found);
                right = false;
            }
            all.push((id, text.place.clone()));
        }
        let (least, most) = kind.instruments;
        if !(least..=most).contains(&texts.len()) {
            let wanted = match (least, most) {
                (1, 1) => "one instrument".to_owned(),
                (least, most) if least == most => format!("{least} instruments"),
                (least, most) => format!("{least} to {most} instruments"),
            };
            let title = format!("{} trades {wanted}, not {}", kind.name, texts.len());
            let symbols = self.catalog.instruments().iter().take(least.max(1));
            let symbols: Vec<_> = symbols.map(|it| format!("\"{}\"", it.symbol)).collect();
            let found = Diagnostic::error(codes::INSTRUMENT_COUNT, title)
                .at(place.at(), format!("expected {wanted}"))
                .fix(format!("instruments = [{}]", symbols.join(", ")));
            self.found.push(found);
            right = false;
        }
        right.then(|| all.into_iter().map(|(id, _)| id).collect())
    }

    /// The parameters, and how each would be written.
    #[allow(clippy::type_complexity, reason = "two lists that belong together, used once")]
    fn params(
        &mut self,
        fields: &Fields,
        kind: &StrategyKind,
    ) -> Option<(Params, Vec<(&'static str, String, Place)>)> {
        let empty = Table::default();
        let given = fields.params("params").map(|seen| seen.value).unwrap_or(empty);
        let place = fields.get("params").map_or(&fields.place, |field| &field.key_place);
        let mut right = true;
        let mut meant = Vec::new();
        for entry in &given.entries {
            if !kind.params.iter().any(|param| param.name == entry.key) {
                right = false;
                meant.extend(self.unknown_param(entry, kind));
            }
        }
        let mut texts = Vec::new();
        let mut written = Vec::new();
        for param in kind.params {
            match given.get(param.name) {
                Some(entry) => match self.param(entry, param, kind) {
                    Some(text) => {
                        written.push((param.name, show(param, &text), entry.node.place.clone()));
                        texts.push((param.name.to_owned(), text));
                    }
                    None => right = false,
                },
                None => match param.default {
                    Some(text) => written.push((param.name, show(param, text), Place::Default)),
                    // Misspelt is not missing.
                    None if meant.contains(&param.name) => {}
                    None => {
                        right = false;
                        let title = format!("{} needs `{}`", kind.name, param.name);
                        let found = Diagnostic::error(codes::MISSING_PARAM, title)
                            .at(place.at(), format!("expected {}", param.expects()))
                            .why(param.doc)
                            .fix(format!("params = {{ {} = {} }}", param.name, example(param)));
                        self.found.push(found);
                    }
                },
            }
        }
        if !right {
            return None;
        }
        match Params::new(kind.params, &texts) {
            Ok(params) => Some((params, written)),
            Err(errors) => {
                for error in errors {
                    let found = Diagnostic::error(codes::BAD_PARAM, error.to_string());
                    self.found.push(found.at(place.at(), "").fix(error.fix));
                }
                None
            }
        }
    }

    /// Says that there is no such parameter; gives the one that was probably meant.
    fn unknown_param(&mut self, entry: &Entry, kind: &StrategyKind) -> Option<&'static str> {
        let known: Vec<_> = kind.params.iter().map(|param| param.name).collect();
        let meant = did_you_mean(&entry.key, known.iter().copied());
        let fix = match meant {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("parameters of {}: {}", kind.name, known.join(", ")),
        };
        let title = format!("{} has no parameter `{}`", kind.name, entry.key);
        let found = Diagnostic::error(codes::UNKNOWN_PARAM, title)
            .at(entry.key_place.at(), "not a parameter")
            .fix(fix);
        self.found.push(found);
        meant
    }

    /// The text of a parameter, if it is one that the parameter takes.
    fn param(&mut self, entry: &Entry, param: &Param, kind: &StrategyKind) -> Option<String> {
        let text = match &entry.node.value {
            Value::Text(text) | Value::Number(text) | Value::Plain(text) | Value::Moment(text) => {
                Some(text.clone())
            }
            Value::Bool(value) => Some(value.to_string()),
            Value::List(_) | Value::Table(_) => None,
        };
        if let Some(text) = &text
            && param.parse(text).is_ok()
        {
            return Some(text.clone());
        }
        let what = text.as_deref().unwrap_or_else(|| entry.node.value.kind());
        let mut fix = format!("{} = {}", param.name, example(param));
        match param.kind {
            ParamKind::Choice(words) => {
                if let Some(word) = did_you_mean(what, words.iter().copied()) {
                    fix = format!("did you mean \"{word}\"?");
                }
            }
            ParamKind::Time if what.parse::<u64>().is_ok() => {
                fix = format!("{} = \"{what}s\", or another unit: ns, us, ms, m, h, d", param.name);
            }
            _ => {}
        }
        let title = format!("`{}` of {} cannot be {what}", param.name, kind.name);
        let found = Diagnostic::error(codes::BAD_PARAM, title)
            .at(entry.node.place.at(), format!("expected {}", param.expects()))
            .fix(fix);
        self.found.push(found);
        None
    }

    /// Makes the strategy once, to hear what it says of its parameters.
    fn accepts(&mut self, plan: &StrategyPlan, fields: &Fields, rates: &[FixedRate]) -> bool {
        let rates = Rates::new(rates.to_vec());
        let Err(error) = plan.make(&self.catalog, &rates) else { return true };
        let given = fields.params("params").map(|seen| seen.value).unwrap_or_default();
        let place = match given.get(&error.name) {
            Some(entry) => entry.node.place.clone(),
            None => fields.get("type").map_or(&fields.place, |field| &field.seen.place).clone(),
        };
        let found = Diagnostic::error(codes::REFUSED_PARAMS, error.to_string())
            .at(place.at(), format!("{} cannot work with this", plan.kind.name))
            .fix(error.fix);
        self.found.push(found);
        false
    }

    /// Whether every instrument that is traded has data.
    pub(super) fn data_for(&mut self, sources: &[SourcePlan], strategies: &[StrategyPlan]) {
        if self.root.sections("data").len() != sources.len() {
            return;
        }
        let all = self.root.sections("strategies");
        for plan in strategies {
            let texts = all.get(plan.at).and_then(|fields| fields.texts("instruments"));
            for (id, text) in plan.instruments.iter().zip(texts.unwrap_or_default()) {
                if sources.iter().any(|source| source.may_bring(*id)) {
                    continue;
                }
                let symbol = self.catalog.instrument(*id).symbol.to_string();
                let title = format!("no data source brings {symbol}");
                let found = Diagnostic::error(codes::NO_DATA, title)
                    .at(text.place.at(), format!("{} would never see a price", plan.name))
                    .fix(format!(
                        "[[data]]\nformat = \"csv\"\npath = \"data.csv\"\ninstrument = \"{symbol}\""
                    ));
                self.found.push(found);
            }
        }
    }
}

/// A value that a parameter takes, as it would be written. Where nothing is usual, one is more likely
/// to be near than the largest that is allowed.
pub(crate) fn example(param: &Param) -> String {
    match (param.default, param.kind) {
        (None, ParamKind::Decimal { .. }) if param.parse("1").is_ok() => "\"1\"".to_owned(),
        _ => param.example(),
    }
}

/// A parameter's text as it would be written.
fn show(param: &Param, text: &str) -> String {
    match param.kind {
        ParamKind::Int { .. } | ParamKind::Bool => text.to_owned(),
        _ => format!("{text:?}"),
    }
}
