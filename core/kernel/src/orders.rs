//! Every order the engine has made: those that may still trade, and the last ones that ended.
//!
//! Orders live in a slab and are found by name in one look-up; those open in a market are listed by
//! side. An order that ends stays for a while, so that a late word of the venue still finds it, and
//! then leaves memory: how many stay is fixed, so a run's memory does not grow with its length.

use crate::life::{Ending, Life};
use std::collections::VecDeque;
use tse_model::bytes::{Kept, Reader, Recorded, Writer};
use tse_model::{
    CancelReason, ClientOrderId, CurrencyId, Environment, IdMap, InstrumentId, Money, OrderType,
    PlaceOrder, Price, Qty, Side, StrategyId, Timestamp, VenueOrderId, recorded_fields,
};

/// How many ended orders stay known.
pub const ENDED_KEPT: usize = 1_024;

/// A change that was asked of a venue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// The total quantity asked for, filled part included.
    pub qty: Qty,
    /// The limit price asked for; `None` for the one it has.
    pub price: Option<Price>,
}

/// The venue's word that an order is closed, which says more has traded than was heard of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Closing {
    pub(crate) ending: Ending,
    pub(crate) reason: CancelReason,
    /// What had traded by then.
    pub(crate) filled: Qty,
}

/// An order, as the engine knows it.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// What was sent.
    pub request: PlaceOrder,
    /// What the strategy asked for, before the gate made it safe.
    pub asked: OrderType,
    /// Where it is in its life.
    pub life: Life,
    /// What has traded.
    pub filled: Qty,
    /// Sum of price × quantity over its fills, in ticks × lots.
    pub filled_value: i128,
    /// Whether a cancel was sent that has not been answered.
    pub cancelling: bool,
    /// A change that was sent and has not been answered.
    pub change: Option<Change>,
    /// It is closed there, and over once what is missing has been heard.
    pub(crate) closing: Option<Closing>,
    /// When it was made.
    pub made: Timestamp,
    /// When it last changed.
    pub changed: Timestamp,
    /// When the last request about it was made.
    pub asked_at: Timestamp,
    /// Orders with a lower ordinal were made before that.
    pub(crate) asked_before: u64,
    /// The newest word of the venue about it, by the venue's clock.
    pub heard: Timestamp,
    /// The venue's name for it.
    pub venue_id: Option<VenueOrderId>,
    /// What it still sets aside.
    pub reserved: Money,
    /// Of which currency.
    pub reserved_in: CurrencyId,
}

impl Order {
    /// An order of which nothing has been heard and nothing set aside.
    pub(crate) fn new(
        request: PlaceOrder,
        asked: OrderType,
        life: Life,
        now: Timestamp,
        reserved_in: CurrencyId,
    ) -> Self {
        Self {
            request,
            asked,
            life,
            filled: Qty::ZERO,
            filled_value: 0,
            cancelling: false,
            change: None,
            closing: None,
            made: now,
            changed: now,
            asked_at: now,
            asked_before: 0,
            heard: Timestamp::MIN,
            venue_id: None,
            reserved: Money::ZERO,
            reserved_in,
        }
    }

    /// What has not traded yet.
    pub fn leaves(&self) -> Qty {
        self.request.qty.saturating_sub(self.filled).max(Qty::ZERO)
    }

    /// The most that may still trade: a change on its way may have been made already.
    pub fn exposed(&self) -> Qty {
        match self.change {
            None => self.leaves(),
            Some(change) => {
                let qty = self.request.qty.max(change.qty);
                qty.saturating_sub(self.filled).max(Qty::ZERO)
            }
        }
    }

    /// What it will be once nothing is on its way: unfilled quantity and limit price.
    pub fn heading(&self) -> (Qty, Option<Price>) {
        match self.change {
            None => (self.leaves(), self.price()),
            Some(change) => {
                let leaves = change.qty.saturating_sub(self.filled).max(Qty::ZERO);
                (leaves, change.price.or(self.price()))
            }
        }
    }

    /// Whether the venue owes an answer about it, or nobody knows how it stands.
    pub fn awaits(&self) -> bool {
        matches!(self.life, Life::Approved | Life::Sent | Life::Unknown | Life::Disputed)
            || self.change.is_some()
    }

    /// Its limit price, if it has one.
    pub fn price(&self) -> Option<Price> {
        self.request.order_type.limit()
    }

    /// The limit price most willing to trade that it may have now; `None` if it has no limit.
    pub fn keenest(&self) -> Option<Price> {
        let (now, then) = (self.price()?, self.heading().1?);
        Some(if self.request.side.better(then, now) { then } else { now })
    }
}

/// The same kind of order with another limit price, if it has one.
pub(crate) const fn limited(order_type: OrderType, price: Price) -> OrderType {
    match order_type {
        OrderType::Limit(_) => OrderType::Limit(price),
        OrderType::StopLimit { trigger, .. } => OrderType::StopLimit { trigger, limit: price },
        OrderType::Market | OrderType::Stop(_) | OrderType::TrailingStop(_) => order_type,
    }
}

/// A place in the slab.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot(u32);

/// What is open in one market on both sides.
#[derive(Clone, Debug, Default)]
struct Open {
    slots: [Vec<Slot>; 2],
    all: Totals,
    /// The same by strategy; few trade in one market.
    shares: Vec<(StrategyId, Totals)>,
}

/// Sums over open orders.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    qty: [Qty; 2],
    orders: u32,
    /// How many of them await an answer; told of all, not by strategy.
    awaiting: u32,
}

impl Open {
    /// Changes the sums of a strategy and of all on one side: by so many lots and so many orders.
    #[inline]
    fn add(&mut self, strategy: StrategyId, side: Side, lots: Qty, orders: i32) {
        let at = match self.shares.iter().position(|(owner, _)| *owner == strategy) {
            Some(at) => at,
            None => {
                self.shares.push((strategy, Totals::default()));
                self.shares.len() - 1
            }
        };
        for totals in [&mut self.all, &mut self.shares[at].1] {
            totals.qty[side.index()] += lots;
            totals.orders = totals.orders.strict_add_signed(orders);
        }
    }

    fn list(&mut self, slot: Slot, order: &Order) {
        let side = order.request.side;
        self.slots[side.index()].push(slot);
        self.add(order.request.strategy, side, order.exposed(), 1);
        self.await_more(order.awaits(), 1);
    }

    /// One more or less that awaits an answer, if it does.
    #[inline]
    fn await_more(&mut self, awaits: bool, by: i32) {
        if awaits {
            self.all.awaiting = self.all.awaiting.strict_add_signed(by);
        }
    }

    /// Takes an order off the list, which awaited an answer or not.
    fn delist(&mut self, slot: Slot, order: &Order, awaited: bool) {
        let side = order.request.side;
        let slots = &mut self.slots[side.index()];
        let at = slots.iter().position(|other| *other == slot).expect("a live order is listed");
        if at + 1 == slots.len() {
            slots.pop();
        } else {
            slots.remove(at);
        }
        self.add(order.request.strategy, side, -order.exposed(), -1);
        self.await_more(awaited, -1);
    }
}

recorded_fields! {
    Change { qty, price }
    Closing { ending, reason, filled }
    Order {
        request, asked, life, filled, filled_value, cancelling, change, closing, made, changed,
        asked_at, asked_before, heard, venue_id, reserved, reserved_in,
    }
}

impl Recorded for Slot {
    fn write(&self, out: &mut Writer) {
        self.0.write(out);
    }
    fn read(bytes: &mut Reader<'_>) -> Option<Self> {
        u32::read(bytes).map(Self)
    }
}

/// The orders and which of them are open; names and sums follow from that.
impl Kept for Orders {
    fn save(&self, out: &mut Writer) {
        let Self { slab, free, by_id: _, open, ended, next_number, epoch, environment: _, live: _ } =
            self;
        slab.save(out);
        free.save(out);
        ended.save(out);
        open.iter().for_each(|open| open.slots.save(out));
        next_number.save(out);
        epoch.save(out);
    }

    fn load(&mut self, bytes: &mut Reader<'_>) -> Option<()> {
        self.slab.load(bytes)?;
        self.free.load(bytes)?;
        self.ended.load(bytes)?;
        let known = |slot: &Slot| (slot.0 as usize) < self.slab.len();
        self.free.iter().all(known).then_some(())?;
        self.by_id.clear();
        self.live = 0;
        for open in &mut self.open {
            *open = Open::default();
            for slot in <[Vec<Slot>; 2]>::read(bytes)?.iter().flatten() {
                let order = self.slab.get(slot.0 as usize)?;
                open.list(*slot, order);
                self.by_id.insert(order.request.id.0, *slot);
                self.live += 1;
            }
        }
        for slot in &self.ended {
            self.by_id.insert(self.slab.get(slot.0 as usize)?.request.id.0, *slot);
        }
        self.next_number.load(bytes)?;
        self.epoch.load(bytes)
    }
}

/// The orders of an engine.
#[derive(Clone, Debug)]
pub struct Orders {
    slab: Vec<Order>,
    free: Vec<Slot>,
    by_id: IdMap<Slot>,
    open: Vec<Open>,
    ended: VecDeque<Slot>,
    next_number: u64,
    epoch: u16,
    environment: Environment,
    live: usize,
}

impl Orders {
    /// What is at stake.
    pub(crate) fn environment(&self) -> Environment {
        self.environment
    }

    /// For this many instruments.
    pub fn new(instruments: usize, environment: Environment) -> Self {
        Self {
            slab: Vec::new(),
            free: Vec::new(),
            by_id: IdMap::with_capacity(4 * ENDED_KEPT),
            open: vec![Open::default(); instruments],
            ended: VecDeque::with_capacity(ENDED_KEPT + 1),
            next_number: 1,
            epoch: 0,
            environment,
            live: 0,
        }
    }

    /// The next unused name, for an order of `strategy`.
    pub fn name(&mut self, strategy: StrategyId) -> ClientOrderId {
        let number = self.next_number;
        self.next_number += 1;
        ClientOrderId::new(self.environment, self.epoch, strategy, number)
    }

    /// The next name is never given, so that what was made before this differs from what is made after it.
    pub(crate) fn skip_name(&mut self) {
        self.next_number += 1;
    }

    /// The ordinal of the next order.
    pub(crate) fn next_ordinal(&self) -> u64 {
        ClientOrderId::new(self.environment, self.epoch, StrategyId(0), self.next_number).ordinal()
    }

    /// Whether an engine on this journal may have given this name.
    pub fn is_ours(&self, id: ClientOrderId) -> bool {
        id.environment() == self.environment && id.epoch() <= self.epoch && id.number() > 0
    }

    /// Names are of this epoch from now on.
    pub(crate) fn begin_epoch(&mut self, epoch: u16) {
        self.epoch = epoch;
        self.next_number = 1;
    }

    /// Takes in an order that may trade from now on.
    pub fn insert(&mut self, order: Order) -> Slot {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slab[slot.0 as usize] = order;
                slot
            }
            None => {
                self.slab.push(order);
                Slot((self.slab.len() - 1) as u32)
            }
        };
        self.by_id.insert(order.request.id.0, slot);
        self.open[order.request.instrument.index()].list(slot, &order);
        self.live += 1;
        slot
    }

    /// The order called `id`, if it is still known.
    pub fn find(&self, id: ClientOrderId) -> Option<Slot> {
        self.by_id.get(id.0).copied()
    }

    /// The order in a slot.
    pub fn get(&self, slot: Slot) -> &Order {
        &self.slab[slot.0 as usize]
    }

    /// The order in a slot, to change what no sum depends on: neither its life nor what is asked of it.
    pub fn get_mut(&mut self, slot: Slot) -> &mut Order {
        &mut self.slab[slot.0 as usize]
    }

    /// The order called `id`, if it is still known.
    pub fn order(&self, id: ClientOrderId) -> Option<&Order> {
        self.find(id).map(|slot| self.get(slot))
    }

    /// Changes an order and what the sums count of it.
    fn change(&mut self, slot: Slot, change: impl FnOnce(&mut Order)) {
        let order = &mut self.slab[slot.0 as usize];
        let (before, awaited) = (order.exposed(), order.awaits());
        change(order);
        if !order.life.is_live() {
            return;
        }
        let open = &mut self.open[order.request.instrument.index()];
        let more = order.exposed() - before;
        if !more.is_zero() {
            open.add(order.request.strategy, order.request.side, more, 0);
        }
        if order.awaits() != awaited {
            open.await_more(true, if awaited { -1 } else { 1 });
        }
    }

    /// Moves an order from one life to another in both of which it is open.
    pub(crate) fn live_on(&mut self, slot: Slot, life: Life) {
        let order = &mut self.slab[slot.0 as usize];
        debug_assert!(order.life.is_live() && life.is_live());
        let awaited = order.awaits();
        order.life = life;
        if order.awaits() != awaited {
            let open = &mut self.open[order.request.instrument.index()];
            open.await_more(true, if awaited { -1 } else { 1 });
        }
    }

    /// Books a fill of `qty` at `price`. More than was ordered is a fact like any other.
    pub fn fill(&mut self, slot: Slot, price: Price, qty: Qty) {
        self.change(slot, |order| {
            let value = i128::from(price.get()) * i128::from(qty.get());
            order.filled = order.filled.saturating_add(qty);
            order.filled_value = order.filled_value.saturating_add(value);
        });
    }

    /// Takes the venue's word for how much has traded.
    pub(crate) fn believe(&mut self, slot: Slot, filled: Qty) {
        self.change(slot, |order| order.filled = filled);
    }

    /// Notes that a change was asked for: until it is answered, the larger of both counts.
    pub fn ask(&mut self, slot: Slot, change: Change) {
        self.change(slot, |order| order.change = Some(change));
    }

    /// Forgets a change that was not made.
    pub fn unask(&mut self, slot: Slot) {
        self.change(slot, |order| order.change = None);
    }

    /// Makes a change: total quantity, and limit price where it has one.
    pub fn amend(&mut self, slot: Slot, qty: Qty, price: Price) {
        self.change(slot, |order| {
            order.change = None;
            order.request.qty = qty;
            order.request.order_type = limited(order.request.order_type, price);
            order.request.display = order.request.display.map(|display| display.min(qty));
        });
    }

    /// Moves an order to a life in which it cannot trade any more.
    pub fn end(&mut self, slot: Slot, life: Life) {
        let order = &mut self.slab[slot.0 as usize];
        debug_assert!(order.life.is_live() && !life.is_live());
        let awaited = order.awaits();
        order.life = life;
        self.open[order.request.instrument.index()].delist(slot, order, awaited);
        (order.change, order.closing) = (None, None);
        self.live -= 1;
        self.ended.push_back(slot);
        if self.ended.len() > ENDED_KEPT {
            let oldest = self.ended.pop_front().expect("it is longer than nothing");
            self.by_id.remove(self.slab[oldest.0 as usize].request.id.0);
            self.free.push(oldest);
        }
    }

    /// Lists an ended order as open again: the venue says that it is.
    pub fn reopen(&mut self, slot: Slot) {
        let order = &mut self.slab[slot.0 as usize];
        debug_assert!(!order.life.is_live());
        order.life = Life::Disputed;
        self.open[order.request.instrument.index()].list(slot, order);
        self.live += 1;
        self.ended.retain(|ended| *ended != slot);
    }

    /// The open orders of one side of a market, oldest first.
    pub fn open(
        &self,
        instrument: InstrumentId,
        side: Side,
    ) -> impl Iterator<Item = (Slot, &Order)> {
        self.open[instrument.index()].slots[side.index()]
            .iter()
            .map(|slot| (*slot, self.get(*slot)))
    }

    /// Sums over the open orders of a market: what may still trade by side, and how many there are.
    /// For one strategy, or for all.
    pub fn totals(
        &self,
        instrument: InstrumentId,
        strategy: Option<StrategyId>,
    ) -> ([Qty; 2], u32) {
        let open = &self.open[instrument.index()];
        let totals = match strategy {
            None => open.all,
            Some(strategy) => {
                let share = open.shares.iter().find(|(owner, _)| *owner == strategy);
                share.map_or(Totals::default(), |(_, totals)| *totals)
            }
        };
        (totals.qty, totals.orders)
    }

    /// How many open orders of a market await an answer.
    pub fn awaiting(&self, instrument: InstrumentId) -> u32 {
        self.open[instrument.index()].all.awaiting
    }

    /// How many orders may still trade.
    pub fn live(&self) -> usize {
        self.live
    }
}
