//! A hash map from numbers that cannot be walked, so its order can never show.
//!
//! Everything in `core` that looks something up by an id and never lists it uses this; what is
//! listed lives in a vector or a `BTreeMap`. The hash is fixed, so timings repeat too.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Multiply and fold: one multiplication spreads sequential ids over all bits.
#[derive(Clone, Copy, Default, Debug)]
pub struct FoldHasher(u64);

impl Hasher for FoldHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }
    fn write_u64(&mut self, n: u64) {
        // 2^64 / golden ratio, an odd number without structure.
        let wide = u128::from(self.0 ^ n) * 0x9E37_79B9_7F4A_7C15;
        self.0 = (wide as u64) ^ ((wide >> 64) as u64);
    }
}

/// A map from `u64` keys without iteration.
#[derive(Clone)]
pub struct IdMap<V>(HashMap<u64, V, BuildHasherDefault<FoldHasher>>);

/// Its size only: printing the entries would show their order.
impl<V> std::fmt::Debug for IdMap<V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IdMap({} entries)", self.len())
    }
}

impl<V> Default for IdMap<V> {
    fn default() -> Self {
        Self(HashMap::default())
    }
}

impl<V> IdMap<V> {
    /// An empty map with room for `capacity` entries.
    pub fn with_capacity(capacity: usize) -> Self {
        Self(HashMap::with_capacity_and_hasher(capacity, BuildHasherDefault::default()))
    }
    /// Puts `value` under `key`; gives back what stood there.
    pub fn insert(&mut self, key: u64, value: V) -> Option<V> {
        self.0.insert(key, value)
    }
    /// What stands under `key`.
    pub fn get(&self, key: u64) -> Option<&V> {
        self.0.get(&key)
    }
    /// What stands under `key`, to change.
    pub fn get_mut(&mut self, key: u64) -> Option<&mut V> {
        self.0.get_mut(&key)
    }
    /// Takes out what stands under `key`.
    pub fn remove(&mut self, key: u64) -> Option<V> {
        self.0.remove(&key)
    }
    /// Whether something stands under `key`.
    pub fn contains(&self, key: u64) -> bool {
        self.0.contains_key(&key)
    }
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Takes out everything and keeps the room.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
