use crate::fixtures::{d, minutes, noon, order, position, strategy, trade};
use tse_storage::{
    Applied, Batch, Change, OrderStatus, Position, Projection, Repositories, StorageError,
};

fn batch(from: u64, to: u64, changes: Vec<Change>) -> Batch {
    Batch { from, to, changes }
}

pub async fn sequences(store: &(impl Repositories + Projection)) {
    assert_eq!(store.applied("live").await, Ok(None));
    let gap = store.apply("live", &batch(2, 3, vec![])).await;
    let expected = StorageError::Gap { stream: "live".to_owned(), from: 2, applied: None };
    assert_eq!(gap, Err(expected));

    let mut first = order("o", "s");
    let begin = batch(
        1,
        10,
        vec![
            // The order of a batch is that of the journal: an order may be told before its strategy.
            Change::Order(first.clone()),
            Change::Strategy(strategy("s")),
            Change::Trade(trade("t", "o", "s")),
            Change::Position(position("p", "s", "A")),
        ],
    );
    assert_eq!(store.apply("live", &begin).await, Ok(Applied::Now(10)));
    assert_eq!(store.applied("live").await, Ok(Some(10)));
    assert_eq!(store.strategies().get_by_id("s").await, Ok(Some(strategy("s"))));
    assert_eq!(store.orders().get_by_id("o").await, Ok(Some(first.clone())));
    assert_eq!(store.trades().get_by_id("t").await, Ok(Some(trade("t", "o", "s"))));
    assert_eq!(store.positions().get_by_id("p").await, Ok(Some(position("p", "s", "A"))));

    // The last word counts, and rows are exactly what was said, their times as well.
    first.status = OrderStatus::Submitted;
    let mut second = first.clone();
    second.status = OrderStatus::Accepted;
    second.updated_at = noon().after(minutes(3));
    let moved = Position { quantity: d("3"), ..position("p", "s", "A") };
    let moved = moved.with_values().expect("it fits");
    let changes =
        vec![Change::Order(first), Change::Position(moved.clone()), Change::Order(second.clone())];
    let next = batch(11, 12, changes);
    assert_eq!(store.apply("live", &next).await, Ok(Applied::Now(12)));
    assert_eq!(store.orders().get_by_id("o").await, Ok(Some(second.clone())));
    assert_eq!(store.positions().get_by_id("p").await, Ok(Some(moved)));

    // What is there already is not done again, and a step back changes nothing.
    assert_eq!(store.apply("live", &begin).await, Ok(Applied::Before(12)));
    assert_eq!(store.orders().get_by_id("o").await, Ok(Some(second)));
    assert_eq!(store.apply("live", &next).await, Ok(Applied::Before(12)));
    let gap = store.apply("live", &batch(14, 15, vec![])).await;
    let expected = StorageError::Gap { stream: "live".to_owned(), from: 14, applied: Some(12) };
    assert_eq!(gap, Err(expected));
    assert_eq!(store.apply("live", &batch(12, 15, vec![])).await, Ok(Applied::Now(15)));
    assert_eq!(store.applied("another").await, Ok(None));
    assert_eq!(
        store.apply("", &batch(1, 1, vec![])).await.expect_err("no name").code(),
        "TSE-P003"
    );
}

pub async fn atomic(store: &(impl Repositories + Projection)) {
    let begin = batch(1, 1, vec![Change::Strategy(strategy("s"))]);
    store.apply("live", &begin).await.expect("applied");
    let mut renamed = strategy("s");
    renamed.name = "renamed".to_owned();
    let broken = batch(
        2,
        5,
        vec![
            Change::Strategy(renamed),
            Change::Strategy(strategy("new")),
            Change::Order(order("o", "new")),
            Change::Order(order("orphan", "nobody")),
        ],
    );
    let refused = store.apply("live", &broken).await.expect_err("an orphan");
    assert_eq!(refused.code(), "TSE-P005");
    assert_eq!(store.applied("live").await, Ok(Some(1)));
    assert_eq!(store.strategies().get_by_id("s").await, Ok(Some(strategy("s"))));
    assert_eq!(store.strategies().get_by_id("new").await, Ok(None));
    assert_eq!(store.orders().get_by_id("o").await, Ok(None));
}

pub async fn once(store: &(impl Repositories + Projection)) {
    let told = trade("t", "o", "s");
    let mut differently = told.clone();
    differently.notes = Some("told differently".to_owned());
    let mut renamed = told.clone();
    renamed.trade_id = "renamed".to_owned();
    let changes = vec![
        Change::Strategy(strategy("s")),
        Change::Order(order("o", "s")),
        Change::Trade(told.clone()),
        Change::Trade(differently.clone()),
        Change::Trade(renamed.clone()),
    ];
    store.apply("live", &batch(0, 4, changes)).await.expect("applied");
    let changes = vec![Change::Trade(differently), Change::Trade(renamed)];
    store.apply("live", &batch(5, 6, changes)).await.expect("applied");
    assert_eq!(store.trades().get_by_order("o").await, Ok(vec![told]));
}

pub async fn wiped(store: &(impl Repositories + Projection)) {
    for (stream, id) in [("a", "sa"), ("b", "sb")] {
        let changes = vec![
            Change::Strategy(strategy(id)),
            Change::Order(order(&format!("o{stream}"), id)),
            Change::Trade(trade(&format!("t{stream}"), &format!("o{stream}"), id)),
            Change::Position(position(&format!("p{stream}"), id, "A")),
        ];
        store.apply(stream, &batch(1, 4, changes)).await.expect("applied");
    }
    store.orders().create(&order("by-hand", "sa")).await.expect("created");
    store.wipe("a").await.expect("wiped");
    assert_eq!(store.applied("a").await, Ok(None));
    assert_eq!(store.applied("b").await, Ok(Some(4)));
    assert_eq!(store.orders().get_by_id("oa").await, Ok(None));
    assert_eq!(store.trades().get_by_id("ta").await, Ok(None));
    assert_eq!(store.positions().get_by_id("pa").await, Ok(None));
    let kept = store.strategies().get_by_id("sa").await.expect("read");
    assert!(kept.is_some(), "somebody else's order belongs to it");
    assert!(store.orders().get_by_id("by-hand").await.expect("read").is_some());
    assert!(store.orders().get_by_id("ob").await.expect("read").is_some());
    assert!(store.trades().get_by_id("tb").await.expect("read").is_some());
    assert!(store.positions().get_by_id("pb").await.expect("read").is_some());
    let again = batch(1, 2, vec![Change::Strategy(strategy("sa"))]);
    assert_eq!(store.apply("a", &again).await, Ok(Applied::Now(2)));
}
