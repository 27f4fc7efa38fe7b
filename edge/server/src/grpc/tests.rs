use super::{show, stream};
use crate::streams::{Event, Topic};
use serde_json::{Value, json};
use std::sync::Arc;
use tse_node::{News, Picture, What};
use tse_wire::v1;
use tse_wire::v1::stream_strategy_updates_response::Update;

fn held(symbol: &str, currency: &str, exposure: Option<&str>) -> Value {
    json!({
        "symbol": symbol, "size": "-2.5", "price": "100.5", "mark": exposure.map(|_| "101"),
        "currency": currency, "exposure": exposure, "unrealized": null, "realized": "-1.00",
        "opened": "2026-01-05T00:00:00Z",
    })
}

fn order(strategy: &str, side: &str) -> Value {
    json!({
        "id": "1-1", "strategy": strategy, "symbol": "A.N", "side": side, "order_type": "limit", "price": null,
        "size": "1", "filled": "0.5", "life": "working",
        "made": "2026-01-05T00:00:00Z", "changed": "2026-01-05T00:00:01Z",
    })
}

/// A picture of two strategies, of which each holds what is given.
fn picture(maker: Vec<Value>, taker: Vec<Value>) -> Picture {
    let none = json!({
        "total_return": null, "sharpe": null, "sortino": null, "max_drawdown": null, "days": 0,
        "round_trips": 3, "win_rate": 0.5,
    });
    let strategy = |name: &str, level: &str, positions: Vec<Value>| {
        json!({
            "name": name, "level": level, "net": "12.34", "orders": 1, "bought": 2, "sold": 3,
            "positions": positions, "figures": none,
        })
    };
    let latch = json!({
        "scope": "strategy:taker", "level": "halt", "control": "C06", "by": "", "why": "too many",
        "since": "2026-01-05T00:00:00Z",
    });
    let picture = json!({
        "name": "demo", "mode": "paper", "pid": 1, "epoch": 1, "stopping": false,
        "now": "2026-01-05T00:00:02Z", "speed": 1.0, "forgotten_ms": 0, "armed": true,
        "level": "free", "latches": [latch], "venues": [],
        "strategies": [strategy("maker", "reduce", maker), strategy("taker", "halt", taker)],
        "orders": [order("maker", "buy"), order("taker", "sell")], "orders_open": 2,
        "base": "USD", "equity": "1000.00", "net": "24.68",
        "earned": { "realized": "1", "unrealized": "2", "fees": "3", "funding": "4", "net": "5" },
        "figures": none,
        "balances": [{ "venue": "N", "currency": "USD", "amount": "900.00", "reserved": "5.00" }],
        "markets": [{
            "symbol": "A.N", "bids": [{ "price": "100", "size": "1" }], "asks": [], "age_ms": 7,
            "valid": true, "open": false,
        }],
        "limits": [], "events": 0, "sent": 0, "denied": 0, "fills": 0, "safe": 0, "record_us": 0,
        "alerts": [{ "number": 4, "at": "2026-01-05T00:00:00Z", "kind": "killed", "about": { "a": 1 } }],
        "flag_trouble": null, "state_hash": "", "feed": 9,
    });
    serde_json::from_value(picture).unwrap()
}

#[test]
fn exposure_is_added_without_sign_and_said_of_nothing_that_cannot_be_added() {
    let own = |it: &str| held("A.N", "USD", Some(it));
    let all = show::portfolio(&picture(vec![own("100.10"), own("0.15")], vec![own("1899.75")]));
    assert_eq!((all.exposure.as_deref(), all.leverage), (Some("2000.00"), Some(2.0)));
    assert_eq!((all.equity.as_deref(), all.fees.as_deref()), (Some("1000.00"), Some("3")));
    assert_eq!((all.cash[0].amount.as_str(), all.cash[0].reserved.as_str()), ("900.00", "5.00"));
    let none = show::portfolio(&picture(Vec::new(), Vec::new()));
    assert_eq!((none.exposure.as_deref(), none.leverage), (Some("0"), Some(0.0)));
    for other in [held("A.N", "EUR", Some("1")), held("A.N", "USD", None)] {
        let said = show::portfolio(&picture(vec![own("1")], vec![other]));
        assert_eq!((said.exposure, said.leverage), (None, None));
    }
    let mut broke = picture(vec![own("1")], Vec::new());
    broke.equity = Some("-1".to_owned());
    assert_eq!(show::portfolio(&broke).leverage, None, "a multiple of a debt says nothing");
}

#[test]
fn a_strategy_is_shown_as_it_stands_and_with_what_stopped_it() {
    let picture = picture(vec![held("A.N", "USD", None)], Vec::new());
    let [maker, taker] = &picture.strategies[..] else { panic!("there are two") };
    let maker = show::strategy(&picture, maker);
    assert_eq!((maker.status(), maker.level()), (v1::StrategyStatus::Paused, v1::Level::Reduce));
    assert_eq!(
        (maker.positions[0].mark.as_ref(), maker.positions[0].size.as_str()),
        (None, "-2.5")
    );
    let performance = maker.performance.unwrap();
    assert_eq!(
        (performance.trades, performance.sharpe, performance.win_rate),
        (5, None, Some(0.5))
    );
    let taker = show::strategy(&picture, taker);
    assert_eq!(taker.status(), v1::StrategyStatus::Stopped);
    assert!(taker.last_error.unwrap().contains("too many"));
    assert_eq!(maker.last_error, None);
    for level in ["free", "pause", "reduce", "cancel", "halt", "flatten", "sever"] {
        let shown = show::level(level).as_str_name().to_lowercase();
        assert_eq!(shown, format!("level_{level}"));
    }
}

#[test]
fn a_snapshot_has_what_was_asked_for_of_whom_it_was_asked_and_says_why_it_came_again() {
    let whole = Arc::new(picture(
        vec![held("A.N", "USD", None)],
        vec![held("A.N", "USD", None), held("B.N", "USD", None)],
    ));
    let of = |topics: &[Topic], only: Option<&str>, again| {
        let event = Event::Picture(Arc::clone(&whole), again);
        match stream::message(&event, topics, only) {
            Some((at, Update::Snapshot(it))) if at == "2026-01-05T00:00:02Z" => it,
            other => panic!("{other:?}"),
        }
    };
    let count =
        |it: &v1::Snapshot| [it.orders.len(), it.positions.len(), it.books.len(), it.alerts.len()];
    let all = of(&Topic::ALL, None, None);
    assert_eq!((count(&all), all.resync.as_deref()), ([2, 3, 1, 1], None));
    assert_eq!(all.alerts[0].about_json, r#"{"a":1}"#);
    assert_eq!((all.books[0].age_ms, all.books[0].bids[0].price.as_str()), (Some(7), "100"));
    let one = of(&Topic::ALL, Some("taker"), Some("changes are missing"));
    assert_eq!((count(&one), one.resync.as_deref()), ([1, 2, 1, 1], Some("changes are missing")));
    assert_eq!((one.orders[0].side(), &*one.orders[0].filled), (v1::Side::Sell, "0.5"));
    assert_eq!(count(&of(&[Topic::Orders, Topic::Fills], None, None)), [2, 0, 0, 0]);
}

#[test]
fn a_change_of_another_strategy_is_not_told() {
    let order = serde_json::from_value(order("maker", "buy")).unwrap();
    let news = News {
        number: 10,
        at: "2026-01-05T00:00:03Z".to_owned(),
        cause: None,
        what: What::Orders(order),
    };
    let event = Event::News(Arc::new(news));
    let told = |only| stream::message(&event, &Topic::ALL, only);
    assert!(matches!(told(None), Some((_, Update::Order(_)))));
    assert!(matches!(told(Some("maker")), Some((_, Update::Order(_)))));
    assert_eq!(told(Some("taker")), None);
}
