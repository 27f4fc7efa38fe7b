//! The journal on a real disk.

use std::fs;
use std::path::Path;
use tse_disk::Folder;
use tse_journal::{Disk, Durability, Journal, JournalError, Options, Trouble, read};
use tse_model::Timestamp;

const OPTIONS: Options = Options { durability: Durability::Power, segment_bytes: 4_096 };

fn folder(path: &Path) -> Folder {
    Folder::open(path).expect("a folder")
}

fn write(path: &Path, records: u64) {
    let mut journal = Journal::create(folder(path), OPTIONS).expect("a new journal");
    for n in 1..=records {
        journal.append(Timestamp::from_nanos(n as i64), 1, 1, &n.to_le_bytes()).expect("it fits");
        journal.commit().expect("room enough");
    }
}

fn records(path: &Path) -> Result<u64, JournalError> {
    let mut next = 1_u64;
    read(&Folder::look_at(path)?, |record| {
        assert_eq!(record.payload, next.to_le_bytes());
        next += 1;
    })?;
    Ok(next - 1)
}

#[test]
fn a_journal_on_files_comes_back() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), 200);
    assert_eq!(records(home.path()), Ok(200));
    let (journal, contents) = Journal::open(folder(home.path()), OPTIONS, |_| ()).unwrap();
    assert_eq!((contents.last, journal.next()), (200, 201));
    assert!(contents.segments > 3);
    let again = Journal::create(journal.into_disk(), OPTIONS);
    assert_eq!(again.err(), Some(JournalError::Exists));
}

#[test]
fn two_cannot_write_one_folder_and_anybody_may_read_it() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), 3);
    let held = folder(home.path());
    let second = Folder::open(home.path()).unwrap_err();
    assert!(second.what.contains("another process"), "{second}");
    assert_eq!(records(home.path()), Ok(3));
    drop(held);
    assert!(Folder::open(home.path()).is_ok(), "the lock goes with its holder");
}

#[test]
fn what_was_never_finished_is_no_file() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), 3);
    fs::write(home.path().join("00000000000000000004.tsej.new"), [0; 100]).unwrap();
    assert_eq!(records(home.path()), Ok(3));
    let (mut journal, _) = Journal::open(folder(home.path()), OPTIONS, |_| ()).unwrap();
    let payload = [7; 3_900];
    journal.append(Timestamp::EPOCH, 2, 1, &payload).expect("a new file takes its place");
    journal.commit().unwrap();
    assert_eq!(folder_files(home.path()), 2);
}

fn folder_files(path: &Path) -> usize {
    let names = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().ends_with(".tsej")).count()
}

#[test]
fn missing_folders_and_files_are_named() {
    let home = tempfile::tempdir().unwrap();
    let error = Folder::look_at(&home.path().join("nowhere")).unwrap_err();
    assert_eq!(error.trouble, Trouble::Missing);
    assert!(error.what.contains("nowhere"), "{error}");
    let disk = folder(home.path());
    assert_eq!(disk.size("x").unwrap_err().trouble, Trouble::Missing);
    assert_eq!(records(home.path()), Err(JournalError::Empty));
    let file = home.path().join("file");
    fs::write(&file, "no folder").unwrap();
    assert!(Folder::open(&file).is_err());
}

#[test]
fn a_cut_off_file_is_refused() {
    let home = tempfile::tempdir().unwrap();
    write(home.path(), 3);
    let path = home.path().join("00000000000000000001.tsej");
    let bytes = fs::read(&path).unwrap();
    for length in [0, 10, 64, 200, 4_095] {
        fs::write(&path, &bytes[..length]).unwrap();
        assert!(matches!(records(home.path()), Err(JournalError::Corrupt { .. })), "{length}");
    }
}

#[test]
fn a_lease_is_seen_by_all_and_only_grows() {
    use tse_disk::LeaseFile;
    use tse_engine::Lease;
    let folder = tempfile::tempdir().unwrap();
    let mut ours = LeaseFile::at(folder.path());
    let mut theirs = LeaseFile::at(folder.path());
    assert_eq!(ours.newest(), Ok(0), "there is none yet");
    ours.raise(1).unwrap();
    assert_eq!(theirs.newest(), Ok(1));
    theirs.raise(2).unwrap();
    assert_eq!(ours.newest(), Ok(2));
    assert!(ours.raise(2).is_err() && ours.raise(1).is_err());
    fs::write(folder.path().join("lease"), "two").unwrap();
    let said = ours.newest().unwrap_err().to_string();
    assert!(said.contains("holds `two`, not an epoch"), "{said}");
    assert!(ours.raise(9).is_err(), "what cannot be read is not overwritten");
}

#[test]
fn one_epoch_is_begun_by_one_of_many_who_try() {
    use tse_disk::LeaseFile;
    use tse_engine::Lease;
    let folder = tempfile::tempdir().unwrap();
    for epoch in 1..=40 {
        let raised: usize = std::thread::scope(|scope| {
            let each = || scope.spawn(|| LeaseFile::at(folder.path()).raise(epoch).is_ok());
            let all: Vec<_> = (0..4).map(|_| each()).collect();
            all.into_iter().map(|one| usize::from(one.join().unwrap())).sum()
        });
        assert_eq!(raised, 1, "epoch {epoch}");
    }
}
