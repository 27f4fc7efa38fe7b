//! The memory of orders: slots that are reused, the last freed first, so that they stay in cache.
//!
//! A slot is one cache line: the links of its queue, the quantities, and what reports echo. Freeing a
//! slot starts its next generation, which is what makes old handles stale.

use std::num::NonZeroU32;

use tse_model::Side;

use crate::{Handle, Owner, SelfTrade};

/// No slot, no level, no stop.
pub(crate) const NIL: u32 = u32::MAX;

/// An open order.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(crate) struct Node {
    /// The order ahead of it in its queue.
    pub prev: u32,
    /// The order behind it; for a free slot the next free one.
    pub next: u32,
    /// The queue it stands in; `NIL` for a stop that stands in none.
    pub level: u32,
    pub generation: NonZeroU32,
    /// Open quantity that shows.
    pub shown: i64,
    /// Open quantity that does not.
    pub hidden: i64,
    pub owner: Owner,
    pub tag: u64,
    /// How much an iceberg shows at a time; `i64::MAX` when everything shows.
    pub slice: i64,
    /// Where a sleeping stop keeps what only stops have; `NIL` for an order in the book.
    pub stop: u32,
    pub side: Side,
    pub self_trade: SelfTrade,
    pub post_only: bool,
}

impl Node {
    /// A node that stands nowhere yet. Its generation is set by the slab.
    #[inline]
    pub fn new(order: &crate::NewOrder, leaves: i64) -> Self {
        let slice = order.display.map_or(i64::MAX, |display| display.get());
        let shown = leaves.min(slice);
        Self {
            prev: NIL,
            next: NIL,
            level: NIL,
            generation: NonZeroU32::MIN,
            shown,
            hidden: leaves - shown,
            owner: order.owner,
            tag: order.tag,
            slice,
            stop: NIL,
            side: order.side,
            self_trade: order.self_trade,
            post_only: order.post_only,
        }
    }

    #[inline]
    pub fn leaves(&self) -> i64 {
        self.shown + self.hidden
    }

    /// Sets the open quantity as a fresh arrival would have it: a first slice shows.
    pub fn reslice(&mut self, leaves: i64) {
        self.shown = leaves.min(self.slice);
        self.hidden = leaves - self.shown;
    }
}

/// All open orders.
#[derive(Clone, Debug)]
pub(crate) struct Slab {
    nodes: Vec<Node>,
    free: u32,
    live: usize,
}

impl Slab {
    pub fn with_capacity(capacity: usize) -> Self {
        Self { nodes: Vec::with_capacity(capacity), free: NIL, live: 0 }
    }

    #[inline]
    pub fn insert(&mut self, mut node: Node) -> u32 {
        self.live += 1;
        if self.free == NIL {
            let slot = u32::try_from(self.nodes.len()).ok().filter(|slot| *slot != NIL);
            let slot = slot.expect("a book of 2^32 open orders does not fit memory either");
            self.nodes.push(node);
            return slot;
        }
        let slot = self.free;
        let place = &mut self.nodes[slot as usize];
        self.free = place.next;
        node.generation = place.generation;
        *place = node;
        slot
    }

    #[inline]
    pub fn remove(&mut self, slot: u32) {
        let node = &mut self.nodes[slot as usize];
        self.live -= 1;
        node.level = NIL;
        match node.generation.checked_add(1) {
            Some(generation) => {
                node.generation = generation;
                node.next = self.free;
                self.free = slot;
            }
            // Out of generations: the next tenant would answer to the first one's handle. The slot
            // is left out of use, in a state that no handle finds.
            None => node.next = slot,
        }
    }

    /// The slot of a handle, if it still names its order.
    #[inline]
    pub fn find(&self, handle: Handle) -> Option<u32> {
        let node = self.nodes.get(handle.slot as usize)?;
        let retired = node.next == handle.slot;
        (node.generation == handle.generation && !retired).then_some(handle.slot)
    }

    #[inline]
    pub fn handle(&self, slot: u32) -> Handle {
        Handle { slot, generation: self[slot].generation }
    }

    pub fn len(&self) -> usize {
        self.live
    }

    pub fn capacity(&self) -> usize {
        self.nodes.capacity()
    }
}

impl std::ops::Index<u32> for Slab {
    type Output = Node;
    #[inline]
    fn index(&self, slot: u32) -> &Node {
        &self.nodes[slot as usize]
    }
}

impl std::ops::IndexMut<u32> for Slab {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut Node {
        &mut self.nodes[slot as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NewOrder;
    use tse_model::{Price, Qty};

    fn node() -> Node {
        Node::new(&NewOrder::limit(Owner(1), 1, Side::Buy, Price::ZERO, Qty::new(1)), 1)
    }

    #[test]
    fn a_handle_does_not_find_the_next_tenant_of_its_slot() {
        let mut slab = Slab::with_capacity(0);
        let slot = slab.insert(node());
        let old = slab.handle(slot);
        slab.remove(slot);
        assert_eq!(slab.find(old), None);
        assert_eq!(slab.insert(node()), slot, "the slot is reused");
        assert_eq!(slab.find(old), None);
        assert_eq!(slab.find(slab.handle(slot)), Some(slot));
    }

    #[test]
    fn a_slot_without_generations_left_is_retired() {
        let mut slab = Slab::with_capacity(0);
        let slot = slab.insert(node());
        slab[slot].generation = NonZeroU32::MAX;
        let last = slab.handle(slot);
        assert_eq!(slab.find(last), Some(slot));
        slab.remove(slot);
        assert_eq!(slab.find(last), None);
        assert_ne!(slab.insert(node()), slot);
        assert_eq!(slab.len(), 1);
    }
}
