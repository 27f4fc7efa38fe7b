//! Rates, and whether everything can be valued in the base currency.

use super::{Builder, Place};
use crate::config::checked::Checked;
use crate::diagnose::{Diagnostic, codes};
use tse_model::{CurrencyId, Settlement};
use tse_strategy::FixedRate;

impl Builder<'_> {
    /// The rates that are assumed.
    pub(super) fn rates(&mut self) -> Vec<FixedRate> {
        let mut rates: Vec<(FixedRate, Place)> = Vec::new();
        for fields in self.root.sections("rates") {
            let (Some(from), Some(to), Some(rate)) =
                (fields.text("from"), fields.text("to"), fields.decimal("rate"))
            else {
                continue;
            };
            let (Some(from_id), Some(to_id)) = (self.currency(&from), self.currency(&to)) else {
                continue;
            };
            if from_id == to_id {
                let title = format!("{} is not priced in itself", from.value);
                let fix = "name another currency, or leave this rate out".to_owned();
                let at = (&to.place, "the same as `from`");
                self.error(codes::CONTRADICTION, title, at, fix);
                continue;
            }
            let known: Vec<_> = rates.iter().map(|(rate, _)| *rate).collect();
            if connected(&known, from_id, to_id) {
                let title = format!("these rates say twice what {} is in {}", from.value, to.value);
                let mut found =
                    Diagnostic::error(codes::TWICE, title).at(fields.place.at(), "closes a circle");
                for (_, place) in &rates {
                    found = found.at(place.at(), "with this one");
                }
                self.found.push(found.fix("leave one of them out"));
                continue;
            }
            let shown = format!("1 {} = {} {}", from.value, rate.value, to.value);
            self.found.push(
                Diagnostic::warning(codes::ASSUMED_RATE, format!("{shown} is assumed"))
                    .at(fields.place.at(), "for the whole run")
                    .fix("an instrument that trades the pair, if there is data of it"),
            );
            let rate = FixedRate { from: from_id, to: to_id, rate: rate.value };
            rates.push((rate, fields.place.clone()));
        }
        rates.into_iter().map(|(rate, _)| rate).collect()
    }

    /// Whether everything that is held, earned or paid has a price in `base`.
    pub(super) fn conversions(&mut self, base: CurrencyId, rates: &[FixedRate]) {
        if !self.failed.is_empty() {
            return;
        }
        let mut pairs: Vec<(CurrencyId, CurrencyId)> =
            rates.iter().map(|rate| (rate.from, rate.to)).collect();
        pairs.extend(self.catalog.instruments().iter().map(|it| (it.base, it.quote)));
        let joined = |a, b| pairs.contains(&(a, b)) || pairs.contains(&(b, a));
        // As values are worked out: directly, or through one currency in the middle.
        let reachable = |from: CurrencyId| {
            let all = 0..self.catalog.currencies().len();
            from == base
                || joined(from, base)
                || all.map(|n| CurrencyId(n as u16)).any(|by| joined(from, by) && joined(by, base))
        };
        let mut needed: Vec<(CurrencyId, Place, &str)> = Vec::new();
        for fields in self.root.sections("venues") {
            for (code, amount) in fields.map("balances").map(|it| it.value).unwrap_or_default() {
                let zero = matches!(amount.value, Checked::Decimal(value) if value.is_zero());
                if let (Some(id), false) = (self.catalog.currency_id(&code.value), zero) {
                    needed.push((id, code.place, "is held"));
                }
            }
        }
        for (instrument, place) in self.catalog.instruments().iter().zip(&self.defined) {
            needed.push((instrument.settle, place.clone(), "is what this pays in"));
            if instrument.settlement == Settlement::Delivery {
                needed.push((instrument.base, place.clone(), "is what this delivers"));
            }
        }
        let mut said = Vec::new();
        for (currency, place, why) in needed {
            if reachable(currency) || said.contains(&currency) {
                continue;
            }
            said.push(currency);
            let [code, base] = [currency, base].map(|id| self.catalog.currency(id).code.clone());
            let found = Diagnostic::error(
                codes::NO_CONVERSION,
                format!("nothing says what {code} is worth in {base}"),
            )
            .at(place.at(), format!("{code} {why}"))
            .why(format!("results are counted in {base}"))
            .fix(format!("[[rates]]\nfrom = \"{code}\"\nto = \"{base}\"\nrate = \"1\"  # how much {base} one {code} is"));
            self.found.push(found);
        }
    }
}

/// Whether a chain of rates leads from one currency to another.
fn connected(rates: &[FixedRate], from: CurrencyId, to: CurrencyId) -> bool {
    let mut reached = vec![from];
    let mut at = 0;
    while at < reached.len() {
        let here = reached[at];
        for rate in rates {
            for (a, b) in [(rate.from, rate.to), (rate.to, rate.from)] {
                if a == here && !reached.contains(&b) {
                    reached.push(b);
                }
            }
        }
        at += 1;
    }
    reached.contains(&to)
}
