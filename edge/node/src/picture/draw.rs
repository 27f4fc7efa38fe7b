//! Makes a picture of an engine.

use super::{
    Balance, Earned, Figures, Held, Latched, LimitPicture, MarketPicture, OpenOrder, Picture, Rung,
    StrategyPicture, VenuePicture,
};
use crate::Names;
use crate::watcher::Watcher;
use tse_kernel::{Ending, Kernel, Life, Order};
use tse_model::{InstrumentId, Money, OrderType, Qty, Side, StrategyId, Timestamp, VenueId};
use tse_portfolio::statistics::{EquityCurve, Trading};
use tse_portfolio::{Position, Profit};
use tse_risk::{Level, Losses, Reach};

/// How many open orders a picture shows.
const ORDERS_SHOWN: usize = 1_000;
/// How many steps of a book, on each side.
const RUNGS_SHOWN: usize = 10;

/// What only the driver knows.
pub(crate) struct Facts<'a> {
    pub(crate) name: &'a str,
    pub(crate) epoch: u16,
    pub(crate) stopping: bool,
    pub(crate) speed: f64,
    pub(crate) forgotten_ms: u64,
    pub(crate) events: u64,
    pub(crate) profit: Option<Profit>,
    pub(crate) curve: &'a EquityCurve,
    pub(crate) curves: &'a [EquityCurve],
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
        let earned = earned(facts.profit.as_ref(), names);
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
            strategies: strategies(kernel, names, watcher, facts.curves),
            orders,
            orders_open,
            base: names.catalog.currency(names.base).code.clone(),
            equity: watcher.equity.map(money),
            net: earned.net.clone(),
            earned,
            figures: figures(facts.curve, watcher.trading.iter().flatten()),
            balances: balances(kernel, names),
            markets: markets(kernel, names, facts.now),
            limits: limits(kernel, names),
            events: facts.events,
            sent: counts.orders,
            denied: counts.denied,
            fills: counts.fills,
            safe: facts.safe,
            record_us: facts.record_us,
            alerts: watcher.alerts.iter().cloned().collect(),
            flag_trouble: facts.flag_trouble.clone(),
            state_hash: kernel.state_hash().to_string(),
            feed: watcher.feed.said(),
        }
    }
}

fn earned(profit: Option<&Profit>, names: &Names) -> Earned {
    let money = |money| names.catalog.show(money, names.base);
    Earned {
        realized: profit.map(|it| money(it.realized)),
        unrealized: profit.map(|it| money(it.unrealized)),
        fees: profit.map(|it| money(it.fees)),
        funding: profit.map(|it| money(it.funding)),
        net: profit.and_then(Profit::net).map(money),
    }
}

fn figures<'a>(curve: &EquityCurve, trading: impl Iterator<Item = &'a Trading>) -> Figures {
    let trips = trading.filter_map(Trading::trips);
    let (count, won) =
        trips.fold((0, 0), |(count, won), trips| (count + trips.count, won + trips.won));
    Figures {
        round_trips: count,
        win_rate: (count > 0).then(|| won as f64 / count as f64),
        total_return: curve.total_return(),
        sharpe: curve.sharpe(),
        sortino: curve.sortino(),
        max_drawdown: curve
            .has_index()
            .then(|| curve.max_drawdown().map_or(0.0, |deepest| deepest.ratio)),
        days: curve.days(),
    }
}

fn latches(kernel: &Kernel, names: &Names) -> Vec<Latched> {
    let catalog = &names.catalog;
    let accounts = (0..catalog.venues().len()).map(|at| Reach::Account(VenueId(at as u16)));
    let instruments = catalog.instruments().iter().map(|it| Reach::Instrument(it.id));
    let all = [Reach::Firm].into_iter().chain(accounts).chain(instruments).chain(each(names));
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

/// The scope of each strategy.
fn each(names: &Names) -> impl Iterator<Item = Reach> + use<> {
    (0..names.strategies.len()).map(|at| Reach::Strategy(StrategyId(at as u16)))
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

fn strategies(
    kernel: &Kernel,
    names: &Names,
    watcher: &Watcher,
    curves: &[EquityCurve],
) -> Vec<StrategyPicture> {
    let picture = |(at, name): (usize, &String)| {
        let id = StrategyId(at as u16);
        let mine = |order: &&Order| order.request.strategy == id;
        let open = each_order(kernel, names).filter(mine).count();
        let positions = kernel.portfolio().positions().iter();
        let positions = positions.filter(|held| held.strategy() == id && !held.is_flat());
        let net = watcher.nets.get(at).copied().flatten();
        let [bought, sold] = watcher.traded.get(at).copied().unwrap_or_default();
        StrategyPicture {
            name: name.clone(),
            level: kernel.state().switch().covering(Reach::Strategy(id)).name().to_owned(),
            net: net.map(|net| names.catalog.show(net, names.base)),
            orders: open,
            bought,
            sold,
            positions: positions.map(|it| held(it, Some(kernel), names)).collect(),
            figures: curves
                .get(at)
                .map(|curve| figures(curve, watcher.trading.get(at).into_iter().flatten()))
                .unwrap_or_default(),
        }
    };
    names.strategies.iter().enumerate().map(picture).collect()
}

/// A position, valued as the engine values it where that is at hand.
pub(crate) fn held(held: &Position, kernel: Option<&Kernel>, names: &Names) -> Held {
    let it = names.catalog.instrument(held.instrument());
    let mark = kernel.and_then(|kernel| kernel.state().mark(it.id));
    let money = |money: Money| names.catalog.show(money, it.settle);
    Held {
        symbol: it.symbol.to_string(),
        size: it.qty_decimal(held.qty()).to_string(),
        price: held.average_price(it).map(|price| price.to_string()),
        mark: mark.and_then(|mark| mark.decimal(it)).map(|price| price.normalized().to_string()),
        currency: names.catalog.currency(it.settle).code.clone(),
        exposure: mark.and_then(|mark| held.exposure(it, mark)).map(money),
        unrealized: mark.and_then(|mark| held.unrealized(it, mark)).map(money),
        realized: money(held.realized()),
        opened: held.opened_at().filter(|_| !held.is_flat()).map(|at| at.to_string()),
    }
}

fn balances(kernel: &Kernel, names: &Names) -> Vec<Balance> {
    let each = |(venue, currency, amount): (VenueId, _, Money)| Balance {
        venue: names.catalog.venue(venue).name.clone(),
        currency: names.catalog.currency(currency).code.clone(),
        amount: names.catalog.show(amount, currency),
        reserved: names.catalog.show(kernel.state().reserved(venue, currency), currency),
    };
    kernel.portfolio().balances().map(each).collect()
}

fn markets(kernel: &Kernel, names: &Names, now: Timestamp) -> Vec<MarketPicture> {
    let picture = |it: &tse_model::Instrument| {
        let market = kernel.market(it.id);
        let rung = |price, size: Qty| {
            let (price, size) = (it.price_decimal(price), it.qty_decimal(size));
            size.mantissa()
                .is_positive()
                .then(|| Rung { price: price.to_string(), size: size.to_string() })
        };
        let side = |side| {
            let levels = market.book.levels(side).take(RUNGS_SHOWN);
            let levels: Vec<_> = levels.filter_map(|level| rung(level.price, level.qty)).collect();
            let quote = &market.quote;
            match (levels.is_empty(), side) {
                (false, _) => levels,
                (true, Side::Buy) => rung(quote.bid, quote.bid_qty).into_iter().collect(),
                (true, Side::Sell) => rung(quote.ask, quote.ask_qty).into_iter().collect(),
            }
        };
        MarketPicture {
            symbol: it.symbol.to_string(),
            bids: side(Side::Buy),
            asks: side(Side::Sell),
            age_ms: market.age(now).map(|age| (age.nanos() / 1_000_000).max(0).unsigned_abs()),
            valid: market.valid,
            open: market.open,
        }
    };
    names.catalog.instruments().iter().map(picture).collect()
}

/// What may be held and ordered, strategy by strategy, and what may be lost.
fn limits(kernel: &Kernel, names: &Names) -> Vec<LimitPicture> {
    let mut all = Vec::new();
    for reach in [Reach::Firm].into_iter().chain(each(names)) {
        if let Some(losses) = kernel.losses(reach) {
            all.extend(of_losses(losses, reach, names));
        }
        let Reach::Strategy(strategy) = reach else { continue };
        for it in names.catalog.instruments() {
            if kernel.state().allows(strategy, it.id) {
                of_instrument(kernel, names, (strategy, it.id), &mut all);
            }
        }
    }
    all
}

fn of_losses(losses: &Losses, reach: Reach, names: &Names) -> Vec<LimitPicture> {
    let money = |money| names.catalog.show(money, names.base);
    let measures = losses.measures().into_iter().flatten();
    let line = |(metric, value, limit): (tse_risk::Metric, Money, Money)| LimitPicture {
        scope: names.scope(reach),
        symbol: None,
        limit: metric.name().to_owned(),
        value: money(limit),
        used: Some(money(value)),
        share: share(value.units(), limit.units()),
    };
    measures.map(line).collect()
}

fn of_instrument(
    kernel: &Kernel,
    names: &Names,
    (strategy, instrument): (StrategyId, InstrumentId),
    all: &mut Vec<LimitPicture>,
) {
    let it = names.catalog.instrument(instrument);
    let limits = kernel.state().limits().scoped(strategy, instrument).strategy();
    let held = kernel.portfolio().qty(strategy, instrument).get();
    let mut line = |limit: &str, value: String, used: Option<String>, share: Option<f64>| {
        all.push(LimitPicture {
            scope: names.scope(Reach::Strategy(strategy)),
            symbol: Some(it.symbol.to_string()),
            limit: limit.to_owned(),
            value,
            used,
            share,
        });
    };
    let size = |lots: i64| it.qty_decimal(Qty::new(lots)).to_string();
    let sides = [
        ("long_max", limits.long_max, held.max(0)),
        ("short_max", limits.short_max, { held.saturating_neg().max(0) }),
    ];
    for (name, limit, used) in sides {
        if let Some(limit) = limit {
            let share = share(i128::from(used), i128::from(limit.get()));
            line(name, size(limit.get()), Some(size(used)), share);
        }
    }
    if let Some(limit) = limits.open_orders_max {
        let open = |side| {
            let orders = kernel.orders().open(instrument, side);
            orders.filter(|(_, order)| order.request.strategy == strategy).count()
        };
        let used: usize = Side::BOTH.into_iter().map(open).sum();
        let share = share(used as i128, i128::from(limit));
        line("open_orders_max", limit.to_string(), Some(used.to_string()), share);
    }
    if let Some(limit) = limits.order_qty_max {
        line("order_qty_max", size(limit.get()), None, None);
    }
    if let Some(limit) = limits.order_value_max {
        line("order_value_max", names.catalog.show(limit, it.settle), None, None);
    }
}

/// A share for people to read; `None` of nothing.
fn share(used: i128, limit: i128) -> Option<f64> {
    (limit > 0).then(|| used as f64 / limit as f64)
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
    let all = each_order(kernel, names).take(ORDERS_SHOWN).map(|it| order(it, names)).collect();
    (all, each_order(kernel, names).count())
}

/// An order, as it stands.
pub(crate) fn order(order: &Order, names: &Names) -> OpenOrder {
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
        order_type: match request.order_type {
            OrderType::Market => "market",
            OrderType::Limit(_) => "limit",
            OrderType::Stop(_) => "stop",
            OrderType::StopLimit { .. } => "stop_limit",
            OrderType::TrailingStop(_) => "trailing_stop",
        }
        .to_owned(),
        price: limit.map(|limit| it.price_decimal(limit).to_string()),
        size: it.qty_decimal(request.qty).to_string(),
        filled: it.qty_decimal(order.filled).to_string(),
        life: word(order.life).to_owned(),
        made: order.made.to_string(),
        changed: order.changed.to_string(),
    }
}

/// Where an order is in its life, in a word.
fn word(life: Life) -> &'static str {
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
