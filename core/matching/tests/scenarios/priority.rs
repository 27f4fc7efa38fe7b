//! Who trades first, and at what price.

use crate::scene::scenario;

#[test]
fn an_aggressive_order_walks_the_book_and_rests_the_remainder() {
    scenario(
        "
        alice  sell 5 @ 101   rests
        bob    sell 3 @ 102   rests
        carol  buy 9 @ 102    fills 5 @ 101, 3 @ 102; rests 1 @ 102
        book                  102: carol 1
        ",
    );
}

#[test]
fn the_better_price_trades_first_whoever_came_first() {
    scenario(
        "
        alice  buy 1 @ 99     rests
        bob    buy 1 @ 100    rests
        carol  buy 1 @ 98     rests
        dave   sell 3 @ 98    fills 1 @ 100 (bob), 1 @ 99 (alice), 1 @ 98 (carol)
        ",
    );
}

#[test]
fn at_one_price_the_first_to_come_is_the_first_to_trade() {
    scenario(
        "
        alice  sell 2 @ 101   rests
        bob    sell 2 @ 101   rests
        carol  sell 2 @ 101   rests
        dave   buy 3 @ 101    fills 2 @ 101 (alice), 1 @ 101 (bob)
        erin   buy 2 @ 101    fills 1 @ 101 (bob), 1 @ 101 (carol)
        book                  101: carol 1
        ",
    );
}

#[test]
fn a_partly_filled_order_keeps_its_place() {
    scenario(
        "
        alice  sell 5 @ 101   rests
        bob    sell 5 @ 101   rests
        carol  buy 2 @ 101    fills 2 @ 101 (alice)
        dave   buy 2 @ 101    fills 2 @ 101 (alice)
        ",
    );
}

#[test]
fn a_trade_happens_at_the_price_of_the_order_that_rested() {
    scenario(
        "
        alice  sell 1 @ 101   rests
        bob    buy 1 @ 110    fills 1 @ 101
        carol  buy 1 @ 99     rests
        dave   sell 1 @ 90    fills 1 @ 99
        ",
    );
}

#[test]
fn prices_may_be_negative() {
    scenario(
        "
        alice  sell 1 @ -3    rests
        bob    buy 1 @ -5     rests
        carol  buy 1 @ 0      fills 1 @ -3
        dave   sell 1 @ -5    fills 1 @ -5
        ",
    );
}

#[test]
fn a_cancelled_order_is_out_of_its_queue_and_cannot_be_cancelled_again() {
    scenario(
        "
        alice  sell 1 @ 101   rests
        bob    sell 2 @ 101   rests
        carol  sell 3 @ 101   rests
        bob    cancel         cancelled 2
        bob    cancel         refused unknown_order
        book                  101: alice 1, carol 3
        ",
    );
}
