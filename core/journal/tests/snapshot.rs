//! Snapshots beside the records: whole or as good as none, of this journal or refused, and never the reason
//! that something is missing.

use tse_journal::{
    Disk, Durability, Journal, JournalError, Mark, Memory, Options, Snapshot, Trouble, cut, read,
    read_after, read_snapshot, snapshot_name, snapshots, trim,
};
use tse_model::{Span, Timestamp};

const OPTIONS: Options = Options { durability: Durability::Power, segment_bytes: 1_024 };

fn time(n: u64) -> Timestamp {
    Timestamp::EPOCH + Span::from_secs(n as i64)
}

/// What a snapshot after record `n` has in it: long enough for several sectors.
fn picture(n: u64) -> Vec<u8> {
    (0..1_500).map(|at| ((n * 7 + at) % 251) as u8).collect()
}

/// What is recorded: so long that a file has a dozen or so.
fn payload(n: u64) -> Vec<u8> {
    n.to_le_bytes().repeat(7)
}

/// So many records, a second apart, with a snapshot after each hundredth.
fn journal(records: u64) -> Memory {
    let mut journal = Journal::create(Memory::new(), OPTIONS).unwrap();
    for n in 1..=records {
        journal.append(time(n), 1, 1, &payload(n)).unwrap();
        if n % 100 == 0 {
            assert_eq!(journal.snapshot(&picture(n)), Ok(n));
        }
    }
    journal.commit().unwrap();
    journal.into_disk()
}

/// The records behind a mark.
fn behind(disk: &Memory, mark: Mark) -> Result<Vec<u64>, JournalError> {
    let mut seen = Vec::new();
    read_after(disk, Some(mark), |record| seen.push(record.head.sequence))?;
    Ok(seen)
}

/// The newest snapshot that is whole, and the records behind it: what recovering does.
fn recover(disk: &Memory) -> Option<(u64, Vec<u64>)> {
    let all = snapshots(disk).unwrap();
    let snapshot = all.iter().rev().find_map(|n| read_snapshot(disk, *n).unwrap())?;
    let n = snapshot.after.sequence;
    assert_eq!(snapshot.payload, picture(n), "what was saved comes back");
    Some((n, behind(disk, snapshot.after).unwrap()))
}

fn any(_: &Snapshot) -> bool {
    true
}

#[test]
fn what_was_saved_comes_back_with_the_records_behind_it() {
    let disk = journal(350);
    assert_eq!(snapshots(&disk), Ok(vec![100, 200, 300]));
    for n in [100, 200, 300] {
        let snapshot = read_snapshot(&disk, n).unwrap().unwrap();
        assert_eq!(snapshot.payload, picture(n));
        assert_eq!(behind(&disk, snapshot.after), Ok((n + 1..=350).collect()));
    }
    // And the journal is opened from there to go on.
    let after = read_snapshot(&disk, 300).unwrap().unwrap().after;
    let mut seen = 0;
    let opened = Journal::open_after(disk, OPTIONS, Some(after), |_| seen += 1);
    let (mut journal, contents) = opened.unwrap();
    assert_eq!((seen, contents.last, journal.next()), (50, 350, 351));
    journal.append(time(351), 1, 1, b"on").unwrap();
    journal.commit().unwrap();
    let whole = read(&journal.into_disk(), |_| ()).unwrap();
    assert_eq!((whole.first, whole.last), (1, 351), "the chain holds over the seam");
}

#[test]
fn a_snapshot_of_another_journal_is_refused_with_the_record_named() {
    let disk = journal(250);
    let after = read_snapshot(&disk, 200).unwrap().unwrap().after;
    let other = Mark { chain: after.chain ^ 1, ..after };
    assert_eq!(behind(&disk, other), Err(JournalError::Foreign { snapshot: 200 }));
    for sequence in [0, 251, 9_999] {
        let refused = behind(&disk, Mark { sequence, ..after });
        assert_eq!(refused, Err(JournalError::Foreign { snapshot: sequence }));
    }
}

#[test]
fn one_that_was_interrupted_at_any_byte_is_as_good_as_none() {
    let whole = journal(200);
    let name = snapshot_name(200);
    let size = whole.size(&name).unwrap() as usize;
    let mut bytes = vec![0; size];
    whole.read(&name, 0, &mut bytes).unwrap();
    for end in 0..size {
        let mut disk = whole.clone();
        let rest = vec![0; size - end];
        disk.write(&name, end as u64, &rest).unwrap();
        // What is cut off may have been zeros anyway.
        let same = bytes[end..].iter().all(|byte| *byte == 0);
        let expected = if same { 200 } else { 100 };
        let found = recover(&disk).expect("there is an older one");
        assert_eq!(found, (expected, (expected + 1..=200).collect()), "cut off at {end}");
    }
}

#[test]
fn one_with_any_byte_changed_is_as_good_as_none() {
    let whole = journal(200);
    let name = snapshot_name(200);
    for at in 0..whole.size(&name).unwrap() as usize {
        let mut disk = whole.clone();
        *disk.byte(&name, at).unwrap() ^= 0x20;
        assert_eq!(recover(&disk).unwrap().0, 100, "byte {at}");
    }
}

#[test]
fn a_disk_that_fails_at_any_step_of_a_snapshot_leaves_the_journal_and_an_older_one() {
    let mut failed = 0;
    for after in 0..12 {
        for trouble in [Trouble::Full, Trouble::ReadOnly, Trouble::Broken] {
            let (mut journal, _) = Journal::open(journal(150), OPTIONS, |_| ()).unwrap();
            journal.append(time(151), 1, 1, b"more").unwrap();
            journal.commit().unwrap();
            let mut disk = journal.into_disk();
            disk.fails_after = Some((after, trouble));
            let Ok((mut journal, _)) = Journal::open(disk, OPTIONS, |_| ()) else { continue };
            let made = journal.snapshot(&picture(151));
            let mut disk = journal.into_disk();
            disk.fails_after = None;
            failed += u64::from(made.is_err());
            disk.lose_power(|| false);
            let expected = if made.is_ok() { 151 } else { 100 };
            assert_eq!(recover(&disk).unwrap().0, expected, "after {after}: {made:?}");
            assert_eq!(read(&disk, |_| ()).unwrap().last, 151, "the journal is whole");
            // The next attempt replaces what is left of this one.
            let (mut journal, _) = Journal::open(disk, OPTIONS, |_| ()).unwrap();
            assert_eq!(journal.snapshot(&picture(151)), Ok(151));
            assert_eq!(recover(&journal.into_disk()).unwrap(), (151, vec![]));
        }
    }
    assert!(failed >= 9, "{failed}");
}

#[test]
fn trimming_keeps_what_the_oldest_kept_snapshot_needs_and_what_is_young() {
    let whole = journal(550);
    let first = |disk: &Memory| read(disk, |_| ()).unwrap_or_else(|error| panic!("{error}")).first;
    // Everything, but for old snapshots.
    let mut disk = whole.clone();
    let trimmed = trim(&mut disk, 2, None, &any).unwrap();
    assert_eq!((trimmed.snapshots.len(), trimmed.segments.len(), trimmed.first), (3, 0, 1));
    assert_eq!(snapshots(&disk), Ok(vec![400, 500]));
    assert_eq!(first(&disk), 1);
    // As much as possible.
    let mut disk = whole.clone();
    let trimmed = trim(&mut disk, 2, Some(Timestamp::MAX), &any).unwrap();
    assert!(
        !trimmed.segments.is_empty() && trimmed.first > 350 && trimmed.first <= 400,
        "{trimmed:?}"
    );
    assert_eq!(first(&disk), trimmed.first);
    for n in [400, 500] {
        let after = read_snapshot(&disk, n).unwrap().unwrap().after;
        assert_eq!(behind(&disk, after), Ok((n + 1..=550).collect()));
    }
    // Only what is older than that.
    let mut disk = whole.clone();
    let trimmed = trim(&mut disk, 2, Some(time(120)), &any).unwrap();
    assert!(trimmed.first > 90 && trimmed.first <= 121, "{trimmed:?}");
    // What this program cannot use is no way back.
    let mut disk = whole.clone();
    let old = |it: &Snapshot| it.after.sequence != 500 && it.after.sequence != 300;
    let trimmed = trim(&mut disk, 2, Some(Timestamp::MAX), &old).unwrap();
    assert!(trimmed.first > 150 && trimmed.first <= 200, "{trimmed:?}");
    assert_eq!(snapshots(&disk), Ok(vec![200, 300, 400, 500]));
    // The last way back is never the only one.
    let mut disk = journal(150);
    assert_eq!(
        trim(&mut disk, 1, Some(Timestamp::MAX), &any).unwrap().segments.len(),
        0,
        "one snapshot"
    );
    let mut disk = journal(50);
    assert_eq!(
        trim(&mut disk, 1, Some(Timestamp::MAX), &any).unwrap().segments.len(),
        0,
        "no snapshot"
    );
}

#[test]
fn trimming_may_be_interrupted_anywhere() {
    let whole = journal(550);
    let mut step = 0;
    loop {
        let mut disk = whole.clone();
        disk.fails_after = Some((step, Trouble::Broken));
        let trimmed = trim(&mut disk, 2, Some(Timestamp::MAX), &any);
        disk.fails_after = None;
        disk.lose_power(|| false);
        assert_eq!(recover(&disk).unwrap(), (500, (501..=550).collect()), "after {step}");
        read(&disk, |_| ()).unwrap_or_else(|error| panic!("after {step}: {error}"));
        if trimmed.is_ok() {
            break;
        }
        step += 1;
    }
    assert!(step > 10, "{step} steps");
}

#[test]
fn damage_before_a_whole_snapshot_was_safe_once_and_is_not_cut_off() {
    let damaged = |whole: bool| {
        let (mut journal, _) = Journal::open(journal(5), OPTIONS, |_| ()).unwrap();
        journal.snapshot(&picture(5)).unwrap();
        journal.append(time(6), 1, 1, b"more").unwrap();
        journal.snapshot(&picture(6)).unwrap();
        let mut disk = journal.into_disk();
        let names = disk.list().unwrap();
        let segment = names.into_iter().find(|name| name.ends_with(".tsej")).unwrap();
        let mut bytes = vec![0; disk.size(&segment).unwrap() as usize];
        disk.read(&segment, 0, &mut bytes).unwrap();
        let at = bytes.windows(4).position(|it| it == b"more").unwrap();
        *disk.byte(&segment, at).unwrap() ^= 1;
        if !whole {
            *disk.byte(&snapshot_name(6), 100).unwrap() ^= 1;
        }
        disk
    };
    assert!(matches!(cut(&mut damaged(true)), Err(JournalError::Corrupt { sequence: 6, .. })));
    let mut disk = damaged(false);
    let cut = cut(&mut disk).unwrap().expect("something was damaged");
    assert_eq!(cut.last, 5);
    assert_eq!(snapshots(&disk), Ok(vec![5]), "what is left of a later one goes too");
    assert_eq!(recover(&disk).unwrap(), (5, vec![]));
}

#[test]
fn a_journal_is_not_begun_anew_among_snapshots_of_another() {
    let mut disk = journal(150);
    for name in disk.list().unwrap() {
        if name.ends_with(".tsej") {
            disk.remove(&name).unwrap();
        }
    }
    assert_eq!(Journal::create(disk, OPTIONS).err(), Some(JournalError::Exists));
}
