//! Limits: of the account in each instrument, and of each strategy; none may be missing.

use super::{Builder, Place, StrategyPlan};
use crate::config::checked::{Fields, Seen};
use crate::config::keys;
use crate::diagnose::{Diagnostic, codes};
use tse_kernel::{LimitTable, PaceTable};
use tse_model::{CurrencyId, Decimal, InstrumentId, Qty, Span};
use tse_risk::{
    Limits, LossLimits, Messages, OrderToTrade, Pace, Paces, Ramp, Rapid, Repeats, SelfTrade, Step,
    SwingLimit,
};
use tse_sim::{ExposureSetup, LossSetup};

/// Limits as a run needs them.
pub(super) struct Built {
    pub(super) table: LimitTable,
    pub(super) paces: PaceTable,
    pub(super) losses: Option<LossSetup>,
    pub(super) exposure: Option<ExposureSetup>,
    /// The longest window of any repeat limit.
    pub(super) window: Span,
}

/// The limits that are missing, to paste.
pub(in crate::config) fn fix(missing: &[&str]) -> String {
    let lines = keys::LIMITS.keys().filter(|key| missing.contains(&key.name));
    let lines: Vec<_> = lines.map(|key| format!("{} = {}", key.name, key.example())).collect();
    format!("[limits]\n{}", lines.join("\n"))
}

/// All limits that must be set, to paste.
pub(in crate::config) fn fix_all() -> String {
    fix(&Limits::default().missing())
}

impl Builder<'_> {
    /// The limits of every scope.
    pub(super) fn limits(
        &mut self,
        strategies: &[StrategyPlan],
        base: Option<CurrencyId>,
    ) -> Built {
        let count = self.catalog.instruments().len();
        let mut account = vec![Limits::default(); count];
        if let Some(fields) = self.root.section("limits") {
            let own = self.own_limits(fields);
            // An instrument that only prices something needs no limits, and need not fit them. Where
            // a strategy could not be understood, any of them may be its.
            let understood = self.root.sections("strategies").len() == strategies.len();
            let traded: Vec<bool> = (0..count)
                .map(|at| {
                    let of =
                        |plan: &StrategyPlan| plan.instruments.iter().any(|id| id.index() == at);
                    !understood || strategies.iter().any(of)
                })
                .collect();
            for (at, limits) in account.iter_mut().enumerate().filter(|(at, _)| traded[*at]) {
                let id = InstrumentId(u32::try_from(at).expect("a catalogue has fewer"));
                let mut scopes: Vec<&Fields> = vec![fields];
                scopes.extend(own.iter().filter(|(own, _)| *own == id).map(|(_, own)| *own));
                *limits = self.of(id, &scopes);
                limits.swing = self.swing(&scopes);
            }
            self.missing(fields, &account, &traded);
            self.mixed_units(fields, &own, strategies);
        }
        let (mut table, mut paces) = (Vec::new(), PaceTable::default());
        let of_account = self.root.section("limits").map(|fields| {
            let most = fields.whole("in_flight_max").map(|seen| seen.value);
            Paces { in_flight: most.and_then(|it| u32::try_from(it).ok()), ..self.paces(fields) }
        });
        paces.account = vec![of_account.unwrap_or_default(); self.catalog.venues().len()];
        for plan in strategies {
            table.push(self.strategy_limits(plan, &account));
            let all = self.root.sections("strategies");
            let own = all.get(plan.at).and_then(|fields| fields.section("limits"));
            paces.strategy.push(own.map(|fields| self.paces(fields)).unwrap_or_default());
        }
        let windows = table.iter().flatten().chain(&account).filter_map(|limits| limits.repeats);
        let window = windows.map(|repeats| repeats.window).max().unwrap_or(Span::ZERO);
        let losses = base.and_then(|base| self.losses(strategies, base));
        let exposure = base.and_then(|base| self.exposure(strategies, base));
        Built { table: LimitTable::new(account, table), paces, losses, exposure, window }
    }

    /// `[[limits.instrument]]` entries by instrument.
    fn own_limits<'f>(&mut self, fields: &'f Fields) -> Vec<(InstrumentId, &'f Fields)> {
        let mut own: Vec<(InstrumentId, &Fields)> = Vec::new();
        for fields in fields.sections("instrument") {
            let Some(symbol) = fields.text("symbol") else { continue };
            let Some(id) = self.instrument(&symbol) else { continue };
            if let Some((_, first)) = own.iter().find(|(known, _)| *known == id) {
                let title = format!("limits of `{}` are defined twice", symbol.value);
                let found = Diagnostic::error(codes::TWICE, title)
                    .at(symbol.place.at(), "again here")
                    .at(first.place.at(), "first here")
                    .fix("keep one of them");
                self.found.push(found);
                continue;
            }
            own.push((id, fields));
        }
        own
    }

    /// A strategy's limits: its own where they are tighter, the account's elsewhere.
    fn strategy_limits(&mut self, plan: &StrategyPlan, account: &[Limits]) -> Vec<Limits> {
        let all = self.root.sections("strategies");
        let fields = all.get(plan.at).and_then(|fields| fields.section("limits"));
        // What it says nothing of is the account's, also when that changes.
        let mut limits = vec![Limits::default(); account.len()];
        for id in &plan.instruments {
            let at = id.index();
            if let Some(fields) = fields {
                let own = self.of(*id, &[fields]);
                self.no_effect(*id, fields, &own, &account[at]);
                limits[at] = own;
            }
        }
        limits
    }

    /// The limits that scopes set for an instrument, later ones in place of earlier ones.
    fn of(&mut self, id: InstrumentId, scopes: &[&Fields]) -> Limits {
        let mut limits = Limits::default();
        for fields in scopes {
            if let Some(qty) = fields.decimal("order_qty_max") {
                limits.order_qty_max = self.lots("order_qty_max", &qty, id);
            }
            if let Some(value) = fields.decimal("order_value_max") {
                let settle = self.catalog.instrument(id).settle;
                limits.order_value_max = self.amount(&value, settle);
            }
            if let Some(bps) = fields.decimal("collar_bps") {
                limits.collar = self.bps("collar_bps", &bps);
            }
            if let Some(repeats) = fields.section("repeats") {
                limits.repeats = repeats_of(repeats);
            }
            if let Some(count) = fields.whole("open_orders_max") {
                limits.open_orders_max = u32::try_from(count.value).ok();
            }
            if let Some(qty) = fields.decimal("long_max") {
                limits.long_max = self.lots("long_max", &qty, id);
            }
            if let Some(qty) = fields.decimal("short_max") {
                limits.short_max = self.lots("short_max", &qty, id);
            }
            if let Some(age) = fields.time("data_age_max") {
                limits.data_age_max = Some(age.value);
            }
            if let Some(mode) = fields.word("self_trade") {
                limits.self_trade = match mode.value {
                    "cancel_old" => SelfTrade::CancelOld,
                    "cancel_both" => SelfTrade::CancelBoth,
                    _ => SelfTrade::RejectNew,
                };
            }
        }
        limits
    }

    /// How far a market may move in a short while (C20): the narrowest scope that says so.
    fn swing(&mut self, scopes: &[&Fields]) -> Option<SwingLimit> {
        let fields = scopes.iter().rev().find_map(|fields| fields.section("swing"))?;
        let max = fields.decimal("max_bps").and_then(|bps| self.bps("max_bps", &bps))?;
        Some(SwingLimit { max, window: fields.time("window")?.value })
    }

    /// How small strategies begin (C24).
    pub(super) fn ramps(&mut self, strategies: &[StrategyPlan]) -> Vec<Option<Ramp>> {
        let all = self.root.sections("strategies");
        let mut ramp = |plan: &StrategyPlan| {
            let fields = all.get(plan.at)?;
            let mut steps: Vec<Step> = Vec::new();
            for fields in fields.sections("ramp") {
                let after = fields.time("after").map(|seen| seen.value);
                let share = fields.decimal("share_bps").and_then(|it| self.bps("share_bps", &it));
                let (Some(after), Some(share)) = (after, share) else { continue };
                if steps.last().is_some_and(|last| last.after >= after) {
                    let title = "steps of a ramp come in order of time".to_owned();
                    let fix = "after = a longer time than in the step above".to_owned();
                    let at = (&fields.place, "not after the step above");
                    self.error(codes::CONTRADICTION, title, at, fix);
                }
                steps.push(Step { after, share });
            }
            (!steps.is_empty()).then_some(Ramp { steps })
        };
        strategies.iter().map(&mut ramp).collect()
    }

    /// What may be lost, if that is limited anywhere.
    fn losses(&mut self, strategies: &[StrategyPlan], base: CurrencyId) -> Option<LossSetup> {
        let section = |fields: &'_ Fields| fields.section("losses").is_some();
        let firm = self.root.section("limits");
        let all = self.root.sections("strategies");
        let own: Vec<Option<&Fields>> = strategies
            .iter()
            .map(|plan| all.get(plan.at).and_then(|fields| fields.section("limits")))
            .collect();
        let any = firm.is_some_and(section) || own.iter().flatten().any(|own| section(own));
        if !any {
            return None;
        }
        let firm = firm.and_then(|fields| fields.section("losses"));
        let time = |key, unless| {
            firm.and_then(|fields| fields.time(key)).map_or(unless, |seen| seen.value)
        };
        let (every, cool_down) =
            (time("every", Span::from_secs(1)), time("cool_down", Span::from_secs(3_600)));
        let strategy = own
            .into_iter()
            .map(|own| {
                own.and_then(|own| own.section("losses")).map(|it| self.loss_limits(it, base))
            })
            .collect();
        let firm = firm.map(|fields| self.loss_limits(fields, base));
        Some(LossSetup { every, cool_down, firm, strategy })
    }

    fn loss_limits(&mut self, fields: &Fields, base: CurrencyId) -> LossLimits {
        let mut money = |key| fields.decimal(key).and_then(|value| self.amount(&value, base));
        let (capital, day_soft, day_max) = (money("capital"), money("day_soft"), money("day_max"));
        let drawdown = fields.decimal("drawdown_max_bps");
        let drawdown_max = drawdown.and_then(|bps| self.bps("drawdown_max_bps", &bps));
        let rapid_max = fields.section("rapid").and_then(|rapid| {
            let share = rapid.decimal("max_bps").and_then(|bps| self.bps("max_bps", &bps))?;
            Some(Rapid { share, window: rapid.time("window")?.value })
        });
        if let (Some(soft), Some(hard)) = (day_soft, day_max)
            && soft > hard
        {
            self.error(
                codes::CONTRADICTION,
                "`day_soft` is more than `day_max`, which comes first then".to_owned(),
                (&fields.place, "the soft limit has no effect"),
                "day_soft = a smaller loss than `day_max`".to_owned(),
            );
        }
        let flatten = fields.flag("flatten").is_some_and(|seen| seen.value);
        let capital = capital.unwrap_or_default();
        let var_max = fields.decimal("var_max").and_then(|value| self.amount(&value, base));
        LossLimits { capital, day_soft, day_max, drawdown_max, rapid_max, var_max, flatten }
    }

    /// What may happen how often in one scope.
    fn paces(&mut self, fields: &Fields) -> Paces {
        let whole = |fields: &Fields, key| {
            fields.whole(key).and_then(|seen| u32::try_from(seen.value).ok())
        };
        let pace = |fields: &Fields| {
            let (count, window) = (whole(fields, "count")?, fields.time("window")?.value);
            Some(Pace { count, window })
        };
        let mut paces = Paces {
            rejects: whole(fields, "rejects_max"),
            losses: whole(fields, "losses_max"),
            in_flight: None,
            order_to_trade: fields.section("order_to_trade").and_then(|fields| {
                let (ratio, grace) = (whole(fields, "ratio")?, whole(fields, "grace")?);
                Some(OrderToTrade { ratio, grace })
            }),
            executions: fields.section("executions").and_then(pace),
            messages: None,
        };
        if let Some(fields) = fields.section("messages") {
            let reserved = whole(fields, "reserved").unwrap_or(0);
            let tolerance = whole(fields, "tolerance");
            paces.messages = pace(fields).map(|rate| Messages { rate, reserved, tolerance });
            if let Some(rate) = pace(fields).filter(|rate| reserved >= rate.count) {
                let title = format!("{reserved} of {} messages are kept for cancels", rate.count);
                self.error(
                    codes::CONTRADICTION,
                    title,
                    (&fields.place, "no order could be sent"),
                    format!("reserved = {}", rate.count / 5),
                );
            }
        }
        paces
    }

    /// A size as whole lots of an instrument. What is wrong is already said if it is none.
    fn lots(&mut self, key: &str, size: &Seen<Decimal>, id: InstrumentId) -> Option<Qty> {
        let instrument = self.catalog.instrument(id);
        let (lot, symbol) = (instrument.lot, instrument.symbol.to_string());
        if let Some(lots) = size.value.steps_of(lot) {
            return Some(Qty::new(lots));
        }
        let found = Diagnostic::error(
            codes::OFF_GRID,
            format!("`{key}` {} is not a whole number of lots of {symbol}", size.value),
        )
        .at(size.place.at(), format!("one lot is {lot}"))
        .maybe_fix(super::instruments::nearest(key, size.value, lot));
        self.found.push(found);
        // A limit that is wrong is not missing as well.
        Some(Qty::ZERO)
    }

    fn missing(&mut self, fields: &Fields, account: &[Limits], traded: &[bool]) {
        if fields.broken {
            return;
        }
        let mut groups: Vec<(Vec<&'static str>, Vec<String>)> = Vec::new();
        for instrument in self.catalog.instruments() {
            if !traded[instrument.id.index()] {
                continue;
            }
            let missing = account[instrument.id.index()].missing();
            if missing.is_empty() {
                continue;
            }
            let symbol = instrument.symbol.to_string();
            match groups.iter_mut().find(|(known, _)| *known == missing) {
                Some((_, symbols)) => symbols.push(symbol),
                None => groups.push((missing, vec![symbol])),
            }
        }
        // Where no instrument could be understood, the defaults alone can be looked at.
        let defaults: Vec<_> = Limits::default()
            .missing()
            .into_iter()
            .filter(|key| fields.get(key).is_none())
            .collect();
        if account.is_empty() && !defaults.is_empty() && fields.get("instrument").is_none() {
            groups.push((defaults, vec!["all instruments".to_owned()]));
        }
        for (missing, symbols) in groups {
            let (are, s) = if missing.len() == 1 { ("is", "") } else { ("are", "s") };
            let title = format!("{} limit{s} {are} missing: {}", missing.len(), missing.join(", "));
            let found = Diagnostic::error(codes::NO_LIMITS, title)
                .at(fields.place.at(), format!("for {}", symbols.join(", ")))
                .why("the risk gate refuses whatever has no limit")
                .fix(fix(&missing));
            self.found.push(found);
        }
    }

    /// A default in settlement currency that several currencies share.
    fn mixed_units(
        &mut self,
        fields: &Fields,
        own: &[(InstrumentId, &Fields)],
        strategies: &[StrategyPlan],
    ) {
        let Some(value) = fields.decimal("order_value_max") else { return };
        let mut currencies: Vec<String> = Vec::new();
        for instrument in self.catalog.instruments() {
            let id = instrument.id;
            let traded = strategies.iter().any(|plan| plan.instruments.contains(&id));
            let set =
                own.iter().any(|(own, fields)| *own == id && fields.is_set("order_value_max"));
            let code = self.catalog.currency(instrument.settle).code.clone();
            if traded && !set && !currencies.contains(&code) {
                currencies.push(code);
            }
        }
        if currencies.len() > 1 {
            let each: Vec<_> =
                currencies.iter().map(|code| format!("{} {code}", value.value)).collect();
            let title = format!("`order_value_max` is {} at once", each.join(" and "));
            let found = Diagnostic::warning(codes::MIXED_UNITS, title)
                .at(value.place.at(), "in each instrument's settlement currency")
                .fix("set it for each with [[limits.instrument]]");
            self.found.push(found);
        }
    }

    /// A strategy's limits that are looser than the account's.
    fn no_effect(&mut self, id: InstrumentId, fields: &Fields, own: &Limits, account: &Limits) {
        fn looser<T: PartialOrd>(own: Option<T>, account: Option<T>) -> bool {
            matches!((own, account), (Some(own), Some(account)) if own > account)
        }
        let checks = [
            ("order_qty_max", looser(own.order_qty_max, account.order_qty_max)),
            ("order_value_max", looser(own.order_value_max, account.order_value_max)),
            ("collar_bps", looser(own.collar, account.collar)),
            ("open_orders_max", looser(own.open_orders_max, account.open_orders_max)),
            ("long_max", looser(own.long_max, account.long_max)),
            ("short_max", looser(own.short_max, account.short_max)),
            ("data_age_max", looser(own.data_age_max, account.data_age_max)),
        ];
        for (key, _) in checks.iter().filter(|(_, looser)| *looser) {
            let Some(field) = fields.get(key) else { continue };
            let place = self.account_limit(id, key);
            let symbol = &self.catalog.instrument(id).symbol;
            let title = format!("`{key}` is looser than the account's in {symbol}");
            let mut found = Diagnostic::warning(codes::NO_EFFECT, title)
                .at(field.seen.place.at(), "this one has no effect");
            if let Some(place) = place {
                found = found.at(place.at(), "this one holds");
            }
            self.found.push(found.fix(format!("leave `{key}` out of the strategy's limits")));
        }
    }

    /// Where the account's limit of an instrument stands.
    fn account_limit(&self, id: InstrumentId, key: &str) -> Option<Place> {
        let fields = self.root.section("limits")?;
        let symbol = self.catalog.instrument(id).symbol.to_string();
        let own = fields.sections("instrument").into_iter().find(|own| {
            own.text("symbol").is_some_and(|text| {
                text.value == symbol
                    || self.catalog.resolve(&text.value) == tse_model::Resolved::One(id)
            })
        });
        let own = own.and_then(|own| own.get(key));
        own.or_else(|| fields.get(key)).map(|field| field.seen.place.clone())
    }
}

fn repeats_of(fields: &Fields) -> Option<Repeats> {
    let count = u32::try_from(fields.whole("count")?.value).ok()?;
    Some(Repeats { window: fields.time("window")?.value, count })
}
