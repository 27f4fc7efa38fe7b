//! The statistics of a finished run once more, from the files of its folder.
//!
//! What was told while it ran is read back row by row and goes through the same definitions. What the tables do
//! not hold (the last prices, funding, the run's first and last moment) comes from `stats.json`; sums over several
//! currencies would need prices that are gone, and are null.

use super::fault::Failure;
use super::performance::{Parts, Performance};
use super::rows::{Cells, each};
use super::summary::Summary;
use super::trades::{Pair, fee_in_settle};
use crate::config::Config;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::Path;
use tse_model::{
    CurrencyId, Decimal, ExecId, Fill, Instrument, Liquidity, Money, Qty, Side, Span, Timestamp,
};
use tse_portfolio::statistics::{Deal, Decided, EquityCurve, Holding};
use tse_portfolio::{Mark, Profit};

/// The statistics of a run and of its strategies.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Again {
    #[serde(flatten)]
    pub(crate) all: Performance,
    pub(crate) strategies: Vec<Named>,
}

/// Of one strategy.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) performance: Performance,
}

/// What the tables say.
struct Tables<'a> {
    config: &'a Config,
    names: Vec<String>,
    /// `[strategy][instrument]`.
    pairs: Vec<Vec<Pair>>,
    orders: BTreeMap<String, Row>,
    /// In the order of the file: sums in floats depend on it.
    order: Vec<String>,
    holding: Vec<Holding>,
    held_by_any: Holding,
    fees: Vec<Option<Money>>,
}

/// An order as the table has it.
struct Row {
    at: (usize, usize),
    side: Side,
    left: Qty,
    decided: Decided,
    ended: Option<Mark>,
}

/// Works the statistics of a run out again.
pub(crate) fn again(folder: &Path, config: &Config, summary: &Summary) -> Result<Again, Failure> {
    let names: Vec<_> = config.strategies.iter().map(|plan| plan.name.clone()).collect();
    let count = names.len();
    let instruments = config.catalog.instruments().len();
    let mut tables = Tables {
        config,
        pairs: vec![vec![Pair::default(); instruments]; count],
        orders: BTreeMap::new(),
        order: Vec::new(),
        holding: vec![Holding::default(); count],
        held_by_any: Holding::default(),
        fees: vec![Some(Money::ZERO); count],
        names,
    };
    each(&folder.join("orders.parquet"), |row| tables.take_order(row))?;
    each(&folder.join("fills.parquet"), |row| tables.take_fill(row))?;
    tables.end_orders();
    let (whole, each_one) = curves(folder, config, &tables.names)?;
    Ok(tables.sum_up(summary, &whole, &each_one))
}

/// The curve of the account and those of its strategies.
fn curves(
    folder: &Path,
    config: &Config,
    names: &[String],
) -> Result<(EquityCurve, Vec<EquityCurve>), Failure> {
    let mut whole = EquityCurve::new(config.basis());
    let mut own = vec![EquityCurve::new(config.basis()); names.len()];
    let money = |value: Decimal| config.catalog.money(value, config.base);
    each(&folder.join("equity.parquet"), |row| {
        let equity = row.exact("equity")?;
        whole.observe(row.time("ts")?, money(equity).ok_or_else(|| row.wrong("equity"))?);
        Ok(())
    })?;
    let start = whole.start();
    each(&folder.join("pnl.parquet"), |row| {
        let name = row.text("strategy")?;
        let at = names.iter().position(|known| known == name);
        let at = at.ok_or_else(|| row.wrong("strategy"))?;
        let Some(net) = row.decimal("net")? else { return Ok(()) };
        let net = money(net).ok_or_else(|| row.wrong("net"))?;
        if let Some(worth) = start.and_then(|start| start.checked_add(net)) {
            own[at].observe(row.time("ts")?, worth);
        }
        Ok(())
    })?;
    Ok((whole, own))
}

impl Tables<'_> {
    fn take_order(&mut self, row: &Cells<'_>) -> Result<(), Failure> {
        let (strategy, it) = place(self.config, &self.names, row)?;
        // Another leg of its group was refused: it never left.
        if row.text("state")? == "withdrawn" {
            return Ok(());
        }
        let qty = |name| {
            let size = row.exact(name)?;
            it.qty(size).ok_or_else(|| row.wrong(name))
        };
        let (size, filled, submitted) = (qty("size")?, qty("filled")?, qty("submitted")?);
        let mut decided = Decided::new(mid(row, "mid_sent", it)?);
        decided.hear(mid(row, "mid_heard", it)?);
        let order = Row {
            at: (strategy, it.id.index()),
            side: side(row)?,
            left: size.saturating_sub(filled).max(Qty::ZERO),
            decided,
            ended: mid(row, "mid_ended", it)?,
        };
        let pair = &mut self.pairs[strategy][order.at.1];
        pair.orders += 1;
        pair.submitted += i128::from(submitted.get());
        let id = row.text("order_id")?.to_owned();
        self.order.push(id.clone());
        self.orders.insert(id, order);
        Ok(())
    }

    fn take_fill(&mut self, row: &Cells<'_>) -> Result<(), Failure> {
        let (strategy, it) = place(self.config, &self.names, row)?;
        let catalog = &self.config.catalog;
        let money = |name, currency: CurrencyId| {
            let amount = row.exact(name)?;
            catalog.money(amount, currency).ok_or_else(|| row.wrong(name))
        };
        let fee_currency = catalog.currency_id(row.text("fee_currency")?);
        let fee_currency = fee_currency.ok_or_else(|| row.wrong("fee_currency"))?;
        let (price, size) = (row.exact("price")?, row.exact("size")?);
        let fill = Fill {
            exec: ExecId(0),
            price: it.price(price).ok_or_else(|| row.wrong("price"))?,
            qty: it.qty(size).ok_or_else(|| row.wrong("size"))?,
            liquidity: match row.text("liquidity")? {
                "maker" => Liquidity::Maker,
                _ => Liquidity::Taker,
            },
            fee: money("fee", fee_currency)?,
            fee_currency,
        };
        let (id, now, side) = (row.text("order_id")?, row.time("ts")?, side(row)?);
        let order = self.orders.get_mut(id);
        let deal = Deal {
            side,
            price: fill.price,
            qty: fill.qty,
            maker: fill.liquidity == Liquidity::Maker,
            fee: fee_in_settle(catalog, it, &fill),
            realized: money("realized", it.settle)?,
            mid: mid(row, "mid", it)?,
            decided: order.as_ref().and_then(|order| order.decided.sent),
        };
        let pair = &mut self.pairs[strategy][it.id.index()];
        pair.fills += 1;
        if let Some(order) = order {
            order.decided.fill(it, &deal);
            pair.filled += i128::from(fill.qty.get());
        }
        let before = pair.trading.held();
        pair.trading.fill(it, &deal);
        let after = pair.trading.held();
        self.holding[strategy].turn(now, before, after);
        self.held_by_any.turn(now, before, after);
        let in_base = (fee_currency == self.config.base || fill.fee.is_zero()).then_some(fill.fee);
        let fees = &mut self.fees[strategy];
        *fees = fees.zip(in_base).and_then(|(sum, fee)| sum.checked_add(fee));
        Ok(())
    }

    fn end_orders(&mut self) {
        for id in std::mem::take(&mut self.order) {
            let Some(order) = self.orders.remove(&id) else { continue };
            let (strategy, instrument) = order.at;
            let it = &self.config.catalog.instruments()[instrument];
            if let Some(costs) = order.decided.end(it, order.side, order.left, order.ended) {
                self.pairs[strategy][instrument].trading.add_shortfall(&costs);
            }
        }
    }

    fn sum_up(&self, summary: &Summary, whole: &EquityCurve, own: &[EquityCurve]) -> Again {
        let catalog = &self.config.catalog;
        let moment = |text: &Option<String>| {
            text.as_deref().and_then(crate::config::moment).unwrap_or(Timestamp::EPOCH)
        };
        let (first, last) = (moment(&summary.start), moment(&summary.end));
        let amount = |text: &Option<String>| {
            let value: Decimal = text.as_deref()?.parse().ok()?;
            catalog.money(value, self.config.base)
        };
        let part = |strategy: Option<usize>| {
            let wanted = |at: usize| strategy.is_none_or(|strategy| strategy == at);
            let of = self.pairs.iter().enumerate().filter(|(at, _)| wanted(*at));
            let pairs = of
                .flat_map(|(at, pairs)| {
                    let named = move |it| mark_of(summary, &self.names[at], it);
                    pairs
                        .iter()
                        .zip(catalog.instruments())
                        .map(move |(pair, it)| (pair, it, named(it)))
                })
                .collect();
            let fees = self.fees.iter().enumerate().filter(|(at, _)| wanted(*at));
            let fees = fees
                .map(|(_, fees)| *fees)
                .try_fold(Money::ZERO, |sum, fees| sum.checked_add(fees?));
            let (net, funding) = match strategy {
                None => (&summary.net_pnl, &summary.funding),
                Some(at) => (&summary.strategies[at].net_pnl, &summary.strategies[at].funding),
            };
            let profit = amount(net).zip(amount(funding)).zip(fees);
            // Only the net profit, fees and funding are asked for; the rest is what makes the net come out.
            let profit = profit.and_then(|((net, funding), fees)| {
                let realized = net.checked_add(fees)?.checked_sub(funding)?;
                let (unrealized, age) = (Money::ZERO, Span::ZERO);
                Some(Profit { realized, unrealized, fees, funding, age })
            });
            let base = self.config.base;
            let convert = |amount, currency| (currency == base).then_some(amount);
            let holding = strategy.map_or(self.held_by_any, |at| self.holding[at]);
            Parts {
                catalog,
                base,
                convert: &convert,
                curve: strategy.map_or(whole, |at| &own[at]),
                pairs,
                profit,
                held: holding.until(last),
                lasted: last - first,
            }
            .performance()
        };
        // What no table holds is as the run told it.
        let with = |of: Performance, told: &Performance| Performance {
            markouts: told.markouts.clone(),
            breaches: told.breaches,
            emergency_stops: told.emergency_stops,
            recovery_ns: told.recovery_ns.clone(),
            ..of
        };
        let named = |(at, name): (usize, &String)| Named {
            name: name.clone(),
            performance: with(part(Some(at)), &summary.strategies[at].performance),
        };
        let all = with(part(None), &summary.performance);
        Again { all, strategies: self.names.iter().enumerate().map(named).collect() }
    }
}

/// Who traded what, in which row.
fn place<'a>(
    config: &'a Config,
    names: &[String],
    row: &Cells<'_>,
) -> Result<(usize, &'a Instrument), Failure> {
    let strategy = row.text("strategy")?;
    let at = names.iter().position(|name| name == strategy);
    let symbol = row.text("symbol")?.parse().ok();
    let it = symbol.and_then(|symbol| config.catalog.instrument_id(&symbol));
    let it = it.ok_or_else(|| row.wrong("symbol"))?;
    Ok((at.ok_or_else(|| row.wrong("strategy"))?, config.catalog.instrument(it)))
}

/// The price that what a strategy holds is valued at.
fn mark_of(summary: &Summary, strategy: &str, it: &Instrument) -> Option<Mark> {
    let symbol = it.symbol.to_string();
    let mut all = summary.positions.iter();
    let held = all.find(|held| held.strategy == strategy && held.symbol == symbol)?;
    on_half_ticks(held.mark_price.as_deref()?.parse().ok()?, it)
}

/// A price as a mark, if it stands on a tick or between two.
fn on_half_ticks(price: Decimal, it: &Instrument) -> Option<Mark> {
    let half = Decimal::new(it.tick.mantissa().checked_mul(5)?, it.tick.scale() + 1)?;
    price.steps_of(half).map(Mark::mid)
}

fn mid(row: &Cells<'_>, name: &str, it: &Instrument) -> Result<Option<Mark>, Failure> {
    let Some(price) = row.decimal(name)? else { return Ok(None) };
    on_half_ticks(price, it).map(Some).ok_or_else(|| row.wrong(name))
}

fn side(row: &Cells<'_>) -> Result<Side, Failure> {
    match row.text("side")? {
        "buy" => Ok(Side::Buy),
        "sell" => Ok(Side::Sell),
        _ => Err(row.wrong("side")),
    }
}
