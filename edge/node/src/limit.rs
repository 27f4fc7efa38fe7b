//! A limit as people write it, `long_max=2`, and as the engine is told: named as in a config.

use crate::demand::{scope, wrong};
use crate::{Names, WrongScope};
use tse_model::{Decimal, InstrumentId, Money, Rate, Span, StrategyId};
use tse_risk::{GroupLimit, LimitChange, NewLimit, Reach, Who, Why};

/// The names of limits that change while an engine trades: of one instrument, and of all together.
const OF_ONE: [&str; 7] = [
    "order_qty_max",
    "order_value_max",
    "collar_bps",
    "open_orders_max",
    "long_max",
    "short_max",
    "data_age_max",
];
const OF_ALL: [&str; 6] =
    ["gross_max", "net_max", "day_soft", "day_max", "drawdown_max_bps", "var_max"];

/// A limit that is to be another, as people write it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) limit: &'a str,
    pub(crate) value: &'a str,
    pub(crate) strategy: Option<&'a str>,
    pub(crate) symbol: Option<&'a str>,
    pub(crate) group: Option<u16>,
}

impl Wanted<'_> {
    /// What the engine is told.
    pub(crate) fn change(
        &self,
        (by, second, why): (&str, Option<&str>, &str),
        names: &Names,
    ) -> Result<LimitChange, WrongScope> {
        let strategy = match self.strategy {
            None => None,
            Some(name) => match scope(&format!("strategy:{name}"), names)? {
                Reach::Strategy(id) => Some(id),
                _ => None,
            },
        };
        let instrument = match self.symbol {
            None => None,
            Some(name) => match scope(&format!("instrument:{name}"), names)? {
                Reach::Instrument(id) => Some(id),
                _ => None,
            },
        };
        Ok(LimitChange {
            strategy,
            instrument,
            to: self.to(strategy, instrument, names)?,
            by: Who::cut(by),
            second: second.map(Who::cut),
            why: Why::cut(why),
        })
    }

    fn to(
        &self,
        strategy: Option<StrategyId>,
        instrument: Option<InstrumentId>,
        names: &Names,
    ) -> Result<NewLimit, WrongScope> {
        let known = if instrument.is_some() { &OF_ONE[..] } else { &OF_ALL };
        if !known.contains(&self.limit) {
            let what = match instrument {
                Some(_) => "limit of one instrument",
                None => "limit of all instruments together",
            };
            return Err(wrong(what, self.limit, known.iter().map(|it| (*it).to_owned())));
        }
        let bad = |known: String| wrong("such value", self.value, [known]);
        let decimal = || -> Result<Decimal, WrongScope> {
            self.value.parse().map_err(|_| bad("decimals such as 2.5".to_owned()))
        };
        let base = || {
            let scale = names.catalog.currency(names.base);
            let money = names.catalog.money(decimal()?, names.base);
            money.ok_or_else(|| bad(format!("amounts with {} decimals at most", scale.scale)))
        };
        let bps = || {
            let rate = Rate::from_bps(decimal()?);
            rate.ok_or_else(|| bad("basis points with 5 decimals at most".to_owned()))
        };
        let group = |value: Money| match (self.group, strategy) {
            (Some(group), None) => Ok(Some(GroupLimit { group, value })),
            (None, _) => Ok(None),
            (Some(group), Some(_)) => Err(wrong(
                "group of a strategy",
                &group.to_string(),
                ["groups of everything alone".to_owned()],
            )),
        };
        if let Some(at) = instrument {
            let it = names.catalog.instrument(at);
            let lots = || {
                let lots = it.qty(decimal()?);
                lots.ok_or_else(|| bad(format!("sizes in steps of {}", it.lot)))
            };
            return Ok(match self.limit {
                "order_qty_max" => NewLimit::OrderQty(lots()?),
                "order_value_max" => {
                    let money = names.catalog.money(decimal()?, it.settle);
                    NewLimit::OrderValue(money.ok_or_else(|| bad("fewer decimals".to_owned()))?)
                }
                "collar_bps" => NewLimit::Collar(bps()?),
                "open_orders_max" => NewLimit::OpenOrders(
                    self.value.parse().map_err(|_| bad("whole numbers".to_owned()))?,
                ),
                "long_max" => NewLimit::Long(lots()?),
                "short_max" => NewLimit::Short(lots()?),
                _ => NewLimit::DataAge(
                    Span::parse(self.value)
                        .ok_or_else(|| bad("lengths of time such as 5s".to_owned()))?,
                ),
            });
        }
        let value = match self.limit {
            "drawdown_max_bps" => return Ok(NewLimit::Drawdown(bps()?)),
            _ => base()?,
        };
        Ok(match (self.limit, group(value)?) {
            ("gross_max", Some(group)) => NewLimit::GroupGross(group),
            ("net_max", Some(group)) => NewLimit::GroupNet(group),
            ("gross_max", None) => NewLimit::Gross(value),
            ("net_max", None) => NewLimit::Net(value),
            ("day_soft", _) => NewLimit::DaySoft(value),
            ("day_max", _) => NewLimit::DayMax(value),
            _ => NewLimit::VarMax(value),
        })
    }
}

/// A limit that was changed, as people write it: its name, and what it is now.
pub(crate) fn written(change: &LimitChange, names: &Names) -> (&'static str, String) {
    let catalog = &names.catalog;
    let it = change.instrument.and_then(|at| catalog.get_instrument(at));
    let lots = |qty| it.map_or(String::new(), |it| it.qty_decimal(qty).to_string());
    let base = |money: Money| catalog.show(money, names.base);
    // Billionths as basis points.
    let bps = |rate: Rate| {
        let bps = Decimal::new(i128::from(rate.billionths()), 5);
        bps.map_or(String::new(), |bps| bps.to_string())
    };
    let of = |group: GroupLimit| format!("{} of group {}", base(group.value), group.group);
    match change.to {
        NewLimit::OrderQty(qty) => ("order_qty_max", lots(qty)),
        NewLimit::OrderValue(money) => {
            ("order_value_max", it.map_or(String::new(), |it| catalog.show(money, it.settle)))
        }
        NewLimit::Collar(rate) => ("collar_bps", bps(rate)),
        NewLimit::OpenOrders(count) => ("open_orders_max", count.to_string()),
        NewLimit::Long(qty) => ("long_max", lots(qty)),
        NewLimit::Short(qty) => ("short_max", lots(qty)),
        NewLimit::DataAge(span) => ("data_age_max", span.to_string()),
        NewLimit::Gross(money) => ("gross_max", base(money)),
        NewLimit::Net(money) => ("net_max", base(money)),
        NewLimit::DaySoft(money) => ("day_soft", base(money)),
        NewLimit::DayMax(money) => ("day_max", base(money)),
        NewLimit::Drawdown(rate) => ("drawdown_max_bps", bps(rate)),
        NewLimit::VarMax(money) => ("var_max", base(money)),
        NewLimit::GroupGross(group) => ("gross_max", of(group)),
        NewLimit::GroupNet(group) => ("net_max", of(group)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tse_model::{Catalog, Qty};

    fn names() -> Names {
        let mut catalog = Catalog::new();
        catalog.define_currency("USD", 2).unwrap();
        let whole = |n| Decimal::new(n, 0).unwrap();
        let spec = tse_model::InstrumentSpec {
            symbol: "BTC-USD.NORTH".parse().unwrap(),
            kind: tse_model::Kind::Spot,
            settlement: tse_model::Settlement::Delivery,
            tick: Decimal::new(5, 1).unwrap(),
            lot: Decimal::new(1, 3).unwrap(),
            multiplier: whole(1),
            qty_min: Decimal::new(1, 3).unwrap(),
            qty_max: None,
            notional_min: Decimal::ZERO,
            price_max: None,
            margin_initial: whole(1),
            margin_maintenance: whole(1),
            fees: tse_model::FeeSchedule::flat(
                tse_model::FeeBasis::Value {
                    maker: Rate::from_billionths(0),
                    taker: Rate::from_billionths(0),
                },
                tse_model::Rounding::HalfEven,
            ),
        };
        catalog.define_instrument(spec).unwrap();
        let base = catalog.currency_id("USD").unwrap();
        Names { catalog, strategies: vec!["maker".to_owned()], base }
    }

    #[test]
    fn limits_are_named_as_in_a_config_and_what_cannot_be_is_said() {
        let names = names();
        let one = |limit, value| Wanted {
            limit,
            value,
            strategy: None,
            symbol: Some("BTC-USD.NORTH"),
            group: None,
        };
        let all = |limit, value| Wanted { symbol: None, ..one(limit, value) };
        let to = |wanted: Wanted<'_>| {
            let change = wanted.change(("ann", None, "x"), &names);
            change.map(|change| change.to).map_err(|error| error.to_string())
        };
        let cents = Money::from_units;
        let good = [
            (one("long_max", "2.5"), NewLimit::Long(Qty::new(2_500))),
            (one("order_value_max", "1000"), NewLimit::OrderValue(cents(100_000))),
            (one("collar_bps", "50"), NewLimit::Collar(Rate::from_billionths(5_000_000))),
            (one("open_orders_max", "7"), NewLimit::OpenOrders(7)),
            (one("data_age_max", "5s"), NewLimit::DataAge(Span::from_secs(5))),
            (all("gross_max", "10.01"), NewLimit::Gross(cents(1_001))),
            (all("day_max", "5"), NewLimit::DayMax(cents(500))),
            (all("drawdown_max_bps", "100"), NewLimit::Drawdown(Rate::from_billionths(10_000_000))),
            (
                Wanted { group: Some(3), ..all("net_max", "1") },
                NewLimit::GroupNet(GroupLimit { group: 3, value: cents(100) }),
            ),
        ];
        for (wanted, limit) in good {
            assert_eq!(to(wanted), Ok(limit), "{wanted:?}");
            // What it was changed to is written as it was asked for, but for zeros.
            let (name, value) = written(&wanted.change(("a", None, "x"), &names).unwrap(), &names);
            assert_eq!(name, wanted.limit);
            assert!(value.starts_with(wanted.value), "{name} {value}, not {}", wanted.value);
        }
        let bad = [
            (one("long_max", "2.5001"), "steps of 0.001"),
            (one("long_max", "two"), "decimals such as 2.5"),
            (one("gross_max", "1"), "there is no limit of one instrument `gross_max`"),
            (all("long_max", "1"), "limit of all instruments together `long_max`"),
            (all("day_max", "0.001"), "2 decimals at most"),
            (Wanted { strategy: Some("nobody"), ..all("day_max", "1") }, "there are maker"),
            (Wanted { symbol: Some("X"), ..one("long_max", "1") }, "there are BTC-USD.NORTH"),
            (
                Wanted { group: Some(0), strategy: Some("maker"), ..all("net_max", "1") },
                "groups of everything",
            ),
        ];
        for (wanted, says) in bad {
            let said = to(wanted).unwrap_err();
            assert!(said.contains(says), "{wanted:?}: {said}");
        }
    }
}
