//! Seeded randomness: one independent stream for each purpose.
//!
//! A stream is named by what it is for, so that adding a consumer never shifts the draws of another.
//! The generator is xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number
//! generators", 2021), seeded by SplitMix64 as its authors advise.

use crate::hash::StateHash;

/// A seeded generator.
#[derive(Clone, Debug)]
pub struct Chance {
    state: [u64; 4],
}

crate::recorded_fields! { Chance { state } }

impl Chance {
    /// The stream called `purpose` of a run's `seed`.
    pub fn stream(seed: u64, purpose: &str) -> Self {
        let mut hash = StateHash::new();
        hash.word(seed);
        hash.bytes(purpose.as_bytes());
        let mut mix = hash.finish();
        let mut next = || {
            mix = mix.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = mix;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            z ^ (z >> 31)
        };
        Self { state: [next(), next(), next(), next()] }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// A whole number in `[0, n)`, unbiased (Lemire, "Fast random integer generation in an
    /// interval", 2019).
    ///
    /// # Panics
    /// If `n` is zero: there is nothing to choose from.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "a choice needs something to choose from");
        let mut wide = u128::from(self.bits()) * u128::from(n);
        if (wide as u64) < n {
            let threshold = n.wrapping_neg() % n;
            while (wide as u64) < threshold {
                wide = u128::from(self.bits()) * u128::from(n);
            }
        }
        (wide >> 64) as u64
    }

    /// A whole number in `[low, high]`.
    ///
    /// # Panics
    /// If `low` is above `high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        assert!(low <= high, "a range runs upwards");
        let width = high.wrapping_sub(low) as u64;
        if width == u64::MAX {
            return self.bits() as i64;
        }
        low.wrapping_add(self.below(width + 1) as i64)
    }

    /// True `n` times in `of`, on average.
    pub fn one_in(&mut self, n: u64, of: u64) -> bool {
        self.below(of) < n
    }

    /// A float in `[0, 1)` with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_are_independent_by_name() {
        let draws = |purpose| {
            let mut chance = Chance::stream(42, purpose);
            [chance.bits(), chance.bits(), chance.bits()]
        };
        assert_eq!(draws("latency:SIM"), draws("latency:SIM"));
        assert_ne!(draws("latency:SIM"), draws("latency:OTHER"));
    }

    #[test]
    fn the_generator_is_xoshiro256_plus_plus() {
        // First outputs for the state {1, 2, 3, 4}, as printed by the authors' C program.
        let mut chance = Chance { state: [1, 2, 3, 4] };
        assert_eq!(
            [chance.bits(), chance.bits(), chance.bits()],
            [41_943_041, 58_720_359, 3_588_806_011_781_223]
        );
    }

    #[test]
    fn draws_stay_in_range_and_reach_its_ends() {
        let mut chance = Chance::stream(1, "range");
        let mut seen = [false; 7];
        for _ in 0..1_000 {
            seen[usize::try_from(chance.between(-3, 3) + 3).unwrap()] = true;
            let unit = chance.unit();
            assert!((0.0..1.0).contains(&unit));
        }
        assert_eq!(seen, [true; 7]);
        assert_eq!(chance.between(i64::MAX, i64::MAX), i64::MAX);
    }
}
