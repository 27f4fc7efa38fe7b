//! Every order the engine has made: those that may still trade, and the last ones that ended.
//!
//! Orders live in a slab and are found by name in one look-up; those open in a market are listed by
//! side. An order that ends stays for a while, so that a late word of the venue still finds it, and
//! then leaves memory: how many stay is fixed, so a run's memory does not grow with its length.

use crate::life::Life;
use std::collections::VecDeque;
use tse_model::{
    ClientOrderId, CurrencyId, IdMap, InstrumentId, Money, OrderType, PlaceOrder, Price, Qty, Side,
    StrategyId, Timestamp, VenueOrderId,
};

/// How many ended orders stay known.
pub const ENDED_KEPT: usize = 1_024;

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
    /// When it was made.
    pub made: Timestamp,
    /// When it last changed.
    pub changed: Timestamp,
    /// The venue's name for it.
    pub venue_id: Option<VenueOrderId>,
    /// What it still sets aside.
    pub reserved: Money,
    /// Of which currency.
    pub reserved_in: CurrencyId,
}

impl Order {
    /// What has not traded yet.
    pub fn leaves(&self) -> Qty {
        Qty::new((self.request.qty.get() - self.filled.get()).max(0))
    }

    /// Its limit price, if it has one.
    pub fn price(&self) -> Option<Price> {
        self.request.order_type.limit()
    }
}

/// A place in the slab.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot(u32);

/// What is open in one market on both sides.
#[derive(Clone, Debug, Default)]
struct Open {
    slots: [Vec<Slot>; 2],
    qty: [Qty; 2],
}

/// The orders of an engine.
#[derive(Clone, Debug)]
pub struct Orders {
    slab: Vec<Order>,
    free: Vec<Slot>,
    by_id: IdMap<Slot>,
    open: Vec<Open>,
    ended: VecDeque<Slot>,
    next_id: u64,
    live: usize,
}

impl Orders {
    /// For this many instruments.
    pub fn new(instruments: usize) -> Self {
        Self {
            slab: Vec::new(),
            free: Vec::new(),
            by_id: IdMap::with_capacity(4 * ENDED_KEPT),
            open: vec![Open::default(); instruments],
            ended: VecDeque::with_capacity(ENDED_KEPT + 1),
            next_id: 1,
            live: 0,
        }
    }

    /// The next unused name.
    pub fn name(&mut self) -> ClientOrderId {
        let id = ClientOrderId(self.next_id);
        self.next_id += 1;
        id
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
        let open = &mut self.open[order.request.instrument.index()];
        open.slots[order.request.side.index()].push(slot);
        open.qty[order.request.side.index()] += order.request.qty;
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

    /// The order in a slot, to change. What is open is kept by [`fill`](Self::fill) and
    /// [`end`](Self::end).
    pub fn get_mut(&mut self, slot: Slot) -> &mut Order {
        &mut self.slab[slot.0 as usize]
    }

    /// The order called `id`, if it is still known.
    pub fn order(&self, id: ClientOrderId) -> Option<&Order> {
        self.find(id).map(|slot| self.get(slot))
    }

    /// Books a fill of `qty` at `price`.
    pub fn fill(&mut self, slot: Slot, price: Price, qty: Qty) {
        let order = &mut self.slab[slot.0 as usize];
        let before = order.leaves();
        order.filled += qty;
        order.filled_value += i128::from(price.get()) * i128::from(qty.get());
        let traded = before - order.leaves();
        if order.life.is_live() {
            let side = order.request.side.index();
            self.open[order.request.instrument.index()].qty[side] -= traded;
        }
    }

    /// Moves an order to a life in which it cannot trade any more.
    pub fn end(&mut self, slot: Slot, life: Life) {
        let order = &mut self.slab[slot.0 as usize];
        debug_assert!(order.life.is_live() && !life.is_live());
        order.life = life;
        let leaves = order.leaves();
        let open = &mut self.open[order.request.instrument.index()];
        let side = order.request.side.index();
        open.qty[side] -= leaves;
        let at = open.slots[side].iter().position(|other| *other == slot);
        open.slots[side].remove(at.expect("a live order is listed"));
        self.live -= 1;
        self.ended.push_back(slot);
        if self.ended.len() > ENDED_KEPT {
            let oldest = self.ended.pop_front().expect("it is longer than nothing");
            // A dispute may have brought it back: then it stays.
            let order = &self.slab[oldest.0 as usize];
            if !order.life.is_live() {
                self.by_id.remove(order.request.id.0);
                self.free.push(oldest);
            }
        }
    }

    /// Lists an ended order as open again: the venue says that it is.
    pub fn reopen(&mut self, slot: Slot) {
        let order = &mut self.slab[slot.0 as usize];
        debug_assert!(!order.life.is_live());
        order.life = Life::Disputed;
        let (side, leaves) = (order.request.side.index(), order.leaves());
        let open = &mut self.open[order.request.instrument.index()];
        open.qty[side] += leaves;
        open.slots[side].push(slot);
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

    /// Position-relevant sums over the open orders of a market: unfilled quantity by side, and how
    /// many there are. For one strategy, or for all.
    pub fn totals(
        &self,
        instrument: InstrumentId,
        strategy: Option<StrategyId>,
    ) -> ([Qty; 2], u32) {
        let open = &self.open[instrument.index()];
        let Some(strategy) = strategy else {
            return (open.qty, (open.slots[0].len() + open.slots[1].len()) as u32);
        };
        let mut qty = [Qty::ZERO; 2];
        let mut count = 0;
        for side in Side::BOTH {
            for slot in &open.slots[side.index()] {
                let order = self.get(*slot);
                if order.request.strategy == strategy {
                    qty[side.index()] += order.leaves();
                    count += 1;
                }
            }
        }
        (qty, count)
    }

    /// How many orders may still trade.
    pub fn live(&self) -> usize {
        self.live
    }
}
