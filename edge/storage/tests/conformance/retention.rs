use crate::fixtures::{d, order, position, strategy, trade};
use tse_storage::{
    Clock, Order, OrderStatus, Position, Repositories, Retention, Strategy, StrategyStatus, Swept,
    SystemClock, Trade, sweep,
};

/// Everything a year and a day old: the sweep takes all of it at once, children before parents.
pub async fn swept<T: Repositories + tse_storage::Tables>(store: &T) {
    let now = SystemClock.now();
    let old = now.days_before(366);
    for (id, status) in [("old", StrategyStatus::Stopped), ("running", StrategyStatus::Active)] {
        let row = Strategy { status, stopped_at: Some(old), ..strategy(id) };
        store.strategies().create(&row).await.expect("created");
        let row = Order { status: OrderStatus::Cancelled, updated_at: old, ..order(id, id) };
        store.orders().create(&row).await.expect("created");
        let row = Trade { executed_at: old, ..trade(id, id, id) };
        store.trades().create(&row).await.expect("created");
        let row = Position { quantity: d("0"), closed_at: Some(old), ..position(id, id, "A") };
        store.positions().create(&row.with_values().expect("it fits")).await.expect("created");
    }
    let early = sweep(store, Retention::default(), old).await;
    assert_eq!(early, Ok(Swept::default()), "nothing was old then");
    let swept = sweep(store, Retention::default(), now).await;
    assert_eq!(swept, Ok(Swept { orders: 2, trades: 2, positions: 2, strategies: 1 }));
    assert!(store.strategies().get_by_id("running").await.expect("read").is_some());
    assert_eq!(sweep(store, Retention::default(), now).await, Ok(Swept::default()));
}
