//! What goes in comes out: after restarts, torn writes, lost power, full disks and flipped bytes.

use tse_journal::{
    Disk, Durability, Journal, JournalError, Memory, Options, Record, SECTOR, Trouble, read,
};
use tse_model::{Chance, Timestamp};

type Kept = (u64, i64, u16, Vec<u8>);

fn kept(record: &Record<'_>) -> Kept {
    let head = record.head;
    (head.sequence, head.time.nanos(), head.kind, record.payload.to_vec())
}

fn options(durability: Durability, segment_bytes: u64) -> Options {
    Options { durability, segment_bytes }
}

/// A record that differs from all others, of any length.
fn payload(n: u64) -> Vec<u8> {
    (0..(n * 7) % 90).map(|at| (n * 31 + at * 5 + 1) as u8 | 1).collect()
}

fn append<D: Disk>(journal: &mut Journal<D>, n: u64) -> Kept {
    let (time, kind) = (Timestamp::from_nanos(n as i64 * 1_000), (n % 5) as u16 + 1);
    let sequence = journal.append(time, kind, 1, &payload(n)).expect("it fits");
    (sequence, time.nanos(), kind, payload(n))
}

fn all<D: Disk>(disk: &D) -> Result<Vec<Kept>, JournalError> {
    let mut records = Vec::new();
    read(disk, |record| records.push(kept(record))).map(|_| records)
}

#[test]
fn what_goes_in_comes_out_over_many_files_and_restarts() {
    for durability in [Durability::Power, Durability::Process, Durability::None] {
        let options = options(durability, 2_048);
        let mut journal = Journal::create(Memory::new(), options).unwrap();
        let mut expected = Vec::new();
        for n in 1..=400 {
            expected.push(append(&mut journal, n));
            if n % 3 == 0 {
                journal.commit().unwrap();
            }
            if n % 50 == 0 {
                journal.commit().unwrap();
                let chain = journal.chain();
                let mut seen = Vec::new();
                let opened = Journal::open(journal.into_disk(), options, |it| seen.push(kept(it)));
                let (again, contents) = opened.unwrap();
                assert_eq!(seen, expected, "after {n}, {durability:?}");
                assert_eq!((contents.first, contents.last, contents.torn), (1, n, None));
                assert_eq!((again.safe(), again.next(), again.chain()), (n, n + 1, chain));
                assert!(contents.segments > n / 50, "many files");
                journal = again;
            }
        }
    }
}

#[test]
fn a_restart_leaves_no_trace_in_the_bytes() {
    let options = options(Durability::Power, 1_024);
    let run = |restarts: bool| {
        let mut journal = Journal::create(Memory::new(), options).unwrap();
        for n in 1..=100 {
            append(&mut journal, n);
            journal.commit().unwrap();
            if restarts {
                journal = Journal::open(journal.into_disk(), options, |_| ()).unwrap().0;
            }
        }
        let disk = journal.into_disk();
        let bytes = |name: &String| {
            let mut bytes = vec![0; disk.size(name).unwrap() as usize];
            disk.read(name, 0, &mut bytes).unwrap();
            (name.clone(), bytes)
        };
        disk.list().unwrap().iter().map(bytes).collect::<Vec<_>>()
    };
    assert_eq!(run(false), run(true));
}

#[test]
fn a_journal_is_begun_once_and_opened_only_where_there_is_one() {
    let options = Options { segment_bytes: 1_024, ..Options::default() };
    let open = |disk: Memory| Journal::open(disk, options, |_| ()).err();
    assert_eq!(open(Memory::new()), Some(JournalError::Empty));
    let journal = Journal::create(Memory::new(), options).unwrap();
    let disk = journal.into_disk();
    assert_eq!(all(&disk), Ok(Vec::new()), "begun, and nothing in it");
    // Whoever began it may not have lived to write anything: it is begun again.
    let mut journal = Journal::create(disk, options).unwrap();
    append(&mut journal, 1);
    journal.commit().unwrap();
    assert_eq!(Journal::create(journal.into_disk(), options).err(), Some(JournalError::Exists));
    let mut journal = Journal::create(Memory::new(), options).unwrap();
    let long = vec![1; 1_024];
    let error = JournalError::TooLong { bytes: 1_024 };
    assert_eq!(journal.append(Timestamp::EPOCH, 1, 1, &long), Err(error));
    append(&mut journal, 1);
    assert_eq!(journal.commit(), Ok(1), "what is too long is refused, and that is all");
}

/// Records that are safe, and a batch that is written and not synced.
fn with_batch(safe: u64, batch: u64) -> (Journal<Memory>, Vec<Kept>, String) {
    // The disk ends in the middle: the batch is written, and its sync fails.
    let options = options(Durability::Power, 16_384);
    let mut journal = Journal::create(Memory::new(), options).unwrap();
    let mut records = Vec::new();
    for n in 1..=safe {
        records.push(append(&mut journal, n));
        journal.commit().unwrap();
    }
    let disk = journal.into_disk();
    let breaker = disk.breaker.clone();
    let mut journal = Journal::open(disk, options, |_| ()).unwrap().0;
    breaker.set(Some((1, Trouble::Broken)));
    for n in safe + 1..=safe + batch {
        records.push(append(&mut journal, n));
    }
    assert!(matches!(journal.commit(), Err(JournalError::Disk(_))));
    assert_eq!(journal.commit(), Err(JournalError::Stopped), "and it is not tried again");
    assert_eq!(journal.safe(), safe);
    let segment = journal.disk().list().unwrap().pop().unwrap();
    (journal, records, segment)
}

/// Opens what is left, twice, and checks that all that was safe is there and nothing is invented.
fn recovers(disk: Memory, records: &[Kept], safe: usize, what: &str) -> usize {
    disk.breaker.set(None);
    let options = options(Durability::Power, 16_384);
    let mut seen = Vec::new();
    let opened = Journal::open(disk, options, |it| seen.push(kept(it)));
    let (journal, contents) = opened.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(seen.len() >= safe, "{what}: {} of {safe} that were safe", seen.len());
    assert_eq!(seen, records[..seen.len()], "{what}");
    if let Some(torn) = contents.torn {
        assert_eq!(torn.sequence, contents.last + 1, "{what}");
    }
    let mut again = Vec::new();
    let opened = Journal::open(journal.into_disk(), options, |it| again.push(kept(it)));
    let (mut journal, contents) = opened.unwrap();
    assert_eq!((&again, contents.torn), (&seen, None), "{what}: the second time it is whole");
    append(&mut journal, 999);
    assert_eq!(journal.commit(), Ok(seen.len() as u64 + 1), "{what}: and goes on");
    seen.len()
}

#[test]
fn every_prefix_of_the_last_write_is_recovered() {
    for batch in [1, 4] {
        let (journal, records, segment) = with_batch(5, batch);
        let disk = journal.into_disk();
        let length = disk.last_write(&segment).expect("it was written");
        let mut most = 0;
        for bytes in 0..=length {
            let mut disk = disk.clone();
            disk.tear(&segment, bytes);
            most = most.max(recovers(disk, &records, 5, &format!("{bytes} of {length} bytes")));
        }
        assert_eq!(most, 5 + batch as usize, "a whole write is all there");
    }
}

#[test]
fn whatever_sectors_are_lost_with_the_power_what_was_safe_is_there() {
    let mut chance = Chance::stream(17, "power");
    let mut torn = 0;
    for round in 0..2_000 {
        let (safe, batch) = (chance.between(0, 12) as u64, chance.between(1, 30) as u64);
        let (journal, records, _) = with_batch(safe, batch);
        let mut disk = journal.into_disk();
        let odds = chance.between(0, 4) as u64;
        disk.lose_power(|| chance.one_in(odds, 4));
        let there = recovers(disk, &records, safe as usize, &format!("round {round}"));
        torn += u32::from(there < records.len());
    }
    assert!(torn > 500, "batches are really lost: {torn}");
}

#[test]
fn a_flipped_byte_is_refused_with_its_place_or_changes_nothing() {
    let options = options(Durability::Power, 1_024);
    let mut journal = Journal::create(Memory::new(), options).unwrap();
    let records: Vec<_> = (1..=24)
        .map(|n| {
            let record = append(&mut journal, n);
            journal.commit().unwrap();
            record
        })
        .collect();
    let disk = journal.into_disk();
    let files = disk.list().unwrap();
    assert!(files.len() > 2);
    let (mut refused, mut harmless) = (0, 0);
    for name in &files {
        for at in 0..disk.size(name).unwrap() as usize {
            for mask in [1, 2, 4, 8, 16, 32, 64, 128, 255] {
                let mut disk = disk.clone();
                *disk.byte(name, at).unwrap() ^= mask;
                match all(&disk) {
                    Ok(read) => {
                        assert_eq!(read, records, "{name} byte {at} ^ {mask}");
                        harmless += 1;
                    }
                    Err(JournalError::Corrupt { segment, sequence, .. }) => {
                        let last = records.len() as u64 + 1;
                        assert!(&segment == name || sequence <= last, "{segment} {sequence}");
                        refused += 1;
                    }
                    Err(other) => panic!("{name} byte {at} ^ {mask}: {other}"),
                }
            }
        }
    }
    println!("{refused} flips refused, {harmless} behind the last record changed nothing");
    assert!(refused > 10_000 && harmless > 0);
}

#[test]
fn a_file_that_is_missing_cut_off_or_another_ones_is_refused() {
    let options = options(Durability::Power, 1_024);
    let mut journal = Journal::create(Memory::new(), options).unwrap();
    for n in 1..=40 {
        append(&mut journal, n);
    }
    journal.commit().unwrap();
    let disk = journal.into_disk();
    let files = disk.list().unwrap();
    let mut without = disk.clone();
    without.remove(&files[1]).unwrap();
    assert!(matches!(all(&without), Err(JournalError::Corrupt { .. })));
    let mut other = Journal::create(Memory::new(), options).unwrap();
    for n in 2..=60 {
        append(&mut other, n);
    }
    other.commit().unwrap();
    let mut mixed = disk.clone();
    let foreign = other.into_disk();
    let size = foreign.size(&files[0]).unwrap() as usize;
    let mut bytes = vec![0; size];
    foreign.read(&files[0], 0, &mut bytes).unwrap();
    mixed.write(&files[0], 0, &bytes).unwrap();
    assert!(matches!(all(&mixed), Err(JournalError::Corrupt { .. })), "the chain breaks");
}

#[test]
fn a_disk_that_is_full_or_broken_at_any_moment_loses_nothing_that_was_safe() {
    for trouble in [Trouble::Full, Trouble::Broken, Trouble::ReadOnly] {
        for fails_after in 0..60 {
            let options = options(Durability::Power, 1_024);
            let mut disk = Memory::new();
            disk.fails_after = Some((fails_after, trouble));
            let Ok(mut journal) = Journal::create(disk, options) else { continue };
            let (mut records, mut safe) = (Vec::new(), 0);
            let failed = loop {
                let n = records.len() as u64 + 1;
                let time = Timestamp::from_nanos(n as i64 * 1_000);
                if let Err(error) = journal.append(time, (n % 5) as u16 + 1, 1, &payload(n)) {
                    break error;
                }
                records.push((n, time.nanos(), (n % 5) as u16 + 1, payload(n)));
                match journal.commit() {
                    Ok(last) => safe = last,
                    Err(error) => break error,
                }
            };
            assert!(matches!(failed, JournalError::Disk(error) if error.trouble == trouble));
            assert_eq!(journal.commit(), Err(JournalError::Stopped));
            let mut disk = journal.into_disk();
            disk.fails_after = None;
            disk.lose_power(|| false);
            let read = all(&disk).unwrap();
            assert_eq!(read, records[..safe as usize], "{trouble:?} after {fails_after}");
        }
    }
}

#[test]
fn a_full_disk_is_noticed_before_anything_is_written_over() {
    let options = options(Durability::Power, 1_024);
    let mut disk = Memory::new();
    disk.room = Some(2_048);
    let mut journal = Journal::create(disk, options).unwrap();
    let mut n = 0;
    let error = loop {
        n += 1;
        if let Err(error) = journal.append(Timestamp::EPOCH, 1, 1, &payload(n)) {
            break error;
        }
        journal.commit().unwrap();
    };
    assert!(matches!(error, JournalError::Disk(it) if it.trouble == Trouble::Full));
    let records = all(&journal.into_disk()).unwrap();
    assert_eq!(records.len() as u64, n - 1, "all before it is there");
}

#[test]
fn f06_a_reserve_is_room_for_one_more_file_and_says_that_it_is_the_last() {
    let options = options(Durability::Power, 1_024);
    let disk = Memory::new();
    let breaker = disk.breaker.clone();
    let mut journal = Journal::create(disk, options).unwrap();
    assert_eq!(journal.keep_reserve(), Ok(true));
    breaker.set_full(true);
    let mut n = 0;
    let mut fill = |journal: &mut Journal<Memory>, until: &dyn Fn(&Journal<Memory>) -> bool| {
        while !until(journal) {
            n += 1;
            journal.append(Timestamp::EPOCH, 1, 1, &payload(n))?;
            journal.commit()?;
        }
        Ok::<u64, JournalError>(n)
    };
    let noticed = fill(&mut journal, &Journal::is_nearly_full).unwrap();
    assert_eq!(journal.keep_reserve(), Ok(false), "there is no room yet");
    // What is there then is found again, with no more room than before.
    let (mut journal, contents) = Journal::open(journal.into_disk(), options, |_| ()).unwrap();
    assert_eq!(contents.last, noticed);
    assert_eq!((journal.keep_reserve(), journal.is_nearly_full()), (Ok(false), true));
    // Somebody makes room.
    breaker.set_full(false);
    assert_eq!((journal.keep_reserve(), journal.is_nearly_full()), (Ok(true), false));
    breaker.set_full(true);
    fill(&mut journal, &Journal::is_nearly_full).unwrap();
    let error = fill(&mut journal, &|_| false).unwrap_err();
    assert!(matches!(error, JournalError::Disk(it) if it.trouble == Trouble::Full));
    let disk = journal.into_disk();
    let last = read(&disk, |_| ()).unwrap().last;
    assert!(last >= noticed + 10, "a whole file more: {noticed}, {last}");
}

/// What a tear and a flip have in common ends at a sector of zeros: see `docs/journal-format.md`.
#[test]
fn a_long_record_of_anything_but_zeros_is_told_from_a_tear() {
    let options = options(Durability::Power, 1 << 16);
    let mut journal = Journal::create(Memory::new(), options).unwrap();
    let long: Vec<u8> = (0..4 * SECTOR).map(|at| at as u8 | 1).collect();
    journal.append(Timestamp::EPOCH, 1, 1, &long).unwrap();
    journal.commit().unwrap();
    let disk = journal.into_disk();
    let name = disk.list().unwrap().pop().unwrap();
    for at in [70, 600, 1_500, 2_100] {
        let mut disk = disk.clone();
        *disk.byte(&name, at).unwrap() ^= 1;
        assert!(matches!(all(&disk), Err(JournalError::Corrupt { .. })), "byte {at}");
    }
}

/// A file in format 2, written by `golden/format-2.py`, which shares no code with this crate. Every later
/// version reads it; to make it anew is to break that.
#[test]
fn a_journal_of_format_2_is_read_to_its_recorded_hash() {
    let golden = include_bytes!("golden/format-2.tsej");
    let mut disk = Memory::new();
    let name = "00000000000000000001.tsej";
    disk.create(name, golden.len() as u64).unwrap();
    disk.write(name, 0, golden).unwrap();
    let mut records = Vec::new();
    let contents = read(&disk, |it| records.push(kept(it))).unwrap();
    let now = 1_700_000_000_000_000_000;
    let long = "a long one ".repeat(12);
    let third = "the third is a little longer than the others";
    let expected = [
        (1, now + 1, 1, "first"),
        (2, now + 2, 2, ""),
        (3, now - 5, 3, third),
        (4, now + 2_000_000_000, 300, &*long),
    ];
    let expected =
        expected.map(|(at, time, kind, text)| (at, time, kind, text.as_bytes().to_vec()));
    assert_eq!(records, expected);
    assert_eq!(format!("{:016x}", contents.chain), include_str!("golden/format-2.chain").trim());
    // And what is written today is the same.
    let options = options(Durability::Power, golden.len() as u64);
    let mut journal = Journal::create(Memory::new(), options).unwrap();
    for (sequence, time, kind, payload) in &records {
        journal.append(Timestamp::from_nanos(*time), *kind, 1, payload).unwrap();
        if *sequence != 2 {
            journal.commit().unwrap();
        }
    }
    let mut bytes = vec![0; golden.len()];
    journal.into_disk().read(name, 0, &mut bytes).unwrap();
    assert!(bytes == golden, "the bytes of format 2 have changed");
}

#[test]
fn records_of_two_versions_are_in_two_batches() {
    let mut journal = Journal::create(Memory::new(), Options::default()).unwrap();
    for (version, n) in [(1, 1), (1, 2), (2, 3), (1, 4)] {
        journal.append(Timestamp::EPOCH, 1, version, &payload(n)).unwrap();
    }
    assert_eq!(journal.safe(), 3, "what came before another version was written");
    journal.commit().unwrap();
    let mut seen = Vec::new();
    let see =
        |it: &Record<'_>| seen.push((it.head.version, it.payload.to_vec(), it.chain.is_some()));
    read(&journal.into_disk(), see).unwrap();
    let expected = [(1, 1, false), (1, 2, true), (2, 3, true), (1, 4, true)];
    assert_eq!(seen, expected.map(|(version, n, ends)| (version, payload(n), ends)));
}

#[test]
fn a_batch_is_written_before_it_is_too_long_for_a_frame() {
    for durability in [Durability::Power, Durability::Process, Durability::None] {
        let mut journal = Journal::create(Memory::new(), options(durability, 16 << 20)).unwrap();
        let long = vec![1; 1 << 20];
        for n in 1..=5_000 {
            let payload = if n % 1_000 == 0 { &long[..] } else { &long[..60] };
            journal.append(Timestamp::EPOCH, 1, 1, payload).unwrap();
            assert!(n - journal.safe() < 2_000, "{durability:?}: they are not kept back for ever");
        }
        journal.commit().unwrap();
        let (mut count, mut bytes) = (0, 0);
        let read = read(&journal.into_disk(), |it| {
            count += 1;
            bytes += it.payload.len();
        });
        assert!(read.is_ok());
        assert_eq!((count, bytes), (5_000, 5 * long.len() + 4_995 * 60));
    }
}

#[test]
fn what_was_read_is_safe_before_anything_is_added() {
    // A process died with a batch written and not synced; it is read, and a later file is begun.
    let options = options(Durability::Process, 1_024);
    let mut journal = Journal::create(Memory::new(), options).unwrap();
    let mut records: Vec<_> = (1..=5).map(|n| append(&mut journal, n)).collect();
    journal.commit().unwrap();
    let mut journal = Journal::open(journal.into_disk(), options, |_| ()).unwrap().0;
    for n in 6..=60 {
        records.push(append(&mut journal, n));
        journal.commit().unwrap();
    }
    let mut disk = journal.into_disk();
    disk.lose_power(|| false);
    let mut seen = Vec::new();
    let read = read(&disk, |it| seen.push(kept(it)));
    assert!(read.is_ok() && seen.len() >= 5, "{read:?}");
    assert_eq!(seen, records[..seen.len()]);
}

#[test]
fn a_damaged_end_is_cut_off_and_damage_before_a_later_file_is_not() {
    let options = options(Durability::None, 1_024);
    let mut journal = Journal::create(Memory::new(), options).unwrap();
    for n in 1..=60 {
        append(&mut journal, n);
    }
    journal.commit().unwrap();
    let mut disk = journal.into_disk();
    assert_eq!(tse_journal::cut(&mut disk), Ok(None), "nothing is damaged");
    let names = disk.list().unwrap();
    let damage = |disk: &mut Memory, name: &str| *disk.byte(name, 150).unwrap() ^= 1;
    let mut early = disk.clone();
    damage(&mut early, &names[0]);
    assert!(matches!(tse_journal::cut(&mut early), Err(JournalError::Corrupt { .. })));
    damage(&mut disk, names.last().unwrap());
    assert!(matches!(all(&disk), Err(JournalError::Corrupt { .. })));
    let cut = tse_journal::cut(&mut disk).unwrap().expect("it was damaged");
    assert_eq!(all(&disk).unwrap().len() as u64, cut.last);
    let mut journal = Journal::open(disk, options, |_| ()).unwrap().0;
    append(&mut journal, 61);
    assert_eq!(journal.commit(), Ok(cut.last + 1), "and it goes on");
}
