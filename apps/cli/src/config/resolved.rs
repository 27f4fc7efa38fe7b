//! A config with every default written out: for the run folder, and for `tse check --resolved`.

use super::build::{Config, Sourced, StrategyPlan};
use super::checked::{Checked, Field, Fields, Seen, toml_key};
use super::keys::{self, Takes};
use super::read;
use super::tree::{Place, Table};
use crate::diagnose::Diagnostics;
use std::fmt::Write;
use tse_model::{Catalog, Resolved};

/// The config as TOML that gives the same run; with `origins`, each value says where it comes from.
pub(super) fn toml(config: &Config, origins: bool) -> String {
    let mut page = Page { text: String::new(), origins, catalog: &config.catalog };
    for field in &config.root.fields {
        page.part(field, config);
    }
    let synthetic = |plan: &super::SourcePlan| matches!(plan.from, Sourced::Synthetic(_));
    if config.root.get("synthetic").is_none() && config.sources.iter().any(synthetic) {
        let place = Place::Default;
        let clock = read::section(&Table::default(), &place, &keys::CLOCK, &mut Diagnostics::new());
        page.heading("[synthetic]");
        page.fields(&clock, "");
    }
    page.text
}

struct Page<'a> {
    text: String,
    origins: bool,
    catalog: &'a Catalog,
}

impl Page<'_> {
    fn heading(&mut self, heading: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let _ = writeln!(self.text, "{heading}");
    }

    fn line(&mut self, line: &str, place: &Place) {
        if self.origins {
            let _ = writeln!(self.text, "{line:<47}  # {}", place.origin());
        } else {
            let _ = writeln!(self.text, "{line}");
        }
    }

    /// A part of the config: `[run]`, `[[venues]]`, ...
    fn part(&mut self, field: &Field, config: &Config) {
        let name = field.key.name;
        match &field.seen.value {
            Checked::Section(fields) => {
                self.heading(&format!("[{name}]"));
                if name == "run" && fields.get("name").is_none() {
                    self.line(&format!("name = {:?}", config.name), &Place::Default);
                }
                self.fields(fields, name);
            }
            Checked::List(all) => {
                for (at, seen) in all.iter().enumerate() {
                    let Checked::Section(fields) = &seen.value else { continue };
                    self.heading(&format!("[[{name}]]"));
                    self.fields(fields, name);
                    if name == "strategies" {
                        let plan = config.strategies.iter().find(|plan| plan.at == at);
                        self.params(plan);
                    }
                }
            }
            Checked::Map(all) => {
                for (key, seen) in all {
                    let Checked::Section(fields) = &seen.value else { continue };
                    self.heading(&format!("[{name}.{}]", toml_key(&key.value)));
                    self.fields(fields, name);
                }
            }
            other => panic!("a part of a config is {other:?}"),
        }
    }

    fn fields(&mut self, fields: &Fields, under: &str) {
        // Tables of their own come behind what belongs to this one.
        let mut behind: Vec<(&'static str, &Seen<Checked>)> = Vec::new();
        for field in &fields.fields {
            let name = field.key.name;
            match &field.seen.value {
                Checked::Params(_) => {}
                Checked::List(all)
                    if all.iter().any(|it| matches!(it.value, Checked::Section(_))) =>
                {
                    if name == "instrument" {
                        behind.extend(all.iter().map(|seen| (name, seen)));
                    } else {
                        self.value(field);
                    }
                }
                _ => self.value(field),
            }
        }
        for (name, seen) in behind {
            if let Checked::Section(fields) = &seen.value {
                self.heading(&format!("[[{under}.{name}]]"));
                self.fields(fields, name);
            }
        }
    }

    fn value(&mut self, field: &Field) {
        let value = self.canonical(&field.key.takes, &field.seen.value);
        self.line(&format!("{} = {}", field.key.name, value.toml()), &field.seen.place);
    }

    /// The value with its instruments called by their canonical names, however they were spelt.
    fn canonical(&self, takes: &Takes, value: &Checked) -> Checked {
        match (takes, value) {
            (Takes::Instrument, Checked::Text(text)) => match self.catalog.resolve(text) {
                Resolved::One(id) => Checked::Text(self.catalog.instrument(id).symbol.to_string()),
                _ => value.clone(),
            },
            (Takes::List(inner), Checked::List(all)) => {
                let each = |seen: &Seen<Checked>| Seen {
                    place: seen.place.clone(),
                    value: self.canonical(inner, &seen.value),
                };
                Checked::List(all.iter().map(each).collect())
            }
            (Takes::Map(inner), Checked::Map(all)) => {
                let each = |(name, seen): &(Seen<String>, Seen<Checked>)| {
                    let value = self.canonical(inner, &seen.value);
                    (name.clone(), Seen { place: seen.place.clone(), value })
                };
                Checked::Map(all.iter().map(each).collect())
            }
            _ => value.clone(),
        }
    }

    fn params(&mut self, plan: Option<&StrategyPlan>) {
        let Some(plan) = plan.filter(|plan| !plan.written.is_empty()) else { return };
        let _ = writeln!(self.text, "[strategies.params]");
        for (name, text, place) in &plan.written {
            self.line(&format!("{name} = {text}"), place);
        }
    }
}
