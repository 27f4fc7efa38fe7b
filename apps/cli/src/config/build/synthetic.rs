//! Synthetic markets: a fair price, noise, depth and trades, from the run's seed.

use super::{Builder, Place, SourcePlan, Sourced};
use crate::config::checked::{Checked, Fields};
use crate::diagnose::{Diagnostic, codes};
use tse_model::{InstrumentId, Span, Timestamp};
use tse_sim::{Synthetic, SyntheticSpec};

impl Builder<'_> {
    /// The market that a source describes.
    pub(super) fn synthetic(
        &mut self,
        fields: &Fields,
        instrument: Option<InstrumentId>,
    ) -> Option<SyntheticSpec> {
        let (start, length, step) = self.clock();
        let mut needed = |key: &str| {
            let found = fields.is_set(key);
            if !found && !fields.broken {
                let declared = fields.section.key(key).expect("a declared key");
                let title = format!("format = \"synthetic\" needs `{key}`");
                let finding = Diagnostic::error(codes::MISSING_KEY, title)
                    .at(fields.place.at(), format!("expected {}", declared.expects()))
                    .fix(format!("{key} = {}", declared.example()));
                self.found.push(finding);
            }
            found
        };
        if ![needed("instrument"), needed("price"), needed("level_size")].iter().all(|it| *it)
            || fields.broken
        {
            return None;
        }
        let instrument = instrument?;
        let definition = self.catalog.instrument(instrument);
        let (tick, lot) = (definition.tick, definition.lot);
        let pair = definition.symbol.pair();
        let small = |value: i64| u32::try_from(value).unwrap_or(u32::MAX);
        let half_spread = match fields.decimal("half_spread") {
            Some(half) => self.steps("half_spread", &half, "tick", tick)?,
            None => 1,
        };
        let spec = SyntheticSpec {
            instrument,
            process: fields.text("process").map_or(pair, |seen| seen.value),
            start,
            length,
            step,
            price: i128::from(self.share("price", &fields.decimal("price")?, 9)?),
            volatility: self
                .bps("volatility_bps", &fields.decimal("volatility_bps")?)?
                .billionths(),
            noise: self.bps("noise_bps", &fields.decimal("noise_bps")?)?.billionths(),
            fade: small(self.share("noise_fade", &fields.decimal("noise_fade")?, 3)?),
            half_spread,
            levels: usize::try_from(fields.whole("levels")?.value).ok()?,
            level_qty: self.steps("level_size", &fields.decimal("level_size")?, "lot", lot)?,
            trades: small(self.share("trade_chance", &fields.decimal("trade_chance")?, 3)?),
            impact: self.bps("impact_bps", &fields.decimal("impact_bps")?)?.billionths(),
            wide_starts: small(self.share("wide_chance", &fields.decimal("wide_chance")?, 6)?),
            wide_steps: small(fields.whole("wide_steps")?.value),
            wide_factor: fields.whole("wide_factor")?.value,
        };
        if Synthetic::new(spec.clone(), self.catalog.instrument(instrument), 0).is_none() {
            let title = format!("no synthetic market can have a tick of {tick}");
            let found = Diagnostic::error(codes::DOES_NOT_FIT, title)
                .at(fields.place.at(), "fair prices are kept in billionths")
                .fix("a coarser `tick` of the instrument");
            self.found.push(found);
            return None;
        }
        Some(spec)
    }

    /// `[synthetic]`, or its defaults.
    fn clock(&self) -> (Timestamp, Span, Span) {
        let own = self.root.section("synthetic");
        let start = own.and_then(|own| own.moment("start"));
        let time = |key| own.and_then(|own| own.time(key)).map(|seen| seen.value);
        let default = |key: &str| {
            let text = crate::config::keys::CLOCK.key(key).and_then(|key| key.default());
            text.expect("a declared default").trim_matches('"')
        };
        let span = |key| Span::parse(default(key)).expect("a declared default");
        let moment =
            || crate::config::scalar::moment(default("start")).expect("a declared default");
        (
            start.map_or_else(moment, |seen| seen.value),
            time("length").unwrap_or_else(|| span("length")),
            time("step").unwrap_or_else(|| span("step")),
        )
    }

    /// What synthetic sources have to agree on, and whether there are any.
    pub(super) fn synthetic_together(&mut self, plans: &[SourcePlan]) {
        let specs: Vec<(&SyntheticSpec, &Place)> = plans
            .iter()
            .filter_map(|plan| match &plan.from {
                Sourced::Synthetic(spec) => Some((&**spec, &plan.place)),
                Sourced::Files(_) => None,
            })
            .collect();
        for (at, (spec, place)) in specs.iter().enumerate() {
            let before = &specs[..at];
            if let Some((_, first)) = before.iter().find(|(it, _)| it.instrument == spec.instrument)
            {
                let symbol = &self.catalog.instrument(spec.instrument).symbol;
                let found =
                    Diagnostic::error(codes::TWICE, format!("{symbol} has two synthetic markets"))
                        .at(place.at(), "again here")
                        .at(first.at(), "first here")
                        .fix("keep one of them");
                self.found.push(found);
            }
            let same = before.iter().find(|(it, _)| it.process == spec.process);
            if let Some((other, first)) = same
                && (other.price, other.volatility) != (spec.price, spec.volatility)
            {
                let title = format!("two markets follow `{}` but disagree about it", spec.process);
                let found = Diagnostic::error(codes::CONTRADICTION, title)
                    .at(place.at(), "this one")
                    .at(first.at(), "and this one")
                    .why("one fair price has one beginning and one volatility")
                    .fix("the same `price` and `volatility_bps` in both, or another `process`");
                self.found.push(found);
            }
        }
        let declared = self.root.sections("data").iter().any(|fields| {
            fields
                .get("format")
                .is_none_or(|it| matches!(it.seen.value, Checked::Word("synthetic")))
        });
        if let (false, Some(clock)) = (declared, self.root.get("synthetic")) {
            let title = "[synthetic] has no meaning without a synthetic market";
            let found = Diagnostic::error(codes::NOT_USED, title)
                .at(clock.key_place.at(), "would not be read")
                .fix("[[data]]\nformat = \"synthetic\"\ninstrument = \"BTC-USDT.SIM\"\nprice = \"60000\"\nlevel_size = \"0.5\"");
            self.found.push(found);
        }
    }
}
