use crate::fixtures::{d, minutes, noon, order, strategy, trade};
use jiff::civil::date;
use rust_decimal::Decimal;
use tse_storage::{
    Clock, Liquidity, Moment, Repositories, Side, SortOrder, SystemClock, Trade, TradeQuery,
    TradeSort,
};

fn ids(trades: Vec<Trade>) -> Vec<String> {
    trades.into_iter().map(|trade| trade.trade_id).collect()
}

async fn parents(store: &impl Repositories) {
    for id in ["s", "other"] {
        store.strategies().create(&strategy(id)).await.expect("created");
    }
    store.orders().create(&order("o", "s")).await.expect("created");
    store.orders().create(&order("o2", "other")).await.expect("created");
}

pub async fn life(store: &impl Repositories) {
    let trades = store.trades();
    assert_eq!(
        trades.create(&trade("t", "o", "s")).await.expect_err("no order").code(),
        "TSE-P005"
    );
    parents(store).await;
    let full = Trade {
        side: Side::Sell,
        liquidity_flag: Some(Liquidity::Maker),
        realized_pnl: Some(d("-12.5")),
        notes: Some("by hand".to_owned()),
        ..trade("full", "o", "s")
    };
    let full = full.with_values().expect("it fits");
    assert_eq!((full.gross_value, full.net_value), (d("25000"), d("24992.5")));
    trades.create(&full).await.expect("created");
    assert_eq!(trades.get_by_id("full").await, Ok(Some(full.clone())));
    assert_eq!(trades.get_by_exchange_trade_id("x-full").await, Ok(Some(full.clone())));
    assert_eq!(trades.get_by_exchange_trade_id("x").await, Ok(None));
    assert_eq!(trades.get_by_id("nobody").await, Ok(None));

    assert_eq!(trades.create(&full).await, Ok(()), "told twice");
    let renamed = Trade { trade_id: "again".to_owned(), ..full.clone() };
    assert_eq!(trades.create(&renamed).await, Ok(()), "the same execution");
    assert_eq!(trades.get_by_id("again").await, Ok(None));
    let elsewhere = Trade { execution_venue: "sim".to_owned(), ..renamed };
    trades.create(&elsewhere).await.expect("another venue's names are its own");
    let other = Trade { exchange_trade_id: Some("y".to_owned()), ..full.clone() };
    assert_eq!(trades.create(&other).await.expect_err("another trade").code(), "TSE-P002");
    assert_eq!(trades.get_by_order("o").await.expect("read").len(), 2);
    for n in ["n1", "n2"] {
        let nameless = Trade { exchange_trade_id: None, ..trade(n, "o", "s") };
        trades.create(&nameless).await.expect("a venue may have no names");
    }
    for wrong in [
        Trade { gross_value: d("1"), ..full.clone() },
        Trade { net_value: d("25007.5"), ..full.clone() },
        Trade { quantity: d("0"), ..full.clone() },
        Trade { execution_venue: String::new(), ..full.clone() },
    ] {
        assert_eq!(trades.create(&wrong).await.expect_err("wrong").code(), "TSE-P003", "{wrong:?}");
    }
}

pub async fn queries(store: &impl Repositories) {
    let trades = store.trades();
    parents(store).await;
    for n in 0..6_u64 {
        let (of, strategy) = if n < 4 { ("o", "s") } else { ("o2", "other") };
        let mut row = trade(&format!("t{n}"), of, strategy);
        row.executed_at = noon().after(minutes(n * 240));
        row.price = d(["9", "10", "100", "-5", "20", "0.5"][n as usize]);
        if n % 2 == 1 {
            row.side = Side::Sell;
            row.instrument_id = "ETH-USDT".to_owned();
            row.execution_venue = "sim".to_owned();
        }
        trades.create(&row.with_values().expect("it fits")).await.expect("created");
    }
    let ask =
        |query: TradeQuery| async move { ids(trades.query(&query).await.expect("an answer")) };
    let all = TradeQuery::default;
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(ask(all()).await, ["t5", "t4", "t3", "t2", "t1", "t0"]);
    assert_eq!(ask(TradeQuery { strategy_id: some("other"), ..all() }).await, ["t5", "t4"]);
    assert_eq!(ask(TradeQuery { order_id: some("o2"), ..all() }).await, ["t5", "t4"]);
    let instrument_id = some("ETH-USDT");
    assert_eq!(ask(TradeQuery { instrument_id, ..all() }).await, ["t5", "t3", "t1"]);
    assert_eq!(ask(TradeQuery { side: Some(Side::Buy), ..all() }).await, ["t4", "t2", "t0"]);
    assert_eq!(ask(TradeQuery { execution_venue: some("sim"), ..all() }).await, ["t5", "t3", "t1"]);
    let at = |n: u64| Some(noon().after(minutes(n * 240)));
    let range = TradeQuery { from_date: at(1), to_date: at(3), ..all() };
    assert_eq!(ask(range).await, ["t3", "t2", "t1"]);
    let value = TradeQuery { min_value: Some(d("4.5")), max_value: Some(d("10")), ..all() };
    assert_eq!(ask(value).await, ["t4", "t1", "t0"], "numbers, not their digits");
    let (sort_by, sort_order) = (TradeSort::GrossValue, SortOrder::Asc);
    let page = TradeQuery { sort_by, sort_order, limit: 3, ..all() };
    assert_eq!(ask(page).await, ["t3", "t5", "t0"]);
    let backwards = TradeQuery { min_value: Some(d("2")), max_value: Some(d("1")), ..all() };
    assert_eq!(trades.query(&backwards).await.expect_err("a range").code(), "TSE-P003");

    assert_eq!(ids(trades.get_by_order("o").await.expect("read")), ["t0", "t1", "t2", "t3"]);
    let found = trades.get_by_strategy("s", at(1), at(2)).await.expect("read");
    assert_eq!(ids(found), ["t1", "t2"], "the range counts");
    let found = trades.get_by_strategy("s", None, None).await.expect("read");
    assert_eq!(found.len(), 4);
    let found = trades.get_by_instrument("ETH-USDT", at(2), None).await.expect("read");
    assert_eq!(ids(found), ["t3", "t5"]);
    let found = trades.get_daily_trades("s", date(2026, 3, 10)).await.expect("read");
    assert_eq!(ids(found), ["t0", "t1", "t2"], "from midnight to midnight in UTC");
    let found = trades.get_daily_trades("s", date(2026, 3, 11)).await.expect("read");
    assert_eq!(ids(found), ["t3"]);
}

pub async fn sums(store: &impl Repositories) {
    let trades = store.trades();
    parents(store).await;
    for n in 0..10_u64 {
        let mut row = trade(&format!("t{n}"), "o", "s");
        row.quantity = d("1");
        row.price = d("0.1");
        row.realized_pnl = (n > 0).then(|| d("0.00000001"));
        row.executed_at = noon().after(minutes(n));
        trades.create(&row.with_values().expect("it fits")).await.expect("created");
    }
    assert_eq!(trades.calculate_total_volume("s", None, None).await, Ok(d("1.0")));
    let (from, to) = (Some(noon().after(minutes(1))), Some(noon().after(minutes(3))));
    assert_eq!(trades.calculate_total_volume("s", from, to).await, Ok(d("0.3")));
    assert_eq!(trades.calculate_total_pnl("s", None, None).await, Ok(d("0.00000009")));
    assert_eq!(trades.calculate_total_pnl("s", from, to).await, Ok(d("0.00000003")));
    assert_eq!(trades.calculate_total_pnl("other", None, None).await, Ok(Decimal::ZERO));
}

pub async fn cleanup(store: &impl Repositories) {
    let trades = store.trades();
    parents(store).await;
    let now = SystemClock.now();
    for (id, days) in [("old", 366), ("young", 364)] {
        let row = Trade { executed_at: now.days_before(days), ..trade(id, "o", "s") };
        trades.create(&row).await.expect("created");
    }
    assert_eq!(trades.cleanup_old_trades(365).await, Ok(1));
    assert_eq!(ids(trades.get_by_order("o").await.expect("read")), ["young"]);
}

pub async fn digits(store: &impl Repositories) {
    let trades = store.trades();
    parents(store).await;
    for (n, text) in [
        "0.0000000000000000000000000001",
        "7.9228162514264337593543950335",
        "79228162514264337593543950335",
        "100000000.00000001",
        "10000",
        "0.00010000",
    ]
    .iter()
    .enumerate()
    {
        let mut row = trade(&format!("t{n}"), "o", "s");
        row.quantity = d("1");
        row.price = d(text);
        row.commission = d("0");
        row.realized_pnl = Some(-d(text));
        row.executed_at = Moment::from_micros(noon().micros() + n as i64);
        let row = row.with_values().expect("it fits");
        trades.create(&row).await.expect("created");
        assert_eq!(trades.get_by_id(&row.trade_id).await, Ok(Some(row)), "{text}");
    }
    let all = trades.calculate_total_volume("s", None, None).await;
    assert_eq!(all.expect_err("more than 28 digits").code(), "TSE-P003");
}
