//! What everything together may be worth (C12).

use super::{Builder, StrategyPlan};
use crate::config::checked::Fields;
use tse_model::{CurrencyId, Rate, Span};
use tse_risk::{CorrelationLimit, ExposureGroup, ExposureLimits};
use tse_sim::ExposureSetup;

impl Builder<'_> {
    /// What everything together may be worth, if that is limited anywhere.
    pub(super) fn exposure(
        &mut self,
        strategies: &[StrategyPlan],
        base: CurrencyId,
    ) -> Option<ExposureSetup> {
        let firm = self.root.section("limits").and_then(|fields| fields.section("exposure"));
        let all = self.root.sections("strategies");
        let own: Vec<Option<&Fields>> = strategies
            .iter()
            .map(|plan| all.get(plan.at)?.section("limits")?.section("exposure"))
            .collect();
        if firm.is_none() && own.iter().all(Option::is_none) {
            return None;
        }
        let every = firm.and_then(|fields| fields.time("every"));
        let mut groups = Vec::new();
        for fields in firm.map_or(Vec::new(), |fields| fields.sections("groups")) {
            let named = fields.texts("instruments").unwrap_or_default();
            let instruments = named.iter().filter_map(|name| self.instrument(name)).collect();
            let ExposureLimits { gross, net, .. } = self.exposure_limits(fields, base);
            groups.push(ExposureGroup { instruments, gross, net });
        }
        let correlation = firm.and_then(|fields| fields.section("correlation"));
        let correlation = correlation.and_then(|fields| {
            let max = fields.decimal("max")?;
            let max = self.share("max", &max, Rate::DECIMALS)?;
            Some(CorrelationLimit {
                max: Rate::from_billionths(max),
                every: fields.time("every")?.value,
                samples: u32::try_from(fields.whole("samples")?.value).ok()?,
            })
        });
        let mut limits = |fields: Option<&Fields>| match fields {
            Some(fields) => self.exposure_limits(fields, base),
            None => ExposureLimits::default(),
        };
        Some(ExposureSetup {
            every: every.map_or(Span::from_secs(1), |seen| seen.value),
            firm: limits(firm),
            strategy: own.into_iter().map(&mut limits).collect(),
            groups,
            correlation,
        })
    }

    fn exposure_limits(&mut self, fields: &Fields, base: CurrencyId) -> ExposureLimits {
        let mut money = |key| fields.decimal(key).and_then(|value| self.amount(&value, base));
        let (gross, net) = (money("gross_max"), money("net_max"));
        let leverage = fields.decimal("leverage_max").and_then(|times| {
            self.share("leverage_max", &times, Rate::DECIMALS).map(Rate::from_billionths)
        });
        let key = "concentration_max_bps";
        let concentration = fields.decimal(key).and_then(|bps| self.bps(key, &bps));
        ExposureLimits { gross, net, leverage, concentration }
    }
}
