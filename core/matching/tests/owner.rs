//! What the owner of a book relies on besides the rules: handles and views.

use tse_matching::{Book, NewOrder, Outcome, Owner, Report};
use tse_model::{OrderType, Price, Qty, RejectReason, Side};

fn limit(tag: u64, side: Side, price: i64, qty: i64) -> NewOrder {
    NewOrder::limit(Owner(tag), tag, side, Price::new(price), Qty::new(qty))
}

#[test]
fn a_stale_handle_is_refused_everywhere_even_when_its_slot_has_a_new_order() {
    let (mut book, mut out) = (Book::new(), Vec::new());
    let old = book.rest(limit(1, Side::Buy, 100, 5)).unwrap();
    book.cancel(old, &mut out).unwrap();
    let new = book.rest(limit(2, Side::Buy, 100, 5)).unwrap();
    out.clear();
    let unknown = RejectReason::UnknownOrder;
    assert_eq!(book.cancel(old, &mut out), Err(unknown));
    assert_eq!(book.modify(old, Qty::new(1), None, &mut out), Err(unknown));
    assert_eq!(book.execute(old, Qty::new(1), &mut out), Err(unknown));
    assert_eq!(book.set_qty(old, Qty::ZERO), Err(unknown));
    assert_eq!(book.insert_before(old, limit(3, Side::Buy, 100, 1)), Err(unknown));
    assert_eq!((book.order(old), book.stop(old)), (None, None));
    assert_eq!((book.next_in_level(old), book.prev_in_level(old)), (None, None));
    assert!(!book.is_open(old) && book.is_open(new) && out.is_empty());
}

#[test]
fn a_handle_names_its_order_through_modifies_and_triggers() {
    let (mut book, mut out) = (Book::new(), Vec::new());
    let order_type = OrderType::StopLimit { trigger: Price::new(105), limit: Price::new(104) };
    let order = NewOrder::new(Owner(1), 1, Side::Buy, order_type, Qty::new(5));
    let Ok(Outcome::Armed(handle)) = book.place(order, &mut out) else { panic!("{out:?}") };
    assert_eq!(book.stop(handle).unwrap().trigger, Some(Price::new(105)));
    book.trigger_stops(Price::new(105), &mut out);
    assert_eq!(book.order(handle).unwrap().price, Price::new(104));
    let moved = book.modify(handle, Qty::new(7), Some(Price::new(103)), &mut out);
    assert_eq!(moved, Ok(Outcome::Resting(handle)));
    assert_eq!(book.order(handle).unwrap().leaves, Qty::new(7));
}

#[test]
fn a_level_tells_its_sums_and_is_walked_both_ways() {
    let mut book = Book::new();
    let mut iceberg = limit(2, Side::Sell, 101, 10);
    iceberg.display = Some(Qty::new(4));
    let orders = [limit(1, Side::Sell, 101, 5), iceberg, limit(3, Side::Sell, 101, 1)];
    let handles = orders.map(|order| book.rest(order).unwrap());
    book.rest(limit(4, Side::Sell, 250, 9)).unwrap();

    let level = book.best(Side::Sell).unwrap();
    assert_eq!(level, book.level(Side::Sell, Price::new(101)).unwrap());
    assert_eq!((level.visible, level.hidden, level.orders), (Qty::new(10), Qty::new(6), 3));
    assert_eq!((level.head, level.tail), (handles[0], handles[2]));
    assert_eq!(book.next_in_level(handles[0]), Some(handles[1]));
    assert_eq!(book.next_in_level(handles[2]), None);
    assert_eq!(book.prev_in_level(handles[2]), Some(handles[1]));
    assert_eq!(book.prev_in_level(handles[0]), None);

    assert_eq!(book.level(Side::Buy, Price::new(101)), None, "the other side is another book");
    let behind = book.level_behind(Side::Sell, Price::new(150)).unwrap();
    assert_eq!(behind.price, Price::new(250));
    assert_eq!(book.levels(Side::Sell).map(|l| l.price.get()).collect::<Vec<_>>(), [101, 250]);
}

#[test]
fn an_owner_can_ask_whether_a_stop_would_act_at_once() {
    let mut book = Book::new();
    let stop = |price| OrderType::Stop(Price::new(price));
    assert!(!book.would_trigger(Side::Buy, stop(1)), "nothing has traded");
    book.trigger_stops(Price::new(100), &mut Vec::new());
    assert!(book.would_trigger(Side::Buy, stop(100)) && !book.would_trigger(Side::Buy, stop(101)));
    assert!(book.would_trigger(Side::Sell, stop(100)) && !book.would_trigger(Side::Sell, stop(99)));
    assert!(!book.would_trigger(Side::Sell, OrderType::TrailingStop(Price::new(1))));
}

#[test]
fn a_refused_order_is_reported_and_nothing_else_happens() {
    let (mut book, mut out) = (Book::new(), Vec::new());
    let reason = RejectReason::NoLiquidity;
    let order = NewOrder::market(Owner(1), 77, Side::Buy, Qty::new(1));
    assert_eq!(book.place(order, &mut out), Err(reason));
    assert_eq!(out, [Report::Rejected { tag: 77, reason }]);
    assert_eq!(book.open_orders(), 0);
}
