//! F27 and F28 on real servers: whatever happens to the store, a projector that tries again ends with rows
//! that are equal to their source, one by one.

use crate::fixtures::{d, noon, order, position, strategy, trade};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tse_storage::testing::PostgresServer;
use tse_storage::{
    Applied, Batch, Change, Memory, Moment, Order, OrderStatus, Position, Postgres,
    PostgresOptions, Projection, Repositories, Schema, StorageError, StoreUrl, SystemClock, Trade,
    migrate,
};

/// The batch that journal records `from..=to` would give: an order is made, moves on and trades.
fn batch(from: u64, to: u64) -> Batch {
    let mut changes = Vec::new();
    for sequence in from..=to {
        let at = Moment::from_micros(noon().micros() + sequence.cast_signed());
        let n = (sequence - 1) / 4;
        let id = format!("o{n}");
        let mut row = order(&id, &format!("s{}", n % 3));
        row.updated_at = at;
        match (sequence - 1) % 4 {
            0 => {
                changes.push(Change::Strategy(strategy(&row.strategy_id)));
                changes.push(Change::Order(row));
            }
            1 => {
                let (status, submitted_at) = (OrderStatus::Submitted, Some(at));
                changes.push(Change::Order(Order { status, submitted_at, ..row }));
            }
            2 => {
                let filled = Order {
                    status: OrderStatus::Filled,
                    filled_quantity: row.quantity,
                    remaining_quantity: d("0"),
                    average_fill_price: Some(d("50000.12345678")),
                    filled_at: Some(at),
                    ..row
                };
                let told = trade(&format!("t{n}"), &id, &filled.strategy_id);
                changes.push(Change::Order(filled));
                changes.push(Change::Trade(Trade { executed_at: at, ..told }));
            }
            _ => {
                let held = position(&format!("p{}", n % 3), &row.strategy_id, "BTC-USDT");
                let held = Position { quantity: n.into(), updated_at: at, ..held };
                changes.push(Change::Position(held.with_values().expect("it fits")));
            }
        }
    }
    Batch { from, to, changes }
}

/// Applies records up to the last, a few at a time, and tries again whenever that fails. What became of a
/// batch whose answer was lost is asked, not guessed.
async fn project(store: &Postgres, last: u64, progress: &AtomicU64) -> u64 {
    let (mut failures, mut applied) = (0, None);
    let mut at: Option<u64> = None;
    while at != Some(last) {
        let from = at.map_or(1, |at| at + 1);
        let to = (from + 6).min(last);
        let done = store.apply("live", &batch(from, to)).await;
        match done {
            Ok(Applied::Now(now) | Applied::Before(now)) => at = Some(now),
            Err(StorageError::Gap { applied, .. }) => at = applied,
            Err(error) => {
                assert!(error.is_outage(), "{error:?}");
                failures += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
                if let Ok(found) = store.applied("live").await {
                    assert!(
                        found >= applied,
                        "what was there once stays: {found:?} after {applied:?}"
                    );
                    (applied, at) = (found, found);
                }
            }
        }
        progress.store(at.unwrap_or_default(), Ordering::SeqCst);
    }
    failures
}

/// Every row that the records give, as memory has them, is in the store as well, and nothing else.
async fn assert_equal_to_the_source(server: &PostgresServer, store: &Postgres, last: u64) {
    let source = Memory::new(Arc::new(SystemClock));
    source.apply("live", &batch(1, last)).await.expect("memory");
    let (mut orders, mut trades, mut positions) = (0, 0, 0);
    for strategy in ["s0", "s1", "s2"] {
        let is = store.strategies().get_by_id(strategy).await.expect("read");
        assert_eq!(Ok(is), source.strategies().get_by_id(strategy).await);
        let (is, should) = (
            store.orders().get_by_strategy(strategy).await.expect("read"),
            source.orders().get_by_strategy(strategy).await.expect("read"),
        );
        orders += is.len();
        assert_eq!(is, should);
        let (is, should) = (
            store.trades().get_by_strategy(strategy, None, None).await.expect("read"),
            source.trades().get_by_strategy(strategy, None, None).await.expect("read"),
        );
        trades += is.len();
        assert_eq!(is, should);
        let (is, should) = (
            store.positions().get_by_strategy(strategy).await.expect("read"),
            source.positions().get_by_strategy(strategy).await.expect("read"),
        );
        positions += is.len();
        assert_eq!(is, should);
    }
    assert!(orders > 0 && trades > 0 && positions > 0);
    let counts =
        "SELECT (SELECT count(*) FROM trading.orders), (SELECT count(*) FROM trading.trades),
        (SELECT count(*) FROM trading.positions), (SELECT count(*) FROM trading.strategies)";
    let all = server.sql("postgres", counts);
    assert_eq!(all, format!("{orders}|{trades}|{positions}|3"), "nothing is there twice");
    assert_eq!(store.applied("live").await, Ok(Some(last)));
}

/// A server, and a store on it that is quick to see that it is away.
async fn begin(settings: &[&str], careful: bool) -> Option<(PostgresServer, Postgres)> {
    let server = if careful {
        PostgresServer::start_careful(settings)
    } else {
        PostgresServer::start(settings)
    }?;
    let url = StoreUrl::parse(&server.url("postgres")).expect("a URL");
    let schema = Schema::new("trading").expect("a name");
    migrate(&url, &schema, None).await.expect("migrated");
    let mut options = PostgresOptions::new(url, schema);
    options.acquire = Duration::from_millis(500);
    options.query = Duration::from_secs(2);
    let store = Postgres::new(&options, Arc::new(SystemClock)).expect("a store");
    Some((server, store))
}

/// Twenty times, or as often as `TSE_RESTARTS` says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_killed_again_and_again_during_commits_it_ends_with_every_row() {
    // As careful as it is by itself: what it acknowledged must survive a kill.
    let Some((mut server, store)) = begin(&[], true).await else { return };
    let store = Arc::new(store);
    let (progress, done) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let wanted = std::env::var("TSE_RESTARTS").map_or(20, |text| text.parse().expect("a number"));
    let last = 200 * wanted;
    let projector = {
        let (store, progress, done) = (store.clone(), progress.clone(), done.clone());
        tokio::spawn(async move {
            let failures = project(&store, last, &progress).await;
            done.store(true, Ordering::SeqCst);
            failures
        })
    };
    let mut kills = 0;
    while kills < wanted && !done.load(Ordering::SeqCst) {
        // Into the middle of things: a little later each time, and only once it moves again.
        let before = progress.load(Ordering::SeqCst);
        let began = Instant::now();
        while progress.load(Ordering::SeqCst) == before && !done.load(Ordering::SeqCst) {
            assert!(began.elapsed() < Duration::from_secs(30), "it does not go on");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(kills * 3 % 17)).await;
        tokio::task::block_in_place(|| {
            server.kill();
            server.run();
        });
        kills += 1;
    }
    let failures = projector.await.expect("the projector ends");
    println!("{kills} kills, {failures} answers that did not come, {last} records");
    assert!(4 * kills >= wanted && failures >= kills / 4, "{kills} and {failures} show nothing");
    assert_equal_to_the_source(&server, &store, last).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_read_only_for_a_while_it_refuses_and_then_catches_up() {
    let Some((server, store)) = begin(&[], false).await else { return };
    let progress = AtomicU64::new(0);
    project(&store, 50, &progress).await;
    let set = |sql: &str| {
        server.sql("postgres", sql);
        server.sql("postgres", "SELECT pg_reload_conf()");
    };
    set("ALTER SYSTEM SET default_transaction_read_only = on");
    let began = Instant::now();
    let refused = loop {
        // The server takes a moment to tell its processes.
        match store.check().await {
            Err(error) => break error,
            Ok(()) => assert!(began.elapsed() < Duration::from_secs(10), "it is not read-only"),
        }
    };
    assert_eq!(refused.code(), "TSE-P008", "{refused}");
    let (_, resumed) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            tokio::task::block_in_place(|| set("ALTER SYSTEM RESET default_transaction_read_only"));
        },
        project(&store, 200, &progress)
    );
    assert!(resumed > 0, "it was refused at least once");
    assert_equal_to_the_source(&server, &store, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_stopped_in_the_middle_it_is_not_waited_for_and_then_catches_up() {
    let Some((server, store)) = begin(&[], false).await else { return };
    let progress = AtomicU64::new(0);
    project(&store, 50, &progress).await;
    server.pause();
    let before = Instant::now();
    let hung = store.apply("live", &batch(51, 60)).await.expect_err("nobody answers");
    assert_eq!(hung.code(), "TSE-P006", "{hung}");
    assert!(before.elapsed() < Duration::from_secs(6), "{:?}", before.elapsed());
    server.resume();
    project(&store, 200, &progress).await;
    assert_equal_to_the_source(&server, &store, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f27_a_statement_that_takes_too_long_is_an_outage() {
    let Some((server, store)) = begin(&[], false).await else { return };
    let progress = AtomicU64::new(0);
    project(&store, 8, &progress).await;
    // Somebody holds the table for longer than a question may take.
    let holder = std::thread::spawn({
        let folder = server.folder().to_owned();
        move || {
            let sql = "BEGIN; LOCK TABLE trading.orders; SELECT pg_sleep(4); COMMIT";
            let mut psql = std::process::Command::new("psql");
            psql.arg("-h").arg(folder).args(["-U", "postgres", "-d", "postgres", "-c", sql]);
            psql.output().expect("psql can be run")
        }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let slow = store.apply("live", &batch(9, 12)).await.expect_err("it waits too long");
    assert_eq!(slow.code(), "TSE-P006", "{slow}");
    assert!(holder.join().expect("it ends").status.success());
    project(&store, 100, &progress).await;
    assert_equal_to_the_source(&server, &store, 100).await;
}
