//! What the gate looked at, check by check, with value and limit: for people who ask why.
//!
//! The same figures as [`review`](crate::review) decides by, in the order it looks at them, whether it
//! refused or not. It decides nothing: that both agree is shown by a test over random orders.

use crate::exposure::Measure;
use crate::gate::{Scene, as_judged, reference_price, review};
use crate::refusal::{Refusal, Scope};
use crate::reserve::hold_of;
use crate::switch::Level;
use tse_model::{CurrencyId, DisplayMoney, Money, PlaceOrder, Price, Qty, Rounding, Side};

/// One check of one order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// The control's number.
    pub control: &'static str,
    /// What was looked at.
    pub what: &'static str,
    /// What it was.
    pub value: String,
    /// What it may be; empty where the value says all.
    pub limit: String,
    /// Whether it passed.
    pub passed: bool,
}

/// Everything the gate looks at for an order, and what it then says. What does not apply is left out.
/// Amounts are written with the decimals that `scale_of` gives their currency.
pub fn explain(
    order: &PlaceOrder,
    scene: &Scene<'_>,
    scale_of: impl Fn(CurrencyId) -> u8,
) -> Vec<Check> {
    let mut refusals = Vec::new();
    let waived = review(*order, scene, &mut refusals).and_then(|approved| approved.waived());
    let order = as_judged(*order, scene);
    let it = scene.instrument;
    let limits = scene.limits.strategy();
    let refused = |control: &str, matches: fn(&Refusal) -> bool| {
        refusals.iter().any(|refusal| refusal.control() == control && matches(refusal))
    };
    let qty = |qty: Qty| it.qty_decimal(qty).to_string();
    let money = |money: Money| -> DisplayMoney { money.display(it.settle_scale) };
    let mut checks = Vec::new();
    let mut add = |control, what, value: String, limit: String, passed| {
        checks.push(Check { control, what, value, limit, passed });
    };
    if scene.level != Level::Free {
        let passed = !refusals.iter().any(|it| matches!(it, Refusal::Killed { .. }));
        add(
            scene.level.code(),
            "trading is cut back",
            scene.level.name().to_owned(),
            String::new(),
            passed,
        );
    }
    if !scene.armed {
        let passed = !refusals.contains(&Refusal::Disarmed);
        add("K4", "the engine is", "disarmed".to_owned(), String::new(), passed);
    }
    if !scene.allowed {
        let passed = !refusals.contains(&Refusal::NotAllowed);
        add("C02", "the strategy trades it", "no".to_owned(), String::new(), passed);
    }
    add(
        "C01",
        "quantity the venue takes",
        qty(order.qty),
        // What no venue limits is as large as the integers hold.
        match it.qty_max.get() > i64::MAX / 8 {
            true => format!("at least {}", qty(it.qty_min)),
            false => format!("{} to {}", qty(it.qty_min), qty(it.qty_max)),
        },
        !refused("C01", |it| !matches!(it, Refusal::ValueTooSmall { .. })),
    );
    if it.qty_step != 1 || it.price_step != 1 {
        let steps = format!(
            "multiples of {} and {}",
            qty(Qty::new(it.qty_step)),
            it.price_decimal(Price::new(it.price_step))
        );
        let price = order.order_type.limit();
        let passed =
            it.is_on_qty_step(order.qty) && price.is_none_or(|price| it.is_on_price_step(price));
        add("C01", "on the venue's steps", String::new(), steps, passed);
    }
    if let Some(limit) = limits.order_qty_max {
        add("C03", "size of the order", qty(order.qty), qty(limit), order.qty <= limit);
    }
    let price = reference_price(&order, scene.quote);
    let value = price.and_then(|price| it.value(price, order.qty)?.money.checked_abs());
    if let Some(value) = value {
        let passed = !refused("C01", |it| matches!(it, Refusal::ValueTooSmall { .. }));
        if !it.notional_min.is_zero() {
            let least = format!("at least {}", money(it.notional_min));
            add("C01", "value the venue takes", money(value).to_string(), least, passed);
        }
        if let Some(limit) = limits.order_value_max {
            let text = money(limit).to_string();
            add("C04", "value of the order", money(value).to_string(), text, value <= limit);
        }
    }
    if let (Some(price), Some(limit), Some(twice)) =
        (order.order_type.limit(), limits.collar, scene.quote.twice_mid())
    {
        let off = i128::from(price.get()) * 2 - i128::from(twice);
        let bps = |ticks: i128| {
            let share = Money::from_units(ticks.saturating_mul(10_000_000));
            let of = i128::from(twice).max(1);
            let share =
                tse_model::divide(share.units(), of, Rounding::HalfEven).unwrap_or(i128::MAX);
            Money::from_units(share).display(3).to_string()
        };
        add(
            "C05",
            "price from the middle, bp",
            bps(off),
            format!("±{}", Money::from_units(i128::from(limit.billionths()) / 100).display(3)),
            !refused("C05", |_| true),
        );
    }
    if let Some((_, (after, limit))) = scene.too_many {
        let passed = !refused("C06", |_| true);
        add("C06", "messages in the window", after.to_string(), limit.to_string(), passed);
    }
    if let Some(limit) = limits.repeats {
        let count = scene.repeats.saturating_add(1);
        let text = format!("{} in {}", limit.count, limit.window);
        add("C08", "the same order", count.to_string(), text, !refused("C08", |_| true));
    }
    let scopes = [
        ("strategy", &scene.strategy, limits),
        ("account", &scene.account, scene.limits.account()),
    ];
    for (scope, book, limits) in scopes {
        if let Some(limit) = limits.open_orders_max {
            let what =
                if scope == "strategy" { "open orders, strategy" } else { "open orders, account" };
            let after = book.orders.saturating_add(1);
            let passed = scene.closing || after <= limit;
            add("C10", what, after.to_string(), limit.to_string(), passed);
        }
    }
    let reduces = scopes.iter().all(|(_, book, _)| order.qty <= book.closable(order.side));
    for (scope, book, limits) in scopes {
        let max = if order.side == Side::Buy { limits.long_max } else { limits.short_max };
        if let Some(limit) = max {
            let what = if scope == "strategy" {
                "position at worst, strategy"
            } else {
                "position at worst, account"
            };
            let sign = order.side.sign();
            let open = book.open[order.side.index()].saturating_add(order.qty);
            let after = book.position.get().saturating_add(open.get().saturating_mul(sign));
            let passed = reduces || after.saturating_mul(sign) <= limit.get();
            let limit = limit.get().saturating_mul(sign);
            add("C11", what, qty(Qty::new(after)), qty(Qty::new(limit)), passed);
        }
    }
    for exposed in scene.exposed {
        let scale = scale_of(scene.counted_in);
        let what = match (exposed.measure, exposed.scope) {
            (Measure::Gross, Scope::Strategy) => "gross exposure at worst, strategy",
            (Measure::Net, Scope::Strategy) => "net exposure at worst, strategy",
            (Measure::Leverage, Scope::Strategy) => "leverage at worst, strategy",
            (Measure::Concentration, Scope::Strategy) => "exposure to the asset at worst, strategy",
            (Measure::Gross, Scope::Account) => "gross exposure at worst, all",
            (Measure::Net, Scope::Account) => "net exposure at worst, all",
            (Measure::Leverage, Scope::Account) => "leverage at worst, all",
            (Measure::Concentration, Scope::Account) => "exposure to the asset at worst, all",
            (Measure::GroupGross(_), _) => "gross exposure of the group at worst",
            (Measure::GroupNet(_), _) => "net exposure of the group at worst",
        };
        let (value, limit) = (exposed.value.display(scale), exposed.limit.display(scale));
        add("C12", what, value.to_string(), limit.to_string(), reduces || !exposed.is_over());
    }
    if scene.unmeasured.is_some() {
        let unknown = |it: &Refusal| matches!(it, Refusal::ExposureUnknown { .. });
        let passed = !refused("C12", unknown);
        add("C12", "exposure", "cannot be told".to_owned(), String::new(), passed);
    }
    if let (Some(held), Some(free)) =
        (price.and_then(|price| hold_of(it, &order, price, value?, &scene.account)), scene.free)
    {
        let passed = reduces || held.amount <= free;
        // Both are in the currency that the order needs.
        let scale = scale_of(held.currency);
        let (needed, free) = (held.amount.display(scale), free.display(scale));
        add("C13", "money it needs", needed.to_string(), format!("{free} free"), passed);
    }
    if let Some(own) = scene.own_opposite {
        let price = order
            .order_type
            .limit()
            .map_or("any".to_owned(), |limit| it.price_decimal(limit).to_string());
        let value = format!("{price} against {}", it.price_decimal(own));
        add("C14", "own orders on the other side", value, String::new(), !refused("C14", |_| true));
    }
    if scene.unvalued.is_some() {
        let passed = !refused("C15", |_| true);
        add("C15", "profit and loss", "cannot be told".to_owned(), String::new(), passed);
    }
    if let (Some(age), Some(limit)) = (scene.age, limits.data_age_max) {
        add("C18", "age of the quote", age.to_string(), limit.to_string(), reduces || age <= limit);
    }
    if let Some(clock) = scene.clock {
        let passed = !refused("C19", |_| true);
        add("C19", "clock", Refusal::Clock(clock).to_string(), String::new(), passed);
    }
    if let Some((low, high)) = scene.swing {
        let passed = !refused("C20", |_| true);
        let price = |twice: i64| it.price_decimal(Price::new(twice.div_euclid(2))).to_string();
        let value = format!("{} to {}", price(low), price(high));
        add("C20", "range of the market in a short while", value, String::new(), passed);
    }
    if !scene.attributed {
        let value = "not known".to_owned();
        add("C28", "algorithm, version, operator, config", value, String::new(), false);
    }
    if let Some((after, limit)) = scene.in_flight {
        let passed = !refused("C21", |_| true);
        add("C21", "orders without an answer", after.to_string(), limit.to_string(), passed);
    }
    if let Some((_, (after, limit))) = scene.per_trade {
        let passed = !refused("C22", |_| true);
        add("C22", "messages for trades today", after.to_string(), limit.to_string(), passed);
    }
    let market = match (scene.open, scene.valid) {
        (false, _) => "closed",
        (_, false) => "not to be believed",
        _ => "open, and its book is whole",
    };
    add("C18", "the market is", market.to_owned(), String::new(), !refused("C18", |_| true));
    if scene.nearly_full {
        let passed = !refused("F06", |_| true);
        add("F06", "room for the journal", "the last file".to_owned(), String::new(), passed);
    }
    if let Some(lag) = scene.lag {
        let passed = !refused("F08", |_| true);
        add("F08", "journal safe after", lag.lag.to_string(), lag.limit.to_string(), passed);
    }
    let account = match (scene.latched, scene.reconciled) {
        (true, _) => "latched",
        (_, false) => "not compared with the venue",
        _ => "as at the venue",
    };
    let passed = !refused("C26", |_| true);
    add("C26", "the account is", account.to_owned(), String::new(), passed);
    if let Some(waived) = waived {
        let over = |check: &&mut Check| check.control == waived.control() && !check.passed;
        for check in checks.iter_mut().filter(over) {
            check.passed = true;
            check.limit.push_str(", let pass by two people");
        }
    }
    checks
}
