//! The dead man's switch: an engine that makes no progress is halted by its flag.
//!
//! It counts its own looks and not the clock: where the whole process stood still, as on a laptop that slept, nobody was
//! dead. What an engine does when it wakes does not leave then, but for cancels; what rests at venues it cannot take
//! back from here.

use crate::Home;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tse_disk::LeaseFile;
use tse_engine::{Lease, LeaseError};

/// So many looks without progress, and the flag is raised.
pub const LOOKS: u32 = 10;

/// Looks every so often, until it is `over`, whether `progress` was made; says what came of the flag when it had to be
/// raised, each time.
pub fn watch_over(
    progress: &AtomicU64,
    over: &AtomicBool,
    home: &Home,
    every: Duration,
    mut say: impl FnMut(Result<(), LeaseError>),
) {
    let mut seen = Seen { progress: progress.load(Ordering::Relaxed), still: 0 };
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(every);
        if seen.is_dead(progress.load(Ordering::Relaxed)) && !over.load(Ordering::Relaxed) {
            say(raise_flag(home, "the engine makes no progress"));
        }
    }
}

/// What was seen of somebody's progress.
struct Seen {
    progress: u64,
    still: u32,
}

impl Seen {
    /// Another look; whether it is the one at which it counts as dead.
    fn is_dead(&mut self, progress: u64) -> bool {
        self.still = if progress == self.progress { self.still + 1 } else { 0 };
        self.progress = progress;
        self.still == LOOKS
    }
}

/// Raises the flag beside an engine's journal: whatever runs there sends nothing but cancels from now on, and whatever
/// begins there is halted.
///
/// # Errors
/// What the system says.
pub fn raise_flag(home: &Home, why: &str) -> Result<(), LeaseError> {
    LeaseFile::at(home.folder()).set_halted(Some(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_makes_progress_is_left_alone_and_who_makes_none_is_dead_once() {
        let mut seen = Seen { progress: 0, still: 0 };
        assert!((1..1_000).all(|progress| !seen.is_dead(progress)));
        let deaths = |seen: &mut Seen| (0..100).filter(|_| seen.is_dead(1_000)).collect::<Vec<_>>();
        assert!(!seen.is_dead(1_000));
        assert_eq!(deaths(&mut seen), [LOOKS as usize - 1]);
        assert!(!seen.is_dead(1_001));
        assert_eq!(deaths(&mut seen), [LOOKS as usize], "after it woke, once more");
    }

    #[test]
    fn the_flag_of_a_dead_engine_is_raised() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let (progress, over) = (AtomicU64::new(7), AtomicBool::new(false));
        watch_over(&progress, &over, &home, Duration::from_millis(1), |raised| {
            raised.unwrap();
            over.store(true, Ordering::Relaxed);
        });
        assert!(home.flag().is_file());
    }
}
