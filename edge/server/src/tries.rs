//! Who comes with wrong tokens too often waits.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many wrong tokens,
const TRIES: u32 = 10;
/// within so long,
const WITHIN: Duration = Duration::from_secs(60);
/// of so many addresses at most: more are forgotten, the one that tried first of all.
const ADDRESSES: usize = 1_024;

/// Wrong tokens of the last minute, by address.
#[derive(Debug, Default)]
pub(crate) struct Tries(Mutex<HashMap<IpAddr, (Instant, u32)>>);

impl Tries {
    /// How long an address has to wait; `None` if it may try.
    pub(crate) fn wait(&self, address: IpAddr, now: Instant) -> Option<Duration> {
        let tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = tries.get(&address)?;
        let left = WITHIN.checked_sub(now.duration_since(*since))?;
        (*count >= TRIES && !left.is_zero()).then_some(left)
    }

    /// It tried, and the token was wrong.
    pub(crate) fn failed(&self, address: IpAddr, now: Instant) {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tries.retain(|_, (since, _)| now.duration_since(*since) < WITHIN);
        if tries.len() >= ADDRESSES
            && !tries.contains_key(&address)
            && let Some(first) = tries.iter().min_by_key(|(_, (since, _))| *since)
        {
            let first = *first.0;
            tries.remove(&first);
        }
        tries.entry(address).or_insert((now, 0)).1 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_ten_wrong_tokens_an_address_waits_out_the_minute_and_others_do_not() {
        let (tries, now) = (Tries::default(), Instant::now());
        let [bad, good] = ["10.0.0.1", "10.0.0.2"].map(|it| it.parse().unwrap());
        for _ in 0..TRIES {
            assert_eq!(tries.wait(bad, now), None);
            tries.failed(bad, now);
        }
        assert_eq!(tries.wait(bad, now), Some(WITHIN));
        assert_eq!(tries.wait(good, now), None);
        assert_eq!(tries.wait(bad, now + WITHIN), None);
    }

    #[test]
    fn addresses_are_bounded() {
        let (tries, now) = (Tries::default(), Instant::now());
        for at in 0..3 * ADDRESSES as u32 {
            tries.failed(IpAddr::from(at.to_be_bytes()), now);
        }
        assert_eq!(tries.0.lock().unwrap().len(), ADDRESSES);
    }
}
