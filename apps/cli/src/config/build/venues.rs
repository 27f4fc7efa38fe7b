//! Venues: accounts, what they hold, how long messages take.

use super::{Builder, Place};
use crate::config::checked::{Checked, Fields, Seen};
use crate::config::scalar;
use crate::diagnose::{At, Diagnostic, codes, did_you_mean};
use std::path::{Path, PathBuf};
use tse_model::{CurrencyId, Money, Span, Timestamp, VenueId};
use tse_sim::{Latency, MarketSetup, VenueSetup};

/// A venue as the config describes it.
pub(crate) struct VenuePlan {
    venue: VenueId,
    deposits: Vec<(CurrencyId, Money)>,
    feed: Latency,
    order: Latency,
    response: Latency,
    markets: Vec<MarketSetup>,
    /// Tables of latencies.
    pub(super) files: Vec<(String, PathBuf)>,
}

impl VenuePlan {
    /// As a scenario has it.
    pub(super) fn setup(&self) -> VenueSetup {
        VenueSetup {
            venue: self.venue,
            deposits: self.deposits.clone(),
            feed: self.feed.clone(),
            order: self.order.clone(),
            response: self.response.clone(),
            markets: self.markets.clone(),
        }
    }
}

impl Builder<'_> {
    /// Defines the venues in the order of the file.
    pub(super) fn venue_names(&mut self) {
        let mut seen: Vec<Seen<String>> = Vec::new();
        for venue in self.root.sections("venues") {
            let Some(name) = venue.text("name") else { continue };
            if let Some(first) = seen.iter().find(|known| known.value == name.value) {
                let found = Diagnostic::error(
                    codes::TWICE,
                    format!("venue `{}` is defined twice", name.value),
                )
                .at(name.place.at(), "again here")
                .at(first.place.at(), "first here")
                .fix("one [[venues]] for each venue; several accounts at one are several venues");
                self.found.push(found);
                continue;
            }
            self.catalog.define_venue(&name.value);
            seen.push(name);
        }
    }

    /// Whether a venue's account is one of margin; `None` if there is no such venue, which is said.
    pub(super) fn account(&mut self, venue: &str, at: &Place) -> Option<(bool, Place)> {
        let venues = self.root.sections("venues");
        let is = |it: &&&Fields| it.text("name").is_some_and(|name| name.value == venue);
        let names: Vec<_> = venues.iter().filter_map(|it| it.text("name")).collect();
        if let Some(fields) = venues.iter().find(is) {
            let account = fields.get("account")?;
            let margin = matches!(account.seen.value, Checked::Word("margin"));
            let place = match account.key_place {
                Place::Default => fields.place.clone(),
                _ => account.seen.place.clone(),
            };
            return Some((margin, place));
        }
        if venues.iter().any(|it| it.text("name").is_none()) {
            return None;
        }
        let names: Vec<_> = names.into_iter().map(|name| name.value).collect();
        let fix = match did_you_mean(venue, names.iter().map(String::as_str)) {
            Some(name) => format!("did you mean {name}?"),
            None => format!("[[venues]]\nname = \"{venue}\""),
        };
        let title = format!("no venue is called `{venue}`");
        let found = Diagnostic::error(codes::UNKNOWN_VENUE, title)
            .at(at.at(), "its venue is the part behind the last dot")
            .fix(fix);
        self.found.push(found);
        None
    }

    /// The venues with their markets.
    pub(super) fn venues(&mut self, markets: Vec<MarketSetup>) -> Vec<VenuePlan> {
        let mut plans: Vec<VenuePlan> = Vec::new();
        for fields in self.root.sections("venues") {
            let name = fields.text("name");
            let id = name.as_ref().and_then(|name| self.catalog.venue_id(&name.value));
            let mut plan = VenuePlan {
                venue: id.unwrap_or(VenueId(u16::MAX)),
                deposits: self.deposits(fields),
                feed: Latency::NONE,
                order: Latency::NONE,
                response: Latency::NONE,
                markets: Vec::new(),
                files: Vec::new(),
            };
            if let Some(latency) = fields.section("latency") {
                plan.feed = self.latency(latency, "feed", &mut plan.files);
                plan.order = self.latency(latency, "order", &mut plan.files);
                plan.response = self.latency(latency, "response", &mut plan.files);
            }
            if plan.order.is_zero() && !fields.broken {
                let set = fields.get("latency").filter(|_| fields.is_set("latency"));
                let place = set.map_or(&fields.place, |field| &field.key_place);
                let name = name.map(|name| name.value).unwrap_or_default();
                self.found.push(
                    Diagnostic::warning(codes::NO_LATENCY, format!("orders reach {name} at once"))
                        .at(place.at(), "no latency of orders")
                        .fix("latency = { feed = \"1ms\", order = \"1ms\", response = \"1ms\" }"),
                );
            }
            let of = |market: &&MarketSetup| {
                Some(self.catalog.instrument(market.instrument).venue) == id
            };
            plan.markets = markets.iter().filter(of).copied().collect();
            if id.is_some() && !plans.iter().any(|known| known.venue == plan.venue) {
                plans.push(plan);
            }
        }
        plans
    }

    fn deposits(&mut self, fields: &Fields) -> Vec<(CurrencyId, Money)> {
        let mut deposits = Vec::new();
        for (code, amount) in fields.map("balances").map(|seen| seen.value).unwrap_or_default() {
            let Checked::Decimal(value) = amount.value else { continue };
            let Some(currency) = self.currency(&code) else { continue };
            let scale = self.catalog.currency(currency).scale;
            match Money::exact(value, scale) {
                Some(money) => deposits.push((currency, money)),
                None => {
                    let title = format!("{value} {} cannot be held exactly", code.value);
                    let found = too_coarse(title, &amount.place, &code.value, scale, value);
                    self.found.push(found);
                }
            }
        }
        deposits
    }

    fn latency(
        &mut self,
        fields: &Fields,
        key: &str,
        files: &mut Vec<(String, PathBuf)>,
    ) -> Latency {
        let Some(field) = fields.get(key) else { return Latency::NONE };
        match &field.seen.value {
            Checked::Time(span) => Latency::Constant(*span),
            Checked::Word(_) => Latency::Recorded,
            Checked::Section(delay) => self.delay(key, delay, files).unwrap_or(Latency::NONE),
            other => panic!("a latency is declared as {other:?}"),
        }
    }

    fn delay(
        &mut self,
        key: &str,
        delay: &Fields,
        files: &mut Vec<(String, PathBuf)>,
    ) -> Option<Latency> {
        if delay.broken {
            return None;
        }
        match (delay.time("low"), delay.time("high"), delay.text("table")) {
            (None, None, Some(table)) => {
                let path = self.path(&table)?;
                if !path.is_file() {
                    return None;
                }
                let rows = self.latency_table(&path, &table)?;
                files.push((table.value, path));
                Some(Latency::Table(rows))
            }
            (Some(low), Some(high), None) if low.value > high.value => {
                let found = Diagnostic::error(
                    codes::CONTRADICTION,
                    format!("the latency `{key}` is at least more than it is at most"),
                )
                .at(low.place.at(), "`low`")
                .at(high.place.at(), "`high`")
                .fix("exchange them");
                self.found.push(found);
                None
            }
            (Some(low), Some(high), None) => {
                Some(Latency::Jitter { low: low.value, high: high.value })
            }
            _ => {
                let found = Diagnostic::error(
                    codes::MISSING_KEY,
                    format!("the latency `{key}` needs `low` and `high`, or `table` alone"),
                )
                .at(delay.place.at(), "")
                .fix(format!("{key} = {{ low = \"1ms\", high = \"3ms\" }}"));
                self.found.push(found);
                None
            }
        }
    }

    /// A file of moments and latencies.
    fn latency_table(
        &mut self,
        path: &Path,
        named: &Seen<String>,
    ) -> Option<Vec<(Timestamp, Span)>> {
        let mut wrong = |place: String, what: String| {
            let found = Diagnostic::error(codes::BAD_LATENCY, what)
                .at(At::Place(place), "")
                .at(named.place.at(), "named here")
                .fix("2024-08-08T23:54:16Z,1500us");
            self.found.push(found);
        };
        let shown = path.display();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                wrong(shown.to_string(), format!("the table cannot be read: {error}"));
                return None;
            }
        };
        let mut rows: Vec<(Timestamp, Span)> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let (line, place) = (line.trim(), format!("{shown}: row {}", at + 1));
            if line.is_empty() || line.starts_with('#') || (at == 0 && line == "time,latency") {
                continue;
            }
            let row = line.split_once(',').and_then(|(time, latency)| {
                let time = match time.trim().parse::<i64>() {
                    Ok(nanos) => Timestamp::from_nanos(nanos),
                    Err(_) => scalar::moment(time.trim())?,
                };
                let latency = Span::parse(latency.trim()).filter(|span| *span >= Span::ZERO)?;
                Some((time, latency))
            });
            match row {
                Some(row) if rows.last().is_none_or(|last| last.0 < row.0) => rows.push(row),
                Some(_) => {
                    wrong(place, "times must rise from row to row".to_owned());
                    return None;
                }
                None => {
                    wrong(place, format!("`{line}` is not a moment and a length of time"));
                    return None;
                }
            }
        }
        if rows.is_empty() {
            wrong(shown.to_string(), "the table has no rows".to_owned());
            return None;
        }
        Some(rows)
    }
}

/// A currency with too few decimals for an amount.
pub(super) fn too_coarse(
    title: String,
    at: &Place,
    code: &str,
    scale: u8,
    value: tse_model::Decimal,
) -> Diagnostic {
    let found = Diagnostic::error(codes::TOO_COARSE, title)
        .at(at.at(), format!("{code} is kept with {scale} decimals"));
    let needed = value.normalized().scale();
    if needed > scale && needed <= 18 {
        found.fix(format!("[currencies.{code}]\nscale = {needed}"))
    } else {
        found.fix("an amount that fits")
    }
}
