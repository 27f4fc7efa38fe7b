//! Counts allocations, when asked to.
//!
//! The allocator of this binary hands every call to the system's and, while counting is on, adds one
//! to a counter. It is off while times are taken.
//!
//! Begin at [`start`] and [`so_far`].

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

static ON: AtomicBool = AtomicBool::new(false);
static CALLS: AtomicU64 = AtomicU64::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Begins to count.
pub fn start() {
    ON.store(true, Relaxed);
}

/// Whether allocations are counted.
pub fn is_on() -> bool {
    ON.load(Relaxed)
}

/// Allocations and growths counted so far.
pub fn so_far() -> u64 {
    CALLS.load(Relaxed)
}

fn note() {
    if ON.load(Relaxed) {
        CALLS.fetch_add(1, Relaxed);
    }
}

// SAFETY: every method passes its arguments unchanged to `System`, which keeps the contract of
// `GlobalAlloc`; counting touches two atomics and neither allocates nor panics.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }
    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        note();
        // SAFETY: `ptr` came from `System` through this allocator, the rest as above.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: `ptr` came from `System` through this allocator.
        unsafe { System.dealloc(ptr, layout) }
    }
}
