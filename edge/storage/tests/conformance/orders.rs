use crate::fixtures::{d, minutes, noon, order, strategy, trade};
use tse_storage::{
    Clock, Order, OrderQuery, OrderSort, OrderStatus, OrderType, Repositories, Side, SortOrder,
    SystemClock, TimeInForce,
};

fn ids(orders: Vec<Order>) -> Vec<String> {
    orders.into_iter().map(|order| order.order_id).collect()
}

pub async fn life(store: &impl Repositories) {
    let orders = store.orders();
    let orphan = orders.create(&order("o", "s")).await.expect_err("no strategy");
    assert_eq!(orphan.code(), "TSE-P005");
    store.strategies().create(&strategy("s")).await.expect("created");

    let full = Order {
        order_type: OrderType::StopLimit,
        status: OrderStatus::PartiallyFilled,
        time_in_force: TimeInForce::Day,
        filled_quantity: d("0.5"),
        remaining_quantity: d("1.5"),
        price: Some(d("50000.01")),
        stop_price: Some(d("49999.99")),
        average_fill_price: Some(d("50000")),
        exchange_order_id: Some("x-1".to_owned()),
        execution_venue: Some("okx".to_owned()),
        commission: d("-0.01"),
        realized_pnl: Some(d("-3")),
        submitted_at: Some(noon()),
        filled_at: Some(noon()),
        cancelled_at: Some(noon()),
        error_message: Some("two\nlines".to_owned()),
        client_order_id: Some("S0-1-1".to_owned()),
        correlation_id: Some("c".to_owned()),
        ..order("full", "s")
    };
    orders.create(&full).await.expect("created");
    assert_eq!(orders.get_by_id("full").await, Ok(Some(full.clone())));
    assert_eq!(orders.get_by_exchange_order_id("x-1").await, Ok(Some(full.clone())));
    assert_eq!(orders.get_by_exchange_order_id("x-2").await, Ok(None));
    assert_eq!(orders.get_by_id("nobody").await, Ok(None));

    // Every type is kept, `stop` among them.
    for (n, order_type) in OrderType::ALL.iter().enumerate() {
        let (price, stop_price) = (Some(d("1")), Some(d("1")));
        let row =
            Order { order_type: *order_type, price, stop_price, ..order(&format!("t{n}"), "s") };
        orders.create(&row).await.expect("created");
        assert_eq!(orders.get_by_id(&row.order_id).await, Ok(Some(row)));
    }

    assert_eq!(orders.create(&full).await.expect_err("it is there").code(), "TSE-P002");
    let same_name = Order { client_order_id: full.client_order_id.clone(), ..order("o", "s") };
    assert_eq!(orders.create(&same_name).await.expect_err("one name").code(), "TSE-P002");
    for wrong in [
        Order { quantity: d("0"), remaining_quantity: d("0"), ..order("o", "s") },
        Order { remaining_quantity: d("1"), ..order("o", "s") },
        Order { order_type: OrderType::Limit, ..order("o", "s") },
        Order { order_type: OrderType::Stop, ..order("o", "s") },
        Order { filled_quantity: d("3"), remaining_quantity: d("-1"), ..order("o", "s") },
        Order { status: OrderStatus::Filled, ..order("o", "s") },
        Order { error_message: Some("\0".to_owned()), ..order("o", "s") },
    ] {
        assert_eq!(orders.create(&wrong).await.expect_err("wrong").code(), "TSE-P003", "{wrong:?}");
    }

    let mut next = full.clone();
    next.status = OrderStatus::Cancelled;
    next.correlation_id = None;
    orders.update(&next).await.expect("updated");
    let there = orders.get_by_id("full").await.expect("read").expect("there");
    assert!(there.updated_at > next.updated_at);
    assert_eq!(Order { updated_at: next.updated_at, ..there }, next);
    let back = Order { status: OrderStatus::Accepted, ..next.clone() };
    assert_eq!(orders.update(&back).await.expect_err("it ended").code(), "TSE-P002");

    orders.delete("full").await.expect("deleted");
    for unknown in [
        orders.delete("full").await,
        orders.update(&next).await,
        orders.update_status("full", OrderStatus::Accepted, None).await,
        orders.update_fill("full", d("1"), d("1")).await,
        orders.cancel_order("full", noon()).await,
    ] {
        assert_eq!(unknown.expect_err("unknown").code(), "TSE-P001");
    }
}

pub async fn queries(store: &impl Repositories) {
    let orders = store.orders();
    for id in ["a", "b"] {
        store.strategies().create(&strategy(id)).await.expect("created");
    }
    for (n, status) in OrderStatus::ALL.iter().enumerate() {
        let mut row = order(&format!("o{n}"), if n < 4 { "a" } else { "b" });
        row.status = *status;
        row.created_at = noon().after(minutes(n as u64));
        row.quantity = d(["9", "10", "1", "2", "3", "4", "5", "6"][n]);
        row.remaining_quantity = row.quantity;
        if *status == OrderStatus::Filled {
            row.filled_quantity = row.quantity;
            row.remaining_quantity = d("0");
        }
        if n % 2 == 1 {
            row.side = Side::Sell;
            row.instrument_id = "ETH-USDT".to_owned();
            row.order_type = OrderType::Stop;
            row.stop_price = Some(d("7"));
        }
        orders.create(&row).await.expect("created");
    }
    let ask =
        |query: OrderQuery| async move { ids(orders.query(&query).await.expect("an answer")) };
    let all = OrderQuery::default;
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(ask(all()).await, ["o7", "o6", "o5", "o4", "o3", "o2", "o1", "o0"]);
    let strategy_id = some("b");
    assert_eq!(ask(OrderQuery { strategy_id, ..all() }).await, ["o7", "o6", "o5", "o4"]);
    let instrument_id = some("ETH-USDT");
    assert_eq!(ask(OrderQuery { instrument_id, ..all() }).await, ["o7", "o5", "o3", "o1"]);
    let side = Some(Side::Buy);
    assert_eq!(ask(OrderQuery { side, ..all() }).await, ["o6", "o4", "o2", "o0"]);
    let order_type = Some(OrderType::Stop);
    assert_eq!(ask(OrderQuery { order_type, ..all() }).await, ["o7", "o5", "o3", "o1"]);
    let status = Some(OrderStatus::Cancelled);
    assert_eq!(ask(OrderQuery { status, ..all() }).await, ["o5"]);
    let (from_date, to_date) = (Some(noon().after(minutes(3))), Some(noon().after(minutes(4))));
    assert_eq!(ask(OrderQuery { from_date, to_date, ..all() }).await, ["o4", "o3"]);
    let (sort_by, sort_order) = (OrderSort::Quantity, SortOrder::Asc);
    let page = OrderQuery { sort_by, sort_order, limit: 3, offset: 5, ..all() };
    assert_eq!(ask(page).await, ["o7", "o0", "o1"], "numbers, not their digits");
    let refused = orders.query(&OrderQuery { limit: 0, ..all() }).await.expect_err("a limit");
    assert_eq!(refused.code(), "TSE-P003");

    assert_eq!(ids(orders.get_by_strategy("a").await.expect("read")), ["o3", "o2", "o1", "o0"]);
    let active = orders.get_active_orders(None).await.expect("read");
    assert_eq!(ids(active), ["o3", "o2", "o1", "o0"]);
    assert!(orders.get_active_orders(Some("b")).await.expect("read").is_empty());
    let pending = orders.get_pending_orders(None).await.expect("read");
    assert_eq!(ids(pending), ["o1", "o0"]);
    assert!(orders.get_pending_orders(Some("b")).await.expect("read").is_empty());
    let found = orders.get_orders_by_instrument("ETH-USDT", None).await.expect("read");
    assert_eq!(ids(found), ["o7", "o5", "o3", "o1"]);
    let submitted = Some(OrderStatus::Submitted);
    let found = orders.get_orders_by_instrument("ETH-USDT", submitted).await.expect("read");
    assert_eq!(ids(found), ["o1"]);
}

pub async fn steps(store: &impl Repositories) {
    let orders = store.orders();
    store.strategies().create(&strategy("s")).await.expect("created");
    orders.create(&order("o", "s")).await.expect("created");
    let step = async |status, filled: Option<&str>| {
        orders.update_status("o", status, filled.map(d)).await.map_err(|error| error.code())
    };
    assert_eq!(step(OrderStatus::Accepted, None).await, Err("TSE-P002"));
    assert_eq!(step(OrderStatus::Submitted, None).await, Ok(()));
    assert_eq!(step(OrderStatus::Submitted, None).await, Ok(()), "told twice");
    assert_eq!(step(OrderStatus::Accepted, None).await, Ok(()));
    assert_eq!(step(OrderStatus::PartiallyFilled, Some("0.5")).await, Ok(()));
    assert_eq!(step(OrderStatus::PartiallyFilled, Some("0.4")).await, Err("TSE-P002"));
    assert_eq!(step(OrderStatus::PartiallyFilled, Some("2.1")).await, Err("TSE-P003"));
    assert_eq!(step(OrderStatus::Filled, None).await, Err("TSE-P003"), "some is open");
    assert_eq!(step(OrderStatus::Filled, Some("2")).await, Ok(()));
    let there = orders.get_by_id("o").await.expect("read").expect("there");
    assert_eq!((there.filled_quantity, there.remaining_quantity), (d("2"), d("0")));
    assert!(there.submitted_at.is_some() && there.filled_at.is_some());
    assert_eq!(step(OrderStatus::Cancelled, None).await, Err("TSE-P002"));

    orders.create(&order("c", "s")).await.expect("created");
    orders.cancel_order("c", noon().after(minutes(5))).await.expect("cancelled");
    let there = orders.get_by_id("c").await.expect("read").expect("there");
    assert_eq!(there.status, OrderStatus::Cancelled);
    assert_eq!(there.cancelled_at, Some(noon().after(minutes(5))));
}

pub async fn fills(store: &impl Repositories) {
    let orders = store.orders();
    store.strategies().create(&strategy("s")).await.expect("created");
    orders.create(&order("o", "s")).await.expect("created");
    let early = orders.update_fill("o", d("1"), d("10")).await.expect_err("it has not left");
    assert_eq!(early.code(), "TSE-P002");
    orders.update_status("o", OrderStatus::Submitted, None).await.expect("sent");
    orders.update_fill("o", d("0.5"), d("10")).await.expect("filled");
    let there = orders.get_by_id("o").await.expect("read").expect("there");
    assert_eq!(there.status, OrderStatus::PartiallyFilled);
    assert_eq!((there.filled_quantity, there.remaining_quantity), (d("0.5"), d("1.5")));
    assert_eq!((there.average_fill_price, there.filled_at), (Some(d("10")), None));
    orders.update_fill("o", d("2"), d("10.25")).await.expect("filled");
    let there = orders.get_by_id("o").await.expect("read").expect("there");
    assert_eq!((there.status, there.remaining_quantity), (OrderStatus::Filled, d("0")));
    assert!(there.filled_at.is_some());
    assert_eq!(
        orders.update_fill("o", d("3"), d("10")).await.expect_err("too much").code(),
        "TSE-P003"
    );
    assert_eq!(
        orders.update_fill("o", d("1"), d("10")).await.expect_err("less").code(),
        "TSE-P002"
    );

    // What traded before it was taken back is told later, and is true.
    orders.create(&order("late", "s")).await.expect("created");
    orders.update_status("late", OrderStatus::Submitted, None).await.expect("sent");
    orders.cancel_order("late", noon()).await.expect("cancelled");
    orders.update_fill("late", d("1"), d("10")).await.expect("booked");
    let there = orders.get_by_id("late").await.expect("read").expect("there");
    assert_eq!((there.status, there.filled_quantity), (OrderStatus::Cancelled, d("1")));
}

pub async fn cleanup(store: &impl Repositories) {
    let orders = store.orders();
    store.strategies().create(&strategy("s")).await.expect("created");
    let now = SystemClock.now();
    for (id, status, days) in [
        ("old", OrderStatus::Cancelled, 91),
        ("traded", OrderStatus::Cancelled, 91),
        ("open", OrderStatus::Accepted, 91),
        ("young", OrderStatus::Expired, 89),
    ] {
        let row = Order { status, updated_at: now.days_before(days), ..order(id, "s") };
        orders.create(&row).await.expect("created");
    }
    store.trades().create(&trade("t", "traded", "s")).await.expect("created");
    assert_eq!(orders.cleanup_old_orders(90).await, Ok(1));
    assert_eq!(orders.get_by_id("old").await, Ok(None));
    assert_eq!(orders.get_by_strategy("s").await.expect("read").len(), 3);
    assert!(store.trades().get_by_id("t").await.expect("read").is_some(), "history stays");
    assert_eq!(orders.cleanup_old_orders(90).await, Ok(0));
}
