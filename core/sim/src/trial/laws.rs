//! The laws, checked while a trial runs and when it has become quiet.
//!
//! They compare what the engine believes with what the exchanges know, and the engine's books with
//! themselves. Numbers are those of the catalogue of invariants.

use super::stage::POSITION_MAX;
use crate::exchange::Exchange;
use std::collections::BTreeMap;
use tse_kernel::{Kernel, Life, Order};
use tse_model::{
    ClientOrderId, CurrencyId, ExecId, InstrumentId, Machine, Money, PlaceOrder, Price, Qty,
    Settlement, Side, Span, Standing, StrategyId, Timestamp, VenueId,
};
use tse_services::{Copied, DropCopy, Heard, Teller, Tolerance};

/// What an engine has booked of executions, by venue and name, signed; and of adjustments.
#[derive(Clone, Debug, Default)]
pub(crate) struct Booked {
    pub(crate) fills: BTreeMap<(VenueId, ExecId), (InstrumentId, Qty)>,
    pub(crate) adjusted: BTreeMap<InstrumentId, Qty>,
    /// How many executions of orders there were, by UTC day.
    pub(super) executions: BTreeMap<(VenueId, StrategyId, i64), u64>,
}

/// What must hold of the engine's own books at any time.
pub(super) fn of_engine(kernel: &Kernel) -> Result<(), String> {
    let portfolio = kernel.portfolio();
    portfolio.check().map_err(|imbalance| format!("I8: the engine's books: {imbalance:?}"))?;
    if let Some(latched) = portfolio.latched() {
        return Err(format!("I8: the engine's books have latched: {latched:?}"));
    }
    let catalog = kernel.catalog();
    let mut reserved: BTreeMap<(VenueId, CurrencyId), i128> = BTreeMap::new();
    for it in catalog.instruments() {
        let mut open = [Qty::ZERO; 2];
        let (mut count, mut awaiting) = (0, 0);
        for side in Side::BOTH {
            for (_, order) in kernel.orders().open(it.id, side) {
                if !order.life.is_live() {
                    return Err(format!("I6: listed as open: {order:?}"));
                }
                open[side.index()] += order.exposed();
                count += 1;
                awaiting += u32::from(order.awaits());
                let sum = reserved.entry((it.venue, order.reserved_in)).or_default();
                *sum += order.reserved.units();
            }
        }
        let (sums, orders) = kernel.orders().totals(it.id, None);
        if (sums, orders) != (open, count) {
            return Err(format!(
                "I6: {}: {count} orders with {open:?} are open, {orders} with {sums:?} are counted",
                it.symbol
            ));
        }
        let counted = kernel.orders().awaiting(it.id);
        if counted != awaiting {
            return Err(format!(
                "I6: {}: {awaiting} orders await an answer, {counted} are counted",
                it.symbol
            ));
        }
    }
    for venue in 0..catalog.venues().len() {
        for currency in 0..catalog.currencies().len() {
            let key = (VenueId(venue as u16), CurrencyId(currency as u16));
            let (is, should) = (kernel.state().reserved(key.0, key.1), reserved.get(&key));
            let should = Money::from_units(should.copied().unwrap_or(0));
            if is != should {
                return Err(format!("I17: {key:?}: {is:?} set aside, {should:?} for open orders"));
            }
        }
    }
    Ok(())
}

/// What the engine has booked is what happened, each execution once.
pub(super) fn of_bookings(
    kernel: &Kernel,
    booked: &Booked,
    exchanges: &[Exchange],
) -> Result<(), String> {
    let mut net: BTreeMap<InstrumentId, Qty> = booked.adjusted.clone();
    for (&(venue, exec), &(instrument, qty)) in &booked.fills {
        let truth = exchanges[venue.index()].execution(exec);
        let real = truth.map(|row| (row.instrument, row.fill.qty.signed(row.side)));
        if real != Some((instrument, qty)) {
            return Err(format!(
                "I5: execution {} at venue {} is booked as {qty:?} of {instrument:?}, and was {real:?}",
                exec.0, venue.0
            ));
        }
        *net.entry(instrument).or_default() += qty;
    }
    for it in kernel.catalog().instruments() {
        let (is, should) = (kernel.portfolio().net(it.id), net.get(&it.id).copied());
        if is != should.unwrap_or(Qty::ZERO) {
            return Err(format!("I7: {}: position {is:?}, fills sum to {should:?}", it.symbol));
        }
    }
    Ok(())
}

/// No position that is there or may come of what is open passes the account's limit.
pub(super) fn of_exposure(exchange: &Exchange, instrument: InstrumentId) -> Result<(), String> {
    let position = exchange.venue.account().position(instrument);
    let mut open = [Qty::ZERO; 2];
    let mut ids = String::new();
    for row in exchange.orders() {
        if row.standing == Standing::Open && row.instrument == instrument {
            open[row.side.index()] += row.qty - row.filled;
            ids = format!("{ids} {}", row.id);
        }
    }
    let (long, short) = (position + open[0], open[1] - position);
    if long > Qty::new(POSITION_MAX) || short > Qty::new(POSITION_MAX) {
        let mut last: Vec<_> =
            exchange.executions().filter(|row| row.instrument == instrument).collect();
        last.sort_by_key(|row| std::cmp::Reverse((row.at, row.fill.exec)));
        for row in last.iter().take(3) {
            ids = format!("{ids} · {} traded {:?} {:?}", row.id, row.side, row.fill.qty);
        }
        return Err(format!(
            "I16: {instrument:?}: {position:?} held, {open:?} open at the venue, limit {POSITION_MAX}:{ids}"
        ));
    }
    Ok(())
}

/// I16 as the engine sees it: what it holds and what may still trade is within the account's limit whenever
/// it sends an order that does not only reduce.
pub(super) fn of_worst_case(kernel: &Kernel, order: &PlaceOrder) -> Result<(), String> {
    let position = kernel.portfolio().net(order.instrument);
    let mut open = Qty::ZERO;
    for (_, other) in kernel.orders().open(order.instrument, order.side) {
        open += other.exposed();
    }
    let worst = order.side.sign() * position.get() + open.get();
    if worst > POSITION_MAX {
        return Err(format!(
            "I16: {}: {position:?} held and {open:?} open on its side, limit {POSITION_MAX}",
            order.id
        ));
    }
    Ok(())
}

/// What of another open order counted when one that leaves now was judged: nothing of what was made after it in the
/// same moment, nor what others were to become by then.
pub(super) fn open_beside(placed: &PlaceOrder, other: &Order, now: Timestamp) -> i64 {
    let (id, own) = (other.request.id, placed.id);
    if id.environment() == own.environment() && id.ordinal() > own.ordinal() {
        return 0;
    }
    let changed_now = other.change.is_some() && other.asked_at == now;
    if changed_now { other.leaves().get() } else { other.exposed().get() }
}

/// I16 over all markets: whenever an order leaves that does not only reduce, everything together is within what
/// it may be worth, gross and net, with every open order filled that makes it worse.
pub(super) fn of_whole(
    kernel: &Kernel,
    order: &PlaceOrder,
    [gross_max, net_max]: [Option<Money>; 2],
) -> Result<(), String> {
    let now = kernel.now();
    let sums = |strategy: Option<StrategyId>, it: InstrumentId| {
        let held = match strategy {
            Some(strategy) => kernel.portfolio().qty(strategy, it),
            None => kernel.portfolio().net(it),
        };
        let mut open = [0i64; 2];
        for side in Side::BOTH {
            for (_, other) in kernel.orders().open(it, side) {
                if strategy.is_none_or(|strategy| strategy == other.request.strategy) {
                    open[side.index()] += open_beside(order, other, now);
                }
            }
        }
        (held.get(), open)
    };
    let reduces = [Some(order.strategy), None].into_iter().all(|scope| {
        let (held, open) = sums(scope, order.instrument);
        -order.side.sign() * held >= open[order.side.index()]
    });
    if reduces {
        return Ok(());
    }
    let (mut gross, mut longest, mut shortest) = (0i128, 0i128, 0i128);
    for it in kernel.catalog().instruments() {
        let (held, open) = sums(None, it.id);
        let twice = kernel.market(it.id).quote.twice_mid().unwrap_or(0);
        // A tick is 0.1 and a lot 0.001: half of that product is fifty millionths.
        let worth = |lots: i64| i128::from(twice) * i128::from(lots) * 50;
        let (long, short) = (worth(held + open[0]), worth(held - open[1]));
        gross += long.abs().max(short.abs());
        longest += long;
        shortest += short;
    }
    let net = longest.abs().max(shortest.abs());
    for (name, value, limit) in [("gross", gross, gross_max), ("net", net, net_max)] {
        if limit.is_some_and(|limit| value > limit.units()) {
            return Err(format!("I16: {}: {name} exposure {value}, limit {limit:?}", order.id));
        }
    }
    Ok(())
}

/// What an engine calls ended has ended at its venue, or never was there (rules c and d).
pub(super) fn of_ending(
    kernel: &Kernel,
    exchange: &Exchange,
    id: ClientOrderId,
) -> Result<(), String> {
    let Some(order) = kernel.order(id) else { return Ok(()) };
    let there = exchange.order(id).map(|row| row.standing);
    let right = match (order.life, there) {
        (Life::Withdrawn | Life::Denied, None) => true,
        (Life::Absent, there) => there.is_none(),
        (_, Some(standing)) => standing != Standing::Open,
        (_, None) => false,
    };
    if right {
        Ok(())
    } else {
        Err(format!("I11: {id} is {:?} here and {there:?} there", order.life))
    }
}

/// When all is quiet, engine and exchange agree to the last lot and the last unit.
pub(crate) fn of_agreement(
    kernel: &Kernel,
    booked: &Booked,
    exchange: &Exchange,
    latched: bool,
) -> Result<(), String> {
    let venue = exchange.venue.id();
    let catalog = kernel.catalog();
    let here = || catalog.instruments().iter().filter(|it| it.venue == venue);
    for row in exchange.executions() {
        let exec = row.fill.exec;
        if !booked.fills.contains_key(&(venue, exec)) {
            return Err(format!("I5: execution {} of {} was never booked", exec.0, row.id));
        }
    }
    for it in here() {
        let (ours, theirs) =
            (kernel.portfolio().net(it.id), exchange.venue.account().position(it.id));
        if ours != theirs && it.settlement == Settlement::Difference {
            return Err(format!("I7: {}: we hold {ours:?}, the venue says {theirs:?}", it.symbol));
        }
        for side in Side::BOTH {
            for (_, order) in kernel.orders().open(it.id, side) {
                let id = order.request.id;
                let doubtful = matches!(order.life, Life::Unknown | Life::Disputed | Life::Sent);
                let there = exchange.order(id).map(|row| row.standing);
                if doubtful || there != Some(Standing::Open) {
                    let life = order.life;
                    return Err(format!("I11: {id} is {life:?} here and {there:?} there"));
                }
            }
        }
    }
    for row in exchange.orders().filter(|row| row.standing == Standing::Open) {
        if kernel.order(row.id).is_none_or(|order| !order.life.is_live()) {
            return Err(format!("I11: {} is open at the venue and nobody here knows", row.id));
        }
    }
    for at in 0..catalog.currencies().len() {
        let currency = CurrencyId(at as u16);
        let settled = |portfolio: &tse_portfolio::Portfolio| {
            let cost = |it: &tse_model::Instrument| -> i128 {
                portfolio.positions().in_instrument(it.id).map(|held| held.cost().units()).sum()
            };
            let margin = here()
                .filter(|it| it.settle == currency && it.settlement == Settlement::Difference);
            portfolio.balance(venue, currency).units() - margin.map(cost).sum::<i128>()
        };
        let (ours, theirs) =
            (settled(kernel.portfolio()), settled(exchange.venue.account().portfolio()));
        if ours != theirs {
            return Err(format!(
                "I8: currency {at} at venue {}: {ours} here, {theirs} there",
                venue.0
            ));
        }
    }
    if !latched && !kernel.state().is_reconciled(venue) {
        return Err(format!("I11: venue {} is not reconciled", venue.0));
    }
    Ok(())
}

/// C26: a risk desk that sees what the engine booked and what the venues' drop copies say finds nothing that does not
/// agree, however late it looks.
pub(super) fn of_desk(
    booked: &Booked,
    exchanges: &[Exchange],
    now: Timestamp,
) -> Result<(), String> {
    let second = Span::from_secs(1);
    let mut desk = DropCopy::new(Tolerance {
        patience: second,
        settling: second,
        cash: Money::ZERO,
        memory: Span::from_secs(1_000_000),
    });
    let mut found = Vec::new();
    let mut tell = |by, venue, exec, instrument, qty| {
        // The price is compared with the books; here it is what and how much.
        let copied = Copied { venue, exec, instrument, qty, price: Price::ZERO };
        desk.step(now, Heard::Executed(by, copied), &mut found);
    };
    for exchange in exchanges {
        for row in exchange.executions() {
            let qty = row.fill.qty.signed(row.side);
            tell(Teller::Theirs, exchange.venue.id(), row.fill.exec, row.instrument, qty);
        }
    }
    for (&(venue, exec), &(instrument, qty)) in &booked.fills {
        tell(Teller::Ours, venue, exec, instrument, qty);
    }
    desk.step(now + second, Heard::Wake, &mut found);
    found.first().map_or(Ok(()), |found| Err(format!("C26: {found:?}")))
}

/// The names that reached exchanges, and how often each was placed by an engine.
#[derive(Clone, Debug, Default)]
pub(super) struct Placed(BTreeMap<ClientOrderId, u32>);

impl Placed {
    /// An engine lets an order leave.
    pub(super) fn note(&mut self, id: ClientOrderId) -> Result<(), String> {
        let count = self.0.entry(id).or_default();
        *count += 1;
        if *count > 1 { Err(format!("I4: {id} was sent {count} times")) } else { Ok(()) }
    }

    /// Whether an engine sent it.
    pub(super) fn has(&self, id: ClientOrderId) -> bool {
        self.0.contains_key(&id)
    }
}
