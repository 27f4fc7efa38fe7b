//! Fees: which of the ways to charge a config chose, and what it says exactly.

use super::venues::too_coarse;
use super::{Builder, Place};
use crate::config::checked::{Checked, Fields, Seen};
use crate::diagnose::{Diagnostic, codes};
use tse_model::{CurrencyId, Decimal, FeeBasis, FeeSchedule, FeeTier, Money, Rate, Rounding};

/// The ways to charge: what the keys end with, and what a fix shows.
const WAYS: [(&str, &str); 3] = [
    ("bps", "{ maker_bps = \"2\", taker_bps = \"4\" }"),
    ("per_share", "{ maker_per_share = \"0.005\", taker_per_share = \"0.005\", minimum = \"1\" }"),
    ("per_contract", "{ maker_per_contract = \"0.85\", taker_per_contract = \"0.85\" }"),
];

impl Builder<'_> {
    /// The fees of an instrument that settles in `currency`.
    pub(super) fn fees(
        &mut self,
        instrument: &Fields,
        currency: CurrencyId,
    ) -> Option<FeeSchedule> {
        let field = instrument.get("fees")?;
        let fields = match &field.seen.value {
            Checked::Word(_) => {
                self.found.push(
                    Diagnostic::warning(codes::NO_FEES, "trading costs nothing")
                        .at(field.seen.place.at(), "no fees")
                        .fix(format!("fees = {}", WAYS[0].1)),
                );
                return Some(FeeSchedule::free());
            }
            Checked::Section(fields) => fields,
            other => panic!("fees are declared as {other:?}"),
        };
        if fields.broken {
            return None;
        }
        let rounding = match fields.word("rounding").map(|seen| seen.value) {
            Some("half_up") => Rounding::HalfUp,
            Some("down") => Rounding::Down,
            Some("up") => Rounding::Up,
            _ => Rounding::HalfEven,
        };
        let tiers = fields.sections("tiers");
        if tiers.is_empty() {
            return Some(FeeSchedule::flat(self.basis(fields, currency)?, rounding));
        }
        if let Some(flat) = ways(fields).first() {
            let found = Diagnostic::error(
                codes::CONTRADICTION,
                "fees are either one pair of keys or tiers",
            )
            .at(flat.1.at(), "a fee for all")
            .at(
                fields.get("tiers").map_or(&fields.place, |tiers| &tiers.key_place).at(),
                "and tiers",
            )
            .fix("put the fee into the tier that begins at 0");
            self.found.push(found);
            return None;
        }
        let mut schedule = Vec::new();
        for tier in &tiers {
            let basis = self.basis(tier, currency)?;
            let from = self.amount(&tier.decimal("from")?, currency)?;
            schedule.push(FeeTier { from, basis });
        }
        let tiered = FeeSchedule::tiered(schedule, rounding);
        if tiered.is_none() {
            let found =
                Diagnostic::error(codes::CONTRADICTION, "tiers of fees begin at 0 and rise")
                    .at(tiers[0].place.at(), "the first tier")
                    .fix("from = \"0\" in the first tier, and more in each that follows");
            self.found.push(found);
        }
        tiered
    }

    fn basis(&mut self, fields: &Fields, currency: CurrencyId) -> Option<FeeBasis> {
        if fields.broken {
            return None;
        }
        let ways = ways(fields);
        let way = match &ways[..] {
            [] => {
                let found = Diagnostic::error(codes::MISSING_KEY, "the fees say no fee")
                    .at(fields.place.at(), "neither for makers nor for takers")
                    .fix(format!("fees = {}", WAYS[0].1));
                self.found.push(found);
                return None;
            }
            [(way, _)] => *way,
            [(_, first), (_, second), ..] => {
                let title = "fees are charged in one way, not in two";
                let found = Diagnostic::error(codes::CONTRADICTION, title)
                    .at(second.at(), "another way")
                    .at(first.at(), "one way")
                    .fix(format!("fees = {}", WAYS[0].1));
                self.found.push(found);
                return None;
            }
        };
        let maker = self.fee(fields, "maker", way)?;
        let taker = self.fee(fields, "taker", way)?;
        if way != 1
            && let Some(minimum) = fields.get("minimum")
        {
            let found = Diagnostic::error(
                codes::NOT_USED,
                "`minimum` has no meaning without fees by share",
            )
            .at(minimum.key_place.at(), "would not be read")
            .fix("leave `minimum` out");
            self.found.push(found);
            return None;
        }
        match way {
            0 => {
                let maker = self.bps("maker_bps", &maker)?;
                let taker = self.bps("taker_bps", &taker)?;
                let whole = |rate: Rate| rate.billionths().abs() <= Rate::ONE;
                (whole(maker) && whole(taker)).then_some(FeeBasis::Value { maker, taker }).or_else(
                    || {
                        let label = "10,000 basis points are all of the value";
                        let title = "a fee is more than the trade".to_owned();
                        let fix = format!("fees = {}", WAYS[0].1);
                        self.error(codes::OUT_OF_RANGE, title, (&fields.place, label), fix);
                        None
                    },
                )
            }
            1 => Some(FeeBasis::PerUnit {
                maker: self.amount(&maker, currency)?,
                taker: self.amount(&taker, currency)?,
                minimum: match fields.decimal("minimum") {
                    Some(minimum) => self.amount(&minimum, currency)?,
                    None => Money::ZERO,
                },
            }),
            _ => Some(FeeBasis::PerContract {
                maker: self.amount(&maker, currency)?,
                taker: self.amount(&taker, currency)?,
            }),
        }
    }

    /// The fee of one side; both must be said, so that none is forgotten.
    fn fee(&mut self, fields: &Fields, who: &str, way: usize) -> Option<Seen<Decimal>> {
        let (suffix, example) = WAYS[way];
        let key = format!("{who}_{suffix}");
        let fee = fields.decimal(&key);
        if fee.is_none() {
            let found = Diagnostic::error(codes::MISSING_KEY, format!("`{key}` is missing"))
                .at(fields.place.at(), "fees of makers and of takers")
                .fix(format!("fees = {example}"));
            self.found.push(found);
        }
        fee
    }

    /// An amount of a currency, exactly.
    pub(super) fn amount(&mut self, value: &Seen<Decimal>, currency: CurrencyId) -> Option<Money> {
        let money = self.catalog.money(value.value, currency);
        if money.is_none() {
            let currency = self.catalog.currency(currency);
            let title = format!("{} {} cannot be held exactly", value.value, currency.code);
            let found =
                too_coarse(title, &value.place, &currency.code, currency.scale, value.value);
            self.found.push(found);
        }
        money
    }
}

/// Which ways of charging a table uses, and where.
fn ways(fields: &Fields) -> Vec<(usize, Place)> {
    let place = |suffix: &str| {
        let keys = [format!("maker_{suffix}"), format!("taker_{suffix}")];
        keys.iter().find_map(|key| fields.get(key)).map(|field| field.key_place.clone())
    };
    (0..WAYS.len()).filter_map(|way| Some((way, place(WAYS[way].0)?))).collect()
}
