//! Keeps a thread on one core.

use std::io;

/// The calling thread stays on this core, counted from 0.
///
/// # Errors
/// There is no such core, or the system cannot do that.
#[cfg(target_os = "linux")]
pub fn pin(core: usize) -> io::Result<()> {
    use rustix::thread::{CpuSet, sched_setaffinity};
    if core >= CpuSet::MAX_CPU {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut cores = CpuSet::new();
    cores.set(core);
    Ok(sched_setaffinity(None, &cores)?)
}

/// The calling thread stays on this core, counted from 0.
///
/// # Errors
/// Always: only Linux lets a thread say so.
#[cfg(not(target_os = "linux"))]
pub fn pin(_: usize) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_stays_where_it_is_put_and_nowhere_else() {
        std::thread::spawn(|| {
            let before = rustix::thread::sched_getaffinity(None).unwrap();
            let core = (0..1_024).find(|core| before.is_set(*core)).unwrap();
            pin(core).unwrap();
            let after = rustix::thread::sched_getaffinity(None).unwrap();
            assert_eq!((after.count(), after.is_set(core)), (1, true));
            assert!(pin(1_000_000).is_err());
            assert_eq!(rustix::thread::sched_getaffinity(None).unwrap(), after);
        })
        .join()
        .unwrap();
    }
}
