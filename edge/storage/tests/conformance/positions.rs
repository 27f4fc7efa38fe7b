use crate::fixtures::{d, minutes, noon, position, strategy};
use rust_decimal::Decimal;
use tse_storage::{
    Clock, Position, PositionQuery, PositionSort, Repositories, SortOrder, SystemClock,
};

fn ids(positions: Vec<Position>) -> Vec<String> {
    positions.into_iter().map(|position| position.position_id).collect()
}

async fn parents(store: &impl Repositories) {
    for id in ["s", "other"] {
        store.strategies().create(&strategy(id)).await.expect("created");
    }
}

pub async fn life(store: &impl Repositories) {
    let positions = store.positions();
    let orphan = positions.create(&position("p", "s", "A")).await.expect_err("no strategy");
    assert_eq!(orphan.code(), "TSE-P005");
    parents(store).await;
    let full = Position {
        quantity: d("-2"),
        current_price: d("90"),
        realized_pnl: d("1.5"),
        notes: Some("short".to_owned()),
        venues: [("okx".to_owned(), d("-1.5")), ("sim".to_owned(), d("-0.5"))].into(),
        ..position("full", "s", "A")
    };
    let mut full = full.with_values().expect("it fits");
    assert_eq!((full.market_value, full.unrealized_pnl), (d("-180"), d("20")));
    assert_eq!((full.total_pnl, full.cost_basis, full.exposure), (d("21.5"), d("-200"), d("180")));
    positions.create(&full).await.expect("created");
    assert_eq!(positions.get_by_id("full").await, Ok(Some(full.clone())));
    assert_eq!(positions.get_by_instrument("s", "A").await, Ok(Some(full.clone())));
    assert_eq!(positions.get_by_instrument("s", "B").await, Ok(None));
    assert_eq!(positions.get_by_instrument("other", "A").await, Ok(None));

    assert_eq!(positions.create(&full).await.expect_err("it is there").code(), "TSE-P002");
    let second = position("second", "s", "A");
    assert_eq!(positions.create(&second).await.expect_err("one each").code(), "TSE-P002");
    for wrong in [
        Position { exposure: d("1"), ..position("p", "s", "B") },
        Position { venues: [("okx".to_owned(), d("1"))].into(), ..position("p", "s", "B") },
        Position { closed_at: Some(noon()), ..position("p", "s", "B") },
    ] {
        assert_eq!(positions.create(&wrong).await.expect_err("wrong").code(), "TSE-P003");
    }

    full.notes = None;
    positions.update(&full).await.expect("updated");
    let there = positions.get_by_id("full").await.expect("read").expect("there");
    assert_eq!(Position { updated_at: full.updated_at, ..there }, full);
    positions.delete("full").await.expect("deleted");
    for unknown in [
        positions.delete("full").await,
        positions.update(&full).await,
        positions.update_market_data("full", d("1")).await,
        positions.close_position("full", noon()).await,
    ] {
        assert_eq!(unknown.expect_err("unknown").code(), "TSE-P001");
    }
}

pub async fn queries(store: &impl Repositories) {
    let positions = store.positions();
    parents(store).await;
    for n in 0..6_usize {
        let (strategy, instrument) = (["s", "other"][n / 3], ["A", "B", "C"][n % 3]);
        let mut row = position(&format!("p{n}"), strategy, instrument);
        row.quantity = d(["9", "10", "0", "-1", "100", "0"][n]);
        row.last_updated = noon().after(minutes(n as u64));
        positions.create(&row.with_values().expect("it fits")).await.expect("created");
    }
    let ask = |query: PositionQuery| async move {
        ids(positions.query(&query).await.expect("an answer"))
    };
    let all = PositionQuery::default;
    assert_eq!(ask(all()).await, ["p5", "p4", "p3", "p2", "p1", "p0"]);
    let strategy_id = Some("s".to_owned());
    assert_eq!(ask(PositionQuery { strategy_id, ..all() }).await, ["p2", "p1", "p0"]);
    let instrument_id = Some("B".to_owned());
    assert_eq!(ask(PositionQuery { instrument_id, ..all() }).await, ["p4", "p1"]);
    assert_eq!(ask(PositionQuery { is_open: Some(false), ..all() }).await, ["p5", "p2"]);
    assert_eq!(ask(PositionQuery { is_open: Some(true), ..all() }).await, ["p4", "p3", "p1", "p0"]);
    let at = |n| Some(noon().after(minutes(n)));
    let range = PositionQuery { from_date: at(1), to_date: at(2), ..all() };
    assert_eq!(ask(range).await, ["p2", "p1"]);
    let value = PositionQuery { min_value: Some(d("-100")), max_value: Some(d("900")), ..all() };
    assert_eq!(ask(value).await, ["p5", "p3", "p2", "p0"]);
    let (sort_by, sort_order) = (PositionSort::MarketValue, SortOrder::Asc);
    let page = PositionQuery { sort_by, sort_order, limit: 3, offset: 3, ..all() };
    assert_eq!(ask(page).await, ["p0", "p1", "p4"], "numbers, not their digits");
    let refused = positions.query(&PositionQuery { limit: 5_000, ..all() }).await;
    assert_eq!(refused.expect_err("a limit").code(), "TSE-P003");

    let found = positions.get_by_strategy("other").await.expect("read");
    assert_eq!(ids(found), ["p3", "p4", "p5"]);
    assert_eq!(positions.get_open_positions(None).await.expect("read").len(), 4);
    let found = positions.get_open_positions(Some("s")).await.expect("read");
    assert_eq!(ids(found), ["p0", "p1"]);
}

pub async fn marks(store: &impl Repositories) {
    let positions = store.positions();
    parents(store).await;
    positions.create(&position("p", "s", "A")).await.expect("created");
    positions.update_market_data("p", d("110.5")).await.expect("marked");
    let there = positions.get_by_id("p").await.expect("read").expect("there");
    assert_eq!((there.current_price, there.market_value), (d("110.5"), d("221")));
    assert_eq!(
        (there.unrealized_pnl, there.total_pnl, there.exposure),
        (d("21"), d("21"), d("221"))
    );
    assert!(there.last_updated > noon());
    there.validate().expect("everything follows");
    let huge = positions.update_market_data("p", Decimal::MAX).await;
    assert_eq!(huge.expect_err("it does not fit").code(), "TSE-P003");
}

pub async fn closing(store: &impl Repositories) {
    let positions = store.positions();
    parents(store).await;
    let held = Position {
        realized_pnl: d("4"),
        venues: [("okx".to_owned(), d("2"))].into(),
        ..position("p", "s", "A")
    };
    positions.create(&held.with_values().expect("it fits")).await.expect("created");
    positions.update_market_data("p", d("110")).await.expect("marked");
    positions.close_position("p", noon().after(minutes(9))).await.expect("closed");
    let there = positions.get_by_id("p").await.expect("read").expect("there");
    assert_eq!(there.quantity, Decimal::ZERO);
    assert_eq!((there.realized_pnl, there.unrealized_pnl), (d("24"), d("0")));
    assert_eq!((there.exposure, there.closed_at), (d("0"), Some(noon().after(minutes(9)))));
    there.validate().expect("everything follows");
    assert!(positions.get_open_positions(None).await.expect("read").is_empty());
}

pub async fn sums(store: &impl Repositories) {
    let positions = store.positions();
    assert_eq!(positions.calculate_total_exposure(None).await, Ok(Decimal::ZERO));
    parents(store).await;
    for (id, strategy, quantity) in [("p", "s", "0.1"), ("q", "other", "-0.2")] {
        let row = Position { quantity: d(quantity), ..position(id, strategy, "A") };
        let row = Position { current_price: d("100.3"), ..row }.with_values().expect("it fits");
        positions.create(&row).await.expect("created");
    }
    assert_eq!(positions.calculate_total_exposure(None).await, Ok(d("30.09")));
    assert_eq!(positions.calculate_total_exposure(Some("s")).await, Ok(d("10.03")));
    assert_eq!(positions.calculate_total_unrealized_pnl(None).await, Ok(d("-0.03")));
    assert_eq!(positions.calculate_total_unrealized_pnl(Some("other")).await, Ok(d("-0.06")));
}

pub async fn cleanup(store: &impl Repositories) {
    let positions = store.positions();
    parents(store).await;
    let now = SystemClock.now();
    for (instrument, quantity, days) in [
        ("old", "0", Some(181)),
        ("young", "0", Some(179)),
        ("flat", "0", None),
        ("open", "1", None),
    ] {
        let row = Position {
            quantity: d(quantity),
            closed_at: days.map(|days| now.days_before(days)),
            ..position(instrument, "s", instrument)
        };
        positions.create(&row.with_values().expect("it fits")).await.expect("created");
    }
    assert_eq!(positions.cleanup_closed_positions(180).await, Ok(1));
    assert_eq!(ids(positions.get_by_strategy("s").await.expect("read")), ["flat", "open", "young"]);
}
