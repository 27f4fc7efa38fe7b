//! A journal is followed while it is written: nothing is missed, nothing is shown before it is safe, and damage is
//! found.

use tse_journal::{
    Disk, Durability, Journal, JournalError, Mark, Memory, Options, Record, Tail, read,
};
use tse_model::{Chance, Timestamp};

type Kept = (u64, i64, u16, Vec<u8>);

fn kept(record: &Record<'_>) -> Kept {
    let head = record.head;
    (head.sequence, head.time.nanos(), head.kind, record.payload.to_vec())
}

const OPTIONS: Options = Options { durability: Durability::Power, segment_bytes: 2_048 };

fn append(journal: &mut Journal<Memory>, n: u64) {
    let payload: Vec<u8> = (0..n * 7 % 90).map(|at| (n + at) as u8 | 1).collect();
    journal.append(Timestamp::from_nanos(n as i64), (n % 5) as u16 + 1, 1, &payload).unwrap();
}

fn all(disk: &Memory) -> Vec<Kept> {
    let mut records = Vec::new();
    read(disk, |record| records.push(kept(record))).unwrap();
    records
}

/// A journal of so many records, and the marks after each commit.
fn journal(records: u64) -> (Journal<Memory>, Vec<Mark>) {
    let mut journal = Journal::create(Memory::new(), OPTIONS).unwrap();
    let mut marks = Vec::new();
    for n in 1..=records {
        append(&mut journal, n);
        if n % 4 == 0 || n == records {
            journal.commit().unwrap();
            marks.push(Mark { sequence: n, chain: journal.chain() });
        }
    }
    (journal, marks)
}

#[test]
fn whoever_follows_sees_each_record_once_and_none_before_it_is_safe() {
    for seed in 0..20 {
        let mut chance = Chance::stream(seed, "tail");
        let mut journal = Journal::create(Memory::new(), OPTIONS).unwrap();
        let (mut tail, mut seen) = (Tail::new(), Vec::new());
        for n in 1..=600 {
            append(&mut journal, n);
            if chance.below(3) == 0 {
                journal.commit().unwrap();
            }
            if chance.below(5) == 0 {
                let (safe, most) = (journal.safe(), 1 + chance.below(40) as usize);
                let shown =
                    tail.read(journal.disk(), safe, most, |it| seen.push(kept(it))).unwrap();
                assert!(seen.last().is_none_or(|it: &Kept| it.0 <= safe), "seed {seed}");
                assert!(shown > 0 || tail.next() > safe || safe == 0, "seed {seed}");
            }
        }
        journal.commit().unwrap();
        let safe = journal.safe();
        while tail.read(journal.disk(), safe, 7, |it| seen.push(kept(it))).unwrap() > 0 {}
        assert_eq!(seen, all(journal.disk()), "seed {seed}");
        assert_eq!(tail.next(), 601);
    }
}

#[test]
fn from_a_mark_on_it_shows_what_comes_after() {
    let (journal, marks) = journal(300);
    let whole = all(journal.disk());
    for mark in marks {
        let (mut tail, mut seen) = (Tail::after(mark), Vec::new());
        assert_eq!(tail.next(), mark.sequence + 1);
        tail.read(journal.disk(), 300, usize::MAX, |it| seen.push(kept(it))).unwrap();
        assert_eq!(seen, whole[mark.sequence as usize..]);
        let other = Mark { chain: mark.chain ^ 1, ..mark };
        if mark.sequence < 300 {
            let foreign = Tail::after(other).read(journal.disk(), 300, usize::MAX, |_| ());
            assert_eq!(foreign, Err(JournalError::Foreign { snapshot: mark.sequence }));
        }
    }
}

#[test]
fn a_byte_that_changed_is_found_and_what_comes_before_is_shown() {
    let (journal, _) = journal(200);
    let (disk, whole) = (journal.into_disk(), all(&journal_disk()));
    let names = disk.list().unwrap();
    let mut chance = Chance::stream(7, "tail");
    let mut found = 0;
    for _ in 0..200 {
        let mut disk = disk.clone();
        let name = &names[chance.below(names.len() as u64) as usize];
        let at = chance.below(disk.size(name).unwrap()) as usize;
        *disk.byte(name, at).unwrap() ^= 1 << chance.below(8);
        let (mut tail, mut seen) = (Tail::new(), Vec::new());
        let read = tail.read(&disk, 200, usize::MAX, |it| seen.push(kept(it)));
        assert_eq!(seen, whole[..seen.len()], "what is shown is as it was written");
        match read {
            Ok(_) if seen.len() == 200 => {}
            Ok(_) | Err(JournalError::Corrupt { .. } | JournalError::Newer { .. }) => found += 1,
            Err(other) => panic!("{other:?}"),
        }
        // It is not got over: read again, it is damaged again.
        if seen.len() < 200 {
            let before = seen.len();
            let _ = tail.read(&disk, 200, usize::MAX, |it| seen.push(kept(it)));
            assert_eq!(seen.len(), before);
        }
    }
    assert!(found > 100, "most bytes are records: {found}");
}

fn journal_disk() -> Memory {
    journal(200).0.into_disk()
}

#[test]
fn records_that_were_taken_away_are_missed() {
    let (journal, _) = journal(300);
    let mut tail = Tail::new();
    tail.read(journal.disk(), 10, 1, |_| ()).unwrap();
    let mut disk = journal.into_disk();
    let names = disk.list().unwrap();
    names[..3].iter().for_each(|name| disk.remove(name).unwrap());
    let mut gone = Tail::new();
    let mut seen = Vec::new();
    gone.read(&disk, 300, usize::MAX, |it| seen.push(kept(it))).unwrap();
    assert!(seen[0].0 > 1, "from the first that is there");
    let missed = tail.read(&disk, 300, usize::MAX, |_| ());
    assert!(
        matches!(missed, Err(JournalError::Corrupt { .. } | JournalError::Disk(_))),
        "{missed:?}"
    );
}

#[test]
fn a_journal_that_is_not_there_yet_is_waited_for() {
    let mut tail = Tail::new();
    assert_eq!(tail.read(&Memory::new(), 10, 10, |_| ()), Ok(0));
    assert_eq!(tail.next(), 0);
    let (journal, _) = journal(10);
    assert_eq!(tail.read(journal.disk(), 10, 100, |_| ()), Ok(10));
}
