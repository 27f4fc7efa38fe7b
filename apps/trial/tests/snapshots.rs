//! When an engine makes snapshots, and when not.

use tse_engine::{Engine, MemoryLease, NoSnapshot, Upkeep};
use tse_journal::{Memory, Options, Trouble, snapshots};
use tse_kernel::Input;
use tse_model::Span;
use tse_sim::trial::{START, catalog, kernel};

const OPTIONS: Options =
    Options { durability: tse_journal::Durability::Process, segment_bytes: 1 << 20 };

fn begin(disk: Memory, lease: &MemoryLease) -> Engine<Memory, MemoryLease> {
    let fresh = kernel(3, &catalog());
    let begun = Engine::begin(fresh, "3", disk, OPTIONS, lease.clone(), START, &mut Vec::new());
    begun.expect("it begins").0
}

fn give(engine: &mut Engine<Memory, MemoryLease>, inputs: u64) {
    for n in 0..inputs {
        let now = START + Span::from_millis(n as i64);
        engine.take(now, Input::Wake, &mut Vec::new()).expect("memory does not fail");
    }
}

#[test]
fn one_is_made_after_so_many_inputs_and_old_ones_go() {
    let mut engine = begin(Memory::new(), &MemoryLease::default());
    engine.set_upkeep(Upkeep { snapshot_every: Some(100), snapshots_kept: 3, retain: None });
    give(&mut engine, 1_000);
    let all = snapshots(engine.journal().disk()).unwrap();
    assert_eq!(all.len(), 3, "{all:?}");
    assert_eq!(all.last().copied(), engine.last_snapshot());
}

#[test]
fn recovering_makes_none_however_much_it_replays() {
    // What the records before it ask for may not have been sent: a snapshot would say that it was.
    let lease = MemoryLease::default();
    let mut engine = begin(Memory::new(), &lease);
    engine.set_upkeep(Upkeep { snapshot_every: None, ..Upkeep::default() });
    give(&mut engine, 120_000);
    engine.commit().expect("memory does not fail");
    let disk = engine.into_disk();
    let build = |_: &str| Ok(kernel(3, &catalog()));
    let again = Engine::recover(build, disk, OPTIONS, lease, START, &mut Vec::new(), |_, _| ());
    let (engine, begun) = again.expect("it goes on");
    assert!(begun.inputs > 100_000 && begun.snapshot.is_none(), "{}", begun.inputs);
    assert_eq!(snapshots(engine.journal().disk()), Ok(vec![]));
}

#[test]
fn a_disk_without_room_for_one_does_not_stop_the_engine() {
    let disk = Memory::new();
    let breaker = disk.breaker.clone();
    let mut engine = begin(disk, &MemoryLease::default());
    breaker.set_full(true);
    let why = engine.snapshot().expect_err("there is no room");
    let NoSnapshot::Journal(tse_journal::JournalError::Disk(error)) = &why else {
        panic!("{why}");
    };
    assert_eq!(error.trouble, Trouble::Full);
    give(&mut engine, 10);
    breaker.set_full(false);
    assert!(engine.snapshot().is_ok() && engine.no_snapshot().is_none());
}
