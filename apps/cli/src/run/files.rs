//! The streamed files of a run folder: orders, fills, equity, opportunities, and the log.
//!
//! Rows are written as things happen. What grows with a run is the tables' own index, about half a byte
//! an order. All files speak in names (symbols, strategies), exact decimals and UTC nanoseconds;
//! `docs/run-folder.md` lists the columns.

use super::fault::Failure;
use super::table::{Cell, Column, Holds, Table};
use super::trades::Over;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use tse_kernel::{Ending, Life, Order};
use tse_model::{
    Catalog, ClientOrderId, CurrencyId, Decimal, Fill, Instrument, InstrumentId, Money, Qty, Side,
    StrategyId, Timestamp,
};
use tse_portfolio::Mark;
use tse_sim::Sample;
use tse_strategy::{Opportunity, Outcome};

/// Spreads are kept in billionths, which is a basis point with five decimals.
const BPS_PLACES: u8 = 5;

/// The decimals that all numbers of one kind are written with: the most that any of them needs.
#[derive(Clone, Copy, Debug)]
struct Places {
    price: u8,
    qty: u8,
    money: u8,
}

impl Places {
    fn of(catalog: &Catalog) -> Self {
        let steps = |step: fn(&Instrument) -> Decimal| {
            let places = |instrument| step(instrument).normalized().scale();
            catalog.instruments().iter().map(places).max().unwrap_or(0)
        };
        Self {
            price: steps(|instrument| instrument.tick),
            qty: steps(|instrument| instrument.lot),
            money: catalog.currencies().iter().map(|currency| currency.scale).max().unwrap_or(0),
        }
    }
}

/// A decimal on a grid of so many places; empty where 38 digits are not enough.
fn cell<'a>(value: Decimal, places: u8) -> Cell<'a> {
    Cell::maybe(value.at_scale(places), Cell::Decimal)
}

/// The names and grids that rows are written with.
#[derive(Debug)]
struct Names {
    catalog: Catalog,
    symbols: Vec<String>,
    strategies: Vec<String>,
    places: Places,
}

impl Names {
    fn symbol(&self, id: InstrumentId) -> Cell<'_> {
        Cell::Text(self.symbols.get(id.index()).map_or("", String::as_str))
    }

    fn strategy(&self, id: StrategyId) -> Cell<'_> {
        Cell::Text(self.strategies.get(id.index()).map_or("", String::as_str))
    }

    fn mid(&self, instrument: &Instrument, mid: Option<Mark>) -> Cell<'_> {
        let half = Decimal::new(instrument.tick.mantissa() * 5, instrument.tick.scale() + 1);
        let mid = mid.zip(half).and_then(|(mid, half)| {
            Decimal::new(half.mantissa().checked_mul(mid.twice())?, half.scale())
        });
        mid.map_or(Cell::Empty, |mid| cell(mid, self.places.price + 1))
    }

    fn money(&self, amount: Money, currency: CurrencyId) -> Cell<'_> {
        let decimal = amount.to_decimal(self.catalog.currency(currency).scale);
        decimal.map_or(Cell::Empty, |decimal| cell(decimal, self.places.money))
    }
}

/// The files of a run while it goes on.
pub(crate) struct Files {
    folder: PathBuf,
    names: Names,
    orders: Table,
    fills: Table,
    equity: Table,
    pnl: Table,
    opportunities: Option<Table>,
    log: BufWriter<File>,
    base: CurrencyId,
}

impl Files {
    /// Makes the files in a folder.
    pub(crate) fn create(
        folder: &Path,
        catalog: &Catalog,
        strategies: &[String],
        base: CurrencyId,
    ) -> Result<Self, Failure> {
        let places = Places::of(catalog);
        let names = Names {
            catalog: catalog.clone(),
            symbols: catalog.instruments().iter().map(|it| it.symbol.to_string()).collect(),
            strategies: strategies.to_vec(),
            places,
        };
        let log = folder.join("log.ndjson");
        let log = File::create(&log).map_err(|source| Failure::io("create", &log, source))?;
        let table = |name: &str, columns: &[Column]| Table::create(&folder.join(name), columns);
        Ok(Self {
            orders: table("orders.parquet", &order_columns(places))?,
            fills: table("fills.parquet", &fill_columns(places))?,
            equity: table("equity.parquet", &equity_columns(places))?,
            pnl: table("pnl.parquet", &pnl_columns(places))?,
            opportunities: None,
            log: BufWriter::new(log),
            folder: folder.to_owned(),
            names,
            base,
        })
    }

    /// An order ended, or the run did.
    pub(crate) fn order(&mut self, order: &Order, over: &Over) -> Result<(), Failure> {
        let Self { names, orders, .. } = self;
        let request = &order.request;
        let instrument = names.catalog.instrument(request.instrument);
        let qty = |qty: Qty| cell(instrument.qty_decimal(qty), names.places.qty);
        let limit = order.price().map(|price| instrument.price_decimal(price));
        orders.row(&[
            Cell::Int(order.made.nanos()),
            Cell::Int(order.changed.nanos()),
            Cell::Text(&request.id.to_string()),
            names.strategy(request.strategy),
            names.symbol(request.instrument),
            Cell::Text(side_name(request.side)),
            Cell::Text(request.order_type.name()),
            Cell::Text(request.time_in_force.name()),
            limit.map_or(Cell::Empty, |limit| cell(limit, names.places.price)),
            qty(request.qty),
            qty(order.filled),
            Cell::maybe(average(order, instrument), Cell::Ratio),
            Cell::Text(state(order.life)),
            Cell::Bool(request.post_only),
            Cell::Bool(request.reduce_only),
            Cell::maybe((request.group.0 > 0).then_some(request.group.0), |group| {
                Cell::Int(i64::from(group))
            }),
            names.mid(instrument, over.mids[0]),
            names.mid(instrument, over.mids[1]),
            names.mid(instrument, over.mids[2]),
            qty(Qty::new(over.submitted)),
        ])
    }

    /// An order of ours traded.
    pub(crate) fn fill(&mut self, now: Timestamp, filled: &Filled) -> Result<(), Failure> {
        let Self { names, fills, .. } = self;
        let Filled { fill, .. } = filled;
        let id = filled.id.to_string();
        let it = names.catalog.instrument(filled.instrument);
        let value = it.value(fill.price, fill.qty).and_then(|value| value.money.checked_abs());
        fills.row(&[
            Cell::Int(now.nanos()),
            match filled.id {
                // A liquidation: nobody ordered it.
                ClientOrderId(0) => Cell::Empty,
                _ => Cell::Text(&id),
            },
            Cell::Int(fill.exec.0 as i64),
            names.strategy(filled.strategy),
            names.symbol(filled.instrument),
            Cell::Text(side_name(filled.side)),
            cell(it.price_decimal(fill.price), names.places.price),
            cell(it.qty_decimal(fill.qty), names.places.qty),
            Cell::Text(fill.liquidity.name()),
            names.money(fill.fee, fill.fee_currency),
            Cell::Text(&names.catalog.currency(fill.fee_currency).code),
            names.money(filled.realized, it.settle),
            Cell::Text(&names.catalog.currency(it.settle).code),
            cell(it.qty_decimal(filled.position), names.places.qty),
            names.mid(it, filled.twice_mid.map(Mark::mid)),
            value.map_or(Cell::Empty, |value| names.money(value, it.settle)),
        ])
    }

    /// Equity was sampled.
    pub(crate) fn sample(
        &mut self,
        now: Timestamp,
        sample: &Sample<'_>,
        drawdown: Option<f64>,
    ) -> Result<(), Failure> {
        let Self { names, base, pnl, .. } = self;
        for (name, net) in names.strategies.iter().zip(sample.nets) {
            let net = net.map_or(Cell::Empty, |net| names.money(net, *base));
            pnl.row(&[Cell::Int(now.nanos()), Cell::Text(name), net])?;
        }
        let equity = &sample.equity;
        self.equity.row(&[
            Cell::Int(now.nanos()),
            names.money(equity.total, *base),
            names.money(equity.cash, *base),
            names.money(equity.unrealized, *base),
            Cell::maybe(drawdown, Cell::Ratio),
            Cell::Int(equity.age.nanos()),
        ])
    }

    /// An opportunity ended.
    pub(crate) fn opportunity(
        &mut self,
        now: Timestamp,
        strategy: StrategyId,
        seen: &Opportunity,
    ) -> Result<(), Failure> {
        let table = match &mut self.opportunities {
            Some(table) => table,
            none => {
                let path = self.folder.join("opportunities.parquet");
                none.insert(Table::create(&path, OPPORTUNITY_COLUMNS)?)
            }
        };
        let (outcome, reason) = match seen.outcome {
            Outcome::Detected => ("open", None),
            Outcome::Taken => ("taken", None),
            Outcome::Missed(why) => ("missed", Some(why.name())),
        };
        table.row(&[
            Cell::Int(seen.since.nanos()),
            Cell::Int(now.nanos()),
            self.names.strategy(strategy),
            self.names.symbol(seen.buy),
            self.names.symbol(seen.sell),
            Cell::Decimal(i128::from(seen.gross)),
            Cell::Decimal(i128::from(seen.net)),
            Cell::Text(outcome),
            Cell::maybe(reason, Cell::Text),
        ])
    }

    /// Writes one line of the log.
    pub(crate) fn log(&mut self, line: &serde_json::Value) -> Result<(), Failure> {
        writeln!(self.log, "{line}")
            .map_err(|source| Failure::io("write", &self.folder.join("log.ndjson"), source))
    }

    /// Ends all files.
    pub(crate) fn close(mut self) -> Result<(), Failure> {
        self.log
            .flush()
            .map_err(|source| Failure::io("write", &self.folder.join("log.ndjson"), source))?;
        let tables = [self.orders, self.fills, self.equity, self.pnl];
        tables.into_iter().chain(self.opportunities).try_for_each(Table::close)
    }
}

/// A fill and what it left behind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filled {
    pub(crate) id: ClientOrderId,
    pub(crate) strategy: StrategyId,
    pub(crate) instrument: InstrumentId,
    pub(crate) side: Side,
    pub(crate) fill: Fill,
    pub(crate) realized: Money,
    /// What the strategy then holds.
    pub(crate) position: Qty,
    /// The mid at that moment, in half ticks.
    pub(crate) twice_mid: Option<i64>,
}

pub(crate) const fn side_name(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

/// Where an order is in its life, in one word.
const fn state(life: Life) -> &'static str {
    match life {
        Life::Draft => "draft",
        Life::Denied => "denied",
        Life::Approved => "approved",
        Life::Withdrawn => "withdrawn",
        Life::Sent => "sent",
        Life::Unknown => "unknown",
        Life::Working => "working",
        Life::Ended(Ending::Rejected) => "rejected",
        Life::Ended(Ending::Cancelled) => "cancelled",
        Life::Ended(Ending::Expired) => "expired",
        Life::Ended(Ending::Filled) => "filled",
        Life::Absent => "absent",
        Life::Disputed => "disputed",
    }
}

/// The average price of an order's fills: a quotient, so a ratio and not an amount.
fn average(order: &Order, instrument: &Instrument) -> Option<f64> {
    let tick = instrument.tick;
    (order.filled.get() > 0).then(|| {
        let ticks = order.filled_value as f64 / order.filled.get() as f64;
        ticks * tick.mantissa() as f64 / 10f64.powi(i32::from(tick.scale()))
    })
}

fn order_columns(places: Places) -> [Column; 20] {
    [
        Column::of("ts_made", Holds::Time),
        Column::of("ts_changed", Holds::Time),
        Column::of("order_id", Holds::Text),
        Column::of("strategy", Holds::Text),
        Column::of("symbol", Holds::Text),
        Column::of("side", Holds::Text),
        Column::of("type", Holds::Text),
        Column::of("time_in_force", Holds::Text),
        Column::maybe("price", Holds::Decimal(places.price)),
        Column::maybe("size", Holds::Decimal(places.qty)),
        Column::maybe("filled", Holds::Decimal(places.qty)),
        Column::maybe("average_price", Holds::Ratio),
        Column::of("state", Holds::Text),
        Column::of("post_only", Holds::Bool),
        Column::of("reduce_only", Holds::Bool),
        Column::maybe("group", Holds::Int),
        Column::maybe("mid_sent", Holds::Decimal(places.price + 1)),
        Column::maybe("mid_heard", Holds::Decimal(places.price + 1)),
        Column::maybe("mid_ended", Holds::Decimal(places.price + 1)),
        Column::maybe("submitted", Holds::Decimal(places.qty)),
    ]
}

fn fill_columns(places: Places) -> [Column; 16] {
    [
        Column::of("ts", Holds::Time),
        Column::of("order_id", Holds::Text),
        Column::of("exec_id", Holds::Int),
        Column::of("strategy", Holds::Text),
        Column::of("symbol", Holds::Text),
        Column::of("side", Holds::Text),
        Column::maybe("price", Holds::Decimal(places.price)),
        Column::maybe("size", Holds::Decimal(places.qty)),
        Column::of("liquidity", Holds::Text),
        Column::maybe("fee", Holds::Decimal(places.money)),
        Column::of("fee_currency", Holds::Text),
        Column::maybe("realized", Holds::Decimal(places.money)),
        Column::of("currency", Holds::Text),
        Column::maybe("position", Holds::Decimal(places.qty)),
        Column::maybe("mid", Holds::Decimal(places.price + 1)),
        Column::maybe("value", Holds::Decimal(places.money)),
    ]
}

fn equity_columns(places: Places) -> [Column; 6] {
    [
        Column::of("ts", Holds::Time),
        Column::maybe("equity", Holds::Decimal(places.money)),
        Column::maybe("cash", Holds::Decimal(places.money)),
        Column::maybe("unrealized", Holds::Decimal(places.money)),
        Column::maybe("drawdown", Holds::Ratio),
        Column::of("price_age_ns", Holds::Int),
    ]
}

fn pnl_columns(places: Places) -> [Column; 3] {
    [
        Column::of("ts", Holds::Time),
        Column::of("strategy", Holds::Text),
        Column::maybe("net", Holds::Decimal(places.money)),
    ]
}

const OPPORTUNITY_COLUMNS: &[Column] = &[
    Column::of("ts_since", Holds::Time),
    Column::of("ts_end", Holds::Time),
    Column::of("strategy", Holds::Text),
    Column::of("buy", Holds::Text),
    Column::of("sell", Holds::Text),
    Column::of("gross_bps", Holds::Decimal(BPS_PLACES)),
    Column::of("net_bps", Holds::Decimal(BPS_PLACES)),
    Column::of("outcome", Holds::Text),
    Column::maybe("reason", Holds::Text),
];
