use crate::fixtures::{d, minutes, noon, order, position, strategy, trade};
use tse_storage::{
    Moment, Repositories, SortOrder, Strategy, StrategyQuery, StrategySort, StrategyStatus,
    StrategyType,
};

fn ids(strategies: Vec<Strategy>) -> Vec<String> {
    strategies.into_iter().map(|strategy| strategy.strategy_id).collect()
}

pub async fn life(store: &impl Repositories) {
    let strategies = store.strategies();
    let mut full = strategy("full");
    full.max_position_size = Some(d("10.5"));
    full.max_daily_loss = Some(d("1000"));
    full.max_leverage = Some(d("3"));
    full.parameters.insert("spread".to_owned(), serde_json::json!({"bps": 12, "on": true}));
    full.started_at = Some(noon());
    strategies.create(&full).await.expect("created");
    assert_eq!(strategies.get_by_id("full").await, Ok(Some(full.clone())));
    assert_eq!(strategies.get_by_id("nobody").await, Ok(None));

    let twice = strategies.create(&full).await.expect_err("it is there");
    assert_eq!(twice.code(), "TSE-P002");
    let mut nameless = strategy("x");
    nameless.name = " ".to_owned();
    assert_eq!(strategies.create(&nameless).await.expect_err("no name").code(), "TSE-P003");

    full.name = "another".to_owned();
    strategies.update(&full).await.expect("updated");
    let there = strategies.get_by_id("full").await.expect("read").expect("there");
    assert_eq!((there.name.as_str(), there.version), ("another", 2));
    assert!(there.updated_at > full.updated_at);

    strategies.delete("full").await.expect("deleted");
    assert_eq!(strategies.get_by_id("full").await, Ok(None));
    for unknown in [
        strategies.update(&full).await,
        strategies.delete("full").await,
        strategies.update_status("full", StrategyStatus::Active).await,
        strategies.update_pnl("full", d("1"), d("1")).await,
        strategies.increment_trade_count("full").await,
    ] {
        assert_eq!(unknown.expect_err("unknown").code(), "TSE-P001");
    }
}

pub async fn queries(store: &impl Repositories) {
    let strategies = store.strategies();
    for (n, kind) in StrategyType::ALL.iter().enumerate() {
        let mut row = strategy(&format!("s{n}"));
        row.strategy_type = *kind;
        row.created_at = noon().after(minutes(n as u64));
        row.total_pnl = d(["9", "10", "-3", "0.5", "100", "-20"][n]);
        if n % 2 == 1 {
            row.status = StrategyStatus::Active;
            row.instruments.push("ETH-USDT".to_owned());
        }
        strategies.create(&row).await.expect("created");
    }
    let ask = |query: StrategyQuery| async move {
        ids(strategies.query(&query).await.expect("an answer"))
    };
    let all = StrategyQuery::default();
    assert_eq!(ask(all.clone()).await, ["s5", "s4", "s3", "s2", "s1", "s0"]);
    let arbitrage = Some(StrategyType::Arbitrage);
    assert_eq!(ask(StrategyQuery { strategy_type: arbitrage, ..all.clone() }).await, ["s3"]);
    let active = Some(StrategyStatus::Active);
    assert_eq!(ask(StrategyQuery { status: active, ..all.clone() }).await, ["s5", "s3", "s1"]);
    let eth = Some("ETH-USDT".to_owned());
    assert_eq!(ask(StrategyQuery { instrument: eth, ..all.clone() }).await, ["s5", "s3", "s1"]);
    let eth = Some("ETH".to_owned());
    assert!(ask(StrategyQuery { instrument: eth, ..all.clone() }).await.is_empty());
    let at = |n| Some(noon().after(minutes(n)));
    let some = StrategyQuery { from_date: at(2), to_date: at(4), ..all.clone() };
    assert_eq!(ask(some).await, ["s4", "s3", "s2"]);
    let by_pnl = StrategyQuery { sort_by: StrategySort::TotalPnl, ..all.clone() };
    assert_eq!(ask(by_pnl.clone()).await, ["s4", "s1", "s0", "s3", "s2", "s5"]);
    let page = StrategyQuery { sort_order: SortOrder::Asc, limit: 2, offset: 1, ..by_pnl };
    assert_eq!(ask(page).await, ["s2", "s3"]);
    assert_eq!(ask(StrategyQuery { offset: 6, ..all.clone() }).await, Vec::<String>::new());
    for limit in [0, 1_001] {
        let refused = strategies.query(&StrategyQuery { limit, ..all.clone() }).await;
        assert_eq!(refused.expect_err("a limit").code(), "TSE-P003");
    }
    let backwards = StrategyQuery { from_date: at(4), to_date: at(2), ..all };
    assert_eq!(strategies.query(&backwards).await.expect_err("a range").code(), "TSE-P003");

    let found = strategies.get_active_strategies().await.expect("an answer");
    assert_eq!(ids(found), ["s5", "s3", "s1"]);
    let found = strategies.get_by_instrument("BTC-USDT").await.expect("an answer");
    assert_eq!(found.len(), 6);
    let found = strategies.get_by_instrument("ETH-USDT").await.expect("an answer");
    assert_eq!(ids(found), ["s5", "s3", "s1"]);
}

pub async fn figures(store: &impl Repositories) {
    let strategies = store.strategies();
    strategies.create(&strategy("s")).await.expect("created");
    strategies.update_pnl("s", d("123.45678901"), d("-0.00000001")).await.expect("told");
    strategies.increment_trade_count("s").await.expect("counted");
    strategies.increment_trade_count("s").await.expect("counted");
    let there = strategies.get_by_id("s").await.expect("read").expect("there");
    assert_eq!((there.total_pnl, there.daily_pnl), (d("123.45678901"), d("-0.00000001")));
    assert_eq!((there.total_trades, there.version), (2, 1));

    let status = async |status| {
        strategies.update_status("s", status).await.expect("told");
        strategies.get_by_id("s").await.expect("read").expect("there")
    };
    let there = status(StrategyStatus::Active).await;
    assert!(there.started_at.is_some() && there.stopped_at.is_none());
    let began = there.started_at;
    status(StrategyStatus::Paused).await;
    assert_eq!(status(StrategyStatus::Active).await.started_at, began, "it only went on");
    let there = status(StrategyStatus::Stopped).await;
    assert!(there.stopped_at >= began && there.status == StrategyStatus::Stopped);
}

pub async fn versions(store: &impl Repositories) {
    let strategies = store.strategies();
    strategies.create(&strategy("s")).await.expect("created");
    let mut first = strategies.get_by_id("s").await.expect("read").expect("there");
    let mut second = first.clone();
    first.name = "first".to_owned();
    second.name = "second".to_owned();
    strategies.update(&first).await.expect("updated");
    let lost = strategies.update(&second).await.expect_err("it was read before");
    assert_eq!(lost.code(), "TSE-P002");
    let there = strategies.get_by_id("s").await.expect("read").expect("there");
    assert_eq!(there.name, "first");
}

pub async fn children(store: &impl Repositories) {
    let (strategies, orders) = (store.strategies(), store.orders());
    strategies.create(&strategy("s")).await.expect("created");
    let refused = async || strategies.delete("s").await.expect_err("it has children").code();
    orders.create(&order("o", "s")).await.expect("created");
    assert_eq!(refused().await, "TSE-P004");
    store.trades().create(&trade("t", "o", "s")).await.expect("created");
    assert_eq!(orders.delete("o").await.expect_err("it has a trade").code(), "TSE-P004");
    store.trades().cleanup_old_trades(0).await.expect("gone");
    orders.delete("o").await.expect("nothing is left");
    store.positions().create(&position("p", "s", "BTC-USDT")).await.expect("created");
    assert_eq!(refused().await, "TSE-P004");
    store.positions().delete("p").await.expect("deleted");
    strategies.delete("s").await.expect("nothing is left");
}

pub async fn texts(store: &impl Repositories) {
    let mut odd = strategy("odd");
    odd.name = "Ünïcødé ✓ 'quoted' \"twice\" \\ {brace} -- ; DROP".to_owned();
    odd.instruments =
        vec!["a,b".to_owned(), "{c}".to_owned(), "\"d\"".to_owned(), "NULL".to_owned()];
    odd.parameters.insert("k'\"\\".to_owned(), serde_json::json!(["\u{1f600}", null, 1.5, -7]));
    odd.created_at = Moment::from_micros(-1);
    store.strategies().create(&odd).await.expect("created");
    assert_eq!(store.strategies().get_by_id("odd").await, Ok(Some(odd.clone())));
    for instrument in &odd.instruments {
        let found = store.strategies().get_by_instrument(instrument).await.expect("an answer");
        assert_eq!(found.len(), 1, "{instrument}");
    }
    assert_eq!(store.strategies().get_by_id("odd' OR '1'='1").await, Ok(None));
}

pub async fn together(store: &(impl Repositories + Sync)) {
    store.strategies().create(&strategy("s")).await.expect("created");
    let count = async || {
        for _ in 0..10 {
            store.strategies().increment_trade_count("s").await.expect("counted");
        }
    };
    tokio::join!(count(), count(), count(), count());
    let there = store.strategies().get_by_id("s").await.expect("read").expect("there");
    assert_eq!(there.total_trades, 40);
}
