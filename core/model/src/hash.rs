//! A running hash of what happened, equal on every machine.
//!
//! Two 64-bit lanes of multiply-and-fold (after Wang Yi's wyhash). It tells runs apart; it is not
//! a signature and resists nobody who wants two runs to collide.

use std::fmt;

/// A hash under construction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StateHash {
    a: u64,
    b: u64,
}

crate::recorded_fields! { StateHash { a, b } }

const fn fold(x: u64, y: u64) -> u64 {
    let wide = (x as u128) * (y as u128);
    (wide as u64) ^ ((wide >> 64) as u64)
}

impl StateHash {
    /// The hash of nothing.
    pub const fn new() -> Self {
        Self { a: 0xA076_1D64_78BD_642F, b: 0xE703_7ED1_A0B4_28DB }
    }

    /// Adds 64 bits.
    pub const fn word(&mut self, word: u64) {
        self.a = fold(self.a ^ word, 0x8EBC_6AF0_9C88_C6E3).rotate_left(29);
        self.b = fold(self.b.wrapping_add(word), 0x5899_65CC_7537_4CC3) ^ self.a;
    }

    /// Adds a signed number.
    pub const fn int(&mut self, n: i64) {
        self.word(n as u64);
    }

    /// Adds a wide signed number.
    pub const fn wide(&mut self, n: i128) {
        self.word(n as u64);
        self.word((n >> 64) as u64);
    }

    /// Adds bytes and their number.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
    }

    /// 64 bits of it.
    pub const fn finish(&self) -> u64 {
        fold(self.a ^ 0x1D8E_4E27_C47D_124F, self.b ^ 0xEB44_ACCA_B455_D165)
    }
}

impl Default for StateHash {
    fn default() -> Self {
        Self::new()
    }
}

/// 32 hexadecimal digits.
impl fmt::Display for StateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.a, self.b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_flipped_bit_or_a_swap_of_words_changes_the_hash() {
        let of = |words: &[u64]| {
            let mut hash = StateHash::new();
            words.iter().for_each(|word| hash.word(*word));
            hash.to_string()
        };
        let base = of(&[1, 2, 3]);
        for bit in 0..64 {
            assert_ne!(of(&[1, 2 ^ (1 << bit), 3]), base);
        }
        assert_ne!(of(&[2, 1, 3]), base);
        assert_ne!(of(&[1, 2, 3, 0]), base);
    }
}
