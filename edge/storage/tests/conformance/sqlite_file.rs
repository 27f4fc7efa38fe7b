//! The file itself: who may read it, and what happens where it cannot be used.

use crate::fixtures::{sqlite, strategy};
use std::sync::Arc;
use tse_storage::{Batch, Change, Projection, Repositories, Sqlite, StrategyQuery, SystemClock};

#[cfg(unix)]
#[tokio::test]
async fn the_file_and_what_is_beside_it_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, store) = sqlite().await;
    store.strategies().create(&strategy("s")).await.expect("created");
    let mut files = 0;
    for entry in std::fs::read_dir(folder.path()).expect("a folder") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("metadata").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
        files += 1;
    }
    assert_eq!(files, 3, "the file, its log and the index of that");
    store.close().await;
    let path = folder.path().join("store.db");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("changed");
    let again = Sqlite::open(&path, Arc::new(SystemClock)).await.expect("opened again");
    let mode = std::fs::metadata(&path).expect("metadata").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(again.strategies().get_by_id("s").await.expect("read").is_some());
}

#[tokio::test]
async fn what_cannot_be_opened_is_an_outage_and_says_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = folder.path().join("no/such/folder/store.db");
    let refused = Sqlite::open(&nowhere, Arc::new(SystemClock)).await.expect_err("no folder");
    assert_eq!(refused.code(), "TSE-P006");
    assert!(refused.to_string().contains("no/such/folder"), "{refused}");
    let text = folder.path().join("text.db");
    std::fs::write(&text, "this is no database at all, it is a text".repeat(50)).expect("written");
    let refused = Sqlite::open(&text, Arc::new(SystemClock)).await.expect_err("no database");
    assert!(refused.is_outage(), "{refused}");
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_left_alone() {
    let (folder, store) = sqlite().await;
    store.close().await;
    let path = folder.path().join("store.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let pool = sqlx::SqlitePool::connect_with(options).await.expect("opened");
    sqlx::query("PRAGMA user_version = 99").execute(&pool).await.expect("set");
    pool.close().await;
    let refused = Sqlite::open(&path, Arc::new(SystemClock)).await.expect_err("newer");
    assert_eq!(refused.code(), "TSE-P010");
}

#[tokio::test]
async fn two_processes_may_use_one_file() {
    let (folder, first) = sqlite().await;
    let path = folder.path().join("store.db");
    let second = Sqlite::open(&path, Arc::new(SystemClock)).await.expect("opened twice");
    let write = async |store: &Sqlite, stream: &str| {
        for n in 1..=50_u64 {
            let change = Change::Strategy(strategy(&format!("{stream}{n}")));
            let batch = Batch { from: n, to: n, changes: vec![change] };
            store.apply(stream, &batch).await.expect("applied");
        }
    };
    tokio::join!(write(&first, "a"), write(&second, "b"));
    let query = StrategyQuery { limit: 1_000, ..StrategyQuery::default() };
    assert_eq!(first.strategies().query(&query).await.expect("read").len(), 100);
    assert_eq!(second.applied("a").await, Ok(Some(50)));
}
