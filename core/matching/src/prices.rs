//! From a price to its level, for one side of a book.
//!
//! Prices come in as ranks (larger is better, see `order::rank`). Two layers are reached by index: a
//! leaf for 16 neighbouring prices, which is one cache line, and a branch for 64 neighbouring leaves.
//! Branches, 1,024 prices wide, are sorted from worst to best and searched from the best, where
//! nearly everything happens. Bitmaps say which places are taken, so the next best price is a matter
//! of counting zeros. Any `i64` is welcome: a lonely price costs a leaf and a branch of its own.
//!
//! Measured with `examples/mixed.rs` on a quiet machine, best runs, near, deep and sparse book: one
//! sorted vector of all prices, walked a little from its end before a binary search, took 35, 95 and
//! 605 ns per command; leaves of 64 prices in one sorted vector 30, 54 and 183; this takes 29, 50 and
//! 75. Leaves of 32 or 64 prices under branches do no better and take more memory. A window of prices
//! indexed directly was not built: it needs a second structure for what lies outside, and a move
//! when the market moves.
//!
//! It knows neither orders nor quantities.

use crate::slab::NIL;

/// Prices of a leaf, leaves of a branch, prices of a branch: all as powers of two.
const LEAF: u32 = 4;
const BRANCH: u32 = 6;
const SPAN: u32 = LEAF + BRANCH;

type Leaves = Layer<{ 1 << LEAF }>;
type Branches = Layer<{ 1 << BRANCH }>;

/// What a node needs besides its places, which are kept apart in lines of their own.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// Which places are taken.
    taken: u64,
    /// The ranks in it, without the bits that tell its places apart.
    number: i64,
    /// The branch of a leaf. For a free node the next free one.
    parent: u32,
}

/// Where levels or leaves stand by number; `NIL` in a place that is free.
#[derive(Clone, Debug)]
#[repr(align(64))]
struct Places<const WIDTH: usize>([u32; WIDTH]);

/// The nodes of one layer.
#[derive(Clone, Debug)]
struct Layer<const WIDTH: usize> {
    nodes: Vec<Node>,
    places: Vec<Places<WIDTH>>,
    free: u32,
}

impl<const WIDTH: usize> Layer<WIDTH> {
    const fn new() -> Self {
        Self { nodes: Vec::new(), places: Vec::new(), free: NIL }
    }

    fn add(&mut self, number: i64, parent: u32) -> u32 {
        let node = Node { taken: 0, number, parent };
        if self.free == NIL {
            self.nodes.push(node);
            self.places.push(Places([NIL; WIDTH]));
            return u32::try_from(self.nodes.len() - 1).expect("fewer nodes than orders");
        }
        let at = self.free;
        self.free = self.nodes[at as usize].parent;
        self.nodes[at as usize] = node;
        at
    }

    /// Takes back a node whose places are all free.
    fn give_back(&mut self, at: u32) {
        self.nodes[at as usize].parent = self.free;
        self.free = at;
    }

    #[inline]
    fn get(&self, at: u32, number: i64) -> u32 {
        self.places[at as usize].0[Self::place(number)]
    }

    #[inline]
    fn set(&mut self, at: u32, number: i64, to: u32) {
        self.places[at as usize].0[Self::place(number)] = to;
        self.nodes[at as usize].taken |= 1 << Self::place(number);
    }

    /// Frees a place; returns which places of the node are still taken.
    #[inline]
    fn clear(&mut self, at: u32, number: i64) -> u64 {
        self.places[at as usize].0[Self::place(number)] = NIL;
        let taken = &mut self.nodes[at as usize].taken;
        *taken &= !(1 << Self::place(number));
        *taken
    }

    #[inline]
    const fn place(number: i64) -> usize {
        (number & (WIDTH as i64 - 1)) as usize
    }

    /// The best of the taken places in the mask: its number and what stands there.
    #[inline]
    fn best(&self, at: u32, mask: u64) -> Option<(i64, u32)> {
        let node = self.nodes[at as usize];
        let bit = (node.taken & mask).checked_ilog2()?;
        let number = (node.number << WIDTH.ilog2()) | i64::from(bit);
        Some((number, self.places[at as usize].0[bit as usize]))
    }

    /// The places worse than this number's.
    const fn worse(number: i64) -> u64 {
        (1 << Self::place(number)) - 1
    }
}

/// The occupied prices of one side.
#[derive(Clone, Debug)]
pub(crate) struct Prices {
    /// Branches by their numbers, ascending.
    index: Vec<(i64, u32)>,
    branches: Branches,
    leaves: Leaves,
    /// The best level, its leaf and its rank; `NIL` when there is none.
    best: u32,
    best_leaf: u32,
    best_rank: i64,
}

impl Prices {
    pub const fn new() -> Self {
        Self {
            index: Vec::new(),
            branches: Layer::new(),
            leaves: Layer::new(),
            best: NIL,
            best_leaf: NIL,
            best_rank: i64::MIN,
        }
    }

    /// The best level, or `NIL`.
    #[inline]
    pub fn best(&self) -> u32 {
        self.best
    }

    /// The best rank; meaningless when there is no level.
    #[inline]
    pub fn best_rank(&self) -> i64 {
        self.best_rank
    }

    /// Whether some level has this rank or a better one.
    #[inline]
    pub fn reaches(&self, rank: i64) -> bool {
        self.best_rank >= rank && self.best != NIL
    }

    /// Where the branch with this number is in the index, or where it would go.
    #[inline]
    fn search(&self, number: i64) -> Result<usize, usize> {
        const NEAR: usize = 2;
        let mut at = self.index.len();
        let stop = at.saturating_sub(NEAR);
        while at > stop {
            let here = self.index[at - 1].0;
            if here <= number {
                return if here == number { Ok(at - 1) } else { Err(at) };
            }
            at -= 1;
        }
        self.index[..at].binary_search_by_key(&number, |branch| branch.0)
    }

    /// The leaf of this rank, or `NIL`.
    #[inline]
    fn leaf(&self, rank: i64) -> u32 {
        // Most of what happens, happens near the best price.
        if (rank ^ self.best_rank) >> LEAF == 0 && self.best != NIL {
            return self.best_leaf;
        }
        match self.search(rank >> SPAN) {
            Ok(at) => self.branches.get(self.index[at].1, rank >> LEAF),
            Err(_) => NIL,
        }
    }

    /// The level at this rank, or `NIL`.
    #[inline]
    pub fn get(&self, rank: i64) -> u32 {
        match self.leaf(rank) {
            NIL => NIL,
            leaf => self.leaves.get(leaf, rank),
        }
    }

    /// The level at this rank; if there is none, `make` is told the leaf and gives one.
    #[inline]
    pub fn get_or_insert(&mut self, rank: i64, make: impl FnOnce(u32) -> u32) -> u32 {
        let mut leaf = self.leaf(rank);
        if leaf == NIL {
            leaf = self.grow(rank);
        }
        let level = self.leaves.get(leaf, rank);
        if level != NIL {
            return level;
        }
        let level = make(leaf);
        self.leaves.set(leaf, rank, level);
        if self.best == NIL || rank > self.best_rank {
            (self.best, self.best_leaf, self.best_rank) = (level, leaf, rank);
        }
        level
    }

    /// Makes a leaf for this rank, and the branch it hangs on if need be.
    fn grow(&mut self, rank: i64) -> u32 {
        let number = rank >> SPAN;
        let branch = match self.search(number) {
            Ok(at) => self.index[at].1,
            Err(at) => {
                let branch = self.branches.add(number, NIL);
                self.index.insert(at, (number, branch));
                branch
            }
        };
        let leaf = self.leaves.add(rank >> LEAF, branch);
        self.branches.set(branch, rank >> LEAF, leaf);
        leaf
    }

    /// Takes away the level at this rank, which stands in this leaf.
    #[inline]
    pub fn remove(&mut self, rank: i64, leaf: u32) {
        let was_best = rank == self.best_rank;
        if self.leaves.clear(leaf, rank) == 0 {
            self.prune(leaf);
            if was_best {
                self.find_best();
            }
        } else if was_best {
            (self.best_rank, self.best) =
                self.leaves.best(leaf, u64::MAX).expect("the leaf has a level left");
        }
    }

    /// Takes away an empty leaf, and its branch if that was its last.
    fn prune(&mut self, leaf: u32) {
        let Node { number, parent: branch, .. } = self.leaves.nodes[leaf as usize];
        self.leaves.give_back(leaf);
        if self.branches.clear(branch, number) == 0 {
            let at = self.search(number >> BRANCH).expect("a branch is in the index");
            self.index.remove(at);
            self.branches.give_back(branch);
        }
    }

    fn find_best(&mut self) {
        let best = self.index.last().and_then(|(_, branch)| self.branches.best(*branch, u64::MAX));
        (self.best, self.best_leaf, self.best_rank) = match best {
            Some((_, leaf)) => {
                let (rank, level) =
                    self.leaves.best(leaf, u64::MAX).expect("empty leaves are pruned");
                (level, leaf, rank)
            }
            None => (NIL, NIL, i64::MIN),
        };
    }

    /// The best level worse than this rank, with its rank.
    pub fn below(&self, rank: i64) -> Option<(i64, u32)> {
        let at = match self.search(rank >> SPAN) {
            Ok(at) => {
                let branch = self.index[at].1;
                let leaf = self.branches.get(branch, rank >> LEAF);
                let here = (leaf != NIL).then_some(leaf);
                let here = here.and_then(|leaf| self.leaves.best(leaf, Leaves::worse(rank)));
                if here.is_some() {
                    return here;
                }
                let mask = Branches::worse(rank >> LEAF);
                if let Some((_, leaf)) = self.branches.best(branch, mask) {
                    return self.leaves.best(leaf, u64::MAX);
                }
                at
            }
            Err(at) => at,
        };
        let (_, branch) = self.index[at.checked_sub(1)?];
        let (_, leaf) = self.branches.best(branch, u64::MAX)?;
        self.leaves.best(leaf, u64::MAX)
    }

    /// How many leaves and branches there is memory for.
    pub fn capacity(&self) -> usize {
        self.leaves.nodes.capacity() + self.branches.nodes.capacity() + self.index.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use tse_model::Chance;

    /// Puts and takes levels at random, and compares with a sorted map all along.
    fn compare(seed: u64, draw: impl Fn(&mut Chance) -> i64) {
        let mut chance = Chance::stream(seed, "prices");
        let (mut prices, mut map) = (Prices::new(), BTreeMap::new());
        for step in 0..40_000u32 {
            // Grow for a while, then shrink to nothing, and again.
            let growing = step % 8_000 < 4_000;
            let rank = draw(&mut chance);
            if growing {
                let mut made = None;
                let level = prices.get_or_insert(rank, |leaf| {
                    made = Some(leaf);
                    step
                });
                match made {
                    Some(leaf) => assert!(map.insert(rank, (step, leaf)).is_none()),
                    None => assert_eq!(map[&rank].0, level),
                }
            } else if let Some((rank, (_, leaf))) =
                map.range(rank..).next().or(map.first_key_value()).map(|(rank, to)| (*rank, *to))
            {
                map.remove(&rank);
                prices.remove(rank, leaf);
            }
            let best = map.last_key_value().map(|(rank, (level, _))| (*rank, *level));
            let found = (prices.best() != NIL).then(|| (prices.best_rank(), prices.best()));
            assert_eq!(found, best);
            let below = map.range(..rank).next_back().map(|(rank, (level, _))| (*rank, *level));
            assert_eq!(prices.below(rank), below);
            assert_eq!(prices.get(rank), map.get(&rank).map_or(NIL, |(level, _)| *level));
        }
        assert_eq!((prices.best(), prices.index.len()), (NIL, 0), "the last prune leaves nothing");
    }

    #[test]
    fn prices_equal_a_sorted_map_where_they_are_dense() {
        compare(1, |chance| chance.between(-700, 700));
    }

    #[test]
    fn prices_equal_a_sorted_map_where_they_are_sparse() {
        compare(2, |chance| chance.between(-1_000_000, 1_000_000));
    }

    #[test]
    fn prices_equal_a_sorted_map_over_the_whole_range_of_prices() {
        compare(3, |chance| match chance.below(4) {
            0 => i64::MIN + chance.between(0, 40),
            1 => i64::MAX - chance.between(0, 40),
            _ => chance.bits() as i64,
        });
    }

    #[test]
    fn nodes_are_reused() {
        let mut prices = Prices::new();
        for from in 0..50 {
            let ranks = (0..500).map(|at| from * 7_777 + at * 100);
            let leaves: Vec<(i64, u32)> = ranks
                .map(|rank| {
                    let mut leaf = NIL;
                    prices.get_or_insert(rank, |at| {
                        leaf = at;
                        1
                    });
                    (rank, leaf)
                })
                .collect();
            leaves.into_iter().for_each(|(rank, leaf)| prices.remove(rank, leaf));
        }
        assert!(prices.leaves.nodes.len() <= 500 && prices.branches.nodes.len() <= 50);
    }
}
