//! Ctrl-C: once stops cleanly and keeps what was done, twice quits.
//!
//! A [`Stop`] listens while it lives. The run asks it now and then; the second signal removes what is
//! half-written (never a journal) and ends the process, even if the run does not look any more.

use super::folder::discard;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often signals are looked for.
const EVERY: Duration = Duration::from_millis(20);

/// Exit codes of the two signals that ask a program to end.
const SIGNALS: [(i32, u8); 2] = [(SIGINT, 130), (SIGTERM, 143)];

#[derive(Debug, Default)]
struct State {
    raised: [Arc<AtomicBool>; SIGNALS.len()],
    /// The exit code that was asked for; zero for none.
    asked: AtomicU8,
    done: AtomicBool,
    /// What the second signal gives up.
    unfinished: Mutex<Option<PathBuf>>,
}

/// Listens for signals.
#[derive(Debug)]
pub(crate) struct Stop {
    state: Arc<State>,
    ids: Vec<signal_hook::SigId>,
}

impl Stop {
    /// Begins to listen. Where the system refuses, signals keep their usual meaning.
    pub(crate) fn listen() -> Self {
        let state = Arc::new(State::default());
        let register = |((signal, _), raised): (&(i32, u8), &Arc<AtomicBool>)| {
            signal_hook::flag::register(*signal, Arc::clone(raised)).ok()
        };
        let ids = SIGNALS.iter().zip(&state.raised).filter_map(register).collect();
        let watched = Arc::clone(&state);
        // Without the thread a signal is never seen, so its refusal is as good as not listening.
        let _ =
            std::thread::Builder::new().name("signals".to_owned()).spawn(move || watch(&watched));
        Self { state, ids }
    }

    /// The exit code of the signal that came, if one did.
    pub(crate) fn asked(&self) -> Option<u8> {
        Some(self.state.asked.load(Ordering::Relaxed)).filter(|code| *code > 0)
    }

    /// What to give up if the process must end at once; `None` once it is finished.
    pub(crate) fn unfinished(&self, folder: Option<&Path>) {
        *lock(&self.state.unfinished) = folder.map(Path::to_owned);
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.state.done.store(true, Ordering::Relaxed);
        for id in self.ids.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}

fn lock(unfinished: &Mutex<Option<PathBuf>>) -> std::sync::MutexGuard<'_, Option<PathBuf>> {
    unfinished.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch(state: &State) {
    while !state.done.load(Ordering::Relaxed) {
        std::thread::sleep(EVERY);
        for ((_, code), raised) in SIGNALS.iter().zip(&state.raised) {
            if !raised.swap(false, Ordering::Relaxed) {
                continue;
            }
            if state.asked.swap(*code, Ordering::Relaxed) > 0 {
                if let Some(folder) = lock(&state.unfinished).take() {
                    discard(&folder);
                }
                std::process::exit(i32::from(*code));
            }
        }
    }
}
