//! Makes rows of what happens in an engine.
//!
//! After each record the scribe is shown what the engine put out for it, and the engine. Orders are written when they
//! change, executions when they are booked, positions when they trade and every [`VALUED_EVERY`] of the engine's clock
//! while something is held, strategies as often, and when somebody cuts them back or lets them go on. All of it follows
//! from records alone, never from where a batch ends.
//!
//! What the engine itself does not keep is summed up here: what an order's executions cost and earned. Where it begins
//! in the middle of a journal, those of orders that are open are read from the store ([`Scribe::remember`]).

use crate::row::{self, TooLong};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tse_kernel::{Alert, Input, Kernel, Order, Output};
use tse_model::{
    Catalog, ClientOrderId, CurrencyId, Fill, Instrument, InstrumentId, Money, OrderEventKind,
    Side, Span, StrategyId, Timestamp,
};
use tse_portfolio::{Position, Prices};
use tse_risk::{Level, Reach};
use tse_storage::{self as rows, Change, Decimal, Moment, StrategyStatus, StrategyType};

/// How often what is held is valued, by the engine's clock.
pub const VALUED_EVERY: Span = Span::from_secs(10);
/// A day in UTC.
const DAY: Span = Span::from_secs(86_400);
/// What orders that nobody here wanted belong to.
const EXTERNAL: &str = "EXTERNAL";

/// What rows say of a strategy and its engine does not know.
#[derive(Clone, PartialEq, Debug)]
pub struct StrategyAbout {
    /// Its name.
    pub name: String,
    /// What kind it is.
    pub kind: StrategyType,
    /// What it was told.
    pub parameters: Map<String, Value>,
    /// What it may trade.
    pub instruments: Vec<String>,
}

/// What rows say of an engine.
#[derive(Clone, Debug)]
pub struct About {
    /// What things are called.
    pub catalog: Arc<Catalog>,
    /// What results are counted in.
    pub base: CurrencyId,
    /// Its strategies, in their order.
    pub strategies: Vec<StrategyAbout>,
    /// What is worth what, beside what markets say.
    pub prices: Prices,
}

/// What the executions of an order came to.
#[derive(Clone, Debug, Default)]
struct Sums {
    /// Each execution once, with what it cost and earned.
    executions: BTreeMap<String, (Decimal, Option<Decimal>)>,
    /// Why it was refused, if the venue said.
    refused: Option<String>,
}

/// What a strategy had earned when its day began.
#[derive(Clone, Copy, Debug)]
struct Midnight {
    day: i64,
    net: Decimal,
}

/// A scribe at a place of a journal.
#[derive(Debug)]
pub struct Scribe {
    about: About,
    sums: BTreeMap<ClientOrderId, Sums>,
    midnights: Vec<Option<Midnight>>,
    started: Vec<Option<Moment>>,
    stopped: Vec<Option<Moment>>,
    created: Option<Moment>,
    valued: Option<Timestamp>,
    // What is to be written.
    orders: BTreeMap<ClientOrderId, rows::Order>,
    trades: Vec<rows::Trade>,
    positions: BTreeMap<(StrategyId, InstrumentId), rows::Position>,
    strategies: BTreeMap<StrategyId, rows::Strategy>,
    /// Strategies that a store knows already: rows of others belong to them.
    known: BTreeSet<StrategyId>,
}

impl Scribe {
    /// One that has seen nothing.
    pub fn new(about: About) -> Self {
        let strategies = about.strategies.len();
        Self {
            about,
            sums: BTreeMap::new(),
            midnights: vec![None; strategies],
            started: vec![None; strategies],
            stopped: vec![None; strategies],
            created: None,
            valued: None,
            orders: BTreeMap::new(),
            trades: Vec::new(),
            positions: BTreeMap::new(),
            strategies: BTreeMap::new(),
            known: BTreeSet::new(),
        }
    }

    /// How many rows are to be written.
    pub fn pending(&self) -> usize {
        self.orders.len() + self.trades.len() + self.positions.len() + self.strategies.len()
    }

    /// What is known of a strategy from its row: how it stood when the store was written last.
    pub fn remember_strategy(&mut self, row: &rows::Strategy) {
        let Some(at) = self.about.strategies.iter().position(|it| it.name == row.strategy_id)
        else {
            return;
        };
        let day = row.updated_at.micros().div_euclid(DAY.nanos() / 1_000);
        self.midnights[at] = Some(Midnight { day, net: row.total_pnl - row.daily_pnl });
        self.started[at] = row.started_at;
        self.stopped[at] = row.stopped_at;
        self.created = Some(row.created_at);
        self.known.insert(StrategyId(at as u16));
    }

    /// What is known of an order's executions from their rows.
    pub fn remember(&mut self, id: ClientOrderId, trades: &[rows::Trade]) {
        let sums = self.sums.entry(id).or_default();
        for trade in trades {
            let figures = (trade.commission, trade.realized_pnl);
            sums.executions.insert(trade.trade_id.clone(), figures);
        }
    }

    /// The orders of an engine whose executions must be remembered before it goes on.
    pub fn unremembered(kernel: &Kernel) -> Vec<ClientOrderId> {
        let markets = kernel.catalog().instruments().iter();
        let open = markets.flat_map(|it| {
            let orders = |side| kernel.orders().open(it.id, side).map(|(_, order)| order);
            Side::BOTH.into_iter().flat_map(orders)
        });
        open.filter(|order| order.filled.is_positive()).map(|order| order.request.id).collect()
    }

    /// A record was taken in: this came of it.
    ///
    /// # Errors
    /// A figure that no row can hold.
    pub fn take(
        &mut self,
        now: Timestamp,
        input: Option<&Input>,
        outputs: &[Output],
        kernel: &Kernel,
    ) -> Result<(), TooLong> {
        if self.created.is_none() {
            self.created = Some(row::moment(now));
            self.all_strategies(now, kernel)?;
        }
        let mut touched = BTreeSet::new();
        if let Some(Input::Order(event)) = input {
            touched.insert(event.id);
            if let OrderEventKind::Rejected(why) = event.kind {
                self.sums.entry(event.id).or_default().refused = Some(why.name().to_owned());
            }
        }
        // Statements and broken lines change orders without a word of them.
        let broad =
            matches!(input, Some(Input::Statement(..) | Input::Link { .. } | Input::Boot { .. }));
        let mut level = false;
        for output in outputs {
            match output {
                Output::Send(_, request) => drop(touched.insert(request.id())),
                Output::Ended(id) => drop(touched.insert(*id)),
                Output::Filled { id, strategy, instrument, side, fill, realized } => {
                    touched.insert(*id);
                    let deal = (*strategy, *instrument, *side);
                    self.filled(now, *id, deal, fill, *realized, kernel)?;
                }
                Output::Alert(alert) => {
                    touched.extend(order_of(alert));
                    level |= matches!(
                        alert,
                        Alert::Killed { .. }
                            | Alert::Resumed { .. }
                            | Alert::Armed
                            | Alert::Storm(_)
                    );
                }
                _ => {}
            }
        }
        if broad {
            let markets = kernel.catalog().instruments().iter();
            let open = markets.flat_map(|it| {
                let orders = |side| kernel.orders().open(it.id, side).map(|(_, order)| order);
                Side::BOTH.into_iter().flat_map(orders)
            });
            touched.extend(open.filter(|order| order.changed == now).map(|it| it.request.id));
        }
        for id in touched {
            if let Some(order) = kernel.order(id) {
                self.order(order, now, kernel)?;
            }
        }
        let due = now.floor(VALUED_EVERY);
        let valued = self.valued.is_none_or(|before| before < due);
        if valued {
            self.valued = Some(due);
            self.value(now, kernel)?;
        }
        if level || valued {
            self.all_strategies(now, kernel)?;
        }
        Ok(())
    }

    /// Everything that an engine knows, as rows: for a store that has nothing of what came before.
    ///
    /// # Errors
    /// A figure that no row can hold.
    pub fn everything(&mut self, now: Timestamp, kernel: &Kernel) -> Result<(), TooLong> {
        self.created.get_or_insert(row::moment(now));
        self.all_strategies(now, kernel)?;
        for it in kernel.catalog().instruments() {
            for side in Side::BOTH {
                for (_, order) in kernel.orders().open(it.id, side) {
                    self.order(order, now, kernel)?;
                }
            }
        }
        self.value(now, kernel)
    }

    /// What is to be written, strategies first: others belong to them.
    pub fn rows(&mut self) -> Vec<Change> {
        let strategies = std::mem::take(&mut self.strategies).into_values().map(Change::Strategy);
        let orders = std::mem::take(&mut self.orders).into_values().map(Change::Order);
        let trades = std::mem::take(&mut self.trades).into_iter().map(Change::Trade);
        let positions = std::mem::take(&mut self.positions).into_values().map(Change::Position);
        strategies.chain(orders).chain(trades).chain(positions).collect()
    }

    fn name(&self, strategy: StrategyId) -> &str {
        self.about.strategies.get(strategy.index()).map_or(EXTERNAL, |it| &it.name)
    }

    fn scale(&self, currency: CurrencyId) -> u8 {
        self.about.catalog.currency(currency).scale
    }

    /// The row of whoever rows of others belong to.
    fn owner(
        &mut self,
        strategy: StrategyId,
        now: Timestamp,
        kernel: &Kernel,
    ) -> Result<(), TooLong> {
        if self.known.insert(strategy) {
            let row = self.strategy(strategy, now, kernel)?;
            self.strategies.insert(strategy, row);
        }
        Ok(())
    }

    fn filled(
        &mut self,
        now: Timestamp,
        id: ClientOrderId,
        (strategy, instrument, side): (StrategyId, InstrumentId, Side),
        fill: &Fill,
        realized: Money,
        kernel: &Kernel,
    ) -> Result<(), TooLong> {
        self.owner(strategy, now, kernel)?;
        let catalog = Arc::clone(&self.about.catalog);
        let it = catalog.instrument(instrument);
        let venue = &catalog.venue(it.venue).name;
        let fee = row::money(fill.fee, self.scale(fill.fee_currency))?;
        let in_settlement = fill.fee_currency == it.settle;
        let (quantity, price) = (row::size(it, fill.qty)?, row::price(it, fill.price)?);
        let gross = row::times(quantity, price)?;
        let commission = if in_settlement { fee } else { Decimal::ZERO };
        let realized = row::money(realized, self.scale(it.settle))?;
        let trade = rows::Trade {
            trade_id: format!("{venue}:{}", fill.exec.0),
            order_id: id.to_string(),
            strategy_id: self.name(strategy).to_owned(),
            instrument_id: it.symbol.to_string(),
            side: row::side(side),
            quantity,
            price,
            gross_value: gross,
            commission,
            net_value: match side {
                Side::Buy => row::plus(gross, commission)?,
                Side::Sell => row::minus(gross, commission)?,
            },
            exchange_trade_id: Some(fill.exec.0.to_string()),
            execution_venue: venue.clone(),
            liquidity_flag: Some(row::liquidity(fill.liquidity)),
            realized_pnl: Some(realized),
            executed_at: row::moment(now),
            created_at: row::moment(now),
            // A fee in another currency cannot be taken from the value.
            notes: (!in_settlement)
                .then(|| format!("fee {fee} {}", catalog.currency(fill.fee_currency).code)),
        };
        let sums = self.sums.entry(id).or_default();
        sums.executions.insert(trade.trade_id.clone(), (trade.commission, trade.realized_pnl));
        if kernel.order(id).is_none() {
            // Nobody ordered it, as when a venue closes a position by force.
            let order = self.without_order(&trade);
            self.orders.insert(id, order);
        }
        self.trades.push(trade);
        if let Some(position) = kernel.portfolio().position(strategy, instrument) {
            self.position(position, now, kernel)?;
        }
        Ok(())
    }

    /// A row that an execution belongs to for which there is no order.
    fn without_order(&self, trade: &rows::Trade) -> rows::Order {
        let at = trade.executed_at;
        let mut order = rows::Order::new(
            &trade.order_id,
            &trade.strategy_id,
            &trade.instrument_id,
            trade.side,
            trade.quantity,
            at,
        );
        order.status = rows::OrderStatus::Filled;
        order.filled_quantity = trade.quantity;
        order.remaining_quantity = Decimal::ZERO;
        order.average_fill_price = Some(trade.price);
        order.execution_venue = Some(trade.execution_venue.clone());
        order.commission = trade.commission;
        order.realized_pnl = trade.realized_pnl;
        order.filled_at = Some(at);
        order.error_message = Some("no order of ours: the venue's own".to_owned());
        order
    }

    fn order(&mut self, order: &Order, now: Timestamp, kernel: &Kernel) -> Result<(), TooLong> {
        let request = &order.request;
        self.owner(request.strategy, now, kernel)?;
        let it = self.about.catalog.instrument(request.instrument);
        let (status, why) = row::status(order);
        let changed = row::moment(order.changed);
        let ended = row::has_ended(order.life);
        let sums = self.sums.get(&request.id);
        let mut commission = Decimal::ZERO;
        let mut realized: Option<Decimal> = None;
        for (fee, earned) in sums.into_iter().flat_map(|sums| sums.executions.values()) {
            commission = row::plus(commission, *fee)?;
            if let Some(earned) = earned {
                realized = Some(row::plus(realized.unwrap_or_default(), *earned)?);
            }
        }
        let refused = sums.and_then(|sums| sums.refused.clone());
        let (quantity, filled) = (row::size(it, request.qty)?, row::size(it, order.filled)?);
        let limit = request.order_type.limit().map(|price| row::price(it, price)).transpose()?;
        let stop = row::stop_price(request.order_type);
        let is = |status: rows::OrderStatus, at: Moment, of| (status == of).then_some(at);
        let made = row::moment(order.made);
        let row = rows::Order {
            order_id: request.id.to_string(),
            strategy_id: self.name(request.strategy).to_owned(),
            instrument_id: it.symbol.to_string(),
            side: row::side(request.side),
            order_type: row::order_type(request.order_type),
            status,
            time_in_force: row::time_in_force(request.time_in_force),
            quantity,
            filled_quantity: filled,
            remaining_quantity: row::minus(quantity, filled)?,
            price: limit,
            stop_price: stop.map(|price| row::price(it, price)).transpose()?,
            average_fill_price: average(order, it)?,
            exchange_order_id: order.venue_id.map(|id| id.0.to_string()),
            execution_venue: Some(self.about.catalog.venue(it.venue).name.clone()),
            commission,
            realized_pnl: realized,
            created_at: made,
            submitted_at: (status != rows::OrderStatus::Pending).then_some(made),
            filled_at: is(status, changed, rows::OrderStatus::Filled),
            cancelled_at: is(status, changed, rows::OrderStatus::Cancelled),
            updated_at: changed,
            error_message: refused.or(why.map(str::to_owned)),
            client_order_id: Some(request.id.to_string()),
            correlation_id: (request.group.0 != 0).then(|| format!("group-{}", request.group.0)),
        };
        self.orders.insert(request.id, row);
        if ended && !order.filled.is_positive() {
            // A late execution makes a sum of its own.
            self.sums.remove(&request.id);
        }
        Ok(())
    }

    /// What is held is worth something else now.
    fn value(&mut self, now: Timestamp, kernel: &Kernel) -> Result<(), TooLong> {
        self.forget(kernel);
        for position in kernel.portfolio().positions().iter().filter(|it| !it.is_flat()) {
            self.position(position, now, kernel)?;
        }
        Ok(())
    }

    /// Sums of orders that the engine has forgotten: their last row was written long ago.
    fn forget(&mut self, kernel: &Kernel) {
        self.sums.retain(|id, _| kernel.order(*id).is_some());
    }

    fn position(&mut self, it: &Position, now: Timestamp, kernel: &Kernel) -> Result<(), TooLong> {
        self.owner(it.strategy(), now, kernel)?;
        let catalog = &self.about.catalog;
        let instrument = catalog.instrument(it.instrument());
        let scale = self.scale(instrument.settle);
        let money = |amount| row::money(amount, scale);
        let quantity = row::size(instrument, it.qty())?;
        let average = it.average_price(instrument).map(row::decimal).transpose()?;
        let mark = kernel.state().mark(instrument.id);
        // Without a market it stands at what it cost.
        let value = mark.and_then(|mark| it.market_value(instrument, mark)).unwrap_or(it.cost());
        let unrealized = mark.and_then(|mark| it.unrealized(instrument, mark)).unwrap_or_default();
        let current = match mark {
            Some(mark) => row::mark(instrument, mark)?,
            None => average.unwrap_or_default(),
        };
        let (at, opened) = (row::moment(now), it.opened_at().map_or(row::moment(now), row::moment));
        let strategy = self.name(it.strategy()).to_owned();
        let symbol = instrument.symbol.to_string();
        let (realized, unrealized) = (money(it.realized())?, money(unrealized)?);
        let venue = catalog.venue(instrument.venue).name.clone();
        let row = rows::Position {
            position_id: format!("{strategy}:{symbol}"),
            strategy_id: strategy,
            instrument_id: symbol,
            quantity,
            average_entry_price: average.unwrap_or_default(),
            current_price: current,
            market_value: money(value)?,
            unrealized_pnl: unrealized,
            realized_pnl: realized,
            total_pnl: row::plus(realized, unrealized)?,
            cost_basis: money(it.cost())?,
            exposure: money(value)?.abs(),
            opened_at: opened,
            last_updated: at,
            closed_at: it.closed_at().map(row::moment),
            created_at: opened,
            updated_at: at,
            notes: None,
            venues: BTreeMap::from([(venue, quantity)]),
        };
        self.positions.insert((it.strategy(), it.instrument()), row);
        Ok(())
    }

    fn all_strategies(&mut self, now: Timestamp, kernel: &Kernel) -> Result<(), TooLong> {
        self.mark(kernel);
        for at in 0..self.about.strategies.len() {
            let id = StrategyId(at as u16);
            let row = self.strategy(id, now, kernel)?;
            self.known.insert(id);
            self.strategies.insert(id, row);
        }
        Ok(())
    }

    /// Takes the prices of markets.
    fn mark(&mut self, kernel: &Kernel) {
        for it in kernel.catalog().instruments() {
            match (kernel.state().mark(it.id), kernel.market(it.id).updated) {
                (Some(mark), Some(at)) => self.about.prices.set(it.id, mark, at),
                _ => self.about.prices.unset(it.id),
            }
        }
    }

    fn strategy(
        &mut self,
        id: StrategyId,
        now: Timestamp,
        kernel: &Kernel,
    ) -> Result<rows::Strategy, TooLong> {
        let at = row::moment(now);
        let created = self.created.unwrap_or(at);
        let Some(about) = self.about.strategies.get(id.index()) else {
            let mut row = rows::Strategy::new(EXTERNAL, StrategyType::Custom, created);
            row.updated_at = created;
            return Ok(row);
        };
        let portfolio = kernel.portfolio();
        let profit = portfolio.profit(
            &self.about.catalog,
            &self.about.prices,
            Some(id),
            self.about.base,
            now,
        );
        let net = profit.ok().and_then(|profit| profit.net());
        let day = now.nanos().div_euclid(DAY.nanos());
        let (total, daily) = match net {
            Some(net) => {
                let net = row::money(net, self.scale(self.about.base))?;
                let midnight = &mut self.midnights[id.index()];
                if midnight.is_none_or(|before| before.day < day) {
                    *midnight = Some(Midnight { day, net });
                }
                let begin = midnight.map_or(net, |it| it.net);
                (net, row::minus(net, begin)?)
            }
            // What has no price is left out until it has one.
            None => (Decimal::ZERO, Decimal::ZERO),
        };
        let status = status(kernel, id);
        let number = id.index();
        match status {
            StrategyStatus::Active => {
                self.started[number].get_or_insert(at);
                self.stopped[number] = None;
            }
            StrategyStatus::Stopped => drop(self.stopped[number].get_or_insert(at)),
            _ => {}
        }
        let fills: u64 = portfolio.positions().of_strategy(id).map(Position::fills).sum();
        Ok(rows::Strategy {
            strategy_id: about.name.clone(),
            name: about.name.clone(),
            strategy_type: about.kind,
            status,
            parameters: about.parameters.clone(),
            instruments: about.instruments.clone(),
            max_position_size: None,
            max_daily_loss: None,
            max_leverage: None,
            total_pnl: total,
            daily_pnl: daily,
            total_trades: i64::try_from(fills).unwrap_or(i64::MAX),
            started_at: self.started[number],
            stopped_at: self.stopped[number],
            created_at: created,
            updated_at: at,
            version: 1,
        })
    }
}

/// How a strategy stands.
fn status(kernel: &Kernel, id: StrategyId) -> StrategyStatus {
    if !kernel.state().is_armed() {
        return StrategyStatus::Inactive;
    }
    match kernel.state().switch().covering(Reach::Strategy(id)) {
        Level::Free => StrategyStatus::Active,
        Level::Pause | Level::Reduce => StrategyStatus::Paused,
        _ => StrategyStatus::Stopped,
    }
}

/// The price of what has traded, weighted by volume; as many digits as the engine shows of it.
fn average(order: &Order, it: &Instrument) -> Result<Option<Decimal>, TooLong> {
    if !order.filled.is_positive() {
        return Ok(None);
    }
    let tick = row::decimal(it.tick)?;
    let ticks = Decimal::try_from_i128_with_scale(order.filled_value, 0).map_err(|_| TooLong)?;
    let value = ticks.checked_mul(tick).ok_or(TooLong)?;
    let average = value.checked_div(Decimal::from(order.filled.get())).ok_or(TooLong)?;
    Ok(Some(average.round_dp(tick.scale() + 8).normalize()))
}

/// The order that an alert is about.
fn order_of(alert: &Alert) -> Option<ClientOrderId> {
    match alert {
        Alert::Anomaly { id, .. }
        | Alert::AnswerOverdue(id)
        | Alert::Overfilled(id)
        | Alert::Enlarged(id)
        | Alert::Adopted(id)
        | Alert::ProvenAbsent(id)
        | Alert::UnknownOrder(id) => Some(*id),
        _ => None,
    }
}
