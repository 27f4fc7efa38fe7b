//! Throw-away servers for tests: started from the system's own binaries in a temporary folder, reached by
//! a socket in it or on a free port, and gone with whoever started them.
//!
//! Where a binary is not installed a server is `None`, and says so on the terminal; with
//! `TSE_REQUIRE_SERVERS=1` that is a failure instead, so that nothing is passed over unseen where it
//! matters. `cargo xtask servers` says what there is.

mod binaries;
mod postgres;
mod redis;
mod shared;

pub use postgres::PostgresServer;
pub use redis::RedisServer;
pub use shared::{shared_postgres, shared_redis};

use std::path::PathBuf;

/// Says that a server cannot be had, or fails where it must be.
fn missing<T>(what: &str) -> Option<T> {
    miss(what, std::env::var("TSE_REQUIRE_SERVERS").is_ok_and(|value| value == "1"))
}

#[allow(clippy::print_stderr, reason = "a test that was not run must be seen")]
fn miss<T>(what: &str, required: bool) -> Option<T> {
    assert!(
        !required,
        "{what} is not installed, and TSE_REQUIRE_SERVERS=1: `cargo xtask servers --install`"
    );
    eprintln!("SKIPPED: {what} is not installed; `cargo xtask servers --install` may install it");
    None
}

/// A folder of our own, with a path short enough for a socket in it.
fn folder(name: &str) -> PathBuf {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("tse-{name}-{}-{count}", std::process::id()));
    // What a process with the same number left behind is in the way.
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder for temporary files can be made");
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_left_out_where_it_may_be() {
        assert_eq!(miss::<()>("Nothing", false), None);
    }

    #[test]
    #[should_panic(expected = "Nothing is not installed")]
    fn what_is_missing_is_a_failure_where_it_must_be_there() {
        miss::<()>("Nothing", true);
    }
}
