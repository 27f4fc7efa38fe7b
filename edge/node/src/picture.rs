//! How things stand, as plain data for people and programs. Amounts, prices and sizes are decimal strings.

use crate::Names;
use crate::watcher::Watcher;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tse_kernel::{Kernel, Order};
use tse_model::{OrderType, Side, StrategyId, Timestamp, VenueId};
use tse_risk::{Level, Reach};

/// How many open orders a picture shows.
const ORDERS_SHOWN: usize = 1_000;

/// Something that was said, in a line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// Counts up as long as the process lives.
    pub number: u64,
    /// When, by the engine's clock.
    pub at: String,
    /// What kind of thing.
    pub kind: String,
    /// What about.
    pub about: Value,
}

/// How far a scope is cut back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Latched {
    /// Which: `firm`, `account:VENUE`, `instrument:SYMBOL` or `strategy:NAME`.
    pub scope: String,
    /// A level's name.
    pub level: String,
    /// The control that did it; empty for a person.
    pub control: String,
    /// Who, if a person did.
    pub by: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub since: String,
}

/// An account.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VenuePicture {
    /// Where.
    pub name: String,
    /// Whether the line is up.
    pub linked: bool,
    /// Whether the account is known to be as it is there.
    pub reconciled: bool,
    /// Whether it holds a difference that nobody can explain.
    pub unexplained: bool,
}

/// A strategy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StrategyPicture {
    /// Its name.
    pub name: String,
    /// How far it is cut back, by whichever scope.
    pub level: String,
    /// What it has earned since the engine was first begun, in the base currency; null where that has no usable price.
    pub net: Option<String>,
    /// Open orders.
    pub orders: usize,
    /// What it holds.
    pub positions: Vec<Held>,
}

/// A position.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Held {
    /// In what.
    pub symbol: String,
    /// Signed size.
    pub size: String,
    /// Average price; null where it cannot be told.
    pub price: Option<String>,
}

/// An open order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenOrder {
    /// Our name for it.
    pub id: String,
    /// Whose.
    pub strategy: String,
    /// In what.
    pub symbol: String,
    /// `buy` or `sell`.
    pub side: String,
    /// Its limit; null where it has none.
    pub price: Option<String>,
    /// What was ordered.
    pub size: String,
    /// What has traded.
    pub filled: String,
    /// Where it is in its life.
    pub life: String,
    /// Since when.
    pub made: String,
}

/// How things stand.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Picture {
    /// What the engine is called.
    pub name: String,
    /// What is at stake: `paper`.
    pub mode: String,
    /// The process.
    pub pid: u32,
    /// How often the engine has begun.
    pub epoch: u16,
    /// Whether it is on its way out.
    pub stopping: bool,
    /// The engine's clock.
    pub now: String,
    /// Market seconds for each second of the clock, as asked for.
    pub speed: f64,
    /// How many milliseconds of the clock the market has fallen behind and given up, since this process began.
    pub forgotten_ms: u64,
    /// Whether it may trade: `armed` and not cut back as a whole.
    pub armed: bool,
    /// How far everything is cut back.
    pub level: String,
    /// Every scope that is cut back.
    pub latches: Vec<Latched>,
    /// Accounts.
    pub venues: Vec<VenuePicture>,
    /// Strategies.
    pub strategies: Vec<StrategyPicture>,
    /// Open orders, at most a thousand.
    pub orders: Vec<OpenOrder>,
    /// How many there are.
    pub orders_open: usize,
    /// What results are counted in.
    pub base: String,
    /// What everything is worth; null where something has no usable price.
    pub equity: Option<String>,
    /// What all positions have earned since the engine was first begun.
    pub net: Option<String>,
    /// Market events.
    pub events: u64,
    /// Orders sent since the engine was first begun.
    pub sent: u64,
    /// Orders and changes that the gate refused.
    pub denied: u64,
    /// Executions.
    pub fills: u64,
    /// The last record of the journal that is safe.
    pub safe: u64,
    /// How long the slowest record took lately, in microseconds.
    pub record_us: u64,
    /// What should be seen, newest last.
    pub alerts: Vec<Line>,
    /// Why the flag beside the journal is not as it should be, if it is not.
    pub flag_trouble: Option<String>,
    /// The state of everything, as one number.
    pub state_hash: String,
}

/// What only the driver knows.
pub(crate) struct Facts<'a> {
    pub(crate) name: &'a str,
    pub(crate) epoch: u16,
    pub(crate) stopping: bool,
    pub(crate) speed: f64,
    pub(crate) forgotten_ms: u64,
    pub(crate) events: u64,
    pub(crate) net: Option<tse_model::Money>,
    pub(crate) now: Timestamp,
    pub(crate) safe: u64,
    pub(crate) record_us: u64,
    pub(crate) flag_trouble: Option<String>,
}

impl Picture {
    pub(crate) fn of(kernel: &Kernel, names: &Names, watcher: &Watcher, facts: &Facts<'_>) -> Self {
        let (counts, state) = (kernel.counts(), kernel.state());
        let (orders, orders_open) = orders(kernel, names);
        let money = |money| names.catalog.show(money, names.base);
        Self {
            name: facts.name.to_owned(),
            mode: "paper".to_owned(),
            pid: std::process::id(),
            epoch: facts.epoch,
            stopping: facts.stopping,
            now: facts.now.to_string(),
            speed: facts.speed,
            forgotten_ms: facts.forgotten_ms,
            armed: state.is_armed(),
            level: state.switch().covering(Reach::Firm).name().to_owned(),
            latches: latches(kernel, names),
            venues: venues(kernel, names),
            strategies: strategies(kernel, names, watcher),
            orders,
            orders_open,
            base: names.catalog.currency(names.base).code.clone(),
            equity: watcher.equity.map(money),
            net: facts.net.map(money),
            events: facts.events,
            sent: counts.orders,
            denied: counts.denied,
            fills: counts.fills,
            safe: facts.safe,
            record_us: facts.record_us,
            alerts: watcher.alerts.iter().cloned().collect(),
            flag_trouble: facts.flag_trouble.clone(),
            state_hash: kernel.state_hash().to_string(),
        }
    }
}

fn latches(kernel: &Kernel, names: &Names) -> Vec<Latched> {
    let catalog = &names.catalog;
    let accounts = (0..catalog.venues().len()).map(|at| Reach::Account(VenueId(at as u16)));
    let instruments = catalog.instruments().iter().map(|it| Reach::Instrument(it.id));
    let strategies = (0..names.strategies.len()).map(|at| Reach::Strategy(StrategyId(at as u16)));
    let all = [Reach::Firm].into_iter().chain(accounts).chain(instruments).chain(strategies);
    let latched = |reach| {
        let latch = kernel.state().switch().latch(reach)?;
        (latch.level > Level::Free).then(|| Latched {
            scope: names.scope(reach),
            level: latch.level.name().to_owned(),
            control: latch.cause.control().to_owned(),
            by: latch.by.as_str().to_owned(),
            why: latch.why.as_str().to_owned(),
            since: latch.at.to_string(),
        })
    };
    all.filter_map(latched).collect()
}

fn venues(kernel: &Kernel, names: &Names) -> Vec<VenuePicture> {
    let venues = names.catalog.venues().iter().enumerate();
    let picture = |(at, venue): (usize, &tse_model::Venue)| {
        let id = VenueId(at as u16);
        VenuePicture {
            name: venue.name.clone(),
            linked: kernel.state().is_linked(id),
            reconciled: kernel.state().is_reconciled(id),
            unexplained: kernel.is_latched(id),
        }
    };
    venues.map(picture).collect()
}

fn strategies(kernel: &Kernel, names: &Names, watcher: &Watcher) -> Vec<StrategyPicture> {
    let picture = |(at, name): (usize, &String)| {
        let id = StrategyId(at as u16);
        let mine = |order: &&Order| order.request.strategy == id;
        let open = each_order(kernel, names).filter(mine).count();
        let held = kernel.portfolio().positions().iter();
        let held = held.filter(|held| held.strategy() == id && !held.is_flat());
        let positions = held
            .map(|held| {
                let it = names.catalog.instrument(held.instrument());
                Held {
                    symbol: it.symbol.to_string(),
                    size: it.qty_decimal(held.qty()).to_string(),
                    price: held.average_price(it).map(|price| price.to_string()),
                }
            })
            .collect();
        let net = watcher.nets.get(at).copied().flatten();
        StrategyPicture {
            name: name.clone(),
            level: kernel.state().switch().covering(Reach::Strategy(id)).name().to_owned(),
            net: net.map(|net| names.catalog.show(net, names.base)),
            orders: open,
            positions,
        }
    };
    names.strategies.iter().enumerate().map(picture).collect()
}

fn each_order<'a>(kernel: &'a Kernel, names: &'a Names) -> impl Iterator<Item = &'a Order> {
    let markets = names.catalog.instruments().iter();
    markets.flat_map(|it| {
        Side::BOTH
            .into_iter()
            .flat_map(|side| kernel.orders().open(it.id, side).map(|(_, order)| order))
    })
}

fn orders(kernel: &Kernel, names: &Names) -> (Vec<OpenOrder>, usize) {
    let shown = |order: &Order| {
        let request = &order.request;
        let it = names.catalog.instrument(request.instrument);
        let limit = match request.order_type {
            OrderType::Limit(limit) | OrderType::StopLimit { limit, .. } => Some(limit),
            _ => None,
        };
        OpenOrder {
            id: request.id.to_string(),
            strategy: names.strategy(request.strategy).to_owned(),
            symbol: it.symbol.to_string(),
            side: if request.side == Side::Buy { "buy" } else { "sell" }.to_owned(),
            price: limit.map(|limit| it.price_decimal(limit).to_string()),
            size: it.qty_decimal(request.qty).to_string(),
            filled: it.qty_decimal(order.filled).to_string(),
            life: format!("{:?}", order.life).to_lowercase(),
            made: order.made.to_string(),
        }
    };
    let all = each_order(kernel, names).take(ORDERS_SHOWN).map(shown).collect();
    (all, each_order(kernel, names).count())
}
